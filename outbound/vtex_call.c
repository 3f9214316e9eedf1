/* One call to VTEX: account host, keys, the account's quota, and an outcome from answers of many shapes. */
#include "clock.h"
#include "jspec.h"
#include "platform_call.h"
#include "sign.h"
#include "str.h"

#include <string.h>

#define VTEX_CALLS_A_SECOND \
    10 /* to start with, per account, shared with the merchant's own store */
#define VTEX_CALLS_AT_MOST 60
#define VTEX_AT_ONCE 4
#define VTEX_PAUSE_US (60 * US_PER_S) /* after a 429 that does not say how long */
#define VTEX_TOTAL_MS 30000
#define LIMIT_URL_BYTES ((size_t)4096)
#define LIMIT_KEY_HEADER_BYTES 1024
#define ACCOUNT_MAX 63
#define ACCOUNT_CHARS "abcdefghijklmnopqrstuvwxyz0123456789-"

static const char *text_of(const char *text)
{
    return text != NULL ? text : "";
}

void vtex_reply_done(struct vtex_reply *reply)
{
    if (reply == NULL)
        return;
    json_decref(reply->body);
    *reply = (struct vtex_reply){ 0 };
}

/* The template's host with the account in it; the account is checked, so it cannot lead elsewhere. */
static enum rc add_base(const struct cfg *cfg, const struct vtex_session *s, bool pricing,
                        struct buf *url, struct err *e)
{
    const char *base = pricing ? cfg->vtex_pricing_url : cfg->vtex_api_url;
    const char *at = strstr(text_of(base), "{account}");

    if (!str_only(s->account, ACCOUNT_CHARS) || strlen(s->account) > ACCOUNT_MAX)
        return err_field(e, "vtex.account", "a VTEX account is [a-z0-9-], 1 to %d characters",
                         ACCOUNT_MAX);
    if (at == NULL) {
        buf_str(url, text_of(base));
        return RC_OK;
    }
    buf_add(url, base, (size_t)(at - base));
    buf_str(url, s->account);
    buf_str(url, at + strlen("{account}"));
    return RC_OK;
}

static enum rc build_url(const struct vtex_session *s, const struct vtex_req *req, struct buf *url,
                         struct err *e)
{
    char mark = '?';
    enum rc rc = add_base(s->platform->cfg, s, req->pricing, url, e);

    if (rc != RC_OK)
        return rc;
    buf_str(url, req->path);
    for (int i = 0; i < 8; i++) {
        if (req->query[i][0] == NULL || text_of(req->query[i][1])[0] == '\0')
            continue;
        buf_char(url, mark);
        str_url_encode(url, req->query[i][0]);
        buf_char(url, '=');
        str_url_encode(url, req->query[i][1]);
        mark = '&';
    }
    return buf_check(url, e);
}

static void fill_attempt(struct vtex_session *s, const struct vtex_req *req,
                         struct platform_attempt *a)
{
    *a = (struct platform_attempt){
        .platform = s->platform,
        .recorder = &s->recorder,
        .stop = s->stop,
        .lane = s->lane,
        .rule = { VTEX_CALLS_A_SECOND, VTEX_AT_ONCE, VTEX_CALLS_AT_MOST },
        .call = { .peer = "vtex",
                  .operation = req->operation,
                  .method = req->method,
                  .shop_id = s->shop_id,
                  .client_id = s->client_id,
                  .writes = req->writes,
                  .entity = text_of(req->entity) },
    };
    /* Both fit: an account has at most 63 characters. */
    (void)str_fmt(a->quota_key, sizeof(a->quota_key), "vtex:%s", s->account);
    (void)str_fmt(a->breaker_key, sizeof(a->breaker_key), "vtex:%s", s->account);
}

/* Error code and text: the envelope, a bare text, {"Message"}, or headers; any may be missing. */
static void read_error(const struct fetch_reply *reply, struct vtex_reply *out)
{
    char raw[1024];
    const char *message;
    char code[JSPEC_ID_BYTES];

    jspec_id(out->body, "error.code", code);
    if (!str_copy(out->error_code, sizeof(out->error_code), code) || code[0] == '\0')
        (void)fetch_reply_header(reply, "x-vtex-error-code", out->error_code,
                                 sizeof(out->error_code)); /* "" when absent */
    message = jspec_text(out->body, "error.message");
    message = message ? message : jspec_text(out->body, "message");
    message = message ? message : jspec_text(out->body, "Message");
    message = message ? message : json_string_value(out->body);
    if (message == NULL && fetch_reply_header(reply, "x-vtex-error-message", raw, sizeof(raw)) &&
        str_url_decode(raw, sizeof(raw), raw, strlen(raw), true) &&
        str_utf8_valid(raw, strlen(raw)))
        message = raw;
    str_copy_cut(out->error_text, sizeof(out->error_text), text_of(message));
    (void)str_copy(out->error_class, sizeof(out->error_class),
                   vtex_error_class(out->error_code, reply->status)); /* all classes fit */
}

