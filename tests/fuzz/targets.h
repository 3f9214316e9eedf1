/* targets.h - parsers of outside text that are fuzzed, each as one function over any bytes.
 *
 * A target aborts when a promise breaks that no sanitizer sees. Included by fuzz.c (one target, clang's fuzzer) and by
 * replay.c (all targets over the corpus, as a plain test). */
#ifndef TARGETS_H
#define TARGETS_H

#include "../../handlers/webhook_scan.h"
#include "../../sync/map_order.h"
#include "csv.h"
#include "feed.h"
#include "jspec.h"
#include "money.h"
#include "nfe.h"
#include "own.h"
#include "str.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TARGET_CHECK(cond) \
    do {                   \
        if (!(cond))       \
            abort();       \
    } while (0)

static void text_check(const char *text)
{
    TARGET_CHECK(text == NULL || (text[0] != '\0' && str_utf8_valid(text, strlen(text))));
}

/* Every item can be normalised, spooled and read back; its texts are UTF-8 and never empty. */
static enum rc target_feed_item(void *user, const struct feed_raw *raw, struct err *e)
{
    struct feed_item item = { 0 };
    struct feed_raw again;
    OWN_BUF struct buf spool = { 0 };
    json_t *json;

    (void)user;
    buf_init(&spool, (size_t)8 << 20);
    TARGET_CHECK(feed_raw_write(raw, &spool, e) == RC_OK);
    TARGET_CHECK(feed_raw_read(spool.data, spool.len, &again, e) == RC_OK);
    TARGET_CHECK(strcmp(again.id, raw->id) == 0 && strcmp(again.source_id, raw->source_id) == 0);
    TARGET_CHECK(feed_item_read(&again, "BRL", &item, e) == RC_OK);
    text_check(item.id);
    text_check(item.title);
    text_check(item.description);
    text_check(item.link);
    text_check(item.brand);
    TARGET_CHECK(item.price_minor >= 0 && item.price_minor <= MONEY_MAX_MINOR);
    TARGET_CHECK(item.sale_minor == 0 || item.price_minor == 0 ||
                 item.sale_minor < item.price_minor);
    for (int i = 0; i < item.n_images; i++)
        TARGET_CHECK(strncasecmp(item.images[i], "http", 4) == 0);
    json = feed_item_json(&item);
    TARGET_CHECK(json != NULL);
    json_decref(json);
    feed_item_done(&item);
    return RC_OK;
}

/* The first byte chooses the size of the pieces; whatever comes, the outcome is decided and explained. */
static void target_feed(const uint8_t *data, size_t size)
{
    struct feed_opts opts = { .now_us = 1, .item = target_feed_item };
    OWN_FEED struct feed *f = NULL;
    struct err e = { 0 };
    size_t piece = size > 0 && data[0] % 4 == 1 ? 13 : 70000;
    enum rc rc = feed_new(&opts, &f, &e);

    for (size_t at = 0; rc == RC_OK && at < size; at += piece)
        rc = feed_read(f, data + at, size - at < piece ? size - at : piece, &e);
    if (rc == RC_OK)
        rc = feed_end(f, &e);
    TARGET_CHECK(rc == RC_OK || rc == RC_INVALID);
    TARGET_CHECK(rc == RC_OK || (str_starts(e.code, "feed_") && e.text[0] != '\0'));
    TARGET_CHECK(str_utf8_valid(e.text, strlen(e.text)));
}

/* What reads as an amount reads the same after it was written. */
static void target_money(const uint8_t *data, size_t size)
{
    char *text = str_ndup((const char *)data, size), written[MONEY_TEXT_BYTES];
    int64_t minor = -1, again = -1, decimal = 0;
    struct err e = { 0 };

    if (text != NULL && money_feed_read(text, "BRL", &minor, &e) == RC_OK) {
        TARGET_CHECK(minor > 0 && minor <= MONEY_MAX_MINOR);
        money_write(minor, written);
        TARGET_CHECK(money_feed_read(written, "BRL", &again, &e) == RC_OK && again == minor);
    }
    if (text != NULL)
        (void)money_decimal_read(text, &decimal, &e);
    free(text);
}

/* What parses can be written and parses again to the same value. */
static void target_json(const uint8_t *data, size_t size)
{
    json_auto_t *value = NULL, *again = NULL;
    OWN_BUF struct buf text = { 0 };
    struct err e = { 0 };

    buf_init(&text, (size_t)64 << 20);
    if (jspec_parse(data, size, 0, &value, &e) != RC_OK)
        return;
    TARGET_CHECK(jspec_dump(value, &text, &e) == RC_OK);
    TARGET_CHECK(jspec_parse(text.data, text.len, 0, &again, &e) == RC_OK);
    TARGET_CHECK(json_equal(value, again));
}

/* Never reads outside the body; says why or gives ids. */
static void target_webhook(const uint8_t *data, size_t size)
{
    static struct webhook_ids ids;
    char *copy = malloc(size + 1);

    if (copy == NULL)
        return;
    if (size > 0)
        memcpy(copy, data, size);
    memset(&ids, 0, sizeof ids);
    (void)webhook_scan(copy, size, &ids);
    webhook_ids_done(&ids);
    free(copy);
}

