/* run_revert.c - puts back what another run changed in prices, texts, pictures and attributes.
 *
 * Each value that is put back is held against the source that gave the newer one, so that the next reading of the
 * same feed leaves it alone. What changed again after the run is not touched and said so.
 * Repeats: safe. The lines that a product got in the run's changes say that it was looked at. */
#include "sync.h"

#include <string.h>

#include "db_override.h"
#include "db_product.h"
#include "db_revert.h"
#include "db_run.h"
#include "db_shelf.h"
#include "fault.h"
#include "jspec.h"
#include "money.h"
#include "price_rule.h"
#include "str.h"

#define PAGE_PRODUCTS 50
#define VALUE_BYTES ((size_t)1 << 18)

#define WHY_AGAIN "changed again after the run"
#define WHY_BACK "has the earlier value already"
#define WHY_GONE "the product is not listed any more"
#define WHY_NEW "made by the run; only prices, texts, pictures and attributes are put back"
#define WHY_FIELD "only prices, texts, pictures and attributes are put back"
#define WHY_NOTHING "there was no value before"
#define WHY_RANGE "the earlier price is outside the client's price rules"

struct revert {
    struct job_ctx *ctx;
    struct run run; /* this one */
    char of[40];    /* the run that is put back */
    struct client client;
};

/* One product on its way. */
struct item {
    struct revert *r;
    struct db_tx *tx;
    struct product product;
    struct product_override *overrides;
    int n_overrides;
    int queued, listed; /* lines to be sent, lines at all */
};

static void item_done(struct item *it)
{
    db_product_done(&it->product);
    db_overrides_free(it->overrides, it->n_overrides);
}
#define OWN_ITEM __attribute__((cleanup(item_done)))

static const char *text_of(const json_t *value, struct buf *out)
{
    buf_clear(out);
    if (value == NULL || json_is_null(value))
        return NULL;
    if (json_is_string(value))
        return json_string_value(value);
    return jspec_dump(value, out, NULL) == RC_OK ? buf_text(out) : NULL;
}

/* One line for people; why NULL: it will be sent. */
static enum rc line(struct item *it, const char *seller_sku, const char *field, const json_t *from,
                    const json_t *to, const char *why, struct err *e)
{
    OWN_BUF struct buf was, is;
    const char *to_do = it->r->run.dry_run ? "planned" : "queued";
    struct run_change c = {
        .client_id = it->r->client.client_id,
        .run_id = it->r->run.id,
        .source_id = it->product.source_id,
        .seller_sku = seller_sku,
        .field = field,
        .action = "revert",
        .outcome = why != NULL ? "skipped" : to_do,
        .reason = why,
    };

    buf_init(&was, VALUE_BYTES);
    buf_init(&is, VALUE_BYTES);
    c.old_value = text_of(from, &was);
    c.new_value = text_of(to, &is);
    it->listed++;
    it->queued += why == NULL;
    return db_run_change_add(it->tx, &c, e);
}

static const struct product_override *held(const struct item *it, const char *seller_sku,
                                           const char *field)
{
    for (int i = 0; i < it->n_overrides; i++)
        if (str_eq(it->overrides[i].seller_sku, seller_sku) &&
            str_eq(it->overrides[i].field, field))
            return &it->overrides[i];
    return NULL;
}

/* Holds `value` against the source that gave `from`, or lifts what is held when the source gives `value` itself. */
static enum rc hold(struct item *it, const char *seller_sku, const char *field, const json_t *from,
                    const json_t *value, struct err *e)
{
    const struct product_override *known = held(it, seller_sku, field);
    struct product_override o = { .reason = "revert" };

    if (it->r->run.dry_run)
        return RC_OK;
    if (known != NULL && json_equal(known->source_value, value))
        return db_override_delete(it->tx, it->r->client.client_id, known->id, NULL, NULL, e);
    (void)str_copy(o.seller_sku, sizeof o.seller_sku, seller_sku);
    (void)str_copy(o.field, sizeof o.field, field);
    (void)str_copy(o.run_id, sizeof o.run_id, it->r->run.id);
    str_copy_cut(o.set_by, sizeof o.set_by, it->r->run.requested_by);
    o.value = (json_t *)value; /* only read */
    o.source_value = known != NULL ? known->source_value : (json_t *)from;
    return db_override_put(it->tx, it->r->client.client_id, it->product.shop_id,
                           it->product.source_id, &o, e);
}

/* ---- texts, pictures, attributes ---------------------------------------------------------------- */

static bool listed_now(const struct item *it)
{
    return it->product.in_feed && it->product.tiktok_product_id[0] != '\0' &&
           str_eq(it->product.shelf, SHELF_ON) && strcmp(it->product.status, "deleted") != 0;
}

