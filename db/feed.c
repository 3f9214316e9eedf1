/* db/feed.c - statements of a feed run: snapshot, differences, application, counters. */
#include "db_feed.h"

#include "own.h"
#include "str.h"

enum rc db_feed_snapshot_get(struct db_tx *tx, const char *shop_id, struct feed_snapshot *out,
                             struct err *e)
{
    static const char SQL[] =
        "SELECT source, generation, items, products, bytes, content_hash::text AS content_hash,"
        " etag, last_modified, turns_at FROM feed_snapshots WHERE shop_id = $1";
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    struct feed_snapshot s = { 0 };
    enum rc rc;

    db_arg_text(&a, shop_id);
    rc = db_exec(tx, SQL, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    s.known = db_rows_count(rows) > 0;
    if (s.known) {
        s.generation = db_i64(rows, 0, "generation");
        s.items = db_i64(rows, 0, "items");
        s.products = db_i64(rows, 0, "products");
        s.bytes = db_i64(rows, 0, "bytes");
        s.turns_us = db_null(rows, 0, "turns_at") ? 0 : db_time(rows, 0, "turns_at");
        (void)str_copy(s.source, sizeof s.source, db_text(rows, 0, "source"));
        if (!db_null(rows, 0, "content_hash"))
            (void)str_copy(s.content_hash, sizeof s.content_hash, db_text(rows, 0, "content_hash"));
        (void)str_copy(s.etag, sizeof s.etag, db_text(rows, 0, "etag"));
        (void)str_copy(s.last_modified, sizeof s.last_modified, db_text(rows, 0, "last_modified"));
    }
    *out = s;
    return RC_OK;
}

enum rc db_feed_accept(struct db_tx *tx, const char *client_id, const char *shop_id,
                       const struct feed_snapshot *s, struct err *e)
{
    static const char SQL[] =
        "INSERT INTO feed_snapshots AS f (shop_id, client_id, source, generation, items, products, bytes,"
        " content_hash, etag, last_modified, accepted_at, turns_at)"
        " VALUES ($1, $2, $3, 1, $4, $5, $6, $7::uuid, $8, $9, clock_timestamp(),"
        " to_timestamp(nullif($10::bigint, 0) / 1000000.0))"
        " ON CONFLICT (shop_id) DO UPDATE SET source = excluded.source, generation = f.generation + 1,"
        " items = excluded.items, products = excluded.products, bytes = excluded.bytes,"
        " content_hash = excluded.content_hash, etag = excluded.etag, last_modified = excluded.last_modified,"
        " accepted_at = excluded.accepted_at, turns_at = excluded.turns_at";
    struct db_args a = { 0 };
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_text(&a, client_id);
    db_arg_text(&a, s->source);
    db_arg_i64(&a, s->items);
    db_arg_i64(&a, s->products);
    db_arg_i64(&a, s->bytes);
    db_arg_text(&a, s->content_hash);
    db_arg_text(&a, s->etag[0] != '\0' ? s->etag : NULL);
    db_arg_text(&a, s->last_modified[0] != '\0' ? s->last_modified : NULL);
    db_arg_i64(&a, s->turns_us);
    rc = db_exec(tx, SQL, &a, NULL, e);
    return rc == RC_OK ? db_feed_absent(tx, shop_id, e) : rc;
}

enum rc db_feed_stage_page(struct db_tx *tx, const char *stage, const char *after, int limit,
                           struct feed_stage_row **out, int *n, struct err *e)
{
    static const char SQL[] =
        "SELECT source_id, item_id, position FROM feed_stage WHERE shop_id = $1"
        " AND source_id > $2 ORDER BY source_id, position LIMIT $3";
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    struct feed_stage_row *list;
    enum rc rc;

