/* intake.h - the group committer: everything that arrived meanwhile in one transaction. */
#ifndef INTAKE_H
#define INTAKE_H

#include "db.h"
#include "http.h"

/* One verified event. Memory is the committer's after intake_put. */
struct intake_event {
    struct http_req *req;     /* suspended; ended with 200 after COMMIT or 503 */
    const char *source;       /* "tiktok", "vtex" */
    char key[80];             /* notification id, else "sha256:<hex>" of the raw body */
    unsigned char digest[32]; /* SHA-256 of the raw body */
    char shop_id[64];         /* as the event says; "" when unusable */
    int topic;                /* TikTok type number; -1 when unusable */
    char entity[64];          /* order id, product id, ... "" when none */
    char dead_reason[64];     /* not empty: stored as a dead letter with this reason */
    int64_t event_us;         /* the event's own time; 0 = unknown */
    char *body;               /* owned copy of the raw bytes */
    size_t body_len;
};

struct intake;
/* One committer thread with its own connection. */
enum rc intake_new(const char *database_url, struct intake **out, struct err *e);
/* Queues; RC_BUSY when the queue is full (answer 503). Never blocks; any thread. Takes ownership of ev. */
enum rc intake_put(struct intake *in, struct intake_event *ev, struct err *e);
/* Commits what waits, answers, joins. */
void intake_free(struct intake *in);

#endif
