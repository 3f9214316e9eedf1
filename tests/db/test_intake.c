/* test_intake.c - webhooks from the socket to the committed rows: signatures, dedupe, jobs, dead letters, and a
 * database that is slow, hung or refuses. */
#include "check.h"
#include "fresh.h"

#include "app.h"
#include "clock.h"
#include "handlers.h"
#include "intake.h"
#include "jspec.h"
#include "sign.h"
#include "str.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

static struct fresh F;
static struct db_pool *P;

static const struct http_route HOOK[] = {
    { HTTP_POST, "/tiktok/webhook", HTTP_OPEN, 1 << 20, webhook_tiktok_post, "webhook", true },
};

/* A service that only takes webhooks. */
struct hook {
    struct app app;
    struct http_server *server;
};

static struct hook *hook_open(const char *app_key, const char *secret, const char *secret2)
{
    struct hook *h = calloc(1, sizeof *h);
    struct http_server_cfg cfg = {
        .name = "test", .address = "127.0.0.1:0", .routes = HOOK, .n_routes = 1
    };
    struct err e = { 0 };

    if (h == NULL)
        abort();
    h->app.cfg.tiktok_app_key = str_dup(app_key);
    h->app.cfg.tiktok_app_secrets[0] = str_dup(secret);
    h->app.cfg.tiktok_app_secrets[1] = str_dup(secret2);
    cfg.user = &h->app;
    if (intake_new(F.url, &h->app.intake, &e) != RC_OK ||
        http_server_new(&cfg, &h->server, &e) != RC_OK) {
        printf("%s\n", e.text);
        exit(1);
    }
    return h;
}

static void hook_close(struct hook *h)
{
    http_server_stop(h->server, 3000);
    intake_free(h->app.intake);
    free(h->app.cfg.tiktok_app_key);
    free(h->app.cfg.tiktok_app_secrets[0]);
    free(h->app.cfg.tiktok_app_secrets[1]);
    free(h);
}

/* Sends one webhook; the status, or 0. *empty says whether the answer had no body. */
static int post(const struct hook *h, const char *body, size_t len, const char *authorization,
                bool *empty)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)http_server_port(h->server)) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char head[600];
    char answer[2000];
    size_t n = 0;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) != 0)
        abort();
    (void)snprintf(
        head, sizeof head,
        "POST /tiktok/webhook HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: %zu\r\n%s%s%s\r\n",
        len, authorization ? "Authorization: " : "", authorization ? authorization : "",
        authorization ? "\r\n" : "");
    (void)!send(fd, head, strlen(head), MSG_NOSIGNAL);
    (void)!send(fd, body, len, MSG_NOSIGNAL);
    for (;;) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        ssize_t got = poll(&p, 1, 8000) > 0 ? recv(fd, answer + n, sizeof answer - 1 - n, 0) : 0;

        if (got <= 0)
            break;
        n += (size_t)got;
    }
    close(fd);
    answer[n] = 0;
    if (empty != NULL) {
        const char *end = strstr(answer, "\r\n\r\n");

        *empty = end != NULL && end[4] == 0;
    }
    return n > 9 ? (int)strtol(answer + 9, NULL, 10) : 0;
}

static void sign_as(const char *app_key, const char *secret, const char *body, size_t len,
                    char hex[65])
{
    char *message = malloc(strlen(app_key) + len + 1);
    unsigned char mac[32];

    memcpy(message, app_key, strlen(app_key));
    memcpy(message + strlen(app_key), body, len);
    sign_hmac_sha256(secret, strlen(secret), message, strlen(app_key) + len, mac);
    str_hex(hex, mac, sizeof mac);
    free(message);
}

static int post_signed(const struct hook *h, const char *body)
{
    char hex[65];

    sign_as("key", "secret", body, strlen(body), hex);
    return post(h, body, strlen(body), hex, NULL);
}

/* Statements that are made at run time go over a connection of their own: db_exec keeps what it was given. */
static PGconn *pg;

