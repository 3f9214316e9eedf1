/* product_values.c - price and stock of each SKU: from VTEX or the feed, through the merchant's rules. */
#include "product_values.h"

#include <string.h>

#include "clock.h"
#include "money.h"
#include "price_rule.h"
#include "problem.h"
#include "product_send.h"
#include "rule_trace.h"
#include "single.h"
#include "str.h"

#define FRESH_US (2 * US_PER_S) /* values that are older are read again before they are sent */

/* ---- reading the sources ----------------------------------------------------------------------- */

static void note_sku(struct publish_sku *sku, const char *code, const char *action,
                     const char *message)
{
    if (sku->problem == NULL)
        sku->problem = problem_new(code, sku->seller_sku, action, message);
}

/* Price per unit that is sold; RC_NOT_FOUND: none. */
static enum rc ask_price(struct publish *p, const struct publish_sku *sku, struct vtex_side *side,
                         int64_t multiplier_micro, int64_t *valid_us, struct err *e)
{
    int64_t minor = 0;
    enum rc rc;

    side->call = "getComputedPrice";
    if (sku->price_policy->simulated) {
        side->call = "simulateCart";
        rc = vtex_simulated_price(&p->vtex, sku->vtex_sku_id, &side->price_minor, valid_us, e);
        if (rc != RC_NOT_FOUND && rc != RC_INVALID)
            return rc;
        side->call = "getComputedPrice"; /* not to be bought just now: its price still is known */
    }
    rc = vtex_computed_price(&p->vtex, sku->vtex_sku_id, &minor, valid_us, e);
    /* minor < 1e12 and the multiplier < 1e12 / 1e6: split so that the product stays in 64 bits */
    if (rc == RC_OK)
        side->price_minor = minor * (multiplier_micro / 1000000) +
                            (minor * (multiplier_micro % 1000000) + 500000) / 1000000;
    return rc;
}

static enum rc read_price(struct publish *p, struct publish_sku *sku, int64_t multiplier_micro,
                          struct vtex_side *side, struct err *e)
{
    int64_t valid_us = 0;
    enum rc rc = ask_price(p, sku, side, multiplier_micro, &valid_us, e);

    side->at_us = clock_now_us();
    if (valid_us > side->at_us && (sku->again_us == 0 || valid_us < sku->again_us))
        sku->again_us = valid_us;
    if (rc == RC_NOT_FOUND || rc == RC_INVALID) {
        side->sellable = false;
        note_sku(sku, "no_price", "Give the SKU a price in the trade policy in VTEX.",
                 "VTEX has no price for the SKU in the trade policy, so its stock is 0.");
        return RC_OK;
    }
    return rc;
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
    side->sellable = context.sellable && !sku->off;
    if (!side->sellable)
        note_sku(sku, "not_in_trade_policy", "Activate the SKU in VTEX for the trade policy.",
                 "The SKU is not active in the trade policy in VTEX, so its stock is 0.");
    return sku->price_policy->from_vtex && sku->price_wanted
               ? read_price(p, sku, context.multiplier_micro, side, e)
               : RC_OK;
}

/* ---- rules ------------------------------------------------------------------------------------- */

/* What a person holds stands in for the result of the rules; it was asked for, so no jump guard looks at it. */
static int64_t read_at(const struct vtex_side *side)
{
    return side->at_us > 0 ? side->at_us : clock_now_us();
}

static enum rc hold_price(struct publish *p, struct publish_sku *sku, int64_t source_minor,
                          const struct vtex_side *side, const char *source, bool *held,
                          struct err *e)
{
    struct price_result clean = { 0 };
    char before[MONEY_TEXT_BYTES];
    char after[MONEY_TEXT_BYTES];
    int64_t minor;
    enum rc rc;

