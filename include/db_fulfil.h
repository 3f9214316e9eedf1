/* db_fulfil.h - invoices, packages and labels of TikTok orders. */
#ifndef DB_FULFIL_H
#define DB_FULFIL_H

#include "db.h"
#include "nfe.h"

#define FULFIL_JOB "order_fulfil"
#define LABEL_JOB "order_label"
#define LABEL_KEPT_S (23 * 3600) /* TikTok's addresses live 24 h */
#define LIMIT_LABEL_BYTES ((size_t)4 << 20)

/* An order as the job sees it that brings invoice, shipment and tracking on. Times are of the database clock. */
struct fulfil_order {
    char shop_id[72];
    char order_id[64];
    char client_id[68];
    char tiktok_status[32];
    char state[24];
    char step[24];
    char vtex_order_id[96];
    char vtex_status[64];
    char invoice_state[24];
    char need_invoice[24]; /* "" = TikTok says nothing */
    int64_t paid_us;
    int64_t step_us; /* when placement last moved */
    int64_t now_us;
    json_t *problems; /* owned: those of the last look */
};
void db_fulfil_order_done(struct fulfil_order *order);
/* RC_NOT_FOUND when the shop has no such order. Free with db_fulfil_order_done. */
enum rc db_fulfil_order_get(struct db_tx *tx, const char *shop_id, const char *order_id,
                            struct fulfil_order *out, struct err *e);

/* Asks for the order's invoice, shipment and tracking to be looked at. Whoever heard of news may ask: TikTok's
 * notifications, VTEX's hook and callbacks, a person. */
enum rc db_fulfil_put(struct db_tx *tx, const char *client_id, const char *shop_id,
                      const char *order_id, struct err *e);
/* Asks, behind news of orders, for orders of a shop that are due by themselves; as many as may stand in the queue at
 * once. *more: others are due and have to wait. */
enum rc db_fulfil_due_put(struct db_tx *tx, const char *client_id, const char *shop_id, bool *more,
                          struct err *e);

/* What one look at an order ends with. Texts NULL = keep / none, as said. */
struct fulfil_note {
    const char *state;         /* of the order; NULL = keep */
    const char *need_invoice;  /* NULL = keep */
    const char *invoice_state; /* NULL = keep */
    const char *reason, *reason_pt;
    const json_t *problems; /* NULL = none */
    int64_t next_us;        /* look again this long from now; 0 = never by itself */
};
enum rc db_fulfil_note(struct db_tx *tx, const char *shop_id, const char *order_id,
                       const struct fulfil_note *note, struct err *e);

/* ---- packages ------------------------------------------------------------------------------------ */

struct package {
    char package_id[64];
    char state[24];
    char shipping_type[16];
    char delivery_option_id[64];
    char tracking_number[96];
    char carrier[96];
    char provider_id[64];
    char ship_state[16]; /* none, asked, sent, arranged, refused */
    char ship_by[16];    /* operator, policy */
    char ship_reason[256];
    char vtex_tracking[96];
    char vtex_events[72];
    int64_t ship_us;
    int64_t ship_code;
    json_t *order_ids; /* owned: array of texts */
    json_t *skus;      /* owned: [{"sku_id", "quantity"}] */
    json_t *how;       /* owned: ship_request; may be NULL */
};
void db_package_list_free(struct package *list, int n);
/* Packages of an order that exist still, oldest first. Free with db_package_list_free. */
enum rc db_package_list(struct db_tx *tx, const char *shop_id, const char *order_id,
                        struct package **out, int *n, struct err *e);

/* What TikTok says of a package; texts are borrowed, NULL = not said (keeps what is stored). */
struct package_facts {
    const char *client_id, *shop_id, *package_id;
    const json_t *order_ids; /* not NULL */
    const char *state, *shipping_type, *delivery_option_id, *tracking_number, *carrier,
        *provider_id;
    const json_t *skus;
    int64_t updated_s; /* 0 = not said; older news changes nothing */
};
enum rc db_package_store(struct db_tx *tx, const struct package_facts *facts, struct err *e);
/* The order has only these packages now: others of it were split or combined away. */
enum rc db_package_only(struct db_tx *tx, const char *shop_id, const char *order_id,
                        const json_t *package_ids, struct err *e);
