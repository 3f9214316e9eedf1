/* session.c - opens a shop's credentials for a job and renews them when TikTok says they have ended. */
#include "sync.h"

#include "clock.h"
#include "db_account.h"
#include "log.h"
#include "str.h"
#include "tiktok_auth.h"
#include "token.h"

#include <string.h>

/* What a session's refresh needs to know. */
struct session_state {
    struct job_ctx *ctx;
    int64_t version; /* of the access token in the session */
};

static void use_grant(struct tiktok_session *s, struct session_state *state, struct grant *g)
{
    sign_wipe_text(&s->access_token);
    s->access_token = g->access_token;
    g->access_token = NULL;
    state->version = g->version;
}

static enum rc reload(struct tiktok_session *s, struct session_state *state, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    OWN_GRANT struct grant g = { 0 };
    enum rc rc = db_tx_begin(state->ctx->db, "session_reload", s->client_id, &tx, e);

    if (rc == RC_OK)
        rc = db_grant_get(tx, s->client_id, s->open_id, false, &g, e);
    if (rc != RC_OK)
        return rc;
    if (g.access_token == NULL)
        return err_code(e, RC_DENIED, "needs_reauthorization",
                        "the seller has to authorize the app again");
    use_grant(s, state, &g);
    return RC_OK;
}

static enum rc session_refresh(struct tiktok_session *s, struct err *e)
{
    struct session_state *state = s->refresh_user;
    enum rc rc = token_refresh(state->ctx, s->client_id, s->open_id, state->version, true, e);

    return rc == RC_OK ? reload(s, state, e) : rc;
}

/* Keeps what TikTok's list says of every shop of the grant; the session's own must be in it. */
static enum rc store_ciphers(struct tiktok_session *s, const struct session_state *state,
                             const struct tiktok_shops *shops, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    const struct tiktok_shop *own = NULL;
    char *cipher;
    enum rc rc = job_tx_begin(state->ctx, "session_ciphers", &tx, e);

    for (int i = 0; rc == RC_OK && i < shops->n; i++) {
        const struct tiktok_shop *shop = &shops->shops[i];

        if (str_eq(shop->id, s->shop_id))
            own = shop;
        rc = db_shop_cipher_set(tx, s->client_id, shop->id, shop->cipher, e);
    }
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc != RC_OK)
        return rc;
    if (own == NULL)
        return err_code(e, RC_DENIED, "needs_reauthorization",
                        "the seller's authorization does not cover shop %s any more", s->shop_id);
    cipher = str_dup(own->cipher);
    if (cipher == NULL)
        return err_set(e, RC_BUG, "no memory for a cipher");
    sign_wipe_text(&s->cipher);
    s->cipher = cipher;
    return RC_OK;
}

static enum rc session_reload_cipher(struct tiktok_session *s, struct err *e)
{
    struct tiktok_shops *shops = calloc(1, sizeof *shops);
    enum rc rc;

    if (shops == NULL)
        return err_set(e, RC_BUG, "no memory for shops");
    LOG(LOG_WARN, "session", "TikTok refused the cipher, the shops are read again",
        LF_S("account", s->client_id), LF_S("shop", s->shop_id));
    rc = tiktok_authorized_shops(s, shops, e);
    if (rc == RC_OK)
        rc = store_ciphers(s, s->refresh_user, shops, e);
    sign_wipe(shops, sizeof *shops);
    free(shops);
    return rc;
}

static enum rc not_connected(const struct shop *shop, struct err *e)
{
    return err_code(e, RC_DENIED,
                    str_eq(shop->status, "disconnected") ? "disconnected" : "needs_reauthorization",
                    "shop %s is not connected (%s)", shop->shop_id, shop->status);
}

/* Reads shop, cipher and access token in one transaction. */
static enum rc load(struct job_ctx *ctx, struct shop *shop, struct grant *g, char **cipher,
                    struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(ctx, "session_open", &tx, e);

    if (rc == RC_OK)
        rc = db_shop_get(tx, ctx->job->shop_id, shop, e);
    if (rc == RC_NOT_FOUND)
        return err_code(e, RC_DENIED, "disconnected", "shop %s is not known", ctx->job->shop_id);
    if (rc != RC_OK)
        return rc;
    if (!str_eq(shop->status, "connected"))
        return not_connected(shop, e);
    rc = db_grant_get(tx, shop->client_id, shop->open_id, false, g, e);
    if (rc == RC_OK && g->access_token == NULL)
        return not_connected(shop, e);
    if (rc == RC_OK)
        rc = db_shop_cipher(tx, shop, cipher, e);
    return rc;
}

