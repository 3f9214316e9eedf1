/* db_image.h - pictures: what became of the merchant's files, and which further ones VTEX has. */
#ifndef DB_IMAGE_H
#define DB_IMAGE_H

#include "db.h"

/* What became of one file for one use: uploaded (uri) or refused (uri "" and a problem). */
struct image_row {
    char uri[512];
    char url[1024];
    int64_t width, height; /* as TikTok has it */
    int64_t bytes;
    bool converted;
    char code[32]; /* of the problem */
    char problem[256];
};
/* By the file's SHA-256. RC_NOT_FOUND: not seen yet, or refused so long ago that it is worth another look. */
enum rc db_image_get(struct db_tx *tx, const char *shop_id, const unsigned char hash[32],
                     const char *use_case, struct image_row *out, struct err *e);
/* The same for an address that was fetched within max_age_s. */
enum rc db_image_by_url(struct db_tx *tx, const char *shop_id, const char *url,
                        const char *use_case, int64_t max_age_s, struct image_row *out,
                        struct err *e);
/* Keeps an upload; one that is there already stays. */
enum rc db_image_put(struct db_tx *tx, const char *client_id, const char *shop_id,
                     const unsigned char hash[32], const char *use_case,
                     const struct image_row *row, struct err *e);
enum rc db_image_source_put(struct db_tx *tx, const char *client_id, const char *shop_id,
                            const char *url, const unsigned char *hash /* NULL = failed */,
                            const char *problem, struct err *e);

/* ---- further pictures of SKUs ------------------------------------------------------------------ */

/* Keeps what VTEX said of a SKU, with the time. urls: JSON array of addresses. */
enum rc db_sku_images_put(struct db_tx *tx, const char *client_id, const char *shop_id,
                          const char *seller_sku, const char *vtex_sku_id, const json_t *urls,
                          struct err *e);
/* Of all SKUs of a product that were read: {"seller sku": ["https://..."]}. The caller's. */
enum rc db_sku_images_get(struct db_tx *tx, const char *shop_id, const char *source_id,
                          json_t **out, struct err *e);

/* A job of `kind` for each product of the shop that is in the feed and has a SKU with a VTEX id; skus (seller SKU, feed id
 * or VTEX id; JSON array, NULL = all) narrows it. *n counts them. */
enum rc db_sku_images_ask(struct db_tx *tx, const char *client_id, const char *shop_id,
                          const char *kind, const char *run_id, const json_t *skus, int64_t *n,
                          struct err *e);

#endif
