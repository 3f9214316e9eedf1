/* db/secret.c - seals and opens columns with the tenant's own data key, which the key ring wraps. */
#include "pool.h"

#include <string.h>

#include "str.h"

#define LIMIT_WRAPPED_BYTES 4096

static struct pool_key *key_slot(struct db_pool *pool, const char *client_id)
{
    return &pool->keys[conn_hash(client_id) % POOL_KEYS];
}

static bool key_cached(struct db_pool *pool, const char *client_id, unsigned char key[32])
{
    const struct pool_key *slot = key_slot(pool, client_id);
    bool found = false;

    (void)pthread_mutex_lock(&pool->key_lock);
    found = strcmp(slot->client_id, client_id) == 0;
    if (found)
        memcpy(key, slot->key, sizeof slot->key);
    (void)pthread_mutex_unlock(&pool->key_lock);
    return found;
}

static void key_keep(struct db_pool *pool, const char *client_id, const unsigned char key[32])
{
    struct pool_key *slot = key_slot(pool, client_id);

    (void)pthread_mutex_lock(&pool->key_lock);
    if (str_copy(slot->client_id, sizeof slot->client_id, client_id))
        memcpy(slot->key, key, sizeof slot->key);
    (void)pthread_mutex_unlock(&pool->key_lock);
}

/* The client's wrapped key; empty when it has none yet. Locks the row when a key is about to be made. */
static enum rc wrapped_read(struct db_tx *tx, const char *client_id, bool lock, struct buf *out,
                            struct err *e)
{
    static const char READ[] = "SELECT data_key FROM clients WHERE client_id = $1";
    static const char LOCK[] =
        "SELECT data_key FROM clients WHERE client_id = $1 FOR NO KEY UPDATE";
    struct db_args a = DB_ARGS;
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc = RC_OK;

    db_arg_text(&a, client_id);
    rc = db_exec(tx, lock ? LOCK : READ, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_set(e, RC_NOT_FOUND, "there is no client %s", client_id);
    return db_bytes(rows, 0, "data_key", out, e);
}

static enum rc wrapped_make(struct db_tx *tx, const char *client_id, struct buf *out, struct err *e)
{
    static const char SQL[] = "UPDATE clients SET data_key = $2 WHERE client_id = $1";
    struct db_args a = DB_ARGS;
    enum rc rc = keyring_data_key_new(tx->pool->ring, client_id, out, e);

    if (rc != RC_OK)
        return rc;
    db_arg_text(&a, client_id);
    db_arg_bytes(&a, out->data, out->len);
    rc = db_exec(tx, SQL, &a, NULL, e);
    if (rc == RC_OK)
        tx->made_key = true;
    return rc;
}

static enum rc key_get(struct db_tx *tx, const char *client_id, bool make, unsigned char key[32],
                       struct err *e)
{
    OWN_BUF struct buf wrapped = { 0 };
    enum rc rc = RC_OK;

    if (tx->pool->ring == NULL)
        return err_set(e, RC_BUG, "this pool has no key ring");
    if (key_cached(tx->pool, client_id, key))
        return RC_OK;
    buf_init(&wrapped, LIMIT_WRAPPED_BYTES);
    rc = wrapped_read(tx, client_id, false, &wrapped, e);
    if (rc == RC_OK && wrapped.len == 0) {
        if (!make)
            return err_set(e, RC_DENIED, "client %s has no data key", client_id);
        rc = wrapped_read(tx, client_id, true, &wrapped, e);
        if (rc == RC_OK && wrapped.len == 0)
            rc = wrapped_make(tx, client_id, &wrapped, e);
    }
    if (rc == RC_OK)
        rc = keyring_data_key_open(tx->pool->ring, client_id, wrapped.data, wrapped.len, key, e);
    /* A key that this transaction made may yet be rolled back. */
    if (rc == RC_OK && !tx->made_key)
        key_keep(tx->pool, client_id, key);
    return rc;
}

static enum rc place(struct buf *out, const char *client_id, const char *table, const char *column,
                     const char *row, struct err *e)
{
    buf_init(out, 2048);
    buf_fmt(out, "%s\n%s\n%s\n%s", client_id, table, column, row);
    return buf_check(out, e);
}

enum rc db_seal(struct db_tx *tx, const char *client_id, const char *table, const char *column,
                const char *row, const void *plain, size_t len, struct buf *out, struct err *e)
{
    OWN_BUF struct buf aad = { 0 };
    unsigned char key[32];
    enum rc rc = place(&aad, client_id, table, column, row, e);

    if (rc == RC_OK)
        rc = key_get(tx, client_id, true, key, e);
    if (rc == RC_OK)
        rc = seal_bytes(key, buf_text(&aad), plain, len, out, e);
    sign_wipe(key, sizeof key);
    return rc;
}

enum rc db_unseal(struct db_tx *tx, const char *client_id, const char *table, const char *column,
                  const char *row, const void *sealed, size_t len, struct buf *out, struct err *e)
{
    OWN_BUF struct buf aad = { 0 };
    unsigned char key[32];
    enum rc rc = place(&aad, client_id, table, column, row, e);

    if (rc == RC_OK)
        rc = key_get(tx, client_id, false, key, e);
    if (rc == RC_OK)
        rc = seal_open(key, buf_text(&aad), sealed, len, out, e);
    sign_wipe(key, sizeof key);
    return rc;
}
