/* order_list.c - orders and unlinked SKUs as the REST interface shows them. */
#include "db_order.h"

#include "clock.h"
#include "str.h"

#include <inttypes.h>
#include <string.h>

#define ORDER_LIST_DEFAULT 50

/* What keeps the order's job from going on, when the order itself does not say why it failed. */
#define ORDER_JOB_PROBLEM                                                                            \
    "(SELECT jsonb_build_array(jsonb_build_object('code', coalesce(j.problem->>'code', j.outcome),"  \
    " 'message', coalesce(j.problem->>'detail', ''), 'action', 'import the order again'))"           \
    " FROM jobs j WHERE j.shop_id = t.shop_id AND j.kind = 'order_import' AND j.entity = t.order_id" \
    " AND j.state = 'parked' AND t.state <> 'failed')"

/* Parcels as they were read last; before that, what the order itself said of them. */
#define ORDER_PACKAGES                                                                            \
    "coalesce((SELECT jsonb_agg(jsonb_build_object('package_id', p.package_id, 'state', p.state," \
    " 'tracking_number', nullif(p.tracking_number, ''), 'carrier', nullif(p.carrier, ''),"        \
    " 'shipment', p.ship_state, 'shipping_type', p.shipping_type, 'reason', p.ship_reason)"       \
    " ORDER BY p.created_at, p.package_id) FROM packages p WHERE p.shop_id = t.shop_id"           \
    " AND p.order_ids @> ARRAY[t.order_id] AND NOT p.gone), t.packages)"

/* One order in the shape of the interface; used by list and get with the alias t. */
#define ORDER_JSON(timeline)                                                                                \
    "json_build_object('order_id', t.order_id, 'tiktok_status', t.tiktok_status, 'state', t.state,"         \
    " 'vtex_order_id', t.vtex_order_id, 'vtex_status', t.vtex_status, 'total', json_build_object("          \
    "'amount', (coalesce(t.total_minor, 0) / 100)::text || '.' ||"                                          \
    " lpad((coalesce(t.total_minor, 0) % 100)::text, 2, '0'), 'currency', t.currency),"                     \
    " 'items', t.items, 'invoice', json_build_object('state', t.invoice_state, 'reason', t.invoice_reason," \
    " 'reason_pt', t.invoice_reason_pt), 'packages', " ORDER_PACKAGES                                       \
    ", 'ship_by', to_char(t.ship_by, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"                                    \
    " 'paid_at', to_char(t.paid_at, 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"                                     \
    " 'shop_id', t.shop_id, 'found_by', t.found_by,"                                                        \
    " 'cancellation', CASE t.cancel_step"                                                                   \
    " WHEN 'none' THEN NULL ELSE json_build_object('state', t.cancel_step, 'began_in', t.cancel_by,"        \
    " 'reason', t.cancel_reason) END,"                                                                      \
    " 'created_at', to_char(t.created_at, 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'),"                            \
    " 'updated_at', to_char(t.updated_at, 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'),"                            \
    " 'problems', t.problems || t.fulfil_problems || coalesce(" ORDER_JOB_PROBLEM                           \
    ", '[]')" timeline ")"

static enum rc filter_time(const char *text, const char *field, int64_t *us, struct err *e)
{
    *us = 0;
    if (!text || text[0] == '\0')
        return RC_OK;
    if (!clock_read(text, us))
        return err_field(e, field, "%s must be an RFC 3339 time", field);
    return RC_OK;
}

/* "<microseconds>.<order id>" of the last order of the page before. */
static enum rc cursor_read(const char *text, int64_t *us, const char **order_id, struct err *e)
{
    char number[32];
    const char *dot = text ? strchr(text, '.') : NULL;

    *us = 0;
    *order_id = "";
    if (!text || text[0] == '\0')
        return RC_OK;
    if (!dot || (size_t)(dot - text) >= sizeof number)
        return err_field(e, "cursor", "cursor is not one of ours");
    memcpy(number, text, (size_t)(dot - text));
    number[dot - text] = '\0';
    if (!str_to_i64(number, 1, INT64_MAX, us))
        return err_field(e, "cursor", "cursor is not one of ours");
    *order_id = dot + 1;
    return RC_OK;
}

