CREATE TABLE products (id integer PRIMARY KEY, name varchar(40));
CREATE TABLE inquiries (id integer PRIMARY KEY, email varchar(100), text varchar(100));
