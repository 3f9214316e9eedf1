/* test_feed_db.c - feed runs on a real database: what is stored, asked for and refused. The download is played by
 * this file; the publisher is played by updates of the products. */
#include "check.h"
#include "fresh.h"

#include <sys/wait.h>

#include "../../sync/map_feed.h"
#include "clock.h"
#include "db_feed.h"
#include "db_run.h"
#include "str.h"
#include "sync.h"

#define CLIENT "lojaexemplo"
#define SHOP "7494049642642441621"

static struct fresh F;
static struct db_pool *P;

static struct {
    struct buf body;
    int status;
    char etag[64], type[64];
    enum rc rc; /* of the transfer itself */
    char code[32];
    char seen_if_none[128];
    int fetches;
    int die_at_tx; /* _exit at this job transaction; 0 = never */
    int txs;
} W;

/* ---- what the job leans on ---------------------------------------------------------------------- */

enum rc job_tx_begin(struct job_ctx *ctx, const char *name, struct db_tx **out, struct err *e)
{
    if (++W.txs == W.die_at_tx)
        _exit(9);
    return db_tx_begin(ctx->db, name, ctx->job->client_id, out, e);
}

struct fetch *platform_fetch(struct platform *p)
{
    (void)p;
    return NULL;
}

enum rc fetch_run(struct fetch *f, const struct fetch_req *req, struct fetch_reply *out,
                  struct err *e)
{
    (void)f;
    W.fetches++;
    W.seen_if_none[0] = '\0';
    for (int i = 0; i < req->n_headers; i++) {
        if (str_starts(req->headers[i], "If-None-Match: "))
            (void)str_copy(W.seen_if_none, sizeof W.seen_if_none, req->headers[i] + 15);
    }
    CHECK_INT(req->policy, FETCH_PUBLIC);
    if (W.rc == RC_INVALID)
        return err_code(e, W.rc, W.code, "refused");
    for (size_t at = 0; W.status / 100 == 2 && at < W.body.len; at += 1000) {
        size_t n = W.body.len - at < 1000 ? W.body.len - at : 1000;
        enum rc rc = req->sink(req->sink_user, W.body.data + at, n, e);
        if (rc != RC_OK)
            return rc;
    }
    if (W.rc != RC_OK)
        return err_set(e, W.rc, "the transfer ended");
    memset(out, 0, sizeof *out);
    out->status = W.status;
    out->body_bytes = (int64_t)W.body.len;
    return RC_OK;
}

void fetch_reply_done(struct fetch_reply *reply)
{
    (void)reply;
}

bool fetch_reply_header(const struct fetch_reply *reply, const char *name, char *dst, size_t cap)
{
    (void)reply;
    if (str_eq(name, "etag") && W.etag[0] != '\0')
        return str_copy(dst, cap, W.etag);
    if (str_eq(name, "content-type") && W.type[0] != '\0')
        return str_copy(dst, cap, W.type);
    dst[0] = '\0';
    return false;
}

/* ---- helpers ------------------------------------------------------------------------------------- */

static void feed_begin(void)
{
    buf_clear(&W.body);
    buf_str(&W.body,
            "<?xml version=\"1.0\"?><rss xmlns:g=\"http://base.google.com/ns/1.0\"><channel>");
}

static void feed_item(const char *id, const char *group, const char *title, const char *price,
                      const char *more)
{
    buf_fmt(&W.body, "<item><g:id>%s</g:id>", id);
    if (group != NULL)
        buf_fmt(&W.body, "<g:item_group_id>%s</g:item_group_id>", group);
    buf_fmt(&W.body,
            "<g:title>%s</g:title><g:price>%s</g:price><g:availability>in stock</g:availability>"
            "<g:image_link>https://img.example/%s.jpg</g:image_link>%s</item>",
            title, price, id, more != NULL ? more : "");
}

static void feed_close(void)
{
    buf_str(&W.body, "</channel></rss>");
}

/* n products "P0".. of one item each, prices 10.00 but for `changed`. */
static void feed_many(int n, int changed)
{
    char id[16], title[64];

    feed_begin();
    for (int i = 0; i < n; i++) {
        (void)str_fmt(id, sizeof id, "P%d", i);
        (void)str_fmt(title, sizeof title, "Produto numero %d", i);
        feed_item(id, NULL, title, i == changed ? "11.00 BRL" : "10.00 BRL", NULL);
    }
    feed_close();
}

