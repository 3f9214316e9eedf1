/* override.c - values that a person holds against the source. */
#include "db_override.h"

#include "rest_page.h"
#include "str.h"

const char *db_override_member(const char *field)
{
    static const char *const MEMBERS[][2] = { { "title", "title" },
                                              { "description", "description" },
                                              { "images", "main_images" },
                                              { "attributes", "product_attributes" } };

    for (size_t i = 0; i < sizeof MEMBERS / sizeof MEMBERS[0]; i++)
        if (str_eq(MEMBERS[i][0], field))
            return MEMBERS[i][1];
    return NULL;
}

static enum rc row_read(const struct db_rows *rows, int i, struct product_override *o,
                        struct err *e)
{
    const char *run_id = db_text(rows, i, "run_id");

    o->id = db_i64(rows, i, "id");
    (void)str_copy(o->seller_sku, sizeof o->seller_sku, db_text(rows, i, "seller_sku"));
    (void)str_copy(o->field, sizeof o->field, db_text(rows, i, "field"));
    (void)str_copy(o->reason, sizeof o->reason, db_text(rows, i, "reason"));
    (void)str_copy(o->run_id, sizeof o->run_id, run_id != NULL ? run_id : "");
    str_copy_cut(o->set_by, sizeof o->set_by, db_text(rows, i, "set_by"));
    o->proposal_id = db_i64(rows, i, "proposal_id");
    o->value = db_json_new(rows, i, "value");
    o->source_value = db_json_new(rows, i, "source_value");
    return o->value != NULL && o->source_value != NULL
               ? RC_OK
               : err_set(e, RC_DOWN, "out of memory for an override");
}

enum rc db_overrides_get(struct db_tx *tx, const char *shop_id, const char *source_id,
                         struct product_override **out, int *n, struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    struct product_override *list;
    int count;
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, source_id);
    db_arg_i64(&a, LIMIT_OVERRIDES);
    rc = db_exec(tx,
                 "SELECT id, seller_sku, field, value, source_value, reason, run_id, proposal_id,"
                 " set_by FROM product_overrides WHERE shop_id = $1 AND source_id = $2"
                 " ORDER BY seller_sku, field LIMIT $3",
                 &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    count = db_rows_count(rows);
    list = calloc((size_t)count + 1, sizeof *list);
    if (list == NULL)
        return err_set(e, RC_DOWN, "out of memory for overrides");
    for (int i = 0; rc == RC_OK && i < count; i++)
        rc = row_read(rows, i, &list[i], e);
    if (rc != RC_OK) {
        db_overrides_free(list, count);
        return rc;
    }
    *out = list;
    *n = count;
    return RC_OK;
}

void db_overrides_free(struct product_override *list, int n)
{
    for (int i = 0; list != NULL && i < n; i++) {
        json_decref(list[i].value);
        json_decref(list[i].source_value);
    }
    free(list);
}

enum rc db_override_put(struct db_tx *tx, const char *client_id, const char *shop_id,
                        const char *source_id, const struct product_override *o, struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, client_id);
    db_arg_text(&a, shop_id);
    db_arg_text(&a, source_id);
    db_arg_text(&a, o->seller_sku);
    db_arg_text(&a, o->field);
    db_arg_json(&a, o->value);
    db_arg_json(&a, o->source_value);
    db_arg_text(&a, o->reason);
    db_arg_text(&a, o->run_id[0] != '\0' ? o->run_id : NULL);
    db_arg_i64(&a, o->proposal_id);
    db_arg_text(&a, o->set_by);
    return db_exec(
        tx,
        "INSERT INTO product_overrides (client_id, shop_id, source_id, seller_sku, field, value,"
        " source_value, reason, run_id, proposal_id, set_by) VALUES ($1, $2, $3, $4, $5,"
        " $6::jsonb, $7::jsonb, $8, $9, nullif($10::bigint, 0), $11)"
        " ON CONFLICT (shop_id, source_id, seller_sku, field) DO UPDATE SET"
        " client_id = excluded.client_id, value = excluded.value,"
        " source_value = excluded.source_value, reason = excluded.reason,"
        " run_id = excluded.run_id, proposal_id = excluded.proposal_id,"
        " set_by = excluded.set_by, set_at = now()",
        &a, NULL, e);
}

enum rc db_override_delete(struct db_tx *tx, const char *client_id, int64_t id, char shop_id[72],
                           char source_id[256], struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_i64(&a, id);
    rc = db_exec(tx,
                 "DELETE FROM product_overrides WHERE client_id = $1 AND id = $2"
                 " RETURNING shop_id, source_id",
                 &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_code(e, RC_NOT_FOUND, "not_found", "there is no such override");
    if (shop_id != NULL)
        (void)str_copy(shop_id, 72, db_text(rows, 0, "shop_id"));
    if (source_id != NULL)
        (void)str_copy(source_id, 256, db_text(rows, 0, "source_id"));
    return RC_OK;
}

#define OVERRIDE_DOC                                                                         \
    "json_build_object('id', id::text, 'shop_id', shop_id, 'source_id', source_id,"          \
    " 'seller_sku', nullif(seller_sku, ''), 'field', field, 'value', value, 'source_value'," \
    " source_value, 'reason', reason, 'run_id', run_id, 'proposal_id', proposal_id::text,"   \
    " 'set_by', set_by, 'set_at', connector_time(set_at)) AS doc, id::text AS cursor"

enum rc db_rest_overrides(struct db_tx *tx, const char *client_id, const char *source_id,
                          const char *cursor, int limit, struct rest_list *out, struct err *e)
{
    struct db_args a = { 0 };
    int64_t after = 0;

    if (cursor[0] != '\0' && !str_to_i64(cursor, 1, INT64_MAX, &after))
        return err_field(e, "cursor", "is not one of ours");
    db_arg_text(&a, client_id);
    db_arg_i64(&a, after);
    db_arg_text(&a, source_id);
    return rest_page_run(tx,
                         "SELECT " OVERRIDE_DOC " FROM product_overrides WHERE client_id = $1"
                         " AND id > $2 AND ($3::text IS NULL OR source_id = $3)"
                         " ORDER BY id LIMIT $4",
                         &a, limit, out, e);
}

enum rc db_rest_override(struct db_tx *tx, const char *client_id, int64_t id, json_t **doc,
                         struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    json_t *found;
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_i64(&a, id);
    rc = db_exec(tx,
                 "SELECT " OVERRIDE_DOC " FROM product_overrides WHERE client_id = $1 AND id = $2",
                 &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_code(e, RC_NOT_FOUND, "not_found", "there is no such override");
    found = db_json_new(rows, 0, "doc");
    if (found == NULL)
        return err_set(e, RC_DOWN, "out of memory for an override");
    *doc = found;
    return RC_OK;
}
