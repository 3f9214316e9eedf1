/* order_cancel.c - an order that ended on one side ends on the other too.
 *
 * Repeats: safe. Both sides are read before anything is sent; what began on a side is never sent back to it, because
 * that side shows it already. VTEX takes a repeated request as one, TikTok refuses a second one by its code. */
#include "clock.h"
#include "db_aftersale.h"
#include "fault.h"
#include "jspec.h"
#include "order_import.h"
#include "str.h"
#include "tiktok_aftersale.h"

#include <string.h>

#define CONFIRM_S 1     /* the other side shows it a moment later */
#define MERCHANT_S 30   /* a person of the merchant decides */
#define ASK_AGAIN_S 120 /* accepted, but nothing moved */
#define WAIT_MAX_S 1800
#define TOLD_US (120 * US_PER_S) /* VTEX shows a cancellation that it told of within this */

/* Waits visibly, the longer the longer the cancellation stands; RC_BUSY. */
static enum rc wait_for(struct import *im, const struct import_note *what, int first_s,
                        struct err *e)
{
    struct import_note note = *what;
    bool known = str_eq(im->row.problem, note.problem);
    int64_t since;
    enum rc rc;

    if (known)
        note.event = note.outcome = NULL;
    rc = import_write(im, &note, e);
    if (rc != RC_OK)
        return rc;
    since = im->row.cancel_us > 0 ? (im->row.now_us - im->row.cancel_us) / 4 : 0;
    rc = err_code(e, RC_BUSY, "cancelling", "the cancellation of order %s is not over yet",
                  im->row.order_id);
    im->held = first_s >= MERCHANT_S;
    if (e) {
        e->retry_after_us = since > first_s * US_PER_S ? since : first_s * US_PER_S;
        if (e->retry_after_us > WAIT_MAX_S * US_PER_S)
            e->retry_after_us = WAIT_MAX_S * US_PER_S;
    }
    return rc;
}

/* It stays as it is until a person did something; the job is done. */
static enum rc alert(struct import *im, const char *step, const char *problem, const char *detail,
                     const char *action, const char *code, struct err *e)
{
    char text[400];
    struct import_note note = { .state = im->row.state,
                                .problem = problem,
                                .action = action,
                                .event = problem,
                                .detail = text,
                                .outcome = "refused",
                                .platform_code = code,
                                .cancel_step = step };
    char state[sizeof im->row.state];

    (void)str_copy(state, sizeof state, im->row.state);
    note.state = str_eq(im->row.tiktok_status, "CANCELLED") ? "cancelled" : state;
    str_copy_cut(text, sizeof text, detail);
    if (str_eq(im->row.problem, problem) && str_eq(im->row.cancel_step, step))
        return RC_OK;
    return import_write(im, &note, e);
}

