/* client_policy.h - a merchant's rules: what may be written, what holds when nothing is written. */
#ifndef CLIENT_POLICY_H
#define CLIENT_POLICY_H

#include "db_account.h"
#include "jspec.h"

/* Members of "policies" in a client document, for jspec_check. */
extern const struct jspec_field CLIENT_POLICIES_SPEC[];

/* Fills the rules of *c from a document that passed jspec_check (NULL = all defaults); c->vtex_account must
 * be set before, because price and stock come from the feed by default when there is no VTEX account.
 * RC_INVALID with e->field ("policies.price.round_to") for values out of range. *c keeps what it read so far. */
enum rc client_policy_read(const json_t *policies, struct client *c, struct err *e);

/* The rules of *c as a document with every member written out. New reference, NULL when out of memory. */
json_t *client_policy_json_new(const struct client *c);

#endif
