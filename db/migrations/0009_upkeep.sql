-- Partitions that are made although the default partition holds rows of their month, and that are dropped when old.

CREATE FUNCTION connector_partition_make(tbl text, month date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    part text := tbl || to_char(month, '_YYYYMM');
    low timestamptz := month::timestamp AT TIME ZONE 'UTC';
    high timestamptz := (month + interval '1 month')::timestamp AT TIME ZONE 'UTC';
    col text;
BEGIN
    IF to_regclass(quote_ident(part)) IS NOT NULL THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', part, tbl, low, high);
EXCEPTION WHEN check_violation THEN
    SELECT a.attname INTO col FROM pg_partitioned_table p
        JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
        WHERE p.partrelid = to_regclass(quote_ident(tbl));
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part, tbl);
    EXECUTE format('WITH moved AS (DELETE FROM %I WHERE %I >= %L AND %I < %L RETURNING *) INSERT INTO %I SELECT * FROM moved',
        tbl || '_rest', col, low, col, high, part);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', tbl, part, low, high);
END $$;
COMMENT ON FUNCTION connector_partition_make(text, date) IS 'Makes the partition of one month; rows that went to the default partition move';

CREATE OR REPLACE FUNCTION connector_partitions(tbl text, months_ahead integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    first date := date_trunc('month', now() AT TIME ZONE 'UTC')::date;
BEGIN
    EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF %I DEFAULT', tbl || '_rest', tbl);
    FOR i IN 0..months_ahead LOOP
        PERFORM connector_partition_make(tbl, (first + make_interval(months => i))::date);
    END LOOP;
END $$;

CREATE FUNCTION connector_partitions_drop(tbl text, keep_days integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    part record;
    dropped integer := 0;
BEGIN
    FOR part IN SELECT c.oid::regclass AS name, right(c.relname, 6) AS month
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = to_regclass(quote_ident(tbl)) AND c.relname ~ '_[0-9]{6}$' LOOP
        IF (to_date(part.month, 'YYYYMM') + interval '1 month')::timestamp AT TIME ZONE 'UTC'
            < now() - make_interval(days => keep_days) THEN
            EXECUTE format('DROP TABLE %s', part.name);
            dropped := dropped + 1;
        END IF;
    END LOOP;
    RETURN dropped;
END $$;
COMMENT ON FUNCTION connector_partitions_drop(text, integer) IS 'Drops the partitions whose last row is older than that';
