/* test_sandbox_store.c - the simulated VTEX account: keys, prices, simulation, order placement and workflow. */
#include "test_sandbox_kit.h"

#include <time.h>

#define PLACE "/vtex/loja/api/fulfillment/pvt/orders?sc=3&affiliateId=TTK"
#define SKU "1202"

static const char *const KEYS[] = { "X-VTEX-API-AppKey: vtexappkey-loja-K",
                                    "X-VTEX-API-AppToken: T", "Accept: application/json",
                                    "Content-Type: application/json" };

static json_t *call(const char *method, const char *path, const json_t *body, int *status)
{
    char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
    json_t *answer = kit_http(method, path, KEYS, body == NULL ? 3 : 4, text,
                              text == NULL ? 0 : strlen(text), status);

    free(text);
    return answer;
}

static void keys(void)
{
    static const char *const wrong[] = { "X-VTEX-API-AppKey: vtexappkey-other-K",
                                         "X-VTEX-API-AppToken: T", "Accept: application/json" };
    int status = 0;

    json_decref(kit_http("GET", "/vtex/loja/api/logistics/pvt/inventory/skus/" SKU, wrong, 3, NULL,
                         0, &status));
    CHECK_INT(status, 401);
    json_decref(call("GET", "/vtex/nobody/api/logistics/pvt/inventory/skus/" SKU, NULL, &status));
    CHECK_INT(status, 404);
    json_decref(call("GET", "/vtex/loja/api/logistics/pvt/inventory/skus/" SKU, NULL, &status));
    CHECK_INT(status, 200);
    json_decref(
        call("GET", "/vtex/loja/api/logistics/pvt/inventory/skus/" SKU "?x=1", NULL, &status));
    CHECK_INT(status, 400);
}

static void prices(void)
{
    int status = 0;
    json_auto_t *price =
        call("GET", "/vtexpricing/loja/pricing/prices/" SKU "/computed/3", NULL, &status);
    int index = merchant_sku_by_id(kit_sb->merchant, 1202);
    char no_price[96];

    CHECK_INT(status, 200);
    CHECK_INT((int64_t)(json_real_value(jspec_get(price, "sellingPrice")) * 100 + 0.5),
              kit_sb->merchant->skus[index].price_minor);
    for (int i = 0; i < kit_sb->merchant->n_skus; i++) {
        if (kit_sb->merchant->skus[i].price_minor != 0)
            continue;
        (void)snprintf(no_price, sizeof no_price, "/vtexpricing/loja/pricing/prices/%d/computed/3",
                       kit_sb->merchant->skus[i].id);
        json_decref(call("GET", no_price, NULL, &status));
        CHECK_INT(status, 404);
    }
}

static void simulation(void)
{
    int status = 0;
    json_auto_t *body = json_pack("{s:[{s:s,s:i,s:s},{s:s,s:i,s:s}],s:s,s:s}", "items", "id", "9",
                                  "quantity", 1, "seller", "1", "id", SKU, "quantity", 2, "seller",
                                  "1", "country", "BRA", "postalCode", "01310-100");
    json_auto_t *answer =
        call("POST", "/vtex/loja/api/checkout/pub/orderForms/simulation?sc=3", body, &status);
    const json_t *item = json_array_get(jspec_get(answer, "items"), 0);

    CHECK_INT(status, 200);
    CHECK_INT(json_array_size(jspec_get(answer, "items")), 1);
    CHECK_INT(sbx_int(item, "requestIndex"), 1);
    CHECK_STR(sbx_text(item, "availability"), "available");
    CHECK_INT(json_array_size(jspec_get(answer, "messages")), 1);
    CHECK_INT(json_array_size(
                  json_object_get(json_array_get(jspec_get(answer, "logisticsInfo"), 0), "slas")),
              2);
}

static json_t *order_new(const char *id)
{
    json_t *address =
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "addressType", "residential", "receiverName",
                  "Ana", "postalCode", "01310-100", "city", "São Paulo", "state", "SP", "country",
                  "BRA", "street", "Rua A", "number", "S/N");
    json_t *buyer = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "email", "a@b.example", "firstName",
                              "Ana", "lastName", "Lima", "documentType", "cpf", "document",
                              "11144477735", "phone", "+5511987654321");
    json_t *logistics = json_pack("[{s:i,s:s,s:s,s:s,s:i}]", "itemIndex", 0, "selectedSla", "PAC",
                                  "lockTTL", "10d", "shippingEstimate", "6bd", "price", 900);

    return json_pack("{s:s,s:s,s:i,s:b,s:[{s:s,s:i,s:s,s:i}],s:o,s:{s:o,s:o,s:b},s:n}",
                     "marketplaceOrderId", id, "marketplaceServicesEndpoint",
                     "https://c.example/vtex/h/s", "marketplacePaymentValue", 2 * 6990 + 900,
                     "isCreatedAsync", 1, "items", "id", SKU, "quantity", 2, "seller", "1", "price",
                     6990, "clientProfileData", buyer, "shippingData", "address", address,
                     "logisticsInfo", logistics, "isFob", 0, "paymentData");
}

