/* product.c - products and SKUs: reading one to publish it, writing what the feed says of it. */
#include "db_product.h"

#include <stdlib.h>
#include <string.h>

#include "str.h"

static const char GET_SQL[] =
    "SELECT shop_id, source_id, client_id, status, title, desired, published, desired_hash::text AS desired_hash, "
    "published_hash::text AS published_hash, in_feed, tiktok_product_id, idempotency_key, create_sent_at, "
    "source_category, tiktok_category_id, category_chosen_by, tiktok_brand_id, published_at, counted_run_id, "
    "shelf, shelf_due_at IS NOT NULL AS shelf_due, adopted_at IS NOT NULL AS adopted, images_sent, "
    "kept_back <> '[]' OR EXISTS (SELECT 1 FROM skus k WHERE k.shop_id = $1 AND k.source_id = $2 "
    "AND k.kept_back <> '[]') AS kept_back, problems, tiktok_status, values_seq, edit_sent, edit_unreviewed "
    "FROM products WHERE shop_id = $1 AND source_id = $2";

static const char SKUS_SQL[] =
    "SELECT seller_sku, source_sku, vtex_sku_id, tiktok_sku_id, currency, feed_price_minor, feed_available, "
    "COALESCE(feed_quantity, -1) AS feed_quantity, price_published_minor, "
    "COALESCE(stock_published, -1) AS stock_published, "
    "(price_desired_minor IS DISTINCT FROM price_published_minor OR stock_desired IS DISTINCT FROM stock_published) "
    "AS values_differ, price_sent_minor IS NOT NULL AS price_doubt, stock_sent IS NOT NULL AS stock_doubt, "
    "price_hold_minor, price_approved_minor, stock_warehouses, problem->>'code' AS problem_code FROM skus "
    "WHERE shop_id = $1 AND source_id = $2 ORDER BY position, seller_sku";

static void copy_cell(char *dst, size_t cap, const struct db_rows *rows, int row,
                      const char *column)
{
    const char *text = db_text(rows, row, column);

    (void)str_copy(dst, cap, text ? text : "");
}

static void read_texts(struct product *p, const struct db_rows *rows)
{
    copy_cell(p->shop_id, sizeof(p->shop_id), rows, 0, "shop_id");
    copy_cell(p->source_id, sizeof(p->source_id), rows, 0, "source_id");
    copy_cell(p->client_id, sizeof(p->client_id), rows, 0, "client_id");
    copy_cell(p->status, sizeof(p->status), rows, 0, "status");
    copy_cell(p->desired_hash, sizeof(p->desired_hash), rows, 0, "desired_hash");
    copy_cell(p->published_hash, sizeof(p->published_hash), rows, 0, "published_hash");
    copy_cell(p->tiktok_product_id, sizeof(p->tiktok_product_id), rows, 0, "tiktok_product_id");
    copy_cell(p->idempotency_key, sizeof(p->idempotency_key), rows, 0, "idempotency_key");
    copy_cell(p->tiktok_category_id, sizeof(p->tiktok_category_id), rows, 0, "tiktok_category_id");
    copy_cell(p->category_chosen_by, sizeof(p->category_chosen_by), rows, 0, "category_chosen_by");
    copy_cell(p->tiktok_brand_id, sizeof(p->tiktok_brand_id), rows, 0, "tiktok_brand_id");
    copy_cell(p->tiktok_status, sizeof(p->tiktok_status), rows, 0, "tiktok_status");
    copy_cell(p->counted_run_id, sizeof(p->counted_run_id), rows, 0, "counted_run_id");
}

static enum rc read_product(struct product *p, const struct db_rows *rows, struct err *e)
{
    read_texts(p, rows);
    p->in_feed = db_bool(rows, 0, "in_feed");
    copy_cell(p->shelf, sizeof(p->shelf), rows, 0, "shelf");
    p->shelf_due = db_bool(rows, 0, "shelf_due");
    p->values_version = db_i64(rows, 0, "values_seq");
    p->adopted = db_bool(rows, 0, "adopted");
    p->kept_back = db_bool(rows, 0, "kept_back");
    copy_cell(p->images_sent, sizeof(p->images_sent), rows, 0, "images_sent");
    p->create_sent_us = db_time(rows, 0, "create_sent_at");
    p->published_us = db_time(rows, 0, "published_at");
    p->title = str_dup(db_text(rows, 0, "title"));
    p->source_category = str_dup(db_text(rows, 0, "source_category"));
    p->desired = db_json_new(rows, 0, "desired");
    p->published = db_json_new(rows, 0, "published");
    p->problems = db_json_new(rows, 0, "problems");
    p->edit_sent = db_json_new(rows, 0, "edit_sent");
    p->edit_unreviewed = db_json_new(rows, 0, "edit_unreviewed");
    if (p->title == NULL || p->source_category == NULL || p->desired == NULL ||
        p->problems == NULL || p->edit_sent == NULL || p->edit_unreviewed == NULL)
        return err_set(e, RC_BUG, "out of memory");
    return RC_OK;
}

