/* test_rest.c - the REST and OAuth handlers behind the real listener, on a real database. */
#include "check.h"
#include "fresh.h"

#include "app.h"
#include "clock.h"
#include "db_account.h"
#include "db_grant.h"
#include "db_oauth.h"
#include "db_run.h"
#include "fetch.h"
#include "handlers.h"
#include "jspec.h"
#include "str.h"

#define H "/v1/clients/loja-exemplo"

static struct fresh F;
static struct app A;
static struct fetch *NET;
static struct http_server *HTTP;
static struct fetch_reply R; /* the last answer */
static json_t *J;            /* its body when it is JSON */

/* One request; extra headers end with NULL. The answer is in R and J, the status is returned. */
static int ask(const char *method, const char *path, const char *token, const char *body,
               const char *h1, const char *h2)
{
    char url[4096];
    char auth[128];
    struct fetch_req req = { .method = method, .url = url, .policy = FETCH_PLATFORM };
    struct err e = { 0 };

    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d%s", http_server_port(HTTP), path);
    (void)snprintf(auth, sizeof auth, "Authorization: Bearer %s", token ? token : "");
    if (token != NULL)
        req.headers[req.n_headers++] = auth;
    if (h1 != NULL)
        req.headers[req.n_headers++] = h1;
    if (h2 != NULL)
        req.headers[req.n_headers++] = h2;
    if (body != NULL) {
        req.headers[req.n_headers++] = "Content-Type: application/json";
        req.body = body;
        req.body_len = strlen(body);
    }
    fetch_reply_done(&R);
    memset(&R, 0, sizeof R);
    json_decref(J);
    J = NULL;
    if (fetch_run(NET, &req, &R, &e) != RC_OK) {
        printf("  %s %s: %s\n", method, path, e.text);
        return -1;
    }
    (void)jspec_parse(R.body.data, R.body.len, 0, &J, NULL);
    return R.status;
}

static int get(const char *path)
{
    return ask("GET", path, "reader-token", NULL, NULL, NULL);
}

static const char *body_text(void)
{
    return buf_text(&R.body);
}

static const char *FULL =
    "{\"name\":\"Loja Exemplo\",\"tik_tok_shop_feed_link\":\"https://loja.example/feed.xml\","
    "\"vtex\":{\"account\":\"lojaexemplo\",\"app_key\":\"key-1\",\"app_token\":\"token-1\","
    "\"sales_channel\":\"3\",\"affiliate_id\":\"TTK\",\"warehouse_ids\":[\"1_1\"]}}";

static void access_by_scope(void)
{
    CHECK_INT(ask("GET", "/v1/clients", NULL, NULL, NULL, NULL), 401);
    CHECK_INT(ask("GET", "/v1/clients", "wrong", NULL, NULL, NULL), 401);
    CHECK_INT(ask("PUT", H, "reader-token", FULL, NULL, NULL), 403);
    CHECK_INT(get("/v1/clients"), 200);
    CHECK_INT(get("/v1/clients/unknown-client"), 404);
    CHECK_INT(get("/v1/clients/*"), 404);
    CHECK_INT(get("/v1/clients/unknown-client/products"), 404);
}

static void client_is_made_and_shown(void)
{
    char etag[64];

    CHECK_INT(ask("PUT", H, "admin-token", FULL, NULL, NULL), 201);
    CHECK_STR(jspec_text(J, "vtex.app_key"), "***");
    CHECK_STR(jspec_text(J, "vtex.app_token"), "***");
    CHECK(strlen(jspec_text(J, "vtex.hook_secret")) >= 16, "made and shown once");
    CHECK_STR(jspec_text(J, "policies.price.source"), "vtex");
    CHECK_STR(jspec_text(J, "policies.package.weight_kg"), "0.300");
    CHECK_STR(jspec_text(J, "status"), "active");
    CHECK(fetch_reply_header(&R, "etag", etag, sizeof etag));
    CHECK_STR(etag, "\"1\"");
    CHECK_INT(get(H), 200);
    CHECK_STR(jspec_text(J, "vtex.hook_secret"), "***");
    CHECK_STR(jspec_text(J, "vtex.affiliate_id"), "TTK");
    CHECK(strstr(body_text(), "key-1") == NULL && strstr(body_text(), "token-1") == NULL);
    CHECK_INT(get("/v1/clients?limit=1"), 200);
    CHECK_INT(json_array_size(jspec_get(J, "items")), 1);
}

static void secrets_are_sealed_and_open_again(void)
{
    struct db_tx *tx = NULL;
    struct err e = { 0 };
    char *key = NULL, *token = NULL, *hook = NULL;

    CHECK_INT(fresh_count(A.web_db, "SELECT count(*) AS n FROM clients WHERE position("
                                    "'token-1'::bytea IN vtex_credentials) = 0"),
              1);
    CHECK_INT(db_tx_begin(A.web_db, "test", "loja-exemplo", &tx, &e), RC_OK);
    CHECK_INT(db_client_vtex_credentials(tx, "loja-exemplo", &key, &token, &e), RC_OK);
    CHECK_STR(key, "key-1");
    CHECK_STR(token, "token-1");
    CHECK_INT(db_client_hook_secret(tx, "loja-exemplo", &hook, &e), RC_OK);
    CHECK(hook != NULL && strlen(hook) >= 16);
    db_tx_free(tx);
    free(key);
    free(token);
    free(hook);
}

