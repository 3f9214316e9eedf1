/* shop_product.c - creating and editing products, and their review.
 *
 * A product is kept as the body that was sent, plus id, times and states. An edit of a live product is kept in
 * "pending" until the review ends; "generation" tells a review that a newer edit made it void. */
#include "state.h"

#include "jspec.h"
#include "sign.h"
#include "str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const CONTENT[] = {
    "title",
    "description",
    "category_id",
    "brand_id",
    "main_images",
    "skus",
    "package_weight",
    "package_dimensions",
    "product_attributes",
    "external_product_id",
    "size_chart",
    "certifications",
    "is_cod_allowed",
    "is_pre_owned",
    "video",
    "delivery_option_ids",
    "shipping_insurance_requirement",
    "listing_platforms",
    "shipping_template_id",
};
#define N_CONTENT (sizeof CONTENT / sizeof CONTENT[0])

static struct sbx_shop *owner_of(struct sandbox *sb, const char *product_id)
{
    for (int i = 0; i < sb->n_shops; i++) {
        if (json_object_get(sb->shops[i].products, product_id) != NULL)
            return &sb->shops[i];
    }
    return NULL;
}

/* The product of the path; NULL after sbx_fail. */
static json_t *product_of_path(struct sbx_call *c)
{
    const char *id = http_param(c->req, "product_id");
    json_t *product = json_object_get(c->shop->products, id);

    if (product == NULL && owner_of(c->sb, id) != NULL)
        sbx_fail(
            c, 12052048,
            "You cannot edit the specified product(s) as it isn't listed in your account or shop.");
    else if (product == NULL)
        sbx_fail(c, 12052260, "The product ID does not exist");
    return product;
}

json_t *sbx_sku_of_product(const json_t *product, const char *sku_id)
{
    size_t i;
    json_t *sku;

    json_array_foreach(json_object_get(product, "skus"), i, sku)
    {
        if (str_eq(sbx_text(sku, "id"), sku_id))
            return sku;
    }
    return NULL;
}

bool sbx_sku_find(struct sbx_shop *shop, const char *sku_id, json_t **product, json_t **sku)
{
    const char *product_id = json_string_value(json_object_get(shop->by_sku, sku_id));
    json_t *found = product_id == NULL ? NULL : json_object_get(shop->products, product_id);
    json_t *one = found == NULL ? NULL : sbx_sku_of_product(found, sku_id);

    if (one == NULL)
        return false;
    *product = found;
    *sku = one;
    return true;
}

/* ---- review ---------------------------------------------------------------------------------- */

struct audit {
    char shop_id[32];
    char product_id[32];
    int64_t generation;
};

static const char *forbidden_word(const struct sandbox *sb, const char *title)
{
    size_t i;
    json_t *word;
    char plain[1300];

    str_copy_cut(plain, sizeof plain, title);
    str_lower_ascii(plain);
    json_array_foreach(json_object_get(sb->market, "forbidden_words"), i, word)
    {
        if (strstr(plain, json_string_value(word)) != NULL)
            return json_string_value(word);
    }
    return NULL;
}

static void audit_webhook(struct sandbox *sb, const struct sbx_shop *shop, const json_t *product,
                          const char *event, const char *reason, bool id_as_number)
{
    json_t *data = sbx_need(json_object());
    int64_t number = 0;

    /* both forms occur in the field: a number and a text */
    if (id_as_number && str_to_i64(sbx_text(product, "id"), 1, INT64_MAX, &number))
        sbx_set_int(data, "product_id", number);
    else
        sbx_set_text(data, "product_id", sbx_text(product, "id"));
    sbx_set_text(data, "status", event);
    sbx_set_text(data, "suspended_reason", reason);
    sbx_set_int(data, "update_time", sbx_now_s());
    sbx_webhook(sb, shop, 5, data);
}

static json_t *reasons_new(const char *word)
{
    char text[160];
    json_t *reason = sbx_need(json_object());
    json_t *list = sbx_need(json_array());

    (void)snprintf(text, sizeof text, "The title holds a word that is not allowed: %s", word);
    sbx_set_text(reason, "position", "Product title");
    sbx_set(reason, "reasons", json_pack("[s]", text));
    sbx_set(reason, "suggestions", json_pack("[s]", "Remove the word and send the product again"));
    sbx_set_text(reason, "listing_platform", "TIKTOK_SHOP");
    sbx_append(list, reason);
    return list;
}

