/* test_map_address.c - recipients of TikTok become Brazilian addresses, names and phones. */
#include "../../sync/map_address.h"

#include "check.h"
#include "jspec.h"
#include "str.h"

static const char LINES[4][16] = { "neighborhood", "street", "number", "complement" };

static json_t *recipient(const char *l1, const char *l2, const char *l3, const char *l4,
                         const char *detail, const char *full)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:[{s:s,s:s,s:s},{s:s,s:s,s:s}]}",
                     "name", "Mariana  Alves", "postal_code", "01310100", "address_line1", l1,
                     "address_line2", l2, "address_line3", l3, "address_line4", l4,
                     "address_detail", detail, "full_address", full, "district_info",
                     "address_level", "L1", "address_level_name", "State", "address_name",
                     "Sao Paulo", "address_level", "L2", "address_level_name", "city",
                     "address_name", "Campinas");
}

static void addresses(void)
{
    static const struct {
        const char *l[4];
        const char *detail, *full;
        const char *street, *number, *neighborhood, *complement;
    } cases[] = {
        { { "Bela Vista", " Avenida \t Paulista ", "1578", "Apto 42" },
          "",
          "",
          "Avenida Paulista",
          "1578",
          "Bela Vista",
          "Apto 42" },
        { { "Centro", "Rua A", "s/n", "" }, "", "", "Rua A", "S/N", "Centro", "" },
        { { "Centro", "Rua A", "", "" }, "", "", "Rua A", "S/N", "Centro", "" },
        { { "Centro", "Rua A", "12-B", "" }, "", "", "Rua A", "12-B", "Centro", "" },
        /* bairro in line 3 and street in line 4: the lines are not what the setting says */
        { { "X", "Suite 100", "Vila Olimpia", "Avenida Juscelino" },
          "Avenida Juscelino 1830 Torre 2",
          "Brasil, Sao Paulo, Campinas, Vila Olimpia, Avenida Juscelino 1830 Torre 2",
          "Avenida Juscelino",
          "1830",
          "Vila Olimpia",
          "Torre 2" },
        { { "", "", "", "" },
          "Rua Quinze, 20, casa",
          "Brasil, SP, Campinas, Rua Quinze, 20, casa",
          "Rua Quinze",
          "20",
          "",
          "casa" },
        { { "", "", "", "" }, "Fazenda Boa Vista", "", "Fazenda Boa Vista", "S/N", "", "" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_auto_t *to = recipient(cases[i].l[0], cases[i].l[1], cases[i].l[2], cases[i].l[3],
                                    cases[i].detail, cases[i].full);
        struct map_address a = { 0 };
        struct err e = { 0 };

        CHECK(map_address_read(to, LINES, &a, &e) == RC_OK, "case %zu: %s", i, e.text);
        CHECK_STR(a.street, cases[i].street);
        CHECK_STR(a.number, cases[i].number);
        CHECK_STR(a.neighborhood, cases[i].neighborhood);
        CHECK_STR(a.complement, cases[i].complement);
        CHECK_STR(a.postal_code, "01310-100");
        CHECK_STR(a.state, "SP");
        CHECK_STR(a.city, "Campinas");
        CHECK_STR(a.receiver, "Mariana Alves");
    }
}

static void the_order_of_lines_is_a_setting(void)
{
    static const char other[4][16] = { "street", "number", "complement", "neighborhood" };
    json_auto_t *to = recipient("Rua A", "9", "fundos", "Centro", "", "");
    struct map_address a = { 0 };

    CHECK_INT(map_address_read(to, other, &a, NULL), RC_OK);
    CHECK_STR(a.street, "Rua A");
    CHECK_STR(a.neighborhood, "Centro");
}

static void addresses_that_do_not_suffice(void)
{
    json_auto_t *none = json_object();
    json_auto_t *no_street = recipient("", "", "", "", "", "");
    json_auto_t *no_state = recipient("Centro", "Rua A", "1", "", "", "");
    struct map_address a = { 0 };
    struct err e = { 0 };

    CHECK_INT(map_address_read(NULL, LINES, &a, &e), RC_INVALID);
    CHECK_STR(e.code, "address_missing");
    CHECK_INT(map_address_read(none, LINES, &a, &e), RC_INVALID);
    CHECK_STR(e.code, "address_missing");
    CHECK_INT(map_address_read(no_street, LINES, &a, &e), RC_INVALID);
    CHECK_STR(e.code, "address_incomplete");
    json_object_del(no_state, "district_info");
    CHECK_INT(map_address_read(no_state, LINES, &a, &e), RC_INVALID);
    CHECK_STR(e.code, "address_incomplete");
}

static void all_states(void)
{
    static const char *const states[][2] = {
        { "Acre", "AC" },
        { "Alagoas", "AL" },
        { "Amapá", "AP" },
        { "Amazonas", "AM" },
        { "Bahia", "BA" },
        { "Ceará", "CE" },
        { "Distrito Federal", "DF" },
        { "Espírito Santo", "ES" },
        { "Goiás", "GO" },
        { "Maranhão", "MA" },
        { "Mato Grosso", "MT" },
        { "Mato Grosso do Sul", "MS" },
        { "Minas Gerais", "MG" },
        { "Pará", "PA" },
        { "Paraíba", "PB" },
        { "Paraná", "PR" },
        { "Pernambuco", "PE" },
        { "Piauí", "PI" },
        { "Rio de Janeiro", "RJ" },
        { "Rio Grande do Norte", "RN" },
        { "Rio Grande do Sul", "RS" },
        { "Rondônia", "RO" },
        { "Roraima", "RR" },
        { "Santa Catarina", "SC" },
        { "SÃO PAULO", "SP" },
        { "Sergipe", "SE" },
        { "Tocantins", "TO" },
        { "Estado de São Paulo", "SP" },
        { "Sa\xCC\x83o Paulo", "SP" },
        { "rj", "RJ" },
    };

    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        CHECK_STR(map_address_uf(states[i][0]), states[i][1]);
    CHECK(map_address_uf("California") == NULL);
    CHECK(map_address_uf("") == NULL);
    CHECK(map_address_uf(NULL) == NULL);
}

static void names(void)
{
    char first[MAP_TEXT_BYTES], last[MAP_TEXT_BYTES];

    CHECK_INT(map_name_split("  Mariana  Alves\tSouza ", first, last, NULL), RC_OK);
    CHECK_STR(first, "Mariana");
    CHECK_STR(last, "Alves Souza");
    CHECK_INT(map_name_split("Madonna", first, last, NULL), RC_OK);
    CHECK_STR(last, "Madonna");
    CHECK_INT(map_name_split(" \x01 ", first, last, NULL), RC_INVALID);
    CHECK_INT(map_name_split(NULL, first, last, NULL), RC_INVALID);
}

static void phones(void)
{
    static const char *const cases[][2] = {
        { "(+55)11987654321", "+5511987654321" },
        { "+55 11 98765-4321", "+5511987654321" },
        { "11987654321", "+5511987654321" },
        { "5511987654321", "+5511987654321" },
        { "(+1)213-555-1234", "+12135551234" },
        { "(+55)119****4321", "FB" },
        { "123", "FB" },
        { "", "FB" },
        { "1234567890123456789012345678", "FB" },
    };
    char out[32];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        map_phone(cases[i][0], "FB", out);
        CHECK_STR(out, cases[i][1]);
    }
    map_phone(NULL, NULL, out);
    CHECK_STR(out, "");
}

int main(void)
{
    CASE(addresses);
    CASE(the_order_of_lines_is_a_setting);
    CASE(addresses_that_do_not_suffice);
    CASE(all_states);
    CASE(names);
    CASE(phones);
    return CHECK_END();
}
