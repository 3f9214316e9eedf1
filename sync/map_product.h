/* map_product.h - a feed product as the body of TikTok's create_product; pure, no I/O.
 *
 * The steps are separate because pictures of variants are uploaded between them: first the plan of the variants,
 * then (after the uploads) the body. Whatever keeps a product from being listed becomes a problem in words. */
#ifndef SYNC_MAP_PRODUCT_H
#define SYNC_MAP_PRODUCT_H

#include "db_account.h"
#include "db_product.h"

#define VARIANT_KINDS_MAX 3
#define MAIN_IMAGES_MAX 9

/* One SKU to list. Everything is borrowed. */
struct map_sku {
    const char *seller_sku;
    const char *source_sku;
    const char *tiktok_sku_id; /* NULL or "": not on TikTok yet */
    const json_t *item;        /* of desired.items */
    int64_t price_minor;
    int64_t stock;
    const json_t *by_warehouse; /* the same by TikTok warehouse; NULL = all in the shop's one */
};

/* One kind of choice between the SKUs: colour, size, ... */
struct variant_kind {
    char field[100];       /* member of the item: "color"; or "details:Voltagem"; or "title" */
    char attribute_id[64]; /* built-in sales attribute; "" = own name */
    bool by_value_id;      /* every value is a built-in one */
    char name[96];         /* own name, at most 20 characters */
};
struct variant_plan {
    struct variant_kind kinds[VARIANT_KINDS_MAX];
    int n;
    int primary; /* kind that carries pictures; -1 = none */
};

/* Decides which kinds tell the SKUs apart and which the category requires. attributes: get_attributes. Problems
 * that keep the product from being listed are added (missing_attribute, duplicate_variants). */
enum rc map_variants_plan(const struct map_sku *skus, int n_skus, const json_t *attributes,
                          struct variant_plan *out, json_t *problems, struct err *e);
/* Value of a kind for an item as it is sent: clean text of at most 50 characters. */
enum rc map_variant_value(const struct variant_kind *kind, const json_t *item, struct buf *out,
                          struct err *e);
/* The sales_attributes of one SKU. image_uris: value key (map_text_key) of the primary kind -> uri; NULL = none. */
enum rc map_sales_attributes(const struct variant_plan *plan, const json_t *attributes,
                             const json_t *item, const json_t *image_uris, json_t **out,
                             struct err *e);

/* product_attributes of a product: fixed ones of the taxonomy first, then what feed fields match. Required ones
 * without a value become problems. *chosen: object attribute id -> list of value ids, for conditions. */
enum rc map_product_attributes(const json_t *desired, const json_t *attributes, const json_t *fixed,
                               json_t **out, json_t **chosen, json_t *problems, struct err *e);
/* What the category demands and the connector cannot give: size chart, certificates. */
void map_rule_problems(const json_t *rules, const json_t *chosen, json_t *problems);

struct map_input {
    const char *source_id;
    const json_t *desired;
    const char *currency;
    const char *category_id;
    const json_t *rules;      /* get_category_rules */
    const json_t *attributes; /* get_attributes */
    const json_t
        *fixed_attributes; /* of the taxonomy: {"100107": {"value_id" | "value"}}; may be NULL */
    const char *brand_id;  /* "" = none */
    const char *const *main_uris;
    int n_main_uris;
    const struct variant_plan *plan;
    const json_t *image_uris;         /* as map_sales_attributes */
    const json_t *description_images; /* as map_text_html_pictured; may be NULL */
    const char *warehouse_id;
    const struct client *client; /* package rule */
    const struct map_sku *skus;
    int n_skus;
};
/* The body without idempotency_key. Problems are added to `problems`; when it holds any, *out is NULL and the outcome
 * RC_OK. */
enum rc map_product(const struct map_input *in, json_t **out, json_t *problems, struct err *e);
/* Title and description as they are sent. */
enum rc map_title(const json_t *desired, struct buf *out, struct err *e);
enum rc map_description(const json_t *desired, struct buf *out, struct err *e);
/* The description with its pictures: as map_text_html_pictured. */
enum rc map_description_pictured(const json_t *desired, const json_t *pictures, struct buf *out,
                                 struct err *e);
/* The same body without prices and stock: what is compared to see whether an edit is needed. New reference. */
json_t *map_product_content(const json_t *body);

/* Text of desired, or of its first item that has the member; NULL = absent. Borrowed. */
const char *desired_text(const json_t *desired, const char *member);
/* Member of an item by variant field ("color", "details:Voltagem", "title"). Borrowed. */
const char *item_text(const json_t *item, const char *field);
/* "Moda > Camisetas" from category or product_type; false when there is none. */
bool desired_category(const json_t *desired, struct buf *out);

#endif
