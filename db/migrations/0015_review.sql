-- What TikTok says of a product in its own words, and the notifications that say why.

ALTER TABLE products ADD COLUMN tiktok_status text;
COMMENT ON COLUMN products.tiktok_status IS 'State of the product as TikTok names it (ACTIVATE, FAILED, FREEZE, ...); NULL until it was read';

CREATE INDEX events_product ON events (shop_id, entity, received_at) WHERE topic IN (5, 15, 37);
