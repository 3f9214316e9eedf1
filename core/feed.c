/* feed.c - finds the items of a product feed, picks the values that count and hashes them.
 *
 * This is the hot path of a feed run: each name is looked up once per document (names are interned, so a pointer
 * is enough afterwards), texts are copied once, and nothing is normalised that the hash does not need. */
#include "feed.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "feed_ids.h"
#include "feed_part.h"
#include "str.h"
#include "xmldoc.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define NAMES_CACHED 512 /* power of two */
#define TEXT_START_BYTES 8192
#define ELEMENT_BYTES 8 /* what an unknown element counts towards the size of its item */

/* One known element name. */
struct known {
    const char *local, *prefix, *uri;
    struct feed_name name;
    bool used;
};

struct feed {
    struct feed_opts opts;
    struct xmldoc *doc;
    struct feed_stats stats;
    enum feed_shape shape;
    char root[64];
    struct known known[NAMES_CACHED];
    int depth, item_depth; /* item_depth 0 = outside */
    bool exact_seen;       /* some item had a child in the exact namespace */
    /* the item being read */
    char *text;
    size_t text_len, text_cap;
    size_t item_bytes;
    int64_t item_line;
    bool exact;
    struct feed_value values[FEED_VALUES_MAX];
    int n_values;
    /* the field being read; at level 1 of the item, or level 2 in a detail group */
    struct feed_name current;
    int current_level; /* 0 = none */
    size_t current_at;
    bool current_fixed; /* the value came from an attribute */
    struct feed_ids ids;
    uint64_t id_seed;
    char *hash_text; /* canonical pairs of one item */
    size_t hash_cap;
    XXH3_state_t *file_hash;
};

void feed_uuid(const unsigned char hash[16], char out[FEED_UUID_BYTES])
{
    char hex[33];

    str_hex(hex, hash, 16);
    (void)str_fmt(out, FEED_UUID_BYTES, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
                  hex + 16, hex + 20);
}

static void hash_bytes(XXH128_hash_t h, unsigned char out[16])
{
    memcpy(out, &h.low64, 8);
    memcpy(out + 8, &h.high64, 8);
}

void feed_hash(const void *data, size_t len, char out[FEED_UUID_BYTES])
{
    unsigned char bytes[16];

    hash_bytes(XXH3_128bits(data, len), bytes);
    feed_uuid(bytes, out);
}

const char *feed_raw_text(const struct feed_raw *raw, enum feed_field field)
{
    int i = raw->pick[field];

    return i < 0 ? NULL : raw->text + raw->values[i].at;
}

/* ---- text of an item ---- */

static enum rc text_room(struct feed *f, size_t more, struct err *e)
{
    size_t cap = f->text_cap;
    char *grown;

    if (f->text_len + more + 1 <= cap)
        return RC_OK;
    while (cap < f->text_len + more + 1)
        cap *= 2;
    grown = realloc(f->text, cap);
    if (grown == NULL)
        return err_set(e, RC_DOWN, "out of memory for a feed item");
    f->text = grown;
    f->text_cap = cap;
    return RC_OK;
}

static enum rc text_add(struct feed *f, const char *text, size_t len, struct err *e)
{
    if (f->text_len + len + 1 > f->text_cap) {
        enum rc rc = text_room(f, len, e);
        if (rc != RC_OK)
            return rc;
    }
    memcpy(f->text + f->text_len, text, len);
    f->text_len += len;
    return RC_OK;
}

static enum rc item_grows(struct feed *f, size_t bytes, struct err *e)
{
    f->item_bytes += bytes;
    if (f->item_bytes <= LIMIT_FEED_ITEM_BYTES)
        return RC_OK;
    return err_code(e, RC_INVALID, "feed_item_too_big",
                    "line %lld: an item that begins in line %lld is larger than %zu bytes",
                    (long long)xmldoc_line(f->doc), (long long)f->item_line, LIMIT_FEED_ITEM_BYTES);
}

static void warn(struct feed *f, const char *code, const char *id, const char *text)
{
    f->stats.warnings++;
    if (f->opts.warn != NULL)
        f->opts.warn(f->opts.user, code, id != NULL ? id : "", f->item_line, text);
}

