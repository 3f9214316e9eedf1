/* product_setup.c - what a shop must have before anything can be listed: prerequisites and a warehouse.
 *
 * While a prerequisite is missing the products of the shop are held. One job of the shop (shop_ready) asks again and
 * lets all of them go on once it is met. */
#include "product_job.h"

#include <string.h>

#include "clock.h"
#include "jspec.h"
#include "problem.h"
#include "single.h"
#include "str.h"

#define PREREQUISITES_MAX_AGE_S 3600
#define PREREQUISITES_BLOCKED_AGE_S 60 /* a shop that is being set up is looked at again soon */
#define READY_MIN_US (10 * US_PER_S)
#define READY_MAX_US (600 * US_PER_S)

static enum rc known_prerequisites(struct publish *p, json_t **problems, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    json_t *found = NULL;
    enum rc rc = job_tx_begin(p->ctx, "prerequisites_get", &tx, e);

    if (rc == RC_OK)
        rc = db_prerequisites_get(tx, p->shop.shop_id, PREREQUISITES_MAX_AGE_S, &found, e);
    if (rc == RC_OK && json_array_size(found) > 0) {
        json_decref(found);
        found = NULL;
        rc = db_prerequisites_get(tx, p->shop.shop_id, PREREQUISITES_BLOCKED_AGE_S, &found, e);
    }
    if (rc == RC_OK)
        *problems = found;
    return rc;
}

static void reasons_text(const json_t *reasons, struct buf *out)
{
    for (size_t i = 0; i < json_array_size(reasons); i++) {
        const char *text = json_string_value(json_array_get(reasons, i));

        if (!str_blank(text))
            buf_fmt(out, " %s", text);
    }
}

static void unmet(const json_t *failed, json_t *problems)
{
    for (size_t i = 0; i < json_array_size(failed); i++) {
        const json_t *one = json_array_get(failed, i);
        const char *item = jspec_text(one, "item");
        OWN_BUF struct buf text;

        buf_init(&text, 4096);
        reasons_text(json_object_get(one, "reasons"), &text);
        problem_add(problems, "shop_not_ready", item,
                    "Complete the setup of the shop in Seller Center; the product is sent then.",
                    "TikTok does not let the shop list products yet (%s).%s", item ? item : "",
                    buf_text(&text));
    }
}

/* Asks TikTok and stores what it says; once nothing is missing, products that were held go on. */
static enum rc ask_prerequisites(struct job_ctx *ctx, struct tiktok_session *session,
                                 json_t **problems, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    const struct job *job = ctx->job;
    json_auto_t *failed = NULL;
    json_auto_t *made = json_array();
    enum rc rc = tiktok_check_prerequisites(session, &failed, e);

    if (rc != RC_OK)
        return rc;
    unmet(failed, made);
    rc = job_tx_begin(ctx, "prerequisites_put", &tx, e);
    if (rc == RC_OK)
        rc = db_prerequisites_put(tx, job->client_id, job->shop_id, made, e);
    if (rc == RC_OK && json_array_size(made) == 0)
        rc = db_prerequisites_met(tx, job->client_id, job->shop_id, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc == RC_OK)
        *problems = json_incref(made);
    return rc;
}

enum rc sync_shop_ready(struct job_ctx *ctx, struct err *e)
{
    struct tiktok_session session = { 0 };
    json_auto_t *problems = NULL;
    int64_t wait = (clock_now_us() - ctx->job->first_due_us) / 2;
    enum rc rc = session_tiktok_open(ctx, &session, e);

    if (rc != RC_OK)
        return rc;
    rc = ask_prerequisites(ctx, &session, &problems, e);
    session_tiktok_done(&session);
    if (rc != RC_OK || json_array_size(problems) == 0)
        return rc;
    rc = err_code(e, RC_BUSY, "shop_not_ready", "the shop cannot list products yet");
    if (e != NULL)
        e->retry_after_us = wait < READY_MIN_US   ? READY_MIN_US
                            : wait > READY_MAX_US ? READY_MAX_US
                                                  : wait;
    return rc;
}

enum rc publish_await_ready(struct publish *p, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    const struct db_job_key key = { .client_id = p->client.client_id,
                                    .shop_id = p->shop.shop_id,
                                    .kind = "shop_ready",
                                    .entity = "",
                                    .lane = LANE_CATALOG,
                                    .delay_us = READY_MIN_US };
    enum rc rc = job_tx_begin(p->ctx, "await_ready", &tx, e);

    if (rc == RC_OK)
        rc = db_job_put(tx, &key, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

enum rc publish_prerequisites(struct publish *p, bool *ready, struct err *e)
{
    json_auto_t *problems = NULL;
    int held = single_take(p->shop.shop_id, "prerequisites");
    enum rc rc = known_prerequisites(p, &problems, e);

    if (rc == RC_NOT_FOUND)
        rc = ask_prerequisites(p->ctx, &p->tiktok, &problems, e);
    single_give(held);
    if (rc != RC_OK)
        return rc;
    *ready = json_array_size(problems) == 0;
    if (json_array_extend(p->problems, problems) != 0)
        return err_set(e, RC_BUG, "out of memory");
    return RC_OK;
}

static enum rc remember_warehouse(struct publish *p, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(p->ctx, "warehouse_put", &tx, e);

    if (rc == RC_OK)
        rc = db_shop_warehouse_put(tx, p->shop.shop_id, p->warehouse_id, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

/* Another worker may have read it since this one loaded the shop. */
static enum rc read_again(struct publish *p, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(p->ctx, "warehouse_get", &tx, e);

    return rc == RC_OK ? db_shop_get(tx, p->shop.shop_id, &p->shop, e) : rc;
}

static enum rc shop_warehouse(struct publish *p, struct err *e)
{
    enum rc rc = read_again(p, e);

    if (rc != RC_OK || p->shop.warehouse_id[0] != '\0')
        return rc;
    rc = tiktok_default_warehouse(&p->tiktok, p->warehouse_id, e);
    return rc == RC_OK ? remember_warehouse(p, e) : rc;
}

enum rc publish_warehouse(struct publish *p, struct err *e)
{
    const char *given = p->run_warehouse_id[0] ? p->run_warehouse_id
                                               : p->client.warehouse_id; /* asked for, then set */
    enum rc rc = RC_OK;

    if (given[0] == '\0' && p->shop.warehouse_id[0] == '\0') {
        int held = single_take(p->shop.shop_id, "warehouse");

        rc = shop_warehouse(p, e);
        single_give(held);
    }
    if (rc == RC_NOT_FOUND && str_eq(e->code, "no_warehouse")) {
        problem_add(p->problems, "no_warehouse", "warehouse_id",
                    "Add a sales warehouse in Seller Center; the product is sent then.",
                    "The TikTok shop has no enabled sales warehouse.");
        return RC_OK;
    }
    if (rc == RC_OK && p->warehouse_id[0] == '\0')
        (void)str_copy(p->warehouse_id, sizeof(p->warehouse_id),
                       given[0] != '\0' ? given : p->shop.warehouse_id);
    return rc;
}
