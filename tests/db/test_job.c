/* tests/db/test_job.c - the job engine: generations, lanes, outcomes, runs, what people do with jobs. */
#include "job_rig.h"

static void put_twice_is_one(void)
{
    struct replica r;

    clean();
    put("ok", "a", LANE_ORDERS);
    put("ok", "a", LANE_ORDERS);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM jobs"), 1);
    if (!replica_start(&r, KINDS, 4, 45))
        return;
    CHECK(until("SELECT count(*) AS n FROM jobs", 0));
    CHECK_INT(atomic_load(&S->runs), 1);
    replica_stop(&r);
    CHECK_INT(
        fresh_count(P, "SELECT count(*) AS n FROM shop_schedule WHERE lease_holder IS NOT NULL"),
        0);
}

static void put_while_running_runs_once_more(void)
{
    struct replica r;

    clean();
    if (!replica_start(&r, KINDS, 4, 45))
        return;
    put("gated", "a", LANE_ORDERS);
    CHECK(until_at_least(&S->runs, 1));
    for (int i = 0; i < 5; i++)
        put("gated", "a", LANE_ORDERS);
    atomic_store(&S->gate, 1);
    CHECK(until("SELECT count(*) AS n FROM jobs", 0));
    CHECK_INT(atomic_load(&S->runs), 2);
    replica_stop(&r);
}

static void delayed_jobs_wait(void)
{
    struct replica r;
    int64_t start = clock_mono_us();

    clean();
    if (!replica_start(&r, KINDS, 2, 45))
        return;
    put_to("shop1", "ok", "later", LANE_ORDERS, 700 * US_PER_MS);
    CHECK(until_at_least(&S->runs, 1));
    CHECK(clock_mono_us() - start >= 690 * US_PER_MS);
    CHECK(clock_mono_us() - start < 3 * US_PER_S, "%lld us", (long long)(clock_mono_us() - start));
    replica_stop(&r);
}

/* A stopped process keeps its lease until it runs out; when it wakes it can commit nothing. */
static void busy_is_not_counted(void)
{
    struct replica r;

    clean();
    put("busy", "b", LANE_ORDERS);
    if (!replica_start(&r, KINDS, 2, 45))
        return;
    CHECK(until("SELECT count(*) AS n FROM jobs", 0));
    CHECK_INT(atomic_load(&S->runs), 21);
    replica_stop(&r);
}

static void failures_end_parked_and_visible(void)
{
    struct replica r;

    clean();
    put("down", "d", LANE_ORDERS);
    put("invalid", "i", LANE_ORDERS);
    if (!replica_start(&r, KINDS, 2, 45))
        return;
    CHECK(until("SELECT count(*) AS n FROM jobs WHERE state = 'parked'", 2));
    CHECK_INT(atomic_load(&S->runs), 2);
    CHECK_INT(
        fresh_count(P,
                    "SELECT count(*) AS n FROM jobs WHERE kind = 'invalid' AND outcome = 'invalid'"
                    " AND problem = '{\"code\":\"bad_thing\",\"detail\":\"it will not get better\","
                    "\"platform_code\":12052990,\"request_id\":\"req-1\"}'::jsonb"),
        1);
    CHECK_INT(
        fresh_count(
            P,
            "SELECT count(*) AS n FROM jobs WHERE kind = 'down' AND outcome = 'down' AND attempts = 2"),
        1);
    put("invalid", "i", LANE_ORDERS); /* asked for again: tried again */
    CHECK(until(
        "SELECT count(*) AS n FROM jobs WHERE state = 'parked' AND kind = 'invalid' AND generation = 2",
        1));
    replica_stop(&r);
}

