/* test_sandbox_merchant.c - the example merchant: its products, its feed, its pictures. */
#include "../../sandbox/state.h"

#include "str.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <zlib.h>

#include "check.h"

static struct merchant *m;

static void products(void)
{
    int flaws[4] = { 0 };

    CHECK(m->n_products >= 60, "%d products", m->n_products);
    CHECK(m->n_skus > m->n_products);
    for (int i = 0; i < m->n_products; i++) {
        const struct merchant_product *p = &m->products[i];

        flaws[p->flaw]++;
        CHECK(p->n_skus > 0 && p->price_minor > 0 && p->weight_g > 0 && p->height_cm > 0,
              "product %d: %s", p->id, p->title);
        CHECK(p->brand[0] != '\0' && p->category[0] != '\0' && p->description[0] != '\0',
              "product %d", p->id);
        CHECK(p->list_minor == 0 || p->list_minor > p->price_minor, "product %d", p->id);
    }
    CHECK_INT(flaws[FLAW_NO_PRICE], 1);
    CHECK_INT(flaws[FLAW_SMALL_IMAGE], 1);
    CHECK_INT(flaws[FLAW_AUDIT], 1);
}

static void look_ups(void)
{
    for (int i = 0; i < m->n_skus; i++) {
        CHECK_INT(merchant_sku_by_id(m, m->skus[i].id), i);
        CHECK_INT(merchant_sku_by_ref(m, m->skus[i].ref), i);
        CHECK_INT(merchant_sku_by_ean(m, m->skus[i].ean), i);
    }
    CHECK_INT(merchant_sku_by_id(m, 1), -1);
    CHECK_INT(merchant_sku_by_ref(m, "none"), -1);
    CHECK_INT(merchant_product_by_id(m, 999999), -1);
}

static void barcodes(void)
{
    for (int i = 0; i < m->n_skus; i++) {
        const char *ean = m->skus[i].ean;
        int sum = 0;

        for (int k = 0; k < 13; k++)
            sum += (ean[k] - '0') * (k % 2 == 0 ? 1 : 3);
        CHECK(strlen(ean) == 13 && sum % 10 == 0, "%s", ean);
    }
}

static int children_named(const xmlNode *parent, const char *name)
{
    int n = 0;

    for (const xmlNode *at = parent->children; at != NULL; at = at->next)
        n += at->type == XML_ELEMENT_NODE && str_eq((const char *)at->name, name);
    return n;
}

static void feed(void)
{
    int64_t *price = calloc((size_t)m->n_skus, sizeof *price);
    int64_t *stock = calloc((size_t)m->n_skus, sizeof *stock);
    OWN_BUF struct buf text;
    int items = 0, without_price = 0;

    buf_init(&text, (size_t)16 << 20);
    for (int i = 0; price != NULL && i < m->n_skus; i++)
        price[i] = m->skus[i].price_minor;
    CHECK_INT(merchant_feed(m, "http://127.0.0.1:9100", price, stock, &text, NULL), RC_OK);
    xmlDoc *doc = xmlReadMemory(buf_text(&text), (int)text.len, "feed.xml", NULL, XML_PARSE_NONET);
    CHECK(doc != NULL);
    const xmlNode *channel = doc == NULL ? NULL : xmlFirstElementChild(xmlDocGetRootElement(doc));
    for (const xmlNode *at = channel == NULL ? NULL : channel->children; at != NULL;
         at = at->next) {
        if (!str_eq((const char *)at->name, "item"))
            continue;
        items++;
        without_price += children_named(at, "price") == 0;
        CHECK_INT(children_named(at, "id"), 1);
        CHECK_INT(children_named(at, "title"), 1);
        CHECK_INT(children_named(at, "image_link"), 1);
        CHECK_INT(children_named(at, "additional_image_link"), 2);
        CHECK_INT(children_named(at, "item_group_id"), 1);
    }
    CHECK_INT(items, m->n_skus);
    CHECK(without_price > 0 && without_price < 10, "%d items without a price", without_price);
    xmlFreeDoc(doc);
    free(price);
    free(stock);
}

