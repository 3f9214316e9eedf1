/* serve.c - the life of the service: start in order, wait for a signal, stop in the other order. */
#include "cli.h"

#include "app.h"
#include "clock.h"
#include "fetch.h"
#include "handlers.h"
#include "intake.h"
#include "log.h"
#include "notices.h"
#include "platform.h"
#include "sign.h"
#include "str.h"
#include "sync.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#define WEB_STATEMENT_MS 2000
#define JOB_STATEMENT_MS 30000
#define DATABASE_WAIT_US (30 * US_PER_S)
#define STOP_HTTP_MS 4000
#define STOP_WORKERS_MS 3500
#define STOP_LIMIT_S 9u
#define WEB_THREADS 4
#define OPS_THREADS 2
#define ARENAS_MAX 2
#define OPEN_FILES_WANTED 8192

struct service {
    struct app app;
    struct fetch *fetch;
    struct workers *workers;
    struct http_server *public_http;
    struct http_server *ops_http;
};

/* Before the first thread: all signals are taken by sigwaitinfo in the main thread. */
static void process_set_up(sigset_t *signals)
{
    struct rlimit files = { 0 };

    (void)mallopt(M_ARENA_MAX, ARENAS_MAX);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)sigemptyset(signals);
    (void)sigaddset(signals, SIGTERM);
    (void)sigaddset(signals, SIGINT);
    (void)sigaddset(signals, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, signals, NULL);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < OPEN_FILES_WANTED) {
        files.rlim_cur = files.rlim_max < OPEN_FILES_WANTED ? files.rlim_max : OPEN_FILES_WANTED;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
}

static void replica_name(char *dst, size_t cap)
{
    unsigned char random[4];
    char hex[9];
    char host[40] = "host";

    (void)gethostname(host, sizeof host - 1);
    sign_random(random, sizeof random);
    str_hex(hex, random, sizeof random);
    (void)snprintf(dst, cap, "%.36s:%d:%s", host, (int)getpid(), hex);
}

/* Waits a moment or a signal to stop; true = stop. */
static bool stop_asked(const sigset_t *signals, int ms)
{
    struct timespec wait = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

    return sigtimedwait(signals, NULL, &wait) > 0;
}

/* The database may come up after us: tries for a while. RC_STOPPED: a signal came meanwhile. */
static enum rc pool_open(const struct app *app, const sigset_t *signals, struct db_pool **out,
                         struct err *e)
{
    int64_t until = clock_mono_us() + DATABASE_WAIT_US;
    int size = app->cfg.db_pool_size - app->cfg.db_pool_size / 3;
    bool told = false;

    for (;;) {
        enum rc rc = db_pool_new(app->cfg.database_url, size, JOB_STATEMENT_MS, app->ring, out, e);

        if (rc != RC_DOWN || clock_mono_us() > until)
            return rc;
        if (!told)
            LOG(LOG_WARN, "serve", "the database is away, trying again", LF_S("detail", e->text));
        told = true;
        if (stop_asked(signals, 500))
            return err_set(e, RC_STOPPED, "stopped while waiting for the database");
    }
}

static bool stop_asked_now(void *signals)
{
    return stop_asked(signals, 0);
}

static enum rc databases_open(struct app *app, const sigset_t *signals, struct err *e)
{
    int applied = 0;
    int web_size = app->cfg.db_pool_size / 3;
    enum rc rc = pool_open(app, signals, &app->job_db, e);

    if (rc == RC_OK)
        rc = db_migrate_until(app->job_db, stop_asked_now, (void *)(uintptr_t)signals, &applied, e);
    if (rc != RC_OK)
        return rc;
    if (applied > 0)
        LOG(LOG_INFO, "serve", "migrations applied", LF_I("count", applied));
    return db_pool_new(app->cfg.database_url, web_size > 2 ? web_size : 2, WEB_STATEMENT_MS,
                       app->ring, &app->web_db, e);
}

static enum rc listeners_start(struct service *s, struct err *e)
{
    struct http_server_cfg ops = { .name = "ops",
                                   .address = s->app.cfg.ops_address,
                                   .routes = OPS_ROUTES,
                                   .n_routes = OPS_ROUTES_COUNT,
                                   .user = &s->app,
                                   .pool_threads = OPS_THREADS };
    struct http_server_cfg web = { .name = "public",
                                   .address = s->app.cfg.listen_address,
                                   .routes = ROUTES,
                                   .n_routes = ROUTES_COUNT,
                                   .pages = DASH_ROUTES,
                                   .n_pages = DASH_ROUTES_COUNT,
                                   .session = session_check,
                                   .user = &s->app,
                                   .tokens = s->app.cfg.tokens,
                                   .n_tokens = s->app.cfg.n_tokens,
                                   .rate_per_second = s->app.cfg.api_rate_per_second,
                                   .pool_threads = WEB_THREADS,
                                   .log_requests = true };
    enum rc rc = http_server_new(&ops, &s->ops_http, e);

