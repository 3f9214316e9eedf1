-- Whether a product should be on sale, apart from what it should look like; removals and feeds that wait for a person.

ALTER TABLE products
    ADD COLUMN shelf text NOT NULL DEFAULT 'on' CHECK (shelf IN ('on', 'off', 'gone')),
    ADD COLUMN shelf_by text NOT NULL DEFAULT 'feed' CHECK (shelf_by IN ('feed', 'operator')),
    ADD COLUMN shelf_run_id text,
    ADD COLUMN shelf_due_at timestamptz,
    ADD COLUMN shelf_tries integer NOT NULL DEFAULT 0,
    ADD COLUMN removal_run_id text;
COMMENT ON COLUMN products.shelf IS 'Where the product should be: on sale, off sale (deactivated), or gone (deleted at TikTok)';
COMMENT ON COLUMN products.shelf_by IS 'Who decided that; what an operator decided, no feed undoes';
COMMENT ON COLUMN products.shelf_run_id IS 'Run that waits for the product to be taken off sale';
COMMENT ON COLUMN products.shelf_due_at IS 'When TikTok is to be told (again); NULL = it was, or it refused for good';
COMMENT ON COLUMN products.shelf_tries IS 'Refusals in a row that may pass';
COMMENT ON COLUMN products.removal_run_id IS 'Run that holds the removal for approval; once that run was cancelled: a person wants it kept';
COMMENT ON COLUMN products.absent_feeds IS 'Complete feeds in a row that did not have the product';

CREATE INDEX products_absent ON products (shop_id, source_id) WHERE NOT in_feed;
CREATE INDEX products_shelf ON products (shop_id, shelf_due_at) WHERE shelf_due_at IS NOT NULL;

ALTER TABLE sync_runs ADD COLUMN approved_at timestamptz, ADD COLUMN approved_by text;
COMMENT ON COLUMN sync_runs.approved_at IS 'When a person released what the run held';
