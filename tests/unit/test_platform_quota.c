/* test_platform_quota.c - pauses, breaker, quotas, open writes, VTEX and the token endpoint. */
#include "call_rig.h"

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

static void cases(void)
{
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
}

int main(void)
{
    return rig_main(cases);
}
