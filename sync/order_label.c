/* order_label.c - fetches the shipping label of one package; whoever asked waits for the row.
 *
 * Repeats: safe. A label that is there and fresh is not fetched again. */
#include "db_fulfil.h"
#include "own.h"
#include "str.h"
#include "sync.h"
#include "tiktok_fulfil.h"

#include <string.h>

#define LABEL_TOTAL_MS 20000

struct asked {
    char package_id[64];
    char format[8];
};

static bool entity_read(const char *entity, struct asked *out)
{
    const char *slash = strrchr(entity, '/');

    if (slash == NULL || (size_t)(slash - entity) >= sizeof out->package_id)
        return false;
    memcpy(out->package_id, entity, (size_t)(slash - entity));
    return str_copy(out->format, sizeof out->format, slash + 1);
}

/* A file of the format that was asked for, by its first bytes. */
static bool is_label(const struct buf *body, const char *format)
{
    const char *text = buf_text(body);

    if (str_eq(format, "pdf"))
        return str_starts(text, "%PDF");
    return memchr(text, '^', body->len < 64 ? body->len : 64) != NULL && strstr(text, "^XA");
}

static enum rc file_fetch(struct job_ctx *ctx, const char *url, const char *format,
                          struct fetch_reply *reply, struct err *e)
{
    const struct fetch_req req = { .method = "GET",
                                   .url = url,
                                   .policy = FETCH_PUBLIC,
                                   .total_ms = LABEL_TOTAL_MS,
                                   .reply_limit_bytes = (int64_t)LIMIT_LABEL_BYTES,
                                   .stop = ctx->stop };
    enum rc rc = fetch_run(platform_fetch(ctx->app->platform), &req, reply, e);

    if (rc == RC_STOPPED)
        return rc;
    if (rc == RC_INVALID)
        return err_code(e, RC_INVALID, "label_address", "the address of the label is not usable");
    if (rc != RC_OK)
        return err_code(e, RC_DOWN, "label_away", "the label's host does not answer");
    if (reply->status == 200 && is_label(&reply->body, format))
        return RC_OK;
    fetch_reply_done(reply);
    memset(reply, 0, sizeof *reply);
    return err_code(e, RC_DOWN, "label_away", "the label's host gives no label yet");
}

static enum rc refuse(struct job_ctx *ctx, const struct asked *a, int64_t code, const char *reason,
                      struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(ctx, "label_refuse", &tx, e);

    if (rc == RC_OK)
        rc = db_label_refuse(tx, ctx->job->shop_id, a->package_id, a->format, code, reason, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc store(struct job_ctx *ctx, const struct asked *a, const struct buf *body,
                     struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(ctx, "label_store", &tx, e);

    if (rc == RC_OK)
        rc = db_label_store(tx, ctx->job->client_id, ctx->job->shop_id, a->package_id, a->format,
                            body, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc is_wanted(struct job_ctx *ctx, const struct asked *a, bool *wanted, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    struct label label;
    enum rc rc = job_tx_begin(ctx, "label_get", &tx, e);

    if (rc == RC_OK)
        rc = db_label_get(tx, ctx->job->client_id, ctx->job->shop_id, a->package_id, a->format,
                          &label, NULL, e);
    if (rc == RC_OK)
        *wanted = str_eq(label.state, "asked");
    return rc;
}

enum rc sync_order_label(struct job_ctx *ctx, struct err *e)
{
    OWN_TIKTOK struct tiktok_session s = { 0 };
    OWN_STR char *url = NULL;
    struct asked a = { 0 };
    struct tiktok_item_error error;
    struct fetch_reply reply = { 0 };
    bool wanted = false;
    enum rc rc;

    if (!entity_read(ctx->job->entity, &a))
        return err_set(e, RC_BUG, "the label job names no package");
    rc = is_wanted(ctx, &a, &wanted, e);
    if (rc != RC_OK || !wanted)
        return rc;
    rc = session_tiktok_open(ctx, &s, e);
    if (rc == RC_OK)
        rc = tiktok_label_url(&s, a.package_id, str_eq(a.format, "zpl") ? "ZPL" : "PDF", &url,
                              &error, e);
    if (rc == RC_OK && error.code != 0)
        return refuse(ctx, &a, error.code, error.message, e);
    if (rc == RC_OK)
        rc = file_fetch(ctx, url, a.format, &reply, e);
    if (rc == RC_INVALID)
        return refuse(ctx, &a, 0, e->text, e);
    if (rc == RC_OK)
        rc = store(ctx, &a, &reply.body, e);
    fetch_reply_done(&reply);
    return rc;
}
