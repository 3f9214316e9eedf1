/* test_client_policy.c - rules of a merchant: defaults, ranges, field names, writing out again. */
#include "check.h"

#include "client_policy.h"
#include "str.h"

static enum rc read_text(const char *text, const char *account, struct client *c, struct err *e)
{
    json_auto_t *doc = NULL;
    json_auto_t *whole = NULL;
    static const struct jspec_field SPEC[] = {
        { .name = "policies", .type = JSPEC_OBJECT, .sub = CLIENT_POLICIES_SPEC },
        { 0 },
    };
    enum rc rc = jspec_parse(text, strlen(text), 0, &doc, e);

    memset(c, 0, sizeof *c);
    (void)str_copy(c->vtex_account, sizeof c->vtex_account, account);
    if (rc != RC_OK)
        return rc;
    whole = json_pack("{s:O}", "policies", doc);
    rc = jspec_check(whole, SPEC, e);
    return rc == RC_OK ? client_policy_read(doc, c, e) : rc;
}

static void defaults_with_vtex(void)
{
    struct client c = { 0 };
    struct err e = { 0 };

    CHECK_INT(read_text("{}", "lojaexemplo", &c, &e), RC_OK);
    CHECK(c.sync_products && c.sync_prices && c.sync_stock && c.sync_orders);
    CHECK(c.price.from_vtex && c.stock.from_vtex);
    CHECK_INT(c.price.round_to_minor, 1);
    CHECK_INT(c.price.minimum_minor, 50);
    CHECK_INT(c.price.maximum_minor, 0);
    CHECK_STR(c.price.markup_percent, "0");
    CHECK_STR(c.price.hold_change_above_percent, "");
    CHECK_INT(c.stock.percent, 100);
    CHECK_INT(c.stock.maximum, 9999);
    CHECK_INT(c.stock.unlimited_as, 999);
    CHECK_STR(c.package_weight_kg, "0.300");
    CHECK_STR(c.brand_when_unknown, "omit");
    CHECK_STR(c.removed_action, "deactivate");
    CHECK_INT(c.hold_above_percent, 5);
    CHECK_INT(c.feed_every_minutes, 60);
    CHECK_STR(c.order_shipping_fee, "buyer_fee");
    CHECK_STR(c.address_lines[0], "neighborhood");
    CHECK_STR(c.address_lines[3], "complement");
    CHECK_STR(c.phone_fallback, "+5511999999999");
    CHECK_INT(c.sku_id_rule, SKU_ID_FEED_ID);
}

static void defaults_without_vtex(void)
{
    struct client c = { 0 };
    struct err e = { 0 };

    CHECK_INT(client_policy_read(NULL, &c, &e), RC_OK);
    CHECK(!c.price.from_vtex && !c.stock.from_vtex);
}

static void refusals_name_the_field(void)
{
    static const struct {
        const char *text;
        const char *field;
    } CASES[] = {
        { "{\"sync\":{\"brands\":true}}", "policies.sync.brands" },
        { "{\"colour\":{}}", "policies.colour" },
        { "{\"sku_id\":{\"rule\":\"sku\"}}", "policies.sku_id.rule" },
        { "{\"price\":{\"round_to\":\"0.00\"}}", "policies.price.round_to" },
        { "{\"price\":{\"round_to\":0.01}}", "policies.price.round_to" },
        { "{\"price\":{\"minimum\":\"1.00\",\"maximum\":\"0.90\"}}", "policies.price.maximum" },
        { "{\"price\":{\"markup_percent\":\"-95\"}}", "policies.price.markup_percent" },
        { "{\"price\":{\"source\":\"erp\"}}", "policies.price.source" },
        { "{\"stock\":{\"percent\":101}}", "policies.stock.percent" },
        { "{\"stock\":{\"reserve\":-1}}", "policies.stock.reserve" },
        { "{\"package\":{\"weight_kg\":\"0.000\"}}", "policies.package.weight_kg" },
        { "{\"package\":{\"weight_kg\":\"0.3001\"}}", "policies.package.weight_kg" },
        { "{\"order\":{\"address_lines\":[\"street\",\"street\"]}}",
          "policies.order.address_lines" },
        { "{\"order\":{\"address_lines\":[\"city\"]}}", "policies.order.address_lines" },
        { "{\"order\":{\"phone_fallback\":\"11999999999\"}}", "policies.order.phone_fallback" },
        { "{\"shipping\":{\"carriers\":{\"Correios\":7}}}", "policies.shipping.carriers" },
        { "{\"shipping\":{\"carriers\":[]}}", "policies.shipping.carriers" },
        { "{\"invoice\":{\"issuers\":[\"11222333000182\"]}}", "policies.invoice.issuers" },
        { "{\"brand\":{\"when_unknown\":\"never\"}}", "policies.brand.when_unknown" },
    };

    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct client c = { 0 };
        struct err e = { 0 };

        CHECK(read_text(CASES[i].text, "lojaexemplo", &c, &e) == RC_INVALID, "%s", CASES[i].text);
        CHECK_STR(e.field, CASES[i].field);
    }
}

