/* cfg.c - reads the settings: one table of names, defaults and help; values from NAME or the file NAME_FILE. */
#include "cfg.h"

#include "cfg_users.h"
#include "clock.h"
#include "log.h"
#include "own.h"
#include "sign.h"
#include "str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_SETTING_BYTES 65536

enum type { TEXT, NUMBER, BOOLEAN };

struct setting {
    const char *name;
    enum type type;
    const char *fallback; /* NULL: must be given; "": may be missing */
    int64_t min, max;
    bool secret;
    const char *help;
};

static const struct setting SETTINGS[] = {
    { "DATABASE_URL", TEXT, NULL, 0, 0, true, "PostgreSQL connection, postgresql://..." },
    { "LISTEN_ADDRESS", TEXT, "127.0.0.1:8080", 0, 0, false, "public port: webhooks, OAuth, REST" },
    { "OPS_ADDRESS", TEXT, "127.0.0.1:9090", 0, 0, false,
      "internal port: /livez /readyz /metrics" },
    { "PUBLIC_URL", TEXT, "", 0, 0, false,
      "address that platforms and browsers reach, https://..." },
    { "TIKTOK_APP_KEY", TEXT, NULL, 0, 0, false, "app key of the Partner Center" },
    { "TIKTOK_APP_SECRET", TEXT, NULL, 0, 0, true,
      "app secret; two, comma separated, during a rotation" },
    { "TIKTOK_SERVICE_ID", TEXT, NULL, 0, 0, false, "service id of the authorize link" },
    { "TIKTOK_OAUTH_REDIRECT_URI", TEXT, "", 0, 0, false,
      "redirect registered with the app; default PUBLIC_URL/tiktok/callback" },
    { "TIKTOK_API_URL", TEXT, "https://open-api.tiktokglobalshop.com", 0, 0, false,
      "TikTok Shop API" },
    { "TIKTOK_AUTH_URL", TEXT, "https://auth.tiktok-shops.com", 0, 0, false,
      "TikTok token service" },
    { "TIKTOK_AUTHORIZE_URL", TEXT, "https://services.tiktokshop.com/open/authorize", 0, 0, false,
      "page where a seller accepts" },
    { "VTEX_API_URL", TEXT, "https://{account}.vtexcommercestable.com.br", 0, 0, false,
      "VTEX, with {account}" },
    { "VTEX_PRICING_URL", TEXT, "https://api.vtex.com/{account}", 0, 0, false,
      "VTEX pricing, with {account}" },
    { "ENCRYPTION_KEYS", TEXT, NULL, 0, 0, true,
      "id:base64 of 32 bytes, comma separated; the first one seals" },
    { "API_TOKENS", TEXT, "", 0, 0, true,
      "name:scope:token, comma separated; scope read, sync or admin" },
    { "ADMIN_USERS", TEXT, "", 0, 0, true,
      "name:role:hash[:client+client], comma separated; role viewer, operator or admin" },
    { "LAMBDA_ACCESS_KEY_ID", TEXT, "", 0, 0, false, "access key of Lambda-style callers" },
    { "LAMBDA_SECRET_ACCESS_KEY", TEXT, "", 0, 0, true, "its secret" },
    { "API_RATE_PER_SECOND", NUMBER, "200", 1, 100000, false,
      "requests a second that each API token may send" },
    { "LOG_LEVEL", TEXT, "info", 0, 0, false, "debug, info, warn or error" },
    { "LOG_FORMAT", TEXT, "json", 0, 0, false, "json or text" },
    { "WORKER_THREADS", NUMBER, "16", 2, 256, false, "threads that run jobs" },
    { "DB_POOL_SIZE", NUMBER, "12", 2, 200, false, "database connections" },
    { "ORDER_POLL_SECONDS", NUMBER, "300", 1, 3600, false,
      "how often each shop's orders are polled" },
    { "VTEX_ORDER_READ_SECONDS", NUMBER, "900", 1, 86400, false, "pause between reads in VTEX" },
    { "IN_DOUBT_SETTLE_SECONDS", NUMBER, "120", 1, 86400, false,
      "wait before a lost write may be sent again" },
    { "LEASE_SECONDS", NUMBER, "45", 3, 300, false, "life of a shop lease without heartbeat" },
    { "RETENTION_DAYS", NUMBER, "30", 1, 3650, false, "how long logs are kept" },
    { "TIMEZONE", TEXT, "America/Sao_Paulo", 0, 0, false,
      "zone of the dates in feeds that name none" },
    { "ALLOW_PRIVATE_ADDRESSES", BOOLEAN, "false", 0, 0, false, "sandbox and tests only" },
};
#define N_SETTINGS ((int)(sizeof SETTINGS / sizeof SETTINGS[0]))

