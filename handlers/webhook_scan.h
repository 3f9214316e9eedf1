/* webhook_scan.h - reads the few ids of a webhook body, and says when the body is not usable. */
#ifndef WEBHOOK_SCAN_H
#define WEBHOOK_SCAN_H

#include "buf.h"

#define WEBHOOK_ID_BYTES 64
#define LIMIT_WEBHOOK_DEPTH 32
#define LIMIT_WEBHOOK_KEYS 10000
#define LIMIT_WEBHOOK_ENTITIES 1000

/* What a webhook says about itself. Texts are "" when missing. */
struct webhook_ids {
    int topic; /* -1 when missing */
    char shop_id[WEBHOOK_ID_BYTES];
    char notification_id[WEBHOOK_ID_BYTES];
    int64_t timestamp_s;               /* 0 when missing */
    char order_id[WEBHOOK_ID_BYTES];   /* data.order_id */
    char product_id[WEBHOOK_ID_BYTES]; /* data.product_id */
    struct buf orders; /* of data.order_ids and data.package_list, each ended by '\n' */
    int n_orders;
};

/* Strict RFC 8259 over the whole text. NULL = well; else a constant word: why the body is a dead letter (ids that
 * were read before the fault stay). Free with webhook_ids_done in both cases. */
const char *webhook_scan(const char *text, size_t len, struct webhook_ids *out);
void webhook_ids_done(struct webhook_ids *ids);

#endif
