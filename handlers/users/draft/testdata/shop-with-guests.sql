CREATE TABLE customers (id integer PRIMARY KEY, email varchar(100) NOT NULL UNIQUE, name varchar(100), billing_address varchar(300), mobile varchar(40), deactivated_at timestamp NULL, objected_at timestamp NULL);
CREATE TABLE addresses (id integer PRIMARY KEY, customer_id integer NOT NULL, street varchar(100), city varchar(100), FOREIGN KEY (customer_id) REFERENCES customers (id));
CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer, email varchar(100), shipping_address varchar(300), total integer NOT NULL, coupon_id integer, FOREIGN KEY (customer_id) REFERENCES customers (id));
CREATE TABLE order_items (id integer PRIMARY KEY, order_id integer NOT NULL, product_id integer NOT NULL, title varchar(100), FOREIGN KEY (order_id) REFERENCES orders (id));
CREATE TABLE products (id integer PRIMARY KEY, seller_id integer, title varchar(100), FOREIGN KEY (seller_id) REFERENCES customers (id));
CREATE TABLE contact_forms (id integer PRIMARY KEY, sender_email varchar(100), message text);
CREATE TABLE messages (id integer PRIMARY KEY, sender_id integer NOT NULL, recipient_id integer NOT NULL, body text NOT NULL, FOREIGN KEY (sender_id) REFERENCES customers (id), FOREIGN KEY (recipient_id) REFERENCES customers (id));
CREATE TABLE admin_users (id integer PRIMARY KEY, email varchar(100), password varchar(100));
