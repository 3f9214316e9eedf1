/* db/lease.c - who may work on a shop: leases with a fencing token, renewals, hand-backs, takeovers.
 *
 * Whoever takes a lease locks the row FOR UPDATE, which waits for (here: skips) transactions that hold it FOR KEY
 * SHARE: those of the holder's jobs. So no transaction of an old holder ends after the new token exists. Plain
 * updates of the row (due times, renewals) do not conflict with the holder's transactions. */
#include "db_work.h"

#include <string.h>

#include "str.h"

static enum rc shops_read(const struct db_rows *rows, struct work_shop **out, int *n, struct err *e)
{
    struct work_shop *list = calloc((size_t)db_rows_count(rows) + 1, sizeof *list);

    if (list == NULL)
        return err_set(e, RC_DOWN, "out of memory for leases");
    for (int i = 0; i < db_rows_count(rows); i++) {
        (void)str_copy(list[i].shop_id, sizeof list[i].shop_id, db_text(rows, i, "shop_id"));
        (void)str_copy(list[i].client_id, sizeof list[i].client_id, db_text(rows, i, "client_id"));
        list[i].token = db_i64(rows, i, "lease_token");
    }
    *n = db_rows_count(rows);
    *out = list;
    return RC_OK;
}

#define TAKE                                                                         \
    "UPDATE shop_schedule s SET lease_holder = $1, lease_token = s.lease_token + 1," \
    " lease_until = statement_timestamp() + $2::bigint * interval '1 microsecond'"   \
    " FROM c WHERE s.shop_id = c.shop_id RETURNING s.shop_id, s.client_id, s.lease_token"

enum rc db_work_lease(struct db_tx *tx, const char *holder, int64_t lease_us, int limit,
                      bool expired, struct work_shop **out, int *n, struct err *e)
{
    static const char DUE[] =
        "WITH c AS (SELECT shop_id FROM shop_schedule WHERE due_at <= statement_timestamp()"
        " AND (lease_until IS NULL OR lease_until < statement_timestamp())"
        " AND (paused_reason IS NULL OR paused_until <= statement_timestamp())"
        " ORDER BY lane, due_at LIMIT $3 FOR UPDATE SKIP LOCKED) " TAKE;
    static const char EXPIRED[] =
        "WITH c AS (SELECT shop_id FROM shop_schedule WHERE lease_holder IS NOT NULL"
        " AND lease_until < statement_timestamp() ORDER BY lane, due_at LIMIT $3 FOR UPDATE SKIP LOCKED) " TAKE;
    struct db_args a = DB_ARGS;
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc = RC_OK;

    db_arg_text(&a, holder);
    db_arg_i64(&a, lease_us);
    db_arg_i64(&a, limit);
    rc = db_exec(tx, expired ? EXPIRED : DUE, &a, &rows, e);
    return rc != RC_OK ? rc : shops_read(rows, out, n, e);
}

enum rc db_work_next_shop(struct db_tx *tx, int64_t *wait_us, struct err *e)
{
    static const char SQL[] =
        "SELECT (extract(epoch FROM min(CASE WHEN paused_reason IS NULL THEN due_at"
        "  ELSE greatest(due_at, paused_until) END) - statement_timestamp()) * 1000000)::bigint AS wait"
        " FROM shop_schedule WHERE due_at IS NOT NULL AND lease_holder IS NULL"
        " AND (paused_reason IS NULL OR paused_until IS NOT NULL)";
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc = db_exec(tx, SQL, NULL, &rows, e);

    if (rc != RC_OK)
        return rc;
    *wait_us = db_null(rows, 0, "wait") ? -1 : db_i64(rows, 0, "wait");
    if (*wait_us < 0 && !db_null(rows, 0, "wait"))
        *wait_us = 0;
    return RC_OK;
}

enum rc db_work_renew(struct db_tx *tx, const char *holder, int64_t lease_us,
                      struct work_shop **out, int *n, struct err *e)
{
    static const char SQL[] =
        "UPDATE shop_schedule SET lease_until = statement_timestamp() + $2::bigint * interval '1 microsecond'"
        " WHERE lease_holder = $1 RETURNING shop_id, client_id, lease_token";
    struct db_args a = DB_ARGS;
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc = RC_OK;

    db_arg_text(&a, holder);
    db_arg_i64(&a, lease_us);
    rc = db_exec(tx, SQL, &a, &rows, e);
    return rc != RC_OK ? rc : shops_read(rows, out, n, e);
}

