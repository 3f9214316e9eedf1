/* shops.c - the TikTok shops of a merchant. */
#include "rest.h"

#include "db_grant.h"
#include "db_rest.h"

enum rc shops_list(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    OWN_LIST struct rest_list list = { 0 };
    struct rest_page page;
    const char *client_id = NULL;
    enum rc rc = rest_page_read(req, NULL, &page, e);

    if (rc == RC_OK)
        rc = rest_begin(app, req, "shops_list", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = db_rest_shops(tx, client_id, page.cursor, page.limit, &list, e);
    return rc == RC_OK ? rest_page_reply(reply, req, list.items, list.next, e) : rc;
}

enum rc shop_delete(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    struct app *app = user;
    const char *shop_id = http_param(req, "shop_id");
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *detail = json_pack("{s:s}", "shop_id", shop_id);
    const char *client_id = NULL;
    enum rc rc = rest_no_query(req, e);

    if (rc == RC_OK)
        rc = rest_begin(app, req, "shop_delete", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = db_shop_disconnect(tx, client_id, shop_id, e);
    if (rc == RC_OK)
        rc = rest_audit(tx, req, client_id, "shop_disconnected", detail, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc == RC_OK)
        reply->status = 204;
    return rc;
}
