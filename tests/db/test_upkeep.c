/* tests/db/test_upkeep.c - migrations, partitions and retention. */
#include "check.h"
#include "fresh.h"

#include <stdatomic.h>

#include "db_upkeep.h"
#include "sync.h"

#define CLIENT "client-upkeep"

static struct fresh F;
static struct db_pool *P;

static void new_database_is_migrated_once(void)
{
    struct fresh f;
    struct db_pool *pool = NULL;
    struct err e = { 0 };
    int applied = -1;

    fresh_open(&f, "migrate", false);
    CHECK_INT(db_pool_new(f.url, 2, 30000, f.ring, &pool, &e), RC_OK);
    CHECK_INT(db_migrate_check(pool, &e), RC_INVALID);
    CHECK_STR(e.code, "schema_older");
    CHECK_INT(db_migrate(pool, &applied, &e), RC_OK);
    CHECK(applied >= 4, "%d", applied);
    CHECK_INT(db_migrate_check(pool, &e), RC_OK);
    CHECK_INT(db_migrate(pool, &applied, &e), RC_OK);
    CHECK_INT(applied, 0);
    fresh_sql(
        pool,
        "INSERT INTO schema_migrations (version, name, checksum) VALUES (9999, 'later', 'x')");
    CHECK_INT(db_migrate(pool, &applied, &e), RC_INVALID);
    CHECK_STR(e.code, "schema_newer");
    CHECK_INT(db_migrate_check(pool, &e), RC_INVALID);
    fresh_sql(pool, "DELETE FROM schema_migrations WHERE version = 9999");
    fresh_sql(pool, "UPDATE schema_migrations SET checksum = 'y' WHERE version = 2");
    CHECK_INT(db_migrate(pool, &applied, &e), RC_INVALID);
    CHECK_STR(e.code, "schema_changed");
    db_pool_free(pool);
    fresh_close(&f);
}

/* Every table and, where it says something, every column has a comment; every hot key begins with the tenant. */
static void tables_are_described(void)
{
    CHECK_INT(
        fresh_count(
            P,
            "SELECT count(*) AS n FROM pg_class c WHERE relnamespace = 'public'::regnamespace"
            " AND relkind IN ('r', 'p') AND NOT relispartition AND obj_description(oid) IS NULL"),
        0);
    CHECK_INT(
        fresh_count(
            P,
            "SELECT count(*) AS n FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]"
            " WHERE c.relnamespace = 'public'::regnamespace AND i.indisprimary"
            " AND c.relname NOT IN ('schema_migrations', 'sessions', 'sign_in_failures')" /* of people, not tenants */
            " AND a.attname NOT IN ('client_id', 'shop_id')"),
        0);
}

static enum rc maintain(void)
{
    struct job job = { .client_id = DB_SYSTEM, .shop_id = "c:*", .lease_token = 0 };
    static struct app app;
    atomic_bool stop = false;
    struct job_ctx ctx = { .app = &app, .db = P, .job = &job, .stop = &stop };
    struct err e = { 0 };
    enum rc rc = RC_OK;

    app.cfg.retention_days = 90;
    rc = sync_maintenance(&ctx, &e);
    CHECK(rc == RC_OK, "%s", e.text);
    return rc;
}

