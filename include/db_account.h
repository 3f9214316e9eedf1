/* db_account.h - clients with their policies, shops, grants and tokens. */
#ifndef DB_ACCOUNT_H
#define DB_ACCOUNT_H

#include "db.h"

struct policy_price {
    bool from_vtex;          /* else feed */
    bool simulated;          /* from_vtex: what a shopper would pay, promotions included */
    char markup_percent[16]; /* decimal text */
    int64_t add_minor, round_to_minor, minimum_minor;
    int64_t maximum_minor;              /* 0 = none */
    char hold_change_above_percent[16]; /* "" = none */
};

struct policy_stock {
    bool from_vtex;
    int64_t reserve, percent, maximum, unlimited_as;
    const json_t *warehouses; /* {"<TikTok id>": ["<VTEX id>", ...]}, of the policies; NULL = one */
};

/* The trade policy that each VTEX account has; used in every call when the client names none. */
#define VTEX_SALES_CHANNEL_DEFAULT "1"

/* Reasons of TikTok for Brazil that stand when the client names none (policies.cancel). */
#define CANCEL_REASON_SELLER "seller_cancel_reason_out_of_stock"
#define CANCEL_REASON_REJECT "seller_reject_apply_product_has_been_packed"

enum sku_id_rule { SKU_ID_FEED_ID, SKU_ID_MPN, SKU_ID_VTEX_REF_ID, SKU_ID_LAST_PART };

/* One merchant with defaults filled in (interfaces.md, Clients). */
struct client {
    char client_id[68];
    char *name;
    bool active;
    char *feed_url;              /* NULL = none */
    char warehouse_id[64];       /* TikTok warehouse; "" = the shop's default */
    char sandbox_shop_id[72];    /* test shop; "" = none */
    char vtex_account[64];       /* "" = no VTEX */
    char vtex_sales_channel[16]; /* "" = VTEX_SALES_CHANNEL_DEFAULT */
    char vtex_affiliate_id[16];
    char *vtex_warehouse_ids[32];
    int n_vtex_warehouse_ids;
    bool sync_products, sync_prices, sync_stock, sync_orders;
    bool sync_text, sync_images, sync_activation;
    bool shadow; /* looks on only: nothing is written to a platform, triggers are dry runs */
    enum sku_id_rule sku_id_rule;
    struct policy_price price;
    struct policy_stock stock;
    char package_weight_kg[16], package_length_cm[16], package_width_cm[16], package_height_cm[16];
    char brand_when_unknown[16]; /* "omit", ... */
    bool accept_recommendation;
    char removed_action[16];
    int64_t hold_above_percent, hold_above_count;
    int64_t feed_every_minutes;  /* 0 = the clock does not read the feed */
    char order_shipping_fee[24]; /* "buyer_fee", "zero" */
    char address_lines
        [4]
        [16]; /* what TikTok's address_line1..4 hold: "neighborhood", "street", "number", "complement" */
    char phone_fallback[32];
    bool ship_automatic;    /* ships by itself once the invoice is in order */
    char ship_handover[16]; /* "DROP_OFF", "PICKUP" */
    json_t *policies;       /* as stored, owned */
    int64_t revision, created_us, updated_us;
    bool has_vtex_credentials, has_hook_secret;
};
/* RC_NOT_FOUND when there is no such client. Free with db_client_done. */
enum rc db_client_get(struct db_tx *tx, const char *client_id, struct client *out, struct err *e);
void db_client_done(struct client *c);
#define OWN_CLIENT __attribute__((cleanup(db_client_done)))

/* What a client document says; texts are borrowed, NULL = none. Secrets: NULL keeps what is stored. */
struct client_write {
    const char *client_id;
    const char *name;
    const char *feed_url;
    const char *warehouse_id;
    const char *sandbox_shop_id;
    const char *vtex_account; /* NULL wipes all that belongs to VTEX */
    const char *vtex_sales_channel;
    const char *vtex_affiliate_id;
    const char *vtex_warehouse_ids[32];
    size_t n_vtex_warehouse_ids;
    const char *app_key, *app_token; /* both or neither */
    const char *hook_secret;
    const json_t *policies;
};
/* Locks the client's row and reads its revision; 0 when there is none. */
enum rc db_client_lock(struct db_tx *tx, const char *client_id, int64_t *revision, struct err *e);
/* Makes or replaces a client (active), seals its secrets, lets work go on that stood still because the
 * client was inactive or its VTEX credentials were refused. */
enum rc db_client_write(struct db_tx *tx, const struct client_write *w, struct err *e);
/* Deactivates: shops are held, waiting jobs parked. */
enum rc db_client_deactivate(struct db_tx *tx, const char *client_id, struct err *e);
/* Whether the client exists. */
enum rc db_client_exists(struct db_tx *tx, const char *client_id, bool *exists, struct err *e);

struct shop {
    char shop_id[72];
    char client_id[68];
    char open_id[128];
    char name[256];
    char region[8];
    char status[24];       /* connected, needs_reauthorization, disconnected */
    char warehouse_id[64]; /* default sales warehouse; "" until read */
};
enum rc db_shop_get(struct db_tx *tx, const char *shop_id, struct shop *out, struct err *e);
/* The shop that a client's catalog goes to: earliest connected, never the test shop. RC_NOT_FOUND (code "no_connected_shop"). */
enum rc db_shop_primary(struct db_tx *tx, const char *client_id, struct shop *out, struct err *e);
/* The client's test shop. RC_NOT_FOUND when it has none, or it is not connected (e->text says which). */
enum rc db_shop_sandbox(struct db_tx *tx, const struct client *c, struct shop *out, struct err *e);
/* Opens the client's VTEX credentials: heap strings owned by the caller. RC_NOT_FOUND when none. */
enum rc db_client_vtex_credentials(struct db_tx *tx, const char *client_id, char **app_key,
                                   char **app_token, struct err *e);
/* Opens the secret of the client's /vtex/{client_hash}/{secret}/ paths; caller frees (wipe first). */
enum rc db_client_hook_secret(struct db_tx *tx, const char *client_id, char **secret,
                              struct err *e);

/* Appends to `audit`. detail may be NULL. */
enum rc db_audit(struct db_tx *tx, const char *client_id, const char *who, const char *action,
                 const json_t *detail, struct err *e);

#endif
