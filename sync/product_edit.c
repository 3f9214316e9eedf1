/* product_edit.c - brings a product that TikTok has already in line with what the merchant wants now.
 *
 * Content that differs goes by partial_edit (or by a whole edit when the category changed, with get-change-put);
 * prices and stock have calls of their own and need no review. */
#include "product_job.h"

#include <string.h>

#include "jspec.h"
#include "problem.h"
#include "product_undone.h"
#include "str.h"

#define ANEW_US INT64_C(100000)

static const json_t *sku_by_code(const json_t *body, const char *seller_sku)
{
    const json_t *list = json_object_get(body, "skus");

    for (size_t i = 0; i < json_array_size(list); i++)
        if (str_eq(jspec_text(json_array_get(list, i), "seller_sku"), seller_sku))
            return json_array_get(list, i);
    return NULL;
}

/* A new SKU does without the barcode that a published one keeps. */
static void free_barcodes(const struct publish *p, json_t *list)
{
    const json_t *old = json_object_get(p->product.published, "skus");

    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *sku = json_array_get(list, i);
        const char *code = jspec_text(sku, "identifier_code.code");
        bool taken = false;

        if (code == NULL ||
            sku_by_code(p->product.published, jspec_text(sku, "seller_sku")) != NULL)
            continue;
        for (size_t k = 0; k < json_array_size(old); k++)
            taken =
                taken || str_eq(jspec_text(json_array_get(old, k), "identifier_code.code"), code);
        if (taken)
            (void)json_object_del(sku, "identifier_code");
    }
}

/* A barcode cannot be changed once the product left the draft state: the published one stays. */
static enum rc keep_barcodes(struct publish *p, struct err *e)
{
    json_t *list = json_object_get(p->body, "skus");

    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *sku = json_array_get(list, i);
        const json_t *old = sku_by_code(p->product.published, jspec_text(sku, "seller_sku"));
        json_t *code = json_object_get(old, "identifier_code");

        if (old == NULL)
            continue;
        (void)json_object_del(sku, "identifier_code");
        if (code != NULL && json_object_set(sku, "identifier_code", code) != 0)
            return err_set(e, RC_BUG, "out of memory");
    }
    free_barcodes(p, list);
    return RC_OK;
}

/* SKUs as an edit sends them: known ones without price and stock, which then stay as they are. */
static json_t *edit_skus(const json_t *body)
{
    json_t *list = json_deep_copy(json_object_get(body, "skus"));

    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *sku = json_array_get(list, i);

        if (json_object_get(sku, "id") == NULL)
            continue;
        (void)json_object_del(sku, "price");
        (void)json_object_del(sku, "inventory");
    }
    return list;
}

/* TikTok checks weight and size of a package against each other: where one changes, both go. */
static bool keep_package_whole(const json_t *now, json_t *changed)
{
    static const char *const PARTS[] = { "package_weight", "package_dimensions" };

    for (int i = 0; i < 2; i++) {
        json_t *other = json_object_get(now, PARTS[1 - i]);

        if (json_object_get(changed, PARTS[i]) != NULL && other != NULL &&
            json_object_set(changed, PARTS[1 - i], other) != 0)
            return false;
    }
    return true;
}

/* The same SKUs, in whatever order. */
static bool same_skus(const json_t *now, const json_t *published)
{
    const json_t *list = json_object_get(now, "skus");

    if (json_array_size(list) != json_array_size(json_object_get(published, "skus")))
        return false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *one = json_array_get(list, i);
        const json_t *old = sku_by_code(published, jspec_text(one, "seller_sku"));

        if (old == NULL || !json_equal(one, old))
            return false;
    }
    return true;
}

static const char *const MEMBERS[] = { "title",
                                       "description",
                                       "brand_id",
                                       "main_images",
                                       "package_weight",
                                       "package_dimensions",
                                       "product_attributes",
                                       "skus",
                                       NULL };

