/* http.c - the only home of libmicrohttpd: connections, bodies, deadlines, dispatch, answers.
 *
 * The library reads HTTP/1.x on its own epoll threads. What it forgives is refused here before any handler
 * runs (http_guard.c); what it does not watch, the time a whole request takes, a watchdog thread does. */
#include "http_int.h"

#include "clock.h"
#include "http_rate.h"
#include "http_socket.h"
#include "log.h"
#include "sign.h"
#include "str.h"

#include <microhttpd.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_MAX_US (10 * US_PER_S)
#define REPLY_MAX_US (60 * US_PER_S)
#define REFUSED_DRAIN_US US_PER_S
#define REFUSED_DRAIN_BYTES ((size_t)1 << 20)
#define ABSORB_BYTES ((size_t)64 << 10)
#define KEEP_ALIVE_S 30u
#define CONNECTION_MEMORY_BYTES \
    ((size_t)40 << 10) /* cleared for each request: no larger than needed */
#define CONNECTIONS_MAX 2048u
#define THREAD_STACK_BYTES ((size_t)256 << 10)
#define RAW_THREADS 2u

enum { EMPTY_200, EMPTY_401, EMPTY_503, EMPTY_COUNT };
static const int EMPTY_STATUS[EMPTY_COUNT] = { 200, 401, 503 };

struct http_server {
    struct http_server_cfg cfg;
    struct MHD_Daemon *daemon;
    struct http_pool *pool;
    struct http_watch *watch;
    struct http_rate *rate; /* NULL = no limit */
    struct MHD_Response *empty[EMPTY_COUNT];
    char *name;
    char id_prefix[20];
    atomic_uint id_next;
    atomic_int calls; /* requests between first line and last byte */
    atomic_bool stopping;
    bool known_layout;
    int port;
};

int http_server_port(const struct http_server *s)
{
    return s->port;
}

/* ---- answers ------------------------------------------------------------------------------------- */

struct cut_body { /* an answer that breaks off (sandbox faults) */
    struct buf body;
    size_t cut_at;
};

static ssize_t cut_read(void *cls, uint64_t pos, char *out, size_t max)
{
    struct cut_body *cut = cls;
    size_t left = pos < cut->cut_at ? cut->cut_at - (size_t)pos : 0;

    if (left == 0)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (left > max)
        left = max;
    memcpy(out, cut->body.data + pos, left);
    return (ssize_t)left;
}

static void cut_free(void *cls)
{
    struct cut_body *cut = cls;

    buf_done(&cut->body);
    free(cut);
}

static struct MHD_Response *cut_response(struct http_reply *reply)
{
    struct cut_body *cut = calloc(1, sizeof *cut);
    struct MHD_Response *response = NULL;

    if (cut == NULL)
        return NULL;
    cut->body = reply->body;
    buf_init(&reply->body, LIMIT_REPLY_BYTES);
    cut->cut_at = reply->drop_after_bytes < cut->body.len ? reply->drop_after_bytes : cut->body.len;
    response = MHD_create_response_from_callback(cut->body.len, 4096, cut_read, cut, cut_free);
    if (response == NULL)
        cut_free(cut);
    return response;
}

static struct MHD_Response *body_response(struct http_reply *reply)
{
    struct MHD_Response *response = NULL;
    size_t len = reply->body.len;
    char *body = NULL;

    if (reply->drop)
        return cut_response(reply);
    if (len == 0)
        return MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
    body = buf_take(&reply->body);
    if (body == NULL)
        return NULL;
    response = MHD_create_response_from_buffer(len, body, MHD_RESPMEM_MUST_FREE);
    if (response == NULL)
        free(body);
    return response;
}

static void header_default(struct MHD_Response *response, const struct http_reply *reply,
                           const char *name, const char *value)
{
    if (!http_reply_has_header(reply, name))
        (void)MHD_add_response_header(response, name, value);
}

