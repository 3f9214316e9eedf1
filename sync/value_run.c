/* value_run.c - runs over prices ("prices_read") or stock ("stock_read") of all SKUs that TikTok has, or of some: first
 * the parts, then part by part ("values_part", entity "<run>:<number>").
 *
 * Repeats: safe. A product's line of the run goes away in the transaction that stores and counts its result. */
#include "sync.h"

#include <string.h>

#include "db_run.h"
#include "jspec.h"
#include "money.h"
#include "single.h"
#include "str.h"
#include "value_work.h"

#define PART_SKUS 20
#define MAX_ATTEMPTS 12

/* ---- the plan ----------------------------------------------------------------------------------- */

/* A list is what somebody waits for; all of it is not, and must not keep single changes waiting. */
static enum lane part_lane(bool price, bool all)
{
    if (price)
        return all ? LANE_CATALOG : LANE_PRICE;
    return all ? LANE_PRICE : LANE_STOCK;
}

static enum rc list_unknown(const struct run *run, struct db_tx *tx, const json_t *unknown,
                            const char *field, struct err *e)
{
    enum rc rc = RC_OK;

    for (size_t i = 0; rc == RC_OK && i < json_array_size(unknown); i++) {
        const char *name = json_string_value(json_array_get(unknown, i));
        const struct run_change c = { .client_id = run->client_id,
                                      .run_id = run->id,
                                      .source_id = name,
                                      .seller_sku = name,
                                      .field = field,
                                      .action = "update",
                                      .outcome = "skipped",
                                      .reason = "TikTok has no such SKU of the client." };

        rc = db_run_change_add(tx, &c, e);
    }
    return rc;
}

static enum rc plan(struct job_ctx *ctx, struct db_tx *tx, const struct run *run, bool price,
                    struct err *e)
{
    const struct job *job = ctx->job;
    const json_t *skus = jspec_get(run->params, "skus");
    json_auto_t *unknown = NULL;
    struct run_delta delta = { 0 };
    enum rc rc = db_value_run_plan(tx, job->client_id, job->shop_id, run->id, skus, PART_SKUS,
                                   part_lane(price, skus == NULL), &delta.total, &unknown, e);

    if (rc == RC_OK)
        rc = list_unknown(run, tx, unknown, price ? "price" : "stock", e);
    delta.failed = delta.done = (int64_t)json_array_size(unknown);
    delta.total += delta.failed;
    if (rc == RC_OK)
        rc = db_run_start(tx, job->client_id, run->id, e);
    if (rc == RC_OK)
        rc = db_run_progress(tx, job->client_id, run->id, &delta, e);
    return rc == RC_OK ? db_run_read_done(tx, job->client_id, run->id, e) : rc;
}

