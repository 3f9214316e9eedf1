/* db_order.h - TikTok orders: where each stands, its life line, its units, and the SKUs nobody knows. */
#ifndef DB_ORDER_H
#define DB_ORDER_H

#include "db.h"

#define ORDER_ID_BYTES 64
#define ORDER_LIST_MAX 200

/* One row of tiktok_orders as a job sees it; times are of the database clock. */
struct order_row {
    char shop_id[72];
    char order_id[ORDER_ID_BYTES];
    char client_id[68];
    char tiktok_status[32];
    int64_t tiktok_updated_us;
    char state[24]; /* interfaces.md, Orders */
    char step[24];  /* none, claimed, place_sent, placed, authorize_sent, authorized */
    int64_t step_us;
    int looked_up; /* in doubt: look-ups that found nothing */
    int64_t looked_up_us;
    char vtex_order_id[96];
    char vtex_status[64];
    char found_by[16];
    char problem[64];     /* code of its problem; "" = none */
    char cancel_step[24]; /* none, vtex_sent, ... (migration 0050) */
    char cancel_by[12];   /* tiktok, vtex, operator; "" = nobody */
    char cancel_reason[128];
    int64_t cancel_us;           /* when cancel_step was written */
    int64_t vtex_due_us;         /* 0 = the order in VTEX need not be read */
    int64_t vtex_cancel_told_us; /* 0 = VTEX never said that it cancels */
    int64_t now_us;              /* database clock when it was read */
};

/* What one reading of TikTok says of an order. Pointers are borrowed. */
struct order_facts {
    const char *client_id;
    const char *shop_id;
    const char *order_id;
    const char *tiktok_status; /* CANCEL is stored as CANCELLED */
    int64_t updated_us;        /* update_time */
    const char *currency;
    int64_t total_minor;      /* what the buyer pays */
    const char *need_invoice; /* need_upload_invoice; NULL = unknown */
    int64_t ship_by_us;       /* 0 = unknown */
    int64_t paid_us;          /* 0 = not paid */
    const json_t *items; /* [{seller_sku, tiktok_sku_id, quantity, unit_price}], no personal data */
    const json_t *packages; /* [{package_id, state, tracking_number, carrier}] */
    const char *document;   /* the order as TikTok gave it; sealed before it is stored */
    size_t document_len;
    const char *found_by;     /* webhook, poll, operator, job; used when the order is new */
    const json_t *deadlines;  /* [{"name", "at", "until"}]: order_deadline.c; NULL = none */
    const char *buyer_digest; /* hex; NULL = TikTok names no buyer */
};

/* ---- the row of an order --------------------------------------------------------------------- */

/* RC_NOT_FOUND when the shop has no such order. */
enum rc db_order_get(struct db_tx *tx, const char *shop_id, const char *order_id,
                     struct order_row *out, struct err *e);
/* Inserts the order, or brings it up to date when the facts are not older than what is stored (update_time,
 * then the rank of the status): late news changes nothing and gives *applied = false. A new order begins in
 * state received, or on_hold. *out is the row after it. */
enum rc db_order_store(struct db_tx *tx, const struct order_facts *facts, struct order_row *out,
                       bool *applied, struct err *e);
/* Moves the order to `state`; problem_code NULL clears its problems, else they become the one
 * [{"code", "message", "action"}] given. */
enum rc db_order_state_set(struct db_tx *tx, const char *shop_id, const char *order_id,
                           const char *state, const char *problem_code, const char *message,
                           const char *action, struct err *e);
/* Records how far placement got; clears the look-up counter. vtex_order_id, vtex_status NULL = keep. */
enum rc db_order_step_set(struct db_tx *tx, const char *shop_id, const char *order_id,
                          const char *step, const char *vtex_order_id, const char *vtex_status,
                          struct err *e);
/* Counts one look-up in VTEX that found nothing, with its time. */
enum rc db_order_looked_up(struct db_tx *tx, const char *shop_id, const char *order_id,
                           struct err *e);
/* What VTEX is asked to pay the merchant: items plus freight. */
enum rc db_order_merchant_set(struct db_tx *tx, const char *shop_id, const char *order_id,
                              int64_t minor, struct err *e);

/* Adds one step to the life line. by: webhook, poll, operator, job. No personal data in detail;
 * request_id may be NULL. */
enum rc db_order_timeline_add(struct db_tx *tx, const char *client_id, const char *shop_id,
                              const char *order_id, const char *event, const char *detail,
                              const char *by, const char *request_id, struct err *e);
/* Appends to tiktok_log_order; NULL texts are stored as NULL. */
enum rc db_order_log(struct db_tx *tx, const char *client_id, const char *shop_id,
                     const char *order_id, const char *old_state, const char *new_state,
                     const char *outcome, const char *platform_code, const char *request_id,
                     const char *run_id, const char *message, struct err *e);

/* ---- asking for work ---------------------------------------------------------------------------- */

/* An order that a person asked for by naming a period, not the order. */
#define DB_ORDER_BY_PERIOD "period"
/* Puts the job that reads the order from TikTok and brings it into VTEX (kind order_import). by as above or
 * DB_ORDER_BY_PERIOD; run_id may be NULL. */
enum rc db_order_import_put(struct db_tx *tx, const char *client_id, const char *shop_id,
                            const char *order_id, const char *by, const char *run_id,
                            int64_t delay_us, struct err *e);

/* ---- the poll ----------------------------------------------------------------------------------- */

