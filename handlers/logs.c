/* logs.c - what happened to products, prices, stock and orders, and who changed what. */
#include "rest.h"

#include "db_rest.h"
#include "str.h"

enum rc logs_list(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    static const char *const QUERY[] = { "entity", "run_id", NULL };
    static const char *const LOGS[] = {
        [REST_LOG_PRODUCT] = "product",
        [REST_LOG_PRICE] = "price",
        [REST_LOG_STOCK] = "stock",
        [REST_LOG_ORDER] = "order",
    };
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    OWN_LIST struct rest_list list = { 0 };
    struct rest_page page;
    struct logs_filter filter = { 0 };
    const char *client_id = NULL;
    char entity[256];
    char run_id[48];
    int log = 0;
    enum rc rc = rest_page_read(req, QUERY, &page, e);

    while (log <= REST_LOG_ORDER && !str_eq(http_param(req, "log"), LOGS[log]))
        log++;
    if (log > REST_LOG_ORDER)
        return err_code(e, RC_NOT_FOUND, "not_found", "there is no such log");
    if (rc == RC_OK)
        rc = rest_query(req, "entity", entity, sizeof entity, &filter.entity, e);
    if (rc == RC_OK)
        rc = rest_query(req, "run_id", run_id, sizeof run_id, &filter.run_id, e);
    if (rc == RC_OK)
        rc = rest_begin(app, req, "logs_list", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = db_rest_logs(tx, client_id, (enum rest_log)log, &filter, page.cursor, page.limit,
                          &list, e);
    return rc == RC_OK ? rest_page_reply(reply, req, list.items, list.next, e) : rc;
}

enum rc audit_list(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    OWN_LIST struct rest_list list = { 0 };
    struct rest_page page;
    const char *client_id = NULL;
    enum rc rc = rest_page_read(req, NULL, &page, e);

    if (rc == RC_OK)
        rc = rest_begin(app, req, "audit_list", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = db_rest_audit(tx, client_id, page.cursor, page.limit, &list, e);
    return rc == RC_OK ? rest_page_reply(reply, req, list.items, list.next, e) : rc;
}
