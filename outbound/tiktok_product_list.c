/* tiktok_product_list.c - the listing of all products of a shop, page by page. */
#include "tiktok_product.h"

#include <string.h>

#include "jspec.h"
#include "str.h"

#define CODE_TOO_MANY_RESULTS 12052180

static enum rc body_new(const struct tiktok_window *window, json_t **out, struct err *e)
{
    json_auto_t *body = json_pack("{s:s}", "status", "ALL");
    int bad = body == NULL;

    if (window->from_s > 0)
        bad |= json_object_set_new(body, "create_time_ge", json_integer(window->from_s));
    if (window->to_s > 0)
        bad |= json_object_set_new(body, "create_time_le", json_integer(window->to_s));
    if (bad != 0)
        return err_set(e, RC_BUG, "out of memory");
    *out = json_incref(body);
    return RC_OK;
}

static enum rc page_read(const struct tiktok_reply *reply, struct tiktok_page *out, struct err *e)
{
    json_t *products = json_object_get(reply->data, "products");
    const char *next = jspec_text(reply->data, "next_page_token");

    out->total = jspec_int(reply->data, "total_count", -1);
    if (next != NULL && !str_copy(out->next, sizeof out->next, next))
        return err_set(e, RC_INVALID, "page token is too long");
    out->products = json_is_array(products) ? json_incref(products) : json_array();
    return out->products != NULL ? RC_OK : err_set(e, RC_BUG, "out of memory");
}

enum rc tiktok_list_products(struct tiktok_session *s, const struct tiktok_window *window,
                             const char *token, struct tiktok_page *out, struct err *e)
{
    json_auto_t *body = NULL;
    struct tiktok_page page = { 0 };
    struct tiktok_reply reply = { 0 };
    enum rc rc = body_new(window, &body, e);

    if (rc != RC_OK)
        return rc;

    const struct tiktok_req req = {
        .operation = "search_products",
        .method = "POST",
        .path = "/product/202502/products/search",
        .with_cipher = true,
        .query = { { "page_size", "100" }, { "page_token", token } },
        .body = body,
    };

    rc = tiktok_call(s, &req, &reply, e);
    if (rc == RC_INVALID && reply.code == CODE_TOO_MANY_RESULTS) {
        page.too_many = true;
        page.products = json_array();
        rc = page.products != NULL ? RC_OK : err_set(e, RC_BUG, "out of memory");
    } else if (rc == RC_OK) {
        rc = page_read(&reply, &page, e);
    }
    tiktok_reply_done(&reply);
    if (rc == RC_OK)
        *out = page;
    return rc;
}