static void wrong_fields_are_named(void)
{
    static const struct {
        const char *body;
        const char *field;
    } CASES[] = {
        { "{\"name\":\"x\",\"colour\":1}", "colour" },
        { "{}", "name" },
        { "{\"name\":\"\"}", "name" },
        { "{\"name\":\"x\",\"vtex\":{\"account\":\"Loja.Exemplo\"}}", "vtex.account" },
        { "{\"name\":\"x\",\"vtex\":{\"account\":\"loja\",\"app_key\":\"k\"}}", "vtex.app_token" },
        { "{\"name\":\"x\",\"vtex\":{\"account\":\"loja\",\"app_key\":\"***\",\"app_token\":\"***\"}}",
          "vtex.app_key" },
        { "{\"name\":\"x\",\"vtex\":{\"account\":\"loja\",\"hook_secret\":\"short\"}}",
          "vtex.hook_secret" },
        { "{\"name\":\"x\",\"tik_tok_shop_feed_link\":\"ftp://loja.example/f\"}",
          "tik_tok_shop_feed_link" },
        { "{\"name\":\"x\",\"tik_tok_shop_warehouse_id\":7068517275539719942}",
          "tik_tok_shop_warehouse_id" },
        { "{\"name\":\"x\",\"policies\":{\"stock\":{\"percent\":500}}}", "policies.stock.percent" },
        { "{\"name\":\"x\",\"vtex\":{\"account\":\"loja\",\"affiliate_id\":\"TIK\"}}",
          "vtex.affiliate_id" },
        { "{\"name\":\"x\",\"vtex\":{\"account\":\"loja\",\"affiliate_id\":\"TT\"}}",
          "vtex.affiliate_id" },
        { "{\"name\":\"x\",\"vtex\":{\"account\":\"loja\",\"affiliate_id\":\"TTKS\"}}",
          "vtex.affiliate_id" },
        { "{\"name\":\"x\",\"vtex\":{\"account\":\"loja\",\"affiliate_id\":\"TT1\"}}",
          "vtex.affiliate_id" },
    };

    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        if (i == 8) /* a long number is read as text; the rest of the document is fine */
            continue;
        CHECK_INT(ask("PUT", "/v1/clients/loja-errada", "admin-token", CASES[i].body, NULL, NULL),
                  400);
        CHECK_STR(
            json_string_value(json_object_get(json_array_get(jspec_get(J, "errors"), 0), "field")),
            CASES[i].field);
    }
    CHECK_INT(ask("PUT", "/v1/clients/short", "admin-token", FULL, NULL, NULL), 400);
    CHECK_INT(get("/v1/clients/loja-errada"), 404);
}

static void replace_and_patch(void)
{
    CHECK_INT(ask("PUT", H, "admin-token", FULL, "If-Match: \"9\"", NULL), 412);
    CHECK_INT(ask("PUT", H, "admin-token", FULL, "If-None-Match: *", NULL), 412);
    CHECK_INT(ask("PUT", H, "admin-token", FULL, "If-Match: \"1\"", NULL), 200);
    CHECK_STR(jspec_text(J, "vtex.hook_secret"), "***");
    CHECK_INT(ask("PATCH", H, "admin-token",
                  "{\"name\":\"Loja Nova\",\"policies\":{\"price\":{\"markup_percent\":\"10\"}}}",
                  NULL, NULL),
              200);
    CHECK_STR(jspec_text(J, "name"), "Loja Nova");
    CHECK_STR(jspec_text(J, "policies.price.markup_percent"), "10");
    CHECK_STR(jspec_text(J, "vtex.app_key"), "***");
    CHECK_STR(jspec_text(J, "vtex.sales_channel"), "3");
    CHECK_INT(ask("PATCH", H, "admin-token",
                  "{\"policies\":{\"price\":{\"markup_percent\":null,\"add_amount\":\"1.00\"}},"
                  "\"vtex\":{\"sales_channel\":null}}",
                  NULL, NULL),
              200);
    CHECK_STR(jspec_text(J, "policies.price.markup_percent"), "0");
    CHECK_STR(jspec_text(J, "policies.price.add_amount"), "1.00");
    CHECK_STR(jspec_text(J, "vtex.sales_channel"), "1"); /* the default, shown as every other */
    CHECK_INT(ask("PATCH", H, "admin-token", "{\"name\":null}", NULL, NULL), 400);
    CHECK_INT(ask("PATCH", H, "admin-token", "{\"vtex\":{\"secret\":\"x\"}}", NULL, NULL), 400);
    secrets_are_sealed_and_open_again();
}

