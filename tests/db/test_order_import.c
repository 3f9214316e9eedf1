/* test_order_import.c - one TikTok order makes one VTEX order, whatever is cut, killed or refused; on a real
 * database, with both platforms played by this file. */
#include "check.h"
#include "fresh.h"

#include <sys/wait.h>

#include "clock.h"
#include "db_account.h"
#include "db_job.h"
#include "db_order.h"
#include "jspec.h"
#include "str.h"
#include "sync.h"

#define CLIENT "lojaexemplo"
#define SHOP "7494049642642441621"
#define ORDER "580211640037914825"

static struct fresh F;
static struct db_pool *P;

/* How the played VTEX ends a writing call. */
enum mode { GOOD, CUT_AFTER, CUT_BEFORE, DOWN, DIE_BEFORE, DIE_AFTER, STOPPED };

static struct {
    json_t *order;    /* what TikTok says */
    json_t *pages[4]; /* answers of the order search */
    int n_pages, searches;
    int64_t search_ge;
    bool has_order; /* VTEX holds it */
    char status[64];
    enum mode place_mode, authorize_mode;
    char refuse_code[16], refuse_class[16];
    char refuse_text[64];
    int refuse_times, authorize_too_early;
    bool known_sku;
    bool bare_answer; /* placement answers the object of the documented schema */
    bool hidden;      /* look-ups find nothing */
    int lookups, simulations, places, authorizes;
    json_t *placed;
    json_t *simulation;
} W;

/* ---- the platforms ----------------------------------------------------------------------------- */

enum rc job_tx_begin(struct job_ctx *ctx, const char *name, struct db_tx **out, struct err *e)
{
    return db_tx_begin(ctx->db, name, ctx->job->client_id, out, e);
}

enum rc session_tiktok_open(struct job_ctx *ctx, struct tiktok_session *out, struct err *e)
{
    (void)ctx;
    (void)e;
    memset(out, 0, sizeof *out);
    return RC_OK;
}

void session_tiktok_done(struct tiktok_session *s)
{
    (void)s;
}

enum rc session_vtex_open(struct job_ctx *ctx, struct vtex_session *out, struct err *e)
{
    (void)ctx;
    (void)e;
    memset(out, 0, sizeof *out);
    (void)str_copy(out->affiliate_id, sizeof out->affiliate_id, "TTK");
    (void)str_copy(out->sales_channel, sizeof out->sales_channel, "3");
    return RC_OK;
}

void session_vtex_done(struct vtex_session *s)
{
    (void)s;
}

void tiktok_reply_done(struct tiktok_reply *reply)
{
    json_decref(reply->root);
}

void vtex_reply_done(struct vtex_reply *reply)
{
    json_decref(reply->body);
}

enum rc tiktok_call(struct tiktok_session *s, const struct tiktok_req *req,
                    struct tiktok_reply *out, struct err *e)
{
    (void)s;
    (void)e;
    if (str_eq(req->operation, "get_order_list")) {
        char next[8] = "";

        CHECK_STR(req->query[0][1], "100");
        CHECK_STR(req->query[1][1], "update_time");
        CHECK_STR(req->query[2][1], "ASC");
        W.search_ge = jspec_int(req->body, "update_time_ge", 0);
        if (W.searches + 1 < W.n_pages)
            (void)str_fmt(next, sizeof next, "p%d", W.searches + 1);
        out->root = json_pack("{s:{s:s, s:O}}", "data", "next_page_token", next, "orders",
                              W.searches < W.n_pages ? W.pages[W.searches] : W.pages[0]);
        W.searches++;
    } else {
        CHECK_STR(req->operation, "get_order_detail");
        CHECK_STR(req->query[0][1], ORDER);
        out->root = json_pack("{s:{s:[O]}}", "data", "orders", W.order);
    }
    (void)str_copy(out->request_id, sizeof out->request_id, "req-1");
    out->data = json_object_get(out->root, "data");
    return RC_OK;
}

/* The end of a writing call; `apply` is what VTEX does when it hears it. */
static enum rc write_end(enum mode mode, void (*apply)(void), struct err *e)
{
    switch (mode) {
    case DOWN:
        return err_set(e, RC_DOWN, "not reached");
    case CUT_BEFORE:
        return err_set(e, RC_UNSURE, "cut");
    case CUT_AFTER:
        apply();
        return err_set(e, RC_UNSURE, "cut");
    case STOPPED:
        apply();
        return err_set(e, RC_STOPPED, "stopped");
    case DIE_BEFORE:
    case DIE_AFTER:
        _exit(9);
    case GOOD:
        break;
    }
    apply();
    return RC_OK;
}

static void place_apply(void)
{
    W.has_order = true;
    (void)str_copy(W.status, sizeof W.status, "waiting-ffmt-authorization");
}

static void authorize_apply(void)
{
    (void)str_copy(W.status, sizeof W.status, "ready-for-handling");
}

static enum rc play_get(struct vtex_reply *out, struct err *e)
{
    W.lookups++;
    if (!W.has_order || W.hidden) {
        out->status = 404;
        return err_set(e, RC_NOT_FOUND, "not there");
    }
    out->body = json_pack("{s:s, s:s, s:s, s:i}", "orderId", "TTK-" ORDER, "marketplaceOrderId",
                          ORDER, "status", W.status, "value", 28470);
    return RC_OK;
}

static enum rc play_place(const struct vtex_req *req, struct vtex_reply *out, struct err *e)
{
    enum rc rc;

