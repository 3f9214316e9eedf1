/* merchant.h - the example merchant: products with variants, made at the start from a compact text. */
#ifndef SANDBOX_MERCHANT_H
#define SANDBOX_MERCHANT_H

#include "buf.h"

/* What is wrong with a product on purpose. */
enum merchant_flaw { FLAW_NONE, FLAW_NO_PRICE, FLAW_SMALL_IMAGE, FLAW_AUDIT };

struct merchant_product {
    int id;          /* VTEX product id */
    int category_id; /* VTEX category of the leaf */
    int brand_id;
    char *title, *description, *category, *department, *brand, *google_category, *material, *gender,
        *ref;
    int64_t price_minor, list_minor;
    int weight_g, length_cm, width_cm, height_cm;
    enum merchant_flaw flaw;
    int first_sku, n_skus;
};

struct merchant_sku {
    int id;             /* VTEX SKU id; the text of it is the seller SKU */
    int product;        /* index */
    char *color, *size; /* "" when the product has no such choice */
    char ean[16];
    char ref[48];
    int64_t price_minor, list_minor; /* 0 = none */
    int64_t stock;
};

struct merchant {
    struct merchant_product *products;
    int n_products;
    struct merchant_sku *skus;
    int n_skus;
};

/* Reads the built-in text. wanted > 0: repeats the products until there are that many. */
enum rc merchant_new(int64_t wanted, struct merchant **out, struct err *e);
void merchant_free(struct merchant *m);
/* Index of a SKU by VTEX id, RefId or EAN; -1 when unknown. */
int merchant_sku_by_id(const struct merchant *m, int64_t id);
int merchant_sku_by_ref(const struct merchant *m, const char *ref);
int merchant_sku_by_ean(const struct merchant *m, const char *ean);
int merchant_product_by_id(const struct merchant *m, int64_t id);

/* The whole feed as RSS 2.0. base: "http://host:port"; price_minor and available are per SKU. */
enum rc merchant_feed(const struct merchant *m, const char *base, const int64_t *price_minor,
                      const int64_t *available, struct buf *out, struct err *e);

/* Pictures of a SKU: so many in the feed, all of them in VTEX. */
#define MERCHANT_FEED_PICTURES 3
#define MERCHANT_PICTURES 5
/* Name of picture number n (0..MERCHANT_PICTURES - 1) of a SKU: "301-preta-1.png"; variants of one colour share it. */
void merchant_picture_name(const struct merchant *m, int sku, int n, char out[64]);
/* The PNG file of that name. RC_NOT_FOUND when no product has such a picture. */
enum rc merchant_picture(const struct merchant *m, const char *name, struct buf *out,
                         struct err *e);

#endif
