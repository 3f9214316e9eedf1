/* test_map_product.c - a feed product becomes the body of create_product, or problems in words. */
#include "check.h"

#include "../../sync/map_product.h"
#include "jspec.h"
#include "str.h"

/* Attributes of an invented category: two choices, a mandatory material, one that "Couro" makes mandatory. */
static const char ATTRIBUTES[] =
    "[{\"id\":\"100089\",\"name\":\"Cor\",\"type\":\"SALES_PROPERTY\",\"is_requried\":false,\"is_customizable\":true,"
    "\"values\":[{\"id\":\"1\",\"name\":\"Preto\"},{\"id\":\"2\",\"name\":\"Azul\"}]},"
    "{\"id\":\"100007\",\"name\":\"Tamanho\",\"type\":\"SALES_PROPERTY\",\"is_requried\":false,\"is_customizable\":true,"
    "\"values\":[{\"id\":\"11\",\"name\":\"M\"},{\"id\":\"12\",\"name\":\"G\"}]},"
    "{\"id\":\"100701\",\"name\":\"Material\",\"type\":\"PRODUCT_PROPERTY\",\"is_requried\":true,\"is_customizable\":true,"
    "\"values\":[{\"id\":\"21\",\"name\":\"Algodão\"},{\"id\":\"22\",\"name\":\"Couro\"}]},"
    "{\"id\":\"100702\",\"name\":\"Tipo de couro\",\"type\":\"PRODUCT_PROPERTY\",\"is_requried\":false,"
    "\"requirement_conditions\":[{\"condition_type\":\"VALUE_ID_MATCH\",\"attribute_id\":\"100701\","
    "\"attribute_value_id\":\"22\"}],\"values\":[{\"id\":\"31\",\"name\":\"Bovino\"}]},"
    "{\"id\":\"100703\",\"name\":\"Gênero\",\"type\":\"PRODUCT_PROPERTY\",\"is_requried\":false,"
    "\"values\":[{\"id\":\"41\",\"name\":\"Masculino\"}]}]";

static const char SHIRT[] =
    "{\"source_id\":\"301\",\"title\":\"Camiseta Básica de Algodão\",\"description\":\"<p>Fio 30.1</p>\","
    "\"category\":\"Moda > Camisetas\",\"items\":["
    "{\"id\":\"1201\",\"title\":\"Camiseta Preta M\",\"color\":\"preta\",\"size\":\"M\",\"material\":\"ALGODAO\","
    "\"gender\":\"male\",\"gtin\":\"7896000120106\",\"weight_g\":220,\"length_mm\":301,\"width_mm\":250,\"height_mm\":40},"
    "{\"id\":\"1202\",\"title\":\"Camiseta Azul G\",\"color\":\"Azul\",\"size\":\"G\",\"material\":\"Algodão\","
    "\"gtin\":\"7896000120106\",\"weight_g\":1250,\"length_mm\":300,\"width_mm\":250,\"height_mm\":40}]}";

struct made {
    json_t *desired, *attributes, *rules, *problems, *body;
    struct map_sku skus[4];
    struct variant_plan plan;
    struct client client;
};

static void make(struct made *m, const char *desired, const char *attributes, const char *rules,
                 const json_t *fixed, const json_t *images)
{
    static const char *const URIS[] = { "tos/a", "tos/b" };
    const json_t *items;
    struct err e = { 0 };

    memset(m, 0, sizeof(*m));
    m->desired = json_loads(desired, 0, NULL);
    m->attributes = json_loads(attributes, 0, NULL);
    m->rules = json_loads(rules, 0, NULL);
    m->problems = json_array();
    (void)snprintf(m->client.package_weight_kg, 16, "0.300");
    (void)snprintf(m->client.package_length_cm, 16, "20");
    (void)snprintf(m->client.package_width_cm, 16, "15.5");
    (void)snprintf(m->client.package_height_cm, 16, "10");
    items = json_object_get(m->desired, "items");

    int n = (int)json_array_size(items);

    for (int i = 0; i < n && i < 4; i++)
        m->skus[i] =
            (struct map_sku){ .seller_sku = jspec_text(json_array_get(items, (size_t)i), "id"),
                              .source_sku = jspec_text(json_array_get(items, (size_t)i), "id"),
                              .item = json_array_get(items, (size_t)i),
                              .price_minor = 6990 + i,
                              .stock = 7 };
    CHECK(map_variants_plan(m->skus, n, m->attributes, &m->plan, m->problems, &e) == RC_OK, "%s",
          e.text);

    const struct map_input in = { .source_id = "301",
                                  .desired = m->desired,
                                  .currency = "BRL",
                                  .category_id = "600001",
                                  .rules = m->rules,
                                  .attributes = m->attributes,
                                  .fixed_attributes = fixed,
                                  .brand_id = "",
                                  .main_uris = URIS,
                                  .n_main_uris = 2,
                                  .plan = &m->plan,
                                  .image_uris = images,
                                  .warehouse_id = "7068517275539719942",
                                  .client = &m->client,
                                  .skus = m->skus,
                                  .n_skus = n };

    CHECK(map_product(&in, &m->body, m->problems, &e) == RC_OK, "%s", e.text);
}

