/* rest_rig.h - what tests of the REST interface share: the real routes on a real database. */
#ifndef REST_RIG_H
#define REST_RIG_H

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
static inline int ask(const char *method, const char *path, const char *token, const char *body,
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

static inline int get(const char *path)
{
    return ask("GET", path, "reader-token", NULL, NULL, NULL);
}

static inline const char *body_text(void)
{
    return buf_text(&R.body);
}

/* ---- connecting ----------------------------------------------------------------------------------- */

static char STATE[128], COOKIE[256];

static inline void parse_redirect(void)
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

static inline void begin(void)
{
    CHECK_INT(
        ask("GET", "/tiktok/authorize?client_hash=loja-exemplo", "sync-token", NULL, NULL, NULL),
        302);
    parse_redirect();
}

static inline int callback(const char *query, const char *cookie)
{
    char path[600];

    (void)snprintf(path, sizeof path, "/tiktok/callback?%s", query);
    return ask("GET", path, NULL, NULL, cookie, NULL);
}

static inline int64_t exchanges(void)
{
    return fresh_count(A.web_db, "SELECT count(*) AS n FROM oauth_exchanges");
}

/* ---- shops, triggers, runs ------------------------------------------------------------------------ */

static inline void connect_shop(const char *client_id, const char *shop_id)
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

static inline void token(int i, const char *name, enum cfg_scope scope, const char *text)
{
    A.cfg.tokens[i].name = (char *)(uintptr_t)name;
    A.cfg.tokens[i].scope = scope;
    sign_sha256(text, strlen(text), A.cfg.tokens[i].digest);
    A.cfg.n_tokens = i + 1;
}

static const char *const FULL =
    "{\"name\":\"Loja Exemplo\",\"tik_tok_shop_feed_link\":\"https://loja.example/feed.xml\","
    "\"vtex\":{\"account\":\"lojaexemplo\",\"app_key\":\"key-1\",\"app_token\":\"token-1\","
    "\"sales_channel\":\"3\",\"affiliate_id\":\"TTK\",\"warehouse_ids\":[\"1_1\"]}}";

/* Sets up, runs the cases, takes down; the exit code. */
static inline int rig_main(void (*cases)(void))
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
    A.cfg.timezone = (char *)(uintptr_t) "America/Sao_Paulo";
    A.cfg.tiktok_service_id = (char *)(uintptr_t) "7000";
    cfg.routes = ROUTES;
    cfg.n_routes = ROUTES_COUNT;
    cfg.pages = DASH_ROUTES;
    cfg.n_pages = DASH_ROUTES_COUNT;
    cfg.session = session_check;
    cfg.tokens = A.cfg.tokens;
    cfg.n_tokens = A.cfg.n_tokens;
    if (db_pool_new(F.url, 3, 2000, F.ring, &A.web_db, &e) != RC_OK ||
        fetch_new(true, &NET, &e) != RC_OK || http_server_new(&cfg, &HTTP, &e) != RC_OK) {
        printf("set-up: %s\n", e.text);
        return 1;
    }
    cases();
    http_server_stop(HTTP, 1000);
    fetch_reply_done(&R);
    json_decref(J);
    fetch_free(NET);
    db_pool_free(A.web_db);
    fresh_close(&F);
    return CHECK_END();
}

#endif
