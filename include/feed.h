/* feed.h - product feeds: a streaming reader of raw items and their normalised reading. No I/O.
 *
 * Reading goes in two steps, because of a million items only a few change between two feeds: the reader finds
 * items, picks the value that counts of each field and hashes them (struct feed_raw); only items that changed
 * are then normalised (struct feed_item). */
#ifndef FEED_H
#define FEED_H

#include "buf.h"

#include <jansson.h>

#define LIMIT_FEED_ITEM_BYTES ((size_t)1 << 20)
#define LIMIT_FEED_DEPTH 32
#define LIMIT_FEED_ITEMS INT64_C(2000000)
#define LIMIT_FEED_INFLATED_BYTES (INT64_C(2) << 30)
#define LIMIT_FEED_ID_BYTES \
    200 /* of g:id and g:item_group_id; the platforms name 50 and 100 characters */
#define LIMIT_FEED_IMAGES 20
#define LIMIT_FEED_DETAILS 100
#define LIMIT_FEED_LEVELS 10 /* of a category path */
#define FEED_VALUES_MAX 400  /* values of one item that are looked at */

enum feed_field {
    FEED_ID,
    FEED_GROUP,
    FEED_TITLE,
    FEED_DESCRIPTION,
    FEED_LINK,
    FEED_IMAGE,
    FEED_PRICE,
    FEED_SALE_PRICE,
    FEED_SALE_DATE,
    FEED_AVAILABILITY,
    FEED_CONDITION,
    FEED_BRAND,
    FEED_GTIN,
    FEED_MPN,
    FEED_PRODUCT_TYPE,
    FEED_GOOGLE_CATEGORY,
    FEED_COLOR,
    FEED_SIZE,
    FEED_MATERIAL,
    FEED_PATTERN,
    FEED_GENDER,
    FEED_AGE_GROUP,
    FEED_WEIGHT,
    FEED_LENGTH,
    FEED_WIDTH,
    FEED_HEIGHT,
    FEED_PRODUCT_WEIGHT,
    FEED_PRODUCT_LENGTH,
    FEED_PRODUCT_WIDTH,
    FEED_PRODUCT_HEIGHT,
    FEED_QUANTITY,
    FEED_EXPIRATION,
    /* repeatable: */
    FEED_MORE_IMAGES,
    FEED_DETAIL_NAME,
    FEED_DETAIL_VALUE,
    FEED_FIELDS
};

struct feed_value {
    unsigned char field; /* enum feed_field */
    unsigned char rank;  /* lower wins */
    unsigned char use;   /* whether it counts with and without the exact namespace */
    unsigned at;         /* into text; zero-terminated there */
    unsigned len;
};

/* One item as read; everything is borrowed until the callback returns. */
struct feed_raw {
    const char *text;
    size_t text_len;
    const struct feed_value *values;
    int n_values;
    int pick
        [FEED_FIELDS]; /* index of the value that counts, -1 = absent; for repeatable ones the first */
    const char *id;    /* never empty */
    const char *source_id; /* group, or the id itself */
    unsigned char hash[16];
    int64_t number; /* from 0, of the items that were passed on */
    int64_t line;
};
/* Text of a field, NULL when absent. */
const char *feed_raw_text(const struct feed_raw *raw, enum feed_field field);

struct feed_opts {
    const char *charset; /* of the HTTP answer; NULL = none */
    int64_t now_us;      /* decides on expired items and running sales */
    uint64_t seed;       /* goes into every hash: a change makes all items look changed */
    void *user;
    /* Each item with a new id, in feed order. Not RC_OK ends the reading. */
    enum rc (*item)(void *user, const struct feed_raw *raw, struct err *e);
    /* Something was tolerated: "no_id", "id_too_long", "duplicate_id", "repeated_field", "expired". May be NULL. */
    void (*warn)(void *user, const char *code, const char *id, int64_t line, const char *text);
};

