/* product_publish.c - makes one product of the feed a product on TikTok.
 *
 * Repeats: safe. Everything already known is read from the database first: pictures by their content, the category,
 * the idempotency key of a create that was sent. What TikTok acknowledged is compared with what is wanted, and only
 * the difference is sent. */
#include "product_job.h"

#include <string.h>

#include "db_run.h"
#include "db_shelf.h"
#include "fault.h"
#include "jspec.h"
#include "map_notes.h"
#include "own.h"
#include "preflight.h"
#include "problem.h"
#include "product_review.h"
#include "str.h"

#define MAX_ATTEMPTS 12
#define RETURNING_RETRY_US (INT64_C(2) * 1000000)
#define HELD_RETRY_US (INT64_C(600) * 1000000)

void publish_free(struct publish *p)
{
    if (p == NULL)
        return;
    for (int i = 0; i < p->n_skus; i++) {
        json_decref(p->skus[i].price_inputs);
        json_decref(p->skus[i].stock_inputs);
        json_decref(p->skus[i].problem);
        json_decref(p->skus[i].by_warehouse);
    }
    free(p->skus);
    free(p->listed);
    json_decref(p->removed_items);
    json_decref(p->dropped);
    json_decref(p->rules);
    json_decref(p->attributes);
    json_decref(p->fixed);
    json_decref(p->image_uris);
    json_decref(p->description_images);
    json_decref(p->problems);
    json_decref(p->notes);
    json_decref(p->body);
    json_decref(p->changes);
    publish_overrides_done(p);
    json_decref(p->on_tiktok);
    json_decref(p->kept);
    free(p->switch_rows);
    if (p->tiktok_open)
        session_tiktok_done(&p->tiktok);
    if (p->vtex_open)
        session_vtex_done(&p->vtex);
    db_product_done(&p->product);
    db_client_done(&p->client);
    free(p);
}

struct publish *publish_new(struct job_ctx *ctx)
{
    struct publish *p = calloc(1, sizeof(*p));

    if (p == NULL)
        return NULL;
    p->ctx = ctx;
    p->problems = json_array();
    p->notes = json_array();
    p->kept = json_array();
    return p;
}

static void publish_own(struct publish **p)
{
    publish_free(*p);
}

static enum rc load_run(struct publish *p, struct db_tx *tx, struct err *e)
{
    struct run run = { 0 };
    const char *run_id = p->ctx->job->run_id;

    if (run_id[0] == '\0')
        return RC_OK;
    enum rc rc = db_run_get(tx, p->ctx->job->client_id, run_id, &run, e);

