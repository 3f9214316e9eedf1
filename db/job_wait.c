/* job_wait.c - whether a piece of work was looked at since it was asked for. */
#include "db_job.h"

#include "str.h"

enum rc db_job_waits(struct db_tx *tx, const char *client_id, const char *kind, const char *entity,
                     bool *waits, json_t **problem, struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    bool found = false;
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_text(&a, kind);
    db_arg_text(&a, entity);
    /* One that was put back for later had its turn. */
    rc = db_exec(tx,
                 "SELECT state, problem, state = 'running' OR (state = 'ready' AND due_at <= now())"
                 " AS waits FROM jobs WHERE client_id = $1 AND kind = $2 AND entity = $3",
                 &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    *problem = NULL;
    for (int i = 0; i < db_rows_count(rows); i++) {
        found = found || db_bool(rows, i, "waits");
        if (*problem == NULL && str_eq(db_text(rows, i, "state"), "parked"))
            *problem = db_json_new(rows, i, "problem");
    }
    *waits = found;
    return RC_OK;
}
