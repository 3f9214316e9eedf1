/* sync/cycle.c - the engine's one transaction: ends of finished jobs, new leases and claims share a commit. */
#include "cycle.h"

#include <string.h>

#include "log.h"

#define QUICK_US (20 * US_PER_MS) /* jobs quicker than this are claimed ahead */
#define HANDFUL 24
#define RETRY_LEASE_US (20 * US_PER_MS)
#define RETRY_CLAIM_US (50 * US_PER_MS)
#define POLL_US (5 * US_PER_S)

/* What is to be done for one shop in this cycle. */
struct task {
    struct held *shop; /* NULL: leased in this cycle */
    struct work_shop lease;
    bool ends;
    struct outcome_news news;
    bool claim;
    struct work_room room;
    struct work_claim *claims;
    int n_claims;
    bool probed;
    int64_t wait_us;
};

struct plan {
    struct task tasks[2 * LIMIT_ENGINE_SHOPS_A_CYCLE];
    int n;
    struct work_room room; /* how many more jobs the threads can use */
    struct work_room left; /* of it, after what is planned */
    bool lease;
    bool expired;
    int64_t lease_wait_us; /* after a lease: until the next unheld shop is due, -1 = none */
    int n_leased;
};

static int min_of(int a, int b)
{
    return a < b ? a : b;
}

static int at_least_0(int n)
{
    return n > 0 ? n : 0;
}

/* Quick jobs are claimed ahead, so that a thread never waits for a commit. */
static int prefetch_of(const struct workers *w)
{
    int64_t average_us = w->average_us < 100 ? 100 : w->average_us;
    int64_t ahead = average_us < QUICK_US ? w->n_threads * QUICK_US / average_us : 0;

    return ahead > LIMIT_ENGINE_PREFETCH ? LIMIT_ENGINE_PREFETCH : (int)ahead;
}

/* How many more jobs of the shop may be taken. */
static int shop_room(const struct workers *w, const struct held *s)
{
    int n = s->running.n;

    for (int lane = 0; lane < ENGINE_LANES; lane++)
        n += s->queue[lane].n;
    return at_least_0(w->shop_max + prefetch_of(w) - n);
}

static struct work_room room_of(const struct workers *w)
{
    int prefetch = prefetch_of(w);
    int free = w->n_threads - w->running;
    int bulk = w->bulk_max - w->running_bulk;

    if (w->stopping)
        return (struct work_room){ 0 };
    bulk = bulk < free - w->queued_urgent ? bulk : free - w->queued_urgent;
    return (struct work_room){ .urgent = at_least_0(free + prefetch - w->queued_urgent),
                               .bulk = at_least_0(bulk + prefetch - w->queued_bulk),
                               .total = at_least_0(free + prefetch - w->queued_urgent -
                                                   w->queued_bulk) };
}

/* A shop's part of the room. Quick jobs come by the handful, so that a statement is worth its while. */
static int share(const struct workers *w, int room, int takers)
{
    int least = w->average_us < QUICK_US ? HANDFUL : 1;
    int part = takers <= 1 ? room : (room + takers - 1) / takers;

    part = part > least ? part : least;
    return part < room ? part : at_least_0(room);
}

static bool wants_urgent(const struct workers *w, const struct held *s, const struct work_room *r)
{
    return s->more_urgent && r->urgent > 0 && shop_room(w, s) > 0;
}

static bool wants_bulk(const struct workers *w, const struct held *s, const struct work_room *r)
{
    return s->more_bulk && r->bulk > 0 && shop_room(w, s) > 0;
}

static bool wants(const struct workers *w, const struct held *s, const struct work_room *r)
{
    return !s->lost && (wants_urgent(w, s, r) || wants_bulk(w, s, r) ||
                        (s->more_suspect && s->suspects == 0 && r->urgent > 0));
}

static bool may_lease(const struct workers *w, const struct work_room *r)
{
    return !w->stopping && w->n_shops < LIMIT_ENGINE_SHOPS && (r->urgent > 0 || r->bulk > 0);
}

int64_t cycle_due_us(const struct workers *w)
{
    struct work_room r = room_of(w);
    int64_t due = ENGINE_NEVER;

    if (!w->stopping)
        due = w->next_expired_us;
    if (may_lease(w, &r) && w->next_lease_us < due)
        due = w->next_lease_us;
    for (const struct held *s = w->all; s != NULL; s = s->next) {
        if (s->finished.n > 0 || wants(w, s, &r))
            return 0;
        if (!w->stopping && !s->lost && s->next_due_us < due)
            due = s->next_due_us;
    }
    return due;
}

