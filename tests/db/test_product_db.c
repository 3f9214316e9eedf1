/* test_product_db.c - products, SKUs, caches and logs on a real PostgreSQL. */
#include "check.h"
#include "fresh.h"

#include "db_brand.h"
#include "db_image.h"
#include "db_product.h"
#include "jspec.h"
#include "str.h"

#define CLIENT "client-products"
#define OTHER "client-other"
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

static void put_product(const char *source_id, const char *title)
{
    struct db_tx *tx = begin(CLIENT);
    json_t *desired = json_pack("{s:s, s:[{s:s}]}", "title", title, "items", "id", "1201");
    struct err e = { 0 };

    CHECK(db_product_put_desired(tx, CLIENT, SHOP, source_id, title, "Aurora", "Moda > Camisetas",
                                 desired, HASH, "run-1", &e) == RC_OK,
          "%s", e.text);
    json_decref(desired);
    commit(tx);
}

static enum rc put_sku(const char *source_id, const char *code, int position)
{
    struct db_tx *tx = begin(CLIENT);
    struct sku sku = { .feed_price_minor = 6990, .feed_available = true, .feed_quantity = -1 };
    struct err e = { 0 };

    (void)str_copy(sku.seller_sku, sizeof(sku.seller_sku), code);
    (void)str_copy(sku.source_sku, sizeof(sku.source_sku), code);
    enum rc rc = db_sku_put_feed(tx, CLIENT, SHOP, source_id, position, &sku, &e);

    commit(tx); /* a refused SKU leaves the transaction usable */
    return rc;
}

static void feed_side_is_kept(void)
{
    struct product p = { 0 };
    struct err e = { 0 };

    put_product("301", "Camiseta");
    CHECK_INT(put_sku("301", "1202", 1), RC_OK);
    CHECK_INT(put_sku("301", "1201", 0), RC_OK);
    put_product("402", "Garrafa");
    CHECK_INT(put_sku("402", "1201", 0), RC_DUPLICATE);

    struct db_tx *tx = begin(CLIENT);

    CHECK(db_product_get(tx, SHOP, "301", &p, &e) == RC_OK, "%s", e.text);
    CHECK_STR(p.title, "Camiseta");
    CHECK_STR(p.status, "waiting");
    CHECK_STR(p.source_category, "Moda > Camisetas");
    CHECK_STR(p.desired_hash, HASH);
    CHECK_STR(jspec_text(p.desired, "title"), "Camiseta");
    CHECK_INT(p.n_skus, 2);
    CHECK_STR(p.skus[0].seller_sku, "1201");
    CHECK_INT(p.skus[0].feed_quantity, -1);
    CHECK_INT(p.skus[0].stock_published, -1);
    CHECK_INT(p.skus[0].feed_price_minor, 6990);
    db_product_done(&p);
    CHECK_INT(db_product_get(tx, SHOP, "999", &p, &e), RC_NOT_FOUND);
    commit(tx);
}

static void create_keeps_its_key(void)
{
    struct db_tx *tx = begin(CLIENT);
    struct product p = { 0 };
    char first[132] = "key-1";
    char second[132] = "key-2";
    struct err e = { 0 };

    CHECK(db_product_create_begin(tx, SHOP, "301", first, &e) == RC_OK, "%s", e.text);
    CHECK_STR(first, "key-1");
    CHECK(db_product_create_begin(tx, SHOP, "301", second, &e) == RC_OK, "%s", e.text);
    CHECK_STR(second, "key-1"); /* the same logical create */
    CHECK(db_product_get(tx, SHOP, "301", &p, &e) == RC_OK);
    CHECK_STR(p.status, "publishing");
    CHECK(p.create_sent_us > 0);
    db_product_done(&p);
    CHECK(db_product_create_refused(tx, SHOP, "301", &e) == RC_OK);
    CHECK(db_product_create_begin(tx, SHOP, "301", second, &e) == RC_OK);
    (void)str_copy(second, sizeof(second), "key-3");
    CHECK(db_product_create_refused(tx, SHOP, "301", &e) == RC_OK);
    CHECK(db_product_create_begin(tx, SHOP, "301", second, &e) == RC_OK);
    CHECK_STR(second, "key-3"); /* another logical create after a refusal */
    commit(tx);
}

