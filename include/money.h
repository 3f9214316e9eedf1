/* money.h - amounts as integer minor units; never binary floating point on the way. */
#ifndef MONEY_H
#define MONEY_H

#include "err.h"

#include <stddef.h>

#define MONEY_TEXT_BYTES 32
#define MONEY_MAX_MINOR INT64_C(100000000000) /* 1,000,000,000.00 */

/* Tolerant reading of feed prices (feed guide section 3): "129.90 BRL", "R$ 1.299,90", "1.299 BRL".
 * Currency in the text must equal `currency` (RC_INVALID, code "currency"); negative, zero and left-over
 * letters are RC_INVALID, code "price"; blank is RC_NOT_FOUND. */
enum rc money_feed_read(const char *text, const char *currency, int64_t *minor, struct err *e);
/* Strict decimal text of an API: "129.90", "129.9", "129"; optional '-'; more than two decimals are
 * rounded half away from zero. RC_INVALID otherwise. */
enum rc money_decimal_read(const char *text, int64_t *minor, struct err *e);
/* JSON number such as 69.9 to cents, by its decimal digits (up to 15), half away from zero. RC_INVALID when not finite or out of range. */
enum rc money_real_read(double value, int64_t *minor, struct err *e);
/* "129.90". */
void money_write(int64_t minor, char out[MONEY_TEXT_BYTES]);
/* Rounds half up to a multiple of step_minor (>= 1). */
int64_t money_round(int64_t minor, int64_t step_minor);
/* minor * (1 + percent/100), percent as decimal text with up to 4 decimals ("12.5", "-3"), half up. */
enum rc money_percent(int64_t minor, const char *percent, int64_t *out, struct err *e);
/* The same plus add_minor, rounded once, at the end, half up to a multiple of step_minor: cents that only
 * appear on the way never count. A blank percent is none. */
enum rc money_marked_up(int64_t minor, const char *percent, int64_t add_minor, int64_t step_minor,
                        int64_t *out, struct err *e);

#endif
