/* notices.c - the committer of VTEX's notifications: one thread checks and writes all that waits in one transaction.
 *
 * A price table import says something of every SKU within seconds. Nothing of a notification is kept but which SKU it was
 * and what may have changed, so the work is one statement a batch, and a SKU named a hundred times is one row. */
#include "notices.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "db_values.h"
#include "log.h"
#include "metrics.h"
#include "sign.h"
#include "str.h"

#define BATCH_MAX 2048
#define CLIENTS_MAX 256
#define CLIENT_FRESH_US (5 * US_PER_S) /* a new secret counts after this at the latest */
#define CLIENT_RETRY_US (US_PER_S / 2) /* a wrong secret is looked up again after this */
#define NOTICES_STACK_BYTES ((size_t)256 << 10)

/* What is known of a client, or that there is none. */
struct notice_client {
    char client_id[68];
    bool known;
    unsigned char secret[SIGN_SHA256_BYTES];
    char account[64];
    char affiliate[16];
    int64_t read_us; /* monotonic; 0 = free */
};

struct notices {
    struct db_pool *pool;
    notices_finish finish;
    pthread_mutex_t lock;
    pthread_cond_t arrived;
    struct notice *first, *last;
    int waiting;
    bool stopping;
    pthread_t thread;
    /* the committer's own */
    struct notice_client clients[CLIENTS_MAX];
    int next_client;
    struct notice *batch[BATCH_MAX];
    int n_batch;
};

struct notice *notice_new(void)
{
    return calloc(1, sizeof(struct notice));
}

enum rc notices_put(struct notices *s, struct notice *n, struct err *e)
{
    bool fits;

    n->next = NULL;
    (void)pthread_mutex_lock(&s->lock);
    fits = s->waiting < LIMIT_NOTICES_WAITING && !s->stopping;
    if (fits) {
        if (s->last != NULL)
            s->last->next = n;
        else
            s->first = n;
        s->last = n;
        if (s->waiting++ == 0)
            (void)pthread_cond_signal(&s->arrived);
    }
    (void)pthread_mutex_unlock(&s->lock);
    if (fits)
        return RC_OK;
    metrics_add("connector_vtex_notices_total", "outcome=\"queue_full\"", 1);
    return err_set(e, RC_BUSY, "too many notifications wait for the database");
}

/* ---- who may say it ----------------------------------------------------------------------------- */

static struct notice_client *client_row(struct notices *s, const char *client_id)
{
    for (int i = 0; i < CLIENTS_MAX; i++)
        if (s->clients[i].read_us > 0 && strcmp(s->clients[i].client_id, client_id) == 0)
            return &s->clients[i];
    return NULL;
}

static enum rc client_read(struct notices *s, struct db_tx *tx, const char *client_id,
                           struct notice_client **out, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    OWN_BUF struct buf digest;
    struct db_args a = { 0 };
    struct notice_client *row = client_row(s, client_id);
    enum rc rc;

    buf_init(&digest, SIGN_SHA256_BYTES);
    db_arg_text(&a, client_id);
    rc = db_exec(tx,
                 "SELECT hook_secret_digest, vtex_account, vtex_affiliate_id FROM clients WHERE"
                 " client_id = $1 AND status = 'active' AND hook_secret_digest IS NOT NULL",
                 &a, &rows, e);
    if (rc == RC_OK && db_rows_count(rows) > 0)
        rc = db_bytes(rows, 0, "hook_secret_digest", &digest, e);
    if (rc != RC_OK)
        return rc;
    if (row == NULL) {
        row = &s->clients[s->next_client];
        s->next_client = (s->next_client + 1) % CLIENTS_MAX;
    }
    *row = (struct notice_client){ .read_us = clock_mono_us() };
    (void)str_copy(row->client_id, sizeof row->client_id, client_id);
    row->known = digest.len == SIGN_SHA256_BYTES;
    if (row->known) {
        const char *account = db_text(rows, 0, "vtex_account");
        const char *affiliate = db_text(rows, 0, "vtex_affiliate_id");

        memcpy(row->secret, digest.data, SIGN_SHA256_BYTES);
        (void)str_copy(row->account, sizeof row->account, account ? account : "");
        (void)str_copy(row->affiliate, sizeof row->affiliate, affiliate ? affiliate : "");
    }
    *out = row;
    return RC_OK;
}

static bool secret_fits(const struct notice_client *c, const struct notice *n)
{
    return c->known && sign_equal(c->secret, n->secret, SIGN_SHA256_BYTES);
}

/* The client as it is known, read again when that is old, or when the secret may be a new one. */
static enum rc client_of(struct notices *s, struct db_tx *tx, const struct notice *n,
                         struct notice_client **out, struct err *e)
{
    struct notice_client *row = client_row(s, n->client_id);
    int64_t age = row != NULL ? clock_mono_us() - row->read_us : 0;

    if (row == NULL || age > CLIENT_FRESH_US || (!secret_fits(row, n) && age > CLIENT_RETRY_US))
        return client_read(s, tx, n->client_id, out, e);
    *out = row;
    return RC_OK;
}

static bool other(const char *ours, const char *said)
{
    return said[0] != '\0' && ours[0] != '\0' && strcasecmp(ours, said) != 0;
}

/* 0: it counts. */
static int judge(const struct notice_client *c, const struct notice *n, const char **word)
{
    if (!secret_fits(c, n)) {
        *word = "outcome=\"wrong_secret\"";
        return 401;
    }
    if (n->malformed) {
        *word = "outcome=\"malformed\"";
        return 400;
    }
    if (other(c->account, n->account) || other(c->affiliate, n->affiliate)) {
        *word = "outcome=\"other_account\"";
        return 200;
    }
    return 0;
}