static void vtex_as_source_needs_an_account(void)
{
    struct client c = { 0 };
    struct err e = { 0 };

    CHECK_INT(read_text("{\"price\":{\"source\":\"vtex\"}}", "", &c, &e), RC_INVALID);
    CHECK_STR(e.field, "policies.price.source");
}

static void writes_out_what_it_read(void)
{
    static const char TEXT[] =
        "{\"shadow\":false,\"sync\":{\"products\":true,\"prices\":false,\"stock\":true,\"orders\":true,"
        "\"text\":true,\"images\":true,\"activation\":true},"
        "\"sku_id\":{\"rule\":\"last_part\"},"
        "\"price\":{\"source\":\"feed\",\"markup_percent\":\"12.5\",\"add_amount\":\"-1.00\","
        "\"round_to\":\"0.10\",\"minimum\":\"1.00\",\"maximum\":\"900.00\","
        "\"hold_change_above_percent\":\"30\"},"
        "\"stock\":{\"source\":\"vtex\",\"reserve\":2,\"percent\":90,\"maximum\":50,\"unlimited_as\":9,\"warehouses\":null},"
        "\"package\":{\"weight_kg\":\"1.250\",\"length_cm\":\"30\",\"width_cm\":\"20\",\"height_cm\":\"5\"},"
        "\"brand\":{\"when_unknown\":\"omit\"},\"category\":{\"accept_recommendation\":false},"
        "\"removed_products\":{\"action\":\"keep\",\"hold_above_percent\":7,\"hold_above_count\":3},"
        "\"feed\":{\"read_every_minutes\":15},"
        "\"order\":{\"shipping_fee\":\"zero\",\"address_lines\":[\"street\",\"number\"],"
        "\"phone_fallback\":\"+5511888888888\"},\"shipping\":{\"automatic\":\"never\",\"handover_method\":"
        "\"PICKUP\",\"carriers\":{}},\"invoice\":{\"issuers\":"
        "[]},\"cancel\":{\"buyer_request\":\"ask\",\"seller_reason\":"
        "\"seller_cancel_reason_out_of_stock\",\"reject_reason\":"
        "\"seller_reject_apply_product_has_been_packed\"}}";
    struct client c = { 0 };
    struct err e = { 0 };
    json_t *again = NULL;
    struct buf out;

    buf_init(&out, 4096);
    CHECK_INT(read_text(TEXT, "lojaexemplo", &c, &e), RC_OK);
    again = client_policy_json_new(&c);
    CHECK(again != NULL);
    CHECK_INT(jspec_dump(again, &out, &e), RC_OK);
    CHECK_STR(buf_text(&out), TEXT);
    json_decref(again);
    buf_done(&out);
}

int main(void)
{
    CASE(defaults_with_vtex);
    CASE(defaults_without_vtex);
    CASE(refusals_name_the_field);
    CASE(vtex_as_source_needs_an_account);
    CASE(writes_out_what_it_read);
    return CHECK_END();
}
