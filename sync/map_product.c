/* map_product.c - puts the body of create_product together from a feed product and what was looked up for it. */
#include "map_product.h"

#include <inttypes.h>
#include <string.h>

#include "jspec.h"
#include "map_text.h"
#include "money.h"
#include "problem.h"
#include "str.h"

#define LIMIT_WEIGHT_G INT64_C(1000000)
#define LIMIT_SIDE_CM INT64_C(10000)
#define SELLER_SKU_CHARS 50
#define EXTERNAL_ID_CHARS 999

static enum rc memory(struct err *e)
{
    return err_set(e, RC_BUG, "out of memory");
}

enum rc map_title(const json_t *desired, struct buf *out, struct err *e)
{
    return map_text_plain(desired_text(desired, "title"), TITLE_CHARS_BR, out, e);
}

enum rc map_description(const json_t *desired, struct buf *out, struct err *e)
{
    return map_description_pictured(desired, NULL, out, e);
}

enum rc map_description_pictured(const json_t *desired, const json_t *pictures, struct buf *out,
                                 struct err *e)
{
    OWN_BUF struct buf title;

    buf_init(&title, 4096);
    size_t most = DESCRIPTION_CHARS - (pictures != NULL ? TITLE_CHARS_BR + 7 : 0);
    enum rc rc =
        map_text_html_pictured(desired_text(desired, "description"), pictures, most, out, e);

    if (rc != RC_OK || strstr(buf_text(out), "<p>") != NULL ||
        strstr(buf_text(out), "<li>") != NULL)
        return rc;
    /* words are mandatory: the title says the least */
    rc = map_title(desired, &title, e);
    if (rc == RC_OK && title.len > 0)
        buf_fmt(out, "<p>%s</p>", buf_text(&title));
    return rc == RC_OK ? buf_check(out, e) : rc;
}

bool desired_category(const json_t *desired, struct buf *out)
{
    const char *text = json_string_value(json_object_get(desired, "category"));
    const json_t *items = json_object_get(desired, "items");

    buf_clear(out);
    if (!str_blank(text)) {
        buf_str(out, text);
        return buf_check(out, NULL) == RC_OK;
    }
    for (size_t i = 0; i < json_array_size(items) && out->len == 0; i++) {
        const json_t *levels = json_object_get(json_array_get(items, i), "product_type");

        for (size_t k = 0; k < json_array_size(levels); k++) {
            const char *level = json_string_value(json_array_get(levels, k));

            if (str_blank(level))
                continue;
            if (out->len > 0)
                buf_str(out, " > ");
            buf_str(out, level);
        }
    }
    return out->len > 0 && buf_check(out, NULL) == RC_OK;
}

/* ---- package ---------------------------------------------------------------------------------- */

static int64_t largest(const json_t *desired, const char *member)
{
    const json_t *items = json_object_get(desired, "items");
    int64_t most = jspec_int(desired, member, 0);

    for (size_t i = 0; i < json_array_size(items); i++) {
        int64_t one = jspec_int(json_array_get(items, i), member, 0);

        most = one > most ? one : most;
    }
    return most;
}

/* Decimal text to thousandths, rounded up; 0 when it is none. */
static int64_t thousandths(const char *text)
{
    int64_t value = 0;
    int64_t unit = 1000;
    bool dot = false;

    if (str_blank(text))
        return 0;
    for (const char *p = text; *p != '\0'; p++) {
        if ((*p == '.' || *p == ',') && !dot) {
            dot = true;
            continue;
        }
        if (*p < '0' || *p > '9' || value > INT64_C(1000000000))
            return 0;
        if (!dot) {
            value = value * 10 + (*p - '0') * 1000;
        } else if (unit >= 10) {
            unit /= 10;
            value += (*p - '0') * unit;
        } else if (*p != '0' && unit == 1) {
            value += 1;
            unit = 0;
        }
    }
    return value;
}

