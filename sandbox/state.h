/* state.h - everything the simulator knows, and what its files offer each other.
 *
 * All state hangs on one struct sandbox and is guarded by its lock; request handlers and agenda tasks take it.
 * State that is shown outside is kept as JSON, so that an answer is a copy and not a translation. */
#ifndef SANDBOX_STATE_H
#define SANDBOX_STATE_H

#include "fetch.h"
#include "http.h"
#include "merchant.h"

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>

#define SBX_PAIRS_MAX 40
#define SBX_SHOPS_MAX 32
#define SBX_ACCOUNTS_MAX 32
#define SBX_RETRIES_MAX 8
#define SBX_FAULTS_MAX 64
#define SBX_EXCHANGES_MAX 500
#define LIMIT_SBX_BODY_BYTES ((size_t)4 << 20)
#define LIMIT_SBX_UPLOAD_BYTES ((size_t)11 << 20)

struct agenda;
struct sandbox;

/* Settings; texts are borrowed from argv or the environment. */
struct sbx_cfg {
    const char *address;
    const char *feed_address; /* NULL = none */
    const char *app_key;
    const char *app_secret;
    const char *service_id;
    const char *redirect_url;
    const char *webhook_url;  /* base address of the connector; "" = no webhooks */
    const char *accounts;     /* comma-separated VTEX accounts */
    const char *vtex_app_key; /* last part of the app key: vtexappkey-{account}-{this} */
    const char *vtex_app_token;
    int64_t shops;
    int64_t products;              /* 0 = the built-in merchant as it is */
    int64_t audit_ms;              /* review time of a product */
    int64_t workflow_ms;           /* VTEX: time between two order states */
    int64_t access_seconds;        /* life of an access token */
    int64_t authorization_seconds; /* life of an authorization */
    int64_t rate_per_second;       /* per (app, shop, operation) */
    int64_t retries_ms[SBX_RETRIES_MAX];
    int n_retries;
    bool verbose;
};

/* One TikTok shop with what the seller has there. */
struct sbx_shop {
    char id[32], code[24], cipher[64], open_id[40], seller[48], name[64];
    char sales_warehouse[32], return_warehouse[32];
    bool authorized;
    int64_t authorization_ends_s;
    json_t *products;    /* id -> product (shop_product.c) */
    json_t *by_sku;      /* SKU id -> product id */
    json_t *by_external; /* external product id -> product id */
    json_t *by_key;      /* idempotency key -> {"product_id", "digest"} */
    json_t *orders;      /* id -> order, newest last */
    json_t *parcels;     /* package id -> what is known beside its order (shop_parcel.c) */
    json_t *aftersales;  /* id -> cancellation or return (shop_aftersale.c) */
};

/* Price and stock of the merchant's SKUs as one VTEX account sees them, and its orders. */
struct sbx_account {
    char name[64];
    int64_t *price_minor; /* per merchant SKU; 0 = no price */
    int64_t *total, *reserved;
    int64_t quiet_from_us, quiet_until_us; /* after a planted 429: nobody should call */
    json_t *orders;                        /* VTEX order id -> record (store_order.c) */
};

struct sbx_fault {
    char where[8];      /* "tiktok", "vtex", "webhook" */
    char operation[48]; /* "*" = any */
    char kind[16];
    int64_t left;
    int64_t ms;
};

struct sbx_bucket;

struct sandbox {
    pthread_mutex_t lock;
    struct sbx_cfg cfg;
    struct merchant *merchant; /* never changes after the start */
    json_t *market;            /* categories, attributes, brands; never changes */
    json_t *tiktok_contract, *vtex_contract;
    struct fetch *fetch;
    struct agenda *agenda;
    struct sbx_shop shops[SBX_SHOPS_MAX];
    int n_shops;
    struct sbx_account accounts[SBX_ACCOUNTS_MAX];
    int n_accounts;
    json_t *codes;     /* authorization code -> {"shop", "ends_s"} */
    json_t *access;    /* access token -> {"shop", "ends_s"} */
    json_t *refresh;   /* refresh token -> {"shop", "ends_s"} */
    json_t *custom;    /* ids that were given to custom attribute names and values */
    json_t *images;    /* uri -> {"width", "height", "use_case", "bytes"} */
    json_t *buckets;   /* "app|shop|operation" -> {"second", "used"} */
    json_t *calls;     /* operation -> count */
    json_t *refused;   /* newest refusals for breaking the contract */
    json_t *exchanges; /* newest requests */
    struct sbx_fault faults[SBX_FAULTS_MAX];
    int n_faults;
    int64_t seq, id_base;
    int64_t webhooks_sent, webhooks_failed, webhooks_lost;
    int64_t refused_total;
};

