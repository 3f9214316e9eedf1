/* Quotas against a strict counter, and the breaker. */
#include "../../outbound/limit.h"

#include "check.h"
#include "clock.h"
#include "str.h"

#include <pthread.h>
#include <unistd.h>

#define CALLS 50
#define WORKERS 16
#define ARRIVALS_MAX 4000
#define RUN_US (5 * US_PER_S)

static struct limits *limits;

/* The other side: when each call arrived. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t arrivals[ARRIVALS_MAX];
static int n_arrivals, max_in_flight, in_flight;
static int64_t begin_us;

struct load {
    const char *key;
    struct limit_rule rule;
    int travel_max_us, answer_us; /* to there, and until the answer is back */
};

static void arrive(int change)
{
    pthread_mutex_lock(&lock);
    in_flight += change;
    if (in_flight > max_in_flight)
        max_in_flight = in_flight;
    if (change > 0 && n_arrivals < ARRIVALS_MAX)
        arrivals[n_arrivals++] = clock_mono_us();
    pthread_mutex_unlock(&lock);
}

static void *work(void *arg)
{
    const struct load *load = arg;
    unsigned seed = (unsigned)(uintptr_t)&seed;

    while (clock_mono_us() - begin_us < RUN_US) {
        struct limit_pass pass;
        struct err e = { 0 };

        if (limit_take(limits, load->key, load->rule, 0, 10 * US_PER_S, NULL, &pass, &e) != RC_OK)
            continue;
        limit_sent(limits, &pass);
        if (load->travel_max_us > 0)
            usleep((unsigned)(rand_r(&seed) % load->travel_max_us));
        arrive(1);
        usleep((unsigned)load->answer_us);
        arrive(-1);
        limit_done(limits, &pass, true);
    }
    return NULL;
}

static void run_load(struct load *load)
{
    pthread_t t[WORKERS];

    n_arrivals = max_in_flight = in_flight = 0;
    begin_us = clock_mono_us();
    for (int i = 0; i < WORKERS; i++)
        pthread_create(&t[i], NULL, work, load);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(t[i], NULL);
}

/* Most arrivals within any second. */
static int worst_window(void)
{
    int worst = 0;

    for (int i = 0, from = 0; i < n_arrivals; i++) {
        while (arrivals[i] - arrivals[from] >= US_PER_S)
            from++;
        if (i - from + 1 > worst)
            worst = i - from + 1;
    }
    return worst;
}

static int arrived_between(int64_t from_us, int64_t to_us)
{
    int n = 0;

    for (int i = 0; i < n_arrivals; i++)
        n += arrivals[i] - begin_us >= from_us && arrivals[i] - begin_us < to_us;
    return n;
}

/* On a quiet machine all of it is used; less is asked for here, so that noise does not fail the test. */
static void quota_used_and_never_exceeded(void)
{
    struct load load = { "tiktok:shop:near", { CALLS, 0, 0 }, 15000, 1000 };
    int used;

    run_load(&load);
    used = arrived_between(US_PER_S, RUN_US);
    CHECK(worst_window() <= CALLS, "%d in a second", worst_window());
    CHECK(used >= 180, "%d of 200 used", used);
    printf("     near: %d of 200 used, at most %d in a second\n", used, worst_window());
}

static void far_away_still_used(void)
{
    struct load load = { "tiktok:shop:far", { CALLS, 0, 0 }, 20000, 150000 };
    int used;

    run_load(&load);
    used = arrived_between(US_PER_S, RUN_US);
    /* Here the travel time is a guess, which a busy machine may break by a call or two. */
    CHECK(worst_window() <= CALLS + 2, "%d in a second", worst_window());
    CHECK(used >= 180, "%d of 200 used", used);
    printf("     far: %d of 200 used, at most %d in a second\n", used, worst_window());
}

static void few_in_flight(void)
{
    struct load load = { "vtex:loja", { 10, 4, 0 }, 0, 50000 };

    run_load(&load);
    CHECK(worst_window() <= 10, "%d in a second", worst_window());
    CHECK(max_in_flight <= 4, "%d in flight", max_in_flight);
    CHECK(arrived_between(US_PER_S, RUN_US) >= 36, "%d", arrived_between(US_PER_S, RUN_US));
}

