/* order_erase.c - forgets a buyer: the sealed documents of their orders go, the orders stay. */
#include "db_order_erase.h"

#include "str.h"

enum rc db_order_buyer_erase(struct db_tx *tx, const char *client_id, const char *order_id,
                             const char *who, int64_t *erased, char record_id[64], struct err *e)
{
    static const char sql[] =
        "WITH named AS (SELECT shop_id, order_id, buyer_digest FROM tiktok_orders WHERE client_id = $1"
        "  AND order_id = $2),"
        " gone AS (UPDATE tiktok_orders t SET document = NULL, buyer_digest = NULL, buyer_erased_at = now(),"
        "  updated_at = now() FROM named n WHERE t.client_id = $1 AND t.buyer_erased_at IS NULL"
        "  AND ((t.shop_id = n.shop_id AND t.order_id = n.order_id) OR t.buyer_digest = n.buyer_digest)"
        "  RETURNING t.shop_id, t.order_id),"
        " line AS (INSERT INTO order_timeline (client_id, shop_id, order_id, at, event, detail, by)"
        "  SELECT $1, shop_id, order_id, clock_timestamp(), 'buyer_erased', '', 'operator' FROM gone),"
        " record AS (INSERT INTO buyer_erasures (client_id, order_ids, requested_by)"
        "  SELECT $1, coalesce((SELECT array_agg(order_id) FROM gone), '{}'), $3"
        "  WHERE EXISTS (SELECT FROM named) RETURNING record_id)"
        " SELECT record_id, (SELECT count(*) FROM gone) AS n FROM record";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_text(&a, order_id);
    db_arg_text(&a, who);
    rc = db_exec(tx, sql, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0 || !str_copy(record_id, 64, db_text(rows, 0, "record_id")))
        return err_code(e, RC_NOT_FOUND, "order_not_found", "order %s is not known", order_id);
    *erased = db_i64(rows, 0, "n");
    return RC_OK;
}
