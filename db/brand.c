/* brand.c - the merchant's brands, the TikTok brands they stand for, and the custom ones made for them. */
#include "db_brand.h"

#include "db_job.h"
#include "rest_page.h"
#include "str.h"

enum rc db_brand_get(struct db_tx *tx, const char *client_id, const char *name_key,
                     struct brand_row *out, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args args = { 0 };
    struct brand_row row = { 0 };

    db_arg_text(&args, client_id);
    db_arg_text(&args, name_key);
    enum rc rc = db_exec(tx,
                         "SELECT coalesce(tiktok_brand_id, '') AS id, chosen_by,"
                         " extract(epoch FROM now() - updated_at)::bigint AS age_s"
                         " FROM tiktok_brands WHERE client_id = $1 AND name_key = $2"
                         " AND checked_at IS NOT NULL",
                         &args, &rows, e);

    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_set(e, RC_NOT_FOUND, "brand not looked up yet");
    row.age_s = db_i64(rows, 0, "age_s");
    if (!str_copy(row.tiktok_brand_id, sizeof row.tiktok_brand_id, db_text(rows, 0, "id")) ||
        !str_copy(row.chosen_by, sizeof row.chosen_by, db_text(rows, 0, "chosen_by")))
        return err_set(e, RC_BUG, "a brand's id is too long");
    *out = row;
    return RC_OK;
}

enum rc db_brand_put(struct db_tx *tx, const char *client_id, const char *name_key,
                     const char *name, const char *tiktok_brand_id, const char *chosen_by,
                     const char *authorized, struct err *e)
{
    static const char SQL[] =
        "INSERT INTO tiktok_brands (client_id, name_key, name, tiktok_brand_id, chosen_by, authorized, checked_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, now()) ON CONFLICT (client_id, name_key) DO UPDATE SET"
        " tiktok_brand_id = excluded.tiktok_brand_id, chosen_by = excluded.chosen_by, problem = NULL,"
        " authorized = excluded.authorized, checked_at = now(), updated_at = now()"
        " WHERE tiktok_brands.chosen_by <> 'operator'";
    struct db_args args = { 0 };

    db_arg_text(&args, client_id);
    db_arg_text(&args, name_key);
    db_arg_text(&args, name);
    db_arg_text(&args, str_blank(tiktok_brand_id) ? NULL : tiktok_brand_id);
    db_arg_text(&args, chosen_by);
    db_arg_text(&args, authorized);
    return db_exec(tx, SQL, &args, NULL, e);
}

enum rc db_brand_vtex_put(struct db_tx *tx, const char *client_id, const char *name_key,
                          const char *name, const char *vtex_brand_id, struct err *e)
{
    static const char SQL[] =
        "INSERT INTO tiktok_brands (client_id, name_key, name, vtex_brand_id) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (client_id, name_key) DO UPDATE SET vtex_brand_id = excluded.vtex_brand_id,"
        " name = excluded.name WHERE tiktok_brands.vtex_brand_id IS DISTINCT FROM excluded.vtex_brand_id"
        " OR tiktok_brands.name <> excluded.name";
    struct db_args args = { 0 };

    db_arg_text(&args, client_id);
    db_arg_text(&args, name_key);
    db_arg_text(&args, name);
    db_arg_text(&args, vtex_brand_id);
    return db_exec(tx, SQL, &args, NULL, e);
}

enum rc db_brand_problem(struct db_tx *tx, const char *client_id, const char *name_key,
                         const json_t *problem, struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, client_id);
    db_arg_text(&args, name_key);
    db_arg_json(&args, problem);
    return db_exec(
        tx, "UPDATE tiktok_brands SET problem = $3::jsonb WHERE client_id = $1 AND name_key = $2",
        &args, NULL, e);
}

enum rc db_brand_custom_count(struct db_tx *tx, const char *client_id, int64_t *today,
                              int64_t *total, struct err *e)
{
    static const char SQL[] =
        "SELECT count(*) AS total, count(*) FILTER (WHERE custom_created_at > now() - interval '24 hours') AS today"
        " FROM tiktok_brands WHERE client_id = $1 AND custom_created_at IS NOT NULL";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args args = { 0 };

    db_arg_text(&args, client_id);
    enum rc rc = db_exec(tx, SQL, &args, &rows, e);

    if (rc == RC_OK) {
        *today = db_i64(rows, 0, "today");
        *total = db_i64(rows, 0, "total");
    }
    return rc;
}

enum rc db_brand_custom_made(struct db_tx *tx, const char *client_id, const char *name_key,
                             struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, client_id);
    db_arg_text(&args, name_key);
    return db_exec(tx,
                   "UPDATE tiktok_brands SET custom_created_at = now()"
                   " WHERE client_id = $1 AND name_key = $2 AND custom_created_at IS NULL",
                   &args, NULL, e);
}

