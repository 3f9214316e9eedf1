/* db.h - PostgreSQL: pool, short named transactions, prepared statements, rows by column name. */
#ifndef DB_H
#define DB_H

#include "buf.h"
#include "sign.h"

#include <jansson.h>

struct db_pool;
/* Whether libpq understands the address. RC_INVALID with the field DATABASE_URL, in words that repeat nothing of it. */
enum rc db_url_check(const char *url, struct err *e);
struct db_tx;
struct db_rows;

/* Connects `size` connections lazily (one at once, to fail early). Every connection sets statement_timeout
 * (statement_ms), lock_timeout, idle_in_transaction_session_timeout and TimeZone UTC. */
enum rc db_pool_new(const char *url, int size, int statement_ms, const struct keyring *ring,
                    struct db_pool **out, struct err *e);
void db_pool_free(struct db_pool *pool);

/* Tenant of a transaction for row-level security: a client id, or DB_SYSTEM for work across tenants. */
#define DB_SYSTEM "*"

/* Borrows a connection (waits up to 5 s, then RC_DOWN) and begins; `name` is for logs and metrics.
 * RC_DOWN when the database is away. Blocks; one thread per transaction. */
enum rc db_tx_begin(struct db_pool *pool, const char *name, const char *tenant, struct db_tx **out,
                    struct err *e);
/* RC_OK only when the command tag said COMMIT. RC_UNSURE: the connection was lost during the commit. */
enum rc db_tx_commit(struct db_tx *tx, struct err *e);
/* Rolls back when still open, returns the connection, frees; NULL is fine. */
void db_tx_free(struct db_tx *tx);
static inline void db_tx_own(struct db_tx **tx)
{
    db_tx_free(*tx);
}
#define OWN_TX __attribute__((cleanup(db_tx_own)))

#define DB_ARGS_MAX 40
/* Arguments $1.. of one statement. Zero-initialise with DB_ARGS; pointers are borrowed until db_exec returns. */
struct db_args {
    int n;
    const char *values[DB_ARGS_MAX];
    int lengths[DB_ARGS_MAX];
    int formats[DB_ARGS_MAX];
    char numbers[DB_ARGS_MAX][32];
    char *owned[DB_ARGS_MAX]; /* freed by db_exec */
    bool failed;              /* out of memory or too many; db_exec answers RC_BUG */
};
#define DB_ARGS \
    {           \
        .n = 0  \
    }
void db_arg_text(struct db_args *a, const char *text); /* NULL = SQL NULL */
void db_arg_i64(struct db_args *a, int64_t value);
void db_arg_bool(struct db_args *a, bool value);
void db_arg_bytes(struct db_args *a, const void *data,
                  size_t len);                            /* bytea; data NULL = SQL NULL */
void db_arg_json(struct db_args *a, const json_t *value); /* jsonb text; NULL = SQL NULL */
void db_arg_time(struct db_args *a, int64_t us);          /* timestamptz; 0 = SQL NULL */
void db_arg_null(struct db_args *a);
void db_arg_text_array(struct db_args *a, const char *const *texts,
                       size_t n); /* text[]; NULL items allowed */
void db_arg_i64_array(struct db_args *a, const int64_t *values, size_t n);            /* bigint[] */
void db_arg_bytes_array(struct db_args *a, const struct buf *const *items, size_t n); /* bytea[] */

/* Runs one statement, prepared on this connection at first use (sql must be a string constant). rows may be
 * NULL. On an error the transaction is dead: free it. RC_DUPLICATE: unique violation (23505); RC_DOWN:
 * connection, serialization, deadlock, timeouts; RC_INVALID: check or foreign key violation; RC_BUG otherwise. */
enum rc db_exec(struct db_tx *tx, const char *sql, struct db_args *args, struct db_rows **rows,
                struct err *e);
/* Rows that INSERT/UPDATE/DELETE touched, by command tag, of the last db_exec of this transaction. */
int64_t db_affected(const struct db_tx *tx);

void db_rows_free(struct db_rows *rows);
static inline void db_rows_own(struct db_rows **rows)
{
    db_rows_free(*rows);
}
#define OWN_ROWS __attribute__((cleanup(db_rows_own)))
int db_rows_count(const struct db_rows *rows);
/* Cells by column name; an unknown column aborts (our bug). Texts are borrowed from rows; NULL cells give
 * NULL / 0 / false. */
const char *db_text(const struct db_rows *rows, int row, const char *column);
int64_t db_i64(const struct db_rows *rows, int row, const char *column);
bool db_bool(const struct db_rows *rows, int row, const char *column);
bool db_null(const struct db_rows *rows, int row, const char *column);
int64_t db_time(const struct db_rows *rows, int row,
                const char *column); /* microseconds; 0 for NULL */
/* bytea into *out (cleared first). */
enum rc db_bytes(const struct db_rows *rows, int row, const char *column, struct buf *out,
                 struct err *e);
/* json/jsonb parsed; new reference, NULL for SQL NULL or out of memory. */
json_t *db_json_new(const struct db_rows *rows, int row, const char *column);

/* COPY ... FROM STDIN inside a transaction: begin, any number of chunks of COPY text, end. */
enum rc db_copy_begin(struct db_tx *tx, const char *sql, struct err *e);
enum rc db_copy_data(struct db_tx *tx, const void *data, size_t len, struct err *e);
enum rc db_copy_end(struct db_tx *tx, struct err *e);

/* Seals with the tenant's data key (made at first use); place is bound as associated data. */
enum rc db_seal(struct db_tx *tx, const char *client_id, const char *table, const char *column,
                const char *row, const void *plain, size_t len, struct buf *out, struct err *e);
enum rc db_unseal(struct db_tx *tx, const char *client_id, const char *table, const char *column,
                  const char *row, const void *sealed, size_t len, struct buf *out, struct err *e);

/* Applies the built-in migrations in order under an advisory lock. RC_INVALID: the schema is newer than the
 * program. *applied may be NULL. */
enum rc db_migrate(struct db_pool *pool, int *applied, struct err *e);
/* The same; asks `stop` now and then while another process migrates, which may take a moment itself. RC_STOPPED when
 * it says yes: nothing was applied. */
enum rc db_migrate_until(struct db_pool *pool, bool (*stop)(void *user), void *user, int *applied,
                         struct err *e);
/* RC_OK when the schema is exactly this program's. */
enum rc db_migrate_check(struct db_pool *pool, struct err *e);

/* A notification listener with its own connection. wait: RC_OK and channel/payload, RC_BUSY on timeout,
 * RC_DOWN when the connection was lost (it reconnects at the next call). wake: from any thread. */
struct db_listener;
enum rc db_listener_new(const char *url, const char *channel, struct db_listener **out,
                        struct err *e);
enum rc db_listener_wait(struct db_listener *l, int timeout_ms, char *payload, size_t cap,
                         struct err *e);
void db_listener_wake(struct db_listener *l);
void db_listener_free(struct db_listener *l);

#endif