static void acknowledged_values(void)
{
    struct db_tx *tx = begin(CLIENT);
    json_t *body = json_pack("{s:s}", "title", "Camiseta");
    json_t *trace = json_pack("{s:[{s:s}], s:[]}", "inputs", "name", "price", "rules");
    struct product p = { 0 };
    struct err e = { 0 };
    char source[256];
    const struct sku_values v = { .seller_sku = "1201",
                                  .price_minor = 6990,
                                  .price_inputs = trace,
                                  .stock = 7,
                                  .stock_inputs = trace };

    CHECK(db_sku_desired(tx, SHOP, &v, &e) == RC_OK, "%s", e.text);
    CHECK(db_product_get(tx, SHOP, "301", &p, &e) == RC_OK);
    CHECK(p.skus[0].values_differ && !p.skus[1].values_differ);
    db_product_done(&p);
    CHECK(db_product_published(tx, SHOP, "301", "1729592969712207008", HASH, body, "in_review",
                               NULL, &e) == RC_OK,
          "%s", e.text);
    CHECK(db_sku_published(tx, SHOP, "1201", "1729592969712207012", 6990, 7, &e) == RC_OK, "%s",
          e.text);
    CHECK(db_product_get(tx, SHOP, "301", &p, &e) == RC_OK);
    CHECK_STR(p.tiktok_product_id, "1729592969712207008");
    CHECK_INT(p.create_sent_us, 0);
    CHECK_INT(p.skus[0].price_published_minor, 6990);
    CHECK_INT(p.skus[0].stock_published, 7);
    CHECK(!p.skus[0].values_differ);
    CHECK(json_equal(p.published, body));
    db_product_done(&p);
    CHECK(db_sku_published(tx, SHOP, "1201", NULL, 0, 0, &e) ==
          RC_OK); /* sold out; the price stays */
    CHECK(db_product_by_tiktok(tx, SHOP, "1729592969712207008", source, &e) == RC_OK);
    CHECK_STR(source, "301");
    CHECK_INT(db_product_by_tiktok(tx, SHOP, "1", source, &e), RC_NOT_FOUND);
    CHECK(db_sku_prune(tx, SHOP, "301", NULL, 0, &e) == RC_OK, "%s", e.text);
    CHECK(db_product_get(tx, SHOP, "301", &p, &e) == RC_OK);
    CHECK_INT(p.n_skus, 1); /* the published one stays */
    CHECK_INT(p.skus[0].stock_published, 0);
    CHECK_INT(p.skus[0].price_published_minor, 6990);
    db_product_done(&p);
    json_decref(body);
    json_decref(trace);
    commit(tx);
}

static void runs_count_once(void)
{
    struct db_tx *tx = begin(CLIENT);
    struct err e = { 0 };
    bool first = false;

    CHECK(db_product_count_run(tx, SHOP, "301", "run-1", &first, &e) == RC_OK && first);
    CHECK(db_product_count_run(tx, SHOP, "301", "run-1", &first, &e) == RC_OK && !first);
    CHECK(db_product_count_run(tx, SHOP, "301", "run-2", &first, &e) == RC_OK && first);
    commit(tx);
}

