-- only postgres mysql
CREATE TABLE клиенты (код integer PRIMARY KEY, почта varchar(100), имя varchar(40), фамилия varchar(40), телефон varchar(40), город varchar(40), id_группы integer);
CREATE TABLE заказы (номер integer PRIMARY KEY, клиент integer NOT NULL, сумма integer, FOREIGN KEY (клиент) REFERENCES клиенты (код));
