/* product_stock_value.c - the stock of one SKU: balances of VTEX or what the feed says, through the merchant's rules. */
#include "product_values.h"

#include <pthread.h>
#include <string.h>

#include "clock.h"
#include "db_order.h"
#include "stock_rule.h"
#include "str.h"

/* ---- which VTEX warehouses count --------------------------------------------------------------- */

#define CACHE_ROWS 32
#define CACHE_US (600 * US_PER_S)

/* Docks and warehouses change rarely: kept ten minutes for each account and trade policy. */
struct policy_warehouses {
    char account[64];
    char sales_channel[16];
    int64_t read_us;
    int n;
    char ids[VTEX_BALANCES_MAX][64];
};
static struct policy_warehouses cache[CACHE_ROWS];
static int cache_next;
static pthread_mutex_t cache_lock = PTHREAD_MUTEX_INITIALIZER;

static bool cache_get(const struct vtex_session *s, struct policy_warehouses *out)
{
    bool found = false;
    int64_t now = clock_mono_us();

    pthread_mutex_lock(&cache_lock);
    for (int i = 0; i < CACHE_ROWS && !found; i++)
        if (strcmp(cache[i].account, s->account) == 0 &&
            strcmp(cache[i].sales_channel, s->sales_channel) == 0 && cache[i].read_us > 0 &&
            now - cache[i].read_us < CACHE_US) {
            *out = cache[i];
            found = true;
        }
    pthread_mutex_unlock(&cache_lock);
    return found;
}

static enum rc policy_warehouses(struct vtex_session *s, struct policy_warehouses *out,
                                 struct err *e)
{
    if (cache_get(s, out))
        return RC_OK;
    enum rc rc = vtex_policy_warehouses(s, out->ids, &out->n, e);

    if (rc == RC_DENIED || rc == RC_NOT_FOUND || rc == RC_INVALID) {
        out->n = -1; /* the key may not read docks: all warehouses count */
        rc = RC_OK;
    }
    if (rc != RC_OK)
        return rc;
    (void)str_copy(out->account, sizeof(out->account), s->account);
    (void)str_copy(out->sales_channel, sizeof(out->sales_channel), s->sales_channel);
    out->read_us = clock_mono_us();
    pthread_mutex_lock(&cache_lock);
    cache[cache_next] = *out;
    cache_next = (cache_next + 1) % CACHE_ROWS;
    pthread_mutex_unlock(&cache_lock);
    return RC_OK;
}

static int feed_balance(const struct publish_sku *sku, struct stock_balance *one)
{
    *one = (struct stock_balance){ .warehouse_id = "feed" };
    if (sku->feed_quantity >= 0)
        one->total = sku->feed_available ? sku->feed_quantity : 0;
    else
        one->unlimited =
            sku->feed_available; /* a feed without quantities only says that there is some */
    return 1;
}

static enum rc apply_stock(struct publish *p, struct publish_sku *sku,
                           const struct stock_source *source, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    struct stock_result result = { 0 };
    int64_t pending = 0;
    enum rc rc = job_tx_begin(p->ctx, "pending_units", &tx, e);

    if (rc == RC_OK)
        rc = db_order_pending_units(tx, p->shop.shop_id, sku->tiktok_sku_id, sku->seller_sku,
                                    &pending, e);
    if (rc == RC_OK)
        rc = stock_rule_apply(sku->stock_policy, source, pending, &result, e);
    if (rc != RC_OK)
        return rc;
    sku->stock = result.quantity;
    sku->stock_inputs = result.inputs;
    if (sku->stock_policy->warehouses == NULL)
        return RC_OK;
    sku->by_warehouse =
        stock_rule_share(sku->stock_policy, source, sku->stock_policy->warehouses, sku->stock);
    return sku->by_warehouse != NULL ? RC_OK : err_set(e, RC_DOWN, "out of memory");
}

/* Ids of the VTEX warehouses that count: those that are mapped to TikTok warehouses, else the client's, else those of the
 * trade policy. -1 = all. */