/* Wants it shipped; by: operator or policy. One that is arranged stays so. */
enum rc db_package_ask(struct db_tx *tx, const char *shop_id, const char *package_id,
                       const json_t *how, const char *by, struct err *e);
/* ship_state with the code and words of a refusal (0, NULL when none). */
enum rc db_package_ship_set(struct db_tx *tx, const char *shop_id, const char *package_id,
                            const char *ship_state, int64_t code, const char *reason,
                            struct err *e);
/* What VTEX was told; NULL keeps. */
enum rc db_package_told(struct db_tx *tx, const char *shop_id, const char *package_id,
                        const char *tracking, const char *events, struct err *e);

/* ---- invoices ------------------------------------------------------------------------------------ */

struct invoice {
    char access_key[NFE_KEY_BYTES];
    char package_id[64]; /* "" = not known */
    char source[16];
    char vtex_number[64];
    char state[24];
    char reason_code[40];
    int uploads;
    bool has_xml;
    bool answered; /* TikTok answered the last upload; else its end is unknown */
    int64_t sent_us, again_us, now_us;
    json_t *items; /* owned */
};
void db_invoice_list_free(struct invoice *list, int n);
/* Newest first. Free with db_invoice_list_free. */
enum rc db_invoice_list(struct db_tx *tx, const char *shop_id, const char *order_id,
                        struct invoice **out, int *n, struct err *e);

struct invoice_facts {
    const char *client_id, *shop_id, *order_id;
    const char *source; /* vtex, manual */
    const struct nfe *nfe;
    const char *vtex_number; /* NULL = none */
    const char *package_id;  /* NULL = not known */
    const json_t *items;     /* NULL = all */
    const void *xml;         /* sealed before it is stored */
    size_t xml_len;
};
/* Keeps an invoice. One that is known stays in its state, except that a person who hands in a refused one again
 * has it tried again. */
enum rc db_invoice_put(struct db_tx *tx, const struct invoice_facts *facts, struct err *e);
enum rc db_invoice_xml(struct db_tx *tx, const char *client_id, const char *shop_id,
                       const char *order_id, const char *access_key, struct buf *out,
                       struct err *e);
enum rc db_invoice_package_set(struct db_tx *tx, const char *shop_id, const char *order_id,
                               const char *access_key, const char *package_id, struct err *e);

struct invoice_note {
    const char *state;
    const char *reason_code; /* NULL = none */
    const char *request_id;  /* of the answer; NULL = keep */
    bool upload;             /* one begins: counted, sent_at set, request_id wiped */
    int64_t again_us;        /* wait before the next try; 0 = none */
};
enum rc db_invoice_note(struct db_tx *tx, const char *shop_id, const char *order_id,
                        const char *access_key, const struct invoice_note *note, struct err *e);

/* What TikTok's notifications say of the upload of a package since a time: status SUCCESS, PROCESSING, FAILED or
 * INVALID ("" = nothing came) and the reason. */
enum rc db_invoice_event(struct db_tx *tx, const char *shop_id, const char *package_id,
                         int64_t since_us, char status[24], char reason[40], struct err *e);

/* ---- labels -------------------------------------------------------------------------------------- */

struct label {
    char state[16]; /* "" = never asked, asked, ready, refused */
    char reason[256];
    int64_t code;
    bool fresh; /* ready and not older than LABEL_KEPT_S, or asked or refused a moment ago */
};
/* body: filled when it is ready and fresh; may be NULL. */
enum rc db_label_get(struct db_tx *tx, const char *client_id, const char *shop_id,
                     const char *package_id, const char *format, struct label *out,
                     struct buf *body, struct err *e);
/* Asks for the label to be fetched. */
enum rc db_label_ask(struct db_tx *tx, const char *client_id, const char *shop_id,
                     const char *package_id, const char *format, struct err *e);
enum rc db_label_store(struct db_tx *tx, const char *client_id, const char *shop_id,
                       const char *package_id, const char *format, const struct buf *body,
                       struct err *e);
enum rc db_label_refuse(struct db_tx *tx, const char *shop_id, const char *package_id,
                        const char *format, int64_t code, const char *reason, struct err *e);

#endif