static int64_t ask(const char *sql)
{
    PGresult *res = PQexec(pg, sql);
    int64_t n = -1;

    if (PQresultStatus(res) == PGRES_TUPLES_OK && PQntuples(res) > 0)
        n = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
    else if (PQresultStatus(res) != PGRES_COMMAND_OK)
        printf("%s: %s", sql, PQerrorMessage(pg));
    PQclear(res);
    return n;
}

static int64_t count(const char *what)
{
    char sql[1024];

    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", what);
    return ask(sql);
}

static json_t *fixture(const char *path)
{
    json_t *root = json_load_file(path, 0, NULL);

    if (root == NULL) {
        printf("cannot read %s: run this in the project's root\n", path);
        exit(1);
    }
    return root;
}

static void vectors(void)
{
    json_t *root = fixture("tests/fixtures/tiktok/vectors.json");
    json_t *list = json_object_get(json_object_get(root, "webhook_signature"), "vectors");
    size_t i = 0;
    json_t *v = NULL;

    CHECK(json_array_size(list) >= 10);
    json_array_foreach(list, i, v)
    {
        const char *name = json_string_value(json_object_get(v, "name"));
        json_t *body = json_object_get(v, "raw_body");
        bool want = json_is_true(json_object_get(v, "must_verify"));
        struct hook *h = hook_open(json_string_value(json_object_get(v, "app_key")),
                                   json_string_value(json_object_get(v, "app_secret")), NULL);
        int status = post(h, json_string_value(body), json_string_length(body),
                          json_string_value(json_object_get(v, "authorization_header")), NULL);

        if (strcmp(name, "upper_case_header") == 0)
            want = false; /* no sender does it, and one spelling is simpler to guard than two */
        CHECK(status == (want ? 200 : 401), "%s: %d", name, status);
        hook_close(h);
    }
    json_decref(root);
    CHECK_INT(count("events WHERE topic = 5 AND entity = '1729592969712207008'"), 1);
}

static void signatures(void)
{
    struct hook *h = hook_open("key", "secret", "older");
    const char *body = "{\"type\":1,\"shop_id\":\"sig\",\"data\":{\"order_id\":\"1\"}}";
    char good[65];
    char bad[100];
    bool empty = false;

    sign_as("key", "secret", body, strlen(body), good);
    CHECK_INT(post(h, body, strlen(body), NULL, &empty), 401);
    CHECK(empty, "401 has no body");
    (void)snprintf(bad, sizeof bad, "%.63s", good);
    CHECK_INT(post(h, body, strlen(body), bad, NULL), 401);
    (void)snprintf(bad, sizeof bad, "%s0", good);
    CHECK_INT(post(h, body, strlen(body), bad, NULL), 401);
    (void)snprintf(bad, sizeof bad, "Bearer %s", good);
    CHECK_INT(post(h, body, strlen(body), bad, NULL), 401);
    (void)snprintf(bad, sizeof bad, "%s", good);
    bad[0] = bad[0] == '0' ? '1' : '0';
    CHECK_INT(post(h, body, strlen(body), bad, NULL), 401);
    CHECK_INT(post(h, body, strlen(body), "", NULL), 401);
    CHECK_INT(post(h, "{\"type\":2}", 10, good, NULL), 401);
    CHECK_INT(count("events WHERE shop_id = 'sig'"), 0);
    sign_as("key", "older", body, strlen(body), good);
    CHECK_INT(post(h, body, strlen(body), good, &empty), 200);
    CHECK(empty, "200 has no body");
    CHECK_INT(count("events WHERE shop_id = 'sig'"), 1);
    hook_close(h);
}

static void shop_new(const char *shop, const char *status)
{
    char sql[400];

    (void)snprintf(
        sql, sizeof sql,
        "INSERT INTO shops (shop_id, client_id, open_id, status) VALUES ('%s', 'client-1', 'o', '%s')",
        shop, status);
    (void)ask(sql);
}

