/* dash.c - queries of the dashboard that look across clients; each client is probed by its indexes. */
#include "db_dash.h"

#include "str.h"

#define MINE                                                                    \
    "WITH mine AS (SELECT client_id, name FROM clients WHERE status = 'active'" \
    " AND ($1::text IS NULL OR client_id = ANY (string_to_array($1, '+'))))"

static enum rc list_new(struct db_tx *tx, const char *sql, struct db_args *a, json_t **out,
                        struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    json_auto_t *list = json_array();
    enum rc rc = db_exec(tx, sql, a, &rows, e);

    if (rc != RC_OK)
        return rc;
    for (int i = 0; i < db_rows_count(rows); i++) {
        if (json_array_append_new(list, db_json_new(rows, i, "doc")) != 0)
            return err_set(e, RC_BUG, "no memory for a list");
    }
    *out = json_incref(list);
    return RC_OK;
}

#define ORDERS(code, where)                                                             \
    " UNION ALL SELECT " code ", m.client_id, m.name, x.n, x.at FROM mine m, LATERAL (" \
    "SELECT count(*) AS n, min(o.updated_at) AS at FROM tiktok_orders o"                \
    " WHERE o.client_id = m.client_id AND " where ") x"

/* Two counts, so that the first one reads an index only. */
#define BAD_PRODUCTS                                                            \
    "(SELECT count(*) FROM products p WHERE p.client_id = m.client_id"          \
    " AND p.status IN ('rejected', 'held')) + (SELECT count(*) FROM products p" \
    " WHERE p.client_id = m.client_id AND p.status = 'waiting' AND p.problems <> '[]')"

/* clang-format off */
static const char TODAY[] = MINE
    " SELECT json_build_object('code', code, 'client_hash', client_id, 'client', name, 'count', n, 'since',"
    " connector_time(at)) AS doc FROM ("
    "SELECT 'reauthorize' AS code, m.client_id, m.name, count(*) AS n, min(s.updated_at) AS at FROM mine m"
    " JOIN shops s ON s.client_id = m.client_id AND s.status = 'needs_reauthorization' GROUP BY 2, 3"
    " UNION ALL SELECT 'authorization_ends', m.client_id, m.name, count(*), min(g.authorization_ends_at) FROM mine m"
    " JOIN shops s ON s.client_id = m.client_id AND s.status = 'connected'"
    " JOIN tiktok_auth_tokens g ON g.client_id = s.client_id AND g.open_id = s.open_id"
    " AND g.authorization_ends_at < now() + interval '30 days' GROUP BY 2, 3"
    " UNION ALL SELECT 'no_shop', m.client_id, m.name, 1, NULL FROM mine m"
    " WHERE NOT EXISTS (SELECT FROM shops s WHERE s.client_id = m.client_id AND s.status <> 'disconnected')"
    " UNION ALL SELECT 'paused', m.client_id, m.name, count(*), min(p.paused_until) FROM mine m"
    " JOIN shop_schedule p ON p.client_id = m.client_id AND p.paused_reason IS NOT NULL"
    " AND (p.paused_until IS NULL OR p.paused_until > now()) GROUP BY 2, 3"
    ORDERS("'orders_failed'", "o.state = 'failed'")
    ORDERS("'orders_unlinked'", "o.state = 'waiting_mapping'")
    ORDERS("'orders_in_doubt'", "o.state = 'in_doubt' AND o.updated_at < now() - interval '10 minutes'")
    ORDERS("'orders_stuck'", "o.state IN ('importing', 'imported') AND o.problems <> '[]'")
    " UNION ALL SELECT 'orders_late', m.client_id, m.name, x.n, x.at FROM mine m, LATERAL ("
    "SELECT count(*) AS n, min(o.ship_by) AS at FROM tiktok_orders o WHERE o.client_id = m.client_id"
    " AND o.ship_by IS NOT NULL AND o.ship_by < now() + interval '24 hours' AND o.state IN ('received', 'on_hold',"
    " 'waiting_mapping', 'importing', 'in_doubt', 'imported', 'authorized', 'invoiced', 'failed')"
    " AND o.tiktok_status NOT IN ('IN_TRANSIT', 'DELIVERED', 'COMPLETED', 'CANCELLED')) x"
    " UNION ALL SELECT 'jobs_parked', m.client_id, m.name, x.n, x.at FROM mine m, LATERAL ("
    "SELECT count(*) AS n, min(j.updated_at) AS at FROM jobs j WHERE j.client_id = m.client_id AND j.state = 'parked') x"
    " UNION ALL SELECT 'runs_held', m.client_id, m.name, x.n, x.at FROM mine m, LATERAL ("
    "SELECT count(*) AS n, min(r.created_at) AS at FROM sync_runs r WHERE r.client_id = m.client_id AND r.status = 'held') x"
    " UNION ALL SELECT 'run_failed', m.client_id, m.name, 1, x.finished_at FROM mine m, LATERAL ("
    "SELECT r.status, r.finished_at FROM sync_runs r WHERE r.client_id = m.client_id AND r.kind = 'products'"
    " AND NOT r.dry_run ORDER BY r.created_at DESC LIMIT 1) x WHERE x.status = 'failed'"
    " UNION ALL SELECT 'products_refused', m.client_id, m.name, x.n, NULL FROM mine m, LATERAL ("
    "SELECT " BAD_PRODUCTS " AS n) x"
    ") t WHERE n > 0 ORDER BY at NULLS LAST, client_id";