static void images(void)
{
    static const unsigned char HASH_BYTES[32] = { 1, 2, 3 };
    static const unsigned char REFUSED[32] = { 4, 5, 6 };
    struct db_tx *tx = begin(CLIENT);
    struct image_row row = { .uri = "tos/a", .width = 800, .height = 800, .bytes = 1234 };
    struct image_row bad = { .code = "image_cut", .problem = "the file ends too soon" };
    struct image_row got = { 0 };
    struct err e = { 0 };

    CHECK_INT(db_image_by_url(tx, SHOP, "https://x.example/a.jpg", "MAIN_IMAGE", 3600, &got, &e),
              RC_NOT_FOUND);
    CHECK(db_image_put(tx, CLIENT, SHOP, HASH_BYTES, "MAIN_IMAGE", &row, &e) == RC_OK, "%s",
          e.text);
    CHECK(db_image_source_put(tx, CLIENT, SHOP, "https://x.example/a.jpg", HASH_BYTES, NULL, &e) ==
          RC_OK);
    CHECK(db_image_by_url(tx, SHOP, "https://x.example/a.jpg", "MAIN_IMAGE", 3600, &got, &e) ==
              RC_OK,
          "%s", e.text);
    CHECK_STR(got.uri, "tos/a");
    CHECK_INT(got.width, 800);
    CHECK_INT(
        db_image_by_url(tx, SHOP, "https://x.example/a.jpg", "ATTRIBUTE_IMAGE", 3600, &got, &e),
        RC_NOT_FOUND);
    CHECK(db_image_get(tx, SHOP, HASH_BYTES, "MAIN_IMAGE", &got, &e) == RC_OK);
    CHECK(db_image_source_put(tx, CLIENT, SHOP, "https://x.example/a.jpg", NULL, "404", &e) ==
          RC_OK);
    CHECK_INT(db_image_by_url(tx, SHOP, "https://x.example/a.jpg", "MAIN_IMAGE", 3600, &got, &e),
              RC_NOT_FOUND);

    /* A refusal is remembered for a while and gives way to an upload; an upload gives way to nothing. */
    CHECK(db_image_put(tx, CLIENT, SHOP, REFUSED, "MAIN_IMAGE", &bad, &e) == RC_OK, "%s", e.text);
    CHECK(db_image_get(tx, SHOP, REFUSED, "MAIN_IMAGE", &got, &e) == RC_OK, "%s", e.text);
    CHECK_STR(got.uri, "");
    CHECK_STR(got.code, "image_cut");
    CHECK_STR(got.problem, "the file ends too soon");
    commit(tx);
    fresh_sql(P, "UPDATE images SET uploaded_at = now() - interval '8 days'");
    tx = begin(CLIENT);
    CHECK_INT(db_image_get(tx, SHOP, REFUSED, "MAIN_IMAGE", &got, &e), RC_NOT_FOUND);
    CHECK(db_image_get(tx, SHOP, HASH_BYTES, "MAIN_IMAGE", &got, &e) == RC_OK);
    CHECK(db_image_put(tx, CLIENT, SHOP, REFUSED, "MAIN_IMAGE", &row, &e) == RC_OK);
    CHECK(db_image_get(tx, SHOP, REFUSED, "MAIN_IMAGE", &got, &e) == RC_OK);
    CHECK_STR(got.uri, "tos/a");
    CHECK(db_image_put(tx, CLIENT, SHOP, REFUSED, "MAIN_IMAGE", &bad, &e) == RC_OK);
    CHECK(db_image_get(tx, SHOP, REFUSED, "MAIN_IMAGE", &got, &e) == RC_OK);
    CHECK_STR(got.uri, "tos/a");
    commit(tx);
}

/* A SKU row with a VTEX id, or without (""). */
static void put_vtex_sku(struct db_tx *tx, const char *source_id, const char *seller_sku,
                         const char *vtex_sku_id)
{
    struct sku sku = { .feed_price_minor = 100, .feed_quantity = -1, .stock_published = -1 };
    struct err e = { 0 };

    (void)str_copy(sku.seller_sku, sizeof(sku.seller_sku), seller_sku);
    (void)str_copy(sku.source_sku, sizeof(sku.source_sku), seller_sku);
    (void)str_copy(sku.vtex_sku_id, sizeof(sku.vtex_sku_id), vtex_sku_id);
    CHECK(db_sku_put_feed(tx, CLIENT, SHOP, source_id, 0, &sku, &e) == RC_OK, "%s", e.text);
}

static void sku_images(void)
{
    json_t *urls = json_pack("[s, s]", "https://x.example/1.jpg", "https://x.example/2.jpg");
    json_t *one = json_pack("[s]", "77");
    json_t *none = json_pack("[s]", "78");
    json_t *got = NULL;
    struct err e = { 0 };
    int64_t n = 0;

    put_product("pics-a", "With");
    put_product("pics-b", "Without");
    struct db_tx *tx = begin(CLIENT);

    put_vtex_sku(tx, "pics-a", "pa-1", "77");
    put_vtex_sku(tx, "pics-b", "pb-1", "");
    CHECK(db_sku_images_put(tx, CLIENT, SHOP, "pa-1", "77", urls, &e) == RC_OK, "%s", e.text);
    CHECK(db_sku_images_put(tx, CLIENT, SHOP, "pb-1", "99", urls, &e) == RC_OK, "%s", e.text);
    CHECK(db_sku_images_get(tx, SHOP, "pics-a", &got, &e) == RC_OK, "%s", e.text);
    CHECK(json_equal(json_object_get(got, "pa-1"), urls));
    json_decref(got);
    CHECK(db_sku_images_get(tx, SHOP, "pics-b", &got, &e) == RC_OK, "%s", e.text);
    CHECK_INT(json_object_size(got), 0); /* of another VTEX SKU than the row names now */
    json_decref(got);
    CHECK(db_sku_images_ask(tx, CLIENT, SHOP, "product_images", "", one, &n, &e) == RC_OK, "%s",
          e.text);
    CHECK_INT(n, 1);
    CHECK(db_sku_images_ask(tx, CLIENT, SHOP, "product_images", "", none, &n, &e) == RC_OK);
    CHECK_INT(n, 0);
    db_tx_free(tx);
    json_decref(urls);
    json_decref(one);
    json_decref(none);
}

