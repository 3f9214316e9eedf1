/* clients.c - merchants: listed, made, replaced, patched, deactivated. */
#include "rest.h"

#include "client_doc.h"
#include "db_rest.h"
#include "jspec.h"
#include "own.h"
#include "str.h"

#include <string.h>

#define HOOK_SECRET_BYTES 24

static enum rc reply_client(struct http_reply *reply, int status, const struct client *c,
                            const char *hook_secret, struct err *e)
{
    json_auto_t *doc = client_doc_show_new(c, hook_secret);

    if (doc == NULL)
        return err_set(e, RC_BUG, "no memory for a client");
    http_reply_header(reply, "ETag", "\"%lld\"", (long long)c->revision);
    return http_reply_json(reply, status, doc, e);
}

static bool lists_revision(const char *header, int64_t revision)
{
    char now[32];

    (void)str_fmt(now, sizeof now, "\"%lld\"", (long long)revision);
    return str_eq(header, "*") || strstr(header, now) != NULL;
}

/* If-Match and If-None-Match against the stored revision (0 = there is no client). */
static enum rc check_match(const struct http_req *req, int64_t revision, struct err *e)
{
    const char *match = http_header(req, "If-Match");
    const char *none = http_header(req, "If-None-Match");

    if (match != NULL && (revision == 0 || !lists_revision(match, revision)))
        return err_http(e, 412, "precondition_failed", "the client was changed meanwhile");
    if (none != NULL && revision != 0 && lists_revision(none, revision))
        return err_http(e, 412, "precondition_failed", "the client exists already");
    return RC_OK;
}

/* Writes the document and reads back what is stored. */
static enum rc store(struct db_tx *tx, const struct http_req *req, const struct client *stored,
                     const json_t *doc, const char *client_id, struct buf *hook_secret,
                     struct client *out, struct err *e)
{
    struct client_write w = { 0 };
    enum rc rc = client_doc_read(doc, stored, &w, e);

