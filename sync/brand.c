/* brand.c - finds the TikTok brand of a merchant's brand, and makes a custom one where the merchant wants that.
 *
 * Repeats: safe. A brand whose making was cut is found by its name the next time. */
#include "brand.h"

#include <string.h>

#include "map_text.h"
#include "single.h"
#include "str.h"

#define NONE_AGE_S 86400 /* after which TikTok is asked again for a brand that it did not have */
#define LIMIT_CUSTOM_A_DAY 50
#define LIMIT_CUSTOM_IN_ALL 1000
#define NAME_CHARS_MIN 2
#define NAME_CHARS_MAX 30
#define DIGITS_MAX 4 /* in a row */
#define CODE_DAY_LIMIT 12052202
#define CODE_TOTAL_LIMIT 12052203

bool brand_name_ok(const char *name)
{
    size_t chars = 0, digits = 0;

    for (const unsigned char *p = (const unsigned char *)name; *p != 0; p++) {
        chars += (*p & 0xc0) != 0x80;
        digits = *p >= '0' && *p <= '9' ? digits + 1 : 0;
        if (digits > DIGITS_MAX)
            return false;
    }
    return chars >= NAME_CHARS_MIN && chars <= NAME_CHARS_MAX;
}

struct search {
    const char *name;
    struct tiktok_brand best;
    bool found;
};

/* An authorized brand ends the search. */
static bool look(void *user, const struct tiktok_brand *brand)
{
    struct search *search = user;

    if (!map_text_same(brand->name, search->name) || !brand->available ||
        (!brand->authorized && brand->t1))
        return true;
    if (!search->found || (brand->authorized && !search->best.authorized))
        search->best = *brand;
    search->found = true;
    return !search->best.authorized;
}

static enum rc known(const struct brand_ask *ask, struct brand_row *row, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(ask->ctx, "brand_get", &tx, e);

    if (rc == RC_OK)
        rc = db_brand_get(tx, ask->client->client_id, ask->key, row, e);
    if (rc != RC_OK || str_eq(row->chosen_by, "operator"))
        return rc;
    if (ask->again || (row->tiktok_brand_id[0] == '\0' && row->age_s > NONE_AGE_S))
        return err_set(e, RC_NOT_FOUND, "looked for long ago");
    return RC_OK;
}

static enum rc store(const struct brand_ask *ask, const struct tiktok_brand *brand,
                     struct brand_found *out, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    const char *chosen = brand == NULL ? "none" : out->made ? "created" : "match";
    json_auto_t *problem = NULL;
    enum rc rc = job_tx_begin(ask->ctx, "brand_put", &tx, e);

    if (rc == RC_OK)
        rc = db_brand_put(tx, ask->client->client_id, ask->key, ask->name,
                          brand != NULL ? brand->id : NULL, chosen,
                          brand == NULL       ? NULL
                          : brand->authorized ? "AUTHORIZED"
                                              : "UNAUTHORIZED",
                          e);
    if (rc == RC_OK && out->made)
        rc = db_brand_custom_made(tx, ask->client->client_id, ask->key, e);
    if (rc == RC_OK && out->why[0] != '\0') {
        problem = json_pack("{s:s, s:s}", "code", out->why, "message", out->why_text);
        rc = problem == NULL ? err_set(e, RC_DOWN, "out of memory")
                             : db_brand_problem(tx, ask->client->client_id, ask->key, problem, e);
    }
    if (rc == RC_OK)
        rc = db_tx_commit(tx, e);
    if (rc != RC_OK)
        return rc;
    (void)str_copy(out->row.tiktok_brand_id, sizeof out->row.tiktok_brand_id,
                   brand != NULL ? brand->id : "");
    (void)str_copy(out->row.chosen_by, sizeof out->row.chosen_by, chosen);
    out->row.age_s = 0;
    return RC_OK;
}

static void not_made(struct brand_found *out, const char *code, const char *text)
{
    (void)str_copy(out->why, sizeof out->why, code);
    str_copy_cut(out->why_text, sizeof out->why_text, text);
}

