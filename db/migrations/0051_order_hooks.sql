-- The order hook in VTEX and the webhooks of each TikTok shop: what is wanted, what stands there.

CREATE TABLE order_hooks (
    client_id       text PRIMARY KEY,
    wanted          boolean NOT NULL DEFAULT true,
    replace_foreign boolean NOT NULL DEFAULT false,
    state           text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'active', 'foreign', 'refused', 'deleted')),
    found_url       text,
    problem         text,
    checked_at      timestamptz,
    configured_at   timestamptz,
    pinged_at       timestamptz,
    event_at        timestamptz,
    requested_by    text NOT NULL DEFAULT '',
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE order_hooks IS 'The order hook of a client''s VTEX account as a person asked for it and as it was found last';
COMMENT ON COLUMN order_hooks.wanted IS 'False: it was taken away, or is to be';
COMMENT ON COLUMN order_hooks.replace_foreign IS 'A person said that the hook of another system may be replaced';
COMMENT ON COLUMN order_hooks.found_url IS 'Address of a hook that is not ours';
COMMENT ON COLUMN order_hooks.event_at IS 'When VTEX called last';

ALTER TABLE shops
    ADD COLUMN webhooks jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN webhooks_problem text,
    ADD COLUMN webhooks_checked_at timestamptz;
COMMENT ON COLUMN shops.webhooks IS 'Webhooks of the shop as TikTok named them last: [{"event_type", "address", "ours"}]';
COMMENT ON COLUMN shops.webhooks_problem IS 'Why not every wanted webhook is ours';

ALTER TABLE tiktok_orders ADD COLUMN vtex_cancel_told_at timestamptz;
COMMENT ON COLUMN tiktok_orders.vtex_cancel_told_at IS 'When VTEX said that the order is being cancelled; the order is read until it shows that';

CALL connector_guard('order_hooks');