    *held = false;
    if (!publish_has_override(p, sku->seller_sku, "price"))
        return RC_OK;
    rc = price_rule_apply(sku->price_policy, source_minor, source, read_at(side), 0, &clean, e);
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

/* Through the rules; what a person approved passes the jump guard. */
static enum rc rule_price(const struct publish_sku *sku, int64_t source,
                          const struct vtex_side *side, const char *name, struct price_result *out,
                          struct err *e)
{
    enum rc rc = price_rule_apply(sku->price_policy, source, name, read_at(side),
                                  sku->price_published_minor, out, e);

    if (rc != RC_OK || !out->held || out->wanted_minor != sku->price_approved_minor)
        return rc;
    price_result_done(out);
    return price_rule_apply(sku->price_policy, source, name, read_at(side), 0, out, e);
}

/* The price cannot be shown on TikTok, and the one that stands there is not the merchant's any more. */
static void not_for_sale(struct publish_sku *sku, struct vtex_side *side)
{
    sku->listed = sku->tiktok_sku_id[0] != '\0';
    side->sellable = false;
    sku->unpriced = true;
}

static void take_result(struct publish_sku *sku, const struct price_result *result)
{
    sku->price_minor = result->minor;
    if (!result->held)
        return;
    sku->price_held_minor = result->wanted_minor;
    note_sku(sku, "price_held", "Check the new price; approve it, or raise the limit.",
             "The price changed by more than the client allows and is held back.");
}

static enum rc set_price(struct publish *p, struct publish_sku *sku, struct vtex_side *side,
                         bool from_vtex, struct err *e)
{
    bool vtex_price = from_vtex && side->price_minor > 0;
    int64_t source = vtex_price ? side->price_minor : sku->feed_price_minor;
    const char *name = vtex_price ? side->call : "feed";
    struct price_result result = { 0 };
    bool held = false;
    enum rc rc;

    /* The feed's price only stands in where TikTok needs one to list the SKU, with stock 0. */
    if (from_vtex && !vtex_price && sku->price_published_minor > 0) {
        sku->price_minor = sku->price_published_minor;
        return RC_OK;
    }
    if (source <= 0) {
        not_for_sale(sku, side);
        note_sku(sku, "no_price", "Add the price to the feed.", "The SKU has no price.");
        return RC_OK;
    }
    rc = hold_price(p, sku, source, side, vtex_price ? "vtex" : "feed", &held, e);
    if (rc != RC_OK || held)
        return rc;
    rc = rule_price(sku, source, side, vtex_price ? "vtex" : "feed", &result, e);
    if (rc != RC_OK && rc != RC_INVALID)
        return rc;
    sku->price_inputs = result.inputs;
    rule_trace_call(result.inputs, name);
    if (rc == RC_INVALID) {
        not_for_sale(sku, side);
        note_sku(sku, "price_range", "Check the price and the client's price rules.",
                 "The price is outside the 0.50 to 10,000.00 that TikTok allows in Brazil.");
        return RC_OK;
    }
    take_result(sku, &result);
    return RC_OK;
}

/* The SKU can be sold or not by another reason than before: then its stock is another one too. */
static bool stock_follows(const struct publish_sku *sku, const struct vtex_side *side, bool vtex)
{
    return sku->stock_wanted || sku->troubled || sku->unpriced || (vtex && !side->sellable);
}

enum rc publish_sku_values(struct publish *p, struct publish_sku *sku, struct err *e)
{
    bool price_vtex, stock_vtex;
    struct vtex_side side = { 0 };
    enum rc rc = RC_OK;

