/* Rows of outgoing calls: committed before a write, ended by its outcome, none without the lease. */
#include "check.h"
#include "fresh.h"

#include "clock.h"
#include "str.h"
#include "sync.h"

#define CLIENT "client-calls"
#define COUNT "SELECT count(*) AS n FROM outbound_calls WHERE "

static struct fresh F;
static struct db_pool *P;
static struct app app;
static struct job job;
static struct job_ctx ctx;
static struct platform_recorder recorder;

static struct platform_call call_new(bool writes, const char *operation)
{
    return (struct platform_call){ .peer = writes ? "vtex" : "tiktok",
                                   .operation = operation,
                                   .method = writes ? "POST" : "GET",
                                   .shop_id = "shop-1",
                                   .client_id = CLIENT,
                                   .writes = writes,
                                   .entity = "order-1",
                                   .started_us = clock_now_us(),
                                   .platform_text = "",
                                   .request_id = "" };
}

static void attempt_is_there_before_the_answer(void)
{
    struct platform_call call = call_new(true, "placeFulfillmentOrder");
    struct err e = { 0 };

    CHECK_INT(recorder.before(recorder.user, &call, &e), RC_OK);
    CHECK(call.attempt_id > 0, "an id");
    CHECK_INT(fresh_count(P,
                          COUNT "operation = 'placeFulfillmentOrder' AND outcome IS NULL AND writes"
                                " AND entity = 'order-1' AND job_kind = 'order_import'"
                                " AND job_entity = 'order-1' AND run_id IS NULL"),
              1);
    call.rc = RC_UNSURE;
    call.http_status = 400;
    call.platform_text = "FMT009";
    call.ms = 12;
    call.bytes_out = 34;
    call.bytes_in = 56;
    recorder.after(recorder.user, &call);
    CHECK_INT(fresh_count(P, COUNT "operation = 'placeFulfillmentOrder' AND outcome = 'unsure'"
                                   " AND http_status = 400 AND platform_code = 'FMT009' AND ms = 12"
                                   " AND bytes_out = 34 AND bytes_in = 56 AND request_id IS NULL"),
              1);
    CHECK_INT(fresh_count(P, COUNT "operation = 'placeFulfillmentOrder'"), 1);
}

static void reads_are_one_row(void)
{
    struct platform_call call = call_new(false, "get_order");

    (void)str_copy(job.run_id, sizeof(job.run_id), "run-1");
    call.rc = RC_OK;
    call.http_status = 200;
    call.platform_code = 0;
    call.request_id = "R1";
    recorder.after(recorder.user, &call);
    CHECK_INT(fresh_count(P, COUNT
                          "operation = 'get_order' AND outcome = 'ok' AND NOT writes"
                          " AND request_id = 'R1' AND platform_code IS NULL AND run_id = 'run-1'"),
              1);
    call = call_new(false, "get_product");
    call.rc = RC_INVALID;
    call.platform_code = 12052990;
    call.shop_id = ""; /* of a client without a shop: the job's key stands in */
    recorder.after(recorder.user, &call);
    CHECK_INT(fresh_count(P, COUNT
                          "operation = 'get_product' AND outcome = 'invalid' AND shop_id = 'shop-1'"
                          " AND platform_code = '12052990' AND http_status IS NULL"),
              1);
    job.run_id[0] = '\0';
}

static void no_attempt_without_the_lease(void)
{
    struct platform_call call = call_new(true, "cancelOrder");
    struct err e = { 0 };

    job.lease_token = 6; /* another holder has 7 */
    CHECK_INT(recorder.before(recorder.user, &call, &e), RC_STOPPED);
    CHECK_INT(call.attempt_id, 0);
    CHECK_INT(fresh_count(P, COUNT "operation = 'cancelOrder'"), 0);
    job.lease_token = 7;
    CHECK_INT(recorder.before(recorder.user, &call, &e), RC_OK);
    job.lease_token = 6; /* lost while the call ran: its outcome is written down all the same */
    call.rc = RC_OK;
    recorder.after(recorder.user, &call);
    CHECK_INT(fresh_count(P, COUNT "operation = 'cancelOrder' AND outcome = 'ok'"), 1);
    job.lease_token = 7;
}

static void other_tenants_see_nothing(void)
{
    OWN_TX struct db_tx *tx = NULL;
    OWN_ROWS struct db_rows *rows = NULL;
    struct err e = { 0 };

    CHECK_INT(db_tx_begin(P, "other", "client-other", &tx, &e), RC_OK);
    CHECK_INT(db_exec(tx, "SELECT count(*) AS n FROM outbound_calls", NULL, &rows, &e), RC_OK);
    CHECK_INT(db_i64(rows, 0, "n"), 0);
}

int main(void)
{
    struct err e = { 0 };

    fresh_open(&F, "calls", true);
    if (db_pool_new(F.url, 4, 30000, F.ring, &P, &e) != RC_OK) {
        printf("%s\n", e.text);
        return 77;
    }
    fresh_sql(
        P, "INSERT INTO shop_schedule (shop_id, client_id, lease_holder, lease_token, lease_until) "
           "VALUES ('shop-1', 'client-calls', 'me', 7, now() + interval '1 hour')");
    app.job_db = P;
    (void)str_copy(job.client_id, sizeof(job.client_id), CLIENT);
    (void)str_copy(job.shop_id, sizeof(job.shop_id), "shop-1");
    (void)str_copy(job.kind, sizeof(job.kind), "order_import");
    (void)str_copy(job.entity, sizeof(job.entity), "order-1");
    job.lease_token = 7;
    ctx = (struct job_ctx){ .app = &app, .db = P, .job = &job };
    recorder = call_recorder(&ctx);
    CASE(attempt_is_there_before_the_answer);
    CASE(reads_are_one_row);
    CASE(no_attempt_without_the_lease);
    CASE(other_tenants_see_nothing);
    db_pool_free(P);
    fresh_close(&F);
    return CHECK_END();
}
