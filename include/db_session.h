/* db_session.h - sessions of dashboard users and failed sign-ins. All need a transaction of DB_SYSTEM. */
#ifndef DB_SESSION_H
#define DB_SESSION_H

#include "db.h"

#define DB_SESSION_IDLE_S 1800
#define DB_SESSION_MAX_S 43200
#define DB_SIGN_IN_WAIT_MAX_S 60

struct session {
    char user_name[72];
    unsigned char fingerprint[32];
};
/* Keeps a new session and drops those that have ended. */
enum rc db_session_new(struct db_tx *tx, const unsigned char digest[32], const char *user_name,
                       const unsigned char fingerprint[32], struct err *e);
/* The session as long as it lives; notes that it was used (to the minute). RC_NOT_FOUND. */
enum rc db_session_find(struct db_tx *tx, const unsigned char digest[32], struct session *out,
                        struct err *e);
enum rc db_session_end(struct db_tx *tx, const unsigned char digest[32], struct err *e);

/* Seconds until the next try may come, 0 = now. Locks the key until the transaction ends. */
enum rc db_sign_in_wait(struct db_tx *tx, const unsigned char key[32], int64_t *wait_s,
                        struct err *e);
enum rc db_sign_in_failed(struct db_tx *tx, const unsigned char key[32], struct err *e);
/* Forgets the failures. */
enum rc db_sign_in_well(struct db_tx *tx, const unsigned char key[32], struct err *e);

#endif
