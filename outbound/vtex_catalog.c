/* vtex_catalog.c - SKUs, prices and stock of a VTEX account. */
#include "vtex_catalog.h"

#include <math.h>
#include <string.h>

#include "clock.h"
#include "jspec.h"
#include "money.h"
#include "str.h"

#define LIMIT_DOCKS 256
#define UNITS_MAX 1e15

static bool number_read(const json_t *root, const char *path, double *out)
{
    const json_t *value = jspec_get(root, path);

    if (!json_is_number(value))
        return false;
    *out = json_number_value(value);
    return isfinite(*out);
}

static enum rc sku_path(char *dst, size_t cap, const char *before, const char *sku_id,
                        const char *after, struct err *e)
{
    if (!str_digits(sku_id) || strlen(sku_id) > 18)
        return err_code(e, RC_INVALID, "vtex_sku_id", "a VTEX SKU id is a whole number");
    if (!str_fmt(dst, cap, "%s%s%s", before, sku_id, after))
        return err_set(e, RC_BUG, "path is too long");
    return RC_OK;
}

static bool policy_listed(const json_t *channels, const char *sales_channel)
{
    int64_t wanted;

    if (!str_to_i64(sales_channel, 0, INT64_MAX, &wanted) || !json_is_array(channels))
        return true; /* nothing to compare with */
    for (size_t i = 0; i < json_array_size(channels); i++) {
        const json_t *one = json_array_get(channels, i);

        if (json_is_integer(one) ? json_integer_value(one) == wanted
                                 : str_eq(json_string_value(one), sales_channel))
            return true;
    }
    return false;
}

/* The account itself sells the SKU: its own seller "1" is active; other sellers are not fulfilled from here. */
static bool own_seller_active(const json_t *sellers)
{
    if (!json_is_array(sellers))
        return true; /* nothing said */
    for (size_t i = 0; i < json_array_size(sellers); i++) {
        const json_t *one = json_array_get(sellers, i);
        char id[JSPEC_ID_BYTES];

        jspec_id(one, "SellerId", id);
        if (str_eq(id, "1") && jspec_bool(one, "IsActive", true))
            return true;
    }
    return false;
}

enum rc vtex_sku_context(struct vtex_session *s, const char *sku_id, struct vtex_sku *out,
                         struct err *e)
{
    char path[160];
    struct vtex_sku sku = { 0 };
    struct vtex_reply reply = { 0 };
    double multiplier;
    enum rc rc = sku_path(path, sizeof(path), "/api/catalog_system/pvt/sku/stockkeepingunitbyid/",
                          sku_id, "", e);

    if (rc != RC_OK)
        return rc;
    rc = vtex_call(s,
                   &(struct vtex_req){ .operation = "getSkuContext",
                                       .method = "GET",
                                       .path = path,
                                       .entity = sku_id,
                                       .query = { { "sc", s->sales_channel } } },
                   &reply, e);
    if (rc == RC_OK && !json_is_object(reply.body))
        rc = err_set(e, RC_NOT_FOUND, "VTEX does not know the SKU %s", sku_id);
    /* whoever leaves out whether the SKU is active has not answered */
    if (rc == RC_OK && !json_is_boolean(jspec_get(reply.body, "IsActive")))
        rc = err_code(e, RC_DOWN, "answer_unreadable", "VTEX's answer about a SKU is not whole");
    if (rc == RC_OK) {
        (void)str_copy(sku.id, sizeof(sku.id), sku_id);
        sku.sellable = jspec_bool(reply.body, "IsActive", true) &&
                       jspec_bool(reply.body, "IsProductActive", true) &&
                       policy_listed(jspec_get(reply.body, "SalesChannels"), s->sales_channel) &&
                       own_seller_active(jspec_get(reply.body, "SkuSellers"));
        sku.multiplier_micro = 1000000;
        if (number_read(reply.body, "UnitMultiplier", &multiplier) && multiplier > 0 &&
            multiplier < 1e6)
            sku.multiplier_micro = llround(multiplier * 1e6);
        *out = sku;
    }
    vtex_reply_done(&reply);
    return rc;
}

enum rc vtex_sku_by_ref_id(struct vtex_session *s, const char *ref_id, char sku_id[32],
                           struct err *e)
{
    OWN_BUF struct buf path;
    struct vtex_reply reply = { 0 };

