/* product_propose.c - asks TikTok what would make products better and stores its proposals; sends nothing.
 *
 * Repeats: safe. The line that a product got in the run's changes says that it was asked about. */
#include "propose_job.h"

#include <string.h>

#include "db_proposal.h"
#include "db_revert.h"
#include "fault.h"
#include "jspec.h"
#include "map_product.h"
#include "problem.h"
#include "str.h"

#define CODE_SCOPE_MISSING 105005
#define BATCH TIKTOK_BETTER_PRODUCTS
#define TEXT_BYTES ((size_t)1 << 17)

const char *const PROPOSE_NAMES[] = { "diagnosis", "seo_words", "recommendation",
                                      "white_background", NULL };

struct propose {
    struct job_ctx *ctx;
    struct run run;
    json_t *scopes; /* owned; NULL = not known */
    bool wanted[PROPOSE_KINDS];
    struct tiktok_session tiktok;
    bool open;
    struct propose_item items[BATCH];
    int n;
};

static void batch_done(struct propose *p)
{
    for (int i = 0; i < p->n; i++) {
        db_product_done(&p->items[i].product);
        for (int k = 0; k < PROPOSE_KINDS; k++) {
            json_decref(p->items[i].answers[k]);
            json_decref(p->items[i].problems[k]);
        }
    }
    memset(p->items, 0, sizeof p->items);
    p->n = 0;
}

/* ---- what may be asked -------------------------------------------------------------------------- */

static bool granted(const struct propose *p, const char *scope)
{
    const json_t *one;
    size_t i;

    if (json_array_size(p->scopes) == 0)
        return true; /* not known: TikTok decides */
    json_array_foreach(p->scopes, i, one)
    {
        if (str_eq(json_string_value(one), scope))
            return true;
    }
    return false;
}

static json_t *scope_problem(const char *scope)
{
    json_auto_t *list = json_array();

    problem_add(list, "scope_missing", NULL,
                "Add the scope to the app and have the seller authorize it again.",
                "The shop's authorization does not include the scope %s.", scope);
    return json_incref(json_array_get(list, 0));
}

static json_t *refusal(const struct err *why)
{
    json_auto_t *list = json_array();
    json_t *one;

    problem_add(list, "no_proposal", NULL, "Look at the product in Seller Center.",
                "TikTok proposes nothing for the product: %s.", why->text);
    one = json_incref(json_array_get(list, 0));
    if (one != NULL && why->platform_code != 0)
        (void)json_object_set_new(one, "platform_code", json_integer(why->platform_code));
    return one;
}

/* A failure that belongs to the products and not to the shop becomes their problem. */
static bool is_problem(enum rc rc, const struct err *e)
{
    return rc == RC_INVALID || rc == RC_NOT_FOUND ||
           (rc == RC_DENIED && e->platform_code == CODE_SCOPE_MISSING);
}

static void problem_set(struct propose_item *it, enum propose_kind kind, const char *scope,
                        enum rc rc, const struct err *why)
{
    it->problems[kind] = rc == RC_DENIED ? scope_problem(scope) : refusal(why);
    str_copy_cut(it->request_ids[kind], sizeof it->request_ids[kind],
                 why != NULL ? why->request_id : "");
}

/* ---- live products, some at once ---------------------------------------------------------------- */

static void answers_give(struct propose_item **items, int n, enum propose_kind kind,
                         const json_t *products, const char *request_id)
{
    const json_t *one;
    size_t at;

    json_array_foreach(products, at, one)
    {
        char id[JSPEC_ID_BYTES];

        jspec_id(one, "id", id);
        for (int i = 0; i < n; i++) {
            json_t *answer =
                kind == PROPOSE_DIAGNOSIS ? json_object_get(one, "diagnoses") : (json_t *)one;

            if (strcmp(items[i]->product.tiktok_product_id, id) != 0 || answer == NULL)
                continue;
            json_decref(items[i]->answers[kind]);
            items[i]->answers[kind] = json_incref(answer);
            str_copy_cut(items[i]->request_ids[kind], TIKTOK_REQUEST_ID_BYTES, request_id);
        }
    }
}

static enum rc ask(struct propose *p, enum propose_kind kind, struct propose_item **items, int n,
                   struct err *e)
{
    const char *ids[BATCH];
    char request_id[TIKTOK_REQUEST_ID_BYTES] = "";
    json_auto_t *products = NULL;
    enum rc rc;