static enum rc state_check(const char *state, struct err *e)
{
    static const char *const words[] = { "received", "on_hold",   "waiting_mapping", "importing",
                                         "in_doubt", "imported",  "authorized",      "invoiced",
                                         "shipped",  "delivered", "completed",       "cancelled",
                                         "failed" };

    if (!state || state[0] == '\0')
        return RC_OK;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (str_eq(state, words[i]))
            return RC_OK;
    }
    return err_field(e, "state", "state is not one of the states of an order");
}

static enum rc list_read(const struct db_rows *rows, int limit, json_t **items, char next[160],
                         struct err *e)
{
    json_auto_t *list = json_array();
    int n = db_rows_count(rows);

    next[0] = '\0';
    for (int i = 0; i < n && i < limit; i++) {
        if (!list || json_array_append_new(list, db_json_new(rows, i, "doc")) != 0)
            return err_set(e, RC_BUG, "out of memory");
    }
    if (!list)
        return err_set(e, RC_BUG, "out of memory");
    if (n > limit)
        (void)str_fmt(next, 160, "%" PRId64 ".%s", db_time(rows, limit - 1, "created_at"),
                      db_text(rows, limit - 1, "order_id"));
    *items = json_incref(list);
    return RC_OK;
}

enum rc db_order_list(struct db_tx *tx, const char *client_id, const struct order_filter *filter,
                      json_t **items, char next[160], struct err *e)
{
    static const char sql[] = "SELECT t.order_id, t.created_at, " ORDER_JSON(
        "") " AS doc FROM tiktok_orders t"
            " WHERE t.client_id = $1 AND ($2 = '' OR t.state = $2)"
            " AND ($3::timestamptz IS NULL OR t.created_at >= $3::timestamptz)"
            " AND ($4::timestamptz IS NULL OR t.created_at < $4::timestamptz)"
            " AND ($5 = '' OR strpos(t.order_id, $5) > 0 OR strpos(coalesce(t.vtex_order_id, ''), $5) > 0"
            "  OR EXISTS (SELECT FROM jsonb_array_elements(t.items) i WHERE strpos(i->>'seller_sku', $5) > 0))"
            " AND ($6::timestamptz IS NULL OR (t.created_at, t.order_id) < ($6::timestamptz, $7))"
            " ORDER BY t.created_at DESC, t.order_id DESC LIMIT $8::bigint";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    const char *after = "";
    int64_t from = 0, to = 0, cursor = 0;
    int limit = filter->limit > 0 ? filter->limit : ORDER_LIST_DEFAULT;
    enum rc rc = filter_time(filter->from, "from", &from, e);

    if (rc == RC_OK)
        rc = filter_time(filter->to, "to", &to, e);
    if (rc == RC_OK)
        rc = cursor_read(filter->cursor, &cursor, &after, e);
    if (rc == RC_OK)
        rc = state_check(filter->state, e);
    if (rc != RC_OK)
        return rc;
    if (limit > ORDER_LIST_MAX)
        limit = ORDER_LIST_MAX;
    db_arg_text(&a, client_id);
    db_arg_text(&a, filter->state ? filter->state : "");
    db_arg_time(&a, from);
    db_arg_time(&a, to);
    db_arg_text(&a, filter->q ? filter->q : "");
    db_arg_time(&a, cursor);
    db_arg_text(&a, after);
    db_arg_i64(&a, limit + 1);
    rc = db_exec(tx, sql, &a, &rows, e);
    return rc == RC_OK ? list_read(rows, limit, items, next, e) : rc;
}

