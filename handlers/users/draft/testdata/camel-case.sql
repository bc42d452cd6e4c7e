-- only mysql sqlite
CREATE TABLE Users (userId integer PRIMARY KEY, emailAddress varchar(100), firstName varchar(40), lastName varchar(40), phoneNumber varchar(40), isActive smallint NOT NULL, isAdmin smallint NOT NULL, lastLoginAt datetime, passwordHash varchar(100), apiToken varchar(100));
CREATE TABLE UserProfiles (id integer PRIMARY KEY, userId integer NOT NULL UNIQUE, bio varchar(1000), city varchar(100), avatarUrl varchar(100));
CREATE TABLE Posts (id integer PRIMARY KEY, userId integer, title varchar(100) NOT NULL, body text, ipAddress varchar(40) NOT NULL, createdAt datetime);
CREATE TABLE PostComments (id integer PRIMARY KEY, postId integer NOT NULL, body text NOT NULL, authorEmail varchar(100));
