/* br_document.h - CPF and CNPJ: digits only, check digits verified. */
#ifndef BR_DOCUMENT_H
#define BR_DOCUMENT_H

enum br_document { BR_DOCUMENT_NONE, BR_DOCUMENT_CPF, BR_DOCUMENT_CNPJ };

#define BR_DOCUMENT_BYTES 16

/* Reads "111.444.777-35", "11144477735", "26.545.167/0001-21" and the CNPJ with letters of 2026; blanks,
 * dots, dashes and slashes are dropped, leading zeros kept. NONE (digits = ""): masked, of another length,
 * all characters equal, or wrong check digits. */
enum br_document br_document_read(const char *text, char digits[BR_DOCUMENT_BYTES]);

#endif
