/* rest_list.c - clients, shops, mappings, events, logs and audit rows as documents, page by page. */
#include "db_rest.h"

#include "db_taxonomy.h"
#include "rest_page.h"
#include "str.h"

#include <string.h>

void rest_list_done(struct rest_list *list)
{
    json_decref(list->items);
    memset(list, 0, sizeof *list);
}

enum rc rest_page_run(struct db_tx *tx, const char *sql, struct db_args *args, int limit,
                      struct rest_list *out, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    struct rest_list list = { 0 };
    int n;
    enum rc rc;

    db_arg_i64(args, (int64_t)limit + 1); /* one more tells whether there is a next page */
    rc = db_exec(tx, sql, args, &rows, e);
    if (rc != RC_OK)
        return rc;
    n = db_rows_count(rows);
    list.items = json_array();
    for (int i = 0; i < n && i < limit; i++) {
        if (json_array_append_new(list.items, db_json_new(rows, i, "doc")) != 0) {
            rest_list_done(&list);
            return err_set(e, RC_BUG, "no memory for a list");
        }
    }
    if (n > limit && !str_copy(list.next, sizeof list.next, db_text(rows, limit - 1, "cursor"))) {
        rest_list_done(&list);
        return err_set(e, RC_BUG, "a cursor is too long");
    }
    *out = list;
    return RC_OK;
}

enum rc rest_cursor_id(const char *cursor, int64_t *id, struct err *e)
{
    *id = INT64_MAX;
    if (cursor[0] == '\0' || str_to_i64(cursor, 1, INT64_MAX, id))
        return RC_OK;
    return err_field(e, "cursor", "is not one of ours");
}

enum rc db_rest_clients(struct db_tx *tx, const char *cursor, int limit, struct rest_list *out,
                        struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, cursor);
    return rest_page_run(tx,
                         "SELECT to_jsonb(client_id) AS doc, client_id AS cursor FROM clients"
                         " WHERE client_id > $1 ORDER BY client_id LIMIT $2",
                         &a, limit, out, e);
}

/* Age of the changes that TikTok took within the last day, in seconds. */
#define AGES_SQL(log)                                                                            \
    "(SELECT json_build_object('changes', count(*), 'p50_seconds', (percentile_cont(0.5) WITHIN" \
    " GROUP (ORDER BY l.age_ms) / 1000)::numeric(12, 3)::float8, 'p95_seconds',"                 \
    " (percentile_cont(0.95) WITHIN GROUP (ORDER BY l.age_ms) / 1000)::numeric(12, 3)::float8)"  \
    " FROM " log " l WHERE l.client_id = s.client_id AND l.shop_id = s.shop_id"                  \
    " AND l.age_ms IS NOT NULL AND l.at > now() - interval '24 hours')"

#define OLDEST_SQL                                                                           \
    "connector_time(least((SELECT min(n.changed_at) FROM value_notices n WHERE n.shop_id ="  \
    " s.shop_id AND n.looks = 0), (SELECT min(k.unsent_since) FROM skus k WHERE k.shop_id =" \
    " s.shop_id AND k.unsent_since IS NOT NULL)))"

enum rc db_rest_shops(struct db_tx *tx, const char *client_id, const char *cursor, int limit,
                      struct rest_list *out, struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, client_id);
    db_arg_text(&a, cursor);
    return rest_page_run(
        tx,
        "SELECT json_build_object('shop_id', s.shop_id, 'name', s.name, 'region', s.region,"
        " 'status', s.status, 'access_token_expires_at', connector_time(t.expires_at),"
        " 'authorization_ends_at', connector_time(g.authorization_ends_at),"
        " 'granted_scopes', to_json(g.scopes), 'seller_name', g.seller_name,"
        " 'warehouse_id', s.warehouse_id, 'connected_at', connector_time(s.connected_at),"
        " 'orders_polled_at', connector_time(s.order_polled_at), 'paused', p.paused_reason,"
        " 'freshness', json_build_object('price', " AGES_SQL("tiktok_log_price_product") ", 'stock', " AGES_SQL(
            "tiktok_log_stock") ",'oldest_unsent_at', " OLDEST_SQL "),"
                                " 'notices', CASE WHEN g.expiry_notice_at IS NULL THEN '[]'::json ELSE"
                                " json_build_array(json_build_object('code', 'authorization_ends',"
                                " 'message', 'The authorization of this shop is about to end: the seller should authorize again.',"
                                " 'at', connector_time(g.expiry_notice_at))) END) AS doc, s.shop_id AS cursor"
                                " FROM shops s JOIN tiktok_auth_tokens g ON g.client_id = s.client_id"
                                " AND g.open_id = s.open_id LEFT JOIN tiktok_tokens t ON t.client_id = s.client_id"
                                " AND t.open_id = s.open_id LEFT JOIN shop_schedule p ON p.shop_id = s.shop_id"
                                " WHERE s.client_id = $1 AND s.shop_id > $2 ORDER BY s.shop_id LIMIT $3",
        &a, limit, out, e);
}

