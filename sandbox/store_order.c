/* store_order.c - orders of a simulated VTEX account: placement, authorization, workflow, cancellation. */
#include "store.h"

#include "clock.h"
#include "str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *description;
    const char *next; /* where the workflow goes by itself; NULL = it waits */
} WORKFLOW[] = {
    { "order-created", "Processando", "on-order-completed-ffm" },
    { "on-order-completed-ffm", "Processando", "waiting-ffmt-authorization" },
    { "waiting-ffmt-authorization", "Aguardando autorização para despachar", NULL },
    { "waiting-for-manual-authorization", "Aguardando decisão manual", NULL },
    { "authorize-fulfillment", "Autorizado para despachar", "window-to-cancel" },
    { "window-to-cancel", "Carência para cancelamento", "ready-for-handling" },
    { "ready-for-handling", "Pronto para o manuseio", NULL },
    { "start-handling", "Iniciar manuseio", "handling" },
    { "handling", "Preparando entrega", NULL },
    { "invoice", "Verificando fatura", "invoiced" },
    { "invoiced", "Faturado", NULL },
    { "cancellation-requested", "Cancelamento solicitado", "cancel" },
    { "request-cancel", "Solicitar cancelamento", "cancel" },
    { "cancel", "Cancelar", "canceled" },
    { "canceled", "Cancelado", NULL },
};
#define N_WORKFLOW (sizeof WORKFLOW / sizeof WORKFLOW[0])

struct step {
    char account[64];
    char order_id[96];
    char from[48];
};

static int workflow_index(const char *status)
{
    for (size_t i = 0; i < N_WORKFLOW; i++) {
        if (str_eq(WORKFLOW[i].name, status))
            return (int)i;
    }
    return -1;
}

static void reserve(struct sandbox *sb, struct sbx_account *account, const json_t *record,
                    int64_t sign)
{
    size_t i;
    json_t *item;

    json_array_foreach(json_object_get(json_object_get(record, "order"), "items"), i, item)
    {
        int64_t id = 0;

        if (!str_to_i64(sbx_text(item, "id"), 1, INT32_MAX, &id))
            continue;
        int index = merchant_sku_by_id(sb->merchant, id);
        if (index >= 0)
            account->reserved[index] += sign * sbx_int(item, "quantity");
    }
}

/* Sets the workflow status of a placed order. Lock held. */
static void move(json_t *record, const char *status)
{
    int index = workflow_index(status);
    char now[40];

    sbx_vtex_time(clock_now_us(), now);
    sbx_set_text(record, "status", status);
    sbx_set_text(record, "statusDescription", index < 0 ? status : WORKFLOW[index].description);
    sbx_set_text(record, "lastChange", now);
}

static void step_task(struct sandbox *sb, void *data);

/* Plans the next state where the workflow moves by itself. Lock held. */
static void plan(struct sandbox *sb, const struct sbx_account *account, const json_t *record)
{
    const char *status = sbx_text(record, "status");
    int index = workflow_index(status);

    if (index < 0 || WORKFLOW[index].next == NULL)
        return;
    struct step *step = sbx_need(calloc(1, sizeof *step));
    (void)str_copy(step->account, sizeof step->account, account->name); /* sizes are equal */
    (void)str_copy(step->order_id, sizeof step->order_id, sbx_text(record, "orderId"));
    (void)str_copy(step->from, sizeof step->from, status);
    agenda_put(sb->agenda, sb->cfg.workflow_ms, step_task, step);
}

static void step_task(struct sandbox *sb, void *data)
{
    struct step *step = data;

    (void)pthread_mutex_lock(&sb->lock);
    struct sbx_account *account = sbx_account_find(sb, step->account);
    json_t *record = account == NULL ? NULL : json_object_get(account->orders, step->order_id);
    int index = workflow_index(step->from);
    if (record != NULL && index >= 0 && str_eq(sbx_text(record, "status"), step->from)) {
        move(record, WORKFLOW[index].next);
        if (str_eq(WORKFLOW[index].next, "canceled"))
            reserve(sb, account, record, -1);
        plan(sb, account, record);
    }
    (void)pthread_mutex_unlock(&sb->lock);
    free(step);
}