static enum rc read_values(struct job_ctx *ctx, bool price, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    OWN_RUN_ROW struct run run = { 0 };
    enum rc rc = job_tx_begin(ctx, "value_run", &tx, e);

    if (rc == RC_OK)
        rc = db_run_get(tx, ctx->job->client_id, ctx->job->run_id, &run, e);
    if (rc == RC_OK && !str_eq(run.status, "queued"))
        return RC_OK; /* planned before, or cancelled */
    if (rc == RC_OK)
        rc = plan(ctx, tx, &run, price, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

enum rc sync_prices_read(struct job_ctx *ctx, struct err *e)
{
    return read_values(ctx, true, e);
}

enum rc sync_stock_read(struct job_ctx *ctx, struct err *e)
{
    return read_values(ctx, false, e);
}

/* ---- a part ------------------------------------------------------------------------------------- */

struct part {
    struct job_ctx ctx; /* of one product: the entity is its source id, the run the part's */
    struct job job;
    struct run run;
    int64_t number;
    bool price, stock; /* what is read; both for a comparison */
};

static void part_done(struct part *t)
{
    db_run_done(&t->run);
}
#define OWN_PART __attribute__((cleanup(part_done)))

static enum rc part_name(const struct job *job, char run_id[40], int64_t *number, struct err *e)
{
    const char *colon = strchr(job->entity, ':');
    size_t len = colon != NULL ? (size_t)(colon - job->entity) : 40;

    if (len >= 40 || !str_to_i64(colon + 1, 0, INT64_MAX, number))
        return err_set(e, RC_BUG, "the name of a part of a run is damaged");
    memcpy(run_id, job->entity, len);
    run_id[len] = '\0';
    return RC_OK;
}

static enum rc one_line(const struct part *t, struct db_tx *tx, const struct publish *p,
                        const struct publish_sku *sku, bool price, struct err *e)
{
    char before[MONEY_TEXT_BYTES];
    char after[MONEY_TEXT_BYTES];
    char rules[300];
    bool held = price && sku->price_held_minor > 0;
    const struct run_change c = {
        .client_id = t->run.client_id,
        .run_id = t->run.id,
        .source_id = p->product.source_id,
        .seller_sku = sku->seller_sku,
        .field = price ? "price" : "stock",
        .old_value =
            (price ? sku->price_published_minor > 0 : sku->stock_published >= 0) ? before : NULL,
        .new_value = after,
        .action = "update",
        .outcome = held             ? "held"
                   : t->run.dry_run ? "planned"
                                    : "waiting",
        .rule = rules,
        .reason = jspec_text(sku->problem, "message"),
    };

    if (price) {
        money_write(sku->price_published_minor, before);
        money_write(held ? sku->price_held_minor : sku->price_minor, after);
    } else {
        (void)str_fmt(before, sizeof before, "%lld", (long long)sku->stock_published);
        (void)str_fmt(after, sizeof after, "%lld", (long long)sku->stock);
    }
    publish_trace_rules(price ? sku->price_inputs : sku->stock_inputs, rules, sizeof rules);
    return db_run_change_add(tx, &c, e);
}

static bool price_differs(const struct publish_sku *sku)
{
    return sku->price_held_minor > 0 || (sku->price_minor > 0 && publish_price_differs(sku));
}

/* What was sent has its line already; what waits, is held or would be sent gets one here. */
static enum rc lines(const struct part *t, struct db_tx *tx, const struct publish *p, struct err *e)
{
    enum rc rc = RC_OK;

    for (int i = 0; rc == RC_OK && i < p->n_skus; i++) {
        const struct publish_sku *sku = &p->skus[i];

        if (price_differs(sku) && sku->price_end == NULL)
            rc = one_line(t, tx, p, sku, true, e);
        if (rc == RC_OK && publish_stock_differs(sku) && sku->stock_end == NULL)
            rc = one_line(t, tx, p, sku, false, e);
    }
    return rc;
}

static bool refused(const struct publish_sku *sku)
{
    return str_eq(sku->price_end, "refused") || str_eq(sku->stock_end, "refused");
}

static struct run_delta count(const struct part *t, const struct publish *p, int n)
{
    struct run_delta d = { .done = n };

    for (int i = 0; p != NULL && i < p->n_skus; i++) {
        const struct publish_sku *sku = &p->skus[i];
        bool sent = sku->price_end != NULL || sku->stock_end != NULL;
        bool would = t->run.dry_run && (price_differs(sku) || publish_stock_differs(sku));

        if (refused(sku))
            d.failed++;
        else if (sku->price_held_minor > 0 && !sent)
            d.held++;
        else if (sent || would)
            d.updated++;
    }
    d.unchanged = n - d.failed - d.held - d.updated;
    return d;
}

/* p NULL: the product cannot be looked at; failed tells why it counts as that. */
static enum rc store(struct part *t, struct value_work *w, const struct value_item *item,
                     const struct err *failed, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    int n = (int)json_array_size(item->seller_skus);
    struct run_delta delta = { .done = n, .failed = n };
    bool mine = false;
    enum rc rc = job_tx_begin(&t->ctx, "value_part", &tx, e);

    if (failed == NULL)
        delta = count(t, w->p, n);
    if (rc == RC_OK && failed == NULL && !t->run.dry_run && w->p != NULL && w->p->n_skus > 0)
        rc = value_work_store(w, tx, e);
    if (rc == RC_OK)
        rc = db_value_run_item_done(tx, t->run.client_id, t->run.id, item->source_id, &mine, e);
    if (rc == RC_OK && mine && failed == NULL && w->p != NULL)
        rc = lines(t, tx, w->p, e);
    if (rc == RC_OK && mine && failed != NULL) {
        const struct run_change c = { .client_id = t->run.client_id,
                                      .run_id = t->run.id,
                                      .source_id = item->source_id,
                                      .field = t->price ? "price" : "stock",
                                      .action = "update",
                                      .outcome = "refused",
                                      .request_id = failed->request_id,
                                      .reason = failed->text };

        rc = db_run_change_add(tx, &c, e);
    }
    if (rc == RC_OK && mine)
        rc = db_run_progress(tx, t->run.client_id, t->run.id, &delta, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc work(struct part *t, struct value_work *w, const struct value_item *item,
                    struct err *e)
{
    struct value_want *want;
    int n = (int)json_array_size(item->seller_skus);
    bool idle = false;
    enum rc rc = value_work_load(&t->ctx, w, &idle, e);

    if (rc != RC_OK || idle)
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    want = calloc((size_t)n + 1, sizeof *want);
    if (want == NULL)
        return err_set(e, RC_DOWN, "out of memory");
    for (int i = 0; i < n; i++)
        want[i] = (struct value_want){ .seller_sku = json_string_value(
                                           json_array_get(item->seller_skus, (size_t)i)),
                                       .price = t->price,
                                       .stock = t->stock };
    w->dry = t->run.dry_run;
    rc = value_work_run(w, want, n, e);
    free(want);
    return rc;
}

/* Nothing more will come of it: the run must not wait for this product. */
static bool final_outcome(const struct part *t, enum rc rc)
{
    if (rc == RC_DOWN || rc == RC_UNSURE)
        return t->job.attempts >= MAX_ATTEMPTS;
    return rc == RC_INVALID || rc == RC_NOT_FOUND || rc == RC_BUG;
}

static enum rc one_product(struct part *t, const struct value_item *item, struct err *e)
{
    OWN_VALUE_WORK struct value_work w = { 0 };
    struct err why = { 0 };
    int held;
    enum rc rc;

    (void)str_copy(t->job.entity, sizeof t->job.entity, item->source_id);
    held = values_hold(t->job.shop_id, item->source_id);
    rc = work(t, &w, item, &why);
    if (rc == RC_OK)
        rc = store(t, &w, item, NULL, e);
    else if (final_outcome(t, rc))
        rc = store(t, &w, item, &why, e);
    else if (e != NULL)
        *e = why;
    single_give(held);
    return rc;
}

static enum rc load_part(struct part *t, struct value_item **items, int *n, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    char run_id[40];
    enum rc rc = part_name(t->ctx.job, run_id, &t->number, e);

    if (rc == RC_OK)
        rc = job_tx_begin(&t->ctx, "value_part_load", &tx, e);
    if (rc == RC_OK)
        rc = db_run_get(tx, t->job.client_id, run_id, &t->run, e);
    if (rc == RC_OK)
        rc = db_value_run_items(tx, t->job.client_id, run_id, t->number, items, n, e);
    if (rc == RC_OK) {
        (void)str_copy(t->job.run_id, sizeof t->job.run_id, run_id);
        t->price = !str_eq(t->run.kind, "stock");
        t->stock = !str_eq(t->run.kind, "prices");
    }
    return rc;
}

enum rc sync_values_part(struct job_ctx *ctx, struct err *e)
{
    OWN_PART struct part t = { .ctx = *ctx, .job = *ctx->job };
    struct value_item *items = NULL;
    int n = 0;
    enum rc rc;

    t.ctx.job = &t.job;
    rc = load_part(&t, &items, &n, e);
    for (int i = 0; rc == RC_OK && i < n && str_eq(t.run.status, "running"); i++)
        rc = one_product(&t, &items[i], e);
    db_value_items_free(items, n);
    return rc == RC_NOT_FOUND ? RC_OK : rc; /* the run is gone */
}
