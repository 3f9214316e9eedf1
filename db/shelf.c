/* shelf.c - where single products should be: on sale, off sale or gone; what TikTok is still to be told. */
#include "db_shelf.h"

#include "db_run.h"
#include "shelf_sql.h"
#include "str.h"

enum rc db_shelf_get(struct db_tx *tx, const char *shop_id, const char *source_id,
                     struct shelf_state *out, struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    struct shelf_state s = { 0 };
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, source_id);
    rc = db_exec(
        tx,
        "SELECT shelf, shelf_by, status, shelf_due_at IS NOT NULL AS due, tiktok_product_id IS NOT NULL"
        " OR create_sent_at IS NOT NULL AS on_tiktok FROM products"
        " WHERE shop_id = $1 AND source_id = $2 FOR UPDATE",
        &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_code(e, RC_NOT_FOUND, "not_found", "there is no such product");
    (void)str_copy(s.shelf, sizeof s.shelf, db_text(rows, 0, "shelf"));
    (void)str_copy(s.by, sizeof s.by, db_text(rows, 0, "shelf_by"));
    (void)str_copy(s.status, sizeof s.status, db_text(rows, 0, "status"));
    s.due = db_bool(rows, 0, "due");
    s.on_tiktok = db_bool(rows, 0, "on_tiktok");
    *out = s;
    return RC_OK;
}

/* A run that waits for the removal of this product need not any more. */
static enum rc leave_run(struct db_tx *tx, const char *client_id, const char *shop_id,
                         const char *source_id, struct err *e)
{
    static const struct run_delta UNCHANGED = { .done = 1, .unchanged = 1 };
    struct db_args a = { 0 }, b = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, source_id);
    rc = db_exec(
        tx,
        "WITH was AS (SELECT shelf_run_id FROM products WHERE shop_id = $1 AND source_id = $2)"
        " UPDATE products SET shelf_run_id = NULL FROM was WHERE shop_id = $1 AND source_id = $2"
        " AND was.shelf_run_id IS NOT NULL RETURNING was.shelf_run_id AS run_id",
        &a, &rows, e);
    if (rc != RC_OK || db_rows_count(rows) == 0)
        return rc;
    db_arg_text(&b, client_id);
    db_arg_text(&b, db_text(rows, 0, "run_id"));
    db_arg_text(&b, source_id);
    rc = db_exec(
        tx,
        "UPDATE sync_run_changes SET outcome = 'superseded' WHERE client_id = $1 AND run_id = $2"
        " AND source_id = $3 AND action = 'remove' AND outcome = 'queued'",
        &b, NULL, e);
    return rc == RC_OK ? db_run_progress(tx, client_id, db_text(rows, 0, "run_id"), &UNCHANGED, e)
                       : rc;
}

enum rc db_shelf_set(struct db_tx *tx, const char *client_id, const char *shop_id,
                     const char *source_id, const char *shelf, const char *by, bool *due,
                     struct err *e)
{
    /* What was deleted at TikTok starts anew, under another id and with another idempotency key. */
    static const char *const REVIVE[] = {
        "UPDATE products SET status = 'waiting', tiktok_product_id = NULL, published = NULL, published_hash = NULL,"
        " published_at = NULL, idempotency_key = NULL, create_sent_at = NULL, audit_status = NULL, problems = '[]',"
        " edit_sent = '{}', edit_unreviewed = '{}'"
        " WHERE shop_id = $1 AND source_id = $2 AND status = 'deleted'",
        "UPDATE skus s SET tiktok_sku_id = NULL, price_published_minor = NULL, price_published_at = NULL,"
        " stock_published = NULL, stock_published_at = NULL FROM products p WHERE p.shop_id = $1"
        " AND p.source_id = $2 AND p.tiktok_product_id IS NULL AND p.create_sent_at IS NULL"
        " AND s.shop_id = p.shop_id AND s.source_id = p.source_id AND s.tiktok_sku_id IS NOT NULL",
    };
    static const char SET[] =
        "UPDATE products SET shelf = $3, shelf_by = $4, shelf_tries = 0, removal_run_id = NULL, updated_at = now(),"
        " shelf_due_at = CASE WHEN tiktok_product_id IS NULL OR status = 'deleted' THEN NULL ELSE now() END,"
        " status = CASE WHEN tiktok_product_id IS NOT NULL OR create_sent_at IS NOT NULL THEN status"
        " WHEN $3 = 'off' THEN 'deactivated' WHEN $3 = 'gone' THEN 'deleted'"
        " WHEN status = 'deactivated' THEN 'waiting' ELSE status END"
        " WHERE shop_id = $1 AND source_id = $2 RETURNING shelf_due_at IS NOT NULL AS due";
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc = leave_run(tx, client_id, shop_id, source_id, e);

    for (int i = 0; rc == RC_OK && i < 2 && str_eq(shelf, SHELF_ON); i++) {
        struct db_args b = { 0 };

        db_arg_text(&b, shop_id);
        db_arg_text(&b, source_id);
        rc = db_exec(tx, REVIVE[i], &b, NULL, e);
    }
    db_arg_text(&a, shop_id);
    db_arg_text(&a, source_id);
    db_arg_text(&a, shelf);
    db_arg_text(&a, by);
    if (rc == RC_OK)
        rc = db_exec(tx, SET, &a, &rows, e);
    if (rc == RC_OK && db_rows_count(rows) == 0)
        return err_code(e, RC_NOT_FOUND, "not_found", "there is no such product");
    if (rc == RC_OK)
        *due = db_bool(rows, 0, "due");
    return rc;
}