    W.places++;
    CHECK_INT(json_array_size(req->body), 1);
    json_decref(W.placed);
    W.placed = json_deep_copy(json_array_get(req->body, 0));
    if (W.has_order || W.refuse_times > 0) {
        (void)str_copy(out->error_code, sizeof out->error_code,
                       W.has_order ? "FMT009" : W.refuse_code);
        (void)str_copy(out->error_class, sizeof out->error_class,
                       W.has_order ? "adopt" : W.refuse_class);
        (void)str_copy(out->error_text, sizeof out->error_text, W.refuse_text);
        W.refuse_times--;
        return err_set(e, RC_INVALID, "refused");
    }
    rc = write_end(W.place_mode, place_apply, e);
    if (rc == RC_OK && W.bare_answer)
        out->body = json_pack("{s:s, s:s}", "orderId", "TTK-" ORDER, "status", "success");
    else if (rc == RC_OK)
        out->body = json_pack("[{s:s, s:s}]", "marketplaceOrderId", ORDER, "orderId", "TTK-" ORDER);
    return rc;
}

/* Everything in the cart is there and goes by PAC. New reference. */
static json_t *play_simulation(const json_t *cart)
{
    json_t *items = json_array(), *logistics = json_array();
    const json_t *asked = jspec_get(cart, "items");

    for (size_t i = 0; i < json_array_size(asked); i++) {
        const json_t *item = json_array_get(asked, i);

        json_array_append_new(items,
                              json_pack("{s:s, s:i, s:I, s:s, s:s}", "id", jspec_text(item, "id"),
                                        "requestIndex", (int)i, "quantity",
                                        (json_int_t)jspec_int(item, "quantity", 0), "seller", "1",
                                        "availability", "available"));
        json_array_append_new(logistics,
                              json_pack("{s:i, s:[{s:s, s:s, s:s, s:i}]}", "itemIndex", (int)i,
                                        "slas", "id", "PAC", "deliveryChannel", "delivery",
                                        "shippingEstimate", "6bd", "price", 500));
    }
    return json_pack("{s:o, s:o, s:[]}", "items", items, "logisticsInfo", logistics, "messages");
}

enum rc vtex_call(struct vtex_session *s, const struct vtex_req *req, struct vtex_reply *out,
                  struct err *e)
{
    int64_t sku = 0;
    enum rc rc;

    (void)s;
    if (str_eq(req->operation, "getOrder"))
        return play_get(out, e);
    if (str_eq(req->operation, "simulateCart")) {
        W.simulations++;
        out->body = W.simulation ? json_incref(W.simulation) : play_simulation(req->body);
        return RC_OK;
    }
    if (str_eq(req->operation, "placeFulfillmentOrder"))
        return play_place(req, out, e);
    if (str_eq(req->operation, "authorizeDispatch")) {
        W.authorizes++;
        CHECK_STR(jspec_text(req->body, "marketplaceOrderId"), ORDER);
        CHECK(strstr(req->path, "/TTK-" ORDER "/fulfill") != NULL, "%s", req->path);
        if (W.authorize_too_early-- > 0) {
            (void)str_copy(out->error_class, sizeof out->error_class, "workflow");
            return err_set(e, RC_INVALID, "too early");
        }
        rc = write_end(W.authorize_mode, authorize_apply, e);
        if (rc == RC_OK)
            out->body = json_pack("{s:s}", "orderId", "TTK-" ORDER);
        return rc;
    }
    CHECK_STR(req->operation, "getSkuContext");
    if (!W.known_sku)
        return err_set(e, RC_NOT_FOUND, "unknown SKU");
    if (!str_to_i64(strrchr(req->path, '/') + 1, 1, INT64_MAX, &sku))
        return err_set(e, RC_BUG, "no SKU in %s", req->path);
    out->body = json_pack("{s:I, s:b, s:b, s:[i]}", "Id", (json_int_t)sku, "IsActive", 1,
                          "IsProductActive", 1, "SalesChannels", 3);
    return RC_OK;
}

/* ---- helpers ----------------------------------------------------------------------------------- */

static json_t *fixture(const char *name)
{
    char path[256];
    json_t *value;

    (void)str_fmt(path, sizeof path, "tests/fixtures/vtex/%s.json", name);
    value = json_load_file(path, 0, NULL);
    if (!value) {
        printf("cannot read %s\n", path);
        exit(77);
    }
    return value;
}

static struct app A;

static void reset(void)
{
    for (int i = 0; i < W.n_pages; i++)
        json_decref(W.pages[i]);
    json_decref(W.order);
    json_decref(W.placed);
    json_decref(W.simulation);
    memset(&W, 0, sizeof W);
    W.order = fixture("source.tiktok-order");
    W.simulation = fixture("checkout.simulation.response");
    W.known_sku = true;
    A.cfg.public_url = (char *)"https://conector.exemplo.com.br";
    A.cfg.in_doubt_settle_seconds = 120;
    fresh_sql(P, "TRUNCATE tiktok_orders, order_timeline, tiktok_log_order, jobs, skus, sku_links");
    fresh_sql(P, "UPDATE shops SET order_watermark = NULL");
    fresh_sql(P, "UPDATE clients SET policies = '{}'");
}

static void tiktok_says(const char *status, int64_t later_s)
{
    int64_t at = jspec_int(W.order, "update_time", 0);

    json_object_set_new(W.order, "status", json_string(status));
    json_object_set_new(W.order, "update_time", json_integer(at + later_s));
}

static enum rc run_on(struct db_pool *pool, const char *kind, struct err *e)
{
    struct job job = { .client_id = CLIENT, .shop_id = SHOP, .attempts = 1 };
    struct job_ctx ctx = { .app = &A, .db = pool, .job = &job };
    enum rc rc;

