/* product_added.c - edits of an adopted product keep what people added to it: SKUs and attributes that the feed does
 * not know stay, SKUs that stood there before keep the choices people gave them. */
#include "product_job.h"

#include <string.h>

#include "jspec.h"
#include "map_text.h"
#include "map_words.h"
#include "problem.h"
#include "str.h"

static json_t *attributes_new(const json_t *sku)
{
    static const char *const MEMBERS[] = { "id", "name", "value_id", "value_name" };
    const json_t *list = json_object_get(sku, "sales_attributes");
    json_t *out = json_array();

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        const char *uri = jspec_text(one, "sku_img.uri");
        json_t *made = json_object();

        for (size_t k = 0; k < sizeof MEMBERS / sizeof MEMBERS[0]; k++) {
            char text[256];
            const char *value = jspec_text(one, MEMBERS[k]);

            if (!str_blank(value) && str_copy(text, sizeof text, value))
                (void)json_object_set_new(made, MEMBERS[k], json_string(text));
        }
        if (!str_blank(uri))
            (void)json_object_set_new(made, "sku_img", json_pack("{s:s}", "uri", uri));
        (void)json_array_append_new(out, made);
    }
    return out;
}

/* One SKU as an edit puts it back: without price and stock, which stay then. */
static json_t *sku_new(const json_t *sku)
{
    static const char *const MEMBERS[] = { "seller_sku", "external_sku_id" };
    const char *code = jspec_text(sku, "identifier_code.code");
    const char *type = jspec_text(sku, "identifier_code.type");
    json_t *choices = attributes_new(sku);
    json_t *out = json_object();

    for (size_t i = 0; i < sizeof MEMBERS / sizeof MEMBERS[0]; i++) {
        const char *value = jspec_text(sku, MEMBERS[i]);

        if (!str_blank(value))
            (void)json_object_set_new(out, MEMBERS[i], json_string(value));
    }
    if (!str_blank(code) && !str_blank(type))
        (void)json_object_set_new(out, "identifier_code",
                                  json_pack("{s:s, s:s}", "code", code, "type", type));
    if (json_array_size(choices) > 0)
        (void)json_object_set(out, "sales_attributes", choices);
    json_decref(choices);
    return out;
}

json_t *publish_added_skus(const json_t *product)
{
    const json_t *list = json_object_get(product, "skus");
    json_t *out = json_array();

    for (size_t i = 0; i < json_array_size(list); i++)
        (void)json_array_append_new(out, sku_new(json_array_get(list, i)));
    return out;
}

bool publish_first_edit(const struct publish *p)
{
    return json_is_true(json_object_get(p->product.published, "adopted"));
}

static bool all_there(const struct publish *p)
{
    for (int i = 0; i < p->n_listed; i++)
        if (str_blank(p->listed[i].tiktok_sku_id))
            return false;
    return true;
}

static bool same_kind(const json_t *a, const json_t *b)
{
    const char *id = jspec_text(a, "id");

    if (str_blank(jspec_text(a, "value_id")) != str_blank(jspec_text(b, "value_id")))
        return false; /* all SKUs give a choice in the same form */
    if (!str_blank(id) || !str_blank(jspec_text(b, "id")))
        return str_eq(id, jspec_text(b, "id"));
    return str_ieq(jspec_text(a, "name"), jspec_text(b, "name"));
}

/* Whether two SKUs are told apart by the same kinds of choices. */
static bool same_kinds(const json_t *a, const json_t *b)
{
    const json_t *x = json_object_get(a, "sales_attributes");
    const json_t *y = json_object_get(b, "sales_attributes");

    if (json_array_size(x) != json_array_size(y) || json_array_size(x) == 0)
        return false;
    for (size_t i = 0; i < json_array_size(x); i++) {
        bool found = false;

        for (size_t k = 0; k < json_array_size(y) && !found; k++)
            found = same_kind(json_array_get(x, i), json_array_get(y, k));
        if (!found)
            return false;
    }
    return true;
}

static const json_t *by_id(const json_t *list, const char *id)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        char one[JSPEC_ID_BYTES];

        jspec_id(json_array_get(list, i), "id", one);
        if (str_eq(one, id))
            return json_array_get(list, i);
    }
    return NULL;
}

/* A SKU that stood there: its choices and its barcode stay; ours are taken after the first edit, where they are of
 * the same kinds. */
static int put_back(json_t *out, const json_t *theirs, const json_t *ours, bool take_ours)
{
    json_t *made = sku_new(theirs);
    char id[JSPEC_ID_BYTES];
    int bad = made == NULL;

    jspec_id(theirs, "id", id);
    bad |= json_object_set_new(made, "id", json_string(id));
    if (ours != NULL && json_object_get(ours, "external_sku_id") != NULL)
        bad |= json_object_set(made, "external_sku_id", json_object_get(ours, "external_sku_id"));
    if (take_ours && json_object_get(ours, "sales_attributes") != NULL)
        bad |= json_object_set(made, "sales_attributes", json_object_get(ours, "sales_attributes"));
    return bad | json_array_append_new(out, made);
}

