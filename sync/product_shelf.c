/* product_shelf.c - takes products off sale, puts them on sale again and deletes them, as their rows want it.
 *
 * Repeats: safe. What is due stands in the rows and stays due until TikTok has taken it; after a refusal TikTok is
 * asked how the product stands, so that a call whose answer was lost is not mistaken for one. */
#include "sync.h"

#include <string.h>

#include "clock.h"
#include "db_product.h"
#include "db_run.h"
#include "db_shelf.h"
#include "fault.h"
#include "jspec.h"
#include "problem.h"
#include "str.h"
#include "tiktok_product.h"

#define TRIES_MAX 12
#define RETRY_FIRST_US (60 * US_PER_S)
#define RETRY_MAX_US (1800 * US_PER_S)
#define AUDIT_FIRST_LOOK_US (30 * US_PER_S)

static const struct goal {
    const char *shelf;
    enum tiktok_shelf call;
    const char *status;  /* ours, once TikTok took it */
    const char *outcome; /* in the log */
    const char *problem; /* code */
} GOALS[] = {
    { SHELF_OFF, TIKTOK_DEACTIVATE, "deactivated", "deactivated", "deactivation_refused" },
    { SHELF_ON, TIKTOK_ACTIVATE, "in_review", "activated", "activation_refused" },
    { SHELF_GONE, TIKTOK_DELETE, "deleted", "deleted", "deletion_refused" },
};

enum end { END_DONE, END_LATER, END_REFUSED };

struct batch {
    struct job_ctx *ctx;
    struct tiktok_session session;
    bool open;
    const struct goal *goal;
    struct shelf_item items[SHELF_BATCH];
    struct tiktok_refusal refusals[SHELF_BATCH];
    enum end ends[SHELF_BATCH];
    const char *statuses[SHELF_BATCH]; /* NULL = stays */
    int n;
    char request_id[TIKTOK_REQUEST_ID_BYTES];
};

static enum rc load(struct batch *b, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    char shelf[8] = "";
    enum rc rc = job_tx_begin(b->ctx, "shelf_load", &tx, e);

    if (rc == RC_OK)
        rc = db_shelf_due(tx, b->ctx->job->shop_id, shelf, b->items, &b->n, e);
    for (size_t i = 0; i < sizeof GOALS / sizeof GOALS[0]; i++)
        if (str_eq(shelf, GOALS[i].shelf))
            b->goal = &GOALS[i];
    return rc;
}

/* Already so, as far as we know: nothing to tell. */
static bool is_there(const struct batch *b, const struct shelf_item *item)
{
    bool deactivated = str_eq(item->status, "deactivated");

    if (str_eq(item->status, "deleted"))
        return true;
    if (b->goal->call == TIKTOK_ACTIVATE)
        return !deactivated;
    return b->goal->call == TIKTOK_DEACTIVATE && deactivated;
}

/* ---- what became of one product ---------------------------------------------------------------------- */

static void done(struct batch *b, int i, const char *status)
{
    b->ends[i] = END_DONE;
    b->statuses[i] = status;
}

/* A refusal in the light of how the product stands. */
static void judge(struct batch *b, int i, const char *state)
{
    bool off = str_eq(state, "SELLER_DEACTIVATED") || str_eq(state, "PLATFORM_DEACTIVATED");
    bool on = str_eq(state, "ACTIVATE");
    bool reviewed = str_eq(state, "PENDING");

    b->ends[i] = b->refusals[i].rc == RC_UNSURE ? END_LATER : END_REFUSED;
    if (str_eq(state, "DELETED") && b->goal->call != TIKTOK_ACTIVATE)
        done(b, i, "deleted");
    else if (str_eq(state, "DELETED"))
        b->statuses[i] = "deleted";
    else if (off && b->goal->call == TIKTOK_DEACTIVATE)
        done(b, i, "deactivated");
    else if ((on || reviewed) && b->goal->call == TIKTOK_ACTIVATE)
        done(b, i, on ? "live" : "in_review");
    else if (reviewed) /* not possible during a review, which ends by itself */
        b->ends[i] = END_LATER;
}

static enum rc look(struct batch *b, int i, struct err *e)
{
    json_auto_t *product = NULL;
    struct err why = { 0 };
    enum rc rc =
        tiktok_get_product(&b->session, b->items[i].tiktok_product_id, false, &product, NULL, &why);

    if (rc == RC_OK)
        judge(b, i, jspec_text(product, "status"));
    else if (rc == RC_NOT_FOUND)
        judge(b, i, "DELETED");
    else if (rc == RC_INVALID)
        b->ends[i] = END_REFUSED;
    else
        *e = why;
    return rc == RC_NOT_FOUND || rc == RC_INVALID ? RC_OK : rc;
}

static enum rc judge_all(struct batch *b, int first, int n, struct err *e)
{
    enum rc rc = RC_OK;

