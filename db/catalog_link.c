/* catalog_link.c - which products of the feed TikTok has already, and which of ours it shows otherwise than we do. */
#include "db_catalog.h"

#include <string.h>

#include "db_job.h"
#include "str.h"

enum rc db_catalog_matches(struct db_tx *tx, const char *shop_id, const char *source_id,
                           const char *const *seller_skus, size_t n_skus, struct catalog_match *out,
                           int *n, struct err *e)
{
    static const char SQL[] =
        "SELECT c.tiktok_product_id, left(c.title, 80) AS title,"
        " coalesce(l.source_id, '') AS linked, coalesce(c.external_product_id = $2, false) AS external,"
        " coalesce((SELECT min(x.source_id) FROM (SELECT s.source_id FROM tiktok_catalog_skus k"
        "   JOIN skus s ON s.shop_id = k.shop_id AND s.seller_sku = k.seller_sku"
        "   JOIN products p ON p.shop_id = s.shop_id AND p.source_id = s.source_id AND p.in_feed"
        "   WHERE k.shop_id = $1 AND k.tiktok_product_id = c.tiktok_product_id AND s.source_id <> $2"
        "  UNION ALL SELECT p.source_id FROM products p WHERE p.shop_id = $1"
        "   AND p.source_id = c.external_product_id AND p.in_feed AND p.source_id <> $2) x), '') AS other"
        " FROM tiktok_catalog c LEFT JOIN products l ON l.shop_id = c.shop_id"
        "  AND l.tiktok_product_id = c.tiktok_product_id"
        " WHERE c.shop_id = $1 AND c.tiktok_product_id IN (SELECT tiktok_product_id FROM tiktok_catalog"
        "   WHERE shop_id = $1 AND external_product_id = $2 UNION ALL SELECT tiktok_product_id"
        "   FROM tiktok_catalog_skus WHERE shop_id = $1 AND seller_sku = ANY ($3::text[]))"
        " AND c.status <> 'DELETED' ORDER BY external DESC, c.tiktok_product_id LIMIT $4::bigint";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, source_id);
    db_arg_text_array(&a, seller_skus, n_skus);
    db_arg_i64(&a, CATALOG_MATCHES_MAX);
    rc = db_exec(tx, SQL, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    for (int i = 0; i < db_rows_count(rows); i++) {
        struct catalog_match *m = &out[i];

        *m = (struct catalog_match){ .external = db_bool(rows, i, "external") };
        (void)str_copy(m->tiktok_product_id, sizeof m->tiktok_product_id,
                       db_text(rows, i, "tiktok_product_id"));
        str_copy_cut(m->title, sizeof m->title, db_text(rows, i, "title"));
        (void)str_copy(m->linked_source, sizeof m->linked_source, db_text(rows, i, "linked"));
        (void)str_copy(m->other_source, sizeof m->other_source, db_text(rows, i, "other"));
    }
    *n = db_rows_count(rows);
    return RC_OK;
}

enum rc db_catalog_adopt(struct db_tx *tx, const char *shop_id, const char *source_id,
                         const char *tiktok_product_id, const char *status, const char *category_id,
                         const json_t *published, bool *linked, struct err *e)
{
    static const char SQL[] =
        "UPDATE products SET tiktok_product_id = $3, status = $4, published = $6::jsonb,"
        " tiktok_category_id = coalesce(nullif($5, ''), tiktok_category_id),"
        " category_chosen_by = CASE WHEN $5 <> '' THEN 'recommendation' ELSE category_chosen_by END,"
        " problems = '[]', adopted_at = now(), published_at = now(), create_sent_at = NULL,"
        " idempotency_key = NULL, updated_at = now()"
        " WHERE shop_id = $1 AND source_id = $2 AND tiktok_product_id IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM products o WHERE o.shop_id = $1 AND o.tiktok_product_id = $3)"
        " RETURNING source_id";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, source_id);
    db_arg_text(&a, tiktok_product_id);
    db_arg_text(&a, status);
    db_arg_text(&a, category_id);
    db_arg_json(&a, published);
    rc = db_exec(tx, SQL, &a, &rows, e);
    if (rc == RC_OK)
        *linked = db_rows_count(rows) > 0;
    return rc;
}

