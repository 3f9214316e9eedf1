/* shop_aftersale.c - cancellations and returns of a shop: reading, the seller's cancellation, answers. */
#include "state.h"

#include "jspec.h"
#include "str.h"

#include <stdlib.h>
#include <string.h>

#define ANSWER_S (48 * 3600)

static const char *const SELLER_REASONS[] = {
    "seller_cancel_reason_out_of_stock",
    "seller_cancel_paid_reason_buyer_requested_cancellation",
    "seller_cancel_paid_reason_address_not_deliver",
    "seller_cancel_unpaid_reason_out_of_stock",
    "seller_cancel_unpaid_reason_wrong_price",
    "seller_cancel_unpaid_reason_buyer_hasnt_paid_within_time_allowed",
    "seller_cancel_unpaid_reason_buyer_requested_cancellation",
    NULL
};
static const char *const REJECT_REASONS[] = { "seller_reject_apply_product_has_been_packed",
                                              "reverse_reject_request_reason_5",
                                              "seller_reject_apply_unable_to_change_address",
                                              NULL };

static bool listed(const char *text, const char *const *list)
{
    for (; *list != NULL; list++) {
        if (str_eq(text, *list))
            return true;
    }
    return false;
}

static bool is_cancellation(const json_t *doc)
{
    return json_object_get(doc, "cancel_id") != NULL;
}

static const char *status_of(const json_t *doc)
{
    return sbx_text(doc, is_cancellation(doc) ? "cancel_status" : "return_status");
}

static bool waits(const json_t *doc)
{
    return str_ends(status_of(doc), "PENDING") || str_eq(status_of(doc), "BUYER_SHIPPED_ITEM");
}

/* Tells the connector (webhook 11 or 12). */
static void tell(struct sandbox *sb, const struct sbx_shop *shop, const json_t *doc)
{
    bool cancels = is_cancellation(doc);
    json_t *data = sbx_need(json_object());

    sbx_set_text(data, "order_id", sbx_text(doc, "order_id"));
    sbx_set_text(data, cancels ? "cancellations_role" : "return_role", sbx_text(doc, "role"));
    sbx_set_text(data, cancels ? "cancel_status" : "return_status", status_of(doc));
    sbx_set_text(data, cancels ? "cancel_id" : "return_id",
                 sbx_text(doc, cancels ? "cancel_id" : "return_id"));
    sbx_set_int(data, "create_time", sbx_int(doc, "create_time"));
    if (!cancels) {
        sbx_set_text(data, "return_type", sbx_text(doc, "return_type"));
        sbx_set_int(data, "update_time", sbx_int(doc, "update_time"));
    }
    sbx_webhook(sb, shop, cancels ? 11 : 12, data);
}

static void move(struct sandbox *sb, const struct sbx_shop *shop, json_t *doc, const char *status)
{
    sbx_set_text(doc, is_cancellation(doc) ? "cancel_status" : "return_status", status);
    sbx_set_int(doc, "update_time", sbx_now_s());
    sbx_set(doc, "seller_next_action_response",
            waits(doc) ? sbx_need(json_pack("[{s:s,s:I}]", "action", "SELLER_RESPOND", "deadline",
                                            (json_int_t)(sbx_now_s() + ANSWER_S)))
                       : sbx_need(json_array()));
    tell(sb, shop, doc);
}

/* A request for the whole order. Lock held. */
static json_t *request_new(struct sandbox *sb, struct sbx_shop *shop, json_t *order,
                           const char *type, const char *role, const char *status)
{
    bool cancels = strstr(type, "CANCEL") != NULL;
    json_t *doc = sbx_need(json_object());
    json_t *lines = sbx_need(json_array());
    char id[32];
    size_t i;
    json_t *line;

    sbx_id(sb, false, id);
    sbx_set_text(doc, "order_id", sbx_text(order, "id"));
    sbx_set_text(doc, cancels ? "cancel_id" : "return_id", id);
    sbx_set_text(doc, cancels ? "cancel_type" : "return_type", type);
    sbx_set_text(doc, "role", role);
    sbx_set_text(doc, cancels ? "cancel_reason" : "return_reason",
                 cancels ? "ecom_order_to_ship_canceled_reason_created_by_mistake"
                         : "ecom_order_delivered_refund_and_return_reason_wrong_product");
    sbx_set_text(doc, cancels ? "cancel_reason_text" : "return_reason_text", "Comprei por engano");
    sbx_set_int(doc, "create_time", sbx_now_s());
    sbx_set(doc, "refund_amount",
            json_pack("{s:s,s:s}", "currency", "BRL", "refund_total",
                      sbx_text(json_object_get(order, "payment"), "total_amount")));
    json_array_foreach(json_object_get(order, "line_items"), i, line) sbx_append(
        lines, json_pack("{s:s,s:s,s:s}", "order_line_item_id", sbx_text(line, "id"), "sku_id",
                         sbx_text(line, "sku_id"), "seller_sku", sbx_text(line, "seller_sku")));
    sbx_set(doc, cancels ? "cancel_line_items" : "return_line_items", lines);
    sbx_set(shop->aftersales, id, doc);
    move(sb, shop, doc, status);
    return doc;
}

