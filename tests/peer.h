/* peer.h - a small HTTP server for tests: a thread a connection, each answer written by a function. */
#ifndef PEER_H
#define PEER_H

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define PEER_CONNECTIONS_MAX 2048
#define PEER_HEAD_BYTES 16384

struct peer;
struct peer_request {
    char method[16];
    char target[8192];
    char head[PEER_HEAD_BYTES];
    char *body;
    size_t body_len;
    int nth; /* 1 = first of its connection */
};
/* Writes an answer to fd; false closes the connection. */
typedef bool (*peer_fn)(struct peer *p, int fd, const struct peer_request *r);

struct peer {
    int fd, port;
    peer_fn fn;
    void *user;
    atomic_bool stop;
    atomic_int requests, connections, closed;
    pthread_t acceptor;
    pthread_t threads[PEER_CONNECTIONS_MAX];
};

struct peer_connection {
    struct peer *p;
    int fd;
};

/* Waits for input; false when the other side closed or the server stops. */
static inline bool peer_wait(struct peer *p, int fd)
{
    struct pollfd w = { .fd = fd, .events = POLLIN };

    while (!atomic_load(&p->stop)) {
        if (poll(&w, 1, 20) > 0)
            return true;
    }
    return false;
}

/* Holds the connection without a word until the other side leaves or the server stops. */
static inline void peer_hang(struct peer *p, int fd)
{
    char bytes[512];

    while (peer_wait(p, fd) && recv(fd, bytes, sizeof(bytes), 0) > 0)
        continue;
}

static inline void peer_send(int fd, const char *text)
{
    size_t len = strlen(text), at = 0;

    while (at < len) {
        ssize_t n = send(fd, text + at, len - at, MSG_NOSIGNAL);

        if (n <= 0)
            return;
        at += (size_t)n;
    }
}

/* Answers with a complete body; extra: further header lines, each with its line end. */
static inline void peer_answer(int fd, int status, const char *extra, const char *body)
{
    size_t len = strlen(body) + strlen(extra) + 256;
    char *text = malloc(len);

    if (text == NULL)
        return;
    snprintf(
        text, len,
        "HTTP/1.1 %d Answer\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n%s\r\n%s",
        status, strlen(body), extra, body);
    peer_send(fd, text);
    free(text);
}

static inline bool peer_header(const struct peer_request *r, const char *name, char *dst,
                               size_t cap)
{
    size_t len = strlen(name);

    for (const char *line = strstr(r->head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
            size_t from = len + 1 + strspn(line + len + 1, " ");
            size_t n = strcspn(line + from, "\r\n");

            if (n >= cap)
                return false;
            memcpy(dst, line + from, n);
            dst[n] = '\0';
            return true;
        }
    }
    return false;
}

static inline bool peer_read(struct peer *p, int fd, struct peer_request *r)
{
    size_t at = 0;
    char *end = NULL, length[32];

    r->body = NULL;
    r->body_len = 0;
    while (end == NULL) {
        ssize_t n;

        if (at + 1 >= sizeof(r->head) || !peer_wait(p, fd))
            return false;
        n = recv(fd, r->head + at, 1, 0);
        if (n <= 0)
            return false;
        at += (size_t)n;
        r->head[at] = '\0';
        if (at >= 4 && memcmp(r->head + at - 4, "\r\n\r\n", 4) == 0)
            end = r->head + at;
    }
    if (sscanf(r->head, "%15s %8191s", r->method, r->target) != 2)
        return false;
    if (peer_header(r, "content-length", length, sizeof(length)))
        r->body_len = (size_t)strtoul(length, NULL, 10);
    r->body = calloc(1, r->body_len + 1);
    for (at = 0; r->body != NULL && at < r->body_len;) {
        ssize_t n = peer_wait(p, fd) ? recv(fd, r->body + at, r->body_len - at, 0) : 0;

        if (n <= 0)
            return false;
        at += (size_t)n;
    }
    return r->body != NULL;
}

static inline void *peer_serve(void *arg)
{
    struct peer_connection c = *(struct peer_connection *)arg;
    struct peer_request *r = calloc(1, sizeof(*r));
    bool more = r != NULL;

    free(arg);
    for (int nth = 1; more && peer_read(c.p, c.fd, r); nth++) {
        atomic_fetch_add(&c.p->requests, 1);
        r->nth = nth;
        more = c.p->fn(c.p, c.fd, r);
        free(r->body);
        r->body = NULL;
    }
    if (r != NULL)
        free(r->body);
    free(r);
    close(c.fd);
    atomic_fetch_add(&c.p->closed, 1);
    return NULL;
}

static inline void *peer_accept(void *arg)
{
    struct peer *p = arg;

    while (peer_wait(p, p->fd)) {
        int fd = accept(p->fd, NULL, NULL);
        int n = atomic_load(&p->connections);
        struct peer_connection *c = malloc(sizeof(*c));

        if (fd < 0 || c == NULL || n >= PEER_CONNECTIONS_MAX)
            abort();
        *c = (struct peer_connection){ p, fd };
        if (pthread_create(&p->threads[n], NULL, peer_serve, c) != 0)
            abort();
        atomic_store(&p->connections, n + 1);
    }
    return NULL;
}

/* Listens on a free port of loopback; aborts when it cannot. */
static inline void peer_start(struct peer *p, peer_fn fn, void *user)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(a);

    memset(p, 0, sizeof(*p));
    p->fn = fn;
    p->user = user;
    p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (p->fd < 0 || bind(p->fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
        listen(p->fd, 512) != 0 || getsockname(p->fd, (struct sockaddr *)&a, &len) != 0 ||
        pthread_create(&p->acceptor, NULL, peer_accept, p) != 0)
        abort();
    p->port = ntohs(a.sin_port);
}

static inline void peer_stop(struct peer *p)
{
    atomic_store(&p->stop, true);
    pthread_join(p->acceptor, NULL);
    for (int i = 0; i < atomic_load(&p->connections); i++)
        pthread_join(p->threads[i], NULL);
    close(p->fd);
}

#endif
