/* xmldoc_input.h - bytes of a document on their way to the parser: inflating, encoding, leading blanks. */
#ifndef XMLDOC_INPUT_H
#define XMLDOC_INPUT_H

#include "xmldoc.h"

#include <zlib.h>

#define XML_HEAD_BYTES 1024 /* looked at before the first byte goes to the parser */

/* Receives what the parser shall see: `utf8` says that the bytes are UTF-8 for certain (turned into it, or marked by
 * a BOM), so that the declaration's encoding does not hold. */
typedef enum rc (*xml_input_sink)(void *user, const char *data, size_t len, bool utf8,
                                  struct err *e);

struct xml_input {
    const char *code;
    const char *charset;
    int64_t max_bytes;
    int64_t bytes;     /* after inflating */
    char encoding[32]; /* as found */
    xml_input_sink sink;
    void *user;
    unsigned char magic[4]; /* first raw bytes, until gzip is decided */
    size_t n_magic;
    bool decided; /* gzip or not is known */
    bool gzip, gzip_over;
    z_stream z;
    char head[XML_HEAD_BYTES]; /* first inflated bytes, until the encoding is decided */
    size_t n_head;
    bool started;     /* the encoding is known, head was passed on */
    bool single_byte; /* windows-1252 and its subset */
    bool bom;         /* of UTF-8: it wins over what the declaration says */
};

void xml_input_init(struct xml_input *in, const struct xmldoc_opts *opts, xml_input_sink sink,
                    void *user);
void xml_input_done(struct xml_input *in);
enum rc xml_input_read(struct xml_input *in, const void *data, size_t len, struct err *e);
/* No more bytes: passes on what was held back. Codes: CODE_empty, CODE_truncated (gzip ended early). */
enum rc xml_input_end(struct xml_input *in, struct err *e);

/* err_code with the document's prefix: xml_code(in->code, e, "html", "..."). */
enum rc xml_code(const char *prefix, struct err *e, const char *word, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