#define TOKEN_CHARS_MIN 16

static const struct setting *setting_of(const char *name)
{
    for (int i = 0; i < N_SETTINGS; i++) {
        if (strcmp(SETTINGS[i].name, name) == 0)
            return &SETTINGS[i];
    }
    abort(); /* a name of this file that the table lacks */
}

/* Whole content of a settings file without its last newline. */
static enum rc read_file(const char *variable, const char *path, char **out, struct err *e)
{
    FILE *f = fopen(path, "re");
    char *text;
    size_t n;

    if (f == NULL)
        return err_field(e, variable, "%s names a file that cannot be read", variable);
    text = calloc(1, LIMIT_SETTING_BYTES);
    n = text != NULL ? fread(text, 1, LIMIT_SETTING_BYTES - 1, f) : 0;
    bool bad = text == NULL || ferror(f) || !feof(f);

    (void)fclose(f); /* read only */
    if (bad) {
        free(text);
        return err_field(e, variable, "%s names a file that is too large or cannot be read",
                         variable);
    }
    if (memchr(text, '\0', n) != NULL) {
        free(text);
        return err_field(e, variable, "%s names a file that holds a zero byte", variable);
    }
    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
        text[--n] = '\0';
    *out = text;
    return RC_OK;
}

/* Value of a setting, owned by the caller; secrets are wiped from the environment. */
static enum rc take(const char *name, char **out, struct err *e)
{
    const struct setting *s = setting_of(name);
    char file_name[64];
    char *value = getenv(name), *path;
    bool given = value != NULL && *value != '\0';

    if (!str_fmt(file_name, sizeof file_name, "%s_FILE", name))
        return err_set(e, RC_BUG, "setting name too long");
    path = getenv(file_name);
    if (path != NULL && *path != '\0') {
        if (given)
            return err_field(e, name, "%s and %s are both set: set one", name, file_name);
        enum rc rc = read_file(file_name, path, out, e);

        if (rc == RC_OK && **out == '\0' && s->fallback == NULL) {
            free(*out);
            *out = NULL;
            return err_field(e, file_name, "%s names an empty file: %s", file_name, s->help);
        }
        return rc;
    }
    if (!given && s->fallback == NULL)
        return err_field(e, name, "%s is missing: %s", name, s->help);
    *out = str_dup(given ? value : s->fallback);
    if (given && s->secret)
        sign_wipe(value, strlen(value));
    return *out != NULL ? RC_OK : err_set(e, RC_BUG, "out of memory");
}

static enum rc take_number(const char *name, int *out, struct err *e)
{
    const struct setting *s = setting_of(name);
    OWN_STR char *text = NULL;
    int64_t value;
    enum rc rc = take(name, &text, e);

    if (rc != RC_OK)
        return rc;
    if (!str_to_i64(text, s->min, s->max, &value))
        return err_field(e, name, "%s must be a whole number from %lld to %lld", name,
                         (long long)s->min, (long long)s->max);
    *out = (int)value;
    return RC_OK;
}

static enum rc take_bool(const char *name, bool *out, struct err *e)
{
    OWN_STR char *text = NULL;
    enum rc rc = take(name, &text, e);

    if (rc != RC_OK)
        return rc;
    if (str_ieq(text, "true") || str_eq(text, "1") || str_ieq(text, "yes") || str_ieq(text, "on"))
        *out = true;
    else if (str_ieq(text, "false") || str_eq(text, "0") || str_ieq(text, "no") ||
             str_ieq(text, "off"))
        *out = false;
    else
        return err_field(e, name, "%s must be true or false", name);
    return RC_OK;
}

