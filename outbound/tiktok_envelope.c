/* Reads TikTok Shop's answer {code, message, request_id, data} and makes it an outcome. */
#include "jspec.h"
#include "platform_call.h"
#include "str.h"

#define NO_CODE INT64_MIN

void tiktok_reply_done(struct tiktok_reply *reply)
{
    if (reply == NULL)
        return;
    json_decref(reply->root);
    *reply = (struct tiktok_reply){ 0 };
}

static const char *word_of(enum rc rc, int64_t code)
{
    if (rc == RC_BUSY)
        return "rate_limited";
    if (code == 105005)
        return "scope_missing";
    if (code == 36009033)
        return "ip_not_allowed";
    return rc == RC_DENIED ? "token_refused" : "platform_refused";
}

/* Fills *e from an envelope that is no success. */
static enum rc refused(enum rc rc, const struct tiktok_reply *reply, const char *message,
                       struct err *e)
{
    if (!str_blank(message))
        (void)err_code(e, rc, word_of(rc, reply->code), "%s", message); /* returned below */
    else
        (void)err_code(e, rc, word_of(rc, reply->code), "TikTok answered %d, code %lld",
                       reply->http_status, (long long)reply->code);
    if (e != NULL) {
        e->platform_code = reply->code;
        (void)str_copy(e->request_id, sizeof(e->request_id), reply->request_id); /* same size */
    }
    return rc;
}

/* An answer that is not TikTok's envelope: of a proxy, of a broken page. */
static enum rc no_envelope(int status, bool writes, struct err *e)
{
    enum rc rc = tiktok_status_rc(status, writes);

    if (status >= 200 && status <= 299)
        return err_code(e, rc, "answer_unreadable", "TikTok's answer could not be read");
    return err_code(e, rc, rc == RC_BUSY ? "rate_limited" : "platform_refused",
                    "TikTok answered with status %d", status);
}

enum rc tiktok_envelope_read(const struct fetch_reply *reply, bool writes, struct tiktok_reply *out,
                             struct err *e)
{
    json_t *root = NULL;
    struct tiktok_reply got = { .http_status = reply->status };
    bool success = reply->status >= 200 && reply->status <= 299;

    if (jspec_parse(buf_text(&reply->body), reply->body.len, PLATFORM_JSON_KEYS, &root, e) != RC_OK)
        return no_envelope(reply->status, writes, e);
    got.code = json_is_object(root) ? jspec_int(root, "code", NO_CODE) : NO_CODE;
    if (got.code == NO_CODE) {
        json_decref(root);
        return no_envelope(reply->status, writes, e);
    }
    got.root = root;
    got.data = json_object_get(root, "data");
    str_copy_cut(got.request_id, sizeof(got.request_id),
                 jspec_text(root, "request_id") ? jspec_text(root, "request_id") : "");
    *out = got;
    if (got.code == 0 && success)
        return RC_OK;
    return refused(got.code == 0 ? tiktok_status_rc(reply->status, writes)
                                 : tiktok_error_rc(got.code, writes, jspec_text(root, "message")),
                   out, jspec_text(root, "message"), e);
}
