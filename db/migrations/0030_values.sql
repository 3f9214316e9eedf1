-- Prices and stock that may have changed at their source, and what is known of their way to TikTok.

CREATE TABLE value_notices (
    shop_id    text NOT NULL,
    seller_sku text NOT NULL,
    client_id  text NOT NULL,
    source_id  text NOT NULL,
    price      boolean NOT NULL DEFAULT false,
    stock      boolean NOT NULL DEFAULT false,
    seq        bigint NOT NULL DEFAULT 1,
    looks      integer NOT NULL DEFAULT 0,
    changed_at timestamptz NOT NULL DEFAULT now(),
    due_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, seller_sku)
) WITH (fillfactor = 70);
CREATE INDEX value_notices_product ON value_notices (shop_id, source_id);
CREATE INDEX value_notices_oldest ON value_notices (shop_id, changed_at) WHERE looks = 0;
COMMENT ON TABLE value_notices IS 'SKUs whose price or stock is to be read again: one row however often it was said';
COMMENT ON COLUMN value_notices.seq IS 'Grows with every notice: the job that read an older one leaves the row';
COMMENT ON COLUMN value_notices.looks IS '0: not read since the last notice; more: a later look (caches, the end of a price, a promotion)';
COMMENT ON COLUMN value_notices.changed_at IS 'When the oldest change that was not read yet was made known';

CREATE TABLE value_run_items (
    client_id   text NOT NULL,
    run_id      text NOT NULL,
    part        bigint NOT NULL,
    shop_id     text NOT NULL,
    source_id   text NOT NULL,
    seller_skus text[] NOT NULL,
    PRIMARY KEY (client_id, run_id, source_id)
);
CREATE INDEX value_run_items_part ON value_run_items (client_id, run_id, part);
COMMENT ON TABLE value_run_items IS 'What a run over prices or stock has still to do: deleted with the result';

ALTER TABLE skus
    ADD COLUMN price_sent_minor bigint,
    ADD COLUMN stock_sent bigint,
    ADD COLUMN stock_warehouses jsonb,
    ADD COLUMN price_hold_minor bigint,
    ADD COLUMN price_approved_minor bigint,
    ADD COLUMN value_lock jsonb,
    ADD COLUMN unsent_since timestamptz;
COMMENT ON COLUMN skus.price_sent_minor IS 'About to be sent, answer not known yet: TikTok may hold this or price_published_minor';
COMMENT ON COLUMN skus.stock_sent IS 'The same of the stock';
COMMENT ON COLUMN skus.stock_warehouses IS 'TikTok warehouses of the SKU with the quantity last acknowledged for each: {"id": 7}';
COMMENT ON COLUMN skus.price_hold_minor IS 'Price that the jump guard holds until a person approves it or the source says something else';
COMMENT ON COLUMN skus.price_approved_minor IS 'Held price that a person approved';
COMMENT ON COLUMN skus.value_lock IS 'A promotion keeps TikTok from taking it: {"price": {"code", "since"}, "stock": {...}}';
COMMENT ON COLUMN skus.unsent_since IS 'Since when the wanted price or stock is not what TikTok acknowledged; NULL = it is';
CREATE INDEX skus_unsent ON skus (shop_id, unsent_since) WHERE unsent_since IS NOT NULL;
CREATE INDEX skus_vtex ON skus (client_id, vtex_sku_id) WHERE vtex_sku_id IS NOT NULL;

ALTER TABLE products DROP CONSTRAINT products_shelf_by_check,
    ADD CONSTRAINT products_shelf_by_check CHECK (shelf_by IN ('feed', 'operator', 'stock'));
COMMENT ON COLUMN products.shelf_by IS 'Who decided that; what an operator decided, no feed undoes; stock: TikTok takes no 0';
ALTER TABLE products ADD COLUMN values_seq bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN products.values_seq IS 'Grows whenever prices or stock of the product were worked out anew';

ALTER TABLE tiktok_log_price_product ADD COLUMN age_ms bigint;
ALTER TABLE tiktok_log_stock ADD COLUMN age_ms bigint;
COMMENT ON COLUMN tiktok_log_price_product.age_ms IS 'From the notice of the change to TikTok''s acceptance';
COMMENT ON COLUMN tiktok_log_stock.age_ms IS 'From the notice of the change to TikTok''s acceptance';
CREATE INDEX tiktok_log_price_product_age ON tiktok_log_price_product (client_id, shop_id, at) WHERE age_ms IS NOT NULL;
CREATE INDEX tiktok_log_stock_age ON tiktok_log_stock (client_id, shop_id, at) WHERE age_ms IS NOT NULL;

CALL connector_guard('value_notices');
CALL connector_guard('value_run_items');
