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

/* The running job goes on without the run that it was claimed for (*left: the caller counts the item there); one
 * that was put for a newer run meanwhile keeps that. */
enum rc db_job_leave_run(struct db_tx *tx, const char *shop_id, int64_t id, const char *run_id,
                         bool *left, struct err *e);
/* *moved: the job that was claimed for run_id belongs to another run now. */
enum rc db_job_run_moved(struct db_tx *tx, const char *shop_id, int64_t id, const char *run_id,
                         bool *moved, struct err *e);

/* Narrows a statement on jobs of client $1 to its shops, so that their index is used: jobs have none by client,
 * because each event that comes in would pay for it. */
#define DB_JOB_OF_CLIENT_SHOPS \
    "shop_id = ANY (ARRAY(SELECT shop_id FROM shops WHERE client_id = $1))"

/* For statements that make many jobs at once ("INSERT INTO jobs AS j (...) SELECT ..." DB_JOB_ON_CONFLICT): the
 * rules of db_job_put. Call db_job_schedule for each of their shops in the same transaction. */
#define DB_JOB_ON_CONFLICT                                                                                         \
    " ON CONFLICT (shop_id, kind, entity) DO UPDATE SET generation = j.generation + 1,"                            \
    " client_id = excluded.client_id, lane = least(j.lane, excluded.lane),"                                        \
    " updated_at = now(), payload = CASE WHEN j.state = 'ready' OR (j.state = 'running'"                           \
    "   AND j.generation > j.claimed_generation)"                                                                  \
    "   THEN coalesce(excluded.payload, j.payload) ELSE excluded.payload END,"                                     \
    " run_id = CASE WHEN j.state = 'ready' OR (j.state = 'running' AND j.generation > j.claimed_generation)"       \
    "   THEN coalesce(excluded.run_id, j.run_id) ELSE excluded.run_id END,"                                        \
    " due_at = CASE WHEN j.state = 'ready' OR (j.state = 'running' AND j.generation > j.claimed_generation)"       \
    "   THEN least(j.due_at, excluded.due_at) ELSE excluded.due_at END,"                                           \
    " first_due_at = CASE WHEN j.state = 'ready' OR (j.state = 'running' AND j.generation > j.claimed_generation)" \
    "   THEN j.first_due_at ELSE excluded.due_at END,"                                                             \
    " attempts = CASE WHEN j.state = 'parked' THEN 0 ELSE j.attempts END,"                                         \
    " deaths = CASE WHEN j.state = 'parked' THEN 0 ELSE j.deaths END,"                                             \
    " outcome = CASE WHEN j.state = 'parked' THEN NULL ELSE j.outcome END,"                                        \
    " problem = CASE WHEN j.state = 'parked' THEN NULL ELSE j.problem END,"                                        \
    " state = CASE WHEN j.state = 'parked' THEN 'ready' ELSE j.state END"

/* Notes that a shop has work due this long from now. Written, and workers notified, just before the commit. */
enum rc db_job_schedule(struct db_tx *tx, const char *client_id, const char *shop_id,
                        enum lane lane, int64_t delay_us, struct err *e);

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

/* One job as people see it. */
struct job_info {
    int64_t id;
    char client_id[68];
    char shop_id[72];
    char kind[48];
    char entity[256];
    enum lane lane;
    char state[16]; /* ready, running, parked */
    int attempts;
    int deaths;
    int64_t due_us, first_due_us, updated_us;
    char run_id[40];
    char outcome[32]; /* last outcome's word; "" = none yet */
    json_t *problem;  /* {"code","detail","platform_code","request_id"}; owned; may be NULL */
};

/* Which jobs; NULL = any. */
struct job_filter {
    const char *client_id;
    const char *shop_id;
    const char *state;
    const char *kind;
    int64_t after_id; /* list: only jobs with a smaller id (newest first); 0 = from the start */
    int limit;        /* 1..200; 0 = 50 */
};

/* Newest first. *out is a heap array of *n items: free with db_job_list_free. */
enum rc db_job_list(struct db_tx *tx, const struct job_filter *filter, struct job_info **out,
                    int *n, struct err *e);
void db_job_list_free(struct job_info *list, int n);
/* RC_NOT_FOUND when there is no such job. The caller owns out->problem (json_decref). */
enum rc db_job_get(struct db_tx *tx, int64_t id, struct job_info *out, struct err *e);
/* *waits: a job of this kind and entity runs or is due. *problem: why it is parked, NULL otherwise; new reference. */
enum rc db_job_waits(struct db_tx *tx, const char *client_id, const char *kind, const char *entity,
                     bool *waits, json_t **problem, struct err *e);
/* Makes it due now with fresh attempts. RC_NOT_FOUND; RC_BUSY (code "job_running") while it runs. */
enum rc db_job_retry(struct db_tx *tx, int64_t id, struct err *e);
/* Deletes a job that does not run. RC_NOT_FOUND; RC_BUSY (code "job_running") while it runs. */
enum rc db_job_cancel(struct db_tx *tx, int64_t id, struct err *e);
/* Retries all parked jobs of the filter (state and limit are ignored); *n says how many. */
enum rc db_job_retry_filter(struct db_tx *tx, const struct job_filter *filter, int64_t *n,
                            struct err *e);
/* Parks what is ready of a client until it is retried or asked for again; cancels its runs. */
enum rc db_job_park_client(struct db_tx *tx, const char *client_id, const char *code,
                           const char *detail, struct err *e);

/* Stops a shop's work until it is unpaused or for_us (0 = no end) have passed. */
enum rc db_shop_pause(struct db_tx *tx, const char *client_id, const char *shop_id,
                      const char *reason, int64_t for_us, struct err *e);
enum rc db_shop_unpause(struct db_tx *tx, const char *shop_id, struct err *e);

#endif
