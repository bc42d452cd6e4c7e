CREATE TABLE members (
	id             TEXT PRIMARY KEY,
	email          TEXT NOT NULL UNIQUE,
	full_name      TEXT,
	given_name     TEXT,
	family_name    TEXT,
	nickname       TEXT,
	phone          TEXT,
	date_of_birth  TEXT,
	gender         TEXT,
	nationality    TEXT,
	location       TEXT,
	address        TEXT,
	occupation     TEXT,
	about          TEXT,
	deactivated_at TEXT,
	objected_at    TEXT
);

CREATE TABLE visits (
	id     INTEGER PRIMARY KEY,
	member TEXT NOT NULL REFERENCES members (id),
	at     TEXT,
	ip     TEXT,
	agent  TEXT,
	page   TEXT,
	cookie TEXT
);

-- An order outlives the account: the tax office asks for it.
CREATE TABLE orders (
	id     INTEGER PRIMARY KEY,
	member TEXT NOT NULL,
	total  INTEGER NOT NULL,
	street TEXT
);

CREATE TABLE order_items (
	id       INTEGER PRIMARY KEY,
	order_id INTEGER NOT NULL REFERENCES orders (id),
	item     TEXT NOT NULL,
	engraved TEXT
);

CREATE TABLE newsletter (
	id    INTEGER PRIMARY KEY,
	email TEXT NOT NULL
);
