-- The tables of Rails with Devise and Active Storage that hold people.
-- A column a line: a test reads this file.

CREATE TABLE "users" (
    "id" integer NOT NULL,
    "email" varchar(255) NOT NULL DEFAULT '',
    "encrypted_password" varchar(255) NOT NULL DEFAULT '',
    "reset_password_token" varchar(255),
    "reset_password_sent_at" datetime,
    "remember_created_at" datetime,
    "sign_in_count" integer NOT NULL DEFAULT 0,
    "current_sign_in_at" datetime,
    "last_sign_in_at" datetime,
    "current_sign_in_ip" varchar(255),
    "last_sign_in_ip" varchar(255),
    "confirmation_token" varchar(255),
    "confirmed_at" datetime,
    "confirmation_sent_at" datetime,
    "unconfirmed_email" varchar(255),
    "failed_attempts" integer NOT NULL DEFAULT 0,
    "unlock_token" varchar(255),
    "locked_at" datetime,
    "created_at" datetime NOT NULL,
    "updated_at" datetime NOT NULL,
    PRIMARY KEY ("id"),
    UNIQUE ("email"),
    UNIQUE ("reset_password_token"),
    UNIQUE ("confirmation_token"),
    UNIQUE ("unlock_token")
);

CREATE TABLE "identities" (
    "id" integer NOT NULL,
    "user_id" bigint NOT NULL,
    "provider" varchar(255) NOT NULL,
    "uid" varchar(255) NOT NULL,
    "created_at" datetime NOT NULL,
    "updated_at" datetime NOT NULL,
    PRIMARY KEY ("id"),
    UNIQUE ("provider", "uid"),
    FOREIGN KEY ("user_id") REFERENCES "users" ("id")
);

CREATE TABLE "active_storage_blobs" (
    "id" integer NOT NULL,
    "key" varchar(255) NOT NULL,
    "filename" varchar(255) NOT NULL,
    "content_type" varchar(255),
    "metadata" text,
    "service_name" varchar(255) NOT NULL,
    "byte_size" bigint NOT NULL,
    "checksum" varchar(255),
    "created_at" datetime NOT NULL,
    PRIMARY KEY ("id"),
    UNIQUE ("key")
);

CREATE TABLE "active_storage_attachments" (
    "id" integer NOT NULL,
    "name" varchar(255) NOT NULL,
    "record_type" varchar(255) NOT NULL,
    "record_id" bigint NOT NULL,
    "blob_id" bigint NOT NULL,
    "created_at" datetime NOT NULL,
    PRIMARY KEY ("id"),
    UNIQUE ("record_type", "record_id", "name", "blob_id"),
    FOREIGN KEY ("blob_id") REFERENCES "active_storage_blobs" ("id")
);

CREATE INDEX "identities_user_id_index" ON "identities" ("user_id");
CREATE INDEX "active_storage_attachments_blob_id_index" ON "active_storage_attachments" ("blob_id");
