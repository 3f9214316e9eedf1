/* test_account.c - grants on a real database with TikTok played by this file: codes become shops, tokens are
 * refreshed by one at a time and kept together, deauthorization wipes, old news changes nothing. */
#include "check.h"
#include "fresh.h"
#include "peer.h"

#include "clock.h"
#include "db_account.h"
#include "db_grant.h"
#include "db_oauth.h"
#include "jspec.h"
#include "str.h"
#include "sync.h"
#include "tiktok_auth.h"

#include "../sync/token.h"

#define CLIENT "loja-exemplo"
#define SHOP "7494049642642441621"
#define OPEN_ID "7010736057180325637"

static struct fresh F;
static struct app A;
static struct peer TIKTOK;
static atomic_bool STOP;

/* What the played TikTok does. */
static struct {
    int user_type;
    bool refuse, cut, no_shops, few_scopes, no_rights;
    const char *shop_id;
    int life_s;
    int delay_ms;
    atomic_int token_calls, refreshes, lists;
    char last_code[64];
    bool cipher_sent, signed_list;
} W;

static void reset(void)
{
    memset(&W, 0, sizeof W);
    W.shop_id = SHOP;
    W.life_s = 7 * 86400;
}

static void answer_tokens(int fd, bool refresh, int n)
{
    char body[2048];
    long long now = clock_now_us() / US_PER_S;

    (void)snprintf(
        body, sizeof body,
        "{\"code\":0,\"message\":\"success\",\"request_id\":\"r\",\"data\":{\"access_token\":"
        "\"access-%s-%d\",\"access_token_expire_in\":%lld,\"refresh_token\":\"refresh-%s-%d\","
        "\"refresh_token_expire_in\":%lld,\"open_id\":\"" OPEN_ID "\",\"seller_name\":\"Loja\","
        "\"seller_base_region\":\"BR\",\"user_type\":%d,\"granted_scopes\":[%s]}}",
        refresh ? "again" : "first", n, now + W.life_s, refresh ? "again" : "first", n,
        now + 300LL * 86400, W.user_type,
        W.few_scopes
            ? "\"seller.shop.info\""
            : "\"seller.authorization.info\",\"seller.shop.info\","
              "\"seller.product.basic\",\"seller.product.write\",\"seller.product.delete\","
              "\"seller.order.info\",\"seller.fulfillment.basic\",\"seller.fulfillment.package.write\","
              "\"seller.logistics\",\"seller.return_refund.basic\"");
    peer_answer(fd, 200, "", body);
}

static bool play(struct peer *p, int fd, const struct peer_request *r)
{
    bool refresh = str_starts(r->target, "/api/v2/token/refresh?");
    const char *code = strstr(r->target, "auth_code=");
    char body[512];

    (void)p;
    if (refresh || str_starts(r->target, "/api/v2/token/get?")) {
        int n = atomic_fetch_add(refresh ? &W.refreshes : &W.token_calls, 1) + 1;

        if (code != NULL)
            (void)snprintf(W.last_code, sizeof W.last_code, "%.*s", (int)strcspn(code + 10, "&"),
                           code + 10);
        if (W.delay_ms > 0)
            (void)usleep((useconds_t)W.delay_ms * 1000);
        if (W.cut)
            return false;
        if (W.refuse)
            peer_answer(fd, 200, "",
                        "{\"code\":36004004,\"message\":\"invalid\",\"request_id\":\"r\"}");
        else
            answer_tokens(fd, refresh, n);
        return true;
    }
    atomic_fetch_add(&W.lists, 1);
    W.cipher_sent = strstr(r->target, "shop_cipher") != NULL;
    W.signed_list = strstr(r->target, "sign=") != NULL && strstr(r->target, "timestamp=") != NULL;
    if (W.no_rights) {
        peer_answer(fd, 200, "", "{\"code\":105005,\"message\":\"scope\",\"request_id\":\"r\"}");
        return true;
    }
    (void)snprintf(
        body, sizeof body,
        "{\"code\":0,\"message\":\"Success\",\"request_id\":\"r\",\"data\":{\"shops\":[%s%s%s]}}",
        W.no_shops ? "" : "{\"id\":\"", W.no_shops ? "" : W.shop_id,
        W.no_shops ? ""
                   : "\",\"name\":\"Loja\",\"region\":\"BR\",\"seller_type\":\"LOCAL\","
                     "\"cipher\":\"ROW_x\",\"code\":\"BRLC1\"}");
    peer_answer(fd, 200, "", body);
    return true;
}

