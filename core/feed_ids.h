/* feed_ids.h - the set of ids that a feed has used so far. */
#ifndef FEED_IDS_H
#define FEED_IDS_H

#include "err.h"

#include <stddef.h>

/* Ids as 64-bit hashes under a seed of the process; 0 = free slot. Zero-initialise. */
struct feed_ids {
    uint64_t *slots;
    size_t cap, used;
};
enum rc feed_ids_add(struct feed_ids *s, uint64_t hash, bool *was_there, struct err *e);
void feed_ids_done(struct feed_ids *s);

#endif
