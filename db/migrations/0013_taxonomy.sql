-- TikTok's category tree as a shop sees it.

ALTER TABLE shops ADD COLUMN categories_at timestamptz;
COMMENT ON COLUMN shops.categories_at IS 'When the category tree was read last; NULL = not yet';

CREATE TABLE tiktok_category_tree (
    shop_id     text NOT NULL,
    category_id text NOT NULL,
    client_id   text NOT NULL,
    parent_id   text NOT NULL,
    name        text NOT NULL,
    path        text NOT NULL,
    is_leaf     boolean NOT NULL,
    available   boolean NOT NULL,
    permissions text NOT NULL DEFAULT '',
    seen_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, category_id)
);
COMMENT ON TABLE tiktok_category_tree IS 'The categories that TikTok names to a shop; replaced as a whole, daily';
COMMENT ON COLUMN tiktok_category_tree.path IS 'Names from the root on: "Moda > Camisetas"';
COMMENT ON COLUMN tiktok_category_tree.available IS 'The shop may list there (if the category is a leaf)';
COMMENT ON COLUMN tiktok_category_tree.permissions IS 'permission_statuses as TikTok words them, with commas';
COMMENT ON COLUMN tiktok_category_tree.seen_at IS 'When the row last changed';

CREATE INDEX tiktok_category_tree_client ON tiktok_category_tree (client_id, category_id);

CREATE INDEX products_category ON products (shop_id, tiktok_category_id) WHERE tiktok_category_id IS NOT NULL;
CREATE INDEX products_source_category ON products (client_id, source_category text_pattern_ops);

CALL connector_guard('tiktok_category_tree');
