/* store_offer.c - prices, stock and cart simulation of a simulated VTEX account. */
#include "state.h"

#include "clock.h"
#include "str.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *id, *courier, *estimate;
    int64_t price_minor;
} SLAS[] = { { "PAC", "11", "6bd", 900 }, { "SEDEX", "12", "2bd", 1890 } };
#define N_SLAS (sizeof SLAS / sizeof SLAS[0])

bool sbx_vtex_sla(const char *id, const char **estimate, int64_t *price_minor)
{
    for (size_t i = 0; i < N_SLAS; i++) {
        if (str_eq(SLAS[i].id, id)) {
            *estimate = SLAS[i].estimate;
            *price_minor = SLAS[i].price_minor;
            return true;
        }
    }
    return false;
}

int64_t sbx_vtex_available(const struct sbx_account *account, int sku)
{
    int64_t free_units = account->total[sku] - account->reserved[sku];

    return free_units > 0 ? free_units : 0;
}

static int index_of(const struct sbx_vtex *v, const char *text)
{
    int64_t id = 0;

    return str_to_i64(text, 1, INT32_MAX, &id) ? merchant_sku_by_id(v->sb->merchant, id) : -1;
}

/* The SKU of the path when it has a price; -1 after an answer. */
static int priced(struct sbx_vtex *v)
{
    int index = index_of(v, http_param(v->req, "itemId"));

    if (index >= 0 && v->account->price_minor[index] > 0)
        return index;
    v->answer = sbx_need(json_string("Price not found"));
    v->status = 404;
    return -1;
}

static double reais(int64_t minor)
{
    return (double)minor / 100.0;
}

static json_t *list_price_new(const struct sbx_vtex *v, int index)
{
    int64_t minor = v->sb->merchant->skus[index].list_minor;

    return minor > v->account->price_minor[index] ? json_real(reais(minor)) : json_null();
}

void sbx_vtex_price(struct sbx_vtex *v)
{
    int index = priced(v);
    char id[16];

    if (index < 0)
        return;
    (void)snprintf(id, sizeof id, "%d", v->sb->merchant->skus[index].id);
    v->answer = sbx_need(json_pack("{s:s,s:o,s:n,s:n,s:f,s:[]}", "itemId", id, "listPrice",
                                   list_price_new(v, index), "costPrice", "markup", "basePrice",
                                   reais(v->account->price_minor[index]), "fixedPrices"));
}

static json_t *computed_new(const struct sbx_vtex *v, int index, const char *table)
{
    return sbx_need(json_pack("{s:s,s:o,s:n,s:f,s:s}", "tradePolicyId", table, "listPrice",
                              list_price_new(v, index), "costPrice", "sellingPrice",
                              reais(v->account->price_minor[index]), "priceValidUntil",
                              "2030-06-10T12:00:00Z"));
}

void sbx_vtex_computed(struct sbx_vtex *v)
{
    const char *table = http_param(v->req, "priceTableId");
    int index = priced(v);

    if (index < 0)
        return;
    if (!str_eq(table, "1") && !str_eq(table, "3")) {
        v->answer = sbx_need(json_string("Price not found"));
        v->status = 404;
        return;
    }
    v->answer = computed_new(v, index, table);
}

void sbx_vtex_computed_all(struct sbx_vtex *v)
{
    int index = priced(v);

    if (index < 0)
        return;
    v->answer = sbx_need(json_array());
    sbx_append(v->answer, computed_new(v, index, "1"));
    sbx_append(v->answer, computed_new(v, index, "3"));
}

void sbx_vtex_inventory(struct sbx_vtex *v)
{
    int index = index_of(v, http_param(v->req, "skuId"));

    if (index < 0) {
        sbx_vtex_fail(v, 404, "1", "SKU não encontrado");
        return;
    }
    json_t *row = sbx_need(json_pack(
        "{s:s,s:s,s:I,s:I,s:b,s:n,s:n,s:s}", "warehouseId", "1_1", "warehouseName", "CD São Paulo",
        "totalQuantity", (json_int_t)v->account->total[index], "reservedQuantity",
        (json_int_t)v->account->reserved[index], "hasUnlimitedQuantity", 0, "timeToRefill",
        "dateOfSupplyUtc", "leadTime", "00:00:00"));
    json_t *other = sbx_need(json_pack("{s:s,s:s,s:i,s:i,s:b,s:n,s:n,s:s}", "warehouseId", "2_1",
                                       "warehouseName", "Loja Campinas", "totalQuantity", index % 4,
                                       "reservedQuantity", index % 5, "hasUnlimitedQuantity", 0,
                                       "timeToRefill", "dateOfSupplyUtc", "leadTime", "00:00:00"));
    v->answer = sbx_need(
        json_pack("{s:s,s:[o,o]}", "skuId", http_param(v->req, "skuId"), "balance", row, other));
}

