/* order_place.c - one TikTok order becomes one VTEX order.
 *
 * Repeats: safe. VTEX is asked for the order's id before anything is sent; that a placement is about to be
 * sent is committed before it is sent; what came of it is committed before the next call. */
#include "db_aftersale.h"
#include "fault.h"
#include "map_address.h"
#include "order_import.h"
#include "own.h"
#include "str.h"

#include <string.h>

#define STOCK_RETRY_S 30
#define DATA_RETRY_S 300
#define ACTION_STOCK \
    "put stock or a delivery for this postal code into VTEX before TikTok's deadline"
#define ACTION_DATA "look at the order in TikTok; it is read again"

/* One round of simulating and placing. */
struct round {
    bool merged; /* lines of one SKU were made one */
    bool simulated_again;
    bool no_custom; /* the account does not know the app of customData */
};

static enum rc claim(struct import *im, struct err *e)
{
    struct import_note note = { .state = "importing",
                                .step = "claimed",
                                .event = str_eq(im->row.step, "none") ? "claimed" : NULL,
                                .detail = "the import into VTEX begins" };
    enum rc rc;

    if (str_eq(im->row.step, "claimed") &&
        (str_eq(im->row.state, "importing") || str_eq(im->row.state, "waiting_mapping")))
        return RC_OK;
    if (str_eq(im->row.step, "claimed"))
        note.step = NULL;
    rc = import_write(im, &note, e);
    fault_point("order_claimed");
    return rc;
}

static enum rc wait_for_link(struct import *im, const char *detail, const char *code, bool *waits,
                             struct err *e)
{
    bool known = str_eq(im->row.state, "waiting_mapping");
    struct import_note note = { .state = "waiting_mapping",
                                .problem = "sku_unlinked",
                                .action = "link the TikTok SKU to a SKU of VTEX",
                                .event = known ? NULL : "waiting_mapping",
                                .detail = detail,
                                .outcome = known ? NULL : "waiting",
                                .platform_code = code };

    *waits = true;
    return import_write(im, &note, e);
}

/* A reason in the order itself: the buyer's data do not suffice. Waits, because TikTok may complete them. */
static enum rc hold_data(struct import *im, struct err *e)
{
    struct err why = *e;

    return import_hold(im, "importing", why.code[0] ? why.code : "order_data", why.text,
                       ACTION_DATA, NULL, DATA_RETRY_S, e);
}

static enum rc hold_stock(struct import *im, const char *problem, const char *detail,
                          const char *code, struct err *e)
{
    return import_hold(im, "importing", problem, detail, ACTION_STOCK, code, STOCK_RETRY_S, e);
}

static enum rc refused(struct import *im, const struct vtex_refusal *no, struct err *e);

/* The simulation does not offer everything: short stock, unless VTEX does not know a SKU at all. */
static enum rc not_offered(struct import *im, bool *waits, struct err *e)
{
    struct err why = *e;
    char sku[160] = "";
    char detail[256];
    bool lost = false;
    enum rc rc =
        str_eq(why.code, "out_of_stock") ? import_skus_doubt(im, false, &lost, sku, e) : RC_OK;

    if (rc != RC_OK)
        return rc;
    if (!lost)
        return hold_stock(im, why.code, why.text, NULL, e);
    (void)str_fmt(detail, sizeof detail, "VTEX does not know the SKU that %s is linked to", sku);
    return wait_for_link(im, detail, NULL, waits, e);
}

/* Simulates the cart; RC_OK: a delivery is chosen and the freight spread, or *waits. */
static enum rc simulate(struct import *im, bool *waits, struct err *e)
{
    struct map_address address = { 0 };
    struct vtex_refusal no = { 0 };
    json_auto_t *cart = NULL;
    json_auto_t *answer = NULL;
    enum rc rc = map_address_read(json_object_get(im->order, "recipient_address"),
                                  (const char(*)[16])im->client.address_lines, &address, e);

    if (rc != RC_OK)
        return hold_data(im, e);
    cart = map_order_cart_new(&im->map, address.postal_code);
    if (!cart)
        return err_set(e, RC_DOWN, "out of memory");
    rc = vtex_order_simulate(&im->vtex, im->row.order_id, cart, &answer, &no, e);
    if (rc == RC_INVALID || rc == RC_NOT_FOUND)
        return refused(im, &no, e);
    if (rc != RC_OK)
        return rc;
    rc = map_order_sla_choose(&im->map, answer, e);
    if (rc != RC_OK)
        return not_offered(im, waits, e);
    map_order_freight_split(&im->map);
    return RC_OK;
}

