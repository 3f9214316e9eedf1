/* vtex_simulation.c - what a shopper would pay for one unit of a SKU: the cart simulation without a postal code. */
#include "vtex_catalog.h"

#include <string.h>

#include "clock.h"
#include "jspec.h"
#include "money.h"
#include "str.h"

#define SIMULATION_MS 60000

/* The item that answers our only line. */
static const json_t *item_of(const json_t *root)
{
    const json_t *items = jspec_get(root, "items");

    for (size_t i = 0; i < json_array_size(items); i++)
        if (jspec_int(json_array_get(items, i), "requestIndex", 0) == 0)
            return json_array_get(items, i);
    return NULL;
}

/* Cents of one unit of the cart: what the whole line costs, else the selling price times what one unit measures. */
static int64_t unit_minor(const json_t *item)
{
    int64_t total = jspec_int(item, "priceDefinition.total", 0);
    int64_t quantity = jspec_int(item, "quantity", 1);
    int64_t selling = jspec_int(item, "sellingPrice", 0);
    const json_t *multiplier = jspec_get(item, "unitMultiplier");
    double units = json_is_number(multiplier) ? json_number_value(multiplier) : 1.0;
    int64_t minor = 0;

    if (total > 0 && quantity > 0 && total % quantity == 0 && total <= MONEY_MAX_MINOR)
        return total / quantity;
    if (selling <= 0 || selling > MONEY_MAX_MINOR || units <= 0 || units > 1e6 ||
        money_real_read((double)selling / 100.0 * units, &minor, NULL) != RC_OK)
        return 0;
    return minor;
}

static enum rc simulation_read(const json_t *root, int64_t *minor, int64_t *valid_us, struct err *e)
{
    const json_t *item = item_of(root);
    const char *until = jspec_text(item, "priceValidUntil");
    int64_t found = item != NULL ? unit_minor(item) : 0;

    if (!json_is_object(root))
        return err_code(e, RC_DOWN, "answer_unreadable", "VTEX's simulation could not be read");
    if (found <= 0 || !str_eq(jspec_text(item, "availability"), "available"))
        return err_set(e, RC_NOT_FOUND, "VTEX does not sell the SKU in a cart");
    if (valid_us != NULL && (until == NULL || !clock_read(until, valid_us)))
        *valid_us = 0;
    *minor = found;
    return RC_OK;
}

enum rc vtex_simulated_price(struct vtex_session *s, const char *sku_id, int64_t *minor,
                             int64_t *valid_us, struct err *e)
{
    struct vtex_reply reply = { 0 };
    json_auto_t *body =
        json_pack("{s:[{s:s, s:i, s:s}]}", "items", "id", sku_id, "quantity", 1, "seller", "1");
    enum rc rc;

    if (!str_digits(sku_id))
        return err_code(e, RC_INVALID, "vtex_sku_id", "a VTEX SKU id is a whole number");
    if (body == NULL)
        return err_set(e, RC_DOWN, "out of memory for a simulation");
    rc = vtex_call(s,
                   &(struct vtex_req){
                       .operation = "simulateCart",
                       .method = "POST",
                       .path = "/api/checkout/pub/orderForms/simulation",
                       .entity = sku_id,
                       .query = { { "sc", s->sales_channel }, { "affiliateId", s->affiliate_id } },
                       .body = body,
                       .total_ms = SIMULATION_MS },
                   &reply, e);
    if (rc == RC_OK)
        rc = simulation_read(reply.body, minor, valid_us, e);
    vtex_reply_done(&reply);
    return rc;
}
