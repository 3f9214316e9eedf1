/* feed_ids.c - the set of ids that a feed has used so far, to notice repeated ones: 8 to 16 bytes an id. */
#include "feed_ids.h"

#include <stdlib.h>

static enum rc grow(struct feed_ids *s, struct err *e)
{
    size_t cap = s->cap == 0 ? 4096 : s->cap * 2;
    uint64_t *slots = calloc(cap, sizeof *slots);

    if (slots == NULL)
        return err_set(e, RC_DOWN, "out of memory for %zu feed ids", cap);
    for (size_t i = 0; i < s->cap; i++) {
        size_t j = s->slots[i] & (cap - 1);

        if (s->slots[i] == 0)
            continue;
        while (slots[j] != 0)
            j = (j + 1) & (cap - 1);
        slots[j] = s->slots[i];
    }
    free(s->slots);
    s->slots = slots;
    s->cap = cap;
    return RC_OK;
}

enum rc feed_ids_add(struct feed_ids *s, uint64_t hash, bool *was_there, struct err *e)
{
    size_t i;

    if (s->used * 4 >= s->cap * 3) {
        enum rc rc = grow(s, e);
        if (rc != RC_OK)
            return rc;
    }
    hash += hash == 0;
    for (i = hash & (s->cap - 1); s->slots[i] != 0; i = (i + 1) & (s->cap - 1)) {
        if (s->slots[i] == hash) {
            *was_there = true;
            return RC_OK;
        }
    }
    s->slots[i] = hash;
    s->used++;
    *was_there = false;
    return RC_OK;
}

void feed_ids_done(struct feed_ids *s)
{
    free(s->slots);
    s->slots = NULL;
    s->cap = s->used = 0;
}
