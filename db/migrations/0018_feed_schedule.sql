-- Feeds that are read by the clock, and one reader of a shop's feeds at a time.

ALTER TABLE feed_snapshots ADD COLUMN looked_at timestamptz, ADD COLUMN turns_at timestamptz;
COMMENT ON COLUMN feed_snapshots.content_hash IS 'Of the file with the settings that read it; NULL while products differ from it: a feed is being applied, or a given comparison changed some';
COMMENT ON COLUMN feed_snapshots.looked_at IS 'When the clock last asked for a reading';
COMMENT ON COLUMN feed_snapshots.turns_at IS 'When the same file begins to mean something else: a sale begins or ends, an item expires; NULL = never';

CREATE TABLE feed_readers (
    shop_id   text PRIMARY KEY,
    client_id text NOT NULL,
    job_id    bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE feed_readers IS 'Job that may read and apply a feed of the shop; counts while that job runs';
CALL connector_guard('feed_readers');
