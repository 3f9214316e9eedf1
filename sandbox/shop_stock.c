/* shop_stock.c - prices and stock of live products. */
#include "state.h"

#include "str.h"

/* The live product of the path; NULL after sbx_fail. */
static json_t *live_product(struct sbx_call *c)
{
    json_t *product = json_object_get(c->shop->products, http_param(c->req, "product_id"));

    if (product == NULL) {
        sbx_fail(c, 12052260, "The product ID does not exist");
        return NULL;
    }
    if (!str_eq(sbx_text(product, "status"), "ACTIVATE")) {
        sbx_fail(c, 12052901,
                 "The product in its current status is not available for this operation.");
        return NULL;
    }
    if (json_array_size(json_object_get(c->body, "skus")) == 0) {
        sbx_fail(c, 12052902, "The SKU list is empty.");
        return NULL;
    }
    return product;
}

/* Every SKU belongs to the product and is named once; false after sbx_fail. */
static bool skus_known(struct sbx_call *c, const json_t *product, int64_t unknown)
{
    json_auto_t *seen = sbx_need(json_object());
    size_t i;
    json_t *one;

    json_array_foreach(json_object_get(c->body, "skus"), i, one)
    {
        const char *id = sbx_text(one, "id");

        if (sbx_sku_of_product(product, id) == NULL) {
            sbx_fail(c, unknown, "The SKU ID %.40s does not belong to the product.", id);
            return false;
        }
        if (json_object_get(seen, id) != NULL) {
            sbx_fail(c, 12052553, "Sku id duplicate");
            return false;
        }
        sbx_set(seen, id, json_true());
    }
    return true;
}

/* The same change in the version under review, so that its end does not undo it. */
static void mirror(json_t *product, const char *sku_id, const char *member, const json_t *value)
{
    json_t *pending = json_object_get(product, "pending");
    json_t *sku = pending == NULL ? NULL : sbx_sku_of_product(pending, sku_id);

    if (sku != NULL)
        sbx_set(sku, member, json_deep_copy(value));
}

void sbx_update_price(struct sbx_call *c)
{
    json_t *product = live_product(c);
    size_t i;
    json_t *one;

    if (product == NULL || !skus_known(c, product, 12052557))
        return;
    json_array_foreach(json_object_get(c->body, "skus"), i, one)
    {
        if (json_object_get(one, "list_price") != NULL ||
            json_object_get(one, "external_list_prices") != NULL) {
            sbx_fail(c, 12052376, "list price not support");
            return;
        }
        if (!sbx_price_check(c, json_object_get(one, "price")))
            return;
    }
    json_array_foreach(json_object_get(c->body, "skus"), i, one)
    {
        const char *id = sbx_text(one, "id");
        const json_t *price = json_object_get(one, "price");

        sbx_set(sbx_sku_of_product(product, id), "price", json_deep_copy(price));
        mirror(product, id, "price", price);
    }
    sbx_set_int(product, "update_time", sbx_now_s());
    c->data = sbx_need(json_object());
}

/* Code of what is wrong with the stock of one SKU; 0 = fine. */
static int64_t stock_breach(const struct sbx_shop *shop, const json_t *list, const char **warehouse)
{
    const json_t *only = json_array_get(list, 0);

    *warehouse = sbx_text(only, "warehouse_id");
    if (json_array_size(list) != 1)
        return 12052533;
    if ((*warehouse)[0] == '\0') { /* one warehouse: it may be left out */
        *warehouse = shop->sales_warehouse;
        return 0;
    }
    if (str_eq(*warehouse, shop->return_warehouse))
        return 12052532;
    return str_eq(*warehouse, shop->sales_warehouse) ? 0 : 12052530;
}

static json_t *stock_error_new(const char *sku_id, const char *warehouse, int64_t code)
{
    return sbx_need(json_pack("{s:i,s:s,s:{s:s,s:[{s:s,s:I,s:s}]}}", "code", 12052990, "message",
                              "Check failed", "detail", "sku_id", sku_id, "extra_errors",
                              "warehouse_id", warehouse, "code", (json_int_t)code, "message",
                              "The warehouse does not belong to this SKU"));
}

