/* brand_sync.c - brings the brands of VTEX's catalog here and finds TikTok's brand for each.
 *
 * Repeats: safe. Both sides are read anew; an operator's choice stays; a custom brand whose making was cut is found by
 * its name. */
#include "brand.h"

#include "db_run.h"
#include "jspec.h"
#include "map_text.h"
#include "str.h"
#include "vtex_catalog.h"

#define PAGE_BRANDS 100
#define LIMIT_VTEX_PAGES 1000
#define LIMIT_NAME_CHARS 100

struct brand_run {
    struct job_ctx *ctx;
    struct client client;
    struct run run; /* id "" when nobody asked */
    bool over;
    struct tiktok_session tiktok;
    int64_t total;
};

static enum rc load(struct brand_run *r, struct err *e)
{
    const struct job *job = r->ctx->job;
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(r->ctx, "brands_load", &tx, e);

    if (rc == RC_OK)
        rc = db_client_get(tx, job->client_id, &r->client, e);
    if (rc == RC_OK && job->run_id[0] != '\0')
        rc = db_run_get(tx, job->client_id, job->run_id, &r->run, e);
    if (rc != RC_OK)
        return rc;
    r->over = r->run.id[0] != '\0' && !str_eq(r->run.status, "queued") &&
              !str_eq(r->run.status, "running");
    rc = db_run_start(tx, job->client_id, r->run.id, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

/* One brand of VTEX; inactive ones are hidden there, with their products. */
static enum rc vtex_store(struct brand_run *r, struct db_tx *tx, const json_t *brand, struct err *e)
{
    OWN_BUF struct buf name;
    OWN_BUF struct buf key;
    char id[JSPEC_ID_BYTES];
    const char *said = jspec_text(brand, "name");
    enum rc rc;

    buf_init(&name, 4096);
    buf_init(&key, 4096);
    jspec_id(brand, "id", id);
    if (said == NULL || !jspec_bool(brand, "isActive", true))
        return RC_OK;
    rc = map_text_plain(said, LIMIT_NAME_CHARS, &name, e);
    if (rc == RC_OK)
        rc = map_text_key(buf_text(&name), &key, e);
    if (rc != RC_OK || key.len == 0)
        return rc;
    return db_brand_vtex_put(tx, r->client.client_id, buf_text(&key), buf_text(&name), id, e);
}

static enum rc vtex_page(struct brand_run *r, struct vtex_session *vtex, int page, bool *more,
                         struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *items = NULL;
    enum rc rc = vtex_brands_page(vtex, page, &items, more, e);

    if (rc == RC_OK)
        rc = job_tx_begin(r->ctx, "brands_store", &tx, e);
    for (size_t i = 0; rc == RC_OK && i < json_array_size(items); i++)
        rc = vtex_store(r, tx, json_array_get(items, i), e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc vtex_read(struct brand_run *r, struct err *e)
{
    OWN_VTEX struct vtex_session vtex = { 0 };
    bool more = true;
    enum rc rc = RC_OK;

    if (r->client.vtex_account[0] == '\0')
        return RC_OK; /* only the brands of the feed, which publishing has stored */
    rc = session_vtex_open(r->ctx, &vtex, e);
    for (int page = 1; rc == RC_OK && more && page <= LIMIT_VTEX_PAGES; page++)
        rc = vtex_page(r, &vtex, page, &more, e);
    return rc;
}

/* Counts one brand; when its TikTok brand changed, the products that have it follow. */
static enum rc brand_end(struct brand_run *r, const struct brand_ask *ask, const char *before,
                         const struct brand_found *found, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    bool changed = !str_eq(before, found->row.tiktok_brand_id);
    struct run_delta delta = { .done = 1 };
    enum rc rc = job_tx_begin(r->ctx, "brand_end", &tx, e);

    if (found->made)
        delta.created = 1;
    else if (changed)
        delta.updated = 1;
    else if (found->why[0] != '\0')
        delta.held = 1;
    else
        delta.unchanged = 1;
    if (rc == RC_OK && changed)
        rc = db_brand_publish(tx, r->client.client_id, ask->key, NULL, e);
    if (rc == RC_OK)
        rc = db_run_progress(tx, r->client.client_id, r->run.id, &delta, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc brand_match(struct brand_run *r, const struct db_rows *rows, int i, struct err *e)
{
    const struct brand_ask ask = { .ctx = r->ctx,
                                   .client = &r->client,
                                   .tiktok = &r->tiktok,
                                   .category_id = db_text(rows, i, "category_id"),
                                   .key = db_text(rows, i, "name_key"),
                                   .name = db_text(rows, i, "name"),
                                   .may_make = db_bool(rows, i, "used"),
                                   .again = true };
    struct brand_found found = { 0 };
    enum rc rc = brand_find(&ask, &found, e);

    return rc == RC_OK ? brand_end(r, &ask, db_text(rows, i, "tiktok_brand_id"), &found, e) : rc;
}

/* The next brands; *after moves on and is "" when there are no more. */
static enum rc match_page(struct brand_run *r, char after[512], struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    OWN_ROWS struct db_rows *rows = NULL;
    struct run_delta more = { 0 };
    int n;
    enum rc rc = job_tx_begin(r->ctx, "brands_page", &tx, e);

    if (rc == RC_OK)
        rc = db_brand_page(tx, r->client.client_id, r->ctx->job->shop_id, after, PAGE_BRANDS, &rows,
                           e);
    if (rc != RC_OK)
        return rc;
    n = db_rows_count(rows);
    more.total = n;
    rc = db_run_progress(tx, r->client.client_id, r->run.id, &more, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    db_tx_free(tx); /* nothing is open while TikTok is asked */
    tx = NULL;
    for (int i = 0; rc == RC_OK && i < n; i++) {
        if (r->ctx->stop != NULL && atomic_load(r->ctx->stop))
            return err_set(e, RC_STOPPED, "stopping");
        rc = brand_match(r, rows, i, e);
    }
    if (rc == RC_OK && (n == 0 || !str_copy(after, 512, db_text(rows, n - 1, "name_key"))))
        after[0] = '\0';
    return rc;
}

static enum rc finish(struct brand_run *r, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(r->ctx, "brands_finish", &tx, e);

    if (rc == RC_OK)
        rc = db_run_read_done(tx, r->client.client_id, r->run.id, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

/* A repetition counts from the beginning. */
static enum rc counters_reset(struct brand_run *r, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(r->ctx, "brands_reset", &tx, e);

    if (rc == RC_OK)
        rc = db_run_counters_reset(tx, r->client.client_id, r->run.id, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc steps(struct brand_run *r, struct err *e)
{
    char after[512] = "";
    enum rc rc = load(r, e);

    if (rc != RC_OK || r->over)
        return rc;
    rc = counters_reset(r, e);
    if (rc == RC_OK)
        rc = vtex_read(r, e);
    if (rc == RC_OK)
        rc = session_tiktok_open(r->ctx, &r->tiktok, e);
    if (rc != RC_OK)
        return rc;
    do
        rc = match_page(r, after, e);
    while (rc == RC_OK && after[0] != '\0');
    session_tiktok_done(&r->tiktok);
    return rc == RC_OK ? finish(r, e) : rc;
}

enum rc sync_brands(struct job_ctx *ctx, struct err *e)
{
    struct brand_run r = { .ctx = ctx };
    enum rc rc = steps(&r, e);

    db_client_done(&r.client);
    db_run_done(&r.run);
    return rc;
}
