/* test_preflight.c - every limit of a listing, at the limit and one above it. */
#include "check.h"

#include "../../sync/preflight.h"
#include "buf.h"
#include "jspec.h"
#include "own.h"
#include "str.h"

/* A body that keeps all limits. */
static json_t *body_new(void)
{
    json_t *body =
        json_pack("{s:s, s:s, s:s, s:s, s:[{s:s}], s:{s:s, s:s}, s:{s:s, s:s, s:s, s:s},"
                  " s:[{s:s, s:[{s:s}]}], s:s}",
                  "save_mode", "LISTING", "title", "Camiseta", "description", "<p>Boa</p>",
                  "category_id", "600001", "main_images", "uri", "tos/a", "package_weight", "value",
                  "0.3", "unit", "KILOGRAM", "package_dimensions", "length", "20", "width", "15",
                  "height", "10", "unit", "CENTIMETER", "product_attributes", "id", "100", "values",
                  "name", "Linho", "idempotency_key", "k");
    json_t *skus = json_array();

    for (int i = 0; i < 2; i++) {
        json_t *sku =
            json_pack("{s:s, s:s, s:[{s:s, s:s}], s:{s:s, s:s}, s:[{s:s, s:i}]}", "seller_sku",
                      i ? "1202" : "1201", "external_sku_id", i ? "x2" : "x1", "sales_attributes",
                      "name", "Cor", "value_name", i ? "Azul" : "Preto", "price", "amount", "69.90",
                      "currency", "BRL", "inventory", "warehouse_id", "70685", "quantity", 7);

        (void)json_array_append_new(skus, sku);
    }
    (void)json_object_set_new(body, "skus", skus);
    return body;
}

/* Sets what stands at a path such as "skus[1].price.amount"; the value is taken. NULL takes the member away. */
static void set(json_t *body, const char *path, json_t *value)
{
    json_t *at = body;

    for (const char *p = path; at != NULL;) {
        char name[64];
        size_t len = strcspn(p, ".[");
        char *end = NULL;
        long index;

        (void)snprintf(name, sizeof(name), "%.*s", (int)len, p);
        p += len;
        if (*p == '\0') {
            if (value == NULL)
                (void)json_object_del(at, name);
            else
                CHECK(json_object_set_new(at, name, value) == 0, "%s", path);
            return;
        }
        at = json_object_get(at, name);
        if (*p == '[') {
            index = strtol(p + 1, &end, 10);
            p = end + 1;
            if (*p == '\0') {
                CHECK(json_array_set_new(at, (size_t)index, value) == 0, "%s", path);
                return;
            }
            at = json_array_get(at, (size_t)index);
        }
        p++;
    }
    CHECK(at != NULL, "no %s", path);
}

static json_t *list_of(int n, const char *one)
{
    json_t *list = json_array();

    for (int i = 0; i < n; i++)
        (void)json_array_append_new(list, json_loads(one, JSON_DECODE_ANY, NULL));
    return list;
}

/* n characters, no ten equal ones in a row; the last one of two bytes, so that characters are counted. */
static json_t *text_of(int n)
{
    char text[12000];

    for (int i = 0; i < n - 1; i++)
        text[i] = "abcdefgh"[i % 8];
    if (n > 0)
        memcpy(text + n - 1, "é", 3);
    text[n > 0 ? n + 1 : 0] = '\0';
    return json_string(text);
}

static json_t *skus_of(int n)
{
    json_t *list = json_array();

    for (int i = 0; i < n; i++)
        (void)json_array_append_new(
            list, json_pack("{s:s%, s:[{s:s, s:s%}], s:{s:s, s:s}, s:[{s:s, s:i}]}", "seller_sku",
                            "zzz", 3, "sales_attributes", "name", "Cor", "value_name", "zzz", 3,
                            "price", "amount", "1.00", "currency", "BRL", "inventory",
                            "warehouse_id", "1", "quantity", 1));
    for (int i = 0; i < n; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "s%d", i);
        json_t *sku = json_array_get(list, (size_t)i);

        (void)json_object_set_new(sku, "seller_sku", json_string(name));
        (void)json_object_set_new(json_array_get(json_object_get(sku, "sales_attributes"), 0),
                                  "value_name", json_string(name));
    }
    return list;
}

