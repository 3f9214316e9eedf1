/* fulfil.c - orders whose invoice, shipment or tracking is to be brought on, and what a look at one found. */
#include "db_fulfil.h"

#include "db_job.h"
#include "str.h"

#define FULFIL_AT_ONCE 20 /* of one shop, by the clock */

static void cell(char *dst, size_t cap, const struct db_rows *rows, const char *column)
{
    const char *text = db_text(rows, 0, column);

    str_copy_cut(dst, cap, text != NULL ? text : "");
}

void db_fulfil_order_done(struct fulfil_order *order)
{
    json_decref(order->problems);
    order->problems = NULL;
}

enum rc db_fulfil_order_get(struct db_tx *tx, const char *shop_id, const char *order_id,
                            struct fulfil_order *out, struct err *e)
{
    static const char sql[] =
        "SELECT client_id, tiktok_status, state, step, vtex_order_id, vtex_status, invoice_state, need_invoice,"
        " paid_at, step_at, fulfil_problems, clock_timestamp() AS now_at FROM tiktok_orders"
        " WHERE shop_id = $1 AND order_id = $2";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = DB_ARGS;
    struct fulfil_order o = { 0 };
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, order_id);
    rc = db_exec(tx, sql, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_code(e, RC_NOT_FOUND, "order_not_found", "order %s is not known", order_id);
    (void)str_copy(o.shop_id, sizeof o.shop_id, shop_id);
    (void)str_copy(o.order_id, sizeof o.order_id, order_id);
    cell(o.client_id, sizeof o.client_id, rows, "client_id");
    cell(o.tiktok_status, sizeof o.tiktok_status, rows, "tiktok_status");
    cell(o.state, sizeof o.state, rows, "state");
    cell(o.step, sizeof o.step, rows, "step");
    cell(o.vtex_order_id, sizeof o.vtex_order_id, rows, "vtex_order_id");
    cell(o.vtex_status, sizeof o.vtex_status, rows, "vtex_status");
    cell(o.invoice_state, sizeof o.invoice_state, rows, "invoice_state");
    cell(o.need_invoice, sizeof o.need_invoice, rows, "need_invoice");
    o.paid_us = db_time(rows, 0, "paid_at");
    o.step_us = db_time(rows, 0, "step_at");
    o.now_us = db_time(rows, 0, "now_at");
    o.problems = db_json_new(rows, 0, "fulfil_problems");
    *out = o;
    return RC_OK;
}

static enum rc job_put(struct db_tx *tx, const char *client_id, const char *shop_id,
                       const char *order_id, enum lane lane, struct err *e)
{
    struct db_job_key key = { .client_id = client_id,
                              .shop_id = shop_id,
                              .kind = FULFIL_JOB,
                              .entity = order_id,
                              .lane = lane };

    return db_job_put(tx, &key, e);
}

enum rc db_fulfil_put(struct db_tx *tx, const char *client_id, const char *shop_id,
                      const char *order_id, struct err *e)
{
    return job_put(tx, client_id, shop_id, order_id, LANE_ORDERS, e);
}

static enum rc due_left(struct db_tx *tx, const char *shop_id, bool *more, struct err *e)
{
    static const char sql[] =
        "SELECT EXISTS (SELECT FROM tiktok_orders WHERE shop_id = $1 AND fulfil_at <= now()) AS more";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = DB_ARGS;
    enum rc rc;

    db_arg_text(&a, shop_id);
    rc = db_exec(tx, sql, &a, &rows, e);
    if (rc == RC_OK)
        *more = db_bool(rows, 0, "more");
    return rc;
}

enum rc db_fulfil_due_put(struct db_tx *tx, const char *client_id, const char *shop_id, bool *more,
                          struct err *e)
{
    /* Moved on, so that the next round takes others; the job's own note says the real time. No more are asked for
     * at once than the platforms answer in a while. */
    static const char sql[] =
        "UPDATE tiktok_orders SET fulfil_at = now() + interval '1 hour' WHERE shop_id = $1 AND order_id IN"
        " (SELECT order_id FROM tiktok_orders WHERE shop_id = $1 AND client_id = $2 AND fulfil_at <= now()"
        " ORDER BY fulfil_at LIMIT greatest(0, $3::bigint - (SELECT count(*) FROM jobs WHERE shop_id = $1"
        " AND kind = '" FULFIL_JOB "'))) RETURNING order_id";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = DB_ARGS;
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, client_id);
    db_arg_i64(&a, FULFIL_AT_ONCE);
    rc = db_exec(tx, sql, &a, &rows, e);
    for (int i = 0; rc == RC_OK && i < db_rows_count(rows); i++)
        rc = job_put(tx, client_id, shop_id, db_text(rows, i, "order_id"), LANE_STOCK, e);
    return rc == RC_OK ? due_left(tx, shop_id, more, e) : rc;
}

enum rc db_fulfil_note(struct db_tx *tx, const char *shop_id, const char *order_id,
                       const struct fulfil_note *note, struct err *e)
{
    /* An order goes on to invoiced, never back to it. */
    static const char sql[] =
        "UPDATE tiktok_orders SET state = CASE WHEN $3 = 'invoiced' AND state = 'authorized' THEN 'invoiced'"
        " ELSE state END, need_invoice = coalesce($4, need_invoice), invoice_state = coalesce($5, invoice_state),"
        " invoice_reason = $6, invoice_reason_pt = $7, fulfil_problems = coalesce($8::jsonb, '[]'),"
        " fulfil_at = CASE WHEN $9::bigint > 0 THEN now() + $9::bigint * interval '1 microsecond' END,"
        " updated_at = now() WHERE shop_id = $1 AND order_id = $2";
    struct db_args a = DB_ARGS;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, order_id);
    db_arg_text(&a, note->state);
    db_arg_text(&a, note->need_invoice);
    db_arg_text(&a, note->invoice_state);
    db_arg_text(&a, note->reason);
    db_arg_text(&a, note->reason_pt);
    db_arg_json(&a, note->problems);
    db_arg_i64(&a, note->next_us);
    return db_exec(tx, sql, &a, NULL, e);
}
