/* feed_item.c - normalises one raw feed item: every rule of the feed guide's sections 2 and 3. */
#include "feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "feed_part.h"
#include "money.h"
#include "str.h"

/* Where the next text goes in item->memory. Its size is known before: see feed_item_read. */
struct pen {
    char *at;
};

static void problem(struct feed_item *item, const char *code, const char *field, const char *fmt,
                    ...) __attribute__((format(printf, 4, 5)));

static void problem(struct feed_item *item, const char *code, const char *field, const char *fmt,
                    ...)
{
    struct feed_problem *p;
    va_list ap;
    char text[sizeof p->text * 2];

    if (item->n_problems == FEED_PROBLEMS_MAX)
        return;
    p = &item->problems[item->n_problems++];
    p->code = code;
    p->field = field;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    str_copy_cut(p->text, sizeof p->text, text);
}

/* A feed text for a message: short, and cut between characters. */
static const char *shown(const char *text, char out[64])
{
    str_copy_cut(out, 64, text);
    return out;
}

static const char *keep(struct pen *pen, size_t len)
{
    const char *text = pen->at;

    if (len == 0)
        return NULL;
    pen->at += len + 1;
    return text;
}

static const char *copy(struct pen *pen, const char *text)
{
    size_t len = strlen(text);

    memcpy(pen->at, text, len + 1);
    return keep(pen, len);
}

static const char *plain(const struct feed_raw *raw, enum feed_field field, struct pen *pen)
{
    const char *text = feed_raw_text(raw, field);

    return text == NULL ? NULL : keep(pen, feed_text_plain(text, pen->at));
}

static void read_texts(const struct feed_raw *raw, struct feed_item *item, struct pen *pen)
{
    const char *text;

    item->id = copy(pen, raw->id);
    item->group = copy(pen, raw->source_id);
    text = feed_raw_text(raw, FEED_TITLE);
    if (text != NULL)
        item->title = keep(pen, feed_text_title(text, pen->at));
    text = feed_raw_text(raw, FEED_DESCRIPTION);
    if (text != NULL)
        item->description = keep(pen, feed_text_description(text, pen->at));
    item->brand = plain(raw, FEED_BRAND, pen);
    item->mpn = plain(raw, FEED_MPN, pen);
    item->google_category = plain(raw, FEED_GOOGLE_CATEGORY, pen);
    item->color = plain(raw, FEED_COLOR, pen);
    item->size = plain(raw, FEED_SIZE, pen);
    item->material = plain(raw, FEED_MATERIAL, pen);
    item->pattern = plain(raw, FEED_PATTERN, pen);
    text = feed_raw_text(raw, FEED_GTIN);
    if (text != NULL)
        item->gtin = keep(pen, feed_text_gtin(text, pen->at));
    if (item->title == NULL)
        problem(item, "missing_title", "title", "the item has no title");
}

static void read_words(const struct feed_raw *raw, struct feed_item *item)
{
    const char *text = feed_raw_text(raw, FEED_AVAILABILITY);
    int64_t n;

    item->availability = text != NULL ? feed_availability(text) : NULL;
    text = feed_raw_text(raw, FEED_CONDITION);
    item->condition = text != NULL ? feed_condition(text) : NULL;
    text = feed_raw_text(raw, FEED_GENDER);
    item->gender = text != NULL ? feed_gender(text) : NULL;
    text = feed_raw_text(raw, FEED_AGE_GROUP);
    item->age_group = text != NULL ? feed_age_group(text) : NULL;
    text = feed_raw_text(raw, FEED_QUANTITY);
    item->quantity = text != NULL && str_to_i64(text, 0, 99999999, &n) ? n : -1;
}

