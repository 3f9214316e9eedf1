/* http_reply.c - what a handler answers: headers, JSON, pages, redirects, problem documents. */
#include "http_int.h"

#include "jspec.h"
#include "str.h"

#include <stdarg.h>

void http_reply_init(struct http_reply *reply)
{
    memset(reply, 0, sizeof *reply);
    buf_init(&reply->body, LIMIT_REPLY_BYTES);
}

static void reply_reset(struct http_reply *reply)
{
    http_reply_done(reply);
    http_reply_init(reply);
}

void http_reply_done(struct http_reply *reply)
{
    buf_done(&reply->body);
    for (int i = 0; i < reply->n_headers; i++)
        free(reply->headers[i].value);
    reply->n_headers = 0;
}

bool http_reply_has_header(const struct http_reply *reply, const char *name)
{
    for (int i = 0; i < reply->n_headers; i++) {
        if (str_ieq(reply->headers[i].name, name))
            return true;
    }
    return false;
}

void http_reply_header(struct http_reply *reply, const char *name, const char *fmt, ...)
{
    char value[4096];
    va_list ap;
    int len = 0;

    va_start(ap, fmt);
    len = vsnprintf(value, sizeof value, fmt, ap);
    va_end(ap);
    if (len < 0 || (size_t)len >= sizeof value || reply->n_headers >= HTTP_REPLY_HEADERS_MAX)
        return;
    for (int i = 0; i < len; i++) {
        if ((unsigned char)value[i] < 0x20 || value[i] == 0x7f)
            return;
    }
    reply->headers[reply->n_headers].name = name;
    reply->headers[reply->n_headers].value = str_dup(value);
    if (reply->headers[reply->n_headers].value != NULL)
        reply->n_headers++;
}

enum rc http_reply_json(struct http_reply *reply, int status, const json_t *value, struct err *e)
{
    enum rc rc = RC_OK;

    buf_clear(&reply->body);
    rc = jspec_dump(value, &reply->body, e);
    if (rc != RC_OK)
        return rc;
    reply->status = status;
    reply->content_type = "application/json";
    return RC_OK;
}

enum rc http_reply_html(struct http_reply *reply, int status, const char *html, struct err *e)
{
    buf_clear(&reply->body);
    buf_str(&reply->body, html);
    reply->status = status;
    reply->content_type = "text/html; charset=utf-8";
    return buf_check(&reply->body, e);
}

enum rc http_reply_redirect(struct http_reply *reply, int status, const char *location)
{
    buf_clear(&reply->body);
    reply->status = status;
    reply->content_type = NULL;
    http_reply_header(reply, "Location", "%s", location);
    return http_reply_has_header(reply, "Location") ? RC_OK : RC_BUG;
}

const char *http_status_text(int status)
{
    static const struct {
        int status;
        const char *text;
    } TEXTS[] = {
        { 400, "Bad request" },        { 401, "Not authenticated" },
        { 403, "Not allowed" },        { 404, "Not found" },
        { 405, "Method not allowed" }, { 408, "Request timeout" },
        { 409, "Conflict" },           { 412, "Precondition failed" },
        { 413, "Content too large" },  { 415, "Unsupported type" },
        { 422, "Unprocessable" },      { 428, "Precondition required" },
        { 429, "Too many requests" },  { 500, "Internal error" },
        { 501, "Not implemented" },    { 502, "Bad gateway" },
        { 503, "Not available" },      { 504, "Gateway timeout" },
    };

    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        if (TEXTS[i].status == status)
            return TEXTS[i].text;
    }
    return status < 400 ? "OK" : "Error";
}

static int problem_status(const struct err *e)
{
    if (e->http_status != 0)
        return e->http_status;
    switch (e->rc) {
    case RC_INVALID:
        return 400;
    case RC_NOT_FOUND:
        return 404;
    case RC_DENIED:
        return 403;
    case RC_DUPLICATE:
        return 409;
    case RC_BUSY:
        return 429;
    case RC_DOWN:
    case RC_UNSURE:
    case RC_STOPPED:
        return 503;
    case RC_OK:
    case RC_BUG:
        break;
    }
    return 500;
}

static const char *problem_code(const struct err *e, int status)
{
    static const struct {
        int status;
        const char *code;
    } CODES[] = {
        { 400, "bad_request" },         { 401, "not_authenticated" },  { 403, "not_allowed" },
        { 404, "not_found" },           { 405, "method_not_allowed" }, { 409, "conflict" },
        { 412, "precondition_failed" }, { 413, "too_large" },          { 429, "too_many_requests" },
        { 503, "not_available" },
    };

    if (status == 500)
        return "internal";
    if (e->code[0] != 0)
        return e->code;
    for (size_t i = 0; i < sizeof CODES / sizeof CODES[0]; i++) {
        if (CODES[i].status == status)
            return CODES[i].code;
    }
    return "error";
}

static void member(struct buf *out, const char *name, const char *text)
{
    buf_fmt(out, ",\"%s\":\"", name);
    str_json(out, text, strlen(text));
    buf_char(out, '"');
}

/* Fills the empty reply with a problem document. */
static void problem_document(struct http_reply *reply, const struct http_req *req,
                             const struct err *e, int status)
{
    const char *code = problem_code(e, status);
    char instance[160];

    http_path_mask(req->path, instance, sizeof instance);
    buf_str(&reply->body, "{\"type\":\"https://tiktok-shop-connector.example/problems/");
    str_json(&reply->body, code, strlen(code));
    buf_char(&reply->body, '"');
    member(&reply->body, "title", http_status_text(status));
    buf_fmt(&reply->body, ",\"status\":%d", status);
    member(&reply->body, "detail",
           status == 500 ? "Something unforeseen happened; the request id leads to the log."
                         : e->text);
    member(&reply->body, "instance", instance);
    member(&reply->body, "code", code);
    buf_fmt(&reply->body, ",\"retryable\":%s", status == 429 || status >= 500 ? "true" : "false");
    buf_str(&reply->body, ",\"errors\":[");
    if (e->field[0] != 0 && status != 500) {
        buf_str(&reply->body, "{\"field\":\"");
        str_json(&reply->body, e->field, strlen(e->field));
        buf_char(&reply->body, '"');
        member(&reply->body, "message", e->text);
        buf_char(&reply->body, '}');
    }
    buf_char(&reply->body, ']');
    member(&reply->body, "request_id", req->id);
    buf_char(&reply->body, '}');
    reply->status = status;
    reply->content_type = "application/problem+json";
}

void http_reply_problem(struct http_reply *reply, const struct http_req *req, const struct err *e)
{
    int status = problem_status(e);
    int64_t wait_us = e->retry_after_us;

    reply_reset(reply);
    if (http_aws_path(req->path))
        http_aws_error(reply, req, e, status);
    else
        problem_document(reply, req, e, status);
    if (status == 429 || status == 503)
        http_reply_header(reply, "Retry-After", "%lld",
                          (long long)(wait_us > 0 ? (wait_us + 999999) / 1000000 : 1));
}
