/* tests/db/test_db.c - pool, transactions, statements, copy, sealing and listening on a real PostgreSQL. */
#include "check.h"
#include "fresh.h"

#include <pthread.h>

#include "clock.h"
#include "str.h"

static struct fresh F;
static struct db_pool *P;

static struct db_tx *begin(const char *tenant)
{
    struct db_tx *tx = NULL;
    struct err e = { 0 };

    if (db_tx_begin(P, "test", tenant, &tx, &e) != RC_OK)
        printf("  begin: %s\n", e.text);
    return tx;
}

static void arguments_and_rows(void)
{
    static const char SQL[] =
        "SELECT $1::text AS t, $2::bigint AS i, $3::boolean AS b, $4::bytea AS y, $5::jsonb AS j,"
        " $6::timestamptz AS w, $7::text AS nothing, $8::text[] AS ts, $9::bigint[] AS ns,"
        " ($10::bytea[])[2] AS y2, cardinality($10::bytea[]) AS yn, ($8::text[])[2] AS t2,"
        " ($8::text[])[3] IS NULL AS t3";
    const char *texts[] = { "a,b", "q\"u\\o{}", NULL, "" };
    const int64_t numbers[] = { 1, -9007199254740993 };
    struct buf one = { 0 }, two = { 0 }, got = { 0 };
    const struct buf *items[] = { &one, &two };
    struct err e = { 0 };

    buf_init(&one, 100);
    buf_init(&two, 100);
    buf_init(&got, 100);
    buf_add(&one, "x", 1);
    buf_add(&two, "\0\xff\\", 3);
    for (int round = 0; round < 2; round++) {
        struct db_args a = DB_ARGS;
        struct db_tx *tx = begin(DB_SYSTEM);
        struct db_rows *rows = NULL;
        json_t *json = json_pack("{s:s}", "k", "v\"x");
        json_t *back = NULL;

        db_arg_text(&a, "d\xc3\xa9j\xc3\xa0");
        db_arg_i64(&a, INT64_MIN);
        db_arg_bool(&a, true);
        db_arg_bytes(&a, "\0\1\2", 3);
        db_arg_json(&a, json);
        db_arg_time(&a, 1767225600123456);
        db_arg_text(&a, NULL);
        db_arg_text_array(&a, texts, 4);
        db_arg_i64_array(&a, numbers, 2);
        db_arg_bytes_array(&a, items, 2);
        CHECK_INT(db_exec(tx, SQL, &a, &rows, &e), RC_OK);
        if (rows == NULL)
            return;
        CHECK_STR(db_text(rows, 0, "t"), "d\xc3\xa9j\xc3\xa0");
        CHECK(db_i64(rows, 0, "i") == INT64_MIN);
        CHECK(db_bool(rows, 0, "b"));
        CHECK_INT(db_bytes(rows, 0, "y", &got, &e), RC_OK);
        CHECK(got.len == 3 && memcmp(got.data, "\0\1\2", 3) == 0);
        CHECK_INT(db_time(rows, 0, "w"), 1767225600123456);
        CHECK(db_null(rows, 0, "nothing") && db_text(rows, 0, "nothing") == NULL &&
              db_i64(rows, 0, "nothing") == 0);
        CHECK_STR(db_text(rows, 0, "t2"), "q\"u\\o{}");
        CHECK(db_bool(rows, 0, "t3"));
        CHECK_STR(db_text(rows, 0, "ns"), "{1,-9007199254740993}");
        CHECK_INT(db_bytes(rows, 0, "y2", &got, &e), RC_OK);
        CHECK(got.len == 3 && memcmp(got.data, "\0\xff\\", 3) == 0);
        CHECK_INT(db_i64(rows, 0, "yn"), 2);
        back = db_json_new(rows, 0, "j");
        CHECK_STR(json_string_value(json_object_get(back, "k")), "v\"x");
        json_decref(back);
        json_decref(json);
        db_rows_free(rows);
        CHECK_INT(db_tx_commit(tx, &e), RC_OK);
        db_tx_free(tx);
    }
    buf_done(&one);
    buf_done(&two);
    buf_done(&got);
}

static enum rc one(const char *sql, struct err *e)
{
    struct db_tx *tx = begin(DB_SYSTEM);
    enum rc rc = db_exec(tx, sql, NULL, NULL, e);

    if (rc != RC_OK) {
        CHECK_INT(db_exec(tx, "SELECT 1", NULL, NULL, NULL), RC_BUG);
        CHECK_INT(db_tx_commit(tx, NULL), RC_BUG);
    }
    db_tx_free(tx);
    return rc;
}

