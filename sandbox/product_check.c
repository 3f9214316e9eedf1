/* product_check.c - the rules for a product body that a schema cannot say. */
#include "state.h"

#include "str.h"

#include <stdio.h>
#include <string.h>

/* Codes by the part of the body that is wrong; `missing` for absent members, `bad` for the rest. */
static const struct {
    const char *tail; /* end of the path, list indexes left out */
    int64_t missing, bad;
} CODES[] = {
    { "title", 12052261, 12052051 },
    { "description", 12052015, 12052013 },
    { "category_id", 12052025, 12052002 },
    { "category_version", 12052217, 12052217 },
    { "brand_id", 12019013, 12019013 },
    { "main_images", 12052028, 12052306 },
    { "main_images.uri", 12052300, 12052300 },
    { "package_weight", 12019011, 12019011 },
    { "package_weight.value", 12052006, 12052006 },
    { "package_weight.unit", 12019011, 12019011 },
    { "package_dimensions.length", 12052005, 12052005 },
    { "package_dimensions.width", 12052004, 12052004 },
    { "package_dimensions.height", 12052003, 12052003 },
    { "package_dimensions.unit", 12019012, 12019012 },
    { "skus.seller_sku", 12052054, 12052054 },
    { "skus.price", 12052073, 12052073 },
    { "skus.price.amount", 12052073, 12052073 },
    { "skus.price.currency", 12052084, 12052084 },
    { "skus.inventory.quantity", 12052055, 12052055 },
    { "skus.sales_attributes.name", 12052241, 12052242 },
    { "skus.sales_attributes.value_name", 12052248, 12052249 },
    { "product_attributes.values.name", 12052248, 12052249 },
};

int64_t sbx_breach_code(const struct sbx_breach *breach, int64_t otherwise)
{
    char plain[160];
    size_t n = 0;
    bool skip = false;

    if (breach->kind == SBX_UNKNOWN || otherwise != 12052910)
        return otherwise;
    for (const char *at = breach->path; *at != '\0'; at++) {
        skip = *at == '[' ? true : skip;
        if (!skip)
            plain[n++] = *at;
        if (*at == ']')
            skip = false;
    }
    plain[n] = '\0';
    for (size_t i = 0; i < sizeof CODES / sizeof CODES[0]; i++) {
        if (str_eq(plain, CODES[i].tail))
            return breach->kind == SBX_MISSING ? CODES[i].missing : CODES[i].bad;
    }
    return otherwise;
}

/* Next code point; 0 at the end. Invalid bytes count as themselves. */
static uint32_t next_char(const char **at)
{
    const unsigned char *p = (const unsigned char *)*at;
    int more = p[0] >= 0xF0 ? 3 : p[0] >= 0xE0 ? 2 : p[0] >= 0xC0 ? 1 : 0;
    uint32_t value = more == 0 ? p[0] : p[0] & (0x3Fu >> more);

    if (p[0] == '\0')
        return 0;
    for (int i = 1; i <= more; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            *at += i;
            return p[0];
        }
        value = value << 6 | (p[i] & 0x3F);
    }
    *at += more + 1;
    return value;
}

static bool is_emoji(uint32_t ch)
{
    return (ch >= 0x1F000 && ch <= 0x1FAFF) || (ch >= 0x2600 && ch <= 0x27BF) || ch == 0xFE0F ||
           ch == 0x200D || (ch >= 0x1F1E6 && ch <= 0x1F1FF);
}

