/* One call to TikTok Shop: body, signature, sending under quota, and the three repeats that are safe (a
 * renewed token, a cipher read again, a corrected clock: each time TikTok refused before it did anything). */
#include "jspec.h"
#include "platform_call.h"
#include "sign.h"
#include "str.h"

#include <string.h>

#define TIKTOK_CALLS_A_SECOND 50 /* per app, shop and operation */
#define LIMIT_URL_BYTES ((size_t)4096)
#define LIMIT_TOKEN_BYTES 1024
#define BOUNDARY_RANDOM_BYTES 24
#define PAIRS_MAX (TIKTOK_QUERY_MAX + 3)

/* The bytes of one request; the same for each repeat. */
struct wire {
    struct buf body;
    char content_type[128];
};

static void wire_done(struct wire *w)
{
    buf_done(&w->body);
}

static const char *text_of(const char *text)
{
    return text != NULL ? text : "";
}

/* Quotes a name of a part; what could end the quotes becomes '_'. */
static void add_quoted(struct buf *b, const char *text)
{
    buf_char(b, '"');
    for (; *text != '\0'; text++)
        buf_char(b, *text == '"' || *text == '\\' || (unsigned char)*text < 32 ? '_' : *text);
    buf_char(b, '"');
}

static enum rc build_multipart(const struct tiktok_req *req, struct wire *w, struct err *e)
{
    OWN_BUF struct buf boundary = { 0 };
    const char *mark;

    buf_init(&boundary, sizeof(w->content_type));
    buf_str(&boundary, "connector-");
    sign_token(&boundary, BOUNDARY_RANDOM_BYTES);
    mark = buf_text(&boundary);
    if (!str_fmt(w->content_type, sizeof(w->content_type), "multipart/form-data; boundary=%s",
                 mark))
        return err_set(e, RC_BUG, "a boundary does not fit");
    for (int i = 0; i < 4 && req->part_fields[i][0] != NULL; i++) {
        if (text_of(req->part_fields[i][1])[0] == '\0')
            continue;
        buf_fmt(&w->body, "--%s\r\nContent-Disposition: form-data; name=", mark);
        add_quoted(&w->body, req->part_fields[i][0]);
        buf_fmt(&w->body, "\r\n\r\n%s\r\n", req->part_fields[i][1]);
    }
    buf_fmt(&w->body, "--%s\r\nContent-Disposition: form-data; name=\"data\"; filename=", mark);
    add_quoted(&w->body, req->file_name ? req->file_name : "file");
    buf_fmt(&w->body, "\r\nContent-Type: %s\r\n\r\n",
            req->file_type ? req->file_type : "application/octet-stream");
    buf_add(&w->body, req->file, req->file_len);
    buf_fmt(&w->body, "\r\n--%s--\r\n", mark);
    return buf_check(&w->body, e);
}

static enum rc build_wire(const struct tiktok_req *req, struct wire *w, struct err *e)
{
    buf_init(&w->body, LIMIT_REQUEST_BYTES);
    if (req->file != NULL)
        return build_multipart(req, w, e);
    (void)str_copy(w->content_type, sizeof(w->content_type), "application/json"); /* fits */
    return req->body != NULL ? jspec_dump(req->body, &w->body, e) : RC_OK;
}

static void add_pair(struct tiktok_pair pairs[PAIRS_MAX], int *n, const char *key,
                     const char *value)
{
    if (key != NULL && text_of(value)[0] != '\0')
        pairs[(*n)++] = (struct tiktok_pair){ key, value };
}

/* The whole URL, signed for this moment. */
static enum rc build_url(const struct tiktok_session *s, const struct tiktok_req *req,
                         const struct wire *w, struct buf *url, struct err *e)
{
    const struct cfg *cfg = s->platform->cfg;
    struct tiktok_pair pairs[PAIRS_MAX];
    char timestamp[24], sign[65];
    int n = 0;
    enum rc rc;

    if (req->with_cipher && text_of(s->cipher)[0] == '\0')
        return err_set(e, RC_BUG, "%s needs the shop's cipher", req->operation);
    if (!str_fmt(timestamp, sizeof(timestamp), "%lld", (long long)platform_now_s(s->platform)))
        return err_set(e, RC_BUG, "the time does not fit");
    add_pair(pairs, &n, "app_key", cfg->tiktok_app_key);
    add_pair(pairs, &n, "timestamp", timestamp);
    if (req->with_cipher)
        add_pair(pairs, &n, "shop_cipher", s->cipher);
    for (int i = 0; i < TIKTOK_QUERY_MAX; i++)
        add_pair(pairs, &n, req->query[i][0], req->query[i][1]);
    rc = tiktok_sign(cfg->tiktok_app_secrets[0], req->path, pairs, n, w->content_type, w->body.data,
                     w->body.len, sign, e);
    if (rc != RC_OK)
        return rc;
    buf_str(url, cfg->tiktok_api_url);
    buf_str(url, req->path);
    for (int i = 0; i < n; i++) {
        buf_char(url, i == 0 ? '?' : '&');
        str_url_encode(url, pairs[i].key);
        buf_char(url, '=');
        str_url_encode(url, pairs[i].value);
    }
    buf_fmt(url, "&sign=%s", sign);
    return buf_check(url, e);
}

