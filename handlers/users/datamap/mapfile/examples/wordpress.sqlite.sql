-- The tables of WordPress that hold people: accounts, their meta, comments.
-- WordPress itself knows MySQL only; this is how its tables look elsewhere.
-- A column a line: a test reads this file.

CREATE TABLE "wp_users" (
    "ID" integer NOT NULL,
    "user_login" varchar(60) NOT NULL DEFAULT '',
    "user_pass" varchar(255) NOT NULL DEFAULT '',
    "user_nicename" varchar(50) NOT NULL DEFAULT '',
    "user_email" varchar(100) NOT NULL DEFAULT '',
    "user_url" varchar(100) NOT NULL DEFAULT '',
    "user_registered" datetime NOT NULL DEFAULT '0000-00-00 00:00:00',
    "user_activation_key" varchar(255) NOT NULL DEFAULT '',
    "user_status" integer NOT NULL DEFAULT 0,
    "display_name" varchar(250) NOT NULL DEFAULT '',
    PRIMARY KEY ("ID")
);

CREATE TABLE "wp_usermeta" (
    "umeta_id" integer NOT NULL,
    "user_id" bigint NOT NULL DEFAULT 0,
    "meta_key" varchar(255),
    "meta_value" text,
    PRIMARY KEY ("umeta_id")
);

CREATE TABLE "wp_comments" (
    "comment_ID" integer NOT NULL,
    "comment_post_ID" bigint NOT NULL DEFAULT 0,
    "comment_author" text NOT NULL,
    "comment_author_email" varchar(100) NOT NULL DEFAULT '',
    "comment_author_url" varchar(200) NOT NULL DEFAULT '',
    "comment_author_IP" varchar(100) NOT NULL DEFAULT '',
    "comment_date" datetime NOT NULL DEFAULT '0000-00-00 00:00:00',
    "comment_date_gmt" datetime NOT NULL DEFAULT '0000-00-00 00:00:00',
    "comment_content" text NOT NULL,
    "comment_karma" integer NOT NULL DEFAULT 0,
    "comment_approved" varchar(20) NOT NULL DEFAULT '1',
    "comment_agent" varchar(255) NOT NULL DEFAULT '',
    "comment_type" varchar(20) NOT NULL DEFAULT 'comment',
    "comment_parent" bigint NOT NULL DEFAULT 0,
    "user_id" bigint NOT NULL DEFAULT 0,
    PRIMARY KEY ("comment_ID")
);

CREATE TABLE "wp_commentmeta" (
    "meta_id" integer NOT NULL,
    "comment_id" bigint NOT NULL DEFAULT 0,
    "meta_key" varchar(255),
    "meta_value" text,
    PRIMARY KEY ("meta_id")
);

CREATE INDEX "wp_users_user_login_index" ON "wp_users" ("user_login");
CREATE INDEX "wp_users_user_email_index" ON "wp_users" ("user_email");
CREATE INDEX "wp_usermeta_user_id_index" ON "wp_usermeta" ("user_id");
CREATE INDEX "wp_comments_comment_parent_index" ON "wp_comments" ("comment_parent");
CREATE INDEX "wp_comments_comment_author_email_index" ON "wp_comments" ("comment_author_email");
CREATE INDEX "wp_commentmeta_comment_id_index" ON "wp_commentmeta" ("comment_id");
