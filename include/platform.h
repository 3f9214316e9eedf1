/* platform.h - one call to TikTok Shop or VTEX: signing, quota, outcome, record. */
#ifndef PLATFORM_H
#define PLATFORM_H

#include "cfg.h"
#include "fetch.h"

#include <jansson.h>

/* What is known of one call; given to the recorder. No secrets, no bodies. */
struct platform_call {
    const char *peer; /* "tiktok", "vtex" */
    const char *
        operation; /* operationId of the contract without version: "create_product", "placeFulfillmentOrder" */
    const char *method;
    const char *shop_id; /* "" when none */
    const char *client_id;
    bool writes;        /* changes something there: an attempt row is committed before it */
    const char *entity; /* our reference: order id, source id; "" when none */
    /* after: */
    enum rc rc;
    int http_status;
    int64_t platform_code;
    const char *platform_text;
    const char *request_id;
    int64_t ms;
    int64_t bytes_out, bytes_in;
    int64_t started_us;
    int64_t attempt_id; /* set by before(), for after() */
};

/* How the layer above records calls (sync/call_record.c). before: only for writes; not RC_OK = do not send. */
struct platform_recorder {
    void *user;
    enum rc (*before)(void *user, struct platform_call *call, struct err *e);
    void (*after)(void *user, const struct platform_call *call);
};

/* The platforms as one process uses them; any thread. */
struct platform;
enum rc platform_new(const struct cfg *cfg, struct fetch *fetch, struct platform **out,
                     struct err *e);
void platform_free(struct platform *p);
struct fetch *platform_fetch(struct platform *p);

/* ---- TikTok Shop ------------------------------------------------------------------------------- */

/* One seller's grant and shop as a job uses it. Made by sync/session.c; one thread at a time. */
struct tiktok_session {
    struct platform *platform;
    struct platform_recorder recorder;
    const atomic_bool *stop;
    int lane; /* who waits for a quota is served in this order, 0 first */
    char client_id[68];
    char shop_id[72];
    char open_id[128];
    char region[8];
    char *cipher;       /* owned */
    char *access_token; /* owned; wiped when freed */
    /* Replaces access_token by a newer one (single flight over all replicas). May be NULL. */
    enum rc (*refresh)(struct tiktok_session *s, struct err *e);
    void *refresh_user; /* of both */
    /* Replaces cipher by the one that the seller's list of shops names now. May be NULL. */
    enum rc (*reload_cipher)(struct tiktok_session *s, struct err *e);
};

#define TIKTOK_QUERY_MAX 12
struct tiktok_req {
    const char *operation; /* "create_product" */
    const char *method;    /* "GET", "POST", "PUT", "DELETE" */
    const char *path;      /* "/product/202309/products"; ids already percent-encoded if needed */
    bool with_cipher;      /* contract: x-shop-cipher required or optional */
    bool writes;
    const char *entity; /* for the record; may be NULL */
    const char
        *query[TIKTOK_QUERY_MAX][2]; /* decoded name, value; NULL or empty values are left out */
    const json_t *body;              /* NULL = none */
    /* multipart/form-data instead of a JSON body: text fields and one file named "data" */
    const char *part_fields[4][2];
    const void *file;
    size_t file_len;
    const char *file_name;
    const char *file_type;
};

struct tiktok_reply {
    int http_status;
    int64_t code;
    char request_id[96];
    json_t *root; /* whole envelope, owned */
    json_t *data; /* borrowed from root; may be NULL */
};
void tiktok_reply_done(struct tiktok_reply *reply);

/* Signs, waits for the bucket of (app, shop, operation), sends, refreshes the token once on 105002 and
 * repeats once, reloads the cipher once on 101000 or 106013 and repeats once, maps the answer to an outcome by guide section 6:
 *   RC_OK       code 0 in a complete, parsed envelope (data.errors / data.warnings are the caller's to read)
 *   RC_BUSY     36009002 / 429 / breaker open / bucket would wait too long: e->retry_after_us
 *   RC_DOWN     503, 36009003, connection refused: nothing happened (reads: any failure that may pass)
 *   RC_UNSURE   a write whose end is unknown: cut answer, timeout, 36009007, 5xx after sending
 *   RC_DENIED   105005, 36009033, bad token after the refresh, authorization gone
 *   RC_INVALID  product validation, business rules, wrong input: e->platform_code and TikTok's message in e->text
 *   RC_BUG      106001, 36009009/10/14/22/23, 106013, 101000 (after one reload)
 * *out is filled for RC_OK, and also whenever an envelope came (root non-NULL), so that callers can read
 * data.errors; always call tiktok_reply_done. */
enum rc tiktok_call(struct tiktok_session *s, const struct tiktok_req *req,
                    struct tiktok_reply *out, struct err *e);

/* Token endpoint, not signed; the URL holds secrets and is never logged. grant: "authorized_code" with
 * auth_code, or "refresh_token". data is the caller's (new reference). RC_DENIED when TikTok refused. */
enum rc tiktok_token_call(struct platform *p, bool refresh, const char *code_or_token,
                          json_t **data, struct err *e);

/* Signature of a request (vectors.json): path as sent, decoded pairs, body bytes unless multipart. */
struct tiktok_pair {
    const char *key;
    const char *value;
};
enum rc tiktok_sign(const char *secret, const char *path, const struct tiktok_pair *pairs,
                    int n_pairs, const char *content_type, const void *body, size_t body_len,
                    char out[65], struct err *e);

/* ---- VTEX -------------------------------------------------------------------------------------- */

struct vtex_session {
    struct platform *platform;
    struct platform_recorder recorder;
    const atomic_bool *stop;
    int lane; /* as above */
    char client_id[68];
    char shop_id[72];
    char account[64];
    char sales_channel[16];
    char affiliate_id[16];
    char *app_key;   /* owned */
    char *app_token; /* owned; wiped when freed */
};

struct vtex_req {
    const char *operation; /* "placeFulfillmentOrder" */
    const char *method;
    const char *path; /* "/api/oms/pvt/orders/TTK-1"; escaped by the caller with str_url_encode */
    bool pricing;     /* pricing host */
    bool writes;
    const char *entity;
    const char *query[8][2]; /* decoded */
    const json_t *body;
    int total_ms; /* 0 = 30,000; simulation and placement 60,000 */
};

struct vtex_reply {
    int status;
    json_t *body;        /* parsed JSON, NULL when empty or not JSON; owned */
    char error_code[32]; /* error.code, else header x-vtex-error-code; "" when none */
    char error_class
        [16]; /* adopt, terminal, divergence, stock-or-sla, mapping, payload, configuration,
                                transient, workflow; "" when no error */
    char error_text[256];
};
void vtex_reply_done(struct vtex_reply *reply);
/* 2xx: RC_OK. 404: RC_NOT_FOUND. 401/403: RC_DENIED. 429: RC_BUSY (whole account pauses). 5xx, 408, cut
 * answers: RC_UNSURE for writes, RC_DOWN for reads; connect failures RC_DOWN. Other 4xx: RC_INVALID with
 * e->platform_text; class transient: RC_DOWN/RC_UNSURE. *out is filled whenever an answer came. */
enum rc vtex_call(struct vtex_session *s, const struct vtex_req *req, struct vtex_reply *out,
                  struct err *e);
/* Class of a VTEX error code (errors.json); unknown: by status, "payload" for 4xx, "transient" for 5xx. */
const char *vtex_error_class(const char *code, int status);

#endif
