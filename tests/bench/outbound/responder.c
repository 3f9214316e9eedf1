/* A responder as fast as can be: one thread, epoll, HTTP/1.1 keep-alive, one fixed answer for every request. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 4096
#define REQUEST_BYTES 8192

static const char BODY[] =
    "{\"code\":0,\"message\":\"Success\",\"request_id\":\"202203070749000101890810281E8C70B7\",\"data\":{"
    "\"product_id\":\"1729592969712207008\",\"skus\":[{\"id\":\"1729592969712207012\",\"inventory\":[{"
    "\"warehouse_id\":\"7068517275539719942\",\"quantity\":999}]}]}}";
static char answer[1024];
static size_t answer_len;

struct connection {
    char data[REQUEST_BYTES];
    size_t len;
};
static struct connection *connections[CONNECTIONS_MAX];

/* Length of the first complete request in the buffer, 0 when there is none yet. */
static size_t request_len(const struct connection *c)
{
    const char *end = memmem(c->data, c->len, "\r\n\r\n", 4), *length;
    size_t head;

    if (end == NULL)
        return 0;
    head = (size_t)(end - c->data) + 4;
    length = memmem(c->data, head, "ontent-", 7);
    while (length != NULL && strncasecmp(length + 7, "length:", 7) != 0)
        length = memmem(length + 1, head - (size_t)(length + 1 - c->data), "ontent-", 7);
    head += length != NULL ? strtoul(length + 14, NULL, 10) : 0;
    return c->len >= head ? head : 0;
}

static bool serve(int fd)
{
    struct connection *c = connections[fd];
    ssize_t n = recv(fd, c->data + c->len, sizeof(c->data) - c->len, 0);
    size_t used;

    if (n <= 0)
        return false;
    c->len += (size_t)n;
    while ((used = request_len(c)) > 0) {
        if (send(fd, answer, answer_len, MSG_NOSIGNAL) != (ssize_t)answer_len)
            return false;
        memmove(c->data, c->data + used, c->len - used);
        c->len -= used;
    }
    return c->len < sizeof(c->data);
}

static void welcome(int ep, int listener)
{
    struct epoll_event v = { .events = EPOLLIN };
    int one = 1;

    v.data.fd = accept(listener, NULL, NULL);
    if (v.data.fd < 0 || v.data.fd >= CONNECTIONS_MAX)
        exit(1);
    (void)setsockopt(v.data.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    connections[v.data.fd] = calloc(1, sizeof(struct connection));
    if (connections[v.data.fd] == NULL || epoll_ctl(ep, EPOLL_CTL_ADD, v.data.fd, &v) != 0)
        exit(1);
}

int main(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(a);
    int listener = socket(AF_INET, SOCK_STREAM, 0), ep = epoll_create1(0);
    struct epoll_event v = { .events = EPOLLIN, .data.fd = listener }, ready[256];

    answer_len = (size_t)snprintf(answer, sizeof(answer),
                                  "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                                  "Content-Length: %zu\r\n\r\n%s",
                                  sizeof(BODY) - 1, BODY);
    if (bind(listener, (struct sockaddr *)&a, sizeof(a)) != 0 || listen(listener, 1024) != 0 ||
        getsockname(listener, (struct sockaddr *)&a, &len) != 0 ||
        epoll_ctl(ep, EPOLL_CTL_ADD, listener, &v) != 0)
        return 1;
    printf("%d\n", ntohs(a.sin_port));
    fflush(stdout);
    for (;;) {
        int n = epoll_wait(ep, ready, 256, -1);

        for (int i = 0; i < n; i++) {
            if (ready[i].data.fd == listener) {
                welcome(ep, listener);
            } else if (!serve(ready[i].data.fd)) {
                free(connections[ready[i].data.fd]);
                close(ready[i].data.fd);
            }
        }
    }
}
