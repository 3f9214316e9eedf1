/* db_rest.h - lists as the REST interface shows them: one JSON document a row, pages by cursor. */
#ifndef DB_REST_H
#define DB_REST_H

#include "db.h"

#define DB_REST_CURSOR_BYTES 320

/* A page. Free with rest_list_done. */
struct rest_list {
    json_t *items;                   /* array of documents; owned */
    char next[DB_REST_CURSOR_BYTES]; /* cursor of the following page, "" on the last */
};
void rest_list_done(struct rest_list *list);
#define OWN_LIST __attribute__((cleanup(rest_list_done)))

/* All take the cursor of the page ("" = first) and its size, 1..200. */

/* Ids (texts) of all clients; needs a transaction of DB_SYSTEM. */
enum rc db_rest_clients(struct db_tx *tx, const char *cursor, int limit, struct rest_list *out,
                        struct err *e);
enum rc db_rest_shops(struct db_tx *tx, const char *client_id, const char *cursor, int limit,
                      struct rest_list *out, struct err *e);

struct runs_filter {
    const char *kind;   /* NULL = all */
    const char *status; /* NULL = all */
};
/* Newest first. */
enum rc db_rest_runs(struct db_tx *tx, const char *client_id, const struct runs_filter *filter,
                     const char *cursor, int limit, struct rest_list *out, struct err *e);
/* One run of any client (transaction of DB_SYSTEM); new reference, RC_NOT_FOUND. client_id may be NULL. */
enum rc db_rest_run(struct db_tx *tx, const char *id, json_t **doc, char client_id[68],
                    struct err *e);
enum rc db_rest_run_changes(struct db_tx *tx, const char *client_id, const char *run_id,
                            const char *cursor, int limit, struct rest_list *out, struct err *e);
/* A run of the same kind and target ("live", "sandbox"), dry or not, that has not begun: its id, "" when there is none. *same: it was
 * asked for with the same parameters. */
enum rc db_rest_run_waiting(struct db_tx *tx, const char *client_id, const char *kind, bool dry_run,
                            const char *target, const json_t *params, char id[40], bool *same,
                            struct err *e);

/* The run that a request with this Idempotency-Key opened; "" when there is none. RC_INVALID (422) when the key
 * came with another request. */
enum rc db_rest_run_by_key(struct db_tx *tx, const char *client_id, const char *key,
                           const unsigned char digest[32], char id[40], struct err *e);
/* Remembers the key of the request that a run answers. */
enum rc db_rest_run_key_set(struct db_tx *tx, const char *client_id, const char *id,
                            const char *key, const unsigned char digest[32], struct err *e);
/* Drops the jobs of a run that do not run. */
enum rc db_rest_run_jobs_drop(struct db_tx *tx, const char *client_id, const char *run_id,
                              struct err *e);

enum rc db_rest_taxonomy(struct db_tx *tx, const char *client_id, const char *cursor, int limit,
                         struct rest_list *out, struct err *e);
/* One mapping; new reference, RC_NOT_FOUND. */
enum rc db_rest_taxonomy_get(struct db_tx *tx, const char *client_id, const char *source_category,
                             json_t **doc, struct err *e);
/* Sets a mapping and asks for the products of the category to be published again. */
enum rc db_rest_taxonomy_put(struct db_tx *tx, const char *client_id, const char *source_category,
                             const char *tiktok_category_id, const json_t *attributes,
                             const char *who, struct err *e);

struct events_filter {
    const char *state; /* stored, dead_letter, anomaly; NULL = all */
    int topic;         /* 0 = all */
};
/* Events of the client's shops, newest first; bodies are not shown. */
enum rc db_rest_events(struct db_tx *tx, const char *client_id, const struct events_filter *filter,
                       const char *cursor, int limit, struct rest_list *out, struct err *e);
/* The orders that a notification lists, each ended by '\n'. */
typedef enum rc (*event_orders)(const struct buf *body, struct buf *out, struct err *e);
/* Asks again for the work that an event stands for; `orders` reads the body of one that lists several orders.
 * RC_NOT_FOUND; 409 when it stands for none. */
enum rc db_rest_event_replay(struct db_tx *tx, const char *client_id, int64_t id,
                             event_orders orders, struct err *e);

/* Ends a pause that would end by itself (refused credentials), so that a person's retry is tried now. */
enum rc db_rest_shop_resume(struct db_tx *tx, const char *shop_id, struct err *e);

enum rest_log { REST_LOG_PRODUCT, REST_LOG_PRICE, REST_LOG_STOCK, REST_LOG_ORDER };
struct logs_filter {
    const char *entity; /* NULL = all */
    const char *run_id; /* NULL = all */
};
/* Newest first. */
enum rc db_rest_logs(struct db_tx *tx, const char *client_id, enum rest_log log,
                     const struct logs_filter *filter, const char *cursor, int limit,
                     struct rest_list *out, struct err *e);
enum rc db_rest_audit(struct db_tx *tx, const char *client_id, const char *cursor, int limit,
                      struct rest_list *out, struct err *e);

#endif