/* ---- reading ---------------------------------------------------------------------------------- */

static bool fits(const json_t *filter, const json_t *doc)
{
    const json_t *orders = json_object_get(filter, "order_ids");
    const json_t *from = json_object_get(filter, "update_time_ge");
    const json_t *to = json_object_get(filter, "update_time_lt");
    bool named = json_array_size(orders) == 0;
    size_t i;
    json_t *one;

    json_array_foreach(orders, i, one) named =
        named || str_eq(json_string_value(one), sbx_text(doc, "order_id"));
    return named && (from == NULL || sbx_int(doc, "update_time") >= json_integer_value(from)) &&
           (to == NULL || sbx_int(doc, "update_time") < json_integer_value(to));
}

static void search(struct sbx_call *c, bool cancels)
{
    json_t *page = sbx_need(json_array());
    size_t offset = 0, count = 0, n = 0;
    const char *id;
    json_t *doc;

    c->data = sbx_need(json_object());
    sbx_set(c->data, cancels ? "cancellations" : "return_orders", page);
    if (!sbx_page(c, &offset, &count))
        return;
    json_object_foreach(c->shop->aftersales, id, doc)
    {
        if (is_cancellation(doc) != cancels || !fits(c->body, doc))
            continue;
        if (n >= offset && n < offset + count)
            sbx_append(page, json_deep_copy(doc));
        n++;
    }
    sbx_page_next(c, offset, count, n);
}

void sbx_search_cancellations(struct sbx_call *c)
{
    search(c, true);
}

void sbx_search_returns(struct sbx_call *c)
{
    search(c, false);
}

void sbx_reject_reasons(struct sbx_call *c)
{
    json_t *list = sbx_need(json_array());

    c->data = sbx_need(json_object());
    sbx_set(c->data, "reasons", list);
    if (json_object_get(c->shop->aftersales, sbx_query(c, "return_or_cancel_id")) == NULL) {
        sbx_fail(c, 25007006, "Order not found.");
        return;
    }
    for (int i = 0; REJECT_REASONS[i] != NULL; i++)
        sbx_append(list,
                   json_pack("{s:s,s:s}", "name", REJECT_REASONS[i], "text", REJECT_REASONS[i]));
}

/* ---- cancelling and answering ------------------------------------------------------------------- */

static void order_end(struct sbx_call *c, json_t *order, const char *who, const char *reason)
{
    (void)sbx_order_move(c->sb, c->shop, order, "CANCELLED", NULL); /* a known status */
    sbx_set_text(order, "cancellation_initiator", who);
    sbx_set_text(order, "cancel_reason", reason);
}

void sbx_cancel_order(struct sbx_call *c)
{
    json_t *order = json_object_get(c->shop->orders, sbx_text(c->body, "order_id"));
    const char *status = sbx_text(order, "status");
    const char *reason = sbx_text(c->body, "cancel_reason");
    const char *id;
    json_t *doc;

    if (order == NULL) {
        sbx_fail(c, 25020005, "No permission to process this order");
        return;
    }
    json_object_foreach(c->shop->aftersales, id, doc)
    {
        if (str_eq(sbx_text(doc, "order_id"), sbx_text(order, "id")) && waits(doc)) {
            sbx_fail(c, 25001011,
                     "A return request is already in process, or the order has "
                     "already been cancelled.");
            return;
        }
    }
    if (str_eq(status, "CANCELLED") || str_eq(status, "COMPLETED"))
        sbx_fail(c, 25001051,
                 "Not allowed to return or cancel since order is completed or cancelled");
    else if (str_eq(status, "IN_TRANSIT") || str_eq(status, "DELIVERED") ||
             str_eq(status, "AWAITING_COLLECTION"))
        sbx_fail(c, 25001045,
                 "The order has already been shipped and we are unable to cancel "
                 "shipment with the courier.");
    else if (!listed(reason, SELLER_REASONS))
        sbx_fail(c, 25001014,
                 "Unknown return reason. Please ensure you are passing a valid return "
                 "reason.");
    else if (str_eq(status, "UNPAID") != (strstr(reason, "unpaid") != NULL))
        sbx_fail(c, 25001021, "Reason not match order status");
    if (c->code != 0)
        return;
    doc = request_new(c->sb, c->shop, order, "CANCEL", "SELLER", "CANCELLATION_REQUEST_SUCCESS");
    sbx_set_text(doc, "cancel_reason", reason);
    order_end(c, order, "SELLER", reason);
    c->data = sbx_need(json_pack("{s:s,s:s}", "cancel_id", sbx_text(doc, "cancel_id"),
                                 "cancel_status", "CANCELLATION_REQUEST_SUCCESS"));
}

