/* preflight_skus.c - what only the SKUs of a product together show: equal choices, unique combinations, codes. */
#include "preflight.h"

#include <string.h>

#include "jspec.h"
#include "map_text.h"
#include "own.h"
#include "problem.h"
#include "str.h"

#define LIMIT_KEY_BYTES 4096

/* ---- barcodes -------------------------------------------------------------------------------------------------- */

/* Weights 3 and 1 from the right. */
static bool digits_check(const char *code, size_t len)
{
    int total = 0;

    for (size_t i = 0; i < len; i++)
        total += (code[i] - '0') * ((len - i) % 2 == 0 ? 3 : 1);
    return total % 10 == 0;
}

/* Nine digits and a capital X, which stands for 10. */
static bool isbn_with_x(const char *code)
{
    int total = 10;

    if (strlen(code) != 10 || code[9] != 'X')
        return false;
    for (int i = 0; i < 9; i++) {
        if (code[i] < '0' || code[i] > '9')
            return false;
        total += (code[i] - '0') * (10 - i);
    }
    return total % 11 == 0;
}

static const struct {
    const char *type;
    size_t lengths[3]; /* 0 = none */
    bool x;
} CODES[] = {
    { "GTIN", { 14 }, false }, { "EAN", { 8, 13, 14 }, false }, { "UPC", { 12 }, false },
    { "ISBN", { 13 }, true },  { "JAN", { 8, 13 }, false },
};

bool preflight_code_valid(const char *type, const char *code)
{
    size_t len = code != NULL ? strlen(code) : 0;

    for (size_t i = 0; len > 0 && i < sizeof(CODES) / sizeof(CODES[0]); i++) {
        if (!str_eq(CODES[i].type, type))
            continue;
        if (CODES[i].x && isbn_with_x(code))
            return true;
        for (int k = 0; k < 3; k++)
            if (CODES[i].lengths[k] == len)
                return str_digits(code) && digits_check(code, len);
    }
    return false;
}

/* ---- choices --------------------------------------------------------------------------------------------------- */

