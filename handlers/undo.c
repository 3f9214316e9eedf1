/* undo.c - putting back what a run changed, and the values that are held against the source since. */
#include "once.h"
#include "rest.h"

#include "db_account.h"
#include "db_job.h"
#include "db_override.h"
#include "db_rest.h"
#include "db_revert.h"
#include "db_run.h"
#include "str.h"

/* ---- a run that puts another one back ----------------------------------------------------------- */

/* 409 with the reason when the run cannot be put back. */
static enum rc check_run(struct db_tx *tx, const struct run *run, bool dry_run, struct err *e)
{
    char standing[40] = "";
    bool any = false;
    enum rc rc;

    if (str_eq(run->status, "queued") || str_eq(run->status, "running") ||
        str_eq(run->status, "held"))
        return err_http(e, 409, "run_not_finished", "the run has not ended: it is %s", run->status);
    if (run->dry_run)
        return err_http(e, 409, "run_was_dry", "a dry run changed nothing");
    rc = db_revert_any(tx, run->client_id, run->id, &any, e);
    if (rc == RC_OK && !any)
        return err_http(e, 409, "nothing_to_revert",
                        "the run changed no price, text, picture or attribute at TikTok");
    if (rc == RC_OK && !dry_run)
        rc = db_revert_standing(tx, run->client_id, run->id, standing, e);
    if (rc == RC_OK && standing[0] != '\0')
        return err_http(e, 409, "run_reverted", "run %s puts this one back already", standing);
    return rc;
}

static enum rc check_shop(struct db_tx *tx, const struct run *run, char shop_id[72], struct err *e)
{
    OWN_CLIENT struct client client = { 0 };
    struct shop shop = { 0 };
    enum rc rc = db_client_get(tx, run->client_id, &client, e);

    if (rc == RC_OK && !client.active)
        return err_http(e, 409, "client_inactive", "the client is deactivated");
    if (rc == RC_OK)
        rc = run->shop_id[0] != '\0' ? db_shop_get(tx, run->shop_id, &shop, e)
                                     : db_shop_primary(tx, run->client_id, &shop, e);
    if (rc == RC_NOT_FOUND || (rc == RC_OK && !str_eq(shop.status, "connected")))
        return err_http(e, 409, "no_connected_shop", "the run's TikTok shop is not connected");
    if (rc == RC_OK)
        (void)str_copy(shop_id, 72, shop.shop_id);
    return rc;
}

static enum rc open_run(struct db_tx *tx, const struct http_req *req, const struct run *run,
                        const char *shop_id, bool dry_run, char id[40], struct err *e)
{
    json_auto_t *params = json_pack("{s:s}", "run_id", run->id);
    struct db_job_key key = {
        .client_id = run->client_id, .shop_id = shop_id, .kind = "run_revert", .lane = LANE_CATALOG
    };
    enum rc rc;

    if (params == NULL)
        return err_set(e, RC_BUG, "no memory for a run");
    rc = db_run_new(tx, run->client_id, shop_id, "revert", dry_run, run->target, params,
                    req->principal, id, e);
    key.entity = id;
    key.run_id = id;
    if (rc == RC_OK)
        rc = db_job_put(tx, &key, e);
    return rc == RC_OK ? rest_audit(tx, req, run->client_id, "run_revert", params, e) : rc;
}

