/* http_call.c - what is said and written down about one request, whatever library carried it. */
#include "http_int.h"

#include "clock.h"
#include "http_rate.h"
#include "log.h"
#include "metrics.h"
#include "str.h"

void http_call_problem(struct http_call *call, int status, const char *text)
{
    struct err e = { 0 };

    (void)err_set(&e, status >= 500 ? RC_DOWN : RC_INVALID, "%s", text);
    e.http_status = status;
    e.retry_after_us = call->wait_us;
    http_reply_problem(&call->reply, &call->req, &e);
}

bool http_call_method(struct http_call *call, const char *method)
{
    static const char *const NAMES[] = { "GET", "POST", "PUT", "PATCH", "DELETE" };

    call->is_head = strcmp(method, "HEAD") == 0;
    if (call->is_head)
        return true; /* HTTP_GET is 0; the library leaves the body out */
    for (int i = 0; i < 5; i++) {
        if (strcmp(method, NAMES[i]) == 0) {
            call->req.method = (enum http_method)i;
            return true;
        }
    }
    return false;
}

const char *http_call_verdict_text(int status)
{
    switch (status) {
    case 401:
        return "Send one of the API tokens as Authorization: Bearer.";
    case 403:
        return "The scope of this token does not allow the operation.";
    case 429:
        return "This token has sent too many requests; Retry-After says when to go on.";
    case 405:
        return "The path exists, but not with this method.";
    default:
        return "There is nothing at this path.";
    }
}

int http_call_rate(struct http_call *call, struct http_rate *rate)
{
    if (rate == NULL || call->who.text[0] == '\0' || !str_starts(call->who.text, "token:"))
        return 0;
    call->wait_us = http_rate_take(rate, call->who.text, clock_mono_us());
    return call->wait_us > 0 ? 429 : 0;
}

void http_call_log(const struct http_call *call)
{
    const char *operation = call->req.route != NULL ? call->req.route->operation : "none";
    int64_t us = clock_mono_us() - call->req.started_us;
    bool raw = call->req.route != NULL && call->req.route->raw;
    char labels[128];

    (void)snprintf(labels, sizeof labels, "server=\"%s\",operation=\"%s\",status=\"%d\"",
                   call->server_name, operation, call->sent_status);
    metrics_add("connector_http_requests_total", labels, 1);
    (void)snprintf(labels, sizeof labels, "server=\"%s\"", call->server_name);
    metrics_observe_us("connector_http_request_seconds", labels, us);
    if (call->log_it) {
        char masked[160];
        const char *path = masked;

        http_path_mask(call->req.path, masked, sizeof masked);
        /* Webhooks that went well are counted, not listed: there are thousands a second. */
        LOG(raw && call->sent_status == 200 ? LOG_DEBUG : LOG_INFO, "http", "request",
            LF_S("req", call->req.id), LF_S("operation", operation), LF_S("path", path),
            LF_I("status", call->sent_status), LF_I("ms", us / US_PER_MS));
    }
}
