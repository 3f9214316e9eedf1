/* order_hook.c - the order hook as a person wants it, and the doors through which VTEX tells of orders.
 *
 * What VTEX says is a hint: the job of the order reads the order there. */
#include "rest.h"

#include "clock.h"
#include "db_aftersale.h"
#include "db_fulfil.h"
#include "db_order_hook.h"
#include "jspec.h"
#include "metrics.h"
#include "sign.h"
#include "str.h"

#include <stdio.h>
#include <string.h>

/* ---- REST ---------------------------------------------------------------------------------------- */

static enum rc hook_want(struct app *app, struct http_req *req, struct http_reply *reply,
                         bool wanted, bool replace, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *doc = NULL;
    const char *client_id = NULL;
    enum rc rc = rest_no_query(req, e);

    if (rc == RC_OK)
        rc = rest_begin(app, req, "order_hook", &client_id, &tx, e);
    if (rc == RC_OK && !wanted)
        rc = db_order_hook_json(tx, client_id, &doc, e); /* 404 when there is none */
    if (rc == RC_OK)
        rc = db_order_hook_want(tx, client_id, wanted, replace, req->principal, e);
    if (rc == RC_OK)
        rc = rest_audit(tx, req, client_id, wanted ? "order_hook_put" : "order_hook_delete", NULL,
                        e);
    json_decref(doc);
    doc = NULL;
    if (rc == RC_OK)
        rc = db_order_hook_json(tx, client_id, &doc, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    return rc == RC_OK ? http_reply_json(reply, 202, doc, e) : rc;
}

enum rc order_hook_put(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    static const struct jspec_field SPEC[] = {
        { .name = "replace_foreign", .type = JSPEC_BOOL },
        { 0 },
    };
    json_auto_t *body = NULL;
    enum rc rc = http_body_json(req, true, &body, e);

    if (rc == RC_OK)
        rc = jspec_check(body, SPEC, e);
    return rc == RC_OK
               ? hook_want(user, req, reply, true, jspec_bool(body, "replace_foreign", false), e)
               : rc;
}

enum rc order_hook_delete(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    return hook_want(user, req, reply, false, false, e);
}

enum rc order_hook_get(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *doc = NULL;
    const char *client_id = NULL;
    enum rc rc = rest_no_query(req, e);

    if (rc == RC_OK)
        rc = rest_begin(user, req, "order_hook", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = db_order_hook_json(tx, client_id, &doc, e);
    return rc == RC_OK ? http_reply_json(reply, 200, doc, e) : rc;
}

/* ---- doors of VTEX -------------------------------------------------------------------------------- */

/* Opens a transaction of the client when the secret is the client's; *good false: answer 401. */
static enum rc door_open(struct app *app, const struct http_req *req, const char *secret,
                         struct db_tx **tx, bool *good, struct err *e)
{
    unsigned char wanted[SIGN_SHA256_BYTES];
    unsigned char given[SIGN_SHA256_BYTES];
    const char *client_id = NULL;
    enum rc rc = rest_client_hash(req, &client_id, e);

    *good = false;
    if (rc == RC_OK)
        rc = db_tx_begin(app->web_db, "vtex_door", client_id, tx, e);
    if (rc == RC_OK)
        rc = db_client_hook_digest(*tx, client_id, wanted, e);
    if (rc == RC_OK && secret) {
        sign_sha256(secret, strlen(secret), given);
        *good = sign_equal(wanted, given, sizeof wanted);
    }
    if (!*good && (rc == RC_OK || rc == RC_NOT_FOUND)) {
        metrics_add("connector_webhooks_refused_total", "why=\"secret\"", 1);
        return RC_OK;
    }
    return rc;
}

/* Key of an event: what makes two calls the same. */
static void key_make(const struct http_req *req, const char *what, const char *id, char key[80])
{
    unsigned char digest[SIGN_SHA256_BYTES];
    char hex[SIGN_HEX_BYTES];
    OWN_BUF struct buf text = { 0 };

    buf_init(&text, (size_t)2 << 20);
    buf_fmt(&text, "%s|%s|%s|", what, id, http_param(req, "invoice_number"));
    buf_add(&text, req->body, req->body_len);
    sign_sha256(buf_text(&text), text.len, digest);
    str_hex(hex, digest, sizeof digest);
    (void)str_fmt(key, 80, "vtex:%s", hex);
}

/* Stores the call and wakes the order. An order that is not ours is nobody's business here. */
static enum rc order_told(struct db_tx *tx, const struct http_req *req, const char *what,
                          const char *id, char order_id[ORDER_ID_BYTES], struct err *e)
{
    const char *client_id = http_param(req, "client_hash");
    char shop_id[72];
    char key[80];
    bool fresh = false;
    enum rc rc = db_order_vtex_find(tx, client_id, id, shop_id, order_id, e);

    if (rc == RC_NOT_FOUND) {
        order_id[0] = '\0';
        return RC_OK;
    }
    key_make(req, what, id, key);
    if (rc == RC_OK)
        rc = db_vtex_event_put(tx, shop_id, order_id, key, req->body, req->body_len, &fresh, e);
    if (rc == RC_OK && fresh)
        rc = db_order_timeline_add(tx, client_id, shop_id, order_id, "vtex_called", what, "webhook",
                                   NULL, e);
    if (rc == RC_OK && strstr(what, "cancel"))
        rc = db_order_vtex_cancel_told(tx, shop_id, order_id, e);
    if (rc == RC_OK) /* an invoice or a tracking number may be what is new */
        rc = db_fulfil_put(tx, client_id, shop_id, order_id, e);
    return rc == RC_OK ? db_order_vtex_wake(tx, client_id, shop_id, order_id, "webhook", e) : rc;
}

enum rc vtex_order_hook_post(void *user, struct http_req *req, struct http_reply *reply,
                             struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *body = NULL;
    json_auto_t *answer = json_object();
    const char *id;
    char order_id[ORDER_ID_BYTES];
    char what[80];
    bool good = false;
    bool ping;
    enum rc rc = door_open(user, req, http_header(req, "X-Hook-Secret"), &tx, &good, e);

    if (rc != RC_OK)
        return rc;
    if (!good) {
        reply->status = 401;
        return RC_OK;
    }
    rc = http_body_json(req, true, &body, e);
    if (rc != RC_OK)
        return rc;
    ping = str_eq(jspec_text(body, "hookConfig"), "ping");
    id = jspec_text(body, "OrderId");
    (void)str_fmt(what, sizeof what, "hook %.60s",
                  jspec_text(body, "State") ? jspec_text(body, "State") : "");
    rc = db_order_hook_called(tx, http_param(req, "client_hash"), ping, e);
    if (rc == RC_OK && !ping && id)
        rc = order_told(tx, req, what, id, order_id, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    return rc == RC_OK ? http_reply_json(reply, 200, answer, e) : rc;
}

/* A receipt that is the same for the same call: 32 hex digits in the shape of a GUID. */
static void receipt_make(const struct http_req *req, const char *what, char out[40])
{
    unsigned char digest[SIGN_SHA256_BYTES];
    char hex[SIGN_HEX_BYTES];
    OWN_BUF struct buf text = { 0 };

    buf_init(&text, (size_t)2 << 20);
    buf_fmt(&text, "%s|%s|%s|%s|", http_param(req, "client_hash"), http_param(req, "order_id"),
            what, http_param(req, "invoice_number"));
    if (!str_eq(what, "cancel"))
        buf_add(&text, req->body, req->body_len);
    sign_sha256(buf_text(&text), text.len, digest);
    str_hex(hex, digest, sizeof digest);
    (void)snprintf(out, 40, "%.8s-%.4s-4%.3s-8%.3s-%.12s", hex, hex + 8, hex + 12, hex + 15,
                   hex + 18);
}

static enum rc receipt_reply(const struct http_req *req, const char *what, const char *vtex_id,
                             struct http_reply *reply, struct err *e)
{
    json_auto_t *answer = NULL;
    char receipt[40];
    char date[CLOCK_TEXT_BYTES];

    receipt_make(req, what, receipt);
    clock_write(clock_now_us(), date);
    answer = json_pack("{s:s, s:s, s:s}", "date", date, "orderId", vtex_id, "receipt", receipt);
    return http_reply_json(reply, 200, answer, e);
}

/* One of VTEX's callbacks on marketplaceServicesEndpoint; what: invoice, tracking, events, cancel. */
static enum rc callback(struct app *app, struct http_req *req, struct http_reply *reply,
                        const char *what, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    struct order_row row = { 0 };
    const char *side = http_param(req, "side");
    char shop_id[72];
    char order_id[ORDER_ID_BYTES];
    bool good = false;
    enum rc rc;

    if (!str_eq(side, "pub") && !str_eq(side, "pvt"))
        return err_code(e, RC_NOT_FOUND, "not_found", "there is no such address");
    rc = door_open(app, req, http_param(req, "secret"), &tx, &good, e);
    if (rc != RC_OK)
        return rc;
    if (!good) {
        reply->status = 401;
        return RC_OK;
    }
    rc = order_told(tx, req, what, http_param(req, "order_id"), order_id, e);
    if (rc == RC_OK && order_id[0] == '\0')
        return err_code(e, RC_NOT_FOUND, "order_not_found", "there is no such order");
    if (rc == RC_OK)
        rc = db_order_vtex_find(tx, http_param(req, "client_hash"), order_id, shop_id, order_id, e);
    if (rc == RC_OK)
        rc = db_order_get(tx, shop_id, order_id, &row, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    return rc == RC_OK ? receipt_reply(req, what, row.vtex_order_id, reply, e) : rc;
}

enum rc vtex_callback_post(void *user, struct http_req *req, struct http_reply *reply,
                           struct err *e)
{
    static const char *const known[] = { "invoice", "tracking", "cancel" };
    const char *what = http_param(req, "what");

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (str_eq(what, known[i]))
            return callback(user, req, reply, known[i], e);
    }
    return err_code(e, RC_NOT_FOUND, "not_found", "there is no such address");
}

enum rc vtex_tracking_post(void *user, struct http_req *req, struct http_reply *reply,
                           struct err *e)
{
    return callback(user, req, reply, "tracking", e);
}

enum rc vtex_tracking_events_post(void *user, struct http_req *req, struct http_reply *reply,
                                  struct err *e)
{
    return callback(user, req, reply, "events", e);
}
