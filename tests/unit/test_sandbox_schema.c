/* test_sandbox_schema.c - the simulator's validators: contract schemas, text rules, codes, picture sizes. */
#include "../../sandbox/state.h"

#include "assets.h"
#include "jspec.h"
#include "str.h"

#include "check.h"

static json_t *contract;

static const json_t *body_of(const char *operation)
{
    return json_object_get(json_object_get(contract, operation), "body");
}

static void schemas(void)
{
    static const struct {
        const char *operation, *body;
        bool ok;
        enum sbx_breach_kind kind;
        const char *path;
    } rows[] = {
        { "activate_product", "{\"product_ids\":[\"1\"]}", true, 0, "" },
        { "activate_product", "{}", false, SBX_MISSING, "product_ids" },
        { "activate_product", "{\"product_ids\":[1]}", false, SBX_TYPE, "product_ids[0]" },
        { "activate_product", "{\"product_ids\":[\"1\"],\"x\":1}", false, SBX_UNKNOWN, "x" },
        { "activate_product", "{\"product_ids\":\"1\"}", false, SBX_TYPE, "product_ids" },
        { "activate_product", "[]", false, SBX_TYPE, "" },
        { "activate_product", "{\"product_ids\":[\"1\"],\"listing_platforms\":[\"AMAZON\"]}", false,
          SBX_VALUE, "listing_platforms[0]" },
        { "activate_product",
          "{\"product_ids\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\",\"11\",\"12\",\"13\",\"14\","
          "\"15\",\"16\",\"17\",\"18\",\"19\",\"20\",\"21\"]}",
          false, SBX_COUNT, "product_ids" },
        { "update_inventory", "{\"skus\":[{\"id\":\"1\",\"inventory\":[{\"quantity\":0}]}]}", true,
          0, "" },
        { "update_inventory", "{\"skus\":[{\"id\":\"1\",\"inventory\":[{\"quantity\":100000}]}]}",
          false, SBX_VALUE, "skus[0].inventory[0].quantity" },
        { "update_inventory", "{\"skus\":[{\"id\":\"1\",\"inventory\":[{\"quantity\":\"7\"}]}]}",
          false, SBX_TYPE, "skus[0].inventory[0].quantity" },
        { "update_inventory", "{\"skus\":[{\"id\":\"1\",\"inventory\":[{\"quantity\":1.5}]}]}",
          false, SBX_TYPE, "skus[0].inventory[0].quantity" },
        { "update_inventory", "{\"skus\":[{\"id\":\"1\"}]}", false, SBX_MISSING,
          "skus[0].inventory" },
        { "update_inventory", "{\"skus\":null}", false, SBX_TYPE, "skus" },
        { "update_price",
          "{\"skus\":[{\"id\":\"1\",\"price\":{\"amount\":\"1.00\",\"currency\":\"BRL\"}}]}", true,
          0, "" },
        { "update_price",
          "{\"skus\":[{\"id\":\"1\",\"price\":{\"amount\":1.00,\"currency\":\"BRL\"}}]}", false,
          SBX_TYPE, "skus[0].price.amount" },
        { "update_price",
          "{\"skus\":[{\"id\":\"1\",\"price\":{\"amount\":\"1\",\"currency\":\"R$\"}}]}", false,
          SBX_VALUE, "skus[0].price.currency" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sbx_breach breach = { 0 };
        json_auto_t *body = json_loads(rows[i].body, JSON_DECODE_ANY, NULL);
        bool ok = sbx_schema_check(body_of(rows[i].operation), body, &breach);

        CHECK(ok == rows[i].ok, "row %zu: %s", i, breach.text);
        if (!rows[i].ok) {
            CHECK_INT(breach.kind, rows[i].kind);
            CHECK_STR(breach.path, rows[i].path);
        }
    }
}

static void params(void)
{
    static const struct {
        const char *operation, *name, *value;
        bool ok;
    } rows[] = {
        { "search_products", "page_size", "100", true },
        { "search_products", "page_size", "101", false },
        { "search_products", "page_size", "0", false },
        { "search_products", "page_size", "ten", false },
        { "search_products", "page_size", "", false },
        { "get_order_list", "sort_order", "ASC", true },
        { "get_order_list", "sort_order", "asc", false },
        { "get_product", "return_draft_version", "true", true },
        { "get_product", "return_draft_version", "1", false },
        { "get_categories", "locale", "pt-BR", true },
        { "get_categories", "locale", "pt_BR", false },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sbx_breach breach = { 0 };
        const json_t *query =
            json_object_get(json_object_get(contract, rows[i].operation), "query");
        const json_t *schema = json_object_get(query, rows[i].name);

        CHECK(schema != NULL, "row %zu has no schema", i);
        CHECK(sbx_schema_param(schema, rows[i].name, rows[i].value, &breach) == rows[i].ok,
              "row %zu", i);
    }
}

static void texts(void)
{
    static const struct {
        const char *text;
        bool ok;
    } rows[] = {
        { "Camiseta Básica de Algodão", true },
        { "Copo 473 ml (inox) - 2ª geração", true },
        { "Mesa & Cadeira; conjunto", true },
        { "Caf\xC3\xA9 &nbsp; bom", false },
        { "Tom &#38; Jerry", false },
        { "Oi \xF0\x9F\x98\x80", false },
        { "Sol \xE2\x98\x80", false },
        { "tab\x07", false },
        { "del\x7F", false },
        { "////", false },
        { "!@#$$$", false },
        { "aaaaaaaaa", true },
        { "aaaaaaaaaa", false },
        { "", true },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK(sbx_text_ok(rows[i].text) == rows[i].ok, "row %zu: %s", i, rows[i].text);
}

static void codes(void)
{
    static const struct {
        enum sbx_breach_kind kind;
        const char *path;
        int64_t otherwise, code;
    } rows[] = {
        { SBX_MISSING, "title", 12052910, 12052261 },
        { SBX_LENGTH, "description", 12052910, 12052013 },
        { SBX_VALUE, "skus[12].inventory[0].quantity", 12052910, 12052055 },
        { SBX_VALUE, "skus[3].price.currency", 12052910, 12052084 },
        { SBX_UNKNOWN, "title", 12052910, 12052910 },
        { SBX_TYPE, "video", 12052910, 12052910 },
        { SBX_MISSING, "title", 36009004, 36009004 },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sbx_breach breach = { .kind = rows[i].kind };

        CHECK(str_copy(breach.path, sizeof breach.path, rows[i].path));
        CHECK_INT(sbx_breach_code(&breach, rows[i].otherwise), rows[i].code);
    }
}

static void picture_sizes(void)
{
    static const unsigned char jpeg[] = { 0xFF, 0xD8, 0xFF, 0xE0, 0,    4, 0,    0, 0xFF, 0xC0,
                                          0,    17,   8,    2,    0x58, 3, 0x20, 3, 1 };
    static const unsigned char webp[30] = { 'R', 'I', 'F', 'F', 0,    0,   0, 0,    'W', 'E',
                                            'B', 'P', 'V', 'P', '8',  'X', 0, 0,    0,   0,
                                            0,   0,   0,   0,   0x1F, 3,   0, 0x57, 2,   0 };
    static const unsigned char noise[40] = "this is no picture at all, only a text";
    int64_t w = 0, h = 0;
    const char *format = "";

    CHECK(sbx_image_size(jpeg, sizeof jpeg, &w, &h, &format) && w == 800 && h == 600, "%lld x %lld",
          (long long)w, (long long)h);
    CHECK(sbx_image_size(webp, sizeof webp, &w, &h, &format) && w == 800 && h == 600, "%lld x %lld",
          (long long)w, (long long)h);
    CHECK(!sbx_image_size(noise, sizeof noise, &w, &h, &format));
    for (size_t len = 0; len < sizeof jpeg; len++) /* cut files must not be read beyond their end */
        (void)sbx_image_size(jpeg, len, &w, &h, &format);
}

int main(void)
{
    const struct asset *asset = asset_find("sandbox/contract/tiktok.json");
    struct err e = { 0 };

    if (asset == NULL || jspec_parse(asset->data, asset->size, 0, &contract, &e) != RC_OK) {
        printf("the contract cannot be read: %s\n", e.text);
        return 77;
    }
    CASE(schemas);
    CASE(params);
    CASE(texts);
    CASE(codes);
    CASE(picture_sizes);
    json_decref(contract);
    return CHECK_END();
}
