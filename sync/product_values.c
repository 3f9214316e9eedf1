/* product_values.c - price and stock of each SKU: from VTEX or the feed, through the merchant's rules. */
#include "product_job.h"

#include <pthread.h>
#include <string.h>

#include "clock.h"
#include "db_order.h"
#include "money.h"
#include "price_rule.h"
#include "problem.h"
#include "rule_trace.h"
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

/* ---- reading the sources ----------------------------------------------------------------------- */

/* What VTEX says of one SKU. */
struct vtex_side {
    bool known;    /* the SKU exists there */
    bool sellable; /* active, in the trade policy, with a price where prices come from VTEX */
    int64_t price_minor;
};

static void note_sku(struct publish_sku *sku, const char *code, const char *action,
                     const char *message)
{
    if (sku->problem == NULL)
        sku->problem = problem_new(code, sku->seller_sku, action, message);
}

static enum rc read_price(struct publish *p, struct publish_sku *sku, int64_t multiplier_micro,
                          struct vtex_side *side, struct err *e)
{
    int64_t minor;
    enum rc rc = vtex_computed_price(&p->vtex, sku->vtex_sku_id, &minor, e);

    if (rc == RC_NOT_FOUND || rc == RC_INVALID) {
        side->sellable = false;
        note_sku(sku, "no_price", "Give the SKU a price in the trade policy in VTEX.",
                 "VTEX has no price for the SKU in the trade policy, so its stock is 0.");
        return RC_OK;
    }
    if (rc != RC_OK)
        return rc;
    /* minor < 1e12 and the multiplier < 1e12 / 1e6: split so that the product stays in 64 bits */
    side->price_minor = minor * (multiplier_micro / 1000000) +
                        (minor * (multiplier_micro % 1000000) + 500000) / 1000000;
    return RC_OK;
}

static enum rc read_vtex(struct publish *p, struct publish_sku *sku, struct vtex_side *side,
                         struct err *e)
{
    struct vtex_sku context = { 0 };
    enum rc rc;

    *side = (struct vtex_side){ 0 };
    if (sku->vtex_sku_id[0] == '\0') {
        note_sku(sku, "vtex_sku_unknown",
                 "Change the client's SKU rule so that it gives VTEX SKU ids.",
                 "The SKU code is no VTEX SKU id, so its stock is 0.");
        return RC_OK;
    }
    rc = vtex_sku_context(&p->vtex, sku->vtex_sku_id, &context, e);
    if (rc == RC_NOT_FOUND || rc == RC_INVALID) {
        note_sku(sku, "vtex_sku_unknown", "Correct the code in the feed or the client's SKU rule.",
                 "VTEX does not know the SKU, so its stock is 0.");
        return RC_OK;
    }
    if (rc != RC_OK)
        return rc;
    side->known = true;
    side->sellable = context.sellable;
    if (!context.sellable)
        note_sku(sku, "not_in_trade_policy", "Activate the SKU in VTEX for the trade policy.",
                 "The SKU is not active in the trade policy in VTEX, so its stock is 0.");
    return p->client.price.from_vtex ? read_price(p, sku, context.multiplier_micro, side, e)
                                     : RC_OK;
}

/* ---- rules ------------------------------------------------------------------------------------- */

/* What a person holds stands in for the result of the rules; it was asked for, so no jump guard looks at it. */
static enum rc hold_price(struct publish *p, struct publish_sku *sku, int64_t source_minor,
                          const char *source, bool *held, struct err *e)
{
    struct price_result clean = { 0 };
    char before[MONEY_TEXT_BYTES];
    char after[MONEY_TEXT_BYTES];
    int64_t minor;
    enum rc rc;

    *held = false;
    if (!publish_has_override(p, sku->seller_sku, "price"))
        return RC_OK;
    rc = price_rule_apply(&p->client.price, source_minor, source, clock_now_us(), 0, &clean, e);
    minor = rc == RC_OK || rc == RC_INVALID
                ? publish_override_price(p, sku->seller_sku, clean.minor)
                : 0;
    if (minor <= 0) {
        price_result_done(&clean);
        return rc == RC_INVALID ? RC_OK : rc;
    }
    money_write(clean.minor, before);
    money_write(minor, after);
    rule_trace_step(json_object_get(clean.inputs, "rules"),
                    publish_override_rule(p, sku->seller_sku, "price"), before, after);
    (void)json_object_set_new(clean.inputs, "result", json_string(after)); /* for people only */
    sku->price_inputs = clean.inputs;
    sku->price_minor = minor;
    *held = true;
    return RC_OK;
}

