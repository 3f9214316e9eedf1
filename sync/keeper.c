/* sync/keeper.c - the keeper thread's loop: hear, look, lease, claim, write ends, renew, wait. */
#include "cycle.h"

#include <string.h>

#include "log.h"
#include "metrics.h"

#define POLL_US (5 * US_PER_S)
#define TROUBLE_FIRST_MS 100
#define TROUBLE_MAX_MS 2000
#define LOOK_AGAIN_US (20 * US_PER_MS)
#define LIMIT_HEARD 10000 /* notifications taken before the next look */

/* Another's shop has work: the first such notice makes us look for leases at once, those that follow soon. */
static void look_for_leases(struct workers *w)
{
    int64_t soon = w->looked_us + LOOK_AGAIN_US;

    if (soon < w->next_lease_us)
        w->next_lease_us = soon;
}

/* A notice names a shop: ours gets a look, another's makes us look for leases. "" = anything may have changed. */
static void heard(struct workers *w, const char *shop_id)
{
    struct held *shop = NULL;

    (void)pthread_mutex_lock(&w->lock);
    if (shop_id[0] == '\0') {
        for (struct held *s = w->all; s != NULL; s = s->next)
            s->more_urgent = s->more_bulk = s->more_suspect = true;
        w->next_lease_us = 0;
    } else {
        shop = shop_find(w, shop_id);
        if (shop != NULL)
            shop->more_urgent = shop->more_bulk = shop->more_suspect = true;
        else
            look_for_leases(w);
    }
    (void)pthread_mutex_unlock(&w->lock);
}

/* How long nothing needs us, and from here on whoever ends a job wakes us. 0: something waits already. */
static int wait_ms(struct workers *w)
{
    int64_t now = clock_mono_us();
    int64_t until = now + POLL_US;
    int64_t due = 0;

    until = w->next_beat_us < until ? w->next_beat_us : until;
    (void)pthread_mutex_lock(&w->lock);
    due = cycle_due_us(w);
    until = due < until ? due : until;
    if (w->stopping)
        until = w->running == 0 || now >= w->stop_by_us ? now
                : w->stop_by_us < until                 ? w->stop_by_us
                                                        : until;
    w->keeper_waits = until > now;
    (void)pthread_mutex_unlock(&w->lock);
    return until <= now ? 0 : (int)((until - now + US_PER_MS - 1) / US_PER_MS);
}

static void listen(struct workers *w, int ms)
{
    char shop_id[80];
    struct err e = { 0 };
    enum rc rc = RC_OK;

    for (int i = 0; i < LIMIT_HEARD; i++) {
        rc = db_listener_wait(w->listener, i == 0 ? ms : 0, shop_id, sizeof shop_id, &e);
        if (rc != RC_OK)
            break;
        heard(w, shop_id);
    }
    (void)pthread_mutex_lock(&w->lock);
    w->keeper_waits = false;
    (void)pthread_mutex_unlock(&w->lock);
    if (rc == RC_DOWN) {
        heard(w, ""); /* notices may have been missed */
        clock_pause_ms(TROUBLE_FIRST_MS);
    }
}

static enum rc look(struct workers *w, struct err *e)
{
    bool worked = true;
    enum rc rc = care_run(w, e);

    if (rc == RC_OK)
        rc = cycle_run(w, &worked, e);
    if (rc == RC_OK)
        rc = care_release_idle(w, e);
    return rc;
}

static bool at_end(struct workers *w)
{
    bool end = false;

    (void)pthread_mutex_lock(&w->lock);
    end = w->stopping && (w->running == 0 || clock_mono_us() >= w->stop_by_us);
    for (struct held *s = w->all; end && s != NULL; s = s->next)
        if (!s->lost)
            shop_unqueue(w, s);
    (void)pthread_mutex_unlock(&w->lock);
    return end;
}

/* The last writes: ends of what ran, then everything back. */
static void finish(struct workers *w)
{
    struct err e = { 0 };
    bool worked = true;
    enum rc rc = RC_OK;

    for (int tries = 0; tries < 3; tries++) {
        do {
            rc = cycle_run(w, &worked, &e);
        } while (rc == RC_OK && worked);
        if (rc == RC_OK)
            rc = care_release_all(w, &e);
        if (rc == RC_OK)
            return;
        clock_pause_ms(TROUBLE_FIRST_MS);
    }
    LOG(LOG_ERROR, "worker", "leases could not be given back; they run out by themselves",
        LF_S("detail", e.text));
}

void *keeper_main(void *arg)
{
    struct workers *w = arg;
    int64_t poll_us = clock_mono_us() + POLL_US;
    int trouble_ms = 0;

    w->renewed_us = clock_mono_us();
    while (!at_end(w)) {
        struct err e = { 0 };
        enum rc rc = look(w, &e);

        if (rc != RC_OK) {
            trouble_ms = trouble_ms == 0 ? TROUBLE_FIRST_MS : trouble_ms * 2;
            trouble_ms = trouble_ms > TROUBLE_MAX_MS ? TROUBLE_MAX_MS : trouble_ms;
            LOG(rc == RC_DOWN ? LOG_WARN : LOG_ERROR, "worker",
                "the job engine could not reach its database", LF_S("outcome", rc_name(rc)),
                LF_S("detail", e.text));
            metrics_add("connector_engine_failures_total", NULL, 1);
            care_check_leases(w);
            clock_pause_ms(trouble_ms);
            continue;
        }
        trouble_ms = 0;
        if (clock_mono_us() >= poll_us) {
            heard(w, "");
            poll_us = clock_mono_us() + POLL_US;
        }
        listen(w, wait_ms(w));
    }
    finish(w);
    return NULL;
}
