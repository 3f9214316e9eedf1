/* order_settle.c - a placement or authorization whose end is unknown: look before anything is sent again.
 *
 * VTEX knows the order by an id that we can compute, so a look-up tells what became of the call. "Not there"
 * is believed only when it was said twice, the second time at least IN_DOUBT_SETTLE_SECONDS after the call. */
#include "clock.h"
#include "order_import.h"
#include "str.h"

#define LOOK_AGAIN_S 3

enum rc import_adopt(struct import *im, const char *event, const struct vtex_order *found,
                     struct err *e)
{
    char detail[256];
    struct import_note note = { .state = "imported",
                                .step = "placed",
                                .vtex_order_id = found->order_id,
                                .vtex_status = found->status,
                                .event = event,
                                .detail = detail,
                                .outcome = "ok" };

    (void)str_fmt(detail, sizeof detail, "VTEX holds the order as %s (%s)", found->order_id,
                  found->status[0] ? found->status : "no status yet");
    im->placed_now = true;
    return import_write(im, &note, e);
}

/* Asks to be run again when the next look-up is worth something. */
static enum rc look_later(const struct import *im, int64_t elapsed_us, struct err *e)
{
    int64_t settle = (int64_t)im->ctx->app->cfg.in_doubt_settle_seconds * US_PER_S;
    int64_t wait = settle - elapsed_us;
    int64_t least = LOOK_AGAIN_S * US_PER_S;
    enum rc rc = err_code(e, RC_BUSY, "in_doubt",
                          "the end of a call to VTEX is unknown; order %s is looked up again",
                          im->row.order_id);

    if (least > settle)
        least = settle > 0 ? settle : US_PER_MS;
    if (e)
        e->retry_after_us = wait > least ? wait : least;
    return rc;
}

/* VTEX said that what we sent has not happened. RC_OK: that is sure now, and the step goes back. */
static enum rc not_happened(struct import *im, const char *step_back, const char *state,
                            struct err *e)
{
    int64_t settle = (int64_t)im->ctx->app->cfg.in_doubt_settle_seconds * US_PER_S;
    int64_t elapsed = im->row.now_us - im->row.step_us; /* now_us is older than the look-up */
    bool sure = im->row.looked_up >= 1 && elapsed >= settle;
    struct import_note note = {
        .state = sure ? state : "in_doubt",
        .step = sure ? step_back : NULL,
        .problem = sure ? NULL : "in_doubt",
        .action = "none: it is looked up again",
        .event = sure ? "settled" : "looked_up",
        .detail = sure ? "VTEX does not have it after the settle time; it is sent again"
                       : "VTEX does not have it yet; looked up again before it is sent",
        .outcome = sure ? "ok" : "in_doubt",
        .looked_up = !sure
    };
    enum rc rc = import_write(im, &note, e);

    if (rc != RC_OK || sure)
        return rc;
    return look_later(im, elapsed, e);
}

static enum rc settle_place(struct import *im, struct err *e)
{
    struct vtex_order found = { 0 };
    enum rc rc = vtex_order_get(&im->vtex, im->vtex_order_id, im->row.order_id, &found, e);

    if (rc == RC_OK)
        return import_adopt(im, "placed", &found, e);
    return rc == RC_NOT_FOUND ? not_happened(im, "claimed", "importing", e) : rc;
}

static enum rc settle_authorize(struct import *im, struct err *e)
{
    struct vtex_order found = { 0 };
    struct import_note done = { .step = "authorized",
                                .event = "authorized",
                                .detail = "VTEX shows the order as authorized",
                                .outcome = "ok" };
    enum rc rc = vtex_order_get(&im->vtex, im->row.vtex_order_id, im->row.order_id, &found, e);

    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;
    if (rc == RC_OK && found.stage != VTEX_STAGE_WAITING && found.stage != VTEX_STAGE_MANUAL) {
        done.vtex_status = found.status;
        return import_write(im, &done, e);
    }
    return not_happened(im, "placed", "imported", e);
}

enum rc import_settle(struct import *im, struct err *e)
{
    struct import_note note = { .state = "in_doubt",
                                .problem = "in_doubt",
                                .action = "none: it is looked up before it is sent again",
                                .event = "in_doubt",
                                .detail = "the end of the last call to VTEX is unknown",
                                .outcome = "in_doubt" };
    enum rc rc = RC_OK;

    if (!str_eq(im->row.state, "in_doubt"))
        rc = import_write(im, &note, e);
    if (rc == RC_OK && str_eq(im->row.step, "place_sent"))
        rc = settle_place(im, e);
    else if (rc == RC_OK && str_eq(im->row.step, "authorize_sent"))
        rc = settle_authorize(im, e);
    return rc;
}
