/* db/job_api.c - jobs as people see and steer them, and pauses of shops. */
#include "db_job.h"

#include <string.h>

#include "db_run.h"
#include "str.h"

#define LIST_DEFAULT 50
#define LIST_MAX 200

#define INFO_COLUMNS                                                                             \
    "id, client_id, shop_id, kind, entity, lane, state, attempts, deaths, due_at, first_due_at," \
    " updated_at, run_id, outcome, problem"
#define FILTER                                                                     \
    " ($1::text IS NULL OR client_id = $1) AND ($2::text IS NULL OR shop_id = $2)" \
    " AND ($3::text IS NULL OR state = $3) AND ($4::text IS NULL OR kind = $4)"

static void info_read(const struct db_rows *rows, int i, struct job_info *out)
{
    *out = (struct job_info){ .id = db_i64(rows, i, "id"),
                              .lane = (enum lane)db_i64(rows, i, "lane"),
                              .attempts = (int)db_i64(rows, i, "attempts"),
                              .deaths = (int)db_i64(rows, i, "deaths"),
                              .due_us = db_time(rows, i, "due_at"),
                              .first_due_us = db_time(rows, i, "first_due_at"),
                              .updated_us = db_time(rows, i, "updated_at"),
                              .problem = db_json_new(rows, i, "problem") };
    (void)str_copy(out->client_id, sizeof out->client_id, db_text(rows, i, "client_id"));
    (void)str_copy(out->shop_id, sizeof out->shop_id, db_text(rows, i, "shop_id"));
    (void)str_copy(out->kind, sizeof out->kind, db_text(rows, i, "kind"));
    (void)str_copy(out->entity, sizeof out->entity, db_text(rows, i, "entity"));
    (void)str_copy(out->state, sizeof out->state, db_text(rows, i, "state"));
    (void)str_copy(out->run_id, sizeof out->run_id, db_text(rows, i, "run_id"));
    (void)str_copy(out->outcome, sizeof out->outcome, db_text(rows, i, "outcome"));
}

static void filter_args(struct db_args *a, const struct job_filter *f, bool with_state)
{
    db_arg_text(a, f->client_id);
    db_arg_text(a, f->shop_id);
    db_arg_text(a, with_state ? f->state : NULL);
    db_arg_text(a, f->kind);
}

