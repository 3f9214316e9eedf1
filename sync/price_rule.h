/* price_rule.h - the merchant's price rules, applied in their fixed order; pure. */
#ifndef SYNC_PRICE_RULE_H
#define SYNC_PRICE_RULE_H

#include "db_account.h"

/* Brazil's allowed display price. */
#define PRICE_MIN_MINOR INT64_C(50)
#define PRICE_MAX_MINOR INT64_C(1000000)

struct price_result {
    int64_t minor;
    int64_t wanted_minor; /* before the jump guard */
    bool held;            /* the jump guard kept the published price */
    json_t *
        inputs; /* {"inputs": [{name, value, at, source}], "rules": [{name, before, after}], "result"}; owned */
};

/* source_minor > 0 from `source` ("vtex", "feed") read at at_us; published_minor 0 = never published.
 * Order: source, markup, amount, rounding, minimum, maximum, jump guard. RC_INVALID (code "price_range") when the
 * result lies outside what TikTok allows; *out is filled then too. Free with price_result_done. */
enum rc price_rule_apply(const struct policy_price *policy, int64_t source_minor,
                         const char *source, int64_t at_us, int64_t published_minor,
                         struct price_result *out, struct err *e);
/* Within the client's minimum and maximum and TikTok's limits. */
bool price_rule_allows(const struct policy_price *policy, int64_t minor);
void price_result_done(struct price_result *r);

#endif
