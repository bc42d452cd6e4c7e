-- The tables of a new Laravel application that hold people, with those of Sanctum.
-- A column a line: a test reads this file.

CREATE TABLE "users" (
    "id" integer NOT NULL,
    "name" varchar(255) NOT NULL,
    "email" varchar(255) NOT NULL,
    "email_verified_at" datetime,
    "password" varchar(255) NOT NULL,
    "remember_token" varchar(100),
    "created_at" datetime,
    "updated_at" datetime,
    PRIMARY KEY ("id"),
    UNIQUE ("email")
);

CREATE TABLE "password_reset_tokens" (
    "email" varchar(255) NOT NULL,
    "token" varchar(255) NOT NULL,
    "created_at" datetime,
    PRIMARY KEY ("email")
);

CREATE TABLE "sessions" (
    "id" varchar(255) NOT NULL,
    "user_id" bigint,
    "ip_address" varchar(45),
    "user_agent" text,
    "payload" text NOT NULL,
    "last_activity" integer NOT NULL,
    PRIMARY KEY ("id")
);

CREATE TABLE "personal_access_tokens" (
    "id" integer NOT NULL,
    "tokenable_type" varchar(255) NOT NULL,
    "tokenable_id" bigint NOT NULL,
    "name" text NOT NULL,
    "token" varchar(64) NOT NULL,
    "abilities" text,
    "last_used_at" datetime,
    "expires_at" datetime,
    "created_at" datetime,
    "updated_at" datetime,
    PRIMARY KEY ("id"),
    UNIQUE ("token")
);

CREATE INDEX "sessions_user_id_index" ON "sessions" ("user_id");
CREATE INDEX "sessions_last_activity_index" ON "sessions" ("last_activity");
CREATE INDEX "personal_access_tokens_tokenable_type_tokenable_id_index" ON "personal_access_tokens" ("tokenable_type", "tokenable_id");