static const char CLIENTS[] = MINE
    " SELECT json_build_object('client_hash', m.client_id, 'client', m.name, 'shops', s.shops, 'connected', s.connected,"
    " 'reauthorize', s.reauthorize, 'shop_name', s.name, 'authorization_ends_at', connector_time(g.ends),"
    " 'paused', p.reason, 'orders_polled_at', connector_time(s.polled), 'feed_at', connector_time(f.at),"
    " 'orders_bad', o.bad, 'orders_late', o.late, 'products_bad', q.bad, 'runs_held', r.held, 'parked_orders', j.orders,"
    " 'parked_stock', j.stock, 'parked_price', j.price, 'parked_catalog', j.catalog) AS doc FROM mine m"
    " CROSS JOIN LATERAL (SELECT count(*) AS shops, count(*) FILTER (WHERE status = 'connected') AS connected,"
    "  count(*) FILTER (WHERE status = 'needs_reauthorization') AS reauthorize, min(name) AS name,"
    "  min(order_polled_at) FILTER (WHERE status = 'connected') AS polled FROM shops WHERE client_id = m.client_id) s"
    " CROSS JOIN LATERAL (SELECT min(authorization_ends_at) AS ends FROM tiktok_auth_tokens t"
    "  WHERE t.client_id = m.client_id AND EXISTS (SELECT FROM shops h WHERE h.client_id = t.client_id"
    "  AND h.open_id = t.open_id AND h.status = 'connected')) g"
    " CROSS JOIN LATERAL (SELECT min(paused_reason) AS reason FROM shop_schedule WHERE client_id = m.client_id"
    "  AND (paused_until IS NULL OR paused_until > now())) p"
    " CROSS JOIN LATERAL (SELECT max(accepted_at) AS at FROM feed_snapshots WHERE client_id = m.client_id) f"
    " CROSS JOIN LATERAL (SELECT (SELECT count(*) FROM tiktok_orders WHERE client_id = m.client_id"
    "  AND state IN ('failed', 'waiting_mapping', 'in_doubt')) AS bad, (SELECT count(*) FROM tiktok_orders WHERE client_id"
    "  = m.client_id AND ship_by IS NOT NULL AND ship_by < now() AND state IN ('received', 'on_hold', 'waiting_mapping',"
    "  'importing', 'in_doubt', 'imported', 'authorized', 'invoiced', 'failed')"
    "  AND tiktok_status NOT IN ('IN_TRANSIT', 'DELIVERED', 'COMPLETED', 'CANCELLED')) AS late) o"
    " CROSS JOIN LATERAL (SELECT " BAD_PRODUCTS " AS bad) q"
    " CROSS JOIN LATERAL (SELECT count(*) AS held FROM sync_runs WHERE client_id = m.client_id AND status = 'held') r"
    " CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE lane = 0) AS orders, count(*) FILTER (WHERE lane = 1) AS stock,"
    "  count(*) FILTER (WHERE lane = 2) AS price, count(*) FILTER (WHERE lane = 3) AS catalog FROM jobs"
    "  WHERE client_id = m.client_id AND state = 'parked') j"
    " ORDER BY lower(m.name), m.client_id";