static void headers_add(struct MHD_Response *response, const struct http_call *call)
{
    const struct http_reply *reply = &call->reply;
    bool html = reply->content_type != NULL && str_starts(reply->content_type, "text/html");

    for (int i = 0; i < reply->n_headers; i++)
        (void)MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
    if (reply->content_type != NULL)
        header_default(response, reply, "Content-Type", reply->content_type);
    header_default(response, reply, "X-Request-Id", call->req.id);
    header_default(response, reply, "X-Content-Type-Options", "nosniff");
    header_default(response, reply, "Cache-Control", "no-store");
    header_default(response, reply, "Referrer-Policy", "no-referrer");
    header_default(
        response, reply, "Content-Security-Policy",
        html ? "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
               "base-uri 'none'; frame-ancestors 'none'"
             : "default-src 'none'; frame-ancestors 'none'");
    if (call->close_after || atomic_load(&call->server->stopping))
        (void)MHD_add_response_header(response, "Connection", "close");
}

static enum MHD_Result reply_send(struct http_call *call)
{
    struct http_reply *reply = &call->reply;
    struct MHD_Response *response = NULL;
    enum MHD_Result done = MHD_NO;

    if (reply->drop && reply->drop_after_bytes == 0)
        return MHD_NO;
    call->sent_status = reply->status != 0 ? reply->status : 200;
    response = body_response(reply);
    if (response == NULL)
        return MHD_NO;
    headers_add(response, call);
    http_watch_until(call->conn, REPLY_MAX_US);
    done = MHD_queue_response(call->mhd, (unsigned)call->sent_status, response);
    MHD_destroy_response(response);
    return done;
}

/* The answer of a raw route: no body, and for the usual ones no memory either. */
static enum MHD_Result finish_send(struct http_call *call)
{
    struct http_server *s = call->server;

    call->sent_status = call->finish_status;
    if (!atomic_load(&s->stopping)) {
        for (int i = 0; i < EMPTY_COUNT; i++) {
            if (EMPTY_STATUS[i] == call->finish_status) {
                http_watch_until(call->conn, REPLY_MAX_US);
                return MHD_queue_response(call->mhd, (unsigned)call->finish_status, s->empty[i]);
            }
        }
    }
    call->reply.status = call->finish_status;
    return reply_send(call);
}

/* Refuses while the body is still on its way: the library cannot answer now, so the socket gets it directly, and
 * for a moment what comes is thrown away, or the reset would take the answer with it. */
static enum MHD_Result refuse_on_socket(struct http_call *call)
{
    int status = call->reply.status;

    call->refused = true;
    call->sent_status = status;
    http_watch_until(call->conn, REFUSED_DRAIN_US);
    return http_socket_refuse(http_watch_fd(call->conn), status, call->reply.content_type,
                              call->req.id, &call->reply.body)
               ? MHD_YES
               : MHD_NO;
}

/* A final answer before the body was read. */
static enum MHD_Result refuse(struct http_call *call, int status, const char *text, bool body_comes)
{
    http_call_problem(call, status, text);
    call->close_after = true;
    if (body_comes && http_header(&call->req, "Expect") == NULL)
        return refuse_on_socket(call);
    return reply_send(call);
}

/* ---- requests ------------------------------------------------------------------------------------ */

static enum MHD_Result field_take(void *cls, enum MHD_ValueKind kind, const char *name,
                                  size_t name_len, const char *value, size_t value_len)
{
    struct http_call *call = cls;

    (void)kind;
    if (call->n_fields == LIMIT_HEADER_FIELDS) {
        call->n_fields++; /* one too many: remembered, not kept */
        return MHD_NO;
    }
    call->fields[call->n_fields++] =
        (struct http_field){ .name = name,
                             .name_len = name_len,
                             .value = value != NULL ? value : "",
                             .value_len = value != NULL ? value_len : 0 };
    return MHD_YES;
}

