/* order_poll.c - finds every order that changed, also those whose webhooks were lost.
 *
 * Repeats: safe. A window that overlaps the last one is read page by page, oldest change first; orders that
 * are new or changed get an import job; the watermark moves only after the last page is stored. */
#include "clock.h"
#include "db_account.h"
#include "db_aftersale.h"
#include "db_order.h"
#include "db_run.h"
#include "jspec.h"
#include "own.h"
#include "str.h"
#include "sync.h"
#include "tiktok_order.h"

#include <stdlib.h>

#define POLL_OVERLAP_US (10 * 60 * US_PER_S)
#define POLL_FIRST_US (72 * 3600 * US_PER_S)
#define SWEEP_EVERY_US (86400 * US_PER_S) /* then the last three days are compared as a whole */
#define POLL_FIRST_OPEN_US (30 * 86400 * US_PER_S)
#define POLL_RECHECK_US (30 * 60 * US_PER_S)
#define LIMIT_POLL_PAGES 2000
#define LIMIT_VTEX_READS 200 /* orders a poll looks up in VTEX, whose hooks may be lost */
#define LIMIT_RUN_ORDERS 1000

struct poll {
    struct job_ctx *ctx;
    struct tiktok_session *tiktok;
    const char *run_id; /* "" = the regular poll: only what changed */
    json_t *seen;       /* ids whose import was asked for; pages may repeat an order */
};

/* Ids, times and statuses of one page, as the database compares them; statuses are borrowed from the answer. */
struct page {
    char ids[TIKTOK_ORDER_PAGE][JSPEC_ID_BYTES];
    const char *id_list[TIKTOK_ORDER_PAGE];
    int64_t updated_us[TIKTOK_ORDER_PAGE];
    const char *statuses[TIKTOK_ORDER_PAGE];
    bool changed[TIKTOK_ORDER_PAGE];
    size_t n;
};

static void page_read(const json_t *orders, struct page *page)
{
    page->n = 0;
    for (size_t i = 0; i < json_array_size(orders) && page->n < TIKTOK_ORDER_PAGE; i++) {
        const json_t *order = json_array_get(orders, i);
        const char *status;

        jspec_id(order, "id", page->ids[page->n]);
        if (page->ids[page->n][0] == '\0')
            continue;
        page->id_list[page->n] = page->ids[page->n];
        page->updated_us[page->n] = jspec_int(order, "update_time", 0) * US_PER_S;
        status = jspec_text(order, "status");
        page->statuses[page->n] = status ? status : "";
        page->n++;
    }
}

/* Puts the import jobs of one page in one transaction. */
static enum rc page_store(struct poll *poll, struct page *page, struct err *e)
{
    const struct job *job = poll->ctx->job;
    bool all = poll->run_id[0] != '\0';
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc;

    if (page->n == 0)
        return RC_OK;
    rc = job_tx_begin(poll->ctx, "order_poll_page", &tx, e);
    if (rc == RC_OK)
        rc = db_order_changed(tx, job->shop_id, page->id_list, page->updated_us, page->statuses,
                              page->n, page->changed, e);
    for (size_t i = 0; rc == RC_OK && i < page->n; i++) {
        if ((!page->changed[i] && !all) || json_object_get(poll->seen, page->ids[i]))
            continue;
        rc = db_order_import_put(tx, job->client_id, job->shop_id, page->ids[i],
                                 all ? DB_ORDER_BY_PERIOD : "poll", poll->run_id, 0, e);
        if (rc == RC_OK && json_object_set_new(poll->seen, page->ids[i], json_true()) != 0)
            rc = err_set(e, RC_DOWN, "out of memory");
    }
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

/* Reads one window to its last page. */
static enum rc window_read(struct poll *poll, struct tiktok_order_search search, struct err *e)
{
    OWN_STR char *token = NULL;
    struct page *page = calloc(1, sizeof *page);
    enum rc rc = page ? RC_OK : err_set(e, RC_DOWN, "out of memory");

