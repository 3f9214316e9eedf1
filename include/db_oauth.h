/* db_oauth.h - authorize states, exchanges of codes, signed links. */
#ifndef DB_OAUTH_H
#define DB_OAUTH_H

#include "db.h"

#define DB_OAUTH_STATE_S 600
#define DB_OAUTH_LINK_S (7 * 86400)

/* Keeps digests of a new state and of the cookie value of the browser that began. */
enum rc db_oauth_state_put(struct db_tx *tx, const char *client_id, const char *state,
                           const char *browser, struct err *e);
/* Uses a state up. RC_NOT_FOUND (code "bad_state") when it is unknown, used, expired or another browser's;
 * then nothing changed. Needs a transaction of DB_SYSTEM. */
enum rc db_oauth_state_use(struct db_tx *tx, const char *state, const char *browser,
                           char client_id[68], struct err *e);

/* Stores a code, sealed, with the job that uses it; makes the exchange's id. */
enum rc db_oauth_exchange_put(struct db_tx *tx, const char *client_id, const char *code,
                              char id[48], struct err *e);

struct exchange {
    char client_id[68];
    char status[16]; /* pending, connected, failed */
    json_t *shops;   /* list of {"shop_id","name"}; owned */
    json_t *problem; /* {"code","detail"} or NULL; owned */
    int64_t age_us;
};
/* RC_NOT_FOUND when there is none; needs a transaction of DB_SYSTEM. Free with db_exchange_done. */
enum rc db_oauth_exchange_get(struct db_tx *tx, const char *id, struct exchange *out,
                              struct err *e);
void db_exchange_done(struct exchange *x);

/* What is left to do for an exchange. */
struct exchange_work {
    bool ended;
    char *code;        /* owned; NULL when it was used before */
    char open_id[128]; /* grant that the code became; "" until then */
};
/* Takes the code out for its only use: opens it and wipes it in this transaction. Neither code nor open_id:
 * a process died while it used the code. The caller frees work->code (and wipes it). */
enum rc db_oauth_code_take(struct db_tx *tx, const char *client_id, const char *id,
                           struct exchange_work *out, struct err *e);
/* The code became this grant; in the transaction that stores the grant's tokens. */
enum rc db_oauth_exchange_grant(struct db_tx *tx, const char *client_id, const char *id,
                                const char *open_id, struct err *e);
/* The code was certainly not used: puts it back for another attempt. */
enum rc db_oauth_code_return(struct db_tx *tx, const char *client_id, const char *id,
                             const char *code, struct err *e);
/* Ends a pending exchange: "connected" or "failed"; code/detail may be NULL. */
enum rc db_oauth_exchange_end(struct db_tx *tx, const char *client_id, const char *id,
                              const char *status, const char *const *shops, size_t n_shops,
                              const char *code, const char *detail, struct err *e);

/* A link token that lets its bearer begin an authorization for this client until *expires_us. */
enum rc db_oauth_link_make(struct db_tx *tx, const char *client_id, struct buf *out,
                           int64_t *expires_us, struct err *e);
/* RC_DENIED when the token was changed, is another client's, or has expired. */
enum rc db_oauth_link_check(struct db_tx *tx, const char *client_id, const char *link,
                            struct err *e);

#endif
