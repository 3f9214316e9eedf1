/* map_text_chars.h - characters of merchants' texts, shared by plain lines and HTML. */
#ifndef SYNC_MAP_TEXT_CHARS_H
#define SYNC_MAP_TEXT_CHARS_H

#include "buf.h"

/* So many equal characters in a row does TikTok take. */
#define TEXT_RUN_MAX 9

/* Next character with entities undone; advances *p. */
unsigned text_next(const char **p, const char *end);
/* The character to write instead; 0 = leave it out. */
unsigned text_filter(unsigned cp);
void text_put(struct buf *out, unsigned cp);

/* Collapses blanks and shortens runs of one character. */
struct text_run {
    unsigned last; /* 0 = at the start */
    unsigned count;
    bool split; /* a blank belongs before the character, or "&x" would look like an entity */
};
/* False: leave the character out. */
bool text_run_add(struct text_run *run, unsigned cp);

/* '<' begins a tag here. */
bool text_is_tag(const char *p, const char *end);
/* Just after the '>' that ends the tag at p; NULL when it never ends. */
const char *text_tag_end(const char *p, const char *end);

#endif
