-- What was really changed at TikTok, field by field, and values that a person holds against the source.

ALTER TABLE tiktok_log_product ADD COLUMN changes jsonb;
COMMENT ON COLUMN tiktok_log_product.changes IS 'Fields of the edit with whole old and new values and the rule that gave the new one: [{"field", "old", "new", "rule"}]';
CREATE INDEX tiktok_log_product_run ON tiktok_log_product (client_id, run_id, entity) WHERE run_id IS NOT NULL;
CREATE INDEX tiktok_log_price_product_run ON tiktok_log_price_product (client_id, run_id, entity) WHERE run_id IS NOT NULL;

ALTER TABLE sync_run_changes ADD COLUMN rule text, ADD COLUMN request_id text, ADD COLUMN reason text;
COMMENT ON COLUMN sync_run_changes.outcome IS 'planned (dry run), queued, waiting (for TikTok''s review), then published, unchanged, refused, held, superseded, skipped; would_refuse (dry run); warning';
COMMENT ON COLUMN sync_run_changes.rule IS 'What gave the new value: the source, the price rules in their order, the mapping, a person''s override';
COMMENT ON COLUMN sync_run_changes.request_id IS 'Of TikTok''s answer';
COMMENT ON COLUMN sync_run_changes.reason IS 'Why it was refused, held or left alone, for people';
CREATE INDEX sync_run_changes_open ON sync_run_changes (client_id, source_id) WHERE outcome IN ('queued', 'waiting');
CREATE INDEX sync_run_changes_source ON sync_run_changes (client_id, run_id, source_id);
CREATE INDEX sync_runs_reverts ON sync_runs (client_id, (params ->> 'run_id')) WHERE kind = 'revert';

CREATE TABLE product_overrides (
    client_id    text NOT NULL,
    id           bigint GENERATED ALWAYS AS IDENTITY,
    shop_id      text NOT NULL,
    source_id    text NOT NULL,
    seller_sku   text NOT NULL DEFAULT '',
    field        text NOT NULL CHECK (field IN ('title', 'description', 'images', 'attributes', 'price')),
    value        jsonb NOT NULL,
    source_value jsonb NOT NULL,
    reason       text NOT NULL CHECK (reason IN ('revert', 'proposal')),
    run_id       text,
    proposal_id  bigint,
    set_by       text NOT NULL,
    set_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, source_id, seller_sku, field)
);
CREATE UNIQUE INDEX product_overrides_id ON product_overrides (client_id, id);
COMMENT ON TABLE product_overrides IS 'Values that stand in for what feed or VTEX say, until those say something else or a person lifts them';
COMMENT ON COLUMN product_overrides.seller_sku IS 'For prices; empty for what belongs to the product';
COMMENT ON COLUMN product_overrides.value IS 'What is sent: text, the list of pictures or attributes as TikTok takes them, or a decimal amount';
COMMENT ON COLUMN product_overrides.source_value IS 'What the source gave when the value was set; once it gives anything else the override ends';
COMMENT ON COLUMN product_overrides.run_id IS 'Run that set it';

CALL connector_guard('product_overrides');
