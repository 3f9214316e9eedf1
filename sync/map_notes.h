/* map_notes.h - what the mapping mends in a merchant's texts and codes, said in words; pure. */
#ifndef SYNC_MAP_NOTES_H
#define SYNC_MAP_NOTES_H

#include "map_product.h"

/* Adds a note for a title or description that is cut or loses characters, and for barcodes that are not sent. */
enum rc map_notes(const json_t *desired, const struct map_sku *skus, int n_skus, const json_t *body,
                  json_t *notes, struct err *e);

#endif
