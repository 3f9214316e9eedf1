/* map_text.h - merchants' texts in the form TikTok accepts; pure. */
#ifndef SYNC_MAP_TEXT_H
#define SYNC_MAP_TEXT_H

#include <jansson.h>

#include "buf.h"

#define TITLE_CHARS_BR 300
#define DESCRIPTION_CHARS 10000

/* One line of plain text: tags and entities undone, no emoji, control or Chinese characters, no run of more than
 * nine equal characters, blanks collapsed, at most max_chars code points (cut at a word where possible).
 * The result may be empty. */
enum rc map_text_plain(const char *text, size_t max_chars, struct buf *out, struct err *e);
/* True when the text holds at least one letter or digit. */
bool map_text_has_word(const char *text);
#define DESCRIPTION_IMAGES_MAX 30
/* HTML with p, br, ul, ol, li, strong, em only, without attributes, nesting or entities, under the same character
 * rules, at most max_chars code points. Pictures, scripts and styles are dropped. May be empty. */
enum rc map_text_html(const char *html, size_t max_chars, struct buf *out, struct err *e);
/* The same with the pictures that `pictures` names (NULL = none): {"src as in the text": {"url", "width", "height"}}. They
 * become img tags between the paragraphs, at most DESCRIPTION_IMAGES_MAX. */
enum rc map_text_html_pictured(const char *html, const json_t *pictures, size_t max_chars,
                               struct buf *out, struct err *e);
/* The src of every img tag that map_text_html would meet, each once, in order: JSON array, the caller's. At most
 * 4 * DESCRIPTION_IMAGES_MAX. */
enum rc map_text_html_pictures(const char *html, json_t **out, struct err *e);
/* Address of a src within a page: absolute as it is, "//host" and "/path" completed by the page's address (may be NULL).
 * False when nothing can be fetched there (data:, relative without a page). */
bool map_text_address(const char *src, const char *page, char *out, size_t cap);
/* Key for comparing names: lower case, without accents, blanks collapsed. */
enum rc map_text_key(const char *text, struct buf *out, struct err *e);
/* The text without accents, its case kept. */
enum rc map_text_base(const char *text, struct buf *out, struct err *e);
/* Same name apart from case, accents and blanks. */
bool map_text_same(const char *a, const char *b);

#endif
