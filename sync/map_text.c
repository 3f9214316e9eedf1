/* map_text.c - single characters and plain lines: what TikTok takes, what is replaced, what is dropped.
 *
 * TikTok refuses HTML escapes, emoji, control characters, Chinese characters and more than nine equal characters
 * in a row (12052931, 12052932, 12052262), so entities are undone and whatever looks like one is broken up. */
#include "map_text.h"

#include <string.h>

#include "map_text_chars.h"
#include "str.h"

#define LIMIT_TEXT_BYTES ((size_t)1 << 20)

/* Names of U+00A0 to U+00FF in order. */
static const char *const LATIN1[96] = {
    "nbsp",   "iexcl",  "cent",   "pound",  "curren", "yen",    "brvbar", "sect",   "uml",
    "copy",   "ordf",   "laquo",  "not",    "shy",    "reg",    "macr",   "deg",    "plusmn",
    "sup2",   "sup3",   "acute",  "micro",  "para",   "middot", "cedil",  "sup1",   "ordm",
    "raquo",  "frac14", "frac12", "frac34", "iquest", "Agrave", "Aacute", "Acirc",  "Atilde",
    "Auml",   "Aring",  "AElig",  "Ccedil", "Egrave", "Eacute", "Ecirc",  "Euml",   "Igrave",
    "Iacute", "Icirc",  "Iuml",   "ETH",    "Ntilde", "Ograve", "Oacute", "Ocirc",  "Otilde",
    "Ouml",   "times",  "Oslash", "Ugrave", "Uacute", "Ucirc",  "Uuml",   "Yacute", "THORN",
    "szlig",  "agrave", "aacute", "acirc",  "atilde", "auml",   "aring",  "aelig",  "ccedil",
    "egrave", "eacute", "ecirc",  "euml",   "igrave", "iacute", "icirc",  "iuml",   "eth",
    "ntilde", "ograve", "oacute", "ocirc",  "otilde", "ouml",   "divide", "oslash", "ugrave",
    "uacute", "ucirc",  "uuml",   "yacute", "thorn",  "yuml",
};

static const struct {
    const char *name;
    unsigned cp;
} NAMED[] = {
    { "amp", '&' },       { "lt", '<' },       { "gt", '>' },       { "quot", '"' },
    { "apos", '\'' },     { "ndash", 0x2013 }, { "mdash", 0x2014 }, { "lsquo", 0x2018 },
    { "rsquo", 0x2019 },  { "ldquo", 0x201C }, { "rdquo", 0x201D }, { "bull", 0x2022 },
    { "hellip", 0x2026 }, { "trade", 0x2122 }, { "euro", 0x20AC },  { "ensp", ' ' },
    { "emsp", ' ' },      { "thinsp", ' ' },
};

static unsigned entity_named(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof(NAMED) / sizeof(NAMED[0]); i++)
        if (strlen(NAMED[i].name) == len && memcmp(NAMED[i].name, name, len) == 0)
            return NAMED[i].cp;
    for (unsigned i = 0; i < 96; i++)
        if (strlen(LATIN1[i]) == len && memcmp(LATIN1[i], name, len) == 0)
            return 0xA0 + i;
    return 0;
}

