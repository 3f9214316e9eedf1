/* problem_words.h - Portuguese for the sentences that people read on products.
 *
 * Like gettext: the English text, with its printf conversions, is the key. A text that is already filled in is
 * recognised by its row, and what was filled in is carried over in the same order. */
#ifndef SYNC_PROBLEM_WORDS_H
#define SYNC_PROBLEM_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

/* One sentence: both have the same conversions in the same order (%s, %.60s, %d, %lld, %%). */
struct problem_word {
    const char *en, *pt;
};
/* Rows of one subject, ended by a row of NULLs. */
extern const struct problem_word WORDS_FEED[], WORDS_PRODUCT[], WORDS_PREFLIGHT[], WORDS_REVIEW[],
    WORDS_TIKTOK[], WORDS_REASONS[];
extern const struct problem_word WORDS_PROPOSAL[];
extern const struct problem_word WORDS_ADOPTION[];
extern const struct problem_word WORDS_FULFIL[];

/* All subjects, ended by NULL. */
const struct problem_word *const *problem_words(void);
/* The Portuguese of an English text; words of others inside it (%s) that have a row of their own are translated too.
 * False, and `out` empty, when no row fits: then the text is somebody else's and stays as it is. Any thread. */
bool problem_words_pt(const char *english, struct buf *out);

#endif
