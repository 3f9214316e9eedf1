/* shop_parcel.c - what TikTok does with an order's package: invoice, shipment, label, tracking. */
#include "state.h"

#include "clock.h"
#include "jspec.h"
#include "nfe.h"
#include "str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK_MS 1500 /* the tax authority takes its time */

/* Carriers that a seller may use. */
static const struct {
    const char *id, *name;
} CARRIERS[] = { { "7117858858072016686", "Correios" }, { "7117858858072016687", "Jadlog" } };

/* The order that a package belongs to; NULL when the shop has no such package. */
static json_t *order_of(const struct sbx_shop *shop, const char *package_id)
{
    const char *id;
    json_t *order;

    json_object_foreach(shop->orders, id, order)
    {
        if (str_eq(sbx_text(json_array_get(json_object_get(order, "packages"), 0), "id"),
                   package_id))
            return order;
    }
    return NULL;
}

/* What is remembered of a package beside the order; made at first sight. */
static json_t *parcel_of(struct sbx_shop *shop, const char *package_id)
{
    json_t *parcel = json_object_get(shop->parcels, package_id);

    if (parcel == NULL) {
        parcel = sbx_need(json_pack("{s:s, s:s}", "invoice", "", "tracking", ""));
        sbx_set(shop->parcels, package_id, parcel);
    }
    return parcel;
}

static const char *status_of(const json_t *order)
{
    const char *status = sbx_text(order, "status");

    if (str_eq(status, "AWAITING_SHIPMENT") || str_eq(status, "PARTIALLY_SHIPPING"))
        return "TO_FULFILL";
    if (str_eq(status, "AWAITING_COLLECTION"))
        return "PROCESSING";
    return str_eq(status, "IN_TRANSIT")  ? "FULFILLING"
           : str_eq(status, "CANCELLED") ? "CANCELLED"
                                         : "COMPLETED";
}

/* Finds order and package of the path; false after sbx_fail. */
static bool path_find(struct sbx_call *c, json_t **order, json_t **parcel)
{
    const char *id = http_param(c->req, "package_id");

    *order = order_of(c->shop, id);
    if (*order == NULL) {
        sbx_fail(c, 21011028, "The package does not belong to the current shop.");
        return false;
    }
    *parcel = parcel_of(c->shop, id);
    return true;
}

/* ---- the invoice --------------------------------------------------------------------------------- */

struct check {
    char shop_id[40], package_id[40];
    bool good;
};

static void check_task(struct sandbox *sb, void *data)
{
    struct check *check = data;
    struct sbx_shop *shop;
    json_t *order;

    (void)pthread_mutex_lock(&sb->lock);
    shop = sbx_shop_find(sb, check->shop_id);
    order = shop != NULL ? order_of(shop, check->package_id) : NULL;
    if (order != NULL) {
        json_t *news = sbx_need(json_object());

        sbx_set_text(parcel_of(shop, check->package_id), "invoice", check->good ? "SUCCESS" : "");
        sbx_set_text(order, "need_upload_invoice",
                     check->good ? "INVOICE_UPLOADED" : "NEED_INVOICE");
        sbx_set_int(order, "update_time", sbx_now_s());
        sbx_set_text(news, "package_id", check->package_id);
        sbx_set(news, "order_ids", json_pack("[s]", sbx_text(order, "id")));
        sbx_set_text(news, "invoice_status", check->good ? "SUCCESS" : "INVALID");
        if (!check->good)
            sbx_set_text(news, "invalid_reason", "FAILED");
        sbx_webhook(sb, shop, 36, news);
    }
    (void)pthread_mutex_unlock(&sb->lock);
    free(check);
}

static bool file_good(const char *base64)
{
    size_t cap = strlen(base64) + 4;
    char *xml = sbx_need(malloc(cap));
    long len = str_unbase64(xml, cap, base64);
    struct nfe nfe;
    bool good = len > 0 && nfe_read(xml, (size_t)len, &nfe, NULL) == RC_OK;

    free(xml);
    return good;
}

