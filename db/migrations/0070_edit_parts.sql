-- What TikTok may not hold although it was sent: an edit whose answer was lost, and edits that no review has passed.

ALTER TABLE products
    ADD COLUMN edit_sent jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN edit_unreviewed jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN products.edit_sent IS 'Members of an edit whose end is not known, as keys: they are sent again whatever was published';
COMMENT ON COLUMN products.edit_unreviewed IS 'Members of acknowledged edits that no review has passed yet, as keys: a refused review takes back all of them, so the next edit brings them again';
