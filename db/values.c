/* values.c - notices that a price or a stock may have changed, and what is on its way to TikTok. */
#include "db_values.h"

#include "db_job.h"
#include "str.h"

#include <stdlib.h>

/* From the rows of `hit` (client_id, shop_id, source_id, seller_sku, price, stock, off) to notices and their jobs; what comes
 * back are the shops that got work. Written in the order of the keys, so that two writers never wait in a circle. */
#define NOTE_SQL                                                                                            \
    " up AS (INSERT INTO value_notices AS v (shop_id, seller_sku, client_id, source_id, price, stock, off)" \
    "  SELECT shop_id, seller_sku, client_id, source_id, price, stock, off FROM hit"                        \
    "  ORDER BY shop_id, seller_sku"                                                                        \
    "  ON CONFLICT (shop_id, seller_sku) DO UPDATE SET price = v.price OR excluded.price,"                  \
    "  stock = v.stock OR excluded.stock, off = excluded.off, seq = v.seq + 1, looks = 0,"                  \
    "  client_id = excluded.client_id, source_id = excluded.source_id, changed_at ="                        \
    "  CASE WHEN v.looks = 0 THEN v.changed_at ELSE excluded.changed_at END,"                               \
    "  due_at = least(v.due_at, excluded.due_at)),"                                                         \
    " put AS (INSERT INTO jobs AS j (shop_id, kind, entity, client_id, lane, due_at, first_due_at)"         \
    "  SELECT shop_id, 'product_values', source_id, min(client_id),"                                        \
    "  min(CASE WHEN stock THEN 1 ELSE 2 END), now(), now() FROM hit GROUP BY shop_id, source_id"           \
    "  ORDER BY shop_id, source_id" DB_JOB_ON_CONFLICT ")"                                                  \
    " SELECT shop_id, min(client_id) AS client_id, min(CASE WHEN stock THEN 1 ELSE 2 END) AS lane,"         \
    " count(*) AS n FROM hit GROUP BY shop_id ORDER BY shop_id"

#define LINKED_SQL " s.tiktok_sku_id IS NOT NULL AND h.status = 'connected'"

static enum rc note(struct db_tx *tx, const char *sql, struct db_args *a, int64_t *n, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc = db_exec(tx, sql, a, &rows, e);

    for (int i = 0; rc == RC_OK && i < db_rows_count(rows); i++) {
        if (n != NULL)
            *n += db_i64(rows, i, "n");
        rc = db_job_schedule(tx, db_text(rows, i, "client_id"), db_text(rows, i, "shop_id"),
                             (enum lane)db_i64(rows, i, "lane"), 0, e);
    }
    return rc;
}

enum rc db_value_note_product(struct db_tx *tx, const char *shop_id, const char *source_id,
                              struct value_parts parts, struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_text(&a, source_id);
    db_arg_bool(&a, parts.price);
    db_arg_bool(&a, parts.stock);
    return note(
        tx,
        "WITH hit AS MATERIALIZED (SELECT s.client_id, s.shop_id, s.source_id,"
        " s.seller_sku, $3::boolean AS price, $4::boolean AS stock, false AS off FROM skus s"
        " JOIN shops h ON h.shop_id = s.shop_id WHERE s.shop_id = $1"
        " AND s.source_id = $2 AND" LINKED_SQL ")," NOTE_SQL,
        &a, NULL, e);
}

enum rc db_value_note_order(struct db_tx *tx, const char *shop_id, const char *order_id,
                            struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_text(&a, order_id);
    return note(
        tx,
        "WITH hit AS MATERIALIZED (SELECT DISTINCT s.client_id, s.shop_id, s.source_id,"
        " s.seller_sku, false AS price, true AS stock, false AS off FROM tiktok_orders t"
        " CROSS JOIN jsonb_array_elements(t.items) AS i JOIN skus s ON s.shop_id = t.shop_id"
        "  AND (s.tiktok_sku_id = i->>'tiktok_sku_id' OR s.seller_sku = i->>'seller_sku')"
        " JOIN shops h ON h.shop_id = s.shop_id WHERE t.shop_id = $1 AND t.order_id = $2"
        " AND" LINKED_SQL ")," NOTE_SQL,
        &a, NULL, e);
}

