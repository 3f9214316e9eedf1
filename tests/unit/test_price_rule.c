/* test_price_rule.c - price and stock rules in their fixed order, and what they leave behind to explain them. */
#include "check.h"

#include "../../sync/price_rule.h"
#include "../../sync/stock_rule.h"
#include "jspec.h"

static const struct policy_price PLAIN = { .markup_percent = "0",
                                           .round_to_minor = 1,
                                           .minimum_minor = 50 };

static const struct {
    const char *what;
    struct policy_price policy;
    int64_t source, published, want;
    bool held;
    enum rc rc;
} PRICES[] = {
    { "as it is", { .round_to_minor = 1 }, 12990, 0, 12990, false, RC_OK },
    { "markup half up",
      { .markup_percent = "12.5", .round_to_minor = 1 },
      999,
      0,
      1124,
      false,
      RC_OK },
    { "negative markup",
      { .markup_percent = "-10", .round_to_minor = 1 },
      1000,
      0,
      900,
      false,
      RC_OK },
    { "markup before amount",
      { .markup_percent = "10", .add_minor = 100, .round_to_minor = 1 },
      1000,
      0,
      1200,
      false,
      RC_OK },
    { "amount before rounding",
      { .add_minor = 4, .round_to_minor = 10 },
      1001,
      0,
      1010,
      false,
      RC_OK },
    { "half a step goes up", { .round_to_minor = 10 }, 1005, 0, 1010, false, RC_OK },
    { "rounding before minimum",
      { .round_to_minor = 100, .minimum_minor = 1990 },
      1949,
      0,
      1990,
      false,
      RC_OK },
    { "minimum before maximum",
      { .minimum_minor = 5000, .maximum_minor = 3000, .round_to_minor = 1 },
      100,
      0,
      3000,
      false,
      RC_OK },
    { "jump up is held",
      { .round_to_minor = 1, .hold_change_above_percent = "30" },
      13001,
      10000,
      10000,
      true,
      RC_OK },
    { "jump to the limit is not",
      { .round_to_minor = 1, .hold_change_above_percent = "30" },
      13000,
      10000,
      13000,
      false,
      RC_OK },
    { "jump down is held",
      { .round_to_minor = 1, .hold_change_above_percent = "30" },
      6999,
      10000,
      10000,
      true,
      RC_OK },
    { "first price cannot jump",
      { .round_to_minor = 1, .hold_change_above_percent = "30" },
      99900,
      0,
      99900,
      false,
      RC_OK },
    { "below the band", { .round_to_minor = 1 }, 49, 0, 49, false, RC_INVALID },
    { "above the band", { .round_to_minor = 1 }, 1000001, 0, 1000001, false, RC_INVALID },
    { "top of the band", { .round_to_minor = 1 }, 1000000, 0, 1000000, false, RC_OK },
};

static void prices(void)
{
    for (size_t i = 0; i < sizeof(PRICES) / sizeof(PRICES[0]); i++) {
        struct price_result got = { 0 };
        struct err e = { 0 };
        enum rc rc = price_rule_apply(&PRICES[i].policy, PRICES[i].source, "vtex", 1,
                                      PRICES[i].published, &got, &e);

        CHECK(rc == PRICES[i].rc, "%s: %s", PRICES[i].what, e.text);
        CHECK(got.minor == PRICES[i].want, "%s: %lld", PRICES[i].what, (long long)got.minor);
        CHECK(got.held == PRICES[i].held, "%s", PRICES[i].what);
        price_result_done(&got);
    }
}

static void price_is_explained(void)
{
    struct policy_price policy = PLAIN;
    struct price_result got = { 0 };

    (void)snprintf(policy.markup_percent, sizeof(policy.markup_percent), "10");
    CHECK(price_rule_apply(&policy, 6990, "vtex", 1780000000000000, 0, &got, NULL) == RC_OK);
    CHECK_STR(jspec_text(json_array_get(json_object_get(got.inputs, "inputs"), 0), "value"),
              "69.90");
    CHECK_STR(jspec_text(json_array_get(json_object_get(got.inputs, "inputs"), 0), "source"),
              "vtex");
    CHECK_STR(jspec_text(json_array_get(json_object_get(got.inputs, "rules"), 0), "name"),
              "markup_percent");
    CHECK_STR(jspec_text(json_array_get(json_object_get(got.inputs, "rules"), 0), "after"),
              "76.89");
    CHECK_STR(jspec_text(got.inputs, "result"), "76.89");
    price_result_done(&got);
}

