/* tiktok_inventory.c - what TikTok holds in stock: sellable, committed to orders, set aside for campaigns. */
#include "tiktok_product.h"

#include "jspec.h"
#include "str.h"

enum rc tiktok_inventory_search(struct tiktok_session *s, const char *const *product_ids, size_t n,
                                json_t **out, struct err *e)
{
    json_auto_t *body = json_pack("{s:[]}", "product_ids");
    json_t *list = json_object_get(body, "product_ids");
    struct tiktok_reply reply = { 0 };
    const struct tiktok_req req = { .operation = "inventory_search",
                                    .method = "POST",
                                    .path = "/product/202309/inventory/search",
                                    .with_cipher = true,
                                    .body = body };
    json_t *found;
    enum rc rc;

    for (size_t i = 0; i < n && i < TIKTOK_INVENTORY_IDS; i++)
        if (json_array_append_new(list, json_string(product_ids[i])) != 0)
            return err_set(e, RC_DOWN, "out of memory");
    rc = tiktok_call(s, &req, &reply, e);
    found = json_object_get(reply.data, "inventory");
    if (rc == RC_OK && !json_is_array(found))
        rc = err_code(e, RC_DOWN, "answer_unreadable", "TikTok's stock could not be read");
    if (rc == RC_OK)
        *out = json_incref(found);
    tiktok_reply_done(&reply);
    return rc;
}
