/* token_refresh.c - renews a grant's tokens well before they end.
 *
 * Repeats: safe. What is stored decides whether anything is due; a refresh is claimed by one at a time. */
#include "sync.h"

#include "clock.h"
#include "str.h"
#include "token.h"

static enum rc load(struct job_ctx *ctx, struct grant *out, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(ctx, "token_refresh", &tx, e);

    if (rc == RC_OK)
        rc = db_grant_get(tx, ctx->job->client_id, ctx->job->entity, false, out, e);
    return rc;
}

/* The job stays and comes back when the pair is due. */
static enum rc come_back(const struct grant *g, struct err *e)
{
    int64_t wait_us = token_refresh_at_us(g->obtained_us, g->expires_us) - g->now_us;

    (void)err_code(e, RC_BUSY, "not_due", "the token is still fresh");
    if (e != NULL)
        e->retry_after_us = wait_us > US_PER_S ? wait_us : US_PER_S;
    return RC_BUSY;
}

enum rc sync_token_refresh(struct job_ctx *ctx, struct err *e)
{
    OWN_GRANT struct grant g = { 0 };
    enum rc rc = load(ctx, &g, e);

    if (rc == RC_NOT_FOUND)
        return RC_OK;
    if (rc != RC_OK)
        return rc;
    if (!str_eq(g.status, "active") || g.access_token == NULL)
        return RC_OK; /* a new authorization makes a new job */
    if (g.now_us < g.obtained_us + (g.expires_us - g.obtained_us) / 100 * 75)
        return come_back(&g, e);
    rc = token_refresh(ctx, g.client_id, g.open_id, g.version, e);
    /* Refused: the shops say so and are held; there is nothing for this job to do any more. */
    return rc == RC_DENIED ? RC_OK : rc;
}