static const char ACCESS[] = MINE
    " SELECT json_build_object('client_hash', m.client_id, 'client', m.name, 'shop_id', s.shop_id, 'name', s.name,"
    " 'status', s.status, 'authorization_ends_at', connector_time(g.authorization_ends_at),"
    " 'access_token_expires_at', connector_time(t.expires_at), 'days_left',"
    " floor(extract(epoch FROM g.authorization_ends_at - now()) / 86400)::int) AS doc FROM mine m"
    " LEFT JOIN shops s ON s.client_id = m.client_id AND s.status <> 'disconnected'"
    " LEFT JOIN tiktok_auth_tokens g ON g.client_id = s.client_id AND g.open_id = s.open_id"
    " LEFT JOIN tiktok_tokens t ON t.client_id = s.client_id AND t.open_id = s.open_id"
    " ORDER BY s.status = 'connected', g.authorization_ends_at, m.name";

static const char LANES[] = MINE
    " SELECT json_build_object('lane', j.lane, 'ready', count(*) FILTER (WHERE state = 'ready' AND due_at <= now()),"
    " 'waiting', count(*) FILTER (WHERE state = 'ready' AND due_at > now()),"
    " 'running', count(*) FILTER (WHERE state = 'running'), 'parked', count(*) FILTER (WHERE state = 'parked'),"
    " 'oldest_at', connector_time(min(due_at) FILTER (WHERE state = 'ready' AND due_at <= now()))) AS doc"
    " FROM jobs j WHERE $1::text IS NULL OR j.client_id IN (SELECT client_id FROM mine) GROUP BY j.lane ORDER BY j.lane";

static const char JOBS[] = MINE
    " SELECT json_build_object('id', j.id::text, 'client_hash', j.client_id, 'client', m.name, 'kind', j.kind,"
    " 'entity', j.entity, 'lane', j.lane, 'state', j.state, 'attempts', j.attempts, 'deaths', j.deaths,"
    " 'due_at', connector_time(j.due_at), 'updated_at', connector_time(j.updated_at), 'outcome', j.outcome,"
    " 'problem', j.problem) AS doc FROM (SELECT * FROM jobs WHERE ($1::text IS NULL OR client_id IN (SELECT client_id"
    "  FROM mine)) AND ($2::text IS NULL OR client_id = $2) AND ($3::text IS NULL OR state = $3) AND ($4::text IS NULL"
    "  OR kind = $4) AND ($5::bigint = 0 OR id < $5) ORDER BY id DESC LIMIT $6::bigint) j JOIN mine m USING (client_id)"
    " ORDER BY j.id DESC";

static const char SEARCH[] = MINE
    " SELECT json_build_object('what', what, 'client_hash', client_id, 'client', name, 'id', id, 'text', text,"
    " 'state', state) AS doc FROM (SELECT 'order' AS what, m.client_id, m.name, o.order_id AS id,"
    " coalesce(o.vtex_order_id, '') AS text, o.state FROM mine m JOIN shops s USING (client_id), LATERAL ("
    "  SELECT * FROM tiktok_orders WHERE shop_id = s.shop_id AND order_id = $2"
    "  UNION SELECT * FROM tiktok_orders WHERE shop_id = s.shop_id AND vtex_order_id = $2) o"
    " UNION ALL SELECT 'product', m.client_id, m.name, p.source_id, p.title, p.status FROM mine m"
    "  JOIN shops s USING (client_id), LATERAL (SELECT source_id, title, status FROM products WHERE shop_id = s.shop_id"
    "   AND source_id = $2 UNION SELECT source_id, title, status FROM products WHERE shop_id = s.shop_id"
    "   AND tiktok_product_id = $2) p"
    " UNION ALL SELECT 'sku', m.client_id, m.name, k.seller_sku, k.source_id, '' FROM mine m"
    "  JOIN shops s USING (client_id), LATERAL (SELECT seller_sku, source_id FROM skus WHERE shop_id = s.shop_id"
    "   AND seller_sku = $2 UNION SELECT seller_sku, source_id FROM skus WHERE shop_id = s.shop_id"
    "   AND tiktok_sku_id = $2) k) t LIMIT 50";

#define CAUSES                                                                                        \
    " FROM products p, LATERAL (SELECT x FROM jsonb_array_elements(p.problems) x UNION ALL"           \
    "  SELECT s.problem FROM skus s WHERE s.shop_id = p.shop_id AND s.source_id = p.source_id"        \
    "  AND s.problem IS NOT NULL) c WHERE p.client_id = $1"                                           \
    " AND p.status IN ('rejected', 'held', 'waiting', 'in_review')"

