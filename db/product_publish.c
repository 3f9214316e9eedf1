/* product_publish.c - what becomes of a product on its way to TikTok: state, create in doubt, acknowledged values. */
#include "db_product.h"

#include <string.h>

#include "str.h"

enum rc db_product_state(struct db_tx *tx, const char *shop_id, const char *source_id,
                         const char *status, const json_t *problems, struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_text(&args, source_id);
    db_arg_text(&args, status);
    db_arg_json(&args, problems);
    return db_exec(tx,
                   "UPDATE products SET status = $3, problems = COALESCE($4::jsonb, '[]'), "
                   "updated_at = now() WHERE shop_id = $1 AND source_id = $2",
                   &args, NULL, e);
}

enum rc db_product_problems_drop(struct db_tx *tx, const char *shop_id, const char *source_id,
                                 const char *const *codes, size_t n, struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_text(&args, source_id);
    db_arg_text_array(&args, codes, n);
    return db_exec(tx,
                   "UPDATE products SET updated_at = now(), problems = coalesce((SELECT "
                   "jsonb_agg(p.one ORDER BY p.at) FROM jsonb_array_elements(problems) "
                   "WITH ORDINALITY AS p(one, at) WHERE NOT p.one ->> 'code' = ANY ($3::text[])), "
                   "'[]') WHERE shop_id = $1 AND source_id = $2 AND EXISTS (SELECT 1 FROM "
                   "jsonb_array_elements(problems) AS p(one) WHERE p.one ->> 'code' = "
                   "ANY ($3::text[]))",
                   &args, NULL, e);
}

enum rc db_product_category(struct db_tx *tx, const char *shop_id, const char *source_id,
                            const char *category_id, const char *chosen_by, struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_text(&args, source_id);
    db_arg_text(&args, str_blank(category_id) ? NULL : category_id);
    db_arg_text(&args, chosen_by);
    return db_exec(tx,
                   "UPDATE products SET tiktok_category_id = $3, category_chosen_by = $4, "
                   "updated_at = now() WHERE shop_id = $1 AND source_id = $2",
                   &args, NULL, e);
}

enum rc db_product_brand(struct db_tx *tx, const char *shop_id, const char *source_id,
                         const char *brand_key, const char *tiktok_brand_id, struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_text(&args, source_id);
    db_arg_text(&args, str_blank(tiktok_brand_id) ? NULL : tiktok_brand_id);
    db_arg_text(&args, brand_key);
    return db_exec(tx,
                   "UPDATE products SET tiktok_brand_id = $3, brand_key = $4, updated_at = now() "
                   "WHERE shop_id = $1 AND source_id = $2 AND (tiktok_brand_id IS DISTINCT FROM $3"
                   " OR brand_key IS DISTINCT FROM $4)",
                   &args, NULL, e);
}

enum rc db_product_create_begin(struct db_tx *tx, const char *shop_id, const char *source_id,
                                char key[132], struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_text(&args, source_id);
    db_arg_text(&args, key);
    enum rc rc = db_exec(tx,
                         "UPDATE products SET status = 'publishing', create_sent_at = now(), "
                         "idempotency_key = COALESCE(idempotency_key, $3), updated_at = now() "
                         "WHERE shop_id = $1 AND source_id = $2 AND tiktok_product_id IS NULL "
                         "RETURNING idempotency_key",
                         &args, &rows, e);

    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_set(e, RC_DUPLICATE, "the product has a TikTok id already");
    if (!str_copy(key, 132, db_text(rows, 0, "idempotency_key")))
        return err_set(e, RC_BUG, "idempotency key is too long");
    return RC_OK;
}

enum rc db_product_create_refused(struct db_tx *tx, const char *shop_id, const char *source_id,
                                  struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_text(&args, source_id);
    return db_exec(tx,
                   "UPDATE products SET create_sent_at = NULL, idempotency_key = NULL, "
                   "updated_at = now() WHERE shop_id = $1 AND source_id = $2",
                   &args, NULL, e);
}

