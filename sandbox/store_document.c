/* store_document.c - the order document as OMS shows it. */
#include "state.h"

#include "str.h"

#include <stdio.h>

static int64_t items_total(const json_t *order)
{
    int64_t sum = 0;
    size_t i;
    json_t *item;

    json_array_foreach(json_object_get(order, "items"), i, item) sum +=
        sbx_int(item, "price") * sbx_int(item, "quantity");
    return sum;
}

static json_t *total_new(const char *id, const char *name, int64_t value)
{
    return sbx_need(json_pack("{s:s,s:s,s:I}", "id", id, "name", name, "value", (json_int_t)value));
}

static json_t *totals_new(const json_t *order)
{
    int64_t items = items_total(order);
    json_t *out = sbx_need(json_array());

    sbx_append(out, total_new("Items", "Total dos Itens", items));
    sbx_append(out, total_new("Discounts", "Total dos Descontos", 0));
    sbx_append(out, total_new("Shipping", "Total do Frete",
                              sbx_int(order, "marketplacePaymentValue") - items));
    sbx_append(out, total_new("Tax", "Total da Taxa", 0));
    return out;
}

static void item_put(const struct sandbox *sb, const json_t *item, json_t *list)
{
    json_t *out = sbx_need(json_object());
    int64_t id = 0, price = sbx_int(item, "price"), quantity = sbx_int(item, "quantity");
    int index = str_to_i64(sbx_text(item, "id"), 1, INT32_MAX, &id)
                    ? merchant_sku_by_id(sb->merchant, id)
                    : -1;
    char product[16];

    sbx_set_text(out, "id", sbx_text(item, "id"));
    if (index >= 0) {
        const struct merchant_sku *sku = &sb->merchant->skus[index];

        (void)snprintf(product, sizeof product, "%d", sb->merchant->products[sku->product].id);
        sbx_set_text(out, "productId", product);
        sbx_set_text(out, "ean", sku->ean);
        sbx_set_text(out, "refId", sku->ref);
        sbx_set_text(out, "name", sb->merchant->products[sku->product].title);
    }
    sbx_set_int(out, "quantity", quantity);
    sbx_set_text(out, "seller", "1");
    sbx_set_int(out, "price", price);
    sbx_set_int(out, "listPrice", price);
    sbx_set_int(out, "sellingPrice", price);
    sbx_set(out, "priceTags", json_array());
    sbx_set(out, "bundleItems", json_array());
    sbx_set_text(out, "sellerSku", sbx_text(item, "id"));
    sbx_set_text(out, "measurementUnit", "un");
    sbx_set_int(out, "unitMultiplier", 1);
    sbx_set(out, "isGift", json_boolean(json_is_true(json_object_get(item, "isGift"))));
    sbx_set(out, "priceDefinition",
            json_pack("{s:[{s:I,s:I}],s:I,s:I,s:n}", "sellingPrices", "value", (json_int_t)price,
                      "quantity", (json_int_t)quantity, "calculatedSellingPrice", (json_int_t)price,
                      "total", (json_int_t)(price * quantity), "reason"));
    sbx_append(list, out);
}

static json_t *shipping_new(const json_t *order)
{
    json_t *out = sbx_need(json_deep_copy(json_object_get(order, "shippingData")));
    size_t i;
    json_t *one;

    sbx_set_text(out, "id", "shippingData");
    json_array_foreach(json_object_get(out, "logisticsInfo"), i, one)
    {
        if (!json_is_string(json_object_get(one, "selectedSla")))
            sbx_set_text(one, "selectedSla", "PAC");
        sbx_set_text(one, "deliveryCompany", "Correios");
        sbx_set(one, "shipsTo", json_pack("[s]", "BRA"));
        sbx_set(one, "deliveryIds",
                json_pack("[{s:s,s:s,s:s,s:i,s:s}]", "courierId", "11", "courierName",
                          "Correios PAC", "dockId", "doca-tiktok", "quantity", 1, "warehouseId",
                          "1_1"));
    }
    sbx_set(out, "trackingHints", json_null());
    return out;
}

static void heads_put(const struct sbx_account *account, const json_t *record, json_t *out)
{
    static const char *const same[] = { "orderId",           "sequence",     "marketplaceOrderId",
                                        "affiliateId",       "salesChannel", "status",
                                        "statusDescription", "creationDate", "lastChange",
                                        "authorizedDate" };
    const json_t *order = json_object_get(record, "order");
    const char *status = sbx_text(record, "status");
    bool final = str_eq(status, "invoiced") || str_eq(status, "canceled");

    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        sbx_set(out, same[i], json_incref(json_object_get(record, same[i])));
    sbx_set_text(out, "marketplaceServicesEndpoint",
                 sbx_text(order, "marketplaceServicesEndpoint"));
    sbx_set_text(out, "sellerOrderId", sbx_text(record, "orderId"));
    sbx_set_text(out, "origin", "Fulfillment");
    sbx_set(out, "workflowIsInError", json_false());
    sbx_set_int(out, "value", sbx_int(order, "marketplacePaymentValue"));
    sbx_set(out, "orderGroup", json_null());
    sbx_set_text(out, "hostname", account->name);
    sbx_set(out, "isCompleted", json_true());
    sbx_set_int(out, "roundingError", 0);
    sbx_set(out, "allowCancellation", json_boolean(!final));
    sbx_set(out, "allowEdition", json_false());
    sbx_set(out, "invoicedDate", json_null());
    sbx_set_text(out, "cancelReason", json_string_value(json_object_get(record, "cancelReason")));
}

json_t *sbx_vtex_document_new(struct sandbox *sb, const struct sbx_account *account,
                              const json_t *record)
{
    const json_t *order = json_object_get(record, "order");
    json_t *out = sbx_need(json_object());
    json_t *items = sbx_need(json_array());
    json_t *custom = json_object_get(order, "customData");
    json_t *note = json_object_get(order, "openTextField");
    const json_t *packages = json_object_get(record, "packages");
    size_t i;
    json_t *item;

    heads_put(account, record, out);
    json_array_foreach(json_object_get(order, "items"), i, item) item_put(sb, item, items);
    sbx_set(out, "totals", totals_new(order));
    sbx_set(out, "items", items);
    sbx_set(out, "sellers", json_pack("[{s:s,s:s}]", "id", "1", "name", "Loja Exemplo"));
    sbx_set(out, "cancellationData", json_null());
    sbx_set(out, "cancellationRequests", json_null());
    sbx_set(out, "packageAttachment",
            packages == NULL ? json_pack("{s:[]}", "packages")
                             : json_pack("{s:o}", "packages", json_deep_copy(packages)));
    sbx_set(out, "customData", custom == NULL ? json_null() : json_deep_copy(custom));
    sbx_set(out, "openTextField", note == NULL ? json_null() : json_deep_copy(note));
    sbx_set(out, "clientProfileData", json_deep_copy(json_object_get(order, "clientProfileData")));
    sbx_set(out, "shippingData", shipping_new(order));
    sbx_set(out, "storePreferencesData",
            json_pack("{s:s,s:s,s:s}", "countryCode", "BRA", "currencyCode", "BRL", "timeZone",
                      "E. South America Standard Time"));
    sbx_set(out, "marketplaceItems", json_array());
    return out;
}
