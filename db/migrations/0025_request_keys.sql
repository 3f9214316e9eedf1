-- A request that asks for work and is sent again with its Idempotency-Key gets the first answer, whatever it asked for.

CREATE TABLE request_keys (
    client_id text NOT NULL,
    key       text NOT NULL,
    digest    bytea NOT NULL,
    status    integer NOT NULL,
    location  text,
    body      text,
    at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (client_id, key)
);
COMMENT ON TABLE request_keys IS 'Answers to requests that came with an Idempotency-Key; kept for RETENTION_DAYS';
COMMENT ON COLUMN request_keys.client_id IS 'Client of the path; * for paths without one';
COMMENT ON COLUMN request_keys.key IS 'Idempotency-Key';
COMMENT ON COLUMN request_keys.digest IS 'SHA-256 of the request: address and body';
COMMENT ON COLUMN request_keys.status IS 'HTTP status of the first answer';
COMMENT ON COLUMN request_keys.location IS 'Location of the first answer';
COMMENT ON COLUMN request_keys.body IS 'JSON of the first answer';
COMMENT ON COLUMN request_keys.at IS 'When the first request came';
CREATE INDEX request_keys_at ON request_keys (at);
CALL connector_guard('request_keys');

INSERT INTO request_keys (client_id, key, digest, status, location, at)
    SELECT client_id, idempotency_key, request_digest, 202, '/v1/runs/' || id, created_at FROM sync_runs
    WHERE idempotency_key IS NOT NULL AND request_digest IS NOT NULL;
ALTER TABLE sync_runs DROP COLUMN idempotency_key, DROP COLUMN request_digest;
