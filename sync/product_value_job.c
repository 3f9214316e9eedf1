/* product_value_job.c - something was said about prices or stock of a product: what is noted for it is read and sent.
 *
 * Repeats: safe. Values are worked out from the source as it is now; a notice that comes meanwhile makes the job run once
 * more. After the first look at a change there is a second one, because VTEX may answer from a cache. */
#include "sync.h"

#include <string.h>

#include "clock.h"
#include "product_send.h"
#include "single.h"
#include "str.h"
#include "value_work.h"

#define SECOND_LOOK_US (60 * US_PER_S)
#define LOCK_RETRY_US (900 * US_PER_S)
#define AGAIN_MAX_US \
    (48 * 3600 * US_PER_S) /* what changes later is found by the daily comparison */

struct value_job {
    struct job_ctx *ctx;
    struct value_work work;
    struct value_notice *notices; /* owned */
    int n;
    int64_t next_us; /* when the job has to run again; 0 = not for itself */
};

static void job_done(struct value_job *j)
{
    value_work_done(&j->work);
    free(j->notices);
}
#define OWN_VALUE_JOB __attribute__((cleanup(job_done)))

static enum rc load(struct value_job *j, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    const struct job *job = j->ctx->job;
    enum rc rc = job_tx_begin(j->ctx, "value_notices", &tx, e);

    return rc == RC_OK ? db_value_notices(tx, job->shop_id, job->entity, &j->notices, &j->n, e)
                       : rc;
}

static const struct publish_sku *sku_of(const struct value_job *j, const char *seller_sku)
{
    const struct publish *p = j->work.p;

    for (int i = 0; p != NULL && i < p->n_skus; i++)
        if (str_eq(p->skus[i].seller_sku, seller_sku))
            return &p->skus[i];
    return NULL;
}

static void sooner(int64_t *next_us, int64_t in_us)
{
    if (*next_us == 0 || in_us < *next_us)
        *next_us = in_us;
}

/* When the SKU is to be looked at again without anybody saying so; 0 = not. */
static int64_t look_again(const struct value_notice *v, const struct publish_sku *sku,
                          struct value_parts *parts, bool *unsettled)
{
    int64_t now = clock_now_us();
    int64_t next = 0;
    bool locked;

    if (sku == NULL)
        return 0;
    locked = send_code_locked(sku->price_code) || send_code_locked(sku->stock_code);
    if (v->looks == 0)
        sooner(&next, SECOND_LOOK_US);
    if (locked)
        sooner(&next, LOCK_RETRY_US);
    if (sku->again_us > now && sku->again_us - now < AGAIN_MAX_US)
        sooner(&next, sku->again_us - now + US_PER_S);
    *parts = (struct value_parts){ .price = v->price || sku->again_us > 0 || locked,
                                   .stock = v->stock || v->off || locked };
    *unsettled = v->looks == 0 && sku->price_end == NULL && sku->stock_end == NULL;
    return next;
}

static enum rc ask_again(const struct value_job *j, struct db_tx *tx, struct err *e)
{
    const struct job *job = j->ctx->job;
    const struct db_job_key key = { .client_id = job->client_id,
                                    .shop_id = job->shop_id,
                                    .kind = "product_values",
                                    .entity = job->entity,
                                    .lane = LANE_PRICE,
                                    .delay_us = j->next_us };

    return j->next_us > 0 ? db_job_put(tx, &key, e) : RC_OK;
}

static enum rc finish(struct value_job *j, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(j->ctx, "values_stored", &tx, e);

    if (rc == RC_OK && j->work.p != NULL && j->work.p->n_skus > 0)
        rc = value_work_store(&j->work, tx, e);
    for (int i = 0; rc == RC_OK && i < j->n; i++) {
        const struct value_notice *v = &j->notices[i];
        struct value_parts parts = { 0 };
        bool unsettled = false;
        int64_t next = look_again(v, sku_of(j, v->seller_sku), &parts, &unsettled);

        if (next > 0)
            sooner(&j->next_us, next);
        rc = db_value_notice_end(tx, j->ctx->job->shop_id, v, parts, next, unsettled, e);
    }
    if (rc == RC_OK)
        rc = ask_again(j, tx, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc work(struct value_job *j, struct err *e)
{
    struct value_want *want;
    bool idle = false;
    enum rc rc = load(j, e);

    if (rc != RC_OK || j->n == 0)
        return rc;
    rc = value_work_load(j->ctx, &j->work, &idle, e);
    if (rc == RC_NOT_FOUND || (rc == RC_OK && idle))
        return finish(j, e);
    if (rc != RC_OK)
        return rc;
    want = calloc((size_t)j->n, sizeof *want);
    if (want == NULL)
        return err_set(e, RC_DOWN, "out of memory");
    for (int i = 0; i < j->n; i++)
        want[i] = (struct value_want){ .seller_sku = j->notices[i].seller_sku,
                                       .price = j->notices[i].price,
                                       .stock = j->notices[i].stock || j->notices[i].off,
                                       .off = j->notices[i].off,
                                       .changed_us = j->notices[i].changed_us };
    rc = value_work_run(&j->work, want, j->n, e);
    free(want);
    return rc == RC_OK ? finish(j, e) : rc;
}

enum rc sync_product_values(struct job_ctx *ctx, struct err *e)
{
    OWN_VALUE_JOB struct value_job j = { .ctx = ctx };
    int held = values_hold(ctx->job->shop_id, ctx->job->entity);
    enum rc rc = work(&j, e);

    single_give(held);
    return rc;
}
