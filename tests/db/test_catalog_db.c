/* test_catalog_db.c - TikTok's listing of a shop and what it matches, on a real PostgreSQL. */
#include "check.h"
#include "fresh.h"

#include "db_catalog.h"
#include "db_order.h"
#include "db_product.h"
#include "jspec.h"
#include "str.h"

#define CLIENT "client-catalog"
#define OTHER "client-other-1"
#define SHOP "7494049642642441621"
#define HASH "00000000-0000-0000-0000-000000000001"

static struct fresh F;
static struct db_pool *P;

static struct db_tx *begin(const char *tenant)
{
    struct db_tx *tx = NULL;
    struct err e = { 0 };

    CHECK(db_tx_begin(P, "test", tenant, &tx, &e) == RC_OK, "%s", e.text);
    return tx;
}

static void commit(struct db_tx *tx)
{
    struct err e = { 0 };

    CHECK(db_tx_commit(tx, &e) == RC_OK, "%s", e.text);
    db_tx_free(tx);
}

static json_t *list_new(const char *text)
{
    json_t *list = NULL;
    struct err e = { 0 };

    CHECK(jspec_parse(text, strlen(text), 0, &list, &e) == RC_OK, "%s", e.text);
    return list;
}

static void put(const char *text, bool detail)
{
    struct db_tx *tx = begin(CLIENT);
    json_t *list = list_new(text);
    struct err e = { 0 };

    CHECK(db_catalog_put(tx, CLIENT, SHOP, list, detail, &e) == RC_OK, "%s", e.text);
    json_decref(list);
    commit(tx);
}

static void feed_product(const char *source_id, const char *code)
{
    struct db_tx *tx = begin(CLIENT);
    json_t *desired = json_pack("{s:s}", "title", source_id);
    struct sku sku = { .feed_price_minor = 100, .feed_available = true, .feed_quantity = -1 };
    struct err e = { 0 };

    CHECK(db_product_put_desired(tx, CLIENT, SHOP, source_id, source_id, NULL, "Moda", desired,
                                 HASH, NULL, &e) == RC_OK,
          "%s", e.text);
    (void)str_copy(sku.seller_sku, sizeof sku.seller_sku, code);
    (void)str_copy(sku.source_sku, sizeof sku.source_sku, code);
    CHECK(db_sku_put_feed(tx, CLIENT, SHOP, source_id, 0, &sku, &e) == RC_OK, "%s", e.text);
    json_decref(desired);
    commit(tx);
}

static int64_t count(const char *sql)
{
    return fresh_count(P, sql);
}

