/* tiktok_product_read.c - reading from TikTok Shop: products, shop setup, warehouses. */
#include "tiktok_product.h"

#include <string.h>

#include "jspec.h"
#include "str.h"

#define LIMIT_SEARCH_PAGES 20
#define LIMIT_SEARCH_SKUS 10

static bool no_such_product(int64_t code)
{
    return code == 12019150 || code == 12052032 || code == 12052048 || code == 12052260;
}

enum rc tiktok_get_product(struct tiktok_session *s, const char *product_id, bool under_review,
                           json_t **product, char request_id[TIKTOK_REQUEST_ID_BYTES],
                           struct err *e)
{
    char path[160];
    struct tiktok_reply reply = { 0 };

    if (!str_digits(product_id) ||
        !str_fmt(path, sizeof(path), "/product/202309/products/%s", product_id))
        return err_set(e, RC_NOT_FOUND, "not a TikTok product id");

    const struct tiktok_req req = {
        .operation = "get_product",
        .method = "GET",
        .path = path,
        .with_cipher = true,
        .entity = product_id,
        .query = { { "return_under_review_version", under_review ? "true" : NULL } },
    };
    enum rc rc = tiktok_call(s, &req, &reply, e);

    if (request_id != NULL)
        str_copy_cut(request_id, TIKTOK_REQUEST_ID_BYTES, reply.request_id);
    if (rc == RC_OK && !json_is_object(reply.data))
        rc = err_set(e, RC_NOT_FOUND, "TikTok gave no product");
    else if (rc == RC_OK)
        *product = json_incref(reply.data);
    else if (rc == RC_INVALID && no_such_product(reply.code))
        rc = err_code(e, RC_NOT_FOUND, "no_such_product", "TikTok does not have the product");
    tiktok_reply_done(&reply);
    return rc;
}

static enum rc search_page(struct tiktok_session *s, const json_t *body, const char *token,
                           json_t *all, char next[512], struct err *e)
{
    const struct tiktok_req req = {
        .operation = "search_products",
        .method = "POST",
        .path = "/product/202502/products/search",
        .with_cipher = true,
        .query = { { "page_size", "100" }, { "page_token", token } },
        .body = body,
    };
    struct tiktok_reply reply = { 0 };
    enum rc rc = tiktok_call(s, &req, &reply, e);

    next[0] = '\0';
    if (rc == RC_OK) {
        json_t *products = json_object_get(reply.data, "products");
        const char *after = jspec_text(reply.data, "next_page_token");

        if (json_is_array(products) && json_array_extend(all, products) != 0)
            rc = err_set(e, RC_BUG, "out of memory");
        else if (after != NULL && !str_copy(next, 512, after))
            rc = err_set(e, RC_INVALID, "page token is too long");
    }
    tiktok_reply_done(&reply);
    return rc;
}

enum rc tiktok_search_products(struct tiktok_session *s, const char *const *seller_skus, size_t n,
                               json_t **products, struct err *e)
{
    json_auto_t *body = json_object();
    json_auto_t *list = json_array();
    json_auto_t *all = json_array();
    char token[512] = "";
    char next[512] = "";

    if (n == 0 || n > LIMIT_SEARCH_SKUS)
        return err_set(e, RC_BUG, "search takes 1 to %d seller SKUs", LIMIT_SEARCH_SKUS);
    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(list, json_string(seller_skus[i]));
    if (body == NULL || all == NULL || json_array_size(list) != n ||
        json_object_set_new(body, "status", json_string("ALL")) != 0 ||
        json_object_set(body, "seller_skus", list) != 0)
        return err_set(e, RC_BUG, "out of memory");

    for (int page = 0; page < LIMIT_SEARCH_PAGES; page++) {
        enum rc rc = search_page(s, body, token, all, next, e);

        if (rc != RC_OK)
            return rc;
        if (next[0] == '\0' || strcmp(next, token) == 0)
            break;
        memcpy(token, next, sizeof(token));
    }
    *products = json_incref(all);
    return RC_OK;
}

static enum rc failed_read(const json_t *data, json_t **failed, struct err *e)
{
    json_auto_t *list = json_array();
    const json_t *results = jspec_get(data, "check_results");

    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *one = json_array_get(results, i);
        const char *item = jspec_text(one, "check_item");
        json_t *reasons = json_object_get(one, "fail_reasons");

        if (!jspec_bool(one, "is_failed", false))
            continue;
        json_t *row = json_pack("{s:s, s:o}", "item", item ? item : "", "reasons",
                                json_is_array(reasons) ? json_incref(reasons) : json_array());
        if (json_array_append_new(list, row) != 0)
            return err_set(e, RC_BUG, "out of memory");
    }
    *failed = json_incref(list);
    return RC_OK;
}

enum rc tiktok_check_prerequisites(struct tiktok_session *s, json_t **failed, struct err *e)
{
    const struct tiktok_req req = {
        .operation = "check_listing_prerequisites",
        .method = "GET",
        .path = "/product/202312/prerequisites",
        .with_cipher = true,
    };
    struct tiktok_reply reply = { 0 };
    enum rc rc = tiktok_call(s, &req, &reply, e);

    if (rc == RC_OK)
        rc = failed_read(reply.data, failed, e);
    tiktok_reply_done(&reply);
    return rc;
}

static enum rc warehouse_pick(const json_t *data, char out[TIKTOK_ID_BYTES], struct err *e)
{
    const json_t *list = jspec_get(data, "warehouses");
    char chosen[TIKTOK_ID_BYTES] = "";
    bool chosen_default = false;

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        bool is_default = jspec_bool(one, "is_default", false);
        char id[TIKTOK_ID_BYTES];

        jspec_id(one, "id", id);
        if (id[0] == '\0' || !str_ieq(jspec_text(one, "type"), "SALES_WAREHOUSE") ||
            str_ieq(jspec_text(one, "effect_status"), "DISABLED"))
            continue;
        if (chosen[0] == '\0' || (is_default && !chosen_default)) {
            memcpy(chosen, id, sizeof(chosen));
            chosen_default = is_default;
        }
    }
    if (chosen[0] == '\0')
        return err_code(e, RC_NOT_FOUND, "no_warehouse", "the shop has no enabled sales warehouse");
    memcpy(out, chosen, sizeof(chosen));
    return RC_OK;
}

enum rc tiktok_default_warehouse(struct tiktok_session *s, char out[TIKTOK_ID_BYTES], struct err *e)
{
    const struct tiktok_req req = {
        .operation = "get_warehouse_list",
        .method = "GET",
        .path = "/logistics/202309/warehouses",
        .with_cipher = true,
    };
    struct tiktok_reply reply = { 0 };
    enum rc rc = tiktok_call(s, &req, &reply, e);

    if (rc == RC_OK)
        rc = warehouse_pick(reply.data, out, e);
    tiktok_reply_done(&reply);
    return rc;
}
