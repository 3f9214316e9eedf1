/* invoice.c - the rows of invoices: their sealed files, how far TikTok took them, and what it notified. */
#include "db_fulfil.h"

#include <stdlib.h>

#include "jspec.h"
#include "str.h"

#define LIMIT_SEALED_BYTES ((size_t)2 << 20)

static bool place(char *dst, size_t cap, const char *shop_id, const char *order_id, const char *key)
{
    return str_fmt(dst, cap, "%s/%s/%s", shop_id, order_id, key);
}

static void cell(char *dst, size_t cap, const struct db_rows *rows, int row, const char *column)
{
    const char *text = db_text(rows, row, column);

    str_copy_cut(dst, cap, text != NULL ? text : "");
}

void db_invoice_list_free(struct invoice *list, int n)
{
    for (int i = 0; i < n; i++)
        json_decref(list[i].items);
    free(list);
}

static void row_read(const struct db_rows *rows, int i, struct invoice *v)
{
    cell(v->access_key, sizeof v->access_key, rows, i, "access_key");
    cell(v->package_id, sizeof v->package_id, rows, i, "package_id");
    cell(v->source, sizeof v->source, rows, i, "source");
    cell(v->vtex_number, sizeof v->vtex_number, rows, i, "vtex_number");
    cell(v->state, sizeof v->state, rows, i, "state");
    cell(v->reason_code, sizeof v->reason_code, rows, i, "reason_code");
    v->uploads = (int)db_i64(rows, i, "uploads");
    v->has_xml = db_bool(rows, i, "has_xml");
    v->answered = db_bool(rows, i, "answered");
    v->sent_us = db_time(rows, i, "sent_at");
    v->again_us = db_time(rows, i, "again_at");
    v->now_us = db_time(rows, i, "now_at");
    v->items = db_json_new(rows, i, "items");
}

enum rc db_invoice_list(struct db_tx *tx, const char *shop_id, const char *order_id,
                        struct invoice **out, int *n, struct err *e)
{
    static const char sql[] =
        "SELECT access_key, package_id, source, vtex_number, state, reason_code, uploads, xml IS NOT NULL AS has_xml, request_id IS NOT NULL AS answered,"
        " sent_at, again_at, clock_timestamp() AS now_at, items FROM invoices WHERE shop_id = $1 AND order_id = $2"
        " ORDER BY created_at DESC, access_key";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = DB_ARGS;
    struct invoice *list;
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, order_id);
    rc = db_exec(tx, sql, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    list = calloc((size_t)db_rows_count(rows) + 1, sizeof *list);
    if (list == NULL)
        return err_set(e, RC_DOWN, "out of memory");
    for (int i = 0; i < db_rows_count(rows); i++)
        row_read(rows, i, &list[i]);
    *out = list;
    *n = db_rows_count(rows);
    return RC_OK;
}

enum rc db_invoice_put(struct db_tx *tx, const struct invoice_facts *f, struct err *e)
{
    static const char sql[] =
        "INSERT INTO invoices AS i (shop_id, order_id, access_key, client_id, source, vtex_number, package_id, number,"
        " series, issuer, value_minor, items, xml) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::bigint,"
        " coalesce($12::jsonb, '[]'), $13::bytea) ON CONFLICT (shop_id, order_id, access_key) DO UPDATE SET"
        " vtex_number = coalesce(excluded.vtex_number, i.vtex_number), package_id = coalesce($7, i.package_id),"
        " xml = CASE WHEN i.state IN ('awaiting_invoice', 'refused') THEN excluded.xml ELSE i.xml END,"
        " uploads = CASE WHEN $5 = 'manual' AND i.state = 'refused' THEN 0 ELSE i.uploads END,"
        " again_at = CASE WHEN $5 = 'manual' THEN NULL ELSE i.again_at END,"
        " created_at = CASE WHEN $5 = 'manual' AND i.state = 'refused' THEN now() ELSE i.created_at END,"
        " reason_code = CASE WHEN $5 = 'manual' AND i.state = 'refused' THEN NULL ELSE i.reason_code END,"
        " state = CASE WHEN $5 = 'manual' AND i.state = 'refused' THEN 'awaiting_invoice' ELSE i.state END,"
        " updated_at = now()";
    OWN_BUF struct buf sealed = { 0 };
    struct db_args a = DB_ARGS;
    char row[200];
    enum rc rc;

    buf_init(&sealed, LIMIT_SEALED_BYTES);
    if (!place(row, sizeof row, f->shop_id, f->order_id, f->nfe->key))
        return err_set(e, RC_INVALID, "order id is too long");
    rc = db_seal(tx, f->client_id, "invoices", "xml", row, f->xml, f->xml_len, &sealed, e);
    if (rc != RC_OK)
        return rc;
    db_arg_text(&a, f->shop_id);
    db_arg_text(&a, f->order_id);
    db_arg_text(&a, f->nfe->key);
    db_arg_text(&a, f->client_id);
    db_arg_text(&a, f->source);
    db_arg_text(&a, f->vtex_number);
    db_arg_text(&a, f->package_id);
    db_arg_text(&a, f->nfe->number);
    db_arg_text(&a, f->nfe->series);
    db_arg_text(&a, f->nfe->issuer);
    db_arg_i64(&a, f->nfe->value_minor);
    db_arg_json(&a, f->items);
    db_arg_bytes(&a, sealed.data, sealed.len);
    return db_exec(tx, sql, &a, NULL, e);
}