enum rc db_shelf_recheck(struct db_tx *tx, const char *shop_id, const char *source_id, bool *due,
                         struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_text(&a, source_id);
    enum rc rc = db_exec(tx,
                         "UPDATE products SET shelf_due_at = now(), shelf_tries = 0"
                         " WHERE shop_id = $1 AND source_id = $2 AND shelf <> 'on'",
                         &a, NULL, e);
    if (rc == RC_OK)
        *due = db_affected(tx) > 0;
    return rc;
}

enum rc db_shelf_due(struct db_tx *tx, const char *shop_id, char shelf[8],
                     struct shelf_item out[SHELF_BATCH], int *n, struct err *e)
{
    static const char SQL[] =
        "WITH due AS (SELECT p.* FROM products p WHERE p.shop_id = $1 AND p.shelf_due_at <= now()"
        "  AND p.tiktok_product_id IS NOT NULL AND " SHELF_MAY_SQL ")"
        " SELECT source_id, tiktok_product_id, status, shelf, shelf_run_id, shelf_tries FROM due"
        " WHERE shelf = (SELECT shelf FROM due ORDER BY shelf_due_at, source_id LIMIT 1)"
        " ORDER BY shelf_due_at, source_id LIMIT $2";
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_i64(&a, SHELF_BATCH);
    rc = db_exec(tx, SQL, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    for (int i = 0; i < db_rows_count(rows); i++) {
        struct shelf_item *item = &out[i];

        *item = (struct shelf_item){ .tries = (int)db_i64(rows, i, "shelf_tries") };
        (void)str_copy(item->source_id, sizeof item->source_id, db_text(rows, i, "source_id"));
        (void)str_copy(item->tiktok_product_id, sizeof item->tiktok_product_id,
                       db_text(rows, i, "tiktok_product_id"));
        (void)str_copy(item->status, sizeof item->status, db_text(rows, i, "status"));
        if (!db_null(rows, i, "shelf_run_id"))
            (void)str_copy(item->run_id, sizeof item->run_id, db_text(rows, i, "shelf_run_id"));
        (void)str_copy(shelf, 8, db_text(rows, i, "shelf"));
    }
    *n = db_rows_count(rows);
    return RC_OK;
}

enum rc db_shelf_wait(struct db_tx *tx, const char *shop_id, int64_t *wait_us, struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc;

    db_arg_text(&a, shop_id);
    rc =
        db_exec(tx,
                "SELECT (extract(epoch FROM min(p.shelf_due_at) - now()) * 1000000)::bigint AS wait"
                " FROM products p WHERE p.shop_id = $1 AND p.shelf_due_at IS NOT NULL"
                " AND p.tiktok_product_id IS NOT NULL AND " SHELF_MAY_SQL,
                &a, &rows, e);
    if (rc == RC_OK)
        *wait_us = db_null(rows, 0, "wait") ? -1 : db_i64(rows, 0, "wait");
    if (rc == RC_OK && *wait_us < 0 && !db_null(rows, 0, "wait"))
        *wait_us = 0;
    return rc;
}

/* Problems of the product without those of an earlier try. */
#define OTHER_PROBLEMS                                                                              \
    "coalesce((SELECT jsonb_agg(x) FROM jsonb_array_elements(problems) x WHERE x ->> 'code' NOT IN" \
    " ('deactivation_refused', 'activation_refused', 'deletion_refused')), '[]')"

enum rc db_shelf_done(struct db_tx *tx, const char *shop_id, const char *source_id,
                      const char *shelf, const char *status, struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_text(&a, source_id);
    db_arg_text(&a, shelf);
    db_arg_text(&a, status);
    return db_exec(tx,
                   "UPDATE products SET status = $4, shelf_tries = 0, problems = " OTHER_PROBLEMS
                   ","
                   " shelf_due_at = CASE WHEN shelf = $3 THEN NULL ELSE shelf_due_at END,"
                   " shelf_run_id = CASE WHEN shelf = $3 THEN NULL ELSE shelf_run_id END,"
                   " updated_at = now() WHERE shop_id = $1 AND source_id = $2",
                   &a, NULL, e);
}

enum rc db_shelf_refused(struct db_tx *tx, const char *shop_id, const char *source_id,
                         const char *shelf, const char *status, const json_t *problem,
                         int64_t delay_us, struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_text(&a, source_id);
    db_arg_text(&a, shelf);
    db_arg_text(&a, status);
    db_arg_json(&a, problem);
    db_arg_i64(&a, delay_us);
    return db_exec(
        tx,
        "UPDATE products SET status = coalesce($4, status), shelf_tries = shelf_tries + 1,"
        " problems = " OTHER_PROBLEMS " || jsonb_build_array($5::jsonb),"
        " shelf_due_at = CASE WHEN shelf <> $3 THEN shelf_due_at WHEN $6::bigint = 0 THEN NULL"
        " ELSE now() + $6::bigint * interval '1 microsecond' END,"
        " shelf_run_id = CASE WHEN shelf = $3 AND $6::bigint = 0 THEN NULL ELSE shelf_run_id END,"
        " updated_at = now() WHERE shop_id = $1 AND source_id = $2",
        &a, NULL, e);
}
