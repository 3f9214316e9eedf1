/* conn.h - one database connection as db/ uses it: deadlines, prepared statements, outcome classes. */
#ifndef CONN_H
#define CONN_H

#include "db.h"

#include <libpq-fe.h>

#define CONN_CONNECT_S 4          /* wait for one host to accept */
#define CONN_GRACE_MS 400         /* the server's statement_timeout speaks first */
#define CONN_SERVER_MIN 140000    /* oldest PostgreSQL that is accepted */
#define LIMIT_CONN_STATEMENTS 768 /* prepared statements of one connection */

struct conn_stmt {
    const char *sql; /* the constant's address and ... */
    uint64_t hash;   /* ... the hash of its text are the key */
    unsigned number; /* the server knows it as "s<number>" */
};

/* One connection; pg is NULL while closed. One thread at a time. */
struct conn {
    PGconn *pg;
    int statement_ms;
    bool broken; /* close it instead of using it again */
    bool bypasses_rls;
    struct conn_stmt *stmts; /* open addressing, cap is a power of two */
    unsigned n_stmts, cap_stmts, last_number;
};

/* A result with one owner. */
static inline void conn_result_own(PGresult **res)
{
    PQclear(*res);
}
#define OWN_RESULT __attribute__((cleanup(conn_result_own)))

/* Opens with all session settings; closes a broken one first. RC_DOWN: not reached; RC_INVALID: the server
 * must not be used (fsync off, too old). Blocks up to CONN_CONNECT_S a host. */
enum rc conn_open(struct conn *c, const char *url, int statement_ms, struct err *e);
void conn_close(struct conn *c);
/* Whether an idle connection still looks alive; costs no round trip. */
bool conn_alive(struct conn *c);

/* The next result of what was sent, waiting up to wait_ms; *out is NULL at the end of a statement's results.
 * RC_DOWN: no answer in time or connection lost; the connection is broken then. */
enum rc conn_result(struct conn *c, int wait_ms, PGresult **out, struct err *e);
/* Results of a pipeline of n statements with one sync: results[i] owned by the caller, NULL where none came. */
enum rc conn_pipeline_results(struct conn *c, PGresult **results, int n, struct err *e);
/* Simple protocol, any number of statements, last result (may be NULL when not wanted). */
enum rc conn_simple(struct conn *c, const char *sql, int wait_ms, PGresult **out, struct err *e);
/* One statement with text parameters, not kept. */
enum rc conn_params(struct conn *c, const char *sql, int n, const char *const *values,
                    PGresult **out, struct err *e);
/* Turns a failed result (NULL: connection trouble) into an outcome; `what` begins the text. */
enum rc conn_fail(struct conn *c, const PGresult *res, const char *what, struct err *e);
/* RC_OK when the result is a success. */
enum rc conn_check(struct conn *c, const PGresult *res, const char *what, struct err *e);

/* Looks a statement up; NULL when it is not prepared here. */
const struct conn_stmt *conn_stmt_find(const struct conn *c, const char *sql, uint64_t hash);
/* Remembers that s<number> is prepared; false when there is no room. */
bool conn_stmt_add(struct conn *c, const char *sql, uint64_t hash, unsigned number);
uint64_t conn_hash(const char *text);

#endif