static void reset(void)
{
    fresh_sql(
        P,
        "TRUNCATE feed_snapshots, feed_items, feed_stage, products, skus, jobs, sync_runs, sync_run_changes");
    fresh_sql(P, "UPDATE clients SET policies = '{\"price\": {\"source\": \"feed\"}}',"
                 " feed_url = 'https://loja.example/feed.xml'");
    W.status = 200;
    W.rc = RC_OK;
    W.etag[0] = W.type[0] = '\0';
    W.die_at_tx = W.txs = 0;
    buf_clear(&W.body);
}

static void run_open(char id[40], bool dry, const char *url)
{
    OWN_TX struct db_tx *tx = NULL;
    struct err e = { 0 };
    json_auto_t *params = url != NULL ? json_pack("{s:s}", "url", url) : json_object();
    enum rc rc = db_tx_begin(P, "open", CLIENT, &tx, &e);

    if (rc == RC_OK)
        rc = db_run_new(tx, CLIENT, SHOP, "products", dry, "live", params, "test", id, &e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, &e);
    CHECK(rc == RC_OK, "%s", e.text);
}

static enum rc job_go(const char *run_id, int attempts, struct err *e)
{
    static struct app app;
    struct job job = { .attempts = attempts };
    struct job_ctx ctx = { .app = &app, .db = P, .job = &job };

    memset(e, 0, sizeof *e);
    (void)str_copy(job.client_id, sizeof job.client_id, CLIENT);
    (void)str_copy(job.shop_id, sizeof job.shop_id, SHOP);
    (void)str_copy(job.kind, sizeof job.kind, "feed_read");
    (void)str_copy(job.run_id, sizeof job.run_id, run_id);
    return sync_feed_read(&ctx, e);
}

/* A run from beginning to end; its id stays in the returned static text. */
static const char *go(bool dry, enum rc want, const char *code)
{
    static char id[40];
    struct err e = { 0 };
    enum rc rc;

    run_open(id, dry, NULL);
    rc = job_go(id, 1, &e);
    CHECK(rc == want && (code == NULL || str_eq(e.code, code)), "%s (%s) %s, want %s (%s)",
          rc_name(rc), e.code, e.text, rc_name(want), code != NULL ? code : "");
    return id;
}

/* A number by SQL that is put together here, on a connection of the test's own. $RUN is the run's id. */
static int64_t count(const char *sql, const char *run)
{
    static PGconn *pg;
    char text[1024];
    const char *at = strstr(sql, "$RUN");
    int64_t n = -1;

    if (pg == NULL) {
        pg = PQconnectdb(F.url);
        PQclear(PQexec(pg, "SELECT set_config('connector.tenant', '*', false)"));
    }
    if (at != NULL)
        (void)snprintf(text, sizeof text, "%.*s'%s'%s", (int)(at - sql), sql, run, at + 4);
    else
        (void)snprintf(text, sizeof text, "%s", sql);
    PGresult *res = PQexec(pg, text);
    if (PQresultStatus(res) == PGRES_TUPLES_OK && PQntuples(res) == 1)
        n = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
    else
        printf("%s: %s\n", text, PQerrorMessage(pg));
    PQclear(res);
    return n;
}

static void run_is(const char *id, const char *status, int total, int done, int unchanged,
                   int failed)
{
    CHECK_INT(count("SELECT total FROM sync_runs WHERE id = $RUN", id), total);
    CHECK_INT(count("SELECT done FROM sync_runs WHERE id = $RUN", id), done);
    CHECK_INT(count("SELECT unchanged FROM sync_runs WHERE id = $RUN", id), unchanged);
    CHECK_INT(count("SELECT failed FROM sync_runs WHERE id = $RUN", id), failed);
    CHECK_INT(count(str_eq(status, "succeeded")
                        ? "SELECT count(*) FROM sync_runs WHERE id = $RUN AND status = 'succeeded'"
                        : "SELECT count(*) FROM sync_runs WHERE id = $RUN AND status = 'running'",
                    id),
              1);
}

static void published(void)
{
    fresh_sql(P, "DELETE FROM jobs");
    fresh_sql(
        P,
        "UPDATE products SET status = 'live', published_hash = desired_hash, tiktok_product_id = 't' || source_id");
}

/* ---- cases --------------------------------------------------------------------------------------- */

