/* webhook_scan.c - one pass over a webhook body: strict JSON, and only the ids are kept.
 *
 * A JSON library builds a tree of the whole body; here most bodies are repeats or need two ids, and this is the
 * hottest path of the service. Containers are kept on a small stack of its own, so depth costs no recursion. */
#include "webhook_scan.h"

#include "str.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES 128  /* longest key or captured value that is decoded */
#define SEEN_INLINE 256 /* slots for up to half as many keys */

enum role { ROLE_OTHER, ROLE_ROOT, ROLE_DATA, ROLE_ORDERS, ROLE_PACKAGES, ROLE_PACKAGE };
enum field {
    FIELD_NONE,
    FIELD_TOPIC,
    FIELD_SHOP,
    FIELD_NOTICE,
    FIELD_TIME,
    FIELD_ORDER,
    FIELD_PRODUCT,
    FIELD_LISTED
};

struct level {
    bool object;
    enum role role;
    uint32_t serial;
};

struct scan {
    const char *at;
    const char *end;
    struct webhook_ids *out;
    const char *fault;
    struct level levels[LIMIT_WEBHOOK_DEPTH];
    int depth;
    uint32_t serials;
    int keys;
    uint64_t *seen; /* hashes of (object, key), open addressing, 0 = free */
    size_t n_slots; /* power of two */
    uint64_t seen_inline[SEEN_INLINE];
};

/* A string or number as it was read. */
struct token {
    char text[TEXT_BYTES];
    size_t len;
    bool too_long; /* text holds nothing */
    bool odd;      /* holds a NUL or half a surrogate pair: no id */
    uint64_t hash;
};

static bool fail(struct scan *s, const char *why)
{
    if (s->fault == NULL)
        s->fault = why;
    return false;
}

static void blanks(struct scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
        s->at++;
}

static void token_start(struct token *t)
{
    t->len = 0;
    t->too_long = false;
    t->odd = false;
    t->hash = UINT64_C(14695981039346656037);
}

static void token_byte(struct token *t, unsigned char c)
{
    t->hash = (t->hash ^ c) * UINT64_C(1099511628211);
    if (c == 0)
        t->odd = true;
    if (t->len + 1 < sizeof t->text)
        t->text[t->len++] = (char)c;
    else
        t->too_long = true;
}

static void token_end(struct token *t)
{
    if (t->too_long)
        t->len = 0;
    t->text[t->len] = 0;
}

static void token_rune(struct token *t, uint32_t c)
{
    if (c < 0x80) {
        token_byte(t, (unsigned char)c);
        return;
    }
    if (c < 0x800) {
        token_byte(t, (unsigned char)(0xc0 | c >> 6));
    } else {
        if (c < 0x10000) {
            token_byte(t, (unsigned char)(0xe0 | c >> 12));
        } else {
            token_byte(t, (unsigned char)(0xf0 | c >> 18));
            token_byte(t, (unsigned char)(0x80 | (c >> 12 & 0x3f)));
        }
        token_byte(t, (unsigned char)(0x80 | (c >> 6 & 0x3f)));
    }
    token_byte(t, (unsigned char)(0x80 | (c & 0x3f)));
}

static bool hex4(struct scan *s, uint32_t *out)
{
    uint32_t value = 0;

    if (s->end - s->at < 4)
        return fail(s, "bad_json");
    for (int i = 0; i < 4; i++) {
        char c = *s->at++;

        if (c >= '0' && c <= '9')
            value = value << 4 | (uint32_t)(c - '0');
        else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
            value = value << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
        else
            return fail(s, "bad_json");
    }
    *out = value;
    return true;
}