/* One weight for the product: the heaviest variant. */
static enum rc package_weight(const struct map_input *in, json_t *body, json_t *problems,
                              struct err *e)
{
    int64_t grams = largest(in->desired, "weight_g");
    char text[40];

    if (grams <= 0)
        grams = thousandths(in->client->package_weight_kg);
    if (grams <= 0 || grams > LIMIT_WEIGHT_G) {
        problem_add(problems, "missing_weight", "weight",
                    "Add the shipping weight to the feed or to the client's package rule.",
                    "The package weight is missing or not usable.");
        return RC_OK;
    }
    (void)str_fmt(text, sizeof(text), "%" PRId64 ".%03" PRId64, grams / 1000, grams % 1000);
    while (text[strlen(text) - 1] == '0')
        text[strlen(text) - 1] = '\0';
    if (text[strlen(text) - 1] == '.')
        text[strlen(text) - 1] = '\0';
    return json_object_set_new(body, "package_weight",
                               json_pack("{s:s, s:s}", "value", text, "unit", "KILOGRAM")) == 0
               ? RC_OK
               : memory(e);
}

static int64_t side_cm(int64_t mm, const char *policy_cm)
{
    int64_t cm = mm > 0 ? (mm + 9) / 10 : (thousandths(policy_cm) + 999) / 1000;

    return cm > LIMIT_SIDE_CM ? 0 : cm;
}

static enum rc package_dimensions(const struct map_input *in, json_t *body, json_t *problems,
                                  struct err *e)
{
    int64_t length_mm = largest(in->desired, "length_mm");
    int64_t width_mm = largest(in->desired, "width_mm");
    int64_t height_mm = largest(in->desired, "height_mm");
    bool all =
        length_mm > 0 && width_mm > 0 && height_mm > 0; /* the feed's or the policy's, no mixture */
    int64_t length = side_cm(all ? length_mm : 0, in->client->package_length_cm);
    int64_t width = side_cm(all ? width_mm : 0, in->client->package_width_cm);
    int64_t height = side_cm(all ? height_mm : 0, in->client->package_height_cm);
    char texts[3][24];

    if (length <= 0 || width <= 0 || height <= 0) {
        if (jspec_bool(in->rules, "package_dimension.is_required", false))
            problem_add(problems, "missing_package_size", "package_dimensions",
                        "Add the shipping size to the feed or to the client's package rule.",
                        "The category requires the package size.");
        return RC_OK;
    }
    (void)str_fmt(texts[0], sizeof(texts[0]), "%" PRId64, length);
    (void)str_fmt(texts[1], sizeof(texts[1]), "%" PRId64, width);
    (void)str_fmt(texts[2], sizeof(texts[2]), "%" PRId64, height);
    return json_object_set_new(body, "package_dimensions",
                               json_pack("{s:s, s:s, s:s, s:s}", "length", texts[0], "width",
                                         texts[1], "height", texts[2], "unit", "CENTIMETER")) == 0
               ? RC_OK
               : memory(e);
}

/* ---- SKUs ------------------------------------------------------------------------------------- */

/* Check digit of GTIN-8, -12, -13, -14: weights 3 and 1 from the right. */
static bool gtin_valid(const char *digits, size_t len)
{
    int total = 0;

    for (size_t i = 0; i < len; i++)
        total += (digits[i] - '0') * ((len - i) % 2 == 0 ? 3 : 1);
    return total % 10 == 0;
}

static const char *gtin_kind(const char *digits)
{
    size_t len = digits != NULL && str_digits(digits) ? strlen(digits) : 0;
    const char *kind = len == 8 || len == 13 ? "EAN"
                       : len == 12           ? "UPC"
                       : len == 14           ? "GTIN"
                                             : NULL;

    return kind != NULL && gtin_valid(digits, len) ? kind : NULL;
}

/* A code counts once per product: the second SKU with it goes without. */
static bool gtin_free(const struct map_input *in, int index, const char *gtin)
{
    for (int i = 0; i < index; i++)
        if (str_eq(item_text(in->skus[i].item, "gtin"), gtin))
            return false;
    return true;
}