enum rc db_value_note_vtex(struct db_tx *tx, const char *const *clients, const char *const *ids,
                           const int64_t *parts, size_t n, int64_t *known, struct err *e)
{
    struct db_args a = { 0 };

    *known = 0;
    db_arg_text_array(&a, clients, n);
    db_arg_text_array(&a, ids, n);
    db_arg_i64_array(&a, parts, n);
    return note(
        tx,
        "WITH hit AS MATERIALIZED (SELECT s.client_id, s.shop_id, s.source_id,"
        " s.seller_sku, u.parts & 1 <> 0 AS price, u.parts & 2 <> 0 AS stock, u.parts & 4 <> 0 AS off"
        " FROM unnest($1::text[], $2::text[], $3::bigint[]) AS u(client_id, vtex_id, parts)"
        " JOIN skus s ON s.client_id = u.client_id AND s.vtex_sku_id = u.vtex_id"
        " JOIN shops h ON h.shop_id = s.shop_id WHERE" LINKED_SQL ")," NOTE_SQL,
        &a, known, e);
}

enum rc db_value_notices(struct db_tx *tx, const char *shop_id, const char *source_id,
                         struct value_notice **out, int *n, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    struct value_notice *list;
    int count;
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, source_id);
    rc = db_exec(tx,
                 "SELECT seller_sku, price, stock, off, seq, looks, changed_at FROM value_notices"
                 " WHERE shop_id = $1 AND source_id = $2 AND due_at <= now() ORDER BY seller_sku",
                 &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    count = db_rows_count(rows);
    list = calloc((size_t)count + 1, sizeof *list);
    if (list == NULL)
        return err_set(e, RC_DOWN, "out of memory for notices");
    for (int i = 0; i < count; i++) {
        (void)str_copy(list[i].seller_sku, sizeof list[i].seller_sku,
                       db_text(rows, i, "seller_sku"));
        list[i].price = db_bool(rows, i, "price");
        list[i].stock = db_bool(rows, i, "stock");
        list[i].off = db_bool(rows, i, "off");
        list[i].seq = db_i64(rows, i, "seq");
        list[i].looks = (int)db_i64(rows, i, "looks");
        list[i].changed_us = db_time(rows, i, "changed_at");
    }
    *out = list;
    *n = count;
    return RC_OK;
}

enum rc db_value_notice_end(struct db_tx *tx, const char *shop_id, const struct value_notice *v,
                            struct value_parts next, int64_t next_us, bool unsettled, struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_text(&a, v->seller_sku);
    db_arg_i64(&a, v->seq);
    if (next_us <= 0)
        return db_exec(tx,
                       "DELETE FROM value_notices WHERE shop_id = $1 AND seller_sku = $2"
                       " AND seq = $3::bigint",
                       &a, NULL, e);
    db_arg_i64(&a, next_us);
    db_arg_bool(&a, next.price);
    db_arg_bool(&a, next.stock);
    db_arg_bool(&a, unsettled);
    return db_exec(
        tx,
        "UPDATE value_notices SET looks = looks + 1, off = false, price = $5, stock = $6, due_at = now()"
        " + $4::bigint * interval '1 microsecond', changed_at = CASE WHEN $7::boolean"
        " THEN changed_at ELSE now() + $4::bigint * interval '1 microsecond' END"
        " WHERE shop_id = $1 AND seller_sku = $2 AND seq = $3::bigint",
        &a, NULL, e);
}

/* ---- on the way to TikTok ----------------------------------------------------------------------- */

enum rc db_value_sent(struct db_tx *tx, const char *shop_id, const struct value_sent *list,
                      size_t n, struct err *e)
{
    const char *codes[LIMIT_SKUS * 2];
    int64_t prices[LIMIT_SKUS * 2];
    int64_t stocks[LIMIT_SKUS * 2];
    struct db_args a = { 0 };

    if (n > LIMIT_SKUS * 2)
        return err_set(e, RC_BUG, "more SKUs than a product has");
    for (size_t i = 0; i < n; i++) {
        codes[i] = list[i].seller_sku;
        prices[i] = list[i].price_minor;
        stocks[i] = list[i].stock;
    }
    db_arg_text(&a, shop_id);
    db_arg_text_array(&a, codes, n);
    db_arg_i64_array(&a, prices, n);
    db_arg_i64_array(&a, stocks, n);
    return db_exec(tx,
                   "UPDATE skus s SET price_sent_minor = coalesce(nullif(u.price, 0),"
                   " s.price_sent_minor), stock_sent = coalesce(nullif(u.stock, -1), s.stock_sent)"
                   " FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS u(code, price, stock)"
                   " WHERE s.shop_id = $1 AND s.seller_sku = u.code",
                   &a, NULL, e);
}

