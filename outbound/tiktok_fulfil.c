/* tiktok_fulfil.c - invoices, packages, carriers and labels at TikTok; one function per call. */
#include "tiktok_fulfil.h"

#include "jspec.h"
#include "own.h"
#include "platform_call.h"
#include "str.h"

#include <string.h>

#define PATH_BYTES 256

static void reply_own(struct tiktok_reply *reply)
{
    tiktok_reply_done(reply);
}
#define OWN_REPLY __attribute__((cleanup(reply_own)))

/* before + id, escaped, + after. */
static enum rc path_make(char out[PATH_BYTES], const char *before, const char *id,
                         const char *after, struct err *e)
{
    OWN_BUF struct buf path = { 0 };

    buf_init(&path, PATH_BYTES - 1);
    buf_str(&path, before);
    str_url_encode(&path, id);
    buf_str(&path, after);
    if (buf_check(&path, e) != RC_OK || !str_copy(out, PATH_BYTES, buf_text(&path)))
        return err_set(e, RC_INVALID, "the id is too long");
    return RC_OK;
}

static void error_fill(struct tiktok_item_error *error, int64_t code, const char *message)
{
    error->code = code;
    str_copy_cut(error->message, sizeof error->message, message != NULL ? message : "");
    error->rc = tiktok_error_rc(code, true, error->message);
}

/* A refusal by the rules of the business is an answer, not a failure of the call. */
static enum rc refusal_take(enum rc rc, const struct tiktok_reply *reply,
                            struct tiktok_item_error *error)
{
    if (rc != RC_INVALID || reply->root == NULL || reply->code == 0)
        return rc;
    error_fill(error, reply->code, jspec_text(reply->root, "message"));
    return RC_OK;
}

/* The first entry of data.errors is about the one package that was sent. */
static void item_error_read(const struct tiktok_reply *reply, struct tiktok_item_error *error)
{
    const json_t *item = json_array_get(jspec_get(reply->data, "errors"), 0);

    if (item != NULL && error->code == 0)
        error_fill(error, jspec_int(item, "code", -1), jspec_text(item, "message"));
}

enum rc tiktok_invoice_upload(struct tiktok_session *s, const char *package_id,
                              const json_t *order_ids, const char *base64,
                              struct tiktok_item_error *error, char request_id[96], struct err *e)
{
    json_auto_t *body =
        json_pack("{s:[{s:s, s:O, s:s, s:s}]}", "invoices", "package_id", package_id, "order_ids",
                  order_ids, "file_type", "XML", "file", base64);
    struct tiktok_req req = { .operation = "upload_invoice",
                              .method = "POST",
                              .path = "/fulfillment/202502/invoice/upload",
                              .with_cipher = true,
                              .writes = true,
                              .entity = package_id,
                              .body = body };
    OWN_REPLY struct tiktok_reply reply = { 0 };
    enum rc rc;

    *error = (struct tiktok_item_error){ 0 };
    if (body == NULL)
        return err_set(e, RC_DOWN, "out of memory");
    rc = tiktok_call(s, &req, &reply, e);
    str_copy_cut(request_id, 96, reply.request_id);
    rc = refusal_take(rc, &reply, error);
    if (rc == RC_OK)
        item_error_read(&reply, error);
    return rc;
}

/* A reading call whose whole data is the answer. */
static enum rc data_get(struct tiktok_session *s, struct tiktok_req *req, json_t **data,
                        struct err *e)
{
    OWN_REPLY struct tiktok_reply reply = { 0 };
    enum rc rc;

    req->method = "GET";
    req->with_cipher = true;
    rc = tiktok_call(s, req, &reply, e);
    if (rc != RC_OK)
        return rc;
    if (!json_is_object(reply.data))
        return err_set(e, RC_DOWN, "TikTok answered %s without data", req->operation);
    *data = json_incref(reply.data);
    return RC_OK;
}

enum rc tiktok_package_get(struct tiktok_session *s, const char *package_id, json_t **package,
                           struct err *e)
{
    char path[PATH_BYTES];
    struct tiktok_req req = { .operation = "get_package_detail",
                              .path = path,
                              .entity = package_id };
    enum rc rc = path_make(path, "/fulfillment/202309/packages/", package_id, "", e);

