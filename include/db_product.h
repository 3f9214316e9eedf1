/* db_product.h - products, SKUs and what publishing them needs: images, brands, categories, logs. */
#ifndef DB_PRODUCT_H
#define DB_PRODUCT_H

#include "db.h"
#include "db_account.h"

/* Shape of products.desired (written by the feed reader, read by the publisher):
 * {"source_id": "301", "title", "description" (may hold HTML), "link", "brand", "category": "Moda > Camisetas",
 *  "images": ["https://..."],
 *  "items": [{"id": "1201", "title", "description", "link", "images": [...], "price": 7990, "sale_price": 6990,
 *             "sale_from", "sale_to" (RFC 3339), "currency": "BRL", "availability": "in_stock", "quantity": 7,
 *             "brand", "gtin", "mpn", "product_type": ["Moda", "Camisetas"], "color", "size", "material",
 *             "pattern", "gender", "age_group", "condition", "weight_g", "length_mm", "width_mm", "height_mm",
 *             "details": [{"name", "value"}]}],
 *  "too_many_items": true (the feed has more variants than LIMIT_SKUS; `items` holds the first of them)}
 * Absent means absent in the feed; title, brand, category and images of the product may be left out and are
 * then taken from the first item that has them. Prices are minor units. */

#define LIMIT_SKUS 300 /* of one product, TikTok's limit in Brazil */
#define SKU_BYTES 208  /* 50 characters and the terminator, with room for longer feed ids */

struct sku {
    char seller_sku[SKU_BYTES];
    char source_sku[SKU_BYTES];
    char vtex_sku_id[32];   /* "" = not known */
    char tiktok_sku_id[64]; /* "" = not published */
    char currency[8];
    int64_t feed_price_minor; /* 0 = none; the sale price while it applies */
    bool feed_available;
    int64_t feed_quantity;         /* -1 = not in the feed */
    int64_t price_published_minor; /* 0 = never */
    int64_t stock_published;       /* -1 = never */
    bool values_differ;            /* desired price or stock is not what TikTok acknowledged */
    bool price_doubt, stock_doubt; /* another value was sent and its end is not known */
    int64_t price_hold_minor;      /* held by the jump guard; 0 = none */
    int64_t price_approved_minor;  /* held, and a person let it go; 0 = none */
    json_t *
        warehouses; /* owned: quantity of each TikTok warehouse as acknowledged; NULL = not known */
    char problem_code[64]; /* of the SKU's problem; "" = none */
};

struct product {
    char shop_id[72];
    char source_id[256];
    char client_id[68];
    char status[16];
    char *title;       /* owned */
    json_t *desired;   /* owned; shape above */
    json_t *published; /* owned; body TikTok acknowledged, without price and stock; NULL = none */
    char desired_hash[40]; /* uuid text, "" = none */
    char published_hash[40];
    bool in_feed;
    char shelf[8];              /* where it should be (db_shelf.h) */
    bool shelf_due;             /* TikTok is not told yet */
    char tiktok_product_id[64]; /* "" = none */
    char idempotency_key[132];
    int64_t create_sent_us; /* a create was sent and its end not stored; 0 = no */
    char *source_category;  /* owned, never NULL */
    char tiktok_category_id[64];
    char category_chosen_by[16];
    char tiktok_brand_id[64];
    int64_t published_us;
    bool adopted;         /* stood on TikTok before it was linked */
    bool kept_back;       /* a switch keeps something of it or of its SKUs */
    char images_sent[72]; /* digest of the picture addresses that were sent; "" = not known */
    json_t *problems;     /* owned, never NULL: as they are stored */
    json_t *edit_sent; /* owned, never NULL: members of an edit whose end is not known, as keys */
    json_t *edit_unreviewed; /* owned, never NULL: members that no review has passed yet, as keys */
    char tiktok_status[32];  /* as TikTok names it; "" = not read yet */
    char counted_run_id[40]; /* run whose counters already include this product */
    int64_t values_version;  /* grows whenever prices or stock are worked out anew */
    struct sku *skus;        /* owned, by position */
    int n_skus;
};

/* One product with its SKUs. RC_NOT_FOUND. Free with db_product_done. */
enum rc db_product_get(struct db_tx *tx, const char *shop_id, const char *source_id,
                       struct product *out, struct err *e);
void db_product_done(struct product *p);
#define OWN_PRODUCT __attribute__((cleanup(db_product_done)))
/* source_id of a TikTok product of the shop. RC_NOT_FOUND. */
enum rc db_product_by_tiktok(struct db_tx *tx, const char *shop_id, const char *tiktok_product_id,
                             char source_id[256], struct err *e);

/* Inserts or updates what the feed says of a product (desired, title, brand, category, hash); status, TikTok's
 * ids and published values stay. Sets in_feed, clears absent_feeds. */
enum rc db_product_put_desired(struct db_tx *tx, const char *client_id, const char *shop_id,
                               const char *source_id, const char *title, const char *brand,
                               const char *source_category, const json_t *desired,
                               const char *desired_hash /* uuid text */, const char *run_id,
                               struct err *e);
