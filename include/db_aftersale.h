/* db_aftersale.h - cancellations of orders on both sides, and requests of buyers: what they are and how they are
 * answered. */
#ifndef DB_AFTERSALE_H
#define DB_AFTERSALE_H

#include "db_order.h"

#define AFTERSALE_LIST_MAX 20 /* requests of one order that a job looks at, newest first */

/* ---- the order's own cancellation ------------------------------------------------------------ */

/* Records how far a cancellation got; its time is kept while the step stays. by, reason NULL = keep. */
enum rc db_order_cancel_set(struct db_tx *tx, const char *shop_id, const char *order_id,
                            const char *step, const char *by, const char *reason, struct err *e);
/* What VTEX was asked for in units, once it is placed. */
enum rc db_order_units_set(struct db_tx *tx, const char *shop_id, const char *order_id,
                           int64_t units, struct err *e);
/* *units: what VTEX was asked for; 0 = not known. */
enum rc db_order_units_get(struct db_tx *tx, const char *shop_id, const char *order_id,
                           int64_t *units, struct err *e);

/* ---- reading the order in VTEX --------------------------------------------------------------- */

/* The order in VTEX is to be read: marks it and puts the job of the order. by: webhook, poll, operator, job. */
enum rc db_order_vtex_wake(struct db_tx *tx, const char *client_id, const char *shop_id,
                           const char *order_id, const char *by, struct err *e);
/* The order in VTEX was read; the mark of seen_due_us is taken off unless a newer one came. */
enum rc db_order_vtex_seen(struct db_tx *tx, const char *shop_id, const char *order_id,
                           const char *vtex_status, int64_t seen_due_us, struct err *e);
/* Wakes at most `limit` orders that VTEX goes on with and that were not read for older_than_us. */
enum rc db_order_vtex_recheck_put(struct db_tx *tx, const char *client_id, const char *shop_id,
                                  int64_t older_than_us, int limit, struct err *e);
/* Finds the client's order by TikTok's id or VTEX's. RC_NOT_FOUND. */
enum rc db_order_vtex_find(struct db_tx *tx, const char *client_id, const char *id,
                           char shop_id[72], char order_id[ORDER_ID_BYTES], struct err *e);

/* ---- requests -------------------------------------------------------------------------------- */

/* One cancellation or return as TikTok tells it; pointers are borrowed, NULL = none. */
struct aftersale_facts {
    const char *client_id;
    const char *shop_id;
    const char *id;
    const char *order_id;
    const char *kind; /* "cancellation", "return" */
    const char *type;
    const char *status; /* in the newest spelling */
    const char *role;
    const char *reason;
    const char *reason_text;
    const char *action;
    const char *refund; /* decimal text */
    const char *tracking_number;
    const char *arbitration;
    const json_t *lines;
    int64_t deadline_us;
    int64_t requested_us;
    int64_t updated_us;
};
/* Inserts or updates; older news changes nothing. *changed: it is new, or its status is. */
enum rc db_aftersale_store(struct db_tx *tx, const struct aftersale_facts *f, bool *changed,
                           struct err *e);

struct aftersale {
    char id[64];
    char kind[16];
    char type[32];
    char status[64];
    char role[16];
    char reason[128];
    char answer[32];
    char answer_reason[128];
    char answer_comment[512];
    char answer_step[12];
    char answered_status[64];
    bool has_reasons;
    bool pending; /* the seller is to answer */
};
/* Newest first; *n of at most AFTERSALE_LIST_MAX. */
enum rc db_aftersale_of_order(struct db_tx *tx, const char *shop_id, const char *order_id,
                              struct aftersale *out, int *n, struct err *e);
enum rc db_aftersale_reasons_set(struct db_tx *tx, const char *shop_id, const char *id,
                                 const json_t *reasons, struct err *e);
/* Decides what is answered; nothing happens when an answer to this state is on its way or done (*taken false). */
enum rc db_aftersale_answer(struct db_tx *tx, const char *shop_id, const char *id,
                            const char *answer, const char *reason, const char *comment,
                            const char *by, bool *taken, struct err *e);
/* step: wanted, sent, done, refused; problem NULL = none. */
enum rc db_aftersale_step_set(struct db_tx *tx, const char *shop_id, const char *id,
                              const char *step, const char *problem, struct err *e);
/* Puts the job that reads the requests of an order and answers them (kind aftersale_read). */
enum rc db_aftersale_read_put(struct db_tx *tx, const char *client_id, const char *shop_id,
                              const char *order_id, int64_t delay_us, struct err *e);

struct aftersale_mark {
    int64_t watermark_us; /* 0 = never read */
    int64_t now_us;
};
enum rc db_aftersale_mark_get(struct db_tx *tx, const char *shop_id, struct aftersale_mark *out,
                              struct err *e);
enum rc db_aftersale_mark_set(struct db_tx *tx, const char *shop_id, int64_t watermark_us,
                              struct err *e);

/* ---- for REST -------------------------------------------------------------------------------- */

struct aftersale_filter {
    const char *kind;   /* cancellation, return; NULL = both */
    bool open;          /* only those that wait for the seller */
    const char *cursor; /* NULL = first page */
    int limit;
};
/* Those that wait first, by deadline; then the others, newest first. */
enum rc db_aftersale_list(struct db_tx *tx, const char *client_id,
                          const struct aftersale_filter *filter, json_t **items, char next[160],
                          struct err *e);
/* One request; RC_NOT_FOUND. order_id and shop_id are filled. */
enum rc db_aftersale_get(struct db_tx *tx, const char *client_id, const char *id, char shop_id[72],
                         char order_id[ORDER_ID_BYTES], struct aftersale *out, json_t **doc,
                         struct err *e);

#endif
