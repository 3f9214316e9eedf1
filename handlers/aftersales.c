/* aftersales.c - a person cancels an order, and answers what buyers ask: cancellations and returns. */
#include "once.h"
#include "rest.h"

#include "db_account.h"
#include "db_aftersale.h"
#include "db_order_erase.h"
#include "jspec.h"
#include "str.h"

static const char *const RETURN_WORDS[] = { "APPROVE_REFUND",
                                            "APPROVE_RETURN",
                                            "APPROVE_RECEIVED_PACKAGE",
                                            "APPROVE_REPLACEMENT",
                                            "ISSUE_REPLACEMENT_REFUND",
                                            "REJECT_REFUND",
                                            "REJECT_RETURN",
                                            "REJECT_RECEIVED_PACKAGE",
                                            "REJECT_REPLACEMENT",
                                            NULL };

/* ---- cancelling an order ----------------------------------------------------------------------- */

/* Only an order that TikTok can still cancel. */
static enum rc check_cancel(const struct order_row *row, struct err *e)
{
    static const char *const over[] = { "CANCELLED", "IN_TRANSIT", "DELIVERED", "COMPLETED" };

    for (size_t i = 0; i < sizeof over / sizeof over[0]; i++) {
        if (str_eq(row->tiktok_status, over[i]))
            return err_http(e, 409, "cannot_cancel", "TikTok shows the order as %s",
                            row->tiktok_status);
    }
    if (str_eq(row->cancel_step, "tiktok_wanted") || str_eq(row->cancel_step, "tiktok_sent") ||
        str_eq(row->cancel_step, "tiktok_asked"))
        return err_http(e, 409, "cancelling", "the order is being cancelled already");
    return RC_OK;
}

static enum rc cancel_write(struct db_tx *tx, const struct order_row *row, const char *reason,
                            struct err *e)
{
    enum rc rc = db_order_cancel_set(tx, row->shop_id, row->order_id, "tiktok_wanted", "operator",
                                     reason, e);

    if (rc == RC_OK)
        rc = db_order_timeline_add(tx, row->client_id, row->shop_id, row->order_id, "cancel_asked",
                                   reason ? reason : "", "operator", NULL, e);
    if (rc == RC_OK)
        rc = db_order_import_put(tx, row->client_id, row->shop_id, row->order_id, "operator", NULL,
                                 0, e);
    return rc;
}

