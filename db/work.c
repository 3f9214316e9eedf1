/* db/work.c - the holder's side of jobs: claim in batches, end in batches, look when the next one is due. */
#include "db_work.h"

#include <string.h>

#include "str.h"

enum rc db_work_prepare(struct db_tx *tx, struct err *e)
{
    /* The table goes from empty to full and back faster than its statistics, and planning such a statement anew
     * costs more than running it: one plan, by index. */
    return db_exec(
        tx,
        "SELECT set_config('plan_cache_mode', 'force_generic_plan', true),"
        " set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true)",
        NULL, NULL, e);
}

static int64_t wait_of(const struct db_rows *rows)
{
    int64_t wait = 0;

    if (db_rows_count(rows) == 0 || db_null(rows, 0, "wait"))
        return -1;
    wait = db_i64(rows, 0, "wait");
    return wait < 0 ? 0 : wait;
}

enum rc db_work_next_job(struct db_tx *tx, const char *shop_id, int64_t *wait_us, struct err *e)
{
    /* One index probe a lane; a plain min() would walk all that waits. */
    static const char SQL[] =
        "SELECT (extract(epoch FROM min(x.due_at) - statement_timestamp()) * 1000000)::bigint AS wait"
        " FROM generate_series(0, 4) AS l(lane), LATERAL (SELECT due_at FROM jobs WHERE shop_id = $1"
        " AND state = 'ready' AND lane = l.lane::smallint ORDER BY due_at LIMIT 1) x"
        " WHERE NOT EXISTS (SELECT 1 FROM shop_schedule WHERE shop_id = $1 AND paused_reason IS NOT NULL"
        " AND (paused_until IS NULL OR paused_until > statement_timestamp()))";
    struct db_args a = DB_ARGS;
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc = RC_OK;

    db_arg_text(&a, shop_id);
    rc = db_exec(tx, SQL, &a, &rows, e);
    if (rc == RC_OK)
        *wait_us = wait_of(rows);
    return rc;
}

static void claim_read(const struct db_rows *rows, int i, int64_t token, struct work_claim *out)
{
    struct job *job = &out->job;

    out->suspect = db_i64(rows, i, "deaths") >= WORK_DEATHS_MAX - 1;
    job->id = db_i64(rows, i, "id");
    job->lane = (enum lane)db_i64(rows, i, "lane");
    job->generation = db_i64(rows, i, "generation");
    job->attempts = (int)db_i64(rows, i, "attempts");
    job->lease_token = token;
    job->first_due_us = db_time(rows, i, "first_due_at");
    job->payload = db_json_new(rows, i, "payload");
    (void)str_copy(job->client_id, sizeof job->client_id, db_text(rows, i, "client_id"));
    (void)str_copy(job->shop_id, sizeof job->shop_id, db_text(rows, i, "shop_id"));
    (void)str_copy(job->kind, sizeof job->kind, db_text(rows, i, "kind"));
    (void)str_copy(job->entity, sizeof job->entity, db_text(rows, i, "entity"));
    (void)str_copy(job->run_id, sizeof job->run_id, db_text(rows, i, "run_id"));
}

#define CLAIM_PICK \
    "SELECT id FROM jobs WHERE shop_id = $1 AND state = 'ready' AND due_at <= statement_timestamp()"