/* 0, or the status to refuse the header with. */
static int header_check(struct http_call *call, const char *method, const char *version,
                        const char **why)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(call->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    size_t size = info != NULL ? info->header_size : LIMIT_HEADER_BYTES + 1;
    struct http_block block = { .version = version,
                                .end = method + size,
                                .known_layout = call->server->known_layout };

    (void)MHD_get_connection_values_n(call->mhd, MHD_HEADER_KIND, field_take, call);
    *why = "header_size";
    if (size > LIMIT_HEADER_BYTES || call->n_fields > LIMIT_HEADER_FIELDS) {
        call->n_fields = 0;
        return 431;
    }
    *why = "request_line";
    if (block.known_layout && (method + strlen(method) + 1 != call->uri_at ||
                               call->uri_at + call->uri_len + 1 != version))
        return 400;
    if (!http_guard_line(method, call->req.path, call->req.query))
        return 400;
    return http_guard_check(call->fields, call->n_fields, &block, why);
}

/* Answers without running a handler; the body, if small, is read and thrown away to keep the connection. */
static enum MHD_Result verdict(struct http_call *call, int status, int64_t body_length)
{
    if (body_length < 0 || body_length > (int64_t)ABSORB_BYTES)
        return refuse(call, status, http_call_verdict_text(status), true);
    http_call_problem(call, status, http_call_verdict_text(status));
    if (status == 401)
        http_reply_header(&call->reply, "WWW-Authenticate",
                          "Bearer realm=\"tiktok-shop-connector\"");
    if (status == 405)
        http_reply_header(&call->reply, "Allow", "%s", call->allow);
    call->answered = true;
    return MHD_YES;
}

static enum MHD_Result call_begin(struct http_call *call, const char *method, const char *version)
{
    struct http_server *s = call->server;
    const char *why = "";
    bool known = http_call_method(call, method);
    int status = header_check(call, method, version, &why);
    int64_t body_length = 0;

    call->started = true;
    if (status != 0) {
        LOG(LOG_WARN, "http", "request refused", LF_S("req", call->req.id), LF_S("reason", why));
        return refuse(call, status, "The request line or its headers are malformed.", false);
    }
    body_length = http_guard_body_length(call->fields, call->n_fields);
    status = http_route_find(&s->cfg, &call->req, known, call->allow, sizeof call->allow);
    if (status != 0)
        return verdict(call, status, body_length);
    status = http_access_check(&s->cfg, &call->req, &call->who, &call->session);
    if (status == 0)
        status = http_call_rate(call, s->rate);
    if (status != 0)
        return verdict(call, status, body_length);
    if (body_length > (int64_t)call->req.route->body_limit_bytes)
        return refuse(call, 413, "The body is larger than this operation accepts.", true);
    buf_init(&call->body, call->req.route->body_limit_bytes + 1);
    return MHD_YES;
}

static enum MHD_Result call_body(struct http_call *call, const char *data, size_t len)
{
    call->body_seen += len;
    if (call->refused)
        return call->body_seen <= REFUSED_DRAIN_BYTES ? MHD_YES : MHD_NO;
    if (call->answered)
        return MHD_YES;
    if (call->body_seen > call->req.route->body_limit_bytes) {
        call->body_seen = 0;
        return refuse(call, 413, "The body is larger than this operation accepts.", true);
    }
    buf_add(&call->body, data, len);
    return MHD_YES;
}

/* Handlers of raw routes run here, on the network thread. */
static enum MHD_Result raw_run(struct http_call *call)
{
    int expected = HTTP_CALL_RUNS;

    (void)http_call_run(call, true);
    if (!call->reply.suspended)
        return reply_send(call);
    if (atomic_load(&call->suspend) == HTTP_CALL_ENDED)
        return finish_send(call);
    MHD_suspend_connection(call->mhd);
    if (!atomic_compare_exchange_strong(&call->suspend, &expected, HTTP_CALL_SUSPENDED))
        MHD_resume_connection(call->mhd); /* ended meanwhile */
    return MHD_YES;
}

static enum MHD_Result call_dispatch(struct http_call *call)
{
    http_watch_until(call->conn, 0);
    call->dispatched = true;
    if (call->body.failed)
        return MHD_NO;
    call->req.body = buf_text(&call->body);
    call->req.body_len = call->body.len;
    if (call->req.route->raw)
        return raw_run(call);
    MHD_suspend_connection(call->mhd);
    if (!http_pool_put(call->server->pool, call)) {
        http_call_problem(call, 503, "Too many requests wait; come again in a second.");
        call->answered = true;
        MHD_resume_connection(call->mhd);
    }
    return MHD_YES;
}

