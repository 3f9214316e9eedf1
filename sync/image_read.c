/* image_read.c - reads the further pictures that VTEX has of a client's SKUs and publishes the products they change.
 *
 * Repeats: safe. A run asks for one job a product; such a job compares what VTEX says with what it said before, and a
 * product that has nothing new is not sent. */
#include "db_account.h"
#include "db_image.h"
#include "db_product.h"
#include "db_run.h"
#include "jspec.h"
#include "str.h"
#include "sync.h"
#include "vtex_image.h"

#define LIMIT_LIST_BYTES ((size_t)256 << 10)

/* ---- the run ----------------------------------------------------------------------------------- */

static bool run_over(const struct run *run)
{
    return !str_eq(run->status, "queued") && !str_eq(run->status, "running");
}

enum rc sync_image_read(struct job_ctx *ctx, struct err *e)
{
    const struct job *job = ctx->job;
    OWN_TX struct db_tx *tx = NULL;
    struct run run = { 0 };
    struct run_delta planned = { 0 };
    enum rc rc = job_tx_begin(ctx, "image_read", &tx, e);

    if (rc == RC_OK)
        rc = db_run_get(tx, job->client_id, job->run_id, &run, e);
    if (rc == RC_NOT_FOUND)
        return RC_OK; /* nobody waits for it any more */
    if (rc == RC_OK && run_over(&run)) {
        db_run_done(&run);
        return RC_OK;
    }
    if (rc == RC_OK)
        rc = db_run_start(tx, job->client_id, run.id, e);
    if (rc == RC_OK)
        rc = db_sku_images_ask(tx, job->client_id, job->shop_id,
                               run.dry_run ? "product_images_dry" : "product_images", run.id,
                               jspec_get(run.params, "skus"), &planned.total, e);
    if (rc == RC_OK)
        rc = db_run_progress(tx, job->client_id, run.id, &planned, e);
    if (rc == RC_OK)
        rc = db_run_read_done(tx, job->client_id, run.id, e);
    db_run_done(&run);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

/* ---- one product ------------------------------------------------------------------------------- */

struct pictures {
    struct job_ctx *ctx;
    bool dry;
    struct product product;
    json_t *before; /* owned: {"seller sku": [urls]} */
    json_t *now;    /* owned: the same, of the SKUs that VTEX was asked about */
};

static void pictures_done(struct pictures *p)
{
    db_product_done(&p->product);
    json_decref(p->before);
    json_decref(p->now);
}
#define OWN_PICTURES __attribute__((cleanup(pictures_done)))

static enum rc load(struct pictures *p, struct err *e)
{
    const struct job *job = p->ctx->job;
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(p->ctx, "images_load", &tx, e);

    if (rc == RC_OK)
        rc = db_product_get(tx, job->shop_id, job->entity, &p->product, e);
    return rc == RC_OK ? db_sku_images_get(tx, job->shop_id, job->entity, &p->before, e) : rc;
}

static enum rc ask(struct pictures *p, struct err *e)
{
    OWN_VTEX struct vtex_session vtex = { 0 };
    enum rc rc = session_vtex_open(p->ctx, &vtex, e);

    for (int i = 0; rc == RC_OK && i < p->product.n_skus; i++) {
        const struct sku *sku = &p->product.skus[i];
        json_t *urls = NULL;

        if (sku->vtex_sku_id[0] == '\0')
            continue;
        rc = vtex_sku_images(&vtex, sku->vtex_sku_id, &urls, e);
        if (rc == RC_OK && json_object_set_new(p->now, sku->seller_sku, urls) != 0)
            rc = err_set(e, RC_BUG, "out of memory");
    }
    return rc;
}

/* Never asked and nothing there is no change. */
static bool differs(const json_t *before, const json_t *now)
{
    if (before == NULL)
        return json_array_size(now) > 0;
    return !json_equal(before, now);
}

static enum rc list_text(const json_t *urls, struct buf *out, struct err *e)
{
    buf_clear(out);
    return urls != NULL ? jspec_dump(urls, out, e) : RC_OK;
}

/* One SKU: what changed goes into the run's list; in earnest it is kept, with the time, changed or not. */
static enum rc store_sku(struct pictures *p, struct db_tx *tx, const struct sku *sku, bool *changed,
                         struct err *e)
{
    const struct job *job = p->ctx->job;
    const json_t *now = json_object_get(p->now, sku->seller_sku);
    const json_t *before = json_object_get(p->before, sku->seller_sku);
    OWN_BUF struct buf old_text;
    OWN_BUF struct buf new_text;
    enum rc rc = RC_OK;

