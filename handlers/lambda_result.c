/* lambda_result.c - what became of the work that a Lambda call asked for, and the last lines of its log. */
#include "lambda.h"

#include "clock.h"
#include "db_job.h"
#include "db_order.h"
#include "db_rest.h"
#include "jspec.h"
#include "str.h"

#include <string.h>

#define LIMIT_LOG_LINES 50
#define LIMIT_LOG_BYTES 3000 /* base64 of it fits a header */

void lambda_outcome_done(struct lambda_outcome *o)
{
    json_decref(o->payload);
    o->payload = NULL;
}

static void fail(struct lambda_outcome *o, const char *type, const char *text)
{
    o->finished = true;
    str_copy_cut(o->error_type, sizeof o->error_type, type != NULL ? type : "failed");
    str_copy_cut(o->error_text, sizeof o->error_text, text != NULL ? text : "the work failed");
}

static enum rc look_run(struct app *app, const struct lambda_call *call, struct lambda_outcome *o,
                        struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *doc = NULL;
    const char *status = NULL;
    enum rc rc = db_tx_begin(app->web_db, "lambda_run", DB_SYSTEM, &tx, e);

    if (rc == RC_OK)
        rc = db_rest_run(tx, call->run_id, &doc, NULL, e);
    if (rc != RC_OK)
        return rc;
    status = jspec_text(doc, "status");
    if (str_eq(status, "queued") || str_eq(status, "running"))
        return RC_OK;
    o->finished = true;
    if (str_eq(status, "failed") || str_eq(status, "cancelled")) {
        const char *code = jspec_text(doc, "problem.code");

        fail(o, code != NULL ? code : status, jspec_text(doc, "problem.detail"));
    }
    o->payload = json_incref(doc);
    return RC_OK;
}

static enum rc look_order(struct app *app, const struct lambda_call *call, struct lambda_outcome *o,
                          struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *problem = NULL;
    bool waits = false;
    enum rc rc = db_tx_begin(app->web_db, "lambda_order", call->client_id, &tx, e);

    if (rc == RC_OK)
        rc = db_job_waits(tx, call->client_id, call->function->job_kind, call->order_id, &waits,
                          &problem, e);
    if (rc != RC_OK || waits)
        return rc;
    rc = db_order_get_json(tx, call->client_id, call->order_id, &o->payload, e);
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;
    o->finished = true;
    if (problem != NULL)
        fail(o, jspec_text(problem, "code"), jspec_text(problem, "detail"));
    else if (rc == RC_NOT_FOUND)
        fail(o, "not_found", "there is no such order");
    else if (str_eq(jspec_text(o->payload, "state"), "failed"))
        fail(o, "order_failed", "the order could not be brought on");
    return RC_OK;
}

enum rc lambda_look(struct app *app, const struct lambda_call *call, struct lambda_outcome *out,
                    struct err *e)
{
    return call->function->result == LAMBDA_ORDER ? look_order(app, call, out, e)
                                                  : look_run(app, call, out, e);
}

/* ---- the log --------------------------------------------------------------------------------------- */

struct line {
    const json_t *row; /* borrowed */
    const char *log;
};

static int by_time(const void *a, const void *b)
{
    const char *x = jspec_text(((const struct line *)a)->row, "at");
    const char *y = jspec_text(((const struct line *)b)->row, "at");

    return strcmp(x != NULL ? x : "", y != NULL ? y : "");
}

static void add_line(struct buf *out, const struct line *line)
{
    static const char *const PARTS[] = { "entity", "outcome", "message" };

    buf_fmt(out, "%s\t%s", jspec_text(line->row, "at"), line->log);
    for (size_t i = 0; i < sizeof PARTS / sizeof PARTS[0]; i++) {
        const char *text = jspec_text(line->row, PARTS[i]);

        buf_fmt(out, "\t%s", text != NULL ? text : "-");
    }
    buf_char(out, '\n');
}

static enum rc add_rows(struct app *app, const struct lambda_call *call, struct buf *out,
                        struct err *e)
{
    static const char *const NAMES[] = { "product", "price", "stock", "order" };
    OWN_TX struct db_tx *tx = NULL;
    struct rest_list lists[4] = { { 0 } };
    struct line lines[4 * LIMIT_LOG_LINES];
    size_t n = 0;
    struct logs_filter filter = { .run_id = call->run_id[0] != '\0' ? call->run_id : NULL,
                                  .entity = call->order_id[0] != '\0' ? call->order_id : NULL };
    enum rc rc;

    if (filter.run_id == NULL && filter.entity == NULL)
        return RC_OK;
    rc = db_tx_begin(app->web_db, "lambda_log", call->client_id, &tx, e);
    for (int i = 0; rc == RC_OK && i < 4; i++) {
        const json_t *row;
        size_t k;

        if (filter.entity != NULL && i != REST_LOG_ORDER)
            continue;
        rc = db_rest_logs(tx, call->client_id, (enum rest_log)i, &filter, "", LIMIT_LOG_LINES,
                          &lists[i], e);
        json_array_foreach(lists[i].items, k, row) lines[n++] =
            (struct line){ .row = row, .log = NAMES[i] };
    }
    if (n > 0)
        qsort(lines, n, sizeof lines[0], by_time);
    for (size_t i = 0; i < n; i++)
        add_line(out, &lines[i]);
    for (int i = 0; i < 4; i++)
        rest_list_done(&lists[i]);
    return rc;
}

enum rc lambda_log(struct app *app, const struct lambda_call *call, const struct http_req *req,
                   struct buf *out, struct err *e)
{
    OWN_BUF struct buf text;
    const char *from;
    enum rc rc;

    buf_init(&text, (size_t)1 << 20);
    buf_fmt(&text, "START RequestId: %s Version: %s\n", req->id, call->version);
    if (call->ignored[0] != '\0')
        buf_fmt(&text, "members of the payload that mean nothing here: %s\n", call->ignored);
    if (call->run_id[0] != '\0')
        buf_fmt(&text, "run %s\n", call->run_id);
    rc = add_rows(app, call, &text, e);
    if (rc != RC_OK)
        return rc;
    buf_fmt(&text, "END RequestId: %s\nREPORT RequestId: %s\tDuration: %lld ms\n", req->id, req->id,
            (long long)((clock_mono_us() - req->started_us) / US_PER_MS));
    rc = buf_check(&text, e);
    if (rc != RC_OK)
        return rc;
    from = text.data;
    if (text.len > LIMIT_LOG_BYTES) { /* the end, from the beginning of a line on */
        from = strchr(text.data + text.len - LIMIT_LOG_BYTES, '\n');
        from = from != NULL ? from + 1 : text.data + text.len;
    }
    str_base64(out, from, strlen(from));
    return buf_check(out, e);
}
