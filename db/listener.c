/* db/listener.c - waits for notifications on a connection of its own, and can be woken by any thread. */
#include "conn.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "own.h"
#include "str.h"

#define LISTENER_STATEMENT_MS 5000

struct db_listener {
    char *url;
    char *channel;
    struct conn conn;
    int wake_fd;
};

static enum rc connect_and_listen(struct db_listener *l, struct err *e)
{
    char *name = NULL;
    char sql[160];
    enum rc rc = conn_open(&l->conn, l->url, LISTENER_STATEMENT_MS, e);

    if (rc != RC_OK)
        return rc;
    name = PQescapeIdentifier(l->conn.pg, l->channel, strlen(l->channel));
    if (name == NULL || !str_fmt(sql, sizeof sql, "LISTEN %s", name))
        rc = err_set(e, RC_BUG, "the name of the channel does not fit");
    else
        rc = conn_simple(&l->conn, sql, LISTENER_STATEMENT_MS, NULL, e);
    PQfreemem(name);
    if (rc != RC_OK)
        conn_close(&l->conn);
    return rc;
}

enum rc db_listener_new(const char *url, const char *channel, struct db_listener **out,
                        struct err *e)
{
    struct db_listener *l = calloc(1, sizeof *l);
    enum rc rc = RC_OK;

    if (l == NULL)
        return err_set(e, RC_DOWN, "out of memory for a listener");
    l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    l->url = str_dup(url);
    l->channel = str_dup(channel);
    if (l->wake_fd < 0 || l->url == NULL || l->channel == NULL)
        rc = err_set(e, RC_DOWN, "no memory or file for a listener");
    else
        rc = connect_and_listen(l, e);
    if (rc != RC_OK) {
        db_listener_free(l);
        return rc;
    }
    *out = l;
    return RC_OK;
}

/* One notification that was received already; false when there is none. */
static bool take(struct db_listener *l, char *payload, size_t cap)
{
    PGnotify *n = PQnotifies(l->conn.pg);

    if (n == NULL)
        return false;
    if (payload != NULL && cap > 0)
        str_copy_cut(payload, cap, n->extra);
    PQfreemem(n);
    return true;
}

static void drain(int fd)
{
    uint64_t n = 0;

    while (read(fd, &n, sizeof n) < 0 && errno == EINTR)
        continue;
}

enum rc db_listener_wait(struct db_listener *l, int timeout_ms, char *payload, size_t cap,
                         struct err *e)
{
    int64_t deadline = clock_mono_us() + timeout_ms * US_PER_MS;

    if (l->conn.pg == NULL) {
        enum rc rc = connect_and_listen(l, e);

        if (rc != RC_OK)
            return rc;
    }
    while (!take(l, payload, cap)) {
        struct pollfd p[2] = { { .fd = PQsocket(l->conn.pg), .events = POLLIN },
                               { .fd = l->wake_fd, .events = POLLIN } };
        int64_t left_ms = (deadline - clock_mono_us() + US_PER_MS - 1) / US_PER_MS;
        int n = poll(p, 2, left_ms < 0 ? 0 : (int)left_ms);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_set(e, RC_BUSY, "nothing was heard");
        if (p[1].revents != 0) {
            drain(l->wake_fd);
            return err_set(e, RC_BUSY, "woken");
        }
        if (PQconsumeInput(l->conn.pg) == 0 || PQstatus(l->conn.pg) != CONNECTION_OK) {
            conn_close(&l->conn);
            return err_code(e, RC_DOWN, "database_away", "the listener's connection was lost");
        }
    }
    return RC_OK;
}

void db_listener_wake(struct db_listener *l)
{
    const uint64_t one = 1;

    /* A full counter means that it is awake already. */
    if (write(l->wake_fd, &one, sizeof one) < 0)
        return;
}

void db_listener_free(struct db_listener *l)
{
    if (l == NULL)
        return;
    conn_close(&l->conn);
    if (l->wake_fd >= 0)
        (void)close(l->wake_fd);
    if (l->url != NULL)
        sign_wipe(l->url, strlen(l->url));
    free(l->url);
    free(l->channel);
    free(l);
}
