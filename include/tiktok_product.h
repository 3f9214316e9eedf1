/* tiktok_product.h - products, categories, brands, images and warehouses of TikTok Shop: one function per call. */
#ifndef TIKTOK_PRODUCT_H
#define TIKTOK_PRODUCT_H

#include "platform.h"

/* All functions block, may be called from any thread with a session of its own, and answer as tiktok_call does.
 * A json_t given back is a new reference that the caller owns. `request_id` outputs may be NULL. */

#define TIKTOK_ID_BYTES 64
#define TIKTOK_REQUEST_ID_BYTES 96

/* What TikTok says against one request. */
struct tiktok_issue {
    int64_t code;
    char message[400];
    char field[64]; /* sku id, warehouse id or position; "" = none */
};
#define TIKTOK_ISSUES_MAX 20
struct tiktok_issues {
    struct tiktok_issue list[TIKTOK_ISSUES_MAX];
    int n;
    bool more; /* TikTok named more than fit */
    char request_id[TIKTOK_REQUEST_ID_BYTES];
};

/* `data.check_results` of which is_failed is true, as [{"item", "reasons": [..]}]; empty = listing is possible. */
enum rc tiktok_check_prerequisites(struct tiktok_session *s, json_t **failed, struct err *e);
/* Id of the default enabled SALES_WAREHOUSE, else of the only enabled one. RC_NOT_FOUND (code "no_warehouse"). */
enum rc tiktok_default_warehouse(struct tiktok_session *s, char out[TIKTOK_ID_BYTES],
                                 struct err *e);

struct tiktok_recommendation {
    char category_id[TIKTOK_ID_BYTES];
    char name[256];
    bool leaf;
    bool available; /* the shop may list there */
};
/* RC_NOT_FOUND (code "no_category") when TikTok has no proposal. description may be NULL. */
enum rc tiktok_recommend_category(struct tiktok_session *s, const char *title,
                                  const char *description, const char *entity,
                                  struct tiktok_recommendation *out, struct err *e);
/* The whole category tree as an array of {"id", "parent_id", "name", "is_leaf", "available", "permissions"}, never
 * empty. */
enum rc tiktok_categories(struct tiktok_session *s, json_t **nodes, struct err *e);
/* `data` of the rules. RC_NOT_FOUND (code "category_refused") when the category is no usable leaf. */
enum rc tiktok_category_rules(struct tiktok_session *s, const char *category_id, json_t **rules,
                              struct err *e);
/* `data.attributes`. */
enum rc tiktok_category_attributes(struct tiktok_session *s, const char *category_id,
                                   json_t **attributes, struct err *e);

struct tiktok_brand {
    char id[TIKTOK_ID_BYTES];
    char name[256];
    bool authorized;
    bool t1;
    bool available;
};
/* Calls `each` for every brand whose name begins with `name`, until it answers false. */
typedef bool (*tiktok_brand_fn)(void *user, const struct tiktok_brand *brand);
enum rc tiktok_brands(struct tiktok_session *s, const char *category_id, const char *name,
                      tiktok_brand_fn each, void *user, struct err *e);

/* Makes a custom brand. RC_INVALID: refused, e->platform_code says why. RC_UNSURE: look for it by its name. */
enum rc tiktok_create_custom_brand(struct tiktok_session *s, const char *name,
                                   char id[TIKTOK_ID_BYTES], struct err *e);

struct tiktok_image {
    char uri[512];
    char url[1024];
    int64_t width, height;
};
/* use_case: MAIN_IMAGE, ATTRIBUTE_IMAGE. name: file name with extension; type: "image/jpeg". */
enum rc tiktok_upload_image(struct tiktok_session *s, const char *use_case, const void *bytes,
                            size_t len, const char *name, const char *type, const char *entity,
                            struct tiktok_image *out, struct err *e);

