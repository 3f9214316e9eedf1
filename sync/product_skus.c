/* product_skus.c - which seller SKU (the VTEX SKU id) each item of a product gets, by the client's rule. */
#include "product_job.h"

#include <string.h>

#include "clock.h"
#include "jspec.h"
#include "problem.h"
#include "str.h"

/* VTEX SKU id that was looked up for the item before; NULL = none. */
static const char *known_vtex_id(const struct publish *p, const char *source_sku)
{
    for (int i = 0; i < p->product.n_skus; i++)
        if (str_eq(p->product.skus[i].source_sku, source_sku) &&
            p->product.skus[i].vtex_sku_id[0] != '\0')
            return p->product.skus[i].vtex_sku_id;
    return NULL;
}

static const struct sku *row_by_code(const struct publish *p, const char *seller_sku)
{
    for (int i = 0; i < p->product.n_skus; i++)
        if (str_eq(p->product.skus[i].seller_sku, seller_sku))
            return &p->product.skus[i];
    return NULL;
}

static const char *last_part(const char *text)
{
    const char *found = text;

    for (const char *c = text; *c != '\0'; c++)
        if ((*c == '_' || *c == '-') && c[1] != '\0')
            found = c + 1;
    return found;
}

static void sku_problem(struct publish_sku *sku, const char *code, const char *action,
                        const char *message)
{
    json_decref(sku->problem);
    sku->problem = problem_new(code, sku->source_sku, action, message);
    sku->listed = false;
}

/* The RefId stands in the MPN, in some feeds in the id itself. */
static enum rc look_up_ref_id(struct publish *p, struct publish_sku *sku, struct err *e)
{
    const char *mpn = item_text(sku->item, "mpn");
    enum rc rc = RC_NOT_FOUND;

    if (mpn != NULL)
        rc = vtex_sku_by_ref_id(&p->vtex, mpn, sku->vtex_sku_id, e);
    if ((rc == RC_NOT_FOUND || rc == RC_INVALID) && !str_eq(mpn, sku->source_sku))
        rc = vtex_sku_by_ref_id(&p->vtex, sku->source_sku, sku->vtex_sku_id, e);
    return rc;
}

static enum rc by_ref_id(struct publish *p, struct publish_sku *sku, struct err *e)
{
    const char *known = known_vtex_id(p, sku->source_sku);
    enum rc rc;

    if (known != NULL) {
        (void)str_copy(sku->seller_sku, sizeof(sku->seller_sku), known);
        return RC_OK;
    }
    if (!p->vtex_open) {
        sku_problem(sku, "vtex_sku_unknown", "Add the VTEX account to the client.",
                    "SKU codes are looked up by RefId, but the client has no VTEX account.");
        return RC_OK;
    }
    rc = look_up_ref_id(p, sku, e);
    if (rc == RC_OK) {
        (void)str_copy(sku->seller_sku, sizeof(sku->seller_sku), sku->vtex_sku_id);
    } else if (rc == RC_NOT_FOUND || rc == RC_INVALID) {
        sku_problem(sku, "vtex_sku_unknown",
                    "Give the SKU this RefId in VTEX or change the client's SKU rule.",
                    "VTEX knows no SKU with the RefId that the feed gives.");
        rc = RC_OK;
    }
    return rc;
}

static enum rc name_sku(struct publish *p, struct publish_sku *sku, struct err *e)
{
    const char *text = sku->source_sku;

    switch (p->client.sku_id_rule) {
    case SKU_ID_VTEX_REF_ID:
        return by_ref_id(p, sku, e);
    case SKU_ID_MPN:
        text = item_text(sku->item, "mpn");
        break;
    case SKU_ID_LAST_PART:
        text = last_part(sku->source_sku);
        break;
    case SKU_ID_FEED_ID:
        break;
    }
    if (str_blank(text) || !str_copy(sku->seller_sku, sizeof(sku->seller_sku), text)) {
        sku_problem(sku, "seller_sku", "Add the code to the feed or change the client's SKU rule.",
                    "The feed does not give the code that the client's SKU rule wants.");
        return RC_OK;
    }
    if (str_digits(text) && strlen(text) <= 18)
        (void)str_copy(sku->vtex_sku_id, sizeof(sku->vtex_sku_id), text);
    return RC_OK;
}

/* The earlier of both, as far as they are known and still to come. */
static void sooner(int64_t at_us, int64_t now_us, int64_t *again_us)
{
    if (at_us > now_us && (*again_us == 0 || at_us < *again_us))
        *again_us = at_us;
}

/* Sale price while it applies, else the price. */
int64_t publish_item_price(const json_t *item, int64_t now_us, int64_t *again_us)
{
    int64_t price = jspec_int(item, "price", 0);
    int64_t sale = jspec_int(item, "sale_price", 0);
    const char *from = jspec_text(item, "sale_from");
    const char *to = jspec_text(item, "sale_to");
    int64_t begins = 0, ends = 0;

    if (sale <= 0 || (price > 0 && sale >= price))
        return price;
    if (from != NULL && clock_read(from, &begins))
        sooner(begins, now_us, again_us);
    if (to != NULL && clock_read(to, &ends))
        sooner(ends + 1, now_us, again_us);
    return (begins != 0 && now_us < begins) || (ends != 0 && now_us > ends) ? price : sale;
}

