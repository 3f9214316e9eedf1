/* feed_turn.c - whose turn it is to read a shop's feed, when the clock asks for it, what a routine look leaves. */
#include "db_feed.h"

#include "db_job.h"
#include "str.h"

#define DUE_AT_ONCE 500

enum rc db_feed_turn(struct db_tx *tx, const char *client_id, const char *shop_id, int64_t job_id,
                     const char *run_id, bool *mine, struct err *e)
{
    /* The first statement locks the row, so that the second one sees what others did before. */
    static const char LOCK[] =
        "INSERT INTO feed_readers (shop_id, client_id) VALUES ($1, $2)"
        " ON CONFLICT (shop_id) DO UPDATE SET client_id = excluded.client_id";
    static const char TAKE[] =
        "UPDATE feed_readers r SET job_id = $2 WHERE shop_id = $1 AND (job_id = $2 OR NOT EXISTS"
        " (SELECT 1 FROM jobs j WHERE j.shop_id = $1 AND j.id = r.job_id AND j.state = 'running'))"
        /* Comparisons go in the order in which they were asked for. */
        " AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.shop_id = $1 AND j.kind = 'feed_read' AND j.id <> $2"
        " AND j.state IN ('ready', 'running') AND j.attempts <= 1 AND j.run_id < $3 AND j.entity NOT LIKE 'dry%')";
    struct db_args a = { 0 }, b = { 0 };
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, client_id);
    rc = db_exec(tx, LOCK, &a, NULL, e);
    db_arg_text(&b, shop_id);
    db_arg_i64(&b, job_id);
    db_arg_text(&b, str_blank(run_id) ? NULL : run_id);
    if (rc == RC_OK)
        rc = db_exec(tx, TAKE, &b, NULL, e);
    if (rc == RC_OK)
        *mine = db_affected(tx) > 0;
    return rc;
}

enum rc db_feed_ask_due(struct db_tx *tx, int64_t *n, struct err *e)
{
    static const char SQL[] =
        "UPDATE feed_snapshots f SET looked_at = now() WHERE f.shop_id IN (SELECT f.shop_id FROM feed_snapshots f"
        " JOIN shops s ON s.shop_id = f.shop_id AND s.client_id = f.client_id AND s.status = 'connected'"
        " JOIN clients c ON c.client_id = f.client_id AND c.status = 'active' AND c.feed_url IS NOT NULL,"
        " LATERAL (SELECT coalesce((c.policies #>> '{feed,read_every_minutes}')::integer, 60) AS minutes) e"
        " WHERE e.minutes > 0 AND f.shop_id IS DISTINCT FROM c.sandbox_shop_id"
        " AND coalesce((c.policies #>> '{sync,products}')::boolean, true)"
        " AND greatest(f.looked_at, f.accepted_at) <= now() - e.minutes * interval '1 minute'"
        " ORDER BY f.looked_at NULLS FIRST LIMIT $1) RETURNING f.shop_id, f.client_id";
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc;

    db_arg_i64(&a, DUE_AT_ONCE);
    rc = db_exec(tx, SQL, &a, &rows, e);
    for (int i = 0; rc == RC_OK && i < db_rows_count(rows); i++) {
        const struct db_job_key key = { .client_id = db_text(rows, i, "client_id"),
                                        .shop_id = db_text(rows, i, "shop_id"),
                                        .kind = "feed_read",
                                        .entity = "schedule",
                                        .lane = LANE_CATALOG };

        rc = db_job_put(tx, &key, e);
    }
    if (rc == RC_OK)
        *n = db_rows_count(rows);
    return rc;
}

static enum rc of_shop(struct db_tx *tx, const char *sql, const char *shop_id, struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    return db_exec(tx, sql, &a, NULL, e);
}

enum rc db_feed_unsettle(struct db_tx *tx, const char *shop_id, struct err *e)
{
    return of_shop(
        tx,
        "UPDATE feed_snapshots SET content_hash = NULL, etag = NULL, last_modified = NULL"
        " WHERE shop_id = $1",
        shop_id, e);
}

enum rc db_feed_absent(struct db_tx *tx, const char *shop_id, struct err *e)
{
    return of_shop(tx,
                   "UPDATE products SET absent_feeds = absent_feeds + 1, updated_at = now()"
                   " WHERE shop_id = $1 AND NOT in_feed",
                   shop_id, e);
}

enum rc db_feed_attach(struct db_tx *tx, const char *shop_id, int64_t job_id, const char *run_id,
                       struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_i64(&a, job_id);
    db_arg_text(&a, run_id);
    return db_exec(tx, "UPDATE jobs SET run_id = $3 WHERE shop_id = $1 AND id = $2", &a, NULL, e);
}

enum rc db_feed_known_trouble(struct db_tx *tx, const char *client_id, const char *shop_id,
                              const char *code, bool *known, struct err *e)
{
    static const char SQL[] =
        "SELECT 1 FROM (SELECT status, problem ->> 'code' AS code, requested_by FROM sync_runs WHERE client_id = $1"
        " AND shop_id = $2 AND kind = 'products' AND NOT dry_run AND status NOT IN ('queued', 'running')"
        " ORDER BY id DESC LIMIT 1) r WHERE code = $3 AND requested_by = 'schedule'";
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_text(&a, shop_id);
    db_arg_text(&a, code);
    rc = db_exec(tx, SQL, &a, &rows, e);
    if (rc == RC_OK)
        *known = db_rows_count(rows) > 0;
    return rc;
}
