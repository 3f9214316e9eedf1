/* cfg_users.c - reads ADMIN_USERS: who may sign in to the dashboard, as what, for which clients. */
#include "cfg_users.h"

#include "password.h"
#include "sign.h"
#include "str.h"

#include <stdlib.h>
#include <string.h>

#define NAME_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._@-"
#define CLIENT_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+"
#define NAME_CHARS_MAX 60
#define SHAPE                                                                                       \
    "ADMIN_USERS must be name:role:hash,... with the role viewer, operator or admin and a hash of " \
    "`user hash-password`"

static bool read_role(const char *text, enum cfg_scope *out)
{
    if (str_eq(text, "viewer"))
        *out = CFG_SCOPE_READ;
    else if (str_eq(text, "operator"))
        *out = CFG_SCOPE_SYNC;
    else if (str_eq(text, "admin"))
        *out = CFG_SCOPE_ADMIN;
    else
        return false;
    return true;
}

/* name:role:hash or name:role:hash:client+client. */
static enum rc read_user(struct cfg *c, char *item, struct err *e)
{
    char *rest = item;
    const char *name = strsep(&rest, ":");
    const char *role = strsep(&rest, ":");
    const char *hash = strsep(&rest, ":");
    struct cfg_user *u = &c->users[c->n_users];

    if (c->n_users == CFG_USERS_MAX)
        return err_field(e, "ADMIN_USERS", "ADMIN_USERS holds more than %d users", CFG_USERS_MAX);
    if (hash == NULL || !str_only(name, NAME_CHARS) || strlen(name) > NAME_CHARS_MAX ||
        !read_role(role, &u->role) || !password_hash_valid(hash))
        return err_field(e, "ADMIN_USERS", SHAPE);
    if (rest != NULL && !str_only(rest, CLIENT_CHARS))
        return err_field(e, "ADMIN_USERS",
                         "ADMIN_USERS: the clients of %s must be client_hash+client_hash", name);
    for (int i = 0; i < c->n_users; i++) {
        if (str_eq(c->users[i].name, name))
            return err_field(e, "ADMIN_USERS", "ADMIN_USERS: %s stands there twice", name);
    }
    c->n_users++;
    u->name = str_dup(name);
    u->hash = str_dup(hash);
    u->clients = str_dup(rest);
    (void)str_fmt(u->principal, sizeof u->principal, "user:%s", name);
    sign_sha256(hash, strlen(hash), u->fingerprint);
    if (u->name == NULL || u->hash == NULL || (rest != NULL && u->clients == NULL))
        return err_set(e, RC_BUG, "out of memory");
    return RC_OK;
}

enum rc cfg_users_read(struct cfg *c, char *text, struct err *e)
{
    size_t len = strlen(text);
    char *rest = text, *item;
    enum rc rc = RC_OK;

    while (rc == RC_OK && len > 0 && (item = strsep(&rest, ",")) != NULL)
        rc = read_user(c, str_trim(item), e);
    sign_wipe(text, len);
    return rc;
}

void cfg_users_done(struct cfg *c)
{
    for (int i = 0; i < c->n_users; i++) {
        free(c->users[i].name);
        sign_wipe_text(&c->users[i].hash);
        free(c->users[i].clients);
    }
    c->n_users = 0;
}

bool cfg_user_may(const struct cfg_user *user, const char *client_id)
{
    const char *at = user->clients;
    size_t len = strlen(client_id);

    if (at == NULL)
        return true;
    while (*at != '\0') {
        size_t n = strcspn(at, "+");

        if (n == len && memcmp(at, client_id, n) == 0)
            return true;
        at += n + (at[n] == '+');
    }
    return false;
}
