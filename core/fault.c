/* fault.c - test builds only: kills the process at a named place. */
#include "fault.h"

#ifdef FAULT_POINTS

#include "str.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

void fault_point(const char *name)
{
    static atomic_int passes;
    const char *want = getenv("FAULT_POINT"), *once = getenv("FAULT_ONCE_FILE");
    const char *count = getenv("FAULT_COUNT");
    int64_t nth = 1;

    if (want == NULL || !str_eq(want, name))
        return;
    if (count != NULL && !str_to_i64(count, 1, 1000000, &nth))
        return;
    if (atomic_fetch_add(&passes, 1) + 1 != nth)
        return;
    if (once != NULL) {
        int fd = open(once, O_CREAT | O_EXCL | O_WRONLY, 0600);

        if (fd < 0)
            return;
        (void)close(fd); /* only its existence counts */
    }
    (void)kill(getpid(), SIGKILL);
}

#else

/* ISO C wants something in each translation unit. */
extern int fault_points_are_off;
int fault_points_are_off = 1;

#endif