/* Every sample of the contract: stored under its own id, and the job that its topic asks for. */
static void samples(void)
{
    struct hook *h = hook_open("key", "secret", NULL);
    json_t *root = fixture("tests/fixtures/tiktok/webhooks.json");
    json_t *w = NULL;
    size_t i = 0;
    int n = 0;

    json_array_foreach(json_object_get(root, "webhooks"), i, w)
    {
        json_t *sample = NULL;
        size_t k = 0;

        json_array_foreach(json_object_get(w, "samples"), k, sample)
        {
            char id[32];
            char *body = NULL;

            (void)snprintf(id, sizeof id, "sample-%d", n++);
            json_object_set_new(sample, "tts_notification_id", json_string(id));
            json_object_set_new(sample, "shop_id", json_string("shop-a"));
            body = json_dumps(sample, 0);
            CHECK_INT(post_signed(h, body), 200);
            free(body);
        }
    }
    json_decref(root);
    CHECK_INT(n, 15);
    CHECK_INT(count("events WHERE shop_id = 'shop-a' AND state = 'stored'"), n);
    CHECK_INT(
        count(
            "jobs WHERE shop_id = 'shop-a' AND kind = 'order_import' AND lane = 0 AND state = 'ready' AND client_id = 'client-1'"),
        3);
    CHECK_INT(
        count(
            "jobs WHERE shop_id = 'shop-a' AND kind = 'order_import' AND entity IN ('152523', '532123', '576486316948490001')"),
        3);
    CHECK_INT(
        count(
            "jobs WHERE shop_id = 'shop-a' AND kind = 'product_audit' AND lane = 3 AND entity <> ''"),
        3);
    CHECK_INT(
        count(
            "jobs WHERE shop_id = 'shop-a' AND kind = 'deauthorized' AND entity = '' AND lane = 0"),
        1);
    CHECK_INT(
        count("jobs WHERE shop_id = 'shop-a' AND kind = 'authorization_ends' AND entity = ''"), 1);
    CHECK_INT(count("jobs WHERE shop_id = 'shop-a' AND kind = 'product_stock' AND lane = 1 AND "
                    "entity = '732357708734418520388'"),
              1);
    CHECK_INT(count("jobs WHERE shop_id = 'shop-a'"), 9);
    CHECK_INT(
        count(
            "shop_schedule WHERE shop_id = 'shop-a' AND due_at <= now() AND lane = 0 AND client_id = 'client-1'"),
        1);
    hook_close(h);
}

static void shops_without_jobs(void)
{
    struct hook *h = hook_open("key", "secret", NULL);

    CHECK_INT(post_signed(h, "{\"type\":1,\"shop_id\":\"nobody\",\"data\":{\"order_id\":\"1\"}}"),
              200);
    CHECK_INT(
        post_signed(h, "{\"type\":1,\"shop_id\":\"shop-gone\",\"data\":{\"order_id\":\"1\"}}"),
        200);
    CHECK_INT(post_signed(h, "{\"type\":999,\"shop_id\":\"shop-b\",\"data\":{\"order_id\":\"1\"}}"),
              200);
    CHECK_INT(
        post_signed(h, "{\"type\":1,\"shop_id\":\"shop-tired\",\"data\":{\"order_id\":\"1\"}}"),
        200);
    CHECK_INT(
        count(
            "events WHERE shop_id IN ('nobody', 'shop-gone', 'shop-b', 'shop-tired') AND state = 'stored'"),
        4);
    CHECK_INT(count("jobs WHERE shop_id IN ('nobody', 'shop-gone', 'shop-b')"), 0);
    CHECK_INT(count("shop_schedule WHERE shop_id IN ('nobody', 'shop-gone', 'shop-b')"), 0);
    CHECK_INT(count("jobs WHERE shop_id = 'shop-tired'"), 1);
    hook_close(h);
}

