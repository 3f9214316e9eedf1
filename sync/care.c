/* sync/care.c - what the keeper does from time to time: renew leases, find dead holders, make periodic jobs. */
#include "cycle.h"

#include <string.h>

#include "db_values.h"
#include "log.h"
#include "metrics.h"

#define HOLDERS_US (5 * US_PER_S)
#define PERIODIC_US (10 * US_PER_S)
#define COUNT_US (15 * US_PER_S)
#define IDLE_US \
    (5 * US_PER_S) /* quota buckets are full again by then, so another holder starts right */
#define IDLE_DUE_US (2 * US_PER_S) /* a shop that is due this soon is kept */

/* Ids of all jobs of a shop that we know; NULL when out of memory. */
static int64_t *known_ids(const struct held *shop, size_t *n)
{
    const struct item_list *lists[ENGINE_LANES + 3] = { &shop->running, &shop->finished,
                                                        &shop->ending };
    size_t count = 0, at = 0;
    int64_t *ids = NULL;

    for (int lane = 0; lane < ENGINE_LANES; lane++)
        lists[3 + lane] = &shop->queue[lane];
    for (int i = 0; i < ENGINE_LANES + 3; i++)
        count += (size_t)lists[i]->n;
    ids = calloc(count + 1, sizeof *ids);
    for (int i = 0; ids != NULL && i < ENGINE_LANES + 3; i++)
        for (const struct item *item = lists[i]->head; item != NULL; item = item->next)
            ids[at++] = item->claim.job.id;
    *n = count;
    return ids;
}

/* After a commit whose end is not known: the database may hold leases and claims that we do not know of. */
static enum rc reconcile_one(struct workers *w, struct db_tx *tx, const struct work_shop *lease,
                             struct err *e)
{
    struct held *shop = NULL;
    int64_t *ids = NULL;
    size_t n = 0;
    enum rc rc = RC_OK;

    (void)pthread_mutex_lock(&w->lock);
    shop = shop_find(w, lease->shop_id);
    if (shop != NULL && shop->token == lease->token) {
        ids = known_ids(shop, &n);
        shop->more_urgent = shop->more_bulk = shop->more_suspect = true;
    } else {
        shop = NULL;
    }
    (void)pthread_mutex_unlock(&w->lock);
    if (shop != NULL && ids == NULL)
        return err_set(e, RC_DOWN, "out of memory for a reconciliation");
    rc = db_work_orphans(tx, lease->shop_id, lease->token, ids, n, e);
    free(ids);
    if (rc == RC_OK && shop == NULL)
        rc = db_work_release(tx, lease->shop_id, lease->token, e);
    return rc;
}

static bool has_lease(const struct work_shop *list, int n, const struct held *shop)
{
    for (int i = 0; i < n; i++)
        if (list[i].token == shop->token && strcmp(list[i].shop_id, shop->shop_id) == 0)
            return true;
    return false;
}

static void lose_missing(struct workers *w, const struct work_shop *list, int n)
{
    (void)pthread_mutex_lock(&w->lock);
    for (struct held *s = w->all; s != NULL; s = s->next) {
        if (s->lost || has_lease(list, n, s))
            continue;
        LOG(LOG_WARN, "worker", "lease lost", LF_S("shop", s->shop_id));
        metrics_add("connector_leases_lost_total", NULL, 1);
        shop_lose(w, s);
    }
    shops_sweep(w);
    (void)pthread_mutex_unlock(&w->lock);
}

static enum rc renew(struct workers *w, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    struct work_shop *list = NULL;
    int64_t started_us = clock_mono_us();
    int n = 0;
    enum rc rc = db_tx_begin(w->db, "renew", DB_SYSTEM, &tx, e);

    if (rc == RC_OK)
        rc = db_work_renew(tx, w->holder, w->lease_us, &list, &n, e);
    for (int i = 0; rc == RC_OK && w->reconcile && i < n; i++)
        rc = reconcile_one(w, tx, &list[i], e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc == RC_OK) {
        w->reconcile = false;
        w->renewed_us = started_us;
        w->next_beat_us = started_us + w->beat_us;
        lose_missing(w, list, n);
    }
    free(list);
    return rc;
}

void care_check_leases(struct workers *w)
{
    int64_t margin = w->lease_us / 5 < 5 * US_PER_S ? w->lease_us / 5 : 5 * US_PER_S;

    if (clock_mono_us() - w->renewed_us < w->lease_us - margin)
        return;
    lose_missing(w, NULL, 0);
    w->reconcile = true; /* what the database still has as ours is given back */
}