static enum rc fill_attempt(struct tiktok_session *s, const struct tiktok_req *req,
                            struct platform_attempt *a, struct err *e)
{
    const char *shop = s->shop_id[0] != '\0' ? s->shop_id : s->client_id;

    *a = (struct platform_attempt){
        .platform = s->platform,
        .recorder = &s->recorder,
        .stop = s->stop,
        .lane = s->lane,
        .rule = { TIKTOK_CALLS_A_SECOND, 0, 0 },
        .call = { .peer = "tiktok",
                  .operation = req->operation,
                  .method = req->method,
                  .shop_id = s->shop_id,
                  .client_id = s->client_id,
                  .writes = req->writes,
                  .entity = text_of(req->entity) },
    };
    if (!str_fmt(a->quota_key, sizeof(a->quota_key), "tiktok:%s:%s", shop, req->operation) ||
        !str_fmt(a->breaker_key, sizeof(a->breaker_key), "tiktok:%s", shop))
        return err_set(e, RC_BUG, "the name of a quota does not fit");
    return RC_OK;
}

/* What a refusal leaves open for a second try. */
struct second_try {
    bool token;
    bool cipher;
    bool clock;
};

static void note_refusal(struct platform_attempt *a, const struct fetch_reply *reply,
                         const struct tiktok_reply *out, enum rc rc, struct second_try *again,
                         struct err *e)
{
    const char *message = out->root ? jspec_text(out->root, "message") : NULL;

    if (rc == RC_BUSY)
        platform_pause(a, reply, 0, e);
    else if (rc == RC_DOWN || rc == RC_UNSURE)
        platform_retry_after(reply, e);
    again->token = out->root != NULL && tiktok_error_is_token(out->code, message);
    again->cipher = out->root != NULL && tiktok_error_is_cipher(out->code);
    again->clock = out->root != NULL && tiktok_error_is_clock(out->code, message) &&
                   platform_correct_clock(a->platform, reply);
}

static enum rc send_wire(struct tiktok_session *s, const struct tiktok_req *req,
                         const struct wire *w, const char *url, struct platform_attempt *a,
                         struct tiktok_reply *out, struct second_try *again, struct err *e)
{
    char token[LIMIT_TOKEN_BYTES], type[160];
    struct fetch_reply reply = { 0 };
    struct fetch_req http = { .method = req->method, .url = url, .stop = s->stop };
    enum rc rc;

    if (!str_fmt(token, sizeof(token), "x-tts-access-token: %s", text_of(s->access_token)) ||
        !str_fmt(type, sizeof(type), "content-type: %s", w->content_type)) {
        platform_abandon(a);
        return err_code(e, RC_DENIED, "token_refused", "the access token is too long");
    }
    http.headers[http.n_headers++] = type;
    http.headers[http.n_headers++] = token;
    http.headers[http.n_headers++] = "Accept: application/json";
    if (w->body.len > 0) {
        http.body = w->body.data;
        http.body_len = w->body.len;
    }
    rc = platform_send(a, &http, &reply, e);
    sign_wipe(token, sizeof(token));
    if (rc != RC_OK)
        return platform_unanswered(a, rc, e);
    rc = tiktok_envelope_read(&reply, req->writes, out, e);
    a->call.platform_code = out->code;
    a->call.request_id = out->request_id;
    if (rc != RC_OK)
        note_refusal(a, &reply, out, rc, again, e);
    fetch_reply_done(&reply);
    return rc;
}

static enum rc call_once(struct tiktok_session *s, const struct tiktok_req *req,
                         const struct wire *w, struct tiktok_reply *out, struct second_try *again,
                         struct err *e)
{
    struct platform_attempt a;
    OWN_BUF struct buf url = { 0 };
    enum rc rc = fill_attempt(s, req, &a, e);

    *again = (struct second_try){ 0 };
    if (rc == RC_OK)
        rc = platform_begin(&a, e);
    if (rc != RC_OK)
        return rc;
    buf_init(&url, LIMIT_URL_BYTES);
    rc = build_url(s, req, w, &url, e); /* after all waiting: the signature carries the time */
    if (rc == RC_OK)
        rc = send_wire(s, req, w, buf_text(&url), &a, out, again, e);
    else
        platform_abandon(&a);
    platform_end(&a, rc, e);
    return rc;
}

enum rc tiktok_call(struct tiktok_session *s, const struct tiktok_req *req,
                    struct tiktok_reply *out, struct err *e)
{
    __attribute__((cleanup(wire_done))) struct wire w = { 0 };
    bool renewed = false, reloaded = false, corrected = false;
    struct second_try again;
    struct err own = { 0 };
    enum rc rc = build_wire(req, &w, &own);

    *out = (struct tiktok_reply){ 0 };
    while (rc == RC_OK) {
        rc = call_once(s, req, &w, out, &again, &own);
        if (rc == RC_OK)
            break;
        if (again.token && !renewed && s->refresh != NULL) {
            renewed = true;
            rc = s->refresh(s, &own);
        } else if (again.cipher && req->with_cipher && !reloaded && s->reload_cipher != NULL) {
            reloaded = true;
            rc = s->reload_cipher(s, &own);
        } else if (again.clock && !corrected) {
            corrected = true;
            rc = RC_OK;
        } else {
            break;
        }
        if (rc == RC_OK)
            tiktok_reply_done(out);
    }
    if (rc != RC_OK && e != NULL)
        *e = own;
    return rc;
}
