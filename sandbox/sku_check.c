/* sku_check.c - the rules for the SKUs of a product: variants, prices, stock, codes. */
#include "state.h"

#include "money.h"
#include "str.h"

#include <stdio.h>
#include <string.h>

#define PRICE_MIN_MINOR 50
#define PRICE_MAX_MINOR 1000000
#define SKUS_MAX 300
#define KINDS_MAX 3

bool sbx_price_check(struct sbx_call *c, const json_t *price)
{
    const char *amount = sbx_text(price, "amount");
    int64_t minor = 0;
    const char *dot = strchr(amount, '.');

    if (!str_eq(sbx_text(price, "currency"), "BRL")) {
        sbx_fail(c, 12052084, "The provided currency is not available for this shop/region.");
        return false;
    }
    if (json_object_get(price, "sale_price") != NULL) {
        sbx_fail(c, 12052092, "product sale price is invalid: it is for global sellers");
        return false;
    }
    if (!str_only(amount, "0123456789.") || (dot != NULL && strlen(dot + 1) > 2) ||
        money_decimal_read(amount, &minor, NULL) != RC_OK) {
        sbx_fail(c, 12052073, "The product price is invalid: %.40s", amount);
        return false;
    }
    if (minor < PRICE_MIN_MINOR || minor > PRICE_MAX_MINOR) {
        sbx_fail(c, 12052570, "product price exceed limit: %.40s", amount);
        return false;
    }
    return true;
}

static bool inventory_ok(struct sbx_call *c, const json_t *list)
{
    size_t i;
    json_t *one;

    if (json_array_size(list) == 0) {
        sbx_fail(c, 12019022, "SKU must contain a valid warehouse.");
        return false;
    }
    if (json_array_size(list) > 1) {
        sbx_fail(c, 12052094, "No multiple warehouse permission");
        return false;
    }
    json_array_foreach(list, i, one)
    {
        const char *id = sbx_text(one, "warehouse_id");

        if (str_eq(id, c->shop->return_warehouse))
            sbx_fail(c, 12052532, "the warehouse not delivery warehouse");
        else if (!str_eq(id, c->shop->sales_warehouse))
            sbx_fail(c, 12052530, "The warehouse '%.40s' does not belong to this shop/seller.", id);
        else if (json_object_get(one, "quantity") == NULL)
            sbx_fail(c, 12052055,
                     "The SKU inventory quantity for the warehouse must be within allowed limits.");
        if (c->code != 0)
            return false;
    }
    return true;
}

static size_t digits_of(const char *code)
{
    return str_digits(code) ? strlen(code) : 0;
}

static bool code_ok(struct sbx_call *c, const json_t *identifier, json_t *seen)
{
    const char *code = sbx_text(identifier, "code");
    const char *type = sbx_text(identifier, "type");
    size_t n = digits_of(code);
    bool isbn10 = strlen(code) == 10 && code[9] == 'X' && strspn(code, "0123456789") == 9;
    bool ok = (str_eq(type, "GTIN") && n == 14) ||
              (str_eq(type, "EAN") && (n == 8 || n == 13 || n == 14)) ||
              (str_eq(type, "UPC") && n == 12) || (str_eq(type, "ISBN") && (n == 13 || isbn10)) ||
              (str_eq(type, "JAN") && (n == 8 || n == 13));

    if (identifier == NULL)
        return true;
    if (type[0] == '\0') {
        sbx_fail(c, 12052600, "The identifier code type must be selected");
        return false;
    }
    if (!ok) {
        sbx_fail(c, 12052591, "Invalid number of digits of identifier code");
        return false;
    }
    if (json_object_get(seen, code) != NULL) {
        sbx_fail(c, 12052592, "Identifier code already entered, cannot enter the same code twice");
        return false;
    }
    sbx_set(seen, code, json_true());
    return true;
}

