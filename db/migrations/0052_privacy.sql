-- Buyers who asked to be forgotten; a sweep of each shop's orders once a day.

ALTER TABLE tiktok_orders
    ADD COLUMN buyer_digest text,
    ADD COLUMN buyer_erased_at timestamptz;
COMMENT ON COLUMN tiktok_orders.buyer_digest IS 'SHA-256 of client and TikTok''s id of the buyer: orders of one buyer are found by it; gone with the buyer';
COMMENT ON COLUMN tiktok_orders.buyer_erased_at IS 'The buyer''s data was erased; late news does not bring it back';
CREATE INDEX tiktok_orders_buyer ON tiktok_orders (client_id, buyer_digest) WHERE buyer_digest IS NOT NULL;

CREATE TABLE buyer_erasures (
    record_id     text PRIMARY KEY DEFAULT gen_random_uuid()::text,
    client_id     text NOT NULL,
    order_ids     text[] NOT NULL,
    requested_by  text NOT NULL,
    erased_at     timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE buyer_erasures IS 'Record of each erasure: which orders, who asked, when; nothing of the buyer';
CALL connector_guard('buyer_erasures');

ALTER TABLE shops ADD COLUMN orders_swept_at timestamptz;
COMMENT ON COLUMN shops.orders_swept_at IS 'When the orders of the last 72 hours were last compared as a whole';
