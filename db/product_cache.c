/* product_cache.c - what need not be asked or uploaded twice: categories, shop setup. */
#include "db_product.h"

#include <string.h>

#include "db_job.h"
#include "str.h"

static void copy_cell(char *dst, size_t cap, const struct db_rows *rows, const char *column)
{
    const char *text = db_text(rows, 0, column);

    (void)str_copy(dst, cap, text ? text : "");
}

enum rc db_taxonomy_find(struct db_tx *tx, const char *client_id, const char *const *paths,
                         size_t n, struct taxonomy_row *out, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args args = { 0 };

    db_arg_text(&args, client_id);
    db_arg_text_array(&args, paths, n);
    enum rc rc =
        db_exec(tx,
                "SELECT source_category, tiktok_category_id, attributes FROM taxonomy_tiktok "
                "WHERE client_id = $1 AND source_category = ANY ($2::text[]) "
                "AND chosen_by = 'mapping' AND tiktok_category_id IS NOT NULL "
                "ORDER BY length(source_category) DESC LIMIT 1",
                &args, &rows, e);

    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_set(e, RC_NOT_FOUND, "the category is not mapped");
    copy_cell(out->tiktok_category_id, sizeof(out->tiktok_category_id), rows, "tiktok_category_id");
    copy_cell(out->source_category, sizeof(out->source_category), rows, "source_category");
    out->attributes = db_json_new(rows, 0, "attributes");
    return RC_OK;
}

enum rc db_taxonomy_suggest(struct db_tx *tx, const char *client_id, const char *source_category,
                            const char *category_id, struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, client_id);
    db_arg_text(&args, source_category);
    db_arg_text(&args, category_id);
    return db_exec(
        tx,
        "INSERT INTO taxonomy_tiktok (client_id, source_category, tiktok_category_id, chosen_by) "
        "VALUES ($1, $2, $3, 'recommendation') ON CONFLICT (client_id, source_category) DO NOTHING",
        &args, NULL, e);
}

enum rc db_category_get(struct db_tx *tx, const char *shop_id, const char *category_id,
                        int64_t max_age_s, json_t **rules, json_t **attributes, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_text(&args, category_id);
    db_arg_i64(&args, max_age_s);
    enum rc rc = db_exec(tx,
                         "SELECT rules, attributes FROM tiktok_categories WHERE shop_id = $1 "
                         "AND category_id = $2 AND rules IS NOT NULL AND attributes IS NOT NULL "
                         "AND fetched_at > now() - make_interval(secs => $3::bigint)",
                         &args, &rows, e);

    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_set(e, RC_NOT_FOUND, "category not read yet");

    json_t *r = db_json_new(rows, 0, "rules");
    json_t *a = db_json_new(rows, 0, "attributes");

    if (r == NULL || a == NULL) {
        json_decref(r);
        json_decref(a);
        return err_set(e, RC_BUG, "out of memory");
    }
    *rules = r;
    *attributes = a;
    return RC_OK;
}

enum rc db_category_put(struct db_tx *tx, const char *client_id, const char *shop_id,
                        const char *category_id, const json_t *rules, const json_t *attributes,
                        bool *changed, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_text(&args, category_id);
    db_arg_text(&args, client_id);
    db_arg_json(&args, rules);
    db_arg_json(&args, attributes);
    enum rc rc = db_exec(
        tx,
        "WITH old AS (SELECT rules, attributes FROM tiktok_categories WHERE shop_id = $1 "
        "AND category_id = $2), put AS (INSERT INTO tiktok_categories "
        "(shop_id, category_id, client_id, rules, attributes) "
        "VALUES ($1, $2, $3, $4::jsonb, $5::jsonb) ON CONFLICT (shop_id, category_id) DO UPDATE SET "
        "rules = EXCLUDED.rules, attributes = EXCLUDED.attributes, fetched_at = now() "
        "RETURNING rules, attributes) SELECT EXISTS (SELECT 1 FROM old, put WHERE "
        "old.rules IS DISTINCT FROM put.rules OR old.attributes IS DISTINCT FROM put.attributes) "
        "AS changed",
        &args, &rows, e);

    if (rc == RC_OK)
        *changed = db_bool(rows, 0, "changed");
    return rc;
}

enum rc db_shop_warehouse_put(struct db_tx *tx, const char *shop_id, const char *warehouse_id,
                              struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_text(&args, warehouse_id);
    return db_exec(tx,
                   "UPDATE shops SET warehouse_id = $2, warehouses_at = now(), updated_at = now() "
                   "WHERE shop_id = $1",
                   &args, NULL, e);
}

enum rc db_prerequisites_get(struct db_tx *tx, const char *shop_id, int64_t max_age_s,
                             json_t **problems, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_i64(&args, max_age_s);
    enum rc rc = db_exec(tx,
                         "SELECT problems FROM listing_prerequisites WHERE shop_id = $1 "
                         "AND checked_at > now() - make_interval(secs => $2::bigint)",
                         &args, &rows, e);

    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_set(e, RC_NOT_FOUND, "prerequisites not checked yet");

    json_t *found = db_json_new(rows, 0, "problems");

    if (found == NULL)
        return err_set(e, RC_BUG, "out of memory");
    *problems = found;
    return RC_OK;
}

enum rc db_prerequisites_put(struct db_tx *tx, const char *client_id, const char *shop_id,
                             const json_t *problems, struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_text(&args, client_id);
    db_arg_json(&args, problems);
    return db_exec(
        tx,
        "INSERT INTO listing_prerequisites (shop_id, client_id, problems) VALUES ($1, $2, $3::jsonb) "
        "ON CONFLICT (shop_id) DO UPDATE SET problems = EXCLUDED.problems, checked_at = now()",
        &args, NULL, e);
}

enum rc db_prerequisites_forget(struct db_tx *tx, const char *shop_id, struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    return db_exec(tx,
                   "DELETE FROM listing_prerequisites WHERE shop_id = $1"
                   " AND jsonb_array_length(problems) > 0",
                   &args, NULL, e);
}

enum rc db_prerequisites_met(struct db_tx *tx, const char *client_id, const char *shop_id,
                             struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    enum rc rc = db_exec(tx,
                         "WITH woken AS (UPDATE jobs SET due_at = now(), updated_at = now() "
                         "WHERE shop_id = $1 AND kind = 'product_publish' AND state = 'ready' "
                         "AND due_at > now() AND problem->>'code' = 'shop_not_ready' RETURNING 1) "
                         "SELECT count(*) AS n FROM woken",
                         &args, &rows, e);

    if (rc != RC_OK || db_i64(rows, 0, "n") == 0)
        return rc;
    return db_job_schedule(tx, client_id, shop_id, LANE_CATALOG, 0, e);
}
