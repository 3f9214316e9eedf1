/* db/feed_diff.c - streams a feed's hashes into the database and finds what differs from the last one.
 *
 * Binary COPY into a temporary table while the feed is parsed, statistics, then one hash join: memory stays the same
 * at any size, and the database works on one core while the parser works on another. */
#include "db_feed.h"

#include <arpa/inet.h>

#include "str.h"

#define LOAD_BYTES ((size_t)256 << 10)
#define ROW_BYTES_MAX ((size_t)1024) /* two ids, hash, position and their lengths */

struct feed_load {
    struct db_tx *tx;
    bool old;
    size_t n;
    char data[LOAD_BYTES];
};

static enum rc run(struct db_tx *tx, const char *sql, struct err *e)
{
    struct db_args a = { 0 };

    return db_exec(tx, sql, &a, NULL, e);
}

#define NEW_TABLE(name)                                                                     \
    "CREATE TEMP TABLE " name " (item_id text COLLATE \"C\" NOT NULL,"                      \
    " source_id text COLLATE \"C\" NOT NULL, hash uuid NOT NULL, position bigint NOT NULL)" \
    " ON COMMIT DROP"
#define COPY_INTO(name) \
    "COPY " name " (item_id, source_id, hash, position) FROM STDIN (FORMAT binary)"

enum rc db_feed_load_begin(struct db_tx *tx, bool old, struct feed_load **out, struct err *e)
{
    static const char HEADER[19] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";
    struct feed_load *load;
    enum rc rc = run(tx, old ? NEW_TABLE("feed_old") : NEW_TABLE("feed_new"), e);

    if (rc == RC_OK)
        rc = run(tx, "SET LOCAL work_mem = '64MB'", e);
    /* Only how many rows and different ids there are matters to the joins: a tenth of the usual sample tells. */
    if (rc == RC_OK)
        rc = run(tx, "SET LOCAL default_statistics_target = 10", e);
    if (rc == RC_OK)
        rc = db_copy_begin(tx, old ? COPY_INTO("feed_old") : COPY_INTO("feed_new"), e);
    if (rc != RC_OK)
        return rc;
    load = malloc(sizeof *load);
    if (load == NULL)
        return err_set(e, RC_DOWN, "out of memory for loading a feed");
    load->tx = tx;
    load->old = old;
    memcpy(load->data, HEADER, sizeof HEADER);
    load->n = sizeof HEADER;
    *out = load;
    return RC_OK;
}

static enum rc flush(struct feed_load *load, struct err *e)
{
    enum rc rc = load->n == 0 ? RC_OK : db_copy_data(load->tx, load->data, load->n, e);

    load->n = 0;
    return rc;
}

static char *put_field(char *p, const void *data, size_t len)
{
    uint32_t n = htonl((uint32_t)len);

    memcpy(p, &n, 4);
    memcpy(p + 4, data, len);
    return p + 4 + len;
}

enum rc db_feed_load_add(struct feed_load *load, const char *item_id, const char *source_id,
                         const unsigned char hash[16], int64_t position, struct err *e)
{
    size_t item_len = strlen(item_id), source_len = strlen(source_id);
    unsigned char big[8];
    uint16_t fields = htons(4);
    char *p;

    if (item_len + source_len + 64 > ROW_BYTES_MAX)
        return err_set(e, RC_BUG, "a feed id is too long to be stored");
    if (load->n + ROW_BYTES_MAX > sizeof load->data) {
        enum rc rc = flush(load, e);
        if (rc != RC_OK)
            return rc;
    }
    for (int i = 0; i < 8; i++)
        big[i] = (unsigned char)((uint64_t)position >> (56 - 8 * i));
    p = load->data + load->n;
    memcpy(p, &fields, 2);
    p = put_field(p + 2, item_id, item_len);
    p = put_field(p, source_id, source_len);
    p = put_field(p, hash, 16);
    p = put_field(p, big, 8);
    load->n = (size_t)(p - load->data);
    return RC_OK;
}

#define PRODUCTS(name) \
    "SELECT count(*) AS products FROM (SELECT DISTINCT source_id FROM " name ") s"

enum rc db_feed_load_end(struct feed_load *load, int64_t *products, struct err *e)
{
    OWN_ROWS struct db_rows *rows = NULL;
    struct db_args a = { 0 };
    enum rc rc = flush(load, e);

