/* category_refresh.c - reads a shop's category tree and the rules of the categories in use, daily or on request.
 *
 * Repeats: safe. Tree and rules are replaced by what TikTok says now; products are asked for again only where that
 * differs from what was known. A run counts the tree as one item and each category in use as another; the counters
 * are written once, at the end. */
#include "sync.h"

#include "db_account.h"
#include "db_product.h"
#include "db_run.h"
#include "db_taxonomy.h"
#include "jspec.h"
#include "str.h"
#include "tiktok_product.h"

struct refresh {
    struct job_ctx *ctx;
    struct tiktok_session tiktok;
    struct db_rows *used; /* owned */
    struct run_delta delta;
};

static enum rc load(struct refresh *r, bool *wanted, struct err *e)
{
    const struct job *job = r->ctx->job;
    OWN_TX struct db_tx *tx = NULL;
    OWN_CLIENT struct client client = { 0 };
    enum rc rc = job_tx_begin(r->ctx, "category_refresh", &tx, e);

    if (rc == RC_OK)
        rc = db_client_get(tx, job->client_id, &client, e);
    if (rc == RC_OK)
        rc = db_run_start(tx, job->client_id, job->run_id, e);
    if (rc == RC_OK)
        rc = db_categories_used(tx, job->client_id, job->shop_id, &r->used, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc == RC_OK)
        *wanted = client.active && (client.sync_products || job->run_id[0] != '\0');
    return rc;
}

static enum rc refresh_tree(struct refresh *r, struct err *e)
{
    const struct job *job = r->ctx->job;
    OWN_TX struct db_tx *tx = NULL;
    struct category_tree_counts n = { 0 };
    json_auto_t *nodes = NULL;
    enum rc rc = tiktok_categories(&r->tiktok, &nodes, e);

    if (rc == RC_OK)
        rc = job_tx_begin(r->ctx, "category_tree", &tx, e);
    if (rc == RC_OK)
        rc = db_category_tree_put(tx, job->client_id, job->shop_id, nodes, &n, e);
    if (rc == RC_OK)
        rc = db_category_recheck_unusable(tx, job->client_id, job->shop_id, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc != RC_OK)
        return rc;
    if (n.created + n.updated + n.removed > 0)
        r->delta.updated++;
    else
        r->delta.unchanged++;
    return RC_OK;
}

static enum rc store(struct refresh *r, const char *category_id, const json_t *rules,
                     const json_t *attributes, bool *changed, struct err *e)
{
    const struct job *job = r->ctx->job;
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(r->ctx, "category_store", &tx, e);

    if (rc == RC_OK && rules == NULL)
        rc = db_category_forget(tx, job->shop_id, category_id, changed, e);
    else if (rc == RC_OK)
        rc = db_category_put(tx, job->client_id, job->shop_id, category_id, rules, attributes,
                             changed, e);
    if (rc == RC_OK && *changed)
        rc = db_category_recheck(tx, job->client_id, job->shop_id, category_id, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc refresh_rules(struct refresh *r, const char *category_id, struct err *e)
{
    json_auto_t *rules = NULL;
    json_auto_t *attributes = NULL;
    bool changed = false;
    enum rc rc = tiktok_category_rules(&r->tiktok, category_id, &rules, e);

    if (rc == RC_OK)
        rc = tiktok_category_attributes(&r->tiktok, category_id, &attributes, e);

    bool refused = rc == RC_NOT_FOUND;

    if (refused) {
        json_decref(rules);
        rules = NULL;
        rc = RC_OK;
    }
    if (rc == RC_OK)
        rc = store(r, category_id, rules, attributes, &changed, e);
    if (rc != RC_OK)
        return rc;
    if (refused)
        r->delta.failed++;
    else if (changed)
        r->delta.updated++;
    else
        r->delta.unchanged++;
    return RC_OK;
}

static enum rc count(struct refresh *r, struct err *e)
{
    const struct job *job = r->ctx->job;
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc;

    if (job->run_id[0] == '\0')
        return RC_OK;
    r->delta.done = r->delta.total = 1 + db_rows_count(r->used);
    rc = job_tx_begin(r->ctx, "category_run_end", &tx, e);
    if (rc == RC_OK)
        rc = db_run_progress(tx, job->client_id, job->run_id, &r->delta, e);
    if (rc == RC_OK)
        rc = db_run_read_done(tx, job->client_id, job->run_id, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc refresh(struct refresh *r, struct err *e)
{
    bool wanted = false;
    enum rc rc = load(r, &wanted, e);

    if (rc != RC_OK || !wanted)
        return rc;
    rc = session_tiktok_open(r->ctx, &r->tiktok, e);
    if (rc != RC_OK)
        return rc;
    rc = refresh_tree(r, e);
    for (int i = 0; rc == RC_OK && i < db_rows_count(r->used); i++)
        rc = r->ctx->stop != NULL && atomic_load(r->ctx->stop)
                 ? err_set(e, RC_STOPPED, "stopping")
                 : refresh_rules(r, db_text(r->used, i, "category_id"), e);
    session_tiktok_done(&r->tiktok);
    return rc == RC_OK ? count(r, e) : rc;
}

enum rc sync_category_refresh(struct job_ctx *ctx, struct err *e)
{
    struct refresh r = { .ctx = ctx };
    enum rc rc = refresh(&r, e);

    db_rows_free(r.used);
    return rc;
}
