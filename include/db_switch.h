/* db_switch.h - what of a catalog is brought to TikTok: the client's policies.sync, with exceptions by source category,
 * product and SKU. The narrowest scope that says something decides. */
#ifndef DB_SWITCH_H
#define DB_SWITCH_H

#include "db.h"
#include "db_account.h"

enum sync_part { PART_TEXT, PART_IMAGES, PART_PRICE, PART_STOCK, PART_ACTIVATION, SYNC_PARTS };
/* "text", "images", "price", "stock", "activation". */
extern const char *const SYNC_PART_NAMES[SYNC_PARTS];

/* One part as it was decided. */
struct sync_switch {
    bool on;
    char by[16];   /* client, category, product, sku */
    char key[512]; /* "" for the client */
};
struct sync_switches {
    struct sync_switch part[SYNC_PARTS];
};

/* One exception; -1 = says nothing of the part. */
struct switch_row {
    char scope[16];
    char key[512];
    int part[SYNC_PARTS];
};

/* What the client's policies say. */
void switches_of_client(const struct client *c, struct sync_switches *out);
/* Narrows by one exception. */
void switches_narrow(struct sync_switches *s, const struct switch_row *row);

/* Exceptions that touch a product, widest first: its category and what is above it, itself, its SKUs. *out is a heap
 * array of *n (free). */
enum rc db_switches_of_product(struct db_tx *tx, const char *client_id, const char *shop_id,
                               const char *source_id, struct switch_row **out, int *n,
                               struct err *e);
/* One part of one product, for whoever acts on the product as a whole. */
enum rc db_switch_on(struct db_tx *tx, const struct client *c, const char *shop_id,
                     const char *source_id, enum sync_part part, bool *on, struct err *e);

/* All exceptions as JSON, by scope and key; cursor as the page before gave it in next ("" = from the start). */
enum rc db_switch_list(struct db_tx *tx, const char *client_id, const char *scope,
                       const char *cursor, int limit, json_t **items, char next[640],
                       struct err *e);
/* Makes or replaces an exception. */
enum rc db_switch_put(struct db_tx *tx, const char *client_id, const struct switch_row *row,
                      const char *who, struct err *e);
/* RC_NOT_FOUND. */
enum rc db_switch_delete(struct db_tx *tx, const char *client_id, const char *scope,
                         const char *key, struct err *e);
/* Asks for the publication of products of the scope ("client" with key "" for all) from which a switch kept something
 * back; *n tells how many. */
enum rc db_switch_release(struct db_tx *tx, const char *client_id, const char *scope,
                          const char *key, int64_t *n, struct err *e);
/* What is kept back of a product ([{"what", "by", "key"}]) and of its SKUs (object seller_sku -> the same). */
enum rc db_switch_kept(struct db_tx *tx, const char *shop_id, const char *source_id,
                       const json_t *product, const json_t *skus, struct err *e);

/* The same of some SKUs: {"<seller SKU>": {"list": [...], "price": true, "stock": false}}; what was not worked out keeps
 * what stands there. */
enum rc db_switch_kept_some(struct db_tx *tx, const char *shop_id, const json_t *skus,
                            struct err *e);

#endif
