/* db_values.h - prices and stock that may have changed: notices, runs over them, what is on its way to TikTok. */
#ifndef DB_VALUES_H
#define DB_VALUES_H

#include "db_product.h"

/* ---- notices ------------------------------------------------------------------------------------ */

/* What may have changed of a SKU. */
struct value_parts {
    bool price, stock;
};

/* Notes all SKUs of a product that TikTok has and asks for the job "product_values": stock before price. */
enum rc db_value_note_product(struct db_tx *tx, const char *shop_id, const char *source_id,
                              struct value_parts parts, struct err *e);
/* Notes the stock of the SKUs that an order names. */
enum rc db_value_note_order(struct db_tx *tx, const char *shop_id, const char *order_id,
                            struct err *e);
/* Notes SKUs by VTEX id; clients, ids and parts (1 price, 2 stock, 4 off sale) are parallel, n of each, and no pair comes
 * twice. *known: SKUs found. Rows are locked in the order of their keys. */
enum rc db_value_note_vtex(struct db_tx *tx, const char *const *clients, const char *const *ids,
                           const int64_t *parts, size_t n, int64_t *known, struct err *e);

struct value_notice {
    char seller_sku[SKU_BYTES];
    bool price, stock;
    bool off; /* the last word was that it is off sale */
    int64_t seq;
    int looks;
    int64_t changed_us;
};
/* Notices of a product that are due, by SKU. *out is a heap array of *n. */
enum rc db_value_notices(struct db_tx *tx, const char *shop_id, const char *source_id,
                         struct value_notice **out, int *n, struct err *e);
/* A notice was worked off. next_us 0: it goes away; else it is looked at again that long from now, for these parts,
 * keeping its age when `unsettled`. A notice that came meanwhile stays as it is. */
enum rc db_value_notice_end(struct db_tx *tx, const char *shop_id, const struct value_notice *v,
                            struct value_parts next, int64_t next_us, bool unsettled,
                            struct err *e);

/* ---- runs --------------------------------------------------------------------------------------- */

struct value_item {
    char source_id[256];
    json_t *seller_skus; /* array of texts; owned */
};
/* Lists what a run is to do: all SKUs of the shop that TikTok has, or those that `skus` (JSON array of seller SKUs, feed
 * ids or VTEX ids; NULL = all) names; makes its parts of about part_size SKUs and their jobs. Does nothing when it was
 * done before. *n: SKUs; *unknown: the given names that mean no SKU that TikTok has, new reference. */
enum rc db_value_run_plan(struct db_tx *tx, const char *client_id, const char *shop_id,
                          const char *run_id, const json_t *skus, int part_size, int lane,
                          int64_t *n, json_t **unknown, struct err *e);
/* Products of a part that are still to do. *out is a heap array: free with db_value_items_free. */
enum rc db_value_run_items(struct db_tx *tx, const char *client_id, const char *run_id,
                           int64_t part, struct value_item **out, int *n, struct err *e);
void db_value_items_free(struct value_item *list, int n);
/* One product of the run is done; *mine is false when that was so already. */
enum rc db_value_run_item_done(struct db_tx *tx, const char *client_id, const char *run_id,
                               const char *source_id, bool *mine, struct err *e);

/* ---- on the way to TikTok ----------------------------------------------------------------------- */

struct value_sent {
    const char *seller_sku;
    int64_t price_minor; /* 0 = not of this call */
    int64_t stock;       /* -1 = not of this call */
};
/* Written before values are sent: until db_value_answered nobody relies on what was acknowledged before. */
enum rc db_value_sent(struct db_tx *tx, const char *shop_id, const struct value_sent *list,
                      size_t n, struct err *e);

struct value_end {
    const char *seller_sku;
    bool price, stock;        /* which of both was answered */
    bool taken;               /* else what was acknowledged before stands */
    const json_t *warehouses; /* quantity of each TikTok warehouse; NULL = not of this call */
    int64_t lock_code;        /* 0 = no promotion keeps it */
};
/* TikTok answered for one SKU. */
enum rc db_value_answered(struct db_tx *tx, const char *shop_id, const struct value_end *end,
                          struct err *e);
/* Prices and stock of the product were worked out: the next version; marks which SKUs wait to be sent. */
enum rc db_value_version_up(struct db_tx *tx, const char *shop_id, const char *source_id,
                            struct err *e);
enum rc db_value_version(struct db_tx *tx, const char *shop_id, const char *source_id,
                         int64_t *version, struct err *e);
/* The price that the jump guard holds; 0 = none. */
enum rc db_value_hold(struct db_tx *tx, const char *shop_id, const char *seller_sku, int64_t minor,
                      struct err *e);
/* A person lets the held prices go out: of one product, of one SKU ("" = all). *n says how many. */
enum rc db_value_approve(struct db_tx *tx, const char *client_id, const char *source_id,
                         const char *seller_sku, int64_t *n, struct err *e);

/* ---- compared with TikTok ------------------------------------------------------------------------ */

/* Live products after a source id: source_id, tiktok_product_id. */
enum rc db_value_live_page(struct db_tx *tx, const char *shop_id, const char *after, int limit,
                           struct db_rows **rows, struct err *e);
/* SKUs whose stock at TikTok ([{"id", "available", "committed", "campaign"}], read from began_us on) is not what it
 * acknowledged: seller_sku, source_id, stock_published, available, committed, campaign. repair: it counts from now on. */
enum rc db_value_stock_drift(struct db_tx *tx, const char *shop_id, int64_t began_us,
                             const json_t *theirs, bool repair, struct db_rows **rows,
                             struct err *e);
/* The same of prices, from the listing: seller_sku, source_id, price_published_minor, price_minor. */
enum rc db_value_price_drift(struct db_tx *tx, const char *shop_id, const char *after, int limit,
                             bool repair, struct db_rows **rows, struct err *e);
/* Whether TikTok has any product that we have known for half a day. */
enum rc db_value_any(struct db_tx *tx, const char *shop_id, bool *any, struct err *e);

/* Seconds since when the oldest change of all tenants waits that TikTok has not taken; 0 = none does. */
enum rc db_value_oldest(struct db_tx *tx, int64_t *seconds, struct err *e);

#endif
