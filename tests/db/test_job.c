/* tests/db/test_job.c - the job engine: generations, lanes, outcomes, leases, takeovers, with real processes. */
#include "check.h"
#include "fresh.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "clock.h"
#include "str.h"
#include "sync.h"

#define CLIENT "client-jobs"
#define WAIT_US (30 * US_PER_S)

static struct fresh F;
static struct db_pool *P;

/* What handlers of all processes share. */
static struct shared {
    atomic_int runs, overlaps, inside, first_lane, order_n, gate, commits_refused, bulk_inside,
        bulk_most;
    char order[256];
    atomic_int by_process[2];
    int process;
} * S;

static void put_to(const char *shop, const char *kind, const char *entity, enum lane lane,
                   int64_t delay_us)
{
    struct db_job_key key = { .client_id = CLIENT,
                              .shop_id = shop,
                              .kind = kind,
                              .entity = entity,
                              .lane = lane,
                              .delay_us = delay_us };
    struct db_tx *tx = NULL;
    struct err e = { 0 };
    enum rc rc = db_tx_begin(P, "put", CLIENT, &tx, &e);

    if (rc == RC_OK)
        rc = db_job_put(tx, &key, &e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, &e);
    db_tx_free(tx);
    CHECK(rc == RC_OK, "%s", e.text);
}

static void put(const char *kind, const char *entity, enum lane lane)
{
    put_to("shop1", kind, entity, lane, 0);
}

static void nap_ms(int ms)
{
    struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

    (void)nanosleep(&t, NULL);
}

/* Waits until the query's n is `want`. */
static bool until(const char *sql, int64_t want)
{
    int64_t end = clock_mono_us() + WAIT_US;

    while (fresh_count(P, sql) != want) {
        if (clock_mono_us() > end) {
            printf("  %s is %lld, want %lld\n", sql, (long long)fresh_count(P, sql),
                   (long long)want);
            return false;
        }
        nap_ms(10);
    }
    return true;
}

static bool until_at_least(atomic_int *value, int want)
{
    int64_t end = clock_mono_us() + WAIT_US;

    while (atomic_load(value) < want) {
        if (clock_mono_us() > end)
            return false;
        nap_ms(5);
    }
    return true;
}

/* ---- handlers ---- */

static enum rc run_ok(struct job_ctx *ctx, struct err *e)
{
    struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(ctx, "test_ok", &tx, e);

    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    db_tx_free(tx);
    atomic_fetch_add(&S->runs, 1);
    return rc;
}

/* Nobody else may be inside the same entity; the entity's number is its slot. */
static enum rc run_alone(struct job_ctx *ctx, struct err *e)
{
    if (atomic_fetch_add(&S->inside, 1) != 0)
        atomic_fetch_add(&S->overlaps, 1);
    nap_ms(2);
    atomic_fetch_sub(&S->inside, 1);
    atomic_fetch_add(&S->by_process[S->process], 1);
    return run_ok(ctx, e);
}

static enum rc run_gated(struct job_ctx *ctx, struct err *e)
{
    (void)e;
    atomic_fetch_add(&S->runs, 1);
    while (atomic_load(&S->gate) == 0 && !atomic_load(ctx->stop))
        nap_ms(2);
    return atomic_load(ctx->stop) ? RC_STOPPED : RC_OK;
}

/* Does not listen to stop, and then tries to commit. */
static enum rc run_deaf(struct job_ctx *ctx, struct err *e)
{
    struct db_tx *tx = NULL;
    enum rc rc = RC_OK;

    atomic_fetch_add(&S->runs, 1);
    while (atomic_load(&S->gate) == 0)
        nap_ms(2);
    rc = job_tx_begin(ctx, "test_deaf", &tx, e);
    db_tx_free(tx);
    if (rc == RC_STOPPED)
        atomic_fetch_add(&S->commits_refused, 1);
    return rc;
}

static enum rc run_order(struct job_ctx *ctx, struct err *e)
{
    int at = atomic_fetch_add(&S->order_n, 1);

    (void)e;
    if (at < 255)
        S->order[at] = ctx->job->entity[0];
    return RC_OK;
}

static enum rc run_bulk(struct job_ctx *ctx, struct err *e)
{
    int n = atomic_fetch_add(&S->bulk_inside, 1) + 1;
    int most = atomic_load(&S->bulk_most);

