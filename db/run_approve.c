/* run_approve.c - a person's word on what a run held. */
#include "db_run.h"

#include "str.h"

enum rc db_run_approve(struct db_tx *tx, const char *client_id, const char *id, const char *who,
                       char code[64], struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_text(&a, id);
    db_arg_text(&a, who);
    rc = db_exec(tx,
                 "UPDATE sync_runs SET approved_at = clock_timestamp(), approved_by = $3"
                 " WHERE client_id = $1 AND id = $2 AND status = 'held'"
                 " RETURNING coalesce(problem ->> 'code', 'held') AS code",
                 &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    code[0] = '\0';
    if (db_rows_count(rows) > 0)
        (void)str_copy(code, 64, db_text(rows, 0, "code"));
    return RC_OK;
}

enum rc db_run_reopen(struct db_tx *tx, const char *client_id, const char *id, const char *status,
                      struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, client_id);
    db_arg_text(&a, id);
    db_arg_text(&a, status);
    return db_exec(tx,
                   "UPDATE sync_runs SET status = $3, problem = NULL, finished_at = NULL, held = 0"
                   " WHERE client_id = $1 AND id = $2 AND status = 'held'",
                   &a, NULL, e);
}
