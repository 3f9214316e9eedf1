/* tests/db/test_grant_race.c - a refusal of the old tokens against the commit of a new authorization. */
#include "check.h"
#include "fresh.h"

#include <pthread.h>

#include "clock.h"
#include "db_grant.h"

#define CLIENT "loja-exemplo"
#define SHOP "7494049642642441621"
#define OPEN_ID "7010736057180325637"
#define WAIT_US (30 * US_PER_S)

static struct fresh F;
static struct db_pool *P;

struct refusal {
    int64_t seen;
    enum rc rc;
    pthread_t thread;
};

static void *refusal_thread(void *arg)
{
    struct refusal *r = arg;
    OWN_TX struct db_tx *tx = NULL;
    struct err e = { 0 };

    r->rc = db_tx_begin(P, "refused", CLIENT, &tx, &e);
    if (r->rc == RC_OK)
        r->rc = db_grant_needs_reauthorization(tx, CLIENT, OPEN_ID, r->seen, &e);
    if (r->rc == RC_OK)
        r->rc = db_tx_commit(tx, &e);
    return NULL;
}

/* Stores a pair and the shop; the caller commits. */
static void connect_shop(struct db_tx *tx)
{
    struct shop_listed shop = {
        .shop_id = SHOP, .name = "Loja", .region = "BR", .cipher = "ROW_cipher"
    };
    struct grant_tokens pair = { .open_id = OPEN_ID,
                                 .access_token = "access",
                                 .refresh_token = "refresh",
                                 .expires_us = clock_now_us() + 7 * 86400 * US_PER_S,
                                 .ends_us = clock_now_us() + 300 * 86400 * US_PER_S };
    struct err e = { 0 };

    CHECK_INT(db_grant_connect(tx, CLIENT, &pair, &e), RC_OK);
    CHECK_INT(db_shop_connect(tx, CLIENT, OPEN_ID, &shop, &e), RC_OK);
}

/* The refusal waits for the row while the new authorization commits: it must see the new pair then. */
static void a_refusal_that_waited_sees_the_new_pair(void)
{
    static const char WAITS[] =
        "SELECT count(*) AS n FROM pg_locks WHERE NOT granted"
        " AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())";
    struct db_tx *tx = NULL;
    struct refusal r = { 0 };
    struct err e = { 0 };
    int64_t until;

    CHECK_INT(db_tx_begin(P, "connect", CLIENT, &tx, &e), RC_OK);
    connect_shop(tx);
    CHECK_INT(db_tx_commit(tx, &e), RC_OK);
    db_tx_free(tx);
    tx = NULL;
    r.seen = fresh_count(P, "SELECT version AS n FROM tiktok_tokens");
    CHECK_INT(db_tx_begin(P, "connect", CLIENT, &tx, &e), RC_OK);
    connect_shop(tx);
    CHECK_INT(pthread_create(&r.thread, NULL, refusal_thread, &r), 0);
    until = clock_mono_us() + WAIT_US;
    while (fresh_count(P, WAITS) == 0 && clock_mono_us() < until)
        clock_pause_ms(10);
    CHECK_INT(fresh_count(P, WAITS), 1);
    CHECK_INT(db_tx_commit(tx, &e), RC_OK);
    db_tx_free(tx);
    (void)pthread_join(r.thread, NULL);
    CHECK_INT(r.rc, RC_DUPLICATE);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM tiktok_auth_tokens a JOIN shops s"
                             " USING (client_id, open_id) WHERE a.status = 'active'"
                             " AND s.status = 'connected'"),
              1);
}

int main(void)
{
    struct err e = { 0 };

    fresh_open(&F, "grant_race", true);
    if (db_pool_new(F.url, 4, 30000, F.ring, &P, &e) != RC_OK) {
        printf("set-up: %s\n", e.text);
        return 1;
    }
    fresh_sql(P, "INSERT INTO clients (client_id, name) VALUES ('" CLIENT "', 'Loja')");
    CASE(a_refusal_that_waited_sees_the_new_pair);
    db_pool_free(P);
    fresh_close(&F);
    return CHECK_END();
}