/* ---- connecting ----------------------------------------------------------------------------------- */

static char STATE[128], COOKIE[256];

static void parse_redirect(void)
{
    char where[2048] = "", cookie[512] = "";
    const char *state;

    CHECK(fetch_reply_header(&R, "location", where, sizeof where));
    CHECK(str_starts(where, "https://services.example/open/authorize?service_id=7000"), "%s",
          where);
    state = strstr(where, "&state=");
    (void)str_copy(STATE, sizeof STATE, state != NULL ? state + 7 : "");
    CHECK(strlen(STATE) >= 32);
    CHECK(fetch_reply_header(&R, "set-cookie", cookie, sizeof cookie));
    CHECK(strstr(cookie, "HttpOnly") && strstr(cookie, "SameSite=Lax") && !strstr(cookie, "Secure"),
          "%s", cookie);
    (void)snprintf(COOKIE, sizeof COOKIE, "Cookie: %.*s", (int)strcspn(cookie, ";"), cookie);
}

static void begin(void)
{
    CHECK_INT(
        ask("GET", "/tiktok/authorize?client_hash=loja-exemplo", "sync-token", NULL, NULL, NULL),
        302);
    parse_redirect();
}

static int callback(const char *query, const char *cookie)
{
    char path[600];

    (void)snprintf(path, sizeof path, "/tiktok/callback?%s", query);
    return ask("GET", path, NULL, NULL, cookie, NULL);
}

static int64_t exchanges(void)
{
    return fresh_count(A.web_db, "SELECT count(*) AS n FROM oauth_exchanges");
}

static void authorize_wants_a_right(void)
{
    CHECK_INT(ask("GET", "/tiktok/authorize?client_hash=loja-exemplo", NULL, NULL, NULL, NULL),
              401);
    CHECK_INT(
        ask("GET", "/tiktok/authorize?client_hash=loja-exemplo", "reader-token", NULL, NULL, NULL),
        401);
    CHECK_INT(
        ask("GET", "/tiktok/authorize?client_hash=unknown-client", "sync-token", NULL, NULL, NULL),
        404);
    CHECK_INT(
        ask("GET", "/tiktok/authorize?client_hash=loja-exemplo&link=00ff", NULL, NULL, NULL, NULL),
        403);
}

static void signed_link_works_without_account(void)
{
    const char *url;
    char path[1024] = "", fine[1024] = "";
    char *digit;

    CHECK_INT(ask("POST", H "/authorization-link", "sync-token", NULL, NULL, NULL), 200);
    url = jspec_text(J, "url");
    CHECK(url != NULL && str_starts(url, "http://connector.example/tiktok/authorize?"), "%s", url);
    CHECK(jspec_text(J, "expires_at") != NULL);
    (void)str_copy(path, sizeof path, url + strlen("http://connector.example"));
    CHECK_INT(ask("GET", path, NULL, NULL, NULL, NULL), 302);
    parse_redirect();
    (void)str_copy(fine, sizeof fine, path);
    digit = path + strlen(path) - 1;
    *digit = *digit == '0' ? '1' : '0';
    CHECK_INT(ask("GET", path, NULL, NULL, NULL, NULL), 403);
    (void)str_copy(path, sizeof path, fine);
    clock_shift_us((DB_OAUTH_LINK_S + 60) * US_PER_S);
    CHECK_INT(ask("GET", path, NULL, NULL, NULL, NULL), 403);
    clock_shift_us(0);
    CHECK_INT(ask("GET", path, NULL, NULL, NULL, NULL), 302);
}

static void bad_states_make_no_exchange(void)
{
    char query[300], wrong[300];

    begin();
    (void)snprintf(query, sizeof query, "code=TTP_abc&state=%s", STATE);
    CHECK_INT(callback("code=TTP_abc", COOKIE), 400);
    CHECK_INT(callback("code=TTP_abc&state=", COOKIE), 400);
    CHECK_INT(callback("code=TTP_abc&state=never-made", COOKIE), 400);
    CHECK_INT(callback(query, NULL), 400);
    (void)snprintf(wrong, sizeof wrong, "%.*s=another-browser", (int)strcspn(COOKIE, "="), COOKIE);
    CHECK_INT(callback(query, wrong), 400);
    fresh_sql(A.web_db, "UPDATE oauth_states SET expires_at = now() - interval '1 second'");
    CHECK_INT(callback(query, COOKIE), 400);
    CHECK_INT(exchanges(), 0);
    CHECK(strstr(body_text(), "TTP_abc") == NULL, "the page does not repeat the code");
}

static void refusal_says_so(void)
{
    static const char *const QUERIES[] = { "code=null&error=auth_denied&state=%s", "state=%s",
                                           "code=&state=%s",
                                           "code=x&error=access_denied&state=%s" };

    for (size_t i = 0; i < 4; i++) {
        char query[300];
        const char *percent = strstr(QUERIES[i], "%s");

        begin();
        (void)snprintf(query, sizeof query, "%.*s%s", (int)(percent - QUERIES[i]), QUERIES[i],
                       STATE);
        CHECK_INT(callback(query, COOKIE), 200);
        CHECK(strstr(body_text(), "recusada") != NULL);
        CHECK_INT(callback(query, COOKIE), 400);
    }
    CHECK_INT(exchanges(), 0);
}