/* ---- elements ---- */

static const struct feed_name *name_of(struct feed *f, const struct xmldoc_name *n)
{
    uintptr_t key = (uintptr_t)n->local ^ ((uintptr_t)n->uri >> 3) ^ ((uintptr_t)n->prefix << 5);
    struct known *k = &f->known[(key ^ (key >> 9)) & (NAMES_CACHED - 1)];

    if (!k->used || k->local != n->local || k->prefix != n->prefix || k->uri != n->uri) {
        k->used = true;
        k->local = n->local;
        k->prefix = n->prefix;
        k->uri = n->uri;
        k->name = feed_name_of(n, f->shape);
    }
    return &k->name;
}

static enum rc root_open(struct feed *f, const struct xmldoc_name *n, struct err *e)
{
    str_copy_cut(f->root, sizeof f->root, n->local);
    f->shape = feed_shape_of(n);
    switch (f->shape) {
    case FEED_SHAPE_HTML:
        return err_code(e, RC_INVALID, "feed_html", "the answer is an HTML page, not a feed");
    case FEED_SHAPE_RSS:
        f->stats.format = "rss2";
        break;
    case FEED_SHAPE_ATOM:
        f->stats.format = "atom";
        break;
    case FEED_SHAPE_RDF:
        f->stats.format = "rss1";
        break;
    default:
        f->stats.format = "xml";
    }
    return RC_OK;
}

static void item_begin(struct feed *f)
{
    f->item_depth = f->depth;
    f->item_line = xmldoc_line(f->doc);
    f->text_len = 0;
    f->item_bytes = 0;
    f->n_values = 0;
    f->exact = false;
    f->current_level = 0;
}

/* Attributes that matter: xsi:nil, and Atom's <link href rel>, where the attribute is the value and self, enclosure,
 * edit are other things. Kept out of the hot path: few elements have any. */
__attribute__((cold)) static enum rc attrs_read(struct feed *f, const struct xmldoc_attrs *attrs,
                                                struct err *e)
{
    char href[4096], rel[16], nil[8];

    if (xmldoc_attr(attrs, "nil", nil, sizeof nil) && (nil[0] == 't' || nil[0] == '1')) {
        f->current_fixed = true;
        return RC_OK;
    }
    if (f->current.field != FEED_LINK || !xmldoc_attr(attrs, "href", href, sizeof href))
        return RC_OK;
    f->current_fixed = true;
    if (xmldoc_attr(attrs, "rel", rel, sizeof rel) && !str_ieq(rel, "alternate")) {
        f->current_level = 0;
        return RC_OK;
    }
    return text_add(f, href, strlen(href), e);
}

static enum rc field_open(struct feed *f, const struct feed_name *name,
                          const struct xmldoc_attrs *attrs, struct err *e)
{
    f->current = *name;
    f->current_level = f->depth - f->item_depth;
    f->current_at = f->text_len;
    f->current_fixed = false;
    return xmldoc_attr_count(attrs) > 0 ? attrs_read(f, attrs, e) : RC_OK;
}

static enum rc on_open(void *user, const struct xmldoc_name *n, const struct xmldoc_attrs *attrs,
                       struct err *e)
{
    struct feed *f = user;
    const struct feed_name *name;
    int level;

    f->depth++;
    if (f->depth == 1)
        return root_open(f, n, e);
    name = name_of(f, n);
    if (f->item_depth == 0) {
        if (name->item)
            item_begin(f);
        return RC_OK;
    }
    level = f->depth - f->item_depth;
    f->exact |= level == 1 && name->exact;
    if (level == 1 && name->known)
        return field_open(f, name, attrs, e);
    if (level == 2 && f->current_level == 1 && f->current.group && name->detail)
        return field_open(f, name, attrs, e);
    return item_grows(f, ELEMENT_BYTES, e);
}

static enum rc on_text(void *user, const char *text, size_t len, struct err *e)
{
    struct feed *f = user;
    int level;

