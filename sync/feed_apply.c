/* feed_apply.c - brings the products that a feed changed to what it says, a few in each short transaction.
 *
 * Repeats: safe. A product and the feed_items rows it stands for change in one transaction, so that whatever was
 * not applied yet is found again by the next comparison; the snapshot follows last. */
#include "feed_job.h"

#include "db_product.h"
#include "fault.h"
#include "map_feed.h"
#include "own.h"
#include "problem.h"
#include "product_review.h"
#include "str.h"

#define PAGE_ROWS 2000
#define PAGE_PRODUCTS 100
#define FEED_CURRENCY "BRL"

/* One page of staged rows: whole products. */
struct page {
    struct feed_stage_row *rows;
    int n;
    const char *ids[PAGE_PRODUCTS]; /* borrowed from rows */
    int begin[PAGE_PRODUCTS + 1];
    int n_products;
    struct feed_product *stored;
    int n_stored;
};

static void page_done(struct page *p)
{
    db_feed_products_free(p->stored, p->n_stored);
    free(p->rows);
}
#define OWN_PAGE __attribute__((cleanup(page_done)))

/* Finds the products of the page; the last one may go on behind it and is left for the next page then, unless it
 * is alone: such a product is larger than any that can be listed, and its beginning is enough. */
static void page_split(struct page *p)
{
    for (int i = 0; i < p->n && p->n_products < PAGE_PRODUCTS; i++) {
        if (i > 0 && str_eq(p->rows[i].source_id, p->rows[i - 1].source_id))
            continue;
        p->begin[p->n_products] = i;
        p->ids[p->n_products++] = p->rows[i].source_id;
    }
    p->begin[p->n_products] = p->n;
    for (int i = p->n_products > 0 ? p->begin[p->n_products - 1] : 0; i < p->n; i++) {
        if (!str_eq(p->rows[i].source_id, p->ids[p->n_products - 1])) {
            p->begin[p->n_products] = i;
            return;
        }
    }
    if (p->n == PAGE_ROWS && p->n_products > 1)
        p->n_products--;
}

static enum rc page_load(struct db_tx *tx, const struct feed_run *r, const char *after,
                         struct page *p, struct err *e)
{
    enum rc rc = db_feed_stage_page(tx, r->stage, after, PAGE_ROWS, &p->rows, &p->n, e);

    if (rc != RC_OK || p->n == 0)
        return rc;
    page_split(p);
    return db_feed_products(tx, r->shop_id, p->ids, (size_t)p->n_products, &p->stored, &p->n_stored,
                            e);
}

static const struct feed_product *stored_of(const struct page *p, const char *source_id)
{
    for (int i = 0; i < p->n_stored; i++) {
        if (str_eq(p->stored[i].source_id, source_id))
            return &p->stored[i];
    }
    return NULL;
}

static enum rc item_add(const struct feed_run *r, int64_t at, struct map_feed *m, struct err *e)
{
    OWN_STR char *data = NULL;
    struct feed_item item = { 0 };
    struct feed_raw raw;
    uint32_t len;
    enum rc rc = feed_spool_read(r->items_fd, at, &len, sizeof len, e);

    if (rc != RC_OK)
        return rc;
    data = malloc((size_t)len + 1);
    if (data == NULL)
        return err_set(e, RC_DOWN, "out of memory for a feed item");
    rc = feed_spool_read(r->items_fd, at + (int64_t)sizeof len, data, len, e);
    if (rc == RC_OK)
        rc = feed_raw_read(data, len, &raw, e);
    if (rc == RC_OK)
        rc = feed_item_read(&raw, FEED_CURRENCY, &item, e);
    if (rc == RC_OK)
        rc = map_feed_add(m, &item, len, e);
    feed_item_done(&item);
    return rc;
}