    (void)ctx;
    (void)e;
    while (n > most && !atomic_compare_exchange_weak(&S->bulk_most, &most, n))
        continue;
    nap_ms(40);
    atomic_fetch_sub(&S->bulk_inside, 1);
    return RC_OK;
}

static enum rc run_busy(struct job_ctx *ctx, struct err *e)
{
    (void)ctx;
    if (atomic_fetch_add(&S->runs, 1) < 20) {
        err_set(e, RC_BUSY, "come again");
        e->retry_after_us = 1000;
        return RC_BUSY;
    }
    return RC_OK;
}

static enum rc run_down(struct job_ctx *ctx, struct err *e)
{
    (void)ctx;
    atomic_fetch_add(&S->runs, 1);
    return err_set(e, RC_DOWN, "not reached");
}

static enum rc run_invalid(struct job_ctx *ctx, struct err *e)
{
    (void)ctx;
    err_code(e, RC_INVALID, "bad_thing", "it will not get better");
    e->platform_code = 12052990;
    (void)str_copy(e->request_id, sizeof e->request_id, "req-1");
    return RC_INVALID;
}

static enum rc run_denied(struct job_ctx *ctx, struct err *e)
{
    (void)ctx;
    if (atomic_fetch_add(&S->runs, 1) == 0)
        return err_set(e, RC_DENIED, "refused");
    return RC_OK;
}

static enum rc run_poison(struct job_ctx *ctx, struct err *e)
{
    (void)ctx;
    (void)e;
    atomic_fetch_add(&S->runs, 1);
    (void)kill(getpid(), SIGKILL);
    return RC_OK;
}

static const struct job_kind KINDS[] = {
    { .name = "ok", .lane = LANE_ORDERS, .run = run_ok },
    { .name = "alone", .lane = LANE_ORDERS, .run = run_alone },
    { .name = "gated", .lane = LANE_ORDERS, .run = run_gated },
    { .name = "deaf", .lane = LANE_ORDERS, .run = run_deaf },
    { .name = "order", .lane = LANE_ORDERS, .run = run_order },
    { .name = "bulk", .lane = LANE_CATALOG, .run = run_bulk },
    { .name = "busy", .lane = LANE_ORDERS, .run = run_busy },
    { .name = "down",
      .lane = LANE_ORDERS,
      .run = run_down,
      .max_attempts = 2,
      .backoff_first_s = 1 },
    { .name = "invalid", .lane = LANE_ORDERS, .run = run_invalid },
    { .name = "whole", .lane = LANE_ORDERS, .run = run_invalid, .owns_run = true },
    { .name = "denied", .lane = LANE_ORDERS, .run = run_denied },
    { .name = "poison", .lane = LANE_ORDERS, .run = run_poison },
    { .name = NULL },
};
static const struct job_kind PERIODIC[] = {
    { .name = "tick", .lane = LANE_ORDERS, .run = run_ok, .every_s = 1 },
    { .name = NULL },
};

/* ---- replicas ---- */

struct replica {
    struct app app;
    struct workers *workers;
};

static bool replica_start(struct replica *r, const struct job_kind *kinds, int threads, int lease_s)
{
    struct err e = { 0 };
    enum rc rc = RC_OK;

    *r = (struct replica){ 0 };
    r->app.cfg.database_url = F.url;
    r->app.cfg.worker_threads = threads;
    r->app.cfg.lease_seconds = lease_s;
    r->app.ring = F.ring;
    rc = db_pool_new(F.url, threads, 30000, F.ring, &r->app.job_db, &e);
    if (rc == RC_OK)
        rc = workers_start_kinds(&r->app, kinds, &r->workers, &e);
    CHECK(rc == RC_OK, "%s", e.text);
    return rc == RC_OK;
}

static void replica_stop(struct replica *r)
{
    workers_stop(r->workers, 5000);
    db_pool_free(r->app.job_db);
}

/* A replica in a process of its own, until it is killed or gets SIGTERM. */
static pid_t replica_fork(const struct job_kind *kinds, int threads, int lease_s, int number)
{
    struct replica r;
    sigset_t term;
    int got = 0;
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    S->process = number;
    (void)sigemptyset(&term);
    (void)sigaddset(&term, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &term, NULL);
    if (!replica_start(&r, kinds, threads, lease_s))
        _exit(1);
    (void)sigwait(&term, &got);
    replica_stop(&r);
    _exit(0);
}

