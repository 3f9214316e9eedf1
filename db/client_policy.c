/* client_policy.c - reads a merchant's rules, fills in the defaults and writes them out again. */
#include "client_policy.h"

#include "br_document.h"
#include "money.h"
#include "str.h"

#include <string.h>

#define WAREHOUSES_MAX 32
#define STOCK_MAX 99999 /* most units that a TikTok warehouse line takes */
#define FEED_MINUTES_MAX (7 * 24 * 60)
#define PRICE_MAX_MINOR INT64_C(1000000)
#define PRICE_MIN_MINOR 50
#define CARRIERS_MAX 100
#define CARRIER_NAME_MAX 80
#define CARRIER_ID_MAX 40

static const char *const SKU_RULES[] = { "feed_id", "mpn", "vtex_ref_id", "last_part", NULL };
static const char *const SOURCES[] = { "vtex", "feed", NULL };
static const char *const PRICE_SOURCES[] = { "vtex", "vtex_simulation", "feed", NULL };
static const char *const BRAND_WORDS[] = { "omit", "create", "hold", NULL };
static const char *const REMOVED_WORDS[] = { "deactivate", "keep", NULL };
static const char *const FEE_WORDS[] = { "buyer_fee", "zero", NULL };
static const char *const REQUEST_WORDS[] = { "ask", "approve", "reject", NULL };
static const char *const LINE_WORDS[] = { "neighborhood", "street", "number", "complement", NULL };

static const char *const AUTOMATIC_WORDS[] = { "after_invoice", "never", NULL };
static const char *const HANDOVER_WORDS[] = { "DROP_OFF", "PICKUP", NULL };

