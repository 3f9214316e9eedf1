/* client_write.c - makes, replaces and deactivates merchants; seals their secrets. */
#include "db_account.h"

#include "db_grant.h"
#include "db_job.h"
#include "db_switch.h"
#include "jspec.h"
#include "str.h"

#include <string.h>

#define LIMIT_SECRET_BYTES ((size_t)4096)

enum rc db_client_exists(struct db_tx *tx, const char *client_id, bool *exists, struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc;

    db_arg_text(&a, client_id);
    rc = db_exec(tx, "SELECT client_id FROM clients WHERE client_id = $1", &a, &rows, e);
    if (rc == RC_OK)
        *exists = db_rows_count(rows) > 0;
    return rc;
}

enum rc db_client_lock(struct db_tx *tx, const char *client_id, int64_t *revision, struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc;

    db_arg_text(&a, client_id);
    rc = db_exec(tx, "SELECT revision FROM clients WHERE client_id = $1 FOR UPDATE", &a, &rows, e);
    if (rc == RC_OK)
        *revision = db_rows_count(rows) > 0 ? db_i64(rows, 0, "revision") : 0;
    return rc;
}

static enum rc put_row(struct db_tx *tx, const struct client_write *w, struct err *e)
{
    struct db_args a = { 0 };
    json_auto_t *none = json_object();

    db_arg_text(&a, w->client_id);
    db_arg_text(&a, w->name);
    db_arg_text(&a, w->feed_url);
    db_arg_text(&a, w->warehouse_id);
    db_arg_text(&a, w->vtex_account);
    db_arg_text(&a, w->vtex_sales_channel);
    db_arg_text(&a, w->vtex_affiliate_id);
    db_arg_text_array(&a, w->vtex_warehouse_ids, w->n_vtex_warehouse_ids);
    db_arg_json(&a, w->policies != NULL ? w->policies : none);
    db_arg_text(&a, w->sandbox_shop_id);
    return db_exec(
        tx,
        "INSERT INTO clients AS c (client_id, name, feed_url, warehouse_id,"
        " vtex_account, vtex_sales_channel, vtex_affiliate_id, vtex_warehouse_ids,"
        " policies, sandbox_shop_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
        " ON CONFLICT (client_id) DO UPDATE SET name = excluded.name,"
        " status = 'active', feed_url = excluded.feed_url,"
        " warehouse_id = excluded.warehouse_id, vtex_account = excluded.vtex_account,"
        " vtex_sales_channel = excluded.vtex_sales_channel,"
        " vtex_affiliate_id = excluded.vtex_affiliate_id,"
        " vtex_warehouse_ids = excluded.vtex_warehouse_ids,"
        " policies = excluded.policies,"
        " sandbox_shop_id = excluded.sandbox_shop_id, revision = c.revision + 1, updated_at = now(),"
        " vtex_credentials = CASE WHEN excluded.vtex_account IS NULL THEN NULL"
        " ELSE c.vtex_credentials END,"
        " hook_secret = CASE WHEN excluded.vtex_account IS NULL THEN NULL"
        " ELSE c.hook_secret END,"
        " hook_secret_digest = CASE WHEN excluded.vtex_account IS NULL THEN NULL"
        " ELSE c.hook_secret_digest END",
        &a, NULL, e);
}

static enum rc put_credentials(struct db_tx *tx, const struct client_write *w, struct err *e)
{
    struct db_args a = { 0 };
    json_auto_t *pair = json_pack("{s:s, s:s}", "app_key", w->app_key, "app_token", w->app_token);
    OWN_BUF struct buf plain;
    OWN_BUF struct buf sealed;
    enum rc rc;

    buf_init(&plain, LIMIT_SECRET_BYTES);
    buf_init(&sealed, LIMIT_SECRET_BYTES);
    if (pair == NULL)
        return err_set(e, RC_BUG, "client: no memory for credentials");
    rc = jspec_dump(pair, &plain, e);
    if (rc == RC_OK)
        rc = db_seal(tx, w->client_id, "clients", "vtex_credentials", w->client_id, plain.data,
                     plain.len, &sealed, e);
    if (plain.data != NULL)
        sign_wipe(plain.data, plain.len);
    if (rc != RC_OK)
        return rc;
    db_arg_text(&a, w->client_id);
    db_arg_bytes(&a, sealed.data, sealed.len);
    return db_exec(tx, "UPDATE clients SET vtex_credentials = $2 WHERE client_id = $1", &a, NULL,
                   e);
}

