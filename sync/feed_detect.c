/* feed_detect.c - reads a downloaded feed and finds which products it changes.
 *
 * One transaction, without calls to anybody: hashes stream into the database while the file is parsed. */
#include "feed_job.h"

#include "clock.h"
#include "fault.h"
#include "feed.h"
#include "jspec.h"
#include "str.h"

#include <unistd.h>

#define PIECE_BYTES 65536
#define SPOOL_BYTES ((size_t)256 << 10)
#define MAP_VERSION 2 /* raise when the mapping changes: every item is then looked at again */
#define SHRINK_PERCENT 50

struct reading {
    struct feed_run *run;
    struct feed_load *load;
    bool old;         /* the older one of two given feeds: only its hashes count */
    struct buf spool; /* not yet written */
    int64_t spooled;  /* bytes written before it */
};

static enum rc spool_flush(struct reading *d, struct err *e)
{
    enum rc rc = feed_spool_write(d->run->items_fd, d->spool.data, d->spool.len, e);

    d->spooled += (int64_t)d->spool.len;
    buf_clear(&d->spool);
    return rc;
}

/* A length, then the item; where it begins is its position. */
static enum rc on_item(void *user, const struct feed_raw *raw, struct err *e)
{
    struct reading *d = user;
    int64_t at = d->spooled + (int64_t)d->spool.len;
    size_t start = d->spool.len;
    uint32_t len = 0;
    enum rc rc;

    if (d->old)
        return db_feed_load_add(d->load, raw->id, raw->source_id, raw->hash, 0, e);
    buf_add(&d->spool, &len, sizeof len);
    rc = feed_raw_write(raw, &d->spool, e);
    if (rc != RC_OK)
        return rc;
    len = (uint32_t)(d->spool.len - start - sizeof len);
    memcpy(d->spool.data + start, &len, sizeof len);
    rc = db_feed_load_add(d->load, raw->id, raw->source_id, raw->hash, at, e);
    if (rc == RC_OK && d->spool.len >= SPOOL_BYTES)
        rc = spool_flush(d, e);
    return rc;
}

static void on_warn(void *user, const char *code, const char *id, int64_t line, const char *text)
{
    struct reading *d = user;
    char shown[256];

    if (json_array_size(d->run->warnings) >= FEED_WARNINGS_KEPT)
        return;
    (void)str_fmt(shown, sizeof shown, "line %lld: %s", (long long)line, text);
    /* A warning lost to a lack of memory is no reason to fail. */
    (void)json_array_append_new(
        d->run->warnings, json_pack("{s:s, s:s, s:s}", "code", code, "id", id, "text", shown));
}

uint64_t feed_seed(const struct client *c)
{
    return (uint64_t)MAP_VERSION << 16 | (uint64_t)c->sku_id_rule << 8 |
           (c->price.from_vtex ? 1U : 0U);
}

static enum rc parse(struct reading *d, struct err *e)
{
    struct feed_run *r = d->run;
    int fd = d->old ? r->old_fd : r->raw_fd;
    struct feed_opts opts = { .charset = r->charset[0] != '\0' ? r->charset : NULL,
                              .now_us = r->now_us,
                              .seed = feed_seed(&r->client),
                              .user = d,
                              .item = on_item,
                              .warn = d->old ? NULL : on_warn };
    OWN_FEED struct feed *f = NULL;
    struct feed_stats stats;
    char piece[PIECE_BYTES];
    ssize_t n = 0;
    enum rc rc = feed_new(&opts, &f, e);

    if (lseek(fd, 0, SEEK_SET) != 0)
        return err_set(e, RC_DOWN, "the temporary file of a feed cannot be read");
    while (rc == RC_OK && (n = read(fd, piece, sizeof piece)) > 0) {
        rc = feed_read(f, piece, (size_t)n, e);
        if (rc == RC_OK && r->ctx->stop != NULL && atomic_load(r->ctx->stop))
            rc = err_set(e, RC_STOPPED, "stopping");
    }
    if (rc == RC_OK && n < 0)
        rc = err_set(e, RC_DOWN, "the temporary file of a feed cannot be read");
    if (rc == RC_OK)
        rc = feed_end(f, e);
    if (rc == RC_OK)
        rc = spool_flush(d, e);
    if (rc != RC_OK)
        return rc;
    stats = feed_stats(f);
    if (d->old) {
        r->old_items = stats.items;
        return RC_OK;
    }
    r->now.items = stats.items;
    r->now.turns_us = stats.turns_us;
    return RC_OK;
}