static void caches(void)
{
    struct db_tx *tx = begin(CLIENT);
    struct brand_row brand = { 0 };
    struct taxonomy_row mapped = { 0 };
    const char *paths[] = { "Moda > Camisetas > Lisas", "Moda > Camisetas", "Moda" };
    json_t *rules = NULL, *attributes = NULL, *problems = NULL;
    struct err e = { 0 };

    CHECK(db_brand_put(tx, CLIENT, "aurora", "Aurora", "70", "operator", NULL, &e) == RC_OK);
    CHECK(db_brand_put(tx, CLIENT, "aurora", "Aurora", NULL, "none", NULL, &e) == RC_OK);
    CHECK(db_brand_get(tx, CLIENT, "aurora", &brand, &e) == RC_OK);
    CHECK_STR(brand.tiktok_brand_id, "70"); /* a person's choice stays */

    CHECK(db_taxonomy_suggest(tx, CLIENT, "Moda > Camisetas", "600001", &e) == RC_OK);
    CHECK_INT(db_taxonomy_find(tx, CLIENT, paths, 3, &mapped, &e),
              RC_NOT_FOUND); /* a suggestion is no mapping */
    commit(tx);
    fresh_sql(P,
              "INSERT INTO taxonomy_tiktok (client_id, source_category, tiktok_category_id) VALUES "
              "('" CLIENT "', 'Moda', '600002')");
    tx = begin(CLIENT);
    CHECK(db_taxonomy_find(tx, CLIENT, paths, 3, &mapped, &e) == RC_OK, "%s", e.text);
    CHECK_STR(mapped.tiktok_category_id, "600002");
    json_decref(mapped.attributes);

    json_t *list = json_array();
    bool changed = true;

    CHECK(db_category_put(tx, CLIENT, SHOP, "600002", list, list, &changed, &e) == RC_OK, "%s",
          e.text);
    CHECK(!changed, "nothing was known before");
    CHECK(db_category_put(tx, CLIENT, SHOP, "600002", list, list, &changed, &e) == RC_OK &&
          !changed);
    CHECK(json_array_append_new(list, json_string("x")) == 0);
    CHECK(db_category_put(tx, CLIENT, SHOP, "600002", list, list, &changed, &e) == RC_OK &&
          changed);
    CHECK(json_array_remove(list, json_array_size(list) - 1) == 0);
    CHECK(db_category_put(tx, CLIENT, SHOP, "600002", list, list, &changed, &e) == RC_OK &&
          changed);
    CHECK(db_category_get(tx, SHOP, "600002", 60, &rules, &attributes, &e) == RC_OK);
    CHECK_INT(db_category_get(tx, SHOP, "600002", 0, &rules, &attributes, &e), RC_NOT_FOUND);
    CHECK(db_prerequisites_put(tx, CLIENT, SHOP, list, &e) == RC_OK);
    CHECK(db_prerequisites_get(tx, SHOP, 60, &problems, &e) == RC_OK);
    CHECK_INT(json_array_size(problems), 0);
    json_decref(rules);
    json_decref(attributes);
    json_decref(problems);
    json_decref(list);
    commit(tx);
}

