/* map_feed.h - feed items of one group as the product a merchant wants listed; pure, no I/O.
 *
 * Items are added one after the other in feed order, so that only their JSON stays in memory. */
#ifndef SYNC_MAP_FEED_H
#define SYNC_MAP_FEED_H

#include "db_account.h"
#include "db_product.h"
#include "feed.h"

#define MAP_FEED_IMAGES 20
#define LIMIT_FEED_PRODUCT_BYTES ((size_t)4 << 20) /* of raw item text in one product */

struct map_feed_opts {
    const char *currency;
    enum sku_id_rule rule;
    bool price_required; /* prices come from the feed */
    int64_t now_us;
};

struct map_feed_sku {
    struct sku sku;
    bool write; /* false: the item is invalid now, what was stored before stays */
};

struct map_feed {
    struct map_feed_opts opts;
    const json_t *old;         /* desired as stored before; borrowed, may be NULL */
    json_t *desired;           /* shape in db_product.h; owned */
    json_t *problems;          /* owned array, problem.h */
    char *title;               /* what the titles of all items begin with; owned */
    struct map_feed_sku *skus; /* owned */
    int n_skus, cap_skus;
    size_t bytes;
    bool full;                  /* more items than a product may have */
    struct buf prices;          /* part of the hash */
    char hash[FEED_UUID_BYTES]; /* after map_feed_finish */
};

enum rc map_feed_init(struct map_feed *m, const char *source_id, const struct map_feed_opts *opts,
                      const json_t *old_desired, struct err *e);
/* raw_bytes: size of the raw item. An unusable item becomes a problem, never a failure. */
enum rc map_feed_add(struct map_feed *m, const struct feed_item *item, size_t raw_bytes,
                     struct err *e);
/* Completes desired and hash. Whether the product can be listed: json_array_size(items) > 0. */
enum rc map_feed_finish(struct map_feed *m, struct err *e);
bool map_feed_usable(const struct map_feed *m);
void map_feed_done(struct map_feed *m);
#define OWN_MAP_FEED __attribute__((cleanup(map_feed_done)))

/* TikTok's seller_sku of an item by the client's rule; false when the rule gives none that TikTok takes (1 to 50
 * characters, no blanks). By SKU_ID_VTEX_REF_ID it is the RefId, which may be any text that fits: the VTEX id that is
 * looked up by it takes its place before TikTok sees it. */
bool map_feed_seller_sku(const struct feed_item *item, enum sku_id_rule rule, char out[SKU_BYTES]);
/* Shortens *title to the words both begin with; keeps it when too little would be left. */
void map_feed_common_title(char *title, const char *other);

#endif