/* The order of the path by id or sequence; NULL after a 404. */
static json_t *record_of_path(struct sbx_vtex *v)
{
    const char *wanted = http_param(v->req, "orderId");
    json_t *record = json_object_get(v->account->orders, wanted);
    const char *id;
    json_t *one;

    if (record != NULL)
        return record;
    json_object_foreach(v->account->orders, id, one)
    {
        if (str_eq(sbx_text(one, "sequence"), wanted))
            return one;
    }
    sbx_vtex_fail(v, 404, "OMS001", "Pedido não encontrado");
    return NULL;
}

/* ---- placement ------------------------------------------------------------------------------- */

static json_t *record_new(struct sbx_vtex *v, json_t *order, const char *order_id, bool diverges)
{
    json_t *record = sbx_need(json_object());
    char now[40], text[64];

    sbx_vtex_time(clock_now_us(), now);
    sbx_set_text(record, "orderId", order_id);
    sbx_set_text(record, "marketplaceOrderId", sbx_text(order, "marketplaceOrderId"));
    (void)snprintf(text, sizeof text, "%lld", (long long)(502871 + v->sb->seq++));
    sbx_set_text(record, "sequence", text);
    sbx_set_text(record, "affiliateId", sbx_vtex_query(v, "affiliateId"));
    const char *channel = sbx_vtex_query(v, "sc");
    sbx_set_text(record, "salesChannel", channel == NULL ? "3" : channel);
    sbx_set_text(record, "creationDate", now);
    sbx_set(record, "authorizedDate", json_null());
    sbx_set(record, "order", json_incref(order));
    move(record, diverges ? "waiting-for-manual-authorization" : "order-created");
    return record;
}

static json_t *placed_new(const json_t *order, const char *order_id)
{
    static const char *const echoed[] = { "items", "clientProfileData", "shippingData" };
    json_t *out = sbx_need(json_object());

    sbx_set_text(out, "marketplaceOrderId", sbx_text(order, "marketplaceOrderId"));
    sbx_set_text(out, "orderId", order_id);
    sbx_set_text(out, "followUpEmail", "9f2c4e1a7b8d4f0e@ct.vtex.example");
    for (size_t i = 0; i < 3; i++)
        sbx_set(out, echoed[i], json_deep_copy(json_object_get(order, echoed[i])));
    sbx_set(out, "paymentData", json_null());
    sbx_set(out, "customData", json_null());
    return out;
}

void sbx_vtex_place(struct sbx_vtex *v)
{
    json_t *order = json_array_get(v->body, 0);
    char order_id[96];
    bool diverges = false;
    const char *marketplace_id = sbx_text(order, "marketplaceOrderId");

    if (strlen(marketplace_id) > 64) {
        sbx_vtex_fail(v, 400, "FMT015", "marketplaceOrderId is too long");
        return;
    }
    (void)snprintf(order_id, sizeof order_id, "%.3s-%.64s", sbx_vtex_query(v, "affiliateId"),
                   marketplace_id);
    const json_t *old = json_object_get(v->account->orders, order_id);
    if (old != NULL && str_eq(sbx_text(old, "status"), "canceled")) {
        sbx_vtex_fail(v, 400, "FMT0060", "Pedido já cancelado na VTEX, não pode ser recriado");
        return;
    }
    if (old != NULL) {
        sbx_vtex_fail(v, 400, "FMT009", "Pedido duplicado");
        return;
    }
    if (!store_order_check(v, order, &diverges))
        return;
    json_t *record = record_new(v, order, order_id, diverges);
    sbx_set(v->account->orders, order_id, record);
    reserve(v->sb, v->account, record, 1);
    plan(v->sb, v->account, record);
    store_cross_check(v, order);
    v->answer = sbx_need(json_array());
    sbx_append(v->answer, placed_new(order, order_id));
}

/* ---- authorization --------------------------------------------------------------------------- */

static void authorized(struct sbx_vtex *v, const json_t *record)
{
    json_t *items = sbx_need(json_array());
    json_t *logistics = sbx_need(json_array());
    const json_t *order = json_object_get(record, "order");
    size_t i;
    json_t *one;

    json_array_foreach(json_object_get(order, "items"), i, one)
        sbx_append(items, json_pack("{s:s}", "id", sbx_text(one, "id")));
    json_array_foreach(json_object_get(json_object_get(order, "shippingData"), "logisticsInfo"), i,
                       one)
        sbx_append(logistics,
                   json_pack("{s:I,s:s,s:s}", "itemIndex", (json_int_t)sbx_int(one, "itemIndex"),
                             "selectedSla", sbx_text(one, "selectedSla"), "selectedDeliveryChannel",
                             "delivery"));
    v->answer = sbx_need(
        json_pack("{s:s,s:s,s:s,s:s,s:o,s:{s:o}}", "orderId", sbx_text(record, "orderId"),
                  "marketplaceOrderId", sbx_text(record, "marketplaceOrderId"), "receipt",
                  "5c54532d-da9d-4140-a1e7-323009f977cc", "date", sbx_text(record, "lastChange"),
                  "items", items, "shippingData", "logisticsInfo", logistics));
}