static void end(pid_t pid, int sig)
{
    (void)kill(pid, sig);
    (void)waitpid(pid, NULL, 0);
}

static void clean(void)
{
    fresh_sql(P, "DELETE FROM jobs");
    fresh_sql(
        P,
        "UPDATE shop_schedule SET due_at = NULL, lease_holder = NULL, lease_until = NULL, paused_reason = NULL");
    memset(S, 0, sizeof *S);
}

/* ---- cases ---- */

static void put_twice_is_one(void)
{
    struct replica r;

    clean();
    put("ok", "a", LANE_ORDERS);
    put("ok", "a", LANE_ORDERS);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM jobs"), 1);
    if (!replica_start(&r, KINDS, 4, 45))
        return;
    CHECK(until("SELECT count(*) AS n FROM jobs", 0));
    CHECK_INT(atomic_load(&S->runs), 1);
    replica_stop(&r);
    CHECK_INT(
        fresh_count(P, "SELECT count(*) AS n FROM shop_schedule WHERE lease_holder IS NOT NULL"),
        0);
}

static void put_while_running_runs_once_more(void)
{
    struct replica r;

    clean();
    if (!replica_start(&r, KINDS, 4, 45))
        return;
    put("gated", "a", LANE_ORDERS);
    CHECK(until_at_least(&S->runs, 1));
    for (int i = 0; i < 5; i++)
        put("gated", "a", LANE_ORDERS);
    atomic_store(&S->gate, 1);
    CHECK(until("SELECT count(*) AS n FROM jobs", 0));
    CHECK_INT(atomic_load(&S->runs), 2);
    replica_stop(&r);
}

static void delayed_jobs_wait(void)
{
    struct replica r;
    int64_t start = clock_mono_us();

    clean();
    if (!replica_start(&r, KINDS, 2, 45))
        return;
    put_to("shop1", "ok", "later", LANE_ORDERS, 700 * US_PER_MS);
    CHECK(until_at_least(&S->runs, 1));
    CHECK(clock_mono_us() - start >= 690 * US_PER_MS);
    CHECK(clock_mono_us() - start < 3 * US_PER_S, "%lld us", (long long)(clock_mono_us() - start));
    replica_stop(&r);
}

static void two_processes_share_shops(void)
{
    pid_t a = 0, b = 0;
    char shop[16];

    clean();
    for (int s = 0; s < 40; s++)
        for (int j = 0; j < 10; j++) {
            char entity[16];

            (void)snprintf(shop, sizeof shop, "many%d", s);
            (void)snprintf(entity, sizeof entity, "%d", j);
            put_to(shop, "ok", entity, LANE_ORDERS, 0);
        }
    a = replica_fork(KINDS, 4, 45, 0);
    b = replica_fork(KINDS, 4, 45, 1);
    CHECK(until("SELECT count(*) AS n FROM jobs", 0));
    CHECK_INT(atomic_load(&S->runs), 400);
    /* One job that is asked for again and again, by whoever holds the shop: never two at once. */
    for (int i = 0; i < 100; i++)
        put("alone", "one", LANE_ORDERS);
    CHECK(until("SELECT count(*) AS n FROM jobs", 0));
    CHECK_INT(atomic_load(&S->overlaps), 0);
    end(a, SIGTERM);
    end(b, SIGTERM);
    CHECK_INT(
        fresh_count(P, "SELECT count(*) AS n FROM shop_schedule WHERE lease_holder IS NOT NULL"),
        0);
}

static void restarted_process_takes_over_at_once(void)
{
    pid_t a = 0;
    struct replica r;
    int64_t start = 0;

    clean();
    a = replica_fork(KINDS, 2, 45, 0);
    put("gated", "k", LANE_ORDERS);
    CHECK(until_at_least(&S->runs, 1));
    end(a, SIGKILL);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM jobs WHERE state = 'running'"), 1);
    atomic_store(&S->gate, 1);
    start = clock_mono_us();
    if (!replica_start(&r, KINDS, 2, 45))
        return;
    CHECK(until("SELECT count(*) AS n FROM jobs", 0));
    CHECK(clock_mono_us() - start < 5 * US_PER_S);
    CHECK_INT(atomic_load(&S->runs), 2);
    replica_stop(&r);
}

