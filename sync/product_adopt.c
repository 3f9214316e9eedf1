/* product_adopt.c - links a product of the feed to the one that TikTok has already, instead of listing it twice.
 *
 * Which TikTok product it is, the stored listing says: the one whose external id is our source id, else the one that
 * has one of our SKU codes, unless several claim each other. The first edit of an adopted product keeps what people
 * added to it. */
#include "product_job.h"

#include <string.h>

#include "db_catalog.h"
#include "db_run.h"
#include "jspec.h"
#include "money.h"
#include "problem.h"
#include "single.h"
#include "str.h"

#define CATALOG_RETRY_US (15 * US_PER_S)
#define LOOK_AGAIN_US US_PER_S

/* ---- is the listing known? ---------------------------------------------------------------------- */

static enum rc wait_for_listing(struct publish *p, struct db_tx *tx, struct err *e)
{
    const struct db_job_key key = { .client_id = p->client.client_id,
                                    .shop_id = p->shop.shop_id,
                                    .kind = "catalog_read",
                                    .entity = "",
                                    .lane = LANE_CATALOG };
    enum rc rc = db_job_put(tx, &key, e);

    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc != RC_OK)
        return rc;
    rc = err_code(e, RC_BUSY, "catalog_unread",
                  "the listing of the shop is read first, to find products that exist already");
    if (e != NULL)
        e->retry_after_us = CATALOG_RETRY_US;
    return rc;
}

enum rc publish_catalog_known(struct publish *p, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    struct catalog_state state = { 0 };
    enum rc rc;

    if (p->product.tiktok_product_id[0] != '\0' || p->product.create_sent_us != 0)
        return RC_OK; /* linked, or in doubt: that is looked up with a search of its own */
    rc = job_tx_begin(p->ctx, "catalog_state", &tx, e);
    if (rc == RC_OK)
        rc = db_catalog_state(tx, p->shop.shop_id, &state, e);
    if (rc != RC_OK)
        return rc;
    if (state.details_us != 0 && state.now_us - state.read_us <= CATALOG_FRESH_US)
        return RC_OK;
    return wait_for_listing(p, tx, e);
}

/* ---- which TikTok product is it? ---------------------------------------------------------------- */

static enum rc find(struct publish *p, struct catalog_match *list, int *n, struct err *e)
{
    const char *codes[LIMIT_SKUS];
    OWN_TX struct db_tx *tx = NULL;
    size_t n_codes = 0;
    enum rc rc = job_tx_begin(p->ctx, "catalog_matches", &tx, e);

    for (int i = 0; i < p->n_skus; i++)
        if (p->skus[i].seller_sku[0] != '\0')
            codes[n_codes++] = p->skus[i].seller_sku;
    return rc == RC_OK ? db_catalog_matches(tx, p->shop.shop_id, p->product.source_id, codes,
                                            n_codes, list, n, e)
                       : rc;
}

static void several(struct publish *p, const struct catalog_match *list, int n)
{
    OWN_BUF struct buf names;

    buf_init(&names, 8192);
    for (int i = 0; i < n; i++)
        buf_fmt(&names, "%s%s (%s)", i > 0 ? ", " : "", list[i].tiktok_product_id, list[i].title);
    problem_add(p->problems, "adoption_several", "tiktok_product_id",
                "Delete the products that are too many in Seller Center, or take the SKU codes off "
                "them; the product is linked then.",
                "Several products on TikTok match this one: %.1500s.", buf_text(&names));
}

static void claimed(struct publish *p, const struct catalog_match *m)
{
    static const char ACTION[] =
        "Give each SKU code to one product only, in the feed and in Seller Center.";

    if (m->linked_source[0] != '\0')
        problem_add(
            p->problems, "adoption_conflict", "tiktok_product_id", ACTION,
            "The TikTok product %s (%s) matches this product, but \"%.100s\" is linked to it.",
            m->tiktok_product_id, m->title, m->linked_source);
    else
        problem_add(p->problems, "adoption_conflict", "tiktok_product_id", ACTION,
                    "The TikTok product %s (%s) matches this product and \"%.100s\" as well.",
                    m->tiktok_product_id, m->title, m->other_source);
}

