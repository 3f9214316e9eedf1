/* intake_batch.c - one transaction for a batch of events: dedupe keys, raw bodies, jobs, schedule.
 *
 * Mostly all events are new, so all of it is sent at once; a unique violation takes it back. Then, and for some
 * batches after, in two round trips: the keys first, because what they return decides what else is written; then the
 * rest with the COMMIT behind it. Jobs likewise: mostly none waits yet, and plain inserts cost a tenth less. Rows are written in the order of their keys, so that the committers of two replicas never wait
 * for each other in a circle. Only RETURNING says what is new: a distributed database counts wrongly. */
#include "intake_batch.h"

#include "clock.h"
#include "db_job.h"
#include "log.h"
#include "metrics.h"
#include "own.h"
#include "str.h"

#include <string.h>

#define CAREFUL_BATCHES \
    32 /* after a repeat (a job that was there), that many are not taken for new */

static const char NEW_KEYS_SQL[] =
    "INSERT INTO event_keys (source, shop_id, key, digest)"
    " SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[])";
static const char KEYS_SQL[] =
    "INSERT INTO event_keys (source, shop_id, key, digest)"
    " SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[])"
    " ON CONFLICT DO NOTHING RETURNING shop_id, source, key";
static const char KNOWN_SQL[] =
    "SELECT k.shop_id, k.source, k.key, encode(k.digest, 'hex') AS digest"
    " FROM unnest($1::text[], $2::text[], $3::text[]) AS u(source, shop_id, key)"
    " JOIN event_keys k ON k.shop_id = u.shop_id AND k.source = u.source AND k.key = u.key";
static const char EVENTS_SQL[] =
    "INSERT INTO events (source, shop_id, key, topic, entity, event_at, state, reason, body)"
    " SELECT source, shop_id, key, topic, entity,"
    " CASE WHEN event_us <> 0 THEN to_timestamp(event_us / 1000000.0) END, state, nullif(reason, ''), body"
    " FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::bigint[], $7::text[],"
    " $8::text[], $9::bytea[]) AS u(source, shop_id, key, topic, entity, event_us, state, reason, body)";
#define NEW_JOBS                                                                                       \
    "INSERT INTO jobs AS j (shop_id, kind, entity, client_id, lane, due_at, first_due_at)"             \
    " SELECT s.shop_id, u.kind, u.entity, s.client_id, u.lane, now(), now()"                           \
    " FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS u(shop_id, kind, entity, lane)" \
    " JOIN shops s ON s.shop_id = u.shop_id WHERE s.status <> 'disconnected'"                          \
    " ORDER BY s.shop_id, u.kind, u.entity"
static const char NEW_JOBS_SQL[] = NEW_JOBS;
static const char JOBS_SQL[] = NEW_JOBS DB_JOB_ON_CONFLICT;
/* The rule of job_flush (job.c): the row is locked even when nothing changes in it. A shop that withdrew ($3) is
 * not left paused: its tokens are to be wiped at once. */
static const char SCHEDULE_SQL[] =
    "WITH d AS MATERIALIZED (SELECT s.shop_id, s.client_id, u.lane FROM unnest($1::text[], $2::bigint[])"
    "  AS u(shop_id, lane) JOIN shops s ON s.shop_id = u.shop_id WHERE s.status <> 'disconnected'),"
    " up AS (INSERT INTO shop_schedule AS s (shop_id, client_id, lane, due_at)"
    "  SELECT shop_id, client_id, lane, now() FROM d ORDER BY shop_id"
    "  ON CONFLICT (shop_id) DO UPDATE SET due_at = least(s.due_at, excluded.due_at),"
    "  client_id = excluded.client_id,"
    "  lane = CASE WHEN s.due_at IS NULL THEN excluded.lane ELSE least(s.lane, excluded.lane) END,"
    "  paused_reason = CASE WHEN s.shop_id = ANY($3::text[]) AND s.paused_reason IS DISTINCT FROM 'client_inactive'"
    "   THEN NULL ELSE s.paused_reason END,"
    "  paused_until = CASE WHEN s.shop_id = ANY($3::text[]) AND s.paused_reason IS DISTINCT FROM 'client_inactive'"
    "   THEN NULL ELSE s.paused_until END"
    "  WHERE s.shop_id = ANY($3::text[]) OR s.due_at IS NULL OR s.due_at > excluded.due_at OR s.lane > excluded.lane"
    "  OR s.client_id <> excluded.client_id)"
    " SELECT count(pg_notify('connector_jobs', shop_id)) FROM d";

