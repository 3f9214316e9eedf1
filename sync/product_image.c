/* product_image.c - which pictures a product gets: the feed's first, then what VTEX has of its SKUs; one for each value of
 * the variant that carries pictures, or none. */
#include "product_job.h"

#include <string.h>

#include "image_use.h"
#include "map_text.h"
#include "str.h"
#include "vtex_image.h"

#define LIMIT_MAIN_CANDIDATES 40
#define LIMIT_CANDIDATES (LIMIT_MAIN_CANDIDATES + LIMIT_SKUS)

/* What is wanted, in the order of the main pictures. */
struct wanted {
    struct picture *list;
    int n, n_main;
    json_t *vtex; /* owned: pictures of VTEX by seller SKU */
};

static void candidate(struct wanted *w, const char *url, enum image_use use)
{
    if (str_blank(url) || (use == USE_MAIN && w->n_main >= LIMIT_MAIN_CANDIDATES))
        return;
    for (int i = 0; i < w->n; i++)
        if (vtex_image_same(w->list[i].url, url)) {
            w->n_main += use == USE_MAIN && !w->list[i].wanted[USE_MAIN];
            w->list[i].wanted[use] = true;
            return;
        }
    if (w->n == LIMIT_CANDIDATES)
        return;
    w->list[w->n] = (struct picture){ .url = url };
    w->list[w->n++].wanted[use] = true;
    w->n_main += use == USE_MAIN;
}

/* ---- VTEX -------------------------------------------------------------------------------------- */

static const json_t *vtex_of(const struct wanted *w, const char *seller_sku)
{
    return json_object_get(w->vtex, seller_sku);
}

static enum rc stored_images(struct publish *p, struct wanted *w, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(p->ctx, "sku_images_get", &tx, e);

    return rc == RC_OK ? db_sku_images_get(tx, p->shop.shop_id, p->product.source_id, &w->vtex, e)
                       : rc;
}

static const char *first_of_feed(const json_t *item)
{
    return json_string_value(json_array_get(json_object_get(item, "images"), 0));
}

static const struct publish_sku *sku_of(const struct publish *p, const char *seller_sku)
{
    for (int i = 0; i < p->n_skus; i++)
        if (strcmp(p->skus[i].seller_sku, seller_sku) == 0)
            return &p->skus[i];
    return NULL;
}

/* Opened only now when prices and stock come from the feed. */
static enum rc open_vtex(struct publish *p, struct err *e)
{
    enum rc rc = p->vtex_open ? RC_OK : session_vtex_open(p->ctx, &p->vtex, e);

    p->vtex_open = p->vtex_open || rc == RC_OK;
    return rc;
}

