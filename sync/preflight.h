/* preflight.h - the body of a listing against every limit that TikTok publishes, before anything is sent; pure.
 *
 * The mapping makes bodies that keep the limits or says why it cannot. This looks at what came out of it, whatever
 * made it, so that TikTok never has to refuse a body for something that could be known. */
#ifndef SYNC_PREFLIGHT_H
#define SYNC_PREFLIGHT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define PREFLIGHT_PROBLEMS_MAX 20 /* of one body: more would say the same again */

/* Adds what breaks a limit. body: of create_product; region: of the shop ("BR"); any thread. */
void preflight_check(const json_t *body, const char *region, json_t *problems);

/* ---- parts (preflight_text.c, preflight_skus.c) -------------------------------------------------------------- */

/* What TikTok does not accept in a text, in words ("an emoji"); NULL = nothing. html: tags are no characters. */
const char *preflight_bad_text(const char *text, bool html);
/* What is wrong with the markup of a description, in words; NULL = nothing. */
const char *preflight_bad_html(const char *html);
/* A barcode of the kind, with its digits and its check digit. */
bool preflight_code_valid(const char *type, const char *code);
/* What only the SKUs together show: the same choices on each, no combination and no code twice, pictures. */
void preflight_skus(const json_t *skus, json_t *problems);

#endif
