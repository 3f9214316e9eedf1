/* image_convert.c - starts the converter, gives it the file, takes the picture, and ends it when it takes too long.
 *
 * posix_spawn of a fresh image of ourselves, not a fork of this one: no thread, lock or secret of ours is in it. */
#include "image_convert.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "image_wire.h"

#define LOOK_MS 100 /* how soon a stop is noticed */
#define PLACE_WAIT_MS 30000
#define PLACE_RETRY_US (10 * US_PER_S)
#define LIMIT_PIECE_BYTES 65536

static pthread_mutex_t place_lock = PTHREAD_MUTEX_INITIALIZER;
static int places_taken;

static bool place_try(void)
{
    bool got;

    pthread_mutex_lock(&place_lock);
    got = places_taken < LIMIT_CONVERSIONS;
    places_taken += got;
    pthread_mutex_unlock(&place_lock);
    return got;
}

static void place_give(void)
{
    pthread_mutex_lock(&place_lock);
    places_taken--;
    pthread_mutex_unlock(&place_lock);
}

static bool stopped(const atomic_bool *stop)
{
    return stop != NULL && atomic_load(stop);
}

static enum rc place_take(const atomic_bool *stop, struct err *e)
{
    int64_t until_us = clock_mono_us() + PLACE_WAIT_MS * INT64_C(1000);

    while (!place_try()) {
        if (stopped(stop))
            return err_set(e, RC_STOPPED, "stopping");
        if (clock_mono_us() > until_us) {
            (void)err_code(e, RC_BUSY, "converter_busy", "all picture converters are at work");
            if (e != NULL)
                e->retry_after_us = PLACE_RETRY_US;
            return RC_BUSY;
        }
        (void)poll(NULL, 0, LOOK_MS);
    }
    return RC_OK;
}

/* ---- the process --------------------------------------------------------------------------------- */

static int spawn(int theirs, pid_t *pid)
{
    char name[] = "tiktok-shop-connector";
    char command[] = IMAGE_CONVERT_COMMAND;
    char *const args[] = { name, command, NULL };
    char *const nothing[] = { NULL };
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, all;
    int bad = posix_spawn_file_actions_init(&files);

    if (bad != 0)
        return bad;
    bad = posix_spawnattr_init(&attr);
    if (bad == 0) {
        (void)sigemptyset(&none);
        (void)sigfillset(&all);
        bad |= posix_spawnattr_setsigmask(&attr, &none);
        bad |= posix_spawnattr_setsigdefault(&attr, &all);
        bad |= posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        bad |= posix_spawn_file_actions_adddup2(&files, theirs, STDIN_FILENO);
        bad |= posix_spawn_file_actions_adddup2(&files, theirs, STDOUT_FILENO);
        bad |= posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
        if (bad == 0)
            bad = posix_spawn(pid, "/proc/self/exe", &files, &attr, args, nothing);
        (void)posix_spawnattr_destroy(&attr);
    }
    (void)posix_spawn_file_actions_destroy(&files);
    return bad;
}

/* Kills it if it still runs; it is ours alone, so the wait is short. */
static void reap(pid_t pid)
{
    int status;

    (void)kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
}

/* ---- the talk ------------------------------------------------------------------------------------ */

struct talk {
    int fd;
    const struct convert_order *order;
    const unsigned char *bytes;
    size_t sent; /* of order and bytes together */
    struct buf *reply;
    bool ended;
};

/* What is to be sent next; 0 = all went. */
static size_t rest(const struct talk *t, const void **from)
{
    const size_t head = sizeof(*t->order);

    if (t->sent < head) {
        *from = (const unsigned char *)t->order + t->sent;
        return head - t->sent;
    }
    *from = t->bytes + (t->sent - head);
    return head + (size_t)t->order->bytes - t->sent;
}

