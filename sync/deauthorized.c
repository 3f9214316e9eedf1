/* deauthorized.c - the seller removed the app: tokens are wiped, the shop's work stands still.
 *
 * Repeats: safe. A deauthorization that came or happened before the current authorization changes nothing. */
#include "sync.h"

#include "db_grant.h"
#include "log.h"

enum rc sync_deauthorized(struct job_ctx *ctx, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    const struct job *job = ctx->job;
    bool old = false;
    enum rc rc = job_tx_begin(ctx, "deauthorized", &tx, e);

    if (rc == RC_OK)
        rc = db_shop_deauthorization_is_old(tx, job->shop_id, &old, e);
    if (rc != RC_OK || old)
        return rc;
    rc = db_shop_disconnect(tx, job->client_id, job->shop_id, e);
    if (rc == RC_NOT_FOUND)
        return RC_OK;
    if (rc == RC_OK)
        rc = db_audit(tx, job->client_id, "tiktok", "shop_deauthorized", NULL, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc == RC_OK)
        LOG(LOG_WARN, "oauth", "the seller removed the app; the shop is disconnected",
            LF_S("account", job->shop_id));
    return rc;
}
