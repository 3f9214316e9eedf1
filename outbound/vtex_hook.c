/* vtex_hook.c - reads, sets and takes away the order hook of a VTEX account. */
#include "vtex_hook.h"

#include "jspec.h"

#define HOOK_PATH "/api/orders/hook/config"

static void reply_own(struct vtex_reply *reply)
{
    vtex_reply_done(reply);
}
#define OWN_REPLY __attribute__((cleanup(reply_own)))

enum rc vtex_hook_get(struct vtex_session *s, json_t **out, struct err *e)
{
    struct vtex_req req = { .operation = "getHookConfig", .method = "GET", .path = HOOK_PATH };
    OWN_REPLY struct vtex_reply reply = { 0 };
    enum rc rc = vtex_call(s, &req, &reply, e);

    if (rc != RC_OK && rc != RC_NOT_FOUND)
        return rc;
    *out = rc == RC_OK && jspec_text(reply.body, "hook.url") ? json_incref(reply.body) : NULL;
    return RC_OK;
}

/* A list of texts; NULL when out of memory. */
static json_t *texts_new(const char *const *texts)
{
    json_t *list = json_array();

    for (; list && *texts; texts++) {
        if (json_array_append_new(list, json_string(*texts)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

enum rc vtex_hook_set(struct vtex_session *s, const char *url, const char *secret,
                      const char *const *statuses, struct err *e)
{
    json_auto_t *body =
        json_pack("{s:{s:s, s:o}, s:{s:s, s:{s:s}}}", "filter", "type", "FromWorkflow", "status",
                  texts_new(statuses), "hook", "url", url, "headers", "X-Hook-Secret", secret);
    struct vtex_req req = { .operation = "setHookConfig",
                            .method = "POST",
                            .path = HOOK_PATH,
                            .writes = true,
                            .body = body };
    OWN_REPLY struct vtex_reply reply = { 0 };

    if (!body)
        return err_set(e, RC_DOWN, "out of memory");
    return vtex_call(s, &req, &reply, e);
}

enum rc vtex_hook_delete(struct vtex_session *s, struct err *e)
{
    struct vtex_req req = {
        .operation = "deleteHookConfig", .method = "DELETE", .path = HOOK_PATH, .writes = true
    };
    OWN_REPLY struct vtex_reply reply = { 0 };
    enum rc rc = vtex_call(s, &req, &reply, e);

    return rc == RC_NOT_FOUND ? RC_OK : rc;
}
