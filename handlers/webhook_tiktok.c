/* webhook_tiktok.c - takes TikTok's notifications: signature over the raw bytes first, then ids, then the queue of
 * the committer; the answer comes after its COMMIT. */
#include "app.h"
#include "handlers.h"
#include "intake.h"
#include "log.h"
#include "metrics.h"
#include "sign.h"
#include "str.h"
#include "webhook_scan.h"

#include <pthread.h>

#define SIGNATURE_HEX 64

/* Pre-keyed HMACs of one network thread; made anew when the secrets are others (tests run several services). */
struct keyed {
    const struct cfg *cfg;
    struct sign_hmac *hmac[2];
};

static pthread_key_t keyed_key;
static pthread_once_t keyed_once = PTHREAD_ONCE_INIT;

static void keyed_free(void *arg)
{
    struct keyed *k = arg;

    if (k == NULL)
        return;
    sign_hmac_free(k->hmac[0]);
    sign_hmac_free(k->hmac[1]);
    free(k);
}

static void keyed_init(void)
{
    if (pthread_key_create(&keyed_key, keyed_free) != 0)
        abort(); /* none is left of the process's thread keys */
}

/* NULL when out of memory. */
static struct keyed *keyed_get(const struct cfg *cfg)
{
    struct keyed *k = NULL;

    (void)pthread_once(&keyed_once, keyed_init);
    k = pthread_getspecific(keyed_key);
    if (k != NULL && k->cfg == cfg)
        return k;
    keyed_free(k);
    (void)pthread_setspecific(keyed_key, NULL);
    k = calloc(1, sizeof *k);
    if (k == NULL)
        return NULL;
    k->cfg = cfg;
    k->hmac[0] = sign_hmac_new(cfg->tiktok_app_secrets[0]);
    k->hmac[1] =
        cfg->tiktok_app_secrets[1] != NULL ? sign_hmac_new(cfg->tiktok_app_secrets[1]) : NULL;
    if (k->hmac[0] == NULL || pthread_setspecific(keyed_key, k) != 0) {
        keyed_free(k);
        return NULL;
    }
    return k;
}

static bool signature_read(const char *header, unsigned char out[SIGN_SHA256_BYTES])
{
    return header != NULL && strlen(header) == SIGNATURE_HEX &&
           str_only(header, "0123456789abcdef") && str_unhex(out, SIGN_SHA256_BYTES, header);
}

/* Either secret may have signed during a rotation. */
static bool signature_good(struct keyed *k, const struct http_req *req)
{
    unsigned char given[SIGN_SHA256_BYTES];
    unsigned char wanted[SIGN_SHA256_BYTES];
    const char *app_key = k->cfg->tiktok_app_key;
    bool good = false;

    if (!signature_read(http_header(req, "Authorization"), given))
        return false;
    for (int i = 0; i < 2; i++) {
        if (k->hmac[i] == NULL)
            continue;
        sign_hmac_two(k->hmac[i], app_key, strlen(app_key), req->body, req->body_len, wanted);
        if (sign_equal(given, wanted, sizeof wanted))
            good = true;
    }
    return good;
}

/* What the topic is about, and whether it must say it. */
static const char *entity_take(const struct webhook_ids *ids, struct intake_event *ev)
{
    static const struct {
        int topic;
        bool order;   /* data.order_id */
        bool product; /* data.product_id */
        bool listed;  /* orders in a list */
    } TOPICS[] = {
        { 1, true, false, false },  { 2, true, false, false },  { 3, true, false, false },
        { 4, false, false, true },  { 5, false, true, false },  { 11, true, false, false },
        { 12, true, false, false }, { 15, false, true, false }, { 16, false, true, false },
        { 18, false, true, false }, { 27, false, true, false }, { 36, false, false, true },
        { 37, false, true, false },
    };
    const char *first = ids->order_id[0] != 0 ? ids->order_id : ids->product_id;

    (void)str_copy(ev->entity, sizeof ev->entity, first);
    for (size_t i = 0; i < sizeof TOPICS / sizeof TOPICS[0]; i++) {
        if (TOPICS[i].topic != ids->topic)
            continue;
        if (TOPICS[i].order && ids->order_id[0] == 0)
            return "no_order_id";
        if (TOPICS[i].product && ids->product_id[0] == 0)
            return "no_product_id";
        if (TOPICS[i].product)
            (void)str_copy(ev->entity, sizeof ev->entity, ids->product_id);
        if (TOPICS[i].listed && ids->n_orders > 0) {
            ev->entity[0] = 0;
            ev->more_entities = str_dup(buf_text(&ids->orders));
            if (ev->more_entities == NULL)
                return "out_of_memory";
        }
    }
    return NULL;
}

static const char *ids_take(const struct webhook_ids *ids, struct intake_event *ev)
{
    ev->topic = ids->topic;
    ev->event_us = ids->timestamp_s * INT64_C(1000000);
    (void)str_copy(ev->shop_id, sizeof ev->shop_id, ids->shop_id);
    if (ids->notification_id[0] != 0)
        (void)str_copy(ev->key, sizeof ev->key, ids->notification_id);
    if (ids->topic < 0)
        return "no_type";
    if (ids->shop_id[0] == 0)
        return "no_shop_id";
    return entity_take(ids, ev);
}

/* An unusable body is kept under its digest: what was read of it counts for nothing but the shop. */
static void dead_letter(struct intake_event *ev, const char *why, const char *digest_key)
{
    (void)str_copy(ev->dead_reason, sizeof ev->dead_reason, why);
    (void)str_copy(ev->key, sizeof ev->key, digest_key);
    ev->entity[0] = 0;
    free(ev->more_entities);
    ev->more_entities = NULL;
}

static struct intake_event *event_read(struct http_req *req)
{
    struct intake_event *ev = intake_event_new(req->body_len);
    struct webhook_ids ids;
    char hex[SIGN_HEX_BYTES];
    char digest_key[80];
    const char *why = NULL;
    const char *missing = NULL;

    if (ev == NULL)
        return NULL;
    memcpy(ev->body, req->body, req->body_len);
    ev->req = req;
    ev->source = "tiktok";
    sign_sha256(req->body, req->body_len, ev->digest);
    str_hex(hex, ev->digest, sizeof ev->digest);
    (void)str_fmt(digest_key, sizeof digest_key, "sha256:%s", hex);
    (void)str_copy(ev->key, sizeof ev->key, digest_key);
    why = webhook_scan(req->body, req->body_len, &ids);
    missing = ids_take(&ids, ev);
    if (why == NULL)
        why = missing;
    if (why != NULL)
        dead_letter(ev, why, digest_key);
    webhook_ids_done(&ids);
    return ev;
}

enum rc webhook_tiktok_post(void *user, struct http_req *req, struct http_reply *reply,
                            struct err *e)
{
    struct app *app = user;
    struct keyed *keyed = keyed_get(&app->cfg);
    struct intake_event *ev = NULL;

    if (keyed != NULL && !signature_good(keyed, req)) {
        metrics_add("connector_webhooks_refused_total", "why=\"signature\"", 1);
        reply->status = 401;
        return RC_OK;
    }
    ev = keyed != NULL ? event_read(req) : NULL;
    if (ev == NULL || intake_put(app->intake, ev, e) != RC_OK) {
        intake_event_free(ev);
        reply->status = 503;
        http_reply_header(reply, "Retry-After", "5");
        return RC_OK;
    }
    reply->suspended = true;
    return RC_OK;
}
