/* product_removed.c - variants that left the feed stay on TikTok, without stock, beside those that are there.
 *
 * An edit of the SKUs replaces the whole list: whoever is left out is deleted, and with it the id that orders and
 * returns name. So a variant that the feed lost is put back into the list as it was acknowledged, and takes part in the
 * choice of what tells the variants apart, so that those that stay keep their choices. Only one that cannot stand
 * beside the others any more (the choices of another, other kinds of choices, too many SKUs) goes. */
#include "product_job.h"

#include <string.h>

#include "jspec.h"
#include "map_text.h"
#include "map_words.h"
#include "problem.h"
#include "str.h"

#define TITLE_KIND "title"

static const struct sku *row_of(const struct publish *p, const char *seller_sku)
{
    for (int i = 0; i < p->product.n_skus; i++)
        if (str_eq(p->product.skus[i].seller_sku, seller_sku))
            return &p->product.skus[i];
    return NULL;
}

static bool in_feed(const struct publish *p, const char *seller_sku)
{
    for (int i = 0; i < p->n_skus; i++)
        if (str_eq(p->skus[i].seller_sku, seller_sku))
            return true;
    return false;
}

/* One of a list of objects by its id. */
static const json_t *by_id(const json_t *list, const char *id)
{
    for (size_t i = 0; id != NULL && i < json_array_size(list); i++) {
        char one[JSPEC_ID_BYTES];

        jspec_id(json_array_get(list, i), "id", one);
        if (strcmp(one, id) == 0)
            return json_array_get(list, i);
    }
    return NULL;
}

/* Puts what the choice says into the item, where the feed would have it. False: its words are not known. */
static bool put_choice(const struct publish *p, const json_t *choice, json_t *item)
{
    const json_t *attribute = by_id(p->attributes, jspec_text(choice, "id"));
    const char *name = jspec_text(choice, "name");
    const char *value = jspec_text(choice, "value_name");
    const char *field;

    if (name == NULL)
        name = jspec_text(attribute, "name");
    if (value == NULL)
        value = jspec_text(
            by_id(json_object_get(attribute, "values"), jspec_text(choice, "value_id")), "name");
    if (str_blank(name) || str_blank(value))
        return false;
    field = map_text_same(name, map_words_field_name(TITLE_KIND)) ? TITLE_KIND
                                                                  : map_words_field_of(name);
    if (field != NULL)
        return json_object_set_new(item, field, json_string(value)) == 0;

    json_t *details = json_object_get(item, "details");

    if (details == NULL) {
        details = json_array();
        if (json_object_set_new(item, "details", details) != 0)
            return false;
    }
    return json_array_append_new(details, json_pack("{s:s, s:s}", "name", name, "value", value)) ==
           0;
}

/* An item such as the feed would have for a published SKU; NULL when its choices cannot be read. New reference. */
static json_t *item_of(const struct publish *p, const json_t *sku)
{
    const json_t *choices = json_object_get(sku, "sales_attributes");
    json_t *item = json_object();

    for (size_t i = 0; i < json_array_size(choices); i++)
        if (!put_choice(p, json_array_get(choices, i), item)) {
            json_decref(item);
            return NULL;
        }
    return item;
}

static enum rc leave_out(struct publish *p, const char *seller_sku, struct err *e)
{
    problem_add(p->notes, "variant_removed", seller_sku,
                "Nothing is to be done, unless the variant should be there: then give it its own "
                "choice in the feed.",
                "The variant \"%.60s\" left the feed and cannot stay beside the others on TikTok; "
                "it is deleted there.",
                seller_sku);
    if (json_array_append_new(p->dropped, json_string(seller_sku)) != 0)
        return err_set(e, RC_BUG, "out of memory");
    return RC_OK;
}

/* Whether the SKUs so far can be told apart. */
static enum rc fits(const struct publish *p, bool *ok, struct err *e)
{
    struct variant_plan plan;
    json_auto_t *problems = json_array();
    enum rc rc = p->n_listed <= LIMIT_SKUS
                     ? map_variants_plan(p->listed, p->n_listed, p->attributes, &plan, problems, e)
                     : RC_OK;

