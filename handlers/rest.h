/* rest.h - what the REST handlers share: the client of the path, transactions, pages of lists. */
#ifndef REST_H
#define REST_H

#include "app.h"
#include "handlers.h"

#define REST_PAGE_MAX 200
#define REST_PAGE_DEFAULT 50
#define REST_CURSOR_BYTES 512

/* client_hash of the path; RC_NOT_FOUND when it cannot be one. Borrowed from req. */
enum rc rest_client_hash(const struct http_req *req, const char **out, struct err *e);
/* Begins a transaction of the path's client; RC_NOT_FOUND when there is no such client. */
enum rc rest_begin(struct app *app, const struct http_req *req, const char *name,
                   const char **client_id, struct db_tx **tx, struct err *e);

/* A page that was asked for with ?limit=&cursor=. */
struct rest_page {
    int limit;
    char cursor[REST_CURSOR_BYTES]; /* "" = first page */
};
/* Checks the query against `allowed` (NULL-terminated; limit and cursor are always allowed). */
enum rc rest_page_read(const struct http_req *req, const char *const *allowed,
                       struct rest_page *out, struct err *e);
/* {"items", "next"} with a Link header when there is a next page. */
enum rc rest_page_reply(struct http_reply *reply, const struct http_req *req, const json_t *items,
                        const char *next, struct err *e);
/* Query parameter or NULL when absent; RC_INVALID when it is too long for dst. */
enum rc rest_query(const struct http_req *req, const char *name, char *dst, size_t cap,
                   const char **out, struct err *e);
/* A yes-or-no query parameter ("true", "false"), false when absent. */
enum rc rest_query_bool(const struct http_req *req, const char *name, bool *out, struct err *e);
/* Writes an audit row for the caller of the request. */
enum rc rest_audit(struct db_tx *tx, const struct http_req *req, const char *client_id,
                   const char *action, const json_t *detail, struct err *e);
/* 202 with Location for a run that was just opened: {"run_id", "status", "url"}. */
enum rc rest_run_accepted(struct app *app, struct http_reply *reply, const char *run_id,
                          struct err *e);
/* 400 when a body came that is not an empty object: the operation takes no members. */
enum rc rest_no_body(const struct http_req *req, struct err *e);
/* 400 when the operation takes no query and one came. */
enum rc rest_no_query(const struct http_req *req, struct err *e);

#endif
