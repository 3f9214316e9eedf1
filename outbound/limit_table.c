/* The keyed store of quotas and breakers: a fixed hash table whose idle rows are forgotten when it grows. */
#include "limit_table.h"

#include "clock.h"
#include "str.h"

#include <stdlib.h>

#define IDLE_US (300 * US_PER_S)
#define SWEEP_AT 4096

enum rc limits_new(struct limits **out, struct err *e)
{
    struct limits *l = calloc(1, sizeof(*l));

    if (l == NULL)
        return err_set(e, RC_DOWN, "no memory for quotas");
    (void)pthread_mutex_init(&l->lock, NULL); /* cannot fail with default attributes */
    *out = l;
    return RC_OK;
}

void limits_free(struct limits *l)
{
    if (l == NULL)
        return;
    for (int i = 0; i < LIMIT_TABLE_ROWS; i++) {
        while (l->buckets[i] != NULL) {
            struct limit_bucket *next = l->buckets[i]->next;

            free(l->buckets[i]);
            l->buckets[i] = next;
        }
        while (l->breakers[i] != NULL) {
            struct breaker *next = l->breakers[i]->next;

            free(l->breakers[i]);
            l->breakers[i] = next;
        }
    }
    (void)pthread_mutex_destroy(&l->lock); /* nobody holds it */
    free(l);
}

void limits_lock(struct limits *l)
{
    (void)pthread_mutex_lock(&l->lock); /* cannot fail for a plain mutex */
}

void limits_unlock(struct limits *l)
{
    (void)pthread_mutex_unlock(&l->lock); /* as above */
}

void limit_waiter_init(struct limit_waiter *w)
{
    pthread_condattr_t monotonic;

    (void)pthread_condattr_init(&monotonic); /* these cannot fail on Linux */
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&w->turn, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
}

void limit_waiter_done(struct limit_waiter *w)
{
    (void)pthread_cond_destroy(&w->turn); /* nobody waits on it */
}

static unsigned row_of(const char *key)
{
    uint32_t h = 2166136261u;

    for (; *key != '\0'; key++)
        h = (h ^ (unsigned char)*key) * 16777619u;
    return h % LIMIT_TABLE_ROWS;
}

static bool bucket_idle(const struct limit_bucket *b, int64_t now_us)
{
    return b->first == NULL && b->in_flight == 0 && b->paused_us <= now_us &&
           now_us - b->used_us > IDLE_US;
}

static void sweep_buckets(struct limits *l, int64_t now_us)
{
    for (int i = 0; i < LIMIT_TABLE_ROWS; i++) {
        for (struct limit_bucket **at = &l->buckets[i]; *at != NULL;) {
            struct limit_bucket *b = *at;

            if (bucket_idle(b, now_us)) {
                *at = b->next;
                free(b);
                l->n_buckets--;
            } else {
                at = &b->next;
            }
        }
    }
}

static void sweep_breakers(struct limits *l, int64_t now_us)
{
    for (int i = 0; i < LIMIT_TABLE_ROWS; i++) {
        for (struct breaker **at = &l->breakers[i]; *at != NULL;) {
            struct breaker *b = *at;

            if (!b->trying && now_us - b->used_us > IDLE_US) {
                *at = b->next;
                free(b);
                l->n_breakers--;
            } else {
                at = &b->next;
            }
        }
    }
}

struct limit_bucket *limits_find(const struct limits *l, const char *key)
{
    struct limit_bucket *b = l->buckets[row_of(key)];

    while (b != NULL && !str_eq(b->key, key))
        b = b->next;
    return b;
}

struct limit_bucket *limits_bucket(struct limits *l, const char *key, struct limit_rule rule)
{
    struct limit_bucket *b = limits_find(l, key);
    unsigned row = row_of(key);

    if (b != NULL)
        return b;
    if (l->n_buckets > 0 && l->n_buckets % SWEEP_AT == 0)
        sweep_buckets(l, clock_mono_us());
    b = calloc(1, sizeof(*b));
    if (b == NULL || !str_copy(b->key, sizeof(b->key), key)) {
        free(b);
        return NULL;
    }
    b->rule = rule;
    b->calls = rule.calls;
    b->grown_us = clock_mono_us();
    b->used_us = clock_mono_us();
    b->next = l->buckets[row];
    l->buckets[row] = b;
    l->n_buckets++;
    return b;
}

struct breaker *limits_breaker(struct limits *l, const char *key)
{
    unsigned row = row_of(key);
    struct breaker *b = l->breakers[row];

    while (b != NULL && !str_eq(b->key, key))
        b = b->next;
    if (b != NULL)
        return b;
    if (l->n_breakers > 0 && l->n_breakers % SWEEP_AT == 0)
        sweep_breakers(l, clock_mono_us());
    b = calloc(1, sizeof(*b));
    if (b == NULL || !str_copy(b->key, sizeof(b->key), key)) {
        free(b);
        return NULL;
    }
    b->next = l->breakers[row];
    l->breakers[row] = b;
    l->n_breakers++;
    return b;
}
