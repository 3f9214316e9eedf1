/* product_show.c - products as REST shows them: one query builds the documents. */
#include "db_product.h"

#include <string.h>

#include "shelf_sql.h"
#include "str.h"

/* The client's test shop, which is shown apart. */
#define SANDBOX_SHOP_SQL \
    "COALESCE((SELECT c.sandbox_shop_id FROM clients c WHERE c.client_id = $1), '')"

#define TIME_SQL(column) "to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
#define MONEY_SQL(column) "(" column " / 100.0)::numeric(20, 2)::text"

#define SKU_SQL                                                                                                                                                                       \
    "json_build_object('seller_sku', s.seller_sku, 'source_sku', s.source_sku, "                                                                                                      \
    "'kept_back', s.kept_back, 'vtex_sku_id', s.vtex_sku_id, 'tiktok_sku_id', s.tiktok_sku_id, "                                                                                      \
    "'price', json_build_object('desired', " MONEY_SQL(                                                                                                                               \
        "s.price_desired_minor") ", "                                                                                                                                                 \
                                 "'published', " MONEY_SQL(                                                                                                                           \
                                     "s.price_published_minor") ", 'currency', s.currency, "                                                                                          \
                                                                "'published_at', " TIME_SQL(                                                                                          \
                                                                    "s.price_published_at") "), "                                                                                     \
                                                                                            "'stock', json_build_object('desired', s.stock_desired, 'published', s.stock_published, " \
                                                                                            "'published_at', " TIME_SQL(                                                              \
                                                                                                "s.stock_published_at") "))"

#define ITEM_SQL                                                                              \
    "json_build_object('source_id', p.source_id, 'title', p.title, "                          \
    "'tiktok_product_id', p.tiktok_product_id, 'status', p.status, "                          \
    "'category', json_build_object('source', p.source_category, "                             \
    "'tiktok_category_id', p.tiktok_category_id, 'chosen_by', p.category_chosen_by), "        \
    "'brand', json_build_object('source', p.brand, 'tiktok_brand_id', p.tiktok_brand_id), "   \
    "'skus', COALESCE((SELECT json_agg(" SKU_SQL                                              \
    " ORDER BY s.position, s.seller_sku) FROM skus s "                                        \
    "WHERE s.shop_id = p.shop_id AND s.source_id = p.source_id), '[]'::json), "               \
    "'problems', p.problems || COALESCE((SELECT jsonb_agg(s.problem ORDER BY s.position) "    \
    "FROM skus s WHERE s.shop_id = p.shop_id AND s.source_id = p.source_id "                  \
    "AND s.problem IS NOT NULL), '[]'::jsonb), "                                              \
    "'kept_back', p.kept_back || CASE WHEN p.shelf_due_at IS NOT NULL AND NOT " SHELF_MAY_SQL \
    " THEN '[{\"what\": \"activation\"}]'::jsonb ELSE '[]' END, 'updated_at', " TIME_SQL(     \
        "p.updated_at") ")"

static const char LIST_SQL[] =
    "SELECT p.source_id, " ITEM_SQL " AS item FROM products p WHERE p.client_id = $1 "
    "AND ($2::text = '' OR p.status = $2::text) "
    "AND ($3::text = '' OR strpos(lower(p.title), lower($3::text)) > 0 OR p.source_id = $3::text "
    "OR p.source_id IN (SELECT q.source_id FROM shops h JOIN skus q ON q.shop_id = h.shop_id "
    "WHERE h.client_id = $1 AND q.seller_sku = $3::text)) "
    "AND (p.shop_id = " SANDBOX_SHOP_SQL ") = $6::boolean "
    "AND p.source_id > $4::text ORDER BY p.source_id, p.shop_id LIMIT $5::bigint";

enum rc db_product_list(struct db_tx *tx, const char *client_id, const char *status, const char *q,
                        const char *after, bool sandbox, int limit, json_t **items, char next[256],
                        struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    json_auto_t *list = json_array();
    struct db_args args = { 0 };
    int wanted = limit < 1 ? 1 : limit > 200 ? 200 : limit;

    db_arg_text(&args, client_id);
    db_arg_text(&args, status ? status : "");
    db_arg_text(&args, q ? q : "");
    db_arg_text(&args, after ? after : "");
    db_arg_i64(&args, wanted + 1); /* one more tells whether there is a next page */
    db_arg_bool(&args, sandbox);
    enum rc rc = db_exec(tx, LIST_SQL, &args, &rows, e);

    if (rc != RC_OK)
        return rc;

    int n = db_rows_count(rows);
    int shown = n > wanted ? wanted : n;

    for (int i = 0; i < shown; i++)
        if (json_array_append_new(list, db_json_new(rows, i, "item")) != 0)
            return err_set(e, RC_BUG, "out of memory");
    next[0] = '\0';
    if (n > wanted && !str_copy(next, 256, db_text(rows, shown - 1, "source_id")))
        return err_set(e, RC_BUG, "source id is too long");
    *items = json_incref(list);
    return RC_OK;
}