static void code_is_kept_sealed_with_its_job(void)
{
    char query[300], where[256] = "";

    begin();
    (void)snprintf(query, sizeof query, "code=TTP_secret-code&state=%s", STATE);
    CHECK_INT(callback(query, COOKIE), 303);
    CHECK(fetch_reply_header(&R, "location", where, sizeof where));
    CHECK(str_starts(where, "/tiktok/connection/"), "%s", where);
    CHECK_INT(fresh_count(A.web_db, "SELECT count(*) AS n FROM oauth_exchanges x JOIN jobs j"
                                    " ON j.entity = x.exchange_id AND j.kind = 'oauth_exchange'"
                                    " AND j.shop_id = 'c:loja-exemplo'"
                                    " WHERE position('TTP_secret-code'::bytea IN x.code) = 0"),
              1);
    CHECK_INT(callback(query, COOKIE), 400);
    CHECK_INT(exchanges(), 1);
    CHECK_INT(ask("GET", where, NULL, NULL, NULL, NULL), 200);
    CHECK(strstr(body_text(), "http-equiv=\"refresh\"") != NULL);
    CHECK(strstr(body_text(), "<title>Conectando") != NULL);
    CHECK(strstr(body_text(), "Connecting") != NULL, "the other language stands below");
    CHECK_INT(ask("GET", where, NULL, NULL, "Accept-Language: en-GB,en;q=0.9", NULL), 200);
    CHECK(strstr(body_text(), "<title>Connecting") != NULL);
    fresh_sql(A.web_db, "UPDATE oauth_exchanges SET status = 'failed', code = NULL,"
                        " problem = '{\"code\":\"shop_taken\",\"detail\":\"x\"}'");
    CHECK_INT(ask("GET", where, NULL, NULL, NULL, NULL), 200);
    CHECK(strstr(body_text(), "outro cliente") != NULL);
    CHECK(strstr(body_text(), "http-equiv=\"refresh\"") == NULL);
    CHECK_INT(ask("GET", "/tiktok/connection/never-made", NULL, NULL, NULL, NULL), 404);
}

/* ---- shops, triggers, runs ------------------------------------------------------------------------ */

static void connect_shop(const char *client_id, const char *shop_id)
{
    struct db_tx *tx = NULL;
    struct err e = { 0 };
    struct grant_tokens t = { .open_id = "open-1",
                              .access_token = "access-1",
                              .refresh_token = "refresh-1",
                              .expires_us = clock_now_us() + 7 * 86400 * US_PER_S,
                              .ends_us = clock_now_us() + 300 * 86400 * US_PER_S };
    struct shop_listed s = {
        .shop_id = shop_id, .name = "Loja <Exemplo>", .region = "BR", .cipher = "ROW_cipher"
    };

    CHECK_INT(db_tx_begin(A.web_db, "test", client_id, &tx, &e), RC_OK);
    CHECK_INT(db_grant_connect(tx, client_id, &t, &e), RC_OK);
    CHECK_INT(db_shop_connect(tx, client_id, "open-1", &s, &e), RC_OK);
    CHECK_INT(db_tx_commit(tx, &e), RC_OK);
    db_tx_free(tx);
}

