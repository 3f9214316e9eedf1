/* taxonomy.c - TikTok's category tree of a shop, and the products that a change of it touches. */
#include "db_taxonomy.h"

#include "db_job.h"
#include "str.h"

#include <stdlib.h>

static void copy_cell(char *dst, size_t cap, const struct db_rows *rows, const char *column)
{
    const char *text = db_text(rows, 0, column);

    str_copy_cut(dst, cap, text ? text : "");
}

bool db_category_unusable(const struct category_node *node)
{
    return node->tree_known && !(node->found && node->leaf && node->available);
}

enum rc db_category_node(struct db_tx *tx, const char *client_id, const char *shop_id,
                         const char *category_id, struct category_node *out, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args args = { 0 };
    struct category_node node = { 0 };

    db_arg_text(&args, client_id);
    db_arg_text(&args, category_id);
    db_arg_text(&args, shop_id);
    enum rc rc = db_exec(
        tx,
        "SELECT t.category_id IS NOT NULL AS found, coalesce(t.is_leaf, false) AS is_leaf, "
        "coalesce(t.available, false) AS available, coalesce(t.path, '') AS path, "
        "coalesce(t.permissions, '') AS permissions FROM shops s "
        "LEFT JOIN tiktok_category_tree t ON t.shop_id = s.shop_id AND t.category_id = $2 "
        "WHERE s.client_id = $1 AND s.categories_at IS NOT NULL "
        "AND CASE WHEN $3::text IS NULL THEN s.status = 'connected' ELSE s.shop_id = $3 END "
        "ORDER BY coalesce(t.is_leaf AND t.available, false) DESC, t.category_id IS NULL LIMIT 1",
        &args, &rows, e);

    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) > 0) {
        node.tree_known = true;
        node.found = db_bool(rows, 0, "found");
        node.leaf = db_bool(rows, 0, "is_leaf");
        node.available = db_bool(rows, 0, "available");
        copy_cell(node.path, sizeof(node.path), rows, "path");
        copy_cell(node.permissions, sizeof(node.permissions), rows, "permissions");
    }
    *out = node;
    return RC_OK;
}

/* Only what hangs on a root gets a path, so a circle in the answer is left out. */
static const char TREE_PUT[] =
    "WITH RECURSIVE given AS MATERIALIZED (SELECT DISTINCT ON (x.id) x.* "
    "FROM jsonb_to_recordset($3::jsonb) AS x(id text, parent_id text, name text, is_leaf boolean, "
    "available boolean, permissions text) ORDER BY x.id), "
    "placed AS (SELECT g.*, g.name AS path, 1 AS depth FROM given g "
    "WHERE NOT EXISTS (SELECT 1 FROM given u WHERE u.id = g.parent_id) "
    "UNION ALL SELECT g.*, p.path || ' > ' || g.name, p.depth + 1 FROM given g "
    "JOIN placed p ON g.parent_id = p.id WHERE p.depth < 12), "
    "gone AS (DELETE FROM tiktok_category_tree t WHERE t.shop_id = $1 "
    "AND NOT EXISTS (SELECT 1 FROM placed p WHERE p.id = t.category_id) RETURNING 1), "
    "put AS (INSERT INTO tiktok_category_tree AS t (shop_id, category_id, client_id, parent_id, "
    "name, path, is_leaf, available, permissions) SELECT $1, id, $2, parent_id, name, path, is_leaf, "
    "available, permissions FROM placed ON CONFLICT (shop_id, category_id) DO UPDATE SET "
    "client_id = excluded.client_id, parent_id = excluded.parent_id, name = excluded.name, "
    "path = excluded.path, is_leaf = excluded.is_leaf, available = excluded.available, "
    "permissions = excluded.permissions, seen_at = now() "
    "WHERE (t.parent_id, t.name, t.path, t.is_leaf, t.available, t.permissions) IS DISTINCT FROM "
    "(excluded.parent_id, excluded.name, excluded.path, excluded.is_leaf, excluded.available, "
    "excluded.permissions) RETURNING (t.xmax = 0) AS made), "
    "marked AS (UPDATE shops SET categories_at = now() WHERE shop_id = $1) "
    "SELECT (SELECT count(*) FROM placed) AS total, (SELECT count(*) FROM put WHERE made) AS created, "
    "(SELECT count(*) FROM put WHERE NOT made) AS updated, (SELECT count(*) FROM gone) AS removed";

