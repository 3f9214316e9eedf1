/* product_category.c - TikTok category and brand of a product: mapped, remembered, or asked for. */
#include "product_job.h"

#include <string.h>

#include "jspec.h"
#include "map_text.h"
#include "problem.h"
#include "single.h"
#include "str.h"

#define CATEGORY_MAX_AGE_S 86400
#define LIMIT_LEVELS 12

/* ---- category ---------------------------------------------------------------------------------- */

/* The path and its ancestors: "A > B > C", "A > B", "A". Texts live in `memory`. */
static size_t ancestors(const char *path, struct buf *memory, const char *out[LIMIT_LEVELS])
{
    size_t starts[LIMIT_LEVELS];
    size_t n = 0;
    size_t len = strlen(path);

    while (len > 0 && n < LIMIT_LEVELS) {
        while (len > 0 && (path[len - 1] == ' ' || path[len - 1] == '>'))
            len--;
        if (len == 0)
            break;
        starts[n++] = memory->len;
        buf_add(memory, path, len);
        buf_add(memory, "", 1);
        while (len > 0 && path[len - 1] != '>')
            len--;
    }
    for (size_t i = 0; i < n && !memory->failed; i++)
        out[i] = memory->data + starts[i];
    return memory->failed ? 0 : n;
}

static enum rc by_mapping(struct publish *p, const char *path, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    OWN_BUF struct buf memory;
    const char *paths[LIMIT_LEVELS];
    struct taxonomy_row row = { 0 };

    buf_init(&memory, 16384);

    size_t n = ancestors(path, &memory, paths);

    if (n == 0)
        return err_set(e, RC_NOT_FOUND, "no category in the feed");
    enum rc rc = job_tx_begin(p->ctx, "taxonomy_find", &tx, e);

    if (rc == RC_OK)
        rc = db_taxonomy_find(tx, p->client.client_id, paths, n, &row, e);
    if (rc != RC_OK)
        return rc;
    (void)str_copy(p->category_id, sizeof(p->category_id), row.tiktok_category_id);
    (void)str_copy(p->chosen_by, sizeof(p->chosen_by), "mapping");
    p->fixed = row.attributes;
    return RC_OK;
}

static enum rc store_category(struct publish *p, const char *path, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(p->ctx, "product_category", &tx, e);

    if (rc == RC_OK)
        rc = db_product_category(tx, p->shop.shop_id, p->product.source_id, p->category_id,
                                 p->chosen_by, e);
    if (rc == RC_OK && str_eq(p->chosen_by, "recommendation") && !str_blank(path))
        rc = db_taxonomy_suggest(tx, p->client.client_id, path, p->category_id, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc by_recommendation(struct publish *p, struct err *e)
{
    struct tiktok_recommendation found = { 0 };
    OWN_BUF struct buf title;
    OWN_BUF struct buf description;

    buf_init(&title, 4096);
    buf_init(&description, (size_t)1 << 20);
    enum rc rc = map_title(p->product.desired, &title, e);

    if (rc == RC_OK)
        rc = map_description(p->product.desired, &description, e);
    if (rc != RC_OK)
        return rc;
    if (title.len == 0)
        return err_code(e, RC_NOT_FOUND, "no_category", "the product has no title");
    rc = tiktok_recommend_category(&p->tiktok, buf_text(&title), buf_text(&description),
                                   p->product.source_id, &found, e);
    if (rc != RC_OK)
        return rc;
    if (!found.leaf || !found.available)
        return err_code(e, RC_NOT_FOUND, "category_refused",
                        "TikTok proposes \"%s\", in which the shop may not list", found.name);
    (void)str_copy(p->category_id, sizeof(p->category_id), found.category_id);
    (void)str_copy(p->chosen_by, sizeof(p->chosen_by), "recommendation");
    return RC_OK;
}

static enum rc choose(struct publish *p, const char *path, struct err *e)
{
    enum rc rc = by_mapping(p, path, e);

    if (rc != RC_NOT_FOUND)
        return rc;
    if (str_eq(p->product.category_chosen_by, "recommendation") &&
        p->product.tiktok_category_id[0] != '\0' && p->client.accept_recommendation) {
        (void)str_copy(p->category_id, sizeof(p->category_id), p->product.tiktok_category_id);
        (void)str_copy(p->chosen_by, sizeof(p->chosen_by), "recommendation");
        return RC_OK;
    }
    if (!p->client.accept_recommendation)
        return err_code(e, RC_NOT_FOUND, "category_unmapped", "the category is not mapped");
    return by_recommendation(p, e);
}

static enum rc rules_cached(struct publish *p, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(p->ctx, "category_get", &tx, e);

    return rc == RC_OK ? db_category_get(tx, p->shop.shop_id, p->category_id, CATEGORY_MAX_AGE_S,
                                         &p->rules, &p->attributes, e)
                       : rc;
}

static enum rc rules_asked(struct publish *p, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = tiktok_category_rules(&p->tiktok, p->category_id, &p->rules, e);

    if (rc == RC_OK)
        rc = tiktok_category_attributes(&p->tiktok, p->category_id, &p->attributes, e);
    if (rc == RC_OK)
        rc = job_tx_begin(p->ctx, "category_put", &tx, e);
    if (rc == RC_OK)
        rc = db_category_put(tx, p->client.client_id, p->shop.shop_id, p->category_id, p->rules,
                             p->attributes, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc rules_get(struct publish *p, struct err *e)
{
    char what[96];
    enum rc rc;

    (void)str_fmt(what, sizeof(what), "category %s", p->category_id);

    int held = single_take(p->shop.shop_id, what);

    rc = rules_cached(p, e);
    if (rc == RC_NOT_FOUND)
        rc = rules_asked(p, e);
    single_give(held);
    return rc;
}

enum rc publish_category(struct publish *p, struct err *e)
{
    OWN_BUF struct buf path;
    const char *source = p->product.source_category;

    buf_init(&path, 8192);
    if (str_blank(source) && desired_category(p->product.desired, &path))
        source = buf_text(&path);

    struct err why = { 0 };
    enum rc rc = choose(p, source, &why);

    if (rc == RC_OK && (!str_eq(p->category_id, p->product.tiktok_category_id) ||
                        !str_eq(p->chosen_by, p->product.category_chosen_by)))
        rc = store_category(p, source, &why);
    if (rc == RC_OK)
        rc = rules_get(p, &why);
    if (rc == RC_NOT_FOUND) {
        problem_add(p->problems, why.code[0] ? why.code : "category_unmapped", "category",
                    "Map the category of the feed to a TikTok category in the taxonomy.",
                    "No TikTok category is known for \"%.200s\": %s.", source, why.text);
        return RC_OK;
    }
    if (rc != RC_OK && e != NULL)
        *e = why;
    return rc;
}
