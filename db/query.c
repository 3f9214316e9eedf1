/* db/query.c - runs statements, prepared once a connection, and reads their rows by column name. */
#include "pool.h"

#include <string.h>

#include "clock.h"
#include "log.h"
#include "str.h"

struct db_rows {
    PGresult *res;
};

static void args_done(struct db_args *args)
{
    if (args == NULL)
        return;
    for (int i = 0; i < DB_ARGS_MAX && i < args->n; i++) {
        free(args->owned[i]);
        args->owned[i] = NULL;
    }
    args->n = 0;
}

/* Parse, bind and execute in one round trip; the statement is kept for the next time. */
static enum rc exec_first(struct db_tx *tx, const char *sql, uint64_t hash, const struct db_args *a,
                          PGresult **out, struct err *e)
{
    struct conn *c = tx->conn;
    PGresult *res[2] = { NULL, NULL };
    unsigned number = ++c->last_number;
    char name[16];
    enum rc rc = RC_OK;

    (void)str_fmt(name, sizeof name, "s%u", number);
    if (PQenterPipelineMode(c->pg) != 1 || PQsendPrepare(c->pg, name, sql, 0, NULL) != 1 ||
        PQsendQueryPrepared(c->pg, name, a->n, a->values, a->lengths, a->formats, 0) != 1 ||
        PQpipelineSync(c->pg) != 1)
        return conn_fail(c, NULL, tx->name, e);
    rc = conn_pipeline_results(c, res, 2, e);
    if (rc == RC_OK)
        rc = conn_check(c, res[0], tx->name, e);
    if (rc == RC_OK && !conn_stmt_add(c, sql, hash, number))
        c->broken = true; /* it works, but has no place to be remembered in: start afresh later */
    PQclear(res[0]);
    *out = res[1];
    return rc;
}

static enum rc exec_again(struct db_tx *tx, unsigned number, const struct db_args *a,
                          PGresult **out, struct err *e)
{
    struct conn *c = tx->conn;
    char name[16];

    (void)str_fmt(name, sizeof name, "s%u", number);
    if (PQsendQueryPrepared(c->pg, name, a->n, a->values, a->lengths, a->formats, 0) != 1)
        return conn_fail(c, NULL, tx->name, e);
    for (;;) {
        PGresult *res = NULL;
        enum rc rc = conn_result(c, c->statement_ms + CONN_GRACE_MS, &res, e);

        if (rc != RC_OK || res == NULL)
            return rc;
        PQclear(*out);
        *out = res;
    }
}

static enum rc run(struct db_tx *tx, const char *sql, const struct db_args *a, PGresult **out,
                   struct err *e)
{
    uint64_t hash = conn_hash(sql);
    const struct conn_stmt *known = conn_stmt_find(tx->conn, sql, hash);
    enum rc rc = known == NULL ? exec_first(tx, sql, hash, a, out, e)
                               : exec_again(tx, known->number, a, out, e);

    return rc != RC_OK ? rc : conn_check(tx->conn, *out, tx->name, e);
}

enum rc db_exec(struct db_tx *tx, const char *sql, struct db_args *args, struct db_rows **rows,
                struct err *e)
{
    static const struct db_args NONE = { 0 };
    OWN_RESULT PGresult *res = NULL;
    struct db_rows *made = NULL;
    int64_t n = 0;
    enum rc rc = RC_OK;

    if (tx->state != TX_OPEN)
        rc = err_set(e, RC_BUG, "%s: statement in a transaction that is over", tx->name);
    else if (args != NULL && args->failed)
        rc = err_set(e, RC_BUG, "%s: too many or too large arguments, or out of memory", tx->name);
    else
        rc = run(tx, sql, args == NULL ? &NONE : args, &res, e);
    args_done(args);
    if (rc != RC_OK) {
        if (tx->state == TX_OPEN)
            tx->state = TX_DEAD;
        return rc;
    }
    tx->affected = str_to_i64(PQcmdTuples(res), 0, INT64_MAX, &n) ? n : 0;
    if (rows == NULL)
        return RC_OK;
    made = calloc(1, sizeof *made);
    if (made == NULL) {
        tx->state = TX_DEAD;
        return err_set(e, RC_DOWN, "%s: out of memory for rows", tx->name);
    }
    made->res = res;
    res = NULL;
    db_rows_free(*rows);
    *rows = made;
    return RC_OK;
}

int64_t db_affected(const struct db_tx *tx)
{
    return tx->affected;
}

void db_rows_free(struct db_rows *rows)
{
    if (rows == NULL)
        return;
    PQclear(rows->res);
    free(rows);
}

int db_rows_count(const struct db_rows *rows)
{
    return PQntuples(rows->res);
}

static int column_of(const struct db_rows *rows, int row, const char *column)
{
    int i = PQfnumber(rows->res, column);

    if (i < 0 || row < 0 || row >= PQntuples(rows->res)) {
        LOG(LOG_ERROR, "db", "no such cell", LF_S("column", column), LF_I("row", row));
        abort();
    }
    return i;
}

const char *db_text(const struct db_rows *rows, int row, const char *column)
{
    int i = column_of(rows, row, column);

    return PQgetisnull(rows->res, row, i) ? NULL : PQgetvalue(rows->res, row, i);
}

bool db_null(const struct db_rows *rows, int row, const char *column)
{
    return PQgetisnull(rows->res, row, column_of(rows, row, column)) == 1;
}

int64_t db_i64(const struct db_rows *rows, int row, const char *column)
{
    const char *text = db_text(rows, row, column);
    int64_t value = 0;

    if (text == NULL)
        return 0;
    if (!str_to_i64(text, INT64_MIN, INT64_MAX, &value)) {
        LOG(LOG_ERROR, "db", "a number was expected", LF_S("column", column));
        abort();
    }
    return value;
}

bool db_bool(const struct db_rows *rows, int row, const char *column)
{
    const char *text = db_text(rows, row, column);

    return text != NULL && text[0] == 't';
}

int64_t db_time(const struct db_rows *rows, int row, const char *column)
{
    const char *text = db_text(rows, row, column);
    int64_t us = 0;

    if (text == NULL || !clock_read(text, &us))
        return 0;
    return us;
}

enum rc db_bytes(const struct db_rows *rows, int row, const char *column, struct buf *out,
                 struct err *e)
{
    const char *text = db_text(rows, row, column);
    unsigned char *plain = NULL;
    size_t len = 0;

    buf_clear(out);
    if (text == NULL)
        return RC_OK;
    plain = PQunescapeBytea((const unsigned char *)text, &len);
    if (plain == NULL)
        return err_set(e, RC_DOWN, "out of memory for bytes of column %s", column);
    buf_add(out, plain, len);
    PQfreemem(plain);
    return buf_check(out, e);
}

json_t *db_json_new(const struct db_rows *rows, int row, const char *column)
{
    const char *text = db_text(rows, row, column);

    return text == NULL ? NULL : json_loads(text, JSON_DECODE_ANY, NULL);
}
