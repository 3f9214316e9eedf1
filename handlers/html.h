/* html.h - writes HTML so that foreign text cannot become markup, in Portuguese or English. */
#ifndef HTML_H
#define HTML_H

#include "buf.h"

struct html {
    struct buf *out; /* borrowed */
    bool english;    /* else Portuguese */
};

/* One sentence of the pages; the English text is the key. */
struct word {
    const char *en, *pt;
};
/* Rows of one subject, ended by a row of NULLs (words_*.c). */
extern const struct word WORDS_FRAME[], WORDS_WORK[], WORDS_CATALOG[], WORDS_ORDERS[],
    WORDS_SETTINGS[];
/* Rows with %s where names stand: the connector's sentences in life lines and problems. */
extern const struct word WORDS_SENTENCES[];
/* All subjects but the sentences, ended by NULL. */
extern const struct word *const WORDS_ALL[];

/* The text in the language of the page; one without a row stays English. Static or the argument itself. Any thread. */
const char *html_say(const struct html *h, const char *english);

/* Writes markup with values: fmt is markup of ours, in which {English words} are said in the language of the page.
 * Conversions: %s (escaped; NULL is nothing), %d, %lld, %%. */
void html_put(struct html *h, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A sentence of the connector, whole or with names in it, in the language of the page; one that no row fits stays as it
 * is. */
void html_sentence(struct html *h, const char *english);
/* Whether there is a row for the sentence. */
bool html_sentence_known(const char *english);
/* Percent-encodes a segment or value of an address. */
void html_url(struct html *h, const char *text);
/* A moment (RFC 3339) as a <time> in the zone of TIMEZONE; a dash when NULL. */
void html_time(struct html *h, const char *rfc3339);
/* A day "YYYY-MM-DD" as people write it. */
void html_day(struct html *h, const char *day);
/* How long ago or until: "há 5 min", "em 3 h". */
void html_distance(struct html *h, const char *rfc3339);
/* "129.90" as R$ 129,90; a dash when NULL. */
void html_money(struct html *h, const char *amount);
/* 12345 as 12.345. */
void html_count(struct html *h, int64_t n);

#endif