static const struct jspec_field SYNC_SPEC[] = {
    { .name = "products", .type = JSPEC_BOOL },   { .name = "prices", .type = JSPEC_BOOL },
    { .name = "stock", .type = JSPEC_BOOL },      { .name = "orders", .type = JSPEC_BOOL },
    { .name = "text", .type = JSPEC_BOOL },       { .name = "images", .type = JSPEC_BOOL },
    { .name = "activation", .type = JSPEC_BOOL }, { 0 },
};
static const struct jspec_field SKU_ID_SPEC[] = {
    { .name = "rule", .type = JSPEC_TEXT, .words = SKU_RULES },
    { 0 },
};
static const struct jspec_field PRICE_SPEC[] = {
    { .name = "source", .type = JSPEC_TEXT, .words = PRICE_SOURCES },
    { .name = "markup_percent", .type = JSPEC_DECIMAL },
    { .name = "add_amount", .type = JSPEC_DECIMAL },
    { .name = "round_to", .type = JSPEC_DECIMAL },
    { .name = "minimum", .type = JSPEC_DECIMAL },
    { .name = "maximum", .type = JSPEC_DECIMAL, .nullable = true },
    { .name = "hold_change_above_percent", .type = JSPEC_DECIMAL, .nullable = true },
    { 0 },
};
static const struct jspec_field STOCK_SPEC[] = {
    { .name = "source", .type = JSPEC_TEXT, .words = SOURCES },
    { .name = "reserve", .type = JSPEC_INT, .min = 0, .max = STOCK_MAX },
    { .name = "percent", .type = JSPEC_INT, .min = 0, .max = 100 },
    { .name = "maximum", .type = JSPEC_INT, .min = 0, .max = STOCK_MAX },
    { .name = "unlimited_as", .type = JSPEC_INT, .min = 0, .max = STOCK_MAX },
    { .name = "warehouses", .type = JSPEC_ANY, .nullable = true },
    { 0 },
};
static const struct jspec_field PACKAGE_SPEC[] = {
    { .name = "weight_kg", .type = JSPEC_DECIMAL },
    { .name = "length_cm", .type = JSPEC_DECIMAL },
    { .name = "width_cm", .type = JSPEC_DECIMAL },
    { .name = "height_cm", .type = JSPEC_DECIMAL },
    { 0 },
};
static const struct jspec_field BRAND_SPEC[] = {
    { .name = "when_unknown", .type = JSPEC_TEXT, .words = BRAND_WORDS },
    { 0 },
};
static const struct jspec_field CATEGORY_SPEC[] = {
    { .name = "accept_recommendation", .type = JSPEC_BOOL },
    { 0 },
};
static const struct jspec_field REMOVED_SPEC[] = {
    { .name = "action", .type = JSPEC_TEXT, .words = REMOVED_WORDS },
    { .name = "hold_above_percent", .type = JSPEC_INT, .min = 0, .max = 100 },
    { .name = "hold_above_count", .type = JSPEC_INT, .min = 0, .max = 2000000 },
    { 0 },
};
static const struct jspec_field FEED_SPEC[] = {
    { .name = "read_every_minutes", .type = JSPEC_INT, .min = 0, .max = FEED_MINUTES_MAX },
    { 0 },
};
/* Cancellations; read where they are used (sync/order_cancel.c, sync/aftersale_read.c). */
static const struct jspec_field CANCEL_SPEC[] = {
    { .name = "buyer_request", .type = JSPEC_TEXT, .words = REQUEST_WORDS },
    { .name = "seller_reason", .type = JSPEC_TEXT, .min = 1, .max = 120 },
    { .name = "reject_reason", .type = JSPEC_TEXT, .min = 1, .max = 120 },
    { 0 },
};
static const struct jspec_field ORDER_SPEC[] = {
    { .name = "shipping_fee", .type = JSPEC_TEXT, .words = FEE_WORDS },
    { .name = "address_lines", .type = JSPEC_LIST_TEXT, .min = 1, .max = 4 },
    { .name = "phone_fallback", .type = JSPEC_TEXT, .min = 8, .max = 20 },
    { 0 },
};
static const struct jspec_field SHIPPING_SPEC[] = {
    { .name = "automatic", .type = JSPEC_TEXT, .words = AUTOMATIC_WORDS },
    { .name = "handover_method", .type = JSPEC_TEXT, .words = HANDOVER_WORDS },
    { .name = "carriers", .type = JSPEC_ANY },
    { 0 },
};
static const struct jspec_field INVOICE_SPEC[] = {
    { .name = "issuers", .type = JSPEC_LIST_TEXT, .min = 0, .max = 20 },
    { 0 },
};
const struct jspec_field CLIENT_POLICIES_SPEC[] = {
    { .name = "shadow", .type = JSPEC_BOOL },
    { .name = "sync", .type = JSPEC_OBJECT, .sub = SYNC_SPEC },
    { .name = "sku_id", .type = JSPEC_OBJECT, .sub = SKU_ID_SPEC },
    { .name = "price", .type = JSPEC_OBJECT, .sub = PRICE_SPEC },
    { .name = "stock", .type = JSPEC_OBJECT, .sub = STOCK_SPEC },
    { .name = "package", .type = JSPEC_OBJECT, .sub = PACKAGE_SPEC },
    { .name = "brand", .type = JSPEC_OBJECT, .sub = BRAND_SPEC },
    { .name = "category", .type = JSPEC_OBJECT, .sub = CATEGORY_SPEC },
    { .name = "removed_products", .type = JSPEC_OBJECT, .sub = REMOVED_SPEC },
    { .name = "feed", .type = JSPEC_OBJECT, .sub = FEED_SPEC },
    { .name = "order", .type = JSPEC_OBJECT, .sub = ORDER_SPEC },
    { .name = "shipping", .type = JSPEC_OBJECT, .sub = SHIPPING_SPEC },
    { .name = "invoice", .type = JSPEC_OBJECT, .sub = INVOICE_SPEC },
    { .name = "cancel", .type = JSPEC_OBJECT, .sub = CANCEL_SPEC },
    { 0 },
};

static const char *text_or(const json_t *p, const char *path, const char *fallback)
{
    const char *text = jspec_text(p, path);

    return text != NULL ? text : fallback;
}

/* Reads an amount of money between min and max; `fallback` when the member is absent or null. */
static enum rc read_amount(const json_t *p, const char *path, int64_t fallback, int64_t min,
                           int64_t max, int64_t *out, struct err *e)
{
    const char *text = jspec_text(p, path);
    char field[64];
    int64_t minor = 0;

    (void)str_fmt(field, sizeof field, "policies.%s", path);
    if (text == NULL) {
        *out = fallback;
        return RC_OK;
    }
    if (money_decimal_read(text, &minor, e) != RC_OK)
        return err_field(e, field, "must be an amount such as \"1.50\"");
    if (minor < min || minor > max) {
        char low[MONEY_TEXT_BYTES];
        char high[MONEY_TEXT_BYTES];

        money_write(min, low);
        money_write(max, high);
        return err_field(e, field, "must be between %s and %s", low, high);
    }
    *out = minor;
    return RC_OK;
}

