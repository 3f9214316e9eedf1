/* catalog_read.c - reads what TikTok holds of a shop's catalog, so that nothing is listed twice.
 *
 * The listing shows titles, states and SKU codes, but no external ids: those are read product by product, and only of
 * products that no SKU code of the feed explains. Repeats: safe. Pages are stored as they come; what the listing did
 * not show is forgotten only after all of it was read. */
#include "sync.h"

#include <string.h>

#include "clock.h"
#include "db_catalog.h"
#include "db_run.h"
#include "str.h"
#include "tiktok_product.h"
#include "value_compare.h"

#define FULL_AGE_US (INT64_C(23) * 3600 * US_PER_S)
#define OVERLAP_US (600 * US_PER_S) /* clocks differ, and a new product may be listed late */
#define WINDOW_PRODUCTS 10000       /* TikTok lists no more at once */
#define LIMIT_CALLS 200000
#define DETAILS_A_RUN 500
#define PAGE_ROWS 200

struct reader {
    struct job_ctx *ctx;
    struct tiktok_session tiktok;
    struct catalog_state state;
    struct run run;
    bool run_known;
    bool full;
    bool values; /* prices and stock too */
    int calls;
};

static enum rc load(struct reader *r, struct err *e)
{
    const struct job *job = r->ctx->job;
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(r->ctx, "catalog_load", &tx, e);

    if (rc == RC_OK)
        rc = db_catalog_state(tx, job->shop_id, &r->state, e);
    if (rc == RC_OK && job->run_id[0] != '\0') {
        rc = db_run_get(tx, job->client_id, job->run_id, &r->run, e);
        r->run_known = rc == RC_OK;
        if (rc == RC_OK)
            rc = db_run_start(tx, job->client_id, job->run_id, e);
    }
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

/* ---- the listing -------------------------------------------------------------------------------- */

static enum rc store(struct reader *r, const json_t *products, bool detail, struct err *e)
{
    const struct job *job = r->ctx->job;
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(r->ctx, "catalog_store", &tx, e);

