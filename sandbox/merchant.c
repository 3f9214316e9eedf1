/* merchant.c - reads the example merchant's compact text into products and SKUs. */
#include "merchant.h"

#include "assets.h"
#include "money.h"
#include "str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS 12
#define LIMIT_LINE_BYTES 1024
#define BRANDS_MAX 16

/* What the lines before a product said. */
struct reader {
    struct merchant *m;
    struct {
        int id;
        char name[64];
    } brands[BRANDS_MAX];
    int n_brands;
    int category_id;
    char department[64], category[64], google[128];
    int next_sku, next_product;
    int round;
};

/* Cuts a line at '|' into trimmed columns; returns how many. */
static int columns(char *line, char *out[COLUMNS])
{
    int n = 0;

    while (line != NULL && n < COLUMNS) {
        char *bar = strchr(line, '|');

        if (bar != NULL)
            *bar++ = '\0';
        out[n++] = str_trim(line);
        line = bar;
    }
    return n;
}

static int number(const char *text)
{
    int64_t value = 0;

    return str_to_i64(text, 0, 1000000000, &value) ? (int)value : 0;
}

static char *copy(const char *text)
{
    char *out = str_dup(text);

    if (out == NULL)
        abort(); /* a simulator without memory cannot go on */
    return out;
}

static void ean_make(int sku_id, char out[16])
{
    int sum = 0;

    (void)snprintf(out, 16, "789600%06d", sku_id % 1000000);
    for (int i = 0; i < 12; i++)
        sum += (out[i] - '0') * (i % 2 == 0 ? 1 : 3);
    out[12] = (char)('0' + (10 - sum % 10) % 10);
    out[13] = '\0';
}

static void sku_add(struct reader *r, int product, const char *color, const char *size)
{
    struct merchant *m = r->m;
    struct merchant_product *p = &m->products[product];
    struct merchant_sku *grown = realloc(m->skus, ((size_t)m->n_skus + 1) * sizeof *grown);

    if (grown == NULL)
        abort();
    m->skus = grown;
    struct merchant_sku *sku = &m->skus[m->n_skus];
    *sku = (struct merchant_sku){ .id = r->next_sku++, .product = product };
    sku->color = copy(color);
    sku->size = copy(size);
    ean_make(sku->id, sku->ean);
    (void)snprintf(sku->ref, sizeof sku->ref, "%s-%d", p->ref, p->n_skus + 1);
    sku->price_minor = p->flaw == FLAW_NO_PRICE ? 0 : p->price_minor;
    sku->list_minor = p->list_minor;
    sku->stock = (int64_t)sku->id * 37 % 53; /* some are sold out */
    m->n_skus++;
    p->n_skus++;
}

/* One SKU for each pair of colour and size. */
static void skus_add(struct reader *r, int product, const char *colors, const char *sizes)
{
    const char *color = colors;

    do {
        char one[64] = "";
        size_t len = strcspn(color, ",");
        const char *size = sizes;

        (void)snprintf(one, sizeof one, "%.*s", (int)len, color);
        do {
            char other[64] = "";
            size_t size_len = strcspn(size, ",");

            (void)snprintf(other, sizeof other, "%.*s", (int)size_len, size);
            sku_add(r, product, one, other);
            size += size_len;
            size += *size == ',';
        } while (*size != '\0');
        color += len;
        color += *color == ',';
    } while (*color != '\0');
}

static enum merchant_flaw flaw_read(const char *text)
{
    if (str_eq(text, "no_price"))
        return FLAW_NO_PRICE;
    if (str_eq(text, "small_image"))
        return FLAW_SMALL_IMAGE;
    return str_eq(text, "audit") ? FLAW_AUDIT : FLAW_NONE;
}

static const char *brand_name(const struct reader *r, int id)
{
    for (int i = 0; i < r->n_brands; i++) {
        if (r->brands[i].id == id)
            return r->brands[i].name;
    }
    return "";
}