#define TAXONOMY_DOC                                                       \
    "json_build_object('source_category', source_category,"                \
    " 'tiktok_category_id', tiktok_category_id, 'attributes', attributes," \
    " 'chosen_by', chosen_by, 'updated_at', connector_time(updated_at),"   \
    " 'tiktok_category_path', (SELECT t.path FROM tiktok_category_tree t"  \
    " WHERE t.client_id = taxonomy_tiktok.client_id"                       \
    " AND t.category_id = tiktok_category_id LIMIT 1)) AS doc"

enum rc db_rest_taxonomy(struct db_tx *tx, const char *client_id, const char *cursor, int limit,
                         struct rest_list *out, struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, client_id);
    db_arg_text(&a, cursor);
    return rest_page_run(tx,
                         "SELECT " TAXONOMY_DOC ", source_category AS cursor FROM taxonomy_tiktok"
                         " WHERE client_id = $1 AND source_category > $2"
                         " ORDER BY source_category LIMIT $3",
                         &a, limit, out, e);
}

enum rc db_rest_taxonomy_get(struct db_tx *tx, const char *client_id, const char *source_category,
                             json_t **doc, struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    json_t *found;
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_text(&a, source_category);
    rc = db_exec(tx,
                 "SELECT " TAXONOMY_DOC " FROM taxonomy_tiktok"
                 " WHERE client_id = $1 AND source_category = $2",
                 &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_code(e, RC_NOT_FOUND, "not_found", "the category has no mapping");
    found = db_json_new(rows, 0, "doc");
    if (found == NULL)
        return err_set(e, RC_BUG, "no memory for a mapping");
    *doc = found;
    return RC_OK;
}

enum rc db_rest_taxonomy_put(struct db_tx *tx, const char *client_id, const char *source_category,
                             const char *tiktok_category_id, const json_t *attributes,
                             const char *who, struct err *e)
{
    struct db_args a = { 0 };
    json_auto_t *none = json_object();
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_text(&a, source_category);
    db_arg_text(&a, tiktok_category_id);
    db_arg_json(&a, attributes != NULL ? attributes : none);
    db_arg_text(&a, who);
    rc = db_exec(tx,
                 "INSERT INTO taxonomy_tiktok (client_id, source_category, tiktok_category_id,"
                 " attributes, chosen_by, updated_by) VALUES ($1, $2, $3, $4, 'mapping', $5)"
                 " ON CONFLICT (client_id, source_category) DO UPDATE SET"
                 " tiktok_category_id = excluded.tiktok_category_id,"
                 " attributes = excluded.attributes, chosen_by = 'mapping',"
                 " updated_by = excluded.updated_by, updated_at = now()",
                 &a, NULL, e);
    return rc == RC_OK ? db_taxonomy_republish(tx, client_id, &source_category, 1, e) : rc;
}

#define LOG_SQL(table, more)                                                                       \
    "SELECT json_build_object('at', connector_time(at), 'entity', entity, 'old', old, 'new', new," \
    " 'outcome', outcome, 'platform_code', platform_code, 'request_id', request_id,"               \
    " 'run_id', run_id, 'message', message, 'shop_id', shop_id" more                               \
    ") AS doc, id::text AS cursor"                                                                 \
    " FROM " table " WHERE client_id = $1 AND id < $2 AND ($3::text IS NULL OR entity = $3)"       \
    " AND ($4::text IS NULL OR run_id = $4) ORDER BY id DESC LIMIT $5"

enum rc db_rest_logs(struct db_tx *tx, const char *client_id, enum rest_log log,
                     const struct logs_filter *filter, const char *cursor, int limit,
                     struct rest_list *out, struct err *e)
{
    static const char *const SQL[] = {
        [REST_LOG_PRODUCT] = LOG_SQL("tiktok_log_product", ", 'changes', changes"),
        [REST_LOG_PRICE] = LOG_SQL("tiktok_log_price_product", ", 'inputs', inputs"),
        [REST_LOG_STOCK] = LOG_SQL("tiktok_log_stock", ", 'inputs', inputs"),
        [REST_LOG_ORDER] = LOG_SQL("tiktok_log_order", ""),
    };
    struct db_args a = { 0 };
    int64_t before = 0;
    enum rc rc = rest_cursor_id(cursor, &before, e);

    if (rc != RC_OK)
        return rc;
    db_arg_text(&a, client_id);
    db_arg_i64(&a, before);
    db_arg_text(&a, filter->entity);
    db_arg_text(&a, filter->run_id);
    return rest_page_run(tx, SQL[log], &a, limit, out, e);
}

enum rc db_rest_audit(struct db_tx *tx, const char *client_id, const char *cursor, int limit,
                      struct rest_list *out, struct err *e)
{
    struct db_args a = { 0 };
    int64_t before = 0;
    enum rc rc = rest_cursor_id(cursor, &before, e);

    if (rc != RC_OK)
        return rc;
    db_arg_text(&a, client_id);
    db_arg_i64(&a, before);
    return rest_page_run(tx,
                         "SELECT json_build_object('id', id::text, 'at', connector_time(at),"
                         " 'who', who, 'action', action, 'detail', detail) AS doc,"
                         " id::text AS cursor FROM audit WHERE client_id = $1 AND id < $2"
                         " ORDER BY id DESC LIMIT $3",
                         &a, limit, out, e);
}
