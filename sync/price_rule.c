/* price_rule.c - turns a source price into the price to publish and remembers each step. */
#include "price_rule.h"

#include <stdlib.h>

#include "clock.h"
#include "money.h"
#include "rule_trace.h"
#include "str.h"

#define LIMIT_PERCENT_HUNDREDTHS INT64_C(1000000)

static void step(json_t *rules, const char *name, int64_t *value, int64_t after)
{
    char before_text[MONEY_TEXT_BYTES];
    char after_text[MONEY_TEXT_BYTES];

    if (after == *value)
        return; /* a rule that changes nothing explains nothing */
    money_write(*value, before_text);
    money_write(after, after_text);
    rule_trace_step(rules, name, before_text, after_text);
    *value = after;
}

/* More than `percent` away from what is published, up or down. */
static bool jumps(int64_t minor, int64_t published_minor, const char *percent)
{
    int64_t hundredths;

    if (published_minor <= 0 || str_blank(percent) ||
        money_decimal_read(percent, &hundredths, NULL) != RC_OK || hundredths < 0 ||
        hundredths > LIMIT_PERCENT_HUNDREDTHS)
        return false;

    int64_t away = minor > published_minor ? minor - published_minor : published_minor - minor;

    return away * 10000 > published_minor * hundredths;
}

/* The steps are shown in whole cents; what is published is rounded once, from the exact amount. */
static enum rc run_rules(const struct policy_price *policy, int64_t *value, json_t *rules,
                         struct err *e)
{
    int64_t marked = *value;
    int64_t rounded = *value;
    enum rc rc = money_marked_up(*value, policy->markup_percent, policy->add_minor,
                                 policy->round_to_minor, &rounded, e);

    if (rc == RC_OK)
        rc = money_marked_up(*value, policy->markup_percent, 0, 1, &marked, e);
    if (rc != RC_OK)
        return rc;
    step(rules, "markup_percent", value, marked);
    step(rules, "add_amount", value, *value + policy->add_minor);
    step(rules, "round_to", value, rounded);
    if (*value < policy->minimum_minor)
        step(rules, "minimum", value, policy->minimum_minor);
    if (policy->maximum_minor > 0 && *value > policy->maximum_minor)
        step(rules, "maximum", value, policy->maximum_minor);
    return RC_OK;
}

enum rc price_rule_apply(const struct policy_price *policy, int64_t source_minor,
                         const char *source, int64_t at_us, int64_t published_minor,
                         struct price_result *out, struct err *e)
{
    char text[MONEY_TEXT_BYTES];
    json_t *trace = rule_trace_new();
    json_t *rules = json_object_get(trace, "rules");
    int64_t value = source_minor;
    int64_t wanted;
    bool held = false;

    if (trace == NULL)
        return err_set(e, RC_BUG, "out of memory");
    money_write(source_minor, text);
    rule_trace_input(trace, "price", text, at_us, source);
    enum rc rc = run_rules(policy, &value, rules, e);

    if (rc != RC_OK) {
        json_decref(trace);
        return rc;
    }
    wanted = value;
    if (jumps(value, published_minor, policy->hold_change_above_percent)) {
        step(rules, "hold_change_above_percent", &value, published_minor);
        held = true;
    }
    money_write(value, text);
    (void)json_object_set_new(trace, "result", json_string(text)); /* only for people to read */
    *out = (struct price_result){
        .minor = value, .wanted_minor = wanted, .held = held, .inputs = trace
    };
    if (value < PRICE_MIN_MINOR || value > PRICE_MAX_MINOR)
        return err_code(e, RC_INVALID, "price_range",
                        "the price %s is outside the 0.50 to 10,000.00 that TikTok allows", text);
    return RC_OK;
}

bool price_rule_allows(const struct policy_price *policy, int64_t minor)
{
    return minor >= PRICE_MIN_MINOR && minor <= PRICE_MAX_MINOR && minor >= policy->minimum_minor &&
           (policy->maximum_minor <= 0 || minor <= policy->maximum_minor);
}

void price_result_done(struct price_result *r)
{
    json_decref(r->inputs);
    *r = (struct price_result){ 0 };
}
