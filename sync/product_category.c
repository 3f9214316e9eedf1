/* product_category.c - TikTok category of a product: mapped, remembered, or proposed; and whether it can be used. */
#include "product_job.h"

#include <string.h>

#include "db_taxonomy.h"
#include "map_text.h"
#include "problem.h"
#include "single.h"
#include "str.h"

#define CATEGORY_MAX_AGE_S 86400
#define LIMIT_LEVELS 12

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

static enum rc node_get(struct publish *p, const char *category_id, struct category_node *node,
                        struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(p->ctx, "category_node", &tx, e);

    return rc == RC_OK
               ? db_category_node(tx, p->client.client_id, p->shop.shop_id, category_id, node, e)
               : rc;
}

static bool by_operator(const struct publish *p)
{
    return str_eq(p->product.category_chosen_by, "operator");
}

/* What TikTok proposed for the product before, or a person chose in Seller Center, as long as it can be used.
 * RC_NOT_FOUND. */
static enum rc by_memory(struct publish *p, struct err *e)
{
    struct category_node node = { 0 };
    enum rc rc;

    if ((!str_eq(p->product.category_chosen_by, "recommendation") && !by_operator(p)) ||
        p->product.tiktok_category_id[0] == '\0')
        return err_set(e, RC_NOT_FOUND, "nothing was proposed before");
    rc = node_get(p, p->product.tiktok_category_id, &node, e);
    if (rc == RC_OK && db_category_unusable(&node))
        rc = err_set(e, RC_NOT_FOUND, "what was proposed cannot be used any more");
    if (rc != RC_OK)
        return rc;
    (void)str_copy(p->category_id, sizeof(p->category_id), p->product.tiktok_category_id);
    (void)str_copy(p->chosen_by, sizeof(p->chosen_by), p->product.category_chosen_by);
    return RC_OK;
}

static enum rc proposal_stored(struct publish *p, const char *path, char id[64], struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(p->ctx, "proposal_get", &tx, e);

    return rc == RC_OK ? db_taxonomy_proposal(tx, p->client.client_id, path, id, e) : rc;
}

static enum rc proposal_ask(struct publish *p, const char *path, char id[64], struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = by_recommendation(p, e);

    if (rc == RC_OK)
        rc = job_tx_begin(p->ctx, "proposal_put", &tx, e);
    if (rc == RC_OK)
        rc = db_taxonomy_suggest(tx, p->client.client_id, path, p->category_id, e);
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc == RC_OK)
        (void)str_copy(id, 64, p->category_id);
    p->category_id[0] = '\0';
    p->chosen_by[0] = '\0';
    return rc;
}

/* The client takes no proposal without a person: the product waits, and says what was proposed. */
static enum rc by_person(struct publish *p, const char *path, struct err *e)
{
    struct category_node node = { 0 };
    char id[64] = "";
    enum rc rc;

    if (str_blank(path))
        return err_code(e, RC_NOT_FOUND, "category_unmapped", "the feed names no category");
    rc = proposal_stored(p, path, id, e);
    if (rc == RC_NOT_FOUND)
        rc = proposal_ask(p, path, id, e);
    if (rc == RC_OK)
        rc = node_get(p, id, &node, e);
    if (rc != RC_OK)
        return rc;
    p->waits = true;
    problem_add(
        p->problems, "category_proposed", "category",
        "Confirm the proposal in the taxonomy, or map the category to another one.",
        "TikTok proposes the category \"%.300s\" for \"%.200s\", and nobody has confirmed it.",
        node.path[0] ? node.path : id, path);
    return RC_OK;
}

static enum rc choose(struct publish *p, const char *path, struct err *e)
{
    enum rc rc = by_mapping(p, path, e);

    if (rc != RC_NOT_FOUND)
        return rc;
    if (!p->client.accept_recommendation && !by_operator(p))
        return by_person(p, path, e);
    rc = by_memory(p, e);
    if (rc == RC_NOT_FOUND && !p->client.accept_recommendation)
        return by_person(p, path, e);
    return rc == RC_NOT_FOUND ? by_recommendation(p, e) : rc;
}

/* What the shop's category tree says against the category; nothing while no tree is known. */
static enum rc check_tree(struct publish *p, struct err *e)
{
    static const char ACTION[] =
        "Map the category of the feed to a category of TikTok that is a leaf and open to the shop.";
    struct category_node node = { 0 };
    enum rc rc = node_get(p, p->category_id, &node, e);

    if (rc != RC_OK || !db_category_unusable(&node))
        return rc;
    if (!node.found)
        problem_add(p->problems, "category_unusable", "category", ACTION,
                    "TikTok has no category %s for this shop any more.", p->category_id);
    else if (!node.leaf)
        problem_add(
            p->problems, "category_unusable", "category", ACTION,
            "The category \"%.300s\" has categories below it; TikTok takes products only in those.",
            node.path);
    else
        problem_add(p->problems, "category_unusable", "category", ACTION,
                    "The shop may not list in the category \"%.300s\" (%s).", node.path,
                    node.permissions);
    return RC_OK;
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
    bool changed = false;
    enum rc rc = tiktok_category_rules(&p->tiktok, p->category_id, &p->rules, e);

    if (rc == RC_OK)
        rc = tiktok_category_attributes(&p->tiktok, p->category_id, &p->attributes, e);
    if (rc == RC_OK)
        rc = job_tx_begin(p->ctx, "category_put", &tx, e);
    if (rc == RC_OK)
        rc = db_category_put(tx, p->client.client_id, p->shop.shop_id, p->category_id, p->rules,
                             p->attributes, &changed, e);
    if (rc == RC_OK && changed)
        rc = db_category_recheck(tx, p->client.client_id, p->shop.shop_id, p->category_id, e);
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

    if (rc == RC_OK && p->waits)
        return RC_OK;
    if (rc == RC_OK && (!str_eq(p->category_id, p->product.tiktok_category_id) ||
                        !str_eq(p->chosen_by, p->product.category_chosen_by)))
        rc = store_category(p, source, &why);
    if (rc == RC_OK)
        rc = check_tree(p, &why);
    if (rc == RC_OK && publish_blocked(p))
        return RC_OK;
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
