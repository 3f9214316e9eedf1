/* feed_change.c - what differs between the product as it was wanted and as the feed has it now, in rows for people. */
#include "feed_job.h"

#include "db_product.h"
#include "jspec.h"
#include "map_feed.h"
#include "money.h"
#include "str.h"

struct writer {
    struct db_tx *tx;
    const struct feed_run *run;
    const char *source_id;
    const struct map_feed *map; /* NULL = the product is gone */
    const char *outcome;
    const char *reason; /* NULL = none */
};

/* The code that TikTok knows an item by: of the feed as it is now, else as it was stored; else its id. */
static enum rc sku_code(const struct writer *w, const char *item_id, char out[SKU_BYTES],
                        struct err *e)
{
    enum rc rc;

    for (int i = 0; w->map != NULL && i < w->map->n_skus; i++)
        if (str_eq(w->map->skus[i].sku.source_sku, item_id)) {
            (void)str_copy(out, SKU_BYTES, w->map->skus[i].sku.seller_sku);
            return RC_OK;
        }
    rc = db_sku_by_source(w->tx, w->run->shop_id, w->source_id, item_id, out, e);
    if (rc != RC_NOT_FOUND)
        return rc;
    str_copy_cut(out, SKU_BYTES, item_id);
    return RC_OK;
}

static enum rc put(const struct writer *w, const char *sku, const char *field,
                   const char *old_value, const char *new_value, const char *action, struct err *e)
{
    char code[SKU_BYTES];
    struct run_change c = {
        .client_id = w->run->client.client_id,
        .run_id = w->run->run.id,
        .source_id = w->source_id,
        .field = field,
        .old_value = old_value,
        .new_value = new_value,
        .action = action,
        .outcome = w->outcome,
        .reason = w->reason,
    };
    enum rc rc = sku != NULL ? sku_code(w, sku, code, e) : RC_OK;

    c.seller_sku = sku != NULL ? code : NULL;
    return rc == RC_OK ? db_run_change_add(w->tx, &c, e) : rc;
}

/* A member as people read it: amounts with a dot, lists as JSON. False when absent. */
static bool shown(const json_t *object, const char *member, struct buf *out)
{
    const json_t *v = json_object_get(object, member);
    char amount[MONEY_TEXT_BYTES];
    struct err ignored = { 0 };

    buf_clear(out);
    if (v == NULL || json_is_null(v))
        return false;
    if (json_is_string(v)) {
        buf_str(out, json_string_value(v));
    } else if (str_eq(member, "price") || str_eq(member, "sale_price")) {
        money_write(json_integer_value(v), amount);
        buf_str(out, amount);
    } else if (json_is_integer(v)) {
        buf_fmt(out, "%lld", (long long)json_integer_value(v));
    } else {
        (void)jspec_dump(v, out, &ignored);
    }
    return true;
}

static enum rc members(const struct writer *w, const char *sku, const json_t *old,
                       const json_t *now, const char *const *names, struct err *e)
{
    OWN_BUF struct buf was, is;
    enum rc rc = RC_OK;

    buf_init(&was, (size_t)1 << 21);
    buf_init(&is, (size_t)1 << 21);
    for (; rc == RC_OK && *names != NULL; names++) {
        bool had = shown(old, *names, &was), has = shown(now, *names, &is);

        if (had == has && (!had || str_eq(buf_text(&was), buf_text(&is))))
            continue;
        rc = put(w, sku, *names, had ? buf_text(&was) : NULL, has ? buf_text(&is) : NULL, "update",
                 e);
    }
    return rc;
}

static const json_t *item_by_id(const json_t *product, const char *id)
{
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(product, "items"), i, item)
    {
        if (str_eq(jspec_text(item, "id"), id))
            return item;
    }
    return NULL;
}

static enum rc items(const struct writer *w, const json_t *old, const json_t *now, struct err *e)
{
    static const char *const NAMES[] = { "title",    "price",  "sale_price", "availability",
                                         "quantity", "images", "color",      "size",
                                         "gtin",     NULL };
    const json_t *item;
    size_t i;
    enum rc rc = RC_OK;

    json_array_foreach(json_object_get(now, "items"), i, item)
    {
        const char *id = jspec_text(item, "id");
        const json_t *was = item_by_id(old, id);

        rc = was != NULL ? members(w, id, was, item, NAMES, e)
                         : put(w, id, "sku", NULL, jspec_text(item, "title"), "create", e);
        if (rc != RC_OK)
            return rc;
    }
    json_array_foreach(json_object_get(old, "items"), i, item)
    {
        const char *id = jspec_text(item, "id");

        if (item_by_id(now, id) != NULL)
            continue;
        rc = put(w, id, "sku", jspec_text(item, "title"), NULL, "remove", e);
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

/* A dry run names each variant of a new product too; a real one leaves that to the logs of prices and stock. */
static enum rc created(const struct writer *w, const json_t *now, struct err *e)
{
    const json_t *item;
    size_t i;
    enum rc rc = put(w, NULL, "product", NULL, jspec_text(now, "title"), "create", e);

    json_array_foreach(json_object_get(now, "items"), i, item)
    {
        if (rc == RC_OK && w->run->dry)
            rc =
                put(w, jspec_text(item, "id"), "sku", NULL, jspec_text(item, "title"), "create", e);
    }
    return rc;
}

enum rc feed_changes_write(struct db_tx *tx, const struct feed_run *r, const char *source_id,
                           const json_t *old, const struct map_feed *map, struct err *e)
{
    static const char *const NAMES[] = { "title",  "description", "brand", "category",
                                         "images", "link",        NULL };
    const json_t *now = map != NULL ? map->desired : NULL;
    struct writer w = { tx, r, source_id, map, r->dry ? "planned" : "queued", NULL };
    enum rc rc;

    if (r->run.id[0] == '\0')
        return RC_OK;
    if (old == NULL)
        return created(&w, now, e);
    if (now == NULL && !r->dry) {
        w.outcome = "skipped";
        w.reason = "A product leaves the sale once a second complete feed does not have it either.";
    }
    if (now == NULL)
        return put(&w, NULL, "product", jspec_text(old, "title"), NULL, "remove", e);
    rc = members(&w, NULL, old, now, NAMES, e);
    return rc == RC_OK ? items(&w, old, now, e) : rc;
}