enum rc db_job_list(struct db_tx *tx, const struct job_filter *filter, struct job_info **out,
                    int *n, struct err *e)
{
    static const char SQL[] = "SELECT " INFO_COLUMNS " FROM jobs WHERE" FILTER
                              " AND ($5::bigint = 0 OR id < $5) ORDER BY id DESC LIMIT $6";
    int limit = filter->limit <= 0         ? LIST_DEFAULT
                : filter->limit > LIST_MAX ? LIST_MAX
                                           : filter->limit;
    struct db_args a = DB_ARGS;
    OWN_ROWS struct db_rows *rows = NULL;
    struct job_info *list = NULL;
    enum rc rc = RC_OK;

    filter_args(&a, filter, true);
    db_arg_i64(&a, filter->after_id);
    db_arg_i64(&a, limit);
    rc = db_exec(tx, SQL, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    list = calloc((size_t)db_rows_count(rows) + 1, sizeof *list);
    if (list == NULL)
        return err_set(e, RC_DOWN, "out of memory for a list of jobs");
    for (int i = 0; i < db_rows_count(rows); i++)
        info_read(rows, i, &list[i]);
    *n = db_rows_count(rows);
    *out = list;
    return RC_OK;
}

void db_job_list_free(struct job_info *list, int n)
{
    for (int i = 0; list != NULL && i < n; i++)
        json_decref(list[i].problem);
    free(list);
}

enum rc db_job_get(struct db_tx *tx, int64_t id, struct job_info *out, struct err *e)
{
    struct db_args a = DB_ARGS;
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc = RC_OK;

    db_arg_i64(&a, id);
    rc = db_exec(tx, "SELECT " INFO_COLUMNS " FROM jobs WHERE id = $1", &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_set(e, RC_NOT_FOUND, "there is no job %lld", (long long)id);
    info_read(rows, 0, out);
    return RC_OK;
}

/* After a statement that touched nothing: absent, or running? */
static enum rc why_not(struct db_tx *tx, int64_t id, struct err *e)
{
    struct db_args a = DB_ARGS;
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc = RC_OK;

    db_arg_i64(&a, id);
    rc = db_exec(tx, "SELECT state FROM jobs WHERE id = $1", &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_set(e, RC_NOT_FOUND, "there is no job %lld", (long long)id);
    return err_code(e, RC_BUSY, "job_running", "job %lld is running", (long long)id);
}

/* Kinds whose job is its run (owns_run in sync/kinds.c); jobs of other kinds are items of a run. */
#define RUN_KINDS "('feed_read', 'order_poll')"

/* An item was counted as failed when its job was parked: it must not be counted again. */
#define RETRY_SET                                                                                    \
    "UPDATE jobs SET state = 'ready', due_at = now(), attempts = 0, deaths = 0, updated_at = now()," \
    " run_id = CASE WHEN state <> 'parked' OR kind IN " RUN_KINDS " THEN run_id END"

static enum rc schedule_rows(struct db_tx *tx, const struct db_rows *rows, struct err *e)
{
    enum rc rc = RC_OK;

    for (int i = 0; rc == RC_OK && i < db_rows_count(rows); i++)
        rc = db_job_schedule(tx, db_text(rows, i, "client_id"), db_text(rows, i, "shop_id"),
                             (enum lane)db_i64(rows, i, "lane"), 0, e);
    return rc;
}

enum rc db_job_retry(struct db_tx *tx, int64_t id, struct err *e)
{
    static const char SQL[] =
        RETRY_SET " WHERE id = $1 AND state <> 'running' RETURNING client_id, shop_id, lane";
    struct db_args a = DB_ARGS;
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc = RC_OK;

    db_arg_i64(&a, id);
    rc = db_exec(tx, SQL, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    return db_rows_count(rows) == 0 ? why_not(tx, id, e) : schedule_rows(tx, rows, e);
}

enum rc db_job_retry_filter(struct db_tx *tx, const struct job_filter *filter, int64_t *n,
                            struct err *e)
{
    static const char SQL[] = "WITH again AS (" RETRY_SET " WHERE" FILTER
                              " AND state = 'parked' RETURNING client_id, shop_id, lane)"
                              " SELECT client_id, shop_id, min(lane) AS lane, count(*) AS n"
                              " FROM again GROUP BY client_id, shop_id";
    struct db_args a = DB_ARGS;
    OWN_ROWS struct db_rows *rows = NULL;
    int64_t total = 0;
    enum rc rc = RC_OK;

    filter_args(&a, filter, false);
    rc = db_exec(tx, SQL, &a, &rows, e);
    if (rc == RC_OK)
        rc = schedule_rows(tx, rows, e);
    if (rc != RC_OK)
        return rc;
    for (int i = 0; i < db_rows_count(rows); i++)
        total += db_i64(rows, i, "n");
    *n = total;
    return RC_OK;
}

/* What was cancelled ends its run, or its item in one; a parked item was counted before. */
static enum rc cancel_in_run(struct db_tx *tx, const struct db_rows *rows, struct err *e)
{
    static const struct run_delta FAILED = { .done = 1, .failed = 1 };
    const char *run_id = db_text(rows, 0, "run_id");
    const char *client_id = db_text(rows, 0, "client_id");

    if (run_id == NULL)
        return RC_OK;
    if (db_bool(rows, 0, "owns_run"))
        return db_run_end(tx, client_id, run_id, "cancelled", "cancelled", "The job was cancelled.",
                          e);
    return db_bool(rows, 0, "parked") ? RC_OK : db_run_progress(tx, client_id, run_id, &FAILED, e);
}

enum rc db_job_cancel(struct db_tx *tx, int64_t id, struct err *e)
{
    static const char SQL[] =
        "DELETE FROM jobs WHERE id = $1 AND state <> 'running' RETURNING client_id, run_id,"
        " state = 'parked' AS parked, kind IN " RUN_KINDS " AS owns_run";
    struct db_args a = DB_ARGS;
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc = RC_OK;

    db_arg_i64(&a, id);
    rc = db_exec(tx, SQL, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    return db_rows_count(rows) == 0 ? why_not(tx, id, e) : cancel_in_run(tx, rows, e);
}

enum rc db_job_park_client(struct db_tx *tx, const char *client_id, const char *code,
                           const char *detail, struct err *e)
{
    static const char JOBS[] =
        "UPDATE jobs SET state = 'parked', outcome = 'denied', updated_at = now(), run_id = NULL,"
        " problem = jsonb_build_object('code', $2::text, 'detail', $3::text)"
        " WHERE client_id = $1 AND " DB_JOB_OF_CLIENT_SHOPS " AND state = 'ready'";
    static const char RUNS[] =
        "UPDATE sync_runs SET status = 'cancelled', finished_at = clock_timestamp(),"
        " problem = jsonb_build_object('code', $2::text, 'detail', $3::text)"
        " WHERE client_id = $1 AND status IN ('queued', 'running')";
    static const char *const BOTH[] = { JOBS, RUNS };
    enum rc rc = RC_OK;

    for (int i = 0; rc == RC_OK && i < 2; i++) {
        struct db_args a = DB_ARGS;

        db_arg_text(&a, client_id);
        db_arg_text(&a, code);
        db_arg_text(&a, detail);
        rc = db_exec(tx, BOTH[i], &a, NULL, e);
    }
    return rc;
}

enum rc db_shop_pause(struct db_tx *tx, const char *client_id, const char *shop_id,
                      const char *reason, int64_t for_us, struct err *e)
{
    static const char SQL[] =
        "INSERT INTO shop_schedule (shop_id, client_id, paused_reason, paused_until)"
        " VALUES ($1, $2, $3, CASE WHEN $4::bigint > 0 THEN now() + $4::bigint * interval '1 microsecond' END)"
        " ON CONFLICT (shop_id) DO UPDATE SET paused_reason = excluded.paused_reason,"
        " paused_until = excluded.paused_until"
        /* A pause that waits for a person is not turned into one that ends by itself. */
        " WHERE shop_schedule.paused_reason IS NULL OR shop_schedule.paused_until IS NOT NULL"
        " OR excluded.paused_until IS NULL";
    struct db_args a = DB_ARGS;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, client_id);
    db_arg_text(&a, reason);
    db_arg_i64(&a, for_us);
    return db_exec(tx, SQL, &a, NULL, e);
}

enum rc db_shop_unpause(struct db_tx *tx, const char *shop_id, struct err *e)
{
    static const char SQL[] =
        "UPDATE shop_schedule SET paused_reason = NULL, paused_until = NULL"
        " WHERE shop_id = $1 AND paused_reason IS NOT NULL RETURNING client_id, lane";
    struct db_args a = DB_ARGS;
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc = RC_OK;

    db_arg_text(&a, shop_id);
    rc = db_exec(tx, SQL, &a, &rows, e);
    if (rc != RC_OK || db_rows_count(rows) == 0)
        return rc;
    return db_job_schedule(tx, db_text(rows, 0, "client_id"), shop_id,
                           (enum lane)db_i64(rows, 0, "lane"), 0, e);
}