static const char *first_code(const json_t *body, const char *region, char code[64], size_t *n)
{
    json_auto_t *problems = json_array();

    preflight_check(body, region, problems);
    *n = json_array_size(problems);
    (void)snprintf(code, 64, "%s",
                   *n > 0 ? jspec_text(json_array_get(problems, 0), "code") : "fine");
    for (size_t i = 0; i < *n; i++) {
        const json_t *one = json_array_get(problems, i);

        CHECK(!str_blank(jspec_text(one, "message")) && !str_blank(jspec_text(one, "action")) &&
              !str_blank(jspec_text(one, "message_pt")));
        CHECK(!str_eq(jspec_text(one, "message"), jspec_text(one, "message_pt")), "%s",
              jspec_text(one, "message"));
    }
    return code;
}

/* Expects one code; "fine" = no problem. Takes the value. */
static void with(const char *region, const char *path, json_t *value, const char *want)
{
    json_auto_t *body = body_new();
    char code[64];
    size_t n;

    set(body, path, value);
    first_code(body, region, code, &n);
    CHECK(strcmp(code, want) == 0, "%s %s: %s, want %s", region, path, code, want);
    CHECK(n <= 1, "%s %s: %d problems", region, path, (int)n);
}

static void a_good_body_is_fine(void)
{
    json_auto_t *body = body_new();
    char code[64];
    size_t n;

    CHECK_STR(first_code(body, "BR", code, &n), "fine");
    CHECK_STR(first_code(body, "", code, &n),
              "fine"); /* a shop whose market is not known: Brazil */
}

/* ---- texts by length ------------------------------------------------------------------------------------------ */

static const struct {
    const char *region, *path;
    int least, most;
    const char *code;
} LENGTHS[] = {
    { "BR", "title", 1, 300, "title_refused" },
    { "MX", "title", 1, 300, "title_refused" },
    { "US", "title", 1, 255, "title_refused" },
    { "UK", "title", 1, 255, "title_refused" },
    { "DE", "title", 1, 255, "title_refused" },
    { "JP", "title", 1, 255, "title_refused" },
    { "SG", "title", 25, 255, "title_refused" },
    { "BR", "description", 1, 10000, "description_refused" },
    { "BR", "skus[0].seller_sku", 1, 50, "seller_sku" },
    { "BR", "skus[0].external_sku_id", 0, 999, "external_id_refused" },
    { "BR", "external_product_id", 0, 999, "external_id_refused" },
    { "BR", "idempotency_key", 1, 128, "idempotency_key" },
    { "BR", "skus[0].sales_attributes[0].value_name", 1, 50, "variant_choices" },
    { "BR", "product_attributes[0].values[0].name", 1, 2000, "attribute_refused" },
    { "BR", "main_images[0].uri", 1, 512, "image_refused" },
    { "BR", "skus[0].inventory[0].warehouse_id", 1, 64, "warehouse_refused" },
    { "BR", "category_id", 1, 64, "category_refused" },
};

/* Other markets price in other currencies. */
static json_t *body_for(const char *region)
{
    json_t *body = body_new();
    const char *currency = strcmp(region, "MX") == 0   ? "MXN"
                           : strcmp(region, "US") == 0 ? "USD"
                           : strcmp(region, "UK") == 0 ? "GBP"
                           : strcmp(region, "JP") == 0 ? "JPY"
                                                       : "BRL";

    set(body, "skus[0].price.currency", json_string(currency));
    set(body, "skus[1].price.currency", json_string(currency));
    set(body, "title", json_string("Camiseta de algodão com gola redonda"));
    return body;
}

static void length_case(size_t i, int n, const char *want)
{
    json_auto_t *body = body_for(LENGTHS[i].region);
    char code[64];
    size_t count;

    set(body, LENGTHS[i].path, text_of(n));
    first_code(body, LENGTHS[i].region, code, &count);
    CHECK(strcmp(code, want) == 0 && count <= 1, "%s %s of %d: %s (%d), want %s", LENGTHS[i].region,
          LENGTHS[i].path, n, code, (int)count, want);
}

static void lengths(void)
{
    for (size_t i = 0; i < sizeof(LENGTHS) / sizeof(LENGTHS[0]); i++) {
        length_case(i, LENGTHS[i].most, "fine");
        length_case(i, LENGTHS[i].most + 1, LENGTHS[i].code);
        if (LENGTHS[i].least > 0)
            length_case(i, LENGTHS[i].least, "fine");
        if (LENGTHS[i].least > 0)
            length_case(i, LENGTHS[i].least - 1, LENGTHS[i].code);
    }
}

