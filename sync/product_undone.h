/* product_undone.h - what an edit leaves that TikTok's review refused. */
#ifndef SYNC_PRODUCT_UNDONE_H
#define SYNC_PRODUCT_UNDONE_H

#include <jansson.h>

#include "db_product.h"

/* product: data of get_product. A review refused an edit of it, and an earlier version stays on sale. */
bool review_took_back(const json_t *product);
/* Forgets TikTok's ids, prices and stock of SKUs that are not on sale there. *any: there were some. */
enum rc review_undo_skus(struct db_tx *tx, const struct product *ours, const json_t *product,
                         bool *any, struct err *e);

#endif
