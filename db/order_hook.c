/* order_hook.c - what is wanted and known of order hooks, and VTEX's calls as they are stored. */
#include "db_order_hook.h"

#include "db_job.h"
#include "sign.h"
#include "str.h"

#include <string.h>

#define HOOK_TIME(column) "to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"

enum rc db_order_hook_get(struct db_tx *tx, const char *client_id, struct order_hook *out,
                          struct err *e)
{
    static const char sql[] =
        "SELECT wanted, replace_foreign, state FROM order_hooks WHERE client_id = $1";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, client_id);
    rc = db_exec(tx, sql, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    *out = (struct order_hook){ 0 };
    if (db_rows_count(rows) == 0)
        return RC_OK;
    out->exists = true;
    out->wanted = db_bool(rows, 0, "wanted");
    out->replace_foreign = db_bool(rows, 0, "replace_foreign");
    (void)str_copy(out->state, sizeof out->state, db_text(rows, 0, "state"));
    return RC_OK;
}

static enum rc jobs_put(struct db_tx *tx, const char *client_id, struct err *e)
{
    static const char sql[] =
        "SELECT shop_id FROM shops WHERE client_id = $1 AND status = 'connected' ORDER BY shop_id";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, client_id);
    rc = db_exec(tx, sql, &a, &rows, e);
    for (int i = 0; rc == RC_OK && i < db_rows_count(rows); i++) {
        struct db_job_key key = { .client_id = client_id,
                                  .shop_id = db_text(rows, i, "shop_id"),
                                  .kind = "order_hook",
                                  .entity = "",
                                  .lane = LANE_MAINTENANCE };

        rc = db_job_put(tx, &key, e);
    }
    return rc;
}

enum rc db_order_hook_want(struct db_tx *tx, const char *client_id, bool wanted,
                           bool replace_foreign, const char *who, struct err *e)
{
    static const char sql[] =
        "INSERT INTO order_hooks AS h (client_id, wanted, replace_foreign, requested_by)"
        " VALUES ($1, $2::boolean, $3::boolean, $4) ON CONFLICT (client_id) DO UPDATE"
        " SET wanted = excluded.wanted, replace_foreign = excluded.replace_foreign, state = 'waiting',"
        " problem = NULL, requested_by = excluded.requested_by, updated_at = now()";
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_bool(&a, wanted);
    db_arg_bool(&a, replace_foreign);
    db_arg_text(&a, who);
    rc = db_exec(tx, sql, &a, NULL, e);
    return rc == RC_OK ? jobs_put(tx, client_id, e) : rc;
}

enum rc db_order_hook_found(struct db_tx *tx, const char *client_id, const char *state,
                            const char *found_url, const char *problem, bool configured,
                            struct err *e)
{
    static const char sql[] =
        "UPDATE order_hooks SET state = $2, found_url = $3, problem = $4, checked_at = now(),"
        " configured_at = CASE WHEN $5::boolean THEN now() ELSE configured_at END, updated_at = now()"
        " WHERE client_id = $1";
    struct db_args a = { 0 };

    db_arg_text(&a, client_id);
    db_arg_text(&a, state);
    db_arg_text(&a, found_url);
    db_arg_text(&a, problem);
    db_arg_bool(&a, configured);
    return db_exec(tx, sql, &a, NULL, e);
}

enum rc db_order_hook_called(struct db_tx *tx, const char *client_id, bool ping, struct err *e)
{
    static const char sql[] =
        "UPDATE order_hooks SET pinged_at = CASE WHEN $2::boolean THEN now() ELSE pinged_at END,"
        " event_at = CASE WHEN $2::boolean THEN event_at ELSE now() END WHERE client_id = $1";
    struct db_args a = { 0 };

    db_arg_text(&a, client_id);
    db_arg_bool(&a, ping);
    return db_exec(tx, sql, &a, NULL, e);
}

