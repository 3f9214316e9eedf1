/* db/job.c - asks for work: one row a key, a shop's next due time, one notice a transaction.
 *
 * The row of shop_schedule is hot: every put and the holder of the shop want it. So a transaction only notes
 * which shops got work, and writes that last, in the order of the shops' ids. The row is locked even when nothing
 * changes in it: the holder locks it too before it decides that nothing is left to do, so neither misses the other. */
#include "db_job.h"

#include <string.h>

#include "db_run.h"
#include "pool.h"
#include "str.h"

#define LIMIT_TX_DUES 100000

static struct tx_due *due_find(struct db_tx *tx, const char *shop_id)
{
    for (int i = tx->n_dues - 1; i >= 0; i--)
        if (strcmp(tx->dues[i].shop_id, shop_id) == 0)
            return &tx->dues[i];
    return NULL;
}

static struct tx_due *due_add(struct db_tx *tx)
{
    if (tx->n_dues == tx->cap_dues) {
        int cap = tx->cap_dues == 0 ? 4 : tx->cap_dues * 2;
        struct tx_due *more =
            cap > LIMIT_TX_DUES ? NULL : realloc(tx->dues, (size_t)cap * sizeof *more);

        if (more == NULL)
            return NULL;
        tx->dues = more;
        tx->cap_dues = cap;
    }
    return &tx->dues[tx->n_dues++];
}

enum rc db_job_schedule(struct db_tx *tx, const char *client_id, const char *shop_id,
                        enum lane lane, int64_t delay_us, struct err *e)
{
    struct tx_due *known = due_find(tx, shop_id);
    struct tx_due fresh = { .lane = (int)lane, .delay_us = delay_us };

    if (known != NULL) {
        known->lane = (int)lane < known->lane ? (int)lane : known->lane;
        known->delay_us = delay_us < known->delay_us ? delay_us : known->delay_us;
        return RC_OK;
    }
    if (!str_copy(fresh.shop_id, sizeof fresh.shop_id, shop_id) ||
        !str_copy(fresh.client_id, sizeof fresh.client_id, client_id))
        return err_set(e, RC_BUG, "the id of a shop or client is too long for a job");
    known = due_add(tx);
    if (known == NULL)
        return err_set(e, RC_DOWN, "out of memory for the schedule of a transaction");
    *known = fresh;
    return RC_OK;
}

static int by_shop(const void *a, const void *b)
{
    return strcmp(((const struct tx_due *)a)->shop_id, ((const struct tx_due *)b)->shop_id);
}

enum rc job_flush(struct db_tx *tx, struct err *e)
{
    static const char SQL[] =
        "WITH d AS MATERIALIZED (SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])"
        "  AS u(shop_id, client_id, lane, delay)),"
        " up AS (INSERT INTO shop_schedule AS s (shop_id, client_id, lane, due_at)"
        "  SELECT shop_id, client_id, lane, now() + delay * interval '1 microsecond' FROM d"
        "  ON CONFLICT (shop_id) DO UPDATE SET due_at = least(s.due_at, excluded.due_at),"
        "  client_id = excluded.client_id,"
        "  lane = CASE WHEN s.due_at IS NULL THEN excluded.lane ELSE least(s.lane, excluded.lane) END"
        "  WHERE s.due_at IS NULL OR s.due_at > excluded.due_at OR s.lane > excluded.lane"
        "  OR s.client_id <> excluded.client_id)"
        " SELECT count(pg_notify('connector_jobs', shop_id)) FROM d";
    int n = tx->n_dues;
    const char **texts = calloc((size_t)n * 2, sizeof *texts);
    int64_t *numbers = calloc((size_t)n * 2, sizeof *numbers);
    struct db_args a = DB_ARGS;
    enum rc rc = RC_DOWN;

    tx->n_dues = 0;
    if (texts == NULL || numbers == NULL) {
        err_set(e, RC_DOWN, "out of memory for the schedule of a transaction");
        goto out;
    }
    qsort(tx->dues, (size_t)n, sizeof *tx->dues, by_shop);
    for (int i = 0; i < n; i++) {
        texts[i] = tx->dues[i].shop_id;
        texts[n + i] = tx->dues[i].client_id;
        numbers[i] = tx->dues[i].lane;
        numbers[n + i] = tx->dues[i].delay_us;
    }
    db_arg_text_array(&a, texts, (size_t)n);
    db_arg_text_array(&a, texts + n, (size_t)n);
    db_arg_i64_array(&a, numbers, (size_t)n);
    db_arg_i64_array(&a, numbers + n, (size_t)n);
    rc = db_exec(tx, SQL, &a, NULL, e);
out:
    free(texts);
    free(numbers);
    return rc;
}