/* The request of the path when it may be answered so; NULL after a failure, or when the key was used before. */
static json_t *answered(struct sbx_call *c, const char *parameter, bool approve)
{
    json_t *doc = json_object_get(c->shop->aftersales, http_param(c->req, parameter));
    const char *key = sbx_query(c, "idempotency_key");

    c->data = sbx_need(json_object());
    if (doc == NULL)
        sbx_fail(c, 25007006, "Order not found.");
    else if (key != NULL && json_object_get(c->shop->by_key, key) != NULL)
        return NULL;
    else if (!approve && !listed(sbx_text(c->body, "reject_reason"), REJECT_REASONS))
        sbx_fail(c, 25001014,
                 "Unknown return reason. Please ensure you are passing a valid return "
                 "reason.");
    else if (!waits(doc))
        sbx_fail(c, approve ? 25011012 : 25011011, "reverse status cannot %s application",
                 approve ? "approve" : "reject");
    if (c->code != 0)
        return NULL;
    if (key != NULL)
        sbx_set(c->shop->by_key, key, json_object());
    return doc;
}

void sbx_approve_cancellation(struct sbx_call *c)
{
    json_t *doc = answered(c, "cancel_id", true);

    if (doc == NULL)
        return;
    move(c->sb, c->shop, doc, "CANCELLATION_REQUEST_SUCCESS");
    order_end(c, json_object_get(c->shop->orders, sbx_text(doc, "order_id")), "BUYER",
              sbx_text(doc, "cancel_reason"));
}

void sbx_reject_cancellation(struct sbx_call *c)
{
    json_t *doc = answered(c, "cancel_id", false);

    if (doc != NULL)
        move(c->sb, c->shop, doc, "CANCELLATION_REQUEST_CANCELLED");
}

void sbx_approve_return(struct sbx_call *c)
{
    json_t *doc = answered(c, "return_id", true);

    if (doc != NULL)
        move(c->sb, c->shop, doc,
             str_eq(sbx_text(c->body, "decision"), "APPROVE_RETURN")
                 ? "AWAITING_BUYER_SHIP"
                 : "RETURN_OR_REFUND_REQUEST_SUCCESS");
}

void sbx_reject_return(struct sbx_call *c)
{
    json_t *doc = answered(c, "return_id", false);

    if (doc != NULL)
        move(c->sb, c->shop, doc,
             str_eq(sbx_text(c->body, "decision"), "REJECT_RECEIVED_PACKAGE")
                 ? "REJECT_RECEIVE_PACKAGE"
                 : "REFUND_OR_RETURN_REQUEST_REJECT");
}

/* ---- switch: the buyer asks --------------------------------------------------------------------- */

SBX_HANDLER(sbx_aftersales_post)
{
    static const char *const types[] = { "BUYER_CANCEL", "REFUND", "RETURN_AND_REFUND",
                                         "REPLACEMENT", NULL };
    struct sandbox *sb = user;
    json_auto_t *body = NULL;
    json_t *order = NULL;
    json_t *doc = NULL;
    enum rc rc = http_body_json(req, false, &body, e);

    if (rc != RC_OK)
        return rc;
    const char *type = sbx_text(body, "type");
    if (!listed(type, types))
        return err_field(e, "type", "is no kind of request");
    (void)pthread_mutex_lock(&sb->lock);
    for (int i = 0; i < sb->n_shops && doc == NULL; i++) {
        order = json_object_get(sb->shops[i].orders, http_param(req, "order_id"));
        if (order == NULL)
            continue;
        if (str_eq(type, "BUYER_CANCEL"))
            sbx_set(order, "is_buyer_request_cancel", json_true());
        sbx_set_int(order, "update_time", sbx_now_s());
        doc = request_new(sb, &sb->shops[i], order, type, "BUYER",
                          str_eq(type, "BUYER_CANCEL")  ? "CANCELLATION_REQUEST_PENDING"
                          : str_eq(type, "REPLACEMENT") ? "REPLACEMENT_REQUEST_PENDING"
                                                        : "RETURN_OR_REFUND_REQUEST_PENDING");
    }
    json_auto_t *answer = doc == NULL ? NULL : json_deep_copy(doc);
    (void)pthread_mutex_unlock(&sb->lock);
    if (answer == NULL)
        return err_set(e, RC_NOT_FOUND, "No shop has this order");
    return http_reply_json(reply, 201, answer, e);
}
