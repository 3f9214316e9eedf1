/* order_new.c - makes orders as buyers would, and moves them through their states. */
#include "state.h"

#include "clock.h"
#include "jspec.h"
#include "money.h"
#include "sign.h"
#include "str.h"

#include <stdio.h>
#include <string.h>

#define UNITS_MAX 100

/* Fictitious buyers; the CPF numbers are the usual test numbers. */
static const struct {
    const char *name, *cpf, *phone, *cep, *state, *city, *bairro, *street, *number, *complement;
} BUYERS[] = {
    { "Mariana Alves Souza", "111.444.777-35", "(+55)11987654321", "01310100", "São Paulo",
      "São Paulo", "Bela Vista", "Avenida Paulista", "1578", "Apto 42" },
    { "João Pedro da Conceição", "529.982.247-25", "(+55)31991234567", "30130010", "Minas Gerais",
      "Belo Horizonte", "Centro", "Rua da Bahia", "905", "" },
    { "Ana Clara Müller", "123.456.789-09", "(+55)51998877665", "90010150", "Rio Grande do Sul",
      "Porto Alegre", "Centro Histórico", "Rua dos Andradas", "1001", "Sala 3" },
    { "Raimundo Nonato Filho", "935.411.347-80", "(+55)92981112233", "69005070", "Amazonas",
      "Manaus", "Centro", "Rua 10 de Julho", "s/n", "Casa dos fundos" },
};
#define N_BUYERS (sizeof BUYERS / sizeof BUYERS[0])

static const char *const STATUSES[] = {
    "UNPAID",     "ON_HOLD",   "AWAITING_SHIPMENT", "PARTIALLY_SHIPPING", "AWAITING_COLLECTION",
    "IN_TRANSIT", "DELIVERED", "COMPLETED",         "CANCELLED",          NULL
};
static const char *const SHIPPING[] = { "SELLER", "TIKTOK", NULL };
static const struct jspec_field ORDER_FIELDS[] = {
    { .name = "shop", .type = JSPEC_TEXT, .min = 1, .max = 32 },
    { .name = "items", .type = JSPEC_ANY },
    { .name = "count", .type = JSPEC_INT, .min = 1, .max = 1000 },
    { .name = "status", .type = JSPEC_TEXT, .words = STATUSES },
    { .name = "shipping_type", .type = JSPEC_TEXT, .words = SHIPPING },
    { .name = "shipping_fee", .type = JSPEC_DECIMAL },
    { .name = "shipping_fee_platform_discount", .type = JSPEC_DECIMAL },
    { .name = "buyer", .type = JSPEC_INT, .min = 0, .max = (int64_t)N_BUYERS - 1 },
    { .name = "buyer_message", .type = JSPEC_TEXT, .min = 0, .max = 500 },
    { .name = "is_sample_order", .type = JSPEC_BOOL },
    { 0 },
};
static const struct jspec_field ITEM_FIELDS[] = {
    { .name = "seller_sku", .type = JSPEC_TEXT, .required = true, .min = 1, .max = 50 },
    { .name = "quantity", .type = JSPEC_INT, .min = 1, .max = 50 },
    { .name = "price", .type = JSPEC_DECIMAL },
    { .name = "seller_discount", .type = JSPEC_DECIMAL },
    { .name = "platform_discount", .type = JSPEC_DECIMAL },
    { 0 },
};

struct totals {
    int64_t original, seller, platform, shipping, shipping_platform;
};

static void set_money(json_t *object, const char *key, int64_t minor)
{
    char text[MONEY_TEXT_BYTES];

    money_write(minor, text);
    sbx_set_text(object, key, text);
}

static int64_t money_of(const json_t *object, const char *key, int64_t otherwise)
{
    int64_t minor = otherwise;

    if (json_object_get(object, key) != NULL)
        (void)money_decimal_read(sbx_text(object, key), &minor,
                                 NULL); /* the field check made sure */
    return minor;
}

