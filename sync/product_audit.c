/* product_audit.c - what became of a product in TikTok's review, by webhook or by looking.
 *
 * Repeats: safe. The product is read from TikTok and our row follows it. Notifications are only hints, but some words
 * (why it was suspended, what an approved product waits for, who changed it) stand in them alone: the newest ones are
 * read beside the product. */
#include "sync.h"

#include <string.h>

#include "clock.h"
#include "db_catalog.h"
#include "db_shelf.h"
#include "db_values.h"
#include "jspec.h"
#include "own.h"
#include "problem.h"
#include "product_review.h"
#include "product_undone.h"
#include "str.h"
#include "tiktok_product.h"

#define POLL_MIN_US (30 * US_PER_S)
#define POLL_MAX_US (1800 * US_PER_S)
#define CREATING_US (5 * US_PER_S)

#define LIMIT_NOTICE_BYTES ((size_t)1 << 20)
#define HINT_AGE_US (30 * 86400 * US_PER_S) /* as long as notifications are kept */

struct audit {
    struct job_ctx *ctx;
    struct product product;
    json_t *status_notice, *audit_notice,
        *change_notice; /* owned: data of topics 5, 37, 15; NULL = none */
    struct review review;
    const char *diverged[8]; /* members that people changed on TikTok */
    size_t n_diverged;
    json_t *on_tiktok;    /* owned: the product as TikTok shows it; NULL = none */
    char category_id[64]; /* where people put it on TikTok, when it is to stay there */
    char request_id[TIKTOK_REQUEST_ID_BYTES];
};

static void audit_done(struct audit *a)
{
    json_decref(a->status_notice);
    json_decref(a->audit_notice);
    json_decref(a->change_notice);
    json_decref(a->review.problems);
    json_decref(a->on_tiktok);
    db_product_done(&a->product);
}

/* ---- what people changed on TikTok -------------------------------------------------------------- */

static void diverged(struct audit *a, const char *member)
{
    if (a->n_diverged == sizeof(a->diverged) / sizeof(a->diverged[0]))
        return;
    a->diverged[a->n_diverged++] = member;
    problem_add(a->review.problems, "changed_on_tiktok", member,
                "Change it in the feed instead, if it should stay.",
                "\"%s\" was changed on TikTok; the next publication puts back what the feed says.",
                member);
}

/* Somebody put the product elsewhere in Seller Center. A mapping is the merchant's word for all its products: it wins
 * with the next publication, and the product says so. Where nothing is mapped, the person's choice is better than
 * TikTok's proposal: it is the product's category from now on. */
static void look_at_category(struct audit *a, const json_t *product)
{
    const json_t *chain = jspec_get(product, "category_chains");
    const char *ours = jspec_text(a->product.published, "category_id");

    for (size_t i = 0; ours != NULL && i < json_array_size(chain); i++) {
        char id[JSPEC_ID_BYTES];

        jspec_id(json_array_get(chain, i), "id", id);
        if (!jspec_bool(json_array_get(chain, i), "is_leaf", false) || id[0] == '\0' ||
            strcmp(id, ours) == 0 || strcmp(id, a->product.tiktok_category_id) == 0)
            continue; /* the last: an edit of ours whose answer is not stored yet */
        if (str_eq(a->product.category_chosen_by, "mapping"))
            diverged(a, "category_id");
        else
            (void)str_copy(a->category_id, sizeof(a->category_id), id);
        return;
    }
}

/* Only members that come from the feed; changes of our own come back as OPEN_API. */
static void look_at_changes(struct audit *a, const json_t *product)
{
    static const char *const OWNED[] = { "title", "description", "main_images",
                                         "product_attributes" };
    const json_t *fields = jspec_get(a->change_notice, "changed_fields");

    if (!str_eq(a->review.tiktok_status, "ACTIVATE") ||
        str_eq(a->review.audit_status, "AUDITING") || str_eq(a->review.audit_status, "FAILED"))
        return;
    look_at_category(a, product);
    if (!str_eq(jspec_text(a->change_notice, "change_source"), "SELLER_CENTER"))
        return;
    for (size_t k = 0; k < sizeof(OWNED) / sizeof(OWNED[0]); k++)
        for (size_t i = 0; i < json_array_size(fields); i++)
            if (str_eq(json_string_value(json_array_get(fields, i)), OWNED[k]) &&
                (strcmp(OWNED[k], "title") != 0 ||
                 !str_eq(jspec_text(product, "title"), jspec_text(a->product.published, "title"))))
                diverged(a, OWNED[k]);
}

/* `data` of the newest notification; *out stays NULL when there is none that can be read. */
static enum rc notice(struct audit *a, struct db_tx *tx, int topic, int64_t since_us, json_t **out,
                      struct err *e)
{
    OWN_BUF struct buf body;
    const struct job *job = a->ctx->job;

    buf_init(&body, LIMIT_NOTICE_BYTES);
    enum rc rc = db_product_event(tx, job->shop_id, job->entity, topic, since_us, &body, e);

    if (rc == RC_NOT_FOUND)
        return RC_OK;
    if (rc != RC_OK)
        return rc;
    json_auto_t *root = json_loadb(buf_text(&body), body.len, 0, NULL);

    *out = json_incref(json_object_get(root, "data"));
    return RC_OK;
}

