/* product_switch.c - what a switch keeps from TikTok: the edit is made without it, and what differs is written down, so
 * that it travels when the switch is turned on again. What TikTok does not have yet is always sent whole. */
#include "product_job.h"

#include <string.h>

#include "jspec.h"
#include "sign.h"
#include "str.h"

enum rc publish_switches_load(struct publish *p, struct db_tx *tx, struct err *e)
{
    enum rc rc =
        db_switches_of_product(tx, p->client.client_id, p->product.shop_id, p->product.source_id,
                               &p->switch_rows, &p->n_switch_rows, e);

    if (rc != RC_OK)
        return rc;
    switches_of_client(&p->client, &p->switches);
    for (int i = 0; i < p->n_switch_rows; i++)
        if (!str_eq(p->switch_rows[i].scope, "sku"))
            switches_narrow(&p->switches, &p->switch_rows[i]);
    return RC_OK;
}

/* The part as it holds for one SKU. */
static struct sync_switch of_sku(const struct publish *p, const char *seller_sku,
                                 enum sync_part part)
{
    struct sync_switches s = p->switches;

    for (int i = 0; i < p->n_switch_rows; i++)
        if (str_eq(p->switch_rows[i].scope, "sku") && str_eq(p->switch_rows[i].key, seller_sku))
            switches_narrow(&s, &p->switch_rows[i]);
    return s.part[part];
}

bool publish_sku_on(const struct publish *p, const char *seller_sku, enum sync_part part)
{
    return of_sku(p, seller_sku, part).on;
}

/* A product that buyers may see, or saw: one that never passed the review is still being created. */
static bool stands(const struct publish *p)
{
    return p->product.tiktok_product_id[0] != '\0' && !str_eq(p->product.status, "rejected");
}

bool publish_text_held(const struct publish *p)
{
    return stands(p) && !p->switches.part[PART_TEXT].on;
}

/* A new SKU needs the picture of its choice: then all are sent. */
bool publish_images_held(const struct publish *p)
{
    for (int i = 0; i < p->n_listed; i++)
        if (str_blank(p->listed[i].tiktok_sku_id))
            return false;
    return stands(p) && !p->switches.part[PART_IMAGES].on;
}

/* ---- pictures ----------------------------------------------------------------------------------- */

static void add_images(const json_t *from, json_t *out)
{
    json_t *images = json_object_get(from, "images");

    if (images != NULL)
        (void)json_array_append(out, images);
}

/* Which pictures the feed wants, as one word. */
enum rc publish_images_digest(const struct publish *p, char out[65], struct err *e)
{
    const json_t *items = json_object_get(p->product.desired, "items");
    json_auto_t *all = json_array();
    unsigned char digest[SIGN_SHA256_BYTES];
    OWN_BUF struct buf text;
    enum rc rc;

    buf_init(&text, (size_t)1 << 22);
    add_images(p->product.desired, all);
    for (size_t i = 0; i < json_array_size(items); i++)
        add_images(json_array_get(items, i), all);
    rc = jspec_dump(all, &text, e);
    if (rc != RC_OK)
        return rc;
    sign_sha256(text.data, text.len, digest);
    str_hex(out, digest, sizeof digest);
    return RC_OK;
}

static const json_t *sku_by_code(const json_t *body, const char *seller_sku)
{
    const json_t *list = json_object_get(body, "skus");

    for (size_t i = 0; i < json_array_size(list); i++)
        if (str_eq(jspec_text(json_array_get(list, i), "seller_sku"), seller_sku))
            return json_array_get(list, i);
    return NULL;
}

static json_t *picture_of(const json_t *sku)
{
    const json_t *list = json_object_get(sku, "sales_attributes");

    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_object_get(json_array_get(list, i), "sku_img") != NULL)
            return json_object_get(json_array_get(list, i), "sku_img");
    return NULL;
}

/* Pictures of the SKUs as they were acknowledged, on the choice that carries them. */
static int keep_sku_pictures(struct publish *p)
{
    json_t *skus = json_object_get(p->body, "skus");
    int bad = 0;

    for (size_t i = 0; i < json_array_size(skus); i++) {
        json_t *sku = json_array_get(skus, i);
        json_t *choices = json_object_get(sku, "sales_attributes");
        json_t *old = picture_of(sku_by_code(p->product.published, jspec_text(sku, "seller_sku")));

        for (size_t k = 0; k < json_array_size(choices); k++) {
            json_t *one = json_array_get(choices, k);

            (void)json_object_del(one, "sku_img");
            if (old != NULL && (int)k == p->plan.primary)
                bad |= json_object_set(one, "sku_img", old);
        }
    }
    return bad;
}

/* ---- the edit ----------------------------------------------------------------------------------- */