/* Reads a decimal text that is kept as written, in thousandths between min and max. */
static enum rc read_decimal(const json_t *p, const char *path, const char *fallback, int64_t min,
                            int64_t max, char *out, size_t cap, struct err *e)
{
    const char *text = text_or(p, path, fallback);
    char field[64];
    const char *dot;
    size_t decimals;
    int64_t whole = 0;
    char head[16];

    (void)str_fmt(field, sizeof field, "policies.%s", path);
    dot = strchr(text, '.');
    decimals = dot != NULL ? strlen(dot + 1) : 0;
    /* money_decimal_read rounds to cents; ranges here are checked on that, precision on the text. */
    if (decimals > 3 || !str_copy(head, sizeof head, text) || strlen(text) >= cap ||
        money_decimal_read(text, &whole, e) != RC_OK)
        return err_field(e, field, "must be a decimal text with at most 3 decimals");
    if (whole < min || whole > max)
        return err_field(e, field, "is out of range");
    (void)str_copy(out, cap, text);
    return RC_OK;
}

static enum rc read_price(const json_t *p, struct client *c, struct err *e)
{
    const char *fallback = c->vtex_account[0] != '\0' ? "vtex" : "feed";
    enum rc rc;

    c->price.simulated = str_eq(text_or(p, "price.source", fallback), "vtex_simulation");
    c->price.from_vtex = c->price.simulated || str_eq(text_or(p, "price.source", fallback), "vtex");
    if (c->price.from_vtex && c->vtex_account[0] == '\0')
        return err_field(e, "policies.price.source", "needs vtex.account");
    rc = read_decimal(p, "price.markup_percent", "0", -9000, 100000, c->price.markup_percent,
                      sizeof c->price.markup_percent, e);
    if (rc == RC_OK)
        rc = read_amount(p, "price.add_amount", 0, -PRICE_MAX_MINOR, PRICE_MAX_MINOR,
                         &c->price.add_minor, e);
    if (rc == RC_OK)
        rc = read_amount(p, "price.round_to", 1, 1, 100000, &c->price.round_to_minor, e);
    if (rc == RC_OK)
        rc = read_amount(p, "price.minimum", PRICE_MIN_MINOR, 1, PRICE_MAX_MINOR,
                         &c->price.minimum_minor, e);
    if (rc == RC_OK)
        rc = read_amount(p, "price.maximum", 0, 1, PRICE_MAX_MINOR, &c->price.maximum_minor, e);
    if (rc != RC_OK)
        return rc;
    if (c->price.maximum_minor != 0 && c->price.maximum_minor < c->price.minimum_minor)
        return err_field(e, "policies.price.maximum", "must not be below the minimum");
    c->price.hold_change_above_percent[0] = '\0';
    if (jspec_text(p, "price.hold_change_above_percent") == NULL)
        return RC_OK;
    return read_decimal(p, "price.hold_change_above_percent", "0", 0, 1000000,
                        c->price.hold_change_above_percent,
                        sizeof c->price.hold_change_above_percent, e);
}

/* {"<TikTok id>": ["<VTEX id>", ...]}; a VTEX warehouse belongs to one TikTok warehouse. */
static enum rc read_stock_warehouses(const json_t *p, struct client *c, struct err *e)
{
    static const char FIELD[] = "policies.stock.warehouses";
    const json_t *map = jspec_get(p, "stock.warehouses");
    json_auto_t *seen = json_object();
    const char *id;
    json_t *list;
    size_t i;
    json_t *one;

