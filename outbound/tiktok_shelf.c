/* tiktok_shelf.c - takes products off sale, puts them on sale again, deletes them: up to 20 in one call. */
#include "tiktok_product.h"

#include <string.h>

#include "jspec.h"
#include "platform_call.h"
#include "str.h"

static const struct {
    const char *operation, *method, *path;
} SHELF[] = {
    [TIKTOK_DEACTIVATE] = { "deactivate_products", "POST", "/product/202309/products/deactivate" },
    [TIKTOK_ACTIVATE] = { "activate_product", "POST", "/product/202309/products/activate" },
    [TIKTOK_DELETE] = { "delete_products", "DELETE", "/product/202309/products" },
};

static int index_of(const char *const *ids, size_t n, const char *id)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(ids[i], id))
            return (int)i;
    return -1;
}

/* The nested reason says more than the wrapper around it. */
static void refusal_read(const json_t *item, struct tiktok_refusal *out)
{
    const json_t *nested = json_array_get(jspec_get(item, "detail.extra_errors"), 0);
    const json_t *said = nested != NULL ? nested : item;
    const char *text = jspec_text(said, "message");

    out->code = jspec_int(said, "code", -1);
    str_copy_cut(out->message, sizeof out->message, text != NULL ? text : "");
    out->rc = tiktok_error_rc(out->code, true, out->message);
}

/* Whether at least one of ours was named. */
static bool refusals_read(const struct tiktok_reply *reply, const char *const *ids, size_t n,
                          struct tiktok_refusal *out)
{
    const json_t *errors = jspec_get(reply->root, "data.errors");
    bool any = false;

    for (size_t i = 0; i < json_array_size(errors); i++) {
        const json_t *item = json_array_get(errors, i);
        char id[JSPEC_ID_BYTES];
        int at;

        jspec_id(item, "detail.product_id", id);
        at = index_of(ids, n, id);
        if (at < 0)
            continue;
        refusal_read(item, &out[at]);
        any = true;
    }
    return any;
}

enum rc tiktok_shelve(struct tiktok_session *s, enum tiktok_shelf what, const char *const *ids,
                      size_t n, struct tiktok_refusal *refusals,
                      char request_id[TIKTOK_REQUEST_ID_BYTES], struct err *e)
{
    json_auto_t *body = json_pack("{s:[]}", "product_ids");
    json_t *list = json_object_get(body, "product_ids");
    struct tiktok_reply reply = { 0 };
    struct tiktok_req req = { .operation = SHELF[what].operation,
                              .method = SHELF[what].method,
                              .path = SHELF[what].path,
                              .with_cipher = true,
                              .writes = true,
                              .entity = n == 1 ? ids[0] : NULL,
                              .body = body };
    enum rc rc;

    for (size_t i = 0; i < n; i++)
        if (json_array_append_new(list, json_string(ids[i])) != 0)
            return err_set(e, RC_BUG, "out of memory");
    memset(refusals, 0, n * sizeof *refusals);
    rc = tiktok_call(s, &req, &reply, e);
    str_copy_cut(request_id, TIKTOK_REQUEST_ID_BYTES, reply.request_id);
    /* A refusal of the whole call that names some: what became of the others is not said. */
    if ((rc == RC_OK || rc == RC_INVALID) && refusals_read(&reply, ids, n, refusals)) {
        for (size_t i = 0; rc == RC_INVALID && i < n; i++)
            if (refusals[i].code == 0)
                refusals[i] = (struct tiktok_refusal){ .code = reply.code, .rc = RC_UNSURE };
        rc = RC_OK;
    }
    tiktok_reply_done(&reply);
    return rc;
}