/* Maps the items of product i; *any says whether the feed has one at all. */
static enum rc product_map(const struct feed_run *r, const struct page *p, int i, const json_t *old,
                           struct map_feed *m, bool *any, struct err *e)
{
    struct map_feed_opts opts = { .currency = FEED_CURRENCY,
                                  .rule = r->client.sku_id_rule,
                                  .price_required = !r->client.price.from_vtex,
                                  .now_us = r->now_us };
    enum rc rc = map_feed_init(m, p->ids[i], &opts, old, e);

    *any = false;
    for (int k = p->begin[i]; rc == RC_OK && k < p->begin[i + 1] && !m->full; k++) {
        if (p->rows[k].position < 0)
            continue;
        *any = true;
        rc = item_add(r, p->rows[k].position, m, e);
    }
    return rc == RC_OK ? map_feed_finish(m, e) : rc;
}

static enum rc skus_write(struct db_tx *tx, const struct feed_run *r, const char *source_id,
                          struct map_feed *m, struct err *e)
{
    const char **names = calloc((size_t)m->n_skus + 1, sizeof *names);
    enum rc rc = RC_OK;

    if (names == NULL)
        return err_set(e, RC_DOWN, "out of memory for SKUs");
    for (int i = 0; rc == RC_OK && i < m->n_skus; i++) {
        names[i] = m->skus[i].sku.seller_sku;
        if (!m->skus[i].write)
            continue;
        rc = db_sku_put_feed(tx, r->client.client_id, r->shop_id, source_id, i, &m->skus[i].sku, e);
        if (rc == RC_DUPLICATE) {
            problem_add(m->problems, "duplicate_sku", "id", "give each variant its own id",
                        "SKU %s belongs to another product of the feed", names[i]);
            rc = RC_OK;
        }
    }
    if (rc == RC_OK)
        rc = db_sku_prune(tx, r->shop_id, source_id, names, (size_t)m->n_skus, e);
    if (rc == RC_OK)
        rc = db_feed_skus_gone(tx, r->shop_id, source_id, names, (size_t)m->n_skus, e);
    free(names);
    return rc;
}

static enum rc problems_write(struct db_tx *tx, const struct feed_run *r, const char *source_id,
                              const json_t *problems, struct err *e)
{
    const char *codes[PROBLEM_CODES_MAX];
    size_t n = review_problem_codes(PROBLEM_FEED, codes);

    return db_feed_product_problems(tx, r->shop_id, source_id, problems, codes, n, r->run.id, e);
}

static enum rc publish_ask(struct db_tx *tx, const struct feed_run *r, const char *source_id,
                           struct err *e)
{
    struct db_job_key key = { .client_id = r->client.client_id,
                              .shop_id = r->shop_id,
                              .kind = "product_publish",
                              .entity = source_id,
                              .lane = LANE_CATALOG,
                              .run_id = r->run.id[0] != '\0' ? r->run.id : NULL };

    return db_job_put(tx, &key, e);
}

/* Stores the product and asks for its publication, or says why it cannot be listed. */
static enum rc product_write(struct db_tx *tx, const struct feed_run *r, const char *source_id,
                             const struct feed_product *stored, struct map_feed *m, struct err *e)
{
    const json_t *d = m->desired;
    struct run_delta failed = { .done = 1, .failed = 1 };
    enum rc rc = db_product_put_desired(tx, r->client.client_id, r->shop_id, source_id,
                                        json_string_value(json_object_get(d, "title")),
                                        json_string_value(json_object_get(d, "brand")),
                                        json_string_value(json_object_get(d, "category")), d,
                                        m->hash, r->run.id, e);

    if (rc == RC_OK)
        rc = skus_write(tx, r, source_id, m, e);
    if (rc == RC_OK)
        rc = problems_write(tx, r, source_id, m->problems, e);
    if (rc == RC_OK)
        rc = feed_changes_write(tx, r, source_id, stored != NULL ? stored->desired : NULL, m, e);
    if (rc != RC_OK)
        return rc;
    if (map_feed_usable(m))
        return publish_ask(tx, r, source_id, e);
    return db_run_progress(tx, r->client.client_id, r->run.id, &failed, e);
}

