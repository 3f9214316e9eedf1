/* run.c - sync runs: opened by a trigger, counted up by jobs, ended once everything is done. */
#include "db_run.h"

#include "str.h"

#include <stdio.h>
#include <time.h>

/* A version 7 UUID: time-ordered, so that runs sort by id. */
static void run_id_make(char id[40])
{
    unsigned char b[16];
    struct timespec now = { 0 };
    uint64_t ms;
    char hex[33];

    (void)clock_gettime(CLOCK_REALTIME, &now);
    ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    sign_random(b, sizeof b);
    for (int i = 0; i < 6; i++)
        b[i] = (unsigned char)(ms >> (8 * (5 - i)));
    b[6] = (unsigned char)(0x70 | (b[6] & 0x0f));
    b[8] = (unsigned char)(0x80 | (b[8] & 0x3f));
    str_hex(hex, b, sizeof b);
    (void)str_fmt(id, 40, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

enum rc db_run_new(struct db_tx *tx, const char *client_id, const char *shop_id, const char *kind,
                   bool dry_run, const char *target, const json_t *params, const char *requested_by,
                   char id[40], struct err *e)
{
    struct db_args a = { 0 };
    char made[40];
    json_auto_t *none = json_object();
    enum rc rc;

    run_id_make(made);
    db_arg_text(&a, client_id);
    db_arg_text(&a, made);
    db_arg_text(&a, shop_id != NULL ? shop_id : "");
    db_arg_text(&a, kind);
    db_arg_bool(&a, dry_run);
    db_arg_text(&a, target != NULL ? target : "live");
    db_arg_json(&a, params != NULL ? params : none);
    db_arg_text(&a, requested_by);
    rc = db_exec(tx,
                 "INSERT INTO sync_runs (client_id, id, shop_id, kind, dry_run, target, params,"
                 " requested_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                 &a, NULL, e);
    if (rc == RC_OK)
        (void)str_copy(id, 40, made);
    return rc;
}

enum rc db_run_get(struct db_tx *tx, const char *client_id, const char *id, struct run *out,
                   struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    struct run run = { 0 };
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_text(&a, id);
    rc = db_exec(tx,
                 "SELECT id, client_id, shop_id, kind, dry_run, target, status, params,"
                 " requested_by FROM sync_runs WHERE client_id = $1 AND id = $2",
                 &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_code(e, RC_NOT_FOUND, "not_found", "there is no such run");
    (void)str_copy(run.id, sizeof run.id, db_text(rows, 0, "id"));
    (void)str_copy(run.client_id, sizeof run.client_id, db_text(rows, 0, "client_id"));
    (void)str_copy(run.shop_id, sizeof run.shop_id, db_text(rows, 0, "shop_id"));
    (void)str_copy(run.kind, sizeof run.kind, db_text(rows, 0, "kind"));
    run.dry_run = db_bool(rows, 0, "dry_run");
    (void)str_copy(run.target, sizeof run.target, db_text(rows, 0, "target"));
    (void)str_copy(run.status, sizeof run.status, db_text(rows, 0, "status"));
    str_copy_cut(run.requested_by, sizeof run.requested_by, db_text(rows, 0, "requested_by"));
    run.params = db_json_new(rows, 0, "params");
    if (run.params == NULL)
        return err_set(e, RC_BUG, "run %s: no memory for its parameters", id);
    *out = run;
    return RC_OK;
}

void db_run_done(struct run *run)
{
    json_decref(run->params);
    run->params = NULL;
}

enum rc db_run_start(struct db_tx *tx, const char *client_id, const char *id, struct err *e)
{
    struct db_args a = { 0 };

    if (id == NULL || id[0] == '\0')
        return RC_OK;
    db_arg_text(&a, client_id);
    db_arg_text(&a, id);
    return db_exec(tx,
                   "UPDATE sync_runs SET status = 'running', started_at = clock_timestamp()"
                   " WHERE client_id = $1 AND id = $2 AND status = 'queued'",
                   &a, NULL, e);
}

/* One place decides how a run ends, so that a late counter can never reopen it. */
#define RUN_END_IF_COMPLETE                                                              \
    "UPDATE sync_runs SET finished_at = clock_timestamp(),"                              \
    " status = CASE WHEN failed = 0 THEN 'succeeded' WHEN failed >= total THEN 'failed'" \
    " ELSE 'partial' END"                                                                \
    " WHERE client_id = $1 AND id = $2 AND read_done AND done >= total"                  \
    " AND status IN ('queued', 'running')"

static enum rc end_if_complete(struct db_tx *tx, const char *client_id, const char *id,
                               struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, client_id);
    db_arg_text(&a, id);
    return db_exec(tx, RUN_END_IF_COMPLETE, &a, NULL, e);
}

enum rc db_run_progress(struct db_tx *tx, const char *client_id, const char *id,
                        const struct run_delta *d, struct err *e)
{
    struct db_args a = { 0 };
    enum rc rc;

    if (id == NULL || id[0] == '\0')
        return RC_OK;
    db_arg_text(&a, client_id);
    db_arg_text(&a, id);
    db_arg_i64(&a, d->total);
    db_arg_i64(&a, d->done);
    db_arg_i64(&a, d->created);
    db_arg_i64(&a, d->updated);
    db_arg_i64(&a, d->unchanged);
    db_arg_i64(&a, d->removed);
    db_arg_i64(&a, d->held);
    db_arg_i64(&a, d->failed);
    rc =
        db_exec(tx,
                "UPDATE sync_runs SET total = total + $3, done = done + $4, created = created + $5,"
                " updated = updated + $6, unchanged = unchanged + $7, removed = removed + $8,"
                " held = held + $9, failed = failed + $10 WHERE client_id = $1 AND id = $2",
                &a, NULL, e);
    if (rc == RC_OK && d->done != 0)
        rc = end_if_complete(tx, client_id, id, e);
    return rc;
}

enum rc db_run_counters_reset(struct db_tx *tx, const char *client_id, const char *id,
                              struct err *e)
{
    struct db_args a = { 0 };

    if (id == NULL || id[0] == '\0')
        return RC_OK;
    db_arg_text(&a, client_id);
    db_arg_text(&a, id);
    return db_exec(
        tx,
        "UPDATE sync_runs SET total = 0, done = 0, created = 0, updated = 0, unchanged = 0, removed = 0,"
        " held = 0, failed = 0 WHERE client_id = $1 AND id = $2 AND status IN ('queued', 'running')",
        &a, NULL, e);
}

enum rc db_run_read_done(struct db_tx *tx, const char *client_id, const char *id, struct err *e)
{
    struct db_args a = { 0 };
    enum rc rc;

    if (id == NULL || id[0] == '\0')
        return RC_OK;
    db_arg_text(&a, client_id);
    db_arg_text(&a, id);
    rc = db_exec(tx,
                 "UPDATE sync_runs SET read_done = true,"
                 " started_at = coalesce(started_at, clock_timestamp())"
                 " WHERE client_id = $1 AND id = $2",
                 &a, NULL, e);
    if (rc == RC_OK)
        rc = end_if_complete(tx, client_id, id, e);
    return rc;
}

enum rc db_run_end(struct db_tx *tx, const char *client_id, const char *id, const char *status,
                   const char *code, const char *detail, struct err *e)
{
    struct db_args a = { 0 };
    json_auto_t *problem = NULL;

    if (id == NULL || id[0] == '\0')
        return RC_OK;
    if (code != NULL || detail != NULL) {
        problem = json_pack("{s:s?, s:s?}", "code", code, "detail", detail);
        if (problem == NULL)
            return err_set(e, RC_BUG, "run %s: its problem cannot be written", id);
    }
    db_arg_text(&a, client_id);
    db_arg_text(&a, id);
    db_arg_text(&a, status);
    db_arg_json(&a, problem);
    return db_exec(tx,
                   "UPDATE sync_runs SET status = $3, problem = coalesce($4, problem),"
                   " finished_at = CASE WHEN $3 = 'held' THEN NULL ELSE clock_timestamp() END"
                   " WHERE client_id = $1 AND id = $2 AND status IN ('queued', 'running', 'held')",
                   &a, NULL, e);
}
