/* job_rig.h - what tests of the job engine share: handlers, kinds, replicas in processes of their own. */
#ifndef JOB_RIG_H
#define JOB_RIG_H

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

static inline void put_to(const char *shop, const char *kind, const char *entity, enum lane lane,
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

static inline void put(const char *kind, const char *entity, enum lane lane)
{
    put_to("shop1", kind, entity, lane, 0);
}

static inline void nap_ms(int ms)
{
    struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

    (void)nanosleep(&t, NULL);
}

/* Waits until the query's n is `want`. */
static inline bool until(const char *sql, int64_t want)
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

static inline bool until_at_least(atomic_int *value, int want)
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

static inline enum rc run_ok(struct job_ctx *ctx, struct err *e)
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
static inline enum rc run_alone(struct job_ctx *ctx, struct err *e)
{
    if (atomic_fetch_add(&S->inside, 1) != 0)
        atomic_fetch_add(&S->overlaps, 1);
    nap_ms(2);
    atomic_fetch_sub(&S->inside, 1);
    atomic_fetch_add(&S->by_process[S->process], 1);
    return run_ok(ctx, e);
}

static inline enum rc run_gated(struct job_ctx *ctx, struct err *e)
{
    (void)e;
    atomic_fetch_add(&S->runs, 1);
    while (atomic_load(&S->gate) == 0 && !atomic_load(ctx->stop))
        nap_ms(2);
    return atomic_load(ctx->stop) ? RC_STOPPED : RC_OK;
}

/* Does not listen to stop, and then tries to commit. */
static inline enum rc run_deaf(struct job_ctx *ctx, struct err *e)
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

static inline enum rc run_order(struct job_ctx *ctx, struct err *e)
{
    int at = atomic_fetch_add(&S->order_n, 1);

    (void)e;
    if (at < 255)
        S->order[at] = ctx->job->entity[0];
    return RC_OK;
}

static inline enum rc run_bulk(struct job_ctx *ctx, struct err *e)
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

static inline enum rc run_busy(struct job_ctx *ctx, struct err *e)
{
    (void)ctx;
    if (atomic_fetch_add(&S->runs, 1) < 20) {
        err_set(e, RC_BUSY, "come again");
        e->retry_after_us = 1000;
        return RC_BUSY;
    }
    return RC_OK;
}

static inline enum rc run_down(struct job_ctx *ctx, struct err *e)
{
    (void)ctx;
    atomic_fetch_add(&S->runs, 1);
    return err_set(e, RC_DOWN, "not reached");
}

static inline enum rc run_invalid(struct job_ctx *ctx, struct err *e)
{
    (void)ctx;
    err_code(e, RC_INVALID, "bad_thing", "it will not get better");
    e->platform_code = 12052990;
    (void)str_copy(e->request_id, sizeof e->request_id, "req-1");
    return RC_INVALID;
}

static inline enum rc run_denied(struct job_ctx *ctx, struct err *e)
{
    (void)ctx;
    if (atomic_fetch_add(&S->runs, 1) == 0)
        return err_set(e, RC_DENIED, "refused");
    return RC_OK;
}

static inline enum rc run_poison(struct job_ctx *ctx, struct err *e)
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

static inline bool replica_start(struct replica *r, const struct job_kind *kinds, int threads,
                                 int lease_s)
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

static inline void replica_stop(struct replica *r)
{
    workers_stop(r->workers, 5000);
    db_pool_free(r->app.job_db);
}

/* A replica in a process of its own, until it is killed or gets SIGTERM. */
static inline pid_t replica_fork(const struct job_kind *kinds, int threads, int lease_s, int number)
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

static inline void end(pid_t pid, int sig)
{
    (void)kill(pid, sig);
    (void)waitpid(pid, NULL, 0);
}

static inline void clean(void)
{
    fresh_sql(P, "DELETE FROM jobs");
    fresh_sql(
        P,
        "UPDATE shop_schedule SET due_at = NULL, lease_holder = NULL, lease_until = NULL, paused_reason = NULL");
    memset(S, 0, sizeof *S);
}

/* Opens the database and what all processes share; false: the failure was printed. */
static inline bool rig_open(const char *what)
{
    struct err e = { 0 };

    S = mmap(NULL, sizeof *S, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fresh_open(&F, what, true);
    if (S == MAP_FAILED || db_pool_new(F.url, 4, 30000, F.ring, &P, &e) != RC_OK) {
        printf("pool: %s\n", e.text);
        fresh_close(&F);
        return false;
    }
    fresh_sql(P, "INSERT INTO clients (client_id, name) VALUES ('" CLIENT "', 'Jobs')");
    return true;
}

static inline void rig_close(void)
{
    db_pool_free(P);
    fresh_close(&F);
    (void)munmap(S, sizeof *S);
}

#endif
