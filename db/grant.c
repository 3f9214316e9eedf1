/* grant.c - tokens of a seller's grant: opened, refreshed by one at a time, replaced together, wiped. */
#include "db_grant.h"

#include "db_job.h"
#include "own.h"
#include "str.h"

#include <string.h>

#define LIMIT_TOKEN_BYTES ((size_t)8192)
#define GRANT_KEY_BYTES 200

/* Row name that seals are bound to; both parts are ids, so nothing is ambiguous. */
static void grant_key(const char *client_id, const char *open_id, char out[GRANT_KEY_BYTES])
{
    (void)str_fmt(out, GRANT_KEY_BYTES, "%s/%s", client_id, open_id);
}

void db_grant_done(struct grant *g)
{
    sign_wipe_text(&g->access_token);
    sign_wipe_text(&g->refresh_token);
    memset(g, 0, sizeof *g);
}

static enum rc open_token(struct db_tx *tx, const struct grant *g, const struct db_rows *rows,
                          const char *table, const char *column, char **out, struct err *e)
{
    OWN_BUF struct buf sealed;
    OWN_SECRET struct buf plain;
    char key[GRANT_KEY_BYTES];
    enum rc rc;

    buf_init(&sealed, LIMIT_TOKEN_BYTES);
    buf_init(&plain, LIMIT_TOKEN_BYTES);
    if (db_null(rows, 0, column))
        return RC_OK;
    rc = db_bytes(rows, 0, column, &sealed, e);
    if (rc != RC_OK)
        return rc;
    grant_key(g->client_id, g->open_id, key);
    rc = db_unseal(tx, g->client_id, table, column, key, sealed.data, sealed.len, &plain, e);
    if (rc != RC_OK)
        return rc;
    *out = str_ndup(buf_text(&plain), plain.len);
    return *out != NULL ? RC_OK : err_set(e, RC_BUG, "grant: no memory for its token");
}