/* A file of an invoice, and a text that becomes one: what is taken has a good key and a known issuer. */
static void target_nfe(const uint8_t *data, size_t size)
{
    OWN_BUF struct buf clean = { 0 };
    OWN_STR char *text = str_ndup((const char *)data, size);
    struct nfe nfe = { 0 };

    buf_init(&clean, LIMIT_NFE_BYTES);
    if (nfe_read(data, size, &nfe, NULL) == RC_OK)
        TARGET_CHECK(nfe_key_valid(nfe.key) && nfe.issuer[0] != '\0' && nfe.value_minor >= 0);
    if (text != NULL && nfe_clean(text, &clean, NULL) == RC_OK)
        (void)nfe_read(clean.data, clean.len, &nfe, NULL);
}

/* A TikTok order with VTEX's simulation in "simulation": no amount is lost on the way to the placement. */
static void target_order(const uint8_t *data, size_t size)
{
    static struct client client = { .client_id = "client-1",
                                    .address_lines = { "neighborhood", "street", "number",
                                                       "complement" } };
    struct map_place how = { .client = &client,
                             .endpoint = "https://connector.example/vtex/client-1",
                             .mail_domain = "connector.example" };
    OWN_MAP_ORDER struct map_order o = { 0 };
    json_auto_t *order = NULL, *items = NULL, *packages = NULL, *placed = NULL;
    struct err e = { 0 };
    int64_t owed, sum = 0;

    if (jspec_parse(data, size, 0, &order, &e) != RC_OK || map_order_read(order, &o, &e) != RC_OK)
        return;
    items = map_order_items_new(&o);
    packages = map_order_packages_new(order);
    TARGET_CHECK(items != NULL && packages != NULL);
    for (size_t i = 0; i < o.n_lines; i++)
        str_copy_cut(o.lines[i].vtex_sku_id, sizeof o.lines[i].vtex_sku_id, o.lines[i].seller_sku);
    owed = map_order_merchant_minor(&o);
    map_order_merge(&o, size % 2 == 1);
    (void)map_order_sla_choose(&o, json_object_get(order, "simulation"), &e);
    map_order_freight_split(&o);
    for (size_t i = 0; i < o.n_lines; i++) {
        TARGET_CHECK(o.lines[i].freight_minor >= 0);
        sum += o.lines[i].freight_minor + o.lines[i].quantity * o.lines[i].price_minor;
    }
    TARGET_CHECK(o.n_lines == 0 || (sum == owed && map_order_merchant_minor(&o) == owed));
    e = (struct err){ 0 };
    if (map_order_place_new(&o, order, &how, &placed, &e) == RC_OK)
        TARGET_CHECK(placed != NULL);
    else
        TARGET_CHECK(e.code[0] != '\0');
}

/* A row that can be read comes back the same after it was written, in a table of its own. */
static void csv_check(const struct csv_row *row, char separator)
{
    OWN_BUF struct buf text = { 0 };
    struct csv csv;
    struct csv_row again;

    buf_init(&text, (size_t)64 << 20);
    buf_str(&text, "x\n"); /* a mark is one at the beginning only */
    for (int i = 0; i < row->n && i < LIMIT_CSV_FIELDS; i++) {
        if (i > 0)
            buf_char(&text, separator);
        csv_put(&text, row->fields[i], separator);
    }
    csv_row_init(&again);
    csv_init(&csv, text.data, text.len);
    csv.separator = separator;
    TARGET_CHECK(csv_next(&csv, &again));
    if (csv_next(&csv, &again) && again.wrong == NULL) /* blank fields alone are a blank line */
        for (int i = 0; i < row->n && i < LIMIT_CSV_FIELDS; i++)
            TARGET_CHECK(i < again.n && strcmp(csv_plain(again.fields[i]), row->fields[i]) == 0);
    csv_row_done(&again);
}

/* Every row is given with the line that it stands in, readable or with the reason why not. */
static void target_csv(const uint8_t *data, size_t size)
{
    struct csv csv;
    struct csv_row row;
    int line = 0;

    csv_row_init(&row);
    csv_init(&csv, (const char *)data, size);
    while (csv_next(&csv, &row)) {
        TARGET_CHECK(row.line > line && row.n >= 0);
        line = row.line;
        for (int i = 0; row.wrong == NULL && i < row.n && i < LIMIT_CSV_FIELDS; i++)
            TARGET_CHECK(str_utf8_valid(row.fields[i], strlen(row.fields[i])));
        if (row.wrong == NULL)
            csv_check(&row, csv.separator);
    }
    csv_row_done(&row);
}

static const struct target {
    const char *name; /* also its folder in the corpus */
    void (*run)(const uint8_t *data, size_t size);
} TARGETS[] = {
    { "feed", target_feed },       { "money", target_money }, { "json", target_json },
    { "webhook", target_webhook }, { "order", target_order }, { "csv", target_csv },
    { "nfe", target_nfe },
};
#define TARGETS_COUNT (sizeof TARGETS / sizeof TARGETS[0])

#endif
