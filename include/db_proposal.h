/* db_proposal.h - what TikTok proposes for a product, and what a person decided about it. */
#ifndef DB_PROPOSAL_H
#define DB_PROPOSAL_H

#include "db_rest.h"

/* One on its way in. Everything is borrowed; NULL = none. */
struct proposal_new {
    const char *client_id, *shop_id, *source_id;
    const char *field, *kind, *operation;
    const json_t *current, *proposed, *problem; /* a problem makes it refused */
    const char *reason, *run_id, *request_id, *asked_by;
};
enum rc db_proposal_add(struct db_tx *tx, const struct proposal_new *p, struct err *e);
/* Those of the product that nobody decided about are outdated: TikTok was asked again, or the fields changed. fields
 * NULL = all. */
enum rc db_proposals_outdate(struct db_tx *tx, const char *shop_id, const char *source_id,
                             const char *const *fields, size_t n, struct err *e);
/* An approved one ended: state sent, refused or outdated. *was (may be NULL): it was still approved. */
enum rc db_proposal_close(struct db_tx *tx, const char *client_id, int64_t id, const char *state,
                          const char *run_id, const char *request_id, const json_t *problem,
                          bool *was, struct err *e);

struct proposal {
    int64_t id;
    char shop_id[72];
    char source_id[256];
    char field[16];
    char state[16];
    json_t *current, *proposed; /* owned; NULL = none */
    json_t *published;          /* owned: of the product now; NULL = nothing is published */
};
/* One under a row lock. RC_NOT_FOUND. Free with db_proposal_done. */
enum rc db_proposal_lock(struct db_tx *tx, const char *client_id, int64_t id, struct proposal *out,
                         struct err *e);
void db_proposal_done(struct proposal *p);
#define OWN_PROPOSAL __attribute__((cleanup(db_proposal_done)))
/* Records a decision: approved (with the value to send and the run that will send it), dismissed or outdated. */
enum rc db_proposal_decide(struct db_tx *tx, const char *client_id, int64_t id, const char *state,
                           const json_t *value, const char *run_id, const char *who, struct err *e);

/* Scopes that the shop's seller granted: JSON array, new reference; NULL when they are not known. */
enum rc db_shop_scopes(struct db_tx *tx, const char *client_id, const char *shop_id, json_t **out,
                       struct err *e);
/* The first of the source ids that names no product of the shop; "" = all are known. */
enum rc db_products_unknown(struct db_tx *tx, const char *shop_id, const char *const *source_ids,
                            size_t n, char unknown[256], struct err *e);

struct proposals_filter {
    const char *source_id, *state, *field; /* NULL = all */
};
/* Newest first. */
enum rc db_rest_proposals(struct db_tx *tx, const char *client_id,
                          const struct proposals_filter *filter, const char *cursor, int limit,
                          struct rest_list *out, struct err *e);
/* One of them; new reference, RC_NOT_FOUND. */
enum rc db_rest_proposal(struct db_tx *tx, const char *client_id, int64_t id, json_t **doc,
                         struct err *e);

#endif
