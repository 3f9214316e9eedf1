/* schema.c - checks requests against the reduced contract, strictly: what is not named is refused. */
#include "state.h"

#include "str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* A container that waits for its turn; the walk is a queue, not recursion. */
struct visit {
    const json_t *schema;
    const json_t *value;
    char path[160];
};

struct walk {
    struct visit *queue;
    size_t head, n, cap;
    struct sbx_breach *out;
};

static bool breach(struct sbx_breach *out, enum sbx_breach_kind kind, const char *path,
                   const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static bool breach(struct sbx_breach *out, enum sbx_breach_kind kind, const char *path,
                   const char *fmt, ...)
{
    char text[200];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args); /* shown to people: may be cut */
    va_end(args);
    out->kind = kind;
    str_copy_cut(out->path, sizeof out->path, path);
    (void)snprintf(out->text, sizeof out->text, "%.120s %.190s", path[0] == '\0' ? "body" : path,
                   text);
    return false;
}

static const char *type_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "object";
    case JSON_ARRAY:
        return "array";
    case JSON_STRING:
        return "string";
    case JSON_INTEGER:
        return "integer";
    case JSON_REAL:
        return "number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "boolean";
    default:
        return "null";
    }
}

static bool type_fits(const char *wanted, const char *got)
{
    return str_eq(wanted, got) || (str_eq(wanted, "number") && str_eq(got, "integer"));
}

static bool type_ok(const json_t *schema, const json_t *value)
{
    const json_t *type = json_object_get(schema, "type");
    const char *got = type_of(value);
    size_t i;
    json_t *one;

    if (type == NULL)
        return true;
    if (json_is_string(type))
        return type_fits(json_string_value(type), got);
    json_array_foreach(type, i, one)
    {
        if (type_fits(json_string_value(one), got))
            return true;
    }
    return false;
}

static bool enum_ok(const json_t *schema, const json_t *value)
{
    const json_t *list = json_object_get(schema, "enum");
    const json_t *only = json_object_get(schema, "const");
    size_t i;
    json_t *one;

    if (only != NULL)
        return json_equal(only, value) != 0;
    if (list == NULL)
        return true;
    json_array_foreach(list, i, one)
    {
        if (json_equal(one, value))
            return true;
    }
    return false;
}

static int64_t limit(const json_t *schema, const char *name, int64_t otherwise)
{
    const json_t *value = json_object_get(schema, name);

    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

/* Everything about a value that does not need its members. */
static bool value_ok(const json_t *schema, const json_t *value, const char *path,
                     struct sbx_breach *out)
{
    if (!type_ok(schema, value))
        return breach(out, SBX_TYPE, path, "has the type %s", type_of(value));
    if (!enum_ok(schema, value))
        return breach(out, SBX_VALUE, path, "is not one of the allowed values");
    if (json_is_string(value)) {
        int64_t count = (int64_t)str_utf8_count(json_string_value(value));

        if (count > limit(schema, "maxLength", INT64_MAX) || count < limit(schema, "minLength", 0))
            return breach(out, SBX_LENGTH, path, "has %lld characters", (long long)count);
    }
    if (json_is_integer(value)) {
        int64_t number = json_integer_value(value);

        if (number > limit(schema, "maximum", INT64_MAX) ||
            number < limit(schema, "minimum", INT64_MIN))
            return breach(out, SBX_VALUE, path, "is %lld, out of range", (long long)number);
    }
    if (json_is_array(value)) {
        int64_t count = (int64_t)json_array_size(value);

        if (count > limit(schema, "maxItems", INT64_MAX) || count < limit(schema, "minItems", 0))
            return breach(out, SBX_COUNT, path, "has %lld entries", (long long)count);
    }
    return true;
}

static bool visit_add(struct walk *w, const json_t *schema, const json_t *value, const char *path)
{
    if (!value_ok(schema, value, path, w->out))
        return false;
    if (!json_is_object(value) && !json_is_array(value))
        return true;
    if (w->n == w->cap) {
        w->cap = w->cap == 0 ? 32 : w->cap * 2;
        w->queue = sbx_need(realloc(w->queue, w->cap * sizeof *w->queue));
    }
    struct visit *v = &w->queue[w->n++];
    v->schema = schema;
    v->value = value;
    str_copy_cut(v->path, sizeof v->path, path);
    return true;
}

static bool object_ok(struct walk *w, const struct visit *v)
{
    const json_t *properties = json_object_get(v->schema, "properties");
    char path[160];
    const char *key;
    json_t *value;
    json_t *required = json_object_get(v->schema, "required");
    size_t i;

    if (properties == NULL)
        return true; /* the contract leaves the members open */
    json_array_foreach(required, i, value)
    {
        const char *name = json_string_value(value);

        if (json_object_get(v->value, name) == NULL) {
            (void)snprintf(path, sizeof path, "%.100s%s%.50s", v->path,
                           v->path[0] == '\0' ? "" : ".", name);
            return breach(w->out, SBX_MISSING, path, "is missing");
        }
    }
    json_object_foreach((json_t *)(uintptr_t)v->value, key, value)
    {
        const json_t *sub = json_object_get(properties, key);

        (void)snprintf(path, sizeof path, "%.100s%s%.50s", v->path, v->path[0] == '\0' ? "" : ".",
                       key);
        if (sub == NULL)
            return breach(w->out, SBX_UNKNOWN, path, "is not part of the contract");
        if (!visit_add(w, sub, value, path))
            return false;
    }
    return true;
}

static bool list_ok(struct walk *w, const struct visit *v)
{
    const json_t *items = json_object_get(v->schema, "items");
    size_t i;
    json_t *value;

    if (items == NULL)
        return true;
    json_array_foreach(v->value, i, value)
    {
        char path[160];

        (void)snprintf(path, sizeof path, "%.130s[%zu]", v->path, i);
        if (!visit_add(w, items, value, path))
            return false;
    }
    return true;
}

bool sbx_schema_check(const json_t *schema, const json_t *value, struct sbx_breach *out)
{
    struct walk w = { .out = out };
    bool ok = visit_add(&w, schema, value, "");

    while (ok && w.head < w.n) {
        struct visit v = w.queue[w.head++]; /* a copy: the queue may move */

        ok = json_is_object(v.value) ? object_ok(&w, &v) : list_ok(&w, &v);
    }
    free(w.queue);
    return ok;
}

static const char *plain_type(const json_t *schema)
{
    const json_t *type = json_object_get(schema, "type");

    if (json_is_array(type))
        type = json_array_get(type, 0);
    return json_is_string(type) ? json_string_value(type) : "string";
}

bool sbx_schema_param(const json_t *schema, const char *name, const char *value,
                      struct sbx_breach *out)
{
    const char *type = plain_type(schema);
    json_t *typed = NULL;
    int64_t number = 0;

    if (value[0] == '\0')
        return breach(out, SBX_VALUE, name, "is empty");
    if (str_eq(type, "integer")) {
        if (!str_to_i64(value, INT64_MIN, INT64_MAX, &number))
            return breach(out, SBX_TYPE, name, "is no whole number");
        typed = sbx_need(json_integer(number));
    } else if (str_eq(type, "boolean")) {
        if (!str_eq(value, "true") && !str_eq(value, "false"))
            return breach(out, SBX_TYPE, name, "is neither true nor false");
        return true;
    } else if (str_eq(type, "array")) {
        return true; /* joined by commas; the operation splits it */
    } else {
        typed = sbx_need(json_string(value));
    }
    bool ok = value_ok(schema, typed, name, out);
    json_decref(typed);
    return ok;
}
