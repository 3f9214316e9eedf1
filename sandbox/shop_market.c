/* shop_market.c - what the simulated market offers: categories, attributes, rules, brands, warehouses. */
#include "state.h"

#include "sign.h"
#include "str.h"

#include <stdio.h>
#include <string.h>

const json_t *sbx_category(const struct sandbox *sb, const char *id)
{
    const json_t *list = json_object_get(sb->market, "categories");
    size_t i;
    json_t *one;

    json_array_foreach(list, i, one)
    {
        if (str_eq(sbx_text(one, "id"), id))
            return one;
    }
    return NULL;
}

const json_t *sbx_brand(const struct sandbox *sb, const char *id)
{
    const json_t *list = json_object_get(sb->market, "brands");
    size_t i;
    json_t *one;

    json_array_foreach(list, i, one)
    {
        if (str_eq(sbx_text(one, "id"), id))
            return one;
    }
    return NULL;
}

const json_t *sbx_attribute(const struct sandbox *sb, const json_t *category, const char *id,
                            const char *type)
{
    const json_t *list = json_object_get(category, "attributes");
    size_t i;
    json_t *one;

    json_array_foreach(list, i, one)
    {
        if (str_eq(json_string_value(one), id)) {
            const json_t *attribute =
                json_object_get(json_object_get(sb->market, "attributes"), id);

            return type == NULL || str_eq(sbx_text(attribute, "type"), type) ? attribute : NULL;
        }
    }
    return NULL;
}

/* Everything but US shops uses version v1. */
static bool version_ok(struct sbx_call *c, const char *version)
{
    if (version == NULL || str_eq(version, "v1"))
        return true;
    sbx_fail(c, 12052217, "Incorrect category version. For shops outside the US specify v1");
    return false;
}

static json_t *category_new(const json_t *source)
{
    json_t *out = sbx_need(json_object());

    sbx_set_text(out, "id", sbx_text(source, "id"));
    sbx_set_text(out, "parent_id", sbx_text(source, "parent_id"));
    sbx_set_text(out, "local_name", sbx_text(source, "local_name"));
    sbx_set(out, "is_leaf", json_boolean(json_is_true(json_object_get(source, "is_leaf"))));
    sbx_set(out, "permission_statuses",
            json_deep_copy(json_object_get(source, "permission_statuses")));
    return out;
}

static bool prohibited(const json_t *category)
{
    return str_eq(
        json_string_value(json_array_get(json_object_get(category, "permission_statuses"), 0)),
        "PROHIBITED");
}

void sbx_get_categories(struct sbx_call *c)
{
    const char *keyword = sbx_query(c, "keyword");
    const char *all = sbx_query(c, "include_prohibited_categories");
    json_t *list = sbx_need(json_array());
    size_t i;
    json_t *one;

    c->data = sbx_need(json_object());
    sbx_set(c->data, "categories", list);
    if (!version_ok(c, sbx_query(c, "category_version")))
        return;
    json_array_foreach(json_object_get(c->sb->market, "categories"), i, one)
    {
        if (prohibited(one) && !str_eq(all, "true"))
            continue;
        if (keyword == NULL || strstr(sbx_text(one, "local_name"), keyword) != NULL)
            sbx_append(list, category_new(one));
    }
}

/* Lower case for ASCII and the Latin-1 letters of UTF-8. */
static void lower(const char *text, char *out, size_t cap)
{
    size_t n = 0;
    unsigned char last = 0;

    for (; *text != '\0' && n + 1 < cap; text++) {
        unsigned char ch = (unsigned char)*text;

        if (ch >= 'A' && ch <= 'Z')
            ch = (unsigned char)(ch + 32);
        else if (last == 0xC3 && ch >= 0x80 && ch <= 0x9E)
            ch = (unsigned char)(ch + 32);
        last = (unsigned char)*text;
        out[n++] = (char)ch;
    }
    out[n] = '\0';
}

