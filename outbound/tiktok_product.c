/* tiktok_product.c - writing products to TikTok Shop: create, edit, price, stock. */
#include "tiktok_product.h"

#include <string.h>

#include "jspec.h"
#include "str.h"

void tiktok_saved_done(struct tiktok_saved *saved)
{
    json_decref(saved->skus);
    json_decref(saved->warnings);
    *saved = (struct tiktok_saved){ 0 };
}

static void issue_add(struct tiktok_issues *issues, int64_t code, const char *message,
                      const char *field)
{
    if (issues == NULL || code == 0)
        return;
    if (issues->n >= TIKTOK_ISSUES_MAX) {
        issues->more = true;
        return;
    }

    struct tiktok_issue *issue = &issues->list[issues->n++];

    issue->code = code;
    str_copy_cut(issue->message, sizeof(issue->message), message ? message : "");
    str_copy_cut(issue->field, sizeof(issue->field), field ? field : "");
}

static void issues_of_item(struct tiktok_issues *issues, const json_t *item)
{
    const json_t *extra = jspec_get(item, "detail.extra_errors");
    const char *sku = jspec_text(item, "detail.sku_id");
    size_t n = json_array_size(extra);

    if (n == 0) {
        issue_add(issues, jspec_int(item, "code", -1), jspec_text(item, "message"), sku);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const json_t *one = json_array_get(extra, i);
        const char *warehouse = jspec_text(one, "warehouse_id");

        issue_add(issues, jspec_int(one, "code", -1), jspec_text(one, "message"),
                  sku ? sku : warehouse);
    }
}

/* Collects every reason of an answer; the top code counts only when nothing more precise came. */
static void issues_read(const struct tiktok_reply *reply, struct tiktok_issues *issues)
{
    if (issues == NULL)
        return;

    const json_t *errors = jspec_get(reply->root, "data.errors");

    memset(issues, 0, sizeof(*issues));
    str_copy_cut(issues->request_id, sizeof(issues->request_id), reply->request_id);
    for (size_t i = 0; i < json_array_size(errors); i++)
        issues_of_item(issues, json_array_get(errors, i));
    if (issues->n == 0)
        issue_add(issues, reply->code, jspec_text(reply->root, "message"), NULL);
}

static enum rc saved_read(const struct tiktok_reply *reply, const char *product_id,
                          struct tiktok_saved *out, struct err *e)
{
    struct tiktok_saved saved = { 0 };
    json_t *skus = json_object_get(reply->data, "skus");
    json_t *warnings = json_object_get(reply->data, "warnings");

    jspec_id(reply->data, "product_id", saved.product_id);
    if (saved.product_id[0] == '\0' && product_id != NULL)
        (void)str_copy(saved.product_id, sizeof(saved.product_id), product_id);
    if (saved.product_id[0] == '\0')
        return err_set(e, RC_UNSURE, "TikTok took the product but named no product id");

    saved.skus = json_is_array(skus) ? json_incref(skus) : json_array();
    saved.warnings = json_is_array(warnings) ? json_incref(warnings) : json_array();
    if (saved.skus == NULL || saved.warnings == NULL) {
        tiktok_saved_done(&saved);
        return err_set(e, RC_BUG, "out of memory");
    }
    str_copy_cut(saved.request_id, sizeof(saved.request_id), reply->request_id);
    *out = saved;
    return RC_OK;
}

/* One product write with a body; the answer is read by saved_read when `out` is given. */
static enum rc product_write(struct tiktok_session *s, const struct tiktok_req *req,
                             const char *product_id, struct tiktok_saved *out,
                             struct tiktok_issues *issues, struct err *e)
{
    struct tiktok_reply reply = { 0 };
    enum rc rc = tiktok_call(s, req, &reply, e);

    if (issues != NULL)
        memset(issues, 0, sizeof(*issues));
    if (rc == RC_OK && out != NULL)
        rc = saved_read(&reply, product_id, out, e);
    else if (reply.root != NULL)
        issues_read(&reply, issues);
    tiktok_reply_done(&reply);
    return rc;
}

static bool product_path(char *dst, size_t cap, const char *version, const char *product_id,
                         const char *tail)
{
    return str_digits(product_id) &&
           str_fmt(dst, cap, "/product/%s/products/%s%s", version, product_id, tail);
}

enum rc tiktok_create_product(struct tiktok_session *s, const json_t *body, const char *entity,
                              struct tiktok_saved *out, struct tiktok_issues *issues, struct err *e)
{
    const struct tiktok_req req = {
        .operation = "create_product",
        .method = "POST",
        .path = "/product/202309/products",
        .with_cipher = true,
        .writes = true,
        .entity = entity,
        .body = body,
    };

    return product_write(s, &req, NULL, out, issues, e);
}

enum rc tiktok_edit_product(struct tiktok_session *s, const char *product_id, const json_t *body,
                            struct tiktok_saved *out, struct tiktok_issues *issues, struct err *e)
{
    char path[160];

    if (!product_path(path, sizeof(path), "202509", product_id, ""))
        return err_set(e, RC_INVALID, "not a TikTok product id");
    return product_write(s,
                         &(struct tiktok_req){ .operation = "edit_product",
                                               .method = "PUT",
                                               .path = path,
                                               .with_cipher = true,
                                               .writes = true,
                                               .entity = product_id,
                                               .body = body },
                         product_id, out, issues, e);
}

enum rc tiktok_partial_edit_product(struct tiktok_session *s, const char *product_id,
                                    const json_t *body, struct tiktok_saved *out,
                                    struct tiktok_issues *issues, struct err *e)
{
    char path[160];

    if (!product_path(path, sizeof(path), "202509", product_id, "/partial_edit"))
        return err_set(e, RC_INVALID, "not a TikTok product id");
    return product_write(s,
                         &(struct tiktok_req){ .operation = "partial_edit_product",
                                               .method = "POST",
                                               .path = path,
                                               .with_cipher = true,
                                               .writes = true,
                                               .entity = product_id,
                                               .body = body },
                         product_id, out, issues, e);
}

enum rc tiktok_update_price(struct tiktok_session *s, const char *product_id, const json_t *body,
                            struct tiktok_issues *issues, struct err *e)
{
    char path[160];

    if (!product_path(path, sizeof(path), "202309", product_id, "/prices/update"))
        return err_set(e, RC_INVALID, "not a TikTok product id");
    return product_write(s,
                         &(struct tiktok_req){ .operation = "update_price",
                                               .method = "POST",
                                               .path = path,
                                               .with_cipher = true,
                                               .writes = true,
                                               .entity = product_id,
                                               .body = body },
                         product_id, NULL, issues, e);
}

enum rc tiktok_update_inventory(struct tiktok_session *s, const char *product_id,
                                const json_t *body, struct tiktok_issues *issues, struct err *e)
{
    char path[160];

    if (!product_path(path, sizeof(path), "202309", product_id, "/inventory/update"))
        return err_set(e, RC_INVALID, "not a TikTok product id");
    return product_write(s,
                         &(struct tiktok_req){ .operation = "update_inventory",
                                               .method = "POST",
                                               .path = path,
                                               .with_cipher = true,
                                               .writes = true,
                                               .entity = product_id,
                                               .body = body },
                         product_id, NULL, issues, e);
}