/* What a real run would do with a product that differs. */
static enum rc product_plan(struct db_tx *tx, struct feed_run *r, const char *source_id,
                            const struct feed_product *stored, const struct map_feed *m,
                            struct err *e)
{
    bool refused = !map_feed_usable(m);
    enum rc rc =
        feed_changes_write(tx, r, source_id, stored != NULL ? stored->desired : NULL, m, e);

    if (rc == RC_OK)
        rc = feed_refusals_write(tx, r, source_id, m, &refused, e);
    if (rc != RC_OK)
        return rc;
    r->planned.failed += refused;
    r->planned.created += !refused && stored == NULL;
    r->planned.updated += !refused && stored != NULL;
    return RC_OK;
}

/* In the feed again after an absence; taken off sale for that, it is put back and brought up to date. */
static enum rc product_returns(struct db_tx *tx, const struct feed_run *r,
                               const struct feed_product *stored, struct err *e)
{
    const char *client_id = r->client.client_id;
    const char *source_id = stored->source_id;
    bool due = false;
    enum rc rc = db_feed_product_seen(tx, r->shop_id, source_id, e);

    if (rc != RC_OK || !stored->off)
        return rc;
    rc = db_shelf_set(tx, client_id, r->shop_id, source_id, SHELF_ON, "feed", &due, e);
    if (rc == RC_OK)
        rc = db_run_change(tx, client_id, r->run.id, "product", source_id, NULL, "status",
                           stored->status, "live", "return", "queued", e);
    if (rc == RC_OK && due)
        rc = feed_shelf_ask(tx, r, e);
    if (rc == RC_OK)
        rc = publish_ask(tx, r, source_id, e);
    return rc == RC_OK ? db_feed_product_asked(tx, r->shop_id, source_id, r->run.id, e) : rc;
}

static enum rc product_apply(struct db_tx *tx, struct feed_run *r, const struct page *p, int i,
                             struct err *e)
{
    const char *source_id = p->ids[i];
    const struct feed_product *stored = stored_of(p, source_id);
    OWN_MAP_FEED struct map_feed m = { 0 };
    bool any = false;
    enum rc rc = product_map(r, p, i, stored != NULL ? stored->desired : NULL, &m, &any, e);
    bool same = stored != NULL && str_eq(stored->desired_hash, m.hash);

    if (rc != RC_OK)
        return rc;
    if (!any) {
        r->planned.removed++;
        rc =
            stored != NULL ? feed_changes_write(tx, r, source_id, stored->desired, NULL, e) : RC_OK;
        return rc == RC_OK && !r->dry
                   ? db_feed_product_gone(tx, r->shop_id, source_id, r->pair ? 1 : 0, e)
                   : rc;
    }
    if (r->dry)
        return same ? RC_OK : product_plan(tx, r, source_id, stored, &m, e);
    if (stored != NULL && !stored->in_feed)
        rc = product_returns(tx, r, stored, e);
    if (rc == RC_OK && !same)
        return product_write(tx, r, source_id, stored, &m, e);
    return rc == RC_OK ? skus_write(tx, r, source_id, &m, e) : rc;
}

/* Applies the next products; *after moves on and is "" when there are no more. */
static enum rc page_apply(struct feed_run *r, char after[256], struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    OWN_PAGE struct page p = { 0 };
    char last[256] = "";
    enum rc rc = job_tx_begin(r->ctx, "feed_apply", &tx, e);

    if (rc == RC_OK)
        rc = page_load(tx, r, after, &p, e);
    for (int i = 0; rc == RC_OK && i < p.n_products; i++)
        rc = product_apply(tx, r, &p, i, e);
    if (rc == RC_OK && p.n_products > 0 && !r->dry)
        rc = db_feed_applied(tx, r->client.client_id, r->shop_id, p.ids, (size_t)p.n_products,
                             r->pair, e);
    if (rc == RC_OK && p.n_products > 0)
        (void)str_copy(last, sizeof last, p.ids[p.n_products - 1]);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc == RC_OK)
        (void)str_copy(after, 256, last);
    return rc;
}

