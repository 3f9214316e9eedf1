/* metrics.c - the counters of the process, in the text format that Prometheus reads. */
#include "metrics.h"

#include "handlers.h"

#include <unistd.h>

/* Resident memory, from the kernel's own count. */
static void memory_note(void)
{
    FILE *f = fopen("/proc/self/statm", "re");
    long pages = 0;

    if (f == NULL)
        return;
    if (fscanf(f, "%*s %ld", &pages) == 1)
        metrics_set("process_resident_memory_bytes", NULL, (int64_t)pages * sysconf(_SC_PAGESIZE));
    (void)fclose(f); /* read only */
}

enum rc metrics_get(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    (void)user;
    (void)req;
    memory_note();
    metrics_write(&reply->body);
    reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
    return buf_check(&reply->body, e);
}
