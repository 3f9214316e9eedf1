-- Service-level times of orders.

ALTER TABLE tiktok_orders ADD COLUMN deadlines jsonb NOT NULL DEFAULT '[]';
COMMENT ON COLUMN tiktok_orders.deadlines IS 'Service-level times that TikTok names: [{"name", "at" (unix seconds), "until" (TikTok statuses in which it runs)}]';
