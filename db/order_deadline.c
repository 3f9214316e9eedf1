/* order_deadline.c - what is lost next: service-level times of open orders, and answers that buyers wait for. */
#include "db_order.h"

enum rc db_order_deadlines(struct db_tx *tx, const char *client_id, int limit, json_t **items,
                           struct err *e)
{
    static const char sql[] =
        "SELECT coalesce(json_agg(json_build_object('order_id', l.order_id, 'shop_id', l.shop_id, 'name', l.name,"
        " 'at', to_char(to_timestamp(l.at) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), 'overdue',"
        " to_timestamp(l.at) < now(), 'state', l.state, 'tiktok_status', l.tiktok_status)"
        " ORDER BY l.at, l.order_id, l.name), '[]') AS doc FROM (SELECT * FROM ("
        " SELECT t.order_id, t.shop_id, d->>'name' AS name, (d->>'at')::bigint AS at, t.state, t.tiktok_status"
        "  FROM tiktok_orders t, jsonb_array_elements(t.deadlines) d WHERE t.client_id = $1"
        "  AND t.state NOT IN ('completed', 'cancelled', 'delivered') AND d->'until' ? t.tiktok_status"
        " UNION ALL SELECT a.order_id, a.shop_id, 'answer_' || a.kind, extract(epoch FROM a.deadline)::bigint,"
        "  coalesce(t.state, 'received'), coalesce(t.tiktok_status, '') FROM order_aftersales a"
        "  LEFT JOIN tiktok_orders t ON t.shop_id = a.shop_id AND t.order_id = a.order_id"
        "  WHERE a.client_id = $1 AND a.deadline IS NOT NULL AND (a.status LIKE '%PENDING'"
        "  OR a.status = 'BUYER_SHIPPED_ITEM')) u ORDER BY u.at, u.order_id LIMIT $2::bigint) l";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    json_t *doc;
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_i64(&a, limit);
    rc = db_exec(tx, sql, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    doc = db_json_new(rows, 0, "doc");
    if (!doc)
        return err_set(e, RC_DOWN, "out of memory");
    *items = doc;
    return RC_OK;
}
