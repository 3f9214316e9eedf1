/* test_map_order.c - TikTok orders become the orders that VTEX wants, on the contract's worked example and on
 * the odd ones. */
#include "../../sync/map_order.h"

#include "check.h"
#include "jspec.h"
#include "str.h"

static json_t *fixture(const char *name)
{
    char path[256];
    json_error_t why;
    json_t *value;

    (void)str_fmt(path, sizeof path, "tests/fixtures/vtex/%s.json", name);
    value = json_load_file(path, 0, &why);
    if (!value) {
        printf("cannot read %s: %s\n", path, why.text);
        exit(77);
    }
    return value;
}

static struct client client_make(void)
{
    struct client c = { .client_id = "lojaexemplo", .order_shipping_fee = "buyer_fee" };
    static const char *const lines[] = { "neighborhood", "street", "number", "complement" };

    for (int i = 0; i < 4; i++)
        (void)str_copy(c.address_lines[i], sizeof c.address_lines[i], lines[i]);
    (void)str_copy(c.phone_fallback, sizeof c.phone_fallback, "+5511999999999");
    return c;
}

/* Reads the order and says that VTEX knows each seller_sku by the same id. */
static struct map_order mapped(const json_t *order)
{
    struct map_order o = { 0 };
    struct err e = { 0 };

    CHECK_INT(map_order_read(order, &o, &e), RC_OK);
    for (size_t i = 0; i < o.n_lines; i++)
        (void)str_copy(o.lines[i].vtex_sku_id, sizeof o.lines[i].vtex_sku_id,
                       o.lines[i].seller_sku);
    map_order_merge(&o, false);
    return o;
}

static json_t *placed(struct map_order *o, const json_t *order, struct err *e)
{
    struct client client = client_make();
    struct map_place how = { .client = &client,
                             .endpoint = "https://conector.exemplo.com.br/vtex/lojaexemplo",
                             .mail_domain = "conector.exemplo.com.br" };
    json_t *out = NULL;

    (void)map_order_place_new(o, order, &how, &out, e);
    return out;
}

static void the_worked_example(void)
{
    json_auto_t *order = fixture("source.tiktok-order");
    json_auto_t *cart = fixture("checkout.simulation.request");
    json_auto_t *answer = fixture("checkout.simulation.response");
    json_auto_t *want = fixture("fulfillment.place-order.request");
    OWN_MAP_ORDER struct map_order o = mapped(order);
    struct err e = { 0 };
    json_auto_t *made_cart = map_order_cart_new(&o, "01310-100");
    json_auto_t *made = NULL;

    CHECK(json_equal(made_cart, cart), "cart differs");
    CHECK_INT(map_order_sla_choose(&o, answer, &e), RC_OK);
    CHECK_STR(o.sla, "PAC");
    map_order_freight_split(&o);
    CHECK_INT(map_order_merchant_minor(&o), 28470);
    made = placed(&o, order, &e);
    CHECK(made != NULL, "%s", e.text);
    if (made && !json_equal(made, json_array_get(want, 0))) {
        char *text = json_dumps(made, JSON_INDENT(1));

        CHECK(0, "placement differs: %s", text);
        free(text);
    }
}

static void facts_of_an_order(void)
{
    json_auto_t *order = fixture("source.tiktok-order");
    OWN_MAP_ORDER struct map_order o = { 0 };
    json_auto_t *items = NULL;
    json_auto_t *packages = NULL;

    CHECK_INT(map_order_read(order, &o, NULL), RC_OK);
    CHECK_STR(o.order_id, "580211640037914825");
    CHECK_INT(o.total_minor, 27470);
    CHECK_INT(o.freight_minor, 1500);
    CHECK_INT(o.n_lines, 2);
    CHECK_INT(o.lines[0].quantity, 2);
    CHECK_INT(o.lines[1].price_minor, 12990);
    CHECK_INT(o.paid_s, 1781532300);
    CHECK(!o.tiktok_ships && !o.tiktok_fulfills && !o.all_cancelled);
    items = map_order_items_new(&o);
    CHECK_INT(json_array_size(items), 2);
    CHECK_STR(jspec_text(json_array_get(items, 0), "unit_price"), "69.90");
    CHECK(!jspec_get(json_array_get(items, 0), "cpf"));
    packages = map_order_packages_new(order);
    CHECK_STR(jspec_text(json_array_get(packages, 0), "package_id"), "1150000000000000001");
}

