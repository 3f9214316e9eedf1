/* tiktok_better.c - asks TikTok Shop what would make listings better. */
#include "tiktok_better.h"

#include "jspec.h"
#include "str.h"

#define IDS_BYTES 1536 /* 20 ids of up to 63 characters and commas */

static const struct {
    const char *operation, *path, *scope;
} ASKS[] = {
    [TIKTOK_DIAGNOSIS] = { "product_information_issue_diagnosis",
                           "/product/202405/products/diagnoses", TIKTOK_SCOPE_OPTIMIZE },
    [TIKTOK_SEO_WORDS] = { "get_products_seo_words", "/product/202405/products/seo_words",
                           TIKTOK_SCOPE_BASIC },
    [TIKTOK_SUGGESTIONS] = { "get_recommended_product_title_and_description",
                             "/product/202405/products/suggestions", TIKTOK_SCOPE_OPTIMIZE },
};

const char *tiktok_better_operation(enum tiktok_better what)
{
    return ASKS[what].operation;
}

const char *tiktok_better_scope(enum tiktok_better what)
{
    return ASKS[what].scope;
}

/* Calls and gives the named list of the answer's data; an absent one is empty. */
static enum rc list_call(struct tiktok_session *s, const struct tiktok_req *req, const char *member,
                         json_t **out, char request_id[TIKTOK_REQUEST_ID_BYTES], struct err *e)
{
    struct tiktok_reply reply = { 0 };
    enum rc rc = tiktok_call(s, req, &reply, e);
    json_t *list = json_object_get(reply.data, member);

    str_copy_cut(request_id, TIKTOK_REQUEST_ID_BYTES, reply.request_id);
    if (rc == RC_OK) {
        list = json_is_array(list) ? json_incref(list) : json_array();
        if (list == NULL)
            rc = err_set(e, RC_DOWN, "out of memory for proposals");
        else
            *out = list;
    }
    tiktok_reply_done(&reply);
    return rc;
}

enum rc tiktok_better_ask(struct tiktok_session *s, enum tiktok_better what,
                          const char *const *product_ids, size_t n, json_t **products,
                          char request_id[TIKTOK_REQUEST_ID_BYTES], struct err *e)
{
    OWN_BUF struct buf ids;

    buf_init(&ids, IDS_BYTES);
    for (size_t i = 0; i < n; i++)
        buf_fmt(&ids, "%s%s", i > 0 ? "," : "", product_ids[i]);
    if (n == 0 || n > TIKTOK_BETTER_PRODUCTS || buf_check(&ids, NULL) != RC_OK)
        return err_set(e, RC_BUG, "%zu products asked about at once", n);

    const struct tiktok_req req = {
        .operation = ASKS[what].operation,
        .method = "GET",
        .path = ASKS[what].path,
        .with_cipher = true,
        .entity = n == 1 ? product_ids[0] : NULL,
        .query = { { "product_ids", buf_text(&ids) } },
    };

    return list_call(s, &req, "products", products, request_id, e);
}

enum rc tiktok_diagnose(struct tiktok_session *s, const json_t *body, const char *entity,
                        json_t **diagnoses, char request_id[TIKTOK_REQUEST_ID_BYTES], struct err *e)
{
    const struct tiktok_req req = {
        .operation = TIKTOK_DIAGNOSE_OPERATION,
        .method = "POST",
        .path = "/product/202411/products/diagnose_optimize",
        .with_cipher = true,
        .entity = entity,
        .body = body,
    };

    return list_call(s, &req, "diagnoses", diagnoses, request_id, e);
}

enum rc tiktok_optimize_images(struct tiktok_session *s, const char *const *uris, size_t n,
                               json_t **images, char request_id[TIKTOK_REQUEST_ID_BYTES],
                               struct err *e)
{
    json_auto_t *body = json_pack("{s:[]}", "images");
    json_t *list = json_object_get(body, "images");

    for (size_t i = 0; i < n; i++)
        if (json_array_append_new(list, json_pack("{s:s, s:[s]}", "uri", uris[i],
                                                  "optimization_mode", "WHITE_BACKGROUND")) != 0)
            return err_set(e, RC_DOWN, "out of memory for pictures");

    const struct tiktok_req req = {
        .operation = TIKTOK_OPTIMIZE_OPERATION,
        .method = "POST",
        .path = "/product/202404/images/optimize",
        .with_cipher = true,
        .body = body,
    };

    return list_call(s, &req, "images", images, request_id, e);
}
