/* map_address.h - the buyer's address, name and phone as VTEX wants them; no input or output. */
#ifndef MAP_ADDRESS_H
#define MAP_ADDRESS_H

#include "err.h"

#include <jansson.h>

#define MAP_TEXT_BYTES 512

struct map_address {
    char receiver[MAP_TEXT_BYTES];
    char postal_code[10]; /* "01310-100" */
    char city[MAP_TEXT_BYTES];
    char state[3]; /* UF */
    char street[MAP_TEXT_BYTES];
    char number[64];                   /* "S/N" when there is none */
    char neighborhood[MAP_TEXT_BYTES]; /* "" = none */
    char complement[MAP_TEXT_BYTES];   /* "" = none */
};
/* recipient: TikTok's recipient_address. lines: what address_line1..4 hold (policy order.address_lines).
 * RC_INVALID with a code: address_missing (not there yet), address_incomplete (names what is missing). The
 * text holds no personal data. */
enum rc map_address_read(const json_t *recipient, const char lines[4][16], struct map_address *out,
                         struct err *e);

/* Two letters for the name of a Brazilian state in any case, with or without accents, or for the UF itself;
 * NULL when unknown. Static text. */
const char *map_address_uf(const char *state);

/* Whole name to first and last; a single word is used for both. RC_INVALID when blank. */
enum rc map_name_split(const char *name, char first[MAP_TEXT_BYTES], char last[MAP_TEXT_BYTES],
                       struct err *e);
/* "(+55)11987654321" to "+5511987654321"; masked or unusable: fallback. "" when that is empty too. */
void map_phone(const char *phone, const char *fallback, char out[32]);
/* Copies without control characters, ends trimmed, runs of blanks as one. RC_INVALID when too long. */
enum rc map_text_clean(char *dst, size_t cap, const char *src, struct err *e);

#endif