    *e = (struct err){ 0 };
    (void)str_copy(job.kind, sizeof job.kind, kind);
    if (str_eq(kind, "order_poll"))
        return sync_order_poll(&ctx, e);
    (void)str_copy(job.entity, sizeof job.entity, ORDER);
    rc = sync_order_import(&ctx, e);
    return rc;
}

static enum rc import_once(struct err *e)
{
    return run_on(P, "order_import", e);
}

/* The same, asked for by a person. */
static enum rc import_named(struct err *e)
{
    json_auto_t *payload = json_pack("{s:s}", "by", "operator");
    struct job job = { .client_id = CLIENT, .shop_id = SHOP, .attempts = 1, .payload = payload };
    struct job_ctx ctx = { .app = &A, .db = P, .job = &job };

    *e = (struct err){ 0 };
    (void)str_copy(job.kind, sizeof job.kind, "order_import");
    (void)str_copy(job.entity, sizeof job.entity, ORDER);
    return sync_order_import(&ctx, e);
}

/* Runs the import in a child that is killed inside a call. */
static void import_killed(void)
{
    struct err e;
    struct db_pool *pool = NULL;
    int status = 0;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        if (db_pool_new(F.url, 1, 30000, F.ring, &pool, &e) != RC_OK)
            _exit(1);
        (void)run_on(pool, "order_import", &e);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    CHECK_INT(WEXITSTATUS(status), 9);
}

static struct order_row row_now(void)
{
    struct order_row row = { 0 };
    struct db_tx *tx = NULL;
    struct err e = { 0 };

    if (db_tx_begin(P, "row", CLIENT, &tx, &e) != RC_OK ||
        db_order_get(tx, SHOP, ORDER, &row, &e) != RC_OK)
        printf("  no row: %s\n", e.text);
    db_tx_free(tx);
    return row;
}

static void check_row(const char *state, const char *step, const char *problem)
{
    struct order_row row = row_now();

    CHECK_STR(row.state, state);
    CHECK_STR(row.step, step);
    CHECK_STR(row.problem, problem);
}

/* As if the settle time had passed since the call. */
static void settle(void)
{
    fresh_sql(P, "UPDATE tiktok_orders SET step_at = step_at - interval '121 seconds'");
}

static int64_t pending_units(const char *seller_sku)
{
    struct db_tx *tx = NULL;
    struct err e = { 0 };
    int64_t units = -1;

    if (db_tx_begin(P, "units", CLIENT, &tx, &e) != RC_OK ||
        db_order_pending_units(tx, SHOP, "", seller_sku, &units, &e) != RC_OK)
        printf("  %s\n", e.text);
    db_tx_free(tx);
    return units;
}

/* ---- cases ------------------------------------------------------------------------------------- */

static void a_paid_order_is_placed_and_authorized_once(void)
{
    struct err e;

    reset();
    CHECK_INT(import_once(&e), RC_OK);
    check_row("authorized", "authorized", "");
    CHECK_INT(W.places, 1);
    CHECK_INT(W.authorizes, 1);
    CHECK_STR(row_now().vtex_order_id, "TTK-" ORDER);
    CHECK_STR(row_now().vtex_status, "ready-for-handling");
    CHECK_STR(jspec_text(W.placed, "marketplaceServicesEndpoint"),
              "https://conector.exemplo.com.br/vtex/" CLIENT "/hook-secret-1");
    CHECK_INT(fresh_count(P, "SELECT merchant_minor AS n FROM tiktok_orders"), 28470);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM order_timeline"), 7);
    /* asked again: nothing more is sent */
    CHECK_INT(import_once(&e), RC_OK);
    CHECK_INT(W.places, 1);
    CHECK_INT(W.authorizes, 1);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM order_timeline"), 7);
    /* the document is sealed: no name stands in the row */
    CHECK_INT(
        fresh_count(
            P,
            "SELECT count(*) AS n FROM tiktok_orders WHERE position('Mariana'::bytea IN document) > 0"
            " OR items::text LIKE '%Mariana%'"),
        0);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM tiktok_orders WHERE document IS NOT NULL"),
              1);
}