/* The one to take; NULL with or without a problem when there is none. */
static const struct catalog_match *choose(struct publish *p, const struct catalog_match *list,
                                          int n)
{
    int external = 0;

    while (external < n && list[external].external)
        external++;
    if (external > 0)
        n = external; /* who names us is meant, whatever codes others have */
    if (n == 0)
        return NULL;
    if (n > 1) {
        several(p, list, n);
        return NULL;
    }
    if (list[0].linked_source[0] != '\0' || (external == 0 && list[0].other_source[0] != '\0')) {
        claimed(p, &list[0]);
        return NULL;
    }
    return &list[0];
}

/* ---- what is known of it ------------------------------------------------------------------------ */

static const char *our_status(const json_t *product)
{
    static const char *const WORDS[][2] = { { "ACTIVATE", "live" },
                                            { "FAILED", "rejected" },
                                            { "FREEZE", "held" },
                                            { "SELLER_DEACTIVATED", "deactivated" },
                                            { "PLATFORM_DEACTIVATED", "deactivated" } };
    const char *status = jspec_text(product, "status");

    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++)
        if (str_eq(status, WORDS[i][0]))
            return WORDS[i][1];
    return "in_review";
}

static void leaf_category(const json_t *product, char out[JSPEC_ID_BYTES])
{
    const json_t *chain = jspec_get(product, "category_chains");

    out[0] = '\0';
    for (size_t i = 0; i < json_array_size(chain); i++)
        if (jspec_bool(json_array_get(chain, i), "is_leaf", false))
            jspec_id(json_array_get(chain, i), "id", out);
}

static int keep(json_t *out, const json_t *product, const char *member)
{
    json_t *value = json_object_get(product, member);

    return value != NULL && !json_is_null(value) ? json_object_set(out, member, value) : 0;
}

/* What an edit compares with: texts and sizes as they stand; pictures and attributes are sent once. "adopted" marks
 * that the first edit is still to come. */
static json_t *published_new(const json_t *product, const char *category_id)
{
    static const char *const SAME[] = { "title", "description", "package_weight",
                                        "package_dimensions", "external_product_id" };
    json_t *out = json_pack("{s:b, s:s}", "adopted", 1, "category_id", category_id);
    const char *brand = jspec_text(product, "brand.id");
    int bad = out == NULL;

    for (size_t i = 0; i < sizeof SAME / sizeof SAME[0]; i++)
        bad |= keep(out, product, SAME[i]);
    if (!str_blank(brand))
        bad |= json_object_set_new(out, "brand_id", json_string(brand));
    bad |= json_object_set_new(out, "skus", publish_added_skus(product));
    if (bad == 0)
        return out;
    json_decref(out);
    return NULL;
}

/* ---- the link ----------------------------------------------------------------------------------- */

static const json_t *sku_with(const json_t *product, const char *member, const char *value)
{
    const json_t *list = json_object_get(product, "skus");

    for (size_t i = 0; i < json_array_size(list); i++)
        if (str_eq(jspec_text(json_array_get(list, i), member), value))
            return json_array_get(list, i);
    return NULL;
}

static const json_t *sku_of(const json_t *product, const char *seller_sku)
{
    return sku_with(product, "seller_sku", seller_sku);
}

/* By our code, else by our id, else the only one for the only one. */
static const json_t *their_sku(const struct publish *p, const json_t *product, int index)
{
    const struct publish_sku *sku = &p->skus[index];
    const json_t *list = json_object_get(product, "skus");
    const json_t *found;

    if (sku->seller_sku[0] == '\0')
        return NULL;
    found = sku_of(product, sku->seller_sku);
    if (found == NULL && sku->source_sku[0] != '\0')
        found = sku_with(product, "external_sku_id", sku->source_sku);
    if (found == NULL && p->n_skus == 1 && json_array_size(list) == 1)
        found = json_array_get(list, 0);
    return found;
}

