/* Call quotas that the other side can never count as exceeded, whatever it measures by.
 *
 * A key owns as many slots as calls are allowed in a second. A call takes a slot and the slot becomes free one
 * second after the call's arrival there. When it arrived is not known, but it was before its answer: freeing the
 * slot one second after the answer is always safe, and costs little while answers are fast. When even the
 * fastest answer is slow, it would waste quota: then the arrival is taken to be at most TRAVEL_US after sending,
 * unless a refusal proved otherwise lately. (The fastest, because a busy machine makes single answers slow.) */
#include "limit.h"

#include "clock.h"
#include "limit_table.h"
#include "str.h"

#include <stdlib.h>

#define WINDOW_US (US_PER_S + 2 * US_PER_MS)
#define TRAVEL_US (40 * US_PER_MS)
#define SLOW_ANSWER_US (50 * US_PER_MS)
#define FASTEST_OF 50
#define CAREFUL_US (120 * US_PER_S)
#define STEADY_US (600 * US_PER_S)
#define SLICE_US (100 * US_PER_MS)
#define NEVER INT64_MAX

static int64_t min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int at_once_of(const struct limit_bucket *b)
{
    return b->rule.at_once > 0 ? b->rule.at_once : b->calls;
}

/* The next moment when somebody may pass: 0 = now, NEVER = when a call ends. */
static int64_t next_us(const struct limit_bucket *b, int64_t now_us, int *slot)
{
    int64_t best_us = NEVER;

    *slot = -1;
    if (b->in_flight >= at_once_of(b))
        return NEVER;
    for (int i = 0; i < b->calls; i++) {
        if (b->free_us[i] < best_us) {
            best_us = b->free_us[i];
            *slot = i;
        }
    }
    if (best_us < b->paused_us)
        best_us = b->paused_us;
    return best_us <= now_us ? 0 : best_us;
}

/* A wait that cannot be kept is refused at once: the pause, or those before us, take too long. */
static int64_t hopeless_us(const struct limit_bucket *b, int lane, int64_t now_us, int64_t end_us)
{
    int64_t queue_us = 0;

    for (const struct limit_waiter *w = b->first; w != NULL && w->lane <= lane; w = w->next)
        queue_us += US_PER_S / b->calls;
    if (b->paused_us > end_us)
        return b->paused_us - now_us;
    return now_us + queue_us > end_us ? queue_us : 0;
}

static void waiter_add(struct limit_bucket *b, struct limit_waiter *w)
{
    struct limit_waiter **at = &b->first;

    while (*at != NULL && (*at)->lane <= w->lane)
        at = &(*at)->next;
    w->next = *at;
    *at = w;
}

static void waiter_remove(struct limit_bucket *b, const struct limit_waiter *w)
{
    struct limit_waiter **at = &b->first;

    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
}

static void wake_first(struct limit_bucket *b)
{
    if (b->first != NULL)
        (void)pthread_cond_signal(&b->first->turn); /* cannot fail */
}

static void sleep_until(struct limits *l, struct limit_waiter *w, int64_t until_us)
{
    struct timespec t = { .tv_sec = (time_t)(until_us / US_PER_S),
                          .tv_nsec = (long)(until_us % US_PER_S * 1000) };

    (void)pthread_cond_timedwait(&w->turn, &l->lock, &t); /* a timeout is as good as a signal */
}

/* Waits in line; the lock is held. Returns the wait to report, 0 when a slot was taken, -1 when stopped. */
static int64_t wait_turn(struct limits *l, struct limit_bucket *b, int lane, int64_t end_us,
                         const atomic_bool *stop, int *slot)
{
    struct limit_waiter self = { .lane = lane };
    int64_t now_us = clock_mono_us(), left_us = hopeless_us(b, lane, now_us, end_us), at_us;

    if (left_us > 0)
        return left_us;
    limit_waiter_init(&self);
    waiter_add(b, &self);
    for (;;) {
        now_us = clock_mono_us();
        at_us = b->first == &self ? next_us(b, now_us, slot) : NEVER;
        if (at_us == 0 || now_us >= end_us || b->paused_us > end_us ||
            (stop != NULL && atomic_load(stop)))
            break;
        sleep_until(l, &self, min64(min64(at_us, end_us), now_us + SLICE_US));
    }
    waiter_remove(b, &self);
    limit_waiter_done(&self);
    if (at_us == 0) {
        b->free_us[*slot] = NEVER;
        b->in_flight++;
        left_us = 0;
    } else if (b->paused_us > now_us) {
        left_us = b->paused_us - now_us;
    } else {
        left_us = now_us >= end_us ? US_PER_S : -1;
    }
    wake_first(b);
    return left_us;
}

