/* value_compare.c - compares prices and stock with what TikTok really holds: somebody may have changed them there, and an
 * answer may have been lost. What differs is listed, counted, and put right by the parts of the run. */
#include "value_compare.h"

#include <inttypes.h>

#include "clock.h"
#include "db_values.h"
#include "jspec.h"
#include "metrics.h"
#include "money.h"
#include "str.h"
#include "tiktok_product.h"

#define PRICE_PAGE 500
#define PART_SKUS 20

struct compare {
    struct job_ctx *ctx;
    struct tiktok_session *tiktok;
    const struct run *run;
    bool repair;
};

static enum rc line(const struct compare *c, struct db_tx *tx, const struct db_rows *rows, int i,
                    bool price, const char *theirs, const char *ours, const char *reason,
                    struct err *e)
{
    const struct run_change one = { .client_id = c->run->client_id,
                                    .run_id = c->run->id,
                                    .source_id = db_text(rows, i, "source_id"),
                                    .seller_sku = db_text(rows, i, "seller_sku"),
                                    .field = price ? "price" : "stock",
                                    .old_value = theirs,
                                    .new_value = ours,
                                    .action = "repair",
                                    .outcome = c->repair ? "waiting" : "planned",
                                    .reason = reason };

    metrics_add("connector_value_drift_total", price ? "value=\"price\"" : "value=\"stock\"", 1);
    return db_run_change_add(tx, &one, e);
}

/* ---- stock -------------------------------------------------------------------------------------- */

static int64_t campaign_units(const json_t *sku)
{
    const json_t *split = jspec_get(sku, "total_available_inventory_distribution");
    static const char *const LISTS[] = { "campaign_inventory", "creator_inventory" };
    int64_t units = 0;

    for (size_t k = 0; k < sizeof LISTS / sizeof LISTS[0]; k++) {
        const json_t *list = json_object_get(split, LISTS[k]);

        for (size_t i = 0; i < json_array_size(list); i++)
            units += jspec_int(json_array_get(list, i), "quantity", 0);
    }
    return units;
}

/* One SKU as the comparison takes it; an answer without a number says nothing. */
static enum rc add_sku(json_t *out, const json_t *sku, struct err *e)
{
    char id[JSPEC_ID_BYTES];
    int64_t available = jspec_int(sku, "total_available_quantity", -1);
    int64_t committed = jspec_int(sku, "total_committed_quantity", 0);

    jspec_id(sku, "id", id);
    if (id[0] == '\0' || available < 0)
        return RC_OK;
    return json_array_append_new(out, json_pack("{s:s, s:I, s:I, s:I}", "id", id, "available",
                                                (json_int_t)available, "committed",
                                                (json_int_t)committed, "campaign",
                                                (json_int_t)campaign_units(sku))) == 0
               ? RC_OK
               : err_set(e, RC_DOWN, "out of memory");
}

static enum rc stock_lines(const struct compare *c, struct db_tx *tx, const struct db_rows *rows,
                           struct err *e)
{
    enum rc rc = RC_OK;

    for (int i = 0; rc == RC_OK && i < db_rows_count(rows); i++) {
        char theirs[32];
        char ours[32];
        char reason[160];

        (void)str_fmt(theirs, sizeof theirs, "%" PRId64, db_i64(rows, i, "available"));
        (void)str_fmt(ours, sizeof ours, "%" PRId64, db_i64(rows, i, "stock_published"));
        (void)str_fmt(reason, sizeof reason,
                      "TikTok holds %" PRId64 " for sale, %" PRId64 " committed to orders, %" PRId64
                      " of the first for campaigns.",
                      db_i64(rows, i, "available"), db_i64(rows, i, "committed"),
                      db_i64(rows, i, "campaign"));
        rc = line(c, tx, rows, i, false, theirs, ours, reason, e);
    }
    return rc;
}

