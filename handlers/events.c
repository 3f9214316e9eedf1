/* events.c - notifications that were accepted: listed, their work asked for again. */
#include "once.h"
#include "rest.h"
#include "webhook_scan.h"

#include "db_rest.h"
#include "str.h"

enum rc events_list(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    static const char *const QUERY[] = { "state", "topic", NULL };
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    OWN_LIST struct rest_list list = { 0 };
    struct rest_page page;
    struct events_filter filter = { 0 };
    const char *client_id = NULL;
    char state[16];
    char topic_text[8];
    int64_t topic = 0;
    enum rc rc = rest_page_read(req, QUERY, &page, e);

    if (rc == RC_OK)
        rc = rest_query(req, "state", state, sizeof state, &filter.state, e);
    if (rc == RC_OK && http_query(req, "topic", topic_text, sizeof topic_text) &&
        !str_to_i64(topic_text, 1, 9999, &topic))
        return err_field(e, "topic", "must be a number of TikTok's list");
    filter.topic = (int)topic;
    if (rc == RC_OK)
        rc = rest_begin(app, req, "events_list", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = db_rest_events(tx, client_id, &filter, page.cursor, page.limit, &list, e);
    return rc == RC_OK ? rest_page_reply(reply, req, list.items, list.next, e) : rc;
}

/* The events table keeps one id; what lists several has them in its body only. */
static enum rc listed_orders(const struct buf *body, struct buf *out, struct err *e)
{
    struct webhook_ids ids;

    if (webhook_scan(body->data != NULL ? body->data : "", body->len, &ids) == NULL)
        buf_add(out, ids.orders.data != NULL ? ids.orders.data : "", ids.orders.len);
    webhook_ids_done(&ids);
    return buf_check(out, e);
}

enum rc event_replay(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    struct app *app = user;
    OWN_TX struct db_tx *tx = NULL;
    json_auto_t *answer = json_pack("{s:s}", "status", "queued");
    const char *client_id = NULL;
    struct once once = { 0 };
    int64_t id = 0;
    enum rc rc = rest_no_query(req, e);

    if (rc == RC_OK && !str_to_i64(http_param(req, "event_id"), 1, INT64_MAX, &id))
        return err_code(e, RC_NOT_FOUND, "not_found", "the client has no such event");
    if (rc == RC_OK)
        rc = rest_begin(app, req, "event_replay", &client_id, &tx, e);
    if (rc == RC_OK)
        rc = once_begin(tx, req, client_id, &once, reply, e);
    if (rc != RC_OK || once.answered)
        return rc;
    rc = rest_no_body(req, e);
    if (rc == RC_OK)
        rc = db_rest_event_replay(tx, client_id, id, listed_orders, e);
    if (rc == RC_OK)
        rc = rest_audit(tx, req, client_id, "event_replay", NULL, e);
    if (rc == RC_OK)
        rc = http_reply_json(reply, 202, answer, e);
    return rc == RC_OK ? once_commit(tx, &once, reply, e) : rc;
}