/* Adds members that differ (`of` NULL) or that `of` names. */
static enum rc add_members(const struct publish *p, const json_t *now, const json_t *of,
                           json_t *changed, struct err *e)
{
    for (int i = 0; MEMBERS[i] != NULL; i++) {
        bool skus = strcmp(MEMBERS[i], "skus") == 0;
        json_t *wanted = json_object_get(now, MEMBERS[i]);
        bool same = of != NULL
                        ? json_object_get(of, MEMBERS[i]) == NULL
                        : json_equal(wanted, json_object_get(p->product.published, MEMBERS[i])) ||
                              (skus && same_skus(now, p->product.published));

        if (wanted == NULL || same)
            continue;
        if (skus ? json_object_set_new(changed, MEMBERS[i], edit_skus(p->body)) != 0
                 : json_object_set(changed, MEMBERS[i], wanted) != 0)
            return err_set(e, RC_BUG, "out of memory");
    }
    return RC_OK;
}

/* Members that an edit has to bring, for partial_edit; empty when none. Once anything is sent, all that no review has
 * passed goes along: a review that refuses one part takes back the others too. */
static enum rc differences(const struct publish *p, json_t **out, struct err *e)
{
    json_auto_t *now = map_product_content(p->body);
    json_auto_t *changed = json_object();
    enum rc rc = add_members(p, now, NULL, changed, e);

    if (rc == RC_OK)
        rc = add_members(p, now, p->product.edit_sent, changed, e);
    if (rc == RC_OK && json_object_size(changed) > 0)
        rc = add_members(p, now, p->product.edit_unreviewed, changed, e);
    if (rc != RC_OK)
        return rc;
    if (!keep_package_whole(now, changed))
        return err_set(e, RC_BUG, "out of memory");
    *out = json_incref(changed);
    return RC_OK;
}

/* ---- whole edit -------------------------------------------------------------------------------- */

static json_t *uris(const json_t *images)
{
    json_t *list = json_array();

    for (size_t i = 0; i < json_array_size(images); i++) {
        const char *uri = jspec_text(json_array_get(images, i), "uri");

        if (uri != NULL)
            (void)json_array_append_new(list, json_pack("{s:s}", "uri", uri));
    }
    return list;
}

static void keep_certificates(const json_t *current, json_t *body)
{
    const json_t *old = json_object_get(current, "certifications");
    json_t *list = json_array();

    for (size_t i = 0; i < json_array_size(old); i++) {
        const json_t *one = json_array_get(old, i);
        const char *id = jspec_text(one, "id");
        const json_t *files = json_object_get(one, "files");
        json_t *made = id != NULL ? json_pack("{s:s}", "id", id) : NULL;
        json_t *kept = json_array();

        for (size_t k = 0; k < json_array_size(files); k++) {
            const json_t *file = json_array_get(files, k);
            const char *file_id = jspec_text(file, "id");
            const char *name = jspec_text(file, "name");
            const char *format = jspec_text(file, "format");

            if (file_id != NULL && name != NULL && format != NULL)
                (void)json_array_append_new(kept, json_pack("{s:s, s:s, s:s}", "id", file_id,
                                                            "name", name, "format", format));
        }
        if (json_array_size(kept) > 0)
            (void)json_object_set(made, "files", kept);
        json_decref(kept);
        if (json_array_size(json_object_get(one, "images")) > 0)
            (void)json_object_set_new(made, "images", uris(json_object_get(one, "images")));
        if (json_is_integer(json_object_get(one, "expiration_date")))
            (void)json_object_set(made, "expiration_date", json_object_get(one, "expiration_date"));
        if (made != NULL)
            (void)json_array_append_new(list, made);
    }
    if (json_array_size(list) > 0)
        (void)json_object_set(body, "certifications", list);
    json_decref(list);
}

