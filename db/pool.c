/* db/pool.c - lends database connections: opened when first needed, checked when lent and when returned. */
#include "pool.h"

#include <stdatomic.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "metrics.h"
#include "str.h"

static enum rc pool_make(const char *url, int size, int statement_ms, const struct keyring *ring,
                         struct db_pool **out, struct err *e)
{
    struct db_pool *p = calloc(1, sizeof *p);
    pthread_condattr_t attr;

    if (p == NULL)
        return err_set(e, RC_DOWN, "out of memory for the database pool");
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&p->lock, NULL);
    (void)pthread_mutex_init(&p->key_lock, NULL);
    (void)pthread_cond_init(&p->returned, &attr);
    (void)pthread_condattr_destroy(&attr);
    p->url = str_dup(url);
    p->size = size < 1 ? 1 : size;
    p->statement_ms = statement_ms;
    p->ring = ring;
    p->conns = calloc((size_t)p->size, sizeof *p->conns);
    p->idle = calloc((size_t)p->size, sizeof *p->idle);
    p->keys = calloc(POOL_KEYS, sizeof *p->keys);
    if (p->url == NULL || p->conns == NULL || p->idle == NULL || p->keys == NULL) {
        db_pool_free(p);
        return err_set(e, RC_DOWN, "out of memory for the database pool");
    }
    for (int i = 0; i < p->size; i++)
        p->idle[p->n_idle++] = p->size - 1 - i;
    *out = p;
    return RC_OK;
}

enum rc db_pool_new(const char *url, int size, int statement_ms, const struct keyring *ring,
                    struct db_pool **out, struct err *e)
{
    static atomic_bool warned;
    struct db_pool *p = NULL;
    struct conn *first = NULL;
    bool fresh = false;
    enum rc rc = pool_make(url, size, statement_ms, ring, &p, e);

    if (rc != RC_OK)
        return rc;
    rc = pool_borrow(p, &first, &fresh, e);
    if (rc != RC_OK) {
        db_pool_free(p);
        return rc;
    }
    if (first->bypasses_rls && !atomic_exchange(&warned, true))
        LOG(LOG_WARN, "db",
            "the database role bypasses row-level security: use a role without SUPERUSER and BYPASSRLS");
    pool_return(p, first);
    *out = p;
    return RC_OK;
}

void db_pool_free(struct db_pool *pool)
{
    if (pool == NULL)
        return;
    for (int i = 0; pool->conns != NULL && i < pool->size; i++)
        conn_close(&pool->conns[i]);
    if (pool->keys != NULL)
        sign_wipe(pool->keys, POOL_KEYS * sizeof *pool->keys);
    (void)pthread_mutex_destroy(&pool->lock);
    (void)pthread_mutex_destroy(&pool->key_lock);
    (void)pthread_cond_destroy(&pool->returned);
    if (pool->url != NULL)
        sign_wipe(pool->url, strlen(pool->url));
    free(pool->url);
    free(pool->conns);
    free(pool->idle);
    free(pool->keys);
    free(pool);
}

static enum rc wait_for_slot(struct db_pool *pool, int *index, struct err *e)
{
    int wait_ms = pool->statement_ms < POOL_WAIT_MS ? pool->statement_ms : POOL_WAIT_MS;
    struct timespec until;
    int waited = 0;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    (void)pthread_mutex_lock(&pool->lock);
    while (pool->n_idle == 0 && waited == 0)
        waited = pthread_cond_timedwait(&pool->returned, &pool->lock, &until);
    *index = pool->n_idle == 0 ? -1 : pool->idle[--pool->n_idle];
    (void)pthread_mutex_unlock(&pool->lock);
    if (*index >= 0)
        return RC_OK;
    metrics_add("connector_db_pool_exhausted_total", NULL, 1);
    return err_code(e, RC_DOWN, "database_busy", "no database connection became free within %d ms",
                    wait_ms);
}

enum rc pool_borrow(struct db_pool *pool, struct conn **out, bool *fresh, struct err *e)
{
    int index = -1;
    struct conn *c = NULL;
    enum rc rc = wait_for_slot(pool, &index, e);

    if (rc != RC_OK)
        return rc;
    c = &pool->conns[index];
    *fresh = false;
    if (c->pg == NULL || !conn_alive(c)) {
        *fresh = true;
        rc = conn_open(c, pool->url, pool->statement_ms, e);
        if (rc != RC_OK) {
            pool_return(pool, c);
            return rc;
        }
    }
    *out = c;
    return RC_OK;
}

void pool_return(struct db_pool *pool, struct conn *c)
{
    int index = (int)(c - pool->conns);

    if (c->pg != NULL && (c->broken || PQstatus(c->pg) != CONNECTION_OK ||
                          PQtransactionStatus(c->pg) != PQTRANS_IDLE))
        conn_close(c);
    (void)pthread_mutex_lock(&pool->lock);
    if (c->pg != NULL) {
        pool->idle[pool->n_idle] = index;
    } else {
        memmove(pool->idle + 1, pool->idle, (size_t)pool->n_idle * sizeof *pool->idle);
        pool->idle[0] = index;
    }
    pool->n_idle++;
    (void)pthread_cond_signal(&pool->returned);
    (void)pthread_mutex_unlock(&pool->lock);
}
