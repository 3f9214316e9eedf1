/* str_code.c - text encodings of str.h: percent, HTML, hex, base64. */
#include "str.h"

#include <string.h>

static bool unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void str_url_encode(struct buf *out, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";

    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        char escaped[3] = { '%', digits[c >> 4], digits[c & 15] };

        if (unreserved(*text))
            buf_char(out, *text);
        else
            buf_add(out, escaped, sizeof escaped);
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool str_url_decode(char *dst, size_t cap, const char *src, size_t len, bool plus_is_blank)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        int c = (unsigned char)src[i];

        if (c == '%') {
            int high = i + 2 < len ? hex_digit(src[i + 1]) : -1;
            int low = i + 2 < len ? hex_digit(src[i + 2]) : -1;

            if (high < 0 || low < 0)
                return false;
            c = high * 16 + low;
            i += 2;
        } else if (c == '+' && plus_is_blank) {
            c = ' ';
        }
        if (c == 0 || n + 1 >= cap)
            return false;
        dst[n++] = (char)c;
    }
    if (cap == 0)
        return false;
    dst[n] = '\0';
    return true;
}

void str_html(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            buf_str(out, "&amp;");
            break;
        case '<':
            buf_str(out, "&lt;");
            break;
        case '>':
            buf_str(out, "&gt;");
            break;
        case '"':
            buf_str(out, "&quot;");
            break;
        case '\'':
            buf_str(out, "&#39;");
            break;
        default:
            buf_char(out, *text);
        }
    }
}

void str_hex(char *dst, const void *src, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *p = src;

    for (size_t i = 0; i < len; i++) {
        dst[2 * i] = digits[p[i] >> 4];
        dst[2 * i + 1] = digits[p[i] & 15];
    }
    dst[2 * len] = '\0';
}

bool str_unhex(void *dst, size_t dst_len, const char *hex)
{
    unsigned char *p = dst;

    if (hex == NULL || strlen(hex) != 2 * dst_len)
        return false;
    for (size_t i = 0; i < dst_len; i++) {
        int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        p[i] = (unsigned char)(high * 16 + low);
    }
    return true;
}

static void base64(struct buf *out, const unsigned char *p, size_t len, const char *alphabet,
                   bool pad)
{
    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        unsigned long v = (unsigned long)p[i] << 16 |
                          (left > 1 ? (unsigned long)p[i + 1] << 8 : 0) | (left > 2 ? p[i + 2] : 0);
        char four[4] = { alphabet[v >> 18 & 63], alphabet[v >> 12 & 63], alphabet[v >> 6 & 63],
                         alphabet[v & 63] };
        size_t n = left > 2 ? 4 : left + 1;

        buf_add(out, four, n);
        for (; pad && n < 4; n++)
            buf_char(out, '=');
    }
}

void str_base64(struct buf *out, const void *src, size_t len)
{
    base64(out, src, len, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", true);
}

void str_base64url(struct buf *out, const void *src, size_t len)
{
    base64(out, src, len, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
           false);
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

long str_unbase64(void *dst, size_t cap, const char *text)
{
    unsigned char *p = dst;
    size_t len = strlen(text), n = 0;

    if (len % 4 != 0)
        return -1;
    for (size_t i = 0; i < len; i += 4) {
        bool last = i + 4 == len;
        int pads = last && text[i + 3] == '=' ? (text[i + 2] == '=' ? 2 : 1) : 0;
        unsigned long v = 0;

        for (int k = 0; k < 4; k++) {
            int d = k >= 4 - pads ? 0 : base64_digit(text[i + (size_t)k]);

            if (d < 0)
                return -1;
            v = v << 6 | (unsigned long)d;
        }
        for (int k = 0; k < 3 - pads; k++) {
            if (n >= cap)
                return -1;
            p[n++] = (unsigned char)(v >> (16 - 8 * k) & 255);
        }
    }
    return (long)n;
}
