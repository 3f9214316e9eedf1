/* shop_order.c - reading orders: search, detail in two versions, price detail. */
#include "state.h"

#include "money.h"
#include "str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDS_MAX 50

static bool hides_address(const char *status)
{
    return str_eq(status, "UNPAID") || str_eq(status, "ON_HOLD");
}

/* With the platform's carrier the seller sees neither name nor phone nor door. */
static void mask(json_t *order)
{
    static const char *const members[] = { "name",           "first_name",    "phone_number",
                                           "address_line2",  "address_line3", "address_line4",
                                           "address_detail", "full_address" };
    json_t *address = json_object_get(order, "recipient_address");

    for (size_t i = 0; address != NULL && i < sizeof members / sizeof members[0]; i++) {
        const char *text = sbx_text(address, members[i]);
        char out[64];

        (void)snprintf(out, sizeof out, "%.*s***", (int)str_utf8_prefix(text, 1), text);
        sbx_set_text(address, members[i], text[0] == '\0' ? "" : out);
    }
}

/* An order as one operation shows it. */
static json_t *view_new(const json_t *order, bool payment_fields)
{
    static const char *const newest[] = { "payment_card_type",
                                          "channel_entity_national_registry_id",
                                          "payment_method_code", "payment_auth_code" };
    json_t *out = sbx_need(json_deep_copy(order));

    if (hides_address(sbx_text(order, "status")))
        (void)json_object_del(out, "recipient_address");
    else if (str_eq(sbx_text(order, "shipping_type"), "TIKTOK"))
        mask(out);
    for (size_t i = 0; !payment_fields && i < 4; i++)
        (void)json_object_del(out, newest[i]);
    return out;
}

static void detail(struct sbx_call *c, bool payment_fields)
{
    const char *at = sbx_query(c, "ids");
    json_t *list = sbx_need(json_array());
    int n = 0;

    c->data = sbx_need(json_object());
    sbx_set(c->data, "orders", list);
    while (*at != '\0') {
        size_t len = strcspn(at, ",");
        char id[40];

        if (len == 0 || len >= sizeof id || ++n > IDS_MAX) {
            sbx_fail(c, 36009004, "ids must hold 1 to 50 order ids joined by commas");
            return;
        }
        memcpy(id, at, len);
        id[len] = '\0';
        const json_t *order = json_object_get(c->shop->orders, id);
        if (order == NULL) {
            sbx_fail(c, 21008111, "The order or package does not belong to the current seller.");
            return;
        }
        sbx_append(list, view_new(order, payment_fields));
        at += len;
        at += *at == ',';
    }
}

void sbx_get_order_detail(struct sbx_call *c)
{
    detail(c, true);
}

void sbx_get_order_detail_old(struct sbx_call *c)
{
    detail(c, false);
}

static bool window_fits(const json_t *filter, const char *low, const char *high, int64_t at)
{
    const json_t *from = json_object_get(filter, low);
    const json_t *to = json_object_get(filter, high);

    return (from == NULL || at >= json_integer_value(from)) &&
           (to == NULL || at < json_integer_value(to));
}

static bool text_fits(const json_t *filter, const char *wanted, const json_t *order,
                      const char *member)
{
    const char *text = sbx_text(filter, wanted);

    return text[0] == '\0' || str_eq(text, sbx_text(order, member));
}

static bool fits(const json_t *filter, const json_t *order)
{
    const json_t *asked = json_object_get(filter, "is_buyer_request_cancel");
    const json_t *warehouses = json_object_get(filter, "warehouse_ids");
    bool here = json_array_size(warehouses) == 0;
    size_t i;
    json_t *one;

    json_array_foreach(warehouses, i, one) here =
        here || str_eq(json_string_value(one), sbx_text(order, "warehouse_id"));
    return here && text_fits(filter, "order_status", order, "status") &&
           text_fits(filter, "shipping_type", order, "shipping_type") &&
           text_fits(filter, "buyer_user_id", order, "user_id") &&
           (asked == NULL ||
            json_equal(asked, json_object_get(order, "is_buyer_request_cancel"))) &&
           window_fits(filter, "create_time_ge", "create_time_lt", sbx_int(order, "create_time")) &&
           window_fits(filter, "update_time_ge", "update_time_lt", sbx_int(order, "update_time"));
}

