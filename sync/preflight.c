/* preflight.c - tables of TikTok's limits and the walk of a body along them (guide sections 9 and 11). */
#include "preflight.h"

#include <string.h>

#include "jspec.h"
#include "money.h"
#include "problem.h"
#include "str.h"

#define EUROPE "DE,ES,FR,IE,IT,AT,BE,NL,PL,PT,EU"
#define BRITAIN "UK,GB"
#define LIMIT_PATH_PART 64

enum measure {
    MEASURE_CHARS, /* of a text */
    MEASURE_COUNT, /* of a list */
    MEASURE_VALUE, /* of a whole number */
};

/* One row: what stands at the path may measure so much. Of rows with the same path the first of the region counts. */
struct limit {
    const char *path;
    enum measure measure;
    int64_t least, most;
    const char *regions; /* NULL: all */
    bool required;       /* absent is none, not fine */
    const char *what;    /* in words */
    const char *code, *field, *action;
};

static const struct limit LIMITS[] = {
    { "title", MEASURE_CHARS, 1, 300, "BR,MX", true, "The title", "title_refused", "title",
      "Correct the title in the feed." },
    { "title", MEASURE_CHARS, 1, 255, EUROPE "," BRITAIN ",JP,US", true, "The title",
      "title_refused", "title", "Correct the title in the feed." },
    { "title", MEASURE_CHARS, 25, 255, NULL, true, "The title", "title_refused", "title",
      "Correct the title in the feed." },
    { "description", MEASURE_CHARS, 1, 10000, NULL, true, "The description", "description_refused",
      "description", "Correct the description in the feed." },
    { "category_id", MEASURE_CHARS, 1, 64, NULL, true, "The category id", "category_refused",
      "category", "Map the category again." },
    { "main_images", MEASURE_COUNT, 1, 9, NULL, true, "Pictures", "image_refused", "images",
      "Give the product 1 to 9 pictures." },
    { "main_images[].uri", MEASURE_CHARS, 1, 512, NULL, true, "The handle of a picture",
      "image_refused", "images", "Give the product another picture." },
    { "skus", MEASURE_COUNT, 1, 300, "BR,MX,JP,US," BRITAIN "," EUROPE, true, "Variants",
      "sku_count", "items", "Split the product in the feed." },
    { "skus", MEASURE_COUNT, 1, 100, NULL, true, "Variants", "sku_count", "items",
      "Split the product in the feed." },
    { "skus[].seller_sku", MEASURE_CHARS, 1, 50, NULL, true, "The SKU code", "seller_sku",
      "seller_sku", "Correct the code in the feed or change the client's SKU rule." },
    { "skus[].external_sku_id", MEASURE_CHARS, 0, 999, NULL, false, "The external id of the SKU",
      "external_id_refused", "id", "Shorten the id in the feed." },
    { "skus[].external_urls[]", MEASURE_CHARS, 1, 500, NULL, false, "The address of the SKU",
      "link_refused", "link", "Shorten the link in the feed." },
    { "skus[].sales_attributes", MEASURE_COUNT, 0, 3, NULL, false, "Choices", "variant_choices",
      "items", "Let the variants differ in at most three choices in the feed." },
    { "skus[].sales_attributes[].name", MEASURE_CHARS, 1, 20, NULL, false, "The name of a choice",
      "variant_choices", "items", "Shorten the name of the choice in the feed." },
    { "skus[].sales_attributes[].value_name", MEASURE_CHARS, 1, 50, NULL, false,
      "The value of a choice", "variant_choices", "items", "Shorten the value in the feed." },
    { "skus[].sales_attributes[].supplementary_sku_images", MEASURE_COUNT, 0, 8, "US", false,
      "Further pictures of a choice", "image_refused", "images",
      "Give the variant fewer pictures." },
    { "skus[].sales_attributes[].supplementary_sku_images", MEASURE_COUNT, 0, 0, NULL, false,
      "Further pictures of a choice", "image_refused", "images",
      "Give the variant fewer pictures." },
    { "skus[].inventory", MEASURE_COUNT, 1, 100, NULL, true, "Warehouses", "stock_refused", "stock",
      "Set the warehouse of the client again." },
    { "skus[].inventory[].warehouse_id", MEASURE_CHARS, 1, 64, NULL, true, "The warehouse id",
      "warehouse_refused", "warehouse_id", "Set the warehouse of the client again." },
    /* the documents begin at 1; 0 is what sold out means, and the only way to say it */
    { "skus[].inventory[].quantity", MEASURE_VALUE, 0, 99999, NULL, true, "The stock",
      "stock_refused", "stock", "Check the stock rules." },
    { "product_attributes[].id", MEASURE_CHARS, 1, 64, NULL, true, "The id of an attribute",
      "attribute_refused", "product_attributes", "Fix the attribute again in the taxonomy." },
    { "product_attributes[].values", MEASURE_COUNT, 1, 1000, NULL, true, "Values of an attribute",
      "attribute_refused", "product_attributes", "Give the attribute a value." },
    { "product_attributes[].values[].name", MEASURE_CHARS, 1, 2000, NULL, false,
      "The value of an attribute", "attribute_refused", "product_attributes",
      "Shorten the value in the feed." },
    { "certifications", MEASURE_COUNT, 0, 10, NULL, false, "Certificates", "certification_refused",
      "certifications", "Keep at most ten certificates." },
    { "external_product_id", MEASURE_CHARS, 0, 999, NULL, false, "The external id of the product",
      "external_id_refused", "id", "Shorten the id in the feed." },
    { "idempotency_key", MEASURE_CHARS, 1, 128, NULL, false, "The idempotency key",
      "idempotency_key", NULL, "Publish the product again." },
    { "minimum_order_quantity", MEASURE_VALUE, 1, 20, NULL, false, "The least quantity of an order",
      "order_quantity", "minimum_order_quantity", "Correct the quantity." },
};

