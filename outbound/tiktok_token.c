/* TikTok's token endpoint: trades a code or a refresh token for tokens. Its URL holds secrets and is never logged. */
#include "clock.h"
#include "jspec.h"
#include "platform_call.h"
#include "sign.h"
#include "str.h"

#include <string.h>

#define LIMIT_URL_BYTES ((size_t)4096)
#define TOKEN_CALLS_A_SECOND 20

static void add_query(struct buf *url, const char *key, const char *value)
{
    buf_fmt(url, "%s=", key);
    str_url_encode(url, value);
}

static enum rc build_url(const struct cfg *cfg, bool refresh, const char *secret, struct buf *url,
                         struct err *e)
{
    buf_str(url, cfg->tiktok_auth_url);
    buf_str(url, refresh ? "/api/v2/token/refresh?" : "/api/v2/token/get?");
    add_query(url, "app_key", cfg->tiktok_app_key);
    buf_char(url, '&');
    add_query(url, "app_secret", cfg->tiktok_app_secrets[0]);
    buf_char(url, '&');
    add_query(url, refresh ? "refresh_token" : "auth_code", secret);
    buf_char(url, '&');
    add_query(url, "grant_type", refresh ? "refresh_token" : "authorized_code");
    return buf_check(url, e);
}

/* Both tokens and both moments must be there: what is missing cannot be asked for again. */
static enum rc check_data(const json_t *data, struct err *e)
{
    if (str_blank(jspec_text(data, "access_token")) || str_blank(jspec_text(data, "refresh_token")))
        return err_code(e, RC_INVALID, "answer_unreadable", "TikTok's answer holds no token");
    if (jspec_int(data, "access_token_expire_in", 0) <= 0 ||
        jspec_int(data, "refresh_token_expire_in", -1) < 0)
        return err_code(e, RC_INVALID, "answer_unreadable",
                        "TikTok's answer holds no time of expiry");
    return RC_OK;
}

/* Codes that speak of the platform's health, not of our code or token. */
static enum rc read_answer(struct platform_attempt *a, const struct fetch_reply *reply,
                           json_t **data, struct err *e)
{
    struct tiktok_reply got = { 0 };
    enum rc rc = tiktok_envelope_read(reply, a->call.writes, &got, e);

    a->call.platform_code = got.code;
    if (rc == RC_BUSY)
        platform_pause(a, reply, 0, e);
    else if (rc == RC_OK)
        rc = check_data(got.data, e);
    else if (got.root != NULL && rc != RC_DOWN && rc != RC_UNSURE && e != NULL)
        rc = e->rc = RC_DENIED;
    if (rc == RC_OK)
        *data = json_incref(got.data);
    tiktok_reply_done(&got);
    return rc;
}

static enum rc run(struct platform_attempt *a, const char *url, json_t **data, struct err *e)
{
    struct fetch_req http = { .method = "GET",
                              .url = url,
                              .headers = { "Accept: application/json" },
                              .n_headers = 1,
                              .once = true }; /* a code is good for one call */
    struct fetch_reply reply = { 0 };
    enum rc rc = platform_begin(a, e);

    if (rc != RC_OK)
        return rc;
    rc = platform_send(a, &http, &reply, e);
    if (rc == RC_OK)
        rc = read_answer(a, &reply, data, e);
    else
        rc = platform_unanswered(a, rc, e);
    if (reply.body.data != NULL)
        sign_wipe(reply.body.data, reply.body.cap); /* it holds the tokens */
    fetch_reply_done(&reply);
    platform_end(a, rc, e);
    return rc;
}

enum rc tiktok_token_call(struct platform *p, bool refresh, const char *code_or_token,
                          json_t **data, struct err *e)
{
    static const struct platform_recorder NO_RECORD;
    OWN_SECRET struct buf url = { 0 };
    struct err own = { 0 };
    struct platform_attempt a = {
        .platform = p,
        .recorder = &NO_RECORD,
        .rule = { TOKEN_CALLS_A_SECOND, 0, 0 },
        .quota_key = "tiktok:token",
        .breaker_key = "tiktok:token",
        .call = { .peer = "tiktok",
                  .operation = refresh ? "refresh_access_token" : "get_access_token",
                  .method = "GET",
                  .shop_id = "",
                  .client_id = "",
                  .writes = true,
                  .entity = "" },
    };
    enum rc rc;

    if (str_blank(code_or_token))
        return err_code(e, RC_DENIED, "token_refused", "there is no code or token to trade");
    buf_init(&url, LIMIT_URL_BYTES);
    rc = build_url(p->cfg, refresh, code_or_token, &url, &own);
    if (rc == RC_OK)
        rc = run(&a, buf_text(&url), data, &own);
    if (rc != RC_OK && e != NULL)
        *e = own;
    return rc;
}
