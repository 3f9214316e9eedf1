/* map_words.h - the words that merchants and TikTok use for the same thing, in Portuguese and English. */
#ifndef SYNC_MAP_WORDS_H
#define SYNC_MAP_WORDS_H

#include <stdbool.h>

/* TikTok's attribute of that name is the feed's member ("Cor" is "color"); details by their own name. */
bool map_words_field_is(const char *field, const char *attribute_name);
/* The feed's member for an attribute name; NULL = none. Static. */
const char *map_words_field_of(const char *attribute_name);
/* Name shown to buyers: "Cor" for "color"; the detail's own name. Borrowed from field or static. */
const char *map_words_field_name(const char *field);
/* Same value apart from case, accents and language ("male" is "Masculino"). */
bool map_words_value_same(const char *field, const char *value, const char *name);

#endif
