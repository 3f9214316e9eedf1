/* sync/worker.c - the worker threads: run what the keeper claimed, and say in one line how it ended. */
#include "engine.h"

#include <errno.h>
#include <string.h>

#include "log.h"
#include "metrics.h"
#include "str.h"

#define BULK_RESERVE_SHARE 4 /* one thread of this many is kept for orders, stock and prices */
#define AVERAGE_WEIGHT 8
#define KEEPER_STATEMENT_MS 10000
#define BEAT_MAX_US (10 * US_PER_S)

static void say_end(const struct item *item)
{
    const struct job *job = &item->claim.job;
    enum log_level level = item->rc == RC_BUG      ? LOG_ERROR
                           : item->rc == RC_DENIED ? LOG_WARN
                                                   : LOG_INFO;
    bool failed = item->rc != RC_OK && item->rc != RC_DUPLICATE && item->rc != RC_STOPPED;
    char label[120];

    LOG(level, "worker", "job finished", LF_S("kind", job->kind), LF_S("entity", job->entity),
        LF_S("shop", job->shop_id), LF_I("attempt", job->attempts),
        LF_S("outcome", rc_name(item->rc)), LF_I("ms", item->run_us / US_PER_MS),
        LF_S("code", failed ? item->err.code : ""), LF_S("detail", failed ? item->err.text : ""));
    (void)str_fmt(label, sizeof label, "kind=\"%s\",outcome=\"%s\"",
                  item->kind == NULL ? "unknown" : job->kind, rc_name(item->rc));
    metrics_add("connector_jobs_total", label, 1);
    (void)str_fmt(label, sizeof label, "kind=\"%s\"", item->kind == NULL ? "unknown" : job->kind);
    metrics_observe_us("connector_job_seconds", label, item->run_us);
}

static void run_item(struct workers *w, struct item *item)
{
    const struct job *job = &item->claim.job;
    struct job_ctx ctx = {
        .app = w->app, .db = w->app->job_db, .job = job, .stop = &item->shop->stop
    };
    int64_t started_us = clock_mono_us();
    struct log_ids before = { 0 };
    char id[24];

    (void)str_fmt(id, sizeof id, "%lld", (long long)job->id);
    before = log_ids_swap((struct log_ids){
        .run = job->run_id[0] != '\0' ? job->run_id : NULL, .job = id, .account = job->client_id });
    if (item->kind == NULL) {
        /* A newer replica made it; it waits for one that knows it. */
        item->rc = err_code(&item->err, RC_BUSY, "unknown_kind",
                            "this program does not know the kind %s", job->kind);
        item->err.retry_after_us = 60 * US_PER_S;
    } else if (atomic_load(&item->shop->stop)) {
        item->rc = RC_STOPPED;
    } else {
        item->rc = item->kind->run(&ctx, &item->err);
    }
    item->run_us = clock_mono_us() - started_us;
    say_end(item);
    (void)log_ids_swap(before);
}

static void list_remove(struct item_list *list, struct item *item)
{
    struct item *before = NULL;

    for (struct item *at = list->head; at != item; at = at->next)
        before = at;
    if (before == NULL)
        list->head = item->next;
    else
        before->next = item->next;
    if (list->tail == item)
        list->tail = before;
    list->n--;
}

/* Under the lock, before and after a run. */
static void run_begins(struct workers *w, struct item *item)
{
    item->started = true;
    items_add(&item->shop->running, item);
    w->running++;
    if (lane_is_bulk(item->claim.job.lane))
        w->running_bulk++;
}

static void run_ends(struct workers *w, struct item *item)
{
    struct held *shop = item->shop;

    list_remove(&shop->running, item);
    w->running--;
    if (lane_is_bulk(item->claim.job.lane))
        w->running_bulk--;
    w->average_us += (item->run_us - w->average_us) / AVERAGE_WEIGHT;
    if (shop->lost)
        item_free(item);
    else
        items_add(&shop->finished, item);
    if (w->keeper_waits) {
        w->keeper_waits = false;
        db_listener_wake(w->listener);
    }
}

static void *worker_main(void *arg)
{
    struct workers *w = arg;

    (void)pthread_mutex_lock(&w->lock);
    while (!w->stopping) {
        struct item *item = queue_pick(w);

        if (item == NULL) {
            (void)pthread_cond_wait(&w->work, &w->lock);
            continue;
        }
        run_begins(w, item);
        (void)pthread_mutex_unlock(&w->lock);
        run_item(w, item);
        (void)pthread_mutex_lock(&w->lock);
        run_ends(w, item);
    }
    (void)pthread_mutex_unlock(&w->lock);
    return NULL;
}