static enum rc revert_text(struct item *it, const char *field, const json_t *was, const json_t *is,
                           struct err *e)
{
    const char *member = db_override_member(field);
    const json_t *now = member != NULL ? json_object_get(it->product.published, member) : NULL;
    const char *why = NULL;
    enum rc rc;

    if (member == NULL)
        why = WHY_FIELD;
    else if (was == NULL || json_is_null(was))
        why = WHY_NOTHING;
    else if (!listed_now(it))
        why = WHY_GONE;
    else if (now != NULL && json_equal(now, was))
        why = WHY_BACK;
    else if (now == NULL || !json_equal(now, is))
        why = WHY_AGAIN;
    rc = line(it, NULL, field, now != NULL ? now : is, was, why, e);
    return rc == RC_OK && why == NULL ? hold(it, "", field, is, was, e) : rc;
}

/* {field: {"old", "new"}}: the first old and the last new of all edits of the run. */
static enum rc merge(json_t *all, const json_t *changes, struct err *e)
{
    for (size_t i = 0; i < json_array_size(changes); i++) {
        const json_t *one = json_array_get(changes, i);
        const char *field = jspec_text(one, "field");
        json_t *known = field != NULL ? json_object_get(all, field) : NULL;
        json_t *value = json_object_get(one, "new");

        if (field == NULL || value == NULL)
            continue;
        if (known != NULL ? json_object_set(known, "new", value) != 0
                          : json_object_set_new(all, field, json_deep_copy(one)) != 0)
            return err_set(e, RC_DOWN, "out of memory for the changes of a product");
    }
    return RC_OK;
}

static enum rc revert_texts(struct item *it, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    json_auto_t *all = json_object();
    const char *field;
    json_t *one;
    enum rc rc = db_revert_texts(it->tx, it->r->client.client_id, it->r->of, it->product.shop_id,
                                 it->product.source_id, &rows, e);

    for (int i = 0; rc == RC_OK && i < db_rows_count(rows); i++) {
        json_auto_t *changes = db_json_new(rows, i, "changes");

        if (str_eq(db_text(rows, i, "outcome"), "created"))
            rc = line(it, NULL, "product", NULL, NULL, WHY_NEW, e);
        else
            rc = merge(all, changes, e);
    }
    json_object_foreach(all, field, one)
    {
        if (rc == RC_OK)
            rc =
                revert_text(it, field, json_object_get(one, "old"), json_object_get(one, "new"), e);
    }
    return rc;
}

/* ---- prices ------------------------------------------------------------------------------------- */

static int64_t published_of(const struct item *it, const char *seller_sku)
{
    for (int i = 0; i < it->product.n_skus; i++)
        if (str_eq(it->product.skus[i].seller_sku, seller_sku))
            return it->product.skus[i].price_published_minor;
    return 0;
}

static enum rc revert_price(struct item *it, const char *seller_sku, const char *old_text,
                            const char *new_text, struct err *e)
{
    char now_text[MONEY_TEXT_BYTES];
    json_auto_t *was = json_string(old_text);
    json_auto_t *is = json_string(new_text);
    json_auto_t *now = NULL;
    int64_t now_minor = published_of(it, seller_sku), old_minor = 0, new_minor = 0;
    const char *why = NULL;
    enum rc rc = money_decimal_read(old_text, &old_minor, e);

    if (rc == RC_OK)
        rc = money_decimal_read(new_text, &new_minor, e);
    if (rc != RC_OK)
        return rc;
    money_write(now_minor, now_text);
    now = json_string(now_text);
    if (old_minor <= 0)
        why = WHY_NOTHING;
    else if (!listed_now(it))
        why = WHY_GONE;
    else if (now_minor == old_minor)
        why = WHY_BACK;
    else if (now_minor != new_minor)
        why = WHY_AGAIN;
    else if (!price_rule_allows(&it->r->client.price, old_minor))
        why = WHY_RANGE;
    rc = line(it, seller_sku, "price", now, was, why, e);
    return rc == RC_OK && why == NULL ? hold(it, seller_sku, "price", is, was, e) : rc;
}

static enum rc revert_prices(struct item *it, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc = db_revert_prices(it->tx, it->r->client.client_id, it->r->of, it->product.shop_id,
                                  it->product.source_id, &rows, e);

    for (int i = 0; rc == RC_OK && i < db_rows_count(rows); i++)
        rc = revert_price(it, db_text(rows, i, "seller_sku"), db_text(rows, i, "old"),
                          db_text(rows, i, "new"), e);
    return rc;
}

/* ---- the whole ---------------------------------------------------------------------------------- */

