/* sync/outcome.c - what becomes of a job after its handler returned: gone, again later, or parked and visible. */
#include "engine.h"

#include <string.h>

#include "db_run.h"
#include "log.h"
#include "own.h"
#include "str.h"

#define ATTEMPTS_DEFAULT 12
#define BACKOFF_FIRST_S 2
#define BACKOFF_MAX_S 900
#define BUSY_DEFAULT_US (5 * US_PER_S)
#define BUSY_MIN_US (50 * US_PER_MS)
#define RETRY_MAX_US (24 * 3600 * US_PER_S)
#define PAUSE_US (1800 * US_PER_S) /* then one job tries whether it works again */

const struct job_kind *kind_find(const struct job_kind *kinds, const char *name)
{
    for (int i = 0; kinds[i].name != NULL; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

int64_t kind_every_us(const struct job_kind *kind, const struct cfg *cfg)
{
    int s = kind == NULL ? 0 : kind->every != NULL ? kind->every(cfg) : kind->every_s;

    return s * US_PER_S;
}

static uint64_t random_next(struct workers *w)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return w->random;
}

/* Doubles with every attempt up to a limit; the second half of it is random, so that jobs spread. */
static int64_t backoff_us(struct workers *w, const struct item *item)
{
    const struct job_kind *kind = item->kind;
    int64_t first =
        kind != NULL && kind->backoff_first_s > 0 ? kind->backoff_first_s : BACKOFF_FIRST_S;
    int64_t max_us =
        (kind != NULL && kind->backoff_max_s > 0 ? kind->backoff_max_s : BACKOFF_MAX_S) * US_PER_S;
    int64_t us = first * US_PER_S;

    for (int i = 1; i < item->claim.job.attempts && us < max_us; i++)
        us *= 2;
    us = us < max_us ? us : max_us;
    us = us / 2 + (int64_t)(random_next(w) % (uint64_t)(us / 2 + 1));
    return us > item->err.retry_after_us ? us : item->err.retry_after_us;
}

static int64_t busy_us(const struct item *item)
{
    int64_t us = item->err.retry_after_us > 0 ? item->err.retry_after_us : BUSY_DEFAULT_US;

    us = us < BUSY_MIN_US ? BUSY_MIN_US : us;
    return us < RETRY_MAX_US ? us : RETRY_MAX_US;
}

/* {"code","detail","platform_code","request_id"} as heap text; NULL when there is nothing to say. */
static char *problem_new(const struct item *item)
{
    const struct err *e = &item->err;
    json_auto_t *o = NULL;

    if (item->rc == RC_OK || item->rc == RC_DUPLICATE || item->rc == RC_STOPPED)
        return NULL;
    o = json_pack("{s:s, s:s}", "code", e->code[0] != '\0' ? e->code : rc_name(item->rc), "detail",
                  e->text);
    if (o == NULL)
        o = json_pack("{s:s, s:s}", "code", rc_name(item->rc), "detail", "");
    if (o == NULL)
        return NULL;
    if (e->platform_code != 0)
        (void)json_object_set_new(o, "platform_code", json_integer(e->platform_code));
    else if (e->platform_text[0] != '\0')
        (void)json_object_set_new(o, "platform_code", json_string(e->platform_text));
    if (e->request_id[0] != '\0')
        (void)json_object_set_new(o, "request_id", json_string(e->request_id));
    if (e->field[0] != '\0')
        (void)json_object_set_new(o, "field", json_string(e->field));
    return json_dumps(o, JSON_COMPACT);
}

static bool has_shop(const struct item *item)
{
    return !str_starts(item->claim.job.shop_id, DB_CLIENT_SHOP_PREFIX);
}

/* A failure that used up its attempts. */
static bool used_up(const struct item *item)
{
    int max = item->kind != NULL && item->kind->max_attempts > 0 ? item->kind->max_attempts
                                                                 : ATTEMPTS_DEFAULT;

    return item->claim.job.attempts >= max;
}

/* The table of outcomes. */
static struct work_again decide(struct workers *w, const struct item *item)
{
    struct work_again a = { .id = item->claim.job.id, .outcome = rc_name(item->rc) };

    switch (item->rc) {
    case RC_OK:
    case RC_DUPLICATE:
        a.fresh = true;
        break;
    case RC_BUSY:
        a.delay_us = busy_us(item);
        a.uncount = true;
        break;
    case RC_DOWN:
    case RC_UNSURE:
        a.park = used_up(item);
        a.delay_us = a.park ? 0 : backoff_us(w, item);
        break;
    case RC_DENIED:
        a.park = !has_shop(item);
        a.uncount = true;
        break;
    case RC_STOPPED:
        a.uncount = true;
        break;
    case RC_NOT_FOUND:
    case RC_INVALID:
    case RC_BUG:
        a.park = true;
        break;
    }
    return a;
}

static struct work_again decide_all(struct workers *w, const struct item *item)
{
    /* Only the one without an entity repeats; a run that a person asked for ends. */
    bool periodic = item->claim.job.entity[0] == '\0';
    int64_t every_us = periodic ? kind_every_us(item->kind, &w->app->cfg) : 0;
    struct work_again a = decide(w, item);

    if (every_us > 0 && a.fresh) {
        a.delay_us = every_us;
    } else if (every_us > 0 && a.park) {
        /* What others rely on as their safety net never stays parked. */
        a.park = false;
        a.fresh = true;
        a.delay_us = every_us > BACKOFF_FIRST_S * US_PER_S ? every_us : BACKOFF_FIRST_S * US_PER_S;
    }
    return a;
}

enum rc outcome_count_run(struct db_tx *tx, const struct job_kind *kind, const char *client_id,
                          const char *run_id, const char *code, const char *detail, struct err *e)
{
    static const struct run_delta FAILED = { .done = 1, .failed = 1 };

    if (run_id[0] == '\0')
        return RC_OK;
    if (kind != NULL && kind->owns_run)
        return db_run_end(tx, client_id, run_id, "failed", code,
                          str_utf8_valid(detail, strlen(detail)) ? detail : "", e);
    return db_run_progress(tx, client_id, run_id, &FAILED, e);
}

/* Parked, or periodic and waiting for its next turn after a failure: either way its part in a run is over. */
static bool gave_up(const struct item *item, const struct work_again *again)
{
    return again->park || (again->fresh && item->rc != RC_OK && item->rc != RC_DUPLICATE);
}

/* A job that a newer run took while it ran, and that is not done: the older run would wait for it for ever. */
static enum rc count_moved(struct db_tx *tx, const struct job *job, struct err *e)
{
    static const struct run_delta TAKEN_OVER = { .done = 1, .unchanged = 1 };
    bool moved = false;
    enum rc rc = db_job_run_moved(tx, job->shop_id, job->id, job->run_id, &moved, e);

    return rc == RC_OK && moved ? db_run_progress(tx, job->client_id, job->run_id, &TAKEN_OVER, e)
                                : rc;
}

static enum rc count_runs(struct db_tx *tx, struct item *const *items,
                          const struct work_again *again, const bool *touched, size_t n,
                          struct err *e)
{
    enum rc rc = RC_OK;

    for (size_t i = 0; rc == RC_OK && i < n; i++) {
        const struct job *job = &items[i]->claim.job;

        if (touched[i] && gave_up(items[i], &again[i]))
            rc = outcome_count_run(tx, items[i]->kind, job->client_id, job->run_id,
                                   items[i]->err.code[0] != '\0' ? items[i]->err.code
                                                                 : rc_name(items[i]->rc),
                                   items[i]->err.text, e);
        else if (touched[i] && job->run_id[0] != '\0' && !again[i].fresh &&
                 !(items[i]->kind != NULL && items[i]->kind->owns_run))
            rc = count_moved(tx, job, e);
    }
    return rc;
}

/* Scratch of one write: n items at most. */
struct ends {
    int64_t *done;
    size_t n_done;
    struct work_again *again;
    struct item **items;
    bool *touched;
    size_t n_again;
};

static void ends_done(struct ends *s)
{
    for (size_t i = 0; s->again != NULL && i < s->n_again; i++)
        free((char *)s->again[i].problem);
    free(s->done);
    free(s->again);
    free(s->items);
    free(s->touched);
}

static bool ends_read(struct workers *w, const struct held *shop, struct ends *s,
                      struct outcome_news *news)
{
    size_t n = (size_t)shop->ending.n;

    s->done = calloc(n, sizeof *s->done);
    s->again = calloc(n, sizeof *s->again);
    s->items = calloc(n, sizeof(struct item *));
    s->touched = calloc(n, sizeof *s->touched);
    if (s->done == NULL || s->again == NULL || s->items == NULL || s->touched == NULL)
        return false;
    for (struct item *i = shop->ending.head; i != NULL; i = i->next) {
        struct work_again a = decide_all(w, i);

        if (a.fresh && a.delay_us == 0) {
            s->done[s->n_done++] = i->claim.job.id;
            continue;
        }
        news->denied = news->denied || (i->rc == RC_DENIED && has_shop(i));
        if (!a.park && (news->wait_us < 0 || a.delay_us < news->wait_us))
            news->wait_us = a.delay_us;
        a.problem = problem_new(i);
        s->items[s->n_again] = i;
        s->again[s->n_again++] = a;
    }
    return true;
}

enum rc outcome_write(struct workers *w, struct db_tx *tx, struct held *shop,
                      struct outcome_news *news, struct err *e)
{
    OWN(ends_done) struct ends s = { 0 };
    bool again = false;
    enum rc rc = RC_OK;

    *news = (struct outcome_news){ .wait_us = -1 };
    if (!ends_read(w, shop, &s, news))
        return err_set(e, RC_DOWN, "out of memory for the ends of jobs");
    if (s.n_done > 0)
        rc = db_work_done(tx, shop->shop_id, shop->token, s.done, s.n_done, &again, e);
    if (rc == RC_OK && s.n_again > 0)
        rc = db_work_again(tx, shop->shop_id, shop->token, s.again, s.n_again, s.touched, e);
    if (rc == RC_OK)
        rc = count_runs(tx, s.items, s.again, s.touched, s.n_again, e);
    if (again)
        news->wait_us = 0;
    if (rc != RC_OK || !news->denied)
        return rc;
    LOG(LOG_ERROR, "worker", "shop paused: its credentials were refused",
        LF_S("shop", shop->shop_id), LF_S("account", shop->client_id));
    return db_shop_pause(tx, shop->client_id, shop->shop_id, "denied", PAUSE_US, e);
}
