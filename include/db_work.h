/* db_work.h - the job engine's statements: leases of shops, claims, ends of jobs. All within DB_SYSTEM. */
#ifndef DB_WORK_H
#define DB_WORK_H

#include "db_job.h"

#define WORK_DEATHS_MAX 3      /* a job that killed its worker this often is quarantined */
#define WORK_SYSTEM_SHOP "c:*" /* shop of jobs that belong to nobody: client_id is DB_SYSTEM */

struct work_shop {
    char shop_id[72];
    char client_id[68];
    int64_t token;
};

/* First in a transaction of claims and ends: makes their plans steady. */
enum rc db_work_prepare(struct db_tx *tx, struct err *e);

/* Leases up to `limit` shops that nobody holds and that have work due, best lane first; or, with `expired`, shops
 * whose holder did not renew. *out is a heap array. A shop that is being written to right now is left out. */
enum rc db_work_lease(struct db_tx *tx, const char *holder, int64_t lease_us, int limit,
                      bool expired, struct work_shop **out, int *n, struct err *e);
/* Microseconds until an unheld shop has work due (0 = now), -1 = none. */
enum rc db_work_next_shop(struct db_tx *tx, int64_t *wait_us, struct err *e);
/* Renews all leases of a holder; *out (heap) says which it still has. */
enum rc db_work_renew(struct db_tx *tx, const char *holder, int64_t lease_us,
                      struct work_shop **out, int *n, struct err *e);
/* Gives a shop back with its exact next due time; nothing happens when the lease is another's already. */
enum rc db_work_release(struct db_tx *tx, const char *shop_id, int64_t token, struct err *e);
/* All holders' names, one row each, column "holder". */
enum rc db_work_holders(struct db_tx *tx, struct db_rows **rows, struct err *e);
/* Ends the leases of a holder that is dead, so that they can be taken at once. */
enum rc db_work_expire(struct db_tx *tx, const char *holder, struct err *e);

/* A job that was running when its holder died. */
struct work_dead {
    int64_t id;
    char client_id[68];
    char kind[48];
    char run_id[40];
    int deaths;
    bool parked;
};
/* After a lease: jobs still marked running died with the holder before. *out is a heap array. */
enum rc db_work_recover(struct db_tx *tx, const char *shop_id, struct work_dead **out, int *n,
                        struct err *e);
/* Running jobs of our lease that are not among ids go back to ready (after a commit whose end was not known). */
enum rc db_work_orphans(struct db_tx *tx, const char *shop_id, int64_t token, const int64_t *ids,
                        size_t n, struct err *e);

struct work_claim {
    struct job job;
    bool
        suspect; /* one more death and it is quarantined: no other suspect of the shop runs meanwhile */
};
/* How many jobs may be claimed: `urgent` of the lanes orders, stock and price, `bulk` of the others, but no bulk
 * beyond `total` together with urgent ones; and one suspect when asked for. */
struct work_room {
    int urgent, bulk, total;
    bool suspect;
};
/* Claims due jobs. Nothing when the lease was lost or the shop is paused. *out is a heap array in the order to run;
 * payloads are the caller's. */
enum rc db_work_claim(struct db_tx *tx, const char *shop_id, int64_t token,
                      const struct work_room *room, struct work_claim **out, int *n, struct err *e);
/* Microseconds until the shop's next ready job is due, -1 = none, or the shop is paused. */
enum rc db_work_next_job(struct db_tx *tx, const char *shop_id, int64_t *wait_us, struct err *e);

/* Ends jobs that are done: rows go away, or are ready again when they were asked for meanwhile: *again then. */
enum rc db_work_done(struct db_tx *tx, const char *shop_id, int64_t token, const int64_t *ids,
                     size_t n, bool *again, struct err *e);

/* How a job that is not done goes on. */
struct work_again {
    int64_t id;
    bool park; /* else ready after delay_us */
    int64_t delay_us;
    bool uncount;        /* this attempt does not count */
    bool fresh;          /* periodic: begin anew */
    const char *outcome; /* word */
    const char *problem; /* JSON text or NULL */
};
/* *touched (heap, same length, may be NULL) says which rows were still ours. */
enum rc db_work_again(struct db_tx *tx, const char *shop_id, int64_t token,
                      const struct work_again *list, size_t n, bool *touched, struct err *e);

/* Makes the rows of a periodic kind for connected shops that lack one, drops those of shops that are not connected. */
enum rc db_work_periodic(struct db_tx *tx, const char *kind, enum lane lane, struct err *e);
/* The same for a kind of the whole system. */
enum rc db_work_periodic_system(struct db_tx *tx, const char *kind, enum lane lane, struct err *e);

struct work_counts {
    int64_t ready, running, parked, due; /* due: ready and its time has come */
    int64_t oldest_due_us;               /* how long the oldest due job waits */
};
enum rc db_work_count(struct db_tx *tx, struct work_counts *out, struct err *e);

#endif
