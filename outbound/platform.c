/* What every call to a platform goes through: breaker, quota, attempt record, clock watch, counting. */
#include "platform.h"

#include "clock.h"
#include "jspec.h"
#include "log.h"
#include "metrics.h"
#include "platform_call.h"
#include "sign.h"
#include "str.h"

#include <stdlib.h>

#define QUOTA_WAIT_US (10 * US_PER_S)
#define PAUSE_FIRST_US US_PER_S
#define PAUSE_MAX_US (60 * US_PER_S)
#define RETRY_AFTER_MAX_US (900 * US_PER_S)
#define OFFSET_WARN_US (20 * US_PER_S)
#define OFFSET_WARN_EVERY_US (600 * US_PER_S)
#define OFFSET_MAX_US (86400 * US_PER_S)
#define OFFSET_MIN_US (2 * US_PER_S)

enum rc platform_new(const struct cfg *cfg, struct fetch *fetch, struct platform **out,
                     struct err *e)
{
    struct platform *p = calloc(1, sizeof(*p));
    enum rc rc;

    if (p == NULL)
        return err_set(e, RC_DOWN, "no memory for the platforms");
    p->cfg = cfg;
    p->fetch = fetch;
    rc = limits_new(&p->limits, e);
    if (rc != RC_OK) {
        free(p);
        return rc;
    }
    *out = p;
    return RC_OK;
}

void platform_free(struct platform *p)
{
    if (p == NULL)
        return;
    limits_free(p->limits);
    free(p);
}

struct fetch *platform_fetch(struct platform *p)
{
    return p->fetch;
}

int64_t platform_now_s(const struct platform *p)
{
    int64_t us = clock_now_us();

    if (atomic_load(&p->corrected))
        us += atomic_load(&p->offset_us);
    return us / US_PER_S;
}

bool platform_correct_clock(struct platform *p, const struct fetch_reply *reply)
{
    int64_t offset_us = atomic_load(&p->offset_us);

    if (reply->date_us == 0 || atomic_load(&p->corrected) ||
        (offset_us < OFFSET_MIN_US && offset_us > -OFFSET_MIN_US))
        return false;
    atomic_store(&p->corrected, true);
    return true;
}

/* The Date of an answer was written at some moment of its second. */
static void watch_clock(struct platform *p, const struct fetch_reply *reply)
{
    int64_t offset_us, size_us, now_us = clock_mono_us(), warned_us;

    if (reply->date_us == 0)
        return;
    offset_us = reply->date_us + US_PER_S / 2 - clock_now_us();
    size_us = offset_us < 0 ? -offset_us : offset_us;
    if (size_us > OFFSET_MAX_US)
        return;
    atomic_store(&p->offset_us, offset_us);
    warned_us = atomic_load(&p->warned_us);
    if (size_us <= OFFSET_WARN_US ||
        (warned_us != 0 && now_us - warned_us < OFFSET_WARN_EVERY_US) ||
        !atomic_compare_exchange_strong(&p->warned_us, &warned_us, now_us))
        return;
    LOG(LOG_WARN, "outbound", "our clock and the platform's differ",
        LF_I("offset_ms", offset_us / US_PER_MS));
}

static void count(const struct platform_call *call, enum rc rc)
{
    char labels[256];

    if (str_fmt(labels, sizeof(labels), "peer=\"%s\",operation=\"%s\",outcome=\"%s\"", call->peer,
                call->operation, rc_name(rc)))
        metrics_add("connector_calls_total", labels, 1);
}

static void observe(const struct platform_call *call)
{
    char labels[256];

    if (str_fmt(labels, sizeof(labels), "peer=\"%s\",operation=\"%s\"", call->peer,
                call->operation))
        metrics_observe_us("connector_call_seconds", labels, call->ms * US_PER_MS);
}

enum rc platform_begin(struct platform_attempt *a, struct err *e)
{
    struct limits *l = a->platform->limits;
    enum rc rc = breaker_enter(l, a->breaker_key, e);

    if (rc != RC_OK) {
        count(&a->call, rc);
        return rc;
    }
    rc = limit_take(l, a->quota_key, a->rule, a->lane, QUOTA_WAIT_US, a->stop, &a->pass, e);
    if (rc == RC_OK && a->call.writes && a->recorder->before != NULL) {
        a->call.started_us = clock_now_us();
        rc = a->recorder->before(a->recorder->user, &a->call, e);
        if (rc != RC_OK)
            limit_done(l, &a->pass, false);
    }
    if (rc != RC_OK) {
        breaker_cancel(l, a->breaker_key);
        count(&a->call, rc);
    }
    return rc;
}

