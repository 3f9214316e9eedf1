/* db_request_key.h - first answers to requests that carry an Idempotency-Key. */
#ifndef DB_REQUEST_KEY_H
#define DB_REQUEST_KEY_H

#include "db.h"

#define REQUEST_KEY_CHARS_MAX 128

/* An answer as it was given. */
struct request_answer {
    int status;         /* 0 = there was none yet */
    char location[512]; /* "" = none */
    char *body;         /* JSON; NULL = none */
};
void db_request_answer_done(struct request_answer *a);
#define OWN_REQUEST_ANSWER __attribute__((cleanup(db_request_answer_done)))

/* What the first request with this key got. scope: the client, or DB_SYSTEM for paths without one. Requests with the
 * same key wait here for each other until their transactions end. RC_INVALID (422): the key came with another
 * request. */
enum rc db_request_key_find(struct db_tx *tx, const char *scope, const char *key,
                            const unsigned char digest[32], struct request_answer *out,
                            struct err *e);
/* Keeps the answer to a key that db_request_key_find did not know in this transaction. */
enum rc db_request_key_put(struct db_tx *tx, const char *scope, const char *key,
                           const unsigned char digest[32], const struct request_answer *answer,
                           struct err *e);

#endif
