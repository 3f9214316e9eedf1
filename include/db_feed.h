/* db_feed.h - feeds: the last accepted one, what a new one changes, and how that is applied in small steps.
 *
 * A run reads a new feed into a temporary table, finds the differences to feed_items by one join and keeps the
 * items of all touched products in feed_stage. Then product after product is applied: feed_items changes in the
 * same transaction as the product, so that a run killed anywhere leaves only work that the next one finds again. */
#ifndef DB_FEED_H
#define DB_FEED_H

#include "db.h"

struct feed_snapshot {
    bool known; /* some feed was accepted before */
    char source[2048];
    int64_t generation, items, products, bytes;
    char content_hash[40]; /* uuid text */
    char etag[256];
    char last_modified[64];
    int64_t turns_us; /* when the same file begins to mean something else; 0 = never */
};
/* Of the last accepted feed; known = false when there was none. */
enum rc db_feed_snapshot_get(struct db_tx *tx, const char *shop_id, struct feed_snapshot *out,
                             struct err *e);
/* Accepts a feed as complete (generation + 1) and counts one more feed for each product that is not in it. */
enum rc db_feed_accept(struct db_tx *tx, const char *client_id, const char *shop_id,
                       const struct feed_snapshot *snapshot, struct err *e);

/* Only one job reads a shop's feeds at a time, comparisons in the order of their runs. *mine: it is this one's turn. */
enum rc db_feed_turn(struct db_tx *tx, const char *client_id, const char *shop_id, int64_t job_id,
                     const char *run_id, bool *mine, struct err *e);
/* Asks for the feeds whose time has come: of connected shops of active clients that want it and that had a feed
 * accepted before. A transaction of DB_SYSTEM. */
enum rc db_feed_ask_due(struct db_tx *tx, int64_t *n, struct err *e);
/* Products no longer are what the accepted feed says: the next reading compares whatever the server answers. */
enum rc db_feed_unsettle(struct db_tx *tx, const char *shop_id, struct err *e);
/* One more complete feed does not have what is missing already. */
enum rc db_feed_absent(struct db_tx *tx, const char *shop_id, struct err *e);
/* A job that began without a run goes on with this one, also after its process was killed. */
enum rc db_feed_attach(struct db_tx *tx, const char *shop_id, int64_t job_id, const char *run_id,
                       struct err *e);
/* Whether the last finished reading was one of the clock that ended with the same code. */
enum rc db_feed_known_trouble(struct db_tx *tx, const char *client_id, const char *shop_id,
                              const char *code, bool *known, struct err *e);

/* ---- finding the differences: begin, add each item, end, diff, all in one transaction ---- */

struct feed_load;
/* old: of the older one of two given feeds. */
enum rc db_feed_load_begin(struct db_tx *tx, bool old, struct feed_load **out, struct err *e);
/* position >= 0 is kept for the caller; ids must be unique. */
enum rc db_feed_load_add(struct feed_load *load, const char *item_id, const char *source_id,
                         const unsigned char hash[16], int64_t position, struct err *e);
/* Completes the load; products is the number of different source ids. */
enum rc db_feed_load_end(struct feed_load *load, int64_t *products, struct err *e);
void db_feed_load_free(struct feed_load *load);
static inline void db_feed_load_own(struct feed_load **load)
{
    db_feed_load_free(*load);
}
#define OWN_FEED_LOAD __attribute__((cleanup(db_feed_load_own)))

struct feed_diff {
    int64_t products_touched; /* in the feed: new, changed, or with an item less */
    int64_t products_removed; /* no longer in the feed */
};
/* Compares the loaded feed with feed_items, or with the older one that was loaded too (pair), and fills feed_stage (emptied before). stage: the shop id, or for a dry
 * run, which may go on beside a real one, another name. */
enum rc db_feed_diff(struct db_tx *tx, const char *client_id, const char *shop_id,
                     const char *stage, bool pair, struct feed_diff *out, struct err *e);
