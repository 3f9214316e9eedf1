-- A trigger that is sent again with its Idempotency-Key gets the run of the first time.

ALTER TABLE sync_runs ADD COLUMN idempotency_key text, ADD COLUMN request_digest bytea;
CREATE UNIQUE INDEX sync_runs_idempotency ON sync_runs (client_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
COMMENT ON COLUMN sync_runs.idempotency_key IS 'Idempotency-Key of the request that opened the run';
COMMENT ON COLUMN sync_runs.request_digest IS 'SHA-256 of that request: address and body';