static void a_first_feed_makes_products_skus_and_jobs(void)
{
    reset();
    feed_begin();
    feed_item("1201", "301", "Camiseta Preta M", "79.90 BRL",
              "<g:color>Preta</g:color><g:size>M</g:size>");
    feed_item("2205", NULL, "Garrafa", "129.90 BRL",
              "<g:product_type>Casa &gt; Garrafas</g:product_type>");
    feed_item("1202", "301", "Camiseta Preta G", "69.90 BRL", "<g:inventory>4</g:inventory>");
    feed_close();
    const char *id = go(false, RC_OK, NULL);

    CHECK_INT(count("SELECT count(*) FROM products", NULL), 2);
    CHECK_INT(count("SELECT count(*) FROM skus", NULL), 3);
    CHECK_INT(
        count(
            "SELECT count(*) FROM jobs WHERE kind = 'product_publish' AND lane = 3 AND run_id = $RUN",
            id),
        2);
    CHECK_INT(
        count(
            "SELECT count(*) FROM products WHERE source_id = '301' AND title = 'Camiseta Preta'"
            " AND jsonb_array_length(desired->'items') = 2 AND desired->'items'->1->>'id' = '1202'"
            " AND jsonb_array_length(desired->'images') = 2 AND status = 'waiting'",
            NULL),
        1);
    CHECK_INT(
        count(
            "SELECT count(*) FROM products WHERE source_id = '2205' AND source_category = 'Casa > Garrafas'",
            NULL),
        1);
    CHECK_INT(count("SELECT feed_price_minor FROM skus WHERE seller_sku = '1202'", NULL), 6990);
    CHECK_INT(count("SELECT feed_quantity FROM skus WHERE seller_sku = '1202'", NULL), 4);
    CHECK_INT(
        count(
            "SELECT count(*) FROM skus WHERE seller_sku = '1201' AND feed_quantity IS NULL AND feed_available",
            NULL),
        1);
    CHECK_INT(count("SELECT count(*) FROM feed_items", NULL), 3);
    CHECK_INT(count("SELECT count(*) FROM feed_stage", NULL), 0);
    CHECK_INT(count("SELECT generation FROM feed_snapshots WHERE items = 3 AND products = 2", NULL),
              1);
    CHECK_INT(
        count("SELECT count(*) FROM sync_run_changes WHERE run_id = $RUN AND action = 'create'",
              id),
        2);
    run_is(id, "running", 2, 0, 0, 0);
}

static void the_same_feed_again_changes_nothing(void)
{
    reset();
    feed_many(10, -1);
    go(false, RC_OK, NULL);
    published();
    const char *id = go(false, RC_OK, NULL);

    CHECK_INT(count("SELECT count(*) FROM jobs", NULL), 0);
    run_is(id, "succeeded", 10, 10, 10, 0);
    CHECK_INT(count("SELECT generation FROM feed_snapshots", NULL), 2);
}

static void one_changed_price_asks_for_one_product(void)
{
    reset();
    feed_many(10, -1);
    go(false, RC_OK, NULL);
    published();
    feed_many(10, 4);
    const char *id = go(false, RC_OK, NULL);

    CHECK_INT(count("SELECT count(*) FROM jobs WHERE kind = 'product_publish'", NULL), 1);
    CHECK_INT(count("SELECT count(*) FROM jobs WHERE entity = 'P4'", NULL), 1);
    CHECK_INT(count("SELECT feed_price_minor FROM skus WHERE seller_sku = 'P4'", NULL), 1100);
    CHECK_INT(
        count(
            "SELECT count(*) FROM sync_run_changes WHERE run_id = $RUN AND field = 'price' AND old = '10.00'"
            " AND new = '11.00' AND entity = 'sku'",
            id),
        1);
    run_is(id, "running", 10, 9, 9, 0);
}

/* Products end while the feed is still being applied; some find that nothing is to be sent. */
static void products_that_end_before_the_feed_does_stay_counted(void)
{
    const struct run_delta nothing_sent = { .done = 1, .unchanged = 1 };
    char id[40];
    struct err e = { 0 };

    reset();
    feed_many(10, -1);
    go(false, RC_OK, NULL);
    run_open(id, false, NULL);
    for (int turn = 0; turn < 2; turn++) {
        OWN_TX struct db_tx *tx = NULL;
        enum rc rc = db_tx_begin(P, "totals", CLIENT, &tx, &e);

        if (rc == RC_OK)
            rc = db_run_start(tx, CLIENT, id, &e);
        if (rc == RC_OK)
            rc = db_feed_run_totals(tx, CLIENT, SHOP, id, 10, turn == 0 ? 2 : 0, &e);
        if (rc == RC_OK && turn == 0)
            rc = db_feed_product_asked(tx, SHOP, "P1", id, &e);
        if (rc == RC_OK && turn == 0)
            rc = db_feed_product_asked(tx, SHOP, "P2", id, &e);
        if (rc == RC_OK && turn == 0)
            rc = db_run_progress(tx, CLIENT, id, &nothing_sent, &e);
        if (rc == RC_OK)
            rc = db_tx_commit(tx, &e);
        CHECK(rc == RC_OK, "%s", e.text);
        run_is(id, "running", 10, 9, 9, 0);
    }
}