static const char CAUSE_LIST[] =
    "SELECT json_build_object('code', x->>'code', 'message', min(x->>'message'), 'message_pt', min(x->>'message_pt'),"
    " 'action', min(x->>'action'), 'action_pt', min(x->>'action_pt'), 'products', count(DISTINCT p.source_id),"
    " 'example', min(p.source_id)) AS doc" CAUSES
    " GROUP BY x->>'code' ORDER BY count(DISTINCT p.source_id) DESC, 1::text LIMIT 30";

static const char CAUSE_PRODUCTS[] =
    "SELECT to_jsonb(source_id) AS doc FROM (SELECT DISTINCT p.source_id" CAUSES
    " AND x->>'code' = $2 AND p.source_id > $3) t ORDER BY source_id LIMIT $4::bigint";

static const char BY_DAY[] =
    "SELECT json_build_object('day', to_char(d.day, 'YYYY-MM-DD'), 'orders', count(o.order_id), 'failed',"
    " count(o.order_id) FILTER (WHERE o.state IN ('failed', 'waiting_mapping', 'in_doubt'))) AS doc"
    " FROM generate_series((now() AT TIME ZONE $2)::date - 13, (now() AT TIME ZONE $2)::date, interval '1 day') AS d(day)"
    " LEFT JOIN tiktok_orders o ON o.client_id = $1 AND o.created_at >= now() - interval '15 days'"
    " AND (o.created_at AT TIME ZONE $2)::date = d.day GROUP BY d.day ORDER BY d.day";

static const char SKUS[] =
    "SELECT x.seller_sku AS cursor, x.doc FROM (SELECT shop_id FROM shops WHERE client_id = $1"
    " AND status <> 'disconnected') h, LATERAL (SELECT s.seller_sku, json_build_object('seller_sku', s.seller_sku, 'title', p.title,"
    " 'price_desired', connector_amount(s.price_desired_minor), 'price_published',"
    " connector_amount(s.price_published_minor), 'stock_desired', s.stock_desired::text, 'stock_published',"
    " s.stock_published::text, 'price_differs', s.price_desired_minor IS DISTINCT FROM s.price_published_minor,"
    " 'stock_differs', s.stock_desired IS DISTINCT FROM s.stock_published) AS doc FROM skus s"
    " JOIN products p ON p.shop_id = s.shop_id AND p.source_id = s.source_id WHERE s.shop_id = h.shop_id AND ($2 = '' OR s.seller_sku = $2) AND (NOT $3::boolean OR"
    " (p.status = 'live' AND (s.price_desired_minor IS DISTINCT FROM s.price_published_minor"
    " OR s.stock_desired IS DISTINCT FROM s.stock_published))) AND s.seller_sku > $4"
    " ORDER BY s.seller_sku LIMIT $5::bigint) x ORDER BY x.seller_sku LIMIT $5::bigint";

static const char CATEGORIES[] =
    "SELECT c.source AS cursor, json_build_object('source_category', c.source, 'products', c.n, 'tiktok_category_id',"
    " t.tiktok_category_id, 'attributes', t.attributes, 'chosen_by', t.chosen_by, 'tiktok_category_path', (SELECT"
    " w.path FROM tiktok_category_tree w WHERE w.client_id = $1 AND w.category_id = t.tiktok_category_id LIMIT 1))"
    " AS doc FROM (SELECT source, sum(n) AS n FROM (SELECT source_category AS source, count(*) AS n FROM products"
    "  WHERE client_id = $1 AND source_category <> '' GROUP BY 1 UNION ALL"
    "  SELECT source_category, 0 FROM taxonomy_tiktok WHERE client_id = $1) u GROUP BY 1) c"
    " LEFT JOIN taxonomy_tiktok t ON t.client_id = $1 AND t.source_category = c.source"
    " WHERE c.source > $2 ORDER BY c.source LIMIT $3::bigint";
/* clang-format on */

enum rc db_dash_today(struct db_tx *tx, const char *clients, json_t **out, struct err *e)
{
    struct db_args a = DB_ARGS;

    db_arg_text(&a, clients);
    return list_new(tx, TODAY, &a, out, e);
}