/* After "\u": one code point, from two escapes when they are a pair. */
static bool escape_rune(struct scan *s, struct token *t)
{
    uint32_t high = 0;
    uint32_t low = 0;

    if (!hex4(s, &high))
        return false;
    if (high >= 0xd800 && high < 0xdc00 && s->end - s->at >= 6 && s->at[0] == '\\' &&
        s->at[1] == 'u') {
        const char *before = s->at;

        s->at += 2;
        if (!hex4(s, &low))
            return false;
        if (low >= 0xdc00 && low < 0xe000) {
            token_rune(t, 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
            return true;
        }
        s->at = before;
    }
    if (high >= 0xd800 && high < 0xe000)
        t->odd = true;
    token_rune(t, high);
    return true;
}

static bool escape(struct scan *s, struct token *t)
{
    static const char FROM[] = "\"\\/bfnrt";
    static const char TO[] = "\"\\/\b\f\n\r\t";
    const char *found = NULL;

    if (s->at == s->end)
        return fail(s, "bad_json");
    if (*s->at == 'u') {
        s->at++;
        return escape_rune(s, t);
    }
    found = *s->at != 0 ? strchr(FROM, *s->at) : NULL;
    if (found == NULL)
        return fail(s, "bad_json");
    s->at++;
    token_byte(t, (unsigned char)TO[found - FROM]);
    return true;
}

/* At the opening quote. */
static bool read_string(struct scan *s, struct token *t)
{
    token_start(t);
    s->at++;
    while (s->at < s->end) {
        unsigned char c = (unsigned char)*s->at++;

        if (c == '"') {
            token_end(t);
            return true;
        }
        if (c < 0x20)
            return fail(s, "bad_json");
        if (c != '\\')
            token_byte(t, c);
        else if (!escape(s, t))
            return false;
    }
    return fail(s, "bad_json");
}

static bool digits(struct scan *s, struct token *t)
{
    const char *from = s->at;

    while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
        token_byte(t, (unsigned char)*s->at++);
    return s->at > from || fail(s, "bad_json");
}

/* Integers must fit 64 bits, others a double. */
static bool number_in_range(const struct token *t, bool whole)
{
    int64_t value = 0;
    const char *size = t->text + (t->text[0] == '-');
    char *rest = NULL;
    double real = 0;

    if (t->too_long)
        return false;
    if (whole && strcmp(t->text, "-0") != 0 && !str_to_i64(t->text, INT64_MIN, INT64_MAX, &value))
        return t->text[0] != '-' && strlen(size) == 20 && strcmp(size, "18446744073709551615") <= 0;
    if (whole)
        return true;
    real = strtod(t->text, &rest);
    return real < 1e308 && real > -1e308;
}

static bool read_number(struct scan *s, struct token *t)
{
    bool whole = true;

    token_start(t);
    if (*s->at == '-')
        token_byte(t, (unsigned char)*s->at++);
    if (s->at < s->end && *s->at == '0')
        token_byte(t, (unsigned char)*s->at++);
    else if (!digits(s, t))
        return false;
    if (s->at < s->end && *s->at == '.') {
        whole = false;
        token_byte(t, (unsigned char)*s->at++);
        if (!digits(s, t))
            return false;
    }
    if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
        whole = false;
        token_byte(t, (unsigned char)*s->at++);
        if (s->at < s->end && (*s->at == '+' || *s->at == '-'))
            token_byte(t, (unsigned char)*s->at++);
        if (!digits(s, t))
            return false;
    }
    token_end(t);
    if (!number_in_range(t, whole))
        return fail(s, "number_out_of_range");
    t->odd = !whole;
    return true;
}

/* ---- duplicate keys ------------------------------------------------------------------------------ */

static bool seen_grow(struct scan *s)
{
    size_t n = s->n_slots * 2;
    uint64_t *slots = calloc(n, sizeof *slots);

    if (slots == NULL)
        return fail(s, "out_of_memory");
    for (size_t i = 0; i < s->n_slots; i++) {
        size_t at = (size_t)s->seen[i] & (n - 1);

        while (s->seen[i] != 0 && slots[at] != 0)
            at = (at + 1) & (n - 1);
        if (s->seen[i] != 0)
            slots[at] = s->seen[i];
    }
    if (s->seen != s->seen_inline)
        free(s->seen);
    s->seen = slots;
    s->n_slots = n;
    return true;
}

static bool key_note(struct scan *s, const struct token *key)
{
    uint64_t hash =
        key->hash ^ (uint64_t)s->levels[s->depth - 1].serial * UINT64_C(0x9e3779b97f4a7c15);
    size_t at = 0;

    hash ^= hash >> 32;
    hash *= UINT64_C(0xd6e8feb86659fd93);
    hash |= 1;
    if (++s->keys > LIMIT_WEBHOOK_KEYS)
        return fail(s, "too_many_keys");
    if ((size_t)s->keys * 2 > s->n_slots && !seen_grow(s))
        return false;
    at = (size_t)hash & (s->n_slots - 1);
    while (s->seen[at] != 0) {
        if (s->seen[at] == hash)
            return fail(s, "duplicate_key");
        at = (at + 1) & (s->n_slots - 1);
    }
    s->seen[at] = hash;
    return true;
}

