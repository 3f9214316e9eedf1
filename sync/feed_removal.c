/* feed_removal.c - what becomes of products that complete feeds no longer have.
 *
 * One feed without a product may be a mistake of an export; two in a row are believed. More removals at once than
 * the merchant's rules allow wait for a person. Nothing is ever deleted at TikTok for a feed. */
#include "feed_job.h"

#include "db_shelf.h"
#include "str.h"

bool feed_removal_is_large(const struct client *c, int64_t n, int64_t offered)
{
    return n > c->hold_above_count || n * 100 > offered * c->hold_above_percent;
}

static enum rc hold(struct db_tx *tx, struct feed_run *r, const struct shelf_missing *m,
                    struct err *e)
{
    struct run_delta delta = { 0 };
    char why[300];
    enum rc rc = db_shelf_hold(tx, r->client.client_id, r->shop_id, r->run.id, &delta.held, e);

    (void)str_fmt(
        why, sizeof why,
        "%lld of %lld products on sale are missing in two complete feeds; the client's limit is"
        " %lld products or %lld %%: approve the run to take them off sale",
        (long long)delta.held, (long long)m->offered, (long long)r->client.hold_above_count,
        (long long)r->client.hold_above_percent);
    if (rc == RC_OK)
        rc = db_run_progress(tx, r->client.client_id, r->run.id, &delta, e);
    return rc == RC_OK
               ? db_run_end(tx, r->client.client_id, r->run.id, "held", "removals_held", why, e)
               : rc;
}

static enum rc remove_all(struct db_tx *tx, struct feed_run *r, struct err *e)
{
    struct run_delta delta = { 0 };
    enum rc rc = db_shelf_remove(tx, r->client.client_id, r->shop_id, r->run.id, &delta.total, e);

    if (rc == RC_OK)
        rc = db_run_progress(tx, r->client.client_id, r->run.id, &delta, e);
    return rc == RC_OK ? feed_shelf_ask(tx, r, e) : rc;
}

enum rc feed_shelf_ask(struct db_tx *tx, const struct feed_run *r, struct err *e)
{
    const struct db_job_key key = { .client_id = r->client.client_id,
                                    .shop_id = r->shop_id,
                                    .kind = "product_shelf",
                                    .entity = "",
                                    .lane = LANE_CATALOG };

    return db_job_put(tx, &key, e);
}

enum rc feed_removals_due(struct db_tx *tx, const struct feed_run *r, struct shelf_missing *m,
                          struct err *e)
{
    *m = (struct shelf_missing){ 0 };
    if (str_eq(r->client.removed_action, "keep"))
        return RC_OK;
    return db_shelf_missing(tx, r->client.client_id, r->shop_id, m, e);
}

enum rc feed_removals(struct db_tx *tx, struct feed_run *r, struct err *e)
{
    struct shelf_missing m;
    enum rc rc = feed_removals_due(tx, r, &m, e);

    if (rc != RC_OK || m.fresh == 0)
        return rc;
    return feed_removal_is_large(&r->client, m.fresh + m.held, m.offered) ? hold(tx, r, &m, e)
                                                                          : remove_all(tx, r, e);
}