/* Members that only some markets know. */
static const struct {
    const char *path, *regions;
} MARKETS[] = {
    { "skus[].list_price", "US" },
    { "skus[].external_list_prices", "US" },
    { "skus[].sku_unit_count", EUROPE },
    { "skus[].extra_identifier_codes", EUROPE },
    { "manufacturer_ids", EUROPE },
    { "responsible_person_ids", EUROPE },
    { "minimum_order_quantity", "ID,MY,PH,SG,TH,VN" },
};

/* Texts whose characters TikTok judges. */
static const struct {
    const char *path;
    bool html;
    const char *what, *code, *field, *action;
} TEXTS[] = {
    { "title", false, "The title", "title_refused", "title", "Correct the title in the feed." },
    { "description", true, "The description", "description_refused", "description",
      "Correct the description in the feed." },
    { "skus[].sales_attributes[].name", false, "The name of a choice", "variant_choices", "items",
      "Correct the name of the choice in the feed." },
    { "skus[].sales_attributes[].value_name", false, "The value of a choice", "variant_choices",
      "items", "Correct the value of the choice in the feed." },
    { "product_attributes[].values[].name", false, "The value of an attribute", "attribute_refused",
      "product_attributes", "Correct the value of the attribute." },
};

/* ---- the walk -------------------------------------------------------------------------------------------------- */

struct check {
    const json_t *body;
    const char *region;
    json_t *problems;
    const void *row;
    const char *sku; /* code of the SKU under which the walk is; NULL = none */
};
typedef void (*visit)(struct check *c, const json_t *value);

static bool full(const struct check *c)
{
    return json_array_size(c->problems) >= PREFLIGHT_PROBLEMS_MAX;
}

