/* test_http.c - the listener at the raw socket: every row of bad input, and what must still work. */
#include "check.h"
#include "clock.h"
#include "http.h"
#include "http_kit.h"
#include "log.h"
#include "sign.h"
#include "str.h"

#include <pthread.h>
#include <stdatomic.h>

static atomic_int handled;

static enum rc echo(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    char q[64];

    (void)user;
    (void)e;
    atomic_fetch_add(&handled, 1);
    (void)http_query(req, "q", q, sizeof q);
    buf_fmt(&reply->body, "%s|%s|%zu|%s|%s", http_param(req, "id"), q, req->body_len,
            req->principal ? req->principal : "-", req->path);
    reply->content_type = "text/plain";
    return RC_OK;
}

static enum rc twice(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    (void)user;
    (void)e;
    if (req->again < 3) {
        reply->again_ms = 10;
        return RC_OK;
    }
    buf_fmt(&reply->body, "again %d", req->again);
    return RC_OK;
}

static enum rc fails(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    char what[32];

    (void)user;
    (void)reply;
    (void)http_query(req, "what", what, sizeof what);
    if (strcmp(what, "field") == 0)
        return err_field(e, "policies.price", "must be an object");
    if (strcmp(what, "down") == 0)
        return err_set(e, RC_DOWN, "the database is away");
    return err_set(e, RC_BUG, "secret inner words");
}

static void *finisher(void *arg)
{
    http_finish(arg, 200);
    return NULL;
}

static enum rc raw(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    pthread_t t;

    (void)user;
    (void)e;
    if (req->body_len == 3) { /* "now": ended before the handler returns */
        reply->suspended = true;
        http_finish(req, 401);
        return RC_OK;
    }
    reply->suspended = true;
    if (pthread_create(&t, NULL, finisher, req) != 0)
        abort();
    pthread_detach(t);
    return RC_OK;
}

static enum rc cut(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    char n[16];

    (void)user;
    (void)e;
    reply->drop = true;
    if (http_query(req, "n", n, sizeof n))
        reply->drop_after_bytes = (size_t)strtoul(n, NULL, 10);
    buf_str(&reply->body, "0123456789");
    return RC_OK;
}

static const struct http_route ROUTES_HERE[] = {
    { HTTP_GET, "/v1/things", HTTP_OPEN, 0, echo, "things", false },
    { HTTP_GET, "/v1/things/{id}", HTTP_OPEN, 0, echo, "thing", false },
    { HTTP_POST, "/v1/things/{id}", HTTP_OPEN, 1000, echo, "thing_post", false },
    { HTTP_GET, "/v1/read", HTTP_READ, 0, echo, "read", false },
    { HTTP_POST, "/v1/admin", HTTP_ADMIN, 100, echo, "admin", false },
    { HTTP_GET, "/v1/again", HTTP_OPEN, 0, twice, "again", false },
    { HTTP_GET, "/v1/fails", HTTP_OPEN, 0, fails, "fails", false },
    { HTTP_POST, "/raw", HTTP_OPEN, 1 << 20, raw, "raw", true },
    { HTTP_GET, "/cut", HTTP_OPEN, 0, cut, "cut", false },
};

