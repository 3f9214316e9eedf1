-- Jobs of a client are found through its shops: one index less to write for each event that comes in.
DROP INDEX jobs_client;
