/* db_override.h - values that a person holds against the source: set by an undo or an approved proposal. */
#ifndef DB_OVERRIDE_H
#define DB_OVERRIDE_H

#include "db_product.h"
#include "db_rest.h"

#define LIMIT_OVERRIDES 2000 /* of one product: its fields and a price for each SKU */

struct product_override {
    int64_t id;
    char seller_sku[SKU_BYTES]; /* "" = of the product */
    char field[16];             /* title, description, images, attributes, price */
    json_t *value;              /* owned; texts and amounts are strings */
    json_t *source_value;       /* owned; what the source gave when it was set */
    char reason[16];            /* revert, proposal */
    char run_id[40];            /* "" = none */
    int64_t proposal_id;        /* 0 = none */
    char set_by[128];
};

/* Member of TikTok's body that a field stands for; NULL for prices and unknown fields. Static. */
const char *db_override_member(const char *field);
/* All of one product. Free with db_overrides_free. */
enum rc db_overrides_get(struct db_tx *tx, const char *shop_id, const char *source_id,
                         struct product_override **out, int *n, struct err *e);
void db_overrides_free(struct product_override *list, int n);
/* Sets one, or replaces the one of the same product, SKU and field; id and memory of `o` are not looked at. */
enum rc db_override_put(struct db_tx *tx, const char *client_id, const char *shop_id,
                        const char *source_id, const struct product_override *o, struct err *e);
/* Ends one. RC_NOT_FOUND. The outputs (may be NULL) say whose it was. */
enum rc db_override_delete(struct db_tx *tx, const char *client_id, int64_t id, char shop_id[72],
                           char source_id[256], struct err *e);

/* As REST shows them, oldest first; source_id NULL = all. */
enum rc db_rest_overrides(struct db_tx *tx, const char *client_id, const char *source_id,
                          const char *cursor, int limit, struct rest_list *out, struct err *e);
/* One of them; new reference, RC_NOT_FOUND. */
enum rc db_rest_override(struct db_tx *tx, const char *client_id, int64_t id, json_t **doc,
                         struct err *e);

#endif
