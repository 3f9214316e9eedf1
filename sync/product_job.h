/* product_job.h - what the steps of publishing one product share. */
#ifndef SYNC_PRODUCT_JOB_H
#define SYNC_PRODUCT_JOB_H

#include "db_override.h"
#include "db_switch.h"
#include "db_values.h"
#include "map_product.h"
#include "sync.h"
#include "tiktok_product.h"
#include "vtex_catalog.h"

#define IMAGE_URI_BYTES 512

/* One SKU on its way. */
struct publish_sku {
    char seller_sku[SKU_BYTES];
    char source_sku[SKU_BYTES];
    char vtex_sku_id[32];
    char tiktok_sku_id[64];
    const json_t *item; /* borrowed from the product's desired */
    int64_t feed_price_minor;
    bool feed_available;
    int64_t feed_quantity; /* -1 = not in the feed */
    int64_t price_published_minor;
    int64_t stock_published;
    bool listed;         /* can stand in a listing: has a code and a price */
    int64_t price_minor; /* 0 = none */
    int64_t stock;
    json_t *price_inputs, *stock_inputs, *problem; /* owned; may be NULL */
    const char *price_end, *stock_end; /* published or refused once it was sent; NULL = not sent */
    int64_t price_code, stock_code;    /* TikTok's, when refused */
    bool price_doubt, stock_doubt;     /* TikTok may hold another value than the published one */
    bool price_wanted, stock_wanted;   /* which of both are worked out */
    bool troubled;                     /* the SKU has a problem from before: both are */
    bool gone;                         /* left the feed: stock 0 */
    bool off;                          /* VTEX said that it is off sale: stock 0 */
    bool unpriced;                     /* no price that TikTok would take: stock 0 */
    const struct policy_price *price_policy; /* the client's, or the SKU's own */
    const struct policy_stock *stock_policy;
    int64_t price_hold_minor, price_approved_minor; /* as in struct sku */
    int64_t price_held_minor;                       /* held back now; 0 = none */
    json_t *by_warehouse; /* owned: stock by TikTok warehouse; NULL = all in one */
    int64_t changed_us;   /* when the change was made known; 0 = nobody said */
    int64_t again_us;     /* moment at which the source says something else; 0 = not known */
};

static inline bool publish_price_differs(const struct publish_sku *sku)
{
    return sku->price_doubt || sku->price_minor != sku->price_published_minor;
}

static inline bool publish_stock_differs(const struct publish_sku *sku)
{
    return sku->stock_inputs != NULL && (sku->stock_doubt || sku->stock != sku->stock_published);
}

/* One run of the job. */
struct publish {
    struct job_ctx *ctx;
    struct client client;
    struct shop shop;
    struct product product;
    struct tiktok_session tiktok;
    bool tiktok_open;
    struct vtex_session vtex;
    bool vtex_open;
    char run_warehouse_id[64]; /* of the run's parameters */
    char warehouse_id[64];
    char category_id[64];
    char chosen_by[16];
    json_t *rules, *attributes, *fixed; /* owned */
    char brand_id[64];
    struct publish_sku *skus; /* owned */
    int n_skus;
    struct map_sku *listed; /* owned: the SKUs that go into the body */
    int n_listed;
    int n_live;            /* of the feed; the others left it and stay on TikTok */
    json_t *removed_items; /* owned: what the SKUs that left were */
    json_t *dropped;       /* owned: codes of SKUs that cannot stay on TikTok */
    bool waits;            /* for a person's word, not for a correction */
    bool too_many;         /* the feed has more variants than a product may have */
    struct variant_plan plan;
    char main_uris[MAIN_IMAGES_MAX][IMAGE_URI_BYTES];
    int n_main_uris;
    json_t *image_uris;                 /* owned */
    json_t *description_images;         /* owned: as map_text_html_pictured */
    json_t *problems;                   /* owned: what keeps the product from being listed */
    json_t *notes;                      /* owned: what a person should know although it is listed */
    json_t *body;                       /* owned: as it is to be on TikTok */
    json_t *changes;                    /* owned: fields of the edit that is sent; NULL = none */
    struct product_override *overrides; /* owned */
    struct override_state *override_states; /* owned, one for each */
    int n_overrides;
    bool
        hold_refused; /* TikTok refused an edit that held values only: nothing is wrong with the product */
    bool values_known;              /* prices and stock of all SKUs were worked out */
    bool values_only;               /* a job for prices and stock: skus holds some of the SKUs */
    int64_t values_us;              /* when they were begun to be read, monotonic */
    struct sync_switches switches;  /* of the product */
    struct switch_row *switch_rows; /* owned: exceptions that touch it */
    int n_switch_rows;
    json_t *kept;      /* owned: what a switch keeps back, [{"what", "by", "key"}] */
    json_t *on_tiktok; /* owned; NULL = not read: the product as TikTok has it */
    bool frozen;       /* linked, but TikTok takes no edits of it */
    bool
        create_refused; /* TikTok's final word on the create: the next one is another logical create */
};

