/* map_feed.c - feed items of one group as the product a merchant wants listed. */
#include "map_feed.h"

#include "jspec.h"
#include "problem.h"
#include "str.h"

#define TITLE_KEEP_CHARS 10 /* a common beginning shorter than this says nothing */
#define SELLER_SKU_CHARS 50

enum rc map_feed_init(struct map_feed *m, const char *source_id, const struct map_feed_opts *opts,
                      const json_t *old_desired, struct err *e)
{
    memset(m, 0, sizeof *m);
    m->opts = *opts;
    m->old = old_desired;
    buf_init(&m->prices, (size_t)1 << 18);
    m->problems = json_array();
    m->desired = json_pack("{s:s, s:[], s:[]}", "source_id", source_id, "images", "items");
    if (m->desired == NULL || m->problems == NULL)
        return err_set(e, RC_DOWN, "out of memory for a product");
    return RC_OK;
}

void map_feed_done(struct map_feed *m)
{
    json_decref(m->desired);
    json_decref(m->problems);
    buf_done(&m->prices);
    free(m->title);
    free(m->skus);
    m->desired = NULL;
    m->problems = NULL;
    m->title = NULL;
    m->skus = NULL;
}

bool map_feed_seller_sku(const struct feed_item *item, enum sku_id_rule rule, char out[SKU_BYTES])
{
    const char *text = item->id;

    out[0] = '\0';
    if (rule == SKU_ID_VTEX_REF_ID) { /* only stands for the VTEX id until that is looked up */
        if (!str_blank(item->mpn))
            text = item->mpn; /* without one the id itself is the RefId */
        return !str_blank(text) && str_utf8_valid(text, strlen(text)) &&
               str_copy(out, SKU_BYTES, text);
    }
    if (rule == SKU_ID_MPN)
        text = item->mpn;
    if (rule == SKU_ID_LAST_PART) {
        for (const char *p = text; *p != '\0'; p++) {
            if ((*p == '_' || *p == '-') && p[1] != '\0')
                text = p + 1;
        }
    }
    if (text == NULL || text[0] == '\0' || !str_utf8_valid(text, strlen(text)) ||
        str_utf8_count(text) > SELLER_SKU_CHARS)
        return false;
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
        if (*p <= ' ' || (p[0] == 0xC2 && p[1] == 0xA0))
            return false;
    }
    return str_copy(out, SKU_BYTES, text);
}

void map_feed_common_title(char *title, const char *other)
{
    size_t n = 0, word = 0;

    while (title[n] != '\0' && title[n] == other[n]) {
        n++;
        if (title[n - 1] == ' ')
            word = n - 1;
    }
    if ((title[n] == '\0' || title[n] == ' ') && (other[n] == '\0' || other[n] == ' '))
        word = n;
    while (word > 0 && strchr(" -|,;/(:", title[word - 1]) != NULL)
        word--;
    if (word >= 3 &&
        memcmp(title + word - 3, "\xE2\x80\x93", 3) == 0) /* a dash before the variant */
        word -= 3;
    while (word > 0 && title[word - 1] == ' ')
        word--;
    if (word >= TITLE_KEEP_CHARS)
        title[word] = '\0';
}

/* Entry of the stored product with this id. Borrowed, NULL when there is none. */
static json_t *old_item(const struct map_feed *m, const char *id)
{
    size_t i;
    json_t *item;

    json_array_foreach(json_object_get(m->old, "items"), i, item)
    {
        if (str_eq(json_string_value(json_object_get(item, "id")), id))
            return item;
    }
    return NULL;
}

static bool sku_known(const struct map_feed *m, const char *seller_sku)
{
    for (int i = 0; i < m->n_skus; i++) {
        if (str_eq(m->skus[i].sku.seller_sku, seller_sku))
            return true;
    }
    return false;
}

