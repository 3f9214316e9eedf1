/* The transfer engine against a server that misbehaves at every stage. */
#include "fetch.h"

#include "check.h"
#include "clock.h"
#include "peer.h"
#include "str.h"

#include <zlib.h>

static struct peer server;
static struct fetch *engine, *strict;
static atomic_int seconds_on_a_connection;

static bool answer_gzip(int fd)
{
    static _Thread_local char plain[200000];
    static _Thread_local unsigned char packed[4096];
    z_stream z = { 0 };
    char head[256];

    memset(plain, 'x', sizeof(plain));
    if (deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    z.next_in = (unsigned char *)plain;
    z.avail_in = sizeof(plain);
    z.next_out = packed;
    z.avail_out = sizeof(packed);
    (void)deflate(&z, Z_FINISH);
    snprintf(head, sizeof(head),
             "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %lu\r\n\r\n",
             z.total_out);
    peer_send(fd, head);
    (void)send(fd, packed, z.total_out, MSG_NOSIGNAL);
    (void)deflateEnd(&z);
    return true;
}

static bool answer_slowly(struct peer *p, int fd)
{
    peer_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    for (int i = 0; i < 3000 && !atomic_load(&p->stop); i++) {
        if (send(fd, "y", 1, MSG_NOSIGNAL) != 1)
            break;
        usleep(20000);
    }
    return false;
}

static bool answer_without_end(struct peer *p, int fd)
{
    peer_send(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (!atomic_load(&p->stop) && send(fd, "5\r\nhello\r\n", 10, MSG_NOSIGNAL) == 10)
        continue;
    return false;
}

static bool answer_fault(struct peer *p, int fd, const char *path)
{
    if (str_eq(path, "/close"))
        return false;
    if (str_eq(path, "/cut-head"))
        peer_send(fd, "HTTP/1.1 200 OK\r\nContent-Le");
    else if (str_eq(path, "/cut-length"))
        peer_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"code\":0}");
    else if (str_eq(path, "/cut-chunk"))
        peer_send(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    else if (str_eq(path, "/cut-in-chunk"))
        peer_send(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhello");
    else if (str_eq(path, "/no-http"))
        peer_send(fd, "SSH-2.0-nothing\r\n\r\n");
    else if (str_eq(path, "/claims-much")) {
        peer_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 200001\r\n\r\n{");
        peer_hang(p, fd);
    } else if (str_eq(path, "/hang-body"))
        peer_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello");
    if (strstr(path, "hang") != NULL)
        peer_hang(p, fd);
    if (str_eq(path, "/slow"))
        return answer_slowly(p, fd);
    if (str_eq(path, "/endless"))
        return answer_without_end(p, fd);
    return false;
}

static bool answer_redirect(int fd, const char *path)
{
    const char *to = path + strlen("/to");
    char extra[256];

    snprintf(extra, sizeof(extra), "Location: %s\r\n", *to ? to : "/ok");
    if (str_eq(path, "/to-file"))
        snprintf(extra, sizeof(extra), "Location: file:///etc/passwd\r\n");
    if (str_eq(path, "/to-user"))
        snprintf(extra, sizeof(extra), "Location: http://a:b@127.0.0.1/\r\n");
    if (str_eq(path, "/to-loop"))
        snprintf(extra, sizeof(extra), "Location: to-loop\r\n");
    peer_answer(fd, 302, extra, "moved");
    return true;
}

/* How often the address that a case asks for was asked; others may still be counted late. */
static _Atomic(const char *) counted_path;
static atomic_int counted;

static bool answer(struct peer *p, int fd, const struct peer_request *r)
{
    const char *path = r->target;

    if (str_eq(path, atomic_load(&counted_path)))
        atomic_fetch_add(&counted, 1);
    if (str_eq(path, "/ok")) {
        peer_answer(fd, 200, "Date: Mon, 01 Jun 2026 03:00:00 GMT\r\nX-Tag:  a b \r\n",
                    "{\"a\":1}");
        return true;
    }
    if (str_starts(path, "/to"))
        return answer_redirect(fd, path);
    if (str_eq(path, "/missing")) {
        peer_answer(fd, 404, "", "no such thing");
        return true;
    }
    if (str_eq(path, "/gzip"))
        return answer_gzip(fd);
    if (str_eq(path, "/head")) {
        peer_answer(fd, 200, "", r->head);
        return true;
    }
    if (str_eq(path,
               "/ok-once")) { /* then the used connection dies silently, between two requests */
        peer_answer(fd, 200, "", "{}");
        return false;
    }
    if (str_eq(path, "/second-dies")) { /* the request is read, the connection closed, no answer */
        if (r->nth > 1) {
            atomic_fetch_add(&seconds_on_a_connection, 1);
            return false;
        }
        peer_answer(fd, 200, "", "{}");
        return true;
    }
    return answer_fault(p, fd, path);
}

static const char *url_of(const char *path)
{
    static _Thread_local char url[512];

    snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", server.port, path);
    return url;
}

static enum rc run(const char *method, const char *path, struct fetch_reply *reply, struct err *e)
{
    bool reads = str_eq(method, "GET") || str_eq(method, "HEAD");
    struct fetch_req req = { .method = method, .url = url_of(path), .total_ms = 1500 };

    if (!reads) {
        req.body = "{\"x\":1}";
        req.body_len = 7;
    }
    return fetch_run(engine, &req, reply, e);
}

static void complete_answers(void)
{
    struct fetch_reply reply = { 0 };
    struct err e = { 0 };
    char text[64];

    CHECK_INT(run("GET", "/ok", &reply, &e), RC_OK);
    CHECK_INT(reply.status, 200);
    CHECK_STR(buf_text(&reply.body), "{\"a\":1}");
    CHECK_INT(reply.body_bytes, 7);
    CHECK(fetch_reply_header(&reply, "x-tag", text, sizeof(text)), "x-tag");
    CHECK(fetch_reply_header(&reply, "content-type", text, sizeof(text)), "content-type");
    CHECK_STR(text, "application/json");
    CHECK(!fetch_reply_header(&reply, "x-tag", text, 2), "does not fit");
    CHECK(!fetch_reply_header(&reply, "tag", text, sizeof(text)), "no such header");
    CHECK_INT(reply.date_us, INT64_C(1780282800) * US_PER_S);
    fetch_reply_done(&reply);
    CHECK_INT(run("POST", "/missing", &reply, &e), RC_OK);
    CHECK_INT(reply.status, 404);
    fetch_reply_done(&reply);
}

static void requests_as_asked(void)
{
    static const char *const METHODS[] = { "GET", "POST", "PUT", "DELETE", "PATCH" };
    struct fetch_req req = { .headers = { "X-One: 1" }, .n_headers = 1 };
    struct fetch_reply reply = { 0 };
    struct err e = { 0 };

    setenv("http_proxy", "http://127.0.0.1:1", 1);
    for (size_t i = 0; i < 5; i++) {
        char line[32];

        req.method = METHODS[i];
        req.url = url_of("/head");
        CHECK_INT(fetch_run(engine, &req, &reply, &e), RC_OK);
        snprintf(line, sizeof(line), "%s /head HTTP/1.1\r\n", METHODS[i]);
        CHECK(str_starts(buf_text(&reply.body), line), "%s", buf_text(&reply.body));
        CHECK(strstr(buf_text(&reply.body), "\r\nX-One: 1\r\n") != NULL, "own header");
        CHECK(strstr(buf_text(&reply.body), "\r\nExpect") == NULL, "no Expect");
        CHECK(strstr(buf_text(&reply.body), "Content-Type") == NULL, "no invented type");
        CHECK(strstr(buf_text(&reply.body), "User-Agent: tiktok-shop-connector/") != NULL, "agent");
        CHECK((strstr(buf_text(&reply.body), "Content-Length: 0") != NULL) ==
                  !(i == 0 || str_eq(METHODS[i], "DELETE")),
              "length of nothing with %s", METHODS[i]);
        fetch_reply_done(&reply);
    }
    unsetenv("http_proxy");
    req.method = "DELETE";
    req.body = "{}";
    req.body_len = 2;
    CHECK_INT(fetch_run(engine, &req, &reply, &e), RC_OK);
    CHECK(strstr(buf_text(&reply.body), "Content-Length: 2") != NULL, "DELETE with a body");
    fetch_reply_done(&reply);
}

static void cut_answers_are_unsure(void)
{
    static const char *const PATHS[] = { "/close",        "/cut-head", "/cut-length", "/cut-chunk",
                                         "/cut-in-chunk", "/hang",     "/hang-body",  "/no-http" };

    for (size_t i = 0; i < sizeof(PATHS) / sizeof(PATHS[0]); i++) {
        struct fetch_reply reply = { .status = -1 };
        struct err e = { 0 };
        enum rc rc;

        atomic_store(&counted, 0);
        atomic_store(&counted_path, PATHS[i]);
        rc = run("POST", PATHS[i], &reply, &e);
        CHECK(rc == RC_UNSURE, "%s: %s %s", PATHS[i], rc_name(rc), e.text);
        CHECK_INT(reply.status, -1);
        CHECK_INT(atomic_load(&counted), 1);
    }
    atomic_store(&counted_path, NULL);
}

static void unreached_is_down(void)
{
    static const char *const URLS[] = { "http://127.0.0.1:1/", "http://no-such-host.invalid/" };
    struct fetch_req req = { .method = "POST", .total_ms = 3000, .body = "x", .body_len = 1 };
    struct fetch_reply reply;
    struct err e = { 0 };
    char url[128];
    int before = atomic_load(&server.requests);

    for (size_t i = 0; i < 2; i++) {
        req.url = URLS[i];
        CHECK_INT(fetch_run(engine, &req, &reply, &e), RC_DOWN);
    }
    snprintf(url, sizeof(url), "https://127.0.0.1:%d/hang", server.port);
    req.url = url;
    req.total_ms = 500;
    CHECK_INT(fetch_run(engine, &req, &reply, &e), RC_DOWN); /* no handshake, nothing sent */
    CHECK_INT(atomic_load(&server.requests), before);
}

/* A used connection that dies after the request was read: a write must not go out again by itself. */
static void no_silent_second_write(void)
{
    struct fetch_reply reply = { 0 };
    struct err e = { 0 };
    int before;

    for (int i = 0; i < 2; i++) {
        struct fetch_req req = { .method = "GET", .once = true, .url = url_of("/second-dies") };
        enum rc rc;

        before = atomic_load(&server.requests);
        atomic_store(&seconds_on_a_connection, 0);
        CHECK_INT(run("POST", "/second-dies", &reply, &e), RC_OK);
        fetch_reply_done(&reply);
        rc = i == 0 ? run("POST", "/second-dies", &reply, &e) : fetch_run(engine, &req, &reply, &e);
        CHECK(rc == RC_UNSURE, "%s %s", rc_name(rc), e.text);
        CHECK_INT(atomic_load(&seconds_on_a_connection), 1);
        CHECK_INT(atomic_load(&server.requests) - before, 2);
    }
    /* A read may be repeated. */
    before = atomic_load(&server.requests);
    CHECK_INT(run("GET", "/second-dies", &reply, &e), RC_OK);
    fetch_reply_done(&reply);
    CHECK_INT(run("GET", "/second-dies", &reply, &e), RC_OK);
    fetch_reply_done(&reply);
    CHECK_INT(atomic_load(&server.requests) - before, 3);
}

static void dead_connections_are_not_used(void)
{
    int before = atomic_load(&server.requests);

    for (int i = 0; i < 20; i++) {
        int closed = atomic_load(&server.closed);
        struct fetch_reply reply = { 0 };
        struct err e = { 0 };

        CHECK_INT(run("POST", "/ok-once", &reply, &e), RC_OK);
        fetch_reply_done(&reply);
        while (atomic_load(&server.closed) == closed) /* the next one must find it closed */
            usleep(1000);
    }
    CHECK_INT(atomic_load(&server.requests) - before, 20);
}

static void limits(void)
{
    struct fetch_req req = { .method = "GET",
                             .url = url_of("/endless"),
                             .reply_limit_bytes = 100000 };
    struct fetch_reply reply = { 0 };
    struct err e = { 0 };

    CHECK_INT(fetch_run(engine, &req, &reply, &e), RC_INVALID);
    CHECK_STR(e.code, "too_large");
    req.url = url_of("/gzip");
    req.accept_gzip = true;
    CHECK_INT(fetch_run(engine, &req, &reply, &e), RC_INVALID); /* 200,000 bytes once inflated */
    CHECK_STR(e.code, "too_large");
    req.reply_limit_bytes = 200000;
    CHECK_INT(fetch_run(engine, &req, &reply, &e), RC_OK);
    CHECK_INT(reply.body.len, 200000);
    fetch_reply_done(&reply);
    req.accept_gzip = false;
    CHECK_INT(fetch_run(engine, &req, &reply, &e), RC_OK); /* not asked for: handed over as it is */
    CHECK(reply.body.len < 4096, "%zu", reply.body.len);
    fetch_reply_done(&reply);
    req.url = url_of("/claims-much");
    CHECK_INT(fetch_run(engine, &req, &reply, &e), RC_INVALID);
    CHECK_STR(e.code, "too_large");
    req.url = url_of("/hang");
    req.total_ms = 300;
    CHECK_INT(fetch_run(engine, &req, &reply, &e), RC_UNSURE);
}

struct counter {
    size_t bytes, refuse_after;
};

static enum rc count_sink(void *user, const void *data, size_t len, struct err *e)
{
    struct counter *c = user;

    (void)data;
    c->bytes += len;
    if (c->bytes > c->refuse_after)
        return err_code(e, RC_INVALID, "feed_bad", "enough");
    return RC_OK;
}

static void sinks(void)
{
    struct counter c = { 0, SIZE_MAX };
    struct fetch_req req = { .method = "GET",
                             .url = url_of("/gzip"),
                             .accept_gzip = true,
                             .reply_limit_bytes = INT64_C(1) << 31,
                             .sink = count_sink,
                             .sink_user = &c };
    struct fetch_reply reply = { 0 };
    struct err e = { 0 };

    CHECK_INT(fetch_run(engine, &req, &reply, &e), RC_OK);
    CHECK_INT(c.bytes, 200000);
    CHECK_INT(reply.body_bytes, 200000);
    CHECK_INT(reply.body.len, 0);
    fetch_reply_done(&reply);
    c = (struct counter){ 0, 50000 };
    CHECK_INT(fetch_run(engine, &req, &reply, &e), RC_INVALID);
    CHECK_STR(e.code, "feed_bad");
    c = (struct counter){ 0, SIZE_MAX };
    req.url = url_of("/missing");
    CHECK_INT(fetch_run(engine, &req, &reply, &e), RC_OK);
    CHECK_INT(c.bytes, 0); /* the body of a refusal is not the feed */
    CHECK_STR(buf_text(&reply.body), "no such thing");
    fetch_reply_done(&reply);
}

static void redirects(void)
{
    struct fetch_req req = { .method = "GET", .policy = FETCH_PUBLIC };
    struct fetch_reply reply = { 0 };
    struct err e = { 0 };
    int before;

    req.url = url_of("/to/to/to/ok");
    CHECK_INT(fetch_run(engine, &req, &reply, &e), RC_OK);
    CHECK_INT(reply.status, 200);
    CHECK_STR(reply.final_url, url_of("/ok"));
    fetch_reply_done(&reply);
    before = atomic_load(&server.requests);
    req.url = url_of("/to-loop");
    CHECK_INT(fetch_run(engine, &req, &reply, &e), RC_INVALID);
    CHECK_STR(e.code, "too_many_redirects");
    CHECK_INT(atomic_load(&server.requests) - before, 4);
    req.url = url_of("/to-file");
    CHECK_INT(fetch_run(engine, &req, &reply, &e), RC_INVALID);
    req.url = url_of("/to-user");
    CHECK_INT(fetch_run(engine, &req, &reply, &e), RC_INVALID);
    CHECK_STR(e.code, "url_blocked");
    before = atomic_load(&server.requests);
    req.policy = FETCH_PLATFORM; /* never followed: tokens would travel along */
    req.url = url_of("/to/ok");
    CHECK_INT(fetch_run(engine, &req, &reply, &e), RC_OK);
    CHECK_INT(reply.status, 302);
    CHECK_INT(atomic_load(&server.requests) - before, 1);
    fetch_reply_done(&reply);
}

static void blocked_addresses(void)
{
    static const char *const URLS[] = { "http://1.1.1.1:8080/feed.xml",
                                        "https://127.0.0.1/",
                                        "https://localhost/",
                                        "https://2130706433/",
                                        "https://0x7f.1/",
                                        "https://[::1]/",
                                        "https://[::ffff:10.0.0.1]/",
                                        "https://[64:ff9b::a00:1]/",
                                        "https://169.254.169.254/latest/meta-data",
                                        "https://1.1.1.1:8443/",
                                        "https://user@1.1.1.1/",
                                        "https://user:pass@1.1.1.1/" };
    static const char *const BAD[] = { "ftp://1.1.1.1/", "file:///etc/passwd", "/feed.xml", "",
                                       "https://" };
    struct fetch_req req = { .method = "GET", .policy = FETCH_PUBLIC, .total_ms = 1000 };
    struct fetch_reply reply;
    struct err e = { 0 };

    for (size_t i = 0; i < sizeof(URLS) / sizeof(URLS[0]); i++) {
        enum rc rc;

        req.url = URLS[i];
        rc = fetch_run(strict, &req, &reply, &e);
        CHECK(rc == RC_INVALID && str_eq(e.code, "url_blocked"), "%s: %s %s %s", URLS[i],
              rc_name(rc), e.code, e.text);
    }
    req.url = "http://127.0.0.1/feed.xml"; /* asked for by https, so the scheme is no reason */
    CHECK_INT(fetch_run(strict, &req, &reply, &e), RC_INVALID);
    CHECK(strstr(e.text, "https://") == NULL, "%s", e.text);
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        req.url = BAD[i];
        CHECK(fetch_run(strict, &req, &reply, &e) == RC_INVALID, "%s", BAD[i]);
    }
}

struct stopper {
    atomic_bool stop;
    int64_t set_us;
};

static void *set_stop(void *arg)
{
    struct stopper *s = arg;

    usleep(300000);
    s->set_us = clock_mono_us();
    atomic_store(&s->stop, true);
    return NULL;
}

static void stop_flag(void)
{
    struct stopper s = { 0 };
    struct fetch_req req = { .method = "POST", .url = url_of("/hang"), .stop = &s.stop };
    struct fetch_reply reply;
    struct err e = { 0 };
    pthread_t t;

    pthread_create(&t, NULL, set_stop, &s);
    CHECK_INT(fetch_run(engine, &req, &reply, &e), RC_STOPPED);
    CHECK_STR(e.code, "stopped"); /* it had gone out */
    pthread_join(t, NULL);
    CHECK(clock_mono_us() - s.set_us < 250000, "%lld us", (long long)(clock_mono_us() - s.set_us));
    CHECK_INT(fetch_run(engine, &req, &reply, &e), RC_STOPPED);
    CHECK_STR(e.code, "not_sent");
}

struct silent {
    enum rc rc;
    struct err e;
    int64_t took_us;
};

static void *run_silent(void *arg)
{
    struct silent *s = arg;
    struct fetch_req req = { .method = "GET", .url = url_of("/slow"), .total_ms = 60000 };
    struct fetch_reply reply;
    int64_t from_us = clock_mono_us();

    s->rc = fetch_run(engine, &req, &reply, &s->e);
    s->took_us = clock_mono_us() - from_us;
    return NULL;
}

static pthread_t silent_thread;
static struct silent silent;

static void crawling_answers_end(void)
{
    pthread_join(silent_thread, NULL);
    CHECK_INT(silent.rc, RC_UNSURE);
    CHECK_STR(silent.e.code, "too_slow");
    CHECK(silent.took_us > 14 * US_PER_S && silent.took_us < 18 * US_PER_S, "%lld",
          (long long)silent.took_us);
}

static atomic_int load_good;

static void *load_loop(void *arg)
{
    (void)arg;
    for (int i = 0; i < 50; i++) {
        struct fetch_reply reply = { 0 };
        struct fetch_req req = {
            .method = "POST", .url = url_of("/ok"), .body = "{}", .body_len = 2
        };

        if (fetch_run(engine, &req, &reply, NULL) == RC_OK && reply.status == 200)
            atomic_fetch_add(&load_good, 1);
        fetch_reply_done(&reply);
    }
    return NULL;
}

static void many_at_once(void)
{
    pthread_t t[32];
    int before = atomic_load(&server.requests), connections = atomic_load(&server.connections);

    for (int i = 0; i < 32; i++)
        pthread_create(&t[i], NULL, load_loop, NULL);
    for (int i = 0; i < 32; i++)
        pthread_join(t[i], NULL);
    CHECK_INT(atomic_load(&load_good), 1600);
    CHECK_INT(atomic_load(&server.requests) - before, 1600);
    CHECK(atomic_load(&server.connections) - connections <= 64, "connections are used again");
}

static void *free_strict(void *arg)
{
    (void)arg;
    usleep(200000);
    fetch_free(strict);
    return NULL;
}

static void closing_ends_transfers(void)
{
    struct fetch_req req = { .method = "GET", .url = url_of("/hang") };
    struct fetch_reply reply;
    struct err e = { 0 };
    pthread_t t;

    pthread_create(&t, NULL, free_strict, NULL);
    CHECK_INT(fetch_run(strict, &req, &reply, &e), RC_STOPPED);
    pthread_join(t, NULL);
}

int main(void)
{
    struct err e = { 0 };

    peer_start(&server, answer, NULL);
    if (fetch_new(true, &engine, &e) != RC_OK || fetch_new(false, &strict, &e) != RC_OK)
        return 77;
    pthread_create(&silent_thread, NULL, run_silent, &silent);
    CASE(complete_answers);
    CASE(requests_as_asked);
    CASE(cut_answers_are_unsure);
    CASE(unreached_is_down);
    CASE(no_silent_second_write);
    CASE(dead_connections_are_not_used);
    CASE(limits);
    CASE(sinks);
    CASE(redirects);
    CASE(blocked_addresses);
    CASE(stop_flag);
    CASE(many_at_once);
    CASE(closing_ends_transfers);
    CASE(crawling_answers_end);
    fetch_free(engine);
    peer_stop(&server);
    return CHECK_END();
}