/* Moves the members of `from` into the product. */
static void adopt(json_t *product, const json_t *from)
{
    for (size_t i = 0; i < N_CONTENT; i++) {
        json_t *value = json_object_get(from, CONTENT[i]);

        if (value == NULL)
            (void)json_object_del(product, CONTENT[i]);
        else
            sbx_set(product, CONTENT[i], json_incref(value));
    }
}

static void audit_end(struct sandbox *sb, struct sbx_shop *shop, json_t *product)
{
    json_t *pending = json_object_get(product, "pending");
    const char *word = forbidden_word(sb, sbx_text(pending == NULL ? product : pending, "title"));
    bool was_live = json_is_true(json_object_get(product, "was_live"));

    sbx_set_int(product, "update_time", sbx_now_s());
    if (word != NULL) {
        sbx_set_text(product, "audit_status", "FAILED");
        sbx_set(product, "audit_failed_reasons", reasons_new(word));
        if (pending == NULL)
            sbx_set_text(product, "status", "FAILED");
        (void)json_object_del(product, "pending");
        audit_webhook(sb, shop, product, "PRODUCT_AUDIT_FAILURE",
                      "The title holds a word that is not allowed", false);
        return;
    }
    if (pending != NULL) {
        adopt(product, pending);
        (void)json_object_del(product, "pending");
    }
    sbx_set_text(product, "status", "ACTIVATE");
    sbx_set_text(product, "audit_status", "APPROVED");
    (void)json_object_del(product, "audit_failed_reasons");
    sbx_set(product, "was_live", json_true());
    audit_webhook(sb, shop, product,
                  was_live ? "PRODUCT_STATUS_CHANGED" : "PRODUCT_FIRST_PASS_REVIEW", "", !was_live);
}

static void audit_task(struct sandbox *sb, void *data)
{
    struct audit *audit = data;

    (void)pthread_mutex_lock(&sb->lock);
    struct sbx_shop *shop = sbx_shop_find(sb, audit->shop_id);
    json_t *product = shop == NULL ? NULL : json_object_get(shop->products, audit->product_id);
    if (product != NULL && sbx_int(product, "generation") == audit->generation)
        audit_end(sb, shop, product);
    (void)pthread_mutex_unlock(&sb->lock);
    free(audit);
}

/* Puts a product into review; its end comes after the audit delay. Lock held. */
static void audit_start(struct sandbox *sb, struct sbx_shop *shop, json_t *product)
{
    struct audit *audit = sbx_need(calloc(1, sizeof *audit));

    audit->generation = sbx_int(product, "generation") + 1;
    (void)str_copy(audit->shop_id, sizeof audit->shop_id, shop->id); /* sizes are equal */
    (void)str_copy(audit->product_id, sizeof audit->product_id, sbx_text(product, "id"));
    sbx_set_int(product, "generation", audit->generation);
    sbx_set_int(product, "update_time", sbx_now_s());
    sbx_set_text(product, "audit_status", "AUDITING");
    if (json_object_get(product, "pending") == NULL)
        sbx_set_text(product, "status", "PENDING");
    agenda_put(sb->agenda, sb->cfg.audit_ms, audit_task, audit);
}

/* ---- storing --------------------------------------------------------------------------------- */

static void id_of_name(const char *name, char out[24])
{
    unsigned char digest[SIGN_SHA256_BYTES];
    uint64_t value = 0;

    sign_sha256(name, strlen(name), digest);
    for (int i = 0; i < 7; i++)
        value = value << 8 | digest[i];
    (void)snprintf(out, 24, "7%017llu", (unsigned long long)(value % 100000000000000000ULL));
}