/* What people added in Seller Center and the feed knows nothing of. */
static void keep_foreign(const json_t *current, json_t *body)
{
    const char *template = jspec_text(current, "size_chart.template.id");
    const char *chart = jspec_text(current, "size_chart.image.uri");
    const char *video = jspec_text(current, "video.id");

    keep_certificates(current, body);
    if (!str_blank(template))
        (void)json_object_set_new(body, "size_chart",
                                  json_pack("{s:{s:s}}", "template", "id", template));
    else if (!str_blank(chart))
        (void)json_object_set_new(body, "size_chart",
                                  json_pack("{s:{s:s}}", "image", "uri", chart));
    if (!str_blank(video))
        (void)json_object_set_new(body, "video", json_pack("{s:s}", "id", video));
    if (json_is_boolean(json_object_get(current, "is_cod_allowed")))
        (void)json_object_set(body, "is_cod_allowed", json_object_get(current, "is_cod_allowed"));
}

static enum rc edit_whole(struct publish *p, struct tiktok_saved *saved,
                          struct tiktok_issues *issues, struct err *e)
{
    json_auto_t *current = NULL;
    json_auto_t *body = json_copy(p->body);
    enum rc rc =
        tiktok_get_product(&p->tiktok, p->product.tiktok_product_id, false, &current, NULL, e);

    if (rc != RC_OK)
        return rc;
    if (json_object_set_new(body, "skus", edit_skus(p->body)) != 0)
        return err_set(e, RC_BUG, "out of memory");
    keep_foreign(current, body);
    rc = publish_keep_added(p, body, true, e);
    if (rc != RC_OK)
        return rc;
    return tiktok_edit_product(&p->tiktok, p->product.tiktok_product_id, body, saved, issues, e);
}

/* ---- the whole --------------------------------------------------------------------------------- */

