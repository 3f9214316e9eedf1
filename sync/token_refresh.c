/* token_refresh.c - renews a grant's tokens well before they end.
 *
 * Repeats: safe. What is stored decides whether anything is due; a refresh is claimed by one at a time. */
#include "sync.h"

#include "clock.h"
#include "str.h"
#include "token.h"

#define DUE_PERCENT 75

static bool is_due(const struct grant *g)
{
    return g->now_us >= g->obtained_us + (g->expires_us - g->obtained_us) / 100 * DUE_PERCENT;
}

static bool is_usable(const struct grant *g)
{
    return str_eq(g->status, "active") && g->access_token != NULL;
}

/* Reads the grant; when it is not due yet, asks for this job again in time. */
static enum rc load(struct job_ctx *ctx, struct grant *out, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    struct grant g = { 0 };
    enum rc rc = job_tx_begin(ctx, "token_refresh", &tx, e);

    if (rc == RC_OK)
        rc = db_grant_get(tx, ctx->job->client_id, ctx->job->entity, false, &g, e);
    if (rc == RC_OK && is_usable(&g) && !is_due(&g))
        rc = token_refresh_put(tx, g.client_id, g.open_id,
                               token_refresh_at_us(g.obtained_us, g.expires_us) - g.now_us, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc == RC_OK)
        *out = g;
    else
        db_grant_done(&g);
    return rc;
}

enum rc sync_token_refresh(struct job_ctx *ctx, struct err *e)
{
    OWN_GRANT struct grant g = { 0 };
    enum rc rc = load(ctx, &g, e);

    if (rc == RC_NOT_FOUND)
        return RC_OK;
    if (rc != RC_OK)
        return rc;
    /* Not usable: a new authorization makes a new job. */
    if (!is_usable(&g) || !is_due(&g))
        return RC_OK;
    rc = token_refresh(ctx, g.client_id, g.open_id, g.version, g.expires_us <= g.now_us, e);
    /* Refused: the shops say so and are held; there is nothing for this job to do any more. */
    return rc == RC_DENIED ? RC_OK : rc;
}
