/* db_revert.h - what a run changed at TikTok, by the logs: what an undo puts back. */
#ifndef DB_REVERT_H
#define DB_REVERT_H

#include "db_product.h"

/* Whether the run changed a price or a text at all. */
enum rc db_revert_any(struct db_tx *tx, const char *client_id, const char *run_id, bool *any,
                      struct err *e);
/* A revert of the run that stands (not dry, not failed or cancelled, not reverted itself); id "" = none. */
enum rc db_revert_standing(struct db_tx *tx, const char *client_id, const char *run_id, char id[40],
                           struct err *e);
/* Products of the shop that the run touched, by source_id after `after`: column source_id. */
enum rc db_revert_products(struct db_tx *tx, const char *client_id, const char *run_id,
                           const char *shop_id, const char *after, int limit, struct db_rows **rows,
                           struct err *e);
/* Whether the undo `run_id` has looked at the product already. */
enum rc db_revert_seen(struct db_tx *tx, const char *client_id, const char *run_id,
                       const char *source_id, bool *seen, struct err *e);
/* Rows of the log of products, oldest first: outcome (created, updated), changes. */
enum rc db_revert_texts(struct db_tx *tx, const char *client_id, const char *run_id,
                        const char *shop_id, const char *source_id, struct db_rows **rows,
                        struct err *e);
/* Prices of SKUs that were published before already: seller_sku, old of the first and new of the last change. */
enum rc db_revert_prices(struct db_tx *tx, const char *client_id, const char *run_id,
                         const char *shop_id, const char *source_id, struct db_rows **rows,
                         struct err *e);

#endif