static inline bool publish_blocked(const struct publish *p)
{
    return json_array_size(p->problems) > 0;
}

/* One run for a job; NULL when out of memory. Free with publish_free, NULL is fine. */
struct publish *publish_new(struct job_ctx *ctx);
void publish_free(struct publish *p);
/* Product (the job's entity), client, shop, overrides and switches. RC_NOT_FOUND: the product or its client is gone. */
enum rc publish_load(struct publish *p, struct err *e);
enum rc publish_sessions(struct publish *p, struct err *e);

/* Steps; each adds to problems or notes what people must know and answers other than RC_OK only when the job
 * cannot go on now. */
enum rc publish_prerequisites(struct publish *p, bool *ready, struct err *e);
/* Asks for the job that looks again whether the shop may list, and lets the held products go on then. */
enum rc publish_await_ready(struct publish *p, struct err *e);
enum rc publish_warehouse(struct publish *p, struct err *e);
enum rc publish_skus(struct publish *p, struct err *e);
/* Before anything else: RC_BUSY until TikTok's listing of the shop is known (product_adopt.c). */
enum rc publish_catalog_known(struct publish *p, struct err *e);
/* Links a product that TikTok has already. */
enum rc publish_adopt(struct publish *p, struct err *e);
enum rc publish_values(struct publish *p, struct err *e);
enum rc publish_category(struct publish *p, struct err *e);
enum rc publish_brand(struct publish *p, struct err *e);
/* Puts SKUs that left the feed behind the listed ones (product_removed.c). */
enum rc publish_keep_removed(struct publish *p, struct err *e);
/* Gives them the pictures they have. After publish_images. */
enum rc publish_removed_pictures(struct publish *p, struct err *e);
/* TikTok acknowledged a list without them: their rows go. */
enum rc publish_dropped(struct publish *p, struct db_tx *tx, struct err *e);
enum rc publish_images(struct publish *p, struct err *e);
enum rc publish_description_images(struct publish *p, struct err *e);

/* ---- product_override.c: what a person holds against the source -------------------------------- */

struct override_state {
    bool applied;
    const char *ended; /* why it is over; NULL = it is not */
};
enum rc publish_overrides_load(struct publish *p, struct db_tx *tx, struct err *e);
void publish_overrides_done(struct publish *p);
/* Puts held texts, pictures and attributes into the body; marks those whose source says something else now. */
enum rc publish_overrides(struct publish *p, struct err *e);
/* Held price of a SKU for which the rules, without the jump guard, give source_minor; 0 = none holds. */
int64_t publish_override_price(struct publish *p, const char *seller_sku, int64_t source_minor);
bool publish_has_override(const struct publish *p, const char *seller_sku, const char *field);
/* What to call the override that gave a field its value in logs: "override: revert"; NULL = none did. */
const char *publish_override_rule(const struct publish *p, const char *seller_sku,
                                  const char *field);
/* TikTok refused the edit: what was held in its fields is over. */
void publish_overrides_refused(struct publish *p);
/* Deletes those that are over, with a line in the log, and ends the proposals that were sent. word: what became of the
 * product's content. */
enum rc publish_overrides_end(struct publish *p, struct db_tx *tx, const char *word,
                              const char *request_id, struct err *e);

/* ---- product_trace.c: what was sent, for people ------------------------------------------------- */