void sbx_vtex_authorize(struct sbx_vtex *v)
{
    json_t *record = record_of_path(v);
    const char *status = sbx_text(record, "status");
    char now[40];

    if (record == NULL)
        return;
    if (!str_eq(sbx_text(v->body, "marketplaceOrderId"), sbx_text(record, "marketplaceOrderId"))) {
        sbx_vtex_fail(v, 400, "FMT0071", "Identificador do marketplace difere do pedido");
        return;
    }
    if (str_eq(status, "waiting-for-manual-authorization") || str_starts(status, "cancel") ||
        str_eq(status, "request-cancel")) {
        sbx_vtex_fail(v, 400, "OMS003", "O pedido está em %s", status);
        return;
    }
    if (json_is_null(json_object_get(record, "authorizedDate"))) { /* a repeat changes nothing */
        sbx_vtex_time(clock_now_us(), now);
        sbx_set_text(record, "authorizedDate", now);
        move(record, "authorize-fulfillment");
        plan(v->sb, v->account, record);
    }
    authorized(v, record);
}

/* ---- reading --------------------------------------------------------------------------------- */

void sbx_vtex_order(struct sbx_vtex *v)
{
    const json_t *record = record_of_path(v);

    if (record != NULL)
        v->answer = sbx_vtex_document_new(v->sb, v->account, record);
}

static bool filter_fits(const struct sbx_vtex *v, const char *parameter, const char *text)
{
    const char *wanted = sbx_vtex_query(v, parameter);

    return wanted == NULL || str_eq(wanted, text);
}

/* "creationDate:[from TO to]" in UTC. */
static bool date_fits(const struct sbx_vtex *v, const json_t *record)
{
    const char *filter = sbx_vtex_query(v, "f_creationDate");
    const char *open = filter == NULL ? NULL : strchr(filter, '[');
    const char *middle = open == NULL ? NULL : strstr(open, " TO ");
    char from[48], to[48];
    int64_t low = 0, high = 0, at = 0;

    if (filter == NULL)
        return true;
    if (middle == NULL)
        return false;
    (void)snprintf(from, sizeof from, "%.*s", (int)(middle - open - 1), open + 1);
    (void)snprintf(to, sizeof to, "%.*s", (int)strcspn(middle + 4, "]"), middle + 4);
    return clock_read(from, &low) && clock_read(to, &high) &&
           clock_read(sbx_text(record, "creationDate"), &at) && at >= low && at <= high;
}

static json_t *row_new(const json_t *record)
{
    static const char *const same[] = { "orderId",           "creationDate",  "status",
                                        "statusDescription", "sequence",      "salesChannel",
                                        "affiliateId",       "authorizedDate" };
    const json_t *order = json_object_get(record, "order");
    const json_t *buyer = json_object_get(order, "clientProfileData");
    json_t *out = sbx_need(json_object());
    char name[300];

    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        sbx_set(out, same[i], json_incref(json_object_get(record, same[i])));
    (void)snprintf(name, sizeof name, "%.120s %.120s", sbx_text(buyer, "firstName"),
                   sbx_text(buyer, "lastName"));
    name[str_utf8_prefix(name, 200)] = '\0';
    sbx_set_text(out, "clientName", name);
    sbx_set(out, "items", json_null());
    sbx_set_int(out, "totalValue", sbx_int(order, "marketplacePaymentValue"));
    sbx_set_text(out, "paymentNames", "");
    sbx_set_text(out, "marketPlaceOrderId", sbx_text(record, "marketplaceOrderId"));
    sbx_set_text(out, "origin", "Fulfillment");
    sbx_set(out, "workflowInErrorState", json_false());
    sbx_set(out, "workflowInRetry", json_false());
    sbx_set(out, "orderIsComplete", json_true());
    sbx_set_int(out, "totalItems", (int64_t)json_array_size(json_object_get(order, "items")));
    sbx_set_text(out, "currencyCode", "BRL");
    return out;
}

