/* fetch.h - outgoing HTTP: one engine thread, limits on everything, an outcome for every end. */
#ifndef FETCH_H
#define FETCH_H

#include "buf.h"

#include <stdatomic.h>
#include <stdbool.h>

#define LIMIT_API_REPLY_BYTES ((size_t)8 << 20)
#define LIMIT_FEED_BYTES (INT64_C(2) << 30)
#define FETCH_HEADERS_MAX 12

enum fetch_policy {
    FETCH_PLATFORM, /* a host from the settings: any address, no redirects */
    FETCH_PUBLIC /* an address from data: public https on 443 only, an http one is asked for by https;
                       where private addresses are allowed, http and any port too; up to 3 redirects, each
                       treated the same */
};

/* Called on the engine thread with each piece of a 2xx body; must not block for long. Not RC_OK ends the
 * transfer with that outcome. */
typedef enum rc (*fetch_sink)(void *user, const void *data, size_t len, struct err *e);

struct fetch_req {
    const char *method; /* "GET", "POST", ... */
    const char *url;    /* absolute; all parts already escaped */
    enum fetch_policy policy;
    const char *headers[FETCH_HEADERS_MAX]; /* "Name: value" */
    int n_headers;
    const void *body; /* borrowed until fetch_run returns; NULL = none */
    size_t body_len;
    int connect_ms;            /* 0 = 5,000 */
    int total_ms;              /* 0 = 25,000 */
    int64_t reply_limit_bytes; /* 0 = LIMIT_API_REPLY_BYTES; of the inflated body */
    bool accept_gzip;          /* ask for and undo Content-Encoding */
    fetch_sink sink;           /* NULL: the body is collected in the reply */
    void *sink_user;
    const atomic_bool *stop; /* ends the transfer when set; may be NULL */
    bool once;               /* never sent twice, also with GET (other methods never are anyway) */
};

struct fetch_reply {
    int status;
    struct buf body;
    struct buf headers; /* "name: value\n" lines, names in lower case, of the last answer */
    int64_t body_bytes;
    int64_t ms;
    int64_t date_us; /* the Date header; 0 = none */
    char final_url[4096];
};

struct fetch;
/* Starts the engine thread. allow_private: ALLOW_PRIVATE_ADDRESSES. */
enum rc fetch_new(bool allow_private, struct fetch **out, struct err *e);
/* Ends all transfers (RC_STOPPED), joins the thread. */
void fetch_free(struct fetch *f);
/* Runs one transfer; blocks the caller, any thread. RC_OK: a complete HTTP answer of any status came.
 * RC_DOWN: nothing was sent. RC_UNSURE: sent, but the answer is missing or cut. RC_INVALID: address refused
 * (code "url_blocked"), reply too large ("too_large"), too many redirects, bad URL. RC_STOPPED: stop was set
 * (code "not_sent" when the request had not gone out). A request other than GET and HEAD is never sent twice.
 * *out is valid only with RC_OK; free with fetch_reply_done. */
enum rc fetch_run(struct fetch *f, const struct fetch_req *req, struct fetch_reply *out,
                  struct err *e);
void fetch_reply_done(struct fetch_reply *reply);
/* Value of a reply header by lower-case name into dst; false when absent or too long. */
bool fetch_reply_header(const struct fetch_reply *reply, const char *name, char *dst, size_t cap);

#endif