static void outcomes(void)
{
    struct err e = { 0 };

    fresh_sql(P, "INSERT INTO clients (client_id, name) VALUES ('client-out1', 'x')");
    CHECK_INT(one("INSERT INTO clients (client_id, name) VALUES ('client-out1', 'y')", &e),
              RC_DUPLICATE);
    CHECK(strstr(e.text, "clients_pkey") != NULL, "%s", e.text);
    CHECK_INT(one("INSERT INTO clients (client_id, name) VALUES ('short', 'Maria Silva')", &e),
              RC_INVALID);
    CHECK(strstr(e.text, "Maria") == NULL, "%s", e.text);
    CHECK_INT(one("SELECT 'Maria Silva'::uuid", &e), RC_INVALID);
    CHECK(strstr(e.text, "Maria") == NULL, "%s", e.text);
    CHECK_INT(
        one("INSERT INTO shops (shop_id, client_id, open_id) VALUES ('s', 'client-none', 'o')", &e),
        RC_INVALID);
    CHECK_INT(one("SELEC 1", &e), RC_BUG);
    CHECK_INT(one("SELECT no_such_column FROM clients", &e), RC_BUG);
    CHECK_INT(one("SELECT pg_terminate_backend(pg_backend_pid())", &e), RC_DOWN);
    CHECK_INT(one("SELECT 1", &e), RC_OK);
}

static void statement_timeout(void)
{
    struct db_pool *quick = NULL;
    struct db_tx *tx = NULL;
    struct err e = { 0 };

    CHECK_INT(db_pool_new(F.url, 1, 200, F.ring, &quick, &e), RC_OK);
    CHECK_INT(db_tx_begin(quick, "slow", DB_SYSTEM, &tx, &e), RC_OK);
    CHECK_INT(db_exec(tx, "SELECT pg_sleep(20)", NULL, NULL, &e), RC_DOWN);
    db_tx_free(tx);
    tx = NULL;
    CHECK_INT(db_tx_begin(quick, "slow", DB_SYSTEM, &tx, &e), RC_OK);
    {
        struct db_tx *second = NULL;

        CHECK_INT(db_tx_begin(quick, "second", DB_SYSTEM, &second, &e), RC_DOWN);
        CHECK_STR(e.code, "database_busy");
    }
    db_tx_free(tx);
    db_pool_free(quick);
}

static void reconnects_after_idle_death(void)
{
    struct db_tx *tx = NULL;
    struct err e = { 0 };
    char sql[160];

    /* Every idle connection of the pool dies behind its back. */
    (void)snprintf(sql, sizeof sql,
                   "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '%s'",
                   F.name);
    fresh_admin(F.admin_url, sql, NULL);
    CHECK_INT(db_tx_begin(P, "after", DB_SYSTEM, &tx, &e), RC_OK);
    CHECK_INT(db_exec(tx, "SELECT 1", NULL, NULL, &e), RC_OK);
    CHECK_INT(db_tx_commit(tx, &e), RC_OK);
    db_tx_free(tx);
}

static void commit_is_read_by_its_tag(void)
{
    struct db_tx *tx = begin(DB_SYSTEM);
    struct err e = { 0 };

    CHECK_INT(db_exec(tx, "CREATE TABLE later (a int UNIQUE DEFERRABLE INITIALLY DEFERRED)", NULL,
                      NULL, &e),
              RC_OK);
    CHECK_INT(db_exec(tx, "INSERT INTO later VALUES (1), (1)", NULL, NULL, &e), RC_OK);
    CHECK_INT(db_affected(tx), 2);
    CHECK_INT(db_tx_commit(tx, &e), RC_DUPLICATE);
    db_tx_free(tx);
    tx = begin(DB_SYSTEM);
    CHECK_INT(db_exec(tx, "INSERT INTO clients (client_id, name) VALUES ('client-lost', 'x')", NULL,
                      NULL, &e),
              RC_OK);
    {
        char sql[160];

        (void)snprintf(
            sql, sizeof sql,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '%s'", F.name);
        fresh_admin(F.admin_url, sql, NULL);
    }
    CHECK_INT(db_tx_commit(tx, &e), RC_UNSURE);
    db_tx_free(tx);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM clients WHERE client_id = 'client-lost'"),
              0);
}

