/* buf.h - a growing byte buffer with a hard limit. */
#ifndef BUF_H
#define BUF_H

#include "err.h"

#include <stddef.h>

/* Zero bytes follow the content, so data is a C string whenever len > 0; use buf_text() to be sure.
 * The first append that fails (limit or memory) sets `failed`; later ones do nothing. Check once with
 * buf_check(). One thread at a time. */
struct buf {
    char *data;
    size_t len;
    size_t cap;
    size_t limit_bytes;
    bool failed;
};

void buf_init(struct buf *b, size_t limit_bytes);
/* Frees the content; the limit stays, so the buffer can be used again. */
void buf_done(struct buf *b);
/* Forgets the content, keeps the memory. */
void buf_clear(struct buf *b);
void buf_add(struct buf *b, const void *data, size_t len);
void buf_str(struct buf *b, const char *text);
void buf_char(struct buf *b, char c);
void buf_fmt(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Content as a C string, "" when empty. Borrowed until the next change. */
const char *buf_text(const struct buf *b);
/* RC_OK, or RC_INVALID (code "too_large") when an append failed. */
enum rc buf_check(const struct buf *b, struct err *e);
/* Gives the content away as a heap string (never NULL unless out of memory); the buffer is empty after. */
char *buf_take(struct buf *b);

#define OWN_BUF __attribute__((cleanup(buf_done)))

#endif
