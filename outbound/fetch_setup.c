/* Prepares one transfer (options, callbacks, limits, address policy) and reads its end as an outcome. */
#include "fetch_setup.h"

#include "clock.h"
#include "fetch_address.h"
#include "str.h"

#include <ctype.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT_HEADERS_BYTES ((size_t)64 << 10)
#define LIMIT_REFUSAL_BYTES ((size_t)64 << 10) /* body of an answer that the sink does not get */
#define CONNECT_MS 5000
#define REUSE_IDLE_S 25L
#define USER_AGENT "tiktok-shop-connector/" VERSION

static void watch_silence(struct xfer *x, size_t len)
{
    if (x->window_us == 0)
        x->window_us = clock_mono_us();
    x->window_bytes += (int64_t)len;
}

static bool is_success(const struct xfer *x)
{
    return x->status >= 200 && x->status <= 299;
}

/* The body of an answer, inflated. */
static size_t on_body(char *data, size_t size, size_t n, void *user)
{
    struct xfer *x = user;
    size_t len = size * n;
    long status = 0;
    enum rc rc;

    watch_silence(x, len);
    if (x->status == 0) {
        (void)curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status); /* cannot fail */
        x->status = (int)status;
    }
    x->body_bytes += (int64_t)len;
    if (x->body_bytes > x->limit_bytes) {
        fetch_engine_fail(x, RC_INVALID, "too_large", "the answer is larger than allowed");
        return 0;
    }
    if (x->req->sink == NULL) {
        buf_add(&x->body, data, len);
    } else if (is_success(x)) {
        rc = x->req->sink(x->req->sink_user, data, len, &x->err);
        if (rc != RC_OK)
            x->rc = rc;
        return rc == RC_OK ? len : 0;
    } else if (x->body.len + len <= LIMIT_REFUSAL_BYTES) {
        buf_add(&x->body, data, len);
    }
    if (x->body.failed)
        fetch_engine_fail(x, RC_DOWN, NULL, "no memory for an answer");
    return x->body.failed ? 0 : len;
}

/* One header line; a status line begins a new answer (an interim one came before). */
static size_t on_header(char *data, size_t size, size_t n, void *user)
{
    struct xfer *x = user;
    size_t len = size * n, end = len, colon = 0, from;

    watch_silence(x, len);
    while (end > 0 && (data[end - 1] == '\n' || data[end - 1] == '\r'))
        end--;
    if (end >= 5 && memcmp(data, "HTTP/", 5) == 0) {
        buf_clear(&x->headers);
        x->head_done = false;
        return len;
    }
    x->head_done = x->head_done || end == 0;
    while (colon < end && data[colon] != ':')
        colon++;
    if (colon == end)
        return len;
    for (size_t i = 0; i < colon; i++)
        buf_char(&x->headers, (char)tolower((unsigned char)data[i]));
    buf_str(&x->headers, ": ");
    for (from = colon + 1; from < end && (data[from] == ' ' || data[from] == '\t');)
        from++;
    buf_add(&x->headers, data + from, end - from);
    buf_char(&x->headers, '\n');
    if (x->headers.failed)
        fetch_engine_fail(x, RC_INVALID, "too_large", "the headers of an answer are too large");
    return x->headers.failed ? 0 : len;
}

/* The real address that libcurl is about to connect to, after name resolution. */
static curl_socket_t on_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct xfer *x = user;

    (void)purpose; /* only one kind: connections that we open */
    if (x->check_address && !fetch_address_public(&address->addr)) {
        x->blocked = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Called each time a request is about to go out, on a new or a used connection. libcurl repeats a request by
 * itself when a used connection dies before an answer; a write could then be done twice, so a second sending
 * is let through only when not one byte of the first went out. */
static int on_send(void *user, char *ip, char *local_ip, int port, int local_port)
{
    struct xfer *x = user;
    long sent_bytes = 0;

    (void)local_ip;   /* the other end counts */
    (void)local_port; /* as above */
    (void)port;       /* checked in the URL */
    if (x->check_address && !fetch_address_text_public(ip)) {
        x->blocked = true;
        return CURL_PREREQFUNC_ABORT;
    }
    (void)curl_easy_getinfo(x->easy, CURLINFO_REQUEST_SIZE, &sent_bytes); /* cannot fail */
    if (x->sends > 0 && x->once && sent_bytes > 0) {
        fetch_engine_fail(x, RC_UNSURE, NULL, "the connection was closed without an answer");
        return CURL_PREREQFUNC_ABORT;
    }
    x->sends++;
    return CURL_PREREQFUNC_OK;
}

/* Options that hold for every request. */
static bool set_constants(struct xfer *x)
{
    CURL *c = x->easy;
    bool ok = curl_easy_setopt(c, CURLOPT_PRIVATE, x) == CURLE_OK;

    ok = ok && curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_PROXY, "") == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_TCP_NODELAY, 1L) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_MAXAGE_CONN, REUSE_IDLE_S) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_USERAGENT, USER_AGENT) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_ERRORBUFFER, x->error) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_WRITEDATA, x) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_HEADERDATA, x) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, on_socket) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, x) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_PREREQFUNCTION, on_send) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_PREREQDATA, x) == CURLE_OK;
