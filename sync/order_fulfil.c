/* order_fulfil.c - brings one order on after it was authorized: invoice, shipment, tracking.
 *
 * Repeats: safe. Whoever asks (a notification of TikTok, VTEX's hook or callback, the clock, a person), both platforms
 * are read first, and only what differs from what is stored is done. */
#include "clock.h"
#include "fulfil.h"
#include "jspec.h"
#include "problem.h"
#include "problem_words.h"
#include "str.h"
#include "tiktok_order.h"

#include <stdlib.h>

#define OWN_FULFIL __attribute__((cleanup(fulfil_done)))
#define MORE_S 5

static bool status_is(const struct fulfil *f, const char *status)
{
    return str_eq(jspec_text(f->detail, "status"), status);
}

/* Nothing is to be brought on: not paid, not decided, or over. */
static bool nothing_to_do(const struct fulfil *f)
{
    return status_is(f, "UNPAID") || status_is(f, "ON_HOLD") || status_is(f, "CANCELLED");
}

/* ---- the summary --------------------------------------------------------------------------------- */

static const char *state_of_package(const struct fulfil *f, const struct package *p)
{
    const struct invoice *v = fulfil_invoice_of(f, p);

    if (v != NULL)
        return v->state;
    if (fulfil_invoice_done(f, p))
        return "accepted";
    return str_eq(f->need, "INVOICE_PROCESSING") ? "processing" : "awaiting_invoice";
}

/* The state that needs most: a person, an invoice, time, nothing. */
static const char *invoice_state(const struct fulfil *f)
{
    static const char *const worst[] = { "refused", "awaiting_invoice", "sent", "processing" };

    if (!fulfil_needs_invoice(f))
        return "not_needed";
    if (f->n_packages == 0)
        return str_eq(f->need, "INVOICE_UPLOADED")     ? "accepted"
               : str_eq(f->need, "INVOICE_PROCESSING") ? "processing"
                                                       : "awaiting_invoice";
    for (size_t i = 0; i < sizeof worst / sizeof worst[0]; i++) {
        for (int k = 0; k < f->n_packages; k++) {
            if (str_eq(state_of_package(f, &f->packages[k]), worst[i]))
                return worst[i];
        }
    }
    return "accepted";
}

/* Reasons of TikTok that are not over, as problems. */
static void reasons_add(struct fulfil *f)
{
    for (int i = 0; i < f->n_packages; i++) {
        const struct invoice *v = fulfil_invoice_of(f, &f->packages[i]);
        const char *words = v != NULL ? fulfil_reason_words(v->reason_code) : NULL;

        if (v == NULL || v->reason_code[0] == '\0')
            continue;
        if (str_eq(v->state, "refused"))
            problem_add(f->problems, "invoice_refused", "invoice",
                        "correct the invoice and hand it in again",
                        "TikTok refuses the NF-e: %.200s", words != NULL ? words : v->reason_code);
        else if (words != NULL)
            problem_add(f->problems, "invoice_later", "invoice", "none: it is tried again",
                        "the NF-e is not accepted yet: %s", words);
    }
}

/* The first problem of the invoice in both languages; problems of the shipment are none of it. */
static void reason_find(const struct fulfil *f, const char **reason, struct buf *pt)
{
    *reason = NULL;
    for (size_t i = 0; i < json_array_size(f->problems); i++) {
        const json_t *one = json_array_get(f->problems, i);

        if (!str_eq(jspec_text(one, "field"), "invoice"))
            continue;
        *reason = jspec_text(one, "message");
        (void)problem_words_pt(*reason, pt);
        return;
    }
}

static bool is_invoiced(const struct fulfil *f, const char *state)
{
    if (!str_eq(f->order.state, "authorized"))
        return false;
    if (str_eq(state, "accepted"))
        return true;
    return str_eq(state, "not_needed") && str_eq(jspec_text(f->document, "status"), "invoiced");
}

/* When it is looked at again, if nobody asks before. */
static int64_t next_look_us(struct fulfil *f)
{
    int64_t since = f->order.now_us - f->order.step_us;

    if (nothing_to_do(f) || status_is(f, "COMPLETED"))
        return 0;
    if (str_eq(f->order.step, "authorized") == false && f->n_invoices == 0 && f->next_us == 0)
        return 0; /* not ours to bring on; a notification or a person asks again */
    if (status_is(f, "DELIVERED"))
        fulfil_again(f, fulfil_polls_us(f, 72));
    else if (!fulfil_to_ship(f))
        fulfil_again(f, fulfil_polls_us(f, 6));
    else
        fulfil_again(f, since / 8 < fulfil_polls_us(f, 2)   ? fulfil_polls_us(f, 2)
                        : since / 8 > fulfil_polls_us(f, 6) ? fulfil_polls_us(f, 6)
                                                            : since / 8);
    return f->next_us;
}

