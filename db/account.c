/* account.c - reads merchants, their secrets and their shops; writes the audit trail. */
#include "db_account.h"

#include "client_policy.h"
#include "own.h"
#include "str.h"

#include <string.h>

#define LIMIT_SECRET_BYTES ((size_t)4096)

static enum rc dup_cell(const struct db_rows *rows, const char *column, char **out, struct err *e)
{
    const char *text = db_text(rows, 0, column);

    *out = NULL;
    if (text == NULL)
        return RC_OK;
    *out = str_dup(text);
    return *out != NULL ? RC_OK : err_set(e, RC_BUG, "client: no memory for %s", column);
}

static enum rc read_warehouses(const struct db_rows *rows, struct client *c, struct err *e)
{
    json_auto_t *list = db_json_new(rows, 0, "vtex_warehouse_ids");
    size_t n = json_array_size(list);

    if (n > sizeof c->vtex_warehouse_ids / sizeof c->vtex_warehouse_ids[0])
        return err_set(e, RC_BUG, "client: %zu VTEX warehouses are too many", n);
    for (size_t i = 0; i < n; i++) {
        c->vtex_warehouse_ids[i] = str_dup(json_string_value(json_array_get(list, i)));
        if (c->vtex_warehouse_ids[i] == NULL)
            return err_set(e, RC_BUG, "client: no memory for its warehouses");
        c->n_vtex_warehouse_ids = (int)i + 1;
    }
    return RC_OK;
}

static enum rc read_client(const struct db_rows *rows, struct client *c, struct err *e)
{
    enum rc rc;

    (void)str_copy(c->client_id, sizeof c->client_id, db_text(rows, 0, "client_id"));
    c->active = str_eq(db_text(rows, 0, "status"), "active");
    /* A NULL column leaves "", which is what the structure says for "none". */
    (void)str_copy(c->warehouse_id, sizeof c->warehouse_id, db_text(rows, 0, "warehouse_id"));
    (void)str_copy(c->sandbox_shop_id, sizeof c->sandbox_shop_id,
                   db_text(rows, 0, "sandbox_shop_id"));
    (void)str_copy(c->vtex_account, sizeof c->vtex_account, db_text(rows, 0, "vtex_account"));
    (void)str_copy(c->vtex_sales_channel, sizeof c->vtex_sales_channel,
                   db_text(rows, 0, "vtex_sales_channel"));
    (void)str_copy(c->vtex_affiliate_id, sizeof c->vtex_affiliate_id,
                   db_text(rows, 0, "vtex_affiliate_id"));
    c->revision = db_i64(rows, 0, "revision");
    c->created_us = db_time(rows, 0, "created_at");
    c->updated_us = db_time(rows, 0, "updated_at");
    c->has_vtex_credentials = db_bool(rows, 0, "has_credentials");
    c->has_hook_secret = db_bool(rows, 0, "has_hook_secret");
    c->policies = db_json_new(rows, 0, "policies");
    if (c->policies == NULL)
        return err_set(e, RC_BUG, "client: its policies cannot be read");
    rc = dup_cell(rows, "name", &c->name, e);
    if (rc == RC_OK)
        rc = dup_cell(rows, "feed_url", &c->feed_url, e);
    if (rc == RC_OK)
        rc = read_warehouses(rows, c, e);
    if (rc == RC_OK)
        rc = client_policy_read(c->policies, c, e);
    return rc;
}

