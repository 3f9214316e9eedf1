/* map_cart.c - lines of an order as a cart of VTEX: merging, simulation, choice of delivery, freight. */
#include "jspec.h"
#include "map_order.h"
#include "str.h"

#include <string.h>

#define MONEY_LINE_MAX \
    INT64_C(100000000000) /* cents; a simulated price beyond it is not believed */

static bool line_joins(const struct map_line *a, const struct map_line *b, bool ignore_price)
{
    if (!str_eq(a->vtex_sku_id, b->vtex_sku_id))
        return false;
    return ignore_price || (a->price_minor == b->price_minor && a->gift == b->gift);
}

static void line_join(struct map_line *to, const struct map_line *from)
{
    int64_t value = to->quantity * to->price_minor + to->extra_minor +
                    from->quantity * from->price_minor + from->extra_minor;

    to->quantity += from->quantity;
    to->price_minor = value / to->quantity;
    to->extra_minor = value % to->quantity;
    to->gift = to->gift && from->gift;
}

void map_order_merge(struct map_order *o, bool ignore_price)
{
    size_t kept = 0;

    for (size_t i = 0; i < o->n_lines; i++) {
        size_t at = 0;

        while (at < kept && !line_joins(&o->lines[at], &o->lines[i], ignore_price))
            at++;
        if (at < kept)
            line_join(&o->lines[at], &o->lines[i]);
        else
            o->lines[kept++] = o->lines[i];
    }
    o->n_lines = kept;
}

int64_t map_order_merchant_minor(const struct map_order *o)
{
    int64_t sum = o->freight_minor;

    for (size_t i = 0; i < o->n_lines; i++)
        sum += o->lines[i].quantity * o->lines[i].price_minor + o->lines[i].extra_minor;
    return sum;
}

json_t *map_order_cart_new(const struct map_order *o, const char *postal_code)
{
    json_auto_t *items = json_array();

    for (size_t i = 0; items && i < o->n_lines; i++) {
        json_t *item = json_pack("{s:s, s:I, s:s}", "id", o->lines[i].vtex_sku_id, "quantity",
                                 (json_int_t)o->lines[i].quantity, "seller", "1");

        if (json_array_append_new(items, item) != 0)
            return NULL;
    }
    return json_pack("{s:O, s:s, s:s, s:[], s:n, s:n, s:n, s:b, s:n}", "items", items, "country",
                     "BRA", "postalCode", postal_code, "geoCoordinates", "marketingData",
                     "selectedSla", "clientProfileData", "isCheckedIn", 0, "storeId");
}

int64_t map_estimate_minutes(const char *estimate)
{
    size_t digits = estimate ? strspn(estimate, "0123456789") : 0;
    char number[12];
    int64_t value;

    if (digits == 0 || digits >= sizeof number)
        return -1;
    memcpy(number, estimate, digits);
    number[digits] = '\0';
    if (!str_to_i64(number, 0, 1000000, &value))
        return -1;
    if (str_eq(estimate + digits, "bd"))
        return value * 24 * 60 * 7 / 5;
    if (str_eq(estimate + digits, "d"))
        return value * 24 * 60;
    if (str_eq(estimate + digits, "h"))
        return value * 60;
    return str_eq(estimate + digits, "m") ? value : -1;
}

/* Index in the answer's items of the request's line i; -1 when it is missing. */
static int answer_item(const json_t *answer, size_t i)
{
    const json_t *items = jspec_get(answer, "items");

    for (size_t k = 0; k < json_array_size(items); k++) {
        if (jspec_int(json_array_get(items, k), "requestIndex", -1) == (int64_t)i)
            return (int)k;
    }
    return -1;
}

/* The logisticsInfo entry of an item of the answer. */
static const json_t *answer_logistics(const json_t *answer, int item)
{
    const json_t *list = jspec_get(answer, "logisticsInfo");

    for (size_t k = 0; k < json_array_size(list); k++) {
        if (jspec_int(json_array_get(list, k), "itemIndex", -1) == item)
            return json_array_get(list, k);
    }
    return NULL;
}

static enum rc line_check(const struct map_line *line, const json_t *answer, int item,
                          struct err *e)
{
    const json_t *got =
        json_array_get(jspec_get(answer, "items"), item < 0 ? SIZE_MAX : (size_t)item);
    const char *availability = jspec_text(got, "availability");

    if (!got)
        return err_code(e, RC_INVALID, "out_of_stock", "VTEX does not offer SKU %s",
                        line->vtex_sku_id);
    if (!str_eq(jspec_text(got, "id"), line->vtex_sku_id))
        return err_code(e, RC_INVALID, "out_of_stock", "VTEX offers another SKU in place of %s",
                        line->vtex_sku_id);
    if (!str_eq(availability, "available"))
        return err_code(e, RC_INVALID, "out_of_stock", "SKU %s is not available in VTEX (%s)",
                        line->vtex_sku_id, availability ? availability : "no word on it");
    if (jspec_int(got, "quantity", 0) < line->quantity)
        return err_code(e, RC_INVALID, "out_of_stock", "VTEX has %d of %d units of SKU %s",
                        (int)jspec_int(got, "quantity", 0), (int)line->quantity, line->vtex_sku_id);
    return RC_OK;
}

