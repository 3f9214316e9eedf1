/* cfg.h - settings, read once from the environment and then never changed. */
#ifndef CFG_H
#define CFG_H

#include "buf.h"

#define CFG_LIST_MAX 16

enum cfg_scope { CFG_SCOPE_READ = 1, CFG_SCOPE_SYNC = 2, CFG_SCOPE_ADMIN = 3 };

struct cfg_token { /* one of API_TOKENS; only a digest of the token is kept */
    char *name;
    enum cfg_scope scope;
    unsigned char digest[32];
};

#define CFG_USERS_MAX 64
struct cfg_user { /* one of ADMIN_USERS: may sign in to the dashboard */
    char *name;
    enum cfg_scope role; /* viewer reads, operator also triggers, admin also changes settings */
    char *hash;          /* of the password */
    char *clients;       /* "client+client": sees only these; NULL = all */
    char principal[72];  /* "user:name", as the audit log writes it */
    unsigned char
        fingerprint[32]; /* digest of the hash: a session ends when the password changes */
};
/* Whether the user may see this client. */
bool cfg_user_may(const struct cfg_user *user, const char *client_id);

struct cfg {
    char *database_url;
    char *listen_address;
    char *ops_address;
    char *public_url; /* no trailing slash */
    char *tiktok_app_key;
    char *tiktok_app_secrets[2]; /* [0] signs; both verify webhooks; [1] may be NULL */
    char *tiktok_service_id;
    char *tiktok_oauth_redirect_uri;
    char *tiktok_api_url;       /* no trailing slash */
    char *tiktok_auth_url;      /* host part; "/api/v2/token/get" follows */
    char *tiktok_authorize_url; /* whole address of the authorize page, "?service_id=" follows */
    char *vtex_api_url;         /* template with {account} */
    char *vtex_pricing_url;     /* template with {account}; "/pricing/..." follows */
    char *encryption_keys;      /* id:base64,... ; wiped once the key ring is made */
    struct cfg_token tokens[CFG_LIST_MAX];
    int n_tokens;
    struct cfg_user users[CFG_USERS_MAX];
    int n_users;
    char *lambda_access_key_id;
    char *lambda_secret_access_key;
    char *timezone;
    int log_level; /* enum log_level */
    bool log_json;
    int worker_threads;
    int db_pool_size;
    int api_rate_per_second;
    int order_poll_seconds;
    int vtex_order_read_seconds;
    int in_doubt_settle_seconds;
    int lease_seconds;
    int retention_days;
    bool allow_private_addresses;
};

/* Reads and checks all settings. RC_INVALID: e->field names the variable, e->text says what it must be. Makes TIMEZONE
 * the zone of clock_read_local, so it must run before any thread starts. */
enum rc cfg_load(struct cfg *out, struct err *e);
/* Only what `migrate` needs: DATABASE_URL and the log settings. */
enum rc cfg_load_database(struct cfg *out, struct err *e);
void cfg_done(struct cfg *cfg);
/* Prints name, default and help of each setting, for `--help`. */
void cfg_help(struct buf *out);

#endif
