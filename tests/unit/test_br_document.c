/* test_br_document.c - CPF and CNPJ are taken only with right check digits. */
#include "br_document.h"

#include "check.h"

static void documents(void)
{
    static const struct {
        const char *text;
        enum br_document kind;
        const char *digits;
    } cases[] = {
        { "111.444.777-35", BR_DOCUMENT_CPF, "11144477735" },
        { "11144477735", BR_DOCUMENT_CPF, "11144477735" },
        { " 012.345.678-90 ", BR_DOCUMENT_CPF, "01234567890" },
        { "111.444.777-36", BR_DOCUMENT_NONE, "" },
        { "111.444.777-53", BR_DOCUMENT_NONE, "" },
        { "111.111.111-11", BR_DOCUMENT_NONE, "" },
        { "3213-31231412", BR_DOCUMENT_NONE, "" },
        { "***.444.777-**", BR_DOCUMENT_NONE, "" },
        { "1114447773", BR_DOCUMENT_NONE, "" },
        { "111444777355555555555", BR_DOCUMENT_NONE, "" },
        { "26.545.167/0001-21", BR_DOCUMENT_CNPJ, "26545167000121" },
        { "11.222.333/0001-81", BR_DOCUMENT_CNPJ, "11222333000181" },
        { "11.222.333/0001-82", BR_DOCUMENT_NONE, "" },
        { "00000000000000", BR_DOCUMENT_NONE, "" },
        { "12.ABC.345/01DE-35", BR_DOCUMENT_CNPJ, "12ABC34501DE35" },
        { "12.ABC.345/01DE-36", BR_DOCUMENT_NONE, "" },
        { "", BR_DOCUMENT_NONE, "" },
        { NULL, BR_DOCUMENT_NONE, "" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char digits[BR_DOCUMENT_BYTES] = "?";

        CHECK(br_document_read(cases[i].text, digits) == cases[i].kind, "case %zu", i);
        CHECK_STR(digits, cases[i].digits);
    }
}

int main(void)
{
    CASE(documents);
    return CHECK_END();
}
