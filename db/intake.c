/* intake.c - the group committer: one thread writes all that waits in one transaction and then answers; another
 * one answers 503 to whatever has waited too long, however stuck the first one is. */
#include "intake.h"

#include "clock.h"
#include "intake_batch.h"
#include "log.h"
#include "metrics.h"
#include "str.h"

#include <pthread.h>

#define ANSWER_WITHIN_US (INT64_C(2200) * US_PER_MS) /* with the tick below it: under 2.5 s */
#define RETRY_BEFORE_US \
    (INT64_C(1000) * US_PER_MS) /* left to the first of a batch, to try once more */
#define WATCH_TICK_US (INT64_C(150) * US_PER_MS)
#define DOWN_PAUSE_US (INT64_C(100) * US_PER_MS)
#define BATCH_BYTES_MAX ((size_t)8 << 20)
#define INTAKE_STACK_BYTES ((size_t)256 << 10)

struct intake {
    char *url;
    intake_finish finish;
    struct conn conn; /* the committer's */
    struct intake_care care;
    pthread_mutex_t lock;
    pthread_cond_t arrived;
    pthread_cond_t watch;
    struct intake_event *first;
    struct intake_event *last;
    int waiting;
    size_t waiting_bytes;
    struct intake_event *batch[INTAKE_BATCH_MAX]; /* in the committer's hands */
    int n_batch;
    bool stopping;
    bool watcher_idle;
    pthread_t committer;
    pthread_t watcher;
};

struct intake_event *intake_event_new(size_t body_len)
{
    struct intake_event *ev = calloc(1, sizeof *ev);

    if (ev == NULL)
        return NULL;
    ev->body = malloc(body_len + 1);
    if (ev->body == NULL) {
        free(ev);
        return NULL;
    }
    ev->body_len = body_len;
    ev->body[body_len] = 0;
    return ev;
}

void intake_event_free(struct intake_event *ev)
{
    if (ev == NULL)
        return;
    free(ev->more_entities);
    free(ev->body);
    free(ev);
}

enum rc intake_put(struct intake *in, struct intake_event *ev, struct err *e)
{
    bool fits = false;

    ev->next = NULL;
    ev->deadline_us = clock_mono_us() + ANSWER_WITHIN_US;
    (void)pthread_mutex_lock(&in->lock);
    if (in->waiting < LIMIT_INTAKE_WAITING &&
        in->waiting_bytes + ev->body_len <= LIMIT_INTAKE_BYTES && !in->stopping) {
        fits = true;
        if (in->last != NULL)
            in->last->next = ev;
        else
            in->first = ev;
        in->last = ev;
        in->waiting++;
        in->waiting_bytes += ev->body_len;
        if (in->waiting == 1)
            (void)pthread_cond_signal(&in->arrived);
        if (in->watcher_idle) {
            in->watcher_idle = false;
            (void)pthread_cond_signal(&in->watch);
        }
    }
    (void)pthread_mutex_unlock(&in->lock);
    if (fits)
        return RC_OK;
    metrics_add("connector_events_refused_total", "why=\"queue_full\"", 1);
    return err_set(e, RC_BUSY, "too many events wait for the database");
}

/* First of the queue; lock held. */
static struct intake_event *queue_take(struct intake *in)
{
    struct intake_event *ev = in->first;

    if (ev == NULL)
        return NULL;
    in->first = ev->next;
    if (in->first == NULL)
        in->last = NULL;
    ev->next = NULL;
    in->waiting--;
    in->waiting_bytes -= ev->body_len;
    return ev;
}

/* ---- the watcher --------------------------------------------------------------------------------- */

/* Takes what waited too long out of the queue; marks what the committer holds. The queue is in the order of
 * deadlines. Returns how many are in `late`. Lock held. */
static int late_collect(struct intake *in, struct intake_event **dead, struct http_req **late,
                        int max)
{
    int64_t now = clock_mono_us();
    int n = 0;

    for (int i = 0; i < in->n_batch && n < max; i++) {
        struct intake_event *ev = in->batch[i];

        if (!ev->answered && ev->deadline_us <= now) {
            ev->answered = true;
            dead[n] = NULL;
            late[n++] = ev->req;
        }
    }
    while (n < max && in->first != NULL && in->first->deadline_us <= now) {
        dead[n] = queue_take(in);
        late[n] = dead[n]->req;
        n++;
    }
    return n;
}