    for (int i = first; rc == RC_OK && i < first + n; i++) {
        struct tiktok_refusal *no = &b->refusals[i];

        if (no->code == 0)
            done(b, i, b->goal->status);
        else if (no->rc == RC_DOWN || no->rc == RC_BUSY)
            b->ends[i] = END_LATER;
        else
            rc = look(b, i, e);
        if (rc == RC_OK && b->ends[i] == END_LATER && b->items[i].tries + 1 >= TRIES_MAX)
            b->ends[i] = END_REFUSED;
    }
    return rc;
}

/* Sends items first .. first + n - 1; a refusal of the whole says nothing of each, so each is sent alone then. */
static enum rc send(struct batch *b, int first, int n, struct err *e)
{
    const char *ids[SHELF_BATCH];
    enum rc rc;

    for (int i = 0; i < n; i++)
        ids[i] = b->items[first + i].tiktok_product_id;
    rc = tiktok_shelve(&b->session, b->goal->call, ids, (size_t)n, b->refusals + first,
                       b->request_id, e);
    if (rc == RC_OK)
        fault_point("shelf_sent");
    if (rc == RC_INVALID && n == 1) {
        b->refusals[first] =
            (struct tiktok_refusal){ .code = e->platform_code != 0 ? e->platform_code : -1,
                                     .rc = RC_INVALID };
        str_copy_cut(b->refusals[first].message, sizeof b->refusals[first].message, e->text);
        rc = RC_OK;
    }
    if (rc == RC_OK)
        return judge_all(b, first, n, e);
    if (rc != RC_INVALID)
        return rc;
    for (int i = 0; i < n; i++) {
        rc = send(b, first + i, 1, e);
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

/* ---- writing it down ---------------------------------------------------------------------------------- */

static enum rc log_end(struct batch *b, struct db_tx *tx, int i, const char *outcome,
                       const char *message, struct err *e)
{
    const struct shelf_item *item = &b->items[i];
    const char *status = b->statuses[i] != NULL ? b->statuses[i] : item->status;
    const struct log_row row = { .client_id = b->ctx->job->client_id,
                                 .shop_id = b->ctx->job->shop_id,
                                 .entity = item->source_id,
                                 .old_value = item->status,
                                 .new_value = status,
                                 .outcome = outcome,
                                 .platform_code = b->refusals[i].code,
                                 .request_id = b->request_id,
                                 .run_id = item->run_id,
                                 .message = message };
    const struct run_change change = { .client_id = b->ctx->job->client_id,
                                       .run_id = item->run_id,
                                       .source_id = item->source_id,
                                       .field = "status",
                                       .old_value = item->status,
                                       .new_value = status,
                                       .action = "remove",
                                       .outcome = b->ends[i] == END_DONE ? "published" : "refused",
                                       .rule = "two complete feeds in a row did not have it",
                                       .request_id = b->request_id,
                                       .reason = message };
    enum rc rc = db_log(tx, LOG_TABLE_PRODUCT, &row, e);

    return rc == RC_OK ? db_run_change_sent(tx, &change, e) : rc;
}

/* Back on sale: its review is followed, and what changed meanwhile goes out. */
static enum rc follow(struct batch *b, struct db_tx *tx, const struct shelf_item *item,
                      struct err *e)
{
    struct db_job_key key = { .client_id = b->ctx->job->client_id,
                              .shop_id = b->ctx->job->shop_id,
                              .kind = "product_audit",
                              .entity = item->tiktok_product_id,
                              .lane = LANE_CATALOG,
                              .delay_us = AUDIT_FIRST_LOOK_US };
    enum rc rc = db_job_put(tx, &key, e);

    key.kind = "product_publish";
    key.entity = item->source_id;
    key.delay_us = 0;
    return rc == RC_OK ? db_job_put(tx, &key, e) : rc;
}

static enum rc store_done(struct batch *b, struct db_tx *tx, int i, struct err *e)
{
    static const struct run_delta REMOVED = { .done = 1, .removed = 1 };
    const struct job *job = b->ctx->job;
    const struct shelf_item *item = &b->items[i];
    enum rc rc =
        db_shelf_done(tx, job->shop_id, item->source_id, b->goal->shelf, b->statuses[i], e);

    if (rc == RC_OK)
        rc = log_end(b, tx, i, b->goal->outcome, NULL, e);
    if (rc == RC_OK)
        rc = db_run_progress(tx, job->client_id, item->run_id, &REMOVED, e);
    return rc == RC_OK && b->goal->call == TIKTOK_ACTIVATE ? follow(b, tx, item, e) : rc;
}

static int64_t delay_us(int tries)
{
    int64_t us = RETRY_FIRST_US << (tries < 6 ? tries : 6);

    return us < RETRY_MAX_US ? us : RETRY_MAX_US;
}

static json_t *problem_of(const struct batch *b, int i)
{
    static const char ACTION[] =
        "Look at the product in Seller Center; ask for it again once the cause is gone.";
    const char *text =
        b->refusals[i].message[0] != '\0' ? b->refusals[i].message : "no reason given.";
    json_auto_t *list = json_array();
    json_t *problem;

    if (b->goal->call == TIKTOK_DEACTIVATE)
        problem_add(list, b->goal->problem, NULL, ACTION,
                    "TikTok did not take the product off sale: %s", text);
    else if (b->goal->call == TIKTOK_ACTIVATE)
        problem_add(list, b->goal->problem, NULL, ACTION,
                    "TikTok did not put the product on sale again: %s", text);
    else
        problem_add(list, b->goal->problem, NULL, ACTION, "TikTok did not delete the product: %s",
                    text);
    problem = json_incref(json_array_get(list, 0));
    if (problem != NULL && b->refusals[i].code > 0)
        (void)json_object_set_new(problem, "platform_code", json_integer(b->refusals[i].code));
    return problem;
}

static enum rc store_refused(struct batch *b, struct db_tx *tx, int i, struct err *e)
{
    static const struct run_delta FAILED = { .done = 1, .failed = 1 };
    const struct job *job = b->ctx->job;
    const struct shelf_item *item = &b->items[i];
    bool later = b->ends[i] == END_LATER;
    json_auto_t *problem = problem_of(b, i);
    enum rc rc = db_shelf_refused(tx, job->shop_id, item->source_id, b->goal->shelf, b->statuses[i],
                                  problem, later ? delay_us(item->tries) : 0, e);

    if (rc == RC_OK && !later)
        rc = log_end(b, tx, i, "refused", b->refusals[i].message, e);
    return rc == RC_OK && !later ? db_run_progress(tx, job->client_id, item->run_id, &FAILED, e)
                                 : rc;
}

static enum rc store(struct batch *b, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(b->ctx, "shelf_store", &tx, e);

    for (int i = 0; rc == RC_OK && i < b->n; i++)
        rc = b->ends[i] == END_DONE ? store_done(b, tx, i, e) : store_refused(b, tx, i, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

/* ---- the job ------------------------------------------------------------------------------------------ */

/* Those that need no call come to the front and are done. */
static int skip_there(struct batch *b)
{
    int n = 0;

    for (int i = 0; i < b->n; i++) {
        struct shelf_item item = b->items[i];

        if (!is_there(b, &item))
            continue;
        b->items[i] = b->items[n];
        b->items[n] = item;
        done(b, n++, NULL);
    }
    for (int i = 0; i < n; i++) /* borrowed from the items, which stay where they are now */
        b->statuses[i] = b->items[i].status;
    return n;
}

static enum rc run_batch(struct batch *b, struct err *e)
{
    int there = skip_there(b);
    enum rc rc = RC_OK;

    if (there < b->n && !b->open) {
        rc = session_tiktok_open(b->ctx, &b->session, e);
        b->open = rc == RC_OK;
    }
    if (rc == RC_OK && there < b->n)
        rc = send(b, there, b->n - there, e);
    return rc == RC_OK ? store(b, e) : rc;
}

static void batch_clear(struct batch *b)
{
    b->n = 0;
    b->goal = NULL;
    b->request_id[0] = '\0';
    memset(b->refusals, 0, sizeof b->refusals);
    memset(b->statuses, 0, sizeof b->statuses);
}

static enum rc come_again(struct job_ctx *ctx, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    int64_t wait = -1;
    enum rc rc = job_tx_begin(ctx, "shelf_wait", &tx, e);

    if (rc == RC_OK)
        rc = db_shelf_wait(tx, ctx->job->shop_id, &wait, e);
    if (rc != RC_OK || wait < 0)
        return rc;
    rc = err_code(e, RC_BUSY, "shelf_later", "some products are to be tried again later");
    e->retry_after_us = wait + 1;
    return rc;
}

enum rc sync_product_shelf(struct job_ctx *ctx, struct err *e)
{
    struct batch *b = calloc(1, sizeof *b);
    enum rc rc = RC_OK;

    if (b == NULL)
        return err_set(e, RC_DOWN, "out of memory for products");
    b->ctx = ctx;
    do {
        batch_clear(b);
        if (ctx->stop != NULL && atomic_load(ctx->stop))
            rc = err_set(e, RC_STOPPED, "stopping");
        if (rc == RC_OK)
            rc = load(b, e);
        if (rc == RC_OK && b->n > 0)
            rc = run_batch(b, e);
    } while (rc == RC_OK && b->n > 0);
    if (b->open)
        session_tiktok_done(&b->session);
    free(b);
    return rc == RC_OK ? come_again(ctx, e) : rc;
}
