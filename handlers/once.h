/* once.h - requests that ask for work do it once for an Idempotency-Key. */
#ifndef ONCE_H
#define ONCE_H

#include "rest.h"

#include "db_request_key.h"

/* Key and digest of a request; an empty key when the caller gave none. */
struct once {
    char key[REQUEST_KEY_CHARS_MAX + 4];
    unsigned char digest[32];
    const char *scope;
    bool answered; /* the reply holds the first answer: nothing is left to do */
};

/* Reads the header; RC_INVALID when it is no usable key. scope is borrowed: the client, or DB_SYSTEM. */
enum rc once_read(const struct http_req *req, const char *scope, struct once *out, struct err *e);
/* once_read, then looks whether the request came before; once->answered when it did. First thing in the
 * transaction of the work. RC_INVALID (422): the key came with another request. */
enum rc once_begin(struct db_tx *tx, const struct http_req *req, const char *scope,
                   struct once *once, struct http_reply *reply, struct err *e);
/* Keeps the reply, which is complete, and commits the transaction of the work. */
enum rc once_commit(struct db_tx *tx, const struct once *once, const struct http_reply *reply,
                    struct err *e);

#endif
