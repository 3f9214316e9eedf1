/* store_door.c - the door of the simulated VTEX accounts: account, key pair, contract, errors. */
#include "state.h"

#include "clock.h"
#include "jspec.h"
#include "sign.h"
#include "str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GRACE_US (200 * US_PER_MS)

static const struct {
    const char *name;
    sbx_vtex_op run;
} OPERATIONS[] = {
    { "getSkuContext", sbx_vtex_sku },
    { "listSkuFiles", sbx_vtex_sku_files },
    { "getSkuByEan", sbx_vtex_sku_by_ean },
    { "getSkuIdByRefId", sbx_vtex_sku_by_refid },
    { "getSkuIdsByRefIds", sbx_vtex_skus_by_refids },
    { "listSkuIds", sbx_vtex_sku_ids },
    { "listSkuIdsBySalesChannel", sbx_vtex_sku_ids },
    { "getProduct", sbx_vtex_product },
    { "listBrands", sbx_vtex_brands },
    { "listBrandsPaged", sbx_vtex_brands_paged },
    { "getCategoryTree", sbx_vtex_categories },
    { "listSalesChannels", sbx_vtex_channels },
    { "listAffiliates", sbx_vtex_affiliates },
    { "getPrice", sbx_vtex_price },
    { "getComputedPrice", sbx_vtex_computed },
    { "listComputedPrices", sbx_vtex_computed_all },
    { "getInventoryBySku", sbx_vtex_inventory },
    { "getInventoryByWarehouse", sbx_vtex_inventory_row },
    { "listWarehouses", sbx_vtex_warehouses },
    { "listDocks", sbx_vtex_docks },
    { "simulateCart", sbx_vtex_simulate },
    { "simulateFulfillment", sbx_vtex_simulate },
    { "placeFulfillmentOrder", sbx_vtex_place },
    { "authorizeDispatch", sbx_vtex_authorize },
    { "getOrder", sbx_vtex_order },
    { "listOrders", sbx_vtex_orders },
    { "cancelOrder", sbx_vtex_cancel },
    { "patchInvoiceTracking", sbx_vtex_patch_tracking },
    { "putTrackingEvents", sbx_vtex_put_tracking },
    { "cancelFulfillmentOrder", sbx_vtex_cancel },
};

/* Codes for breaches of a placement body, by the end of the path without list indexes. */
static const struct {
    const char *path;
    const char *code;
} CODES[] = {
    { "marketplaceOrderId", "FMT015" },
    { "marketplaceServicesEndpoint", "FMT0070" },
    { "marketplacePaymentValue", "FMT0042" },
    { "items", "ORD005" },
    { "items.id", "FMT0039" },
    { "items.quantity", "FMT0038" },
    { "items.seller", "FMT0040" },
    { "items.price", "FMT0041" },
    { "clientProfileData", "FMT0045" },
    { "shippingData", "FMT001" },
    { "shippingData.logisticsInfo.itemIndex", "FMT0057" },
    { "shippingData.logisticsInfo.selectedSla", "FMT004" },
    { "shippingData.logisticsInfo.lockTTL", "FMT0077" },
    { "shippingData.logisticsInfo.shippingEstimate", "FMT0079" },
};

void sbx_vtex_fail(struct sbx_vtex *v, int status, const char *code, const char *fmt, ...)
{
    char text[400];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args); /* shown to people: may be cut */
    va_end(args);
    text[str_utf8_prefix(text, 300)] = '\0';
    json_decref(v->answer);
    v->answer = sbx_need(
        json_pack("{s:{s:s,s:s,s:n}}", "error", "code", code, "message", text, "exception"));
    v->status = status;
}

const char *sbx_vtex_query(const struct sbx_vtex *v, const char *name)
{
    for (int i = 0; i < v->n_pairs; i++) {
        if (str_eq(v->pairs[i].name, name))
            return v->pairs[i].value;
    }
    return NULL;
}

