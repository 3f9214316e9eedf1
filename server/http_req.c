/* http_req.c - how a handler reads a request: parameters, headers, query, cookies, JSON body. */
#include "http_int.h"

#include "jspec.h"
#include "str.h"

const char *http_param(const struct http_req *req, const char *name)
{
    size_t len = strlen(name);

    for (int i = 0; i < req->n_params; i++) {
        if (req->params[i].name_len == len && memcmp(req->params[i].name, name, len) == 0)
            return req->params[i].value;
    }
    return "";
}

const char *http_header(const struct http_req *req, const char *name)
{
    const struct http_call *call = req->conn;
    const struct http_field *f = http_field_find(call->fields, call->n_fields, name);

    return f != NULL ? f->value : NULL;
}

/* Next "name=value" piece of a query; false at the end. */
static bool query_next(const char **at, const char **name, size_t *name_len, const char **value,
                       size_t *value_len)
{
    size_t len = 0;
    const char *equals = NULL;

    while (**at == '&')
        (*at)++;
    if (**at == 0)
        return false;
    len = strcspn(*at, "&");
    equals = memchr(*at, '=', len);
    *name = *at;
    *name_len = equals != NULL ? (size_t)(equals - *at) : len;
    *value = equals != NULL ? equals + 1 : *at + len;
    *value_len = (size_t)(*at + len - *value);
    *at += len;
    return true;
}

bool http_query(const struct http_req *req, const char *name, char *dst, size_t cap)
{
    const char *at = req->query;
    const char *key = NULL;
    const char *value = NULL;
    size_t key_len = 0;
    size_t value_len = 0;

    dst[0] = 0;
    while (query_next(&at, &key, &key_len, &value, &value_len)) {
        char decoded[64];

        if (!str_url_decode(decoded, sizeof decoded, key, key_len, true) ||
            strcmp(decoded, name) != 0)
            continue;
        if (str_url_decode(dst, cap, value, value_len, true) && str_utf8_valid(dst, strlen(dst)))
            return true;
        dst[0] = 0;
        return false;
    }
    return false;
}

int http_query_count(const struct http_req *req, const char *name)
{
    const char *at = req->query;
    const char *key = NULL;
    const char *value = NULL;
    size_t key_len = 0;
    size_t value_len = 0;
    int count = 0;

    while (query_next(&at, &key, &key_len, &value, &value_len)) {
        char decoded[64];

        count += str_url_decode(decoded, sizeof decoded, key, key_len, true) &&
                 strcmp(decoded, name) == 0;
    }
    return count;
}

enum rc http_query_check(const struct http_req *req, const char *const *allowed, struct err *e)
{
    const char *at = req->query;
    const char *key = NULL;
    const char *value = NULL;
    size_t key_len = 0;
    size_t value_len = 0;

    while (query_next(&at, &key, &key_len, &value, &value_len)) {
        char decoded[64];
        bool known = false;

        if (!str_url_decode(decoded, sizeof decoded, key, key_len, true) ||
            !str_utf8_valid(decoded, strlen(decoded)))
            return err_field(e, "query", "has an unreadable parameter");
        for (int i = 0; allowed[i] != NULL; i++)
            known = known || strcmp(allowed[i], decoded) == 0;
        if (!known)
            return err_field(e, decoded, "is not a parameter of this operation");
    }
    return RC_OK;
}

bool http_cookie(const struct http_req *req, const char *name, char *dst, size_t cap)
{
    const char *at = http_header(req, "Cookie");
    size_t name_len = strlen(name);

    dst[0] = 0;
    while (at != NULL && *at != 0) {
        size_t len = 0;

        at += strspn(at, "; \t");
        len = strcspn(at, ";");
        if (len > name_len && memcmp(at, name, name_len) == 0 && at[name_len] == '=') {
            if (len - name_len - 1 >= cap)
                return false;
            memcpy(dst, at + name_len + 1, len - name_len - 1);
            dst[len - name_len - 1] = 0;
            return true;
        }
        at += len;
    }
    return false;
}

enum rc http_body_json(const struct http_req *req, bool may_be_empty, json_t **out, struct err *e)
{
    json_t *value = NULL;
    enum rc rc = RC_OK;

    if (req->body_len == 0 && may_be_empty) {
        value = json_object();
        if (value == NULL)
            return err_set(e, RC_BUG, "out of memory");
        *out = value;
        return RC_OK;
    }
    rc = jspec_parse(req->body, req->body_len, 0, &value, e);
    if (rc != RC_OK)
        return rc;
    if (!json_is_object(value)) {
        json_decref(value);
        return err_field(e, "body", "must be a JSON object");
    }
    *out = value;
    return RC_OK;
}
