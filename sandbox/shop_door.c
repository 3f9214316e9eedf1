/* shop_door.c - the door of the simulated TikTok Shop: credentials, signature, cipher, quota, contract, envelope.
 *
 * Checks run in the order a gateway would make them; only a request that passes all of them reaches its
 * operation. */
#include "state.h"

#include "clock.h"
#include "jspec.h"
#include "sign.h"
#include "str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMESTAMP_PAST_S 300
#define TIMESTAMP_FUTURE_S 30

static const struct {
    const char *name;
    sbx_op run;
} OPERATIONS[] = {
    { "get_authorized_shops", sbx_get_authorized_shops },
    { "get_categories", sbx_get_categories },
    { "recommend_category", sbx_recommend_category },
    { "get_category_rules", sbx_get_category_rules },
    { "get_attributes", sbx_get_attributes },
    { "get_brands", sbx_get_brands },
    { "create_custom_brands", sbx_create_custom_brands },
    { "check_listing_prerequisites", sbx_check_prerequisites },
    { "get_warehouse_list", sbx_get_warehouse_list },
    { "upload_product_image", sbx_upload_image },
    { "create_product", sbx_create_product },
    { "get_product", sbx_get_product },
    { "edit_product", sbx_edit_product },
    { "partial_edit_product", sbx_partial_edit_product },
    { "search_products", sbx_search_products },
    { "activate_product", sbx_activate_product },
    { "deactivate_products", sbx_deactivate_products },
    { "delete_products", sbx_delete_products },
    { "update_price", sbx_update_price },
    { "update_inventory", sbx_update_inventory },
    { "inventory_search", sbx_inventory_search },
    { "product_information_issue_diagnosis", sbx_diagnose_products },
    { "get_products_seo_words", sbx_seo_words },
    { "get_recommended_product_title_and_description", sbx_suggestions },
    { "diagnose_and_optimize_product", sbx_diagnose_optimize },
    { "optimized_images", sbx_optimize_images },
    { "get_order_list", sbx_get_order_list },
    { "get_order_detail", sbx_get_order_detail },
    { "get_order_detail_202309", sbx_get_order_detail_old },
    { "get_price_detail", sbx_get_price_detail },
    { "upload_invoice", sbx_upload_invoice },
    { "get_package_detail", sbx_get_package },
    { "get_package_handover_time_slots", sbx_get_slots },
    { "get_shipping_providers", sbx_get_providers },
    { "get_tracking", sbx_get_tracking },
    { "ship_package", sbx_ship_package },
    { "batch_ship_packages", sbx_ship_packages },
    { "update_package_shipping_info", sbx_update_shipping },
    { "get_package_shipping_document", sbx_get_document },
    { "cancel_order", sbx_cancel_order },
    { "search_cancellations", sbx_search_cancellations },
    { "search_returns", sbx_search_returns },
    { "get_reject_reasons", sbx_reject_reasons },
    { "approve_cancellation", sbx_approve_cancellation },
    { "reject_cancellation", sbx_reject_cancellation },
    { "approve_return", sbx_approve_return },
    { "reject_return", sbx_reject_return },
};

void sbx_fail(struct sbx_call *c, int64_t code, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(c->message, sizeof c->message, fmt, args); /* shown to people: may be cut */
    va_end(args);
    c->code = code;
}

const char *sbx_query(const struct sbx_call *c, const char *name)
{
    for (int i = 0; i < c->n_pairs; i++) {
        if (str_eq(c->pairs[i].name, name))
            return c->pairs[i].value;
    }
    return NULL;
}

static bool pair_read(const char *text, size_t len, struct sbx_pair *out)
{
    const char *mark = memchr(text, '=', len);

    if (mark == NULL || mark == text)
        return false;
    size_t name_len = (size_t)(mark - text);
    return str_url_decode(out->name, sizeof out->name, text, name_len, true) &&
           str_url_decode(out->value, sizeof out->value, mark + 1, len - name_len - 1, true);
}

