/* product_brand.c - the brand that a product is listed with. */
#include "brand.h"
#include "map_text.h"
#include "problem.h"
#include "product_job.h"
#include "str.h"

static enum rc store_brand(struct publish *p, const char *key, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(p->ctx, "product_brand", &tx, e);

    if (rc == RC_OK)
        rc = db_product_brand(tx, p->shop.shop_id, p->product.source_id, key, p->brand_id, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

/* What a product without a TikTok brand gets, by the client's policy; an operator who left it out is obeyed. */
static void unknown_brand(struct publish *p, const struct brand_found *found, const char *name)
{
    if (str_eq(found->row.chosen_by, "operator"))
        return;
    if (str_eq(p->client.brand_when_unknown, "hold"))
        problem_add(p->problems, "brand_unknown", "brand",
                    "Link the brand to one of TikTok's brands.",
                    "TikTok has no brand \"%s\" that the shop can use.", name);
    else if (found->why[0] != '\0')
        problem_add(p->notes, found->why, "brand", "Link the brand to one of TikTok's brands.",
                    "The product is listed without its brand \"%s\": %s", name, found->why_text);
}

enum rc publish_brand(struct publish *p, struct err *e)
{
    OWN_BUF struct buf name;
    OWN_BUF struct buf key;
    struct brand_found found = { 0 };

    buf_init(&name, 4096);
    buf_init(&key, 4096);
    enum rc rc = map_text_plain(desired_text(p->product.desired, "brand"), 100, &name, e);

    if (rc == RC_OK)
        rc = map_text_key(buf_text(&name), &key, e);
    if (rc != RC_OK)
        return rc;
    if (key.len == 0)
        return store_brand(p, NULL, e);

    const struct brand_ask ask = { .ctx = p->ctx,
                                   .client = &p->client,
                                   .tiktok = &p->tiktok,
                                   .category_id = p->category_id,
                                   .key = buf_text(&key),
                                   .name = buf_text(&name),
                                   .may_make = true };

    rc = brand_find(&ask, &found, e);
    if (rc != RC_OK)
        return rc;
    (void)str_copy(p->brand_id, sizeof(p->brand_id), found.row.tiktok_brand_id);
    if (p->brand_id[0] == '\0')
        unknown_brand(p, &found, buf_text(&name));
    return store_brand(p, buf_text(&key), e);
}
