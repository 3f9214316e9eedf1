/* runs.c - triggers that open a run with its job, and what can be asked of runs. */
#include "once.h"
#include "rest.h"

#include "clock.h"
#include "db_account.h"
#include "db_job.h"
#include "db_order.h"
#include "db_rest.h"
#include "db_run.h"
#include "jspec.h"
#include "str.h"
#include "trigger.h"

#include <string.h>

#define LIMIT_WAIT_S 60
#define LOOK_FIRST_MS 100
#define LOOK_MS 500

/* ---- the answer ----------------------------------------------------------------------------------- */

struct wait_state {
    char run_id[40];
    int64_t until_us; /* monotonic */
};

static enum rc read_run(struct app *app, const char *id, json_t **doc, char client_id[68],
                        struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = db_tx_begin(app->web_db, "run_get", DB_SYSTEM, &tx, e);

    return rc == RC_OK ? db_rest_run(tx, id, doc, client_id, e) : rc;
}

static enum rc reply_accepted(struct app *app, struct http_reply *reply, const char *run_id,
                              const char *status, struct err *e)
{
    char path[64];
    char url[600];
    json_auto_t *answer = NULL;

    (void)str_fmt(path, sizeof path, "/v1/runs/%s", run_id);
    (void)str_fmt(url, sizeof url, "%s%s", app->cfg.public_url, path);
    answer = json_pack("{s:s, s:s, s:s}", "run_id", run_id, "status", status, "url", url);
    if (answer == NULL)
        return err_set(e, RC_BUG, "no memory for a run");
    http_reply_header(reply, "Location", "%s", path);
    return http_reply_json(reply, 202, answer, e);
}

static bool is_finished(const char *status)
{
    static const char *const ENDS[] = { "succeeded", "partial", "failed", "held", "cancelled" };

    for (size_t i = 0; i < sizeof ENDS / sizeof ENDS[0]; i++) {
        if (str_eq(status, ENDS[i]))
            return true;
    }
    return false;
}

/* Looks at the run and answers, or asks to be called again. Owns the state. */
static enum rc look(struct app *app, struct http_req *req, struct http_reply *reply, struct err *e)
{
    struct wait_state *state = req->state;
    json_auto_t *doc = NULL;
    const char *status;
    enum rc rc = read_run(app, state->run_id, &doc, NULL, e);

    status = rc == RC_OK ? jspec_text(doc, "status") : NULL;
    if (rc == RC_OK && !is_finished(status) && clock_mono_us() < state->until_us &&
        !atomic_load(&app->stopping)) {
        reply->again_ms = req->again == 0 ? LOOK_FIRST_MS : LOOK_MS;
        return RC_OK;
    }
    if (rc == RC_OK && is_finished(status)) {
        http_reply_header(reply, "Content-Location", "/v1/runs/%s", state->run_id);
        rc = http_reply_json(reply, 200, doc, e);
    } else if (rc == RC_OK) {
        rc = reply_accepted(app, reply, state->run_id, status, e);
    }
    free(state);
    req->state = NULL;
    return rc;
}

/* Seconds of "Prefer: wait=N", 0 without. */
static int64_t wait_seconds(const struct http_req *req)
{
    const char *prefer = http_header(req, "Prefer");
    const char *at = prefer != NULL ? strstr(prefer, "wait=") : NULL;
    char digits[8] = "";
    int64_t n = 0;
    size_t len = at != NULL ? strspn(at + 5, "0123456789") : 0;

    if (len == 0 || len >= sizeof digits)
        return 0;
    memcpy(digits, at + 5, len);
    if (!str_to_i64(digits, 0, INT64_MAX, &n))
        return 0;
    return n > LIMIT_WAIT_S ? LIMIT_WAIT_S : n;
}

/* ---- the trigger ---------------------------------------------------------------------------------- */

/* How the run is to be, beside what its parameters say. */
struct asked {
    bool dry_run, sandbox;
};

static enum rc find_sandbox(struct db_tx *tx, const struct client *client, char shop_id[72],
                            struct err *e)
{
    struct shop shop = { 0 };
    struct err why = { 0 };
    enum rc rc = db_shop_sandbox(tx, client, &shop, &why);

    if (rc == RC_NOT_FOUND)
        return err_http(e, 409, "no_sandbox_shop", "%s", why.text);
    if (rc == RC_OK)
        (void)str_copy(shop_id, 72, shop.shop_id);
    else if (e != NULL)
        *e = why;
    return rc;
}

