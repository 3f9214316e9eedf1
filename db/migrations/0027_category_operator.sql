-- A product's category may have been chosen by a person in Seller Center.

ALTER TABLE products DROP CONSTRAINT products_category_chosen_by_check;
ALTER TABLE products ADD CONSTRAINT products_category_chosen_by_check
    CHECK (category_chosen_by IN ('mapping', 'recommendation', 'operator', 'none'));
COMMENT ON COLUMN products.category_chosen_by IS 'mapping: the taxonomy; recommendation: TikTok''s proposal or where an adopted product stood; operator: a person in Seller Center';
