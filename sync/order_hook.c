/* order_hook.c - keeps the order hook of a client's VTEX account and the webhooks of its shops as a person wants them.
 *
 * Repeats: safe. What stands there is read first; what is right is left alone, and the hook of another system is not
 * touched unless a person said so. Runs when asked and once a day, because VTEX drops hooks that are silent for days. */
#include "clock.h"
#include "db_account.h"
#include "db_order_hook.h"
#include "jspec.h"
#include "own.h"
#include "sign.h"
#include "str.h"
#include "sync.h"
#include "tiktok_webhook.h"
#include "vtex_hook.h"

#include <string.h>

static const char *const STATUSES[] = { "ready-for-handling",
                                        "handling",
                                        "invoiced",
                                        "cancellation-requested",
                                        "cancel",
                                        "canceled",
                                        "waiting-for-manual-authorization",
                                        NULL };
/* Topics that are work here (db/intake_topic.c). */
static const char *const TOPICS[] = { "ORDER_STATUS_CHANGE",
                                      "RECIPIENT_ADDRESS_UPDATE",
                                      "PACKAGE_UPDATE",
                                      "PRODUCT_STATUS_CHANGE",
                                      "SELLER_DEAUTHORIZATION",
                                      "UPCOMING_AUTHORIZATION_EXPIRATION",
                                      "CANCELLATION_STATUS_CHANGE",
                                      "RETURN_STATUS_CHANGE",
                                      "PRODUCT_INFORMATION_CHANGE",
                                      "PRODUCT_CREATION",
                                      "PRODUCT_CATEGORY_CHANGE",
                                      "INVOICE_STATUS_CHANGE",
                                      "PRODUCT_AUDIT_STATUS_CHANGE",
                                      NULL };

struct hooks {
    struct job_ctx *ctx;
    struct order_hook hook;
    char *secret; /* owned; NULL = none */
    bool has_vtex;
    bool primary; /* this shop's job looks after VTEX */
};

static void hooks_done(struct hooks *h)
{
    sign_wipe_text(&h->secret);
}
#define OWN_HOOKS __attribute__((cleanup(hooks_done)))

static enum rc load(struct hooks *h, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    OWN_CLIENT struct client client = { 0 };
    struct shop primary = { 0 };
    const struct job *job = h->ctx->job;
    enum rc rc = job_tx_begin(h->ctx, "order_hook_load", &tx, e);

    if (rc == RC_OK)
        rc = db_order_hook_get(tx, job->client_id, &h->hook, e);
    if (rc != RC_OK || !h->hook.exists)
        return rc;
    rc = db_client_get(tx, job->client_id, &client, e);
    h->has_vtex = client.vtex_account[0] != '\0' && client.has_vtex_credentials;
    if (rc == RC_OK && client.has_hook_secret)
        rc = db_client_hook_secret(tx, job->client_id, &h->secret, e);
    if (rc == RC_OK)
        rc = db_shop_primary(tx, job->client_id, &primary, e);
    h->primary = rc == RC_OK && str_eq(primary.shop_id, job->shop_id);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* ---- VTEX ---------------------------------------------------------------------------------------- */

static enum rc found(struct hooks *h, const char *state, const char *url, const char *problem,
                     bool configured, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(h->ctx, "order_hook_found", &tx, e);

    if (rc == RC_OK)
        rc = db_order_hook_found(tx, h->ctx->job->client_id, state, url, problem, configured, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

/* All our statuses are asked for and our secret stands there. */
static bool complete(const struct hooks *h, const json_t *config)
{
    const json_t *statuses = jspec_get(config, "filter.status");
    const json_t *headers = jspec_get(config, "hook.headers");

    for (int i = 0; STATUSES[i]; i++) {
        bool there = false;

        for (size_t k = 0; k < json_array_size(statuses); k++)
            there = there || str_eq(json_string_value(json_array_get(statuses, k)), STATUSES[i]);
        if (!there)
            return false;
    }
    return str_eq(jspec_text(headers, "X-Hook-Secret"), h->secret);
}

static enum rc vtex_wanted(struct hooks *h, struct vtex_session *vtex, const char *url,
                           const json_t *config, struct err *e)
{
    const char *there = jspec_text(config, "hook.url");
    bool ours = str_eq(there, url);
    char problem[320];
    enum rc rc;

    if (ours && complete(h, config))
        return found(h, "active", NULL, NULL, false, e);
    if (there && !ours && !h->hook.replace_foreign)
        return found(h, "foreign", there,
                     "the hook of another system stands there; put replace_foreign to replace it",
                     false, e);
    rc = vtex_hook_set(vtex, url, h->secret, STATUSES, e);
    if (rc == RC_OK)
        return found(h, "active", NULL, NULL, true, e);
    if (rc != RC_INVALID && rc != RC_DENIED)
        return rc;
    (void)str_fmt(problem, sizeof problem, "VTEX refused the hook: %.240s", e->text);
    return found(h, "refused", NULL, problem, false, e);
}

static enum rc vtex_side(struct hooks *h, struct err *e)
{
    OWN_VTEX struct vtex_session vtex = { 0 };
    json_auto_t *config = NULL;
    char url[512];
    enum rc rc;

    if (!h->has_vtex || !h->secret)
        return found(h, "refused", NULL, "the client has no VTEX account or credentials", false, e);
    if (!str_fmt(url, sizeof url, "%s/vtex/%s/order-hook", h->ctx->app->cfg.public_url,
                 h->ctx->job->client_id))
        return err_set(e, RC_INVALID, "the address of the order hook is too long");
    rc = session_vtex_open(h->ctx, &vtex, e);
    if (rc == RC_OK)
        rc = vtex_hook_get(&vtex, &config, e);
    if (rc == RC_DENIED)
        return found(h, "refused", NULL, "the app key may not read the order hook in VTEX", false,
                     e);
    if (rc != RC_OK)
        return rc;
    if (h->hook.wanted)
        return vtex_wanted(h, &vtex, url, config, e);
    if (str_eq(jspec_text(config, "hook.url"), url))
        rc = vtex_hook_delete(&vtex, e);
    return rc == RC_OK ? found(h, "deleted", NULL, NULL, false, e) : rc;
}

/* ---- TikTok -------------------------------------------------------------------------------------- */

static const char *address_of(const json_t *list, const char *topic)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);

        if (str_eq(jspec_text(one, "event_type"), topic))
            return jspec_text(one, "address");
    }
    return NULL;
}

