/* fulfil_how.c - how a package is to be shipped: pick-up or drop-off with TikTok's carrier, or the merchant's own
 * carrier with the number that VTEX has. */
#include "fulfil.h"
#include "jspec.h"
#include "problem.h"
#include "str.h"
#include "tiktok_fulfil.h"

const json_t *fulfil_vtex_package(const struct fulfil *f, const char *number)
{
    const json_t *list = jspec_get(f->document, "packageAttachment.packages");
    const json_t *only = NULL;
    int n = 0;

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        char id[JSPEC_ID_BYTES];

        if (str_eq(jspec_text(one, "type"), "Input"))
            continue;
        jspec_id(one, "invoiceNumber", id);
        if (number != NULL && number[0] != '\0' && str_eq(id, number))
            return one;
        only = one;
        n++;
    }
    return n == 1 && (number == NULL || number[0] == '\0') ? only : NULL;
}

/* ---- carriers ------------------------------------------------------------------------------------ */

/* What the client says; "" when it says nothing. */
static void carrier_by_policy(const struct fulfil *f, const char *name, char id[64])
{
    json_t *carriers = (json_t *)jspec_get(f->client.policies, "shipping.carriers");
    const char *key;
    json_t *value;

    id[0] = '\0';
    json_object_foreach(carriers, key, value)
    {
        if (str_ieq(key, name))
            (void)str_copy(id, 64, json_string_value(value));
    }
}

enum rc fulfil_carrier(struct fulfil *f, const struct package *p, const char *name, char id[64],
                       struct err *e)
{
    json_auto_t *providers = NULL;
    enum rc rc = RC_OK;

    carrier_by_policy(f, name, id);
    if (id[0] != '\0')
        return RC_OK;
    if (p->delivery_option_id[0] != '\0')
        rc = tiktok_shipping_providers(&f->tiktok, p->delivery_option_id, &providers, e);
    if (rc != RC_OK && rc != RC_INVALID)
        return rc;
    for (size_t i = 0; i < json_array_size(providers); i++) {
        const json_t *one = json_array_get(providers, i);

        if (str_ieq(jspec_text(one, "name"), name)) {
            jspec_id(one, "id", id);
            return RC_OK;
        }
    }
    problem_add(f->problems, "carrier_unknown", "policies.shipping.carriers",
                "say in the client's policies which shipping provider of TikTok it is",
                "TikTok has no carrier of the name \"%.60s\"", name);
    return RC_NOT_FOUND;
}

static enum rc own_carrier(struct fulfil *f, const struct package *p, json_t **how, struct err *e)
{
    const struct invoice *v = fulfil_invoice_of(f, p);
    const json_t *sale = fulfil_vtex_package(f, v != NULL ? v->vtex_number : NULL);
    const char *number = jspec_text(sale, "trackingNumber");
    const char *courier = jspec_text(sale, "courier");
    char id[64];
    enum rc rc;

    if (str_blank(number) || str_blank(courier))
        return RC_OK; /* comes later than the invoice, often */
    rc = fulfil_carrier(f, p, courier, id, e);
    if (rc == RC_NOT_FOUND)
        return RC_OK;
    if (rc != RC_OK)
        return rc;
    *how = json_pack("{s:{s:s, s:s}}", "self_shipment", "tracking_number", number,
                     "shipping_provider_id", id);
    return *how != NULL ? RC_OK : err_set(e, RC_DOWN, "out of memory");
}

/* ---- TikTok's carrier ------------------------------------------------------------------------------ */

/* The first window that can be booked still. Borrowed; NULL when there is none. */
static const json_t *slot_first(const json_t *slots)
{
    const json_t *list = jspec_get(slots, "pickup_slots");

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);

        if (jspec_bool(one, "avaliable", false))
            return one;
    }
    return NULL;
}

/* The method that was wanted if it is offered, else the other one. */
static const char *method_of(const char *wanted, const json_t *slots)
{
    bool pickup = jspec_bool(slots, "can_pickup", true) && slot_first(slots) != NULL;
    bool drop_off = jspec_bool(slots, "can_drop_off", true);

    if (str_eq(wanted, "PICKUP"))
        return pickup ? "PICKUP" : drop_off ? "DROP_OFF" : NULL;
    return drop_off ? "DROP_OFF" : pickup ? "PICKUP" : NULL;
}

static enum rc platform_carrier(struct fulfil *f, const struct package *p, json_t **how,
                                struct err *e)
{
    const char *asked = jspec_text(p->how, "handover_method");
    const char *wanted = asked != NULL ? asked : f->client.ship_handover;
    json_auto_t *slots = NULL;
    const json_t *slot;
    const char *method;
    enum rc rc;

    rc = tiktok_handover_slots(&f->tiktok, p->package_id, &slots, e);
    if (rc != RC_OK && rc != RC_INVALID)
        return rc;
    method = method_of(wanted, slots);
    if (rc == RC_INVALID || method == NULL || (asked != NULL && !str_eq(method, asked))) {
        problem_add(f->problems, "handover_not_offered", "handover_method",
                    "choose another way to hand the package over, or try again later",
                    "TikTok does not offer %s for package %.40s", wanted, p->package_id);
        return RC_OK;
    }
    slot = str_eq(method, "PICKUP") ? slot_first(slots) : NULL;
    *how = json_pack("{s:s}", "handover_method", method);
    if (*how != NULL && slot != NULL)
        (void)json_object_set_new(
            *how, "pickup_slot",
            json_pack("{s:I, s:I}", "start_time", (json_int_t)jspec_int(slot, "start_time", 0),
                      "end_time", (json_int_t)jspec_int(slot, "end_time", 0)));
    return *how != NULL ? RC_OK : err_set(e, RC_DOWN, "out of memory");
}

static bool is_complete(const json_t *how)
{
    const char *method = jspec_text(how, "handover_method");

    return json_is_object(jspec_get(how, "self_shipment")) || str_eq(method, "DROP_OFF") ||
           json_is_object(jspec_get(how, "pickup_slot"));
}

enum rc fulfil_how(struct fulfil *f, const struct package *p, json_t **how, struct err *e)
{
    *how = NULL;
    if (p->how != NULL && is_complete(p->how)) {
        *how = json_incref(p->how);
        return RC_OK;
    }
    if (str_eq(p->shipping_type, "SELLER"))
        return own_carrier(f, p, how, e);
    return platform_carrier(f, p, how, e);
}