/* No published number: more while nobody minds, less after a refusal. */
static void grows_until_refused(void)
{
    struct load load = { "vtex:growing", { 10, 4, 40 }, 0, 1000 };
    int before, after;

    run_load(&load);
    before = arrived_between(RUN_US - US_PER_S, RUN_US);
    CHECK(before > 20, "%d in the last second", before);
    CHECK(worst_window() <= 40, "%d in a second", worst_window());
    limit_pause(limits, "vtex:growing", 1);
    run_load(&load);
    after = arrived_between(RUN_US - US_PER_S, RUN_US);
    CHECK(after <= 20 && after >= 8, "%d in the last second after a refusal", after);
}

static void keys_are_apart(void)
{
    struct limit_pass a, b;
    struct err e = { 0 };
    struct limit_rule one = { 1, 0, 0 };
    int64_t from_us = clock_mono_us();

    CHECK_INT(limit_take(limits, "a", one, 0, US_PER_S, NULL, &a, &e), RC_OK);
    CHECK_INT(limit_take(limits, "b", one, 0, US_PER_S, NULL, &b, &e), RC_OK);
    CHECK(clock_mono_us() - from_us < 500 * US_PER_MS, "no wait for the other key");
    limit_done(limits, &a, false); /* never sent: the slot comes back at once */
    CHECK_INT(limit_take(limits, "a", one, 0, US_PER_S, NULL, &a, &e), RC_OK);
    CHECK(clock_mono_us() - from_us < 500 * US_PER_MS, "no wait for what was not sent");
    limit_done(limits, &a, true);
    limit_done(limits, &b, true);
    CHECK_INT(limit_take(limits, "a", one, 0, 200 * US_PER_MS, NULL, &a, &e), RC_BUSY);
    CHECK(e.retry_after_us > 0, "says when");
}

static void pauses(void)
{
    struct limit_rule rule = { 50, 0, 0 };
    struct limit_pass a;
    struct err e = { 0 };
    int64_t from_us;

    CHECK_INT(limit_take(limits, "p", rule, 0, US_PER_S, NULL, &a, &e), RC_OK);
    limit_pause(limits, "p", 60 * US_PER_S);
    CHECK_INT(limit_refusals(limits, "p"), 1);
    limit_done(limits, &a, true);
    CHECK_INT(limit_take(limits, "p", rule, 0, 10 * US_PER_S, NULL, &a, &e), RC_BUSY);
    CHECK(e.retry_after_us > 58 * US_PER_S && e.retry_after_us <= 60 * US_PER_S, "%lld",
          (long long)e.retry_after_us);
    CHECK_INT(limit_take(limits, "q", rule, 0, US_PER_S, NULL, &a, &e), RC_OK);
    limit_pause(limits, "q", 300 * US_PER_MS);
    limit_calm(limits, "q");
    CHECK_INT(limit_refusals(limits, "q"), 0);
    limit_done(limits, &a, true);
    from_us = clock_mono_us();
    CHECK_INT(limit_take(limits, "q", rule, 0, US_PER_S, NULL, &a, &e), RC_OK);
    CHECK(clock_mono_us() - from_us > 250 * US_PER_MS, "waited for the pause");
    limit_done(limits, &a, true);
}

static atomic_bool stop;

static void *take_and_stop(void *arg)
{
    struct limit_pass pass;
    enum rc *rc = arg;

    *rc = limit_take(limits, "s", (struct limit_rule){ 1, 0, 0 }, 0, 10 * US_PER_S, &stop, &pass,
                     NULL);
    return NULL;
}

static void stopping_ends_the_wait(void)
{
    struct limit_pass held;
    enum rc rc = RC_BUG;
    int64_t from_us;
    pthread_t t;

    CHECK_INT(limit_take(limits, "s", (struct limit_rule){ 1, 0, 0 }, 0, 0, NULL, &held, NULL),
              RC_OK);
    pthread_create(&t, NULL, take_and_stop, &rc);
    usleep(50000);
    from_us = clock_mono_us();
    atomic_store(&stop, true);
    pthread_join(t, NULL);
    CHECK_INT(rc, RC_STOPPED);
    CHECK(clock_mono_us() - from_us < 250 * US_PER_MS, "promptly");
    limit_done(limits, &held, true);
}

