/* order_authorize.c - tells VTEX that a placed order is paid, and makes sure that it was heard.
 *
 * Repeats: safe. The order's status is read first; one that is authorized already is not authorized again. */
#include "clock.h"
#include "fault.h"
#include "order_import.h"
#include "str.h"

#define CONFIRM_RETRY_S 1 /* VTEX moves an order on within a second or two; then ever less often */
#define MANUAL_RETRY_S 30
#define SLOW_CONFIRM_US (15 * 60 * US_PER_S)

static enum rc hold(struct import *im, const char *problem, const char *detail, const char *action,
                    const char *code, int first_s, struct err *e)
{
    return import_hold(im, "imported", problem, detail, action, code, first_s, e);
}

/* Again in a moment; nothing is wrong yet. */
static enum rc confirm_later(struct import *im, const char *status, struct err *e)
{
    int64_t since = im->row.now_us - im->row.step_us;
    enum rc rc;

    if (since > SLOW_CONFIRM_US)
        return hold(im, "not_confirmed", "VTEX accepted the order but does not move it on",
                    "look at the order in VTEX", NULL, MANUAL_RETRY_S, e);
    rc = err_code(e, RC_BUSY, "not_confirmed", "VTEX shows order %s as %s", im->row.vtex_order_id,
                  status);
    if (e)
        e->retry_after_us =
            since / 2 > CONFIRM_RETRY_S * US_PER_S ? since / 2 : CONFIRM_RETRY_S * US_PER_S;
    return rc;
}

/* Stages in which nothing is to be sent. RC_OK: go on, unless VTEX cancelled. */
static enum rc stage_check(struct import *im, const struct vtex_order *seen, struct err *e)
{
    switch (seen->stage) {
    case VTEX_STAGE_MANUAL:
        return hold(im, "waiting_manual_authorization",
                    "the price differs from VTEX's; VTEX waits for a person of the merchant",
                    "accept or refuse the price divergence in VTEX", NULL, MANUAL_RETRY_S, e);
    case VTEX_STAGE_CANCELLING:
        return hold(im, "vtex_cancelling", "somebody asked VTEX to cancel the order",
                    "decide about the cancellation in VTEX", NULL, MANUAL_RETRY_S, e);
    case VTEX_STAGE_CANCELLED:
        return import_vtex_cancelled(im, seen, e);
    case VTEX_STAGE_ERROR:
        return import_fail(im, "vtex_order_error", "VTEX could not create the order",
                           "look at the order in VTEX", NULL, e);
    case VTEX_STAGE_WAITING:
    case VTEX_STAGE_GOING:
        break;
    }
    return RC_OK;
}

static enum rc authorized_write(struct import *im, const char *event, const char *status,
                                const char *state, struct err *e)
{
    char detail[128] = "VTEX took the word that the order is paid";
    struct import_note note = { .state = state,
                                .step = "authorized",
                                .vtex_status = status,
                                .event = event,
                                .detail = detail,
                                .outcome = "ok" };

    if (status)
        (void)str_fmt(detail, sizeof detail, "VTEX shows the order as %s", status);
    return import_write(im, &note, e);
}

static enum rc refused(struct import *im, const struct vtex_refusal *no, struct err *e)
{
    char detail[400];

    (void)str_fmt(detail, sizeof detail, "VTEX refused the authorization: %s %s", no->code,
                  no->text);
    if (str_eq(no->error_class, "configuration"))
        return import_deny(im, "vtex_configuration", detail, no->code, e);
    if (str_eq(no->error_class, "payload") || str_eq(no->error_class, "terminal"))
        return import_fail(im, "authorization_refused", detail, "report it with the code of VTEX",
                           no->code, e);
    if (str_eq(no->error_class, "workflow")) /* too early, or done: the status says so next time */
        return hold(im, "not_ready_to_authorize", detail, "none: it is tried again", no->code,
                    CONFIRM_RETRY_S, e);
    return hold(im, "authorization_refused", detail, "look at the order in VTEX", no->code,
                MANUAL_RETRY_S, e);
}

/* The call was not sent or not accepted: the step goes back to placed, *e stays. */
static enum rc step_back(struct import *im, struct err *e)
{
    struct err why = *e;
    struct import_note note = { .step = "placed" };
    enum rc rc = import_write(im, &note, e);

    if (rc != RC_OK)
        return rc;
    *e = why;
    return why.rc;
}

static enum rc send_authorization(struct import *im, struct err *e)
{
    struct import_note before = { .step = "authorize_sent",
                                  .event = "authorize_sent",
                                  .detail = "VTEX is told that the order is paid" };
    struct vtex_refusal no = { 0 };
    enum rc rc = import_write(im, &before, e);

    if (rc != RC_OK)
        return rc;
    fault_point("order_authorize_before");
    rc = vtex_order_authorize(&im->vtex, im->row.vtex_order_id, im->row.order_id, &no, e);
    fault_point("order_authorize_sent");
    if (rc == RC_OK) {
        rc = authorized_write(im, "authorized", NULL, NULL, e);
        fault_point("order_authorized");
        return rc;
    }
    if (rc == RC_STOPPED && !str_eq(e->code, "not_sent"))
        return rc; /* the step stays: the next run looks it up */
    if (rc == RC_UNSURE || rc == RC_BUG)
        return import_settle(im, e);
    rc = step_back(im, e);
    if (rc == RC_INVALID || rc == RC_NOT_FOUND)
        return refused(im, &no, e);
    return rc == RC_DENIED
               ? import_deny(im, "vtex_denied", "VTEX refuses our credentials", no.code, e)
               : rc;
}

/* Reads the order until VTEX shows that it goes on. */
static enum rc confirm(struct import *im, struct err *e)
{
    struct vtex_order seen = { 0 };
    enum rc rc = vtex_order_get(&im->vtex, im->row.vtex_order_id, im->row.order_id, &seen, e);

    if (rc == RC_NOT_FOUND)
        return confirm_later(im, "not there yet", e);
    if (rc == RC_OK)
        rc = stage_check(im, &seen, e);
    if (rc != RC_OK || seen.stage == VTEX_STAGE_CANCELLED)
        return rc;
    if (seen.stage != VTEX_STAGE_GOING)
        return confirm_later(im, seen.status, e);
    return authorized_write(im, "confirmed", seen.status, "authorized", e);
}

enum rc import_authorize(struct import *im, struct err *e)
{
    struct vtex_order seen = { 0 };
    enum rc rc;

    if (str_eq(im->row.step, "authorized"))
        return confirm(im, e);
    rc = vtex_order_get(&im->vtex, im->row.vtex_order_id, im->row.order_id, &seen, e);
    if (rc == RC_NOT_FOUND)
        return confirm_later(im, "not there yet", e);
    if (rc == RC_OK)
        rc = stage_check(im, &seen, e);
    if (rc != RC_OK || seen.stage == VTEX_STAGE_CANCELLED)
        return rc;
    if (seen.stage == VTEX_STAGE_GOING)
        return authorized_write(im, "authorized", seen.status, "authorized", e);
    rc = send_authorization(im, e);
    return rc == RC_OK && str_eq(im->row.step, "authorized") ? confirm(im, e) : rc;
}