static void pages_are_stored_and_forgotten(void)
{
    struct catalog_state state = { 0 };
    struct err e = { 0 };
    struct db_tx *tx;

    put("[{\"id\": \"11\", \"title\": \"Um\", \"status\": \"ACTIVATE\", \"create_time\": 1700000000,"
        " \"update_time\": 1700000001, \"skus\": [{\"id\": \"111\", \"seller_sku\": \"A\", \"price\":"
        " {\"currency\": \"BRL\", \"sale_price\": \"12.5\"}, \"inventory\": [{\"warehouse_id\": \"7\","
        " \"quantity\": 4}]}, {\"id\": \"112\"}]}, {\"id\": \"12\", \"status\": \"DRAFT\", \"skus\":"
        " [{\"id\": \"121\", \"seller_sku\": \"B\"}]}, {\"id\": \"13\", \"status\": \"DELETED\","
        " \"skus\": [{\"id\": \"131\"}]}, {\"title\": \"no id\"}]",
        false);
    CHECK_INT(count("SELECT count(*) AS n FROM tiktok_catalog"), 2);
    CHECK_INT(count("SELECT count(*) AS n FROM tiktok_catalog_skus"), 3);
    CHECK_INT(count("SELECT price_minor AS n FROM tiktok_catalog_skus WHERE tiktok_sku_id = '111'"),
              1250);
    CHECK_INT(count("SELECT (inventory->0->>'quantity')::bigint AS n FROM tiktok_catalog_skus"
                    " WHERE tiktok_sku_id = '111'"),
              4);
    /* a SKU that is gone, and one product that is deleted */
    put("[{\"id\": \"11\", \"status\": \"ACTIVATE\", \"update_time\": 1700000001, \"skus\": [{\"id\":"
        " \"111\", \"seller_sku\": \"A\"}]}, {\"id\": \"12\", \"status\": \"DELETED\"}]",
        false);
    CHECK_INT(count("SELECT count(*) AS n FROM tiktok_catalog"), 1);
    CHECK_INT(count("SELECT count(*) AS n FROM tiktok_catalog_skus"), 1);
    tx = begin(CLIENT);
    CHECK(db_catalog_state(tx, SHOP, &state, &e) == RC_OK, "%s", e.text);
    CHECK(state.read_us == 0 && state.full_us == 0 && state.details_us == 0 && !state.wanted);
    CHECK(db_catalog_listed(tx, CLIENT, SHOP, false, state.now_us, &e) == RC_OK, "%s", e.text);
    CHECK(db_catalog_state(tx, SHOP, &state, &e) == RC_OK, "%s", e.text);
    CHECK(state.read_us > 0 && state.full_us == 0 && state.listed_to_us > 0);
    CHECK_INT(count("SELECT count(*) AS n FROM tiktok_catalog"), 1); /* not a full one */
    CHECK(db_catalog_listed(tx, CLIENT, SHOP, true, state.now_us, &e) == RC_OK, "%s", e.text);
    CHECK(db_catalog_state(tx, SHOP, &state, &e) == RC_OK, "%s", e.text);
    CHECK(state.full_us > 0);
    commit(tx);
    CHECK_INT(count("SELECT count(*) AS n FROM tiktok_catalog"), 0);
    CHECK_INT(count("SELECT count(*) AS n FROM tiktok_catalog_skus"), 0);
}

static int undetailed(void)
{
    struct db_tx *tx = begin(CLIENT);
    struct db_rows *rows = NULL;
    struct err e = { 0 };
    int n;

    CHECK(db_catalog_undetailed(tx, SHOP, "", 10, &rows, &e) == RC_OK, "%s", e.text);
    n = db_rows_count(rows);
    db_rows_free(rows);
    rows = NULL;
    commit(tx);
    return n;
}

static void details_are_read_where_no_code_explains(void)
{
    feed_product("G1", "A");
    put("[{\"id\": \"21\", \"status\": \"ACTIVATE\", \"update_time\": 5, \"skus\": [{\"id\": \"211\","
        " \"seller_sku\": \"A\"}]}, {\"id\": \"22\", \"status\": \"ACTIVATE\", \"update_time\": 5,"
        " \"skus\": [{\"id\": \"221\", \"seller_sku\": \"Z\"}]}]",
        false);
    CHECK_INT(undetailed(), 1); /* the first is known by its code */
    put("[{\"id\": \"22\", \"status\": \"ACTIVATE\", \"update_time\": 5, \"external_product_id\": \"G9\","
        " \"skus\": [{\"id\": \"221\", \"seller_sku\": \"Z\", \"external_sku_id\": \"G9-1\"}]}]",
        true);
    CHECK_INT(undetailed(), 0);
    put("[{\"id\": \"22\", \"status\": \"ACTIVATE\", \"update_time\": 5, \"skus\": [{\"id\": \"221\","
        " \"seller_sku\": \"Z\"}]}]",
        false);
    CHECK_INT(undetailed(), 0); /* listed again as it was: what is known stays */
    CHECK_INT(count("SELECT count(*) AS n FROM tiktok_catalog_skus WHERE external_sku_id = 'G9-1'"),
              1);
    put("[{\"id\": \"22\", \"status\": \"ACTIVATE\", \"update_time\": 6, \"skus\": [{\"id\": \"221\","
        " \"seller_sku\": \"Z\"}]}]",
        false);
    CHECK_INT(undetailed(), 1); /* changed since */
}

