-- The tables of a new Laravel application that hold people, with those of Sanctum.
-- A column a line: a test reads this file.

CREATE TABLE `users` (
    `id` bigint unsigned NOT NULL AUTO_INCREMENT,
    `name` varchar(255) NOT NULL,
    `email` varchar(255) NOT NULL,
    `email_verified_at` datetime,
    `password` varchar(255) NOT NULL,
    `remember_token` varchar(100),
    `created_at` datetime,
    `updated_at` datetime,
    PRIMARY KEY (`id`),
    UNIQUE (`email`)
) DEFAULT CHARSET = utf8mb4;

CREATE TABLE `password_reset_tokens` (
    `email` varchar(255) NOT NULL,
    `token` varchar(255) NOT NULL,
    `created_at` datetime,
    PRIMARY KEY (`email`)
) DEFAULT CHARSET = utf8mb4;

CREATE TABLE `sessions` (
    `id` varchar(255) NOT NULL,
    `user_id` bigint unsigned,
    `ip_address` varchar(45),
    `user_agent` text,
    `payload` longtext NOT NULL,
    `last_activity` int NOT NULL,
    PRIMARY KEY (`id`)
) DEFAULT CHARSET = utf8mb4;

CREATE TABLE `personal_access_tokens` (
    `id` bigint unsigned NOT NULL AUTO_INCREMENT,
    `tokenable_type` varchar(255) NOT NULL,
    `tokenable_id` bigint unsigned NOT NULL,
    `name` text NOT NULL,
    `token` varchar(64) NOT NULL,
    `abilities` text,
    `last_used_at` datetime,
    `expires_at` datetime,
    `created_at` datetime,
    `updated_at` datetime,
    PRIMARY KEY (`id`),
    UNIQUE (`token`)
) DEFAULT CHARSET = utf8mb4;

CREATE INDEX `sessions_user_id_index` ON `sessions` (`user_id`);
CREATE INDEX `sessions_last_activity_index` ON `sessions` (`last_activity`);
CREATE INDEX `personal_access_tokens_tokenable_type_tokenable_id_index` ON `personal_access_tokens` (`tokenable_type`, `tokenable_id`);
