/* feed_part.h - what the files of the feed reader share. */
#ifndef FEED_PART_H
#define FEED_PART_H

#include "feed.h"
#include "xmldoc.h"

enum feed_shape {
    FEED_SHAPE_XML,
    FEED_SHAPE_RSS,
    FEED_SHAPE_ATOM,
    FEED_SHAPE_RDF,
    FEED_SHAPE_HTML
};

#define FEED_USE_EXACT 1  /* counts when items use the exact namespace */
#define FEED_USE_LOOSE 2  /* counts when no item does */
#define FEED_RANK_GUID 14 /* RSS guid as an id: last resort, and only when it is no address */

/* What an element name means inside an item, and whether it opens one. */
struct feed_name {
    unsigned char field, rank, use;
    bool known;  /* a field of an item */
    bool exact;  /* in the exact namespace */
    bool item;   /* opens an item */
    bool group;  /* product_detail: its parts are the values */
    bool detail; /* a part of it */
    bool markup; /* text of nested elements belongs to it */
};
enum feed_shape feed_shape_of(const struct xmldoc_name *root);
struct feed_name feed_name_of(const struct xmldoc_name *n, enum feed_shape shape);
const char *feed_field_name(enum feed_field field);

/* ISO 8601 interval "start/end"; a date without time ends with its day. */
bool feed_interval(const char *text, int64_t *from_us, int64_t *to_us);
/* Copies a URL without tracking parameters, and for images without the cache-busting v; returns the length,
 * never more than len. */
size_t feed_url_stable(const char *url, size_t len, bool image, char *out);

/* Blanks, U+00A0 and control characters to single blanks, none at the ends. In place. */
size_t feed_collapse(char *text);

/* Texts; out needs room for 4 * strlen(text) + 16 bytes. All return the length written, without the terminator. */
size_t feed_text_plain(const char *text, char *out);       /* decode once more, blanks collapsed */
size_t feed_text_title(const char *text, char *out);       /* tags stripped as well */
size_t feed_text_description(const char *text, char *out); /* allow-listed tags stay */
size_t feed_text_url(const char *text, size_t len, char *out); /* "" when unusable */
size_t feed_text_gtin(const char *text, char *out);            /* "" when unusable */

/* Numbers with units, half up: grams from g, kg, oz, lb (none: kg); millimetres from cm, in, mm, m (none: cm). */
bool feed_weight(const char *text, int64_t *g);
bool feed_size(const char *text, int64_t *mm);
/* Canonical words or NULL. */
const char *feed_availability(const char *text);
const char *feed_gender(const char *text);
const char *feed_age_group(const char *text);
const char *feed_condition(const char *text);

#endif