/* Places the order; *code gets the error code, "" for none. */
static int place(json_t *order, char code[32])
{
    int status = 0;
    json_auto_t *list = json_pack("[o]", order);
    json_auto_t *answer = call("POST", PLACE, list, &status);

    str_copy_cut(code, 32, json_is_object(answer) ? jspec_text(answer, "error.code") : "");
    return status;
}

/* Sets the member at the end of a path of objects and first list entries. */
static void put(json_t *order, const char *path, json_t *value)
{
    char word[64];
    json_t *at = order;

    for (;;) {
        size_t len = strcspn(path, ".");

        (void)snprintf(word, sizeof word, "%.*s", (int)len, path);
        if (path[len] == '\0')
            break;
        at = json_object_get(at, word);
        at = json_is_array(at) ? json_array_get(at, 0) : at;
        path += len + 1;
    }
    (void)json_object_set_new(at, word, value);
}

static void placement_rules(void)
{
    const struct {
        const char *path;
        json_t *value;
        const char *code;
    } rows[] = {
        { "marketplacePaymentValue", json_integer(1), "FMT007" },
        { "items.id", json_string("77"), "FMT0039" },
        { "items.id", json_integer(77), "FMT0039" },
        { "items.quantity", json_integer(0), "FMT0038" },
        { "items.seller", json_string("2"), "FMT0040" },
        { "items.price", json_real(69.9), "FMT0041" },
        { "marketplaceServicesEndpoint", json_string("https://c.example/"), "FMT0070" },
        { "marketplaceServicesEndpoint", json_string("c.example"), "FMT0070" },
        { "paymentData", json_object(), "FMT0042" },
        { "clientProfileData.document", json_string("111.444.777-35"), "ORD007" },
        { "clientProfileData.document", json_string("11111111111"), "ORD007" },
        { "clientProfileData.phone", json_string("(+55)11987654321"), "ORD007" },
        { "clientProfileData.lastName", json_string(" "), "ORD007" },
        { "shippingData.address.postalCode", json_string("1310100"), "CHK0040" },
        { "shippingData.address.state", json_string("São Paulo"), "ORD006" },
        { "shippingData.address.state", json_string("XX"), "ORD006" },
        { "shippingData.address.country", json_string("BR"), "ORD006" },
        { "shippingData.address.number", json_string(" "), "ORD044" },
        { "shippingData.logisticsInfo.itemIndex", json_integer(1), "FMT0057" },
        { "shippingData.logisticsInfo.selectedSla", json_string("JATO"), "FMT010" },
        { "shippingData.logisticsInfo.lockTTL", json_null(), "FMT017" },
        { "shippingData.logisticsInfo.lockTTL", json_string("soon"), "FMT0077" },
        { "shippingData.logisticsInfo.shippingEstimate", json_null(), "FMT0078" },
        { "shippingData.logisticsInfo.shippingEstimate", json_string("6 days"), "FMT0079" },
        { "shippingData.logisticsInfo.price", json_integer(1), "FMT007" },
        { "surprise", json_true(), "ORD002" },
    };
    char code[32];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *order = order_new("1");

        put(order, rows[i].path, rows[i].value);
        CHECK_INT(place(order, code), 400);
        CHECK(str_eq(code, rows[i].code), "row %zu (%s): %s, want %s", i, rows[i].path, code,
              rows[i].code);
    }
    CHECK_INT(json_object_size(kit_sb->accounts[0].orders), 0);
}

/* Waits for a status of an order; false after two seconds. */
static bool reaches(const char *order_id, const char *status)
{
    for (int i = 0; i < 400; i++) {
        const struct timespec pause = { .tv_nsec = 5000000 };

        (void)pthread_mutex_lock(&kit_sb->lock);
        bool there = str_eq(
            sbx_text(json_object_get(kit_sb->accounts[0].orders, order_id), "status"), status);
        (void)pthread_mutex_unlock(&kit_sb->lock);
        if (there)
            return true;
        (void)nanosleep(&pause, NULL);
    }
    return false;
}