/* Leases of processes of this machine that are gone need not run out. */
static enum rc find_dead(struct workers *w, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    OWN_ROWS struct db_rows *rows = NULL;
    enum rc rc = db_tx_begin(w->db, "holders", DB_SYSTEM, &tx, e);

    if (rc == RC_OK)
        rc = db_work_holders(tx, &rows, e);
    for (int i = 0; rc == RC_OK && i < db_rows_count(rows); i++) {
        const char *holder = db_text(rows, i, "holder");

        if (!holder_is_dead(holder))
            continue;
        LOG(LOG_WARN, "worker",
            "a worker process of this machine is gone: its shops are taken over",
            LF_S("holder", holder));
        w->next_expired_us = 0;
        rc = db_work_expire(tx, holder, e);
    }
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc make_periodic(struct workers *w, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = db_tx_begin(w->db, "periodic", DB_SYSTEM, &tx, e);

    for (int i = 0; rc == RC_OK && w->kinds[i].name != NULL; i++) {
        const struct job_kind *k = &w->kinds[i];

        if (kind_every_us(k, &w->app->cfg) <= 0)
            continue;
        rc = k->whole_system ? db_work_periodic_system(tx, k->name, k->lane, e)
                             : db_work_periodic(tx, k->name, k->lane, e);
    }
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc show_counts(struct workers *w, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    struct work_counts c = { 0 };
    int64_t oldest = 0;
    enum rc rc = db_tx_begin(w->db, "job_counts", DB_SYSTEM, &tx, e);

    if (rc == RC_OK)
        rc = db_work_count(tx, &c, e);
    if (rc == RC_OK)
        rc = db_value_oldest(tx, &oldest, e);
    if (rc != RC_OK)
        return rc;
    metrics_set("connector_value_oldest_unsent_seconds", NULL, oldest);
    metrics_set("connector_jobs", "state=\"ready\"", c.ready);
    metrics_set("connector_jobs", "state=\"running\"", c.running);
    metrics_set("connector_jobs", "state=\"parked\"", c.parked);
    metrics_set("connector_jobs_due", NULL, c.due);
    metrics_set("connector_jobs_oldest_due_seconds", NULL, c.oldest_due_us / US_PER_S);
    (void)pthread_mutex_lock(&w->lock);
    metrics_set("connector_shops_held", NULL, w->n_shops);
    (void)pthread_mutex_unlock(&w->lock);
    return RC_OK;
}

enum rc care_run(struct workers *w, struct err *e)
{
    int64_t now = clock_mono_us();
    bool stopping = false;
    enum rc rc = RC_OK;

    (void)pthread_mutex_lock(&w->lock);
    stopping = w->stopping;
    (void)pthread_mutex_unlock(&w->lock);
    if (now >= w->next_beat_us || w->reconcile)
        rc = renew(w, e);
    if (rc == RC_OK && !stopping && now >= w->next_holders_us) {
        rc = find_dead(w, e);
        w->next_holders_us = rc == RC_OK ? now + HOLDERS_US : w->next_holders_us;
    }
    if (rc == RC_OK && !stopping && now >= w->next_periodic_us) {
        rc = make_periodic(w, e);
        w->next_periodic_us = rc == RC_OK ? now + PERIODIC_US : w->next_periodic_us;
    }
    if (rc == RC_OK && !stopping && now >= w->next_count_us) {
        rc = show_counts(w, e);
        w->next_count_us = rc == RC_OK ? now + COUNT_US : w->next_count_us;
    }
    return rc;
}

/* Under the lock: a shop that has nothing to do for a while; NULL when there is none. */
static struct held *idle_find(struct workers *w, int64_t now)
{
    for (struct held *s = w->all; s != NULL; s = s->next) {
        bool idle = !s->lost && shop_at_rest(s) && !s->more_urgent && !s->more_bulk &&
                    (s->next_due_us == ENGINE_NEVER || s->next_due_us > now + IDLE_DUE_US);

        if (!idle)
            s->idle_since_us = 0;
        else if (s->idle_since_us == 0)
            s->idle_since_us = now;
        else if (now - s->idle_since_us >= IDLE_US)
            return s;
    }
    return NULL;
}

enum rc care_release_idle(struct workers *w, struct err *e)
{
    for (;;) {
        OWN_TX struct db_tx *tx = NULL;
        struct held *shop = NULL;
        enum rc rc = RC_OK;

        /* Only this thread gives a shop at rest work, so it stays at rest without the lock. */
        (void)pthread_mutex_lock(&w->lock);
        shop = w->stopping ? NULL : idle_find(w, clock_mono_us());
        (void)pthread_mutex_unlock(&w->lock);
        if (shop == NULL)
            return RC_OK;
        rc = db_tx_begin(w->db, "release", DB_SYSTEM, &tx, e);
        if (rc == RC_OK)
            rc = db_work_release(tx, shop->shop_id, shop->token, e);
        if (rc == RC_OK)
            rc = db_tx_commit(tx, e);
        if (rc != RC_OK)
            return rc;
        (void)pthread_mutex_lock(&w->lock);
        shop_drop(w, shop);
        (void)pthread_mutex_unlock(&w->lock);
        w->next_lease_us = 0; /* what became due meanwhile is anybody's */
    }
}

enum rc care_release_all(struct workers *w, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    struct work_shop *list = NULL;
    int n = 0;
    enum rc rc = db_tx_begin(w->db, "release_all", DB_SYSTEM, &tx, e);

    if (rc == RC_OK)
        rc = db_work_renew(tx, w->holder, w->lease_us, &list, &n, e);
    for (int i = 0; rc == RC_OK && i < n; i++) {
        rc = db_work_orphans(tx, list[i].shop_id, list[i].token, NULL, 0, e);
        if (rc == RC_OK)
            rc = db_work_release(tx, list[i].shop_id, list[i].token, e);
    }
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    free(list);
    return rc;
}