enum rc db_dash_clients(struct db_tx *tx, const char *clients, json_t **out, struct err *e)
{
    struct db_args a = DB_ARGS;

    db_arg_text(&a, clients);
    return list_new(tx, CLIENTS, &a, out, e);
}

enum rc db_dash_access(struct db_tx *tx, const char *clients, json_t **out, struct err *e)
{
    struct db_args a = DB_ARGS;

    db_arg_text(&a, clients);
    return list_new(tx, ACCESS, &a, out, e);
}

enum rc db_dash_lanes(struct db_tx *tx, const char *clients, json_t **out, struct err *e)
{
    struct db_args a = DB_ARGS;

    db_arg_text(&a, clients);
    return list_new(tx, LANES, &a, out, e);
}

enum rc db_dash_jobs(struct db_tx *tx, const char *clients, const struct dash_jobs_filter *filter,
                     json_t **out, struct err *e)
{
    struct db_args a = DB_ARGS;

    db_arg_text(&a, clients);
    db_arg_text(&a, filter->client_id);
    db_arg_text(&a, filter->state);
    db_arg_text(&a, filter->kind);
    db_arg_i64(&a, filter->before_id);
    db_arg_i64(&a, filter->limit);
    return list_new(tx, JOBS, &a, out, e);
}

enum rc db_dash_search(struct db_tx *tx, const char *clients, const char *text, json_t **out,
                       struct err *e)
{
    struct db_args a = DB_ARGS;

    db_arg_text(&a, clients);
    db_arg_text(&a, text);
    return list_new(tx, SEARCH, &a, out, e);
}

enum rc db_dash_causes(struct db_tx *tx, const char *client_id, json_t **out, struct err *e)
{
    struct db_args a = DB_ARGS;

    db_arg_text(&a, client_id);
    return list_new(tx, CAUSE_LIST, &a, out, e);
}

enum rc db_dash_cause_products(struct db_tx *tx, const char *client_id, const char *code,
                               const char *after, int limit, json_t **out, struct err *e)
{
    struct db_args a = DB_ARGS;

    db_arg_text(&a, client_id);
    db_arg_text(&a, code);
    db_arg_text(&a, after);
    db_arg_i64(&a, limit);
    return list_new(tx, CAUSE_PRODUCTS, &a, out, e);
}

enum rc db_dash_orders_by_day(struct db_tx *tx, const char *client_id, const char *zone,
                              json_t **out, struct err *e)
{
    struct db_args a = DB_ARGS;

    db_arg_text(&a, client_id);
    db_arg_text(&a, zone);
    return list_new(tx, BY_DAY, &a, out, e);
}

/* A page of `limit` rows; the statement was asked for one more. */
static enum rc page_new(struct db_tx *tx, const char *sql, struct db_args *a, int limit,
                        json_t **out, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    json_auto_t *items = json_array();
    enum rc rc = db_exec(tx, sql, a, &rows, e);
    int n = rc == RC_OK ? db_rows_count(rows) : 0;

    for (int i = 0; rc == RC_OK && i < n && i < limit; i++) {
        if (json_array_append_new(items, db_json_new(rows, i, "doc")) != 0)
            rc = err_set(e, RC_BUG, "no memory for a page");
    }
    if (rc != RC_OK)
        return rc;
    *out = json_pack("{s:O, s:s?}", "items", items, "next",
                     n > limit ? db_text(rows, limit - 1, "cursor") : NULL);
    return *out != NULL ? RC_OK : err_set(e, RC_BUG, "no memory for a page");
}

enum rc db_dash_skus(struct db_tx *tx, const char *client_id, const char *q, bool only_different,
                     const char *cursor, int limit, json_t **out, struct err *e)
{
    struct db_args a = DB_ARGS;

    db_arg_text(&a, client_id);
    db_arg_text(&a, q);
    db_arg_bool(&a, only_different);
    db_arg_text(&a, cursor);
    db_arg_i64(&a, limit + 1);
    return page_new(tx, SKUS, &a, limit, out, e);
}

enum rc db_dash_categories(struct db_tx *tx, const char *client_id, const char *cursor, int limit,
                           json_t **out, struct err *e)
{
    struct db_args a = DB_ARGS;

    db_arg_text(&a, client_id);
    db_arg_text(&a, cursor);
    db_arg_i64(&a, limit + 1);
    return page_new(tx, CATEGORIES, &a, limit, out, e);
}
