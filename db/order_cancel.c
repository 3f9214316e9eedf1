/* order_cancel.c - how far an order's cancellation got, and when the order in VTEX is read again. */
#include "db_aftersale.h"

#include "str.h"

enum rc db_order_cancel_set(struct db_tx *tx, const char *shop_id, const char *order_id,
                            const char *step, const char *by, const char *reason, struct err *e)
{
    static const char sql[] =
        "UPDATE tiktok_orders SET cancel_at = CASE WHEN cancel_step = $3 AND cancel_at IS NOT NULL"
        " THEN cancel_at ELSE clock_timestamp() END, cancel_step = $3,"
        " cancel_by = coalesce($4, cancel_by), cancel_reason = coalesce($5, cancel_reason),"
        " updated_at = now() WHERE shop_id = $1 AND order_id = $2";
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_text(&a, order_id);
    db_arg_text(&a, step);
    db_arg_text(&a, by);
    db_arg_text(&a, reason);
    return db_exec(tx, sql, &a, NULL, e);
}

enum rc db_order_units_set(struct db_tx *tx, const char *shop_id, const char *order_id,
                           int64_t units, struct err *e)
{
    static const char sql[] =
        "UPDATE tiktok_orders SET placed_units = $3 WHERE shop_id = $1 AND order_id = $2";
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_text(&a, order_id);
    db_arg_i64(&a, units);
    return db_exec(tx, sql, &a, NULL, e);
}

enum rc db_order_units_get(struct db_tx *tx, const char *shop_id, const char *order_id,
                           int64_t *units, struct err *e)
{
    static const char sql[] = "SELECT coalesce(placed_units, 0) AS units FROM tiktok_orders"
                              " WHERE shop_id = $1 AND order_id = $2";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, order_id);
    rc = db_exec(tx, sql, &a, &rows, e);
    if (rc == RC_OK)
        *units = db_rows_count(rows) > 0 ? db_i64(rows, 0, "units") : 0;
    return rc;
}

enum rc db_order_vtex_wake(struct db_tx *tx, const char *client_id, const char *shop_id,
                           const char *order_id, const char *by, struct err *e)
{
    static const char sql[] = "UPDATE tiktok_orders SET vtex_due_at = clock_timestamp()"
                              " WHERE shop_id = $1 AND order_id = $2";
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, order_id);
    rc = db_exec(tx, sql, &a, NULL, e);
    return rc == RC_OK ? db_order_import_put(tx, client_id, shop_id, order_id, by, NULL, 0, e) : rc;
}

enum rc db_order_vtex_seen(struct db_tx *tx, const char *shop_id, const char *order_id,
                           const char *vtex_status, int64_t seen_due_us, struct err *e)
{
    static const char sql[] =
        "UPDATE tiktok_orders SET vtex_read_at = clock_timestamp(), vtex_status = coalesce($3, vtex_status),"
        " vtex_due_at = CASE WHEN vtex_due_at <= $4::timestamptz THEN NULL ELSE vtex_due_at END"
        " WHERE shop_id = $1 AND order_id = $2";
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_text(&a, order_id);
    db_arg_text(&a, vtex_status);
    db_arg_time(&a, seen_due_us);
    return db_exec(tx, sql, &a, NULL, e);
}

enum rc db_order_vtex_recheck_put(struct db_tx *tx, const char *client_id, const char *shop_id,
                                  int64_t older_than_us, int limit, struct err *e)
{
    /* The mark keeps them from being found again before they were read. */
    static const char sql[] =
        "UPDATE tiktok_orders SET vtex_due_at = clock_timestamp(), vtex_read_at = clock_timestamp()"
        " WHERE shop_id = $1 AND order_id IN (SELECT order_id FROM tiktok_orders WHERE shop_id = $1"
        " AND client_id = $2 AND step = 'authorized' AND state IN ('authorized', 'invoiced')"
        " AND coalesce(vtex_read_at, step_at) < now() - $3::bigint * interval '1 microsecond'"
        " ORDER BY vtex_read_at NULLS FIRST LIMIT $4::bigint) RETURNING order_id";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, client_id);
    db_arg_i64(&a, older_than_us);
    db_arg_i64(&a, limit);
    rc = db_exec(tx, sql, &a, &rows, e);
    for (int i = 0; rc == RC_OK && i < db_rows_count(rows); i++)
        rc = db_order_import_put(tx, client_id, shop_id, db_text(rows, i, "order_id"), "poll", NULL,
                                 0, e);
    return rc;
}

enum rc db_order_vtex_find(struct db_tx *tx, const char *client_id, const char *id,
                           char shop_id[72], char order_id[ORDER_ID_BYTES], struct err *e)
{
    static const char sql[] =
        "SELECT shop_id, order_id FROM tiktok_orders WHERE client_id = $1"
        " AND (order_id = $2 OR vtex_order_id = $2) ORDER BY created_at DESC LIMIT 1";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_text(&a, id);
    rc = db_exec(tx, sql, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0 || !str_copy(shop_id, 72, db_text(rows, 0, "shop_id")) ||
        !str_copy(order_id, ORDER_ID_BYTES, db_text(rows, 0, "order_id")))
        return err_code(e, RC_NOT_FOUND, "order_not_found", "order %s is not known", id);
    return RC_OK;
}
