/* str.c - strict text helpers: numbers, copies, UTF-8. Encodings are in str_code.c. */
#include "str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool str_to_i64(const char *text, int64_t min, int64_t max, int64_t *out)
{
    const char *p = text;
    bool negative = false;
    int64_t value = 0;

    if (text == NULL)
        return false;
    if (*p == '-') {
        negative = true;
        p++;
    }
    if (*p < '0' || *p > '9' || (*p == '0' && (p[1] != '\0' || negative)))
        return false;
    for (; *p != '\0'; p++) {
        if (*p < '0' || *p > '9')
            return false;
        if (__builtin_mul_overflow(value, 10, &value))
            return false;
        if (negative ? __builtin_sub_overflow(value, *p - '0', &value)
                     : __builtin_add_overflow(value, *p - '0', &value))
            return false;
    }
    if (value < min || value > max)
        return false;
    *out = value;
    return true;
}

bool str_copy(char *dst, size_t cap, const char *src)
{
    size_t len = src != NULL ? strlen(src) : cap;

    if (cap == 0)
        return false;
    if (len >= cap) {
        dst[0] = '\0';
        return false;
    }
    memcpy(dst, src, len + 1);
    return true;
}

void str_copy_cut(char *dst, size_t cap, const char *src)
{
    size_t len = src != NULL ? strlen(src) : 0;

    if (cap == 0)
        return;
    if (len >= cap) {
        len = cap - 1;
        while (len > 0 && ((unsigned char)src[len] & 0xC0) == 0x80)
            len--;
    }
    if (len > 0)
        memmove(dst, src, len);
    dst[len] = '\0';
}

bool str_fmt(char *dst, size_t cap, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(dst, cap, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < cap)
        return true;
    if (cap > 0)
        dst[0] = '\0';
    return false;
}

char *str_dup(const char *src)
{
    return src != NULL ? strdup(src) : NULL;
}

char *str_ndup(const char *src, size_t len)
{
    return src != NULL ? strndup(src, len) : NULL;
}

bool str_eq(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return strcmp(a, b) == 0;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool str_ieq(const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    while (*a != '\0' && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return lower(*a) == lower(*b);
}

bool str_starts(const char *text, const char *prefix)
{
    return text != NULL && strncmp(text, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *text, const char *suffix)
{
    size_t len = text != NULL ? strlen(text) : 0;
    size_t end = strlen(suffix);

    return len >= end && strcmp(text + len - end, suffix) == 0;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool str_blank(const char *text)
{
    while (text != NULL && is_blank(*text))
        text++;
    return text == NULL || *text == '\0';
}

char *str_trim(char *text)
{
    char *first = text;
    size_t len;

    while (is_blank(*first))
        first++;
    len = strlen(first);
    while (len > 0 && is_blank(first[len - 1]))
        len--;
    memmove(text, first, len);
    text[len] = '\0';
    return text;
}

void str_lower_ascii(char *text)
{
    for (; *text != '\0'; text++)
        *text = lower(*text);
}

bool str_only(const char *text, const char *allowed)
{
    return text != NULL && *text != '\0' && text[strspn(text, allowed)] == '\0';
}

bool str_digits(const char *text)
{
    return str_only(text, "0123456789");
}

/* Length of the UTF-8 sequence at p (1..4), 0 when it is not valid (RFC 3629). */
static size_t utf8_len(const unsigned char *p, size_t left)
{
    unsigned char c = p[0];
    size_t n = c < 0x80                 ? 1
               : c >= 0xC2 && c <= 0xDF ? 2
               : c >= 0xE0 && c <= 0xEF ? 3
               : c >= 0xF0 && c <= 0xF4 ? 4
                                        : 0;

    if (n == 0 || n > left)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    }
    if ((c == 0xE0 && p[1] < 0xA0) || (c == 0xED && p[1] > 0x9F) || (c == 0xF0 && p[1] < 0x90) ||
        (c == 0xF4 && p[1] > 0x8F))
        return 0;
    return n;
}

bool str_utf8_valid(const char *text, size_t len)
{
    const unsigned char *p = (const unsigned char *)text;

    while (len > 0) {
        size_t n = utf8_len(p, len);

        if (n == 0)
            return false;
        p += n;
        len -= n;
    }
    return true;
}

size_t str_utf8_count(const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

size_t str_utf8_prefix(const char *text, size_t max_chars)
{
    size_t i = 0, n = 0;

    for (; text[i] != '\0'; i++) {
        if (((unsigned char)text[i] & 0xC0) != 0x80 && n++ == max_chars)
            break;
    }
    return i;
}

void str_json(struct buf *out, const char *text, size_t len)
{
    size_t i = 0;

    while (i < len) {
        unsigned char c = (unsigned char)text[i];
        size_t n = utf8_len((const unsigned char *)text + i, len - i);

        if (n == 0) {
            buf_str(out, "\xEF\xBF\xBD");
            i++;
            continue;
        }
        if (c == '"' || c == '\\')
            buf_fmt(out, "\\%c", c);
        else if (c == '\n')
            buf_str(out, "\\n");
        else if (c < 0x20 || c == 0x7F)
            buf_fmt(out, "\\u%04x", c);
        else
            buf_add(out, text + i, n);
        i += n;
    }
}
