/* tiktok_aftersale.c - cancellations and returns: pages of them, reasons, the seller's cancellation and answers. */
#include "tiktok_aftersale.h"

#include "jspec.h"
#include "own.h"
#include "str.h"

#define PATH_BYTES 256
#define PAGE_TEXT "50"

static const struct {
    const char *operation, *path, *member;
} SEARCHES[] = {
    [TIKTOK_CANCELLATIONS] = { "search_cancellations", "/return_refund/202309/cancellations/search",
                               "cancellations" },
    [TIKTOK_RETURNS] = { "search_returns", "/return_refund/202309/returns/search",
                         "return_orders" },
};

static void reply_own(struct tiktok_reply *reply)
{
    tiktok_reply_done(reply);
}
#define OWN_REPLY __attribute__((cleanup(reply_own)))

/* The named list of the answer; an absent one is empty. New reference. */
static enum rc list_take(const struct tiktok_reply *reply, const char *member, json_t **out,
                         struct err *e)
{
    json_t *list = json_object_get(reply->data, member);

    list = json_is_array(list) ? json_incref(list) : json_array();
    if (!list)
        return err_set(e, RC_DOWN, "out of memory");
    *out = list;
    return RC_OK;
}

enum rc tiktok_aftersale_search(struct tiktok_session *s, enum tiktok_aftersale what,
                                const struct tiktok_aftersale_search *search, json_t **items,
                                char **next, struct err *e)
{
    json_auto_t *body = json_object();
    struct tiktok_req req = { .operation = SEARCHES[what].operation,
                              .method = "POST",
                              .path = SEARCHES[what].path,
                              .with_cipher = true,
                              .entity = search->order_id,
                              .query = { { "page_size", PAGE_TEXT },
                                         { "sort_field", "update_time" },
                                         { "sort_order", "ASC" },
                                         { "page_token", search->page_token } },
                              .body = body };
    OWN_REPLY struct tiktok_reply reply = { 0 };
    OWN_STR char *token = NULL;
    const char *text;
    int bad = body ? 0 : -1;
    enum rc rc;

    if (search->order_id)
        bad |= json_object_set_new(body, "order_ids", json_pack("[s]", search->order_id));
    if (search->update_ge_s > 0)
        bad |= json_object_set_new(body, "update_time_ge", json_integer(search->update_ge_s));
    if (bad != 0)
        return err_set(e, RC_DOWN, "out of memory");
    rc = tiktok_call(s, &req, &reply, e);
    if (rc != RC_OK)
        return rc;
    text = jspec_text(reply.data, "next_page_token");
    if (text && text[0]) {
        token = str_dup(text);
        if (!token)
            return err_set(e, RC_DOWN, "out of memory");
    }
    rc = list_take(&reply, SEARCHES[what].member, items, e);
    if (rc == RC_OK)
        *next = own_take(&token);
    return rc;
}

enum rc tiktok_reject_reasons(struct tiktok_session *s, const char *id, json_t **reasons,
                              struct err *e)
{
    struct tiktok_req req = { .operation = "get_reject_reasons",
                              .method = "GET",
                              .path = "/return_refund/202309/reject_reasons",
                              .with_cipher = true,
                              .entity = id,
                              .query = { { "return_or_cancel_id", id }, { "locale", "pt-BR" } } };
    OWN_REPLY struct tiktok_reply reply = { 0 };
    enum rc rc = tiktok_call(s, &req, &reply, e);

    return rc == RC_OK ? list_take(&reply, "reasons", reasons, e) : rc;
}

static enum rc write_call(struct tiktok_session *s, const struct tiktok_req *req,
                          char request_id[96], struct err *e)
{
    OWN_REPLY struct tiktok_reply reply = { 0 };
    enum rc rc = tiktok_call(s, req, &reply, e);

    if (request_id)
        str_copy_cut(request_id, 96, reply.request_id);
    return rc;
}

enum rc tiktok_order_cancel(struct tiktok_session *s, const char *order_id, const char *reason,
                            char request_id[96], struct err *e)
{
    json_auto_t *body = json_pack("{s:s, s:s}", "order_id", order_id, "cancel_reason", reason);
    struct tiktok_req req = { .operation = "cancel_order",
                              .method = "POST",
                              .path = "/return_refund/202309/cancellations",
                              .with_cipher = true,
                              .writes = true,
                              .entity = order_id,
                              .body = body };

    if (!body)
        return err_set(e, RC_DOWN, "out of memory");
    return write_call(s, &req, request_id, e);
}

/* "/return_refund/202309/{what}/{id}/{approve|reject}" */
static enum rc answer_path(const char *what, const char *id, bool approve, char path[PATH_BYTES],
                           struct err *e)
{
    OWN_BUF struct buf text = { 0 };

    buf_init(&text, PATH_BYTES - 1);
    buf_fmt(&text, "/return_refund/202309/%s/", what);
    str_url_encode(&text, id);
    buf_fmt(&text, "/%s", approve ? "approve" : "reject");
    if (buf_check(&text, e) != RC_OK || !str_copy(path, PATH_BYTES, buf_text(&text)))
        return err_set(e, RC_INVALID, "the id of a request is too long");
    return RC_OK;
}

/* Adds what a refusal says. */
static int refusal_add(json_t *body, const char *reason, const char *comment)
{
    int bad = json_object_set_new(body, "reject_reason", json_string(reason ? reason : ""));

    if (comment && comment[0])
        bad |= json_object_set_new(body, "comment", json_string(comment));
    return bad;
}

enum rc tiktok_cancellation_answer(struct tiktok_session *s, const char *cancel_id,
                                   const char *order_id, bool approve, const char *reason,
                                   const char *comment, char request_id[96], struct err *e)
{
    json_auto_t *body = json_object();
    char path[PATH_BYTES];
    char key[128];
    enum rc rc = answer_path("cancellations", cancel_id, approve, path, e);
    struct tiktok_req req = { .operation = approve ? "approve_cancellation" : "reject_cancellation",
                              .method = "POST",
                              .path = path,
                              .with_cipher = true,
                              .writes = true,
                              .entity = order_id,
                              .query = { { "idempotency_key", key } },
                              .body = body };

    if (rc != RC_OK)
        return rc;
    (void)str_fmt(key, sizeof key, "%s-%s", approve ? "approve" : "reject", cancel_id);
    if (!body || (!approve && refusal_add(body, reason, comment) != 0))
        return err_set(e, RC_DOWN, "out of memory");
    return write_call(s, &req, request_id, e);
}

enum rc tiktok_return_answer(struct tiktok_session *s, const char *return_id, const char *order_id,
                             bool approve, const char *decision, const char *reason,
                             const char *comment, const char *key, char request_id[96],
                             struct err *e)
{
    json_auto_t *body = json_pack("{s:s}", "decision", decision);
    char path[PATH_BYTES];
    enum rc rc = answer_path("returns", return_id, approve, path, e);
    struct tiktok_req req = { .operation = approve ? "approve_return" : "reject_return",
                              .method = "POST",
                              .path = path,
                              .with_cipher = true,
                              .writes = true,
                              .entity = order_id,
                              .query = { { "idempotency_key", key } },
                              .body = body };

    if (rc != RC_OK)
        return rc;
    if (!body || (!approve && refusal_add(body, reason, comment) != 0))
        return err_set(e, RC_DOWN, "out of memory");
    return write_call(s, &req, request_id, e);
}