/* Inserts or updates the feed side of one SKU (seller_sku, source_sku, position, currency, feed_*,
 * vtex_sku_id when not empty). A seller_sku of another product is RC_DUPLICATE and leaves the transaction usable. */
enum rc db_sku_put_feed(struct db_tx *tx, const char *client_id, const char *shop_id,
                        const char *source_id, int position, const struct sku *sku, struct err *e);
/* seller_sku of the product's item with this id in the feed. RC_NOT_FOUND. */
enum rc db_sku_by_source(struct db_tx *tx, const char *shop_id, const char *source_id,
                         const char *source_sku, char seller_sku[SKU_BYTES], struct err *e);
/* Deletes unpublished SKU rows of the product that are not among the given ones. */
enum rc db_sku_prune(struct db_tx *tx, const char *shop_id, const char *source_id,
                     const char *const *seller_skus, size_t n, struct err *e);
/* Deletes the row of one SKU of the product: TikTok does not have it any more. */
enum rc db_sku_delete(struct db_tx *tx, const char *shop_id, const char *source_id,
                      const char *seller_sku, struct err *e);

/* ---- what REST shows (interfaces.md, Catalog) -------------------------------------------------- */

/* Products of a client as the JSON array "items", by source_id after `after` ("" = from the start). status and q
 * may be NULL or ""; q is looked for in title, source id and seller SKU. limit 1..200. next: source_id to go on
 * after, "" on the last page. sandbox: of the client's test shop, else of the others. *items is the caller's. */
enum rc db_product_list(struct db_tx *tx, const char *client_id, const char *status, const char *q,
                        const char *after, bool sandbox, int limit, json_t **items, char next[256],
                        struct err *e);
/* One product as JSON. RC_NOT_FOUND. */
enum rc db_product_show(struct db_tx *tx, const char *client_id, const char *source_id,
                        bool sandbox, json_t **out, struct err *e);
/* What explains price and stock of a SKU (GET .../skus/{seller_sku}/explain). RC_NOT_FOUND. */
enum rc db_sku_explain(struct db_tx *tx, const char *client_id, const char *seller_sku,
                       bool sandbox, json_t **out, struct err *e);

/* ---- publishing ------------------------------------------------------------------------------- */

/* Sets the status and replaces the problems (JSON array; NULL = none). */
enum rc db_product_state(struct db_tx *tx, const char *shop_id, const char *source_id,
                         const char *status, const json_t *problems, struct err *e);
/* Drops those of the product's problems that have one of the codes. */
enum rc db_product_problems_drop(struct db_tx *tx, const char *shop_id, const char *source_id,
                                 const char *const *codes, size_t n, struct err *e);
enum rc db_product_category(struct db_tx *tx, const char *shop_id, const char *source_id,
                            const char *category_id, const char *chosen_by, struct err *e);
enum rc db_product_brand(struct db_tx *tx, const char *shop_id, const char *source_id,
                         const char *brand_key, const char *tiktok_brand_id, struct err *e);
/* Marks that a create is about to be sent: status publishing, create_sent_at, and an idempotency key (the given
 * one unless the product has one already; key returns the one to use). */
enum rc db_product_create_begin(struct db_tx *tx, const char *shop_id, const char *source_id,
                                char key[132], struct err *e);
/* A create was refused for good: the next one is another logical create. */
enum rc db_product_create_refused(struct db_tx *tx, const char *shop_id, const char *source_id,
                                  struct err *e);
/* TikTok acknowledged a create or an edit: ids, published body and hash, status, problems (may be NULL). */
enum rc db_product_published(struct db_tx *tx, const char *shop_id, const char *source_id,
                             const char *tiktok_product_id, const char *published_hash,
                             const json_t *published, const char *status, const json_t *problems,
                             struct err *e);
/* An edit of these members (an object with them as keys) is about to be sent: until db_product_published or
 * db_product_edit_refused nobody knows whether TikTok has it. */
enum rc db_product_edit_begin(struct db_tx *tx, const char *shop_id, const char *source_id,
                              const json_t *members, struct err *e);
/* TikTok did not take the edit: in doubt is what was so before it. */
enum rc db_product_edit_refused(struct db_tx *tx, const char *shop_id, const char *source_id,
                                const json_t *before, struct err *e);
/* TikTok's review passed all that was acknowledged. */
enum rc db_product_edit_passed(struct db_tx *tx, const char *shop_id, const char *source_id,
                               struct err *e);
/* It refused it, and what is on sale has these SKUs only: the others were never made (*any: there were some). */
enum rc db_product_edit_undone(struct db_tx *tx, const char *shop_id, const char *source_id,
                               const char *const *sku_ids, size_t n, bool *any, struct err *e);
/* The content on TikTok counts as this without a call. */
enum rc db_product_settled(struct db_tx *tx, const char *shop_id, const char *source_id,
                           const json_t *published, struct err *e);
enum rc db_product_images_sent(struct db_tx *tx, const char *shop_id, const char *source_id,
                               const char *digest, struct err *e);
