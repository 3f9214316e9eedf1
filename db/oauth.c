/* oauth.c - single-use states, sealed codes and signed links of the authorize flow. */
#include "db_oauth.h"

#include "clock.h"
#include "db_job.h"
#include "str.h"

#include <string.h>

#define LIMIT_CODE_BYTES ((size_t)4096)
#define LINK_PLAIN_BYTES 64

static void digest_text(const char *text, unsigned char out[SIGN_SHA256_BYTES])
{
    sign_sha256(text, strlen(text), out);
}

enum rc db_oauth_state_put(struct db_tx *tx, const char *client_id, const char *state,
                           const char *browser, struct err *e)
{
    struct db_args a = { 0 };
    unsigned char state_digest[SIGN_SHA256_BYTES];
    unsigned char browser_digest[SIGN_SHA256_BYTES];

    digest_text(state, state_digest);
    digest_text(browser, browser_digest);
    db_arg_text(&a, client_id);
    db_arg_bytes(&a, state_digest, sizeof state_digest);
    db_arg_bytes(&a, browser_digest, sizeof browser_digest);
    db_arg_i64(&a, DB_OAUTH_STATE_S);
    return db_exec(tx,
                   "INSERT INTO oauth_states (client_id, state_digest, browser_digest, expires_at)"
                   " VALUES ($1, $2, $3, clock_timestamp() + make_interval(secs => $4::bigint))",
                   &a, NULL, e);
}

