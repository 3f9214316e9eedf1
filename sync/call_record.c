/* call_record.c - keeps a row of every call to a platform; a write's row is committed before it is sent.
 *
 * Why before: when the process dies or the answer is lost, the row without an outcome says that something may
 * have happened there, and the job looks before it repeats. */
#include "sync.h"

#include "fault.h"
#include "log.h"
#include "str.h"

/* Test builds end the process at "call_attempt:createOrder" and the like. */
static void fault_at(const char *step, const char *operation)
{
#ifdef FAULT_POINTS
    char name[128];

    if (str_fmt(name, sizeof(name), "%s:%s", step, operation))
        fault_point(name);
#else
    (void)step;
    (void)operation;
#endif
}

static const char *shop_of(const struct job_ctx *ctx, const struct platform_call *call)
{
    return call->shop_id[0] != '\0' ? call->shop_id : ctx->job->shop_id;
}

/* $1..$11: what is known before an answer. */
static void add_known(struct db_args *a, const struct job_ctx *ctx,
                      const struct platform_call *call)
{
    const struct job *job = ctx->job;

    db_arg_text(a, shop_of(ctx, call));
    db_arg_time(a, call->started_us);
    db_arg_text(a, call->client_id);
    db_arg_text(a, call->peer);
    db_arg_text(a, call->operation);
    db_arg_text(a, call->method);
    db_arg_text(a, call->entity);
    db_arg_bool(a, call->writes);
    db_arg_text(a, job->kind);
    db_arg_text(a, job->entity);
    db_arg_text(a, job->run_id[0] != '\0' ? job->run_id : NULL);
}

/* The next seven: the answer. code is the caller's memory until the statement ran. */
static void add_answer(struct db_args *a, const struct platform_call *call, char code[32])
{
    bool is_text = call->platform_text[0] != '\0';

    if (!is_text && call->platform_code != 0)
        (void)str_fmt(code, 32, "%lld", (long long)call->platform_code); /* 20 digits fit */
    else
        (void)str_copy(code, 32, call->platform_text); /* same size as in struct vtex_reply */
    db_arg_text(a, rc_name(call->rc));
    if (call->http_status != 0)
        db_arg_i64(a, call->http_status);
    else
        db_arg_null(a);
    db_arg_text(a, code[0] != '\0' ? code : NULL);
    db_arg_text(a, call->request_id[0] != '\0' ? call->request_id : NULL);
    db_arg_i64(a, call->ms);
    db_arg_i64(a, call->bytes_out);
    db_arg_i64(a, call->bytes_in);
}

static enum rc record_before(void *user, struct platform_call *call, struct err *e)
{
    static const char SQL[] =
        "INSERT INTO outbound_calls (shop_id, id, started_at, client_id, peer, operation, method, "
        "entity, writes, job_kind, job_entity, run_id) "
        "SELECT $1, nextval('outbound_call_ids'), $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 "
        "WHERE $5 IN ('get_access_token', 'refresh_access_token') OR NOT EXISTS "
        "(SELECT 1 FROM clients WHERE client_id = $3 AND policies @> '{\"shadow\": true}') "
        "RETURNING id";
    struct job_ctx *ctx = user;
    OWN_TX struct db_tx *tx = NULL;
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    enum rc rc = job_tx_begin(ctx, "call_attempt", &tx, e);

    if (rc != RC_OK)
        return rc;
    add_known(&a, ctx, call);
    rc = db_exec(tx, SQL, &a, &rows, e);
    if (rc == RC_OK && db_rows_count(rows) != 1)
        rc = err_code(e, RC_INVALID, "shadow_mode",
                      "the client only looks on (policies.shadow): nothing was sent");
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc == RC_UNSURE) /* of our own row only: nothing was sent, so come again */
        rc = e->rc = RC_DOWN;
    if (rc != RC_OK)
        return rc;
    call->attempt_id = db_i64(rows, 0, "id");
    fault_at("call_attempt", call->operation);
    return RC_OK;
}

static enum rc finish_attempt(struct db_tx *tx, struct job_ctx *ctx,
                              const struct platform_call *call, struct err *e)
{
    static const char SQL[] =
        "UPDATE outbound_calls SET outcome = $4, http_status = $5, platform_code = $6, "
        "request_id = $7, ms = $8, bytes_out = $9, bytes_in = $10 "
        "WHERE shop_id = $1 AND started_at = $2 AND id = $3";
    struct db_args a = { 0 };
    char code[32] = "";

    db_arg_text(&a, shop_of(ctx, call));
    db_arg_time(&a, call->started_us);
    db_arg_i64(&a, call->attempt_id);
    add_answer(&a, call, code);
    return db_exec(tx, SQL, &a, NULL, e);
}

/* Reads leave nothing in doubt: their rows need not wait for the disk. */
static enum rc insert_read(struct db_tx *tx, struct job_ctx *ctx, const struct platform_call *call,
                           struct err *e)
{
    static const char SQL[] =
        "WITH relaxed AS (SELECT set_config('synchronous_commit', 'off', true)) "
        "INSERT INTO outbound_calls (shop_id, id, started_at, client_id, peer, operation, method, "
        "entity, writes, job_kind, job_entity, run_id, outcome, http_status, platform_code, "
        "request_id, ms, bytes_out, bytes_in) "
        "SELECT $1, nextval('outbound_call_ids'), $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, "
        "$13, $14, $15, $16, $17, $18 FROM relaxed";
    struct db_args a = { 0 };
    char code[32] = "";

    add_known(&a, ctx, call);
    add_answer(&a, call, code);
    return db_exec(tx, SQL, &a, NULL, e);
}

static void record_after(void *user, const struct platform_call *call)
{
    struct job_ctx *ctx = user;
    OWN_TX struct db_tx *tx = NULL;
    struct err e = { 0 };
    enum rc rc;

    fault_at("call_answered", call->operation);
    rc = db_tx_begin(ctx->db, "call_record", call->client_id, &tx, &e);
    if (rc == RC_OK && call->attempt_id != 0)
        rc = finish_attempt(tx, ctx, call, &e);
    else if (rc == RC_OK)
        rc = insert_read(tx, ctx, call, &e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, &e);
    if (rc !=
        RC_OK) /* the call itself is over and its outcome counts; nobody above could report this */
        LOG(LOG_WARN, "outbound", "a call was not recorded", LF_S("operation", call->operation),
            LF_S("reason", e.text));
    fault_at("call_recorded", call->operation);
}

struct platform_recorder call_recorder(struct job_ctx *ctx)
{
    return (
        struct platform_recorder){ .user = ctx, .before = record_before, .after = record_after };
}
