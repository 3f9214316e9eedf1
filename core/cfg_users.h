/* cfg_users.h - the users of the dashboard within the settings. */
#ifndef CORE_CFG_USERS_H
#define CORE_CFG_USERS_H

#include "cfg.h"

/* Reads ADMIN_USERS into c->users; the text is wiped and cut up. RC_INVALID names what is wrong, never the hash. */
enum rc cfg_users_read(struct cfg *c, char *text, struct err *e);
void cfg_users_done(struct cfg *c);

#endif