/* A stopped process keeps its lease until it runs out; when it wakes it can commit nothing. */
static void sleeping_holder_is_fenced(void)
{
    pid_t a = 0;
    struct replica r;

    clean();
    a = replica_fork(KINDS, 2, 2, 0);
    put("deaf", "k", LANE_ORDERS);
    CHECK(until_at_least(&S->runs, 1));
    (void)kill(a, SIGSTOP);
    if (!replica_start(&r, KINDS, 2, 2))
        return;
    CHECK(until_at_least(&S->runs, 2));
    CHECK_INT(fresh_count(P, "SELECT deaths AS n FROM jobs"), 1);
    (void)kill(a, SIGCONT);
    nap_ms(50);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM jobs WHERE state = 'running'"), 1);
    atomic_store(&S->gate, 1);
    CHECK(until_at_least(&S->commits_refused, 1));
    CHECK(until("SELECT count(*) AS n FROM jobs", 0));
    CHECK_INT(atomic_load(&S->commits_refused), 1);
    end(a, SIGTERM);
    replica_stop(&r);
}

static void killer_is_quarantined_and_others_are_not(void)
{
    clean();
    put("poison", "p", LANE_ORDERS);
    put("gated", "innocent", LANE_ORDERS);
    for (int i = 0;
         i < 6 && fresh_count(P, "SELECT count(*) AS n FROM jobs WHERE state = 'parked'") == 0;
         i++) {
        pid_t a = replica_fork(KINDS, 4, 45, 0);

        if (i == 3)
            atomic_store(&S->gate, 1);
        for (int t = 0; t < 400 && waitpid(a, NULL, WNOHANG) == 0; t++) {
            nap_ms(10);
            if (fresh_count(P, "SELECT count(*) AS n FROM jobs WHERE state = 'parked'") > 0)
                end(a, SIGTERM);
        }
    }
    CHECK_INT(
        fresh_count(P, "SELECT count(*) AS n FROM jobs WHERE state = 'parked' AND kind = 'poison'"
                       " AND outcome = 'quarantined' AND deaths = 3"),
        1);
    CHECK_INT(fresh_count(
                  P, "SELECT count(*) AS n FROM jobs WHERE state = 'parked' AND kind <> 'poison'"),
              0);
}

static void busy_is_not_counted(void)
{
    struct replica r;

    clean();
    put("busy", "b", LANE_ORDERS);
    if (!replica_start(&r, KINDS, 2, 45))
        return;
    CHECK(until("SELECT count(*) AS n FROM jobs", 0));
    CHECK_INT(atomic_load(&S->runs), 21);
    replica_stop(&r);
}

static void failures_end_parked_and_visible(void)
{
    struct replica r;

    clean();
    put("down", "d", LANE_ORDERS);
    put("invalid", "i", LANE_ORDERS);
    if (!replica_start(&r, KINDS, 2, 45))
        return;
    CHECK(until("SELECT count(*) AS n FROM jobs WHERE state = 'parked'", 2));
    CHECK_INT(atomic_load(&S->runs), 2);
    CHECK_INT(
        fresh_count(P,
                    "SELECT count(*) AS n FROM jobs WHERE kind = 'invalid' AND outcome = 'invalid'"
                    " AND problem = '{\"code\":\"bad_thing\",\"detail\":\"it will not get better\","
                    "\"platform_code\":12052990,\"request_id\":\"req-1\"}'::jsonb"),
        1);
    CHECK_INT(
        fresh_count(
            P,
            "SELECT count(*) AS n FROM jobs WHERE kind = 'down' AND outcome = 'down' AND attempts = 2"),
        1);
    put("invalid", "i", LANE_ORDERS); /* asked for again: tried again */
    CHECK(until(
        "SELECT count(*) AS n FROM jobs WHERE state = 'parked' AND kind = 'invalid' AND generation = 2",
        1));
    replica_stop(&r);
}

