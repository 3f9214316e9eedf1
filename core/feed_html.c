/* feed_html.c - feed texts that hold HTML or escapes: decoded once more, stripped, or cut to allowed tags. */
#include "feed_part.h"

#include "str.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static size_t put_utf8(char *out, unsigned long c)
{
    size_t n = 0;

    if (c < 0x80) {
        out[n++] = (char)c;
    } else if (c < 0x800) {
        out[n++] = (char)(0xC0 | (c >> 6));
        out[n++] = (char)(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        out[n++] = (char)(0xE0 | (c >> 12));
        out[n++] = (char)(0x80 | ((c >> 6) & 0x3F));
        out[n++] = (char)(0x80 | (c & 0x3F));
    } else {
        out[n++] = (char)(0xF0 | (c >> 18));
        out[n++] = (char)(0x80 | ((c >> 12) & 0x3F));
        out[n++] = (char)(0x80 | ((c >> 6) & 0x3F));
        out[n++] = (char)(0x80 | (c & 0x3F));
    }
    return n;
}

/* Code point of "&...;" at p, 0 when it is none; *used is its length. */
static unsigned long reference(const char *p, size_t *used)
{
    const char *end = p + 1;
    unsigned long c = 0;

    while (isalnum((unsigned char)*end) || *end == '#')
        end++;
    if (*end != ';' || end - p > 12)
        return 0;
    *used = (size_t)(end - p) + 1;
    if (p[1] != '#')
        return xmldoc_entity(p + 1, (size_t)(end - p) - 1);
    p += 2;
    int base = *p == 'x' || *p == 'X' ? 16 : 10;
    p += base == 16;
    if (p == end)
        return 0;
    for (; p < end; p++) {
        int digit = isdigit((unsigned char)*p) ? *p - '0' : (tolower((unsigned char)*p) - 'a') + 10;

        if (digit < 0 || digit >= base)
            return 0;
        c = c * (unsigned long)base + (unsigned long)digit;
        if (c > 0x10FFFF)
            return 0;
    }
    return c < ' ' || (c >= 0xD800 && c < 0xE000) ? (c == '\t' || c == '\n' ? ' ' : 0) : c;
}

/* Decodes references once. Never grows: the shortest reference is longer than what it stands for. */
static size_t decode(const char *text, char *out)
{
    size_t n = 0, used = 0;

    for (const char *p = text; *p != '\0';) {
        unsigned long c = *p == '&' ? reference(p, &used) : 0;

        if (c != 0) {
            char one[4];
            size_t k = put_utf8(one, c);

            memcpy(out + n, one, k);
            n += k;
            p += used;
        } else {
            out[n++] = *p++;
        }
    }
    out[n] = '\0';
    return n;
}

/* Blanks, U+00A0 and control characters to single blanks, none at the ends. In place. */
size_t feed_collapse(char *text)
{
    size_t n = 0;
    bool gap = false;

    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
        if (*p <= ' ' || *p == 0x7F) {
            gap = true;
        } else if (p[0] == 0xC2 && p[1] == 0xA0) {
            gap = true;
            p++;
        } else {
            if (gap && n > 0)
                text[n++] = ' ';
            gap = false;
            text[n++] = (char)*p;
        }
    }
    text[n] = '\0';
    return n;
}

size_t feed_text_plain(const char *text, char *out)
{
    (void)decode(text, out);
    return feed_collapse(out);
}

/* Length of the tag or comment at p ('<'), 0 when it is only a less-than sign. */
static size_t tag_length(const char *p)
{
    const char *end;

    if (strncmp(p, "<!--", 4) == 0) {
        end = strstr(p + 4, "-->");
        return end != NULL ? (size_t)(end - p) + 3 : strlen(p);
    }
    if (!isalpha((unsigned char)p[1]) && !(p[1] == '/' && isalpha((unsigned char)p[2])) &&
        p[1] != '!' && p[1] != '?')
        return 0;
    for (end = p + 1; *end != '\0' && *end != '>'; end++) {
        if (*end == '<')
            return 0;
    }
    return *end == '>' ? (size_t)(end - p) + 1 : 0;
}

static void strip_tags(char *text)
{
    size_t n = 0;

    for (const char *p = text; *p != '\0';) {
        size_t tag = *p == '<' ? tag_length(p) : 0;

        if (tag > 0) {
            p += tag;
            if (n > 0 && text[n - 1] != ' ' && strncmp(p - tag, "<br", 3) == 0)
                text[n++] = ' ';
        } else {
            text[n++] = *p++;
        }
    }
    text[n] = '\0';
}

size_t feed_text_title(const char *text, char *out)
{
    memcpy(out, text, strlen(text) + 1);
    strip_tags(out);
    (void)decode(out, out);
    strip_tags(out);
    return feed_collapse(out);
}

/* Lower-case name of the tag at p; "" for comments. */
static void tag_name(const char *p, char out[16])
{
    size_t n = 0;

    for (p += p[1] == '/' ? 2 : 1; isalnum((unsigned char)*p) && n < 15; p++)
        out[n++] = (char)tolower((unsigned char)*p);
    out[n] = '\0';
}

static bool tag_allowed(const char *name)
{
    static const char *const ALLOWED[] = { "p",      "br", "ul", "ol", "li",    "b",
                                           "strong", "i",  "em", "u",  "h1",    "h2",
                                           "h3",     "h4", "h5", "h6", "table", "thead",
                                           "tbody",  "tr", "th", "td" };

    for (size_t i = 0; i < sizeof ALLOWED / sizeof ALLOWED[0]; i++) {
        if (str_eq(name, ALLOWED[i]))
            return true;
    }
    return false;
}

