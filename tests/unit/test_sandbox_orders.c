/* test_sandbox_orders.c - orders of the simulated TikTok Shop: amounts, states, hidden data, paging, cross-check. */
#include "test_sandbox_kit.h"

#include "money.h"

static char token[256], refresh[256];
static const char *cipher;

static int64_t minor(const json_t *object, const char *key)
{
    int64_t value = -1;

    (void)money_decimal_read(sbx_text(object, key), &value, NULL);
    return value;
}

/* Makes an order; RC and id as sbx_order_new gives them. */
static enum rc make(const char *spec_text, char id[32])
{
    json_auto_t *spec = json_loads(spec_text, 0, NULL);
    struct err e = { 0 };

    (void)pthread_mutex_lock(&kit_sb->lock);
    enum rc rc = sbx_order_new(kit_sb, &kit_sb->shops[0], spec, id, &e);
    (void)pthread_mutex_unlock(&kit_sb->lock);
    return rc;
}

static json_t *detail(const char *version, const char *id)
{
    char path[64], ids[64];
    int status = 0;

    (void)snprintf(path, sizeof path, "/order/%s/orders", version);
    (void)snprintf(ids, sizeof ids, "ids=%s", id);
    return kit_tiktok("GET", path, cipher, token, ids, NULL, &status);
}

static const json_t *only(const json_t *answer)
{
    return json_array_get(jspec_get(answer, "data.orders"), 0);
}

static void amounts(void)
{
    char id[32] = "";

    CHECK_INT(
        make(
            "{\"items\":[{\"seller_sku\":\"9\",\"quantity\":2,\"price\":\"79.90\",\"seller_discount\":\"10.00\","
            "\"platform_discount\":\"5.00\"}],\"shipping_fee\":\"15.00\",\"shipping_fee_platform_discount\":\"4.00\"}",
            id),
        RC_OK);
    json_auto_t *answer = detail("202507", id);
    const json_t *payment = json_object_get(only(answer), "payment");
    const json_t *line = json_array_get(json_object_get(only(answer), "line_items"), 0);
    CHECK_INT(json_array_size(json_object_get(only(answer), "line_items")), 2);
    CHECK_INT(minor(line, "sale_price"), 6490);
    CHECK_INT(minor(payment, "sub_total"), 2 * 6490);
    CHECK_INT(minor(payment, "shipping_fee"), 1100);
    CHECK_INT(minor(payment, "total_amount"), 2 * 6490 + 1100);
    CHECK_STR(sbx_text(only(answer), "status"), "AWAITING_SHIPMENT");
    CHECK_STR(sbx_text(only(answer), "payment_auth_code"), "E2E-PIX-7c1b");
    json_auto_t *older = detail("202309", id);
    CHECK(json_object_get(only(older), "payment_auth_code") == NULL,
          "a newer field in the older version");
}

static void wrong_specs(void)
{
    static const char *const specs[] = {
        "{\"items\":[]}",
        "{\"items\":[{\"quantity\":1}]}",
        "{\"items\":[{\"seller_sku\":\"9\",\"price\":9.9}]}",
        "{\"status\":\"PAID\"}",
        "{\"colour\":\"red\"}",
    };
    char id[32] = "";

    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++)
        CHECK(make(specs[i], id) == RC_INVALID, "%s was accepted", specs[i]);
}

