/* switches.c - exceptions from what a client brings to TikTok, by category, product and SKU. */
#include "rest.h"

#include "db_account.h"
#include "db_switch.h"
#include "jspec.h"
#include "str.h"

#include <string.h>

#define LIMIT_KEY 500

static const char *const SCOPES[] = { "category", "product", "sku", NULL };
static const struct jspec_field SWITCH_SPEC[] = {
    { .name = "scope", .type = JSPEC_TEXT, .required = true, .words = SCOPES },
    { .name = "key", .type = JSPEC_TEXT, .required = true, .min = 1, .max = LIMIT_KEY },
    { .name = "text", .type = JSPEC_BOOL, .nullable = true },
    { .name = "images", .type = JSPEC_BOOL, .nullable = true },
    { .name = "price", .type = JSPEC_BOOL, .nullable = true },
    { .name = "stock", .type = JSPEC_BOOL, .nullable = true },
    { .name = "activation", .type = JSPEC_BOOL, .nullable = true },
    { 0 },
};

enum rc switches_list(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    static const char *const QUERY[] = { "scope", NULL };
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *items = NULL;
    struct rest_page page;
    const char *client_id = NULL;
    const char *scope = NULL;
    char scope_text[16];
    char next[640];
    enum rc rc = rest_page_read(req, QUERY, &page, e);

    if (rc == RC_OK)
        rc = rest_query(req, "scope", scope_text, sizeof scope_text, &scope, e);
    if (rc == RC_OK)
        rc = rest_begin(app, req, "switches_list", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = db_switch_list(tx, client_id, scope, page.cursor, page.limit, &items, next, e);
    return rc == RC_OK ? rest_page_reply(reply, req, items, next, e) : rc;
}

static enum rc row_read(const json_t *body, struct switch_row *out, struct err *e)
{
    bool any = false;
    enum rc rc = jspec_check(body, SWITCH_SPEC, e);

    if (rc != RC_OK)
        return rc;
    (void)str_copy(out->scope, sizeof out->scope, jspec_text(body, "scope"));
    if (!str_copy(out->key, sizeof out->key, jspec_text(body, "key")) || str_blank(out->key))
        return err_field(e, "key", "must be 1 to %d bytes", (int)sizeof out->key - 1);
    for (int i = 0; i < SYNC_PARTS; i++) {
        const json_t *value = json_object_get(body, SYNC_PART_NAMES[i]);

        out->part[i] = json_is_boolean(value) ? json_is_true(value) : -1;
        any = any || out->part[i] >= 0;
        if (out->part[i] >= 0 && str_eq(out->scope, "sku") && i != PART_PRICE && i != PART_STOCK)
            return err_field(e, SYNC_PART_NAMES[i],
                             "belongs to the whole product; a SKU has price and stock");
    }
    return any ? RC_OK : err_field(e, "text", "one of the parts has to be true or false");
}

static enum rc answer(struct http_reply *reply, int status, const char *scope, const char *key,
                      int64_t released, struct err *e)
{
    json_auto_t *doc = json_pack("{s:s, s:s, s:I}", "scope", scope, "key", key, "released_products",
                                 (json_int_t)released);

    return doc != NULL ? http_reply_json(reply, status, doc, e)
                       : err_set(e, RC_BUG, "no memory for a switch");
}

enum rc switch_put(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *body = NULL;
    struct switch_row row = { 0 };
    const char *client_id = NULL;
    int64_t released = 0;
    enum rc rc = rest_no_query(req, e);

    if (rc == RC_OK)
        rc = http_body_json(req, false, &body, e);
    if (rc == RC_OK)
        rc = row_read(body, &row, e);
    if (rc == RC_OK)
        rc = rest_begin(app, req, "switch_put", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = db_switch_put(tx, client_id, &row, req->principal, e);
    if (rc == RC_OK)
        rc = db_switch_release(tx, client_id, row.scope, row.key, &released, e);
    if (rc == RC_OK)
        rc = rest_audit(tx, req, client_id, "switch_put", body, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    return rc == RC_OK ? answer(reply, 200, row.scope, row.key, released, e) : rc;
}

enum rc switch_delete(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    static const char *const QUERY[] = { "scope", "key", NULL };
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    const char *client_id = NULL;
    char scope[16];
    char key[sizeof((struct switch_row *)0)->key];
    int64_t released = 0;
    enum rc rc = http_query_check(req, QUERY, e);

    if (rc != RC_OK)
        return rc;
    if (!http_query(req, "scope", scope, sizeof scope))
        return err_field(e, "scope", "must be category, product or sku");
    if (!http_query(req, "key", key, sizeof key))
        return err_field(e, "key", "names the category, the product or the SKU");

    json_auto_t *detail = json_pack("{s:s, s:s}", "scope", scope, "key", key);

    rc = rest_begin(app, req, "switch_delete", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = db_switch_delete(tx, client_id, scope, key, e);
    if (rc == RC_OK)
        rc = db_switch_release(tx, client_id, scope, key, &released, e);
    if (rc == RC_OK)
        rc = rest_audit(tx, req, client_id, "switch_deleted", detail, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    return rc == RC_OK ? answer(reply, 200, scope, key, released, e) : rc;
}
