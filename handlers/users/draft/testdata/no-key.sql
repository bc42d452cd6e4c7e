CREATE TABLE members (id integer PRIMARY KEY, email varchar(100));
CREATE TABLE visits (member_id integer, page varchar(100));