enum rc db_grant_get(struct db_tx *tx, const char *client_id, const char *open_id,
                     bool with_refresh_token, struct grant *out, struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    struct grant g = { 0 };
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_text(&a, open_id);
    rc = db_exec(tx,
                 "SELECT g.client_id, g.open_id, g.status, g.refresh_token, t.access_token,"
                 " coalesce(t.version, 0) AS version, t.obtained_at, t.expires_at,"
                 " g.authorization_ends_at, clock_timestamp() AS now"
                 " FROM tiktok_auth_tokens g LEFT JOIN tiktok_tokens t"
                 " ON t.client_id = g.client_id AND t.open_id = g.open_id"
                 " WHERE g.client_id = $1 AND g.open_id = $2",
                 &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_code(e, RC_NOT_FOUND, "not_found", "there is no such grant");
    (void)str_copy(g.client_id, sizeof g.client_id, db_text(rows, 0, "client_id"));
    (void)str_copy(g.open_id, sizeof g.open_id, db_text(rows, 0, "open_id"));
    (void)str_copy(g.status, sizeof g.status, db_text(rows, 0, "status"));
    g.version = db_i64(rows, 0, "version");
    g.obtained_us = db_time(rows, 0, "obtained_at");
    g.expires_us = db_time(rows, 0, "expires_at");
    g.ends_us = db_time(rows, 0, "authorization_ends_at");
    g.now_us = db_time(rows, 0, "now");
    rc = open_token(tx, &g, rows, "tiktok_tokens", "access_token", &g.access_token, e);
    if (rc == RC_OK && with_refresh_token)
        rc = open_token(tx, &g, rows, "tiktok_auth_tokens", "refresh_token", &g.refresh_token, e);
    if (rc == RC_OK)
        *out = g;
    else
        db_grant_done(&g);
    return rc;
}

enum rc db_grant_claim(struct db_tx *tx, const char *client_id, const char *open_id, int64_t seen,
                       struct err *e)
{
    struct db_args a = { 0 };
    struct db_args b = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_text(&a, open_id);
    /* The row lock comes first; the version is read after it was granted. */
    rc = db_exec(tx,
                 "SELECT status = 'active' AND refresh_token IS NOT NULL AS usable,"
                 " coalesce(refresh_claimed_until > clock_timestamp(), false) AS claimed"
                 " FROM tiktok_auth_tokens WHERE client_id = $1 AND open_id = $2 FOR UPDATE",
                 &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0 || !db_bool(rows, 0, "usable"))
        return err_code(e, RC_DENIED, "needs_reauthorization",
                        "the seller has to authorize the app again");
    {
        struct db_args v = { 0 };
        OWN_ROWS struct db_rows *newest = NULL;

        db_arg_text(&v, client_id);
        db_arg_text(&v, open_id);
        rc = db_exec(tx, "SELECT version FROM tiktok_tokens WHERE client_id = $1 AND open_id = $2",
                     &v, &newest, e);
        if (rc != RC_OK)
            return rc;
        if (db_rows_count(newest) > 0 && db_i64(newest, 0, "version") > seen)
            return RC_DUPLICATE;
    }
    if (db_bool(rows, 0, "claimed"))
        return err_code(e, RC_BUSY, "refresh_running", "the token is being refreshed");
    db_arg_text(&b, client_id);
    db_arg_text(&b, open_id);
    db_arg_i64(&b, DB_REFRESH_CLAIM_S);
    return db_exec(tx,
                   "UPDATE tiktok_auth_tokens SET refresh_claimed_until ="
                   " clock_timestamp() + make_interval(secs => $3::bigint)"
                   " WHERE client_id = $1 AND open_id = $2",
                   &b, NULL, e);
}

enum rc db_grant_unclaim(struct db_tx *tx, const char *client_id, const char *open_id,
                         struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, client_id);
    db_arg_text(&a, open_id);
    return db_exec(tx,
                   "UPDATE tiktok_auth_tokens SET refresh_claimed_until = NULL,"
                   " refresh_failures = refresh_failures + 1"
                   " WHERE client_id = $1 AND open_id = $2",
                   &a, NULL, e);
}

/* Both tokens of a pair, sealed for their places. */
struct sealed_pair {
    struct buf access, refresh;
};

static void sealed_pair_done(struct sealed_pair *p)
{
    buf_done(&p->access);
    buf_done(&p->refresh);
}

static enum rc seal_pair(struct db_tx *tx, const char *client_id, const struct grant_tokens *t,
                         struct sealed_pair *out, struct err *e)
{
    char key[GRANT_KEY_BYTES];
    enum rc rc;

    buf_init(&out->access, LIMIT_TOKEN_BYTES);
    buf_init(&out->refresh, LIMIT_TOKEN_BYTES);
    grant_key(client_id, t->open_id, key);
    rc = db_seal(tx, client_id, "tiktok_tokens", "access_token", key, t->access_token,
                 strlen(t->access_token), &out->access, e);
    if (rc != RC_OK)
        return rc;
    return db_seal(tx, client_id, "tiktok_auth_tokens", "refresh_token", key, t->refresh_token,
                   strlen(t->refresh_token), &out->refresh, e);
}

static enum rc put_access(struct db_tx *tx, const char *client_id, const struct grant_tokens *t,
                          const struct buf *sealed, struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, client_id);
    db_arg_text(&a, t->open_id);
    db_arg_bytes(&a, sealed->data, sealed->len);
    db_arg_time(&a, t->expires_us);
    /* The first version is the time, so that it also grows over a wipe and a new authorization. */
    return db_exec(tx,
                   "INSERT INTO tiktok_tokens (client_id, open_id, access_token, expires_at,"
                   " obtained_at, version) VALUES ($1, $2, $3, $4, clock_timestamp(),"
                   " (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)"
                   " ON CONFLICT (client_id, open_id) DO UPDATE SET"
                   " access_token = excluded.access_token, expires_at = excluded.expires_at,"
                   " obtained_at = excluded.obtained_at,"
                   " version = greatest(excluded.version, tiktok_tokens.version + 1)",
                   &a, NULL, e);
}