static void names_of_choices(void)
{
    for (int n = 20; n <= 21; n++) {
        json_auto_t *body = body_new();
        char code[64];
        size_t count;

        set(body, "skus[0].sales_attributes[0].name", text_of(n));
        set(body, "skus[1].sales_attributes[0].name", text_of(n));
        CHECK_STR(first_code(body, "BR", code, &count), n == 20 ? "fine" : "variant_choices");
    }
}

/* ---- counts --------------------------------------------------------------------------------------------------- */

static const struct {
    const char *region, *path, *one;
    int least, most;
    const char *code;
} COUNTS[] = {
    { "BR", "main_images", "{\"uri\":\"tos/a\"}", 1, 9, "image_refused" },
    { "BR", "certifications", "{\"id\":\"1\"}", 0, 10, "certification_refused" },
    { "BR", "product_attributes[0].values", "{\"id\":\"1\"}", 1, 1000, "attribute_refused" },
    { "BR", "skus[0].inventory", "{\"warehouse_id\":\"1\",\"quantity\":1}", 1, 100,
      "stock_refused" },
    { "BR", "skus[0].sales_attributes[0].supplementary_sku_images", "{\"uri\":\"x\"}", 0, 0,
      "image_refused" },
};

static void counts(void)
{
    for (size_t i = 0; i < sizeof(COUNTS) / sizeof(COUNTS[0]); i++) {
        with(COUNTS[i].region, COUNTS[i].path, list_of(COUNTS[i].most, COUNTS[i].one), "fine");
        with(COUNTS[i].region, COUNTS[i].path, list_of(COUNTS[i].most + 1, COUNTS[i].one),
             COUNTS[i].code);
        if (COUNTS[i].least > 0)
            with(COUNTS[i].region, COUNTS[i].path, list_of(COUNTS[i].least - 1, COUNTS[i].one),
                 COUNTS[i].code);
    }
    with("BR", "main_images", NULL, "image_refused");
}

static void sku_counts(void)
{
    static const struct {
        const char *region;
        int most;
    } ROWS[] = { { "BR", 300 }, { "MX", 300 }, { "US", 300 }, { "UK", 300 },
                 { "JP", 300 }, { "ES", 300 }, { "SG", 100 }, { "TH", 100 } };

    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++)
        for (int over = 0; over <= 1; over++) {
            json_auto_t *body = body_for(ROWS[i].region);
            const char *currency =
                jspec_text(json_array_get(json_object_get(body, "skus"), 0), "price.currency");
            json_t *skus = skus_of(ROWS[i].most + over);
            char code[64];
            size_t n;
            size_t at;
            json_t *sku;

            json_array_foreach(skus, at, sku) set(sku, "price.currency", json_string(currency));
            set(body, "skus", skus);
            first_code(body, ROWS[i].region, code, &n);
            CHECK(strcmp(code, over ? "sku_count" : "fine") == 0, "%s: %s", ROWS[i].region, code);
        }
    with("BR", "skus", json_array(), "sku_count");
}

/* ---- single values -------------------------------------------------------------------------------------------- */

