/* products.c - what the merchant wants listed and what TikTok acknowledged. */
#include "rest.h"

#include "db_product.h"
#include "jspec.h"
#include "str.h"

/* "target=sandbox" shows what stands in the client's test shop. */
static enum rc read_target(const struct http_req *req, bool *sandbox, struct err *e)
{
    char target[16];

    *sandbox = false;
    if (!http_query(req, "target", target, sizeof target))
        return RC_OK;
    if (!str_eq(target, "live") && !str_eq(target, "sandbox"))
        return err_field(e, "target", "must be live or sandbox");
    *sandbox = str_eq(target, "sandbox");
    return RC_OK;
}

static const char *const TARGET_QUERY[] = { "target", NULL };

enum rc products_list(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    static const char *const QUERY[] = { "status", "q", "target", NULL };
    static const char *const STATUSES[] = { "waiting",     "publishing", "in_review",
                                            "live",        "rejected",   "held",
                                            "deactivated", "deleted",    NULL };
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *items = NULL;
    struct rest_page page;
    const char *client_id = NULL;
    const char *status = NULL;
    const char *q = NULL;
    char status_text[32];
    char q_text[256];
    char next[256];
    bool known = false;
    bool sandbox = false;
    enum rc rc = rest_page_read(req, QUERY, &page, e);

    if (rc == RC_OK)
        rc = read_target(req, &sandbox, e);

    if (rc == RC_OK)
        rc = rest_query(req, "status", status_text, sizeof status_text, &status, e);
    if (rc == RC_OK)
        rc = rest_query(req, "q", q_text, sizeof q_text, &q, e);
    for (int i = 0; status != NULL && STATUSES[i] != NULL; i++)
        known = known || str_eq(status, STATUSES[i]);
    if (rc == RC_OK && status != NULL && !known)
        return err_field(e, "status", "is not a status of a product");
    if (rc == RC_OK)
        rc = rest_begin(app, req, "products_list", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = db_product_list(tx, client_id, status, q, page.cursor, sandbox, page.limit, &items,
                             next, e);
    return rc == RC_OK ? rest_page_reply(reply, req, items, next, e) : rc;
}

enum rc product_get(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *doc = NULL;
    const char *client_id = NULL;
    bool sandbox = false;
    enum rc rc = http_query_check(req, TARGET_QUERY, e);

    if (rc == RC_OK)
        rc = read_target(req, &sandbox, e);

    if (rc == RC_OK)
        rc = rest_begin(app, req, "product_get", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = db_product_show(tx, client_id, http_param(req, "source_id"), sandbox, &doc, e);
    return rc == RC_OK ? http_reply_json(reply, 200, doc, e) : rc;
}

enum rc sku_explain_get(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *doc = NULL;
    const char *client_id = NULL;
    bool sandbox = false;
    enum rc rc = http_query_check(req, TARGET_QUERY, e);

    if (rc == RC_OK)
        rc = read_target(req, &sandbox, e);

    if (rc == RC_OK)
        rc = rest_begin(app, req, "sku_explain", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = db_sku_explain(tx, client_id, http_param(req, "seller_sku"), sandbox, &doc, e);
    return rc == RC_OK ? http_reply_json(reply, 200, doc, e) : rc;
}