static void watch_wait(struct intake *in)
{
    int64_t until = clock_mono_us() + WATCH_TICK_US;
    struct timespec at = { .tv_sec = until / US_PER_S, .tv_nsec = until % US_PER_S * 1000 };

    if (in->first == NULL && in->n_batch == 0) {
        in->watcher_idle = true;
        (void)pthread_cond_wait(&in->watch, &in->lock);
        in->watcher_idle = false;
    } else {
        (void)pthread_cond_timedwait(&in->watch, &in->lock, &at);
    }
}

static void *watcher_thread(void *arg)
{
    struct intake *in = arg;

    (void)pthread_mutex_lock(&in->lock);
    while (!in->stopping || in->first != NULL || in->n_batch > 0) {
        struct intake_event *dead[INTAKE_BATCH_MAX];
        struct http_req *late[INTAKE_BATCH_MAX];
        int n = late_collect(in, dead, late, INTAKE_BATCH_MAX);

        if (n == 0) {
            watch_wait(in);
            continue;
        }
        (void)pthread_mutex_unlock(&in->lock);
        metrics_add("connector_events_refused_total", "why=\"too_slow\"", n);
        LOG(LOG_WARN, "intake", "the database did not answer in time", LF_I("events", n));
        for (int i = 0; i < n; i++) {
            in->finish(late[i], 503);
            intake_event_free(dead[i]);
        }
        (void)pthread_mutex_lock(&in->lock);
    }
    (void)pthread_mutex_unlock(&in->lock);
    return NULL;
}

/* ---- the committer ------------------------------------------------------------------------------- */

/* Answers n events of the batch from `from` on, unless the watcher did, and lets go of them. */
static void answer(struct intake *in, struct intake_event **events, int n, int status)
{
    bool already[INTAKE_BATCH_MAX];

    (void)pthread_mutex_lock(&in->lock);
    for (int i = 0; i < n; i++) {
        already[i] = events[i]->answered;
        events[i]->answered = true; /* the watcher keeps its hands off */
    }
    (void)pthread_mutex_unlock(&in->lock);
    for (int i = 0; i < n; i++) {
        if (!already[i])
            in->finish(events[i]->req, status);
    }
}

static enum rc connected(struct intake *in, struct err *e)
{
    if (in->conn.pg != NULL && conn_alive(&in->conn))
        return RC_OK;
    conn_close(&in->conn);
    return intake_batch_open(&in->conn, in->url, e);
}

static enum rc write_once(struct intake *in, struct intake_event **events, int n, struct err *e)
{
    enum rc rc = connected(in, e);

    if (rc == RC_OK)
        rc = intake_batch_write(&in->conn, &in->care, events, n, e);
    if (in->conn.broken)
        conn_close(&in->conn);
    return rc;
}

/* Writes; once more when nothing had happened and there is time. */
static enum rc write_batch(struct intake *in, struct intake_event **events, int n, struct err *e)
{
    enum rc rc = write_once(in, events, n, e);

    if (rc == RC_DOWN && events[0]->deadline_us - clock_mono_us() > RETRY_BEFORE_US)
        rc = write_once(in, events, n, e);
    return rc;
}

static bool refused(enum rc rc)
{
    return rc == RC_INVALID || rc == RC_BUG || rc == RC_DUPLICATE;
}

/* An event that the database refuses as it stands is kept under its digest, with nothing read from it. */
static enum rc write_as_dead_letter(struct intake *in, struct intake_event *ev, struct err *e)
{
    char hex[65];

    str_hex(hex, ev->digest, sizeof ev->digest);
    (void)str_fmt(ev->key, sizeof ev->key, "sha256:%s", hex);
    (void)str_copy(ev->dead_reason, sizeof ev->dead_reason, "refused_by_database");
    ev->shop_id[0] = 0;
    ev->entity[0] = 0;
    ev->topic = -1;
    ev->event_us = 0;
    free(ev->more_entities);
    ev->more_entities = NULL;
    return write_batch(in, &ev, 1, e);
}

/* One bad body must not hold others up: each on its own. */
static void write_singly(struct intake *in, struct intake_event **events, int n)
{
    for (int i = 0; i < n; i++) {
        struct err e = { 0 };
        enum rc rc = write_batch(in, &events[i], 1, &e);

        if (refused(rc))
            rc = write_as_dead_letter(in, events[i], &e);
        if (rc != RC_OK)
            LOG(LOG_ERROR, "intake", "an event could not be stored", LF_S("event", events[i]->key),
                LF_S("outcome", rc_name(rc)), LF_S("detail", e.text));
        answer(in, &events[i], 1, rc == RC_OK ? 200 : 503);
    }
}

