/* feed_refusal.c - what TikTok would refuse of a feed product, found by the same mapping that publishing uses.
 *
 * A dry run asks nobody: pictures count as good, and attributes are checked only against a category that is known. */
#include "feed_job.h"

#include "db_product.h"
#include "jspec.h"
#include "map_feed.h"
#include "map_product.h"
#include "preflight.h"
#include "price_rule.h"
#include "problem.h"
#include "str.h"

#define CATEGORY_AGE_S (30 * 86400)
#define ANY_PRICE_MINOR 10000 /* where the price is not known without asking */

struct check {
    const struct feed_run *run;
    const struct map_feed *map;
    struct map_sku *skus; /* owned */
    int n_skus;
    json_t *rules, *attributes, *fixed; /* owned */
    char category_id[64];
    json_t *blocking; /* owned: keeps the product from being listed */
    json_t *notes;    /* owned: keeps a variant from being listed */
};

static void check_done(struct check *c)
{
    free(c->skus);
    json_decref(c->rules);
    json_decref(c->attributes);
    json_decref(c->fixed);
    json_decref(c->blocking);
    json_decref(c->notes);
}
#define OWN_CHECK __attribute__((cleanup(check_done)))

/* The price to publish; 0 when TikTok would not take it. */
static enum rc price_of(struct check *c, const struct sku *sku, int64_t *minor, struct err *e)
{
    const struct policy_price *policy = &c->run->client.price;
    struct price_result result = { 0 };
    enum rc rc;

    *minor = ANY_PRICE_MINOR;
    if (policy->from_vtex)
        return RC_OK;
    *minor = 0;
    if (sku->feed_price_minor <= 0)
        return RC_OK; /* the reader of the feed said so already */
    rc = price_rule_apply(policy, sku->feed_price_minor, "feed", c->run->now_us, 0, &result, e);
    if (rc == RC_OK)
        *minor = result.minor;
    else if (rc == RC_INVALID)
        problem_add(c->notes, "price_range", sku->seller_sku,
                    "Check the price and the client's price rules.",
                    "The price is outside the 0.50 to 10,000.00 that TikTok allows in Brazil.");
    price_result_done(&result);
    return rc == RC_INVALID ? RC_OK : rc;
}

static const json_t *item_of(const json_t *desired, const char *id)
{
    const json_t *items = json_object_get(desired, "items");

    for (size_t i = 0; i < json_array_size(items); i++)
        if (str_eq(jspec_text(json_array_get(items, i), "id"), id))
            return json_array_get(items, i);
    return NULL;
}

static enum rc skus_collect(struct check *c, struct err *e)
{
    c->skus = calloc((size_t)c->map->n_skus + 1, sizeof *c->skus);
    if (c->skus == NULL)
        return err_set(e, RC_DOWN, "out of memory for SKUs");
    for (int i = 0; i < c->map->n_skus; i++) {
        const struct sku *sku = &c->map->skus[i].sku;
        const json_t *item = item_of(c->map->desired, sku->source_sku);
        int64_t minor = 0;
        enum rc rc = item != NULL ? price_of(c, sku, &minor, e) : RC_OK;

        if (rc != RC_OK)
            return rc;
        if (minor > 0)
            c->skus[c->n_skus++] = (struct map_sku){ .seller_sku = sku->seller_sku,
                                                     .source_sku = sku->source_sku,
                                                     .item = item,
                                                     .price_minor = minor,
                                                     .stock = 1 };
    }
    return RC_OK;
}

/* The category that was used before; none for a new product. */
static enum rc category_load(struct check *c, struct db_tx *tx, const char *source_id,
                             struct err *e)
{
    OWN_PRODUCT struct product p = { 0 };
    enum rc rc = db_product_get(tx, c->run->shop_id, source_id, &p, e);

    if (rc != RC_OK)
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    if (p.tiktok_category_id[0] == '\0')
        return RC_OK;
    (void)str_copy(c->category_id, sizeof c->category_id, p.tiktok_category_id);
    rc = db_category_get(tx, c->run->shop_id, c->category_id, CATEGORY_AGE_S, &c->rules,
                         &c->attributes, e);
    if (rc == RC_OK) {
        const char *path = p.source_category;
        struct taxonomy_row row = { 0 };

        rc = db_taxonomy_find(tx, c->run->client.client_id, &path, 1, &row, e);
        c->fixed = row.attributes;
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc map_check(struct check *c, const char *source_id, struct err *e)
{
    static const char *const PICTURE[] = { "not-uploaded-yet" };
    bool pictures = json_array_size(json_object_get(c->map->desired, "images")) > 0;
    struct variant_plan plan;
    json_auto_t *body = NULL;
    enum rc rc = map_variants_plan(c->skus, c->n_skus, c->attributes, &plan, c->blocking, e);
    const struct map_input in = {
        .source_id = source_id,
        .desired = c->map->desired,
        .currency = c->map->opts.currency,
        .category_id = c->category_id[0] != '\0' ? c->category_id : "0", /* not chosen yet */
        .rules = c->rules,
        .attributes = c->attributes,
        .fixed_attributes = c->fixed,
        .brand_id = "",
        .main_uris = PICTURE,
        .n_main_uris = pictures,
        .plan = &plan,
        .warehouse_id = "0",
        .client = &c->run->client,
        .skus = c->skus,
        .n_skus = c->n_skus,
    };

    rc = rc == RC_OK ? map_product(&in, &body, c->blocking, e) : rc;
    if (rc == RC_OK && body != NULL)
        preflight_check(body, "BR", c->blocking);
    return rc;
}

static enum rc rows_write(const struct check *c, struct db_tx *tx, const char *source_id,
                          const json_t *problems, struct err *e)
{
    const json_t *one;
    size_t i;
    enum rc rc = RC_OK;

    json_array_foreach(problems, i, one)
    {
        const char *field = jspec_text(one, "field");
        const struct run_change row = {
            .client_id = c->run->client.client_id,
            .run_id = c->run->run.id,
            .source_id = source_id,
            .field = field != NULL ? field : "product",
            .new_value = jspec_text(one, "code"),
            .action = "refuse",
            .outcome = "would_refuse",
            .reason = jspec_text(one, "message"),
        };

        rc = db_run_change_add(tx, &row, e);
        if (rc != RC_OK)
            return rc;
    }
    return rc;
}

enum rc feed_refusals_write(struct db_tx *tx, const struct feed_run *r, const char *source_id,
                            const struct map_feed *map, bool *refused, struct err *e)
{
    OWN_CHECK struct check c = {
        .run = r, .map = map, .blocking = json_array(), .notes = json_array()
    };
    enum rc rc = rows_write(&c, tx, source_id, map->problems, e);

    if (rc != RC_OK || !map_feed_usable(map))
        return rc;
    rc = category_load(&c, tx, source_id, e);
    if (rc == RC_OK)
        rc = skus_collect(&c, e);
    if (rc == RC_OK && c.n_skus > 0)
        rc = map_check(&c, source_id, e);
    if (rc == RC_OK)
        rc = rows_write(&c, tx, source_id, c.blocking, e);
    if (rc == RC_OK)
        rc = rows_write(&c, tx, source_id, c.notes, e);
    if (rc == RC_OK)
        *refused = *refused || c.n_skus == 0 || json_array_size(c.blocking) > 0;
    return rc;
}
