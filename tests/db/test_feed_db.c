/* test_feed_db.c - what a feed changes, product by product, on a real database. */
#include "feed_rig.h"

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

static void cases(void)
{
    CASE(common_titles);
    CASE(a_first_feed_makes_products_skus_and_jobs);
    CASE(the_same_feed_again_changes_nothing);
    CASE(one_changed_price_asks_for_one_product);
    CASE(products_that_end_before_the_feed_does_stay_counted);
    CASE(what_is_written_another_way_is_no_change);
    CASE(unpublished_products_are_asked_for_again_unless_parked);
    CASE(removed_products_are_noted_and_come_back);
    CASE(a_variant_that_goes_or_moves);
}

int main(void)
{
    return rig_main(cases);
}