static void triggers_open_runs(void)
{
    char first[64], where[128] = "";

    CHECK_INT(ask("POST", H "/sync/products", "sync-token", NULL, NULL, NULL), 409);
    CHECK_STR(jspec_text(J, "code"), "no_connected_shop");
    connect_shop("loja-exemplo", "7494049642642441621");
    CHECK_INT(ask("POST", H "/sync/products", "reader-token", NULL, NULL, NULL), 403);
    CHECK_INT(ask("POST", H "/sync/nothing", "sync-token", NULL, NULL, NULL), 404);
    CHECK_INT(ask("POST", H "/sync/products", "sync-token", "{\"link\":\"x\"}", NULL, NULL), 400);
    CHECK_INT(ask("POST", H "/sync/products?dry=true", "sync-token", NULL, NULL, NULL), 400);
    CHECK_INT(ask("POST", H "/sync/products", "sync-token", NULL, NULL, NULL), 202);
    (void)str_copy(first, sizeof first, jspec_text(J, "run_id"));
    CHECK(fetch_reply_header(&R, "location", where, sizeof where));
    CHECK_INT(get(where), 200);
    CHECK_STR(jspec_text(J, "status"), "queued");
    CHECK_STR(jspec_text(J, "kind"), "products");
    CHECK_STR(jspec_text(J, "requested_by"), "token:sync");
    CHECK_INT(ask("POST", H "/sync/products", "sync-token", NULL, NULL, NULL), 202);
    CHECK_STR(jspec_text(J, "run_id"), first);
    CHECK_INT(ask("POST", H "/sync/products", "sync-token",
                  "{\"url\":\"https://loja.example/other.xml\"}", NULL, NULL),
              202);
    CHECK(!str_eq(jspec_text(J, "run_id"), first));
    CHECK_INT(get(where), 200);
    CHECK_STR(jspec_text(J, "status"), "cancelled");
    CHECK_STR(jspec_text(J, "problem.code"), "superseded");
    CHECK_INT(ask("POST", H "/sync/products?dry_run=true", "sync-token", NULL, NULL, NULL), 202);
    CHECK(!str_eq(jspec_text(J, "run_id"), first));
    CHECK_INT(ask("POST", H "/sync/orders", "sync-token",
                  "{\"order_ids\":[\"576461413038785752\"]}", NULL, NULL),
              202);
    CHECK_INT(ask("POST", H "/sync/orders", "sync-token", "{\"order_ids\":[\"x\"]}", NULL, NULL),
              400);
    CHECK_INT(fresh_count(A.web_db, "SELECT count(*) AS n FROM jobs WHERE kind IN"
                                    " ('feed_read', 'order_poll') AND run_id IS NOT NULL"),
              3);
    CHECK_INT(get(H "/runs?limit=2"), 200);
    CHECK_INT(json_array_size(jspec_get(J, "items")), 2);
    CHECK(fetch_reply_header(&R, "link", where, sizeof where));
    CHECK(strstr(where, "rel=\"next\"") != NULL);
    CHECK_INT(get("/v1/runs/none"), 404);
}

static void the_same_key_gives_the_first_run(void)
{
    static const char PERIOD[] = "{\"from\":\"2026-02-01T00:00:00Z\"}";
    char first[64], path[120];

    CHECK_INT(ask("POST", H "/sync/orders", "sync-token", PERIOD, "Idempotency-Key: k-1", NULL),
              202);
    (void)str_copy(first, sizeof first, jspec_text(J, "run_id"));
    (void)snprintf(path, sizeof path, "/v1/runs/%s/cancel", first);
    CHECK_INT(ask("POST", path, "sync-token", NULL, NULL, NULL), 200);
    CHECK_INT(ask("POST", H "/sync/orders", "sync-token", PERIOD, "Idempotency-Key: k-1", NULL),
              202);
    CHECK_STR(jspec_text(J, "run_id"), first);
    CHECK_INT(ask("POST", H "/sync/orders", "sync-token", NULL, "Idempotency-Key: k-1", NULL), 422);
    CHECK_INT(ask("POST", H "/sync/orders", "sync-token", PERIOD, NULL, NULL), 202);
    CHECK(!str_eq(jspec_text(J, "run_id"), first));
}

static void waiting_for_a_run(void)
{
    int64_t begun = clock_mono_us();

    CHECK_INT(ask("POST", H "/sync/products", "sync-token", NULL, "Prefer: wait=1", NULL), 202);
    CHECK(clock_mono_us() - begun >= 900 * US_PER_MS);
    fresh_sql(A.web_db, "UPDATE sync_runs SET status = 'running', read_done = true"
                        " WHERE kind = 'products' AND NOT dry_run");
    CHECK_INT(ask("POST", H "/sync/products", "sync-token", NULL, NULL, NULL), 202);
    fresh_sql(A.web_db, "UPDATE sync_runs SET status = 'succeeded', finished_at = now()"
                        " WHERE kind = 'products' AND NOT dry_run AND status = 'running'");
}

static void runs_end_by_counting(void)
{
    struct db_tx *tx = NULL;
    struct err e = { 0 };
    char id[40];
    struct run_delta two = { .total = 2 }, good = { .done = 1, .created = 1 },
                     bad = { .done = 1, .failed = 1 };
    char path[80];

    CHECK_INT(db_tx_begin(A.web_db, "test", "loja-exemplo", &tx, &e), RC_OK);
    CHECK_INT(db_run_new(tx, "loja-exemplo", "7494049642642441621", "products", false, "live", NULL,
                         "test", id, &e),
              RC_OK);
    CHECK_INT(db_run_start(tx, "loja-exemplo", id, &e), RC_OK);
    CHECK_INT(db_run_progress(tx, "loja-exemplo", id, &two, &e), RC_OK);
    CHECK_INT(db_run_progress(tx, "loja-exemplo", id, &good, &e), RC_OK);
    CHECK_INT(db_run_progress(tx, "loja-exemplo", id, &bad, &e), RC_OK);
    CHECK_INT(db_run_change(tx, "loja-exemplo", id, "product", "G-1", NULL, "title", "a", "b",
                            "update", "accepted", &e),
              RC_OK);
    CHECK_INT(db_tx_commit(tx, &e), RC_OK);
    db_tx_free(tx);
    (void)snprintf(path, sizeof path, "/v1/runs/%s", id);
    CHECK_INT(get(path), 200);
    CHECK_STR(jspec_text(J, "status"), "running");
    CHECK_INT(db_tx_begin(A.web_db, "test", "loja-exemplo", &tx, &e), RC_OK);
    CHECK_INT(db_run_read_done(tx, "loja-exemplo", id, &e), RC_OK);
    CHECK_INT(db_tx_commit(tx, &e), RC_OK);
    db_tx_free(tx);
    CHECK_INT(get(path), 200);
    CHECK_STR(jspec_text(J, "status"), "partial");
    CHECK_INT(jspec_int(J, "progress.created", -1), 1);
    CHECK(jspec_text(J, "finished_at") != NULL);
    (void)snprintf(path, sizeof path, "/v1/runs/%s/changes", id);
    CHECK_INT(get(path), 200);
    CHECK_INT(json_array_size(jspec_get(J, "items")), 1);
    (void)snprintf(path, sizeof path, "/v1/runs/%s/cancel", id);
    CHECK_INT(ask("POST", path, "sync-token", NULL, NULL, NULL), 409);
}

