/* aftersale.h - what the files of cancellations and returns share; used in sync/ only. */
#ifndef SYNC_AFTERSALE_H
#define SYNC_AFTERSALE_H

#include "db_aftersale.h"
#include "sync.h"
#include "tiktok_aftersale.h"

/* Stores one entry of search_cancellations or search_returns for the job's shop. *order_id: "" when the entry
 * cannot be read (nothing is stored). *changed: it is new, or its state is. */
enum rc aftersale_keep(struct db_tx *tx, const struct job *job, enum tiktok_aftersale what,
                       const json_t *entry, char order_id[ORDER_ID_BYTES], bool *changed,
                       struct err *e);

#endif