/* An address of this machine: 127.x.x.x, localhost or [::1], with or without scheme and port. */
static bool is_loopback(const char *url)
{
    const char *host = strstr(url, "://");
    size_t len;

    host = host != NULL ? host + 3 : url;
    if (str_starts(host, "[::1]"))
        return host[5] == '\0' || host[5] == ':' || host[5] == '/';
    len = strcspn(host, ":/");
    return (len == 9 && strncmp(host, "localhost", len) == 0) ||
           (str_starts(host, "127.") && strspn(host, "0123456789.") == len);
}

/* https, or http to this machine; the trailing slash goes. */
static enum rc take_url(const char *name, char **out, struct err *e)
{
    enum rc rc = take(name, out, e);
    size_t len;

    if (rc != RC_OK || **out == '\0')
        return rc;
    if (!str_starts(*out, "https://") && !(str_starts(*out, "http://") && is_loopback(*out)))
        return err_field(e, name, "%s must begin with https:// (http:// only for this machine)",
                         name);
    if (strpbrk(*out, " \t\r\n\"<>\\") != NULL || strpbrk(*out, "?#@") != NULL)
        return err_field(e, name, "%s must be an address without user, query and blanks", name);
    len = strlen(*out);
    while (len > 0 && (*out)[len - 1] == '/')
        (*out)[--len] = '\0';
    return RC_OK;
}

static enum rc check_template(const char *name, const char *value, struct err *e)
{
    if (strstr(value, "{account}") == NULL)
        return err_field(e, name, "%s must hold {account}", name);
    return RC_OK;
}

static enum rc load_address(const char *name, char **out, struct err *e)
{
    enum rc rc = take(name, out, e);
    const char *colon = rc == RC_OK ? strrchr(*out, ':') : NULL;
    int64_t port;

    if (rc != RC_OK)
        return rc;
    if (colon == NULL || colon == *out || !str_to_i64(colon + 1, 0, 65535, &port))
        return err_field(e, name, "%s must be ADDRESS:PORT, as 127.0.0.1:8080", name);
    return RC_OK;
}

static enum rc load_secrets(struct cfg *c, struct err *e)
{
    char *both = NULL;
    char *rest, *item;
    int n = 0;
    enum rc rc = take("TIKTOK_APP_SECRET", &both, e);
    size_t len = rc == RC_OK ? strlen(both) : 0;

    rest = both;
    while (rc == RC_OK && (item = strsep(&rest, ",")) != NULL) {
        item = str_trim(item);
        if (*item == '\0' || n == 2)
            rc = err_field(e, "TIKTOK_APP_SECRET",
                           "TIKTOK_APP_SECRET must be one secret or two, comma separated");
        else
            c->tiktok_app_secrets[n++] = str_dup(item);
    }
    sign_wipe(both, len);
    free(both);
    return rc;
}

static enum rc load_token(struct cfg *c, char *item, struct err *e)
{
    char *name = strsep(&item, ":"), *scope = item != NULL ? strsep(&item, ":") : NULL;
    struct cfg_token *t = &c->tokens[c->n_tokens];

    if (item == NULL || *name == '\0' || *item == '\0')
        return err_field(e, "API_TOKENS", "API_TOKENS must be name:scope:token,...");
    if (c->n_tokens == CFG_LIST_MAX)
        return err_field(e, "API_TOKENS", "API_TOKENS holds more than %d tokens", CFG_LIST_MAX);
    if (str_eq(scope, "read"))
        t->scope = CFG_SCOPE_READ;
    else if (str_eq(scope, "sync"))
        t->scope = CFG_SCOPE_SYNC;
    else if (str_eq(scope, "admin"))
        t->scope = CFG_SCOPE_ADMIN;
    else
        return err_field(e, "API_TOKENS", "API_TOKENS: the scope of %s must be read, sync or admin",
                         name);
    if (strlen(item) < TOKEN_CHARS_MIN)
        return err_field(e, "API_TOKENS",
                         "API_TOKENS: the token of %s has fewer than %d characters", name,
                         TOKEN_CHARS_MIN);
    sign_sha256(item, strlen(item), t->digest);
    for (int i = 0; i < c->n_tokens; i++) {
        if (memcmp(c->tokens[i].digest, t->digest, sizeof t->digest) == 0)
            return err_field(e, "API_TOKENS", "API_TOKENS: %s and %s have the same token",
                             c->tokens[i].name, name);
    }
    t->name = str_dup(name);
    c->n_tokens++;
    return t->name != NULL ? RC_OK : err_set(e, RC_BUG, "out of memory");
}