/* Puts the acknowledged value of a member back; true when the wanted one was another. */
static bool put_back(struct publish *p, const char *member, int *bad)
{
    json_t *old = json_object_get(p->product.published, member);
    json_t *now = json_object_get(p->body, member);
    bool differs = now != NULL && (old == NULL || !json_equal(old, now));

    if (old != NULL)
        *bad |= json_object_set(p->body, member, old);
    else
        (void)json_object_del(p->body, member);
    return differs;
}

static int note_kept(json_t *list, const char *what, const struct sync_switch *by)
{
    return json_array_append_new(
        list, json_pack("{s:s, s:s, s:s}", "what", what, "by", by->by, "key", by->key));
}

static bool images_differ(const struct publish *p, const char *digest)
{
    return !str_eq(p->product.images_sent, digest);
}

enum rc publish_hold_back(struct publish *p, struct err *e)
{
    static const char *const TEXTS[] = { "title", "description", "brand_id", "product_attributes",
                                         "category_id" };
    char digest[65];
    bool text = false;
    int bad = 0;
    enum rc rc = RC_OK;

    if (p->body == NULL)
        return RC_OK;
    for (size_t i = 0; publish_text_held(p) && i < sizeof TEXTS / sizeof TEXTS[0]; i++)
        text = put_back(p, TEXTS[i], &bad) || text;
    if (text)
        bad |= note_kept(p->kept, "text", &p->switches.part[PART_TEXT]);
    if (publish_images_held(p)) {
        (void)put_back(p, "main_images", &bad);
        bad |= keep_sku_pictures(p);
        rc = publish_images_digest(p, digest, e);
        if (rc == RC_OK && images_differ(p, digest))
            bad |= note_kept(p->kept, "images", &p->switches.part[PART_IMAGES]);
    }
    if (rc != RC_OK)
        return rc;
    return bad == 0 ? RC_OK : err_set(e, RC_BUG, "out of memory");
}

/* ---- what is written down ----------------------------------------------------------------------- */

/* Price and stock of a SKU on TikTok that differ and do not travel. */
static int kept_of_sku(const struct publish *p, const struct publish_sku *sku, json_t *out)
{
    struct sync_switch price = of_sku(p, sku->seller_sku, PART_PRICE);
    struct sync_switch stock = of_sku(p, sku->seller_sku, PART_STOCK);
    int bad = 0;

    if (!price.on && sku->price_minor > 0 && publish_price_differs(sku))
        bad |= note_kept(out, "price", &price);
    if (!stock.on && publish_stock_differs(sku))
        bad |= note_kept(out, "stock", &stock);
    return bad;
}

enum rc publish_kept_store(struct publish *p, struct db_tx *tx, struct err *e)
{
    json_auto_t *skus = json_object();
    int bad = 0;

    for (int i = 0; i < p->n_skus; i++) {
        const struct publish_sku *sku = &p->skus[i];
        json_auto_t *list = json_array();

        if (sku->seller_sku[0] == '\0' || sku->tiktok_sku_id[0] == '\0')
            continue;
        bad |= kept_of_sku(p, sku, list);
        if (json_array_size(list) > 0)
            bad |= json_object_set(skus, sku->seller_sku, list);
    }
    if (bad != 0)
        return err_set(e, RC_BUG, "out of memory");
    if (json_array_size(p->kept) == 0 && json_object_size(skus) == 0 && !p->product.kept_back)
        return RC_OK;
    return db_switch_kept(tx, p->shop.shop_id, p->product.source_id, p->kept, skus, e);
}

enum rc publish_kept_skus(struct publish *p, struct db_tx *tx, struct err *e)
{
    json_auto_t *skus = json_object();
    int bad = 0;

    for (int i = 0; i < p->n_skus; i++) {
        const struct publish_sku *sku = &p->skus[i];
        json_t *list = json_array();

        bad |= kept_of_sku(p, sku, list);
        bad |= json_object_set_new(skus, sku->seller_sku,
                                   json_pack("{s:o, s:b, s:b}", "list", list, "price",
                                             sku->price_minor > 0, "stock",
                                             sku->stock_inputs != NULL));
    }
    return bad == 0 ? db_switch_kept_some(tx, p->shop.shop_id, skus, e)
                    : err_set(e, RC_DOWN, "out of memory");
}

enum rc publish_images_note(struct publish *p, struct db_tx *tx, struct err *e)
{
    char digest[65];
    enum rc rc = RC_OK;

    if (publish_images_held(p))
        return RC_OK;
    rc = publish_images_digest(p, digest, e);
    if (rc != RC_OK || !images_differ(p, digest))
        return rc;
    return db_product_images_sent(tx, p->shop.shop_id, p->product.source_id, digest, e);
}
