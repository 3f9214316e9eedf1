/* aftersale.c - cancellations and returns as TikTok tells them, and how each is answered. */
#include "db_aftersale.h"

#include "db_job.h"
#include "str.h"

/* A request whose next step is the seller's. */
#define PENDING                                                                         \
    "(a.status IN ('CANCELLATION_REQUEST_PENDING', 'RETURN_OR_REFUND_REQUEST_PENDING'," \
    " 'REPLACEMENT_REQUEST_PENDING', 'BUYER_SHIPPED_ITEM') OR (a.kind = 'return' AND"   \
    " a.action IS NOT NULL AND a.status NOT LIKE '%COMPLETE' AND a.status NOT LIKE '%CANCEL'))"
/* What shows a request outside; alias a. */
#define TIME_JSON(column) "to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
#define AFTERSALE_JSON                                                                                              \
    "json_build_object('id', a.aftersale_id, 'order_id', a.order_id, 'shop_id', a.shop_id,"                         \
    " 'kind', a.kind, 'type', a.type, 'status', a.status, 'role', a.role, 'reason', a.reason,"                      \
    " 'reason_text', a.reason_text, 'waits_for_seller', " PENDING ", 'next_action', a.action,"                      \
    " 'deadline', " TIME_JSON(                                                                                      \
        "a.deadline") ", 'refund', a.refund, 'tracking_number',"                                                    \
                      " a.tracking_number, 'arbitration', a.arbitration, 'lines', a.lines, 'reject_reasons',"       \
                      " coalesce(a.reject_reasons, '[]'), 'answer', CASE WHEN a.answer IS NULL THEN NULL ELSE"      \
                      " json_build_object('decision', a.answer, 'reason', a.answer_reason, 'state', a.answer_step," \
                      " 'by', a.answered_by, 'problem', a.problem) END, 'requested_at', " TIME_JSON(                \
                          "a.requested_at") ", 'updated_at', " TIME_JSON("a.updated_at") ")"

static void store_args(struct db_args *a, const struct aftersale_facts *f)
{
    db_arg_text(a, f->shop_id);
    db_arg_text(a, f->id);
    db_arg_text(a, f->client_id);
    db_arg_text(a, f->order_id);
    db_arg_text(a, f->kind);
    db_arg_text(a, f->type ? f->type : "");
    db_arg_text(a, f->status ? f->status : "");
    db_arg_text(a, f->role ? f->role : "");
    db_arg_text(a, f->reason);
    db_arg_text(a, f->reason_text);
    db_arg_text(a, f->action);
    db_arg_text(a, f->refund);
    db_arg_text(a, f->tracking_number);
    db_arg_text(a, f->arbitration);
    db_arg_json(a, f->lines);
    db_arg_time(a, f->deadline_us);
    db_arg_time(a, f->requested_us);
    db_arg_time(a, f->updated_us);
}

enum rc db_aftersale_store(struct db_tx *tx, const struct aftersale_facts *f, bool *changed,
                           struct err *e)
{
    static const char sql[] =
        "WITH old AS (SELECT status FROM order_aftersales WHERE shop_id = $1 AND aftersale_id = $2)"
        " INSERT INTO order_aftersales AS a (shop_id, aftersale_id, client_id, order_id, kind, type, status,"
        " role, reason, reason_text, action, refund, tracking_number, arbitration, lines, deadline,"
        " requested_at, tiktok_updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,"
        " coalesce($15::jsonb, '[]'), $16::timestamptz, $17::timestamptz, $18::timestamptz)"
        " ON CONFLICT (shop_id, aftersale_id) DO UPDATE SET type = excluded.type, status = excluded.status,"
        " role = excluded.role, reason = excluded.reason, reason_text = excluded.reason_text,"
        " action = excluded.action, refund = excluded.refund, tracking_number = excluded.tracking_number,"
        " arbitration = excluded.arbitration, lines = excluded.lines, deadline = excluded.deadline,"
        " tiktok_updated_at = excluded.tiktok_updated_at, updated_at = now()"
        " WHERE a.tiktok_updated_at IS NULL OR excluded.tiktok_updated_at >= a.tiktok_updated_at"
        " RETURNING a.status IS DISTINCT FROM (SELECT status FROM old) AS changed";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    enum rc rc;

    store_args(&a, f);
    rc = db_exec(tx, sql, &a, &rows, e);
    if (rc == RC_OK)
        *changed = db_rows_count(rows) > 0 && db_bool(rows, 0, "changed");
    return rc;
}