/* The leaf whose longest word occurs in the title. */
static const json_t *recommend(const struct sandbox *sb, const char *title)
{
    const json_t *best = NULL;
    size_t best_len = 0, i, k;
    json_t *one, *word;
    char text[1400];

    lower(title, text, sizeof text);
    json_array_foreach(json_object_get(sb->market, "categories"), i, one)
    {
        json_array_foreach(json_object_get(one, "words"), k, word)
        {
            size_t len = json_string_length(word);

            if (len > best_len && strstr(text, json_string_value(word)) != NULL) {
                best = one;
                best_len = len;
            }
        }
    }
    return best;
}

void sbx_recommend_category(struct sbx_call *c)
{
    const char *title = sbx_text(c->body, "product_title");
    size_t length = str_utf8_count(title);
    size_t i;
    json_t *image;

    if (!version_ok(c, json_string_value(json_object_get(c->body, "category_version"))))
        return;
    if (length == 0 || length > 300) {
        sbx_fail(c, length == 0 ? 12052261 : 12052051, "The title must have 1 to 300 characters");
        return;
    }
    if (!sbx_text_ok(title)) {
        sbx_fail(c, 12052931, "The title breaks the formatting rules");
        return;
    }
    json_array_foreach(json_object_get(c->body, "images"), i, image)
    {
        if (json_object_get(c->sb->images, sbx_text(image, "uri")) == NULL) {
            sbx_fail(c, 12052722, "The image URI does not exist in TikTok Shop.");
            return;
        }
    }
    const json_t *leaf = recommend(c->sb, title);
    if (leaf == NULL) {
        sbx_fail(c, 12019064, "No matching categories.");
        return;
    }
    json_t *chain = sbx_need(json_array());
    for (const json_t *at = leaf; at != NULL; at = sbx_category(c->sb, sbx_text(at, "parent_id"))) {
        json_t *entry = category_new(at);

        (void)json_object_del(entry, "parent_id");
        (void)json_object_del(entry, "local_name");
        sbx_set_text(entry, "name", sbx_text(at, "local_name"));
        if (json_array_insert_new(chain, 0, entry) != 0)
            sbx_need(NULL);
    }
    json_array_foreach(chain, i, image) sbx_set_int(image, "level", (int64_t)i + 1);
    c->data = sbx_need(json_object());
    sbx_set_text(c->data, "leaf_category_id", sbx_text(leaf, "id"));
    sbx_set(c->data, "categories", chain);
}

/* The leaf category of the path; NULL after sbx_fail. */
static const json_t *leaf_of_path(struct sbx_call *c)
{
    const json_t *category = sbx_category(c->sb, http_param(c->req, "category_id"));

    if (!version_ok(c, sbx_query(c, "category_version")))
        return NULL;
    if (category == NULL)
        sbx_fail(c, 12052023, "Category does not exist");
    else if (!json_is_true(json_object_get(category, "is_leaf")))
        sbx_fail(c, 12052024, "Category is not final category");
    else
        return category;
    return NULL;
}

static json_t *flag_new(const char *name, bool value)
{
    json_t *out = sbx_need(json_object());

    sbx_set(out, name, json_boolean(value));
    return out;
}

void sbx_get_category_rules(struct sbx_call *c)
{
    const json_t *category = leaf_of_path(c);

    if (category == NULL)
        return;
    if (prohibited(category)) {
        sbx_fail(c, 12052220, "This category is prohibited or unsupported on TikTok Shop.");
        return;
    }
    json_t *chart = flag_new("is_supported", str_eq(sbx_text(category, "size_chart"), "yes"));
    sbx_set(chart, "is_required", json_false());
    c->data = sbx_need(json_object());
    sbx_set(c->data, "product_certifications", json_array());
    sbx_set(c->data, "size_chart", chart);
    sbx_set(c->data, "cod", flag_new("is_supported", false));
    sbx_set(c->data, "package_dimension",
            flag_new("is_required", json_is_true(json_object_get(category, "dimension_required"))));
    sbx_set(c->data, "epr", flag_new("is_required", false));
    sbx_set(c->data, "responsible_person", flag_new("is_required", false));
    sbx_set(c->data, "manufacturer", flag_new("is_required", false));
    sbx_set(c->data, "allowed_special_product_types", json_array());
    sbx_set(c->data, "fees", json_array());
}

static bool listed(const json_t *list, const char *text)
{
    size_t i;
    json_t *one;

    json_array_foreach(list, i, one)
    {
        if (str_eq(json_string_value(one), text))
            return true;
    }
    return false;
}

