/* value_work.h - prices and stock of one product, without its content. */
#ifndef SYNC_VALUE_WORK_H
#define SYNC_VALUE_WORK_H

#include "product_job.h"

/* Which SKUs of a product, and what of them. */
struct value_want {
    const char *seller_sku;
    bool price, stock;
    bool off;           /* VTEX said that it is off sale: stock 0 whatever a cache answers */
    int64_t changed_us; /* when the change was made known; 0 = nobody said */
};
struct value_work {
    struct publish *p;
    bool dry; /* nothing is sent or stored */
};

/* The caller holds the values of the product (values_hold) from before this on. Loads the product of the job's
 * entity; RC_NOT_FOUND when it is gone, *idle when nothing may be done for it. Free with value_work_done. */
enum rc value_work_load(struct job_ctx *ctx, struct value_work *w, bool *idle, struct err *e);
/* Works the wanted values out and sends what differs. SKUs that TikTok does not have are left out. */
enum rc value_work_run(struct value_work *w, const struct value_want *want, int n, struct err *e);
/* Writes what was worked out; part of the caller's transaction. */
enum rc value_work_store(struct value_work *w, struct db_tx *tx, struct err *e);
void value_work_done(struct value_work *w);
#define OWN_VALUE_WORK __attribute__((cleanup(value_work_done)))

#endif
