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

/* Our row of a line's SKU; lines without a TikTok SKU id go by their code. */
static const char *link_key(const struct map_line *line)
{
    return line->tiktok_sku_id[0] ? line->tiktok_sku_id : line->seller_sku;
}

/* Remembers what VTEX said of each line: linked, or to be linked by a person. */
static enum rc answers_write(struct import *im, const bool *asked, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(im->ctx, "order_sku_links", &tx, e);

    for (size_t i = 0; rc == RC_OK && i < im->map.n_lines; i++) {
        const struct map_line *line = &im->map.lines[i];
        const char *key = link_key(line);

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

static enum rc lost_write(struct import *im, const bool *lost, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(im->ctx, "order_sku_lost", &tx, e);

    for (size_t i = 0; rc == RC_OK && i < im->map.n_lines; i++) {
        const struct map_line *line = &im->map.lines[i];

        if (lost[i])
            rc = db_order_sku_lost(tx, im->row.client_id, im->row.shop_id, link_key(line),
                                   line->seller_sku, line->product_name, e);
    }
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

enum rc import_skus_doubt(struct import *im, bool all_when_known, bool *lost, char sku[160],
                          struct err *e)
{
    bool gone[LIMIT_ORDER_LINES + 1] = { false };
    bool any = false;

    for (size_t i = 0; i < im->map.n_lines; i++) {
        struct vtex_sku found;
        enum rc rc = vtex_sku_context(&im->vtex, im->map.lines[i].vtex_sku_id, &found, e);

        gone[i] = rc == RC_NOT_FOUND || rc == RC_INVALID;
        if (rc != RC_OK && !gone[i])
            return rc;
        if (gone[i] && !any)
            sku_name(&im->map.lines[i], sku);
        any = any || gone[i];
    }
    *lost = any || all_when_known;
    if (!*lost)
        return RC_OK;
    if (!any)
        memset(gone, true, sizeof gone);
    return lost_write(im, gone, e);
}
