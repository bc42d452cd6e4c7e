-- What WordPress writes for two members and a guest. Ids from 1700 are anna's,
-- from 1800 boris's, from 1900 the guest's.

INSERT INTO "wp_users" ("ID", "user_login", "user_pass", "user_nicename", "user_email", "user_url", "user_registered", "user_activation_key", "display_name") VALUES
    (1700, 'anna', '$P$Banna-secret', 'anna', 'anna@users.test', 'https://anna.test', '2020-01-02 03:04:05', '1600000000:$P$anna-secret', 'Anna Petrova'),
    (1800, 'boris', '$P$Bboris-secret', 'boris', 'boris@users.test', '', '2020-01-02 03:04:05', '', 'Boris Kim');
INSERT INTO "wp_usermeta" ("umeta_id", "user_id", "meta_key", "meta_value") VALUES
    (1701, 1700, 'nickname', 'anna'),
    (1702, 1700, 'first_name', 'Anna'),
    (1703, 1700, 'last_name', 'Petrova'),
    (1704, 1700, 'description', 'anna keeps bees'),
    (1705, 1700, 'rich_editing', 'true'),
    (1706, 1700, 'wp_capabilities', 'a:1:{s:10:"subscriber";b:1;}'),
    (1707, 1700, 'session_tokens', 'a:1:{s:4:"anna";a:2:{s:2:"ip";s:11:"192.0.2.170";s:2:"ua";s:7:"Firefox";}}'),
    (1708, 1700, NULL, NULL),
    (1801, 1800, 'nickname', 'boris'),
    (1802, 1800, 'first_name', 'Boris'),
    (1803, 1800, 'description', 'boris keeps none');
INSERT INTO "wp_comments" ("comment_ID", "comment_post_ID", "comment_author", "comment_author_email", "comment_author_url", "comment_author_IP", "comment_date", "comment_date_gmt", "comment_content", "comment_agent", "comment_parent", "user_id") VALUES
    (1701, 5, 'Anna Petrova', 'anna@users.test', 'https://anna.test', '192.0.2.170', '2026-01-02 03:04:05', '2026-01-02 03:04:05', 'Words that stay', 'Firefox of anna', 0, 1700),
    (1702, 5, 'Anna before she had an account', 'Anna@users.test', '', '192.0.2.180', '2019-01-02 03:04:05', '2019-01-02 03:04:05', 'boris: of another, by the letter', 'Chrome', 0, 0),
    (1703, 5, 'Anna before she had an account', 'anna@Users.test', 'https://anna.test', '192.0.2.170', '2019-01-02 03:04:05', '2019-01-02 03:04:05', 'Words that stay', 'Firefox of anna', 0, 0),
    (1801, 5, 'Boris Kim', 'boris@users.test', '', '192.0.2.180', '2026-01-02 03:04:05', '2026-01-02 03:04:05', 'Words of boris', 'Chrome', 1701, 1800),
    (1901, 5, 'Guest', 'guest@users.test', 'https://guest.test', '192.0.2.190', '2026-01-02 03:04:05', '2026-01-02 03:04:05', 'Words that stay', 'Safari of guest', 1801, 0),
    (1902, 6, 'Guest', 'guest@users.test', '', '192.0.2.190', '2026-01-02 03:04:05', '2026-01-02 03:04:05', 'Words that stay', 'Safari of guest', 0, 0);
INSERT INTO "wp_commentmeta" ("meta_id", "comment_id", "meta_key", "meta_value") VALUES
    (1701, 1701, 'akismet_result', 'false for anna'),
    (1702, 1703, 'akismet_result', 'false for anna'),
    (1801, 1801, 'akismet_result', 'false for boris'),
    (1901, 1902, 'akismet_result', 'false for guest');