static void cancel_drops_its_work(void)
{
    char path[80];

    CHECK_INT(ask("POST", H "/sync/orders", "sync-token", "{\"from\":\"2026-01-01T00:00:00Z\"}",
                  NULL, NULL),
              202);
    (void)snprintf(path, sizeof path, "/v1/runs/%s/cancel", jspec_text(J, "run_id"));
    CHECK_INT(ask("POST", path, "sync-token", NULL, NULL, NULL), 200);
    CHECK_STR(jspec_text(J, "status"), "cancelled");
    CHECK_INT(fresh_count(A.web_db, "SELECT count(*) AS n FROM jobs j JOIN sync_runs r ON r.id ="
                                    " j.run_id WHERE r.status = 'cancelled'"),
              0);
}

static void lists_answer(void)
{
    static const char *const PATHS[] = {
        H "/products",
        H "/products?status=live&q=camisa",
        H "/orders",
        H "/orders?state=authorized",
        H "/unlinked-skus",
        H "/taxonomy",
        H "/jobs",
        H "/jobs?state=parked",
        H "/events",
        H "/events?topic=1",
        H "/logs/product",
        H "/logs/price",
        H "/logs/stock",
        H "/logs/order",
        H "/runs?kind=products&status=queued",
        "/v1/jobs",
        "/v1/jobs?client_hash=loja-exemplo",
    };

    for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++) {
        CHECK(get(PATHS[i]) == 200, "%s: %d %s", PATHS[i], R.status, body_text());
        CHECK(json_is_array(jspec_get(J, "items")), "%s", PATHS[i]);
    }
    CHECK_INT(get(H "/products?state=live"), 400);
    CHECK_INT(get(H "/products?status=nice"), 400);
    CHECK_INT(get(H "/orders?limit=201"), 400);
    CHECK_INT(get(H "/orders?limit=0"), 400);
    CHECK_INT(get(H "/events?cursor=x"), 400);
    CHECK_INT(get(H "/logs/other"), 404);
    CHECK_INT(get(H "/products/none"), 404);
    CHECK_INT(get(H "/orders/1"), 404);
    CHECK_INT(get(H "/skus/none/explain"), 404);
    CHECK_INT(get(H "/audit"), 403);
    CHECK_INT(ask("GET", H "/audit", "admin-token", NULL, NULL, NULL), 200);
    CHECK(json_array_size(jspec_get(J, "items")) > 3);
}

static void taxonomy_is_written(void)
{
    CHECK_INT(
        ask("PUT", H "/taxonomy/Roupas", "sync-token",
            "{\"tiktok_category_id\":\"601226\",\"attributes\":{\"100107\":{\"value_id\":\"1\"}}}",
            NULL, NULL),
        200);
    CHECK_INT(ask("PUT", H "/taxonomy", "sync-token",
                  "{\"source_category\":\"Casa/Mesa\",\"tiktok_category_id\":\"600001\"}", NULL,
                  NULL),
              200);
    CHECK_INT(get(H "/taxonomy/Roupas"), 200);
    CHECK_STR(jspec_text(J, "chosen_by"), "mapping");
    CHECK_INT(get(H "/taxonomy?limit=1"), 200);
    CHECK_STR(jspec_text(J, "next"), "Casa/Mesa");
    CHECK_INT(get(H "/taxonomy?limit=1&cursor=Casa%2FMesa"), 200);
    CHECK_INT(
        ask("PUT", H "/taxonomy", "sync-token", "{\"tiktok_category_id\":\"600001\"}", NULL, NULL),
        400);
    CHECK_INT(ask("PUT", H "/taxonomy/Roupas", "sync-token", "{\"tiktok_category_id\":\"abc\"}",
                  NULL, NULL),
              400);
    CHECK_INT(ask("PUT", H "/taxonomy/Roupas", "sync-token",
                  "{\"tiktok_category_id\":\"1\",\"attributes\":{\"x\":{}}}", NULL, NULL),
              400);
}

