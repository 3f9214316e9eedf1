/* db_order_hook.h - the order hook of a client in VTEX, the webhooks of its shops, and calls that VTEX makes to us. */
#ifndef DB_ORDER_HOOK_H
#define DB_ORDER_HOOK_H

#include "db_order.h"

struct order_hook {
    bool exists; /* a person asked for it once */
    bool wanted;
    bool replace_foreign;
    char state[16]; /* waiting, active, foreign, refused, deleted */
};
enum rc db_order_hook_get(struct db_tx *tx, const char *client_id, struct order_hook *out,
                          struct err *e);
/* A person wants the hook, or does not want it any more; puts the job (kind order_hook) of each connected shop. */
enum rc db_order_hook_want(struct db_tx *tx, const char *client_id, bool wanted,
                           bool replace_foreign, const char *who, struct err *e);
/* What was found or done in VTEX; found_url and problem NULL = none. configured: it was set now. */
enum rc db_order_hook_found(struct db_tx *tx, const char *client_id, const char *state,
                            const char *found_url, const char *problem, bool configured,
                            struct err *e);
/* VTEX called: a ping, or an event. */
enum rc db_order_hook_called(struct db_tx *tx, const char *client_id, bool ping, struct err *e);
/* The shop's webhooks as found: [{"event_type", "address", "ours"}]. */
enum rc db_shop_webhooks_set(struct db_tx *tx, const char *shop_id, const json_t *webhooks,
                             const char *problem, struct err *e);
/* As the REST interface shows it; new reference. RC_NOT_FOUND when no person asked for it. */
enum rc db_order_hook_json(struct db_tx *tx, const char *client_id, json_t **out, struct err *e);

/* The digest of an active client's hook secret (32 bytes). RC_NOT_FOUND: no such client, or none set. */
enum rc db_client_hook_digest(struct db_tx *tx, const char *client_id, unsigned char out[32],
                              struct err *e);
/* One call of VTEX about an order of ours, stored under its key; *fresh false: it came before. */
enum rc db_vtex_event_put(struct db_tx *tx, const char *shop_id, const char *order_id,
                          const char *key, const void *body, size_t body_len, bool *fresh,
                          struct err *e);
/* VTEX said that it cancels the order. */
enum rc db_order_vtex_cancel_told(struct db_tx *tx, const char *shop_id, const char *order_id,
                                  struct err *e);

#endif
