/* pool.h - what the files of db/ share about pools and transactions. */
#ifndef POOL_H
#define POOL_H

#include "conn.h"

#include <pthread.h>

#define POOL_WAIT_MS 5000
#define POOL_KEYS 1024 /* data keys kept open, one slot a hash */

struct pool_key {
    char client_id[68];
    unsigned char key[32];
};

struct db_pool {
    char *url;
    int size;
    int statement_ms;
    const struct keyring *ring;
    pthread_mutex_t lock;
    pthread_cond_t returned;
    struct conn *conns;
    int *idle; /* stack of indexes; open ones on top, so that spare ones stay unused */
    int n_idle;
    pthread_mutex_t key_lock;
    struct pool_key *keys;
};

/* A shop that got work in a transaction; told to shop_schedule and the workers at its end. */
struct tx_due {
    char shop_id[72];
    char client_id[68];
    int lane;
    int64_t delay_us;
};

enum tx_state { TX_OPEN, TX_DEAD, TX_OVER };

struct db_tx {
    struct db_pool *pool;
    struct conn *conn;
    char name[48];
    int64_t started_us; /* clock_mono_us */
    int64_t affected;
    enum tx_state state;
    struct tx_due *dues; /* heap */
    int n_dues, cap_dues;
    bool made_key; /* a data key of this transaction is not durable yet: keep it out of the cache */
};

/* Borrows a connection, open and alive; waits. Give it back with pool_return. */
enum rc pool_borrow(struct db_pool *pool, struct conn **out, bool *fresh, struct err *e);
void pool_return(struct db_pool *pool, struct conn *c);

/* Writes the dues of a transaction and notifies the workers; db_tx_commit does it last, so that the hot row of
 * a shop is locked for a moment only. */
enum rc job_flush(struct db_tx *tx, struct err *e);

#endif