static const json_t *sla_find(const json_t *logistics, const char *id)
{
    const json_t *slas = jspec_get(logistics, "slas");

    for (size_t k = 0; k < json_array_size(slas); k++) {
        const json_t *sla = json_array_get(slas, k);

        if (str_eq(jspec_text(sla, "id"), id) &&
            str_eq(jspec_text(sla, "deliveryChannel"), "delivery"))
            return sla;
    }
    return NULL;
}

/* What all lines cost by this delivery and how long the slowest takes; false when a line lacks it. */
static bool sla_measure(const struct map_order *o, const json_t *answer, const char *id,
                        int64_t *price, int64_t *minutes)
{
    *price = 0;
    *minutes = 0;
    for (size_t i = 0; i < o->n_lines; i++) {
        const json_t *sla = sla_find(answer_logistics(answer, answer_item(answer, i)), id);
        int64_t wait = sla ? map_estimate_minutes(jspec_text(sla, "shippingEstimate")) : -1;

        if (wait < 0)
            return false;
        *price += jspec_int(sla, "price", 0);
        *minutes = wait > *minutes ? wait : *minutes;
    }
    return true;
}

/* Takes price and estimate of the chosen delivery into the lines. */
static enum rc sla_take(struct map_order *o, const json_t *answer, const char *id, struct err *e)
{
    if (!str_copy(o->sla, sizeof o->sla, id))
        return err_code(e, RC_INVALID, "no_delivery", "the id of the delivery is too long");
    for (size_t i = 0; i < o->n_lines; i++) {
        const json_t *sla = sla_find(answer_logistics(answer, answer_item(answer, i)), id);
        int64_t price = jspec_int(sla, "price", 0);

        if (!str_copy(o->lines[i].estimate, sizeof o->lines[i].estimate,
                      jspec_text(sla, "shippingEstimate")))
            return err_code(e, RC_INVALID, "no_delivery",
                            "the estimate of the delivery is too long");
        o->lines[i].sla_price_minor = price > 0 && price < MONEY_LINE_MAX ? price : 0;
    }
    return RC_OK;
}

/* An error that VTEX hides inside an answer of status 200. */
static enum rc messages_check(const json_t *answer, struct err *e)
{
    const json_t *list = jspec_get(answer, "messages");

    for (size_t k = 0; k < json_array_size(list); k++) {
        const json_t *message = json_array_get(list, k);
        const char *code = jspec_text(message, "code");

        if (str_eq(jspec_text(message, "status"), "error"))
            return err_code(e, RC_INVALID, "out_of_stock", "VTEX refuses the cart: %s",
                            code ? code : "error");
    }
    return RC_OK;
}

enum rc map_order_sla_choose(struct map_order *o, const json_t *answer, struct err *e)
{
    const json_t *slas;
    const char *best = NULL;
    int64_t best_price = 0, best_minutes = 0;

    for (size_t i = 0; i < o->n_lines; i++) {
        enum rc rc = line_check(&o->lines[i], answer, answer_item(answer, i), e);

        if (rc != RC_OK)
            return rc;
    }
    if (messages_check(answer, e) != RC_OK)
        return RC_INVALID;
    slas = jspec_get(answer_logistics(answer, answer_item(answer, 0)), "slas");
    for (size_t k = 0; k < json_array_size(slas); k++) {
        const char *id = jspec_text(json_array_get(slas, k), "id");
        int64_t price, minutes;

        if (!id || !sla_measure(o, answer, id, &price, &minutes))
            continue;
        if (!best || price < best_price || (price == best_price && minutes < best_minutes)) {
            best = id;
            best_price = price;
            best_minutes = minutes;
        }
    }
    if (!best)
        return err_code(e, RC_INVALID, "no_delivery",
                        "VTEX delivers not all lines to this postal code");
    return sla_take(o, answer, best, e);
}

void map_order_freight_split(struct map_order *o)
{
    int64_t weights = 0;
    int64_t spread = 0;
    bool by_price;

    for (size_t i = 0; i < o->n_lines; i++)
        weights += o->lines[i].sla_price_minor;
    by_price = weights > 0;
    for (size_t i = 0; i < o->n_lines && !by_price; i++)
        weights += o->lines[i].quantity * o->lines[i].price_minor;
    for (size_t i = 0; i < o->n_lines; i++) {
        struct map_line *line = &o->lines[i];
        int64_t weight = by_price ? line->sla_price_minor : line->quantity * line->price_minor;
        __extension__ __int128 part =
            weights > 0 ? (__int128)o->freight_minor * weight / weights : 0;

        line->freight_minor = (int64_t)part;
        spread += line->freight_minor;
    }
    if (o->n_lines > 0)
        o->lines[0].freight_minor += o->freight_minor - spread;
    for (size_t i = 0; i < o->n_lines; i++)
        o->lines[i].freight_minor += o->lines[i].extra_minor;
}