/* Asks VTEX now about SKUs that the feed shows nothing of and nobody asked about before. */
static enum rc missing_images(struct publish *p, struct wanted *w, struct err *e)
{
    for (int i = 0; p->client.vtex_account[0] != '\0' && i < p->n_listed; i++) {
        const struct publish_sku *sku = sku_of(p, p->listed[i].seller_sku);
        json_t *urls = NULL;

        if (sku == NULL || sku->vtex_sku_id[0] == '\0' || vtex_of(w, sku->seller_sku) != NULL ||
            !str_blank(first_of_feed(sku->item)))
            continue;
        enum rc rc = open_vtex(p, e);

        if (rc == RC_OK)
            rc = vtex_sku_images(&p->vtex, sku->vtex_sku_id, &urls, e);

        if (rc != RC_OK)
            return rc;
        if (json_object_set_new(w->vtex, sku->seller_sku, urls) != 0)
            return err_set(e, RC_BUG, "out of memory");

        OWN_TX struct db_tx *tx = NULL;

        rc = job_tx_begin(p->ctx, "sku_images_put", &tx, e);
        if (rc == RC_OK)
            rc = db_sku_images_put(tx, p->client.client_id, p->shop.shop_id, sku->seller_sku,
                                   sku->vtex_sku_id, urls, e);
        if (rc == RC_OK)
            rc = db_tx_commit(tx, e);
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

/* ---- which pictures ---------------------------------------------------------------------------- */

/* The feed's first picture of a SKU, else VTEX's. */
static const char *first_image(const struct wanted *w, const struct map_sku *sku)
{
    const char *url = first_of_feed(sku->item);

    return !str_blank(url) ? url
                           : json_string_value(json_array_get(vtex_of(w, sku->seller_sku), 0));
}

/* Value key of the primary kind -> address of its first picture; empty when a value has none or all share one. */
static enum rc variant_addresses(const struct publish *p, const struct wanted *w, json_t *out,
                                 struct err *e)
{
    json_auto_t *urls = json_object();
    OWN_BUF struct buf value;
    OWN_BUF struct buf key;

    buf_init(&value, 4096);
    buf_init(&key, 4096);
    for (int i = 0; p->plan.primary >= 0 && i < p->n_listed; i++) {
        const struct map_sku *sku = &p->listed[i];
        const char *url = first_image(w, sku);
        enum rc rc = map_variant_value(&p->plan.kinds[p->plan.primary], sku->item, &value, e);

        if (rc == RC_OK)
            rc = map_text_key(buf_text(&value), &key, e);
        if (rc != RC_OK)
            return rc;
        if (str_blank(url))
            return json_object_clear(out) == 0 ? RC_OK : err_set(e, RC_BUG, "out of memory");
        if (json_object_get(out, buf_text(&key)) != NULL)
            continue;
        if (json_object_set_new(out, buf_text(&key), json_string(url)) != 0 ||
            json_object_set_new(urls, url, json_true()) != 0)
            return err_set(e, RC_BUG, "out of memory");
    }
    if (json_object_size(urls) < 2)
        (void)json_object_clear(out);
    return RC_OK;
}

static void candidates_of(struct wanted *w, const json_t *urls)
{
    for (size_t i = 0; i < json_array_size(urls); i++)
        candidate(w, json_string_value(json_array_get(urls, i)), USE_MAIN);
}

/* The first picture of every SKU before the second of any, so that a product shows all its variants. */
static void candidates_of_vtex(struct wanted *w, const struct publish *p)
{
    for (size_t i = 0; i < LIMIT_VTEX_IMAGES; i++)
        for (int s = 0; s < p->n_listed; s++)
            candidate(w, json_string_value(json_array_get(vtex_of(w, p->listed[s].seller_sku), i)),
                      USE_MAIN);
}

static void all_candidates(const struct publish *p, const json_t *variants, struct wanted *w)
{
    const char *key;
    json_t *url;

    candidates_of(w, json_object_get(p->product.desired, "images"));
    for (int s = 0; s < p->n_listed; s++)
        candidates_of(w, json_object_get(p->listed[s].item, "images"));
    candidates_of_vtex(w, p);
    json_object_foreach((json_t *)(uintptr_t)variants, key, url)
        candidate(w, json_string_value(url), USE_ATTRIBUTE);
}

static const struct picture *by_url(const struct wanted *w, const char *url)
{
    for (int i = 0; i < w->n; i++)
        if (vtex_image_same(w->list[i].url, url))
            return &w->list[i];
    return NULL;
}

/* Every value of the primary kind needs a picture, or none gets one. */
static enum rc set_variants(struct publish *p, const json_t *variants, const struct wanted *w,
                            struct err *e)
{
    json_auto_t *uris = json_object();
    const char *key;
    json_t *url;

    json_object_foreach((json_t *)(uintptr_t)variants, key, url)
    {
        const struct picture *pic = by_url(w, json_string_value(url));

        if (pic == NULL || pic->got[USE_ATTRIBUTE].uri[0] == '\0')
            return RC_OK;
        if (json_object_set_new(uris, key, json_string(pic->got[USE_ATTRIBUTE].uri)) != 0)
            return err_set(e, RC_BUG, "out of memory");
    }
    p->image_uris = json_incref(uris);
    return RC_OK;
}

/* The same bytes at two addresses are one upload, and one main picture. */
static void add_main(struct publish *p, const char *uri)
{
    for (int i = 0; i < p->n_main_uris; i++)
        if (strcmp(p->main_uris[i], uri) == 0)
            return;
    (void)str_copy(p->main_uris[p->n_main_uris++], IMAGE_URI_BYTES, uri);
}

static enum rc get_all(struct publish *p, struct wanted *w, struct err *e)
{
    for (int i = 0; i < w->n; i++) {
        struct picture *pic = &w->list[i];

        if (p->n_main_uris == MAIN_IMAGES_MAX)
            pic->wanted[USE_MAIN] = false;
        if (!pic->wanted[USE_MAIN] && !pic->wanted[USE_ATTRIBUTE])
            continue;
        enum rc rc = image_use_get(p, pic, "images", e);

        if (rc != RC_OK)
            return rc;
        if (pic->got[USE_MAIN].uri[0] != '\0')
            add_main(p, pic->got[USE_MAIN].uri);
    }
    return RC_OK;
}

enum rc publish_images(struct publish *p, struct err *e)
{
    json_auto_t *variants = json_object();
    struct wanted w = { .list = calloc(LIMIT_CANDIDATES, sizeof(*w.list)) };
    enum rc rc = w.list != NULL ? stored_images(p, &w, e) : err_set(e, RC_BUG, "out of memory");

    if (rc == RC_OK)
        rc = missing_images(p, &w, e);
    if (rc == RC_OK)
        rc = variant_addresses(p, &w, variants, e);
    if (rc == RC_OK)
        all_candidates(p, variants, &w);
    if (rc == RC_OK)
        rc = get_all(p, &w, e);
    if (rc == RC_OK)
        rc = set_variants(p, variants, &w, e);
    json_decref(w.vtex);
    free(w.list);
    return rc;
}