/* Brings one topic to what is wanted; problem is filled when another system has it, or TikTok refuses. */
static enum rc topic_set(struct hooks *h, struct tiktok_session *s, const char *topic,
                         const char *there, const char *ours, char *problem, size_t cap,
                         struct err *e)
{
    bool is_ours = str_eq(there, ours);
    enum rc rc = RC_OK;

    if (h->hook.wanted && !is_ours && there && there[0] && !h->hook.replace_foreign)
        (void)str_fmt(problem, cap, "%s goes to another system; put replace_foreign to replace it",
                      topic);
    else if (h->hook.wanted && !is_ours)
        rc = tiktok_webhook_set(s, topic, ours, e);
    else if (!h->hook.wanted && is_ours)
        rc = tiktok_webhook_delete(s, topic, e);
    if (rc != RC_INVALID)
        return rc;
    (void)str_fmt(problem, cap, "TikTok refused %s: %.160s", topic, e->text);
    return RC_OK;
}

static enum rc webhooks_keep(struct hooks *h, const json_t *list, const char *ours,
                             const char *problem, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *shown = json_array();
    enum rc rc = RC_OK;

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        const char *address = jspec_text(one, "address");

        if (json_array_append_new(shown, json_pack("{s:s?, s:s?, s:b}", "event_type",
                                                   jspec_text(one, "event_type"), "address",
                                                   address, "ours", str_eq(address, ours))) != 0)
            rc = err_set(e, RC_DOWN, "out of memory");
    }
    if (rc == RC_OK)
        rc = job_tx_begin(h->ctx, "shop_webhooks", &tx, e);
    if (rc == RC_OK)
        rc = db_shop_webhooks_set(tx, h->ctx->job->shop_id, shown, problem, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc tiktok_side(struct hooks *h, struct err *e)
{
    OWN_TIKTOK struct tiktok_session s = { 0 };
    json_auto_t *before = NULL;
    json_auto_t *after = NULL;
    char ours[300];
    char problem[320] = "";
    enum rc rc = session_tiktok_open(h->ctx, &s, e);

    if (!str_fmt(ours, sizeof ours, "%s/tiktok/webhook", h->ctx->app->cfg.public_url))
        return err_set(e, RC_INVALID, "the address of the webhook is too long");
    if (rc == RC_OK)
        rc = tiktok_webhooks_get(&s, &before, e);
    for (int i = 0; rc == RC_OK && TOPICS[i]; i++)
        rc = topic_set(h, &s, TOPICS[i], address_of(before, TOPICS[i]), ours, problem,
                       sizeof problem, e);
    if (rc == RC_OK)
        rc = tiktok_webhooks_get(&s, &after, e);
    return rc == RC_OK ? webhooks_keep(h, after, ours, problem[0] ? problem : NULL, e) : rc;
}

enum rc sync_order_hook(struct job_ctx *ctx, struct err *e)
{
    OWN_HOOKS struct hooks h = { .ctx = ctx };
    enum rc rc = load(&h, e);

    if (rc != RC_OK || !h.hook.exists || (!h.hook.wanted && str_eq(h.hook.state, "deleted")))
        return rc;
    if (h.primary)
        rc = vtex_side(&h, e);
    return rc == RC_OK ? tiktok_side(&h, e) : rc;
}
