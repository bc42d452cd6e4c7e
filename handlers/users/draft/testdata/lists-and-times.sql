-- only postgres
CREATE TYPE user_status AS ENUM ('pending', 'active', 'suspended');
CREATE TYPE user_role AS ENUM ('member', 'administrator');
CREATE TABLE app_users (uid uuid PRIMARY KEY, email text NOT NULL, full_name text, status user_status NOT NULL, role user_role NOT NULL, last_seen_at timestamptz, gender text, settings jsonb NOT NULL);
CREATE TABLE devices (id bigint PRIMARY KEY, user_uid uuid NOT NULL REFERENCES app_users (uid) ON DELETE CASCADE, push_token text, user_agent text);
CREATE TABLE payments (id bigint PRIMARY KEY, uid uuid REFERENCES app_users (uid) ON DELETE CASCADE, card_number text, amount numeric(10,2) NOT NULL, ip inet NOT NULL);
CREATE TABLE reviews (id bigint PRIMARY KEY, author uuid NOT NULL REFERENCES app_users (uid), ip inet NOT NULL, body text NOT NULL, payload jsonb NOT NULL, stars smallint, product_id bigint);