struct turn {
    int lane, place;
};
static atomic_int places;

static void *take_turn(void *arg)
{
    struct turn *turn = arg;
    struct limit_pass pass;

    if (limit_take(limits, "l", (struct limit_rule){ 1, 0, 0 }, turn->lane, 10 * US_PER_S, NULL,
                   &pass, NULL) != RC_OK)
        return NULL;
    turn->place = atomic_fetch_add(&places, 1) + 1;
    limit_done(limits, &pass, false);
    return NULL;
}

static void lower_lanes_first(void)
{
    struct turn turns[4] = { { 3, 0 }, { 3, 0 }, { 0, 0 }, { 1, 0 } };
    struct limit_pass held;
    pthread_t t[4];

    CHECK_INT(limit_take(limits, "l", (struct limit_rule){ 1, 0, 0 }, 0, 0, NULL, &held, NULL),
              RC_OK);
    for (int i = 0; i < 4; i++) {
        pthread_create(&t[i], NULL, take_turn, &turns[i]);
        usleep(30000);
    }
    limit_done(limits, &held, false);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    CHECK_INT(turns[2].place, 1);
    CHECK_INT(turns[3].place, 2);
    CHECK_INT(turns[0].place, 3);
    CHECK_INT(turns[1].place, 4);
}

static void breaker(void)
{
    struct err e = { 0 };

    for (int i = 0; i < 7; i++)
        breaker_leave(limits, "x", false);
    breaker_leave(limits, "x", true); /* the row is broken */
    for (int i = 0; i < 8; i++) {
        CHECK_INT(breaker_enter(limits, "x", &e), RC_OK);
        breaker_leave(limits, "x", false);
    }
    CHECK_INT(breaker_enter(limits, "x", &e), RC_BUSY);
    CHECK(e.retry_after_us > 0 && e.retry_after_us <= US_PER_S, "%lld",
          (long long)e.retry_after_us);
    CHECK_INT(breaker_enter(limits, "y", &e), RC_OK);
    usleep(1010000);
    CHECK_INT(breaker_enter(limits, "x", &e), RC_OK); /* one tries */
    CHECK_INT(breaker_enter(limits, "x", &e), RC_BUSY);
    breaker_leave(limits, "x", false);
    CHECK_INT(breaker_enter(limits, "x", &e), RC_BUSY);
    CHECK(e.retry_after_us > US_PER_S, "longer now");
    usleep(2010000);
    CHECK_INT(breaker_enter(limits, "x", &e), RC_OK);
    breaker_cancel(limits, "x"); /* was never sent: the next one tries */
    CHECK_INT(breaker_enter(limits, "x", &e), RC_OK);
    breaker_leave(limits, "x", true);
    CHECK_INT(breaker_enter(limits, "x", &e), RC_OK);
    CHECK_INT(breaker_enter(limits, "x", &e), RC_OK);
}

static void many_keys(void)
{
    char key[32];

    for (int i = 0; i < 10000; i++) {
        struct limit_pass pass;

        snprintf(key, sizeof(key), "many:%d", i);
        CHECK(limit_take(limits, key, (struct limit_rule){ 1, 0, 0 }, 0, 0, NULL, &pass, NULL) ==
                  RC_OK,
              "%s", key);
        limit_done(limits, &pass, true);
    }
}

int main(void)
{
    struct err e = { 0 };

    if (limits_new(&limits, &e) != RC_OK)
        return 77;
    CASE(quota_used_and_never_exceeded);
    CASE(far_away_still_used);
    CASE(few_in_flight);
    CASE(grows_until_refused);
    CASE(keys_are_apart);
    CASE(pauses);
    CASE(stopping_ends_the_wait);
    CASE(lower_lanes_first);
    CASE(breaker);
    CASE(many_keys);
    limits_free(limits);
    return CHECK_END();
}
