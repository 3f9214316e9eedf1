/* http_pool.c - threads that run the handlers which may block, fed by a bounded queue; a handler that wants to
 * wait gives its thread back and is called again later. */
#include "http_int.h"

#include "clock.h"
#include "log.h"

#define POOL_THREADS_MAX 64
#define POOL_STACK_BYTES ((size_t)256 << 10)

struct http_pool {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct http_call *first;
    struct http_call *last;
    struct http_call *delayed; /* sorted by due_us */
    int queued;
    bool stopping;
    int n_threads;
    void (*done)(struct http_call *call);
    pthread_t threads[POOL_THREADS_MAX];
};

bool http_call_run(struct http_call *call, bool last)
{
    struct http_reply *reply = &call->reply;
    struct err e = { 0 };
    enum rc rc = RC_OK;

    http_reply_done(reply);
    http_reply_init(reply);
    if (call->session != NULL)
        rc = call->session(call->user, &call->req, reply, &e);
    if (rc == RC_OK && reply->status == 0) {
        call->session = NULL; /* once, however often the handler comes again */
        rc = call->req.route->handler(call->user, &call->req, reply, &e);
    }
    if (rc == RC_OK && reply->suspended)
        return true;
    if (rc == RC_OK && reply->again_ms > 0 && !last) {
        call->req.again++;
        call->due_us = clock_mono_us() + (int64_t)reply->again_ms * US_PER_MS;
        return false;
    }
    if (rc == RC_OK && reply->again_ms > 0)
        rc = err_set(&e, RC_STOPPED, "the service is stopping");
    if (rc == RC_OK)
        rc = buf_check(&reply->body, &e) == RC_OK ? RC_OK : RC_BUG;
    if (rc != RC_OK) {
        e.rc = rc;
        http_reply_problem(reply, &call->req, &e);
        if (reply->status == 500)
            LOG(LOG_ERROR, "http", "request failed", LF_S("operation", call->req.route->operation),
                LF_S("code", e.code), LF_S("detail", e.text));
    }
    return true;
}

/* Takes the next call that may run now; waits for one. NULL: stop. Lock held. */
static struct http_call *next_call(struct http_pool *pool)
{
    for (;;) {
        struct http_call *call = pool->first;

        if (pool->delayed != NULL && (pool->stopping || pool->delayed->due_us <= clock_mono_us())) {
            call = pool->delayed;
            pool->delayed = call->next;
            return call;
        }
        if (call != NULL) {
            pool->first = call->next;
            if (pool->first == NULL)
                pool->last = NULL;
            pool->queued--;
            return call;
        }
        if (pool->stopping)
            return NULL;
        if (pool->delayed == NULL) {
            (void)pthread_cond_wait(&pool->changed, &pool->lock);
        } else {
            struct timespec until = { .tv_sec = pool->delayed->due_us / US_PER_S,
                                      .tv_nsec = pool->delayed->due_us % US_PER_S * 1000 };

            (void)pthread_cond_timedwait(&pool->changed, &pool->lock, &until);
        }
    }
}

static void delay_call(struct http_pool *pool, struct http_call *call)
{
    struct http_call **at = &pool->delayed;

    while (*at != NULL && (*at)->due_us <= call->due_us)
        at = &(*at)->next;
    call->next = *at;
    *at = call;
    (void)pthread_cond_signal(&pool->changed);
}

static void *pool_thread(void *arg)
{
    struct http_pool *pool = arg;

    (void)pthread_mutex_lock(&pool->lock);
    for (;;) {
        struct http_call *call = next_call(pool);
        bool last = pool->stopping;
        bool finished = false;
        struct log_ids before;

        if (call == NULL)
            break;
        (void)pthread_mutex_unlock(&pool->lock);
        before = log_ids_swap((struct log_ids){ .req = call->req.id });
        finished = http_call_run(call, last);
        (void)log_ids_swap(before);
        if (finished)
            pool->done(call);
        (void)pthread_mutex_lock(&pool->lock);
        if (!finished)
            delay_call(pool, call);
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return NULL;
}

enum rc http_pool_new(int threads, void (*done)(struct http_call *call), struct http_pool **out,
                      struct err *e)
{
    struct http_pool *pool = calloc(1, sizeof *pool);
    pthread_condattr_t clock;
    pthread_attr_t attr;

    if (pool == NULL)
        return err_set(e, RC_BUG, "out of memory");
    pool->done = done;
    (void)pthread_mutex_init(&pool->lock, NULL);
    (void)pthread_condattr_init(&clock);
    (void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&pool->changed, &clock);
    (void)pthread_condattr_destroy(&clock);
    (void)pthread_attr_init(&attr);
    (void)pthread_attr_setstacksize(&attr, POOL_STACK_BYTES);
    while (pool->n_threads < threads && pool->n_threads < POOL_THREADS_MAX) {
        if (pthread_create(&pool->threads[pool->n_threads], &attr, pool_thread, pool) != 0)
            break;
        pool->n_threads++;
    }
    (void)pthread_attr_destroy(&attr);
    if (pool->n_threads == 0) {
        http_pool_free(pool);
        return err_set(e, RC_DOWN, "cannot start a thread");
    }
    *out = pool;
    return RC_OK;
}

bool http_pool_put(struct http_pool *pool, struct http_call *call)
{
    bool fits = false;

    (void)pthread_mutex_lock(&pool->lock);
    if (pool->queued < LIMIT_QUEUED_CALLS && !pool->stopping) {
        fits = true;
        call->next = NULL;
        if (pool->last != NULL)
            pool->last->next = call;
        else
            pool->first = call;
        pool->last = call;
        pool->queued++;
        (void)pthread_cond_signal(&pool->changed);
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return fits;
}

void http_pool_stop(struct http_pool *pool)
{
    if (pool == NULL)
        return;
    (void)pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    (void)pthread_cond_broadcast(&pool->changed);
    (void)pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->n_threads; i++)
        (void)pthread_join(pool->threads[i], NULL);
    pool->n_threads = 0;
}

void http_pool_free(struct http_pool *pool)
{
    if (pool == NULL)
        return;
    http_pool_stop(pool);
    (void)pthread_cond_destroy(&pool->changed);
    (void)pthread_mutex_destroy(&pool->lock);
    free(pool);
}
