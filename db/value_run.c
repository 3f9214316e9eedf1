/* value_run.c - what runs over prices and stock have to do, part by part. */
#include "db_values.h"

#include "db_job.h"
#include "str.h"

#include <stdlib.h>

/* $4 NULL: all. A name may be a seller SKU, an id of the feed or a VTEX id. */
static const char PLAN_SQL[] =
    "WITH want AS MATERIALIZED (SELECT s.source_id, array_agg(s.seller_sku ORDER BY s.position,"
    "  s.seller_sku) AS codes, count(*) AS n FROM skus s WHERE s.shop_id = $2 AND s.client_id = $1"
    "  AND s.tiktok_sku_id IS NOT NULL AND ($4::text[] IS NULL OR s.seller_sku = ANY ($4::text[])"
    "   OR s.source_sku = ANY ($4::text[]) OR s.vtex_sku_id = ANY ($4::text[]))"
    "  GROUP BY s.source_id),"
    " made AS (INSERT INTO value_run_items (client_id, run_id, part, shop_id, source_id, seller_skus)"
    "  SELECT $1, $3, (sum(n) OVER (ORDER BY source_id) - n) / $5::bigint, $2, source_id, codes"
    "  FROM want RETURNING part),"
    " put AS (INSERT INTO jobs AS j (shop_id, kind, entity, client_id, lane, due_at, first_due_at)"
    "  SELECT DISTINCT $2, 'values_part', $3 || ':' || part, $1, $6::bigint, now(), now() FROM made"
    "  ORDER BY 3" DB_JOB_ON_CONFLICT ")"
    " SELECT coalesce(sum(n), 0)::bigint AS n FROM want";

static const char UNKNOWN_SQL[] =
    "SELECT coalesce(jsonb_agg(u.name ORDER BY u.name), '[]') AS names FROM (SELECT DISTINCT name FROM"
    " unnest($2::text[]) AS g(name)) u WHERE NOT EXISTS (SELECT 1 FROM skus s WHERE s.shop_id = $1"
    " AND s.tiktok_sku_id IS NOT NULL AND (s.seller_sku = u.name OR s.source_sku = u.name OR"
    " s.vtex_sku_id = u.name))";

static enum rc texts_of(const json_t *skus, const char ***out, size_t *n, struct err *e)
{
    const char **list = calloc(json_array_size(skus) + 1, sizeof *list);

    if (list == NULL)
        return err_set(e, RC_DOWN, "out of memory for SKUs");
    *n = json_array_size(skus);
    for (size_t i = 0; i < *n; i++)
        list[i] = json_string_value(json_array_get(skus, i));
    *out = list;
    return RC_OK;
}

static enum rc unknown_names(struct db_tx *tx, const char *shop_id, const char *const *names,
                             size_t n, json_t **out, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_text_array(&a, names, n);
    rc = db_exec(tx, UNKNOWN_SQL, &a, &rows, e);
    if (rc == RC_OK)
        *out = db_json_new(rows, 0, "names");
    return rc == RC_OK && *out == NULL ? err_set(e, RC_DOWN, "out of memory for SKUs") : rc;
}

enum rc db_value_run_plan(struct db_tx *tx, const char *client_id, const char *shop_id,
                          const char *run_id, const json_t *skus, int part_size, int lane,
                          int64_t *n, json_t **unknown, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    const char **names = NULL;
    struct db_args a = { 0 };
    size_t n_names = 0;
    enum rc rc = texts_of(skus, &names, &n_names, e);

    if (rc != RC_OK)
        return rc;
    db_arg_text(&a, client_id);
    db_arg_text(&a, shop_id);
    db_arg_text(&a, run_id);
    if (skus != NULL)
        db_arg_text_array(&a, names, n_names);
    else
        db_arg_null(&a);
    db_arg_i64(&a, part_size);
    db_arg_i64(&a, lane);
    rc = db_exec(tx, PLAN_SQL, &a, &rows, e);
    if (rc == RC_OK)
        rc = unknown_names(tx, shop_id, names, n_names, unknown, e);
    if (rc == RC_OK) {
        *n = db_i64(rows, 0, "n");
        rc = db_job_schedule(tx, client_id, shop_id, (enum lane)lane, 0, e);
    }
    free((void *)names);
    return rc;
}

enum rc db_value_run_items(struct db_tx *tx, const char *client_id, const char *run_id,
                           int64_t part, struct value_item **out, int *n, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    struct value_item *list;
    int count;
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_text(&a, run_id);
    db_arg_i64(&a, part);
    rc = db_exec(tx,
                 "SELECT source_id, to_jsonb(seller_skus) AS codes FROM value_run_items"
                 " WHERE client_id = $1 AND run_id = $2 AND part = $3::bigint ORDER BY source_id",
                 &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    count = db_rows_count(rows);
    list = calloc((size_t)count + 1, sizeof *list);
    if (list == NULL)
        return err_set(e, RC_DOWN, "out of memory for a part of a run");
    for (int i = 0; i < count; i++) {
        (void)str_copy(list[i].source_id, sizeof list[i].source_id, db_text(rows, i, "source_id"));
        list[i].seller_skus = db_json_new(rows, i, "codes");
    }
    *out = list;
    *n = count;
    return RC_OK;
}

void db_value_items_free(struct value_item *list, int n)
{
    for (int i = 0; list != NULL && i < n; i++)
        json_decref(list[i].seller_skus);
    free(list);
}

enum rc db_value_run_item_done(struct db_tx *tx, const char *client_id, const char *run_id,
                               const char *source_id, bool *mine, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_text(&a, run_id);
    db_arg_text(&a, source_id);
    rc = db_exec(tx,
                 "DELETE FROM value_run_items WHERE client_id = $1 AND run_id = $2"
                 " AND source_id = $3 RETURNING source_id",
                 &a, &rows, e);
    if (rc == RC_OK)
        *mine = db_rows_count(rows) > 0;
    return rc;
}
