/* lambda.c - the Invoke operation of AWS Lambda: callers of the replaced system change nothing but the address.
 *
 * A call is checked, translated into the REST request that it stands for, and given to that request's handler, so
 * that both ways do the same work. Errors of the call itself have AWS's shapes (server/http_aws.c writes them). */
#include "lambda.h"

#include "rest.h"

#include "clock.h"
#include "jspec.h"
#include "sigv4.h"
#include "str.h"

#include <stdatomic.h>
#include <string.h>

#define LIMIT_WAIT_US (900 * US_PER_S) /* what AWS allows a function */
#define LIMIT_WAITING 100              /* calls that wait for their results, in this process */
#define LIMIT_REPLY_BODY_BYTES ((size_t)16 << 20)
#define LOOK_FIRST_MS 50
#define LOOK_MS 250

enum invocation { INVOKE_RESPONSE, INVOKE_EVENT, INVOKE_DRY };

static atomic_int waiting_calls;

/* ---- what is asked --------------------------------------------------------------------------------- */

static const char *header_of(const void *ctx, const char *name)
{
    return http_header(ctx, name);
}

static enum rc check_signature(const struct app *app, const struct http_req *req, struct err *e)
{
    static const char *const MUST_SIGN[] = { "x-amz-invocation-type", "x-amz-log-type",
                                             "x-amz-client-context",  "x-amz-date",
                                             "x-amz-content-sha256",  NULL };
    struct sigv4_request signed_request = { .method = "POST",
                                            .path = req->path,
                                            .query = req->query,
                                            .body = req->body,
                                            .body_len = req->body_len,
                                            .header = header_of,
                                            .ctx = req };
    struct sigv4_key key = { .id = app->cfg.lambda_access_key_id,
                             .secret = app->cfg.lambda_secret_access_key,
                             .service = "lambda" };

    return sigv4_verify(&signed_request, &key, MUST_SIGN, clock_now_us(), e);
}

/* A header of the protocol, which a presigned address carries as a parameter. */
static void protocol_value(const struct http_req *req, const char *name, char *dst, size_t cap)
{
    const char *value = http_header(req, name);

    dst[0] = '\0';
    if (value != NULL)
        str_copy_cut(dst, cap, value);
    else
        (void)http_query(req, name, dst, cap);
}

static enum rc read_types(const struct http_req *req, enum invocation *type, bool *tail,
                          struct err *e)
{
    char text[32];

    protocol_value(req, "X-Amz-Invocation-Type", text, sizeof text);
    if (text[0] == '\0' || str_eq(text, "RequestResponse"))
        *type = INVOKE_RESPONSE;
    else if (str_eq(text, "Event"))
        *type = INVOKE_EVENT;
    else if (str_eq(text, "DryRun"))
        *type = INVOKE_DRY;
    else
        return err_http(e, 400, "InvalidParameterValueException",
                        "InvocationType must be Event, RequestResponse or DryRun.");
    protocol_value(req, "X-Amz-Log-Type", text, sizeof text);
    if (text[0] != '\0' && !str_eq(text, "Tail") && !str_eq(text, "None"))
        return err_http(e, 400, "InvalidParameterValueException", "LogType must be Tail or None.");
    *tail = str_eq(text, "Tail") && *type == INVOKE_RESPONSE;
    if (http_header(req, "Prefer") != NULL)
        return err_http(e, 400, "InvalidParameterValueException",
                        "Prefer belongs to REST; use InvocationType.");
    return RC_OK;
}

static enum rc read_function(const struct http_req *req, struct lambda_call *call, struct err *e)
{
    char name[LAMBDA_NAME_BYTES];
    char qualifier[LAMBDA_VERSION_BYTES];
    bool qualified = http_query(req, "Qualifier", qualifier, sizeof qualifier);
    enum rc rc = lambda_name_read(http_param(req, "function_name"), qualified ? qualifier : NULL,
                                  name, call->version, e);

    if (rc != RC_OK)
        return rc;
    call->function = lambda_function_find(name);
    if (call->function == NULL)
        return err_http(e, 404, "ResourceNotFoundException", "Function not found: %s", name);
    return RC_OK;
}

static enum rc read_payload(const struct http_req *req, json_t **out, struct err *e)
{
    struct err why = { 0 };
    enum rc rc = http_body_json(req, true, out, &why);

    if (rc == RC_OK)
        return RC_OK;
    if (rc != RC_INVALID) {
        if (e != NULL)
            *e = why;
        return rc;
    }
    return err_http(e, 400, "InvalidRequestContentException",
                    "Could not parse request body into json: %s", why.text);
}

/* ---- answers --------------------------------------------------------------------------------------- */

