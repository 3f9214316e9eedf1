/* map_attributes.c - product attributes of a category, filled from the feed, and what the category's rules demand. */
#include "map_product.h"

#include <string.h>

#include "jspec.h"
#include "map_text.h"
#include "map_words.h"
#include "problem.h"
#include "str.h"

#define VALUE_CHARS 2000
#define LIMIT_ACCEPTED 12 /* values named in a message */
#define ACCEPTED_BYTES 400
#define LIMIT_PASSES 5 /* conditions can make further attributes mandatory */

const char *desired_text(const json_t *desired, const char *member)
{
    const char *text = json_string_value(json_object_get(desired, member));
    const json_t *items = json_object_get(desired, "items");

    if (!str_blank(text))
        return text;
    for (size_t i = 0; i < json_array_size(items); i++) {
        text = item_text(json_array_get(items, i), member);
        if (text != NULL)
            return text;
    }
    return NULL;
}

/* What the feed says for an attribute of that name; *field is the member it came from. */
static const char *feed_value(const json_t *desired, const char *name, char field[120])
{
    const char *known = map_words_field_of(name);
    const char *text = known != NULL ? desired_text(desired, known) : NULL;

    if (text != NULL && str_copy(field, 120, known))
        return text;
    if (!str_fmt(field, 120, "details:%s", name))
        return NULL;
    return desired_text(desired, field);
}

static bool positive_number(const char *text)
{
    bool dot = false;
    bool nonzero = false;

    if (*text == '\0' || *text == '.')
        return false;
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '.' && !dot)
            dot = true;
        else if (*p >= '0' && *p <= '9')
            nonzero = nonzero || *p != '0';
        else
            return false;
    }
    return nonzero && text[strlen(text) - 1] != '.';
}

static json_t *built_in(const json_t *attribute, const char *field, const char *text)
{
    const json_t *values = json_object_get(attribute, "values");

    for (size_t i = 0; i < json_array_size(values); i++) {
        const json_t *one = json_array_get(values, i);
        char id[JSPEC_ID_BYTES];

        if (!map_words_value_same(field, text, jspec_text(one, "name")))
            continue;
        jspec_id(one, "id", id);
        return id[0] ? json_pack("{s:s}", "id", id) : NULL;
    }
    return NULL;
}

static enum rc free_value(const json_t *attribute, const char *text, json_t **out, struct err *e)
{
    OWN_BUF struct buf clean;

    buf_init(&clean, 16384);
    enum rc rc = map_text_plain(text, VALUE_CHARS, &clean, e);

    if (rc != RC_OK)
        return rc;
    if (clean.len == 0 ||
        (str_eq(jspec_text(attribute, "value_data_format"), "POSITIVE_INT_OR_DECIMAL") &&
         !positive_number(buf_text(&clean))))
        return RC_OK;
    *out = json_pack("{s:s}", "name", buf_text(&clean));
    return *out != NULL ? RC_OK : err_set(e, RC_BUG, "out of memory");
}

/* Several values "algodão/poliéster" for an attribute that takes several. */
static json_t *built_in_parts(const json_t *attribute, const char *field, const char *text)
{
    json_t *values = json_array();
    const char *p = text;

    while (values != NULL && *p != '\0') {
        size_t len = strcspn(p, "/,;");
        char part[256];

        if (len < sizeof(part)) {
            memcpy(part, p, len);
            part[len] = '\0';
            json_t *value = built_in(attribute, field, str_trim(part));

            if (value != NULL)
                (void)json_array_append_new(values,
                                            value); /* a part less is a value less, no harm */
        }
        p += len;
        if (*p != '\0')
            p++;
    }
    return values;
}

/* Values of one attribute from the feed; an empty list when nothing fits. */
static enum rc attribute_values(const json_t *desired, const json_t *attribute, bool required,
                                json_t **out, struct err *e)
{
    const char *name = jspec_text(attribute, "name");
    char field[120] = "";
    const char *text = name != NULL ? feed_value(desired, name, field) : NULL;
    json_auto_t *values = json_array();
    json_t *one = NULL;
    enum rc rc = RC_OK;

    if (text != NULL) {
        one = built_in(attribute, field, text);
        if (one == NULL && jspec_bool(attribute, "is_multiple_selection", false)) {
            json_decref(values);
            values = built_in_parts(attribute, field, text);
        }
        if (one == NULL && json_array_size(values) == 0 && required &&
            jspec_bool(attribute, "is_customizable", false))
            rc = free_value(attribute, text, &one, e);
        if (one != NULL && json_array_append_new(values, one) != 0)
            rc = err_set(e, RC_BUG, "out of memory");
    }
    if (rc == RC_OK && values == NULL)
        rc = err_set(e, RC_BUG, "out of memory");
    if (rc == RC_OK)
        *out = json_incref(values);
    return rc;
}

