/* tiktok_webhook.c - reads, sets and takes away the webhooks of one TikTok shop. */
#include "tiktok_webhook.h"

#define WEBHOOKS_PATH "/event/202309/webhooks"

static void reply_own(struct tiktok_reply *reply)
{
    tiktok_reply_done(reply);
}
#define OWN_REPLY __attribute__((cleanup(reply_own)))

enum rc tiktok_webhooks_get(struct tiktok_session *s, json_t **out, struct err *e)
{
    struct tiktok_req req = { .operation = "get_shop_webhooks",
                              .method = "GET",
                              .path = WEBHOOKS_PATH,
                              .with_cipher = true };
    OWN_REPLY struct tiktok_reply reply = { 0 };
    json_t *list;
    enum rc rc = tiktok_call(s, &req, &reply, e);

    if (rc != RC_OK)
        return rc;
    list = json_object_get(reply.data, "webhooks");
    list = json_is_array(list) ? json_incref(list) : json_array();
    if (!list)
        return err_set(e, RC_DOWN, "out of memory");
    *out = list;
    return RC_OK;
}

static enum rc change(struct tiktok_session *s, const char *operation, const char *method,
                      const json_t *body, struct err *e)
{
    struct tiktok_req req = { .operation = operation,
                              .method = method,
                              .path = WEBHOOKS_PATH,
                              .with_cipher = true,
                              .writes = true,
                              .body = body };
    OWN_REPLY struct tiktok_reply reply = { 0 };

    if (!body)
        return err_set(e, RC_DOWN, "out of memory");
    return tiktok_call(s, &req, &reply, e);
}

enum rc tiktok_webhook_set(struct tiktok_session *s, const char *event_type, const char *address,
                           struct err *e)
{
    json_auto_t *body = json_pack("{s:s, s:s}", "address", address, "event_type", event_type);

    return change(s, "update_shop_webhook", "PUT", body, e);
}

enum rc tiktok_webhook_delete(struct tiktok_session *s, const char *event_type, struct err *e)
{
    json_auto_t *body = json_pack("{s:s}", "event_type", event_type);

    return change(s, "delete_shop_webhook", "DELETE", body, e);
}
