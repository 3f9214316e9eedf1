/* package.c - the rows of packages: what TikTok says of each, how it is to be shipped, what VTEX was told. */
#include "db_fulfil.h"

#include <stdlib.h>

#include "str.h"

static void cell(char *dst, size_t cap, const struct db_rows *rows, int row, const char *column)
{
    const char *text = db_text(rows, row, column);

    str_copy_cut(dst, cap, text != NULL ? text : "");
}

void db_package_list_free(struct package *list, int n)
{
    for (int i = 0; i < n; i++) {
        json_decref(list[i].order_ids);
        json_decref(list[i].skus);
        json_decref(list[i].how);
    }
    free(list);
}

static void row_read(const struct db_rows *rows, int i, struct package *p)
{
    cell(p->package_id, sizeof p->package_id, rows, i, "package_id");
    cell(p->state, sizeof p->state, rows, i, "state");
    cell(p->shipping_type, sizeof p->shipping_type, rows, i, "shipping_type");
    cell(p->delivery_option_id, sizeof p->delivery_option_id, rows, i, "delivery_option_id");
    cell(p->tracking_number, sizeof p->tracking_number, rows, i, "tracking_number");
    cell(p->carrier, sizeof p->carrier, rows, i, "carrier");
    cell(p->provider_id, sizeof p->provider_id, rows, i, "provider_id");
    cell(p->ship_state, sizeof p->ship_state, rows, i, "ship_state");
    cell(p->ship_by, sizeof p->ship_by, rows, i, "ship_by");
    cell(p->ship_reason, sizeof p->ship_reason, rows, i, "ship_reason");
    cell(p->vtex_tracking, sizeof p->vtex_tracking, rows, i, "vtex_tracking");
    cell(p->vtex_events, sizeof p->vtex_events, rows, i, "vtex_events");
    p->ship_us = db_time(rows, i, "ship_at");
    p->ship_code = db_i64(rows, i, "ship_code");
    p->order_ids = db_json_new(rows, i, "orders");
    p->skus = db_json_new(rows, i, "skus");
    p->how = db_json_new(rows, i, "ship_request");
}

enum rc db_package_list(struct db_tx *tx, const char *shop_id, const char *order_id,
                        struct package **out, int *n, struct err *e)
{
    static const char sql[] =
        "SELECT package_id, state, shipping_type, delivery_option_id, tracking_number, carrier, provider_id,"
        " ship_state, ship_by, ship_reason, vtex_tracking, vtex_events, ship_at, ship_code,"
        " to_jsonb(order_ids) AS orders, skus, ship_request FROM packages"
        " WHERE shop_id = $1 AND order_ids @> ARRAY[$2] AND NOT gone ORDER BY created_at, package_id";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = DB_ARGS;
    struct package *list;
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, order_id);
    rc = db_exec(tx, sql, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    list = calloc((size_t)db_rows_count(rows) + 1, sizeof *list);
    if (list == NULL)
        return err_set(e, RC_DOWN, "out of memory");
    for (int i = 0; i < db_rows_count(rows); i++)
        row_read(rows, i, &list[i]);
    *out = list;
    *n = db_rows_count(rows);
    return RC_OK;
}

enum rc db_package_store(struct db_tx *tx, const struct package_facts *f, struct err *e)
{
    static const char sql[] =
        "INSERT INTO packages AS p (shop_id, package_id, client_id, order_ids, state, shipping_type,"
        " delivery_option_id, tracking_number, carrier, provider_id, skus, updated_s)"
        " VALUES ($1, $2, $3, ARRAY(SELECT jsonb_array_elements_text($4::jsonb)), coalesce($5, 'TO_FULFILL'),"
        " coalesce($6, ''), coalesce($7, ''), coalesce($8, ''), coalesce($9, ''), coalesce($10, ''),"
        " coalesce($11::jsonb, '[]'), $12::bigint)"
        " ON CONFLICT (shop_id, package_id) DO UPDATE SET order_ids = ARRAY(SELECT DISTINCT x FROM"
        "  unnest(CASE WHEN $12::bigint > 0 THEN excluded.order_ids ELSE p.order_ids || excluded.order_ids END) x),"
        " state = coalesce($5, p.state), shipping_type = coalesce($6, p.shipping_type),"
        " delivery_option_id = coalesce($7, p.delivery_option_id),"
        " tracking_number = coalesce(nullif($8, ''), p.tracking_number),"
        " carrier = coalesce(nullif($9, ''), p.carrier), provider_id = coalesce(nullif($10, ''), p.provider_id),"
        " skus = coalesce($11::jsonb, p.skus), updated_s = greatest(p.updated_s, $12::bigint), gone = false,"
        " ship_state = CASE WHEN coalesce($5, p.state) IN ('PROCESSING', 'FULFILLING', 'COMPLETED')"
        "  THEN 'arranged' ELSE p.ship_state END, updated_at = now()"
        " WHERE $12::bigint = 0 OR $12::bigint >= p.updated_s";
    struct db_args a = DB_ARGS;

