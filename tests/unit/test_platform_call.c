/* Calls to both platforms against a server that checks what it gets and answers by script. */
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

static enum rc record_before(void *user, struct platform_call *call, struct err *e)
{
    (void)user;
    n_before++;
    call->attempt_id = n_before;
    return before_rc == RC_OK ? RC_OK : err_set(e, before_rc, "not recorded");
}

static void record_after(void *user, const struct platform_call *call)
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

static void envelope(int fd, int status, const char *extra, int64_t code, const char *message)
{
    char body[512];

    snprintf(body, sizeof(body), "{\"code\":%lld,\"message\":\"%s\",\"request_id\":\"R2\"}",
             (long long)code, message);
    peer_answer(fd, status, extra, body);
}

static void keep(const struct peer_request *r)
{
    pthread_mutex_lock(&lock);
    last = *r;
    last.body = last_body;
    snprintf(last_body, sizeof(last_body), "%s", r->body_len < sizeof(last_body) ? r->body : "");
    pthread_mutex_unlock(&lock);
}

static bool answer_tiktok(struct peer *p, int fd, const struct peer_request *r, const char *script)
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

static bool answer_vtex(int fd, const char *script)
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

static bool answer_token(int fd, const char *script)
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

static bool answer_counting(int fd)
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

static bool answer(struct peer *p, int fd, const struct peer_request *r)
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
static struct tiktok_session session_new(const char *shop)
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

static void session_free(struct tiktok_session *s)
{
    free(s->cipher);
    free(s->access_token);
}

static int refreshes;

static enum rc renew(struct tiktok_session *s, struct err *e)
{
    (void)e;
    refreshes++;
    free(s->access_token);
    s->access_token = str_dup("new");
    return RC_OK;
}

