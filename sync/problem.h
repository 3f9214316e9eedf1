/* problem.h - problems of products in words: {"code", "message", "field", "action", "platform_code"}. */
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