static void drop(struct made *m)
{
    json_decref(m->desired);
    json_decref(m->attributes);
    json_decref(m->rules);
    json_decref(m->problems);
    json_decref(m->body);
}

static bool has_problem(const struct made *m, const char *code)
{
    for (size_t i = 0; i < json_array_size(m->problems); i++)
        if (str_eq(jspec_text(json_array_get(m->problems, i), "code"), code))
            return true;
    return false;
}

static const json_t *sku(const struct made *m, size_t i)
{
    return json_array_get(json_object_get(m->body, "skus"), i);
}

static const json_t *choice(const struct made *m, size_t i, size_t k)
{
    return json_array_get(json_object_get(sku(m, i), "sales_attributes"), k);
}

static void whole_body(void)
{
    struct made m;
    const json_t *images = json_pack("{s:s, s:s}", "preta", "tos/preta", "azul", "tos/azul");

    make(&m, SHIRT, ATTRIBUTES, "{}", NULL, images);
    CHECK(m.body != NULL && json_array_size(m.problems) == 0);
    CHECK_STR(jspec_text(m.body, "save_mode"), "LISTING");
    CHECK_STR(jspec_text(m.body, "title"), "Camiseta Básica de Algodão");
    CHECK_STR(jspec_text(m.body, "description"), "<p>Fio 30.1</p>");
    CHECK_STR(jspec_text(m.body, "category_id"), "600001");
    CHECK_STR(jspec_text(m.body, "external_product_id"), "301");
    CHECK(json_object_get(m.body, "brand_id") == NULL);
    CHECK(json_object_get(m.body, "category_version") == NULL);
    CHECK_STR(jspec_text(m.body, "package_weight.value"), "1.25");
    CHECK_STR(jspec_text(m.body, "package_weight.unit"), "KILOGRAM");
    CHECK_STR(jspec_text(m.body, "package_dimensions.length"), "31");
    CHECK_STR(jspec_text(m.body, "package_dimensions.height"), "4");
    CHECK_INT(json_array_size(json_object_get(m.body, "main_images")), 2);
    CHECK_STR(jspec_text(sku(&m, 0), "price.amount"), "69.90");
    CHECK_STR(jspec_text(sku(&m, 0), "price.currency"), "BRL");
    CHECK_STR(jspec_text(sku(&m, 1), "external_sku_id"), "1202");
    CHECK_STR(jspec_text(sku(&m, 0), "identifier_code.type"), "EAN");
    CHECK(json_object_get(sku(&m, 1), "identifier_code") == NULL); /* the same code counts once */
    CHECK_INT(
        jspec_int(json_array_get(json_object_get(sku(&m, 0), "inventory"), 0), "quantity", -1), 7);
    /* "preta" is the built-in "Preto" */
    CHECK_STR(jspec_text(choice(&m, 0, 0), "id"), "100089");
    CHECK_STR(jspec_text(choice(&m, 0, 0), "value_id"), "1");
    CHECK(json_object_get(choice(&m, 0, 0), "value_name") == NULL);
    CHECK_STR(jspec_text(choice(&m, 0, 0), "sku_img.uri"), "tos/preta");
    CHECK_STR(jspec_text(choice(&m, 1, 0), "sku_img.uri"), "tos/azul");
    CHECK(json_object_get(choice(&m, 0, 1), "sku_img") == NULL); /* pictures on one kind only */
    CHECK_STR(jspec_text(choice(&m, 1, 1), "value_id"), "12");
    CHECK_INT(json_array_size(json_object_get(m.body, "product_attributes")), 2);
    drop(&m);
    json_decref((json_t *)(uintptr_t)images);
}

