/* assets.c - finds files that were built into the binary. */
#include "assets.h"

#include "str.h"

const struct asset *asset_find(const char *name)
{
    for (int i = 0; i < ASSETS_COUNT; i++) {
        if (str_eq(ASSETS[i].name, name))
            return &ASSETS[i];
    }
    return NULL;
}
