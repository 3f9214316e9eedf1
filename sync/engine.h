/* engine.h - the inside of the job engine: shops held, jobs claimed, threads.
 *
 * One keeper thread talks to the database for all: it leases shops, claims jobs in batches, writes ends and renews.
 * W worker threads only run handlers. What both touch is under `lock`. */
#ifndef ENGINE_H
#define ENGINE_H

#include "clock.h"
#include "db_work.h"
#include "sync.h"

#include <pthread.h>

#define ENGINE_LANES 5
#define ENGINE_BUCKETS 1024
#define ENGINE_NEVER INT64_MAX
#define LIMIT_ENGINE_SHOPS 4096       /* shops held by one replica */
#define LIMIT_ENGINE_SHOPS_A_CYCLE 64 /* shops served in one transaction */
#define LIMIT_ENGINE_PREFETCH 256     /* claimed jobs that wait for a thread, when jobs are quick */
#define HOLDER_BYTES 160

struct held;

/* A claimed job. */
struct item {
    struct work_claim claim;
    const struct job_kind *kind; /* NULL: unknown here */
    struct held *shop;
    struct item *next;
    enum rc rc;
    struct err err;
    int64_t run_us;
    bool started;
};

struct item_list {
    struct item *head, *tail;
    int n;
};

/* A shop whose lease we hold. */
struct held {
    char shop_id[72];
    char client_id[68];
    int64_t token;
    atomic_bool stop;
    bool lost;                                 /* the lease is gone: what still runs is discarded */
    bool more_urgent, more_bulk, more_suspect; /* the database may have due jobs for us */
    int64_t next_due_us;                       /* clock_mono_us; ENGINE_NEVER = nothing waits */
    int64_t idle_since_us;                     /* 0 = not idle */
    struct item_list queue[ENGINE_LANES];
    struct item_list running;
    struct item_list finished; /* ran; the keeper writes the end */
    struct item_list ending;   /* the keeper is writing */
    int suspects;              /* claimed suspects whose end is not written */
    struct held *ring_next[ENGINE_LANES];
    bool in_ring[ENGINE_LANES];
    struct held *bucket_next;
    struct held *next; /* all shops, lost ones included */
};

struct ring {
    struct held *head, *tail;
};

struct workers {
    struct app *app;
    const struct job_kind *kinds;
    struct db_pool *db; /* the keeper's own connection */
    struct db_listener *listener;
    char holder[HOLDER_BYTES];
    int n_threads, bulk_max;
    int shop_max; /* threads that one shop may hold: what another side makes it wait for stops nobody else */
    int64_t lease_us, beat_us;
    pthread_t keeper;
    pthread_t *threads;
    int n_started;
    bool keeper_started;

    pthread_mutex_t lock;
    pthread_cond_t work; /* items are queued, or stopping */
    bool stopping;
    int64_t stop_by_us; /* mono; after it, jobs that still run are given up */
    bool keeper_waits;
    struct held *buckets[ENGINE_BUCKETS];
    struct held *all;
    int n_shops;
    struct ring ring[ENGINE_LANES]; /* shops with queued jobs of a lane take turns */
    int running, running_bulk, queued_urgent, queued_bulk;
    int64_t average_us; /* of a handler's run */

    /* Only the keeper's. */
    int64_t renewed_us, next_beat_us, next_lease_us, next_expired_us, next_holders_us,
        next_periodic_us, next_count_us;
    int64_t looked_us; /* for shops without a holder, last */
    bool reconcile;    /* a commit's end is not known: compare with the database */
    unsigned turn;     /* where the round over shops begins */
    uint64_t random;
};

static inline bool lane_is_bulk(enum lane lane)
{
    return lane > LANE_PRICE;
}

/* shopset.c: callers hold `lock`. */
void items_add(struct item_list *list, struct item *item);
struct item *items_take(struct item_list *list);
void items_move(struct item_list *to, struct item_list *from);
void item_free(struct item *item);
struct held *shop_find(struct workers *w, const char *shop_id);
/* Adds a lease; a lost lease of the same shop steps aside. NULL: out of memory. */
struct held *shop_add(struct workers *w, const struct work_shop *lease);
/* The lease is gone: stop its jobs, forget what did not start. */
void shop_lose(struct workers *w, struct held *shop);
/* Frees shops that are lost and have nothing running. */
void shops_sweep(struct workers *w);
/* Takes a shop that is at rest out of the set and frees it. */
void shop_drop(struct workers *w, struct held *shop);
bool shop_at_rest(const struct held *shop);
void shop_queue(struct workers *w, struct item *item);
/* What is queued and not started becomes finished as RC_STOPPED. */
void shop_unqueue(struct workers *w, struct held *shop);
/* The next job to run: best lane, shops in turn, bulk only on its share of the threads. NULL: none. */
struct item *queue_pick(struct workers *w);

/* What the ends of a shop's jobs mean for the shop. */
struct outcome_news {
    bool denied;     /* it is paused now */
    int64_t wait_us; /* a job of it is due then; -1 = none */
};
/* outcome.c: writes the ends of shop->ending within tx; reads of shop->ending need no lock. */
enum rc outcome_write(struct workers *w, struct db_tx *tx, struct held *shop,
                      struct outcome_news *news, struct err *e);
/* Counts a parked job in its run. */
enum rc outcome_count_run(struct db_tx *tx, const struct job_kind *kind, const char *client_id,
                          const char *run_id, const char *code, const char *detail, struct err *e);
const struct job_kind *kind_find(const struct job_kind *kinds, const char *name);
int64_t kind_every_us(const struct job_kind *kind, const struct cfg *cfg);

/* holder.c */
void holder_name(char out[HOLDER_BYTES]);
/* Whether a holder's name is of a process of this machine that does not live any more. */
bool holder_is_dead(const char *holder);

/* keeper.c */
void *keeper_main(void *workers);

#endif