static void product_add(struct reader *r, char *const c[COLUMNS])
{
    struct merchant *m = r->m;
    struct merchant_product *grown =
        realloc(m->products, ((size_t)m->n_products + 1) * sizeof *grown);
    char title[256];

    if (grown == NULL)
        abort();
    m->products = grown;
    struct merchant_product *p = &m->products[m->n_products];
    *p = (struct merchant_product){ .id = r->next_product++, .category_id = r->category_id };
    (void)snprintf(title, sizeof title, r->round == 0 ? "%s" : "%s Edição %d", c[1], r->round + 1);
    p->brand_id = number(c[0]);
    p->brand = copy(brand_name(r, p->brand_id));
    p->title = copy(title);
    (void)money_decimal_read(c[2], &p->price_minor, NULL); /* our own text; zero shows at once */
    (void)money_decimal_read(c[3], &p->list_minor, NULL);
    p->weight_g = number(c[4]);
    (void)sscanf(c[5], "%dx%dx%d", &p->length_cm, &p->width_cm, &p->height_cm);
    p->material = copy(c[8]);
    p->gender = copy(c[9]);
    p->flaw = r->round == 0 ? flaw_read(c[10]) : FLAW_NONE;
    p->description = copy(c[11]);
    p->category = copy(r->category);
    p->department = copy(r->department);
    p->google_category = copy(r->google);
    char ref[32];
    (void)snprintf(ref, sizeof ref, "LE-%d", p->id);
    p->ref = copy(ref);
    p->first_sku = m->n_skus;
    m->n_products++;
    skus_add(r, m->n_products - 1, c[6], c[7]);
}

static void line_read(struct reader *r, char *line, int64_t wanted)
{
    char *c[COLUMNS] = { 0 };
    char mark = line[0];
    int n = columns(mark == '%' || mark == '@' ? line + 1 : line, c);

    if (mark == '%' && n == 2 && r->round == 0 && r->n_brands < BRANDS_MAX) {
        r->brands[r->n_brands].id = number(c[0]);
        (void)str_copy(r->brands[r->n_brands++].name, sizeof r->brands[0].name, c[1]);
    } else if (mark == '@' && n == 5) {
        (void)str_copy(r->department, sizeof r->department, c[1]);
        r->category_id = number(c[0]) * 1000 + number(c[2]);
        (void)str_copy(r->category, sizeof r->category, c[3]);
        (void)str_copy(r->google, sizeof r->google, c[4]);
    } else if (mark != '#' && mark != '%' && n == COLUMNS &&
               (wanted == 0 || r->m->n_products < wanted)) {
        product_add(r, c);
    }
}

enum rc merchant_new(int64_t wanted, struct merchant **out, struct err *e)
{
    const struct asset *asset = asset_find("sandbox/merchant/produtos.txt");
    struct reader r = { .next_sku = 1201, .next_product = 301 };

    if (asset == NULL)
        return err_set(e, RC_BUG, "The built-in merchant is missing");
    r.m = calloc(1, sizeof *r.m);
    if (r.m == NULL)
        return err_set(e, RC_DOWN, "Out of memory");
    do {
        const char *at = (const char *)asset->data;
        int before = r.m->n_products;

        while (*at != '\0') {
            char line[LIMIT_LINE_BYTES];
            size_t len = strcspn(at, "\n");

            (void)snprintf(line, sizeof line, "%.*s", (int)len, at);
            line_read(&r, line, wanted);
            at += len;
            at += *at == '\n';
        }
        if (r.m->n_products == before)
            break;
        r.round++;
    } while (r.m->n_products < wanted);
    *out = r.m;
    return RC_OK;
}

void merchant_free(struct merchant *m)
{
    if (m == NULL)
        return;
    for (int i = 0; i < m->n_products; i++) {
        struct merchant_product *p = &m->products[i];
        char *const texts[] = { p->title,           p->description, p->category,
                                p->department,      p->brand,       p->material,
                                p->google_category, p->gender,      p->ref };

        for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++)
            free(texts[k]);
    }
    for (int i = 0; i < m->n_skus; i++) {
        free(m->skus[i].color);
        free(m->skus[i].size);
    }
    free(m->products);
    free(m->skus);
    free(m);
}

int merchant_sku_by_id(const struct merchant *m, int64_t id)
{
    int64_t index = m->n_skus == 0 ? -1 : id - m->skus[0].id; /* ids are given in order */

    return index >= 0 && index < m->n_skus ? (int)index : -1;
}

int merchant_sku_by_ref(const struct merchant *m, const char *ref)
{
    for (int i = 0; i < m->n_skus; i++) {
        if (str_eq(m->skus[i].ref, ref))
            return i;
    }
    return -1;
}

int merchant_sku_by_ean(const struct merchant *m, const char *ean)
{
    for (int i = 0; i < m->n_skus; i++) {
        if (str_eq(m->skus[i].ean, ean))
            return i;
    }
    return -1;
}

int merchant_product_by_id(const struct merchant *m, int64_t id)
{
    int64_t index = m->n_products == 0 ? -1 : id - m->products[0].id;

    return index >= 0 && index < m->n_products ? (int)index : -1;
}