static void invoice_take(struct sbx_call *c, const json_t *one, json_t *errors)
{
    const char *id = sbx_text(one, "package_id");
    json_t *order = order_of(c->shop, id);
    json_t *parcel;
    struct check *check;

    if (order == NULL) {
        sbx_fail(c, 21011028, "The package does not belong to the current shop.");
        return;
    }
    parcel = parcel_of(c->shop, id);
    if (sbx_text(parcel, "invoice")[0] != '\0') {
        sbx_append(errors,
                   json_pack("{s:i, s:s, s:{s:s, s:O}}", "code", 10007014, "message",
                             "The invoice already exists in the upload. Please try again later",
                             "detail", "package_id", id, "order_ids",
                             json_object_get(one, "order_ids")));
        return;
    }
    sbx_set_text(parcel, "invoice", "PROCESSING");
    sbx_set_text(order, "need_upload_invoice", "INVOICE_PROCESSING");
    check = sbx_need(calloc(1, sizeof *check));
    (void)str_copy(check->shop_id, sizeof check->shop_id, c->shop->id);
    (void)str_copy(check->package_id, sizeof check->package_id, id);
    check->good = file_good(sbx_text(one, "file"));
    agenda_put(c->sb->agenda, CHECK_MS, check_task, check);
}

void sbx_upload_invoice(struct sbx_call *c)
{
    json_t *errors = sbx_need(json_array());
    size_t i;
    json_t *one;

    json_array_foreach(json_object_get(c->body, "invoices"), i, one) invoice_take(c, one, errors);
    c->data = sbx_need(json_pack("{s:o}", "errors", errors));
}

/* ---- reading --------------------------------------------------------------------------------------- */

static const char *carrier_name(const char *id)
{
    for (size_t i = 0; i < sizeof CARRIERS / sizeof CARRIERS[0]; i++)
        if (str_eq(CARRIERS[i].id, id))
            return CARRIERS[i].name;
    return "";
}

static json_t *inside_new(const json_t *order)
{
    json_t *skus = sbx_need(json_array());
    size_t i;
    json_t *line;

    json_array_foreach(json_object_get(order, "line_items"), i, line)
        sbx_append(skus, json_pack("{s:s, s:s, s:i}", "id", sbx_text(line, "sku_id"), "name",
                                   sbx_text(line, "sku_name"), "quantity", 1));
    return sbx_need(json_pack("[{s:s, s:o}]", "id", sbx_text(order, "id"), "skus", skus));
}

void sbx_get_package(struct sbx_call *c)
{
    json_t *order, *parcel;

    if (!path_find(c, &order, &parcel))
        return;
    c->data = sbx_need(json_object());
    sbx_set_text(c->data, "package_id", http_param(c->req, "package_id"));
    sbx_set(c->data, "orders", inside_new(order));
    sbx_set_text(c->data, "package_status", status_of(order));
    sbx_set_text(c->data, "shipping_type", sbx_text(order, "shipping_type"));
    sbx_set_text(c->data, "delivery_option_id", sbx_text(order, "delivery_option_id"));
    sbx_set_text(c->data, "tracking_number", sbx_text(parcel, "tracking"));
    sbx_set_text(c->data, "shipping_provider_id", sbx_text(parcel, "provider"));
    sbx_set_text(c->data, "shipping_provider_name", carrier_name(sbx_text(parcel, "provider")));
    sbx_set_int(c->data, "create_time", sbx_int(order, "create_time"));
    sbx_set_int(c->data, "update_time", sbx_int(order, "update_time"));
}

