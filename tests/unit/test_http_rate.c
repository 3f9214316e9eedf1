/* test_http_rate.c - the share of each token: two seconds' worth at once, then evenly. */
#include "check.h"

#include "../server/http_rate.h"

#define S INT64_C(1000000)

static int allowed(struct http_rate *r, const char *name, int tries, int64_t now_us)
{
    int n = 0;

    for (int i = 0; i < tries; i++)
        n += http_rate_take(r, name, now_us) == 0;
    return n;
}

static void two_seconds_at_once_then_evenly(void)
{
    struct http_rate *r = http_rate_new(10);

    CHECK(r != NULL);
    CHECK_INT(allowed(r, "token:a", 100, 5 * S), 20);
    CHECK_INT(http_rate_take(r, "token:a", 5 * S), S / 10);
    CHECK_INT(allowed(r, "token:a", 100, 5 * S + S / 2), 5);
    CHECK_INT(allowed(r, "token:a", 100, 60 * S), 20);
    http_rate_free(r);
}

static void each_token_has_its_own(void)
{
    struct http_rate *r = http_rate_new(1);
    char name[16];

    CHECK(r != NULL);
    for (int i = 0; i < HTTP_RATE_NAMES_MAX; i++) {
        (void)snprintf(name, sizeof name, "token:%d", i);
        CHECK_INT(allowed(r, name, 5, S), 2);
    }
    http_rate_free(r);
}

int main(void)
{
    CASE(two_seconds_at_once_then_evenly);
    CASE(each_token_has_its_own);
    return CHECK_END();
}