/* ---- jobs ----------------------------------------------------------------------------------------- */

static enum rc run_job(job_fn fn, const char *client, const char *shop, const char *entity,
                       struct err *e)
{
    struct job job = { .id = 1, .lease_token = 7, .attempts = 1, .first_due_us = clock_now_us() };
    struct job_ctx ctx = { .app = &A, .db = A.job_db, .job = &job, .stop = &STOP };

    (void)str_copy(job.client_id, sizeof job.client_id, client);
    (void)str_copy(job.shop_id, sizeof job.shop_id, shop);
    (void)str_copy(job.kind, sizeof job.kind, "test");
    (void)str_copy(job.entity, sizeof job.entity, entity);
    return fn(&ctx, e);
}

static void hold_leases(void)
{
    fresh_sql(A.job_db, "INSERT INTO shop_schedule (shop_id, client_id, lease_token)"
                        " VALUES ('c:" CLIENT "', '" CLIENT "', 7), ('" SHOP "', '" CLIENT "', 7),"
                        " ('c:outra-loja', 'outra-loja', 7)"
                        " ON CONFLICT (shop_id) DO UPDATE SET lease_token = 7");
}

static void new_exchange(const char *client, char id[48])
{
    struct db_tx *tx = NULL;
    struct err e = { 0 };

    CHECK_INT(db_tx_begin(A.job_db, "test", client, &tx, &e), RC_OK);
    CHECK_INT(db_oauth_exchange_put(tx, client, "ROW_code-1", id, &e), RC_OK);
    CHECK_INT(db_tx_commit(tx, &e), RC_OK);
    db_tx_free(tx);
}

static void exchange_is(const char *id, const char *status, const char *code)
{
    struct db_tx *tx = NULL;
    struct err e = { 0 };
    struct exchange x = { 0 };

    CHECK_INT(db_tx_begin(A.job_db, "test", DB_SYSTEM, &tx, &e), RC_OK);
    CHECK_INT(db_oauth_exchange_get(tx, id, &x, &e), RC_OK);
    CHECK_STR(x.status, status);
    if (code != NULL)
        CHECK_STR(jspec_text(x.problem, "code"), code);
    else
        CHECK(json_is_null(x.problem) || x.problem == NULL);
    db_exchange_done(&x);
    db_tx_free(tx);
}

static enum rc exchange(const char *client, char id[48])
{
    struct err e = { 0 };
    char shop[80];
    enum rc rc;

    (void)snprintf(shop, sizeof shop, "c:%s", client);
    rc = run_job(sync_oauth_exchange, client, shop, id, &e);
    if (rc != RC_OK)
        printf("  exchange: %s: %s\n", rc_name(rc), e.text);
    return rc;
}

static void connect_fresh(void)
{
    char id[48] = "";

    reset();
    new_exchange(CLIENT, id);
    CHECK_INT(exchange(CLIENT, id), RC_OK);
    hold_leases();
}

static int64_t version(void)
{
    return fresh_count(A.job_db, "SELECT version AS n FROM tiktok_tokens");
}

/* ---- codes become shops --------------------------------------------------------------------------- */