static int counting_ids(const struct publish *p, const struct publish_sku *sku,
                        const struct policy_warehouses *reach, const char **out)
{
    const char *id;
    json_t *list;
    int n = 0;

    json_object_foreach((json_t *)sku->stock_policy->warehouses, id, list)
    {
        for (size_t i = 0; i < json_array_size(list) && n < VTEX_BALANCES_MAX; i++)
            out[n++] = json_string_value(json_array_get(list, i));
    }
    if (sku->stock_policy->warehouses != NULL)
        return n;
    for (int i = 0; i < p->client.n_vtex_warehouse_ids; i++)
        out[n++] = p->client.vtex_warehouse_ids[i];
    if (n > 0)
        return n;
    for (int i = 0; i < reach->n; i++)
        out[n++] = reach->ids[i];
    return reach->n < 0 ? -1 : n;
}

static enum rc stock_of_vtex(struct publish *p, struct publish_sku *sku,
                             const struct vtex_side *side, struct err *e)
{
    struct vtex_balance read[VTEX_BALANCES_MAX];
    struct stock_balance balances[VTEX_BALANCES_MAX];
    const char *counting[VTEX_BALANCES_MAX];
    struct stock_source source = { .name = "vtex",
                                   .call = "getInventoryBySku",
                                   .at_us = clock_now_us(),
                                   .balances = balances,
                                   .counting = counting,
                                   .not_sellable = !side->sellable };
    bool by_policy = sku->stock_policy->warehouses == NULL && p->client.n_vtex_warehouse_ids == 0;
    enum rc rc = RC_OK;
    struct policy_warehouses *reach = calloc(1, sizeof(*reach));
    int n = 0;

    if (reach == NULL)
        return err_set(e, RC_BUG, "out of memory");
    if (side->known)
        rc = vtex_inventory(&p->vtex, sku->vtex_sku_id, read, &n, e);
    if (rc == RC_OK && by_policy && side->known)
        rc = policy_warehouses(&p->vtex, reach, e);
    if (rc == RC_OK) {
        for (int i = 0; i < n; i++)
            balances[i] = (struct stock_balance){ .warehouse_id = read[i].warehouse_id,
                                                  .total = read[i].total,
                                                  .reserved = read[i].reserved,
                                                  .unlimited = read[i].unlimited };
        source.n_balances = n;
        source.n_counting = counting_ids(p, sku, reach, counting);
        rc = apply_stock(p, sku, &source, e);
    }
    free(reach);
    return rc;
}

static enum rc stock_of_feed(struct publish *p, struct publish_sku *sku,
                             const struct vtex_side *side, bool from_vtex, struct err *e)
{
    struct stock_balance one;
    const struct stock_source source = { .name = "feed",
                                         .at_us = clock_now_us(),
                                         .balances = &one,
                                         .n_balances = feed_balance(sku, &one),
                                         .n_counting = -1,
                                         .not_sellable = from_vtex && !side->sellable };

    return apply_stock(p, sku, &source, e);
}

/* Nothing is sold of a SKU that left the feed. */
static enum rc stock_of_gone(struct publish *p, struct publish_sku *sku, struct err *e)
{
    const struct stock_balance none = { .warehouse_id = "feed" };
    const struct stock_source source = { .name = "feed",
                                         .at_us = clock_now_us(),
                                         .balances = &none,
                                         .n_balances = 1,
                                         .n_counting = -1 };

    return apply_stock(p, sku, &source, e);
}

enum rc publish_stock_value(struct publish *p, struct publish_sku *sku,
                            const struct vtex_side *side, struct err *e)
{
    bool price_vtex = p->vtex_open && sku->price_policy->from_vtex;

    if (sku->gone)
        return stock_of_gone(p, sku, e);
    return p->vtex_open && sku->stock_policy->from_vtex
               ? stock_of_vtex(p, sku, side, e)
               : stock_of_feed(p, sku, side, price_vtex, e);
}