static void denied_pauses_the_shop(void)
{
    struct replica r;
    struct db_tx *tx = NULL;
    struct err e = { 0 };

    clean();
    put("denied", "d", LANE_ORDERS);
    if (!replica_start(&r, KINDS, 2, 45))
        return;
    CHECK(until(
        "SELECT count(*) AS n FROM shop_schedule WHERE shop_id = 'shop1' AND paused_reason = 'denied'",
        1));
    put("ok", "other", LANE_ORDERS);
    put_to("shop2", "ok", "elsewhere", LANE_ORDERS, 0);
    CHECK(until("SELECT count(*) AS n FROM jobs WHERE shop_id = 'shop2'", 0));
    CHECK_INT(
        fresh_count(
            P,
            "SELECT count(*) AS n FROM jobs WHERE shop_id = 'shop1' AND state = 'ready' AND attempts = 0"),
        2);
    CHECK_INT(db_tx_begin(P, "unpause", CLIENT, &tx, &e), RC_OK);
    CHECK_INT(db_shop_unpause(tx, "shop1", &e), RC_OK);
    CHECK_INT(db_tx_commit(tx, &e), RC_OK);
    db_tx_free(tx);
    CHECK(until("SELECT count(*) AS n FROM jobs", 0));
    replica_stop(&r);
}

static void lanes_go_in_order(void)
{
    struct replica r;

    clean();
    put("order", "5", LANE_MAINTENANCE);
    put("order", "4", LANE_CATALOG);
    put("order", "2", LANE_STOCK);
    put("order", "3", LANE_PRICE);
    put("order", "1", LANE_ORDERS);
    if (!replica_start(&r, KINDS, 1, 45))
        return;
    CHECK(until("SELECT count(*) AS n FROM jobs", 0));
    CHECK_STR(S->order, "12345");
    replica_stop(&r);
}

static void bulk_leaves_threads_for_orders(void)
{
    struct replica r;
    int64_t start = 0;

    clean();
    for (int i = 0; i < 60; i++) {
        char entity[16];

        (void)snprintf(entity, sizeof entity, "%d", i);
        put("bulk", entity, LANE_CATALOG);
    }
    if (!replica_start(&r, KINDS, 4, 45))
        return;
    CHECK(until_at_least(&S->bulk_most, 3));
    start = clock_mono_us();
    put("ok", "order", LANE_ORDERS);
    put_to("shop2", "ok", "order", LANE_ORDERS, 0);
    CHECK(until_at_least(&S->runs, 2));
    CHECK(clock_mono_us() - start < US_PER_S);
    CHECK(fresh_count(P, "SELECT count(*) AS n FROM jobs WHERE kind = 'bulk'") > 0);
    CHECK(until("SELECT count(*) AS n FROM jobs", 0));
    CHECK_INT(atomic_load(&S->bulk_most), 3);
    replica_stop(&r);
}

/* Orders of a shop whose other side lets them wait do not hold every thread. */
static void a_shop_that_waits_stops_no_other(void)
{
    struct replica r;

    clean();
    for (int i = 0; i < 20; i++) {
        char entity[16];

        (void)snprintf(entity, sizeof entity, "%d", i);
        put("gated", entity, LANE_ORDERS);
    }
    if (!replica_start(&r, KINDS, 4, 45))
        return;
    CHECK(until_at_least(&S->runs, 3));
    put_to("shop2", "ok", "order", LANE_ORDERS, 0);
    CHECK(until("SELECT count(*) AS n FROM jobs WHERE shop_id = 'shop2'", 0));
    CHECK_INT(atomic_load(&S->runs), 4);
    atomic_store(&S->gate, 1);
    CHECK(until("SELECT count(*) AS n FROM jobs", 0));
    replica_stop(&r);
}

/* One thread for bulk: a shop with one job does not wait behind another's hundred. */
static void shops_take_turns(void)
{
    struct replica r;
    int at = -1;

    clean();
    for (int i = 0; i < 100; i++) {
        char entity[16];

        (void)snprintf(entity, sizeof entity, "a%d", i);
        put("order", entity, LANE_STOCK);
    }
    put_to("shop2", "order", "b", LANE_STOCK, 0);
    if (!replica_start(&r, KINDS, 1, 45))
        return;
    CHECK(until("SELECT count(*) AS n FROM jobs", 0));
    for (int i = 0; i < 101; i++)
        at = S->order[i] == 'b' ? i : at;
    CHECK(at >= 0 && at < 20, "it ran as number %d", at);
    replica_stop(&r);
}

