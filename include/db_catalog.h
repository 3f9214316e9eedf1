/* db_catalog.h - what TikTok holds of a shop's catalog, whoever listed it, and which of our products it matches. */
#ifndef DB_CATALOG_H
#define DB_CATALOG_H

#include "clock.h"
#include "db.h"

/* A listing younger than this tells what TikTok has; what people list meanwhile, webhooks tell. */
#define CATALOG_FRESH_US (600 * US_PER_S)

/* How far the stored listing of a shop can be trusted; times are the database's, 0 = never. */
struct catalog_state {
    int64_t now_us;
    int64_t read_us;      /* the listing was complete last */
    int64_t full_us;      /* the whole of it was read last */
    int64_t listed_to_us; /* products made before are known */
    int64_t details_us;   /* external ids are known too; 0 = not yet */
    bool
        wanted; /* a product of the feed is not on TikTok as far as we know: it may be there already */
};
enum rc db_catalog_state(struct db_tx *tx, const char *shop_id, struct catalog_state *out,
                         struct err *e);

/* Stores products in the shape of TikTok's search ([{"id", "title", "status", "skus": [...], "create_time",
 * "update_time"}]) or of get_product; deleted ones are dropped. With `detail` external ids are stored as well. */
enum rc db_catalog_put(struct db_tx *tx, const char *client_id, const char *shop_id,
                       const json_t *products, bool detail, struct err *e);
enum rc db_catalog_drop(struct db_tx *tx, const char *shop_id, const char *tiktok_product_id,
                        struct err *e);
/* The listing that began at began_us is complete; a full one also forgets what it did not show. */
enum rc db_catalog_listed(struct db_tx *tx, const char *client_id, const char *shop_id, bool full,
                          int64_t began_us, struct err *e);
/* External ids are known (or, with known false, no longer all of them). */
enum rc db_catalog_detailed(struct db_tx *tx, const char *client_id, const char *shop_id,
                            bool known, struct err *e);
/* Ids (column tiktok_product_id) of products after `after` whose external ids are not known, that are not ours and
 * that no SKU code of ours explains. Free with db_rows_free. */
enum rc db_catalog_undetailed(struct db_tx *tx, const char *shop_id, const char *after, int limit,
                              struct db_rows **rows, struct err *e);
/* Jobs that wait for the listing (problem code "catalog_unread") are due now. */
enum rc db_catalog_wake(struct db_tx *tx, const char *client_id, const char *shop_id,
                        struct err *e);
/* Whether a create that was sent before before_us has no stored end: a new product may be its. */
enum rc db_catalog_creating(struct db_tx *tx, const char *shop_id, int64_t before_us,
                            bool *creating, struct err *e);

/* One TikTok product that may be one of ours. */
struct catalog_match {
    char tiktok_product_id[64];
    char title[400];
    char linked_source[256]; /* our product that is linked to it; "" = none */
    char other_source[256];  /* another product of the feed that claims it too; "" = none */
    bool external;           /* its external id is our source id */
};
#define CATALOG_MATCHES_MAX 10
/* TikTok products whose external id is source_id or that have one of the SKU codes; external ones first. */
enum rc db_catalog_matches(struct db_tx *tx, const char *shop_id, const char *source_id,
                           const char *const *seller_skus, size_t n_skus, struct catalog_match *out,
                           int *n, struct err *e);
/* Links a product to one of TikTok. published: what is known of it there. *linked false: it, or the TikTok product,
 * was linked meanwhile. */
enum rc db_catalog_adopt(struct db_tx *tx, const char *shop_id, const char *source_id,
                         const char *tiktok_product_id, const char *status, const char *category_id,
                         const json_t *published, bool *linked, struct err *e);

/* Pairs of a product of the feed that is linked to nothing and a TikTok product that is nobody's and matches it by
 * external id or SKU code: source_id, tiktok_product_id, "how" (external_id, seller_sku); source ids after `after`. */
enum rc db_catalog_links(struct db_tx *tx, const char *shop_id, const char *after, int limit,
                         struct db_rows **rows, struct err *e);
/* Asks for the publication of unlinked products of the feed that one TikTok product may be. */
enum rc db_catalog_ask(struct db_tx *tx, const char *client_id, const char *shop_id,
                       const char *tiktok_product_id, struct err *e);
/* Products of ours that the full listing shows in another state (or not at all): source_id, tiktok_product_id, old,
 * new; source ids after `after`. */
enum rc db_catalog_drift(struct db_tx *tx, const char *shop_id, const char *after, int limit,
                         struct db_rows **rows, struct err *e);

#endif
