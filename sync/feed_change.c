/* feed_change.c - what differs between the product as it was wanted and as the feed has it now, in rows for people. */
#include "feed_job.h"

#include "jspec.h"
#include "money.h"
#include "str.h"

#define SHOWN_BYTES 300

struct writer {
    struct db_tx *tx;
    const struct feed_run *run;
    const char *source_id;
    const char *outcome;
};

static enum rc put(const struct writer *w, const char *sku, const char *field,
                   const char *old_value, const char *new_value, const char *action, struct err *e)
{
    char was[SHOWN_BYTES] = "", is[SHOWN_BYTES] = "";

    if (old_value != NULL)
        str_copy_cut(was, sizeof was, old_value);
    if (new_value != NULL)
        str_copy_cut(is, sizeof is, new_value);
    return db_run_change(w->tx, w->run->client.client_id, w->run->run.id,
                         sku != NULL ? "sku" : "product", w->source_id, sku, field,
                         old_value != NULL ? was : NULL, new_value != NULL ? is : NULL, action,
                         w->outcome, e);
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

enum rc feed_changes_write(struct db_tx *tx, const struct feed_run *r, const char *source_id,
                           const json_t *old, const json_t *now, struct err *e)
{
    static const char *const NAMES[] = { "title",  "description", "brand", "category",
                                         "images", "link",        NULL };
    struct writer w = { tx, r, source_id, r->dry ? "planned" : "queued" };
    enum rc rc;

    if (r->run.id[0] == '\0')
        return RC_OK;
    if (old == NULL)
        return put(&w, NULL, "product", NULL, jspec_text(now, "title"), "create", e);
    if (now == NULL)
        return put(&w, NULL, "product", jspec_text(old, "title"), NULL, "remove", e);
    rc = members(&w, NULL, old, now, NAMES, e);
    return rc == RC_OK ? items(&w, old, now, e) : rc;
}