static void read_money(const struct feed_raw *raw, struct feed_item *item)
{
    const char *text = feed_raw_text(raw, FEED_PRICE);
    struct err e = { 0 };
    char part[64];

    if (text != NULL && money_feed_read(text, item->currency, &item->price_minor, &e) != RC_OK)
        problem(item, "invalid_price", "price", "the price \"%s\" cannot be used: %s",
                shown(text, part), e.text);
    text = feed_raw_text(raw, FEED_SALE_PRICE);
    if (text == NULL)
        return;
    if (money_feed_read(text, item->currency, &item->sale_minor, &e) != RC_OK) {
        problem(item, "invalid_sale_price", "sale_price", "the sale price \"%s\" is ignored: %s",
                shown(text, part), e.text);
    } else if (item->price_minor > 0 && item->sale_minor >= item->price_minor) {
        item->sale_minor = 0;
        problem(item, "invalid_sale_price", "sale_price",
                "the sale price is not lower than the price: ignored");
    }
    text = feed_raw_text(raw, FEED_SALE_DATE);
    if (text != NULL && item->sale_minor > 0 &&
        !feed_interval(text, &item->sale_from_us, &item->sale_to_us)) {
        item->sale_minor = 0;
        problem(item, "invalid_sale_date", "sale_price_effective_date",
                "the dates \"%s\" are no interval: the sale price is ignored", shown(text, part));
    }
}

static int64_t size_of(const struct feed_raw *raw, enum feed_field field)
{
    const char *text = feed_raw_text(raw, field);
    int64_t mm = 0;

    return text != NULL && feed_size(text, &mm) ? mm : 0;
}

static bool read_sizes(const struct feed_raw *raw, enum feed_field first, struct feed_item *item)
{
    int64_t length = size_of(raw, first), width = size_of(raw, (enum feed_field)(first + 1));
    int64_t height = size_of(raw, (enum feed_field)(first + 2));

    if (length == 0 || width == 0 || height == 0)
        return false;
    item->length_mm = length;
    item->width_mm = width;
    item->height_mm = height;
    return true;
}

static void read_package(const struct feed_raw *raw, struct feed_item *item)
{
    const char *text = feed_raw_text(raw, FEED_WEIGHT);
    char part[64];

    if (text == NULL || !feed_weight(text, &item->weight_g)) {
        if (text != NULL)
            problem(item, "invalid_weight", "shipping_weight", "the weight \"%s\" cannot be used",
                    shown(text, part));
        text = feed_raw_text(raw, FEED_PRODUCT_WEIGHT);
        if (text != NULL)
            (void)feed_weight(text, &item->weight_g);
    }
    if (!read_sizes(raw, FEED_LENGTH, item))
        (void)read_sizes(raw, FEED_PRODUCT_LENGTH, item);
}

static void image_add(struct feed_item *item, const char *text, size_t len, struct pen *pen)
{
    size_t n;

    if (item->n_images == LIMIT_FEED_IMAGES)
        return;
    n = feed_text_url(text, len, pen->at);
    if (n == 0)
        return;
    for (int i = 0; i < item->n_images; i++) {
        if (str_eq(item->images[i], pen->at))
            return;
    }
    item->images[item->n_images++] = keep(pen, n);
}

/* Where the next address of a comma-separated list begins; addresses may hold commas themselves. */
static const char *next_in_list(const char *p)
{
    for (p = strchr(p, ','); p != NULL; p = strchr(p + 1, ',')) {
        const char *q = p + 1 + strspn(p + 1, " \t\r\n");

        if (strncasecmp(q, "http://", 7) == 0 || strncasecmp(q, "https://", 8) == 0 ||
            strncmp(q, "//", 2) == 0)
            return p;
    }
    return NULL;
}

static void images_of(struct feed_item *item, const char *text, struct pen *pen)
{
    while (text != NULL) {
        const char *comma = next_in_list(text);

        image_add(item, text, comma != NULL ? (size_t)(comma - text) : strlen(text), pen);
        text = comma != NULL ? comma + 1 : NULL;
    }
}

/* Texts of a repeatable field, in feed order: those of the best rank. */
static const char *next_value(const struct feed_raw *raw, enum feed_field field, int *at)
{
    int first = raw->pick[field];

    if (first < 0)
        return NULL;
    for (int i = *at < first ? first : *at; i < raw->n_values; i++) {
        const struct feed_value *v = &raw->values[i];

        if (v->field == field && v->rank == raw->values[first].rank) {
            *at = i + 1;
            return raw->text + v->at;
        }
    }
    return NULL;
}

static void read_urls(const struct feed_raw *raw, struct feed_item *item, struct pen *pen)
{
    const char *text = feed_raw_text(raw, FEED_LINK);
    int at = 0;

    if (text != NULL)
        item->link = keep(pen, feed_text_url(text, strlen(text), pen->at));
    images_of(item, feed_raw_text(raw, FEED_IMAGE), pen);
    while ((text = next_value(raw, FEED_MORE_IMAGES, &at)) != NULL)
        images_of(item, text, pen);
    if (item->n_images == 0)
        problem(item, "missing_image", "image_link", "the item has no usable image address");
}

