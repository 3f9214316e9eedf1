/* fulfil_ship.c - arranges the shipment of packages once their invoices are in order.
 *
 * Repeats: safe. `sent` is written before the call; a package whose answer is missing is read back before anything
 * is sent again, and "shipped already" is success after it was read back. */
#include "clock.h"
#include "fault.h"
#include "fulfil.h"
#include "jspec.h"
#include "problem.h"
#include "str.h"
#include "tiktok_fulfil.h"

#include <inttypes.h>
#include <stdlib.h>

#define COOLING_US (INT64_C(3600) * US_PER_S) /* the buyer may cancel alone for an hour */

/* Packages that go out in one call. */
struct parcel {
    struct package *package; /* borrowed */
    json_t *how;             /* owned */
};
struct shipment {
    struct parcel list[TIKTOK_BATCH_PACKAGES];
    size_t n;
};

static enum rc ship_set(struct fulfil *f, struct package *p, const char *state, int64_t code,
                        const char *reason, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(f->ctx, "fulfil_ship", &tx, e);

    if (rc == RC_OK)
        rc = db_package_ship_set(tx, f->order.shop_id, p->package_id, state, code, reason, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc == RC_OK)
        (void)str_copy(p->ship_state, sizeof p->ship_state, state);
    return rc;
}

/* ---- may it go ------------------------------------------------------------------------------------- */

/* The client lets packages go by themselves once the order was invoiced. */
static bool goes_by_itself(struct fulfil *f, const struct package *p)
{
    int64_t cooled = f->order.paid_us + COOLING_US;

    if (!f->client.ship_automatic || !str_eq(f->order.step, "authorized"))
        return false;
    if (!fulfil_needs_invoice(f) && fulfil_vtex_package(f, NULL) == NULL)
        return false;
    if (f->order.now_us < cooled) {
        fulfil_again(f, cooled - f->order.now_us);
        return false;
    }
    return str_eq(p->ship_state, "none");
}

/* Whether a package is to be sent now; what keeps it back becomes a problem. */
static bool may_go(struct fulfil *f, const struct package *p)
{
    bool asked = str_eq(p->ship_state, "asked");

    if (fulfil_arranged(p) || str_eq(p->state, "CANCELLED") || str_eq(p->ship_state, "refused"))
        return false;
    if (!asked && !str_eq(p->ship_state, "none"))
        return false;
    if (!fulfil_invoice_done(f, p)) {
        if (asked)
            problem_add(f->problems, "waits_for_invoice", "invoice",
                        "issue the NF-e in VTEX, or hand in its XML",
                        "package %.40s is shipped once TikTok has accepted its NF-e",
                        p->package_id);
        return false;
    }
    if (jspec_bool(f->detail, "is_buyer_request_cancel", false)) {
        problem_add(f->problems, "cancellation_requested", NULL,
                    "accept or refuse the cancellation",
                    "the buyer asks to cancel: package %.40s is not shipped until that is decided",
                    p->package_id);
        return false;
    }
    return asked || goes_by_itself(f, p);
}

/* ---- a call whose end is unknown --------------------------------------------------------------------- */

/* The package was read just now: if it is not arranged after the settle time, the call never arrived. */
static enum rc settle(struct fulfil *f, struct package *p, struct err *e)
{
    int64_t age = f->order.now_us - p->ship_us;

    if (fulfil_arranged(p))
        return RC_OK;
    if (age < fulfil_settle_us(f)) {
        fulfil_again(f, fulfil_settle_us(f) - age);
        return RC_OK;
    }
    return ship_set(f, p, "asked", 0, NULL, e);
}

/* ---- the call --------------------------------------------------------------------------------------- */