static enum rc publish_ask(struct item *it, struct err *e)
{
    const struct db_job_key key = { .client_id = it->r->client.client_id,
                                    .shop_id = it->product.shop_id,
                                    .kind = "product_publish",
                                    .entity = it->product.source_id,
                                    .lane = LANE_CATALOG,
                                    .run_id = it->r->run.id };

    return db_job_put(it->tx, &key, e);
}

static enum rc count(struct item *it, struct err *e)
{
    bool sent = it->queued > 0 && !it->r->run.dry_run;
    const struct run_delta delta = { .total = 1,
                                     .done = !sent,
                                     .updated = it->queued > 0 && it->r->run.dry_run,
                                     .unchanged = it->queued == 0 };

    return db_run_progress(it->tx, it->r->client.client_id, it->r->run.id, &delta, e);
}

static enum rc revert_product(struct revert *r, struct db_tx *tx, const char *source_id,
                              struct err *e)
{
    OWN_ITEM struct item it = { .r = r, .tx = tx };
    bool seen = false;
    enum rc rc = db_revert_seen(tx, r->client.client_id, r->run.id, source_id, &seen, e);

    if (rc != RC_OK || seen)
        return rc;
    rc = db_product_get(tx, r->ctx->job->shop_id, source_id, &it.product, e);
    if (rc == RC_NOT_FOUND) { /* forgotten since: nothing to put back, but say so */
        (void)str_copy(it.product.source_id, sizeof it.product.source_id, source_id);
        rc = line(&it, NULL, "product", NULL, NULL, WHY_GONE, e);
        return rc == RC_OK ? count(&it, e) : rc;
    }
    if (rc == RC_OK)
        rc = db_overrides_get(tx, it.product.shop_id, source_id, &it.overrides, &it.n_overrides, e);
    if (rc == RC_OK)
        rc = revert_texts(&it, e);
    if (rc == RC_OK)
        rc = revert_prices(&it, e);
    if (rc == RC_OK && it.listed > 0)
        rc = count(&it, e);
    if (rc == RC_OK && it.queued > 0 && !r->run.dry_run)
        rc = publish_ask(&it, e);
    return rc;
}

/* The next products; *after is "" when there are no more. */
static enum rc page(struct revert *r, char after[256], struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    OWN_ROWS struct db_rows *rows = NULL;
    char last[256] = "";
    enum rc rc = job_tx_begin(r->ctx, "run_revert", &tx, e);

    if (rc == RC_OK)
        rc = db_revert_products(tx, r->client.client_id, r->of, r->ctx->job->shop_id, after,
                                PAGE_PRODUCTS, &rows, e);
    for (int i = 0; rc == RC_OK && i < db_rows_count(rows); i++) {
        (void)str_copy(last, sizeof last, db_text(rows, i, "source_id"));
        rc = revert_product(r, tx, last, e);
    }
    if (rc == RC_OK && last[0] == '\0')
        rc = db_run_read_done(tx, r->client.client_id, r->run.id, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc == RC_OK) {
        fault_point("revert_page");
        (void)str_copy(after, 256, last);
    }
    return rc;
}

static enum rc load(struct revert *r, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    const char *client_id = r->ctx->job->client_id;
    const char *of;
    enum rc rc = job_tx_begin(r->ctx, "run_revert_load", &tx, e);

    if (rc == RC_OK)
        rc = db_run_get(tx, client_id, r->ctx->job->run_id, &r->run, e);
    if (rc == RC_OK)
        rc = db_client_get(tx, client_id, &r->client, e);
    if (rc == RC_OK)
        rc = db_run_start(tx, client_id, r->run.id, e);
    if (rc != RC_OK)
        return rc;
    of = jspec_text(r->run.params, "run_id");
    if (of == NULL || !str_copy(r->of, sizeof r->of, of))
        return err_set(e, RC_BUG, "run %s names no run to put back", r->run.id);
    return db_tx_commit(tx, e);
}

enum rc sync_run_revert(struct job_ctx *ctx, struct err *e)
{
    struct revert r = { .ctx = ctx };
    char after[256] = "";
    enum rc rc = load(&r, e);

    bool more = rc == RC_OK && !str_eq(r.run.status, "cancelled");

    while (rc == RC_OK && more) {
        rc = ctx->stop != NULL && atomic_load(ctx->stop) ? err_set(e, RC_STOPPED, "stopping")
                                                         : page(&r, after, e);
        more = after[0] != '\0';
    }
    db_run_done(&r.run);
    db_client_done(&r.client);
    return rc == RC_NOT_FOUND ? RC_OK : rc; /* the client or the run is gone */
}
