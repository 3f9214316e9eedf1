/* http_socket.c - opens the listening socket, and answers on a socket that the library has given up on. */
#include "http_socket.h"

#include "http.h"

#include "http_int.h"
#include "str.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <unistd.h>

#define LISTEN_BACKLOG 1024

static bool address_split(const char *address, char *host, size_t cap, const char **port)
{
    const char *colon = strrchr(address, ':');
    size_t len = 0;

    if (colon == NULL || colon[1] == 0)
        return false;
    *port = colon + 1;
    if (address[0] == '[') {
        if (colon[-1] != ']')
            return false;
        address++;
        colon--;
    }
    len = (size_t)(colon - address);
    if (len == 0 || len >= cap)
        return false;
    memcpy(host, address, len);
    host[len] = 0;
    return true;
}

static int bound_port(int fd)
{
    struct sockaddr_storage at = { 0 };
    socklen_t len = sizeof at;

    if (getsockname(fd, (struct sockaddr *)&at, &len) != 0)
        return 0;
    return at.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&at)->sin6_port)
                                    : ntohs(((struct sockaddr_in *)&at)->sin_port);
}

static int listen_on(const struct addrinfo *a)
{
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
    int on = 1;

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, a->ai_addr, a->ai_addrlen) != 0 || listen(fd, LISTEN_BACKLOG) != 0) {
        int saved = errno;

        (void)close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

/* *found is freed by the caller, by freeaddrinfo. */
static enum rc address_find(const char *address, struct addrinfo **found, struct err *e)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC,
                              .ai_socktype = SOCK_STREAM,
                              .ai_flags = AI_PASSIVE };
    char host[128];
    const char *service = NULL;

    if (!address_split(address, host, sizeof host, &service))
        return err_set(e, RC_INVALID, "\"%s\" is no host:port", address);
    if (getaddrinfo(host, service, &hints, found) != 0)
        return err_set(e, RC_INVALID, "\"%s\" is no address to listen on", address);
    return RC_OK;
}

enum rc http_address_check(const char *address, struct err *e)
{
    struct addrinfo *found = NULL;
    enum rc rc = address_find(address, &found, e);

    if (rc == RC_OK)
        freeaddrinfo(found);
    return rc;
}

enum rc http_socket_listen(const char *address, int *fd, int *port, bool *ipv6, struct err *e)
{
    struct addrinfo *found = NULL;
    int opened = -1;
    char why[128];
    enum rc rc = address_find(address, &found, e);

    if (rc != RC_OK)
        return rc;
    opened = listen_on(found);
    if (opened < 0) {
        freeaddrinfo(found);
        return err_set(e, RC_DOWN, "cannot listen on %s: %s", address,
                       strerror_r(errno, why, sizeof why) == 0 ? why : "error");
    }
    *ipv6 = found->ai_family == AF_INET6;
    *port = bound_port(opened);
    *fd = opened;
    freeaddrinfo(found);
    return RC_OK;
}

bool http_socket_refuse(int fd, int status, const char *content_type, const char *request_id,
                        const struct buf *body)
{
    struct buf out;
    ssize_t sent = 0;
    bool complete = false;

    buf_init(&out, LIMIT_HEADER_BYTES);
    buf_fmt(&out, "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Length: %zu\r\n", status,
            http_status_text(status), body->len);
    buf_fmt(&out,
            "X-Request-Id: %s\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n",
            request_id);
    if (content_type != NULL)
        buf_fmt(&out, "Content-Type: %s\r\n", content_type);
    buf_str(&out, "\r\n");
    buf_add(&out, body->data, body->len);
    if (!out.failed)
        sent = send(fd, out.data, out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    complete = !out.failed && sent == (ssize_t)out.len;
    buf_done(&out);
    return complete && shutdown(fd, SHUT_WR) == 0;
}
