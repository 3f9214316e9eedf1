/* http.h - what a handler sees of HTTP; no libmicrohttpd type leaves server/http.c. */
#ifndef HTTP_H
#define HTTP_H

#include "buf.h"
#include "cfg.h"

#include <jansson.h>

#define HTTP_PARAMS_MAX 6
#define HTTP_REPLY_HEADERS_MAX 12

enum http_method { HTTP_GET, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE };

/* Who may call a route; every row of a route table names one. */
enum http_access {
    HTTP_OPEN, /* own checks in the handler (webhooks, OAuth, sandbox) */
    HTTP_READ, /* bearer token of scope read, sync or admin */
    HTTP_SYNC, /* sync or admin */
    HTTP_ADMIN /* admin */
};

struct http_req;
struct http_reply;
struct app;

/* Runs once with the whole body on a pool thread and may block on the database (never on a platform).
 * RC_OK: *reply is the answer. Otherwise the listener answers a problem document made from *e.
 * `user` is the server's user pointer (struct app *, or the sandbox's state). */
typedef enum rc (*http_handler)(void *user, struct http_req *req, struct http_reply *reply,
                                struct err *e);

struct http_route {
    enum http_method method;
    const char *pattern; /* "/v1/clients/{client_hash}/shops"; a parameter is one whole segment */
    enum http_access access;
    size_t body_limit_bytes; /* 0 = no body accepted (413 when one comes) */
    http_handler handler;
    const char *operation; /* operationId in docs/openapi.yaml; log and metrics label */
    bool raw;              /* runs on the network thread and must not block (webhook intake) */
};

struct http_param {
    const char *name; /* not terminated within pattern: compare with name_len */
    size_t name_len;
    char value[512]; /* percent-decoded, UTF-8, no control characters */
};

/* One request. Read-only for handlers; valid until the answer was given. */
struct http_req {
    enum http_method method;
    const char *path;  /* raw, as received, without the query */
    const char *query; /* raw, "" when none */
    const char *body;  /* bytes as received, terminated by an extra zero byte */
    size_t body_len;
    char id[40];   /* request id: log lines, X-Request-Id, problem documents */
    char peer[64]; /* address of the other end */
    const struct http_route *route;
    bool
        page; /* route is of the listener's pages: without a session the browser is led to sign in */
    struct http_param params[HTTP_PARAMS_MAX];
    int n_params;
    const char *principal;       /* "token:backoffice", NULL when the route is open */
    enum cfg_scope scope;        /* of the principal */
    const struct cfg_user *user; /* signed in with a session; NULL for tokens */
    int64_t started_us;          /* monotonic */
    int again;                   /* how often the handler asked to be called again */
    void *state;                 /* the handler's own, kept between calls; free in the last call */
    void *conn;                  /* the listener's own */
};

struct http_header {
    const char *name; /* constant */
    char *value;      /* owned by the reply */
};

struct http_reply {
    int status;               /* 200 when left 0 */
    const char *content_type; /* constant; NULL with an empty body */
    struct buf body;          /* limit 16 MiB */
    struct http_header headers[HTTP_REPLY_HEADERS_MAX];
    int n_headers;
    int again_ms;   /* > 0 with RC_OK: no answer yet, call the handler again after this long */
    bool suspended; /* raw routes: the answer comes later through http_finish() */
    bool drop;      /* close the connection without an answer (sandbox faults) */
    size_t drop_after_bytes; /* with drop: send this many bytes of the answer first */
};

const char *http_param(const struct http_req *req,
                       const char *name); /* "" when the pattern has none */
/* Request header by name (case ignored), NULL when absent. */
const char *http_header(const struct http_req *req, const char *name);
/* Query parameter decoded into dst; false when absent. RC-free: a bad escape counts as absent. */
bool http_query(const struct http_req *req, const char *name, char *dst, size_t cap);
/* How often the query parameter occurs. */
int http_query_count(const struct http_req *req, const char *name);
/* RC_INVALID naming the parameter unless every query key is in the NULL-terminated list. */
enum rc http_query_check(const struct http_req *req, const char *const *allowed, struct err *e);
/* Cookie value; false when absent. */
bool http_cookie(const struct http_req *req, const char *name, char *dst, size_t cap);
/* Body as a JSON object (an empty body gives an empty object when may_be_empty). Caller owns *out. */
enum rc http_body_json(const struct http_req *req, bool may_be_empty, json_t **out, struct err *e);

void http_reply_header(struct http_reply *reply, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Takes nothing; dumps value compactly as application/json. */
enum rc http_reply_json(struct http_reply *reply, int status, const json_t *value, struct err *e);
enum rc http_reply_html(struct http_reply *reply, int status, const char *html, struct err *e);
enum rc http_reply_redirect(struct http_reply *reply, int status, const char *location);
/* Fills a problem document (RFC 9457) from e. */
void http_reply_problem(struct http_reply *reply, const struct http_req *req, const struct err *e);

/* The listener (server/http.c). */
struct http_server;
struct http_server_cfg {
    const char *name;    /* "public", "ops", "sandbox": logs and metrics */
    const char *address; /* "127.0.0.1:8080", "[::1]:0"; port 0 picks one */
    const struct http_route *routes;
    int n_routes;
    const struct http_route *pages; /* a second table, looked at after the first; may be NULL */
    int n_pages;
    void *user;
    const struct cfg_token *tokens; /* for bearer access; NULL: only open routes work */
    int n_tokens;
    /* Who asks, when no token came but a cookie, or the route is a page: fills principal, scope and user, checks the
     * route's access, or answers by itself (status set). Runs before the handler on its thread. NULL: no sessions. */
    http_handler session;
    int rate_per_second; /* of each token; 0 = no limit */
    int pool_threads;    /* threads for blocking handlers */
    bool log_requests;
};
enum rc http_server_new(const struct http_server_cfg *cfg, struct http_server **out, struct err *e);
/* Whether this machine can listen on such an address, without listening. RC_INVALID: it is none. */
enum rc http_address_check(const char *address, struct err *e);
/* Version of the HTTP library that is loaded, when its header lines cannot be checked byte by byte; else NULL. */
const char *http_library_unknown(void);
int http_server_port(const struct http_server *s);
/* Stops accepting; running requests finish (up to grace_ms); then frees. */
void http_server_stop(struct http_server *s, int grace_ms);
/* Ends a suspended raw request with a status and an empty body; from any thread, exactly once. */
void http_finish(struct http_req *req, int status);

#endif