static json_t *dock_row_new(const struct sbx_vtex *v, int index, const char *dock,
                            const char *channel)
{
    return sbx_need(
        json_pack("{s:s,s:s,s:s,s:I,s:I,s:I,s:b,s:[s],s:[s],s:n,s:n,s:n,s:b,s:n}", "skuId",
                  http_param(v->req, "skuId"), "warehouseId", "1_1", "dockId", dock,
                  "totalQuantity", (json_int_t)v->account->total[index], "reservedQuantity",
                  (json_int_t)v->account->reserved[index], "availableQuantity",
                  (json_int_t)sbx_vtex_available(v->account, index), "isUnlimited", 0,
                  "salesChannel", channel, "deliveryChannels", "delivery", "timeToRefill",
                  "dateOfSupplyUtc", "supplyLotId", "keepSellingAfterExpiration", 0, "transfer"));
}

void sbx_vtex_inventory_row(struct sbx_vtex *v)
{
    int index = index_of(v, http_param(v->req, "skuId"));

    if (index < 0) {
        sbx_vtex_fail(v, 404, "1", "SKU não encontrado");
        return;
    }
    v->answer = sbx_need(json_array());
    if (!str_eq(http_param(v->req, "warehouseId"), "1_1"))
        return;
    sbx_append(v->answer, dock_row_new(v, index, "1", "1"));
    sbx_append(v->answer, dock_row_new(v, index, "doca-tiktok", "3"));
}

void sbx_vtex_warehouses(struct sbx_vtex *v)
{
    v->answer = sbx_need(json_pack(
        "[{s:s,s:s,s:[{s:s,s:s,s:i},{s:s,s:s,s:i}],s:[],s:i,s:b},{s:s,s:s,s:[{s:s,s:s,s:i}],s:[s],s:i,s:b},"
        "{s:s,s:s,s:[],s:[],s:i,s:b}]",
        "id", "1_1", "name", "CD São Paulo", "warehouseDocks", "dockId", "1", "time", "1.00:00:00",
        "cost", 0, "dockId", "doca-tiktok", "time", "1.00:00:00", "cost", 0, "pickupPointIds",
        "priority", 0, "isActive", 1, "id", "2_1", "name", "Loja Campinas", "warehouseDocks",
        "dockId", "1", "time", "00:00:00", "cost", 0, "pickupPointIds", "campinas", "priority", 0,
        "isActive", 1, "id", "9_9", "name", "Depósito desativado", "warehouseDocks",
        "pickupPointIds", "priority", 0, "isActive", 0));
}

void sbx_vtex_docks(struct sbx_vtex *v)
{
    v->answer = sbx_need(
        json_pack("[{s:s,s:s,s:i,s:s,s:[s],s:[s],s:n,s:b},{s:s,s:s,s:i,s:s,s:[s],s:[s],s:n,s:b}]",
                  "id", "1", "name", "Doca site", "priority", 0, "dockTimeFake", "00:00:00",
                  "salesChannels", "1", "freightTableIds", "1a2b3c", "address", "isActive", 1, "id",
                  "doca-tiktok", "name", "Doca TikTok", "priority", 0, "dockTimeFake", "1.00:00:00",
                  "salesChannels", "3", "freightTableIds", "7d8e9f", "address", "isActive", 1));
}

/* ---- simulation ------------------------------------------------------------------------------ */

static json_t *sla_new(size_t i)
{
    json_t *out = sbx_need(json_object());

    sbx_set_text(out, "id", SLAS[i].id);
    sbx_set_text(out, "deliveryChannel", "delivery");
    sbx_set_text(out, "name", SLAS[i].id);
    sbx_set(out, "deliveryIds",
            json_pack("[{s:s,s:s,s:s,s:s,s:i,s:[]}]", "courierId", SLAS[i].courier, "warehouseId",
                      "1_1", "dockId", "doca-tiktok", "courierName", SLAS[i].id, "quantity", 1,
                      "kitItemDetails"));
    sbx_set_text(out, "shippingEstimate", SLAS[i].estimate);
    sbx_set(out, "shippingEstimateDate", json_null());
    sbx_set_text(out, "lockTTL", "10d");
    sbx_set(out, "availableDeliveryWindows", json_array());
    sbx_set(out, "deliveryWindow", json_null());
    sbx_set_int(out, "price", SLAS[i].price_minor);
    sbx_set_int(out, "listPrice", SLAS[i].price_minor);
    sbx_set_int(out, "tax", 0);
    sbx_set(out, "pickupPointId", json_null());
    sbx_set(out, "polygonName", json_null());
    sbx_set_text(out, "transitTime", SLAS[i].estimate);
    return out;
}

static void message(json_t *list, const char *code, const char *status, size_t index,
                    const char *id)
{
    char text[160], number[24];

    (void)snprintf(text, sizeof text, "O item %.60s não está disponível na quantidade pedida", id);
    (void)snprintf(number, sizeof number, "%zu", index);
    sbx_append(list, json_pack("{s:s,s:s,s:s,s:{s:s,s:s}}", "code", code, "text", text, "status",
                               status, "fields", "id", id, "itemIndex", number));
}

