-- Jobs whose worker died are looked for at every claim; they are few, what waits is much.

CREATE INDEX jobs_suspect ON jobs (shop_id, lane, due_at) WHERE state = 'ready' AND deaths > 0;
COMMENT ON INDEX jobs_suspect IS 'Ready jobs that were running when a worker died: run one at a time';
