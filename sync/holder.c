/* sync/holder.c - names of lease holders, which tell a process of this machine that is gone from one that lives. */
#include "engine.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "str.h"

#define HOST_BYTES 48
#define STAT_BYTES 1024

/* When a process began, in ticks since boot: /proc/PID/stat, field 22. -1: there is no such process. */
static int64_t process_start(int64_t pid)
{
    char path[48], text[STAT_BYTES];
    const char *at = NULL;
    size_t n = 0;
    int64_t ticks = -1;
    FILE *f = NULL;

    (void)str_fmt(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    f = fopen(path, "re");
    if (f == NULL)
        return -1;
    n = fread(text, 1, sizeof text - 1, f);
    (void)fclose(f);
    text[n] = '\0';
    /* The second field is a name in parentheses that may hold anything: count from its end. */
    at = strrchr(text, ')');
    for (int field = 2; at != NULL && field < 22; field++) {
        at = strchr(at, ' ');
        at = at == NULL ? NULL : at + 1;
        if (field == 2 && at != NULL && (*at == 'Z' || *at == 'X'))
            return -1; /* killed, and only its parent has not noticed yet */
    }
    if (at != NULL) {
        char number[24];

        str_copy_cut(number, sizeof number, at);
        number[strcspn(number, " ")] = '\0';
        if (!str_to_i64(number, 0, INT64_MAX, &ticks))
            ticks = -1;
    }
    return ticks;
}

/* Two machines may share a name, and the first namespace of process ids has the same number on all of them: the boot
 * tells them apart. */
static void boot_id(char out[16])
{
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
    size_t n = f != NULL ? fread(out, 1, 13, f) : 0;

    if (f != NULL)
        (void)fclose(f); /* read only */
    out[n] = '\0';
}

/* The machine as processes see it: host name, boot, and the namespace of process ids. */
static void machine_name(char out[HOLDER_BYTES])
{
    char host[HOST_BYTES] = "host";
    char space[64];
    char boot[16];
    ssize_t n = readlink("/proc/self/ns/pid", space, sizeof space - 1);

    if (gethostname(host, sizeof host) != 0 || host[0] == '\0')
        (void)str_copy(host, sizeof host, "host");
    host[sizeof host - 1] = '\0';
    for (char *p = host; *p != '\0'; p++)
        if (*p == ':')
            *p = '-';
    space[n > 0 ? n : 0] = '\0';
    for (char *p = space; *p != '\0'; p++)
        if (*p == ':')
            *p = '-';
    boot_id(boot);
    (void)str_fmt(out, HOLDER_BYTES, "%s-%s:%s", host, boot, space);
}

void holder_name(char out[HOLDER_BYTES])
{
    char machine[HOLDER_BYTES];
    unsigned char noise[4];
    char hex[9];

    machine_name(machine);
    sign_random(noise, sizeof noise);
    str_hex(hex, noise, sizeof noise);
    (void)str_fmt(out, HOLDER_BYTES, "%s:%lld:%lld:%s", machine, (long long)getpid(),
                  (long long)process_start(getpid()), hex);
}

bool holder_is_dead(const char *holder)
{
    char machine[HOLDER_BYTES], rest[HOLDER_BYTES];
    char *pid_text = rest, *start_text = NULL, *noise = NULL;
    int64_t pid = 0, start = 0;

    machine_name(machine);
    if (!str_starts(holder, machine) || holder[strlen(machine)] != ':' ||
        !str_copy(rest, sizeof rest, holder + strlen(machine) + 1))
        return false;
    start_text = strchr(pid_text, ':');
    noise = start_text == NULL ? NULL : strchr(start_text + 1, ':');
    if (noise == NULL)
        return false;
    *start_text++ = '\0';
    *noise = '\0';
    if (!str_to_i64(pid_text, 1, INT32_MAX, &pid) || !str_to_i64(start_text, 0, INT64_MAX, &start))
        return false;
    return process_start(pid) != start;
}