/* Remembers which fields an edit changes, from the published and the wanted content. */
enum rc publish_trace_fields(struct publish *p, const json_t *changed, struct err *e);
/* Rules that gave a price or a stock, in their order: "vtex + markup_percent + round_to". */
void publish_trace_rules(const json_t *inputs, char *out, size_t cap);
/* Adds a sent price or stock to the run's changes. */
enum rc publish_trace_value(struct publish *p, struct db_tx *tx, const char *seller_sku,
                            const char *field, const struct log_row *row, struct err *e);
/* Ends the lines of prices and stock that wait, of the job's SKUs. */
enum rc publish_trace_values(struct publish *p, struct db_tx *tx, struct err *e);
/* Ends the lines that runs listed for this product. word: what became of its content; reason may be NULL. */
enum rc publish_trace_end(struct publish *p, struct db_tx *tx, const char *word,
                          const char *request_id, const char *reason, struct err *e);

/* Sends the product for the first time, looks first when an earlier try may have arrived. */
enum rc publish_create(struct publish *p, struct err *e);
/* Sends what differs from what TikTok acknowledged. */
enum rc publish_edit(struct publish *p, struct err *e);
/* Sends prices and stock alone: what keeps the content of a live product back must not let it sell what is gone. */
enum rc publish_send_values(struct publish *p, struct err *e);
/* Holds the product's prices and stock: who reads them to send them does so while nobody else does. Give back with
 * single_give; nothing else of single.h may be taken meanwhile. */
int values_hold(const char *shop_id, const char *source_id);
/* The same for a product that is published: read again when somebody sent something meanwhile. */
enum rc publish_send_fresh(struct publish *p, bool *changed, struct err *e);
/* Price and stock of one SKU, as far as they are wanted. */
enum rc publish_sku_values(struct publish *p, struct publish_sku *sku, struct err *e);
/* Which price and stock rules hold for the SKU. */
void publish_sku_rules(const struct publish *p, struct publish_sku *sku);
/* Fills in what the SKU's row says of its way to TikTok. */
void publish_sku_row(struct publish_sku *sku, const struct sku *row);
/* Price of an item of the feed now; *again_us: when it will be another one, 0 = not known. */
int64_t publish_item_price(const json_t *item, int64_t now_us, int64_t *again_us);

/* Switches (product_switch.c): what is kept from TikTok, and what of it differs. */
enum rc publish_switches_load(struct publish *p, struct db_tx *tx, struct err *e);
bool publish_sku_on(const struct publish *p, const char *seller_sku, enum sync_part part);
bool publish_text_held(const struct publish *p);
bool publish_images_held(const struct publish *p);
enum rc publish_images_digest(const struct publish *p, char out[65], struct err *e);
/* Puts what TikTok has in place of what a switch keeps back. */
enum rc publish_hold_back(struct publish *p, struct err *e);
enum rc publish_kept_store(struct publish *p, struct db_tx *tx, struct err *e);
/* The same of those SKUs alone that the job has. */
enum rc publish_kept_skus(struct publish *p, struct db_tx *tx, struct err *e);
/* Remembers which pictures were sent, unless they were held. */
enum rc publish_images_note(struct publish *p, struct db_tx *tx, struct err *e);

/* SKUs of TikTok's product as an edit sends them, without ids; new reference (product_added.c). */
json_t *publish_added_skus(const json_t *product);
/* Attributes that the category requires and people gave to an adopted product stand in for what the feed lacks. */
enum rc publish_added_attributes(struct publish *p, struct err *e);
/* An adopted product that was not edited since. */
bool publish_first_edit(const struct publish *p);
/* Puts what people added to an adopted product into an edit; members that need not be sent are taken out. whole: the
 * edit replaces everything. */
enum rc publish_keep_added(struct publish *p, json_t *changed, bool whole, struct err *e);

/* Ends, each in one transaction with log row and run counters. */
enum rc publish_refused(struct publish *p, const char *status, int64_t platform_code,
                        const char *request_id, struct err *e);
enum rc publish_acknowledged(struct publish *p, const struct tiktok_saved *saved, bool created,
                             struct err *e);
enum rc publish_unchanged(struct publish *p, bool values_changed, struct err *e);
/* The job ends for good without TikTok's word: counts the product as failed. */
enum rc publish_failed(struct publish *p, const struct err *why, struct err *e);

#endif
