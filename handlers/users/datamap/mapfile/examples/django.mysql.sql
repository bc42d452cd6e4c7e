-- The tables of Django, Django REST framework and django-allauth that hold people.
-- A column a line: a test reads this file.

CREATE TABLE `auth_user` (
    `id` int NOT NULL AUTO_INCREMENT,
    `password` varchar(128) NOT NULL,
    `last_login` datetime(6),
    `is_superuser` tinyint(1) NOT NULL,
    `username` varchar(150) NOT NULL,
    `first_name` varchar(150) NOT NULL,
    `last_name` varchar(150) NOT NULL,
    `email` varchar(254) NOT NULL,
    `is_staff` tinyint(1) NOT NULL,
    `is_active` tinyint(1) NOT NULL,
    `date_joined` datetime(6) NOT NULL,
    PRIMARY KEY (`id`),
    UNIQUE (`username`)
) DEFAULT CHARSET = utf8mb4;

CREATE TABLE `auth_user_groups` (
    `id` bigint NOT NULL AUTO_INCREMENT,
    `user_id` int NOT NULL,
    `group_id` int NOT NULL,
    PRIMARY KEY (`id`),
    UNIQUE (`user_id`, `group_id`),
    FOREIGN KEY (`user_id`) REFERENCES `auth_user` (`id`)
) DEFAULT CHARSET = utf8mb4;

CREATE TABLE `auth_user_user_permissions` (
    `id` bigint NOT NULL AUTO_INCREMENT,
    `user_id` int NOT NULL,
    `permission_id` int NOT NULL,
    PRIMARY KEY (`id`),
    UNIQUE (`user_id`, `permission_id`),
    FOREIGN KEY (`user_id`) REFERENCES `auth_user` (`id`)
) DEFAULT CHARSET = utf8mb4;

CREATE TABLE `django_admin_log` (
    `id` bigint NOT NULL AUTO_INCREMENT,
    `action_time` datetime(6) NOT NULL,
    `object_id` longtext,
    `object_repr` varchar(200) NOT NULL,
    `action_flag` smallint NOT NULL,
    `change_message` longtext NOT NULL,
    `content_type_id` int,
    `user_id` int NOT NULL,
    PRIMARY KEY (`id`),
    FOREIGN KEY (`user_id`) REFERENCES `auth_user` (`id`)
) DEFAULT CHARSET = utf8mb4;

CREATE TABLE `authtoken_token` (
    `key` varchar(40) NOT NULL,
    `created` datetime(6) NOT NULL,
    `user_id` int NOT NULL,
    PRIMARY KEY (`key`),
    UNIQUE (`user_id`),
    FOREIGN KEY (`user_id`) REFERENCES `auth_user` (`id`)
) DEFAULT CHARSET = utf8mb4;

CREATE TABLE `account_emailaddress` (
    `id` bigint NOT NULL AUTO_INCREMENT,
    `email` varchar(254) NOT NULL,
    `verified` tinyint(1) NOT NULL,
    `primary` tinyint(1) NOT NULL,
    `user_id` int NOT NULL,
    PRIMARY KEY (`id`),
    UNIQUE (`user_id`, `email`),
    FOREIGN KEY (`user_id`) REFERENCES `auth_user` (`id`)
) DEFAULT CHARSET = utf8mb4;

CREATE TABLE `socialaccount_socialaccount` (
    `id` bigint NOT NULL AUTO_INCREMENT,
    `provider` varchar(200) NOT NULL,
    `uid` varchar(191) NOT NULL,
    `last_login` datetime(6) NOT NULL,
    `date_joined` datetime(6) NOT NULL,
    `extra_data` longtext NOT NULL,
    `user_id` int NOT NULL,
    PRIMARY KEY (`id`),
    UNIQUE (`provider`, `uid`),
    FOREIGN KEY (`user_id`) REFERENCES `auth_user` (`id`)
) DEFAULT CHARSET = utf8mb4;

CREATE TABLE `socialaccount_socialtoken` (
    `id` bigint NOT NULL AUTO_INCREMENT,
    `token` text NOT NULL,
    `token_secret` text NOT NULL,
    `expires_at` datetime(6),
    `account_id` bigint NOT NULL,
    `app_id` int,
    PRIMARY KEY (`id`),
    FOREIGN KEY (`account_id`) REFERENCES `socialaccount_socialaccount` (`id`)
) DEFAULT CHARSET = utf8mb4;

CREATE INDEX `django_admin_log_user_id_index` ON `django_admin_log` (`user_id`);
CREATE INDEX `account_emailaddress_user_id_index` ON `account_emailaddress` (`user_id`);
CREATE INDEX `socialaccount_socialaccount_user_id_index` ON `socialaccount_socialaccount` (`user_id`);
CREATE INDEX `socialaccount_socialtoken_account_id_index` ON `socialaccount_socialtoken` (`account_id`);