enum rc db_work_claim(struct db_tx *tx, const char *shop_id, int64_t token,
                      const struct work_room *room, struct work_claim **out, int *n, struct err *e)
{
    /* The lock on the schedule row keeps the lease ours until this is committed. */
    static const char SQL[] =
        "WITH f AS (SELECT 1 FROM shop_schedule WHERE shop_id = $1 AND lease_token = $2"
        "  AND (paused_reason IS NULL OR paused_until <= statement_timestamp()) FOR KEY SHARE),"
        " u AS MATERIALIZED (" CLAIM_PICK
        " AND lane <= 2 AND deaths < 2 ORDER BY lane, due_at LIMIT $3"
        "  FOR UPDATE SKIP LOCKED),"
        " b AS MATERIALIZED (" CLAIM_PICK " AND lane > 2 AND deaths < 2 ORDER BY lane, due_at"
        "  LIMIT least($4::bigint, greatest(0, $5::bigint - (SELECT count(*) FROM u))) FOR UPDATE SKIP LOCKED),"
        " s AS MATERIALIZED (" CLAIM_PICK
        " AND deaths >= 2 ORDER BY lane, due_at LIMIT $6 FOR UPDATE SKIP LOCKED),"
        " got AS (UPDATE jobs SET state = 'running', claimed_generation = generation, claimed_run_id = run_id, lease_token = $2,"
        "  attempts = CASE WHEN attempts_since > now() - interval '24 hours' THEN attempts + 1 ELSE 1 END,"
        "  attempts_since = CASE WHEN attempts > 0 AND attempts_since > now() - interval '24 hours'"
        "   THEN attempts_since ELSE now() END, updated_at = now()"
        "  WHERE shop_id = $1 AND EXISTS (SELECT 1 FROM f) AND id = ANY (ARRAY(SELECT id FROM u"
        "   UNION ALL SELECT id FROM b UNION ALL SELECT id FROM s))"
        "  RETURNING *)"
        " SELECT id, client_id, shop_id, kind, entity, lane, generation, attempts, deaths, first_due_at, run_id,"
        " payload FROM got ORDER BY lane, due_at, id";
    struct db_args a = DB_ARGS;
    OWN_ROWS struct db_rows *rows = NULL;
    struct work_claim *list = NULL;
    enum rc rc = RC_OK;

    db_arg_text(&a, shop_id);
    db_arg_i64(&a, token);
    db_arg_i64(&a, room->urgent);
    db_arg_i64(&a, room->bulk);
    db_arg_i64(&a, room->total);
    db_arg_i64(&a, room->suspect ? 1 : 0);
    rc = db_exec(tx, SQL, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    list = calloc((size_t)db_rows_count(rows) + 1, sizeof *list);
    if (list == NULL)
        return err_set(e, RC_DOWN, "out of memory for claimed jobs");
    for (int i = 0; i < db_rows_count(rows); i++)
        claim_read(rows, i, token, &list[i]);
    *n = db_rows_count(rows);
    *out = list;
    return RC_OK;
}

static void key_args(struct db_args *a, const char *shop_id, int64_t token)
{
    db_arg_text(a, shop_id);
    db_arg_i64(a, token);
}

enum rc db_work_done(struct db_tx *tx, const char *shop_id, int64_t token, const int64_t *ids,
                     size_t n, bool *again, struct err *e)
{
    static const char GONE[] =
        "WITH gone AS (DELETE FROM jobs WHERE shop_id = $1 AND id = ANY ($3::bigint[])"
        " AND state = 'running' AND lease_token = $2 AND generation = claimed_generation"
        " RETURNING 1) SELECT count(*) AS n FROM gone";
    static const char AGAIN[] =
        "UPDATE jobs SET state = 'ready', attempts = 0, deaths = 0, outcome = 'ok', problem = NULL,"
        " updated_at = now() WHERE shop_id = $1 AND id = ANY ($3::bigint[]) AND state = 'running'"
        " AND lease_token = $2";
    struct db_args a = DB_ARGS;
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc = RC_OK;

    key_args(&a, shop_id, token);
    db_arg_i64_array(&a, ids, n);
    rc = db_exec(tx, GONE, &a, &rows, e);
    if (rc != RC_OK || db_i64(rows, 0, "n") == (int64_t)n)
        return rc;
    *again = true;
    /* What was not deleted was asked for again while it ran: a second statement sees that. */
    key_args(&a, shop_id, token);
    db_arg_i64_array(&a, ids, n);
    return db_exec(tx, AGAIN, &a, NULL, e);
}

/* The columns of the list as one array argument each. */
static enum rc again_args(struct db_args *a, const struct work_again *list, size_t n, struct err *e)
{
    const char **texts = calloc(n * 5, sizeof *texts);
    int64_t *numbers = calloc(n * 2, sizeof *numbers);

    if (texts == NULL || numbers == NULL) {
        free(texts);
        free(numbers);
        return err_set(e, RC_DOWN, "out of memory for the ends of jobs");
    }
    for (size_t i = 0; i < n; i++) {
        numbers[i] = list[i].id;
        numbers[n + i] = list[i].delay_us;
        texts[i] = list[i].park ? "t" : "f";
        texts[n + i] = list[i].uncount ? "t" : "f";
        texts[2 * n + i] = list[i].fresh ? "t" : "f";
        texts[3 * n + i] = list[i].outcome;
        texts[4 * n + i] = list[i].problem;
    }
    db_arg_i64_array(a, numbers, n);
    db_arg_i64_array(a, numbers + n, n);
    for (size_t i = 0; i < 5; i++)
        db_arg_text_array(a, texts + i * n, n);
    free(texts);
    free(numbers);
    return RC_OK;
}

/* One that was asked for without a run while it ran, and did not get done, is still waited for by its run. */
enum rc db_work_again(struct db_tx *tx, const char *shop_id, int64_t token,
                      const struct work_again *list, size_t n, bool *touched, struct err *e)
{
    static const char SQL[] =
        "UPDATE jobs j SET"
        " state = CASE WHEN u.park AND j.generation = j.claimed_generation THEN 'parked' ELSE 'ready' END,"
        " due_at = CASE WHEN (u.park OR u.fresh) AND j.generation > j.claimed_generation THEN j.due_at"
        "  WHEN u.park THEN j.due_at ELSE statement_timestamp() + u.delay * interval '1 microsecond' END,"
        " first_due_at = CASE WHEN u.fresh THEN statement_timestamp() + u.delay * interval '1 microsecond'"
        "  ELSE j.first_due_at END,"
        " attempts = CASE WHEN u.fresh OR (u.park AND j.generation > j.claimed_generation) THEN 0"
        "  WHEN u.uncount THEN greatest(j.attempts - 1, 0) ELSE j.attempts END,"
        " deaths = CASE WHEN u.fresh THEN 0 ELSE j.deaths END,"
        " run_id = CASE WHEN u.fresh AND j.generation = j.claimed_generation THEN NULL WHEN u.fresh OR u.park THEN j.run_id"
        "  ELSE coalesce(j.run_id, j.claimed_run_id) END,"
        " payload = CASE WHEN u.fresh AND j.generation = j.claimed_generation THEN NULL ELSE j.payload END,"
        " outcome = u.outcome, problem = u.problem::jsonb, updated_at = now()"
        " FROM unnest($3::bigint[], $4::bigint[], $5::text[]::boolean[], $6::text[]::boolean[],"
        "  $7::text[]::boolean[], $8::text[], $9::text[])"
        "  AS u(id, delay, park, uncount, fresh, outcome, problem)"
        " WHERE j.shop_id = $1 AND j.id = u.id AND j.state = 'running' AND j.lease_token = $2 RETURNING j.id";
    struct db_args a = DB_ARGS;
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc = RC_OK;

    key_args(&a, shop_id, token);
    rc = again_args(&a, list, n, e);
    if (rc == RC_OK)
        rc = db_exec(tx, SQL, &a, &rows, e);
    if (rc != RC_OK || touched == NULL)
        return rc;
    for (size_t i = 0; i < n; i++) {
        touched[i] = false;
        for (int r = 0; r < db_rows_count(rows) && !touched[i]; r++)
            touched[i] = db_i64(rows, r, "id") == list[i].id;
    }
    return RC_OK;
}

enum rc db_work_orphans(struct db_tx *tx, const char *shop_id, int64_t token, const int64_t *ids,
                        size_t n, struct err *e)
{
    static const char SQL[] =
        "UPDATE jobs SET state = 'ready', due_at = statement_timestamp(), attempts = greatest(attempts - 1, 0),"
        " run_id = coalesce(run_id, claimed_run_id), updated_at = now() WHERE shop_id = $1 AND state = 'running' AND lease_token = $2"
        " AND NOT id = ANY ($3::bigint[])";
    struct db_args a = DB_ARGS;

    key_args(&a, shop_id, token);
    db_arg_i64_array(&a, ids, n);
    return db_exec(tx, SQL, &a, NULL, e);
}

/* Tells the schedule of every row {client_id, shop_id}. */
static enum rc schedule_rows(struct db_tx *tx, const struct db_rows *rows, enum lane lane,
                             struct err *e)
{
    enum rc rc = RC_OK;

    for (int i = 0; rc == RC_OK && i < db_rows_count(rows); i++)
        rc = db_job_schedule(tx, db_text(rows, i, "client_id"), db_text(rows, i, "shop_id"), lane,
                             0, e);
    return rc;
}

/* The safety net of others must not stay away: a periodic job that was quarantined tries again after a while. */
static enum rc periodic_revive(struct db_tx *tx, const char *kind, enum lane lane, struct err *e)
{
    static const char SQL[] =
        "UPDATE jobs SET state = 'ready', due_at = now(), deaths = 0, attempts = 0, updated_at = now()"
        " WHERE kind = $1 AND entity = '' AND state = 'parked' AND updated_at < now() - interval '5 minutes'"
        " RETURNING shop_id, client_id";
    struct db_args a = DB_ARGS;
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc = RC_OK;

    db_arg_text(&a, kind);
    rc = db_exec(tx, SQL, &a, &rows, e);
    return rc != RC_OK ? rc : schedule_rows(tx, rows, lane, e);
}

enum rc db_work_periodic(struct db_tx *tx, const char *kind, enum lane lane, struct err *e)
{
    static const char DROP[] =
        "DELETE FROM jobs j USING shops s JOIN clients c ON c.client_id = s.client_id WHERE j.kind = $1"
        " AND j.entity = '' AND j.state <> 'running' AND s.shop_id = j.shop_id"
        " AND (s.status <> 'connected' OR c.status <> 'active')";
    static const char MAKE[] =
        "INSERT INTO jobs (shop_id, kind, entity, client_id, lane) SELECT s.shop_id, $1, '', s.client_id, $2"
        " FROM shops s JOIN clients c ON c.client_id = s.client_id WHERE s.status = 'connected'"
        " AND c.status = 'active' AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.shop_id = s.shop_id"
        " AND j.kind = $1 AND j.entity = '') ON CONFLICT DO NOTHING RETURNING shop_id, client_id";
    struct db_args a = DB_ARGS;
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc = RC_OK;

    db_arg_text(&a, kind);
    rc = db_exec(tx, DROP, &a, NULL, e);
    if (rc != RC_OK)
        return rc;
    db_arg_text(&a, kind);
    db_arg_i64(&a, lane);
    rc = db_exec(tx, MAKE, &a, &rows, e);
    if (rc == RC_OK)
        rc = schedule_rows(tx, rows, lane, e);
    return rc != RC_OK ? rc : periodic_revive(tx, kind, lane, e);
}

enum rc db_work_periodic_system(struct db_tx *tx, const char *kind, enum lane lane, struct err *e)
{
    static const char SQL[] =
        "INSERT INTO jobs (shop_id, kind, entity, client_id, lane) VALUES ('" WORK_SYSTEM_SHOP
        "', $1, '', '*', $2)"
        " ON CONFLICT DO NOTHING RETURNING shop_id, client_id";
    struct db_args a = DB_ARGS;
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc = RC_OK;

    db_arg_text(&a, kind);
    db_arg_i64(&a, lane);
    rc = db_exec(tx, SQL, &a, &rows, e);
    if (rc == RC_OK)
        rc = schedule_rows(tx, rows, lane, e);
    return rc != RC_OK ? rc : periodic_revive(tx, kind, lane, e);
}

enum rc db_work_count(struct db_tx *tx, struct work_counts *out, struct err *e)
{
    static const char SQL[] =
        "SELECT count(*) FILTER (WHERE state = 'ready') AS ready, count(*) FILTER (WHERE state = 'running') AS running,"
        " count(*) FILTER (WHERE state = 'parked') AS parked,"
        " count(*) FILTER (WHERE state = 'ready' AND due_at <= now()) AS due,"
        " coalesce((extract(epoch FROM now() - min(due_at) FILTER (WHERE state = 'ready' AND due_at <= now()))"
        " * 1000000)::bigint, 0) AS oldest FROM jobs";
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc = db_exec(tx, SQL, NULL, &rows, e);

    if (rc == RC_OK)
        *out = (struct work_counts){ db_i64(rows, 0, "ready"), db_i64(rows, 0, "running"),
                                     db_i64(rows, 0, "parked"), db_i64(rows, 0, "due"),
                                     db_i64(rows, 0, "oldest") };
    return rc;
}
