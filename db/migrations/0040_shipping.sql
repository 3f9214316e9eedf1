-- Invoices (NF-e), packages, labels: what an order needs after it was authorized.

ALTER TABLE tiktok_orders
    ADD COLUMN invoice_reason text,
    ADD COLUMN invoice_reason_pt text,
    ADD COLUMN fulfil_problems jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN fulfil_at timestamptz;
COMMENT ON COLUMN tiktok_orders.invoice_state IS 'not_needed, awaiting_invoice, sent, processing, accepted, refused: the least of its packages';
COMMENT ON COLUMN tiktok_orders.invoice_reason IS 'Why the invoice is refused or missing, in words';
COMMENT ON COLUMN tiktok_orders.invoice_reason_pt IS 'The same in Portuguese';
COMMENT ON COLUMN tiktok_orders.fulfil_problems IS 'What keeps invoice or shipment from going on; same shape as problems';
COMMENT ON COLUMN tiktok_orders.fulfil_at IS 'When invoice, shipment and tracking are looked at next; NULL = nothing is to be done';
CREATE INDEX tiktok_orders_fulfil ON tiktok_orders (shop_id, fulfil_at) WHERE fulfil_at IS NOT NULL;
UPDATE tiktok_orders SET fulfil_at = now()
    WHERE step = 'authorized' AND state IN ('authorized', 'invoiced', 'shipped', 'delivered');

CREATE TABLE packages (
    shop_id            text NOT NULL,
    package_id         text NOT NULL,
    client_id          text NOT NULL,
    order_ids          text[] NOT NULL,
    state              text NOT NULL DEFAULT 'TO_FULFILL',
    shipping_type      text NOT NULL DEFAULT '',
    delivery_option_id text NOT NULL DEFAULT '',
    tracking_number    text NOT NULL DEFAULT '',
    carrier            text NOT NULL DEFAULT '',
    provider_id        text NOT NULL DEFAULT '',
    skus               jsonb NOT NULL DEFAULT '[]',
    updated_s          bigint NOT NULL DEFAULT 0,
    gone               boolean NOT NULL DEFAULT false,
    ship_state         text NOT NULL DEFAULT 'none' CHECK (ship_state IN ('none', 'asked', 'sent', 'arranged', 'refused')),
    ship_request       jsonb,
    ship_by            text CHECK (ship_by IN ('operator', 'policy')),
    ship_at            timestamptz,
    ship_code          bigint,
    ship_reason        text,
    vtex_tracking      text NOT NULL DEFAULT '',
    vtex_events        text NOT NULL DEFAULT '',
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, package_id)
);
CREATE INDEX packages_orders ON packages USING gin (order_ids);
CREATE INDEX packages_client ON packages (client_id, updated_at DESC);
COMMENT ON TABLE packages IS 'Parcels of TikTok orders: how each is shipped and where it is';
COMMENT ON COLUMN packages.order_ids IS 'Orders inside; several when the buyer''s packages were combined';
COMMENT ON COLUMN packages.state IS 'TikTok''s: TO_FULFILL, PROCESSING (arranged), FULFILLING (on its way), COMPLETED, CANCELLED';
COMMENT ON COLUMN packages.skus IS 'Units inside: [{"sku_id", "quantity"}]';
COMMENT ON COLUMN packages.gone IS 'Replaced by others when packages were split or combined';
COMMENT ON COLUMN packages.ship_state IS 'asked: to be shipped; sent is written before the call; arranged: TikTok said so';
COMMENT ON COLUMN packages.ship_request IS 'How: {"handover_method", "pickup_slot", "self_shipment"}';
COMMENT ON COLUMN packages.ship_code IS 'TikTok''s code of the refusal';
COMMENT ON COLUMN packages.vtex_tracking IS 'Tracking number that VTEX was told';
COMMENT ON COLUMN packages.vtex_events IS 'Digest of the tracking events that VTEX was told';

CREATE TABLE invoices (
    shop_id         text NOT NULL,
    order_id        text NOT NULL,
    access_key      text NOT NULL CHECK (access_key ~ '^[0-9]{44}$'),
    client_id       text NOT NULL,
    package_id      text,
    source          text NOT NULL CHECK (source IN ('vtex', 'manual')),
    vtex_number     text,
    number          text NOT NULL DEFAULT '',
    series          text NOT NULL DEFAULT '',
    issuer          text NOT NULL DEFAULT '',
    value_minor     bigint NOT NULL DEFAULT 0,
    items           jsonb NOT NULL DEFAULT '[]',
    xml             bytea,
    state           text NOT NULL DEFAULT 'awaiting_invoice' CHECK (state IN ('awaiting_invoice', 'sent', 'processing', 'accepted', 'refused')),
    reason_code     text,
    uploads         integer NOT NULL DEFAULT 0,
    sent_at         timestamptz,
    again_at        timestamptz,
    request_id      text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, order_id, access_key)
);
CREATE INDEX invoices_client ON invoices (client_id, updated_at DESC);
COMMENT ON TABLE invoices IS 'NF-e files of orders and how far TikTok has taken them';
COMMENT ON COLUMN invoices.package_id IS 'TikTok package that it belongs to; NULL until that is known';
COMMENT ON COLUMN invoices.vtex_number IS 'Number under which VTEX has the invoice; tracking goes there';
COMMENT ON COLUMN invoices.items IS 'What it covers, of VTEX: [{"sku_id", "quantity"}]; [] = all';
COMMENT ON COLUMN invoices.xml IS 'The file, sealed (personal data); NULL once the order''s buyer was erased';
COMMENT ON COLUMN invoices.state IS 'sent is written before the upload; its end is looked up before it is repeated';
COMMENT ON COLUMN invoices.reason_code IS 'UNKNOWN, NOT_FOUND (tried again at again_at), FAILED, NOT_AUTHORIZED, ACCESS_KEY_DUPLICATE, or TikTok''s code';

CREATE TABLE package_labels (
    shop_id    text NOT NULL,
    package_id text NOT NULL,
    format     text NOT NULL CHECK (format IN ('pdf', 'zpl')),
    client_id  text NOT NULL,
    state      text NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'ready', 'refused')),
    body       bytea,
    reason     text,
    code       bigint,
    asked_at   timestamptz NOT NULL DEFAULT now(),
    fetched_at timestamptz,
    PRIMARY KEY (shop_id, package_id, format)
);
COMMENT ON TABLE package_labels IS 'Shipping documents as fetched from TikTok, kept for 24 h';
COMMENT ON COLUMN package_labels.body IS 'The file, sealed (personal data)';

-- The outcome of an upload travels only in the notification of topic 36.
CREATE INDEX events_invoices ON events (shop_id, received_at) WHERE topic = 36;

CALL connector_guard('packages');
CALL connector_guard('invoices');
CALL connector_guard('package_labels');