    buf_init(&path, 1024);
    buf_str(&path, "/api/catalog_system/pvt/sku/stockkeepingunitidbyrefid/");
    str_url_encode(&path, ref_id);
    if (buf_check(&path, e) != RC_OK || str_blank(ref_id))
        return err_code(e, RC_INVALID, "ref_id", "not a usable RefId");

    enum rc rc = vtex_call(s,
                           &(struct vtex_req){ .operation = "getSkuIdByRefId",
                                               .method = "GET",
                                               .path = buf_text(&path),
                                               .entity = ref_id },
                           &reply, e);

    if (rc == RC_OK) {
        const char *text = json_string_value(reply.body);
        char number[32] = "";

        if (json_is_integer(reply.body))
            (void)str_fmt(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
                          json_integer_value(reply.body));
        if (text == NULL)
            text = number;
        if (!str_digits(text) || !str_copy(sku_id, 32, text))
            rc = err_set(e, RC_NOT_FOUND, "VTEX knows no SKU with this RefId");
    }
    vtex_reply_done(&reply);
    return rc;
}

/* A time that cannot be read says nothing. */
static void valid_read(const json_t *root, int64_t *valid_us)
{
    const char *text = jspec_text(root, "priceValidUntil");

    if (valid_us != NULL && (text == NULL || !clock_read(text, valid_us)))
        *valid_us = 0;
}

/* RC_NOT_FOUND: there is none. What cannot be read is no answer, and no price either. */
static enum rc price_read(const json_t *body, int64_t *minor, struct err *e)
{
    const json_t *value = jspec_get(body, "sellingPrice");
    const char *text = json_string_value(value);
    double price = 0;

    if (text != NULL && str_only(text, "0123456789.") &&
        money_decimal_read(text, minor, NULL) == RC_OK)
        return *minor > 0 ? RC_OK : err_set(e, RC_NOT_FOUND, "VTEX gives no selling price");
    if (json_is_null(value))
        return err_set(e, RC_NOT_FOUND, "VTEX gives no selling price");
    if (!number_read(body, "sellingPrice", &price))
        return err_code(e, RC_DOWN, "answer_unreadable", "VTEX's price could not be read");
    if (price <= 0)
        return err_set(e, RC_NOT_FOUND, "VTEX gives no selling price");
    return money_real_read(price, minor, e);
}

enum rc vtex_computed_price(struct vtex_session *s, const char *sku_id, int64_t *minor,
                            int64_t *valid_us, struct err *e)
{
    char path[160];
    char table[64];
    struct vtex_reply reply = { 0 };

    if (!str_digits(s->sales_channel))
        return err_set(e, RC_INVALID, "the sales channel is not a number");
    (void)str_fmt(table, sizeof(table), "/computed/%s", s->sales_channel);
    enum rc rc = sku_path(path, sizeof(path), "/pricing/prices/", sku_id, table, e);

    if (rc != RC_OK)
        return rc;
    rc = vtex_call(s,
                   &(struct vtex_req){ .operation = "getComputedPrice",
                                       .method = "GET",
                                       .path = path,
                                       .pricing = true,
                                       .entity = sku_id },
                   &reply, e);
    if (rc == RC_OK) {
        rc = price_read(reply.body, minor, e);
        valid_read(reply.body, valid_us);
    }
    vtex_reply_done(&reply);
    return rc;
}

/* A whole number, also as text of digits or with a fraction of zero; anything else must not pass for 0. */
static bool units_read(const json_t *row, const char *name, int64_t *out)
{
    const json_t *value = jspec_get(row, name);
    double real;

    if (json_is_real(value)) {
        real = json_real_value(value);
        if (!isfinite(real) || fabs(real) > UNITS_MAX || real != floor(real))
            return false;
        *out = (int64_t)real;
        return true;
    }
    if (json_is_string(value))
        return str_to_i64(json_string_value(value), -(int64_t)UNITS_MAX, (int64_t)UNITS_MAX, out);
    *out = json_integer_value(value);
    return json_is_integer(value);
}

static bool balance_read(const json_t *one, struct vtex_balance *out)
{
    *out = (struct vtex_balance){ 0 };
    jspec_id(one, "warehouseId", out->warehouse_id);
    out->unlimited = jspec_bool(one, "hasUnlimitedQuantity", false);
    if (out->warehouse_id[0] == '\0')
        return false;
    return out->unlimited || (units_read(one, "totalQuantity", &out->total) &&
                              units_read(one, "reservedQuantity", &out->reserved));
}

