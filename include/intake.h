/* intake.h - the group committer: everything that arrived meanwhile in one transaction. */
#ifndef INTAKE_H
#define INTAKE_H

#include "db.h"
#include "http.h"

#define LIMIT_INTAKE_WAITING 4096
#define LIMIT_INTAKE_BYTES ((size_t)64 << 20)

/* One verified event. Zero-initialise; memory is the committer's after intake_put said RC_OK. */
struct intake_event {
    struct http_req *req;     /* suspended; ended with 200 after COMMIT or 503 */
    const char *source;       /* "tiktok", "vtex"; constant */
    char key[80];             /* notification id, else "sha256:<hex>" of the raw body */
    unsigned char digest[32]; /* SHA-256 of the raw body */
    char shop_id[64];         /* as the event says; "" when unusable */
    int topic;                /* TikTok type number; -1 when unusable */
    char entity[64];          /* order id, product id, ... "" when none */
    char *more_entities;      /* further ones, each ended by '\n'; owned; NULL = none */
    char dead_reason[64];     /* not empty: stored as a dead letter with this reason */
    int64_t event_us;         /* the event's own time; 0 = unknown */
    char *body;               /* owned copy of the raw bytes */
    size_t body_len;
    /* the committer's own: */
    struct intake_event *next;
    int64_t deadline_us; /* monotonic: answered 503 then */
    bool answered;
    int fate;
};

struct intake_event *intake_event_new(size_t body_len); /* NULL when out of memory */
void intake_event_free(struct intake_event *ev);

struct intake;
/* Ends a suspended request; http_finish, or a test's own. */
typedef void (*intake_finish)(struct http_req *req, int status);
/* One committer thread with its own connection, opened when first needed. */
enum rc intake_new(const char *database_url, struct intake **out, struct err *e);
enum rc intake_new_with(const char *database_url, intake_finish finish, struct intake **out,
                        struct err *e);
/* Queues; RC_BUSY when the queue is full (answer 503; ev stays the caller's). Never blocks; any thread. Every
 * queued event is answered within 2.5 s, whatever the database does. */
enum rc intake_put(struct intake *in, struct intake_event *ev, struct err *e);
/* Commits what waits, answers, joins. */
void intake_free(struct intake *in);

#endif
