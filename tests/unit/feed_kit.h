/* feed_kit.h - reads a whole feed from memory into JSON, for the tests of the feed reader. */
#ifndef FEED_KIT_H
#define FEED_KIT_H

#include "clock.h"
#include "feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kit {
    json_t *items;    /* normalised */
    json_t *hashes;   /* hex, in the same order */
    json_t *warnings; /* code words */
    json_t *problems; /* of all items: "code" */
    struct feed_stats stats;
    char format[16], encoding[32];
    enum rc rc;
    struct err err;
};

static enum rc kit_item(void *user, const struct feed_raw *raw, struct err *e)
{
    struct kit *k = user;
    struct feed_item item = { 0 };
    char hex[33];
    enum rc rc = feed_item_read(raw, "BRL", &item, e);

    if (rc != RC_OK)
        return rc;
    for (int i = 0; i < 16; i++)
        snprintf(hex + (size_t)2 * i, 3, "%02x", raw->hash[i]);
    json_array_append_new(k->hashes, json_string(hex));
    json_array_append_new(k->items, feed_item_json(&item));
    for (int i = 0; i < item.n_problems; i++)
        json_array_append_new(k->problems, json_string(item.problems[i].code));
    feed_item_done(&item);
    return RC_OK;
}

static void kit_warn(void *user, const char *code, const char *id, int64_t line, const char *text)
{
    struct kit *k = user;

    (void)id;
    (void)line;
    (void)text;
    json_array_append_new(k->warnings, json_string(code));
}

static void kit_done(struct kit *k)
{
    json_decref(k->items);
    json_decref(k->hashes);
    json_decref(k->warnings);
    json_decref(k->problems);
}

/* Reads in pieces of the given size; now_us 0 = 2026-06-15. */
static struct kit kit_read(const void *data, size_t len, size_t piece, const char *charset,
                           int64_t now_us)
{
    struct kit k = { json_array(), json_array(), json_array(), json_array(), { 0 },
                     "",           "",           RC_OK,        { 0 } };
    struct feed_opts opts = { .charset = charset, .user = &k, .item = kit_item, .warn = kit_warn };
    struct feed *f = NULL;

    if (now_us == 0)
        clock_read("2026-06-15T12:00:00Z", &now_us);
    opts.now_us = now_us;
    k.rc = feed_new(&opts, &f, &k.err);
    for (size_t at = 0; k.rc == RC_OK && at < len; at += piece)
        k.rc = feed_read(f, (const char *)data + at, len - at < piece ? len - at : piece, &k.err);
    if (k.rc == RC_OK)
        k.rc = feed_end(f, &k.err);
    k.stats = feed_stats(f);
    snprintf(k.format, sizeof k.format, "%s", k.stats.format);
    snprintf(k.encoding, sizeof k.encoding, "%s", k.stats.encoding);
    feed_free(f);
    return k;
}

static inline struct kit kit_text(const char *text)
{
    return kit_read(text, strlen(text), 64, NULL, 0);
}

/* Member of the i-th item as text ("" when absent); integers are printed. */
static inline const char *kit_get(const struct kit *k, size_t i, const char *name)
{
    static char number[32];
    const json_t *v = json_object_get(json_array_get(k->items, i), name);

    if (json_is_integer(v)) {
        snprintf(number, sizeof number, "%lld", (long long)json_integer_value(v));
        return number;
    }
    return json_is_string(v) ? json_string_value(v) : "";
}

static inline char *kit_file(const char *path, size_t *len)
{
    FILE *in = fopen(path, "rb");
    char *data = malloc(1 << 20);

    *len = in != NULL ? fread(data, 1, 1 << 20, in) : 0;
    if (in != NULL)
        fclose(in);
    return data;
}

#endif