static enum rc summary_write(struct fulfil *f, struct err *e)
{
    OWN_BUF struct buf pt = { 0 };
    OWN_TX struct db_tx *tx = NULL;
    struct fulfil_note note = { .problems = f->problems };
    int64_t next = next_look_us(f);
    enum rc rc;

    buf_init(&pt, 4096);
    reasons_add(f);
    reason_find(f, &note.reason, &pt);
    note.need_invoice = f->need[0] != '\0' ? f->need : NULL;
    note.invoice_state = nothing_to_do(f) ? NULL : invoice_state(f);
    note.reason_pt = pt.len > 0 ? buf_text(&pt) : note.reason;
    note.state = note.invoice_state && is_invoiced(f, note.invoice_state) ? "invoiced" : NULL;
    note.next_us = next;
    rc = job_tx_begin(f->ctx, "fulfil_note", &tx, e);
    if (rc == RC_OK)
        rc = db_fulfil_note(tx, f->order.shop_id, f->order.order_id, &note, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc == RC_OK && note.state)
        rc = fulfil_event(f, "invoiced", "the invoice of the order is in order", "ok", NULL, e);
    return rc;
}

/* ---- the job ------------------------------------------------------------------------------------- */

static enum rc order_read(struct fulfil *f, struct err *e)
{
    enum rc rc = session_tiktok_open(f->ctx, &f->tiktok, e);
    const char *need;

    if (rc == RC_OK)
        rc = tiktok_order_get(&f->tiktok, f->order.order_id, &f->detail, f->request_id, e);
    if (rc != RC_OK)
        return rc;
    need = jspec_text(f->detail, "need_upload_invoice");
    return str_copy(f->need, sizeof f->need, need ? need : "")
               ? RC_OK
               : err_set(e, RC_INVALID, "TikTok says an unknown word about the invoice");
}

static enum rc bring_on(struct fulfil *f, struct err *e)
{
    enum rc rc = fulfil_packages_read(f, e);

    if (rc == RC_OK)
        rc = fulfil_invoices_find(f, e);
    if (rc == RC_OK && fulfil_needs_invoice(f))
        rc = fulfil_invoices_assign(f, e);
    if (rc == RC_OK)
        rc = fulfil_invoices_bring(f, e);
    if (rc == RC_OK)
        rc = fulfil_ship(f, e);
    return rc == RC_OK ? fulfil_track(f, e) : rc;
}

/* Short waits are the job's own; longer ones are in the row, and the clock asks again. */
static enum rc wait_short(const struct fulfil *f, struct err *e)
{
    enum rc rc;

    if (f->next_us == 0 || f->next_us >= fulfil_polls_us(f, 1))
        return RC_OK;
    rc = err_code(e, RC_BUSY, "looked_up_again", "order %s is looked at again", f->order.order_id);
    if (e)
        e->retry_after_us = f->next_us;
    return rc;
}

enum rc sync_order_fulfil(struct job_ctx *ctx, struct err *e)
{
    OWN_FULFIL struct fulfil f = { .ctx = ctx, .problems = json_array() };
    enum rc rc;

    if (f.problems == NULL)
        return err_set(e, RC_DOWN, "out of memory");
    rc = fulfil_reload(&f, e);
    if (rc == RC_NOT_FOUND)
        return RC_OK; /* nobody knows the order any more */
    if (rc != RC_OK || !f.client.active || str_eq(f.client.sandbox_shop_id, ctx->job->shop_id))
        return rc;
    rc = order_read(&f, e);
    if (rc == RC_OK && !nothing_to_do(&f))
        rc = bring_on(&f, e);
    if (rc == RC_OK)
        rc = summary_write(&f, e);
    return rc == RC_OK ? wait_short(&f, e) : rc;
}

enum rc sync_fulfil_poll(struct job_ctx *ctx, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    bool more = false;
    enum rc rc = job_tx_begin(ctx, "fulfil_due", &tx, e);

    if (rc == RC_OK)
        rc = db_fulfil_due_put(tx, ctx->job->client_id, ctx->job->shop_id, &more, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc != RC_OK || !more)
        return rc;
    rc = err_code(e, RC_BUSY, "more_orders", "more orders are due than are asked for at once");
    if (e)
        e->retry_after_us = MORE_S * US_PER_S;
    return rc;
}