    if (rc == RC_OK) {
        const char *warehouse = jspec_text(run.params, "warehouse_id");

        (void)str_copy(p->run_warehouse_id, sizeof(p->run_warehouse_id),
                       warehouse ? warehouse : "");
        db_run_done(&run);
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

enum rc publish_load(struct publish *p, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    const struct job *job = p->ctx->job;
    enum rc rc = job_tx_begin(p->ctx, "product_load", &tx, e);

    if (rc == RC_OK)
        rc = db_product_get(tx, job->shop_id, job->entity, &p->product, e);
    if (rc == RC_OK)
        rc = db_client_get(tx, job->client_id, &p->client, e);
    if (rc == RC_OK)
        rc = db_shop_get(tx, job->shop_id, &p->shop, e);
    if (rc == RC_OK)
        rc = publish_overrides_load(p, tx, e);
    if (rc == RC_OK)
        rc = publish_switches_load(p, tx, e);
    return rc == RC_OK ? load_run(p, tx, e) : rc;
}

enum rc publish_sessions(struct publish *p, struct err *e)
{
    bool wants_vtex = p->client.vtex_account[0] != '\0' &&
                      (p->client.price.from_vtex || p->client.stock.from_vtex ||
                       p->client.sku_id_rule == SKU_ID_VTEX_REF_ID);
    enum rc rc = session_tiktok_open(p->ctx, &p->tiktok, e);

    p->tiktok_open = rc == RC_OK;
    if (rc != RC_OK || !wants_vtex)
        return rc;
    rc = session_vtex_open(p->ctx, &p->vtex, e);
    p->vtex_open = rc == RC_OK;
    return rc;
}

static enum rc collect_listed(struct publish *p, struct err *e)
{
    p->listed = calloc((size_t)p->n_skus + 1, sizeof(*p->listed));
    if (p->listed == NULL)
        return err_set(e, RC_BUG, "out of memory");
    for (int i = 0; i < p->n_skus; i++) {
        const struct publish_sku *sku = &p->skus[i];

        if (!sku->listed)
            continue;
        p->listed[p->n_listed++] = (struct map_sku){
            .seller_sku = sku->seller_sku,
            .source_sku = sku->source_sku,
            .tiktok_sku_id = sku->tiktok_sku_id,
            .item = sku->item,
            .price_minor = sku->price_minor,
            .stock = sku->stock,
            .by_warehouse = sku->by_warehouse,
        };
    }
    return RC_OK;
}

static enum rc map(struct publish *p, const char *const *main_uris, int n_main_uris, json_t **out,
                   struct err *e)
{
    const char *currency = p->product.n_skus > 0 && p->product.skus[0].currency[0]
                               ? p->product.skus[0].currency
                               : "BRL";
    const struct map_input in = {
        .source_id = p->product.source_id,
        .desired = p->product.desired,
        .currency = currency,
        .category_id = p->category_id,
        .rules = p->rules,
        .attributes = p->attributes,
        .fixed_attributes = p->fixed,
        .brand_id = p->brand_id,
        .main_uris = main_uris,
        .n_main_uris = n_main_uris,
        .plan = &p->plan,
        .image_uris = p->image_uris,
        .description_images = p->description_images,
        .warehouse_id = p->warehouse_id,
        .client = &p->client,
        .skus = p->listed,
        .n_skus = p->n_listed,
    };

    return map_product(&in, out, p->problems, e);
}

/* Everything but pictures: what is missing is found before anything is uploaded. */
static enum rc check_texts(struct publish *p, struct err *e)
{
    static const char *const NONE[] = { "not-uploaded-yet" };
    json_auto_t *draft = NULL;
    enum rc rc = map_variants_plan(p->listed, p->n_listed, p->attributes, &p->plan, p->problems, e);

    if (rc == RC_OK)
        rc = map(p, NONE, 1, &draft, e);
    if (rc == RC_OK && draft != NULL)
        preflight_check(draft, p->shop.region, p->problems);
    return rc;
}

/* Before TikTok is asked anything for the product: all that can be known without its category. */
static enum rc check_early(struct publish *p, struct err *e)
{
    enum rc rc;

    if (p->too_many)
        problem_add(p->problems, "sku_count", "items", "Split the product in the feed.",
                    "The feed has more than %d variants of the product; TikTok takes no more, so "
                    "it is not sent.",
                    LIMIT_SKUS);
    (void)str_copy(p->category_id, sizeof(p->category_id), "0");
    rc = check_texts(p, e);
    p->category_id[0] = '\0';
    return rc;
}

/* The body as it would be sent, whatever made it. */
static enum rc check_body(struct publish *p, struct err *e)
{
    preflight_check(p->body, p->shop.region, p->problems);
    return map_notes(p->product.desired, p->listed, p->n_live, p->body, p->notes, e);
}

static enum rc add_pictures(struct publish *p, struct err *e)
{
    const char *uris[MAIN_IMAGES_MAX];
    int n_listed = p->n_listed;
    enum rc rc;

    if (publish_images_held(p)) { /* not even looked at: those of TikTok stay */
        uris[0] = "held";
        return map(p, uris, 1, &p->body, e);
    }

    p->n_listed = p->n_live; /* those that left have no pictures in the feed */
    rc = publish_images(p, e);
    p->n_listed = n_listed;
    if (rc == RC_OK)
        rc = publish_removed_pictures(p, e);

    if (rc == RC_OK && p->n_main_uris > 0) /* without one it is not listed anyway */
        rc = publish_description_images(p, e);
    for (int i = 0; i < p->n_main_uris; i++)
        uris[i] = p->main_uris[i];
    return rc == RC_OK ? map(p, uris, p->n_main_uris, &p->body, e) : rc;
}

typedef enum rc (*publish_step)(struct publish *p, struct err *e);

/* In order; the first that finds a problem ends it. */
static enum rc prepare(struct publish *p, struct err *e)
{
    static const publish_step STEPS[] = { publish_skus,
                                          publish_adopt,
                                          publish_values,
                                          collect_listed,
                                          check_early,
                                          publish_category,
                                          publish_added_attributes,
                                          publish_brand,
                                          publish_keep_removed,
                                          check_texts,
                                          add_pictures,
                                          publish_overrides,
                                          check_body,
                                          publish_hold_back };

    for (size_t i = 0; i < sizeof(STEPS) / sizeof(STEPS[0]) && !publish_blocked(p); i++) {
        enum rc rc = STEPS[i](p, e);

        if (rc != RC_OK)
            return rc;
        p->values_known = p->values_known || STEPS[i] == publish_values;
    }
    return RC_OK;
}

/* Shop-level obstacles: the product is held and tried again later. */
static enum rc hold(struct publish *p, bool ready, struct err *e)
{
    enum rc rc = publish_refused(p, "held", 0, NULL, e);

    if (rc == RC_OK && !ready)
        rc = publish_await_ready(p, e);
    if (rc != RC_OK)
        return rc;
    rc = err_code(e, RC_BUSY, "shop_not_ready", "the shop cannot list products yet");
    if (e != NULL)
        e->retry_after_us = HELD_RETRY_US;
    return rc;
}

/* TikTok takes no edits of it: what keeps it back is shown, and it goes on when TikTok says otherwise. */
static bool untouchable(const struct publish *p)
{
    return p->product.tiktok_product_id[0] != '\0' && (str_eq(p->product.tiktok_status, "FREEZE") ||
                                                       str_eq(p->product.tiktok_status, "DELETED"));
}

static enum rc publish(struct publish *p, struct err *e)
{
    bool fresh = p->product.tiktok_product_id[0] == '\0';
    bool ready = true;
    enum rc rc = publish_catalog_known(p, e);

    if (rc == RC_OK)
        rc = publish_sessions(p, e);

    if (rc == RC_OK && fresh)
        rc = publish_prerequisites(p, &ready, e);
    if (rc == RC_OK && ready)
        rc = publish_warehouse(p, e);
    if (rc == RC_OK && publish_blocked(p))
        return hold(p, ready, e);
    if (rc == RC_OK)
        rc = prepare(p, e);
    if (rc != RC_OK)
        return rc;
    bool listed = p->product.tiktok_product_id[0] != '\0'; /* maybe since just now */

    if (publish_blocked(p) && listed)
        rc = publish_send_values(p, e);
    if (rc == RC_OK && publish_blocked(p))
        return publish_refused(p,
                               p->frozen  ? "held"
                               : p->waits ? "waiting"
                                          : "rejected",
                               0, NULL, e);
    if (rc != RC_OK)
        return rc;
    return listed ? publish_edit(p, e) : publish_create(p, e);
}

/* Nothing more will come of it: the run must not wait for this product. */
static bool final_outcome(const struct publish *p, enum rc rc)
{
    if (rc == RC_DOWN || rc == RC_UNSURE)
        return p->ctx->job->attempts >= MAX_ATTEMPTS;
    return rc == RC_INVALID || rc == RC_NOT_FOUND || rc == RC_BUG;
}

/* Off sale, or deleted, and nobody wants it back; a create in doubt is looked up all the same. */
static bool off_shelf(const struct publish *p)
{
    return p->product.create_sent_us == 0 &&
           (!str_eq(p->product.shelf, SHELF_ON) || str_eq(p->product.status, "deleted"));
}

/* It is put on sale again first. */
static enum rc returning(struct err *e)
{
    enum rc rc = err_code(e, RC_BUSY, "returning", "the product is being put on sale again");

    e->retry_after_us = RETURNING_RETRY_US;
    return rc;
}

enum rc sync_product_publish(struct job_ctx *ctx, struct err *e)
{
    OWN(publish_own) struct publish *p = publish_new(ctx);
    struct err lost = { 0 };

    if (p == NULL)
        return err_set(e, RC_BUG, "out of memory");
    enum rc rc = publish_load(p, e);

    if (rc == RC_NOT_FOUND)
        return RC_OK; /* the product or its client is gone: nothing to do */
    if (rc != RC_OK)
        return rc;
    if (!p->client.active || !p->client.sync_products || p->client.shadow || !p->product.in_feed ||
        off_shelf(p))
        return publish_unchanged(p, false, e);
    if (p->product.shelf_due && str_eq(p->product.status, "deactivated"))
        return returning(e);
    if (untouchable(p)) {
        review_problems_keep(p->product.problems, PROBLEM_REVIEW, p->problems);
        return publish_refused(p, "held", 0, NULL, e);
    }
    rc = publish(p, e);
    if (final_outcome(p, rc) && e != NULL && publish_failed(p, e, &lost) == RC_STOPPED) {
        *e = lost;
        return RC_STOPPED;
    }
    return rc;
}