static void read_sku(struct sku *sku, const struct db_rows *rows, int row)
{
    copy_cell(sku->seller_sku, sizeof(sku->seller_sku), rows, row, "seller_sku");
    copy_cell(sku->source_sku, sizeof(sku->source_sku), rows, row, "source_sku");
    copy_cell(sku->vtex_sku_id, sizeof(sku->vtex_sku_id), rows, row, "vtex_sku_id");
    copy_cell(sku->tiktok_sku_id, sizeof(sku->tiktok_sku_id), rows, row, "tiktok_sku_id");
    copy_cell(sku->currency, sizeof(sku->currency), rows, row, "currency");
    sku->feed_price_minor = db_i64(rows, row, "feed_price_minor");
    sku->feed_available = db_bool(rows, row, "feed_available");
    sku->feed_quantity = db_i64(rows, row, "feed_quantity");
    sku->price_published_minor = db_i64(rows, row, "price_published_minor");
    sku->stock_published = db_i64(rows, row, "stock_published");
    sku->values_differ = db_bool(rows, row, "values_differ");
    sku->price_doubt = db_bool(rows, row, "price_doubt");
    sku->stock_doubt = db_bool(rows, row, "stock_doubt");
    sku->price_hold_minor = db_i64(rows, row, "price_hold_minor");
    sku->price_approved_minor = db_i64(rows, row, "price_approved_minor");
    sku->warehouses = db_json_new(rows, row, "stock_warehouses");
    copy_cell(sku->problem_code, sizeof(sku->problem_code), rows, row, "problem_code");
}

static enum rc read_skus(struct db_tx *tx, struct product *p, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args args = { 0 };

    db_arg_text(&args, p->shop_id);
    db_arg_text(&args, p->source_id);
    enum rc rc = db_exec(tx, SKUS_SQL, &args, &rows, e);

    if (rc != RC_OK)
        return rc;

    int n = db_rows_count(rows);

    p->skus = calloc(n > 0 ? (size_t)n : 1, sizeof(*p->skus));
    if (p->skus == NULL)
        return err_set(e, RC_BUG, "out of memory");
    p->n_skus = n;
    for (int i = 0; i < n; i++)
        read_sku(&p->skus[i], rows, i);
    return RC_OK;
}

enum rc db_product_get(struct db_tx *tx, const char *shop_id, const char *source_id,
                       struct product *out, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args args = { 0 };
    struct product p = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_text(&args, source_id);
    enum rc rc = db_exec(tx, GET_SQL, &args, &rows, e);

    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_code(e, RC_NOT_FOUND, "no_such_product", "there is no such product");

    rc = read_product(&p, rows, e);
    if (rc == RC_OK)
        rc = read_skus(tx, &p, e);
    if (rc == RC_OK)
        *out = p;
    else
        db_product_done(&p);
    return rc;
}

void db_product_done(struct product *p)
{
    free(p->title);
    free(p->source_category);
    for (int i = 0; i < p->n_skus; i++)
        json_decref(p->skus[i].warehouses);
    free(p->skus);
    json_decref(p->desired);
    json_decref(p->published);
    json_decref(p->problems);
    json_decref(p->edit_sent);
    json_decref(p->edit_unreviewed);
    *p = (struct product){ 0 };
}

enum rc db_product_by_tiktok(struct db_tx *tx, const char *shop_id, const char *tiktok_product_id,
                             char source_id[256], struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_text(&args, tiktok_product_id);
    enum rc rc =
        db_exec(tx, "SELECT source_id FROM products WHERE shop_id = $1 AND tiktok_product_id = $2",
                &args, &rows, e);

    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_code(e, RC_NOT_FOUND, "no_such_product", "no product of ours");
    copy_cell(source_id, 256, rows, 0, "source_id");
    return RC_OK;
}