/* All that differs is what people made of an adopted product: nothing is to be sent. */
static enum rc settle(struct publish *p, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *content = map_product_content(p->body);
    enum rc rc = content != NULL ? RC_OK : err_set(e, RC_BUG, "out of memory");

    if (rc == RC_OK)
        rc = job_tx_begin(p->ctx, "product_settled", &tx, e);
    if (rc == RC_OK)
        rc = db_product_settled(tx, p->shop.shop_id, p->product.source_id, content, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

/* A partial edit changes no category, and cannot take a brand away; members: what else may not stand as published. */
static bool needs_whole(const struct publish *p, const json_t *members)
{
    bool brand_gone = json_object_get(p->body, "brand_id") == NULL;

    if (members != NULL)
        return json_object_get(members, "category_id") != NULL ||
               (brand_gone && json_object_get(members, "brand_id") != NULL);
    return !str_eq(jspec_text(p->body, "category_id"),
                   jspec_text(p->product.published, "category_id")) ||
           (brand_gone && json_object_get(p->product.published, "brand_id") != NULL);
}

/* Kept before the edit goes out: its answer may be lost, and the feed may have gone back by then. */
static enum rc begin_edit(struct publish *p, const json_t *changed, bool whole, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *members = json_object();
    const char *name;
    json_t *value;
    enum rc rc = job_tx_begin(p->ctx, "edit_begin", &tx, e);
    int failed = 0;

    json_object_foreach((json_t *)changed, name, value) failed |=
        json_object_set_new(members, name, json_true());
    for (int i = 0; whole && MEMBERS[i] != NULL; i++)
        failed |= json_object_set_new(members, MEMBERS[i], json_true());
    if (whole)
        failed |= json_object_set_new(members, "category_id", json_true());
    if (failed != 0)
        return err_set(e, RC_BUG, "out of memory");
    if (rc == RC_OK)
        rc = db_product_edit_begin(tx, p->shop.shop_id, p->product.source_id, members, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

/* TikTok certainly did not take it. */
static enum rc edit_not_taken(struct publish *p, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(p->ctx, "edit_refused", &tx, e);

    if (rc == RC_OK)
        rc = db_product_edit_refused(tx, p->shop.shop_id, p->product.source_id,
                                     p->product.edit_sent, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc send_edit(struct publish *p, const json_t *changed, bool whole,
                         struct tiktok_saved *saved, struct tiktok_issues *issues, struct err *e)
{
    enum rc rc = begin_edit(p, changed, whole, e);

    if (rc != RC_OK)
        return rc;
    rc = whole ? edit_whole(p, saved, issues, e)
               : tiktok_partial_edit_product(&p->tiktok, p->product.tiktok_product_id, changed,
                                             saved, issues, e);
    if (rc == RC_INVALID || rc == RC_BUSY || rc == RC_DENIED) {
        struct err other = { 0 };
        enum rc undone = edit_not_taken(p, &other);

        if (undone == RC_STOPPED && e != NULL)
            *e = other;
        if (undone == RC_STOPPED)
            return undone;
    }
    return rc;
}

/* SKUs of an edit that no review has passed may never have come to be, and nobody may have told us: an edit that names
 * them would be refused. *again: some are none, so the product is to be put together anew. */
static enum rc look_at_review(struct publish *p, bool *again, struct err *e)
{
    json_auto_t *product = NULL;
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc;

    *again = false;
    if (json_object_get(p->product.edit_unreviewed, "skus") == NULL)
        return RC_OK;
    rc = tiktok_get_product(&p->tiktok, p->product.tiktok_product_id, false, &product, NULL, e);
    if (rc != RC_OK || !review_took_back(product))
        return rc;
    rc = job_tx_begin(p->ctx, "edit_undone", &tx, e);
    if (rc == RC_OK)
        rc = review_undo_skus(tx, &p->product, product, again, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc anew(struct err *e)
{
    enum rc rc = err_code(e, RC_BUSY, "edit_undone",
                          "TikTok's review refused variants; the product is sent anew");

    if (e != NULL)
        e->retry_after_us = ANEW_US;
    return rc;
}

static enum rc edit_content(struct publish *p, bool *edited, struct err *e)
{
    struct tiktok_saved saved = { 0 };
    struct tiktok_issues issues = { 0 };
    json_auto_t *changed = NULL;
    bool again = false;
    bool whole = needs_whole(p, NULL) || needs_whole(p, p->product.edit_sent);
    enum rc rc = differences(p, &changed, e);

    whole = whole || (json_object_size(changed) > 0 && needs_whole(p, p->product.edit_unreviewed));
    *edited = false;
    if (rc != RC_OK || (!whole && json_object_size(changed) == 0))
        return rc;
    rc = look_at_review(p, &again, e);
    if (rc != RC_OK || again)
        return rc != RC_OK ? rc : anew(e);
    if (!whole) {
        rc = publish_keep_added(p, changed, false, e);
        if (rc != RC_OK)
            return rc;
        if (json_object_size(changed) == 0)
            return settle(p, e);
    }
    *edited = true;
    rc = publish_trace_fields(p, whole ? p->body : changed, e);
    if (rc != RC_OK)
        return rc;
    rc = send_edit(p, changed, whole, &saved, &issues, e);
    if (rc == RC_OK) {
        rc = publish_acknowledged(p, &saved, false, e);
    } else if (rc == RC_INVALID) {
        problem_add_issues(p->problems, &issues);
        publish_overrides_refused(p);
        rc = publish_refused(p, "rejected", issues.n > 0 ? issues.list[0].code : 0,
                             issues.request_id, e);
    }
    tiktok_saved_done(&saved);
    return rc;
}

enum rc publish_edit(struct publish *p, struct err *e)
{
    bool changed = false;
    bool edited = false;
    enum rc rc = keep_barcodes(p, e);

    if (rc == RC_OK)
        rc = publish_send_fresh(p, &changed, e);
    if (rc == RC_OK)
        rc = edit_content(p, &edited, e);
    return rc == RC_OK && !edited ? publish_unchanged(p, changed, e) : rc;
}
