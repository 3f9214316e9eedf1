/* map_variants.c - which choices tell the SKUs of a product apart, and how TikTok names them. */
#include "map_product.h"

#include <string.h>

#include "jspec.h"
#include "map_text.h"
#include "map_words.h"
#include "problem.h"
#include "str.h"

#define NAME_CHARS 20
#define VALUE_CHARS 50
#define LIMIT_DETAIL_KINDS 20

const char *item_text(const json_t *item, const char *field)
{
    static const char DETAILS[] = "details:";

    if (!str_starts(field, DETAILS)) {
        const char *text = json_string_value(json_object_get(item, field));

        return str_blank(text) ? NULL : text;
    }

    const json_t *details = json_object_get(item, "details");

    for (size_t i = 0; i < json_array_size(details); i++) {
        const json_t *one = json_array_get(details, i);

        if (map_text_same(jspec_text(one, "name"), field + sizeof(DETAILS) - 1))
            return str_blank(jspec_text(one, "value")) ? NULL : jspec_text(one, "value");
    }
    return NULL;
}

enum rc map_variant_value(const struct variant_kind *kind, const json_t *item, struct buf *out,
                          struct err *e)
{
    return map_text_plain(item_text(item, kind->field), VALUE_CHARS, out, e);
}

/* Key of a value for comparing; empty = absent. */
static enum rc value_key(const struct variant_kind *kind, const json_t *item, struct buf *key,
                         struct err *e)
{
    OWN_BUF struct buf value;

    buf_init(&value, 4096);
    enum rc rc = map_variant_value(kind, item, &value, e);

    return rc == RC_OK ? map_text_key(buf_text(&value), key, e) : rc;
}

/* *distinct: number of different values; 0 when a SKU has none. */
static enum rc count_values(const struct map_sku *skus, int n, const struct variant_kind *kind,
                            size_t *distinct, struct err *e)
{
    json_auto_t *seen = json_object();
    OWN_BUF struct buf key;

    buf_init(&key, 4096);
    *distinct = 0;
    for (int i = 0; i < n; i++) {
        enum rc rc = value_key(kind, skus[i].item, &key, e);

        if (rc != RC_OK)
            return rc;
        if (key.len == 0 || !map_text_has_word(buf_text(&key)))
            return RC_OK;
        if (json_object_set_new(seen, buf_text(&key), json_true()) != 0)
            return err_set(e, RC_BUG, "out of memory");
    }
    *distinct = json_object_size(seen);
    return RC_OK;
}

/* Whether the kinds chosen so far give every SKU its own combination. */
static enum rc all_unique(const struct variant_plan *plan, const struct map_sku *skus, int n,
                          bool *unique, struct err *e)
{
    json_auto_t *seen = json_object();
    OWN_BUF struct buf all;
    OWN_BUF struct buf key;

    buf_init(&all, 16384);
    buf_init(&key, 4096);
    for (int i = 0; i < n; i++) {
        buf_clear(&all);
        for (int k = 0; k < plan->n; k++) {
            enum rc rc = value_key(&plan->kinds[k], skus[i].item, &key, e);

            if (rc != RC_OK)
                return rc;
            buf_str(&all, buf_text(&key));
            buf_char(&all, '\n');
        }
        if (json_object_set_new(seen, buf_text(&all), json_true()) != 0)
            return err_set(e, RC_BUG, "out of memory");
    }
    *unique = json_object_size(seen) == (size_t)n;
    return RC_OK;
}

static bool planned(const struct variant_plan *plan, const char *field)
{
    for (int i = 0; i < plan->n; i++)
        if (map_text_same(plan->kinds[i].field, field))
            return true;
    return false;
}

static enum rc try_field(struct variant_plan *plan, const struct map_sku *skus, int n,
                         const char *field, size_t wanted, bool *added, struct err *e)
{
    struct variant_kind kind = { 0 };
    size_t distinct;

    *added = false;
    if (plan->n == VARIANT_KINDS_MAX || planned(plan, field) ||
        !str_copy(kind.field, sizeof(kind.field), field))
        return RC_OK;
    enum rc rc = count_values(skus, n, &kind, &distinct, e);

    if (rc == RC_OK && distinct >= wanted) {
        plan->kinds[plan->n++] = kind;
        *added = true;
    }
    return rc;
}

/* Choices named by the merchant: product details that differ. */
static enum rc try_details(struct variant_plan *plan, const struct map_sku *skus, int n,
                           struct err *e)
{
    const json_t *details = json_object_get(skus[0].item, "details");
    bool added;

