/* catalog.c - TikTok's listing of a shop: stored page by page, then matched with our products in SQL. */
#include "db_catalog.h"

#include <string.h>

#include "db_job.h"
#include "str.h"

enum rc db_catalog_state(struct db_tx *tx, const char *shop_id, struct catalog_state *out,
                         struct err *e)
{
    static const char SQL[] =
        "SELECT clock_timestamp() AS now_at, r.read_at, r.full_at, r.listed_to, r.details_at,"
        " EXISTS (SELECT 1 FROM products p WHERE p.shop_id = $1 AND p.tiktok_product_id IS NULL"
        "  AND p.in_feed) AS wanted"
        " FROM (SELECT 1) one LEFT JOIN tiktok_catalog_reads r ON r.shop_id = $1";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, shop_id);
    rc = db_exec(tx, SQL, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    *out = (struct catalog_state){ .now_us = db_time(rows, 0, "now_at"),
                                   .read_us = db_time(rows, 0, "read_at"),
                                   .full_us = db_time(rows, 0, "full_at"),
                                   .listed_to_us = db_time(rows, 0, "listed_to"),
                                   .details_us = db_time(rows, 0, "details_at"),
                                   .wanted = db_bool(rows, 0, "wanted") };
    return RC_OK;
}

/* ---- storing ------------------------------------------------------------------------------------ */

/* Moments of the contract are unix seconds. */
#define MOMENT(member)                                                             \
    "CASE WHEN v->>'" member "' ~ '^[0-9]{1,11}$' THEN to_timestamp((v->>'" member \
    "')::double precision) END"

#define GIVEN "jsonb_array_elements($1::jsonb) AS v"
#define GIVEN_ID "v->>'id' ~ '^[0-9]{1,40}$'"

static const char PRODUCTS_SQL[] =
    "INSERT INTO tiktok_catalog AS t (shop_id, tiktok_product_id, client_id, title, status,"
    " external_product_id, listed_at, changed_at, detail_at)"
    " SELECT DISTINCT ON (v->>'id') $2, v->>'id', $3, coalesce(v->>'title', ''),"
    " coalesce(v->>'status', ''), nullif(v->>'external_product_id', ''), " MOMENT("create_time") ", " MOMENT(
        "update_time") ","
                       " CASE WHEN $4::boolean THEN now() END FROM " GIVEN " WHERE " GIVEN_ID
                       " ON CONFLICT (shop_id, tiktok_product_id) DO UPDATE SET title = excluded.title,"
                       " status = excluded.status, listed_at = excluded.listed_at, changed_at = excluded.changed_at,"
                       " seen_at = now(), external_product_id = CASE WHEN $4::boolean THEN excluded.external_product_id"
                       " ELSE t.external_product_id END, detail_at = CASE WHEN $4::boolean THEN now()"
                       " WHEN t.changed_at IS DISTINCT FROM excluded.changed_at THEN NULL ELSE t.detail_at END";

static const char SKUS_GONE_SQL[] =
    "DELETE FROM tiktok_catalog_skus k USING (SELECT v->>'id' AS id, array(SELECT s->>'id'"
    "  FROM jsonb_array_elements(coalesce(v->'skus', '[]')) s) AS skus FROM " GIVEN ") g"
    " WHERE k.shop_id = $2 AND k.tiktok_product_id = g.id AND NOT (k.tiktok_sku_id = ANY (g.skus))";

static const char SKUS_SQL[] =
    "INSERT INTO tiktok_catalog_skus AS t (shop_id, tiktok_sku_id, client_id, tiktok_product_id,"
    " seller_sku, external_sku_id, price_minor, currency, inventory)"
    " SELECT DISTINCT ON (s->>'id') $2, s->>'id', $3, v->>'id', nullif(s->>'seller_sku', ''),"
    " nullif(s->>'external_sku_id', ''),"
    " CASE WHEN s->'price'->>'sale_price' ~ '^[0-9]{1,12}([.][0-9]{1,2})?$'"
    "  THEN ((s->'price'->>'sale_price')::numeric * 100)::bigint END, s->'price'->>'currency',"
    " coalesce((SELECT jsonb_agg(jsonb_build_object('warehouse_id', i->>'warehouse_id',"
    "  'quantity', i->'quantity')) FROM jsonb_array_elements(coalesce(s->'inventory', '[]')) i), '[]')"
    " FROM " GIVEN " CROSS JOIN LATERAL jsonb_array_elements(coalesce(v->'skus', '[]')) s"
    " WHERE " GIVEN_ID " AND s->>'id' ~ '^[0-9]{1,40}$'"
    " ON CONFLICT (shop_id, tiktok_sku_id) DO UPDATE SET"
    " tiktok_product_id = excluded.tiktok_product_id, seller_sku = excluded.seller_sku,"
    " external_sku_id = CASE WHEN $4::boolean THEN excluded.external_sku_id ELSE t.external_sku_id END,"
    " price_minor = excluded.price_minor, currency = excluded.currency,"
    " inventory = excluded.inventory";

static const char DELETED_SQL[] =
    "WITH gone AS (DELETE FROM tiktok_catalog WHERE shop_id = $2 AND tiktok_product_id IN"
    "  (SELECT v->>'id' FROM " GIVEN " WHERE v->>'status' = 'DELETED') RETURNING tiktok_product_id)"
    " DELETE FROM tiktok_catalog_skus WHERE shop_id = $2"
    " AND tiktok_product_id IN (SELECT tiktok_product_id FROM gone)";