    c->stock.warehouses = NULL;
    if (map == NULL || json_is_null(map))
        return RC_OK;
    if (!json_is_object(map) || json_object_size(map) == 0 ||
        json_object_size(map) > WAREHOUSES_MAX)
        return err_field(e, FIELD, "must name 1 to %d TikTok warehouses", WAREHOUSES_MAX);
    json_object_foreach((json_t *)map, id, list)
    {
        if (!str_digits(id) || strlen(id) > 40 || json_array_size(list) == 0)
            return err_field(e, FIELD, "must map TikTok warehouse ids to lists of VTEX warehouses");
        json_array_foreach(list, i, one)
        {
            if (str_blank(json_string_value(one)) || json_string_length(one) > 63)
                return err_field(e, FIELD, "holds something that is no VTEX warehouse");
            if (json_object_get(seen, json_string_value(one)) != NULL)
                return err_field(e, FIELD, "names a VTEX warehouse twice");
            (void)json_object_set_new(seen, json_string_value(one), json_true());
        }
    }
    if (json_object_size(seen) > WAREHOUSES_MAX)
        return err_field(e, FIELD, "names more than %d VTEX warehouses", WAREHOUSES_MAX);
    if (!c->stock.from_vtex)
        return err_field(e, FIELD, "needs stock of VTEX");
    c->stock.warehouses = map;
    return RC_OK;
}

static enum rc read_stock(const json_t *p, struct client *c, struct err *e)
{
    const char *fallback = c->vtex_account[0] != '\0' ? "vtex" : "feed";

    c->stock.from_vtex = str_eq(text_or(p, "stock.source", fallback), "vtex");
    if (c->stock.from_vtex && c->vtex_account[0] == '\0')
        return err_field(e, "policies.stock.source", "needs vtex.account");
    c->stock.reserve = jspec_int(p, "stock.reserve", 0);
    c->stock.percent = jspec_int(p, "stock.percent", 100);
    c->stock.maximum = jspec_int(p, "stock.maximum", 9999);
    c->stock.unlimited_as = jspec_int(p, "stock.unlimited_as", 999);
    return read_stock_warehouses(p, c, e);
}

static enum rc read_package(const json_t *p, struct client *c, struct err *e)
{
    enum rc rc = read_decimal(p, "package.weight_kg", "0.300", 0, 100000, c->package_weight_kg,
                              sizeof c->package_weight_kg, e);

    if (rc == RC_OK && strspn(c->package_weight_kg, "0.") == strlen(c->package_weight_kg))
        return err_field(e, "policies.package.weight_kg", "must be above zero");
    if (rc == RC_OK)
        rc = read_decimal(p, "package.length_cm", "20", 1, 100000, c->package_length_cm,
                          sizeof c->package_length_cm, e);
    if (rc == RC_OK)
        rc = read_decimal(p, "package.width_cm", "15", 1, 100000, c->package_width_cm,
                          sizeof c->package_width_cm, e);
    if (rc == RC_OK)
        rc = read_decimal(p, "package.height_cm", "10", 1, 100000, c->package_height_cm,
                          sizeof c->package_height_cm, e);
    return rc;
}

static bool is_word(const char *text, const char *const *words)
{
    for (int i = 0; words[i] != NULL; i++) {
        if (str_eq(text, words[i]))
            return true;
    }
    return false;
}

static enum rc read_address_lines(const json_t *p, struct client *c, struct err *e)
{
    const json_t *list = jspec_get(p, "order.address_lines");
    size_t n = list != NULL ? json_array_size(list) : 4;

    memset(c->address_lines, 0, sizeof c->address_lines);
    for (size_t i = 0; i < n && i < 4; i++) {
        const char *word =
            list != NULL ? json_string_value(json_array_get(list, i)) : LINE_WORDS[i];

        if (!is_word(word, LINE_WORDS))
            return err_field(e, "policies.order.address_lines",
                             "holds neighborhood, street, number or complement");
        for (size_t k = 0; k < i; k++) {
            if (str_eq(c->address_lines[k], word))
                return err_field(e, "policies.order.address_lines", "names \"%s\" twice", word);
        }
        (void)str_copy(c->address_lines[i], sizeof c->address_lines[i], word);
    }
    return RC_OK;
}

static enum rc read_order(const json_t *p, struct client *c, struct err *e)
{
    const char *phone = text_or(p, "order.phone_fallback", "+5511999999999");

    (void)str_copy(c->order_shipping_fee, sizeof c->order_shipping_fee,
                   text_or(p, "order.shipping_fee", "buyer_fee"));
    if (phone[0] != '+' || !str_digits(phone + 1) ||
        !str_copy(c->phone_fallback, sizeof c->phone_fallback, phone))
        return err_field(e, "policies.order.phone_fallback",
                         "must be a number with country code such as +5511999999999");
    return read_address_lines(p, c, e);
}