    db_arg_text(&a, stage);
    db_arg_text(&a, after);
    db_arg_i64(&a, limit);
    rc = db_exec(tx, SQL, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    list = calloc((size_t)db_rows_count(rows) + 1, sizeof *list);
    if (list == NULL)
        return err_set(e, RC_DOWN, "out of memory for staged feed items");
    for (int i = 0; i < db_rows_count(rows); i++) {
        (void)str_copy(list[i].source_id, sizeof list[i].source_id, db_text(rows, i, "source_id"));
        (void)str_copy(list[i].item_id, sizeof list[i].item_id, db_text(rows, i, "item_id"));
        list[i].position = db_i64(rows, i, "position");
    }
    *out = list;
    *n = db_rows_count(rows);
    return RC_OK;
}

enum rc db_feed_products(struct db_tx *tx, const char *shop_id, const char *const *source_ids,
                         size_t n_ids, struct feed_product **out, int *n, struct err *e)
{
    static const char SQL[] =
        "SELECT source_id, desired, desired_hash::text AS desired_hash, status, in_feed,"
        " shelf = 'off' AND shelf_by = 'feed' AS off FROM products"
        " WHERE shop_id = $1 AND source_id = ANY ($2::text[])";
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    struct feed_product *list;
    enum rc rc;

    db_arg_text(&a, shop_id);
    db_arg_text_array(&a, source_ids, n_ids);
    rc = db_exec(tx, SQL, &a, &rows, e);
    if (rc != RC_OK)
        return rc;
    list = calloc((size_t)db_rows_count(rows) + 1, sizeof *list);
    if (list == NULL)
        return err_set(e, RC_DOWN, "out of memory for stored products");
    for (int i = 0; i < db_rows_count(rows); i++) {
        (void)str_copy(list[i].source_id, sizeof list[i].source_id, db_text(rows, i, "source_id"));
        (void)str_copy(list[i].desired_hash, sizeof list[i].desired_hash,
                       db_text(rows, i, "desired_hash"));
        (void)str_copy(list[i].status, sizeof list[i].status, db_text(rows, i, "status"));
        list[i].in_feed = db_bool(rows, i, "in_feed");
        list[i].off = db_bool(rows, i, "off");
        list[i].desired = db_json_new(rows, i, "desired");
    }
    *out = list;
    *n = db_rows_count(rows);
    return RC_OK;
}

void db_feed_products_free(struct feed_product *list, int n)
{
    for (int i = 0; list != NULL && i < n; i++)
        json_decref(list[i].desired);
    free(list);
}

enum rc db_feed_applied(struct db_tx *tx, const char *client_id, const char *shop_id,
                        const char *const *source_ids, size_t n, bool pair, struct err *e)
{
    /* An item that moved to another product is gone here only if that product did not take it yet. */
    static const char *const SQL[] = {
        "DELETE FROM feed_items f WHERE f.shop_id = $1 AND f.source_id = ANY ($2::text[]) AND NOT EXISTS"
        " (SELECT 1 FROM feed_stage s WHERE s.shop_id = f.shop_id AND s.item_id = f.item_id"
        " AND s.source_id = f.source_id AND s.position >= 0)",
        "DELETE FROM feed_items f USING feed_stage s WHERE s.shop_id = $1 AND s.source_id = ANY ($2::text[])"
        " AND s.position < 0 AND f.shop_id = s.shop_id AND f.item_id = s.item_id AND f.source_id = s.source_id",
        "INSERT INTO feed_items AS f (shop_id, item_id, client_id, source_id, hash)"
        " SELECT shop_id, item_id, client_id, source_id, hash FROM feed_stage WHERE shop_id = $1"
        " AND source_id = ANY ($2::text[]) AND position >= 0"
        " ON CONFLICT (shop_id, item_id) DO UPDATE SET source_id = excluded.source_id, hash = excluded.hash"
        " WHERE f.hash <> excluded.hash OR f.source_id <> excluded.source_id",
        "DELETE FROM feed_stage WHERE shop_id = $1 AND source_id = ANY ($2::text[])"
    };

    (void)client_id;
    for (size_t i = pair ? 0 : 1; i < sizeof SQL / sizeof SQL[0]; i++) {
        struct db_args a = { 0 };

        db_arg_text(&a, shop_id);
        db_arg_text_array(&a, source_ids, n);
        enum rc rc = db_exec(tx, SQL[i], &a, NULL, e);
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

enum rc db_feed_product_seen(struct db_tx *tx, const char *shop_id, const char *source_id,
                             struct err *e)
{
    static const char SQL[] =
        "UPDATE products SET in_feed = true, absent_feeds = 0, removal_run_id = NULL,"
        " shelf_by = CASE WHEN shelf = 'on' THEN 'feed' ELSE shelf_by END, updated_at = now()"
        " WHERE shop_id = $1 AND source_id = $2"
        " AND (NOT in_feed OR absent_feeds > 0 OR removal_run_id IS NOT NULL)";
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_text(&a, source_id);
    return db_exec(tx, SQL, &a, NULL, e);
}

enum rc db_feed_product_problems(struct db_tx *tx, const char *shop_id, const char *source_id,
                                 const json_t *problems, const char *const *codes, size_t n_codes,
                                 const char *run_id, struct err *e)
{
    static const char SQL[] =
        "UPDATE products SET problems = coalesce($3::jsonb, '[]') || coalesce((SELECT jsonb_agg(x)"
        " FROM jsonb_array_elements(problems) AS x WHERE NOT x->>'code' = ANY ($5::text[])), '[]'),"
        " updated_at = now(), last_run_id = coalesce($4, last_run_id)"
        " WHERE shop_id = $1 AND source_id = $2";
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_text(&a, source_id);
    db_arg_json(&a, problems);
    db_arg_text(&a, str_blank(run_id) ? NULL : run_id);
    db_arg_text_array(&a, codes, n_codes);
    return db_exec(tx, SQL, &a, NULL, e);
}

enum rc db_feed_product_gone(struct db_tx *tx, const char *shop_id, const char *source_id,
                             int absent, struct err *e)
{
    static const char SQL[] =
        "UPDATE products SET in_feed = false, absent_feeds = $3::integer, updated_at = now()"
        " WHERE shop_id = $1 AND source_id = $2 AND in_feed";
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_text(&a, source_id);
    db_arg_i64(&a, absent);
    return db_exec(tx, SQL, &a, NULL, e);
}

enum rc db_feed_skus_gone(struct db_tx *tx, const char *shop_id, const char *source_id,
                          const char *const *seller_skus, size_t n, struct err *e)
{
    static const char SQL[] =
        "UPDATE skus SET feed_available = false, feed_quantity = 0, updated_at = now()"
        " WHERE shop_id = $1 AND source_id = $2 AND NOT (seller_sku = ANY ($3::text[]))"
        " AND (feed_available OR feed_quantity IS DISTINCT FROM 0)";
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_text(&a, source_id);
    db_arg_text_array(&a, seller_skus, n);
    return db_exec(tx, SQL, &a, NULL, e);
}

enum rc db_feed_unpublished(struct db_tx *tx, const char *shop_id, const char *run_id,
                            const char *after, int limit, struct db_rows **rows, struct err *e)
{
    static const char SQL[] =
        "SELECT source_id FROM products p WHERE shop_id = $1 AND source_id > $3 AND in_feed"
        " AND shelf = 'on' AND status IN ('waiting', 'publishing') AND last_run_id IS DISTINCT FROM $2"
        " AND jsonb_array_length(coalesce(desired -> 'items', '[]')) > 0"
        " AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.shop_id = p.shop_id AND j.kind = 'product_publish'"
        " AND j.entity = p.source_id AND j.state = 'parked')"
        " ORDER BY source_id LIMIT $4";
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_text(&a, str_blank(run_id) ? NULL : run_id);
    db_arg_text(&a, after);
    db_arg_i64(&a, limit);
    return db_exec(tx, SQL, &a, rows, e);
}

enum rc db_feed_product_asked(struct db_tx *tx, const char *shop_id, const char *source_id,
                              const char *run_id, struct err *e)
{
    static const char SQL[] =
        "UPDATE products SET last_run_id = $3 WHERE shop_id = $1 AND source_id = $2";
    struct db_args a = { 0 };

    db_arg_text(&a, shop_id);
    db_arg_text(&a, source_id);
    db_arg_text(&a, str_blank(run_id) ? NULL : run_id);
    return db_exec(tx, SQL, &a, NULL, e);
}

enum rc db_feed_run_accepted(struct db_tx *tx, const char *client_id, const char *run_id,
                             bool *accepted, bool *approved, struct err *e)
{
    struct db_args a = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc;

    db_arg_text(&a, client_id);
    db_arg_text(&a, run_id);
    rc = db_exec(tx,
                 "SELECT read_done, approved_at IS NOT NULL AS approved FROM sync_runs"
                 " WHERE client_id = $1 AND id = $2",
                 &a, &rows, e);
    if (rc != RC_OK || db_rows_count(rows) == 0)
        return rc;
    *accepted = db_bool(rows, 0, "read_done");
    *approved = db_bool(rows, 0, "approved");
    return RC_OK;
}

enum rc db_feed_run_totals(struct db_tx *tx, const char *client_id, const char *shop_id,
                           const char *run_id, int64_t total, int64_t pending, struct err *e)
{
    static const char SQL[] =
        "UPDATE sync_runs r SET total = $4::bigint, done = r.done - r.untouched + n.untouched,"
        " unchanged = r.unchanged - r.untouched + n.untouched, untouched = n.untouched"
        " FROM (SELECT greatest(0, $4::bigint - $5::bigint - count(*)) AS untouched FROM products"
        " WHERE shop_id = $3 AND last_run_id = $2 AND in_feed) n WHERE r.client_id = $1 AND r.id = $2";
    struct db_args a = { 0 };

    if (str_blank(run_id))
        return RC_OK;
    db_arg_text(&a, client_id);
    db_arg_text(&a, run_id);
    db_arg_text(&a, shop_id);
    db_arg_i64(&a, total);
    db_arg_i64(&a, pending);
    return db_exec(tx, SQL, &a, NULL, e);
}

enum rc db_feed_run_dry(struct db_tx *tx, const char *client_id, const char *run_id,
                        const struct feed_dry *d, struct err *e)
{
    static const char SQL[] =
        "UPDATE sync_runs SET total = $3::bigint, done = $3::bigint, created = $4::bigint, updated = $5::bigint, removed = $6::bigint,"
        " failed = $7::bigint, unchanged = greatest(0, $3::bigint - $4::bigint - $5::bigint - $7::bigint)"
        " WHERE client_id = $1 AND id = $2";
    struct db_args a = { 0 };

    if (str_blank(run_id))
        return RC_OK;
    db_arg_text(&a, client_id);
    db_arg_text(&a, run_id);
    db_arg_i64(&a, d->total);
    db_arg_i64(&a, d->created);
    db_arg_i64(&a, d->updated);
    db_arg_i64(&a, d->removed);
    db_arg_i64(&a, d->failed);
    return db_exec(tx, SQL, &a, NULL, e);
}
