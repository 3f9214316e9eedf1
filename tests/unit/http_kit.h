/* http_kit.h - talks to a listener over raw sockets. */
#ifndef HTTP_KIT_H
#define HTTP_KIT_H

#include "buf.h"
#include "str.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int port; /* of the listener under test */

static inline int dial(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) != 0)
        abort();
    return fd;
}

static inline void put(int fd, const void *data, size_t len)
{
    (void)!send(fd, data, len, MSG_NOSIGNAL);
}

/* Reads until the other side closes or wait_ms pass in silence; true when it closed. */
static inline bool read_all(int fd, struct buf *out, int wait_ms)
{
    char piece[4096];

    for (;;) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        ssize_t n = 0;

        if (poll(&p, 1, wait_ms) <= 0)
            return false;
        n = recv(fd, piece, sizeof piece, 0);
        if (n <= 0)
            return true;
        buf_add(out, piece, (size_t)n);
    }
}

struct talk {
    char text[8192];
    int status;
    bool closed;
};

static inline struct talk talk_len(const void *data, size_t len, int wait_ms)
{
    struct talk t = { 0 };
    struct buf in;
    int fd = dial();

    buf_init(&in, 1 << 20);
    put(fd, data, len);
    t.closed = read_all(fd, &in, wait_ms);
    close(fd);
    str_copy_cut(t.text, sizeof t.text, buf_text(&in));
    if (strncmp(t.text, "HTTP/1.1 ", 9) == 0)
        t.status = (int)strtol(t.text + 9, NULL, 10);
    buf_done(&in);
    return t;
}

static inline struct talk talk(const char *text)
{
    return talk_len(text, strlen(text), 300);
}

#endif
