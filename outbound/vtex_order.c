/* vtex_order.c - VTEX's side of an order: look up, simulate, place, authorize; one function per call. */
#include "vtex_order.h"

#include "vtex_invoice.h"

#include "jspec.h"
#include "str.h"

#include <string.h>

#define VTEX_SLOW_MS 60000 /* simulation and placement */

static void reply_own(struct vtex_reply *reply)
{
    vtex_reply_done(reply);
}
#define OWN_REPLY __attribute__((cleanup(reply_own)))

enum vtex_stage vtex_order_stage(const char *status)
{
    static const struct {
        const char *status;
        enum vtex_stage stage;
    } table[] = {
        { "waiting-for-manual-authorization", VTEX_STAGE_MANUAL },
        { "authorize-fulfillment", VTEX_STAGE_GOING },
        { "approve-payment", VTEX_STAGE_GOING },
        { "payment-approved", VTEX_STAGE_GOING },
        { "window-to-cancel", VTEX_STAGE_GOING },
        { "ready-for-handling", VTEX_STAGE_GOING },
        { "start-handling", VTEX_STAGE_GOING },
        { "handling", VTEX_STAGE_GOING },
        { "waiting-for-fulfillment", VTEX_STAGE_GOING },
        { "ready-for-invoicing", VTEX_STAGE_GOING },
        { "invoice", VTEX_STAGE_GOING },
        { "invoiced", VTEX_STAGE_GOING },
        { "invoice-after-cancellation-deny", VTEX_STAGE_GOING },
        { "replaced", VTEX_STAGE_GOING },
        { "cancellation-requested", VTEX_STAGE_CANCELLING },
        { "request-cancel", VTEX_STAGE_CANCELLING },
        { "cancel", VTEX_STAGE_CANCELLING },
        { "canceled", VTEX_STAGE_CANCELLED },
        { "order-create-error", VTEX_STAGE_ERROR },
        { "order-creation-error", VTEX_STAGE_ERROR },
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (str_eq(status, table[i].status))
            return table[i].stage;
    }
    return VTEX_STAGE_WAITING;
}

enum rc vtex_order_id(const struct vtex_session *s, const char *tiktok_order_id, char out[96],
                      struct err *e)
{
    if (s->affiliate_id[0] == '\0')
        return err_code(e, RC_INVALID, "affiliate_missing", "the client has no VTEX affiliate id");
    if (!str_fmt(out, 96, "%s-%s", s->affiliate_id, tiktok_order_id))
        return err_set(e, RC_INVALID, "order id is too long");
    return RC_OK;
}

/* Hides what VTEX may repeat of the buyer: long numbers, however they are written, and e-mail addresses. */
static void text_mask(char *text)
{
    static const char of_number[] = "0123456789.-/()+";
    char *at = text;

    while (*at) {
        size_t word = strcspn(at, " ");
        size_t run = strspn(at, of_number);
        size_t digits = 0;

        for (size_t i = 0; i < run; i++)
            digits += at[i] >= '0' && at[i] <= '9';
        if (digits >= 8)
            memset(at, '*', run);
        else if (memchr(at, '@', word))
            memset(at, '*', run = word);
        at += run > 0 ? run : 1;
    }
}

static void refusal_read(const struct vtex_reply *reply, struct vtex_refusal *refusal)
{
    if (!refusal)
        return;
    *refusal = (struct vtex_refusal){ 0 };
    str_copy_cut(refusal->code, sizeof refusal->code, reply->error_code);
    str_copy_cut(refusal->error_class, sizeof refusal->error_class, reply->error_class);
    str_copy_cut(refusal->text, sizeof refusal->text, reply->error_text);
    text_mask(refusal->text);
}

/* Invoices and requests to cancel of an order document. */
static void order_sides_read(const json_t *body, struct vtex_order *out)
{
    const json_t *packages = jspec_get(body, "packageAttachment.packages");
    const json_t *requests = jspec_get(body, "cancellationRequests");
    const json_t *last = json_array_get(requests, json_array_size(requests) - 1);

    for (size_t i = 0; i < json_array_size(packages); i++)
        out->has_invoices =
            out->has_invoices || !str_eq(jspec_text(json_array_get(packages, i), "type"), "Input");
    out->invoiced = str_eq(out->status, "invoiced") || str_eq(out->status, "invoice");
    out->cancel_denied = json_array_size(requests) > 0 && jspec_bool(last, "deniedBySeller", false);
    out->cancel_pending = json_array_size(requests) > 0 && !out->cancel_denied;
    str_copy_cut(out->cancel_reason, sizeof out->cancel_reason,
                 jspec_text(body, "cancelReason") ? jspec_text(body, "cancelReason") : "");
    text_mask(out->cancel_reason);
}

enum rc vtex_order_get(struct vtex_session *s, const char *vtex_order_id,
                       const char *tiktok_order_id, struct vtex_order *out, struct err *e)
{
    json_auto_t *document = NULL;
    struct vtex_order got = { 0 };
    enum rc rc = vtex_order_document(s, vtex_order_id, tiktok_order_id, &document, e);

    if (rc != RC_OK)
        return rc;
    if (!str_copy(got.order_id, sizeof got.order_id, jspec_text(document, "orderId")))
        return err_set(e, RC_DOWN, "VTEX answered an order without its id");
    str_copy_cut(got.status, sizeof got.status, jspec_text(document, "status"));
    got.stage = vtex_order_stage(got.status);
    got.value_minor = jspec_int(document, "value", 0);
    order_sides_read(document, &got);
    *out = got;
    return RC_OK;
}

