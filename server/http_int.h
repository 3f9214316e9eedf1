/* http_int.h - what the files of the listener share; nobody else includes it. */
#ifndef HTTP_INT_H
#define HTTP_INT_H

#include "http.h"

#include <pthread.h>
#include <stdatomic.h>

#define LIMIT_HEADER_BYTES ((size_t)32 << 10)
#define LIMIT_HEADER_FIELDS 100
#define LIMIT_REPLY_BYTES ((size_t)16 << 20)
#define LIMIT_QUEUED_CALLS 512

/* One header line as it stands in the connection's memory. */
struct http_field {
    const char *name;
    size_t name_len;
    const char *value;
    size_t value_len;
};

struct http_conn;
struct MHD_Connection;

struct http_principal {
    char text[96]; /* "token:backoffice" */
};

enum http_suspend { HTTP_CALL_RUNS, HTTP_CALL_SUSPENDED, HTTP_CALL_ENDED };

/* One request from its first line to its last byte. `req` is first: http_finish() casts back. */
struct http_call {
    struct http_req req;
    struct http_server *server;
    void *user; /* of the server, for handlers */
    const char *server_name;
    bool log_it;
    struct http_conn *conn; /* of http_watch.c */
    struct MHD_Connection *mhd;
    struct http_reply reply;
    struct http_call *next; /* in a queue of the pool */
    int64_t due_us;         /* when a delayed call is due, monotonic */
    struct buf body;
    size_t body_seen; /* bytes that came, kept or not */
    int n_fields;
    int64_t wait_us; /* of 429 */
    int finish_status;
    int sent_status;    /* 0 = no answer was given */
    atomic_int suspend; /* enum http_suspend */
    bool started;       /* the header was looked at */
    bool answered;      /* reply is final */
    bool refused;       /* answered on the socket; what still comes is thrown away */
    bool close_after;
    bool is_head;
    http_handler session; /* asked before the handler; NULL: the caller is known or needs not be */
    bool dispatched;      /* the handler runs or ran */
    const char *uri_at;   /* where the library's memory holds the address */
    size_t uri_len;
    char *uri; /* own copy of path and query; the path ends at the '?' */
    struct http_principal who;
    char allow[48];
    struct http_field fields[LIMIT_HEADER_FIELDS];
};

/* ---- http_guard.c: what a request line and its headers may look like ---------------------------- */

/* Where the raw header block starts in memory, for the check that no byte of it was skipped. */
struct http_block {
    const char *version; /* "HTTP/1.1", terminated */
    const char *end;     /* first byte after the empty line */
    bool known_layout;   /* the listener's library keeps the bytes in place */
};
/* A method is a token, a path visible ASCII; a query may hold more, but no blank or control byte. */
bool http_guard_line(const char *method, const char *path, const char *query);
/* 0 = fine, else the status to refuse with; *why is a constant word for the log. */
int http_guard_check(const struct http_field *fields, int n, const struct http_block *block,
                     const char **why);
/* Announced body length: -1 when chunked, 0 when none. Only after http_guard_check. */
int64_t http_guard_body_length(const struct http_field *fields, int n);
const struct http_field *http_field_find(const struct http_field *fields, int n, const char *name);

/* ---- http_route.c: which row of the table, who may call it --------------------------------------- */

/* Fills req->route and params. 0 = found, else 404, or 405 with the list for Allow. */
int http_route_find(const struct http_server_cfg *cfg, struct http_req *req, bool method_known,
                    char *allow, size_t allow_cap);
/* Looks up the bearer token of the request, fills principal and scope. 0, 401 or 403. 0 with *session set: a cookie
 * may tell who asks; that is found out on a pool thread. */
int http_access_check(const struct http_server_cfg *cfg, struct http_req *req,
                      struct http_principal *who, http_handler *session);
/* Path for logs and problem documents: without the secrets that stand in some paths. */
void http_path_mask(const char *path, char *dst, size_t cap);

/* ---- http_reply.c -------------------------------------------------------------------------------- */

void http_reply_init(struct http_reply *reply);
void http_reply_done(struct http_reply *reply);
bool http_reply_has_header(const struct http_reply *reply, const char *name);
const char *http_status_text(int status);

/* ---- http_aws.c: errors as AWS SDKs read them ----------------------------------------------------- */

/* Paths whose callers are AWS SDKs. */
bool http_aws_path(const char *path);
/* Fills the empty reply from e. */
void http_aws_error(struct http_reply *reply, const struct http_req *req, const struct err *e,
                    int status);

/* ---- http_call.c --------------------------------------------------------------------------------- */

/* Makes the reply a problem document of this status. */
void http_call_problem(struct http_call *call, int status, const char *text);
/* Reads the method's name; HEAD counts as GET. False: none that routes use. */
bool http_call_method(struct http_call *call, const char *method);
/* A sentence for 401, 403, 404 and 405. */
const char *http_call_verdict_text(int status);
/* 0, or 429 when the token of the request has used up its share. */
struct http_rate;
int http_call_rate(struct http_call *call, struct http_rate *rate);
/* The one log line and the metrics of a request that is over. */
void http_call_log(const struct http_call *call);

/* ---- http_pool.c: threads for handlers that block ------------------------------------------------ */

struct http_pool;
/* done(call) is called once per call when call->reply is final, on a pool thread. */
enum rc http_pool_new(int threads, void (*done)(struct http_call *call), struct http_pool **out,
                      struct err *e);
/* False when the queue is full. */
bool http_pool_put(struct http_pool *pool, struct http_call *call);
/* Takes no more; delayed calls are answered at once; waits for the running ones. Put answers false from then on. */
void http_pool_stop(struct http_pool *pool);
/* Stops and frees; nobody may use it any more. */
void http_pool_free(struct http_pool *pool);
/* Runs the handler once and finishes the reply, also from an error; false when it wants to come again. */
bool http_call_run(struct http_call *call, bool last);

#endif