static void what_is_written_another_way_is_no_change(void)
{
    reset();
    feed_begin();
    feed_item("1", NULL, "Um produto", "1.299,90", NULL);
    feed_close();
    go(false, RC_OK, NULL);
    published();
    feed_begin();
    feed_item("1", NULL, "Um &amp;nbsp;produto", "R$ 1299.90", "<g:unknown>x</g:unknown>");
    feed_close();
    const char *id = go(false, RC_OK, NULL);

    CHECK_INT(count("SELECT count(*) FROM jobs", NULL), 0);
    run_is(id, "succeeded", 1, 1, 1, 0);
}

static void unpublished_products_are_asked_for_again_unless_parked(void)
{
    reset();
    feed_many(3, -1);
    go(false, RC_OK, NULL);
    fresh_sql(P, "DELETE FROM jobs WHERE entity = 'P0'");
    fresh_sql(P, "UPDATE jobs SET state = 'parked' WHERE entity = 'P1'");
    const char *id = go(false, RC_OK, NULL);

    CHECK_INT(count("SELECT count(*) FROM jobs WHERE run_id = $RUN", id), 2);
    CHECK_INT(count("SELECT count(*) FROM jobs WHERE entity = 'P1' AND state = 'parked'", NULL), 1);
    run_is(id, "running", 3, 1, 1, 0);
}

static void removed_products_are_noted_and_come_back(void)
{
    reset();
    feed_many(4, -1);
    go(false, RC_OK, NULL);
    published();
    feed_many(3, -1);
    go(false, RC_OK, NULL);
    CHECK_INT(
        count(
            "SELECT count(*) FROM products WHERE source_id = 'P3' AND NOT in_feed AND absent_feeds = 1",
            NULL),
        1);
    CHECK_INT(count("SELECT removed FROM sync_runs ORDER BY id DESC LIMIT 1", NULL), 0);
    go(false, RC_OK, NULL);
    CHECK_INT(count("SELECT absent_feeds FROM products WHERE source_id = 'P3'", NULL), 2);
    CHECK_INT(count("SELECT count(*) FROM feed_items", NULL), 3);
    feed_many(4, -1);
    go(false, RC_OK, NULL);
    CHECK_INT(
        count(
            "SELECT count(*) FROM products WHERE source_id = 'P3' AND in_feed AND absent_feeds = 0",
            NULL),
        1);
    CHECK_INT(count("SELECT count(*) FROM jobs", NULL), 0);
    CHECK_INT(count("SELECT count(*) FROM products WHERE status <> 'live'", NULL), 0);
}

static void a_variant_that_goes_or_moves(void)
{
    reset();
    feed_begin();
    feed_item("1", "A", "Bolsa de couro marrom", "10", NULL);
    feed_item("2", "A", "Bolsa de couro preta", "10", NULL);
    feed_item("3", "B", "Cinto", "10", NULL);
    feed_close();
    go(false, RC_OK, NULL);
    published();
    fresh_sql(P, "UPDATE skus SET tiktok_sku_id = 's' || seller_sku");
    feed_begin();
    feed_item("1", "A", "Bolsa de couro marrom", "10", NULL);
    feed_item("3", "A", "Cinto", "10", NULL);
    feed_close();
    go(false, RC_OK, NULL);
    CHECK_INT(count("SELECT count(*) FROM jobs WHERE entity = 'A'", NULL), 1);
    CHECK_INT(count("SELECT count(*) FROM feed_items", NULL), 2);
    CHECK_INT(
        count("SELECT count(*) FROM feed_items WHERE item_id = '3' AND source_id = 'A'", NULL), 1);
    CHECK_INT(count("SELECT count(*) FROM products WHERE source_id = 'B' AND NOT in_feed", NULL),
              1);
    CHECK_INT(
        count(
            "SELECT count(*) FROM skus WHERE seller_sku = '2' AND NOT feed_available AND feed_quantity = 0",
            NULL),
        1);
    published();
    go(false, RC_OK, NULL);
    CHECK_INT(count("SELECT count(*) FROM jobs", NULL), 0);
}