void publish_sku_row(struct publish_sku *sku, const struct sku *row)
{
    (void)str_copy(sku->tiktok_sku_id, sizeof(sku->tiktok_sku_id), row->tiktok_sku_id);
    if (row->vtex_sku_id[0] != '\0')
        (void)str_copy(sku->vtex_sku_id, sizeof(sku->vtex_sku_id), row->vtex_sku_id);
    sku->price_published_minor = row->price_published_minor;
    sku->stock_published = row->stock_published;
    sku->price_doubt = row->price_doubt;
    sku->stock_doubt = row->stock_doubt;
    sku->price_hold_minor = row->price_hold_minor;
    sku->price_approved_minor = row->price_approved_minor;
    sku->troubled = row->problem_code[0] != '\0';
}

static void read_feed_side(struct publish *p, struct publish_sku *sku)
{
    const struct sku *row = row_by_code(p, sku->seller_sku);
    const char *availability = jspec_text(sku->item, "availability");

    sku->feed_price_minor = publish_item_price(sku->item, clock_now_us(), &sku->again_us);
    sku->feed_available = str_eq(availability, "in_stock");
    sku->feed_quantity = jspec_int(sku->item, "quantity", -1);
    sku->stock_published = -1;
    sku->price_wanted = sku->stock_wanted = true;
    if (row != NULL)
        publish_sku_row(sku, row);
}

static bool code_taken(const struct publish *p, int index)
{
    for (int i = 0; i < index; i++)
        if (p->skus[i].seller_sku[0] != '\0' &&
            strcmp(p->skus[i].seller_sku, p->skus[index].seller_sku) == 0)
            return true;
    return false;
}

static enum rc store_sku(struct publish *p, struct db_tx *tx, int index, struct err *e)
{
    struct publish_sku *sku = &p->skus[index];
    struct sku row = { .feed_price_minor = sku->feed_price_minor,
                       .feed_available = sku->feed_available,
                       .feed_quantity = sku->feed_quantity };
    const char *currency = jspec_text(sku->item, "currency");

    (void)str_copy(row.seller_sku, sizeof(row.seller_sku), sku->seller_sku);
    (void)str_copy(row.source_sku, sizeof(row.source_sku), sku->source_sku);
    (void)str_copy(row.vtex_sku_id, sizeof(row.vtex_sku_id), sku->vtex_sku_id);
    (void)str_copy(row.currency, sizeof(row.currency), currency ? currency : "BRL");

    enum rc rc = db_sku_put_feed(tx, p->client.client_id, p->shop.shop_id, p->product.source_id,
                                 index, &row, e);

    if (rc != RC_DUPLICATE)
        return rc;
    sku_problem(sku, "duplicate_sku", "Give each SKU its own code in the feed.",
                "Another product of the feed has the same SKU code.");
    sku->seller_sku[0] = '\0';
    return RC_OK;
}

static enum rc store_all(struct publish *p, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    const char *codes[LIMIT_SKUS];
    size_t n = 0;
    enum rc rc = job_tx_begin(p->ctx, "product_skus", &tx, e);

    for (int i = 0; rc == RC_OK && i < p->n_skus; i++) {
        if (p->skus[i].seller_sku[0] == '\0')
            continue;
        rc = store_sku(p, tx, i, e);
        if (rc == RC_OK && p->skus[i].seller_sku[0] != '\0')
            codes[n++] = p->skus[i].seller_sku;
    }
    if (rc == RC_OK)
        rc = db_sku_prune(tx, p->shop.shop_id, p->product.source_id, codes, n, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

enum rc publish_skus(struct publish *p, struct err *e)
{
    const json_t *items = json_object_get(p->product.desired, "items");
    size_t n = json_array_size(items);

    p->too_many = jspec_bool(p->product.desired, "too_many_items", false);
    if (n == 0 || n > LIMIT_SKUS) {
        problem_add(p->problems, "sku_count", "items", "Split the product in the feed.",
                    "The product has %d variants; TikTok takes 1 to %d.", (int)n, LIMIT_SKUS);
        return RC_OK;
    }
    p->skus = calloc(n, sizeof(*p->skus));
    if (p->skus == NULL)
        return err_set(e, RC_BUG, "out of memory");
    p->n_skus = (int)n;
    for (int i = 0; i < p->n_skus; i++) {
        struct publish_sku *sku = &p->skus[i];

        sku->item = json_array_get(items, (size_t)i);
        sku->listed = true;
        const char *id = jspec_text(sku->item, "id");

        (void)str_copy(sku->source_sku, sizeof(sku->source_sku), id ? id : "");
        enum rc rc = name_sku(p, sku, e);

        if (rc != RC_OK)
            return rc;
        if (sku->seller_sku[0] != '\0' && code_taken(p, i)) {
            sku_problem(sku, "duplicate_sku", "Give each SKU its own code in the feed.",
                        "Two variants of the product have the same SKU code.");
            sku->seller_sku[0] = '\0';
        }
        read_feed_side(p, sku);
    }
    return store_all(p, e);
}
