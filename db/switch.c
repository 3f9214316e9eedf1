/* switch.c - exceptions from what a client brings to TikTok, and the differences that they keep back. */
#include "db_switch.h"

#include <stdlib.h>
#include <string.h>

#include "db_job.h"
#include "str.h"

const char *const SYNC_PART_NAMES[SYNC_PARTS] = { "text", "images", "price", "stock",
                                                  "activation" };

void switches_of_client(const struct client *c, struct sync_switches *out)
{
    const bool on[SYNC_PARTS] = { c->sync_text, c->sync_images, c->sync_prices, c->sync_stock,
                                  c->sync_activation };

    *out = (struct sync_switches){ 0 };
    for (int i = 0; i < SYNC_PARTS; i++) {
        out->part[i].on = on[i];
        (void)str_copy(out->part[i].by, sizeof out->part[i].by, "client");
    }
}

void switches_narrow(struct sync_switches *s, const struct switch_row *row)
{
    for (int i = 0; i < SYNC_PARTS; i++) {
        struct sync_switch *one = &s->part[i];

        if (row->part[i] < 0)
            continue;
        one->on = row->part[i] == 1;
        (void)str_copy(one->by, sizeof one->by, row->scope);
        str_copy_cut(one->key, sizeof one->key, row->key);
    }
}

static void read_row(const struct db_rows *rows, int i, struct switch_row *out)
{
    (void)str_copy(out->scope, sizeof out->scope, db_text(rows, i, "scope"));
    str_copy_cut(out->key, sizeof out->key, db_text(rows, i, "key"));
    for (int k = 0; k < SYNC_PARTS; k++)
        out->part[k] = db_null(rows, i, SYNC_PART_NAMES[k])   ? -1
                       : db_bool(rows, i, SYNC_PART_NAMES[k]) ? 1
                                                              : 0;
}

