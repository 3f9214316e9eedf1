/* revert.c - what a run changed at TikTok, read from the logs of products and prices. */
#include "db_revert.h"

#include "str.h"

static void args_of(struct db_args *a, const char *client_id, const char *run_id,
                    const char *shop_id)
{
    db_arg_text(a, client_id);
    db_arg_text(a, run_id);
    if (shop_id != NULL)
        db_arg_text(a, shop_id);
}

enum rc db_revert_any(struct db_tx *tx, const char *client_id, const char *run_id, bool *any,
                      struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc;

    args_of(&a, client_id, run_id, NULL);
    rc = db_exec(tx,
                 "SELECT EXISTS (SELECT 1 FROM tiktok_log_product WHERE client_id = $1"
                 " AND run_id = $2 AND outcome = 'updated' AND changes IS NOT NULL) OR EXISTS"
                 " (SELECT 1 FROM tiktok_log_price_product WHERE client_id = $1 AND run_id = $2"
                 " AND outcome = 'published' AND old IS NOT NULL) AS any",
                 &a, &rows, e);
    if (rc == RC_OK)
        *any = db_bool(rows, 0, "any");
    return rc;
}

enum rc db_revert_standing(struct db_tx *tx, const char *client_id, const char *run_id, char id[40],
                           struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc;

    args_of(&a, client_id, run_id, NULL);
    rc = db_exec(tx,
                 "SELECT id FROM sync_runs r WHERE client_id = $1 AND kind = 'revert'"
                 " AND params ->> 'run_id' = $2 AND NOT dry_run"
                 " AND status NOT IN ('failed', 'cancelled') AND NOT EXISTS"
                 " (SELECT 1 FROM sync_runs b WHERE b.client_id = r.client_id AND b.kind = 'revert'"
                 " AND b.params ->> 'run_id' = r.id AND NOT b.dry_run"
                 " AND b.status NOT IN ('failed', 'cancelled')) LIMIT 1",
                 &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    id[0] = '\0';
    if (db_rows_count(rows) > 0)
        (void)str_copy(id, 40, db_text(rows, 0, "id"));
    return RC_OK;
}

enum rc db_revert_products(struct db_tx *tx, const char *client_id, const char *run_id,
                           const char *shop_id, const char *after, int limit, struct db_rows **rows,
                           struct err *e)
{
    struct db_args a = { 0 };

    args_of(&a, client_id, run_id, shop_id);
    db_arg_text(&a, after);
    db_arg_i64(&a, limit);
    return db_exec(tx,
                   "SELECT source_id FROM (SELECT entity AS source_id FROM tiktok_log_product"
                   " WHERE client_id = $1 AND run_id = $2 AND shop_id = $3"
                   " AND outcome IN ('created', 'updated') UNION"
                   " SELECT s.source_id FROM tiktok_log_price_product l JOIN skus s"
                   " ON s.shop_id = l.shop_id AND s.seller_sku = l.entity WHERE l.client_id = $1"
                   " AND l.run_id = $2 AND l.shop_id = $3 AND l.outcome = 'published') t"
                   " WHERE source_id > $4 ORDER BY source_id LIMIT $5",
                   &a, rows, e);
}

enum rc db_revert_seen(struct db_tx *tx, const char *client_id, const char *run_id,
                       const char *source_id, bool *seen, struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc;

    args_of(&a, client_id, run_id, NULL);
    db_arg_text(&a, source_id);
    rc = db_exec(tx,
                 "SELECT EXISTS (SELECT 1 FROM sync_run_changes WHERE client_id = $1"
                 " AND run_id = $2 AND source_id = $3) AS seen",
                 &a, &rows, e);
    if (rc == RC_OK)
        *seen = db_bool(rows, 0, "seen");
    return rc;
}

enum rc db_revert_texts(struct db_tx *tx, const char *client_id, const char *run_id,
                        const char *shop_id, const char *source_id, struct db_rows **rows,
                        struct err *e)
{
    struct db_args a = { 0 };

    args_of(&a, client_id, run_id, shop_id);
    db_arg_text(&a, source_id);
    return db_exec(tx,
                   "SELECT outcome, changes FROM tiktok_log_product WHERE client_id = $1"
                   " AND run_id = $2 AND shop_id = $3 AND entity = $4"
                   " AND outcome IN ('created', 'updated') ORDER BY id",
                   &a, rows, e);
}

enum rc db_revert_prices(struct db_tx *tx, const char *client_id, const char *run_id,
                         const char *shop_id, const char *source_id, struct db_rows **rows,
                         struct err *e)
{
    struct db_args a = { 0 };

    args_of(&a, client_id, run_id, shop_id);
    db_arg_text(&a, source_id);
    return db_exec(tx,
                   "SELECT l.entity AS seller_sku, (array_agg(l.old ORDER BY l.id))[1] AS old,"
                   " (array_agg(l.new ORDER BY l.id DESC))[1] AS new"
                   " FROM tiktok_log_price_product l JOIN skus s ON s.shop_id = l.shop_id"
                   " AND s.seller_sku = l.entity WHERE l.client_id = $1 AND l.run_id = $2"
                   " AND l.shop_id = $3 AND s.source_id = $4 AND l.outcome = 'published'"
                   " AND l.old IS NOT NULL GROUP BY l.entity ORDER BY l.entity",
                   &a, rows, e);
}