/* The function was called and failed. `run` may be NULL. */
static enum rc reply_function_error(struct http_reply *reply, const char *type, const char *text,
                                    const json_t *run, struct err *e)
{
    json_auto_t *payload =
        json_pack("{s:s, s:s, s:[]}", "errorType", type, "errorMessage", text, "trace");

    if (payload == NULL ||
        (run != NULL && json_object_set(payload, "result", (json_t *)(uintptr_t)run) != 0))
        return err_set(e, RC_BUG, "no memory for an answer");
    http_reply_header(reply, "X-Amz-Function-Error", "Unhandled");
    return http_reply_json(reply, 200, payload, e);
}

static void reply_heads(struct http_reply *reply, const struct http_req *req, const char *version)
{
    http_reply_header(reply, "x-amzn-RequestId", "%s", req->id);
    if (version != NULL)
        http_reply_header(reply, "X-Amz-Executed-Version", "%s", version);
}

static enum rc reply_log(struct app *app, const struct lambda_call *call,
                         const struct http_req *req, struct http_reply *reply, struct err *e)
{
    OWN_BUF struct buf log;
    enum rc rc;

    buf_init(&log, 4090);
    if (!call->tail)
        return RC_OK;
    rc = lambda_log(app, call, req, &log, e);
    if (rc == RC_OK)
        http_reply_header(reply, "X-Amz-Log-Result", "%s", buf_text(&log));
    return rc;
}

/* What the REST request was refused with, in the words of the interface that was called. */
static enum rc refused(enum invocation type, struct http_reply *reply, const struct err *why,
                       struct err *e)
{
    bool passing = why->rc == RC_BUSY || why->rc == RC_DOWN || why->rc == RC_UNSURE ||
                   why->rc == RC_STOPPED || why->rc == RC_BUG;
    char text[700];

    if (passing) {
        *e = *why; /* 429 and 5xx: the SDK tries again */
        e->code[0] = '\0';
        return why->rc;
    }
    (void)str_fmt(text, sizeof text, "%s%s%s", why->field, why->field[0] != '\0' ? " " : "",
                  why->text);
    if (type == INVOKE_EVENT) /* accepted would mean that it will be done */
        return err_http(e, 400, "InvalidRequestContentException", "%s", text);
    return reply_function_error(reply, why->code[0] != '\0' ? why->code : rc_name(why->rc), text,
                                NULL, e);
}

/* ---- the work -------------------------------------------------------------------------------------- */

static void set_param(struct http_req *req, const char *name, const char *value)
{
    struct http_param *p = &req->params[req->n_params++];

    p->name = name;
    p->name_len = strlen(name);
    str_copy_cut(p->value, sizeof p->value, value);
}

/* Gives the request to the REST handler. */
static enum rc rest_do(struct app *app, const struct http_req *req, const struct lambda_call *call,
                       const struct lambda_request *r, struct http_reply *inner, struct err *e)
{
    struct http_req rest = *req;
    OWN_BUF struct buf body;
    char principal[160];
    enum rc rc;

    buf_init(&body, (size_t)4 << 20);
    rc = jspec_dump(r->body, &body, e);
    if (rc != RC_OK)
        return rc;
    (void)str_fmt(principal, sizeof principal, "lambda:%.120s", app->cfg.lambda_access_key_id);
    rest.path = r->path;
    rest.query = r->query;
    rest.body = buf_text(&body);
    rest.body_len = body.len;
    rest.principal = principal;
    rest.scope = CFG_SCOPE_SYNC;
    rest.n_params = 0;
    set_param(&rest, "client_hash", r->client_id);
    if (call->function->what != NULL)
        set_param(&rest, "what", call->function->what);
    if (r->order_id[0] != '\0')
        set_param(&rest, "order_id", r->order_id);
    return (call->function->what != NULL ? sync_post : call->function->handler)(app, &rest, inner,
                                                                                e);
}

static void inner_done(struct http_reply *inner)
{
    buf_done(&inner->body);
    for (int i = 0; i < inner->n_headers; i++)
        free(inner->headers[i].value);
}

/* Does the work; an accepted run or order is noted in the call. RC_OK with *why set: refused. */
static enum rc work(struct app *app, const struct http_req *req, const json_t *payload,
                    struct lambda_call *call, json_t **answer, struct err *why, struct err *e)
{
    OWN_LAMBDA_REQUEST struct lambda_request r = { 0 };
    __attribute__((cleanup(inner_done))) struct http_reply inner = { 0 };
    enum rc rc = lambda_request_read(call->function, payload, &r, why);

    buf_init(&inner.body, LIMIT_REPLY_BODY_BYTES);
    if (rc == RC_OK)
        rc = rest_do(app, req, call, &r, &inner, why);
    if (rc != RC_OK) {
        why->rc = rc;
        return RC_OK;
    }
    *why = (struct err){ 0 }; /* a handler may have looked for something that may be missing */
    rc = jspec_parse(inner.body.data, inner.body.len, 0, answer, e);
    if (rc != RC_OK)
        return rc;
    (void)str_copy(call->client_id, sizeof call->client_id, r.client_id);
    (void)str_copy(call->ignored, sizeof call->ignored, r.ignored);
    if (call->function->result == LAMBDA_RUN)
        (void)str_copy(call->run_id, sizeof call->run_id, jspec_text(*answer, "run_id"));
    if (call->function->result == LAMBDA_ORDER)
        (void)str_copy(call->order_id, sizeof call->order_id, r.order_id);
    return RC_OK;
}

