/* order_import.c - brings one TikTok order where it belongs: stored, placed in VTEX, authorized.
 *
 * Repeats: safe. Whoever asked (webhook, poll, a person), the order is read from TikTok first; what is done
 * next depends on that and on the steps written in its row, never on the request that woke the job. */
#include "order_import.h"

#include "db_values.h"

#include "clock.h"
#include "db_aftersale.h"
#include "db_fulfil.h"
#include "db_run.h"
#include "jspec.h"
#include "sign.h"
#include "str.h"
#include "tiktok_order.h"

#include <stdlib.h>
#include <string.h>

#define SETTINGS_RETRY_S 300

static void import_done(struct import *im)
{
    db_client_done(&im->client);
    session_vtex_done(&im->vtex);
    map_order_done(&im->map);
    json_decref(im->order);
    free(im->endpoint);
}
#define OWN_IMPORT __attribute__((cleanup(import_done)))

/* Who asked, as far as the job says. */
static void by_read(struct import *im)
{
    static const char *const known[] = { "webhook", "poll", "operator", "job", NULL };
    const char *text = jspec_text(im->ctx->job->payload, "by");

    im->named = str_eq(text, "operator");
    im->asked = im->named || str_eq(text, DB_ORDER_BY_PERIOD);
    (void)str_copy(im->by, sizeof im->by, im->asked ? "operator" : "webhook");
    for (int i = 0; known[i]; i++) {
        if (str_eq(text, known[i]))
            (void)str_copy(im->by, sizeof im->by, text);
    }
}

/* Reads the order's current state from TikTok. */
static enum rc order_read(struct import *im, struct err *e)
{
    OWN_TIKTOK struct tiktok_session s = { 0 };
    enum rc rc = session_tiktok_open(im->ctx, &s, e);

    if (rc == RC_OK)
        rc = tiktok_order_get(&s, im->ctx->job->entity, &im->order, im->request_id, e);
    return rc == RC_OK ? map_order_read(im->order, &im->map, e) : rc;
}

/* The time of a row, or "now" for orders of a shop whose clock is not given. */
static void facts_fill(struct import *im, struct order_facts *f)
{
    unsigned char digest[SIGN_SHA256_BYTES];
    char buyer[JSPEC_ID_BYTES];
    char text[160];

    jspec_id(im->order, "user_id", buyer);
    f->client_id = im->ctx->job->client_id;
    f->shop_id = im->ctx->job->shop_id;
    f->order_id = im->map.order_id;
    f->tiktok_status = im->map.status;
    f->updated_us = im->map.update_s * US_PER_S;
    f->currency = im->map.currency;
    f->total_minor = im->map.total_minor;
    f->need_invoice = jspec_text(im->order, "need_upload_invoice");
    f->ship_by_us = im->map.ship_by_s * US_PER_S;
    f->paid_us = im->map.paid_s * US_PER_S;
    f->found_by = im->by;
    if (buyer[0]) {
        (void)str_fmt(text, sizeof text, "%s|%s", f->client_id, buyer);
        sign_sha256(text, strlen(text), digest);
        str_hex(im->buyer_digest, digest, sizeof digest);
        f->buyer_digest = im->buyer_digest;
    }
}

static enum rc facts_write(struct import *im, const struct order_facts *f, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    struct order_row before = { 0 };
    struct order_row row = { 0 };
    bool applied = false;
    enum rc rc = job_tx_begin(im->ctx, "order_store", &tx, e);

    if (rc == RC_OK)
        rc = db_client_get(tx, f->client_id, &im->client, e);
    if (rc == RC_OK)
        rc = db_order_get(tx, f->shop_id, f->order_id, &before, e);
    if (rc == RC_NOT_FOUND && im->client.client_id[0])
        rc = RC_OK;
    if (rc == RC_OK)
        rc = db_order_store(tx, f, &row, &applied, e);
    if (rc == RC_OK && before.order_id[0] == '\0')
        rc = db_order_timeline_add(tx, f->client_id, f->shop_id, f->order_id, "received",
                                   f->tiktok_status, im->by, im->request_id, e);
    else if (rc == RC_OK && applied && !str_eq(before.tiktok_status, row.tiktok_status))
        rc = db_order_timeline_add(tx, f->client_id, f->shop_id, f->order_id, "status_changed",
                                   row.tiktok_status, im->by, im->request_id, e);
    /* what waits to be placed is not in VTEX's reserve yet, and a cancelled order is not any more */
    if (rc == RC_OK && applied && !str_eq(before.tiktok_status, row.tiktok_status))
        rc = db_value_note_order(tx, f->shop_id, f->order_id, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc == RC_OK)
        im->row = row;
    return rc;
}