static void read_category(const struct feed_raw *raw, struct feed_item *item, struct pen *pen)
{
    const char *path = plain(raw, FEED_PRODUCT_TYPE, pen);

    while (path != NULL && item->n_product_type < LIMIT_FEED_LEVELS) {
        const char *mark = strchr(path, '>');
        size_t len = mark != NULL ? (size_t)(mark - path) : strlen(path);
        char *level = pen->at;

        memcpy(level, path, len);
        level[len] = '\0';
        len = strlen(str_trim(level));
        if (len > 0) {
            item->product_type[item->n_product_type++] = level;
            pen->at += len + 1;
        }
        path = mark != NULL ? mark + 1 : NULL;
    }
}

/* A name is followed by its value within one group. */
static void read_details(const struct feed_raw *raw, struct feed_item *item, struct pen *pen)
{
    for (int i = 0; i + 1 < raw->n_values && item->n_details < LIMIT_FEED_DETAILS; i++) {
        const struct feed_value *name = &raw->values[i], *value = name + 1;

        if (name->field != FEED_DETAIL_NAME || value->field != FEED_DETAIL_VALUE)
            continue;
        const char *n = keep(pen, feed_text_plain(raw->text + name->at, pen->at));
        const char *v = keep(pen, feed_text_plain(raw->text + value->at, pen->at));
        if (n == NULL || v == NULL)
            continue;
        item->details[item->n_details].name = n;
        item->details[item->n_details++].value = v;
    }
}

enum rc feed_item_read(const struct feed_raw *raw, const char *currency, struct feed_item *out,
                       struct err *e)
{
    /* Each text may grow fourfold; a category path is kept whole and in levels, ids appear twice. */
    size_t room = raw->text_len * 9 + (size_t)raw->n_values * 64 + 2048;
    struct feed_item item = { .quantity = -1 };
    struct pen pen;

    item.memory = malloc(room);
    if (item.memory == NULL)
        return err_set(e, RC_DOWN, "out of memory for a feed item");
    pen.at = item.memory;
    (void)str_copy(item.currency, sizeof item.currency, currency);
    read_texts(raw, &item, &pen);
    read_words(raw, &item);
    read_money(raw, &item);
    read_package(raw, &item);
    read_urls(raw, &item, &pen);
    read_category(raw, &item, &pen);
    read_details(raw, &item, &pen);
    *out = item;
    return RC_OK;
}

void feed_item_done(struct feed_item *item)
{
    free(item->memory);
    item->memory = NULL;
}

int64_t feed_item_price(const struct feed_item *item, int64_t now_us)
{
    if (item->sale_minor == 0)
        return item->price_minor;
    if (item->sale_to_us != 0 && (now_us < item->sale_from_us || now_us > item->sale_to_us))
        return item->price_minor;
    return item->sale_minor;
}

/* ---- JSON ---- */

static int put_text(json_t *o, const char *name, const char *text)
{
    return text == NULL ? 0 : json_object_set_new(o, name, json_string(text));
}

static int put_int(json_t *o, const char *name, int64_t value)
{
    return value <= 0 ? 0 : json_object_set_new(o, name, json_integer(value));
}

static int put_time(json_t *o, const char *name, int64_t us)
{
    char text[CLOCK_TEXT_BYTES];

    if (us == 0)
        return 0;
    clock_write(us, text);
    return json_object_set_new(o, name, json_string(text));
}

static int put_list(json_t *o, const char *name, const char *const *texts, int n)
{
    json_t *list;
    int bad = 0;

    if (n == 0)
        return 0;
    list = json_array();
    for (int i = 0; i < n; i++)
        bad |= json_array_append_new(list, json_string(texts[i]));
    return bad | json_object_set_new(o, name, list);
}

static int put_details(json_t *o, const struct feed_item *item)
{
    json_t *list;
    int bad = 0;

    if (item->n_details == 0)
        return 0;
    list = json_array();
    for (int i = 0; i < item->n_details; i++)
        bad |= json_array_append_new(list, json_pack("{s:s, s:s}", "name", item->details[i].name,
                                                     "value", item->details[i].value));
    return bad | json_object_set_new(o, "details", list);
}