static bool has_picture(const json_t *sku)
{
    const json_t *list = json_object_get(sku, "sales_attributes");

    for (size_t i = 0; i < json_array_size(list); i++)
        if (jspec_text(json_array_get(list, i), "sku_img.uri") != NULL)
            return true;
    return false;
}

/* A new SKU; with a picture only where the others have one: all of a product have, or none. */
static int add_new(json_t *out, json_t *made)
{
    json_t *choices = json_object_get(made, "sales_attributes");

    for (size_t i = 0; i < json_array_size(choices) && !has_picture(json_array_get(out, 0)); i++)
        (void)json_object_del(json_array_get(choices, i), "sku_img");
    return json_array_append(out, made);
}

/* ---- the choices of a new SKU in the kinds that people chose ------------------------------------ */

static const json_t *item_of(const struct publish *p, const char *seller_sku)
{
    for (int i = 0; i < p->n_listed; i++)
        if (str_eq(p->listed[i].seller_sku, seller_sku))
            return p->listed[i].item;
    return NULL;
}

static const json_t *by_name(const json_t *list, const char *name)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (map_text_same(jspec_text(json_array_get(list, i), "name"), name))
            return json_array_get(list, i);
    return NULL;
}

/* One choice of the item as theirs gives its own; NULL when it cannot be given so. */
static json_t *choice_new(const struct publish *p, const json_t *theirs, const json_t *item)
{
    struct variant_kind kind = { 0 };
    char id[JSPEC_ID_BYTES];
    char value_id[JSPEC_ID_BYTES];
    OWN_BUF struct buf value;

    jspec_id(theirs, "id", id);
    const json_t *built_in = id[0] != '\0' ? by_id(p->attributes, id) : NULL;
    const char *name = jspec_text(theirs, "name");
    const char *field;

    if (str_blank(name))
        name = jspec_text(built_in, "name");
    field = str_blank(name) ? NULL : map_words_field_of(name);
    buf_init(&value, 4096);
    if (field == NULL || !str_copy(kind.field, sizeof kind.field, field) ||
        map_variant_value(&kind, item, &value, NULL) != RC_OK || value.len == 0)
        return NULL;

    json_t *made = json_object();

    (void)json_object_set_new(made, id[0] != '\0' ? "id" : "name",
                              json_string(id[0] != '\0' ? id : name));
    if (str_blank(jspec_text(theirs, "value_id"))) {
        (void)json_object_set_new(made, "value_name", json_string(buf_text(&value)));
        return made;
    }
    jspec_id(by_name(jspec_get(built_in, "values"), buf_text(&value)), "id", value_id);
    if (value_id[0] != '\0') {
        (void)json_object_set_new(made, "value_id", json_string(value_id));
        return made;
    }
    json_decref(made);
    return NULL;
}

/* Gives the SKU the kinds of choices that theirs has; false when the feed does not say them. */
static bool translate(const struct publish *p, const json_t *theirs, json_t *sku)
{
    const json_t *list = json_object_get(theirs, "sales_attributes");
    const json_t *item = item_of(p, jspec_text(sku, "seller_sku"));
    json_auto_t *made = json_array();

    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *one = choice_new(p, json_array_get(list, i), item);

        if (one == NULL || json_array_append_new(made, one) != 0)
            return false;
    }
    return json_array_size(made) > 0 && json_object_set(sku, "sales_attributes", made) == 0;
}

static void cannot_add(struct publish *p, const json_t *sku)
{
    problem_add(p->notes, "adopted_variants_differ", jspec_text(sku, "seller_sku"),
                "Give the SKUs on TikTok the same kinds of choices as the feed, or add the SKU in "
                "Seller Center.",
                "The SKU cannot be added: the product on TikTok tells its SKUs apart by other "
                "choices than the feed.");
}

/* All SKUs that stand there, then the new ones; *touched: any of ours makes a difference. */
static enum rc merge_skus(struct publish *p, json_t *changed, bool *touched, struct err *e)
{
    const json_t *ours = json_object_get(changed, "skus");
    const json_t *theirs = json_object_get(p->on_tiktok, "skus");
    json_auto_t *list = json_array();
    bool first = publish_first_edit(p);
    int bad = 0;

    *touched = false;
    for (size_t i = 0; i < json_array_size(theirs); i++) {
        const json_t *one = json_array_get(theirs, i);
        char id[JSPEC_ID_BYTES];
        bool take;

        jspec_id(one, "id", id);
        take = !first && by_id(ours, id) != NULL && same_kinds(by_id(ours, id), one);
        *touched = *touched || take;
        bad |= put_back(list, one, by_id(ours, id), take);
    }
    for (size_t i = 0; i < json_array_size(ours); i++) {
        const json_t *one = json_array_get(ours, i);

        if (jspec_text(one, "id") != NULL)
            continue;
        json_auto_t *made = json_deep_copy(one);

        if (same_kinds(one, json_array_get(list, 0)) ||
            translate(p, json_array_get(theirs, 0), made)) {
            bad |= add_new(list, made);
            *touched = true;
        } else {
            cannot_add(p, one);
        }
    }
    bad |= json_object_set(changed, "skus", list);
    return bad == 0 ? RC_OK : err_set(e, RC_BUG, "out of memory");
}