static const struct {
    const char *path, *json, *code;
} VALUES[] = {
    /* stock: 0 is sold out */
    { "skus[0].inventory[0].quantity", "0", "fine" },
    { "skus[0].inventory[0].quantity", "99999", "fine" },
    { "skus[0].inventory[0].quantity", "100000", "stock_refused" },
    { "skus[0].inventory[0].quantity", "-1", "stock_refused" },
    { "skus[0].inventory[0].quantity", "\"7\"", "stock_refused" },
    { "skus[0].inventory[0].quantity", "1.5", "stock_refused" },
    /* prices in Brazil */
    { "skus[0].price.amount", "\"0.50\"", "fine" },
    { "skus[0].price.amount", "\"0.49\"", "price_range" },
    { "skus[0].price.amount", "\"10000.00\"", "fine" },
    { "skus[0].price.amount", "\"10000.01\"", "price_range" },
    { "skus[0].price.amount", "\"1,299.00\"", "price_range" },
    { "skus[0].price.amount", "\"12,90\"", "price_range" },
    { "skus[0].price.amount", "\"1.299\"", "price_range" },
    { "skus[0].price.amount", "12.9", "price_range" },
    { "skus[0].price.currency", "\"USD\"", "price_range" },
    /* codes without blanks */
    { "skus[0].seller_sku", "\"a b\"", "seller_sku" },
    { "skus[0].seller_sku", "\"a\\u0009b\"", "seller_sku" },
    { "skus[0].seller_sku", "\"a-b_ç/1\"", "fine" },
    /* packages */
    { "package_weight.value", "\"0.001\"", "fine" },
    { "package_weight.value", "\"0.0001\"", "package_refused" },
    { "package_weight.value", "\"0.000\"", "package_refused" },
    { "package_weight.value", "\"0\"", "package_refused" },
    { "package_weight.value", "\"1,5\"", "package_refused" },
    { "package_weight", "{\"value\":\"300\",\"unit\":\"GRAM\"}", "fine" },
    { "package_weight", "{\"value\":\"300.5\",\"unit\":\"GRAM\"}", "package_refused" },
    { "package_weight", "{\"value\":\"1\",\"unit\":\"STONE\"}", "package_refused" },
    { "package_dimensions.length", "\"0\"", "package_refused" },
    { "package_dimensions.length", "\"20.5\"", "package_refused" },
    { "package_dimensions.unit", "\"INCH\"", "package_refused" },
    { "package_dimensions.height", "\"1\"", "fine" },
    /* barcodes: kind, digits, check digit */
    { "skus[0].identifier_code", "{\"code\":\"7896000120106\",\"type\":\"EAN\"}", "fine" },
    { "skus[0].identifier_code", "{\"code\":\"7896000120107\",\"type\":\"EAN\"}", "gtin_refused" },
    { "skus[0].identifier_code", "{\"code\":\"96385074\",\"type\":\"EAN\"}", "fine" },
    { "skus[0].identifier_code", "{\"code\":\"17896000120103\",\"type\":\"EAN\"}", "fine" },
    { "skus[0].identifier_code", "{\"code\":\"17896000120103\",\"type\":\"GTIN\"}", "fine" },
    { "skus[0].identifier_code", "{\"code\":\"7896000120106\",\"type\":\"GTIN\"}", "gtin_refused" },
    { "skus[0].identifier_code", "{\"code\":\"036000291452\",\"type\":\"UPC\"}", "fine" },
    { "skus[0].identifier_code", "{\"code\":\"7896000120106\",\"type\":\"UPC\"}", "gtin_refused" },
    { "skus[0].identifier_code", "{\"code\":\"9780306406157\",\"type\":\"ISBN\"}", "fine" },
    { "skus[0].identifier_code", "{\"code\":\"080442957X\",\"type\":\"ISBN\"}", "fine" },
    { "skus[0].identifier_code", "{\"code\":\"080442957x\",\"type\":\"ISBN\"}", "gtin_refused" },
    { "skus[0].identifier_code", "{\"code\":\"080442958X\",\"type\":\"ISBN\"}", "gtin_refused" },
    { "skus[0].identifier_code", "{\"code\":\"4901234567894\",\"type\":\"JAN\"}", "fine" },
    { "skus[0].identifier_code", "{\"code\":\"036000291452\",\"type\":\"JAN\"}", "gtin_refused" },
    { "skus[0].identifier_code", "{\"code\":\"7896000120106\"}", "gtin_refused" },
    /* only for other markets */
    { "skus[0].list_price", "{\"amount\":\"1.00\",\"currency\":\"USD\"}", "not_for_market" },
    { "manufacturer_ids", "[\"1\"]", "not_for_market" },
    { "skus[0].sku_unit_count", "\"1\"", "not_for_market" },
    /* attributes */
    { "product_attributes",
      "[{\"id\":\"1\",\"values\":[{\"id\":\"2\"}]},{\"id\":\"1\",\"values\":[{\"id\":\"3\"}]}]",
      "attribute_refused" },
};

static void values(void)
{
    for (size_t i = 0; i < sizeof(VALUES) / sizeof(VALUES[0]); i++)
        with("BR", VALUES[i].path, json_loads(VALUES[i].json, JSON_DECODE_ANY, NULL),
             VALUES[i].code);
}

