/* own.h - ownership that is visible in a declaration: freed when the scope ends. */
#ifndef OWN_H
#define OWN_H

#include <stdlib.h>

static inline void own_free_str(char **p)
{
    free(*p);
}

/* A heap string or block with one owner: `OWN_STR char *s = NULL;` */
#define OWN_STR __attribute__((cleanup(own_free_str)))
/* Any type with a matching `void NAME_own(struct NAME **)` or `(struct NAME *)` clean-up function. */
#define OWN(fn) __attribute__((cleanup(fn)))
/* Hands a pointer over: evaluates to it and leaves NULL behind. */
#define own_take(pp) own_take_ptr((void **)(pp))

static inline void *own_take_ptr(void **pp)
{
    void *p = *pp;

    *pp = NULL;
    return p;
}

#endif
