-- Two things that a run's counters rest on.

ALTER TABLE sync_runs ADD COLUMN untouched bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN sync_runs.untouched IS 'Part of unchanged: products that the feed asks nothing for, counted apart so that finding it again does not undo what products counted themselves';

ALTER TABLE jobs ADD COLUMN claimed_run_id text;
COMMENT ON COLUMN jobs.claimed_run_id IS 'Run that the running claim counts in; run_id may have moved on to a newer one since';