static void own_choices(void)
{
    static const char LAMP[] =
        "{\"title\":\"Luminária\",\"items\":["
        "{\"id\":\"1\",\"color\":\"Verde água\",\"material\":\"Couro\",\"details\":[{\"name\":\"Voltagem\",\"value\":\"110 V\"},"
        "{\"name\":\"Tipo de couro\",\"value\":\"bovino\"}]},"
        "{\"id\":\"2\",\"color\":\"Verde água\",\"material\":\"Couro\",\"details\":[{\"name\":\"Voltagem\",\"value\":\"220 V\"}]}]}";
    struct made m;

    make(&m, LAMP, ATTRIBUTES, "{}", NULL, NULL);
    CHECK(m.body != NULL && json_array_size(m.problems) == 0);
    CHECK_INT(json_array_size(json_object_get(sku(&m, 0), "sales_attributes")), 1);
    CHECK_STR(jspec_text(choice(&m, 0, 0), "name"), "Voltagem");
    CHECK_STR(jspec_text(choice(&m, 1, 0), "value_name"), "220 V");
    CHECK(json_object_get(choice(&m, 0, 0), "id") == NULL);
    CHECK_STR(jspec_text(m.body, "package_weight.value"), "0.3");
    CHECK_STR(jspec_text(m.body, "package_dimensions.width"), "16");
    CHECK_STR(jspec_text(m.body, "description"), "<p>Luminária</p>");
    CHECK_INT(json_array_size(json_object_get(m.body, "product_attributes")),
              2); /* leather kind included */
    drop(&m);
}

static void titles_tell_apart(void)
{
    static const char TWINS[] =
        "{\"title\":\"Kit\",\"items\":[{\"id\":\"1\",\"title\":\"Kit A\",\"material\":\"Couro sintético\"},"
        "{\"id\":\"2\",\"title\":\"Kit B\",\"material\":\"Couro sintético\"}]}";
    static const char SAME[] =
        "{\"title\":\"Kit\",\"items\":[{\"id\":\"1\",\"title\":\"Kit\",\"material\":\"lona\"},"
        "{\"id\":\"2\",\"title\":\"Kit\",\"material\":\"lona\"}]}";
    struct made m;

    make(&m, TWINS, ATTRIBUTES, "{}", NULL, NULL);
    CHECK(m.body != NULL);
    CHECK_STR(jspec_text(choice(&m, 1, 0), "name"), "Modelo");
    CHECK_STR(jspec_text(choice(&m, 1, 0), "value_name"), "Kit B");
    CHECK_STR(jspec_text(json_array_get(
                             json_object_get(
                                 json_array_get(json_object_get(m.body, "product_attributes"), 0),
                                 "values"),
                             0),
                         "name"),
              "Couro sintético");
    drop(&m);
    make(&m, SAME, ATTRIBUTES, "{}", NULL, NULL);
    CHECK(m.body == NULL && has_problem(&m, "duplicate_variants"));
    drop(&m);
}

static void one_sku_needs_no_choice(void)
{
    struct made m;

    make(
        &m,
        "{\"title\":\"Garrafa\",\"items\":[{\"id\":\"2205\",\"color\":\"Azul\",\"material\":\"Couro/Algodão\"}]}",
        ATTRIBUTES, "{}", NULL, NULL);
    CHECK(m.body != NULL);
    CHECK(json_object_get(sku(&m, 0), "sales_attributes") == NULL);
    drop(&m);
}

static void fixed_attributes_win(void)
{
    struct made m;
    json_t *fixed = json_loads(
        "{\"100701\":{\"value_id\":\"22\"},\"100702\":{\"value_name\":\"Vegano\"}}", 0, NULL);

    make(&m, SHIRT, ATTRIBUTES, "{}", fixed, NULL);
    CHECK(m.body != NULL);

    const json_t *list = json_object_get(m.body, "product_attributes");

    CHECK_STR(
        jspec_text(json_array_get(json_object_get(json_array_get(list, 0), "values"), 0), "id"),
        "22");
    CHECK_STR(
        jspec_text(json_array_get(json_object_get(json_array_get(list, 1), "values"), 0), "name"),
        "Vegano");
    drop(&m);
    json_decref(fixed);
}

