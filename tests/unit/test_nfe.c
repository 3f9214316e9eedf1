/* test_nfe.c - NF-e files: the key's check digit, the parties, the protocol, and what is refused. */
#include "check.h"

#include "nfe.h"
#include "str.h"

#define KEY "35260611222333000181550010000456781730192845"
#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
#define NFE(id, issuer, dest)                                            \
    "<NFe><infNFe Id=\"NFe" id                                           \
    "\" versao=\"4.00\"><ide><cUF>35</cUF><mod>55</mod><serie>1</serie>" \
    "<nNF>45678</nNF></ide><emit><CNPJ>" issuer "</CNPJ></emit>" dest    \
    "<total><ICMSTot><vNF>148.80</vNF></ICMSTot></total></infNFe></NFe>"
#define PROT(key, status) \
    "<protNFe><infProt><chNFe>" key "</chNFe><cStat>" status "</cStat></infProt></protNFe>"
#define PROC(inner) HEAD "<nfeProc xmlns=\"http://www.portalfiscal.inf.br/nfe\">" inner "</nfeProc>"
#define ISSUER "11222333000181"
#define DEST "<dest><CPF>11144477735</CPF></dest>"
#define GOOD PROC(NFE(KEY, ISSUER, DEST) PROT(KEY, "100"))

static void keys(void)
{
    static const struct {
        const char *key;
        bool valid;
    } cases[] = {
        { KEY, true },
        { "35260611222333000181550010000456791205871635", true },
        { "35260611222333000181550010000456781730192844", false },
        { "3526061122233300018155001000045678173019284", false },
        { "352606112223330001815500100004567817301928455", false },
        { "3526061122233300018155001000045678173019284X", false },
        { "", false },
        { NULL, false },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CHECK(nfe_key_valid(cases[i].key) == cases[i].valid, "case %zu", i);
}

static void good_file(void)
{
    struct nfe nfe = { 0 };
    struct err e = { 0 };

    CHECK_INT(nfe_read(GOOD, strlen(GOOD), &nfe, &e), RC_OK);
    CHECK_STR(nfe.key, KEY);
    CHECK_STR(nfe.issuer, ISSUER);
    CHECK_STR(nfe.recipient, "11144477735");
    CHECK_STR(nfe.number, "45678");
    CHECK_STR(nfe.series, "1");
    CHECK_INT(nfe.value_minor, 14880);
}

static void refused_files(void)
{
    static const struct {
        const char *xml, *code;
    } cases[] = {
        { "", "nfe_not_xml" },
        { "hello", "nfe_not_xml" },
        { "<html><body>404</body></html>", "nfe_not_xml" },
        { HEAD "<!DOCTYPE x [<!ENTITY a \"b\">]><nfeProc/>", "nfe_not_xml" },
        { HEAD "<nfeProc><NFe>", "nfe_not_xml" },
        { HEAD NFE(KEY, ISSUER, DEST), "nfe_incomplete" },
        { PROC(NFE(KEY, ISSUER, DEST)), "nfe_incomplete" },
        { PROC(NFE("35260611222333000181550010000456781730192844", ISSUER, DEST)
                   PROT("35260611222333000181550010000456781730192844", "100")),
          "nfe_key" },
        { PROC(NFE(KEY, ISSUER, DEST) PROT("35260611222333000181550010000456791205871635", "100")),
          "nfe_key" },
        { PROC(NFE(KEY, "26545167000121", DEST) PROT(KEY, "100")), "nfe_issuer" },
        { PROC(NFE(KEY, "11222333000182", DEST) PROT(KEY, "100")), "nfe_issuer" },
        { PROC(NFE(KEY, ISSUER, DEST) PROT(KEY, "110")), "nfe_not_authorized" },
        { PROC(NFE("35260611222333000181650010000456781730192848", ISSUER, DEST)
                   PROT("35260611222333000181650010000456781730192848", "100")),
          "nfe_model" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct nfe nfe = { .number = "same" };
        struct err e = { 0 };

        CHECK_INT(nfe_read(cases[i].xml, strlen(cases[i].xml), &nfe, &e), RC_INVALID);
        CHECK_STR(e.code, cases[i].code);
        CHECK_STR(nfe.number, "same");
    }
}

static void too_large(void)
{
    char *text = calloc(1, LIMIT_NFE_BYTES + 2);
    struct nfe nfe;
    struct err e = { 0 };

    CHECK(text != NULL);
    memset(text, ' ', LIMIT_NFE_BYTES + 1);
    CHECK_INT(nfe_read(text, LIMIT_NFE_BYTES + 1, &nfe, &e), RC_INVALID);
    CHECK_STR(e.code, "nfe_too_large");
    free(text);
}

static void texts_become_files(void)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "<a b=\"1\"/>", "<a b=\"1\"/>" },
        { "\xEF\xBB\xBF \n<a/>", "<a/>" },
        { "<a b=\\\"1\\\"/>", "<a b=\"1\"/>" },
        { "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a/>", HEAD "<a/>" },
        { "<?xml version=\\\"1.0\\\"?><a b=\\\"\\\"/>", HEAD "<a b=\"\"/>" },
        { "<a>back\\slash</a>", "<a>back\\slash</a>" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out;

        buf_init(&out, 4096);
        CHECK_INT(nfe_clean(cases[i].text, &out, NULL), RC_OK);
        CHECK_STR(buf_text(&out), cases[i].want);
        buf_done(&out);
    }
}

int main(void)
{
    CASE(keys);
    CASE(good_file);
    CASE(refused_files);
    CASE(too_large);
    CASE(texts_become_files);
    return CHECK_END();
}
