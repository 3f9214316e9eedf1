/* stock_rule.h - the merchant's stock rules, applied in their fixed order; pure. */
#ifndef SYNC_STOCK_RULE_H
#define SYNC_STOCK_RULE_H

#include "db_account.h"

#define STOCK_MAX INT64_C(99999) /* TikTok's limit of one quantity */

struct stock_balance {
    const char *warehouse_id;
    int64_t total, reserved;
    bool unlimited;
};

struct stock_source {
    const char *name; /* "vtex", "feed" */
    const char *call; /* operation that gave the balances; NULL = none */
    int64_t at_us;
    const struct stock_balance *balances;
    int n_balances;
    const char *const *counting; /* warehouse ids that count; n_counting < 0: all */
    int n_counting;
    bool not_sellable; /* no price or not in the trade policy: 0, whatever is in stock */
};

struct stock_result {
    int64_t quantity;
    json_t *inputs; /* as in price_rule.h; owned */
};

/* Order: per warehouse max(0, total - reserved) or unlimited_as, sum over the warehouses that count, minus
 * pending units, percent rounded down, minus reserve, maximum, not below 0. Free with stock_result_done. */
enum rc stock_rule_apply(const struct policy_stock *policy, const struct stock_source *source,
                         int64_t pending_units, struct stock_result *out, struct err *e);
void stock_result_done(struct stock_result *r);
/* Shares a quantity out to TikTok warehouses: map is {"<TikTok id>": ["<VTEX id>", ...]}; each gets at most what its own
 * VTEX warehouses have, in their order, so that the sum is the quantity. New reference {"<TikTok id>": units}; NULL when
 * out of memory. */
json_t *stock_rule_share(const struct policy_stock *policy, const struct stock_source *source,
                         const json_t *map, int64_t quantity);

#endif