enum rc db_category_tree_put(struct db_tx *tx, const char *client_id, const char *shop_id,
                             const json_t *nodes, struct category_tree_counts *out, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_text(&args, client_id);
    db_arg_json(&args, nodes);
    enum rc rc = db_exec(tx, TREE_PUT, &args, &rows, e);

    if (rc != RC_OK)
        return rc;
    *out = (struct category_tree_counts){
        .total = db_i64(rows, 0, "total"),
        .created = db_i64(rows, 0, "created"),
        .updated = db_i64(rows, 0, "updated"),
        .removed = db_i64(rows, 0, "removed"),
    };
    return RC_OK;
}

/* A publish job for each product p of connected shops that is in the feed and not switched off. */
#define REPUBLISH(also)                                                                         \
    "WITH made AS (INSERT INTO jobs AS j (shop_id, kind, entity, client_id, lane, due_at, "     \
    "first_due_at) SELECT p.shop_id, 'product_publish', p.source_id, p.client_id, "             \
    "$2::bigint::smallint, now(), now() FROM products p JOIN shops s ON s.shop_id = p.shop_id " \
    "WHERE p.client_id = $1 AND p.in_feed AND s.status = 'connected' "                          \
    "AND p.status NOT IN ('deleted', 'deactivated') AND " also DB_JOB_ON_CONFLICT               \
    " RETURNING shop_id) SELECT DISTINCT shop_id FROM made"

static enum rc republish(struct db_tx *tx, const char *client_id, const char *sql,
                         struct db_args *args, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc = db_exec(tx, sql, args, &rows, e);

    for (int i = 0; rc == RC_OK && i < db_rows_count(rows); i++)
        rc = db_job_schedule(tx, client_id, db_text(rows, i, "shop_id"), LANE_CATALOG, 0, e);
    return rc;
}

enum rc db_category_recheck_unusable(struct db_tx *tx, const char *client_id, const char *shop_id,
                                     struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, client_id);
    db_arg_i64(&args, LANE_CATALOG);
    db_arg_text(&args, shop_id);
    return republish(tx, client_id,
                     REPUBLISH("p.shop_id = $3 AND p.tiktok_category_id <> '' "
                               "AND (p.problems @> '[{\"code\": \"category_unusable\"}]') = "
                               "EXISTS (SELECT 1 FROM tiktok_category_tree t WHERE "
                               "t.shop_id = p.shop_id AND t.category_id = p.tiktok_category_id "
                               "AND t.is_leaf AND t.available)"),
                     &args, e);
}

enum rc db_category_recheck(struct db_tx *tx, const char *client_id, const char *shop_id,
                            const char *category_id, struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, client_id);
    db_arg_i64(&args, LANE_CATALOG);
    db_arg_text(&args, shop_id);
    db_arg_text(&args, category_id);
    return republish(tx, client_id, REPUBLISH("p.shop_id = $3 AND p.tiktok_category_id = $4"),
                     &args, e);
}

enum rc db_categories_used(struct db_tx *tx, const char *client_id, const char *shop_id,
                           struct db_rows **rows, struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, client_id);
    db_arg_text(&args, shop_id);
    db_arg_i64(&args, LIMIT_CATEGORIES_USED);
    return db_exec(tx,
                   "SELECT tiktok_category_id AS category_id FROM products WHERE shop_id = $2 "
                   "AND in_feed AND tiktok_category_id <> '' UNION "
                   "SELECT tiktok_category_id FROM taxonomy_tiktok WHERE client_id = $1 "
                   "AND chosen_by = 'mapping' AND tiktok_category_id <> '' "
                   "ORDER BY category_id LIMIT $3::bigint",
                   &args, rows, e);
}