static enum rc seen_write(struct import *im, const struct vtex_order *seen, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    int64_t due = im->row.vtex_due_us;
    enum rc rc = job_tx_begin(im->ctx, "order_vtex_seen", &tx, e);

    if (rc == RC_OK)
        rc = db_order_vtex_seen(tx, im->row.shop_id, im->row.order_id,
                                seen->status[0] ? seen->status : NULL, due, e);
    if (rc == RC_OK)
        rc = db_order_get(tx, im->row.shop_id, im->row.order_id, &im->row, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

/* ---- TikTok cancelled: VTEX follows --------------------------------------------------------------- */

static enum rc vtex_done(struct import *im, struct err *e)
{
    struct import_note note = { .state = "cancelled",
                                .event = "cancelled_in_vtex",
                                .detail = "VTEX shows the order as cancelled",
                                .outcome = "ok",
                                .cancel_step = "vtex_done" };

    if (str_eq(im->row.cancel_step, "vtex_done") && str_eq(im->row.state, "cancelled"))
        return RC_OK;
    return import_write(im, &note, e);
}

static enum rc vtex_refused(struct import *im, const struct vtex_refusal *no, struct err *e)
{
    char text[400];

    (void)str_fmt(text, sizeof text, "VTEX refused the cancellation: %s %s", no->code, no->text);
    if (str_eq(no->error_class, "workflow") && !str_eq(im->row.cancel_step, "vtex_refused")) {
        struct import_note note = { .state = "cancelled",
                                    .problem = "vtex_cancel_waits",
                                    .action = "none: it is asked again",
                                    .event = "vtex_cancel_waits",
                                    .detail = text,
                                    .outcome = "waiting",
                                    .platform_code = no->code };

        return wait_for(im, &note, MERCHANT_S, e);
    }
    return alert(im, "vtex_refused", "vtex_cancel_refused", text,
                 "cancel the order in VTEX or take it back with a return invoice", no->code, e);
}

static bool buyer_began(const struct import *im)
{
    return !str_eq(jspec_text(im->order, "cancellation_initiator"), "SELLER");
}

/* Accepted: VTEX shows the end of it a moment later. */
static enum rc vtex_asked(struct import *im, struct err *e)
{
    struct import_note note = { .state = "cancelled",
                                .problem = "vtex_cancel_asked",
                                .action = "none: it is read again",
                                .event = "vtex_cancel_asked",
                                .detail = "VTEX took the request to cancel",
                                .outcome = "ok",
                                .cancel_step = "vtex_asked" };

    return wait_for(im, &note, CONFIRM_S, e);
}

static enum rc vtex_ask(struct import *im, struct err *e)
{
    struct import_note before = { .state = "cancelled",
                                  .problem = "vtex_cancel_asked",
                                  .action = "none: it is read again",
                                  .event = "vtex_cancel_sent",
                                  .detail = "VTEX is asked to cancel the order",
                                  .cancel_step = "vtex_sent",
                                  .cancel_by = "tiktok" };
    const char *why = jspec_text(im->order, "cancel_reason");
    struct vtex_refusal no = { 0 };
    char reason[160];
    enum rc rc;

    if (str_eq(im->row.cancel_by, "operator"))
        before.cancel_by = NULL;
    (void)str_fmt(reason, sizeof reason, "TikTok Shop: %.120s",
                  why && why[0] ? why : "order cancelled");
    rc = import_write(im, &before, e);
    if (rc != RC_OK)
        return rc;
    fault_point("order_cancel_vtex_before");
    rc = vtex_order_cancel(&im->vtex, im->row.vtex_order_id, im->row.order_id, reason,
                           buyer_began(im), &no, e);
    fault_point("order_cancel_vtex_sent");
    if (rc == RC_OK || rc == RC_UNSURE)
        return vtex_asked(im, e);
    if (rc == RC_INVALID)
        return vtex_refused(im, &no, e);
    return rc;
}

/* The merchant decides; TikTok has cancelled already. */
static enum rc vtex_merchant(struct import *im, struct err *e)
{
    struct import_note note = { .state = "cancelled",
                                .problem = "vtex_cancel_requested",
                                .action = "accept the cancellation in VTEX: TikTok has cancelled",
                                .event = "vtex_cancel_requested",
                                .detail = "the request to cancel waits for the merchant in VTEX",
                                .outcome = "waiting" };

    return wait_for(im, &note, MERCHANT_S, e);
}

static enum rc vtex_not_there(struct import *im, struct err *e)
{
    struct import_note note = { .state = "cancelled",
                                .problem = "vtex_cancel_waits",
                                .action = "none: it is looked up again",
                                .event = "vtex_cancel_waits",
                                .detail = "VTEX does not show the order that is to be cancelled",
                                .outcome = "waiting" };

    return wait_for(im, &note, MERCHANT_S, e);
}

enum rc import_cancel_vtex(struct import *im, struct err *e)
{
    bool over =
        str_eq(im->row.cancel_step, "vtex_done") || str_eq(im->row.cancel_step, "vtex_refused");
    bool asked = str_eq(im->row.cancel_step, "vtex_asked");
    struct vtex_order seen = { 0 };
    enum rc rc;

    if (over && str_eq(im->row.state, "cancelled") && im->row.vtex_due_us == 0)
        return RC_OK;
    rc = import_vtex_open(im, e);
    if (rc == RC_OK)
        rc = vtex_order_get(&im->vtex, im->row.vtex_order_id, im->row.order_id, &seen, e);
    if (rc == RC_NOT_FOUND)
        return vtex_not_there(im, e);
    if (rc == RC_OK)
        rc = seen_write(im, &seen, e);
    if (rc != RC_OK)
        return rc;
    if (seen.stage == VTEX_STAGE_CANCELLED)
        return vtex_done(im, e);
    if (seen.invoiced)
        return alert(im, "vtex_refused", "vtex_invoiced",
                     "TikTok cancelled the order after VTEX invoiced it",
                     "take the order back in VTEX with a return invoice", NULL, e);
    if (seen.has_invoices)
        return alert(im, "vtex_refused", "vtex_partly_invoiced",
                     "TikTok cancelled the order after VTEX invoiced a part of it",
                     "cancel the rest in VTEX and take back what was invoiced", NULL, e);
    if (seen.cancel_denied)
        return alert(im, "vtex_refused", "vtex_cancel_denied",
                     "the merchant refused the cancellation in VTEX, but TikTok has cancelled",
                     "cancel the order in VTEX: the buyer has the money back", NULL, e);
    if (seen.stage == VTEX_STAGE_CANCELLING || seen.cancel_pending)
        return seen.cancel_pending || str_eq(seen.status, "cancellation-requested")
                   ? vtex_merchant(im, e)
                   : vtex_asked(im, e);
    if (asked && im->row.now_us - im->row.cancel_us < ASK_AGAIN_S * US_PER_S)
        return vtex_asked(im, e);
    return vtex_ask(im, e);
}

/* ---- VTEX or a person cancelled: TikTok follows -------------------------------------------------- */

static const char *seller_reason(const struct import *im)
{
    const char *policy = jspec_text(im->client.policies, "cancel.seller_reason");

    if (im->row.cancel_reason[0])
        return im->row.cancel_reason;
    return policy ? policy : CANCEL_REASON_SELLER;
}

/* A buyer's request that waits is answered with yes instead of a second cancellation. *answered: it was. */
static enum rc buyer_request(struct import *im, bool *answered, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    struct aftersale list[AFTERSALE_LIST_MAX];
    bool taken = false;
    int n = 0;
    enum rc rc = job_tx_begin(im->ctx, "order_request", &tx, e);

    *answered = false;
    if (rc == RC_OK)
        rc = db_aftersale_of_order(tx, im->row.shop_id, im->row.order_id, list, &n, e);
    for (int i = 0; rc == RC_OK && i < n; i++) {
        if (!str_eq(list[i].kind, "cancellation") || !list[i].pending)
            continue;
        *answered = true;
        rc = db_aftersale_answer(tx, im->row.shop_id, list[i].id, "approve", NULL, NULL,
                                 im->row.cancel_by, &taken, e);
    }
    if (rc == RC_OK && *answered)
        rc = db_aftersale_read_put(tx, im->row.client_id, im->row.shop_id, im->row.order_id, 0, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc tiktok_wait(struct import *im, const char *step, const char *detail, struct err *e)
{
    struct import_note note = { .state = NULL,
                                .problem = "tiktok_cancel_asked",
                                .action = "none: it is read again",
                                .event = "tiktok_cancel_asked",
                                .detail = detail,
                                .outcome = "ok",
                                .cancel_step = step };
    char state[sizeof im->row.state];

    (void)str_copy(state, sizeof state, im->row.state);
    note.state = state;
    return wait_for(im, &note, CONFIRM_S, e);
}

static enum rc tiktok_refused(struct import *im, const struct err *why, struct err *e)
{
    char text[400];
    char code[24];

    (void)str_fmt(code, sizeof code, "%lld", (long long)why->platform_code);
    (void)str_fmt(text, sizeof text, "TikTok refused the cancellation: %.300s", why->text);
    return alert(im, "tiktok_refused", "tiktok_cancel_refused", text,
                 str_eq(im->row.cancel_by, "vtex")
                     ? "the order is cancelled in VTEX: settle it with the buyer in TikTok"
                     : "choose another reason or settle it with the buyer in TikTok",
                 code, e);
}

static enum rc tiktok_ask(struct import *im, struct err *e)
{
    OWN_TIKTOK struct tiktok_session s = { 0 };
    struct import_note before = { .event = "tiktok_cancel_sent",
                                  .detail = "TikTok is asked to cancel the order",
                                  .cancel_step = "tiktok_sent" };
    enum rc rc = session_tiktok_open(im->ctx, &s, e);

    if (rc == RC_OK)
        rc = import_write(im, &before, e);
    if (rc != RC_OK)
        return rc;
    fault_point("order_cancel_tiktok_before");
    rc = tiktok_order_cancel(&s, im->row.order_id, seller_reason(im), im->request_id, e);
    fault_point("order_cancel_tiktok_sent");
    if (rc == RC_OK)
        return tiktok_wait(im, "tiktok_asked", "TikTok took the cancellation", e);
    if (rc == RC_UNSURE)
        return tiktok_wait(im, "tiktok_sent", "TikTok's answer was lost; the order is read", e);
    if (rc == RC_INVALID && (e->platform_code == TIKTOK_CODE_CANCEL_EXISTS ||
                             e->platform_code == TIKTOK_CODE_ORDER_OVER))
        return tiktok_wait(im, "tiktok_asked", "TikTok has a cancellation of the order already", e);
    if (rc == RC_INVALID || (rc == RC_DENIED && e->platform_code == TIKTOK_CODE_SCOPE)) {
        struct err why = *e;

        return tiktok_refused(im, &why, e);
    }
    return rc;
}

enum rc import_cancel_tiktok(struct import *im, struct err *e)
{
    static const char *const gone[] = { "IN_TRANSIT", "DELIVERED", "COMPLETED" };
    bool asked = str_eq(im->row.cancel_step, "tiktok_asked");
    bool answered = false;
    enum rc rc;

    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++) {
        if (str_eq(im->row.tiktok_status, gone[i]))
            return alert(im, "tiktok_refused", "tiktok_cannot_cancel",
                         "the order is to be cancelled, but TikTok shows it as shipped",
                         "settle it with the buyer in TikTok, or stop the parcel", NULL, e);
    }
    if (asked && im->row.now_us - im->row.cancel_us < ASK_AGAIN_S * US_PER_S)
        return tiktok_wait(im, "tiktok_asked", "TikTok took the cancellation", e);
    rc = buyer_request(im, &answered, e);
    if (rc == RC_OK && answered)
        return tiktok_wait(im, im->row.cancel_step, "the buyer's request to cancel is approved", e);
    return rc == RC_OK ? tiktok_ask(im, e) : rc;
}

bool import_cancel_wanted(const struct import *im)
{
    return str_eq(im->row.cancel_step, "tiktok_wanted") ||
           str_eq(im->row.cancel_step, "tiktok_sent") ||
           str_eq(im->row.cancel_step, "tiktok_asked");
}

enum rc import_vtex_cancelled(struct import *im, const struct vtex_order *seen, struct err *e)
{
    struct import_note note = { .event = "cancelled_in_vtex",
                                .detail = "VTEX cancelled the order; TikTok is told",
                                .outcome = "ok",
                                .vtex_status = seen->status,
                                .step = im->row.step,
                                .cancel_step = "tiktok_wanted",
                                .cancel_by = "vtex" };
    char step[sizeof im->row.step];
    enum rc rc = RC_OK;

    (void)str_copy(step, sizeof step, im->row.step);
    note.step = step;
    if (str_eq(im->row.cancel_step, "tiktok_refused") || str_eq(im->row.cancel_step, "tiktok_done"))
        return RC_OK;
    if (!import_cancel_wanted(im))
        rc = import_write(im, &note, e);
    return rc == RC_OK ? import_cancel_tiktok(im, e) : rc;
}

/* VTEX said that it cancels, but its order does not show that yet: the mark stays and it is read again. */
static enum rc told_early(const struct import *im, struct err *e)
{
    enum rc rc = err_code(e, RC_BUSY, "vtex_cancel_told",
                          "VTEX said that it cancels order %s, which does not show it yet",
                          im->row.order_id);

    if (e)
        e->retry_after_us = CONFIRM_S * US_PER_S;
    return rc;
}

enum rc import_vtex_look(struct import *im, struct err *e)
{
    struct vtex_order seen = { 0 };
    int64_t told_us =
        im->row.vtex_cancel_told_us > 0 ? im->row.now_us - im->row.vtex_cancel_told_us : 0;
    enum rc rc = import_vtex_open(im, e);

    if (rc == RC_OK)
        rc = vtex_order_get(&im->vtex, im->row.vtex_order_id, im->row.order_id, &seen, e);
    if (rc == RC_OK && told_us > 0 && told_us < TOLD_US && seen.stage == VTEX_STAGE_GOING)
        return told_early(im, e);
    if (rc == RC_OK || rc == RC_NOT_FOUND)
        rc = seen_write(im, &seen, e);
    if (rc != RC_OK)
        return rc;
    if (seen.stage == VTEX_STAGE_CANCELLED || str_eq(seen.status, "cancel"))
        return import_vtex_cancelled(im, &seen, e);
    return RC_OK;
}