/* ---- what the keys mean -------------------------------------------------------------------------- */

static const struct meaning {
    enum role in;
    const char *key;
    enum field field; /* of a text or number */
    enum role child;  /* of an object or list */
} MEANINGS[] = {
    { ROLE_ROOT, "type", FIELD_TOPIC, ROLE_OTHER },
    { ROLE_ROOT, "shop_id", FIELD_SHOP, ROLE_OTHER },
    { ROLE_ROOT, "tts_notification_id", FIELD_NOTICE, ROLE_OTHER },
    { ROLE_ROOT, "timestamp", FIELD_TIME, ROLE_OTHER },
    { ROLE_ROOT, "data", FIELD_NONE, ROLE_DATA },
    { ROLE_DATA, "order_id", FIELD_ORDER, ROLE_OTHER },
    { ROLE_DATA, "product_id", FIELD_PRODUCT, ROLE_OTHER },
    { ROLE_DATA, "order_ids", FIELD_NONE, ROLE_ORDERS },
    { ROLE_DATA, "package_list", FIELD_NONE, ROLE_PACKAGES },
    { ROLE_PACKAGE, "order_id_list", FIELD_NONE, ROLE_ORDERS },
};

static const struct meaning NO_MEANING = { ROLE_OTHER, "", FIELD_NONE, ROLE_OTHER };
static const struct meaning ORDERS_ITEM = { ROLE_ORDERS, "", FIELD_LISTED, ROLE_OTHER };
static const struct meaning PACKAGES_ITEM = { ROLE_PACKAGES, "", FIELD_NONE, ROLE_PACKAGE };

static const struct meaning *meaning_of(enum role in, const struct token *key)
{
    if (in == ROLE_OTHER || key->odd || key->too_long)
        return &NO_MEANING;
    for (size_t i = 0; i < sizeof MEANINGS / sizeof MEANINGS[0]; i++) {
        if (MEANINGS[i].in == in && strcmp(MEANINGS[i].key, key->text) == 0)
            return &MEANINGS[i];
    }
    return &NO_MEANING;
}

