/* feed_read.c - reads a merchant's feed and asks for the publication of what it changed.
 *
 * Repeats: safe. Nothing but the comparison with the last applied items decides what is done; a run killed anywhere
 * leaves differences that the next run finds. A feed that cannot be trusted changes nothing. */
#include "feed_job.h"

#include "clock.h"
#include "db_product.h"
#include "feed.h"
#include "jspec.h"
#include "log.h"
#include "metrics.h"
#include "str.h"

#include <unistd.h>

#define TURN_RETRY_US (500 * US_PER_MS)
#define FETCH_TRIES 3 /* of a server that is not there, before the run is given up */

static void run_done(struct feed_run *r)
{
    db_client_done(&r->client);
    db_run_done(&r->run);
    json_decref(r->warnings);
    if (r->raw_fd >= 0)
        (void)close(r->raw_fd);
    if (r->items_fd >= 0)
        (void)close(r->items_fd);
    if (r->old_fd >= 0)
        (void)close(r->old_fd);
    free(r);
}

static void run_own(struct feed_run **r)
{
    if (*r != NULL)
        run_done(*r);
}
#define OWN_RUN __attribute__((cleanup(run_own)))

static bool is_address(const char *text)
{
    return str_starts(text, "https://") || str_starts(text, "http://");
}

/* A given feed is an address or the XML itself. */
static enum rc take_given(const char *given, char url[2048], const char **text, struct err *e)
{
    url[0] = '\0';
    *text = NULL;
    if (!is_address(given)) {
        *text = given;
        return RC_OK;
    }
    return str_copy(url, 2048, given) ? RC_OK
                                      : err_code(e, RC_INVALID, "url_blocked",
                                                 "the feed address is longer than 2047 characters");
}

/* What is given for a comparison; the request's address; else the client's. */
static enum rc choose_source(struct feed_run *r, struct err *e)
{
    const char *url = jspec_text(r->run.params, r->changes ? "new_xml" : "url");
    const char *old = r->changes ? jspec_text(r->run.params, "old_xml") : NULL;
    enum rc rc = RC_OK;

    if (url == NULL || url[0] == '\0')
        url = r->client.feed_url;
    if (url == NULL || url[0] == '\0')
        return err_code(e, RC_INVALID, "no_feed_url", "the client has no feed address");
    rc = take_given(url, r->url, &r->text, e);
    if (rc == RC_OK && old != NULL)
        rc = take_given(old, r->old_url, &r->old_text, e);
    r->pair = old != NULL;
    (void)str_copy(r->now.source, sizeof r->now.source, r->text != NULL ? "text" : r->url);
    return rc;
}

/* Feeds of a shop are applied one after the other; a dry run changes nothing and goes on beside them. */
static enum rc take_turn(struct feed_run *r, struct db_tx *tx, struct err *e)
{
    bool mine = false;
    enum rc rc = RC_OK;

    if (r->dry)
        return RC_OK;
    rc = db_feed_turn(tx, r->ctx->job->client_id, r->shop_id, r->ctx->job->id, r->run.id, &mine, e);
    if (rc != RC_OK || mine)
        return rc;
    rc = err_code(e, RC_BUSY, "feed_in_turn", "another feed of the shop is being read");
    e->retry_after_us = TURN_RETRY_US;
    return rc;
}

/* Everything the run needs to know; *over when there is nothing to do any more. */
static enum rc load(struct feed_run *r, bool *over, struct err *e)
{
    const struct job *job = r->ctx->job;
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(r->ctx, "feed_load", &tx, e);

    if (rc == RC_OK)
        rc = db_client_get(tx, job->client_id, &r->client, e);
    if (rc == RC_OK && job->run_id[0] != '\0')
        rc = db_run_get(tx, job->client_id, job->run_id, &r->run, e);
    if (rc != RC_OK)
        return rc;
    if (r->run.id[0] != '\0')
        rc = db_feed_run_accepted(tx, job->client_id, r->run.id, over, &r->approved, e);
    if (rc != RC_OK)
        return rc;
    *over |= r->run.id[0] != '\0' && !str_eq(r->run.status, "queued") &&
             !str_eq(r->run.status, "running");
    if (*over)
        return RC_OK;
    r->dry = r->run.dry_run;
    r->changes = str_eq(r->run.kind, "changes");
    (void)str_fmt(r->stage, sizeof r->stage, "%s%s", r->dry ? "dry:" : "",
                  r->dry ? r->run.id : r->shop_id);
    rc = take_turn(r, tx, e);
    if (rc == RC_OK)
        rc = db_run_start(tx, job->client_id, r->run.id, e);
    if (rc == RC_OK)
        rc = db_feed_snapshot_get(tx, r->shop_id, &r->last, e);
    if (rc == RC_OK && r->run.id[0] != '\0' && !r->dry)
        rc = db_prerequisites_forget(tx, r->shop_id, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc != RC_OK)
        return rc;
    if (str_starts(r->shop_id, DB_CLIENT_SHOP_PREFIX))
        return err_code(e, RC_INVALID, "no_connected_shop",
                        "the client has no connected TikTok shop");
    return choose_source(r, e);
}