static void tenants_are_separate(void)
{
    struct db_tx *tx = NULL;
    struct db_rows *rows = NULL;
    struct err e = { 0 };

    fresh_sql(
        P, "INSERT INTO clients (client_id, name) VALUES ('tenant-aaa', 'A'), ('tenant-bbb', 'B')");
    tx = begin("tenant-aaa");
    CHECK_INT(db_exec(tx, "SELECT client_id FROM clients", NULL, &rows, &e), RC_OK);
    CHECK_INT(db_rows_count(rows), 1);
    CHECK_STR(db_text(rows, 0, "client_id"), "tenant-aaa");
    CHECK_INT(db_exec(tx, "UPDATE clients SET name = 'stolen' WHERE client_id = 'tenant-bbb'", NULL,
                      NULL, &e),
              RC_OK);
    CHECK_INT(db_affected(tx), 0);
    CHECK(db_exec(tx, "INSERT INTO clients (client_id, name) VALUES ('tenant-ccc', 'C')", NULL,
                  NULL, &e) != RC_OK);
    db_rows_free(rows);
    db_tx_free(tx);
}

/* Every table with a client_id column is guarded, so that a forgotten condition returns nothing. */
static void every_tenant_table_is_guarded(void)
{
    static const char SQL[] =
        "SELECT count(*) AS n FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname IN ('client_id', 'shop_id')"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
        " AND c.relname NOT IN ('shop_schedule') AND NOT (c.relrowsecurity AND c.relforcerowsecurity)";

    CHECK_INT(fresh_count(P, SQL), 0);
}

static void copy_loads_rows(void)
{
    struct db_tx *tx = begin(DB_SYSTEM);
    struct err e = { 0 };

    CHECK_INT(db_exec(tx, "CREATE TEMPORARY TABLE seen (id text, n bigint) ON COMMIT DROP", NULL,
                      NULL, &e),
              RC_OK);
    CHECK_INT(db_copy_begin(tx, "COPY seen FROM STDIN", &e), RC_OK);
    for (int i = 0; i < 5000; i++) {
        char line[40];

        (void)snprintf(line, sizeof line, "id-%d\t%d\n", i, i);
        CHECK_INT(db_copy_data(tx, line, strlen(line), &e), RC_OK);
    }
    CHECK_INT(db_copy_end(tx, &e), RC_OK);
    {
        struct db_rows *rows = NULL;

        CHECK_INT(db_exec(tx, "SELECT count(*) AS n, sum(n) AS s FROM seen", NULL, &rows, &e),
                  RC_OK);
        CHECK_INT(db_i64(rows, 0, "n"), 5000);
        db_rows_free(rows);
    }
    CHECK_INT(db_tx_commit(tx, &e), RC_OK);
    db_tx_free(tx);
    tx = begin(DB_SYSTEM);
    CHECK_INT(db_exec(tx, "CREATE TEMPORARY TABLE seen (id text, n bigint) ON COMMIT DROP", NULL,
                      NULL, &e),
              RC_OK);
    CHECK_INT(db_copy_begin(tx, "COPY seen FROM STDIN", &e), RC_OK);
    CHECK_INT(db_copy_data(tx, "x\tnot a number\n", 15, &e), RC_OK);
    CHECK_INT(db_copy_end(tx, &e), RC_INVALID);
    db_tx_free(tx);
    tx = begin(DB_SYSTEM);
    CHECK_INT(db_exec(tx, "CREATE TEMPORARY TABLE seen (id text) ON COMMIT DROP", NULL, NULL, &e),
              RC_OK);
    CHECK_INT(db_copy_begin(tx, "COPY seen FROM STDIN", &e), RC_OK);
    db_tx_free(tx); /* abandoned in the middle */
    CHECK_INT(one("SELECT 1", &e), RC_OK);
}

