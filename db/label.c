/* label.c - shipping labels, kept sealed as long as TikTok keeps them. */
#include "db_fulfil.h"

#include "db_job.h"
#include "str.h"

#define LIMIT_SEALED_BYTES (LIMIT_LABEL_BYTES + 4096)
#define MOMENT_S 20 /* an answer that is younger is not asked for again */

static bool place(char *dst, size_t cap, const char *shop_id, const char *package_id,
                  const char *format)
{
    return str_fmt(dst, cap, "%s/%s/%s", shop_id, package_id, format);
}

static enum rc body_open(struct db_tx *tx, const struct db_rows *rows, const char *client_id,
                         const char *row, struct buf *body, struct err *e)
{
    OWN_BUF struct buf sealed = { 0 };
    enum rc rc;

    buf_init(&sealed, LIMIT_SEALED_BYTES);
    rc = db_bytes(rows, 0, "body", &sealed, e);
    return rc == RC_OK ? db_unseal(tx, client_id, "package_labels", "body", row, sealed.data,
                                   sealed.len, body, e)
                       : rc;
}

enum rc db_label_get(struct db_tx *tx, const char *client_id, const char *shop_id,
                     const char *package_id, const char *format, struct label *out,
                     struct buf *body, struct err *e)
{
    static const char sql[] =
        "SELECT state, reason, code, body, CASE WHEN state = 'ready' THEN fetched_at > now() -"
        " $4::bigint * interval '1 second' WHEN state = 'asked' THEN true"
        " ELSE asked_at > now() - $5::bigint * interval '1 second' END AS fresh"
        " FROM package_labels WHERE shop_id = $1 AND package_id = $2 AND format = $3";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = DB_ARGS;
    const char *reason;
    char row[200];
    enum rc rc;

    *out = (struct label){ 0 };
    if (!place(row, sizeof row, shop_id, package_id, format))
        return err_set(e, RC_INVALID, "package id is too long");
    db_arg_text(&a, shop_id);
    db_arg_text(&a, package_id);
    db_arg_text(&a, format);
    db_arg_i64(&a, LABEL_KEPT_S);
    db_arg_i64(&a, MOMENT_S);
    rc = db_exec(tx, sql, &a, &rows, e);
    if (rc != RC_OK || db_rows_count(rows) == 0)
        return rc;
    reason = db_text(rows, 0, "reason");
    str_copy_cut(out->state, sizeof out->state, db_text(rows, 0, "state"));
    str_copy_cut(out->reason, sizeof out->reason, reason != NULL ? reason : "");
    out->code = db_i64(rows, 0, "code");
    out->fresh = db_bool(rows, 0, "fresh");
    if (body != NULL && out->fresh && str_eq(out->state, "ready"))
        return body_open(tx, rows, client_id, row, body, e);
    return RC_OK;
}

enum rc db_label_ask(struct db_tx *tx, const char *client_id, const char *shop_id,
                     const char *package_id, const char *format, struct err *e)
{
    static const char sql[] =
        "INSERT INTO package_labels AS l (shop_id, package_id, format, client_id) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (shop_id, package_id, format) DO UPDATE SET state = 'asked', asked_at = now(),"
        " body = NULL, reason = NULL, code = NULL";
    struct db_args a = DB_ARGS;
    char entity[160];
    struct db_job_key key = { .client_id = client_id,
                              .shop_id = shop_id,
                              .kind = LABEL_JOB,
                              .entity = entity,
                              .lane = LANE_ORDERS };
    enum rc rc;

    if (!str_fmt(entity, sizeof entity, "%s/%s", package_id, format))
        return err_set(e, RC_INVALID, "package id is too long");
    db_arg_text(&a, shop_id);
    db_arg_text(&a, package_id);
    db_arg_text(&a, format);
    db_arg_text(&a, client_id);
    rc = db_exec(tx, sql, &a, NULL, e);
    return rc == RC_OK ? db_job_put(tx, &key, e) : rc;
}

enum rc db_label_store(struct db_tx *tx, const char *client_id, const char *shop_id,
                       const char *package_id, const char *format, const struct buf *body,
                       struct err *e)
{
    static const char sql[] =
        "UPDATE package_labels SET state = 'ready', body = $4::bytea, fetched_at = now(), reason = NULL, code = NULL"
        " WHERE shop_id = $1 AND package_id = $2 AND format = $3";
    OWN_BUF struct buf sealed = { 0 };
    struct db_args a = DB_ARGS;
    char row[200];
    enum rc rc;

    buf_init(&sealed, LIMIT_SEALED_BYTES);
    if (!place(row, sizeof row, shop_id, package_id, format))
        return err_set(e, RC_INVALID, "package id is too long");
    rc = db_seal(tx, client_id, "package_labels", "body", row, body->data, body->len, &sealed, e);
    if (rc != RC_OK)
        return rc;
    db_arg_text(&a, shop_id);
    db_arg_text(&a, package_id);
    db_arg_text(&a, format);
    db_arg_bytes(&a, sealed.data, sealed.len);
    return db_exec(tx, sql, &a, NULL, e);
}

enum rc db_label_refuse(struct db_tx *tx, const char *shop_id, const char *package_id,
                        const char *format, int64_t code, const char *reason, struct err *e)
{
    static const char sql[] =
        "UPDATE package_labels SET state = 'refused', asked_at = now(), code = nullif($4::bigint, 0), reason = $5"
        " WHERE shop_id = $1 AND package_id = $2 AND format = $3";
    struct db_args a = DB_ARGS;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, package_id);
    db_arg_text(&a, format);
    db_arg_i64(&a, code);
    db_arg_text(&a, reason);
    return db_exec(tx, sql, &a, NULL, e);
}
