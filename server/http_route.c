/* http_route.c - finds the row of a route table for a raw path, and checks who may call it. */
#include "http_int.h"

#include "sign.h"
#include "str.h"

#include <strings.h>

static const char *const METHOD_NAMES[] = { "GET", "POST", "PUT", "PATCH", "DELETE" };

/* Spellings of a path that proxies and servers read differently: nothing here answers to them. */
static bool path_odd(const char *path)
{
    static const char *const ODD_ESCAPES[] = { "00", "2f", "2F", "5c", "5C" };

    if (path[0] != '/')
        return true;
    for (const char *p = path; *p != 0; p++) {
        unsigned char c = (unsigned char)*p;

        if (c <= 0x20 || c >= 0x7f || c == ';' || c == '\\' || c == '#')
            return true;
        if (c == '/' && (p[1] == '/' || (p[1] == '.' && (p[2] == 0 || p[2] == '/'))))
            return true;
        if (c == '/' && p[1] == '.' && p[2] == '.' && (p[3] == 0 || p[3] == '/'))
            return true;
        for (size_t i = 0; c == '%' && i < 5;
             i++) { /* only NUL, slash and backslash; the rest is data */
            if (strncmp(p + 1, ODD_ESCAPES[i], 2) == 0)
                return true;
        }
    }
    return false;
}

static bool param_take(struct http_req *req, const char *name, size_t name_len, const char *raw,
                       size_t raw_len)
{
    struct http_param *p = &req->params[req->n_params];

    if (req->n_params >= HTTP_PARAMS_MAX || raw_len == 0)
        return false;
    if (!str_url_decode(p->value, sizeof p->value, raw, raw_len, false))
        return false;
    for (const char *c = p->value; *c != 0; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f || *c == '/' || *c == '\\')
            return false;
    }
    if (strcmp(p->value, ".") == 0 || strcmp(p->value, "..") == 0)
        return false;
    if (!str_utf8_valid(p->value, strlen(p->value)))
        return false;
    p->name = name;
    p->name_len = name_len;
    req->n_params++;
    return true;
}

/* Compares segment by segment; fills params as it goes. */
static bool pattern_match(const char *pattern, struct http_req *req)
{
    const char *path = req->path;

    req->n_params = 0;
    while (*pattern != 0 && *path != 0) {
        size_t want = strcspn(pattern + 1, "/");
        size_t have = strcspn(path + 1, "/");

        if (*pattern != '/' || *path != '/')
            return false;
        if (pattern[1] == '{') {
            if (!param_take(req, pattern + 2, want - 2, path + 1, have))
                return false;
        } else if (want != have || memcmp(pattern + 1, path + 1, want) != 0) {
            return false;
        }
        pattern += 1 + want;
        path += 1 + have;
    }
    return *pattern == 0 && *path == 0;
}

static void allow_add(char *allow, size_t cap, enum http_method method)
{
    const char *name = METHOD_NAMES[method];
    size_t len = strlen(allow);

    if (strstr(allow, name) != NULL)
        return;
    (void)snprintf(allow + len, cap - len, "%s%s", len > 0 ? ", " : "", name);
    len = strlen(allow);
    if (method == HTTP_GET)
        (void)snprintf(allow + len, cap - len, ", HEAD");
}

static int table_find(const struct http_route *routes, int n_routes, struct http_req *req,
                      bool method_known, char *allow, size_t allow_cap)
{
    for (int i = 0; i < n_routes; i++) {
        if (!pattern_match(routes[i].pattern, req))
            continue;
        if (method_known && routes[i].method == req->method) {
            req->route = &routes[i];
            return 0;
        }
        allow_add(allow, allow_cap, routes[i].method);
    }
    req->n_params = 0;
    return allow[0] != 0 ? 405 : 404;
}

int http_route_find(const struct http_server_cfg *cfg, struct http_req *req, bool method_known,
                    char *allow, size_t allow_cap)
{
    int status = 0;

    allow[0] = 0;
    if (path_odd(req->path))
        return 404;
    status = table_find(cfg->routes, cfg->n_routes, req, method_known, allow, allow_cap);
    if (status == 404 && cfg->pages != NULL)
        status = table_find(cfg->pages, cfg->n_pages, req, method_known, allow, allow_cap);
    req->page = req->route != NULL && cfg->pages != NULL && req->route >= cfg->pages &&
                req->route < cfg->pages + cfg->n_pages;
    return status;
}

/* Compares with every token, so that the time does not tell which one was near. */
static const struct cfg_token *token_find(const struct cfg_token *tokens, int n, const char *text)
{
    unsigned char digest[SIGN_SHA256_BYTES];
    const struct cfg_token *found = NULL;

    sign_sha256(text, strlen(text), digest);
    for (int i = 0; i < n; i++) {
        if (sign_equal(digest, tokens[i].digest, sizeof digest))
            found = &tokens[i];
    }
    return found;
}

static enum cfg_scope scope_needed(enum http_access access)
{
    switch (access) {
    case HTTP_READ:
        return CFG_SCOPE_READ;
    case HTTP_SYNC:
        return CFG_SCOPE_SYNC;
    case HTTP_OPEN:
    case HTTP_ADMIN:
        break;
    }
    return CFG_SCOPE_ADMIN;
}

int http_access_check(const struct http_server_cfg *cfg, struct http_req *req,
                      struct http_principal *who, http_handler *session)
{
    const char *authorization = http_header(req, "Authorization");
    const struct cfg_token *token = NULL;

    if (authorization != NULL && strncasecmp(authorization, "Bearer ", 7) == 0)
        token = token_find(cfg->tokens, cfg->tokens != NULL ? cfg->n_tokens : 0, authorization + 7);
    if (token != NULL) {
        (void)snprintf(who->text, sizeof who->text, "token:%s", token->name);
        req->principal = who->text;
        req->scope = token->scope;
    }
    if (req->route->access == HTTP_OPEN)
        return 0;
    if (authorization == NULL && cfg->session != NULL && !req->route->raw &&
        (req->page || http_header(req, "Cookie") != NULL)) {
        *session = cfg->session;
        return 0;
    }
    if (token == NULL)
        return 401;
    return token->scope >= scope_needed(req->route->access) ? 0 : 403;
}

void http_path_mask(const char *path, char *dst, size_t cap)
{
    const char *rest = NULL;

    str_copy_cut(dst, cap, path);
    if (!str_starts(path, "/vtex/"))
        return;
    rest = strchr(path + 6, '/');
    if (rest == NULL || strcmp(rest, "/order-hook") == 0)
        return;
    (void)snprintf(dst, cap, "%.*s/***", (int)(rest - path < 80 ? rest - path : 80), path);
}
