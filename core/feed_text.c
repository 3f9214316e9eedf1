/* feed_text.c - tolerant reading of feed texts: addresses, codes, units, vocabularies (feed guide, 3). */
#include "feed_part.h"

#include "clock.h"
#include "str.h"

#include <ctype.h>
#include <string.h>

/* ---- addresses ---- */

static bool starts_n(const char *p, size_t len, const char *word)
{
    size_t n = strlen(word);

    return len >= n && memcmp(p, word, n) == 0;
}

static bool volatile_param(const char *p, size_t len, bool image)
{
    static const char *const TRACKING[] = { "utm_",
                                            "gclid=", "fbclid=", "srsltid=", "gad_source=" };

    if (p[0] != 'u' && p[0] != 'g' && p[0] != 'f' && p[0] != 's')
        return image && p[0] == 'v' && (len == 1 || p[1] == '=');
    for (size_t i = 0; i < sizeof TRACKING / sizeof TRACKING[0]; i++) {
        if (starts_n(p, len, TRACKING[i]))
            return true;
    }
    return false;
}

size_t feed_url_stable(const char *url, size_t len, bool image, char *out)
{
    const char *query = memchr(url, '?', len), *end = url + len, *p;
    size_t n;
    bool first = true;

    if (query == NULL) {
        memcpy(out, url, len);
        return len;
    }
    n = (size_t)(query - url);
    memcpy(out, url, n);
    for (p = query + 1; p <= end;) {
        const char *amp = memchr(p, '&', (size_t)(end - p));
        size_t part = (size_t)((amp != NULL ? amp : end) - p);

        if (part > 0 && !volatile_param(p, part, image)) {
            out[n++] = first ? '?' : '&';
            memcpy(out + n, p, part);
            n += part;
            first = false;
        }
        p += part + 1;
    }
    return n;
}

static bool scheme_ok(const char *p, size_t len, size_t *host)
{
    char low[9] = "";

    for (size_t i = 0; i < 8 && i < len; i++)
        low[i] = (char)tolower((unsigned char)p[i]);
    *host = str_starts(low, "https://") ? 8 : str_starts(low, "http://") ? 7 : 0;
    return *host > 0 && len > *host && p[*host] != '/' && p[*host] != ' ';
}

size_t feed_text_url(const char *text, size_t len, char *out)
{
    size_t n = 0, host;

    while (len > 0 && (unsigned char)text[0] <= ' ') {
        text++;
        len--;
    }
    while (len > 0 && (unsigned char)text[len - 1] <= ' ')
        len--;
    if (starts_n(text, len, "//")) {
        memcpy(out, "https:", 6);
        n = 6;
    } else if (!scheme_ok(text, len, &host)) {
        out[0] = '\0';
        return 0;
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c < ' ' || c == 0x7F)
            continue; /* line breaks inside a pasted address */
        if (c == ' ' || c >= 0x80 || c == '"' || c == '<' || c == '>' || c == '\\' || c == '^' ||
            c == '`' || c == '{' || c == '|' || c == '}') {
            static const char HEX[] = "0123456789ABCDEF";
            out[n++] = '%';
            out[n++] = HEX[c >> 4];
            out[n++] = HEX[c & 15];
        } else {
            out[n++] = (char)c;
        }
    }
    out[n] = '\0';
    if (!scheme_ok(out, n, &host))
        n = 0;
    out[n] = '\0';
    return n;
}

/* ---- numbers ---- */

static bool gtin_check(const char *d, size_t n)
{
    int sum = 0;

    for (size_t i = 0; i + 1 < n; i++)
        sum += (d[i] - '0') * ((n - 1 - i) % 2 == 1 ? 3 : 1);
    return (10 - sum % 10) % 10 == d[n - 1] - '0';
}

static size_t nbsp(const char *p)
{
    return (unsigned char)p[0] == 0xC2 && (unsigned char)p[1] == 0xA0 ? 2 : 0;
}

/* A number as a spreadsheet writes it ("7.896E+12"): its last digits are lost. */
static bool exponent_form(const char *p, size_t len)
{
    for (size_t i = 1; i + 1 < len; i++) {
        size_t next = i + 1 + (p[i + 1] == '+' || p[i + 1] == '-');

        if ((p[i] == 'e' || p[i] == 'E') && isdigit((unsigned char)p[i - 1]) && next < len &&
            isdigit((unsigned char)p[next]))
            return true;
    }
    return false;
}