struct order_poll_mark {
    int64_t watermark_us; /* updates before it have been stored; 0 = never polled */
    int64_t swept_us;     /* the last 72 hours were read as a whole; 0 = never */
    int64_t now_us;       /* database clock */
};
enum rc db_order_poll_get(struct db_tx *tx, const char *shop_id, struct order_poll_mark *out,
                          struct err *e);
/* All pages up to watermark_us are stored. The watermark never goes back. */
enum rc db_order_poll_set(struct db_tx *tx, const char *shop_id, int64_t watermark_us,
                          struct err *e);
/* The last 72 hours were read as a whole now. */
enum rc db_order_swept(struct db_tx *tx, const char *shop_id, struct err *e);
/* changed[i]: order ids[i] is unknown, or what is stored is not of updated_us[i] or not in statuses[i]. */
enum rc db_order_changed(struct db_tx *tx, const char *shop_id, const char *const *ids,
                         const int64_t *updated_us, const char *const *statuses, size_t n,
                         bool *changed, struct err *e);

/* Puts import jobs for orders that wait for a SKU link and were not looked at for older_than_us. */
enum rc db_order_recheck_put(struct db_tx *tx, const char *client_id, const char *shop_id,
                             int64_t older_than_us, struct err *e);

/* ---- SKUs --------------------------------------------------------------------------------------- */

/* VTEX SKU id of a TikTok SKU: what a person linked, then our products by TikTok SKU id, then by seller_sku, then what
 * VTEX's catalog said.
 * RC_NOT_FOUND when nothing explains it. */
enum rc db_order_sku_find(struct db_tx *tx, const char *client_id, const char *shop_id,
                          const char *tiktok_sku_id, const char *seller_sku, char *vtex_sku_id,
                          size_t cap, struct err *e);
/* Keeps a TikTok SKU on the list of unlinked ones (nothing happens when it is there). */
enum rc db_order_sku_unlinked(struct db_tx *tx, const char *client_id, const char *shop_id,
                              const char *tiktok_sku_id, const char *seller_sku,
                              const char *product_name, struct err *e);
/* VTEX does not sell what the SKU was linked to: it goes (back) to the list of unlinked SKUs. */
enum rc db_order_sku_lost(struct db_tx *tx, const char *client_id, const char *shop_id,
                          const char *tiktok_sku_id, const char *seller_sku,
                          const char *product_name, struct err *e);
/* Remembers a link that was found by asking VTEX's catalog. */
enum rc db_order_sku_link(struct db_tx *tx, const char *client_id, const char *shop_id,
                          const char *tiktok_sku_id, const char *seller_sku,
                          const char *vtex_sku_id, const char *linked_by, struct err *e);
/* Units of this SKU in TikTok orders that VTEX does not hold yet: to be taken off the stock that VTEX reports.
 * A row counts when its TikTok SKU id or its seller_sku is the one given; either may be NULL or "". */
enum rc db_order_pending_units(struct db_tx *tx, const char *shop_id, const char *tiktok_sku_id,
                               const char *seller_sku, int64_t *units, struct err *e);

/* ---- for REST: JSON in the shapes of interfaces.md ("Orders") ------------------------------------ */

struct order_filter {
    const char *state;  /* NULL = all */
    const char *from;   /* RFC 3339, inclusive, on created_at; NULL = any */
    const char *to;     /* exclusive */
    const char *q;      /* part of the order id, VTEX order id or a seller_sku */
    const char *cursor; /* `next` of the page before; NULL = first page */
    int limit;          /* 1..ORDER_LIST_MAX; 0 = 50 */
};
/* Newest first. *items: new array of order objects (as db_order_get_json, without timeline). next: "" on the
 * last page. RC_INVALID (field named) for a bad filter or cursor. */
enum rc db_order_list(struct db_tx *tx, const char *client_id, const struct order_filter *filter,
                      json_t **items, char next[160], struct err *e);
/* One order with its timeline; new reference. RC_NOT_FOUND: no order of this client has the id. */
enum rc db_order_get_json(struct db_tx *tx, const char *client_id, const char *order_id,
                          json_t **out, struct err *e);
/* What is lost next: service-level times of open orders and answers that buyers wait for, soonest first:
 * [{"order_id", "shop_id", "name", "at", "overdue", "state", "tiktok_status"}]. */
enum rc db_order_deadlines(struct db_tx *tx, const char *client_id, int limit, json_t **items,
                           struct err *e);
/* The shop of an order of this client; RC_NOT_FOUND. */
enum rc db_order_shop(struct db_tx *tx, const char *client_id, const char *order_id,
                      char shop_id[72], struct err *e);
/* Unlinked SKUs, those of orders first, then those that stand in TikTok's catalog only: [{"tiktok_sku_id",
 * "seller_sku", "product_name", "tiktok_product_id", "shop_id", "seen_in", "first_seen_at", "waiting_orders"}].
 * cursor: `next` of the page before, "" or NULL for the first. */
enum rc db_order_unlinked_list(struct db_tx *tx, const char *client_id, const char *cursor,
                               int limit, json_t **items, char next[160], struct err *e);
/* A person links a TikTok SKU to VTEX and so releases the orders that wait for it; *released may be NULL. */
enum rc db_order_unlinked_link(struct db_tx *tx, const char *client_id, const char *tiktok_sku_id,
                               const char *vtex_sku_id, const char *who, int64_t *released,
                               struct err *e);

#endif