static enum rc load_tokens(struct cfg *c, struct err *e)
{
    char *all = NULL, *rest, *item;
    enum rc rc = take("API_TOKENS", &all, e);
    size_t len = rc == RC_OK ? strlen(all) : 0;

    rest = all;
    while (rc == RC_OK && len > 0 && (item = strsep(&rest, ",")) != NULL)
        rc = load_token(c, str_trim(item), e);
    sign_wipe(all, len);
    free(all);
    return rc;
}

static enum rc load_log(struct cfg *c, struct err *e)
{
    static const char *const levels[] = { "debug", "info", "warn", "error" };
    OWN_STR char *level = NULL, *format = NULL;
    enum rc rc = take("LOG_LEVEL", &level, e);

    if (rc == RC_OK)
        rc = take("LOG_FORMAT", &format, e);
    if (rc != RC_OK)
        return rc;
    c->log_level = -1;
    for (int i = 0; i < 4; i++) {
        if (str_eq(level, levels[i]))
            c->log_level = i;
    }
    if (c->log_level < 0)
        return err_field(e, "LOG_LEVEL", "LOG_LEVEL must be debug, info, warn or error");
    if (!str_eq(format, "json") && !str_eq(format, "text"))
        return err_field(e, "LOG_FORMAT", "LOG_FORMAT must be json or text");
    c->log_json = str_eq(format, "json");
    return RC_OK;
}

static enum rc load_urls(struct cfg *c, struct err *e)
{
    enum rc rc = take_url("PUBLIC_URL", &c->public_url, e);

    if (rc == RC_OK)
        rc = take_url("TIKTOK_OAUTH_REDIRECT_URI", &c->tiktok_oauth_redirect_uri, e);
    if (rc == RC_OK)
        rc = take_url("TIKTOK_API_URL", &c->tiktok_api_url, e);
    if (rc == RC_OK)
        rc = take_url("TIKTOK_AUTH_URL", &c->tiktok_auth_url, e);
    if (rc == RC_OK)
        rc = take_url("TIKTOK_AUTHORIZE_URL", &c->tiktok_authorize_url, e);
    if (rc == RC_OK)
        rc = take_url("VTEX_API_URL", &c->vtex_api_url, e);
    if (rc == RC_OK)
        rc = check_template("VTEX_API_URL", c->vtex_api_url, e);
    if (rc == RC_OK)
        rc = take_url("VTEX_PRICING_URL", &c->vtex_pricing_url, e);
    if (rc == RC_OK)
        rc = check_template("VTEX_PRICING_URL", c->vtex_pricing_url, e);
    return rc;
}

/* A host alone gets the documented path of the page; the token service's own path is cut off. */
static enum rc complete_tiktok_urls(struct cfg *c, struct err *e)
{
    static const char *const tails[] = { "/get", "/refresh", "/api/v2/token" };
    const char *host = strstr(c->tiktok_authorize_url, "://");
    char url[512];

    if (host != NULL && strchr(host + 3, '/') == NULL) {
        if (!str_fmt(url, sizeof url, "%s/open/authorize", c->tiktok_authorize_url))
            return err_field(e, "TIKTOK_AUTHORIZE_URL", "TIKTOK_AUTHORIZE_URL is too long");
        free(c->tiktok_authorize_url);
        c->tiktok_authorize_url = str_dup(url);
        if (c->tiktok_authorize_url == NULL)
            return err_set(e, RC_BUG, "out of memory");
    }
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        if (str_ends(c->tiktok_auth_url, tails[i]))
            c->tiktok_auth_url[strlen(c->tiktok_auth_url) - strlen(tails[i])] = '\0';
    }
    return RC_OK;
}

/* PUBLIC_URL and the redirect follow from other settings when they are not given. */
static enum rc derive_urls(struct cfg *c, struct err *e)
{
    char url[512];