    if (rc == RC_OK)
        rc = db_catalog_put(tx, job->client_id, job->shop_id, products, detail, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

/* Reads one window; *split when TikTok does not list that many at once. */
static enum rc read_window(struct reader *r, const struct tiktok_window *window, bool *split,
                           struct err *e)
{
    char token[512] = "";
    enum rc rc = RC_OK;
    bool more = true;

    *split = false;
    while (rc == RC_OK && more) {
        struct tiktok_page page = { 0 };

        if (++r->calls > LIMIT_CALLS)
            return err_set(e, RC_INVALID, "the listing of the shop does not end");
        rc = tiktok_list_products(&r->tiktok, window, token, &page, e);
        if (rc != RC_OK)
            return rc;
        *split = page.too_many || page.total > WINDOW_PRODUCTS;
        if (!*split)
            rc = store(r, page.products, false, e);
        more = !*split && page.next[0] != '\0' && strcmp(page.next, token) != 0;
        memcpy(token, page.next, sizeof token);
        json_decref(page.products);
    }
    return rc;
}

/* All products made since from_s, in windows that TikTok lists whole. */
static enum rc read_since(struct reader *r, int64_t from_s, struct err *e)
{
    int64_t last_s = clock_now_us() / US_PER_S + 86400;
    struct tiktok_window window = { .from_s = from_s };

    while (window.from_s <= last_s) {
        bool split = false;
        int64_t end_s = window.to_s > 0 ? window.to_s : last_s;
        enum rc rc = read_window(r, &window, &split, e);

        if (rc != RC_OK)
            return rc;
        if (split && end_s <= window.from_s)
            return err_set(e, RC_INVALID, "TikTok does not list all products of one second");
        if (split) {
            window.to_s = window.from_s + (end_s - window.from_s) / 2;
            continue;
        }
        if (window.to_s == 0)
            return RC_OK;
        /* the next one may well hold as much: not much wider than what was listed whole */
        int64_t width_s = 2 * (window.to_s - window.from_s + 1);

        window = (struct tiktok_window){ .from_s = window.to_s + 1, .to_s = window.to_s + width_s };
        if (window.to_s >= last_s)
            window.to_s = 0;
    }
    return RC_OK;
}

static enum rc list(struct reader *r, struct err *e)
{
    const struct job *job = r->ctx->job;
    int64_t from_us = r->full ? 0 : r->state.listed_to_us - OVERLAP_US;
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = read_since(r, from_us > 0 ? from_us / US_PER_S : 0, e);

    if (rc == RC_OK)
        rc = job_tx_begin(r->ctx, "catalog_listed", &tx, e);
    if (rc == RC_OK)
        rc = db_catalog_listed(tx, job->client_id, job->shop_id, r->full, r->state.now_us, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

/* ---- external ids ------------------------------------------------------------------------------- */

static enum rc read_detail(struct reader *r, const char *id, struct err *e)
{
    json_auto_t *product = NULL;
    json_auto_t *one = json_array();
    enum rc rc = tiktok_get_product(&r->tiktok, id, false, &product, NULL, e);

    if (rc == RC_NOT_FOUND) {
        OWN_TX struct db_tx *tx = NULL;

        rc = job_tx_begin(r->ctx, "catalog_drop", &tx, e);
        if (rc == RC_OK)
            rc = db_catalog_drop(tx, r->ctx->job->shop_id, id, e);
        return rc == RC_OK ? db_tx_commit(tx, e) : rc;
    }
    if (rc != RC_OK)
        return rc;
    if (json_array_append(one, product) != 0)
        return err_set(e, RC_BUG, "out of memory");
    return store(r, one, true, e);
}

static enum rc undetailed(struct reader *r, const char *after, int limit, struct db_rows **rows,
                          struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(r->ctx, "catalog_undetailed", &tx, e);

    return rc == RC_OK ? db_catalog_undetailed(tx, r->ctx->job->shop_id, after, limit, rows, e)
                       : rc;
}

/* Some of them; *more when others wait. */
static enum rc read_details(struct reader *r, bool *more, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc = undetailed(r, "", DETAILS_A_RUN + 1, &rows, e);
    int n = rc == RC_OK ? db_rows_count(rows) : 0;

    *more = n > DETAILS_A_RUN;
    for (int i = 0; rc == RC_OK && i < n && i < DETAILS_A_RUN; i++)
        rc = read_detail(r, db_text(rows, i, "tiktok_product_id"), e);
    return rc;
}

/* Who waits for the listing can go on once nothing of it is unknown. */
static enum rc finish_details(struct reader *r, struct err *e)
{
    const struct job *job = r->ctx->job;
    OWN_ROWS struct db_rows *rows = NULL;
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(r->ctx, "catalog_detailed", &tx, e);

    if (rc == RC_OK)
        rc = db_catalog_undetailed(tx, job->shop_id, "", 1, &rows, e);
    if (rc == RC_OK)
        rc = db_catalog_detailed(tx, job->client_id, job->shop_id, db_rows_count(rows) == 0, e);
    if (rc == RC_OK)
        rc = db_catalog_wake(tx, job->client_id, job->shop_id, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

/* Only while a product of the feed may turn out to be one of them. */
static enum rc details(struct reader *r, struct err *e)
{
    bool more = false;
    enum rc rc = r->state.wanted ? read_details(r, &more, e) : RC_OK;

    if (rc == RC_OK && more) {
        rc = err_code(e, RC_BUSY, "catalog_details", "more products of the shop are to be read");
        if (e != NULL)
            e->retry_after_us = 1;
        return rc;
    }
    return rc == RC_OK ? finish_details(r, e) : rc;
}

/* ---- what follows from it ----------------------------------------------------------------------- */

static enum rc ask(struct reader *r, struct db_tx *tx, const char *kind, const char *entity,
                   const char *run_id, struct err *e)
{
    const struct db_job_key key = { .client_id = r->ctx->job->client_id,
                                    .shop_id = r->ctx->job->shop_id,
                                    .kind = kind,
                                    .entity = entity,
                                    .lane = LANE_CATALOG,
                                    .run_id = run_id };

    return db_job_put(tx, &key, e);
}

static enum rc link_one(struct reader *r, struct db_tx *tx, const struct db_rows *rows, int i,
                        struct err *e)
{
    const struct job *job = r->ctx->job;
    const char *source_id = db_text(rows, i, "source_id");

    if (!r->run.dry_run)
        return ask(r, tx, "product_publish", source_id, job->run_id, e);
    return db_run_change(tx, job->client_id, job->run_id, "product", source_id, NULL,
                         "tiktok_product_id", NULL, db_text(rows, i, "tiktok_product_id"), "link",
                         "planned", e);
}

static enum rc repair_one(struct reader *r, struct db_tx *tx, const struct db_rows *rows, int i,
                          struct err *e)
{
    const struct job *job = r->ctx->job;

    if (!r->run.dry_run) {
        enum rc rc = ask(r, tx, "product_audit", db_text(rows, i, "tiktok_product_id"), NULL, e);

        if (rc != RC_OK || job->run_id[0] == '\0')
            return rc;
    }
    return db_run_change(tx, job->client_id, job->run_id, "product", db_text(rows, i, "source_id"),
                         NULL, "status", db_text(rows, i, "old"), db_text(rows, i, "new"), "repair",
                         r->run.dry_run ? "planned" : "queued", e);
}

typedef enum rc (*find_fn)(struct db_tx *tx, const char *shop_id, const char *after, int limit,
                           struct db_rows **rows, struct err *e);
typedef enum rc (*act_fn)(struct reader *r, struct db_tx *tx, const struct db_rows *rows, int i,
                          struct err *e);

/* Acts on all rows that a search finds, a page a transaction; *n counts them. */
static enum rc for_all(struct reader *r, find_fn find, act_fn act, int64_t *n, struct err *e)
{
    char after[256] = "";
    int found = PAGE_ROWS;

    while (found == PAGE_ROWS) {
        OWN_TX struct db_tx *tx = NULL;
        OWN_ROWS struct db_rows *rows = NULL;
        enum rc rc = job_tx_begin(r->ctx, "catalog_follow", &tx, e);

        if (rc == RC_OK)
            rc = find(tx, r->ctx->job->shop_id, after, PAGE_ROWS, &rows, e);
        found = rc == RC_OK ? db_rows_count(rows) : 0;
        for (int i = 0; rc == RC_OK && i < found; i++)
            rc = act(r, tx, rows, i, e);
        if (rc == RC_OK && found > 0)
            (void)str_copy(after, sizeof after, db_text(rows, found - 1, "source_id"));
        if (rc == RC_OK)
            rc = db_tx_commit(tx, e);
        if (rc != RC_OK)
            return rc;
        *n += found;
    }
    return RC_OK;
}

static enum rc end_run(struct reader *r, int64_t links, int64_t repairs, struct err *e)
{
    const struct job *job = r->ctx->job;
    bool dry = r->run.dry_run;
    struct run_delta delta = { .total = links + repairs,
                               .done = dry ? links + repairs : repairs,
                               .updated = dry ? links + repairs : repairs };
    OWN_TX struct db_tx *tx = NULL;
    int64_t values = 0;
    enum rc rc;

    if (job->run_id[0] == '\0')
        return RC_OK;
    rc = job_tx_begin(r->ctx, "reconcile_done", &tx, e);
    if (rc == RC_OK && r->values)
        rc = value_compare_plan(r->ctx, tx, &r->run, &values, e);
    delta.total += values;
    if (rc == RC_OK)
        rc = db_run_progress(tx, job->client_id, job->run_id, &delta, e);
    if (rc == RC_OK)
        rc = db_run_read_done(tx, job->client_id, job->run_id, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc follow(struct reader *r, struct err *e)
{
    int64_t links = 0;
    int64_t repairs = 0;
    enum rc rc = for_all(r, db_catalog_links, link_one, &links, e);

    if (rc == RC_OK)
        rc = for_all(r, db_catalog_drift, repair_one, &repairs, e);
    return rc == RC_OK ? end_run(r, links, repairs, e) : rc;
}

static enum rc read_all(struct reader *r, bool listing, struct err *e)
{
    enum rc rc = session_tiktok_open(r->ctx, &r->tiktok, e);

    if (rc != RC_OK)
        return rc;
    if (listing)
        rc = list(r, e);
    if (rc == RC_OK)
        rc = details(r, e);
    if (rc == RC_OK && r->values)
        rc = value_compare(r->ctx, &r->tiktok, &r->run, e);
    session_tiktok_done(&r->tiktok);
    return rc;
}

static void reader_done(struct reader *r)
{
    if (r->run_known)
        db_run_done(&r->run);
}
#define OWN_READER __attribute__((cleanup(reader_done)))

enum rc sync_catalog_read(struct job_ctx *ctx, struct err *e)
{
    OWN_READER struct reader r = { .ctx = ctx };
    enum rc rc = load(&r, e);

    if (rc != RC_OK)
        return rc;
    r.full = r.state.full_us == 0 || r.state.now_us - r.state.full_us > FULL_AGE_US;
    bool listing = r.full || r.state.now_us - r.state.read_us > CATALOG_FRESH_US;

    rc = read_all(&r, listing, e);
    /* also when an earlier try read the listing and this one the rest of the details */
    return rc == RC_OK && (r.full || r.state.full_us >= ctx->job->first_due_us) ? follow(&r, e)
                                                                                : rc;
}

enum rc sync_reconcile(struct job_ctx *ctx, struct err *e)
{
    OWN_READER struct reader r = { .ctx = ctx };
    enum rc rc = load(&r, e);

    if (rc != RC_OK)
        return rc;
    r.full = r.state.full_us < ctx->job->first_due_us; /* a later try goes on behind the listing */
    r.values = r.run_known;
    if (r.run_known && !str_eq(r.run.status, "queued") && !str_eq(r.run.status, "running"))
        return RC_OK; /* cancelled */
    rc = read_all(&r, r.full, e);
    return rc == RC_OK ? follow(&r, e) : rc;
}
