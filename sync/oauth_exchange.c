/* oauth_exchange.c - turns a code of the authorize page into a connected shop.
 *
 * Repeats: a code is used once. It is wiped before it is sent and put back only when nothing was sent; the
 * tokens are stored before anything else is asked, so a second run goes on from there. A process that died
 * in between leaves neither code nor tokens: the seller starts again and is told so. */
#include "sync.h"

#include "clock.h"
#include "db_grant.h"
#include "db_oauth.h"
#include "fault.h"
#include "log.h"
#include "str.h"
#include "tiktok_auth.h"
#include "token.h"

#include <string.h>

#define CODE_LIFE_US (29 * 60 * US_PER_S) /* TikTok keeps a code for 30 minutes */

/* Scopes without which part of the work would fail. */
static const char *const NEEDED_SCOPES[] = {
    "seller.authorization.info", "seller.shop.info",
    "seller.product.basic",      "seller.product.write",
    "seller.product.delete",     "seller.order.info",
    "seller.fulfillment.basic",  "seller.fulfillment.package.write",
    "seller.logistics",          "seller.return_refund.basic",
};
#define N_NEEDED ((int)(sizeof NEEDED_SCOPES / sizeof NEEDED_SCOPES[0]))

static enum rc end_failed(struct job_ctx *ctx, const char *code, const char *detail, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = db_tx_begin(ctx->db, "exchange_failed", ctx->job->client_id, &tx, e);

    if (rc == RC_OK)
        rc = db_oauth_exchange_end(tx, ctx->job->client_id, ctx->job->entity, "failed", NULL, 0,
                                   code, detail, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc == RC_OK)
        LOG(LOG_WARN, "oauth", "a shop could not be connected", LF_S("code", code));
    return rc;
}