/* A waiting job that moves from one run to another ends its item in the first: that run would wait for ever. While
 * it runs, its own run is counted when it ends; only one that came after the claim is left here. The row is locked
 * before it is looked at: it may end just now. */
static enum rc leave_older_run(struct db_tx *tx, const struct db_job_key *key, struct err *e)
{
    static const char SQL[] =
        "WITH j AS MATERIALIZED (SELECT run_id, state, claimed_run_id FROM jobs WHERE shop_id = $1 AND kind = $2"
        "  AND entity = $3 FOR UPDATE)"
        " SELECT run_id FROM j WHERE run_id <> $4"
        " AND (state = 'ready' OR (state = 'running' AND run_id IS DISTINCT FROM claimed_run_id))";
    static const struct run_delta TAKEN_OVER = { .done = 1, .unchanged = 1 };
    struct db_args a = DB_ARGS;
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc = RC_OK;

    db_arg_text(&a, key->shop_id);
    db_arg_text(&a, key->kind);
    db_arg_text(&a, key->entity);
    db_arg_text(&a, key->run_id);
    rc = db_exec(tx, SQL, &a, &rows, e);
    if (rc != RC_OK || db_rows_count(rows) == 0)
        return rc;
    return db_run_progress(tx, key->client_id, db_text(rows, 0, "run_id"), &TAKEN_OVER, e);
}

enum rc db_job_leave_run(struct db_tx *tx, const char *shop_id, int64_t id, const char *run_id,
                         bool *left, struct err *e)
{
    struct db_args a = DB_ARGS;
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_i64(&a, id);
    db_arg_text(&a, run_id);
    rc = db_exec(
        tx,
        "UPDATE jobs SET run_id = NULL, claimed_run_id = NULL WHERE shop_id = $1 AND id = $2 AND run_id = $3"
        " RETURNING id",
        &a, &rows, e);
    if (rc == RC_OK)
        *left = db_rows_count(rows) > 0;
    return rc;
}

enum rc db_job_run_moved(struct db_tx *tx, const char *shop_id, int64_t id, const char *run_id,
                         bool *moved, struct err *e)
{
    struct db_args a = DB_ARGS;
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_i64(&a, id);
    db_arg_text(&a, run_id);
    rc = db_exec(tx, "SELECT 1 FROM jobs WHERE shop_id = $1 AND id = $2 AND run_id <> $3", &a,
                 &rows, e);
    if (rc == RC_OK)
        *moved = db_rows_count(rows) > 0;
    return rc;
}

enum rc db_job_put(struct db_tx *tx, const struct db_job_key *key, struct err *e)
{
    static const char SQL[] =
        "INSERT INTO jobs AS j (shop_id, kind, entity, client_id, lane, due_at, first_due_at, run_id, payload)"
        " VALUES ($1, $2, $3, $4, $5, now() + $6::bigint * interval '1 microsecond',"
        " now() + $6::bigint * interval '1 microsecond', $7, $8)" DB_JOB_ON_CONFLICT;
    struct db_args a = DB_ARGS;
    const char *run_id = key->run_id != NULL && key->run_id[0] != '\0' ? key->run_id : NULL;
    int64_t delay_us = key->delay_us > 0 ? key->delay_us : 0;
    enum rc rc = RC_OK;

    if (strlen(key->kind) >= sizeof((struct job *)0)->kind ||
        strlen(key->entity) >= sizeof((struct job *)0)->entity)
        return err_set(e, RC_INVALID, "the entity of a %s job is too long", key->kind);
    if (run_id != NULL) {
        rc = leave_older_run(tx, key, e);
        if (rc != RC_OK)
            return rc;
    }
    db_arg_text(&a, key->shop_id);
    db_arg_text(&a, key->kind);
    db_arg_text(&a, key->entity);
    db_arg_text(&a, key->client_id);
    db_arg_i64(&a, key->lane);
    db_arg_i64(&a, delay_us);
    db_arg_text(&a, run_id);
    db_arg_json(&a, key->payload);
    rc = db_exec(tx, SQL, &a, NULL, e);
    if (rc != RC_OK)
        return rc;
    return db_job_schedule(tx, key->client_id, key->shop_id, key->lane, delay_us, e);
}
