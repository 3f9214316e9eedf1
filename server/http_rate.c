/* http_rate.c - how many requests a token may send: a bucket each, filled evenly, twice a second's worth deep. */
#include "http_rate.h"

#include "clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES 96

struct bucket {
    char name[NAME_BYTES];
    int64_t paid_until_us; /* monotonic: when what was taken is filled up again */
};

struct http_rate {
    pthread_mutex_t lock;
    int64_t cost_us; /* of one request */
    int64_t depth_us;
    int n;
    struct bucket buckets[HTTP_RATE_NAMES_MAX];
};

struct http_rate *http_rate_new(int per_second)
{
    struct http_rate *r = calloc(1, sizeof *r);

    if (r == NULL)
        return NULL;
    (void)pthread_mutex_init(&r->lock, NULL);
    r->cost_us = US_PER_S / per_second;
    r->depth_us = 2 * US_PER_S;
    return r;
}

void http_rate_free(struct http_rate *r)
{
    if (r == NULL)
        return;
    (void)pthread_mutex_destroy(&r->lock);
    free(r);
}

/* Lock held. NULL: too many names. */
static struct bucket *bucket_of(struct http_rate *r, const char *name)
{
    for (int i = 0; i < r->n; i++) {
        if (strcmp(r->buckets[i].name, name) == 0)
            return &r->buckets[i];
    }
    if (r->n == HTTP_RATE_NAMES_MAX || strlen(name) >= NAME_BYTES)
        return NULL;
    memcpy(r->buckets[r->n].name, name, strlen(name) + 1);
    return &r->buckets[r->n++];
}

int64_t http_rate_take(struct http_rate *r, const char *name, int64_t now_us)
{
    struct bucket *b;
    int64_t wait_us = 0;

    (void)pthread_mutex_lock(&r->lock);
    b = bucket_of(r, name);
    if (b != NULL) {
        if (b->paid_until_us < now_us)
            b->paid_until_us = now_us;
        if (b->paid_until_us - now_us + r->cost_us > r->depth_us)
            wait_us = b->paid_until_us - now_us + r->cost_us - r->depth_us;
        else
            b->paid_until_us += r->cost_us;
    }
    (void)pthread_mutex_unlock(&r->lock);
    return wait_us;
}
