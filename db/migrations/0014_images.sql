-- Further pictures of the merchant's catalogue, and what became of pictures that cannot be used.

CREATE TABLE sku_images (
    shop_id     text NOT NULL,
    seller_sku  text NOT NULL,
    client_id   text NOT NULL,
    vtex_sku_id text NOT NULL,
    urls        jsonb NOT NULL DEFAULT '[]',
    read_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, seller_sku)
);
COMMENT ON TABLE sku_images IS 'Pictures that VTEX has of a SKU, beside those of the feed';
COMMENT ON COLUMN sku_images.urls IS 'Addresses of the originals, the main one first, then by position: ["https://..."]';
COMMENT ON COLUMN sku_images.read_at IS 'When VTEX last said so';

ALTER TABLE images ALTER COLUMN uri DROP NOT NULL,
    ADD COLUMN problem_code text,
    ADD COLUMN problem text,
    ADD COLUMN converted boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT images_end CHECK ((uri IS NULL) = (problem IS NOT NULL));
COMMENT ON TABLE images IS 'What became of a picture by the content (SHA-256) of the merchant''s file: the same file is never converted or uploaded twice for a use';
COMMENT ON COLUMN images.uri IS 'Of the upload; NULL when the file cannot be used';
COMMENT ON COLUMN images.problem IS 'Why the file cannot be used for this; looked at again after some days';
COMMENT ON COLUMN images.converted IS 'TikTok got a converted picture, not the file itself';
COMMENT ON COLUMN images.bytes IS 'Of what was uploaded';

CALL connector_guard('sku_images');