enum rc db_invoice_xml(struct db_tx *tx, const char *client_id, const char *shop_id,
                       const char *order_id, const char *access_key, struct buf *out, struct err *e)
{
    static const char sql[] =
        "SELECT xml FROM invoices WHERE shop_id = $1 AND order_id = $2 AND access_key = $3 AND xml IS NOT NULL";
    OWN_ROWS struct db_rows *rows = NULL;
    OWN_BUF struct buf sealed = { 0 };
    struct db_args a = DB_ARGS;
    char row[200];
    enum rc rc;

    buf_init(&sealed, LIMIT_SEALED_BYTES);
    if (!place(row, sizeof row, shop_id, order_id, access_key))
        return err_set(e, RC_INVALID, "order id is too long");
    db_arg_text(&a, shop_id);
    db_arg_text(&a, order_id);
    db_arg_text(&a, access_key);
    rc = db_exec(tx, sql, &a, &rows, e);
    if (rc == RC_OK && db_rows_count(rows) == 0)
        return err_code(e, RC_NOT_FOUND, "invoice_not_found", "the invoice is not kept any more");
    if (rc == RC_OK)
        rc = db_bytes(rows, 0, "xml", &sealed, e);
    return rc == RC_OK
               ? db_unseal(tx, client_id, "invoices", "xml", row, sealed.data, sealed.len, out, e)
               : rc;
}

enum rc db_invoice_package_set(struct db_tx *tx, const char *shop_id, const char *order_id,
                               const char *access_key, const char *package_id, struct err *e)
{
    static const char sql[] = "UPDATE invoices SET package_id = $4, updated_at = now() WHERE"
                              " shop_id = $1 AND order_id = $2 AND access_key = $3";
    struct db_args a = DB_ARGS;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, order_id);
    db_arg_text(&a, access_key);
    db_arg_text(&a, package_id);
    return db_exec(tx, sql, &a, NULL, e);
}

enum rc db_invoice_note(struct db_tx *tx, const char *shop_id, const char *order_id,
                        const char *access_key, const struct invoice_note *note, struct err *e)
{
    static const char sql[] =
        "UPDATE invoices SET state = $4, reason_code = $5, request_id = CASE WHEN $7::boolean THEN NULL ELSE coalesce(nullif($6, ''), request_id) END,"
        " uploads = uploads + CASE WHEN $7::boolean THEN 1 ELSE 0 END,"
        " sent_at = CASE WHEN $7::boolean THEN clock_timestamp() ELSE sent_at END,"
        " again_at = CASE WHEN $8::bigint > 0 THEN clock_timestamp() + $8::bigint * interval '1 microsecond' END,"
        " updated_at = now() WHERE shop_id = $1 AND order_id = $2 AND access_key = $3";
    struct db_args a = DB_ARGS;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, order_id);
    db_arg_text(&a, access_key);
    db_arg_text(&a, note->state);
    db_arg_text(&a, note->reason_code);
    db_arg_text(&a, note->request_id);
    db_arg_bool(&a, note->upload);
    db_arg_i64(&a, note->again_us);
    return db_exec(tx, sql, &a, NULL, e);
}

/* Reads one notification; false when it is about another package. */
static bool event_read(const struct db_rows *rows, int row, const char *package_id, char status[24],
                       char reason[40])
{
    OWN_BUF struct buf body = { 0 };
    json_auto_t *doc = NULL;
    char id[JSPEC_ID_BYTES];

    buf_init(&body, (size_t)1 << 20);
    if (db_bytes(rows, row, "body", &body, NULL) != RC_OK ||
        jspec_parse(body.data, body.len, 0, &doc, NULL) != RC_OK)
        return false;
    jspec_id(doc, "data.package_id", id);
    if (!str_eq(id, package_id))
        return false;
    str_copy_cut(status, 24, jspec_text(doc, "data.invoice_status"));
    str_copy_cut(reason, 40, jspec_text(doc, "data.invalid_reason"));
    return status[0] != '\0';
}

enum rc db_invoice_event(struct db_tx *tx, const char *shop_id, const char *package_id,
                         int64_t since_us, char status[24], char reason[40], struct err *e)
{
    /* The sender's clock counts whole seconds. The last word first; of two in one second, the final one. */
    static const char sql[] =
        "SELECT body FROM events WHERE shop_id = $1 AND topic = 36 AND source = 'tiktok'"
        " AND position(convert_to($2, 'UTF8') IN body) > 0"
        " AND received_at >= $3::timestamptz - interval '2 seconds'"
        " AND coalesce(event_at, received_at) >= $3::timestamptz - interval '2 seconds'"
        " ORDER BY coalesce(event_at, received_at) DESC, id DESC LIMIT 50";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = DB_ARGS;
    enum rc rc;

    status[0] = reason[0] = '\0';
    db_arg_text(&a, shop_id);
    db_arg_text(&a, package_id);
    db_arg_time(&a, since_us);
    rc = db_exec(tx, sql, &a, &rows, e);
    for (int i = 0; rc == RC_OK && i < db_rows_count(rows); i++) {
        char word[24], why[40];

        if (!event_read(rows, i, package_id, word, why))
            continue;
        if (status[0] != '\0' && str_eq(word, "PROCESSING"))
            continue;
        if (status[0] != '\0' && !str_eq(status, "PROCESSING"))
            break;
        (void)str_copy(status, 24, word);
        (void)str_copy(reason, 40, why);
    }
    return rc;
}
