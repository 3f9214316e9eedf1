-- Feeds, products, SKUs, images, brands, categories and their logs.

CREATE TABLE feed_snapshots (
    shop_id       text PRIMARY KEY,
    client_id     text NOT NULL,
    source        text NOT NULL,
    generation    bigint NOT NULL DEFAULT 0,
    items         bigint NOT NULL DEFAULT 0,
    products      bigint NOT NULL DEFAULT 0,
    bytes         bigint NOT NULL DEFAULT 0,
    content_hash  uuid,
    etag          text,
    last_modified text,
    accepted_at   timestamptz
);
COMMENT ON TABLE feed_snapshots IS 'The last feed that was accepted as complete';

CREATE TABLE feed_items (
    shop_id   text NOT NULL,
    item_id   text NOT NULL,
    client_id text NOT NULL,
    source_id text NOT NULL,
    hash      uuid NOT NULL,
    PRIMARY KEY (shop_id, item_id)
);
CREATE INDEX feed_items_source ON feed_items (shop_id, source_id);
COMMENT ON TABLE feed_items IS 'Hash of each item of the last accepted feed; source_id is the product (item group) it belongs to';

CREATE TABLE products (
    shop_id            text NOT NULL,
    source_id          text NOT NULL,
    client_id          text NOT NULL,
    status             text NOT NULL DEFAULT 'waiting' CHECK (status IN
        ('waiting', 'publishing', 'in_review', 'live', 'rejected', 'held', 'deactivated', 'deleted')),
    title              text NOT NULL DEFAULT '',
    desired            jsonb NOT NULL DEFAULT '{}',
    desired_hash       uuid,
    published_hash     uuid,
    in_feed            boolean NOT NULL DEFAULT true,
    absent_feeds       integer NOT NULL DEFAULT 0,
    tiktok_product_id  text,
    idempotency_key    text,
    create_sent_at     timestamptz,
    source_category    text NOT NULL DEFAULT '',
    tiktok_category_id text,
    category_chosen_by text NOT NULL DEFAULT 'none' CHECK (category_chosen_by IN ('mapping', 'recommendation', 'none')),
    brand              text,
    tiktok_brand_id    text,
    audit_status       text,
    problems           jsonb NOT NULL DEFAULT '[]',
    last_run_id        text,
    counted_run_id     text,
    published          jsonb,
    published_at       timestamptz,
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, source_id)
);
CREATE UNIQUE INDEX products_tiktok ON products (shop_id, tiktok_product_id) WHERE tiktok_product_id IS NOT NULL;
CREATE INDEX products_client ON products (client_id, status, source_id);
COMMENT ON TABLE products IS 'What the merchant wants listed (desired) and what TikTok acknowledged (published)';
COMMENT ON COLUMN products.desired IS 'Normalised product of the feed: title, description, images, brand, attributes, items[]';
COMMENT ON COLUMN products.idempotency_key IS 'Kept for all tries of one logical create';
COMMENT ON COLUMN products.published IS 'Body that TikTok acknowledged last, without price and stock';
COMMENT ON COLUMN products.counted_run_id IS 'Run whose counters include this product already';

CREATE TABLE skus (
    shop_id               text NOT NULL,
    seller_sku            text NOT NULL,
    client_id             text NOT NULL,
    source_id             text NOT NULL,
    source_sku            text NOT NULL,
    position              integer NOT NULL DEFAULT 0,
    vtex_sku_id           text,
    tiktok_sku_id         text,
    currency              text NOT NULL DEFAULT 'BRL',
    feed_price_minor      bigint,
    feed_available        boolean NOT NULL DEFAULT true,
    feed_quantity         bigint,
    price_desired_minor   bigint,
    price_published_minor bigint,
    price_published_at    timestamptz,
    price_inputs          jsonb,
    stock_desired         bigint,
    stock_published       bigint,
    stock_published_at    timestamptz,
    stock_inputs          jsonb,
    problem               jsonb,
    updated_at            timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, seller_sku)
);
CREATE INDEX skus_product ON skus (shop_id, source_id, position);
CREATE INDEX skus_tiktok ON skus (shop_id, tiktok_sku_id) WHERE tiktok_sku_id IS NOT NULL;
COMMENT ON TABLE skus IS 'One variant: links between feed, VTEX and TikTok, and both sides of price and stock';

CREATE TABLE sku_links (
    client_id     text NOT NULL,
    tiktok_sku_id text NOT NULL,
    shop_id       text NOT NULL DEFAULT '',
    seller_sku    text,
    product_name  text,
    vtex_sku_id   text,
    linked_by     text,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    linked_at     timestamptz,
    PRIMARY KEY (client_id, tiktok_sku_id)
);
COMMENT ON TABLE sku_links IS 'TikTok SKUs that orders named and no product of ours explains; a person links them to VTEX';