static void plan_shop(const struct workers *w, struct held *shop, struct plan *p, int n_urgent,
                      int n_bulk)
{
    struct task *t = &p->tasks[p->n];

    *t = (struct task){ .shop = shop, .claim = wants(w, shop, &p->left) };
    (void)memcpy(t->lease.shop_id, shop->shop_id, sizeof t->lease.shop_id);
    (void)memcpy(t->lease.client_id, shop->client_id, sizeof t->lease.client_id);
    t->lease.token = shop->token;
    t->ends = shop->finished.n > 0;
    if (!t->ends && !t->claim)
        return;
    if (t->ends)
        items_move(&shop->ending, &shop->finished);
    if (t->claim) {
        if (wants_urgent(w, shop, &p->left))
            t->room.urgent = min_of(min_of(share(w, p->room.urgent, n_urgent), p->left.urgent),
                                    shop_room(w, shop));
        if (wants_bulk(w, shop, &p->left))
            t->room.bulk =
                min_of(min_of(share(w, p->room.bulk, n_bulk), p->left.bulk), shop_room(w, shop));
        t->room.suspect = shop->more_suspect && shop->suspects == 0;
        p->left.urgent -= t->room.urgent;
        p->left.bulk -= t->room.bulk;
    }
    p->n++;
}

/* Under the lock: which shops have something, beginning each time at another one. */
static void plan_make(struct workers *w, struct plan *p)
{
    int64_t now = clock_mono_us();
    int n_urgent = 0, n_bulk = 0, index = 0, begin = 0;

    p->room = p->left = room_of(w);
    for (struct held *s = w->all; s != NULL; s = s->next) {
        if (s->next_due_us <= now && !w->stopping) {
            s->more_urgent = s->more_bulk = s->more_suspect = true;
            s->next_due_us = ENGINE_NEVER;
        }
        n_urgent += !s->lost && wants_urgent(w, s, &p->room);
        n_bulk += !s->lost && wants_bulk(w, s, &p->room);
    }
    begin = w->n_shops > 0 ? (int)(w->turn % (unsigned)w->n_shops) : 0;
    for (int round = 0; round < 2; round++) {
        index = 0;
        for (struct held *s = w->all; s != NULL && p->n < LIMIT_ENGINE_SHOPS_A_CYCLE;
             s = s->next, index++)
            if ((round == 0) == (index >= begin) && !s->lost)
                plan_shop(w, s, p, n_urgent, n_bulk);
    }
    /* The next round begins behind those who were served. */
    for (int i = 0; i < p->n; i++)
        w->turn += p->tasks[i].claim;
    p->lease = now >= w->next_lease_us && may_lease(w, &p->room);
    p->expired = !w->stopping && now >= w->next_expired_us && w->n_shops < LIMIT_ENGINE_SHOPS;
}

/* Jobs that died with the holder before: ready again, or quarantined when it happened too often. */
static enum rc recover(struct workers *w, struct db_tx *tx, const char *shop_id, struct err *e)
{
    struct work_dead *dead = NULL;
    int n = 0;
    enum rc rc = db_work_recover(tx, shop_id, &dead, &n, e);

    for (int i = 0; rc == RC_OK && i < n; i++) {
        LOG(dead[i].parked ? LOG_ERROR : LOG_WARN, "worker",
            dead[i].parked ? "job quarantined" : "job's worker died", LF_I("job", dead[i].id),
            LF_S("kind", dead[i].kind), LF_S("shop", shop_id), LF_I("deaths", dead[i].deaths));
        if (dead[i].parked)
            rc = outcome_count_run(tx, kind_find(w->kinds, dead[i].kind), dead[i].client_id,
                                   dead[i].run_id, "quarantined",
                                   "The process died several times while this ran.", e);
    }
    free(dead);
    return rc;
}

/* Of a shop that has nothing running yet. */
static int most_of(const struct workers *w, int part)
{
    return min_of(part, w->shop_max + prefetch_of(w));
}

static enum rc lease(struct workers *w, struct db_tx *tx, struct plan *p, bool expired,
                     struct err *e)
{
    int room = 2 * LIMIT_ENGINE_SHOPS_A_CYCLE - p->n;
    struct work_shop *list = NULL;
    int n = 0;
    enum rc rc = RC_OK;

