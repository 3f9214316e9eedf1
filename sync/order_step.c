/* order_step.c - each step of an order in one short transaction: row, life line and log together. */
#include "clock.h"
#include "db_aftersale.h"
#include "db_values.h"
#include "order_import.h"
#include "str.h"

#include <string.h>

#define HOLD_MAX_S 1800
#define HOLD_LONG_S 30 /* a run does not wait this long for an order */

static enum rc note_row(struct db_tx *tx, struct import *im, const struct import_note *note,
                        struct err *e)
{
    const struct order_row *row = &im->row;
    enum rc rc = RC_OK;

    if (note->step)
        rc = db_order_step_set(tx, row->shop_id, row->order_id, note->step, note->vtex_order_id,
                               note->vtex_status, e);
    if (rc == RC_OK && note->state)
        rc = db_order_state_set(tx, row->shop_id, row->order_id, note->state, note->problem,
                                note->detail, note->action, e);
    if (rc == RC_OK && note->cancel_step)
        rc = db_order_cancel_set(tx, row->shop_id, row->order_id, note->cancel_step,
                                 note->cancel_by, note->cancel_reason, e);
    if (rc == RC_OK && note->looked_up)
        rc = db_order_looked_up(tx, row->shop_id, row->order_id, e);
    /* from now on VTEX counts it, or nobody does */
    if (rc == RC_OK && (str_eq(note->step, "placed") || str_eq(note->state, "cancelled")))
        rc = db_value_note_order(tx, row->shop_id, row->order_id, e);
    return rc;
}

static enum rc note_lines(struct db_tx *tx, struct import *im, const struct import_note *note,
                          struct err *e)
{
    const struct order_row *row = &im->row;
    const char *new_state = note->state ? note->state : row->state;
    enum rc rc = RC_OK;

    if (note->event)
        rc = db_order_timeline_add(tx, row->client_id, row->shop_id, row->order_id, note->event,
                                   note->detail, note->by ? note->by : "job", im->request_id, e);
    if (rc == RC_OK && note->outcome)
        rc = db_order_log(tx, row->client_id, row->shop_id, row->order_id, row->state, new_state,
                          note->outcome, note->platform_code, im->request_id, im->ctx->job->run_id,
                          note->detail, e);
    return rc;
}

enum rc import_write(struct import *im, const struct import_note *note, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    struct order_row row = { 0 };
    enum rc rc = job_tx_begin(im->ctx, "order_step", &tx, e);

    if (rc == RC_OK)
        rc = note_row(tx, im, note, e);
    if (rc == RC_OK)
        rc = note_lines(tx, im, note, e);
    if (rc == RC_OK)
        rc = db_order_get(tx, im->row.shop_id, im->row.order_id, &row, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc == RC_OK)
        im->row = row;
    return rc;
}

/* Longer waits the longer nothing has moved. */
static int64_t hold_us(const struct import *im, int first_s)
{
    int64_t asked = im->ctx->job->first_due_us;
    int64_t since = im->row.step_us > 0 ? im->row.now_us - im->row.step_us : 0;
    int64_t wait = since / 4;

    if (asked > 0 && (im->row.now_us - asked) / 4 > wait)
        wait = (im->row.now_us - asked) / 4;

    if (wait < first_s * US_PER_S)
        wait = first_s * US_PER_S;
    return wait < HOLD_MAX_S * US_PER_S ? wait : HOLD_MAX_S * US_PER_S;
}

enum rc import_hold(struct import *im, const char *state, const char *problem, const char *detail,
                    const char *action, const char *platform_code, int first_s, struct err *e)
{
    bool known = str_eq(im->row.state, state) && str_eq(im->row.problem, problem);
    char text[512];
    struct import_note note = { .state = state,
                                .problem = problem,
                                .action = action,
                                .event = known ? NULL : problem,
                                .detail = text,
                                .outcome = known ? NULL : "waiting",
                                .platform_code = platform_code };
    enum rc rc;

    str_copy_cut(text, sizeof text, detail); /* it may stand in *e */
    rc = import_write(im, &note, e);
    if (rc != RC_OK)
        return rc;
    rc = err_code(e, RC_BUSY, problem, "order %s waits: %s", im->row.order_id, text);
    im->held = first_s >= HOLD_LONG_S;
    if (e)
        e->retry_after_us = hold_us(im, first_s);
    return rc;
}

enum rc import_fail(struct import *im, const char *problem, const char *detail, const char *action,
                    const char *platform_code, struct err *e)
{
    char text[512];
    struct import_note note = { .state = "failed",
                                .problem = problem,
                                .action = action,
                                .event = "failed",
                                .detail = text,
                                .outcome = "failed",
                                .platform_code = platform_code };
    enum rc rc;

    str_copy_cut(text, sizeof text, detail);
    rc = import_write(im, &note, e);
    return rc == RC_OK ? err_code(e, RC_INVALID, problem, "%s", text) : rc;
}

enum rc import_deny(struct import *im, const char *problem, const char *detail,
                    const char *platform_code, struct err *e)
{
    bool known = str_eq(im->row.problem, problem);
    char text[512];
    struct import_note note = {
        .state = strstr(im->row.step, "sent") || str_eq(im->row.step, "authorized") ? im->row.state
                 : str_eq(im->row.step, "placed")                                   ? "imported"
                                                                                    : "importing",
        .problem = problem,
        .action = "check account, credentials, affiliate and trade policy in VTEX",
        .event = known ? NULL : problem,
        .detail = text,
        .outcome = known ? NULL : "refused",
        .platform_code = platform_code
    };
    enum rc rc;

    str_copy_cut(text, sizeof text, detail);
    rc = import_write(im, &note, e);
    return rc == RC_OK ? err_code(e, RC_DENIED, problem, "%s", text) : rc;
}
