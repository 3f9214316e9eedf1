/* value_drift.c - where TikTok holds another price or stock than it acknowledged. */
#include "db_values.h"

#include "str.h"

enum rc db_value_live_page(struct db_tx *tx, const char *shop_id, const char *after, int limit,
                           struct db_rows **rows, struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_text(&a, after);
    db_arg_i64(&a, limit);
    return db_exec(tx,
                   "SELECT source_id, tiktok_product_id FROM products WHERE shop_id = $1"
                   " AND status = 'live' AND tiktok_product_id IS NOT NULL AND source_id > $2"
                   " ORDER BY source_id LIMIT $3::bigint",
                   &a, rows, e);
}

/* $3: [{"id", "available", "committed", "campaign"}]. What went out since the reading began, or is on its way, is not
 * compared; units that orders took are no drift. */
static const char STOCK_SQL[] =
    "WITH t AS (SELECT * FROM jsonb_to_recordset($3::jsonb) AS r(id text, available bigint,"
    "  committed bigint, campaign bigint)),"
    " d AS MATERIALIZED (SELECT s.seller_sku, s.source_id, s.stock_published, t.* FROM t JOIN skus s"
    "  ON s.shop_id = $1 AND s.tiktok_sku_id = t.id WHERE s.stock_published IS NOT NULL"
    "  AND s.stock_sent IS NULL AND s.stock_published_at < $2::timestamptz"
    "  AND t.available <> s.stock_published AND t.available + t.committed <> s.stock_published),"
    " up AS (UPDATE skus s SET stock_published = d.available FROM d WHERE $4::boolean"
    "  AND s.shop_id = $1 AND s.seller_sku = d.seller_sku)"
    " SELECT seller_sku, source_id, stock_published, available, committed, campaign FROM d"
    " ORDER BY seller_sku";

enum rc db_value_stock_drift(struct db_tx *tx, const char *shop_id, int64_t began_us,
                             const json_t *theirs, bool repair, struct db_rows **rows,
                             struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_time(&a, began_us);
    db_arg_json(&a, theirs);
    db_arg_bool(&a, repair);
    return db_exec(tx, STOCK_SQL, &a, rows, e);
}

/* The listing was read just before. */
static const char PRICE_SQL[] =
    "WITH d AS MATERIALIZED (SELECT s.seller_sku, s.source_id, s.price_published_minor, k.price_minor"
    "  FROM skus s JOIN products p ON p.shop_id = s.shop_id AND p.source_id = s.source_id"
    "  AND p.status = 'live'"
    "  JOIN tiktok_catalog_skus k ON k.shop_id = s.shop_id AND k.tiktok_sku_id = s.tiktok_sku_id"
    "  JOIN tiktok_catalog c ON c.shop_id = k.shop_id AND c.tiktok_product_id = k.tiktok_product_id"
    "  JOIN tiktok_catalog_reads r ON r.shop_id = s.shop_id"
    "  WHERE s.shop_id = $1 AND s.price_published_minor IS NOT NULL AND s.price_sent_minor IS NULL"
    "  AND k.price_minor IS NOT NULL AND s.price_published_at < r.full_at AND c.seen_at >= r.full_at"
    "  AND k.price_minor <> s.price_published_minor AND s.seller_sku > $2 ORDER BY s.seller_sku"
    "  LIMIT $3::bigint),"
    " up AS (UPDATE skus s SET price_published_minor = d.price_minor FROM d WHERE $4::boolean"
    "  AND s.shop_id = $1 AND s.seller_sku = d.seller_sku)"
    " SELECT seller_sku, source_id, price_published_minor, price_minor FROM d ORDER BY seller_sku";

enum rc db_value_price_drift(struct db_tx *tx, const char *shop_id, const char *after, int limit,
                             bool repair, struct db_rows **rows, struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_text(&a, after);
    db_arg_i64(&a, limit);
    db_arg_bool(&a, repair);
    return db_exec(tx, PRICE_SQL, &a, rows, e);
}

enum rc db_value_any(struct db_tx *tx, const char *shop_id, bool *any, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, shop_id);
    rc = db_exec(
        tx,
        "SELECT EXISTS (SELECT 1 FROM products WHERE shop_id = $1 AND tiktok_product_id IS NOT NULL"
        " AND created_at < now() - interval '12 hours') AS yes",
        &a, &rows, e);
    if (rc == RC_OK)
        *any = db_bool(rows, 0, "yes");
    return rc;
}

enum rc db_value_oldest(struct db_tx *tx, int64_t *seconds, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc =
        db_exec(tx,
                "SELECT coalesce(extract(epoch FROM now() - least((SELECT min(changed_at) FROM"
                " value_notices WHERE looks = 0), (SELECT min(unsent_since) FROM skus WHERE"
                " unsent_since IS NOT NULL))), 0)::bigint AS age",
                NULL, &rows, e);

    if (rc == RC_OK)
        *seconds = db_i64(rows, 0, "age");
    return rc;
}
