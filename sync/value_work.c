/* value_work.c - works out prices and stock of SKUs that TikTok has, and sends what differs.
 *
 * Read and sent under one hold of the product, so that a slower, older answer never follows a newer one. */
#include "value_work.h"

#include <string.h>

#include "clock.h"
#include "db_shelf.h"
#include "jspec.h"
#include "product_send.h"
#include "str.h"

void value_work_done(struct value_work *w)
{
    publish_free(w->p);
    w->p = NULL;
}

enum rc value_work_load(struct job_ctx *ctx, struct value_work *w, bool *idle, struct err *e)
{
    enum rc rc;

    w->p = publish_new(ctx);
    if (w->p == NULL)
        return err_set(e, RC_DOWN, "out of memory");
    w->p->values_only = true;
    rc = publish_load(w->p, e);
    *idle = rc == RC_OK && (!w->p->client.active || w->p->product.tiktok_product_id[0] == '\0' ||
                            str_eq(w->p->product.status, "deleted"));
    return rc;
}

static const json_t *item_of(const struct publish *p, const char *source_sku)
{
    const json_t *items = json_object_get(p->product.desired, "items");

    for (size_t i = 0; i < json_array_size(items); i++)
        if (str_eq(jspec_text(json_array_get(items, i), "id"), source_sku))
            return json_array_get(items, i);
    return NULL;
}

static const struct sku *row_of(const struct publish *p, const char *seller_sku)
{
    for (int i = 0; i < p->product.n_skus; i++)
        if (str_eq(p->product.skus[i].seller_sku, seller_sku))
            return &p->product.skus[i];
    return NULL;
}

static void fill(struct publish *p, struct publish_sku *sku, const struct sku *row,
                 const struct value_want *want)
{
    const json_t *item = item_of(p, row->source_sku);

    (void)str_copy(sku->seller_sku, sizeof(sku->seller_sku), row->seller_sku);
    (void)str_copy(sku->source_sku, sizeof(sku->source_sku), row->source_sku);
    publish_sku_row(sku, row);
    sku->item = item;
    sku->listed = true;
    sku->gone = item == NULL || !p->product.in_feed;
    sku->price_wanted = want->price;
    sku->stock_wanted = want->stock;
    sku->off = want->off;
    sku->changed_us = want->changed_us;
    if (item == NULL)
        return;
    sku->feed_price_minor = publish_item_price(item, clock_now_us(), &sku->again_us);
    sku->feed_available = str_eq(jspec_text(item, "availability"), "in_stock");
    sku->feed_quantity = jspec_int(item, "quantity", -1);
}

static enum rc choose(struct publish *p, const struct value_want *want, int n, struct err *e)
{
    p->skus = calloc((size_t)n + 1, sizeof(*p->skus));
    if (p->skus == NULL)
        return err_set(e, RC_DOWN, "out of memory");
    for (int i = 0; i < n; i++) {
        const struct sku *row = row_of(p, want[i].seller_sku);

        if (row != NULL && row->tiktok_sku_id[0] != '\0')
            fill(p, &p->skus[p->n_skus++], row, &want[i]);
    }
    return RC_OK;
}

enum rc value_work_run(struct value_work *w, const struct value_want *want, int n, struct err *e)
{
    struct publish *p = w->p;
    bool changed = false;
    enum rc rc = choose(p, want, n, e);

    if (rc != RC_OK || p->n_skus == 0)
        return rc;
    rc = publish_sessions(p, e);
    if (rc == RC_OK)
        rc = publish_warehouse(p, e);
    for (int i = 0; rc == RC_OK && i < p->n_skus; i++)
        rc = publish_sku_values(p, &p->skus[i], e);
    if (rc == RC_OK)
        p->values_known = true;
    return rc == RC_OK && !w->dry ? publish_update_values(p, &changed, e) : rc;
}

/* It was taken off sale because TikTok took no 0, and there is stock again. */
static enum rc back_on_sale(struct publish *p, struct db_tx *tx, struct err *e)
{
    const struct db_job_key key = { .client_id = p->client.client_id,
                                    .shop_id = p->shop.shop_id,
                                    .kind = "product_shelf",
                                    .entity = "",
                                    .lane = LANE_CATALOG };
    struct shelf_state now = { 0 };
    bool stocked = false;
    bool due = false;
    enum rc rc;

    for (int i = 0; i < p->n_skus; i++)
        stocked = stocked || (p->skus[i].stock_inputs != NULL && p->skus[i].stock > 0);
    if (!stocked || str_eq(p->product.shelf, SHELF_ON))
        return RC_OK;
    rc = db_shelf_get(tx, p->shop.shop_id, p->product.source_id, &now, e);
    if (rc != RC_OK || !str_eq(now.by, "stock") || !str_eq(now.shelf, SHELF_OFF))
        return rc;
    rc = db_shelf_set(tx, p->client.client_id, p->shop.shop_id, p->product.source_id, SHELF_ON,
                      "feed", &due, e);
    return rc == RC_OK && due ? db_job_put(tx, &key, e) : rc;
}

enum rc value_work_store(struct value_work *w, struct db_tx *tx, struct err *e)
{
    struct publish *p = w->p;
    enum rc rc = RC_OK;

    for (int i = 0; rc == RC_OK && i < p->n_skus; i++) {
        const struct publish_sku *sku = &p->skus[i];
        const struct sku_values values = {
            .seller_sku = sku->seller_sku,
            .price_minor = sku->price_minor,
            .price_inputs = sku->price_inputs,
            .stock = sku->stock_inputs != NULL ? sku->stock : -1,
            .stock_inputs = sku->stock_inputs,
            .problem = sku->problem,
        };

        rc = db_sku_desired(tx, p->shop.shop_id, &values, e);
        if (rc == RC_OK && sku->price_wanted && sku->price_held_minor != sku->price_hold_minor)
            rc = db_value_hold(tx, p->shop.shop_id, sku->seller_sku, sku->price_held_minor, e);
    }
    if (rc == RC_OK)
        rc = publish_kept_skus(p, tx, e);
    if (rc == RC_OK)
        rc = publish_trace_values(p, tx, e);
    if (rc == RC_OK)
        rc = back_on_sale(p, tx, e);
    return rc == RC_OK ? db_value_version_up(tx, p->shop.shop_id, p->product.source_id, e) : rc;
}
