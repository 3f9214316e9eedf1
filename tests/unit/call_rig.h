/* call_rig.h - what tests of calls to the platforms share: a peer that answers by script. */
#ifndef CALL_RIG_H
#define CALL_RIG_H

#include "platform.h"

#include "check.h"
#include "clock.h"
#include "jspec.h"
#include "log.h"
#include "metrics.h"
#include "peer.h"
#include "str.h"

static struct peer server;
static struct fetch *engine;
static struct platform *platform;
static struct cfg cfg;
static char base[64], vtex_base[64];

/* What the server saw last, and what it shall say. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct peer_request last;
static char last_body[4096];
static const char *_Atomic script_name; /* name of the fault */
static atomic_int served;

/* What the recorder saw. */
static struct platform_call recorded[64];
static char recorded_text[64][128];
static int n_before, n_after;
static enum rc before_rc;

static inline enum rc record_before(void *user, struct platform_call *call, struct err *e)
{
    (void)user;
    n_before++;
    call->attempt_id = n_before;
    return before_rc == RC_OK ? RC_OK : err_set(e, before_rc, "not recorded");
}

static inline void record_after(void *user, const struct platform_call *call)
{
    (void)user;
    if (n_after < 64) {
        recorded[n_after] = *call;
        snprintf(recorded_text[n_after], 128, "%s|%s", call->request_id, call->platform_text);
    }
    n_after++;
}

static const struct platform_recorder RECORDER = { NULL, record_before, record_after };

static const char GOOD[] =
    "{\"code\":0,\"message\":\"Success\",\"request_id\":\"R1\",\"data\":{\"product_id\":\"1729592969712207008\"}}";

static inline void envelope(int fd, int status, const char *extra, int64_t code,
                            const char *message)
{
    char body[512];

    snprintf(body, sizeof(body), "{\"code\":%lld,\"message\":\"%s\",\"request_id\":\"R2\"}",
             (long long)code, message);
    peer_answer(fd, status, extra, body);
}

static inline void keep(const struct peer_request *r)
{
    pthread_mutex_lock(&lock);
    last = *r;
    last.body = last_body;
    snprintf(last_body, sizeof(last_body), "%s", r->body_len < sizeof(last_body) ? r->body : "");
    pthread_mutex_unlock(&lock);
}

