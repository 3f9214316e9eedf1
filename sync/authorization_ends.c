/* authorization_ends.c - TikTok says that an authorization is about to end: the shop shows it.
 *
 * Repeats: safe. The newest stored notice counts. */
#include "sync.h"

#include "clock.h"
#include "db_grant.h"
#include "jspec.h"
#include "log.h"

#define LIMIT_NOTICE_BYTES ((size_t)1 << 20)

/* 0 when the notice does not say. */
static int64_t notice_end_us(const struct buf *body)
{
    json_auto_t *root = NULL;
    int64_t seconds;

    if (jspec_parse(body->data, body->len, 0, &root, NULL) != RC_OK)
        return 0;
    seconds = jspec_int(root, "data.expiration_time", 0);
    return seconds > 0 && seconds < INT64_MAX / US_PER_S ? seconds * US_PER_S : 0;
}

enum rc sync_authorization_ends(struct job_ctx *ctx, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    OWN_BUF struct buf body;
    const struct job *job = ctx->job;
    enum rc rc;

    buf_init(&body, LIMIT_NOTICE_BYTES);
    rc = job_tx_begin(ctx, "authorization_ends", &tx, e);
    if (rc == RC_OK)
        rc = db_shop_event_body(tx, job->shop_id, 7, &body, e);
    if (rc == RC_NOT_FOUND)
        rc = RC_OK;
    if (rc == RC_OK)
        rc = db_grant_expiry_notice(tx, job->client_id, job->shop_id, notice_end_us(&body), e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc == RC_OK)
        LOG(LOG_WARN, "oauth", "the authorization of a shop is about to end",
            LF_S("account", job->shop_id));
    return rc;
}