static void bad_feeds_change_nothing(void)
{
    static const struct {
        const char *body;
        const char *code;
    } BAD[] = {
        { "", "feed_empty" },
        { "<!DOCTYPE html><html><body>Em manutencao</body></html>", "feed_html" },
        { "<rss><channel></channel></rss>", "feed_empty" },
        { "<rss><channel><item><id>1</id><title>x</title><price>1</price></item>",
          "feed_truncated" },
        { "<!DOCTYPE r [<!ENTITY a 'b'>]><rss/>", "feed_doctype" },
        { "not xml at all", "feed_not_xml" },
    };

    reset();
    feed_many(5, -1);
    go(false, RC_OK, NULL);
    published();
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        buf_clear(&W.body);
        buf_str(&W.body, BAD[i].body);
        const char *id = go(false, RC_INVALID, BAD[i].code);
        CHECK_INT(
            count(
                "SELECT count(*) FROM sync_runs WHERE id = $RUN AND status = 'failed' AND finished_at IS NOT NULL",
                id),
            1);
    }
    W.status = 404;
    go(false, RC_INVALID, "feed_http_404");
    W.status = 200;
    W.rc = RC_UNSURE;
    feed_many(5, 1);
    go(false, RC_INVALID, "feed_truncated");
    W.rc = RC_INVALID;
    (void)str_copy(W.code, sizeof W.code, "url_blocked");
    go(false, RC_INVALID, "url_blocked");
    W.rc = RC_OK;
    feed_many(2, -1);
    const char *id = go(false, RC_OK, NULL);
    CHECK_INT(count("SELECT count(*) FROM sync_runs WHERE id = $RUN AND status = 'held'", id), 1);
    CHECK_INT(count("SELECT count(*) FROM sync_runs WHERE problem->>'code' = 'feed_shrunk'", NULL),
              1);
    CHECK_INT(count("SELECT count(*) FROM products WHERE in_feed AND absent_feeds = 0", NULL), 5);
    CHECK_INT(count("SELECT count(*) FROM feed_items", NULL), 5);
    CHECK_INT(count("SELECT generation FROM feed_snapshots", NULL), 1);
    CHECK_INT(count("SELECT count(*) FROM jobs", NULL), 0);
    feed_many(3, -1); /* 40 % fewer */
    go(false, RC_OK, NULL);
}

/* One product of many variants can be most of a shop: its variants are counted, too. */
static void most_variants_gone_is_a_shrunken_feed(void)
{
    char id[16];

    reset();
    for (int turn = 0; turn < 2; turn++) {
        feed_begin();
        feed_item("1", NULL, "Garrafa", "10.00 BRL", NULL);
        feed_item("2", NULL, "Caneca", "10.00 BRL", NULL);
        for (int i = 0; i < (turn == 0 ? 20 : 1); i++) {
            (void)str_fmt(id, sizeof id, "V%d", i);
            feed_item(id, "G", "Camiseta", "10.00 BRL", NULL);
        }
        feed_close();
        go(false, RC_OK, NULL);
    }
    CHECK_INT(count("SELECT count(*) FROM sync_runs WHERE problem->>'code' = 'feed_shrunk'", NULL),
              1);
    CHECK_INT(count("SELECT count(*) FROM feed_items", NULL), 22);
    CHECK_INT(count("SELECT count(*) FROM skus WHERE feed_available", NULL), 22);
}

static void a_server_that_is_away_is_tried_again(void)
{
    char id[40];
    struct err e;

    reset();
    W.status = 503;
    run_open(id, false, NULL);
    CHECK(job_go(id, 1, &e) == RC_DOWN);
    CHECK_INT(count("SELECT count(*) FROM sync_runs WHERE id = $RUN AND status = 'running'", id),
              1);
    CHECK(job_go(id, 3, &e) == RC_INVALID);
    CHECK_STR(e.code, "feed_http_503");
    CHECK_INT(count("SELECT count(*) FROM sync_runs WHERE id = $RUN AND status = 'failed'", id), 1);
    CHECK(job_go(id, 4, &e) == RC_OK); /* an ended run is over */
    W.rc = RC_STOPPED;
    run_open(id, false, NULL);
    CHECK(job_go(id, 1, &e) == RC_STOPPED);
}

