/* aftersale_poll.c - finds cancellations and returns whose webhooks were lost.
 *
 * Repeats: safe. A window that overlaps the last one is read to its end before the watermark moves. */
#include "aftersale.h"
#include "clock.h"
#include "log.h"
#include "own.h"

#include <stdlib.h>

#define OVERLAP_US (10 * 60 * US_PER_S)
#define FIRST_US (30 * 86400 * US_PER_S)
#define LIMIT_PAGES 500

/* Stores one page; orders of what changed are looked at. */
static enum rc page_store(struct job_ctx *ctx, enum tiktok_aftersale what, const json_t *items,
                          struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    const struct job *job = ctx->job;
    enum rc rc = job_tx_begin(ctx, "aftersale_page", &tx, e);

    for (size_t i = 0; rc == RC_OK && i < json_array_size(items); i++) {
        char order_id[ORDER_ID_BYTES];
        bool changed = false;

        rc = aftersale_keep(tx, job, what, json_array_get(items, i), order_id, &changed, e);
        if (rc == RC_OK && changed)
            rc = db_aftersale_read_put(tx, job->client_id, job->shop_id, order_id, 0, e);
    }
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc window_read(struct job_ctx *ctx, struct tiktok_session *s,
                           enum tiktok_aftersale what, int64_t from_us, struct err *e)
{
    OWN_STR char *token = NULL;
    struct tiktok_aftersale_search search = { .update_ge_s = from_us / US_PER_S };

    for (int n = 0; n < LIMIT_PAGES; n++) {
        json_auto_t *items = NULL;
        char *next = NULL;
        enum rc rc;

        search.page_token = token;
        rc = tiktok_aftersale_search(s, what, &search, &items, &next, e);
        if (rc == RC_OK)
            rc = page_store(ctx, what, items, e);
        free(token);
        token = next;
        if (rc != RC_OK || !next)
            return rc;
    }
    return err_code(e, RC_INVALID, "too_many_pages", "the list of requests does not end");
}

enum rc sync_aftersale_poll(struct job_ctx *ctx, struct err *e)
{
    OWN_TIKTOK struct tiktok_session s = { 0 };
    OWN_TX struct db_tx *tx = NULL;
    struct aftersale_mark mark = { 0 };
    int64_t from;
    enum rc rc = job_tx_begin(ctx, "aftersale_mark", &tx, e);

    if (rc == RC_OK)
        rc = db_aftersale_mark_get(tx, ctx->job->shop_id, &mark, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    db_tx_free(tx);
    tx = NULL;
    if (rc == RC_OK)
        rc = session_tiktok_open(ctx, &s, e);
    from = mark.watermark_us > 0 ? mark.watermark_us - OVERLAP_US : mark.now_us - FIRST_US;
    if (rc == RC_OK)
        rc = window_read(ctx, &s, TIKTOK_CANCELLATIONS, from, e);
    if (rc == RC_OK)
        rc = window_read(ctx, &s, TIKTOK_RETURNS, from, e);
    if (rc == RC_DENIED && e->platform_code == TIKTOK_CODE_SCOPE) {
        LOG(LOG_WARN, "aftersale", "the seller did not grant the app cancellations and returns",
            LF_S("account", ctx->job->client_id), LF_S("shop", ctx->job->shop_id));
        return RC_OK; /* orders are not held up by it */
    }
    if (rc == RC_OK)
        rc = job_tx_begin(ctx, "aftersale_mark", &tx, e);
    if (rc == RC_OK)
        rc = db_aftersale_mark_set(tx, ctx->job->shop_id, mark.now_us, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}