    buf_init(&old_text, LIMIT_LIST_BYTES);
    buf_init(&new_text, LIMIT_LIST_BYTES);
    if (now == NULL)
        return RC_OK;
    if (differs(before, now)) {
        *changed = true;
        rc = list_text(before, &old_text, e);
        if (rc == RC_OK)
            rc = list_text(now, &new_text, e);
        if (rc == RC_OK)
            rc = db_run_change(tx, job->client_id, job->run_id, "sku", p->product.source_id,
                               sku->seller_sku, "images",
                               before != NULL ? buf_text(&old_text) : NULL, buf_text(&new_text),
                               "update", p->dry ? "planned" : "queued", e);
    }
    if (rc == RC_OK && !p->dry)
        rc = db_sku_images_put(tx, job->client_id, job->shop_id, sku->seller_sku, sku->vtex_sku_id,
                               now, e);
    return rc;
}

/* The product is done with for the run, or its publication will say so. */
static enum rc finish(struct pictures *p, struct db_tx *tx, bool changed, struct err *e)
{
    const struct job *job = p->ctx->job;
    const struct run_delta delta = { .done = 1, .updated = changed, .unchanged = !changed };
    const struct db_job_key key = { .client_id = job->client_id,
                                    .shop_id = job->shop_id,
                                    .kind = "product_publish",
                                    .entity = p->product.source_id,
                                    .lane = LANE_CATALOG,
                                    .run_id = job->run_id[0] != '\0' ? job->run_id : NULL };
    bool first = true;
    enum rc rc = RC_OK;

    if (changed && !p->dry)
        return db_job_put(tx, &key, e);
    if (!p->dry && job->run_id[0] != '\0')
        rc = db_product_count_run(tx, job->shop_id, p->product.source_id, job->run_id, &first, e);
    return rc == RC_OK && first ? db_run_progress(tx, job->client_id, job->run_id, &delta, e) : rc;
}

static enum rc store(struct pictures *p, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    bool changed = false;
    enum rc rc = job_tx_begin(p->ctx, "images_store", &tx, e);

    for (int i = 0; rc == RC_OK && i < p->product.n_skus; i++)
        rc = store_sku(p, tx, &p->product.skus[i], &changed, e);
    if (rc == RC_OK)
        rc = finish(p, tx, changed, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

enum rc sync_product_images(struct job_ctx *ctx, struct err *e)
{
    OWN_PICTURES struct pictures p = { .ctx = ctx,
                                       .dry = str_eq(ctx->job->kind, "product_images_dry"),
                                       .now = json_object() };
    enum rc rc = load(&p, e);

    if (rc == RC_NOT_FOUND) { /* left meanwhile */
        OWN_TX struct db_tx *tx = NULL;
        const struct run_delta gone = { .done = 1, .unchanged = 1 };

        rc = job_tx_begin(ctx, "images_gone", &tx, e);
        if (rc == RC_OK)
            rc = db_run_progress(tx, ctx->job->client_id, ctx->job->run_id, &gone, e);
        return rc == RC_OK ? db_tx_commit(tx, e) : rc;
    }
    if (rc == RC_OK)
        rc = ask(&p, e);
    return rc == RC_OK ? store(&p, e) : rc;
}
