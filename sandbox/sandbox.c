/* sandbox.c - the `sandbox` subcommand: reads its options, starts the simulator, stops it. */
#include "sandbox.h"

#include "log.h"
#include "state.h"
#include "str.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POOL_THREADS 8
#define AGENDA_THREADS 4
#define STOP_MS 2000

enum kind { OPTION_TEXT, OPTION_NUMBER, OPTION_FLAG, OPTION_RETRIES };

struct option {
    const char *flag, *variable, *otherwise, *help;
    enum kind kind;
    size_t offset; /* in struct sbx_cfg */
    int64_t min, max;
};

#define TEXT(field) OPTION_TEXT, offsetof(struct sbx_cfg, field), 0, 0
#define NUMBER(field, low, high) OPTION_NUMBER, offsetof(struct sbx_cfg, field), low, high

static const struct option OPTIONS[] = {
    { "--address", "SANDBOX_ADDRESS", "127.0.0.1:9100", "where to listen; port 0 picks one",
      TEXT(address) },
    { "--feed-address", "SANDBOX_FEED_ADDRESS", "",
      "a second listener with only feeds and pictures", TEXT(feed_address) },
    { "--app-key", "SANDBOX_APP_KEY", "sandbox-app-key", "TikTok app key", TEXT(app_key) },
    { "--app-secret", "SANDBOX_APP_SECRET", "sandbox-app-secret", "TikTok app secret",
      TEXT(app_secret) },
    { "--service-id", "SANDBOX_SERVICE_ID", "sandbox-service", "TikTok service id",
      TEXT(service_id) },
    { "--redirect-url", "SANDBOX_REDIRECT_URL", "http://127.0.0.1:8080/tiktok/callback",
      "where the authorize page goes on", TEXT(redirect_url) },
    { "--webhook-url", "SANDBOX_WEBHOOK_URL", "http://127.0.0.1:8080",
      "base address of the connector; none = no webhooks", TEXT(webhook_url) },
    { "--webhook-retries", "SANDBOX_WEBHOOK_RETRIES", "2,10,60,300",
      "seconds before each repeat of a failed webhook", OPTION_RETRIES, 0, 0, 0 },
    { "--accounts", "SANDBOX_ACCOUNTS", "lojaexemplo", "VTEX accounts, joined by commas",
      TEXT(accounts) },
    { "--vtex-key", "SANDBOX_VTEX_KEY", "SANDBX",
      "last part of the VTEX app key vtexappkey-{account}-{this}", TEXT(vtex_app_key) },
    { "--vtex-token", "SANDBOX_VTEX_TOKEN", "sandbox-app-token", "VTEX app token",
      TEXT(vtex_app_token) },
    { "--shops", "SANDBOX_SHOPS", "1", "number of TikTok shops", NUMBER(shops, 1, SBX_SHOPS_MAX) },
    { "--products", "SANDBOX_PRODUCTS", "0",
      "number of products of the example merchant; 0 = as built in", NUMBER(products, 0, 20000) },
    { "--audit-ms", "SANDBOX_AUDIT_MS", "2000", "how long the review of a product takes",
      NUMBER(audit_ms, 0, 3600000) },
    { "--workflow-ms", "SANDBOX_WORKFLOW_MS", "500", "time between two states of a VTEX order",
      NUMBER(workflow_ms, 0, 3600000) },
    { "--access-seconds", "SANDBOX_ACCESS_SECONDS", "604800", "life of an access token",
      NUMBER(access_seconds, 1, 31536000) },
    { "--authorization-seconds", "SANDBOX_AUTHORIZATION_SECONDS", "31536000",
      "life of an authorization", NUMBER(authorization_seconds, 1, 315360000) },
    { "--rate", "SANDBOX_RATE", "50", "requests a second for each (shop, operation)",
      NUMBER(rate_per_second, 1, 1000000) },
    { "--verbose", "SANDBOX_VERBOSE", "", "one log line for each request", OPTION_FLAG,
      offsetof(struct sbx_cfg, verbose), 0, 0 },
};
#define N_OPTIONS (sizeof OPTIONS / sizeof OPTIONS[0])

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

static bool retries_read(struct sbx_cfg *cfg, const char *text)
{
    int n = 0;

    while (*text != '\0') {
        char one[16];
        int64_t seconds = 0;
        size_t len = strcspn(text, ",");

        if (n == SBX_RETRIES_MAX || len == 0 || len >= sizeof one)
            return false;
        memcpy(one, text, len);
        one[len] = '\0';
        if (!str_to_i64(one, 0, 86400, &seconds))
            return false;
        cfg->retries_ms[n++] = seconds * 1000;
        text += len;
        text += *text == ',';
    }
    cfg->n_retries = n;
    return true;
}

static bool option_set(struct sbx_cfg *cfg, const struct option *option, const char *value)
{
    char *at = (char *)cfg + option->offset;
    int64_t number = 0;

    switch (option->kind) {
    case OPTION_TEXT:
        *(const char **)(void *)at = value;
        return true;
    case OPTION_NUMBER:
        if (!str_to_i64(value, option->min, option->max, &number))
            return false;
        *(int64_t *)(void *)at = number;
        return true;
    case OPTION_FLAG:
        *(bool *)(void *)at = value[0] != '\0' && !str_eq(value, "0") && !str_eq(value, "false");
        return true;
    default:
        return retries_read(cfg, value);
    }
}

