/* run_approve.c - releases what a run held: one row a reason to hold. */
#include "once.h"
#include "rest.h"

#include "db_job.h"
#include "db_rest.h"
#include "db_run.h"
#include "db_shelf.h"
#include "jspec.h"
#include "str.h"

static enum rc job_put(struct db_tx *tx, const struct run *run, const char *kind,
                       const char *entity, const char *run_id, struct err *e)
{
    const struct db_job_key key = { .client_id = run->client_id,
                                    .shop_id = run->shop_id,
                                    .kind = kind,
                                    .entity = entity,
                                    .lane = LANE_CATALOG,
                                    .run_id = run_id };

    return db_job_put(tx, &key, e);
}

/* The feed is read again and taken although it lost most of its products, this once. */
static enum rc approve_feed(struct db_tx *tx, const struct run *run, struct err *e)
{
    enum rc rc = db_run_reopen(tx, run->client_id, run->id, "queued", e);

    return rc == RC_OK ? job_put(tx, run, "feed_read", run->id, run->id, e) : rc;
}

/* What the run held and is still missing is taken off sale. */
static enum rc approve_removals(struct db_tx *tx, const struct run *run, struct err *e)
{
    struct run_delta delta = { 0 };
    int64_t n = 0;
    enum rc rc = db_shelf_approve(tx, run->client_id, run->shop_id, run->id, &n, e);

    if (rc == RC_OK)
        rc = db_run_reopen(tx, run->client_id, run->id, "running", e);
    delta.total = n;
    if (rc == RC_OK)
        rc = db_run_progress(tx, run->client_id, run->id, &delta, e);
    if (rc == RC_OK && n > 0)
        rc = job_put(tx, run, "product_shelf", "", NULL, e);
    return rc == RC_OK ? db_run_read_done(tx, run->client_id, run->id, e) : rc;
}

static const struct {
    const char *code; /* of the run's problem */
    enum rc (*release)(struct db_tx *tx, const struct run *run, struct err *e);
} HOLDS[] = {
    { "feed_shrunk", approve_feed },
    { "removals_held", approve_removals },
};

static enum rc release(struct db_tx *tx, const struct run *run, const char *code, struct err *e)
{
    for (size_t i = 0; i < sizeof HOLDS / sizeof HOLDS[0]; i++)
        if (str_eq(code, HOLDS[i].code))
            return HOLDS[i].release(tx, run, e);
    return err_http(e, 409, "nothing_to_approve", "the run holds nothing that can be approved");
}

static enum rc find(struct app *app, const char *id, char client_id[68], struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *doc = NULL;
    enum rc rc = db_tx_begin(app->web_db, "run_find", DB_SYSTEM, &tx, e);

    return rc == RC_OK ? db_rest_run(tx, id, &doc, client_id, e) : rc;
}

enum rc run_approve(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    struct app *app = user;
    const char *id = http_param(req, "run_id");
    OWN_TX struct db_tx *tx = NULL;
    OWN_RUN_ROW struct run run = { 0 };
    json_auto_t *doc = NULL;
    char client_id[68];
    char code[64] = "";
    struct once once = { 0 };
    enum rc rc = rest_no_query(req, e);

    if (rc == RC_OK)
        rc = find(app, id, client_id, e);
    if (rc == RC_OK)
        rc = db_tx_begin(app->web_db, "run_approve", client_id, &tx, e);
    if (rc == RC_OK)
        rc = once_begin(tx, req, client_id, &once, reply, e);
    if (rc != RC_OK || once.answered)
        return rc;
    rc = rest_no_body(req, e);
    if (rc == RC_OK)
        rc = db_run_approve(tx, client_id, id, req->principal, code, e);
    if (rc == RC_OK && code[0] == '\0')
        return err_http(e, 409, "run_not_held", "the run holds nothing");
    if (rc == RC_OK)
        rc = db_run_get(tx, client_id, id, &run, e);
    if (rc == RC_OK)
        rc = release(tx, &run, code, e);
    if (rc == RC_OK)
        rc = rest_audit(tx, req, client_id, "run_approved", NULL, e);
    if (rc == RC_OK)
        rc = db_rest_run(tx, id, &doc, NULL, e);
    if (rc == RC_OK)
        rc = http_reply_json(reply, 200, doc, e);
    return rc == RC_OK ? once_commit(tx, &once, reply, e) : rc;
}