/* Product and SKU by seller SKU; false when the shop does not list it. */
static bool listed(struct sbx_shop *shop, const char *seller_sku, json_t **product, json_t **sku)
{
    const char *id;
    json_t *one, *candidate;
    size_t i;

    json_object_foreach(shop->products, id, one)
    {
        json_array_foreach(json_object_get(one, "skus"), i, candidate)
        {
            if (str_eq(sbx_text(candidate, "seller_sku"), seller_sku)) {
                *product = one;
                *sku = candidate;
                return true;
            }
        }
    }
    return false;
}

static void sku_name(const json_t *sku, char *out, size_t cap)
{
    size_t i;
    json_t *one;

    out[0] = '\0';
    json_array_foreach(json_object_get(sku, "sales_attributes"), i, one)
    {
        size_t used = strlen(out);

        (void)snprintf(out + used, cap - used, "%s%.40s", i == 0 ? "" : ", ",
                       sbx_text(one, "value_name"));
    }
    if (out[0] == '\0')
        (void)snprintf(out, cap, "Default");
}

/* One unit of an item; the line carries no quantity. */
static json_t *line_new(struct sandbox *sb, struct sbx_shop *shop, const json_t *item,
                        struct totals *t)
{
    const char *seller_sku = sbx_text(item, "seller_sku");
    json_t *product = NULL, *sku = NULL;
    json_t *line = sbx_need(json_object());
    char id[32], name[200] = "Default", made_up[32];
    bool known = listed(shop, seller_sku, &product, &sku);
    int64_t price = known ? money_of(json_object_get(sku, "price"), "amount", 0) : 4990;
    int64_t original = money_of(item, "price", price);
    int64_t seller = money_of(item, "seller_discount", 0);
    int64_t platform = money_of(item, "platform_discount", 0);

    sbx_id(sb, true, id);
    (void)snprintf(made_up, sizeof made_up, "17300000000%.8s", id + 10); /* listed nowhere else */
    if (known) {
        int64_t stock = sbx_int(json_array_get(json_object_get(sku, "inventory"), 0), "quantity");

        sku_name(sku, name, sizeof name);
        sbx_set_int(sku, "committed", sbx_int(sku, "committed") + 1);
        if (stock > 0)
            sbx_set_int(json_array_get(json_object_get(sku, "inventory"), 0), "quantity",
                        stock - 1);
    }
    sbx_set_text(line, "id", id);
    sbx_set_text(line, "sku_id", known ? sbx_text(sku, "id") : made_up);
    sbx_set_text(line, "product_id", known ? sbx_text(product, "id") : made_up);
    sbx_set_text(line, "product_name",
                 known ? sbx_text(product, "title") : "Produto criado no Seller Center");
    sbx_set_text(line, "sku_name", name);
    sbx_set_text(line, "seller_sku", seller_sku);
    sbx_set_text(line, "sku_image", "https://p16-sandbox.ibyteimg.example/sku.png");
    set_money(line, "original_price", original);
    set_money(line, "sale_price", original - seller - platform);
    set_money(line, "seller_discount", seller);
    set_money(line, "platform_discount", platform);
    sbx_set_text(line, "currency", "BRL");
    sbx_set_text(line, "sku_type", "NORMAL");
    sbx_set(line, "is_gift", json_false());
    sbx_set(line, "is_dangerous_good", json_false());
    t->original += original;
    t->seller += seller;
    t->platform += platform;
    return line;
}

static int64_t stock_of(const json_t *sku)
{
    return sbx_int(json_array_get(json_object_get(sku, "inventory"), 0), "quantity");
}

/* The nth SKU that is live and in stock; n gets what is left to skip when there are fewer. */
static const json_t *sellable(const struct sbx_shop *shop, size_t *n)
{
    const char *id;
    json_t *product, *sku;
    size_t i;

    json_object_foreach(shop->products, id, product)
    {
        if (!str_eq(sbx_text(product, "status"), "ACTIVATE"))
            continue;
        json_array_foreach(json_object_get(product, "skus"), i, sku)
        {
            if (stock_of(sku) > 0 && (*n)-- == 0)
                return sku;
        }
    }
    return NULL;
}

