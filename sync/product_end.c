/* product_end.c - how publishing a product ends: its state, its log, its run, in one transaction. */
#include "product_job.h"

#include <inttypes.h>
#include <string.h>

#include "db_run.h"
#include "db_shelf.h"
#include "fault.h"
#include "jspec.h"
#include "money.h"
#include "problem.h"
#include "product_review.h"
#include "str.h"

#define AUDIT_FIRST_LOOK_US (30 * INT64_C(1000000))

static const char *run_id(const struct publish *p)
{
    return p->ctx->job->run_id;
}

static enum rc count_run(struct publish *p, struct db_tx *tx, const struct run_delta *delta,
                         struct err *e)
{
    bool first = false;

    if (run_id(p)[0] == '\0')
        return RC_OK;
    enum rc rc =
        db_product_count_run(tx, p->shop.shop_id, p->product.source_id, run_id(p), &first, e);

    if (rc == RC_OK && first)
        rc = db_run_progress(tx, p->client.client_id, run_id(p), delta, e);
    return rc;
}

/* Writes desired prices, stock and their explanation. */
static enum rc store_values(struct publish *p, struct db_tx *tx, struct err *e)
{
    enum rc rc = RC_OK;

    for (int i = 0; rc == RC_OK && i < p->n_skus; i++) {
        const struct publish_sku *sku = &p->skus[i];
        const struct sku_values values = {
            .seller_sku = sku->seller_sku,
            .price_minor = sku->price_minor,
            .price_inputs = sku->price_inputs,
            .stock = sku->stock_inputs != NULL ? sku->stock : -1,
            .stock_inputs = sku->stock_inputs,
            .problem = sku->problem,
        };

        if (sku->seller_sku[0] != '\0')
            rc = db_sku_desired(tx, p->shop.shop_id, &values, e);
        if (rc == RC_OK && sku->price_held_minor != sku->price_hold_minor)
            rc = db_value_hold(tx, p->shop.shop_id, sku->seller_sku, sku->price_held_minor, e);
    }
    if (rc == RC_OK)
        rc = publish_kept_store(p, tx, e);
    return rc == RC_OK ? db_value_version_up(tx, p->shop.shop_id, p->product.source_id, e) : rc;
}

static enum rc log_product(struct publish *p, struct db_tx *tx, const char *new_status,
                           const char *outcome, int64_t platform_code, const char *request_id,
                           const json_t *problems, struct err *e)
{
    OWN_BUF struct buf words;

    buf_init(&words, 65536);
    problem_summary(problems, &words);

    const struct log_row row = {
        .client_id = p->client.client_id,
        .shop_id = p->shop.shop_id,
        .entity = p->product.source_id,
        .old_value = p->product.status,
        .new_value = new_status,
        .outcome = outcome,
        .platform_code = platform_code,
        .request_id = request_id,
        .run_id = run_id(p),
        .message = words.len > 0 ? buf_text(&words) : NULL,
        .changes = p->changes,
    };

    return db_log(tx, LOG_TABLE_PRODUCT, &row, e);
}

