/* connector.c - how many jobs that do nothing go through the connector's engine in a second:
 *   jobs_connector JOBS SHOPS THREADS, DATABASE_URL names a database that belongs to the measurement alone. */
#include "clock.h"
#include "log.h"
#include "sync.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static atomic_int runs;

static enum rc nothing(struct job_ctx *ctx, struct err *e)
{
    (void)ctx;
    (void)e;
    atomic_fetch_add(&runs, 1);
    return RC_OK;
}

static const struct job_kind KINDS[] = { { .name = "noop", .lane = LANE_ORDERS, .run = nothing },
                                         { .name = NULL } };

/* n of the first row, -1 when there is none. */
static enum rc sql(struct db_pool *pool, const char *text, int64_t *n, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args none = { 0 };
    enum rc rc = db_tx_begin(pool, "bench", DB_SYSTEM, &tx, e);

    if (rc == RC_OK)
        rc = db_exec(tx, text, &none, &rows, e);
    if (rc == RC_OK && n != NULL)
        *n = db_rows_count(rows) > 0 ? db_i64(rows, 0, "n") : -1;
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc fill(struct db_pool *pool, int jobs, int shops, struct err *e)
{
    char text[3][512];
    enum rc rc = db_migrate(pool, NULL, e);

    (void)snprintf(
        text[0], sizeof text[0],
        "INSERT INTO jobs (shop_id, kind, entity, client_id, lane) SELECT 'shop' || (i %% %d),"
        " 'noop', i::text, 'client-bench', 0 FROM generate_series(1, %d) i",
        shops, jobs);
    (void)snprintf(
        text[1], sizeof text[1],
        "INSERT INTO shop_schedule (shop_id, client_id, due_at, lane) SELECT 'shop' || i,"
        " 'client-bench', now(), 0 FROM generate_series(0, %d) i",
        shops - 1);
    (void)snprintf(text[2], sizeof text[2], "ANALYZE jobs");
    for (int i = 0; i < 3 && rc == RC_OK; i++)
        rc = sql(pool, text[i], NULL, e);
    return rc;
}

static double cpu_s(void)
{
    struct rusage used;

    getrusage(RUSAGE_SELF, &used);
    return (double)used.ru_utime.tv_sec + (double)used.ru_stime.tv_sec +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

/* Until no job is left in the database: that the last ends are committed is part of the work. */
static enum rc drain(struct app *app, struct db_pool *pool, int jobs, struct err *e)
{
    struct timespec nap = { .tv_nsec = 5000000 };
    struct workers *w = NULL;
    int64_t left = jobs;
    double cpu = cpu_s();
    int64_t start = clock_mono_us();
    enum rc rc = workers_start_kinds(app, KINDS, &w, e);

    while (rc == RC_OK && left > 0) {
        (void)nanosleep(&nap, NULL);
        if (atomic_load(&runs) >= jobs)
            rc = sql(pool, "SELECT count(*) AS n FROM jobs", &left, e);
    }
    if (rc == RC_OK) {
        double took = (double)(clock_mono_us() - start) / 1e6;

        printf("connector %.0f %.1f %d %lld\n", (double)jobs / took,
               (cpu_s() - cpu) * 1e6 / (double)jobs, atomic_load(&runs), (long long)left);
    }
    workers_stop(w, 1000);
    return rc;
}

int main(int argc, char **argv)
{
    int jobs = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 20000;
    int shops = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 1;
    int threads = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 16;
    struct app app = { 0 };
    struct db_pool *pool = NULL;
    struct err e = { 0 };
    enum rc rc = RC_OK;

    log_setup(LOG_WARN, false);
    app.cfg.database_url = getenv("DATABASE_URL");
    app.cfg.worker_threads = threads;
    app.cfg.lease_seconds = 45;
    if (app.cfg.database_url == NULL || jobs < 1 || shops < 1 || threads < 1)
        return 2;
    rc = keyring_new("k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", &app.ring, &e);
    if (rc == RC_OK)
        rc = db_pool_new(app.cfg.database_url, 2, 60000, app.ring, &pool, &e);
    if (rc == RC_OK)
        rc = db_pool_new(app.cfg.database_url, threads, 30000, app.ring, &app.job_db, &e);
    if (rc == RC_OK)
        rc = fill(pool, jobs, shops, &e);
    if (rc == RC_OK)
        rc = drain(&app, pool, jobs, &e);
    if (rc != RC_OK)
        fprintf(stderr, "%s\n", e.text);
    db_pool_free(app.job_db);
    db_pool_free(pool);
    keyring_free(app.ring);
    return rc != RC_OK;
}
