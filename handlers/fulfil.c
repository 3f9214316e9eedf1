/* fulfil.c - an order's invoice by hand, its shipment, its label. */
#include "once.h"
#include "rest.h"

#include "clock.h"
#include "db_fulfil.h"
#include "db_order.h"
#include "jspec.h"
#include "str.h"

#include <stdlib.h>

#define LABEL_WAIT_US (20 * US_PER_S)
#define LABEL_LOOK_MS 250

/* ---- the invoice --------------------------------------------------------------------------------- */

static enum rc invoice_read(const struct http_req *req, struct nfe *nfe, struct err *e)
{
    struct err why = { 0 };

    if (req->body_len == 0)
        return err_http(e, 400, "nfe_missing", "the body must be the XML of the NF-e");
    if (nfe_read(req->body, req->body_len, nfe, &why) == RC_OK)
        return RC_OK;
    if (why.rc != RC_INVALID) {
        *e = why;
        return why.rc;
    }
    return err_http(e, 422, why.code, "%s", why.text);
}

/* The named package must be one of the order's. */
static enum rc package_check(struct db_tx *tx, const char *shop_id, const char *order_id,
                             const char *package_id, struct err *e)
{
    struct package *list = NULL;
    bool found = false;
    int n = 0;
    enum rc rc;

    if (package_id == NULL)
        return RC_OK;
    rc = db_package_list(tx, shop_id, order_id, &list, &n, e);
    for (int i = 0; rc == RC_OK && i < n; i++)
        found = found || str_eq(list[i].package_id, package_id);
    db_package_list_free(list, n);
    if (rc == RC_OK && !found)
        return err_field(e, "package_id", "is no package of the order");
    return rc;
}

/* Audit, life line, and the order's job, in the caller's transaction. */
static enum rc order_ask(struct db_tx *tx, const struct http_req *req, const char *client_id,
                         const char *shop_id, const char *event, const json_t *detail,
                         struct err *e)
{
    const char *order_id = http_param(req, "order_id");
    enum rc rc = db_order_timeline_add(tx, client_id, shop_id, order_id, event, "asked for by hand",
                                       "operator", NULL, e);

    if (rc == RC_OK)
        rc = rest_audit(tx, req, client_id, event, detail, e);
    return rc == RC_OK ? db_fulfil_put(tx, client_id, shop_id, order_id, e) : rc;
}

static enum rc queued_reply(struct http_reply *reply, const char *client_id, const char *order_id,
                            const json_t *answer, struct err *e)
{
    http_reply_header(reply, "Location", "/v1/clients/%s/orders/%s", client_id, order_id);
    return http_reply_json(reply, 202, answer, e);
}

enum rc order_invoice_post(void *user, struct http_req *req, struct http_reply *reply,
                           struct err *e)
{
    static const char *const QUERY[] = { "package_id", NULL };
    OWN_TX struct db_tx *tx = NULL;
    const char *order_id = http_param(req, "order_id");
    json_auto_t *answer = NULL;
    struct once once = { 0 };
    struct nfe nfe = { 0 };
    const char *client_id = NULL;
    char package_id[64], shop_id[72];
    struct invoice_facts facts = { .order_id = order_id,
                                   .source = "manual",
                                   .nfe = &nfe,
                                   .xml = req->body,
                                   .xml_len = req->body_len };
    enum rc rc = http_query_check(req, QUERY, e);

