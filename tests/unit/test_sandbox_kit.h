/* test_sandbox_kit.h - a simulator inside the test process, and calls to it over the loopback. */
#ifndef TEST_SANDBOX_KIT_H
#define TEST_SANDBOX_KIT_H

#include "../../sandbox/state.h"

#include "clock.h"
#include "jspec.h"
#include "sign.h"
#include "str.h"

#include "check.h"

static struct sandbox *kit_sb;
static struct http_server *kit_server;
static int64_t kit_clock_s; /* added to the time of requests */

static inline bool kit_start(int64_t audit_ms)
{
    struct sbx_cfg cfg = {
        .app_key = "key",
        .app_secret = "secret",
        .service_id = "svc",
        .redirect_url = "http://127.0.0.1:1/cb",
        .webhook_url = "",
        .accounts = "loja",
        .vtex_app_key = "K",
        .vtex_app_token = "T",
        .feed_address = "",
        .shops = 2,
        .audit_ms = audit_ms,
        .workflow_ms = 1,
        .access_seconds = 3600,
        .authorization_seconds = 7200,
        .rate_per_second = 1000,
    };
    struct err e = { 0 };
    enum rc rc = sbx_state_new(&cfg, &kit_sb, &e);

    if (rc == RC_OK)
        rc = fetch_new(true, &kit_sb->fetch, &e);
    if (rc == RC_OK)
        rc = agenda_new(kit_sb, 2, &kit_sb->agenda, &e);
    struct http_server_cfg server = { .name = "sandbox",
                                      .address = "127.0.0.1:0",
                                      .routes = SBX_ROUTES,
                                      .n_routes = SBX_ROUTES_COUNT,
                                      .user = kit_sb,
                                      .pool_threads = 2 };
    if (rc == RC_OK)
        rc = http_server_new(&server, &kit_server, &e);
    if (rc != RC_OK)
        printf("could not start: %s\n", e.text);
    return rc == RC_OK;
}

static inline void kit_stop(void)
{
    http_server_stop(kit_server, 1000);
    agenda_free(kit_sb->agenda);
    fetch_free(kit_sb->fetch);
    sbx_state_free(kit_sb);
}

/* One request; *status 0 when no complete answer came. Returns the parsed body or NULL. */
static inline json_t *kit_http(const char *method, const char *path, const char *const *headers,
                               int n_headers, const void *body, size_t len, int *status)
{
    char url[4096];
    struct fetch_reply reply = { 0 };
    struct err e = { 0 };
    json_t *out = NULL;

    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d%s", http_server_port(kit_server), path);
    struct fetch_req req = { .method = method,
                             .url = url,
                             .policy = FETCH_PLATFORM,
                             .n_headers = n_headers,
                             .body = body,
                             .body_len = len,
                             .total_ms = 5000 };
    for (int i = 0; i < n_headers; i++)
        req.headers[i] = headers[i];
    *status = 0;
    if (fetch_run(kit_sb->fetch, &req, &reply, &e) != RC_OK)
        return NULL;
    *status = reply.status;
    out = json_loadb(buf_text(&reply.body), reply.body.len, JSON_DECODE_ANY, NULL);
    fetch_reply_done(&reply);
    return out;
}

/* A signed TikTok call; query is decoded "name=value" pairs joined by '&', sorted by the caller's luck. */
static inline json_t *kit_tiktok(const char *method, const char *path, const char *cipher,
                                 const char *token, const char *extra, const char *body,
                                 int *status)
{
    char query[2048], url[3072], sign[65], header[512];
    struct sbx_pair pairs[SBX_PAIRS_MAX];
    int n = 0;
    size_t len = body == NULL ? 0 : strlen(body);
    struct http_req req = { .path = path, .body = body == NULL ? "" : body, .body_len = len };

    (void)snprintf(query, sizeof query, "app_key=key&timestamp=%lld%s%s%s%s",
                   (long long)(sbx_now_s() + kit_clock_s),
                   cipher == NULL ? "" : "&shop_cipher=", cipher == NULL ? "" : cipher,
                   extra == NULL ? "" : "&", extra == NULL ? "" : extra);
    if (!sbx_query_split(query, pairs, &n))
        return NULL;
    sbx_sign("secret", &req, pairs, n, false, sign);
    (void)snprintf(url, sizeof url, "%s?%s&sign=%s", path, query, sign);
    (void)snprintf(header, sizeof header, "x-tts-access-token: %s", token == NULL ? "none" : token);
    const char *headers[] = { "content-type: application/json", header };
    return kit_http(method, url, headers, 2, body, len, status);
}

/* Goes through authorize page and token endpoint; token gets the access token. */
static inline bool kit_login(int shop, char token[256], char refresh[256])
{
    char url[1024], code[256] = "";
    struct fetch_reply reply = { 0 };
    struct err e = { 0 };
    int status = 0;

    (void)snprintf(url, sizeof url,
                   "http://127.0.0.1:%d/open/authorize?service_id=svc&state=s&auto=accept&shop=%d",
                   http_server_port(kit_server), shop);
    struct fetch_req req = { .method = "GET", .url = url, .policy = FETCH_PLATFORM };
    if (fetch_run(kit_sb->fetch, &req, &reply, &e) != RC_OK)
        return false;
    char location[1024] = "";
    bool ok =
        reply.status == 302 && fetch_reply_header(&reply, "location", location, sizeof location);
    fetch_reply_done(&reply);
    const char *at = ok ? strstr(location, "code=") : NULL;
    if (at == NULL)
        return false;
    (void)snprintf(code, sizeof code, "%.*s", (int)strcspn(at + 5, "&"), at + 5);
    (void)snprintf(
        url, sizeof url,
        "/api/v2/token/get?app_key=key&app_secret=secret&grant_type=authorized_code&auth_code=%.200s",
        code);
    json_auto_t *answer = kit_http("GET", url, NULL, 0, NULL, 0, &status);
    return str_copy(token, 256, jspec_text(answer, "data.access_token")) &&
           str_copy(refresh, 256, jspec_text(answer, "data.refresh_token"));
}

#endif