/* {"value_id": "..."} or {"value_name": "..."} of the taxonomy. */
static json_t *fixed_values(const json_t *fixed, const char *attribute_id)
{
    const json_t *one = json_object_get(fixed, attribute_id);
    const char *id = jspec_text(one, "value_id");
    const char *text = jspec_text(one, "value_name");

    if (!str_blank(id))
        return json_pack("[{s:s}]", "id", id);
    return !str_blank(text) ? json_pack("[{s:s}]", "name", text) : NULL;
}

static bool condition_met(const json_t *conditions, const json_t *chosen)
{
    for (size_t i = 0; i < json_array_size(conditions); i++) {
        const json_t *one = json_array_get(conditions, i);
        const char *kind = jspec_text(one, "condition_type");
        char attribute[JSPEC_ID_BYTES];
        char value[JSPEC_ID_BYTES];

        jspec_id(one, "attribute_id", attribute);
        jspec_id(one, "attribute_value_id", value);

        const json_t *ids = json_object_get(chosen, attribute);

        if (kind != NULL && strcmp(kind, "VALUE_ID_MATCH") != 0)
            continue;
        for (size_t k = 0; k < json_array_size(ids); k++)
            if (str_eq(json_string_value(json_array_get(ids, k)), value))
                return true;
    }
    return false;
}

static bool is_required(const json_t *attribute, const json_t *chosen)
{
    return jspec_bool(attribute, "is_requried", false) ||
           condition_met(json_object_get(attribute, "requirement_conditions"), chosen);
}

static enum rc keep(json_t *list, json_t *chosen, const char *id, json_t *values, struct err *e)
{
    json_auto_t *ids = json_array();

    for (size_t i = 0; i < json_array_size(values); i++) {
        const char *value_id = jspec_text(json_array_get(values, i), "id");

        if (value_id != NULL && json_array_append_new(ids, json_string(value_id)) != 0)
            return err_set(e, RC_BUG, "out of memory");
    }
    if (json_object_set(chosen, id, ids) != 0 ||
        json_array_append_new(list, json_pack("{s:s, s:O}", "id", id, "values", values)) != 0)
        return err_set(e, RC_BUG, "out of memory");
    return RC_OK;
}