enum rc db_shop_webhooks_set(struct db_tx *tx, const char *shop_id, const json_t *webhooks,
                             const char *problem, struct err *e)
{
    static const char sql[] = "UPDATE shops SET webhooks = $2::jsonb, webhooks_problem = $3,"
                              " webhooks_checked_at = now() WHERE shop_id = $1";
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_json(&a, webhooks);
    db_arg_text(&a, problem);
    return db_exec(tx, sql, &a, NULL, e);
}

enum rc db_order_hook_json(struct db_tx *tx, const char *client_id, json_t **out, struct err *e)
{
    static const char sql[] =
        "SELECT json_build_object('wanted', h.wanted, 'vtex', json_build_object('state', h.state,"
        " 'found_url', h.found_url, 'problem', h.problem, 'checked_at', " HOOK_TIME("h.checked_at") ", 'configured_at', " HOOK_TIME("h.configured_at") ", 'last_ping_at', " HOOK_TIME(
            "h.pinged_at") ", 'last_event_at', " HOOK_TIME("h.event_at") "), 'tiktok', coalesce((SELECT json_agg(json_build_object('shop_id', s.shop_id, 'webhooks',"
                                                                         " s.webhooks, 'problem', s.webhooks_problem, 'checked_at', " HOOK_TIME(
                                                                             "s.webhooks_checked_at") ") ORDER BY s.shop_id) FROM shops s WHERE s.client_id = h.client_id"
                                                                                                      " AND s.status = 'connected'), '[]'), 'updated_at', " HOOK_TIME(
                                                                                                          "h.updated_at") ") AS doc FROM order_hooks h WHERE h.client_id = $1";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    json_t *doc;
    enum rc rc;

    db_arg_text(&a, client_id);
    rc = db_exec(tx, sql, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_code(e, RC_NOT_FOUND, "no_order_hook", "no order hook was asked for");
    doc = db_json_new(rows, 0, "doc");
    if (!doc)
        return err_set(e, RC_DOWN, "out of memory");
    *out = doc;
    return RC_OK;
}

enum rc db_client_hook_digest(struct db_tx *tx, const char *client_id, unsigned char out[32],
                              struct err *e)
{
    static const char sql[] =
        "SELECT hook_secret_digest AS digest FROM clients WHERE client_id = $1"
        " AND status = 'active' AND hook_secret_digest IS NOT NULL";
    OWN_ROWS struct db_rows *rows = NULL;
    OWN_BUF struct buf digest = { 0 };
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, client_id);
    rc = db_exec(tx, sql, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_code(e, RC_NOT_FOUND, "not_found", "there is no such client");
    buf_init(&digest, 64);
    rc = db_bytes(rows, 0, "digest", &digest, e);
    if (rc == RC_OK && digest.len != 32)
        return err_set(e, RC_BUG, "a hook secret's digest has %zu bytes", digest.len);
    if (rc == RC_OK)
        memcpy(out, digest.data, 32);
    return rc;
}

enum rc db_vtex_event_put(struct db_tx *tx, const char *shop_id, const char *order_id,
                          const char *key, const void *body, size_t body_len, bool *fresh,
                          struct err *e)
{
    static const char sql[] =
        "WITH fresh AS (INSERT INTO event_keys (source, shop_id, key, digest)"
        "  VALUES ('vtex', $1, $3, sha256($4::bytea)) ON CONFLICT DO NOTHING RETURNING 1)"
        " INSERT INTO events (source, shop_id, key, topic, entity, body)"
        " SELECT 'vtex', $1, $3, 0, $2, $4::bytea FROM fresh";
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, order_id);
    db_arg_text(&a, key);
    db_arg_bytes(&a, body_len > 0 ? body : "", body_len);
    rc = db_exec(tx, sql, &a, NULL, e);
    if (rc == RC_OK)
        *fresh = db_affected(tx) > 0;
    return rc;
}

enum rc db_order_vtex_cancel_told(struct db_tx *tx, const char *shop_id, const char *order_id,
                                  struct err *e)
{
    static const char sql[] = "UPDATE tiktok_orders SET vtex_cancel_told_at = clock_timestamp()"
                              " WHERE shop_id = $1 AND order_id = $2";
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_text(&a, order_id);
    return db_exec(tx, sql, &a, NULL, e);
}