static const struct stock_balance TWO[] = { { "1_1", 10, 3, false }, { "2_2", 5, 8, false } };
static const struct stock_balance ENDLESS[] = { { "1_1", 0, 0, true }, { "2_2", 4, 0, false } };
static const struct stock_balance HUGE_ONE[] = { { "1_1", INT64_MAX, 0, false } };
static const char *const SECOND[] = { "2_2" };
static const struct {
    const char *what;
    struct policy_stock policy;
    struct stock_source source;
    int64_t pending, want;
} STOCKS[] = {
    { "sum, more reserved than there counts 0",
      { .percent = 100, .maximum = 9999, .unlimited_as = 999 },
      { .name = "vtex", .balances = TWO, .n_balances = 2, .n_counting = -1 },
      0,
      7 },
    { "only warehouses that count",
      { .percent = 100, .maximum = 9999, .unlimited_as = 999 },
      { .name = "vtex", .balances = TWO, .n_balances = 2, .counting = SECOND, .n_counting = 1 },
      0,
      0 },
    { "unlimited",
      { .percent = 100, .maximum = 9999, .unlimited_as = 50 },
      { .name = "vtex", .balances = ENDLESS, .n_balances = 2, .n_counting = -1 },
      0,
      54 },
    { "pending before percent",
      { .percent = 50, .maximum = 9999 },
      { .name = "vtex", .balances = TWO, .n_balances = 2, .n_counting = -1 },
      2,
      2 },
    { "percent before reserve",
      { .percent = 50, .reserve = 1, .maximum = 9999 },
      { .name = "vtex", .balances = TWO, .n_balances = 2, .n_counting = -1 },
      0,
      2 },
    { "reserve before maximum",
      { .percent = 100, .reserve = 1, .maximum = 6 },
      { .name = "vtex", .balances = TWO, .n_balances = 2, .n_counting = -1 },
      0,
      6 },
    { "not below zero",
      { .percent = 100, .reserve = 9, .maximum = 9999 },
      { .name = "vtex", .balances = TWO, .n_balances = 2, .n_counting = -1 },
      0,
      0 },
    { "more pending than there is",
      { .percent = 100, .maximum = 9999 },
      { .name = "vtex", .balances = TWO, .n_balances = 2, .n_counting = -1 },
      99,
      0 },
    { "unknown SKU",
      { .percent = 100, .maximum = 9999 },
      { .name = "vtex", .n_counting = -1 },
      0,
      0 },
    { "not sellable",
      { .percent = 100, .maximum = 9999 },
      { .name = "vtex", .balances = TWO, .n_balances = 2, .n_counting = -1, .not_sellable = true },
      0,
      0 },
    { "platform's maximum",
      { .percent = 100 },
      { .name = "vtex", .balances = HUGE_ONE, .n_balances = 1, .n_counting = -1 },
      0,
      99999 },
};

static void stocks(void)
{
    for (size_t i = 0; i < sizeof(STOCKS) / sizeof(STOCKS[0]); i++) {
        struct stock_result got = { 0 };

        CHECK(stock_rule_apply(&STOCKS[i].policy, &STOCKS[i].source, STOCKS[i].pending, &got,
                               NULL) == RC_OK);
        CHECK(got.quantity == STOCKS[i].want, "%s: %lld", STOCKS[i].what, (long long)got.quantity);
        CHECK_INT(jspec_int(got.inputs, "result", -1), STOCKS[i].want);
        stock_result_done(&got);
    }
}

int main(void)
{
    CASE(prices);
    CASE(price_is_explained);
    CASE(stocks);
    return CHECK_END();
}
