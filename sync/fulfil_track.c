/* fulfil_track.c - tells VTEX where the parcels are, and TikTok when the shop system corrected a tracking number.
 *
 * Repeats: safe. What VTEX was told is remembered, and telling it again changes nothing. */
#include "clock.h"
#include "fulfil.h"
#include "jspec.h"
#include "problem.h"
#include "sign.h"
#include "str.h"
#include "tiktok_fulfil.h"
#include "vtex_invoice.h"

#include <inttypes.h>
#include <time.h>

#define PLATFORM_CARRIER "TikTok Shipping"
#define LIMIT_EVENTS 100
#define TIME_BYTES 20

/* Local time as VTEX writes it: "2026-06-22 15:32" or, day_only, "2026-06-22". */
static void local_write(int64_t us, bool day_only, char out[TIME_BYTES])
{
    time_t s = (time_t)(us / US_PER_S);
    struct tm tm;

    out[0] = '\0';
    if (localtime_r(&s, &tm) != NULL)
        (void)strftime(out, TIME_BYTES, day_only ? "%Y-%m-%d" : "%Y-%m-%d %H:%M", &tm);
}

/* Number under which VTEX has the invoice of a package; "" when it has none. */
static void number_of(const struct fulfil *f, const struct package *p, char out[64])
{
    const struct invoice *v = fulfil_invoice_of(f, p);
    const json_t *sale = NULL;

    out[0] = '\0';
    if (v != NULL && v->vtex_number[0] != '\0')
        sale = fulfil_vtex_package(f, v->vtex_number);
    else if (f->n_packages == 1)
        sale = fulfil_vtex_package(f, NULL);
    jspec_id(sale, "invoiceNumber", out);
}

