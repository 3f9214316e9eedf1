-- Cancellations both ways: who began one, how far it got on the other side, and requests of buyers.

ALTER TABLE tiktok_orders
    ADD COLUMN cancel_step text NOT NULL DEFAULT 'none' CHECK (cancel_step IN ('none', 'vtex_sent', 'vtex_asked', 'vtex_refused',
        'vtex_done', 'tiktok_wanted', 'tiktok_sent', 'tiktok_asked', 'tiktok_refused', 'tiktok_done')),
    ADD COLUMN cancel_by text CHECK (cancel_by IN ('tiktok', 'vtex', 'operator')),
    ADD COLUMN cancel_reason text,
    ADD COLUMN cancel_at timestamptz,
    ADD COLUMN placed_units bigint,
    ADD COLUMN vtex_due_at timestamptz,
    ADD COLUMN vtex_read_at timestamptz;
COMMENT ON COLUMN tiktok_orders.cancel_step IS 'How far a cancellation got on the other side; *_sent is written before the call';
COMMENT ON COLUMN tiktok_orders.cancel_by IS 'Where the cancellation began; what began there is not sent back there';
COMMENT ON COLUMN tiktok_orders.cancel_reason IS 'Reason that is sent to the other side';
COMMENT ON COLUMN tiktok_orders.cancel_at IS 'When cancel_step was written';
COMMENT ON COLUMN tiktok_orders.placed_units IS 'Units that VTEX was asked for';
COMMENT ON COLUMN tiktok_orders.vtex_due_at IS 'The order in VTEX is to be read: VTEX told of a change, or it was not read for long; NULL = not now';
COMMENT ON COLUMN tiktok_orders.vtex_read_at IS 'When the order in VTEX was read last to see whether it is cancelled';
CREATE INDEX tiktok_orders_vtex_read ON tiktok_orders (shop_id, vtex_read_at NULLS FIRST)
    WHERE step = 'authorized' AND state IN ('authorized', 'invoiced');

CREATE TABLE order_aftersales (
    shop_id           text NOT NULL,
    aftersale_id      text NOT NULL,
    client_id         text NOT NULL,
    order_id          text NOT NULL,
    kind              text NOT NULL CHECK (kind IN ('cancellation', 'return')),
    type              text NOT NULL DEFAULT '',
    status            text NOT NULL DEFAULT '',
    role              text NOT NULL DEFAULT '',
    reason            text,
    reason_text       text,
    action            text,
    deadline          timestamptz,
    refund            text,
    tracking_number   text,
    arbitration       text,
    lines             jsonb NOT NULL DEFAULT '[]',
    reject_reasons    jsonb,
    answer            text,
    answer_reason     text,
    answer_comment    text,
    answer_step       text NOT NULL DEFAULT 'none' CHECK (answer_step IN ('none', 'wanted', 'sent', 'done', 'refused')),
    answered_by       text,
    answered_status   text,
    problem           text,
    requested_at      timestamptz,
    tiktok_updated_at timestamptz,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, aftersale_id)
);
CREATE INDEX order_aftersales_order ON order_aftersales (shop_id, order_id);
CREATE INDEX order_aftersales_client ON order_aftersales (client_id, kind, deadline);
COMMENT ON TABLE order_aftersales IS 'Cancellations and returns as TikTok tells them; those of buyers wait for an answer until their deadline';
COMMENT ON COLUMN order_aftersales.status IS 'TikTok''s state in its newest spelling; no personal data in any column';
COMMENT ON COLUMN order_aftersales.action IS 'What TikTok says that the seller has to do next, until deadline';
COMMENT ON COLUMN order_aftersales.lines IS '[{"seller_sku", "tiktok_sku_id", "order_line_item_id", "refund"}]';
COMMENT ON COLUMN order_aftersales.reject_reasons IS 'Reasons that TikTok takes for a refusal: [{"name", "text"}]';
COMMENT ON COLUMN order_aftersales.answer IS 'approve or reject of a cancellation, a decision word of a return; by a person or by policy';
COMMENT ON COLUMN order_aftersales.answer_step IS 'sent is written before the call';
COMMENT ON COLUMN order_aftersales.answered_status IS 'State of the request when it was answered: each step of a return has its own answer';
CALL connector_guard('order_aftersales');

ALTER TABLE shops ADD COLUMN aftersale_watermark timestamptz;
COMMENT ON COLUMN shops.aftersale_watermark IS 'Cancellations and returns that changed before it are stored';
