/* sync/maintenance.c - partitions for the months to come, and an end for what has been kept long enough.
 *
 * Repeats: safe. Each step looks at what is there. */
#include "sync.h"

#include <string.h>

#include "db_upkeep.h"
#include "log.h"

static enum rc partitions(struct job_ctx *ctx, int i, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(ctx, "upkeep_partitions", &tx, e);

    if (rc == RC_OK)
        rc = db_upkeep_partitions(tx, i, ctx->app->cfg.retention_days, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc delete_slice(struct job_ctx *ctx, int i, int64_t *n, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(ctx, "upkeep_delete", &tx, e);

    if (rc == RC_OK)
        rc = db_upkeep_delete(tx, i, ctx->app->cfg.retention_days, n, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

enum rc sync_maintenance(struct job_ctx *ctx, struct err *e)
{
    int64_t total = 0;
    enum rc rc = RC_OK;

    for (int i = 0; rc == RC_OK && i < db_upkeep_tables(); i++)
        rc = partitions(ctx, i, e);
    for (int i = 0; rc == RC_OK && i < db_upkeep_rules(); i++) {
        int64_t n = 1;

        while (rc == RC_OK && n > 0) {
            if (atomic_load(ctx->stop))
                return err_set(e, RC_STOPPED, "stopping");
            rc = delete_slice(ctx, i, &n, e);
            total += rc == RC_OK ? n : 0;
        }
    }
    if (rc == RC_OK && total > 0)
        LOG(LOG_INFO, "maintenance", "old rows deleted", LF_I("rows", total));
    return rc;
}