    if (*c->public_url == '\0') {
        if (!is_loopback(c->listen_address) ||
            !str_fmt(url, sizeof url, "http://%s", c->listen_address))
            return err_field(
                e, "PUBLIC_URL",
                "PUBLIC_URL is missing: the https address that platforms and browsers reach");
        free(c->public_url);
        c->public_url = str_dup(url);
    }
    if (*c->tiktok_oauth_redirect_uri == '\0') {
        if (!str_fmt(url, sizeof url, "%s/tiktok/callback", c->public_url))
            return err_field(e, "PUBLIC_URL", "PUBLIC_URL is too long");
        free(c->tiktok_oauth_redirect_uri);
        c->tiktok_oauth_redirect_uri = str_dup(url);
    }
    if (c->public_url == NULL || c->tiktok_oauth_redirect_uri == NULL)
        return err_set(e, RC_BUG, "out of memory");
    return RC_OK;
}

/* Settings that only make sense together. */
static enum rc check_pairs(const struct cfg *c, struct err *e)
{
    const char *lambda_id = c->lambda_access_key_id, *lambda_key = c->lambda_secret_access_key;
    bool id = lambda_id != NULL && *lambda_id != '\0';
    bool key = lambda_key != NULL && *lambda_key != '\0';

    if (str_eq(c->listen_address, c->ops_address) && !str_ends(c->ops_address, ":0"))
        return err_field(e, "OPS_ADDRESS", "OPS_ADDRESS must not be LISTEN_ADDRESS");
    if (id != key)
        return err_field(e, id ? "LAMBDA_SECRET_ACCESS_KEY" : "LAMBDA_ACCESS_KEY_ID",
                         "%s is missing: both belong together",
                         id ? "LAMBDA_SECRET_ACCESS_KEY" : "LAMBDA_ACCESS_KEY_ID");
    return RC_OK;
}

static enum rc check_private(const struct cfg *c, struct err *e)
{
    if (c->allow_private_addresses &&
        (!is_loopback(c->tiktok_api_url) || !is_loopback(c->tiktok_auth_url) ||
         !is_loopback(c->vtex_api_url) || !is_loopback(c->vtex_pricing_url)))
        return err_field(e, "ALLOW_PRIVATE_ADDRESSES",
                         "ALLOW_PRIVATE_ADDRESSES is refused together with real platform hosts");
    return RC_OK;
}

static enum rc load_numbers(struct cfg *c, struct err *e)
{
    static const char *const names[] = {
        "WORKER_THREADS",          "DB_POOL_SIZE",  "ORDER_POLL_SECONDS", "VTEX_ORDER_READ_SECONDS",
        "IN_DOUBT_SETTLE_SECONDS", "LEASE_SECONDS", "RETENTION_DAYS",     "API_RATE_PER_SECOND",
    };
    int *const out[] = {
        &c->worker_threads,          &c->db_pool_size,
        &c->order_poll_seconds,      &c->vtex_order_read_seconds,
        &c->in_doubt_settle_seconds, &c->lease_seconds,
        &c->retention_days,          &c->api_rate_per_second,
    };
    enum rc rc = RC_OK;

    for (size_t i = 0; rc == RC_OK && i < sizeof names / sizeof names[0]; i++)
        rc = take_number(names[i], out[i], e);
    return rc == RC_OK ? take_bool("ALLOW_PRIVATE_ADDRESSES", &c->allow_private_addresses, e) : rc;
}

static enum rc load_texts(struct cfg *c, struct err *e)
{
    const struct {
        const char *name;
        char **out;
    } texts[] = {
        { "TIKTOK_APP_KEY", &c->tiktok_app_key },
        { "TIKTOK_SERVICE_ID", &c->tiktok_service_id },
        { "ENCRYPTION_KEYS", &c->encryption_keys },
        { "LAMBDA_ACCESS_KEY_ID", &c->lambda_access_key_id },
        { "LAMBDA_SECRET_ACCESS_KEY", &c->lambda_secret_access_key },
        { "TIMEZONE", &c->timezone },
    };
    enum rc rc = RC_OK;

    for (size_t i = 0; rc == RC_OK && i < sizeof texts / sizeof texts[0]; i++)
        rc = take(texts[i].name, texts[i].out, e);
    return rc;
}

static enum rc load_users(struct cfg *c, struct err *e)
{
    OWN_STR char *text = NULL;
    enum rc rc = take("ADMIN_USERS", &text, e);

