-- What TikTok holds of each shop's catalog, whoever listed it, and products that were taken over from there.

CREATE TABLE tiktok_catalog (
    shop_id             text NOT NULL,
    tiktok_product_id   text NOT NULL,
    client_id           text NOT NULL,
    title               text NOT NULL DEFAULT '',
    status              text NOT NULL DEFAULT '',
    external_product_id text,
    listed_at           timestamptz,
    changed_at          timestamptz,
    detail_at           timestamptz,
    first_seen_at       timestamptz NOT NULL DEFAULT now(),
    seen_at             timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, tiktok_product_id)
);
CREATE INDEX tiktok_catalog_external ON tiktok_catalog (shop_id, external_product_id) WHERE external_product_id IS NOT NULL;
CREATE INDEX tiktok_catalog_undetailed ON tiktok_catalog (shop_id, tiktok_product_id) WHERE detail_at IS NULL;
COMMENT ON TABLE tiktok_catalog IS 'Products that a shop has on TikTok as its listing showed them last; deleted ones are not kept';
COMMENT ON COLUMN tiktok_catalog.external_product_id IS 'Id in another system as the product itself says; the listing does not show it';
COMMENT ON COLUMN tiktok_catalog.listed_at IS 'When TikTok made the product';
COMMENT ON COLUMN tiktok_catalog.changed_at IS 'Last change as the listing says';
COMMENT ON COLUMN tiktok_catalog.detail_at IS 'When the product itself was read for its external ids; NULL = not since it changed';
COMMENT ON COLUMN tiktok_catalog.seen_at IS 'When it stood in an answer of TikTok last';

CREATE TABLE tiktok_catalog_skus (
    shop_id           text NOT NULL,
    tiktok_sku_id     text NOT NULL,
    client_id         text NOT NULL,
    tiktok_product_id text NOT NULL,
    seller_sku        text,
    external_sku_id   text,
    price_minor       bigint,
    currency          text,
    inventory         jsonb NOT NULL DEFAULT '[]',
    PRIMARY KEY (shop_id, tiktok_sku_id)
);
CREATE INDEX tiktok_catalog_skus_code ON tiktok_catalog_skus (shop_id, seller_sku) WHERE seller_sku IS NOT NULL;
CREATE INDEX tiktok_catalog_skus_product ON tiktok_catalog_skus (shop_id, tiktok_product_id);
CREATE INDEX tiktok_catalog_skus_client ON tiktok_catalog_skus (client_id, tiktok_sku_id);
COMMENT ON TABLE tiktok_catalog_skus IS 'SKUs of tiktok_catalog';
COMMENT ON COLUMN tiktok_catalog_skus.price_minor IS 'Price as the listing showed it; NULL where TikTok does not say';
COMMENT ON COLUMN tiktok_catalog_skus.inventory IS '[{"warehouse_id", "quantity"}] as the listing showed it';

CREATE TABLE tiktok_catalog_reads (
    shop_id    text PRIMARY KEY,
    client_id  text NOT NULL,
    read_at    timestamptz,
    full_at    timestamptz,
    listed_to  timestamptz,
    details_at timestamptz
);
COMMENT ON TABLE tiktok_catalog_reads IS 'How far tiktok_catalog of a shop can be trusted';
COMMENT ON COLUMN tiktok_catalog_reads.read_at IS 'When the listing was complete last';
COMMENT ON COLUMN tiktok_catalog_reads.full_at IS 'When the whole listing was read last, not only what is new';
COMMENT ON COLUMN tiktok_catalog_reads.listed_to IS 'Products that TikTok made before this moment are known';
COMMENT ON COLUMN tiktok_catalog_reads.details_at IS 'When the external ids of all products that no SKU code explains were known; NULL = not yet';

ALTER TABLE products ADD COLUMN adopted_at timestamptz;
COMMENT ON COLUMN products.adopted_at IS 'When a product that stood on TikTok already was linked; edits keep what people added to it';

CALL connector_guard('tiktok_catalog');
CALL connector_guard('tiktok_catalog_skus');
CALL connector_guard('tiktok_catalog_reads');

CREATE INDEX products_unlinked ON products (shop_id, source_id) WHERE tiktok_product_id IS NULL;
