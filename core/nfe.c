/* nfe.c - reads NF-e XML: who, for whom, under which key, and the protocol of the tax authority. */
#include "nfe.h"

#include "br_document.h"
#include "money.h"
#include "str.h"
#include "xmldoc.h"

#include <string.h>

#define NFE_DEPTH_MAX 32
#define NFE_PATH_BYTES 512
#define NFE_VALUE_BYTES 64

struct reader {
    char path[NFE_PATH_BYTES]; /* local names joined by '/' */
    size_t marks[NFE_DEPTH_MAX];
    int depth;
    char value[NFE_VALUE_BYTES]; /* text of the element that is open */
    size_t value_len;
    bool too_long;
    struct nfe nfe;
    char protocol_key[NFE_KEY_BYTES];
    char status[8];
    char total[32];
    bool protocol;
};

bool nfe_key_valid(const char *key)
{
    int sum = 0;
    int weight = 2;
    int digit;

    if (key == NULL || strlen(key) != NFE_KEY_BYTES - 1 || !str_digits(key))
        return false;
    for (int i = 42; i >= 0; i--) {
        sum += (key[i] - '0') * weight;
        weight = weight == 9 ? 2 : weight + 1;
    }
    digit = 11 - sum % 11;
    return key[43] - '0' == (digit > 9 ? 0 : digit);
}

enum rc nfe_clean(const char *text, struct buf *out, struct err *e)
{
    const char *at = text;
    const char *mark;
    bool escaped;

    if (str_starts(at, "\xEF\xBB\xBF"))
        at += 3;
    at += strspn(at, " \t\r\n");
    escaped = strstr(at, "=\\\"") != NULL;
    if (str_starts(at, "<?xml")) {
        mark = strstr(at, "?>");
        if (mark != NULL) {
            buf_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
            at = mark + 2;
        }
    }
    for (; *at != '\0'; at++) {
        if (!(escaped && at[0] == '\\' && at[1] == '"'))
            buf_add(out, at, 1);
    }
    if (buf_check(out, e) != RC_OK)
        return err_code(e, RC_INVALID, "nfe_too_large", "the NF-e is larger than TikTok takes");
    return RC_OK;
}

/* ---- elements ------------------------------------------------------------------------------------ */

static enum rc on_open(void *user, const struct xmldoc_name *name, const struct xmldoc_attrs *attrs,
                       struct err *e)
{
    struct reader *r = user;
    size_t used = strlen(r->path);
    char id[NFE_VALUE_BYTES];

    if (r->depth >= NFE_DEPTH_MAX || used + strlen(name->local) + 2 > sizeof r->path)
        return err_code(e, RC_INVALID, "nfe_not_xml", "the file is not an NF-e");
    r->marks[r->depth++] = used;
    (void)str_fmt(r->path + used, sizeof r->path - used, "/%s", name->local);
    r->value_len = 0;
    r->too_long = false;
    if (str_ends(r->path, "/NFe/infNFe") && xmldoc_attr(attrs, "Id", id, sizeof id))
        (void)str_copy(r->nfe.key, sizeof r->nfe.key, str_starts(id, "NFe") ? id + 3 : id);
    if (str_eq(r->path, "/nfeProc/protNFe/infProt"))
        r->protocol = true;
    return RC_OK;
}

static enum rc on_text(void *user, const char *text, size_t len, struct err *e)
{
    struct reader *r = user;

    (void)e;
    if (len >= sizeof r->value - r->value_len) {
        r->too_long = true;
        return RC_OK;
    }
    memcpy(r->value + r->value_len, text, len);
    r->value_len += len;
    return RC_OK;
}

static void keep(struct reader *r, const char *value)
{
    static const char base[] = "/NFe/infNFe";
    const char *rest = str_starts(r->path, "/nfeProc") ? r->path + strlen("/nfeProc") : r->path;
    char digits[BR_DOCUMENT_BYTES];

    if (str_eq(rest, "/protNFe/infProt/chNFe"))
        (void)str_copy(r->protocol_key, sizeof r->protocol_key, value);
    if (str_eq(rest, "/protNFe/infProt/cStat"))
        (void)str_copy(r->status, sizeof r->status, value);
    if (!str_starts(rest, base))
        return;
    rest += strlen(base);
    if (str_eq(rest, "/emit/CNPJ") || str_eq(rest, "/emit/CPF")) {
        (void)br_document_read(value, digits);
        (void)str_copy(r->nfe.issuer, sizeof r->nfe.issuer, digits);
    }
    if (str_eq(rest, "/dest/CPF") || str_eq(rest, "/dest/CNPJ"))
        (void)str_copy(r->nfe.recipient, sizeof r->nfe.recipient, value);
    if (str_eq(rest, "/ide/nNF"))
        (void)str_copy(r->nfe.number, sizeof r->nfe.number, value);
    if (str_eq(rest, "/ide/serie"))
        (void)str_copy(r->nfe.series, sizeof r->nfe.series, value);
    if (str_eq(rest, "/total/ICMSTot/vNF"))
        (void)str_copy(r->total, sizeof r->total, value);
}