/* RC_OK with out->why: the limits leave no room. */
static enum rc limits_check(const struct brand_ask *ask, struct brand_found *out, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    int64_t today = 0, total = 0;
    enum rc rc = job_tx_begin(ask->ctx, "brand_limits", &tx, e);

    if (rc == RC_OK)
        rc = db_brand_custom_count(tx, ask->client->client_id, &today, &total, e);
    if (rc == RC_OK && total >= LIMIT_CUSTOM_IN_ALL)
        not_made(out, "custom_brand_limit", "TikTok allows 1,000 custom brands in all.");
    else if (rc == RC_OK && today >= LIMIT_CUSTOM_A_DAY)
        not_made(out, "custom_brand_limit_today",
                 "TikTok allows 50 new custom brands a day; this one follows tomorrow.");
    return rc;
}

static enum rc make(const struct brand_ask *ask, struct tiktok_brand *brand,
                    struct brand_found *out, struct err *e)
{
    struct err why = { 0 };
    enum rc rc = RC_OK;

    if (!brand_name_ok(ask->name)) {
        not_made(out, "custom_brand_name",
                 "A custom brand has 2 to 30 characters and no five digits in a row.");
        return RC_OK;
    }
    rc = limits_check(ask, out, e);
    if (rc != RC_OK || out->why[0] != '\0')
        return rc;
    *brand = (struct tiktok_brand){ .available = true };
    rc = tiktok_create_custom_brand(ask->tiktok, ask->name, brand->id, &why);
    out->made = rc == RC_OK;
    if (rc == RC_OK)
        return RC_OK;
    if (rc == RC_INVALID) {
        not_made(out,
                 why.platform_code == CODE_DAY_LIMIT     ? "custom_brand_limit_today"
                 : why.platform_code == CODE_TOTAL_LIMIT ? "custom_brand_limit"
                                                         : "custom_brand_refused",
                 why.text);
        return RC_OK;
    }
    *e = why;
    return rc;
}

static enum rc ask_for(const struct brand_ask *ask, const char *prefix, struct search *search,
                       struct err *e)
{
    return tiktok_brands(ask->tiktok, ask->category_id[0] != '\0' ? ask->category_id : NULL, prefix,
                         look, search, e);
}

/* TikTok finds brands by how their name begins. Accents may stand on either side: after the name itself it is tried
 * without them, and for brands in use all that begin with the same letter are looked through. */
static enum rc find(const struct brand_ask *ask, struct search *search, struct err *e)
{
    OWN_BUF struct buf base;
    enum rc rc = ask_for(ask, ask->name, search, e);

    buf_init(&base, 4096);
    if (rc == RC_OK && !search->found)
        rc = map_text_base(ask->name, &base, e);
    if (rc == RC_OK && !search->found && !str_eq(buf_text(&base), ask->name))
        rc = ask_for(ask, buf_text(&base), search, e);
    if (rc == RC_OK && !search->found && ask->may_make && base.len > 1) {
        base.data[1] = '\0';
        if ((unsigned char)base.data[0] < 0x80)
            rc = ask_for(ask, base.data, search, e);
    }
    return rc;
}

static enum rc ask_tiktok(const struct brand_ask *ask, struct brand_found *out, struct err *e)
{
    struct search search = { .name = ask->name };
    enum rc rc = find(ask, &search, e);

    if (rc == RC_OK && !search.found && ask->may_make &&
        str_eq(ask->client->brand_when_unknown, "create"))
        rc = make(ask, &search.best, out, e);
    return rc == RC_OK ? store(ask, search.found || out->made ? &search.best : NULL, out, e) : rc;
}

enum rc brand_find(const struct brand_ask *ask, struct brand_found *out, struct err *e)
{
    OWN_BUF struct buf what;
    struct brand_found found = { 0 };
    enum rc rc;

    buf_init(&what, 8192);
    buf_fmt(&what, "brand %s", ask->key);

    int held = single_take(ask->ctx->job->shop_id, buf_text(&what));

    rc = known(ask, &found.row, e);
    if (rc == RC_NOT_FOUND)
        rc = ask_tiktok(ask, &found, e);
    single_give(held);
    if (rc == RC_OK)
        *out = found;
    return rc;
}