enum rc db_category_forget(struct db_tx *tx, const char *shop_id, const char *category_id,
                           bool *known, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args args = { 0 };

    db_arg_text(&args, shop_id);
    db_arg_text(&args, category_id);
    enum rc rc = db_exec(tx,
                         "DELETE FROM tiktok_categories WHERE shop_id = $1 AND category_id = $2 "
                         "RETURNING category_id",
                         &args, &rows, e);

    if (rc == RC_OK)
        *known = db_rows_count(rows) > 0;
    return rc;
}

enum rc db_taxonomy_republish(struct db_tx *tx, const char *client_id,
                              const char *const *source_categories, size_t n, struct err *e)
{
    struct db_args args = { 0 };

    db_arg_text(&args, client_id);
    db_arg_i64(&args, LANE_CATALOG);
    db_arg_text_array(&args, source_categories, n);
    return republish(tx, client_id,
                     REPUBLISH("p.source_category IN (SELECT d.name FROM (SELECT DISTINCT "
                               "source_category AS name FROM products WHERE client_id = $1) d "
                               "WHERE EXISTS (SELECT 1 FROM unnest($3::text[]) AS c(name) WHERE "
                               "d.name = c.name OR starts_with(d.name, c.name || ' > ')))"),
                     &args, e);
}

/* The names stay the rows'. */
static enum rc republish_rows(struct db_tx *tx, const char *client_id, const struct db_rows *rows,
                              struct err *e)
{
    int n = db_rows_count(rows);
    const char **names = calloc((size_t)n + 1, sizeof(*names));
    enum rc rc;

    if (names == NULL)
        return err_set(e, RC_BUG, "no memory for an import");
    for (int i = 0; i < n; i++)
        names[i] = db_text(rows, i, "source_category");
    rc = n > 0 ? db_taxonomy_republish(tx, client_id, names, (size_t)n, e) : RC_OK;
    free(names);
    return rc;
}

enum rc db_taxonomy_import(struct db_tx *tx, const char *client_id, const json_t *given,
                           const char *who, int64_t *changed, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args args = { 0 };

    db_arg_text(&args, client_id);
    db_arg_json(&args, given);
    db_arg_text(&args, who);
    enum rc rc = db_exec(
        tx,
        "INSERT INTO taxonomy_tiktok AS t (client_id, source_category, tiktok_category_id, attributes, "
        "chosen_by, updated_by) SELECT $1, x.source, x.category, x.attributes, 'mapping', $3 "
        "FROM jsonb_to_recordset($2::jsonb) AS x(source text, category text, attributes jsonb) "
        "ON CONFLICT (client_id, source_category) DO UPDATE SET "
        "tiktok_category_id = excluded.tiktok_category_id, attributes = excluded.attributes, "
        "chosen_by = 'mapping', updated_by = excluded.updated_by, updated_at = now() "
        "WHERE (t.tiktok_category_id, t.attributes, t.chosen_by) IS DISTINCT FROM "
        "(excluded.tiktok_category_id, excluded.attributes, 'mapping') RETURNING source_category",
        &args, &rows, e);

    if (rc == RC_OK)
        rc = republish_rows(tx, client_id, rows, e);
    if (rc == RC_OK)
        *changed = db_rows_count(rows);
    return rc;
}

enum rc db_taxonomy_proposal(struct db_tx *tx, const char *client_id, const char *source_category,
                             char category_id[64], struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args args = { 0 };

    db_arg_text(&args, client_id);
    db_arg_text(&args, source_category);
    enum rc rc = db_exec(tx,
                         "SELECT tiktok_category_id FROM taxonomy_tiktok WHERE client_id = $1 "
                         "AND source_category = $2 AND chosen_by = 'recommendation' "
                         "AND tiktok_category_id <> ''",
                         &args, &rows, e);

    if (rc != RC_OK)
        return rc;
    if (db_rows_count(rows) == 0)
        return err_set(e, RC_NOT_FOUND, "no proposal");
    copy_cell(category_id, 64, rows, "tiktok_category_id");
    return RC_OK;
}
