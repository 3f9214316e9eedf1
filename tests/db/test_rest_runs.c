/* test_rest_runs.c - triggers, runs, lists, and what one client sees of another. */
#include "rest_rig.h"

static void triggers_open_runs(void)
{
    char first[64], where[128] = "";

    CHECK_INT(ask("POST", H "/sync/products", "sync-token", NULL, NULL, NULL), 409);
    CHECK_STR(jspec_text(J, "code"), "no_connected_shop");
    connect_shop("loja-exemplo", "7494049642642441621");
    CHECK_INT(ask("POST", H "/sync/products", "reader-token", NULL, NULL, NULL), 403);
    CHECK_INT(ask("POST", H "/sync/nothing", "sync-token", NULL, NULL, NULL), 404);
    CHECK_INT(ask("POST", H "/sync/products", "sync-token", "{\"link\":\"x\"}", NULL, NULL), 400);
    CHECK_INT(ask("POST", H "/sync/products?dry=true", "sync-token", NULL, NULL, NULL), 400);
    CHECK_INT(ask("POST", H "/sync/products", "sync-token", NULL, NULL, NULL), 202);
    (void)str_copy(first, sizeof first, jspec_text(J, "run_id"));
    CHECK(fetch_reply_header(&R, "location", where, sizeof where));
    CHECK_INT(get(where), 200);
    CHECK_STR(jspec_text(J, "status"), "queued");
    CHECK_STR(jspec_text(J, "kind"), "products");
    CHECK_STR(jspec_text(J, "requested_by"), "token:sync");
    CHECK_INT(ask("POST", H "/sync/products", "sync-token", NULL, NULL, NULL), 202);
    CHECK_STR(jspec_text(J, "run_id"), first);
    CHECK_INT(ask("POST", H "/sync/products", "sync-token",
                  "{\"url\":\"https://loja.example/other.xml\"}", NULL, NULL),
              202);
    CHECK(!str_eq(jspec_text(J, "run_id"), first));
    CHECK_INT(get(where), 200);
    CHECK_STR(jspec_text(J, "status"), "cancelled");
    CHECK_STR(jspec_text(J, "problem.code"), "superseded");
    CHECK_INT(ask("POST", H "/sync/products?dry_run=true", "sync-token", NULL, NULL, NULL), 202);
    CHECK(!str_eq(jspec_text(J, "run_id"), first));
    CHECK_INT(ask("POST", H "/sync/orders", "sync-token",
                  "{\"order_ids\":[\"576461413038785752\"]}", NULL, NULL),
              202);
    CHECK_INT(ask("POST", H "/sync/orders", "sync-token", "{\"order_ids\":[\"x\"]}", NULL, NULL),
              400);
    CHECK_INT(fresh_count(A.web_db, "SELECT count(*) AS n FROM jobs WHERE kind IN"
                                    " ('feed_read', 'order_poll') AND run_id IS NOT NULL"),
              3);
    CHECK_INT(get(H "/runs?limit=2"), 200);
    CHECK_INT(json_array_size(jspec_get(J, "items")), 2);
    CHECK(fetch_reply_header(&R, "link", where, sizeof where));
    CHECK(strstr(where, "rel=\"next\"") != NULL);
    CHECK_INT(get("/v1/runs/none"), 404);
}

static void the_same_key_gives_the_first_run(void)
{
    static const char PERIOD[] = "{\"from\":\"2026-02-01T00:00:00Z\"}";
    char first[64], path[120];

    CHECK_INT(ask("POST", H "/sync/orders", "sync-token", PERIOD, "Idempotency-Key: k-1", NULL),
              202);
    (void)str_copy(first, sizeof first, jspec_text(J, "run_id"));
    (void)snprintf(path, sizeof path, "/v1/runs/%s/cancel", first);
    CHECK_INT(ask("POST", path, "sync-token", NULL, NULL, NULL), 200);
    CHECK_INT(ask("POST", H "/sync/orders", "sync-token", PERIOD, "Idempotency-Key: k-1", NULL),
              202);
    CHECK_STR(jspec_text(J, "run_id"), first);
    CHECK_INT(ask("POST", H "/sync/orders", "sync-token", NULL, "Idempotency-Key: k-1", NULL), 422);
    CHECK_INT(ask("POST", H "/sync/orders", "sync-token", PERIOD, NULL, NULL), 202);
    CHECK(!str_eq(jspec_text(J, "run_id"), first));
}