static enum rc on_close(void *user, struct err *e)
{
    struct reader *r = user;
    char value[NFE_VALUE_BYTES];

    (void)e;
    memcpy(value, r->value, r->value_len);
    value[r->value_len] = '\0';
    if (!r->too_long)
        keep(r, str_trim(value));
    r->value_len = 0;
    r->path[r->marks[--r->depth]] = '\0';
    return RC_OK;
}

/* ---- the whole ----------------------------------------------------------------------------------- */

/* The key repeats the issuer, in 14 places; a person's CPF has three zeros in front. */
static bool issuer_in_key(const struct nfe *nfe)
{
    size_t len = strlen(nfe->issuer);

    return len == 14 ? memcmp(nfe->key + 6, nfe->issuer, 14) == 0
                     : len == 11 && memcmp(nfe->key + 6, "000", 3) == 0 &&
                           memcmp(nfe->key + 9, nfe->issuer, 11) == 0;
}

static enum rc check(const struct reader *r, struct err *e)
{
    const struct nfe *nfe = &r->nfe;

    if (nfe->key[0] == '\0' && !r->protocol)
        return err_code(e, RC_INVALID, "nfe_not_xml", "the file is not an NF-e");
    if (!nfe_key_valid(nfe->key))
        return err_code(e, RC_INVALID, "nfe_key", "the access key of the NF-e is wrong");
    if (memcmp(nfe->key + 20, "55", 2) != 0)
        return err_code(e, RC_INVALID, "nfe_model", "the invoice is not an NF-e of model 55");
    if (nfe->issuer[0] == '\0' || !issuer_in_key(nfe))
        return err_code(e, RC_INVALID, "nfe_issuer",
                        "the issuer of the NF-e is not the one in its access key");
    if (!r->protocol)
        return err_code(e, RC_INVALID, "nfe_incomplete",
                        "the file is an NFe without the protocol of the tax authority (nfeProc)");
    if (!str_eq(r->protocol_key, nfe->key))
        return err_code(e, RC_INVALID, "nfe_key",
                        "the protocol of the NF-e belongs to another access key");
    if (!str_eq(r->status, "100") && !str_eq(r->status, "150"))
        return err_code(e, RC_INVALID, "nfe_not_authorized",
                        "the tax authority did not authorize the NF-e");
    return RC_OK;
}

enum rc nfe_read(const void *xml, size_t len, struct nfe *out, struct err *e)
{
    static const struct xmldoc_handler handler = { on_open, on_close, on_text };
    static const struct xmldoc_opts opts = { .code = "nfe",
                                             .max_depth = NFE_DEPTH_MAX - 1,
                                             .max_bytes = (int64_t)LIMIT_NFE_BYTES };
    OWN_XMLDOC struct xmldoc *doc = NULL;
    struct reader r = { 0 };
    enum rc rc;

    if (len > LIMIT_NFE_BYTES)
        return err_code(e, RC_INVALID, "nfe_too_large", "the NF-e is larger than TikTok takes");
    rc = xmldoc_new(&handler, &r, &opts, &doc, e);
    if (rc != RC_OK)
        return rc;
    rc = xmldoc_read(doc, xml, len, e);
    if (rc == RC_OK)
        rc = xmldoc_end(doc, e);
    if (rc == RC_INVALID)
        return err_code(e, RC_INVALID, "nfe_not_xml", "the file cannot be read as XML");
    if (rc == RC_OK)
        rc = check(&r, e);
    if (rc != RC_OK)
        return rc;
    if (money_decimal_read(r.total, &r.nfe.value_minor, NULL) != RC_OK)
        r.nfe.value_minor = 0;
    *out = r.nfe;
    return RC_OK;
}