void sbx_get_attributes(struct sbx_call *c)
{
    const json_t *category = leaf_of_path(c);
    json_t *list;
    size_t i;
    json_t *one;

    if (category == NULL)
        return;
    list = sbx_need(json_array());
    json_array_foreach(json_object_get(category, "attributes"), i, one)
    {
        const char *id = json_string_value(one);
        json_t *out = sbx_need(json_deep_copy(sbx_attribute(c->sb, category, id, NULL)));

        sbx_set_text(out, "id", id);
        if (listed(json_object_get(category, "mandatory"), id))
            sbx_set(out, "is_requried", json_true()); /* spelt so on the wire */
        sbx_append(list, out);
    }
    c->data = sbx_need(json_object());
    sbx_set(c->data, "attributes", list);
}

/* A cursor belongs to its search: the digest covers path, other parameters and body. */
static void cursor(const struct sbx_call *c, size_t offset, char out[48])
{
    unsigned char digest[SIGN_SHA256_BYTES];
    OWN_BUF struct buf text;
    char hex[9];

    buf_init(&text, LIMIT_SBX_BODY_BYTES * 2);
    buf_str(&text, c->req->path);
    for (int i = 0; i < c->n_pairs; i++) {
        static const char *const moving[] = { "page_token", "timestamp", "sign", "page_size" };
        bool moves = false;

        for (size_t k = 0; k < 4; k++)
            moves = moves || str_eq(moving[k], c->pairs[i].name);
        if (!moves)
            buf_fmt(&text, "\n%s=%s", c->pairs[i].name, c->pairs[i].value);
    }
    buf_add(&text, c->req->body, c->req->body_len);
    sign_sha256(buf_text(&text), text.len, digest);
    str_hex(hex, digest, 4);
    /* holds '/', '+' and '=' so that a client which does not escape them fails here and not later */
    (void)snprintf(out, 48, "b2/%s+%zu=", hex, offset);
}

bool sbx_page(struct sbx_call *c, size_t *offset, size_t *count)
{
    const char *token = sbx_query(c, "page_token");
    const char *plus = token == NULL ? NULL : strchr(token, '+');
    int64_t size = 0, from = 0;
    char want[48] = "", digits[16] = "";

    (void)str_to_i64(sbx_query(c, "page_size"), 1, 100, &size); /* the contract check made sure */
    if (plus != NULL)
        (void)snprintf(digits, sizeof digits, "%.*s", (int)strcspn(plus + 1, "="), plus + 1);
    if (token != NULL && str_to_i64(digits, 1, 1000000000, &from))
        cursor(c, (size_t)from, want);
    if (token != NULL && !str_eq(token, want)) {
        sbx_fail(c, 36009004, "Invalid page_token: made up, or the search changed between pages");
        return false;
    }
    *offset = (size_t)from;
    *count = (size_t)size;
    return true;
}

void sbx_page_next(struct sbx_call *c, size_t offset, size_t count, size_t total)
{
    char token[48] = "";

    if (offset + count < total)
        cursor(c, offset + count, token);
    sbx_set_text(c->data, "next_page_token", token);
    sbx_set_int(c->data, "total_count", (int64_t)total);
}

void sbx_get_brands(struct sbx_call *c)
{
    const char *category = sbx_query(c, "category_id");
    const char *prefix = sbx_query(c, "brand_name");
    const char *authorized = sbx_query(c, "is_authorized");
    json_auto_t *found = sbx_need(json_array());
    json_t *page;
    size_t offset = 0, count = 0, i;
    json_t *one;

    if (!version_ok(c, sbx_query(c, "category_version")) || !sbx_page(c, &offset, &count))
        return;
    if (category != NULL && sbx_category(c->sb, category) == NULL) {
        sbx_fail(c, 12052023, "Category does not exist");
        return;
    }
    json_array_foreach(json_object_get(c->sb->market, "brands"), i, one)
    {
        bool own = str_eq(sbx_text(one, "authorized_status"), "AUTHORIZED");

        if ((prefix == NULL || str_starts(sbx_text(one, "name"), prefix)) &&
            (authorized == NULL || str_eq(authorized, own ? "true" : "false")))
            sbx_append(found, json_deep_copy(one));
    }
    page = sbx_need(json_array());
    for (i = offset; i < offset + count && i < json_array_size(found); i++)
        sbx_append(page, json_incref(json_array_get(found, i)));
    c->data = sbx_need(json_object());
    sbx_set(c->data, "brands", page);
    sbx_page_next(c, offset, count, json_array_size(found));
}

