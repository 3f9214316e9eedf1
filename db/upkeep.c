/* db/upkeep.c - keeps the big tables small: partitions ahead, old partitions and rows away. */
#include "db_upkeep.h"

#include <string.h>

#define EVENT_DAYS 30
#define EVENT_KEY_DAYS 400
#define BUYER_DAYS 90
#define MONTHS_AHEAD 2

/* days 0: RETENTION_DAYS. */
static const struct {
    const char *table;
    int days;
} TABLES[] = {
    { "events", EVENT_DAYS },  { "outbound_calls", 0 },           { "tiktok_log_product", 0 },
    { "tiktok_log_price", 0 }, { "tiktok_log_price_product", 0 }, { "tiktok_log_stock", 0 },
    { "tiktok_log_order", 0 },
};

/* Six hours' worth at once, from the oldest on: short statements at any backlog. */
#define SLICE(table, column, also)                                                    \
    "WITH gone AS (DELETE FROM " table " WHERE " column                               \
    " < least(now() - make_interval(days => $1), (SELECT min(" column ") FROM " table \
    " WHERE true" also ") + interval '6 hours')" also                                 \
    " RETURNING 1) SELECT count(*) AS n FROM gone"

static const struct {
    const char *sql;
    int days;
} RULES[] = {
    { SLICE("events", "received_at", ""), EVENT_DAYS },
    { SLICE("event_keys", "received_at", ""), EVENT_KEY_DAYS },
    { SLICE("outbound_calls", "started_at", ""), 0 },
    { SLICE("tiktok_log_product", "at", ""), 0 },
    { SLICE("tiktok_log_price", "at", ""), 0 },
    { SLICE("tiktok_log_price_product", "at", ""), 0 },
    { SLICE("tiktok_log_stock", "at", ""), 0 },
    { SLICE("tiktok_log_order", "at", ""), 0 },
    { SLICE("sync_run_changes", "at", ""), 0 },
    { SLICE("sync_runs", "created_at", " AND finished_at IS NOT NULL"), 0 },
    { SLICE("request_keys", "at", ""), 0 },
    { SLICE("product_proposals", "created_at", " AND state NOT IN ('proposed', 'approved')"), 0 },
    { SLICE("oauth_states", "expires_at", ""), 1 },
    { SLICE("oauth_exchanges", "created_at", ""), 0 },
    /* A run whose last items went with a dead worker after a newer run had taken them over: nothing works for it. */
    { "WITH over AS (UPDATE sync_runs r SET done = total, finished_at = now(), status = CASE WHEN failed = 0"
      " THEN 'succeeded' WHEN failed >= total THEN 'failed' ELSE 'partial' END,"
      " problem = coalesce(problem, jsonb_build_object('code', 'taken_over', 'detail',"
      " (total - done) || ' items went on in later runs')) WHERE status = 'running' AND read_done"
      " AND started_at < now() - make_interval(hours => $1) AND NOT EXISTS (SELECT 1 FROM jobs j"
      " WHERE j.client_id = r.client_id AND r.id IN (j.run_id, j.claimed_run_id)) RETURNING 1)"
      " SELECT count(*) AS n FROM over",
      1 },
    /* What a buyer told goes once the order is over; the order itself stays. */
    { "WITH gone AS (UPDATE tiktok_orders SET document = NULL WHERE (shop_id, order_id) IN (SELECT shop_id, order_id"
      " FROM tiktok_orders WHERE document IS NOT NULL AND state IN ('completed', 'cancelled')"
      " AND updated_at < now() - make_interval(days => $1) LIMIT 5000) RETURNING 1) SELECT count(*) AS n FROM gone",
      BUYER_DAYS },
};

int db_upkeep_tables(void)
{
    return (int)(sizeof TABLES / sizeof *TABLES);
}

enum rc db_upkeep_partitions(struct db_tx *tx, int i, int retention_days, struct err *e)
{
    struct db_args a = DB_ARGS;
    enum rc rc = RC_OK;

    db_arg_text(&a, TABLES[i].table);
    db_arg_i64(&a, MONTHS_AHEAD);
    rc = db_exec(tx, "SELECT connector_partitions($1, $2)", &a, NULL, e);
    if (rc != RC_OK)
        return rc;
    db_arg_text(&a, TABLES[i].table);
    db_arg_i64(&a, TABLES[i].days > 0 ? TABLES[i].days : retention_days);
    return db_exec(tx, "SELECT connector_partitions_drop($1, $2)", &a, NULL, e);
}

int db_upkeep_rules(void)
{
    return (int)(sizeof RULES / sizeof *RULES);
}

enum rc db_upkeep_delete(struct db_tx *tx, int i, int retention_days, int64_t *n, struct err *e)
{
    struct db_args a = DB_ARGS;
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc = RC_OK;

    db_arg_i64(&a, RULES[i].days > 0 ? RULES[i].days : retention_days);
    rc = db_exec(tx, RULES[i].sql, &a, &rows, e);
    if (rc == RC_OK)
        *n = db_i64(rows, 0, "n");
    return rc;
}