enum rc db_product_put_desired(struct db_tx *tx, const char *client_id, const char *shop_id,
                               const char *source_id, const char *title, const char *brand,
                               const char *source_category, const json_t *desired,
                               const char *desired_hash, const char *run_id, struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_text(&args, source_id);
    db_arg_text(&args, client_id);
    db_arg_text(&args, title ? title : "");
    db_arg_text(&args, str_blank(brand) ? NULL : brand);
    db_arg_text(&args, source_category ? source_category : "");
    db_arg_json(&args, desired);
    db_arg_text(&args, desired_hash);
    db_arg_text(&args, str_blank(run_id) ? NULL : run_id);
    return db_exec(
        tx,
        "INSERT INTO products (shop_id, source_id, client_id, title, brand, source_category, desired, desired_hash, "
        "last_run_id) VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8::uuid, $9) "
        "ON CONFLICT (shop_id, source_id) DO UPDATE SET title = EXCLUDED.title, brand = EXCLUDED.brand, "
        "source_category = EXCLUDED.source_category, desired = EXCLUDED.desired, "
        "desired_hash = EXCLUDED.desired_hash, last_run_id = EXCLUDED.last_run_id, in_feed = true, "
        "absent_feeds = 0, updated_at = now()",
        &args, NULL, e);
}

enum rc db_sku_put_feed(struct db_tx *tx, const char *client_id, const char *shop_id,
                        const char *source_id, int position, const struct sku *sku, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_text(&args, sku->seller_sku);
    db_arg_text(&args, client_id);
    db_arg_text(&args, source_id);
    db_arg_text(&args, sku->source_sku);
    db_arg_i64(&args, position);
    db_arg_text(&args, sku->vtex_sku_id[0] ? sku->vtex_sku_id : NULL);
    db_arg_text(&args, sku->currency[0] ? sku->currency : "BRL");
    db_arg_i64(&args, sku->feed_price_minor);
    db_arg_bool(&args, sku->feed_available);
    db_arg_i64(&args, sku->feed_quantity);
    enum rc rc = db_exec(
        tx,
        "INSERT INTO skus (shop_id, seller_sku, client_id, source_id, source_sku, position, vtex_sku_id, currency, "
        "feed_price_minor, feed_available, feed_quantity) VALUES ($1, $2, $3, $4, $5, $6::integer, $7, $8, "
        "NULLIF($9::bigint, 0), $10::boolean, NULLIF($11::bigint, -1)) "
        "ON CONFLICT (shop_id, seller_sku) DO UPDATE SET source_id = EXCLUDED.source_id, "
        "source_sku = EXCLUDED.source_sku, position = EXCLUDED.position, "
        "vtex_sku_id = COALESCE(EXCLUDED.vtex_sku_id, skus.vtex_sku_id), currency = EXCLUDED.currency, "
        "feed_price_minor = EXCLUDED.feed_price_minor, feed_available = EXCLUDED.feed_available, "
        "feed_quantity = EXCLUDED.feed_quantity, updated_at = now() "
        "WHERE skus.source_id = EXCLUDED.source_id OR (skus.tiktok_sku_id IS NULL AND NOT EXISTS "
        "(SELECT 1 FROM products p WHERE p.shop_id = skus.shop_id AND p.source_id = skus.source_id AND p.in_feed)) "
        "RETURNING seller_sku",
        &args, &rows, e);

    if (rc == RC_OK && db_rows_count(rows) == 0)
        return err_code(e, RC_DUPLICATE, "duplicate_sku", "SKU %s belongs to another product",
                        sku->seller_sku);
    return rc;
}

enum rc db_sku_prune(struct db_tx *tx, const char *shop_id, const char *source_id,
                     const char *const *seller_skus, size_t n, struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_text(&args, source_id);
    db_arg_text_array(&args, seller_skus, n);
    return db_exec(
        tx,
        "DELETE FROM skus WHERE shop_id = $1 AND source_id = $2 AND tiktok_sku_id IS NULL "
        "AND NOT (seller_sku = ANY ($3::text[]))",
        &args, NULL, e);
}

enum rc db_sku_delete(struct db_tx *tx, const char *shop_id, const char *source_id,
                      const char *seller_sku, struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_text(&args, source_id);
    db_arg_text(&args, seller_sku);
    return db_exec(tx, "DELETE FROM skus WHERE shop_id = $1 AND source_id = $2 AND seller_sku = $3",
                   &args, NULL, e);
}

enum rc db_sku_by_source(struct db_tx *tx, const char *shop_id, const char *source_id,
                         const char *source_sku, char seller_sku[SKU_BYTES], struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_text(&args, source_id);
    db_arg_text(&args, source_sku);
    enum rc rc = db_exec(tx,
                         "SELECT seller_sku FROM skus WHERE shop_id = $1 AND source_id = $2 AND "
                         "source_sku = $3 ORDER BY position LIMIT 1",
                         &args, &rows, e);

    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_code(e, RC_NOT_FOUND, "no_such_sku", "no SKU of ours");
    copy_cell(seller_sku, SKU_BYTES, rows, 0, "seller_sku");
    return RC_OK;
}