static enum rc take_work(struct job_ctx *ctx, struct exchange_work *out, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(ctx, "exchange_take", &tx, e);

    if (rc == RC_OK)
        rc = db_oauth_code_take(tx, ctx->job->client_id, ctx->job->entity, out, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    return rc;
}

static enum rc give_code_back(struct job_ctx *ctx, const char *code, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = db_tx_begin(ctx->db, "exchange_return", ctx->job->client_id, &tx, e);

    if (rc == RC_OK)
        rc = db_oauth_code_return(tx, ctx->job->client_id, ctx->job->entity, code, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    return rc;
}

static enum rc store_tokens(struct job_ctx *ctx, const struct tiktok_tokens *t, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    const char *client_id = ctx->job->client_id;
    struct grant_tokens pair = {
        .open_id = t->open_id,
        .access_token = t->access_token,
        .refresh_token = t->refresh_token,
        .expires_us = t->access_expires_us,
        .ends_us = t->refresh_expires_us,
        .seller_name = t->seller_name[0] != '\0' ? t->seller_name : NULL,
        .region = t->region[0] != '\0' ? t->region : NULL,
        .user_type = t->user_type,
        .scopes = t->scopes,
    };
    int64_t now_us = clock_now_us();
    enum rc rc = db_tx_begin(ctx->db, "exchange_store", client_id, &tx, e);

    if (rc == RC_OK)
        rc = db_grant_connect(tx, client_id, &pair, e);
    if (rc == RC_OK)
        rc = db_oauth_exchange_grant(tx, client_id, ctx->job->entity, t->open_id, e);
    if (rc == RC_OK)
        rc = token_refresh_put(tx, client_id, t->open_id,
                               token_refresh_at_us(now_us, t->access_expires_us) - now_us, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    return rc;
}

/* Uses the code. RC_OK with open_id "" when the exchange has ended in a failure. */
static enum rc use_code(struct job_ctx *ctx, const char *code, char open_id[128], struct err *e)
{
    OWN_TOKENS struct tiktok_tokens t = { 0 };
    enum rc rc = token_call(ctx, false, code, &t, e);

    if (rc == RC_DENIED)
        return end_failed(ctx, "code_refused", "TikTok did not accept the code. Start again.", e);
    if (rc == RC_BUG || rc == RC_INVALID)
        return end_failed(ctx, "unexpected_answer", "TikTok's answer could not be read.", e);
    if (rc != RC_OK) {
        struct err ignored = { 0 };

        /* If even this fails the next run tells the seller to start again. */
        (void)give_code_back(ctx, code, &ignored);
        return rc;
    }
    fault_point("oauth_exchanged");
    if (t.user_type > 0)
        return end_failed(ctx, "not_a_seller",
                          "The account that authorized is not a seller account.", e);
    rc = store_tokens(ctx, &t, e);
    if (rc == RC_OK)
        (void)str_copy(open_id, 128, t.open_id);
    return rc;
}

static void session_close(struct tiktok_session *s)
{
    if (s->access_token != NULL)
        sign_wipe(s->access_token, strlen(s->access_token));
    free(s->access_token);
}

static enum rc list_shops(struct job_ctx *ctx, const char *open_id, struct tiktok_shops *out,
                          struct err *e)
{
    __attribute__((cleanup(session_close))) struct tiktok_session s = {
        .platform = ctx->app->platform,
        .stop = ctx->stop,
    };
    enum rc rc;

    {
        OWN_TX struct db_tx *tx = NULL;
        OWN_GRANT struct grant g = { 0 };

        rc = job_tx_begin(ctx, "exchange_grant", &tx, e);
        if (rc == RC_OK)
            rc = db_grant_get(tx, ctx->job->client_id, open_id, false, &g, e);
        if (rc != RC_OK)
            return rc;
        s.access_token = g.access_token;
        g.access_token = NULL;
    }
    if (s.access_token == NULL)
        return err_code(e, RC_DENIED, "disconnected", "the authorization was withdrawn meanwhile");
    s.recorder = call_recorder(ctx);
    (void)str_copy(s.client_id, sizeof s.client_id, ctx->job->client_id);
    (void)str_copy(s.shop_id, sizeof s.shop_id, ctx->job->shop_id);
    (void)str_copy(s.open_id, sizeof s.open_id, open_id);
    return tiktok_authorized_shops(&s, out, e);
}

/* Leaves out the shops that another client has; *taken names the last of them. */
static enum rc drop_taken(struct job_ctx *ctx, struct tiktok_shops *shops, char taken[64],
                          struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    int kept = 0;
    enum rc rc = db_tx_begin(ctx->db, "exchange_owners", DB_SYSTEM, &tx, e);

    for (int i = 0; rc == RC_OK && i < shops->n; i++) {
        char owner[68];

        rc = db_shop_owner(tx, shops->shops[i].id, owner, e);
        if (rc != RC_OK)
            break;
        if (owner[0] != '\0' && !str_eq(owner, ctx->job->client_id)) {
            (void)str_copy(taken, 64, shops->shops[i].id);
            continue;
        }
        if (kept != i)
            shops->shops[kept] = shops->shops[i];
        kept++;
    }
    if (rc == RC_OK)
        shops->n = kept;
    return rc;
}

/* Names of needed scopes that the seller did not grant, comma separated. */
static enum rc missing_scopes(struct db_tx *tx, const char *client_id, const char *open_id,
                              struct buf *out, struct err *e)
{
    json_auto_t *missing = NULL;
    enum rc rc =
        db_grant_missing_scopes(tx, client_id, open_id, NEEDED_SCOPES, N_NEEDED, &missing, e);

    for (size_t i = 0; rc == RC_OK && i < json_array_size(missing); i++)
        buf_fmt(out, "%s%s", i > 0 ? ", " : "", json_string_value(json_array_get(missing, i)));
    return rc == RC_OK ? buf_check(out, e) : rc;
}

static enum rc put_first_jobs(struct db_tx *tx, const char *client_id, const char *shop_id,
                              struct err *e)
{
    struct db_job_key key = {
        .client_id = client_id,
        .shop_id = shop_id,
        .kind = "order_poll",
        .entity = "",
        .lane = LANE_ORDERS,
    };

    return db_job_put(tx, &key, e);
}

static enum rc connect_shops(struct db_tx *tx, const char *client_id, const char *open_id,
                             const struct tiktok_shops *shops, const char **ids, struct err *e)
{
    enum rc rc = RC_OK;

    for (int i = 0; rc == RC_OK && i < shops->n; i++) {
        const struct tiktok_shop *s = &shops->shops[i];
        struct shop_listed listed = {
            .shop_id = s->id,
            .name = s->name,
            .region = s->region,
            .seller_type = s->seller_type,
            .code = s->code,
            .cipher = s->cipher,
        };

        ids[i] = s->id;
        rc = db_shop_connect(tx, client_id, open_id, &listed, e);
        if (rc == RC_OK)
            rc = put_first_jobs(tx, client_id, s->id, e);
    }
    return rc;
}

static enum rc store_shops(struct job_ctx *ctx, const char *open_id,
                           const struct tiktok_shops *shops, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    OWN_BUF struct buf missing;
    const char *client_id = ctx->job->client_id;
    const char *ids[TIKTOK_SHOPS_MAX] = { 0 };
    json_auto_t *detail = json_pack("{s:i}", "shops", shops->n);
    enum rc rc;

    buf_init(&missing, 1024);
    rc = job_tx_begin(ctx, "exchange_shops", &tx, e);
    if (rc == RC_OK)
        rc = connect_shops(tx, client_id, open_id, shops, ids, e);
    if (rc == RC_OK)
        rc = missing_scopes(tx, client_id, open_id, &missing, e);
    if (rc == RC_OK)
        rc = db_oauth_exchange_end(tx, client_id, ctx->job->entity, "connected", ids,
                                   (size_t)shops->n, missing.len > 0 ? "scopes_missing" : NULL,
                                   buf_text(&missing), e);
    if (rc == RC_OK)
        rc = db_audit(tx, client_id, "seller", "shop_connected", detail, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    return rc;
}

static enum rc drop_grant(struct job_ctx *ctx, const char *open_id, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(ctx, "exchange_unused", &tx, e);

    if (rc == RC_OK)
        rc = db_grant_drop_unused(tx, ctx->job->client_id, open_id, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc end_without_shop(struct job_ctx *ctx, const char *open_id, const char *taken,
                                struct err *e)
{
    char words[200];
    enum rc rc = drop_grant(ctx, open_id, e);

    if (rc != RC_OK)
        return rc;
    if (taken[0] == '\0')
        return end_failed(ctx, "no_shop", "The authorization covers no shop.", e);
    (void)str_fmt(words, sizeof words, "Shop %s is connected for another client of this service.",
                  taken);
    return end_failed(ctx, "shop_taken", words, e);
}

static enum rc end_not_allowed(struct job_ctx *ctx, const char *open_id, struct err *e)
{
    enum rc rc = drop_grant(ctx, open_id, e);

    if (rc != RC_OK)
        return rc;
    return end_failed(ctx, "not_allowed", "TikTok did not let the app read the shops.", e);
}

enum rc sync_oauth_exchange(struct job_ctx *ctx, struct err *e)
{
    struct exchange_work work = { 0 };
    struct tiktok_shops *shops = NULL;
    char taken[64] = "";
    enum rc rc = take_work(ctx, &work, e);

    if (rc != RC_OK || work.ended)
        return rc;
    if (work.code != NULL && clock_now_us() - ctx->job->first_due_us > CODE_LIFE_US)
        rc = end_failed(ctx, "code_expired", "The code was not used in time. Start again.", e);
    else if (work.code != NULL)
        rc = use_code(ctx, work.code, work.open_id, e);
    else if (work.open_id[0] == '\0')
        rc = end_failed(ctx, "interrupted", "The exchange was interrupted. Start again.", e);
    if (work.code != NULL)
        sign_wipe(work.code, strlen(work.code));
    free(work.code);
    if (rc != RC_OK || work.open_id[0] == '\0')
        return rc;

    shops = calloc(1, sizeof *shops);
    if (shops == NULL)
        return err_set(e, RC_BUG, "oauth: no memory for shops");
    rc = list_shops(ctx, work.open_id, shops, e);
    if (rc == RC_OK)
        rc = drop_taken(ctx, shops, taken, e);
    if (rc == RC_OK && shops->n == 0)
        rc = end_without_shop(ctx, work.open_id, taken, e);
    else if (rc == RC_OK)
        rc = store_shops(ctx, work.open_id, shops, e);
    else if (rc == RC_DENIED)
        rc = end_not_allowed(ctx, work.open_id, e);
    free(shops);
    return rc;
}
