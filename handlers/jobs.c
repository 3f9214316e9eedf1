/* jobs.c - work that waits, runs or stands still: listed, retried, cancelled. */
#include "once.h"
#include "rest.h"

#include "clock.h"
#include "db_job.h"
#include "db_rest.h"
#include "jspec.h"
#include "str.h"

static const char *const STATES[] = { "ready", "running", "parked", NULL };
static const char *const LANES[] = { "orders", "stock", "price", "catalog", "maintenance" };

static json_t *time_new(int64_t us)
{
    char text[CLOCK_TEXT_BYTES];

    if (us == 0)
        return json_null();
    clock_write(us, text);
    return json_string(text);
}

static json_t *job_new(const struct job_info *j)
{
    char id[24];

    (void)str_fmt(id, sizeof id, "%lld", (long long)j->id);
    return json_pack("{s:s, s:s, s:s?, s:s, s:s, s:s, s:s, s:i, s:i, s:o, s:o, s:o, s:s?, s:s?,"
                     " s:O?}",
                     "id", id, "client_hash", j->client_id, "shop_id",
                     str_starts(j->shop_id, DB_CLIENT_SHOP_PREFIX) ? NULL : j->shop_id, "kind",
                     j->kind, "entity", j->entity, "lane",
                     j->lane <= LANE_MAINTENANCE ? LANES[j->lane] : "maintenance", "state",
                     j->state, "attempts", j->attempts, "deaths", j->deaths, "due_at",
                     time_new(j->due_us), "first_due_at", time_new(j->first_due_us), "updated_at",
                     time_new(j->updated_us), "run_id", j->run_id[0] != '\0' ? j->run_id : NULL,
                     "outcome", j->outcome[0] != '\0' ? j->outcome : NULL, "problem", j->problem);
}

static bool is_state(const char *text)
{
    for (int i = 0; STATES[i] != NULL; i++) {
        if (str_eq(text, STATES[i]))
            return true;
    }
    return false;
}

/* Texts that a filter points to. */
struct filter_texts {
    char client[80];
    char shop[80];
    char state[16];
    char kind[64];
};

static enum rc read_filter(const struct http_req *req, struct filter_texts *t, struct job_filter *f,
                           struct err *e)
{
    enum rc rc = rest_query(req, "client_hash", t->client, sizeof t->client, &f->client_id, e);

    if (rc == RC_OK)
        rc = rest_query(req, "shop_id", t->shop, sizeof t->shop, &f->shop_id, e);
    if (rc == RC_OK)
        rc = rest_query(req, "state", t->state, sizeof t->state, &f->state, e);
    if (rc == RC_OK)
        rc = rest_query(req, "kind", t->kind, sizeof t->kind, &f->kind, e);
    if (rc == RC_OK && f->state != NULL && !is_state(f->state))
        return err_field(e, "state", "must be ready, running or parked");
    return rc;
}

static enum rc reply_list(struct db_tx *tx, const struct job_filter *filter, struct http_req *req,
                          struct http_reply *reply, struct err *e)
{
    struct job_info *list = NULL;
    json_auto_t *items = json_array();
    char next[24] = "";
    int n = 0;
    enum rc rc = db_job_list(tx, filter, &list, &n, e);

    for (int i = 0; rc == RC_OK && i < n; i++) {
        if (json_array_append_new(items, job_new(&list[i])) != 0)
            rc = err_set(e, RC_BUG, "no memory for jobs");
    }
    /* A full page may be the last; then the next one is empty. */
    if (rc == RC_OK && n == filter->limit)
        (void)str_fmt(next, sizeof next, "%lld", (long long)list[n - 1].id);
    db_job_list_free(list, n);
    return rc == RC_OK ? rest_page_reply(reply, req, items, next, e) : rc;
}

static enum rc read_page(const struct http_req *req, const char *const *allowed,
                         struct job_filter *filter, struct err *e)
{
    struct rest_page page;
    enum rc rc = rest_page_read(req, allowed, &page, e);

    if (rc != RC_OK)
        return rc;
    filter->limit = page.limit;
    if (page.cursor[0] != '\0' && !str_to_i64(page.cursor, 1, INT64_MAX, &filter->after_id))
        return err_field(e, "cursor", "is not one of ours");
    return RC_OK;
}

enum rc jobs_list(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    static const char *const QUERY[] = { "client_hash", "shop_id", "state", "kind", NULL };
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    struct job_filter filter = { 0 };
    struct filter_texts texts;
    enum rc rc = read_page(req, QUERY, &filter, e);

    if (rc == RC_OK)
        rc = read_filter(req, &texts, &filter, e);
    if (rc == RC_OK)
        rc = db_tx_begin(app->web_db, "jobs_list", DB_SYSTEM, &tx, e);
    return rc == RC_OK ? reply_list(tx, &filter, req, reply, e) : rc;
}

