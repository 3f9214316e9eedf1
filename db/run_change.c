/* run_change.c - what became of the changes that runs listed, and changes as they were really sent. */
#include "db_run.h"

#include "str.h"

#include <string.h>

#define SHOWN_BYTES 300 /* of a value in a list for people; the logs keep the whole */

/* What the list shows of a value. */
static const char *shown(const char *value, char out[SHOWN_BYTES])
{
    if (value == NULL)
        return NULL;
    str_copy_cut(out, SHOWN_BYTES, value);
    return out;
}

enum rc db_run_change(struct db_tx *tx, const char *client_id, const char *run_id,
                      const char *entity, const char *source_id, const char *seller_sku,
                      const char *field, const char *old_value, const char *new_value,
                      const char *action, const char *outcome, struct err *e)
{
    const struct run_change c = {
        .client_id = client_id,
        .run_id = run_id,
        .source_id = source_id,
        .seller_sku = strcmp(entity, "sku") == 0 ? seller_sku : NULL,
        .field = field,
        .old_value = old_value,
        .new_value = new_value,
        .action = action,
        .outcome = outcome,
    };

    return db_run_change_add(tx, &c, e);
}

enum rc db_run_change_add(struct db_tx *tx, const struct run_change *c, struct err *e)
{
    struct db_args a = { 0 };
    char was[SHOWN_BYTES], is[SHOWN_BYTES], why[SHOWN_BYTES];

    if (str_blank(c->run_id))
        return RC_OK;
    db_arg_text(&a, c->client_id);
    db_arg_text(&a, c->run_id);
    db_arg_text(&a, c->seller_sku != NULL ? "sku" : "product");
    db_arg_text(&a, c->source_id);
    db_arg_text(&a, c->seller_sku);
    db_arg_text(&a, c->field);
    db_arg_text(&a, shown(c->old_value, was));
    db_arg_text(&a, shown(c->new_value, is));
    db_arg_text(&a, c->action);
    db_arg_text(&a, c->outcome);
    db_arg_text(&a, str_blank(c->rule) ? NULL : c->rule);
    db_arg_text(&a, str_blank(c->request_id) ? NULL : c->request_id);
    db_arg_text(&a, shown(c->reason, why));
    return db_exec(tx,
                   "INSERT INTO sync_run_changes (client_id, run_id, entity, source_id, seller_sku,"
                   " field, old, new, action, outcome, rule, request_id, reason)"
                   " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
                   &a, NULL, e);
}

enum rc db_run_change_sent(struct db_tx *tx, const struct run_change *c, struct err *e)
{
    struct db_args a = { 0 };
    char was[SHOWN_BYTES], is[SHOWN_BYTES], why[SHOWN_BYTES];
    enum rc rc;

    if (str_blank(c->run_id))
        return RC_OK;
    db_arg_text(&a, c->client_id);
    db_arg_text(&a, c->run_id);
    db_arg_text(&a, c->source_id);
    db_arg_text(&a, c->seller_sku);
    db_arg_text(&a, c->field);
    db_arg_text(&a, shown(c->old_value, was));
    db_arg_text(&a, shown(c->new_value, is));
    db_arg_text(&a, c->outcome);
    db_arg_text(&a, str_blank(c->rule) ? NULL : c->rule);
    db_arg_text(&a, str_blank(c->request_id) ? NULL : c->request_id);
    db_arg_text(&a, shown(c->reason, why));
    rc = db_exec(
        tx,
        "UPDATE sync_run_changes SET old = $6, new = $7, outcome = $8, rule = $9, request_id = $10,"
        " reason = $11 WHERE client_id = $1 AND run_id = $2 AND source_id = $3"
        " AND seller_sku IS NOT DISTINCT FROM $4 AND field = $5"
        " AND outcome IN ('queued', 'waiting', 'refused', 'held')",
        &a, NULL, e);
    return rc == RC_OK && db_affected(tx) == 0 ? db_run_change_add(tx, c, e) : rc;
}

enum rc db_run_changes_open(struct db_tx *tx, const char *client_id, const char *source_id,
                            struct db_rows **rows, struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, client_id);
    db_arg_text(&a, source_id);
    return db_exec(tx,
                   "SELECT id, run_id, seller_sku, field, action FROM sync_run_changes"
                   " WHERE client_id = $1 AND source_id = $2 AND outcome IN ('queued', 'waiting')"
                   " ORDER BY id",
                   &a, rows, e);
}

enum rc db_run_change_settle(struct db_tx *tx, const char *client_id, const char *run_id,
                             int64_t id, const char *outcome, const char *request_id,
                             const char *reason, struct err *e)
{
    struct db_args a = { 0 };
    char why[SHOWN_BYTES];

    db_arg_text(&a, client_id);
    db_arg_text(&a, run_id);
    db_arg_i64(&a, id);
    db_arg_text(&a, outcome);
    db_arg_text(&a, str_blank(request_id) ? NULL : request_id);
    db_arg_text(&a, shown(reason, why));
    return db_exec(tx,
                   "UPDATE sync_run_changes SET outcome = $4, request_id = $5, reason = $6"
                   " WHERE client_id = $1 AND run_id = $2 AND id = $3",
                   &a, NULL, e);
}