enum rc db_work_release(struct db_tx *tx, const char *shop_id, int64_t token, struct err *e)
{
    static const char LOCK[] =
        "SELECT 1 FROM shop_schedule WHERE shop_id = $1 AND lease_token = $2 FOR UPDATE";
    /* A second statement, so that it sees what was committed while the lock was awaited. */
    static const char SQL[] =
        "UPDATE shop_schedule s SET lease_holder = NULL, lease_until = NULL, lease_token = s.lease_token + 1,"
        " due_at = x.due_at, lane = coalesce(x.lane, 4)"
        " FROM (SELECT min(y.due_at) AS due_at, min(y.lane) AS lane FROM generate_series(0, 4) AS l(lane),"
        "  LATERAL (SELECT due_at, lane FROM jobs WHERE shop_id = $1 AND state = 'ready'"
        "  AND lane = l.lane::smallint ORDER BY due_at LIMIT 1) y) x"
        " WHERE s.shop_id = $1 AND s.lease_token = $2";
    struct db_args a = DB_ARGS;
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc = RC_OK;

    db_arg_text(&a, shop_id);
    db_arg_i64(&a, token);
    rc = db_exec(tx, LOCK, &a, &rows, e);
    if (rc != RC_OK || db_rows_count(rows) == 0)
        return rc;
    db_arg_text(&a, shop_id);
    db_arg_i64(&a, token);
    return db_exec(tx, SQL, &a, NULL, e);
}

enum rc db_work_holders(struct db_tx *tx, struct db_rows **rows, struct err *e)
{
    return db_exec(
        tx,
        "SELECT DISTINCT lease_holder AS holder FROM shop_schedule WHERE lease_holder IS NOT NULL"
        " AND lease_until >= statement_timestamp()",
        NULL, rows, e);
}

enum rc db_work_expire(struct db_tx *tx, const char *holder, struct err *e)
{
    struct db_args a = DB_ARGS;

    db_arg_text(&a, holder);
    return db_exec(
        tx,
        "UPDATE shop_schedule SET lease_until = statement_timestamp() - interval '1 second'"
        " WHERE lease_holder = $1",
        &a, NULL, e);
}

enum rc db_work_recover(struct db_tx *tx, const char *shop_id, struct work_dead **out, int *n,
                        struct err *e)
{
    static const char SQL[] =
        "UPDATE jobs SET deaths = deaths + 1, due_at = statement_timestamp(), updated_at = now(),"
        " run_id = coalesce(run_id, claimed_run_id),"
        " state = CASE WHEN deaths + 1 >= $2 THEN 'parked' ELSE 'ready' END,"
        " outcome = CASE WHEN deaths + 1 >= $2 THEN 'quarantined' ELSE 'died' END,"
        " problem = CASE WHEN deaths + 1 >= $2 THEN jsonb_build_object('code', 'quarantined', 'detail',"
        "  'The process died ' || (deaths + 1) || ' times while this job ran.') ELSE problem END"
        " WHERE shop_id = $1 AND state = 'running'"
        " RETURNING id, client_id, kind, run_id, deaths, state = 'parked' AS parked";
    struct db_args a = DB_ARGS;
    OWN_ROWS struct db_rows *rows = NULL;
    struct work_dead *list = NULL;
    enum rc rc = RC_OK;

    db_arg_text(&a, shop_id);
    db_arg_i64(&a, WORK_DEATHS_MAX);
    rc = db_exec(tx, SQL, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    list = calloc((size_t)db_rows_count(rows) + 1, sizeof *list);
    if (list == NULL)
        return err_set(e, RC_DOWN, "out of memory for recovered jobs");
    for (int i = 0; i < db_rows_count(rows); i++) {
        list[i].id = db_i64(rows, i, "id");
        list[i].deaths = (int)db_i64(rows, i, "deaths");
        list[i].parked = db_bool(rows, i, "parked");
        (void)str_copy(list[i].client_id, sizeof list[i].client_id, db_text(rows, i, "client_id"));
        (void)str_copy(list[i].kind, sizeof list[i].kind, db_text(rows, i, "kind"));
        (void)str_copy(list[i].run_id, sizeof list[i].run_id, db_text(rows, i, "run_id"));
    }
    *n = db_rows_count(rows);
    *out = list;
    return RC_OK;
}