    if (f->item_depth == 0)
        return RC_OK;
    f->item_bytes += len;
    if (f->item_bytes > LIMIT_FEED_ITEM_BYTES)
        return item_grows(f, 0, e);
    level = f->depth - f->item_depth;
    if (f->current_level == 0 || f->current_fixed || f->current.group ||
        (level != f->current_level && !f->current.markup))
        return RC_OK;
    return text_add(f, text, len, e);
}

/* Drops blanks at both ends (U+00A0 included) of the value that begins at current_at; false when nothing is left. */
static bool value_trim(struct feed *f)
{
    const unsigned char *t = (const unsigned char *)f->text;
    size_t from = f->current_at, to = f->text_len;

    for (;;) {
        if (from < to && (t[from] <= ' '))
            from++;
        else if (from + 1 < to && t[from] == 0xC2 && t[from + 1] == 0xA0)
            from += 2;
        else
            break;
    }
    for (;;) {
        if (to > from && t[to - 1] <= ' ')
            to--;
        else if (to > from + 1 && t[to - 1] == 0xA0 && t[to - 2] == 0xC2)
            to -= 2;
        else
            break;
    }
    if (from == to) {
        f->text_len = f->current_at;
        return false;
    }
    f->current_at = from;
    f->text_len = to;
    return true;
}

static enum rc field_close(struct feed *f, struct err *e)
{
    struct feed_value *v;
    enum rc rc;

    /* A group's parts were stored by themselves. */
    if (f->current.group || !value_trim(f) || f->n_values == FEED_VALUES_MAX)
        return RC_OK;
    v = &f->values[f->n_values++];
    v->field = f->current.field;
    v->rank = f->current.rank;
    v->use = f->current.use;
    v->at = (unsigned)f->current_at;
    v->len = (unsigned)(f->text_len - f->current_at);
    rc = text_room(f, 1, e);
    if (rc == RC_OK)
        f->text[f->text_len++] = '\0';
    return rc;
}

/* ---- the finished item ---- */

/* Picks the value that counts of each field and orders nothing else. */
static void item_pick(struct feed *f, struct feed_raw *raw, uint64_t *repeated)
{
    unsigned char use = f->exact || f->exact_seen ? FEED_USE_EXACT : FEED_USE_LOOSE;

    *repeated = 0;
    for (int i = 0; i < FEED_FIELDS; i++)
        raw->pick[i] = -1;
    for (int i = 0; i < f->n_values; i++) {
        const struct feed_value *v = &f->values[i];
        int *pick = &raw->pick[v->field];

        if ((v->use & use) == 0)
            continue;
        if (*pick < 0 || v->rank < f->values[*pick].rank) {
            *repeated &= ~(UINT64_C(1) << v->field);
            *pick = i;
        } else if (v->rank == f->values[*pick].rank) {
            *repeated |= UINT64_C(1) << v->field;
        }
    }
}

/* From then on the same file says something else. */
static void turn_at(struct feed *f, int64_t us)
{
    if (us >= f->opts.now_us && (f->stats.turns_us == 0 || us < f->stats.turns_us))
        f->stats.turns_us = us;
}

/* One letter that changes when the sale of an item begins or ends, so that the price is looked at again. */
static char sale_letter(struct feed *f, const struct feed_raw *raw)
{
    const char *dates = feed_raw_text(raw, FEED_SALE_DATE);
    int64_t from, to;

    if (dates == NULL || !feed_interval(dates, &from, &to))
        return '-';
    turn_at(f, from);
    turn_at(f, to);
    return f->opts.now_us < from ? 'b' : f->opts.now_us <= to ? 'd' : 'a';
}

static enum rc item_hash(struct feed *f, struct feed_raw *raw, struct err *e)
{
    size_t need = f->text_len + (size_t)f->n_values * 2 + 16, n = 0;
    XXH128_hash_t h;