static void waiting_for_a_run(void)
{
    int64_t begun = clock_mono_us();

    CHECK_INT(ask("POST", H "/sync/products", "sync-token", NULL, "Prefer: wait=1", NULL), 202);
    CHECK(clock_mono_us() - begun >= 900 * US_PER_MS);
    fresh_sql(A.web_db, "UPDATE sync_runs SET status = 'running', read_done = true"
                        " WHERE kind = 'products' AND NOT dry_run");
    CHECK_INT(ask("POST", H "/sync/products", "sync-token", NULL, NULL, NULL), 202);
    fresh_sql(A.web_db, "UPDATE sync_runs SET status = 'succeeded', finished_at = now()"
                        " WHERE kind = 'products' AND NOT dry_run AND status = 'running'");
}

static void runs_end_by_counting(void)
{
    struct db_tx *tx = NULL;
    struct err e = { 0 };
    char id[40];
    struct run_delta two = { .total = 2 }, good = { .done = 1, .created = 1 },
                     bad = { .done = 1, .failed = 1 };
    char path[80];

    CHECK_INT(db_tx_begin(A.web_db, "test", "loja-exemplo", &tx, &e), RC_OK);
    CHECK_INT(db_run_new(tx, "loja-exemplo", "7494049642642441621", "products", false, "live", NULL,
                         "test", id, &e),
              RC_OK);
    CHECK_INT(db_run_start(tx, "loja-exemplo", id, &e), RC_OK);
    CHECK_INT(db_run_progress(tx, "loja-exemplo", id, &two, &e), RC_OK);
    CHECK_INT(db_run_progress(tx, "loja-exemplo", id, &good, &e), RC_OK);
    CHECK_INT(db_run_progress(tx, "loja-exemplo", id, &bad, &e), RC_OK);
    CHECK_INT(db_run_change(tx, "loja-exemplo", id, "product", "G-1", NULL, "title", "a", "b",
                            "update", "accepted", &e),
              RC_OK);
    CHECK_INT(db_tx_commit(tx, &e), RC_OK);
    db_tx_free(tx);
    (void)snprintf(path, sizeof path, "/v1/runs/%s", id);
    CHECK_INT(get(path), 200);
    CHECK_STR(jspec_text(J, "status"), "running");
    CHECK_INT(db_tx_begin(A.web_db, "test", "loja-exemplo", &tx, &e), RC_OK);
    CHECK_INT(db_run_read_done(tx, "loja-exemplo", id, &e), RC_OK);
    CHECK_INT(db_tx_commit(tx, &e), RC_OK);
    db_tx_free(tx);
    CHECK_INT(get(path), 200);
    CHECK_STR(jspec_text(J, "status"), "partial");
    CHECK_INT(jspec_int(J, "progress.created", -1), 1);
    CHECK(jspec_text(J, "finished_at") != NULL);
    (void)snprintf(path, sizeof path, "/v1/runs/%s/changes", id);
    CHECK_INT(get(path), 200);
    CHECK_INT(json_array_size(jspec_get(J, "items")), 1);
    (void)snprintf(path, sizeof path, "/v1/runs/%s/cancel", id);
    CHECK_INT(ask("POST", path, "sync-token", NULL, NULL, NULL), 409);
}

static void cancel_drops_its_work(void)
{
    char path[80];

    CHECK_INT(ask("POST", H "/sync/orders", "sync-token", "{\"from\":\"2026-01-01T00:00:00Z\"}",
                  NULL, NULL),
              202);
    (void)snprintf(path, sizeof path, "/v1/runs/%s/cancel", jspec_text(J, "run_id"));
    CHECK_INT(ask("POST", path, "sync-token", NULL, NULL, NULL), 200);
    CHECK_STR(jspec_text(J, "status"), "cancelled");
    CHECK_INT(fresh_count(A.web_db, "SELECT count(*) AS n FROM jobs j JOIN sync_runs r ON r.id ="
                                    " j.run_id WHERE r.status = 'cancelled'"),
              0);
}