/* Calls for everything at the path, with NULL where the last member is absent. As deep as our own path says. */
static void walk(struct check *c, const json_t *at, const char *path, visit fn)
{
    char part[LIMIT_PATH_PART];
    size_t len = strcspn(path, ".[");
    const json_t *value;
    const char *rest = path + len;

    (void)str_fmt(part, sizeof(part), "%.*s", (int)len, path);
    value = json_object_get(at, part);
    if (rest[0] == '\0') {
        fn(c, value);
        return;
    }
    if (rest[0] == '.') {
        if (value != NULL)
            walk(c, value, rest + 1, fn);
        return;
    }
    rest += 2; /* "[]" */
    for (size_t i = 0; i < json_array_size(value) && !full(c); i++) {
        const json_t *one = json_array_get(value, i);

        if (strcmp(part, "skus") == 0)
            c->sku = jspec_text(one, "seller_sku");
        if (rest[0] == '\0')
            fn(c, one);
        else
            walk(c, one, rest + 1, fn);
        if (strcmp(part, "skus") == 0)
            c->sku = NULL;
    }
}

static bool in_list(const char *list, const char *word)
{
    size_t len = word != NULL ? strlen(word) : 0;

    for (const char *p = list; len > 0 && p != NULL && *p != '\0'; p += *p == ',') {
        size_t n = strcspn(p, ",");

        if (n == len && strncmp(p, word, len) == 0)
            return true;
        p += n;
    }
    return false;
}

/* ---- limits ---------------------------------------------------------------------------------------------------- */

/* False: not what should be measured. */
static bool measure(const struct limit *row, const json_t *value, int64_t *out)
{
    switch (row->measure) {
    case MEASURE_CHARS:
        *out = json_is_string(value) ? (int64_t)str_utf8_count(json_string_value(value)) : 0;
        return value == NULL || json_is_string(value);
    case MEASURE_COUNT:
        *out = (int64_t)json_array_size(value);
        return value == NULL || json_is_array(value);
    case MEASURE_VALUE:
        *out = json_integer_value(value);
        return json_is_integer(value);
    }
    return false;
}

static void say_limit(struct check *c, const struct limit *row, long long n)
{
    const char *sku = c->sku != NULL && row->measure != MEASURE_COUNT ? c->sku : NULL;
    long long least = row->least;
    long long most = row->most;

    if (row->measure == MEASURE_COUNT)
        problem_add(c->problems, row->code, row->field, row->action,
                    "%s: there are %lld, TikTok takes %lld to %lld.", row->what, n, least, most);
    else if (row->measure == MEASURE_VALUE)
        problem_add(c->problems, row->code, row->field, row->action,
                    "%s of SKU \"%.60s\" is %lld; TikTok takes %lld to %lld.", row->what,
                    sku ? sku : "", n, least, most);
    else if (sku != NULL)
        problem_add(c->problems, row->code, row->field, row->action,
                    "%s of SKU \"%.60s\" has %lld characters; TikTok takes %lld to %lld.",
                    row->what, sku, n, least, most);
    else
        problem_add(c->problems, row->code, row->field, row->action,
                    "%s has %lld characters; TikTok takes %lld to %lld.", row->what, n, least,
                    most);
}

static void visit_limit(struct check *c, const json_t *value)
{
    const struct limit *row = c->row;
    int64_t n = 0;
    bool known;

    if (full(c) || (value == NULL && !row->required))
        return;
    known = measure(row, value, &n);
    if (!known || n < row->least || n > row->most)
        say_limit(c, row, n);
}

static void check_limits(struct check *c)
{
    const struct limit *last = NULL; /* the row that counted for its path */

    for (size_t i = 0; i < sizeof(LIMITS) / sizeof(LIMITS[0]); i++) {
        const struct limit *row = &LIMITS[i];

        if ((last != NULL && strcmp(last->path, row->path) == 0) ||
            (row->regions != NULL && !in_list(row->regions, c->region)))
            continue;
        last = row;
        c->row = row;
        walk(c, c->body, row->path, visit_limit);
    }
}