static enum rc load(struct audit *a, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    const struct job *job = a->ctx->job;
    char source_id[256];
    enum rc rc = job_tx_begin(a->ctx, "audit_load", &tx, e);

    if (rc == RC_OK)
        rc = db_product_by_tiktok(tx, job->shop_id, job->entity, source_id, e);
    if (rc == RC_OK)
        rc = db_product_get(tx, job->shop_id, source_id, &a->product, e);
    if (rc == RC_OK)
        rc = notice(a, tx, 5, clock_now_us() - HINT_AGE_US, &a->status_notice, e);
    if (rc == RC_OK)
        rc = notice(a, tx, 37, clock_now_us() - HINT_AGE_US, &a->audit_notice, e);
    if (rc == RC_OK)
        rc = notice(a, tx, 15, a->product.published_us, &a->change_notice, e);
    return rc;
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
    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;

    const struct review_hints hints = { a->status_notice, a->audit_notice };

    review_read(product, &hints, &a->review);
    if (a->review.problems == NULL)
        return err_set(e, RC_BUG, "out of memory");
    if (product != NULL)
        look_at_changes(a, product);
    a->on_tiktok = json_incref(product);
    return RC_OK;
}

/* Prices and stock are read anew once TikTok takes them: what went out with the product is as old as its review. */
static enum rc ask_for_values(struct audit *a, struct db_tx *tx, struct err *e)
{
    const struct db_job_key key = { .client_id = a->product.client_id,
                                    .shop_id = a->product.shop_id,
                                    .kind = "product_publish",
                                    .entity = a->product.source_id,
                                    .lane = LANE_CATALOG };
    bool ask = !str_eq(a->product.status, "live");

    if (!str_eq(a->review.status, "live"))
        return RC_OK;
    for (int i = 0; i < a->product.n_skus; i++)
        ask = ask ||
              (a->product.skus[i].tiktok_sku_id[0] != '\0' && a->product.skus[i].values_differ);
    if (str_eq(a->product.tiktok_status, "FREEZE"))
        return db_job_put(tx, &key, e); /* nothing could be sent */
    return ask ? db_value_note_product(tx, a->product.shop_id, a->product.source_id,
                                       (struct value_parts){ .price = true, .stock = true }, e)
               : RC_OK;
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

static enum rc follow_category(struct audit *a, struct db_tx *tx, struct err *e)
{
    if (a->category_id[0] == '\0' || str_eq(a->product.category_chosen_by, "mapping"))
        return RC_OK;
    return db_product_category_followed(tx, a->product.shop_id, a->product.source_id,
                                        a->category_id, e);
}

static enum rc log_review(struct audit *a, struct db_tx *tx, struct err *e)
{
    OWN_BUF struct buf words;

    buf_init(&words, 65536);
    problem_summary(a->review.problems, &words);

    const struct log_row row = { .client_id = a->product.client_id,
                                 .shop_id = a->product.shop_id,
                                 .entity = a->product.source_id,
                                 .old_value = a->product.status,
                                 .new_value = a->review.status,
                                 .outcome = a->review.status,
                                 .request_id = a->request_id,
                                 .run_id = a->ctx->job->run_id,
                                 .message = words.len > 0 ? buf_text(&words) : NULL };

    return db_log(tx, LOG_TABLE_PRODUCT, &row, e);
}

/* What the review says of edits of ours: those before it stand, or are taken back. */
static enum rc judge_edits(struct audit *a, struct db_tx *tx, struct err *e)
{
    bool ignored = false;

    if (json_object_size(a->product.edit_unreviewed) == 0)
        return RC_OK;
    if (str_eq(a->review.audit_status, "APPROVED"))
        return db_product_edit_passed(tx, a->product.shop_id, a->product.source_id, e);
    return review_took_back(a->on_tiktok)
               ? review_undo_skus(tx, &a->product, a->on_tiktok, &ignored, e)
               : RC_OK;
}

/* The review's own problems are replaced, those of others stay. */
static enum rc store(struct audit *a, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *problems = json_array();
    int64_t published_us = a->product.published_us;
    enum rc rc = job_tx_begin(a->ctx, "audit_store", &tx, e);

    if (rc == RC_OK)
        rc = look_again_at_ours(a, tx, e);

    bool changed = strcmp(a->review.status, a->product.status) != 0;

    if (a->product.published_us !=
        published_us) { /* an edit of ours came after what was looked at */
        a->n_diverged = 0;
        a->category_id[0] = '\0';
    } else if (rc == RC_OK) {
        rc = judge_edits(a, tx, e);
    }
    if (json_array_extend(problems, a->review.problems) != 0)
        return err_set(e, RC_BUG, "out of memory");
    review_problems_keep(a->product.problems, PROBLEM_FEED, problems);
    review_problems_keep(a->product.problems, PROBLEM_CLEARED, problems);
    review_problems_keep(a->product.problems, PROBLEM_OTHER, problems);
    if (rc == RC_OK)
        rc = db_product_audit(tx, a->product.shop_id, a->product.source_id, a->review.status,
                              a->review.tiktok_status, a->review.audit_status, problems, e);
    if (rc == RC_OK && a->n_diverged > 0)
        rc = db_product_diverged(tx, a->product.shop_id, a->product.source_id, a->diverged,
                                 a->n_diverged, e);
    if (rc == RC_OK)
        rc = follow_category(a, tx, e);
    if (rc == RC_OK && changed)
        rc = log_review(a, tx, e);
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
    if (rc == RC_OK && a.review.wait)
        rc = look_again(&a, e);
    audit_done(&a);
    return rc;
}
