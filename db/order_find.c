/* order_find.c - what the poll compares, which VTEX SKU a TikTok SKU stands for, and units still to come. */
#include "db_order.h"

#include "str.h"

enum rc db_order_poll_get(struct db_tx *tx, const char *shop_id, struct order_poll_mark *out,
                          struct err *e)
{
    static const char sql[] =
        "SELECT order_watermark, orders_swept_at, clock_timestamp() AS now_at FROM shops WHERE shop_id = $1";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, shop_id);
    rc = db_exec(tx, sql, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_code(e, RC_NOT_FOUND, "shop_not_found", "shop %s is not known", shop_id);
    out->watermark_us = db_time(rows, 0, "order_watermark");
    out->swept_us = db_time(rows, 0, "orders_swept_at");
    out->now_us = db_time(rows, 0, "now_at");
    return RC_OK;
}

enum rc db_order_poll_set(struct db_tx *tx, const char *shop_id, int64_t watermark_us,
                          struct err *e)
{
    static const char sql[] =
        "UPDATE shops SET order_watermark = greatest(coalesce(order_watermark, $2::timestamptz),"
        " $2::timestamptz), order_polled_at = now() WHERE shop_id = $1";
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_time(&a, watermark_us);
    return db_exec(tx, sql, &a, NULL, e);
}

enum rc db_order_swept(struct db_tx *tx, const char *shop_id, struct err *e)
{
    static const char sql[] = "UPDATE shops SET orders_swept_at = now() WHERE shop_id = $1";
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    return db_exec(tx, sql, &a, NULL, e);
}

enum rc db_order_changed(struct db_tx *tx, const char *shop_id, const char *const *ids,
                         const int64_t *updated_us, const char *const *statuses, size_t n,
                         bool *changed, struct err *e)
{
    /* Times are whole seconds: two changes may share one, so the status counts too. */
    static const char sql[] =
        "SELECT t.order_id IS NULL OR t.tiktok_updated_at IS NULL OR"
        " (extract(epoch FROM t.tiktok_updated_at) * 1000000)::bigint <> n.updated OR"
        " t.tiktok_status <> CASE n.status WHEN 'CANCEL' THEN 'CANCELLED' ELSE n.status END AS changed"
        " FROM unnest($2::text[], $3::bigint[], $4::text[]) WITH ORDINALITY AS n (id, updated, status, nr)"
        " LEFT JOIN tiktok_orders t ON t.shop_id = $1 AND t.order_id = n.id ORDER BY n.nr";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_text_array(&a, ids, n);
    db_arg_i64_array(&a, updated_us, n);
    db_arg_text_array(&a, statuses, n);
    rc = db_exec(tx, sql, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if ((size_t)db_rows_count(rows) != n)
        return err_set(e, RC_BUG, "comparing %zu orders gave %d rows", n, db_rows_count(rows));
    for (size_t i = 0; i < n; i++)
        changed[i] = db_bool(rows, (int)i, "changed");
    return RC_OK;
}

enum rc db_order_recheck_put(struct db_tx *tx, const char *client_id, const char *shop_id,
                             int64_t older_than_us, struct err *e)
{
    /* Touched rows are not found again until the time has passed once more. */
    static const char sql[] =
        "UPDATE tiktok_orders SET updated_at = now() WHERE shop_id = $1 AND order_id IN (SELECT order_id"
        " FROM tiktok_orders WHERE shop_id = $1 AND client_id = $2 AND state = 'waiting_mapping'"
        " AND updated_at < now() - $3::bigint * interval '1 microsecond' ORDER BY updated_at LIMIT 500)"
        " RETURNING order_id";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, client_id);
    db_arg_i64(&a, older_than_us);
    rc = db_exec(tx, sql, &a, &rows, e);
    for (int i = 0; rc == RC_OK && i < db_rows_count(rows); i++)
        rc = db_order_import_put(tx, client_id, shop_id, db_text(rows, i, "order_id"), "job", NULL,
                                 0, e);
    return rc;
}