enum rc db_switches_of_product(struct db_tx *tx, const char *client_id, const char *shop_id,
                               const char *source_id, struct switch_row **out, int *n,
                               struct err *e)
{
    static const char SQL[] =
        "SELECT w.scope, w.key, w.text, w.images, w.price, w.stock, w.activation FROM sync_switches w"
        " WHERE w.client_id = $1 AND ((w.scope = 'product' AND w.key = $3)"
        " OR (w.scope = 'category' AND EXISTS (SELECT 1 FROM products p WHERE p.shop_id = $2"
        "  AND p.source_id = $3 AND (p.source_category = w.key"
        "   OR starts_with(p.source_category, w.key || ' > '))))"
        " OR (w.scope = 'sku' AND w.key IN (SELECT s.seller_sku FROM skus s WHERE s.shop_id = $2"
        "  AND s.source_id = $3)))"
        " ORDER BY CASE w.scope WHEN 'category' THEN 0 WHEN 'product' THEN 1 ELSE 2 END,"
        " length(w.key)";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    struct switch_row *list;
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_text(&a, shop_id);
    db_arg_text(&a, source_id);
    rc = db_exec(tx, SQL, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    list = calloc((size_t)db_rows_count(rows) + 1, sizeof *list);
    if (list == NULL)
        return err_set(e, RC_DOWN, "out of memory for switches");
    for (int i = 0; i < db_rows_count(rows); i++)
        read_row(rows, i, &list[i]);
    *out = list;
    *n = db_rows_count(rows);
    return RC_OK;
}

enum rc db_switch_on(struct db_tx *tx, const struct client *c, const char *shop_id,
                     const char *source_id, enum sync_part part, bool *on, struct err *e)
{
    struct sync_switches s;
    struct switch_row *list = NULL;
    int n = 0;
    enum rc rc = db_switches_of_product(tx, c->client_id, shop_id, source_id, &list, &n, e);

    if (rc != RC_OK)
        return rc;
    switches_of_client(c, &s);
    for (int i = 0; i < n; i++)
        if (!str_eq(list[i].scope, "sku"))
            switches_narrow(&s, &list[i]);
    *on = s.part[part].on;
    free(list);
    return RC_OK;
}

enum rc db_switch_list(struct db_tx *tx, const char *client_id, const char *scope,
                       const char *cursor, int limit, json_t **items, char next[640], struct err *e)
{
    static const char SQL[] =
        "SELECT w.scope || ':' || w.key AS cursor, json_build_object('scope', w.scope, 'key', w.key,"
        " 'text', w.text, 'images', w.images, 'price', w.price, 'stock', w.stock, 'activation',"
        " w.activation, 'updated_by', w.updated_by, 'updated_at', connector_time(w.updated_at)) AS doc"
        " FROM sync_switches w WHERE w.client_id = $1 AND ($2 = '' OR w.scope = $2)"
        " AND (w.scope || ':' || w.key) COLLATE \"C\" > $3"
        " ORDER BY (w.scope || ':' || w.key) COLLATE \"C\" LIMIT $4::bigint";
    OWN_ROWS struct db_rows *rows = NULL;
    json_auto_t *list = json_array();
    struct db_args a = { 0 };
    int n;
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_text(&a, scope != NULL ? scope : "");
    db_arg_text(&a, cursor != NULL ? cursor : "");
    db_arg_i64(&a, limit + 1);
    rc = db_exec(tx, SQL, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    n = db_rows_count(rows);
    next[0] = '\0';
    for (int i = 0; i < n && i < limit; i++)
        if (list == NULL || json_array_append_new(list, db_json_new(rows, i, "doc")) != 0)
            return err_set(e, RC_BUG, "out of memory");
    if (n > limit && !str_copy(next, 640, db_text(rows, limit - 1, "cursor")))
        return err_set(e, RC_BUG, "the key of a switch is too long");
    *items = json_incref(list);
    return RC_OK;
}

static void arg_part(struct db_args *a, int value)
{
    if (value < 0)
        db_arg_null(a);
    else
        db_arg_bool(a, value == 1);
}

enum rc db_switch_put(struct db_tx *tx, const char *client_id, const struct switch_row *row,
                      const char *who, struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, client_id);
    db_arg_text(&a, row->scope);
    db_arg_text(&a, row->key);
    for (int i = 0; i < SYNC_PARTS; i++)
        arg_part(&a, row->part[i]);
    db_arg_text(&a, who);
    return db_exec(tx,
                   "INSERT INTO sync_switches (client_id, scope, key, text, images, price, stock,"
                   " activation, updated_by) VALUES ($1, $2, $3, $4::boolean, $5::boolean,"
                   " $6::boolean, $7::boolean, $8::boolean, $9)"
                   " ON CONFLICT (client_id, scope, key) DO UPDATE SET text = excluded.text,"
                   " images = excluded.images, price = excluded.price, stock = excluded.stock,"
                   " activation = excluded.activation, updated_by = excluded.updated_by,"
                   " updated_at = now()",
                   &a, NULL, e);
}

enum rc db_switch_delete(struct db_tx *tx, const char *client_id, const char *scope,
                         const char *key, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_text(&a, scope);
    db_arg_text(&a, key);
    rc = db_exec(tx,
                 "DELETE FROM sync_switches WHERE client_id = $1 AND scope = $2 AND key = $3"
                 " RETURNING key",
                 &a, &rows, e);
    if (rc == RC_OK && db_rows_count(rows) == 0)
        return err_code(e, RC_NOT_FOUND, "not_found", "there is no such switch");
    return rc;
}

/* Products that wait to be put on sale or taken off it may be let go on. */
static enum rc shelf_ask(struct db_tx *tx, const char *client_id, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, client_id);
    rc =
        db_exec(tx,
                "SELECT DISTINCT p.shop_id FROM products p JOIN shops h ON h.shop_id = p.shop_id"
                " WHERE p.client_id = $1 AND h.status = 'connected' AND p.shelf_due_at IS NOT NULL",
                &a, &rows, e);
    for (int i = 0; rc == RC_OK && i < db_rows_count(rows); i++) {
        const struct db_job_key key = { .client_id = client_id,
                                        .shop_id = db_text(rows, i, "shop_id"),
                                        .kind = "product_shelf",
                                        .entity = "",
                                        .lane = LANE_CATALOG };

        rc = db_job_put(tx, &key, e);
    }
    return rc;
}