enum rc db_catalog_put(struct db_tx *tx, const char *client_id, const char *shop_id,
                       const json_t *products, bool detail, struct err *e)
{
    static const char *const ALL[] = { PRODUCTS_SQL, SKUS_SQL };
    static const char *const CLEAN[] = { SKUS_GONE_SQL, DELETED_SQL };
    enum rc rc = RC_OK;

    for (size_t i = 0; rc == RC_OK && i < sizeof ALL / sizeof ALL[0]; i++) {
        struct db_args a = { 0 };

        db_arg_json(&a, products);
        db_arg_text(&a, shop_id);
        db_arg_text(&a, client_id);
        db_arg_bool(&a, detail);
        rc = db_exec(tx, ALL[i], &a, NULL, e);
    }
    for (size_t i = 0; rc == RC_OK && i < sizeof CLEAN / sizeof CLEAN[0]; i++) {
        struct db_args a = { 0 };

        db_arg_json(&a, products);
        db_arg_text(&a, shop_id);
        rc = db_exec(tx, CLEAN[i], &a, NULL, e);
    }
    return rc;
}

enum rc db_catalog_drop(struct db_tx *tx, const char *shop_id, const char *tiktok_product_id,
                        struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_text(&a, tiktok_product_id);
    return db_exec(tx,
                   "WITH gone AS (DELETE FROM tiktok_catalog WHERE shop_id = $1"
                   " AND tiktok_product_id = $2)"
                   " DELETE FROM tiktok_catalog_skus WHERE shop_id = $1 AND tiktok_product_id = $2",
                   &a, NULL, e);
}

static enum rc forget_unseen(struct db_tx *tx, const char *shop_id, int64_t began_us, struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_time(&a, began_us);
    return db_exec(tx,
                   "WITH gone AS (DELETE FROM tiktok_catalog WHERE shop_id = $1"
                   " AND seen_at < $2::timestamptz RETURNING tiktok_product_id)"
                   " DELETE FROM tiktok_catalog_skus WHERE shop_id = $1"
                   " AND tiktok_product_id IN (SELECT tiktok_product_id FROM gone)",
                   &a, NULL, e);
}

enum rc db_catalog_listed(struct db_tx *tx, const char *client_id, const char *shop_id, bool full,
                          int64_t began_us, struct err *e)
{
    struct db_args a = { 0 };
    enum rc rc = full ? forget_unseen(tx, shop_id, began_us, e) : RC_OK;

    if (rc != RC_OK)
        return rc;
    db_arg_text(&a, shop_id);
    db_arg_text(&a, client_id);
    db_arg_bool(&a, full);
    db_arg_time(&a, began_us);
    return db_exec(tx,
                   "INSERT INTO tiktok_catalog_reads AS r (shop_id, client_id, read_at, full_at,"
                   " listed_to) VALUES ($1, $2, clock_timestamp(),"
                   " CASE WHEN $3::boolean THEN $4::timestamptz END, $4::timestamptz)"
                   " ON CONFLICT (shop_id) DO UPDATE SET read_at = excluded.read_at,"
                   " full_at = coalesce(excluded.full_at, r.full_at),"
                   " listed_to = excluded.listed_to, client_id = excluded.client_id",
                   &a, NULL, e);
}

enum rc db_catalog_detailed(struct db_tx *tx, const char *client_id, const char *shop_id,
                            bool known, struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_text(&a, client_id);
    db_arg_bool(&a, known);
    return db_exec(tx,
                   "INSERT INTO tiktok_catalog_reads (shop_id, client_id, details_at)"
                   " VALUES ($1, $2, CASE WHEN $3::boolean THEN now() END)"
                   " ON CONFLICT (shop_id) DO UPDATE SET details_at = excluded.details_at",
                   &a, NULL, e);
}

enum rc db_catalog_undetailed(struct db_tx *tx, const char *shop_id, const char *after, int limit,
                              struct db_rows **rows, struct err *e)
{
    static const char SQL[] =
        "SELECT c.tiktok_product_id FROM tiktok_catalog c WHERE c.shop_id = $1"
        " AND c.detail_at IS NULL AND c.tiktok_product_id > $2"
        " AND NOT EXISTS (SELECT 1 FROM products p WHERE p.shop_id = $1"
        "  AND p.tiktok_product_id = c.tiktok_product_id)"
        " AND NOT EXISTS (SELECT 1 FROM tiktok_catalog_skus k JOIN skus s ON s.shop_id = k.shop_id"
        "  AND s.seller_sku = k.seller_sku WHERE k.shop_id = $1"
        "  AND k.tiktok_product_id = c.tiktok_product_id)"
        " ORDER BY c.tiktok_product_id LIMIT $3::bigint";
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_text(&a, after);
    db_arg_i64(&a, limit);
    return db_exec(tx, SQL, &a, rows, e);
}

enum rc db_catalog_wake(struct db_tx *tx, const char *client_id, const char *shop_id, struct err *e)
{
    static const char SQL[] =
        "UPDATE jobs SET due_at = now(), updated_at = now() WHERE shop_id = $1 AND state = 'ready'"
        " AND kind = 'product_publish' AND problem->>'code' = 'catalog_unread' AND due_at > now()";
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, shop_id);
    rc = db_exec(tx, SQL, &a, NULL, e);
    return rc == RC_OK && db_affected(tx) > 0
               ? db_job_schedule(tx, client_id, shop_id, LANE_CATALOG, 0, e)
               : rc;
}

enum rc db_catalog_creating(struct db_tx *tx, const char *shop_id, int64_t before_us,
                            bool *creating, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_time(&a, before_us);
    rc =
        db_exec(tx,
                "SELECT EXISTS (SELECT 1 FROM products WHERE shop_id = $1"
                " AND tiktok_product_id IS NULL AND create_sent_at <= $2::timestamptz) AS creating",
                &a, &rows, e);
    if (rc == RC_OK)
        *creating = db_bool(rows, 0, "creating");
    return rc;
}
