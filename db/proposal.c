/* proposal.c - proposals of TikTok for products: stored, decided about, ended. */
#include "db_proposal.h"

#include "rest_page.h"
#include "str.h"

enum rc db_proposal_add(struct db_tx *tx, const struct proposal_new *p, struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, p->client_id);
    db_arg_text(&a, p->shop_id);
    db_arg_text(&a, p->source_id);
    db_arg_text(&a, p->field);
    db_arg_text(&a, p->kind);
    db_arg_text(&a, p->operation);
    db_arg_json(&a, p->current);
    db_arg_json(&a, p->proposed);
    db_arg_json(&a, p->problem);
    db_arg_text(&a, str_blank(p->reason) ? NULL : p->reason);
    db_arg_text(&a, str_blank(p->run_id) ? NULL : p->run_id);
    db_arg_text(&a, str_blank(p->request_id) ? NULL : p->request_id);
    db_arg_text(&a, p->asked_by);
    /* two operations may propose the same: once is enough */
    return db_exec(
        tx,
        "INSERT INTO product_proposals (client_id, shop_id, source_id, field, kind, operation,"
        " current, proposed, problem, reason, run_id, request_id, asked_by, state)"
        " SELECT $1, $2, $3, $4, $5, $6, $7::jsonb, $8::jsonb, $9::jsonb, $10, $11, $12, $13,"
        " CASE WHEN $9::jsonb IS NULL THEN 'proposed' ELSE 'refused' END WHERE $8::jsonb IS NULL"
        " OR NOT EXISTS (SELECT 1 FROM product_proposals o WHERE o.shop_id = $2"
        " AND o.source_id = $3 AND o.state = 'proposed' AND o.field = $4"
        " AND o.proposed = $8::jsonb)",
        &a, NULL, e);
}

enum rc db_proposals_outdate(struct db_tx *tx, const char *shop_id, const char *source_id,
                             const char *const *fields, size_t n, struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_text(&a, source_id);
    if (fields != NULL)
        db_arg_text_array(&a, fields, n);
    else
        db_arg_null(&a);
    return db_exec(tx,
                   "UPDATE product_proposals SET state = 'outdated' WHERE shop_id = $1"
                   " AND source_id = $2 AND state = 'proposed'"
                   " AND ($3::text[] IS NULL OR field = ANY ($3::text[]))",
                   &a, NULL, e);
}

enum rc db_proposal_close(struct db_tx *tx, const char *client_id, int64_t id, const char *state,
                          const char *run_id, const char *request_id, const json_t *problem,
                          bool *was, struct err *e)
{
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_i64(&a, id);
    db_arg_text(&a, state);
    db_arg_text(&a, str_blank(run_id) ? NULL : run_id);
    db_arg_text(&a, str_blank(request_id) ? NULL : request_id);
    db_arg_json(&a, problem);
    rc = db_exec(tx,
                 "UPDATE product_proposals SET state = $3, sent_request_id = $5,"
                 " sent_run_id = coalesce($4, sent_run_id), problem = $6::jsonb,"
                 " sent_at = CASE WHEN $3 = 'outdated' THEN sent_at ELSE now() END"
                 " WHERE client_id = $1 AND id = $2 AND state = 'approved'",
                 &a, NULL, e);
    if (rc == RC_OK && was != NULL)
        *was = db_affected(tx) > 0;
    return rc;
}

enum rc db_proposal_lock(struct db_tx *tx, const char *client_id, int64_t id, struct proposal *out,
                         struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    struct proposal p = { .id = id };
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_i64(&a, id);
    rc = db_exec(tx,
                 "SELECT p.shop_id, p.source_id, p.field, p.state, p.current, p.proposed,"
                 " r.published FROM product_proposals p LEFT JOIN products r"
                 " ON r.shop_id = p.shop_id AND r.source_id = p.source_id"
                 " WHERE p.client_id = $1 AND p.id = $2 FOR UPDATE OF p",
                 &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_code(e, RC_NOT_FOUND, "not_found", "there is no such proposal");
    (void)str_copy(p.shop_id, sizeof p.shop_id, db_text(rows, 0, "shop_id"));
    (void)str_copy(p.source_id, sizeof p.source_id, db_text(rows, 0, "source_id"));
    (void)str_copy(p.field, sizeof p.field, db_text(rows, 0, "field"));
    (void)str_copy(p.state, sizeof p.state, db_text(rows, 0, "state"));
    p.current = db_json_new(rows, 0, "current");
    p.proposed = db_json_new(rows, 0, "proposed");
    p.published = db_json_new(rows, 0, "published");
    *out = p;
    return RC_OK;
}

void db_proposal_done(struct proposal *p)
{
    json_decref(p->current);
    json_decref(p->proposed);
    json_decref(p->published);
    *p = (struct proposal){ 0 };
}

enum rc db_proposal_decide(struct db_tx *tx, const char *client_id, int64_t id, const char *state,
                           const json_t *value, const char *run_id, const char *who, struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, client_id);
    db_arg_i64(&a, id);
    db_arg_text(&a, state);
    db_arg_json(&a, value);
    db_arg_text(&a, run_id);
    db_arg_text(&a, who);
    return db_exec(tx,
                   "UPDATE product_proposals SET state = $3, value = coalesce($4::jsonb, value),"
                   " sent_run_id = coalesce($5, sent_run_id), decided_by = $6, decided_at = now()"
                   " WHERE client_id = $1 AND id = $2",
                   &a, NULL, e);
}

