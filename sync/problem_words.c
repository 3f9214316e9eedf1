/* problem_words.c - finds the row of an English sentence and says it in Portuguese. */
#include "problem_words.h"

#include <string.h>

#include "own.h"
#include "str.h"

#define LIMIT_PARTS 6  /* conversions in one sentence */
#define LIMIT_INSIDE 2 /* how deep sentences stand in sentences */
#define LIMIT_WORDS_BYTES 8192

static const struct problem_word *const TABLES[] = {
    WORDS_FEED,    WORDS_PRODUCT,  WORDS_PREFLIGHT, WORDS_REVIEW, WORDS_TIKTOK,
    WORDS_REASONS, WORDS_PROPOSAL, WORDS_ADOPTION,  WORDS_FULFIL, NULL
};

const struct problem_word *const *problem_words(void)
{
    return TABLES;
}

/* A piece of a text: what a conversion stood for. */
struct piece {
    const char *at;
    size_t len;
    bool words; /* of a %s */
};
struct found {
    const struct problem_word *row;
    struct piece pieces[LIMIT_PARTS];
    int n;
    size_t literal_bytes; /* how much of the row is fixed text: the more, the better it fits */
};

/* Length of the conversion at p ("%.60s" is 5); 0 when p is plain text. "%%" is plain text too. */
static size_t conversion(const char *p, char *kind)
{
    if (p[0] != '%' || p[1] == '%')
        return 0;
    size_t len = 1 + strspn(p + 1, "-0123456789.lz");

    *kind = p[len];
    return p[len] == '\0' ? 0 : len + 1;
}

/* Bytes of fixed text at p up to the next conversion or the end. */
static size_t literal(const char *p)
{
    const char *from = p;
    char kind;

    while (*p != '\0' && conversion(p, &kind) == 0)
        p += p[0] == '%' && p[1] == '%' ? 2 : 1;
    return (size_t)(p - from);
}

/* Whether the text begins with the fixed text; "%%" stands for one '%'. *used counts the text's bytes. */
static bool begins(const char *text, const char *fixed, size_t len, size_t *used)
{
    *used = 0;
    for (size_t i = 0; i < len; i++) {
        if (fixed[i] == '%' && i + 1 < len)
            i++;
        if (text[*used] != fixed[i])
            return false;
        (*used)++;
    }
    return true;
}

/* Where the fixed text stands in the text; at the very end when nothing of the row follows it. NULL = nowhere. */
static const char *place(const char *text, const char *fixed, size_t len, bool last, size_t *used)
{
    for (const char *p = text;; p++) {
        if (begins(p, fixed, len, used) && (!last || p[*used] == '\0'))
            return p;
        if (*p == '\0')
            return NULL;
    }
}

static bool fits_number(const char *from, size_t len)
{
    size_t sign = len > 0 && from[0] == '-' ? 1 : 0;

    if (len == sign)
        return false;
    for (size_t i = sign; i < len; i++)
        if (from[i] < '0' || from[i] > '9')
            return false;
    return true;
}

static bool match(const struct problem_word *row, const char *text, struct found *out)
{
    struct found f = { .row = row };
    const char *p = row->en;
    size_t len = literal(p);
    size_t used;

    if (!begins(text, p, len, &used))
        return false;
    f.literal_bytes = len;
    p += len;
    text += used;
    while (*p != '\0') {
        char kind = 's';
        const char *at;

        p += conversion(p, &kind);
        len = literal(p);
        at = place(text, p, len, p[len] == '\0', &used);
        if (at == NULL || f.n == LIMIT_PARTS ||
            (kind != 's' && !fits_number(text, (size_t)(at - text))))
            return false;
        f.pieces[f.n++] =
            (struct piece){ .at = text, .len = (size_t)(at - text), .words = kind == 's' };
        f.literal_bytes += len;
        p += len;
        text = at + used;
    }
    if (*text != '\0')
        return false;
    *out = f;
    return true;
}

static bool find(const char *text, struct found *best)
{
    struct found f;

    *best = (struct found){ 0 };
    for (size_t t = 0; TABLES[t] != NULL; t++)
        for (const struct problem_word *row = TABLES[t]; row->en != NULL; row++)
            if (match(row, text, &f) &&
                (best->row == NULL || f.literal_bytes > best->literal_bytes))
                *best = f;
    return best->row != NULL;
}

static bool translate(const char *english, int inside, struct buf *out);

static void put_piece(const struct piece *piece, int inside, struct buf *out)
{
    OWN_BUF struct buf words;
    char *text = piece->words ? str_ndup(piece->at, piece->len) : NULL;

    buf_init(&words, LIMIT_WORDS_BYTES);
    if (text != NULL && inside < LIMIT_INSIDE && translate(text, inside + 1, &words))
        buf_str(out, buf_text(&words));
    else
        buf_add(out, piece->at, piece->len);
    free(text);
}

static bool translate(const char *english, int inside, struct buf *out)
{
    struct found found;
    int n = 0;

    if (!find(english, &found))
        return false;
    for (const char *p = found.row->pt; *p != '\0';) {
        char kind;
        size_t len = conversion(p, &kind);

        if (len > 0 && n < found.n) {
            put_piece(&found.pieces[n++], inside, out);
            p += len;
        } else {
            buf_char(out, *p);
            p += p[0] == '%' && p[1] == '%' ? 2 : 1;
        }
    }
    return buf_check(out, NULL) == RC_OK;
}

bool problem_words_pt(const char *english, struct buf *out)
{
    buf_clear(out);
    if (str_blank(english))
        return false;
    if (translate(english, 0, out))
        return true;
    buf_clear(out);
    return false;
}
