/* db/tx.c - short named transactions, each for one tenant. */
#include "pool.h"

#include "clock.h"
#include "log.h"
#include "metrics.h"
#include "str.h"

#define TX_SLOW_US (INT64_C(1000) * US_PER_MS)

/* BEGIN and the tenant in one round trip. */
static enum rc send_begin(struct conn *c, const char *tenant, struct err *e)
{
    static const char TENANT[] = "SELECT set_config('connector.tenant', $1, true)";
    PGresult *res[2] = { NULL, NULL };
    const char *values[] = { tenant };
    enum rc rc = RC_OK;

    if (PQenterPipelineMode(c->pg) != 1 ||
        PQsendQueryParams(c->pg, "BEGIN", 0, NULL, NULL, NULL, NULL, 0) != 1 ||
        PQsendQueryParams(c->pg, TENANT, 1, NULL, values, NULL, NULL, 0) != 1 ||
        PQpipelineSync(c->pg) != 1)
        return conn_fail(c, NULL, "begin", e);
    rc = conn_pipeline_results(c, res, 2, e);
    for (int i = 0; i < 2; i++) {
        if (rc == RC_OK)
            rc = conn_check(c, res[i], "begin", e);
        PQclear(res[i]);
    }
    if (rc != RC_OK)
        c->broken = true;
    return rc;
}

enum rc db_tx_begin(struct db_pool *pool, const char *name, const char *tenant, struct db_tx **out,
                    struct err *e)
{
    struct db_tx *tx = calloc(1, sizeof *tx);
    bool fresh = false;
    enum rc rc = RC_OK;

    if (tx == NULL)
        return err_set(e, RC_DOWN, "out of memory for a transaction");
    tx->pool = pool;
    tx->started_us = clock_mono_us();
    str_copy_cut(tx->name, sizeof tx->name, name);
    rc = pool_borrow(pool, &tx->conn, &fresh, e);
    if (rc != RC_OK) {
        free(tx);
        return rc;
    }
    rc = send_begin(tx->conn, tenant, e);
    if (rc == RC_DOWN && !fresh) {
        /* It died while it was idle; nothing of this transaction happened yet. */
        rc = conn_open(tx->conn, pool->url, pool->statement_ms, e);
        if (rc == RC_OK)
            rc = send_begin(tx->conn, tenant, e);
    }
    if (rc != RC_OK) {
        pool_return(pool, tx->conn);
        free(tx);
        return rc;
    }
    *out = tx;
    return RC_OK;
}

enum rc db_tx_commit(struct db_tx *tx, struct err *e)
{
    OWN_RESULT PGresult *res = NULL;
    struct conn *c = tx->conn;
    struct err lost = { 0 };
    enum rc rc = RC_OK;

    if (tx->state != TX_OPEN)
        return err_set(e, RC_BUG, "%s: commit of a transaction that is over", tx->name);
    if (tx->n_dues > 0) {
        rc = job_flush(tx, e);
        if (rc != RC_OK)
            return rc;
    }
    tx->state = TX_OVER;
    if (PQsendQuery(c->pg, "COMMIT") != 1) {
        (void)conn_fail(c, NULL, tx->name, NULL);
        return err_set(e, RC_UNSURE, "%s: the connection was lost at the commit", tx->name);
    }
    for (PGresult *next = NULL;;) {
        rc = conn_result(c, c->statement_ms + CONN_GRACE_MS, &next, &lost);
        if (rc != RC_OK || next == NULL)
            break;
        PQclear(res);
        res = next;
    }
    if (rc != RC_OK || c->broken || res == NULL)
        return err_set(e, RC_UNSURE, "%s: the connection was lost during the commit", tx->name);
    if (PQresultStatus(res) != PGRES_COMMAND_OK)
        return conn_fail(c, res, tx->name, e);
    if (!str_eq(PQcmdStatus(res), "COMMIT"))
        return err_set(e, RC_DOWN, "%s: the database rolled the transaction back", tx->name);
    return RC_OK;
}

void db_tx_free(struct db_tx *tx)
{
    char label[80];
    int64_t us = 0;

    if (tx == NULL)
        return;
    if (!tx->conn->broken && PQtransactionStatus(tx->conn->pg) != PQTRANS_IDLE) {
        struct err ignored = { 0 };

        /* A failed rollback leaves the connection in a transaction; pool_return closes it then. */
        (void)conn_simple(tx->conn, "ROLLBACK", tx->conn->statement_ms, NULL, &ignored);
    }
    pool_return(tx->pool, tx->conn);
    us = clock_mono_us() - tx->started_us;
    (void)str_fmt(label, sizeof label, "name=\"%s\"", tx->name);
    metrics_observe_us("connector_db_tx_seconds", label, us);
    if (us > TX_SLOW_US)
        LOG(LOG_DEBUG, "db", "slow transaction", LF_S("tx", tx->name), LF_I("ms", us / US_PER_MS));
    free(tx->dues);
    free(tx);
}