static bool value_exists(const json_t *attribute, const char *id)
{
    size_t i;
    json_t *one;

    json_array_foreach(json_object_get(attribute, "values"), i, one)
    {
        if (str_eq(sbx_text(one, "id"), id))
            return true;
    }
    return false;
}

/* One sales attribute: writes the name of its kind and of its value. */
static bool sales_attribute_ok(struct sbx_call *c, const json_t *category, const json_t *one,
                               char kind[80], char value[160])
{
    const char *id = sbx_text(one, "id");
    const char *name = sbx_text(one, "name");
    const char *value_id = sbx_text(one, "value_id");
    const char *value_name = sbx_text(one, "value_name");
    const json_t *attribute =
        id[0] == '\0' ? NULL : sbx_attribute(c->sb, category, id, "SALES_PROPERTY");
    bool own = json_object_get(c->sb->custom, id) != NULL; /* an id we gave to a custom name */
    bool own_value = json_object_get(c->sb->custom, value_id) != NULL;

    if (id[0] == '\0' && name[0] == '\0')
        sbx_fail(c, 12052241, "attribute name or attribute id is empty.");
    else if (id[0] != '\0' && attribute == NULL && !own)
        sbx_fail(c, 12052527, "The sale attribute id not exist.");
    else if (value_id[0] == '\0' && value_name[0] == '\0')
        sbx_fail(c, 12052248, "The sales attribute value name or attribute value id is empty.");
    else if (value_id[0] != '\0' && !own_value && !value_exists(attribute, value_id))
        sbx_fail(c, 12052529, "The property value id not exist.");
    else if (id[0] == '\0' && !sbx_text_ok(name))
        sbx_fail(c, 12052933, "Sales attribute names must follow the formatting rules");
    else if (value_id[0] == '\0' && !sbx_text_ok(value_name))
        sbx_fail(c, 12052934, "Sales attribute value names must follow the formatting rules");
    if (c->code != 0)
        return false;
    (void)snprintf(kind, 80, "%s:%.70s", id[0] == '\0' ? "n" : "i", id[0] == '\0' ? name : id);
    (void)snprintf(value, 160, "%.150s", value_id[0] == '\0' ? value_name : value_id);
    return true;
}

static bool picture_ok(struct sbx_call *c, const json_t *one, const char *kind, json_t *pictures,
                       const char *value)
{
    const json_t *picture = json_object_get(one, "sku_img");
    const json_t *image = json_object_get(c->sb->images, sbx_text(picture, "uri"));
    const char *primary = sbx_text(pictures, "kind");

    if (json_object_get(one, "supplementary_sku_images") != NULL) {
        sbx_fail(c, 12052910,
                 "Invalid input parameters: supplementary_sku_images is not used in Brazil");
        return false;
    }
    if (picture == NULL) {
        if (str_eq(primary, kind))
            sbx_fail(c, 12052522, "Product sale property image is required for %s", value);
        else
            sbx_set(json_object_get(pictures, "without"), kind, json_true());
        return c->code == 0;
    }
    if (image == NULL || !str_eq(sbx_text(image, "use_case"), "ATTRIBUTE_IMAGE"))
        sbx_fail(c, 12052520, "product sale property image uri illegal");
    else if (primary[0] != '\0' && !str_eq(primary, kind))
        sbx_fail(c, 12052528, "You can add images to only 1 product variation");
    else if (json_object_get(json_object_get(pictures, "without"), kind) != NULL)
        sbx_fail(c, 12052522, "Product sale property image is required for every value");
    if (c->code != 0)
        return false;
    sbx_set_text(pictures, "kind", kind);
    return true;
}

struct variants {
    json_t *kinds;    /* kinds of the first SKU; every other must have the same */
    json_t *seen;     /* combinations */
    json_t *pictures; /* {"kind", "without"} */
    json_t *codes;
};

static bool attributes_ok(struct sbx_call *c, const json_t *category, const json_t *list,
                          struct variants *v, bool first)
{
    char combination[640] = "";
    json_auto_t *own = sbx_need(json_object());
    size_t i;
    json_t *one;