    if (need > f->hash_cap) {
        char *grown = realloc(f->hash_text, need * 2);
        if (grown == NULL)
            return err_set(e, RC_DOWN, "out of memory for a feed item");
        f->hash_text = grown;
        f->hash_cap = need * 2;
    }
    for (int field = 0; field < FEED_FIELDS; field++) {
        int i = raw->pick[field];

        if (i < 0)
            continue;
        for (; i < f->n_values; i++) {
            const struct feed_value *v = &f->values[i];

            if (v->field != field || v->rank != f->values[raw->pick[field]].rank)
                continue;
            f->hash_text[n++] = (char)('0' + field);
            if (field == FEED_LINK || field == FEED_IMAGE || field == FEED_MORE_IMAGES) {
                n += feed_url_stable(f->text + v->at, v->len, field != FEED_LINK, f->hash_text + n);
            } else {
                memcpy(f->hash_text + n, f->text + v->at, v->len);
                n += v->len;
            }
            f->hash_text[n++] = '\x1f';
            if (field < FEED_MORE_IMAGES)
                break;
        }
    }
    f->hash_text[n++] = raw->pick[FEED_SALE_DATE] >= 0 ? sale_letter(f, raw) : '-';
    h = XXH3_128bits_withSeed(f->hash_text, n, f->opts.seed);
    hash_bytes(h, raw->hash);
    return RC_OK;
}

static bool item_expired(struct feed *f, const struct feed_raw *raw)
{
    const char *at = feed_raw_text(raw, FEED_EXPIRATION);
    int64_t us;

    if (at == NULL || !clock_read_local(at, true, &us))
        return false;
    turn_at(f, us);
    return us < f->opts.now_us;
}

/* Names the item; false when it has no usable id. */
static bool item_ids(struct feed *f, struct feed_raw *raw)
{
    const char *group = feed_raw_text(raw, FEED_GROUP);

    raw->id = feed_raw_text(raw, FEED_ID);
    if (raw->id != NULL && f->values[raw->pick[FEED_ID]].rank == FEED_RANK_GUID &&
        strpbrk(raw->id, ":/ ") != NULL)
        raw->id = NULL;
    if (raw->id == NULL) {
        f->stats.without_id++;
        warn(f, "no_id", NULL, "an item without g:id was left out");
        return false;
    }
    raw->source_id = group != NULL ? group : raw->id;
    if (strlen(raw->id) > LIMIT_FEED_ID_BYTES || strlen(raw->source_id) > LIMIT_FEED_ID_BYTES) {
        f->stats.without_id++;
        warn(f, "id_too_long", NULL,
             "an item whose g:id or g:item_group_id is too long was left out");
        return false;
    }
    return true;
}

/* Whether the item counts: its dates are not over and its id is new. An expired one leaves its id to a later item. */
static enum rc item_counts(struct feed *f, const struct feed_raw *raw, bool *use, struct err *e)
{
    bool known = false;
    enum rc rc;

    *use = false;
    if (item_expired(f, raw)) {
        f->stats.expired++;
        warn(f, "expired", raw->id, "the item's expiration date is over");
        return RC_OK;
    }
    rc = feed_ids_add(&f->ids, XXH3_64bits_withSeed(raw->id, strlen(raw->id), f->id_seed), &known,
                      e);
    if (rc != RC_OK)
        return rc;
    if (known) {
        f->stats.duplicates++;
        warn(f, "duplicate_id", raw->id, "the id was used before; the first item counts");
        return RC_OK;
    }
    *use = true;
    return RC_OK;
}

static void item_repeats(struct feed *f, const struct feed_raw *raw, uint64_t repeated)
{
    char text[96];

    for (int i = 0; i < FEED_MORE_IMAGES; i++) {
        if ((repeated & (UINT64_C(1) << i)) == 0 || i == FEED_PRODUCT_TYPE)
            continue;
        (void)str_fmt(text, sizeof text, "%s is there more than once; the first value counts",
                      feed_field_name((enum feed_field)i));
        warn(f, "repeated_field", raw->id, text);
    }
}

static enum rc item_end(struct feed *f, struct err *e)
{
    struct feed_raw raw = { 0 };
    uint64_t repeated;
    bool use;
    enum rc rc;

