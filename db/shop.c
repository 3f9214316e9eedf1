/* shop.c - shops of a grant: connected, held, released, disconnected. */
#include "db_grant.h"

#include "db_job.h"
#include "str.h"

#include <string.h>

#define LIMIT_CIPHER_BYTES ((size_t)4096)

enum rc db_shop_owner(struct db_tx *tx, const char *shop_id, char client_id[68], struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc;

    db_arg_text(&a, shop_id);
    rc = db_exec(tx, "SELECT client_id FROM shops WHERE shop_id = $1", &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    client_id[0] = '\0';
    if (db_rows_count(rows) > 0)
        (void)str_copy(client_id, 68, db_text(rows, 0, "client_id"));
    return RC_OK;
}

enum rc db_shop_connect(struct db_tx *tx, const char *client_id, const char *open_id,
                        const struct shop_listed *shop, struct err *e)
{
    struct db_args a = { 0 };
    OWN_BUF struct buf sealed;
    enum rc rc;

    buf_init(&sealed, LIMIT_CIPHER_BYTES);
    rc = db_seal(tx, client_id, "shops", "cipher", shop->shop_id, shop->cipher,
                 strlen(shop->cipher), &sealed, e);
    if (rc != RC_OK)
        return rc;
    db_arg_text(&a, shop->shop_id);
    db_arg_text(&a, client_id);
    db_arg_text(&a, open_id);
    db_arg_text(&a, shop->name != NULL ? shop->name : "");
    db_arg_text(&a, shop->region != NULL ? shop->region : "");
    db_arg_text(&a, shop->seller_type);
    db_arg_text(&a, shop->code);
    db_arg_bytes(&a, sealed.data, sealed.len);
    rc = db_exec(tx,
                 "INSERT INTO shops (shop_id, client_id, open_id, name, region, seller_type, code,"
                 " cipher) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
                 " ON CONFLICT (shop_id) DO UPDATE SET open_id = excluded.open_id,"
                 " name = excluded.name, region = excluded.region,"
                 " seller_type = excluded.seller_type, code = excluded.code,"
                 " cipher = excluded.cipher, status = 'connected', updated_at = now()"
                 " WHERE shops.client_id = excluded.client_id",
                 &a, NULL, e);
    if (rc != RC_OK)
        return rc;
    return db_shop_unpause(tx, shop->shop_id, e);
}

enum rc db_shop_cipher(struct db_tx *tx, const struct shop *shop, char **cipher, struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    OWN_BUF struct buf sealed;
    OWN_BUF struct buf plain;
    enum rc rc;

    buf_init(&sealed, LIMIT_CIPHER_BYTES);
    buf_init(&plain, LIMIT_CIPHER_BYTES);
    db_arg_text(&a, shop->shop_id);
    rc = db_exec(tx, "SELECT cipher FROM shops WHERE shop_id = $1", &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0 || db_null(rows, 0, "cipher"))
        return err_code(e, RC_NOT_FOUND, "no_cipher", "the shop has no cipher any more");
    rc = db_bytes(rows, 0, "cipher", &sealed, e);
    if (rc == RC_OK)
        rc = db_unseal(tx, shop->client_id, "shops", "cipher", shop->shop_id, sealed.data,
                       sealed.len, &plain, e);
    if (rc != RC_OK)
        return rc;
    *cipher = str_ndup(buf_text(&plain), plain.len);
    return *cipher != NULL ? RC_OK : err_set(e, RC_BUG, "shop: no memory for its cipher");
}

enum rc db_shop_cipher_set(struct db_tx *tx, const char *client_id, const char *shop_id,
                           const char *cipher, struct err *e)
{
    struct db_args a = { 0 };
    OWN_BUF struct buf sealed;
    enum rc rc;

    buf_init(&sealed, LIMIT_CIPHER_BYTES);
    rc = db_seal(tx, client_id, "shops", "cipher", shop_id, cipher, strlen(cipher), &sealed, e);
    if (rc != RC_OK)
        return rc;
    db_arg_text(&a, shop_id);
    db_arg_text(&a, client_id);
    db_arg_bytes(&a, sealed.data, sealed.len);
    return db_exec(tx,
                   "UPDATE shops SET cipher = $3, updated_at = now()"
                   " WHERE shop_id = $1 AND client_id = $2 AND status <> 'disconnected'",
                   &a, NULL, e);
}

enum rc db_grant_drop_unused(struct db_tx *tx, const char *client_id, const char *open_id,
                             struct err *e)
{
    struct db_args a = { 0 };
    struct db_args b = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_text(&a, open_id);
    rc = db_exec(tx,
                 "UPDATE tiktok_auth_tokens g SET status = 'revoked', refresh_token = NULL,"
                 " refresh_claimed_until = NULL, updated_at = now()"
                 " WHERE client_id = $1 AND open_id = $2 AND NOT EXISTS (SELECT FROM shops s"
                 " WHERE s.client_id = $1 AND s.open_id = $2 AND s.status <> 'disconnected')"
                 " RETURNING open_id",
                 &a, &rows, e);
    if (rc != RC_OK || db_rows_count(rows) == 0)
        return rc;
    db_arg_text(&b, client_id);
    db_arg_text(&b, open_id);
    return db_exec(tx, "DELETE FROM tiktok_tokens WHERE client_id = $1 AND open_id = $2", &b, NULL,
                   e);
}

enum rc db_shop_disconnect(struct db_tx *tx, const char *client_id, const char *shop_id,
                           struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_text(&a, shop_id);
    rc = db_exec(tx,
                 "UPDATE shops SET status = 'disconnected', cipher = NULL, updated_at = now()"
                 " WHERE client_id = $1 AND shop_id = $2 RETURNING open_id",
                 &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_code(e, RC_NOT_FOUND, "not_found", "the client has no such shop");
    rc = db_grant_drop_unused(tx, client_id, db_text(rows, 0, "open_id"), e);
    if (rc != RC_OK)
        return rc;
    return db_shop_pause(tx, client_id, shop_id, PAUSE_DISCONNECTED, 0, e);
}

enum rc db_shop_deauthorization_is_old(struct db_tx *tx, const char *shop_id, bool *old,
                                       struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc;

    db_arg_text(&a, shop_id);
    rc = db_exec(tx,
                 "SELECT coalesce(bool_and(v.received_at <= g.created_at OR v.event_at BETWEEN"
                 " g.created_at - interval '72 hours' AND g.created_at - interval '5 seconds'),"
                 " false) AS old FROM shops s JOIN tiktok_auth_tokens g"
                 " ON g.client_id = s.client_id AND g.open_id = s.open_id"
                 " JOIN events v ON v.shop_id = s.shop_id AND v.topic = 6 WHERE s.shop_id = $1",
                 &a, &rows, e);
    if (rc == RC_OK)
        *old = db_bool(rows, 0, "old");
    return rc;
}

enum rc db_shop_event_body(struct db_tx *tx, const char *shop_id, int topic, struct buf *out,
                           struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_i64(&a, topic);
    rc = db_exec(tx,
                 "SELECT body FROM events WHERE shop_id = $1 AND topic = $2::bigint"
                 " AND state = 'stored' ORDER BY event_at DESC NULLS LAST, id DESC LIMIT 1",
                 &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_code(e, RC_NOT_FOUND, "not_found", "no such event is stored");
    return db_bytes(rows, 0, "body", out, e);
}
