/* What VTEX's error codes mean for a connector: each code's class, and the outcome of a class. */
#include "platform_call.h"
#include "str.h"

#include <stdlib.h>

struct code_class {
    const char *code;
    const char *name;
};

/* In byte order of the codes, for the search. Whole codes only: FMT009 and FMT0090 are different. */
static const struct code_class CODES[] = {
    { "CHK003", "configuration" }, { "CHK0031", "mapping" },       { "CHK00310", "transient" },
    { "CHK00311", "transient" },   { "CHK0032", "mapping" },       { "CHK0040", "payload" },
    { "CHK0085", "adopt" },        { "CHK0107", "payload" },       { "EOI000", "transient" },
    { "EOI001", "transient" },     { "EOI002", "stock-or-sla" },   { "EOI003", "divergence" },
    { "EOI004", "mapping" },       { "EOI005", "payload" },        { "EOI006", "transient" },
    { "EOI007", "adopt" },         { "EOI008", "transient" },      { "EOI009", "terminal" },
    { "EOI010", "transient" },     { "EOI011", "divergence" },     { "FMT001", "payload" },
    { "FMT002", "stock-or-sla" },  { "FMT0021", "configuration" }, { "FMT0026", "payload" },
    { "FMT003", "stock-or-sla" },  { "FMT0031", "configuration" }, { "FMT0036", "configuration" },
    { "FMT0038", "payload" },      { "FMT0039", "mapping" },       { "FMT004", "stock-or-sla" },
    { "FMT0040", "mapping" },      { "FMT0041", "payload" },       { "FMT0042", "divergence" },
    { "FMT0043", "payload" },      { "FMT0045", "payload" },       { "FMT0048", "transient" },
    { "FMT0049", "transient" },    { "FMT005", "stock-or-sla" },   { "FMT0050", "transient" },
    { "FMT0051", "transient" },    { "FMT0056", "workflow" },      { "FMT0057", "payload" },
    { "FMT0058", "payload" },      { "FMT006", "divergence" },     { "FMT0060", "terminal" },
    { "FMT0064", "adopt" },        { "FMT0066", "divergence" },    { "FMT0067", "stock-or-sla" },
    { "FMT007", "divergence" },    { "FMT0070", "payload" },       { "FMT0071", "payload" },
    { "FMT0072", "payload" },      { "FMT0074", "payload" },       { "FMT0077", "payload" },
    { "FMT0078", "payload" },      { "FMT0079", "payload" },       { "FMT0084", "workflow" },
    { "FMT0085", "transient" },    { "FMT0088", "configuration" }, { "FMT0089", "payload" },
    { "FMT009", "adopt" },         { "FMT0090", "payload" },       { "FMT0093", "payload" },
    { "FMT0094", "payload" },      { "FMT0096", "payload" },       { "FMT010", "stock-or-sla" },
    { "FMT0104", "payload" },      { "FMT011", "stock-or-sla" },   { "FMT014", "stock-or-sla" },
    { "FMT015", "payload" },       { "FMT017", "payload" },        { "OMS003", "workflow" },
    { "ORD002", "payload" },       { "ORD003", "transient" },      { "ORD005", "payload" },
    { "ORD006", "payload" },       { "ORD007", "payload" },        { "ORD008", "transient" },
    { "ORD009", "divergence" },    { "ORD012", "stock-or-sla" },   { "ORD013", "stock-or-sla" },
    { "ORD014", "workflow" },      { "ORD015", "transient" },      { "ORD016", "transient" },
    { "ORD021", "transient" },     { "ORD022", "transient" },      { "ORD023", "stock-or-sla" },
    { "ORD026", "transient" },     { "ORD027", "stock-or-sla" },   { "ORD028", "stock-or-sla" },
    { "ORD029", "payload" },       { "ORD035", "payload" },        { "ORD039", "workflow" },
    { "ORD044", "payload" },       { "ORD045", "payload" },        { "ORD050", "stock-or-sla" },
    { "ORD052", "transient" },     { "ORD053", "transient" },      { "ORD055", "payload" },
    { "ORD056", "payload" },       { "ORD062", "configuration" },  { "SOI001", "success" },
    { "SOI002", "success" },       { "SOI003", "success" },
};

static int compare(const void *key, const void *row)
{
    return strcmp(key, ((const struct code_class *)row)->code);
}

const char *vtex_error_class(const char *code, int status)
{
    const struct code_class *found = NULL;

    if (code != NULL && code[0] != '\0')
        found = bsearch(code, CODES, sizeof(CODES) / sizeof(CODES[0]), sizeof(CODES[0]), compare);
    if (found != NULL)
        return found->name;
    return status >= 500 || status == 408 || status == 429 ? "transient" : "payload";
}

enum rc vtex_error_rc(int status, const char *error_class, bool writes)
{
    if (status >= 200 && status <= 299)
        return RC_OK;
    if (status == 429)
        return RC_BUSY; /* nothing was processed */
    if (status == 401 || status == 403)
        return RC_DENIED;
    if (status == 404)
        return RC_NOT_FOUND;
    if (status < 400 || status >= 500 || status == 408 || str_eq(error_class, "transient"))
        return writes ? RC_UNSURE : RC_DOWN;
    return RC_INVALID;
}