static void repeats_and_anomalies(void)
{
    struct hook *h = hook_open("key", "secret", NULL);
    const char *one =
        "{\"type\":1,\"shop_id\":\"shop-r\",\"tts_notification_id\":\"n1\",\"data\":{\"order_id\":\"1\"}}";
    const char *other =
        "{\"type\":1,\"shop_id\":\"shop-r\",\"tts_notification_id\":\"n1\",\"data\":{\"order_id\":\"2\"}}";

    for (int i = 0; i < 3; i++)
        CHECK_INT(post_signed(h, one), 200);
    CHECK_INT(count("events WHERE shop_id = 'shop-r'"), 1);
    CHECK_INT(count("jobs WHERE shop_id = 'shop-r' AND generation = 1"), 1);
    CHECK_INT(post_signed(h, other), 200);
    CHECK_INT(count("events WHERE shop_id = 'shop-r' AND state = 'anomaly'"), 1);
    CHECK_INT(count("jobs WHERE shop_id = 'shop-r'"), 1);
    /* the same id of another shop is another notification; without an id the digest counts */
    CHECK_INT(
        post_signed(
            h,
            "{\"type\":1,\"shop_id\":\"shop-r2\",\"tts_notification_id\":\"n1\",\"data\":{\"order_id\":\"1\"}}"),
        200);
    CHECK_INT(count("events WHERE key = 'n1' AND state = 'stored'"), 2);
    CHECK_INT(post_signed(h, "{\"type\":3,\"shop_id\":\"shop-r\",\"data\":{\"order_id\":\"1\"}}"),
              200);
    CHECK_INT(post_signed(h, "{\"type\":3,\"shop_id\":\"shop-r\",\"data\":{\"order_id\":\"1\"}}"),
              200);
    CHECK_INT(count("events WHERE shop_id = 'shop-r' AND key LIKE 'sha256:%'"), 1);
    /* a later notification about the same order asks again */
    CHECK_INT(count("jobs WHERE shop_id = 'shop-r' AND generation = 2"), 1);
    hook_close(h);
}

static void old_and_shuffled(void)
{
    struct hook *h = hook_open("key", "secret", NULL);
    int64_t now = clock_now_us() / US_PER_S;
    static const int AGES[] = { 57600, 0, 43200, 120, 57600 * 30, 1800 };

    for (size_t i = 0; i < sizeof AGES / sizeof AGES[0]; i++) {
        char body[200];

        (void)snprintf(
            body, sizeof body,
            "{\"type\":1,\"shop_id\":\"shop-o\",\"timestamp\":%lld,\"tts_notification_id\":\"o%zu\",\"data\":{\"order_id\":\"7\"}}",
            (long long)(now - AGES[i]), i);
        CHECK_INT(post_signed(h, body), 200);
    }
    CHECK_INT(
        count("events WHERE shop_id = 'shop-o' AND state = 'stored' AND event_at IS NOT NULL"), 6);
    CHECK_INT(count("jobs WHERE shop_id = 'shop-o' AND generation = 6"), 1);
    hook_close(h);
}

static void dead_letters(void)
{
    struct hook *h = hook_open("key", "secret", NULL);
    static const struct {
        const char *body;
        const char *reason;
    } ROWS[] = {
        { "not json", "no_json_object" },
        { "{\"type\":1,\"type\":1,\"shop_id\":\"shop-d\"}", "duplicate_key" },
        { "{\"type\":1,\"shop_id\":\"shop-d\",\"n\":1e999}", "number_out_of_range" },
        { "{\"type\":1,\"shop_id\":\"shop-d\",\"x\":\"\xff\"}", "bad_utf8" },
        { "{\"type\":1,\"shop_id\":\"shop-d\",\"data\":{}}", "no_order_id" },
        { "{\"type\":5,\"shop_id\":\"shop-d\",\"data\":{\"order_id\":\"1\"}}", "no_product_id" },
        { "{\"type\":1,\"data\":{\"order_id\":\"1\"}}", "no_shop_id" },
        { "{\"shop_id\":\"shop-d\",\"data\":{\"order_id\":\"1\"}}", "no_type" },
        { "", "no_json_object" },
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        char where[200];
        char hex[65];
        unsigned char digest[32];

        CHECK_INT(post_signed(h, ROWS[i].body), 200);
        CHECK_INT(post_signed(h, ROWS[i].body), 200);
        sign_sha256(ROWS[i].body, strlen(ROWS[i].body), digest);
        str_hex(hex, digest, sizeof digest);
        (void)snprintf(where, sizeof where,
                       "events WHERE key = 'sha256:%s' AND state = 'dead_letter' AND reason = '%s'",
                       hex, ROWS[i].reason);
        if (i + 1 <
            sizeof ROWS /
                sizeof ROWS[0]) /* the empty one came with the vectors already, under no shop too */
            CHECK(count(where) == 1, "%s", ROWS[i].reason);
    }
    CHECK_INT(count("events WHERE convert_from(body, 'LATIN1') = 'not json'"), 1);
    CHECK_INT(count("jobs WHERE shop_id = 'shop-d'"), 0);
    hook_close(h);
}