/* Custom names get ids, built-in ids get names, as a read shows both. */
static void attributes_complete(struct sandbox *sb, json_t *sku)
{
    size_t i, k;
    json_t *one, *value;
    char id[24];

    json_array_foreach(json_object_get(sku, "sales_attributes"), i, one)
    {
        const char *attribute_id = sbx_text(one, "id");
        const json_t *known =
            json_object_get(json_object_get(sb->market, "attributes"), attribute_id);

        if (attribute_id[0] == '\0') {
            id_of_name(sbx_text(one, "name"), id);
            sbx_set_text(one, "id", id);
            sbx_set_text(sb->custom, id, sbx_text(one, "name"));
        } else if (known != NULL) {
            sbx_set_text(one, "name", sbx_text(known, "name"));
        }
        if (sbx_text(one, "value_id")[0] == '\0') {
            id_of_name(sbx_text(one, "value_name"), id);
            sbx_set_text(one, "value_id", id);
            sbx_set_text(sb->custom, id, sbx_text(one, "value_name"));
            continue;
        }
        json_array_foreach(json_object_get(known, "values"), k, value)
        {
            if (str_eq(sbx_text(value, "id"), sbx_text(one, "value_id")))
                sbx_set_text(one, "value_name", sbx_text(value, "name"));
        }
    }
}

/* Gives ids to new SKUs and takes price and stock over where an edit left them out. */
static void skus_complete(struct sbx_call *c, json_t *body, const json_t *old,
                          const char *product_id)
{
    size_t i;
    json_t *sku;
    char id[32];

    json_array_foreach(json_object_get(body, "skus"), i, sku)
    {
        const json_t *before = old == NULL ? NULL : sbx_sku_of_product(old, sbx_text(sku, "id"));

        if (before == NULL) {
            sbx_id(c->sb, false, id);
            sbx_set_text(sku, "id", id);
            sbx_set_int(sku, "committed", 0);
        } else {
            static const char *const kept[] = { "price", "inventory", "committed" };

            for (size_t k = 0; k < 3; k++) {
                if (json_object_get(sku, kept[k]) == NULL)
                    sbx_set(sku, kept[k], json_deep_copy(json_object_get(before, kept[k])));
            }
        }
        attributes_complete(c->sb, sku);
        sbx_set_text(c->shop->by_sku, sbx_text(sku, "id"), product_id);
    }
}

static json_t *sku_answer_new(const json_t *sku)
{
    json_t *out = sbx_need(json_object());
    json_t *attributes = sbx_need(json_array());
    size_t i;
    json_t *one;

    json_array_foreach(json_object_get(sku, "sales_attributes"), i, one)
    {
        json_t *pair = sbx_need(json_object());

        sbx_set_text(pair, "id", sbx_text(one, "id"));
        sbx_set_text(pair, "value_id", sbx_text(one, "value_id"));
        sbx_append(attributes, pair);
    }
    sbx_set_text(out, "id", sbx_text(sku, "id"));
    sbx_set_text(out, "seller_sku", sbx_text(sku, "seller_sku"));
    sbx_set(out, "sales_attributes", attributes);
    if (json_object_get(sku, "external_sku_id") != NULL)
        sbx_set_text(out, "external_sku_id", sbx_text(sku, "external_sku_id"));
    return out;
}

static void answer(struct sbx_call *c, const json_t *product, const json_t *version,
                   json_t *warnings)
{
    json_t *skus = sbx_need(json_array());
    size_t i;
    json_t *sku;

    json_array_foreach(json_object_get(version, "skus"), i, sku)
        sbx_append(skus, sku_answer_new(sku));
    c->data = sbx_need(json_object());
    sbx_set_text(c->data, "product_id", sbx_text(product, "id"));
    sbx_set(c->data, "skus", skus);
    sbx_set(c->data, "warnings", json_incref(warnings));
}

static bool external_taken(const struct sbx_shop *shop, const char *external, const char *own_id)
{
    const char *id = json_string_value(json_object_get(shop->by_external, external));
    const json_t *product = id == NULL ? NULL : json_object_get(shop->products, id);

    return external[0] != '\0' && product != NULL && !str_eq(id, own_id) &&
           str_eq(sbx_text(product, "external_product_id"), external) &&
           !str_eq(sbx_text(product, "status"), "DELETED");
}

static void external_note(struct sbx_shop *shop, const json_t *version, const char *id)
{
    const char *external = sbx_text(version, "external_product_id");

    if (external[0] != '\0')
        sbx_set_text(shop->by_external, external, id);
}

static json_t *product_add(struct sbx_call *c, const char *id)
{
    json_t *product = sbx_need(json_object());

    sbx_set_text(product, "id", id);
    sbx_set_int(product, "create_time", sbx_now_s());
    sbx_set_int(product, "update_time", sbx_now_s());
    sbx_set_text(product, "status", "DRAFT");
    sbx_set_text(product, "audit_status", "NONE");
    sbx_set_int(product, "generation", 0);
    adopt(product, c->body);
    external_note(c->shop, c->body, id);
    sbx_set(c->shop->products, id, product);
    return product;
}