static void stock_set(struct sbx_call *c, json_t *product, const json_t *one)
{
    const char *id = sbx_text(one, "id");
    json_t *sku = sbx_sku_of_product(product, id);
    const json_t *sent = json_array_get(json_object_get(one, "inventory"), 0);
    json_t *now = json_array_get(json_object_get(sku, "inventory"), 0);
    json_t *next = now == NULL ? sbx_need(json_object()) : sbx_need(json_deep_copy(now));
    static const char *const members[] = { "quantity", "backorder_quantity", "handling_time" };

    sbx_set_text(next, "warehouse_id", c->shop->sales_warehouse);
    for (size_t i = 0; i < 3; i++) {
        json_t *value = json_object_get(sent, members[i]);

        if (value != NULL)
            sbx_set(next, members[i], json_incref(value));
    }
    json_auto_t *list = sbx_need(json_array());
    sbx_append(list, next);
    sbx_set(sku, "inventory", json_incref(list));
    mirror(product, id, "inventory", list);
}

void sbx_update_inventory(struct sbx_call *c)
{
    json_t *product = live_product(c);
    json_t *errors;
    size_t i;
    json_t *one;

    if (product == NULL || !skus_known(c, product, 12052556))
        return;
    errors = sbx_need(json_array());
    json_array_foreach(json_object_get(c->body, "skus"), i, one)
    {
        const char *warehouse = "";
        int64_t code = stock_breach(c->shop, json_object_get(one, "inventory"), &warehouse);

        if (code != 0)
            sbx_append(errors, stock_error_new(sbx_text(one, "id"), warehouse, code));
        else
            stock_set(c, product, one);
    }
    sbx_set_int(product, "update_time", sbx_now_s());
    c->data = sbx_need(json_object());
    sbx_set(c->data, "errors", errors);
}

static json_t *stock_row_new(const struct sbx_shop *shop, const json_t *sku)
{
    json_t *out = sbx_need(json_object());
    int64_t quantity = sbx_int(json_array_get(json_object_get(sku, "inventory"), 0), "quantity");
    int64_t committed = sbx_int(sku, "committed");

    sbx_set_text(out, "id", sbx_text(sku, "id"));
    sbx_set_text(out, "seller_sku", sbx_text(sku, "seller_sku"));
    sbx_set_int(out, "total_available_quantity", quantity);
    sbx_set_int(out, "total_committed_quantity", committed);
    sbx_set(out, "warehouse_inventory",
            json_pack("[{s:s,s:I,s:I}]", "warehouse_id", shop->sales_warehouse,
                      "available_quantity", (json_int_t)quantity, "committed_quantity",
                      (json_int_t)committed));
    sbx_set(out, "total_available_inventory_distribution",
            json_pack("{s:[],s:[],s:{s:I}}", "campaign_inventory", "creator_inventory",
                      "in_shop_inventory", "quantity", (json_int_t)quantity));
    return out;
}

static json_t *stock_entry_new(const char *product_id, json_t *skus)
{
    json_t *out = sbx_need(json_object());

    sbx_set_text(out, "product_id", product_id);
    sbx_set(out, "skus", skus);
    return out;
}

void sbx_inventory_search(struct sbx_call *c)
{
    const json_t *sku_ids = json_object_get(c->body, "sku_ids");
    const json_t *product_ids = json_object_get(c->body, "product_ids");
    json_t *list = sbx_need(json_array());
    size_t i, k;
    json_t *one, *product, *sku;

    c->data = sbx_need(json_object());
    sbx_set(c->data, "inventory", list);
    if (json_array_size(sku_ids) == 0 && json_array_size(product_ids) == 0) {
        sbx_fail(c, 12019008, "Product id is invalid: name products or SKUs");
        return;
    }
    if (json_array_size(sku_ids) > 0) { /* these win when both are sent */
        json_array_foreach(sku_ids, i, one)
        {
            if (sbx_sku_find(c->shop, json_string_value(one), &product, &sku)) {
                json_t *rows = sbx_need(json_array());

                sbx_append(rows, stock_row_new(c->shop, sku));
                sbx_append(list, stock_entry_new(sbx_text(product, "id"), rows));
            }
        }
        return;
    }
    json_array_foreach(product_ids, i, one)
    {
        const json_t *known = json_object_get(c->shop->products, json_string_value(one));
        json_t *rows = sbx_need(json_array());

        json_array_foreach(json_object_get(known, "skus"), k, sku)
            sbx_append(rows, stock_row_new(c->shop, sku));
        if (known == NULL)
            json_decref(rows);
        else
            sbx_append(list, stock_entry_new(json_string_value(one), rows));
    }
}
