/* switches.c - the switches under /sandbox/ that make things happen: orders, faults, expiry, prices. */
#include "state.h"

#include "clock.h"
#include "jspec.h"
#include "money.h"
#include "str.h"

#include <stdio.h>

#define DAY_S 86400

/* Shop named in a body by number or id; the first when none is named. */
static struct sbx_shop *shop_of(struct sandbox *sb, const json_t *body, struct err *e)
{
    const char *wanted = jspec_text(body, "shop");
    int64_t number = 0;

    if (wanted == NULL)
        return &sb->shops[0];
    struct sbx_shop *shop = str_to_i64(wanted, 1, sb->n_shops, &number) ? &sb->shops[number - 1]
                                                                        : sbx_shop_find(sb, wanted);
    if (shop == NULL)
        (void)err_field(e, "shop", "there is no such shop; use a number from 1 to %d or an id",
                        sb->n_shops);
    return shop;
}

static enum rc orders_make(struct sandbox *sb, const json_t *body, json_t *ids, struct err *e)
{
    struct sbx_shop *shop = shop_of(sb, body, e);
    int64_t count = jspec_int(body, "count", 1);
    enum rc rc = shop == NULL ? RC_INVALID : RC_OK;

    for (int64_t i = 0; i < count && i < 1000 && rc == RC_OK; i++) {
        char id[32];

        rc = sbx_order_new(sb, shop, body, id, e);
        if (rc == RC_OK)
            sbx_append(ids, json_string(id));
    }
    return rc;
}

SBX_HANDLER(sbx_orders_post)
{
    struct sandbox *sb = user;
    json_auto_t *body = NULL;
    json_auto_t *ids = sbx_need(json_array());
    enum rc rc = http_body_json(req, true, &body, e);

    if (rc != RC_OK)
        return rc;
    (void)pthread_mutex_lock(&sb->lock);
    rc = orders_make(sb, body, ids, e);
    (void)pthread_mutex_unlock(&sb->lock);
    if (rc != RC_OK)
        return rc;
    json_auto_t *answer =
        sbx_need(json_pack("{s:O,s:O}", "order_id", json_array_get(ids, 0), "order_ids", ids));
    return http_reply_json(reply, 201, answer, e);
}

SBX_HANDLER(sbx_order_status_post)
{
    struct sandbox *sb = user;
    json_auto_t *body = NULL;
    enum rc rc = http_body_json(req, false, &body, e);

    if (rc != RC_OK)
        return rc;
    (void)pthread_mutex_lock(&sb->lock);
    rc = RC_NOT_FOUND;
    for (int i = 0; i < sb->n_shops; i++) {
        json_t *order = json_object_get(sb->shops[i].orders, http_param(req, "order_id"));

        if (order != NULL)
            rc = sbx_order_move(sb, &sb->shops[i], order, sbx_text(body, "status"), e);
    }
    (void)pthread_mutex_unlock(&sb->lock);
    if (rc == RC_NOT_FOUND)
        return err_set(e, rc, "No shop has this order");
    if (rc != RC_OK)
        return rc;
    json_auto_t *answer = sbx_need(json_pack("{s:s}", "status", sbx_text(body, "status")));
    return http_reply_json(reply, 200, answer, e);
}

SBX_HANDLER(sbx_faults_post)
{
    struct sandbox *sb = user;
    json_auto_t *body = NULL;
    enum rc rc = http_body_json(req, false, &body, e);

    if (rc != RC_OK)
        return rc;
    (void)pthread_mutex_lock(&sb->lock);
    rc = sbx_fault_add(sb, body, e);
    (void)pthread_mutex_unlock(&sb->lock);
    return rc == RC_OK ? http_reply_json(reply, 201, body, e) : rc;
}

SBX_HANDLER(sbx_faults_delete)
{
    struct sandbox *sb = user;

    (void)req;
    (void)e;
    (void)pthread_mutex_lock(&sb->lock);
    sb->n_faults = 0;
    (void)pthread_mutex_unlock(&sb->lock);
    reply->status = 204;
    return RC_OK;
}

/* Drops or ends the entries of one credential book. */
static void tokens_end(json_t *book, const struct sbx_shop *shop)
{
    const char *key;
    json_t *entry;

    json_object_foreach(book, key, entry)
    {
        if (shop == NULL || str_eq(sbx_text(entry, "shop"), shop->id))
            sbx_set_int(entry, "ends_s", sbx_now_s() - 1);
    }
}

