/* limit_table.h - the keyed store behind limit.h and its lock; used by limit*.c and breaker.c alone. */
#ifndef LIMIT_TABLE_H
#define LIMIT_TABLE_H

#include "limit.h"

#include <pthread.h>
#include <stdbool.h>

struct limit_waiter {
    struct limit_waiter *next;
    int lane;
    pthread_cond_t turn; /* measured on the monotonic clock */
};
void limit_waiter_init(struct limit_waiter *w);
void limit_waiter_done(struct limit_waiter *w);

/* The quota of one key. All times on the monotonic clock. */
struct limit_bucket {
    struct limit_bucket *next;
    char key[LIMIT_KEY_BYTES];
    struct limit_rule rule;
    int calls;                        /* slots in use: rule.calls, or what they have grown to */
    int64_t grown_us;                 /* when they grew last */
    int64_t steady_us;                /* no growth before */
    int64_t free_us[LIMIT_CALLS_MAX]; /* when each slot may be taken again */
    int64_t paused_us;                /* nobody passes before */
    int64_t careful_us;               /* slots wait for the answer until then */
    int64_t used_us;
    int64_t fastest_us; /* answer of the last full count; 0 = none yet */
    int64_t faster_us;  /* of the present count */
    int n_answers;
    int in_flight;
    int refusals;
    struct limit_waiter *first; /* by lane, then by arrival */
};

struct breaker {
    struct breaker *next;
    char key[LIMIT_KEY_BYTES];
    int failures;    /* in a row */
    int64_t open_us; /* closed again at; 0 = closed */
    int64_t wait_us; /* length of the present opening */
    bool trying;     /* one call is finding out */
    int64_t used_us;
};

#define LIMIT_TABLE_ROWS 1024
struct limits {
    pthread_mutex_t lock;
    struct limit_bucket *buckets[LIMIT_TABLE_ROWS];
    struct breaker *breakers[LIMIT_TABLE_ROWS];
    int n_buckets, n_breakers;
};
void limits_lock(struct limits *l);
void limits_unlock(struct limits *l);
/* Finds; NULL: there is none. The lock is held. */
struct limit_bucket *limits_find(const struct limits *l, const char *key);
/* Finds or makes; NULL: out of memory. The lock is held. */
struct limit_bucket *limits_bucket(struct limits *l, const char *key, struct limit_rule rule);
struct breaker *limits_breaker(struct limits *l, const char *key);

#endif
