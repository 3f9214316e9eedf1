/* tiktok_order.c - reading orders of a TikTok shop: one in full, or pages of them by time of change. */
#include "tiktok_order.h"

#include "jspec.h"
#include "own.h"
#include "str.h"

static void reply_own(struct tiktok_reply *reply)
{
    tiktok_reply_done(reply);
}
#define OWN_REPLY __attribute__((cleanup(reply_own)))

enum rc tiktok_order_get(struct tiktok_session *s, const char *order_id, json_t **order,
                         char request_id[96], struct err *e)
{
    struct tiktok_req req = { .operation = "get_order_detail",
                              .method = "GET",
                              .path = "/order/202507/orders",
                              .with_cipher = true,
                              .entity = order_id,
                              .query = { { "ids", order_id } } };
    OWN_REPLY struct tiktok_reply reply = { 0 };
    const json_t *orders;
    enum rc rc = tiktok_call(s, &req, &reply, e);

    if (rc != RC_OK)
        return rc;
    orders = jspec_get(reply.data, "orders");
    for (size_t i = 0; i < json_array_size(orders); i++) {
        json_t *one = json_array_get(orders, i);
        char id[JSPEC_ID_BYTES];

        jspec_id(one, "id", id);
        if (!str_eq(id, order_id))
            continue;
        if (request_id)
            (void)str_copy(request_id, 96, reply.request_id);
        *order = json_incref(one);
        return RC_OK;
    }
    return err_code(e, RC_NOT_FOUND, "order_not_found",
                    "TikTok does not know order %s in this shop", order_id);
}

/* Filters of a search; only what was asked for. New reference or NULL. */
static json_t *search_body_new(const struct tiktok_order_search *search)
{
    json_t *body = json_object();
    int bad = body ? 0 : -1;

    if (search->status)
        bad |= json_object_set_new(body, "order_status", json_string(search->status));
    if (search->create_ge_s > 0)
        bad |= json_object_set_new(body, "create_time_ge", json_integer(search->create_ge_s));
    if (search->update_ge_s > 0)
        bad |= json_object_set_new(body, "update_time_ge", json_integer(search->update_ge_s));
    if (search->update_lt_s > 0)
        bad |= json_object_set_new(body, "update_time_lt", json_integer(search->update_lt_s));
    if (bad == 0)
        return body;
    json_decref(body);
    return NULL;
}

enum rc tiktok_order_search(struct tiktok_session *s, const struct tiktok_order_search *search,
                            json_t **orders, char **next, struct err *e)
{
    json_auto_t *body = search_body_new(search);
    struct tiktok_req req = { .operation = "get_order_list",
                              .method = "POST",
                              .path = "/order/202309/orders/search",
                              .with_cipher = true,
                              .query = { { "page_size", "100" },
                                         { "sort_field", "update_time" },
                                         { "sort_order", "ASC" },
                                         { "page_token", search->page_token } },
                              .body = body };
    OWN_REPLY struct tiktok_reply reply = { 0 };
    OWN_STR char *token = NULL;
    json_t *found;
    const char *text;
    enum rc rc;

    if (!body)
        return err_set(e, RC_BUG, "out of memory");
    rc = tiktok_call(s, &req, &reply, e);
    if (rc != RC_OK)
        return rc;
    text = jspec_text(reply.data, "next_page_token");
    if (text && text[0]) {
        token = str_dup(text);
        if (!token)
            return err_set(e, RC_BUG, "out of memory");
    }
    found = json_object_get(reply.data, "orders");
    found = json_is_array(found) ? json_incref(found) : json_array();
    if (!found)
        return err_set(e, RC_BUG, "out of memory");
    *orders = found;
    *next = own_take(&token);
    return RC_OK;
}
