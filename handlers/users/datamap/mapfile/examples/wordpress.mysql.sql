-- The tables of WordPress that hold people: accounts, their meta, comments.
-- A column a line: a test reads this file.

SET sql_mode = '';

CREATE TABLE `wp_users` (
    `ID` bigint unsigned NOT NULL AUTO_INCREMENT,
    `user_login` varchar(60) NOT NULL DEFAULT '',
    `user_pass` varchar(255) NOT NULL DEFAULT '',
    `user_nicename` varchar(50) NOT NULL DEFAULT '',
    `user_email` varchar(100) NOT NULL DEFAULT '',
    `user_url` varchar(100) NOT NULL DEFAULT '',
    `user_registered` datetime NOT NULL DEFAULT '0000-00-00 00:00:00',
    `user_activation_key` varchar(255) NOT NULL DEFAULT '',
    `user_status` int NOT NULL DEFAULT 0,
    `display_name` varchar(250) NOT NULL DEFAULT '',
    PRIMARY KEY (`ID`)
) DEFAULT CHARSET = utf8mb4;

CREATE TABLE `wp_usermeta` (
    `umeta_id` bigint unsigned NOT NULL AUTO_INCREMENT,
    `user_id` bigint unsigned NOT NULL DEFAULT 0,
    `meta_key` varchar(255),
    `meta_value` longtext,
    PRIMARY KEY (`umeta_id`)
) DEFAULT CHARSET = utf8mb4;

CREATE TABLE `wp_comments` (
    `comment_ID` bigint unsigned NOT NULL AUTO_INCREMENT,
    `comment_post_ID` bigint unsigned NOT NULL DEFAULT 0,
    `comment_author` tinytext NOT NULL,
    `comment_author_email` varchar(100) NOT NULL DEFAULT '',
    `comment_author_url` varchar(200) NOT NULL DEFAULT '',
    `comment_author_IP` varchar(100) NOT NULL DEFAULT '',
    `comment_date` datetime NOT NULL DEFAULT '0000-00-00 00:00:00',
    `comment_date_gmt` datetime NOT NULL DEFAULT '0000-00-00 00:00:00',
    `comment_content` text NOT NULL,
    `comment_karma` int NOT NULL DEFAULT 0,
    `comment_approved` varchar(20) NOT NULL DEFAULT '1',
    `comment_agent` varchar(255) NOT NULL DEFAULT '',
    `comment_type` varchar(20) NOT NULL DEFAULT 'comment',
    `comment_parent` bigint unsigned NOT NULL DEFAULT 0,
    `user_id` bigint unsigned NOT NULL DEFAULT 0,
    PRIMARY KEY (`comment_ID`)
) DEFAULT CHARSET = utf8mb4;

CREATE TABLE `wp_commentmeta` (
    `meta_id` bigint unsigned NOT NULL AUTO_INCREMENT,
    `comment_id` bigint unsigned NOT NULL DEFAULT 0,
    `meta_key` varchar(255),
    `meta_value` longtext,
    PRIMARY KEY (`meta_id`)
) DEFAULT CHARSET = utf8mb4;

CREATE INDEX `wp_users_user_login_index` ON `wp_users` (`user_login`);
CREATE INDEX `wp_users_user_email_index` ON `wp_users` (`user_email`);
CREATE INDEX `wp_usermeta_user_id_index` ON `wp_usermeta` (`user_id`);
CREATE INDEX `wp_comments_comment_parent_index` ON `wp_comments` (`comment_parent`);
CREATE INDEX `wp_comments_comment_author_email_index` ON `wp_comments` (`comment_author_email`);
CREATE INDEX `wp_commentmeta_comment_id_index` ON `wp_commentmeta` (`comment_id`);
