/* read.c - how fast the connector's reader goes through a feed: `read FILE` reads, picks and hashes every item. */
#include "clock.h"
#include "feed.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define PIECE_BYTES 65536

static enum rc on_item(void *user, const struct feed_raw *raw, struct err *e)
{
    uint64_t part;

    (void)e;
    memcpy(&part, raw->hash, sizeof part);
    *(uint64_t *)user ^= part;
    return RC_OK;
}

int main(int argc, char **argv)
{
    static char piece[PIECE_BYTES];
    struct err e = { 0 };
    uint64_t sum = 0;
    struct feed_opts opts = { .now_us = clock_now_us(), .user = &sum, .item = on_item };
    struct rusage used;
    OWN_FEED struct feed *f = NULL;
    int64_t start = clock_mono_us();
    int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
    enum rc rc = fd < 0 ? err_set(&e, RC_INVALID, "usage: read FILE") : feed_new(&opts, &f, &e);

    for (ssize_t n; rc == RC_OK && (n = read(fd, piece, sizeof piece)) > 0;)
        rc = feed_read(f, piece, (size_t)n, &e);
    if (rc == RC_OK)
        rc = feed_end(f, &e);
    if (rc != RC_OK) {
        fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    getrusage(RUSAGE_SELF, &used);
    printf("%.3f s %lld items sum %016llx rss %.1f MB\n", (double)(clock_mono_us() - start) / 1e6,
           (long long)feed_stats(f).items, (unsigned long long)sum,
           (double)used.ru_maxrss / 1024.0);
    return 0;
}
