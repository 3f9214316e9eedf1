/* order.c - the rows of TikTok orders: what TikTok says, how far placement got, and their life line. */
#include "db_order.h"

#include "db_job.h"
#include "str.h"

/* Place of a sealed document, bound as associated data. */
static bool document_place(char *dst, size_t cap, const char *shop_id, const char *order_id)
{
    return str_fmt(dst, cap, "%s/%s", shop_id, order_id);
}

static void row_text(char *dst, size_t cap, const struct db_rows *rows, const char *column)
{
    const char *text = db_text(rows, 0, column);

    str_copy_cut(dst, cap, text ? text : "");
}

static void row_read(const struct db_rows *rows, struct order_row *out)
{
    *out = (struct order_row){ 0 };
    row_text(out->shop_id, sizeof out->shop_id, rows, "shop_id");
    row_text(out->order_id, sizeof out->order_id, rows, "order_id");
    row_text(out->client_id, sizeof out->client_id, rows, "client_id");
    row_text(out->tiktok_status, sizeof out->tiktok_status, rows, "tiktok_status");
    out->tiktok_updated_us = db_time(rows, 0, "tiktok_updated_at");
    row_text(out->state, sizeof out->state, rows, "state");
    row_text(out->step, sizeof out->step, rows, "step");
    out->step_us = db_time(rows, 0, "step_at");
    out->looked_up = (int)db_i64(rows, 0, "looked_up");
    out->looked_up_us = db_time(rows, 0, "looked_up_at");
    row_text(out->vtex_order_id, sizeof out->vtex_order_id, rows, "vtex_order_id");
    row_text(out->vtex_status, sizeof out->vtex_status, rows, "vtex_status");
    row_text(out->found_by, sizeof out->found_by, rows, "found_by");
    row_text(out->problem, sizeof out->problem, rows, "problem");
    row_text(out->cancel_step, sizeof out->cancel_step, rows, "cancel_step");
    row_text(out->cancel_by, sizeof out->cancel_by, rows, "cancel_by");
    row_text(out->cancel_reason, sizeof out->cancel_reason, rows, "cancel_reason");
    out->cancel_us = db_time(rows, 0, "cancel_at");
    out->vtex_due_us = db_time(rows, 0, "vtex_due_at");
    out->vtex_cancel_told_us = db_time(rows, 0, "vtex_cancel_told_at");
    out->now_us = db_time(rows, 0, "now_at");
}

enum rc db_order_get(struct db_tx *tx, const char *shop_id, const char *order_id,
                     struct order_row *out, struct err *e)
{
    static const char sql[] =
        "SELECT shop_id, order_id, client_id, tiktok_status, tiktok_updated_at, state, step, step_at,"
        " looked_up, looked_up_at, vtex_order_id, vtex_status, found_by, problems->0->>'code' AS problem,"
        " cancel_step, cancel_by, cancel_reason, cancel_at, vtex_due_at, vtex_cancel_told_at,"
        " clock_timestamp() AS now_at FROM tiktok_orders WHERE shop_id = $1 AND order_id = $2";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, order_id);
    rc = db_exec(tx, sql, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_code(e, RC_NOT_FOUND, "order_not_found", "order %s is not known", order_id);
    row_read(rows, out);
    return RC_OK;
}

/* The invoice state that TikTok's need_upload_invoice stands for. */
static const char *invoice_state(const char *need)
{
    if (str_eq(need, "NEED_INVOICE") || str_eq(need, "UNKNOWN"))
        return "awaiting_invoice";
    if (str_eq(need, "INVOICE_PROCESSING"))
        return "processing";
    if (str_eq(need, "INVOICE_UPLOADED"))
        return "accepted";
    return "not_needed";
}

static void store_args(struct db_args *a, const struct order_facts *f, const char *status,
                       const struct buf *sealed)
{
    db_arg_text(a, f->shop_id);
    db_arg_text(a, f->order_id);
    db_arg_text(a, f->client_id);
    db_arg_text(a, status);
    db_arg_time(a, f->updated_us);
    db_arg_text(a, str_eq(status, "ON_HOLD") ? "on_hold" : "received");
    db_arg_bytes(a, sealed->len > 0 ? sealed->data : NULL, sealed->len);
    db_arg_text(a, f->currency ? f->currency : "BRL");
    db_arg_i64(a, f->total_minor);
    db_arg_json(a, f->items);
    db_arg_text(a, invoice_state(f->need_invoice));
    db_arg_text(a, f->need_invoice);
    db_arg_json(a, f->packages);
    db_arg_time(a, f->ship_by_us);
    db_arg_time(a, f->paid_us);
    db_arg_text(a, f->found_by ? f->found_by : "webhook");
    db_arg_text(a, f->buyer_digest);
    db_arg_json(a, f->deadlines);
}