/* What a refusal means when nothing else can be tried now. */
static enum rc refused(struct import *im, const struct vtex_refusal *no, struct err *e)
{
    char detail[400];

    (void)str_fmt(detail, sizeof detail, "VTEX refused: %s %s", no->code, no->text);
    if (str_eq(no->error_class, "stock-or-sla"))
        return hold_stock(im, "out_of_stock", detail, no->code, e);
    if (str_eq(no->error_class, "configuration"))
        return import_deny(im, "vtex_configuration", detail, no->code, e);
    if (str_eq(no->error_class, "divergence"))
        return import_fail(im, "price_divergence", detail,
                           "allow price divergence for this affiliate in VTEX, then import again",
                           no->code, e);
    if (str_eq(no->error_class, "terminal"))
        return import_fail(im, "vtex_order_cancelled", detail, "decide about the order in TikTok",
                           no->code, e);
    return import_fail(im, "vtex_refused", detail, "report it with the code of VTEX", no->code, e);
}

/* The call was not sent, or refused as a whole: the step goes back, so that nothing is in doubt. */
static enum rc step_back(struct import *im, struct err *e)
{
    struct err why = *e;
    struct import_note note = { .step = "claimed" };
    enum rc rc = import_write(im, &note, e);

    if (rc != RC_OK)
        return rc;
    *e = why;
    return why.rc;
}

static enum rc send_order(struct import *im, const json_t *body, struct vtex_refusal *no,
                          struct err *e)
{
    struct import_note before = { .state = "importing",
                                  .step = "place_sent",
                                  .event = "place_sent",
                                  .detail = "the order is sent to VTEX" };
    char placed_id[96];
    struct vtex_order made = { 0 };
    enum rc rc = import_write(im, &before, e);

    if (rc != RC_OK)
        return rc;
    fault_point("order_place_before");
    rc = vtex_order_place(&im->vtex, im->row.order_id, body, placed_id, no, e);
    fault_point("order_place_sent");
    if (rc == RC_INVALID && no->error_class[0] == '\0')
        (void)str_copy(no->error_class, sizeof no->error_class, "payload");
    if (rc == RC_INVALID || rc == RC_DENIED || rc == RC_BUSY || rc == RC_DOWN)
        return step_back(im, e);
    if (rc == RC_STOPPED) /* once sent, the step stays: the next run looks it up */
        return str_eq(e->code, "not_sent") ? step_back(im, e) : rc;
    if (rc != RC_OK)
        return import_settle(im, e);
    (void)str_copy(made.order_id, sizeof made.order_id, placed_id);
    rc = import_adopt(im, "placed", &made, e);
    fault_point("order_placed");
    return rc;
}

