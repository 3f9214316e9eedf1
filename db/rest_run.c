/* rest_run.c - runs as the REST interface shows them. */
#include "db_rest.h"

#include "db_job.h"
#include "db_request_key.h"
#include "rest_page.h"
#include "str.h"

#define RUN_PATH "/v1/runs/"

#define RUN_DOC                                                                               \
    "json_build_object('id', id, 'kind', kind, 'client_hash', client_id, 'dry_run', dry_run," \
    " 'target', target, 'status', status, 'progress', json_build_object('total', total,"      \
    " 'done', done, 'created', created, 'updated', updated, 'unchanged', unchanged,"          \
    " 'removed', removed, 'held', held, 'failed', failed), 'requested_by', requested_by,"     \
    " 'created_at', connector_time(created_at), 'started_at', connector_time(started_at),"    \
    " 'finished_at', connector_time(finished_at), 'problem', problem) AS doc"

enum rc db_rest_runs(struct db_tx *tx, const char *client_id, const struct runs_filter *filter,
                     const char *cursor, int limit, struct rest_list *out, struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, client_id);
    db_arg_text(&a, cursor[0] != '\0' ? cursor : NULL);
    db_arg_text(&a, filter->kind);
    db_arg_text(&a, filter->status);
    return rest_page_run(tx,
                         "SELECT " RUN_DOC ", id AS cursor FROM sync_runs WHERE client_id = $1"
                         " AND ($2::text IS NULL OR id < $2) AND ($3::text IS NULL OR kind = $3)"
                         " AND ($4::text IS NULL OR status = $4) ORDER BY id DESC LIMIT $5",
                         &a, limit, out, e);
}

enum rc db_rest_run(struct db_tx *tx, const char *id, json_t **doc, char client_id[68],
                    struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    json_t *found;
    enum rc rc;

    db_arg_text(&a, id);
    rc = db_exec(tx, "SELECT client_id, " RUN_DOC " FROM sync_runs WHERE id = $1", &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_code(e, RC_NOT_FOUND, "not_found", "there is no such run");
    found = db_json_new(rows, 0, "doc");
    if (found == NULL)
        return err_set(e, RC_BUG, "no memory for a run");
    if (client_id != NULL)
        (void)str_copy(client_id, 68, db_text(rows, 0, "client_id"));
    *doc = found;
    return RC_OK;
}

enum rc db_rest_run_changes(struct db_tx *tx, const char *client_id, const char *run_id,
                            const char *cursor, int limit, struct rest_list *out, struct err *e)
{
    struct db_args a = { 0 };
    int64_t after = 0;

    if (cursor[0] != '\0' && !str_to_i64(cursor, 1, INT64_MAX, &after))
        return err_field(e, "cursor", "is not one of ours");
    db_arg_text(&a, client_id);
    db_arg_text(&a, run_id);
    db_arg_i64(&a, after);
    return rest_page_run(tx,
                         "SELECT json_build_object('entity', entity, 'source_id', source_id,"
                         " 'seller_sku', seller_sku, 'field', field, 'old', old, 'new', new,"
                         " 'action', action, 'outcome', outcome, 'rule', rule, 'request_id',"
                         " request_id, 'reason', reason) AS doc, id::text AS cursor"
                         " FROM sync_run_changes WHERE client_id = $1 AND run_id = $2 AND id > $3"
                         " ORDER BY id LIMIT $4",
                         &a, limit, out, e);
}

enum rc db_rest_run_waiting(struct db_tx *tx, const char *client_id, const char *kind, bool dry_run,
                            const char *target, const json_t *params, char id[40], bool *same,
                            struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_text(&a, kind);
    db_arg_bool(&a, dry_run);
    db_arg_json(&a, params);
    db_arg_text(&a, target);
    rc = db_exec(tx,
                 "SELECT id, params = $4::jsonb AS same FROM sync_runs WHERE client_id = $1"
                 " AND kind = $2 AND dry_run = $3 AND target = $5 AND status = 'queued'"
                 " ORDER BY id DESC LIMIT 1",
                 &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    id[0] = '\0';
    *same = false;
    if (db_rows_count(rows) > 0) {
        (void)str_copy(id, 40, db_text(rows, 0, "id"));
        *same = db_bool(rows, 0, "same");
    }
    return RC_OK;
}

enum rc db_rest_run_jobs_drop(struct db_tx *tx, const char *client_id, const char *run_id,
                              struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, client_id);
    db_arg_text(&a, run_id);
    return db_exec(tx,
                   "DELETE FROM jobs WHERE client_id = $1 AND " DB_JOB_OF_CLIENT_SHOPS
                   " AND run_id = $2 AND state <> 'running'",
                   &a, NULL, e);
}

enum rc db_rest_run_by_key(struct db_tx *tx, const char *client_id, const char *key,
                           const unsigned char digest[32], char id[40], struct err *e)
{
    OWN_REQUEST_ANSWER struct request_answer first = { 0 };
    enum rc rc = db_request_key_find(tx, client_id, key, digest, &first, e);

    if (rc != RC_OK)
        return rc;
    id[0] = '\0';
    /* The digest covers the path, so a known key of a trigger is one of a run. */
    if (first.status != 0 && (!str_starts(first.location, RUN_PATH) ||
                              !str_copy(id, 40, first.location + strlen(RUN_PATH))))
        return err_set(e, RC_BUG, "a kept answer names no run");
    return RC_OK;
}

enum rc db_rest_run_key_set(struct db_tx *tx, const char *client_id, const char *id,
                            const char *key, const unsigned char digest[32], struct err *e)
{
    struct request_answer answer = { .status = 202 };

    if (!str_fmt(answer.location, sizeof answer.location, RUN_PATH "%s", id))
        return err_set(e, RC_BUG, "the id of a run does not fit");
    return db_request_key_put(tx, client_id, key, digest, &answer, e);
}