    if (room > LIMIT_ENGINE_SHOPS_A_CYCLE / 2)
        room = LIMIT_ENGINE_SHOPS_A_CYCLE / 2;
    rc = db_work_lease(tx, w->holder, w->lease_us, room, expired, &list, &n, e);
    for (int i = 0; rc == RC_OK && i < n; i++) {
        p->tasks[p->n++] =
            (struct task){ .lease = list[i],
                           .claim = true,
                           .room = { .urgent = most_of(w, share(w, p->room.urgent, n)),
                                     .bulk = most_of(w, share(w, p->room.bulk, n)),
                                     .suspect = p->room.urgent > 0 } };
        rc = recover(w, tx, list[i].shop_id, e);
    }
    p->n_leased += n;
    free(list);
    return rc;
}

static enum rc claim(struct db_tx *tx, struct plan *p, struct task *t, struct err *e)
{
    int got_urgent = 0, got_bulk = 0;
    enum rc rc = RC_OK;

    t->room.urgent = min_of(t->room.urgent, p->room.urgent);
    t->room.bulk = min_of(t->room.bulk, p->room.bulk);
    t->room.total = p->room.total;
    if (t->room.urgent == 0 && t->room.bulk == 0 && !t->room.suspect)
        return RC_OK;
    rc = db_work_claim(tx, t->lease.shop_id, t->lease.token, &t->room, &t->claims, &t->n_claims, e);
    for (int i = 0; rc == RC_OK && i < t->n_claims; i++) {
        if (lane_is_bulk(t->claims[i].job.lane))
            got_bulk++;
        else
            got_urgent++;
    }
    /* What the database made of it: urgent jobs come first. */
    t->room.bulk = min_of(t->room.bulk, at_least_0(t->room.total - got_urgent));
    p->room.urgent = at_least_0(p->room.urgent - got_urgent);
    p->room.bulk = at_least_0(p->room.bulk - got_bulk);
    p->room.total = at_least_0(p->room.total - t->n_claims);
    if (rc == RC_OK && !(t->room.urgent > 0 && got_urgent >= t->room.urgent) &&
        !(t->room.bulk > 0 && got_bulk >= t->room.bulk)) {
        rc = db_work_next_job(tx, t->lease.shop_id, &t->wait_us, e);
        t->probed = rc == RC_OK;
    }
    return rc;
}

static enum rc work(struct workers *w, struct db_tx *tx, struct plan *p, struct err *e)
{
    enum rc rc = db_work_prepare(tx, e);