enum rc db_oauth_state_use(struct db_tx *tx, const char *state, const char *browser,
                           char client_id[68], struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    unsigned char state_digest[SIGN_SHA256_BYTES];
    unsigned char browser_digest[SIGN_SHA256_BYTES];
    enum rc rc;

    digest_text(state, state_digest);
    digest_text(browser, browser_digest);
    db_arg_bytes(&a, state_digest, sizeof state_digest);
    db_arg_bytes(&a, browser_digest, sizeof browser_digest);
    rc = db_exec(tx,
                 "UPDATE oauth_states SET used_at = clock_timestamp()"
                 " WHERE state_digest = $1 AND browser_digest = $2 AND used_at IS NULL"
                 " AND expires_at > clock_timestamp() RETURNING client_id",
                 &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_code(e, RC_NOT_FOUND, "bad_state", "the state is not one that can be used");
    (void)str_copy(client_id, 68, db_text(rows, 0, "client_id"));
    return RC_OK;
}

static enum rc put_exchange_job(struct db_tx *tx, const char *client_id, const char *id,
                                struct err *e)
{
    char shop_id[72];
    struct db_job_key key = {
        .client_id = client_id,
        .shop_id = shop_id,
        .kind = "oauth_exchange",
        .entity = id,
        .lane = LANE_ORDERS, /* a person waits for it */
    };

    if (!str_fmt(shop_id, sizeof shop_id, DB_CLIENT_SHOP_PREFIX "%s", client_id))
        return err_set(e, RC_BUG, "oauth: client id too long");
    return db_job_put(tx, &key, e);
}

enum rc db_oauth_exchange_put(struct db_tx *tx, const char *client_id, const char *code,
                              char id[48], struct err *e)
{
    struct db_args a = { 0 };
    OWN_BUF struct buf sealed;
    OWN_BUF struct buf made;
    enum rc rc;

    buf_init(&sealed, LIMIT_CODE_BYTES);
    buf_init(&made, 47);
    sign_token(&made, 24);
    rc = buf_check(&made, e);
    if (rc == RC_OK)
        rc = db_seal(tx, client_id, "oauth_exchanges", "code", buf_text(&made), code, strlen(code),
                     &sealed, e);
    if (rc != RC_OK)
        return rc;
    db_arg_text(&a, client_id);
    db_arg_text(&a, buf_text(&made));
    db_arg_bytes(&a, sealed.data, sealed.len);
    rc = db_exec(tx,
                 "INSERT INTO oauth_exchanges (client_id, exchange_id, code) VALUES ($1, $2, $3)",
                 &a, NULL, e);
    if (rc == RC_OK)
        rc = put_exchange_job(tx, client_id, buf_text(&made), e);
    if (rc == RC_OK)
        (void)str_copy(id, 48, buf_text(&made));
    return rc;
}

enum rc db_oauth_exchange_get(struct db_tx *tx, const char *id, struct exchange *out, struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    struct exchange x = { 0 };
    enum rc rc;

    db_arg_text(&a, id);
    rc = db_exec(tx,
                 "SELECT x.client_id, x.status, x.problem,"
                 " (extract(epoch FROM clock_timestamp() - x.created_at) * 1000000)::bigint AS age,"
                 " coalesce((SELECT jsonb_agg(jsonb_build_object('shop_id', s.shop_id, 'name',"
                 " s.name) ORDER BY s.shop_id) FROM shops s WHERE s.client_id = x.client_id"
                 " AND s.shop_id = ANY (x.shops)), '[]'::jsonb) AS shops"
                 " FROM oauth_exchanges x WHERE x.exchange_id = $1",
                 &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_code(e, RC_NOT_FOUND, "not_found", "there is no such exchange");
    (void)str_copy(x.client_id, sizeof x.client_id, db_text(rows, 0, "client_id"));
    (void)str_copy(x.status, sizeof x.status, db_text(rows, 0, "status"));
    x.age_us = db_i64(rows, 0, "age");
    x.shops = db_json_new(rows, 0, "shops");
    x.problem = db_json_new(rows, 0, "problem");
    *out = x;
    return RC_OK;
}

void db_exchange_done(struct exchange *x)
{
    json_decref(x->shops);
    json_decref(x->problem);
    memset(x, 0, sizeof *x);
}

static enum rc open_code(struct db_tx *tx, const char *client_id, const char *id,
                         const struct db_rows *rows, char **code, struct err *e)
{
    OWN_BUF struct buf sealed;
    OWN_BUF struct buf plain;
    enum rc rc;

    buf_init(&sealed, LIMIT_CODE_BYTES);
    buf_init(&plain, LIMIT_CODE_BYTES);
    rc = db_bytes(rows, 0, "code", &sealed, e);
    if (rc == RC_OK)
        rc = db_unseal(tx, client_id, "oauth_exchanges", "code", id, sealed.data, sealed.len,
                       &plain, e);
    if (rc != RC_OK)
        return rc;
    *code = str_ndup(buf_text(&plain), plain.len);
    sign_wipe(plain.data, plain.len);
    return *code != NULL ? RC_OK : err_set(e, RC_BUG, "oauth: no memory for a code");
}

enum rc db_oauth_code_take(struct db_tx *tx, const char *client_id, const char *id,
                           struct exchange_work *out, struct err *e)
{
    struct db_args a = { 0 };
    struct db_args b = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    struct exchange_work work = { 0 };
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_text(&a, id);
    rc = db_exec(tx,
                 "SELECT code, open_id FROM oauth_exchanges WHERE client_id = $1"
                 " AND exchange_id = $2 AND status = 'pending' FOR UPDATE",
                 &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    work.ended = db_rows_count(rows) == 0;
    if (!work.ended)
        (void)str_copy(work.open_id, sizeof work.open_id, db_text(rows, 0, "open_id"));
    if (!work.ended && !db_null(rows, 0, "code")) {
        db_arg_text(&b, client_id);
        db_arg_text(&b, id);
        rc = db_exec(tx,
                     "UPDATE oauth_exchanges SET code = NULL"
                     " WHERE client_id = $1 AND exchange_id = $2",
                     &b, NULL, e);
        if (rc == RC_OK)
            rc = open_code(tx, client_id, id, rows, &work.code, e);
    }
    if (rc == RC_OK)
        *out = work;
    return rc;
}

enum rc db_oauth_exchange_grant(struct db_tx *tx, const char *client_id, const char *id,
                                const char *open_id, struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, client_id);
    db_arg_text(&a, id);
    db_arg_text(&a, open_id);
    return db_exec(tx,
                   "UPDATE oauth_exchanges SET open_id = $3, code = NULL"
                   " WHERE client_id = $1 AND exchange_id = $2",
                   &a, NULL, e);
}

enum rc db_oauth_code_return(struct db_tx *tx, const char *client_id, const char *id,
                             const char *code, struct err *e)
{
    struct db_args a = { 0 };
    OWN_BUF struct buf sealed;
    enum rc rc;

    buf_init(&sealed, LIMIT_CODE_BYTES);
    rc = db_seal(tx, client_id, "oauth_exchanges", "code", id, code, strlen(code), &sealed, e);
    if (rc != RC_OK)
        return rc;
    db_arg_text(&a, client_id);
    db_arg_text(&a, id);
    db_arg_bytes(&a, sealed.data, sealed.len);
    return db_exec(tx,
                   "UPDATE oauth_exchanges SET code = $3 WHERE client_id = $1"
                   " AND exchange_id = $2 AND status = 'pending'",
                   &a, NULL, e);
}

enum rc db_oauth_exchange_end(struct db_tx *tx, const char *client_id, const char *id,
                              const char *status, const char *const *shops, size_t n_shops,
                              const char *code, const char *detail, struct err *e)
{
    struct db_args a = { 0 };
    json_auto_t *problem = NULL;

    if (code != NULL) {
        problem = json_pack("{s:s, s:s?}", "code", code, "detail", detail);
        if (problem == NULL)
            return err_set(e, RC_BUG, "oauth: the problem cannot be written");
    }
    db_arg_text(&a, client_id);
    db_arg_text(&a, id);
    db_arg_text(&a, status);
    db_arg_text_array(&a, shops, n_shops);
    db_arg_json(&a, problem);
    return db_exec(tx,
                   "UPDATE oauth_exchanges SET status = $3, shops = $4, problem = $5, code = NULL,"
                   " finished_at = clock_timestamp()"
                   " WHERE client_id = $1 AND exchange_id = $2 AND status = 'pending'",
                   &a, NULL, e);
}

enum rc db_oauth_link_make(struct db_tx *tx, const char *client_id, struct buf *out,
                           int64_t *expires_us, struct err *e)
{
    OWN_BUF struct buf sealed;
    char plain[LINK_PLAIN_BYTES];
    int64_t until = (clock_now_us() / US_PER_S + DB_OAUTH_LINK_S) * US_PER_S;
    enum rc rc;

    buf_init(&sealed, 256);
    (void)str_fmt(plain, sizeof plain, "%lld", (long long)until);
    /* Sealed with the client's data key: authentic, opaque, and useless for any other client. */
    rc =
        db_seal(tx, client_id, "oauth_links", "until", client_id, plain, strlen(plain), &sealed, e);
    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < sealed.len; i++)
        buf_fmt(out, "%02x", (unsigned char)sealed.data[i]);
    rc = buf_check(out, e);
    if (rc == RC_OK)
        *expires_us = until;
    return rc;
}

enum rc db_oauth_link_check(struct db_tx *tx, const char *client_id, const char *link,
                            struct err *e)
{
    unsigned char sealed[128];
    size_t len = strlen(link) / 2;
    OWN_BUF struct buf plain;
    int64_t until = 0;

    buf_init(&plain, sizeof sealed);
    if (strlen(link) % 2 != 0 || len == 0 || len > sizeof sealed || !str_unhex(sealed, len, link) ||
        db_unseal(tx, client_id, "oauth_links", "until", client_id, sealed, len, &plain, NULL) !=
            RC_OK ||
        !str_to_i64(buf_text(&plain), 0, INT64_MAX, &until) || until <= clock_now_us())
        return err_code(e, RC_DENIED, "bad_link", "the link is not valid or has expired");
    return RC_OK;
}
