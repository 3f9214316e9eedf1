/* tiktok_order.h - what we ask TikTok Shop about orders. */
#ifndef TIKTOK_ORDER_H
#define TIKTOK_ORDER_H

#include "platform.h"

#define TIKTOK_ORDER_PAGE 100

/* Reads one order in full (get_order_detail 202507). *order: new reference. request_id may be NULL.
 * RC_NOT_FOUND: the shop has no such order. Others as tiktok_call. Blocks. */
enum rc tiktok_order_get(struct tiktok_session *s, const char *order_id, json_t **order,
                         char request_id[96], struct err *e);

struct tiktok_order_search {
    int64_t update_ge_s;    /* unix seconds, 0 = no bound */
    int64_t update_lt_s;    /* 0 = now */
    int64_t create_ge_s;    /* 0 = no bound */
    const char *status;     /* NULL = any */
    const char *page_token; /* NULL or "" = first page */
};
/* One page of get_order_list, oldest update first. *orders: new array. *next: heap text, NULL on the last
 * page; caller frees. */
enum rc tiktok_order_search(struct tiktok_session *s, const struct tiktok_order_search *search,
                            json_t **orders, char **next, struct err *e);

#endif