void sbx_vtex_orders(struct sbx_vtex *v)
{
    const char *q = sbx_vtex_query(v, "q");
    int64_t page = 1, size = 15, found = 0;
    json_t *list = sbx_need(json_array());
    const char *id;
    json_t *record;

    (void)(sbx_vtex_query(v, "page") != NULL &&
           str_to_i64(sbx_vtex_query(v, "page"), 1, 30, &page)); /* checked before */
    (void)(sbx_vtex_query(v, "per_page") != NULL &&
           str_to_i64(sbx_vtex_query(v, "per_page"), 1, 100, &size));
    json_object_foreach(v->account->orders, id, record)
    {
        bool named =
            q == NULL || str_eq(q, id) || str_eq(q, sbx_text(record, "marketplaceOrderId"));

        if (!named || !filter_fits(v, "f_status", sbx_text(record, "status")) ||
            !filter_fits(v, "f_affiliateId", sbx_text(record, "affiliateId")) ||
            !filter_fits(v, "f_salesChannel", sbx_text(record, "salesChannel")) ||
            !date_fits(v, record))
            continue;
        if (found >= (page - 1) * size && found < page * size)
            sbx_append(list, row_new(record));
        found++;
    }
    v->answer =
        sbx_need(json_pack("{s:o,s:{s:I,s:I,s:I,s:I}}", "list", list, "paging", "total",
                           (json_int_t)found, "pages", (json_int_t)((found + size - 1) / size),
                           "currentPage", (json_int_t)page, "perPage", (json_int_t)size));
}

/* ---- cancellation ---------------------------------------------------------------------------- */

void sbx_vtex_cancel(struct sbx_vtex *v)
{
    json_t *record = record_of_path(v);
    const char *status = sbx_text(record, "status");
    bool over = str_eq(status, "canceled") || str_eq(status, "cancel") ||
                str_eq(status, "cancellation-requested");

    if (record == NULL)
        return;
    if (str_eq(status, "invoice") || str_eq(status, "invoiced")) {
        sbx_vtex_fail(v, 400, "OMS003", "O pedido já foi faturado");
        return;
    }
    if (!over) {
        bool started = str_eq(status, "ready-for-handling") || str_eq(status, "start-handling") ||
                       str_eq(status, "handling");

        sbx_set_text(record, "cancelReason", sbx_text(v->body, "reason"));
        move(record, started ? "cancellation-requested" : "cancel");
        plan(v->sb, v->account, record);
    }
    v->answer = sbx_need(json_pack("{s:s,s:s,s:s}", "date", sbx_text(record, "lastChange"),
                                   "orderId", sbx_text(record, "orderId"), "receipt",
                                   "38e0e47da2934847b489216d208cfd91"));
}

void sbx_vtex_move(struct sandbox *sb, struct sbx_account *account, json_t *record,
                   const char *status)
{
    move(record, status);
    plan(sb, account, record);
}

SBX_HANDLER(sbx_vtex_status_post)
{
    struct sandbox *sb = user;
    json_auto_t *body = NULL;
    enum rc rc = http_body_json(req, false, &body, e);

    if (rc != RC_OK)
        return rc;
    const char *status = sbx_text(body, "status");
    if (workflow_index(status) < 0)
        return err_field(e, "status", "is no workflow status");
    (void)pthread_mutex_lock(&sb->lock);
    rc = RC_NOT_FOUND;
    for (int i = 0; i < sb->n_accounts; i++) {
        json_t *record = json_object_get(sb->accounts[i].orders, http_param(req, "order_id"));

        if (record == NULL)
            continue;
        if (str_eq(status, "canceled") && !str_eq(sbx_text(record, "status"), "canceled"))
            reserve(sb, &sb->accounts[i], record, -1);
        move(record, status);
        plan(sb, &sb->accounts[i], record);
        rc = RC_OK;
    }
    (void)pthread_mutex_unlock(&sb->lock);
    if (rc != RC_OK)
        return err_set(e, rc, "No VTEX account has this order");
    json_auto_t *answer = sbx_need(json_pack("{s:s}", "status", status));
    return http_reply_json(reply, 200, answer, e);
}