static void old_rows_go_and_young_ones_stay(void)
{
    fresh_sql(
        P,
        "INSERT INTO shop_schedule (shop_id, client_id) VALUES ('c:*', '*') ON CONFLICT DO NOTHING");
    fresh_sql(
        P,
        "SELECT connector_partition_make('events', (date_trunc('month', now()) - interval '3 months')::date)");
    fresh_sql(
        P,
        "INSERT INTO events (shop_id, received_at, source, key, topic, body) SELECT 's', now() - d * interval"
        " '1 day', 'tiktok', d::text, 1, 'x' FROM generate_series(0, 120, 10) d");
    fresh_sql(
        P,
        "INSERT INTO event_keys (source, shop_id, key, digest, received_at) SELECT 'tiktok', 's', d::text, 'x',"
        " now() - d * interval '1 day' FROM generate_series(0, 800, 100) d");
    fresh_sql(
        P,
        "INSERT INTO outbound_calls (shop_id, id, started_at, client_id, peer, operation, method, writes)"
        " SELECT 's', d, now() - d * interval '1 day', '" CLIENT "', 'vtex', 'x', 'GET', false"
        " FROM generate_series(0, 200, 10) d");
    fresh_sql(P,
              "INSERT INTO sync_runs (client_id, id, kind, requested_by, created_at, finished_at)"
              " SELECT '" CLIENT "', d::text, 'products', 'x', now() - d * interval '1 day',"
              " CASE WHEN d <> 300 THEN now() END FROM generate_series(0, 300, 50) d");
    CHECK_INT(maintain(), RC_OK);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM events"), 3);
    CHECK_INT(
        fresh_count(
            P, "SELECT count(*) AS n FROM events WHERE received_at < now() - interval '30 days'"),
        0);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM event_keys"), 4);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM outbound_calls"), 9);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM sync_runs"), 3);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM sync_runs WHERE finished_at IS NULL"), 1);
    CHECK_INT(fresh_count(
                  P, "SELECT count(*) AS n FROM pg_inherits WHERE inhparent = 'events'::regclass"),
              4);
}

/* A month whose rows went to the default partition, because nobody made its own in time. */
static void late_partition_takes_its_rows(void)
{
    fresh_sql(
        P,
        "DO $$ BEGIN EXECUTE 'DROP TABLE events_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMM'); END $$");
    fresh_sql(
        P,
        "INSERT INTO events (shop_id, source, key, topic, body) VALUES ('s', 'tiktok', 'late', 1, 'x')");
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM events_rest"), 1);
    CHECK_INT(maintain(), RC_OK);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM events_rest"), 0);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM events WHERE key = 'late'"), 1);
    fresh_sql(
        P,
        "INSERT INTO events (shop_id, source, key, topic, body) VALUES ('s', 'tiktok', 'later', 1, 'x')");
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM events_rest"), 0);
}

/* Its items went on in later runs and their worker died: nobody will count them. */
static void a_run_that_nothing_works_for_ends(void)
{
    fresh_sql(
        P,
        "INSERT INTO sync_runs (client_id, id, kind, requested_by, status, read_done, total, done,"
        " started_at) SELECT '" CLIENT "', x, 'products', 'x', 'running', true, 3, 2,"
        " now() - interval '2 hours' FROM unnest(ARRAY['lost', 'at-work', 'claimed']) x");
    fresh_sql(P, "INSERT INTO jobs (shop_id, kind, entity, client_id, lane, run_id, claimed_run_id)"
                 " VALUES ('s', 'x', '1', '" CLIENT "', 3, 'at-work', 'claimed')");
    CHECK_INT(maintain(), RC_OK);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM sync_runs WHERE id = 'lost' AND done = 3"
                             " AND status = 'succeeded' AND problem ->> 'code' = 'taken_over'"),
              1);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM sync_runs WHERE status = 'running'"
                             " AND id IN ('at-work', 'claimed')"),
              2);
}

int main(void)
{
    struct err e = { 0 };

    fresh_open(&F, "upkeep", true);
    if (db_pool_new(F.url, 4, 30000, F.ring, &P, &e) != RC_OK) {
        printf("pool: %s\n", e.text);
        fresh_close(&F);
        return 1;
    }
    fresh_sql(P, "INSERT INTO clients (client_id, name) VALUES ('" CLIENT "', 'Upkeep')");
    CASE(new_database_is_migrated_once);
    CASE(tables_are_described);
    CASE(old_rows_go_and_young_ones_stay);
    CASE(late_partition_takes_its_rows);
    CASE(a_run_that_nothing_works_for_ends);
    db_pool_free(P);
    fresh_close(&F);
    return CHECK_END();
}