void sbx_get_slots(struct sbx_call *c)
{
    json_t *order, *parcel, *slots = sbx_need(json_array());
    int64_t day = sbx_now_s() / 86400 * 86400;

    for (int i = 1; i <= 3; i++)
        sbx_append(slots, json_pack("{s:I, s:I, s:b}", "start_time",
                                    (json_int_t)(day + i * 86400 + 12 * 3600), "end_time",
                                    (json_int_t)(day + i * 86400 + 16 * 3600), "avaliable", i > 1));
    c->data = sbx_need(json_pack("{s:b, s:b, s:b, s:s, s:o}", "can_pickup", 1, "can_drop_off", 1,
                                 "can_van_collection", 0, "drop_off_point_url",
                                 "https://mapa.example/pontos", "pickup_slots", slots));
    (void)path_find(c, &order, &parcel);
}

void sbx_get_providers(struct sbx_call *c)
{
    json_t *list = sbx_need(json_array());

    for (size_t i = 0; i < sizeof CARRIERS / sizeof CARRIERS[0]; i++)
        sbx_append(list, json_pack("{s:s, s:s}", "id", CARRIERS[i].id, "name", CARRIERS[i].name));
    c->data = sbx_need(json_pack("{s:o}", "shipping_providers", list));
}

void sbx_get_tracking(struct sbx_call *c)
{
    static const struct {
        const char *member, *text;
    } STEPS[] = { { "rts_time", "Envio preparado" },
                  { "collection_time", "Pacote coletado" },
                  { "delivery_time", "Entregue ao destinatário" } };
    const json_t *order = json_object_get(c->shop->orders, http_param(c->req, "order_id"));
    json_t *list = sbx_need(json_array());

    for (size_t i = 0; i < sizeof STEPS / sizeof STEPS[0]; i++) {
        int64_t at = sbx_int(order, STEPS[i].member);

        if (at > 0)
            sbx_append(list, json_pack("{s:s, s:I}", "description", STEPS[i].text,
                                       "update_time_millis", (json_int_t)(at * 1000)));
    }
    c->data = sbx_need(json_pack("{s:o}", "tracking", list));
}

/* ---- shipping -------------------------------------------------------------------------------------- */

/* Carrier and number of a seller's own shipment; false with a code. */
static bool own_carrier(const json_t *how, json_t *parcel, int64_t *code, const char **text)
{
    const json_t *self = json_object_get(how, "self_shipment");

    *code = 21011022;
    *text = "Invalid tracking number or provider ID. Please double check and try again.";
    if (self == NULL || carrier_name(sbx_text(self, "shipping_provider_id"))[0] == '\0')
        return false;
    sbx_set_text(parcel, "tracking", sbx_text(self, "tracking_number"));
    sbx_set_text(parcel, "provider", sbx_text(self, "shipping_provider_id"));
    return true;
}

/* Ships one package; 0 or TikTok's code with its text. */
static int64_t arrange(struct sbx_call *c, const char *id, const json_t *how, const char **text)
{
    json_t *order = order_of(c->shop, id);
    bool seller = str_eq(sbx_text(order, "shipping_type"), "SELLER");
    json_t *parcel;
    char number[40], made[32];
    int64_t code = 0;

    *text = "The package does not belong to the current shop.";
    if (order == NULL)
        return 21011028;
    parcel = parcel_of(c->shop, id);
    *text = "Package has been shipped. Please not ship the package again.";
    if (!str_eq(status_of(order), "TO_FULFILL"))
        return 11006021;
    *text = "Fulfillment Invoice status is not success, can not rts pkg.";
    if (!str_eq(sbx_text(order, "need_upload_invoice"), "INVOICE_UPLOADED") &&
        !str_eq(sbx_text(order, "need_upload_invoice"), "NO_NEED"))
        return 21004020;
    *text = "Invalid parameters. Please ensure you are passing the correct request parameter(s).";
    if (seller && !own_carrier(how, parcel, &code, text))
        return code;
    if (!seller && sbx_text(how, "handover_method")[0] == '\0')
        return 21001001;
    if (!seller) {
        sbx_id(c->sb, false, made);
        (void)snprintf(number, sizeof number, "TKBR%.9s", made + 8);
        sbx_set_text(parcel, "tracking", number);
    }
    (void)sbx_order_move(c->sb, c->shop, order, seller ? "IN_TRANSIT" : "AWAITING_COLLECTION",
                         NULL);
    return 0;
}

