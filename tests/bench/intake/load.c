/* load.c - sends signed webhooks over N kept connections, as fast as answers come or at a fixed rate, and prints
 * one JSON line: answers, rate, percentiles of latency in microseconds.
 *
 * At a fixed rate latency counts from the moment the request was due, so that a server that stalls does not hide
 * it by slowing the generator down. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 1024
#define SAMPLES_MAX 8000000

struct wire {
    int fd;
    bool busy;
    int64_t due_ns;
    char in[2048];
    size_t have;
};

struct load {
    const char *app_key, *secret, *run;
    int port, n;
    double seconds, rate;
    struct wire wires[CONNECTIONS_MAX];
    int idle[CONNECTIONS_MAX], n_idle;
    int64_t sent, good, bad;
    uint32_t *us;
};

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int dial(int port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int on = 1;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof at) != 0)
        die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static size_t request_write(const struct load *l, int64_t n, char *out, size_t cap)
{
    char message[1024];
    char hex[65];
    unsigned char mac[32];
    size_t key_len = strlen(l->app_key);
    char *body = message + key_len;
    int body_len = 0;

    memcpy(message, l->app_key, key_len);
    body_len = snprintf(
        body, sizeof message - key_len,
        "{\"type\":1,\"tts_notification_id\":\"%s%lld\",\"shop_id\":\"749404964264244162%lld\","
        "\"timestamp\":1644412885,\"data\":{\"order_id\":\"57648%s%lld\",\"order_status\":"
        "\"AWAITING_SHIPMENT\",\"is_on_hold_order\":false,\"update_time\":1644412885}}",
        l->run, (long long)n, (long long)(n % 10), l->run, (long long)n);
    HMAC(EVP_sha256(), l->secret, (int)strlen(l->secret), (unsigned char *)message,
         key_len + (size_t)body_len, mac, NULL);
    for (int i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", mac[i]);
    return (size_t)snprintf(
        out, cap,
        "POST /tiktok/webhook HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        "Authorization: %s\r\nContent-Length: %d\r\n\r\n%s",
        hex, body_len, body);
}

static void send_next(struct load *l, int w, int64_t due_ns)
{
    char out[2048];
    size_t len = request_write(l, l->sent++, out, sizeof out);

    l->wires[w].busy = true;
    l->wires[w].due_ns = due_ns;
    l->wires[w].have = 0;
    if (send(l->wires[w].fd, out, len, MSG_NOSIGNAL) != (ssize_t)len)
        die("send");
}

/* True when a whole answer is there; counts it. */
static bool answer_read(struct load *l, struct wire *w)
{
    const char *end = NULL;
    const char *length = NULL;
    size_t body = 0;
    ssize_t got = recv(w->fd, w->in + w->have, sizeof w->in - 1 - w->have, MSG_DONTWAIT);

    if (got == 0 || (got < 0 && errno != EAGAIN))
        die("connection lost");
    if (got < 0)
        return false;
    w->have += (size_t)got;
    w->in[w->have] = 0;
    end = strstr(w->in, "\r\n\r\n");
    if (end == NULL)
        return false;
    length = strcasestr(w->in, "\r\ncontent-length:");
    if (length != NULL)
        body = (size_t)strtoul(length + 17, NULL, 10);
    if (w->have < (size_t)(end + 4 - w->in) + body)
        return false;
    if (strncmp(w->in, "HTTP/1.1 200", 12) == 0) {
        if (l->good < SAMPLES_MAX)
            l->us[l->good] = (uint32_t)((now_ns() - w->due_ns) / 1000);
        l->good++;
    } else {
        l->bad++;
    }
    w->busy = false;
    return true;
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static void run(struct load *l)
{
    int ep = epoll_create1(0);
    int64_t start = now_ns();
    int64_t stop = start + (int64_t)(l->seconds * 1e9);
    int64_t due = start;
    int64_t step = l->rate > 0 ? (int64_t)(1e9 / l->rate) : 0;
    int busy = 0;

    for (int i = 0; i < l->n; i++) {
        struct epoll_event ev = { .events = EPOLLIN, .data.u32 = (uint32_t)i };

        l->wires[i].fd = dial(l->port);
        epoll_ctl(ep, EPOLL_CTL_ADD, l->wires[i].fd, &ev);
        l->idle[l->n_idle++] = i;
    }
    for (;;) {
        struct epoll_event events[256];
        int64_t now = now_ns();
        int wait_ms = 1;
        int n = 0;

        while (now < stop && l->n_idle > 0 && (step == 0 || due <= now)) {
            send_next(l, l->idle[--l->n_idle], step == 0 ? now : due);
            due += step;
            busy++;
        }
        if (now >= stop && (busy == 0 || now > stop + 5000000000))
            break;
        if (step == 0 || l->n_idle == 0)
            wait_ms = 100;
        n = epoll_wait(ep, events, 256, wait_ms);
        for (int i = 0; i < n; i++) {
            int w = (int)events[i].data.u32;

            if (l->wires[w].busy && answer_read(l, &l->wires[w])) {
                l->idle[l->n_idle++] = w;
                busy--;
            }
        }
    }
    close(ep);
    {
        double took = (double)(now_ns() - start) / 1e9;
        size_t n = (size_t)(l->good < SAMPLES_MAX ? l->good : SAMPLES_MAX);

        qsort(l->us, n, sizeof *l->us, by_size);
        printf(
            "{\"ok\":%lld,\"bad\":%lld,\"seconds\":%.3f,\"rps\":%.1f,\"p50\":%u,\"p99\":%u,\"max\":%u}\n",
            (long long)l->good, (long long)l->bad, took, (double)l->good / took,
            n ? l->us[n / 2] : 0, n ? l->us[n * 99 / 100] : 0, n ? l->us[n - 1] : 0);
    }
}

int main(int argc, char **argv)
{
    static struct load l;

    if (argc != 8) {
        fprintf(
            stderr,
            "usage: load PORT CONNECTIONS SECONDS RATE(0 = as fast as it goes) APP_KEY SECRET RUN\n");
        return 2;
    }
    l.port = (int)strtol(argv[1], NULL, 10);
    l.n = (int)strtol(argv[2], NULL, 10);
    l.seconds = strtod(argv[3], NULL);
    l.rate = strtod(argv[4], NULL);
    l.app_key = argv[5];
    l.secret = argv[6];
    l.run = argv[7]; /* digits that make the ids of this run new */
    l.us = calloc(SAMPLES_MAX, sizeof *l.us);
    if (l.us == NULL || l.n < 1 || l.n > CONNECTIONS_MAX)
        return 2;
    run(&l);
    return l.bad > 0;
}
