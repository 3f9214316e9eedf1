/* image_box.c - resource limits and a system call filter for the process that decodes pictures. */
#include "image_box.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "image_convert.h"

/* Sanitizers map terabytes and make calls of their own. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BOX_OPEN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define BOX_OPEN 1
#endif
#endif
#ifndef BOX_OPEN
#define BOX_OPEN 0
#endif

#if defined(__x86_64__)
#define BOX_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define BOX_ARCH AUDIT_ARCH_AARCH64
#endif

static bool limit(__rlimit_resource_t what, rlim_t most)
{
    const struct rlimit r = { most, most };

    return setrlimit(what, &r) == 0;
}

/* Whatever the parent had open without closing it at exec. */
static void close_inherited(void)
{
    const int highest = 4096;

    if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0) == 0)
        return;
    for (int fd = STDERR_FILENO + 1; fd < highest; fd++)
        (void)close(fd);
}

bool image_box_limits(void)
{
    close_inherited();

    bool ok = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;

    ok = prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && ok;
    ok = limit(RLIMIT_CPU, LIMIT_CONVERT_CPU_S) && ok;
    ok = limit(RLIMIT_CORE, 0) && ok;
    ok = limit(RLIMIT_FSIZE, 0) && ok;
    if (!BOX_OPEN)
        ok = limit(RLIMIT_AS, LIMIT_CONVERT_MEMORY_BYTES) && ok;
    return ok;
}

#ifdef BOX_ARCH

#define ALLOW(call)                                        \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static bool filter_calls(void)
{
    static struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, BOX_ARCH, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(read),
        ALLOW(write),
        ALLOW(brk),
        ALLOW(mmap),
        ALLOW(munmap),
        ALLOW(mremap),
        ALLOW(mprotect),
        ALLOW(madvise),
        ALLOW(futex),
        ALLOW(getrandom),
        ALLOW(clock_gettime),
        ALLOW(rt_sigreturn),
        ALLOW(rt_sigprocmask),
        ALLOW(restart_syscall),
        ALLOW(exit),
        ALLOW(exit_group),
        ALLOW(sysinfo), /* qsort asks how much memory there is */
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
    };
    const struct sock_fprog program = { sizeof(rules) / sizeof(rules[0]), rules };

    /* A kernel built without filters answers EINVAL; the limits stand then. */
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0 || errno == EINVAL;
}

#else

static bool filter_calls(void)
{
    return true;
}

#endif

bool image_box_close(void)
{
    bool ok = limit(RLIMIT_NPROC, 0);

    ok = limit(RLIMIT_NOFILE, 0) && ok;
    return ok && (BOX_OPEN || filter_calls());
}