static inline bool answer_tiktok(struct peer *p, int fd, const struct peer_request *r,
                                 const char *script)
{
    char token[64] = "";

    (void)peer_header(r, "x-tts-access-token", token, sizeof(token));
    if (str_eq(script, "cipher") && strstr(r->target, "shop_cipher=ROW_new") == NULL)
        envelope(fd, 200, "", strstr(r->target, "shop_cipher=") ? 101000 : 106013, "shop_cipher");
    else if (str_eq(script, "always cipher"))
        envelope(fd, 200, "", 101000, "shop_cipher");
    else if (str_eq(script, "expired") && str_eq(token, "old"))
        envelope(fd, 200, "", 105002, "Expired credentials");
    else if (str_eq(script, "always expired"))
        envelope(fd, 200, "", 105002, "Expired credentials");
    else if (str_eq(script, "clock"))
        envelope(fd, 401, "Date: Mon, 01 Jun 2026 03:00:00 GMT\r\n", 36009004, "Invalid timestamp");
    else if (str_eq(script, "429"))
        envelope(fd, 429, "Retry-After: 30\r\n", 36009002, "Too many requests");
    else if (str_eq(script, "429 bare"))
        peer_answer(fd, 429, "", "");
    else if (str_eq(script, "500"))
        peer_answer(fd, 500, "", "<html>");
    else if (str_eq(script, "503"))
        peer_answer(fd, 503, "Retry-After: 3\r\n", "");
    else if (str_eq(script, "html"))
        peer_answer(fd, 200, "", "<html>all is well</html>");
    else if (str_eq(script, "truncated"))
        peer_answer(fd, 200, "", "{\"code\":0,\"data\":{");
    else if (str_eq(script, "no code"))
        peer_answer(fd, 200, "", "{\"data\":{}}");
    else if (str_eq(script, "redirect"))
        peer_answer(fd, 302, "Location: /elsewhere\r\n", "");
    else if (str_eq(script, "invalid"))
        envelope(fd, 200, "", 12052990, "Falta o peso \\u00e9 claro");
    else if (str_eq(script, "scope"))
        envelope(fd, 200, "", 105005, "Access denied");
    else if (str_eq(script, "huge"))
        peer_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 90000000\r\n\r\n{");
    if (str_eq(script, "good") || (str_eq(script, "expired") && str_eq(token, "new")) ||
        (str_eq(script, "cipher") && strstr(r->target, "shop_cipher=ROW_new") != NULL))
        peer_answer(fd, 200, "", GOOD);
    if (str_eq(script, "hang"))
        peer_hang(p, fd);
    return !str_eq(script, "cut") && !str_eq(script, "hang");
}

static inline bool answer_vtex(int fd, const char *script)
{
    if (str_eq(script, "good"))
        peer_answer(fd, 200, "", "[{\"orderId\":\"TTK-1\",\"price\":69.9}]");
    else if (str_eq(script, "empty"))
        peer_send(fd, "HTTP/1.1 204 No Content\r\n\r\n");
    else if (str_eq(script, "adopt"))
        peer_answer(fd, 400, "", "{\"error\":{\"code\":\"FMT009\",\"message\":\"exists\"}}");
    else if (str_eq(script, "header"))
        peer_answer(fd, 400,
                    "x-vtex-error-code: FMT0090\r\nx-vtex-error-message: n%C3%A3o%20pode\r\n", "");
    else if (str_eq(script, "number"))
        peer_answer(fd, 400, "", "{\"error\":{\"code\":1,\"message\":\"old route\"}}");
    else if (str_eq(script, "text"))
        peer_answer(fd, 404, "", "\"SKU not found\"");
    else if (str_eq(script, "Message"))
        peer_answer(fd, 403, "", "{\"Message\":\"denied\"}");
    else if (str_eq(script, "429"))
        peer_answer(fd, 429, "Retry-After: 7\r\n", "");
    else if (str_eq(script, "429 bare"))
        peer_answer(fd, 429, "", "");
    else if (str_eq(script, "500"))
        peer_answer(fd, 500, "", "");
    else if (str_eq(script, "html"))
        peer_answer(fd, 200, "", "<html></html>");
    else
        return false;
    return true;
}

static inline bool answer_token(int fd, const char *script)
{
    if (str_eq(script, "good"))
        peer_answer(
            fd, 200, "",
            "{\"code\":0,\"data\":{\"access_token\":\"A\",\"access_token_expire_in\":1790000000,"
            "\"refresh_token\":\"R\",\"refresh_token_expire_in\":1800000000}}");
    else if (str_eq(script, "lacking"))
        peer_answer(fd, 200, "", "{\"code\":0,\"data\":{\"access_token\":\"A\"}}");
    else if (str_eq(script, "refused"))
        envelope(fd, 200, "", 36004004, "authorization code is expired");
    else if (str_eq(script, "500"))
        peer_answer(fd, 500, "", "");
    else
        return false;
    return true;
}

/* Counts as strictly as can be: more than 50 within any second is refused. */
static int64_t arrivals_us[1024];
static int n_arrivals, n_refused;

static inline bool answer_counting(int fd)
{
    int64_t now_us = clock_mono_us();
    bool refused;

    pthread_mutex_lock(&lock);
    refused = n_arrivals >= 50 && now_us - arrivals_us[(n_arrivals - 50) % 1024] < US_PER_S;
    if (refused)
        n_refused++;
    else
        arrivals_us[n_arrivals++ % 1024] = now_us;
    pthread_mutex_unlock(&lock);
    if (refused)
        envelope(fd, 429, "", 36009002, "Too many requests");
    else
        peer_answer(fd, 200, "", GOOD);
    return true;
}

static inline bool answer(struct peer *p, int fd, const struct peer_request *r)
{
    const char *script = atomic_load(&script_name);

    keep(r);
    atomic_fetch_add(&served, 1);
    if (str_starts(r->target, "/api/v2/token"))
        return answer_token(fd, script);
    if (str_eq(script, "counting"))
        return answer_counting(fd);
    if (str_starts(r->target, "/loja/"))
        return answer_vtex(fd, script);
    return answer_tiktok(p, fd, r, script);
}

/* Every case has a shop of its own, so that quotas and breakers of one do not reach another. */
static inline struct tiktok_session session_new(const char *shop)
{
    struct tiktok_session s = { .platform = platform, .recorder = RECORDER };

    (void)str_copy(s.client_id, sizeof(s.client_id), "client-0001");
    (void)str_copy(s.shop_id, sizeof(s.shop_id), shop);
    s.cipher = str_dup("ROW_abc/+=");
    s.access_token = str_dup("old");
    n_before = n_after = 0;
    before_rc = RC_OK;
    atomic_store(&served, 0);
    return s;
}

static inline void session_free(struct tiktok_session *s)
{
    free(s->cipher);
    free(s->access_token);
}

static int refreshes;

static inline enum rc renew(struct tiktok_session *s, struct err *e)
{
    (void)e;
    refreshes++;
    free(s->access_token);
    s->access_token = str_dup("new");
    return RC_OK;
}

/* Reads the query as the platform would: decoded pairs, sign apart. */
static inline int read_query(const char *target, struct tiktok_pair pairs[16], char store[16][512],
                             char sign[128])
{
    const char *at = strchr(target, '?');
    int n = 0;

    while (at != NULL && n < 16) {
        const char *equals = strchr(at + 1, '=');
        const char *next = strchr(at + 1, '&');
        size_t key_len = (size_t)(equals - at - 1);
        size_t len = next ? (size_t)(next - equals - 1) : strlen(equals + 1);
        char *value = store[n];

        (void)str_url_decode(value, 256, equals + 1, len, false);
        memcpy(store[n] + 256, at + 1, key_len);
        store[n][256 + key_len] = '\0';
        if (str_eq(store[n] + 256, "sign"))
            snprintf(sign, 128, "%s", value);
        else {
            pairs[n] = (struct tiktok_pair){ store[n] + 256, value };
            n++;
        }
        at = next;
    }
    return n;
}

static inline const char *pair_value(const struct tiktok_pair *pairs, int n, const char *key)
{
    for (int i = 0; i < n; i++) {
        if (str_eq(pairs[i].key, key))
            return pairs[i].value;
    }
    return NULL;
}

/* The request seen last carries a signature over exactly its bytes. */
static inline void check_signed(int n_pairs)
{
    struct tiktok_pair pairs[16];
    static char store[16][512];
    char sign[128] = "", want[65] = "", type[256] = "", path[512];
    int n = read_query(last.target, pairs, store, sign);

    CHECK_INT(n, n_pairs);
    snprintf(path, sizeof(path), "%.*s", (int)strcspn(last.target, "?"), last.target);
    CHECK(peer_header(&last, "content-type", type, sizeof(type)), "content-type is required");
    CHECK_INT(tiktok_sign("secret-1", path, pairs, n, type, last.body, last.body_len, want, NULL),
              RC_OK);
    CHECK_STR(sign, want);
    CHECK_STR(pair_value(pairs, n, "app_key"), "key-1");
    CHECK(pair_value(pairs, n, "access_token") == NULL, "the token is a header");
    CHECK(pair_value(pairs, n, "timestamp") != NULL &&
              strlen(pair_value(pairs, n, "timestamp")) == 10,
          "timestamp");
}

struct outcome_row {
    const char *script;
    enum rc reads, writes;
    int64_t code;
};

static const struct outcome_row TIKTOK_OUTCOMES[] = {
    { "good", RC_OK, RC_OK, 0 },
    { "cut", RC_DOWN, RC_UNSURE, 0 },
    { "huge", RC_DOWN, RC_UNSURE, 0 },
    { "html", RC_DOWN, RC_UNSURE, 0 },
    { "truncated", RC_DOWN, RC_UNSURE, 0 },
    { "no code", RC_DOWN, RC_UNSURE, 0 },
    { "redirect", RC_DOWN, RC_UNSURE, 0 },
    { "500", RC_DOWN, RC_UNSURE, 0 },
    { "503", RC_DOWN, RC_DOWN, 0 },
    { "invalid", RC_INVALID, RC_INVALID, 12052990 },
    { "scope", RC_DENIED, RC_DENIED, 105005 },
};

static int reloads;

static inline enum rc reload_cipher(struct tiktok_session *s, struct err *e)
{
    (void)e;
    reloads++;
    free(s->cipher);
    s->cipher = str_dup("ROW_new");
    return RC_OK;
}

static inline void *set_stop(void *arg)
{
    usleep(200000);
    atomic_store((atomic_bool *)arg, true);
    return NULL;
}

static inline struct vtex_session vtex_new(const char *account)
{
    struct vtex_session s = { .platform = platform, .recorder = RECORDER };

    (void)str_copy(s.client_id, sizeof(s.client_id), "client-0001");
    (void)str_copy(s.shop_id, sizeof(s.shop_id), "shop");
    (void)str_copy(s.account, sizeof(s.account), account);
    s.app_key = str_dup("vtexappkey-loja-ABCDEF");
    s.app_token = str_dup("TOKEN");
    n_before = n_after = 0;
    before_rc = RC_OK;
    atomic_store(&served, 0);
    return s;
}

static inline void vtex_free(struct vtex_session *s)
{
    free(s->app_key);
    free(s->app_token);
}

struct vtex_row {
    const char *script;
    enum rc reads, writes;
    const char *code, *class, *text;
};

static const struct vtex_row VTEX_OUTCOMES[] = {
    { "good", RC_OK, RC_OK, "", "", "" },
    { "empty", RC_OK, RC_OK, "", "", "" },
    { "adopt", RC_INVALID, RC_INVALID, "FMT009", "adopt", "exists" },
    { "header", RC_INVALID, RC_INVALID, "FMT0090", "payload", "não pode" },
    { "number", RC_INVALID, RC_INVALID, "1", "payload", "old route" },
    { "text", RC_NOT_FOUND, RC_NOT_FOUND, "", "payload", "SKU not found" },
    { "Message", RC_DENIED, RC_DENIED, "", "payload", "denied" },
    { "500", RC_DOWN, RC_UNSURE, "", "transient", "" },
    { "html", RC_DOWN, RC_UNSURE, "", "", "" },
    { "cut", RC_DOWN, RC_UNSURE, "", "", "" },
};

#define QUOTA_US (5 * US_PER_S)
static int64_t quota_end_us;

static inline void *use_quota(void *arg)
{
    struct tiktok_session *s = arg;
    struct tiktok_req req = { .operation = "update_price",
                              .method = "POST",
                              .path = "/product/202309/products/1/prices/update" };

    while (clock_mono_us() < quota_end_us) {
        struct tiktok_reply reply;

        (void)tiktok_call(s, &req, &reply, NULL);
        tiktok_reply_done(&reply);
    }
    return NULL;
}

/* Sets up, runs the cases, takes down; the exit code. */
static inline int rig_main(void (*cases)(void))
{
    struct err e = { 0 };

    log_setup(LOG_ERROR, true);
    peer_start(&server, answer, NULL);
    snprintf(base, sizeof(base), "http://127.0.0.1:%d", server.port);
    snprintf(vtex_base, sizeof(vtex_base), "http://127.0.0.1:%d/{account}", server.port);
    cfg = (struct cfg){ .tiktok_app_key = (char *)"key-1",
                        .tiktok_app_secrets = { (char *)"secret-1" },
                        .tiktok_api_url = base,
                        .tiktok_auth_url = base,
                        .vtex_api_url = vtex_base,
                        .vtex_pricing_url = vtex_base };
    atomic_store(&script_name, "good");
    if (fetch_new(true, &engine, &e) != RC_OK || platform_new(&cfg, engine, &platform, &e) != RC_OK)
        return 77;
    cases();
    platform_free(platform);
    fetch_free(engine);
    peer_stop(&server);
    return CHECK_END();
}

#endif
