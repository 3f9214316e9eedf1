/* db/request_key.c - first answers to requests that carry an Idempotency-Key. */
#include "db_request_key.h"

#include "str.h"

void db_request_answer_done(struct request_answer *a)
{
    free(a->body);
    a->body = NULL;
}

/* Held until the transaction ends: the second of two requests at once sees what the first one got. */
static enum rc key_lock(struct db_tx *tx, const char *scope, const char *key, struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, scope);
    db_arg_text(&a, key);
    return db_exec(tx, "SELECT pg_advisory_xact_lock(hashtextextended($1 || ' ' || $2, 25))", &a,
                   NULL, e);
}

enum rc db_request_key_find(struct db_tx *tx, const char *scope, const char *key,
                            const unsigned char digest[32], struct request_answer *out,
                            struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    OWN_REQUEST_ANSWER struct request_answer found = { 0 };
    enum rc rc = key_lock(tx, scope, key, e);

    if (rc != RC_OK)
        return rc;
    db_arg_text(&a, scope);
    db_arg_text(&a, key);
    db_arg_bytes(&a, digest, 32);
    rc = db_exec(tx,
                 "SELECT status, location, body, digest = $3 AS same FROM request_keys"
                 " WHERE client_id = $1 AND key = $2",
                 &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) > 0) {
        if (!db_bool(rows, 0, "same"))
            return err_http(e, 422, "idempotency_key_reused",
                            "this Idempotency-Key came with another request before");
        found.status = (int)db_i64(rows, 0, "status");
        if (!str_copy(found.location, sizeof found.location,
                      db_null(rows, 0, "location") ? "" : db_text(rows, 0, "location")))
            return err_set(e, RC_BUG, "a kept answer has a location that is too long");
        if (!db_null(rows, 0, "body")) {
            found.body = str_dup(db_text(rows, 0, "body"));
            if (found.body == NULL)
                return err_set(e, RC_BUG, "no memory for a kept answer");
        }
    }
    *out = found;
    found.body = NULL;
    return RC_OK;
}

enum rc db_request_key_put(struct db_tx *tx, const char *scope, const char *key,
                           const unsigned char digest[32], const struct request_answer *answer,
                           struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, scope);
    db_arg_text(&a, key);
    db_arg_bytes(&a, digest, 32);
    db_arg_i64(&a, answer->status);
    db_arg_text(&a, answer->location[0] != '\0' ? answer->location : NULL);
    db_arg_text(&a, answer->body);
    return db_exec(tx,
                   "INSERT INTO request_keys (client_id, key, digest, status, location, body)"
                   " VALUES ($1, $2, $3, $4, $5, $6)",
                   &a, NULL, e);
}
