/* jspec.c - strict JSON: a scan that bounds depth, keys and integers, then jansson, then checks by table. */
#include "jspec.h"

#include "str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longest integer that surely fits in 63 bits; longer ones become strings. */
#define SAFE_DIGITS 18
#define LIMIT_PATH_BYTES 256

/* Where the scan stands: structure only; jansson judges the grammar. */
struct scan {
    const char *p, *end;
    struct buf *copy; /* the text with long integers quoted */
    int depth;
    size_t keys, keys_max;
};

static void skip_string(struct scan *s)
{
    const char *start = s->p++;

    while (s->p < s->end && *s->p != '"')
        s->p += *s->p == '\\' && s->p + 1 < s->end ? 2 : 1;
    if (s->p < s->end)
        s->p++;
    buf_add(s->copy, start, (size_t)(s->p - start));
}

static void copy_number(struct scan *s)
{
    const char *start = s->p;
    size_t digits = 0;
    bool integer = true;

    for (; s->p < s->end && strchr("+-0123456789.eE", *s->p) != NULL && *s->p != '\0'; s->p++) {
        if (*s->p >= '0' && *s->p <= '9')
            digits++;
        else if (!(s->p == start && *s->p == '-'))
            integer = false;
    }
    bool quote = integer && digits > SAFE_DIGITS;

    if (quote)
        buf_char(s->copy, '"');
    buf_add(s->copy, start, (size_t)(s->p - start));
    if (quote)
        buf_char(s->copy, '"');
}

static enum rc scan_text(struct scan *s, struct err *e)
{
    while (s->p < s->end) {
        char c = *s->p;

        if (c == '"') {
            skip_string(s);
            continue;
        }
        if (c == '-' || (c >= '0' && c <= '9')) {
            copy_number(s);
            continue;
        }
        if (c == '{' || c == '[')
            s->depth++;
        else if (c == '}' || c == ']')
            s->depth--;
        else if (c == ':')
            s->keys++;
        if (s->depth > LIMIT_JSON_DEPTH)
            return err_code(e, RC_INVALID, "json_too_deep", "JSON is deeper than %d",
                            LIMIT_JSON_DEPTH);
        if (s->keys > s->keys_max)
            return err_code(e, RC_INVALID, "json_too_many_keys", "JSON has more than %zu keys",
                            s->keys_max);
        buf_char(s->copy, c);
        s->p++;
    }
    return RC_OK;
}

enum rc jspec_parse(const void *text, size_t len, size_t keys_max, json_t **out, struct err *e)
{
    OWN_BUF struct buf copy;
    struct scan s = { .p = text, .copy = &copy, .keys_max = keys_max ? keys_max : LIMIT_JSON_KEYS };
    json_error_t why;
    json_t *value;
    enum rc rc;

    if (text == NULL) { /* an empty body */
        s.p = "";
        len = 0;
    }
    buf_init(&copy, len * 2 + 16);
    s.end = s.p + len;
    if (!str_utf8_valid(s.p, len))
        return err_code(e, RC_INVALID, "json_encoding", "JSON is not valid UTF-8");
    rc = scan_text(&s, e);
    if (rc == RC_OK)
        rc = buf_check(&copy, e);
    if (rc != RC_OK)
        return rc;
    value = json_loadb(buf_text(&copy), copy.len,
                       JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, &why);
    if (value == NULL)
        return err_code(e, RC_INVALID, "json_invalid", "not valid JSON (line %d, column %d)",
                        why.line, why.column);
    *out = value;
    return RC_OK;
}

static int dump_part(const char *part, size_t size, void *user)
{
    buf_add(user, part, size);
    return 0;
}

enum rc jspec_dump(const json_t *value, struct buf *out, struct err *e)
{
    if (json_dump_callback(value, dump_part, out, JSON_COMPACT | JSON_ENCODE_ANY) != 0)
        return err_set(e, RC_BUG, "cannot write JSON");
    return buf_check(out, e);
}

/* ---- checks ------------------------------------------------------------------------------------ */

static const char *const TYPE_WORDS[] = { "text",      "an integer",      "true or false",
                                          "an object", "a list of texts", "a decimal as text",
                                          "anything" };

static bool is_decimal(const json_t *v)
{
    const char *t = json_string_value(v);
    size_t len;

    if (t == NULL)
        return false;
    t += *t == '-';
    len = strlen(t);
    return len > 0 && len <= 24 && strspn(t, "0123456789.") == len && t[0] != '.' &&
           t[len - 1] != '.' && (strchr(t, '.') == NULL || strchr(strchr(t, '.') + 1, '.') == NULL);
}

static bool type_ok(const json_t *v, enum jspec_type type)
{
    size_t i;
    json_t *item;

    switch (type) {
    case JSPEC_TEXT:
        return json_is_string(v) && strlen(json_string_value(v)) == json_string_length(v);
    case JSPEC_INT:
        return json_is_integer(v);
    case JSPEC_BOOL:
        return json_is_boolean(v);
    case JSPEC_OBJECT:
        return json_is_object(v);
    case JSPEC_LIST_TEXT:
        if (!json_is_array(v))
            return false;
        json_array_foreach(v, i, item)
        {
            if (!json_is_string(item) ||
                strlen(json_string_value(item)) != json_string_length(item))
                return false;
        }
        return true;
    case JSPEC_DECIMAL:
        return is_decimal(v);
    case JSPEC_ANY:
        return true;
    }
    return false;
}