    for (size_t i = 0; i < json_array_size(details) && i < LIMIT_DETAIL_KINDS; i++) {
        const char *name = jspec_text(json_array_get(details, i), "name");
        char field[100];

        if (str_blank(name) || !str_fmt(field, sizeof(field), "details:%s", name))
            continue;
        enum rc rc = try_field(plan, skus, n, field, 2, &added, e);

        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

static enum rc choose_differing(struct variant_plan *plan, const struct map_sku *skus, int n,
                                json_t *problems, struct err *e)
{
    static const char *const FIRST[] = { "color", "size", "pattern", "material" };
    static const char *const LATER[] = { "gender", "age_group", "condition" };
    bool unique = false;
    bool added;
    enum rc rc = RC_OK;

    for (size_t i = 0; rc == RC_OK && i < sizeof(FIRST) / sizeof(FIRST[0]); i++)
        rc = try_field(plan, skus, n, FIRST[i], 2, &added, e);
    if (rc == RC_OK)
        rc = try_details(plan, skus, n, e);
    for (size_t i = 0; rc == RC_OK && i < sizeof(LATER) / sizeof(LATER[0]); i++)
        rc = try_field(plan, skus, n, LATER[i], 2, &added, e);
    if (rc == RC_OK)
        rc = all_unique(plan, skus, n, &unique, e);
    if (rc != RC_OK || unique)
        return rc;

    /* nothing tells them apart but perhaps their titles */
    struct variant_plan titles = { .primary = -1 };

    rc = try_field(&titles, skus, n, "title", (size_t)n, &added, e);
    if (rc == RC_OK && added)
        *plan = titles;
    else if (rc == RC_OK)
        problem_add(
            problems, "duplicate_variants", "items",
            "Give each variant its own color, size or other choice in the feed.",
            "Variants of the product cannot be told apart by color, size or any other choice.");
    return rc;
}

/* Value id of a text in an attribute; "" = none. */
static void built_in_value(const json_t *attribute, const char *field, const char *text,
                           char out[JSPEC_ID_BYTES])
{
    const json_t *values = json_object_get(attribute, "values");

    out[0] = '\0';
    for (size_t i = 0; i < json_array_size(values) && out[0] == '\0'; i++) {
        const json_t *one = json_array_get(values, i);

        if (map_words_value_same(field, text, jspec_text(one, "name")))
            jspec_id(one, "id", out);
    }
}

/* Every value is a built-in one, and different values stay different. */
static enum rc all_built_in(const json_t *attribute, const struct variant_kind *kind,
                            const struct map_sku *skus, int n, bool *all, struct err *e)
{
    json_auto_t *keys = json_object(); /* value id -> key of the feed's value */
    OWN_BUF struct buf value;
    OWN_BUF struct buf key;
    char id[JSPEC_ID_BYTES];

    buf_init(&value, 4096);
    buf_init(&key, 4096);
    *all = true;
    for (int i = 0; i < n && *all; i++) {
        enum rc rc = map_variant_value(kind, skus[i].item, &value, e);

        if (rc == RC_OK)
            rc = map_text_key(buf_text(&value), &key, e);
        if (rc != RC_OK)
            return rc;
        built_in_value(attribute, kind->field, buf_text(&value), id);

        const char *before = json_string_value(json_object_get(keys, id));

        *all = id[0] != '\0' && (before == NULL || strcmp(before, buf_text(&key)) == 0);
        if (json_object_set_new(keys, id, json_string(buf_text(&key))) != 0)
            return err_set(e, RC_BUG, "out of memory");
    }
    return RC_OK;
}

static const json_t *sales_attribute(const json_t *attributes, const char *field)
{
    for (size_t i = 0; i < json_array_size(attributes); i++) {
        const json_t *one = json_array_get(attributes, i);

        if (str_eq(jspec_text(one, "type"), "SALES_PROPERTY") &&
            map_words_field_is(field, jspec_text(one, "name")))
            return one;
    }
    return NULL;
}

/* Built-in when every value is; else the built-in attribute with free values where it must be that one; else an
 * own name. */
static enum rc name_kind(struct variant_kind *kind, const struct map_sku *skus, int n,
                         const json_t *attributes, struct err *e)
{
    const json_t *attribute = sales_attribute(attributes, kind->field);
    OWN_BUF struct buf name;
    bool all = false;
    enum rc rc = RC_OK;

    buf_init(&name, 1024);
    if (attribute != NULL)
        rc = all_built_in(attribute, kind, skus, n, &all, e);
    if (rc == RC_OK && attribute != NULL &&
        (all || (jspec_bool(attribute, "is_requried", false) &&
                 jspec_bool(attribute, "is_customizable", false)))) {
        jspec_id(attribute, "id", kind->attribute_id);
        kind->by_value_id = all;
    }
    if (rc == RC_OK)
        rc = map_text_plain(map_words_field_name(kind->field), NAME_CHARS, &name, e);
    if (rc == RC_OK && !str_copy(kind->name, sizeof(kind->name), buf_text(&name)))
        rc = err_set(e, RC_BUG, "name of a choice is too long");
    return rc;
}

/* Sales attributes that the category requires although the SKUs do not differ in them. */
static enum rc add_required(struct variant_plan *plan, const struct map_sku *skus, int n,
                            const json_t *attributes, json_t *problems, struct err *e)
{
    for (size_t i = 0; i < json_array_size(attributes); i++) {
        const json_t *one = json_array_get(attributes, i);
        const char *name = jspec_text(one, "name");
        const char *field = map_words_field_of(name);
        char detail[100];
        bool added = false;

        if (!str_eq(jspec_text(one, "type"), "SALES_PROPERTY") ||
            !jspec_bool(one, "is_requried", false))
            continue;
        if (field == NULL && str_fmt(detail, sizeof(detail), "details:%s", name ? name : ""))
            field = detail;
        if (field != NULL && planned(plan, field))
            continue;
        enum rc rc = field != NULL ? try_field(plan, skus, n, field, 1, &added, e) : RC_OK;

        if (rc != RC_OK)
            return rc;
        if (!added)
            problem_add(problems, "missing_attribute", name, "Add it to every variant in the feed.",
                        "The category requires the choice \"%s\", which the feed does not give.",
                        name ? name : "?");
    }
    return RC_OK;
}

/* Pictures hang on one kind: colour if there is one, else the first. */
static int primary_kind(const struct variant_plan *plan)
{
    for (int i = 0; i < plan->n; i++)
        if (strcmp(plan->kinds[i].field, "color") == 0 ||
            strcmp(plan->kinds[i].field, "pattern") == 0)
            return i;
    return plan->n > 0 ? 0 : -1;
}

enum rc map_variants_plan(const struct map_sku *skus, int n_skus, const json_t *attributes,
                          struct variant_plan *out, json_t *problems, struct err *e)
{
    struct variant_plan plan = { .primary = -1 };
    enum rc rc = RC_OK;

    if (n_skus > 1)
        rc = choose_differing(&plan, skus, n_skus, problems, e);
    if (rc == RC_OK && n_skus > 0)
        rc = add_required(&plan, skus, n_skus, attributes, problems, e);
    for (int i = 0; rc == RC_OK && i < plan.n; i++)
        rc = name_kind(&plan.kinds[i], skus, n_skus, attributes, e);
    if (rc != RC_OK)
        return rc;
    plan.primary = n_skus > 1 ? primary_kind(&plan) : -1;
    *out = plan;
    return RC_OK;
}

static enum rc one_attribute(const struct variant_kind *kind, const json_t *attributes,
                             const json_t *item, const json_t *image_uris, json_t **out,
                             struct err *e)
{
    json_auto_t *made = json_object();
    OWN_BUF struct buf value;
    OWN_BUF struct buf key;
    char id[JSPEC_ID_BYTES] = "";

    buf_init(&value, 4096);
    buf_init(&key, 4096);
    enum rc rc = map_variant_value(kind, item, &value, e);

    if (rc == RC_OK)
        rc = map_text_key(buf_text(&value), &key, e);
    if (rc != RC_OK)
        return rc;
    if (kind->by_value_id)
        built_in_value(sales_attribute(attributes, kind->field), kind->field, buf_text(&value), id);

    int bad = kind->attribute_id[0]
                  ? json_object_set_new(made, "id", json_string(kind->attribute_id))
                  : json_object_set_new(made, "name", json_string(kind->name));

    if (id[0] != '\0')
        bad |= json_object_set_new(made, "value_id", json_string(id));
    else
        bad |= json_object_set_new(made, "value_name", json_string(buf_text(&value)));

    const char *uri = json_string_value(json_object_get(image_uris, buf_text(&key)));

    if (uri != NULL)
        bad |= json_object_set_new(made, "sku_img", json_pack("{s:s}", "uri", uri));
    if (bad != 0)
        return err_set(e, RC_BUG, "out of memory");
    *out = json_incref(made);
    return RC_OK;
}

enum rc map_sales_attributes(const struct variant_plan *plan, const json_t *attributes,
                             const json_t *item, const json_t *image_uris, json_t **out,
                             struct err *e)
{
    json_auto_t *list = json_array();

    for (int i = 0; i < plan->n; i++) {
        json_t *one = NULL;
        enum rc rc = one_attribute(&plan->kinds[i], attributes, item,
                                   i == plan->primary ? image_uris : NULL, &one, e);

        if (rc != RC_OK)
            return rc;
        if (json_array_append_new(list, one) != 0)
            return err_set(e, RC_BUG, "out of memory");
    }
    *out = json_incref(list);
    return RC_OK;
}