static const struct {
    const char *name;
    const char *sql;
} STATEMENTS[] = {
    { "intake_keys_new", NEW_KEYS_SQL }, { "intake_keys", KEYS_SQL },
    { "intake_known", KNOWN_SQL },       { "intake_events", EVENTS_SQL },
    { "intake_jobs_new", NEW_JOBS_SQL }, { "intake_jobs", JOBS_SQL },
    { "intake_schedule", SCHEDULE_SQL },
};

struct batch {
    struct conn *conn;
    struct intake_event
        *all[INTAKE_BATCH_MAX]; /* sorted by key; equal keys in the order of arrival */
    struct intake_event *unique[INTAKE_BATCH_MAX]; /* first of each key */
    struct intake_event *stored[INTAKE_BATCH_MAX];
    struct job_row *jobs;
    int n, n_unique, n_stored, n_jobs;
    bool jobs_new;    /* none of the jobs is expected to be there */
    bool jobs_waited; /* one of them was */
};

static void batch_done(struct batch *b)
{
    free(b->jobs);
}
#define OWN_BATCH __attribute__((cleanup(batch_done)))

static void args_done(struct db_args *a)
{
    for (int i = 0; i < a->n; i++)
        free(a->owned[i]);
}
#define OWN_ARGS __attribute__((cleanup(args_done)))

static int key_compare(const struct intake_event *a, const char *shop_id, const char *source,
                       const char *key)
{
    int order = strcmp(a->shop_id, shop_id);

    if (order == 0)
        order = strcmp(a->source, source);
    return order != 0 ? order : strcmp(a->key, key);
}

static int by_key(const void *a, const void *b)
{
    const struct intake_event *x = *(struct intake_event *const *)a;
    const struct intake_event *y = *(struct intake_event *const *)b;
    int order = key_compare(x, y->shop_id, y->source, y->key);

    if (order != 0)
        return order;
    return x->deadline_us < y->deadline_us ? -1 : x->deadline_us > y->deadline_us;
}

static bool same_key(const struct intake_event *a, const struct intake_event *b)
{
    return key_compare(a, b->shop_id, b->source, b->key) == 0;
}

static void batch_init(struct batch *b, struct conn *c, struct intake_event **events, int n)
{
    *b = (struct batch){ .conn = c, .n = n };
    memcpy(b->all, events, (size_t)n * sizeof *events);
    qsort(b->all, (size_t)n, sizeof *b->all, by_key);
    for (int i = 0; i < n; i++) {
        b->all[i]->fate = FATE_REPEAT;
        if (i == 0 || !same_key(b->all[i], b->all[i - 1]))
            b->unique[b->n_unique++] = b->all[i];
    }
}

