/* product_stock.c - TikTok says that a SKU is running out, or has stock again: the source is looked at now.
 *
 * Repeats: safe. The connector stays the source of stock: nothing is taken over from TikTok, the product's stock is
 * worked out again and sent when it differs. */
#include "sync.h"

#include "db_values.h"

enum rc sync_product_stock(struct job_ctx *ctx, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    const struct job *job = ctx->job;
    char source_id[256];
    enum rc rc = job_tx_begin(ctx, "product_stock", &tx, e);

    if (rc == RC_OK)
        rc = db_product_by_tiktok(tx, job->shop_id, job->entity, source_id, e);
    if (rc == RC_NOT_FOUND)
        return RC_OK; /* a product that people listed themselves */
    if (rc != RC_OK)
        return rc;

    rc = db_value_note_product(tx, job->shop_id, source_id, (struct value_parts){ .stock = true },
                               e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}