/* Asks again for products that never got published; a parked job waits for a person and is left alone. */
static enum rc unpublished_ask(struct feed_run *r, char after[256], struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    OWN_ROWS struct db_rows *rows = NULL;
    char last[256] = "";
    enum rc rc = job_tx_begin(r->ctx, "feed_unpublished", &tx, e);

    if (rc == RC_OK)
        rc = db_feed_unpublished(tx, r->shop_id, r->run.id, after, PAGE_PRODUCTS, &rows, e);
    for (int i = 0; rc == RC_OK && i < db_rows_count(rows); i++) {
        (void)str_copy(last, sizeof last, db_text(rows, i, "source_id"));
        rc = publish_ask(tx, r, last, e);
        if (rc == RC_OK)
            rc = db_feed_product_asked(tx, r->shop_id, last, r->run.id, e);
    }
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc == RC_OK)
        (void)str_copy(after, 256, last);
    return rc;
}

static enum rc stopped(const struct feed_run *r, struct err *e)
{
    if (r->ctx->stop != NULL && atomic_load(r->ctx->stop))
        return err_set(e, RC_STOPPED, "stopping");
    return RC_OK;
}

/* Repeats one step from the first product to the last. */
static enum rc for_all(struct feed_run *r, enum rc (*step)(struct feed_run *, char *, struct err *),
                       struct err *e)
{
    char after[256] = "";
    enum rc rc;

    do {
        rc = stopped(r, e);
        if (rc == RC_OK)
            rc = step(r, after, e);
    } while (rc == RC_OK && after[0] != '\0');
    return rc;
}

/* The feed counts as the last one from now on. Two given feeds do not: they tell what to change, and the next
 * reading of the merchant's own feed compares in full (the snapshot was unsettled when differences were found). */
static enum rc accept(struct db_tx *tx, struct feed_run *r, struct err *e)
{
    const char *client_id = r->client.client_id;
    struct shelf_missing m = { 0 };
    enum rc rc = r->pair ? RC_OK : db_feed_accept(tx, client_id, r->shop_id, &r->now, e);

    if (rc == RC_OK && !r->pair)
        rc = feed_removals_due(tx, r, &m, e);
    if (rc == RC_OK && m.fresh > 0)
        rc = feed_run_open(tx, r, e);
    if (rc == RC_OK)
        rc = db_feed_run_totals(tx, client_id, r->shop_id, r->run.id, r->total, 0, e);
    return rc == RC_OK && m.fresh > 0 ? feed_removals(tx, r, e) : rc;
}

static enum rc finish(struct feed_run *r, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    const char *client_id = r->client.client_id;
    enum rc rc = job_tx_begin(r->ctx, "feed_accept", &tx, e);

    if (rc == RC_OK && r->dry) {
        r->planned.total = r->total;
        rc = db_feed_run_dry(tx, client_id, r->run.id, &r->planned, e);
        if (rc == RC_OK)
            rc = db_feed_stage_clear(tx, r->stage, e);
    } else if (rc == RC_OK) {
        rc = accept(tx, r, e);
    }
    if (rc == RC_OK)
        rc = db_run_read_done(tx, client_id, r->run.id, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

enum rc feed_apply(struct feed_run *r, struct err *e)
{
    enum rc rc = for_all(r, page_apply, e);

    if (rc == RC_OK)
        fault_point("feed_applied");
    if (rc == RC_OK && !r->dry && !r->changes && r->run.id[0] != '\0')
        rc = for_all(r, unpublished_ask, e);
    return rc == RC_OK ? finish(r, e) : rc;
}
