-- The record of an erasure belongs to its client, and begins with it like every key.

ALTER TABLE buyer_erasures DROP CONSTRAINT buyer_erasures_pkey, ADD PRIMARY KEY (client_id, record_id);