static bool is_word(uint32_t ch)
{
    return (ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z') ||
           ch >= 0xC0;
}

/* "&nbsp;", "&#39;": an ampersand, letters, digits or '#', a semicolon. */
static bool has_escape(const char *text)
{
    for (const char *amp = strchr(text, '&'); amp != NULL; amp = strchr(amp + 1, '&')) {
        size_t len =
            strspn(amp + 1, "#abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");

        if (len > 1 && len < 12 && amp[1 + len] == ';')
            return true;
    }
    return false;
}

bool sbx_text_ok(const char *text)
{
    uint32_t last = 0;
    int run = 0;
    bool word = text[0] == '\0';

    if (has_escape(text))
        return false;
    for (uint32_t ch = next_char(&text); ch != 0; ch = next_char(&text)) {
        bool blank = ch == '\n' || ch == '\r' || ch == '\t';

        if ((ch < 0x20 && !blank) || ch == 0x7F || is_emoji(ch))
            return false;
        run = ch == last && !blank && ch != ' ' ? run + 1 : 1;
        if (run > 9)
            return false;
        last = ch;
        word = word || is_word(ch);
    }
    return word;
}

static bool title_ok(struct sbx_call *c, const json_t *body)
{
    const char *title = sbx_text(body, "title");
    size_t length = str_utf8_count(title);

    if (str_blank(title))
        sbx_fail(c, 12052261, "product name is empty");
    else if (length > 300)
        sbx_fail(c, 12052051, "The product name exceed max limit characters");
    else if (!sbx_text_ok(title) || strpbrk(title, "\n\r\t") != NULL)
        sbx_fail(
            c, 12052931,
            "The title must follow the formatting rules: no HTML escape characters, emojis or control "
            "characters, not only symbols, no more than 9 equal characters in a row");
    else
        return true;
    return false;
}

/* Value of an attribute inside a tag, "" when absent. */
static void tag_value(const char *tag, size_t len, const char *name, char *out, size_t cap)
{
    char look[24];
    char text[2048];

    out[0] = '\0';
    if (len >= sizeof text)
        return;
    memcpy(text, tag, len);
    text[len] = '\0';
    (void)snprintf(look, sizeof look, " %s=\"", name);
    const char *at = strstr(text, look);
    if (at == NULL)
        return;
    at += strlen(look);
    size_t value_len = strcspn(at, "\"");
    if (value_len < cap) {
        memcpy(out, at, value_len);
        out[value_len] = '\0';
    }
}

static bool known_picture(const struct sandbox *sb, const char *url)
{
    const char *key;
    json_t *image;

    json_object_foreach(sb->images, key, image)
    {
        if (str_eq(sbx_text(image, "url"), url) &&
            str_eq(sbx_text(image, "use_case"), "DESCRIPTION_IMAGE"))
            return true;
    }
    return false;
}

static bool description_image_ok(struct sbx_call *c, const char *tag, size_t len)
{
    char src[512], width[16], height[16];
    int64_t w = 0, h = 0;

    tag_value(tag, len, "src", src, sizeof src);
    tag_value(tag, len, "width", width, sizeof width);
    tag_value(tag, len, "height", height, sizeof height);
    if (src[0] == '\0' || !str_to_i64(width, 1, 100000, &w) || !str_to_i64(height, 1, 100000, &h)) {
        sbx_fail(c, 12052348, "The product description html tag required attribute is miss.");
        return false;
    }
    if (w >= 4000 || h >= 4000) {
        sbx_fail(c, 12052341, "The description images size cannot exceed limit.");
        return false;
    }
    if (!known_picture(c->sb, src)) {
        sbx_fail(c, 12052340, "product description image uri illegal");
        return false;
    }
    return true;
}

static bool tag_allowed(const char *name, size_t len)
{
    static const char *const tags[] = { "p",  "br",   "ul",  "ol",  "li",    "strong", "b",
                                        "em", "i",    "u",   "h1",  "h2",    "h3",     "h4",
                                        "h5", "h6",   "div", "a",   "table", "tr",     "td",
                                        "th", "span", "hr",  "img", "tbody", "thead",  NULL };

    for (int i = 0; tags[i] != NULL; i++) {
        if (strlen(tags[i]) == len && strncmp(tags[i], name, len) == 0)
            return true;
    }
    return false;
}

static bool description_ok(struct sbx_call *c, const json_t *body)
{
    const char *text = sbx_text(body, "description");
    int images = 0;

    if (str_blank(text)) {
        sbx_fail(c, 12052015, "The product description is required");
        return false;
    }
    if (!sbx_text_ok(text)) {
        sbx_fail(c, 12052932, "The description must follow the formatting rules");
        return false;
    }
    for (const char *at = strchr(text, '<'); at != NULL; at = strchr(at, '<')) {
        const char *name = at + 1 + (at[1] == '/');
        size_t len = strcspn(name, " />\n\t");
        const char *end = strchr(at, '>');

        if (end == NULL) {
            sbx_fail(c, 12052344, "The product description html syntax with error");
            return false;
        }
        if (!tag_allowed(name, len)) {
            sbx_fail(c, 12052345, "The product description html tag not support: %.20s", name);
            return false;
        }
        if (len == 3 && strncmp(name, "img", 3) == 0) {
            if (++images > 30) {
                sbx_fail(c, 12052056, "The num of image in description cannot exceed max limit");
                return false;
            }
            if (!description_image_ok(c, at, (size_t)(end - at)))
                return false;
        }
        at = end;
    }
    return true;
}

static const json_t *category_checked(struct sbx_call *c, const json_t *body)
{
    const json_t *category = sbx_category(c->sb, sbx_text(body, "category_id"));
    const char *version = sbx_text(body, "category_version");

    if (version[0] != '\0' && !str_eq(version, "v1")) {
        sbx_fail(c, 12052217, "Incorrect category version. For shops outside the US specify v1");
        return NULL;
    }
    if (category == NULL) {
        sbx_fail(c, 12052023, "Category does not exist");
        return NULL;
    }
    if (!json_is_true(json_object_get(category, "is_leaf"))) {
        sbx_fail(c, 12052024, "Category is not final category");
        return NULL;
    }
    const char *state =
        json_string_value(json_array_get(json_object_get(category, "permission_statuses"), 0));
    if (str_eq(state, "AVAILABLE"))
        return category;
    sbx_fail(c, str_eq(state, "PROHIBITED") ? 12052220 : 12052223, "This category is %s", state);
    return NULL;
}

static bool images_ok(struct sbx_call *c, const json_t *body)
{
    const json_t *list = json_object_get(body, "main_images");
    size_t i;
    json_t *one;

    if (json_array_size(list) == 0) {
        sbx_fail(c, 12052028, "Main product image is required");
        return false;
    }
    json_array_foreach(list, i, one)
    {
        const json_t *image = json_object_get(c->sb->images, sbx_text(one, "uri"));

        if (image == NULL || !str_eq(sbx_text(image, "use_case"), "MAIN_IMAGE")) {
            sbx_fail(c, 12052300, "product main image uri illegal");
            return false;
        }
    }
    return true;
}

/* Clears a brand that does not exist, with a warning; refuses a T1 brand without authorization. */
static bool brand_ok(struct sbx_call *c, json_t *body, json_t *warnings)
{
    const char *id = sbx_text(body, "brand_id");
    const json_t *brand = sbx_brand(c->sb, id);
    char text[256];

    if (json_object_get(body, "brand_id") == NULL)
        return true;
    if (brand == NULL) {
        json_t *warning = sbx_need(json_object());

        (void)snprintf(
            text, sizeof text,
            "The [brand_id]:%.64s field is incorrect and has been automatically cleared by the system. "
            "Reason: [Brand does not exist]. You can edit it later.",
            id);
        sbx_set_text(warning, "message", text);
        sbx_append(warnings, warning);
        (void)json_object_del(body, "brand_id");
        return true;
    }
    if (json_is_true(json_object_get(brand, "is_t1_brand")) &&
        !str_eq(sbx_text(brand, "authorized_status"), "AUTHORIZED")) {
        sbx_fail(c, 12052201, "You are not authorized to sell this brand in this category.");
        return false;
    }
    return true;
}

/* Decimal text: digits, at most one separator of `marks`, at most `decimals` digits after it, above zero. */
static bool decimal_ok(const char *text, const char *marks, size_t decimals)
{
    size_t whole = strspn(text, "0123456789");
    const char *rest = text + whole;

    if (whole == 0 || whole > 9)
        return false;
    if (*rest != '\0') {
        size_t digits = strspn(rest + 1, "0123456789");

        if (strchr(marks, *rest) == NULL || digits == 0 || digits > decimals ||
            rest[1 + digits] != '\0')
            return false;
    }
    return strpbrk(text, "123456789") != NULL;
}

static bool package_ok(struct sbx_call *c, const json_t *category, const json_t *body)
{
    const json_t *weight = json_object_get(body, "package_weight");
    const json_t *size = json_object_get(body, "package_dimensions");
    const char *unit = sbx_text(weight, "unit");
    const char *value = sbx_text(weight, "value");
    static const struct {
        const char *name;
        int64_t code;
    } sides[] = { { "length", 12052005 }, { "width", 12052004 }, { "height", 12052003 } };

    if (str_eq(unit, "POUND") || (size != NULL && str_eq(sbx_text(size, "unit"), "INCH"))) {
        sbx_fail(c, 12019061,
                 "Product weight or dimensions unit does not support the imperial units.");
        return false;
    }
    if (value[0] != '\0' && strpbrk(value, "123456789") == NULL) {
        sbx_fail(c, 12052181, "The package weight of the product can not be zero.");
        return false;
    }
    if (!decimal_ok(value, ".", str_eq(unit, "GRAM") ? 0 : 3)) {
        sbx_fail(c, 12052006, "Incorrect parcel weight format");
        return false;
    }
    if (size == NULL && json_is_true(json_object_get(category, "dimension_required"))) {
        sbx_fail(c, 12019012,
                 "product package size is invalid: this category needs package_dimensions");
        return false;
    }
    for (size_t i = 0; size != NULL && i < 3; i++) {
        if (!decimal_ok(sbx_text(size, sides[i].name), ".,", 6)) {
            sbx_fail(c, sides[i].code, "Incorrect parcel %s format", sides[i].name);
            return false;
        }
    }
    return true;
}

static bool value_known(const json_t *attribute, const char *id)
{
    size_t i;
    json_t *one;

    json_array_foreach(json_object_get(attribute, "values"), i, one)
    {
        if (str_eq(sbx_text(one, "id"), id))
            return true;
    }
    return false;
}

static bool attribute_value_ok(struct sbx_call *c, const json_t *attribute, const json_t *value)
{
    const char *id = sbx_text(value, "id");
    const char *name = sbx_text(value, "name");

    if (id[0] == '\0' && name[0] == '\0')
        sbx_fail(c, 12052248, "The product attribute value name or attribute value id is empty.");
    else if (id[0] != '\0' && !value_known(attribute, id))
        sbx_fail(c, 12052529, "The property value id not exist.");
    else if (id[0] == '\0' && !json_is_true(json_object_get(attribute, "is_customizable")))
        sbx_fail(c, 12052247, "Do not support custom product attribute.");
    else if (id[0] == '\0' && !sbx_text_ok(name))
        sbx_fail(c, 12052935, "Product attribute value names must follow the formatting rules");
    else if (id[0] == '\0' &&
             str_eq(sbx_text(attribute, "value_data_format"), "POSITIVE_INT_OR_DECIMAL") &&
             !decimal_ok(name, ".", 6))
        sbx_fail(c, 12052256, "The value need to be positive integers or positive decimals.");
    else
        return true;
    return false;
}

static bool attributes_ok(struct sbx_call *c, const json_t *category, const json_t *body)
{
    const json_t *list = json_object_get(body, "product_attributes");
    json_auto_t *seen = sbx_need(json_object());
    size_t i, k;
    json_t *one, *value;

    json_array_foreach(list, i, one)
    {
        const char *id = sbx_text(one, "id");
        const json_t *attribute = sbx_attribute(c->sb, category, id, "PRODUCT_PROPERTY");
        const json_t *values = json_object_get(one, "values");

        if (attribute == NULL || json_object_get(seen, id) != NULL) {
            sbx_fail(c, attribute == NULL ? 12052240 : 12052254, "Attribute %.40s is %s", id,
                     attribute == NULL ? "no product property of the category" : "given twice");
            return false;
        }
        sbx_set(seen, id, json_true());
        if (json_array_size(values) > 1 &&
            !json_is_true(json_object_get(attribute, "is_multiple_selection"))) {
            sbx_fail(c, 12052246,
                     "The product attribute not support multi selected, attribute id is :%.40s.",
                     id);
            return false;
        }
        json_array_foreach(values, k, value)
        {
            if (!attribute_value_ok(c, attribute, value))
                return false;
        }
    }
    json_array_foreach(json_object_get(category, "mandatory"), i, one)
    {
        const json_t *attribute =
            json_object_get(json_object_get(c->sb->market, "attributes"), json_string_value(one));

        if (json_object_get(seen, json_string_value(one)) == NULL) {
            sbx_fail(c, 12052104, "property is required: %s (%s)", sbx_text(attribute, "name"),
                     json_string_value(one));
            return false;
        }
    }
    return true;
}

/* Members that other markets use and Brazil does not. */
static bool market_ok(struct sbx_call *c, const json_t *body)
{
    static const char *const foreign[] = { "manufacturer_ids", "responsible_person_ids",
                                           "minimum_order_quantity", "replicated_products" };

    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        if (json_object_get(body, foreign[i]) != NULL) {
            sbx_fail(c, 12052910, "Invalid input parameters: %s is not used in Brazil", foreign[i]);
            return false;
        }
    }
    return true;
}

bool sbx_product_check(struct sbx_call *c, json_t *body, const json_t *old, json_t *warnings)
{
    const json_t *category;

    if (!market_ok(c, body) || !title_ok(c, body) || !description_ok(c, body))
        return false;
    category = category_checked(c, body);
    return category != NULL && images_ok(c, body) && brand_ok(c, body, warnings) &&
           package_ok(c, category, body) && attributes_ok(c, category, body) &&
           sbx_skus_check(c, category, json_object_get(body, "skus"), old);
}