    if (rc == RC_INVALID)
        return err_field(
            e, "OPS_ADDRESS",
            "OPS_ADDRESS must be an address of this machine with a port, as 127.0.0.1:8080");
    if (rc != RC_OK)
        return rc;
    rc = http_server_new(&web, &s->public_http, e);
    if (rc == RC_INVALID)
        return err_field(
            e, "LISTEN_ADDRESS",
            "LISTEN_ADDRESS must be an address of this machine with a port, as 127.0.0.1:8080");
    return rc;
}

static enum rc service_start(struct service *s, const sigset_t *signals, struct err *e)
{
    struct app *app = &s->app;
    enum rc rc = databases_open(app, signals, e);

    if (rc == RC_OK)
        rc = fetch_new(app->cfg.allow_private_addresses, &s->fetch, e);
    if (rc == RC_OK)
        rc = platform_new(&app->cfg, s->fetch, &app->platform, e);
    if (rc == RC_OK)
        rc = intake_new(app->cfg.database_url, &app->intake, e);
    if (rc == RC_OK)
        rc = notices_new(app->web_db, http_finish, &app->notices, e);
    if (rc == RC_OK)
        rc = workers_start(app, &s->workers, e);
    if (rc == RC_OK)
        rc = listeners_start(s, e);
    return rc;
}

/* Should something hang, the jobs that still run are taken over when their lease ends: leave in time. */
static void leave_now(int signal_number)
{
    static const char TEXT[] =
        "{\"level\":\"error\",\"module\":\"serve\",\"message\":\"stop took too long\"}\n";

    (void)signal_number;
    (void)!write(STDERR_FILENO, TEXT, sizeof TEXT - 1);
    _exit(EXIT_WELL);
}

static void service_stop(struct service *s)
{
    struct app *app = &s->app;

    atomic_store(&app->ready, false);
    atomic_store(&app->stopping, true);
    (void)signal(SIGALRM, leave_now);
    (void)alarm(STOP_LIMIT_S);
    http_server_stop(s->public_http, STOP_HTTP_MS);
    intake_free(app->intake);
    notices_free(app->notices);
    if (s->workers != NULL)
        workers_stop(s->workers, STOP_WORKERS_MS);
    platform_free(app->platform);
    fetch_free(s->fetch);
    http_server_stop(s->ops_http, 200);
    db_pool_free(app->web_db);
    db_pool_free(app->job_db);
    (void)alarm(0);
}

static void ready_line(const struct service *s)
{
    const struct cfg *cfg = &s->app.cfg;
    const char *web = strrchr(cfg->listen_address, ':');
    const char *ops = strrchr(cfg->ops_address, ':');

    (void)printf("ready: http://%.*s:%d (operations http://%.*s:%d)\n",
                 (int)(web - cfg->listen_address), cfg->listen_address,
                 http_server_port(s->public_http), (int)(ops - cfg->ops_address), cfg->ops_address,
                 http_server_port(s->ops_http));
    (void)fflush(stdout);
}

static enum rc settings_read(struct app *app, struct err *e)
{
    enum rc rc = cfg_load(&app->cfg, e);

    if (rc != RC_OK)
        return rc;
    log_setup((enum log_level)app->cfg.log_level, app->cfg.log_json);
    rc = keyring_new(app->cfg.encryption_keys, &app->ring, e);
    sign_wipe(app->cfg.encryption_keys, strlen(app->cfg.encryption_keys));
    replica_name(app->replica, sizeof app->replica);
    return rc;
}

static void wait_for_stop(const sigset_t *signals)
{
    int got = 0;

    do {
        got = sigwaitinfo(signals, NULL);
    } while (got != SIGTERM && got != SIGINT);
    LOG(LOG_INFO, "serve", "stopping", LF_S("signal", got == SIGTERM ? "SIGTERM" : "SIGINT"));
}

int serve_run(void)
{
    static struct service s;
    struct err e = { 0 };
    sigset_t signals;
    int64_t started = clock_mono_us();
    int code = EXIT_WELL;

    process_set_up(&signals);
    if (settings_read(&s.app, &e) != RC_OK)
        return cli_failed(&e);
    if (geteuid() == 0)
        LOG(LOG_WARN, "serve", "runs as root: start it as a user without privileges");
    if (http_library_unknown() != NULL)
        LOG(LOG_WARN, "serve",
            "header lines are not checked byte by byte with this libmicrohttpd (0.9.75 is known): "
            "put a strict HTTP server in front",
            LF_S("libmicrohttpd", http_library_unknown()));
    if (service_start(&s, &signals, &e) == RC_OK) {
        atomic_store(&s.app.ready, true);
        LOG(LOG_INFO, "serve", "ready", LF_S("replica", s.app.replica),
            LF_I("ms", (clock_mono_us() - started) / US_PER_MS));
        ready_line(&s);
        wait_for_stop(&signals);
    } else if (e.rc != RC_STOPPED) {
        code = cli_failed(&e);
    }
    service_stop(&s);
    keyring_free(s.app.ring);
    cfg_done(&s.app.cfg);
    if (code == EXIT_WELL)
        LOG(LOG_INFO, "serve", "stopped");
    return code;
}
