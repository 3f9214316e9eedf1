/* feed_job.h - the parts of a feed run, in the order they happen. */
#ifndef SYNC_FEED_JOB_H
#define SYNC_FEED_JOB_H

#include "db_account.h"
#include "db_feed.h"
#include "db_run.h"
#include "db_shelf.h"
#include "sync.h"

#define FEED_WARNINGS_KEPT 100 /* shown with the run; all are counted */

/* Everything one run knows. Made by sync_feed_read. */
struct feed_run {
    struct job_ctx *ctx;
    struct client client;
    struct run run; /* id "" when nobody asked for it */
    bool dry;
    bool approved;               /* a person wants the feed although it lost most products */
    bool changes;                /* asked for as a comparison: only differences count */
    bool pair;                   /* of two given feeds */
    const char *text, *old_text; /* given as XML; borrowed from the run's parameters */
    char old_url[2048];
    int old_fd;                   /* the older one of two given feeds */
    int64_t old_total, old_items; /* its products and items */
    char shop_id[72];
    char stage[80]; /* whose rows of feed_stage are ours */
    char url[2048];
    struct feed_snapshot last; /* accepted before */
    struct feed_snapshot now;  /* being read */
    char charset[32];
    int raw_fd;   /* the file as it was downloaded */
    int items_fd; /* spooled raw items */
    int64_t now_us;
    int64_t total; /* products in the feed */
    struct feed_diff diff;
    struct feed_dry planned;
    json_t *warnings; /* [{"code", "id", "text"}] */
};

/* feed_fetch.c: downloads into raw_fd. RC_OK with *unchanged when the server said so. RC_INVALID with a code:
 * the address or the answer is no good. RC_DOWN: try again. */
enum rc feed_fetch(struct feed_run *r, bool *unchanged, struct err *e);

/* The older one of two given feeds, into old_fd. */
enum rc feed_fetch_old(struct feed_run *r, struct err *e);

/* feed_watch.c: a reading that nobody asked for becomes a run; does nothing when there is one. */
enum rc feed_run_open(struct db_tx *tx, struct feed_run *r, struct err *e);
/* The same for a failure, unless the last reading told the same. */
enum rc feed_run_open_failed(struct db_tx *tx, struct feed_run *r, const char *code, struct err *e);
/* Whether the same file would mean the same as when it was accepted. */
bool feed_is_same(const struct feed_run *r);
/* Ends a reading that found the accepted file again. */
enum rc feed_unchanged(struct feed_run *r, struct err *e);

/* Settings that decide how items are read are part of each hash. */
uint64_t feed_seed(const struct client *c);
/* feed_detect.c: parses raw_fd, spools items, fills feed_stage, sets total, now and diff; commits. RC_INVALID with a
 * code: not a usable feed (feed_shrunk: held). */
enum rc feed_detect(struct feed_run *r, struct err *e);

/* feed_apply.c: applies feed_stage product by product (or, in a dry run, writes what would change), then accepts the
 * feed and completes the run's counters. */
enum rc feed_apply(struct feed_run *r, struct err *e);

struct map_feed;
/* feed_removal.c: products that are missing in two complete feeds are taken off sale, or held for approval (the run is
 * held then). Part of the transaction that accepts the feed. */
enum rc feed_removals(struct db_tx *tx, struct feed_run *r, struct err *e);
/* How many there are for which nobody was asked; 0 when the client keeps them. */
enum rc feed_removals_due(struct db_tx *tx, const struct feed_run *r, struct shelf_missing *m,
                          struct err *e);
/* Whether n removals at once, of so many products on sale, are for a person to decide. */
bool feed_removal_is_large(const struct client *c, int64_t n, int64_t offered);
/* Asks for the job that tells TikTok which products are on and off sale. */
enum rc feed_shelf_ask(struct db_tx *tx, const struct feed_run *r, struct err *e);

/* feed_change.c: what differs between the stored and the new desired product, as rows of sync_run_changes. old NULL:
 * created. map NULL: gone. */
enum rc feed_changes_write(struct db_tx *tx, const struct feed_run *r, const char *source_id,
                           const json_t *old, const struct map_feed *map, struct err *e);

/* feed_refusal.c: what TikTok would refuse, as far as it can be known without asking: rows of the dry run's changes.
 * *refused: the product would not be listed. */
enum rc feed_refusals_write(struct db_tx *tx, const struct feed_run *r, const char *source_id,
                            const struct map_feed *map, bool *refused, struct err *e);

/* feed_spool.c: an unlinked temporary file. */
enum rc feed_spool_open(int *fd, struct err *e);
enum rc feed_spool_write(int fd, const void *data, size_t len, struct err *e);
/* Reads exactly len bytes at an offset. */
enum rc feed_spool_read(int fd, int64_t at, void *data, size_t len, struct err *e);

#endif