enum rc db_product_published(struct db_tx *tx, const char *shop_id, const char *source_id,
                             const char *tiktok_product_id, const char *published_hash,
                             const json_t *published, const char *status, const json_t *problems,
                             struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_text(&args, source_id);
    db_arg_text(&args, tiktok_product_id);
    db_arg_text(&args, str_blank(published_hash) ? NULL : published_hash);
    db_arg_json(&args, published);
    db_arg_text(&args, status);
    db_arg_json(&args, problems);
    return db_exec(tx,
                   "UPDATE products SET tiktok_product_id = $3, published_hash = $4::uuid, "
                   "published = COALESCE($5::jsonb, published), status = $6, "
                   "problems = COALESCE($7::jsonb, '[]'), create_sent_at = NULL, "
                   "edit_unreviewed = edit_unreviewed || edit_sent, edit_sent = '{}', "
                   "published_at = now(), updated_at = now() WHERE shop_id = $1 AND source_id = $2",
                   &args, NULL, e);
}

enum rc db_product_settled(struct db_tx *tx, const char *shop_id, const char *source_id,
                           const json_t *published, struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_text(&args, source_id);
    db_arg_json(&args, published);
    return db_exec(tx,
                   "UPDATE products SET published = $3::jsonb, updated_at = now() "
                   "WHERE shop_id = $1 AND source_id = $2",
                   &args, NULL, e);
}

enum rc db_product_images_sent(struct db_tx *tx, const char *shop_id, const char *source_id,
                               const char *digest, struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_text(&args, source_id);
    db_arg_text(&args, digest);
    return db_exec(tx, "UPDATE products SET images_sent = $3 WHERE shop_id = $1 AND source_id = $2",
                   &args, NULL, e);
}

enum rc db_product_count_run(struct db_tx *tx, const char *shop_id, const char *source_id,
                             const char *run_id, bool *first, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_text(&args, source_id);
    db_arg_text(&args, run_id);
    enum rc rc =
        db_exec(tx,
                "UPDATE products SET counted_run_id = $3 WHERE shop_id = $1 AND "
                "source_id = $2 AND counted_run_id IS DISTINCT FROM $3 RETURNING source_id",
                &args, &rows, e);

    if (rc == RC_OK)
        *first = db_rows_count(rows) > 0;
    return rc;
}

enum rc db_sku_desired(struct db_tx *tx, const char *shop_id, const struct sku_values *v,
                       struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_text(&args, v->seller_sku);
    db_arg_i64(&args, v->price_minor);
    db_arg_json(&args, v->price_inputs);
    db_arg_i64(&args, v->stock);
    db_arg_json(&args, v->stock_inputs);
    db_arg_json(&args, v->problem);
    return db_exec(
        tx,
        "UPDATE skus SET price_desired_minor = COALESCE(NULLIF($3::bigint, 0), price_desired_minor), "
        "price_inputs = COALESCE($4::jsonb, price_inputs), "
        "stock_desired = COALESCE(NULLIF($5::bigint, -1), stock_desired), "
        "stock_inputs = COALESCE($6::jsonb, stock_inputs), problem = $7::jsonb, "
        "updated_at = now() WHERE shop_id = $1 AND seller_sku = $2",
        &args, NULL, e);
}

enum rc db_sku_published(struct db_tx *tx, const char *shop_id, const char *seller_sku,
                         const char *tiktok_sku_id, int64_t price_minor, int64_t stock,
                         struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_text(&args, seller_sku);
    db_arg_text(&args, str_blank(tiktok_sku_id) ? NULL : tiktok_sku_id);
    db_arg_i64(&args, price_minor);
    db_arg_i64(&args, stock);
    return db_exec(
        tx,
        "UPDATE skus SET tiktok_sku_id = COALESCE($3, tiktok_sku_id), "
        "price_published_minor = COALESCE(NULLIF($4::bigint, 0), price_published_minor), "
        "price_published_at = CASE WHEN $4::bigint <> 0 THEN now() ELSE price_published_at END, "
        "stock_published = COALESCE(NULLIF($5::bigint, -1), stock_published), "
        "stock_published_at = CASE WHEN $5::bigint <> -1 THEN now() ELSE stock_published_at END, "
        "price_sent_minor = CASE WHEN $4::bigint = 0 THEN price_sent_minor END, "
        "stock_sent = CASE WHEN $5::bigint = -1 THEN stock_sent END, "
        "updated_at = now() WHERE shop_id = $1 AND seller_sku = $2",
        &args, NULL, e);
}
