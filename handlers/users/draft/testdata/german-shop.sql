CREATE TABLE kunden (kundennr integer PRIMARY KEY, vorname varchar(40), nachname varchar(40) NOT NULL, emailadresse varchar(100) NOT NULL, geburtsdatum date, passwort varchar(100), gesperrt smallint NOT NULL);
CREATE TABLE rechnungen (id integer PRIMARY KEY, kunde integer NOT NULL, betrag integer, FOREIGN KEY (kunde) REFERENCES kunden (kundennr));
CREATE TABLE positionen (id integer PRIMARY KEY, rechnung integer NOT NULL, text varchar(100), FOREIGN KEY (rechnung) REFERENCES rechnungen (id));
CREATE TABLE newsletter (emailadresse varchar(100) PRIMARY KEY, seit date);
CREATE TABLE artikel (id integer PRIMARY KEY, name varchar(40));
