-- People who signed in to the dashboard, and how often a sign-in failed.

CREATE TABLE sessions (
    token_digest bytea PRIMARY KEY,
    user_name    text NOT NULL,
    fingerprint  bytea NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    seen_at      timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE sessions IS 'Signed-in users of the dashboard; roles and clients are those of ADMIN_USERS at each request';
COMMENT ON COLUMN sessions.token_digest IS 'SHA-256 of the cookie value';
COMMENT ON COLUMN sessions.fingerprint IS 'SHA-256 of the password hash at sign-in: the session ends when the password changes';
COMMENT ON COLUMN sessions.seen_at IS 'Last request, to the minute; 30 minutes without one end the session, 12 hours end it in any case';

CREATE TABLE sign_in_failures (
    key       bytea PRIMARY KEY,
    failures  integer NOT NULL DEFAULT 0,
    failed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE sign_in_failures IS 'Wrong passwords in a row; each makes the wait before the next try longer';
COMMENT ON COLUMN sign_in_failures.key IS 'SHA-256 of user name and address';

-- What the pages ask for across clients.
CREATE INDEX tiktok_orders_ship_by ON tiktok_orders (client_id, ship_by)
    WHERE ship_by IS NOT NULL AND state IN ('received', 'on_hold', 'waiting_mapping', 'importing', 'in_doubt', 'imported', 'authorized', 'invoiced', 'failed');
CREATE INDEX sync_runs_held ON sync_runs (client_id, id) WHERE status = 'held';
CREATE INDEX audit_recent ON audit (id);
CREATE INDEX tiktok_orders_recent ON tiktok_orders (client_id, created_at DESC, order_id DESC);
