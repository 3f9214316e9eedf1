/* once.c - the first answer to an Idempotency-Key is kept in the transaction of the work it stands for. */
#include "once.h"

#include "sign.h"
#include "str.h"

enum rc once_read(const struct http_req *req, const char *scope, struct once *out, struct err *e)
{
    const char *key = http_header(req, "Idempotency-Key");
    OWN_BUF struct buf text;
    enum rc rc;

    buf_init(&text, req->body_len + 8192);
    *out = (struct once){ .scope = scope };
    if (key == NULL)
        return RC_OK;
    if (key[0] == '\0' || strlen(key) > REQUEST_KEY_CHARS_MAX ||
        !str_copy(out->key, sizeof out->key, key))
        return err_field(e, "Idempotency-Key", "must be 1 to %d characters", REQUEST_KEY_CHARS_MAX);
    buf_fmt(&text, "%s?%s\n", req->path, req->query);
    buf_add(&text, req->body, req->body_len);
    rc = buf_check(&text, e);
    if (rc == RC_OK)
        sign_sha256(text.data, text.len, out->digest);
    return rc;
}

enum rc once_begin(struct db_tx *tx, const struct http_req *req, const char *scope,
                   struct once *once, struct http_reply *reply, struct err *e)
{
    OWN_REQUEST_ANSWER struct request_answer first = { 0 };
    enum rc rc = once_read(req, scope, once, e);

    if (rc != RC_OK || once->key[0] == '\0')
        return rc;
    rc = db_request_key_find(tx, scope, once->key, once->digest, &first, e);
    if (rc != RC_OK || first.status == 0)
        return rc;
    reply->status = first.status;
    if (first.location[0] != '\0')
        http_reply_header(reply, "Location", "%s", first.location);
    if (first.body != NULL) {
        reply->content_type = "application/json";
        buf_str(&reply->body, first.body);
    }
    once->answered = true;
    return buf_check(&reply->body, e);
}

enum rc once_commit(struct db_tx *tx, const struct once *once, const struct http_reply *reply,
                    struct err *e)
{
    OWN_REQUEST_ANSWER struct request_answer answer = { .status = reply->status };
    enum rc rc = RC_OK;

    if (once->key[0] == '\0')
        return db_tx_commit(tx, e);
    for (int i = 0; i < reply->n_headers; i++) {
        if (str_eq(reply->headers[i].name, "Location") &&
            !str_copy(answer.location, sizeof answer.location, reply->headers[i].value))
            return err_set(e, RC_BUG, "a location does not fit");
    }
    if (reply->body.len > 0) {
        answer.body = str_ndup(reply->body.data, reply->body.len);
        if (answer.body == NULL)
            return err_set(e, RC_BUG, "no memory for an answer");
    }
    rc = db_request_key_put(tx, once->scope, once->key, once->digest, &answer, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}