    return rc == RC_OK ? data_get(s, &req, package, e) : rc;
}

enum rc tiktok_handover_slots(struct tiktok_session *s, const char *package_id, json_t **slots,
                              struct err *e)
{
    char path[PATH_BYTES];
    struct tiktok_req req = { .operation = "get_package_handover_time_slots",
                              .path = path,
                              .entity = package_id };
    enum rc rc =
        path_make(path, "/fulfillment/202309/packages/", package_id, "/handover_time_slots", e);

    return rc == RC_OK ? data_get(s, &req, slots, e) : rc;
}

/* A list of the answer; an absent one is empty. New reference. */
static enum rc list_take(json_t *data, const char *name, json_t **out, struct err *e)
{
    json_t *list = json_object_get(data, name);

    list = json_is_array(list) ? json_incref(list) : json_array();
    if (list == NULL)
        return err_set(e, RC_DOWN, "out of memory");
    *out = list;
    return RC_OK;
}

enum rc tiktok_shipping_providers(struct tiktok_session *s, const char *delivery_option_id,
                                  json_t **providers, struct err *e)
{
    char path[PATH_BYTES];
    json_auto_t *data = NULL;
    struct tiktok_req req = { .operation = "get_shipping_providers",
                              .path = path,
                              .entity = delivery_option_id };
    enum rc rc = path_make(path, "/logistics/202309/delivery_options/", delivery_option_id,
                           "/shipping_providers", e);

    if (rc == RC_OK)
        rc = data_get(s, &req, &data, e);
    return rc == RC_OK ? list_take(data, "shipping_providers", providers, e) : rc;
}

/* The members of `how` that TikTok is told. New reference or NULL. */
static json_t *how_new(const json_t *how, const char *id)
{
    static const char *const members[] = { "handover_method", "pickup_slot", "self_shipment" };
    json_t *body = json_object();
    int bad = body != NULL ? 0 : -1;

    if (id != NULL)
        bad |= json_object_set_new(body, "id", json_string(id));
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        json_t *value = json_object_get(how, members[i]);

        if (value != NULL && !json_is_null(value))
            bad |= json_object_set(body, members[i], value);
    }
    if (bad == 0)
        return body;
    json_decref(body);
    return NULL;
}

/* A writing call about one package. */
static enum rc package_write(struct tiktok_session *s, const char *operation,
                             const char *package_id, const char *after, const json_t *body,
                             struct tiktok_item_error *error, char request_id[96], struct err *e)
{
    char path[PATH_BYTES];
    struct tiktok_req req = { .operation = operation,
                              .method = "POST",
                              .path = path,
                              .with_cipher = true,
                              .writes = true,
                              .entity = package_id,
                              .body = body };
    OWN_REPLY struct tiktok_reply reply = { 0 };
    enum rc rc;

    *error = (struct tiktok_item_error){ 0 };
    if (body == NULL)
        return err_set(e, RC_DOWN, "out of memory");
    rc = path_make(path, "/fulfillment/202309/packages/", package_id, after, e);
    if (rc != RC_OK)
        return rc;
    rc = tiktok_call(s, &req, &reply, e);
    str_copy_cut(request_id, 96, reply.request_id);
    return refusal_take(rc, &reply, error);
}

enum rc tiktok_package_ship(struct tiktok_session *s, const char *package_id, const json_t *how,
                            struct tiktok_item_error *error, char request_id[96], struct err *e)
{
    json_auto_t *body = how_new(how, NULL);

    return package_write(s, "ship_package", package_id, "/ship", body, error, request_id, e);
}

enum rc tiktok_package_correct(struct tiktok_session *s, const char *package_id,
                               const char *tracking_number, const char *provider_id,
                               struct tiktok_item_error *error, char request_id[96], struct err *e)
{
    json_auto_t *body = json_pack("{s:s, s:s}", "tracking_number", tracking_number,
                                  "shipping_provider_id", provider_id);

    return package_write(s, "update_package_shipping_info", package_id, "/shipping_info/update",
                         body, error, request_id, e);
}