    if (rc == RC_OK)
        rc = rest_query(req, "package_id", package_id, sizeof package_id, &facts.package_id, e);
    if (rc == RC_OK)
        rc = rest_begin(user, req, "order_invoice", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = once_begin(tx, req, client_id, &once, reply, e);
    if (rc != RC_OK || once.answered)
        return rc;
    rc = db_order_shop(tx, client_id, order_id, shop_id, e);
    if (rc == RC_OK)
        rc = invoice_read(req, &nfe, e);
    if (rc == RC_OK)
        rc = package_check(tx, shop_id, order_id, facts.package_id, e);
    if (rc != RC_OK)
        return rc;
    facts.client_id = client_id;
    facts.shop_id = shop_id;
    answer = json_pack("{s:s, s:s, s:s}", "order_id", order_id, "access_key", nfe.key, "status",
                       "queued");
    rc = db_invoice_put(tx, &facts, e);
    if (rc == RC_OK)
        rc = order_ask(tx, req, client_id, shop_id, "invoice_handed_in", answer, e);
    if (rc == RC_OK)
        rc = queued_reply(reply, client_id, order_id, answer, e);
    return rc == RC_OK ? once_commit(tx, &once, reply, e) : rc;
}

/* ---- the shipment -------------------------------------------------------------------------------- */

static const char *const METHODS[] = { "PICKUP", "DROP_OFF", NULL };
static const struct jspec_field SLOT_SPEC[] = {
    { .name = "start_time", .type = JSPEC_TEXT, .required = true, .min = 10, .max = 40 },
    { .name = "end_time", .type = JSPEC_TEXT, .required = true, .min = 10, .max = 40 },
    { 0 },
};
static const struct jspec_field SELF_SPEC[] = {
    { .name = "tracking_number", .type = JSPEC_TEXT, .required = true, .min = 1, .max = 90 },
    { .name = "shipping_provider_id", .type = JSPEC_TEXT, .required = true, .min = 1, .max = 40 },
    { 0 },
};
static const struct jspec_field SHIP_SPEC[] = {
    { .name = "package_id", .type = JSPEC_TEXT, .min = 1, .max = 60 },
    { .name = "handover_method", .type = JSPEC_TEXT, .words = METHODS },
    { .name = "pickup_slot", .type = JSPEC_OBJECT, .sub = SLOT_SPEC },
    { .name = "self_shipment", .type = JSPEC_OBJECT, .sub = SELF_SPEC },
    { 0 },
};

/* The slot in TikTok's seconds. */
static enum rc slot_read(const json_t *body, json_t *how, struct err *e)
{
    static const char *const NAMES[] = { "start_time", "end_time" };
    const json_t *slot = jspec_get(body, "pickup_slot");
    json_t *out;

    if (slot == NULL)
        return RC_OK;
    out = json_object();
    for (size_t i = 0; i < 2; i++) {
        int64_t us = 0;
        char field[40];

        (void)str_fmt(field, sizeof field, "pickup_slot.%s", NAMES[i]);
        if (!clock_read(jspec_text(slot, NAMES[i]), &us)) {
            json_decref(out);
            return err_field(e, field, "must be an RFC 3339 time");
        }
        (void)json_object_set_new(out, NAMES[i], json_integer(us / US_PER_S));
    }
    return json_object_set_new(how, "pickup_slot", out) == 0 ? RC_OK
                                                             : err_set(e, RC_BUG, "out of memory");
}

static enum rc how_read(const json_t *body, json_t **how, struct err *e)
{
    json_auto_t *out = json_object();
    json_t *method = json_object_get(body, "handover_method");
    json_t *self = json_object_get(body, "self_shipment");
    enum rc rc = out != NULL ? RC_OK : err_set(e, RC_BUG, "out of memory");

