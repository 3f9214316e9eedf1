/* test_problem_words.c - every sentence that people read on a product has its Portuguese. The sources themselves are
 * read, so that a new sentence without a row fails here. */
#include "check.h"

#include <ctype.h>
#include <glob.h>

#include "../../sync/problem.h"
#include "../../sync/problem_words.h"
#include "jspec.h"
#include "own.h"
#include "str.h"

#define DEPTH_MAX 64
#define NAME_MAX_BYTES 64
#define SENTENCE_MAX 1024

static int sentences;

static const struct problem_word *row_of(const char *english)
{
    const struct problem_word *const *tables = problem_words();

    for (size_t t = 0; tables[t] != NULL; t++)
        for (const struct problem_word *row = tables[t]; row->en != NULL; row++)
            if (strcmp(row->en, english) == 0)
                return row;
    return NULL;
}

/* ---- reading C ------------------------------------------------------------------------------------------------ */

struct reader {
    const char *file;
    const char *p;
    char calls[DEPTH_MAX][NAME_MAX_BYTES]; /* the calls that are open, outermost first */
    int depth;
};

static bool inside(const struct reader *r, const char *name)
{
    for (int i = 0; i < r->depth; i++)
        if (strcmp(r->calls[i], name) == 0)
            return true;
    return false;
}

static bool inside_error(const struct reader *r)
{
    return inside(r, "err_set") || inside(r, "err_code") || inside(r, "log_line");
}

/* One literal at p, its escapes undone; behind its closing quote afterwards. */
static void one_literal(struct reader *r, char *out, size_t *len)
{
    for (r->p++; *r->p != '"' && *r->p != '\0'; r->p++) {
        char c = *r->p;

        if (c == '\\') {
            r->p++;
            c = *r->p == 'n' ? '\n' : *r->p == 't' ? '\t' : *r->p;
        }
        if (*len + 1 < SENTENCE_MAX)
            out[(*len)++] = c;
    }
    if (*r->p == '"')
        r->p++;
    out[*len] = '\0';
}

/* Literals that stand side by side are one text; PRId64 between them is "ld". */
static void literals(struct reader *r, char out[SENTENCE_MAX])
{
    size_t len = 0;

    one_literal(r, out, &len);
    for (;;) {
        const char *next = r->p + strspn(r->p, " \t\n");

        if (str_starts(next, "PRId64") && len + 3 < SENTENCE_MAX) {
            memcpy(out + len, "ld", 3);
            len += 2;
            next += strlen("PRId64");
            next += strspn(next, " \t\n");
        }
        if (*next != '"') {
            r->p = next;
            return;
        }
        r->p = next;
        one_literal(r, out, &len);
    }
}

static void check_sentence(const struct reader *r, const char *text)
{
    static const char *const CALLS[] = { "problem_add", "problem_new", "sku_problem", "note_sku" };
    size_t len = strlen(text);
    bool people = false;
    bool whole = isupper((unsigned char)text[0]) && len > 1 && text[len - 1] == '.';

    for (size_t i = 0; i < sizeof(CALLS) / sizeof(CALLS[0]); i++)
        people = people || inside(r, CALLS[i]);
    if (strchr(text, ' ') == NULL || (!people && (!whole || inside_error(r))))
        return;
    sentences++;
    CHECK(row_of(text) != NULL, "%s: no Portuguese for \"%s\": add a row to sync/words_*.c",
          r->file, text);
}

static void name_at(struct reader *r)
{
    const char *from = r->p;
    size_t len = 0;

    while (isalnum((unsigned char)r->p[len]) || r->p[len] == '_')
        len++;
    r->p += len;
    if (*r->p != '(' || r->depth == DEPTH_MAX)
        return;
    (void)snprintf(r->calls[r->depth++], NAME_MAX_BYTES, "%.*s", (int)len, from);
    r->p++;
}

static void read_source(struct reader *r)
{
    char text[SENTENCE_MAX];

    while (*r->p != '\0') {
        char c = *r->p;

        if (c == '/' && r->p[1] == '*') {
            const char *end = strstr(r->p + 2, "*/");

            r->p = end != NULL ? end + 2 : r->p + strlen(r->p);
        } else if (c == '\'') {
            r->p += r->p[1] == '\\' ? 4 : 3;
        } else if (c == '"') {
            literals(r, text);
            check_sentence(r, text);
        } else if (isalpha((unsigned char)c) || c == '_') {
            name_at(r);
        } else if (c == '(' && r->depth < DEPTH_MAX) {
            r->calls[r->depth++][0] = '\0';
            r->p++;
        } else {
            if (c == ')' && r->depth > 0)
                r->depth--;
            r->p++;
        }
    }
}

static char *whole_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    char *text = calloc(1, (size_t)1 << 20);

    CHECK(f != NULL && text != NULL, "%s", path);
    if (f != NULL && text != NULL)
        CHECK(fread(text, 1, ((size_t)1 << 20) - 1, f) < ((size_t)1 << 20) - 1, "%s", path);
    if (f != NULL)
        (void)fclose(f);
    return text;
}

static void sources_are_translated(void)
{
    glob_t files = { 0 };

    CHECK(glob("sync/*.c", 0, NULL, &files) == 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        OWN_STR char *text = whole_file(files.gl_pathv[i]);
        struct reader r = { .file = files.gl_pathv[i], .p = text };

        if (text != NULL && strstr(text, "#include \"problem.h\"") != NULL)
            read_source(&r);
        CHECK_INT(r.depth, 0);
    }
    globfree(&files);
    CHECK(sentences > 100, "only %d sentences were found", sentences);
}