/* ---- characters ----------------------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    bool fine, fine_in_html;
} CHARACTERS[] = {
    { "Camiseta básica nº 5 – 100% algodão", true, true },
    { "aaaaaaaaa", true, true }, /* nine */
    { "aaaaaaaaaa", false, false },
    { "1111111111", false, false },
    { "Sol \xF0\x9F\x8C\x9E", false, false },
    { "Sol \xE2\x98\x80", false, false },
    { "Linha\x01", false, false },
    { "Linha\x7F", false, false },
    { "Linha\xC2\x85", false, false },
    { "caf&eacute;", false, false },
    { "a&#160;b", false, false },
    { "a&#xA0;b", false, false },
    { "P&B", true, true },
    { "A & B; C", true, true },
    { "!@#$$$&", false, false },
    { "\xE4\xB8\xAD\xE6\x96\x87", false, false },
    { "A <b>forte</b> B", false, false },
    { "A <strong>forte</strong> B", false, true },
};

static void characters(void)
{
    for (size_t i = 0; i < sizeof(CHARACTERS) / sizeof(CHARACTERS[0]); i++) {
        const char *text = CHARACTERS[i].text;
        bool html_fine = preflight_bad_text(text, true) == NULL && preflight_bad_html(text) == NULL;

        CHECK((preflight_bad_text(text, false) == NULL) == CHARACTERS[i].fine, "%s", text);
        CHECK(html_fine == CHARACTERS[i].fine_in_html, "%s: %s", text,
              preflight_bad_html(text) ? preflight_bad_html(text) : "");
        with("BR", "title", json_string(text), CHARACTERS[i].fine ? "fine" : "title_refused");
        with("BR", "skus[0].sales_attributes[0].value_name", json_string(text),
             CHARACTERS[i].fine ? "fine" : "variant_choices");
        with("BR", "product_attributes[0].values[0].name", json_string(text),
             CHARACTERS[i].fine ? "fine" : "attribute_refused");
        with("BR", "description", json_string(text),
             CHARACTERS[i].fine_in_html ? "fine" : "description_refused");
    }
}

#define IMG "<img src=\"https://p16.example/x\" width=\"400\" height=\"3999\">"

static const struct {
    const char *html, *bad; /* NULL: fine */
} MARKUP[] = {
    { "<p>a <strong>b</strong><br>c</p><ul><li>d</li></ul>", NULL },
    { "<p>a</p>" IMG, NULL },
    { "<p>a<p>b</p></p>", "inside the same" },
    { "<p>a", "never closed" },
    { "<p>a</strong></p>", "closes nothing" },
    { "<p>a</p></p>", "closes nothing" },
    { "<p class=\"x\">a</p>", "attributes" },
    { "<script>alert(1)</script>", "does not know" },
    { "<p>a < b</p>", "no tag" },
    { "<img src=\"http://loja.example/x.png\" width=\"4\" height=\"4\">", "not uploaded" },
    { "<img src=\"https://p16.example/x\" width=\"4\">", "without" },
    { "<img src=\"https://p16.example/x\" width=\"4\" height=\"4000\">", "4,000" },
    { "<img src=\"https://p16.example/x\" width=\"4\" height=\"4\" onload=\"x\">", "attribute" },
    { "<p><strong><em><ul><li><ol>x</ol></li></ul></em></strong></p>", NULL },
};

static void markup(void)
{
    OWN_BUF struct buf many;

    for (size_t i = 0; i < sizeof(MARKUP) / sizeof(MARKUP[0]); i++) {
        const char *bad = preflight_bad_html(MARKUP[i].html);

        CHECK((bad == NULL) == (MARKUP[i].bad == NULL), "%s: %s", MARKUP[i].html, bad ? bad : "");
        CHECK(bad == NULL || strstr(bad, MARKUP[i].bad) != NULL, "%s: %s", MARKUP[i].html, bad);
    }
    buf_init(&many, 1 << 16);
    for (int i = 0; i < 30; i++)
        buf_str(&many, IMG);
    CHECK(preflight_bad_html(buf_text(&many)) == NULL);
    buf_str(&many, IMG);
    CHECK_STR(preflight_bad_html(buf_text(&many)), "more than 30 pictures");
}

/* ---- the SKUs together ----------------------------------------------------------------------------------------- */

#define COR(value) "{\"name\":\"Cor\",\"value_name\":\"" value "\"}"
#define TAM(value) "{\"name\":\"Tamanho\",\"value_name\":\"" value "\"}"
#define ID(value) "{\"id\":\"100\",\"value_id\":\"" value "\"}"
#define PIC(value) "{\"name\":\"Cor\",\"value_name\":\"" value "\",\"sku_img\":{\"uri\":\"u\"}}"

