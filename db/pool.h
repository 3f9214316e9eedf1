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

enum tx_state { TX_OPEN, TX_DEAD, TX_OVER };

struct db_tx {
    struct db_pool *pool;
    struct conn *conn;
    char name[48];
    int64_t started_us; /* clock_mono_us */
    int64_t affected;
    enum tx_state state;
    bool made_key; /* a data key of this transaction is not durable yet: keep it out of the cache */
};

/* Borrows a connection, open and alive; waits. Give it back with pool_return. */
enum rc pool_borrow(struct db_pool *pool, struct conn **out, bool *fresh, struct err *e);
void pool_return(struct db_pool *pool, struct conn *c);

#endif