enum rc limit_take(struct limits *l, const char *key, struct limit_rule rule, int lane,
                   int64_t max_wait_us, const atomic_bool *stop, struct limit_pass *out,
                   struct err *e)
{
    struct limit_bucket *b;
    int64_t left_us;
    int slot = -1;

    if (rule.calls < 1 || rule.calls > LIMIT_CALLS_MAX || rule.grows_to > LIMIT_CALLS_MAX)
        return err_set(e, RC_BUG, "a quota of %d calls", rule.calls);
    limits_lock(l);
    b = limits_bucket(l, key, rule);
    if (b == NULL) {
        limits_unlock(l);
        return err_set(e, RC_DOWN, "no memory for a quota");
    }
    left_us = wait_turn(l, b, lane, clock_mono_us() + max_wait_us, stop, &slot);
    b->used_us = clock_mono_us();
    limits_unlock(l);
    if (left_us < 0)
        return err_code(e, RC_STOPPED, "not_sent", "stopped while waiting for the quota");
    if (left_us > 0) {
        (void)err_code(e, RC_BUSY, "quota", "the quota is used up for now"); /* the code is ours */
        if (e != NULL)
            e->retry_after_us = left_us;
        return RC_BUSY;
    }
    *out = (struct limit_pass){ .bucket = b, .slot = slot };
    return RC_OK;
}

static bool is_far(const struct limit_bucket *b)
{
    return b->fastest_us > SLOW_ANSWER_US && (b->n_answers == 0 || b->faster_us > SLOW_ANSWER_US);
}

/* Keeps the fastest answer of the last FASTEST_OF, and of those since. */
static void note_answer(struct limit_bucket *b, int64_t took_us)
{
    if (b->n_answers == 0 || took_us < b->faster_us)
        b->faster_us = took_us;
    if (++b->n_answers == FASTEST_OF) {
        b->fastest_us = b->faster_us;
        b->n_answers = 0;
    }
}

void limit_sent(struct limits *l, struct limit_pass *pass)
{
    int64_t now_us = clock_mono_us();

    limits_lock(l);
    pass->sent_us = now_us;
    if (now_us >= pass->bucket->careful_us && is_far(pass->bucket))
        pass->bucket->free_us[pass->slot] = now_us + TRAVEL_US + WINDOW_US;
    limits_unlock(l);
}

/* A second of waiting without a refusal earns more. */
static void grow(struct limit_bucket *b, int64_t now_us)
{
    int more = b->calls + b->calls / 2 + 1;

    if (b->calls >= b->rule.grows_to || b->first == NULL || now_us < b->steady_us ||
        now_us - b->grown_us < WINDOW_US)
        return;
    b->calls = more < b->rule.grows_to ? more : b->rule.grows_to;
    b->grown_us = now_us;
}

static void shrink(struct limit_bucket *b, int64_t now_us)
{
    b->calls = b->calls / 2 > b->rule.calls ? b->calls / 2 : b->rule.calls;
    b->steady_us = now_us + STEADY_US;
}

void limit_done(struct limits *l, struct limit_pass *pass, bool sent)
{
    struct limit_bucket *b = pass->bucket;
    int64_t now_us = clock_mono_us();

    if (b == NULL)
        return;
    limits_lock(l);
    b->free_us[pass->slot] = sent ? min64(b->free_us[pass->slot], now_us + WINDOW_US) : 0;
    if (sent && pass->sent_us != 0)
        note_answer(b, now_us - pass->sent_us);
    b->in_flight--;
    b->used_us = now_us;
    if (sent)
        grow(b, now_us);
    wake_first(b);
    limits_unlock(l);
    pass->bucket = NULL;
}

void limit_pause(struct limits *l, const char *key, int64_t wait_us)
{
    int64_t now_us = clock_mono_us();
    struct limit_bucket *b;

    limits_lock(l);
    b = limits_find(l, key);
    if (b != NULL) {
        if (b->paused_us < now_us + wait_us)
            b->paused_us = now_us + wait_us;
        b->careful_us = now_us + CAREFUL_US;
        shrink(b, now_us);
        b->refusals++;
    }
    limits_unlock(l);
}

int limit_refusals(struct limits *l, const char *key)
{
    struct limit_bucket *b;
    int n;

    limits_lock(l);
    b = limits_find(l, key);
    n = b != NULL ? b->refusals : 0;
    limits_unlock(l);
    return n;
}

void limit_calm(struct limits *l, const char *key)
{
    struct limit_bucket *b;

    limits_lock(l);
    b = limits_find(l, key);
    if (b != NULL)
        b->refusals = 0;
    limits_unlock(l);
}