static void good_requests(void)
{
    struct talk t = talk("GET /v1/things/a%20b?q=x%2By+z HTTP/1.1\r\nHost: h\r\n\r\n");

    CHECK_INT(t.status, 200);
    CHECK(strstr(t.text, "a b|x+y z|0|-|/v1/things/a%20b") != NULL, "%s", t.text);
    CHECK(strstr(t.text, "X-Request-Id: ") != NULL);
    CHECK(strstr(t.text, "X-Content-Type-Options: nosniff") != NULL);
    CHECK(strstr(t.text, "Cache-Control: no-store") != NULL);
    CHECK(!t.closed, "keep-alive");
    t = talk("POST /v1/things/x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
    CHECK(strstr(t.text, "x||5|-|") != NULL, "%s", t.text);
    t = talk("POST /v1/things/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
             "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    CHECK(strstr(t.text, "x||5|-|") != NULL, "%s", t.text);
    t = talk("HEAD /v1/things HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK_INT(t.status, 200);
    CHECK(strstr(t.text, "|0|") == NULL, "HEAD has no body");
    t = talk("GET /v1/things HTTP/1.0\r\n\r\n");
    CHECK_INT(t.status, 200);
    CHECK(t.closed, "HTTP/1.0 closes");
    t = talk("GET /v1/again HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(strstr(t.text, "again 3") != NULL, "%s", t.text);
    t = talk(
        "GET /v1/things HTTP/1.1\r\nHost: h\r\nX-Empty:\r\nX-Tab:\tx \t\r\nX-Utf: \xc3\xa3\r\n\r\n");
    CHECK_INT(t.status, 200);
}

static void pipelined_and_kept(void)
{
    struct talk t = talk("GET /v1/things/1 HTTP/1.1\r\nHost: h\r\n\r\n"
                         "POST /v1/things/2 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nxx"
                         "POST /raw HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx"
                         "GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n"
                         "GET /v1/things/3 HTTP/1.1\r\nHost: h\r\n\r\n");
    int answers = 0;

    for (const char *p = t.text; (p = strstr(p, "HTTP/1.1 ")) != NULL; p++)
        answers++;
    CHECK_INT(answers, 5);
    CHECK(strstr(t.text, "1||0|") != NULL && strstr(t.text, "2||2|") != NULL &&
          strstr(t.text, "3||0|") != NULL);
}

static void raw_routes(void)
{
    static const char ONE[] =
        "POST /raw HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx";
    struct talk t = talk("POST /raw HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx");

    CHECK_INT(t.status, 200);
    CHECK(strstr(t.text, "Content-Length: 0") != NULL, "%s", t.text);
    t = talk("POST /raw HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nnow");
    CHECK_INT(t.status, 401);
    for (int i = 0; i < 300; i++) {
        t = talk_len(ONE, sizeof ONE - 1, 2000);
        if (t.status != 200)
            break;
    }
    CHECK_INT(t.status, 200);
}

#define H "GET /v1/things HTTP/1.1\r\nHost: h\r\n"
#define P "POST /v1/things/x HTTP/1.1\r\nHost: h\r\n"
static const struct bad {
    const char *name;
    const char *text;
    size_t len; /* 0 = strlen */
    int status; /* 0 = closed without an answer is fine too */
} BAD[] = {
    { "two lengths", P "Content-Length: 2\r\nContent-Length: 2\r\n\r\nxx", 0, 400 },
    { "two other lengths", P "Content-Length: 2\r\nContent-Length: 3\r\n\r\nxxx", 0, 400 },
    { "length and coding", P "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0,
      400 },
    { "coding and length", P "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n", 0,
      400 },
    { "gzip", P "Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n", 0, 400 },
    { "gzip, chunked", P "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 0, 400 },
    { "identity", P "Transfer-Encoding: identity\r\n\r\n", 0, 400 },
    { "xchunked", P "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 0, 400 },
    { "two codings", P "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      0, 400 },
    { "chunked in 1.0", "POST /v1/things/x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      0, 400 },
    { "signed length", P "Content-Length: +2\r\n\r\nxx", 0, 400 },
    { "minus length", P "Content-Length: -2\r\n\r\nxx", 0, 400 },
    { "hex length", P "Content-Length: 0x2\r\n\r\nxx", 0, 400 },
    { "list length", P "Content-Length: 2, 2\r\n\r\nxx", 0, 400 },
    { "huge length", P "Content-Length: 99999999999999999999999\r\n\r\nxx", 0, 0 },
    { "empty length", P "Content-Length:\r\n\r\n", 0, 400 },
    { "two hosts", H "Host: other\r\n\r\n", 0, 400 },
    { "no host", "GET /v1/things HTTP/1.1\r\n\r\n", 0, 400 },
    { "two authorizations", H "Authorization: a\r\nAuthorization: b\r\n\r\n", 0, 400 },
    { "control byte in value", H "X: a\001b\r\n\r\n", 0, 400 },
    { "DEL in value", H "X: a\177b\r\n\r\n", 0, 400 },
    { "NUL in value", H "X: a\0b\r\n\r\n", sizeof(H "X: a\0b\r\n\r\n") - 1, 400 },
    { "NUL hides a line", H "X: a\0\r\nContent-Length: 5\r\n\r\n",
      sizeof(H "X: a\0\r\nContent-Length: 5\r\n\r\n") - 1, 400 },
    { "NUL in name", H "X\0Y: a\r\n\r\n", sizeof(H "X\0Y: a\r\n\r\n") - 1, 400 },
    { "NULs as line end", H "X: a\0\0Y: b\r\n\r\n", sizeof(H "X: a\0\0Y: b\r\n\r\n") - 1, 400 },
    { "NULs as last line ends", H "X: a\0\0\0\0hidden\r\n\r\n",
      sizeof(H "X: a\0\0\0\0hidden\r\n\r\n") - 1, 400 },
    { "blank before colon", H "X : a\r\n\r\n", 0, 0 },
    { "tab before colon", H "Content-Length\t: 0\r\n\r\n", 0, 0 },
    { "blank in name", H "X Y: a\r\n\r\n", 0, 0 },
    { "bad name", H "X@Y: a\r\n\r\n", 0, 400 },
    { "name with UTF-8", H "X\xc3\xa3: a\r\n\r\n", 0, 400 },
    { "no name", H ": a\r\n\r\n", 0, 400 },
    { "no colon", H "nonsense\r\n\r\n", 0, 0 },
    { "folded line", H "X: a\r\n b\r\n\r\n", 0, 400 },
    { "folded first line", "GET /v1/things HTTP/1.1\r\n X: b\r\nHost: h\r\n\r\n", 0, 400 },
    { "bare CR", H "X: a\rContent-Length: 5\r\n\r\n", 0, 400 },
    { "bare LF", H "X: a\nY: b\r\n\r\n", 0, 400 },
    { "bare LF everywhere", "GET /v1/things HTTP/1.1\nHost: h\n\n", 0, 400 },
    { "bare LF at the end", H "X: a\r\n\n", 0, 400 },
    { "bare LF after the first line", "GET /v1/things HTTP/1.1\nHost: h\r\n\r\n", 0, 400 },
    { "two blanks in the first line", "GET  /v1/things HTTP/1.1\r\nHost: h\r\n\r\n", 0, 0 },
    { "two blanks before the version", "GET /v1/things  HTTP/1.1\r\nHost: h\r\n\r\n", 0, 0 },
    { "tab in the first line", "GET\t/v1/things HTTP/1.1\r\nHost: h\r\n\r\n", 0, 0 },
    { "blank after the version", "GET /v1/things HTTP/1.1 \r\nHost: h\r\n\r\n", 0, 0 },
    { "blank in the path", "GET /v1/things x HTTP/1.1\r\nHost: h\r\n\r\n", 0, 0 },
    { "NUL in the path", "GET /v1/things\0x HTTP/1.1\r\nHost: h\r\n\r\n",
      sizeof("GET /v1/things\0x HTTP/1.1\r\nHost: h\r\n\r\n") - 1, 0 },
    { "no version", "GET /v1/things\r\nHost: h\r\n\r\n", 0, 0 },
    { "HTTP/2.0", "GET /v1/things HTTP/2.0\r\nHost: h\r\n\r\n", 0, 0 },
    { "HTTP/1.2", "GET /v1/things HTTP/1.2\r\nHost: h\r\n\r\n", 0, 0 },
    { "lower-case version", "GET /v1/things http/1.1\r\nHost: h\r\n\r\n", 0, 0 },
    { "bad chunk size", P "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n", 0, 0 },
    { "signed chunk size", P "Transfer-Encoding: chunked\r\n\r\n+3\r\nabc\r\n0\r\n\r\n", 0, 0 },
    { "huge chunk size",
      P "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc\r\n0\r\n\r\n", 0, 0 },
    { "0x chunk size", P "Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n", 0, 0 },
    { "chunk too long for its size", P "Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n", 0,
      0 },
    { "not HTTP", "\x16\x03\x01\x02\x00\x01\x00", 7, 0 },
};

static void bad_rows(void)
{
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        int before = atomic_load(&handled);
        char request[4096];
        size_t len = BAD[i].len != 0 ? BAD[i].len : strlen(BAD[i].text);
        static const char TAIL[] = "GET /v1/things HTTP/1.1\r\nHost: h\r\n\r\n";
        struct talk t;

        memcpy(request, BAD[i].text, len);
        memcpy(request + len, TAIL, sizeof TAIL - 1); /* must never be read */
        t = talk_len(request, len + sizeof TAIL - 1, 400);
        CHECK(t.closed || strcmp(BAD[i].name, "not HTTP") == 0, "%s: left open: %s", BAD[i].name,
              t.text);
        CHECK(BAD[i].status == 0 ? t.status == 0 || t.status >= 400 : t.status == BAD[i].status,
              "%s: got %d: %s", BAD[i].name, t.status, t.text);
        CHECK_INT(atomic_load(&handled), before);
        if (atomic_load(&handled) != before)
            printf("  ^ %s ran a handler\n", BAD[i].name);
    }
}

static void paths(void)
{
    static const struct {
        const char *path;
        int status;
    } ROWS[] = {
        { "/v1/things", 200 },        { "/v1/things/", 404 },         { "/v1//things", 404 },
        { "//v1/things", 404 },       { "/v1/./things", 404 },        { "/v1/../v1/things", 404 },
        { "/v1/things/..", 404 },     { "/v1/things/a%00", 404 },     { "/v1/things/a%2fb", 404 },
        { "/v1/things/a%2Fb", 404 },  { "/v1/things/a;b", 404 },      { "/v1/things/a\\b", 404 },
        { "/v1/things/%2e%2e", 404 }, { "/v1/things/%2e", 404 },      { "/v1/things/a%5cb", 404 },
        { "/v1/things/a%zz", 404 },   { "/v1/things/a%0ab", 404 },    { "/v1/things/%ff", 404 },
        { "/v1/things/%C3%A3", 200 }, { "/%761/things", 404 },        { "/V1/things", 404 },
        { "/v1/things/a#b", 404 },    { "http://h/v1/things", 404 },  { "*", 404 },
        { "/v1/things/a%25b", 200 },  { "/v1/thingsx", 404 },         { "/v1/things?x;y=%00", 200 },
        { "/v1/things/a/b", 404 },    { "/v1/things/\xc3\xa3", 400 },
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        char text[256];
        struct talk t;

        (void)snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
                       ROWS[i].path);
        t = talk_len(text, strlen(text), 2000);
        CHECK(t.status == ROWS[i].status, "%s: got %d, want %d", ROWS[i].path, t.status,
              ROWS[i].status);
    }
}

static void methods(void)
{
    struct talk t = talk("DELETE /v1/things/x HTTP/1.1\r\nHost: h\r\n\r\n");

    CHECK_INT(t.status, 405);
    CHECK(strstr(t.text, "Allow: GET, HEAD, POST") != NULL, "%s", t.text);
    CHECK(strstr(t.text, "\"code\":\"method_not_allowed\"") != NULL, "%s", t.text);
    t = talk("BREW /v1/things/x HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK_INT(t.status, 405);
    t = talk("BREW /nothing HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK_INT(t.status, 404);
    t = talk("get /v1/things HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK_INT(t.status, 405);
}

static void tokens_and_scopes(void)
{
    struct talk t = talk("GET /v1/read HTTP/1.1\r\nHost: h\r\n\r\n");

    CHECK_INT(t.status, 401);
    CHECK(strstr(t.text, "WWW-Authenticate: Bearer") != NULL);
    CHECK(strstr(t.text, "application/problem+json") != NULL);
    t = talk("GET /v1/read HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer wrong\r\n\r\n");
    CHECK_INT(t.status, 401);
    t = talk("GET /v1/read HTTP/1.1\r\nHost: h\r\nAuthorization: Basic reader-token\r\n\r\n");
    CHECK_INT(t.status, 401);
    t = talk("GET /v1/read HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer reader-token\r\n\r\n");
    CHECK_INT(t.status, 200);
    CHECK(strstr(t.text, "|token:reader|") != NULL, "%s", t.text);
    t = talk(
        "POST /v1/admin HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer reader-token\r\nContent-Length: 2\r\n\r\nxx");
    CHECK_INT(t.status, 403);
    t = talk(
        "POST /v1/admin HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer boss-token\r\nContent-Length: 2\r\n\r\nxx");
    CHECK_INT(t.status, 200);
}

static void problems(void)
{
    struct talk t = talk("GET /v1/fails?what=field HTTP/1.1\r\nHost: h\r\n\r\n");

    CHECK_INT(t.status, 400);
    CHECK(strstr(t.text, "\"errors\":[{\"field\":\"policies.price\",\"message\":\"") != NULL, "%s",
          t.text);
    t = talk("GET /v1/fails?what=down HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK_INT(t.status, 503);
    CHECK(strstr(t.text, "Retry-After: ") != NULL && strstr(t.text, "\"retryable\":true") != NULL);
    t = talk("GET /v1/fails HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK_INT(t.status, 500);
    CHECK(strstr(t.text, "secret inner words") == NULL, "%s", t.text);
}

static void bodies_too_large(void)
{
    static char big[200000];
    struct talk t;
    size_t n = 0;
    int64_t started = clock_mono_us();

    n = (size_t)snprintf(big, sizeof big, P "Content-Length: 100000\r\n\r\n");
    memset(big + n, 'x', 100000);
    t = talk_len(big, n + 100000, 2000);
    CHECK_INT(t.status, 413);
    CHECK(t.closed);
    t = talk_len(big, n + 1, 2000); /* announced only */
    CHECK_INT(t.status, 413);
    CHECK(t.closed);
    n = (size_t)snprintf(big, sizeof big, P "Transfer-Encoding: chunked\r\n\r\n1d4c0\r\n");
    memset(big + n, 'x', 120000);
    t = talk_len(big, n + 120000, 2000);
    CHECK_INT(t.status, 413);
    CHECK(t.closed);
    t = talk("GET /v1/things HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx");
    CHECK_INT(t.status, 413);
    t = talk_len(P "Expect: 100-continue\r\nContent-Length: 5000\r\n\r\n",
                 strlen(P "Expect: 100-continue\r\nContent-Length: 5000\r\n\r\n"), 2000);
    CHECK_INT(t.status, 413);
    CHECK(t.closed);
    t = talk(P "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    CHECK_INT(t.status, 100);
    n = (size_t)snprintf(big, sizeof big, P "Content-Length: 1000\r\n\r\n");
    memset(big + n, 'x', 1000);
    t = talk_len(big, n + 1000, 300);
    CHECK_INT(t.status, 200);
    CHECK(clock_mono_us() - started < 12 * US_PER_S);
}

static void headers_too_large(void)
{
    static char big[100000];
    struct talk t;
    size_t n = (size_t)snprintf(big, sizeof big, H "X: ");

    memset(big + n, 'x', 40000);
    (void)snprintf(big + n + 40000, 10, "\r\n\r\n");
    t = talk_len(big, strlen(big), 2000);
    CHECK(t.status == 431 && t.closed, "got %d", t.status);
    memset(big + n, 'x', 30000);
    (void)snprintf(big + n + 30000, 10, "\r\n\r\n");
    t = talk_len(big, strlen(big), 500);
    CHECK_INT(t.status, 200);
    n = (size_t)snprintf(big, sizeof big, H);
    for (int i = 0; i < 99; i++)
        n += (size_t)snprintf(big + n, sizeof big - n, "X-%d: y\r\n", i);
    (void)snprintf(big + n, sizeof big - n, "\r\n");
    t = talk(big);
    CHECK_INT(t.status, 200);
    (void)snprintf(big + n, sizeof big - n, "X-100: y\r\n\r\n");
    t = talk(big);
    CHECK_INT(t.status, 431);
}

static void cut_answers(void)
{
    struct talk t = talk("GET /cut HTTP/1.1\r\nHost: h\r\n\r\n");

    CHECK(t.closed && t.text[0] == 0, "%s", t.text);
    t = talk("GET /cut?n=4 HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(t.closed && strstr(t.text, "Content-Length: 10") != NULL, "%s", t.text);
    CHECK(strlen(t.text) > 4 && strcmp(t.text + strlen(t.text) - 8, "\r\n\r\n0123") == 0, "%s",
          t.text);
}

struct slow {
    const char *first;
    const char *drip;
    int64_t took_us;
    bool closed;
};

static void *slow_thread(void *arg)
{
    struct slow *s = arg;
    int fd = dial();
    int64_t started = clock_mono_us();
    struct buf in;

    buf_init(&in, 1 << 20);
    put(fd, s->first, strlen(s->first));
    while (clock_mono_us() - started < 14 * US_PER_S && !s->closed) {
        s->closed = read_all(fd, &in, 500);
        put(fd, s->drip, strlen(s->drip));
    }
    s->took_us = clock_mono_us() - started;
    buf_done(&in);
    close(fd);
    return NULL;
}

/* A byte now and then does not keep a request alive for more than ten seconds. */
static void slow_requests(void)
{
    struct slow rows[] = {
        { .first = "GET /v1/things HTTP/1.1\r\nHost: h\r\nX: ", .drip = "a" },
        { .first = "GET /v1/th", .drip = "a" },
        { .first = "", .drip = "" },
        { .first = P "Content-Length: 900\r\n\r\n", .drip = "b" },
        { .first = P "Transfer-Encoding: chunked\r\n\r\n", .drip = "1\r\nx\r\n" },
        { .first = "GET /v1/things HTTP/1.1\r\nHost: h\r\n\r\n", .drip = "G" },
        { .first = "GET /v1/things HTTP/1.1\r\nHost: h\r\n\r\n" P "Content-Length: 900\r\n\r\n",
          .drip = "b" },
    };
    pthread_t threads[sizeof rows / sizeof rows[0]];
    size_t n = sizeof rows / sizeof rows[0];

    for (size_t i = 0; i < n; i++) {
        if (pthread_create(&threads[i], NULL, slow_thread, &rows[i]) != 0)
            abort();
    }
    for (size_t i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
        CHECK(rows[i].closed, "row %zu stays open", i);
        CHECK(rows[i].took_us > 9 * US_PER_S && rows[i].took_us < 13 * US_PER_S, "row %zu: %lld us",
              i, (long long)rows[i].took_us);
    }
}

int main(void)
{
    struct cfg_token tokens[2] = {
        { .name = (char *)(uintptr_t) "reader", .scope = CFG_SCOPE_READ },
        { .name = (char *)(uintptr_t) "boss", .scope = CFG_SCOPE_ADMIN }
    };
    struct http_server_cfg cfg = { .name = "test",
                                   .address = "127.0.0.1:0",
                                   .routes = ROUTES_HERE,
                                   .n_routes = (int)(sizeof ROUTES_HERE / sizeof ROUTES_HERE[0]),
                                   .tokens = tokens,
                                   .n_tokens = 2,
                                   .pool_threads = 2,
                                   .log_requests = true };
    struct http_server *server = NULL;
    struct err e = { 0 };
    int64_t started = 0;

    log_setup(getenv("TEST_LOG") != NULL ? LOG_INFO : LOG_ERROR + 1, true);
    sign_sha256("reader-token", 12, tokens[0].digest);
    sign_sha256("boss-token", 10, tokens[1].digest);
    if (http_server_new(&cfg, &server, &e) != RC_OK) {
        printf("cannot start: %s\n", e.text);
        return EXIT_FAILURE;
    }
    port = http_server_port(server);
    CASE(good_requests);
    CASE(pipelined_and_kept);
    CASE(raw_routes);
    CASE(bad_rows);
    CASE(paths);
    CASE(methods);
    CASE(tokens_and_scopes);
    CASE(problems);
    CASE(bodies_too_large);
    CASE(headers_too_large);
    CASE(cut_answers);
    CASE(slow_requests);
    started = clock_mono_us();
    http_server_stop(server, 2000);
    CHECK(clock_mono_us() - started < 2 * US_PER_S);
    return CHECK_END();
}