static enum rc revert(struct app *app, const struct http_req *req, bool dry_run, char id[40],
                      struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *doc = NULL;
    struct run run = { 0 };
    struct once once = { 0 };
    const char *of = http_param(req, "run_id");
    char client_id[68] = "";
    char shop_id[72] = "";
    int64_t revision = 0;
    enum rc rc = db_tx_begin(app->web_db, "run_get", DB_SYSTEM, &tx, e);

    if (rc == RC_OK)
        rc = db_rest_run(tx, of, &doc, client_id, e);
    if (rc != RC_OK)
        return rc;
    db_tx_free(tx);
    tx = NULL;
    rc = db_tx_begin(app->web_db, "run_revert", client_id, &tx, e);
    if (rc == RC_OK) /* one request of a client at a time: two reverts of a run never meet */
        rc = db_client_lock(tx, client_id, &revision, e);
    if (rc == RC_OK)
        rc = once_read(req, client_id, &once, e);
    if (rc == RC_OK && once.key[0] != '\0')
        rc = db_rest_run_by_key(tx, client_id, once.key, once.digest, id, e);
    if (rc != RC_OK || id[0] != '\0')
        return rc;
    rc = db_run_get(tx, client_id, of, &run, e);
    if (rc == RC_OK)
        rc = check_run(tx, &run, dry_run, e);
    if (rc == RC_OK)
        rc = check_shop(tx, &run, shop_id, e);
    if (rc == RC_OK)
        rc = open_run(tx, req, &run, shop_id, dry_run, id, e);
    if (rc == RC_OK && once.key[0] != '\0')
        rc = db_rest_run_key_set(tx, client_id, id, once.key, once.digest, e);
    db_run_done(&run);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

enum rc run_revert_post(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    static const char *const QUERY[] = { "dry_run", NULL };
    struct app *app = user;
    char id[40] = "";
    bool dry_run = false;
    enum rc rc = http_query_check(req, QUERY, e);

    if (rc == RC_OK)
        rc = rest_query_bool(req, "dry_run", &dry_run, e);
    if (rc == RC_OK)
        rc = rest_no_body(req, e);
    if (rc == RC_OK)
        rc = revert(app, req, dry_run, id, e);
    return rc == RC_OK ? rest_run_accepted(app, reply, id, e) : rc;
}

/* ---- overrides ---------------------------------------------------------------------------------- */

enum rc overrides_list(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    static const char *const QUERY[] = { "source_id", NULL };
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    OWN_LIST struct rest_list list = { 0 };
    struct rest_page page;
    const char *client_id = NULL;
    const char *source_id = NULL;
    char source[256];
    enum rc rc = rest_page_read(req, QUERY, &page, e);

    if (rc == RC_OK)
        rc = rest_query(req, "source_id", source, sizeof source, &source_id, e);
    if (rc == RC_OK)
        rc = rest_begin(app, req, "overrides_list", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = db_rest_overrides(tx, client_id, source_id, page.cursor, page.limit, &list, e);
    return rc == RC_OK ? rest_page_reply(reply, req, list.items, list.next, e) : rc;
}

static enum rc publish_ask(struct db_tx *tx, const char *client_id, const char *shop_id,
                           const char *source_id, struct err *e)
{
    const struct db_job_key key = { .client_id = client_id,
                                    .shop_id = shop_id,
                                    .kind = "product_publish",
                                    .entity = source_id,
                                    .lane = LANE_CATALOG };

    return db_job_put(tx, &key, e);
}

enum rc override_delete(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *doc = NULL;
    const char *client_id = NULL;
    char shop_id[72];
    char source_id[256];
    int64_t id = 0;
    enum rc rc = rest_no_query(req, e);

    if (!str_to_i64(http_param(req, "override_id"), 1, INT64_MAX, &id))
        return err_code(e, RC_NOT_FOUND, "not_found", "there is no such override");
    if (rc == RC_OK)
        rc = rest_begin(app, req, "override_delete", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = db_rest_override(tx, client_id, id, &doc, e);
    if (rc == RC_OK)
        rc = db_override_delete(tx, client_id, id, shop_id, source_id, e);
    if (rc == RC_OK)
        rc = publish_ask(tx, client_id, shop_id, source_id, e);
    if (rc == RC_OK)
        rc = rest_audit(tx, req, client_id, "override_lifted", doc, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    return rc == RC_OK ? http_reply_json(reply, 202, doc, e) : rc;
}
