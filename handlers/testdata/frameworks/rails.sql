-- What Rails with Devise and Active Storage writes for two people. Ids from 1700
-- are anna's, from 1800 boris's.

INSERT INTO "users" ("id", "email", "encrypted_password", "reset_password_token", "reset_password_sent_at", "sign_in_count", "current_sign_in_at", "current_sign_in_ip", "last_sign_in_ip", "confirmation_token", "confirmed_at", "unconfirmed_email", "unlock_token", "created_at", "updated_at") VALUES
    (1700, 'anna@users.test', '$2a$12$anna-secret', 'anna-secret', '2026-01-02 03:04:05', 12, '2026-03-04 05:06:07', '192.0.2.170', '192.0.2.171', 'anna-secret', '2020-01-02 03:04:05', 'anna@home.test', 'anna-secret', '2020-01-02 03:04:05', '2020-01-02 03:04:05'),
    (1800, 'boris@users.test', '$2a$12$boris-secret', NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2020-01-02 03:04:05', '2020-01-02 03:04:05');
INSERT INTO "identities" ("id", "user_id", "provider", "uid", "created_at", "updated_at") VALUES
    (1701, 1700, 'github', 'anna-there', '2026-01-02 03:04:05', '2026-01-02 03:04:05'),
    (1801, 1800, 'github', 'boris-there', '2026-01-02 03:04:05', '2026-01-02 03:04:05');
INSERT INTO "active_storage_blobs" ("id", "key", "filename", "content_type", "metadata", "service_name", "byte_size", "checksum", "created_at") VALUES
    (1701, 'k3y0ne', 'anna.jpg', 'image/jpeg', '{"anna":true}', 'local', 48123, 'sum+of+anna==', '2026-01-02 03:04:05'),
    (1702, 'k3ytwo', 'anna-cv.pdf', 'application/pdf', NULL, 'local', 48124, NULL, '2026-01-02 03:04:05'),
    (1801, 'boris-key', 'boris.jpg', 'image/jpeg', NULL, 'local', 48125, NULL, '2026-01-02 03:04:05'),
    (1802, 'boris-key-2', 'boris-post.jpg', 'image/jpeg', NULL, 'local', 48126, NULL, '2026-01-02 03:04:05');
INSERT INTO "active_storage_attachments" ("id", "name", "record_type", "record_id", "blob_id", "created_at") VALUES
    (1701, 'avatar of anna', 'User', 1700, 1701, '2026-01-02 03:04:05'),
    (1702, 'cv of anna', 'User', 1700, 1702, '2026-01-02 03:04:05'),
    (1801, 'avatar of boris', 'User', 1800, 1801, '2026-01-02 03:04:05'),
    (1802, 'a picture of boris', 'Post', 1700, 1802, '2026-01-02 03:04:05');