/* ---- small helpers (helpers.c) ------------------------------------------------------------------ */

/* A simulator without memory cannot go on: ends the process when value is NULL, else returns it. */
void *sbx_need(void *value);
/* Sets a member; takes the reference. */
void sbx_set(json_t *object, const char *key, json_t *value);
void sbx_set_text(json_t *object, const char *key, const char *text); /* NULL = JSON null */
void sbx_set_int(json_t *object, const char *key, int64_t value);
void sbx_append(json_t *list, json_t *value);
/* Member as text, "" when absent or no string. */
const char *sbx_text(const json_t *object, const char *key);
/* A page with its style inside; the listener's default policy would ignore the style. */
enum rc sbx_html(struct http_reply *reply, int status, const char *html, struct err *e);
int64_t sbx_int(const json_t *object, const char *key);
int64_t sbx_now_s(void);
/* A new platform id with 19 digits (18 for orders). Lock held. */
void sbx_id(struct sandbox *sb, bool order, char out[32]);
/* ISO time with seven digits and an offset, as VTEX writes it. */
void sbx_vtex_time(int64_t us, char out[40]);

/* ---- state (world.c) ------------------------------------------------------------------------- */

/* Makes the whole state from settings and built-in files. */
enum rc sbx_state_new(const struct sbx_cfg *cfg, struct sandbox **out, struct err *e);
void sbx_state_free(struct sandbox *sb);
struct sbx_shop *sbx_shop_find(struct sandbox *sb, const char *id);
struct sbx_account *sbx_account_find(struct sandbox *sb, const char *name);

/* ---- agenda (agenda.c) ----------------------------------------------------------------------- */

/* A task runs on an agenda thread, without the lock; it frees what `data` owns. */
typedef void (*sbx_task)(struct sandbox *sb, void *data);
enum rc agenda_new(struct sandbox *sb, int threads, struct agenda **out, struct err *e);
void agenda_free(struct agenda *a);
/* Runs task(sb, data) after ms; data is freed with free() when the agenda ends before. Any thread. */
void agenda_put(struct agenda *a, int64_t ms, sbx_task task, void *data);

/* ---- contract (schema.c) --------------------------------------------------------------------- */

enum sbx_breach_kind { SBX_UNKNOWN, SBX_MISSING, SBX_TYPE, SBX_VALUE, SBX_LENGTH, SBX_COUNT };
struct sbx_breach {
    enum sbx_breach_kind kind;
    char path[160]; /* "skus[0].price.amount" */
    char text[320];
};
/* Checks value against a reduced JSON schema (sandbox/contract): members that are not named there are
 * refused, unless the schema of the object names none. False: *out tells the first breach, breadth first. */
bool sbx_schema_check(const json_t *schema, const json_t *value, struct sbx_breach *out);
/* Checks one query parameter, which is text on the wire. */
bool sbx_schema_param(const json_t *schema, const char *name, const char *value,
                      struct sbx_breach *out);

/* ---- faults, records (faults.c) --------------------------------------------------------------- */

/* Takes one planted fault for an operation; false when there is none. Lock held. */
bool sbx_fault_take(struct sandbox *sb, const char *where, const char *operation,
                    struct sbx_fault *out);
/* Adds a fault; RC_INVALID names the wrong member. Lock held. */
enum rc sbx_fault_add(struct sandbox *sb, const json_t *spec, struct err *e);
/* What a fault means for a request. SBX_GO: process it (then call sbx_fault_after); SBX_STOP: the reply is
 * complete, return it; SBX_KIND: answer as the platform does (429, 500, 503, token_expired). */