    publish_sku_rules(p, sku);
    price_vtex = p->vtex_open && sku->price_policy->from_vtex;
    stock_vtex = p->vtex_open && sku->stock_policy->from_vtex;
    sku->price_wanted = sku->price_wanted || sku->troubled;
    if ((price_vtex || stock_vtex) && !sku->gone)
        rc = read_vtex(p, sku, &side, e);
    if (rc == RC_OK && sku->price_wanted && !sku->gone)
        rc = set_price(p, sku, &side, price_vtex, e);
    if (rc != RC_OK || !stock_follows(sku, &side, price_vtex || stock_vtex))
        return rc;
    return publish_stock_value(p, sku, &side, e);
}

/* ---- nobody sends an older value after a newer one ---------------------------------------------- */

int values_hold(const char *shop_id, const char *source_id)
{
    char what[104];

    str_copy_cut(what, sizeof(what), "v:");
    str_copy_cut(what + 2, sizeof(what) - 2, source_id);
    return single_take(shop_id, what);
}

static void forget_values(struct publish_sku *sku)
{
    json_decref(sku->price_inputs);
    json_decref(sku->stock_inputs);
    json_decref(sku->problem);
    json_decref(sku->by_warehouse);
    sku->price_inputs = sku->stock_inputs = sku->problem = sku->by_warehouse = NULL;
    sku->price_held_minor = 0;
    sku->unpriced = false;
}

/* The rows as they are now, with what others had acknowledged meanwhile. */
static enum rc load_rows(struct publish *p, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    struct product now = { 0 };
    enum rc rc = job_tx_begin(p->ctx, "values_again", &tx, e);

    if (rc == RC_OK)
        rc = db_product_get(tx, p->shop.shop_id, p->product.source_id, &now, e);
    if (rc != RC_OK)
        return rc;
    for (int i = 0; i < p->product.n_skus; i++)
        json_decref(p->product.skus[i].warehouses);
    free(p->product.skus);
    p->product.skus = now.skus;
    p->product.n_skus = now.n_skus;
    p->product.values_version = now.values_version;
    (void)str_copy(p->product.status, sizeof(p->product.status), now.status);
    now.skus = NULL;
    now.n_skus = 0;
    db_product_done(&now);
    return RC_OK;
}

static enum rc values_again(struct publish *p, struct err *e)
{
    enum rc rc = load_rows(p, e);

    p->values_us = clock_mono_us();
    for (int i = 0; rc == RC_OK && i < p->n_skus; i++) {
        struct publish_sku *sku = &p->skus[i];

        if (sku->seller_sku[0] == '\0' || sku->tiktok_sku_id[0] == '\0')
            continue;
        forget_values(sku);
        for (int k = 0; k < p->product.n_skus; k++)
            if (str_eq(p->product.skus[k].seller_sku, sku->seller_sku))
                publish_sku_row(sku, &p->product.skus[k]);
        rc = publish_sku_values(p, sku, e);
    }
    return rc;
}

static enum rc someone_was_faster(const struct publish *p, bool *newer, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    int64_t version = 0;
    enum rc rc = job_tx_begin(p->ctx, "values_version", &tx, e);

    if (rc == RC_OK)
        rc = db_value_version(tx, p->shop.shop_id, p->product.source_id, &version, e);
    if (rc == RC_OK)
        *newer = version != p->product.values_version;
    return rc;
}

enum rc publish_send_fresh(struct publish *p, bool *changed, struct err *e)
{
    bool newer = clock_mono_us() - p->values_us > FRESH_US;
    enum rc rc = RC_OK;
    int held;

    if (!str_eq(p->product.status, "live"))
        return RC_OK; /* TikTok takes prices and stock of live products only; the audit asks again */
    held = values_hold(p->shop.shop_id, p->product.source_id);
    if (!newer)
        rc = someone_was_faster(p, &newer, e);
    if (rc == RC_OK && newer)
        rc = values_again(p, e);
    if (rc == RC_OK)
        rc = publish_update_values(p, changed, e);
    single_give(held);
    return rc;
}

enum rc publish_send_values(struct publish *p, struct err *e)
{
    bool changed = false;

    return p->values_known ? publish_send_fresh(p, &changed, e) : RC_OK;
}

enum rc publish_values(struct publish *p, struct err *e)
{
    int listed = 0;

    p->values_us = clock_mono_us();
    for (int i = 0; i < p->n_skus; i++) {
        struct publish_sku *sku = &p->skus[i];
        enum rc rc = sku->seller_sku[0] != '\0' ? publish_sku_values(p, sku, e) : RC_OK;

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
