/* map_address.c - turns TikTok's recipient into a Brazilian address that VTEX accepts.
 *
 * The meaning of address_line1..4 differs between sources, so it is a setting; when the lines do not look
 * like what the setting says, the free texts (address_detail, full_address) are read instead. */
#include "map_address.h"

#include "jspec.h"
#include "str.h"

#include <ctype.h>
#include <string.h>

static bool has_digit(const char *text)
{
    return strpbrk(text, "0123456789") != NULL;
}

enum rc map_text_clean(char *dst, size_t cap, const char *src, struct err *e)
{
    size_t n = 0;
    bool blank = false;

    for (const unsigned char *p = (const unsigned char *)(src ? src : ""); *p; p++) {
        if (p[0] == 0xC2 && p[1] >= 0x80 && p[1] <= 0x9F) { /* control characters of U+0080.. */
            p++;
            continue;
        }
        if (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r' || (p[0] == 0xC2 && p[1] == 0xA0)) {
            blank = n > 0;
            p += *p == 0xC2 ? 1 : 0;
            continue;
        }
        if (*p < 0x20 || *p == 0x7F)
            continue;
        if (n + (blank ? 2 : 1) >= cap)
            return err_code(e, RC_INVALID, "text_too_long", "a text of the order is too long");
        if (blank)
            dst[n++] = ' ';
        blank = false;
        dst[n++] = (char)*p;
    }
    dst[n] = '\0';
    return RC_OK;
}

/* ---- state ------------------------------------------------------------------------------------ */

/* Lower case without the accents of Portuguese; other letters stay. */
static void fold(char *dst, size_t cap, const char *src)
{
    static const char plain[] = "aaaaaaaceeeeiiiidnooooo*ouuuuy*saaaaaaaceeeeiiiidnooooo*ouuuuyy*";
    size_t n = 0;

    for (const unsigned char *p = (const unsigned char *)src; *p && n + 1 < cap; p++) {
        if (*p == 0xC3 && p[1] >= 0x80 && p[1] <= 0xBF)
            dst[n++] = plain[*++p - 0x80];
        else if ((*p == 0xCC || *p == 0xCD) && p[1] != '\0')
            p++; /* combining accent */
        else
            dst[n++] = (char)tolower(*p);
    }
    dst[n] = '\0';
}

static const struct {
    const char *uf;
    const char *name; /* folded */
} STATES[] = {
    { "AC", "acre" },
    { "AL", "alagoas" },
    { "AP", "amapa" },
    { "AM", "amazonas" },
    { "BA", "bahia" },
    { "CE", "ceara" },
    { "DF", "distrito federal" },
    { "ES", "espirito santo" },
    { "GO", "goias" },
    { "MA", "maranhao" },
    { "MT", "mato grosso" },
    { "MS", "mato grosso do sul" },
    { "MG", "minas gerais" },
    { "PA", "para" },
    { "PB", "paraiba" },
    { "PR", "parana" },
    { "PE", "pernambuco" },
    { "PI", "piaui" },
    { "RJ", "rio de janeiro" },
    { "RN", "rio grande do norte" },
    { "RS", "rio grande do sul" },
    { "RO", "rondonia" },
    { "RR", "roraima" },
    { "SC", "santa catarina" },
    { "SP", "sao paulo" },
    { "SE", "sergipe" },
    { "TO", "tocantins" },
};

const char *map_address_uf(const char *state)
{
    static const char *const prefixes[] = { "estado de ", "estado do ", "estado da ", "state of " };
    char clean[64];
    char folded[64];
    const char *name = folded;

    if (!state || map_text_clean(clean, sizeof clean, state, NULL) != RC_OK)
        return NULL;
    fold(folded, sizeof folded, clean);
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        if (str_starts(name, prefixes[i]))
            name += strlen(prefixes[i]);
    }
    if (str_eq(name, "federal district"))
        return "DF";
    for (size_t i = 0; i < sizeof STATES / sizeof STATES[0]; i++) {
        if (str_eq(name, STATES[i].name) || str_ieq(name, STATES[i].uf))
            return STATES[i].uf;
    }
    return NULL;
}

/* ---- name and phone ---------------------------------------------------------------------------- */

enum rc map_name_split(const char *name, char first[MAP_TEXT_BYTES], char last[MAP_TEXT_BYTES],
                       struct err *e)
{
    char whole[MAP_TEXT_BYTES];
    char *blank;
    enum rc rc = map_text_clean(whole, sizeof whole, name, e);

