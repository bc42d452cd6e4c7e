-- The tables of Django, Django REST framework and django-allauth that hold people.
-- A column a line: a test reads this file.

CREATE TABLE "auth_user" (
    "id" integer NOT NULL,
    "password" varchar(128) NOT NULL,
    "last_login" datetime,
    "is_superuser" bool NOT NULL,
    "username" varchar(150) NOT NULL,
    "first_name" varchar(150) NOT NULL,
    "last_name" varchar(150) NOT NULL,
    "email" varchar(254) NOT NULL,
    "is_staff" bool NOT NULL,
    "is_active" bool NOT NULL,
    "date_joined" datetime NOT NULL,
    PRIMARY KEY ("id"),
    UNIQUE ("username")
);

CREATE TABLE "auth_user_groups" (
    "id" integer NOT NULL,
    "user_id" integer NOT NULL,
    "group_id" integer NOT NULL,
    PRIMARY KEY ("id"),
    UNIQUE ("user_id", "group_id"),
    FOREIGN KEY ("user_id") REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE "auth_user_user_permissions" (
    "id" integer NOT NULL,
    "user_id" integer NOT NULL,
    "permission_id" integer NOT NULL,
    PRIMARY KEY ("id"),
    UNIQUE ("user_id", "permission_id"),
    FOREIGN KEY ("user_id") REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE "django_admin_log" (
    "id" integer NOT NULL,
    "action_time" datetime NOT NULL,
    "object_id" text,
    "object_repr" varchar(200) NOT NULL,
    "action_flag" smallint NOT NULL,
    "change_message" text NOT NULL,
    "content_type_id" integer,
    "user_id" integer NOT NULL,
    PRIMARY KEY ("id"),
    FOREIGN KEY ("user_id") REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE "authtoken_token" (
    "key" varchar(40) NOT NULL,
    "created" datetime NOT NULL,
    "user_id" integer NOT NULL,
    PRIMARY KEY ("key"),
    UNIQUE ("user_id"),
    FOREIGN KEY ("user_id") REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE "account_emailaddress" (
    "id" integer NOT NULL,
    "email" varchar(254) NOT NULL,
    "verified" bool NOT NULL,
    "primary" bool NOT NULL,
    "user_id" integer NOT NULL,
    PRIMARY KEY ("id"),
    UNIQUE ("user_id", "email"),
    FOREIGN KEY ("user_id") REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE "socialaccount_socialaccount" (
    "id" integer NOT NULL,
    "provider" varchar(200) NOT NULL,
    "uid" varchar(191) NOT NULL,
    "last_login" datetime NOT NULL,
    "date_joined" datetime NOT NULL,
    "extra_data" text NOT NULL,
    "user_id" integer NOT NULL,
    PRIMARY KEY ("id"),
    UNIQUE ("provider", "uid"),
    FOREIGN KEY ("user_id") REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE "socialaccount_socialtoken" (
    "id" integer NOT NULL,
    "token" text NOT NULL,
    "token_secret" text NOT NULL,
    "expires_at" datetime,
    "account_id" bigint NOT NULL,
    "app_id" integer,
    PRIMARY KEY ("id"),
    FOREIGN KEY ("account_id") REFERENCES "socialaccount_socialaccount" ("id") DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX "django_admin_log_user_id_index" ON "django_admin_log" ("user_id");
CREATE INDEX "account_emailaddress_user_id_index" ON "account_emailaddress" ("user_id");
CREATE INDEX "socialaccount_socialaccount_user_id_index" ON "socialaccount_socialaccount" ("user_id");
CREATE INDEX "socialaccount_socialtoken_account_id_index" ON "socialaccount_socialtoken" ("account_id");