/* ---- the tables ------------------------------------------------------------------------------------------------ */

/* The conversions of a text, "%s%d": both languages must have the same. */
static void conversions(const char *text, char out[128])
{
    size_t len = 0;

    for (const char *p = text; *p != '\0'; p++) {
        if (*p != '%')
            continue;
        if (p[1] == '%') {
            p++;
            continue;
        }
        size_t n = 1 + strspn(p + 1, "-0123456789.lz") + 1;

        if (len + n + 1 < 128) {
            memcpy(out + len, p, n);
            len += n;
        }
    }
    out[len] = '\0';
}

static void rows_agree(void)
{
    const struct problem_word *const *tables = problem_words();

    for (size_t t = 0; tables[t] != NULL; t++)
        for (const struct problem_word *row = tables[t]; row->en != NULL; row++) {
            char en[128];
            char pt[128];

            CHECK(row->pt != NULL && row->pt[0] != '\0', "%s", row->en);
            conversions(row->en, en);
            conversions(row->pt, pt);
            CHECK(strcmp(en, pt) == 0, "\"%s\" has %s, the Portuguese has %s", row->en, en, pt);
            CHECK(row_of(row->en) == row, "\"%s\" is there twice", row->en);
            CHECK(str_utf8_valid(row->pt, strlen(row->pt)), "%s", row->en);
        }
}

/* The text with "XQ1" for each %s and 7 for each number. */
static void fill(const char *fmt, char *out, size_t cap)
{
    size_t len = 0;

    for (const char *p = fmt; *p != '\0' && len + 8 < cap; p++) {
        if (*p != '%') {
            out[len++] = *p;
            continue;
        }
        p++;
        if (*p == '%') {
            out[len++] = '%';
            continue;
        }
        p += strspn(p, "-0123456789.lz");
        len += (size_t)snprintf(out + len, cap - len, "%s", *p == 's' ? "XQ1" : "7");
    }
    out[len] = '\0';
}

static void filled_in_texts_find_their_row(void)
{
    const struct problem_word *const *tables = problem_words();
    OWN_BUF struct buf got;

    buf_init(&got, 8192);
    for (size_t t = 0; tables[t] != NULL; t++)
        for (const struct problem_word *row = tables[t]; row->en != NULL; row++) {
            char english[SENTENCE_MAX];
            char want[SENTENCE_MAX];

            fill(row->en, english, sizeof(english));
            fill(row->pt, want, sizeof(want));
            CHECK(problem_words_pt(english, &got), "%s", english);
            CHECK_STR(buf_text(&got), want);
        }
}

/* ---- sentences ------------------------------------------------------------------------------------------------- */

static const struct {
    const char *english, *portuguese; /* NULL: not ours */
} TEXTS[] = {
    { "The product has 301 variants; TikTok takes 1 to 300.",
      "O produto tem 301 variantes; o TikTok aceita de 1 a 300." },
    { "The product has many variants; TikTok takes 1 to 300.", NULL },
    /* a sentence in a sentence */
    { "Item 12: the price \"R$ x\" cannot be used: \"R$ x\" is not an amount",
      "Item 12: o preço \"R$ x\" não pode ser usado: \"R$ x\" não é um valor" },
    { "No variant of the product can be sold. The SKU has no price.",
      "Nenhuma variante do produto pode ser vendida. O SKU não tem preço." },
    /* the words of others stay */
    { "TikTok's review refused the product: Prohibited item.",
      "A análise do TikTok recusou o produto: Prohibited item." },
    { "Prohibited item.", NULL },
    { "", NULL },
};

static void sentences_in_portuguese(void)
{
    OWN_BUF struct buf got;

    buf_init(&got, 8192);
    for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++) {
        CHECK(problem_words_pt(TEXTS[i].english, &got) == (TEXTS[i].portuguese != NULL), "%s",
              TEXTS[i].english);
        CHECK_STR(buf_text(&got), TEXTS[i].portuguese ? TEXTS[i].portuguese : "");
    }
}

static void problems_carry_both_languages(void)
{
    json_auto_t *list = json_array();

    problem_add(list, "seller_sku", "seller_sku", "Correct the id in the feed.",
                "The SKU code \"%.60s\" is not 1 to 50 characters without blanks.", "a b");
    problem_add(list, "x", NULL, NULL, "%s", "Words of the platform");

    const json_t *one = json_array_get(list, 0);
    const json_t *two = json_array_get(list, 1);

    CHECK_STR(jspec_text(one, "message"),
              "The SKU code \"a b\" is not 1 to 50 characters without blanks.");
    CHECK_STR(jspec_text(one, "message_pt"),
              "O código de SKU \"a b\" não tem de 1 a 50 caracteres sem espaços.");
    CHECK_STR(jspec_text(one, "action"), "Correct the id in the feed.");
    CHECK_STR(jspec_text(one, "action_pt"), "Corrija o id no feed.");
    CHECK_STR(jspec_text(two, "message"), "Words of the platform");
    CHECK_STR(jspec_text(two, "message_pt"), "Words of the platform");
    CHECK(json_object_get(two, "action") == NULL && json_object_get(two, "action_pt") == NULL);
}

int main(void)
{
    CASE(sources_are_translated);
    CASE(rows_agree);
    CASE(filled_in_texts_find_their_row);
    CASE(sentences_in_portuguese);
    CASE(problems_carry_both_languages);
    return CHECK_END();
}
