/* db_shelf.h - which products should be on sale, off sale or gone, and what is still to be told to TikTok.
 *
 * A product's shelf is a wish like its content: written first, carried out by the job "product_shelf", and due until
 * TikTok has taken it. Nothing here asks for that job; the caller does. */
#ifndef DB_SHELF_H
#define DB_SHELF_H

#include "db.h"

#define SHELF_ON "on"     /* for sale */
#define SHELF_OFF "off"   /* deactivated */
#define SHELF_GONE "gone" /* deleted at TikTok, kept in our list */
#define SHELF_BATCH 20    /* products that TikTok takes in one call */

/* ---- removal of what two complete feeds in a row did not have ---- */

struct shelf_missing {
    int64_t fresh;   /* to be removed, and nobody was asked yet */
    int64_t held;    /* wait for the approval of a run that is still held */
    int64_t offered; /* all products that are on TikTok and should be, those included */
};
enum rc db_shelf_missing(struct db_tx *tx, const char *client_id, const char *shop_id,
                         struct shelf_missing *out, struct err *e);
/* Takes the fresh ones off sale for the run and lists them there; *n says how many. */
enum rc db_shelf_remove(struct db_tx *tx, const char *client_id, const char *shop_id,
                        const char *run_id, int64_t *n, struct err *e);
/* Holds the fresh ones and those of other held runs for the approval of this run and lists them; the other runs
 * end as cancelled. */
enum rc db_shelf_hold(struct db_tx *tx, const char *client_id, const char *shop_id,
                      const char *run_id, int64_t *n, struct err *e);
/* A person approved: takes off sale what the run holds and is still missing; *n says how many. */
enum rc db_shelf_approve(struct db_tx *tx, const char *client_id, const char *shop_id,
                         const char *run_id, int64_t *n, struct err *e);

/* ---- one product ---- */

struct shelf_state {
    char shelf[8], by[16], status[16];
    bool due;
    bool on_tiktok; /* TikTok knows it, or a create is in doubt */
};
/* Reads and locks. RC_NOT_FOUND. */
enum rc db_shelf_get(struct db_tx *tx, const char *shop_id, const char *source_id,
                     struct shelf_state *out, struct err *e);
/* The product should be there from now on. by: "feed", "operator". A run that waited for its removal counts it as
 * unchanged. A product that TikTok does not have is settled at once; one that was deleted there and is wanted on
 * sale becomes new: nothing of what was published counts any more. *due: the job has something to tell. */
enum rc db_shelf_set(struct db_tx *tx, const char *client_id, const char *shop_id,
                     const char *source_id, const char *shelf, const char *by, bool *due,
                     struct err *e);
/* TikTok just took a create or an edit: if the product should not be on sale, that is due (again). */
enum rc db_shelf_recheck(struct db_tx *tx, const char *shop_id, const char *source_id, bool *due,
                         struct err *e);

/* ---- carrying it out ---- */

struct shelf_item {
    char source_id[256];
    char tiktok_product_id[64];
    char status[16];
    char run_id[40]; /* "" = none waits */
    int tries;
};
/* Up to SHELF_BATCH products that are due for the same shelf, the longest waiting first; *n 0 = none is due now. */
enum rc db_shelf_due(struct db_tx *tx, const char *shop_id, char shelf[8],
                     struct shelf_item out[SHELF_BATCH], int *n, struct err *e);
/* Microseconds until the next one is due; -1 when none is. */
enum rc db_shelf_wait(struct db_tx *tx, const char *shop_id, int64_t *wait_us, struct err *e);
/* TikTok has it that way: status; the wish is fulfilled unless it changed meanwhile. */
enum rc db_shelf_done(struct db_tx *tx, const char *shop_id, const char *source_id,
                      const char *shelf, const char *status, struct err *e);
/* Refused: problem (an object) stands with the product. delay_us: due again then; 0 = for good. status NULL = stays. */
enum rc db_shelf_refused(struct db_tx *tx, const char *shop_id, const char *source_id,
                         const char *shelf, const char *status, const json_t *problem,
                         int64_t delay_us, struct err *e);

#endif
