/* product_setup.c - what a shop must have before anything can be listed: prerequisites and a warehouse. */
#include "product_job.h"

#include <string.h>

#include "jspec.h"
#include "problem.h"
#include "single.h"
#include "str.h"

#define PREREQUISITES_MAX_AGE_S 3600
#define PREREQUISITES_BLOCKED_AGE_S 60 /* a shop that is being set up is looked at again soon */

static enum rc known_prerequisites(struct publish *p, json_t **problems, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    json_t *found = NULL;
    enum rc rc = job_tx_begin(p->ctx, "prerequisites_get", &tx, e);

    if (rc == RC_OK)
        rc = db_prerequisites_get(tx, p->shop.shop_id, PREREQUISITES_MAX_AGE_S, &found, e);
    if (rc == RC_OK && json_array_size(found) > 0) {
        json_decref(found);
        found = NULL;
        rc = db_prerequisites_get(tx, p->shop.shop_id, PREREQUISITES_BLOCKED_AGE_S, &found, e);
    }
    if (rc == RC_OK)
        *problems = found;
    return rc;
}

static void reasons_text(const json_t *reasons, struct buf *out)
{
    for (size_t i = 0; i < json_array_size(reasons); i++) {
        const char *text = json_string_value(json_array_get(reasons, i));

        if (!str_blank(text))
            buf_fmt(out, " %s", text);
    }
}

static enum rc ask_prerequisites(struct publish *p, json_t **problems, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *failed = NULL;
    json_auto_t *made = json_array();
    enum rc rc = tiktok_check_prerequisites(&p->tiktok, &failed, e);

    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < json_array_size(failed); i++) {
        const json_t *one = json_array_get(failed, i);
        OWN_BUF struct buf text;

        buf_init(&text, 4096);
        reasons_text(json_object_get(one, "reasons"), &text);
        problem_add(made, "shop_not_ready", jspec_text(one, "item"),
                    "Complete the setup of the shop in Seller Center; the product is sent then.",
                    "TikTok does not let the shop list products yet (%s).%s",
                    jspec_text(one, "item") ? jspec_text(one, "item") : "", buf_text(&text));
    }
    rc = job_tx_begin(p->ctx, "prerequisites_put", &tx, e);
    if (rc == RC_OK)
        rc = db_prerequisites_put(tx, p->client.client_id, p->shop.shop_id, made, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc == RC_OK)
        *problems = json_incref(made);
    return rc;
}

enum rc publish_prerequisites(struct publish *p, bool *ready, struct err *e)
{
    json_auto_t *problems = NULL;
    int held = single_take(p->shop.shop_id, "prerequisites");
    enum rc rc = known_prerequisites(p, &problems, e);

    if (rc == RC_NOT_FOUND)
        rc = ask_prerequisites(p, &problems, e);
    single_give(held);
    if (rc != RC_OK)
        return rc;
    *ready = json_array_size(problems) == 0;
    if (json_array_extend(p->problems, problems) != 0)
        return err_set(e, RC_BUG, "out of memory");
    return RC_OK;
}

static enum rc remember_warehouse(struct publish *p, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(p->ctx, "warehouse_put", &tx, e);

    if (rc == RC_OK)
        rc = db_shop_warehouse_put(tx, p->shop.shop_id, p->warehouse_id, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

/* Another worker may have read it since this one loaded the shop. */
static enum rc read_again(struct publish *p, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(p->ctx, "warehouse_get", &tx, e);

    return rc == RC_OK ? db_shop_get(tx, p->shop.shop_id, &p->shop, e) : rc;
}

static enum rc shop_warehouse(struct publish *p, struct err *e)
{
    enum rc rc = read_again(p, e);

    if (rc != RC_OK || p->shop.warehouse_id[0] != '\0')
        return rc;
    rc = tiktok_default_warehouse(&p->tiktok, p->warehouse_id, e);
    return rc == RC_OK ? remember_warehouse(p, e) : rc;
}

enum rc publish_warehouse(struct publish *p, struct err *e)
{
    const char *given = p->run_warehouse_id[0] ? p->run_warehouse_id
                                               : p->client.warehouse_id; /* asked for, then set */
    enum rc rc = RC_OK;

    if (given[0] == '\0' && p->shop.warehouse_id[0] == '\0') {
        int held = single_take(p->shop.shop_id, "warehouse");

        rc = shop_warehouse(p, e);
        single_give(held);
    }
    if (rc == RC_NOT_FOUND && str_eq(e->code, "no_warehouse")) {
        problem_add(p->problems, "no_warehouse", "warehouse_id",
                    "Add a sales warehouse in Seller Center; the product is sent then.",
                    "The TikTok shop has no enabled sales warehouse.");
        return RC_OK;
    }
    if (rc == RC_OK && p->warehouse_id[0] == '\0')
        (void)str_copy(p->warehouse_id, sizeof(p->warehouse_id),
                       given[0] != '\0' ? given : p->shop.warehouse_id);
    return rc;
}