void sbx_ship_package(struct sbx_call *c)
{
    const char *text;
    int64_t code = arrange(c, http_param(c->req, "package_id"), c->body, &text);

    c->data = sbx_need(json_object());
    if (code != 0)
        sbx_fail(c, code, "%s", text);
}

void sbx_ship_packages(struct sbx_call *c)
{
    json_t *errors = sbx_need(json_array());
    size_t i;
    json_t *one;

    json_array_foreach(json_object_get(c->body, "packages"), i, one)
    {
        const char *text;
        int64_t code = arrange(c, sbx_text(one, "id"), one, &text);

        if (code != 0)
            sbx_append(errors, json_pack("{s:I, s:s, s:{s:s}}", "code", (json_int_t)code, "message",
                                         text, "detail", "package_id", sbx_text(one, "id")));
    }
    c->data = sbx_need(json_pack("{s:o}", "errors", errors));
}

void sbx_update_shipping(struct sbx_call *c)
{
    json_t *order, *parcel;

    c->data = sbx_need(json_object());
    if (!path_find(c, &order, &parcel))
        return;
    if (str_eq(status_of(order), "TO_FULFILL")) {
        sbx_fail(c, 21011043, "The package has not been shipped yet.");
        return;
    }
    sbx_set_text(parcel, "tracking", sbx_text(c->body, "tracking_number"));
    sbx_set_text(parcel, "provider", sbx_text(c->body, "shipping_provider_id"));
    sbx_set_int(order, "update_time", sbx_now_s());
}

/* ---- the label --------------------------------------------------------------------------------------- */

void sbx_get_document(struct sbx_call *c)
{
    bool zpl = str_eq(sbx_query(c, "document_format"), "ZPL");
    char base[256], url[400];
    json_t *order, *parcel;

    if (!path_find(c, &order, &parcel))
        return;
    if (str_eq(status_of(order), "TO_FULFILL")) {
        sbx_fail(c, 21023035, "Please arrange shipment before retrieving the shipping document.");
        return;
    }
    if (!str_eq(status_of(order), "PROCESSING")) {
        sbx_fail(c, 21042102, "Documents couldn't be printed after the package has been pickup.");
        return;
    }
    sbx_base_address(c->req, base, sizeof base);
    (void)snprintf(url, sizeof url, "%s/sandbox/labels/%s/%s", base,
                   http_param(c->req, "package_id"), zpl ? "zpl" : "pdf");
    c->data = sbx_need(
        json_pack("{s:s, s:s}", "doc_url", url, "tracking_number", sbx_text(parcel, "tracking")));
}

/* A page of A6 with one line of text. */
static void pdf_write(struct buf *out, const char *id)
{
    char text[120];

    (void)snprintf(text, sizeof text, "BT /F1 14 Tf 20 380 Td (Pacote %.40s) Tj ET", id);
    buf_fmt(
        out,
        "%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]"
        "/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 298 420]/Contents 4 0 R"
        "/Resources<</Font<</F1 5 0 R>>>>>>endobj\n4 0 obj<</Length %zu>>stream\n%s\nendstream"
        "\nendobj\n5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n"
        "trailer<</Root 1 0 R>>\n%%%%EOF\n",
        strlen(text), text);
}

SBX_HANDLER(sbx_label_get)
{
    const char *id = http_param(req, "package_id");
    bool zpl = str_eq(http_param(req, "format"), "zpl");

    (void)user;
    if (!str_digits(id))
        return err_set(e, RC_NOT_FOUND, "There is no such label");
    reply->status = 200;
    reply->content_type = zpl ? "application/zpl" : "application/pdf";
    if (zpl)
        buf_fmt(&reply->body, "^XA^FO40,40^A0N,40,40^FDPacote %s^FS^XZ\n", id);
    else
        pdf_write(&reply->body, id);
    return buf_check(&reply->body, e);
}
