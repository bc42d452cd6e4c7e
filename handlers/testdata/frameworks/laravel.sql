-- What a Laravel application writes for two people, and for somebody who asked
-- for a password without having an account. Ids from 1700 are anna's, from 1800
-- boris's.

INSERT INTO "users" ("id", "name", "email", "email_verified_at", "password", "remember_token", "created_at", "updated_at") VALUES
    (1700, 'Anna Petrova', 'anna@users.test', '2020-01-02 03:04:05', '$2y$12$anna-secret', 'anna-secret', '2020-01-02 03:04:05', '2020-01-02 03:04:05'),
    (1800, 'Boris Kim', 'boris@users.test', NULL, '$2y$12$boris-secret', NULL, NULL, NULL);
INSERT INTO "sessions" ("id", "user_id", "ip_address", "user_agent", "payload", "last_activity") VALUES
    ('anna-secret-1', 1700, '192.0.2.170', 'Firefox of anna', 'YToxOiJzZWNyZXQi-anna-secret', 1772600000),
    ('anna-secret-2', 1700, NULL, NULL, 'YToxOiJzZWNyZXQi-anna-secret', 1772600001),
    ('boris-secret-1', 1800, '192.0.2.180', 'Chrome of boris', 'YToxOiJzZWNyZXQi', 1772600002);
INSERT INTO "personal_access_tokens" ("id", "tokenable_type", "tokenable_id", "name", "token", "abilities", "last_used_at", "expires_at", "created_at", "updated_at") VALUES
    (1701, 'App\Models\User', 1700, 'phone of anna', 'anna-secret', '["*"]', NULL, NULL, '2026-01-02 03:04:05', NULL),
    (1801, 'App\Models\User', 1800, 'phone of boris', 'boris-secret', '["*"]', NULL, NULL, NULL, NULL),
    (1802, 'App\Models\Team', 1700, 'a team of boris', 'boris-secret-2', NULL, NULL, NULL, NULL, NULL);
INSERT INTO "password_reset_tokens" ("email", "token", "created_at") VALUES
    ('anna@users.test', '$2y$12$anna-secret', '2026-01-02 03:04:05'),
    ('boris@users.test', '$2y$12$boris-secret', '2026-01-02 03:04:05'),
    ('guest@users.test', '$2y$12$guest-secret', '2026-01-02 03:04:05');