    for (int i = 0; i < n; i++)
        ids[i] = items[i]->product.tiktok_product_id;
    rc = tiktok_better_ask(&p->tiktok, (enum tiktok_better)kind, ids, (size_t)n, &products,
                           request_id, e);
    if (rc == RC_OK)
        answers_give(items, n, kind, products, request_id);
    return rc;
}

static enum rc ask_live(struct propose *p, enum propose_kind kind, struct err *e)
{
    const char *scope = tiktok_better_scope((enum tiktok_better)kind);
    struct propose_item *live[BATCH];
    int n = 0;
    enum rc rc;

    for (int i = 0; i < p->n; i++) {
        p->items[i].operations[kind] = tiktok_better_operation((enum tiktok_better)kind);
        if (p->items[i].live)
            live[n++] = &p->items[i];
    }
    if (n == 0 || !p->wanted[kind])
        return RC_OK;
    rc = granted(p, scope) ? ask(p, kind, live, n, e) : RC_DENIED;
    if (rc == RC_INVALID && n > 1) { /* one of them is the reason: ask about each */
        rc = RC_OK;
        for (int i = 0; i < n && rc == RC_OK; i++) {
            rc = ask(p, kind, &live[i], 1, e);
            if (is_problem(rc, e)) {
                problem_set(live[i], kind, scope, rc, e);
                rc = RC_OK;
            }
        }
        return rc;
    }
    if (rc != RC_OK && (is_problem(rc, e) || !granted(p, scope))) {
        for (int i = 0; i < n; i++)
            problem_set(live[i], kind, scope, rc, granted(p, scope) ? e : NULL);
        return RC_OK;
    }
    return rc;
}

/* ---- a product that is not live: by what would be sent ------------------------------------------ */

static enum rc draft_body(const struct product *p, json_t **out, struct err *e)
{
    static const char *const MEMBERS[] = { "category_id", "brand_id",    "title",
                                           "description", "main_images", "product_attributes" };
    OWN_BUF struct buf title, description;
    json_auto_t *body = json_pack("{s:s, s:[s]}", "category_id", p->tiktok_category_id,
                                  "optimization_fields", "ALL");
    enum rc rc;

    buf_init(&title, TEXT_BYTES);
    buf_init(&description, TEXT_BYTES);
    rc = map_title(p->desired, &title, e);
    if (rc == RC_OK)
        rc = map_description(p->desired, &description, e);
    if (rc != RC_OK)
        return rc;
    if (json_object_set_new(body, "title", json_string(buf_text(&title))) != 0 ||
        json_object_set_new(body, "description", json_string(buf_text(&description))) != 0)
        return err_set(e, RC_DOWN, "out of memory for a diagnosis");
    for (size_t i = 0; i < sizeof MEMBERS / sizeof MEMBERS[0]; i++) {
        json_t *value = json_object_get(p->published, MEMBERS[i]);

        if (value != NULL && json_object_set(body, MEMBERS[i], value) != 0)
            return err_set(e, RC_DOWN, "out of memory for a diagnosis");
    }
    if (p->tiktok_product_id[0] != '\0' &&
        json_object_set_new(body, "product_id", json_string(p->tiktok_product_id)) != 0)
        return err_set(e, RC_DOWN, "out of memory for a diagnosis");
    *out = json_incref(body);
    return RC_OK;
}

static enum rc ask_draft(struct propose *p, struct propose_item *it, struct err *e)
{
    json_auto_t *body = NULL;
    enum rc rc = RC_OK;

    it->operations[PROPOSE_DIAGNOSIS] = TIKTOK_DIAGNOSE_OPERATION;
    if (it->product.tiktok_category_id[0] == '\0') {
        it->problems[PROPOSE_DIAGNOSIS] =
            problem_new("no_category", "category", "Map the product's category in the taxonomy.",
                        "TikTok can look at the product once it has a category.");
        return RC_OK;
    }
    if (!granted(p, TIKTOK_SCOPE_OPTIMIZE)) {
        problem_set(it, PROPOSE_DIAGNOSIS, TIKTOK_SCOPE_OPTIMIZE, RC_DENIED, NULL);
        return RC_OK;
    }
    rc = draft_body(&it->product, &body, e);
    if (rc == RC_OK)
        rc =
            tiktok_diagnose(&p->tiktok, body, it->product.source_id,
                            &it->answers[PROPOSE_DIAGNOSIS], it->request_ids[PROPOSE_DIAGNOSIS], e);
    if (!is_problem(rc, e))
        return rc;
    problem_set(it, PROPOSE_DIAGNOSIS, TIKTOK_SCOPE_OPTIMIZE, rc, e);
    return RC_OK;
}