static void code_becomes_a_shop(void)
{
    char id[48] = "";

    reset();
    new_exchange(CLIENT, id);
    CHECK_INT(exchange(CLIENT, id), RC_OK);
    exchange_is(id, "connected", NULL);
    CHECK_STR(W.last_code, "ROW_code-1");
    CHECK(W.signed_list && !W.cipher_sent, "signed, without a cipher");
    CHECK_INT(fresh_count(A.job_db, "SELECT count(*) AS n FROM shops WHERE status = 'connected'"),
              1);
    CHECK_INT(
        fresh_count(A.job_db, "SELECT count(*) AS n FROM oauth_exchanges WHERE code IS NOT NULL"),
        0);
    CHECK_INT(fresh_count(A.job_db, "SELECT count(*) AS n FROM jobs WHERE kind = 'order_poll'"
                                    " AND shop_id = '" SHOP "'"),
              1);
    CHECK_INT(fresh_count(A.job_db, "SELECT count(*) AS n FROM jobs WHERE kind = 'token_refresh'"
                                    " AND due_at BETWEEN now() + interval '5 days'"
                                    " AND now() + interval '6 days'"),
              1);
    CHECK_INT(fresh_count(A.job_db, "SELECT count(*) AS n FROM tiktok_tokens WHERE"
                                    " position('access-first'::bytea IN access_token) > 0"),
              0);
    CHECK_INT(fresh_count(A.job_db,
                          "SELECT count(*) AS n FROM outbound_calls WHERE outcome = 'ok'"
                          " AND operation IN ('get_access_token', 'get_authorized_shops')"),
              2);
    /* Once more after its end: nothing happens. */
    CHECK_INT(exchange(CLIENT, id), RC_OK);
    CHECK_INT(W.token_calls, 1);
}

static void failures_say_what_to_do(void)
{
    char id[48] = "";

    reset();
    W.refuse = true;
    new_exchange(CLIENT, id);
    CHECK_INT(exchange(CLIENT, id), RC_OK);
    exchange_is(id, "failed", "code_refused");
    reset();
    W.user_type = 1;
    new_exchange(CLIENT, id);
    CHECK_INT(exchange(CLIENT, id), RC_OK);
    exchange_is(id, "failed", "not_a_seller");
    CHECK_INT(W.lists, 0);
    reset();
    W.few_scopes = true;
    new_exchange(CLIENT, id);
    CHECK_INT(exchange(CLIENT, id), RC_OK);
    exchange_is(id, "connected", "scopes_missing");
}

static void a_killed_exchange_asks_to_start_again(void)
{
    char id[48] = "";

    reset();
    new_exchange(CLIENT, id);
    fresh_sql(A.job_db, "UPDATE oauth_exchanges SET code = NULL WHERE status = 'pending'");
    CHECK_INT(exchange(CLIENT, id), RC_OK);
    exchange_is(id, "failed", "interrupted");
    CHECK_INT(W.token_calls, 0);
}

static void an_unanswered_code_is_kept(void)
{
    char id[48] = "";
    struct err e = { 0 };
    enum rc rc;

    reset();
    W.cut = true;
    new_exchange(CLIENT, id);
    rc = run_job(sync_oauth_exchange, CLIENT, "c:" CLIENT, id, &e);
    CHECK(rc == RC_UNSURE || rc == RC_DOWN, "%s", rc_name(rc));
    exchange_is(id, "pending", NULL);
    W.cut = false;
    CHECK_INT(exchange(CLIENT, id), RC_OK);
    exchange_is(id, "connected", NULL);
}

static void a_shop_of_another_client_is_refused(void)
{
    char id[48] = "";

    reset();
    new_exchange("outra-loja", id);
    CHECK_INT(exchange("outra-loja", id), RC_OK);
    exchange_is(id, "failed", "shop_taken");
    CHECK_INT(
        fresh_count(A.job_db, "SELECT count(*) AS n FROM shops WHERE client_id = 'outra-loja'"), 0);
    CHECK_INT(fresh_count(A.job_db, "SELECT count(*) AS n FROM tiktok_auth_tokens WHERE client_id ="
                                    " 'outra-loja' AND refresh_token IS NOT NULL"),
              0);
    reset();
    W.no_shops = true;
    new_exchange("outra-loja", id);
    CHECK_INT(exchange("outra-loja", id), RC_OK);
    exchange_is(id, "failed", "no_shop");
    reset();
    W.no_rights = true;
    new_exchange("outra-loja", id);
    CHECK_INT(exchange("outra-loja", id), RC_OK);
    exchange_is(id, "failed", "not_allowed");
    CHECK_INT(fresh_count(A.job_db, "SELECT count(*) AS n FROM tiktok_tokens WHERE client_id ="
                                    " 'outra-loja'"),
              0);
}

/* ---- refresh -------------------------------------------------------------------------------------- */

struct refresher {
    int64_t seen;
    enum rc rc;
    pthread_t thread;
};

