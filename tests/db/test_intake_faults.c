/* test_intake_faults.c - no notification is confirmed that the database did not take. */
#include "intake_rig.h"

/* One event that the database refuses must not hold up the others of its batch. */
static void refused_row(void)
{
    struct intake *in = intake_here();
    struct db_tx *tx = NULL;
    struct err e = { 0 };

    fresh_sql(P, "ALTER TABLE events ADD CONSTRAINT no_devil CHECK (entity <> '666')");
    CHECK_INT(db_tx_begin(P, "hold", DB_SYSTEM, &tx, &e), RC_OK);
    CHECK_INT(db_exec(tx, "LOCK TABLE event_keys IN EXCLUSIVE MODE", NULL, NULL, &e), RC_OK);
    for (int i = 0; i < 20; i++) {
        char key[32];

        (void)snprintf(key, sizeof key, "r%d", i);
        (void)put(in, i, "shop-x", key, i == 11 ? "666" : "5");
    }
    CHECK_INT(db_tx_commit(tx, &e), RC_OK);
    db_tx_free(tx);
    CHECK(all_answered(20, 6000));
    CHECK_INT(with_status(20, 200), 20);
    CHECK_INT(count("events WHERE shop_id = 'shop-x'"), 19);
    CHECK_INT(
        count(
            "events WHERE shop_id = '' AND state = 'dead_letter' AND reason = 'refused_by_database'"),
        1);
    fresh_sql(P, "ALTER TABLE events DROP CONSTRAINT no_devil");
    intake_free(in);
}

static void locked_database(void)
{
    struct intake *in = intake_here();
    struct db_tx *tx = NULL;
    struct err e = { 0 };
    int64_t began = 0;

    CHECK_INT(db_tx_begin(P, "hold", DB_SYSTEM, &tx, &e), RC_OK);
    CHECK_INT(db_exec(tx, "LOCK TABLE event_keys IN EXCLUSIVE MODE", NULL, NULL, &e), RC_OK);
    began = clock_mono_us();
    for (int i = 0; i < 300; i++) { /* more than a batch: the second one waits in the queue */
        char key[32];

        (void)snprintf(key, sizeof key, "l%d", i);
        (void)put(in, i, "shop-l", key, "5");
    }
    CHECK(all_answered(300, 5000));
    slowest_503(300, began, "locked");
    db_tx_free(tx);
    /* well again afterwards */
    (void)put(in, 300, "shop-l", "l-after", "5");
    CHECK(all_answered(301, 6000));
    CHECK_INT(atomic_load(&statuses[300]), 200);
    intake_free(in);
}

/* The server process of the committer stands still, its socket stays open. */
static void hung_database(void)
{
    struct intake *in = intake_here();
    int64_t pid = 0;
    int64_t began = 0;

    (void)put(in, 0, "shop-h", "h0", "5");
    CHECK(all_answered(1, 5000));
    pid = fresh_count(P, "SELECT pid AS n FROM pg_stat_activity WHERE datname = current_database()"
                         " AND query = 'COMMIT' AND pid <> pg_backend_pid()"
                         " ORDER BY state_change DESC LIMIT 1");
    CHECK(pid > 0 && kill((pid_t)pid, SIGSTOP) == 0, "pid %lld", (long long)pid);
    began = clock_mono_us();
    for (int i = 1; i < 20; i++) {
        char key[32];

        (void)snprintf(key, sizeof key, "h%d", i);
        (void)put(in, i, "shop-h", key, "5");
    }
    CHECK(all_answered(20, 6000));
    atomic_store(&statuses[0], 503);
    atomic_store(&answered_us[0], began);
    slowest_503(20, began, "hung");
    (void)put(in, 20, "shop-h", "h-after", "5"); /* over a new connection */
    CHECK(all_answered(21, 6000));
    CHECK_INT(atomic_load(&statuses[20]), 200);
    (void)kill((pid_t)pid, SIGCONT);
    intake_free(in);
}

static void away_database(void)
{
    struct intake *in = NULL;
    struct err e = { 0 };
    int64_t began = clock_mono_us();

    intake_free(intake_here()); /* clears the notes */
    CHECK_INT(intake_new_with("postgresql://nobody@127.0.0.1:1/none", noted, &in, &e), RC_OK);
    for (int i = 0; i < 10; i++)
        (void)put(in, i, "shop-w", "w", "5");
    CHECK(all_answered(10, 4000));
    slowest_503(10, began, "away");
    intake_free(in);
}

static void full_queue(void)
{
    struct intake *in = intake_here();
    struct db_tx *tx = NULL;
    struct err e = { 0 };
    int put_well = 0;
    int refused = 0;

    CHECK_INT(db_tx_begin(P, "hold", DB_SYSTEM, &tx, &e), RC_OK);
    CHECK_INT(db_exec(tx, "LOCK TABLE event_keys IN EXCLUSIVE MODE", NULL, NULL, &e), RC_OK);
    for (int i = 0; i < 20; i++) { /* 20 x 4 MiB are more than may wait */
        struct intake_event *ev = intake_event_new((size_t)4 << 20);

        ev->req = &reqs[i];
        ev->source = "tiktok";
        (void)snprintf(ev->key, sizeof ev->key, "f%d", i);
        if (intake_put(in, ev, &e) == RC_OK) {
            put_well++;
        } else {
            refused++;
            intake_event_free(ev);
        }
    }
    CHECK(refused > 0 && put_well >= 15, "%d refused", refused);
    db_tx_free(tx);
    CHECK(all_answered(put_well, 8000));
    intake_free(in);
}

/* Events that wait when the service stops are committed, not dropped. */
static void stop_commits(void)
{
    struct intake *in = intake_here();

    for (int i = 0; i < 100; i++) {
        char key[32];

        (void)snprintf(key, sizeof key, "s%d", i);
        (void)put(in, i, "shop-s", key, "5");
    }
    intake_free(in);
    CHECK_INT(with_status(100, 200), 100);
    CHECK_INT(count("events WHERE shop_id = 'shop-s'"), 100);
}

static void cases(void)
{
    CASE(refused_row);
    CASE(locked_database);
    CASE(hung_database);
    CASE(away_database);
    CASE(full_queue);
    CASE(stop_commits);
}

int main(void)
{
    return rig_main(cases);
}