static enum rc page(struct db_tx *tx, const char *sql, const char *shop_id, const char *after,
                    int limit, struct db_rows **rows, struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_text(&a, after);
    db_arg_i64(&a, limit);
    return db_exec(tx, sql, &a, rows, e);
}

enum rc db_catalog_links(struct db_tx *tx, const char *shop_id, const char *after, int limit,
                         struct db_rows **rows, struct err *e)
{
    static const char SQL[] =
        "SELECT p.source_id, m.tiktok_product_id, m.how FROM products p CROSS JOIN LATERAL ("
        " SELECT x.tiktok_product_id, x.how FROM (SELECT c.tiktok_product_id, 'external_id' AS how"
        "   FROM tiktok_catalog c WHERE c.shop_id = $1 AND c.external_product_id = p.source_id"
        "  UNION ALL SELECT k.tiktok_product_id, 'seller_sku' FROM skus s JOIN tiktok_catalog_skus k"
        "   ON k.shop_id = s.shop_id AND k.seller_sku = s.seller_sku"
        "   WHERE s.shop_id = $1 AND s.source_id = p.source_id) x"
        "  WHERE NOT EXISTS (SELECT 1 FROM products o WHERE o.shop_id = $1"
        "   AND o.tiktok_product_id = x.tiktok_product_id) ORDER BY x.how, x.tiktok_product_id LIMIT 1) m"
        " WHERE p.shop_id = $1 AND p.tiktok_product_id IS NULL AND p.in_feed AND p.source_id > $2"
        " ORDER BY p.source_id LIMIT $3::bigint";

    return page(tx, SQL, shop_id, after, limit, rows, e);
}

enum rc db_catalog_drift(struct db_tx *tx, const char *shop_id, const char *after, int limit,
                         struct db_rows **rows, struct err *e)
{
    static const char SQL[] =
        "SELECT p.source_id, p.tiktok_product_id, p.status AS old, n.status AS new FROM products p"
        " JOIN tiktok_catalog_reads r ON r.shop_id = p.shop_id AND p.published_at < r.full_at"
        " LEFT JOIN tiktok_catalog c ON c.shop_id = p.shop_id AND c.tiktok_product_id = p.tiktok_product_id"
        " CROSS JOIN LATERAL (SELECT CASE WHEN c.status IS NULL THEN 'deleted'"
        "  WHEN c.status = 'ACTIVATE' THEN 'live' WHEN c.status IN ('PENDING', 'DRAFT') THEN 'in_review'"
        "  WHEN c.status = 'FAILED' THEN 'rejected' WHEN c.status = 'FREEZE' THEN 'held'"
        "  WHEN c.status IN ('SELLER_DEACTIVATED', 'PLATFORM_DEACTIVATED') THEN 'deactivated'"
        "  ELSE p.status END AS status) n"
        " WHERE p.shop_id = $1 AND p.tiktok_product_id IS NOT NULL AND p.source_id > $2"
        " AND n.status <> p.status ORDER BY p.source_id LIMIT $3::bigint";

    return page(tx, SQL, shop_id, after, limit, rows, e);
}

enum rc db_catalog_ask(struct db_tx *tx, const char *client_id, const char *shop_id,
                       const char *tiktok_product_id, struct err *e)
{
    static const char SQL[] =
        "SELECT DISTINCT p.source_id FROM products p WHERE p.shop_id = $1 AND p.in_feed"
        " AND p.tiktok_product_id IS NULL AND p.source_id IN (SELECT c.external_product_id"
        "  FROM tiktok_catalog c WHERE c.shop_id = $1 AND c.tiktok_product_id = $2"
        "  UNION ALL SELECT s.source_id FROM tiktok_catalog_skus k JOIN skus s"
        "   ON s.shop_id = k.shop_id AND s.seller_sku = k.seller_sku"
        "   WHERE k.shop_id = $1 AND k.tiktok_product_id = $2) LIMIT 20";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, tiktok_product_id);
    rc = db_exec(tx, SQL, &a, &rows, e);
    for (int i = 0; rc == RC_OK && i < db_rows_count(rows); i++) {
        const struct db_job_key key = { .client_id = client_id,
                                        .shop_id = shop_id,
                                        .kind = "product_publish",
                                        .entity = db_text(rows, i, "source_id"),
                                        .lane = LANE_CATALOG };

        rc = db_job_put(tx, &key, e);
    }
    return rc;
}