/* Ends the run with the reason. Failed: the job is parked with it too. Held: the run waits for a person, the job is
 * done. */
static enum rc give_up(struct feed_run *r, const struct err *why, struct err *e)
{
    bool held = str_eq(why->code, "feed_shrunk");
    const char *code = why->code[0] != '\0' ? why->code : rc_name(why->rc);
    OWN_TX struct db_tx *tx = NULL;
    char label[96];
    enum rc rc = job_tx_begin(r->ctx, "feed_failed", &tx, e);

    if (rc == RC_OK)
        rc = feed_run_open_failed(tx, r, code, e);
    if (rc == RC_OK)
        rc = db_run_end(tx, r->ctx->job->client_id, r->run.id, held ? "held" : "failed", code,
                        why->text, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc != RC_OK)
        return rc; /* again, until the run says how it ended */
    (void)str_fmt(label, sizeof label, "code=\"%s\"", code);
    metrics_add("connector_feeds_refused_total", label, 1);
    if (held)
        LOG(LOG_WARN, "feed", "feed held", LF_S("code", code), LF_S("reason", why->text),
            LF_S("shop", r->shop_id));
    *e = *why;
    return held ? RC_OK : RC_INVALID;
}

/* Whoever asks for the list gets a full comparison; a routine look and a comparison end with the same file. */
static bool asks_little(const struct feed_run *r)
{
    return r->run.id[0] == '\0' || r->changes;
}

static enum rc steps(struct feed_run *r, struct err *e)
{
    bool over = false, unchanged = false;
    enum rc rc = load(r, &over, e);

    if (rc != RC_OK || over)
        return rc;
    rc = feed_spool_open(&r->raw_fd, e);
    if (rc == RC_OK)
        rc = feed_spool_open(&r->items_fd, e);
    if (rc == RC_OK && r->pair)
        rc = feed_spool_open(&r->old_fd, e);
    if (rc == RC_OK && r->pair)
        rc = feed_fetch_old(r, e);
    if (rc == RC_OK)
        rc = feed_fetch(r, &unchanged, e);
    if (rc == RC_OK && !unchanged)
        rc = feed_file_hash(r->raw_fd, feed_seed(&r->client), r->now.content_hash, e);
    unchanged |= rc == RC_OK && asks_little(r) && feed_is_same(r) &&
                 str_eq(r->now.content_hash, r->last.content_hash);
    if (rc == RC_OK && unchanged)
        return feed_unchanged(r, e);
    if (rc == RC_OK)
        rc = feed_detect(r, e);
    if (rc != RC_OK)
        return rc;
    LOG(LOG_DEBUG, "feed", "feed compared", LF_S("shop", r->shop_id), LF_I("items", r->now.items),
        LF_I("products", r->total), LF_I("touched", r->diff.products_touched),
        LF_I("removed", r->diff.products_removed), LF_I("warnings", json_array_size(r->warnings)));
    return feed_apply(r, e);
}

enum rc sync_feed_read(struct job_ctx *ctx, struct err *e)
{
    OWN_RUN struct feed_run *r = calloc(1, sizeof *r);
    struct err why = { 0 };
    enum rc rc;

    if (r == NULL)
        return err_set(e, RC_DOWN, "out of memory for a feed run");
    r->ctx = ctx;
    r->raw_fd = r->items_fd = r->old_fd = -1;
    r->now_us = clock_now_us();
    r->warnings = json_array();
    (void)str_copy(r->shop_id, sizeof r->shop_id, ctx->job->shop_id);
    rc = steps(r, &why);
    if (rc == RC_OK)
        return RC_OK;
    if (rc == RC_INVALID || rc == RC_NOT_FOUND ||
        (rc == RC_DOWN && str_starts(why.code, "feed_http_") && ctx->job->attempts >= FETCH_TRIES))
        return give_up(r, &why, e);
    *e = why;
    return rc;
}
