/* product_send.h - sending prices and stock of one product. */
#ifndef SYNC_PRODUCT_SEND_H
#define SYNC_PRODUCT_SEND_H

#include "product_job.h"

/* Sends what differs from what TikTok acknowledged, stock first, when the product is live; stores TikTok's word for each
 * SKU with its log row. *changed: TikTok took something. The caller holds the product's values (values_hold). */
enum rc publish_update_values(struct publish *p, bool *changed, struct err *e);
/* A promotion keeps price or stock as they are: to be tried again later. */
bool send_code_locked(int64_t code);
/* Quantity by warehouse of one SKU in TikTok's product: {"id": 7}. New reference; NULL when out of memory. */
json_t *send_warehouses_of(const json_t *skus, const char *tiktok_sku_id);

#endif
