/* product_audit.c - what became of a product in TikTok's review, by webhook or by looking.
 *
 * Repeats: safe. The product is read from TikTok and our row follows it. */
#include "sync.h"

#include <string.h>

#include "clock.h"
#include "db_catalog.h"
#include "db_product.h"
#include "db_shelf.h"
#include "jspec.h"
#include "problem.h"
#include "str.h"
#include "tiktok_product.h"

#define POLL_MIN_US (30 * US_PER_S)
#define POLL_MAX_US (1800 * US_PER_S)
#define CREATING_US (5 * US_PER_S)

struct audit {
    struct job_ctx *ctx;
    struct product product;
    const char *status; /* ours */
    char tiktok_status[32];
    char audit_status[32];
    char request_id[TIKTOK_REQUEST_ID_BYTES];
    json_t *problems; /* owned; NULL = leave as they are */
    bool wait;        /* the review goes on */
};

static void join(const json_t *list, char *out, size_t cap)
{
    OWN_BUF struct buf text;

    buf_init(&text, 16384);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *one = json_string_value(json_array_get(list, i));

        if (str_blank(one))
            continue;
        if (text.len > 0)
            buf_char(&text, ' ');
        buf_str(&text, one);
    }
    str_copy_cut(out, cap, buf_text(&text));
}

static void failed_reasons(const json_t *product, json_t *problems)
{
    const json_t *list = jspec_get(product, "audit_failed_reasons");

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        const char *position = jspec_text(one, "position");
        char reasons[480];
        char advice[480];

        join(json_object_get(one, "reasons"), reasons, sizeof(reasons));
        join(json_object_get(one, "suggestions"), advice, sizeof(advice));
        problem_add(problems, "review_refused", position,
                    advice[0] ? advice : "Correct the product in the feed; it is sent again then.",
                    "TikTok's review refused the product: %s",
                    reasons[0] ? reasons : "no reason given.");
    }
    if (json_array_size(problems) == 0)
        problem_add(problems, "review_refused", NULL,
                    "Look at the product in Seller Center, correct it in the feed.",
                    "TikTok's review refused the product without a reason.");
}

static void pre_approved(const json_t *product, json_t *problems)
{
    const json_t *list = jspec_get(product, "audit.pre_approved_reasons");
    char reasons[200];

    join(list, reasons, sizeof(reasons));
    problem_add(problems, "review_waits", NULL,
                "Complete the shop's verification in Seller Center.",
                "The product passed the review but is not listed yet. %s", reasons);
}

static void set_live(struct audit *a, const json_t *product)
{
    a->status = "live";
    a->wait = strcmp(a->audit_status, "AUDITING") == 0;
    if (strcmp(a->audit_status, "FAILED") == 0) {
        a->problems = json_array(); /* the edit was refused, the earlier version stays on sale */
        failed_reasons(product, a->problems);
    } else if (strcmp(a->product.status, "in_review") != 0 &&
               strcmp(a->product.status, "live") != 0) {
        a->problems = json_array();
    }
}

static void read_status(struct audit *a, const json_t *product)
{
    const char *status = jspec_text(product, "status");
    const char *review = jspec_text(product, "audit.status");

    str_copy_cut(a->tiktok_status, sizeof(a->tiktok_status), status ? status : "");
    str_copy_cut(a->audit_status, sizeof(a->audit_status), review ? review : "");
    a->status = "in_review";
    if (str_eq(status, "ACTIVATE")) {
        set_live(a, product);
    } else if (str_eq(status, "FAILED")) {
        a->status = "rejected";
        a->problems = json_array();
        failed_reasons(product, a->problems);
    } else if (str_eq(status, "SELLER_DEACTIVATED") || str_eq(status, "PLATFORM_DEACTIVATED")) {
        a->status = "deactivated";
        a->problems = json_array();
        if (str_eq(status, "PLATFORM_DEACTIVATED"))
            problem_add(a->problems, "deactivated_by_tiktok", NULL,
                        "Look at the product in Seller Center.",
                        "TikTok took the product off sale.");
    } else if (str_eq(status, "FREEZE")) {
        a->status = "held";
        a->problems = json_array();
        problem_add(a->problems, "frozen_by_tiktok", NULL, "Appeal in Seller Center.",
                    "TikTok froze the product.");
    } else if (str_eq(status, "DELETED")) {
        a->status = "deleted";
        a->problems = json_array();
    } else {
        a->wait = true;
        if (strcmp(a->audit_status, "PRE_APPROVED") == 0) {
            a->problems = json_array();
            pre_approved(product, a->problems);
        }
    }
}

static enum rc load(struct audit *a, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    const struct job *job = a->ctx->job;
    char source_id[256];
    enum rc rc = job_tx_begin(a->ctx, "audit_load", &tx, e);

    if (rc == RC_OK)
        rc = db_product_by_tiktok(tx, job->shop_id, job->entity, source_id, e);
    return rc == RC_OK ? db_product_get(tx, job->shop_id, source_id, &a->product, e) : rc;
}

static enum rc ask(struct audit *a, struct err *e)
{
    struct tiktok_session session = { 0 };
    json_auto_t *product = NULL;
    enum rc rc = session_tiktok_open(a->ctx, &session, e);

    if (rc != RC_OK)
        return rc;
    rc = tiktok_get_product(&session, a->ctx->job->entity, false, &product, a->request_id, e);
    session_tiktok_done(&session);
    if (rc == RC_OK)
        read_status(a, product);
    else if (rc == RC_NOT_FOUND) {
        a->status = "deleted";
        a->problems = json_array();
        rc = RC_OK;
    }
    return rc;
}

/* Prices or stock that changed during the review could not be sent then. */
static enum rc ask_for_values(struct audit *a, struct db_tx *tx, struct err *e)
{
    bool differ = false;

