/* db_job.h - keyed jobs and shop leases. A job is a key (shop_id, kind, entity), not a message. */
#ifndef DB_JOB_H
#define DB_JOB_H

#include "db.h"

enum lane {
    LANE_ORDERS = 0,
    LANE_STOCK = 1,
    LANE_PRICE = 2,
    LANE_CATALOG = 3,
    LANE_MAINTENANCE = 4
};

/* Work before a client has a shop (OAuth exchange) runs under this shop id: DB_CLIENT_SHOP "c:<client>". */
#define DB_CLIENT_SHOP_PREFIX "c:"

struct db_job_key {
    const char *client_id;
    const char *shop_id; /* TikTok shop id, or "c:<client_id>" */
    const char *kind;    /* a name of JOB_KINDS, e.g. "order_import" */
    const char *entity;  /* "" when the kind has one per shop */
    enum lane lane;
    const char *run_id;    /* sync_runs.id or NULL */
    const json_t *payload; /* small hints; a handler must not depend on them. NULL = none */
    int64_t delay_us;      /* due this long from now (database clock); 0 = now */
};

/* Asks for work: inserts the row, or makes the waiting row due no later than now+delay, or, while it runs,
 * raises its generation so that it runs once more. A parked job becomes ready again. Notifies workers at
 * commit. Part of the caller's transaction. */
enum rc db_job_put(struct db_tx *tx, const struct db_job_key *key, struct err *e);

struct job {
    int64_t id;
    char client_id[68];
    char shop_id[72];
    char kind[48];
    char entity[256];
    enum lane lane;
    int64_t generation;   /* as it was when claimed: read before desired state */
    int attempts;         /* this one included */
    int64_t lease_token;  /* fencing token of the shop's lease */
    int64_t first_due_us; /* when it was first asked for */
    char run_id[40];      /* "" when none */
    json_t *payload;      /* owned; may be NULL */
};

#endif