static void sealing_binds_the_place(void)
{
    struct buf sealed = { 0 }, plain = { 0 };
    struct db_tx *tx = NULL;
    struct err e = { 0 };

    buf_init(&sealed, 4096);
    buf_init(&plain, 4096);
    fresh_sql(
        P,
        "INSERT INTO clients (client_id, name) VALUES ('client-seal', 'S'), ('client-seal2', 'S')");
    tx = begin("client-seal");
    CHECK_INT(db_seal(tx, "client-seal", "t", "c", "r", "secret", 6, &sealed, &e), RC_OK);
    db_tx_free(
        tx); /* rolled back: the key that was made is gone, and must not live on in the cache */
    buf_clear(&sealed);
    tx = begin("client-seal");
    CHECK_INT(db_seal(tx, "client-seal", "t", "c", "r", "secret", 6, &sealed, &e), RC_OK);
    CHECK_INT(db_unseal(tx, "client-seal", "t", "c", "r", sealed.data, sealed.len, &plain, &e),
              RC_OK);
    CHECK_INT(db_tx_commit(tx, &e), RC_OK);
    db_tx_free(tx);
    for (int round = 0; round < 2; round++) {
        buf_clear(&plain);
        tx = begin("client-seal");
        CHECK_INT(db_unseal(tx, "client-seal", "t", "c", "r", sealed.data, sealed.len, &plain, &e),
                  RC_OK);
        CHECK(plain.len == 6 && memcmp(plain.data, "secret", 6) == 0);
        CHECK_INT(db_unseal(tx, "client-seal", "t", "c", "r2", sealed.data, sealed.len, &plain, &e),
                  RC_DENIED);
        CHECK_INT(db_unseal(tx, "client-seal", "t", "x", "r", sealed.data, sealed.len, &plain, &e),
                  RC_DENIED);
        db_tx_free(tx);
    }
    tx = begin(DB_SYSTEM);
    CHECK_INT(db_unseal(tx, "client-seal2", "t", "c", "r", sealed.data, sealed.len, &plain, &e),
              RC_DENIED);
    CHECK_INT(db_seal(tx, "client-nobody", "t", "c", "r", "x", 1, &sealed, &e), RC_NOT_FOUND);
    db_tx_free(tx);
    buf_done(&sealed);
    buf_done(&plain);
}

static void *wake_it(void *arg)
{
    db_listener_wake(arg);
    return NULL;
}

static void listener_hears_and_wakes(void)
{
    struct db_listener *l = NULL;
    struct err e = { 0 };
    char payload[64] = "";
    pthread_t thread;
    int64_t start = 0;
    char sql[160];

    CHECK_INT(db_listener_new(F.url, "test_channel", &l, &e), RC_OK);
    fresh_sql(P, "SELECT pg_notify('test_channel', 'hello')");
    CHECK_INT(db_listener_wait(l, 5000, payload, sizeof payload, &e), RC_OK);
    CHECK_STR(payload, "hello");
    CHECK_INT(db_listener_wait(l, 10, payload, sizeof payload, &e), RC_BUSY);
    start = clock_mono_us();
    CHECK_INT(pthread_create(&thread, NULL, wake_it, l), 0);
    CHECK_INT(db_listener_wait(l, 20000, payload, sizeof payload, &e), RC_BUSY);
    CHECK(clock_mono_us() - start < 10 * US_PER_S);
    (void)pthread_join(thread, NULL);
    (void)snprintf(sql, sizeof sql,
                   "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '%s'",
                   F.name);
    fresh_admin(F.admin_url, sql, NULL);
    CHECK_INT(db_listener_wait(l, 5000, payload, sizeof payload, &e), RC_DOWN);
    CHECK_INT(db_listener_wait(l, 10, payload, sizeof payload, &e), RC_BUSY);
    fresh_sql(P, "SELECT pg_notify('test_channel', 'again')");
    CHECK_INT(db_listener_wait(l, 5000, payload, sizeof payload, &e), RC_OK);
    CHECK_STR(payload, "again");
    db_listener_free(l);
}

static void unreachable_is_down(void)
{
    struct db_pool *bad = NULL;
    struct err e = { 0 };

    CHECK_INT(db_pool_new("postgresql://nobody@127.0.0.1:1/none", 1, 1000, F.ring, &bad, &e),
              RC_DOWN);
    CHECK(bad == NULL);
}

int main(void)
{
    struct err e = { 0 };

    fresh_open(&F, "db", true);
    if (db_pool_new(F.url, 4, 30000, F.ring, &P, &e) != RC_OK) {
        printf("pool: %s\n", e.text);
        fresh_close(&F);
        return 1;
    }
    CASE(arguments_and_rows);
    CASE(outcomes);
    CASE(statement_timeout);
    CASE(reconnects_after_idle_death);
    CASE(commit_is_read_by_its_tag);
    CASE(tenants_are_separate);
    CASE(every_tenant_table_is_guarded);
    CASE(copy_loads_rows);
    CASE(sealing_binds_the_place);
    CASE(listener_hears_and_wakes);
    CASE(unreachable_is_down);
    db_pool_free(P);
    fresh_close(&F);
    return CHECK_END();
}
