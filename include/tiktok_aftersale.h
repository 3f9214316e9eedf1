/* tiktok_aftersale.h - cancellations and returns of a TikTok shop: reading them and answering. */
#ifndef TIKTOK_AFTERSALE_H
#define TIKTOK_AFTERSALE_H

#include "platform.h"

#define TIKTOK_AFTERSALE_PAGE 50
#define TIKTOK_CODE_CANCEL_EXISTS 25001011 /* in process, or cancelled already */
#define TIKTOK_CODE_SCOPE 105005           /* the seller did not grant it */
#define TIKTOK_CODE_ORDER_OVER 25001051    /* completed or cancelled already */

enum tiktok_aftersale { TIKTOK_CANCELLATIONS, TIKTOK_RETURNS };

struct tiktok_aftersale_search {
    const char *order_id;   /* NULL = any */
    int64_t update_ge_s;    /* unix seconds, 0 = no bound */
    const char *page_token; /* NULL or "" = first page */
};
/* One page of search_cancellations or search_returns, oldest update first. *items: new array. *next: heap text,
 * NULL on the last page; caller frees. Outcomes as tiktok_call. Blocks. */
enum rc tiktok_aftersale_search(struct tiktok_session *s, enum tiktok_aftersale what,
                                const struct tiktok_aftersale_search *search, json_t **items,
                                char **next, struct err *e);
/* Reasons that TikTok takes for refusing a cancellation or return: new array of {"name", "text"}. */
enum rc tiktok_reject_reasons(struct tiktok_session *s, const char *id, json_t **reasons,
                              struct err *e);

/* Cancels a whole order as the seller. RC_INVALID: refused (e->platform_code). RC_UNSURE: the order has to be
 * read; the call has no key against repeats. request_id may be NULL. */
enum rc tiktok_order_cancel(struct tiktok_session *s, const char *order_id, const char *reason,
                            char request_id[96], struct err *e);
/* Answers a buyer's cancellation. With approve, reason and comment are not looked at. Repeats are safe: each answer
 * carries a key. */
enum rc tiktok_cancellation_answer(struct tiktok_session *s, const char *cancel_id,
                                   const char *order_id, bool approve, const char *reason,
                                   const char *comment, char request_id[96], struct err *e);
/* Answers one step of a return. decision: a word of TikTok's approve_return or reject_return; key: against repeats. */
enum rc tiktok_return_answer(struct tiktok_session *s, const char *return_id, const char *order_id,
                             bool approve, const char *decision, const char *reason,
                             const char *comment, const char *key, char request_id[96],
                             struct err *e);

#endif