/* ---- first pictures ----------------------------------------------------------------------------- */

static const char *first_picture(const struct product *p)
{
    return jspec_text(json_array_get(json_object_get(p->published, "main_images"), 0), "uri");
}

static void picture_give(struct propose *p, json_t *images, const char *request_id)
{
    json_t *one;
    size_t at;

    json_array_foreach(images, at, one)
    {
        const char *status = jspec_text(one, "optimize_status");
        bool good = status == NULL || str_ieq(status, "SUCCESS");

        for (int i = 0; i < p->n; i++) {
            struct propose_item *it = &p->items[i];
            const struct err why = { .text = "the picture could not be made" };

            if (!str_eq(first_picture(&it->product), jspec_text(one, "original_uri")) ||
                it->answers[PROPOSE_PICTURE] != NULL || it->problems[PROPOSE_PICTURE] != NULL)
                continue;
            if (good)
                it->answers[PROPOSE_PICTURE] = json_incref(one);
            else
                it->problems[PROPOSE_PICTURE] = refusal(&why);
            str_copy_cut(it->request_ids[PROPOSE_PICTURE], TIKTOK_REQUEST_ID_BYTES, request_id);
        }
    }
}

static enum rc optimize(struct propose *p, const char *const *uris, size_t n, struct err *e)
{
    char request_id[TIKTOK_REQUEST_ID_BYTES] = "";
    json_auto_t *images = NULL;
    enum rc rc = tiktok_optimize_images(&p->tiktok, uris, n, &images, request_id, e);

    if (rc == RC_OK)
        picture_give(p, images, request_id);
    return rc;
}

static void pictures_problem(struct propose *p, const char *uri, enum rc rc, const struct err *why)
{
    for (int i = 0; i < p->n; i++)
        if (str_eq(first_picture(&p->items[i].product), uri))
            problem_set(&p->items[i], PROPOSE_PICTURE, TIKTOK_SCOPE_BASIC, rc, why);
}

static enum rc ask_pictures(struct propose *p, struct err *e)
{
    const char *uris[BATCH];
    size_t n = 0;
    enum rc rc;

    for (int i = 0; i < p->n && p->wanted[PROPOSE_PICTURE]; i++) {
        const char *uri = first_picture(&p->items[i].product);
        bool known = uri == NULL;

        p->items[i].operations[PROPOSE_PICTURE] = TIKTOK_OPTIMIZE_OPERATION;
        for (size_t k = 0; k < n; k++)
            known = known || strcmp(uris[k], uri) == 0;
        if (!known)
            uris[n++] = uri;
    }
    if (n == 0)
        return RC_OK;
    rc = optimize(p, uris, n, e);
    if (!is_problem(rc, e))
        return rc;
    rc = RC_OK;
    for (size_t i = 0; i < n && rc == RC_OK; i++) { /* one of them is the reason */
        rc = optimize(p, &uris[i], 1, e);
        if (!is_problem(rc, e))
            continue;
        pictures_problem(p, uris[i], rc, e);
        rc = RC_OK;
    }
    return rc;
}

/* ---- one batch ---------------------------------------------------------------------------------- */

static enum rc gone(struct propose *p, struct db_tx *tx, const char *source_id, struct err *e)
{
    const struct run_delta failed = { .done = 1, .failed = 1 };
    const struct run_change c = { .client_id = p->run.client_id,
                                  .run_id = p->run.id,
                                  .source_id = source_id,
                                  .field = "proposals",
                                  .action = "propose",
                                  .outcome = "skipped",
                                  .reason = "there is no such product any more" };
    enum rc rc = db_run_change_add(tx, &c, e);

    return rc == RC_OK ? db_run_progress(tx, p->run.client_id, p->run.id, &failed, e) : rc;
}