enum rc db_order_get_json(struct db_tx *tx, const char *client_id, const char *order_id,
                          json_t **out, struct err *e)
{
    static const char sql[] = "SELECT " ORDER_JSON(
        ", 'timeline', coalesce((SELECT json_agg(json_build_object("
        "'at', to_char(l.at, 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), 'event', l.event,"
        " 'detail', l.detail, 'by', l.by, 'request_id', l.request_id) ORDER BY l.id) FROM order_timeline l"
        " WHERE l.shop_id = t.shop_id AND l.order_id = t.order_id), '[]'::json)") " AS doc FROM tiktok_orders t WHERE t.client_id = $1 AND t.order_id = $2 LIMIT 1";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    json_t *doc;
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_text(&a, order_id);
    rc = db_exec(tx, sql, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_code(e, RC_NOT_FOUND, "order_not_found", "order %s is not known", order_id);
    doc = db_json_new(rows, 0, "doc");
    if (!doc)
        return err_set(e, RC_BUG, "out of memory");
    *out = doc;
    return RC_OK;
}

enum rc db_order_shop(struct db_tx *tx, const char *client_id, const char *order_id,
                      char shop_id[72], struct err *e)
{
    static const char sql[] =
        "SELECT shop_id FROM tiktok_orders WHERE client_id = $1 AND order_id = $2 LIMIT 1";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_text(&a, order_id);
    rc = db_exec(tx, sql, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0 || !str_copy(shop_id, 72, db_text(rows, 0, "shop_id")))
        return err_code(e, RC_NOT_FOUND, "order_not_found", "order %s is not known", order_id);
    return RC_OK;
}

/* SKUs that orders named come first, then those that only stand in TikTok's catalog; the cursor is the group's digit
 * and the id. */
static const char UNLINKED_SQL[] =
    "SELECT u.nr || u.tiktok_sku_id AS cursor, json_build_object('tiktok_sku_id', u.tiktok_sku_id,"
    " 'seller_sku', u.seller_sku, 'product_name', u.product_name, 'tiktok_product_id',"
    " u.tiktok_product_id, 'shop_id', u.shop_id, 'seen_in', CASE u.nr WHEN '0' THEN 'order'"
    " ELSE 'catalog' END, 'first_seen_at', to_char(u.first_seen_at AT TIME ZONE 'UTC',"
    " 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), 'waiting_orders', (SELECT count(*) FROM tiktok_orders t"
    "  WHERE t.client_id = $1 AND t.state = 'waiting_mapping' AND t.items @>"
    "  jsonb_build_array(jsonb_build_object('tiktok_sku_id', u.tiktok_sku_id)))) AS doc FROM ("
    " (SELECT '0' AS nr, l.tiktok_sku_id, l.seller_sku, l.product_name, c.tiktok_product_id,"
    "   l.shop_id, l.first_seen_at FROM sku_links l LEFT JOIN tiktok_catalog_skus c"
    "   ON c.shop_id = l.shop_id AND c.tiktok_sku_id = l.tiktok_sku_id"
    "  WHERE l.client_id = $1 AND l.vtex_sku_id IS NULL AND left($2, 1) <> '1'"
    "   AND l.tiktok_sku_id > substr($2, 2) ORDER BY l.tiktok_sku_id LIMIT $3::bigint)"
    " UNION ALL (SELECT '1', k.tiktok_sku_id, k.seller_sku, c.title, c.tiktok_product_id,"
    "   k.shop_id, c.first_seen_at FROM tiktok_catalog_skus k JOIN tiktok_catalog c"
    "   ON c.shop_id = k.shop_id AND c.tiktok_product_id = k.tiktok_product_id"
    "  WHERE k.client_id = $1 AND k.shop_id IS DISTINCT FROM"
    "   (SELECT sandbox_shop_id FROM clients WHERE client_id = $1)"
    "   AND k.tiktok_sku_id > CASE left($2, 1) WHEN '1' THEN substr($2, 2) ELSE '' END"
    "   AND NOT EXISTS (SELECT 1 FROM skus s WHERE s.shop_id = k.shop_id"
    "    AND s.tiktok_sku_id = k.tiktok_sku_id)"
    "   AND NOT EXISTS (SELECT 1 FROM sku_links l WHERE l.client_id = $1"
    "    AND l.tiktok_sku_id = k.tiktok_sku_id)"
    "  ORDER BY k.tiktok_sku_id LIMIT $3::bigint)) u ORDER BY u.nr, u.tiktok_sku_id LIMIT $3::bigint";

enum rc db_order_unlinked_list(struct db_tx *tx, const char *client_id, const char *cursor,
                               int limit, json_t **items, char next[160], struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    json_auto_t *list = json_array();
    struct db_args a = { 0 };
    int n;
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_text(&a, cursor != NULL ? cursor : "");
    db_arg_i64(&a, limit + 1); /* one more tells whether there is a next page */
    rc = db_exec(tx, UNLINKED_SQL, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    n = db_rows_count(rows);
    next[0] = '\0';
    for (int i = 0; i < n && i < limit; i++)
        if (list == NULL || json_array_append_new(list, db_json_new(rows, i, "doc")) != 0)
            return err_set(e, RC_BUG, "out of memory");
    if (n > limit && !str_copy(next, 160, db_text(rows, limit - 1, "cursor")))
        return err_set(e, RC_BUG, "the id of a SKU is too long");
    *items = json_incref(list);
    return RC_OK;
}

/* Orders of this client that wait for a link and hold the SKU go on. */
static enum rc orders_release(struct db_tx *tx, const char *client_id, const char *tiktok_sku_id,
                              int64_t *released, struct err *e)
{
    static const char sql[] =
        "SELECT shop_id, order_id FROM tiktok_orders WHERE client_id = $1 AND state = 'waiting_mapping'"
        " AND items @> jsonb_build_array(jsonb_build_object('tiktok_sku_id', $2::text))";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_text(&a, tiktok_sku_id);
    rc = db_exec(tx, sql, &a, &rows, e);
    for (int i = 0; rc == RC_OK && i < db_rows_count(rows); i++)
        rc = db_order_import_put(tx, client_id, db_text(rows, i, "shop_id"),
                                 db_text(rows, i, "order_id"), "operator", NULL, 0, e);
    if (rc == RC_OK && released)
        *released = db_rows_count(rows);
    return rc;
}

enum rc db_order_unlinked_link(struct db_tx *tx, const char *client_id, const char *tiktok_sku_id,
                               const char *vtex_sku_id, const char *who, int64_t *released,
                               struct err *e)
{
    /* One that only stands in the catalog gets its row now. */
    static const char sql[] =
        "WITH old AS (UPDATE sku_links SET vtex_sku_id = $3, linked_by = $4, linked_at = now()"
        "  WHERE client_id = $1 AND tiktok_sku_id = $2 RETURNING tiktok_sku_id),"
        " new AS (INSERT INTO sku_links (client_id, tiktok_sku_id, shop_id, seller_sku, product_name,"
        "  vtex_sku_id, linked_by, linked_at) SELECT $1, k.tiktok_sku_id, k.shop_id, k.seller_sku,"
        "  c.title, $3, $4, now() FROM tiktok_catalog_skus k JOIN tiktok_catalog c"
        "  ON c.shop_id = k.shop_id AND c.tiktok_product_id = k.tiktok_product_id"
        "  WHERE k.client_id = $1 AND k.tiktok_sku_id = $2 AND NOT EXISTS (SELECT 1 FROM old) LIMIT 1"
        "  ON CONFLICT (client_id, tiktok_sku_id) DO UPDATE SET vtex_sku_id = excluded.vtex_sku_id,"
        "  linked_by = excluded.linked_by, linked_at = now() RETURNING tiktok_sku_id)"
        " SELECT tiktok_sku_id FROM old UNION ALL SELECT tiktok_sku_id FROM new";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    enum rc rc;

    if (!str_digits(vtex_sku_id) || strlen(vtex_sku_id) > 18)
        return err_field(e, "vtex_sku_id", "vtex_sku_id must be the number of a VTEX SKU");
    db_arg_text(&a, client_id);
    db_arg_text(&a, tiktok_sku_id);
    db_arg_text(&a, vtex_sku_id);
    db_arg_text(&a, who);
    rc = db_exec(tx, sql, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_code(e, RC_NOT_FOUND, "sku_not_found",
                        "no order named the TikTok SKU %s, and no catalog shows it", tiktok_sku_id);
    return orders_release(tx, client_id, tiktok_sku_id, released, e);
}
