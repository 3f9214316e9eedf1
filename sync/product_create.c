/* product_create.c - sends a product to TikTok for the first time, exactly once.
 *
 * The idempotency key and the moment are committed before the call. A create whose end is unknown (answer lost,
 * process killed) is looked up by seller SKU and external id before it is sent again with the same key. */
#include "product_job.h"

#include <string.h>

#include "fault.h"
#include "jspec.h"
#include "problem.h"
#include "sign.h"
#include "str.h"

#define SEARCH_SKUS 10
#define CODE_LISTING_LIMIT 12052093
#define CODE_EXTERNAL_ID_TAKEN 12052996

/* Random UUID, version 4. */
static void new_key(char out[132])
{
    unsigned char r[16];
    char hex[33];

    sign_random(r, sizeof(r));
    r[6] = (unsigned char)((r[6] & 0x0F) | 0x40);
    r[8] = (unsigned char)((r[8] & 0x3F) | 0x80);
    str_hex(hex, r, sizeof(r));
    (void)str_fmt(out, 132, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
                  hex + 20);
}

static enum rc begin(struct publish *p, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    char key[132];
    enum rc rc = job_tx_begin(p->ctx, "create_begin", &tx, e);

    new_key(key);
    if (rc == RC_OK)
        rc = db_product_create_begin(tx, p->shop.shop_id, p->product.source_id, key, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc == RC_OK && json_object_set_new(p->body, "idempotency_key", json_string(key)) != 0)
        rc = err_set(e, RC_BUG, "out of memory");
    return rc;
}

/* ---- looking up -------------------------------------------------------------------------------- */

static bool ours(const struct publish *p, const json_t *product)
{
    const char *external = jspec_text(product, "external_product_id");
    const json_t *skus = jspec_get(product, "skus");

    if (str_eq(jspec_text(product, "status"), "DELETED"))
        return false;
    if (!str_blank(external))
        return strcmp(external, p->product.source_id) == 0;
    /* without an external id: all our SKUs, and no other ones */
    if (json_array_size(skus) != (size_t)p->n_listed)
        return false;
    for (int i = 0; i < p->n_listed; i++) {
        bool found = false;

        for (size_t k = 0; k < json_array_size(skus) && !found; k++)
            found =
                str_eq(jspec_text(json_array_get(skus, k), "seller_sku"), p->listed[i].seller_sku);
        if (!found)
            return false;
    }
    return true;
}

static enum rc read_found(struct publish *p, const json_t *list, struct tiktok_saved *saved,
                          bool *found, struct err *e)
{
    for (size_t i = 0; i < json_array_size(list) && !*found; i++) {
        json_auto_t *product = NULL;
        char id[JSPEC_ID_BYTES];
        enum rc rc;

        jspec_id(json_array_get(list, i), "id", id);
        if (str_eq(jspec_text(json_array_get(list, i), "status"), "DELETED"))
            continue;
        rc = tiktok_get_product(&p->tiktok, id, false, &product, saved->request_id, e);
        if (rc == RC_NOT_FOUND)
            continue;
        if (rc != RC_OK)
            return rc;
        if (!ours(p, product))
            continue;
        (void)str_copy(saved->product_id, sizeof(saved->product_id), id);
        saved->skus = json_incref(json_object_get(product, "skus"));
        saved->warnings = json_array();
        *found = true;
    }
    return RC_OK;
}

static enum rc look_up(struct publish *p, struct tiktok_saved *saved, bool *found, struct err *e)
{
    const char *codes[SEARCH_SKUS];
    json_auto_t *list = NULL;
    size_t n = 0;

    for (int i = 0; i < p->n_listed && n < SEARCH_SKUS; i++)
        codes[n++] = p->listed[i].seller_sku;
    *found = false;
    enum rc rc = tiktok_search_products(&p->tiktok, codes, n, &list, e);

    return rc == RC_OK ? read_found(p, list, saved, found, e) : rc;
}

/* ---- refusals ---------------------------------------------------------------------------------- */

static enum rc refused(struct publish *p, const struct tiktok_issues *issues, struct err *e)
{
    int64_t code = issues->n > 0 ? issues->list[0].code : 0;
    bool later = code == CODE_LISTING_LIMIT;

    p->create_refused = true;
    problem_add_issues(p->problems, issues);
    return publish_refused(p, later ? "held" : "rejected", code, issues->request_id, e);
}

static enum rc send(struct publish *p, struct tiktok_saved *saved, struct tiktok_issues *issues,
                    struct err *e)
{
    enum rc rc = begin(p, e);

    if (rc != RC_OK)
        return rc;
    fault_point("create_before");
    rc = tiktok_create_product(&p->tiktok, p->body, p->product.source_id, saved, issues, e);
    fault_point("create_sent");
    return rc;
}

/* A person's or an earlier life's product may hold the external id: then it is ours to adopt. */
static enum rc adopt_taken(struct publish *p, struct tiktok_saved *saved,
                           const struct tiktok_issues *issues, struct err *e)
{
    bool found = false;
    enum rc rc = look_up(p, saved, &found, e);

    if (rc != RC_OK)
        return rc;
    return found ? publish_acknowledged(p, saved, true, e) : refused(p, issues, e);
}

enum rc publish_create(struct publish *p, struct err *e)
{
    struct tiktok_saved saved = { 0 };
    struct tiktok_issues *issues = calloc(1, sizeof(*issues));
    bool found = false;
    enum rc rc = issues != NULL ? RC_OK : err_set(e, RC_BUG, "out of memory");

    if (rc == RC_OK && p->product.create_sent_us != 0)
        rc = look_up(p, &saved, &found, e);
    if (rc == RC_OK && !found)
        rc = send(p, &saved, issues, e);

    bool taken =
        rc == RC_INVALID && issues->n > 0 && issues->list[0].code == CODE_EXTERNAL_ID_TAKEN;

    if (rc == RC_OK)
        rc = publish_acknowledged(p, &saved, true, e);
    else if (taken)
        rc = adopt_taken(p, &saved, issues, e);
    else if (rc == RC_INVALID)
        rc = refused(p, issues, e);
    tiktok_saved_done(&saved);
    free(issues);
    return rc;
}