    for (int n = 0; rc == RC_OK; n++) {
        json_auto_t *orders = NULL;
        char *next = NULL;

        search.page_token = token;
        if (n == LIMIT_POLL_PAGES)
            rc = err_code(e, RC_INVALID, "too_many_pages", "the order list does not end");
        else
            rc = tiktok_order_search(poll->tiktok, &search, &orders, &next, e);
        if (rc != RC_OK)
            break;
        page_read(orders, page);
        rc = page_store(poll, page, e);
        free(token);
        token = next;
        if (!next)
            break;
    }
    free(page);
    return rc;
}

/* A shop that was never polled: also what is open, however long ago it changed. */
static enum rc open_orders_read(struct poll *poll, int64_t now_us, struct err *e)
{
    static const char *const open[] = { "AWAITING_SHIPMENT", "PARTIALLY_SHIPPING",
                                        "AWAITING_COLLECTION", "ON_HOLD", "UNPAID" };
    enum rc rc = RC_OK;

    for (size_t i = 0; rc == RC_OK && i < sizeof open / sizeof open[0]; i++) {
        struct tiktok_order_search search = { .status = open[i],
                                              .create_ge_s =
                                                  (now_us - POLL_FIRST_OPEN_US) / US_PER_S };

        rc = window_read(poll, search, e);
    }
    return rc;
}

/* ---- the regular poll --------------------------------------------------------------------------- */

static enum rc mark_read(struct poll *poll, struct order_poll_mark *mark, bool *wanted,
                         struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    OWN_CLIENT struct client client = { 0 };
    enum rc rc = job_tx_begin(poll->ctx, "order_poll_mark", &tx, e);

    if (rc == RC_OK)
        rc = db_client_get(tx, poll->ctx->job->client_id, &client, e);
    if (rc == RC_OK)
        rc = db_order_poll_get(tx, poll->ctx->job->shop_id, mark, e);
    if (rc == RC_OK)
        rc =
            db_order_recheck_put(tx, client.client_id, poll->ctx->job->shop_id, POLL_RECHECK_US, e);
    if (rc == RC_OK && poll->ctx->app->cfg.vtex_order_read_seconds > 0)
        rc = db_order_vtex_recheck_put(
            tx, client.client_id, poll->ctx->job->shop_id,
            (int64_t)poll->ctx->app->cfg.vtex_order_read_seconds * US_PER_S, LIMIT_VTEX_READS, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc == RC_OK)
        *wanted = client.active && client.sync_orders;
    return rc;
}

static enum rc mark_write(struct poll *poll, int64_t watermark_us, bool swept, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(poll->ctx, "order_poll_done", &tx, e);

    if (rc == RC_OK)
        rc = db_order_poll_set(tx, poll->ctx->job->shop_id, watermark_us, e);
    if (rc == RC_OK && swept)
        rc = db_order_swept(tx, poll->ctx->job->shop_id, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc poll_regular(struct poll *poll, struct err *e)
{
    OWN_TIKTOK struct tiktok_session s = { 0 };
    struct order_poll_mark mark = { 0 };
    struct tiktok_order_search search = { 0 };
    bool wanted = false;
    bool sweep;
    enum rc rc = mark_read(poll, &mark, &wanted, e);

    if (rc != RC_OK || !wanted)
        return rc;
    rc = session_tiktok_open(poll->ctx, &s, e);
    if (rc != RC_OK)
        return rc;
    poll->tiktok = &s;
    sweep = mark.now_us - mark.swept_us > SWEEP_EVERY_US;
    search.update_ge_s = mark.watermark_us > 0 && !sweep
                             ? (mark.watermark_us - POLL_OVERLAP_US) / US_PER_S
                             : (mark.now_us - POLL_FIRST_US) / US_PER_S;
    rc = window_read(poll, search, e);
    if (rc == RC_OK && mark.watermark_us == 0)
        rc = open_orders_read(poll, mark.now_us, e);
    return rc == RC_OK ? mark_write(poll, mark.now_us, sweep, e) : rc;
}

/* ---- a run that a person asked for -------------------------------------------------------------- */

/* {"order_ids": [...]}: these, whatever is stored. */
static enum rc ids_store(struct poll *poll, const json_t *ids, struct err *e)
{
    const struct job *job = poll->ctx->job;
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(poll->ctx, "order_run_ids", &tx, e);

    for (size_t i = 0; rc == RC_OK && i < json_array_size(ids) && i < LIMIT_RUN_ORDERS; i++) {
        const char *id = json_string_value(json_array_get(ids, i));

        if (!id || json_object_get(poll->seen, id))
            continue;
        rc = db_order_import_put(tx, job->client_id, job->shop_id, id, "operator", poll->run_id, 0,
                                 e);
        if (rc == RC_OK && json_object_set_new(poll->seen, id, json_true()) != 0)
            rc = err_set(e, RC_DOWN, "out of memory");
    }
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

/* {"from", "to"} or nothing: orders changed in that time, by default in the last three days. */
static enum rc period_read(struct poll *poll, const json_t *params, struct err *e)
{
    OWN_TIKTOK struct tiktok_session s = { 0 };
    struct tiktok_order_search search = { 0 };
    int64_t from = clock_now_us() - POLL_FIRST_US;
    int64_t to = 0;
    const char *text = jspec_text(params, "from");
    enum rc rc;

    if (text && !clock_read(text, &from))
        return err_field(e, "from", "from must be an RFC 3339 time");
    text = jspec_text(params, "to");
    if (text && !clock_read(text, &to))
        return err_field(e, "to", "to must be an RFC 3339 time");
    search.update_ge_s = from / US_PER_S;
    search.update_lt_s = to / US_PER_S;
    rc = session_tiktok_open(poll->ctx, &s, e);
    if (rc != RC_OK)
        return rc;
    poll->tiktok = &s;
    return window_read(poll, search, e);
}

static enum rc run_begin(struct poll *poll, struct run *run, struct err *e)
{
    const struct job *job = poll->ctx->job;
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(poll->ctx, "order_run_begin", &tx, e);

    if (rc == RC_OK)
        rc = db_run_get(tx, job->client_id, job->run_id, run, e);
    if (rc == RC_OK)
        rc = db_run_start(tx, job->client_id, job->run_id, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc run_end(struct poll *poll, struct err *e)
{
    const struct job *job = poll->ctx->job;
    struct run_delta delta = { .total = (int64_t)json_object_size(poll->seen) };
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(poll->ctx, "order_run_read", &tx, e);

    if (rc == RC_OK)
        rc = db_run_progress(tx, job->client_id, job->run_id, &delta, e);
    if (rc == RC_OK)
        rc = db_run_read_done(tx, job->client_id, job->run_id, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc poll_run(struct poll *poll, struct err *e)
{
    __attribute__((cleanup(db_run_done))) struct run run = { 0 };
    const json_t *ids;
    enum rc rc = run_begin(poll, &run, e);

    if (rc != RC_OK)
        return rc;
    poll->run_id = poll->ctx->job->run_id;
    ids = jspec_get(run.params, "order_ids");
    rc = json_array_size(ids) > 0 ? ids_store(poll, ids, e) : period_read(poll, run.params, e);
    return rc == RC_OK ? run_end(poll, e) : rc;
}

enum rc sync_order_poll(struct job_ctx *ctx, struct err *e)
{
    json_auto_t *seen = json_object();
    struct poll poll = { .ctx = ctx, .run_id = "", .seen = seen };

    if (!seen)
        return err_set(e, RC_DOWN, "out of memory");
    return ctx->job->run_id[0] ? poll_run(&poll, e) : poll_regular(&poll, e);
}
