-- How amounts and times read in answers; where an exchange got to.

CREATE FUNCTION connector_time(t timestamptz) RETURNS text LANGUAGE sql STABLE
    AS $$ SELECT to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') $$;
COMMENT ON FUNCTION connector_time(timestamptz) IS 'RFC 3339 in UTC with milliseconds; NULL stays NULL';

CREATE FUNCTION connector_amount(minor bigint) RETURNS text LANGUAGE sql IMMUTABLE
    AS $$ SELECT to_char(minor / 100.0, 'FM999999999990.00') $$;
COMMENT ON FUNCTION connector_amount(bigint) IS 'Decimal text of minor units; NULL stays NULL';

ALTER TABLE oauth_exchanges ADD COLUMN open_id text;
COMMENT ON COLUMN oauth_exchanges.open_id IS 'Grant that the code became; set together with its tokens';