/* Ended, or so near its end that a call might meet it. */
static bool nearly_over(const struct grant *g)
{
    return g->expires_us - g->now_us < (g->expires_us - g->obtained_us) / 20;
}

enum rc session_tiktok_open(struct job_ctx *ctx, struct tiktok_session *out, struct err *e)
{
    struct tiktok_session s = { .platform = ctx->app->platform,
                                .stop = ctx->stop,
                                .lane = (int)ctx->job->lane };
    struct shop shop = { 0 };
    OWN_GRANT struct grant g = { 0 };
    struct session_state *state;
    bool stale;
    enum rc rc = load(ctx, &shop, &g, &s.cipher, e);

    if (rc != RC_OK)
        return rc;
    state = calloc(1, sizeof *state);
    if (state == NULL) {
        free(s.cipher);
        return err_set(e, RC_BUG, "no memory for a session");
    }
    state->ctx = ctx;
    s.recorder = call_recorder(ctx);
    s.refresh = session_refresh;
    s.reload_cipher = session_reload_cipher;
    s.refresh_user = state;
    (void)str_copy(s.client_id, sizeof s.client_id, shop.client_id);
    (void)str_copy(s.shop_id, sizeof s.shop_id, shop.shop_id);
    (void)str_copy(s.open_id, sizeof s.open_id, shop.open_id);
    (void)str_copy(s.region, sizeof s.region, shop.region);
    stale = nearly_over(&g);
    use_grant(&s, state, &g);
    if (stale) {
        rc = session_refresh(&s, e);
        if (rc == RC_DENIED || rc == RC_STOPPED || (rc != RC_OK && g.expires_us <= g.now_us)) {
            session_tiktok_done(&s);
            return rc;
        }
    }
    *out = s;
    return RC_OK;
}

void session_tiktok_done(struct tiktok_session *s)
{
    sign_wipe_text(&s->access_token);
    sign_wipe_text(&s->cipher);
    free(s->refresh_user);
    memset(s, 0, sizeof *s);
}

enum rc session_vtex_open(struct job_ctx *ctx, struct vtex_session *out, struct err *e)
{
    struct vtex_session s = { .platform = ctx->app->platform,
                              .stop = ctx->stop,
                              .lane = (int)ctx->job->lane };
    OWN_TX struct db_tx *tx = NULL;
    OWN_CLIENT struct client c = { 0 };
    enum rc rc = job_tx_begin(ctx, "vtex_session", &tx, e);

    if (rc == RC_OK)
        rc = db_client_get(tx, ctx->job->client_id, &c, e);
    if (rc == RC_OK && c.vtex_account[0] == '\0')
        rc = err_code(e, RC_NOT_FOUND, "no_vtex", "the client has no VTEX account");
    if (rc == RC_OK)
        rc = db_client_vtex_credentials(tx, c.client_id, &s.app_key, &s.app_token, e);
    if (rc != RC_OK)
        return rc;
    s.recorder = call_recorder(ctx);
    (void)str_copy(s.client_id, sizeof s.client_id, c.client_id);
    (void)str_copy(s.shop_id, sizeof s.shop_id, ctx->job->shop_id);
    (void)str_copy(s.account, sizeof s.account, c.vtex_account);
    (void)str_copy(s.sales_channel, sizeof s.sales_channel,
                   c.vtex_sales_channel[0] != '\0' ? c.vtex_sales_channel
                                                   : VTEX_SALES_CHANNEL_DEFAULT);
    (void)str_copy(s.affiliate_id, sizeof s.affiliate_id, c.vtex_affiliate_id);
    *out = s;
    return RC_OK;
}

void session_vtex_done(struct vtex_session *s)
{
    sign_wipe_text(&s->app_key);
    sign_wipe_text(&s->app_token);
    memset(s, 0, sizeof *s);
}