/* ---- the committer by itself --------------------------------------------------------------------- */

#define MANY 600
static struct http_req reqs[MANY];
static atomic_int statuses[MANY];
static atomic_llong answered_us[MANY];
static atomic_int answers;

static void noted(struct http_req *req, int status)
{
    size_t i = (size_t)(req - reqs);

    CHECK(atomic_exchange(&statuses[i], status) == 0, "event %zu was answered twice", i);
    atomic_store(&answered_us[i], clock_mono_us());
    atomic_fetch_add(&answers, 1);
}

static struct intake *intake_here(void)
{
    struct intake *in = NULL;
    struct err e = { 0 };

    for (int i = 0; i < MANY; i++) {
        atomic_store(&statuses[i], 0);
        atomic_store(&answered_us[i], 0);
    }
    atomic_store(&answers, 0);
    if (intake_new_with(F.url, noted, &in, &e) != RC_OK)
        exit(1);
    return in;
}

static enum rc put(struct intake *in, int i, const char *shop, const char *key, const char *entity)
{
    struct intake_event *ev = intake_event_new(8);
    struct err e = { 0 };
    enum rc rc = RC_OK;

    memset(ev->body, 'x', 8);
    ev->req = &reqs[i];
    ev->source = "tiktok";
    (void)str_copy(ev->key, sizeof ev->key, key);
    (void)str_copy(ev->shop_id, sizeof ev->shop_id, shop);
    (void)str_copy(ev->entity, sizeof ev->entity, entity);
    ev->topic = 1;
    memset(ev->digest, entity[0], sizeof ev->digest);
    rc = intake_put(in, ev, &e);
    if (rc != RC_OK)
        intake_event_free(ev);
    return rc;
}

static bool all_answered(int n, int ms)
{
    struct timespec pause = { .tv_nsec = 1000000 };

    for (int i = 0; i < ms && atomic_load(&answers) < n; i++)
        (void)nanosleep(&pause, NULL);
    return atomic_load(&answers) >= n;
}

static int with_status(int n, int status)
{
    int found = 0;

    for (int i = 0; i < n; i++)
        found += atomic_load(&statuses[i]) == status;
    return found;
}

static void many_at_once(void)
{
    struct intake *in = intake_here();

    for (int i = 0; i < MANY; i++) {
        char key[32];
        char shop[32];

        (void)snprintf(key, sizeof key, "m%d", i % 500); /* the last hundred repeat the first */
        (void)snprintf(shop, sizeof shop, "shop-m%d", i % 3);
        CHECK_INT(put(in, i, i % 500 == 7 ? "shop-m1" : shop, key, i == 507 ? "9" : "5"), RC_OK);
    }
    CHECK(all_answered(MANY, 5000));
    CHECK_INT(with_status(MANY, 200), MANY);
    CHECK_INT(count("event_keys WHERE shop_id LIKE 'shop-m%' AND key = 'm7'"), 1);
    CHECK_INT(count("events WHERE shop_id LIKE 'shop-m%' AND state = 'anomaly' AND key = 'm7'"), 1);
    CHECK_INT(
        count(
            "(SELECT shop_id, key FROM events WHERE shop_id LIKE 'shop-m%' AND state = 'stored' GROUP BY 1, 2 HAVING count(*) > 1) x"),
        0);
    CHECK_INT(count("jobs WHERE shop_id = 'shop-m1' AND entity = '5'"), 1);
    intake_free(in);
}

