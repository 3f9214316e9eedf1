-- A test shop of a client, and what of a client's catalog is kept as it is on TikTok.

ALTER TABLE clients ADD COLUMN sandbox_shop_id text CHECK (sandbox_shop_id ~ '^[0-9]{1,40}$');
COMMENT ON COLUMN clients.sandbox_shop_id IS 'Shop for trying things out: never the one that the catalog goes to, its orders are never placed';

CREATE TABLE sync_switches (
    client_id  text NOT NULL,
    scope      text NOT NULL CHECK (scope IN ('category', 'product', 'sku')),
    key        text NOT NULL,
    text       boolean,
    images     boolean,
    price      boolean,
    stock      boolean,
    activation boolean,
    updated_by text NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (client_id, scope, key)
);
COMMENT ON TABLE sync_switches IS 'Exceptions from the client''s policies.sync: what of a category, a product or a SKU is brought to TikTok';
COMMENT ON COLUMN sync_switches.key IS 'Source category ("Moda > Camisetas", holds for what is below it too), source id or seller SKU';
COMMENT ON COLUMN sync_switches.text IS 'NULL here and in the next columns: as the next wider scope says';

ALTER TABLE products ADD COLUMN kept_back jsonb NOT NULL DEFAULT '[]';
ALTER TABLE products ADD COLUMN images_sent text;
ALTER TABLE skus ADD COLUMN kept_back jsonb NOT NULL DEFAULT '[]';
COMMENT ON COLUMN products.kept_back IS 'Changes that a switch keeps from TikTok: [{"what", "by", "key"}]';
COMMENT ON COLUMN products.images_sent IS 'Digest of the picture addresses that the pictures on TikTok were made of';
COMMENT ON COLUMN skus.kept_back IS 'The same of one SKU';
CREATE INDEX products_kept_back ON products (client_id, shop_id, source_id) WHERE kept_back <> '[]';
CREATE INDEX skus_kept_back ON skus (client_id, shop_id, source_id) WHERE kept_back <> '[]';

CALL connector_guard('sync_switches');
