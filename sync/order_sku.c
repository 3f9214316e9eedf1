/* order_sku.c - which VTEX SKU each line of an order is: our products, a person's link, or VTEX's own word. */
#include "order_import.h"
#include "str.h"
#include "vtex_catalog.h"

#include <stdlib.h>
#include <string.h>

/* Reads the links of all lines in one transaction; lines without one keep an empty id. */
static enum rc links_read(struct import *im, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(im->ctx, "order_skus", &tx, e);

    for (size_t i = 0; rc == RC_OK && i < im->map.n_lines; i++) {
        struct map_line *line = &im->map.lines[i];

        rc = db_order_sku_find(tx, im->row.client_id, im->row.shop_id, line->tiktok_sku_id,
                               line->seller_sku, line->vtex_sku_id, sizeof line->vtex_sku_id, e);
        if (rc == RC_NOT_FOUND)
            rc = RC_OK;
    }
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

/* A seller_sku that looks like a VTEX SKU id is one when VTEX says so. */
static enum rc catalog_ask(struct import *im, struct map_line *line, struct err *e)
{
    struct vtex_sku sku;
    enum rc rc;

    if (!str_digits(line->seller_sku) || strlen(line->seller_sku) > 18 ||
        line->seller_sku[0] == '0')
        return RC_NOT_FOUND;
    rc = vtex_sku_context(&im->vtex, line->seller_sku, &sku, e);
    if (rc == RC_INVALID)
        return RC_NOT_FOUND;
    if (rc == RC_OK)
        (void)str_copy(line->vtex_sku_id, sizeof line->vtex_sku_id, line->seller_sku);
    return rc;
}

/* Remembers what VTEX said of each line: linked, or to be linked by a person. */
static enum rc answers_write(struct import *im, const bool *asked, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(im->ctx, "order_sku_links", &tx, e);

    for (size_t i = 0; rc == RC_OK && i < im->map.n_lines; i++) {
        const struct map_line *line = &im->map.lines[i];
        const char *key = line->tiktok_sku_id[0] ? line->tiktok_sku_id : line->seller_sku;

        if (!asked[i])
            continue;
        if (line->vtex_sku_id[0])
            rc = db_order_sku_link(tx, im->row.client_id, im->row.shop_id, key, line->seller_sku,
                                   line->vtex_sku_id, "catalog", e);
        else
            rc = db_order_sku_unlinked(tx, im->row.client_id, im->row.shop_id, key,
                                       line->seller_sku, line->product_name, e);
    }
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static void sku_name(const struct map_line *line, char sku[160])
{
    if (line->seller_sku[0])
        str_copy_cut(sku, 160, line->seller_sku);
    else
        str_copy_cut(sku, 160, line->tiktok_sku_id);
}

enum rc import_skus(struct import *im, char sku[160], struct err *e)
{
    bool asked[LIMIT_ORDER_LINES + 1] = { false };
    bool any = false;
    bool missing = false;
    enum rc rc = links_read(im, e);

    for (size_t i = 0; rc == RC_OK && i < im->map.n_lines; i++) {
        struct map_line *line = &im->map.lines[i];

        if (line->vtex_sku_id[0])
            continue;
        asked[i] = any = true;
        rc = catalog_ask(im, line, e);
        if (rc == RC_NOT_FOUND) {
            if (!missing)
                sku_name(line, sku);
            missing = true;
            rc = RC_OK;
        }
    }
    if (rc == RC_OK && any)
        rc = answers_write(im, asked, e);
    if (rc == RC_OK && missing)
        return err_code(e, RC_NOT_FOUND, "sku_unlinked", "SKU %s is not linked to a SKU of VTEX",
                        sku);
    return rc;
}
