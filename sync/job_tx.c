/* sync/job_tx.c - a job's transactions: of its tenant, and only while its shop's lease is ours. */
#include "sync.h"

enum rc job_tx_begin(struct job_ctx *ctx, const char *name, struct db_tx **out, struct err *e)
{
    /* Held to the end of the transaction: nobody takes the lease before it. */
    static const char SQL[] =
        "SELECT 1 AS held FROM shop_schedule WHERE shop_id = $1 AND lease_token = $2 FOR KEY SHARE";
    OWN_TX struct db_tx *tx = NULL;
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = DB_ARGS;
    enum rc rc = db_tx_begin(ctx->db, name, ctx->job->client_id, &tx, e);

    if (rc != RC_OK)
        return rc;
    db_arg_text(&a, ctx->job->shop_id);
    db_arg_i64(&a, ctx->job->lease_token);
    rc = db_exec(tx, SQL, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_code(e, RC_STOPPED, "lease_lost", "%s: the shop's lease was lost", name);
    *out = tx;
    tx = NULL;
    return RC_OK;
}