static enum rc put_hook_secret(struct db_tx *tx, const struct client_write *w, struct err *e)
{
    struct db_args a = { 0 };
    unsigned char digest[SIGN_SHA256_BYTES];
    OWN_BUF struct buf sealed;
    enum rc rc;

    buf_init(&sealed, LIMIT_SECRET_BYTES);
    sign_sha256(w->hook_secret, strlen(w->hook_secret), digest);
    rc = db_seal(tx, w->client_id, "clients", "hook_secret", w->client_id, w->hook_secret,
                 strlen(w->hook_secret), &sealed, e);
    if (rc != RC_OK)
        return rc;
    db_arg_text(&a, w->client_id);
    db_arg_bytes(&a, sealed.data, sealed.len);
    db_arg_bytes(&a, digest, sizeof digest);
    return db_exec(tx,
                   "UPDATE clients SET hook_secret = $2, hook_secret_digest = $3"
                   " WHERE client_id = $1",
                   &a, NULL, e);
}

/* Work that a person had to clear the way for: the client was inactive, or its credentials refused. */
static enum rc let_go_on(struct db_tx *tx, const char *client_id, bool new_credentials,
                         struct err *e)
{
    struct db_args a = { 0 };
    struct db_args b = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc;

    db_arg_text(&a, client_id);
    rc = db_exec(tx,
                 "UPDATE jobs SET state = 'ready', due_at = now(), problem = NULL,"
                 " updated_at = now() WHERE client_id = $1 AND " DB_JOB_OF_CLIENT_SHOPS
                 " AND state = 'parked'"
                 " AND problem->>'code' = 'client_inactive'",
                 &a, NULL, e);
    if (rc != RC_OK)
        return rc;
    db_arg_text(&b, client_id);
    db_arg_bool(&b, new_credentials);
    rc = db_exec(tx,
                 "SELECT s.shop_id FROM shop_schedule s LEFT JOIN shops h ON h.shop_id = s.shop_id"
                 " WHERE s.client_id = $1 AND coalesce(h.status, 'connected') = 'connected'"
                 " AND (s.paused_reason = 'client_inactive' OR ($2 AND s.paused_reason"
                 " NOT IN ('needs_reauthorization', 'disconnected')))",
                 &b, &rows, e);
    for (int i = 0; rc == RC_OK && i < db_rows_count(rows); i++)
        rc = db_shop_unpause(tx, db_text(rows, i, "shop_id"), e);
    return rc;
}

enum rc db_client_write(struct db_tx *tx, const struct client_write *w, struct err *e)
{
    int64_t released = 0;
    enum rc rc = put_row(tx, w, e);

    if (rc == RC_OK && w->app_key != NULL)
        rc = put_credentials(tx, w, e);
    if (rc == RC_OK && w->hook_secret != NULL)
        rc = put_hook_secret(tx, w, e);
    if (rc == RC_OK)
        rc = let_go_on(tx, w->client_id, w->app_key != NULL, e);
    if (rc == RC_OK) /* its policies may have turned something on again */
        rc = db_switch_release(tx, w->client_id, "client", "", &released, e);
    return rc;
}

enum rc db_client_deactivate(struct db_tx *tx, const char *client_id, struct err *e)
{
    struct db_args a = { 0 };
    struct db_args b = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc;

    db_arg_text(&a, client_id);
    rc = db_exec(tx,
                 "UPDATE clients SET status = 'inactive', revision = revision + 1,"
                 " updated_at = now() WHERE client_id = $1 AND status = 'active'",
                 &a, NULL, e);
    if (rc != RC_OK)
        return rc;
    db_arg_text(&b, client_id);
    rc = db_exec(tx,
                 "SELECT u.shop_id FROM (SELECT shop_id FROM shops WHERE client_id = $1"
                 " UNION SELECT shop_id FROM shop_schedule WHERE client_id = $1"
                 " UNION SELECT 'c:' || $1) u LEFT JOIN shop_schedule s ON s.shop_id = u.shop_id"
                 " WHERE s.paused_reason IS NULL OR s.paused_until IS NOT NULL",
                 &b, &rows, e);
    for (int i = 0; rc == RC_OK && i < db_rows_count(rows); i++)
        rc = db_shop_pause(tx, client_id, db_text(rows, i, "shop_id"), PAUSE_INACTIVE, 0, e);
    if (rc != RC_OK)
        return rc;
    return db_job_park_client(tx, client_id, PAUSE_INACTIVE, "the client is deactivated", e);
}