static enum rc stock_page(const struct compare *c, const char *const *ids, size_t n, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    OWN_ROWS struct db_rows *rows = NULL;
    json_auto_t *found = NULL;
    json_auto_t *theirs = json_array();
    int64_t began_us = clock_now_us();
    enum rc rc = tiktok_inventory_search(c->tiktok, ids, n, &found, e);

    for (size_t i = 0; rc == RC_OK && i < json_array_size(found); i++) {
        const json_t *skus = json_object_get(json_array_get(found, i), "skus");

        for (size_t k = 0; rc == RC_OK && k < json_array_size(skus); k++)
            rc = add_sku(theirs, json_array_get(skus, k), e);
    }
    if (rc == RC_OK)
        rc = job_tx_begin(c->ctx, "stock_compare", &tx, e);
    if (rc == RC_OK)
        rc = db_value_stock_drift(tx, c->ctx->job->shop_id, began_us, theirs, c->repair, &rows, e);
    if (rc == RC_OK)
        rc = stock_lines(c, tx, rows, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc live_page(const struct compare *c, const char *after, struct db_rows **rows,
                         struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(c->ctx, "live_page", &tx, e);

    return rc == RC_OK
               ? db_value_live_page(tx, c->ctx->job->shop_id, after, TIKTOK_INVENTORY_IDS, rows, e)
               : rc;
}

static enum rc compare_stock(const struct compare *c, struct err *e)
{
    char after[256] = "";
    int n = TIKTOK_INVENTORY_IDS;
    enum rc rc = RC_OK;

    while (rc == RC_OK && n == TIKTOK_INVENTORY_IDS) {
        OWN_ROWS struct db_rows *rows = NULL;
        const char *ids[TIKTOK_INVENTORY_IDS];

        rc = live_page(c, after, &rows, e);
        n = rc == RC_OK ? db_rows_count(rows) : 0;
        for (int i = 0; i < n; i++)
            ids[i] = db_text(rows, i, "tiktok_product_id");
        if (n > 0) {
            (void)str_copy(after, sizeof after, db_text(rows, n - 1, "source_id"));
            rc = stock_page(c, ids, (size_t)n, e);
        }
    }
    return rc;
}

/* ---- prices ------------------------------------------------------------------------------------- */

static enum rc compare_prices(const struct compare *c, struct err *e)
{
    char after[256] = "";
    int n = PRICE_PAGE;
    enum rc rc = RC_OK;

    while (rc == RC_OK && n == PRICE_PAGE) {
        OWN_TX struct db_tx *tx = NULL;
        OWN_ROWS struct db_rows *rows = NULL;

        rc = job_tx_begin(c->ctx, "price_compare", &tx, e);
        if (rc == RC_OK)
            rc = db_value_price_drift(tx, c->ctx->job->shop_id, after, PRICE_PAGE, c->repair, &rows,
                                      e);
        n = rc == RC_OK ? db_rows_count(rows) : 0;
        for (int i = 0; rc == RC_OK && i < n; i++) {
            char theirs[MONEY_TEXT_BYTES];
            char ours[MONEY_TEXT_BYTES];

            money_write(db_i64(rows, i, "price_minor"), theirs);
            money_write(db_i64(rows, i, "price_published_minor"), ours);
            rc = line(c, tx, rows, i, true, theirs, ours, "TikTok shows another price.", e);
        }
        if (n > 0)
            (void)str_copy(after, sizeof after, db_text(rows, n - 1, "seller_sku"));
        if (rc == RC_OK)
            rc = db_tx_commit(tx, e);
    }
    return rc;
}

enum rc value_compare(struct job_ctx *ctx, struct tiktok_session *tiktok, const struct run *run,
                      struct err *e)
{
    const struct compare c = { .ctx = ctx, .tiktok = tiktok, .run = run, .repair = !run->dry_run };
    enum rc rc = compare_stock(&c, e);

    return rc == RC_OK ? compare_prices(&c, e) : rc;
}

enum rc value_compare_plan(struct job_ctx *ctx, struct db_tx *tx, const struct run *run, int64_t *n,
                           struct err *e)
{
    json_auto_t *unknown = NULL;

    return db_value_run_plan(tx, ctx->job->client_id, ctx->job->shop_id, run->id, NULL, PART_SKUS,
                             LANE_CATALOG, n, &unknown, e);
}

/* ---- once a day --------------------------------------------------------------------------------- */

static enum rc ask(struct job_ctx *ctx, struct db_tx *tx, struct err *e)
{
    const struct job *job = ctx->job;
    json_auto_t *params = json_object();
    char run_id[40];
    struct db_job_key key = { .client_id = job->client_id,
                              .shop_id = job->shop_id,
                              .kind = "reconcile",
                              .entity = "daily",
                              .lane = LANE_CATALOG,
                              .run_id = run_id };
    enum rc rc = db_run_new(tx, job->client_id, job->shop_id, "reconcile", false, "live", params,
                            "schedule", run_id, e);

    return rc == RC_OK ? db_job_put(tx, &key, e) : rc;
}

enum rc sync_reconcile_due(struct job_ctx *ctx, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    bool any = false;
    enum rc rc = job_tx_begin(ctx, "reconcile_due", &tx, e);

    if (rc == RC_OK)
        rc = db_value_any(tx, ctx->job->shop_id, &any, e);
    if (rc == RC_OK && any)
        rc = ask(ctx, tx, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}