static uint32_t be32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Walks the chunks of a PNG: sums right, data inflates to the announced size. */
static void png_check(const struct buf *png, int64_t *width, int64_t *height)
{
    const unsigned char *data = (const unsigned char *)png->data;
    size_t at = 8;
    bool ended = false;

    *width = be32(data + 16);
    *height = be32(data + 20);
    while (at + 12 <= png->len && !ended) {
        uint32_t len = be32(data + at);
        uLong crc = crc32(crc32(0, Z_NULL, 0), data + at + 4, len + 4);

        CHECK_INT(crc, be32(data + at + 8 + len));
        if (memcmp(data + at + 4, "IDAT", 4) == 0) {
            uLongf raw_len = (uLongf)((*width + 1) * *height);
            unsigned char *raw = malloc(raw_len);

            CHECK_INT(uncompress(raw, &raw_len, data + at + 8, len), Z_OK);
            CHECK_INT(raw_len, (*width + 1) * *height);
            free(raw);
        }
        ended = memcmp(data + at + 4, "IEND", 4) == 0;
        at += 12 + len;
    }
    CHECK(ended && at == png->len);
}

static void pictures(void)
{
    OWN_BUF struct buf one;
    OWN_BUF struct buf two;
    char name[64];
    int64_t w = 0, h = 0, seen_w = 0, seen_h = 0;
    const char *format = "";

    buf_init(&one, 1 << 20);
    buf_init(&two, 1 << 20);
    for (int i = 0; i < m->n_products; i += 7) {
        merchant_picture_name(m, m->products[i].first_sku, 0, name);
        CHECK_INT(merchant_picture(m, name, &one, NULL), RC_OK);
        png_check(&one, &w, &h);
        CHECK(sbx_image_size((const unsigned char *)one.data, one.len, &seen_w, &seen_h, &format));
        CHECK_STR(format, "PNG");
        CHECK_INT(seen_w, w);
        CHECK_INT(seen_h, h);
        bool small = m->products[i].flaw == FLAW_SMALL_IMAGE;
        CHECK(small ? w < 100 : w >= 600 && h >= 600, "%s is %lld x %lld", name, (long long)w,
              (long long)h);
    }
    merchant_picture_name(m, 0, 0, name);
    CHECK_INT(merchant_picture(m, name, &one, NULL), RC_OK);
    CHECK_INT(merchant_picture(m, name, &two, NULL), RC_OK);
    CHECK(one.len == two.len && memcmp(one.data, two.data, one.len) == 0,
          "the same name gives the same bytes");
    merchant_picture_name(m, 0, 1, name);
    CHECK_INT(merchant_picture(m, name, &two, NULL), RC_OK);
    CHECK(one.len != two.len || memcmp(one.data, two.data, one.len) != 0,
          "another name gives other bytes");
    CHECK_INT(merchant_picture(m, "../etc/passwd", &two, NULL), RC_NOT_FOUND);
    CHECK_INT(merchant_picture(m, "301-lilas-0.png", &two, NULL), RC_NOT_FOUND);
    CHECK_INT(merchant_picture(m, "301-preta-9.png", &two, NULL), RC_NOT_FOUND);
}

static void more_products(void)
{
    struct merchant *big = NULL;

    CHECK_INT(merchant_new(500, &big, NULL), RC_OK);
    CHECK_INT(big->n_products, 500);
    CHECK(!str_eq(big->products[0].title, big->products[m->n_products].title),
          "copies have titles of their own");
    merchant_free(big);
}

int main(void)
{
    if (merchant_new(0, &m, NULL) != RC_OK)
        return 77;
    CASE(products);
    CASE(look_ups);
    CASE(barcodes);
    CASE(feed);
    CASE(pictures);
    CASE(more_products);
    merchant_free(m);
    return CHECK_END();
}
