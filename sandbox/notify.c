/* notify.c - webhooks to the connector: signed, repeated on failure, each with its own notification id. */
#include "state.h"

#include "clock.h"
#include "jspec.h"
#include "log.h"
#include "sign.h"
#include "str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WEBHOOK_TOTAL_MS 3000

/* One delivery on its way; the body follows the struct in the same block. */
struct delivery {
    int type;
    int attempt;
    size_t len;
    char body[];
};

static void deliver(struct sandbox *sb, void *data);

static void sign_body(const struct sandbox *sb, const char *body, size_t len,
                      char hex[SIGN_HEX_BYTES])
{
    unsigned char mac[SIGN_SHA256_BYTES];
    struct buf text;

    buf_init(&text, len + 256);
    buf_str(&text, sb->cfg.app_key);
    buf_add(&text, body, len);
    sign_hmac_sha256(sb->cfg.app_secret, strlen(sb->cfg.app_secret), buf_text(&text), text.len,
                     mac);
    str_hex(hex, mac, sizeof mac);
    buf_done(&text);
}

static bool post(struct sandbox *sb, const struct delivery *d)
{
    char hex[SIGN_HEX_BYTES], header[96], url[1024];
    struct fetch_reply reply = { 0 };
    struct err e = { 0 };

    sign_body(sb, d->body, d->len, hex);
    (void)snprintf(header, sizeof header, "Authorization: %s", hex);
    (void)snprintf(url, sizeof url, "%s/tiktok/webhook", sb->cfg.webhook_url);
    struct fetch_req req = {
        .method = "POST",
        .url = url,
        .policy = FETCH_PLATFORM,
        .headers = { "Content-Type: application/json", header },
        .n_headers = 2,
        .body = d->body,
        .body_len = d->len,
        .total_ms = WEBHOOK_TOTAL_MS,
    };
    if (fetch_run(sb->fetch, &req, &reply, &e) != RC_OK)
        return false;
    bool ok = reply.status == 200;
    if (ok && reply.body_bytes > 0) {
        (void)pthread_mutex_lock(&sb->lock);
        sbx_note_refused(sb, "webhook", "webhook", "200",
                         "the answer to a webhook must have an empty body");
        (void)pthread_mutex_unlock(&sb->lock);
    }
    fetch_reply_done(&reply);
    return ok;
}

static void again(struct sandbox *sb, struct delivery *d)
{
    if (d->attempt >= sb->cfg.n_retries) {
        (void)pthread_mutex_lock(&sb->lock);
        sb->webhooks_lost++;
        (void)pthread_mutex_unlock(&sb->lock);
        LOG(LOG_WARN, "sandbox", "a webhook was given up", LF_I("type", d->type));
        free(d);
        return;
    }
    int64_t ms = sb->cfg.retries_ms[d->attempt++];

    agenda_put(sb->agenda, ms, deliver, d);
}

static void deliver(struct sandbox *sb, void *data)
{
    struct delivery *d = data;
    bool ok = post(sb, d);

    (void)pthread_mutex_lock(&sb->lock);
    if (ok)
        sb->webhooks_sent++;
    else
        sb->webhooks_failed++;
    (void)pthread_mutex_unlock(&sb->lock);
    if (ok)
        free(d);
    else
        again(sb, d);
}

static struct delivery *delivery_new(int type, const struct buf *body)
{
    struct delivery *d = sbx_need(calloc(1, sizeof *d + body->len + 1));

    d->type = type;
    d->len = body->len;
    memcpy(d->body, body->data, body->len);
    return d;
}

void sbx_webhook(struct sandbox *sb, const struct sbx_shop *shop, int type, json_t *data)
{
    json_auto_t *envelope = sbx_need(json_object());
    char id[32], name[16];
    struct sbx_fault fault = { 0 };
    OWN_BUF struct buf body;

    buf_init(&body, LIMIT_SBX_BODY_BYTES);
    sbx_id(sb, false, id);
    sbx_set_int(envelope, "type", type);
    sbx_set_text(envelope, "tts_notification_id", id);
    sbx_set_text(envelope, "shop_id", shop->id);
    sbx_set_int(envelope, "timestamp", sbx_now_s());
    sbx_set(envelope, "data", data);
    if (sb->cfg.webhook_url[0] == '\0' || jspec_dump(envelope, &body, NULL) != RC_OK)
        return;
    (void)snprintf(name, sizeof name, "%d", type);
    bool planted = sbx_fault_take(sb, "webhook", name, &fault);
    if (planted && str_eq(fault.kind, "lost")) {
        sb->webhooks_lost++;
        return;
    }
    int64_t ms = planted && str_eq(fault.kind, "slow") ? (fault.ms > 0 ? fault.ms : 1000) : 0;
    agenda_put(sb->agenda, ms, deliver, delivery_new(type, &body));
    if (planted && str_eq(fault.kind, "duplicate"))
        agenda_put(sb->agenda, ms + fault.ms, deliver, delivery_new(type, &body));
}