static void commit_batch(struct intake *in, struct intake_event **events, int n)
{
    struct err e = { 0 };
    int64_t started = clock_mono_us();
    enum rc rc = write_batch(in, events, n, &e);

    metrics_observe_us("connector_intake_commit_seconds", NULL, clock_mono_us() - started);
    if (refused(rc)) {
        LOG(LOG_WARN, "intake", "a batch was refused, writing its events one by one",
            LF_I("events", n), LF_S("detail", e.text));
        write_singly(in, events, n);
        return;
    }
    if (rc != RC_OK) {
        LOG(LOG_WARN, "intake", "a batch could not be committed", LF_I("events", n),
            LF_S("outcome", rc_name(rc)), LF_S("detail", e.text));
        metrics_add("connector_events_refused_total", "why=\"database\"", n);
    }
    answer(in, events, n, rc == RC_OK ? 200 : 503);
    if (rc == RC_DOWN) { /* do not spin while nobody listens there */
        struct timespec pause = { .tv_nsec = DOWN_PAUSE_US * 1000 };

        (void)nanosleep(&pause, NULL);
    }
}

/* Takes what waits, up to a batch; waits for something. False: stopping and nothing is left. */
static bool batch_take(struct intake *in)
{
    size_t bytes = 0;

    (void)pthread_mutex_lock(&in->lock);
    for (int i = 0; i < in->n_batch; i++)
        intake_event_free(in->batch[i]);
    in->n_batch = 0;
    while (in->first == NULL && !in->stopping)
        (void)pthread_cond_wait(&in->arrived, &in->lock);
    while (in->first != NULL && in->n_batch < INTAKE_BATCH_MAX &&
           (in->n_batch == 0 || bytes + in->first->body_len <= BATCH_BYTES_MAX)) {
        bytes += in->first->body_len;
        in->batch[in->n_batch++] = queue_take(in);
    }
    (void)pthread_mutex_unlock(&in->lock);
    return in->n_batch > 0;
}

static void *committer_thread(void *arg)
{
    struct intake *in = arg;

    while (batch_take(in)) {
        struct intake_event *events[INTAKE_BATCH_MAX];

        memcpy(events, in->batch, sizeof events);
        commit_batch(in, events, in->n_batch);
    }
    conn_close(&in->conn);
    return NULL;
}

/* ---- start and stop ------------------------------------------------------------------------------ */

static void conditions_init(struct intake *in)
{
    pthread_condattr_t clock;

    (void)pthread_mutex_init(&in->lock, NULL);
    (void)pthread_condattr_init(&clock);
    (void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&in->arrived, &clock);
    (void)pthread_cond_init(&in->watch, &clock);
    (void)pthread_condattr_destroy(&clock);
}

static void intake_destroy(struct intake *in)
{
    (void)pthread_mutex_destroy(&in->lock);
    (void)pthread_cond_destroy(&in->arrived);
    (void)pthread_cond_destroy(&in->watch);
    if (in->url != NULL)
        sign_wipe(in->url, strlen(in->url));
    free(in->url);
    free(in);
}

static void stop_ask(struct intake *in)
{
    (void)pthread_mutex_lock(&in->lock);
    in->stopping = true;
    (void)pthread_cond_broadcast(&in->arrived);
    (void)pthread_cond_broadcast(&in->watch);
    (void)pthread_mutex_unlock(&in->lock);
}

enum rc intake_new_with(const char *database_url, intake_finish finish, struct intake **out,
                        struct err *e)
{
    struct intake *in = calloc(1, sizeof *in);
    pthread_attr_t attr;
    int failed = 0;

    if (in == NULL)
        return err_set(e, RC_BUG, "out of memory");
    in->finish = finish;
    conditions_init(in);
    in->url = str_dup(database_url);
    (void)pthread_attr_init(&attr);
    (void)pthread_attr_setstacksize(&attr, INTAKE_STACK_BYTES);
    failed = in->url == NULL ? 1 : pthread_create(&in->committer, &attr, committer_thread, in);
    if (failed == 0 && pthread_create(&in->watcher, &attr, watcher_thread, in) != 0) {
        stop_ask(in);
        (void)pthread_join(in->committer, NULL);
        failed = 1;
    }
    (void)pthread_attr_destroy(&attr);
    if (failed != 0) {
        intake_destroy(in);
        return err_set(e, RC_DOWN, "cannot start the intake's threads");
    }
    *out = in;
    return RC_OK;
}

enum rc intake_new(const char *database_url, struct intake **out, struct err *e)
{
    return intake_new_with(database_url, http_finish, out, e);
}

void intake_free(struct intake *in)
{
    if (in == NULL)
        return;
    stop_ask(in);
    (void)pthread_join(in->committer, NULL);
    stop_ask(in); /* the watcher leaves once the last batch is gone */
    (void)pthread_join(in->watcher, NULL);
    intake_destroy(in);
}