static void periodic_jobs_come_for_connected_shops(void)
{
    struct replica r;

    clean();
    fresh_sql(P, "INSERT INTO shops (shop_id, client_id, open_id, status) VALUES"
                 " ('tick1', '" CLIENT "', 'o', 'connected'), ('tick2', '" CLIENT
                 "', 'o', 'disconnected')");
    if (!replica_start(&r, PERIODIC, 2, 45))
        return;
    CHECK(until_at_least(&S->runs, 3));
    CHECK_INT(
        fresh_count(P, "SELECT count(*) AS n FROM jobs WHERE shop_id = 'tick1' AND kind = 'tick'"),
        1);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM jobs WHERE shop_id = 'tick2'"), 0);
    replica_stop(&r);
    fresh_sql(P, "DELETE FROM shops WHERE shop_id LIKE 'tick%'");
}

/* What everything relies on comes back even after a quarantine. */
static void periodic_jobs_are_revived(void)
{
    struct replica r;

    clean();
    fresh_sql(P, "INSERT INTO shops (shop_id, client_id, open_id, status) VALUES"
                 " ('tick1', '" CLIENT "', 'o', 'connected')");
    fresh_sql(
        P,
        "INSERT INTO jobs (shop_id, kind, entity, client_id, lane, state, deaths, updated_at) VALUES"
        " ('tick1', 'tick', '', '" CLIENT "', 0, 'parked', 3, now() - interval '6 minutes')");
    if (!replica_start(&r, PERIODIC, 2, 45))
        return;
    CHECK(until_at_least(&S->runs, 1));
    replica_stop(&r);
    fresh_sql(P, "DELETE FROM shops WHERE shop_id LIKE 'tick%'");
}

static void people_list_retry_and_cancel(void)
{
    struct job_filter parked = { .client_id = CLIENT, .state = "parked" };
    struct job_info *list = NULL;
    struct db_tx *tx = NULL;
    struct err e = { 0 };
    int64_t n64 = 0, id = 0;
    int n = 0;

    clean();
    put("ok", "1", LANE_ORDERS);
    put("ok", "2", LANE_ORDERS);
    fresh_sql(
        P, "UPDATE jobs SET state = 'parked', outcome = 'invalid', problem = '{\"code\":\"x\"}'");
    CHECK_INT(db_tx_begin(P, "list", "client-other", &tx, &e), RC_OK);
    CHECK_INT(db_job_list(tx, &parked, &list, &n, &e), RC_OK);
    CHECK_INT(n, 0);
    db_job_list_free(list, n);
    db_tx_free(tx);
    CHECK_INT(db_tx_begin(P, "list", CLIENT, &tx, &e), RC_OK);
    CHECK_INT(db_job_list(tx, &parked, &list, &n, &e), RC_OK);
    CHECK_INT(n, 2);
    if (n == 2) {
        CHECK_STR(list[0].entity, "2");
        CHECK_STR(list[0].outcome, "invalid");
        CHECK_STR(json_string_value(json_object_get(list[0].problem, "code")), "x");
        id = list[0].id;
    }
    db_job_list_free(list, n);
    CHECK_INT(db_job_cancel(tx, id, &e), RC_OK);
    CHECK_INT(db_job_retry(tx, id, &e), RC_NOT_FOUND);
    CHECK_INT(db_tx_commit(tx, &e), RC_OK);
    db_tx_free(tx);
    CHECK_INT(db_tx_begin(P, "retry", CLIENT, &tx, &e), RC_OK);
    CHECK_INT(db_job_retry_filter(tx, &parked, &n64, &e), RC_OK);
    CHECK_INT(n64, 1);
    CHECK_INT(db_tx_commit(tx, &e), RC_OK);
    db_tx_free(tx);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM jobs WHERE state = 'ready'"), 1);
}

static void put_in_run(const char *kind, const char *entity, const char *run_id)
{
    struct db_job_key key = { .client_id = CLIENT,
                              .shop_id = "shop1",
                              .kind = kind,
                              .entity = entity,
                              .lane = LANE_ORDERS,
                              .run_id = run_id };
    struct db_tx *tx = NULL;
    struct err e = { 0 };

    CHECK_INT(db_tx_begin(P, "put", CLIENT, &tx, &e), RC_OK);
    CHECK_INT(db_job_put(tx, &key, &e), RC_OK);
    CHECK_INT(db_tx_commit(tx, &e), RC_OK);
    db_tx_free(tx);
}