enum rc publish_refused(struct publish *p, const char *status, int64_t platform_code,
                        const char *request_id, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    bool held = strcmp(status, "held") == 0 || strcmp(status, "waiting") == 0;
    const struct run_delta delta = { .done = 1, .held = held ? 1 : 0, .failed = held ? 0 : 1 };
    /* what is on TikTok stays there whatever keeps an edit back */
    bool stays = p->product.tiktok_product_id[0] != '\0' &&
                 (held || strcmp(p->product.status, "live") == 0 ||
                  strcmp(p->product.status, "in_review") == 0);
    const char *now = stays ? p->product.status : status;

    (void)json_array_extend(p->problems, p->notes); /* notes are extra words only */
    review_problems_keep(p->product.problems, PROBLEM_FEED, p->problems);
    if (stays)
        review_problems_keep(p->product.problems, PROBLEM_CLEARED, p->problems);
    enum rc rc = job_tx_begin(p->ctx, "product_refused", &tx, e);

    if (rc == RC_OK && !p->hold_refused)
        rc = db_product_state(tx, p->shop.shop_id, p->product.source_id, now, p->problems, e);
    if (rc == RC_OK && p->create_refused)
        rc = db_product_create_refused(tx, p->shop.shop_id, p->product.source_id, e);
    if (rc == RC_OK)
        rc = store_values(p, tx, e);
    if (rc == RC_OK)
        rc = log_product(p, tx, now, held ? "held" : "refused", platform_code, request_id,
                         p->problems, e);
    if (rc == RC_OK)
        rc = publish_trace_end(p, tx, held ? "held" : "refused", request_id,
                               jspec_text(json_array_get(p->problems, 0), "message"), e);
    if (rc == RC_OK)
        rc = count_run(p, tx, &delta, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

enum rc publish_failed(struct publish *p, const struct err *why, struct err *e)
{
    problem_add(p->problems, why->code[0] ? why->code : "publication_failed", why->field,
                "Look at the job; retry it once the cause is gone.",
                "The product could not be sent: %s.", why->text);
    return publish_refused(p, "rejected", why->platform_code, why->request_id, e);
}

/* ---- acknowledged ------------------------------------------------------------------------------ */

/* TikTok's id of a SKU, by seller_sku, else by external_sku_id; never by position. */
static void sku_id_of(const json_t *saved, const struct publish_sku *sku, char out[JSPEC_ID_BYTES])
{
    out[0] = '\0';
    for (size_t i = 0; i < json_array_size(saved); i++) {
        const json_t *one = json_array_get(saved, i);

        if (str_eq(jspec_text(one, "seller_sku"), sku->seller_sku)) {
            jspec_id(one, "id", out);
            return;
        }
    }
    for (size_t i = 0; i < json_array_size(saved); i++) {
        const json_t *one = json_array_get(saved, i);

        if (str_eq(jspec_text(one, "external_sku_id"), sku->source_sku)) {
            jspec_id(one, "id", out);
            return;
        }
    }
}

static enum rc log_value(struct publish *p, struct db_tx *tx, enum log_table table,
                         const char *entity, const char *before, const char *after,
                         const char *request_id, const json_t *inputs, struct err *e)
{
    const struct log_row row = {
        .client_id = p->client.client_id,
        .shop_id = p->shop.shop_id,
        .entity = entity,
        .old_value = before,
        .new_value = after,
        .outcome = "published",
        .request_id = request_id,
        .run_id = run_id(p),
        .inputs = inputs,
    };

    return db_log(tx, table, &row, e);
}

static enum rc sku_acknowledged(struct publish *p, struct db_tx *tx, const struct publish_sku *sku,
                                const struct tiktok_saved *saved, struct err *e)
{
    char id[JSPEC_ID_BYTES];
    char before[MONEY_TEXT_BYTES];
    char after[MONEY_TEXT_BYTES];
    bool fresh = sku->tiktok_sku_id[0] == '\0'; /* price and stock went along with it */

    sku_id_of(saved->skus, sku, id);
    enum rc rc = db_sku_published(tx, p->shop.shop_id, sku->seller_sku, id,
                                  fresh ? sku->price_minor : 0, fresh ? sku->stock : -1, e);

    if (rc != RC_OK || !fresh)
        return rc;
    money_write(sku->price_published_minor, before);
    money_write(sku->price_minor, after);
    rc = log_value(p, tx, LOG_TABLE_PRICE_PRODUCT, sku->seller_sku,
                   sku->price_published_minor > 0 ? before : NULL, after, saved->request_id,
                   sku->price_inputs, e);
    if (rc != RC_OK)
        return rc;
    (void)str_fmt(before, sizeof(before), "%" PRId64, sku->stock_published);
    (void)str_fmt(after, sizeof(after), "%" PRId64, sku->stock);
    return log_value(p, tx, LOG_TABLE_STOCK, sku->seller_sku,
                     sku->stock_published >= 0 ? before : NULL, after, saved->request_id,
                     sku->stock_inputs, e);
}

static enum rc ask_for_audit(struct publish *p, struct db_tx *tx, const char *product_id,
                             struct err *e)
{
    const struct db_job_key key = {
        .client_id = p->client.client_id,
        .shop_id = p->shop.shop_id,
        .kind = "product_audit",
        .entity = product_id,
        .lane = LANE_CATALOG,
        .delay_us = AUDIT_FIRST_LOOK_US,
    };

    return db_job_put(tx, &key, e);
}

/* Taken off sale while this went out: TikTok is told now that it has the product. */
static enum rc ask_for_shelf(struct publish *p, struct db_tx *tx, struct err *e)
{
    const struct db_job_key key = { .client_id = p->client.client_id,
                                    .shop_id = p->shop.shop_id,
                                    .kind = "product_shelf",
                                    .entity = "",
                                    .lane = LANE_CATALOG };
    bool due = false;
    enum rc rc = db_shelf_recheck(tx, p->shop.shop_id, p->product.source_id, &due, e);

    return rc == RC_OK && due ? db_job_put(tx, &key, e) : rc;
}

static enum rc all_acknowledged(struct publish *p, struct db_tx *tx,
                                const struct tiktok_saved *saved, struct err *e)
{
    enum rc rc = RC_OK;
    int fresh = 0;
    char count[32];

    for (int i = 0; rc == RC_OK && i < p->n_skus; i++) {
        if (!p->skus[i].listed)
            continue;
        fresh += p->skus[i].tiktok_sku_id[0] == '\0';
        rc = sku_acknowledged(p, tx, &p->skus[i], saved, e);
    }
    if (rc != RC_OK || fresh == 0)
        return rc;
    (void)str_fmt(count, sizeof(count), "%d SKUs", fresh);
    return log_value(p, tx, LOG_TABLE_PRICE, p->product.source_id, NULL, count, saved->request_id,
                     NULL, e);
}

/* What TikTok cleared earlier is still cleared when this edit did not bring it again. */
static void keep_cleared(struct publish *p, const json_t *warnings)
{
    json_t *old = json_array();

    if (json_array_size(warnings) == 0)
        review_problems_keep(p->product.problems, PROBLEM_CLEARED, old);
    for (size_t i = 0; i < json_array_size(old); i++) {
        json_t *one = json_array_get(old, i);
        const char *member = str_eq(jspec_text(one, "code"), "brand_dropped") ? "brand_id" : "skus";

        if (json_equal(json_object_get(p->product.published, member),
                       json_object_get(p->body, member)))
            (void)json_array_append(p->notes, one); /* lost to a lack of memory: not replaced */
    }
    json_decref(old);
}

enum rc publish_acknowledged(struct publish *p, const struct tiktok_saved *saved, bool created,
                             struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *content = map_product_content(p->body);
    const char *status = created || strcmp(p->product.status, "live") != 0 ? "in_review" : "live";
    const struct run_delta delta = { .done = 1, .created = created, .updated = !created };

    if (content == NULL)
        return err_set(e, RC_BUG, "out of memory");
    problem_add_warnings(p->notes, saved->warnings);
    review_problems_keep(p->product.problems, PROBLEM_FEED, p->notes);
    keep_cleared(p, saved->warnings);
    enum rc rc = job_tx_begin(p->ctx, "product_acknowledged", &tx, e);

    if (rc == RC_OK)
        rc = db_product_published(tx, p->shop.shop_id, p->product.source_id, saved->product_id,
                                  p->product.desired_hash, content, status, p->notes, e);
    if (rc == RC_OK)
        rc = store_values(p, tx, e);
    if (rc == RC_OK)
        rc = publish_images_note(p, tx, e);
    if (rc == RC_OK)
        rc = all_acknowledged(p, tx, saved, e);
    if (rc == RC_OK)
        rc = publish_dropped(p, tx, e);
    if (rc == RC_OK)
        rc = log_product(p, tx, status, created ? "created" : "updated", 0, saved->request_id,
                         p->notes, e);
    if (rc == RC_OK)
        rc = publish_trace_end(p, tx, "published", saved->request_id, NULL, e);
    if (rc == RC_OK)
        rc = ask_for_audit(p, tx, saved->product_id, e);
    if (rc == RC_OK)
        rc = ask_for_shelf(p, tx, e);
    if (rc == RC_OK)
        rc = count_run(p, tx, &delta, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc == RC_OK && created)
        fault_point("create_stored");
    return rc;
}

/* What kept an edit back has gone, and nothing is left to send that would clear it. */
static enum rc drop_overcome(struct publish *p, struct db_tx *tx, struct err *e)
{
    static const char *const CODES[] = {
        "category_unusable",     "category_unmapped", "category_refused",
        "category_proposed",     "missing_attribute", "size_chart_required",
        "epr_required",          "fee_required",      "certification_required",
        "manufacturer_required", "brand_unknown",     "fixed_value_unknown",
    };

    if (p->body == NULL)
        return RC_OK; /* nothing was checked */
    return db_product_problems_drop(tx, p->shop.shop_id, p->product.source_id, CODES,
                                    sizeof(CODES) / sizeof(CODES[0]), e);
}

enum rc publish_unchanged(struct publish *p, bool values_changed, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    const struct run_delta delta = { .done = 1,
                                     .updated = values_changed,
                                     .unchanged = !values_changed };
    enum rc rc = job_tx_begin(p->ctx, "product_unchanged", &tx, e);

    if (rc == RC_OK)
        rc = store_values(p, tx, e);
    /* what an earlier try ran into is over; what feed, review and TikTok said of it stands */
    review_problems_keep(p->product.problems, PROBLEM_FEED, p->notes);
    review_problems_keep(p->product.problems, PROBLEM_REVIEW, p->notes);
    review_problems_keep(p->product.problems, PROBLEM_CLEARED, p->notes);
    if (rc == RC_OK && p->body != NULL && !json_equal(p->notes, p->product.problems))
        rc = db_product_state(tx, p->shop.shop_id, p->product.source_id, p->product.status,
                              p->notes, e);
    else if (rc == RC_OK)
        rc = drop_overcome(p, tx, e);
    if (rc == RC_OK)
        rc = publish_trace_end(p, tx, "unchanged", NULL, NULL, e);
    if (rc == RC_OK)
        rc = count_run(p, tx, &delta, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}