static void *refresh_thread(void *arg)
{
    struct refresher *r = arg;
    struct job job = { .lease_token = 7 };
    struct job_ctx ctx = { .app = &A, .db = A.job_db, .job = &job, .stop = &STOP };
    struct err e = { 0 };

    (void)str_copy(job.client_id, sizeof job.client_id, CLIENT);
    (void)str_copy(job.shop_id, sizeof job.shop_id, "c:" CLIENT);
    r->rc = token_refresh(&ctx, CLIENT, OPEN_ID, r->seen, true, &e);
    return NULL;
}

static void many_refresh_once(void)
{
    struct refresher all[6] = { 0 };

    connect_fresh();
    W.delay_ms = 300;
    for (int i = 0; i < 6; i++) {
        all[i].seen = version();
        CHECK_INT(pthread_create(&all[i].thread, NULL, refresh_thread, &all[i]), 0);
    }
    for (int i = 0; i < 6; i++) {
        (void)pthread_join(all[i].thread, NULL);
        CHECK_INT(all[i].rc, RC_OK);
    }
    CHECK_INT(W.refreshes, 1);
    CHECK(version() > all[0].seen);
}

static void both_tokens_are_kept(void)
{
    struct db_tx *tx = NULL;
    struct err e = { 0 };
    struct grant g = { 0 };

    CHECK_INT(db_tx_begin(A.job_db, "test", CLIENT, &tx, &e), RC_OK);
    CHECK_INT(db_grant_get(tx, CLIENT, OPEN_ID, true, &g, &e), RC_OK);
    CHECK_STR(g.access_token, "access-again-1");
    CHECK_STR(g.refresh_token, "refresh-again-1");
    db_grant_done(&g);
    db_tx_free(tx);
}

static void a_claim_of_the_dead_ends(void)
{
    struct refresher r = { .seen = version() };

    reset();
    fresh_sql(A.job_db,
              "UPDATE tiktok_auth_tokens SET refresh_claimed_until = now() + interval '1 second'");
    (void)refresh_thread(&r);
    CHECK_INT(r.rc, RC_BUSY);
    CHECK_INT(W.refreshes, 0);
    (void)refresh_thread(&r);
    CHECK_INT(r.rc, RC_OK);
    CHECK_INT(W.refreshes, 1);
}

static void the_job_refreshes_when_due(void)
{
    struct err e = { 0 };
    int64_t before;

    connect_fresh();
    CHECK_INT(run_job(sync_token_refresh, CLIENT, "c:" CLIENT, OPEN_ID, &e), RC_OK);
    CHECK_INT(W.refreshes, 0);
    before = version();
    fresh_sql(A.job_db, "UPDATE tiktok_tokens SET obtained_at = now() - interval '6 days',"
                        " expires_at = now() + interval '1 day'");
    CHECK_INT(run_job(sync_token_refresh, CLIENT, "c:" CLIENT, OPEN_ID, &e), RC_OK);
    CHECK_INT(W.refreshes, 1);
    CHECK(version() > before);
    CHECK_INT(run_job(sync_token_refresh, CLIENT, "c:" CLIENT, "unknown", &e), RC_OK);
}

static void an_expired_session_is_renewed(void)
{
    struct job job = { .lease_token = 7 };
    struct job_ctx ctx = { .app = &A, .db = A.job_db, .job = &job, .stop = &STOP };
    struct tiktok_session s = { 0 };
    struct err e = { 0 };

    connect_fresh();
    (void)str_copy(job.client_id, sizeof job.client_id, CLIENT);
    (void)str_copy(job.shop_id, sizeof job.shop_id, SHOP);
    CHECK_INT(session_tiktok_open(&ctx, &s, &e), RC_OK);
    CHECK_STR(s.access_token, "access-first-1");
    CHECK_STR(s.cipher, "ROW_x");
    CHECK_STR(s.region, "BR");
    CHECK_INT(s.refresh(&s, &e), RC_OK);
    CHECK_STR(s.access_token, "access-again-1");
    session_tiktok_done(&s);
    fresh_sql(A.job_db, "UPDATE tiktok_tokens SET expires_at = now() - interval '1 second'");
    CHECK_INT(session_tiktok_open(&ctx, &s, &e), RC_OK);
    CHECK_STR(s.access_token, "access-again-2");
    session_tiktok_done(&s);
    (void)str_copy(job.shop_id, sizeof job.shop_id, "c:" CLIENT);
    CHECK_INT(session_tiktok_open(&ctx, &s, &e), RC_DENIED);
}