static enum rc set_price(struct publish *p, struct publish_sku *sku, const struct vtex_side *side,
                         bool from_vtex, struct err *e)
{
    bool vtex_price = from_vtex && side->price_minor > 0;
    int64_t source = vtex_price ? side->price_minor : sku->feed_price_minor;
    struct price_result result = { 0 };
    bool held = false;
    enum rc rc;

    /* The feed's price only stands in where TikTok needs one to list the SKU, with stock 0. */
    if (from_vtex && !vtex_price && sku->price_published_minor > 0) {
        sku->price_minor = sku->price_published_minor;
        return RC_OK;
    }
    if (source <= 0) {
        sku->listed = sku->tiktok_sku_id[0] != '\0';
        note_sku(sku, "no_price", "Add the price to the feed.", "The SKU has no price.");
        return RC_OK;
    }
    rc = hold_price(p, sku, source, vtex_price ? "vtex" : "feed", &held, e);
    if (rc != RC_OK || held)
        return rc;
    rc = price_rule_apply(&p->client.price, source, vtex_price ? "vtex" : "feed", clock_now_us(),
                          sku->price_published_minor, &result, e);
    if (rc != RC_OK && rc != RC_INVALID)
        return rc;
    sku->price_inputs = result.inputs;
    if (rc == RC_INVALID) {
        sku->listed = sku->tiktok_sku_id[0] != '\0';
        note_sku(sku, "price_range", "Check the price and the client's price rules.",
                 "The price is outside the 0.50 to 10,000.00 that TikTok allows in Brazil.");
        return RC_OK;
    }
    sku->price_minor = result.minor;
    if (result.held)
        note_sku(sku, "price_held", "Check the new price; raise the limit or publish it by hand.",
                 "The price changed by more than the client allows and is held back.");
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
        rc = stock_rule_apply(&p->client.stock, source, pending, &result, e);
    if (rc != RC_OK)
        return rc;
    sku->stock = result.quantity;
    sku->stock_inputs = result.inputs;
    return RC_OK;
}

static enum rc stock_of_vtex(struct publish *p, struct publish_sku *sku,
                             const struct vtex_side *side, struct err *e)
{
    struct vtex_balance read[VTEX_BALANCES_MAX];
    struct stock_balance balances[VTEX_BALANCES_MAX];
    const char *counting[VTEX_BALANCES_MAX];
    struct stock_source source = { .name = "vtex",
                                   .at_us = clock_now_us(),
                                   .balances = balances,
                                   .counting = counting,
                                   .not_sellable = !side->sellable };
    enum rc rc = RC_OK;
    struct policy_warehouses *reach = calloc(1, sizeof(*reach));
    int n = 0;

    if (reach == NULL)
        return err_set(e, RC_BUG, "out of memory");
    if (side->known)
        rc = vtex_inventory(&p->vtex, sku->vtex_sku_id, read, &n, e);
    if (rc == RC_OK && p->client.n_vtex_warehouse_ids == 0 && side->known)
        rc = policy_warehouses(&p->vtex, reach, e);
    if (rc == RC_OK) {
        for (int i = 0; i < n; i++)
            balances[i] = (struct stock_balance){ .warehouse_id = read[i].warehouse_id,
                                                  .total = read[i].total,
                                                  .reserved = read[i].reserved,
                                                  .unlimited = read[i].unlimited };
        source.n_balances = n;
        source.n_counting =
            p->client.n_vtex_warehouse_ids > 0 ? p->client.n_vtex_warehouse_ids : reach->n;
        for (int i = 0; i < source.n_counting; i++)
            counting[i] = p->client.n_vtex_warehouse_ids > 0 ? p->client.vtex_warehouse_ids[i]
                                                             : reach->ids[i];
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

static enum rc sku_values(struct publish *p, struct publish_sku *sku, struct err *e)
{
    bool price_vtex = p->vtex_open && p->client.price.from_vtex;
    bool stock_vtex = p->vtex_open && p->client.stock.from_vtex;
    struct vtex_side side = { 0 };
    enum rc rc = RC_OK;

    if (price_vtex || stock_vtex)
        rc = read_vtex(p, sku, &side, e);
    if (rc == RC_OK)
        rc = set_price(p, sku, &side, price_vtex, e);
    if (rc != RC_OK)
        return rc;
    return stock_vtex ? stock_of_vtex(p, sku, &side, e)
                      : stock_of_feed(p, sku, &side, price_vtex, e);
}

enum rc publish_values(struct publish *p, struct err *e)
{
    int listed = 0;

    for (int i = 0; i < p->n_skus; i++) {
        struct publish_sku *sku = &p->skus[i];
        enum rc rc = sku->seller_sku[0] != '\0' ? sku_values(p, sku, e) : RC_OK;

        if (rc != RC_OK)
            return rc;
        if (sku->seller_sku[0] == '\0')
            sku->listed = false;
        listed += sku->listed;
    }
    if (listed > 0)
        return RC_OK;

    const char *why =
        p->n_skus > 0 ? json_string_value(json_object_get(p->skus[0].problem, "message")) : NULL;
    const char *code =
        p->n_skus > 0 ? json_string_value(json_object_get(p->skus[0].problem, "code")) : NULL;

    problem_add(p->problems, code ? code : "no_sellable_sku", "skus",
                "Correct price and code of the variants.",
                "No variant of the product can be sold. %s", why ? why : "");
    return RC_OK;
}