static json_t *item_new(const struct sbx_vtex *v, int index, const char *id, size_t request_index,
                        int64_t quantity, const char *availability)
{
    json_t *out = sbx_need(json_object());
    int64_t price = v->account->price_minor[index];
    int64_t list = v->sb->merchant->skus[index].list_minor;

    sbx_set_text(out, "id", id);
    sbx_set_int(out, "requestIndex", (int64_t)request_index);
    sbx_set_int(out, "quantity", quantity);
    sbx_set_text(out, "seller", "1");
    sbx_set(out, "sellerChain", json_pack("[s]", "1"));
    sbx_set_int(out, "tax", 0);
    sbx_set_text(out, "priceValidUntil", "2030-06-16T14:00:00Z");
    sbx_set_int(out, "price", price);
    sbx_set_int(out, "listPrice", list > price ? list : price);
    sbx_set_int(out, "sellingPrice", price);
    sbx_set(out, "offerings", json_array());
    sbx_set(out, "priceTags", json_array());
    sbx_set_text(out, "measurementUnit", "un");
    sbx_set_int(out, "unitMultiplier", 1);
    sbx_set_text(out, "availability", availability);
    sbx_set(out, "priceDefinition",
            json_pack("{s:I,s:I,s:[{s:I,s:I}],s:n}", "calculatedSellingPrice", (json_int_t)price,
                      "total", (json_int_t)(price * quantity), "sellingPrices", "value",
                      (json_int_t)price, "quantity", (json_int_t)quantity, "reason"));
    return out;
}

static json_t *logistics_new(size_t item_index, int64_t quantity, int64_t stock, bool slas)
{
    json_t *out = sbx_need(json_object());
    json_t *list = sbx_need(json_array());

    for (size_t i = 0; slas && i < N_SLAS; i++)
        sbx_append(list, sla_new(i));
    sbx_set_int(out, "itemIndex", (int64_t)item_index);
    sbx_set(out, "addressId", json_null());
    sbx_set(out, "selectedSla", json_null());
    sbx_set(out, "selectedDeliveryChannel", json_null());
    sbx_set_int(out, "quantity", quantity);
    sbx_set_int(out, "stockBalance", stock);
    sbx_set(out, "shipsTo", json_pack("[s]", "BRA"));
    sbx_set(out, "slas", list);
    sbx_set(out, "deliveryChannels",
            json_pack("[{s:s,s:I}]", "id", "delivery", "stockBalance", (json_int_t)stock));
    return out;
}

/* CEP with or without its hyphen. */
static bool postal_code_ok(const char *text)
{
    size_t digits = strspn(text, "0123456789");

    if (digits == 8 && text[8] == '\0')
        return true;
    return digits == 5 && text[5] == '-' && strspn(text + 6, "0123456789") == 3 && text[9] == '\0';
}

void sbx_vtex_simulate(struct sbx_vtex *v)
{
    const char *cep = sbx_text(v->body, "postalCode");
    json_t *items = sbx_need(json_array());
    json_t *logistics = sbx_need(json_array());
    json_t *messages = sbx_need(json_array());
    int64_t sum = 0;
    size_t i;
    json_t *asked;

    json_array_foreach(json_object_get(v->body, "items"), i, asked)
    {
        const char *id = sbx_text(asked, "id");
        int index = index_of(v, id);
        int64_t quantity = sbx_int(asked, "quantity");

        if (index < 0 || !str_eq(sbx_text(asked, "seller"), "1") ||
            v->account->price_minor[index] == 0) {
            message(messages, index < 0 ? "unavailableItemFulfillment" : "withoutPriceFulfillment",
                    "error", i, id);
            continue;
        }
        int64_t stock = sbx_vtex_available(v->account, index);
        bool some = stock > 0;
        if (stock < quantity)
            message(messages, some ? "itemQuantityNotAvailable" : "withoutStock", "warning", i, id);
        quantity = some && stock < quantity ? stock : quantity;
        sbx_append(logistics,
                   logistics_new(json_array_size(items), quantity, stock, some && cep[0] != '\0'));
        sbx_append(items, item_new(v, index, id, i, quantity, some ? "available" : "withoutStock"));
        sum += some ? v->account->price_minor[index] * quantity : 0;
    }
    v->answer = sbx_need(json_object());
    sbx_set(v->answer, "items", items);
    sbx_set(v->answer, "logisticsInfo", logistics);
    sbx_set(v->answer, "totals",
            json_pack("[{s:s,s:s,s:I}]", "id", "Items", "name", "Total dos Itens", "value",
                      (json_int_t)sum));
    sbx_set(v->answer, "messages", messages);
    sbx_set(v->answer, "pickupPoints", json_array());
    sbx_set_text(v->answer, "country", cep[0] == '\0' ? NULL : "BRA");
    sbx_set_text(v->answer, "postalCode", cep[0] == '\0' ? NULL : cep);
    sbx_set(v->answer, "geoCoordinates", json_array());
    sbx_set(v->answer, "allowMultipleDeliveries", json_true());
    if (cep[0] != '\0' && !postal_code_ok(cep))
        sbx_vtex_fail(v, 400, "CHK0040", "CEP inválido");
    else if (cep[0] != '\0' && !str_eq(sbx_text(v->body, "country"), "BRA"))
        sbx_vtex_fail(v, 400, "ORD002", "country is needed with postalCode");
}