static void denied_pauses_the_shop(void)
{
    struct replica r;
    struct db_tx *tx = NULL;
    struct err e = { 0 };

    clean();
    put("denied", "d", LANE_ORDERS);
    if (!replica_start(&r, KINDS, 2, 45))
        return;
    CHECK(until(
        "SELECT count(*) AS n FROM shop_schedule WHERE shop_id = 'shop1' AND paused_reason = 'denied'",
        1));
    put("ok", "other", LANE_ORDERS);
    put_to("shop2", "ok", "elsewhere", LANE_ORDERS, 0);
    CHECK(until("SELECT count(*) AS n FROM jobs WHERE shop_id = 'shop2'", 0));
    CHECK_INT(
        fresh_count(
            P,
            "SELECT count(*) AS n FROM jobs WHERE shop_id = 'shop1' AND state = 'ready' AND attempts = 0"),
        2);
    CHECK_INT(db_tx_begin(P, "unpause", CLIENT, &tx, &e), RC_OK);
    CHECK_INT(db_shop_unpause(tx, "shop1", &e), RC_OK);
    CHECK_INT(db_tx_commit(tx, &e), RC_OK);
    db_tx_free(tx);
    CHECK(until("SELECT count(*) AS n FROM jobs", 0));
    replica_stop(&r);
}

static void lanes_go_in_order(void)
{
    struct replica r;

    clean();
    put("order", "5", LANE_MAINTENANCE);
    put("order", "4", LANE_CATALOG);
    put("order", "2", LANE_STOCK);
    put("order", "3", LANE_PRICE);
    put("order", "1", LANE_ORDERS);
    if (!replica_start(&r, KINDS, 1, 45))
        return;
    CHECK(until("SELECT count(*) AS n FROM jobs", 0));
    CHECK_STR(S->order, "12345");
    replica_stop(&r);
}

static void bulk_leaves_threads_for_orders(void)
{
    struct replica r;
    int64_t start = 0;

    clean();
    for (int i = 0; i < 60; i++) {
        char entity[16];

        (void)snprintf(entity, sizeof entity, "%d", i);
        put("bulk", entity, LANE_CATALOG);
    }
    if (!replica_start(&r, KINDS, 4, 45))
        return;
    CHECK(until_at_least(&S->bulk_most, 3));
    start = clock_mono_us();
    put("ok", "order", LANE_ORDERS);
    put_to("shop2", "ok", "order", LANE_ORDERS, 0);
    CHECK(until_at_least(&S->runs, 2));
    CHECK(clock_mono_us() - start < US_PER_S);
    CHECK(fresh_count(P, "SELECT count(*) AS n FROM jobs WHERE kind = 'bulk'") > 0);
    CHECK(until("SELECT count(*) AS n FROM jobs", 0));
    CHECK_INT(atomic_load(&S->bulk_most), 3);
    replica_stop(&r);
}

/* One thread for bulk: a shop with one job does not wait behind another's hundred. */
static void shops_take_turns(void)
{
    struct replica r;
    int at = -1;

    clean();
    for (int i = 0; i < 100; i++) {
        char entity[16];

        (void)snprintf(entity, sizeof entity, "a%d", i);
        put("order", entity, LANE_STOCK);
    }
    put_to("shop2", "order", "b", LANE_STOCK, 0);
    if (!replica_start(&r, KINDS, 1, 45))
        return;
    CHECK(until("SELECT count(*) AS n FROM jobs", 0));
    for (int i = 0; i < 101; i++)
        at = S->order[i] == 'b' ? i : at;
    CHECK(at >= 0 && at < 20, "it ran as number %d", at);
    replica_stop(&r);
}

static void shutdown_gives_running_jobs_back(void)
{
    struct replica r;

    clean();
    put("gated", "g", LANE_ORDERS);
    if (!replica_start(&r, KINDS, 2, 45))
        return;
    CHECK(until_at_least(&S->runs, 1));
    replica_stop(&r);
    CHECK_INT(
        fresh_count(
            P,
            "SELECT count(*) AS n FROM jobs WHERE state = 'ready' AND attempts = 0 AND deaths = 0"),
        1);
    CHECK_INT(
        fresh_count(P, "SELECT count(*) AS n FROM shop_schedule WHERE lease_holder IS NOT NULL"),
        0);
    CHECK_INT(
        fresh_count(
            P,
            "SELECT count(*) AS n FROM shop_schedule WHERE shop_id = 'shop1' AND due_at <= now()"),
        1);
}

