/* test_http_damage.c - thousands of damaged requests: what a strict reader would not take runs no handler. */
#include "check.h"
#include "http.h"
#include "http_kit.h"
#include "log.h"

#include <stdatomic.h>
#include <strings.h>

static atomic_int handled;

static enum rc echo(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    (void)user;
    (void)req;
    atomic_fetch_add(&handled, 1);
    buf_str(&reply->body, "here");
    reply->content_type = "text/plain";
    return buf_check(&reply->body, e);
}

static const struct http_route ROUTES_HERE[] = {
    { HTTP_GET, "/v1/things/{id}", HTTP_OPEN, 0, echo, "thing", false },
    { HTTP_POST, "/v1/things/{id}", HTTP_OPEN, 1000, echo, "thing_post", false },
};

static bool token_byte(unsigned char c)
{
    return c != 0 && (strchr("!#$%&'*+-.^_`|~", c) != NULL || (c >= '0' && c <= '9') ||
                      (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
}

/* End of the line that starts at `at`, or NULL; the line must end with CR LF and hold no other CR or LF. The one
 * thing that the guard cannot tell from CR LF is NUL LF: both ends are NUL by the time it looks. */
static const char *line_end_of(const char *at, const char *end)
{
    for (const char *p = at; p + 1 < end; p++) {
        if ((p[0] == '\r' || p[0] == 0) && p[1] == '\n')
            return p;
        if (p[0] == '\r' || p[0] == '\n' || p[0] == 0)
            return NULL;
    }
    return NULL;
}

static bool strict_first_line(const char *at, const char *eol)
{
    const char *p = at;

    while (p < eol && token_byte((unsigned char)*p))
        p++;
    if (p == at || p == eol || *p != ' ')
        return false;
    for (p++; p < eol && *p != ' '; p++) {
        if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f)
            return false;
    }
    return eol - p == 9 && (memcmp(p, " HTTP/1.1", 9) == 0 || memcmp(p, " HTTP/1.0", 9) == 0);
}

static bool strict_field(const char *at, const char *eol, int *lengths, long *length)
{
    const char *colon = at;

    while (colon < eol && token_byte((unsigned char)*colon))
        colon++;
    if (colon == at || colon == eol || *colon != ':')
        return false;
    for (const char *p = colon; p < eol; p++) {
        if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f)
            return false;
    }
    if (colon - at == 14 && strncasecmp(at, "Content-Length", 14) == 0) {
        (*lengths)++;
        *length = strtol(colon + 1, NULL, 10);
    }
    return true;
}

/* How many requests of these bytes a strict reader would take. */
static int strict_count(const char *at, const char *end)
{
    int n = 0;

    for (;;) {
        const char *eol = NULL;

        while (at < end && (*at == '\r' || *at == '\n'))
            at++; /* RFC 9112 2.2: empty lines before a request are skipped */
        eol = line_end_of(at, end);
        int lengths = 0;
        long length = 0;

        if (eol == NULL || !strict_first_line(at, eol))
            return n;
        for (at = eol + 2; (eol = line_end_of(at, end)) != at; at = eol + 2) {
            if (eol == NULL || !strict_field(at, eol, &lengths, &length))
                return n;
        }
        at += 2;
        if (lengths > 1 || length < 0 || end - at < length)
            return n;
        at += length;
        n++;
    }
}

static uint32_t dice(uint32_t sides)
{
    static uint64_t state = 88172645463325252;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 33) % sides;
}

static size_t damage(char *text, size_t len)
{
    static const char *const PIECES[] = { "\r",
                                          "\n",
                                          "\r\n",
                                          "\r\n\r\n",
                                          " ",
                                          "\t",
                                          ":",
                                          "\r\n ",
                                          "\x01",
                                          "\x80",
                                          "Content-Length: 3\r\n",
                                          "X",
                                          ";",
                                          "0",
                                          "\r\r",
                                          "\n\n" };
    size_t at = dice((uint32_t)len);

    if (dice(5) == 0) {
        text[at] = 0;
    } else if (dice(3) == 0) {
        memmove(text + at, text + at + 1, len - at - 1);
        len--;
    } else {
        const char *piece = PIECES[dice(sizeof PIECES / sizeof PIECES[0])];
        size_t n = strlen(piece);

        memmove(text + at + n, text + at, len - at);
        memcpy(text + at, piece, n);
        len += n;
    }
    return len;
}

static const char *escaped(const char *text, size_t len)
{
    static char out[2000];
    size_t n = 0;

    for (size_t i = 0; i < len && n + 5 < sizeof out; i++) {
        unsigned char c = (unsigned char)text[i];

        n += (size_t)snprintf(out + n, 5, c < 0x20 || c > 0x7e ? "\\x%02x" : "%c", c);
    }
    return out;
}

static void damaged_requests(void)
{
    static const char BASE[] =
        "POST /v1/things/x HTTP/1.1\r\nHost: h\r\nX-Y: z w\r\nContent-Length: 3\r\n\r\nabc"
        "GET /v1/things/y HTTP/1.1\r\nHost: h\r\nAccept: *\r\n\r\n";
    int ran = 0;

    for (int i = 0; i < 3000; i++) {
        char text[sizeof BASE + 100];
        size_t len = sizeof BASE - 1;
        int before = atomic_load(&handled);
        int limit = 0;
        struct buf in;
        int fd = dial();

        memcpy(text, BASE, len);
        for (uint32_t n = 1 + dice(2); n > 0; n--)
            len = damage(text, len);
        limit = strict_count(text, text + len);
        buf_init(&in, 1 << 20);
        put(fd, text, len);
        (void)shutdown(fd, SHUT_WR);
        (void)read_all(fd, &in, 2000);
        close(fd);
        buf_done(&in);
        ran += atomic_load(&handled) - before;
        CHECK(atomic_load(&handled) - before <= limit, "row %d: %d handled, %d strict, in %s", i,
              atomic_load(&handled) - before, limit, escaped(text, len));
    }
    CHECK(ran > 300, "only %d ran: the test tests nothing", ran);
}

int main(void)
{
    struct http_server_cfg cfg = { .name = "test",
                                   .address = "127.0.0.1:0",
                                   .routes = ROUTES_HERE,
                                   .n_routes = 2,
                                   .pool_threads = 2 };
    struct http_server *server = NULL;
    struct err e = { 0 };

    log_setup(LOG_ERROR + 1, true);
    if (http_server_new(&cfg, &server, &e) != RC_OK) {
        printf("cannot start: %s\n", e.text);
        return EXIT_FAILURE;
    }
    port = http_server_port(server);
    CASE(damaged_requests);
    http_server_stop(server, 2000);
    return CHECK_END();
}