static bool shrunk(int64_t now, int64_t before)
{
    return now * 100 < before * (100 - SHRINK_PERCENT);
}

/* A feed that lost more than half of its products or of its items (the variants of few products can be most of a
 * shop) is a mistake until a person says otherwise. */
static enum rc floor_check(const struct feed_run *r, struct err *e)
{
    int64_t was_products = r->pair ? r->old_total : r->last.products;
    int64_t was_items = r->pair ? r->old_items : r->last.items;
    bool products = shrunk(r->total, was_products);

    if (r->approved || (!r->pair && !r->last.known) ||
        (!products && !shrunk(r->now.items, was_items)))
        return RC_OK;
    return err_code(e, RC_INVALID, "feed_shrunk",
                    "the feed has %lld %s, the %s one had %lld: nothing was changed",
                    (long long)(products ? r->total : r->now.items),
                    products ? "products" : "items", r->pair ? "older" : "last accepted",
                    (long long)(products ? was_products : was_items));
}

static enum rc warnings_write(struct db_tx *tx, const struct feed_run *r, struct err *e)
{
    const json_t *w;
    size_t i;

    if (r->run.id[0] == '\0')
        return RC_OK;
    json_array_foreach(r->warnings, i, w)
    {
        enum rc rc =
            db_run_change(tx, r->client.client_id, r->run.id, "product", jspec_text(w, "id"), NULL,
                          jspec_text(w, "code"), NULL, jspec_text(w, "text"), "none", "warning", e);
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

/* Loads one feed into the database; *products counts what it has. */
static enum rc load(struct reading *d, struct db_tx *tx, bool old, int64_t *products, struct err *e)
{
    OWN_FEED_LOAD struct feed_load *load = NULL;
    enum rc rc = db_feed_load_begin(tx, old, &load, e);

    if (rc != RC_OK)
        return rc;
    d->load = load;
    d->old = old;
    rc = parse(d, e);
    return rc == RC_OK ? db_feed_load_end(load, products, e) : rc;
}

/* What was found is to be applied: a run that people see, and a snapshot that is true again only at the end. */
static enum rc found(struct db_tx *tx, struct feed_run *r, struct err *e)
{
    bool any = r->diff.products_touched > 0 || r->diff.products_removed > 0;
    enum rc rc = RC_OK;

    if (r->dry)
        return RC_OK;
    if (any)
        rc = feed_run_open(tx, r, e);
    if (rc == RC_OK && any)
        rc = db_feed_unsettle(tx, r->shop_id, e);
    return rc == RC_OK ? db_feed_run_totals(tx, r->client.client_id, r->shop_id, r->run.id,
                                            r->total, r->diff.products_touched, e)
                       : rc;
}

static enum rc detect(struct reading *d, struct db_tx *tx, struct err *e)
{
    struct feed_run *r = d->run;
    enum rc rc = r->pair ? load(d, tx, true, &r->old_total, e) : RC_OK;

    if (rc == RC_OK)
        rc = load(d, tx, false, &r->total, e);
    if (rc == RC_OK)
        rc = floor_check(r, e);
    if (rc == RC_OK)
        rc = db_feed_diff(tx, r->client.client_id, r->shop_id, r->stage, r->pair, &r->diff, e);
    if (rc == RC_OK)
        rc = found(tx, r, e);
    if (rc == RC_OK)
        rc = warnings_write(tx, r, e);
    return rc;
}

enum rc feed_detect(struct feed_run *r, struct err *e)
{
    struct reading d = { .run = r };
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(r->ctx, "feed_detect", &tx, e);

    if (rc != RC_OK)
        return rc;
    buf_init(&d.spool, SPOOL_BYTES + 2 * LIMIT_FEED_ITEM_BYTES);
    rc = detect(&d, tx, e);
    buf_done(&d.spool);
    r->now.products = r->total;
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc == RC_OK)
        fault_point("feed_staged");
    return rc;
}