    if (rc != RC_OK)
        return rc;
    w.client_id = client_id;
    if (w.vtex_account != NULL && w.hook_secret == NULL &&
        (stored == NULL || !stored->has_hook_secret)) {
        sign_token(hook_secret, HOOK_SECRET_BYTES);
        rc = buf_check(hook_secret, e);
        w.hook_secret = buf_text(hook_secret);
    }
    if (rc == RC_OK)
        rc = db_client_write(tx, &w, e);
    if (rc == RC_OK)
        rc = rest_audit(tx, req, client_id, stored == NULL ? "client_created" : "client_changed",
                        NULL, e);
    if (rc == RC_OK)
        rc = db_client_get(tx, client_id, out, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    return rc;
}

enum rc client_put(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    OWN_CLIENT struct client stored = { 0 };
    OWN_CLIENT struct client now = { 0 };
    OWN_BUF struct buf secret;
    json_auto_t *doc = NULL;
    const char *id = http_param(req, "client_hash");
    int64_t revision = 0;
    enum rc rc = rest_client_hash(req, &id, e);

    buf_init(&secret, 128);
    if (rc == RC_NOT_FOUND)
        return err_field(e, "client_hash", "must be 8 to 64 letters, digits, \"_\" or \"-\"");
    if (rc == RC_OK)
        rc = rest_no_query(req, e);
    if (rc == RC_OK)
        rc = http_body_json(req, false, &doc, e);
    if (rc == RC_OK)
        rc = db_tx_begin(app->web_db, "client_put", id, &tx, e);
    if (rc == RC_OK)
        rc = db_client_lock(tx, id, &revision, e);
    if (rc == RC_OK)
        rc = check_match(req, revision, e);
    if (rc == RC_OK && revision != 0)
        rc = db_client_get(tx, id, &stored, e);
    if (rc == RC_OK)
        rc = store(tx, req, revision != 0 ? &stored : NULL, doc, id, &secret, &now, e);
    if (rc != RC_OK)
        return rc;
    if (revision == 0)
        http_reply_header(reply, "Location", "/v1/clients/%s", id);
    return reply_client(reply, revision == 0 ? 201 : 200, &now,
                        secret.len > 0 ? buf_text(&secret) : NULL, e);
}

enum rc client_patch(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    OWN_CLIENT struct client stored = { 0 };
    OWN_CLIENT struct client now = { 0 };
    OWN_BUF struct buf secret;
    json_auto_t *patch = NULL;
    json_auto_t *doc = NULL;
    const char *id = NULL;
    int64_t revision = 0;
    enum rc rc = rest_no_query(req, e);

    buf_init(&secret, 128);
    if (rc == RC_OK)
        rc = http_body_json(req, false, &patch, e);
    if (rc == RC_OK)
        rc = rest_begin(app, req, "client_patch", &id, &tx, e);
    if (rc == RC_OK)
        rc = db_client_lock(tx, id, &revision, e);
    if (rc == RC_OK)
        rc = check_match(req, revision, e);
    if (rc == RC_OK)
        rc = db_client_get(tx, id, &stored, e);
    if (rc != RC_OK)
        return rc;
    if (!stored.active)
        return err_http(e, 409, "client_inactive", "the client is deactivated; PUT activates it");
    doc = client_doc_stored_new(&stored);
    if (doc == NULL)
        return err_set(e, RC_BUG, "no memory for a client");
    rc = client_doc_patch(doc, patch, e);
    if (rc == RC_OK)
        rc = store(tx, req, &stored, doc, id, &secret, &now, e);
    if (rc != RC_OK)
        return rc;
    return reply_client(reply, 200, &now, secret.len > 0 ? buf_text(&secret) : NULL, e);
}

enum rc client_get(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    OWN_CLIENT struct client c = { 0 };
    const char *none = http_header(req, "If-None-Match");
    const char *id = NULL;
    enum rc rc = rest_no_query(req, e);

    if (rc == RC_OK)
        rc = rest_begin(app, req, "client_get", &id, &tx, e);
    if (rc == RC_OK)
        rc = db_client_get(tx, id, &c, e);
    if (rc != RC_OK)
        return rc;
    if (none == NULL || !lists_revision(none, c.revision))
        return reply_client(reply, 200, &c, NULL, e);
    http_reply_header(reply, "ETag", "\"%lld\"", (long long)c.revision);
    reply->status = 304;
    return RC_OK;
}

enum rc client_delete(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    const char *id = NULL;
    int64_t revision = 0;
    enum rc rc = rest_no_query(req, e);

    if (rc == RC_OK)
        rc = rest_begin(app, req, "client_delete", &id, &tx, e);
    if (rc == RC_OK)
        rc = db_client_lock(tx, id, &revision, e);
    if (rc == RC_OK)
        rc = check_match(req, revision, e);
    if (rc == RC_OK)
        rc = db_client_deactivate(tx, id, e);
    if (rc == RC_OK)
        rc = rest_audit(tx, req, id, "client_deactivated", NULL, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc == RC_OK)
        reply->status = 204;
    return rc;
}

/* Shows each client of a page of ids. */
static enum rc show_each(struct db_tx *tx, const json_t *ids, json_t *items, struct err *e)
{
    enum rc rc = RC_OK;

    for (size_t i = 0; rc == RC_OK && i < json_array_size(ids); i++) {
        OWN_CLIENT struct client c = { 0 };

        rc = db_client_get(tx, json_string_value(json_array_get(ids, i)), &c, e);
        if (rc == RC_OK && json_array_append_new(items, client_doc_show_new(&c, NULL)) != 0)
            return err_set(e, RC_BUG, "no memory for clients");
    }
    return rc;
}

enum rc clients_list(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    OWN_LIST struct rest_list ids = { 0 };
    json_auto_t *items = json_array();
    struct rest_page page;
    enum rc rc = rest_page_read(req, NULL, &page, e);

    if (rc == RC_OK)
        rc = db_tx_begin(app->web_db, "clients_list", DB_SYSTEM, &tx, e);
    if (rc == RC_OK)
        rc = db_rest_clients(tx, page.cursor, page.limit, &ids, e);
    if (rc == RC_OK)
        rc = show_each(tx, ids.items, items, e);
    return rc == RC_OK ? rest_page_reply(reply, req, items, ids.next, e) : rc;
}