    *ok = p->n_listed <= LIMIT_SKUS && json_array_size(problems) == 0;
    return rc;
}

static enum rc keep_one(struct publish *p, const json_t *sku, const struct sku *row, struct err *e)
{
    json_t *item = item_of(p, sku);
    bool ok = false;
    enum rc rc = RC_OK;

    if (item == NULL)
        return leave_out(p, row->seller_sku, e);
    if (json_array_append_new(p->removed_items, item) != 0)
        return err_set(e, RC_BUG, "out of memory");
    p->listed[p->n_listed++] = (struct map_sku){ .seller_sku = row->seller_sku,
                                                 .source_sku = row->source_sku,
                                                 .tiktok_sku_id = row->tiktok_sku_id,
                                                 .item = item,
                                                 .price_minor = row->price_published_minor,
                                                 .stock = 0 };
    rc = fits(p, &ok, e);
    if (rc == RC_OK && !ok) {
        p->n_listed--;
        rc = leave_out(p, row->seller_sku, e);
    }
    return rc;
}

enum rc publish_keep_removed(struct publish *p, struct err *e)
{
    const json_t *old = json_object_get(p->product.published, "skus");
    struct map_sku *room =
        realloc(p->listed, ((size_t)p->n_listed + json_array_size(old) + 1) * sizeof(*p->listed));

    if (room == NULL)
        return err_set(e, RC_BUG, "out of memory");
    p->listed = room;
    p->n_live = p->n_listed;
    p->dropped = json_array();
    p->removed_items = json_array();
    for (size_t i = 0; p->product.tiktok_product_id[0] != '\0' && i < json_array_size(old); i++) {
        const json_t *sku = json_array_get(old, i);
        const struct sku *row = row_of(p, jspec_text(sku, "seller_sku"));
        enum rc rc = RC_OK;

        if (row != NULL && row->tiktok_sku_id[0] != '\0' && !in_feed(p, row->seller_sku))
            rc = keep_one(p, sku, row, e);
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

/* Address of the picture that a published SKU has; NULL = none. */
static const char *published_picture(const struct publish *p, const char *seller_sku)
{
    const json_t *old = json_object_get(p->product.published, "skus");

    for (size_t i = 0; i < json_array_size(old); i++) {
        const json_t *sku = json_array_get(old, i);
        const json_t *choices = json_object_get(sku, "sales_attributes");

        for (size_t k = 0;
             str_eq(jspec_text(sku, "seller_sku"), seller_sku) && k < json_array_size(choices); k++)
            if (jspec_text(json_array_get(choices, k), "sku_img.uri") != NULL)
                return jspec_text(json_array_get(choices, k), "sku_img.uri");
    }
    return NULL;
}

enum rc publish_removed_pictures(struct publish *p, struct err *e)
{
    OWN_BUF struct buf value;
    OWN_BUF struct buf key;

    buf_init(&value, 4096);
    buf_init(&key, 4096);
    for (int i = p->n_live; json_object_size(p->image_uris) > 0 && i < p->n_listed; i++) {
        const char *uri = published_picture(p, p->listed[i].seller_sku);
        enum rc rc =
            map_variant_value(&p->plan.kinds[p->plan.primary], p->listed[i].item, &value, e);

        if (rc == RC_OK)
            rc = map_text_key(buf_text(&value), &key, e);
        if (rc != RC_OK)
            return rc;
        if (json_object_get(p->image_uris, buf_text(&key)) != NULL)
            continue;
        /* every value of the choice has a picture, or none has */
        if (uri == NULL ? json_object_clear(p->image_uris) != 0
                        : json_object_set_new(p->image_uris, buf_text(&key), json_string(uri)) != 0)
            return err_set(e, RC_BUG, "out of memory");
    }
    return RC_OK;
}

enum rc publish_dropped(struct publish *p, struct db_tx *tx, struct err *e)
{
    enum rc rc = RC_OK;

    for (size_t i = 0; rc == RC_OK && i < json_array_size(p->dropped); i++)
        rc = db_sku_delete(tx, p->shop.shop_id, p->product.source_id,
                           json_string_value(json_array_get(p->dropped, i)), e);
    return rc;
}