static void orders_that_are_only_stored(void)
{
    static const struct {
        const char *status;
        const char *state;
        int64_t pending;
    } cases[] = {
        { "UNPAID", "received", 2 },     { "ON_HOLD", "on_hold", 2 },
        { "CANCELLED", "cancelled", 0 }, { "CANCEL", "cancelled", 0 },
        { "COMPLETED", "completed", 0 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err e;

        reset();
        tiktok_says(cases[i].status, 0);
        json_object_del(W.order, "recipient_address");
        CHECK_INT(import_once(&e), RC_OK);
        check_row(cases[i].state, "none", "");
        CHECK_INT(W.lookups + W.places + W.simulations, 0);
        CHECK_INT(pending_units("1201"), cases[i].pending);
    }
}

static void on_hold_then_paid(void)
{
    struct err e;

    reset();
    tiktok_says("ON_HOLD", 0);
    CHECK_INT(import_once(&e), RC_OK);
    tiktok_says("AWAITING_SHIPMENT", 10);
    CHECK_INT(import_once(&e), RC_OK);
    check_row("authorized", "authorized", "");
    CHECK_INT(pending_units("1201"), 0);
    /* then the rest of its life, never back */
    tiktok_says("DELIVERED", 20);
    CHECK_INT(import_once(&e), RC_OK);
    check_row("delivered", "authorized", "");
    tiktok_says("IN_TRANSIT", -10);
    CHECK_INT(import_once(&e), RC_OK);
    check_row("delivered", "authorized", "");
    CHECK_STR(row_now().tiktok_status, "DELIVERED");
    CHECK_INT(W.places, 1);
}

static void an_order_that_vtex_has_already_is_adopted(void)
{
    struct err e;

    reset();
    place_apply();
    CHECK_INT(import_once(&e), RC_OK);
    check_row("authorized", "authorized", "");
    CHECK_INT(W.places, 0);
    CHECK_INT(W.authorizes, 1);
    reset();
    place_apply();
    authorize_apply();
    CHECK_INT(import_once(&e), RC_OK);
    check_row("authorized", "authorized", "");
    CHECK_INT(W.places + W.authorizes, 0);
}

static void a_cut_placement_that_arrived(void)
{
    struct err e;

    reset();
    W.place_mode = CUT_AFTER;
    CHECK_INT(import_once(&e), RC_OK);
    check_row("authorized", "authorized", "");
    CHECK_INT(W.places, 1);
}

static void a_cut_placement_that_shows_up_late(void)
{
    struct err e;

    reset();
    W.place_mode = CUT_AFTER;
    W.hidden = true;
    CHECK_INT(import_once(&e), RC_BUSY);
    CHECK(e.retry_after_us > 100 * US_PER_S, "%lld", (long long)e.retry_after_us);
    check_row("in_doubt", "place_sent", "in_doubt");
    CHECK_INT(pending_units("2205"), 1);
    W.hidden = false;
    CHECK_INT(import_once(&e), RC_OK);
    check_row("authorized", "authorized", "");
    CHECK_INT(W.places, 1);
}

static void a_cut_placement_that_never_arrived(void)
{
    struct err e;

    reset();
    W.place_mode = CUT_BEFORE;
    CHECK_INT(import_once(&e), RC_BUSY);
    CHECK_INT(row_now().looked_up, 1);
    /* asked again before the settle time: looked up, not sent */
    for (int i = 0; i < 3; i++)
        CHECK_INT(import_once(&e), RC_BUSY);
    CHECK_INT(W.places, 1);
    check_row("in_doubt", "place_sent", "in_doubt");
    settle();
    W.place_mode = GOOD;
    CHECK_INT(import_once(&e), RC_OK);
    check_row("authorized", "authorized", "");
    CHECK_INT(W.places, 2);
}

static void killed_while_placing(void)
{
    static const enum mode modes[] = { DIE_BEFORE, DIE_AFTER };

    for (int i = 0; i < 2; i++) {
        struct err e;

        reset();
        W.place_mode = modes[i];
        import_killed();
        check_row("importing", "place_sent", "");
        W.place_mode = GOOD;
        if (modes[i] == DIE_AFTER)
            place_apply();
        if (modes[i] == DIE_BEFORE) {
            CHECK_INT(import_once(&e), RC_BUSY);
            check_row("in_doubt", "place_sent", "in_doubt");
            settle();
            CHECK_INT(W.places, 0);
        }
        CHECK_INT(import_once(&e), RC_OK);
        check_row("authorized", "authorized", "");
        CHECK_INT(W.places, modes[i] == DIE_BEFORE ? 1 : 0);
    }
}

static void first_looked_up_long_after_the_call(void)
{
    struct err e;

    reset();
    W.place_mode = DIE_BEFORE;
    import_killed();
    settle();
    W.place_mode = GOOD;
    CHECK_INT(import_once(&e), RC_BUSY); /* twice, always */
    CHECK(e.retry_after_us < 10 * US_PER_S, "%lld", (long long)e.retry_after_us);
    CHECK_INT(W.places, 0);
    CHECK_INT(import_once(&e), RC_OK);
    CHECK_INT(W.places, 1);
}

static void authorizations_whose_end_is_unknown(void)
{
    struct err e;

    reset();
    W.authorize_mode = CUT_AFTER;
    CHECK_INT(import_once(&e), RC_OK);
    check_row("authorized", "authorized", "");
    CHECK_INT(W.authorizes, 1);
    reset();
    W.authorize_mode = CUT_BEFORE;
    CHECK_INT(import_once(&e), RC_BUSY);
    check_row("in_doubt", "authorize_sent", "in_doubt");
    CHECK_INT(import_once(&e), RC_BUSY);
    CHECK_INT(W.authorizes, 1);
    settle();
    W.authorize_mode = GOOD;
    CHECK_INT(import_once(&e), RC_OK);
    check_row("authorized", "authorized", "");
    CHECK_INT(W.authorizes, 2);
    CHECK_INT(W.places, 1);
    reset();
    W.authorize_mode = DIE_AFTER;
    import_killed();
    place_apply();
    authorize_apply();
    CHECK_INT(import_once(&e), RC_OK);
    check_row("authorized", "authorized", "");
    CHECK_INT(W.authorizes, 0);
}

static void a_call_that_was_not_sent_is_not_in_doubt(void)
{
    struct err e;

    reset();
    W.place_mode = DOWN;
    CHECK_INT(import_once(&e), RC_DOWN);
    check_row("importing", "claimed", "");
    W.place_mode = GOOD;
    W.authorize_mode = DOWN;
    CHECK_INT(import_once(&e), RC_DOWN);
    check_row("imported", "placed", "");
    W.authorize_mode = GOOD;
    CHECK_INT(import_once(&e), RC_OK);
    CHECK_INT(W.places, 2);
    CHECK_INT(W.authorizes, 2);
}

static void stopped_in_the_middle(void)
{
    struct err e;

    reset();
    W.place_mode = STOPPED;
    CHECK_INT(import_once(&e), RC_STOPPED);
    check_row("importing", "place_sent", "");
    CHECK_INT(import_once(&e), RC_OK);
    check_row("authorized", "authorized", "");
    CHECK_INT(W.places, 1);
}

static void refusals_by_class(void)
{
    static const struct {
        const char *code, *class;
        int times;
        enum rc rc;
        const char *state, *problem;
        int places;
    } cases[] = {
        { "FMT007", "divergence", 9, RC_INVALID, "failed", "price_divergence", 1 },
        { "FMT0060", "terminal", 9, RC_INVALID, "failed", "vtex_order_cancelled", 1 },
        { "FMT0045", "payload", 9, RC_INVALID, "failed", "vtex_refused", 1 },
        { "FMT0021", "configuration", 9, RC_DENIED, "importing", "vtex_configuration", 1 },
        { "CHK0032", "mapping", 9, RC_OK, "waiting_mapping", "sku_unlinked", 1 },
        { "ORD027", "stock-or-sla", 9, RC_BUSY, "importing", "out_of_stock", 2 },
        { "FMT010", "stock-or-sla", 1, RC_OK, "authorized", "", 2 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err e;

        reset();
        (void)str_copy(W.refuse_code, sizeof W.refuse_code, cases[i].code);
        (void)str_copy(W.refuse_class, sizeof W.refuse_class, cases[i].class);
        W.refuse_times = cases[i].times;
        CHECK(import_once(&e) == cases[i].rc, "%s: %s", cases[i].code, e.text);
        CHECK_STR(row_now().state, cases[i].state);
        CHECK_STR(row_now().problem, cases[i].problem);
        CHECK_INT(W.places, cases[i].places);
    }
}

static void two_lines_of_one_sku_are_merged_when_vtex_asks(void)
{
    struct err e;
    json_t *line;

    reset();
    json_decref(W.simulation);
    W.simulation = NULL; /* played from the cart */
    line = json_array_get(json_object_get(W.order, "line_items"), 1);
    json_object_set_new(line, "sale_price", json_string("64.91"));
    (void)str_copy(W.refuse_code, sizeof W.refuse_code, "ORD056");
    (void)str_copy(W.refuse_class, sizeof W.refuse_class, "payload");
    W.refuse_times = 1;
    CHECK_INT(import_once(&e), RC_OK);
    CHECK_INT(W.places, 2);
    CHECK_INT(W.simulations, 2);
    CHECK_INT(json_array_size(jspec_get(W.placed, "items")), 2);
    CHECK_INT(jspec_int(W.placed, "marketplacePaymentValue", 0), 6990 + 6491 + 12990 + 1500);
    line = json_array_get(jspec_get(W.placed, "items"), 0);
    CHECK_INT(jspec_int(line, "price", 0), 6740);
    CHECK_INT(jspec_int(line, "quantity", 0), 2);
    check_row("authorized", "authorized", "");
}

static void an_order_of_the_test_shop_is_never_placed(void)
{
    struct err e;

    reset();
    fresh_sql(P, "UPDATE clients SET sandbox_shop_id = '" SHOP "'");
    CHECK_INT(import_once(&e), RC_OK);
    check_row("received", "none", "sandbox_shop");
    CHECK_INT(W.simulations, 0);
    fresh_sql(P, "UPDATE clients SET sandbox_shop_id = NULL");
}

static void an_unlinked_sku_waits_and_a_link_releases_it(void)
{
    struct err e;
    struct db_tx *tx = NULL;
    json_t *list = NULL;
    int64_t released = 0;
    char next[160];

    reset();
    W.known_sku = false;
    CHECK_INT(import_once(&e), RC_OK);
    check_row("waiting_mapping", "claimed", "sku_unlinked");
    CHECK_INT(W.simulations, 0);
    CHECK_INT(pending_units("1201"), 2);
    CHECK_INT(import_once(&e), RC_OK); /* looked at again: nothing new to tell */
    CHECK_INT(
        fresh_count(P, "SELECT count(*) AS n FROM order_timeline WHERE event = 'waiting_mapping'"),
        1);
    CHECK_INT(db_tx_begin(P, "link", CLIENT, &tx, &e), RC_OK);
    CHECK_INT(db_order_unlinked_list(tx, CLIENT, "", 50, &list, next, &e), RC_OK);
    CHECK_INT(json_array_size(list), 2);
    CHECK_INT(jspec_int(json_array_get(list, 0), "waiting_orders", -1), 1);
    CHECK_STR(jspec_text(json_array_get(list, 0), "seller_sku"), "1201");
    json_decref(list);
    CHECK_INT(db_order_unlinked_link(tx, CLIENT, "1730000000000001201", "1201", "token:test",
                                     &released, &e),
              RC_OK);
    CHECK_INT(released, 1);
    CHECK_INT(db_order_unlinked_link(tx, CLIENT, "1730000000000002205", "2205", "token:test",
                                     &released, &e),
              RC_OK);
    CHECK_INT(db_order_unlinked_link(tx, CLIENT, "999", "2205", "token:test", &released, &e),
              RC_NOT_FOUND);
    CHECK_INT(db_tx_commit(tx, &e), RC_OK);
    db_tx_free(tx);
    CHECK_INT(fresh_count(
                  P,
                  "SELECT count(*) AS n FROM jobs WHERE kind = 'order_import' AND entity = '" ORDER
                  "'"),
              1);
    CHECK_INT(import_once(&e), RC_OK);
    check_row("authorized", "authorized", "");
}

/* What our product says of a SKU was never asked of VTEX: a SKU it does not know is no short stock. */
static void a_link_that_vtex_does_not_know_is_no_link(void)
{
    struct err e;
    struct db_tx *tx = NULL;
    int64_t released = 0;

    reset();
    W.known_sku = false;
    fresh_sql(
        P, "INSERT INTO skus (shop_id, client_id, seller_sku, source_id, source_sku, vtex_sku_id,"
           " tiktok_sku_id) VALUES ('" SHOP "', '" CLIENT "', '1201', 'P', '1201', '987',"
           " '1730000000000001201'), ('" SHOP "', '" CLIENT "', '2205', 'P', '2205', '2205',"
           " '1730000000000002205')");
    json_decref(W.simulation);
    W.simulation = json_pack("{s:[], s:[], s:[]}", "items", "logisticsInfo", "messages");
    CHECK_INT(import_once(&e), RC_OK);
    check_row("waiting_mapping", "claimed", "sku_unlinked");
    CHECK_INT(W.places, 0);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM sku_links WHERE vtex_sku_id IS NULL"), 2);
    CHECK_INT(db_tx_begin(P, "link", CLIENT, &tx, &e), RC_OK);
    CHECK_INT(db_order_unlinked_link(tx, CLIENT, "1730000000000001201", "1201", "token:test",
                                     &released, &e),
              RC_OK);
    CHECK_INT(released, 1);
    CHECK_INT(db_order_unlinked_link(tx, CLIENT, "1730000000000002205", "2205", "token:test",
                                     &released, &e),
              RC_OK);
    CHECK_INT(db_tx_commit(tx, &e), RC_OK);
    db_tx_free(tx);
    json_decref(W.simulation);
    W.simulation = fixture("checkout.simulation.response");
    W.known_sku = true;
    CHECK_INT(import_once(&e), RC_OK); /* a person's word goes before the product's */
    check_row("authorized", "authorized", "");
}

/* VTEX knows the SKUs, and still says that one cannot be sold: a person chooses others. */
static void a_mapping_refusal_lists_the_skus(void)
{
    struct err e;

    reset();
    (void)str_copy(W.refuse_code, sizeof W.refuse_code, "CHK0031");
    (void)str_copy(W.refuse_class, sizeof W.refuse_class, "mapping");
    W.refuse_times = 1;
    CHECK_INT(import_once(&e), RC_OK);
    check_row("waiting_mapping", "claimed", "sku_unlinked");
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM sku_links WHERE vtex_sku_id IS NULL"), 2);
}

/* Shipped before it came to us: seen and kept, not made a second time in VTEX unless a person wants it. */
static void an_order_shipped_elsewhere_is_not_placed(void)
{
    static const char *const STATUS[] = { "AWAITING_COLLECTION", "IN_TRANSIT", "DELIVERED" };
    struct err e;

    for (int i = 0; i < 3; i++) {
        reset();
        tiktok_says(STATUS[i], 1);
        CHECK_INT(import_once(&e), RC_OK);
        check_row("received", "none", "shipped_outside_vtex");
        CHECK_INT(W.places, 0);
        CHECK_INT(pending_units("1201"), 0);
        CHECK_INT(import_named(&e), RC_OK);
        CHECK_INT(W.places, 1);
    }
    reset(); /* one that was on its way to VTEX goes on */
    W.place_mode = CUT_BEFORE;
    A.cfg.in_doubt_settle_seconds = 0;
    (void)import_once(&e);
    W.place_mode = GOOD;
    tiktok_says("IN_TRANSIT", 1);
    for (int i = 0; i < 3 && import_once(&e) == RC_BUSY; i++)
        ;
    CHECK(W.has_order);
}

static void our_products_explain_skus_first(void)
{
    struct err e;

    reset();
    W.known_sku = false;
    fresh_sql(
        P,
        "INSERT INTO skus (shop_id, seller_sku, client_id, source_id, source_sku, vtex_sku_id,"
        " tiktok_sku_id) VALUES ('" SHOP "', 'A', '" CLIENT "', 'S', 'A', '1201',"
        " '1730000000000001201'), ('" SHOP "', '2205', '" CLIENT "', 'S', '2205', '2205', NULL)");
    CHECK_INT(import_once(&e), RC_OK);
    check_row("authorized", "authorized", "");
}

static void an_account_without_the_custom_app(void)
{
    struct err e;

    reset();
    (void)str_copy(W.refuse_class, sizeof W.refuse_class, "payload");
    (void)str_copy(W.refuse_text, sizeof W.refuse_text, "customApps id not found");
    W.refuse_times = 1;
    CHECK_INT(import_once(&e), RC_OK);
    CHECK(json_is_null(json_object_get(W.placed, "customData")));
    CHECK_INT(W.places, 2);
}

static void a_bare_answer_will_do(void)
{
    struct err e;

    reset();
    W.bare_answer = true;
    CHECK_INT(import_once(&e), RC_OK);
    check_row("authorized", "authorized", "");
    CHECK_INT(W.places, 1);
}

static void what_vtex_repeats_of_the_buyer_is_hidden(void)
{
    struct err e;

    reset();
    (void)str_copy(W.refuse_class, sizeof W.refuse_class, "payload");
    (void)str_copy(W.refuse_text, sizeof W.refuse_text,
                   "CPF 111.444.777-35 of a@b.example, SKU 1202");
    W.refuse_times = 1;
    CHECK_INT(import_once(&e), RC_INVALID);
    CHECK(strstr(e.text, "SKU 1202") && !strstr(e.text, "444") && !strchr(e.text, '@'), "%s",
          e.text);
}

static void foreign_money_is_not_placed(void)
{
    struct err e;

    reset();
    json_object_set_new(json_object_get(W.order, "payment"), "currency", json_string("USD"));
    CHECK_INT(import_once(&e), RC_OK);
    check_row("received", "none", "currency_not_brl");
    CHECK_INT(W.lookups + W.places, 0);
}

static void authorized_too_early(void)
{
    struct err e;

    reset();
    W.authorize_too_early = 1;
    CHECK_INT(import_once(&e), RC_BUSY);
    check_row("imported", "placed", "not_ready_to_authorize");
    CHECK(e.retry_after_us <= 10 * US_PER_S);
    CHECK_INT(import_once(&e), RC_OK);
    check_row("authorized", "authorized", "");
    CHECK_INT(W.authorizes, 2);
}

static void short_stock_waits_visibly(void)
{
    struct err e;

    reset();
    json_object_set_new(json_array_get(json_object_get(W.simulation, "items"), 0), "availability",
                        json_string("withoutStock"));
    CHECK_INT(import_once(&e), RC_BUSY);
    CHECK(e.retry_after_us >= 30 * US_PER_S);
    check_row("importing", "claimed", "out_of_stock");
    CHECK_INT(W.places, 0);
    CHECK_INT(import_once(&e), RC_BUSY);
    CHECK_INT(
        fresh_count(P, "SELECT count(*) AS n FROM order_timeline WHERE event = 'out_of_stock'"), 1);
    /* cancelled meanwhile: dropped */
    tiktok_says("CANCELLED", 5);
    CHECK_INT(import_once(&e), RC_OK);
    check_row("cancelled", "claimed", "");
    CHECK_INT(W.places, 0);
    CHECK_INT(pending_units("1201"), 0);
}

static void cancelled_while_in_doubt_is_settled_first(void)
{
    struct err e;

    reset();
    W.place_mode = CUT_AFTER;
    W.hidden = true;
    CHECK_INT(import_once(&e), RC_BUSY);
    tiktok_says("CANCELLED", 5);
    W.hidden = false;
    CHECK_INT(import_once(&e), RC_OK);
    check_row("cancelled", "placed", "cancel_in_vtex");
    CHECK_INT(W.authorizes, 0);
}

static void a_divergence_waits_for_the_merchant(void)
{
    struct err e;

    reset();
    W.has_order = true;
    (void)str_copy(W.status, sizeof W.status, "waiting-for-manual-authorization");
    CHECK_INT(import_once(&e), RC_BUSY);
    check_row("imported", "placed", "waiting_manual_authorization");
    CHECK_INT(W.authorizes, 0);
    (void)str_copy(W.status, sizeof W.status, "waiting-ffmt-authorization");
    CHECK_INT(import_once(&e), RC_OK);
    check_row("authorized", "authorized", "");
    CHECK_INT(W.authorizes, 1);
}

static void an_id_that_was_cancelled_in_vtex(void)
{
    struct err e;

    reset();
    W.has_order = true;
    (void)str_copy(W.status, sizeof W.status, "canceled");
    CHECK_INT(import_once(&e), RC_INVALID);
    check_row("failed", "placed", "vtex_order_cancelled");
    CHECK_INT(W.places + W.authorizes, 0);
}

static void missing_buyer_data_wait(void)
{
    struct err e;

    reset();
    json_object_set_new(W.order, "cpf", json_string("***.444.777-**"));
    CHECK_INT(import_once(&e), RC_BUSY);
    check_row("importing", "claimed", "document_invalid");
    json_object_set_new(W.order, "cpf", json_string("111.444.777-35"));
    CHECK_INT(import_once(&e), RC_OK);
    check_row("authorized", "authorized", "");
}

static json_t *listed(const char *id, int64_t update_s)
{
    return json_pack("{s:s, s:s, s:I}", "id", id, "status", "AWAITING_SHIPMENT", "update_time",
                     (json_int_t)update_s);
}

static void the_poll_finds_what_webhooks_missed(void)
{
    struct err e;
    int64_t before = clock_now_us();

    reset();
    W.n_pages = 2;
    W.pages[0] = json_pack("[o,o]", listed("1", 100), listed("2", 200));
    W.pages[1] = json_pack("[o]", listed(ORDER, 1781532310));
    CHECK_INT(import_once(&e), RC_OK); /* ORDER is known as of 1781532310 */
    CHECK_INT(run_on(P, "order_poll", &e), RC_OK);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM jobs WHERE kind = 'order_import'"), 2);
    CHECK_INT(W.searches, 2 + 5); /* the first time also what is open */
    CHECK(
        fresh_count(
            P, "SELECT (extract(epoch FROM order_watermark) * 1000000)::bigint AS n FROM shops") >=
        before - 5 * US_PER_S);
    W.searches = 0;
    CHECK_INT(run_on(P, "order_poll", &e), RC_OK);
    CHECK_INT(W.searches, 2);
    CHECK(W.search_ge <= before / US_PER_S - 595 && W.search_ge > before / US_PER_S - 660, "%lld",
          (long long)W.search_ge);
}

static void lists_for_rest(void)
{
    struct err e;
    struct db_tx *tx = NULL;
    json_t *items = NULL, *one = NULL;
    struct order_filter filter = { .limit = 1 };
    struct order_filter bad = { .state = "nonsense" };
    char next[160];

    reset();
    CHECK_INT(import_once(&e), RC_OK);
    fresh_sql(P,
              "INSERT INTO tiktok_orders (shop_id, order_id, client_id, created_at) VALUES ('" SHOP
              "', '77',"
              " '" CLIENT "', now() - interval '1 day')");
    CHECK_INT(db_tx_begin(P, "list", CLIENT, &tx, &e), RC_OK);
    CHECK_INT(db_order_list(tx, CLIENT, &filter, &items, next, &e), RC_OK);
    CHECK_INT(json_array_size(items), 1);
    CHECK_STR(jspec_text(json_array_get(items, 0), "order_id"), ORDER);
    CHECK_STR(jspec_text(json_array_get(items, 0), "total.amount"), "274.70");
    CHECK_STR(jspec_text(json_array_get(items, 0), "invoice.state"), "awaiting_invoice");
    json_decref(items);
    filter.cursor = next;
    CHECK_INT(db_order_list(tx, CLIENT, &filter, &items, next, &e), RC_OK);
    CHECK_STR(jspec_text(json_array_get(items, 0), "order_id"), "77");
    CHECK_STR(next, "");
    json_decref(items);
    filter =
        (struct order_filter){ .state = "authorized", .q = "2205", .from = "2020-01-01T00:00:00Z" };
    CHECK_INT(db_order_list(tx, CLIENT, &filter, &items, next, &e), RC_OK);
    CHECK_INT(json_array_size(items), 1);
    json_decref(items);
    CHECK_INT(db_order_get_json(tx, CLIENT, ORDER, &one, &e), RC_OK);
    CHECK_STR(jspec_text(one, "vtex_order_id"), "TTK-" ORDER);
    CHECK_STR(jspec_text(json_array_get(jspec_get(one, "timeline"), 0), "event"), "received");
    CHECK_STR(jspec_text(json_array_get(jspec_get(one, "timeline"), 0), "by"), "webhook");
    CHECK_STR(jspec_text(json_array_get(jspec_get(one, "items"), 0), "unit_price"), "69.90");
    json_decref(one);
    CHECK_INT(db_order_get_json(tx, CLIENT, "0", &one, &e), RC_NOT_FOUND);
    CHECK_INT(db_order_get_json(tx, "another-client", ORDER, &one, &e), RC_NOT_FOUND);
    CHECK_INT(db_order_list(tx, CLIENT, &bad, &items, next, &e), RC_INVALID);
    CHECK_STR(e.field, "state");
    db_tx_free(tx);
}

static void client_make(void)
{
    struct client_write w = { .client_id = CLIENT,
                              .name = "Loja Exemplo",
                              .vtex_account = "lojaexemplo",
                              .vtex_sales_channel = "3",
                              .vtex_affiliate_id = "TTK",
                              .app_key = "vtexappkey-lojaexemplo-X",
                              .app_token = "token",
                              .hook_secret = "hook-secret-1" };
    struct db_tx *tx = NULL;
    struct err e = { 0 };
    json_t *policies = json_object();

    w.policies = policies;
    if (db_tx_begin(P, "client", CLIENT, &tx, &e) != RC_OK ||
        db_client_write(tx, &w, &e) != RC_OK || db_tx_commit(tx, &e) != RC_OK) {
        printf("client: %s\n", e.text);
        exit(1);
    }
    db_tx_free(tx);
    json_decref(policies);
    fresh_sql(P, "INSERT INTO shops (shop_id, client_id, open_id) VALUES ('" SHOP "', '" CLIENT
                 "', 'o')");
}

int main(void)
{
    struct err e = { 0 };

    fresh_open(&F, "order_import", true);
    if (db_pool_new(F.url, 3, 30000, F.ring, &P, &e) != RC_OK) {
        printf("pool: %s\n", e.text);
        return 1;
    }
    client_make();
    CASE(a_paid_order_is_placed_and_authorized_once);
    CASE(orders_that_are_only_stored);
    CASE(on_hold_then_paid);
    CASE(an_order_that_vtex_has_already_is_adopted);
    CASE(a_cut_placement_that_arrived);
    CASE(a_cut_placement_that_shows_up_late);
    CASE(a_cut_placement_that_never_arrived);
    CASE(killed_while_placing);
    CASE(first_looked_up_long_after_the_call);
    CASE(authorizations_whose_end_is_unknown);
    CASE(a_call_that_was_not_sent_is_not_in_doubt);
    CASE(stopped_in_the_middle);
    CASE(refusals_by_class);
    CASE(two_lines_of_one_sku_are_merged_when_vtex_asks);
    CASE(an_order_of_the_test_shop_is_never_placed);
    CASE(an_unlinked_sku_waits_and_a_link_releases_it);
    CASE(a_link_that_vtex_does_not_know_is_no_link);
    CASE(a_mapping_refusal_lists_the_skus);
    CASE(an_order_shipped_elsewhere_is_not_placed);
    CASE(our_products_explain_skus_first);
    CASE(an_account_without_the_custom_app);
    CASE(a_bare_answer_will_do);
    CASE(what_vtex_repeats_of_the_buyer_is_hidden);
    CASE(foreign_money_is_not_placed);
    CASE(authorized_too_early);
    CASE(short_stock_waits_visibly);
    CASE(cancelled_while_in_doubt_is_settled_first);
    CASE(a_divergence_waits_for_the_merchant);
    CASE(an_id_that_was_cancelled_in_vtex);
    CASE(missing_buyer_data_wait);
    CASE(the_poll_finds_what_webhooks_missed);
    CASE(lists_for_rest);
    db_pool_free(P);
    fresh_close(&F);
    return CHECK_END();
}