json_t *feed_item_json(const struct feed_item *item)
{
    json_t *o = json_object();
    int bad = o == NULL;

    bad |= put_text(o, "id", item->id);
    bad |= put_text(o, "item_group_id", item->group);
    bad |= put_text(o, "title", item->title);
    bad |= put_text(o, "description", item->description);
    bad |= put_text(o, "link", item->link);
    bad |= put_list(o, "images", item->images, item->n_images);
    bad |= put_int(o, "price", item->price_minor);
    bad |= put_int(o, "sale_price", item->sale_minor);
    bad |= put_time(o, "sale_from", item->sale_minor > 0 ? item->sale_from_us : 0);
    bad |= put_time(o, "sale_to", item->sale_minor > 0 ? item->sale_to_us : 0);
    bad |= put_text(o, "currency", item->currency);
    bad |= put_text(o, "availability", item->availability);
    if (item->quantity >= 0)
        bad |= json_object_set_new(o, "quantity", json_integer(item->quantity));
    bad |= put_text(o, "brand", item->brand);
    bad |= put_text(o, "gtin", item->gtin);
    bad |= put_text(o, "mpn", item->mpn);
    bad |= put_list(o, "product_type", item->product_type, item->n_product_type);
    bad |= put_text(o, "google_product_category", item->google_category);
    bad |= put_text(o, "color", item->color);
    bad |= put_text(o, "size", item->size);
    bad |= put_text(o, "material", item->material);
    bad |= put_text(o, "pattern", item->pattern);
    bad |= put_text(o, "gender", item->gender);
    bad |= put_text(o, "age_group", item->age_group);
    bad |= put_text(o, "condition", item->condition);
    bad |= put_int(o, "weight_g", item->weight_g);
    bad |= put_int(o, "length_mm", item->length_mm);
    bad |= put_int(o, "width_mm", item->width_mm);
    bad |= put_int(o, "height_mm", item->height_mm);
    bad |= put_details(o, item);
    if (bad) {
        json_decref(o);
        return NULL;
    }
    return o;
}

/* ---- spool ---- */

struct spool_head {
    uint32_t text_len;
    int32_t n_values;
    int32_t pick[FEED_FIELDS];
    int64_t number, line;
    unsigned char hash[16];
};

enum rc feed_raw_write(const struct feed_raw *raw, struct buf *out, struct err *e)
{
    struct spool_head head = { 0 };

    head.text_len = (uint32_t)raw->text_len;
    head.n_values = raw->n_values;
    for (int i = 0; i < FEED_FIELDS; i++)
        head.pick[i] = raw->pick[i];
    head.number = raw->number;
    head.line = raw->line;
    memcpy(head.hash, raw->hash, sizeof head.hash);
    buf_add(out, &head, sizeof head);
    buf_add(out, raw->values, sizeof raw->values[0] * (size_t)raw->n_values);
    buf_add(out, raw->text, raw->text_len);
    return buf_check(out, e);
}

enum rc feed_raw_read(const void *data, size_t len, struct feed_raw *raw, struct err *e)
{
    struct spool_head head;
    struct feed_raw r = { 0 };
    size_t values;

    if (len < sizeof head)
        return err_set(e, RC_BUG, "a spooled feed item is cut");
    memcpy(&head, data, sizeof head);
    values = sizeof(struct feed_value) * (size_t)head.n_values;
    if (head.n_values < 0 || head.n_values > FEED_VALUES_MAX ||
        len < sizeof head + values + head.text_len)
        return err_set(e, RC_BUG, "a spooled feed item is cut");
    r.values = (const struct feed_value *)(const void *)((const char *)data + sizeof head);
    r.n_values = head.n_values;
    r.text = (const char *)data + sizeof head + values;
    r.text_len = head.text_len;
    for (int i = 0; i < FEED_FIELDS; i++)
        r.pick[i] = head.pick[i];
    r.number = head.number;
    r.line = head.line;
    memcpy(r.hash, head.hash, sizeof r.hash);
    r.id = feed_raw_text(&r, FEED_ID);
    r.source_id = r.pick[FEED_GROUP] >= 0 ? feed_raw_text(&r, FEED_GROUP) : r.id;
    if (r.id == NULL)
        return err_set(e, RC_BUG, "a spooled feed item has no id");
    *raw = r;
    return RC_OK;
}
