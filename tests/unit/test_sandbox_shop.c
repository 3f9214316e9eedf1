/* test_sandbox_shop.c - the simulated TikTok Shop: credentials, signature, listing, review, faults. */
#include "test_sandbox_kit.h"

#include <time.h>

static char token[256], refresh[256], other[256], other_refresh[256];
static const char *cipher, *foreign;

#define CATEGORIES "/product/202309/categories"
#define PRODUCTS "/product/202309/products"

static int64_t code_of(json_t *answer)
{
    int64_t code = jspec_int(answer, "code", -1);

    json_decref(answer);
    return code;
}

static void signing(void)
{
    static const struct {
        const char *secret, *path, *query, *body, *sign;
    } rows[] = {
        { "e59af819cc", "/authorization/202309/shops", "app_key=29a39d&timestamp=1623812664", "",
          "b596b73e0cc6de07ac26f036364178ab16b0a907af13d43f0a0cd2345f582dc8" },
        { "e59af819cc", "/event/202309/webhooks",
          "app_key=68xu9ks5p4i8&shop_cipher=ROW_xkMbgAAAeVAQra0eZWebFQq5aIK&timestamp=1696909648",
          "{    \"address\":\"https://partner.tiktokshop.com\",    \"event_type\": \"PACKAGE_UPDATE\"}",
          "495c39774c04ee06162f20a6bef8edae5b17676229588fe76630bb5166da37d2" },
        { "e59af819cc", "/order/202507/orders",
          "timestamp=1696909648&shop_cipher=ROW_xkMbgAAAeVAQra0eZWebFQq5aIK&ids=576461413038785752%2C576461413038785753&"
          "app_key=68xu9ks5p4i8",
          "", "b97f28a073d68b4025d1ae615a46e00c74339730af691bad43b699f912137e1a" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sbx_pair pairs[SBX_PAIRS_MAX];
        struct http_req req = { .path = rows[i].path,
                                .body = rows[i].body,
                                .body_len = strlen(rows[i].body) };
        char sign[65];
        int n = 0;

        CHECK(sbx_query_split(rows[i].query, pairs, &n));
        sbx_sign(rows[i].secret, &req, pairs, n, false, sign);
        CHECK_STR(sign, rows[i].sign);
    }
}

static void door(void)
{
    int status = 0;

    CHECK_INT(code_of(kit_tiktok("GET", CATEGORIES, cipher, token, NULL, NULL, &status)), 0);
    CHECK_INT(code_of(kit_tiktok("GET", CATEGORIES, NULL, token, NULL, NULL, &status)), 106013);
    CHECK_INT(code_of(kit_tiktok("GET", CATEGORIES, foreign, token, NULL, NULL, &status)), 101000);
    CHECK_INT(code_of(kit_tiktok("GET", "/authorization/202309/shops", cipher, token, NULL, NULL,
                                 &status)),
              36009004);
    CHECK_INT(code_of(kit_tiktok("GET", CATEGORIES, cipher, "nobody", NULL, NULL, &status)),
              36009004);
    CHECK_INT(code_of(kit_tiktok("GET", CATEGORIES, cipher, token, "made_up=1", NULL, &status)),
              36009004);
    CHECK_INT(code_of(kit_tiktok("GET", CATEGORIES, cipher, token, "sign=00", NULL, &status)),
              36009004);
    kit_clock_s = -301;
    CHECK_INT(code_of(kit_tiktok("GET", CATEGORIES, cipher, token, NULL, NULL, &status)), 36009004);
    kit_clock_s = 32;
    CHECK_INT(code_of(kit_tiktok("GET", CATEGORIES, cipher, token, NULL, NULL, &status)), 36009004);
    kit_clock_s = 0;
    CHECK_INT(status, 200);
}

static void wrong_sign(void)
{
    char url[512], header[300];
    int status = 0;

    (void)snprintf(url, sizeof url,
                   CATEGORIES "?app_key=key&timestamp=%lld&shop_cipher=%s&sign=%064d",
                   (long long)sbx_now_s(), cipher, 0);
    (void)snprintf(header, sizeof header, "x-tts-access-token: %s", token);
    const char *headers[] = { "content-type: application/json", header };
    CHECK_INT(code_of(kit_http("GET", url, headers, 2, NULL, 0, &status)), 106001);
    CHECK_INT(status, 401);
}

static void tokens(void)
{
    char url[1024];
    int status = 0;

    (void)pthread_mutex_lock(&kit_sb->lock);
    sbx_set_int(json_object_get(kit_sb->access, other), "ends_s", 1);
    (void)pthread_mutex_unlock(&kit_sb->lock);
    CHECK_INT(code_of(kit_tiktok("GET", CATEGORIES, foreign, other, NULL, NULL, &status)), 105002);
    (void)snprintf(
        url, sizeof url,
        "/api/v2/token/refresh?app_key=key&app_secret=secret&grant_type=refresh_token&refresh_token=%s",
        other_refresh);
    json_auto_t *answer = kit_http("GET", url, NULL, 0, NULL, 0, &status);
    CHECK_INT(jspec_int(answer, "code", -1), 0);
    CHECK(jspec_int(answer, "data.access_token_expire_in", 0) > sbx_now_s(), "an absolute moment");
    CHECK(!str_eq(jspec_text(answer, "data.access_token"), other), "a new access token");
    CHECK(!str_eq(jspec_text(answer, "data.refresh_token"), other_refresh), "a new refresh token");
    CHECK(code_of(kit_http("GET", url, NULL, 0, NULL, 0, &status)) != 0,
          "the old refresh token is void");
    CHECK_INT(code_of(kit_tiktok("GET", CATEGORIES, foreign,
                                 jspec_text(answer, "data.access_token"), NULL, NULL, &status)),
              0);
}

/* A picture that is known without an upload. */
static void know_picture(const char *uri, const char *use_case)
{
    (void)pthread_mutex_lock(&kit_sb->lock);
    sbx_set(kit_sb->images, uri,
            json_pack("{s:i,s:i,s:s,s:s}", "width", 800, "height", 800, "use_case", use_case, "url",
                      "u"));
    (void)pthread_mutex_unlock(&kit_sb->lock);
}

static json_t *product_new(void)
{
    return json_pack(
        "{s:s,s:s,s:s,s:[{s:s}],s:{s:s,s:s},s:s,s:s,s:[{s:s,s:[{s:s,s:i}],s:{s:s,s:s}}]}", "title",
        "Camiseta Básica", "description", "<p>Algodão</p>", "category_id", "601226", "main_images",
        "uri", "m1", "package_weight", "value", "0.3", "unit", "KILOGRAM", "external_product_id",
        "301", "idempotency_key", "key-1", "skus", "seller_sku", "1201", "inventory",
        "warehouse_id", kit_sb->shops[0].sales_warehouse, "quantity", 5, "price", "amount", "69.90",
        "currency", "BRL");
}

static json_t *create(const json_t *product)
{
    int status = 0;
    char *text = json_dumps(product, JSON_COMPACT);
    json_t *answer = kit_tiktok("POST", PRODUCTS, cipher, token, NULL, text, &status);

    free(text);
    return answer;
}

/* Sets a member by path "a.b" (objects only) or "skus.x" of the first SKU. */
static void put(json_t *product, const char *path, json_t *value)
{
    json_t *sku = json_array_get(json_object_get(product, "skus"), 0);

    if (str_starts(path, "skus.price."))
        (void)json_object_set_new(json_object_get(sku, "price"), path + 11, value);
    else if (str_starts(path, "skus."))
        (void)json_object_set_new(sku, path + 5, value);
    else
        (void)json_object_set_new(product, path, value);
}

static void listing_rules(void)
{
    const struct {
        const char *path;
        json_t *value;
        int64_t code;
    } rows[] = {
        { "title", json_string(""), 12052261 },
        { "title", json_string("Oi \xF0\x9F\x98\x80"), 12052931 },
        { "description", json_string("<blink>x</blink>"), 12052345 },
        { "category_id", json_string("842248"), 12052024 },
        { "category_id", json_string("9"), 12052023 },
        { "category_id", json_string("605010"), 12052220 },
        { "category_id", json_string("600010"), 12052104 },
        { "category_version", json_string("v2"), 12052217 },
        { "main_images", json_array(), 12052028 },
        { "main_images", json_pack("[{s:s}]", "uri", "unknown"), 12052300 },
        { "brand_id", json_string("7082427311584347909"), 12052201 },
        { "package_weight", json_pack("{s:s,s:s}", "value", "0", "unit", "GRAM"), 12052181 },
        { "package_weight", json_pack("{s:s,s:s}", "value", "1.5", "unit", "GRAM"), 12052006 },
        { "package_weight", json_pack("{s:s,s:s}", "value", "1", "unit", "POUND"), 12019061 },
        { "colour", json_string("red"), 12052910 },
        { "skus.seller_sku", json_string("a b"), 12019059 },
        { "skus.seller_sku", json_string(""), 12052054 },
        { "skus.price.amount", json_string("0.49"), 12052570 },
        { "skus.price.amount", json_string("69,90"), 12052073 },
        { "skus.price.currency", json_string("USD"), 12052084 },
        { "skus.inventory", json_pack("[{s:s,s:i}]", "warehouse_id", "1", "quantity", 5),
          12052530 },
        { "skus.inventory", json_array(), 12019022 },
        { "skus.identifier_code", json_pack("{s:s,s:s}", "code", "12", "type", "EAN"), 12052591 },
        { "skus.sales_attributes", json_pack("[{s:s,s:s}]", "id", "1", "value_name", "x"),
          12052527 },
        { "skus.sales_attributes", json_pack("[{s:s}]", "name", "Cor"), 12052248 },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_auto_t *product = product_new();

        put(product, rows[i].path, rows[i].value);
        json_auto_t *answer = create(product);
        CHECK(jspec_int(answer, "code", -1) == rows[i].code, "row %zu (%s): %lld %s", i,
              rows[i].path, (long long)jspec_int(answer, "code", -1),
              jspec_text(answer, "message"));
    }
    CHECK_INT(json_object_size(kit_sb->shops[0].products), 0);
}

/* Waits until a product leaves PENDING; false after two seconds. */
static bool reviewed(const char *id)
{
    for (int i = 0; i < 400; i++) {
        const struct timespec pause = { .tv_nsec = 5000000 };

        (void)pthread_mutex_lock(&kit_sb->lock);
        bool done = !str_eq(
            sbx_text(json_object_get(kit_sb->shops[0].products, id), "audit_status"), "AUDITING");
        (void)pthread_mutex_unlock(&kit_sb->lock);
        if (done)
            return true;
        (void)nanosleep(&pause, NULL);
    }
    return false;
}

static void listing(void)
{
    json_auto_t *product = product_new();
    int status = 0;
    char path[128];

    put(product, "brand_id", json_string("404"));
    json_auto_t *made = create(product);
    CHECK_INT(jspec_int(made, "code", -1), 0);
    CHECK_INT(json_array_size(jspec_get(made, "data.warnings")), 1);
    const char *id = jspec_text(made, "data.product_id");
    json_auto_t *again = create(product);
    CHECK_STR(jspec_text(again, "data.product_id"), id);
    put(product, "idempotency_key", json_string("key-2"));
    json_auto_t *twin = create(product);
    CHECK_INT(jspec_int(twin, "code", -1), 12052996);
    CHECK(reviewed(id));
    (void)snprintf(path, sizeof path, PRODUCTS "/%s", id);
    json_auto_t *read = kit_tiktok("GET", path, cipher, token, NULL, NULL, &status);
    CHECK_STR(jspec_text(read, "data.status"), "ACTIVATE");
    CHECK_STR(jspec_text(read, "data.audit.status"), "APPROVED");
    put(product, "title", json_string("Bolsa réplica"));
    put(product, "external_product_id", json_string("302"));
    json_auto_t *bad = create(product);
    const char *bad_id = jspec_text(bad, "data.product_id");
    CHECK(bad_id != NULL && reviewed(bad_id));
    CHECK_STR(sbx_text(json_object_get(kit_sb->shops[0].products, bad_id), "status"), "FAILED");
    (void)snprintf(path, sizeof path, "/product/202509/products/%s/partial_edit", id);
    json_auto_t *edit =
        kit_tiktok("POST", path, cipher, token, NULL, "{\"title\":\"Camiseta Nova\"}", &status);
    CHECK_INT(jspec_int(edit, "code", -1), 0);
    CHECK(reviewed(id));
    CHECK_STR(sbx_text(json_object_get(kit_sb->shops[0].products, id), "title"), "Camiseta Nova");
}

static void plant(const char *kind, const char *operation)
{
    json_auto_t *spec = json_pack("{s:s,s:s,s:s,s:i}", "where", "tiktok", "operation", operation,
                                  "kind", kind, "ms", 1);
    struct err e = { 0 };

    (void)pthread_mutex_lock(&kit_sb->lock);
    CHECK(sbx_fault_add(kit_sb, spec, &e) == RC_OK, "%s", e.text);
    (void)pthread_mutex_unlock(&kit_sb->lock);
}

static void faults(void)
{
    int status = 0;

    plant("429", "get_categories");
    CHECK_INT(code_of(kit_tiktok("GET", CATEGORIES, cipher, token, NULL, NULL, &status)), 36009002);
    CHECK_INT(status, 429);
    plant("503", "*");
    CHECK_INT(code_of(kit_tiktok("GET", CATEGORIES, cipher, token, NULL, NULL, &status)), 36009003);
    plant("token_expired", "get_categories");
    CHECK_INT(code_of(kit_tiktok("GET", CATEGORIES, cipher, token, NULL, NULL, &status)), 105002);
    static const char *const kinds[] = { "cut", "cut_before", "lost", "hang" };
    for (size_t i = 0; i < 4; i++) {
        plant(kinds[i], "get_categories");
        json_auto_t *answer = kit_tiktok("GET", CATEGORIES, cipher, token, NULL, NULL, &status);
        CHECK(status == 0 && answer == NULL, "%s gave an answer", kinds[i]);
    }
    plant("slow", "get_categories");
    CHECK_INT(code_of(kit_tiktok("GET", CATEGORIES, cipher, token, NULL, NULL, &status)), 0);
    plant("429", "create_product");
    CHECK_INT(code_of(kit_tiktok("GET", CATEGORIES, cipher, token, NULL, NULL, &status)), 0);
    CHECK_INT(kit_sb->n_faults, 1);
    kit_sb->n_faults = 0;
}

static void cut_is_processed(void)
{
    size_t before = json_object_size(kit_sb->shops[0].products);
    json_auto_t *product = product_new();

    put(product, "idempotency_key", json_string("key-cut"));
    put(product, "external_product_id", json_string("cut"));
    plant("cut_before", "create_product");
    json_decref(create(product));
    CHECK_INT(json_object_size(kit_sb->shops[0].products), before);
    plant("cut", "create_product");
    json_decref(create(product));
    CHECK_INT(json_object_size(kit_sb->shops[0].products), before + 1);
    json_auto_t *again = create(product);
    CHECK_INT(jspec_int(again, "code", -1), 0);
    CHECK_INT(json_object_size(kit_sb->shops[0].products), before + 1);
}

static void quota(void)
{
    int status = 0, refused = 0;

    kit_sb->cfg.rate_per_second = 3;
    for (int i = 0; i < 20; i++)
        refused +=
            code_of(kit_tiktok("GET", CATEGORIES, cipher, token, NULL, NULL, &status)) == 36009002;
    kit_sb->cfg.rate_per_second = 1000;
    CHECK(refused > 0, "%d of 20 were refused", refused);
}

int main(void)
{
    if (!kit_start(1))
        return 77;
    if (!kit_login(1, token, refresh) || !kit_login(2, other, other_refresh)) {
        printf("no login\n");
        return 1;
    }
    cipher = kit_sb->shops[0].cipher;
    foreign = kit_sb->shops[1].cipher;
    know_picture("m1", "MAIN_IMAGE");
    CASE(signing);
    CASE(door);
    CASE(wrong_sign);
    CASE(tokens);
    CASE(listing_rules);
    CASE(listing);
    CASE(faults);
    CASE(cut_is_processed);
    CASE(quota);
    kit_stop();
    return CHECK_END();
}