struct feed_stats {
    const char *format;   /* "rss2", "atom", "rss1", "xml" */
    const char *encoding; /* as declared or found */
    int64_t items;        /* passed on */
    int64_t without_id, duplicates, expired, warnings;
    int64_t bytes;          /* after inflating */
    int64_t turns_us;       /* when the next sale begins or ends, or item expires; 0 = never */
    unsigned char hash[16]; /* of the file as it came; valid after feed_end */
};

struct feed;
/* *opts is copied, charset included. */
enum rc feed_new(const struct feed_opts *opts, struct feed **out, struct err *e);
void feed_free(struct feed *f);
/* Reads the next bytes of the file (gzip allowed). RC_INVALID with a code and the line in the text: feed_not_xml,
 * feed_html, feed_doctype, feed_encoding, feed_too_deep, feed_too_big, feed_item_too_big,
 * feed_too_many_items, feed_zip, feed_gzip; or the callback's outcome. After a failure only feed_free. */
enum rc feed_read(struct feed *f, const void *data, size_t len, struct err *e);
/* The file is over. Further codes: feed_truncated, feed_empty. */
enum rc feed_end(struct feed *f, struct err *e);
/* Texts are valid until feed_free. */
struct feed_stats feed_stats(const struct feed *f);

static inline void feed_own(struct feed **f)
{
    feed_free(*f);
}
#define OWN_FEED __attribute__((cleanup(feed_own)))

/* Hash of a whole file, whatever its offset; another seed gives another hash. */
#define FEED_UUID_BYTES 37
enum rc feed_file_hash(int fd, uint64_t seed, char out[FEED_UUID_BYTES], struct err *e);
/* A 128-bit hash of any bytes as UUID text. */
void feed_hash(const void *data, size_t len, char out[FEED_UUID_BYTES]);
void feed_uuid(const unsigned char hash[16], char out[FEED_UUID_BYTES]);

/* ---- normalised items ------------------------------------------------------------------------- */

#define FEED_PROBLEMS_MAX 8
struct feed_problem {
    const char *code;  /* static: "invalid_price", "missing_title", ... */
    const char *field; /* static: "price" */
    char text[200];    /* a sentence for people */
};

/* Texts are NULL when absent and borrowed from `memory`. */
struct feed_item {
    const char *id, *group;
    const char *title, *description, *link;
    const char *images[LIMIT_FEED_IMAGES];
    int n_images;
    int64_t price_minor, sale_minor; /* 0 = absent */
    int64_t sale_from_us, sale_to_us;
    char currency[4];
    const char *availability; /* in_stock, out_of_stock, preorder, backorder; NULL = absent */
    int64_t quantity;         /* -1 = absent */
    const char *brand, *gtin, *mpn, *condition;
    const char *product_type[LIMIT_FEED_LEVELS];
    int n_product_type;
    const char *google_category, *color, *size, *material, *pattern, *gender, *age_group;
    int64_t weight_g, length_mm, width_mm, height_mm; /* 0 = absent; all three sizes or none */
    struct {
        const char *name, *value;
    } details[LIMIT_FEED_DETAILS];
    int n_details;
    struct feed_problem problems[FEED_PROBLEMS_MAX];
    int n_problems;
    char *memory;
};
/* Normalises (guide section 3). Invalid values are left out and named in problems; that never fails.
 * currency: the shop's ("BRL"). RC_DOWN only when out of memory. Free with feed_item_done. */
enum rc feed_item_read(const struct feed_raw *raw, const char *currency, struct feed_item *out,
                       struct err *e);
void feed_item_done(struct feed_item *item);
/* What a buyer pays at that moment: the sale price within its dates, else the price; 0 = absent. */
int64_t feed_item_price(const struct feed_item *item, int64_t now_us);
/* Members as in the normalised samples; absent ones are left out. New reference, NULL when out of memory. */
json_t *feed_item_json(const struct feed_item *item);

/* Raw item to bytes and back, for a spool file. read: raw borrows from data, which must stay. */
enum rc feed_raw_write(const struct feed_raw *raw, struct buf *out, struct err *e);
enum rc feed_raw_read(const void *data, size_t len, struct feed_raw *raw, struct err *e);

#endif
