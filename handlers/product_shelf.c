/* product_shelf.c - an operator takes single products off sale, puts them back, deletes them at TikTok. */
#include "once.h"
#include "rest.h"

#include "db_account.h"
#include "db_job.h"
#include "db_product.h"
#include "db_shelf.h"
#include "str.h"

static enum rc job_put(struct db_tx *tx, const char *client_id, const char *shop_id,
                       const char *kind, const char *entity, struct err *e)
{
    const struct db_job_key key = { .client_id = client_id,
                                    .shop_id = shop_id,
                                    .kind = kind,
                                    .entity = entity,
                                    .lane = LANE_CATALOG };

    return db_job_put(tx, &key, e);
}

/* Publishing leaves what is on sale as it is; whatever else is asked for is decided by the operator from now on. */
static enum rc set(struct db_tx *tx, const char *client_id, const char *shop_id,
                   const char *source_id, const char *shelf, bool publish, struct err *e)
{
    struct shelf_state now;
    bool due = false;
    enum rc rc = db_shelf_get(tx, shop_id, source_id, &now, e);

    if (rc != RC_OK)
        return rc;
    if (!publish || !str_eq(now.shelf, shelf) || str_eq(now.status, "deleted"))
        rc = db_shelf_set(tx, client_id, shop_id, source_id, shelf, "operator", &due, e);
    if (rc == RC_OK && due)
        rc = job_put(tx, client_id, shop_id, "product_shelf", "", e);
    if (rc == RC_OK && str_eq(shelf, SHELF_ON))
        rc = job_put(tx, client_id, shop_id, "product_publish", source_id, e);
    return rc;
}

/* The product must be the client's, and its shop connected. */
static enum rc find(struct db_tx *tx, const char *client_id, const char *source_id,
                    struct shop *shop, struct err *e)
{
    json_auto_t *doc = NULL;
    enum rc rc = db_product_show(tx, client_id, source_id, false, &doc, e);

    if (rc != RC_OK)
        return rc;
    rc = db_shop_primary(tx, client_id, shop, e);
    return rc == RC_NOT_FOUND
               ? err_http(e, 409, "no_connected_shop", "the client has no connected TikTok shop")
               : rc;
}

static enum rc act(struct app *app, struct http_req *req, struct http_reply *reply,
                   const char *shelf, const char *action, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *doc = NULL;
    struct shop shop = { 0 };
    struct once once = { 0 };
    const char *client_id = NULL;
    const char *source_id = http_param(req, "source_id");
    bool publish = str_eq(action, "product_publish");
    enum rc rc = rest_no_query(req, e);

    if (rc == RC_OK)
        rc = rest_begin(app, req, action, &client_id, &tx, e);
    if (rc == RC_OK)
        rc = once_begin(tx, req, client_id, &once, reply, e);
    if (rc != RC_OK || once.answered)
        return rc;
    rc = rest_no_body(req, e);
    if (rc == RC_OK)
        rc = find(tx, client_id, source_id, &shop, e);
    if (rc == RC_OK && publish)
        rc = db_prerequisites_forget(tx, shop.shop_id, e);
    if (rc == RC_OK)
        rc = set(tx, client_id, shop.shop_id, source_id, shelf, publish, e);
    if (rc == RC_OK)
        rc = db_product_show(tx, client_id, source_id, false, &doc, e);
    if (rc == RC_OK)
        rc = rest_audit(tx, req, client_id, action, NULL, e);
    if (rc == RC_OK)
        rc = http_reply_json(reply, 202, doc, e);
    return rc == RC_OK ? once_commit(tx, &once, reply, e) : rc;
}

enum rc product_publish_post(void *user, struct http_req *req, struct http_reply *reply,
                             struct err *e)
{
    return act(user, req, reply, SHELF_ON, "product_publish", e);
}

enum rc product_activate_post(void *user, struct http_req *req, struct http_reply *reply,
                              struct err *e)
{
    return act(user, req, reply, SHELF_ON, "product_activate", e);
}

enum rc product_deactivate_post(void *user, struct http_req *req, struct http_reply *reply,
                                struct err *e)
{
    return act(user, req, reply, SHELF_OFF, "product_deactivate", e);
}

enum rc product_delete_post(void *user, struct http_req *req, struct http_reply *reply,
                            struct err *e)
{
    return act(user, req, reply, SHELF_GONE, "product_delete", e);
}