/* Stores what TikTok says; late news changes nothing. */
static enum rc order_store(struct import *im, struct err *e)
{
    OWN_BUF struct buf document = { 0 };
    json_auto_t *items = map_order_items_new(&im->map);
    json_auto_t *packages = map_order_packages_new(im->order);
    json_auto_t *deadlines = import_deadlines_new(im->order);
    struct order_facts facts = { .items = items, .packages = packages, .deadlines = deadlines };
    enum rc rc;

    if (!items || !packages || !deadlines)
        return err_set(e, RC_DOWN, "out of memory");
    buf_init(&document, (size_t)2 << 20);
    rc = jspec_dump(im->order, &document, e);
    if (rc != RC_OK)
        return rc;
    facts_fill(im, &facts);
    facts.document = buf_text(&document);
    facts.document_len = document.len;
    return facts_write(im, &facts, e);
}

/* ---- what the order's status asks for ---------------------------------------------------------- */

static bool status_in(const char *status, const char *const *list)
{
    for (; *list; list++) {
        if (str_eq(status, *list))
            return true;
    }
    return false;
}

static bool placed_in_vtex(const struct order_row *row)
{
    return str_eq(row->step, "placed") || str_eq(row->step, "authorize_sent") ||
           str_eq(row->step, "authorized");
}

/* Writes a state once; RC_OK when it stands already. */
static enum rc state_once(struct import *im, const char *state, const char *problem,
                          const char *detail, const char *action, struct err *e)
{
    struct import_note note = { .state = state,
                                .problem = problem,
                                .action = action,
                                .event = problem ? problem : state,
                                .detail = detail,
                                .outcome = problem ? "waiting" : "ok" };

    if (str_eq(im->row.state, state) && str_eq(im->row.problem, problem ? problem : ""))
        return RC_OK;
    return import_write(im, &note, e);
}

static enum rc cancelled(struct import *im, struct err *e)
{
    struct import_note note = { .cancel_step = "tiktok_done" };
    enum rc rc = RC_OK;

    if (import_cancel_wanted(im))
        rc = import_write(im, &note, e);
    if (rc == RC_OK && !placed_in_vtex(&im->row))
        rc = state_once(im, "cancelled", NULL, "cancelled in TikTok before it was placed in VTEX",
                        NULL, e);
    if (rc != RC_OK || !placed_in_vtex(&im->row))
        return rc;
    return import_cancel_vtex(im, e);
}

static int state_rank(const char *state)
{
    static const char *const order[] = { "authorized", "invoiced",  "shipped",
                                         "delivered",  "completed", "cancelled" };

    for (int i = 0; i < (int)(sizeof order / sizeof order[0]); i++) {
        if (str_eq(state, order[i]))
            return i + 1;
    }
    return 0;
}

/* An order that VTEX goes on with follows TikTok's status; never back. */
static enum rc follow(struct import *im, struct err *e)
{
    const char *state = NULL;

    if (str_eq(im->row.tiktok_status, "IN_TRANSIT"))
        state = "shipped";
    else if (str_eq(im->row.tiktok_status, "DELIVERED"))
        state = "delivered";
    else if (str_eq(im->row.tiktok_status, "COMPLETED"))
        state = "completed";
    if (!state || state_rank(state) <= state_rank(im->row.state))
        return RC_OK;
    return state_once(im, state, NULL, "by TikTok's status", NULL, e);
}

/* Orders that are kept, but not placed. *placeable: none of these. */
static enum rc not_placeable(struct import *im, bool *placeable, struct err *e)
{
    static const char *const paid[] = { "AWAITING_SHIPMENT", "PARTIALLY_SHIPPING", NULL };
    static const char *const handled[] = { "AWAITING_COLLECTION", "IN_TRANSIT", "DELIVERED", NULL };
    const char *status = im->row.tiktok_status;

