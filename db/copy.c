/* db/copy.c - COPY ... FROM STDIN inside a transaction, for bulk rows. */
#include "pool.h"

/* A COPY lasts as long as its source streams, which a statement's usual limit does not allow for. */
#define COPY_LIMIT_SQL "SET LOCAL statement_timeout = '40min'"

enum rc db_copy_begin(struct db_tx *tx, const char *sql, struct err *e)
{
    OWN_RESULT PGresult *res = NULL;
    enum rc rc = RC_OK;

    if (tx->state != TX_OPEN)
        return err_set(e, RC_BUG, "%s: copy in a transaction that is over", tx->name);
    rc = conn_simple(tx->conn, COPY_LIMIT_SQL, tx->conn->statement_ms, NULL, e);
    if (rc == RC_OK)
        rc = conn_simple(tx->conn, sql, tx->conn->statement_ms, &res, e);
    if (rc == RC_OK && PQresultStatus(res) != PGRES_COPY_IN)
        rc = err_set(e, RC_BUG, "%s: not a COPY FROM STDIN", tx->name);
    if (rc != RC_OK)
        tx->state = TX_DEAD;
    return rc;
}

enum rc db_copy_data(struct db_tx *tx, const void *data, size_t len, struct err *e)
{
    if (tx->state != TX_OPEN || len > INT32_MAX)
        return err_set(e, RC_BUG, "%s: copy data in a transaction that is over", tx->name);
    if (PQputCopyData(tx->conn->pg, data, (int)len) == 1)
        return RC_OK;
    tx->state = TX_DEAD;
    return conn_fail(tx->conn, NULL, tx->name, e);
}

enum rc db_copy_end(struct db_tx *tx, struct err *e)
{
    enum rc rc = RC_OK;

    if (tx->state != TX_OPEN)
        return err_set(e, RC_BUG, "%s: copy end in a transaction that is over", tx->name);
    if (PQputCopyEnd(tx->conn->pg, NULL) != 1) {
        tx->state = TX_DEAD;
        return conn_fail(tx->conn, NULL, tx->name, e);
    }
    for (;;) {
        PGresult *res = NULL;
        enum rc waited = conn_result(tx->conn, tx->conn->statement_ms + CONN_GRACE_MS, &res, e);

        if (waited != RC_OK)
            rc = waited;
        if (waited != RC_OK || res == NULL)
            break;
        if (rc == RC_OK)
            rc = conn_check(tx->conn, res, tx->name, e);
        PQclear(res);
    }
    if (rc == RC_OK)
        rc = conn_simple(tx->conn, "RESET statement_timeout", tx->conn->statement_ms, NULL, e);
    if (rc != RC_OK)
        tx->state = TX_DEAD;
    return rc;
}