enum sbx_gate { SBX_GO, SBX_STOP, SBX_KIND };
enum sbx_gate sbx_fault_before(struct sandbox *sb, struct http_req *req, struct http_reply *reply,
                               const char *where, struct sbx_fault *fault);
void sbx_fault_after(const struct sbx_fault *fault, struct http_reply *reply);
/* Notes a request for /sandbox/exchanges; lock held. */
void sbx_note(struct sandbox *sb, const struct http_req *req, int status, int64_t code,
              const char *fault);
/* Notes that a request broke the contract; lock held. */
void sbx_note_refused(struct sandbox *sb, const char *where, const char *operation,
                      const char *code, const char *text);

/* ---- webhooks (notify.c) -------------------------------------------------------------------- */

/* Queues a webhook of `type` with data (reference taken) for the shop. Lock held. */
void sbx_webhook(struct sandbox *sb, const struct sbx_shop *shop, int type, json_t *data);

/* ---- TikTok (shop_*.c) ---------------------------------------------------------------------- */

struct sbx_pair {
    char name[64];
    char value[2048];
};

/* One TikTok request on its way. Operations fill data or call sbx_fail. Lock held. */
struct sbx_call {
    struct sandbox *sb;
    struct http_req *req;
    const json_t *spec; /* the operation in the contract */
    const char *operation;
    struct sbx_pair pairs[SBX_PAIRS_MAX];
    int n_pairs;
    struct sbx_shop *shop;    /* of the cipher; NULL without one */
    struct sbx_shop *grantor; /* whose token it is */
    json_t *body;
    json_t *data;
    int64_t code;
    int status;
    char message[400];
};
typedef void (*sbx_op)(struct sbx_call *c);