    return rc == RC_OK ? cfg_users_read(c, text, e) : rc;
}

/* Makes a key ring once, to refuse bad keys with the settings and not later. */
static enum rc check_keys(const struct cfg *c, struct err *e)
{
    struct keyring *ring = NULL;
    enum rc rc = keyring_new(c->encryption_keys, &ring, e);

    keyring_free(ring);
    return rc;
}

enum rc cfg_load_database(struct cfg *out, struct err *e)
{
    struct cfg c = { 0 };
    enum rc rc = load_log(&c, e);

    if (rc == RC_OK)
        rc = take("DATABASE_URL", &c.database_url, e);
    if (rc == RC_OK && !str_starts(c.database_url, "postgres://") &&
        !str_starts(c.database_url, "postgresql://") && strchr(c.database_url, '=') == NULL)
        rc = err_field(e, "DATABASE_URL", "DATABASE_URL must be a postgresql:// address");
    if (rc != RC_OK) {
        cfg_done(&c);
        return rc;
    }
    *out = c;
    return RC_OK;
}

static enum rc use_zone(const struct cfg *c, struct err *e)
{
    if (clock_zone_use(c->timezone))
        return RC_OK;
    return err_field(e, "TIMEZONE",
                     "TIMEZONE must be the name of a zone that this system knows, "
                     "such as America/Sao_Paulo");
}

enum rc cfg_load(struct cfg *out, struct err *e)
{
    struct cfg c = { 0 };
    enum rc rc = cfg_load_database(&c, e);

    if (rc == RC_OK)
        rc = load_address("LISTEN_ADDRESS", &c.listen_address, e);
    if (rc == RC_OK)
        rc = load_address("OPS_ADDRESS", &c.ops_address, e);
    if (rc == RC_OK)
        rc = load_texts(&c, e);
    if (rc == RC_OK)
        rc = load_secrets(&c, e);
    if (rc == RC_OK)
        rc = check_keys(&c, e);
    if (rc == RC_OK)
        rc = load_tokens(&c, e);
    if (rc == RC_OK)
        rc = load_urls(&c, e);
    if (rc == RC_OK)
        rc = complete_tiktok_urls(&c, e);
    if (rc == RC_OK)
        rc = derive_urls(&c, e);
    if (rc == RC_OK)
        rc = load_numbers(&c, e);
    if (rc == RC_OK)
        rc = check_pairs(&c, e);
    if (rc == RC_OK)
        rc = load_users(&c, e);
    if (rc == RC_OK)
        rc = check_private(&c, e);
    if (rc == RC_OK)
        rc = use_zone(&c, e);
    if (rc != RC_OK) {
        cfg_done(&c);
        return rc;
    }
    *out = c;
    return RC_OK;
}

static void wipe_free(char *text)
{
    if (text != NULL)
        sign_wipe(text, strlen(text));
    free(text);
}

void cfg_done(struct cfg *c)
{
    char *plain[] = { c->listen_address, c->ops_address,       c->public_url,
                      c->tiktok_app_key, c->tiktok_service_id, c->tiktok_oauth_redirect_uri,
                      c->tiktok_api_url, c->tiktok_auth_url,   c->tiktok_authorize_url,
                      c->vtex_api_url,   c->vtex_pricing_url,  c->lambda_access_key_id,
                      c->timezone };

    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        free(plain[i]);
    wipe_free(c->database_url);
    wipe_free(c->tiktok_app_secrets[0]);
    wipe_free(c->tiktok_app_secrets[1]);
    wipe_free(c->encryption_keys);
    cfg_users_done(c);
    wipe_free(c->lambda_secret_access_key);
    for (int i = 0; i < c->n_tokens; i++)
        free(c->tokens[i].name);
    memset(c, 0, sizeof *c);
}

void cfg_help(struct buf *out)
{
    for (int i = 0; i < N_SETTINGS; i++) {
        const struct setting *s = &SETTINGS[i];

        buf_fmt(out, "  %-26s %s", s->name, s->help);
        if (s->fallback == NULL)
            buf_str(out, " (required)");
        else if (*s->fallback != '\0')
            buf_fmt(out, " (default %s)", s->fallback);
        buf_char(out, '\n');
    }
}