/* What a choice is ("id:100/value_id"), and of which value. Comparing keys forget case and accents. */
static void choice_keys(const json_t *choice, struct buf *kind, struct buf *value)
{
    OWN_BUF struct buf clean;
    const char *id = jspec_text(choice, "id");
    const char *value_id = jspec_text(choice, "value_id");

    buf_init(&clean, LIMIT_KEY_BYTES);
    buf_clear(kind);
    buf_clear(value);
    (void)map_text_key(id ? id : jspec_text(choice, "name"), &clean, NULL); /* "" is a key too */
    buf_fmt(kind, "%s:%s/%s", id ? "id" : "name", buf_text(&clean), value_id ? "id" : "name");
    (void)map_text_key(value_id ? value_id : jspec_text(choice, "value_name"), &clean, NULL);
    buf_str(value, buf_text(&clean));
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct all {
    json_t *combinations, *codes, *skus; /* owned: what was seen */
    json_t *pictured;                    /* kind -> {value: has a picture} */
    char *kinds;                         /* of the first SKU */
    json_t *problems;
};

static bool seen(json_t *set, const char *key)
{
    bool there = json_object_get(set, key) != NULL;

    (void)json_object_set_new(set, key, json_true());
    return there;
}

/* A value counts as pictured when one SKU shows a picture for it. */
static void note_picture(struct all *all, const json_t *choice, const char *kind, const char *value)
{
    bool picture = jspec_text(choice, "sku_img.uri") != NULL;
    json_t *values = json_object_get(all->pictured, kind);

    if (values == NULL) {
        values = json_object();
        (void)json_object_set_new(all->pictured, kind, values);
    }
    if (picture || json_object_get(values, value) == NULL)
        (void)json_object_set_new(values, value, json_boolean(picture));
}

/* The texts in order, one a line, whatever order the SKU has them in. */
static void join_sorted(char **list, size_t n, struct buf *out)
{
    buf_clear(out);
    qsort(list, n, sizeof(*list), by_text);
    for (size_t i = 0; i < n; i++)
        buf_fmt(out, "%s\n", list[i] ? list[i] : "");
}

#define LIMIT_CHOICES 3 /* more are a problem of their own */

static void sku_choices(struct all *all, const json_t *sku, size_t n_skus)
{
    const json_t *choices = json_object_get(sku, "sales_attributes");
    const char *code = jspec_text(sku, "seller_sku");
    char *kinds[LIMIT_CHOICES];
    char *both[LIMIT_CHOICES];
    OWN_BUF struct buf kind;
    OWN_BUF struct buf value;
    OWN_BUF struct buf line;
    size_t n = 0;

    buf_init(&kind, LIMIT_KEY_BYTES);
    buf_init(&value, LIMIT_KEY_BYTES);
    buf_init(&line, LIMIT_KEY_BYTES * 4);
    for (size_t i = 0; i < json_array_size(choices) && n < LIMIT_CHOICES; i++) {
        choice_keys(json_array_get(choices, i), &kind, &value);
        note_picture(all, json_array_get(choices, i), buf_text(&kind), buf_text(&value));
        buf_clear(&line);
        buf_fmt(&line, "%s=%s", buf_text(&kind), buf_text(&value));
        kinds[n] = str_dup(buf_text(&kind));
        both[n++] = str_dup(buf_text(&line));
    }
    join_sorted(kinds, n, &line);
    if (all->kinds == NULL)
        all->kinds = str_dup(buf_text(&line));
    if (!str_eq(all->kinds, buf_text(&line)) || (n == 0 && n_skus > 1))
        problem_add(all->problems, "variant_choices", "items",
                    "Give every variant the same kinds of choices in the feed.",
                    "SKU \"%.60s\" does not have the same choices as the other SKUs.",
                    code ? code : "");
    join_sorted(both, n, &line);
    if (n_skus > 1 && n > 0 && seen(all->combinations, buf_text(&line)))
        problem_add(all->problems, "duplicate_variants", "items",
                    "Give each variant its own color, size or other choice in the feed.",
                    "SKU \"%.60s\" has the choices of another SKU.", code ? code : "");
    for (size_t i = 0; i < n; i++) {
        free(kinds[i]);
        free(both[i]);
    }
}

static void sku_codes(struct all *all, const json_t *sku)
{
    const char *seller_sku = jspec_text(sku, "seller_sku");
    const char *barcode = jspec_text(sku, "identifier_code.code");

    if (seller_sku != NULL && seen(all->skus, seller_sku))
        problem_add(all->problems, "duplicate_sku", "seller_sku",
                    "Give each SKU its own code in the feed.",
                    "Two variants of the product have the same SKU code.");
    if (barcode != NULL && seen(all->codes, barcode))
        problem_add(all->problems, "gtin_refused", "gtin", "Correct the GTIN in the feed.",
                    "Another SKU uses the same GTIN.");
}

/* Pictures stand on one kind only, and then on every value of it. */
static void check_pictures(const struct all *all)
{
    const char *kind;
    json_t *values;
    int kinds = 0;
    bool missing = false;

    json_object_foreach(all->pictured, kind, values)
    {
        const char *value;
        json_t *picture;
        bool some = false;
        bool every = true;

        json_object_foreach(values, value, picture)
        {
            some = some || json_is_true(picture);
            every = every && json_is_true(picture);
        }
        kinds += some;
        missing = missing || (some && !every);
    }
    if (kinds > 1 || missing)
        problem_add(all->problems, "variant_pictures", "images",
                    "Give every variant a picture in the feed, or none.",
                    "Pictures of variants must stand on one choice and on each of its values.");
}

void preflight_skus(const json_t *skus, json_t *problems)
{
    size_t n = json_array_size(skus);
    struct all all = { .combinations = json_object(),
                       .codes = json_object(),
                       .skus = json_object(),
                       .pictured = json_object(),
                       .problems = problems };

    for (size_t i = 0; i < n && json_array_size(problems) < PREFLIGHT_PROBLEMS_MAX; i++) {
        sku_choices(&all, json_array_get(skus, i), n);
        sku_codes(&all, json_array_get(skus, i));
    }
    check_pictures(&all);
    json_decref(all.combinations);
    json_decref(all.codes);
    json_decref(all.skus);
    json_decref(all.pictured);
    free(all.kinds);
}
