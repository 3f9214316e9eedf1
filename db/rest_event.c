/* rest_event.c - stored notifications as the REST interface shows them, and asking for their work again. */
#include "db_rest.h"

#include "db_job.h"
#include "intake_batch.h"
#include "rest_page.h"
#include "str.h"

#include <string.h>

#define LIMIT_ENTITY_BYTES 64 /* as the intake keeps them */
#define LIMIT_EVENT_BYTES ((size_t)2 << 20)

enum rc db_rest_events(struct db_tx *tx, const char *client_id, const struct events_filter *filter,
                       const char *cursor, int limit, struct rest_list *out, struct err *e)
{
    struct db_args a = { 0 };
    int64_t before = 0;
    enum rc rc = rest_cursor_id(cursor, &before, e);

    if (rc != RC_OK)
        return rc;
    db_arg_text(&a, client_id);
    db_arg_i64(&a, before);
    db_arg_text(&a, filter->state);
    db_arg_i64(&a, filter->topic);
    return rest_page_run(
        tx,
        "SELECT json_build_object('id', v.id::text, 'received_at', connector_time(v.received_at),"
        " 'source', v.source, 'shop_id', v.shop_id, 'notification_id', v.key, 'topic', v.topic,"
        " 'entity', v.entity, 'event_at', connector_time(v.event_at), 'state', v.state,"
        " 'reason', v.reason) AS doc, v.id::text AS cursor FROM events v"
        " WHERE v.shop_id IN (SELECT shop_id FROM shops WHERE client_id = $1) AND v.id < $2"
        " AND ($3::text IS NULL OR v.state = $3) AND ($4::bigint = 0 OR v.topic = $4)"
        " ORDER BY v.id DESC LIMIT $5",
        &a, limit, out, e);
}

/* One job for each id of a list of lines. */
static enum rc put_jobs(struct db_tx *tx, struct db_job_key *key, const char *lines, struct err *e)
{
    char entity[LIMIT_ENTITY_BYTES];
    enum rc rc = RC_OK;

    key->entity = entity;
    while (rc == RC_OK && *lines != '\0') {
        size_t len = strcspn(lines, "\n");

        if (len > 0 && len < sizeof entity) {
            memcpy(entity, lines, len);
            entity[len] = '\0';
            rc = db_job_put(tx, key, e);
        }
        lines += len + (lines[len] != '\0');
    }
    return rc;
}

static enum rc put_jobs_again(struct db_tx *tx, const char *client_id, const struct db_rows *rows,
                              event_orders orders, struct err *e)
{
    struct intake_event ev = {
        .source = db_text(rows, 0, "source"),
        .topic = (int)db_i64(rows, 0, "topic"),
    };
    const struct topic_job *job = NULL;
    struct db_job_key key = { .client_id = client_id, .shop_id = db_text(rows, 0, "shop_id") };
    OWN_BUF struct buf body = { 0 };
    OWN_BUF struct buf listed = { 0 };
    enum rc rc;

    if (str_eq(db_text(rows, 0, "state"), "stored"))
        job = intake_topic_job(&ev);
    if (job == NULL)
        return err_http(e, 409, "no_work", "this event asks for no work");
    key.kind = job->kind;
    key.lane = job->lane;
    key.entity = job->per_shop ? "" : db_text(rows, 0, "entity");
    if (job->per_shop || key.entity[0] != '\0')
        return db_job_put(tx, &key, e);
    buf_init(&body, LIMIT_EVENT_BYTES);
    buf_init(&listed, LIMIT_EVENT_BYTES);
    rc = db_bytes(rows, 0, "body", &body, e);
    if (rc == RC_OK)
        rc = orders(&body, &listed, e);
    if (rc == RC_OK && listed.len == 0)
        return err_http(e, 409, "no_work", "this event names no order");
    return rc == RC_OK ? put_jobs(tx, &key, buf_text(&listed), e) : rc;
}

enum rc db_rest_event_replay(struct db_tx *tx, const char *client_id, int64_t id,
                             event_orders orders, struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_i64(&a, id);
    rc = db_exec(tx,
                 "SELECT source, shop_id, entity, topic, state, body FROM events WHERE id = $2"
                 " AND shop_id IN (SELECT shop_id FROM shops WHERE client_id = $1)",
                 &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_code(e, RC_NOT_FOUND, "not_found", "the client has no such event");
    return put_jobs_again(tx, client_id, rows, orders, e);
}

enum rc db_rest_shop_resume(struct db_tx *tx, const char *shop_id, struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc;

    db_arg_text(&a, shop_id);
    rc = db_exec(tx,
                 "SELECT shop_id FROM shop_schedule WHERE shop_id = $1"
                 " AND paused_reason IS NOT NULL AND paused_until IS NOT NULL",
                 &a, &rows, e);
    if (rc != RC_OK || db_rows_count(rows) == 0)
        return rc;
    return db_shop_unpause(tx, shop_id, e);
}