    for (int i = 0; rc == RC_OK && i < p->n; i++)
        if (p->tasks[i].ends)
            rc = outcome_write(w, tx, p->tasks[i].shop, &p->tasks[i].news, e);
    if (rc == RC_OK && p->expired)
        rc = lease(w, tx, p, true, e);
    if (rc == RC_OK && p->lease)
        rc = lease(w, tx, p, false, e);
    for (int i = 0; rc == RC_OK && i < p->n; i++)
        if (p->tasks[i].claim && !p->tasks[i].news.denied)
            rc = claim(tx, p, &p->tasks[i], e);
    if (rc == RC_OK && p->lease)
        rc = db_work_next_shop(tx, &p->lease_wait_us, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

/* Takes one claimed job over into memory; without memory for it it is given back by the reconciliation. */
static void item_enter(struct workers *w, struct held *shop, struct work_claim *claim)
{
    struct item *item = calloc(1, sizeof *item);

    if (item == NULL) {
        json_decref(claim->job.payload);
        w->reconcile = true;
        return;
    }
    item->claim = *claim;
    item->shop = shop;
    item->kind = kind_find(w->kinds, claim->job.kind);
    if (claim->suspect)
        shop->suspects++;
    if (w->stopping || atomic_load(&shop->stop)) {
        item->rc = RC_STOPPED;
        items_add(&shop->finished, item);
    } else {
        shop_queue(w, item);
    }
}

static void ends_forget(struct held *shop)
{
    for (struct item *i = items_take(&shop->ending); i != NULL; i = items_take(&shop->ending)) {
        if (i->claim.suspect) {
            shop->suspects--;
            shop->more_suspect = true;
        }
        item_free(i);
    }
}

/* What the claim said about what is left. */
static void note_rest(struct held *shop, const struct task *t)
{
    int got_urgent = 0, got_bulk = 0, got_suspect = 0;

    for (int i = 0; i < t->n_claims; i++) {
        got_suspect += t->claims[i].suspect;
        got_urgent += !lane_is_bulk(t->claims[i].job.lane);
        got_bulk += lane_is_bulk(t->claims[i].job.lane);
    }
    if (t->room.urgent > 0 && got_urgent < t->room.urgent)
        shop->more_urgent = false;
    if (t->room.bulk > 0 && got_bulk < t->room.bulk)
        shop->more_bulk = false;
    if (t->room.suspect && got_suspect == 0)
        shop->more_suspect = false;
    if (!t->probed)
        return;
    shop->next_due_us = clock_mono_us() + t->wait_us;
    if (t->wait_us < 0)
        shop->next_due_us = ENGINE_NEVER;
    else if (t->wait_us < RETRY_CLAIM_US &&
             (shop->more_urgent || shop->more_bulk || shop->suspects > 0))
        shop->next_due_us = ENGINE_NEVER; /* known to be there; it waits for a thread */
    else if (t->wait_us < RETRY_CLAIM_US && t->n_claims == 0)
        shop->next_due_us = clock_mono_us() + RETRY_CLAIM_US;
}

/* Jobs that go on later, or at once; a claim in the same transaction may have taken them already. */
static void note_ends(struct held *shop, const struct task *t)
{
    int64_t due_us = clock_mono_us() + t->news.wait_us;

    if (t->news.wait_us < 0 || (t->claim && t->probed))
        return;
    if (due_us < shop->next_due_us)
        shop->next_due_us = due_us;
}

/* Under the lock, after the commit. */
static void enter(struct workers *w, struct task *t)
{
    struct held *shop = t->shop != NULL ? t->shop : shop_add(w, &t->lease);

    if (shop == NULL) {
        w->reconcile = true; /* no memory for it: the next renewal gives it back */
        for (int i = 0; i < t->n_claims; i++)
            json_decref(t->claims[i].job.payload);
        return;
    }
    ends_forget(shop);
    if (t->claim)
        note_rest(shop, t);
    if (t->ends)
        note_ends(shop, t);
    for (int i = 0; i < t->n_claims; i++)
        item_enter(w, shop, &t->claims[i]);
    if (t->news.denied) {
        shop_unqueue(w, shop);
        shop->more_urgent = shop->more_bulk = shop->more_suspect = false;
        shop->next_due_us = ENGINE_NEVER;
    }
}

/* Under the lock, after a failure: as if nothing had been planned. */
static void undo(struct task *t)
{
    struct item_list again = { 0 };

    for (int i = 0; i < t->n_claims; i++)
        json_decref(t->claims[i].job.payload);
    if (t->shop == NULL)
        return;
    items_move(&again, &t->shop->ending);
    items_move(&again, &t->shop->finished);
    t->shop->finished = again;
}

static void set_next_lease(struct workers *w, const struct plan *p)
{
    int64_t now = clock_mono_us();
    int64_t wait = p->lease_wait_us < 0 || p->lease_wait_us > POLL_US ? POLL_US : p->lease_wait_us;

    if (p->expired)
        w->next_expired_us =
            now + (w->lease_us / 10 < 2 * US_PER_S ? w->lease_us / 10 : 2 * US_PER_S);
    if (!p->lease)
        return;
    w->looked_us = now;
    w->next_lease_us = now + (wait < RETRY_LEASE_US && p->n_leased == 0 ? RETRY_LEASE_US : wait);
}

static bool plan_empty(const struct plan *p)
{
    return p->n == 0 && !p->lease && !p->expired;
}

enum rc cycle_run(struct workers *w, bool *worked, struct err *e)
{
    struct plan *p = calloc(1, sizeof *p);
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = RC_OK;

    if (p == NULL)
        return err_set(e, RC_DOWN, "out of memory for a cycle");
    p->lease_wait_us = -1;
    (void)pthread_mutex_lock(&w->lock);
    plan_make(w, p);
    (void)pthread_mutex_unlock(&w->lock);
    *worked = !plan_empty(p);
    if (!*worked) {
        free(p);
        return RC_OK;
    }
    rc = db_tx_begin(w->db, "jobs", DB_SYSTEM, &tx, e);
    if (rc == RC_OK)
        rc = work(w, tx, p, e);
    if (rc == RC_UNSURE)
        w->reconcile = true;
    (void)pthread_mutex_lock(&w->lock);
    for (int i = 0; i < p->n; i++) {
        if (rc == RC_OK)
            enter(w, &p->tasks[i]);
        else
            undo(&p->tasks[i]);
        free(p->tasks[i].claims);
    }
    if (rc == RC_OK)
        set_next_lease(w, p);
    (void)pthread_cond_broadcast(&w->work);
    shops_sweep(w);
    (void)pthread_mutex_unlock(&w->lock);
    *worked = p->n > 0;
    free(p);
    return rc;
}
