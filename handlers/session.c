/* session.c - who is signed in: the cookie, the rules of a route for people, signing in and out. */
#include "dash_frame.h"

#include "db_account.h"
#include "db_session.h"
#include "log.h"
#include "password.h"
#include "sign.h"
#include "str.h"

#include <string.h>

#define TOKEN_BYTES 32
#define COOKIE_CHARS 64
#define LIMIT_NEXT_BYTES 512

/* ---- the cookie ------------------------------------------------------------------------------------ */

static bool secure(const struct app *app)
{
    return str_starts(app->cfg.public_url, "https://");
}

static const char *cookie_name(const struct app *app)
{
    return secure(app) ? "__Host-session" : "session";
}

static void set_cookie(const struct app *app, struct http_reply *reply, const char *value,
                       int max_age_s)
{
    http_reply_header(reply, "Set-Cookie", "%s=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax%s",
                      cookie_name(app), value, max_age_s, secure(app) ? "; Secure" : "");
}

static bool cookie_digest(const struct app *app, const struct http_req *req,
                          unsigned char digest[32])
{
    char token[COOKIE_CHARS];

    if (!http_cookie(req, cookie_name(app), token, sizeof token) || token[0] == '\0')
        return false;
    sign_sha256(token, strlen(token), digest);
    return true;
}

void session_csrf(const struct app *app, const struct http_req *req, char out[DASH_CSRF_BYTES])
{
    unsigned char mac[SIGN_SHA256_BYTES];
    char token[COOKIE_CHARS];
    OWN_BUF struct buf text;

    out[0] = '\0';
    buf_init(&text, 64);
    if (!http_cookie(req, cookie_name(app), token, sizeof token) || token[0] == '\0')
        return;
    sign_hmac_sha256(token, strlen(token), "csrf", 4, mac);
    str_base64url(&text, mac, sizeof mac);
    (void)str_copy(out, DASH_CSRF_BYTES, buf_text(&text));
}

/* ---- forms ----------------------------------------------------------------------------------------- */

bool session_field(const struct http_req *req, const char *name, char *dst, size_t cap)
{
    struct http_req form = *req;

    dst[0] = '\0';
    if (req->body == NULL || strlen(req->body) != req->body_len)
        return false;
    form.query = req->body;
    return http_query(&form, name, dst, cap);
}

bool session_path_ok(const char *path)
{
    if (path[0] != '/' || path[1] == '/' || path[1] == '\\')
        return false;
    for (const char *p = path; *p != '\0'; p++) {
        if ((unsigned char)*p <= ' ' || *p == '\\' || (unsigned char)*p >= 0x7f)
            return false;
    }
    return true;
}

/* A browser says where a form stood; programs say nothing. */
static bool origin_ok(const struct app *app, const struct http_req *req)
{
    const char *origin = http_header(req, "Origin");
    const char *site = http_header(req, "Sec-Fetch-Site");
    const char *host = http_header(req, "Host");
    const char *at = origin != NULL ? strstr(origin, "://") : NULL;

    if (origin == NULL)
        return site == NULL || str_eq(site, "same-origin") || str_eq(site, "none");
    return str_eq(origin, app->cfg.public_url) || (at != NULL && str_eq(at + 3, host));
}

static bool csrf_ok(const struct app *app, const struct http_req *req)
{
    char want[DASH_CSRF_BYTES];
    char given[DASH_CSRF_BYTES];
    const char *header = http_header(req, "X-CSRF-Token");

    session_csrf(app, req, want);
    if (header != NULL)
        (void)str_copy(given, sizeof given, header);
    else
        (void)session_field(req, "csrf", given, sizeof given);
    return origin_ok(app, req) && strlen(want) == strlen(given) && want[0] != '\0' &&
           sign_equal(want, given, strlen(want));
}

/* ---- the rules of a route -------------------------------------------------------------------------- */

static const struct cfg_user *user_find(const struct cfg *cfg, const char *name)
{
    for (int i = 0; i < cfg->n_users; i++) {
        if (str_eq(cfg->users[i].name, name))
            return &cfg->users[i];
    }
    return NULL;
}

/* RC_NOT_FOUND: nobody is signed in. */
static enum rc session_user(struct app *app, const struct http_req *req,
                            const struct cfg_user **out, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    struct session found = { 0 };
    const struct cfg_user *user = NULL;
    unsigned char digest[SIGN_SHA256_BYTES];
    enum rc rc;

    if (!cookie_digest(app, req, digest))
        return err_set(e, RC_NOT_FOUND, "no cookie");
    rc = db_tx_begin(app->web_db, "session", DB_SYSTEM, &tx, e);
    if (rc == RC_OK)
        rc = db_session_find(tx, digest, &found, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc != RC_OK)
        return rc;
    user = user_find(&app->cfg, found.user_name);
    if (user == NULL || !sign_equal(user->fingerprint, found.fingerprint, sizeof found.fingerprint))
        return err_set(e, RC_NOT_FOUND, "the user was changed");
    *out = user;
    return RC_OK;
}

