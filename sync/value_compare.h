/* value_compare.h - the comparison of prices and stock with what TikTok really holds and with their source. */
#ifndef SYNC_VALUE_COMPARE_H
#define SYNC_VALUE_COMPARE_H

#include "db_run.h"
#include "sync.h"

/* Compares stock (inventory search) and prices (the listing, read before) of all live products with what TikTok
 * acknowledged; lists and counts what differs. In earnest what TikTok holds counts as published from then on, so that the
 * parts of the run send what is right. Blocks for as long as the calls take. */
enum rc value_compare(struct job_ctx *ctx, struct tiktok_session *tiktok, const struct run *run,
                      struct err *e);
/* The parts of a run that reads prices and stock of all SKUs; *n: how many SKUs. */
enum rc value_compare_plan(struct job_ctx *ctx, struct db_tx *tx, const struct run *run, int64_t *n,
                           struct err *e);

#endif