static int matches(const char *source_id, const char *code, struct catalog_match *out)
{
    struct db_tx *tx = begin(CLIENT);
    struct err e = { 0 };
    int n = 0;

    CHECK(db_catalog_matches(tx, SHOP, source_id, &code, 1, out, &n, &e) == RC_OK, "%s", e.text);
    commit(tx);
    return n;
}

static void matches_by_external_id_and_code(void)
{
    struct catalog_match m[CATALOG_MATCHES_MAX];
    struct db_tx *tx;
    struct err e = { 0 };
    bool linked = false;
    json_t *none = json_object();

    feed_product("G2", "B");
    put("[{\"id\": \"31\", \"title\": \"Dois\", \"status\": \"ACTIVATE\", \"external_product_id\": \"G2\","
        " \"skus\": [{\"id\": \"311\", \"seller_sku\": \"X\"}]}, {\"id\": \"32\", \"status\":"
        " \"ACTIVATE\", \"skus\": [{\"id\": \"321\", \"seller_sku\": \"A\"}, {\"id\": \"322\","
        " \"seller_sku\": \"B\"}]}]",
        true);
    CHECK_INT(matches("G2", "B", m), 2);
    CHECK(m[0].external && !m[1].external);
    CHECK_STR(m[0].tiktok_product_id, "31");
    CHECK_STR(m[0].title, "Dois");
    CHECK_STR(m[0].other_source, "");
    CHECK_STR(m[1].tiktok_product_id, "32");
    CHECK_STR(m[1].other_source, "G1"); /* its other SKU */
    CHECK_INT(matches("G7", "nothing", m), 0);

    tx = begin(CLIENT);
    CHECK(db_catalog_adopt(tx, SHOP, "G2", "31", "live", "600", none, &linked, &e) == RC_OK, "%s",
          e.text);
    CHECK(linked);
    CHECK(db_catalog_adopt(tx, SHOP, "G1", "31", "live", "", none, &linked, &e) == RC_OK, "%s",
          e.text);
    CHECK(!linked); /* taken */
    commit(tx);
    CHECK_INT(matches("G1", "A", m), 2);
    CHECK_STR(m[0].tiktok_product_id, "21");
    CHECK_STR(m[1].tiktok_product_id, "32");
    CHECK_INT(matches("G3", "X", m), 1);
    CHECK_STR(m[0].linked_source, "G2");
    CHECK_INT(
        count("SELECT count(*) AS n FROM products WHERE source_id = 'G2' AND adopted_at IS NOT NULL"
              " AND tiktok_category_id = '600'"),
        1);
    json_decref(none);
}

static void links_and_drift(void)
{
    struct db_tx *tx = begin(CLIENT);
    struct catalog_state state = { 0 };
    struct db_rows *rows = NULL;
    struct err e = { 0 };

    CHECK(db_catalog_links(tx, SHOP, "", 10, &rows, &e) == RC_OK, "%s", e.text);
    CHECK_INT(db_rows_count(rows), 1);
    CHECK_STR(db_text(rows, 0, "source_id"), "G1");
    CHECK_STR(db_text(rows, 0, "tiktok_product_id"), "21");
    CHECK_STR(db_text(rows, 0, "how"), "seller_sku");
    db_rows_free(rows);
    rows = NULL;
    CHECK(db_catalog_drift(tx, SHOP, "", 10, &rows, &e) == RC_OK, "%s", e.text);
    CHECK_INT(db_rows_count(rows), 0);
    db_rows_free(rows);
    rows = NULL;
    CHECK(db_catalog_drop(tx, SHOP, "31", &e) == RC_OK, "%s", e.text);
    commit(tx);
    tx = begin(CLIENT);
    CHECK(db_catalog_state(tx, SHOP, &state, &e) == RC_OK, "%s", e.text);
    CHECK(db_catalog_listed(tx, CLIENT, SHOP, true, state.now_us - 1, &e) == RC_OK, "%s", e.text);
    CHECK(db_catalog_drift(tx, SHOP, "", 10, &rows, &e) == RC_OK, "%s", e.text);
    CHECK_INT(db_rows_count(rows), 1);
    CHECK_STR(db_text(rows, 0, "source_id"), "G2");
    CHECK_STR(db_text(rows, 0, "old"), "live");
    CHECK_STR(db_text(rows, 0, "new"), "deleted");
    db_rows_free(rows);
    rows = NULL;
    commit(tx);
}