static const char *breach_code(const struct sbx_vtex *v, const struct sbx_breach *breach)
{
    char plain[160];
    size_t n = 0;
    bool skip = false;

    if (!str_eq(v->operation, "placeFulfillmentOrder"))
        return "1";
    for (const char *at = breach->path; *at != '\0'; at++) {
        skip = *at == '[' ? true : skip;
        if (!skip && !(n == 0 && *at == '.'))
            plain[n++] = *at;
        if (*at == ']')
            skip = false;
    }
    plain[n] = '\0';
    for (size_t i = 0; i < sizeof CODES / sizeof CODES[0]; i++) {
        if (str_eq(plain, CODES[i].path))
            return CODES[i].code;
    }
    return str_starts(plain, "clientProfileData") ? "ORD007"
           : str_starts(plain, "shippingData")    ? "ORD006"
                                                  : "ORD002";
}

/* After a 429 the whole account has to be left alone; calls that were on their way do not count. */
static void check_quiet(struct sbx_vtex *v)
{
    int64_t now = clock_mono_us();

    if (now > v->account->quiet_from_us && now < v->account->quiet_until_us)
        sbx_note_refused(v->sb, "vtex", v->operation, "429",
                         "called again before Retry-After was over");
}

static void check_keys(struct sbx_vtex *v)
{
    const char *key = http_header(v->req, "X-VTEX-API-AppKey");
    const char *token = http_header(v->req, "X-VTEX-API-AppToken");
    char want[160];

    (void)snprintf(want, sizeof want, "vtexappkey-%s-%s", v->account->name,
                   v->sb->cfg.vtex_app_key);
    if (key == NULL || token == NULL || !str_eq(key, want) ||
        !str_eq(token, v->sb->cfg.vtex_app_token))
        sbx_vtex_fail(v, 401, "1", "Acesso não autorizado");
}

static void check_query(struct sbx_vtex *v)
{
    const json_t *known = json_object_get(v->spec, "query");
    struct sbx_breach breach;
    const char *key;
    json_t *schema;

    if (!sbx_query_split(v->req->query, v->pairs, &v->n_pairs)) {
        sbx_vtex_fail(v, 400, "1", "The query is malformed or repeats a parameter");
        return;
    }
    for (int i = 0; i < v->n_pairs; i++) {
        const json_t *one = json_object_get(known, v->pairs[i].name);

        if (one == NULL || !sbx_schema_param(one, v->pairs[i].name, v->pairs[i].value, &breach)) {
            bool affiliate = str_eq(v->pairs[i].name, "affiliateId");

            sbx_vtex_fail(v, 400, affiliate ? "FMT0031" : "1", "Unknown or wrong parameter: %s",
                          v->pairs[i].name);
            return;
        }
    }
    json_object_foreach((json_t *)(uintptr_t)known, key, schema)
    {
        if (json_is_true(json_object_get(schema, "required")) && sbx_vtex_query(v, key) == NULL) {
            sbx_vtex_fail(v, 400, "1", "Missing parameter: %s", key);
            return;
        }
    }
    const char *affiliate = sbx_vtex_query(v, "affiliateId");
    const char *channel = sbx_vtex_query(v, "sc");
    if (affiliate != NULL && !str_eq(affiliate, "TTK"))
        sbx_vtex_fail(v, 400, "FMT0021", "Afiliado desconhecido: %s", affiliate);
    else if (affiliate != NULL && channel == NULL)
        sbx_vtex_fail(v, 400, "FMT0036", "sc must be sent with every call of an affiliate");
    else if (channel != NULL && !str_eq(channel, "1") && !str_eq(channel, "3"))
        sbx_vtex_fail(v, 400, "FMT0036", "Política comercial desconhecida: %s", channel);
}

static void check_body(struct sbx_vtex *v)
{
    const json_t *schema = json_object_get(v->spec, "body");
    const char *type = http_header(v->req, "Content-Type");
    struct sbx_breach breach = { 0 };
    struct err e = { 0 };

    if (schema == NULL) {
        if (v->req->body_len > 0)
            sbx_vtex_fail(v, 400, "1", "No body is expected");
        return;
    }
    if (type == NULL || !str_starts(type, "application/json")) {
        sbx_vtex_fail(v, 415, "1", "Content-Type must be application/json");
        return;
    }
    if (jspec_parse(v->req->body, v->req->body_len, 0, &v->body, &e) != RC_OK) {
        sbx_vtex_fail(v, 400, "1", "The body is no JSON: %.200s", e.text);
        return;
    }
    if (json_is_array(v->body) && json_array_size(v->body) == 0)
        sbx_vtex_fail(v, 400, "FMT0026", "The list is empty");
    else if (!sbx_schema_check(schema, v->body, &breach))
        sbx_vtex_fail(v, 400, breach_code(v, &breach), "%s", breach.text);
}

