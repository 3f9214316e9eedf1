/* tiktok_webhook.h - the webhooks of one TikTok shop. */
#ifndef TIKTOK_WEBHOOK_H
#define TIKTOK_WEBHOOK_H

#include "platform.h"

/* [{"event_type", "address"}] as TikTok names them; new reference. Blocks. */
enum rc tiktok_webhooks_get(struct tiktok_session *s, json_t **out, struct err *e);
/* Sets the address of one topic. RC_INVALID: refused. */
enum rc tiktok_webhook_set(struct tiktok_session *s, const char *event_type, const char *address,
                           struct err *e);
enum rc tiktok_webhook_delete(struct tiktok_session *s, const char *event_type, struct err *e);

#endif