static const struct {
    const char *first, *second, *code;
} CHOICES[] = {
    { "[" COR("Azul") "," TAM("P") "]", "[" TAM("M") "," COR("Azul") "]", "fine" },
    { "[" COR("Azul") "," TAM("P") "]", "[" TAM("P") "," COR("azul") "]", "duplicate_variants" },
    { "[" COR("Azul") "]", "[" COR("Azul") "," TAM("P") "]", "variant_choices" },
    { "[" ID("1") "]", "[" ID("2") "]", "fine" },
    { "[" ID("1") "]", "[{\"id\":\"100\",\"value_name\":\"x\"}]", "variant_choices" },
    { "[" ID("1") "]", "[" COR("Azul") "]", "variant_choices" },
    { "[]", "[]", "variant_choices" },
    { "[" PIC("Azul") "]", "[" PIC("Verde") "]", "fine" },
    { "[" PIC("Azul") "]", "[" COR("Verde") "]", "variant_pictures" },
    { "[" PIC("Azul") "," TAM("P") "]",
      "[" PIC("Azul") ",{\"name\":\"Tamanho\",\"value_name\":\"M\",\"sku_img\":{\"uri\":\"u\"}}]",
      "variant_pictures" },
};

static void choices(void)
{
    for (size_t i = 0; i < sizeof(CHOICES) / sizeof(CHOICES[0]); i++) {
        json_auto_t *body = body_new();
        char code[64];
        size_t n;

        set(body, "skus[0].sales_attributes", json_loads(CHOICES[i].first, 0, NULL));
        set(body, "skus[1].sales_attributes", json_loads(CHOICES[i].second, 0, NULL));
        first_code(body, "BR", code, &n);
        CHECK(strcmp(code, CHOICES[i].code) == 0, "%s %s: %s", CHOICES[i].first, CHOICES[i].second,
              code);
    }
}

static void more_than_three_choices(void)
{
    for (int n = 3; n <= 4; n++) {
        json_auto_t *body = body_new();
        char code[64];
        size_t count;

        for (int i = 0; i < 2; i++) {
            json_t *list = json_array();

            for (int k = 0; k < n; k++) {
                char name[8] = { (char)('A' + k), '\0' };

                (void)json_array_append_new(
                    list, json_pack("{s:s, s:s}", "name", name, "value_name", i ? "x" : "y"));
            }
            set(body, i ? "skus[1].sales_attributes" : "skus[0].sales_attributes", list);
        }
        CHECK_STR(first_code(body, "BR", code, &count), n == 3 ? "fine" : "variant_choices");
    }
}

static void one_code_for_one_sku(void)
{
    json_auto_t *body = body_new();
    char code[64];
    size_t n;

    set(body, "skus[1].seller_sku", json_string("1201"));
    CHECK_STR(first_code(body, "BR", code, &n), "duplicate_sku");
    set(body, "skus[1].seller_sku", json_string("1202"));
    for (int i = 0; i < 2; i++)
        set(body, i ? "skus[1].identifier_code" : "skus[0].identifier_code",
            json_pack("{s:s, s:s}", "code", "7896000120106", "type", "EAN"));
    CHECK_STR(first_code(body, "BR", code, &n), "gtin_refused");
}

static void one_sku_needs_no_choice(void)
{
    json_auto_t *body = body_new();
    char code[64];
    size_t n;

    (void)json_array_remove(json_object_get(body, "skus"), 1);
    set(body, "skus[0].sales_attributes", NULL);
    CHECK_STR(first_code(body, "BR", code, &n), "fine");
}

static void the_same_again_and_again_ends(void)
{
    json_auto_t *body = body_new();
    json_t *skus = skus_of(300);
    char code[64];
    size_t at;
    size_t n;
    json_t *sku;

    json_array_foreach(skus, at, sku) set(sku, "price.amount", json_string("0.10"));
    set(body, "skus", skus);
    CHECK_STR(first_code(body, "BR", code, &n), "price_range");
    CHECK_INT(n, PREFLIGHT_PROBLEMS_MAX);
}

int main(void)
{
    CASE(a_good_body_is_fine);
    CASE(lengths);
    CASE(names_of_choices);
    CASE(counts);
    CASE(sku_counts);
    CASE(values);
    CASE(characters);
    CASE(markup);
    CASE(choices);
    CASE(more_than_three_choices);
    CASE(one_code_for_one_sku);
    CASE(one_sku_needs_no_choice);
    CASE(the_same_again_and_again_ends);
    return CHECK_END();
}