static void a_refused_refresh_stops_the_shop(void)
{
    struct refresher r = { 0 };

    connect_fresh();
    r.seen = version();
    W.refuse = true;
    (void)refresh_thread(&r);
    CHECK_INT(r.rc, RC_DENIED);
    CHECK_INT(fresh_count(A.job_db, "SELECT count(*) AS n FROM shops s JOIN shop_schedule p"
                                    " USING (shop_id) WHERE s.status = 'needs_reauthorization'"
                                    " AND p.paused_reason = 'needs_reauthorization'"
                                    " AND p.paused_until IS NULL"),
              1);
    (void)refresh_thread(&r);
    CHECK_INT(r.rc, RC_DENIED);
    CHECK_INT(W.refreshes, 1);
    connect_fresh();
    CHECK_INT(fresh_count(A.job_db, "SELECT count(*) AS n FROM shops s JOIN shop_schedule p"
                                    " USING (shop_id) WHERE s.status = 'connected'"
                                    " AND p.paused_reason IS NULL"),
              1);
}

/* The app's secret may be wrong for an hour: nobody is disconnected while the access token works. */
static void a_refused_refresh_in_time_disconnects_nobody(void)
{
    struct err e = { 0 };

    connect_fresh();
    fresh_sql(A.job_db, "UPDATE tiktok_tokens SET obtained_at = now() - interval '9 days',"
                        " expires_at = now() + interval '1 day'");
    W.refuse = true;
    CHECK_INT(run_job(sync_token_refresh, CLIENT, "c:" CLIENT, OPEN_ID, &e), RC_BUSY);
    CHECK_STR(e.code, "refresh_refused");
    CHECK_INT(fresh_count(A.job_db, "SELECT count(*) AS n FROM shops WHERE status = 'connected'"),
              1);
    fresh_sql(A.job_db, "UPDATE tiktok_auth_tokens SET authorization_ends_at = now()");
    CHECK_INT(run_job(sync_token_refresh, CLIENT, "c:" CLIENT, OPEN_ID, &e), RC_OK);
    CHECK_INT(fresh_count(A.job_db, "SELECT count(*) AS n FROM shops"
                                    " WHERE status = 'needs_reauthorization'"),
              1);
}

/* The seller authorized again while a refresh with the old token was under way: its refusal is history. */
static void a_refusal_of_the_old_pair_leaves_the_new_one(void)
{
    OWN_TX struct db_tx *tx = NULL;
    struct err e = { 0 };
    int64_t old = 0;

    connect_fresh();
    old = version();
    fresh_sql(A.job_db, "UPDATE tiktok_tokens SET version = version + 1");
    CHECK_INT(db_tx_begin(A.job_db, "refused", CLIENT, &tx, &e), RC_OK);
    CHECK_INT(db_grant_needs_reauthorization(tx, CLIENT, OPEN_ID, old, &e), RC_DUPLICATE);
    CHECK_INT(db_tx_commit(tx, &e), RC_OK);
    CHECK_INT(fresh_count(A.job_db, "SELECT count(*) AS n FROM shops WHERE status = 'connected'"),
              1);
}

/* ---- news of the authorization -------------------------------------------------------------------- */

static void event(int topic, const char *age, const char *body)
{
    char sql[600];

    (void)snprintf(sql, sizeof sql,
                   "INSERT INTO events (shop_id, source, key, topic, event_at, body) VALUES ('" SHOP
                   "', 'tiktok', 'n-%d-%lld', %d, now() - interval '%s', '%s')",
                   topic, (long long)clock_mono_us(), topic, age, body);
    fresh_sql(A.job_db, sql);
}

static int64_t tokens_left(void)
{
    return fresh_count(A.job_db,
                       "SELECT (SELECT count(*) FROM tiktok_tokens) + (SELECT count(*) FROM"
                       " tiktok_auth_tokens WHERE refresh_token IS NOT NULL) +"
                       " (SELECT count(*) FROM shops WHERE cipher IS NOT NULL) AS n");
}

