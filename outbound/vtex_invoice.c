/* vtex_invoice.c - reads an order with its invoices from VTEX and tells VTEX where the parcels are. */
#include "vtex_invoice.h"

#include "jspec.h"
#include "str.h"

static void reply_own(struct vtex_reply *reply)
{
    vtex_reply_done(reply);
}
#define OWN_REPLY __attribute__((cleanup(reply_own)))

enum rc vtex_order_document(struct vtex_session *s, const char *vtex_order_id,
                            const char *tiktok_order_id, json_t **order, struct err *e)
{
    OWN_REPLY struct vtex_reply reply = { 0 };
    OWN_BUF struct buf path = { 0 };
    char market_id[JSPEC_ID_BYTES];
    enum rc rc;

    buf_init(&path, 512);
    buf_str(&path, "/api/oms/pvt/orders/");
    str_url_encode(&path, vtex_order_id);
    rc = buf_check(&path, e);
    if (rc != RC_OK)
        return rc;
    struct vtex_req req = {
        .operation = "getOrder", .method = "GET", .path = buf_text(&path), .entity = tiktok_order_id
    };

    rc = vtex_call(s, &req, &reply, e);
    if (rc != RC_OK)
        return rc;
    jspec_id(reply.body, "marketplaceOrderId", market_id);
    if (market_id[0] != '\0' && !str_eq(market_id, tiktok_order_id))
        return err_code(e, RC_INVALID, "foreign_order",
                        "VTEX order %s belongs to another marketplace order", vtex_order_id);
    if (!json_is_object(reply.body))
        return err_set(e, RC_DOWN, "VTEX answered an order without a body");
    *order = json_incref(reply.body);
    return RC_OK;
}

/* A writing call about one invoice of an order. */
static enum rc invoice_write(struct vtex_session *s, const char *operation, const char *method,
                             const char *vtex_order_id, const char *invoice_number,
                             const char *after, const json_t *body, struct err *e)
{
    OWN_REPLY struct vtex_reply reply = { 0 };
    OWN_BUF struct buf path = { 0 };
    enum rc rc;

    buf_init(&path, 1024);
    buf_str(&path, "/api/oms/pvt/orders/");
    str_url_encode(&path, vtex_order_id);
    buf_str(&path, "/invoice/");
    str_url_encode(&path, invoice_number);
    buf_str(&path, after);
    rc = buf_check(&path, e);
    if (rc != RC_OK)
        return rc;
    if (body == NULL)
        return err_set(e, RC_DOWN, "out of memory");
    struct vtex_req req = { .operation = operation,
                            .method = method,
                            .path = buf_text(&path),
                            .writes = true,
                            .entity = vtex_order_id,
                            .body = body };

    return vtex_call(s, &req, &reply, e);
}

enum rc vtex_tracking_patch(struct vtex_session *s, const char *vtex_order_id,
                            const char *invoice_number, const char *tracking_number,
                            const char *courier, const char *dispatched_day, struct err *e)
{
    json_auto_t *body =
        json_pack("{s:s, s:n, s:s, s:s}", "trackingNumber", tracking_number, "trackingUrl",
                  "dispatchedDate", dispatched_day, "courier", courier);

    return invoice_write(s, "patchInvoiceTracking", "PATCH", vtex_order_id, invoice_number, "",
                         body, e);
}

enum rc vtex_tracking_events(struct vtex_session *s, const char *vtex_order_id,
                             const char *invoice_number, const json_t *body, struct err *e)
{
    return invoice_write(s, "putTrackingEvents", "PUT", vtex_order_id, invoice_number, "/tracking",
                         body, e);
}