static void visit_market(struct check *c, const json_t *value)
{
    const char *path = c->row;

    if (value != NULL && !full(c))
        problem_add(c->problems, "not_for_market", path, "Leave it out for this market.",
                    "TikTok does not take \"%s\" in the market %s.", path, c->region);
}

static void check_markets(struct check *c)
{
    for (size_t i = 0; i < sizeof(MARKETS) / sizeof(MARKETS[0]); i++) {
        c->row = MARKETS[i].path;
        if (!in_list(MARKETS[i].regions, c->region))
            walk(c, c->body, MARKETS[i].path, visit_market);
    }
}

/* ---- texts ----------------------------------------------------------------------------------------------------- */

struct text_row {
    bool html;
    const char *what, *code, *field, *action;
};

static void visit_text(struct check *c, const json_t *value)
{
    const struct text_row *row = c->row;
    const char *text = json_string_value(value);
    const char *bad = text != NULL ? preflight_bad_text(text, row->html) : NULL;

    if (bad == NULL && text != NULL && row->html)
        bad = preflight_bad_html(text);
    if (bad != NULL && !full(c))
        problem_add(c->problems, row->code, row->field, row->action,
                    "%s holds %s, which TikTok does not accept.", row->what, bad);
}

static void check_texts(struct check *c)
{
    for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++) {
        const struct text_row row = { TEXTS[i].html, TEXTS[i].what, TEXTS[i].code, TEXTS[i].field,
                                      TEXTS[i].action };

        c->row = &row;
        walk(c, c->body, TEXTS[i].path, visit_text);
    }
    c->row = NULL;
}

/* ---- prices and the package ------------------------------------------------------------------------------------ */

/* Digits, and a dot with 1 to `places` digits behind it when places > 0. */
static bool decimal(const char *text, size_t places)
{
    size_t whole = text != NULL ? strspn(text, "0123456789") : 0;

    if (whole == 0 || whole > 9)
        return false;
    if (text[whole] == '\0')
        return true;

    size_t behind = text[whole] == '.' ? strspn(text + whole + 1, "0123456789") : 0;

    return behind > 0 && behind <= places && text[whole + 1 + behind] == '\0';
}

static bool above_zero(const char *text)
{
    return strpbrk(text, "123456789") != NULL;
}

static const struct {
    const char *region, *currency;
    int64_t least_minor, most_minor; /* 0 = the guide gives none */
} PRICES[] = {
    { "BR", "BRL", 50, 1000000 }, { "MX", "MXN", 0, 0 }, { "US", "USD", 0, 0 },
    { "UK", "GBP", 0, 0 },        { "GB", "GBP", 0, 0 }, { "JP", "JPY", 0, 0 },
};

static void visit_price(struct check *c, const json_t *value)
{
    const char *amount = jspec_text(value, "amount");
    const char *currency = jspec_text(value, "currency");
    int64_t minor = 0;
    bool ok = decimal(amount, 2) && above_zero(amount) &&
              money_decimal_read(amount, &minor, NULL) == RC_OK;

    for (size_t i = 0; i < sizeof(PRICES) / sizeof(PRICES[0]) && ok; i++)
        if (str_eq(PRICES[i].region, c->region))
            ok = str_eq(PRICES[i].currency, currency) &&
                 (PRICES[i].most_minor == 0 ||
                  (minor >= PRICES[i].least_minor && minor <= PRICES[i].most_minor));
    if (!ok && !full(c))
        problem_add(c->problems, "price_range", "price",
                    "Check the price and the client's price rules.",
                    "The price %s %s of SKU \"%.60s\" is outside what TikTok allows.",
                    amount ? amount : "-", currency ? currency : "-", c->sku ? c->sku : "");
}

static const struct {
    const char *unit;
    size_t places;
    bool metric;
} WEIGHTS[] = {
    { "KILOGRAM", 3, true },
    { "GRAM", 0, true },
    { "POUND", 2, false },
};

