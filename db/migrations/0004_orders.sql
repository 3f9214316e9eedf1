-- Orders, their life line and log.

CREATE TABLE tiktok_orders (
    shop_id             text NOT NULL,
    order_id            text NOT NULL,
    client_id           text NOT NULL,
    tiktok_status       text NOT NULL DEFAULT '',
    tiktok_updated_at   timestamptz,
    state               text NOT NULL DEFAULT 'received' CHECK (state IN ('received', 'on_hold', 'waiting_mapping', 'importing',
        'in_doubt', 'imported', 'authorized', 'invoiced', 'shipped', 'delivered', 'completed', 'cancelled', 'failed')),
    vtex_order_id       text,
    vtex_status         text,
    step                text NOT NULL DEFAULT 'none' CHECK (step IN ('none', 'claimed', 'place_sent', 'placed', 'authorize_sent', 'authorized')),
    step_at             timestamptz,
    looked_up           integer NOT NULL DEFAULT 0,
    looked_up_at        timestamptz,
    document            bytea,
    currency            text NOT NULL DEFAULT 'BRL',
    total_minor         bigint,
    merchant_minor      bigint,
    items               jsonb NOT NULL DEFAULT '[]',
    invoice_state       text NOT NULL DEFAULT 'not_needed',
    need_invoice        text,
    packages            jsonb NOT NULL DEFAULT '[]',
    ship_by             timestamptz,
    paid_at             timestamptz,
    problems            jsonb NOT NULL DEFAULT '[]',
    found_by            text NOT NULL DEFAULT 'webhook',
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, order_id)
);
CREATE INDEX tiktok_orders_client ON tiktok_orders (client_id, state, updated_at DESC);
CREATE UNIQUE INDEX tiktok_orders_vtex ON tiktok_orders (shop_id, vtex_order_id) WHERE vtex_order_id IS NOT NULL;
COMMENT ON TABLE tiktok_orders IS 'One TikTok order and where it stands in VTEX';
COMMENT ON COLUMN tiktok_orders.document IS 'The order as TikTok gave it, sealed (personal data)';
COMMENT ON COLUMN tiktok_orders.step IS 'How far placement got; *_sent is written before the call';
COMMENT ON COLUMN tiktok_orders.looked_up IS 'In doubt: how often VTEX answered that it does not have the order';
COMMENT ON COLUMN tiktok_orders.merchant_minor IS 'What the merchant receives: items plus freight as placed';

CREATE TABLE order_timeline (
    shop_id    text NOT NULL,
    order_id   text NOT NULL,
    id         bigint GENERATED ALWAYS AS IDENTITY,
    client_id  text NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    event      text NOT NULL,
    detail     text NOT NULL DEFAULT '',
    by         text NOT NULL CHECK (by IN ('webhook', 'poll', 'operator', 'job')),
    request_id text,
    PRIMARY KEY (shop_id, order_id, id)
);
COMMENT ON TABLE order_timeline IS 'Each step of an order with its time and cause; no personal data';

CREATE TABLE tiktok_log_order (LIKE tiktok_log_product INCLUDING ALL) PARTITION BY RANGE (at);
COMMENT ON TABLE tiktok_log_order IS 'What happened to orders';
SELECT connector_partitions('tiktok_log_order', 2);

CALL connector_guard('tiktok_orders');
CALL connector_guard('order_timeline');
CALL connector_guard('tiktok_log_order');