static void lists_answer(void)
{
    static const char *const PATHS[] = {
        H "/products",
        H "/products?status=live&q=camisa",
        H "/orders",
        H "/orders?state=authorized",
        H "/unlinked-skus",
        H "/taxonomy",
        H "/jobs",
        H "/jobs?state=parked",
        H "/events",
        H "/events?topic=1",
        H "/logs/product",
        H "/logs/price",
        H "/logs/stock",
        H "/logs/order",
        H "/runs?kind=products&status=queued",
        "/v1/jobs",
        "/v1/jobs?client_hash=loja-exemplo",
    };

    for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++) {
        CHECK(get(PATHS[i]) == 200, "%s: %d %s", PATHS[i], R.status, body_text());
        CHECK(json_is_array(jspec_get(J, "items")), "%s", PATHS[i]);
    }
    CHECK_INT(get(H "/products?state=live"), 400);
    CHECK_INT(get(H "/products?status=nice"), 400);
    CHECK_INT(get(H "/orders?limit=201"), 400);
    CHECK_INT(get(H "/orders?limit=0"), 400);
    CHECK_INT(get(H "/events?cursor=x"), 400);
    CHECK_INT(get(H "/logs/other"), 404);
    CHECK_INT(get(H "/products/none"), 404);
    CHECK_INT(get(H "/orders/1"), 404);
    CHECK_INT(get(H "/skus/none/explain"), 404);
    CHECK_INT(get(H "/audit"), 403);
    CHECK_INT(ask("GET", H "/audit", "admin-token", NULL, NULL, NULL), 200);
    CHECK(json_array_size(jspec_get(J, "items")) >= 2);
}

static void taxonomy_is_written(void)
{
    CHECK_INT(
        ask("PUT", H "/taxonomy/Roupas", "sync-token",
            "{\"tiktok_category_id\":\"601226\",\"attributes\":{\"100107\":{\"value_id\":\"1\"}}}",
            NULL, NULL),
        200);
    CHECK_INT(ask("PUT", H "/taxonomy", "sync-token",
                  "{\"source_category\":\"Casa/Mesa\",\"tiktok_category_id\":\"600001\"}", NULL,
                  NULL),
              200);
    CHECK_INT(get(H "/taxonomy/Roupas"), 200);
    CHECK_STR(jspec_text(J, "chosen_by"), "mapping");
    CHECK_INT(get(H "/taxonomy?limit=1"), 200);
    CHECK_STR(jspec_text(J, "next"), "Casa/Mesa");
    CHECK_INT(get(H "/taxonomy?limit=1&cursor=Casa%2FMesa"), 200);
    CHECK_INT(
        ask("PUT", H "/taxonomy", "sync-token", "{\"tiktok_category_id\":\"600001\"}", NULL, NULL),
        400);
    CHECK_INT(ask("PUT", H "/taxonomy/Roupas", "sync-token", "{\"tiktok_category_id\":\"abc\"}",
                  NULL, NULL),
              400);
    CHECK_INT(ask("PUT", H "/taxonomy/Roupas", "sync-token",
                  "{\"tiktok_category_id\":\"1\",\"attributes\":{\"x\":{}}}", NULL, NULL),
              400);
}

static void orders_and_jobs_are_asked_for(void)
{
    char path[120];
    const json_t *items;
    char id[40] = "";

    CHECK_INT(ask("POST", H "/orders/576461413038785752/resync", "sync-token", NULL, NULL, NULL),
              404);
    CHECK_INT(
        ask("POST", H "/orders/576461413038785752/import", "sync-token", "{\"a\":1}", NULL, NULL),
        400);
    CHECK_INT(ask("POST", H "/orders/576461413038785752/import", "sync-token", NULL, NULL, NULL),
              202);
    CHECK_INT(get("/v1/jobs?kind=order_import&client_hash=loja-exemplo"), 200);
    items = jspec_get(J, "items");
    CHECK_INT(json_array_size(items), 1);
    CHECK_STR(jspec_text(json_array_get(items, 0), "entity"), "576461413038785752");
    (void)str_copy(id, sizeof id, jspec_text(json_array_get(items, 0), "id"));
    (void)snprintf(path, sizeof path, "/v1/jobs/%s/retry", id);
    CHECK_INT(ask("POST", path, "sync-token", NULL, NULL, NULL), 202);
    CHECK_INT(
        ask("POST", "/v1/jobs/retry", "sync-token", "{\"kind\":\"order_import\"}", NULL, NULL),
        202);
    (void)snprintf(path, sizeof path, "/v1/jobs/%s/cancel", id);
    CHECK_INT(ask("POST", path, "sync-token", NULL, NULL, NULL), 204);
    CHECK_INT(ask("POST", path, "sync-token", NULL, NULL, NULL), 404);
    CHECK_INT(ask("POST", "/v1/jobs/99999999/retry", "sync-token", NULL, NULL, NULL), 404);
}