    for (int i = 0; i < a->product.n_skus; i++)
        differ = differ ||
                 (a->product.skus[i].tiktok_sku_id[0] != '\0' && a->product.skus[i].values_differ);
    if (!differ || strcmp(a->status, "live") != 0)
        return RC_OK;

    const struct db_job_key key = { .client_id = a->product.client_id,
                                    .shop_id = a->product.shop_id,
                                    .kind = "product_publish",
                                    .entity = a->product.source_id,
                                    .lane = LANE_CATALOG };

    return db_job_put(tx, &key, e);
}

/* As it stands now, locked: an edit may have been acknowledged since TikTok was asked. */
static enum rc look_again_at_ours(struct audit *a, struct db_tx *tx, struct err *e)
{
    struct shelf_state ignored;
    struct product now = { 0 };
    enum rc rc = db_shelf_get(tx, a->product.shop_id, a->product.source_id, &ignored, e);

    if (rc == RC_OK)
        rc = db_product_get(tx, a->product.shop_id, a->product.source_id, &now, e);
    if (rc != RC_OK)
        return rc;
    db_product_done(&a->product);
    a->product = now;
    return RC_OK;
}

static enum rc store(struct audit *a, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    OWN_BUF struct buf words;
    bool changed = false;
    enum rc rc = job_tx_begin(a->ctx, "audit_store", &tx, e);

    if (rc == RC_OK)
        rc = look_again_at_ours(a, tx, e);
    changed = strcmp(a->status, a->product.status) != 0;

    buf_init(&words, 65536);
    problem_summary(a->problems, &words);
    if (rc == RC_OK)
        rc = db_product_audit(tx, a->product.shop_id, a->product.source_id, a->status,
                              a->audit_status, a->problems, e);
    if (rc == RC_OK && changed) {
        const struct log_row row = { .client_id = a->product.client_id,
                                     .shop_id = a->product.shop_id,
                                     .entity = a->product.source_id,
                                     .old_value = a->product.status,
                                     .new_value = a->status,
                                     .outcome = a->status,
                                     .request_id = a->request_id,
                                     .run_id = a->ctx->job->run_id,
                                     .message = words.len > 0 ? buf_text(&words) : NULL };

        rc = db_log(tx, LOG_TABLE_PRODUCT, &row, e);
    }
    if (rc == RC_OK && changed)
        rc = ask_for_values(a, tx, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc look_again(const struct audit *a, struct err *e)
{
    int64_t wait = (clock_now_us() - a->product.published_us) / 2;

    wait = wait < POLL_MIN_US ? POLL_MIN_US : wait > POLL_MAX_US ? POLL_MAX_US : wait;

    enum rc rc = err_code(e, RC_BUSY, "in_review", "TikTok reviews the product");

    if (e != NULL)
        e->retry_after_us = wait;
    return rc;
}

/* ---- products that are not ours ----------------------------------------------------------------- */

/* Whether it may be what a create of ours made whose answer is not stored yet. */
static enum rc may_be_ours(struct job_ctx *ctx, bool *maybe, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(ctx, "audit_creating", &tx, e);

    return rc == RC_OK
               ? db_catalog_creating(tx, ctx->job->shop_id, ctx->job->first_due_us, maybe, e)
               : rc;
}

static enum rc store_foreign(struct job_ctx *ctx, const json_t *product, struct err *e)
{
    const struct job *job = ctx->job;
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *one = json_array();
    enum rc rc = job_tx_begin(ctx, "catalog_foreign", &tx, e);

    if (product != NULL && json_array_append(one, (json_t *)product) != 0)
        return err_set(e, RC_BUG, "out of memory");
    if (rc ==
        RC_OK) /* by what it was: a product that had several candidates may be left with one */
        rc = db_catalog_ask(tx, job->client_id, job->shop_id, job->entity, e);
    if (rc == RC_OK)
        rc = product != NULL ? db_catalog_put(tx, job->client_id, job->shop_id, one, true, e)
                             : db_catalog_drop(tx, job->shop_id, job->entity, e);
    if (rc == RC_OK)
        rc = db_catalog_ask(tx, job->client_id, job->shop_id, job->entity, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

/* People listed it themselves: it is known from now on, and may be one that the feed has. */
static enum rc look_at_foreign(struct job_ctx *ctx, struct err *e)
{
    struct tiktok_session session = { 0 };
    json_auto_t *product = NULL;
    bool maybe = false;
    enum rc rc = may_be_ours(ctx, &maybe, e);

    if (rc == RC_OK && maybe) {
        rc = err_code(e, RC_BUSY, "creating", "the product may be one that is being created");
        if (e != NULL)
            e->retry_after_us = CREATING_US;
        return rc;
    }
    if (rc == RC_OK)
        rc = session_tiktok_open(ctx, &session, e);
    if (rc != RC_OK)
        return rc;
    rc = tiktok_get_product(&session, ctx->job->entity, false, &product, NULL, e);
    session_tiktok_done(&session);
    return rc == RC_OK || rc == RC_NOT_FOUND ? store_foreign(ctx, product, e) : rc;
}

enum rc sync_product_audit(struct job_ctx *ctx, struct err *e)
{
    struct audit a = { .ctx = ctx };
    enum rc rc = load(&a, e);

    if (rc == RC_NOT_FOUND)
        return look_at_foreign(ctx, e);
    if (rc == RC_OK)
        rc = ask(&a, e);
    if (rc == RC_OK)
        rc = store(&a, e);
    if (rc == RC_OK && a.wait)
        rc = look_again(&a, e);
    json_decref(a.problems);
    db_product_done(&a.product);
    return rc;
}