    f->item_depth = 0;
    item_pick(f, &raw, &repeated);
    f->exact_seen |= f->exact;
    raw.text = f->text;
    raw.text_len = f->text_len;
    raw.values = f->values;
    raw.n_values = f->n_values;
    raw.line = f->item_line;
    raw.number = f->stats.items;
    if (!item_ids(f, &raw))
        return RC_OK;
    rc = item_counts(f, &raw, &use, e);
    if (rc != RC_OK || !use)
        return rc;
    if (f->stats.items >= LIMIT_FEED_ITEMS)
        return err_code(e, RC_INVALID, "feed_too_many_items", "line %lld: more than %lld items",
                        (long long)f->item_line, (long long)LIMIT_FEED_ITEMS);
    if (repeated != 0)
        item_repeats(f, &raw, repeated);
    rc = item_hash(f, &raw, e);
    if (rc != RC_OK)
        return rc;
    f->stats.items++;
    return f->opts.item(f->opts.user, &raw, e);
}

static enum rc on_close(void *user, struct err *e)
{
    struct feed *f = user;
    enum rc rc = RC_OK;
    int level;

    f->depth--;
    if (f->item_depth == 0)
        return RC_OK;
    if (f->depth < f->item_depth)
        return item_end(f, e);
    level = f->depth + 1 - f->item_depth;
    if (f->current_level == 0)
        return RC_OK;
    if (level == f->current_level) {
        rc = field_close(f, e);
        /* After a part of a detail group the group goes on. */
        f->current.group = f->current.detail && level == 2;
        f->current_level = f->current.group ? 1 : 0;
    } else if (level == f->current_level + 1 && f->current.markup && !f->current_fixed) {
        rc = text_add(f, " ", 1, e);
    }
    return rc;
}

/* ---- the document ---- */

enum rc feed_new(const struct feed_opts *opts, struct feed **out, struct err *e)
{
    static const struct xmldoc_handler HANDLER = { on_open, on_close, on_text };
    struct xmldoc_opts doc = { .code = "feed",
                               .charset = opts->charset,
                               .max_depth = LIMIT_FEED_DEPTH,
                               .max_bytes = LIMIT_FEED_INFLATED_BYTES };
    struct feed *f = calloc(1, sizeof *f);
    enum rc rc;

    if (f != NULL) {
        f->text = malloc(TEXT_START_BYTES);
        f->file_hash = XXH3_createState();
    }
    if (f == NULL || f->text == NULL || f->file_hash == NULL) {
        feed_free(f);
        return err_set(e, RC_DOWN, "out of memory for a feed");
    }
    (void)XXH3_128bits_reset(f->file_hash);
    f->text_cap = TEXT_START_BYTES;
    f->opts = *opts;
    f->stats.format = "xml";
    f->id_seed = (uint64_t)clock_mono_us() * UINT64_C(0x9E3779B97F4A7C15);
    rc = xmldoc_new(&HANDLER, f, &doc, &f->doc, e);
    if (rc != RC_OK) {
        feed_free(f);
        return rc;
    }
    *out = f;
    return RC_OK;
}

void feed_free(struct feed *f)
{
    if (f == NULL)
        return;
    xmldoc_free(f->doc);
    (void)XXH3_freeState(f->file_hash);
    feed_ids_done(&f->ids);
    free(f->hash_text);
    free(f->text);
    free(f);
}

enum rc feed_read(struct feed *f, const void *data, size_t len, struct err *e)
{
    (void)XXH3_128bits_update(f->file_hash, data, len);
    return xmldoc_read(f->doc, data, len, e);
}

enum rc feed_end(struct feed *f, struct err *e)
{
    enum rc rc = xmldoc_end(f->doc, e);

    if (rc != RC_OK)
        return rc;
    if (f->stats.items == 0)
        return err_code(e, RC_INVALID, "feed_empty",
                        "no usable item was found below the root element <%s>", f->root);
    return RC_OK;
}

struct feed_stats feed_stats(const struct feed *f)
{
    struct feed_stats s = f->stats;

    s.encoding = xmldoc_encoding(f->doc);
    s.bytes = xmldoc_bytes(f->doc);
    hash_bytes(XXH3_128bits_digest(f->file_hash), s.hash);
    return s;
}
