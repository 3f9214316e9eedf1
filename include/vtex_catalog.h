/* vtex_catalog.h - what the connector asks of a VTEX account about SKUs, prices and stock. */
#ifndef VTEX_CATALOG_H
#define VTEX_CATALOG_H

#include "platform.h"

/* All functions block and answer as vtex_call does; any thread with a session of its own. */

struct vtex_sku {
    char id[32];
    bool
        sellable; /* SKU, product and the account's own seller are active and the trade policy holds the SKU */
    int64_t multiplier_micro; /* unitMultiplier * 1,000,000 */
};
/* RC_NOT_FOUND: VTEX does not know the SKU. sku_id must be digits (RC_INVALID otherwise). */
enum rc vtex_sku_context(struct vtex_session *s, const char *sku_id, struct vtex_sku *out,
                         struct err *e);
/* SKU id of a RefId. RC_NOT_FOUND. */
enum rc vtex_sku_by_ref_id(struct vtex_session *s, const char *ref_id, char sku_id[32],
                           struct err *e);
/* Selling price of the session's trade policy in minor units, per measurement unit. RC_NOT_FOUND: the SKU has no
 * price, so it is not sellable. *valid_us: when it has to be read again, 0 = not said; may be NULL. */
enum rc vtex_computed_price(struct vtex_session *s, const char *sku_id, int64_t *minor,
                            int64_t *valid_us, struct err *e);
/* What a shopper of the trade policy pays for one unit, promotions included, without a postal code. RC_NOT_FOUND: the
 * SKU is not among what can be bought. valid_us as above. */
enum rc vtex_simulated_price(struct vtex_session *s, const char *sku_id, int64_t *minor,
                             int64_t *valid_us, struct err *e);

struct vtex_balance {
    char warehouse_id[64];
    int64_t total, reserved;
    bool unlimited;
};
#define VTEX_BALANCES_MAX 128
/* Balance per warehouse. An unknown SKU has none: RC_OK and *n 0. */
enum rc vtex_inventory(struct vtex_session *s, const char *sku_id,
                       struct vtex_balance out[VTEX_BALANCES_MAX], int *n, struct err *e);
/* Ids of the active warehouses that an active dock of the session's trade policy reaches; *n -1: the account has
 * no docks, so nothing can be told. */
enum rc vtex_policy_warehouses(struct vtex_session *s, char out[VTEX_BALANCES_MAX][64], int *n,
                               struct err *e);

/* Brands of one page (from 1): [{"id", "name", "isActive"}], new reference. *more: there is another page. */
enum rc vtex_brands_page(struct vtex_session *s, int page, json_t **items, bool *more,
                         struct err *e);

#endif