/* Stock counts as known when it stands in the one warehouse that we keep. */
static int64_t stock_of(const struct publish *p, const json_t *sku)
{
    const json_t *list = json_object_get(sku, "inventory");
    char warehouse[JSPEC_ID_BYTES];

    if (json_array_size(list) != 1)
        return -1;
    jspec_id(json_array_get(list, 0), "warehouse_id", warehouse);
    return str_eq(warehouse, p->warehouse_id) ? jspec_int(json_array_get(list, 0), "quantity", -1)
                                              : -1;
}

static enum rc link_skus(struct publish *p, struct db_tx *tx, const json_t *product, struct err *e)
{
    enum rc rc = RC_OK;

    for (int i = 0; rc == RC_OK && i < p->n_skus; i++) {
        struct publish_sku *sku = &p->skus[i];
        const json_t *theirs = their_sku(p, product, i);
        const char *price = jspec_text(theirs, "price.sale_price");
        int64_t minor = 0;

        if (theirs == NULL)
            continue;
        if (price == NULL || money_decimal_read(price, &minor, NULL) != RC_OK)
            minor = 0;
        jspec_id(theirs, "id", sku->tiktok_sku_id);
        sku->price_published_minor = minor;
        sku->stock_published = stock_of(p, theirs);
        rc = db_sku_published(tx, p->shop.shop_id, sku->seller_sku, sku->tiktok_sku_id, minor,
                              sku->stock_published, e);
    }
    return rc;
}

static enum rc tell(struct publish *p, struct db_tx *tx, const char *id, const char *status,
                    const char *request_id, struct err *e)
{
    const struct log_row row = { .client_id = p->client.client_id,
                                 .shop_id = p->shop.shop_id,
                                 .entity = p->product.source_id,
                                 .old_value = p->product.status,
                                 .new_value = status,
                                 .outcome = "adopted",
                                 .request_id = request_id,
                                 .run_id = p->ctx->job->run_id,
                                 .message = id };
    enum rc rc = db_log(tx, LOG_TABLE_PRODUCT, &row, e);

    return rc == RC_OK ? db_run_change(tx, p->client.client_id, p->ctx->job->run_id, "product",
                                       p->product.source_id, NULL, "tiktok_product_id", NULL, id,
                                       "link", "done", e)
                       : rc;
}

static enum rc look_again(struct err *e)
{
    enum rc rc = err_code(e, RC_BUSY, "catalog_changed", "the product on TikTok changed meanwhile");

    if (e != NULL)
        e->retry_after_us = LOOK_AGAIN_US;
    return rc;
}