/* An attribute as an edit sends it. */
static json_t *attribute_new(const json_t *theirs)
{
    const json_t *values = json_object_get(theirs, "values");
    json_t *list = json_array();
    char id[JSPEC_ID_BYTES];

    jspec_id(theirs, "id", id);
    for (size_t i = 0; i < json_array_size(values); i++) {
        const json_t *one = json_array_get(values, i);
        const char *name = jspec_text(one, "name");
        char value[JSPEC_ID_BYTES];

        jspec_id(one, "id", value);
        if (value[0] != '\0')
            (void)json_array_append_new(list, json_pack("{s:s}", "id", value));
        else if (!str_blank(name))
            (void)json_array_append_new(list, json_pack("{s:s}", "name", name));
    }
    return json_pack("{s:s, s:o}", "id", id, "values", list);
}

static enum rc merge_attributes(struct publish *p, json_t *changed, struct err *e)
{
    json_t *ours = json_object_get(changed, "product_attributes");
    const json_t *theirs = json_object_get(p->on_tiktok, "product_attributes");
    json_auto_t *list = json_copy(ours);

    for (size_t i = 0; i < json_array_size(theirs); i++) {
        char id[JSPEC_ID_BYTES];

        jspec_id(json_array_get(theirs, i), "id", id);
        if (id[0] == '\0' || by_id(ours, id) != NULL)
            continue;
        if (json_array_append_new(list, attribute_new(json_array_get(theirs, i))) != 0)
            return err_set(e, RC_BUG, "out of memory");
    }
    return json_object_set(changed, "product_attributes", list) == 0
               ? RC_OK
               : err_set(e, RC_BUG, "out of memory");
}

static enum rc read_current(struct publish *p, struct err *e)
{
    return p->on_tiktok != NULL ? RC_OK
                                : tiktok_get_product(&p->tiktok, p->product.tiktok_product_id,
                                                     false, &p->on_tiktok, NULL, e);
}

/* What the category asks for, the feed does not give and people gave: it counts as given. */
static enum rc take_missing(struct publish *p, const json_t *given, struct err *e)
{
    const json_t *theirs = json_object_get(p->on_tiktok, "product_attributes");
    json_auto_t *fixed = p->fixed != NULL ? json_deep_copy(p->fixed) : json_object();

    for (size_t i = 0; i < json_array_size(theirs); i++) {
        const json_t *one = json_array_get(theirs, i);
        const json_t *value = json_array_get(json_object_get(one, "values"), 0);
        const char *name = jspec_text(value, "name");
        char id[JSPEC_ID_BYTES];
        char value_id[JSPEC_ID_BYTES];
        json_t *made = NULL;

        jspec_id(one, "id", id);
        jspec_id(value, "id", value_id);
        if (id[0] == '\0' || by_id(given, id) != NULL)
            continue;
        if (value_id[0] != '\0')
            made = json_pack("{s:s}", "value_id", value_id);
        else if (!str_blank(name))
            made = json_pack("{s:s}", "value_name", name);
        if (made != NULL && json_object_set_new(fixed, id, made) != 0)
            return err_set(e, RC_BUG, "out of memory");
    }
    json_decref(p->fixed);
    p->fixed = json_incref(fixed);
    return RC_OK;
}

enum rc publish_added_attributes(struct publish *p, struct err *e)
{
    json_auto_t *given = NULL;
    json_auto_t *chosen = NULL;
    json_auto_t *missing = json_array();
    enum rc rc;

    if (!p->product.adopted || p->attributes == NULL)
        return RC_OK;
    rc = map_product_attributes(p->product.desired, p->attributes, p->fixed, &given, &chosen,
                                missing, e);
    if (rc != RC_OK || json_array_size(missing) == 0)
        return rc;
    rc = read_current(p, e);
    return rc == RC_OK ? take_missing(p, given, e) : rc;
}

enum rc publish_keep_added(struct publish *p, json_t *changed, bool whole, struct err *e)
{
    bool skus = json_object_get(changed, "skus") != NULL;
    bool attributes = json_object_get(changed, "product_attributes") != NULL;
    bool touched = false;
    enum rc rc = RC_OK;

    if (!p->product.adopted || (!skus && !attributes))
        return RC_OK;
    if (skus && !whole && publish_first_edit(p) && all_there(p)) {
        (void)json_object_del(changed, "skus"); /* they stay as people made them */
        skus = false;
    }
    if (skus || attributes)
        rc = read_current(p, e);
    if (rc == RC_OK && skus)
        rc = merge_skus(p, changed, &touched, e);
    if (rc == RC_OK && skus && !touched && !whole)
        (void)json_object_del(changed, "skus");
    if (rc == RC_OK && attributes)
        rc = merge_attributes(p, changed, e);
    return rc;
}
