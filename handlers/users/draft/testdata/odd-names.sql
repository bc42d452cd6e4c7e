-- only sqlite
CREATE TABLE "users of ""the"" site" (id integer PRIMARY KEY, email varchar(100), password varchar(40), "it's \ odd" varchar(20), "a
b" varchar(20), "=x]" text, "#" text, "user id" integer);
CREATE TABLE "]] # orders" ("no" integer PRIMARY KEY, "user_id" integer REFERENCES "users of ""the"" site" (id), total integer);
