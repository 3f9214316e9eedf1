/* shelf_removal.c - products that complete feeds no longer have: counted, held for a person, taken off sale. */
#include "db_shelf.h"

#include "shelf_sql.h"
#include "str.h"

/* Two complete feeds in a row did not have it, and nobody but the feed decided that it is on sale. A product whose
 * held removal a person cancelled keeps the run's id and is left alone until it came back and left again. */
#define MISSING                                                                    \
    " p.shop_id = $1 AND NOT p.in_feed AND p.absent_feeds >= 2 AND p.shelf = 'on'" \
    " AND p.shelf_by = 'feed' AND " SHELF_MAY_SQL                                  \
    " AND p.tiktok_product_id IS NOT NULL AND p.status NOT IN ('deactivated', 'deleted')"
#define HELD_RUNS                                                                         \
    "(SELECT id FROM sync_runs WHERE client_id = $2 AND shop_id = $1 AND status = 'held'" \
    " AND problem ->> 'code' = 'removals_held')"

enum rc db_shelf_missing(struct db_tx *tx, const char *client_id, const char *shop_id,
                         struct shelf_missing *out, struct err *e)
{
    static const char COUNT[] = "SELECT count(*) FILTER (WHERE removal_run_id IS NULL) AS fresh,"
                                " count(*) FILTER (WHERE removal_run_id IN " HELD_RUNS
                                ") AS held FROM products p WHERE" MISSING;
    static const char OFFERED[] =
        "SELECT count(*) AS n FROM products WHERE shop_id = $1 AND shelf = 'on'"
        " AND tiktok_product_id IS NOT NULL AND status NOT IN ('deactivated', 'deleted')";
    struct db_args a = { 0 }, b = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    OWN_ROWS struct db_rows *all = NULL;
    struct shelf_missing m = { 0 };
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, client_id);
    rc = db_exec(tx, COUNT, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    m.fresh = db_i64(rows, 0, "fresh");
    m.held = db_i64(rows, 0, "held");
    if (m.fresh > 0) { /* the count over the whole catalog matters only then */
        db_arg_text(&b, shop_id);
        rc = db_exec(tx, OFFERED, &b, &all, e);
        if (rc != RC_OK)
            return rc;
        m.offered = db_i64(all, 0, "n");
    }
    *out = m;
    return RC_OK;
}

/* Runs a statement of shop, client and run whose answer is one number. */
static enum rc counted(struct db_tx *tx, const char *sql, const char *client_id,
                       const char *shop_id, const char *run_id, int64_t *n, struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, client_id);
    db_arg_text(&a, run_id);
    rc = db_exec(tx, sql, &a, &rows, e);
    if (rc == RC_OK && n != NULL)
        *n = db_i64(rows, 0, "n");
    return rc;
}

#define TAKE_OFF                                                                                     \
    "UPDATE products p SET shelf = 'off', shelf_run_id = $3, shelf_due_at = now(), shelf_tries = 0," \
    " removal_run_id = NULL, updated_at = now() WHERE" MISSING
#define LINES(outcome)                                                                                            \
    "INSERT INTO sync_run_changes (client_id, run_id, entity, source_id, field, old, new, action, outcome, rule)" \
    " SELECT $2, $3, 'product', source_id, 'status', status, 'deactivated', 'remove', '" outcome                  \
    "', 'two complete feeds in a row did not have it' FROM gone"

enum rc db_shelf_remove(struct db_tx *tx, const char *client_id, const char *shop_id,
                        const char *run_id, int64_t *n, struct err *e)
{
    return counted(tx,
                   "WITH gone AS (" TAKE_OFF
                   " AND removal_run_id IS NULL RETURNING p.source_id, p.status),"
                   " lines AS (" LINES("queued") ") SELECT count(*) AS n FROM gone",
                   client_id, shop_id, run_id, n, e);
}

enum rc db_shelf_hold(struct db_tx *tx, const char *client_id, const char *shop_id,
                      const char *run_id, int64_t *n, struct err *e)
{
    static const char *const OTHERS[] = {
        "WITH u AS (UPDATE sync_run_changes SET outcome = 'superseded' WHERE client_id = $2 AND run_id IN " HELD_RUNS
        " AND run_id <> $3 AND outcome = 'held' AND action = 'remove' RETURNING 1) SELECT count(*) AS n FROM u",
        "WITH u AS (UPDATE sync_runs SET status = 'cancelled', finished_at = clock_timestamp(), problem ="
        " jsonb_build_object('code', 'superseded', 'detail', 'run ' || $3 || ' holds these removals now')"
        " WHERE client_id = $2 AND id IN " HELD_RUNS
        " AND id <> $3 RETURNING 1) SELECT count(*) AS n FROM u",
    };
    enum rc rc = counted(
        tx,
        "WITH gone AS (UPDATE products p SET removal_run_id = $3, updated_at = now() WHERE" MISSING
        " AND (removal_run_id IS NULL OR removal_run_id IN " HELD_RUNS
        ") RETURNING p.source_id, p.status),"
        " lines AS (" LINES("held") ") SELECT count(*) AS n FROM gone",
        client_id, shop_id, run_id, n, e);

    for (size_t i = 0; rc == RC_OK && i < sizeof OTHERS / sizeof OTHERS[0]; i++)
        rc = counted(tx, OTHERS[i], client_id, shop_id, run_id, NULL, e);
    return rc;
}

enum rc db_shelf_approve(struct db_tx *tx, const char *client_id, const char *shop_id,
                         const char *run_id, int64_t *n, struct err *e)
{
    static const char SETTLE[] =
        "WITH u AS (UPDATE sync_run_changes c SET outcome = CASE WHEN EXISTS (SELECT 1 FROM products p"
        " WHERE p.shop_id = $1 AND p.source_id = c.source_id AND p.shelf_run_id = $3 AND p.shelf = 'off')"
        " THEN 'queued' ELSE 'superseded' END WHERE client_id = $2 AND run_id = $3 AND outcome = 'held'"
        " AND action = 'remove' RETURNING 1) SELECT count(*) AS n FROM u";
    enum rc rc = counted(tx,
                         "WITH gone AS (" TAKE_OFF
                         " AND p.client_id = $2 AND removal_run_id = $3 RETURNING 1)"
                         " SELECT count(*) AS n FROM gone",
                         client_id, shop_id, run_id, n, e);

    return rc == RC_OK ? counted(tx, SETTLE, client_id, shop_id, run_id, NULL, e) : rc;
}
