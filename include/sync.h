/* sync.h - job kinds and what a job gets to work with. */
#ifndef SYNC_H
#define SYNC_H

#include "app.h"
#include "db_job.h"
#include "platform.h"

struct job_ctx {
    struct app *app;
    struct db_pool *db; /* app->job_db */
    const struct job *job;
    const atomic_bool *stop; /* set when we stop or lose the shop's lease; pass to every call */
};

/* Begins a transaction of the job's tenant and checks, with a share lock, that the shop's lease still
 * carries the job's fencing token. RC_STOPPED when the lease was lost: return it at once. */
enum rc job_tx_begin(struct job_ctx *ctx, const char *name, struct db_tx **out, struct err *e);

/* Runs one job. RC_OK: done (the row goes away unless its generation rose). RC_BUSY: again at
 * e->retry_after_us, not counted. RC_DOWN/RC_UNSURE: again after back-off. RC_DENIED: the shop is paused.
 * RC_NOT_FOUND/RC_INVALID/RC_BUG: parked, visible. RC_STOPPED: back to ready.
 * Runs (job->run_id): a handler counts its item only when it returns RC_OK (that includes "refused by the platform",
 * which is an outcome, not a failure of the job); the worker counts a parked job as failed. */
typedef enum rc (*job_fn)(struct job_ctx *ctx, struct err *e);

struct job_kind {
    const char *name;
    enum lane lane;
    job_fn run;
    int max_attempts;    /* in 24 h; 0 = 12 */
    int backoff_first_s; /* 0 = 2 */
    int backoff_max_s;   /* 0 = 900 */
    int every_s; /* > 0: per connected shop, made again this long after it was done (entity "") */
    /* The rest may be left out. */
    int (*every)(const struct cfg *cfg); /* the same by a setting; wins over every_s */
    bool whole_system; /* periodic: one for all, not per shop (job->client_id is DB_SYSTEM) */
    bool owns_run;     /* the job is its run: when it is parked, the run ends as failed */
};
extern const struct job_kind JOB_KINDS[]; /* sync/kinds.c; ends with a NULL name */

/* Sessions for the job's shop, from the database (sync/session.c). RC_DENIED: not connected.
 * RC_BUSY: another replica is refreshing. Free with the matching function. */
enum rc session_tiktok_open(struct job_ctx *ctx, struct tiktok_session *out, struct err *e);
void session_tiktok_done(struct tiktok_session *s);
enum rc session_vtex_open(struct job_ctx *ctx, struct vtex_session *out, struct err *e);
void session_vtex_done(struct vtex_session *s);
#define OWN_TIKTOK __attribute__((cleanup(session_tiktok_done)))
#define OWN_VTEX __attribute__((cleanup(session_vtex_done)))

/* Recorder that writes outbound_calls (sync/call_record.c). */
struct platform_recorder call_recorder(struct job_ctx *ctx);

/* The workers: lease shops, claim, run, finish. Blocks nobody; stop waits until running jobs ended or were
 * given back (up to grace_ms). */
struct workers;
enum rc workers_start(struct app *app, struct workers **out, struct err *e);
/* The same with other kinds, for tests. */
enum rc workers_start_kinds(struct app *app, const struct job_kind *kinds, struct workers **out,
                            struct err *e);
void workers_stop(struct workers *w, int grace_ms);

/* Jobs, one per file. */
enum rc sync_oauth_exchange(struct job_ctx *ctx,
                            struct err *e); /* kind "oauth_exchange", entity = exchange id */
enum rc sync_token_refresh(struct job_ctx *ctx,
                           struct err *e); /* "token_refresh", entity = open_id */
enum rc sync_deauthorized(struct job_ctx *ctx, struct err *e); /* "deauthorized" (webhook 6) */
enum rc sync_authorization_ends(struct job_ctx *ctx,
                                struct err *e); /* "authorization_ends" (webhook 7) */
enum rc sync_aftersale_read(struct job_ctx *ctx,
                            struct err *e); /* "aftersale_read", entity = TikTok order id */
enum rc sync_order_hook(struct job_ctx *ctx, struct err *e);     /* "order_hook", entity = "" */
enum rc sync_aftersale_poll(struct job_ctx *ctx, struct err *e); /* "aftersale_poll" */
enum rc sync_feed_read(struct job_ctx *ctx,
                       struct err *e); /* "feed_read", entity = "" ; run in job->run_id */
enum rc sync_feed_due(struct job_ctx *ctx, struct err *e); /* "feed_due": asks for due feeds */
enum rc sync_product_publish(struct job_ctx *ctx,
                             struct err *e); /* "product_publish", entity = source_id */
enum rc sync_shop_ready(struct job_ctx *ctx,
                        struct err *e); /* "shop_ready", entity = "": may the shop list by now? */
enum rc sync_product_shelf(struct job_ctx *ctx, struct err *e); /* "product_shelf", entity = "" */
enum rc sync_product_stock(struct job_ctx *ctx,
                           struct err *e); /* "product_stock", entity = tiktok product id */
enum rc sync_product_values(struct job_ctx *ctx,
                            struct err *e); /* "product_values", entity = source_id */
enum rc sync_prices_read(struct job_ctx *ctx, struct err *e); /* "prices_read" of a run */
enum rc sync_stock_read(struct job_ctx *ctx, struct err *e);  /* "stock_read" of a run */
enum rc sync_values_part(struct job_ctx *ctx,
                         struct err *e); /* "values_part", entity = "<run>:<number>" */
enum rc sync_product_audit(struct job_ctx *ctx,
                           struct err *e); /* "product_audit", entity = tiktok product id */
enum rc sync_run_revert(struct job_ctx *ctx,
                        struct err *e); /* "run_revert", entity = the run that puts back */
enum rc sync_product_propose(struct job_ctx *ctx,
                             struct err *e); /* "product_propose", entity = its run */
enum rc sync_catalog_read(struct job_ctx *ctx,
                          struct err *e); /* "catalog_read", entity = "": TikTok's listing */
enum rc sync_reconcile(struct job_ctx *ctx,
                       struct err *e); /* "reconcile": the same in full, with a run */
enum rc sync_reconcile_due(struct job_ctx *ctx,
                           struct err *e); /* "reconcile_due": a run of it, once a day */
enum rc sync_image_read(struct job_ctx *ctx,
                        struct err *e); /* "image_read", entity = "" or "dry"; run in job->run_id */
enum rc sync_product_images(
    struct job_ctx *ctx,
    struct err *e); /* "product_images", "product_images_dry" (lists only), entity = source_id */
enum rc sync_category_refresh(struct job_ctx *ctx,
                              struct err *e); /* "category_refresh", daily and of a run */
enum rc sync_order_poll(struct job_ctx *ctx, struct err *e); /* "order_poll", entity = "" */
enum rc sync_order_import(struct job_ctx *ctx,
                          struct err *e); /* "order_import", entity = order_id */
enum rc sync_order_fulfil(struct job_ctx *ctx,
                          struct err *e); /* "order_fulfil", entity = order_id */
enum rc sync_fulfil_poll(struct job_ctx *ctx,
                         struct err *e); /* "fulfil_poll": asks for orders that are due */
enum rc sync_order_label(struct job_ctx *ctx,
                         struct err *e); /* "order_label", entity = package_id "/" format */
enum rc sync_brands(struct job_ctx *ctx, struct err *e); /* "brands_sync", entity = "" */
enum rc sync_maintenance(struct job_ctx *ctx,
                         struct err *e); /* "maintenance": partitions, retention */

#endif