static bool is_id(const struct token *t)
{
    return !t->odd && !t->too_long && t->len > 0 && t->len < WEBHOOK_ID_BYTES &&
           str_only(t->text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-.:");
}

static bool take_id(struct scan *s, const struct token *t, char *dst)
{
    if (t->len == 0 && !t->too_long && !t->odd)
        return true; /* "" counts as missing */
    if (!is_id(t))
        return fail(s, "bad_id");
    return str_copy(dst, WEBHOOK_ID_BYTES, t->text);
}

static bool take_listed(struct scan *s, const struct token *t)
{
    if (!is_id(t))
        return fail(s, "bad_id");
    if (++s->out->n_orders > LIMIT_WEBHOOK_ENTITIES)
        return fail(s, "too_many_orders");
    buf_str(&s->out->orders, t->text);
    buf_char(&s->out->orders, '\n');
    return !s->out->orders.failed || fail(s, "too_many_orders");
}

static bool take_scalar(struct scan *s, enum field field, const struct token *t)
{
    int64_t number = 0;

    switch (field) {
    case FIELD_NONE:
        return true;
    case FIELD_TOPIC:
        if (t->odd || !str_to_i64(t->text, 0, INT32_MAX, &number))
            return fail(s, "bad_type");
        s->out->topic = (int)number;
        return true;
    case FIELD_TIME:
        if (t->odd || !str_to_i64(t->text, 0, INT64_C(253402300799), &number))
            return fail(s, "bad_timestamp");
        s->out->timestamp_s = number;
        return true;
    case FIELD_NOTICE: /* an unusual one is no fault: the digest stands in */
        if (is_id(t))
            (void)str_copy(s->out->notification_id, WEBHOOK_ID_BYTES, t->text);
        return true;
    case FIELD_SHOP:
        return take_id(s, t, s->out->shop_id);
    case FIELD_ORDER:
        return take_id(s, t, s->out->order_id);
    case FIELD_PRODUCT:
        return take_id(s, t, s->out->product_id);
    case FIELD_LISTED:
        return take_listed(s, t);
    }
    return true;
}

/* ---- structure ----------------------------------------------------------------------------------- */

static bool open_level(struct scan *s, bool object, const struct meaning *m)
{
    if (s->depth == LIMIT_WEBHOOK_DEPTH)
        return fail(s, "too_deep");
    s->at++;
    s->levels[s->depth++] =
        (struct level){ .object = object, .role = m->child, .serial = ++s->serials };
    return true;
}

static bool read_word(struct scan *s, const char *word)
{
    size_t len = strlen(word);

    if ((size_t)(s->end - s->at) < len || memcmp(s->at, word, len) != 0)
        return fail(s, "bad_json");
    s->at += len;
    return true;
}

/* One value; containers are only opened. *opened says so. */
static bool read_value(struct scan *s, const struct meaning *m, bool *opened)
{
    struct token t;

    *opened = false;
    blanks(s);
    if (s->at == s->end)
        return fail(s, "bad_json");
    switch (*s->at) {
    case '{':
    case '[':
        *opened = true;
        return open_level(s, *s->at == '{', m);
    case '"':
        return read_string(s, &t) && take_scalar(s, m->field, &t);
    case 't':
        return read_word(s, "true");
    case 'f':
        return read_word(s, "false");
    case 'n':
        return read_word(s, "null");
    default:
        if (*s->at != '-' && (*s->at < '0' || *s->at > '9'))
            return fail(s, "bad_json");
        return read_number(s, &t) && take_scalar(s, m->field, &t);
    }
}

/* "key": of the innermost object. */
static bool read_key(struct scan *s, const struct meaning **m)
{
    struct token key;

    blanks(s);
    if (s->at == s->end || *s->at != '"')
        return fail(s, "bad_json");
    if (!read_string(s, &key) || !key_note(s, &key))
        return false;
    blanks(s);
    if (s->at == s->end || *s->at != ':')
        return fail(s, "bad_json");
    s->at++;
    *m = meaning_of(s->levels[s->depth - 1].role, &key);
    return true;
}

static const struct meaning *item_meaning(enum role list)
{
    if (list == ROLE_ORDERS)
        return &ORDERS_ITEM;
    return list == ROLE_PACKAGES ? &PACKAGES_ITEM : &NO_MEANING;
}

/* One member or item of the innermost container, or its end. `fresh`: nothing of it was read yet. */
static bool step(struct scan *s, bool *fresh)
{
    const struct level *level = &s->levels[s->depth - 1];
    const struct meaning *m = item_meaning(level->role);
    bool opened = false;

    blanks(s);
    if (s->at == s->end)
        return fail(s, "bad_json");
    if (*s->at == (level->object ? '}' : ']')) {
        s->at++;
        s->depth--;
        *fresh = false;
        return true;
    }
    if (!*fresh) {
        if (*s->at != ',')
            return fail(s, "bad_json");
        s->at++;
    }
    if (level->object && !read_key(s, &m))
        return false;
    if (!read_value(s, m, &opened))
        return false;
    *fresh = opened;
    return true;
}

static void scan_text(struct scan *s)
{
    static const struct meaning WHOLE = { ROLE_OTHER, "", FIELD_NONE, ROLE_ROOT };
    bool fresh = true;

    blanks(s);
    if (s->at == s->end || *s->at != '{') {
        (void)fail(s, "no_json_object");
        return;
    }
    if (!open_level(s, true, &WHOLE))
        return;
    while (s->depth > 0) {
        if (!step(s, &fresh))
            return;
    }
    blanks(s);
    if (s->at != s->end)
        (void)fail(s, "bad_json");
}

const char *webhook_scan(const char *text, size_t len, struct webhook_ids *out)
{
    struct scan s;

    memset(out, 0, sizeof *out);
    out->topic = -1;
    buf_init(&out->orders, (size_t)LIMIT_WEBHOOK_ENTITIES * WEBHOOK_ID_BYTES);
    if (!str_utf8_valid(text, len))
        return "bad_utf8";
    s.at = text;
    s.end = text + len;
    s.out = out;
    s.fault = NULL;
    s.depth = 0;
    s.serials = 0;
    s.keys = 0;
    s.seen = s.seen_inline;
    s.n_slots = SEEN_INLINE;
    memset(s.seen_inline, 0, sizeof s.seen_inline);
    scan_text(&s);
    if (s.seen != s.seen_inline)
        free(s.seen);
    return s.fault;
}

void webhook_ids_done(struct webhook_ids *ids)
{
    buf_done(&ids->orders);
}
