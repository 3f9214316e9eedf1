/* fulfil_upload.c - hands the NF-e of each package to TikTok and follows it to the end.
 *
 * Repeats: safe. `sent` is written before the call. One whose answer is missing is looked up (TikTok's word on the
 * order, or its notification) until the settle time is over; only then it is sent again, and TikTok refuses a second
 * file for a package that has one. */
#include "clock.h"
#include "fault.h"
#include "fulfil.h"
#include "jspec.h"
#include "own.h"
#include "problem.h"
#include "str.h"
#include "tiktok_fulfil.h"

#include <inttypes.h>

#define CODE_EXISTS 10007014
#define UPLOADS_MAX 30                  /* then a person has to look */
#define SILENCE_US (10 * 60 * US_PER_S) /* taken, but TikTok's word on the order does not move */
#define BACKOFF_STEPS 5

const char *fulfil_reason_words(const char *code)
{
    static const struct {
        const char *code, *words;
    } rows[] = {
        { "UNKNOWN", "TikTok could not check the NF-e; it is sent again" },
        { "NOT_FOUND", "the tax authority does not show the NF-e yet; it is sent again" },
        { "FAILED", "the XML file or the access key is broken" },
        { "NOT_AUTHORIZED", "the NF-e was not issued, or it was cancelled" },
        { "ACCESS_KEY_DUPLICATE", "the access key was used for another package" },
        { "nfe_recipient", "the NF-e is not made out to the buyer of the order" },
        { "nfe_issuer", "the issuer of the NF-e is not the one expected" },
        { "TOO_OFTEN", "TikTok did not take the NF-e after many tries" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (str_eq(code, rows[i].code))
            return rows[i].words;
    }
    return NULL;
}

static enum rc note(struct fulfil *f, struct invoice *v, const struct invoice_note *n,
                    struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(f->ctx, "fulfil_upload", &tx, e);

    if (rc == RC_OK)
        rc = db_invoice_note(tx, f->order.shop_id, f->order.order_id, v->access_key, n, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc == RC_OK) {
        (void)str_copy(v->state, sizeof v->state, n->state);
        str_copy_cut(v->reason_code, sizeof v->reason_code, n->reason_code ? n->reason_code : "");
        v->again_us = n->again_us > 0 ? v->now_us + n->again_us : 0;
    }
    return rc;
}

/* ---- the end of an upload ------------------------------------------------------------------------- */

static enum rc accepted(struct fulfil *f, struct invoice *v, struct err *e)
{
    struct invoice_note n = { .state = "accepted" };
    enum rc rc = note(f, v, &n, e);

    return rc == RC_OK
               ? fulfil_event(f, "invoice_accepted", "TikTok accepted the NF-e", "ok", NULL, e)
               : rc;
}

static enum rc refused(struct fulfil *f, struct invoice *v, const char *code, struct err *e)
{
    struct invoice_note n = { .state = "refused", .reason_code = code };
    char detail[160];
    enum rc rc = note(f, v, &n, e);

    (void)str_fmt(detail, sizeof detail, "TikTok refused the NF-e: %.60s", code);
    return rc == RC_OK ? fulfil_event(f, "invoice_refused", detail, "refused", code, e) : rc;
}

/* Waits longer with each try. */
static int64_t backoff_us(const struct fulfil *f, const struct invoice *v)
{
    int step = v->uploads < BACKOFF_STEPS ? v->uploads : BACKOFF_STEPS;

    return fulfil_polls_us(f, 1 << (step > 0 ? step - 1 : 0));
}

static enum rc try_later(struct fulfil *f, struct invoice *v, const char *code, struct err *e)
{
    struct invoice_note n = { .state = "awaiting_invoice",
                              .reason_code = code,
                              .again_us = backoff_us(f, v) };
    char detail[160];
    enum rc rc;

    if (v->uploads >= UPLOADS_MAX)
        return refused(f, v, "TOO_OFTEN", e);
    rc = note(f, v, &n, e);
    (void)str_fmt(detail, sizeof detail, "TikTok did not take the NF-e yet: %.60s", code);
    return rc == RC_OK ? fulfil_event(f, "invoice_later", detail, "waiting", code, e) : rc;
}

static bool worth_a_retry(const char *reason)
{
    return str_eq(reason, "UNKNOWN") || str_eq(reason, "NOT_FOUND");
}

/* TikTok's notification is the only one that tells packages apart and names reasons. *told: it settled the matter. */
static enum rc by_notification(struct fulfil *f, struct invoice *v, bool *told, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    char status[24], reason[40];
    enum rc rc = job_tx_begin(f->ctx, "fulfil_news", &tx, e);

    if (rc == RC_OK)
        rc = db_invoice_event(tx, f->order.shop_id, v->package_id, v->sent_us, status, reason, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    *told = rc == RC_OK && status[0] != '\0' && !str_eq(status, "PROCESSING");
    if (!*told)
        return rc;
    if (str_eq(status, "SUCCESS"))
        return accepted(f, v, e);
    if (str_eq(status, "INVALID") && worth_a_retry(reason))
        return try_later(f, v, reason, e);
    return refused(f, v, reason[0] != '\0' ? reason : status, e);
}

/* Without a notification: what TikTok says of the order. */
static enum rc by_order(struct fulfil *f, struct invoice *v, struct err *e)
{
    int64_t age = v->now_us - v->sent_us;
    bool alone = f->n_packages == 1;
    struct invoice_note processing = { .state = "processing" };

    if (alone && str_eq(f->need, "INVOICE_UPLOADED"))
        return accepted(f, v, e);
    if (str_eq(f->need, "INVOICE_PROCESSING")) {
        fulfil_again(f, fulfil_polls_us(f, 1));
        return str_eq(v->state, "processing") ? RC_OK : note(f, v, &processing, e);
    }
    if (!v->answered && age >= fulfil_settle_us(f)) {
        struct invoice_note again = { .state = "awaiting_invoice" };

        return note(f, v, &again, e); /* it never arrived */
    }
    if (v->answered && alone && str_eq(f->need, "NEED_INVOICE") &&
        age >= (SILENCE_US > fulfil_settle_us(f) ? SILENCE_US : fulfil_settle_us(f)))
        return try_later(f, v, "UNKNOWN", e);
    fulfil_again(f, v->answered ? fulfil_polls_us(f, 1) : fulfil_settle_us(f) - age);
    return RC_OK;
}

static enum rc follow(struct fulfil *f, struct invoice *v, struct err *e)
{
    bool told = false;
    enum rc rc = by_notification(f, v, &told, e);

    return rc == RC_OK && !told ? by_order(f, v, e) : rc;
}

/* ---- an upload ------------------------------------------------------------------------------------ */

/* The file as TikTok wants it. *doubt: why it must not go to TikTok; NULL = nothing is wrong. */
static enum rc file_base64(struct fulfil *f, const struct invoice *v, struct buf *out,
                           const char **doubt, struct err *e)
{
    struct nfe nfe = { 0 };
    OWN_SECRET struct buf xml = { 0 };
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(f->ctx, "fulfil_file", &tx, e);

    buf_init(&xml, LIMIT_NFE_BYTES);
    if (rc == RC_OK)
        rc = db_invoice_xml(tx, f->order.client_id, f->order.shop_id, f->order.order_id,
                            v->access_key, &xml, e);
    if (rc == RC_OK)
        rc = nfe_read(xml.data, xml.len, &nfe, e);
    if (rc != RC_OK)
        return rc;
    *doubt = fulfil_file_doubt(f, &nfe);
    str_base64(out, xml.data, xml.len);
    return buf_check(out, e);
}

/* TikTok answered about this package. */
static enum rc answered(struct fulfil *f, struct invoice *v, const struct tiktok_item_error *error,
                        struct err *e)
{
    struct invoice_note sent = { .state = "sent", .request_id = f->request_id };
    char code[24];
    enum rc rc;

    (void)str_fmt(code, sizeof code, "%" PRId64, error->code);
    if (error->code == 0 || error->code == CODE_EXISTS) {
        rc = note(f, v, &sent, e);
        fulfil_again(f, fulfil_polls_us(f, 1));
        return rc == RC_OK ? fulfil_event(f, "invoice_sent", "the NF-e was handed to TikTok", "ok",
                                          error->code == 0 ? NULL : code, e)
                           : rc;
    }
    if (error->rc == RC_UNSURE) {
        fulfil_again(f, fulfil_settle_us(f));
        return RC_OK;
    }
    if (error->rc == RC_BUSY || error->rc == RC_DOWN)
        return try_later(f, v, code, e);
    problem_add(f->problems, "invoice_refused", "invoice",
                "correct the invoice and hand it in again", "TikTok refuses the NF-e: %.200s",
                error->message);
    return refused(f, v, code, e);
}

/* The call gave no answer about the package; *e stays. */
static enum rc unanswered(struct fulfil *f, struct invoice *v, enum rc why, struct err *e)
{
    struct err kept = *e;
    struct invoice_note back = { .state = "awaiting_invoice" };
    enum rc rc;

    if (why == RC_UNSURE || (why == RC_STOPPED && !str_eq(e->code, "not_sent"))) {
        fulfil_again(f, fulfil_settle_us(f));
        return why == RC_UNSURE ? RC_OK : why; /* stays sent: it is looked up */
    }
    rc = note(f, v, &back, e);
    if (rc != RC_OK)
        return rc;
    *e = kept;
    return why;
}

static enum rc upload(struct fulfil *f, struct invoice *v, struct err *e)
{
    struct invoice_note begin = { .state = "sent", .upload = true };
    json_auto_t *orders = json_pack("[s]", f->order.order_id);
    OWN_SECRET struct buf base64 = { 0 };
    struct tiktok_item_error error;
    const char *doubt = NULL;
    enum rc rc;

    buf_init(&base64, LIMIT_NFE_BYTES / 3 * 4 + 8);
    if (orders == NULL)
        return err_set(e, RC_DOWN, "out of memory");
    rc = file_base64(f, v, &base64, &doubt, e);
    if (rc == RC_OK && doubt != NULL)
        return refused(f, v, doubt, e);
    if (rc == RC_OK)
        rc = note(f, v, &begin, e);
    if (rc != RC_OK)
        return rc;
    v->uploads++;
    fault_point("invoice_before");
    rc = tiktok_invoice_upload(&f->tiktok, v->package_id, orders, buf_text(&base64), &error,
                               f->request_id, e);
    fault_point("invoice_sent");
    return rc == RC_OK ? answered(f, v, &error, e) : unanswered(f, v, rc, e);
}

enum rc fulfil_invoices_bring(struct fulfil *f, struct err *e)
{
    static const struct invoice_note taken = { .state = "processing" };
    enum rc rc = RC_OK;

    if (!fulfil_needs_invoice(f))
        return RC_OK;
    for (int i = 0; rc == RC_OK && i < f->n_packages; i++) {
        struct invoice *v = fulfil_invoice_of(f, &f->packages[i]);

        if (v == NULL)
            continue;
        if (str_eq(v->state, "sent") || str_eq(v->state, "processing"))
            rc = follow(f, v, e);
        if (rc != RC_OK || !str_eq(v->state, "awaiting_invoice") || !v->has_xml)
            continue;
        if (f->n_packages == 1 && str_eq(f->need, "INVOICE_PROCESSING")) {
            rc =
                note(f, v, &taken, e); /* by somebody else, or it arrived although it was refused */
            continue;
        }
        if (v->again_us > v->now_us)
            fulfil_again(f, v->again_us - v->now_us);
        else if (str_eq(f->need, "NEED_INVOICE") || f->n_packages > 1)
            rc = upload(f, v, e);
        else if (str_eq(f->need, "INVOICE_UPLOADED"))
            rc = accepted(f, v, e); /* by somebody else, or before our memory of it */
    }
    return rc;
}
