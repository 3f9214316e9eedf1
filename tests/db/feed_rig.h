/* feed_rig.h - what tests of feed runs share: a played feed server, runs, counts. */
#ifndef FEED_RIG_H
#define FEED_RIG_H

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

static inline void feed_begin(void)
{
    buf_clear(&W.body);
    buf_str(&W.body,
            "<?xml version=\"1.0\"?><rss xmlns:g=\"http://base.google.com/ns/1.0\"><channel>");
}

static inline void feed_item(const char *id, const char *group, const char *title,
                             const char *price, const char *more)
{
    buf_fmt(&W.body, "<item><g:id>%s</g:id>", id);
    if (group != NULL)
        buf_fmt(&W.body, "<g:item_group_id>%s</g:item_group_id>", group);
    buf_fmt(&W.body,
            "<g:title>%s</g:title><g:price>%s</g:price><g:availability>in stock</g:availability>"
            "<g:image_link>https://img.example/%s.jpg</g:image_link>%s</item>",
            title, price, id, more != NULL ? more : "");
}

static inline void feed_close(void)
{
    buf_str(&W.body, "</channel></rss>");
}

/* n products "P0".. of one item each, prices 10.00 but for `changed`. */
static inline void feed_many(int n, int changed)
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

static inline void reset(void)
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

static inline void run_open(char id[40], bool dry, const char *url)
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

static inline enum rc job_go(const char *run_id, int attempts, struct err *e)
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
static inline const char *go(bool dry, enum rc want, const char *code)
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
static inline int64_t count(const char *sql, const char *run)
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

static inline void run_is(const char *id, const char *status, int total, int done, int unchanged,
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

static inline void published(void)
{
    fresh_sql(P, "DELETE FROM jobs");
    fresh_sql(
        P,
        "UPDATE products SET status = 'live', published_hash = desired_hash, tiktok_product_id = 't' || source_id");
}

static inline void client_make(void)
{
    fresh_sql(P, "INSERT INTO clients (client_id, name) VALUES ('" CLIENT "', 'Loja Exemplo')");
    fresh_sql(P, "INSERT INTO shops (shop_id, client_id, open_id) VALUES ('" SHOP "', '" CLIENT
                 "', 'o1')");
}

/* Sets up, runs the cases, takes down; the exit code. */
static inline int rig_main(void (*cases)(void))
{
    struct err e = { 0 };

    fresh_open(&F, "feed", true);
    if (db_pool_new(F.url, 3, 30000, F.ring, &P, &e) != RC_OK) {
        printf("pool: %s\n", e.text);
        return 1;
    }
    buf_init(&W.body, (size_t)8 << 20);
    client_make();
    cases();
    db_pool_free(P);
    fresh_close(&F);
    buf_done(&W.body);
    return CHECK_END();
}

#endif