static struct intake_event *unique_find(const struct batch *b, const char *shop_id,
                                        const char *source, const char *key)
{
    int low = 0;
    int high = b->n_unique - 1;

    while (low <= high) {
        int middle = (low + high) / 2;
        int order = key_compare(b->unique[middle], shop_id, source, key);

        if (order == 0)
            return b->unique[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle - 1;
    }
    return NULL;
}

/* ---- arguments ----------------------------------------------------------------------------------- */

enum column { COL_SOURCE, COL_SHOP, COL_KEY, COL_ENTITY, COL_STATE, COL_REASON };

static const char *text_of(const struct intake_event *ev, enum column column)
{
    switch (column) {
    case COL_SOURCE:
        return ev->source;
    case COL_SHOP:
        return ev->shop_id;
    case COL_KEY:
        return ev->key;
    case COL_ENTITY:
        return ev->entity;
    case COL_STATE:
        if (ev->fate == FATE_ANOMALY)
            return "anomaly";
        return ev->dead_reason[0] != 0 ? "dead_letter" : "stored";
    case COL_REASON:
        return ev->dead_reason;
    }
    return "";
}

static void arg_texts(struct db_args *a, struct intake_event *const *events, int n,
                      enum column column)
{
    const char *texts[INTAKE_BATCH_MAX];

    for (int i = 0; i < n; i++)
        texts[i] = text_of(events[i], column);
    db_arg_text_array(a, texts, (size_t)n);
}

static void arg_bytes(struct db_args *a, struct intake_event *const *events, int n, bool digest)
{
    struct buf bytes[INTAKE_BATCH_MAX];
    const struct buf *items[INTAKE_BATCH_MAX];

    for (int i = 0; i < n; i++) {
        char *data = digest ? (char *)events[i]->digest : events[i]->body;
        size_t len = digest ? sizeof events[i]->digest : events[i]->body_len;

        bytes[i] = (struct buf){ .data = data, .len = len };
        items[i] = &bytes[i];
    }
    db_arg_bytes_array(a, items, (size_t)n);
}

static void arg_numbers(struct db_args *a, struct intake_event *const *events, int n, bool topic)
{
    int64_t numbers[INTAKE_BATCH_MAX];

    for (int i = 0; i < n; i++)
        numbers[i] = topic ? events[i]->topic : events[i]->event_us;
    db_arg_i64_array(a, numbers, (size_t)n);
}

static bool send_prepared(struct batch *b, const char *name, const struct db_args *a)
{
    return !a->failed &&
           PQsendQueryPrepared(b->conn->pg, name, a->n, a->values, a->lengths, a->formats, 0) == 1;
}

static bool send_word(struct batch *b, const char *sql)
{
    return PQsendQueryParams(b->conn->pg, sql, 0, NULL, NULL, NULL, NULL, 0) == 1;
}

/* ---- first round trip: the keys ------------------------------------------------------------------ */

static bool keys_send(struct batch *b, const char *statement)
{
    OWN_ARGS struct db_args a = { 0 };

    arg_texts(&a, b->unique, b->n_unique, COL_SOURCE);
    arg_texts(&a, b->unique, b->n_unique, COL_SHOP);
    arg_texts(&a, b->unique, b->n_unique, COL_KEY);
    arg_bytes(&a, b->unique, b->n_unique, true);
    return send_word(b, "BEGIN") && send_prepared(b, statement, &a);
}

static enum rc keys_write(struct batch *b, struct err *e)
{
    OWN_RESULT PGresult *begun = NULL;
    OWN_RESULT PGresult *keys = NULL;
    PGresult *results[2] = { NULL, NULL };
    bool sent = PQenterPipelineMode(b->conn->pg) == 1 && keys_send(b, "intake_keys") &&
                PQpipelineSync(b->conn->pg) == 1;
    enum rc rc = sent ? conn_pipeline_results(b->conn, results, 2, e)
                      : conn_fail(b->conn, NULL, "intake", e);

    begun = results[0];
    keys = results[1];
    if (rc == RC_OK)
        rc = conn_check(b->conn, begun, "intake begin", e);
    if (rc == RC_OK)
        rc = conn_check(b->conn, keys, "intake keys", e);
    if (rc != RC_OK)
        return rc;
    for (int i = 0; i < PQntuples(keys); i++) {
        struct intake_event *ev =
            unique_find(b, PQgetvalue(keys, i, 0), PQgetvalue(keys, i, 1), PQgetvalue(keys, i, 2));

        if (ev != NULL)
            ev->fate = FATE_FRESH;
    }
    return RC_OK;
}

/* ---- repeats: same body or another one ----------------------------------------------------------- */

static void fate_from(struct intake_event *ev, const unsigned char digest[32])
{
    ev->fate = memcmp(ev->digest, digest, 32) == 0 ? FATE_REPEAT : FATE_ANOMALY;
}

/* Reads the digests of the keys that were there before. Each must be there, or nothing is known. */
static enum rc known_read(struct batch *b, struct err *e)
{
    struct intake_event *old[INTAKE_BATCH_MAX];
    OWN_ARGS struct db_args a = { 0 };
    PGresult *results[1] = { NULL };
    OWN_RESULT PGresult *known = NULL;
    int n = 0;
    enum rc rc = RC_OK;

    for (int i = 0; i < b->n_unique; i++) {
        if (b->unique[i]->fate != FATE_FRESH)
            old[n++] = b->unique[i];
    }
    if (n == 0)
        return RC_OK;
    arg_texts(&a, old, n, COL_SOURCE);
    arg_texts(&a, old, n, COL_SHOP);
    arg_texts(&a, old, n, COL_KEY);
    if (PQenterPipelineMode(b->conn->pg) != 1 || !send_prepared(b, "intake_known", &a) ||
        PQpipelineSync(b->conn->pg) != 1)
        return conn_fail(b->conn, NULL, "intake", e);
    rc = conn_pipeline_results(b->conn, results, 1, e);
    known = results[0];
    if (rc == RC_OK)
        rc = conn_check(b->conn, known, "intake known keys", e);
    if (rc != RC_OK)
        return rc;
    if (PQntuples(known) != n)
        return err_set(e, RC_DOWN, "a dedupe key went away while it was looked at");
    for (int i = 0; i < n; i++) {
        struct intake_event *ev = unique_find(b, PQgetvalue(known, i, 0), PQgetvalue(known, i, 1),
                                              PQgetvalue(known, i, 2));
        unsigned char digest[32];

        if (ev == NULL || !str_unhex(digest, sizeof digest, PQgetvalue(known, i, 3)))
            return err_set(e, RC_BUG, "a dedupe key came back changed");
        fate_from(ev, digest);
    }
    return RC_OK;
}

/* The later ones of the same batch with the same key. `first` still holds the digest that counts when it is
 * fresh; when it is itself an anomaly, a copy of it is an anomaly too, which is what happened. */
static void twins_judge(struct batch *b)
{
    const struct intake_event *first = NULL;

    for (int i = 0; i < b->n; i++) {
        struct intake_event *ev = b->all[i];

        if (first == NULL || !same_key(ev, first)) {
            first = ev;
            continue;
        }
        if (first->fate == FATE_ANOMALY)
            ev->fate = FATE_ANOMALY;
        else
            fate_from(ev, first->digest);
    }
}

/* ---- second round trip: events, jobs, schedule, COMMIT ------------------------------------------- */

static bool events_send(struct batch *b)
{
    OWN_ARGS struct db_args a = { 0 };

    arg_texts(&a, b->stored, b->n_stored, COL_SOURCE);
    arg_texts(&a, b->stored, b->n_stored, COL_SHOP);
    arg_texts(&a, b->stored, b->n_stored, COL_KEY);
    arg_numbers(&a, b->stored, b->n_stored, true);
    arg_texts(&a, b->stored, b->n_stored, COL_ENTITY);
    arg_numbers(&a, b->stored, b->n_stored, false);
    arg_texts(&a, b->stored, b->n_stored, COL_STATE);
    arg_texts(&a, b->stored, b->n_stored, COL_REASON);
    arg_bytes(&a, b->stored, b->n_stored, false);
    return send_prepared(b, "intake_events", &a);
}

static bool jobs_send(struct batch *b)
{
    OWN_STR char *memory = calloc((size_t)b->n_jobs, 3 * sizeof(char *) + sizeof(int64_t));
    const char **shops = (const char **)(void *)memory;
    const char **kinds = shops + b->n_jobs;
    const char **entities = kinds + b->n_jobs;
    int64_t *lanes = (int64_t *)(void *)(entities + b->n_jobs);
    OWN_ARGS struct db_args a = { 0 };

    if (memory == NULL)
        return false;
    for (int i = 0; i < b->n_jobs; i++) {
        shops[i] = b->jobs[i].shop_id;
        kinds[i] = b->jobs[i].job->kind;
        entities[i] = b->jobs[i].entity;
        lanes[i] = b->jobs[i].job->lane;
    }
    db_arg_text_array(&a, shops, (size_t)b->n_jobs);
    db_arg_text_array(&a, kinds, (size_t)b->n_jobs);
    db_arg_text_array(&a, entities, (size_t)b->n_jobs);
    db_arg_i64_array(&a, lanes, (size_t)b->n_jobs);
    return send_prepared(b, b->jobs_new ? "intake_jobs_new" : "intake_jobs", &a);
}

static bool schedule_send(struct batch *b)
{
    const char *shops[INTAKE_BATCH_MAX];
    const char *left[INTAKE_BATCH_MAX];
    int64_t lanes[INTAKE_BATCH_MAX];
    int n = 0;
    int n_left = 0;
    OWN_ARGS struct db_args a = { 0 };

    for (int i = 0; i < b->n_jobs; i++) {
        if (n == 0 || strcmp(shops[n - 1], b->jobs[i].shop_id) != 0) {
            shops[n] = b->jobs[i].shop_id;
            lanes[n++] = b->jobs[i].job->lane;
        } else if (b->jobs[i].job->lane < lanes[n - 1]) {
            lanes[n - 1] = b->jobs[i].job->lane;
        }
        if (b->jobs[i].job->unpauses)
            left[n_left++] = b->jobs[i].shop_id;
    }
    db_arg_text_array(&a, shops, (size_t)n);
    db_arg_i64_array(&a, lanes, (size_t)n);
    db_arg_text_array(&a, left, (size_t)n_left);
    return send_prepared(b, "intake_schedule", &a);
}

/* Every statement's result, then the one that counts: the tag of the COMMIT. */
static enum rc end_read(struct batch *b, int n, struct err *e)
{
    PGresult *results[6] = { NULL };
    struct err lost = { 0 };
    enum rc rc = conn_pipeline_results(b->conn, results, n, &lost);
    const char *tag = results[n - 1] != NULL ? PQcmdStatus(results[n - 1]) : "";

    if (rc != RC_OK || b->conn->broken) {
        b->conn->broken = true;
        rc = err_set(e, RC_UNSURE, "intake: the connection was lost during the commit");
    }
    for (int i = 0; i < n && rc == RC_OK; i++) {
        rc = conn_check(b->conn, results[i], "intake", e);
        if (rc == RC_DUPLICATE)
            b->jobs_waited = str_eq(PQresultErrorField(results[i], PG_DIAG_TABLE_NAME), "jobs");
    }
    if (rc == RC_OK && strcmp(tag, "COMMIT") != 0)
        rc = err_set(e, RC_BUG, "intake: the transaction ended with %s", tag);
    for (int i = 0; i < n; i++)
        PQclear(results[i]);
    return rc;
}

/* `whole`: with BEGIN and the keys in front, which then must all be new. */
static enum rc rest_write(struct batch *b, bool whole, struct err *e)
{
    int n = whole ? 2 : 0;
    bool sent =
        PQenterPipelineMode(b->conn->pg) == 1 && (!whole || keys_send(b, "intake_keys_new"));

    if (sent && whole) /* the database begins while the rest is made */
        (void)PQflush(b->conn->pg);

    for (int i = 0; i < b->n; i++) {
        if (b->all[i]->fate != FATE_REPEAT)
            b->stored[b->n_stored++] = b->all[i];
    }
    b->jobs = intake_jobs_new(b->stored, b->n_stored, &b->n_jobs);
    if (b->jobs == NULL)
        sent = false;
    if (sent && b->n_stored > 0) {
        sent = events_send(b);
        n++;
    }
    if (sent && b->n_jobs > 0) {
        sent = jobs_send(b) && schedule_send(b);
        n += 2;
    }
    sent = sent && send_word(b, "COMMIT") && PQpipelineSync(b->conn->pg) == 1;
    if (!sent) { /* no COMMIT left this process: closing the connection rolls back */
        (void)conn_fail(b->conn, NULL, "intake", e);
        b->conn->broken = true;
        return err_set(e, RC_DOWN, "intake: the batch could not be sent");
    }
    return end_read(b, n + 1, e);
}

static void count_fates(const struct batch *b)
{
    int counts[3] = { 0, 0, 0 };
    int dead = 0;

    for (int i = 0; i < b->n; i++) {
        const struct intake_event *ev = b->all[i];

        counts[ev->fate]++;
        dead += ev->fate == FATE_FRESH && ev->dead_reason[0] != 0;
        if (ev->fate == FATE_ANOMALY)
            LOG(LOG_ERROR, "intake", "a known notification id came with another body",
                LF_S("source", ev->source), LF_S("shop", ev->shop_id), LF_S("event", ev->key),
                LF_I("topic", ev->topic));
        else if (ev->fate == FATE_FRESH && ev->dead_reason[0] != 0)
            LOG(LOG_WARN, "intake", "unusable event kept as a dead letter",
                LF_S("source", ev->source), LF_S("event", ev->key),
                LF_S("reason", ev->dead_reason));
    }
    metrics_add("connector_events_total", "fate=\"fresh\"", counts[FATE_FRESH]);
    metrics_add("connector_events_total", "fate=\"repeat\"", counts[FATE_REPEAT]);
    metrics_add("connector_events_total", "fate=\"anomaly\"", counts[FATE_ANOMALY]);
    metrics_add("connector_events_dead_total", NULL, dead);
}

/* Leaves the connection without an open transaction, or marks it as broken. */
static void roll_back(struct conn *c)
{
    if (!c->broken && conn_simple(c, "ROLLBACK", INTAKE_STATEMENT_MS, NULL, NULL) != RC_OK)
        c->broken = true;
}

/* As if all were new, in one round trip. RC_DUPLICATE: not all are, nothing was written; *care says what to expect. */
static enum rc write_new(struct conn *c, struct intake_care *care, struct intake_event **events,
                         int n, struct err *e)
{
    OWN_BATCH struct batch b;
    enum rc rc = RC_OK;

    batch_init(&b, c, events, n);
    b.jobs_new = care->jobs == 0;
    for (int i = 0; i < b.n_unique; i++)
        b.unique[i]->fate = FATE_FRESH;
    twins_judge(&b);
    rc = rest_write(&b, true, e);
    if (rc == RC_OK)
        count_fates(&b);
    else
        roll_back(c);
    if (rc == RC_DUPLICATE)
        *(b.jobs_waited ? &care->jobs : &care->keys) = CAREFUL_BATCHES;
    return rc;
}

static enum rc write_any(struct conn *c, struct intake_event **events, int n, struct err *e)
{
    OWN_BATCH struct batch b;
    enum rc rc = RC_OK;

    batch_init(&b, c, events, n);
    rc = keys_write(&b, e);
    if (rc == RC_OK)
        rc = known_read(&b, e);
    if (rc == RC_OK) {
        twins_judge(&b);
        rc = rest_write(&b, false, e);
    }
    if (rc == RC_OK)
        count_fates(&b);
    else
        roll_back(c);
    return rc;
}

enum rc intake_batch_write(struct conn *c, struct intake_care *care, struct intake_event **events,
                           int n, struct err *e)
{
    enum rc rc = RC_DUPLICATE;

    care->jobs -= care->jobs > 0;
    care->keys -= care->keys > 0;
    if (care->keys == 0) {
        rc = write_new(c, care, events, n, e);
        if (rc == RC_DUPLICATE && care->keys == 0) /* only jobs were there already */
            rc = write_new(c, care, events, n, e);
    }
    return rc == RC_DUPLICATE ? write_any(c, events, n, e) : rc;
}

enum rc intake_batch_open(struct conn *c, const char *url, struct err *e)
{
    enum rc rc = conn_open(c, url, INTAKE_STATEMENT_MS, e);

    if (rc == RC_OK)
        rc = conn_simple(c, "SELECT set_config('connector.tenant', '*', false)",
                         INTAKE_STATEMENT_MS, NULL, e);
    for (size_t i = 0; i < sizeof STATEMENTS / sizeof STATEMENTS[0] && rc == RC_OK; i++) {
        OWN_RESULT PGresult *res = NULL;

        if (PQsendPrepare(c->pg, STATEMENTS[i].name, STATEMENTS[i].sql, 0, NULL) != 1)
            rc = conn_fail(c, NULL, "intake prepare", e);
        if (rc == RC_OK)
            rc = conn_result(c, INTAKE_STATEMENT_MS, &res, e);
        if (rc == RC_OK)
            rc = conn_check(c, res, "intake prepare", e);
        for (PGresult *rest = res; rc == RC_OK && rest != NULL;) {
            rc = conn_result(c, INTAKE_STATEMENT_MS, &rest, e);
            PQclear(rest);
        }
    }
    if (rc != RC_OK)
        conn_close(c);
    return rc;
}