    *placeable = false;
    if (str_eq(status, "UNPAID"))
        return state_once(im, "received", NULL, "not paid yet", NULL, e);
    if (str_eq(status, "ON_HOLD"))
        return state_once(im, "on_hold", NULL, "the buyer may still cancel alone", NULL, e);
    if (str_eq(status, "COMPLETED"))
        return state_once(im, "completed", NULL, "completed in TikTok before it was placed in VTEX",
                          NULL, e);
    /* One whose placement has begun goes on: its status moved while it was in doubt or waited for us. */
    if (status_in(status, handled) && str_eq(im->row.step, "none") && !im->named)
        return state_once(im, "received", "shipped_outside_vtex",
                          "the shipment was arranged before the order came to us",
                          "import the order by hand if VTEX has to know it", e);
    if (!status_in(status, paid) && !status_in(status, handled))
        return state_once(im, im->row.state, "unknown_status",
                          "TikTok's status of the order is not known to us",
                          "look at the order in TikTok", e);
    if (str_eq(im->client.sandbox_shop_id, im->row.shop_id))
        return state_once(
            im, "received", "sandbox_shop",
            "the order was made in the client's test shop and is never placed in VTEX",
            "none: sell in the live shop", e);
    if (im->map.tiktok_fulfills)
        return state_once(im, "received", "fulfilled_by_tiktok",
                          "TikTok ships this order from its own warehouse",
                          "none: the merchant must not ship it", e);
    if (im->client.shadow || ((!im->client.sync_orders || !im->client.active) && !im->asked))
        return state_once(im, "received", "orders_switched_off",
                          "the client's orders are switched off",
                          "switch orders on, then import again", e);
    if (!str_eq(im->map.currency, "BRL"))
        return state_once(im, "received", "currency_not_brl", "the order is not in Brazilian reais",
                          "look at the order in TikTok", e);
    if (im->map.n_lines == 0)
        return state_once(im, "received", "no_lines", "the order has no lines",
                          "look at the order in TikTok", e);
    *placeable = true;
    return RC_OK;
}

/* ---- VTEX -------------------------------------------------------------------------------------- */

static enum rc hold_settings(struct import *im, const char *detail, struct err *e)
{
    char state[sizeof im->row.state];

    (void)str_copy(state, sizeof state, im->row.state);
    return import_hold(im, state, "vtex_missing", detail, "complete the client's VTEX settings",
                       NULL, SETTINGS_RETRY_S, e);
}

/* Opens VTEX and makes the two addresses of the order there: its id, and where VTEX calls us back. */
enum rc import_vtex_open(struct import *im, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    OWN_BUF struct buf endpoint = { 0 };
    char *secret = NULL;
    enum rc rc;

    if (im->endpoint)
        return RC_OK;
    buf_init(&endpoint, 2048);
    rc = session_vtex_open(im->ctx, &im->vtex, e);
    if (rc == RC_NOT_FOUND)
        return import_deny(im, "vtex_missing", "the client has no VTEX account or credentials",
                           NULL, e);
    if (rc == RC_OK)
        rc = vtex_order_id(&im->vtex, im->row.order_id, im->vtex_order_id, e);
    if (rc == RC_INVALID)
        return import_deny(im, "vtex_missing", "the client has no VTEX affiliate id", NULL, e);
    if (rc == RC_OK)
        rc = job_tx_begin(im->ctx, "order_endpoint", &tx, e);
    if (rc == RC_OK)
        rc = db_client_hook_secret(tx, im->row.client_id, &secret, e);
    if (rc == RC_NOT_FOUND)
        return hold_settings(im, "the client has no hook secret", e);
    if (rc != RC_OK)
        return rc;
    buf_fmt(&endpoint, "%s/vtex/%s/%s", im->ctx->app->cfg.public_url, im->row.client_id, secret);
    sign_wipe(secret, strlen(secret));
    free(secret);
    rc = buf_check(&endpoint, e);
    if (rc == RC_OK)
        im->endpoint = buf_take(&endpoint);
    return rc == RC_OK && !im->endpoint ? err_set(e, RC_DOWN, "out of memory") : rc;
}

/* Brings a paid order into VTEX and authorizes it. */
static enum rc bring(struct import *im, bool *waits, struct err *e)
{
    enum rc rc = import_vtex_open(im, e);

    if (rc == RC_OK && !placed_in_vtex(&im->row))
        rc = import_place(im, waits, e);
    if (rc == RC_OK && placed_in_vtex(&im->row))
        rc = import_authorize(im, e);
    return rc == RC_OK && !*waits ? follow(im, e) : rc;
}