static void ids_may_be_numbers(void)
{
    json_auto_t *order = fixture("source.tiktok-order");
    OWN_MAP_ORDER struct map_order o = { 0 };

    json_object_set_new(order, "id", json_integer(580211640037914825));
    CHECK_INT(map_order_read(order, &o, NULL), RC_OK);
    CHECK_STR(o.order_id, "580211640037914825");
}

static json_t *line(const json_t *order, size_t i)
{
    return json_array_get(jspec_get(order, "line_items"), i);
}

static void two_prices_stay_two_lines_until_merged(void)
{
    json_auto_t *order = fixture("source.tiktok-order");
    json_auto_t *answer = NULL;
    OWN_MAP_ORDER struct map_order o = { 0 };

    json_object_set_new(line(order, 1), "sale_price", json_string("64.91"));
    o = mapped(order);
    CHECK_INT(o.n_lines, 3);
    map_order_merge(&o, true);
    CHECK_INT(o.n_lines, 2);
    CHECK_INT(o.lines[0].quantity, 2);
    CHECK_INT(o.lines[0].price_minor, 6740); /* (6990 + 6491) / 2 = 6740.5 */
    CHECK_INT(o.lines[0].extra_minor, 1);
    CHECK_INT(map_order_merchant_minor(&o), 6990 + 6491 + 12990 + 1500);
    answer = fixture("checkout.simulation.response");
    CHECK_INT(map_order_sla_choose(&o, answer, NULL), RC_OK);
    map_order_freight_split(&o);
    CHECK_INT(o.lines[0].freight_minor, 901);
    CHECK_INT(o.lines[1].freight_minor, 600);
}

static void cancelled_lines_are_left_out(void)
{
    json_auto_t *order = fixture("source.tiktok-order");
    OWN_MAP_ORDER struct map_order some = { 0 };
    OWN_MAP_ORDER struct map_order all = { 0 };

    json_object_set_new(line(order, 0), "display_status", json_string("CANCELLED"));
    CHECK_INT(map_order_read(order, &some, NULL), RC_OK);
    CHECK_INT(some.lines[0].quantity, 1);
    CHECK(!some.all_cancelled);
    json_object_set_new(line(order, 1), "display_status", json_string("CANCELLED"));
    json_object_set_new(line(order, 2), "display_status", json_string("CANCELLED"));
    CHECK_INT(map_order_read(order, &all, NULL), RC_OK);
    CHECK(all.all_cancelled);
    CHECK_INT(all.n_lines, 0);
}

static void amounts_are_not_guessed(void)
{
    static const char *const bad[] = { "12,90", "abc", "-1.00", "1e3", "99999999999999" };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        json_auto_t *order = fixture("source.tiktok-order");
        OWN_MAP_ORDER struct map_order o = { 0 };

        json_object_set_new(line(order, 0), "sale_price", json_string(bad[i]));
        CHECK_INT(map_order_read(order, &o, NULL), RC_INVALID);
    }
}

static void zero_orders_are_fine(void)
{
    json_auto_t *order = fixture("source.tiktok-order");
    json_auto_t *answer = fixture("checkout.simulation.response");
    OWN_MAP_ORDER struct map_order o = { 0 };
    struct err e = { 0 };
    json_auto_t *made = NULL;

    for (size_t i = 0; i < 3; i++) {
        json_object_set_new(line(order, i), "sale_price", json_string("0"));
        json_object_set_new(line(order, i), "platform_discount", json_string(""));
    }
    json_object_set_new(json_object_get(order, "payment"), "shipping_fee", json_string("0"));
    o = mapped(order);
    CHECK_INT(map_order_sla_choose(&o, answer, &e), RC_OK);
    map_order_freight_split(&o);
    made = placed(&o, order, &e);
    CHECK_INT(jspec_int(made, "marketplacePaymentValue", -1), 0);
}