    if (rc == RC_OK && self != NULL && (method != NULL || jspec_get(body, "pickup_slot")))
        return err_field(e, "self_shipment", "goes without handover_method and pickup_slot");
    if (rc == RC_OK && jspec_get(body, "pickup_slot") &&
        !str_eq(json_string_value(method), "PICKUP"))
        return err_field(e, "pickup_slot", "needs handover_method PICKUP");
    if (rc == RC_OK && method != NULL)
        (void)json_object_set(out, "handover_method", method);
    if (rc == RC_OK && self != NULL)
        (void)json_object_set(out, "self_shipment", self);
    if (rc == RC_OK)
        rc = slot_read(body, out, e);
    if (rc == RC_OK)
        *how = json_incref(out);
    return rc;
}

/* Parcels that the order named when it was read last become rows, so that the wish has a place. */
static enum rc packages_known(struct db_tx *tx, const char *client_id, const char *shop_id,
                              const char *order_id, struct package **list, int *n, struct err *e)
{
    json_auto_t *order = NULL;
    json_auto_t *ids = json_pack("[s]", order_id);
    const json_t *named;
    enum rc rc = db_package_list(tx, shop_id, order_id, list, n, e);

    if (rc != RC_OK || *n > 0)
        return rc;
    rc = db_order_get_json(tx, client_id, order_id, &order, e);
    named = jspec_get(order, "packages");
    for (size_t i = 0; rc == RC_OK && i < json_array_size(named); i++) {
        const json_t *one = json_array_get(named, i);
        struct package_facts facts = { .client_id = client_id,
                                       .shop_id = shop_id,
                                       .package_id = jspec_text(one, "package_id"),
                                       .order_ids = ids,
                                       .state = jspec_text(one, "state") };

        rc = db_package_store(tx, &facts, e);
    }
    db_package_list_free(*list, *n);
    *list = NULL;
    *n = 0;
    return rc == RC_OK ? db_package_list(tx, shop_id, order_id, list, n, e) : rc;
}

static enum rc packages_ask(struct db_tx *tx, const char *client_id, const char *shop_id,
                            const char *order_id, const json_t *body, struct err *e)
{
    const char *wanted = jspec_text(body, "package_id");
    json_auto_t *how = NULL;
    struct package *list = NULL;
    int n = 0, asked = 0;
    enum rc rc = how_read(body, &how, e);

    if (rc == RC_OK)
        rc = packages_known(tx, client_id, shop_id, order_id, &list, &n, e);
    if (rc == RC_OK && n == 0)
        rc = err_http(e, 409, "no_packages", "TikTok has made no package of the order yet");
    if (rc == RC_OK && n > 1 && wanted == NULL && jspec_get(body, "self_shipment"))
        rc = err_field(e, "package_id", "must say which package has this tracking number");
    for (int i = 0; rc == RC_OK && i < n; i++) {
        if (wanted != NULL && !str_eq(list[i].package_id, wanted))
            continue;
        rc = db_package_ask(tx, shop_id, list[i].package_id, how, "operator", e);
        asked++;
    }
    db_package_list_free(list, n);
    if (rc == RC_OK && asked == 0)
        return err_field(e, "package_id", "is no package of the order");
    return rc;
}

enum rc order_packages_post(void *user, struct http_req *req, struct http_reply *reply,
                            struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    const char *order_id = http_param(req, "order_id");
    json_auto_t *answer = json_pack("{s:s, s:s}", "order_id", order_id, "status", "queued");
    json_auto_t *body = NULL;
    struct once once = { 0 };
    const char *client_id = NULL;
    char shop_id[72];
    enum rc rc = rest_no_query(req, e);

    if (rc == RC_OK)
        rc = http_body_json(req, true, &body, e);
    if (rc == RC_OK)
        rc = jspec_check(body, SHIP_SPEC, e);
    if (rc == RC_OK)
        rc = rest_begin(user, req, "order_packages", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = once_begin(tx, req, client_id, &once, reply, e);
    if (rc != RC_OK || once.answered)
        return rc;
    rc = db_order_shop(tx, client_id, order_id, shop_id, e);
    if (rc == RC_OK)
        rc = packages_ask(tx, client_id, shop_id, order_id, body, e);
    if (rc == RC_OK)
        rc = order_ask(tx, req, client_id, shop_id, "shipment_asked", answer, e);
    if (rc == RC_OK)
        rc = queued_reply(reply, client_id, order_id, answer, e);
    return rc == RC_OK ? once_commit(tx, &once, reply, e) : rc;
}

/* ---- the label ----------------------------------------------------------------------------------- */

struct label_wait {
    int64_t until_us;
};

/* The package whose label is wanted. */
static enum rc label_package(struct db_tx *tx, const char *shop_id, const char *order_id,
                             const char *wanted, char package_id[64], struct err *e)
{
    struct package *list = NULL;
    int n = 0, found = 0;
    enum rc rc = db_package_list(tx, shop_id, order_id, &list, &n, e);

    for (int i = 0; rc == RC_OK && i < n; i++) {
        if (wanted != NULL && !str_eq(list[i].package_id, wanted))
            continue;
        (void)str_copy(package_id, 64, list[i].package_id);
        found++;
    }
    db_package_list_free(list, n);
    if (rc != RC_OK || found == 1)
        return rc;
    if (found > 1)
        return err_http(e, 409, "several_packages",
                        "the order has several packages: say which by package_id");
    return err_http(e, 404, "no_packages", "there is no such package of the order");
}

static enum rc label_reply(struct http_reply *reply, const char *package_id, const char *format,
                           const struct buf *body, struct err *e)
{
    bool pdf = str_eq(format, "pdf");

    buf_add(&reply->body, body->data, body->len);
    reply->status = 200;
    reply->content_type = pdf ? "application/pdf" : "application/zpl";
    http_reply_header(reply, "Content-Disposition", "inline; filename=\"label-%s.%s\"", package_id,
                      format);
    http_reply_header(reply, "Cache-Control", "private, no-store");
    return buf_check(&reply->body, e);
}

/* One look at the label. *pending: nothing yet, the caller may wait. */
static enum rc label_look(struct app *app, struct http_req *req, struct http_reply *reply,
                          const char *format, const char *wanted, bool *pending, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    OWN_SECRET struct buf body = { 0 };
    json_auto_t *detail = NULL;
    struct label label = { 0 };
    const char *order_id = http_param(req, "order_id");
    const char *client_id = NULL;
    char shop_id[72], package_id[64];
    enum rc rc = rest_begin(app, req, "order_label", &client_id, &tx, e);

    buf_init(&body, LIMIT_LABEL_BYTES);
    if (rc == RC_OK)
        rc = db_order_shop(tx, client_id, order_id, shop_id, e);
    if (rc == RC_OK)
        rc = label_package(tx, shop_id, order_id, wanted, package_id, e);
    if (rc == RC_OK)
        rc = db_label_get(tx, client_id, shop_id, package_id, format, &label, &body, e);
    if (rc != RC_OK)
        return rc;
    detail = json_pack("{s:s, s:s}", "order_id", order_id, "package_id", package_id);
    if (label.fresh && str_eq(label.state, "refused"))
        return err_http(e, 409, "label_refused", "TikTok gives no label: %s", label.reason);
    if (label.fresh && str_eq(label.state, "ready"))
        rc = label_reply(reply, package_id, format, &body, e);
    else if (!label.fresh)
        rc = db_label_ask(tx, client_id, shop_id, package_id, format, e);
    *pending = !(label.fresh && str_eq(label.state, "ready"));
    if (rc == RC_OK && req->again == 0) /* a label shows the buyer's name and address */
        rc = rest_audit(tx, req, client_id, "label_read", detail, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

enum rc order_label_get(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    static const char *const QUERY[] = { "format", "package_id", NULL };
    struct app *app = user;
    struct label_wait *wait = req->state;
    char format[8], package_id[64];
    const char *asked = NULL, *wanted = NULL;
    bool pending = false;
    enum rc rc = http_query_check(req, QUERY, e);

    if (rc == RC_OK)
        rc = rest_query(req, "format", format, sizeof format, &asked, e);
    if (rc == RC_OK)
        rc = rest_query(req, "package_id", package_id, sizeof package_id, &wanted, e);
    if (rc == RC_OK && asked != NULL && !str_eq(asked, "pdf") && !str_eq(asked, "zpl"))
        rc = err_field(e, "format", "must be pdf or zpl");
    if (rc == RC_OK && wait == NULL) {
        wait = calloc(1, sizeof *wait);
        if (wait == NULL)
            return err_set(e, RC_BUG, "out of memory");
        wait->until_us = clock_mono_us() + LABEL_WAIT_US;
        req->state = wait;
    }
    if (rc == RC_OK)
        rc = label_look(app, req, reply, asked != NULL ? asked : "pdf", wanted, &pending, e);
    if (rc == RC_OK && pending && clock_mono_us() < wait->until_us &&
        !atomic_load(&app->stopping)) {
        reply->again_ms = LABEL_LOOK_MS;
        return RC_OK;
    }
    if (rc == RC_OK && pending) {
        http_reply_header(reply, "Retry-After", "10");
        rc = err_http(e, 503, "label_not_ready",
                      "TikTok's label is not there yet: ask again in a moment");
    }
    free(req->state);
    req->state = NULL;
    return rc;
}