/* The buyer asked to cancel: the job that reads such requests and answers them runs. */
static enum rc requests_look(struct import *im, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    struct aftersale list[AFTERSALE_LIST_MAX];
    bool known = false;
    int n = 0;
    enum rc rc;

    if (!jspec_bool(im->order, "is_buyer_request_cancel", false))
        return RC_OK;
    rc = job_tx_begin(im->ctx, "order_requests", &tx, e);
    if (rc == RC_OK)
        rc = db_aftersale_of_order(tx, im->row.shop_id, im->row.order_id, list, &n, e);
    for (int i = 0; rc == RC_OK && i < n; i++)
        known = known || str_eq(list[i].kind, "cancellation");
    if (rc == RC_OK && !known)
        rc = db_aftersale_read_put(tx, im->row.client_id, im->row.shop_id, im->row.order_id, 0, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

/* Lines that TikTok cancelled after VTEX was asked for them: VTEX's order cannot be made smaller by us. */
static enum rc units_check(struct import *im, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    int64_t asked = 0;
    int64_t left = 0;
    char text[160];
    struct import_note note = { .state = im->row.state,
                                .problem = "lines_cancelled",
                                .action = "take the cancelled units out of the order in VTEX",
                                .event = "lines_cancelled",
                                .detail = text,
                                .outcome = "refused" };
    char state[sizeof im->row.state];
    enum rc rc = job_tx_begin(im->ctx, "order_units", &tx, e);

    for (size_t i = 0; i < im->map.n_lines; i++)
        left += im->map.lines[i].quantity;
    if (rc == RC_OK)
        rc = db_order_units_get(tx, im->row.shop_id, im->row.order_id, &asked, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc != RC_OK || asked <= left || str_eq(im->row.problem, "lines_cancelled"))
        return rc;
    (void)str_copy(state, sizeof state, im->row.state);
    note.state = state;
    (void)str_fmt(text, sizeof text, "TikTok cancelled %lld of %lld units after VTEX took them",
                  (long long)(asked - left), (long long)asked);
    return import_write(im, &note, e);
}

static enum rc decide(struct import *im, bool *waits, struct err *e)
{
    bool placeable = true;
    enum rc rc = RC_OK;

    if (strstr(im->row.step, "_sent")) {
        rc = import_vtex_open(im, e);
        if (rc == RC_OK)
            rc = import_settle(im, e);
    }
    if (rc != RC_OK)
        return rc;
    if (str_eq(im->row.tiktok_status, "CANCELLED") || im->map.all_cancelled)
        return cancelled(im, e);
    rc = requests_look(im, e);
    if (rc == RC_OK && import_cancel_wanted(im))
        return import_cancel_tiktok(im, e);
    if (rc == RC_OK && placed_in_vtex(&im->row) && im->row.vtex_due_us > 0)
        rc = import_vtex_look(im, e);
    if (rc == RC_OK && placed_in_vtex(&im->row))
        rc = units_check(im, e);
    if (rc != RC_OK || str_eq(im->row.cancel_by, "vtex"))
        return rc;
    if (str_eq(im->row.step, "authorized") && state_rank(im->row.state) > 0)
        return follow(im, e);
    if (!placed_in_vtex(&im->row)) {
        if (im->map.tiktok_ships && str_eq(im->client.order_shipping_fee, "zero"))
            im->map.freight_minor = 0;
        rc = not_placeable(im, &placeable, e);
    }
    return rc == RC_OK && placeable ? bring(im, waits, e) : rc;
}

/* Counts the order in the run that asked for it; parked ones are counted by the worker. An order that waits
 * leaves the run, so that the run ends and the order is counted once. */
static enum rc run_count(struct import *im, bool waits, struct err *e)
{
    const struct job *job = im->ctx->job;
    OWN_TX struct db_tx *tx = NULL;
    struct run_delta delta = { .done = 1 };
    bool counts = true;
    enum rc rc;

    if (waits || im->held)
        delta.held = 1;
    else if (im->placed_now)
        delta.created = 1;
    else
        delta.unchanged = 1;
    rc = job_tx_begin(im->ctx, "order_run", &tx, e);
    if (rc == RC_OK && im->held)
        rc = db_job_leave_run(tx, job->shop_id, job->id, job->run_id, &counts, e);
    if (rc == RC_OK && counts)
        rc = db_run_progress(tx, job->client_id, job->run_id, &delta, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

/* News of an order that VTEX goes on with: invoice, packages and tracking are looked at too. */
static enum rc fulfil_ask(struct import *im, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc;

    if (!str_eq(im->row.step, "authorized") || im->placed_now)
        return RC_OK; /* one that came right now is looked at by the clock */
    rc = job_tx_begin(im->ctx, "order_fulfil_ask", &tx, e);
    if (rc == RC_OK)
        rc = db_fulfil_put(tx, im->row.client_id, im->row.shop_id, im->row.order_id, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

enum rc sync_order_import(struct job_ctx *ctx, struct err *e)
{
    OWN_IMPORT struct import im = { .ctx = ctx };
    bool waits = false;
    enum rc rc;

    by_read(&im);
    rc = order_read(&im, e);
    if (rc == RC_OK)
        rc = order_store(&im, e);
    if (rc == RC_OK)
        rc = decide(&im, &waits, e);
    if (rc == RC_OK)
        rc = fulfil_ask(&im, e);
    if (rc == RC_DENIED && im.row.order_id[0] && !str_starts(im.row.problem, "vtex_"))
        rc = import_deny(&im, "vtex_denied", "VTEX refuses our credentials", NULL, e);
    if (ctx->job->run_id[0] && rc == RC_OK)
        return run_count(&im, waits, e);
    if (ctx->job->run_id[0] && rc == RC_BUSY && im.held) {
        struct err why = *e;

        rc = run_count(&im, waits, e);
        if (rc != RC_OK)
            return rc;
        *e = why;
        return why.rc;
    }
    return rc;
}
