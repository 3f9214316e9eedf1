/* token.c - refreshes a grant's tokens: claimed by one, asked for, stored together, read by the others. */
#include "token.h"

#include "clock.h"
#include "fault.h"
#include "log.h"
#include "str.h"
#include "tiktok_auth.h"

#include <string.h>

#define WAIT_STEP_MS 100
#define WAIT_STEPS 80  /* 8 s: longer than a healthy refresh takes */
#define STORE_TRIES 40 /* an answer in hand is kept alive for 20 s while the database is away */
#define STORE_STEP_MS 500
#define REFUSED_AGAIN_US (900 * US_PER_S)

int64_t token_refresh_at_us(int64_t obtained_us, int64_t expires_us)
{
    int64_t life_us = expires_us > obtained_us ? expires_us - obtained_us : 0;
    unsigned char jitter = 0;

    sign_random(&jitter, sizeof jitter);
    return obtained_us + life_us / 100 * 75 + life_us / 2000 * (jitter % 100);
}

enum rc token_refresh_put(struct db_tx *tx, const char *client_id, const char *open_id,
                          int64_t delay_us, struct err *e)
{
    char shop_id[72];
    struct db_job_key key = {
        .client_id = client_id,
        .shop_id = shop_id,
        .kind = "token_refresh",
        .entity = open_id,
        .lane = LANE_MAINTENANCE,
        .delay_us = delay_us > 0 ? delay_us : 0,
    };

    if (!str_fmt(shop_id, sizeof shop_id, DB_CLIENT_SHOP_PREFIX "%s", client_id))
        return err_set(e, RC_BUG, "token: client id too long");
    return db_job_put(tx, &key, e);
}

enum rc token_call(struct job_ctx *ctx, bool refresh, const char *code_or_token,
                   struct tiktok_tokens *out, struct err *e)
{
    struct platform_recorder rec = call_recorder(ctx);
    struct platform_call call = {
        .peer = "tiktok",
        .operation = refresh ? "refresh_access_token" : "get_access_token",
        .method = "GET",
        .shop_id = ctx->job->shop_id,
        .client_id = ctx->job->client_id,
        .writes = true, /* it uses a code or a refresh token up */
        .entity = "",
        .started_us = clock_now_us(),
    };
    int64_t begun_us = clock_mono_us();
    enum rc rc = rec.before != NULL ? rec.before(rec.user, &call, e) : RC_OK;

    if (rc != RC_OK)
        return rc;
    rc = tiktok_tokens_get(ctx->app->platform, refresh, code_or_token, out, e);
    call.rc = rc;
    call.ms = (clock_mono_us() - begun_us) / US_PER_MS;
    call.platform_code = rc != RC_OK && e != NULL ? e->platform_code : 0;
    call.request_id = rc != RC_OK && e != NULL ? e->request_id : "";
    call.platform_text = "";
    if (rec.after != NULL)
        rec.after(rec.user, &call);
    return rc;
}

/* Waits for the one who refreshes. */
static enum rc wait_for_other(struct job_ctx *ctx, const char *client_id, const char *open_id,
                              int64_t seen, struct err *e)
{
    for (int i = 0; i < WAIT_STEPS; i++) {
        OWN_TX struct db_tx *tx = NULL;
        OWN_GRANT struct grant g = { 0 };
        enum rc rc;

        if (atomic_load(ctx->stop))
            return err_set(e, RC_STOPPED, "stopped while waiting for a token");
        clock_pause_ms(WAIT_STEP_MS);
        rc = db_tx_begin(ctx->db, "token_wait", client_id, &tx, e);
        if (rc == RC_OK)
            rc = db_grant_get(tx, client_id, open_id, false, &g, e);
        if (rc != RC_OK)
            return rc;
        if (g.version > seen && g.access_token != NULL)
            return RC_OK;
        if (!str_eq(g.status, "active"))
            return err_code(e, RC_DENIED, "needs_reauthorization",
                            "the seller has to authorize the app again");
    }
    (void)err_code(e, RC_BUSY, "refresh_running", "the token is being refreshed");
    if (e != NULL)
        e->retry_after_us = 2 * US_PER_S;
    return RC_BUSY;
}

/* Claims; on RC_OK the refresh token is open in *g. RC_DUPLICATE: nothing left to do. */
static enum rc claim(struct job_ctx *ctx, const char *client_id, const char *open_id, int64_t seen,
                     struct grant *g, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    struct grant read = { 0 };
    enum rc rc = db_tx_begin(ctx->db, "token_claim", client_id, &tx, e);

    if (rc == RC_OK)
        rc = db_grant_claim(tx, client_id, open_id, seen, e);
    if (rc == RC_OK)
        rc = db_grant_get(tx, client_id, open_id, true, &read, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc == RC_OK)
        *g = read;
    else
        db_grant_done(&read);
    return rc;
}

