/* wake.c - one thread with a LISTEN connection: a committed job wakes the workers at once; if the connection is
 * away, the workers' own slow poll finds the work. */
#include "wake.h"

#include "log.h"
#include "own.h"
#include "str.h"
#include "sync.h"

#include <pthread.h>
#include <stdatomic.h>

#define WAKE_CHANNEL "connector_jobs"
#define WAKE_WAIT_MS 30000
#define WAKE_STACK_BYTES ((size_t)256 << 10)

struct wake {
    char *url;
    struct workers *workers;
    struct db_listener *_Atomic listener;
    atomic_bool stopping;
    pthread_mutex_t lock;
    pthread_cond_t stop_cond;
    pthread_t thread;
};

static void pause_before_retry(struct wake *w)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 1;
    (void)pthread_mutex_lock(&w->lock);
    if (!atomic_load(&w->stopping))
        (void)pthread_cond_timedwait(&w->stop_cond, &w->lock, &until);
    (void)pthread_mutex_unlock(&w->lock);
}

/* The first connection; later ones the listener makes itself. */
static bool listener_open(struct wake *w)
{
    struct db_listener *l = NULL;
    struct err e = { 0 };

    while (!atomic_load(&w->stopping)) {
        if (db_listener_new(w->url, WAKE_CHANNEL, &l, &e) == RC_OK) {
            atomic_store(&w->listener, l);
            return true;
        }
        pause_before_retry(w);
    }
    return false;
}

static void *wake_thread(void *arg)
{
    struct wake *w = arg;

    if (!listener_open(w))
        return NULL;
    while (!atomic_load(&w->stopping)) {
        struct err e = { 0 };
        char payload[128];
        enum rc rc =
            db_listener_wait(atomic_load(&w->listener), WAKE_WAIT_MS, payload, sizeof payload, &e);

        if (rc == RC_OK)
            workers_wake(w->workers);
        else if (rc != RC_BUSY)
            pause_before_retry(w);
    }
    return NULL;
}

enum rc wake_start(const char *database_url, struct workers *workers, struct wake **out,
                   struct err *e)
{
    struct wake *w = calloc(1, sizeof *w);
    pthread_attr_t attr;
    int failed = 0;

    if (w == NULL)
        return err_set(e, RC_BUG, "out of memory");
    w->url = str_dup(database_url);
    w->workers = workers;
    (void)pthread_mutex_init(&w->lock, NULL);
    (void)pthread_cond_init(&w->stop_cond, NULL);
    (void)pthread_attr_init(&attr);
    (void)pthread_attr_setstacksize(&attr, WAKE_STACK_BYTES);
    failed = w->url != NULL ? pthread_create(&w->thread, &attr, wake_thread, w) : 1;
    (void)pthread_attr_destroy(&attr);
    if (failed != 0) {
        free(w->url);
        free(w);
        return err_set(e, RC_DOWN, "cannot start a thread");
    }
    *out = w;
    return RC_OK;
}

void wake_stop(struct wake *w)
{
    struct db_listener *l = NULL;

    if (w == NULL)
        return;
    atomic_store(&w->stopping, true);
    (void)pthread_mutex_lock(&w->lock);
    (void)pthread_cond_broadcast(&w->stop_cond);
    (void)pthread_mutex_unlock(&w->lock);
    l = atomic_load(&w->listener);
    if (l != NULL)
        db_listener_wake(l);
    (void)pthread_join(w->thread, NULL);
    db_listener_free(atomic_load(&w->listener));
    (void)pthread_mutex_destroy(&w->lock);
    (void)pthread_cond_destroy(&w->stop_cond);
    free(w->url);
    free(w);
}