    if (rc != RC_OK)
        return rc;
    if (whole[0] == '\0')
        return err_code(e, RC_INVALID, "name_missing", "the order has no name of the buyer");
    blank = strchr(whole, ' ');
    if (blank)
        *blank = '\0';
    (void)str_copy(first, MAP_TEXT_BYTES, whole); /* as large as the source */
    (void)str_copy(last, MAP_TEXT_BYTES, blank ? blank + 1 : whole);
    return RC_OK;
}

void map_phone(const char *phone, const char *fallback, char out[32])
{
    char digits[24];
    size_t n = 0;
    bool bad = !phone || strchr(phone, '*') != NULL;
    bool plus = phone && strchr(phone, '+') != NULL;

    for (const char *p = bad ? "" : phone; *p; p++) {
        if (*p < '0' || *p > '9')
            continue;
        if (n + 1 >= sizeof digits) {
            bad = true;
            break;
        }
        digits[n++] = *p;
    }
    digits[n] = '\0';
    if (bad || n < 10 || n > 15)
        str_copy_cut(out, 32, fallback ? fallback : "");
    else if (plus || (n >= 12 && str_starts(digits, "55")))
        (void)str_fmt(out, 32, "+%s", digits);
    else
        (void)str_fmt(out, 32, "+55%s", digits);
}

/* ---- address ----------------------------------------------------------------------------------- */

/* Name of an administrative division by its kind, else by its level. */
static const char *district(const json_t *recipient, const char *const *kinds, const char *level)
{
    const json_t *list = jspec_get(recipient, "district_info");
    const char *by_level = NULL;

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        const char *kind = jspec_text(one, "address_level_name");
        const char *name = jspec_text(one, "address_name");

        for (size_t k = 0; kinds[k] && name; k++) {
            if (str_ieq(kind, kinds[k]) && !str_blank(name))
                return name;
        }
        if (str_eq(jspec_text(one, "address_level"), level) && !str_blank(name))
            by_level = name;
    }
    return by_level;
}

static bool no_number(const char *text)
{
    char folded[32];

    fold(folded, sizeof folded, text);
    return folded[0] == '\0' || str_eq(folded, "s/n") || str_eq(folded, "sn") ||
           str_eq(folded, "s/no") || str_eq(folded, "s.n.") || str_eq(folded, "sem numero") ||
           str_eq(folded, "0");
}

/* The four lines as the policy names them. */
static enum rc lines_read(const json_t *recipient, const char lines[4][16], struct map_address *out,
                          struct err *e)
{
    static const char *const fields[] = { "address_line1", "address_line2", "address_line3",
                                          "address_line4" };
    enum rc rc = RC_OK;

    for (int i = 0; i < 4 && rc == RC_OK; i++) {
        const char *text = jspec_text(recipient, fields[i]);

        if (str_eq(lines[i], "neighborhood"))
            rc = map_text_clean(out->neighborhood, sizeof out->neighborhood, text, e);
        else if (str_eq(lines[i], "street"))
            rc = map_text_clean(out->street, sizeof out->street, text, e);
        else if (str_eq(lines[i], "number"))
            rc = map_text_clean(out->number, sizeof out->number, text, NULL) == RC_OK
                     ? RC_OK
                     : map_text_clean(out->number, sizeof out->number, "?",
                                      e); /* no number: judged below */
        else if (str_eq(lines[i], "complement"))
            rc = map_text_clean(out->complement, sizeof out->complement, text, e);
    }
    return rc;
}

/* "Avenida Paulista 1578 Apto 42": street up to the first word with a digit, the number, the rest. */
static void detail_split(const char *detail, struct map_address *out)
{
    size_t start = 0;
    size_t len = strlen(detail);
    size_t end;

    for (size_t i = 0; i < len; i++) {
        if (isdigit((unsigned char)detail[i]) && i > 0 &&
            (detail[i - 1] == ' ' || detail[i - 1] == ',')) {
            start = i;
            break;
        }
    }
    if (start == 0) { /* a street without a number */
        str_copy_cut(out->street, sizeof out->street, detail);
        str_copy_cut(out->number, sizeof out->number, "S/N");
        return;
    }
    end = start + strcspn(detail + start, " ,");
    memcpy(out->street, detail, start);
    out->street[start] = '\0';
    for (size_t i = start; i > 0 && strchr(" ,-", out->street[i - 1]); i--)
        out->street[i - 1] = '\0';
    if (end - start < sizeof out->number) {
        memcpy(out->number, detail + start, end - start);
        out->number[end - start] = '\0';
    }
    detail += end;
    detail += strspn(detail, " ,-");
    str_copy_cut(out->complement, sizeof out->complement, detail);
}

