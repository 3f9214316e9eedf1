/* map_text.h - merchants' texts in the form TikTok accepts; pure. */
#ifndef SYNC_MAP_TEXT_H
#define SYNC_MAP_TEXT_H

#include "buf.h"

#define TITLE_CHARS_BR 300
#define DESCRIPTION_CHARS 10000

/* One line of plain text: tags and entities undone, no emoji, control or Chinese characters, no run of more than
 * nine equal characters, blanks collapsed, at most max_chars code points (cut at a word where possible).
 * The result may be empty. */
enum rc map_text_plain(const char *text, size_t max_chars, struct buf *out, struct err *e);
/* True when the text holds at least one letter or digit. */
bool map_text_has_word(const char *text);
/* HTML with p, br, ul, ol, li, strong, em only, without attributes, nesting or entities, under the same character
 * rules, at most max_chars code points. Pictures, scripts and styles are dropped. May be empty. */
enum rc map_text_html(const char *html, size_t max_chars, struct buf *out, struct err *e);
/* Key for comparing names: lower case, without accents, blanks collapsed. */
enum rc map_text_key(const char *text, struct buf *out, struct err *e);
/* The text without accents, its case kept. */
enum rc map_text_base(const char *text, struct buf *out, struct err *e);
/* Same name apart from case, accents and blanks. */
bool map_text_same(const char *a, const char *b);

#endif
