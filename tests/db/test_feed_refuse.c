/* test_feed_refuse.c - feeds and items that cannot be trusted, dry runs, and runs killed half-way. */
#include "feed_rig.h"

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

static void cases(void)
{
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
}

int main(void)
{
    return rig_main(cases);
}