/* The digits of one code of at least `least` digits; false when they are no GTIN. */
static bool gtin_one(const char *p, size_t len, size_t least, char out[16], size_t *n)
{
    *n = 0;
    if (exponent_form(p, len))
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!isdigit((unsigned char)p[i]))
            continue;
        if (*n == 14 && out[0] != '0')
            return false;
        if (*n == 14) { /* more leading zeros than a GTIN-14 has */
            memmove(out, out + 1, 13);
            *n = 13;
        }
        out[(*n)++] = p[i];
    }
    while (*n > 13 && out[0] == '0') {
        memmove(out, out + 1, *n - 1);
        (*n)--;
    }
    return *n >= least && (*n == 8 || *n == 12 || *n == 13 || *n == 14) && gtin_check(out, *n) &&
           strspn(out, "0") < *n;
}

/* The first word of at least `least` digits that is a code by itself. */
static bool gtin_word(const char *p, size_t len, size_t least, char out[16], size_t *n)
{
    const char *end = p + len;

    while (p < end) {
        const char *word = p;

        while (p < end && *p != ' ' && nbsp(p) == 0)
            p++;
        if (gtin_one(word, (size_t)(p - word), least, out, n))
            return true;
        p += p < end ? (*p == ' ' ? 1 : 2) : 0;
    }
    return false;
}

/* Blanks stand between codes ("7896000120106 7896000120113") as well as inside one ("7 896000 120106"): a word as
 * long as a code counts before the whole, a short one only when the whole is none. */
size_t feed_text_gtin(const char *text, char *out)
{
    for (const char *p = text; *p != '\0';) {
        size_t part = strcspn(p, ",;|/"), n;
        char code[16] = "";

        if (gtin_word(p, part, 12, code, &n) || gtin_one(p, part, 8, code, &n) ||
            gtin_word(p, part, 8, code, &n)) {
            memcpy(out, code, n);
            out[n] = '\0';
            return n;
        }
        p += part + (p[part] != '\0');
    }
    out[0] = '\0';
    return 0;
}

/* The last mark is the decimal one, whichever it is; NULL: none. */
static const char *decimal_mark(const char *text)
{
    const char *dot = strrchr(text, '.'), *comma = strrchr(text, ',');

    if (dot == NULL || comma == NULL)
        return dot != NULL ? dot : comma;
    return dot > comma ? dot : comma;
}

/* Digits with one decimal mark to millionths; *unit points behind the number and its blanks. */
static bool millionths(const char *text, int64_t *value, const char **unit)
{
    const char *p = text, *mark = decimal_mark(text);
    int64_t v = 0;
    int places = -1; /* before the mark */
    bool any = false;

    for (; isdigit((unsigned char)*p) || *p == '.' || *p == ','; p++) {
        if (p == mark)
            places = 0;
        if (!isdigit((unsigned char)*p))
            continue;
        any = true;
        if (places >= 6)
            continue;
        v = v * 10 + (*p - '0');
        places += places >= 0;
        if (v > INT64_C(1000000000000))
            return false;
    }
    for (places = places < 0 ? 0 : places; places < 6; places++) {
        v *= 10;
        if (v > INT64_C(1000000000000000))
            return false;
    }
    while (*p == ' ' || nbsp(p) > 0)
        p += *p == ' ' ? 1 : 2;
    *value = v;
    *unit = p;
    return any;
}

struct unit {
    const char *name;
    int64_t factor; /* result units per unit, in millionths */
};

/* value (millionths) * factor (millionths), half up. */
static int64_t scale(int64_t value, int64_t factor)
{
    __extension__ typedef __int128 wide;
    wide v = (wide)value * factor + INT64_C(500000000000);

    return (int64_t)(v / INT64_C(1000000000000));
}

static bool with_unit(const char *text, const struct unit *units, int64_t *out)
{
    const char *name;
    int64_t value;

    if (!millionths(text, &value, &name))
        return false;
    for (; units->name != NULL; units++) {
        if (str_ieq(name, units->name)) {
            *out = scale(value, units->factor);
            return true;
        }
    }
    return false;
}

bool feed_weight(const char *text, int64_t *g)
{
    static const struct unit UNITS[] = { { "", INT64_C(1000000000) },
                                         { "kg", INT64_C(1000000000) },
                                         { "kgs", INT64_C(1000000000) },
                                         { "g", 1000000 },
                                         { "gr", 1000000 },
                                         { "oz", 28349523 },
                                         { "lb", 453592370 },
                                         { "lbs", 453592370 },
                                         { NULL, 0 } };
    int64_t v;

    if (!with_unit(text, UNITS, &v) || v < 1 || v > 1000000)
        return false;
    *g = v;
    return true;
}