/* What the reading of an item found, as problems of the product. */
static void item_problems(struct map_feed *m, const struct feed_item *item)
{
    for (int i = 0; i < item->n_problems; i++) {
        const struct feed_problem *p = &item->problems[i];

        if (!m->opts.price_required &&
            (str_eq(p->code, "invalid_price") || str_eq(p->code, "invalid_sale_price")))
            continue; /* nobody uses them */
        problem_add(m->problems, p->code, p->field, "correct the item in the feed", "Item %s: %s",
                    item->id, p->text);
    }
    if (m->opts.price_required && item->price_minor == 0) {
        for (int i = 0; i < item->n_problems; i++) {
            if (str_eq(item->problems[i].code, "invalid_price"))
                return;
        }
        problem_add(m->problems, "missing_price", "price", "add a price to the item in the feed",
                    "Item %s: the item has no price", item->id);
    }
}

/* The SKU of the item; false when it cannot have one. */
static bool item_sku(struct map_feed *m, const struct feed_item *item, struct sku *sku)
{
    static const char *const RULES[] = { "feed_id", "mpn", "vtex_ref_id", "last_part" };

    if (!map_feed_seller_sku(item, m->opts.rule, sku->seller_sku)) {
        problem_add(m->problems, "invalid_sku_id", m->opts.rule == SKU_ID_FEED_ID ? "id" : "mpn",
                    "correct the item or choose another sku_id rule",
                    "Item %s: the rule %s gives no SKU id of 1 to 50 characters without blanks",
                    item->id, RULES[m->opts.rule]);
        return false;
    }
    if (sku_known(m, sku->seller_sku)) {
        problem_add(m->problems, "duplicate_sku", "id", "give each variant its own id",
                    "Item %s: SKU %s is there twice; the first item counts", item->id,
                    sku->seller_sku);
        return false;
    }
    if (!str_copy(sku->source_sku, sizeof sku->source_sku, item->id))
        return false;
    (void)str_copy(sku->currency, sizeof sku->currency, item->currency);
    sku->feed_price_minor = feed_item_price(item, m->opts.now_us);
    sku->feed_quantity = item->quantity;
    sku->feed_available =
        item->availability != NULL ? str_eq(item->availability, "in_stock") : item->quantity > 0;
    sku->stock_published = -1;
    return true;
}

static enum rc sku_push(struct map_feed *m, const struct sku *sku, bool write, struct err *e)
{
    if (m->n_skus == m->cap_skus) {
        int cap = m->cap_skus == 0 ? 8 : m->cap_skus * 2;
        struct map_feed_sku *grown = realloc(m->skus, (size_t)cap * sizeof *grown);

        if (grown == NULL)
            return err_set(e, RC_DOWN, "out of memory for SKUs");
        m->skus = grown;
        m->cap_skus = cap;
    }
    m->skus[m->n_skus].sku = *sku;
    m->skus[m->n_skus++].write = write;
    return RC_OK;
}

static enum rc items_push(struct map_feed *m, json_t *item, struct err *e)
{
    if (json_array_append_new(json_object_get(m->desired, "items"), item) != 0)
        return err_set(e, RC_DOWN, "out of memory for a product");
    return RC_OK;
}

static enum rc images_push(struct map_feed *m, const struct feed_item *item, struct err *e)
{
    json_t *images = json_object_get(m->desired, "images"), *known;
    size_t at;

    for (int i = 0; i < item->n_images && json_array_size(images) < MAP_FEED_IMAGES; i++) {
        bool there = false;

        json_array_foreach(images, at, known) there |=
            str_eq(json_string_value(known), item->images[i]);
        if (!there && json_array_append_new(images, json_string(item->images[i])) != 0)
            return err_set(e, RC_DOWN, "out of memory for a product");
    }
    return RC_OK;
}

/* Texts of the product are those of the first item that has them. */
static enum rc text_put(struct map_feed *m, const char *name, const char *text, struct err *e)
{
    if (text == NULL || json_object_get(m->desired, name) != NULL)
        return RC_OK;
    if (json_object_set_new(m->desired, name, json_string(text)) != 0)
        return err_set(e, RC_DOWN, "out of memory for a product");
    return RC_OK;
}

static enum rc category_put(struct map_feed *m, const struct feed_item *item, struct err *e)
{
    OWN_BUF struct buf path;
    enum rc rc;