    if (rc == RC_OK) {
        memset(load->data, 0xff, 2); /* end mark: a row of -1 fields */
        load->n = 2;
        rc = flush(load, e);
    }
    if (rc == RC_OK)
        rc = db_copy_end(load->tx, e);
    if (rc == RC_OK)
        rc = run(load->tx, load->old ? "ANALYZE feed_old" : "ANALYZE feed_new", e);
    if (rc == RC_OK)
        rc = db_exec(load->tx, load->old ? PRODUCTS("feed_old") : PRODUCTS("feed_new"), &a, &rows,
                     e);
    if (rc == RC_OK)
        *products = db_i64(rows, 0, "products");
    return rc;
}

void db_feed_load_free(struct feed_load *load)
{
    free(load);
}

enum rc db_feed_stage_clear(struct db_tx *tx, const char *stage, struct err *e)
{
    struct db_args a = { 0 };

    db_arg_text(&a, stage);
    return db_exec(tx, "DELETE FROM feed_stage WHERE shop_id = $1", &a, NULL, e);
}

enum rc db_feed_diff(struct db_tx *tx, const char *client_id, const char *shop_id,
                     const char *stage, bool pair, struct feed_diff *out, struct err *e)
{
    static const char PAIR[] =
        "INSERT INTO feed_diff SELECT o.item_id, n.source_id, o.source_id, o.hash FROM feed_new n"
        " FULL JOIN feed_old o ON n.item_id = o.item_id"
        " WHERE n.hash IS DISTINCT FROM o.hash OR n.source_id IS DISTINCT FROM o.source_id";
    static const char DIFF[] =
        "INSERT INTO feed_diff SELECT o.item_id, n.source_id, o.source_id, o.hash FROM feed_new n FULL JOIN"
        " (SELECT item_id COLLATE \"C\" AS item_id, source_id COLLATE \"C\" AS source_id, hash FROM feed_items"
        " WHERE shop_id = $1) o ON n.item_id = o.item_id"
        " WHERE n.hash IS DISTINCT FROM o.hash OR n.source_id IS DISTINCT FROM o.source_id";
    static const char STAGE[] =
        "INSERT INTO feed_stage (shop_id, client_id, source_id, item_id, hash, position)"
        " SELECT $1, $2, n.source_id, n.item_id, n.hash, n.position FROM feed_new n JOIN"
        " (SELECT source_id FROM feed_diff WHERE source_id IS NOT NULL"
        " UNION SELECT old_source FROM feed_diff WHERE old_source IS NOT NULL) t ON t.source_id = n.source_id"
        " UNION ALL SELECT $1, $2, old_source, old_item, old_hash, -1 FROM feed_diff"
        " WHERE old_source IS NOT NULL AND source_id IS DISTINCT FROM old_source";
    static const char COUNT[] =
        "SELECT count(*) FILTER (WHERE here) AS touched, count(*) FILTER (WHERE NOT here) AS removed FROM"
        " (SELECT bool_or(position >= 0) AS here FROM feed_stage WHERE shop_id = $1 GROUP BY source_id) s";
    struct db_args b = { 0 }, c = { 0 }, d = { 0 };
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc;

    rc = db_feed_stage_clear(tx, stage, e);
    if (rc == RC_OK)
        rc = run(
            tx,
            "CREATE TEMP TABLE feed_diff (old_item text COLLATE \"C\", source_id text COLLATE \"C\","
            " old_source text COLLATE \"C\", old_hash uuid) ON COMMIT DROP",
            e);
    if (!pair)
        db_arg_text(&b, shop_id);
    if (rc == RC_OK)
        rc = db_exec(tx, pair ? PAIR : DIFF, &b, NULL, e);
    if (rc == RC_OK)
        rc = run(tx, "ANALYZE feed_diff", e);
    db_arg_text(&c, stage);
    db_arg_text(&c, client_id);
    if (rc == RC_OK)
        rc = db_exec(tx, STAGE, &c, NULL, e);
    db_arg_text(&d, stage);
    if (rc == RC_OK)
        rc = db_exec(tx, COUNT, &d, &rows, e);
    if (rc != RC_OK)
        return rc;
    out->products_touched = db_i64(rows, 0, "touched");
    out->products_removed = db_i64(rows, 0, "removed");
    return RC_OK;
}
