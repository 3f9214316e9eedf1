/* nfe.h - reads a Brazilian invoice (NF-e): its key, its parties, whether the tax authority authorized it. */
#ifndef NFE_H
#define NFE_H

#include "buf.h"

#include <stdint.h>

#define NFE_KEY_BYTES 45
/* TikTok takes 1 MB of base64: three quarters of it. */
#define LIMIT_NFE_BYTES ((size_t)750000)

/* What an XML file says. Texts are "" when the file does not say it. */
struct nfe {
    char key[NFE_KEY_BYTES]; /* 44 digits */
    char issuer[16];         /* CNPJ or CPF, digits */
    char recipient[16];      /* CPF or CNPJ, digits; "" = none, or a foreigner */
    char number[16];
    char series[8];
    int64_t value_minor; /* vNF; 0 = not said */
};

/* Whether a text is an access key: 44 digits whose last one is the check digit (modulo 11) of the others. */
bool nfe_key_valid(const char *key);

/* Makes a file of the text that a shop system hands on: drops a byte order mark, undoes \" around attributes, and
 * names UTF-8 in the declaration, since that is what the text is now. RC_INVALID: too large. */
enum rc nfe_clean(const char *text, struct buf *out, struct err *e);

/* Reads and checks a file. RC_INVALID with a code:
 *   nfe_too_large, nfe_not_xml (no XML, or another document), nfe_incomplete (an NFe without its protocol),
 *   nfe_key (missing, wrong check digit, or the protocol's differs), nfe_model (not model 55),
 *   nfe_issuer (wrong check digits, or not the one in the key), nfe_not_authorized (cStat is not 100 or 150).
 * *out is untouched then. Any thread. */
enum rc nfe_read(const void *xml, size_t len, struct nfe *out, struct err *e);

#endif
