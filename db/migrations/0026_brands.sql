-- Brands of VTEX and TikTok: which custom ones were made when, and which products use which.

ALTER TABLE tiktok_brands ADD COLUMN custom_created_at timestamptz, ADD COLUMN problem jsonb, ADD COLUMN checked_at timestamptz;
COMMENT ON COLUMN tiktok_brands.custom_created_at IS 'When the connector created the brand on TikTok; counts against the limits of a day and in total';
COMMENT ON COLUMN tiktok_brands.problem IS 'Why no custom brand was created: {"code", "message"}';
COMMENT ON COLUMN tiktok_brands.checked_at IS 'When TikTok was last asked for the brand, or a person chose; NULL = only VTEX named it';
CREATE INDEX tiktok_brands_custom ON tiktok_brands (client_id, custom_created_at) WHERE custom_created_at IS NOT NULL;

ALTER TABLE products ADD COLUMN brand_key text;
COMMENT ON COLUMN products.brand_key IS 'name_key of tiktok_brands that the product was published with';
CREATE INDEX products_brand ON products (client_id, brand_key) WHERE brand_key IS NOT NULL;
