/* dash_report.c - queries of the dashboard about time: what must be shipped when, and a client's week. */
#include "db_dash.h"

/* clang-format off */
static const char DEADLINES[] =
    "WITH mine AS (SELECT client_id, name FROM clients WHERE status = 'active'"
    " AND ($1::text IS NULL OR client_id = ANY (string_to_array($1, '+'))))"
    " SELECT coalesce(json_agg(doc), '[]') AS doc FROM (SELECT json_build_object('client_hash', m.client_id, 'client', m.name,"
    " 'order_id', o.order_id, 'vtex_order_id', o.vtex_order_id, 'state', o.state, 'tiktok_status', o.tiktok_status,"
    " 'ship_by', connector_time(o.ship_by), 'late', o.ship_by < now(), 'soon', o.ship_by < now() + interval '24 hours') AS doc"
    " FROM mine m, LATERAL (SELECT * FROM tiktok_orders t WHERE t.client_id = m.client_id AND t.ship_by IS NOT NULL"
    "  AND t.state IN ('received', 'on_hold', 'waiting_mapping', 'importing', 'in_doubt', 'imported', 'authorized',"
    "  'invoiced', 'failed') AND t.tiktok_status NOT IN ('IN_TRANSIT', 'DELIVERED', 'COMPLETED', 'CANCELLED')"
    "  ORDER BY t.ship_by LIMIT $2::bigint) o ORDER BY o.ship_by, o.order_id LIMIT $2::bigint) x";

/* $2: first day, $3: zone; seven days. */
static const char WEEK[] =
    "WITH span AS (SELECT ($2::date)::timestamp AT TIME ZONE $3 AS a, ($2::date + 7)::timestamp AT TIME ZONE $3 AS b),"
    " o AS (SELECT t.* FROM tiktok_orders t, span WHERE t.client_id = $1 AND t.created_at >= a AND t.created_at < b),"
    " days AS (SELECT d::date AS day FROM generate_series($2::date, $2::date + 6, interval '1 day') d)"
    " SELECT json_build_object('from', to_char($2::date, 'YYYY-MM-DD'), 'to', to_char($2::date + 6, 'YYYY-MM-DD'),"
    " 'before', to_char($2::date - 7, 'YYYY-MM-DD'), 'after', to_char($2::date + 7, 'YYYY-MM-DD'),"
    " 'orders', (SELECT count(*) FROM o), 'value', (SELECT connector_amount(coalesce(sum(total_minor), 0)::bigint) FROM o),"
    " 'cancelled', (SELECT count(*) FROM o WHERE state = 'cancelled'),"
    " 'stuck', (SELECT count(*) FROM o WHERE state IN ('failed', 'waiting_mapping', 'in_doubt')),"
    " 'minutes', (SELECT round(avg(extract(epoch FROM l.at - o.created_at)) / 60, 1)::text FROM o JOIN order_timeline l"
    "  ON l.shop_id = o.shop_id AND l.order_id = o.order_id AND l.event = 'authorized'),"
    " 'live', (SELECT count(*) FROM products WHERE client_id = $1 AND status = 'live'),"
    " 'refused', (SELECT count(*) FROM products WHERE client_id = $1 AND status IN ('rejected', 'held')),"
    " 'sent', (SELECT count(*) FROM tiktok_log_product, span WHERE client_id = $1 AND at >= a AND at < b),"
    " 'prices', (SELECT count(*) FROM tiktok_log_price_product, span WHERE client_id = $1 AND at >= a AND at < b),"
    " 'stocks', (SELECT count(*) FROM tiktok_log_stock, span WHERE client_id = $1 AND at >= a AND at < b),"
    " 'days', (SELECT json_agg(json_build_object('day', to_char(day, 'YYYY-MM-DD'), 'orders', n, 'failed', bad, 'value',"
    "  connector_amount(coalesce(value, 0)::bigint)) ORDER BY day) FROM days LEFT JOIN (SELECT (created_at AT TIME ZONE $3)::date"
    "  AS d, count(*) AS n, count(*) FILTER (WHERE state IN ('failed', 'waiting_mapping', 'in_doubt')) AS bad,"
    "  sum(total_minor) AS value FROM o GROUP BY 1) c ON c.d = day)) AS doc";
/* clang-format on */

static enum rc one_new(struct db_tx *tx, const char *sql, struct db_args *a, json_t **out,
                       struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc = db_exec(tx, sql, a, &rows, e);

    if (rc != RC_OK)
        return rc;
    *out = db_json_new(rows, 0, "doc");
    return *out != NULL ? RC_OK : err_set(e, RC_BUG, "no memory for a report");
}

enum rc db_dash_deadlines(struct db_tx *tx, const char *clients, int limit, json_t **out,
                          struct err *e)
{
    struct db_args a = DB_ARGS;

    db_arg_text(&a, clients);
    db_arg_i64(&a, limit);
    return one_new(tx, DEADLINES, &a, out, e);
}

enum rc db_dash_week(struct db_tx *tx, const char *client_id, const char *from, const char *zone,
                     json_t **out, struct err *e)
{
    struct db_args a = DB_ARGS;

    db_arg_text(&a, client_id);
    db_arg_text(&a, from);
    db_arg_text(&a, zone);
    return one_new(tx, WEEK, &a, out, e);
}