static void what_is_missing(void)
{
    struct made m;

    make(
        &m, "{\"items\":[{\"id\":\"has blank\",\"gtin\":\"7896000120107\"}]}", ATTRIBUTES,
        "{\"size_chart\":{\"is_required\":true},\"product_certifications\":[{\"id\":\"1\",\"name\":\"INMETRO\","
        "\"is_required\":true}]}",
        NULL, NULL);
    CHECK(m.body == NULL);
    CHECK(has_problem(&m, "missing_title"));
    CHECK(has_problem(&m, "missing_attribute"));
    CHECK(has_problem(&m, "size_chart_required"));
    CHECK(has_problem(&m, "certification_required"));
    CHECK(has_problem(&m, "seller_sku"));
    drop(&m);
    make(&m, "{\"title\":\"Bolsa\",\"items\":[{\"id\":\"1\",\"material\":\"couro\"}]}", ATTRIBUTES,
         "{}", NULL, NULL);
    CHECK(m.body == NULL && has_problem(&m, "missing_attribute")); /* leather asks for its kind */
    CHECK_STR(jspec_text(json_array_get(m.problems, 0), "field"), "Tipo de couro");
    drop(&m);
    make(&m, "{\"title\":\"Bolsa\",\"items\":[{\"id\":\"1\",\"material\":\"lona\"}]}",
         "[{\"id\":\"5\",\"name\":\"Cor\",\"type\":\"SALES_PROPERTY\",\"is_requried\":true}]", "{}",
         NULL, NULL);
    CHECK(m.body == NULL && has_problem(&m, "missing_attribute"));
    drop(&m);
}

static void what_a_category_takes_is_named(void)
{
    OWN_BUF struct buf attributes;
    struct made m;

    buf_init(&attributes, 65536);
    buf_str(&attributes, "[{\"id\":\"1\",\"name\":\"Capacidade\",\"type\":\"PRODUCT_PROPERTY\","
                         "\"is_requried\":true,\"values\":[{\"id\":\"0\",\"name\":\"0 ml\"}");
    for (int i = 1; i < 40; i++)
        buf_fmt(&attributes, ",{\"id\":\"%d\",\"name\":\"%d ml\"}", i, i);
    buf_str(&attributes, "]}]");
    make(
        &m, SHIRT, buf_text(&attributes),
        "{\"manufacturer\":{\"is_required\":true},\"fees\":[{\"type\":\"PFAND\",\"is_required\":true},"
        "{\"type\":\"OTHER\",\"is_required\":false}]}",
        NULL, NULL);
    CHECK(m.body == NULL && has_problem(&m, "manufacturer_required"));
    CHECK(has_problem(&m, "fee_required"));
    for (size_t i = 0; i < json_array_size(m.problems); i++) {
        const json_t *one = json_array_get(m.problems, i);
        const char *text = jspec_text(one, "message");

        CHECK(strstr(text, "OTHER") == NULL, "%s", text);
        if (!str_eq(jspec_text(one, "code"), "missing_attribute"))
            continue;
        CHECK_STR(jspec_text(one, "field"), "Capacidade");
        CHECK(strstr(text, "It takes: \"0 ml\", \"1 ml\"") != NULL, "%s", text);
        CHECK(strstr(text, "\"11 ml\" (+28).") != NULL, "%s", text);
    }
    drop(&m);
}

static void content_is_compared_without_values(void)
{
    struct made m;

    make(&m, SHIRT, ATTRIBUTES, "{}", NULL, NULL);

    json_t *one = map_product_content(m.body);

    (void)json_object_set_new(json_object_get((json_t *)(uintptr_t)sku(&m, 0), "price"), "amount",
                              json_string("1.00"));
    (void)json_object_set_new(m.body, "idempotency_key", json_string("k"));

    json_t *two = map_product_content(m.body);

    CHECK(json_equal(one, two));
    (void)json_object_set_new(m.body, "title", json_string("Outra"));
    json_decref(two);
    two = map_product_content(m.body);
    CHECK(!json_equal(one, two));
    json_decref(one);
    json_decref(two);
    drop(&m);
}

int main(void)
{
    CASE(whole_body);
    CASE(own_choices);
    CASE(titles_tell_apart);
    CASE(one_sku_needs_no_choice);
    CASE(fixed_attributes_win);
    CASE(what_is_missing);
    CASE(what_a_category_takes_is_named);
    CASE(content_is_compared_without_values);
    return CHECK_END();
}
