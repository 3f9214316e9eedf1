/* http_watch.c - one thread that ends connections whose request or answer takes too long.
 *
 * The library's own timeout counts silence only, so a client that sends a byte now and then could hold a
 * connection for ever. Between two requests nothing tells us that the next one began; the kernel's count of
 * received bytes does. */
#include "clock.h"
#include "http_int.h"
#include "http_socket.h"
#include "str.h"

#include <arpa/inet.h>
#include <linux/tcp.h>
#include <netinet/in.h>

#define WATCH_TICK_NS 250000000L
#define WATCH_NEXT_REQUEST_US (10 * US_PER_S)
#define WATCH_STACK_BYTES ((size_t)128 << 10)

struct http_conn {
    struct http_conn *prev;
    struct http_conn *next;
    int fd;
    atomic_bool idle;         /* between two requests */
    atomic_llong deadline_us; /* monotonic; 0 = none */
    uint64_t received;        /* bytes when it was first seen idle; 0 = not looked yet */
    char peer[64];
};

struct http_watch {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct http_conn *first;
    bool stopping;
    pthread_t thread;
};

static uint64_t bytes_received(int fd)
{
    struct tcp_info info = { 0 };
    socklen_t len = sizeof info;

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
        return 0;
    return info.tcpi_bytes_received;
}

static void look_at(struct http_conn *conn, int64_t now)
{
    long long deadline = atomic_load(&conn->deadline_us);

    if (deadline != 0) {
        if (deadline <= now)
            (void)shutdown(conn->fd, SHUT_RDWR); /* the library sees the end and closes */
        return;
    }
    if (!atomic_load(&conn->idle)) {
        conn->received = 0;
        return;
    }
    if (conn->received == 0) {
        conn->received = bytes_received(conn->fd);
    } else if (bytes_received(conn->fd) > conn->received) {
        long long none = 0;

        conn->received = 0;
        (void)atomic_compare_exchange_strong(&conn->deadline_us, &none,
                                             now + WATCH_NEXT_REQUEST_US);
    }
}

static void *watch_thread(void *arg)
{
    struct http_watch *w = arg;

    (void)pthread_mutex_lock(&w->lock);
    while (!w->stopping) {
        int64_t now = clock_mono_us();
        struct timespec until;

        for (struct http_conn *c = w->first; c != NULL; c = c->next)
            look_at(c, now);
        if (w->first == NULL) {
            (void)pthread_cond_wait(&w->changed, &w->lock);
            continue;
        }
        until.tv_sec = (now + WATCH_TICK_NS / 1000) / US_PER_S;
        until.tv_nsec = (now + WATCH_TICK_NS / 1000) % US_PER_S * 1000;
        (void)pthread_cond_timedwait(&w->changed, &w->lock, &until);
    }
    (void)pthread_mutex_unlock(&w->lock);
    return NULL;
}

enum rc http_watch_new(struct http_watch **out, struct err *e)
{
    struct http_watch *w = calloc(1, sizeof *w);
    pthread_condattr_t clock;
    pthread_attr_t attr;
    int failed = 0;

    if (w == NULL)
        return err_set(e, RC_BUG, "out of memory");
    (void)pthread_mutex_init(&w->lock, NULL);
    (void)pthread_condattr_init(&clock);
    (void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&w->changed, &clock);
    (void)pthread_condattr_destroy(&clock);
    (void)pthread_attr_init(&attr);
    (void)pthread_attr_setstacksize(&attr, WATCH_STACK_BYTES);
    failed = pthread_create(&w->thread, &attr, watch_thread, w);
    (void)pthread_attr_destroy(&attr);
    if (failed != 0) {
        free(w);
        return err_set(e, RC_DOWN, "cannot start a thread");
    }
    *out = w;
    return RC_OK;
}

void http_watch_free(struct http_watch *w)
{
    if (w == NULL)
        return;
    (void)pthread_mutex_lock(&w->lock);
    w->stopping = true;
    (void)pthread_cond_signal(&w->changed);
    (void)pthread_mutex_unlock(&w->lock);
    (void)pthread_join(w->thread, NULL);
    (void)pthread_cond_destroy(&w->changed);
    (void)pthread_mutex_destroy(&w->lock);
    free(w);
}

static void peer_write(struct http_conn *conn, const struct sockaddr *peer)
{
    const void *bytes = NULL;

    if (peer == NULL)
        return;
    if (peer->sa_family == AF_INET)
        bytes = &((const struct sockaddr_in *)(const void *)peer)->sin_addr;
    else if (peer->sa_family == AF_INET6)
        bytes = &((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr;
    if (bytes != NULL && inet_ntop(peer->sa_family, bytes, conn->peer, sizeof conn->peer) == NULL)
        conn->peer[0] = 0;
}

struct http_conn *http_watch_add(struct http_watch *w, int fd, const struct sockaddr *peer,
                                 int64_t request_us)
{
    struct http_conn *conn = calloc(1, sizeof *conn);

    if (conn == NULL)
        return NULL;
    conn->fd = fd;
    peer_write(conn, peer);
    atomic_init(&conn->idle, false);
    atomic_init(&conn->deadline_us, clock_mono_us() + request_us);
    (void)pthread_mutex_lock(&w->lock);
    conn->next = w->first;
    if (w->first != NULL)
        w->first->prev = conn;
    else
        (void)pthread_cond_signal(&w->changed);
    w->first = conn;
    (void)pthread_mutex_unlock(&w->lock);
    return conn;
}

void http_watch_remove(struct http_watch *w, struct http_conn *conn)
{
    if (conn == NULL)
        return;
    (void)pthread_mutex_lock(&w->lock);
    if (conn->prev != NULL)
        conn->prev->next = conn->next;
    else
        w->first = conn->next;
    if (conn->next != NULL)
        conn->next->prev = conn->prev;
    (void)pthread_mutex_unlock(&w->lock);
    free(conn);
}

void http_watch_begin(struct http_conn *conn, int64_t request_us)
{
    long long none = 0;

    atomic_store(&conn->idle, false);
    (void)atomic_compare_exchange_strong(&conn->deadline_us, &none, clock_mono_us() + request_us);
}

void http_watch_until(struct http_conn *conn, int64_t us)
{
    atomic_store(&conn->deadline_us, us == 0 ? 0 : clock_mono_us() + us);
}

void http_watch_idle(struct http_conn *conn)
{
    atomic_store(&conn->deadline_us, 0);
    atomic_store(&conn->idle, true);
}

int http_watch_fd(const struct http_conn *conn)
{
    return conn->fd;
}

const char *http_watch_peer(const struct http_conn *conn)
{
    return conn->peer;
}