/* One look over all attributes; *more: something was filled, so conditions must be looked at again. */
static enum rc fill(const json_t *desired, const json_t *attributes, const json_t *fixed,
                    json_t *list, json_t *chosen, bool *more, struct err *e)
{
    *more = false;
    for (size_t i = 0; i < json_array_size(attributes); i++) {
        const json_t *one = json_array_get(attributes, i);
        json_auto_t *values = NULL;
        char id[JSPEC_ID_BYTES];
        enum rc rc = RC_OK;

        jspec_id(one, "id", id);
        if (id[0] == '\0' || !str_eq(jspec_text(one, "type"), "PRODUCT_PROPERTY") ||
            json_object_get(chosen, id) != NULL)
            continue;
        values = fixed_values(fixed, id);
        if (values == NULL)
            rc = attribute_values(desired, one, is_required(one, chosen), &values, e);
        if (rc == RC_OK && json_array_size(values) > 0) {
            rc = keep(list, chosen, id, values, e);
            *more = true;
        }
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

/* Names of the values that TikTok takes, up to a few: "Azul", "Verde" (+12). */
static void accepted(const json_t *attribute, struct buf *out)
{
    const json_t *values = json_object_get(attribute, "values");
    size_t n = json_array_size(values);
    size_t shown = 0;

    for (size_t i = 0; i < n && shown < LIMIT_ACCEPTED && out->len < ACCEPTED_BYTES; i++) {
        const char *name = jspec_text(json_array_get(values, i), "name");
        char text[ACCEPTED_BYTES / 4];

        if (str_blank(name))
            continue;
        str_copy_cut(text, sizeof(text), name);
        buf_fmt(out, "%s\"%s\"", out->len > 0 ? ", " : "", text);
        shown++;
    }
    if (shown > 0 && shown < n)
        buf_fmt(out, " (+%zu)", n - shown);
}

static bool takes_id(const json_t *values, const char *id)
{
    for (size_t i = 0; i < json_array_size(values); i++) {
        char known[JSPEC_ID_BYTES];

        jspec_id(json_array_get(values, i), "id", known);
        if (strcmp(known, id) == 0)
            return true;
    }
    return false;
}

/* A value that was fixed for the category may be one that TikTok has taken out of its list since. */
static void check_fixed(const json_t *attributes, const json_t *fixed, json_t *problems)
{
    for (size_t i = 0; i < json_array_size(attributes); i++) {
        const json_t *one = json_array_get(attributes, i);
        const json_t *values = json_object_get(one, "values");
        const char *name = jspec_text(one, "name");
        OWN_BUF struct buf takes;
        char id[JSPEC_ID_BYTES];

        buf_init(&takes, (size_t)2 * ACCEPTED_BYTES);
        jspec_id(one, "id", id);

        const char *chosen = jspec_text(json_object_get(fixed, id), "value_id");

        if (!str_eq(jspec_text(one, "type"), "PRODUCT_PROPERTY") || str_blank(chosen) ||
            json_array_size(values) == 0 || takes_id(values, chosen))
            continue;
        accepted(one, &takes);
        problem_add(problems, "fixed_value_unknown", name ? name : id,
                    "Fix the attribute again in the taxonomy.",
                    "The taxonomy fixes \"%s\" to a value that TikTok does not have. It takes: %s.",
                    name ? name : id, buf_text(&takes));
    }
}

static void missing_add(const json_t *attribute, const char *name, json_t *problems)
{
    OWN_BUF struct buf takes;

    buf_init(&takes, (size_t)2 * ACCEPTED_BYTES);
    accepted(attribute, &takes);
    if (takes.len == 0)
        problem_add(
            problems, "missing_attribute", name,
            "Add it to the feed or fix it for the category in the taxonomy.",
            "The category requires \"%s\", and the feed has no value that TikTok knows for it.",
            name);
    else
        problem_add(problems, "missing_attribute", name,
                    "Add it to the feed or fix it for the category in the taxonomy.",
                    "The category requires \"%s\", and the feed has no value that TikTok knows for "
                    "it. It takes: %s.",
                    name, buf_text(&takes));
}

static void missing(const json_t *attributes, const json_t *chosen, json_t *problems)
{
    for (size_t i = 0; i < json_array_size(attributes); i++) {
        const json_t *one = json_array_get(attributes, i);
        const char *name = jspec_text(one, "name");
        char id[JSPEC_ID_BYTES];

        jspec_id(one, "id", id);
        if (str_eq(jspec_text(one, "type"), "PRODUCT_PROPERTY") && is_required(one, chosen) &&
            json_object_get(chosen, id) == NULL)
            missing_add(one, name ? name : id, problems);
    }
}

enum rc map_product_attributes(const json_t *desired, const json_t *attributes, const json_t *fixed,
                               json_t **out, json_t **chosen, json_t *problems, struct err *e)
{
    json_auto_t *list = json_array();
    json_auto_t *ids = json_object();
    bool more = true;

    if (list == NULL || ids == NULL)
        return err_set(e, RC_BUG, "out of memory");
    for (int pass = 0; pass < LIMIT_PASSES && more; pass++) {
        enum rc rc = fill(desired, attributes, fixed, list, ids, &more, e);

        if (rc != RC_OK)
            return rc;
    }
    check_fixed(attributes, fixed, problems);
    missing(attributes, ids, problems);
    *out = json_incref(list);
    *chosen = json_incref(ids);
    return RC_OK;
}

/* What a feed never has and the connector does not send. */
static void rule_demands(const json_t *rules, json_t *problems)
{
    const json_t *fees = jspec_get(rules, "fees");

    if (jspec_bool(rules, "manufacturer.is_required", false) ||
        jspec_bool(rules, "responsible_person.is_required", false))
        problem_add(
            problems, "manufacturer_required", "manufacturer_ids",
            "Add the product in Seller Center, or map the category to another one.",
            "The category requires the manufacturer or a responsible person, which the feed "
            "does not have.");
    for (size_t i = 0; i < json_array_size(fees); i++) {
        const json_t *one = json_array_get(fees, i);
        const char *type = jspec_text(one, "type");

        if (jspec_bool(one, "is_required", false))
            problem_add(problems, "fee_required", "skus.fees",
                        "Add the product in Seller Center, or map the category to another one.",
                        "The category requires the fee \"%s\", which the feed does not have.",
                        type ? type : "?");
    }
}

void map_rule_problems(const json_t *rules, const json_t *chosen, json_t *problems)
{
    const json_t *certificates = jspec_get(rules, "product_certifications");

    if (jspec_bool(rules, "size_chart.is_required", false))
        problem_add(
            problems, "size_chart_required", "size_chart",
            "Add the product in Seller Center with its size chart, or map the category to another one.",
            "The category requires a size chart, which the feed does not have.");
    if (jspec_bool(rules, "epr.is_required", false))
        problem_add(
            problems, "epr_required", "epr", "Map the category to another one.",
            "The category requires data on producer responsibility, which the feed does not have.");
    rule_demands(rules, problems);
    for (size_t i = 0; i < json_array_size(certificates); i++) {
        const json_t *one = json_array_get(certificates, i);
        const json_t *conditions = json_object_get(one, "requirement_conditions");
        const char *name = jspec_text(one, "name");
        bool needed = json_array_size(conditions) > 0 ? condition_met(conditions, chosen)
                                                      : jspec_bool(one, "is_required", false);

        if (needed)
            problem_add(
                problems, "certification_required", "certifications",
                "Add the product in Seller Center with the certificate, or map the category to another one.",
                "The category requires the certificate \"%s\".", name ? name : "?");
    }
}