static bool seller_sku_usable(const char *text)
{
    if (str_blank(text) || str_utf8_count(text) > SELLER_SKU_CHARS)
        return false;
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++)
        if (*p <= ' ' || *p == 0x7F)
            return false;
    return true;
}

static int sku_ids(json_t *made, const struct map_input *in, int index)
{
    const struct map_sku *sku = &in->skus[index];
    const char *gtin = item_text(sku->item, "gtin");
    const char *kind = gtin_kind(gtin);
    int bad = 0;

    if (!str_blank(sku->tiktok_sku_id))
        bad |= json_object_set_new(made, "id", json_string(sku->tiktok_sku_id));
    bad |= json_object_set_new(made, "seller_sku", json_string(sku->seller_sku));
    if (!str_blank(sku->source_sku) && str_utf8_count(sku->source_sku) <= EXTERNAL_ID_CHARS)
        bad |= json_object_set_new(made, "external_sku_id", json_string(sku->source_sku));
    if (kind != NULL && gtin_free(in, index, gtin))
        bad |= json_object_set_new(made, "identifier_code",
                                   json_pack("{s:s, s:s}", "code", gtin, "type", kind));
    return bad;
}

static json_t *inventory_new(const struct map_input *in, const struct map_sku *sku)
{
    json_t *list = json_array();
    const char *id;
    json_t *quantity;

    if (sku->by_warehouse == NULL) {
        (void)json_array_append_new(list, json_pack("{s:s, s:I}", "warehouse_id", in->warehouse_id,
                                                    "quantity", (json_int_t)sku->stock));
        return list;
    }
    json_object_foreach((json_t *)sku->by_warehouse, id, quantity)
    {
        (void)json_array_append_new(
            list, json_pack("{s:s, s:O}", "warehouse_id", id, "quantity", quantity));
    }
    return list;
}

static enum rc one_sku(const struct map_input *in, int index, json_t **out, struct err *e)
{
    const struct map_sku *sku = &in->skus[index];
    json_auto_t *made = json_object();
    char amount[MONEY_TEXT_BYTES];
    int bad = 0;

    if (in->plan->n > 0) {
        json_t *choices = NULL;
        enum rc rc =
            map_sales_attributes(in->plan, in->attributes, sku->item, in->image_uris, &choices, e);

        if (rc != RC_OK)
            return rc;
        bad |= json_object_set_new(made, "sales_attributes", choices);
    }
    money_write(sku->price_minor, amount);
    bad |= sku_ids(made, in, index);
    bad |= json_object_set_new(made, "price",
                               json_pack("{s:s, s:s}", "amount", amount, "currency", in->currency));
    bad |= json_object_set_new(made, "inventory", inventory_new(in, sku));
    if (bad != 0)
        return memory(e);
    *out = json_incref(made);
    return RC_OK;
}

static enum rc all_skus(const struct map_input *in, json_t *body, json_t *problems, struct err *e)
{
    json_auto_t *list = json_array();

    if (in->n_skus == 0 || in->n_skus > LIMIT_SKUS)
        problem_add(problems, "sku_count", "items", "Split the product in the feed.",
                    "The product has %d variants to sell; TikTok takes 1 to %d.", in->n_skus,
                    LIMIT_SKUS);
    for (int i = 0; i < in->n_skus; i++) {
        json_t *one = NULL;

        if (!seller_sku_usable(in->skus[i].seller_sku)) {
            problem_add(problems, "seller_sku", "seller_sku", "Correct the id in the feed.",
                        "The SKU code \"%.60s\" is not 1 to 50 characters without blanks.",
                        in->skus[i].seller_sku ? in->skus[i].seller_sku : "");
            continue;
        }
        enum rc rc = one_sku(in, i, &one, e);

        if (rc != RC_OK)
            return rc;
        if (json_array_append_new(list, one) != 0)
            return memory(e);
    }
    return json_object_set(body, "skus", list) == 0 ? RC_OK : memory(e);
}

/* ---- the whole -------------------------------------------------------------------------------- */