void sbx_create_product(struct sbx_call *c)
{
    const char *key = sbx_text(c->body, "idempotency_key");
    const char *first = json_string_value(json_object_get(c->shop->by_key, key));
    json_auto_t *warnings = sbx_need(json_array());
    char id[32];

    if (key[0] != '\0' && first != NULL) { /* the same logical create again */
        const json_t *product = json_object_get(c->shop->products, first);

        answer(c, product, product, warnings);
        return;
    }
    if (!sbx_product_check(c, c->body, NULL, warnings))
        return;
    if (external_taken(c->shop, sbx_text(c->body, "external_product_id"), "")) {
        sbx_fail(c, 12052996, "external_id duplicated");
        return;
    }
    sbx_id(c->sb, false, id);
    skus_complete(c, c->body, NULL, id);
    json_t *product = product_add(c, id);
    if (key[0] != '\0')
        sbx_set_text(c->shop->by_key, key, id);
    if (!str_eq(sbx_text(c->body, "save_mode"), "AS_DRAFT"))
        audit_start(c->sb, c->shop, product);
    answer(c, product, product, warnings);
}

/* A copy without what may change without a review. */
static json_t *reviewed_part_new(const json_t *version)
{
    json_t *copy = sbx_need(json_object());
    size_t i;
    json_t *sku;

    for (i = 0; i < N_CONTENT; i++) {
        json_t *value = json_object_get(version, CONTENT[i]);

        if (value != NULL)
            sbx_set(copy, CONTENT[i], json_deep_copy(value));
    }
    json_array_foreach(json_object_get(copy, "skus"), i, sku)
    {
        (void)json_object_del(sku, "price");
        (void)json_object_del(sku, "inventory");
        (void)json_object_del(sku, "committed");
    }
    return copy;
}

/* Price and stock of the SKUs that exist already take effect without a review. */
static void offers_adopt(json_t *product, const json_t *version)
{
    static const char *const members[] = { "price", "inventory" };
    size_t i;
    json_t *sku;

    json_array_foreach(json_object_get(version, "skus"), i, sku)
    {
        json_t *live = sbx_sku_of_product(product, sbx_text(sku, "id"));

        for (size_t k = 0; live != NULL && k < 2; k++)
            sbx_set(live, members[k], json_deep_copy(json_object_get(sku, members[k])));
    }
}

/* Takes a complete new version: at once, or through the review when reviewed content changed. */
static void version_put(struct sbx_call *c, json_t *product, json_t *version, json_t *warnings)
{
    const json_t *base = json_object_get(product, "pending");
    const char *status = sbx_text(product, "status");
    bool live = str_eq(status, "ACTIVATE");
    bool draft = str_eq(sbx_text(c->body, "save_mode"), "AS_DRAFT");

    skus_complete(c, version, product, sbx_text(product, "id"));
    external_note(c->shop, version, sbx_text(product, "id"));
    json_auto_t *before = reviewed_part_new(base == NULL ? product : base);
    json_auto_t *after = reviewed_part_new(version);
    bool same = json_equal(before, after);
    if (live && !same) {
        offers_adopt(product, version);
        sbx_set(product, "pending", json_incref(version));
        audit_start(c->sb, c->shop, product);
    } else {
        adopt(product, version);
        if (base != NULL)
            sbx_set(product, "pending", json_incref(version));
        sbx_set_int(product, "update_time", sbx_now_s());
        if (!live && !draft && !(same && str_eq(status, "PENDING")))
            audit_start(c->sb, c->shop, product);
    }
    answer(c, product, version, warnings);
    json_t *audit = sbx_need(json_object());
    sbx_set_text(audit, "status", sbx_text(product, "audit_status"));
    sbx_set(c->data, "audit", audit);
}

static bool editable(struct sbx_call *c, const json_t *product)
{
    const char *status = sbx_text(product, "status");

    if (!str_eq(status, "FREEZE") && !str_eq(status, "DELETED"))
        return true;
    sbx_fail(c, 12052901, "The product in its current status is not available for this operation.");
    return false;
}