static void usage(FILE *out)
{
    (void)fprintf(
        out, "usage: tiktok-shop-connector sandbox [OPTION VALUE]...\n"
             "Plays TikTok Shop and VTEX for a connector on this machine (docs/SANDBOX.md).\n\n");
    for (size_t i = 0; i < N_OPTIONS; i++)
        (void)fprintf(out, "  %-24s %-30s %s (%s)\n", OPTIONS[i].flag, OPTIONS[i].variable,
                      OPTIONS[i].help,
                      OPTIONS[i].otherwise[0] == '\0' ? "none" : OPTIONS[i].otherwise);
}

static const struct option *option_find(const char *flag)
{
    for (size_t i = 0; i < N_OPTIONS; i++) {
        if (str_eq(OPTIONS[i].flag, flag))
            return &OPTIONS[i];
    }
    return NULL;
}

/* Environment first, then flags; false after a message. */
static bool options_read(int argc, char **argv, struct sbx_cfg *cfg)
{
    for (size_t i = 0; i < N_OPTIONS; i++) {
        const char *value = getenv(OPTIONS[i].variable);

        if (!option_set(cfg, &OPTIONS[i], value == NULL ? OPTIONS[i].otherwise : value)) {
            (void)fprintf(stderr, "sandbox: %s is wrong: %s\n", OPTIONS[i].variable,
                          OPTIONS[i].help);
            return false;
        }
    }
    for (int i = 1; i < argc; i++) {
        const struct option *option = option_find(argv[i]);
        bool flag = option != NULL && option->kind == OPTION_FLAG;

        if (option == NULL || (!flag && i + 1 == argc) ||
            !option_set(cfg, option, flag ? "1" : argv[++i])) {
            (void)fprintf(stderr, "sandbox: wrong option %s\n", argv[i]);
            usage(stderr);
            return false;
        }
    }
    if (str_eq(cfg->webhook_url, "none"))
        cfg->webhook_url = "";
    return true;
}

static enum rc listen_on(struct sandbox *sb, const char *address, const struct http_route *routes,
                         int n, struct http_server **out, struct err *e)
{
    struct http_server_cfg cfg = {
        .name = "sandbox",
        .address = address,
        .routes = routes,
        .n_routes = n,
        .user = sb,
        .pool_threads = POOL_THREADS,
    };

    return http_server_new(&cfg, out, e);
}

static void wait_for_end(void)
{
    sigset_t none;
    struct sigaction action = { .sa_handler = on_signal };

    (void)sigemptyset(&none);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    while (!stopped)
        (void)sigsuspend(&none); /* returns after a handler ran */
}

static enum rc run(struct sandbox *sb, struct err *e)
{
    struct http_server *server = NULL, *feeds = NULL;
    enum rc rc = fetch_new(true, &sb->fetch, e);

    if (rc == RC_OK)
        rc = agenda_new(sb, AGENDA_THREADS, &sb->agenda, e);
    if (rc == RC_OK)
        rc = listen_on(sb, sb->cfg.address, SBX_ROUTES, SBX_ROUTES_COUNT, &server, e);
    if (rc == RC_OK && sb->cfg.feed_address[0] != '\0')
        rc = listen_on(sb, sb->cfg.feed_address, SBX_FEED_ROUTES, SBX_FEED_ROUTES_COUNT, &feeds, e);
    if (rc == RC_OK) {
        (void)printf("sandbox listens on port %d, %d shop(s), %d product(s)\n",
                     http_server_port(server), sb->n_shops, sb->merchant->n_products);
        (void)fflush(stdout);
        wait_for_end();
    }
    if (feeds != NULL)
        http_server_stop(feeds, STOP_MS);
    if (server != NULL)
        http_server_stop(server, STOP_MS);
    agenda_free(sb->agenda);
    if (sb->fetch != NULL)
        fetch_free(sb->fetch);
    return rc;
}

int sandbox_main(int argc, char **argv)
{
    struct sbx_cfg cfg = { 0 };
    struct sandbox *sb = NULL;
    struct err e = { 0 };
    sigset_t ends;

    if (argc > 1 && str_eq(argv[1], "--help")) {
        usage(stdout);
        return 0;
    }
    if (!options_read(argc, argv, &cfg))
        return 2;
    (void)sigemptyset(&ends);
    (void)sigaddset(&ends, SIGTERM);
    (void)sigaddset(&ends, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &ends, NULL); /* only this thread takes them, while it waits */
    (void)signal(SIGPIPE, SIG_IGN);
    log_setup(LOG_INFO, false);
    enum rc rc = sbx_state_new(&cfg, &sb, &e);
    if (rc == RC_OK)
        rc = run(sb, &e);
    sbx_state_free(sb);
    if (rc != RC_OK)
        (void)fprintf(stderr, "sandbox: %s\n", e.text);
    return rc == RC_OK ? 0 : 1;
}