static enum rc one_json(struct db_tx *tx, const char *sql, struct db_args *args, const char *what,
                        json_t **out, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc = db_exec(tx, sql, args, &rows, e);

    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_code(e, RC_NOT_FOUND, "not_found", "there is no such %s", what);

    json_t *found = db_json_new(rows, 0, "item");

    if (found == NULL)
        return err_set(e, RC_BUG, "out of memory");
    *out = found;
    return RC_OK;
}

enum rc db_product_show(struct db_tx *tx, const char *client_id, const char *source_id,
                        bool sandbox, json_t **out, struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, client_id);
    db_arg_text(&args, source_id);
    db_arg_bool(&args, sandbox);
    return one_json(tx,
                    "SELECT " ITEM_SQL
                    " AS item FROM products p JOIN shops h ON h.shop_id = p.shop_id "
                    "WHERE p.client_id = $1 AND p.source_id = $2 "
                    "AND (p.shop_id = " SANDBOX_SHOP_SQL ") = $3::boolean "
                    "ORDER BY h.status = 'connected' DESC, h.connected_at LIMIT 1",
                    &args, "product", out, e);
}

#define EXPLAIN_SQL(inputs, result, published, published_at, log, waiting)                               \
    "json_build_object('inputs', COALESCE(" inputs "->'inputs', '[]'), "                                 \
    "'rules', COALESCE(" inputs "->'rules', '[]'), 'result', " result ", "                               \
    "'published', " published ", 'published_at', " TIME_SQL(                                             \
        published_at) ", "                                                                               \
                      "'request_id', (SELECT l.request_id FROM " log                                     \
                      " l WHERE l.client_id = s.client_id "                                              \
                      "AND l.entity = s.seller_sku ORDER BY l.at DESC LIMIT 1), 'waiting_for', " waiting \
                      ")"

#define WAITING_SQL(desired, published, what)                                            \
    "CASE WHEN '" what "' = 'price' AND s.price_hold_minor IS NOT NULL THEN 'approval' " \
    "WHEN " desired " IS NOT DISTINCT FROM " published " THEN NULL "                     \
    "WHEN s.kept_back @> '[{\"what\": \"" what "\"}]' THEN 'switch' "                    \
    "WHEN s.value_lock ? '" what "' THEN 'promotion' "                                   \
    "WHEN p.status = 'in_review' THEN 'review' WHEN p.status = 'held' THEN 'held' "      \
    "WHEN p.status = 'rejected' THEN 'correction' ELSE 'publication' END"

enum rc db_sku_explain(struct db_tx *tx, const char *client_id, const char *seller_sku,
                       bool sandbox, json_t **out, struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, client_id);
    db_arg_text(&args, seller_sku);
    db_arg_bool(&args, sandbox);
    return one_json(
        tx,
        "SELECT json_build_object('seller_sku', s.seller_sku, 'price', " EXPLAIN_SQL(
            "s.price_inputs", MONEY_SQL("s.price_desired_minor"),
            MONEY_SQL("s.price_published_minor"), "s.price_published_at",
            "tiktok_log_price_product",
            WAITING_SQL(
                "s.price_desired_minor", "s.price_published_minor",
                "price")) ", 'stock', " EXPLAIN_SQL("s.stock_inputs", "s.stock_desired",
                                                    "s.stock_published", "s.stock_published_at",
                                                    "tiktok_log_stock",
                                                    WAITING_SQL(
                                                        "s.stock_desired", "s.stock_published",
                                                        "stock")) ") AS item FROM skus s JOIN products p ON p.shop_id = s.shop_id AND p.source_id = s.source_id "
                                                                  "WHERE s.client_id = $1 AND s.seller_sku = $2 AND (s.shop_id = " SANDBOX_SHOP_SQL
                                                                  ") = $3::boolean ORDER BY s.updated_at DESC LIMIT 1",
        &args, "SKU", out, e);
}
