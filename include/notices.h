/* notices.h - VTEX's change notifications: everything that arrived meanwhile in one transaction, one row per SKU. */
#ifndef NOTICES_H
#define NOTICES_H

#include "db.h"
#include "http.h"

#define LIMIT_NOTICES_WAITING 16384

enum { NOTICE_PRICE = 1, NOTICE_STOCK = 2, NOTICE_OFF = 4 };

/* One notification. Zero-initialise with notice_new; memory is the committer's after notices_put said RC_OK. */
struct notice {
    struct http_req *req; /* suspended; ended with 200, 400, 401 or 503 */
    char client_id[68];
    unsigned char secret[SIGN_SHA256_BYTES]; /* SHA-256 of what the path had */
    bool malformed;                          /* no usable SKU in it */
    char sku[24];                            /* VTEX SKU id */
    char account[64];                        /* as it says; "" = it does not */
    char affiliate[16];
    int64_t parts; /* NOTICE_... */
    int status;    /* the committer's own, as the next two */
    int number;    /* in its batch */
    struct notice *next;
};

struct notices;
/* Ends a suspended request; http_finish, or a test's own. */
typedef void (*notices_finish)(struct http_req *req, int status);
/* One committer thread; the pool stays the caller's. */
enum rc notices_new(struct db_pool *pool, notices_finish finish, struct notices **out,
                    struct err *e);
struct notice *notice_new(void); /* NULL when out of memory */
/* Queues; RC_BUSY when too many wait (answer 503; n stays the caller's). Never blocks; any thread. The secret is compared
 * before anything else counts: 401 for an unknown client and for a wrong secret alike. 200 after the COMMIT. */
enum rc notices_put(struct notices *s, struct notice *n, struct err *e);
/* Commits what waits, answers, joins. NULL is fine. */
void notices_free(struct notices *s);

#endif