static void check_weight(struct check *c, bool *metric)
{
    const char *value = jspec_text(c->body, "package_weight.value");
    const char *unit = jspec_text(c->body, "package_weight.unit");
    bool ok = false;

    for (size_t i = 0; i < sizeof(WEIGHTS) / sizeof(WEIGHTS[0]); i++)
        if (str_eq(WEIGHTS[i].unit, unit)) {
            *metric = WEIGHTS[i].metric;
            ok = decimal(value, WEIGHTS[i].places) && above_zero(value) &&
                 (*metric || str_eq(c->region, "US"));
        }
    if (!ok)
        problem_add(c->problems, "package_refused", "package_weight",
                    "Check the shipping weight in the feed.",
                    "The package weight %s %s is not one that TikTok takes.", value ? value : "-",
                    unit ? unit : "-");
}

static void check_size(struct check *c, bool metric)
{
    static const char *const SIDES[] = { "length", "width", "height" };
    const json_t *size = json_object_get(c->body, "package_dimensions");
    const char *unit = jspec_text(size, "unit");
    bool ok = str_eq(unit, metric ? "CENTIMETER" : "INCH");

    if (size == NULL)
        return;
    for (size_t i = 0; i < 3; i++) {
        const char *side = jspec_text(size, SIDES[i]);

        ok = ok && decimal(side, 0) && above_zero(side);
    }
    if (!ok)
        problem_add(c->problems, "package_refused", "package_dimensions",
                    "Check the package size in the feed.",
                    "The package size is not in whole numbers above zero of one unit.");
}

static void check_package(struct check *c)
{
    bool metric = true;

    if (full(c))
        return;
    check_weight(c, &metric);
    check_size(c, metric);
}

/* ---- the whole ------------------------------------------------------------------------------------------------- */

static void visit_blank(struct check *c, const json_t *value)
{
    const char *code = json_string_value(value);

    for (const unsigned char *p = (const unsigned char *)code; p != NULL && *p != '\0'; p++)
        if (*p <= ' ' || *p == 0x7F) {
            problem_add(c->problems, "seller_sku", "seller_sku",
                        "Correct the code in the feed or change the client's SKU rule.",
                        "The SKU code \"%.60s\" holds a blank.", code);
            return;
        }
}

static void visit_code(struct check *c, const json_t *value)
{
    const char *type = jspec_text(value, "type");
    const char *code = jspec_text(value, "code");

    if (value != NULL && !full(c) && !preflight_code_valid(type, code))
        problem_add(c->problems, "gtin_refused", "gtin", "Correct the GTIN in the feed.",
                    "\"%.40s\" is no %s with the right digits.", code ? code : "",
                    type ? type : "GTIN");
}

/* An attribute, or a value of it, must not be there twice. */
static void check_attributes(struct check *c)
{
    const json_t *list = json_object_get(c->body, "product_attributes");
    json_t *seen = json_object();

    for (size_t i = 0; i < json_array_size(list) && !full(c); i++) {
        const char *id = jspec_text(json_array_get(list, i), "id");

        if (id == NULL)
            continue;
        if (json_object_get(seen, id) != NULL)
            problem_add(c->problems, "attribute_refused", "product_attributes",
                        "Fix the attribute again in the taxonomy.",
                        "The attribute %s is there twice.", id);
        (void)json_object_set_new(seen, id, json_true());
    }
    json_decref(seen);
}

void preflight_check(const json_t *body, const char *region, json_t *problems)
{
    struct check c = { .body = body,
                       .region = str_blank(region) ? "BR" : region,
                       .problems = problems };

    check_limits(&c);
    check_markets(&c);
    check_texts(&c);
    walk(&c, body, "skus[].seller_sku", visit_blank);
    walk(&c, body, "skus[].price", visit_price);
    walk(&c, body, "skus[].identifier_code", visit_code);
    check_attributes(&c);
    check_package(&c);
    if (!full(&c))
        preflight_skus(json_object_get(body, "skus"), problems);
}
