/* test_dash_access.c - who may open which page and do which action: each row of the table of routes, asked by nobody, by
 * a viewer, by a user of another client, without the secret of the form, and by whom it is for. */
#include "rest_rig.h"

#include "db_session.h"
#include "handlers.h"

#include <string.h>

#define OWN "loja-exemplo"
#define FOREIGN "outra-loja"

static struct cfg_user *user(int i, const char *name, enum cfg_scope role, const char *clients)
{
    struct cfg_user *u = &A.cfg.users[i];

    u->name = (char *)(uintptr_t)name;
    u->role = role;
    u->clients = (char *)(uintptr_t)clients;
    (void)str_fmt(u->principal, sizeof u->principal, "user:%s", name);
    memset(u->fingerprint, i + 1, sizeof u->fingerprint);
    A.cfg.n_users = i + 1;
    return u;
}

/* A session as signing in leaves it; the cookie's value is the name. */
static void sign_in(const struct cfg_user *u)
{
    unsigned char digest[32];
    struct db_tx *tx = NULL;
    struct err e = { 0 };

    sign_sha256(u->name, strlen(u->name), digest);
    CHECK_INT(db_tx_begin(A.web_db, "test", DB_SYSTEM, &tx, &e), RC_OK);
    CHECK_INT(db_session_new(tx, digest, u->name, u->fingerprint, &e), RC_OK);
    CHECK_INT(db_tx_commit(tx, &e), RC_OK);
    db_tx_free(tx);
}

/* The route's address with something for each parameter. */
static void address(const struct http_route *r, const char *client, char *out, size_t cap)
{
    size_t len = 0;

    for (const char *p = r->pattern; *p != '\0' && len + 70 < cap;) {
        if (*p != '{') {
            out[len++] = *p++;
            continue;
        }
        len += (size_t)snprintf(out + len, cap - len, "%s",
                                str_starts(p, "{client_hash}") ? client
                                : str_starts(p, "{file}")      ? "dash.css"
                                : str_starts(p, "{language}")  ? "en"
                                                               : "1");
        p += strcspn(p, "}") + 1;
    }
    out[len] = '\0';
}

static int ask_as(const struct http_route *r, const char *client, const char *who, bool secret)
{
    char path[300], cookie[80] = "", csrf[120] = "X-CSRF-Token: none";
    const char *method = r->method == HTTP_GET ? "GET" : "POST";

    address(r, client, path, sizeof path);
    if (who != NULL)
        (void)snprintf(cookie, sizeof cookie, "Cookie: session=%s", who);
    if (who != NULL && secret) {
        unsigned char mac[32];
        OWN_BUF struct buf text;

        buf_init(&text, 100);
        sign_hmac_sha256(who, strlen(who), "csrf", 4, mac);
        str_base64url(&text, mac, sizeof mac);
        (void)snprintf(csrf, sizeof csrf, "X-CSRF-Token: %s", buf_text(&text));
    }
    return ask(method, path, NULL, r->method == HTTP_GET ? NULL : "", who != NULL ? cookie : NULL,
               r->method == HTTP_GET ? NULL : csrf);
}

static bool of_client(const struct http_route *r)
{
    return strstr(r->pattern, "{client_hash}") != NULL;
}

static void nobody_is_let_in(void)
{
    for (int i = 0; i < DASH_ROUTES_COUNT; i++) {
        const struct http_route *r = &DASH_ROUTES[i];
        int status = ask_as(r, OWN, NULL, false);

        if (r->access == HTTP_OPEN)
            CHECK(status != 401 || r->method == HTTP_POST, "%s: %d", r->operation, status);
        else
            CHECK(status == (r->method == HTTP_GET ? 303 : 401), "%s: %d", r->operation, status);
        CHECK(r->access == HTTP_OPEN || R.body.len == 0 || J != NULL, "%s says %s", r->operation,
              body_text());
    }
}