/* Published values are taken over from what was sent; a refusal only says that nothing is on the way any more. */
enum rc db_value_answered(struct db_tx *tx, const char *shop_id, const struct value_end *end,
                          struct err *e)
{
    static const char SQL[] =
        "UPDATE skus SET"
        " price_published_minor = CASE WHEN $3::boolean AND $5::boolean THEN price_sent_minor"
        "  ELSE price_published_minor END,"
        " price_published_at = CASE WHEN $3::boolean AND $5::boolean THEN now()"
        "  ELSE price_published_at END,"
        " price_sent_minor = CASE WHEN $3::boolean THEN NULL ELSE price_sent_minor END,"
        " stock_published = CASE WHEN $4::boolean AND $5::boolean THEN stock_sent"
        "  ELSE stock_published END,"
        " stock_published_at = CASE WHEN $4::boolean AND $5::boolean THEN now()"
        "  ELSE stock_published_at END,"
        " stock_sent = CASE WHEN $4::boolean THEN NULL ELSE stock_sent END,"
        " stock_warehouses = coalesce($6::jsonb, stock_warehouses),"
        " value_lock = nullif(CASE WHEN $7::bigint = 0 THEN coalesce(value_lock, '{}') - $8::text ELSE"
        "  coalesce(value_lock, '{}') || jsonb_build_object($8::text, jsonb_build_object('code',"
        "   $7::bigint, 'since', coalesce(value_lock -> $8::text -> 'since',"
        "   to_jsonb(connector_time(now())))) ) END, '{}'),"
        " updated_at = now() WHERE shop_id = $1 AND seller_sku = $2";
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_text(&a, end->seller_sku);
    db_arg_bool(&a, end->price);
    db_arg_bool(&a, end->stock);
    db_arg_bool(&a, end->taken);
    db_arg_json(&a, end->warehouses);
    db_arg_i64(&a, end->lock_code);
    db_arg_text(&a, end->price ? "price" : "stock");
    return db_exec(tx, SQL, &a, NULL, e);
}

enum rc db_value_version_up(struct db_tx *tx, const char *shop_id, const char *source_id,
                            struct err *e)
{
    struct db_args a = { 0 }, b = { 0 };
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, source_id);
    rc = db_exec(tx,
                 "UPDATE products SET values_seq = values_seq + 1 WHERE shop_id = $1"
                 " AND source_id = $2",
                 &a, NULL, e);
    if (rc != RC_OK)
        return rc;
    db_arg_text(&b, shop_id);
    db_arg_text(&b, source_id);
    return db_exec(tx,
                   "UPDATE skus SET unsent_since = CASE WHEN d.differs THEN now() END FROM (SELECT"
                   " seller_sku AS code, tiktok_sku_id IS NOT NULL AND (price_desired_minor IS"
                   " DISTINCT FROM price_published_minor OR stock_desired IS DISTINCT FROM"
                   " stock_published) AS differs FROM skus WHERE shop_id = $1 AND source_id = $2) d"
                   " WHERE shop_id = $1 AND seller_sku = d.code"
                   " AND (unsent_since IS NOT NULL) <> d.differs",
                   &b, NULL, e);
}

enum rc db_value_version(struct db_tx *tx, const char *shop_id, const char *source_id,
                         int64_t *version, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, source_id);
    rc = db_exec(tx, "SELECT values_seq FROM products WHERE shop_id = $1 AND source_id = $2", &a,
                 &rows, e);
    if (rc == RC_OK)
        *version = db_rows_count(rows) > 0 ? db_i64(rows, 0, "values_seq") : 0;
    return rc;
}

enum rc db_value_hold(struct db_tx *tx, const char *shop_id, const char *seller_sku, int64_t minor,
                      struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_text(&a, seller_sku);
    db_arg_i64(&a, minor);
    return db_exec(
        tx,
        "UPDATE skus SET price_hold_minor = nullif($3::bigint, 0), price_approved_minor ="
        " CASE WHEN $3::bigint = 0 THEN price_approved_minor END WHERE shop_id = $1"
        " AND seller_sku = $2 AND price_hold_minor IS DISTINCT FROM nullif($3::bigint, 0)",
        &a, NULL, e);
}

enum rc db_value_approve(struct db_tx *tx, const char *client_id, const char *source_id,
                         const char *seller_sku, int64_t *n, struct err *e)
{
    struct db_args a = { 0 };

    *n = 0;
    db_arg_text(&a, client_id);
    db_arg_text(&a, source_id);
    db_arg_text(&a, seller_sku);
    return note(tx,
                "WITH hit AS (UPDATE skus s SET price_approved_minor = price_hold_minor"
                " WHERE s.client_id = $1 AND ($2 = '' OR s.source_id = $2)"
                " AND ($3 = '' OR s.seller_sku = $3) AND s.price_hold_minor IS NOT NULL"
                " RETURNING s.client_id, s.shop_id, s.source_id, s.seller_sku, true AS price,"
                " false AS stock, false AS off)," NOTE_SQL,
                &a, n, e);
}
