/* The one thread that runs all outgoing transfers: libcurl's multi interface, with stop flags and silence
 * watched. One thread keeps thousands of waits cheap and lets all callers share connections. */
#include "fetch_engine.h"

#include "clock.h"

#include <signal.h>
#include <string.h>

#define TICK_US (INT64_C(100) * 1000)
#define TICK_MS 100
#define IDLE_MS 60000

void fetch_engine_fail(struct xfer *x, enum rc rc, const char *code, const char *text)
{
    if (x->rc != RC_OK)
        return;
    x->rc = rc;
    if (code != NULL)
        (void)err_code(&x->err, rc, code, "%s", text); /* the outcome is kept in x->rc */
    else
        (void)err_set(&x->err, rc, "%s", text); /* as above */
}

void fetch_engine_run(struct fetch *f, struct xfer *x)
{
    x->next = NULL;
    (void)pthread_mutex_lock(&f->lock); /* cannot fail for a plain mutex */
    if (f->queue_last != NULL)
        f->queue_last->next = x;
    else
        f->queue_first = x;
    f->queue_last = x;
    (void)pthread_mutex_unlock(&f->lock);
    if (atomic_exchange(&f->asleep, false))
        (void)curl_multi_wakeup(f->multi); /* a lost wake-up costs one tick at most */
    while (sem_wait(&x->ended) != 0)
        continue;
}

static void running_add(struct fetch *f, struct xfer *x)
{
    x->prev = NULL;
    x->next = f->running;
    if (f->running != NULL)
        f->running->prev = x;
    f->running = x;
}

static void running_remove(struct fetch *f, struct xfer *x)
{
    if (x->prev != NULL)
        x->prev->next = x->next;
    else
        f->running = x->next;
    if (x->next != NULL)
        x->next->prev = x->prev;
    x->next = x->prev = NULL;
}

/* Takes a transfer off the engine; its caller goes on, so it must not be touched afterwards. */
static void finish(struct fetch *f, struct xfer *x, CURLcode result)
{
    (void)curl_multi_remove_handle(f->multi, x->easy); /* it was added: cannot fail */
    running_remove(f, x);
    x->result = result;
    (void)sem_post(&x->ended); /* one waiter: the count cannot overflow */
}

static void start_queued(struct fetch *f)
{
    struct xfer *x;

    (void)pthread_mutex_lock(&f->lock);
    x = f->queue_first;
    f->queue_first = f->queue_last = NULL;
    (void)pthread_mutex_unlock(&f->lock);
    while (x != NULL) {
        struct xfer *next = x->next;

        running_add(f, x);
        if (curl_multi_add_handle(f->multi, x->easy) != CURLM_OK) {
            fetch_engine_fail(x, RC_DOWN, NULL, "the transfer engine refused a transfer");
            running_remove(f, x);
            (void)sem_post(&x->ended); /* as above */
        }
        x = next;
    }
}

static void reap(struct fetch *f)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(f->multi, &left)) != NULL) {
        void *user = NULL;
        CURLcode result = message->data.result;

        if (message->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &user); /* always set */
        finish(f, user, result);
    }
}

/* True when a transfer crawls: less than 1 KiB/s over a whole window. */
static bool is_silent(struct xfer *x, int64_t now_us)
{
    if (x->window_us == 0) {
        if (!x->waits_answer)
            x->window_us = now_us;
        return false;
    }
    if (now_us - x->window_us < FETCH_SILENCE_US)
        return false;
    if (x->window_bytes < FETCH_SILENCE_BYTES)
        return true;
    x->window_us = now_us;
    x->window_bytes = 0;
    return false;
}

static void check_running(struct fetch *f, int64_t now_us, bool closing)
{
    struct xfer *x = f->running;

    while (x != NULL) {
        struct xfer *next = x->next;

        if (closing || (x->stop != NULL && atomic_load(x->stop))) {
            fetch_engine_fail(x, RC_STOPPED, NULL, "stopped");
            finish(f, x, CURLE_ABORTED_BY_CALLBACK);
        } else if (is_silent(x, now_us)) {
            fetch_engine_fail(x, RC_UNSURE, "too_slow", "the answer came slower than 1 KiB/s");
            finish(f, x, CURLE_OPERATION_TIMEDOUT);
        }
        x = next;
    }
}

/* Sleeps until something happens; says whether we are closing. */
static bool sleep_until_work(struct fetch *f)
{
    bool closing, empty;
    int n_ready;

    atomic_store(&f->asleep, true);
    (void)pthread_mutex_lock(&f->lock);
    closing = f->closing;
    empty = f->queue_first == NULL;
    (void)pthread_mutex_unlock(&f->lock);
    if (empty && !closing)
        (void)curl_multi_poll(f->multi, NULL, 0, f->running ? TICK_MS : IDLE_MS, &n_ready);
    atomic_store(&f->asleep, false);
    return closing;
}

static void block_signals(void)
{
    sigset_t all;

    (void)sigfillset(&all);                       /* cannot fail */
    (void)pthread_sigmask(SIG_BLOCK, &all, NULL); /* cannot fail with these arguments */
}

void *fetch_engine_main(void *fetch)
{
    struct fetch *f = fetch;
    int64_t ticked_us = clock_mono_us();
    bool closing = false;

    block_signals();
    while (!closing || f->running != NULL) {
        int64_t now_us;
        int n_running;

        start_queued(f);
        (void)curl_multi_perform(f->multi, &n_running); /* failures show up per transfer */
        reap(f);
        closing = sleep_until_work(f);
        now_us = clock_mono_us();
        if (closing || now_us - ticked_us >= TICK_US) {
            ticked_us = now_us;
            start_queued(f);
            check_running(f, now_us, closing);
        }
    }
    return NULL;
}