/* Names of carriers, as the shop writes them, to ids of TikTok's. */
static enum rc check_carriers(const json_t *p, struct err *e)
{
    const json_t *carriers = jspec_get(p, "shipping.carriers");
    const char *name;
    json_t *id;

    if (carriers == NULL)
        return RC_OK;
    if (!json_is_object(carriers) || json_object_size(carriers) > CARRIERS_MAX)
        return err_field(e, "policies.shipping.carriers",
                         "must be an object of at most %d carrier names", CARRIERS_MAX);
    json_object_foreach((json_t *)carriers, name, id)
    {
        if (strlen(name) > CARRIER_NAME_MAX || !str_digits(json_string_value(id)) ||
            json_string_length(id) > CARRIER_ID_MAX)
            return err_field(e, "policies.shipping.carriers",
                             "maps the name of a carrier to a shipping provider id of TikTok");
    }
    return RC_OK;
}

static enum rc read_shipping(const json_t *p, struct client *c, struct err *e)
{
    const json_t *issuers = jspec_get(p, "invoice.issuers");
    char digits[BR_DOCUMENT_BYTES];

    c->ship_automatic =
        str_eq(text_or(p, "shipping.automatic", AUTOMATIC_WORDS[0]), AUTOMATIC_WORDS[0]);
    (void)str_copy(c->ship_handover, sizeof c->ship_handover,
                   text_or(p, "shipping.handover_method", HANDOVER_WORDS[0]));
    for (size_t i = 0; i < json_array_size(issuers); i++) {
        if (br_document_read(json_string_value(json_array_get(issuers, i)), digits) ==
            BR_DOCUMENT_NONE)
            return err_field(e, "policies.invoice.issuers", "holds CNPJ numbers");
    }
    return check_carriers(p, e);
}

static enum sku_id_rule sku_rule(const char *word)
{
    for (int i = 0; SKU_RULES[i] != NULL; i++) {
        if (str_eq(word, SKU_RULES[i]))
            return (enum sku_id_rule)i;
    }
    return SKU_ID_FEED_ID;
}

enum rc client_policy_read(const json_t *p, struct client *c, struct err *e)
{
    enum rc rc;

    c->shadow = jspec_bool(p, "shadow", false);
    c->sync_products = jspec_bool(p, "sync.products", true);
    c->sync_prices = jspec_bool(p, "sync.prices", true);
    c->sync_stock = jspec_bool(p, "sync.stock", true);
    c->sync_orders = jspec_bool(p, "sync.orders", true);
    c->sync_text = jspec_bool(p, "sync.text", true);
    c->sync_images = jspec_bool(p, "sync.images", true);
    c->sync_activation = jspec_bool(p, "sync.activation", true);
    c->sku_id_rule = sku_rule(text_or(p, "sku_id.rule", "feed_id"));
    (void)str_copy(c->brand_when_unknown, sizeof c->brand_when_unknown,
                   text_or(p, "brand.when_unknown", "omit"));
    c->accept_recommendation = jspec_bool(p, "category.accept_recommendation", true);
    (void)str_copy(c->removed_action, sizeof c->removed_action,
                   text_or(p, "removed_products.action", "deactivate"));
    c->hold_above_percent = jspec_int(p, "removed_products.hold_above_percent", 5);
    c->hold_above_count = jspec_int(p, "removed_products.hold_above_count", 20);
    c->feed_every_minutes = jspec_int(p, "feed.read_every_minutes", 60);
    rc = read_price(p, c, e);
    if (rc == RC_OK)
        rc = read_stock(p, c, e);
    if (rc == RC_OK)
        rc = read_package(p, c, e);
    if (rc == RC_OK)
        rc = read_order(p, c, e);
    if (rc == RC_OK)
        rc = read_shipping(p, c, e);
    return rc;
}

