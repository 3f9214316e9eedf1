/* store_invoice.c - the merchant's system issues an NF-e in VTEX; tracking that is told about it. */
#include "state.h"

#include "jspec.h"
#include "str.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define ISSUER "11222333000181"

static const struct jspec_field INVOICE_FIELDS[] = {
    { .name = "courier", .type = JSPEC_TEXT, .min = 1, .max = 60 },
    { .name = "tracking_number", .type = JSPEC_TEXT, .min = 1, .max = 60 },
    { .name = "xml", .type = JSPEC_TEXT, .min = 0, .max = 700000 },
    { 0 },
};

/* Check digit of the 43 digits before it, modulo 11. */
static char key_digit(const char *key)
{
    int sum = 0;

    for (int i = 42, weight = 2; i >= 0; i--, weight = weight == 9 ? 2 : weight + 1)
        sum += (key[i] - '0') * weight;
    sum = 11 - sum % 11;
    return (char)('0' + (sum > 9 ? 0 : sum));
}

static void key_make(struct sandbox *sb, int64_t number, char out[48])
{
    time_t now = (time_t)sbx_now_s();
    struct tm tm;
    char id[32];

    (void)gmtime_r(&now, &tm);
    sbx_id(sb, false, id);
    (void)str_fmt(out, 48, "35%02d%02d" ISSUER "55001%09d1%.8s", tm.tm_year % 100, tm.tm_mon + 1,
                  (int)(number % 1000000000), id + 10);
    out[43] = key_digit(out);
    out[44] = '\0';
}

/* The XML as the tax authority gives it back. */
static void xml_write(struct buf *out, const char *key, int64_t number, const json_t *record)
{
    const json_t *order = json_object_get(record, "order");
    const json_t *buyer = json_object_get(order, "clientProfileData");
    const char *document = sbx_text(buyer, "document");
    const char *tag = strlen(document) == 14 ? "CNPJ" : "CPF";
    int64_t value = sbx_int(order, "marketplacePaymentValue");

    buf_fmt(
        out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><nfeProc versao=\"4.00\" "
        "xmlns=\"http://www.portalfiscal.inf.br/nfe\"><NFe><infNFe Id=\"NFe%s\" versao=\"4.00\">"
        "<ide><cUF>35</cUF><mod>55</mod><serie>1</serie><nNF>%" PRId64
        "</nNF></ide><emit><CNPJ>" ISSUER
        "</CNPJ><xNome>LOJA EXEMPLO LTDA</xNome></emit><dest><%s>%s</%s></dest><total>"
        "<ICMSTot><vNF>%" PRId64 ".%02" PRId64 "</vNF></ICMSTot></total></infNFe></NFe><protNFe "
        "versao=\"4.00\"><infProt><chNFe>%s</chNFe><nProt>135260000123456</nProt><cStat>100</cStat>"
        "</infProt></protNFe></nfeProc>",
        key, number, tag, document, tag, value / 100, value % 100, key);
}

static json_t *items_new(const json_t *order)
{
    json_t *out = sbx_need(json_array());
    size_t i;
    json_t *item;

    json_array_foreach(json_object_get(order, "items"), i, item) sbx_append(
        out, json_pack("{s:i, s:I, s:I, s:n, s:f}", "itemIndex", (int)i, "quantity",
                       (json_int_t)sbx_int(item, "quantity"), "price",
                       (json_int_t)sbx_int(item, "price"), "description", "unitMultiplier", 1.0));
    return out;
}