static void a_late_deauthorization_changes_nothing(void)
{
    struct err e = { 0 };

    connect_fresh();
    fresh_sql(A.job_db, "DELETE FROM events");
    event(6, "16 hours", "{}");
    CHECK_INT(run_job(sync_deauthorized, CLIENT, SHOP, "", &e), RC_OK);
    CHECK_INT(tokens_left(), 3);
}

static void deauthorization_wipes(void)
{
    struct err e = { 0 };

    event(6, "0 seconds", "{}");
    CHECK_INT(run_job(sync_deauthorized, CLIENT, SHOP, "", &e), RC_OK);
    CHECK_INT(tokens_left(), 0);
    CHECK_INT(fresh_count(A.job_db, "SELECT count(*) AS n FROM shops s JOIN shop_schedule p"
                                    " USING (shop_id) WHERE s.status = 'disconnected'"
                                    " AND p.paused_reason = 'disconnected'"),
              1);
    /* The same news, still waiting when the seller has come back, is old. */
    fresh_sql(A.job_db, "UPDATE events SET received_at = now() - interval '1 second'");
    connect_fresh();
    CHECK_INT(run_job(sync_deauthorized, CLIENT, SHOP, "", &e), RC_OK);
    CHECK_INT(tokens_left(), 3);
    CHECK_INT(run_job(sync_deauthorized, CLIENT, SHOP, "", &e), RC_OK);
}

static void an_ending_authorization_is_noted(void)
{
    struct err e = { 0 };

    event(7, "0 seconds",
          "{\"type\":7,\"data\":{\"message\":\"m\",\"expiration_time\":\"2000000000\"}}");
    CHECK_INT(run_job(sync_authorization_ends, CLIENT, SHOP, "", &e), RC_OK);
    CHECK_INT(fresh_count(A.job_db, "SELECT count(*) AS n FROM tiktok_auth_tokens WHERE"
                                    " expiry_notice_at IS NOT NULL AND"
                                    " authorization_ends_at = to_timestamp(2000000000)"),
              1);
}

int main(void)
{
    struct err e = { 0 };
    struct fetch *net = NULL;
    char url[64];

    fresh_open(&F, "account", true);
    reset();
    peer_start(&TIKTOK, play, NULL);
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d", TIKTOK.port);
    A.cfg.tiktok_api_url = url;
    A.cfg.tiktok_auth_url = url;
    A.cfg.tiktok_app_key = (char *)(uintptr_t) "app-key";
    A.cfg.tiktok_app_secrets[0] = (char *)(uintptr_t) "app-secret";
    if (db_pool_new(F.url, 8, 30000, F.ring, &A.job_db, &e) != RC_OK ||
        fetch_new(true, &net, &e) != RC_OK || platform_new(&A.cfg, net, &A.platform, &e) != RC_OK) {
        printf("set-up: %s\n", e.text);
        return 1;
    }
    fresh_sql(A.job_db, "INSERT INTO clients (client_id, name) VALUES ('" CLIENT "', 'Loja'),"
                        " ('outra-loja', 'Outra')");
    hold_leases();
    CASE(code_becomes_a_shop);
    CASE(failures_say_what_to_do);
    CASE(a_killed_exchange_asks_to_start_again);
    CASE(an_unanswered_code_is_kept);
    CASE(a_shop_of_another_client_is_refused);
    CASE(many_refresh_once);
    CASE(both_tokens_are_kept);
    CASE(a_claim_of_the_dead_ends);
    CASE(the_job_refreshes_when_due);
    CASE(an_expired_session_is_renewed);
    CASE(a_refused_refresh_stops_the_shop);
    CASE(a_refused_refresh_in_time_disconnects_nobody);
    CASE(a_refusal_of_the_old_pair_leaves_the_new_one);
    CASE(a_late_deauthorization_changes_nothing);
    CASE(deauthorization_wipes);
    CASE(an_ending_authorization_is_noted);
    platform_free(A.platform);
    fetch_free(net);
    peer_stop(&TIKTOK);
    db_pool_free(A.job_db);
    fresh_close(&F);
    return CHECK_END();
}