enum rc order_cancel_post(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    static const struct jspec_field SPEC[] = {
        { .name = "reason", .type = JSPEC_TEXT, .min = 1, .max = 120 },
        { 0 },
    };
    OWN_TX struct db_tx *tx = NULL;
    const char *order_id = http_param(req, "order_id");
    json_auto_t *answer = json_pack("{s:s, s:s}", "order_id", order_id, "status", "queued");
    json_auto_t *body = NULL;
    const char *client_id = NULL;
    struct once once = { 0 };
    struct order_row row = { 0 };
    char shop_id[72];
    enum rc rc = rest_no_query(req, e);

    if (rc == RC_OK)
        rc = rest_begin(user, req, "order_cancel", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = once_begin(tx, req, client_id, &once, reply, e);
    if (rc != RC_OK || once.answered)
        return rc;
    rc = http_body_json(req, true, &body, e);
    if (rc == RC_OK && body)
        rc = jspec_check(body, SPEC, e);
    if (rc == RC_OK)
        rc = db_order_shop(tx, client_id, order_id, shop_id, e);
    if (rc == RC_OK)
        rc = db_order_get(tx, shop_id, order_id, &row, e);
    if (rc == RC_OK)
        rc = check_cancel(&row, e);
    if (rc == RC_OK)
        rc = cancel_write(tx, &row, jspec_text(body, "reason"), e);
    if (rc == RC_OK)
        rc = rest_audit(tx, req, client_id, "order_cancel", answer, e);
    if (rc != RC_OK)
        return rc;
    http_reply_header(reply, "Location", "/v1/clients/%s/orders/%s", client_id, order_id);
    rc = http_reply_json(reply, 202, answer, e);
    return rc == RC_OK ? once_commit(tx, &once, reply, e) : rc;
}

/* ---- requests of buyers ------------------------------------------------------------------------- */

enum rc aftersales_list(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    static const char *const QUERY[] = { "kind", "open", NULL };
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *items = NULL;
    struct aftersale_filter filter = { 0 };
    struct rest_page page;
    const char *client_id = NULL;
    char kind[16];
    char next[160];
    enum rc rc = rest_page_read(req, QUERY, &page, e);

    if (rc == RC_OK)
        rc = rest_query(req, "kind", kind, sizeof kind, &filter.kind, e);
    if (rc == RC_OK)
        rc = rest_query_bool(req, "open", &filter.open, e);
    if (rc == RC_OK && filter.kind && !str_eq(kind, "cancellation") && !str_eq(kind, "return"))
        return err_field(e, "kind", "must be cancellation or return");
    if (rc == RC_OK)
        rc = rest_begin(user, req, "aftersales", &client_id, &tx, e);
    if (rc != RC_OK)
        return rc;
    filter.cursor = page.cursor[0] != '\0' ? page.cursor : NULL;
    filter.limit = page.limit;
    rc = db_aftersale_list(tx, client_id, &filter, &items, next, e);
    return rc == RC_OK ? rest_page_reply(reply, req, items, next, e) : rc;
}

enum rc aftersale_get(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *doc = NULL;
    struct aftersale one = { 0 };
    const char *client_id = NULL;
    char shop_id[72];
    char order_id[ORDER_ID_BYTES];
    enum rc rc = rest_no_query(req, e);

    if (rc == RC_OK)
        rc = rest_begin(user, req, "aftersale", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = db_aftersale_get(tx, client_id, http_param(req, "aftersale_id"), shop_id, order_id,
                              &one, &doc, e);
    return rc == RC_OK ? http_reply_json(reply, 200, doc, e) : rc;
}

static bool reason_known(const json_t *doc, const char *reason)
{
    const json_t *list = json_object_get(doc, "reject_reasons");

    for (size_t i = 0; i < json_array_size(list); i++) {
        if (str_eq(jspec_text(json_array_get(list, i), "name"), reason))
            return true;
    }
    return json_array_size(list) == 0;
}

static enum rc check_answer(const struct aftersale *one, const json_t *doc, const json_t *body,
                            struct err *e)
{
    const char *decision = jspec_text(body, "decision");
    const char *reason = jspec_text(body, "reason");
    bool known = false;
    bool rejects;

    if (str_eq(one->kind, "cancellation"))
        known = str_eq(decision, "approve") || str_eq(decision, "reject");
    for (int i = 0; str_eq(one->kind, "return") && RETURN_WORDS[i]; i++)
        known = known || str_eq(decision, RETURN_WORDS[i]);
    if (!known)
        return err_field(e, "decision", "is no answer to a %s", one->kind);
    rejects = str_eq(decision, "reject") || str_starts(decision, "REJECT");
    if (rejects && !reason)
        return err_field(e, "reason",
                         "is needed to refuse; reject_reasons of the request names them");
    if (rejects && !reason_known(doc, reason))
        return err_field(e, "reason", "is none of the request's reject_reasons");
    if (!one->pending)
        return err_http(e, 409, "not_waiting", "the request does not wait for an answer");
    return RC_OK;
}

enum rc aftersale_answer_post(void *user, struct http_req *req, struct http_reply *reply,
                              struct err *e)
{
    static const struct jspec_field SPEC[] = {
        { .name = "decision", .type = JSPEC_TEXT, .required = true, .min = 1, .max = 30 },
        { .name = "reason", .type = JSPEC_TEXT, .min = 1, .max = 120 },
        { .name = "comment", .type = JSPEC_TEXT, .min = 1, .max = 500 },
        { 0 },
    };
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *body = NULL;
    json_auto_t *doc = NULL;
    struct aftersale one = { 0 };
    struct once once = { 0 };
    const char *client_id = NULL;
    const char *id = http_param(req, "aftersale_id");
    json_auto_t *answer = json_pack("{s:s, s:s}", "id", id, "status", "queued");
    char shop_id[72];
    char order_id[ORDER_ID_BYTES];
    bool taken = false;
    enum rc rc = rest_no_query(req, e);

    if (rc == RC_OK)
        rc = rest_begin(user, req, "aftersale_answer", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = once_begin(tx, req, client_id, &once, reply, e);
    if (rc != RC_OK || once.answered)
        return rc;
    rc = http_body_json(req, false, &body, e);
    if (rc == RC_OK)
        rc = jspec_check(body, SPEC, e);
    if (rc == RC_OK)
        rc = db_aftersale_get(tx, client_id, id, shop_id, order_id, &one, &doc, e);
    if (rc == RC_OK)
        rc = check_answer(&one, doc, body, e);
    if (rc == RC_OK)
        rc = db_aftersale_answer(tx, shop_id, id, jspec_text(body, "decision"),
                                 jspec_text(body, "reason"), jspec_text(body, "comment"),
                                 req->principal, &taken, e);
    if (rc == RC_OK && !taken)
        return err_http(e, 409, "answered", "the request was answered already");
    if (rc == RC_OK)
        rc = db_aftersale_read_put(tx, client_id, shop_id, order_id, 0, e);
    if (rc == RC_OK)
        rc = rest_audit(tx, req, client_id, "aftersale_answer", answer, e);
    if (rc != RC_OK)
        return rc;
    rc = http_reply_json(reply, 202, answer, e);
    return rc == RC_OK ? once_commit(tx, &once, reply, e) : rc;
}

/* ---- what is lost next ---------------------------------------------------------------------------- */

enum rc deadlines_list(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *items = NULL;
    struct rest_page page;
    const char *client_id = NULL;
    enum rc rc = rest_page_read(req, NULL, &page, e);

    if (rc == RC_OK && page.cursor[0] != '\0')
        return err_field(e, "cursor", "is not a parameter of this list");
    if (rc == RC_OK)
        rc = rest_begin(user, req, "deadlines", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = db_order_deadlines(tx, client_id, page.limit, &items, e);
    return rc == RC_OK ? rest_page_reply(reply, req, items, NULL, e) : rc;
}

/* ---- privacy ------------------------------------------------------------------------------------- */

enum rc order_erase_buyer_post(void *user, struct http_req *req, struct http_reply *reply,
                               struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *answer = NULL;
    json_auto_t *detail = NULL;
    const char *client_id = NULL;
    char record_id[64];
    int64_t erased = 0;
    enum rc rc = rest_no_query(req, e);

    if (rc == RC_OK)
        rc = rest_no_body(req, e);
    if (rc == RC_OK)
        rc = rest_begin(user, req, "order_erase", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = db_order_buyer_erase(tx, client_id, http_param(req, "order_id"), req->principal,
                                  &erased, record_id, e);
    if (rc != RC_OK)
        return rc;
    answer = json_pack("{s:I, s:s}", "erased_orders", (json_int_t)erased, "record_id", record_id);
    detail =
        json_pack("{s:s, s:s}", "order_id", http_param(req, "order_id"), "record_id", record_id);
    rc = rest_audit(tx, req, client_id, "buyer_erased", detail, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    return rc == RC_OK ? http_reply_json(reply, 200, answer, e) : rc;
}