static void hidden_data(void)
{
    char id[32] = "";
    struct err e = { 0 };

    CHECK_INT(make("{\"status\":\"ON_HOLD\",\"buyer\":1}", id), RC_OK);
    json_auto_t *held = detail("202507", id);
    CHECK(only(held) != NULL && json_object_get(only(held), "recipient_address") == NULL,
          "no address while ON_HOLD");
    (void)pthread_mutex_lock(&kit_sb->lock);
    CHECK_INT(sbx_order_move(kit_sb, &kit_sb->shops[0],
                             json_object_get(kit_sb->shops[0].orders, id), "AWAITING_SHIPMENT", &e),
              RC_OK);
    (void)pthread_mutex_unlock(&kit_sb->lock);
    json_auto_t *released = detail("202507", id);
    CHECK_STR(jspec_text(only(released), "recipient_address.name"), "João Pedro da Conceição");
    CHECK_INT(make("{\"shipping_type\":\"TIKTOK\",\"buyer\":1}", id), RC_OK);
    json_auto_t *masked = detail("202507", id);
    CHECK_STR(jspec_text(only(masked), "recipient_address.name"), "J***");
    CHECK_STR(jspec_text(only(masked), "recipient_address.postal_code"), "30130010");
    json_auto_t *unknown = detail("202507", "1");
    CHECK_INT(jspec_int(unknown, "code", 0), 21008111);
}

/* Percent-encodes the cursor into an extra query. */
static void next_page(const json_t *answer, char *out, size_t cap)
{
    OWN_BUF struct buf text;

    buf_init(&text, 256);
    str_url_encode(&text, jspec_text(answer, "data.next_page_token"));
    (void)snprintf(out, cap, "page_size=2&page_token=%s", buf_text(&text));
}

static void paging(void)
{
    static const char path[] = "/order/202309/orders/search";
    size_t wanted = json_object_size(kit_sb->shops[0].orders), seen = 0;
    char query[256] = "page_size=2";
    int status = 0;

    for (int page = 0; page < 20; page++) {
        json_auto_t *answer = kit_tiktok("POST", path, cipher, token, query, "{}", &status);

        CHECK_INT(jspec_int(answer, "code", -1), 0);
        seen += json_array_size(jspec_get(answer, "data.orders"));
        if (str_eq(jspec_text(answer, "data.next_page_token"), ""))
            break;
        CHECK(strpbrk(jspec_text(answer, "data.next_page_token"), "+") != NULL,
              "a cursor that needs escaping");
        next_page(answer, query, sizeof query);
    }
    CHECK_INT(seen, wanted);
    json_auto_t *first = kit_tiktok("POST", path, cipher, token, "page_size=2", "{}", &status);
    next_page(first, query, sizeof query);
    json_auto_t *other =
        kit_tiktok("POST", path, cipher, token, query, "{\"order_status\":\"UNPAID\"}", &status);
    CHECK_INT(jspec_int(other, "code", 0), 36009004);
    json_auto_t *made_up =
        kit_tiktok("POST", path, cipher, token, "page_size=2&page_token=abc", "{}", &status);
    CHECK_INT(jspec_int(made_up, "code", 0), 36009004);
}

static void windows(void)
{
    static const char path[] = "/order/202309/orders/search";
    char body[128];
    int status = 0;
    int64_t now = sbx_now_s();

    (void)snprintf(body, sizeof body, "{\"update_time_ge\":%lld}", (long long)now + 60);
    json_auto_t *later = kit_tiktok("POST", path, cipher, token, "page_size=50", body, &status);
    CHECK_INT(jspec_int(later, "data.total_count", -1), 0);
    (void)snprintf(body, sizeof body, "{\"update_time_ge\":%lld,\"update_time_lt\":%lld}",
                   (long long)now - 3600, (long long)now + 60);
    json_auto_t *all = kit_tiktok("POST", path, cipher, token, "page_size=50", body, &status);
    CHECK_INT(jspec_int(all, "data.total_count", -1),
              (int64_t)json_object_size(kit_sb->shops[0].orders));
}

int main(void)
{
    if (!kit_start(1))
        return 77;
    if (!kit_login(1, token, refresh)) {
        printf("no login\n");
        return 1;
    }
    cipher = kit_sb->shops[0].cipher;
    CASE(amounts);
    CASE(wrong_specs);
    CASE(hidden_data);
    CASE(paging);
    CASE(windows);
    kit_stop();
    return CHECK_END();
}
