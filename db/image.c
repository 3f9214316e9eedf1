/* image.c - pictures: uploads and refusals by content, addresses, and what VTEX has of each SKU. */
#include "db_image.h"

#include <string.h>

#include "db_job.h"
#include "str.h"

#define REFUSED_AGAIN "interval '7 days'"

static void copy_cell(char *dst, size_t cap, const struct db_rows *rows, const char *column)
{
    const char *text = db_text(rows, 0, column);

    str_copy_cut(dst, cap, text ? text : "");
}

static enum rc image_row(struct db_tx *tx, const char *sql, struct db_args *args,
                         struct image_row *out, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc = db_exec(tx, sql, args, &rows, e);

    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_set(e, RC_NOT_FOUND, "image not seen yet");
    *out = (struct image_row){ .width = db_i64(rows, 0, "width"),
                               .height = db_i64(rows, 0, "height") };
    copy_cell(out->uri, sizeof(out->uri), rows, "uri");
    copy_cell(out->url, sizeof(out->url), rows, "url");
    copy_cell(out->code, sizeof(out->code), rows, "problem_code");
    copy_cell(out->problem, sizeof(out->problem), rows, "problem");
    return RC_OK;
}

enum rc db_image_get(struct db_tx *tx, const char *shop_id, const unsigned char hash[32],
                     const char *use_case, struct image_row *out, struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_bytes(&args, hash, 32);
    db_arg_text(&args, use_case);
    return image_row(tx,
                     "SELECT coalesce(uri, '') AS uri, coalesce(url, '') AS url, coalesce(width, 0)"
                     " AS width, coalesce(height, 0) AS height, coalesce(problem_code, '') AS"
                     " problem_code, coalesce(problem, '') AS problem FROM images"
                     " WHERE shop_id = $1 AND content_hash = $2 AND use_case = $3"
                     " AND (uri IS NOT NULL OR uploaded_at > now() - " REFUSED_AGAIN ")",
                     &args, out, e);
}

enum rc db_image_by_url(struct db_tx *tx, const char *shop_id, const char *url,
                        const char *use_case, int64_t max_age_s, struct image_row *out,
                        struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_text(&args, url);
    db_arg_text(&args, use_case);
    db_arg_i64(&args, max_age_s);
    return image_row(
        tx,
        "SELECT coalesce(i.uri, '') AS uri, coalesce(i.url, '') AS url, coalesce(i.width, 0)"
        " AS width, coalesce(i.height, 0) AS height, coalesce(i.problem_code, '') AS problem_code,"
        " coalesce(i.problem, '') AS problem FROM image_sources f JOIN images i"
        " ON i.shop_id = f.shop_id AND i.content_hash = f.content_hash AND i.use_case = $3"
        " WHERE f.shop_id = $1 AND f.url = $2"
        " AND (i.uri IS NOT NULL OR i.uploaded_at > now() - " REFUSED_AGAIN ")"
        " AND f.checked_at > now() - make_interval(secs => $4::bigint)",
        &args, out, e);
}

enum rc db_image_put(struct db_tx *tx, const char *client_id, const char *shop_id,
                     const unsigned char hash[32], const char *use_case,
                     const struct image_row *row, struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_bytes(&args, hash, 32);
    db_arg_text(&args, use_case);
    db_arg_text(&args, client_id);
    db_arg_text(&args, row->uri[0] ? row->uri : NULL);
    db_arg_text(&args, row->url[0] ? row->url : NULL);
    db_arg_i64(&args, row->width);
    db_arg_i64(&args, row->height);
    db_arg_i64(&args, row->bytes);
    db_arg_bool(&args, row->converted);
    db_arg_text(&args, row->uri[0] ? NULL : row->code);
    db_arg_text(&args, row->uri[0] ? NULL : row->problem);
    return db_exec(
        tx,
        "INSERT INTO images AS i (shop_id, content_hash, use_case, client_id, uri, url, width,"
        " height, bytes, converted, problem_code, problem) VALUES ($1, $2, $3, $4, $5, $6,"
        " $7::integer, $8::integer, $9, $10, $11, $12)"
        " ON CONFLICT (shop_id, content_hash, use_case) DO UPDATE SET uri = EXCLUDED.uri,"
        " url = EXCLUDED.url, width = EXCLUDED.width, height = EXCLUDED.height,"
        " bytes = EXCLUDED.bytes, converted = EXCLUDED.converted,"
        " problem_code = EXCLUDED.problem_code, problem = EXCLUDED.problem, uploaded_at = now()"
        " WHERE i.uri IS NULL",
        &args, NULL, e);
}

