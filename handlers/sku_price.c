/* sku_price.c - a person lets a price go that the client's limit for jumps holds back. */
#include "rest.h"

#include "db_values.h"

enum rc sku_price_approve_post(void *user, struct http_req *req, struct http_reply *reply,
                               struct err *e)
{
    struct app *app = user;
    const char *seller_sku = http_param(req, "seller_sku");
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *answer = NULL;
    json_auto_t *detail = NULL;
    const char *client_id = NULL;
    int64_t n = 0;
    enum rc rc = http_query_check(req, NULL, e);

    if (rc == RC_OK)
        rc = rest_begin(app, req, "price_approve", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = db_value_approve(tx, client_id, "", seller_sku, &n, e);
    if (rc == RC_OK && n == 0)
        return err_http(e, 409, "no_held_price", "no price of this SKU is held");
    detail = json_pack("{s:s}", "seller_sku", seller_sku);
    if (rc == RC_OK)
        rc = db_audit(tx, client_id, req->principal, "price_approved", detail, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc != RC_OK)
        return rc;
    answer = json_pack("{s:s, s:I}", "seller_sku", seller_sku, "approved", (json_int_t)n);
    return http_reply_json(reply, 202, answer, e);
}
