/* map_order.c - reads a TikTok order: amounts, times and units, which are grouped into lines. */
#include "map_order.h"

#include "jspec.h"
#include "money.h"
#include "str.h"

#include <stdlib.h>

void map_order_done(struct map_order *o)
{
    free(o->lines);
    o->lines = NULL;
    o->n_lines = 0;
}

/* A missing or empty amount is 0. */
static enum rc amount_read(const json_t *object, const char *path, int64_t *minor, struct err *e)
{
    const char *text = jspec_text(object, path);
    struct err why = { 0 };

    *minor = 0;
    if (str_blank(text))
        return RC_OK;
    if (money_decimal_read(text, minor, &why) != RC_OK || *minor < 0 || *minor > MONEY_MAX_MINOR)
        return err_code(e, RC_INVALID, "amount_invalid", "%s of the order is not an amount", path);
    return RC_OK;
}

static bool line_cancelled(const json_t *item)
{
    const char *status = jspec_text(item, "display_status");

    return str_eq(status, "CANCELLED") || str_eq(status, "CANCEL");
}

static enum rc line_read(const json_t *item, struct map_line *out, struct err *e)
{
    struct map_line line = { .quantity = 1, .gift = jspec_bool(item, "is_gift", false) };
    int64_t platform = 0;
    const char *seller_sku = jspec_text(item, "seller_sku");
    const char *name = jspec_text(item, "product_name");
    enum rc rc = amount_read(item, "sale_price", &line.price_minor, e);

    if (rc == RC_OK)
        rc = amount_read(item, "platform_discount", &platform, e);
    if (rc != RC_OK)
        return rc;
    line.price_minor += platform; /* TikTok pays it to the merchant */
    jspec_id(item, "sku_id", line.tiktok_sku_id);
    if (!str_copy(line.seller_sku, sizeof line.seller_sku, seller_sku ? seller_sku : ""))
        return err_code(e, RC_INVALID, "sku_invalid", "a seller_sku of the order is too long");
    if (line.tiktok_sku_id[0] == '\0' && line.seller_sku[0] == '\0')
        return err_code(e, RC_INVALID, "sku_invalid", "a line of the order names no SKU");
    str_copy_cut(line.product_name, sizeof line.product_name, name ? name : "");
    *out = line;
    return RC_OK;
}

static struct map_line *line_same(struct map_order *o, const struct map_line *line)
{
    for (size_t i = 0; i < o->n_lines; i++) {
        struct map_line *at = &o->lines[i];

        if (at->price_minor == line->price_minor && at->gift == line->gift &&
            str_eq(at->tiktok_sku_id, line->tiktok_sku_id) &&
            str_eq(at->seller_sku, line->seller_sku))
            return at;
    }
    return NULL;
}

/* One line_items entry is one unit. */
static enum rc lines_read(const json_t *order, struct map_order *o, struct err *e)
{
    const json_t *items = jspec_get(order, "line_items");
    size_t n = json_array_size(items);
    size_t cancelled = 0;

    if (n > 0)
        o->lines = calloc(n, sizeof *o->lines);
    if (n > 0 && !o->lines)
        return err_set(e, RC_DOWN, "out of memory");
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(items, i);
        struct map_line line = { 0 };
        struct map_line *same;
        enum rc rc;

        if (line_cancelled(item)) {
            cancelled++;
            continue;
        }
        rc = line_read(item, &line, e);
        if (rc != RC_OK)
            return rc;
        same = line_same(o, &line);
        if (same)
            same->quantity++;
        else
            o->lines[o->n_lines++] = line;
        if (o->n_lines > LIMIT_ORDER_LINES)
            return err_code(e, RC_INVALID, "too_many_lines", "the order has more than %d lines",
                            LIMIT_ORDER_LINES);
    }
    o->all_cancelled = n > 0 && cancelled == n;
    return RC_OK;
}

/* When the merchant has to ship: the deadline to arrange it, else the ones that follow. */
static int64_t ship_by_read(const json_t *order)
{
    static const char *const fields[] = { "rts_sla_time", "shipping_due_time", "tts_sla_time",
                                          NULL };

    for (int i = 0; fields[i]; i++) {
        int64_t at = jspec_int(order, fields[i], 0);

        if (at > 0)
            return at;
    }
    return 0;
}