#ifdef FAULT_POINTS
    /* Test builds alone may trust a certificate of their own. */
    if (getenv("TEST_CA_FILE") != NULL)
        ok = ok && curl_easy_setopt(c, CURLOPT_CAINFO, getenv("TEST_CA_FILE")) == CURLE_OK;
#endif
    return ok;
}

struct xfer *fetch_setup_new(struct fetch *f)
{
    struct xfer *x = calloc(1, sizeof(*x));

    if (x == NULL)
        return NULL;
    x->fetch = f;
    x->easy = curl_easy_init();
    if (x->easy == NULL || sem_init(&x->ended, 0, 0) != 0 || !set_constants(x)) {
        fetch_setup_free(x);
        return NULL;
    }
    buf_init(&x->headers, LIMIT_HEADERS_BYTES);
    return x;
}

void fetch_setup_free(struct xfer *x)
{
    if (x == NULL)
        return;
    if (x->easy != NULL)
        curl_easy_cleanup(x->easy);
    curl_slist_free_all(x->header_list);
    buf_done(&x->body);
    buf_done(&x->headers);
    (void)sem_destroy(&x->ended); /* nobody waits any more */
    free(x);
}

static bool add_header(struct xfer *x, const char *line)
{
    struct curl_slist *longer = curl_slist_append(x->header_list, line);

    if (longer != NULL)
        x->header_list = longer;
    return longer != NULL;
}

static bool set_headers(struct xfer *x, const struct fetch_req *req)
{
    bool has_type = false, ok;

    curl_slist_free_all(x->header_list);
    x->header_list = NULL;
    ok = add_header(x, "Expect:");
    for (int i = 0; i < req->n_headers; i++) {
        if (strncasecmp(req->headers[i], "content-type:", 13) == 0)
            has_type = true;
        ok = ok && add_header(x, req->headers[i]);
    }
    if (!has_type) /* or libcurl would say that the body is a form */
        ok = ok && add_header(x, "Content-Type:");
    return ok && curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->header_list) == CURLE_OK;
}

/* GET and HEAD go without a body, DELETE too unless there is one; the others carry one, empty if need be. */
static bool set_method(struct xfer *x, const struct fetch_req *req)
{
    CURL *c = x->easy;
    bool is_get = str_eq(req->method, "GET"), is_head = str_eq(req->method, "HEAD");
    bool bare = req->body == NULL && (is_get || is_head || str_eq(req->method, "DELETE"));
    bool ok;

    if (bare) {
        ok = curl_easy_setopt(c, CURLOPT_HTTPGET, 1L) == CURLE_OK;
        ok = ok && curl_easy_setopt(c, CURLOPT_NOBODY, is_head ? 1L : 0L) == CURLE_OK;
    } else {
        ok = curl_easy_setopt(c, CURLOPT_NOBODY, 0L) == CURLE_OK;
        ok = ok && curl_easy_setopt(c, CURLOPT_POST, 1L) == CURLE_OK;
        ok = ok && curl_easy_setopt(c, CURLOPT_POSTFIELDS, req->body ? req->body : "") == CURLE_OK;
        ok = ok && curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE,
                                    (curl_off_t)(req->body ? req->body_len : 0)) == CURLE_OK;
    }
    if ((bare && (is_get || is_head)) || (!bare && str_eq(req->method, "POST")))
        return ok && curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, NULL) == CURLE_OK;
    return ok && curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, req->method) == CURLE_OK;
}

/* HTTP/2 is agreed on within TLS. Without TLS there is nothing to wait for, and a request would wait until the
 * first answer on the first connection shows that it is HTTP/1.1. */
