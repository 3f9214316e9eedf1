/* sigv4.h - checks AWS Signature Version 4 on a request: the header form and the presigned form. */
#ifndef SIGV4_H
#define SIGV4_H

#include "buf.h"

#define SIGV4_WINDOW_US INT64_C(300000000)

/* Value of a request header by its name (case ignored), NULL when absent. */
typedef const char *(*sigv4_header)(const void *ctx, const char *name);

/* A request as it was received. Everything is borrowed. */
struct sigv4_request {
    const char *method; /* "POST" */
    const char *path;   /* raw, without the query */
    const char *query;  /* raw, "" when none */
    const void *body;
    size_t body_len;
    sigv4_header header;
    const void *ctx; /* for header */
};

/* Who may sign: one key. */
struct sigv4_key {
    const char *id, *secret; /* "" = nobody */
    const char *service;     /* "lambda"; any region is accepted */
};

/* RC_OK: `key` signed this very request, body included, at most SIGV4_WINDOW_US from now_us (microseconds UTC), and
 * every x-amz header of `must_sign` (NULL-terminated) that is present is covered. RC_DENIED with the code that AWS
 * uses (MissingAuthenticationTokenException, IncompleteSignatureException, UnrecognizedClientException,
 * InvalidSignatureException) and a text without any part of the signature; RC_BUG: no memory. A session token is
 * part of what is signed and is otherwise ignored. Streamed and unsigned payloads are refused. Any thread. */
enum rc sigv4_verify(const struct sigv4_request *req, const struct sigv4_key *key,
                     const char *const *must_sign, int64_t now_us, struct err *e);

#endif
