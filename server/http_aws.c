/* http_aws.c - errors in the shape that AWS SDKs read, for the paths of the Lambda interface. */
#include "http_int.h"

#include "str.h"

bool http_aws_path(const char *path)
{
    return str_starts(path, "/2015-03-31/");
}

/* Codes of AWS begin with a capital, ours do not. */
static const char *error_type(const struct err *e, int status)
{
    static const struct {
        int status;
        const char *type;
    } TYPES[] = {
        { 400, "InvalidRequestContentException" }, { 403, "AccessDeniedException" },
        { 404, "ResourceNotFoundException" },      { 405, "InvalidParameterValueException" },
        { 409, "ResourceConflictException" },      { 413, "RequestTooLargeException" },
        { 429, "TooManyRequestsException" },
    };

    if (status < 500 && e->code[0] >= 'A' && e->code[0] <= 'Z')
        return e->code;
    for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++) {
        if (TYPES[i].status == status)
            return TYPES[i].type;
    }
    return status >= 500 ? "ServiceException" : "InvalidParameterValueException";
}

void http_aws_error(struct http_reply *reply, const struct http_req *req, const struct err *e,
                    int status)
{
    const char *text = status == 500 ? "Something unforeseen happened; the request id leads to"
                                       " the log."
                                     : e->text;

    /* The type stands in the body too: an answer that is given while the body comes has no such header. */
    buf_fmt(&reply->body, "{\"__type\":\"%s\",\"Type\":\"%s\",\"message\":\"",
            error_type(e, status), status >= 500 ? "Service" : "User");
    str_json(&reply->body, text, strlen(text));
    buf_str(&reply->body,
            status == 429 ? "\",\"Reason\":\"ConcurrentInvocationLimitExceeded\"}" : "\"}");
    reply->status = status;
    reply->content_type = "application/json";
    http_reply_header(reply, "x-amzn-ErrorType", "%s", error_type(e, status));
    http_reply_header(reply, "x-amzn-RequestId", "%s", req->id);
}