/* Stores the link with what the product itself says; *linked false when another product took it. */
static enum rc store_link(struct publish *p, const char *id, const json_t *product,
                          const char *request_id, bool *linked, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    char category[JSPEC_ID_BYTES];
    const char *status = our_status(product);
    json_auto_t *published = NULL;
    json_auto_t *listing = json_array();
    enum rc rc = job_tx_begin(p->ctx, "product_adopt", &tx, e);

    leaf_category(product, category);
    published = published_new(product, category);
    if (published == NULL || json_array_append(listing, (json_t *)product) != 0)
        return err_set(e, RC_BUG, "out of memory");
    if (rc == RC_OK)
        rc = db_catalog_put(tx, p->client.client_id, p->shop.shop_id, listing, true, e);
    if (rc == RC_OK)
        rc = db_catalog_adopt(tx, p->shop.shop_id, p->product.source_id, id, status, category,
                              published, linked, e);
    if (rc != RC_OK || !*linked)
        return rc;
    rc = link_skus(p, tx, product, e);
    if (rc == RC_OK)
        rc = tell(p, tx, id, status, request_id, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

/* The job goes on with the product as the database has it now. */
static enum rc reload(struct publish *p, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    struct product fresh = { 0 };
    enum rc rc = job_tx_begin(p->ctx, "adopted_load", &tx, e);

    if (rc == RC_OK)
        rc = db_product_get(tx, p->shop.shop_id, p->product.source_id, &fresh, e);
    if (rc != RC_OK)
        return rc;
    /* the SKUs on their way borrow from the old one: what the feed wants did not change */
    json_t *desired = fresh.desired;

    fresh.desired = p->product.desired;
    p->product.desired = desired;
    db_product_done(&p->product);
    p->product = fresh;
    return RC_OK;
}

static enum rc forget(struct publish *p, const char *id, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(p->ctx, "catalog_drop", &tx, e);

    if (rc == RC_OK)
        rc = db_catalog_drop(tx, p->shop.shop_id, id, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    return rc == RC_OK ? look_again(e) : rc;
}

/* What the product itself says may be newer than the listing: then the choice is made again. */
static enum rc still_ours(struct publish *p, const struct catalog_match *match,
                          const json_t *product, bool *ours, struct err *e)
{
    const char *external = jspec_text(product, "external_product_id");
    bool code = false;

    for (int i = 0; i < p->n_skus && !code; i++)
        code = p->skus[i].seller_sku[0] != '\0' && sku_of(product, p->skus[i].seller_sku) != NULL;
    *ours = str_eq(external, p->product.source_id) || (!match->external && code);
    if (*ours && (str_blank(external) || str_eq(external, p->product.source_id)))
        return RC_OK;

    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *one = json_array();
    struct catalog_match again[CATALOG_MATCHES_MAX];
    int n = 0;
    enum rc rc = job_tx_begin(p->ctx, "catalog_detail", &tx, e);

    if (json_array_append(one, (json_t *)product) != 0)
        return err_set(e, RC_BUG, "out of memory");
    if (rc == RC_OK)
        rc = db_catalog_put(tx, p->client.client_id, p->shop.shop_id, one, true, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc == RC_OK && *ours) { /* its external id may be that of another product of the feed */
        const struct catalog_match *now = NULL;

        rc = find(p, again, &n, e);
        if (rc == RC_OK)
            now = choose(p, again, n);
        *ours = now != NULL && str_eq(now->tiktok_product_id, match->tiktok_product_id);
        return rc == RC_OK && now != NULL && !*ours ? look_again(e) : rc;
    }
    return rc == RC_OK ? look_again(e) : rc;
}

static void note_state(struct publish *p, const json_t *product)
{
    p->frozen = str_eq(jspec_text(product, "status"), "FREEZE");
    if (p->frozen)
        problem_add(p->problems, "frozen_by_tiktok", NULL, "Appeal in Seller Center.",
                    "TikTok froze the product.");
    if (str_eq(p->product.status, "deactivated"))
        problem_add(p->notes, "deactivated_on_tiktok", NULL,
                    "Activate the product in Seller Center or here when it is to be sold.",
                    "The product was off sale on TikTok when it was linked, and stays so.");
}

static enum rc adopt(struct publish *p, const struct catalog_match *match, struct err *e)
{
    char request_id[TIKTOK_REQUEST_ID_BYTES];
    const char *id = match->tiktok_product_id;
    json_auto_t *product = NULL;
    bool ours = false;
    bool linked = false;
    enum rc rc = tiktok_get_product(&p->tiktok, id, false, &product, request_id, e);

    if (rc == RC_NOT_FOUND || (rc == RC_OK && str_eq(jspec_text(product, "status"), "DELETED")))
        return forget(p, id, e);
    if (rc == RC_OK)
        rc = still_ours(p, match, product, &ours, e);
    if (rc != RC_OK || !ours)
        return rc;

    int held = single_take(p->shop.shop_id, id);

    rc = store_link(p, id, product, request_id, &linked, e);
    single_give(held);
    if (rc == RC_OK && !linked)
        return look_again(e);
    if (rc == RC_OK)
        rc = reload(p, e);
    if (rc == RC_OK) {
        p->on_tiktok = json_incref(product);
        note_state(p, product);
    }
    return rc;
}

enum rc publish_adopt(struct publish *p, struct err *e)
{
    struct catalog_match list[CATALOG_MATCHES_MAX];
    const struct catalog_match *match;
    int n = 0;
    enum rc rc;

    if (p->product.tiktok_product_id[0] != '\0' || p->product.create_sent_us != 0)
        return RC_OK;
    rc = find(p, list, &n, e);
    match = rc == RC_OK ? choose(p, list, n) : NULL;
    return match != NULL ? adopt(p, match, e) : rc;
}