static void text_read(char *dst, size_t cap, const struct db_rows *rows, int i, const char *column)
{
    const char *text = db_text(rows, i, column);

    str_copy_cut(dst, cap, text ? text : "");
}

static void row_read(const struct db_rows *rows, int i, struct aftersale *out)
{
    *out = (struct aftersale){ 0 };
    text_read(out->id, sizeof out->id, rows, i, "aftersale_id");
    text_read(out->kind, sizeof out->kind, rows, i, "kind");
    text_read(out->type, sizeof out->type, rows, i, "type");
    text_read(out->status, sizeof out->status, rows, i, "status");
    text_read(out->role, sizeof out->role, rows, i, "role");
    text_read(out->reason, sizeof out->reason, rows, i, "reason");
    text_read(out->answer, sizeof out->answer, rows, i, "answer");
    text_read(out->answer_reason, sizeof out->answer_reason, rows, i, "answer_reason");
    text_read(out->answer_comment, sizeof out->answer_comment, rows, i, "answer_comment");
    text_read(out->answer_step, sizeof out->answer_step, rows, i, "answer_step");
    text_read(out->answered_status, sizeof out->answered_status, rows, i, "answered_status");
    out->has_reasons = db_bool(rows, i, "has_reasons");
    out->pending = db_bool(rows, i, "pending");
}

#define COLUMNS                                                                                    \
    "a.aftersale_id, a.shop_id, a.order_id, a.kind, a.type, a.status, a.role, a.reason, a.answer," \
    " a.answer_reason, a.answer_comment, a.answer_step, a.answered_status,"                        \
    " a.reject_reasons IS NOT NULL AS has_reasons, " PENDING " AS pending"

enum rc db_aftersale_of_order(struct db_tx *tx, const char *shop_id, const char *order_id,
                              struct aftersale *out, int *n, struct err *e)
{
    static const char sql[] = "SELECT " COLUMNS " FROM order_aftersales a WHERE a.shop_id = $1"
                              " AND a.order_id = $2 ORDER BY a.requested_at DESC NULLS LAST,"
                              " a.aftersale_id LIMIT 20";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, order_id);
    rc = db_exec(tx, sql, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    *n = db_rows_count(rows);
    for (int i = 0; i < *n; i++)
        row_read(rows, i, &out[i]);
    return RC_OK;
}

enum rc db_aftersale_reasons_set(struct db_tx *tx, const char *shop_id, const char *id,
                                 const json_t *reasons, struct err *e)
{
    static const char sql[] = "UPDATE order_aftersales SET reject_reasons = $3::jsonb"
                              " WHERE shop_id = $1 AND aftersale_id = $2";
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_text(&a, id);
    db_arg_json(&a, reasons);
    return db_exec(tx, sql, &a, NULL, e);
}

enum rc db_aftersale_answer(struct db_tx *tx, const char *shop_id, const char *id,
                            const char *answer, const char *reason, const char *comment,
                            const char *by, bool *taken, struct err *e)
{
    static const char sql[] =
        "UPDATE order_aftersales a SET answer = $3, answer_reason = $4, answer_comment = $5,"
        " answered_by = $6, answered_status = a.status, answer_step = 'wanted', problem = NULL,"
        " updated_at = now() WHERE a.shop_id = $1 AND a.aftersale_id = $2 AND " PENDING
        " AND (a.answer_step IN ('none', 'wanted', 'refused') OR a.answered_status <> a.status)";
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, id);
    db_arg_text(&a, answer);
    db_arg_text(&a, reason);
    db_arg_text(&a, comment);
    db_arg_text(&a, by);
    rc = db_exec(tx, sql, &a, NULL, e);
    if (rc == RC_OK)
        *taken = db_affected(tx) > 0;
    return rc;
}

enum rc db_aftersale_step_set(struct db_tx *tx, const char *shop_id, const char *id,
                              const char *step, const char *problem, struct err *e)
{
    static const char sql[] = "UPDATE order_aftersales SET answer_step = $3, problem = $4,"
                              " updated_at = now() WHERE shop_id = $1 AND aftersale_id = $2";
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_text(&a, id);
    db_arg_text(&a, step);
    db_arg_text(&a, problem);
    return db_exec(tx, sql, &a, NULL, e);
}

