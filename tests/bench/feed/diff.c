/* diff.c - how long it takes to find what changed in a feed, through the code that a run uses.
 *   diff prime OLD.xml    stores OLD as the last accepted feed of a measuring shop
 *   diff detect NEW.xml   reads NEW into the database and compares; the shop stays as it was
 * DATABASE_URL names a database that belongs to the measurement alone. */
#include "../../../sync/feed_job.h"

#include "clock.h"
#include "log.h"
#include "str.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#define CLIENT "bench-feed"
#define SHOP "7000000000000000001"

/* Without a lease there is nothing to check. */
enum rc job_tx_begin(struct job_ctx *ctx, const char *name, struct db_tx **out, struct err *e)
{
    return db_tx_begin(ctx->db, name, ctx->job->client_id, out, e);
}

static enum rc sql(struct db_pool *pool, const char *text, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    struct db_args none = { 0 };
    enum rc rc = db_tx_begin(pool, "bench", DB_SYSTEM, &tx, e);

    if (rc == RC_OK)
        rc = db_exec(tx, text, &none, NULL, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc prime(struct db_pool *pool, struct err *e)
{
    enum rc rc = sql(
        pool,
        "INSERT INTO feed_items (shop_id, item_id, client_id, source_id, hash) SELECT shop_id, item_id,"
        " client_id, source_id, hash FROM feed_stage WHERE shop_id = '" SHOP "'",
        e);

    if (rc == RC_OK)
        rc = sql(pool, "ANALYZE feed_items", e);
    return rc;
}

static enum rc go(const char *what, const char *path, struct err *e)
{
    struct job job = { .client_id = CLIENT, .shop_id = SHOP };
    struct job_ctx ctx = { .job = &job };
    struct feed_run r = { .ctx = &ctx, .shop_id = SHOP, .stage = SHOP, .now_us = clock_now_us() };
    struct keyring *ring = NULL;
    struct rusage used;
    int64_t start;
    enum rc rc = keyring_new("k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", &ring, e);

    (void)str_copy(r.client.client_id, sizeof r.client.client_id, CLIENT);
    r.raw_fd = open(path, O_RDONLY);
    if (rc == RC_OK && r.raw_fd < 0)
        rc = err_set(e, RC_INVALID, "%s cannot be read", path);
    if (rc == RC_OK)
        rc = feed_spool_open(&r.items_fd, e);
    if (rc == RC_OK)
        rc = db_pool_new(getenv("DATABASE_URL"), 2, 60000, ring, &ctx.db, e);
    if (rc == RC_OK && str_eq(what, "prime"))
        rc = db_migrate(ctx.db, NULL, e);
    if (rc == RC_OK && str_eq(what, "prime"))
        rc = sql(ctx.db, "DELETE FROM feed_items WHERE shop_id = '" SHOP "'", e);
    start = clock_mono_us();
    if (rc == RC_OK)
        rc = feed_detect(&r, e);
    if (rc != RC_OK)
        return rc;
    getrusage(RUSAGE_SELF, &used);
    printf("%.3f s %lld items %lld products %lld touched %lld removed rss %.1f MB\n",
           (double)(clock_mono_us() - start) / 1e6, (long long)r.now.items, (long long)r.total,
           (long long)r.diff.products_touched, (long long)r.diff.products_removed,
           (double)used.ru_maxrss / 1024.0);
    return str_eq(what, "prime") ? prime(ctx.db, e) : RC_OK;
}

int main(int argc, char **argv)
{
    struct err e = { 0 };

    log_setup(LOG_WARN, false);
    if (argc != 3 || getenv("DATABASE_URL") == NULL) {
        fprintf(stderr, "usage: DATABASE_URL=... diff prime|detect FILE\n");
        return 2;
    }
    if (go(argv[1], argv[2], &e) != RC_OK) {
        fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    return 0;
}