static void unlinked_skus_are_the_tenants_own(void)
{
    struct db_tx *tx;
    json_t *items = NULL;
    struct err e = { 0 };
    char next[160];

    fresh_sql(P, "DELETE FROM tiktok_catalog");
    put("[{\"id\": \"41\", \"title\": \"Quatro\", \"status\": \"ACTIVATE\", \"skus\": [{\"id\": \"411\","
        " \"seller_sku\": \"K\"}]}]",
        false);
    tx = begin(CLIENT);
    CHECK(db_order_sku_unlinked(tx, CLIENT, SHOP, "999", "Q", "De um pedido", &e) == RC_OK);
    CHECK(db_order_unlinked_list(tx, CLIENT, "", 1, &items, next, &e) == RC_OK, "%s", e.text);
    CHECK_STR(jspec_text(json_array_get(items, 0), "tiktok_sku_id"), "999");
    CHECK_STR(jspec_text(json_array_get(items, 0), "seen_in"), "order");
    CHECK_STR(next, "0999");
    json_decref(items);
    CHECK(db_order_unlinked_list(tx, CLIENT, next, 1, &items, next, &e) == RC_OK, "%s", e.text);
    CHECK_STR(jspec_text(json_array_get(items, 0), "tiktok_sku_id"), "411");
    CHECK_STR(jspec_text(json_array_get(items, 0), "product_name"), "Quatro");
    CHECK_STR(jspec_text(json_array_get(items, 0), "seen_in"), "catalog");
    CHECK_STR(next, "");
    json_decref(items);
    CHECK(db_order_unlinked_link(tx, CLIENT, "411", "77", "token:test", NULL, &e) == RC_OK, "%s",
          e.text);
    CHECK(db_order_unlinked_link(tx, CLIENT, "411", "78", "token:test", NULL, &e) == RC_OK);
    CHECK_INT(db_order_unlinked_link(tx, CLIENT, "000", "77", "token:test", NULL, &e),
              RC_NOT_FOUND);
    CHECK(db_order_unlinked_list(tx, CLIENT, "0999", 5, &items, next, &e) == RC_OK);
    CHECK_INT(json_array_size(items), 0);
    json_decref(items);
    commit(tx);
    tx = begin(OTHER);
    CHECK(db_order_unlinked_list(tx, CLIENT, "", 5, &items, next, &e) == RC_OK);
    CHECK_INT(json_array_size(items), 0); /* row-level security */
    json_decref(items);
    commit(tx);
}

int main(void)
{
    struct err e = { 0 };

    fresh_open(&F, "catalog", true);
    if (db_pool_new(F.url, 3, 10000, F.ring, &P, &e) != RC_OK) {
        printf("%s\n", e.text);
        return 1;
    }
    fresh_sql(P, "INSERT INTO clients (client_id, name) VALUES ('" CLIENT "', 'Loja'), ('" OTHER
                 "', 'Outra')");
    fresh_sql(P, "INSERT INTO shops (shop_id, client_id, open_id, region) VALUES ('" SHOP
                 "', '" CLIENT "', 'o', 'BR')");
    CASE(pages_are_stored_and_forgotten);
    CASE(details_are_read_where_no_code_explains);
    CASE(matches_by_external_id_and_code);
    CASE(links_and_drift);
    CASE(unlinked_skus_are_the_tenants_own);
    db_pool_free(P);
    fresh_close(&F);
    return CHECK_END();
}