static void orders_and_jobs_are_asked_for(void)
{
    char path[120];
    const json_t *items;
    char id[40] = "";

    CHECK_INT(ask("POST", H "/orders/576461413038785752/resync", "sync-token", NULL, NULL, NULL),
              404);
    CHECK_INT(
        ask("POST", H "/orders/576461413038785752/import", "sync-token", "{\"a\":1}", NULL, NULL),
        400);
    CHECK_INT(ask("POST", H "/orders/576461413038785752/import", "sync-token", NULL, NULL, NULL),
              202);
    CHECK_INT(get("/v1/jobs?kind=order_import&client_hash=loja-exemplo"), 200);
    items = jspec_get(J, "items");
    CHECK_INT(json_array_size(items), 1);
    CHECK_STR(jspec_text(json_array_get(items, 0), "entity"), "576461413038785752");
    (void)str_copy(id, sizeof id, jspec_text(json_array_get(items, 0), "id"));
    (void)snprintf(path, sizeof path, "/v1/jobs/%s/retry", id);
    CHECK_INT(ask("POST", path, "sync-token", NULL, NULL, NULL), 202);
    CHECK_INT(
        ask("POST", "/v1/jobs/retry", "sync-token", "{\"kind\":\"order_import\"}", NULL, NULL),
        202);
    (void)snprintf(path, sizeof path, "/v1/jobs/%s/cancel", id);
    CHECK_INT(ask("POST", path, "sync-token", NULL, NULL, NULL), 204);
    CHECK_INT(ask("POST", path, "sync-token", NULL, NULL, NULL), 404);
    CHECK_INT(ask("POST", "/v1/jobs/99999999/retry", "sync-token", NULL, NULL, NULL), 404);
}

static void events_are_replayed(void)
{
    char path[120];

    fresh_sql(A.web_db, "INSERT INTO events (shop_id, source, key, topic, entity, body) VALUES"
                        " ('7494049642642441621', 'tiktok', 'n-1', 1, '576461413038785799', '{}'),"
                        " ('7494049642642441621', 'tiktok', 'n-2', 13, '', '{}'),"
                        " ('700000000', 'tiktok', 'n-3', 1, '1', '{}')");
    CHECK_INT(get(H "/events"), 200);
    CHECK_INT(json_array_size(jspec_get(J, "items")), 2);
    (void)snprintf(path, sizeof path, H "/events/%s/replay",
                   jspec_text(json_array_get(jspec_get(J, "items"), 1), "id"));
    CHECK_INT(ask("POST", path, "sync-token", NULL, NULL, NULL), 202);
    CHECK_INT(fresh_count(A.web_db, "SELECT count(*) AS n FROM jobs WHERE kind = 'order_import'"
                                    " AND entity = '576461413038785799'"),
              1);
    CHECK_INT(get(H "/events"), 200);
    (void)snprintf(path, sizeof path, H "/events/%s/replay",
                   jspec_text(json_array_get(jspec_get(J, "items"), 0), "id"));
    CHECK_INT(ask("POST", path, "sync-token", NULL, NULL, NULL), 409);
    CHECK_INT(ask("POST", H "/events/999999/replay", "sync-token", NULL, NULL, NULL), 404);
}

static void one_client_does_not_reach_another(void)
{
    CHECK_INT(
        ask("PUT", "/v1/clients/outra-loja", "admin-token", "{\"name\":\"Outra\"}", NULL, NULL),
        201);
    CHECK_STR(jspec_text(J, "policies.price.source"), "feed");
    CHECK(json_is_null(jspec_get(J, "vtex")));
    CHECK_INT(get("/v1/clients/outra-loja/shops"), 200);
    CHECK_INT(json_array_size(jspec_get(J, "items")), 0);
    CHECK_INT(get("/v1/clients/outra-loja/taxonomy/Roupas"), 404);
    CHECK_INT(ask("DELETE", "/v1/clients/outra-loja/shops/7494049642642441621", "admin-token", NULL,
                  NULL, NULL),
              404);
    CHECK_INT(
        ask("GET", "/tiktok/authorize?client_hash=outra-loja&link=00", NULL, NULL, NULL, NULL),
        403);
}

static void shop_is_shown_and_disconnected(void)
{
    CHECK_INT(get(H "/shops"), 200);
    CHECK_STR(jspec_text(json_array_get(jspec_get(J, "items"), 0), "status"), "connected");
    CHECK(strstr(body_text(), "access-1") == NULL && strstr(body_text(), "ROW_cipher") == NULL);
    CHECK_INT(ask("DELETE", H "/shops/7494049642642441621", "sync-token", NULL, NULL, NULL), 403);
    CHECK_INT(ask("DELETE", H "/shops/7494049642642441621", "admin-token", NULL, NULL, NULL), 204);
    CHECK_INT(get(H "/shops"), 200);
    CHECK_STR(jspec_text(json_array_get(jspec_get(J, "items"), 0), "status"), "disconnected");
    CHECK_INT(fresh_count(A.web_db, "SELECT (SELECT count(*) FROM tiktok_tokens) +"
                                    " (SELECT count(*) FROM tiktok_auth_tokens WHERE"
                                    " refresh_token IS NOT NULL) + (SELECT count(*) FROM shops"
                                    " WHERE cipher IS NOT NULL) AS n"),
              0);
    CHECK_INT(ask("POST", H "/sync/products", "sync-token", NULL, NULL, NULL), 409);
    connect_shop("loja-exemplo", "7494049642642441621");
    CHECK_INT(fresh_count(A.web_db, "SELECT count(*) AS n FROM shop_schedule"
                                    " WHERE paused_reason IS NOT NULL"),
              0);
}

