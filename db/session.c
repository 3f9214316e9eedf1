/* session.c - queries of sessions and failed sign-ins. */
#include "db_session.h"

#include "str.h"

#include <string.h>

#define DIGEST_BYTES 32
#define LIVES                                                                             \
    "seen_at > now() - make_interval(secs => $2) AND created_at > now() - make_interval(" \
    "secs => $3)"

static void life_args(struct db_args *a)
{
    db_arg_i64(a, DB_SESSION_IDLE_S);
    db_arg_i64(a, DB_SESSION_MAX_S);
}

enum rc db_session_new(struct db_tx *tx, const unsigned char digest[32], const char *user_name,
                       const unsigned char fingerprint[32], struct err *e)
{
    struct db_args old = DB_ARGS;
    struct db_args a = DB_ARGS;
    enum rc rc;

    db_arg_bytes(&old, digest, DIGEST_BYTES);
    life_args(&old);
    rc = db_exec(tx, "DELETE FROM sessions WHERE token_digest = $1 OR NOT (" LIVES ")", &old, NULL,
                 e);
    if (rc != RC_OK)
        return rc;
    db_arg_bytes(&a, digest, DIGEST_BYTES);
    db_arg_text(&a, user_name);
    db_arg_bytes(&a, fingerprint, DIGEST_BYTES);
    return db_exec(tx,
                   "INSERT INTO sessions (token_digest, user_name, fingerprint)"
                   " VALUES ($1, $2, $3)",
                   &a, NULL, e);
}

static enum rc touch(struct db_tx *tx, const unsigned char digest[32], struct err *e)
{
    struct db_args a = DB_ARGS;

    db_arg_bytes(&a, digest, DIGEST_BYTES);
    return db_exec(tx, "UPDATE sessions SET seen_at = now() WHERE token_digest = $1", &a, NULL, e);
}

enum rc db_session_find(struct db_tx *tx, const unsigned char digest[32], struct session *out,
                        struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    OWN_BUF struct buf fingerprint;
    struct db_args a = DB_ARGS;
    struct session found = { 0 };
    enum rc rc;

    buf_init(&fingerprint, 256);
    db_arg_bytes(&a, digest, DIGEST_BYTES);
    life_args(&a);
    rc = db_exec(tx,
                 "SELECT user_name, fingerprint, seen_at < now() - interval '1 minute' AS stale"
                 " FROM sessions WHERE token_digest = $1 AND " LIVES,
                 &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_code(e, RC_NOT_FOUND, "not_authenticated", "there is no such session");
    rc = db_bytes(rows, 0, "fingerprint", &fingerprint, e);
    if (rc == RC_OK &&
        (fingerprint.len != DIGEST_BYTES ||
         !str_copy(found.user_name, sizeof found.user_name, db_text(rows, 0, "user_name"))))
        return err_set(e, RC_BUG, "a session cannot be read");
    if (rc == RC_OK && db_bool(rows, 0, "stale"))
        rc = touch(tx, digest, e);
    if (rc != RC_OK)
        return rc;
    memcpy(found.fingerprint, fingerprint.data, DIGEST_BYTES);
    *out = found;
    return RC_OK;
}

enum rc db_session_end(struct db_tx *tx, const unsigned char digest[32], struct err *e)
{
    struct db_args a = DB_ARGS;

    db_arg_bytes(&a, digest, DIGEST_BYTES);
    return db_exec(tx, "DELETE FROM sessions WHERE token_digest = $1", &a, NULL, e);
}

/* From the third failure on each doubles the wait. */
enum rc db_sign_in_wait(struct db_tx *tx, const unsigned char key[32], int64_t *wait_s,
                        struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = DB_ARGS;
    enum rc rc;

    db_arg_bytes(&a, key, DIGEST_BYTES);
    db_arg_i64(&a, DB_SIGN_IN_WAIT_MAX_S);
    rc =
        db_exec(tx,
                "SELECT greatest(0, ceil(extract(epoch FROM failed_at + make_interval(secs =>"
                " CASE WHEN failures < 3 THEN 0 ELSE least($2::bigint, 2 ^ least(failures - 2, 20))"
                " END) - now())))::bigint AS wait"
                " FROM sign_in_failures WHERE key = $1 FOR UPDATE",
                &a, &rows, e);
    if (rc == RC_OK)
        *wait_s = db_rows_count(rows) > 0 ? db_i64(rows, 0, "wait") : 0;
    return rc;
}

enum rc db_sign_in_failed(struct db_tx *tx, const unsigned char key[32], struct err *e)
{
    struct db_args a = DB_ARGS;
    enum rc rc =
        db_exec(tx, "DELETE FROM sign_in_failures WHERE failed_at < now() - interval '1 day'", NULL,
                NULL, e);

    if (rc != RC_OK)
        return rc;
    db_arg_bytes(&a, key, DIGEST_BYTES);
    return db_exec(tx,
                   "INSERT INTO sign_in_failures AS f (key, failures) VALUES ($1, 1)"
                   " ON CONFLICT (key) DO UPDATE SET failures = f.failures + 1, failed_at = now()",
                   &a, NULL, e);
}

enum rc db_sign_in_well(struct db_tx *tx, const unsigned char key[32], struct err *e)
{
    struct db_args a = DB_ARGS;

    db_arg_bytes(&a, key, DIGEST_BYTES);
    return db_exec(tx, "DELETE FROM sign_in_failures WHERE key = $1", &a, NULL, e);
}