static enum rc not_signed_in(const struct http_req *req, struct http_reply *reply, struct err *e)
{
    OWN_BUF struct buf address;

    if (!req->page || req->method != HTTP_GET)
        return err_http(e, 401, "not_authenticated",
                        "Sign in, or send one of the API tokens as Authorization: Bearer.");
    buf_init(&address, 4000);
    buf_str(&address, "/login?next=");
    str_url_encode(&address, req->path);
    if (req->query[0] != '\0') {
        buf_str(&address, "%3F");
        str_url_encode(&address, req->query);
    }
    http_reply_header(reply, "Cache-Control", "no-store");
    return http_reply_redirect(reply, 303,
                               buf_check(&address, NULL) == RC_OK ? buf_text(&address) : "/login");
}

/* Writes down that somebody tried; the answer does not depend on whether that worked. */
static void note_refusal(struct app *app, const struct http_req *req, const char *why)
{
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *detail = json_pack("{s:s, s:s}", "operation", req->route->operation, "why", why);
    struct err e = { 0 };

    LOG(LOG_WARN, "session", "refused", LF_S("operation", req->route->operation), LF_S("why", why));
    if (db_tx_begin(app->web_db, "refusal", DB_SYSTEM, &tx, &e) == RC_OK &&
        db_audit(tx, DB_SYSTEM, req->principal, "refused", detail, &e) == RC_OK)
        (void)db_tx_commit(tx, &e); /* the log line is there in any case */
}

static enum cfg_scope scope_needed(enum http_access access)
{
    return access == HTTP_READ   ? CFG_SCOPE_READ
           : access == HTTP_SYNC ? CFG_SCOPE_SYNC
                                 : CFG_SCOPE_ADMIN;
}

/* A user of some clients reaches addresses of other clients no more than ones that do not exist, and of the REST
 * interface only what belongs to a client. */
static bool within_clients(const struct http_req *req)
{
    const char *client = http_param(req, "client_hash");

    if (req->user->clients == NULL)
        return true;
    if (client[0] == '\0')
        return req->page;
    return cfg_user_may(req->user, client);
}

enum rc session_check(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    struct app *app = user;
    struct err why = { 0 };
    enum rc rc = session_user(app, req, &req->user, &why);

    if (rc == RC_NOT_FOUND)
        return not_signed_in(req, reply, e);
    if (rc != RC_OK) {
        *e = why;
        return rc;
    }
    req->principal = req->user->principal;
    req->scope = req->user->role;
    if (!within_clients(req)) {
        note_refusal(app, req, "client");
        return dash_refuse(app, req, reply, RC_NOT_FOUND, "there is no such client", e);
    }
    if (req->scope < scope_needed(req->route->access)) {
        note_refusal(app, req, "role");
        return dash_refuse(app, req, reply, RC_DENIED, "your role does not allow this", e);
    }
    if (req->method != HTTP_GET && !csrf_ok(app, req)) {
        note_refusal(app, req, "csrf");
        return dash_refuse(app, req, reply, RC_DENIED,
                           "the form has expired: load the page again and repeat", e);
    }
    return RC_OK;
}

/* ---- signing in and out ---------------------------------------------------------------------------- */

static void put_login(struct dash *d, const char *next, const char *problem, int64_t wait_s)
{
    struct html *h = &d->h;

    html_put(h, "<div class=\"sign-in card\">\n<h1>{Sign in}</h1>\n");
    if (wait_s > 0)
        html_put(h,
                 "<p class=\"note bad\" role=\"alert\">{Too many attempts.} "
                 "{Seconds to wait before the next one:} %lld</p>\n",
                 (long long)wait_s);
    else if (problem != NULL)
        html_put(h, "<p class=\"note bad\" role=\"alert\">%s</p>\n", html_say(h, problem));
    html_put(h,
             "<form method=\"post\" action=\"/login\">\n"
             "<input type=\"hidden\" name=\"next\" value=\"%s\">\n"
             "<label>{User}<input name=\"user\" autocomplete=\"username\" required maxlength=\"60\""
             " autocapitalize=\"none\" spellcheck=\"false\"></label>\n"
             "<label>{Password}<input type=\"password\" name=\"password\" required"
             " autocomplete=\"current-password\" maxlength=\"1024\"></label>\n"
             "<button class=\"main\">{Sign in}</button>\n</form>\n",
             next);
    if (d->app->cfg.n_users == 0)
        html_put(h, "<p class=\"hint\">{Nobody can sign in yet: set ADMIN_USERS, with hashes made "
                    "by the command \"user hash-password\".}</p>\n");
    html_put(h, "</div>\n");
}

static enum rc login_page(struct app *app, struct http_req *req, struct http_reply *reply,
                          int status, const char *next, const char *problem, int64_t wait_s,
                          struct err *e)
{
    struct dash d;