static enum rc texts(const struct map_input *in, json_t *body, json_t *problems, struct err *e)
{
    OWN_BUF struct buf title;
    OWN_BUF struct buf description;

    buf_init(&title, 4096);
    buf_init(&description, (size_t)1 << 20);
    enum rc rc = map_title(in->desired, &title, e);

    if (rc == RC_OK)
        rc = map_description_pictured(in->desired, in->description_images, &description, e);
    if (rc != RC_OK)
        return rc;
    if (title.len == 0 || !map_text_has_word(buf_text(&title)))
        problem_add(problems, "missing_title", "title", "Add a title to the feed.",
                    "The product has no title that TikTok accepts.");
    if (json_object_set_new(body, "title", json_string(buf_text(&title))) != 0 ||
        json_object_set_new(body, "description", json_string(buf_text(&description))) != 0)
        return memory(e);
    return RC_OK;
}

static enum rc images(const struct map_input *in, json_t *body, json_t *problems, struct err *e)
{
    json_auto_t *list = json_array();

    for (int i = 0; i < in->n_main_uris && i < MAIN_IMAGES_MAX; i++)
        if (json_array_append_new(list, json_pack("{s:s}", "uri", in->main_uris[i])) != 0)
            return memory(e);
    if (json_array_size(list) == 0)
        problem_add(
            problems, "no_usable_image", "images",
            "Give the product a picture of 300 to 4,000 pixels a side in JPG, PNG, WEBP or BMP.",
            "The product has no picture that TikTok accepts.");
    return json_object_set(body, "main_images", list) == 0 ? RC_OK : memory(e);
}

static enum rc category(const struct map_input *in, json_t *body, json_t *problems, struct err *e)
{
    json_auto_t *list = NULL;
    json_auto_t *chosen = NULL;
    int bad = json_object_set_new(body, "category_id", json_string(in->category_id));
    enum rc rc = map_product_attributes(in->desired, in->attributes, in->fixed_attributes, &list,
                                        &chosen, problems, e);

    if (rc != RC_OK)
        return rc;
    map_rule_problems(in->rules, chosen, problems);
    if (!str_blank(in->brand_id))
        bad |= json_object_set_new(body, "brand_id", json_string(in->brand_id));
    if (json_array_size(list) > 0)
        bad |= json_object_set(body, "product_attributes", list);
    return bad == 0 ? RC_OK : memory(e);
}

enum rc map_product(const struct map_input *in, json_t **out, json_t *problems, struct err *e)
{
    json_auto_t *body = json_object();
    enum rc rc =
        json_object_set_new(body, "save_mode", json_string("LISTING")) == 0 ? RC_OK : memory(e);

    if (rc == RC_OK)
        rc = texts(in, body, problems, e);
    if (rc == RC_OK)
        rc = category(in, body, problems, e);
    if (rc == RC_OK)
        rc = images(in, body, problems, e);
    if (rc == RC_OK)
        rc = all_skus(in, body, problems, e);
    if (rc == RC_OK)
        rc = package_weight(in, body, problems, e);
    if (rc == RC_OK)
        rc = package_dimensions(in, body, problems, e);
    if (rc == RC_OK && str_utf8_count(in->source_id) <= EXTERNAL_ID_CHARS &&
        json_object_set_new(body, "external_product_id", json_string(in->source_id)) != 0)
        rc = memory(e);
    if (rc != RC_OK)
        return rc;
    *out = json_array_size(problems) > 0 ? NULL : json_incref(body);
    return RC_OK;
}

json_t *map_product_content(const json_t *body)
{
    json_t *copy = json_deep_copy(body);
    json_t *skus = json_object_get(copy, "skus");

    (void)json_object_del(copy, "idempotency_key");
    for (size_t i = 0; i < json_array_size(skus); i++) {
        json_t *sku = json_array_get(skus, i);

        (void)json_object_del(sku, "price");
        (void)json_object_del(sku, "inventory");
        (void)json_object_del(sku, "id");
    }
    return copy;
}
