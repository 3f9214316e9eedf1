/* db_run.h - sync runs: what was asked for, how far it is, how it ended. */
#ifndef DB_RUN_H
#define DB_RUN_H

#include "db.h"

struct run {
    char id[40];
    char client_id[68];
    char shop_id[72];
    char kind[32];
    bool dry_run;
    char target[16];
    char status[16];
    char requested_by[128];
    json_t *params; /* owned */
};

/* What is added to the counters. */
struct run_delta {
    int64_t total, done, created, updated, unchanged, removed, held, failed;
};

/* Opens a queued run; makes the id. */
enum rc db_run_new(struct db_tx *tx, const char *client_id, const char *shop_id, const char *kind,
                   bool dry_run, const char *target, const json_t *params, const char *requested_by,
                   char id[40], struct err *e);
enum rc db_run_get(struct db_tx *tx, const char *client_id, const char *id, struct run *out,
                   struct err *e);
void db_run_done(struct run *run);
#define OWN_RUN_ROW __attribute__((cleanup(db_run_done)))
/* queued -> running (keeps any later status). */
enum rc db_run_start(struct db_tx *tx, const char *client_id, const char *id, struct err *e);
/* Adds to the counters and ends the run when everything was read and done >= total: succeeded when nothing
 * failed, partial when some did, failed when all did. id "" does nothing. */
enum rc db_run_progress(struct db_tx *tx, const char *client_id, const char *id,
                        const struct run_delta *delta, struct err *e);
/* A run whose only job begins anew counts from the beginning. */
enum rc db_run_counters_reset(struct db_tx *tx, const char *client_id, const char *id,
                              struct err *e);
/* All sources were read; `total` is final. Ends the run if everything is done already. */
enum rc db_run_read_done(struct db_tx *tx, const char *client_id, const char *id, struct err *e);
/* Ends with status failed/held/cancelled and a problem ({"code","detail"}); problem may be NULL. */
enum rc db_run_end(struct db_tx *tx, const char *client_id, const char *id, const char *status,
                   const char *code, const char *detail, struct err *e);
/* A person releases what the run holds: who and when is kept. code is that of the run's problem, "" when the run is
 * not held. Locks the run. */
enum rc db_run_approve(struct db_tx *tx, const char *client_id, const char *id, const char *who,
                       char code[64], struct err *e);
/* A held run goes on with this status and without its problem; nothing counts as held any more. */
enum rc db_run_reopen(struct db_tx *tx, const char *client_id, const char *id, const char *status,
                      struct err *e);
/* One line of what a run changed or would change. Texts are borrowed; the list shows 300 bytes of a value. */
struct run_change {
    const char *client_id, *run_id, *source_id;
    const char *seller_sku; /* NULL = of the product */
    const char *field;
    const char *old_value, *new_value;      /* NULL = nothing there */
    const char *action;                     /* create, update, remove, revert, ... */
    const char *outcome;                    /* as the comment on the column says */
    const char *rule, *request_id, *reason; /* NULL = none */
};
/* Adds a line; does nothing without a run. */
enum rc db_run_change_add(struct db_tx *tx, const struct run_change *c, struct err *e);
enum rc db_run_change(struct db_tx *tx, const char *client_id, const char *run_id,
                      const char *entity, const char *source_id, const char *seller_sku,
                      const char *field, const char *old_value, const char *new_value,
                      const char *action, const char *outcome, struct err *e);
/* What was really sent: replaces the run's own line of the same product, SKU and field that has no good end yet, else
 * adds one. Does nothing without a run. */
enum rc db_run_change_sent(struct db_tx *tx, const struct run_change *c, struct err *e);
/* Lines of a product without an end, of any run: id, run_id, seller_sku, field, action. */
enum rc db_run_changes_open(struct db_tx *tx, const char *client_id, const char *source_id,
                            struct db_rows **rows, struct err *e);
/* Writes the end of one line; request_id and reason may be NULL. */
enum rc db_run_change_settle(struct db_tx *tx, const char *client_id, const char *run_id,
                             int64_t id, const char *outcome, const char *request_id,
                             const char *reason, struct err *e);

#endif