static enum rc find_shop(struct db_tx *tx, const char *client_id, const json_t *body,
                         char shop_id[72], struct err *e)
{
    const char *first = json_string_value(json_array_get(jspec_get(body, "order_ids"), 0));
    struct shop shop = { 0 };
    enum rc rc;

    if (first != NULL && db_order_shop(tx, client_id, first, shop_id, e) == RC_OK)
        return RC_OK;
    rc = db_shop_primary(tx, client_id, &shop, e);
    if (rc == RC_NOT_FOUND)
        return err_http(e, 409, "no_connected_shop", "the client has no connected TikTok shop");
    if (rc == RC_OK)
        (void)str_copy(shop_id, 72, shop.shop_id);
    return rc;
}

static enum rc put_job(struct db_tx *tx, const struct trigger *t, const char *client_id,
                       const char *shop_id, const char *run_id, bool dry_run, struct err *e)
{
    char entity[48];
    struct db_job_key key = {
        .client_id = client_id,
        .shop_id = shop_id,
        .kind = t->job_kind,
        .entity = entity,
        .lane = t->lane,
        .run_id = run_id,
    };

    /* A dry run goes on beside a real one, not instead of it. */
    (void)str_fmt(entity, sizeof entity, "%s%s", dry_run ? "dry" : "",
                  t->entity == TRIGGER_EACH ? run_id : "");
    return db_job_put(tx, &key, e);
}

/* Opens the run, or finds the one that waits for the same thing. */
static enum rc open_run(struct db_tx *tx, const struct http_req *req, const struct trigger *t,
                        const char *client_id, const char *shop_id, const struct asked *asked,
                        const json_t *body, char run_id[40], struct err *e)
{
    const char *target = asked->sandbox ? "sandbox" : "live";
    char waiting[40];
    bool same = false;
    enum rc rc = db_rest_run_waiting(tx, client_id, t->kind, asked->dry_run, target, body, waiting,
                                     &same, e);

    if (rc != RC_OK)
        return rc;
    if (waiting[0] != '\0' && same) {
        (void)str_copy(run_id, 40, waiting);
        return RC_OK;
    }
    /* One run waits at most; a newer request replaces it. */
    if (waiting[0] != '\0' && t->entity == TRIGGER_ONE) {
        rc = db_run_end(tx, client_id, waiting, "cancelled", "superseded",
                        "a newer request took its place before it began", e);
        if (rc == RC_OK)
            rc = db_rest_run_jobs_drop(tx, client_id, waiting, e);
    }
    if (rc == RC_OK)
        rc = db_run_new(tx, client_id, shop_id, t->kind, asked->dry_run, target, body,
                        req->principal, run_id, e);
    if (rc == RC_OK)
        rc = put_job(tx, t, client_id, shop_id, run_id, asked->dry_run, e);
    return rc;
}

static enum rc trigger_read(const struct http_req *req, const struct trigger **t,
                            struct asked *asked, json_t **body, struct err *e)
{
    static const char *const QUERY[] = { "dry_run", "target", NULL };
    const char *what = http_param(req, "what");
    char target[16] = "";
    enum rc rc = http_query_check(req, QUERY, e);

    *t = trigger_find(what);
    if (*t == NULL)
        return err_code(e, RC_NOT_FOUND, "not_found", "there is no such synchronisation");
    if (rc == RC_OK)
        rc = rest_query_bool(req, "dry_run", &asked->dry_run, e);
    if (rc != RC_OK)
        return rc;
    if (asked->dry_run && !(*t)->may_dry_run)
        return err_field(e, "dry_run", "cannot be asked for here");
    if (http_query(req, "target", target, sizeof target) && !str_eq(target, "live") &&
        !((*t)->may_target_sandbox && str_eq(target, "sandbox")))
        return err_field(e, "target", "must be live");
    asked->sandbox = str_eq(target, "sandbox");
    rc = http_body_json(req, true, body, e);
    return rc == RC_OK ? jspec_check(*body, (*t)->body, e) : rc;
}

