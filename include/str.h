/* str.h - strict reading and writing of text and numbers. */
#ifndef STR_H
#define STR_H

#include "buf.h"

/* Whole text as a decimal integer within [min, max]; no blanks, no '+', no leading zeros but "0". */
bool str_to_i64(const char *text, int64_t min, int64_t max, int64_t *out);
/* Copies with the terminator; false (and dst = "") when it does not fit or src is NULL. */
bool str_copy(char *dst, size_t cap, const char *src);
/* Copies what fits, cut at a UTF-8 character boundary: for texts shown to people only. */
void str_copy_cut(char *dst, size_t cap, const char *src);
/* Formats; false (and dst = "") when it does not fit. */
bool str_fmt(char *dst, size_t cap, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Heap copy, NULL for NULL or out of memory. */
char *str_dup(const char *src);
char *str_ndup(const char *src, size_t len);
bool str_eq(const char *a, const char *b);  /* NULL equals only NULL */
bool str_ieq(const char *a, const char *b); /* ASCII case ignored */
bool str_starts(const char *text, const char *prefix);
bool str_ends(const char *text, const char *suffix);
bool str_blank(const char *text); /* NULL, empty or only ASCII white space */
/* Strips ASCII white space at both ends, in place; returns text. */
char *str_trim(char *text);
void str_lower_ascii(char *text);
/* Only characters of `allowed` and at least one. */
bool str_only(const char *text, const char *allowed);
bool str_digits(const char *text);

bool str_utf8_valid(const char *text, size_t len);
/* Number of code points of valid UTF-8. */
size_t str_utf8_count(const char *text);
/* Byte length of the longest prefix with at most max_chars code points. */
size_t str_utf8_prefix(const char *text, size_t max_chars);

/* Percent-encodes everything but RFC 3986 unreserved characters. */
void str_url_encode(struct buf *out, const char *text);
/* Decodes %XX, and '+' as blank when plus_is_blank; false on bad escapes or a NUL. dst may be src. */
bool str_url_decode(char *dst, size_t cap, const char *src, size_t len, bool plus_is_blank);
/* Escapes & < > " ' for HTML and XML. */
void str_html(struct buf *out, const char *text);
/* JSON string body without the quotes. Bytes that are no UTF-8 become U+FFFD. */
void str_json(struct buf *out, const char *text, size_t len);

void str_hex(char *dst /* 2*len+1 */, const void *src, size_t len);
bool str_unhex(void *dst, size_t dst_len,
               const char *hex); /* exactly dst_len bytes, lower or upper */
void str_base64(struct buf *out, const void *src, size_t len);
void str_base64url(struct buf *out, const void *src, size_t len); /* no padding */
/* Standard alphabet with padding (blanks not accepted). Returns decoded length or -1. */
long str_unbase64(void *dst, size_t cap, const char *text);

#endif
