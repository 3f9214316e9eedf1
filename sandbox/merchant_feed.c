/* merchant_feed.c - the example merchant's product feed (RSS 2.0 with Google attributes), as it is at this moment. */
#include "merchant.h"
#include "state.h"

#include "money.h"
#include "str.h"

#include <stdio.h>
#include <string.h>

#define LIMIT_FEED_TEXT_BYTES ((size_t)16 << 20)

static void element(struct buf *out, const char *name, const char *text)
{
    if (text[0] == '\0')
        return;
    buf_fmt(out, "<%s>", name);
    str_html(out, text);
    buf_fmt(out, "</%s>\n", name);
}

static void money_element(struct buf *out, const char *name, int64_t minor)
{
    char text[MONEY_TEXT_BYTES];

    if (minor <= 0)
        return;
    money_write(minor, text);
    buf_fmt(out, "<%s>%s BRL</%s>\n", name, text, name);
}

static void slug(const char *text, char *out, size_t cap)
{
    size_t n = 0;

    for (; *text != '\0' && n + 1 < cap; text++) {
        unsigned char ch = (unsigned char)*text;

        if ((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9'))
            out[n++] = (char)ch;
        else if (ch >= 'A' && ch <= 'Z')
            out[n++] = (char)(ch + 32);
        else if (ch == ' ' && n > 0 && out[n - 1] != '-')
            out[n++] = '-';
    }
    out[n] = '\0';
}

void merchant_picture_name(const struct merchant *m, int sku, int n, char out[64])
{
    const struct merchant_sku *s = &m->skus[sku];
    char color[24];

    slug(s->color[0] == '\0' ? "unica" : s->color, color, sizeof color);
    (void)snprintf(out, 64, "%d-%s-%d.png", m->products[s->product].id, color, n);
}

static void pictures(const struct merchant *m, int sku, const char *base, struct buf *out)
{
    for (int n = 0; n < MERCHANT_FEED_PICTURES; n++) {
        const char *name = n == 0 ? "g:image_link" : "g:additional_image_link";
        char file[64];

        merchant_picture_name(m, sku, n, file);
        buf_fmt(out, "<%s>%s/pictures/%s</%s>\n", name, base, file, name);
    }
}

static void item(const struct merchant *m, int sku, const char *base, int64_t price_minor,
                 int64_t available, struct buf *out)
{
    const struct merchant_sku *s = &m->skus[sku];
    const struct merchant_product *p = &m->products[s->product];
    char link[96];

    slug(p->title, link, sizeof link);
    buf_fmt(out, "<item>\n<g:id>%d</g:id>\n<g:item_group_id>%d</g:item_group_id>\n", s->id, p->id);
    element(out, "g:title", p->title);
    buf_str(out, "<g:description><![CDATA[<p>");
    buf_str(out, p->description);
    buf_str(out, "</p>]]></g:description>\n");
    buf_fmt(out, "<g:link>%s/loja/%s/p?sku=%d</g:link>\n", base, link, s->id);
    pictures(m, sku, base, out);
    if (p->flaw != FLAW_NO_PRICE && s->list_minor > price_minor) {
        money_element(out, "g:price", s->list_minor);
        money_element(out, "g:sale_price", price_minor);
    } else {
        money_element(out, "g:price", p->flaw == FLAW_NO_PRICE ? 0 : price_minor);
    }
    element(out, "g:availability", available > 0 ? "in_stock" : "out_of_stock");
    element(out, "g:condition", "new");
    element(out, "g:brand", p->brand);
    element(out, "g:gtin", s->ean);
    element(out, "g:mpn", s->ref);
    buf_str(out, "<g:product_type>");
    str_html(out, p->department);
    buf_str(out, " &gt; ");
    str_html(out, p->category);
    buf_str(out, "</g:product_type>\n");
    element(out, "g:google_product_category", p->google_category);
    element(out, "g:color", s->color);
    element(out, "g:size", s->size);
    element(out, "g:gender", p->gender);
    element(out, "g:age_group", p->gender[0] == '\0' ? "" : "adult");
    element(out, "g:material", p->material);
    buf_fmt(out, "<g:shipping_weight>%d g</g:shipping_weight>\n", p->weight_g);
    buf_fmt(out, "<g:shipping_length>%d cm</g:shipping_length>\n", p->length_cm);
    buf_fmt(out, "<g:shipping_width>%d cm</g:shipping_width>\n", p->width_cm);
    buf_fmt(out, "<g:shipping_height>%d cm</g:shipping_height>\n</item>\n", p->height_cm);
}

enum rc merchant_feed(const struct merchant *m, const char *base, const int64_t *price_minor,
                      const int64_t *available, struct buf *out, struct err *e)
{
    buf_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                 "<rss version=\"2.0\" xmlns:g=\"http://base.google.com/ns/1.0\">\n<channel>\n"
                 "<title>Loja Exemplo</title>\n");
    buf_fmt(out, "<link>%s/loja</link>\n<description>Produtos da Loja Exemplo</description>\n",
            base);
    for (int i = 0; i < m->n_skus; i++)
        item(m, i, base, price_minor[i], available[i], out);
    buf_str(out, "</channel>\n</rss>\n");
    return buf_check(out, e);
}

/* Base address of links: what the reader of the feed used to come here. */
void sbx_base_address(const struct http_req *req, char *out, size_t cap)
{
    const char *host = http_header(req, "Host");
    bool clean =
        host != NULL && str_only(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                       "0123456789.-:[]_");

    (void)snprintf(out, cap, "http://%s", clean ? host : "127.0.0.1:9100");
}

SBX_HANDLER(sbx_feed_get)
{
    struct sandbox *sb = user;
    const char *name = http_param(req, "name");
    char base[300];
    char account_name[64] = "";
    size_t len = strlen(name);

    if (len < 5 || len - 4 >= sizeof account_name || !str_ends(name, ".xml"))
        return err_set(e, RC_NOT_FOUND, "There is no feed of this name");
    memcpy(account_name, name, len - 4);
    sbx_base_address(req, base, sizeof base);
    (void)pthread_mutex_lock(&sb->lock); /* default mutexes cannot fail here */
    struct sbx_account *account = sbx_account_find(sb, account_name);
    if (account == NULL && str_eq(account_name, "loja-exemplo") && sb->n_accounts > 0)
        account = &sb->accounts[0];
    enum rc rc = RC_NOT_FOUND;
    if (account == NULL) {
        (void)err_set(e, rc, "There is no feed of this name");
    } else {
        int64_t *available = sbx_need(calloc((size_t)sb->merchant->n_skus + 1, sizeof *available));

        for (int i = 0; i < sb->merchant->n_skus; i++)
            available[i] = sbx_vtex_available(account, i);
        buf_init(&reply->body, LIMIT_FEED_TEXT_BYTES * 4);
        rc = merchant_feed(sb->merchant, base, account->price_minor, available, &reply->body, e);
        free(available);
    }
    sbx_note(sb, req, rc == RC_OK ? 200 : 404, 0, "");
    (void)pthread_mutex_unlock(&sb->lock);
    reply->content_type = "application/xml; charset=utf-8";
    return rc;
}

SBX_HANDLER(sbx_picture_get)
{
    struct sandbox *sb = user;
    enum rc rc = merchant_picture(sb->merchant, http_param(req, "name"), &reply->body, e);

    reply->content_type = "image/png";
    if (rc == RC_OK)
        http_reply_header(reply, "Cache-Control", "max-age=3600");
    (void)pthread_mutex_lock(&sb->lock);
    sbx_note(sb, req, rc == RC_OK ? 200 : 404, 0, "");
    (void)pthread_mutex_unlock(&sb->lock);
    return rc;
}
