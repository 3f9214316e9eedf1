/* product_review.c - what TikTok's review made of a product, and what its notifications said beside it. */
#include "db_product.h"

#include "str.h"

enum rc db_product_audit(struct db_tx *tx, const char *shop_id, const char *source_id,
                         const char *status, const char *tiktok_status, const char *audit_status,
                         const json_t *problems, struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_text(&args, source_id);
    db_arg_text(&args, status);
    db_arg_text(&args, str_blank(tiktok_status) ? NULL : tiktok_status);
    db_arg_text(&args, str_blank(audit_status) ? NULL : audit_status);
    db_arg_json(&args, problems);
    return db_exec(tx,
                   "UPDATE products SET status = $3, tiktok_status = COALESCE($4, tiktok_status), "
                   "audit_status = COALESCE($5, audit_status), "
                   "problems = COALESCE($6::jsonb, problems), updated_at = now() "
                   "WHERE shop_id = $1 AND source_id = $2",
                   &args, NULL, e);
}

enum rc db_product_diverged(struct db_tx *tx, const char *shop_id, const char *source_id,
                            const char *const *members, size_t n, struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_text(&args, source_id);
    db_arg_text_array(&args, members, n);
    return db_exec(tx,
                   "UPDATE products SET published = published - $3::text[], updated_at = now() "
                   "WHERE shop_id = $1 AND source_id = $2 AND published IS NOT NULL",
                   &args, NULL, e);
}

enum rc db_product_category_followed(struct db_tx *tx, const char *shop_id, const char *source_id,
                                     const char *category_id, struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_text(&args, source_id);
    db_arg_text(&args, category_id);
    return db_exec(tx,
                   "UPDATE products SET tiktok_category_id = $3, category_chosen_by = 'operator', "
                   "published = published || jsonb_build_object('category_id', $3::text), "
                   "updated_at = now() WHERE shop_id = $1 AND source_id = $2",
                   &args, NULL, e);
}

enum rc db_product_event(struct db_tx *tx, const char *shop_id, const char *tiktok_product_id,
                         int topic, int64_t since_us, struct buf *body, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_text(&args, tiktok_product_id);
    db_arg_i64(&args, topic);
    db_arg_time(&args, since_us);
    enum rc rc = db_exec(tx,
                         "SELECT body FROM events WHERE shop_id = $1 AND entity = $2 "
                         "AND topic = $3 AND topic IN (5, 15, 37) AND source = 'tiktok' "
                         "AND state = 'stored' AND received_at > $4 "
                         "ORDER BY received_at DESC, id DESC LIMIT 1",
                         &args, &rows, e);

    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_set(e, RC_NOT_FOUND, "no such notification");
    return db_bytes(rows, 0, "body", body, e);
}

static enum rc of_product(struct db_tx *tx, const char *sql, const char *shop_id,
                          const char *source_id, const json_t *members, struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_text(&args, source_id);
    if (members != NULL)
        db_arg_json(&args, members);
    return db_exec(tx, sql, &args, NULL, e);
}

enum rc db_product_edit_begin(struct db_tx *tx, const char *shop_id, const char *source_id,
                              const json_t *members, struct err *e)
{
    return of_product(tx,
                      "UPDATE products SET edit_sent = edit_sent || $3::jsonb WHERE shop_id = $1 "
                      "AND source_id = $2",
                      shop_id, source_id, members, e);
}

enum rc db_product_edit_refused(struct db_tx *tx, const char *shop_id, const char *source_id,
                                const json_t *before, struct err *e)
{
    return of_product(tx,
                      "UPDATE products SET edit_sent = $3::jsonb WHERE shop_id = $1 AND "
                      "source_id = $2",
                      shop_id, source_id, before, e);
}

enum rc db_product_edit_passed(struct db_tx *tx, const char *shop_id, const char *source_id,
                               struct err *e)
{
    return of_product(tx,
                      "UPDATE products SET edit_unreviewed = '{}' WHERE shop_id = $1 AND "
                      "source_id = $2 AND edit_unreviewed <> '{}'",
                      shop_id, source_id, NULL, e);
}

enum rc db_product_edit_undone(struct db_tx *tx, const char *shop_id, const char *source_id,
                               const char *const *sku_ids, size_t n, bool *any, struct err *e)
{
    struct db_args args = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;

    db_arg_text(&args, shop_id);
    db_arg_text(&args, source_id);
    db_arg_text_array(&args, sku_ids, n);
    enum rc rc = db_exec(
        tx,
        "UPDATE skus SET tiktok_sku_id = NULL, price_published_minor = NULL, "
        "price_published_at = NULL, stock_published = NULL, stock_published_at = NULL, "
        "price_sent_minor = NULL, stock_sent = NULL, stock_warehouses = NULL, "
        "updated_at = now() WHERE shop_id = $1 AND source_id = $2 "
        "AND tiktok_sku_id IS NOT NULL AND tiktok_sku_id <> ALL ($3::text[]) RETURNING seller_sku",
        &args, &rows, e);

    if (rc == RC_OK)
        *any = db_rows_count(rows) > 0;
    return rc;
}
