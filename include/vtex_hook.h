/* vtex_hook.h - the order hook of a VTEX account. */
#ifndef VTEX_HOOK_H
#define VTEX_HOOK_H

#include "platform.h"

/* The hook of our app key as VTEX shows it: new reference; NULL (RC_OK) when there is none. Blocks. */
enum rc vtex_hook_get(struct vtex_session *s, json_t **out, struct err *e);
/* Sets it; VTEX pings url before it answers. RC_INVALID: refused, e->text says why. */
enum rc vtex_hook_set(struct vtex_session *s, const char *url, const char *secret,
                      const char *const *statuses, struct err *e);
/* Takes it away; one that is not there is as good. */
enum rc vtex_hook_delete(struct vtex_session *s, struct err *e);

#endif