static bool waits(ssize_t n)
{
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

/* False when the other side is gone. */
static bool talk_send(struct talk *t)
{
    const void *from;
    size_t left = rest(t, &from);
    ssize_t n = send(t->fd, from, left, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (n < 0)
        return waits(n);
    t->sent += (size_t)n;
    if ((size_t)n == left && rest(t, &from) == 0)
        (void)shutdown(t->fd, SHUT_WR);
    return true;
}

static bool talk_receive(struct talk *t)
{
    char piece[LIMIT_PIECE_BYTES];
    ssize_t n = recv(t->fd, piece, sizeof(piece), MSG_DONTWAIT);

    if (n < 0)
        return waits(n);
    t->ended = n == 0;
    buf_add(t->reply, piece, (size_t)n);
    return !t->reply->failed;
}

/* RC_OK: the other side said all it has to say, or broke off. */
static enum rc talk_run(struct talk *t, const atomic_bool *stop, struct err *e)
{
    int64_t until_us = clock_mono_us() + LIMIT_CONVERT_WALL_MS * INT64_C(1000);
    const void *from;

    while (!t->ended) {
        struct pollfd one = { .fd = t->fd, .events = POLLIN };

        if (stopped(stop))
            return err_set(e, RC_STOPPED, "stopping");
        if (clock_mono_us() > until_us)
            return err_code(e, RC_INVALID, "image_too_costly",
                            "converting the picture takes too long");
        if (rest(t, &from) > 0)
            one.events |= POLLOUT;
        if (poll(&one, 1, LOOK_MS) < 0 && errno != EINTR)
            return err_set(e, RC_BUG, "poll failed");
        if ((one.revents & POLLOUT) != 0 && !talk_send(t))
            return RC_OK;
        if ((one.revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !talk_receive(t))
            return RC_OK;
    }
    return RC_OK;
}

static enum rc answer_read(const struct buf *reply, struct buf *out, struct err *e)
{
    struct convert_answer answer;

    if (reply->len < sizeof(answer)) /* ended by a limit: memory, time or a forbidden call */
        return err_code(e, RC_INVALID, "image_too_costly",
                        "converting the picture takes too much memory or time");
    memcpy(&answer, reply->data, sizeof(answer));
    if (answer.code == CONVERT_NO_LIBRARY)
        return err_code(e, RC_DOWN, "no_converter", "the picture library is not installed");
    if (answer.code == CONVERT_TOO_COSTLY)
        return err_code(e, RC_INVALID, "image_too_costly",
                        "converting the picture takes too much memory");
    if (answer.code != CONVERT_DONE || answer.bytes != reply->len - sizeof(answer))
        return err_code(e, RC_INVALID, "image_damaged", "the picture is damaged");
    buf_add(out, reply->data + sizeof(answer), (size_t)answer.bytes);
    return buf_check(out, e);
}

static enum rc convert(const struct convert_order *order, const void *bytes,
                       const atomic_bool *stop, struct buf *out, struct err *e)
{
    struct buf reply;
    int pair[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return err_set(e, RC_DOWN, "no socket for the picture converter");

    int bad = spawn(pair[1], &pid);

    (void)close(pair[1]);
    if (bad != 0) {
        (void)close(pair[0]);
        return err_set(e, RC_DOWN, "the picture converter cannot be started (%d)", bad);
    }
    buf_init(&reply, LIMIT_IMAGE_UPLOAD_BYTES + sizeof(struct convert_answer));

    struct talk t = { .fd = pair[0], .order = order, .bytes = bytes, .reply = &reply };
    enum rc rc = talk_run(&t, stop, e);

    (void)close(pair[0]);
    reap(pid);
    if (rc == RC_OK)
        rc = answer_read(&reply, out, e);
    buf_done(&reply);
    return rc;
}

enum rc image_convert(const void *bytes, size_t len, const struct image_plan *plan,
                      const atomic_bool *stop, struct buf *out, struct err *e)
{
    const struct convert_order order = { .width = plan->width,
                                         .height = plan->height,
                                         .canvas_width = plan->canvas_width,
                                         .canvas_height = plan->canvas_height,
                                         .bytes = len };

    if (len == 0 || len > LIMIT_CONVERT_INPUT_BYTES)
        return err_code(e, RC_INVALID, "image_too_costly", "the picture file is too large");
    enum rc rc = place_take(stop, e);

    if (rc != RC_OK)
        return rc;
    rc = convert(&order, bytes, stop, out, e);
    place_give();
    return rc;
}