/* Forgets staged rows. */
enum rc db_feed_stage_clear(struct db_tx *tx, const char *stage, struct err *e);

/* ---- applying ---- */

struct feed_stage_row {
    char source_id[256];
    char item_id[256];
    int64_t position; /* -1 = gone */
};
/* Staged rows by (source_id, position) after product `after`. *out is a heap array of at most `limit`; a product may
 * be cut at the end when *n == limit. */
enum rc db_feed_stage_page(struct db_tx *tx, const char *stage, const char *after, int limit,
                           struct feed_stage_row **out, int *n, struct err *e);

struct feed_product {
    char source_id[256];
    char desired_hash[40]; /* "" = none */
    char status[16];
    bool in_feed;
    bool off;        /* taken off sale because feeds did not have it */
    json_t *desired; /* owned by the list */
};
/* Stored state of the products among source_ids. *out is a heap array; free with db_feed_products_free. */
enum rc db_feed_products(struct db_tx *tx, const char *shop_id, const char *const *source_ids,
                         size_t n_ids, struct feed_product **out, int *n, struct err *e);
void db_feed_products_free(struct feed_product *list, int n);

/* The products are as the feed wants them: feed_items follows feed_stage, the staged rows go away. pair: items of
 * these products that neither of two given feeds had go too. */
enum rc db_feed_applied(struct db_tx *tx, const char *client_id, const char *shop_id,
                        const char *const *source_ids, size_t n, bool pair, struct err *e);
/* A product is (again) in the feed: what was noted or held for its removal is forgotten. */
enum rc db_feed_product_seen(struct db_tx *tx, const char *shop_id, const char *source_id,
                             struct err *e);
/* What the feed says is wrong with a product; status and TikTok's ids stay. problems may be NULL. Replaces what the
 * feed said before, known by its codes; what review and publishing said stays. */
enum rc db_feed_product_problems(struct db_tx *tx, const char *shop_id, const char *source_id,
                                 const json_t *problems, const char *const *codes, size_t n_codes,
                                 const char *run_id, struct err *e);
/* The product is no longer in the feed: bookkeeping only. absent: complete feeds without it so far. */
enum rc db_feed_product_gone(struct db_tx *tx, const char *shop_id, const char *source_id,
                             int absent, struct err *e);
/* SKUs of the product that the feed no longer has are out of stock. */
enum rc db_feed_skus_gone(struct db_tx *tx, const char *shop_id, const char *source_id,
                          const char *const *seller_skus, size_t n, struct err *e);
/* Products in the feed that never got published, that this run has not asked for and that no parked job holds:
 * source ids after `after`. *rows has the column "source_id". */
enum rc db_feed_unpublished(struct db_tx *tx, const char *shop_id, const char *run_id,
                            const char *after, int limit, struct db_rows **rows, struct err *e);
/* The run asks for this product without a change of its content. */
enum rc db_feed_product_asked(struct db_tx *tx, const char *shop_id, const char *source_id,
                              const char *run_id, struct err *e);

/* Whether the run has accepted its feed already: then a repetition has nothing to do. *approved: a person released
 * the feed that it held. */
enum rc db_feed_run_accepted(struct db_tx *tx, const char *client_id, const char *run_id,
                             bool *accepted, bool *approved, struct err *e);

/* ---- the run's counters ---- */

/* Sets total and what needs no work (done and unchanged): all products but those asked for by this run and
 * `pending` further ones. Can be repeated. */
enum rc db_feed_run_totals(struct db_tx *tx, const char *client_id, const char *shop_id,
                           const char *run_id, int64_t total, int64_t pending, struct err *e);
struct feed_dry {
    int64_t total, created, updated, removed, failed;
};
/* Counters of a dry run: everything is done. */
enum rc db_feed_run_dry(struct db_tx *tx, const char *client_id, const char *run_id,
                        const struct feed_dry *dry, struct err *e);

#endif