/* Adds the invoice to the order's packages and gives its number. Lock held. */
static int64_t issue(struct sandbox *sb, json_t *record, const json_t *body)
{
    const char *xml = json_string_value(json_object_get(body, "xml"));
    const char *courier = sbx_text(body, "courier");
    const char *tracking = json_string_value(json_object_get(body, "tracking_number"));
    json_t *packages = json_object_get(record, "packages");
    OWN_BUF struct buf made = { 0 };
    int64_t number = 40000 + ++sb->seq;
    char key[48], text[24], at[40];
    json_t *one = sbx_need(json_object());

    buf_init(&made, (size_t)1 << 20);
    key_make(sb, number, key);
    xml_write(&made, key, number, record);
    sbx_vtex_time(sbx_now_s() * 1000000, at);
    (void)snprintf(text, sizeof text, "%" PRId64, number);
    sbx_set(one, "items", items_new(json_object_get(record, "order")));
    sbx_set_text(one, "courier", courier[0] != '\0' ? courier : "Correios");
    sbx_set_text(one, "invoiceNumber", text);
    sbx_set_int(one, "invoiceValue",
                sbx_int(json_object_get(record, "order"), "marketplacePaymentValue"));
    sbx_set_text(one, "invoiceUrl", NULL);
    sbx_set_text(one, "issuanceDate", at);
    sbx_set_text(one, "trackingNumber", tracking);
    sbx_set_text(one, "invoiceKey", key);
    sbx_set_text(one, "trackingUrl", NULL);
    sbx_set_text(one, "embeddedInvoice", xml != NULL ? xml : buf_text(&made));
    sbx_set_text(one, "type", "Output");
    sbx_set(one, "courierStatus", json_null());
    if (packages == NULL) {
        packages = sbx_need(json_array());
        sbx_set(record, "packages", packages);
    }
    sbx_append(packages, one);
    return number;
}

SBX_HANDLER(sbx_vtex_invoice_post)
{
    struct sandbox *sb = user;
    json_auto_t *body = NULL;
    int64_t number = 0;
    enum rc rc = http_body_json(req, true, &body, e);

    if (rc == RC_OK)
        rc = jspec_check(body, INVOICE_FIELDS, e);
    if (rc != RC_OK)
        return rc;
    (void)pthread_mutex_lock(&sb->lock);
    rc = RC_NOT_FOUND;
    for (int i = 0; i < sb->n_accounts; i++) {
        json_t *record = json_object_get(sb->accounts[i].orders, http_param(req, "order_id"));

        if (record == NULL)
            continue;
        number = issue(sb, record, body);
        sbx_vtex_move(sb, &sb->accounts[i], record, "invoiced");
        rc = RC_OK;
    }
    (void)pthread_mutex_unlock(&sb->lock);
    if (rc != RC_OK)
        return err_set(e, rc, "No VTEX account has this order");
    json_auto_t *answer = sbx_need(json_pack("{s:I}", "invoice_number", (json_int_t)number));
    return http_reply_json(reply, 201, answer, e);
}

/* ---- tracking ------------------------------------------------------------------------------------ */

/* The invoice of the path; NULL after sbx_vtex_fail. */
static json_t *invoice_of(struct sbx_vtex *v)
{
    json_t *record = json_object_get(v->account->orders, http_param(v->req, "orderId"));
    size_t i;
    json_t *one;

    json_array_foreach(json_object_get(record, "packages"), i, one)
    {
        if (str_eq(sbx_text(one, "invoiceNumber"), http_param(v->req, "invoiceNumber")))
            return one;
    }
    sbx_vtex_fail(v, 404, "OMS001", "Nota não encontrada");
    return NULL;
}

static void receipt_put(struct sbx_vtex *v)
{
    char at[40];

    sbx_vtex_time(sbx_now_s() * 1000000, at);
    v->answer = sbx_need(json_pack("{s:s, s:s, s:n}", "date", at, "orderId",
                                   http_param(v->req, "orderId"), "receipt"));
}

void sbx_vtex_patch_tracking(struct sbx_vtex *v)
{
    json_t *one = invoice_of(v);

    if (one == NULL)
        return;
    sbx_set_text(one, "trackingNumber", sbx_text(v->body, "trackingNumber"));
    sbx_set_text(one, "courier", sbx_text(v->body, "courier"));
    receipt_put(v);
}

void sbx_vtex_put_tracking(struct sbx_vtex *v)
{
    json_t *one = invoice_of(v);

    if (one == NULL)
        return;
    sbx_set(one, "courierStatus",
            json_pack("{s:O, s:O?, s:O?}", "finished", json_object_get(v->body, "isDelivered"),
                      "deliveredDate", json_object_get(v->body, "deliveredDate"), "data",
                      json_object_get(v->body, "events")));
    receipt_put(v);
}