static void events_are_replayed(void)
{
    char path[120];

    fresh_sql(A.web_db, "INSERT INTO events (shop_id, source, key, topic, entity, body) VALUES"
                        " ('7494049642642441621', 'tiktok', 'n-1', 1, '576461413038785799', '{}'),"
                        " ('7494049642642441621', 'tiktok', 'n-2', 13, '', '{}'),"
                        " ('700000000', 'tiktok', 'n-3', 1, '1', '{}')");
    CHECK_INT(get(H "/events"), 200);
    CHECK_INT(json_array_size(jspec_get(J, "items")), 2);
    (void)snprintf(path, sizeof path, H "/events/%s/replay",
                   jspec_text(json_array_get(jspec_get(J, "items"), 1), "id"));
    CHECK_INT(ask("POST", path, "sync-token", NULL, NULL, NULL), 202);
    CHECK_INT(fresh_count(A.web_db, "SELECT count(*) AS n FROM jobs WHERE kind = 'order_import'"
                                    " AND entity = '576461413038785799'"),
              1);
    CHECK_INT(get(H "/events"), 200);
    (void)snprintf(path, sizeof path, H "/events/%s/replay",
                   jspec_text(json_array_get(jspec_get(J, "items"), 0), "id"));
    CHECK_INT(ask("POST", path, "sync-token", NULL, NULL, NULL), 409);
    CHECK_INT(ask("POST", H "/events/999999/replay", "sync-token", NULL, NULL, NULL), 404);
}

/* An event that lists orders has no entity of its own: each order gets its job. */
static void an_event_of_several_orders_is_replayed(void)
{
    char path[120];

    fresh_sql(
        A.web_db,
        "INSERT INTO events (shop_id, source, key, topic, entity, body) VALUES"
        " ('7494049642642441621', 'tiktok', 'n-36', 36, '', '{\"type\":36,\"shop_id\":"
        "\"7494049642642441621\",\"data\":{\"order_ids\":[\"576461413038785801\","
        "576461413038785802]}}'), ('7494049642642441621', 'tiktok', 'n-4', 4, '',"
        " '{\"type\":4,\"shop_id\":\"7494049642642441621\",\"data\":{\"package_list\":[]}}')");
    CHECK_INT(get(H "/events?topic=36"), 200);
    (void)snprintf(path, sizeof path, H "/events/%s/replay",
                   jspec_text(json_array_get(jspec_get(J, "items"), 0), "id"));
    CHECK_INT(ask("POST", path, "sync-token", NULL, NULL, NULL), 202);
    CHECK_INT(fresh_count(A.web_db, "SELECT count(*) AS n FROM jobs WHERE kind = 'order_import'"
                                    " AND entity IN ('576461413038785801', '576461413038785802')"),
              2);
    CHECK_INT(get(H "/events?topic=4"), 200);
    (void)snprintf(path, sizeof path, H "/events/%s/replay",
                   jspec_text(json_array_get(jspec_get(J, "items"), 0), "id"));
    CHECK_INT(ask("POST", path, "sync-token", NULL, NULL, NULL), 409);
    CHECK_INT(fresh_count(A.web_db, "SELECT count(*) AS n FROM jobs WHERE kind = 'order_import'"
                                    " AND entity = ''"),
              0);
}

static void one_client_does_not_reach_another(void)
{
    CHECK_INT(
        ask("PUT", "/v1/clients/outra-loja", "admin-token", "{\"name\":\"Outra\"}", NULL, NULL),
        201);
    CHECK_STR(jspec_text(J, "policies.price.source"), "feed");
    CHECK(json_is_null(jspec_get(J, "vtex")));
    CHECK_INT(get("/v1/clients/outra-loja/shops"), 200);
    CHECK_INT(json_array_size(jspec_get(J, "items")), 0);
    CHECK_INT(get("/v1/clients/outra-loja/taxonomy/Roupas"), 404);
    CHECK_INT(ask("DELETE", "/v1/clients/outra-loja/shops/7494049642642441621", "admin-token", NULL,
                  NULL, NULL),
              404);
    CHECK_INT(
        ask("GET", "/tiktok/authorize?client_hash=outra-loja&link=00", NULL, NULL, NULL, NULL),
        403);
}