static void edit(struct sbx_call *c, json_t *product, json_t *version)
{
    json_auto_t *warnings = sbx_need(json_array());

    if (!sbx_product_check(c, version, product, warnings))
        return;
    if (external_taken(c->shop, sbx_text(version, "external_product_id"),
                       sbx_text(product, "id"))) {
        sbx_fail(c, 12052996, "external_id duplicated");
        return;
    }
    version_put(c, product, version, warnings);
}

void sbx_edit_product(struct sbx_call *c)
{
    json_t *product = product_of_path(c);

    if (product != NULL && editable(c, product))
        edit(c, product, c->body);
}

void sbx_partial_edit_product(struct sbx_call *c)
{
    json_t *product = product_of_path(c);
    const json_t *base = json_object_get(product, "pending");
    const char *key;
    json_t *value;

    if (product == NULL || !editable(c, product))
        return;
    if (json_object_size(c->body) == 0) {
        sbx_fail(c, 12052910, "Invalid input parameters: nothing is to be changed");
        return;
    }
    json_auto_t *version = sbx_need(json_object());
    for (size_t i = 0; i < N_CONTENT; i++) {
        value = json_object_get(base == NULL ? product : base, CONTENT[i]);
        if (value != NULL)
            sbx_set(version, CONTENT[i], json_deep_copy(value));
    }
    json_object_foreach(c->body, key, value)
    { /* a sent member replaces the old one whole */
        if (!str_eq(key, "save_mode"))
            sbx_set(version, key, json_deep_copy(value));
    }
    edit(c, product, version);
}

/* ---- on and off sale ------------------------------------------------------------------------- */

static void item_error(json_t *errors, const char *product_id, int64_t code, const char *text,
                       bool wrapped)
{
    json_t *error = sbx_need(json_object());
    json_t *detail = sbx_need(json_object());

    sbx_set_int(error, "code", wrapped ? 12052990 : code);
    sbx_set_text(error, "message", wrapped ? "Check failed" : text);
    sbx_set_text(detail, "product_id", product_id);
    if (wrapped)
        sbx_set(detail, "extra_errors",
                json_pack("[{s:I,s:s}]", "code", (json_int_t)code, "message", text));
    sbx_set(error, "detail", detail);
    sbx_append(errors, error);
}

static void switch_one(struct sbx_call *c, const char *id, bool on, json_t *errors)
{
    json_t *product = json_object_get(c->shop->products, id);
    const char *status = sbx_text(product, "status");
    bool off_sale = str_eq(status, "SELLER_DEACTIVATED") ||
                    str_eq(status, "PLATFORM_DEACTIVATED") || str_eq(status, "DRAFT");

    if (product == NULL) {
        item_error(errors, id, on ? 12052048 : 12052032, "The product does not exist in your shop",
                   on);
    } else if (on ? !off_sale : !str_eq(status, "ACTIVATE")) {
        item_error(errors, id, 12052901,
                   "The product in its current status is not available for this operation.", on);
    } else if (on) {
        audit_start(c->sb, c->shop, product);
    } else {
        sbx_set_text(product, "status", "SELLER_DEACTIVATED");
        sbx_set_int(product, "generation", sbx_int(product, "generation") + 1);
        sbx_set_int(product, "update_time", sbx_now_s());
    }
}

static void delete_one(struct sbx_call *c, const char *id, json_t *errors)
{
    json_t *product = json_object_get(c->shop->products, id);

    if (product == NULL || str_eq(sbx_text(product, "status"), "DELETED"))
        item_error(errors, id, 12052032, "The product does not exist", false);
    else
        sbx_set_text(product, "status", "DELETED");
}

static void for_all(struct sbx_call *c, bool delete, bool on)
{
    json_t *errors = sbx_need(json_array());
    size_t i;
    json_t *id;

    json_array_foreach(json_object_get(c->body, "product_ids"), i, id)
    {
        if (delete)
            delete_one(c, json_string_value(id), errors);
        else
            switch_one(c, json_string_value(id), on, errors);
    }
    c->data = sbx_need(json_object());
    sbx_set(c->data, "errors", errors);
}

void sbx_delete_products(struct sbx_call *c)
{
    for_all(c, true, false);
}

void sbx_activate_product(struct sbx_call *c)
{
    for_all(c, false, true);
}

void sbx_deactivate_products(struct sbx_call *c)
{
    for_all(c, false, false);
}