enum rc db_order_sku_find(struct db_tx *tx, const char *client_id, const char *shop_id,
                          const char *tiktok_sku_id, const char *seller_sku, char *vtex_sku_id,
                          size_t cap, struct err *e)
{
    static const char sql[] =
        "SELECT vtex_sku_id FROM ("
        "SELECT CASE linked_by WHEN 'catalog' THEN 4 ELSE 1 END AS nr, vtex_sku_id FROM sku_links"
        "  WHERE client_id = $1 AND tiktok_sku_id = coalesce(nullif($3, ''), nullif($4, ''))"
        " UNION ALL SELECT 2, vtex_sku_id FROM skus WHERE shop_id = $2 AND tiktok_sku_id = nullif($3, '')"
        " UNION ALL SELECT 3, vtex_sku_id FROM skus WHERE shop_id = $2 AND seller_sku = nullif($4, ''))"
        " AS found"
        " WHERE vtex_sku_id IS NOT NULL AND vtex_sku_id <> '' ORDER BY nr LIMIT 1";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_text(&a, shop_id);
    db_arg_text(&a, tiktok_sku_id ? tiktok_sku_id : "");
    db_arg_text(&a, seller_sku ? seller_sku : "");
    rc = db_exec(tx, sql, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_code(e, RC_NOT_FOUND, "sku_unlinked",
                        "no VTEX SKU is linked to this TikTok SKU");
    if (!str_copy(vtex_sku_id, cap, db_text(rows, 0, "vtex_sku_id")))
        return err_set(e, RC_INVALID, "the linked VTEX SKU id is too long");
    return RC_OK;
}

enum rc db_order_sku_unlinked(struct db_tx *tx, const char *client_id, const char *shop_id,
                              const char *tiktok_sku_id, const char *seller_sku,
                              const char *product_name, struct err *e)
{
    static const char sql[] =
        "INSERT INTO sku_links (client_id, tiktok_sku_id, shop_id, seller_sku, product_name)"
        " VALUES ($1, $2, $3, nullif($4, ''), nullif($5, '')) ON CONFLICT DO NOTHING";
    struct db_args a = { 0 };

    db_arg_text(&a, client_id);
    db_arg_text(&a, tiktok_sku_id);
    db_arg_text(&a, shop_id);
    db_arg_text(&a, seller_sku);
    db_arg_text(&a, product_name);
    return db_exec(tx, sql, &a, NULL, e);
}

enum rc db_order_sku_lost(struct db_tx *tx, const char *client_id, const char *shop_id,
                          const char *tiktok_sku_id, const char *seller_sku,
                          const char *product_name, struct err *e)
{
    static const char sql[] =
        "INSERT INTO sku_links AS l (client_id, tiktok_sku_id, shop_id, seller_sku, product_name)"
        " VALUES ($1, $2, $3, nullif($4, ''), nullif($5, '')) ON CONFLICT (client_id, tiktok_sku_id)"
        " DO UPDATE SET vtex_sku_id = NULL, linked_by = NULL, linked_at = NULL,"
        " product_name = coalesce(l.product_name, excluded.product_name) WHERE l.vtex_sku_id IS NOT NULL";
    struct db_args a = { 0 };

    db_arg_text(&a, client_id);
    db_arg_text(&a, tiktok_sku_id);
    db_arg_text(&a, shop_id);
    db_arg_text(&a, seller_sku);
    db_arg_text(&a, product_name);
    return db_exec(tx, sql, &a, NULL, e);
}

enum rc db_order_sku_link(struct db_tx *tx, const char *client_id, const char *shop_id,
                          const char *tiktok_sku_id, const char *seller_sku,
                          const char *vtex_sku_id, const char *linked_by, struct err *e)
{
    static const char sql[] =
        "INSERT INTO sku_links AS l (client_id, tiktok_sku_id, shop_id, seller_sku, vtex_sku_id, linked_by,"
        " linked_at) VALUES ($1, $2, $3, nullif($4, ''), $5, $6, now())"
        " ON CONFLICT (client_id, tiktok_sku_id) DO UPDATE SET vtex_sku_id = excluded.vtex_sku_id,"
        " linked_by = excluded.linked_by, linked_at = now() WHERE l.vtex_sku_id IS NULL";
    struct db_args a = { 0 };

    db_arg_text(&a, client_id);
    db_arg_text(&a, tiktok_sku_id);
    db_arg_text(&a, shop_id);
    db_arg_text(&a, seller_sku);
    db_arg_text(&a, vtex_sku_id);
    db_arg_text(&a, linked_by);
    return db_exec(tx, sql, &a, NULL, e);
}

enum rc db_order_pending_units(struct db_tx *tx, const char *shop_id, const char *tiktok_sku_id,
                               const char *seller_sku, int64_t *units, struct err *e)
{
    static const char sql[] =
        "SELECT coalesce(sum((i->>'quantity')::bigint), 0)::bigint AS units"
        " FROM tiktok_orders t, jsonb_array_elements(t.items) AS i"
        " WHERE t.shop_id = $1 AND t.step IN ('none', 'claimed', 'place_sent')"
        " AND t.state IN ('received', 'on_hold', 'waiting_mapping', 'importing', 'in_doubt', 'failed')"
        " AND t.tiktok_status NOT IN ('CANCELLED', 'COMPLETED', 'DELIVERED')"
        " AND coalesce(t.problems->0->>'code', '') NOT IN ('fulfilled_by_tiktok', 'shipped_outside_vtex')"
        " AND (i->>'tiktok_sku_id' = nullif($2, '') OR i->>'seller_sku' = nullif($3, ''))";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, tiktok_sku_id ? tiktok_sku_id : "");
    db_arg_text(&a, seller_sku ? seller_sku : "");
    rc = db_exec(tx, sql, &a, &rows, e);
    if (rc == RC_OK)
        *units = db_i64(rows, 0, "units");
    return rc;
}