static enum rc store_once(struct job_ctx *ctx, const struct grant *g, int64_t seen,
                          const struct grant_tokens *pair, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = db_tx_begin(ctx->db, "token_store", g->client_id, &tx, e);

    if (rc == RC_OK)
        rc = db_grant_refreshed(tx, g->client_id, seen, pair, e);
    if (rc == RC_OK)
        rc = token_refresh_put(tx, g->client_id, g->open_id,
                               token_refresh_at_us(g->now_us, pair->expires_us) - g->now_us, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    return rc;
}

/* The answer exists only in this process until it is stored: no lease and no stop ends this early. */
static enum rc store(struct job_ctx *ctx, const struct grant *g, int64_t seen,
                     const struct tiktok_tokens *t, struct err *e)
{
    struct grant_tokens pair = {
        .open_id = g->open_id,
        .access_token = t->access_token,
        .refresh_token = t->refresh_token,
        .expires_us = t->access_expires_us,
        .ends_us = t->refresh_expires_us,
        .scopes = t->scopes,
    };
    enum rc rc = RC_DOWN;

    for (int i = 0; i < STORE_TRIES; i++) {
        rc = store_once(ctx, g, seen, &pair, e);
        if (rc != RC_DOWN && rc != RC_UNSURE)
            break;
        clock_pause_ms(STORE_STEP_MS);
    }
    if (rc ==
        RC_DUPLICATE) /* stored by an attempt whose commit answer was lost, or revoked meanwhile */
        return RC_OK;
    return rc;
}

/* TikTok has one code for a dead refresh token and for a wrong app key or secret. While the access token still works
 * nobody is disconnected for it: it is tried again until the token has ended. */
static enum rc refused_early(const struct grant *g, struct err *e)
{
    LOG(LOG_ERROR, "token",
        "TikTok refused a refresh although the authorization lasts; check the app's key and secret",
        LF_S("account", g->client_id), LF_I("code", e != NULL ? e->platform_code : 0));
    (void)err_code(e, RC_BUSY, "refresh_refused",
                   "TikTok refused to renew the access, which still lasts; it is tried again");
    if (e != NULL)
        e->retry_after_us = REFUSED_AGAIN_US; /* never parked: the token's end decides */
    return RC_BUSY;
}

static enum rc refused(struct job_ctx *ctx, const struct grant *g, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    struct err ignored = { 0 };
    enum rc rc = db_tx_begin(ctx->db, "token_refused", g->client_id, &tx, &ignored);

    if (rc == RC_OK)
        rc = db_grant_needs_reauthorization(tx, g->client_id, g->open_id, g->version, &ignored);
    if (rc == RC_DUPLICATE)
        return RC_OK; /* a newer pair is there: what was refused is history */
    if (rc == RC_OK)
        rc = db_audit(tx, g->client_id, "tiktok", "authorization_refused", NULL, &ignored);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, &ignored);
    if (rc != RC_OK) /* the claim runs out and the next attempt is refused again */
        return err_code(e, RC_DOWN, "database", "%s", ignored.text);
    LOG(LOG_ERROR, "token", "TikTok refused the refresh token; the seller has to authorize again",
        LF_S("account", g->client_id));
    return err_code(
        e, RC_DENIED, "needs_reauthorization",
        "TikTok refused to renew the access; the seller has to authorize the app again");
}

static void unclaim(struct job_ctx *ctx, const struct grant *g)
{
    OWN_TX struct db_tx *tx = NULL;
    struct err ignored = { 0 };

    /* On failure the claim runs out by itself. */
    if (db_tx_begin(ctx->db, "token_unclaim", g->client_id, &tx, &ignored) == RC_OK &&
        db_grant_unclaim(tx, g->client_id, g->open_id, &ignored) == RC_OK)
        (void)db_tx_commit(tx, &ignored);
}

enum rc token_refresh(struct job_ctx *ctx, const char *client_id, const char *open_id, int64_t seen,
                      bool needed, struct err *e)
{
    OWN_GRANT struct grant g = { 0 };
    OWN_TOKENS struct tiktok_tokens fresh = { 0 };
    enum rc rc = claim(ctx, client_id, open_id, seen, &g, e);

    if (rc == RC_DUPLICATE)
        return RC_OK;
    if (rc == RC_BUSY)
        return wait_for_other(ctx, client_id, open_id, seen, e);
    if (rc != RC_OK)
        return rc;
    rc = token_call(ctx, true, g.refresh_token, &fresh, e);
    if (rc == RC_OK) {
        fault_point(
            "token_refreshed"); /* a kill here loses the pair: the seller authorizes again */
        return store(ctx, &g, g.version, &fresh, e);
    }
    if (rc == RC_DENIED && (needed || g.ends_us <= g.now_us))
        return refused(ctx, &g, e);
    unclaim(ctx, &g);
    return rc == RC_DENIED ? refused_early(&g, e) : rc;
}
