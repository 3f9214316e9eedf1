/* shop_read.c - reading products: one in full, and the paged search. */
#include "state.h"

#include "str.h"

static json_t *picture_new(const struct sandbox *sb, const char *uri)
{
    const json_t *image = json_object_get(sb->images, uri);
    json_t *out = sbx_need(json_object());

    sbx_set_int(out, "height", sbx_int(image, "height"));
    sbx_set_int(out, "width", sbx_int(image, "width"));
    sbx_set(out, "thumb_urls", json_pack("[s]", sbx_text(image, "url")));
    sbx_set_text(out, "uri", uri);
    sbx_set(out, "urls", json_pack("[s]", sbx_text(image, "url")));
    return out;
}

static json_t *price_new(const json_t *price)
{
    json_t *out = sbx_need(json_object());

    sbx_set_text(out, "sale_price", sbx_text(price, "amount"));
    sbx_set_text(out, "currency", sbx_text(price, "currency"));
    return out;
}

static json_t *sku_new(const struct sandbox *sb, const json_t *sku, bool full)
{
    static const char *const kept[] = { "identifier_code", "external_sku_id", "sales_attributes" };
    json_t *out = sbx_need(json_object());
    json_t *state = sbx_need(json_object());
    size_t i;
    json_t *one;

    sbx_set_text(out, "id", sbx_text(sku, "id"));
    sbx_set_text(out, "seller_sku", sbx_text(sku, "seller_sku"));
    sbx_set(out, "price", price_new(json_object_get(sku, "price")));
    sbx_set(out, "inventory", json_deep_copy(json_object_get(sku, "inventory")));
    sbx_set_text(state, "status", "NORMAL");
    sbx_set(out, "status_info", state);
    for (size_t k = 0; full && k < 3; k++) {
        json_t *value = json_object_get(sku, kept[k]);

        if (value != NULL)
            sbx_set(out, kept[k], json_deep_copy(value));
    }
    json_array_foreach(json_object_get(out, "sales_attributes"), i, one)
    {
        const json_t *picture = json_object_get(one, "sku_img");

        if (picture != NULL)
            sbx_set(one, "sku_img", picture_new(sb, sbx_text(picture, "uri")));
    }
    return out;
}

static json_t *chain_new(const struct sandbox *sb, const char *leaf)
{
    json_t *out = sbx_need(json_array());

    for (const json_t *at = sbx_category(sb, leaf); at != NULL;
         at = sbx_category(sb, sbx_text(at, "parent_id"))) {
        json_t *entry = sbx_need(json_object());

        sbx_set_text(entry, "id", sbx_text(at, "id"));
        sbx_set_text(entry, "parent_id", sbx_text(at, "parent_id"));
        sbx_set_text(entry, "local_name", sbx_text(at, "local_name"));
        sbx_set(entry, "is_leaf", json_boolean(json_is_true(json_object_get(at, "is_leaf"))));
        if (json_array_insert_new(out, 0, entry) != 0)
            sbx_need(NULL);
    }
    return out;
}

static json_t *attributes_new(const struct sandbox *sb, const json_t *version)
{
    json_t *out = sbx_need(json_array());
    size_t i;
    json_t *one;

    json_array_foreach(json_object_get(version, "product_attributes"), i, one)
    {
        json_t *copy = sbx_need(json_deep_copy(one));
        const json_t *known =
            json_object_get(json_object_get(sb->market, "attributes"), sbx_text(one, "id"));

        sbx_set_text(copy, "name", sbx_text(known, "name"));
        sbx_append(out, copy);
    }
    return out;
}

static json_t *audit_new(const json_t *product)
{
    json_t *out = sbx_need(json_object());

    sbx_set_text(out, "status", sbx_text(product, "audit_status"));
    return out;
}

static void content_put(const struct sandbox *sb, const json_t *version, json_t *out)
{
    static const char *const kept[] = { "title", "description", "package_dimensions",
                                        "package_weight", "external_product_id" };
    const json_t *brand = sbx_brand(sb, sbx_text(version, "brand_id"));
    json_t *images = sbx_need(json_array());
    json_t *skus = sbx_need(json_array());
    size_t i;
    json_t *one;

    for (size_t k = 0; k < sizeof kept / sizeof kept[0]; k++) {
        json_t *value = json_object_get(version, kept[k]);

        if (value != NULL)
            sbx_set(out, kept[k], json_deep_copy(value));
    }
    if (brand != NULL)
        sbx_set(
            out, "brand",
            json_pack("{s:s,s:s}", "id", sbx_text(brand, "id"), "name", sbx_text(brand, "name")));
    json_array_foreach(json_object_get(version, "main_images"), i, one)
        sbx_append(images, picture_new(sb, sbx_text(one, "uri")));
    json_array_foreach(json_object_get(version, "skus"), i, one)
        sbx_append(skus, sku_new(sb, one, true));
    sbx_set(out, "category_chains", chain_new(sb, sbx_text(version, "category_id")));
    sbx_set(out, "main_images", images);
    sbx_set(out, "skus", skus);
    sbx_set(out, "product_attributes", attributes_new(sb, version));
}