    db_arg_text(&a, f->shop_id);
    db_arg_text(&a, f->package_id);
    db_arg_text(&a, f->client_id);
    db_arg_json(&a, f->order_ids);
    db_arg_text(&a, f->state);
    db_arg_text(&a, f->shipping_type);
    db_arg_text(&a, f->delivery_option_id);
    db_arg_text(&a, f->tracking_number);
    db_arg_text(&a, f->carrier);
    db_arg_text(&a, f->provider_id);
    db_arg_json(&a, f->skus);
    db_arg_i64(&a, f->updated_s);
    return db_exec(tx, sql, &a, NULL, e);
}

enum rc db_package_only(struct db_tx *tx, const char *shop_id, const char *order_id,
                        const json_t *package_ids, struct err *e)
{
    static const char sql[] =
        "UPDATE packages SET gone = true, updated_at = now() WHERE shop_id = $1 AND order_ids @> ARRAY[$2]"
        " AND NOT gone AND NOT package_id = ANY (ARRAY(SELECT jsonb_array_elements_text($3::jsonb)))";
    struct db_args a = DB_ARGS;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, order_id);
    db_arg_json(&a, package_ids);
    return db_exec(tx, sql, &a, NULL, e);
}

enum rc db_package_ask(struct db_tx *tx, const char *shop_id, const char *package_id,
                       const json_t *how, const char *by, struct err *e)
{
    static const char sql[] =
        "UPDATE packages SET ship_state = CASE WHEN ship_state IN ('sent', 'arranged') THEN ship_state ELSE 'asked'"
        " END, ship_request = $3::jsonb, ship_by = $4, ship_code = NULL, ship_reason = NULL, updated_at = now()"
        " WHERE shop_id = $1 AND package_id = $2";
    struct db_args a = DB_ARGS;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, package_id);
    db_arg_json(&a, how);
    db_arg_text(&a, by);
    return db_exec(tx, sql, &a, NULL, e);
}

enum rc db_package_ship_set(struct db_tx *tx, const char *shop_id, const char *package_id,
                            const char *ship_state, int64_t code, const char *reason, struct err *e)
{
    static const char sql[] =
        "UPDATE packages SET ship_state = $3, ship_at = clock_timestamp(), ship_code = nullif($4::bigint, 0),"
        " ship_reason = $5, updated_at = now() WHERE shop_id = $1 AND package_id = $2";
    /* TikTok gives no label before that: what it said then is over. */
    static const char labels[] =
        "DELETE FROM package_labels WHERE shop_id = $1 AND package_id = $2 AND state = 'refused'"
        " AND $3 = 'arranged'";
    struct db_args a = DB_ARGS;
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, package_id);
    db_arg_text(&a, ship_state);
    db_arg_i64(&a, code);
    db_arg_text(&a, reason);
    rc = db_exec(tx, sql, &a, NULL, e);
    if (rc != RC_OK)
        return rc;
    a = (struct db_args)DB_ARGS;
    db_arg_text(&a, shop_id);
    db_arg_text(&a, package_id);
    db_arg_text(&a, ship_state);
    return db_exec(tx, labels, &a, NULL, e);
}

enum rc db_package_told(struct db_tx *tx, const char *shop_id, const char *package_id,
                        const char *tracking, const char *events, struct err *e)
{
    static const char sql[] =
        "UPDATE packages SET vtex_tracking = coalesce($3, vtex_tracking), vtex_events = coalesce($4, vtex_events),"
        " updated_at = now() WHERE shop_id = $1 AND package_id = $2";
    struct db_args a = DB_ARGS;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, package_id);
    db_arg_text(&a, tracking);
    db_arg_text(&a, events);
    return db_exec(tx, sql, &a, NULL, e);
}
