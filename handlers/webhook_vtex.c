/* webhook_vtex.c - takes VTEX's change notifications: which SKU and what of it is read here, the secret of the path is
 * compared by the committer, and the answer comes after its COMMIT. */
#include "app.h"
#include "handlers.h"
#include "jspec.h"
#include "notices.h"
#include "sign.h"
#include "str.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LIMIT_NOTICE_KEYS 200

/* Keys come as IdSku, idSku and idSKU. */
static void read_text(const char *key, const json_t *value, struct notice *n)
{
    json_auto_t *holder = json_pack("{s:O}", "value", value);
    char text[JSPEC_ID_BYTES];

    jspec_id(holder, "value", text);
    if (strcasecmp(key, "IdSku") == 0) {
        n->malformed = !str_digits(text) || !str_copy(n->sku, sizeof n->sku, text);
    } else if (strcasecmp(key, "An") == 0) {
        str_copy_cut(n->account, sizeof n->account, text);
    } else if (strcasecmp(key, "IdAffiliate") == 0) {
        str_copy_cut(n->affiliate, sizeof n->affiliate, text);
    }
}

static int64_t flag_parts(const char *key, const json_t *value)
{
    bool on = json_is_true(value);

    if (json_is_false(value) && strcasecmp(key, "IsActive") == 0)
        return NOTICE_OFF | NOTICE_STOCK;
    if (!on)
        return 0;
    if (strcasecmp(key, "StockModified") == 0)
        return NOTICE_STOCK;
    if (strcasecmp(key, "PriceModified") == 0)
        return NOTICE_PRICE;
    if (strcasecmp(key, "HasStockKeepingUnitRemovedFromAffiliate") == 0)
        return NOTICE_OFF | NOTICE_STOCK;
    return strcasecmp(key, "HasStockKeepingUnitModified") == 0 ? NOTICE_PRICE | NOTICE_STOCK : 0;
}

/* All false still means that something was indexed anew. */
static void notice_read(const struct http_req *req, struct notice *n)
{
    json_auto_t *body = NULL;
    const char *key;
    json_t *value;

    n->malformed = true;
    if (jspec_parse(req->body, req->body_len, LIMIT_NOTICE_KEYS, &body, NULL) != RC_OK ||
        !json_is_object(body))
        return;
    json_object_foreach(body, key, value)
    {
        read_text(key, value, n);
        n->parts |= flag_parts(key, value);
    }
    if (n->parts == 0)
        n->parts = NOTICE_PRICE | NOTICE_STOCK;
}

enum rc vtex_notification_post(void *user, struct http_req *req, struct http_reply *reply,
                               struct err *e)
{
    struct app *app = user;
    const char *secret = http_param(req, "secret");
    struct notice *n = notice_new();

    if (n == NULL) {
        reply->status = 503;
        return RC_OK;
    }
    if (!str_copy(n->client_id, sizeof n->client_id, http_param(req, "client_hash")))
        n->client_id[0] = '\0'; /* nobody's */
    n->req = req;
    sign_sha256(secret, strlen(secret), n->secret);
    notice_read(req, n);
    if (notices_put(app->notices, n, e) != RC_OK) {
        free(n);
        reply->status = 503;
        http_reply_header(reply, "Retry-After", "5");
        return RC_OK;
    }
    reply->suspended = true;
    return RC_OK;
}