void sbx_get_product(struct sbx_call *c)
{
    const char *id = http_param(c->req, "product_id");
    const json_t *product = json_object_get(c->shop->products, id);
    bool review = str_eq(sbx_query(c, "return_under_review_version"), "true");
    const json_t *pending = json_object_get(product, "pending");

    if (review && str_eq(sbx_query(c, "return_draft_version"), "true")) {
        sbx_fail(c, 36009004,
                 "return_under_review_version and return_draft_version exclude each other");
        return;
    }
    if (product == NULL) {
        sbx_fail(c, 12052260, "The product ID does not exist");
        return;
    }
    c->data = sbx_need(json_object());
    sbx_set_text(c->data, "id", id);
    sbx_set_text(c->data, "status", sbx_text(product, "status"));
    content_put(c->sb, review && pending != NULL ? pending : product, c->data);
    sbx_set_int(c->data, "create_time", sbx_int(product, "create_time"));
    sbx_set_int(c->data, "update_time", sbx_int(product, "update_time"));
    sbx_set(c->data, "audit", audit_new(product));
    json_t *reasons = json_object_get(product, "audit_failed_reasons");
    sbx_set(c->data, "audit_failed_reasons",
            reasons == NULL ? json_array() : json_deep_copy(reasons));
}

/* ---- search ---------------------------------------------------------------------------------- */

static bool in_list(const json_t *list, const char *text)
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

/* Whether any SKU has one of the wanted texts in `member`; no list fits all. */
static bool sku_fits(const json_t *product, const char *member, const json_t *wanted)
{
    size_t i;
    json_t *sku;

    if (json_array_size(wanted) == 0)
        return true;
    json_array_foreach(json_object_get(product, "skus"), i, sku)
    {
        if (in_list(wanted, sbx_text(sku, member)))
            return true;
    }
    return false;
}

static bool time_fits(const json_t *filter, const char *low, const char *high, int64_t at)
{
    const json_t *from = json_object_get(filter, low);
    const json_t *to = json_object_get(filter, high);

    return (from == NULL || at >= json_integer_value(from)) &&
           (to == NULL || at <= json_integer_value(to));
}

static bool fits(const json_t *filter, const json_t *product)
{
    const char *status = sbx_text(filter, "status");
    const json_t *audits = json_object_get(filter, "audit_status");

    return (status[0] == '\0' || str_eq(status, "ALL") ||
            str_eq(status, sbx_text(product, "status"))) &&
           (json_array_size(audits) == 0 || in_list(audits, sbx_text(product, "audit_status"))) &&
           time_fits(filter, "create_time_ge", "create_time_le", sbx_int(product, "create_time")) &&
           time_fits(filter, "update_time_ge", "update_time_le", sbx_int(product, "update_time")) &&
           sku_fits(product, "seller_sku", json_object_get(filter, "seller_skus")) &&
           sku_fits(product, "id", json_object_get(filter, "sku_ids"));
}

static json_t *row_new(const struct sandbox *sb, const json_t *product)
{
    json_t *out = sbx_need(json_object());
    json_t *skus = sbx_need(json_array());
    size_t i;
    json_t *sku;

    json_array_foreach(json_object_get(product, "skus"), i, sku)
        sbx_append(skus, sku_new(sb, sku, false));
    sbx_set_text(out, "id", sbx_text(product, "id"));
    sbx_set_text(out, "title", sbx_text(product, "title"));
    sbx_set_text(out, "status", sbx_text(product, "status"));
    sbx_set(out, "skus", skus);
    sbx_set(out, "sales_regions", json_pack("[s]", "BR"));
    sbx_set_int(out, "create_time", sbx_int(product, "create_time"));
    sbx_set_int(out, "update_time", sbx_int(product, "update_time"));
    sbx_set(out, "audit", audit_new(product));
    sbx_set(out, "has_draft", json_false());
    return out;
}

void sbx_search_products(struct sbx_call *c)
{
    json_t *page = sbx_need(json_array());
    size_t offset = 0, count = 0, found = 0;
    const char *id;
    json_t *product;

    c->data = sbx_need(json_object());
    sbx_set(c->data, "products", page);
    if (!sbx_page(c, &offset, &count))
        return;
    if (json_array_size(json_object_get(c->body, "seller_skus")) > 10) {
        sbx_fail(c, 12019027, "The maximum count of seller_skus in the search filter is 10.");
        return;
    }
    if (offset + count > 10000) {
        sbx_fail(c, 12052180, "The total number of search results can not exceed 10000.");
        return;
    }
    json_object_foreach(c->shop->products, id, product)
    {
        if (!fits(c->body, product))
            continue;
        if (found >= offset && found < offset + count)
            sbx_append(page, row_new(c->sb, product));
        found++;
    }
    sbx_page_next(c, offset, count, found);
}
