-- Clients (merchants), their shops, grants and tokens; the helper that guards tenants.

CREATE FUNCTION connector_tenant() RETURNS text LANGUAGE sql STABLE
    AS $$ SELECT current_setting('connector.tenant', true) $$;
COMMENT ON FUNCTION connector_tenant() IS 'Client the transaction works for; * = work across clients';

-- Turns on row-level security for a table with a client_id column. FORCE: the owner is bound too.
CREATE PROCEDURE connector_guard(tbl regclass) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', tbl);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', tbl);
    EXECUTE format('CREATE POLICY tenant ON %s USING (client_id = connector_tenant() OR connector_tenant() = ''*'')', tbl);
END $$;
COMMENT ON PROCEDURE connector_guard(regclass) IS 'Adds the tenant policy to a table';

CREATE TABLE clients (
    client_id          text PRIMARY KEY CHECK (client_id ~ '^[A-Za-z0-9_-]{8,64}$'),
    name               text NOT NULL,
    status             text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'inactive')),
    feed_url           text,
    warehouse_id       text,
    vtex_account       text CHECK (vtex_account ~ '^[a-z0-9-]{1,63}$'),
    vtex_sales_channel text,
    vtex_affiliate_id  text,
    vtex_warehouse_ids text[] NOT NULL DEFAULT '{}',
    vtex_credentials   bytea,
    hook_secret        bytea,
    hook_secret_digest bytea,
    policies           jsonb NOT NULL DEFAULT '{}',
    data_key           bytea,
    revision           bigint NOT NULL DEFAULT 1,
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE clients IS 'One merchant: where its feed, VTEX account and rules are';
COMMENT ON COLUMN clients.client_id IS 'client_hash of the API';
COMMENT ON COLUMN clients.vtex_credentials IS 'Sealed JSON {app_key, app_token}';
COMMENT ON COLUMN clients.hook_secret IS 'Sealed secret of the VTEX hook paths';
COMMENT ON COLUMN clients.hook_secret_digest IS 'SHA-256 of the hook secret, for lookup without opening it';
COMMENT ON COLUMN clients.policies IS 'As given; defaults are filled when read';
COMMENT ON COLUMN clients.data_key IS 'Data key of this tenant, wrapped by the key ring';
COMMENT ON COLUMN clients.revision IS 'Grows with each change; the ETag';

CREATE TABLE tiktok_auth_tokens (
    client_id             text NOT NULL REFERENCES clients,
    open_id               text NOT NULL,
    seller_name           text,
    region                text,
    user_type             integer,
    scopes                text[] NOT NULL DEFAULT '{}',
    refresh_token         bytea,
    authorization_ends_at timestamptz,
    status                text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'needs_reauthorization', 'revoked')),
    refresh_claimed_until timestamptz,
    refresh_failures      integer NOT NULL DEFAULT 0,
    expiry_notice_at      timestamptz,
    created_at            timestamptz NOT NULL DEFAULT now(),
    updated_at            timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (client_id, open_id)
);
COMMENT ON TABLE tiktok_auth_tokens IS 'A seller''s grant to the app';
COMMENT ON COLUMN tiktok_auth_tokens.refresh_token IS 'Sealed; NULL after a wipe';
COMMENT ON COLUMN tiktok_auth_tokens.refresh_claimed_until IS 'One refresh at a time: claimed until then';
COMMENT ON COLUMN tiktok_auth_tokens.expiry_notice_at IS 'When TikTok last said that the authorization is about to end';

CREATE TABLE tiktok_tokens (
    client_id    text NOT NULL,
    open_id      text NOT NULL,
    access_token bytea NOT NULL,
    expires_at   timestamptz NOT NULL,
    obtained_at  timestamptz NOT NULL DEFAULT now(),
    version      bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (client_id, open_id),
    FOREIGN KEY (client_id, open_id) REFERENCES tiktok_auth_tokens ON DELETE CASCADE
);
COMMENT ON TABLE tiktok_tokens IS 'Current access token of a grant, sealed; replaced together with the refresh token';

CREATE TABLE shops (
    shop_id         text PRIMARY KEY,
    client_id       text NOT NULL REFERENCES clients,
    open_id         text NOT NULL,
    name            text NOT NULL DEFAULT '',
    region          text NOT NULL DEFAULT '',
    seller_type     text,
    code            text,
    cipher          bytea,
    status          text NOT NULL DEFAULT 'connected' CHECK (status IN ('connected', 'needs_reauthorization', 'disconnected')),
    warehouse_id    text,
    warehouses_at   timestamptz,
    order_watermark timestamptz,
    order_polled_at timestamptz,
    connected_at    timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX shops_client ON shops (client_id);
COMMENT ON TABLE shops IS 'A TikTok shop that a grant covers';
COMMENT ON COLUMN shops.cipher IS 'Sealed shop_cipher; NULL after a wipe';
COMMENT ON COLUMN shops.warehouse_id IS 'Default sales warehouse as TikTok lists it';
COMMENT ON COLUMN shops.order_watermark IS 'Orders updated before this moment have been polled';

CREATE TABLE oauth_states (
    client_id      text NOT NULL REFERENCES clients,
    state_digest   bytea NOT NULL,
    browser_digest bytea NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    expires_at     timestamptz NOT NULL,
    used_at        timestamptz,
    PRIMARY KEY (client_id, state_digest)
);
CREATE UNIQUE INDEX oauth_states_digest ON oauth_states (state_digest);
COMMENT ON TABLE oauth_states IS 'Single-use state values of the authorize redirect; digests only';

CREATE TABLE oauth_exchanges (
    client_id   text NOT NULL REFERENCES clients,
    exchange_id text NOT NULL,
    code        bytea,
    status      text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'connected', 'failed')),
    shops       text[] NOT NULL DEFAULT '{}',
    problem     jsonb,
    created_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    PRIMARY KEY (client_id, exchange_id)
);
CREATE UNIQUE INDEX oauth_exchanges_id ON oauth_exchanges (exchange_id);
COMMENT ON TABLE oauth_exchanges IS 'A code that came back from the authorize page and what became of it';
COMMENT ON COLUMN oauth_exchanges.code IS 'Sealed; wiped once used';

CREATE TABLE audit (
    client_id text NOT NULL,
    id        bigint GENERATED ALWAYS AS IDENTITY,
    at        timestamptz NOT NULL DEFAULT now(),
    who       text NOT NULL,
    action    text NOT NULL,
    detail    jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (client_id, id)
);
COMMENT ON TABLE audit IS 'Who changed what; no secrets, no personal data';

CALL connector_guard('clients');
CALL connector_guard('tiktok_auth_tokens');
CALL connector_guard('tiktok_tokens');
CALL connector_guard('shops');
CALL connector_guard('oauth_states');
CALL connector_guard('oauth_exchanges');
CALL connector_guard('audit');