enum rc db_image_source_put(struct db_tx *tx, const char *client_id, const char *shop_id,
                            const char *url, const unsigned char *hash, const char *problem,
                            struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_text(&args, url);
    db_arg_text(&args, client_id);
    db_arg_bytes(&args, hash, hash ? 32 : 0);
    db_arg_text(&args, problem);
    return db_exec(
        tx,
        "INSERT INTO image_sources (shop_id, url, client_id, content_hash, problem) "
        "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (shop_id, url) DO UPDATE SET "
        "content_hash = EXCLUDED.content_hash, problem = EXCLUDED.problem, checked_at = now()",
        &args, NULL, e);
}

/* ---- further pictures of SKUs ------------------------------------------------------------------ */

enum rc db_sku_images_put(struct db_tx *tx, const char *client_id, const char *shop_id,
                          const char *seller_sku, const char *vtex_sku_id, const json_t *urls,
                          struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_text(&args, seller_sku);
    db_arg_text(&args, client_id);
    db_arg_text(&args, vtex_sku_id);
    db_arg_json(&args, urls);
    return db_exec(tx,
                   "INSERT INTO sku_images (shop_id, seller_sku, client_id, vtex_sku_id, urls)"
                   " VALUES ($1, $2, $3, $4, $5::jsonb) ON CONFLICT (shop_id, seller_sku) DO UPDATE"
                   " SET vtex_sku_id = EXCLUDED.vtex_sku_id, urls = EXCLUDED.urls, read_at = now()",
                   &args, NULL, e);
}

enum rc db_sku_images_get(struct db_tx *tx, const char *shop_id, const char *source_id,
                          json_t **out, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args args = { 0 };
    json_auto_t *all = json_object();

    db_arg_text(&args, shop_id);
    db_arg_text(&args, source_id);
    enum rc rc = db_exec(tx,
                         "SELECT i.seller_sku, i.urls FROM sku_images i JOIN skus s ON"
                         " s.shop_id = i.shop_id AND s.seller_sku = i.seller_sku"
                         " AND s.vtex_sku_id = i.vtex_sku_id"
                         " WHERE s.shop_id = $1 AND s.source_id = $2",
                         &args, &rows, e);

    for (int i = 0; rc == RC_OK && i < db_rows_count(rows); i++)
        if (json_object_set_new(all, db_text(rows, i, "seller_sku"),
                                db_json_new(rows, i, "urls")) != 0)
            rc = err_set(e, RC_BUG, "out of memory");
    if (rc == RC_OK)
        *out = json_incref(all);
    return rc;
}

enum rc db_sku_images_ask(struct db_tx *tx, const char *client_id, const char *shop_id,
                          const char *kind, const char *run_id, const json_t *skus, int64_t *n,
                          struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, client_id);
    db_arg_text(&args, shop_id);
    db_arg_text(&args, kind);
    db_arg_text(&args, run_id[0] ? run_id : NULL);
    db_arg_json(&args, skus);
    db_arg_i64(&args, LANE_CATALOG);
    enum rc rc =
        db_exec(tx,
                "INSERT INTO jobs AS j (shop_id, kind, entity, client_id, lane, run_id, due_at,"
                " first_due_at) SELECT p.shop_id, $3, p.source_id, p.client_id,"
                " $6::bigint::smallint, $4, now(), now() FROM products p"
                " WHERE p.client_id = $1 AND p.shop_id = $2 AND p.in_feed AND EXISTS"
                " (SELECT 1 FROM skus s WHERE s.shop_id = p.shop_id AND s.source_id = p.source_id"
                "  AND s.vtex_sku_id IS NOT NULL AND ($5::jsonb IS NULL OR $5::jsonb ? s.seller_sku"
                "  OR $5::jsonb ? s.source_sku OR $5::jsonb ? s.vtex_sku_id))" DB_JOB_ON_CONFLICT,
                &args, NULL, e);

    if (rc == RC_OK)
        *n = db_affected(tx);
    return rc == RC_OK && *n > 0 ? db_job_schedule(tx, client_id, shop_id, LANE_CATALOG, 0, e) : rc;
}
