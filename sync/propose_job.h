/* propose_job.h - what asking for proposals and storing them share. */
#ifndef SYNC_PROPOSE_JOB_H
#define SYNC_PROPOSE_JOB_H

#include "db_account.h"
#include "db_product.h"
#include "db_run.h"
#include "sync.h"
#include "tiktok_better.h"

/* The first three are those of enum tiktok_better. */
enum propose_kind {
    PROPOSE_DIAGNOSIS,
    PROPOSE_SEO_WORDS,
    PROPOSE_TEXTS,
    PROPOSE_PICTURE,
    PROPOSE_KINDS
};
extern const char *const PROPOSE_NAMES[]; /* as people ask for them; ends with NULL */

/* One product and what TikTok answered about it. */
struct propose_item {
    struct product product; /* tiktok_product_id "" = not on TikTok */
    bool live;
    json_t *answers
        [PROPOSE_KINDS]; /* owned; NULL = none. Diagnosis: list of diagnoses; picture: one image */
    json_t *problems[PROPOSE_KINDS]; /* owned; why there is no answer */
    const char *operations[PROPOSE_KINDS];
    char request_ids[PROPOSE_KINDS][TIKTOK_REQUEST_ID_BYTES];
};

/* propose_store.c: writes the proposals of one product and its line in the run's changes. */
enum rc propose_store(struct db_tx *tx, const struct run *run, const struct propose_item *it,
                      struct err *e);

#endif