static enum rc amounts_read(const json_t *order, struct map_order *o, struct err *e)
{
    int64_t platform = 0;
    const char *currency = jspec_text(order, "payment.currency");
    enum rc rc = amount_read(order, "payment.total_amount", &o->total_minor, e);

    if (rc == RC_OK)
        rc = amount_read(order, "payment.shipping_fee", &o->freight_minor, e);
    if (rc == RC_OK)
        rc = amount_read(order, "payment.shipping_fee_platform_discount", &platform, e);
    if (rc != RC_OK)
        return rc;
    o->freight_minor += platform;
    if (!str_copy(o->currency, sizeof o->currency, currency && currency[0] ? currency : "BRL"))
        return err_code(e, RC_INVALID, "currency_invalid",
                        "the currency of the order cannot be read");
    return RC_OK;
}

enum rc map_order_read(const json_t *order, struct map_order *out, struct err *e)
{
    OWN_MAP_ORDER struct map_order o = { 0 };
    const char *status = jspec_text(order, "status");
    enum rc rc;

    jspec_id(order, "id", o.order_id);
    if (o.order_id[0] == '\0' || !status)
        return err_code(e, RC_INVALID, "order_unreadable", "TikTok's order has no id or no status");
    if (str_eq(status, "CANCEL"))
        status = "CANCELLED";
    if (!str_copy(o.status, sizeof o.status, status))
        return err_code(e, RC_INVALID, "order_unreadable",
                        "the status of the order cannot be read");
    o.update_s = jspec_int(order, "update_time", jspec_int(order, "create_time", 0));
    o.paid_s = jspec_int(order, "paid_time", 0);
    o.ship_by_s = ship_by_read(order);
    o.tiktok_ships = str_eq(jspec_text(order, "shipping_type"), "TIKTOK");
    o.tiktok_fulfills = str_eq(jspec_text(order, "fulfillment_type"), "FULFILLMENT_BY_TIKTOK");
    rc = amounts_read(order, &o, e);
    if (rc == RC_OK)
        rc = lines_read(order, &o, e);
    if (rc != RC_OK)
        return rc;
    *out = o;
    o.lines = NULL;
    o.n_lines = 0;
    return RC_OK;
}

json_t *map_order_items_new(const struct map_order *o)
{
    json_t *list = json_array();

    for (size_t i = 0; list && i < o->n_lines; i++) {
        const struct map_line *line = &o->lines[i];
        char price[MONEY_TEXT_BYTES];

        money_write(line->price_minor, price);
        if (json_array_append_new(
                list, json_pack("{s:s, s:s, s:s, s:I, s:s, s:b}", "seller_sku", line->seller_sku,
                                "tiktok_sku_id", line->tiktok_sku_id, "product_name",
                                line->product_name, "quantity", (json_int_t)line->quantity,
                                "unit_price", price, "is_gift", (int)line->gift)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* Tracking and state of a package stand in the lines that are in it. */
static const json_t *package_line(const json_t *order, const char *package_id)
{
    const json_t *items = jspec_get(order, "line_items");

    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        char id[JSPEC_ID_BYTES];

        jspec_id(item, "package_id", id);
        if (str_eq(id, package_id))
            return item;
    }
    return NULL;
}

json_t *map_order_packages_new(const json_t *order)
{
    const json_t *packages = jspec_get(order, "packages");
    json_t *list = json_array();

    for (size_t i = 0; list && i < json_array_size(packages); i++) {
        char id[JSPEC_ID_BYTES];
        const json_t *line;

        jspec_id(json_array_get(packages, i), "id", id);
        line = package_line(order, id);
        if (json_array_append_new(list,
                                  json_pack("{s:s, s:s?, s:s?, s:s?}", "package_id", id, "state",
                                            jspec_text(line, "package_status"), "tracking_number",
                                            jspec_text(line, "tracking_number"), "carrier",
                                            jspec_text(line, "shipping_provider_name"))) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}
