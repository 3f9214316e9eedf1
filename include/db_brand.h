/* db_brand.h - the merchant's brands and the TikTok brands they stand for (table tiktok_brands). */
#ifndef DB_BRAND_H
#define DB_BRAND_H

#include "db.h"
#include "db_rest.h"

/* name_key is the name in lower case without accents (map_text_key). */

struct brand_row {
    char tiktok_brand_id[64]; /* "" = TikTok has none */
    char chosen_by[16];       /* match, created, operator, none */
    int64_t age_s;
};
/* What is known of a brand. RC_NOT_FOUND: TikTok was not asked for it yet. */
enum rc db_brand_get(struct db_tx *tx, const char *client_id, const char *name_key,
                     struct brand_row *out, struct err *e);
/* What TikTok said. Never overwrites an operator's choice. authorized: AUTHORIZED, UNAUTHORIZED or NULL. */
enum rc db_brand_put(struct db_tx *tx, const char *client_id, const char *name_key,
                     const char *name, const char *tiktok_brand_id, const char *chosen_by,
                     const char *authorized, struct err *e);
/* A brand of VTEX's catalog; what it was matched with stays. */
enum rc db_brand_vtex_put(struct db_tx *tx, const char *client_id, const char *name_key,
                          const char *name, const char *vtex_brand_id, struct err *e);
/* Why there is no TikTok brand for it: {"code", "message"}; NULL clears. */
enum rc db_brand_problem(struct db_tx *tx, const char *client_id, const char *name_key,
                         const json_t *problem, struct err *e);
/* Custom brands made in the last 24 hours, and ever. */
enum rc db_brand_custom_count(struct db_tx *tx, const char *client_id, int64_t *today,
                              int64_t *total, struct err *e);
enum rc db_brand_custom_made(struct db_tx *tx, const char *client_id, const char *name_key,
                             struct err *e);
/* Brands after name_key `after`: name_key, name, tiktok_brand_id, chosen_by, used (products of the shop's feed have it),
 * category_id (of most of them, "" = none). */
enum rc db_brand_page(struct db_tx *tx, const char *client_id, const char *shop_id,
                      const char *after, int limit, struct db_rows **rows, struct err *e);
/* Asks for the publication of the products that have the brand; n may be NULL. */
enum rc db_brand_publish(struct db_tx *tx, const char *client_id, const char *name_key, int64_t *n,
                         struct err *e);

/* ---- REST --------------------------------------------------------------------------------------- */

struct brand_filter {
    const char *chosen_by; /* NULL = all */
    const char *q;         /* part of the name; NULL = all */
};
enum rc db_brand_list(struct db_tx *tx, const char *client_id, const struct brand_filter *filter,
                      const char *cursor, int limit, struct rest_list *out, struct err *e);
/* An operator's choice, which wins from now on (NULL: this brand is left out), and asks for the products to be
 * published again. doc: new reference. RC_NOT_FOUND. */
enum rc db_brand_link(struct db_tx *tx, const char *client_id, const char *name,
                      const char *tiktok_brand_id, json_t **doc, struct err *e);

#endif