/* A run never waits for a job that is parked, cancelled or has gone over to a later run. */
static void runs_end_with_their_jobs(void)
{
    struct replica r;

    clean();
    fresh_sql(P, "DELETE FROM sync_runs");
    fresh_sql(
        P,
        "INSERT INTO sync_runs (client_id, id, kind, requested_by, status, total, read_done) VALUES"
        " ('" CLIENT "', 'run-a', 'products', 'x', 'running', 1, true),"
        " ('" CLIENT "', 'run-b', 'products', 'x', 'running', 2, true),"
        " ('" CLIENT "', 'run-c', 'products', 'x', 'running', 0, false)");
    put_in_run("invalid", "i", "run-a");
    put_in_run("invalid", "i", "run-b");
    CHECK(until(
        "SELECT count(*) AS n FROM sync_runs WHERE id = 'run-a' AND status = 'succeeded' AND unchanged = 1",
        1));
    put_in_run("down", "d", "run-b");
    put_in_run("whole", "", "run-c");
    if (!replica_start(&r, KINDS, 2, 45))
        return;
    CHECK(until(
        "SELECT count(*) AS n FROM sync_runs WHERE id = 'run-b' AND status = 'failed' AND failed = 2",
        1));
    CHECK(until("SELECT count(*) AS n FROM sync_runs WHERE id = 'run-c' AND status = 'failed'"
                " AND problem ->> 'code' = 'bad_thing'",
                1));
    replica_stop(&r);
}

/* Asked for without a run while it runs, and not done: its run still waits for it, not for ever. */
static void a_run_keeps_a_job_that_is_asked_for_meanwhile(void)
{
    struct replica r;

    clean();
    put_in_run("gated", "g", "run-a");
    if (!replica_start(&r, KINDS, 2, 45))
        return;
    CHECK(until_at_least(&S->runs, 1));
    put("gated", "g", LANE_ORDERS);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM jobs WHERE run_id IS NULL"), 1);
    replica_stop(&r);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM jobs WHERE state = 'ready' AND run_id = "
                             "'run-a'"),
              1);
}

/* Two runs ask while the job runs for a third: the handler counts its own run, the one in the middle is let go. */
static void a_run_in_the_middle_is_let_go(void)
{
    struct replica r;

    clean();
    fresh_sql(P, "DELETE FROM sync_runs");
    fresh_sql(P, "INSERT INTO sync_runs (client_id, id, kind, requested_by, status, total,"
                 " read_done) SELECT '" CLIENT "', 'run-' || x, 'products', 'x', 'running', 1, true"
                 " FROM unnest(ARRAY['a', 'b', 'c']) x");
    if (!replica_start(&r, KINDS, 2, 45))
        return;
    put_in_run("gated", "g", "run-a");
    CHECK(until_at_least(&S->runs, 1));
    put("gated", "g",
        LANE_ORDERS); /* without a run: run-a stays the one that is counted at the end */
    put_in_run("gated", "g", "run-b");
    CHECK_INT(fresh_count(P, "SELECT sum(done)::bigint AS n FROM sync_runs"), 0);
    put_in_run("gated", "g", "run-c");
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM sync_runs WHERE id = 'run-b' AND done = 1"
                             " AND status = 'succeeded'"),
              1);
    CHECK_INT(fresh_count(P, "SELECT sum(done)::bigint AS n FROM sync_runs"), 1);
    atomic_store(&S->gate, 1);
    CHECK(until("SELECT count(*) AS n FROM jobs", 0));
    replica_stop(&r);
}

int main(void)
{
    if (!rig_open("job"))
        return 1;
    CASE(put_twice_is_one);
    CASE(put_while_running_runs_once_more);
    CASE(delayed_jobs_wait);
    CASE(busy_is_not_counted);
    CASE(failures_end_parked_and_visible);
    CASE(denied_pauses_the_shop);
    CASE(lanes_go_in_order);
    CASE(bulk_leaves_threads_for_orders);
    CASE(a_shop_that_waits_stops_no_other);
    CASE(shops_take_turns);
    CASE(periodic_jobs_come_for_connected_shops);
    CASE(periodic_jobs_are_revived);
    CASE(people_list_retry_and_cancel);
    CASE(runs_end_with_their_jobs);
    CASE(a_run_keeps_a_job_that_is_asked_for_meanwhile);
    CASE(a_run_in_the_middle_is_let_go);
    rig_close();
    return CHECK_END();
}