/* An order with what it is sorted by. */
struct row {
    int64_t at;
    const char *id;
    const json_t *order;
};

static int ascending(const void *a, const void *b)
{
    const struct row *x = a, *y = b;

    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return strcmp(x->id, y->id);
}

static int descending(const void *a, const void *b)
{
    return ascending(b, a);
}

void sbx_get_order_list(struct sbx_call *c)
{
    const char *field = sbx_query(c, "sort_field");
    bool up = str_eq(sbx_query(c, "sort_order"), "ASC");
    size_t offset = 0, count = 0, n = 0;
    const char *id;
    json_t *order;

    if (!sbx_page(c, &offset, &count))
        return;
    struct row *rows = sbx_need(calloc(json_object_size(c->shop->orders) + 1, sizeof *rows));
    json_object_foreach(c->shop->orders, id, order)
    {
        if (fits(c->body, order))
            rows[n++] =
                (struct row){ sbx_int(order, field == NULL ? "create_time" : field), id, order };
    }
    qsort(rows, n, sizeof *rows, up ? ascending : descending);
    json_t *page = sbx_need(json_array());
    for (size_t i = offset; i < offset + count && i < n; i++)
        sbx_append(page, view_new(rows[i].order, false));
    free(rows);
    c->data = sbx_need(json_object());
    sbx_set(c->data, "orders", page);
    sbx_page_next(c, offset, count, n);
}

static int64_t minor_of(const json_t *object, const char *key)
{
    int64_t minor = 0;

    (void)money_decimal_read(sbx_text(object, key), &minor, NULL); /* our own text */
    return minor;
}

/* Members that order and line have in common. */
static json_t *prices_new(int64_t original, int64_t seller, int64_t platform, int64_t shipping_list,
                          int64_t shipping)
{
    const struct {
        const char *name;
        int64_t minor;
    } members[] = {
        { "total", original + shipping_list },
        { "payment", original - seller - platform + shipping },
        { "sku_list_price", original },
        { "sku_sale_price", original - seller - platform },
        { "subtotal", original - seller - platform },
        { "subtotal_deduction_seller", seller },
        { "subtotal_deduction_platform", platform },
        { "subtotal_tax_amount", 0 },
        { "shipping_list_price", shipping_list },
        { "shipping_sale_price", shipping },
        { "shipping_fee_deduction_seller", 0 },
        { "shipping_fee_deduction_platform", shipping_list - shipping },
        { "tax_amount", 0 },
        { "net_price_amount", original - seller - platform },
    };
    json_t *out = sbx_need(json_object());

    sbx_set_text(out, "currency", "BRL");
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        char text[MONEY_TEXT_BYTES];

        money_write(members[i].minor, text);
        sbx_set_text(out, members[i].name, text);
    }
    return out;
}

void sbx_get_price_detail(struct sbx_call *c)
{
    const json_t *order = json_object_get(c->shop->orders, http_param(c->req, "order_id"));
    const json_t *payment = json_object_get(order, "payment");
    json_t *lines;
    size_t i;
    json_t *line;

    if (order == NULL) {
        sbx_fail(c, 21008111, "The order or package does not belong to the current seller.");
        return;
    }
    lines = sbx_need(json_array());
    c->data =
        prices_new(minor_of(payment, "original_total_product_price"),
                   minor_of(payment, "seller_discount"), minor_of(payment, "platform_discount"),
                   minor_of(payment, "original_shipping_fee"), minor_of(payment, "shipping_fee"));
    json_array_foreach(json_object_get(order, "line_items"), i, line)
    {
        json_t *prices =
            prices_new(minor_of(line, "original_price"), minor_of(line, "seller_discount"),
                       minor_of(line, "platform_discount"), 0, 0);

        sbx_set_text(prices, "id", sbx_text(line, "id"));
        sbx_append(lines, prices);
    }
    sbx_set(c->data, "line_items", lines);
}