static void jobs_are_asked_again(void)
{
    struct intake *in = NULL;

    fresh_sql(
        P,
        "INSERT INTO jobs (shop_id, kind, entity, client_id, lane, state, attempts, outcome, generation, due_at)"
        " VALUES ('shop-j', 'order_import', 'parked', 'client-1', 0, 'parked', 9, 'invalid', 4, now() + interval '1 day'),"
        " ('shop-j', 'order_import', 'later', 'client-1', 0, 'ready', 2, NULL, 4, now() + interval '1 day')");
    fresh_sql(
        P,
        "INSERT INTO jobs (shop_id, kind, entity, client_id, lane, state, generation, claimed_generation)"
        " VALUES ('shop-j', 'order_import', 'runs', 'client-1', 0, 'running', 4, 4)");
    in = intake_here();
    (void)put(in, 0, "shop-j", "j1", "parked");
    (void)put(in, 1, "shop-j", "j2", "later");
    (void)put(in, 2, "shop-j", "j3", "runs");
    CHECK(all_answered(3, 5000));
    CHECK_INT(with_status(3, 200), 3);
    CHECK_INT(
        count(
            "jobs WHERE shop_id = 'shop-j' AND entity = 'parked' AND state = 'ready' AND attempts = 0 AND outcome IS NULL AND generation = 5 AND due_at <= now()"),
        1);
    CHECK_INT(
        count(
            "jobs WHERE shop_id = 'shop-j' AND entity = 'later' AND state = 'ready' AND due_at <= now()"),
        1);
    CHECK_INT(
        count(
            "jobs WHERE shop_id = 'shop-j' AND entity = 'runs' AND state = 'running' AND generation = 5"),
        1);
    intake_free(in);
}

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

static void slowest_503(int n, int64_t began, const char *what)
{
    for (int i = 0; i < n; i++) {
        int64_t us = atomic_load(&answered_us[i]) - began;

        CHECK(atomic_load(&statuses[i]) == 503 && us < 2500 * US_PER_MS,
              "%s: event %d: %d after %lld us", what, i, atomic_load(&statuses[i]), (long long)us);
    }
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

int main(void)
{
    static const char *const SHOPS[] = { "shop-a", "shop-b",  "shop-r",  "shop-r2", "shop-o",
                                         "shop-d", "shop-m0", "shop-m1", "shop-m2", "shop-j",
                                         "shop-x", "shop-l",  "shop-h",  "shop-s" };
    struct err e = { 0 };

    (void)signal(SIGPIPE, SIG_IGN);
    fresh_open(&F, "intake", true);
    log_setup(LOG_ERROR + 1, true);
    if (db_pool_new(F.url, 3, 30000, F.ring, &P, &e) != RC_OK) {
        printf("%s\n", e.text);
        return EXIT_FAILURE;
    }
    pg = PQconnectdb(F.url);
    (void)ask("SET connector.tenant = '*'");
    fresh_sql(P, "INSERT INTO clients (client_id, name) VALUES ('client-1', 'Loja Exemplo')");
    for (size_t i = 0; i < sizeof SHOPS / sizeof SHOPS[0]; i++)
        shop_new(SHOPS[i], "connected");
    shop_new("shop-gone", "disconnected");
    shop_new("shop-tired", "needs_reauthorization");
    CASE(vectors);
    CASE(signatures);
    CASE(samples);
    CASE(shops_without_jobs);
    CASE(repeats_and_anomalies);
    CASE(old_and_shuffled);
    CASE(dead_letters);
    CASE(many_at_once);
    CASE(jobs_are_asked_again);
    CASE(refused_row);
    CASE(locked_database);
    CASE(hung_database);
    CASE(away_database);
    CASE(full_queue);
    CASE(stop_commits);
    PQfinish(pg);
    db_pool_free(P);
    fresh_close(&F);
    return CHECK_END();
}