static void roles_bind(void)
{
    for (int i = 0; i < DASH_ROUTES_COUNT; i++) {
        const struct http_route *r = &DASH_ROUTES[i];
        static const char *const WHO[] = { "viewer", "operator", "admin" };

        if (r->access == HTTP_OPEN || r->handler == logout_post)
            continue;
        for (int k = 0; k < 3; k++) {
            int status = ask_as(r, OWN, WHO[k], true);

            if (k + (int)HTTP_READ < (int)r->access)
                CHECK(status == 403, "%s as %s: %d", r->operation, WHO[k], status);
            else
                CHECK(status != 403 && status != 401 && status < 500, "%s as %s: %d %s",
                      r->operation, WHO[k], status, body_text());
        }
    }
}

static void other_clients_are_not_there(void)
{
    for (int i = 0; i < DASH_ROUTES_COUNT; i++) {
        const struct http_route *r = &DASH_ROUTES[i];

        if (!of_client(r))
            continue;
        CHECK(ask_as(r, OWN, "bound", true) == 404, "%s: %d", r->operation, R.status);
        CHECK(strstr(body_text(), "Loja Exemplo") == NULL, "%s", r->operation);
        CHECK(ask_as(r, FOREIGN, "bound", true) != 401, "%s", r->operation);
    }
    for (int i = 0; i < ROUTES_COUNT; i++) { /* the REST interface with a session */
        if (ROUTES[i].access != HTTP_OPEN && ROUTES[i].method == HTTP_GET)
            CHECK(ask_as(&ROUTES[i], OWN, "bound", true) == 404, "%s: %d", ROUTES[i].operation,
                  R.status);
    }
}

static void forms_need_their_secret(void)
{
    for (int i = 0; i < DASH_ROUTES_COUNT; i++) {
        const struct http_route *r = &DASH_ROUTES[i];

        if (r->method != HTTP_GET && r->access != HTTP_OPEN)
            CHECK(ask_as(r, OWN, "admin", false) == 403, "%s: %d", r->operation, R.status);
    }
}

static void a_session_ends(void)
{
    static const char *const ENDS[] = {
        "UPDATE sessions SET seen_at = now() - interval '31 minutes' WHERE user_name = 'viewer'",
        "UPDATE sessions SET created_at = now() - interval '13 hours' WHERE user_name = 'operator'",
        "UPDATE sessions SET fingerprint = sha256('x') WHERE user_name = 'admin'",
    };
    static const char *const WHO[] = { "viewer", "operator", "admin" };

    for (int i = 0; i < 3; i++) {
        struct db_tx *tx = NULL;
        struct err e = { 0 };

        CHECK_INT(ask_as(&DASH_ROUTES[5], OWN, WHO[i], false), 200);
        CHECK_INT(db_tx_begin(A.web_db, "test", DB_SYSTEM, &tx, &e), RC_OK);
        CHECK_INT(db_exec(tx, ENDS[i], NULL, NULL, &e), RC_OK);
        CHECK_INT(db_tx_commit(tx, &e), RC_OK);
        db_tx_free(tx);
        CHECK_INT(ask_as(&DASH_ROUTES[5], OWN, WHO[i], false), 303);
    }
}

static void cases(void)
{
    CHECK_INT(ask("PUT", "/v1/clients/" OWN, "admin-token", FULL, NULL, NULL), 201);
    CHECK_INT(ask("PUT", "/v1/clients/" FOREIGN, "admin-token", "{\"name\":\"Outra\"}", NULL, NULL),
              201);
    sign_in(user(0, "viewer", CFG_SCOPE_READ, NULL));
    sign_in(user(1, "operator", CFG_SCOPE_SYNC, NULL));
    sign_in(user(2, "admin", CFG_SCOPE_ADMIN, NULL));
    sign_in(user(3, "bound", CFG_SCOPE_ADMIN, FOREIGN));
    CASE(nobody_is_let_in);
    CASE(forms_need_their_secret);
    CASE(other_clients_are_not_there);
    CASE(roles_bind);
    CASE(a_session_ends);
}

int main(void)
{
    return rig_main(cases);
}