/* On a pool thread: the answer is there. */
static void call_done(struct http_call *call)
{
    call->answered = true;
    MHD_resume_connection(call->mhd);
}

void http_finish(struct http_req *req, int status)
{
    struct http_call *call = req->conn;

    call->finish_status = status;
    if (atomic_exchange(&call->suspend, HTTP_CALL_ENDED) == HTTP_CALL_SUSPENDED)
        MHD_resume_connection(call->mhd);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *mhd, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *data_len, void **con_cls)
{
    struct http_call *call = *con_cls;
    size_t len = *data_len;

    (void)cls;
    (void)mhd;
    (void)url;
    if (call == NULL)
        return MHD_NO;
    if (!call->started)
        return call_begin(call, method, version);
    if (len > 0) {
        *data_len = 0;
        return call_body(call, data, len);
    }
    if (call->refused)
        return MHD_NO;
    if (call->answered)
        return reply_send(call);
    if (!call->dispatched)
        return call_dispatch(call);
    return finish_send(call);
}

/* First sight of a request: its first line as it was sent. */
static void *on_uri(void *cls, const char *uri, struct MHD_Connection *mhd)
{
    struct http_server *s = cls;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct http_call *call = calloc(1, sizeof *call);
    char *question = NULL;

    if (call == NULL || info == NULL || info->socket_context == NULL) {
        free(call);
        return NULL;
    }
    call->uri = str_dup(uri);
    if (call->uri == NULL) {
        free(call);
        return NULL;
    }
    (void)atomic_fetch_add(&s->calls, 1);
    call->server = s;
    call->user = s->cfg.user;
    call->server_name = s->name;
    call->log_it = s->cfg.log_requests;
    call->mhd = mhd;
    call->conn = info->socket_context;
    call->uri_at = uri;
    call->uri_len = strlen(uri);
    call->req.conn = call;
    call->req.started_us = clock_mono_us();
    (void)snprintf(call->req.id, sizeof call->req.id, "%s%08x", s->id_prefix,
                   atomic_fetch_add(&s->id_next, 1));
    str_copy_cut(call->req.peer, sizeof call->req.peer, http_watch_peer(call->conn));
    question = strchr(call->uri, '?');
    call->req.path = call->uri;
    call->req.query = "";
    if (question != NULL) {
        *question = 0;
        call->req.query = question + 1;
    }
    buf_init(&call->body, 1);
    http_reply_init(&call->reply);
    http_watch_begin(call->conn, REQUEST_MAX_US);
    return call;
}

static void on_completed(void *cls, struct MHD_Connection *mhd, void **con_cls,
                         enum MHD_RequestTerminationCode why)
{
    struct http_call *call = *con_cls;
    struct http_server *s = cls;

    (void)mhd;
    (void)why;
    if (call == NULL)
        return;
    *con_cls = NULL;
    http_watch_idle(call->conn);
    http_call_log(call);
    buf_done(&call->body);
    http_reply_done(&call->reply);
    free(call->uri);
    free(call);
    (void)atomic_fetch_sub(&s->calls, 1);
}

static void on_connection(void *cls, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_server *s = cls;

    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        http_watch_remove(s->watch, *context);
        *context = NULL;
        return;
    }
    *context = http_watch_add(
        s->watch, MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd,
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr,
        REQUEST_MAX_US);
}

/* Paths are matched as they were sent; parameters are decoded later. */
static size_t on_unescape(void *cls, struct MHD_Connection *mhd, char *text)
{
    (void)cls;
    (void)mhd;
    return strlen(text);
}

/* ---- start and stop ------------------------------------------------------------------------------ */

static bool empties_make(struct http_server *s)
{
    for (int i = 0; i < EMPTY_COUNT; i++) {
        s->empty[i] =
            MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
        if (s->empty[i] == NULL)
            return false;
        (void)MHD_add_response_header(s->empty[i], "Cache-Control", "no-store");
        if (EMPTY_STATUS[i] == 503)
            (void)MHD_add_response_header(s->empty[i], "Retry-After", "5");
    }
    return true;
}