static enum rc begin(struct fulfil *f, struct shipment *s, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(f->ctx, "fulfil_ship_begin", &tx, e);

    for (size_t i = 0; rc == RC_OK && i < s->n; i++) {
        struct package *p = s->list[i].package;
        const char *by = str_eq(p->ship_state, "asked") && p->ship_by[0] ? p->ship_by : "policy";

        rc = db_package_ask(tx, f->order.shop_id, p->package_id, s->list[i].how, by, e);
        if (rc == RC_OK)
            rc = db_package_ship_set(tx, f->order.shop_id, p->package_id, "sent", 0, NULL, e);
    }
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc arranged(struct fulfil *f, struct package *p, struct err *e)
{
    char detail[160];
    enum rc rc = fulfil_package_read(f, p, e);

    if (rc == RC_OK)
        rc = ship_set(f, p, "arranged", 0, NULL, e);
    (void)str_fmt(detail, sizeof detail, "the shipment of package %s is arranged", p->package_id);
    return rc == RC_OK ? fulfil_event(f, "package_arranged", detail, "ok", NULL, e) : rc;
}

/* TikTok says that it was shipped before: believed when the package shows it. */
static enum rc read_back(struct fulfil *f, struct package *p, struct err *e)
{
    enum rc rc = fulfil_package_read(f, p, e);
    char id[64];

    (void)str_copy(id, sizeof id, p->package_id);
    if (rc == RC_OK)
        rc = fulfil_reload(f, e);
    for (int i = 0; rc == RC_OK && i < f->n_packages; i++) {
        if (str_eq(f->packages[i].package_id, id) && fulfil_arranged(&f->packages[i]))
            return fulfil_event(f, "package_arranged", "the package was shipped before", "ok", NULL,
                                e);
    }
    fulfil_again(f, fulfil_settle_us(f));
    return rc;
}

static enum rc refused(struct fulfil *f, struct package *p, const struct tiktok_item_error *error,
                       struct err *e)
{
    char code[24], detail[400];
    enum rc rc;

    (void)str_fmt(code, sizeof code, "%" PRId64, error->code);
    (void)str_fmt(detail, sizeof detail, "TikTok refuses to ship package %s: %s", p->package_id,
                  error->message);
    rc = ship_set(f, p, "refused", error->code, error->message, e);
    return rc == RC_OK ? fulfil_event(f, "package_refused", detail, "refused", code, e) : rc;
}

/* What TikTok said of one package. */
static enum rc answered(struct fulfil *f, struct package *p, const struct tiktok_item_error *error,
                        struct err *e)
{
    if (error->code == 0)
        return arranged(f, p, e);
    if (tiktok_already_shipped(error->code))
        return read_back(f, p, e);
    if (error->rc == RC_UNSURE) {
        fulfil_again(f, fulfil_settle_us(f));
        return RC_OK;
    }
    if (tiktok_invoice_missing(error->code) || error->rc == RC_BUSY || error->rc == RC_DOWN) {
        problem_add(f->problems, "shipment_later", NULL, "none: it is tried again",
                    "TikTok does not ship package %.40s yet: %.160s", p->package_id,
                    error->message);
        fulfil_again(f, fulfil_polls_us(f, 1));
        return ship_set(f, p, "asked", error->code, error->message, e);
    }
    return refused(f, p, error, e);
}

/* No answer about the packages came; *e stays. */
static enum rc unanswered(struct fulfil *f, struct shipment *s, enum rc why, struct err *e)
{
    struct err kept = *e;
    enum rc rc = RC_OK;

    if (why == RC_UNSURE || (why == RC_STOPPED && !str_eq(e->code, "not_sent"))) {
        fulfil_again(f, fulfil_settle_us(f));
        return why == RC_UNSURE ? RC_OK : why; /* stays sent: it is read back */
    }
    for (size_t i = 0; rc == RC_OK && i < s->n; i++)
        rc = ship_set(f, s->list[i].package, "asked", 0, NULL, e);
    if (rc != RC_OK)
        return rc;
    *e = kept;
    return why;
}

static enum rc call(struct fulfil *f, struct shipment *s, struct tiktok_item_error *errors,
                    struct err *e)
{
    const char *ids[TIKTOK_BATCH_PACKAGES];
    const json_t *how[TIKTOK_BATCH_PACKAGES];

    if (s->n == 1)
        return tiktok_package_ship(&f->tiktok, s->list[0].package->package_id, s->list[0].how,
                                   &errors[0], f->request_id, e);
    for (size_t i = 0; i < s->n; i++) {
        ids[i] = s->list[i].package->package_id;
        how[i] = s->list[i].how;
    }
    return tiktok_packages_ship(&f->tiktok, ids, how, s->n, errors, f->request_id, e);
}

static enum rc send(struct fulfil *f, struct shipment *s, struct err *e)
{
    struct tiktok_item_error errors[TIKTOK_BATCH_PACKAGES] = { 0 };
    char ids[TIKTOK_BATCH_PACKAGES][64];
    enum rc rc = begin(f, s, e);

    if (rc != RC_OK)
        return rc;
    fault_point("ship_before");
    rc = call(f, s, errors, e);
    fault_point("ship_sent");
    if (rc != RC_OK)
        return unanswered(f, s, rc, e);
    for (size_t i = 0; i < s->n; i++)
        (void)str_copy(ids[i], sizeof ids[i], s->list[i].package->package_id);
    /* Reading back reloads the rows: they are found again by their ids. */
    for (size_t i = 0; rc == RC_OK && i < s->n; i++) {
        for (int k = 0; k < f->n_packages; k++) {
            if (str_eq(f->packages[k].package_id, ids[i])) {
                rc = answered(f, &f->packages[k], &errors[i], e);
                break;
            }
        }
    }
    return rc;
}

static enum rc collect(struct fulfil *f, struct shipment *s, struct err *e)
{
    enum rc rc = RC_OK;

    for (int i = 0; rc == RC_OK && i < f->n_packages; i++) {
        struct package *p = &f->packages[i];
        json_t *how = NULL;

        if (str_eq(p->ship_state, "sent"))
            rc = settle(f, p, e);
        if (rc != RC_OK || s->n == TIKTOK_BATCH_PACKAGES || !may_go(f, p))
            continue;
        rc = fulfil_how(f, p, &how, e);
        if (rc == RC_OK && how != NULL)
            s->list[s->n++] = (struct parcel){ p, how };
        else if (rc == RC_OK)
            fulfil_again(f, fulfil_polls_us(f, 2));
    }
    return rc;
}

static void refusals_show(struct fulfil *f)
{
    for (int i = 0; i < f->n_packages; i++) {
        const struct package *p = &f->packages[i];

        if (str_eq(p->ship_state, "refused"))
            problem_add(f->problems, "shipment_refused", NULL,
                        "mend the cause, then ask for the shipment again",
                        "TikTok refuses to ship package %.40s: %.160s", p->package_id,
                        p->ship_reason);
    }
}

enum rc fulfil_ship(struct fulfil *f, struct err *e)
{
    struct shipment s = { .n = 0 };
    enum rc rc = RC_OK;

    if (fulfil_to_ship(f)) {
        rc = collect(f, &s, e);
        if (rc == RC_OK && s.n > 0)
            rc = send(f, &s, e);
    }
    for (size_t i = 0; i < s.n; i++)
        json_decref(s.list[i].how);
    if (rc == RC_OK && s.n > 0)
        rc = fulfil_reload(f, e);
    if (rc == RC_OK)
        refusals_show(f);
    return rc;
}