static void deactivated_client_stands_still(void)
{
    CHECK_INT(ask("POST", H "/sync/products", "sync-token", NULL, NULL, NULL), 202);
    CHECK_INT(ask("DELETE", H, "admin-token", NULL, NULL, NULL), 204);
    CHECK_INT(get(H), 200);
    CHECK_STR(jspec_text(J, "status"), "inactive");
    CHECK_INT(fresh_count(A.web_db, "SELECT count(*) AS n FROM jobs WHERE state = 'ready'"
                                    " AND client_id = 'loja-exemplo'"),
              0);
    CHECK_INT(ask("POST", H "/sync/products", "sync-token", NULL, NULL, NULL), 409);
    CHECK_INT(ask("PATCH", H, "admin-token", "{\"name\":\"x\"}", NULL, NULL), 409);
    CHECK_INT(
        ask("GET", "/tiktok/authorize?client_hash=loja-exemplo", "sync-token", NULL, NULL, NULL),
        409);
    CHECK_INT(ask("PUT", H, "admin-token", FULL, NULL, NULL), 200);
    CHECK_STR(jspec_text(J, "status"), "active");
    CHECK(fresh_count(A.web_db, "SELECT count(*) AS n FROM jobs WHERE state = 'ready'"
                                " AND client_id = 'loja-exemplo'") > 0);
    CHECK_INT(fresh_count(A.web_db, "SELECT count(*) AS n FROM shop_schedule"
                                    " WHERE paused_reason IS NOT NULL"),
              0);
}

static void token(int i, const char *name, enum cfg_scope scope, const char *text)
{
    A.cfg.tokens[i].name = (char *)(uintptr_t)name;
    A.cfg.tokens[i].scope = scope;
    sign_sha256(text, strlen(text), A.cfg.tokens[i].digest);
    A.cfg.n_tokens = i + 1;
}

int main(void)
{
    struct err e = { 0 };
    struct http_server_cfg cfg = {
        .name = "public", .address = "127.0.0.1:0", .user = &A, .pool_threads = 2
    };

    fresh_open(&F, "rest", true);
    token(0, "reader", CFG_SCOPE_READ, "reader-token");
    token(1, "sync", CFG_SCOPE_SYNC, "sync-token");
    token(2, "admin", CFG_SCOPE_ADMIN, "admin-token");
    A.cfg.public_url = (char *)(uintptr_t) "http://connector.example";
    A.cfg.tiktok_authorize_url = (char *)(uintptr_t) "https://services.example/open/authorize";
    A.cfg.tiktok_service_id = (char *)(uintptr_t) "7000";
    cfg.routes = ROUTES;
    cfg.n_routes = ROUTES_COUNT;
    cfg.tokens = A.cfg.tokens;
    cfg.n_tokens = A.cfg.n_tokens;
    if (db_pool_new(F.url, 3, 2000, F.ring, &A.web_db, &e) != RC_OK ||
        fetch_new(true, &NET, &e) != RC_OK || http_server_new(&cfg, &HTTP, &e) != RC_OK) {
        printf("set-up: %s\n", e.text);
        return 1;
    }
    CASE(access_by_scope);
    CASE(client_is_made_and_shown);
    CASE(secrets_are_sealed_and_open_again);
    CASE(wrong_fields_are_named);
    CASE(replace_and_patch);
    CASE(authorize_wants_a_right);
    CASE(signed_link_works_without_account);
    CASE(bad_states_make_no_exchange);
    CASE(refusal_says_so);
    CASE(code_is_kept_sealed_with_its_job);
    CASE(triggers_open_runs);
    CASE(the_same_key_gives_the_first_run);
    CASE(waiting_for_a_run);
    CASE(runs_end_by_counting);
    CASE(cancel_drops_its_work);
    CASE(lists_answer);
    CASE(taxonomy_is_written);
    CASE(orders_and_jobs_are_asked_for);
    CASE(events_are_replayed);
    CASE(one_client_does_not_reach_another);
    CASE(shop_is_shown_and_disconnected);
    CASE(deactivated_client_stands_still);
    http_server_stop(HTTP, 1000);
    fetch_reply_done(&R);
    json_decref(J);
    fetch_free(NET);
    db_pool_free(A.web_db);
    fresh_close(&F);
    return CHECK_END();
}
