-- A SKU that VTEX says is off sale, before what VTEX answers says so too.

ALTER TABLE value_notices ADD COLUMN off boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN value_notices.off IS 'The last notice said inactive or taken from the affiliate: stock 0 until the second look, whatever a cache answers';