enum rc vtex_order_simulate(struct vtex_session *s, const char *tiktok_order_id, const json_t *cart,
                            json_t **answer, struct vtex_refusal *refusal, struct err *e)
{
    struct vtex_req req = { .operation = "simulateCart",
                            .method = "POST",
                            .path = "/api/checkout/pub/orderForms/simulation",
                            .entity = tiktok_order_id,
                            .query = { { "sc", s->sales_channel },
                                       { "affiliateId", s->affiliate_id } },
                            .body = cart,
                            .total_ms = VTEX_SLOW_MS };
    OWN_REPLY struct vtex_reply reply = { 0 };
    enum rc rc = vtex_call(s, &req, &reply, e);

    refusal_read(&reply, refusal);
    if (rc != RC_OK)
        return rc;
    if (!json_is_object(reply.body))
        return err_set(e, RC_DOWN, "VTEX answered a simulation without a body");
    *answer = json_incref(reply.body);
    return RC_OK;
}

/* The order id in the answer: of element 0 of an array, or of a bare object. */
static const char *placed_id(const json_t *body)
{
    return jspec_text(json_is_array(body) ? json_array_get(body, 0) : body, "orderId");
}

enum rc vtex_order_place(struct vtex_session *s, const char *tiktok_order_id, const json_t *order,
                         char vtex_order_id[96], struct vtex_refusal *refusal, struct err *e)
{
    json_auto_t *body = json_pack("[O]", order);
    struct vtex_req req = { .operation = "placeFulfillmentOrder",
                            .method = "POST",
                            .path = "/api/fulfillment/pvt/orders",
                            .writes = true,
                            .entity = tiktok_order_id,
                            .query = { { "sc", s->sales_channel },
                                       { "affiliateId", s->affiliate_id } },
                            .body = body,
                            .total_ms = VTEX_SLOW_MS };
    OWN_REPLY struct vtex_reply reply = { 0 };
    enum rc rc;

    if (!body)
        return err_set(e, RC_DOWN, "out of memory");
    rc = vtex_call(s, &req, &reply, e);
    refusal_read(&reply, refusal);
    if (rc == RC_NOT_FOUND)
        return err_set(e, RC_INVALID, "VTEX has no placement route for this account");
    if (rc != RC_OK)
        return rc;
    if (!str_copy(vtex_order_id, 96, placed_id(reply.body)) || vtex_order_id[0] == '\0')
        return err_set(e, RC_UNSURE, "VTEX answered a placement without an order id");
    return RC_OK;
}

enum rc vtex_order_authorize(struct vtex_session *s, const char *vtex_order_id,
                             const char *tiktok_order_id, struct vtex_refusal *refusal,
                             struct err *e)
{
    json_auto_t *body = json_pack("{s:s}", "marketplaceOrderId", tiktok_order_id);
    OWN_REPLY struct vtex_reply reply = { 0 };
    OWN_BUF struct buf path = { 0 };
    enum rc rc;

    buf_init(&path, 512);
    buf_str(&path, "/api/fulfillment/pvt/orders/");
    str_url_encode(&path, vtex_order_id);
    buf_str(&path, "/fulfill");
    if (!body || buf_check(&path, e) != RC_OK)
        return err_set(e, RC_DOWN, "out of memory");
    struct vtex_req req = { .operation = "authorizeDispatch",
                            .method = "POST",
                            .path = buf_text(&path),
                            .writes = true,
                            .entity = tiktok_order_id,
                            .query = { { "sc", s->sales_channel },
                                       { "affiliateId", s->affiliate_id } },
                            .body = body };

    rc = vtex_call(s, &req, &reply, e);
    refusal_read(&reply, refusal);
    if (rc == RC_OK && !jspec_text(reply.body, "orderId"))
        return err_set(e, RC_UNSURE, "VTEX answered an authorization without an order id");
    return rc;
}

enum rc vtex_order_cancel(struct vtex_session *s, const char *vtex_order_id,
                          const char *tiktok_order_id, const char *reason, bool by_buyer,
                          struct vtex_refusal *refusal, struct err *e)
{
    json_auto_t *body = json_pack("{s:s, s:b}", "reason", reason, "requestedByUser", by_buyer);
    OWN_REPLY struct vtex_reply reply = { 0 };
    OWN_BUF struct buf path = { 0 };
    enum rc rc;

    buf_init(&path, 512);
    buf_str(&path, "/api/oms/pvt/orders/");
    str_url_encode(&path, vtex_order_id);
    buf_str(&path, "/cancel");
    if (!body || buf_check(&path, e) != RC_OK)
        return err_set(e, RC_DOWN, "out of memory");
    struct vtex_req req = { .operation = "cancelOrder",
                            .method = "POST",
                            .path = buf_text(&path),
                            .writes = true,
                            .entity = tiktok_order_id,
                            .body = body };

    rc = vtex_call(s, &req, &reply, e);
    refusal_read(&reply, refusal);
    return rc;
}
