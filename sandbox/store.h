/* store.h - what the order files of the simulated VTEX accounts share. */
#ifndef SANDBOX_STORE_H
#define SANDBOX_STORE_H

#include "state.h"

/* Checks one placement beyond the schema; *diverges tells that a price is far below the store's. False after
 * sbx_vtex_fail. Lock held. */
bool store_order_check(struct sbx_vtex *v, const json_t *order, bool *diverges);

/* Notes when a placed order differs from its TikTok order. Lock held. */
void store_cross_check(struct sbx_vtex *v, const json_t *order);

#endif
