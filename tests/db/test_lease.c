/* tests/db/test_lease.c - leases: sharing, takeover, fencing, quarantine, hand-back, with real processes. */
#include "job_rig.h"

static void two_processes_share_shops(void)
{
    pid_t a = 0, b = 0;
    char shop[16];

    clean();
    for (int s = 0; s < 40; s++)
        for (int j = 0; j < 10; j++) {
            char entity[16];

            (void)snprintf(shop, sizeof shop, "many%d", s);
            (void)snprintf(entity, sizeof entity, "%d", j);
            put_to(shop, "ok", entity, LANE_ORDERS, 0);
        }
    a = replica_fork(KINDS, 4, 45, 0);
    b = replica_fork(KINDS, 4, 45, 1);
    CHECK(until("SELECT count(*) AS n FROM jobs", 0));
    CHECK_INT(atomic_load(&S->runs), 400);
    /* One job that is asked for again and again, by whoever holds the shop: never two at once. */
    for (int i = 0; i < 100; i++)
        put("alone", "one", LANE_ORDERS);
    CHECK(until("SELECT count(*) AS n FROM jobs", 0));
    CHECK_INT(atomic_load(&S->overlaps), 0);
    end(a, SIGTERM);
    end(b, SIGTERM);
    CHECK_INT(
        fresh_count(P, "SELECT count(*) AS n FROM shop_schedule WHERE lease_holder IS NOT NULL"),
        0);
}

static void restarted_process_takes_over_at_once(void)
{
    pid_t a = 0;
    struct replica r;
    int64_t start = 0;

    clean();
    a = replica_fork(KINDS, 2, 45, 0);
    put("gated", "k", LANE_ORDERS);
    CHECK(until_at_least(&S->runs, 1));
    end(a, SIGKILL);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM jobs WHERE state = 'running'"), 1);
    atomic_store(&S->gate, 1);
    start = clock_mono_us();
    if (!replica_start(&r, KINDS, 2, 45))
        return;
    CHECK(until("SELECT count(*) AS n FROM jobs", 0));
    CHECK(clock_mono_us() - start < 5 * US_PER_S);
    CHECK_INT(atomic_load(&S->runs), 2);
    replica_stop(&r);
}

static void sleeping_holder_is_fenced(void)
{
    pid_t a = 0;
    struct replica r;

    clean();
    a = replica_fork(KINDS, 2, 2, 0);
    put("deaf", "k", LANE_ORDERS);
    CHECK(until_at_least(&S->runs, 1));
    (void)kill(a, SIGSTOP);
    if (!replica_start(&r, KINDS, 2, 2))
        return;
    CHECK(until_at_least(&S->runs, 2));
    CHECK_INT(fresh_count(P, "SELECT deaths AS n FROM jobs"), 1);
    (void)kill(a, SIGCONT);
    nap_ms(50);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM jobs WHERE state = 'running'"), 1);
    atomic_store(&S->gate, 1);
    CHECK(until_at_least(&S->commits_refused, 1));
    CHECK(until("SELECT count(*) AS n FROM jobs", 0));
    CHECK_INT(atomic_load(&S->commits_refused), 1);
    end(a, SIGTERM);
    replica_stop(&r);
}

static void killer_is_quarantined_and_others_are_not(void)
{
    clean();
    put("poison", "p", LANE_ORDERS);
    put("gated", "innocent", LANE_ORDERS);
    for (int i = 0;
         i < 6 && fresh_count(P, "SELECT count(*) AS n FROM jobs WHERE state = 'parked'") == 0;
         i++) {
        pid_t a = replica_fork(KINDS, 4, 45, 0);

        if (i == 3)
            atomic_store(&S->gate, 1);
        for (int t = 0; t < 400 && waitpid(a, NULL, WNOHANG) == 0; t++) {
            nap_ms(10);
            if (fresh_count(P, "SELECT count(*) AS n FROM jobs WHERE state = 'parked'") > 0)
                end(a, SIGTERM);
        }
    }
    CHECK_INT(
        fresh_count(P, "SELECT count(*) AS n FROM jobs WHERE state = 'parked' AND kind = 'poison'"
                       " AND outcome = 'quarantined' AND deaths = 3"),
        1);
    CHECK_INT(fresh_count(
                  P, "SELECT count(*) AS n FROM jobs WHERE state = 'parked' AND kind <> 'poison'"),
              0);
}

static void shutdown_gives_running_jobs_back(void)
{
    struct replica r;

    clean();
    put("gated", "g", LANE_ORDERS);
    if (!replica_start(&r, KINDS, 2, 45))
        return;
    CHECK(until_at_least(&S->runs, 1));
    replica_stop(&r);
    CHECK_INT(
        fresh_count(
            P,
            "SELECT count(*) AS n FROM jobs WHERE state = 'ready' AND attempts = 0 AND deaths = 0"),
        1);
    CHECK_INT(
        fresh_count(P, "SELECT count(*) AS n FROM shop_schedule WHERE lease_holder IS NOT NULL"),
        0);
    CHECK_INT(
        fresh_count(
            P,
            "SELECT count(*) AS n FROM shop_schedule WHERE shop_id = 'shop1' AND due_at <= now()"),
        1);
}

static void survives_lost_connections(void)
{
    struct replica r;
    char sql[160];

    clean();
    if (!replica_start(&r, KINDS, 4, 45))
        return;
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 50; i++) {
            char entity[16];

            (void)snprintf(entity, sizeof entity, "%d-%d", round, i);
            put("ok", entity, LANE_ORDERS);
        }
        (void)snprintf(
            sql, sizeof sql,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '%s'", F.name);
        fresh_admin(F.admin_url, sql, NULL);
    }
    CHECK(until("SELECT count(*) AS n FROM jobs WHERE state <> 'ready' OR due_at <= now()", 0));
    CHECK(atomic_load(&S->runs) >= 250 - (int)fresh_count(P, "SELECT count(*) AS n FROM jobs"));
    replica_stop(&r);
}

int main(void)
{
    if (!rig_open("lease"))
        return 1;
    CASE(two_processes_share_shops);
    CASE(restarted_process_takes_over_at_once);
    CASE(sleeping_holder_is_fenced);
    CASE(killer_is_quarantined_and_others_are_not);
    CASE(shutdown_gives_running_jobs_back);
    CASE(survives_lost_connections);
    rig_close();
    return CHECK_END();
}