enum rc db_shop_scopes(struct db_tx *tx, const char *client_id, const char *shop_id, json_t **out,
                       struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_text(&a, shop_id);
    rc = db_exec(tx,
                 "SELECT to_jsonb(g.scopes) AS scopes FROM shops s JOIN tiktok_auth_tokens g"
                 " ON g.client_id = s.client_id AND g.open_id = s.open_id"
                 " WHERE s.client_id = $1 AND s.shop_id = $2",
                 &a, &rows, e);
    if (rc == RC_OK)
        *out = db_rows_count(rows) > 0 ? db_json_new(rows, 0, "scopes") : NULL;
    return rc;
}

enum rc db_products_unknown(struct db_tx *tx, const char *shop_id, const char *const *source_ids,
                            size_t n, char unknown[256], struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_text_array(&a, source_ids, n);
    rc = db_exec(tx,
                 "SELECT w.id FROM unnest($2::text[]) WITH ORDINALITY AS w (id, position)"
                 " WHERE NOT EXISTS (SELECT 1 FROM products p WHERE p.shop_id = $1"
                 " AND p.source_id = w.id) ORDER BY w.position LIMIT 1",
                 &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    unknown[0] = '\0';
    if (db_rows_count(rows) > 0)
        str_copy_cut(unknown, 256, db_text(rows, 0, "id"));
    return RC_OK;
}

#define PROPOSAL_DOC                                                                             \
    "json_build_object('id', id::text, 'shop_id', shop_id, 'source_id', source_id, 'field',"     \
    " field, 'kind', kind, 'operation', operation, 'current', current, 'proposed', proposed,"    \
    " 'value', value, 'reason', reason, 'state', state, 'problem', problem, 'run_id', run_id,"   \
    " 'request_id', request_id, 'asked_by', asked_by, 'created_at', connector_time(created_at)," \
    " 'decided_by', decided_by, 'decided_at', connector_time(decided_at), 'sent_at',"            \
    " connector_time(sent_at), 'sent_run_id', sent_run_id, 'sent_request_id', sent_request_id)"  \
    " AS doc, id::text AS cursor"

enum rc db_rest_proposals(struct db_tx *tx, const char *client_id,
                          const struct proposals_filter *filter, const char *cursor, int limit,
                          struct rest_list *out, struct err *e)
{
    struct db_args a = { 0 };
    int64_t before = 0;
    enum rc rc = rest_cursor_id(cursor, &before, e);

    if (rc != RC_OK)
        return rc;
    db_arg_text(&a, client_id);
    db_arg_i64(&a, before);
    db_arg_text(&a, filter->source_id);
    db_arg_text(&a, filter->state);
    db_arg_text(&a, filter->field);
    return rest_page_run(tx,
                         "SELECT " PROPOSAL_DOC " FROM product_proposals WHERE client_id = $1"
                         " AND id < $2 AND ($3::text IS NULL OR source_id = $3)"
                         " AND ($4::text IS NULL OR state = $4)"
                         " AND ($5::text IS NULL OR field = $5) ORDER BY id DESC LIMIT $6",
                         &a, limit, out, e);
}

enum rc db_rest_proposal(struct db_tx *tx, const char *client_id, int64_t id, json_t **doc,
                         struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    json_t *found;
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_i64(&a, id);
    rc = db_exec(tx,
                 "SELECT " PROPOSAL_DOC " FROM product_proposals WHERE client_id = $1 AND id = $2",
                 &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_code(e, RC_NOT_FOUND, "not_found", "there is no such proposal");
    found = db_json_new(rows, 0, "doc");
    if (found == NULL)
        return err_set(e, RC_DOWN, "out of memory for a proposal");
    *doc = found;
    return RC_OK;
}