/* The bairro of "Brasil, São Paulo, São Paulo, Bela Vista, Avenida ...": the part before the detail. */
static void full_neighborhood(const char *full, const char *detail, struct map_address *out)
{
    char head[MAP_TEXT_BYTES];
    const char *tail = detail[0] ? strstr(full, detail) : NULL;
    char *comma;

    if (!tail || tail == full || (size_t)(tail - full) >= sizeof head)
        return;
    memcpy(head, full, (size_t)(tail - full));
    head[tail - full] = '\0';
    for (size_t n = strlen(head); n > 0 && strchr(" ,", head[n - 1]); n--)
        head[n - 1] = '\0';
    comma = strrchr(head, ',');
    if (!comma)
        return;
    comma += 1 + strspn(comma + 1, " ");
    if (!str_eq(comma, out->city) && !map_address_uf(comma))
        str_copy_cut(out->neighborhood, sizeof out->neighborhood, comma);
}

/* Street, number and complement from the free texts, when the lines do not fit the setting. */
static enum rc free_text_read(const json_t *recipient, struct map_address *out, struct err *e)
{
    static const char *const kinds[] = { "neighborhood", "district", "bairro", NULL };
    char detail[MAP_TEXT_BYTES];
    char full[2 * MAP_TEXT_BYTES];
    const char *bairro = district(recipient, kinds, "L3");
    const char *comma;
    enum rc rc = map_text_clean(detail, sizeof detail, jspec_text(recipient, "address_detail"), e);

    if (rc == RC_OK)
        rc = map_text_clean(full, sizeof full, jspec_text(recipient, "full_address"), e);
    if (rc != RC_OK)
        return rc;
    if (detail[0] == '\0' && full[0]) {
        comma = strrchr(full, ',');
        str_copy_cut(detail, sizeof detail, comma ? comma + 1 + strspn(comma + 1, " ") : full);
    }
    if (detail[0] == '\0')
        return RC_OK;
    out->neighborhood[0] = out->complement[0] = out->number[0] = '\0';
    detail_split(detail, out);
    if (bairro)
        return map_text_clean(out->neighborhood, sizeof out->neighborhood, bairro, e);
    full_neighborhood(full, detail, out);
    return RC_OK;
}

static bool postal_code_read(const char *text, char out[10])
{
    char digits[9];
    size_t n = 0;

    for (const char *p = text ? text : ""; *p; p++) {
        if (*p == '-' || *p == '.' || *p == ' ')
            continue;
        if (*p < '0' || *p > '9' || n == 8)
            return false;
        digits[n++] = *p;
    }
    digits[n] = '\0';
    return n == 8 && str_fmt(out, 10, "%.5s-%s", digits, digits + 5);
}

static enum rc place_read(const json_t *recipient, struct map_address *out, struct err *e)
{
    static const char *const state_kinds[] = { "state", "province", "estado", NULL };
    static const char *const city_kinds[] = { "municipality", "city", "municipio", "cidade", NULL };
    const char *uf = map_address_uf(district(recipient, state_kinds, "L1"));

    if (!postal_code_read(jspec_text(recipient, "postal_code"), out->postal_code))
        return err_code(e, RC_INVALID, "address_incomplete",
                        "the address has no usable postal code");
    if (!uf)
        return err_code(e, RC_INVALID, "address_incomplete",
                        "the address names no state of Brazil");
    (void)str_copy(out->state, sizeof out->state, uf);
    return map_text_clean(out->city, sizeof out->city, district(recipient, city_kinds, "L2"), e);
}

enum rc map_address_read(const json_t *recipient, const char lines[4][16], struct map_address *out,
                         struct err *e)
{
    struct map_address a = { 0 };
    const char *name = jspec_text(recipient, "name");
    enum rc rc;

    if (json_object_size(recipient) == 0)
        return err_code(e, RC_INVALID, "address_missing", "TikTok has not given the address yet");
    rc = place_read(recipient, &a, e);
    if (rc == RC_OK)
        rc = map_text_clean(a.receiver, sizeof a.receiver,
                            str_blank(name) ? jspec_text(recipient, "first_name") : name, e);
    if (rc == RC_OK)
        rc = lines_read(recipient, lines, &a, e);
    if (rc == RC_OK && (a.street[0] == '\0' ||
                        (!no_number(a.number) && !has_digit(a.number) && !strchr(a.number, '*'))))
        rc = free_text_read(recipient, &a, e);
    if (rc != RC_OK)
        return rc;
    if (no_number(a.number))
        (void)str_copy(a.number, sizeof a.number, "S/N");
    if (a.street[0] == '\0' || a.city[0] == '\0' || a.receiver[0] == '\0')
        return err_code(e, RC_INVALID, "address_incomplete", "the address has no %s",
                        a.street[0] == '\0' ? "street"
                                            : (a.city[0] == '\0' ? "city" : "recipient"));
    *out = a;
    return RC_OK;
}
