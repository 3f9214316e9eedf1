/* problem.h - problems of products in words, English and Portuguese: {"code", "message", "message_pt", "field", "action",
 * "action_pt", "platform_code"}. The Portuguese comes from the tables of problem_words.h, keyed by the English text:
 * whoever writes a new sentence adds its row there (a test reads the sources and asks for it). */
#ifndef SYNC_PROBLEM_H
#define SYNC_PROBLEM_H

#include <jansson.h>
#include <stdint.h>

#include "tiktok_product.h"

/* Adds one; field and action may be NULL. A problem lost to a lack of memory is not replaced. */
void problem_add(json_t *problems, const char *code, const char *field, const char *action,
                 const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* New object, for a SKU row. NULL when out of memory. */
json_t *problem_new(const char *code, const char *field, const char *action, const char *message);
/* TikTok's refusals, one problem each, in plain words where the code is known. */
void problem_add_issues(json_t *problems, const struct tiktok_issues *issues);
/* data.warnings: something was cleared although the product was taken. */
void problem_add_warnings(json_t *problems, const json_t *warnings);
/* Sentences of all problems, joined, for a log row. */
void problem_summary(const json_t *problems, struct buf *out);

#endif