CREATE TABLE images (
    shop_id      text NOT NULL,
    content_hash bytea NOT NULL,
    use_case     text NOT NULL,
    client_id    text NOT NULL,
    uri          text NOT NULL,
    url          text,
    width        integer,
    height       integer,
    bytes        bigint,
    uploaded_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, content_hash, use_case)
);
COMMENT ON TABLE images IS 'Uploads by content (SHA-256): the same bytes are never uploaded twice for a use';

CREATE TABLE image_sources (
    shop_id      text NOT NULL,
    url          text NOT NULL,
    client_id    text NOT NULL,
    content_hash bytea,
    problem      text,
    checked_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, url)
);
COMMENT ON TABLE image_sources IS 'Which content an address of the merchant held when it was last fetched';

CREATE TABLE tiktok_brands (
    client_id       text NOT NULL,
    name_key        text NOT NULL,
    name            text NOT NULL,
    vtex_brand_id   text,
    tiktok_brand_id text,
    chosen_by       text NOT NULL DEFAULT 'none',
    authorized      text,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (client_id, name_key)
);
COMMENT ON TABLE tiktok_brands IS 'Merchant brands and TikTok''s; name_key is lower case without accents';

CREATE TABLE taxonomy_tiktok (
    client_id          text NOT NULL,
    source_category    text NOT NULL,
    tiktok_category_id text,
    attributes         jsonb NOT NULL DEFAULT '{}',
    chosen_by          text NOT NULL DEFAULT 'mapping' CHECK (chosen_by IN ('mapping', 'recommendation')),
    updated_by         text,
    updated_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (client_id, source_category)
);
COMMENT ON TABLE taxonomy_tiktok IS 'Source category to TikTok category, fixed attributes, and how it was chosen';

CREATE TABLE tiktok_categories (
    shop_id     text NOT NULL,
    category_id text NOT NULL,
    client_id   text NOT NULL,
    rules       jsonb,
    attributes  jsonb,
    fetched_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, category_id)
);
COMMENT ON TABLE tiktok_categories IS 'Cached rules and attributes of the categories a shop uses; refreshed daily';

CREATE TABLE listing_prerequisites (
    shop_id    text PRIMARY KEY,
    client_id  text NOT NULL,
    problems   jsonb NOT NULL DEFAULT '[]',
    checked_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE listing_prerequisites IS 'What of a shop''s setup blocks listing, as TikTok last said';

CREATE TABLE tiktok_log_product (
    client_id     text NOT NULL,
    id            bigint GENERATED BY DEFAULT AS IDENTITY,
    at            timestamptz NOT NULL DEFAULT now(),
    shop_id       text NOT NULL,
    entity        text NOT NULL,
    old           text,
    new           text,
    outcome       text NOT NULL,
    platform_code text,
    request_id    text,
    run_id        text,
    message       text,
    PRIMARY KEY (client_id, id, at)
) PARTITION BY RANGE (at);
COMMENT ON TABLE tiktok_log_product IS 'What happened to products';
CREATE TABLE tiktok_log_price (LIKE tiktok_log_product INCLUDING ALL) PARTITION BY RANGE (at);
COMMENT ON TABLE tiktok_log_price IS 'Price updates per run and product';
CREATE TABLE tiktok_log_price_product (LIKE tiktok_log_product INCLUDING ALL, inputs jsonb) PARTITION BY RANGE (at);
COMMENT ON TABLE tiktok_log_price_product IS 'Price updates per SKU: old, new, inputs and rules';
CREATE TABLE tiktok_log_stock (LIKE tiktok_log_product INCLUDING ALL, inputs jsonb) PARTITION BY RANGE (at);
COMMENT ON TABLE tiktok_log_stock IS 'Stock updates per SKU';

SELECT connector_partitions(t, 2) FROM unnest(ARRAY['tiktok_log_product', 'tiktok_log_price',
    'tiktok_log_price_product', 'tiktok_log_stock']) AS t;

CALL connector_guard('feed_snapshots');
CALL connector_guard('feed_items');
CALL connector_guard('products');
CALL connector_guard('skus');
CALL connector_guard('sku_links');
CALL connector_guard('images');
CALL connector_guard('image_sources');
CALL connector_guard('tiktok_brands');
CALL connector_guard('taxonomy_tiktok');
CALL connector_guard('tiktok_categories');
CALL connector_guard('listing_prerequisites');
CALL connector_guard('tiktok_log_product');
CALL connector_guard('tiktok_log_price');
CALL connector_guard('tiktok_log_price_product');
CALL connector_guard('tiktok_log_stock');