/* ---- the batch ---------------------------------------------------------------------------------- */

static int by_sku(const void *a, const void *b)
{
    const struct notice *x = *(struct notice *const *)a;
    const struct notice *y = *(struct notice *const *)b;
    int order = strcmp(x->client_id, y->client_id);

    if (order == 0)
        order = strcmp(x->sku, y->sku);
    return order != 0 ? order : (x->number > y->number) - (x->number < y->number);
}

/* Those that count, once for each SKU: the union of what they say, but the last word on being off sale. */
static size_t merge(struct notice **list, size_t n, const char **clients, const char **skus,
                    int64_t *parts)
{
    size_t kept = 0;

    qsort(list, n, sizeof *list, by_sku);
    for (size_t i = 0; i < n; i++) {
        int64_t said = list[i]->parts;

        if (kept > 0 && strcmp(clients[kept - 1], list[i]->client_id) == 0 &&
            strcmp(skus[kept - 1], list[i]->sku) == 0) {
            parts[kept - 1] =
                ((parts[kept - 1] | said) & ~(int64_t)NOTICE_OFF) | (said & NOTICE_OFF);
            continue;
        }
        clients[kept] = list[i]->client_id;
        skus[kept] = list[i]->sku;
        parts[kept++] = said;
    }
    return kept;
}

static enum rc write_batch(struct notices *s, struct db_tx *tx, struct err *e)
{
    struct notice *counts[BATCH_MAX];
    const char *clients[BATCH_MAX];
    const char *skus[BATCH_MAX];
    int64_t parts[BATCH_MAX];
    size_t n = 0;
    int64_t known = 0;
    enum rc rc = RC_OK;

    for (int i = 0; rc == RC_OK && i < s->n_batch; i++) {
        struct notice_client *c = NULL;
        const char *word = NULL;

        rc = client_of(s, tx, s->batch[i], &c, e);
        if (rc != RC_OK)
            break;
        s->batch[i]->status = judge(c, s->batch[i], &word);
        if (s->batch[i]->status != 0)
            metrics_add("connector_vtex_notices_total", word, 1);
        else
            counts[n++] = s->batch[i];
    }
    if (rc != RC_OK || n == 0)
        return rc;
    metrics_add("connector_vtex_notices_total", "outcome=\"taken\"", (int64_t)n);
    n = merge(counts, n, clients, skus, parts);
    rc = db_value_note_vtex(tx, clients, skus, parts, n, &known, e);
    metrics_add("connector_vtex_notices_skus_total", NULL, known);
    return rc;
}

static void answer(struct notices *s, enum rc rc)
{
    for (int i = 0; i < s->n_batch; i++) {
        int status = rc != RC_OK ? 503 : s->batch[i]->status == 0 ? 200 : s->batch[i]->status;

        s->finish(s->batch[i]->req, status);
        free(s->batch[i]);
    }
    s->n_batch = 0;
}

static void commit(struct notices *s)
{
    struct db_tx *tx = NULL;
    struct err e = { 0 };
    enum rc rc = db_tx_begin(s->pool, "vtex_notices", DB_SYSTEM, &tx, &e);

    if (rc == RC_OK)
        rc = write_batch(s, tx, &e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, &e);
    db_tx_free(tx);
    if (rc != RC_OK) {
        metrics_add("connector_vtex_notices_total", "outcome=\"not_stored\"", s->n_batch);
        LOG(LOG_WARN, "notices", "notifications could not be stored", LF_S("why", e.text),
            LF_I("n", s->n_batch));
    }
    answer(s, rc);
}

static void *committer(void *arg)
{
    struct notices *s = arg;

    (void)pthread_mutex_lock(&s->lock);
    while (s->first != NULL || !s->stopping) {
        if (s->first == NULL) {
            (void)pthread_cond_wait(&s->arrived, &s->lock);
            continue;
        }
        while (s->first != NULL && s->n_batch < BATCH_MAX) {
            struct notice *n = s->first;

            s->first = n->next;
            s->waiting--;
            n->number = s->n_batch;
            s->batch[s->n_batch++] = n;
        }
        if (s->first == NULL)
            s->last = NULL;
        (void)pthread_mutex_unlock(&s->lock);
        commit(s);
        (void)pthread_mutex_lock(&s->lock);
    }
    (void)pthread_mutex_unlock(&s->lock);
    return NULL;
}

enum rc notices_new(struct db_pool *pool, notices_finish finish, struct notices **out,
                    struct err *e)
{
    struct notices *s = calloc(1, sizeof *s);
    pthread_attr_t attr;
    bool made;

    if (s == NULL)
        return err_set(e, RC_DOWN, "out of memory for notifications");
    s->pool = pool;
    s->finish = finish;
    (void)pthread_mutex_init(&s->lock, NULL);
    (void)pthread_cond_init(&s->arrived, NULL);
    (void)pthread_attr_init(&attr);
    (void)pthread_attr_setstacksize(&attr, NOTICES_STACK_BYTES);
    made = pthread_create(&s->thread, &attr, committer, s) == 0;
    (void)pthread_attr_destroy(&attr);
    if (!made) {
        free(s);
        return err_set(e, RC_DOWN, "no thread for notifications");
    }
    *out = s;
    return RC_OK;
}

void notices_free(struct notices *s)
{
    if (s == NULL)
        return;
    (void)pthread_mutex_lock(&s->lock);
    s->stopping = true;
    (void)pthread_cond_signal(&s->arrived);
    (void)pthread_mutex_unlock(&s->lock);
    (void)pthread_join(s->thread, NULL);
    (void)pthread_cond_destroy(&s->arrived);
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}