static void bad_items_are_problems_of_their_products(void)
{
    reset();
    feed_begin();
    feed_item("1", NULL, "Produto bom", "10 BRL", NULL);
    feed_item("2", NULL, "Preco ruim", "abc", NULL);
    feed_item("3", NULL, "", "10 BRL", NULL);
    feed_item("4", NULL, "Outra moeda", "ARS 10,00", NULL);
    feed_item("5 6", NULL, "Espaco no id", "10 BRL", NULL);
    buf_str(&W.body, "<item><g:title>Sem id</g:title><g:price>1</g:price></item>");
    feed_item("1", NULL, "Repetido", "10 BRL", NULL);
    feed_close();
    const char *id = go(false, RC_OK, NULL);

    CHECK_INT(count("SELECT count(*) FROM jobs", NULL), 1);
    CHECK_INT(
        count("SELECT count(*) FROM products WHERE problems @> '[{\"code\": \"invalid_price\"}]'",
              NULL),
        2);
    CHECK_INT(
        count("SELECT count(*) FROM products WHERE problems @> '[{\"code\": \"missing_title\"}]'",
              NULL),
        1);
    CHECK_INT(
        count("SELECT count(*) FROM products WHERE problems @> '[{\"code\": \"invalid_sku_id\"}]'",
              NULL),
        1);
    CHECK_INT(
        count(
            "SELECT count(*) FROM sync_run_changes WHERE outcome = 'warning' AND field IN ('no_id', 'duplicate_id')",
            NULL),
        2);
    run_is(id, "running", 5, 4, 0, 4);
}

static void a_slip_does_not_remove_a_variant(void)
{
    reset();
    feed_begin();
    feed_item("1", "A", "Bolsa de couro marrom", "10", NULL);
    feed_item("2", "A", "Bolsa de couro preta", "12", NULL);
    feed_close();
    go(false, RC_OK, NULL);
    published();
    feed_begin();
    feed_item("1", "A", "Bolsa de couro marrom", "11", NULL);
    feed_item("2", "A", "Bolsa de couro preta", "preco", NULL);
    feed_close();
    go(false, RC_OK, NULL);
    CHECK_INT(count("SELECT jsonb_array_length(desired->'items') FROM products", NULL), 2);
    CHECK_INT(
        count("SELECT feed_price_minor FROM skus WHERE seller_sku = '2' AND feed_available", NULL),
        1200);
    CHECK_INT(count("SELECT feed_price_minor FROM skus WHERE seller_sku = '1'", NULL), 1100);
    CHECK_INT(
        count("SELECT count(*) FROM products WHERE problems @> '[{\"code\": \"invalid_price\"}]'",
              NULL),
        1);
}

static void a_dry_run_writes_only_what_would_change(void)
{
    reset();
    feed_many(4, -1);
    const char *id = go(true, RC_OK, NULL);

    CHECK_INT(count("SELECT count(*) FROM products", NULL), 0);
    CHECK_INT(
        count(
            "SELECT (SELECT count(*) FROM skus) + (SELECT count(*) FROM jobs) + (SELECT count(*) FROM feed_items)"
            " + (SELECT count(*) FROM feed_snapshots) + (SELECT count(*) FROM feed_stage)",
            NULL),
        0);
    CHECK_INT(
        count("SELECT count(*) FROM sync_run_changes WHERE run_id = $RUN AND action = 'create' AND"
              " outcome = 'planned' AND entity = 'product'",
              id),
        4);
    CHECK_INT(count("SELECT count(*) FROM sync_run_changes WHERE run_id = $RUN AND entity = 'sku'"
                    " AND action = 'create' AND seller_sku = source_id",
                    id),
              4);
    run_is(id, "succeeded", 4, 4, 0, 0);
    CHECK_INT(count("SELECT created FROM sync_runs WHERE id = $RUN", id), 4);
    go(false, RC_OK, NULL);
    published();
    feed_many(3, 2);
    id = go(true, RC_OK, NULL);
    CHECK_INT(
        count("SELECT count(*) FROM sync_run_changes WHERE run_id = $RUN AND action = 'remove'",
              id),
        1);
    CHECK_INT(
        count("SELECT count(*) FROM sync_run_changes WHERE run_id = $RUN AND field = 'price'", id),
        1);
    CHECK_INT(count("SELECT count(*) FROM products WHERE in_feed", NULL), 4);
    CHECK_INT(count("SELECT feed_price_minor FROM skus WHERE seller_sku = 'P2'", NULL), 1000);
    run_is(id, "succeeded", 3, 3, 2, 0);
}