void sbx_fail(struct sbx_call *c, int64_t code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Query parameter by name, NULL when absent. */
const char *sbx_query(const struct sbx_call *c, const char *name);
/* Splits the raw query; false when it is malformed, repeats a name or does not fit. */
bool sbx_query_split(const char *raw, struct sbx_pair *pairs, int *n);
/* Signature of a request by the signing rules, lower-case hex; multipart: the body is left out. */
void sbx_sign(const char *secret, const struct http_req *req, const struct sbx_pair *pairs, int n,
              bool multipart, char out[65]);
/* Reads page_size and page_token of a call into offset and count; false after sbx_fail. */
bool sbx_page(struct sbx_call *c, size_t *offset, size_t *count);
/* Sets next_page_token in data for the page after offset + count of total. */
void sbx_page_next(struct sbx_call *c, size_t offset, size_t count, size_t total);

/* Operations, one per contract name. */
void sbx_get_authorized_shops(struct sbx_call *c);
void sbx_get_categories(struct sbx_call *c);
void sbx_recommend_category(struct sbx_call *c);
void sbx_get_category_rules(struct sbx_call *c);
void sbx_get_attributes(struct sbx_call *c);
void sbx_get_brands(struct sbx_call *c);
void sbx_create_custom_brands(struct sbx_call *c);
void sbx_check_prerequisites(struct sbx_call *c);
void sbx_get_warehouse_list(struct sbx_call *c);
void sbx_upload_image(struct sbx_call *c);
void sbx_create_product(struct sbx_call *c);
void sbx_get_product(struct sbx_call *c);
void sbx_edit_product(struct sbx_call *c);
void sbx_partial_edit_product(struct sbx_call *c);
void sbx_search_products(struct sbx_call *c);
void sbx_activate_product(struct sbx_call *c);
void sbx_deactivate_products(struct sbx_call *c);
void sbx_delete_products(struct sbx_call *c);
void sbx_update_price(struct sbx_call *c);
void sbx_update_inventory(struct sbx_call *c);
void sbx_inventory_search(struct sbx_call *c);
void sbx_diagnose_products(struct sbx_call *c);
void sbx_seo_words(struct sbx_call *c);
void sbx_suggestions(struct sbx_call *c);
void sbx_diagnose_optimize(struct sbx_call *c);
void sbx_optimize_images(struct sbx_call *c);
void sbx_get_order_list(struct sbx_call *c);
void sbx_get_order_detail(struct sbx_call *c);
void sbx_get_order_detail_old(struct sbx_call *c);
void sbx_get_price_detail(struct sbx_call *c);
void sbx_upload_invoice(struct sbx_call *c);
void sbx_get_package(struct sbx_call *c);
void sbx_get_slots(struct sbx_call *c);
void sbx_get_providers(struct sbx_call *c);
void sbx_get_tracking(struct sbx_call *c);
void sbx_ship_package(struct sbx_call *c);
void sbx_ship_packages(struct sbx_call *c);
void sbx_update_shipping(struct sbx_call *c);
void sbx_get_document(struct sbx_call *c);
void sbx_cancel_order(struct sbx_call *c);
void sbx_search_cancellations(struct sbx_call *c);
void sbx_search_returns(struct sbx_call *c);
void sbx_reject_reasons(struct sbx_call *c);
void sbx_approve_cancellation(struct sbx_call *c);
void sbx_reject_cancellation(struct sbx_call *c);
void sbx_approve_return(struct sbx_call *c);
void sbx_reject_return(struct sbx_call *c);

/* Category, attribute or brand of the market by id; NULL when unknown (shop_market.c). */
const json_t *sbx_category(const struct sandbox *sb, const char *id);
const json_t *sbx_brand(const struct sandbox *sb, const char *id);
/* Attribute of a category by id; `type` NULL = any. */
const json_t *sbx_attribute(const struct sandbox *sb, const json_t *category, const char *id,
                            const char *type);
/* Code of the TikTok documentation for a breach of a product body (product_check.c). */
int64_t sbx_breach_code(const struct sbx_breach *breach, int64_t otherwise);
/* All rules of guide and contract that a schema cannot say, over a complete product body; `old` is the product
 * that is edited, or NULL. False after sbx_fail. Adds texts to warnings and may clear brand_id in body. */
bool sbx_product_check(struct sbx_call *c, json_t *body, const json_t *old, json_t *warnings);
/* The SKU part of the same (sku_check.c). */
bool sbx_skus_check(struct sbx_call *c, const json_t *category, json_t *skus, const json_t *old);
bool sbx_price_check(struct sbx_call *c, const json_t *price);
/* Text rules of 12052931 and its sisters: no HTML escapes, emoji, control characters, not only symbols, no run
 * of more than nine equal characters. */
bool sbx_text_ok(const char *text);
/* Product and SKU by SKU id; false when unknown. */
bool sbx_sku_find(struct sbx_shop *shop, const char *sku_id, json_t **product, json_t **sku);
json_t *sbx_sku_of_product(const json_t *product, const char *sku_id);
/* Size of a picture from its bytes; format gets "PNG", "JPEG", "WEBP" or "BMP". */
bool sbx_image_size(const unsigned char *data, size_t len, int64_t *width, int64_t *height,
                    const char **format);

/* ---- orders (order_new.c) -------------------------------------------------------------------- */

/* Makes an order in a shop from {"items": [{"seller_sku", "quantity"}], "status", ...}; RC_INVALID names the
 * wrong member. Sends webhook 1. Lock held. */
enum rc sbx_order_new(struct sandbox *sb, struct sbx_shop *shop, const json_t *spec, char id[32],
                      struct err *e);
/* Moves an order to a status; sends webhook 1. Lock held. */
enum rc sbx_order_move(struct sandbox *sb, struct sbx_shop *shop, json_t *order, const char *status,
                       struct err *e);

/* ---- VTEX (store_*.c) -------------------------------------------------------------------------- */

struct sbx_vtex {
    struct sandbox *sb;
    struct http_req *req;
    const json_t *spec;
    const char *operation;
    struct sbx_account *account;
    struct sbx_pair pairs[SBX_PAIRS_MAX];
    int n_pairs;
    json_t *body;
    json_t *answer;
    int status;
};
typedef void (*sbx_vtex_op)(struct sbx_vtex *v);

/* Ends a VTEX request with the error envelope. */
void sbx_vtex_fail(struct sbx_vtex *v, int status, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
const char *sbx_vtex_query(const struct sbx_vtex *v, const char *name);
/* Units that can be sold of a merchant SKU. */
int64_t sbx_vtex_available(const struct sbx_account *account, int sku);
/* SLA table: false when id is none of the account's. price_minor is for one line. */
bool sbx_vtex_sla(const char *id, const char **estimate, int64_t *price_minor);

void sbx_vtex_sku(struct sbx_vtex *v);
void sbx_vtex_sku_files(struct sbx_vtex *v);
void sbx_vtex_sku_by_ean(struct sbx_vtex *v);
void sbx_vtex_sku_by_refid(struct sbx_vtex *v);
void sbx_vtex_skus_by_refids(struct sbx_vtex *v);
void sbx_vtex_sku_ids(struct sbx_vtex *v);
void sbx_vtex_product(struct sbx_vtex *v);
void sbx_vtex_brands(struct sbx_vtex *v);
void sbx_vtex_brands_paged(struct sbx_vtex *v);
void sbx_vtex_categories(struct sbx_vtex *v);
void sbx_vtex_channels(struct sbx_vtex *v);
void sbx_vtex_affiliates(struct sbx_vtex *v);
void sbx_vtex_price(struct sbx_vtex *v);
void sbx_vtex_computed(struct sbx_vtex *v);
void sbx_vtex_computed_all(struct sbx_vtex *v);
void sbx_vtex_inventory(struct sbx_vtex *v);
void sbx_vtex_inventory_row(struct sbx_vtex *v);
void sbx_vtex_warehouses(struct sbx_vtex *v);
void sbx_vtex_docks(struct sbx_vtex *v);
void sbx_vtex_simulate(struct sbx_vtex *v);
void sbx_vtex_place(struct sbx_vtex *v);
void sbx_vtex_authorize(struct sbx_vtex *v);
void sbx_vtex_order(struct sbx_vtex *v);
void sbx_vtex_orders(struct sbx_vtex *v);
void sbx_vtex_cancel(struct sbx_vtex *v);
void sbx_vtex_patch_tracking(struct sbx_vtex *v);
void sbx_vtex_put_tracking(struct sbx_vtex *v);
/* Moves an order to a workflow status (store_order.c). Lock held. */
void sbx_vtex_move(struct sandbox *sb, struct sbx_account *account, json_t *record,
                   const char *status);
/* The order document as OMS shows it (store_document.c). */
json_t *sbx_vtex_document_new(struct sandbox *sb, const struct sbx_account *account,
                              const json_t *record);

/* ---- handlers (routes.c lists them) ---------------------------------------------------------- */

#define SBX_HANDLER(name) \
    enum rc name(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
SBX_HANDLER(sbx_tiktok);
SBX_HANDLER(sbx_token);
SBX_HANDLER(sbx_authorize);
SBX_HANDLER(sbx_vtex_any);
SBX_HANDLER(sbx_feed_get);
SBX_HANDLER(sbx_picture_get);
/* "http://host:port" as the caller knows us. */
void sbx_base_address(const struct http_req *req, char *out, size_t cap);
SBX_HANDLER(sbx_page_get);
SBX_HANDLER(sbx_state_get);
SBX_HANDLER(sbx_exchanges_get);
SBX_HANDLER(sbx_orders_post);
SBX_HANDLER(sbx_order_status_post);
SBX_HANDLER(sbx_aftersales_post);
SBX_HANDLER(sbx_faults_post);
SBX_HANDLER(sbx_faults_delete);
SBX_HANDLER(sbx_deauthorize_post);
SBX_HANDLER(sbx_expiring_post);
SBX_HANDLER(sbx_sku_post);
SBX_HANDLER(sbx_tokens_expire_post);
SBX_HANDLER(sbx_vtex_status_post);
SBX_HANDLER(sbx_vtex_invoice_post);
SBX_HANDLER(sbx_label_get);
SBX_HANDLER(sbx_products_get);
SBX_HANDLER(sbx_orders_get);
SBX_HANDLER(sbx_vtex_orders_get);

extern const struct http_route SBX_ROUTES[];
extern const int SBX_ROUTES_COUNT;
extern const struct http_route SBX_FEED_ROUTES[];
extern const int SBX_FEED_ROUTES_COUNT;

#endif