SBX_HANDLER(sbx_deauthorize_post)
{
    struct sandbox *sb = user;
    json_auto_t *body = NULL;
    enum rc rc = http_body_json(req, true, &body, e);
    char text[128];

    if (rc != RC_OK)
        return rc;
    (void)pthread_mutex_lock(&sb->lock);
    struct sbx_shop *shop = shop_of(sb, body, e);
    if (shop != NULL) {
        shop->authorized = false;
        tokens_end(sb->refresh, shop);
        (void)snprintf(text, sizeof text, "Shop_id %s is deauthorized from your APP by merchant.",
                       shop->id);
        sbx_webhook(sb, shop, 6, sbx_need(json_pack("{s:s}", "message", text)));
    }
    (void)pthread_mutex_unlock(&sb->lock);
    if (shop == NULL)
        return RC_INVALID;
    json_auto_t *answer = sbx_need(json_pack("{s:s}", "shop_id", shop->id));
    return http_reply_json(reply, 200, answer, e);
}

SBX_HANDLER(sbx_expiring_post)
{
    struct sandbox *sb = user;
    json_auto_t *body = NULL;
    enum rc rc = http_body_json(req, true, &body, e);
    char text[160], when[24];

    if (rc != RC_OK)
        return rc;
    int64_t days = jspec_int(body, "days", 30);
    (void)snprintf(when, sizeof when, "%lld", (long long)(sbx_now_s() + days * DAY_S));
    (void)pthread_mutex_lock(&sb->lock);
    struct sbx_shop *shop = shop_of(sb, body, e);
    if (shop != NULL) {
        (void)snprintf(
            text, sizeof text,
            "Authorization of shop_id %s is expiring in %lld days. Please direct the merchant to re-authorize.",
            shop->id, (long long)days);
        sbx_webhook(sb, shop, 7,
                    sbx_need(json_pack("{s:s,s:s}", "message", text, "expiration_time", when)));
    }
    (void)pthread_mutex_unlock(&sb->lock);
    if (shop == NULL)
        return RC_INVALID;
    json_auto_t *answer =
        sbx_need(json_pack("{s:s,s:s}", "shop_id", shop->id, "expiration_time", when));
    return http_reply_json(reply, 200, answer, e);
}

static enum rc sku_change(struct sandbox *sb, struct sbx_account *account, int index,
                          const json_t *body, struct err *e)
{
    int64_t stock = jspec_int(body, "stock", -1);
    int64_t price = 0;
    enum rc rc = RC_OK;

    (void)sb;
    if (json_object_get(body, "price") != NULL) {
        rc = money_decimal_read(sbx_text(body, "price"), &price, e);
        if (rc != RC_OK || price < 0)
            return err_field(e, "price",
                             "must be decimal text such as \"129.90\"; \"0\" takes the price away");
        account->price_minor[index] = price;
    }
    if (stock >= 0) { /* what can be sold: reserved units stay */
        account->total[index] = stock + account->reserved[index];
    }
    return rc;
}

SBX_HANDLER(sbx_sku_post)
{
    static const struct jspec_field fields[] = {
        { .name = "price", .type = JSPEC_DECIMAL },
        { .name = "stock", .type = JSPEC_INT, .min = 0, .max = 1000000 },
        { .name = "account", .type = JSPEC_TEXT, .min = 1, .max = 63 },
        { 0 },
    };
    struct sandbox *sb = user;
    json_auto_t *body = NULL;
    int64_t id = 0;
    enum rc rc = http_body_json(req, false, &body, e);

    if (rc == RC_OK)
        rc = jspec_check(body, fields, e);
    if (rc != RC_OK)
        return rc;
    int index = str_to_i64(http_param(req, "sku_id"), 1, INT32_MAX, &id)
                    ? merchant_sku_by_id(sb->merchant, id)
                    : -1;
    if (index < 0)
        return err_set(e, RC_NOT_FOUND, "The merchant has no such SKU");
    (void)pthread_mutex_lock(&sb->lock);
    const char *name = jspec_text(body, "account");
    struct sbx_account *account = name == NULL ? &sb->accounts[0] : sbx_account_find(sb, name);
    rc = account == NULL ? err_field(e, "account", "there is no such account")
                         : sku_change(sb, account, index, body, e);
    (void)pthread_mutex_unlock(&sb->lock);
    return rc == RC_OK ? http_reply_json(reply, 200, body, e) : rc;
}

SBX_HANDLER(sbx_tokens_expire_post)
{
    struct sandbox *sb = user;
    json_auto_t *body = NULL;
    enum rc rc = http_body_json(req, true, &body, e);

    if (rc != RC_OK)
        return rc;
    (void)pthread_mutex_lock(&sb->lock);
    struct sbx_shop *shop = json_object_get(body, "shop") == NULL ? NULL : shop_of(sb, body, e);
    bool wrong = json_object_get(body, "shop") != NULL && shop == NULL;
    if (!wrong)
        tokens_end(sb->access, shop);
    if (!wrong && jspec_bool(body, "refresh", false))
        tokens_end(sb->refresh, shop);
    (void)pthread_mutex_unlock(&sb->lock);
    if (wrong)
        return RC_INVALID;
    reply->status = 204;
    return RC_OK;
}