    dash_open(&d, app, req);
    put_login(&d, session_path_ok(next) ? next : "/", problem, wait_s);
    if (wait_s > 0)
        http_reply_header(reply, "Retry-After", "%lld", (long long)wait_s);
    return dash_close(&d, reply, status, "Sign in", NULL, e);
}

enum rc login_get(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    char next[LIMIT_NEXT_BYTES];

    if (!http_query(req, "next", next, sizeof next))
        next[0] = '\0';
    return login_page(user, req, reply, 200, next, NULL, 0, e);
}

static void failure_key(const struct http_req *req, const char *name, unsigned char key[32])
{
    OWN_BUF struct buf text;

    buf_init(&text, 1024);
    buf_fmt(&text, "%s\n%s", name, req->peer);
    sign_sha256(buf_text(&text), text.len, key);
}

/* Looks whether a try may come now and counts it as failed, so that tries at the same time wait for each other. */
static enum rc count_try(struct app *app, const unsigned char key[32], int64_t *wait_s,
                         struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = db_tx_begin(app->web_db, "sign_in", DB_SYSTEM, &tx, e);

    if (rc == RC_OK)
        rc = db_sign_in_wait(tx, key, wait_s, e);
    if (rc != RC_OK || *wait_s > 0)
        return rc;
    rc = db_sign_in_failed(tx, key, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

/* A new token, never one that the browser brought. */
static enum rc open_session(struct app *app, const struct http_req *req, const struct cfg_user *who,
                            const unsigned char key[32], struct buf *token, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    unsigned char digest[SIGN_SHA256_BYTES];
    unsigned char old[SIGN_SHA256_BYTES];
    enum rc rc = db_tx_begin(app->web_db, "sign_in", DB_SYSTEM, &tx, e);

    sign_token(token, TOKEN_BYTES);
    sign_sha256(buf_text(token), token->len, digest);
    if (rc == RC_OK && cookie_digest(app, req, old))
        rc = db_session_end(tx, old, e);
    if (rc == RC_OK)
        rc = db_session_new(tx, digest, who->name, who->fingerprint, e);
    if (rc == RC_OK)
        rc = db_sign_in_well(tx, key, e);
    if (rc == RC_OK)
        rc = db_audit(tx, DB_SYSTEM, who->principal, "sign_in", NULL, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static bool password_right(const struct cfg_user *who, const char *password)
{
    /* Takes as long for a name that nobody has. */
    static const char NOBODY[] = "scrypt$15$8$3$AAAAAAAAAAAAAAAAAAAAAA$"
                                 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    return password_matches(password, who != NULL ? who->hash : NOBODY) && who != NULL;
}

enum rc login_post(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    struct app *app = user;
    const struct cfg_user *who = NULL;
    OWN_SECRET struct buf token;
    unsigned char key[SIGN_SHA256_BYTES];
    char name[72];
    char password[PASSWORD_BYTES_MAX + 1];
    char next[LIMIT_NEXT_BYTES];
    int64_t wait_s = 0;
    bool right;
    enum rc rc;

    buf_init(&token, 128);
    (void)session_field(req, "user", name, sizeof name);
    (void)session_field(req, "next", next, sizeof next);
    if (!origin_ok(app, req))
        return login_page(app, req, reply, 403, next,
                          "The form came from another address. Sign in here.", 0, e);
    failure_key(req, name, key);
    rc = count_try(app, key, &wait_s, e);
    if (rc != RC_OK)
        return rc;
    if (wait_s > 0)
        return login_page(app, req, reply, 429, next, NULL, wait_s, e);
    who = user_find(&app->cfg, name);
    right =
        session_field(req, "password", password, sizeof password) && password_right(who, password);
    sign_wipe(password, sizeof password);
    if (!right) {
        LOG(LOG_WARN, "session", "sign-in failed", LF_S("req", req->id));
        return login_page(app, req, reply, 401, next, "User or password is wrong.", 0, e);
    }
    rc = open_session(app, req, who, key, &token, e);
    if (rc != RC_OK)
        return rc;
    set_cookie(app, reply, buf_text(&token), DB_SESSION_MAX_S);
    http_reply_header(reply, "Cache-Control", "no-store");
    return http_reply_redirect(reply, 303, session_path_ok(next) ? next : "/");
}

enum rc logout_post(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    unsigned char digest[SIGN_SHA256_BYTES];
    enum rc rc = db_tx_begin(app->web_db, "sign_out", DB_SYSTEM, &tx, e);

    if (rc == RC_OK && cookie_digest(app, req, digest))
        rc = db_session_end(tx, digest, e);
    if (rc == RC_OK)
        rc = db_audit(tx, DB_SYSTEM, req->principal, "sign_out", NULL, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc != RC_OK)
        return rc;
    set_cookie(app, reply, "", 0);
    http_reply_header(reply, "Cache-Control", "no-store");
    return http_reply_redirect(reply, 303, "/login");
}
