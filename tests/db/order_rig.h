/* order_rig.h - what tests of the order import share: both platforms, played in this process. */
#ifndef ORDER_RIG_H
#define ORDER_RIG_H

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
    int lookups, simulations, places, authorizes, tiktok_cancels, vtex_cancels;
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
    } else if (str_eq(req->operation, "cancel_order")) {
        CHECK_STR(jspec_text(req->body, "order_id"), ORDER);
        CHECK_STR(jspec_text(req->body, "cancel_reason"), "seller_cancel_reason_out_of_stock");
        W.tiktok_cancels++;
        json_object_set_new(W.order, "status", json_string("CANCELLED"));
        json_object_set_new(W.order, "update_time",
                            json_integer(jspec_int(W.order, "update_time", 0) + 1));
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
static inline enum rc write_end(enum mode mode, void (*apply)(void), struct err *e)
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

static inline void place_apply(void)
{
    W.has_order = true;
    (void)str_copy(W.status, sizeof W.status, "waiting-ffmt-authorization");
}

static inline void authorize_apply(void)
{
    (void)str_copy(W.status, sizeof W.status, "ready-for-handling");
}

static inline enum rc play_get(struct vtex_reply *out, struct err *e)
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

static inline enum rc play_place(const struct vtex_req *req, struct vtex_reply *out, struct err *e)
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
static inline json_t *play_simulation(const json_t *cart)
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
    if (str_eq(req->operation, "cancelOrder")) {
        CHECK(strstr(req->path, "/TTK-" ORDER "/cancel") != NULL, "%s", req->path);
        W.vtex_cancels++;
        (void)str_copy(W.status, sizeof W.status, "canceled");
        return RC_OK;
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

static inline json_t *fixture(const char *name)
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

static inline void reset(void)
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

static inline void tiktok_says(const char *status, int64_t later_s)
{
    int64_t at = jspec_int(W.order, "update_time", 0);

    json_object_set_new(W.order, "status", json_string(status));
    json_object_set_new(W.order, "update_time", json_integer(at + later_s));
}

static inline enum rc run_on(struct db_pool *pool, const char *kind, struct err *e)
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

static inline enum rc import_once(struct err *e)
{
    return run_on(P, "order_import", e);
}

/* The same, asked for by a person. */
static inline enum rc import_named(struct err *e)
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
static inline void import_killed(void)
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

static inline struct order_row row_now(void)
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

static inline void check_row(const char *state, const char *step, const char *problem)
{
    struct order_row row = row_now();

    CHECK_STR(row.state, state);
    CHECK_STR(row.step, step);
    CHECK_STR(row.problem, problem);
}

/* As if the settle time had passed since the call. */
static inline void settle(void)
{
    fresh_sql(P, "UPDATE tiktok_orders SET step_at = step_at - interval '121 seconds'");
}

static inline int64_t pending_units(const char *seller_sku)
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

static inline json_t *listed(const char *id, int64_t update_s)
{
    return json_pack("{s:s, s:s, s:I}", "id", id, "status", "AWAITING_SHIPMENT", "update_time",
                     (json_int_t)update_s);
}

static inline void client_make(void)
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

/* Sets up, runs the cases, takes down; the exit code. */
static inline int rig_main(void (*cases)(void))
{
    struct err e = { 0 };

    fresh_open(&F, "order_import", true);
    if (db_pool_new(F.url, 3, 30000, F.ring, &P, &e) != RC_OK) {
        printf("pool: %s\n", e.text);
        return 1;
    }
    client_make();
    cases();
    db_pool_free(P);
    fresh_close(&F);
    return CHECK_END();
}

#endif