static void server_free(struct http_server *s)
{
    http_pool_free(s->pool);
    http_watch_free(s->watch);
    http_rate_free(s->rate);
    for (int i = 0; i < EMPTY_COUNT; i++) {
        if (s->empty[i] != NULL)
            MHD_destroy_response(s->empty[i]);
    }
    free(s->name);
    free(s);
}

static struct MHD_Daemon *daemon_start(struct http_server *s, int fd, bool ipv6, unsigned threads)
{
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME;
    struct MHD_OptionItem pool[] = { { MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)threads, NULL },
                                     { MHD_OPTION_END, 0, NULL } };

    if (threads < 2)
        pool[0] = pool[1];
    if (ipv6)
        flags |= MHD_USE_IPv6;
    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, s, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_URI_LOG_CALLBACK, on_uri, s, MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, s,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
        s, MHD_OPTION_CONNECTION_TIMEOUT, KEEP_ALIVE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        CONNECTION_MEMORY_BYTES, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
        MHD_OPTION_THREAD_STACK_SIZE, THREAD_STACK_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_ARRAY, pool, MHD_OPTION_END);
}

static bool has_raw_route(const struct http_server_cfg *cfg)
{
    for (int i = 0; i < cfg->n_routes; i++) {
        if (cfg->routes[i].raw)
            return true;
    }
    return false;
}

const char *http_library_unknown(void)
{
    return strcmp(MHD_get_version(), "0.9.75") == 0 ? NULL : MHD_get_version();
}

enum rc http_server_new(const struct http_server_cfg *cfg, struct http_server **out, struct err *e)
{
    struct http_server *s = calloc(1, sizeof *s);
    unsigned char random[6];
    bool ipv6 = false;
    int fd = -1;
    enum rc rc = RC_OK;

    if (s == NULL)
        return err_set(e, RC_BUG, "out of memory");
    s->cfg = *cfg;
    s->name = str_dup(cfg->name);
    s->known_layout = http_library_unknown() == NULL;
    sign_random(random, sizeof random);
    str_hex(s->id_prefix, random, sizeof random);
    if (cfg->rate_per_second > 0)
        s->rate = http_rate_new(cfg->rate_per_second);
    if (s->name == NULL || !empties_make(s) || (cfg->rate_per_second > 0 && s->rate == NULL)) {
        server_free(s);
        return err_set(e, RC_BUG, "out of memory");
    }
    rc = http_watch_new(&s->watch, e);
    if (rc == RC_OK)
        rc = http_pool_new(cfg->pool_threads > 0 ? cfg->pool_threads : 1, call_done, &s->pool, e);
    if (rc == RC_OK)
        rc = http_socket_listen(cfg->address, &fd, &s->port, &ipv6, e);
    if (rc == RC_OK) {
        s->daemon = daemon_start(s, fd, ipv6, has_raw_route(cfg) ? RAW_THREADS : 1);
        if (s->daemon == NULL) {
            (void)close(fd);
            rc = err_set(e, RC_DOWN, "cannot start the listener on %s", cfg->address);
        }
    }
    if (rc != RC_OK) {
        server_free(s);
        return rc;
    }
    *out = s;
    return RC_OK;
}

void http_server_stop(struct http_server *s, int grace_ms)
{
    int64_t until = clock_mono_us() + (int64_t)grace_ms * US_PER_MS;
    struct timespec pause = { .tv_nsec = 5000000 };
    int fd = -1;

    if (s == NULL)
        return;
    atomic_store(&s->stopping, true);
    fd = MHD_quiesce_daemon(s->daemon);
    if (fd != MHD_INVALID_SOCKET)
        (void)close(fd);
    http_pool_stop(s->pool); /* it stays in place: what still arrives is told to come again */
    while (atomic_load(&s->calls) > 0 && clock_mono_us() < until)
        (void)nanosleep(&pause, NULL);
    MHD_stop_daemon(s->daemon);
    server_free(s);
}
