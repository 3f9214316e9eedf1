/* vtex_image.h - pictures of VTEX: which ones a SKU has, and addresses of the originals. */
#ifndef VTEX_IMAGE_H
#define VTEX_IMAGE_H

#include "platform.h"

#define LIMIT_VTEX_IMAGES 50 /* of one SKU; further ones are left out */
#define LIMIT_IMAGE_URL 2048

/* Addresses of the originals of a SKU's pictures as a JSON array: the main one first, then by position. An unknown SKU
 * has none. Blocks and answers as vtex_call does; any thread with a session of its own. */
enum rc vtex_sku_images(struct vtex_session *s, const char *sku_id, json_t **out, struct err *e);

/* The same from the body of listSkuFiles. */
enum rc vtex_images_read(const json_t *files, json_t **out, struct err *e);

/* The address without the size that makes a thumbnail of it (".../arquivos/ids/155601-55-55/x.jpg"); other addresses as
 * they are. False when it does not fit. */
bool vtex_image_original(const char *url, char *out, size_t cap);
/* Both show the same file, in whatever size and under whatever name or host. */
bool vtex_image_same(const char *a, const char *b);

#endif
