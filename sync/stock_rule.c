/* stock_rule.c - turns balances of warehouses into the quantity to publish and remembers each step. */
#include "stock_rule.h"

#include <inttypes.h>

#include "rule_trace.h"
#include "str.h"

#define LIMIT_UNITS INT64_C(1000000000)

static void step(json_t *rules, const char *name, int64_t *value, int64_t after)
{
    char before_text[32];
    char after_text[32];

    (void)str_fmt(before_text, sizeof(before_text), "%" PRId64, *value);
    (void)str_fmt(after_text, sizeof(after_text), "%" PRId64, after);
    rule_trace_step(rules, name, before_text, after_text);
    *value = after;
}

static bool counts(const struct stock_source *source, const char *warehouse_id)
{
    if (source->n_counting < 0)
        return true;
    for (int i = 0; i < source->n_counting; i++)
        if (str_eq(source->counting[i], warehouse_id))
            return true;
    return false;
}

static int64_t bounded(int64_t units)
{
    return units < 0 ? 0 : units > LIMIT_UNITS ? LIMIT_UNITS : units;
}

static int64_t available(const struct policy_stock *policy, const struct stock_balance *b)
{
    if (b->unlimited)
        return policy->unlimited_as;
    /* reserved may exceed total; both are bounded before the difference is taken */
    return bounded(bounded(b->total) - bounded(b->reserved));
}

static int64_t sum(const struct policy_stock *policy, const struct stock_source *source,
                   json_t *trace)
{
    int64_t units = 0;

    for (int i = 0; i < source->n_balances; i++) {
        const struct stock_balance *b = &source->balances[i];
        char name[96];
        char text[32];
        bool counted = counts(source, b->warehouse_id);

        (void)str_fmt(name, sizeof(name), "%s %s", counted ? "warehouse" : "ignored warehouse",
                      b->warehouse_id);
        (void)str_fmt(text, sizeof(text), "%" PRId64, available(policy, b));
        rule_trace_input(trace, name, text, source->at_us, source->name);
        if (counted)
            units = bounded(units + available(policy, b));
    }
    return units;
}

static void run_rules(const struct policy_stock *policy, int64_t pending, int64_t *value,
                      json_t *rules)
{
    if (pending > 0)
        step(rules, "pending_orders", value, *value - pending);
    if (policy->percent != 100)
        step(rules, "percent", value, bounded(*value) * policy->percent / 100);
    if (policy->reserve > 0)
        step(rules, "reserve", value, *value - policy->reserve);
    if (policy->maximum > 0 && *value > policy->maximum)
        step(rules, "maximum", value, policy->maximum);
    if (*value < 0)
        step(rules, "not_below_zero", value, 0);
    if (*value > STOCK_MAX)
        step(rules, "platform_maximum", value, STOCK_MAX);
}

enum rc stock_rule_apply(const struct policy_stock *policy, const struct stock_source *source,
                         int64_t pending_units, struct stock_result *out, struct err *e)
{
    json_t *trace = rule_trace_new();
    json_t *rules = json_object_get(trace, "rules");
    char text[32];

    if (trace == NULL)
        return err_set(e, RC_BUG, "out of memory");

    int64_t value = sum(policy, source, trace);

    rule_trace_call(trace, source->call);

    (void)str_fmt(text, sizeof(text), "%" PRId64, bounded(pending_units));
    rule_trace_input(trace, "pending_orders", text, 0, "orders");
    run_rules(policy, bounded(pending_units), &value, rules);
    if (source->not_sellable && value > 0)
        step(rules, "not_sellable", &value, 0);
    (void)json_object_set_new(trace, "result", json_integer(value)); /* only for people to read */
    *out = (struct stock_result){ .quantity = value, .inputs = trace };
    return RC_OK;
}

static bool named(const json_t *list, const char *warehouse_id)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (str_eq(json_string_value(json_array_get(list, i)), warehouse_id))
            return true;
    return false;
}

json_t *stock_rule_share(const struct policy_stock *policy, const struct stock_source *source,
                         const json_t *map, int64_t quantity)
{
    json_t *out = json_object();
    int64_t left = quantity;
    const char *id;
    json_t *list;

    json_object_foreach((json_t *)map, id, list)
    {
        int64_t own = 0;

        for (int i = 0; i < source->n_balances; i++)
            if (named(list, source->balances[i].warehouse_id))
                own = bounded(own + available(policy, &source->balances[i]));
        own = own < left ? own : left;
        left -= own;
        if (json_object_set_new(out, id, json_integer(own)) != 0) {
            json_decref(out);
            return NULL;
        }
    }
    return out;
}

void stock_result_done(struct stock_result *r)
{
    json_decref(r->inputs);
    *r = (struct stock_result){ 0 };
}