static json_t *price_json_new(const struct policy_price *p)
{
    char add[MONEY_TEXT_BYTES];
    char step[MONEY_TEXT_BYTES];
    char low[MONEY_TEXT_BYTES];
    char high[MONEY_TEXT_BYTES];

    money_write(p->add_minor, add);
    money_write(p->round_to_minor, step);
    money_write(p->minimum_minor, low);
    money_write(p->maximum_minor, high);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:s?}", "source",
                     p->simulated   ? "vtex_simulation"
                     : p->from_vtex ? "vtex"
                                    : "feed",
                     "markup_percent", p->markup_percent, "add_amount", add, "round_to", step,
                     "minimum", low, "maximum", p->maximum_minor != 0 ? high : NULL,
                     "hold_change_above_percent",
                     p->hold_change_above_percent[0] != '\0' ? p->hold_change_above_percent : NULL);
}

static json_t *lines_json_new(const struct client *c)
{
    json_t *list = json_array();

    for (int i = 0; list != NULL && i < 4 && c->address_lines[i][0] != '\0'; i++) {
        if (json_array_append_new(list, json_string(c->address_lines[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* A member of the stored document, or the fallback, whose reference is taken. */
static json_t *stored_or(const struct client *c, const char *path, json_t *fallback)
{
    const json_t *value = jspec_get(c->policies, path);

    if (value == NULL)
        return fallback;
    json_decref(fallback);
    return json_incref((json_t *)value);
}

/* All but the mode. */
static json_t *rules_json_new(const struct client *c)
{
    /* "o" steals the references, also when packing fails. */
    return json_pack(
        "{s:b, s:{s:b, s:b, s:b, s:b, s:b, s:b, s:b}, s:{s:s}, s:o, s:{s:s, s:I, s:I, s:I, s:I, s:o},"
        " s:{s:s, s:s, s:s, s:s}, s:{s:s}, s:{s:b}, s:{s:s, s:I, s:I}, s:{s:I}, s:{s:s, s:o, s:s},"
        " s:{s:s, s:s, s:o}, s:{s:o}, s:{s:s, s:s, s:s}}",
        "shadow", c->shadow, "sync", "products", c->sync_products, "prices", c->sync_prices,
        "stock", c->sync_stock, "orders", c->sync_orders, "text", c->sync_text, "images",
        c->sync_images, "activation", c->sync_activation, "sku_id", "rule",
        SKU_RULES[c->sku_id_rule], "price", price_json_new(&c->price), "stock", "source",
        c->stock.from_vtex ? "vtex" : "feed", "reserve", (json_int_t)c->stock.reserve, "percent",
        (json_int_t)c->stock.percent, "maximum", (json_int_t)c->stock.maximum, "unlimited_as",
        (json_int_t)c->stock.unlimited_as, "warehouses",
        c->stock.warehouses != NULL ? json_incref((json_t *)c->stock.warehouses) : json_null(),
        "package", "weight_kg", c->package_weight_kg, "length_cm", c->package_length_cm, "width_cm",
        c->package_width_cm, "height_cm", c->package_height_cm, "brand", "when_unknown",
        c->brand_when_unknown, "category", "accept_recommendation", c->accept_recommendation,
        "removed_products", "action", c->removed_action, "hold_above_percent",
        (json_int_t)c->hold_above_percent, "hold_above_count", (json_int_t)c->hold_above_count,
        "feed", "read_every_minutes", (json_int_t)c->feed_every_minutes, "order", "shipping_fee",
        c->order_shipping_fee, "address_lines", lines_json_new(c), "phone_fallback",
        c->phone_fallback, "shipping", "automatic", AUTOMATIC_WORDS[c->ship_automatic ? 0 : 1],
        "handover_method", c->ship_handover, "carriers",
        stored_or(c, "shipping.carriers", json_object()), "invoice", "issuers",
        stored_or(c, "invoice.issuers", json_array()), "cancel", "buyer_request",
        text_or(c->policies, "cancel.buyer_request", "ask"), "seller_reason",
        text_or(c->policies, "cancel.seller_reason", CANCEL_REASON_SELLER), "reject_reason",
        text_or(c->policies, "cancel.reject_reason", CANCEL_REASON_REJECT));
}

json_t *client_policy_json_new(const struct client *c)
{
    json_t *all = json_pack("{s:b}", "shadow", c->shadow);
    json_auto_t *rules = rules_json_new(c);

    if (all == NULL || rules == NULL || json_object_update(all, rules) != 0) {
        json_decref(all);
        return NULL;
    }
    return all;
}