static void simulations_that_must_stop_the_import(void)
{
    static const struct {
        const char *fixture;
        const char *code;
    } cases[] = {
        { "checkout.simulation.partial.response", "out_of_stock" },
        { "checkout.simulation.short-stock.response", "out_of_stock" },
        { "checkout.simulation.no-postal-code.response", "out_of_stock" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_auto_t *order = fixture("source.tiktok-order");
        json_auto_t *answer = fixture(cases[i].fixture);
        OWN_MAP_ORDER struct map_order o = mapped(order);
        struct err e = { 0 };

        CHECK_INT(map_order_sla_choose(&o, answer, &e), RC_INVALID);
        CHECK_STR(e.code, cases[i].code);
        CHECK_STR(o.sla, "");
    }
}

static json_t *answer_logistics(const json_t *answer, size_t i)
{
    return json_array_get(json_object_get(answer, "logisticsInfo"), i);
}

static void the_delivery_that_all_lines_share(void)
{
    json_auto_t *order = fixture("source.tiktok-order");
    json_auto_t *answer = fixture("checkout.simulation.response");
    OWN_MAP_ORDER struct map_order o = mapped(order);
    struct err e = { 0 };
    json_t *slas = json_object_get(answer_logistics(answer, 1), "slas");

    /* the answer may list items in another order: itemIndex counts in the answer */
    json_t *items = json_object_get(answer, "items");
    json_auto_t *first = json_incref(json_array_get(items, 0));

    json_array_remove(items, 0);
    json_array_append(items, first);
    json_object_set_new(answer_logistics(answer, 0), "itemIndex", json_integer(1));
    json_object_set_new(answer_logistics(answer, 1), "itemIndex", json_integer(0));
    CHECK_INT(map_order_sla_choose(&o, answer, &e), RC_OK);
    CHECK_INT(o.lines[0].sla_price_minor, 900);
    CHECK_INT(o.lines[1].sla_price_minor, 600);
    /* equal prices: the faster one */
    json_object_set_new(json_array_get(slas, 1), "price", json_integer(600));
    json_object_set_new(json_array_get(json_object_get(answer_logistics(answer, 0), "slas"), 1),
                        "price", json_integer(900));
    CHECK_INT(map_order_sla_choose(&o, answer, &e), RC_OK);
    CHECK_STR(o.sla, "SEDEX");
    /* one line has only PAC, as a pick-up: nothing is shared */
    json_array_remove(slas, 1);
    json_object_set_new(json_array_get(slas, 0), "deliveryChannel", json_string("pickup-in-point"));
    CHECK_INT(map_order_sla_choose(&o, answer, &e), RC_INVALID);
    CHECK_STR(e.code, "no_delivery");
}

static void estimates(void)
{
    CHECK_INT(map_estimate_minutes("0bd"), 0);
    CHECK_INT(map_estimate_minutes("5bd"), 7 * 24 * 60);
    CHECK_INT(map_estimate_minutes("2d"), 2880);
    CHECK_INT(map_estimate_minutes("3h"), 180);
    CHECK_INT(map_estimate_minutes("30m"), 30);
    CHECK_INT(map_estimate_minutes("soon"), -1);
    CHECK_INT(map_estimate_minutes("6 bd"), -1);
    CHECK_INT(map_estimate_minutes(NULL), -1);
}

static void freight_is_exact(void)
{
    struct map_line lines[3] = { { .quantity = 1, .price_minor = 100, .sla_price_minor = 1 },
                                 { .quantity = 1, .price_minor = 100, .sla_price_minor = 1 },
                                 { .quantity = 1, .price_minor = 100, .sla_price_minor = 1 } };
    struct map_order o = { .lines = lines, .n_lines = 3, .freight_minor = 100 };

    map_order_freight_split(&o);
    CHECK_INT(lines[0].freight_minor, 34);
    CHECK_INT(lines[1].freight_minor, 33);
    CHECK_INT(lines[2].freight_minor, 33);
    for (int i = 0; i < 3; i++)
        lines[i].sla_price_minor = 0;
    lines[0].price_minor = 300;
    map_order_freight_split(&o);
    CHECK_INT(lines[0].freight_minor, 60);
    CHECK_INT(lines[1].freight_minor, 20);
    for (int i = 0; i < 3; i++)
        lines[i].price_minor = 0;
    map_order_freight_split(&o);
    CHECK_INT(lines[0].freight_minor, 100);
}

static json_t *placed_from(json_t *order, struct err *e)
{
    json_auto_t *answer = fixture("checkout.simulation.response");
    OWN_MAP_ORDER struct map_order o = mapped(order);

    CHECK_INT(map_order_sla_choose(&o, answer, e), RC_OK);
    map_order_freight_split(&o);
    return placed(&o, order, e);
}

static void what_tiktok_masked(void)
{
    json_auto_t *order = fixture("source.tiktok-order");
    json_t *to = json_object_get(order, "recipient_address");
    struct err e = { 0 };
    json_auto_t *made = NULL;

    json_object_set_new(order, "shipping_type", json_string("TIKTOK"));
    json_object_set_new(to, "name", json_string("M*** S***"));
    json_object_set_new(to, "phone_number", json_string("(+55)119****4321"));
    json_object_set_new(to, "address_line2", json_string("Av***"));
    json_object_set_new(to, "address_line3", json_string("***"));
    json_object_set_new(order, "buyer_email", json_string(""));
    made = placed_from(order, &e);
    CHECK(made != NULL, "%s", e.text);
    CHECK_STR(jspec_text(made, "clientProfileData.phone"), "+5511999999999");
    CHECK_STR(jspec_text(made, "clientProfileData.firstName"), "Mariana");
    CHECK_STR(jspec_text(made, "clientProfileData.email"),
              "580211640037914825@conector.exemplo.com.br");
    CHECK_STR(jspec_text(made, "shippingData.address.receiverName"), "M*** S***");
    CHECK_STR(jspec_text(made, "shippingData.address.number"), "***");
    CHECK(jspec_bool(made, "shippingData.isFob", false));
}

static void firms_and_cards(void)
{
    json_auto_t *order = fixture("source.tiktok-order");
    struct err e = { 0 };
    json_auto_t *made = NULL;
    const json_t *fields;

    json_object_set_new(order, "cpf", json_string("26.545.167/0001-21"));
    json_object_set_new(order, "cpf_name", json_string("Exemplo Ltda"));
    json_object_set_new(order, "payment_method_name", json_string("CCDC"));
    json_object_set_new(order, "payment_card_type", json_string("Credit"));
    json_object_set_new(order, "payment_auth_code", json_string("AUTH123457"));
    made = placed_from(order, &e);
    CHECK(made != NULL, "%s", e.text);
    CHECK_STR(jspec_text(made, "clientProfileData.documentType"), "cnpj");
    CHECK_STR(jspec_text(made, "clientProfileData.corporateDocument"), "26545167000121");
    CHECK_STR(jspec_text(made, "clientProfileData.corporateName"), "Exemplo Ltda");
    CHECK(jspec_bool(made, "clientProfileData.isCorporate", false));
    fields = jspec_get(json_array_get(jspec_get(made, "customData.customApps"), 0), "fields");
    CHECK_STR(jspec_text(fields, "marketplacePaymentMethods"), "creditCard");
    CHECK_STR(jspec_text(fields, "marketplacePaymentAuthorizationCodes"), "AUTH123457");
    CHECK_STR(jspec_text(fields, "marketplacePaymentCnpjAcquirers"), "26545167000121");
}

static void buyer_data_that_does_not_suffice(void)
{
    static const struct {
        const char *object; /* NULL = the order itself */
        const char *field;
        const char *value;
        const char *code;
    } cases[] = {
        { NULL, "cpf", "111.444.777-36", "document_invalid" },
        { NULL, "cpf", "***.444.777-**", "document_invalid" },
        { "recipient_address", "postal_code", "0131", "address_incomplete" },
        { "recipient_address", "name", "", NULL }, /* first_name stands in */
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_auto_t *order = fixture("source.tiktok-order");
        json_t *at = cases[i].object ? json_object_get(order, cases[i].object) : order;
        struct err e = { 0 };
        json_auto_t *made = NULL;

        json_object_set_new(at, cases[i].field, json_string(cases[i].value));
        made = placed_from(order, &e);
        if (cases[i].code)
            CHECK_STR(e.code, cases[i].code);
        CHECK((made == NULL) == (cases[i].code != NULL), "case %zu", i);
    }
}

static void the_note_is_cut_at_500_characters(void)
{
    json_auto_t *order = fixture("source.tiktok-order");
    char text[2001];
    struct err e = { 0 };
    json_auto_t *made = NULL;

    for (size_t i = 0; i < 1000; i++)
        memcpy(text + 2 * i, "\xC3\xA3", 2);
    text[2000] = '\0';
    json_object_set_new(order, "buyer_message", json_string(text));
    made = placed_from(order, &e);
    CHECK_INT(strlen(jspec_text(made, "openTextField.value")), 1000);
}

int main(void)
{
    CASE(the_worked_example);
    CASE(facts_of_an_order);
    CASE(ids_may_be_numbers);
    CASE(two_prices_stay_two_lines_until_merged);
    CASE(cancelled_lines_are_left_out);
    CASE(amounts_are_not_guessed);
    CASE(zero_orders_are_fine);
    CASE(simulations_that_must_stop_the_import);
    CASE(the_delivery_that_all_lines_share);
    CASE(estimates);
    CASE(freight_is_exact);
    CASE(what_tiktok_masked);
    CASE(firms_and_cards);
    CASE(buyer_data_that_does_not_suffice);
    CASE(the_note_is_cut_at_500_characters);
    return CHECK_END();
}
