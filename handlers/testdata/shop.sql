-- A site with related tables at two depths, and letters that are found by
-- address. Every row has the name of whose it is.

CREATE TABLE people (
    id integer PRIMARY KEY,
    email varchar(254),
    full_name varchar(200),
    phone varchar(100),
    about text,
    born date,
    active boolean NOT NULL,
    objected_at timestamp NULL,
    last_login timestamp NULL
);
CREATE TABLE settings (
    id integer PRIMARY KEY,
    user_id integer NOT NULL,
    name varchar(50) NOT NULL,
    content text
);
CREATE TABLE orders (
    id integer PRIMARY KEY,
    user_id integer NOT NULL REFERENCES people (id),
    number varchar(20)
);
CREATE TABLE items (
    id integer PRIMARY KEY,
    order_id integer NOT NULL REFERENCES orders (id),
    title varchar(100)
);
CREATE TABLE letters (
    id integer PRIMARY KEY,
    sender varchar(254) NOT NULL,
    body text
);
CREATE TABLE answers (
    id integer PRIMARY KEY,
    letter_id integer NOT NULL REFERENCES letters (id),
    body text
);
CREATE TABLE reviews (
    id integer PRIMARY KEY,
    user_id integer,
    author varchar(100) NOT NULL,
    email varchar(100),
    body text
);
CREATE TABLE invoices (
    id integer PRIMARY KEY,
    user_id integer NOT NULL,
    addressee varchar(100)
);

INSERT INTO people VALUES
    (17, 'anna@users.test', 'Anna', '+77010000001', 'anna keeps bees', '1980-03-04', true, NULL, '2026-03-04 05:06:07'),
    (18, 'boris@users.test', 'Boris', '+77010000002', 'boris keeps none', '1981-03-04', true, NULL, NULL);
INSERT INTO settings VALUES (1, 17, 'shoe size', 'anna 38'), (2, 18, 'shoe size', 'boris 44'), (3, 18, 'theme', 'boris');
INSERT INTO orders VALUES (1, 17, 'anna-1'), (2, 17, 'anna-2'), (3, 18, 'boris-1');
INSERT INTO items VALUES (1, 1, 'a hive of anna'), (2, 2, 'wax of anna'), (3, 2, 'honey of anna'), (4, 3, 'nothing of boris');
INSERT INTO letters VALUES (1, 'anna@USERS.test', 'I am anna'), (2, 'Anna@users.test', 'another''s'), (3, 'boris@users.test', 'boris here'),
    (4, 'guest@users.test', 'a guest'), (5, 'guest@users.test', 'a guest again');
INSERT INTO answers VALUES (1, 1, 'dear anna'), (2, 3, 'dear boris'), (3, 5, 'dear guest');
INSERT INTO reviews VALUES (1, 17, 'anna', 'anna@users.test', 'good'), (2, 18, 'boris', 'boris@users.test', 'bad');
INSERT INTO invoices VALUES (1, 17, 'invoice to anna'), (2, 18, 'invoice to boris');
