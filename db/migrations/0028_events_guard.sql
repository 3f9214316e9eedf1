-- Raw notifications belong to the client of their shop, too.

CREATE PROCEDURE connector_guard_shop(tbl regclass) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', tbl);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', tbl);
    EXECUTE format('CREATE POLICY tenant ON %s USING (connector_tenant() = ''*'' OR shop_id IN (SELECT shop_id FROM shops))', tbl);
END $$;
COMMENT ON PROCEDURE connector_guard_shop(regclass) IS 'Adds the tenant policy to a table that knows only the shop';

CALL connector_guard_shop('events');
CALL connector_guard_shop('event_keys');