/* What the review made of it. problems: all of the product from now on; NULL = leave them. */
enum rc db_product_audit(struct db_tx *tx, const char *shop_id, const char *source_id,
                         const char *status, const char *tiktok_status, const char *audit_status,
                         const json_t *problems, struct err *e);
/* Somebody changed these members of the product on TikTok: what was published there is not known any more, so the next
 * publication sends them again. */
enum rc db_product_diverged(struct db_tx *tx, const char *shop_id, const char *source_id,
                            const char *const *members, size_t n, struct err *e);
/* A person put the product into another category on TikTok, and it stays there: chosen by "operator". */
enum rc db_product_category_followed(struct db_tx *tx, const char *shop_id, const char *source_id,
                                     const char *category_id, struct err *e);
/* Raw body of the newest notification of a topic (5, 15, 37) for a TikTok product since then. RC_NOT_FOUND. */
enum rc db_product_event(struct db_tx *tx, const char *shop_id, const char *tiktok_product_id,
                         int topic, int64_t since_us, struct buf *body, struct err *e);
/* Remembers that the run counted this product; *first tells whether it was not counted before. */
enum rc db_product_count_run(struct db_tx *tx, const char *shop_id, const char *source_id,
                             const char *run_id, bool *first, struct err *e);

struct sku_values {
    const char *seller_sku;
    int64_t price_minor; /* 0 = leave alone */
    const json_t
        *price_inputs; /* {"inputs": [...], "rules": [...], "result"}; NULL = leave alone */
    int64_t stock;     /* -1 = leave alone */
    const json_t *stock_inputs;
    const json_t *problem; /* NULL clears */
};
enum rc db_sku_desired(struct db_tx *tx, const char *shop_id, const struct sku_values *v,
                       struct err *e);
/* TikTok acknowledged: id and values; "" / 0 / -1 leave a column alone. */
enum rc db_sku_published(struct db_tx *tx, const char *shop_id, const char *seller_sku,
                         const char *tiktok_sku_id, int64_t price_minor, int64_t stock,
                         struct err *e);

/* ---- caches ----------------------------------------------------------------------------------- */

struct taxonomy_row {
    char tiktok_category_id[64];
    char source_category[768];
    json_t *attributes; /* owned */
};
/* The mapping (not a recommendation) of the longest of the given paths. RC_NOT_FOUND. */
enum rc db_taxonomy_find(struct db_tx *tx, const char *client_id, const char *const *paths,
                         size_t n, struct taxonomy_row *out, struct err *e);
/* Stores a recommendation for people to see; keeps what is there. */
enum rc db_taxonomy_suggest(struct db_tx *tx, const char *client_id, const char *source_category,
                            const char *category_id, struct err *e);
/* Rules and attributes not older than max_age_s; new references. RC_NOT_FOUND. */
enum rc db_category_get(struct db_tx *tx, const char *shop_id, const char *category_id,
                        int64_t max_age_s, json_t **rules, json_t **attributes, struct err *e);
/* Stores both; *changed: others were known before. */
enum rc db_category_put(struct db_tx *tx, const char *client_id, const char *shop_id,
                        const char *category_id, const json_t *rules, const json_t *attributes,
                        bool *changed, struct err *e);

enum rc db_shop_warehouse_put(struct db_tx *tx, const char *shop_id, const char *warehouse_id,
                              struct err *e);
/* What of the shop's setup blocks listing: JSON array of problems (empty = nothing), not older than max_age_s.
 * RC_NOT_FOUND when not known; new reference. */
enum rc db_prerequisites_get(struct db_tx *tx, const char *shop_id, int64_t max_age_s,
                             json_t **problems, struct err *e);
enum rc db_prerequisites_put(struct db_tx *tx, const char *client_id, const char *shop_id,
                             const json_t *problems, struct err *e);
/* Somebody asks for publication: what stood in its way is looked at again, however fresh the answer is. */
enum rc db_prerequisites_forget(struct db_tx *tx, const char *shop_id, struct err *e);
/* The shop may list: products that wait for it are due now. */
enum rc db_prerequisites_met(struct db_tx *tx, const char *client_id, const char *shop_id,
                             struct err *e);

/* ---- logs ------------------------------------------------------------------------------------- */

enum log_table { LOG_TABLE_PRODUCT, LOG_TABLE_PRICE, LOG_TABLE_PRICE_PRODUCT, LOG_TABLE_STOCK };
struct log_row {
    const char *client_id, *shop_id, *entity;
    const char *old_value, *new_value; /* may be NULL */
    const char *outcome;               /* created, updated, refused, live, ... */
    int64_t platform_code;             /* 0 = none */
    const char *request_id, *run_id, *message;
    const json_t *inputs;  /* PRICE_PRODUCT and STOCK only */
    int64_t age_ms;        /* the same two: from the notice of the change; 0 = none */
    const json_t *changes; /* PRODUCT only: [{"field", "old", "new", "rule"}]; NULL = none */
};
enum rc db_log(struct db_tx *tx, enum log_table table, const struct log_row *row, struct err *e);

#endif