static enum rc told(struct fulfil *f, const struct package *p, const char *tracking,
                    const char *events, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(f->ctx, "fulfil_told", &tx, e);

    if (rc == RC_OK)
        rc = db_package_told(tx, f->order.shop_id, p->package_id, tracking, events, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

/* VTEX cannot take it now or ever: shown, the rest goes on. */
static enum rc refused_by_vtex(struct fulfil *f, enum rc rc, const char *number, struct err *e)
{
    if (rc != RC_INVALID && rc != RC_NOT_FOUND)
        return rc;
    problem_add(f->problems, "tracking_refused", NULL, "look at the invoice in VTEX",
                "VTEX does not take the tracking of invoice %.30s: %.160s", number, e->text);
    return RC_OK;
}

/* ---- numbers --------------------------------------------------------------------------------------- */

/* TikTok's carrier gave the parcel its number: VTEX learns it. */
static enum rc number_to_vtex(struct fulfil *f, const struct package *p, struct err *e)
{
    const char *courier = p->carrier[0] != '\0' ? p->carrier : PLATFORM_CARRIER;
    char number[64], day[TIME_BYTES], detail[256];
    enum rc rc;

    number_of(f, p, number);
    if (number[0] == '\0' || p->tracking_number[0] == '\0' ||
        str_eq(p->vtex_tracking, p->tracking_number))
        return RC_OK;
    if (!str_eq(jspec_text(fulfil_vtex_package(f, number), "trackingNumber"), p->tracking_number)) {
        local_write(p->ship_us > 0 ? p->ship_us : f->order.now_us, true, day);
        rc = vtex_tracking_patch(&f->vtex, f->order.vtex_order_id, number, p->tracking_number,
                                 courier, day, e);
        if (rc != RC_OK)
            return refused_by_vtex(f, rc, number, e);
    }
    rc = told(f, p, p->tracking_number, NULL, e);
    (void)str_fmt(detail, sizeof detail, "VTEX knows the tracking number of package %s",
                  p->package_id);
    return rc == RC_OK ? fulfil_event(f, "tracking_number", detail, "ok", NULL, e) : rc;
}

static enum rc corrected(struct fulfil *f, const struct package *p, const char *number,
                         const char *provider, const struct tiktok_item_error *error, struct err *e)
{
    json_auto_t *how = json_pack("{s:{s:s, s:s}}", "self_shipment", "tracking_number", number,
                                 "shipping_provider_id", provider);
    OWN_TX struct db_tx *tx = NULL;
    char reason[256];
    enum rc rc;

    (void)str_fmt(reason, sizeof reason, "%.90s: %.150s", number, error->message);
    rc = job_tx_begin(f->ctx, "fulfil_correct", &tx, e);
    if (rc == RC_OK)
        rc = db_package_ask(tx, f->order.shop_id, p->package_id, how,
                            p->ship_by[0] != '\0' ? p->ship_by : "policy", e);
    if (rc == RC_OK)
        rc = db_package_ship_set(tx, f->order.shop_id, p->package_id, "arranged", error->code,
                                 error->code != 0 ? reason : NULL, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc != RC_OK)
        return rc;
    return error->code != 0
               ? fulfil_event(f, "tracking_not_corrected", reason, "refused", NULL, e)
               : fulfil_event(f, "tracking_corrected", "TikTok has the corrected tracking number",
                              "ok", NULL, e);
}

/* The merchant's carrier: the shop system says another number than TikTok has. */
static enum rc number_to_tiktok(struct fulfil *f, const struct package *p, struct err *e)
{
    struct tiktok_item_error error;
    const char *number, *courier;
    const json_t *sale;
    char invoice[64], provider[64];
    enum rc rc;

    number_of(f, p, invoice);
    sale = fulfil_vtex_package(f, invoice);
    number = jspec_text(sale, "trackingNumber");
    courier = jspec_text(sale, "courier");
    if (invoice[0] == '\0' || str_blank(number) || str_blank(courier) ||
        str_eq(number, p->tracking_number) || str_eq(p->state, "COMPLETED"))
        return RC_OK;
    if (p->ship_code != 0 && str_starts(p->ship_reason, number)) {
        problem_add(f->problems, "tracking_not_corrected", NULL,
                    "correct the tracking number in Seller Center",
                    "TikTok does not take the corrected tracking number %.160s", p->ship_reason);
        return RC_OK;
    }
    rc = fulfil_carrier(f, p, courier, provider, e);
    if (rc != RC_OK)
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    rc = tiktok_package_correct(&f->tiktok, p->package_id, number, provider, &error, f->request_id,
                                e);
    if (rc == RC_UNSURE || (rc == RC_OK && error.code != 0 && error.rc != RC_INVALID)) {
        fulfil_again(f, fulfil_settle_us(f)); /* the package is read before it is tried again */
        return RC_OK;
    }
    return rc == RC_OK ? corrected(f, p, number, provider, &error, e) : rc;
}

/* ---- events ----------------------------------------------------------------------------------------- */

/* Body of VTEX's tracking call. New reference or NULL. */
static json_t *events_new(const json_t *events, bool delivered, int64_t now_us)
{
    json_t *list = json_array();
    char at[TIME_BYTES];
    int64_t last_ms = 0;

    for (size_t i = 0; i < json_array_size(events) && i < LIMIT_EVENTS; i++) {
        const json_t *one = json_array_get(events, i);
        int64_t ms = jspec_int(one, "update_time_millis", 0);
        char day[TIME_BYTES];

        local_write(ms * US_PER_MS, true, day);
        last_ms = ms > last_ms ? ms : last_ms;
        if (json_array_append_new(list,
                                  json_pack("{s:n, s:n, s:s?, s:s}", "city", "state", "description",
                                            jspec_text(one, "description"), "date", day)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    local_write(last_ms > 0 ? last_ms * US_PER_MS : now_us, false, at);
    return json_pack("{s:b, s:s?, s:o}", "isDelivered", delivered, "deliveredDate",
                     delivered ? at : NULL, "events", list);
}

static enum rc digest_of(const json_t *body, char out[72], struct err *e)
{
    OWN_BUF struct buf text = { 0 };
    unsigned char hash[SIGN_SHA256_BYTES];
    enum rc rc;

    buf_init(&text, (size_t)1 << 20);
    rc = jspec_dump(body, &text, e);
    if (rc != RC_OK)
        return rc;
    sign_sha256(text.data, text.len, hash);
    str_hex(out, hash, sizeof hash);
    return RC_OK;
}

static enum rc events_to_vtex(struct fulfil *f, const struct package *p, const json_t *events,
                              struct err *e)
{
    bool delivered = str_eq(p->state, "COMPLETED") ||
                     str_eq(jspec_text(f->detail, "status"), "DELIVERED") ||
                     str_eq(jspec_text(f->detail, "status"), "COMPLETED");
    json_auto_t *body = NULL;
    char number[64], digest[72];
    enum rc rc;

    number_of(f, p, number);
    if (number[0] == '\0' || (json_array_size(events) == 0 && !delivered))
        return RC_OK;
    /* Without an event there is no time of the delivery: that of the order's last change. */
    body = events_new(events, delivered, jspec_int(f->detail, "update_time", 0) * US_PER_S);
    if (body == NULL)
        return err_set(e, RC_DOWN, "out of memory");
    rc = digest_of(body, digest, e);
    if (rc != RC_OK || str_eq(digest, p->vtex_events))
        return rc;
    rc = vtex_tracking_events(&f->vtex, f->order.vtex_order_id, number, body, e);
    if (rc != RC_OK)
        return refused_by_vtex(f, rc, number, e);
    rc = told(f, p, NULL, digest, e);
    return rc == RC_OK ? fulfil_event(f, delivered ? "delivery_told" : "tracking_events",
                                      "VTEX knows what the carrier reported", "ok", NULL, e)
                       : rc;
}

static bool is_under_way(const char *status)
{
    return str_eq(status, "IN_TRANSIT") || str_eq(status, "DELIVERED") ||
           str_eq(status, "COMPLETED");
}

enum rc fulfil_track(struct fulfil *f, struct err *e)
{
    json_auto_t *events = NULL;
    enum rc rc = RC_OK;

    if (f->document == NULL)
        return RC_OK;
    for (int i = 0; rc == RC_OK && i < f->n_packages; i++) {
        const struct package *p = &f->packages[i];

        if (!fulfil_arranged(p))
            continue;
        rc = str_eq(p->shipping_type, "SELLER") ? number_to_tiktok(f, p, e)
                                                : number_to_vtex(f, p, e);
    }
    if (rc != RC_OK || f->n_packages == 0 || !is_under_way(jspec_text(f->detail, "status")))
        return rc;
    rc = tiktok_tracking(&f->tiktok, f->order.order_id, &events, e);
    for (int i = 0; rc == RC_OK && i < f->n_packages; i++)
        rc = events_to_vtex(f, &f->packages[i], events, e);
    return rc;
}