static enum rc begin_run(struct app *app, struct http_req *req, char run_id[40], struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    OWN_CLIENT struct client client = { 0 };
    json_auto_t *body = NULL;
    const struct trigger *t = NULL;
    const char *client_id = NULL;
    struct once mark = { 0 };
    char shop_id[72];
    struct asked asked = { 0 };
    int64_t revision = 0;
    enum rc rc = trigger_read(req, &t, &asked, &body, e);

    if (rc == RC_OK)
        rc = rest_begin(app, req, "trigger", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = once_read(req, client_id, &mark, e);
    if (rc == RC_OK) /* one trigger of a client at a time */
        rc = db_client_lock(tx, client_id, &revision, e);
    run_id[0] = '\0';
    if (rc == RC_OK && mark.key[0] != '\0')
        rc = db_rest_run_by_key(tx, client_id, mark.key, mark.digest, run_id, e);
    if (rc == RC_OK && run_id[0] != '\0')
        return RC_OK;
    if (rc == RC_OK)
        rc = db_client_get(tx, client_id, &client, e);
    if (rc == RC_OK && !client.active)
        return err_http(e, 409, "client_inactive", "the client is deactivated");
    if (client.shadow && t->may_dry_run)
        asked.dry_run = true;
    if (rc == RC_OK && t->check != NULL)
        rc = t->check(body, &client, e);
    if (rc == RC_OK)
        rc = asked.sandbox ? find_sandbox(tx, &client, shop_id, e)
                           : find_shop(tx, client_id, body, shop_id, e);
    if (rc == RC_OK)
        rc = open_run(tx, req, t, client_id, shop_id, &asked, body, run_id, e);
    if (rc == RC_OK && mark.key[0] != '\0')
        rc = db_rest_run_key_set(tx, client_id, run_id, mark.key, mark.digest, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

enum rc sync_post(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    struct app *app = user;
    struct wait_state *state = req->state;
    char run_id[40];
    int64_t wait_s;
    enum rc rc;

    if (state != NULL)
        return look(app, req, reply, e);
    rc = begin_run(app, req, run_id, e);
    if (rc != RC_OK)
        return rc;
    wait_s = wait_seconds(req);
    if (wait_s == 0)
        return reply_accepted(app, reply, run_id, "queued", e);
    state = calloc(1, sizeof *state);
    if (state == NULL)
        return err_set(e, RC_BUG, "no memory for a wait");
    (void)str_copy(state->run_id, sizeof state->run_id, run_id);
    state->until_us = clock_mono_us() + wait_s * US_PER_S;
    req->state = state;
    return look(app, req, reply, e);
}

/* ---- asking --------------------------------------------------------------------------------------- */

enum rc runs_list(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    static const char *const QUERY[] = { "kind", "status", NULL };
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    OWN_LIST struct rest_list list = { 0 };
    struct rest_page page;
    struct runs_filter filter = { 0 };
    const char *client_id = NULL;
    char kind[32];
    char status[32];
    enum rc rc = rest_page_read(req, QUERY, &page, e);

    if (rc == RC_OK)
        rc = rest_query(req, "kind", kind, sizeof kind, &filter.kind, e);
    if (rc == RC_OK)
        rc = rest_query(req, "status", status, sizeof status, &filter.status, e);
    if (rc == RC_OK)
        rc = rest_begin(app, req, "runs_list", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = db_rest_runs(tx, client_id, &filter, page.cursor, page.limit, &list, e);
    return rc == RC_OK ? rest_page_reply(reply, req, list.items, list.next, e) : rc;
}

enum rc run_get(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    json_auto_t *doc = NULL;
    enum rc rc = rest_no_query(req, e);

    if (rc == RC_OK)
        rc = read_run(user, http_param(req, "run_id"), &doc, NULL, e);
    return rc == RC_OK ? http_reply_json(reply, 200, doc, e) : rc;
}

enum rc run_cancel(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    struct app *app = user;
    const char *id = http_param(req, "run_id");
    json_auto_t *before = NULL;
    json_auto_t *after = NULL;
    OWN_TX struct db_tx *tx = NULL;
    char client_id[68];
    enum rc rc = rest_no_query(req, e);

    if (rc == RC_OK)
        rc = rest_no_body(req, e);
    if (rc == RC_OK)
        rc = read_run(app, id, &before, client_id, e);
    if (rc != RC_OK)
        return rc;
    rc = db_tx_begin(app->web_db, "run_cancel", client_id, &tx, e);
    if (rc == RC_OK)
        rc = db_run_end(tx, client_id, id, "cancelled", "cancelled", "cancelled on request", e);
    if (rc == RC_OK && db_affected(tx) == 0)
        return err_http(e, 409, "run_finished", "the run has ended already");
    if (rc == RC_OK)
        rc = db_rest_run_jobs_drop(tx, client_id, id, e);
    if (rc == RC_OK)
        rc = rest_audit(tx, req, client_id, "run_cancelled", NULL, e);
    if (rc == RC_OK)
        rc = db_rest_run(tx, id, &after, NULL, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    return rc == RC_OK ? http_reply_json(reply, 200, after, e) : rc;
}

enum rc run_changes(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    struct app *app = user;
    const char *id = http_param(req, "run_id");
    OWN_TX struct db_tx *tx = NULL;
    OWN_LIST struct rest_list list = { 0 };
    json_auto_t *run = NULL;
    struct rest_page page;
    char client_id[68];
    enum rc rc = rest_page_read(req, NULL, &page, e);

    if (rc == RC_OK)
        rc = read_run(app, id, &run, client_id, e);
    if (rc == RC_OK)
        rc = db_tx_begin(app->web_db, "run_changes", client_id, &tx, e);
    if (rc == RC_OK)
        rc = db_rest_run_changes(tx, client_id, id, page.cursor, page.limit, &list, e);
    return rc == RC_OK ? rest_page_reply(reply, req, list.items, list.next, e) : rc;
}
