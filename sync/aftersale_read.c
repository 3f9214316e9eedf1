/* aftersale_read.c - the cancellations and returns of one order: read, decided by policy, answered.
 *
 * Repeats: safe. The requests are read from TikTok first; an answer is sent only to a request that waits for one, and
 * each carries a key, so that a lost answer is sent again without harm. */
#include "aftersale.h"
#include "clock.h"
#include "db_account.h"
#include "fault.h"
#include "jspec.h"
#include "own.h"
#include "str.h"
#include "vtex_order.h"

#include <stdlib.h>
#include <string.h>

#define READ_AGAIN_S 2
#define LIMIT_READ_PAGES 10

struct aftersales {
    struct job_ctx *ctx;
    struct tiktok_session tiktok;
    struct client client;
    struct order_row row; /* order_id "" = not stored yet */
    struct aftersale list[AFTERSALE_LIST_MAX];
    int n;
    bool changed; /* the order is to be looked at */
};

static void aftersales_done(struct aftersales *a)
{
    session_tiktok_done(&a->tiktok);
    db_client_done(&a->client);
}
#define OWN_AFTERSALES __attribute__((cleanup(aftersales_done)))

static enum rc event_add(struct db_tx *tx, const struct aftersales *a, const char *event,
                         const char *detail, const char *request_id, struct err *e)
{
    const struct job *job = a->ctx->job;

    return db_order_timeline_add(tx, job->client_id, job->shop_id, job->entity, event, detail,
                                 "job", request_id, e);
}

/* ---- reading ------------------------------------------------------------------------------------- */