bool sbx_query_split(const char *raw, struct sbx_pair *pairs, int *n)
{
    int count = 0;

    while (*raw != '\0') {
        size_t len = strcspn(raw, "&");

        if (count == SBX_PAIRS_MAX || !pair_read(raw, len, &pairs[count]))
            return false;
        for (int i = 0; i < count; i++) {
            if (str_eq(pairs[i].name, pairs[count].name))
                return false;
        }
        count++;
        raw += len;
        raw += *raw == '&';
    }
    *n = count;
    return true;
}

static int by_name(const void *a, const void *b)
{
    const struct sbx_pair *const *x = a;
    const struct sbx_pair *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

void sbx_sign(const char *secret, const struct http_req *req, const struct sbx_pair *pairs, int n,
              bool multipart, char out[65])
{
    const struct sbx_pair *sorted[SBX_PAIRS_MAX];
    unsigned char mac[SIGN_SHA256_BYTES];
    OWN_BUF struct buf text;
    int count = 0;

    buf_init(&text, LIMIT_SBX_UPLOAD_BYTES);
    for (int i = 0; i < n; i++) {
        if (!str_eq(pairs[i].name, "sign") && !str_eq(pairs[i].name, "access_token"))
            sorted[count++] = &pairs[i];
    }
    qsort(sorted, (size_t)count, sizeof sorted[0], by_name);
    buf_str(&text, secret);
    buf_str(&text, req->path);
    for (int i = 0; i < count; i++) {
        buf_str(&text, sorted[i]->name);
        buf_str(&text, sorted[i]->value);
    }
    if (!multipart)
        buf_add(&text, req->body, req->body_len);
    buf_str(&text, secret);
    sign_hmac_sha256(secret, strlen(secret), buf_text(&text), text.len, mac);
    str_hex(out, mac, sizeof mac);
}

static bool media_is(const struct http_req *req, const char *wanted)
{
    const char *type = http_header(req, "content-type");
    char media[64];

    if (type == NULL)
        return false;
    size_t len = strcspn(type, ";");
    if (len >= sizeof media)
        return false;
    memcpy(media, type, len);
    media[len] = '\0';
    return str_ieq(str_trim(media), wanted);
}

static void check_app(struct sbx_call *c)
{
    const char *key = sbx_query(c, "app_key");
    const char *stamp = sbx_query(c, "timestamp");
    int64_t then = 0;
    int64_t now = sbx_now_s();

    if (key == NULL || !str_eq(key, c->sb->cfg.app_key)) {
        sbx_fail(c, 36009004, "Invalid app_key");
    } else if (stamp == NULL || strlen(stamp) != 10 || !str_to_i64(stamp, 1, INT64_MAX, &then)) {
        sbx_fail(c, 36009004, "Invalid timestamp: 10 digits of unix seconds are expected");
    } else if (then < now - TIMESTAMP_PAST_S || then > now + TIMESTAMP_FUTURE_S) {
        sbx_fail(c, 36009004, "Invalid timestamp: %lld seconds from now", (long long)(then - now));
    }
}

/* Query parameters by the contract; a cipher where none belongs is an unexpected identifier. */
static void check_query(struct sbx_call *c)
{
    const json_t *known = json_object_get(c->spec, "query");
    struct sbx_breach breach;
    const char *key;
    json_t *schema;

    for (int i = 0; i < c->n_pairs && c->code == 0; i++) {
        const json_t *one = json_object_get(known, c->pairs[i].name);

        if (one == NULL)
            sbx_fail(c, 36009004, "unexpected identifier: %s", c->pairs[i].name);
        else if (!sbx_schema_param(one, c->pairs[i].name, c->pairs[i].value, &breach))
            sbx_fail(c, 36009004, "Invalid parameter: %s", breach.text);
    }
    if (c->code != 0)
        return;
    json_object_foreach((json_t *)(uintptr_t)known, key, schema)
    {
        bool cipher = str_eq(key, "shop_cipher");

        if (json_is_true(json_object_get(schema, "required")) && sbx_query(c, key) == NULL) {
            sbx_fail(c, cipher ? 106013 : 36009004,
                     cipher ? "shop_cipher is required" : "Missing parameter: %s", key);
            return;
        }
    }
}

static void check_sign(struct sbx_call *c, bool multipart)
{
    const char *got = sbx_query(c, "sign");
    char want[65];

    if (got == NULL) {
        sbx_fail(c, 36009004, "Missing sign");
        return;
    }
    sbx_sign(c->sb->cfg.app_secret, c->req, c->pairs, c->n_pairs, multipart, want);
    if (strlen(got) != 64 || !sign_equal(got, want, 64)) {
        sbx_fail(c, 106001, "Invalid sign");
        c->status = 401;
    }
}

static void check_token(struct sbx_call *c)
{
    const char *token = http_header(c->req, "x-tts-access-token");
    const json_t *known = token == NULL ? NULL : json_object_get(c->sb->access, token);

    if (token == NULL) {
        sbx_fail(c, 36009004, "Missing x-tts-access-token");
        return;
    }
    c->grantor = known == NULL ? NULL : sbx_shop_find(c->sb, sbx_text(known, "shop"));
    if (c->grantor == NULL || !c->grantor->authorized)
        sbx_fail(c, 36009004, "Invalid access token");
    else if (sbx_int(known, "ends_s") <= sbx_now_s())
        sbx_fail(c, 105002, "Expired credentials");
}

static void check_cipher(struct sbx_call *c)
{
    const char *cipher = sbx_query(c, "shop_cipher");

    if (cipher == NULL) {
        c->shop = c->grantor; /* optional or none */
        return;
    }
    if (!str_eq(cipher, c->grantor->cipher))
        sbx_fail(c, 101000, "Invalid query: shop_cipher does not belong to the token");
    else
        c->shop = c->grantor;
}

/* One bucket a second for (app, shop, operation). */
static void check_rate(struct sbx_call *c)
{
    char name[96];
    int64_t now = sbx_now_s();

    (void)snprintf(name, sizeof name, "%.40s|%.48s", c->grantor->id, c->operation);
    json_t *bucket = json_object_get(c->sb->buckets, name);
    if (bucket == NULL) {
        bucket = json_object();
        sbx_set(c->sb->buckets, name, bucket);
    }
    int64_t used = sbx_int(bucket, "second") == now ? sbx_int(bucket, "used") : 0;
    sbx_set_int(bucket, "second", now);
    sbx_set_int(bucket, "used", used + 1);
    if (used >= c->sb->cfg.rate_per_second) {
        sbx_fail(c, 36009002, "Too many requests");
        c->status = 429;
    }
}

static void check_body(struct sbx_call *c)
{
    const json_t *schema = json_object_get(c->spec, "body");
    int64_t invalid = sbx_int(c->spec, "invalid");
    struct sbx_breach breach = { 0 };
    struct err e = { 0 };

    if (schema == NULL) {
        if (c->req->body_len > 0)
            sbx_fail(c, 36009022, "Invalid request format: no body is expected");
        return;
    }
    if (c->req->body_len == 0) {
        if (json_is_true(json_object_get(c->spec, "body_required")))
            sbx_fail(c, 36009022, "Invalid request format: a body is expected");
        else
            c->body = sbx_need(json_object());
        return;
    }
    if (jspec_parse(c->req->body, c->req->body_len, 0, &c->body, &e) != RC_OK)
        sbx_fail(c, 36009022, "Invalid request format: %.200s", e.text);
    else if (!sbx_schema_check(schema, c->body, &breach))
        sbx_fail(c, sbx_breach_code(&breach, invalid), "Invalid input parameters: %s", breach.text);
}

static void check_all(struct sbx_call *c)
{
    const char *media = sbx_text(c->spec, "media");
    bool multipart = str_eq(media, "multipart/form-data");

    if (!sbx_query_split(c->req->query, c->pairs, &c->n_pairs)) {
        sbx_fail(c, 36009004, "The query is malformed or repeats a parameter");
        return;
    }
    if (multipart && !media_is(c->req, media)) {
        sbx_fail(c, 36009023, "content-type must be multipart/form-data");
        return;
    }
    if (!multipart && !media_is(c->req, "application/json")) {
        sbx_fail(c, 36009022, "Invalid request format: content-type must be application/json");
        return;
    }
    check_app(c);
    if (c->code == 0)
        check_query(c);
    if (c->code == 0)
        check_sign(c, multipart);
    if (c->code == 0)
        check_token(c);
    if (c->code == 0)
        check_cipher(c);
    if (c->code == 0)
        check_rate(c);
    if (c->code == 0 && !multipart)
        check_body(c);
}

static void run(struct sbx_call *c)
{
    for (size_t i = 0; i < sizeof OPERATIONS / sizeof OPERATIONS[0]; i++) {
        if (str_eq(OPERATIONS[i].name, c->operation)) {
            OPERATIONS[i].run(c);
            return;
        }
    }
    sbx_fail(c, 36009009, "Invalid path");
}

static enum rc answer(struct sbx_call *c, struct http_reply *reply, struct err *e)
{
    json_auto_t *envelope = sbx_need(json_object());
    char id[40];

    c->sb->seq++;
    (void)snprintf(id, sizeof id, "2026%020lld", (long long)c->sb->seq);
    sbx_set_int(envelope, "code", c->code);
    sbx_set(envelope, "message",
            c->code == 0 ? json_string("Success")
                         : json_stringn(c->message, str_utf8_prefix(c->message, 300)));
    sbx_set_text(envelope, "request_id", id);
    if (c->data != NULL)
        sbx_set(envelope, "data", json_incref(c->data));
    else
        sbx_set(envelope, "data", c->code == 0 ? json_object() : json_null());
    return http_reply_json(reply, c->status == 0 ? 200 : c->status, envelope, e);
}

/* Codes that say "later", not "you broke the contract". */
static bool is_breach(int64_t code)
{
    return code != 0 && code != 36009002 && code != 36009003 && code != 105002;
}

static void planted(struct sbx_call *c, const struct sbx_fault *fault)
{
    if (str_eq(fault->kind, "429")) {
        sbx_fail(c, 36009002, "Too many requests");
        c->status = 429;
    } else if (str_eq(fault->kind, "503")) {
        sbx_fail(c, 36009003, "Service unavailable");
        c->status = 503;
    } else if (str_eq(fault->kind, "500")) {
        sbx_fail(c, 36009003, "Internal error");
        c->status = 500;
    } else {
        sbx_fail(c, 105002, "Expired credentials");
    }
}

SBX_HANDLER(sbx_tiktok)
{
    struct sandbox *sb = user;
    struct sbx_fault fault;
    enum sbx_gate gate = sbx_fault_before(sb, req, reply, "tiktok", &fault);

    if (gate == SBX_STOP)
        return RC_OK;
    struct sbx_call *c = sbx_need(calloc(1, sizeof *c));
    c->sb = sb;
    c->req = req;
    c->operation = req->route->operation;
    c->spec = json_object_get(sb->tiktok_contract, c->operation);
    (void)pthread_mutex_lock(&sb->lock);
    if (gate == SBX_KIND)
        planted(c, &fault);
    else
        check_all(c);
    if (c->code == 0)
        run(c);
    if (gate == SBX_GO && is_breach(c->code)) {
        char code[24];

        (void)snprintf(code, sizeof code, "%lld", (long long)c->code);
        sbx_note_refused(sb, "tiktok", c->operation, code, c->message);
    }
    enum rc rc = answer(c, reply, e);
    sbx_note(sb, req, reply->status, c->code, fault.kind);
    json_decref(c->body); /* parts of both may live on in the state: still under the lock */
    json_decref(c->data);
    (void)pthread_mutex_unlock(&sb->lock);
    sbx_fault_after(&fault, reply);
    free(c);
    return rc;
}