static void workers_free(struct workers *w)
{
    if (w == NULL)
        return;
    for (struct held *shop = w->all; shop != NULL; shop = shop->next)
        shop_lose(w, shop);
    shops_sweep(w);
    db_listener_free(w->listener);
    db_pool_free(w->db);
    (void)pthread_mutex_destroy(&w->lock);
    (void)pthread_cond_destroy(&w->work);
    free(w->threads);
    free(w);
}

static enum rc start_threads(struct workers *w, struct err *e)
{
    int failed = pthread_create(&w->keeper, NULL, keeper_main, w);

    w->keeper_started = failed == 0;
    while (failed == 0 && w->n_started < w->n_threads) {
        failed = pthread_create(&w->threads[w->n_started], NULL, worker_main, w);
        if (failed == 0)
            w->n_started++;
    }
    if (failed == 0)
        return RC_OK;
    return err_set(e, RC_DOWN, "a worker thread could not be started: %s", strerror(failed));
}

static struct workers *workers_make(struct app *app, const struct job_kind *kinds)
{
    struct workers *w = calloc(1, sizeof *w);
    int n = app->cfg.worker_threads < 1 ? 1 : app->cfg.worker_threads;
    int reserve = n / BULK_RESERVE_SHARE > 0 ? n / BULK_RESERVE_SHARE : n > 1 ? 1 : 0;

    if (w == NULL)
        return NULL;
    (void)pthread_mutex_init(&w->lock, NULL);
    (void)pthread_cond_init(&w->work, NULL);
    w->app = app;
    w->kinds = kinds;
    w->n_threads = n;
    w->bulk_max = n - reserve;
    w->shop_max = n - reserve;
    w->lease_us = (app->cfg.lease_seconds < 1 ? 45 : app->cfg.lease_seconds) * US_PER_S;
    w->beat_us = w->lease_us / 4 < BEAT_MAX_US ? w->lease_us / 4 : BEAT_MAX_US;
    w->average_us = US_PER_S;
    sign_random(&w->random, sizeof w->random);
    w->random |= 1;
    holder_name(w->holder);
    w->threads = calloc((size_t)n, sizeof *w->threads);
    if (w->threads == NULL) {
        workers_free(w);
        return NULL;
    }
    return w;
}

enum rc workers_start_kinds(struct app *app, const struct job_kind *kinds, struct workers **out,
                            struct err *e)
{
    struct workers *w = workers_make(app, kinds);
    enum rc rc = RC_OK;

    if (w == NULL)
        return err_set(e, RC_DOWN, "out of memory for the workers");
    rc = db_pool_new(app->cfg.database_url, 1, KEEPER_STATEMENT_MS, app->ring, &w->db, e);
    if (rc == RC_OK)
        rc = db_listener_new(app->cfg.database_url, "connector_jobs", &w->listener, e);
    if (rc != RC_OK) {
        workers_free(w);
        return rc;
    }
    rc = start_threads(w, e);
    if (rc != RC_OK) {
        workers_stop(w, 0);
        return rc;
    }
    *out = w;
    return RC_OK;
}

enum rc workers_start(struct app *app, struct workers **out, struct err *e)
{
    return workers_start_kinds(app, JOB_KINDS, out, e);
}

void workers_stop(struct workers *w, int grace_ms)
{
    bool all_ended = false;

    if (w == NULL)
        return;
    (void)pthread_mutex_lock(&w->lock);
    w->stopping = true;
    w->stop_by_us = clock_mono_us() + grace_ms * US_PER_MS;
    for (struct held *shop = w->all; shop != NULL; shop = shop->next)
        atomic_store(&shop->stop, true);
    (void)pthread_cond_broadcast(&w->work);
    (void)pthread_mutex_unlock(&w->lock);
    db_listener_wake(w->listener);
    if (w->keeper_started)
        (void)pthread_join(w->keeper, NULL);
    (void)pthread_mutex_lock(&w->lock);
    all_ended = w->running == 0;
    (void)pthread_mutex_unlock(&w->lock);
    for (int i = 0; i < w->n_started; i++) {
        if (all_ended)
            (void)pthread_join(w->threads[i], NULL);
        else
            (void)pthread_detach(w->threads[i]);
    }
    /* A handler that did not stop in time still uses all this: the process is about to end anyway. */
    if (all_ended)
        workers_free(w);
}