enum rc db_switch_release(struct db_tx *tx, const char *client_id, const char *scope,
                          const char *key, int64_t *n, struct err *e)
{
    static const char SQL[] =
        "WITH put AS (INSERT INTO jobs AS j (shop_id, kind, entity, client_id, lane)"
        " SELECT p.shop_id, 'product_publish', p.source_id, p.client_id, 3 FROM products p"
        "  WHERE p.client_id = $1 AND p.tiktok_product_id IS NOT NULL AND (p.kept_back <> '[]'"
        "   OR EXISTS (SELECT 1 FROM skus s WHERE s.shop_id = p.shop_id"
        "    AND s.source_id = p.source_id AND s.kept_back <> '[]'))"
        "  AND CASE $2 WHEN 'client' THEN true WHEN 'product' THEN p.source_id = $3"
        "   WHEN 'category' THEN p.source_category = $3"
        "    OR starts_with(p.source_category, $3 || ' > ')"
        "   ELSE EXISTS (SELECT 1 FROM skus s WHERE s.shop_id = p.shop_id"
        "    AND s.source_id = p.source_id AND s.seller_sku = $3) END" DB_JOB_ON_CONFLICT
        " RETURNING j.shop_id)"
        " SELECT shop_id, count(*) AS n FROM put GROUP BY shop_id";
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_text(&a, scope);
    db_arg_text(&a, key);
    *n = 0;
    rc = db_exec(tx, SQL, &a, &rows, e);
    for (int i = 0; rc == RC_OK && i < db_rows_count(rows); i++) {
        *n += db_i64(rows, i, "n");
        rc = db_job_schedule(tx, client_id, db_text(rows, i, "shop_id"), LANE_CATALOG, 0, e);
    }
    return rc == RC_OK ? shelf_ask(tx, client_id, e) : rc;
}

enum rc db_switch_kept(struct db_tx *tx, const char *shop_id, const char *source_id,
                       const json_t *product, const json_t *skus, struct err *e)
{
    struct db_args a = { 0 };
    struct db_args b = { 0 };
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, source_id);
    db_arg_json(&a, product);
    rc = db_exec(tx,
                 "UPDATE products SET kept_back = $3::jsonb WHERE shop_id = $1 AND source_id = $2"
                 " AND kept_back IS DISTINCT FROM $3::jsonb",
                 &a, NULL, e);
    if (rc != RC_OK)
        return rc;
    db_arg_text(&b, shop_id);
    db_arg_text(&b, source_id);
    db_arg_json(&b, skus);
    return db_exec(tx,
                   "UPDATE skus SET kept_back = coalesce($3::jsonb->seller_sku, '[]')"
                   " WHERE shop_id = $1 AND source_id = $2"
                   " AND kept_back IS DISTINCT FROM coalesce($3::jsonb->seller_sku, '[]')",
                   &b, NULL, e);
}

enum rc db_switch_kept_some(struct db_tx *tx, const char *shop_id, const json_t *skus,
                            struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_json(&a, skus);
    return db_exec(
        tx,
        "UPDATE skus s SET kept_back = n.kept FROM (SELECT o.seller_sku, coalesce((SELECT jsonb_agg(k)"
        " FROM jsonb_array_elements(o.kept_back) AS k WHERE (k->>'what' = 'price' AND NOT"
        " (u.value->>'price')::boolean) OR (k->>'what' = 'stock' AND NOT (u.value->>'stock')::boolean)),"
        " '[]') || (u.value->'list') AS kept FROM jsonb_each($2::jsonb) AS u JOIN skus o"
        " ON o.shop_id = $1 AND o.seller_sku = u.key) n WHERE s.shop_id = $1"
        " AND s.seller_sku = n.seller_sku AND s.kept_back IS DISTINCT FROM n.kept",
        &a, NULL, e);
}