/* An answer that lacks something is none: half of the warehouses would be half of the stock. */
static enum rc balances_read(const json_t *list, struct vtex_balance out[VTEX_BALANCES_MAX], int *n,
                             struct err *e)
{
    size_t size = json_array_size(list);

    if (!json_is_array(list))
        return err_code(e, RC_DOWN, "answer_unreadable", "VTEX's answer has no balance");
    if (size > VTEX_BALANCES_MAX)
        return err_set(e, RC_INVALID, "VTEX lists more than %d warehouses", VTEX_BALANCES_MAX);
    for (size_t i = 0; i < size; i++)
        if (!balance_read(json_array_get(list, i), &out[i]))
            return err_code(e, RC_DOWN, "answer_unreadable",
                            "VTEX's balance of a warehouse could not be read");
    *n = (int)size;
    return RC_OK;
}

enum rc vtex_inventory(struct vtex_session *s, const char *sku_id,
                       struct vtex_balance out[VTEX_BALANCES_MAX], int *n, struct err *e)
{
    char path[160];
    struct vtex_reply reply = { 0 };
    enum rc rc = sku_path(path, sizeof(path), "/api/logistics/pvt/inventory/skus/", sku_id, "", e);

    if (rc != RC_OK)
        return rc;
    rc = vtex_call(
        s,
        &(struct vtex_req){
            .operation = "getInventoryBySku", .method = "GET", .path = path, .entity = sku_id },
        &reply, e);
    if (rc == RC_OK) {
        rc = balances_read(jspec_get(reply.body, "balance"), out, n, e);
    } else if (rc == RC_NOT_FOUND) {
        *n = 0;
        rc = RC_OK;
    }
    vtex_reply_done(&reply);
    return rc;
}

/* Ids of active docks that serve the trade policy, as keys of an object; *any: the account has docks at all. */
static enum rc docks_read(struct vtex_session *s, json_t *ids, bool *any, struct err *e)
{
    struct vtex_reply reply = { 0 };
    enum rc rc = vtex_call(s,
                           &(struct vtex_req){ .operation = "listDocks",
                                               .method = "GET",
                                               .path = "/api/logistics/pvt/configuration/docks" },
                           &reply, e);

    *any = json_array_size(reply.body) > 0;
    for (size_t i = 0; rc == RC_OK && i < json_array_size(reply.body) && i < LIMIT_DOCKS; i++) {
        const json_t *dock = json_array_get(reply.body, i);
        char id[JSPEC_ID_BYTES];

        jspec_id(dock, "id", id);
        if (id[0] != '\0' && jspec_bool(dock, "isActive", false) &&
            json_is_array(jspec_get(dock, "salesChannels")) &&
            policy_listed(jspec_get(dock, "salesChannels"), s->sales_channel) &&
            json_object_set_new(ids, id, json_true()) != 0)
            rc = err_set(e, RC_BUG, "out of memory");
    }
    vtex_reply_done(&reply);
    return rc;
}

static bool reached(const json_t *warehouse, const json_t *docks)
{
    const json_t *list = jspec_get(warehouse, "warehouseDocks");

    for (size_t i = 0; i < json_array_size(list); i++) {
        char id[JSPEC_ID_BYTES];

        jspec_id(json_array_get(list, i), "dockId", id);
        if (json_object_get(docks, id) != NULL)
            return true;
    }
    return false;
}

enum rc vtex_policy_warehouses(struct vtex_session *s, char out[VTEX_BALANCES_MAX][64], int *n,
                               struct err *e)
{
    json_auto_t *docks = json_object();
    struct vtex_reply reply = { 0 };
    bool any = false;
    enum rc rc = docks_read(s, docks, &any, e);
    int found = 0;

    if (rc == RC_OK && !any)
        *n = -1;
    if (rc != RC_OK || !any)
        return rc;
    rc = vtex_call(s,
                   &(struct vtex_req){ .operation = "listWarehouses",
                                       .method = "GET",
                                       .path = "/api/logistics/pvt/configuration/warehouses" },
                   &reply, e);
    for (size_t i = 0; rc == RC_OK && i < json_array_size(reply.body); i++) {
        const json_t *one = json_array_get(reply.body, i);

        if (!jspec_bool(one, "isActive", false) || !reached(one, docks))
            continue;
        if (found == VTEX_BALANCES_MAX)
            break;
        jspec_id(one, "id", out[found]);
        found++;
    }
    if (rc == RC_OK)
        *n = found;
    vtex_reply_done(&reply);
    return rc;
}