/* What a create or edit acknowledged. */
struct tiktok_saved {
    char product_id[TIKTOK_ID_BYTES];
    json_t *skus;     /* [{"id", "seller_sku", "external_sku_id"}], owned */
    json_t *warnings; /* [{"message"}], owned, never NULL */
    char request_id[TIKTOK_REQUEST_ID_BYTES];
};
void tiktok_saved_done(struct tiktok_saved *saved);
/* RC_INVALID fills *issues with every reason (the wrapper 12052990 unpacked). */
enum rc tiktok_create_product(struct tiktok_session *s, const json_t *body, const char *entity,
                              struct tiktok_saved *out, struct tiktok_issues *issues,
                              struct err *e);
enum rc tiktok_edit_product(struct tiktok_session *s, const char *product_id, const json_t *body,
                            struct tiktok_saved *out, struct tiktok_issues *issues, struct err *e);
enum rc tiktok_partial_edit_product(struct tiktok_session *s, const char *product_id,
                                    const json_t *body, struct tiktok_saved *out,
                                    struct tiktok_issues *issues, struct err *e);
/* body: {"skus": [{"id", "price": {"amount", "currency"}}]}. */
enum rc tiktok_update_price(struct tiktok_session *s, const char *product_id, const json_t *body,
                            struct tiktok_issues *issues, struct err *e);
/* body: {"skus": [{"id", "inventory": [{"warehouse_id", "quantity"}]}]}. RC_OK with issues->n > 0: the SKUs named in
 * issues[].field were refused, the others taken. */
enum rc tiktok_update_inventory(struct tiktok_session *s, const char *product_id,
                                const json_t *body, struct tiktok_issues *issues, struct err *e);

#define TIKTOK_INVENTORY_IDS 100
/* Stock of up to 100 products: data.inventory, new reference. */
enum rc tiktok_inventory_search(struct tiktok_session *s, const char *const *product_ids, size_t n,
                                json_t **out, struct err *e);

enum tiktok_shelf { TIKTOK_DEACTIVATE, TIKTOK_ACTIVATE, TIKTOK_DELETE };
/* Why one product of such a call was refused; code 0 = it was taken. */
struct tiktok_refusal {
    int64_t code;
    char message[400];
    enum rc rc; /* what the code means: RC_INVALID, or an outcome that passes */
};
/* Takes up to 20 products off sale, puts them on sale (through review), or deletes them. RC_OK: refusals[i] tells of
 * ids[i]. RC_INVALID: the whole call was refused. */
enum rc tiktok_shelve(struct tiktok_session *s, enum tiktok_shelf what, const char *const *ids,
                      size_t n, struct tiktok_refusal *refusals,
                      char request_id[TIKTOK_REQUEST_ID_BYTES], struct err *e);

/* `data` of the product. RC_NOT_FOUND when TikTok does not have it. under_review: the pending version. */
enum rc tiktok_get_product(struct tiktok_session *s, const char *product_id, bool under_review,
                           json_t **product, char request_id[TIKTOK_REQUEST_ID_BYTES],
                           struct err *e);
/* Products (any state) with one of up to 10 seller SKUs: `data.products` of all pages. */
enum rc tiktok_search_products(struct tiktok_session *s, const char *const *seller_skus, size_t n,
                               json_t **products, struct err *e);

/* Products made from from_s to to_s, unix seconds, both inclusive; 0 = open. */
struct tiktok_window {
    int64_t from_s, to_s;
};
struct tiktok_page {
    json_t *
        products; /* owned, never NULL: [{"id", "title", "status", "skus", "create_time", "update_time"}] */
    char next[512]; /* token of the next page; "" on the last one */
    int64_t total;  /* as TikTok counts the window; -1 = it does not say */
    bool too_many;  /* TikTok does not list so many at once: ask for a smaller window */
};
/* One page of all products of the shop in any state; token: of the page before, "" or NULL for the first. */
enum rc tiktok_list_products(struct tiktok_session *s, const struct tiktok_window *window,
                             const char *token, struct tiktok_page *out, struct err *e);

#endif