/* Reads the query as the platform would: decoded pairs, sign apart. */
static int read_query(const char *target, struct tiktok_pair pairs[16], char store[16][512],
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

static const char *pair_value(const struct tiktok_pair *pairs, int n, const char *key)
{
    for (int i = 0; i < n; i++) {
        if (str_eq(pairs[i].key, key))
            return pairs[i].value;
    }
    return NULL;
}

/* The request seen last carries a signature over exactly its bytes. */
static void check_signed(int n_pairs)
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

static void tiktok_request(void)
{
    struct tiktok_session s = session_new("shop-request");
    struct tiktok_req req = { .operation = "search_orders",
                              .method = "POST",
                              .path = "/order/202309/orders/search",
                              .with_cipher = true,
                              .query = { { "page_size", "50" },
                                         { "page_token", "a/b+c=" },
                                         { "empty", "" },
                                         { "none", NULL } } };
    struct tiktok_reply reply;
    struct err e = { 0 };
    char text[256];
    json_auto_t *body = json_pack("{s:s,s:i}", "name", "São Paulo", "n", 1);

    atomic_store(&script_name, "good");
    req.body = body;
    CHECK_INT(tiktok_call(&s, &req, &reply, &e), RC_OK);
    CHECK_STR(jspec_text(reply.data, "product_id"), "1729592969712207008");
    CHECK_STR(reply.request_id, "R1");
    tiktok_reply_done(&reply);
    check_signed(5);
    CHECK_STR(last.body, "{\"name\":\"São Paulo\",\"n\":1}");
    CHECK(strstr(last.target, "page_token=a%2Fb%2Bc%3D&") != NULL, "%s", last.target);
    CHECK(strstr(last.target, "shop_cipher=ROW_abc%2F%2B%3D&") != NULL, "%s", last.target);
    CHECK(peer_header(&last, "x-tts-access-token", text, sizeof(text)), "token");
    CHECK_STR(text, "old");
    CHECK(peer_header(&last, "content-type", text, sizeof(text)), "type");
    CHECK_STR(text, "application/json");
    CHECK_INT(n_before, 0);
    CHECK_INT(n_after, 1);
    CHECK_STR(recorded_text[0], "R1|");
    session_free(&s);
}

static void tiktok_get_and_empty_post(void)
{
    struct tiktok_session s = session_new("shop-get");
    struct tiktok_req req = { .operation = "get_authorized_shops",
                              .method = "GET",
                              .path = "/authorization/202309/shops" };
    struct tiktok_reply reply;
    struct err e = { 0 };
    char text[64];

    atomic_store(&script_name, "good");
    CHECK_INT(tiktok_call(&s, &req, &reply, &e), RC_OK);
    tiktok_reply_done(&reply);
    check_signed(2); /* no cipher where the contract says none */
    CHECK_INT(last.body_len, 0);
    CHECK(!peer_header(&last, "content-length", text, sizeof(text)), "no length on GET");
    req.operation = "approve_cancellation";
    req.method = "POST";
    req.path = "/return_refund/202309/cancellations/1/approve";
    req.with_cipher = req.writes = true;
    CHECK_INT(tiktok_call(&s, &req, &reply, &e), RC_OK);
    tiktok_reply_done(&reply);
    check_signed(3);
    CHECK_INT(last.body_len, 0);
    CHECK_INT(n_before, 1);
    free(s.cipher);
    s.cipher = NULL;
    CHECK_INT(tiktok_call(&s, &req, &reply, &e), RC_BUG);
    CHECK_INT(atomic_load(&served), 2);
    session_free(&s);
}

static void tiktok_multipart(void)
{
    static const char PNG[] = "\x89PNG\r\n--data";
    struct tiktok_session s = session_new("shop-image");
    struct tiktok_req req = { .operation = "upload_product_image",
                              .method = "POST",
                              .path = "/product/202309/images/upload",
                              .writes = true,
                              .part_fields = { { "use_case", "MAIN_IMAGE" } },
                              .file = PNG,
                              .file_len = sizeof(PNG) - 1,
                              .file_name = "a\"b\r\n.png",
                              .file_type = "image/png" };
    struct tiktok_reply reply;
    struct err e = { 0 };
    char type[256], want[1024];

    atomic_store(&script_name, "good");
    CHECK_INT(tiktok_call(&s, &req, &reply, &e), RC_OK);
    tiktok_reply_done(&reply);
    check_signed(2);
    CHECK(peer_header(&last, "content-type", type, sizeof(type)), "type");
    CHECK(str_starts(type, "multipart/form-data; boundary="), "%s", type);
    snprintf(
        want, sizeof(want),
        "--%s\r\nContent-Disposition: form-data; name=\"use_case\"\r\n\r\nMAIN_IMAGE\r\n--%s\r\n"
        "Content-Disposition: form-data; name=\"data\"; filename=\"a_b__.png\"\r\n"
        "Content-Type: image/png\r\n\r\n%s\r\n--%s--\r\n",
        type + 30, type + 30, PNG, type + 30);
    CHECK_STR(last.body, want);
    session_free(&s);
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

static void tiktok_outcomes(void)
{
    for (size_t i = 0; i < 2 * sizeof(TIKTOK_OUTCOMES) / sizeof(TIKTOK_OUTCOMES[0]); i++) {
        const struct outcome_row *row = &TIKTOK_OUTCOMES[i / 2];
        char shop[32];
        bool writes = i % 2 == 1;
        struct tiktok_req req = { .operation = "create_product",
                                  .method = writes ? "POST" : "GET",
                                  .path = "/product/202309/products",
                                  .writes = writes };
        struct tiktok_reply reply;
        struct tiktok_session s;
        struct err e = { 0 };
        enum rc rc;

        snprintf(shop, sizeof(shop), "shop-%zu", i);
        s = session_new(shop);
        atomic_store(&script_name, row->script);
        rc = tiktok_call(&s, &req, &reply, &e);
        CHECK(rc == (writes ? row->writes : row->reads), "%s (%s): %s, %s", row->script, req.method,
              rc_name(rc), e.text);
        CHECK_INT(rc == RC_OK ? 0 : e.platform_code, row->code);
        CHECK(atomic_load(&served) == 1 || (!writes && atomic_load(&served) == 2),
              "a used connection that dies may repeat a read, never a write");
        CHECK_INT(n_before, writes);
        CHECK_INT(n_after, 1);
        CHECK_INT(recorded[0].rc, rc);
        if (str_eq(row->script, "503"))
            CHECK_INT(e.retry_after_us, 3 * US_PER_S);
        if (str_eq(row->script, "invalid")) {
            CHECK_STR(e.text, "Falta o peso é claro");
            CHECK_STR(e.request_id, "R2");
            CHECK(reply.root != NULL, "the envelope is there to be read");
        }
        tiktok_reply_done(&reply);
        session_free(&s);
    }
}

static void token_is_renewed_once(void)
{
    struct tiktok_session s = session_new("shop-token");
    struct tiktok_req req = { .operation = "update_inventory",
                              .method = "POST",
                              .path = "/product/202309/products/1/inventory/update",
                              .writes = true };
    struct tiktok_reply reply;
    struct err e = { 0 };

    atomic_store(&script_name, "expired");
    CHECK_INT(tiktok_call(&s, &req, &reply, &e), RC_DENIED); /* nobody can renew */
    CHECK_INT(e.platform_code, 105002);
    tiktok_reply_done(&reply);
    s.refresh = renew;
    refreshes = 0;
    atomic_store(&served, 0);
    CHECK_INT(tiktok_call(&s, &req, &reply, &e), RC_OK);
    tiktok_reply_done(&reply);
    CHECK_INT(refreshes, 1);
    CHECK_INT(atomic_load(&served), 2);
    check_signed(2);
    atomic_store(&script_name, "always expired");
    refreshes = 0;
    atomic_store(&served, 0);
    CHECK_INT(tiktok_call(&s, &req, &reply, &e), RC_DENIED);
    tiktok_reply_done(&reply);
    CHECK_INT(refreshes, 1);
    CHECK_INT(atomic_load(&served), 2);
    session_free(&s);
}

static int reloads;

static enum rc reload_cipher(struct tiktok_session *s, struct err *e)
{
    (void)e;
    reloads++;
    free(s->cipher);
    s->cipher = str_dup("ROW_new");
    return RC_OK;
}

static void cipher_is_reloaded_once(void)
{
    static const struct {
        const char *script;
        bool reload;
        enum rc rc;
        int reloads, served;
    } T[] = {
        { "cipher", false, RC_BUG, 0, 1 }, /* nobody can read it again */
        { "cipher", true, RC_OK, 1, 2 },
        { "always cipher", true, RC_BUG, 1, 2 },
    };

    for (size_t i = 0; i < sizeof(T) / sizeof(T[0]); i++) {
        struct tiktok_session s = session_new("shop-cipher");
        struct tiktok_req req = { .operation = "update_inventory",
                                  .method = "POST",
                                  .path = "/product/202309/products/1/inventory/update",
                                  .with_cipher = true,
                                  .writes = true };
        struct tiktok_reply reply;
        struct err e = { 0 };

        reloads = 0;
        s.reload_cipher = T[i].reload ? reload_cipher : NULL;
        atomic_store(&script_name, T[i].script);
        CHECK_INT(tiktok_call(&s, &req, &reply, &e), T[i].rc);
        CHECK_INT(T[i].rc == RC_OK ? 0 : e.platform_code, T[i].rc == RC_OK ? 0 : 101000);
        CHECK_INT(reloads, T[i].reloads);
        CHECK_INT(atomic_load(&served), T[i].served);
        tiktok_reply_done(&reply);
        session_free(&s);
    }
}

static void refusals_pause_the_operation_only(void)
{
    struct tiktok_session s = session_new("shop-429");
    struct tiktok_req req = { .operation = "get_order",
                              .method = "GET",
                              .path = "/order/202507/orders" };
    struct tiktok_reply reply;
    struct err e = { 0 };

    atomic_store(&script_name, "429");
    CHECK_INT(tiktok_call(&s, &req, &reply, &e), RC_BUSY);
    CHECK_INT(e.retry_after_us, 30 * US_PER_S);
    tiktok_reply_done(&reply);
    atomic_store(&script_name, "good");
    CHECK_INT(tiktok_call(&s, &req, &reply, &e), RC_BUSY); /* not sent at all */
    CHECK(e.retry_after_us > 28 * US_PER_S, "%lld", (long long)e.retry_after_us);
    tiktok_reply_done(&reply);
    CHECK_INT(atomic_load(&served), 1);
    req.operation = "get_product";
    CHECK_INT(tiktok_call(&s, &req, &reply, &e), RC_OK);
    tiktok_reply_done(&reply);
    atomic_store(&script_name, "429 bare");
    req.operation = "search_orders";
    CHECK_INT(tiktok_call(&s, &req, &reply, &e), RC_BUSY);
    CHECK(e.retry_after_us >= US_PER_S / 2 && e.retry_after_us <= 2 * US_PER_S, "%lld",
          (long long)e.retry_after_us);
    tiktok_reply_done(&reply);
    session_free(&s);
}

static void breaker_opens_for_one_shop(void)
{
    struct tiktok_session s = session_new("shop-dead"), other;
    int before;
    struct tiktok_req req = { .operation = "get_order",
                              .method = "GET",
                              .path = "/order/202507/orders" };
    struct tiktok_reply reply;
    struct err e = { 0 };

    atomic_store(&script_name, "cut");
    for (int i = 0; i < 8; i++) {
        CHECK_INT(tiktok_call(&s, &req, &reply, &e), RC_DOWN);
        tiktok_reply_done(&reply);
    }
    before = atomic_load(&served);
    CHECK_INT(tiktok_call(&s, &req, &reply, &e), RC_BUSY);
    CHECK_STR(e.code, "breaker_open");
    CHECK(e.retry_after_us > 0, "says when");
    CHECK_INT(atomic_load(&served), before);
    other = session_new("shop-alive");
    atomic_store(&script_name, "good");
    CHECK_INT(tiktok_call(&other, &req, &reply, &e), RC_OK);
    tiktok_reply_done(&reply);
    usleep(1050000);
    CHECK_INT(tiktok_call(&s, &req, &reply, &e), RC_OK);
    tiktok_reply_done(&reply);
    session_free(&s);
    session_free(&other);
}

static void unrecorded_writes_are_not_sent(void)
{
    struct tiktok_session s = session_new("shop-record");
    struct tiktok_req req = { .operation = "create_product",
                              .method = "POST",
                              .path = "/product/202309/products",
                              .writes = true };
    struct tiktok_reply reply;
    struct err e = { 0 };

    atomic_store(&script_name, "good");
    before_rc = RC_STOPPED;
    CHECK_INT(tiktok_call(&s, &req, &reply, &e), RC_STOPPED);
    CHECK_INT(atomic_load(&served), 0);
    tiktok_reply_done(&reply);
    session_free(&s);
}

static void *set_stop(void *arg)
{
    usleep(200000);
    atomic_store((atomic_bool *)arg, true);
    return NULL;
}

static void stopped_writes_stay_open(void)
{
    struct tiktok_session s = session_new("shop-stop");
    struct tiktok_req req = { .operation = "create_product",
                              .method = "POST",
                              .path = "/product/202309/products",
                              .writes = true };
    struct tiktok_reply reply;
    struct err e = { 0 };
    atomic_bool stop = false;
    pthread_t t;

    s.stop = &stop;
    atomic_store(&script_name, "hang");
    pthread_create(&t, NULL, set_stop, &stop);
    CHECK_INT(tiktok_call(&s, &req, &reply, &e), RC_STOPPED);
    pthread_join(t, NULL);
    CHECK_INT(n_after, 1);
    CHECK_INT(recorded[0].rc, RC_UNSURE);
    session_free(&s);
}

static void clock_is_corrected_once(void)
{
    struct tiktok_session s = session_new("shop-clock");
    struct tiktok_req req = { .operation = "get_order",
                              .method = "GET",
                              .path = "/order/202507/orders" };
    struct tiktok_reply reply;
    struct err e = { 0 };
    struct platform *usual = platform;
    int64_t real_us = clock_now_us();
    char *stamp;

    /* An hour before the platform's time. */
    clock_shift_us((INT64_C(1780282800) - 3600) * US_PER_S - real_us);
    CHECK_INT(platform_new(&cfg, engine, &platform, &e), RC_OK);
    s.platform = platform;
    atomic_store(&script_name, "clock");
    CHECK_INT(tiktok_call(&s, &req, &reply, &e), RC_DOWN);
    tiktok_reply_done(&reply);
    CHECK_INT(atomic_load(&served), 2); /* once more with the platform's time */
    stamp = strstr(last.target, "timestamp=17802828");
    CHECK(stamp != NULL, "%s", last.target);
    clock_shift_us(0);
    platform_free(platform);
    platform = usual;
    session_free(&s);
}

static struct vtex_session vtex_new(const char *account)
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

static void vtex_free(struct vtex_session *s)
{
    free(s->app_key);
    free(s->app_token);
}

static void vtex_request(void)
{
    struct vtex_session s = vtex_new("loja");
    json_auto_t *body = json_pack("[{s:s}]", "marketplaceOrderId", "57646141303878575299");
    struct vtex_req req = { .operation = "placeFulfillmentOrder",
                            .method = "POST",
                            .path = "/api/fulfillment/pvt/orders",
                            .writes = true,
                            .query = { { "sc", "3" }, { "affiliateId", "TTK" }, { "none", NULL } },
                            .body = body };
    struct vtex_reply reply;
    struct err e = { 0 };
    char text[128];

    atomic_store(&script_name, "good");
    CHECK_INT(vtex_call(&s, &req, &reply, &e), RC_OK);
    CHECK_STR(last.target, "/loja/api/fulfillment/pvt/orders?sc=3&affiliateId=TTK");
    CHECK_STR(last.body, "[{\"marketplaceOrderId\":\"57646141303878575299\"}]");
    CHECK(peer_header(&last, "X-VTEX-API-AppKey", text, sizeof(text)), "key");
    CHECK_STR(text, "vtexappkey-loja-ABCDEF");
    CHECK(peer_header(&last, "X-VTEX-API-AppToken", text, sizeof(text)), "token");
    CHECK(peer_header(&last, "Accept", text, sizeof(text)), "accept");
    CHECK_STR(text, "application/json");
    CHECK(peer_header(&last, "Content-Type", text, sizeof(text)), "type");
    CHECK_STR(text, "application/json");
    CHECK(json_is_array(reply.body), "parsed");
    CHECK_STR(reply.error_class, "");
    vtex_reply_done(&reply);
    CHECK_INT(n_before, 1);
    CHECK_INT(n_after, 1);
    req = (struct vtex_req){
        .operation = "getPrice", .method = "GET", .path = "/pricing/prices/1", .pricing = true
    };
    CHECK_INT(vtex_call(&s, &req, &reply, &e), RC_OK);
    CHECK_STR(last.target, "/loja/pricing/prices/1");
    CHECK(!peer_header(&last, "Content-Type", text, sizeof(text)), "no body, no type");
    vtex_reply_done(&reply);
    (void)str_copy(s.account, sizeof(s.account), "evil.example/");
    CHECK_INT(vtex_call(&s, &req, &reply, &e), RC_INVALID);
    vtex_reply_done(&reply);
    vtex_free(&s);
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

static void vtex_outcomes(void)
{
    struct vtex_session s = vtex_new("loja");

    for (size_t i = 0; i < 2 * sizeof(VTEX_OUTCOMES) / sizeof(VTEX_OUTCOMES[0]); i++) {
        const struct vtex_row *row = &VTEX_OUTCOMES[i / 2];
        bool writes = i % 2 == 1;
        struct vtex_req req = {
            .operation = "x", .method = writes ? "POST" : "GET", .path = "/api/x", .writes = writes
        };
        struct vtex_reply reply;
        struct err e = { 0 };
        enum rc rc;

        atomic_store(&script_name, row->script);
        rc = vtex_call(&s, &req, &reply, &e);
        CHECK(rc == (writes ? row->writes : row->reads), "%s (%s): %s, %s", row->script, req.method,
              rc_name(rc), e.text);
        CHECK_STR(reply.error_code, row->code);
        CHECK_STR(reply.error_class, row->class);
        CHECK_STR(reply.error_text, row->text);
        CHECK_STR(rc == RC_OK ? "" : e.platform_text, row->code);
        vtex_reply_done(&reply);
    }
    vtex_free(&s);
}

static void vtex_refusals_pause_the_account(void)
{
    struct vtex_session s = vtex_new("loja");
    struct vtex_req req = { .operation = "a", .method = "GET", .path = "/api/a" };
    struct vtex_reply reply;
    struct err e = { 0 };
    struct platform *usual = platform;

    for (int i = 0; i < 2; i++) {
        int64_t want_us = (i == 0 ? 7 : 60) * US_PER_S;

        CHECK_INT(platform_new(&cfg, engine, &platform, &e), RC_OK);
        s.platform = platform;
        atomic_store(&served, 0);
        atomic_store(&script_name, i == 0 ? "429" : "429 bare");
        req.operation = "a";
        CHECK_INT(vtex_call(&s, &req, &reply, &e), RC_BUSY);
        CHECK_INT(e.retry_after_us, want_us);
        vtex_reply_done(&reply);
        if (i == 1) { /* longer than anybody waits: refused at once, whatever the operation */
            atomic_store(&script_name, "good");
            req.operation = "b";
            CHECK_INT(vtex_call(&s, &req, &reply, &e), RC_BUSY);
            CHECK(e.retry_after_us > 58 * US_PER_S, "%lld", (long long)e.retry_after_us);
            vtex_reply_done(&reply);
            CHECK_INT(atomic_load(&served), 1);
        }
        platform_free(platform);
    }
    platform = usual;
    vtex_free(&s);
}

static void token_calls(void)
{
    json_t *data = NULL;
    struct err e = { 0 };
    char text[64];

    atomic_store(&script_name, "good");
    CHECK_INT(tiktok_token_call(platform, false, "TTP_a b/c", &data, &e), RC_OK);
    CHECK_STR(last.target,
              "/api/v2/token/get?app_key=key-1&app_secret=secret-1&auth_code=TTP_a%20b%2Fc&"
              "grant_type=authorized_code");
    CHECK_STR(last.method, "GET");
    CHECK(!peer_header(&last, "x-tts-access-token", text, sizeof(text)), "no token");
    CHECK_STR(jspec_text(data, "access_token"), "A");
    json_decref(data);
    CHECK_INT(tiktok_token_call(platform, true, "R0", &data, &e), RC_OK);
    CHECK_STR(last.target,
              "/api/v2/token/refresh?app_key=key-1&app_secret=secret-1&refresh_token=R0&"
              "grant_type=refresh_token");
    json_decref(data);
    atomic_store(&script_name, "refused");
    CHECK_INT(tiktok_token_call(platform, true, "R0", &data, &e), RC_DENIED);
    CHECK(strstr(e.text, "secret-1") == NULL && strstr(e.text, "R0") == NULL, "%s", e.text);
    CHECK_INT(e.platform_code, 36004004);
    atomic_store(&script_name, "lacking");
    CHECK_INT(tiktok_token_call(platform, true, "R0", &data, &e), RC_INVALID);
    atomic_store(&script_name, "500");
    CHECK_INT(tiktok_token_call(platform, true, "R0", &data, &e), RC_UNSURE);
    atomic_store(&served, 0);
    atomic_store(&script_name, "cut");
    CHECK_INT(tiktok_token_call(platform, false, "C", &data, &e), RC_UNSURE);
    CHECK_INT(atomic_load(&served), 1);
    CHECK_INT(tiktok_token_call(platform, false, "", &data, &e), RC_DENIED);
}

#define QUOTA_US (5 * US_PER_S)
static int64_t quota_end_us;

static void *use_quota(void *arg)
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

static void quota_is_used_without_a_refusal(void)
{
    struct tiktok_session s[16];
    pthread_t t[16];
    int n = 0;

    atomic_store(&script_name, "counting");
    n_arrivals = n_refused = 0;
    quota_end_us = clock_mono_us() + QUOTA_US;
    for (int i = 0; i < 16; i++) {
        s[i] = session_new("shop-quota");
        s[i].recorder = (struct platform_recorder){ 0 };
        pthread_create(&t[i], NULL, use_quota, &s[i]);
    }
    for (int i = 0; i < 16; i++) {
        pthread_join(t[i], NULL);
        session_free(&s[i]);
    }
    for (int i = 0; i < n_arrivals; i++)
        n += arrivals_us[i] >= quota_end_us - QUOTA_US + US_PER_S && arrivals_us[i] < quota_end_us;
    CHECK_INT(n_refused, 0);
    CHECK(n >= 180, "%d of 200 used", n);
    printf("     %d of 200 used, %d refused\n", n, n_refused);
}

static void metrics_count_outcomes(void)
{
    OWN_BUF struct buf text = { 0 };

    buf_init(&text, 1 << 20);
    metrics_write(&text);
    CHECK(strstr(buf_text(&text), "connector_calls_total{peer=\"tiktok\",operation=\"get_order\","
                                  "outcome=\"busy\"}") != NULL,
          "counter");
    CHECK(strstr(buf_text(&text), "connector_call_seconds") != NULL, "histogram");
    CHECK(strstr(buf_text(&text), "shop-") == NULL, "no shop in a label");
}

int main(void)
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
    CASE(tiktok_request);
    CASE(tiktok_get_and_empty_post);
    CASE(tiktok_multipart);
    CASE(tiktok_outcomes);
    CASE(token_is_renewed_once);
    CASE(cipher_is_reloaded_once);
    CASE(refusals_pause_the_operation_only);
    CASE(breaker_opens_for_one_shop);
    CASE(unrecorded_writes_are_not_sent);
    CASE(stopped_writes_stay_open);
    CASE(clock_is_corrected_once);
    CASE(vtex_request);
    CASE(vtex_outcomes);
    CASE(vtex_refusals_pause_the_account);
    CASE(token_calls);
    CASE(quota_is_used_without_a_refusal);
    CASE(metrics_count_outcomes);
    platform_free(platform);
    fetch_free(engine);
    peer_stop(&server);
    return CHECK_END();
}
