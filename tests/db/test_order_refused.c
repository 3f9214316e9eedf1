/* test_order_refused.c - orders that VTEX refuses, that wait, or that are not for us to place. */
#include "order_rig.h"

static void refusals_by_class(void)
{
    static const struct {
        const char *code, *class;
        int times;
        enum rc rc;
        const char *state, *problem;
        int places;
    } cases[] = {
        { "FMT007", "divergence", 9, RC_INVALID, "failed", "price_divergence", 1 },
        { "FMT0060", "terminal", 9, RC_INVALID, "failed", "vtex_order_cancelled", 1 },
        { "FMT0045", "payload", 9, RC_INVALID, "failed", "vtex_refused", 1 },
        { "FMT0021", "configuration", 9, RC_DENIED, "importing", "vtex_configuration", 1 },
        { "CHK0032", "mapping", 9, RC_OK, "waiting_mapping", "sku_unlinked", 1 },
        { "ORD027", "stock-or-sla", 9, RC_BUSY, "importing", "out_of_stock", 2 },
        { "FMT010", "stock-or-sla", 1, RC_OK, "authorized", "", 2 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct err e;

        reset();
        (void)str_copy(W.refuse_code, sizeof W.refuse_code, cases[i].code);
        (void)str_copy(W.refuse_class, sizeof W.refuse_class, cases[i].class);
        W.refuse_times = cases[i].times;
        CHECK(import_once(&e) == cases[i].rc, "%s: %s", cases[i].code, e.text);
        CHECK_STR(row_now().state, cases[i].state);
        CHECK_STR(row_now().problem, cases[i].problem);
        CHECK_INT(W.places, cases[i].places);
    }
}

static void two_lines_of_one_sku_are_merged_when_vtex_asks(void)
{
    struct err e;
    json_t *line;

    reset();
    json_decref(W.simulation);
    W.simulation = NULL; /* played from the cart */
    line = json_array_get(json_object_get(W.order, "line_items"), 1);
    json_object_set_new(line, "sale_price", json_string("64.91"));
    (void)str_copy(W.refuse_code, sizeof W.refuse_code, "ORD056");
    (void)str_copy(W.refuse_class, sizeof W.refuse_class, "payload");
    W.refuse_times = 1;
    CHECK_INT(import_once(&e), RC_OK);
    CHECK_INT(W.places, 2);
    CHECK_INT(W.simulations, 2);
    CHECK_INT(json_array_size(jspec_get(W.placed, "items")), 2);
    CHECK_INT(jspec_int(W.placed, "marketplacePaymentValue", 0), 6990 + 6491 + 12990 + 1500);
    line = json_array_get(jspec_get(W.placed, "items"), 0);
    CHECK_INT(jspec_int(line, "price", 0), 6740);
    CHECK_INT(jspec_int(line, "quantity", 0), 2);
    check_row("authorized", "authorized", "");
}

static void an_order_of_the_test_shop_is_never_placed(void)
{
    struct err e;

    reset();
    fresh_sql(P, "UPDATE clients SET sandbox_shop_id = '" SHOP "'");
    CHECK_INT(import_once(&e), RC_OK);
    check_row("received", "none", "sandbox_shop");
    CHECK_INT(W.simulations, 0);
    fresh_sql(P, "UPDATE clients SET sandbox_shop_id = NULL");
}

static void an_unlinked_sku_waits_and_a_link_releases_it(void)
{
    struct err e;
    struct db_tx *tx = NULL;
    json_t *list = NULL;
    int64_t released = 0;
    char next[160];

    reset();
    W.known_sku = false;
    CHECK_INT(import_once(&e), RC_OK);
    check_row("waiting_mapping", "claimed", "sku_unlinked");
    CHECK_INT(W.simulations, 0);
    CHECK_INT(pending_units("1201"), 2);
    CHECK_INT(import_once(&e), RC_OK); /* looked at again: nothing new to tell */
    CHECK_INT(
        fresh_count(P, "SELECT count(*) AS n FROM order_timeline WHERE event = 'waiting_mapping'"),
        1);
    CHECK_INT(db_tx_begin(P, "link", CLIENT, &tx, &e), RC_OK);
    CHECK_INT(db_order_unlinked_list(tx, CLIENT, "", 50, &list, next, &e), RC_OK);
    CHECK_INT(json_array_size(list), 2);
    CHECK_INT(jspec_int(json_array_get(list, 0), "waiting_orders", -1), 1);
    CHECK_STR(jspec_text(json_array_get(list, 0), "seller_sku"), "1201");
    json_decref(list);
    CHECK_INT(db_order_unlinked_link(tx, CLIENT, "1730000000000001201", "1201", "token:test",
                                     &released, &e),
              RC_OK);
    CHECK_INT(released, 1);
    CHECK_INT(db_order_unlinked_link(tx, CLIENT, "1730000000000002205", "2205", "token:test",
                                     &released, &e),
              RC_OK);
    CHECK_INT(db_order_unlinked_link(tx, CLIENT, "999", "2205", "token:test", &released, &e),
              RC_NOT_FOUND);
    CHECK_INT(db_tx_commit(tx, &e), RC_OK);
    db_tx_free(tx);
    CHECK_INT(fresh_count(
                  P,
                  "SELECT count(*) AS n FROM jobs WHERE kind = 'order_import' AND entity = '" ORDER
                  "'"),
              1);
    CHECK_INT(import_once(&e), RC_OK);
    check_row("authorized", "authorized", "");
}

/* What our product says of a SKU was never asked of VTEX: a SKU it does not know is no short stock. */
static void a_link_that_vtex_does_not_know_is_no_link(void)
{
    struct err e;
    struct db_tx *tx = NULL;
    int64_t released = 0;

    reset();
    W.known_sku = false;
    fresh_sql(
        P, "INSERT INTO skus (shop_id, client_id, seller_sku, source_id, source_sku, vtex_sku_id,"
           " tiktok_sku_id) VALUES ('" SHOP "', '" CLIENT "', '1201', 'P', '1201', '987',"
           " '1730000000000001201'), ('" SHOP "', '" CLIENT "', '2205', 'P', '2205', '2205',"
           " '1730000000000002205')");
    json_decref(W.simulation);
    W.simulation = json_pack("{s:[], s:[], s:[]}", "items", "logisticsInfo", "messages");
    CHECK_INT(import_once(&e), RC_OK);
    check_row("waiting_mapping", "claimed", "sku_unlinked");
    CHECK_INT(W.places, 0);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM sku_links WHERE vtex_sku_id IS NULL"), 2);
    CHECK_INT(db_tx_begin(P, "link", CLIENT, &tx, &e), RC_OK);
    CHECK_INT(db_order_unlinked_link(tx, CLIENT, "1730000000000001201", "1201", "token:test",
                                     &released, &e),
              RC_OK);
    CHECK_INT(released, 1);
    CHECK_INT(db_order_unlinked_link(tx, CLIENT, "1730000000000002205", "2205", "token:test",
                                     &released, &e),
              RC_OK);
    CHECK_INT(db_tx_commit(tx, &e), RC_OK);
    db_tx_free(tx);
    json_decref(W.simulation);
    W.simulation = fixture("checkout.simulation.response");
    W.known_sku = true;
    CHECK_INT(import_once(&e), RC_OK); /* a person's word goes before the product's */
    check_row("authorized", "authorized", "");
}

/* VTEX knows the SKUs, and still says that one cannot be sold: a person chooses others. */
static void a_mapping_refusal_lists_the_skus(void)
{
    struct err e;

    reset();
    (void)str_copy(W.refuse_code, sizeof W.refuse_code, "CHK0031");
    (void)str_copy(W.refuse_class, sizeof W.refuse_class, "mapping");
    W.refuse_times = 1;
    CHECK_INT(import_once(&e), RC_OK);
    check_row("waiting_mapping", "claimed", "sku_unlinked");
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM sku_links WHERE vtex_sku_id IS NULL"), 2);
}

/* Shipped before it came to us: seen and kept, not made a second time in VTEX unless a person wants it. */
static void an_order_shipped_elsewhere_is_not_placed(void)
{
    static const char *const STATUS[] = { "AWAITING_COLLECTION", "IN_TRANSIT", "DELIVERED" };
    struct err e;

    for (int i = 0; i < 3; i++) {
        reset();
        tiktok_says(STATUS[i], 1);
        CHECK_INT(import_once(&e), RC_OK);
        check_row("received", "none", "shipped_outside_vtex");
        CHECK_INT(W.places, 0);
        CHECK_INT(pending_units("1201"), 0);
        CHECK_INT(import_named(&e), RC_OK);
        CHECK_INT(W.places, 1);
    }
    reset(); /* one that was on its way to VTEX goes on */
    W.place_mode = CUT_BEFORE;
    A.cfg.in_doubt_settle_seconds = 0;
    (void)import_once(&e);
    W.place_mode = GOOD;
    tiktok_says("IN_TRANSIT", 1);
    for (int i = 0; i < 3 && import_once(&e) == RC_BUSY; i++)
        ;
    CHECK(W.has_order);
}

static void our_products_explain_skus_first(void)
{
    struct err e;

    reset();
    W.known_sku = false;
    fresh_sql(
        P,
        "INSERT INTO skus (shop_id, seller_sku, client_id, source_id, source_sku, vtex_sku_id,"
        " tiktok_sku_id) VALUES ('" SHOP "', 'A', '" CLIENT "', 'S', 'A', '1201',"
        " '1730000000000001201'), ('" SHOP "', '2205', '" CLIENT "', 'S', '2205', '2205', NULL)");
    CHECK_INT(import_once(&e), RC_OK);
    check_row("authorized", "authorized", "");
}

static void an_account_without_the_custom_app(void)
{
    struct err e;

    reset();
    (void)str_copy(W.refuse_class, sizeof W.refuse_class, "payload");
    (void)str_copy(W.refuse_text, sizeof W.refuse_text, "customApps id not found");
    W.refuse_times = 1;
    CHECK_INT(import_once(&e), RC_OK);
    CHECK(json_is_null(json_object_get(W.placed, "customData")));
    CHECK_INT(W.places, 2);
}

static void a_bare_answer_will_do(void)
{
    struct err e;

    reset();
    W.bare_answer = true;
    CHECK_INT(import_once(&e), RC_OK);
    check_row("authorized", "authorized", "");
    CHECK_INT(W.places, 1);
}

static void what_vtex_repeats_of_the_buyer_is_hidden(void)
{
    struct err e;

    reset();
    (void)str_copy(W.refuse_class, sizeof W.refuse_class, "payload");
    (void)str_copy(W.refuse_text, sizeof W.refuse_text,
                   "CPF 111.444.777-35 of a@b.example, SKU 1202");
    W.refuse_times = 1;
    CHECK_INT(import_once(&e), RC_INVALID);
    CHECK(strstr(e.text, "SKU 1202") && !strstr(e.text, "444") && !strchr(e.text, '@'), "%s",
          e.text);
}

static void foreign_money_is_not_placed(void)
{
    struct err e;

    reset();
    json_object_set_new(json_object_get(W.order, "payment"), "currency", json_string("USD"));
    CHECK_INT(import_once(&e), RC_OK);
    check_row("received", "none", "currency_not_brl");
    CHECK_INT(W.lookups + W.places, 0);
}

static void authorized_too_early(void)
{
    struct err e;

    reset();
    W.authorize_too_early = 1;
    CHECK_INT(import_once(&e), RC_BUSY);
    check_row("imported", "placed", "not_ready_to_authorize");
    CHECK(e.retry_after_us <= 10 * US_PER_S);
    CHECK_INT(import_once(&e), RC_OK);
    check_row("authorized", "authorized", "");
    CHECK_INT(W.authorizes, 2);
}

static void short_stock_waits_visibly(void)
{
    struct err e;

    reset();
    json_object_set_new(json_array_get(json_object_get(W.simulation, "items"), 0), "availability",
                        json_string("withoutStock"));
    CHECK_INT(import_once(&e), RC_BUSY);
    CHECK(e.retry_after_us >= 30 * US_PER_S);
    check_row("importing", "claimed", "out_of_stock");
    CHECK_INT(W.places, 0);
    CHECK_INT(import_once(&e), RC_BUSY);
    CHECK_INT(
        fresh_count(P, "SELECT count(*) AS n FROM order_timeline WHERE event = 'out_of_stock'"), 1);
    /* cancelled meanwhile: dropped */
    tiktok_says("CANCELLED", 5);
    CHECK_INT(import_once(&e), RC_OK);
    check_row("cancelled", "claimed", "");
    CHECK_INT(W.places, 0);
    CHECK_INT(pending_units("1201"), 0);
}

static void cancelled_while_in_doubt_is_settled_first(void)
{
    struct err e;

    reset();
    W.place_mode = CUT_AFTER;
    W.hidden = true;
    CHECK_INT(import_once(&e), RC_BUSY);
    tiktok_says("CANCELLED", 5);
    W.hidden = false;
    CHECK_INT(import_once(&e), RC_BUSY); /* asked; confirmed by reading */
    check_row("cancelled", "placed", "vtex_cancel_asked");
    CHECK_INT(import_once(&e), RC_OK);
    check_row("cancelled", "placed", "");
    CHECK_INT(W.authorizes, 0);
    CHECK_INT(W.vtex_cancels, 1);
}

static void a_divergence_waits_for_the_merchant(void)
{
    struct err e;

    reset();
    W.has_order = true;
    (void)str_copy(W.status, sizeof W.status, "waiting-for-manual-authorization");
    CHECK_INT(import_once(&e), RC_BUSY);
    check_row("imported", "placed", "waiting_manual_authorization");
    CHECK_INT(W.authorizes, 0);
    (void)str_copy(W.status, sizeof W.status, "waiting-ffmt-authorization");
    CHECK_INT(import_once(&e), RC_OK);
    check_row("authorized", "authorized", "");
    CHECK_INT(W.authorizes, 1);
}

static void an_id_that_was_cancelled_in_vtex(void)
{
    struct err e;

    reset();
    W.has_order = true;
    (void)str_copy(W.status, sizeof W.status, "canceled");
    CHECK_INT(import_once(&e), RC_BUSY); /* TikTok is asked; the order is read again */
    check_row("imported", "placed", "tiktok_cancel_asked");
    CHECK_INT(import_once(&e), RC_OK);
    check_row("cancelled", "placed", "");
    CHECK_INT(W.places + W.authorizes + W.vtex_cancels, 0);
    CHECK_INT(W.tiktok_cancels, 1);
}

static void missing_buyer_data_wait(void)
{
    struct err e;

    reset();
    json_object_set_new(W.order, "cpf", json_string("***.444.777-**"));
    CHECK_INT(import_once(&e), RC_BUSY);
    check_row("importing", "claimed", "document_invalid");
    json_object_set_new(W.order, "cpf", json_string("111.444.777-35"));
    CHECK_INT(import_once(&e), RC_OK);
    check_row("authorized", "authorized", "");
}

static void the_poll_finds_what_webhooks_missed(void)
{
    struct err e;
    int64_t before = clock_now_us();

    reset();
    W.n_pages = 2;
    W.pages[0] = json_pack("[o,o]", listed("1", 100), listed("2", 200));
    W.pages[1] = json_pack("[o]", listed(ORDER, 1781532310));
    CHECK_INT(import_once(&e), RC_OK); /* ORDER is known as of 1781532310 */
    CHECK_INT(run_on(P, "order_poll", &e), RC_OK);
    CHECK_INT(fresh_count(P, "SELECT count(*) AS n FROM jobs WHERE kind = 'order_import'"), 2);
    CHECK_INT(W.searches, 2 + 5); /* the first time also what is open */
    CHECK(
        fresh_count(
            P, "SELECT (extract(epoch FROM order_watermark) * 1000000)::bigint AS n FROM shops") >=
        before - 5 * US_PER_S);
    W.searches = 0;
    CHECK_INT(run_on(P, "order_poll", &e), RC_OK);
    CHECK_INT(W.searches, 2);
    CHECK(W.search_ge <= before / US_PER_S - 595 && W.search_ge > before / US_PER_S - 660, "%lld",
          (long long)W.search_ge);
}

static void lists_for_rest(void)
{
    struct err e;
    struct db_tx *tx = NULL;
    json_t *items = NULL, *one = NULL;
    struct order_filter filter = { .limit = 1 };
    struct order_filter bad = { .state = "nonsense" };
    char next[160];

    reset();
    CHECK_INT(import_once(&e), RC_OK);
    fresh_sql(P,
              "INSERT INTO tiktok_orders (shop_id, order_id, client_id, created_at) VALUES ('" SHOP
              "', '77',"
              " '" CLIENT "', now() - interval '1 day')");
    CHECK_INT(db_tx_begin(P, "list", CLIENT, &tx, &e), RC_OK);
    CHECK_INT(db_order_list(tx, CLIENT, &filter, &items, next, &e), RC_OK);
    CHECK_INT(json_array_size(items), 1);
    CHECK_STR(jspec_text(json_array_get(items, 0), "order_id"), ORDER);
    CHECK_STR(jspec_text(json_array_get(items, 0), "total.amount"), "274.70");
    CHECK_STR(jspec_text(json_array_get(items, 0), "invoice.state"), "awaiting_invoice");
    json_decref(items);
    filter.cursor = next;
    CHECK_INT(db_order_list(tx, CLIENT, &filter, &items, next, &e), RC_OK);
    CHECK_STR(jspec_text(json_array_get(items, 0), "order_id"), "77");
    CHECK_STR(next, "");
    json_decref(items);
    filter =
        (struct order_filter){ .state = "authorized", .q = "2205", .from = "2020-01-01T00:00:00Z" };
    CHECK_INT(db_order_list(tx, CLIENT, &filter, &items, next, &e), RC_OK);
    CHECK_INT(json_array_size(items), 1);
    json_decref(items);
    CHECK_INT(db_order_get_json(tx, CLIENT, ORDER, &one, &e), RC_OK);
    CHECK_STR(jspec_text(one, "vtex_order_id"), "TTK-" ORDER);
    CHECK_STR(jspec_text(json_array_get(jspec_get(one, "timeline"), 0), "event"), "received");
    CHECK_STR(jspec_text(json_array_get(jspec_get(one, "timeline"), 0), "by"), "webhook");
    CHECK_STR(jspec_text(json_array_get(jspec_get(one, "items"), 0), "unit_price"), "69.90");
    json_decref(one);
    CHECK_INT(db_order_get_json(tx, CLIENT, "0", &one, &e), RC_NOT_FOUND);
    CHECK_INT(db_order_get_json(tx, "another-client", ORDER, &one, &e), RC_NOT_FOUND);
    CHECK_INT(db_order_list(tx, CLIENT, &bad, &items, next, &e), RC_INVALID);
    CHECK_STR(e.field, "state");
    db_tx_free(tx);
}

static void cases(void)
{
    CASE(refusals_by_class);
    CASE(two_lines_of_one_sku_are_merged_when_vtex_asks);
    CASE(an_order_of_the_test_shop_is_never_placed);
    CASE(an_unlinked_sku_waits_and_a_link_releases_it);
    CASE(a_link_that_vtex_does_not_know_is_no_link);
    CASE(a_mapping_refusal_lists_the_skus);
    CASE(an_order_shipped_elsewhere_is_not_placed);
    CASE(our_products_explain_skus_first);
    CASE(an_account_without_the_custom_app);
    CASE(a_bare_answer_will_do);
    CASE(what_vtex_repeats_of_the_buyer_is_hidden);
    CASE(foreign_money_is_not_placed);
    CASE(authorized_too_early);
    CASE(short_stock_waits_visibly);
    CASE(cancelled_while_in_doubt_is_settled_first);
    CASE(a_divergence_waits_for_the_merchant);
    CASE(an_id_that_was_cancelled_in_vtex);
    CASE(missing_buyer_data_wait);
    CASE(the_poll_finds_what_webhooks_missed);
    CASE(lists_for_rest);
}

int main(void)
{
    return rig_main(cases);
}