    if (json_array_size(list) > KINDS_MAX) {
        sbx_fail(c, 12052525, "The attribute max num cannot exceed 3.");
        return false;
    }
    json_array_foreach(list, i, one)
    {
        char kind[80], value[160];
        size_t used = strlen(combination);

        if (!sales_attribute_ok(c, category, one, kind, value) ||
            !picture_ok(c, one, kind, v->pictures, value))
            return false;
        if (json_object_get(own, kind) != NULL) {
            sbx_fail(c, 12052244, "The attribute name duplicate.");
            return false;
        }
        sbx_set(own, kind, json_true());
        (void)snprintf(combination + used, sizeof combination - used, "%s=%s;", kind, value);
    }
    if (first)
        v->kinds = json_incref(own);
    if (!json_equal(v->kinds, own)) {
        sbx_fail(c, 12052550, "SKU property must contain all properties");
        return false;
    }
    if (json_object_get(v->seen, combination) != NULL) {
        sbx_fail(c, 12052560, "The SKU contains duplicate sales attribute.");
        return false;
    }
    sbx_set(v->seen, combination, json_true());
    return true;
}

/* A SKU of an edit may leave price and stock out when it exists already. */
static bool sku_ok(struct sbx_call *c, const json_t *category, const json_t *sku, const json_t *old,
                   struct variants *v, bool first)
{
    const char *seller_sku = sbx_text(sku, "seller_sku");
    const char *id = sbx_text(sku, "id");
    bool known = id[0] != '\0';
    const json_t *price = json_object_get(sku, "price");
    const json_t *inventory = json_object_get(sku, "inventory");

    if (known && (old == NULL || sbx_sku_of_product(old, id) == NULL)) {
        sbx_fail(c, 12052557, "The SKU ID does not belong to the product.");
        return false;
    }
    if (strpbrk(seller_sku, " \t\r\n") != NULL) {
        sbx_fail(c, 12019059, "seller sku is invalid: it holds blanks");
        return false;
    }
    if (json_object_get(sku, "list_price") != NULL ||
        json_object_get(sku, "external_list_prices") != NULL) {
        sbx_fail(c, 12052376, "list price not support");
        return false;
    }
    if (!attributes_ok(c, category, json_object_get(sku, "sales_attributes"), v, first))
        return false;
    if (price == NULL && !known) {
        sbx_fail(c, 12052073, "The product price is invalid: it is missing");
        return false;
    }
    if (inventory == NULL && !known) {
        sbx_fail(c, 12019022, "SKU must contain a valid warehouse.");
        return false;
    }
    return (price == NULL || sbx_price_check(c, price)) &&
           (inventory == NULL || inventory_ok(c, inventory)) &&
           code_ok(c, json_object_get(sku, "identifier_code"), v->codes);
}

bool sbx_skus_check(struct sbx_call *c, const json_t *category, json_t *skus, const json_t *old)
{
    struct variants v = { 0 };
    size_t n = json_array_size(skus);
    size_t i;
    json_t *sku;
    bool ok = true;

    if (n == 0 || n > SKUS_MAX) {
        sbx_fail(c, n == 0 ? 12052902 : 12052050, "A product has 1 to 300 SKUs");
        return false;
    }
    v.seen = sbx_need(json_object());
    v.codes = sbx_need(json_object());
    v.pictures = sbx_need(json_object());
    sbx_set(v.pictures, "without", json_object());
    json_array_foreach(skus, i, sku)
    {
        if (n > 1 && json_array_size(json_object_get(sku, "sales_attributes")) == 0) {
            sbx_fail(
                c, 12052550,
                "SKU property must contain all properties: several SKUs need sales_attributes");
            ok = false;
        }
        ok = ok && sku_ok(c, category, sku, old, &v, i == 0);
        if (!ok)
            break;
    }
    json_decref(v.kinds);
    json_decref(v.seen);
    json_decref(v.codes);
    json_decref(v.pictures);
    return ok;
}