static void shop_is_shown_and_disconnected(void)
{
    CHECK_INT(get(H "/shops"), 200);
    CHECK_STR(jspec_text(json_array_get(jspec_get(J, "items"), 0), "status"), "connected");
    CHECK(strstr(body_text(), "access-1") == NULL && strstr(body_text(), "ROW_cipher") == NULL);
    CHECK_INT(ask("DELETE", H "/shops/7494049642642441621", "sync-token", NULL, NULL, NULL), 403);
    CHECK_INT(ask("DELETE", H "/shops/7494049642642441621", "admin-token", NULL, NULL, NULL), 204);
    CHECK_INT(get(H "/shops"), 200);
    CHECK_STR(jspec_text(json_array_get(jspec_get(J, "items"), 0), "status"), "disconnected");
    CHECK_INT(fresh_count(A.web_db, "SELECT (SELECT count(*) FROM tiktok_tokens) +"
                                    " (SELECT count(*) FROM tiktok_auth_tokens WHERE"
                                    " refresh_token IS NOT NULL) + (SELECT count(*) FROM shops"
                                    " WHERE cipher IS NOT NULL) AS n"),
              0);
    CHECK_INT(ask("POST", H "/sync/products", "sync-token", NULL, NULL, NULL), 409);
    connect_shop("loja-exemplo", "7494049642642441621");
    CHECK_INT(fresh_count(A.web_db, "SELECT count(*) AS n FROM shop_schedule"
                                    " WHERE paused_reason IS NOT NULL"),
              0);
}

static void deactivated_client_stands_still(void)
{
    CHECK_INT(ask("POST", H "/sync/products", "sync-token", NULL, NULL, NULL), 202);
    CHECK_INT(ask("DELETE", H, "admin-token", NULL, NULL, NULL), 204);
    CHECK_INT(get(H), 200);
    CHECK_STR(jspec_text(J, "status"), "inactive");
    CHECK_INT(fresh_count(A.web_db, "SELECT count(*) AS n FROM jobs WHERE state = 'ready'"
                                    " AND client_id = 'loja-exemplo'"),
              0);
    CHECK_INT(ask("POST", H "/sync/products", "sync-token", NULL, NULL, NULL), 409);
    CHECK_INT(ask("PATCH", H, "admin-token", "{\"name\":\"x\"}", NULL, NULL), 409);
    CHECK_INT(
        ask("GET", "/tiktok/authorize?client_hash=loja-exemplo", "sync-token", NULL, NULL, NULL),
        409);
    CHECK_INT(ask("PUT", H, "admin-token", FULL, NULL, NULL), 200);
    CHECK_STR(jspec_text(J, "status"), "active");
    CHECK(fresh_count(A.web_db, "SELECT count(*) AS n FROM jobs WHERE state = 'ready'"
                                " AND client_id = 'loja-exemplo'") > 0);
    CHECK_INT(fresh_count(A.web_db, "SELECT count(*) AS n FROM shop_schedule"
                                    " WHERE paused_reason IS NOT NULL"),
              0);
}

static void the_client_is_there(void)
{
    CHECK_INT(ask("PUT", H, "admin-token", FULL, NULL, NULL), 201);
}

static void cases(void)
{
    CASE(the_client_is_there);
    CASE(triggers_open_runs);
    CASE(the_same_key_gives_the_first_run);
    CASE(waiting_for_a_run);
    CASE(runs_end_by_counting);
    CASE(cancel_drops_its_work);
    CASE(lists_answer);
    CASE(taxonomy_is_written);
    CASE(orders_and_jobs_are_asked_for);
    CASE(events_are_replayed);
    CASE(an_event_of_several_orders_is_replayed);
    CASE(one_client_does_not_reach_another);
    CASE(shop_is_shown_and_disconnected);
    CASE(deactivated_client_stands_still);
}

int main(void)
{
    return rig_main(cases);
}