static enum rc refuse(struct platform_attempt *a, const struct fetch_reply *reply, enum rc rc,
                      const struct vtex_reply *out, struct err *e)
{
    (void)err_code(e, rc, rc == RC_BUSY ? "rate_limited" : "platform_refused",
                   "VTEX answered %d%s%s%s%s", reply->status, out->error_code[0] ? ", " : "",
                   out->error_code, out->error_text[0] ? ": " : "", out->error_text);
    (void)str_copy(e->platform_text, sizeof(e->platform_text), out->error_code); /* same size */
    if (rc == RC_BUSY)
        platform_pause(a, reply, VTEX_PAUSE_US, e);
    else if (rc == RC_DOWN || rc == RC_UNSURE)
        platform_retry_after(reply, e);
    return rc;
}

static enum rc read_answer(struct platform_attempt *a, const struct fetch_reply *reply,
                           struct vtex_reply *out, struct err *e)
{
    const char *text = buf_text(&reply->body);
    bool parsed = reply->body.len == 0 || str_blank(text);
    enum rc rc;

    out->status = reply->status;
    if (!parsed)
        parsed = jspec_parse(text, reply->body.len, PLATFORM_JSON_KEYS, &out->body, NULL) == RC_OK;
    if (reply->status < 200 || reply->status > 299)
        read_error(reply, out);
    rc = vtex_error_rc(reply->status, out->error_class, a->call.writes);
    if (rc != RC_OK)
        return refuse(a, reply, rc, out, e);
    if (!parsed)
        return err_code(e, a->call.writes ? RC_UNSURE : RC_DOWN, "answer_unreadable",
                        "VTEX's answer could not be read");
    return RC_OK;
}

static enum rc send_request(struct vtex_session *s, const struct vtex_req *req, const char *url,
                            const struct buf *body, struct platform_attempt *a,
                            struct vtex_reply *out, struct err *e)
{
    char key[LIMIT_KEY_HEADER_BYTES], token[LIMIT_KEY_HEADER_BYTES];
    struct fetch_reply reply = { 0 };
    struct fetch_req http = { .method = req->method,
                              .url = url,
                              .total_ms = req->total_ms > 0 ? req->total_ms : VTEX_TOTAL_MS,
                              .stop = s->stop };
    enum rc rc;

    if (!str_fmt(key, sizeof(key), "X-VTEX-API-AppKey: %s", text_of(s->app_key)) ||
        !str_fmt(token, sizeof(token), "X-VTEX-API-AppToken: %s", text_of(s->app_token))) {
        platform_abandon(a);
        return err_set(e, RC_DENIED, "the VTEX key is too long");
    }
    http.headers[http.n_headers++] = key;
    http.headers[http.n_headers++] = token;
    http.headers[http.n_headers++] = "Accept: application/json";
    if (body->len > 0) {
        http.headers[http.n_headers++] = "Content-Type: application/json";
        http.body = body->data;
        http.body_len = body->len;
    }
    rc = platform_send(a, &http, &reply, e);
    sign_wipe(token, sizeof(token));
    if (rc != RC_OK)
        return platform_unanswered(a, rc, e);
    rc = read_answer(a, &reply, out, e);
    a->call.platform_text = out->error_code;
    fetch_reply_done(&reply);
    return rc;
}

enum rc vtex_call(struct vtex_session *s, const struct vtex_req *req, struct vtex_reply *out,
                  struct err *e)
{
    OWN_BUF struct buf url = { 0 };
    OWN_BUF struct buf body = { 0 };
    struct platform_attempt a;
    struct err own = { 0 };
    enum rc rc;

    *out = (struct vtex_reply){ 0 };
    buf_init(&url, LIMIT_URL_BYTES);
    buf_init(&body, LIMIT_REQUEST_BYTES);
    rc = build_url(s, req, &url, &own);
    if (rc == RC_OK && req->body != NULL)
        rc = jspec_dump(req->body, &body, &own);
    if (rc == RC_OK) {
        fill_attempt(s, req, &a);
        rc = platform_begin(&a, &own);
        if (rc == RC_OK) {
            rc = send_request(s, req, buf_text(&url), &body, &a, out, &own);
            platform_end(&a, rc, &own);
        }
    }
    if (rc != RC_OK && e != NULL)
        *e = own;
    return rc;
}