enum rc db_order_store(struct db_tx *tx, const struct order_facts *facts, struct order_row *out,
                       bool *applied, struct err *e)
{
    /* A reading replaces what is stored when it is newer; of two with the same second, the one whose status
     * is further on. What is cancelled or completed stays so. */
    static const char sql[] =
        "INSERT INTO tiktok_orders AS t (shop_id, order_id, client_id, tiktok_status, tiktok_updated_at, state,"
        " document, currency, total_minor, items, invoice_state, need_invoice, packages, ship_by, paid_at,"
        " found_by, buyer_digest, deadlines) VALUES ($1, $2, $3, $4, $5::timestamptz, $6, $7::bytea, $8, $9::bigint,"
        " coalesce($10::jsonb, '[]'), $11, $12, coalesce($13::jsonb, '[]'), $14::timestamptz,"
        " $15::timestamptz, $16, $17, coalesce($18::jsonb, '[]'))"
        " ON CONFLICT (shop_id, order_id) DO UPDATE SET tiktok_status = excluded.tiktok_status,"
        " tiktok_updated_at = excluded.tiktok_updated_at,"
        " document = CASE WHEN t.buyer_erased_at IS NULL THEN coalesce(excluded.document, t.document) END,"
        " deadlines = excluded.deadlines, buyer_digest = CASE WHEN t.buyer_erased_at IS NULL THEN excluded.buyer_digest END, currency = excluded.currency,"
        " total_minor = excluded.total_minor, items = excluded.items,"
        " invoice_state = CASE WHEN EXISTS (SELECT FROM invoices i WHERE i.shop_id = t.shop_id"
        "  AND i.order_id = t.order_id) THEN t.invoice_state ELSE excluded.invoice_state END,"
        " need_invoice = coalesce(excluded.need_invoice, t.need_invoice), packages = excluded.packages,"
        " ship_by = coalesce(excluded.ship_by, t.ship_by), paid_at = coalesce(excluded.paid_at, t.paid_at),"
        " updated_at = now()"
        " WHERE (t.tiktok_status NOT IN ('CANCELLED', 'COMPLETED') OR excluded.tiktok_status = t.tiktok_status)"
        " AND (t.tiktok_updated_at IS NULL OR excluded.tiktok_updated_at > t.tiktok_updated_at"
        "  OR (excluded.tiktok_updated_at = t.tiktok_updated_at AND"
        "   coalesce(array_position(ARRAY['UNPAID', 'ON_HOLD', 'AWAITING_SHIPMENT', 'PARTIALLY_SHIPPING',"
        "    'AWAITING_COLLECTION', 'IN_TRANSIT', 'DELIVERED', 'COMPLETED', 'CANCELLED'],"
        "    excluded.tiktok_status), 0) >="
        "   coalesce(array_position(ARRAY['UNPAID', 'ON_HOLD', 'AWAITING_SHIPMENT', 'PARTIALLY_SHIPPING',"
        "    'AWAITING_COLLECTION', 'IN_TRANSIT', 'DELIVERED', 'COMPLETED', 'CANCELLED'],"
        "    t.tiktok_status), 0)))"
        " RETURNING t.order_id";
    const char *status =
        str_eq(facts->tiktok_status, "CANCEL") ? "CANCELLED" : facts->tiktok_status;
    OWN_ROWS struct db_rows *rows = NULL;
    OWN_BUF struct buf sealed = { 0 };
    struct db_args a = { 0 };
    char place[160];
    bool done;
    enum rc rc;

    buf_init(&sealed, (size_t)4 << 20);
    if (!document_place(place, sizeof place, facts->shop_id, facts->order_id))
        return err_set(e, RC_INVALID, "order id is too long");
    if (facts->document) {
        rc = db_seal(tx, facts->client_id, "tiktok_orders", "document", place, facts->document,
                     facts->document_len, &sealed, e);
        if (rc != RC_OK)
            return rc;
    }
    store_args(&a, facts, status ? status : "", &sealed);
    rc = db_exec(tx, sql, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    done = db_rows_count(rows) > 0;
    rc = db_order_get(tx, facts->shop_id, facts->order_id, out, e);
    if (rc == RC_OK)
        *applied = done;
    return rc;
}

enum rc db_order_state_set(struct db_tx *tx, const char *shop_id, const char *order_id,
                           const char *state, const char *problem_code, const char *message,
                           const char *action, struct err *e)
{
    static const char sql[] =
        "UPDATE tiktok_orders SET state = $3, problems = CASE WHEN $4::text IS NULL THEN '[]'::jsonb ELSE"
        " jsonb_build_array(jsonb_build_object('code', $4::text, 'message', $5::text, 'action', $6::text))"
        " END, updated_at = now() WHERE shop_id = $1 AND order_id = $2";
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_text(&a, order_id);
    db_arg_text(&a, state);
    db_arg_text(&a, problem_code);
    db_arg_text(&a, message ? message : "");
    db_arg_text(&a, action ? action : "");
    return db_exec(tx, sql, &a, NULL, e);
}

enum rc db_order_step_set(struct db_tx *tx, const char *shop_id, const char *order_id,
                          const char *step, const char *vtex_order_id, const char *vtex_status,
                          struct err *e)
{
    static const char sql[] =
        "UPDATE tiktok_orders SET step = $3, step_at = clock_timestamp(), looked_up = 0, looked_up_at = NULL,"
        " vtex_order_id = coalesce($4, vtex_order_id), vtex_status = coalesce($5, vtex_status),"
        " fulfil_at = CASE WHEN $3 = 'authorized' THEN coalesce(fulfil_at, now() + interval '1 minute') ELSE fulfil_at END,"
        " updated_at = now() WHERE shop_id = $1 AND order_id = $2";
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_text(&a, order_id);
    db_arg_text(&a, step);
    db_arg_text(&a, vtex_order_id);
    db_arg_text(&a, vtex_status);
    return db_exec(tx, sql, &a, NULL, e);
}

enum rc db_order_looked_up(struct db_tx *tx, const char *shop_id, const char *order_id,
                           struct err *e)
{
    static const char sql[] =
        "UPDATE tiktok_orders SET looked_up = looked_up + 1, looked_up_at = clock_timestamp(),"
        " updated_at = now() WHERE shop_id = $1 AND order_id = $2";
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_text(&a, order_id);
    return db_exec(tx, sql, &a, NULL, e);
}

enum rc db_order_merchant_set(struct db_tx *tx, const char *shop_id, const char *order_id,
                              int64_t minor, struct err *e)
{
    static const char sql[] =
        "UPDATE tiktok_orders SET merchant_minor = $3 WHERE shop_id = $1 AND order_id = $2";
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_text(&a, order_id);
    db_arg_i64(&a, minor);
    return db_exec(tx, sql, &a, NULL, e);
}

enum rc db_order_timeline_add(struct db_tx *tx, const char *client_id, const char *shop_id,
                              const char *order_id, const char *event, const char *detail,
                              const char *by, const char *request_id, struct err *e)
{
    static const char sql[] =
        "INSERT INTO order_timeline (client_id, shop_id, order_id, at, event, detail, by, request_id)"
        " VALUES ($1, $2, $3, clock_timestamp(), $4, $5, $6, $7)";
    struct db_args a = { 0 };

    db_arg_text(&a, client_id);
    db_arg_text(&a, shop_id);
    db_arg_text(&a, order_id);
    db_arg_text(&a, event);
    db_arg_text(&a, detail ? detail : "");
    db_arg_text(&a, by);
    db_arg_text(&a, request_id && request_id[0] ? request_id : NULL);
    return db_exec(tx, sql, &a, NULL, e);
}

enum rc db_order_log(struct db_tx *tx, const char *client_id, const char *shop_id,
                     const char *order_id, const char *old_state, const char *new_state,
                     const char *outcome, const char *platform_code, const char *request_id,
                     const char *run_id, const char *message, struct err *e)
{
    static const char sql[] =
        "INSERT INTO tiktok_log_order (client_id, shop_id, entity, old, new, outcome, platform_code,"
        " request_id, run_id, message) VALUES ($1, $2, $3, $4, $5, $6, nullif($7, ''), nullif($8, ''),"
        " nullif($9, ''), $10)";
    struct db_args a = { 0 };

    db_arg_text(&a, client_id);
    db_arg_text(&a, shop_id);
    db_arg_text(&a, order_id);
    db_arg_text(&a, old_state);
    db_arg_text(&a, new_state);
    db_arg_text(&a, outcome);
    db_arg_text(&a, platform_code);
    db_arg_text(&a, request_id);
    db_arg_text(&a, run_id);
    db_arg_text(&a, message);
    return db_exec(tx, sql, &a, NULL, e);
}

enum rc db_order_import_put(struct db_tx *tx, const char *client_id, const char *shop_id,
                            const char *order_id, const char *by, const char *run_id,
                            int64_t delay_us, struct err *e)
{
    json_auto_t *payload = json_pack("{s:s}", "by", by);
    struct db_job_key key = { .client_id = client_id,
                              .shop_id = shop_id,
                              .kind = "order_import",
                              .entity = order_id,
                              .lane = LANE_ORDERS,
                              .run_id = run_id && run_id[0] ? run_id : NULL,
                              .payload = payload,
                              .delay_us = delay_us };

    if (!payload)
        return err_set(e, RC_BUG, "out of memory");
    return db_job_put(tx, &key, e);
}