static enum rc batch_load(struct propose *p, const json_t *ids, size_t from, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(p->ctx, "propose_load", &tx, e);

    for (size_t i = from; rc == RC_OK && i < from + BATCH && i < json_array_size(ids); i++) {
        const char *id = json_string_value(json_array_get(ids, i));
        struct propose_item *it = &p->items[p->n];
        bool seen = false;

        rc = db_revert_seen(tx, p->run.client_id, p->run.id, id, &seen, e);
        if (rc != RC_OK || seen)
            continue;
        rc = db_product_get(tx, p->ctx->job->shop_id, id, &it->product, e);
        if (rc == RC_NOT_FOUND) {
            rc = gone(p, tx, id, e);
        } else if (rc == RC_OK) {
            it->live =
                it->product.tiktok_product_id[0] != '\0' && strcmp(it->product.status, "live") == 0;
            p->n++;
        }
    }
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc item_store(struct propose *p, const struct propose_item *it, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    bool failed = false, answered = false;
    struct run_delta delta = { .done = 1 };
    enum rc rc = job_tx_begin(p->ctx, "propose_store", &tx, e);

    for (int k = 0; k < PROPOSE_KINDS; k++) {
        failed = failed || it->problems[k] != NULL;
        answered = answered || it->answers[k] != NULL;
    }
    delta.failed = failed && !answered;
    delta.unchanged = !delta.failed;
    if (rc == RC_OK)
        rc = propose_store(tx, &p->run, it, e);
    if (rc == RC_OK)
        rc = db_run_progress(tx, p->run.client_id, p->run.id, &delta, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc == RC_OK)
        fault_point("propose_stored");
    return rc;
}

static enum rc batch(struct propose *p, const json_t *ids, size_t from, struct err *e)
{
    enum rc rc = batch_load(p, ids, from, e);

    for (int k = 0; rc == RC_OK && k < TIKTOK_BETTER_COUNT; k++)
        rc = ask_live(p, (enum propose_kind)k, e);
    for (int i = 0; rc == RC_OK && i < p->n && p->wanted[PROPOSE_DIAGNOSIS]; i++)
        rc = p->items[i].live ? RC_OK : ask_draft(p, &p->items[i], e);
    if (rc == RC_OK)
        rc = ask_pictures(p, e);
    for (int i = 0; rc == RC_OK && i < p->n; i++)
        rc = item_store(p, &p->items[i], e);
    batch_done(p);
    return rc;
}

/* ---- the whole ---------------------------------------------------------------------------------- */

static void kinds_read(struct propose *p)
{
    const json_t *kinds = json_object_get(p->run.params, "kinds");

    for (int k = 0; k < PROPOSE_KINDS; k++) {
        p->wanted[k] = json_array_size(kinds) == 0;
        for (size_t i = 0; i < json_array_size(kinds); i++)
            p->wanted[k] = p->wanted[k] ||
                           str_eq(json_string_value(json_array_get(kinds, i)), PROPOSE_NAMES[k]);
    }
}

static enum rc load(struct propose *p, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    const struct job *job = p->ctx->job;
    enum rc rc = job_tx_begin(p->ctx, "propose_begin", &tx, e);

    if (rc == RC_OK)
        rc = db_run_get(tx, job->client_id, job->run_id, &p->run, e);
    if (rc == RC_OK)
        rc = db_shop_scopes(tx, job->client_id, job->shop_id, &p->scopes, e);
    if (rc == RC_OK)
        rc = db_run_start(tx, job->client_id, job->run_id, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc read_done(struct propose *p, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(p->ctx, "propose_end", &tx, e);

    if (rc == RC_OK)
        rc = db_run_read_done(tx, p->run.client_id, p->run.id, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc propose(struct propose *p, struct err *e)
{
    enum rc rc = load(p, e);
    const json_t *ids;

    if (rc != RC_OK)
        return rc;
    if (str_eq(p->run.status, "cancelled"))
        return RC_OK;
    kinds_read(p);
    rc = session_tiktok_open(p->ctx, &p->tiktok, e);
    p->open = rc == RC_OK;
    ids = json_object_get(p->run.params, "source_ids");
    for (size_t from = 0; rc == RC_OK && from < json_array_size(ids); from += BATCH) {
        rc = p->ctx->stop != NULL && atomic_load(p->ctx->stop) ? err_set(e, RC_STOPPED, "stopping")
                                                               : batch(p, ids, from, e);
    }
    return rc == RC_OK ? read_done(p, e) : rc;
}

enum rc sync_product_propose(struct job_ctx *ctx, struct err *e)
{
    struct propose *p = calloc(1, sizeof *p);
    enum rc rc;

    if (p == NULL)
        return err_set(e, RC_DOWN, "out of memory for proposals");
    p->ctx = ctx;
    rc = propose(p, e);
    batch_done(p);
    if (p->open)
        session_tiktok_done(&p->tiktok);
    json_decref(p->scopes);
    db_run_done(&p->run);
    free(p);
    return rc == RC_NOT_FOUND ? RC_OK : rc; /* the run is gone */
}