static void a_routine_look_asks_with_the_validator(void)
{
    struct err e;

    reset();
    feed_many(2, -1);
    (void)str_copy(W.etag, sizeof W.etag, "\"v1\"");
    CHECK(job_go("", 1, &e) == RC_OK, "%s", e.text);
    CHECK_STR(W.seen_if_none, "");
    CHECK_INT(count("SELECT count(*) FROM products", NULL), 2);
    W.status = 304;
    CHECK(job_go("", 1, &e) == RC_OK, "%s", e.text);
    CHECK_STR(W.seen_if_none, "\"v1\"");
    W.status = 200;
    go(false, RC_OK, NULL);
    CHECK_STR(W.seen_if_none, "");
}

static void the_sku_rule_changes_the_ids(void)
{
    reset();
    feed_begin();
    feed_item("301_1201", NULL, "Camiseta", "10", "<g:mpn>REF-9</g:mpn>");
    feed_close();
    go(false, RC_OK, NULL);
    CHECK_INT(count("SELECT count(*) FROM skus WHERE seller_sku = '301_1201'", NULL), 1);
    fresh_sql(
        P,
        "UPDATE clients SET policies = '{\"price\": {\"source\": \"feed\"}, \"sku_id\": {\"rule\": \"last_part\"}}'");
    go(false, RC_OK, NULL);
    CHECK_INT(
        count("SELECT count(*) FROM skus WHERE seller_sku = '1201' AND source_sku = '301_1201'",
              NULL),
        1);
    fresh_sql(
        P,
        "UPDATE clients SET policies = '{\"price\": {\"source\": \"feed\"}, \"sku_id\": {\"rule\": \"vtex_ref_id\"}}'");
    go(false, RC_OK, NULL);
    CHECK_INT(count("SELECT count(*) FROM skus WHERE seller_sku = 'REF-9'", NULL), 1);

    /* Only the VTEX id that is looked up by it has to please TikTok. */
    feed_begin();
    feed_item("301_1201", NULL, "Camiseta", "10",
              "<g:mpn>REF 9 / camiseta de algodao azul, tamanho medio, 2026</g:mpn>");
    feed_close();
    go(false, RC_OK, NULL);
    CHECK_INT(count("SELECT count(*) FROM skus WHERE seller_sku ="
                    " 'REF 9 / camiseta de algodao azul, tamanho medio, 2026'",
                    NULL),
              1);
    CHECK_INT(count("SELECT count(*) FROM products WHERE problems @>"
                    " '[{\"code\": \"invalid_sku_id\"}]'",
                    NULL),
              0);
}

static void latin1_by_the_http_header(void)
{
    reset();
    (void)str_copy(W.type, sizeof W.type, "text/xml; charset=\"ISO-8859-1\"");
    buf_str(
        &W.body,
        "<rss xmlns:g=\"http://base.google.com/ns/1.0\"><channel><item><g:id>1</g:id><g:title>Pe\xE7"
        "a de roupa</g:title>"
        "<g:price>1</g:price></item></channel></rss>");
    go(false, RC_OK, NULL);
    CHECK_INT(count("SELECT count(*) FROM products WHERE title = 'Pe\xC3\xA7"
                    "a de roupa'",
                    NULL),
              1);
}

/* A group larger than a page of staged rows, between two others. */
static void a_group_of_thousands(void)
{
    char id[16];

    reset();
    feed_begin();
    feed_item("first", "A", "Primeiro produto", "10", NULL);
    for (int i = 0; i < 2500; i++) {
        (void)str_fmt(id, sizeof id, "V%04d", i);
        feed_item(id, "B", "Produto enorme", "10", NULL);
    }
    feed_item("last", "C", "Ultimo produto", "10", NULL);
    feed_close();
    const char *run = go(false, RC_OK, NULL);

    CHECK_INT(count("SELECT count(*) FROM products", NULL), 3);
    CHECK_INT(
        count("SELECT jsonb_array_length(desired->'items') FROM products WHERE source_id = 'B'"
              " AND problems @> '[{\"code\": \"too_many_variants\"}]'",
              NULL),
        300);
    CHECK_INT(count("SELECT count(*) FROM feed_items", NULL), 2502);
    CHECK_INT(count("SELECT count(*) FROM feed_stage", NULL), 0);
    run_is(run, "running", 3, 0, 0, 0);
    published();
    go(false, RC_OK, NULL);
    CHECK_INT(count("SELECT count(*) FROM jobs", NULL), 0);
}