void sbx_create_custom_brands(struct sbx_call *c)
{
    const char *name = sbx_text(c->body, "name");
    size_t length = str_utf8_count(name), digits = 0, i;
    json_t *list = json_object_get(c->sb->market, "brands");
    json_t *one;
    char id[32];

    for (const char *p = name; *p != '\0' && digits < 5; p++)
        digits = *p >= '0' && *p <= '9' ? digits + 1 : 0;
    if (length < 2 || length > 30) {
        sbx_fail(c, length < 2 ? 12052189 : 12052190, "Brand names have 2 to 30 characters.");
        return;
    }
    if (digits >= 5 || !sbx_text_ok(name)) {
        sbx_fail(c, digits >= 5 ? 12052192 : 12052191, "The brand name breaks the rules.");
        return;
    }
    json_array_foreach(list, i, one)
    {
        if (str_eq(sbx_text(one, "name"), name)) {
            sbx_fail(c, 12052205, "This brand name already exists.");
            return;
        }
    }
    sbx_id(c->sb, false, id);
    sbx_append(list,
               json_pack("{s:s, s:s, s:s, s:b, s:s}", "id", id, "name", name, "authorized_status",
                         "UNAUTHORIZED", "is_t1_brand", 0, "brand_status", "AVAILABLE"));
    c->data = sbx_need(json_object());
    sbx_set_text(c->data, "id", id);
}

void sbx_check_prerequisites(struct sbx_call *c)
{
    static const char *const items[] = { "SHOP_STATUS",           "SHOP_TAX",
                                         "PICKUP_WAREHOUSE",      "RETURN_WAREHOUSE",
                                         "DELIVERY_OPTION",       "SHIPPING_TEMPLATE",
                                         "PRODUCT_QUANTITY_LIMIT" };
    json_t *list = sbx_need(json_array());

    for (size_t i = 0; i < sizeof items / sizeof items[0]; i++) {
        json_t *item = flag_new("is_failed", false);

        sbx_set_text(item, "check_item", items[i]);
        sbx_set(item, "fail_reasons", json_array());
        sbx_append(list, item);
    }
    c->data = sbx_need(json_object());
    sbx_set(c->data, "check_results", list);
}

static json_t *warehouse_new(const char *id, const char *name, const char *type, bool is_default)
{
    json_t *out = sbx_need(json_object());
    json_t *address = sbx_need(json_pack(
        "{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "region", "Brazil", "state",
        "São Paulo", "city", "Campinas", "distict", "Cambuí", "contact_person", "Ana Lima",
        "postal_code", "13025000", "full_address", "Rua das Acácias 100, Cambuí, Campinas",
        "region_code", "BR", "phone_number", "(+55)1933330000", "address_line1", "Cambuí",
        "address_line2", "Rua das Acácias", "address_line3", "100", "address_line4", "Galpão 2"));

    sbx_set_text(out, "id", id);
    sbx_set_text(out, "entity_id", "7395366865142499073");
    sbx_set_text(out, "name", name);
    sbx_set_text(out, "effect_status", "ENABLED");
    sbx_set_text(out, "type", type);
    sbx_set_text(out, "sub_type", "DOMESTIC_WAREHOUSE");
    sbx_set(out, "is_default", json_boolean(is_default));
    sbx_set(out, "address", address);
    return out;
}

void sbx_get_warehouse_list(struct sbx_call *c)
{
    json_t *list = sbx_need(json_array());

    sbx_append(list,
               warehouse_new(c->shop->return_warehouse, "Devoluções", "RETURN_WAREHOUSE", false));
    sbx_append(list,
               warehouse_new(c->shop->sales_warehouse, "CD Campinas", "SALES_WAREHOUSE", true));
    c->data = sbx_need(json_object());
    sbx_set(c->data, "warehouses", list);
}