static void workflow(void)
{
    int index = merchant_sku_by_id(kit_sb->merchant, 1202);
    int64_t reserved = kit_sb->accounts[0].reserved[index];
    json_auto_t *right = json_pack("{s:s}", "marketplaceOrderId", "2");
    json_auto_t *wrong = json_pack("{s:s}", "marketplaceOrderId", "TTK-2");
    json_auto_t *reason = json_pack("{s:s,s:b}", "reason", "x", "requestedByUser", 1);
    const char *fulfill =
        "/vtex/loja/api/fulfillment/pvt/orders/TTK-2/fulfill?sc=3&affiliateId=TTK";
    char code[32];
    int status = 0;

    CHECK_INT(place(order_new("2"), code), 200);
    CHECK_INT(kit_sb->accounts[0].reserved[index], reserved + 2);
    CHECK_INT(place(order_new("2"), code), 400);
    CHECK_STR(code, "FMT009");
    CHECK(reaches("TTK-2", "waiting-ffmt-authorization"));
    json_auto_t *mismatch = call("POST", fulfill, wrong, &status);
    CHECK_STR(jspec_text(mismatch, "error.code"), "FMT0071");
    for (int i = 0; i < 2; i++) { /* a repeat is harmless */
        json_decref(call("POST", fulfill, right, &status));
        CHECK_INT(status, 200);
        CHECK(reaches("TTK-2", "ready-for-handling"));
    }
    json_auto_t *document = call("GET", "/vtex/loja/api/oms/pvt/orders/TTK-2", NULL, &status);
    CHECK_INT(jspec_int(document, "value", 0), 2 * 6990 + 900);
    CHECK_STR(jspec_text(document, "marketplaceOrderId"), "2");
    json_decref(call("POST", "/vtex/loja/api/oms/pvt/orders/TTK-2/cancel", reason, &status));
    CHECK_INT(status, 200);
    CHECK(reaches("TTK-2", "canceled"));
    CHECK_INT(kit_sb->accounts[0].reserved[index], reserved);
    CHECK_INT(place(order_new("2"), code), 400);
    CHECK_STR(code, "FMT0060");
}

static void divergence(void)
{
    json_t *cheap = order_new("3");
    char code[32];

    put(cheap, "items.price", json_integer(1000));
    put(cheap, "marketplacePaymentValue", json_integer(2900));
    put(cheap, "isCreatedAsync", json_false());
    CHECK_INT(place(json_incref(cheap), code), 400);
    CHECK_STR(code, "FMT006");
    put(cheap, "isCreatedAsync", json_true());
    CHECK_INT(place(cheap, code), 200);
    CHECK(reaches("TTK-3", "waiting-for-manual-authorization"));
}

/* A placement that says something else than its TikTok order is noted. */
static void compared_with_source(void)
{
    json_auto_t *spec = json_pack("{s:s,s:[{s:s,s:i,s:s}],s:s,s:i}", "status", "AWAITING_SHIPMENT",
                                  "items", "seller_sku", SKU, "quantity", 2, "price", "69.90",
                                  "shipping_fee", "9.00", "buyer", 0);
    const char *const prices[] = { "6990", "6890" };
    char code[32];

    for (int i = 0; i < 2; i++) {
        int64_t price = i == 0 ? 6990 : 6890, before;
        char id[32] = "";

        (void)pthread_mutex_lock(&kit_sb->lock);
        CHECK_INT(sbx_order_new(kit_sb, &kit_sb->shops[0], spec, id, NULL), RC_OK);
        before = kit_sb->refused_total;
        (void)pthread_mutex_unlock(&kit_sb->lock);
        json_t *order = order_new(id);
        put(order, "items.price", json_integer(price));
        put(order, "marketplacePaymentValue", json_integer(2 * price + 900));
        CHECK_INT(place(order, code), 200);
        CHECK(kit_sb->refused_total == before + i, "price %s", prices[i]);
    }
}

static void unknown_order(void)
{
    int status = 0;

    json_decref(call("GET", "/vtex/loja/api/oms/pvt/orders/TTK-none", NULL, &status));
    CHECK_INT(status, 404);
}

int main(void)
{
    if (!kit_start(1))
        return 77;
    kit_sb->accounts[0].total[merchant_sku_by_id(kit_sb->merchant, 1202)] = 50;
    CASE(keys);
    CASE(prices);
    CASE(simulation);
    CASE(placement_rules);
    CASE(workflow);
    CASE(divergence);
    CASE(compared_with_source);
    CASE(unknown_order);
    kit_stop();
    return CHECK_END();
}