enum rc db_grant_refreshed(struct db_tx *tx, const char *client_id, int64_t seen,
                           const struct grant_tokens *t, struct err *e)
{
    struct db_args a = { 0 };
    __attribute__((cleanup(sealed_pair_done))) struct sealed_pair pair = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc = seal_pair(tx, client_id, t, &pair, e);

    if (rc != RC_OK)
        return rc;
    db_arg_text(&a, client_id);
    db_arg_text(&a, t->open_id);
    db_arg_bytes(&a, pair.refresh.data, pair.refresh.len);
    db_arg_time(&a, t->ends_us);
    db_arg_json(&a, t->scopes);
    db_arg_i64(&a, seen);
    rc = db_exec(tx,
                 "UPDATE tiktok_auth_tokens g SET refresh_token = $3,"
                 " authorization_ends_at = coalesce($4, authorization_ends_at),"
                 " scopes = CASE WHEN $5::jsonb IS NULL THEN scopes"
                 " ELSE ARRAY(SELECT jsonb_array_elements_text($5::jsonb)) END,"
                 " refresh_claimed_until = NULL, refresh_failures = 0, updated_at = now()"
                 " WHERE client_id = $1 AND open_id = $2 AND status = 'active'"
                 " AND NOT EXISTS (SELECT FROM tiktok_tokens t WHERE t.client_id = $1"
                 " AND t.open_id = $2 AND t.version > $6) RETURNING open_id",
                 &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return RC_DUPLICATE;
    return put_access(tx, client_id, t, &pair.access, e);
}

enum rc db_grant_connect(struct db_tx *tx, const char *client_id, const struct grant_tokens *t,
                         struct err *e)
{
    struct db_args a = { 0 };
    __attribute__((cleanup(sealed_pair_done))) struct sealed_pair pair = { 0 };
    enum rc rc = seal_pair(tx, client_id, t, &pair, e);

    if (rc != RC_OK)
        return rc;
    db_arg_text(&a, client_id);
    db_arg_text(&a, t->open_id);
    db_arg_text(&a, t->seller_name);
    db_arg_text(&a, t->region);
    db_arg_i64(&a, t->user_type);
    db_arg_json(&a, t->scopes);
    db_arg_bytes(&a, pair.refresh.data, pair.refresh.len);
    db_arg_time(&a, t->ends_us);
    rc = db_exec(tx,
                 "INSERT INTO tiktok_auth_tokens (client_id, open_id, seller_name, region,"
                 " user_type, scopes, refresh_token, authorization_ends_at)"
                 " VALUES ($1, $2, $3, $4, $5::bigint::integer,"
                 " ARRAY(SELECT jsonb_array_elements_text(coalesce($6::jsonb, '[]'))), $7, $8)"
                 " ON CONFLICT (client_id, open_id) DO UPDATE SET status = 'active',"
                 " seller_name = coalesce(excluded.seller_name, tiktok_auth_tokens.seller_name),"
                 " region = coalesce(excluded.region, tiktok_auth_tokens.region),"
                 " user_type = excluded.user_type, scopes = excluded.scopes,"
                 " refresh_token = excluded.refresh_token,"
                 " authorization_ends_at = excluded.authorization_ends_at,"
                 " refresh_claimed_until = NULL, refresh_failures = 0, expiry_notice_at = NULL,"
                 " created_at = clock_timestamp(), updated_at = now()",
                 &a, NULL, e);
    if (rc != RC_OK)
        return rc;
    return put_access(tx, client_id, t, &pair.access, e);
}

/* Locks the grant; RC_DUPLICATE when a newer pair than `version` is stored. Two statements, because one that waited
 * for the lock would still look for the pair in the snapshot from before the wait. */
static enum rc still_newest(struct db_tx *tx, const char *client_id, const char *open_id,
                            int64_t version, struct err *e)
{
    struct db_args a = { 0 };
    struct db_args b = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_text(&a, open_id);
    rc = db_exec(tx,
                 "SELECT FROM tiktok_auth_tokens WHERE client_id = $1 AND open_id = $2 FOR UPDATE",
                 &a, NULL, e);
    if (rc != RC_OK)
        return rc;
    db_arg_text(&b, client_id);
    db_arg_text(&b, open_id);
    db_arg_i64(&b, version);
    rc = db_exec(tx,
                 "SELECT FROM tiktok_tokens WHERE client_id = $1 AND open_id = $2 AND version > $3",
                 &b, &rows, e);
    if (rc == RC_OK && db_rows_count(rows) > 0)
        return err_set(e, RC_DUPLICATE, "the seller has authorized the app again meanwhile");
    return rc;
}

enum rc db_grant_needs_reauthorization(struct db_tx *tx, const char *client_id, const char *open_id,
                                       int64_t version, struct err *e)
{
    struct db_args a = { 0 };
    struct db_args b = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc = still_newest(tx, client_id, open_id, version, e);

    if (rc != RC_OK)
        return rc;
    db_arg_text(&a, client_id);
    db_arg_text(&a, open_id);
    rc = db_exec(tx,
                 "UPDATE tiktok_auth_tokens SET status = 'needs_reauthorization',"
                 " refresh_claimed_until = NULL, updated_at = now()"
                 " WHERE client_id = $1 AND open_id = $2 AND status = 'active'",
                 &a, NULL, e);
    if (rc != RC_OK)
        return rc;
    db_arg_text(&b, client_id);
    db_arg_text(&b, open_id);
    rc = db_exec(tx,
                 "UPDATE shops SET status = 'needs_reauthorization', updated_at = now()"
                 " WHERE client_id = $1 AND open_id = $2 AND status = 'connected'"
                 " RETURNING shop_id",
                 &b, &rows, e);
    for (int i = 0; rc == RC_OK && i < db_rows_count(rows); i++)
        rc = db_shop_pause(tx, client_id, db_text(rows, i, "shop_id"), PAUSE_REAUTHORIZE, 0, e);
    return rc;
}

enum rc db_grant_expiry_notice(struct db_tx *tx, const char *client_id, const char *shop_id,
                               int64_t ends_us, struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, client_id);
    db_arg_text(&a, shop_id);
    db_arg_time(&a, ends_us);
    return db_exec(tx,
                   "UPDATE tiktok_auth_tokens g SET expiry_notice_at = clock_timestamp(),"
                   " authorization_ends_at = coalesce($3, g.authorization_ends_at),"
                   " updated_at = now() FROM shops s WHERE s.client_id = $1 AND s.shop_id = $2"
                   " AND g.client_id = s.client_id AND g.open_id = s.open_id",
                   &a, NULL, e);
}

enum rc db_grant_missing_scopes(struct db_tx *tx, const char *client_id, const char *open_id,
                                const char *const *needed, size_t n, json_t **out, struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_text(&a, open_id);
    db_arg_text_array(&a, needed, n);
    rc = db_exec(tx,
                 "SELECT coalesce(jsonb_agg(s ORDER BY s), '[]'::jsonb) AS missing"
                 " FROM unnest($3::text[]) AS s, tiktok_auth_tokens g"
                 " WHERE g.client_id = $1 AND g.open_id = $2 AND g.scopes <> '{}'"
                 " AND s <> ALL (g.scopes)",
                 &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    *out = db_json_new(rows, 0, "missing");
    return *out != NULL ? RC_OK : err_set(e, RC_BUG, "grant: no memory for scopes");
}
