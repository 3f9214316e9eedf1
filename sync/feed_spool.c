/* feed_spool.c - unlinked temporary files, so that a feed's size costs disk and not memory. */
#include "feed_job.h"

#include "str.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int open_in(const char *dir)
{
    char path[512];
    int fd;

    if (!str_fmt(path, sizeof path, "%s/feed-XXXXXX", dir))
        return -1;
    fd = mkstemp(path);
    if (fd < 0)
        return -1;
    (void)unlink(path); /* gone when it is closed, however that happens */
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fd;
}

enum rc feed_spool_open(int *fd, struct err *e)
{
    const char *const DIRS[] = { getenv("TMPDIR"), "/var/tmp", "/tmp" };

    for (size_t i = 0; i < sizeof DIRS / sizeof DIRS[0]; i++) {
        int made = DIRS[i] != NULL && DIRS[i][0] != '\0' ? open_in(DIRS[i]) : -1;

        if (made >= 0) {
            *fd = made;
            return RC_OK;
        }
    }
    return err_code(e, RC_DOWN, "no_temporary_space",
                    "no temporary file can be made in TMPDIR, /var/tmp or /tmp");
}

enum rc feed_spool_write(int fd, const void *data, size_t len, struct err *e)
{
    const char *p = data;

    while (len > 0) {
        ssize_t n = write(fd, p, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_code(e, RC_DOWN, "no_temporary_space",
                            "the temporary file of a feed cannot be written (%d)", errno);
        p += n;
        len -= (size_t)n;
    }
    return RC_OK;
}

enum rc feed_spool_read(int fd, int64_t at, void *data, size_t len, struct err *e)
{
    char *p = data;

    while (len > 0) {
        ssize_t n = pread(fd, p, len, (off_t)at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_set(e, RC_DOWN, "the temporary file of a feed cannot be read (%d)",
                           n < 0 ? errno : 0);
        p += n;
        at += n;
        len -= (size_t)n;
    }
    return RC_OK;
}
