-- Items of the feed being applied, between finding the differences and applying them product by product.

CREATE UNLOGGED TABLE feed_stage (
    shop_id   text NOT NULL,
    source_id text COLLATE "C" NOT NULL,
    item_id   text COLLATE "C" NOT NULL,
    client_id text NOT NULL,
    hash      uuid NOT NULL,
    position  bigint NOT NULL,
    PRIMARY KEY (shop_id, source_id, item_id)
);
CREATE INDEX feed_stage_order ON feed_stage (shop_id, source_id, position);
COMMENT ON TABLE feed_stage IS 'All items of products that differ from the last accepted feed; scratch of one run, emptied by the next';
COMMENT ON COLUMN feed_stage.position IS 'Where the item stands in the spool file of the run; -1 = no longer in the feed under this product';

CALL connector_guard('feed_stage');
