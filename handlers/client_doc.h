/* client_doc.h - a client document: checked, turned into a row, shown. */
#ifndef CLIENT_DOC_H
#define CLIENT_DOC_H

#include "db_account.h"

#define CLIENT_MASK "***"

/* Checks a whole document and points *out into it (borrowed). `stored` tells which secrets a mask may stand
 * for; NULL for a new client. RC_INVALID names the field. */
enum rc client_doc_read(const json_t *doc, const struct client *stored, struct client_write *out,
                        struct err *e);
/* The document that is stored now, with masks for secrets: what a merge patch is applied to. New reference. */
json_t *client_doc_stored_new(const struct client *c);
/* The answer: defaults filled, secrets masked; hook_secret (may be NULL) is shown once. New reference. */
json_t *client_doc_show_new(const struct client *c, const char *hook_secret);
/* Applies a merge patch (RFC 7396) to doc in place. RC_INVALID when it nests too deep. */
enum rc client_doc_patch(json_t *doc, const json_t *patch, struct err *e);

#endif