enum rc client_jobs_list(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    static const char *const QUERY[] = { "shop_id", "state", "kind", NULL };
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    struct job_filter filter = { 0 };
    struct filter_texts texts;
    const char *client_id = NULL;
    enum rc rc = read_page(req, QUERY, &filter, e);

    if (rc == RC_OK)
        rc = read_filter(req, &texts, &filter, e);
    if (rc == RC_OK)
        rc = rest_begin(app, req, "client_jobs", &client_id, &tx, e);
    if (rc != RC_OK)
        return rc;
    filter.client_id = client_id;
    return reply_list(tx, &filter, req, reply, e);
}

static enum rc read_id(const struct http_req *req, int64_t *id, struct err *e)
{
    if (str_to_i64(http_param(req, "job_id"), 1, INT64_MAX, id))
        return RC_OK;
    return err_code(e, RC_NOT_FOUND, "not_found", "there is no such job");
}

static enum rc running(enum rc rc, struct err *e)
{
    if (rc == RC_BUSY)
        return err_http(e, 409, "job_running", "the job is running");
    return rc;
}

enum rc job_retry(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    struct job_info info = { 0 };
    json_auto_t *doc = NULL;
    struct once once = { 0 };
    int64_t id = 0;
    enum rc rc = read_id(req, &id, e);

    if (rc == RC_OK)
        rc = rest_no_query(req, e);
    if (rc == RC_OK)
        rc = db_tx_begin(app->web_db, "job_retry", DB_SYSTEM, &tx, e);
    if (rc == RC_OK)
        rc = once_begin(tx, req, DB_SYSTEM, &once, reply, e);
    if (rc != RC_OK || once.answered)
        return rc;
    rc = rest_no_body(req, e);
    if (rc == RC_OK)
        rc = running(db_job_retry(tx, id, e), e);
    if (rc == RC_OK)
        rc = db_job_get(tx, id, &info, e);
    if (rc != RC_OK)
        return rc;
    doc = job_new(&info);
    json_decref(info.problem);
    rc = db_rest_shop_resume(tx, info.shop_id, e);
    if (rc == RC_OK)
        rc = rest_audit(tx, req, info.client_id, "job_retry", NULL, e);
    if (rc == RC_OK)
        rc = http_reply_json(reply, 202, doc, e);
    return rc == RC_OK ? once_commit(tx, &once, reply, e) : rc;
}

enum rc job_cancel(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    struct job_info info = { 0 };
    int64_t id = 0;
    enum rc rc = read_id(req, &id, e);

    if (rc == RC_OK)
        rc = rest_no_query(req, e);
    if (rc == RC_OK)
        rc = rest_no_body(req, e);
    if (rc == RC_OK)
        rc = db_tx_begin(app->web_db, "job_cancel", DB_SYSTEM, &tx, e);
    if (rc == RC_OK)
        rc = db_job_get(tx, id, &info, e);
    json_decref(info.problem);
    if (rc == RC_OK)
        rc = running(db_job_cancel(tx, id, e), e);
    if (rc == RC_OK)
        rc = rest_audit(tx, req, info.client_id, "job_cancelled", NULL, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc == RC_OK)
        reply->status = 204;
    return rc;
}

enum rc jobs_retry_all(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    static const char *const PARKED[] = { "parked", NULL };
    static const struct jspec_field SPEC[] = {
        { .name = "client_hash", .type = JSPEC_TEXT, .min = 8, .max = 64 },
        { .name = "shop_id", .type = JSPEC_TEXT, .min = 1, .max = 70 },
        { .name = "kind", .type = JSPEC_TEXT, .min = 1, .max = 47 },
        { .name = "state", .type = JSPEC_TEXT, .words = PARKED },
        { 0 },
    };
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *body = NULL;
    json_auto_t *answer = NULL;
    struct job_filter filter = { 0 };
    struct once once = { 0 };
    int64_t n = 0;
    enum rc rc = rest_no_query(req, e);

    if (rc == RC_OK)
        rc = db_tx_begin(app->web_db, "jobs_retry", DB_SYSTEM, &tx, e);
    if (rc == RC_OK)
        rc = once_begin(tx, req, DB_SYSTEM, &once, reply, e);
    if (rc != RC_OK || once.answered)
        return rc;
    rc = http_body_json(req, true, &body, e);
    if (rc == RC_OK)
        rc = jspec_check(body, SPEC, e);
    if (rc != RC_OK)
        return rc;
    filter.client_id = jspec_text(body, "client_hash");
    filter.shop_id = jspec_text(body, "shop_id");
    filter.kind = jspec_text(body, "kind");
    rc = db_job_retry_filter(tx, &filter, &n, e);
    if (rc == RC_OK)
        rc = rest_audit(tx, req, filter.client_id != NULL ? filter.client_id : DB_SYSTEM,
                        "jobs_retry", body, e);
    if (rc != RC_OK)
        return rc;
    answer = json_pack("{s:I}", "retried", (json_int_t)n);
    rc = http_reply_json(reply, 202, answer, e);
    return rc == RC_OK ? once_commit(tx, &once, reply, e) : rc;
}