static json_t *random_items_new(struct sandbox *sb, struct sbx_shop *shop)
{
    json_t *items = sbx_need(json_array());
    size_t all = SIZE_MAX, pick;
    unsigned int seed = 0;

    sign_random(&seed, sizeof seed);
    (void)sellable(shop, &all); /* counts them: nothing is that far */
    all = SIZE_MAX - all;
    if (all == 0) { /* nothing published yet: something the merchant has */
        char text[24];

        (void)snprintf(text, sizeof text, "%d",
                       sb->merchant->skus[seed % (unsigned)sb->merchant->n_skus].id);
        sbx_append(items, json_pack("{s:s,s:i}", "seller_sku", text, "quantity", 1));
        return items;
    }
    pick = seed % all;
    const json_t *sku = sellable(shop, &pick);
    bool two = seed / 7 % 2 == 1 && stock_of(sku) > 1;
    sbx_append(items, json_pack("{s:s,s:i}", "seller_sku", sbx_text(sku, "seller_sku"), "quantity",
                                two ? 2 : 1));
    return items;
}

static enum rc items_check(const json_t *items, struct err *e)
{
    size_t i;
    json_t *item;

    if (!json_is_array(items) || json_array_size(items) == 0 || json_array_size(items) > 20)
        return err_field(e, "items", "must be a list of 1 to 20 objects");
    json_array_foreach(items, i, item)
    {
        enum rc rc = jspec_check(item, ITEM_FIELDS, e);

        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

static json_t *district_new(const char *state, const char *city)
{
    return sbx_need(json_pack("[{s:s,s:s,s:s},{s:s,s:s,s:s},{s:s,s:s,s:s}]", "address_level", "L0",
                              "address_level_name", "country", "address_name", "Brasil",
                              "address_level", "L1", "address_level_name", "state", "address_name",
                              state, "address_level", "L2", "address_level_name", "municipality",
                              "address_name", city));
}

static json_t *address_new(size_t b)
{
    json_t *out = sbx_need(json_object());
    char detail[200], full[400];

    (void)snprintf(detail, sizeof detail, "%s %s%s%s", BUYERS[b].street, BUYERS[b].number,
                   BUYERS[b].complement[0] == '\0' ? "" : " ", BUYERS[b].complement);
    (void)snprintf(full, sizeof full, "Brasil, %s, %s, %s, %s", BUYERS[b].state, BUYERS[b].city,
                   BUYERS[b].bairro, detail);
    sbx_set_text(out, "name", BUYERS[b].name);
    sbx_set_text(out, "first_name", BUYERS[b].name);
    sbx_set_text(out, "last_name", "");
    sbx_set_text(out, "phone_number", BUYERS[b].phone);
    sbx_set_text(out, "postal_code", BUYERS[b].cep);
    sbx_set_text(out, "region_code", "BR");
    sbx_set_text(out, "address_line1", BUYERS[b].bairro);
    sbx_set_text(out, "address_line2", BUYERS[b].street);
    sbx_set_text(out, "address_line3", BUYERS[b].number);
    sbx_set_text(out, "address_line4", BUYERS[b].complement);
    sbx_set_text(out, "address_detail", detail);
    sbx_set_text(out, "full_address", full);
    sbx_set(out, "district_info", district_new(BUYERS[b].state, BUYERS[b].city));
    return out;
}

static json_t *payment_new(const struct totals *t)
{
    json_t *out = sbx_need(json_object());
    int64_t sub_total = t->original - t->seller - t->platform;
    int64_t shipping = t->shipping - t->shipping_platform;

    sbx_set_text(out, "currency", "BRL");
    set_money(out, "original_total_product_price", t->original);
    set_money(out, "seller_discount", t->seller);
    set_money(out, "platform_discount", t->platform);
    set_money(out, "sub_total", sub_total);
    set_money(out, "original_shipping_fee", t->shipping);
    set_money(out, "shipping_fee_seller_discount", 0);
    set_money(out, "shipping_fee_platform_discount", t->shipping_platform);
    set_money(out, "shipping_fee_cofunded_discount", 0);
    set_money(out, "shipping_fee", shipping);
    set_money(out, "tax", 0);
    set_money(out, "total_amount", sub_total + shipping);
    return out;
}

static void buyer_put(json_t *order, size_t b, const char *id)
{
    char email[64];

    (void)snprintf(email, sizeof email, "v%.10s@chat.seller.tiktok.com", id + 8);
    sbx_set_text(order, "user_id", "7021436810468230477");
    sbx_set_text(order, "buyer_email", email);
    sbx_set_text(order, "cpf", BUYERS[b].cpf);
    sbx_set_text(order, "cpf_name", BUYERS[b].name);
    sbx_set(order, "recipient_address", address_new(b));
    sbx_set_text(order, "payment_method_name", "Pix");
    sbx_set_text(order, "payment_method_code", "pm_pi_pix");
    sbx_set_text(order, "payment_auth_code", "E2E-PIX-7c1b");
    sbx_set_text(order, "channel_entity_national_registry_id", "26.545.167/0001-21");
}

static void basics_put(const struct sbx_shop *shop, json_t *order, const json_t *spec)
{
    const char *shipping = sbx_text(spec, "shipping_type");
    int64_t now = sbx_now_s();

    sbx_set_text(order, "status", "");
    sbx_set_int(order, "create_time", now);
    sbx_set_int(order, "update_time", now);
    sbx_set_text(order, "shipping_type", shipping[0] == '\0' ? "SELLER" : shipping);
    sbx_set_text(order, "fulfillment_type", "FULFILLMENT_BY_SELLER");
    sbx_set_text(order, "delivery_type", "HOME_DELIVERY");
    sbx_set_text(order, "delivery_option_id", "7091146663229654785");
    sbx_set_text(order, "delivery_option_name", "Entrega padrão");
    sbx_set_text(order, "warehouse_id", shop->sales_warehouse);
    sbx_set_text(order, "buyer_message", sbx_text(spec, "buyer_message"));
    sbx_set_text(order, "order_type", "NORMAL");
    sbx_set_text(order, "commerce_platform", "TIKTOK_SHOP");
    sbx_set_text(order, "need_upload_invoice", "NEED_INVOICE");
    sbx_set(order, "is_cod", json_false());
    sbx_set(order, "is_on_hold_order", json_boolean(str_eq(sbx_text(spec, "status"), "ON_HOLD")));
    sbx_set(order, "is_sample_order",
            json_boolean(json_is_true(json_object_get(spec, "is_sample_order"))));
    sbx_set(order, "is_replacement_order", json_false());
    sbx_set(order, "is_buyer_request_cancel", json_false());
    sbx_set(order, "has_updated_recipient_address", json_false());
}

static void lines_put(struct sandbox *sb, struct sbx_shop *shop, json_t *order, const json_t *items,
                      struct totals *t)
{
    json_t *lines = sbx_need(json_array());
    size_t i;
    json_t *item;

    json_array_foreach(items, i, item)
    {
        int64_t units = jspec_int(item, "quantity", 1);

        for (int64_t k = 0; k < units && json_array_size(lines) < UNITS_MAX; k++)
            sbx_append(lines, line_new(sb, shop, item, t));
    }
    sbx_set(order, "line_items", lines);
}

enum rc sbx_order_new(struct sandbox *sb, struct sbx_shop *shop, const json_t *spec, char id[32],
                      struct err *e)
{
    enum rc rc = jspec_check(spec, ORDER_FIELDS, e);
    json_auto_t *items = json_incref(json_object_get(spec, "items"));
    const char *status = sbx_text(spec, "status");
    struct totals t = { 0 };

    if (rc == RC_OK && items == NULL)
        items = random_items_new(sb, shop);
    if (rc == RC_OK)
        rc = items_check(items, e);
    if (rc != RC_OK)
        return rc;
    json_t *order = sbx_need(json_object());
    sbx_id(sb, true, id);
    sbx_set_text(order, "id", id);
    sbx_set(shop->orders, id, order);
    basics_put(shop, order, spec);
    buyer_put(order, (size_t)jspec_int(spec, "buyer", sb->seq % (int64_t)N_BUYERS), id);
    lines_put(sb, shop, order, items, &t);
    t.shipping = money_of(spec, "shipping_fee", 1500);
    t.shipping_platform = money_of(spec, "shipping_fee_platform_discount", 0);
    sbx_set(order, "payment", payment_new(&t));
    return sbx_order_move(sb, shop, order, status[0] == '\0' ? "AWAITING_SHIPMENT" : status, e);
}

static void package_put(struct sandbox *sb, json_t *order)
{
    char id[32];
    size_t i;
    json_t *line;

    if (json_object_get(order, "packages") != NULL)
        return;
    sbx_id(sb, false, id);
    sbx_set(order, "packages", json_pack("[{s:s}]", "id", id));
    json_array_foreach(json_object_get(order, "line_items"), i, line)
    {
        sbx_set_text(line, "package_id", id);
        sbx_set_text(line, "package_status", "TO_FULFILL");
    }
}

static void times_put(json_t *order, const char *status, int64_t now)
{
    bool paid = !str_eq(status, "UNPAID") && !str_eq(status, "CANCELLED");

    if (paid && json_object_get(order, "paid_time") == NULL) {
        sbx_set_int(order, "paid_time", now);
        sbx_set_int(order, "rts_sla_time", now + 2 * 86400);
        sbx_set_int(order, "tts_sla_time", now + 3 * 86400);
        sbx_set_int(order, "shipping_due_time", now + 4 * 86400);
    }
    if (str_eq(status, "CANCELLED")) {
        sbx_set_int(order, "cancel_time", now);
        sbx_set_text(order, "cancel_reason", "ecom_order_to_ship_canceled_reason_no_longer_needed");
        sbx_set_text(order, "cancellation_initiator", "BUYER");
    } else if (str_eq(status, "AWAITING_COLLECTION")) {
        sbx_set_int(order, "rts_time", now);
    } else if (str_eq(status, "IN_TRANSIT")) {
        sbx_set_int(order, "collection_time", now);
    } else if (str_eq(status, "DELIVERED")) {
        sbx_set_int(order, "delivery_time", now);
    }
}

enum rc sbx_order_move(struct sandbox *sb, struct sbx_shop *shop, json_t *order, const char *status,
                       struct err *e)
{
    bool known = false;
    int64_t now = sbx_now_s();
    size_t i;
    json_t *line;

    for (int k = 0; STATUSES[k] != NULL; k++)
        known = known || str_eq(STATUSES[k], status);
    if (!known)
        return err_field(e, "status", "is no order status");
    times_put(order, status, now);
    sbx_set_text(order, "status", status);
    sbx_set_int(order, "update_time", now);
    if (json_object_get(order, "paid_time") != NULL)
        package_put(sb, order);
    json_array_foreach(json_object_get(order, "line_items"), i, line)
    {
        sbx_set_text(line, "display_status", status);
        if (str_eq(status, "CANCELLED"))
            sbx_set_text(line, "cancel_user", "BUYER");
    }
    json_t *data = sbx_need(json_object());
    sbx_set_text(data, "order_id", sbx_text(order, "id"));
    sbx_set_text(data, "order_status",
                 str_eq(status, "CANCELLED") ? "CANCEL" : status); /* spelt so on the wire */
    sbx_set(data, "is_on_hold_order", json_incref(json_object_get(order, "is_on_hold_order")));
    sbx_set_int(data, "update_time", now);
    sbx_webhook(sb, shop, 1, data);
    return RC_OK;
}
