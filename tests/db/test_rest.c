/* test_rest.c - who may do what with clients and their authorization. */
#include "rest_rig.h"

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

static void cases(void)
{
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
}

int main(void)
{
    return rig_main(cases);
}
