/* limit.h - how much and how often we may ask: call quotas, pauses and the breaker, by key. Used in outbound. */
#ifndef LIMIT_H
#define LIMIT_H

#include "err.h"

#include <stdatomic.h>
#include <stddef.h>

#define LIMIT_KEY_BYTES 192
#define LIMIT_CALLS_MAX 64

struct limits;
enum rc limits_new(struct limits **out, struct err *e);
void limits_free(struct limits *l);

/* What one key allows: `calls` in any window of a second, at most `at_once` in flight (0 = calls). Where the
 * other side publishes no number, `grows_to` lets the quota grow by half after each second in which somebody had
 * to wait and nothing was refused; a refusal halves it (never under `calls`) and stops the growth for a while. */
struct limit_rule {
    int calls; /* 1 .. LIMIT_CALLS_MAX */
    int at_once;
    int grows_to; /* .. LIMIT_CALLS_MAX; 0 = stays */
};

/* A permission for one call; give it back with limit_done. */
struct limit_pass {
    struct limit_bucket *bucket;
    int slot;
    int64_t sent_us;
};

/* Waits for its turn, lower lanes first, then first come first served, up to max_wait_us. RC_BUSY: it would take longer; e->retry_after_us
 * says how long. RC_STOPPED (code "not_sent"): stop was set. Any thread. */
enum rc limit_take(struct limits *l, const char *key, struct limit_rule rule, int lane,
                   int64_t max_wait_us, const atomic_bool *stop, struct limit_pass *out,
                   struct err *e);
/* The call goes out now. */
void limit_sent(struct limits *l, struct limit_pass *pass);
/* The call ended; sent false: it never went out, so it costs nothing. */
void limit_done(struct limits *l, struct limit_pass *pass, bool sent);
/* Nobody passes for wait_us from now; the longest pause counts. Makes the quota careful for a while: then a call
 * counts until a second after its answer. A key that never had a call is left alone. */
void limit_pause(struct limits *l, const char *key, int64_t wait_us);
/* Pauses in a row; limit_calm ends the row. For a growing back-off. */
int limit_refusals(struct limits *l, const char *key);
void limit_calm(struct limits *l, const char *key);

/* Breaker: after BREAKER_FAILURES failures in a row nothing passes for a while, then one call tries.
 * RC_BUSY with e->retry_after_us while it is open. */
enum rc breaker_enter(struct limits *l, const char *key, struct err *e);
/* What became of a call that entered: reached = a complete answer came. */
void breaker_leave(struct limits *l, const char *key, bool reached);
/* It entered but was never sent (stopped, no quota): says nothing about the other side. */
void breaker_cancel(struct limits *l, const char *key);

#endif
