/* xmldoc.h - streaming XML reading with hard limits; the only door to libxml2.
 *
 * Refuses DOCTYPE, never expands declared entities, never touches the network. HTML's named entities
 * (&nbsp; &eacute;) are known without a DTD. Reads gzip by its magic bytes, a UTF-8 BOM, blank lines before
 * the declaration, ISO-8859-1 and windows-1252 (a file labelled ISO-8859-1 is read as windows-1252, which
 * differs only in 0x80-0x9F), and what libxml2 knows otherwise. An undeclared prefix is tolerated: its elements
 * have no uri. One thread at a time per document. */
#ifndef XMLDOC_H
#define XMLDOC_H

#include "err.h"

#include <stddef.h>

struct xmldoc;
struct xmldoc_attrs; /* attributes of the element being opened */

/* Name of an element. Interned: within one document equal texts have equal pointers. */
struct xmldoc_name {
    const char *local;
    const char *prefix; /* NULL = none */
    const char *uri;    /* NULL = none, or the prefix is not declared */
};

/* Callbacks; text comes in pieces and is not zero-terminated. Not RC_OK ends the reading with that outcome. */
struct xmldoc_handler {
    enum rc (*open)(void *user, const struct xmldoc_name *name, const struct xmldoc_attrs *attrs,
                    struct err *e);
    enum rc (*close)(void *user, struct err *e);
    enum rc (*text)(void *user, const char *text, size_t len, struct err *e);
};

struct xmldoc_opts {
    const char *code;    /* prefix of error codes: "feed" gives "feed_truncated" */
    const char *charset; /* of the HTTP header, used when the document says nothing; NULL = none */
    int max_depth;       /* elements inside each other */
    int64_t max_bytes;   /* after inflating */
};

/* Makes a reader; *handler is copied. RC_DOWN when out of memory. */
enum rc xmldoc_new(const struct xmldoc_handler *handler, void *user, const struct xmldoc_opts *opts,
                   struct xmldoc **out, struct err *e);
void xmldoc_free(struct xmldoc *x);
/* Reads the next piece. RC_INVALID with a code (CODE is opts->code) and the line in the text:
 * CODE_not_xml, CODE_html, CODE_doctype, CODE_encoding, CODE_too_deep, CODE_too_big, CODE_zip, CODE_gzip;
 * or what a callback answered. After a failure only xmldoc_free is allowed. */
enum rc xmldoc_read(struct xmldoc *x, const void *data, size_t len, struct err *e);
/* The input is over. Further codes: CODE_truncated, CODE_empty (no bytes at all). */
enum rc xmldoc_end(struct xmldoc *x, struct err *e);
/* Current line, from 1; for messages. */
int64_t xmldoc_line(const struct xmldoc *x);
/* "UTF-8", "ISO-8859-1", "windows-1252", ... as declared or found; valid after the root was opened. */
const char *xmldoc_encoding(const struct xmldoc *x);
/* Bytes read so far, after inflating. */
int64_t xmldoc_bytes(const struct xmldoc *x);

/* Copies the value of an attribute by local name (any namespace); false when absent or when it does not fit. */
bool xmldoc_attr(const struct xmldoc_attrs *attrs, const char *local, char *dst, size_t cap);

int xmldoc_attr_count(const struct xmldoc_attrs *attrs);

/* Code point of an HTML or XML entity name ("eacute", "amp"); 0 when unknown. */
unsigned xmldoc_entity(const char *name, size_t len);

static inline void xmldoc_own(struct xmldoc **x)
{
    xmldoc_free(*x);
}
#define OWN_XMLDOC __attribute__((cleanup(xmldoc_own)))

#endif
