/* orders.c - TikTok orders, where they stand in VTEX, and SKUs that nothing explains yet. */
#include "once.h"
#include "rest.h"

#include "db_account.h"
#include "db_order.h"
#include "jspec.h"
#include "str.h"

#include <string.h>

enum rc orders_list(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    static const char *const QUERY[] = { "state", "from", "to", "q", NULL };
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *items = NULL;
    struct rest_page page;
    struct order_filter filter = { 0 };
    const char *client_id = NULL;
    char state[32];
    char from[48];
    char to[48];
    char q[128];
    char next[160];
    enum rc rc = rest_page_read(req, QUERY, &page, e);

    if (rc == RC_OK)
        rc = rest_query(req, "state", state, sizeof state, &filter.state, e);
    if (rc == RC_OK)
        rc = rest_query(req, "from", from, sizeof from, &filter.from, e);
    if (rc == RC_OK)
        rc = rest_query(req, "to", to, sizeof to, &filter.to, e);
    if (rc == RC_OK)
        rc = rest_query(req, "q", q, sizeof q, &filter.q, e);
    if (rc == RC_OK)
        rc = rest_begin(app, req, "orders_list", &client_id, &tx, e);
    if (rc != RC_OK)
        return rc;
    filter.cursor = page.cursor[0] != '\0' ? page.cursor : NULL;
    filter.limit = page.limit;
    rc = db_order_list(tx, client_id, &filter, &items, next, e);
    return rc == RC_OK ? rest_page_reply(reply, req, items, next, e) : rc;
}

enum rc order_get(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *doc = NULL;
    const char *client_id = NULL;
    enum rc rc = rest_no_query(req, e);

    if (rc == RC_OK)
        rc = rest_begin(app, req, "order_get", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = db_order_get_json(tx, client_id, http_param(req, "order_id"), &doc, e);
    return rc == RC_OK ? http_reply_json(reply, 200, doc, e) : rc;
}

/* Shop of the order; with may_be_new the client's primary shop for an id that is not known yet. */
static enum rc shop_of_order(struct db_tx *tx, const char *client_id, const char *order_id,
                             bool may_be_new, char shop_id[72], struct err *e)
{
    struct shop shop = { 0 };
    enum rc rc = db_order_shop(tx, client_id, order_id, shop_id, e);

    if (rc != RC_NOT_FOUND || !may_be_new)
        return rc;
    if (!str_digits(order_id) || strlen(order_id) > 40)
        return err_code(e, RC_NOT_FOUND, "not_found", "there is no such order");
    rc = db_shop_primary(tx, client_id, &shop, e);
    if (rc == RC_NOT_FOUND)
        return err_http(e, 409, "no_connected_shop", "the client has no connected TikTok shop");
    if (rc == RC_OK)
        (void)str_copy(shop_id, 72, shop.shop_id);
    return rc;
}

/* Asks for the order to be read from TikTok and brought on. */
static enum rc ask_for_order(struct app *app, struct http_req *req, struct http_reply *reply,
                             bool may_be_new, const char *action, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    const char *order_id = http_param(req, "order_id");
    json_auto_t *answer = json_pack("{s:s, s:s}", "order_id", order_id, "status", "queued");
    json_auto_t *detail = json_pack("{s:s}", "order_id", order_id);
    const char *client_id = NULL;
    struct once once = { 0 };
    char shop_id[72];
    enum rc rc = rest_no_query(req, e);

    if (rc == RC_OK)
        rc = rest_begin(app, req, "order_import", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = once_begin(tx, req, client_id, &once, reply, e);
    if (rc != RC_OK || once.answered)
        return rc;
    rc = rest_no_body(req, e);
    if (rc == RC_OK)
        rc = shop_of_order(tx, client_id, order_id, may_be_new, shop_id, e);
    if (rc == RC_OK)
        rc = db_order_import_put(tx, client_id, shop_id, order_id, "operator", NULL, 0, e);
    if (rc == RC_OK)
        rc = rest_audit(tx, req, client_id, action, detail, e);
    if (rc != RC_OK)
        return rc;
    http_reply_header(reply, "Location", "/v1/clients/%s/orders/%s", client_id, order_id);
    rc = http_reply_json(reply, 202, answer, e);
    return rc == RC_OK ? once_commit(tx, &once, reply, e) : rc;
}

enum rc order_import_post(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    return ask_for_order(user, req, reply, true, "order_import", e);
}

enum rc order_resync_post(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    return ask_for_order(user, req, reply, false, "order_resync", e);
}

enum rc unlinked_skus_list(void *user, struct http_req *req, struct http_reply *reply,
                           struct err *e)
{
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *items = NULL;
    struct rest_page page;
    const char *client_id = NULL;
    char next[160];
    enum rc rc = rest_page_read(req, NULL, &page, e);

    if (rc == RC_OK)
        rc = rest_begin(app, req, "unlinked_skus", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = db_order_unlinked_list(tx, client_id, page.cursor, page.limit, &items, next, e);
    return rc == RC_OK ? rest_page_reply(reply, req, items, next, e) : rc;
}

enum rc unlinked_sku_put(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    static const struct jspec_field SPEC[] = {
        { .name = "vtex_sku_id", .type = JSPEC_TEXT, .required = true, .min = 1, .max = 40 },
        { 0 },
    };
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *body = NULL;
    json_auto_t *answer = NULL;
    const char *tiktok_sku_id = http_param(req, "tiktok_sku_id");
    const char *client_id = NULL;
    const char *vtex_sku_id = NULL;
    int64_t released = 0;
    enum rc rc = rest_no_query(req, e);

    if (rc == RC_OK)
        rc = http_body_json(req, false, &body, e);
    if (rc == RC_OK)
        rc = jspec_check(body, SPEC, e);
    if (rc != RC_OK)
        return rc;
    vtex_sku_id = jspec_text(body, "vtex_sku_id");
    if (!str_digits(vtex_sku_id))
        return err_field(e, "vtex_sku_id", "must be digits");
    rc = rest_begin(app, req, "unlinked_sku_put", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = db_order_unlinked_link(tx, client_id, tiktok_sku_id, vtex_sku_id, req->principal,
                                    &released, e);
    if (rc == RC_OK)
        rc = rest_audit(tx, req, client_id, "sku_linked", body, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc != RC_OK)
        return rc;
    answer = json_pack("{s:s, s:s, s:I}", "tiktok_sku_id", tiktok_sku_id, "vtex_sku_id",
                       vtex_sku_id, "released_orders", (json_int_t)released);
    return http_reply_json(reply, 200, answer, e);
}