/* The same end wherever the process dies: first a child that exits at the n-th transaction, then a whole run. */
static void killed_anywhere(void)
{
    for (int n = 2; n <= 8; n++) {
        char id[40];
        struct err e;
        int status = 0;

        reset();
        feed_many(250, -1);
        go(false, RC_OK, NULL);
        published();
        feed_many(240, 7);
        run_open(id, false, NULL);
        W.txs = 0;
        pid_t child = fork();
        if (child == 0) {
            struct db_pool *parent = P;

            if (db_pool_new(F.url, 2, 30000, F.ring, &P, &e) != RC_OK || parent == NULL)
                _exit(1);
            W.die_at_tx = n;
            _exit(job_go(id, 1, &e) == RC_OK ? 0 : 2);
        }
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status) && (WEXITSTATUS(status) == 9 || WEXITSTATUS(status) == 0),
              "status %d", status);
        W.txs = 0;
        CHECK(job_go(id, 2, &e) == RC_OK, "%s", e.text);
        CHECK_INT(count("SELECT count(*) FROM feed_items", NULL), 240);
        CHECK_INT(count("SELECT count(*) FROM feed_stage", NULL), 0);
        CHECK_INT(
            count("SELECT count(*) FROM products WHERE NOT in_feed AND absent_feeds = 1", NULL),
            10);
        CHECK_INT(
            count("SELECT count(*) FROM jobs WHERE kind = 'product_publish' AND entity = 'P7'",
                  NULL),
            1);
        CHECK_INT(count("SELECT count(*) FROM jobs", NULL), 1);
        run_is(id, "running", 240, 239, 239, 0);
    }
}

static void common_titles(void)
{
    static const char *const T[][3] = {
        { "Camiseta Basica Preta M", "Camiseta Basica Preta G", "Camiseta Basica Preta" },
        { "Tenis Corrida - 38", "Tenis Corrida - 39", "Tenis Corrida" },
        { "Azul", "Verde", "Azul" },
        { "Camiseta Basica", "Camiseta Basica Preta", "Camiseta Basica" },
        { "Vestido longo", "Vestido longo", "Vestido longo" },
        { "Garrafa Termica Azul", "Garrafa Termica Azulejo", "Garrafa Termica" },
    };

    for (size_t i = 0; i < sizeof T / sizeof T[0]; i++) {
        char title[64];

        (void)str_copy(title, sizeof title, T[i][0]);
        map_feed_common_title(title, T[i][1]);
        CHECK_STR(title, T[i][2]);
    }
}

static void client_make(void)
{
    fresh_sql(P, "INSERT INTO clients (client_id, name) VALUES ('" CLIENT "', 'Loja Exemplo')");
    fresh_sql(P, "INSERT INTO shops (shop_id, client_id, open_id) VALUES ('" SHOP "', '" CLIENT
                 "', 'o1')");
}

int main(void)
{
    struct err e = { 0 };

    fresh_open(&F, "feed", true);
    if (db_pool_new(F.url, 3, 30000, F.ring, &P, &e) != RC_OK) {
        printf("pool: %s\n", e.text);
        return 1;
    }
    buf_init(&W.body, (size_t)8 << 20);
    client_make();
    CASE(common_titles);
    CASE(a_first_feed_makes_products_skus_and_jobs);
    CASE(the_same_feed_again_changes_nothing);
    CASE(one_changed_price_asks_for_one_product);
    CASE(products_that_end_before_the_feed_does_stay_counted);
    CASE(what_is_written_another_way_is_no_change);
    CASE(unpublished_products_are_asked_for_again_unless_parked);
    CASE(removed_products_are_noted_and_come_back);
    CASE(a_variant_that_goes_or_moves);
    CASE(bad_feeds_change_nothing);
    CASE(most_variants_gone_is_a_shrunken_feed);
    CASE(a_server_that_is_away_is_tried_again);
    CASE(bad_items_are_problems_of_their_products);
    CASE(a_slip_does_not_remove_a_variant);
    CASE(a_dry_run_writes_only_what_would_change);
    CASE(a_routine_look_asks_with_the_validator);
    CASE(the_sku_rule_changes_the_ids);
    CASE(latin1_by_the_http_header);
    CASE(a_group_of_thousands);
    CASE(killed_anywhere);
    db_pool_free(P);
    fresh_close(&F);
    buf_done(&W.body);
    return CHECK_END();
}