/* Looks for the result and answers, or asks to be called again. Owns the state. */
static enum rc look(struct app *app, struct http_req *req, struct http_reply *reply, struct err *e)
{
    struct lambda_call *call = req->state;
    OWN_LAMBDA_OUTCOME struct lambda_outcome o = { 0 };
    enum rc rc = lambda_look(app, call, &o, e);

    if (rc == RC_OK && !o.finished && clock_mono_us() < call->until_us &&
        !atomic_load(&app->stopping)) {
        reply->again_ms = req->again == 0 ? LOOK_FIRST_MS : LOOK_MS;
        return RC_OK;
    }
    if (rc == RC_OK && !o.finished) {
        (void)str_copy(o.error_type, sizeof o.error_type, "Sandbox.Timedout");
        (void)str_fmt(o.error_text, sizeof o.error_text,
                      "the result is not waited for any longer; the work goes on: %s%s",
                      call->run_id[0] != '\0' ? "run " : "order ",
                      call->run_id[0] != '\0' ? call->run_id : call->order_id);
    }
    reply_heads(reply, req, call->version);
    if (rc == RC_OK)
        rc = reply_log(app, call, req, reply, e);
    if (rc == RC_OK && o.error_type[0] != '\0')
        rc = reply_function_error(reply, o.error_type, o.error_text, o.payload, e);
    else if (rc == RC_OK)
        rc = http_reply_json(reply, 200, o.payload, e);
    free(call);
    req->state = NULL;
    (void)atomic_fetch_sub(&waiting_calls, 1);
    return rc;
}

static enum rc wait_begin(struct app *app, struct http_req *req, const struct lambda_call *call,
                          struct http_reply *reply, struct err *e)
{
    struct lambda_call *state = malloc(sizeof *state);

    if (state == NULL) {
        (void)atomic_fetch_sub(&waiting_calls, 1);
        return err_set(e, RC_BUG, "no memory for a call");
    }
    *state = *call;
    state->until_us = clock_mono_us() + LIMIT_WAIT_US;
    req->state = state;
    return look(app, req, reply, e);
}

static enum rc invoke(struct app *app, struct http_req *req, enum invocation type,
                      struct lambda_call *call, const json_t *payload, struct http_reply *reply,
                      struct err *e)
{
    bool waits = type == INVOKE_RESPONSE && call->function->result != LAMBDA_ANSWER;
    json_auto_t *answer = NULL;
    struct err why = { 0 };
    enum rc rc;

    if (waits && atomic_fetch_add(&waiting_calls, 1) >= LIMIT_WAITING) {
        (void)atomic_fetch_sub(&waiting_calls, 1);
        return err_http(e, 429, "TooManyRequestsException",
                        "Rate Exceeded: %d calls wait for their results already", LIMIT_WAITING);
    }
    rc = work(app, req, payload, call, &answer, &why, e);
    if (rc == RC_OK && why.rc == RC_OK && waits)
        return wait_begin(app, req, call, reply, e);
    if (waits)
        (void)atomic_fetch_sub(&waiting_calls, 1);
    if (rc != RC_OK)
        return rc;
    reply_heads(reply, req, type == INVOKE_RESPONSE ? call->version : NULL);
    if (why.rc == RC_OK && type == INVOKE_EVENT) {
        reply->status = 202;
        return RC_OK;
    }
    if (type == INVOKE_RESPONSE)
        rc = reply_log(app, call, req, reply, e);
    if (rc != RC_OK)
        return rc;
    return why.rc != RC_OK ? refused(type, reply, &why, e) : http_reply_json(reply, 200, answer, e);
}

enum rc lambda_invoke_post(void *user, struct http_req *req, struct http_reply *reply,
                           struct err *e)
{
    struct app *app = user;
    struct lambda_call call = { 0 };
    json_auto_t *payload = NULL;
    enum invocation type = INVOKE_RESPONSE;
    enum rc rc;

    if (req->state != NULL)
        return look(app, req, reply, e);
    rc = check_signature(app, req, e);
    if (rc == RC_OK)
        rc = read_function(req, &call, e);
    if (rc == RC_OK)
        rc = read_types(req, &type, &call.tail, e);
    if (rc == RC_OK)
        rc = read_payload(req, &payload, e);
    if (rc != RC_OK)
        return rc;
    if (type == INVOKE_DRY) {
        reply_heads(reply, req, call.version);
        reply->status = 204;
        return RC_OK;
    }
    return invoke(app, req, type, &call, payload, reply, e);
}
