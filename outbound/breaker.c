/* Stops asking a side that does not answer: after failures in a row nothing passes for a while, then one call
 * finds out. Keyed by shop or account, so that one tenant's trouble never stops another. */
#include "clock.h"
#include "limit_table.h"

#define BREAKER_FAILURES 8
#define OPEN_FIRST_US US_PER_S
#define OPEN_MAX_US (15 * US_PER_S)
#define TRY_AGAIN_US (500 * US_PER_MS)

/* 0 = may pass, else the time to wait. The lock is held. */
static int64_t refuse_us(struct breaker *b, int64_t now_us)
{
    b->used_us = now_us;
    if (b->open_us == 0)
        return 0;
    if (now_us < b->open_us)
        return b->open_us - now_us;
    if (b->trying)
        return TRY_AGAIN_US;
    b->trying = true;
    return 0;
}

enum rc breaker_enter(struct limits *l, const char *key, struct err *e)
{
    int64_t wait_us = 0;
    struct breaker *b;

    limits_lock(l);
    b = limits_breaker(l, key);
    if (b != NULL)
        wait_us = refuse_us(b, clock_mono_us());
    limits_unlock(l);
    if (b == NULL)
        return err_set(e, RC_DOWN, "no memory for a breaker");
    if (wait_us == 0)
        return RC_OK;
    (void)err_code(e, RC_BUSY, "breaker_open", "the other side did not answer lately"); /* below */
    if (e != NULL)
        e->retry_after_us = wait_us;
    return RC_BUSY;
}

static void count_failure(struct breaker *b, int64_t now_us)
{
    b->failures++;
    if (b->trying || (b->open_us == 0 && b->failures >= BREAKER_FAILURES)) {
        b->wait_us = b->wait_us == 0 ? OPEN_FIRST_US : b->wait_us * 2;
        if (b->wait_us > OPEN_MAX_US)
            b->wait_us = OPEN_MAX_US;
        b->open_us = now_us + b->wait_us;
    }
    b->trying = false;
}

void breaker_leave(struct limits *l, const char *key, bool reached)
{
    struct breaker *b;

    limits_lock(l);
    b = limits_breaker(l, key);
    if (b != NULL && reached) {
        b->failures = 0;
        b->open_us = b->wait_us = 0;
        b->trying = false;
    } else if (b != NULL) {
        count_failure(b, clock_mono_us());
    }
    limits_unlock(l);
}

void breaker_cancel(struct limits *l, const char *key)
{
    struct breaker *b;

    limits_lock(l);
    b = limits_breaker(l, key);
    if (b != NULL)
        b->trying = false;
    limits_unlock(l);
}