static void periodic_jobs_come_for_connected_shops(void)
{
    struct replica r;

    clean();
    fresh_sql(P, "INSERT INTO shops (shop_id, client_id, open_id, status) VALUES"
                 " ('tick1', '" CLIENT "', 'o', 'connected'), ('tick2', '" CLIENT
                 "', 'o', 'disconnected')");
    if (!replica_start(&r, PERIODIC, 2, 45))
        return;
    CHECK(until_at_least(&S->runs, 3));
    CHECK_INT(
        fresh_count(P, "SELECT count(*) AS n FROM jobs WHERE shop_id = 'tick1' AND kind = 'tick'"),
        1);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM jobs WHERE shop_id = 'tick2'"), 0);
    replica_stop(&r);
    fresh_sql(P, "DELETE FROM shops WHERE shop_id LIKE 'tick%'");
}

/* What everything relies on comes back even after a quarantine. */
static void periodic_jobs_are_revived(void)
{
    struct replica r;

    clean();
    fresh_sql(P, "INSERT INTO shops (shop_id, client_id, open_id, status) VALUES"
                 " ('tick1', '" CLIENT "', 'o', 'connected')");
    fresh_sql(
        P,
        "INSERT INTO jobs (shop_id, kind, entity, client_id, lane, state, deaths, updated_at) VALUES"
        " ('tick1', 'tick', '', '" CLIENT "', 0, 'parked', 3, now() - interval '6 minutes')");
    if (!replica_start(&r, PERIODIC, 2, 45))
        return;
    CHECK(until_at_least(&S->runs, 1));
    replica_stop(&r);
    fresh_sql(P, "DELETE FROM shops WHERE shop_id LIKE 'tick%'");
}

static void survives_lost_connections(void)
{
    struct replica r;
    char sql[160];

    clean();
    if (!replica_start(&r, KINDS, 4, 45))
        return;
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 50; i++) {
            char entity[16];

            (void)snprintf(entity, sizeof entity, "%d-%d", round, i);
            put("ok", entity, LANE_ORDERS);
        }
        (void)snprintf(
            sql, sizeof sql,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '%s'", F.name);
        fresh_admin(F.admin_url, sql, NULL);
    }
    CHECK(until("SELECT count(*) AS n FROM jobs WHERE state <> 'ready' OR due_at <= now()", 0));
    CHECK(atomic_load(&S->runs) >= 250 - (int)fresh_count(P, "SELECT count(*) AS n FROM jobs"));
    replica_stop(&r);
}

static void people_list_retry_and_cancel(void)
{
    struct job_filter parked = { .client_id = CLIENT, .state = "parked" };
    struct job_info *list = NULL;
    struct db_tx *tx = NULL;
    struct err e = { 0 };
    int64_t n64 = 0, id = 0;
    int n = 0;

    clean();
    put("ok", "1", LANE_ORDERS);
    put("ok", "2", LANE_ORDERS);
    fresh_sql(
        P, "UPDATE jobs SET state = 'parked', outcome = 'invalid', problem = '{\"code\":\"x\"}'");
    CHECK_INT(db_tx_begin(P, "list", "client-other", &tx, &e), RC_OK);
    CHECK_INT(db_job_list(tx, &parked, &list, &n, &e), RC_OK);
    CHECK_INT(n, 0);
    db_job_list_free(list, n);
    db_tx_free(tx);
    CHECK_INT(db_tx_begin(P, "list", CLIENT, &tx, &e), RC_OK);
    CHECK_INT(db_job_list(tx, &parked, &list, &n, &e), RC_OK);
    CHECK_INT(n, 2);
    if (n == 2) {
        CHECK_STR(list[0].entity, "2");
        CHECK_STR(list[0].outcome, "invalid");
        CHECK_STR(json_string_value(json_object_get(list[0].problem, "code")), "x");
        id = list[0].id;
    }
    db_job_list_free(list, n);
    CHECK_INT(db_job_cancel(tx, id, &e), RC_OK);
    CHECK_INT(db_job_retry(tx, id, &e), RC_NOT_FOUND);
    CHECK_INT(db_tx_commit(tx, &e), RC_OK);
    db_tx_free(tx);
    CHECK_INT(db_tx_begin(P, "retry", CLIENT, &tx, &e), RC_OK);
    CHECK_INT(db_job_retry_filter(tx, &parked, &n64, &e), RC_OK);
    CHECK_INT(n64, 1);
    CHECK_INT(db_tx_commit(tx, &e), RC_OK);
    db_tx_free(tx);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM jobs WHERE state = 'ready'"), 1);
}

