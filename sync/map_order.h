/* map_order.h - a TikTok order as VTEX wants it: lines, cart to simulate, delivery chosen, order to place.
 *
 * Pure translation: no input or output. Amounts are cents. */
#ifndef MAP_ORDER_H
#define MAP_ORDER_H

#include "db_account.h"

#include <jansson.h>

#define LIMIT_ORDER_LINES 500

struct map_line {
    char tiktok_sku_id[64];
    char seller_sku[128];
    char product_name[256]; /* for people; cut */
    char vtex_sku_id[32];   /* "" until mapped */
    int64_t quantity;
    int64_t price_minor; /* per unit: what the merchant receives */
    int64_t extra_minor; /* lost by rounding when lines were merged: goes to this line's freight */
    bool gift;
    /* of the simulation */
    int64_t sla_price_minor;
    char estimate[16]; /* "6bd" */
    /* to be placed */
    int64_t freight_minor;
};

struct map_order {
    char order_id[64];
    char status[32]; /* CANCEL is read as CANCELLED */
    int64_t update_s, paid_s, ship_by_s;
    char currency[8];
    int64_t total_minor;    /* what the buyer pays */
    int64_t freight_minor;  /* buyer's fee plus what the platform pays of it */
    bool tiktok_ships;      /* shipping_type TIKTOK */
    bool tiktok_fulfills;   /* the goods are in TikTok's warehouse */
    bool all_cancelled;     /* it has lines and each one is cancelled */
    struct map_line *lines; /* owned: units grouped by SKU, price and gift */
    size_t n_lines;
    char sla[64]; /* chosen by map_order_sla_choose */
};

/* Reads TikTok's order; cancelled lines are left out. RC_INVALID: amounts, ids or times cannot be read. */
enum rc map_order_read(const json_t *order, struct map_order *out, struct err *e);
void map_order_done(struct map_order *o);
#define OWN_MAP_ORDER __attribute__((cleanup(map_order_done)))

/* [{seller_sku, tiktok_sku_id, quantity, unit_price}] and [{package_id, state, tracking_number, carrier}] for
 * the order's row; no personal data. New references, NULL when out of memory. */
json_t *map_order_items_new(const struct map_order *o);
json_t *map_order_packages_new(const json_t *order);

/* Makes lines of one VTEX SKU one: always when price and gift are equal; with ignore_price also of different
 * prices, then the unit price is rounded down and the remainder kept in extra_minor. */
void map_order_merge(struct map_order *o, bool ignore_price);
/* Items plus freight, exact. */
int64_t map_order_merchant_minor(const struct map_order *o);

/* Body of simulateCart; new reference or NULL. postal_code "01310-100". */
json_t *map_order_cart_new(const struct map_order *o, const char *postal_code);
/* Reads the simulation: every line there, available and not reduced, and one delivery common to all. Chooses
 * the cheapest, of equals the fastest, and fills sla, sla_price_minor and estimate. RC_INVALID with code
 * "out_of_stock" or "no_delivery" and the SKU named otherwise. */
enum rc map_order_sla_choose(struct map_order *o, const json_t *answer, struct err *e);
/* Minutes of "6bd", "2d", "3h", "30m"; -1 when it is none of these. A business day counts as 7/5 of a day. */
int64_t map_estimate_minutes(const char *estimate);
/* Spreads the freight over the lines in proportion to the simulated prices (else to the lines' values), the
 * remainder to the first; the sum is exact. */
void map_order_freight_split(struct map_order *o);

struct map_place {
    const struct client *client;
    const char *endpoint;    /* marketplaceServicesEndpoint */
    const char *mail_domain; /* for orders without an e-mail */
    bool no_custom;          /* leave customData out: the account has no such app */
};
/* One order of placeFulfillmentOrder (without the array); new reference. RC_INVALID with a code when the buyer
 * data does not suffice: address_missing, address_incomplete, name_missing, document_invalid. */
enum rc map_order_place_new(const struct map_order *o, const json_t *order,
                            const struct map_place *how, json_t **out, struct err *e);

#endif
