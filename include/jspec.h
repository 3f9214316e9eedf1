/* jspec.h - JSON by specification: strict parsing, checks that name the field, safe reads. */
#ifndef JSPEC_H
#define JSPEC_H

#include "buf.h"

#include <jansson.h>

#define LIMIT_JSON_DEPTH 32
#define LIMIT_JSON_KEYS 10000
#define JSPEC_ID_BYTES 64

/* Parses one JSON text (RFC 8259): depth, key count, duplicate keys and UTF-8 are checked. Integers of more
 * than 18 digits, which platforms send as ids, are read as strings so that no digit is lost.
 * RC_INVALID otherwise. *out is owned by the caller. keys_max 0 = LIMIT_JSON_KEYS (platform answers pass more). */
enum rc jspec_parse(const void *text, size_t len, size_t keys_max, json_t **out, struct err *e);

/* Compact, UTF-8, keys in insertion order; what is signed is what is sent. */
enum rc jspec_dump(const json_t *value, struct buf *out, struct err *e);

enum jspec_type {
    JSPEC_TEXT,
    JSPEC_INT,
    JSPEC_BOOL,
    JSPEC_OBJECT,
    JSPEC_LIST_TEXT,
    JSPEC_DECIMAL,
    JSPEC_ANY
};

/* One allowed member of an object. Tables end with a zero name. */
struct jspec_field {
    const char *name;
    enum jspec_type type;
    bool required;
    bool nullable;
    int64_t min, max;         /* INT: value; TEXT: code points; LIST: items; 0,0 = type's default */
    const char *const *words; /* TEXT: allowed values, NULL-terminated */
    const struct jspec_field *sub; /* OBJECT: its members */
};
/* RC_INVALID with e->field as a dotted path ("policies.price.minimum") for unknown, missing, mistyped or
 * out-of-range members. JSPEC_DECIMAL is text such as "129.90". */
enum rc jspec_check(const json_t *object, const struct jspec_field *spec, struct err *e);

/* Reads by dotted path ("data.order.id"); a missing or mistyped member gives NULL / the fallback. Borrowed. */
const json_t *jspec_get(const json_t *root, const char *path);
const char *jspec_text(const json_t *root, const char *path);
int64_t jspec_int(const json_t *root, const char *path,
                  int64_t fallback); /* integer, or text of digits */
bool jspec_bool(const json_t *root, const char *path, bool fallback);
/* An id that may be a string or an integer, as text; "" when missing or too long. */
void jspec_id(const json_t *root, const char *path, char out[JSPEC_ID_BYTES]);

#endif