static enum rc page_keep(struct aftersales *a, enum tiktok_aftersale what, const json_t *items,
                         struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    const struct job *job = a->ctx->job;
    enum rc rc = job_tx_begin(a->ctx, "aftersale_keep", &tx, e);

    for (size_t i = 0; rc == RC_OK && i < json_array_size(items); i++) {
        const json_t *entry = json_array_get(items, i);
        const char *status =
            jspec_text(entry, what == TIKTOK_RETURNS ? "return_status" : "cancel_status");
        char order_id[ORDER_ID_BYTES];
        bool changed = false;

        rc = aftersale_keep(tx, job, what, entry, order_id, &changed, e);
        if (rc != RC_OK || !changed || !str_eq(order_id, job->entity))
            continue;
        a->changed = true;
        rc = event_add(tx, a, what == TIKTOK_RETURNS ? "return" : "cancellation", status, NULL, e);
    }
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc read_kind(struct aftersales *a, enum tiktok_aftersale what, struct err *e)
{
    OWN_STR char *token = NULL;
    struct tiktok_aftersale_search search = { .order_id = a->ctx->job->entity };

    for (int n = 0; n < LIMIT_READ_PAGES; n++) {
        json_auto_t *items = NULL;
        char *next = NULL;
        enum rc rc;

        search.page_token = token;
        rc = tiktok_aftersale_search(&a->tiktok, what, &search, &items, &next, e);
        if (rc == RC_OK)
            rc = page_keep(a, what, items, e);
        free(token);
        token = next;
        if (rc != RC_OK || !next)
            return rc;
    }
    return RC_OK;
}

/* Client, order and requests as they stand now. */
static enum rc rows_read(struct aftersales *a, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    const struct job *job = a->ctx->job;
    enum rc rc = job_tx_begin(a->ctx, "aftersale_rows", &tx, e);

    db_client_done(&a->client);
    a->client = (struct client){ 0 };
    if (rc == RC_OK)
        rc = db_client_get(tx, job->client_id, &a->client, e);
    if (rc == RC_OK)
        rc = db_order_get(tx, job->shop_id, job->entity, &a->row, e);
    if (rc == RC_NOT_FOUND && a->client.client_id[0])
        rc = RC_OK;
    if (rc == RC_OK)
        rc = db_aftersale_of_order(tx, job->shop_id, job->entity, a->list, &a->n, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

/* What may be said when a request is refused: asked once. */
static enum rc reasons_read(struct aftersales *a, struct err *e)
{
    enum rc rc = RC_OK;

    for (int i = 0; rc == RC_OK && i < a->n; i++) {
        OWN_TX struct db_tx *tx = NULL;
        json_auto_t *reasons = NULL;

        if (!a->list[i].pending || a->list[i].has_reasons)
            continue;
        rc = tiktok_reject_reasons(&a->tiktok, a->list[i].id, &reasons, e);
        if (rc == RC_INVALID)
            rc = RC_OK; /* answered meanwhile */
        if (rc == RC_OK && reasons)
            rc = job_tx_begin(a->ctx, "aftersale_reasons", &tx, e);
        if (rc == RC_OK && reasons)
            rc = db_aftersale_reasons_set(tx, a->ctx->job->shop_id, a->list[i].id, reasons, e);
        if (rc == RC_OK && reasons)
            rc = db_tx_commit(tx, e);
    }
    return rc;
}

/* ---- deciding ------------------------------------------------------------------------------------ */

/* Whether VTEX can still cancel the order. */
static enum rc can_cancel(struct aftersales *a, bool *can, struct err *e)
{
    OWN_VTEX struct vtex_session vtex = { 0 };
    struct vtex_order seen = { 0 };
    enum rc rc;

    *can = true;
    if (a->row.vtex_order_id[0] == '\0')
        return RC_OK;
    rc = session_vtex_open(a->ctx, &vtex, e);
    if (rc == RC_OK)
        rc = vtex_order_get(&vtex, a->row.vtex_order_id, a->row.order_id, &seen, e);
    if (rc == RC_NOT_FOUND)
        return RC_OK;
    if (rc == RC_OK)
        *can = !seen.invoiced && !seen.has_invoices;
    return rc;
}

/* The client's policy answers requests of buyers to cancel; what it leaves open waits for a person. */
static enum rc policy_decide(struct aftersales *a, struct err *e)
{
    const char *policy = jspec_text(a->client.policies, "cancel.buyer_request");
    const char *reason = jspec_text(a->client.policies, "cancel.reject_reason");
    enum rc rc = RC_OK;

    if (!policy || str_eq(policy, "ask"))
        return RC_OK;
    for (int i = 0; rc == RC_OK && i < a->n; i++) {
        OWN_TX struct db_tx *tx = NULL;
        struct aftersale *one = &a->list[i];
        bool can = true;
        bool taken = false;

        if (!str_eq(one->kind, "cancellation") || !one->pending ||
            !str_eq(one->answer_step, "none"))
            continue;
        if (str_eq(policy, "approve"))
            rc = can_cancel(a, &can, e);
        if (rc != RC_OK || !can)
            continue;
        rc = job_tx_begin(a->ctx, "aftersale_policy", &tx, e);
        if (rc == RC_OK)
            rc = db_aftersale_answer(
                tx, a->ctx->job->shop_id, one->id, policy,
                str_eq(policy, "reject") ? reason ? reason : CANCEL_REASON_REJECT : NULL, NULL,
                "policy", &taken, e);
        if (rc == RC_OK)
            rc = db_tx_commit(tx, e);
    }
    return rc == RC_OK ? rows_read(a, e) : rc;
}

/* ---- answering ----------------------------------------------------------------------------------- */

static enum rc step_write(struct aftersales *a, const struct aftersale *one, const char *step,
                          const char *problem, const char *event, const char *request_id,
                          struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    char detail[256];
    enum rc rc = job_tx_begin(a->ctx, "aftersale_step", &tx, e);

    (void)str_fmt(detail, sizeof detail, "%s %s", one->kind, one->answer);
    if (rc == RC_OK)
        rc = db_aftersale_step_set(tx, a->ctx->job->shop_id, one->id, step, problem, e);
    if (rc == RC_OK && event)
        rc = event_add(tx, a, event, problem ? problem : detail, request_id, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc answer_send(struct aftersales *a, const struct aftersale *one, char request_id[96],
                           struct err *e)
{
    const char *order_id = a->ctx->job->entity;
    bool approve = str_starts(one->answer, "approve") || !str_starts(one->answer, "REJECT");
    char key[200];

    if (str_eq(one->kind, "cancellation"))
        return tiktok_cancellation_answer(&a->tiktok, one->id, order_id,
                                          str_eq(one->answer, "approve"), one->answer_reason,
                                          one->answer_comment, request_id, e);
    (void)str_fmt(key, sizeof key, "%s-%s", one->answer, one->id);
    return tiktok_return_answer(&a->tiktok, one->id, order_id, approve, one->answer,
                                one->answer_reason, one->answer_comment, key, request_id, e);
}

static enum rc answer_one(struct aftersales *a, const struct aftersale *one, struct err *e)
{
    char request_id[96] = "";
    enum rc rc = step_write(a, one, "sent", NULL, NULL, NULL, e);

    if (rc != RC_OK)
        return rc;
    fault_point("aftersale_answer_before");
    rc = answer_send(a, one, request_id, e);
    fault_point("aftersale_answer_sent");
    if (rc == RC_INVALID || (rc == RC_DENIED && e->platform_code == TIKTOK_CODE_SCOPE)) {
        char why[320];

        (void)str_fmt(why, sizeof why, "TikTok refused the answer: %.200s (%lld)", e->text,
                      (long long)e->platform_code);
        return step_write(a, one, "refused", why, "answer_refused", request_id, e);
    }
    if (rc != RC_OK)
        return rc;
    a->changed = true;
    return step_write(a, one, "done", NULL, "answered", request_id, e);
}

/* *answered: at least one answer went out; its end is read a moment later. */
static enum rc answer_all(struct aftersales *a, bool *answered, struct err *e)
{
    enum rc rc = RC_OK;

    for (int i = 0; rc == RC_OK && i < a->n; i++) {
        const struct aftersale *one = &a->list[i];

        if (!one->pending || !str_eq(one->answered_status, one->status) ||
            (!str_eq(one->answer_step, "wanted") && !str_eq(one->answer_step, "sent")))
            continue;
        rc = answer_one(a, one, e);
        *answered = *answered || rc == RC_OK;
    }
    return rc;
}

static enum rc order_wake(struct aftersales *a, bool again, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    const struct job *job = a->ctx->job;
    enum rc rc = job_tx_begin(a->ctx, "aftersale_wake", &tx, e);

    if (rc == RC_OK)
        rc = db_order_import_put(tx, job->client_id, job->shop_id, job->entity, "job", NULL, 0, e);
    if (rc == RC_OK && again)
        rc = db_aftersale_read_put(tx, job->client_id, job->shop_id, job->entity,
                                   READ_AGAIN_S * US_PER_S, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

enum rc sync_aftersale_read(struct job_ctx *ctx, struct err *e)
{
    OWN_AFTERSALES struct aftersales a = { .ctx = ctx };
    bool answered = false;
    enum rc rc = session_tiktok_open(ctx, &a.tiktok, e);

    if (rc == RC_OK)
        rc = read_kind(&a, TIKTOK_CANCELLATIONS, e);
    if (rc == RC_OK)
        rc = read_kind(&a, TIKTOK_RETURNS, e);
    if (rc == RC_OK)
        rc = rows_read(&a, e);
    if (rc == RC_OK)
        rc = reasons_read(&a, e);
    if (rc == RC_OK)
        rc = policy_decide(&a, e);
    if (rc == RC_OK)
        rc = answer_all(&a, &answered, e);
    if (rc == RC_DENIED && e->platform_code == TIKTOK_CODE_SCOPE)
        return order_wake(&a, false, e); /* only this is not granted */
    return rc == RC_OK && a.changed ? order_wake(&a, answered, e) : rc;
}