enum rc platform_send(struct platform_attempt *a, const struct fetch_req *req,
                      struct fetch_reply *reply, struct err *e)
{
    struct limits *l = a->platform->limits;
    int64_t from_us = clock_mono_us();
    struct err own = { 0 };
    enum rc rc;

    if (a->call.started_us == 0)
        a->call.started_us = clock_now_us();
    a->call.bytes_out = (int64_t)req->body_len;
    limit_sent(l, &a->pass);
    rc = fetch_run(a->platform->fetch, req, reply, &own);
    a->call.ms = (clock_mono_us() - from_us) / US_PER_MS;
    if (rc == RC_OK) {
        a->call.http_status = reply->status;
        a->call.bytes_in = reply->body_bytes;
        watch_clock(a->platform, reply);
    }
    if (rc == RC_STOPPED)
        breaker_cancel(l, a->breaker_key);
    else
        breaker_leave(l, a->breaker_key, rc == RC_OK && reply->status < 500);
    limit_done(l, &a->pass, rc != RC_DOWN && !str_eq(own.code, "not_sent"));
    if (e != NULL)
        *e = own;
    return rc;
}

void platform_abandon(struct platform_attempt *a)
{
    limit_done(a->platform->limits, &a->pass, false);
    breaker_cancel(a->platform->limits, a->breaker_key);
}

/* Half to one and a half of a growing wait, so that callers do not come back together. */
static int64_t growing_us(int refusals)
{
    int64_t wait_us = PAUSE_FIRST_US;
    uint32_t random;

    for (int i = 1; i < refusals && wait_us < PAUSE_MAX_US; i++)
        wait_us *= 2;
    sign_random(&random, sizeof(random));
    return wait_us / 2 + (int64_t)((double)wait_us * (random / (double)UINT32_MAX));
}

/* How long the other side asked us to wait; 0 when it did not say. */
static int64_t asked_us(const struct fetch_reply *reply)
{
    int64_t wait_us = 0;
    char text[64];

    if (!fetch_reply_header(reply, "retry-after", text, sizeof(text)) &&
        !fetch_reply_header(reply, "ratelimit-reset", text, sizeof(text)))
        return 0;
    if (!clock_retry_after(text, &wait_us))
        return 0;
    return wait_us > RETRY_AFTER_MAX_US ? RETRY_AFTER_MAX_US : wait_us;
}

void platform_pause(struct platform_attempt *a, const struct fetch_reply *reply, int64_t unasked_us,
                    struct err *e)
{
    struct limits *l = a->platform->limits;
    int64_t least_us = asked_us(reply);
    int64_t wait_us = growing_us(limit_refusals(l, a->quota_key));

    if (least_us == 0)
        least_us = unasked_us;
    if (wait_us < least_us)
        wait_us = least_us;
    limit_pause(l, a->quota_key, wait_us);
    if (e != NULL)
        e->retry_after_us = wait_us;
}

void platform_retry_after(const struct fetch_reply *reply, struct err *e)
{
    if (e != NULL)
        e->retry_after_us = asked_us(reply);
}

enum rc platform_unanswered(const struct platform_attempt *a, enum rc rc, struct err *e)
{
    bool unsure = rc == RC_UNSURE || (rc == RC_INVALID && str_eq(e->code, "too_large"));

    if (unsure) /* a read does no harm when it is repeated */
        rc = a->call.writes ? RC_UNSURE : RC_DOWN;
    else if (rc == RC_INVALID)
        rc = RC_BUG; /* the address comes from our settings */
    e->rc = rc;
    return rc;
}

/* A write that was stopped after it had gone out is as open as one whose answer was lost. */
static enum rc outcome_to_record(const struct platform_attempt *a, enum rc rc, const struct err *e)
{
    if (rc == RC_STOPPED && a->call.writes && e != NULL && !str_eq(e->code, "not_sent"))
        return RC_UNSURE;
    return rc;
}

void platform_end(struct platform_attempt *a, enum rc rc, const struct err *e)
{
    if (rc == RC_OK)
        limit_calm(a->platform->limits, a->quota_key);
    a->call.rc = outcome_to_record(a, rc, e);
    if (a->call.platform_text == NULL)
        a->call.platform_text = "";
    if (a->call.request_id == NULL)
        a->call.request_id = "";
    count(&a->call, rc);
    observe(&a->call);
    if (a->recorder->after != NULL)
        a->recorder->after(a->recorder->user, &a->call);
    LOG(LOG_DEBUG, "outbound", "call", LF_S("peer", a->call.peer),
        LF_S("operation", a->call.operation), LF_S("outcome", rc_name(a->call.rc)),
        LF_I("status", a->call.http_status), LF_I("code", a->call.platform_code),
        LF_S("request_id", a->call.request_id), LF_I("ms", a->call.ms));
}