/* Behind the end tag of a script or style, whose text is no text. */
static const char *skip_raw(const char *p, const char *name)
{
    char end_tag[24];

    (void)str_fmt(end_tag, sizeof end_tag, "</%s", name);
    for (; *p != '\0'; p++) {
        if (*p == '<' && strncasecmp(p, end_tag, strlen(end_tag)) == 0) {
            size_t n = tag_length(p);

            return p + (n > 0 ? n : strlen(p));
        }
    }
    return p;
}

static bool has_tags(const char *text)
{
    for (const char *p = strchr(text, '<'); p != NULL; p = strchr(p + 1, '<')) {
        if (tag_length(p) > 0)
            return true;
    }
    return false;
}

#define BLANKS " \t\r\n\f/"

/* The value of the attribute whose name ends at p, if it has one; *after: behind it. Its length without quotes. */
static size_t attribute_value(const char *p, const char **value, const char **after)
{
    const char *eq = p + strspn(p, " \t\r\n\f");
    size_t n = 0;

    *value = *after = p;
    if (*eq != '=')
        return 0;
    eq += 1 + strspn(eq + 1, " \t\r\n\f");
    bool quoted = *eq == '"' || *eq == '\'';

    *value = eq + quoted;
    n = quoted ? strcspn(*value, *eq == '"' ? "\"" : "'") : strcspn(*value, " \t\r\n\f>");
    *after = *value + n + (quoted && (*value)[n] != '\0');
    return n;
}

/* The value of src in the tag at p, without quotes; its length, 0 when there is none. Of a picture inside the text only
 * "data:" is left, so that somebody hears of it. */
static size_t img_source(const char *p, size_t tag, const char **value)
{
    const char *end = p + tag - 1; /* the '>' */

    p += 4 + strspn(p + 4, BLANKS);
    while (p < end) {
        size_t name = strcspn(p, " \t\r\n\f/=>");
        bool found = name == 3 && strncasecmp(p, "src", 3) == 0;
        size_t n = attribute_value(p + name, value, &p);

        if (found) {
            bool bad = *value + n > end || memchr(*value, '<', n) != NULL ||
                       memchr(*value, '>', n) != NULL || memchr(*value, '"', n) != NULL;

            return bad ? 0 : n > 5 && strncasecmp(*value, "data:", 5) == 0 ? 5 : n;
        }
        p += name == 0 && *p != '>'; /* a stray sign */
        p += strspn(p, BLANKS);
    }
    return 0;
}

/* A picture keeps nothing but its address. */
static size_t put_img(const char *p, size_t tag, char *out)
{
    const char *value = NULL;
    size_t len = img_source(p, tag, &value);

    if (len == 0) {
        out[0] = ' ';
        return 1;
    }
    memcpy(out, "<img src=\"", 10);
    memcpy(out + 10, value, len);
    memcpy(out + 10 + len, "\">", 2);
    return len + 12;
}

/* Writes HTML with allow-listed tags, attributes dropped but the address of a picture. out has four times the room of text. */
static size_t sanitize(const char *text, char *out)
{
    size_t n = 0;

    for (const char *p = text; *p != '\0';) {
        size_t tag = *p == '<' ? tag_length(p) : 0;
        char name[16];

        if (tag == 0) {
            if (strncmp(p, "&nbsp;", 6) == 0) {
                out[n++] = ' ';
                p += 6;
                continue;
            }
            if (*p == '<') {
                memcpy(out + n, "&lt;", 4);
                n += 4;
            } else {
                out[n++] = *p;
            }
            p++;
            continue;
        }
        tag_name(p, name);
        if (tag_allowed(name)) {
            n += (size_t)snprintf(out + n, 24, "<%s%s>", p[1] == '/' ? "/" : "", name);
            p += tag;
        } else if (p[1] != '/' && (str_eq(name, "script") || str_eq(name, "style"))) {
            p = skip_raw(p + tag, name);
        } else {
            if (str_eq(name, "img") && p[1] != '/')
                n += put_img(p, tag, out + n);
            else if (str_eq(name, "div"))
                out[n++] = ' ';
            p += tag;
        }
    }
    out[n] = '\0';
    return n;
}

/* U+00A0 and control characters but line breaks become blanks; none at the ends. In place. */
static size_t clean(char *text)
{
    size_t n = 0, from = 0;

    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
        if (*p == '\r')
            continue;
        if (p[0] == 0xC2 && p[1] == 0xA0) {
            text[n++] = ' ';
            p++;
        } else {
            text[n++] = (*p < ' ' && *p != '\n') || *p == 0x7F ? ' ' : (char)*p;
        }
    }
    while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\n'))
        n--;
    while (from < n && (text[from] == ' ' || text[from] == '\n'))
        from++;
    memmove(text, text + from, n - from);
    text[n - from] = '\0';
    return n - from;
}

size_t feed_text_description(const char *text, char *out)
{
    size_t n = strlen(text);

    if (has_tags(text)) {
        (void)sanitize(text, out);
        return clean(out);
    }
    n = decode(text, out);
    if (has_tags(out)) { /* escaped once more than needed */
        char *copy = str_dup(out);

        if (copy != NULL)
            n = sanitize(copy, out);
        else
            out[n = 0] = '\0';
        free(copy);
    }
    (void)n;
    return clean(out);
}