static void put_in_run(const char *kind, const char *entity, const char *run_id)
{
    struct db_job_key key = { .client_id = CLIENT,
                              .shop_id = "shop1",
                              .kind = kind,
                              .entity = entity,
                              .lane = LANE_ORDERS,
                              .run_id = run_id };
    struct db_tx *tx = NULL;
    struct err e = { 0 };

    CHECK_INT(db_tx_begin(P, "put", CLIENT, &tx, &e), RC_OK);
    CHECK_INT(db_job_put(tx, &key, &e), RC_OK);
    CHECK_INT(db_tx_commit(tx, &e), RC_OK);
    db_tx_free(tx);
}

/* A run never waits for a job that is parked, cancelled or has gone over to a later run. */
static void runs_end_with_their_jobs(void)
{
    struct replica r;

    clean();
    fresh_sql(P, "DELETE FROM sync_runs");
    fresh_sql(
        P,
        "INSERT INTO sync_runs (client_id, id, kind, requested_by, status, total, read_done) VALUES"
        " ('" CLIENT "', 'run-a', 'products', 'x', 'running', 1, true),"
        " ('" CLIENT "', 'run-b', 'products', 'x', 'running', 2, true),"
        " ('" CLIENT "', 'run-c', 'products', 'x', 'running', 0, false)");
    put_in_run("invalid", "i", "run-a");
    put_in_run("invalid", "i", "run-b");
    CHECK(until(
        "SELECT count(*) AS n FROM sync_runs WHERE id = 'run-a' AND status = 'succeeded' AND unchanged = 1",
        1));
    put_in_run("down", "d", "run-b");
    put_in_run("whole", "", "run-c");
    if (!replica_start(&r, KINDS, 2, 45))
        return;
    CHECK(until(
        "SELECT count(*) AS n FROM sync_runs WHERE id = 'run-b' AND status = 'failed' AND failed = 2",
        1));
    CHECK(until("SELECT count(*) AS n FROM sync_runs WHERE id = 'run-c' AND status = 'failed'"
                " AND problem ->> 'code' = 'bad_thing'",
                1));
    replica_stop(&r);
}

int main(int argc, char **argv)
{
    struct err e = { 0 };
    const char *only = argc > 1 ? argv[1] : NULL;

    S = mmap(NULL, sizeof *S, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fresh_open(&F, "job", true);
    if (S == MAP_FAILED || db_pool_new(F.url, 4, 30000, F.ring, &P, &e) != RC_OK) {
        printf("pool: %s\n", e.text);
        fresh_close(&F);
        return 1;
    }
    fresh_sql(P, "INSERT INTO clients (client_id, name) VALUES ('" CLIENT "', 'Jobs')");
#define RUN(name)                                 \
    if (only == NULL || strcmp(only, #name) == 0) \
    CASE(name)
    RUN(put_twice_is_one);
    RUN(put_while_running_runs_once_more);
    RUN(delayed_jobs_wait);
    RUN(two_processes_share_shops);
    RUN(restarted_process_takes_over_at_once);
    RUN(sleeping_holder_is_fenced);
    RUN(killer_is_quarantined_and_others_are_not);
    RUN(busy_is_not_counted);
    RUN(failures_end_parked_and_visible);
    RUN(denied_pauses_the_shop);
    RUN(lanes_go_in_order);
    RUN(bulk_leaves_threads_for_orders);
    RUN(shops_take_turns);
    RUN(shutdown_gives_running_jobs_back);
    RUN(periodic_jobs_come_for_connected_shops);
    RUN(periodic_jobs_are_revived);
    RUN(survives_lost_connections);
    RUN(runs_end_with_their_jobs);
    RUN(people_list_retry_and_cancel);
    db_pool_free(P);
    fresh_close(&F);
    (void)munmap(S, sizeof *S);
    return CHECK_END();
}
