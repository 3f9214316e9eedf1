/* vtex_order.h - what we ask VTEX about orders: look up, simulate, place, authorize. */
#ifndef VTEX_ORDER_H
#define VTEX_ORDER_H

#include "platform.h"

/* Where an order stands, by its status in VTEX (guide section 11). */
enum vtex_stage {
    VTEX_STAGE_WAITING,    /* placed, not authorized; also any status we do not know */
    VTEX_STAGE_MANUAL,     /* waiting-for-manual-authorization: a person of the merchant decides */
    VTEX_STAGE_GOING,      /* authorized or later */
    VTEX_STAGE_CANCELLING, /* somebody asked to cancel */
    VTEX_STAGE_CANCELLED,  /* its id can never be used again */
    VTEX_STAGE_ERROR       /* order-create-error */
};
enum vtex_stage vtex_order_stage(const char *status);

struct vtex_order {
    char order_id[96];
    char status[64];
    enum vtex_stage stage;
    int64_t value_minor;
    bool invoiced;       /* wholly: it cannot be cancelled */
    bool has_invoices;   /* at least one sale invoice is there */
    bool cancel_denied;  /* the newest request to cancel was refused by the merchant */
    bool cancel_pending; /* a request to cancel waits for the merchant */
    char cancel_reason[128];
};
/* Id under which VTEX knows a TikTok order: affiliate, hyphen, TikTok id. RC_INVALID when too long. */
enum rc vtex_order_id(const struct vtex_session *s, const char *tiktok_order_id, char out[96],
                      struct err *e);
/* Reads an order. RC_NOT_FOUND: HTTP 404. RC_INVALID (code "foreign_order"): the id belongs to another
 * marketplace order. Blocks. */
enum rc vtex_order_get(struct vtex_session *s, const char *vtex_order_id,
                       const char *tiktok_order_id, struct vtex_order *out, struct err *e);

/* What VTEX said to a call that it refused. */
struct vtex_refusal {
    char code[32];
    char error_class[16]; /* "" when nothing was refused */
    char text[256];
};

/* Simulates a cart (body of simulateCart). *answer: new reference; messages inside are the caller's to read. */
enum rc vtex_order_simulate(struct vtex_session *s, const char *tiktok_order_id, const json_t *cart,
                            json_t **answer, struct vtex_refusal *refusal, struct err *e);
/* Places one order (body of placeFulfillmentOrder without the array). RC_OK: placed, its VTEX id is in
 * order_id. RC_INVALID: refused, see *refusal. RC_BUSY, RC_DOWN, RC_DENIED: nothing was placed.
 * Anything else: the end is unknown. */
enum rc vtex_order_place(struct vtex_session *s, const char *tiktok_order_id, const json_t *order,
                         char vtex_order_id[96], struct vtex_refusal *refusal, struct err *e);
/* Authorizes dispatch; outcomes as vtex_order_place. */
enum rc vtex_order_authorize(struct vtex_session *s, const char *vtex_order_id,
                             const char *tiktok_order_id, struct vtex_refusal *refusal,
                             struct err *e);

/* Asks VTEX to cancel (accepted, not finished: read the order). by_buyer: the buyer wants it. Repeats are harmless.
 * Outcomes as vtex_order_place. */
enum rc vtex_order_cancel(struct vtex_session *s, const char *vtex_order_id,
                          const char *tiktok_order_id, const char *reason, bool by_buyer,
                          struct vtex_refusal *refusal, struct err *e);

#endif