static enum rc merchant_write(struct import *im, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    int64_t units = 0;
    enum rc rc = job_tx_begin(im->ctx, "order_merchant", &tx, e);

    if (rc == RC_OK)
        rc = db_order_merchant_set(tx, im->row.shop_id, im->row.order_id,
                                   map_order_merchant_minor(&im->map), e);
    for (size_t i = 0; i < im->map.n_lines; i++)
        units += im->map.lines[i].quantity;
    if (rc == RC_OK)
        rc = db_order_units_set(tx, im->row.shop_id, im->row.order_id, units, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

/* Host part of our public address, for orders without an e-mail. */
static void mail_domain(const char *public_url, char *out, size_t cap)
{
    const char *host = strstr(public_url, "://");
    size_t n;

    host = host ? host + 3 : public_url;
    n = strcspn(host, ":/");
    if (n >= cap || n == 0 || !memchr(host, '.', n) || strspn(host, "0123456789.") >= n) {
        (void)str_copy(out, cap, "tiktok-order.invalid");
        return;
    }
    memcpy(out, host, n);
    out[n] = '\0';
}

static enum rc simulate_and_send(struct import *im, const struct round *round, bool *waits,
                                 struct vtex_refusal *no, struct err *e)
{
    char domain[256];
    struct map_place how = { .client = &im->client,
                             .endpoint = im->endpoint,
                             .mail_domain = domain,
                             .no_custom = round->no_custom };
    json_auto_t *body = NULL;
    enum rc rc = simulate(im, waits, e);

    if (rc != RC_OK || *waits)
        return rc;
    mail_domain(im->ctx->app->cfg.public_url, domain, sizeof domain);
    rc = map_order_place_new(&im->map, im->order, &how, &body, e);
    if (rc == RC_INVALID)
        return hold_data(im, e);
    if (rc == RC_OK)
        rc = merchant_write(im, e);
    return rc == RC_OK ? send_order(im, body, no, e) : rc;
}

/* VTEX says that it has the order already. */
static enum rc adopt_existing(struct import *im, const struct vtex_refusal *no, struct err *e)
{
    struct vtex_order found = { 0 };
    struct import_note note = { .step = "place_sent" };
    enum rc rc = vtex_order_get(&im->vtex, im->vtex_order_id, im->row.order_id, &found, e);

    if (rc == RC_OK)
        return import_adopt(im, "adopted", &found, e);
    if (rc != RC_NOT_FOUND)
        return rc;
    if (str_eq(no->error_class, "workflow"))
        return refused(im, no, e);
    rc = import_write(im, &note, e); /* said to exist, but not to be seen yet */
    return rc == RC_OK ? import_settle(im, e) : rc;
}

static bool same_sku_twice(const struct map_order *o)
{
    for (size_t i = 0; i < o->n_lines; i++) {
        for (size_t k = i + 1; k < o->n_lines; k++) {
            if (str_eq(o->lines[i].vtex_sku_id, o->lines[k].vtex_sku_id))
                return true;
        }
    }
    return false;
}

/* Decides by the class of the refusal; *again: another round may help. */
static enum rc after_refusal(struct import *im, struct round *round, const struct vtex_refusal *no,
                             bool *again, bool *waits, struct err *e)
{
    char detail[400];

    *again = false;
    if (str_eq(no->error_class, "adopt") || str_eq(no->error_class, "workflow"))
        return adopt_existing(im, no, e);
    if ((str_eq(no->code, "ORD056") || str_eq(no->code, "CHK0107")) && !round->merged &&
        same_sku_twice(&im->map)) {
        map_order_merge(&im->map, true);
        round->merged = *again = true;
        return RC_OK;
    }
    if (!round->no_custom && str_eq(no->error_class, "payload") &&
        (strstr(no->text, "customApp") || strstr(no->text, "customData") ||
         strstr(no->text, "marketplace-integration"))) {
        round->no_custom = *again = true;
        return RC_OK;
    }
    if (str_eq(no->error_class, "stock-or-sla") && !round->simulated_again) {
        round->simulated_again = *again = true;
        return RC_OK;
    }
    if (str_eq(no->error_class, "mapping")) {
        char sku[160];
        bool lost = false;
        enum rc rc = import_skus_doubt(im, true, &lost, sku, e);

        (void)str_fmt(detail, sizeof detail, "VTEX does not sell a SKU of this order: %s %s",
                      no->code, no->text);
        return rc == RC_OK ? wait_for_link(im, detail, no->code, waits, e) : rc;
    }
    return refused(im, no, e);
}

/* Simulates and places until it is done or must wait. */
static enum rc place_rounds(struct import *im, bool *waits, struct err *e)
{
    struct round round = { 0 };
    bool again = true;
    enum rc rc = RC_OK;

    while (again) {
        struct vtex_refusal no = { 0 };

        again = false;
        rc = simulate_and_send(im, &round, waits, &no, e);
        if (rc != RC_INVALID || no.error_class[0] == '\0')
            return rc; /* done, or written already why not */
        rc = after_refusal(im, &round, &no, &again, waits, e);
    }
    return rc;
}

enum rc import_place(struct import *im, bool *waits, struct err *e)
{
    struct vtex_order found = { 0 };
    char sku[160] = "";
    char detail[256];
    enum rc rc = claim(im, e);

    *waits = false;
    if (rc == RC_OK)
        rc = vtex_order_get(&im->vtex, im->vtex_order_id, im->row.order_id, &found, e);
    if (rc == RC_OK)
        return import_adopt(im, "adopted", &found, e);
    if (rc == RC_INVALID) {
        struct err why = *e;

        return import_fail(im, why.code[0] ? why.code : "vtex_refused", why.text,
                           "look at the order in VTEX", why.platform_text, e);
    }
    if (rc != RC_NOT_FOUND)
        return rc;
    rc = import_skus(im, sku, e);
    if (rc == RC_NOT_FOUND) {
        (void)str_fmt(detail, sizeof detail, "SKU %s is not linked to a SKU of VTEX", sku);
        return wait_for_link(im, detail, NULL, waits, e);
    }
    if (rc != RC_OK)
        return rc;
    map_order_merge(&im->map, false);
    return place_rounds(im, waits, e);
}