static bool set_version(CURL *c, const char *url)
{
    bool tls = str_starts(url, "https:");
    long version = tls ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1;

    return curl_easy_setopt(c, CURLOPT_HTTP_VERSION, version) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_PIPEWAIT, tls ? 1L : 0L) == CURLE_OK;
}

static void reset(struct xfer *x, const struct fetch_req *req)
{
    bool reads = str_eq(req->method, "GET") || str_eq(req->method, "HEAD");

    x->req = req;
    x->stop = req->stop;
    x->check_address = req->policy == FETCH_PUBLIC && !x->fetch->allow_private;
    x->once = req->once || !reads;
    x->waits_answer = req->policy == FETCH_PLATFORM;
    x->limit_bytes =
        req->reply_limit_bytes > 0 ? req->reply_limit_bytes : (int64_t)LIMIT_API_REPLY_BYTES;
    buf_done(&x->body);
    buf_init(&x->body, req->sink ? LIMIT_REFUSAL_BYTES : (size_t)x->limit_bytes);
    buf_clear(&x->headers);
    x->headers.failed = false;
    x->body_bytes = x->window_us = x->window_bytes = 0;
    x->status = x->sends = 0;
    x->blocked = x->head_done = false;
    x->rc = RC_OK;
    x->err = (struct err){ 0 };
    x->error[0] = '\0';
    x->result = CURLE_OK;
}

enum rc fetch_setup_request(struct xfer *x, const struct fetch_req *req, const char *url,
                            int64_t left_ms, struct err *e)
{
    CURL *c = x->easy;
    int64_t connect_ms = req->connect_ms > 0 ? req->connect_ms : CONNECT_MS;
    const char *schemes =
        x->fetch->allow_private || req->policy == FETCH_PLATFORM ? "http,https" : "https";
    bool ok;

    reset(x, req);
    if (connect_ms > left_ms)
        connect_ms = left_ms;
    ok = curl_easy_setopt(c, CURLOPT_URL, url) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, schemes) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms) == CURLE_OK;
    ok = ok && curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)left_ms) == CURLE_OK;
    ok = ok &&
         curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, req->accept_gzip ? "gzip" : NULL) == CURLE_OK;
    ok = ok &&
         curl_easy_setopt(c, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)x->limit_bytes) == CURLE_OK;
    ok = ok && set_version(c, url) && set_method(x, req) && set_headers(x, req);
    return ok ? RC_OK : err_set(e, RC_DOWN, "a request could not be prepared");
}

/* True when bytes of the request may have reached the other side. */
static bool was_sent(const struct xfer *x)
{
    long sent_bytes = 0;

    if (x->sends == 0)
        return false;
    (void)curl_easy_getinfo(x->easy, CURLINFO_REQUEST_SIZE, &sent_bytes); /* cannot fail */
    return !(x->result == CURLE_SEND_ERROR && sent_bytes == 0);
}

enum rc fetch_setup_outcome(const struct xfer *x, const char *host, struct err *e)
{
    bool sent = was_sent(x);

    if (x->rc == RC_STOPPED)
        return err_code(e, RC_STOPPED, sent ? "stopped" : "not_sent", "a request to %s was stopped",
                        host);
    if (x->rc != RC_OK) {
        if (e != NULL)
            *e = x->err;
        return x->rc;
    }
    if (x->result == CURLE_OK && x->head_done)
        return RC_OK;
    if (x->result == CURLE_OK) /* libcurl takes cut headers for all headers */
        return err_set(e, RC_UNSURE, "no complete answer from %s: cut in its headers", host);
    if (x->result == CURLE_FILESIZE_EXCEEDED)
        return err_code(e, RC_INVALID, "too_large", "the answer of %s is larger than allowed",
                        host);
    if (x->blocked)
        return err_code(e, RC_INVALID, "url_blocked", "%s leads to an address that is not public",
                        host);
    if (!sent && (x->result == CURLE_URL_MALFORMAT || x->result == CURLE_UNSUPPORTED_PROTOCOL))
        return err_code(e, RC_INVALID, "url_invalid", "the address of %s cannot be used", host);
    if (sent)
        return err_set(e, RC_UNSURE, "no complete answer from %s: %s", host,
                       curl_easy_strerror(x->result));
    return err_set(e, RC_DOWN, "%s was not reached: %s", host, curl_easy_strerror(x->result));
}