static void batch_errors_read(const struct tiktok_reply *reply, const char *const *ids, size_t n,
                              struct tiktok_item_error *errors)
{
    const json_t *list = jspec_get(reply->data, "errors");

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        char id[JSPEC_ID_BYTES];

        jspec_id(item, "detail.package_id", id);
        for (size_t k = 0; k < n; k++)
            if (str_eq(ids[k], id))
                error_fill(&errors[k], jspec_int(item, "code", -1), jspec_text(item, "message"));
    }
}

enum rc tiktok_packages_ship(struct tiktok_session *s, const char *const *ids,
                             const json_t *const *how, size_t n, struct tiktok_item_error *errors,
                             char request_id[96], struct err *e)
{
    json_auto_t *body = json_pack("{s:[]}", "packages");
    json_t *list = json_object_get(body, "packages");
    struct tiktok_req req = { .operation = "batch_ship_packages",
                              .method = "POST",
                              .path = "/fulfillment/202309/packages/ship",
                              .with_cipher = true,
                              .writes = true,
                              .entity = ids[0],
                              .body = body };
    OWN_REPLY struct tiktok_reply reply = { 0 };
    enum rc rc;

    memset(errors, 0, n * sizeof *errors);
    for (size_t i = 0; i < n; i++)
        if (json_array_append_new(list, how_new(how[i], ids[i])) != 0)
            return err_set(e, RC_DOWN, "out of memory");
    rc = tiktok_call(s, &req, &reply, e);
    str_copy_cut(request_id, 96, reply.request_id);
    rc = refusal_take(rc, &reply, &errors[0]);
    for (size_t i = 1; rc == RC_OK && errors[0].code != 0 && i < n; i++)
        errors[i] = errors[0];
    if (rc == RC_OK)
        batch_errors_read(&reply, ids, n, errors);
    return rc;
}

static bool code_in(int64_t code, const int64_t *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == code)
            return true;
    return false;
}

bool tiktok_already_shipped(int64_t code)
{
    static const int64_t codes[] = { 11006021, 21008099, 21011020, 21011027, 21011040 };

    return code_in(code, codes, sizeof codes / sizeof codes[0]);
}

bool tiktok_invoice_missing(int64_t code)
{
    static const int64_t codes[] = { 21004006, 21004019, 21004020 };

    return code_in(code, codes, sizeof codes / sizeof codes[0]);
}

enum rc tiktok_label_url(struct tiktok_session *s, const char *package_id, const char *format,
                         char **url, struct tiktok_item_error *error, struct err *e)
{
    char path[PATH_BYTES];
    struct tiktok_req req = { .operation = "get_package_shipping_document",
                              .method = "GET",
                              .path = path,
                              .with_cipher = true,
                              .entity = package_id,
                              .query = { { "document_type", "SHIPPING_LABEL" },
                                         { "document_format", format } } };
    OWN_REPLY struct tiktok_reply reply = { 0 };
    const char *found;
    enum rc rc;

    *error = (struct tiktok_item_error){ 0 };
    rc = path_make(path, "/fulfillment/202309/packages/", package_id, "/shipping_documents", e);
    if (rc == RC_OK)
        rc = tiktok_call(s, &req, &reply, e);
    rc = refusal_take(rc, &reply, error);
    if (rc != RC_OK || error->code != 0)
        return rc;
    found = jspec_text(reply.data, "doc_url");
    if (found == NULL || found[0] == '\0')
        return err_set(e, RC_DOWN, "TikTok answered a label without its address");
    *url = str_dup(found);
    return *url != NULL ? RC_OK : err_set(e, RC_DOWN, "out of memory");
}

enum rc tiktok_tracking(struct tiktok_session *s, const char *order_id, json_t **events,
                        struct err *e)
{
    char path[PATH_BYTES];
    json_auto_t *data = NULL;
    struct tiktok_req req = { .operation = "get_tracking", .path = path, .entity = order_id };
    enum rc rc = path_make(path, "/fulfillment/202309/orders/", order_id, "/tracking", e);

    if (rc == RC_OK)
        rc = data_get(s, &req, &data, e);
    return rc == RC_OK ? list_take(data, "tracking", events, e) : rc;
}