static void check_all(struct sbx_vtex *v)
{
    const char *accept = http_header(v->req, "Accept");

    if (v->account == NULL) {
        sbx_vtex_fail(v, 404, "1", "Conta desconhecida");
        return;
    }
    check_quiet(v);
    check_keys(v);
    if (v->status == 0 && (accept == NULL || strstr(accept, "json") == NULL))
        sbx_vtex_fail(v, 406, "1", "Accept must be application/json");
    if (v->status == 0)
        check_query(v);
    if (v->status == 0)
        check_body(v);
}

static void run(struct sbx_vtex *v)
{
    for (size_t i = 0; i < sizeof OPERATIONS / sizeof OPERATIONS[0]; i++) {
        if (str_eq(OPERATIONS[i].name, v->operation)) {
            OPERATIONS[i].run(v);
            return;
        }
    }
    sbx_vtex_fail(v, 404, "1", "Not found");
}

static void planted(struct sbx_vtex *v, const struct sbx_fault *fault, struct http_reply *reply)
{
    if (str_eq(fault->kind, "429")) {
        sbx_vtex_fail(v, 429, "1", "Too Many Requests");
        int64_t wait_s = fault->ms > 0 ? (fault->ms + 999) / 1000 : 1;
        http_reply_header(reply, "Retry-After", "%lld", (long long)wait_s);
        if (v->account != NULL) {
            v->account->quiet_from_us = clock_mono_us() + GRACE_US;
            v->account->quiet_until_us = clock_mono_us() + wait_s * US_PER_S - GRACE_US;
        }
    } else {
        sbx_vtex_fail(v, str_eq(fault->kind, "503") ? 503 : 500, "1", "Internal Server Error");
    }
}

static void note(struct sbx_vtex *v, const struct sbx_fault *fault)
{
    const json_t *error = json_object_get(v->answer, "error");

    /* a 404 is an answer, not a breach */
    if (fault->kind[0] == '\0' && v->status >= 400 && v->status != 404 && v->status != 429 &&
        v->status < 500)
        sbx_note_refused(v->sb, "vtex", v->operation, sbx_text(error, "code"),
                         sbx_text(error, "message"));
    sbx_note(v->sb, v->req, v->status, 0, fault->kind);
}

/* Decimal prices as a person would write them: 69.9, not 69.900000000000006. */
static void answer(const struct sbx_vtex *v, struct http_reply *reply)
{
    char *text =
        sbx_need(json_dumps(v->answer, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(12)));

    reply->status = v->status;
    reply->content_type = "application/json; charset=utf-8";
    buf_str(&reply->body, text);
    free(text);
}

SBX_HANDLER(sbx_vtex_any)
{
    struct sandbox *sb = user;
    struct sbx_fault fault;
    enum sbx_gate gate = sbx_fault_before(sb, req, reply, "vtex", &fault);

    if (gate == SBX_STOP)
        return RC_OK;
    struct sbx_vtex *v = sbx_need(calloc(1, sizeof *v));
    v->sb = sb;
    v->req = req;
    v->operation = req->route->operation;
    v->spec = json_object_get(sb->vtex_contract, v->operation);
    (void)pthread_mutex_lock(&sb->lock);
    v->account = sbx_account_find(sb, http_param(req, "account"));
    if (gate == SBX_KIND)
        planted(v, &fault, reply);
    else
        check_all(v);
    if (v->status == 0)
        run(v);
    if (v->status == 0)
        v->status = 200;
    note(v, &fault);
    answer(v, reply);
    json_decref(v->body); /* parts of both may live on in the state: still under the lock */
    json_decref(v->answer);
    (void)pthread_mutex_unlock(&sb->lock);
    sbx_fault_after(&fault, reply);
    free(v);
    return buf_check(&reply->body, e);
}
