/* intake_rig.h - what tests of the intake share: notifications, shops, a database that misbehaves. */
#ifndef INTAKE_RIG_H
#define INTAKE_RIG_H

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

static inline struct hook *hook_open(const char *app_key, const char *secret, const char *secret2)
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

static inline void hook_close(struct hook *h)
{
    http_server_stop(h->server, 3000);
    intake_free(h->app.intake);
    free(h->app.cfg.tiktok_app_key);
    free(h->app.cfg.tiktok_app_secrets[0]);
    free(h->app.cfg.tiktok_app_secrets[1]);
    free(h);
}

/* Sends one webhook; the status, or 0. *empty says whether the answer had no body. */
static inline int post(const struct hook *h, const char *body, size_t len,
                       const char *authorization, bool *empty)
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

static inline void sign_as(const char *app_key, const char *secret, const char *body, size_t len,
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

static inline int post_signed(const struct hook *h, const char *body)
{
    char hex[65];

    sign_as("key", "secret", body, strlen(body), hex);
    return post(h, body, strlen(body), hex, NULL);
}

/* Statements that are made at run time go over a connection of their own: db_exec keeps what it was given. */
static PGconn *pg;

static inline int64_t ask(const char *sql)
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

static inline int64_t count(const char *what)
{
    char sql[1024];

    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", what);
    return ask(sql);
}

static inline json_t *fixture(const char *path)
{
    json_t *root = json_load_file(path, 0, NULL);

    if (root == NULL) {
        printf("cannot read %s: run this in the project's root\n", path);
        exit(1);
    }
    return root;
}

static inline void shop_new(const char *shop, const char *status)
{
    char sql[400];

    (void)snprintf(
        sql, sizeof sql,
        "INSERT INTO shops (shop_id, client_id, open_id, status) VALUES ('%s', 'client-1', 'o', '%s')",
        shop, status);
    (void)ask(sql);
}

/* ---- the committer by itself --------------------------------------------------------------------- */

#define MANY 600
static struct http_req reqs[MANY];
static atomic_int statuses[MANY];
static atomic_llong answered_us[MANY];
static atomic_int answers;

static inline void noted(struct http_req *req, int status)
{
    size_t i = (size_t)(req - reqs);

    CHECK(atomic_exchange(&statuses[i], status) == 0, "event %zu was answered twice", i);
    atomic_store(&answered_us[i], clock_mono_us());
    atomic_fetch_add(&answers, 1);
}

static inline struct intake *intake_here(void)
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

static inline enum rc put(struct intake *in, int i, const char *shop, const char *key,
                          const char *entity)
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

static inline bool all_answered(int n, int ms)
{
    struct timespec pause = { .tv_nsec = 1000000 };

    for (int i = 0; i < ms && atomic_load(&answers) < n; i++)
        (void)nanosleep(&pause, NULL);
    return atomic_load(&answers) >= n;
}

static inline int with_status(int n, int status)
{
    int found = 0;

    for (int i = 0; i < n; i++)
        found += atomic_load(&statuses[i]) == status;
    return found;
}

static inline void slowest_503(int n, int64_t began, const char *what)
{
    for (int i = 0; i < n; i++) {
        int64_t us = atomic_load(&answered_us[i]) - began;

        CHECK(atomic_load(&statuses[i]) == 503 && us < 2500 * US_PER_MS,
              "%s: event %d: %d after %lld us", what, i, atomic_load(&statuses[i]), (long long)us);
    }
}

/* Sets up, runs the cases, takes down; the exit code. */
static inline int rig_main(void (*cases)(void))
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
    cases();
    PQfinish(pg);
    db_pool_free(P);
    fresh_close(&F);
    return CHECK_END();
}

#endif
