-- What Django, Django REST framework and django-allauth write for two people.
-- Ids from 1700 are anna's, from 1800 boris's.

INSERT INTO "auth_user" ("id", "password", "last_login", "is_superuser", "username", "first_name", "last_name", "email", "is_staff", "is_active", "date_joined") VALUES
    (1700, 'pbkdf2_sha256$anna-secret', '2026-03-04 05:06:07', false, 'anna', 'Anna', 'Petrova', 'anna@users.test', false, true, '2020-01-02 03:04:05'),
    (1800, 'pbkdf2_sha256$boris-secret', NULL, false, 'boris', 'Boris', '', 'boris@users.test', true, true, '2020-01-02 03:04:05');
INSERT INTO "auth_user_groups" ("id", "user_id", "group_id") VALUES (1701, 1700, 3), (1801, 1800, 3);
INSERT INTO "auth_user_user_permissions" ("id", "user_id", "permission_id") VALUES (1701, 1700, 30), (1702, 1700, 31), (1801, 1800, 30);
INSERT INTO "django_admin_log" ("id", "action_time", "object_id", "object_repr", "action_flag", "change_message", "content_type_id", "user_id") VALUES
    (1701, '2026-01-02 03:04:05', '5', 'a page of anna', 2, '[{"changed": {"fields": ["Title"]}}]', NULL, 1700),
    (1801, '2026-01-02 03:04:05', '6', 'a page of boris', 1, '[{"added": {}}]', 7, 1800);
INSERT INTO "authtoken_token" ("key", "created", "user_id") VALUES ('anna-secret', '2026-01-02 03:04:05', 1700), ('boris-secret', '2026-01-02 03:04:05', 1800);
INSERT INTO "account_emailaddress" ("id", "email", "verified", "primary", "user_id") VALUES
    (1701, 'anna@users.test', true, true, 1700), (1702, 'anna@home.test', false, false, 1700), (1801, 'boris@users.test', true, true, 1800);
INSERT INTO "socialaccount_socialaccount" ("id", "provider", "uid", "last_login", "date_joined", "extra_data", "user_id") VALUES
    (1701, 'github', 'anna-there', '2026-01-02 03:04:05', '2026-01-02 03:04:05', '{"name": "anna", "bio": "bees"}', 1700),
    (1702, 'google', 'anna-elsewhere', '2026-01-02 03:04:05', '2026-01-02 03:04:05', '{}', 1700),
    (1801, 'github', 'boris-there', '2026-01-02 03:04:05', '2026-01-02 03:04:05', '{"name": "boris"}', 1800);
INSERT INTO "socialaccount_socialtoken" ("id", "token", "token_secret", "expires_at", "account_id", "app_id") VALUES
    (1701, 'anna-secret', '', '2027-01-02 03:04:05', 1701, NULL), (1702, 'anna-secret', 'anna-secret', NULL, 1702, NULL),
    (1801, 'boris-secret', '', NULL, 1801, NULL);