    buf_init(&path, (size_t)1 << 16);
    for (int i = 0; i < item->n_product_type; i++) {
        buf_str(&path, i > 0 ? " > " : "");
        buf_str(&path, item->product_type[i]);
    }
    rc = buf_check(&path, e);
    return rc == RC_OK && path.len > 0 ? text_put(m, "category", buf_text(&path), e) : rc;
}

static enum rc product_texts(struct map_feed *m, const struct feed_item *item, struct err *e)
{
    enum rc rc = text_put(m, "description", item->description, e);

    if (rc == RC_OK)
        rc = text_put(m, "link", item->link, e);
    if (rc == RC_OK)
        rc = text_put(m, "brand", item->brand, e);
    if (rc == RC_OK)
        rc = category_put(m, item, e);
    if (rc == RC_OK)
        rc = images_push(m, item, e);
    if (rc != RC_OK)
        return rc;
    if (m->title != NULL)
        map_feed_common_title(m->title, item->title);
    else
        m->title = str_dup(item->title);
    return m->title != NULL ? RC_OK : err_set(e, RC_DOWN, "out of memory for a product");
}

/* An item that cannot be used now but was before stays as it was: a slip in the feed removes no variant. */
static enum rc keep_old(struct map_feed *m, const struct feed_item *item, struct err *e)
{
    json_t *old = old_item(m, item->id);
    struct sku sku = { 0 };

    if (old == NULL || !map_feed_seller_sku(item, m->opts.rule, sku.seller_sku) ||
        sku_known(m, sku.seller_sku))
        return RC_OK;
    enum rc rc = items_push(m, json_incref(old), e);
    return rc == RC_OK ? sku_push(m, &sku, false, e) : rc;
}

enum rc map_feed_add(struct map_feed *m, const struct feed_item *item, size_t raw_bytes,
                     struct err *e)
{
    struct sku sku = { 0 };
    enum rc rc;

    m->bytes += raw_bytes;
    if (m->n_skus >= LIMIT_SKUS || m->bytes > LIMIT_FEED_PRODUCT_BYTES) {
        if (!m->full)
            problem_add(
                m->problems, "too_many_variants", "item_group_id", "split the group in the feed",
                "The group has more than %d variants: TikTok takes no more, so it is not sent",
                LIMIT_SKUS);
        m->full = true;
        return RC_OK;
    }
    item_problems(m, item);
    if (item->title == NULL || (m->opts.price_required && item->price_minor == 0))
        return keep_old(m, item, e);
    if (!item_sku(m, item, &sku))
        return RC_OK;
    rc = items_push(m, feed_item_json(item), e);
    if (rc == RC_OK)
        rc = product_texts(m, item, e);
    if (rc == RC_OK)
        rc = sku_push(m, &sku, true, e);
    /* The price that counts may change with the clock alone. */
    buf_fmt(&m->prices, "%s=%lld;", sku.seller_sku, (long long)sku.feed_price_minor);
    return rc;
}

bool map_feed_usable(const struct map_feed *m)
{
    return json_array_size(json_object_get(m->desired, "items")) > 0;
}

enum rc map_feed_finish(struct map_feed *m, struct err *e)
{
    OWN_BUF struct buf text = { 0 };
    const char *old_title = json_string_value(json_object_get(m->old, "title"));
    enum rc rc = text_put(m, "title", m->title != NULL ? m->title : old_title, e);

    if (rc == RC_OK && m->full &&
        json_object_set_new(m->desired, "too_many_items", json_true()) != 0)
        rc = err_set(e, RC_DOWN, "out of memory for a product");
    if (rc != RC_OK)
        return rc;
    buf_init(&text, (size_t)64 << 20);
    rc = jspec_dump(m->desired, &text, e);
    if (rc != RC_OK)
        return rc;
    buf_add(&text, m->prices.data, m->prices.len);
    rc = buf_check(&text, e);
    if (rc == RC_OK)
        feed_hash(text.data, text.len, m->hash);
    return rc;
}
