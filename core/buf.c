/* buf.c - growing byte buffer whose first failure sticks. */
#include "buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b, size_t limit_bytes)
{
    memset(b, 0, sizeof *b);
    b->limit_bytes = limit_bytes;
}

void buf_done(struct buf *b)
{
    free(b->data);
    b->data = NULL;
    b->len = 0;
    b->cap = 0;
    b->failed = false;
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->data != NULL)
        b->data[0] = '\0';
}

/* Room for `more` bytes and the terminator. */
static bool reserve(struct buf *b, size_t more)
{
    size_t cap = b->cap ? b->cap : 128;
    char *data;

    if (b->failed || more > b->limit_bytes || b->len > b->limit_bytes - more) {
        b->failed = true;
        return false;
    }
    if (b->len + more < b->cap)
        return true;
    while (cap <= b->len + more)
        cap *= 2;
    data = realloc(b->data, cap);
    if (data == NULL) {
        b->failed = true;
        return false;
    }
    b->data = data;
    b->cap = cap;
    return true;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
    if (!reserve(b, len))
        return;
    if (len > 0)
        memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void buf_str(struct buf *b, const char *text)
{
    buf_add(b, text, strlen(text));
}

void buf_char(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
    va_list ap, again;
    int need;

    va_start(ap, fmt);
    va_copy(again, ap);
    need = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (need < 0)
        b->failed = true;
    else if (reserve(b, (size_t)need)) {
        (void)vsnprintf(b->data + b->len, (size_t)need + 1, fmt, again); /* sized just above */
        b->len += (size_t)need;
    }
    va_end(again);
}

const char *buf_text(const struct buf *b)
{
    return b->data != NULL ? b->data : "";
}

enum rc buf_check(const struct buf *b, struct err *e)
{
    if (!b->failed)
        return RC_OK;
    return err_code(e, RC_INVALID, "too_large", "content is over %zu bytes or memory is short",
                    b->limit_bytes);
}

char *buf_take(struct buf *b)
{
    char *data = b->data;

    if (data == NULL)
        return calloc(1, 1);
    b->data = NULL;
    b->len = 0;
    b->cap = 0;
    b->failed = false;
    return data;
}
