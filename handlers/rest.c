/* rest.c - shared by the REST handlers: the client of the path, paging, audit. */
#include "rest.h"

#include "db_account.h"
#include "str.h"

#include <string.h>

#define CLIENT_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

enum rc rest_client_hash(const struct http_req *req, const char **out, struct err *e)
{
    const char *hash = http_param(req, "client_hash");
    size_t len = strlen(hash);

    if (len < 8 || len > 64 || !str_only(hash, CLIENT_CHARS))
        return err_code(e, RC_NOT_FOUND, "not_found", "there is no such client");
    *out = hash;
    return RC_OK;
}

enum rc rest_begin(struct app *app, const struct http_req *req, const char *name,
                   const char **client_id, struct db_tx **tx, struct err *e)
{
    OWN_TX struct db_tx *begun = NULL;
    const char *hash = NULL;
    bool exists = false;
    enum rc rc = rest_client_hash(req, &hash, e);

    if (rc == RC_OK)
        rc = db_tx_begin(app->web_db, name, hash, &begun, e);
    if (rc == RC_OK)
        rc = db_client_exists(begun, hash, &exists, e);
    if (rc != RC_OK)
        return rc;
    if (!exists)
        return err_code(e, RC_NOT_FOUND, "not_found", "there is no such client");
    *client_id = hash;
    *tx = begun;
    begun = NULL;
    return RC_OK;
}

enum rc rest_query(const struct http_req *req, const char *name, char *dst, size_t cap,
                   const char **out, struct err *e)
{
    bool present = http_query(req, name, dst, cap);

    if (!present && strstr(req->query, name) != NULL) {
        char probe[2048];

        /* http_query also says "absent" for a value that does not fit or cannot be decoded. */
        if (http_query(req, name, probe, sizeof probe))
            return err_field(e, name, "is too long");
    }
    *out = present && dst[0] != '\0' ? dst : NULL;
    return RC_OK;
}

enum rc rest_query_bool(const struct http_req *req, const char *name, bool *out, struct err *e)
{
    char text[8];

    *out = false;
    if (!http_query(req, name, text, sizeof text))
        return RC_OK;
    if (!str_eq(text, "true") && !str_eq(text, "false"))
        return err_field(e, name, "must be true or false");
    *out = str_eq(text, "true");
    return RC_OK;
}

enum rc rest_no_query(const struct http_req *req, struct err *e)
{
    static const char *const NONE[] = { NULL };

    return http_query_check(req, NONE, e);
}

enum rc rest_no_body(const struct http_req *req, struct err *e)
{
    json_auto_t *body = NULL;
    enum rc rc = http_body_json(req, true, &body, e);

    if (rc == RC_OK && json_object_size(body) > 0)
        return err_field(e, json_object_iter_key(json_object_iter(body)),
                         "is not a member of this request");
    return rc;
}

enum rc rest_page_read(const struct http_req *req, const char *const *allowed,
                       struct rest_page *out, struct err *e)
{
    const char *names[16] = { "limit", "cursor" };
    struct rest_page page = { .limit = REST_PAGE_DEFAULT };
    const char *cursor = NULL;
    char text[16];
    enum rc rc;

    for (int i = 0; allowed != NULL && allowed[i] != NULL && i < 13; i++)
        names[i + 2] = allowed[i];
    rc = http_query_check(req, names, e);
    if (rc != RC_OK)
        return rc;
    if (http_query(req, "limit", text, sizeof text)) {
        int64_t limit = 0;

        if (!str_to_i64(text, 1, REST_PAGE_MAX, &limit))
            return err_field(e, "limit", "must be between 1 and %d", REST_PAGE_MAX);
        page.limit = (int)limit;
    }
    rc = rest_query(req, "cursor", page.cursor, sizeof page.cursor, &cursor, e);
    if (rc == RC_OK)
        *out = page;
    return rc;
}

/* The request's own address with another cursor. */
static void next_link(const struct http_req *req, const char *next, struct buf *out)
{
    const char *at = req->query;

    buf_fmt(out, "<%s?", req->path);
    while (*at != '\0') {
        size_t len = strcspn(at, "&");

        if (len > 0 && strncmp(at, "cursor=", 7) != 0) {
            buf_add(out, at, len);
            buf_char(out, '&');
        }
        at += len;
        at += *at == '&';
    }
    buf_str(out, "cursor=");
    str_url_encode(out, next);
    buf_str(out, ">; rel=\"next\"");
}

enum rc rest_page_reply(struct http_reply *reply, const struct http_req *req, const json_t *items,
                        const char *next, struct err *e)
{
    bool more = next != NULL && next[0] != '\0';
    json_auto_t *page =
        json_pack("{s:O, s:s?}", "items", (json_t *)(uintptr_t)items, "next", more ? next : NULL);
    OWN_BUF struct buf link;

    buf_init(&link, 4000);
    if (page == NULL)
        return err_set(e, RC_BUG, "no memory for a page");
    if (more) {
        next_link(req, next, &link);
        if (buf_check(&link, NULL) == RC_OK)
            http_reply_header(reply, "Link", "%s", buf_text(&link));
    }
    return http_reply_json(reply, 200, page, e);
}

enum rc rest_audit(struct db_tx *tx, const struct http_req *req, const char *client_id,
                   const char *action, const json_t *detail, struct err *e)
{
    return db_audit(tx, client_id, req->principal != NULL ? req->principal : "open", action, detail,
                    e);
}

enum rc rest_run_accepted(struct app *app, struct http_reply *reply, const char *run_id,
                          struct err *e)
{
    char path[64];
    char url[600];
    json_auto_t *answer = NULL;

    (void)str_fmt(path, sizeof path, "/v1/runs/%s", run_id);
    (void)str_fmt(url, sizeof url, "%s%s", app->cfg.public_url, path);
    answer = json_pack("{s:s, s:s, s:s}", "run_id", run_id, "status", "queued", "url", url);
    if (answer == NULL)
        return err_set(e, RC_BUG, "no memory for a run");
    http_reply_header(reply, "Location", "%s", path);
    return http_reply_json(reply, 202, answer, e);
}