enum rc db_aftersale_read_put(struct db_tx *tx, const char *client_id, const char *shop_id,
                              const char *order_id, int64_t delay_us, struct err *e)
{
    struct db_job_key key = { .client_id = client_id,
                              .shop_id = shop_id,
                              .kind = "aftersale_read",
                              .entity = order_id,
                              .lane = LANE_ORDERS,
                              .delay_us = delay_us };

    return db_job_put(tx, &key, e);
}

enum rc db_aftersale_mark_get(struct db_tx *tx, const char *shop_id, struct aftersale_mark *out,
                              struct err *e)
{
    static const char sql[] = "SELECT aftersale_watermark, clock_timestamp() AS now_at FROM shops"
                              " WHERE shop_id = $1";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, shop_id);
    rc = db_exec(tx, sql, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_code(e, RC_NOT_FOUND, "shop_not_found", "shop %s is not known", shop_id);
    out->watermark_us = db_time(rows, 0, "aftersale_watermark");
    out->now_us = db_time(rows, 0, "now_at");
    return RC_OK;
}

enum rc db_aftersale_mark_set(struct db_tx *tx, const char *shop_id, int64_t watermark_us,
                              struct err *e)
{
    static const char sql[] =
        "UPDATE shops SET aftersale_watermark = greatest(coalesce(aftersale_watermark, $2::timestamptz),"
        " $2::timestamptz) WHERE shop_id = $1";
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_time(&a, watermark_us);
    return db_exec(tx, sql, &a, NULL, e);
}

enum rc db_aftersale_list(struct db_tx *tx, const char *client_id,
                          const struct aftersale_filter *filter, json_t **items, char next[160],
                          struct err *e)
{
    /* The key sorts those that wait by deadline, then the others by time, newest first. */
    static const char sql[] =
        "SELECT key, doc FROM (SELECT CASE WHEN " PENDING " THEN '0' || lpad(coalesce("
        "  extract(epoch FROM a.deadline)::bigint, 99999999999)::text, 12, '0')"
        " ELSE '1' || lpad((999999999999 - coalesce(extract(epoch FROM a.requested_at), 0)::bigint)::text,"
        "  12, '0') END || '.' || a.aftersale_id AS key, " AFTERSALE_JSON " AS doc"
        " FROM order_aftersales a WHERE a.client_id = $1 AND ($2 = '' OR a.kind = $2)"
        " AND (NOT $3::boolean OR " PENDING ")) AS l WHERE key > $4 ORDER BY key LIMIT $5::bigint";
    OWN_ROWS struct db_rows *rows = NULL;
    json_auto_t *list = json_array();
    struct db_args a = { 0 };
    int n;
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_text(&a, filter->kind ? filter->kind : "");
    db_arg_bool(&a, filter->open);
    db_arg_text(&a, filter->cursor ? filter->cursor : "");
    db_arg_i64(&a, filter->limit + 1);
    rc = db_exec(tx, sql, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    n = db_rows_count(rows);
    next[0] = '\0';
    for (int i = 0; i < n && i < filter->limit; i++) {
        if (!list || json_array_append_new(list, db_json_new(rows, i, "doc")) != 0)
            return err_set(e, RC_DOWN, "out of memory");
    }
    if (n > filter->limit && !str_copy(next, 160, db_text(rows, filter->limit - 1, "key")))
        return err_set(e, RC_BUG, "the id of a request is too long");
    *items = json_incref(list);
    return RC_OK;
}

enum rc db_aftersale_get(struct db_tx *tx, const char *client_id, const char *id, char shop_id[72],
                         char order_id[ORDER_ID_BYTES], struct aftersale *out, json_t **doc,
                         struct err *e)
{
    static const char sql[] =
        "SELECT " COLUMNS ", " AFTERSALE_JSON " AS doc FROM order_aftersales a"
        " WHERE a.client_id = $1 AND a.aftersale_id = $2 LIMIT 1";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    json_t *found;
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_text(&a, id);
    rc = db_exec(tx, sql, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0 || !str_copy(shop_id, 72, db_text(rows, 0, "shop_id")) ||
        !str_copy(order_id, ORDER_ID_BYTES, db_text(rows, 0, "order_id")))
        return err_code(e, RC_NOT_FOUND, "not_found", "there is no such request");
    found = db_json_new(rows, 0, "doc");
    if (!found)
        return err_set(e, RC_DOWN, "out of memory");
    row_read(rows, 0, out);
    *doc = found;
    return RC_OK;
}