static unsigned entity_number(const char *digits, size_t len)
{
    unsigned base = 10;
    unsigned cp = 0;
    size_t i = 0;

    if (len > 0 && (digits[0] == 'x' || digits[0] == 'X')) {
        base = 16;
        i = 1;
    }
    if (i == len || len > 8)
        return 0;
    for (; i < len; i++) {
        char c = digits[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                                : 99;

        if (digit >= base)
            return 0;
        cp = cp * base + digit;
    }
    return cp <= 0x10FFFF && (cp < 0xD800 || cp > 0xDFFF) ? cp : 0;
}

/* Text after '&' up to ';' as a character; *used counts it with the semicolon. 0 = no entity. */
static unsigned entity_body(const char *p, const char *end, size_t *used)
{
    size_t len = 0;

    while (p + len < end && len < 10 && p[len] != ';' && (unsigned char)p[len] > ' ')
        len++;
    if (p + len >= end || p[len] != ';' || len < 2)
        return 0;

    unsigned cp = p[0] == '#' ? entity_number(p + 1, len - 1) : entity_named(p, len);

    *used = len + 1;
    return cp;
}

static unsigned utf8_next(const char **p, const char *end)
{
    const unsigned char *s = (const unsigned char *)*p;
    size_t left = (size_t)(end - *p);
    size_t len = s[0] < 0x80 ? 1 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;

    if (len > left) {
        *p = end;
        return 0xFFFD;
    }
    *p += len;
    if (len == 1)
        return s[0];
    if (len == 2)
        return (s[0] & 0x1Fu) << 6 | (s[1] & 0x3Fu);
    if (len == 3)
        return (s[0] & 0x0Fu) << 12 | (s[1] & 0x3Fu) << 6 | (s[2] & 0x3Fu);
    return (s[0] & 0x07u) << 18 | (s[1] & 0x3Fu) << 12 | (s[2] & 0x3Fu) << 6 | (s[3] & 0x3Fu);
}

unsigned text_next(const char **p, const char *end)
{
    unsigned cp = utf8_next(p, end);

    /* `&amp;nbsp;` is an entity that was escaped twice */
    for (int depth = 0; depth < 3 && cp == '&'; depth++) {
        size_t used = 0;
        unsigned inner = entity_body(*p, end, &used);

        if (inner == 0)
            break;
        cp = inner;
        *p += used;
    }
    return cp;
}

struct range {
    unsigned first, last;
};

/* Emoji and pictographs, Chinese, invisible and private characters. */
static const struct range DROPPED[] = {
    { 0x00A9, 0x00A9 }, { 0x00AD, 0x00AE },    { 0x0300, 0x036F }, { 0x200B, 0x200F },
    { 0x202A, 0x202E }, { 0x203C, 0x203C },    { 0x2049, 0x2049 }, { 0x2060, 0x206F },
    { 0x20D0, 0x20FF }, { 0x2122, 0x2122 },    { 0x2139, 0x2139 }, { 0x2190, 0x21FF },
    { 0x2300, 0x23FF }, { 0x2460, 0x24FF },    { 0x25A0, 0x27BF }, { 0x2900, 0x297F },
    { 0x2B00, 0x2BFF }, { 0x2E80, 0x303F },    { 0x3200, 0x33FF }, { 0x3400, 0x4DBF },
    { 0x4E00, 0x9FFF }, { 0xD800, 0xFAFF },    { 0xFE00, 0xFE0F }, { 0xFEFF, 0xFEFF },
    { 0xFFF0, 0xFFFF }, { 0x1F000, 0x10FFFF },
};

unsigned text_filter(unsigned cp)
{
    if (cp == '<')
        return 0x2039; /* looks alike and is no markup */
    if (cp == '>')
        return 0x203A;
    if (cp <= ' ' || cp == 0x7F || (cp >= 0x80 && cp <= 0xA0) || (cp >= 0x2000 && cp <= 0x200A) ||
        cp == 0x2028 || cp == 0x2029 || cp == 0x202F || cp == 0x205F || cp == 0x3000)
        return ' ';
    for (size_t i = 0; i < sizeof(DROPPED) / sizeof(DROPPED[0]); i++)
        if (cp >= DROPPED[i].first && cp <= DROPPED[i].last)
            return 0;
    return cp;
}

void text_put(struct buf *out, unsigned cp)
{
    if (cp < 0x80) {
        buf_char(out, (char)cp);
    } else if (cp < 0x800) {
        buf_char(out, (char)(0xC0 | cp >> 6));
        buf_char(out, (char)(0x80 | (cp & 0x3F)));
    } else if (cp < 0x10000) {
        buf_char(out, (char)(0xE0 | cp >> 12));
        buf_char(out, (char)(0x80 | (cp >> 6 & 0x3F)));
        buf_char(out, (char)(0x80 | (cp & 0x3F)));
    } else {
        buf_char(out, (char)(0xF0 | cp >> 18));
        buf_char(out, (char)(0x80 | (cp >> 12 & 0x3F)));
        buf_char(out, (char)(0x80 | (cp >> 6 & 0x3F)));
        buf_char(out, (char)(0x80 | (cp & 0x3F)));
    }
}

bool text_run_add(struct text_run *run, unsigned cp)
{
    bool amp_before = run->last == '&';

    if (cp == ' ')
        return run->last != ' ' && run->last != 0 ? (run->last = ' ', run->count = 1, true) : false;
    if (cp == run->last) {
        if (run->count >= TEXT_RUN_MAX)
            return false;
        run->count++;
    } else {
        run->last = cp;
        run->count = 1;
    }
    run->split = amp_before && (cp == '#' || (cp < 0x80 && cp >= '0'));
    return true;
}

const char *text_tag_end(const char *p, const char *end)
{
    char quote = 0;

    for (; p < end; p++) {
        if (quote != 0)
            quote = *p == quote ? 0 : quote;
        else if (*p == '"' || *p == '\'')
            quote = *p;
        else if (*p == '>')
            return p + 1;
    }
    return NULL;
}

bool text_is_tag(const char *p, const char *end)
{
    return p + 1 < end && p[0] == '<' &&
           ((p[1] >= 'a' && p[1] <= 'z') || (p[1] >= 'A' && p[1] <= 'Z') || p[1] == '/' ||
            p[1] == '!' || p[1] == '?');
}

static void trim_end(struct buf *out)
{
    while (out->len > 0 && out->data[out->len - 1] == ' ')
        out->data[--out->len] = '\0';
}

/* Cuts at a word when one ends in the last fifth, else at the character. */
static void cut_chars(struct buf *out, size_t max_chars)
{
    if (out->len == 0 || str_utf8_count(out->data) <= max_chars)
        return;

    size_t bytes = str_utf8_prefix(out->data, max_chars);
    size_t word = bytes;

    while (word > bytes - bytes / 5 && out->data[word] != ' ')
        word--;
    if (word > 0 && out->data[word] == ' ')
        bytes = word;
    out->data[bytes] = '\0';
    out->len = bytes;
    trim_end(out);
}

enum rc map_text_plain(const char *text, size_t max_chars, struct buf *out, struct err *e)
{
    const char *p = text ? text : "";
    const char *end = p + strlen(p);
    struct text_run run = { 0 };

    buf_clear(out);
    if ((size_t)(end - p) > LIMIT_TEXT_BYTES)
        return err_set(e, RC_INVALID, "text is too long");
    while (p < end) {
        const char *after = text_is_tag(p, end) ? text_tag_end(p, end) : NULL;
        unsigned cp = ' ';

        if (after != NULL)
            p = after;
        else
            cp = text_filter(text_next(&p, end));
        if (cp == 0 || !text_run_add(&run, cp))
            continue;
        if (run.split)
            buf_char(out, ' ');
        text_put(out, cp);
    }
    trim_end(out);
    cut_chars(out, max_chars);
    return buf_check(out, e);
}

bool map_text_has_word(const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; p != NULL && *p != '\0'; p++)
        if ((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
            *p >= 0xC3)
            return true;
    return false;
}

/* Base letters of U+00C0 to U+00FF; '?' keeps the character. */
static const char BASE[] = "aaaaaaaceeeeiiiidnooooo?ouuuuyts"
                           "aaaaaaaceeeeiiiidnooooo?ouuuuyty";

enum rc map_text_key(const char *text, struct buf *out, struct err *e)
{
    const char *p = text ? text : "";
    const char *end = p + strlen(p);
    unsigned last = ' ';

    buf_clear(out);
    while (p < end) {
        unsigned cp = utf8_next(&p, end);

        if (cp >= 0xC0 && cp <= 0xFF && BASE[cp - 0xC0] != '?')
            cp = (unsigned char)BASE[cp - 0xC0];
        else if (cp >= 'A' && cp <= 'Z')
            cp += 'a' - 'A';
        else if (cp >= 0x300 && cp <= 0x36F)
            continue; /* accent written on its own */
        else if (cp <= ' ' || cp == 0xA0)
            cp = ' ';
        if (cp == ' ' && last == ' ')
            continue;
        text_put(out, cp);
        last = cp;
    }
    trim_end(out);
    return buf_check(out, e);
}

enum rc map_text_base(const char *text, struct buf *out, struct err *e)
{
    const char *p = text ? text : "";
    const char *end = p + strlen(p);

    buf_clear(out);
    while (p < end) {
        unsigned cp = utf8_next(&p, end);

        if (cp >= 0xC0 && cp <= 0xFF && BASE[cp - 0xC0] != '?') {
            bool capital = cp <= 0xDE;

            cp = (unsigned char)BASE[cp - 0xC0];
            if (capital && cp >= 'a' && cp <= 'z')
                cp -= 'a' - 'A';
        } else if (cp >= 0x300 && cp <= 0x36F) {
            continue;
        }
        text_put(out, cp);
    }
    return buf_check(out, e);
}

bool map_text_same(const char *a, const char *b)
{
    OWN_BUF struct buf x;
    OWN_BUF struct buf y;

    buf_init(&x, LIMIT_TEXT_BYTES);
    buf_init(&y, LIMIT_TEXT_BYTES);
    return a != NULL && b != NULL && map_text_key(a, &x, NULL) == RC_OK &&
           map_text_key(b, &y, NULL) == RC_OK && x.len > 0 &&
           strcmp(buf_text(&x), buf_text(&y)) == 0;
}