static void shown(void)
{
    struct db_tx *tx = begin(CLIENT);
    json_t *problems = json_pack("[{s:s, s:s}]", "code", "missing_attribute", "message", "x");
    json_t *items = NULL, *one = NULL;
    char next[256];
    struct err e = { 0 };

    CHECK(db_product_state(tx, SHOP, "402", "rejected", problems, &e) == RC_OK);
    CHECK(db_product_list(tx, CLIENT, NULL, NULL, "", false, 1, &items, next, &e) == RC_OK, "%s",
          e.text);
    CHECK_INT(json_array_size(items), 1);
    CHECK_STR(next, "301");
    CHECK_STR(jspec_text(json_array_get(items, 0), "source_id"), "301");
    CHECK_STR(jspec_text(json_array_get(items, 0), "category.source"), "Moda > Camisetas");

    const json_t *sku = json_array_get(json_object_get(json_array_get(items, 0), "skus"), 0);

    CHECK_STR(jspec_text(sku, "price.published"), "69.90");
    CHECK_STR(jspec_text(sku, "price.desired"), "69.90");
    CHECK_INT(jspec_int(sku, "stock.published", -1), 0);
    CHECK_INT(jspec_int(sku, "stock.desired", -1), 7);
    CHECK(jspec_text(sku, "price.published_at") != NULL);
    json_decref(items);
    CHECK(db_product_list(tx, CLIENT, NULL, NULL, next, false, 1, &items, next, &e) == RC_OK);
    CHECK_STR(jspec_text(json_array_get(items, 0), "source_id"), "402");
    CHECK_STR(next, "");
    json_decref(items);
    CHECK(db_product_list(tx, CLIENT, "rejected", NULL, "", false, 10, &items, next, &e) == RC_OK);
    CHECK_INT(json_array_size(items), 1);
    CHECK_STR(jspec_text(json_array_get(json_object_get(json_array_get(items, 0), "problems"), 0),
                         "code"),
              "missing_attribute");
    json_decref(items);
    CHECK(db_product_list(tx, CLIENT, NULL, "1201", "", false, 10, &items, next, &e) == RC_OK);
    CHECK_INT(json_array_size(items), 1);
    json_decref(items);
    CHECK(db_sku_explain(tx, CLIENT, "1201", false, &one, &e) == RC_OK, "%s", e.text);
    CHECK_STR(jspec_text(one, "price.result"), "69.90");
    CHECK_STR(jspec_text(one, "stock.waiting_for"), "review");
    CHECK(json_is_null(jspec_get(one, "price.waiting_for")));
    json_decref(one);
    CHECK_INT(db_product_show(tx, CLIENT, "none", false, &one, &e), RC_NOT_FOUND);
    json_decref(problems);
    commit(tx);
}

static void other_tenants_see_nothing(void)
{
    struct db_tx *tx = begin(OTHER);
    struct product p = { 0 };
    json_t *items = NULL;
    char next[256];
    struct err e = { 0 };

    CHECK_INT(db_product_get(tx, SHOP, "301", &p, &e), RC_NOT_FOUND);
    CHECK(db_product_list(tx, CLIENT, NULL, NULL, "", false, 10, &items, next, &e) == RC_OK);
    CHECK_INT(json_array_size(items), 0);
    json_decref(items);
    CHECK(db_product_state(tx, SHOP, "301", "deleted", NULL, &e) == RC_OK);
    CHECK_INT(db_affected(tx), 0);
    commit(tx);
}

static void logs(void)
{
    struct db_tx *tx = begin(CLIENT);
    json_t *trace = json_object();
    struct log_row row = { .client_id = CLIENT,
                           .shop_id = SHOP,
                           .entity = "1201",
                           .old_value = "1.00",
                           .new_value = "2.00",
                           .outcome = "published",
                           .platform_code = 12052990,
                           .request_id = "r",
                           .inputs = trace };
    struct err e = { 0 };

    CHECK(db_log(tx, LOG_TABLE_PRODUCT, &row, &e) == RC_OK, "%s", e.text);
    CHECK(db_log(tx, LOG_TABLE_PRICE, &row, &e) == RC_OK, "%s", e.text);
    CHECK(db_log(tx, LOG_TABLE_PRICE_PRODUCT, &row, &e) == RC_OK, "%s", e.text);
    CHECK(db_log(tx, LOG_TABLE_STOCK, &row, &e) == RC_OK, "%s", e.text);
    commit(tx);
    CHECK_INT(
        fresh_count(
            P,
            "SELECT count(*) AS n FROM tiktok_log_price_product WHERE platform_code = '12052990'"),
        1);
    json_decref(trace);
}

int main(void)
{
    struct err e = { 0 };

    fresh_open(&F, "product", true);
    if (db_pool_new(F.url, 3, 10000, F.ring, &P, &e) != RC_OK) {
        printf("%s\n", e.text);
        return 1;
    }
    fresh_sql(P, "INSERT INTO clients (client_id, name) VALUES ('" CLIENT "', 'Loja'), ('" OTHER
                 "', 'Outra')");
    fresh_sql(P, "INSERT INTO shops (shop_id, client_id, open_id, region) VALUES ('" SHOP
                 "', '" CLIENT "', 'o', 'BR')");
    CASE(feed_side_is_kept);
    CASE(create_keeps_its_key);
    CASE(acknowledged_values);
    CASE(runs_count_once);
    CASE(images);
    CASE(caches);
    CASE(shown);
    CASE(other_tenants_see_nothing);
    CASE(logs);
    CASE(sku_images);
    db_pool_free(P);
    fresh_close(&F);
    return CHECK_END();
}