enum rc db_client_get(struct db_tx *tx, const char *client_id, struct client *out, struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    struct client c = { 0 };
    enum rc rc;

    db_arg_text(&a, client_id);
    rc = db_exec(
        tx,
        "SELECT client_id, name, status, feed_url, warehouse_id, sandbox_shop_id, vtex_account,"
        " vtex_sales_channel, vtex_affiliate_id,"
        " to_jsonb(vtex_warehouse_ids) AS vtex_warehouse_ids, policies, revision,"
        " created_at, updated_at, vtex_credentials IS NOT NULL AS has_credentials,"
        " hook_secret IS NOT NULL AS has_hook_secret"
        " FROM clients WHERE client_id = $1",
        &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_code(e, RC_NOT_FOUND, "not_found", "there is no such client");
    rc = read_client(rows, &c, e);
    if (rc == RC_OK)
        *out = c;
    else
        db_client_done(&c);
    return rc;
}

void db_client_done(struct client *c)
{
    free(c->name);
    free(c->feed_url);
    for (int i = 0; i < c->n_vtex_warehouse_ids; i++)
        free(c->vtex_warehouse_ids[i]);
    json_decref(c->policies);
    memset(c, 0, sizeof *c);
}

/* Opens one sealed column of the client's row. RC_NOT_FOUND when it is empty. */
static enum rc open_column(struct db_tx *tx, const char *client_id, const char *sql,
                           const char *column, struct buf *out, struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    OWN_BUF struct buf sealed;
    enum rc rc;

    buf_init(&sealed, LIMIT_SECRET_BYTES);
    db_arg_text(&a, client_id);
    rc = db_exec(tx, sql, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0 || db_null(rows, 0, "sealed"))
        return err_code(e, RC_NOT_FOUND, "not_configured", "the client has no %s", column);
    rc = db_bytes(rows, 0, "sealed", &sealed, e);
    if (rc != RC_OK)
        return rc;
    return db_unseal(tx, client_id, "clients", column, client_id, sealed.data, sealed.len, out, e);
}

enum rc db_client_vtex_credentials(struct db_tx *tx, const char *client_id, char **app_key,
                                   char **app_token, struct err *e)
{
    OWN_SECRET struct buf plain;
    json_auto_t *pair = NULL;
    char *key;
    char *token;
    enum rc rc;

    buf_init(&plain, LIMIT_SECRET_BYTES);
    rc = open_column(tx, client_id,
                     "SELECT vtex_credentials AS sealed FROM clients WHERE client_id = $1",
                     "vtex_credentials", &plain, e);
    if (rc != RC_OK)
        return rc;
    rc = jspec_parse(plain.data, plain.len, 0, &pair, e);
    if (rc != RC_OK)
        return rc;
    key = str_dup(json_string_value(json_object_get(pair, "app_key")));
    token = str_dup(json_string_value(json_object_get(pair, "app_token")));
    if (key == NULL || token == NULL) {
        free(key);
        free(token);
        return err_set(e, RC_BUG, "client: the stored VTEX credentials cannot be read");
    }
    *app_key = key;
    *app_token = token;
    return RC_OK;
}

enum rc db_client_hook_secret(struct db_tx *tx, const char *client_id, char **secret, struct err *e)
{
    OWN_SECRET struct buf plain;
    enum rc rc;

    buf_init(&plain, LIMIT_SECRET_BYTES);
    rc =
        open_column(tx, client_id, "SELECT hook_secret AS sealed FROM clients WHERE client_id = $1",
                    "hook_secret", &plain, e);
    if (rc != RC_OK)
        return rc;
    *secret = str_ndup(buf_text(&plain), plain.len);
    return *secret != NULL ? RC_OK : err_set(e, RC_BUG, "client: no memory for its hook secret");
}

static void read_shop(const struct db_rows *rows, struct shop *out)
{
    struct shop s = { 0 };

    (void)str_copy(s.shop_id, sizeof s.shop_id, db_text(rows, 0, "shop_id"));
    (void)str_copy(s.client_id, sizeof s.client_id, db_text(rows, 0, "client_id"));
    (void)str_copy(s.open_id, sizeof s.open_id, db_text(rows, 0, "open_id"));
    str_copy_cut(s.name, sizeof s.name, db_text(rows, 0, "name"));
    (void)str_copy(s.region, sizeof s.region, db_text(rows, 0, "region"));
    (void)str_copy(s.status, sizeof s.status, db_text(rows, 0, "status"));
    (void)str_copy(s.warehouse_id, sizeof s.warehouse_id, db_text(rows, 0, "warehouse_id"));
    *out = s;
}

enum rc db_shop_get(struct db_tx *tx, const char *shop_id, struct shop *out, struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc;

    db_arg_text(&a, shop_id);
    rc = db_exec(tx,
                 "SELECT shop_id, client_id, open_id, name, region, status, warehouse_id"
                 " FROM shops WHERE shop_id = $1",
                 &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_code(e, RC_NOT_FOUND, "not_found", "there is no such shop");
    read_shop(rows, out);
    return RC_OK;
}

enum rc db_shop_primary(struct db_tx *tx, const char *client_id, struct shop *out, struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc;

    db_arg_text(&a, client_id);
    rc = db_exec(tx,
                 "SELECT shop_id, client_id, open_id, name, region, status, warehouse_id"
                 " FROM shops WHERE client_id = $1 AND status = 'connected'"
                 " AND shop_id IS DISTINCT FROM (SELECT sandbox_shop_id FROM clients"
                 "  WHERE client_id = $1) ORDER BY connected_at, shop_id LIMIT 1",
                 &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_code(e, RC_NOT_FOUND, "no_connected_shop",
                        "the client has no connected TikTok shop");
    read_shop(rows, out);
    return RC_OK;
}

enum rc db_shop_sandbox(struct db_tx *tx, const struct client *c, struct shop *out, struct err *e)
{
    struct shop shop = { 0 };
    enum rc rc;

    if (c->sandbox_shop_id[0] == '\0')
        return err_code(e, RC_NOT_FOUND, "no_sandbox_shop", "the client has no test shop");
    rc = db_shop_get(tx, c->sandbox_shop_id, &shop, e);
    if (rc == RC_NOT_FOUND || (rc == RC_OK && !str_eq(shop.client_id, c->client_id)))
        return err_code(e, RC_NOT_FOUND, "no_sandbox_shop",
                        "the test shop %s is no shop of the client", c->sandbox_shop_id);
    if (rc == RC_OK && !str_eq(shop.status, "connected"))
        return err_code(e, RC_NOT_FOUND, "no_sandbox_shop", "the test shop %s is not connected",
                        c->sandbox_shop_id);
    if (rc == RC_OK)
        *out = shop;
    return rc;
}

enum rc db_audit(struct db_tx *tx, const char *client_id, const char *who, const char *action,
                 const json_t *detail, struct err *e)
{
    struct db_args a = { 0 };
    json_auto_t *none = json_object();

    db_arg_text(&a, client_id);
    db_arg_text(&a, who);
    db_arg_text(&a, action);
    db_arg_json(&a, detail != NULL ? detail : none);
    return db_exec(tx, "INSERT INTO audit (client_id, who, action, detail) VALUES ($1, $2, $3, $4)",
                   &a, NULL, e);
}