enum rc db_brand_page(struct db_tx *tx, const char *client_id, const char *shop_id,
                      const char *after, int limit, struct db_rows **rows, struct err *e)
{
    static const char SQL[] =
        "SELECT b.name_key, b.name, coalesce(b.tiktok_brand_id, '') AS tiktok_brand_id, b.chosen_by,"
        " EXISTS (SELECT 1 FROM products p WHERE p.client_id = $1 AND p.shop_id = $2 AND p.in_feed"
        "  AND p.brand_key = b.name_key) AS used,"
        " coalesce((SELECT p.tiktok_category_id FROM products p WHERE p.client_id = $1 AND p.shop_id = $2 AND p.in_feed"
        "  AND p.brand_key = b.name_key AND p.tiktok_category_id IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1"
        "  LIMIT 1), '') AS category_id"
        " FROM tiktok_brands b WHERE b.client_id = $1 AND b.name_key > $3 ORDER BY b.name_key LIMIT $4";
    struct db_args args = { 0 };

    db_arg_text(&args, client_id);
    db_arg_text(&args, shop_id);
    db_arg_text(&args, after);
    db_arg_i64(&args, limit);
    return db_exec(tx, SQL, &args, rows, e);
}

enum rc db_brand_publish(struct db_tx *tx, const char *client_id, const char *name_key, int64_t *n,
                         struct err *e)
{
    static const char SQL[] =
        "WITH put AS (INSERT INTO jobs AS j (shop_id, kind, entity, client_id, lane)"
        "  SELECT p.shop_id, 'product_publish', p.source_id, p.client_id, 3 FROM products p"
        "  WHERE p.client_id = $1 AND p.brand_key = $2 AND p.in_feed ORDER BY p.shop_id, p.source_id" DB_JOB_ON_CONFLICT
        "  RETURNING j.shop_id) SELECT shop_id, count(*) AS n FROM put GROUP BY 1";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args args = { 0 };

    db_arg_text(&args, client_id);
    db_arg_text(&args, name_key);
    enum rc rc = db_exec(tx, SQL, &args, &rows, e);
    int64_t total = 0;

    for (int i = 0; rc == RC_OK && i < db_rows_count(rows); i++) {
        total += db_i64(rows, i, "n");
        rc = db_job_schedule(tx, client_id, db_text(rows, i, "shop_id"), LANE_CATALOG, 0, e);
    }
    if (rc == RC_OK && n != NULL)
        *n = total;
    return rc;
}

#define BRAND_JSON                                                                                 \
    "json_build_object('name', b.name, 'tiktok_brand_id', b.tiktok_brand_id, 'vtex_brand_id',"     \
    " b.vtex_brand_id, 'chosen_by', b.chosen_by, 'authorized', b.authorized, 'custom', "           \
    "b.custom_created_at IS NOT NULL, 'products', (SELECT count(*) FROM products p WHERE "         \
    "p.client_id = b.client_id AND p.brand_key = b.name_key AND p.in_feed), 'problem', b.problem," \
    " 'updated_at', connector_time(b.updated_at))"

enum rc db_brand_list(struct db_tx *tx, const char *client_id, const struct brand_filter *filter,
                      const char *cursor, int limit, struct rest_list *out, struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, client_id);
    db_arg_text(&args, cursor);
    db_arg_text(&args, filter->chosen_by);
    db_arg_text(&args, filter->q);
    return rest_page_run(
        tx,
        "SELECT " BRAND_JSON " AS doc, b.name_key AS cursor FROM tiktok_brands b"
        " WHERE b.client_id = $1 AND b.name_key > $2 AND ($3::text IS NULL OR b.chosen_by = $3)"
        " AND ($4::text IS NULL OR strpos(lower(b.name), lower($4)) > 0"
        "  OR strpos(b.name_key, lower($4)) > 0)"
        " ORDER BY b.name_key LIMIT $5",
        &args, limit, out, e);
}

enum rc db_brand_link(struct db_tx *tx, const char *client_id, const char *name,
                      const char *tiktok_brand_id, json_t **doc, struct err *e)
{
    static const char SQL[] =
        "UPDATE tiktok_brands b SET tiktok_brand_id = $3, chosen_by = 'operator', authorized = NULL, problem = NULL,"
        " checked_at = now(), updated_at = now() WHERE client_id = $1 AND (name = $2 OR name_key = $2 OR lower(name) ="
        " lower($2)) RETURNING name_key, " BRAND_JSON " AS doc";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args args = { 0 };

    db_arg_text(&args, client_id);
    db_arg_text(&args, name);
    db_arg_text(&args, tiktok_brand_id);
    enum rc rc = db_exec(tx, SQL, &args, &rows, e);

    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_code(e, RC_NOT_FOUND, "not_found", "the client has no such brand");
    for (int i = 0; rc == RC_OK && i < db_rows_count(rows); i++)
        rc = db_brand_publish(tx, client_id, db_text(rows, i, "name_key"), NULL, e);
    if (rc != RC_OK)
        return rc;
    *doc = db_json_new(rows, 0, "doc");
    return *doc != NULL ? RC_OK : err_set(e, RC_BUG, "no memory for a brand");
}
