/* feed_watch.c - feeds that the clock reads: who is due, and when such a reading becomes a run that people see.
 *
 * A reading that finds nothing leaves nothing behind. Repeats: safe; the run is tied to the job in the transaction
 * that opens it, so that a killed reading goes on in the same run. */
#include "feed_job.h"

#include "log.h"
#include "str.h"

enum rc sync_feed_due(struct job_ctx *ctx, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    int64_t n = 0;
    enum rc rc = job_tx_begin(ctx, "feed_due", &tx, e);

    if (rc == RC_OK)
        rc = db_feed_ask_due(tx, &n, e);
    if (rc == RC_OK && n > 0)
        LOG(LOG_DEBUG, "feed", "feeds are due", LF_I("shops", n));
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

enum rc feed_run_open(struct db_tx *tx, struct feed_run *r, struct err *e)
{
    const struct job *job = r->ctx->job;
    char id[40];
    enum rc rc;

    if (r->run.id[0] != '\0')
        return RC_OK;
    rc = db_run_new(tx, job->client_id, r->shop_id, "products", false, "live", NULL, "schedule", id,
                    e);
    if (rc == RC_OK)
        rc = db_run_start(tx, job->client_id, id, e);
    if (rc == RC_OK)
        rc = db_feed_attach(tx, r->shop_id, job->id, id, e);
    if (rc == RC_OK)
        (void)str_copy(r->run.id, sizeof r->run.id, id);
    return rc;
}

bool feed_is_same(const struct feed_run *r)
{
    return !r->dry && !r->pair && r->last.known && r->last.content_hash[0] != '\0' &&
           (r->last.turns_us == 0 || r->now_us < r->last.turns_us);
}

/* The file says what it said: one more complete feed that does not have what is missing. */
enum rc feed_unchanged(struct feed_run *r, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    struct shelf_missing m = { 0 };
    enum rc rc = job_tx_begin(r->ctx, "feed_same", &tx, e);

    if (rc == RC_OK)
        rc = db_feed_absent(tx, r->shop_id, e);
    if (rc == RC_OK)
        rc = feed_removals_due(tx, r, &m, e);
    if (rc == RC_OK && m.fresh > 0)
        rc = feed_run_open(tx, r, e);
    if (rc == RC_OK)
        rc = db_feed_run_totals(tx, r->client.client_id, r->shop_id, r->run.id, r->last.products, 0,
                                e);
    if (rc == RC_OK)
        rc = feed_removals(tx, r, e);
    if (rc == RC_OK)
        rc = db_run_read_done(tx, r->client.client_id, r->run.id, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

/* Trouble of a reading that nobody asked for is told once, until something else happens. */
enum rc feed_run_open_failed(struct db_tx *tx, struct feed_run *r, const char *code, struct err *e)
{
    bool known = false;
    enum rc rc;

    if (r->run.id[0] != '\0')
        return RC_OK;
    rc = db_feed_known_trouble(tx, r->ctx->job->client_id, r->shop_id, code, &known, e);
    return rc == RC_OK && !known ? feed_run_open(tx, r, e) : rc;
}