bool feed_size(const char *text, int64_t *mm)
{
    static const struct unit UNITS[] = { { "", 10000000 },  { "cm", 10000000 },  { "in", 25400000 },
                                         { "mm", 1000000 }, { "m", 1000000000 }, { NULL, 0 } };
    int64_t v;

    if (!with_unit(text, UNITS, &v) || v < 1 || v > 4000)
        return false;
    *mm = v;
    return true;
}

bool feed_interval(const char *text, int64_t *from_us, int64_t *to_us)
{
    char part[64];
    const char *slash = strchr(text, '/');
    int64_t from, to;

    if (slash == NULL || slash == text || (size_t)(slash - text) >= sizeof part)
        return false;
    memcpy(part, text, (size_t)(slash - text));
    part[slash - text] = '\0';
    if (!clock_read_local(str_trim(part), false, &from) ||
        !str_copy(part, sizeof part, slash + 1) || !clock_read_local(str_trim(part), true, &to))
        return false;
    if (to < from)
        return false;
    *from_us = from;
    *to_us = to;
    return true;
}

/* ---- vocabularies ---- */

struct word {
    const char *said, *means;
};

/* Lower-case ASCII, '_' and '-' as blanks, U+00A0 too; other bytes as they are. */
static const char *translate(const char *text, const struct word *words, const char *otherwise)
{
    char said[64];
    size_t n = 0;

    for (const unsigned char *p = (const unsigned char *)text; *p != '\0' && n < sizeof said - 1;
         p++) {
        if (p[0] == 0xC2 && p[1] == 0xA0) {
            said[n++] = ' ';
            p++;
        } else if (p[0] == 0xC3 && p[1] >= 0x80 && p[1] <= 0x9E && n < sizeof said - 2) {
            said[n++] =
                (char)*p++; /* capital letters with accents are 0x20 before the small ones */
            said[n++] = (char)(*p + 0x20);
        } else {
            said[n++] = *p == '_' || *p == '-' ? ' ' : (char)tolower(*p);
        }
    }
    said[n] = '\0';
    (void)feed_collapse(said);
    for (; words->said != NULL; words++) {
        if (str_eq(said, words->said))
            return words->means;
    }
    return otherwise;
}

const char *feed_availability(const char *text)
{
    static const struct word WORDS[] = { { "in stock", "in_stock" },
                                         { "instock", "in_stock" },
                                         { "available", "in_stock" },
                                         { "em estoque", "in_stock" },
                                         { "disponível", "in_stock" },
                                         { "disponivel", "in_stock" },
                                         { "preorder", "preorder" },
                                         { "pre order", "preorder" },
                                         { "pré venda", "preorder" },
                                         { "pre venda", "preorder" },
                                         { "backorder", "backorder" },
                                         { "back order", "backorder" },
                                         { "available for order", "backorder" },
                                         { "sob encomenda", "backorder" },
                                         { NULL, NULL } };

    return translate(text, WORDS, "out_of_stock");
}

const char *feed_gender(const char *text)
{
    static const struct word WORDS[] = { { "male", "male" },       { "masculino", "male" },
                                         { "homem", "male" },      { "female", "female" },
                                         { "feminino", "female" }, { "mulher", "female" },
                                         { "unisex", "unisex" },   { "unissex", "unisex" },
                                         { "unisexo", "unisex" },  { NULL, NULL } };

    return translate(text, WORDS, NULL);
}

const char *feed_age_group(const char *text)
{
    static const struct word WORDS[] = { { "newborn", "newborn" },
                                         { "recém nascido", "newborn" },
                                         { "recem nascido", "newborn" },
                                         { "infant", "infant" },
                                         { "bebê", "infant" },
                                         { "bebe", "infant" },
                                         { "toddler", "toddler" },
                                         { "kids", "kids" },
                                         { "infantil", "kids" },
                                         { "criança", "kids" },
                                         { "adult", "adult" },
                                         { "adulto", "adult" },
                                         { NULL, NULL } };

    return translate(text, WORDS, NULL);
}

const char *feed_condition(const char *text)
{
    static const struct word WORDS[] = { { "new", "new" },
                                         { "novo", "new" },
                                         { "nova", "new" },
                                         { "refurbished", "refurbished" },
                                         { "recondicionado", "refurbished" },
                                         { "used", "used" },
                                         { "usado", "used" },
                                         { "seminovo", "used" },
                                         { NULL, NULL } };

    return translate(text, WORDS, NULL);
}
