/* product_values.h - what the two halves of working out a SKU's values share. */
#ifndef SYNC_PRODUCT_VALUES_H
#define SYNC_PRODUCT_VALUES_H

#include "product_job.h"

/* What VTEX says of one SKU. */
struct vtex_side {
    bool known;    /* the SKU exists there */
    bool sellable; /* active, in the trade policy, with a price where prices come from VTEX */
    int64_t price_minor;
    int64_t at_us;
    const char *call; /* that gave the price */
};

/* Stock of the SKU with its explanation; nothing is sold of a SKU that has no price or is not on sale in VTEX. */
enum rc publish_stock_value(struct publish *p, struct publish_sku *sku,
                            const struct vtex_side *side, struct err *e);

#endif