static enum rc check_range(const json_t *v, const struct jspec_field *f, const char *path,
                           struct err *e)
{
    int64_t size;

    if (f->min == 0 && f->max == 0 && f->words == NULL)
        return RC_OK;
    if (f->type == JSPEC_INT)
        size = json_integer_value(v);
    else if (f->type == JSPEC_TEXT)
        size = (int64_t)str_utf8_count(json_string_value(v));
    else if (f->type == JSPEC_LIST_TEXT)
        size = (int64_t)json_array_size(v);
    else
        return RC_OK;
    if ((f->min != 0 || f->max != 0) && (size < f->min || size > f->max))
        return err_field(e, path, "%s must be %s%lld to %lld%s", path,
                         f->type == JSPEC_INT ? "" : "of ", (long long)f->min, (long long)f->max,
                         f->type == JSPEC_TEXT  ? " characters"
                         : f->type == JSPEC_INT ? ""
                                                : " items");
    if (f->type != JSPEC_TEXT || f->words == NULL)
        return RC_OK;
    for (const char *const *w = f->words; *w != NULL; w++) {
        if (str_eq(*w, json_string_value(v)))
            return RC_OK;
    }
    return err_field(e, path, "%s must be one of the words of the documentation", path);
}

static const struct jspec_field *find(const struct jspec_field *spec, const char *name)
{
    for (; spec->name != NULL; spec++) {
        if (strcmp(spec->name, name) == 0)
            return spec;
    }
    return NULL;
}

/* Depth is bounded by the tables, which are constants. */
static enum rc check_at(const json_t *object, const struct jspec_field *spec, const char *prefix,
                        struct err *e)
{
    char path[LIMIT_PATH_BYTES];
    const char *name;
    json_t *v;

    json_object_foreach((json_t *)(uintptr_t)object, name, v)
    {
        const struct jspec_field *f = find(spec, name);
        enum rc rc;

        (void)snprintf(path, sizeof path, "%s%s%.60s", prefix, *prefix ? "." : "", name);
        if (f == NULL)
            return err_field(e, path, "%s is not a known field", path);
        if (json_is_null(v) && f->nullable)
            continue;
        if (!type_ok(v, f->type))
            return err_field(e, path, "%s must be %s", path, TYPE_WORDS[f->type]);
        rc = check_range(v, f, path, e);
        if (rc == RC_OK && f->type == JSPEC_OBJECT && f->sub != NULL)
            rc = check_at(v, f->sub, path, e);
        if (rc != RC_OK)
            return rc;
    }
    for (const struct jspec_field *f = spec; f->name != NULL; f++) {
        if (f->required && json_object_get(object, f->name) == NULL) {
            (void)snprintf(path, sizeof path, "%s%s%s", prefix, *prefix ? "." : "", f->name);
            return err_field(e, path, "%s is missing", path);
        }
    }
    return RC_OK;
}

enum rc jspec_check(const json_t *object, const struct jspec_field *spec, struct err *e)
{
    if (!json_is_object(object))
        return err_code(e, RC_INVALID, "invalid_body", "the body must be a JSON object");
    return check_at(object, spec, "", e);
}

/* ---- reads ------------------------------------------------------------------------------------- */

const json_t *jspec_get(const json_t *root, const char *path)
{
    char name[LIMIT_PATH_BYTES];

    while (root != NULL && *path != '\0') {
        size_t len = strcspn(path, ".");

        if (len >= sizeof name)
            return NULL;
        memcpy(name, path, len);
        name[len] = '\0';
        root = json_is_array(root) ? json_array_get(root, (size_t)strtoul(name, NULL, 10))
                                   : json_object_get(root, name);
        path += len + (path[len] == '.');
    }
    return root;
}

const char *jspec_text(const json_t *root, const char *path)
{
    return json_string_value(jspec_get(root, path));
}

int64_t jspec_int(const json_t *root, const char *path, int64_t fallback)
{
    const json_t *v = jspec_get(root, path);
    int64_t n;

    if (json_is_integer(v))
        return json_integer_value(v);
    if (json_is_string(v) && str_to_i64(json_string_value(v), INT64_MIN, INT64_MAX, &n))
        return n;
    return fallback;
}

bool jspec_bool(const json_t *root, const char *path, bool fallback)
{
    const json_t *v = jspec_get(root, path);

    return json_is_boolean(v) ? json_is_true(v) : fallback;
}

void jspec_id(const json_t *root, const char *path, char out[JSPEC_ID_BYTES])
{
    const json_t *v = jspec_get(root, path);

    out[0] = '\0';
    if (json_is_string(v))
        (void)str_copy(out, JSPEC_ID_BYTES, json_string_value(v)); /* too long: "" */
    else if (json_is_integer(v))
        (void)str_fmt(out, JSPEC_ID_BYTES, "%lld", (long long)json_integer_value(v));
}
