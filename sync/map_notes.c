/* map_notes.c - tells people what was mended on the way to TikTok, so that they can do it better in the feed. */
#include "map_notes.h"

#include <string.h>

#include "jspec.h"
#include "map_text.h"
#include "map_text_chars.h"
#include "problem.h"
#include "str.h"

#define LIMIT_TEXT_BYTES ((size_t)1 << 20)
#define LIMIT_CODE_NOTES 5

/* Emoji, control characters and other signs that are left out. Entities and tags are ordinary in feeds: no note. */
static bool loses_signs(const char *text)
{
    const char *p = text;
    const char *end = text + strlen(text);

    while (p < end) {
        const char *after = text_is_tag(p, end) ? text_tag_end(p, end) : NULL;
        unsigned cp;

        if (after != NULL) {
            p = after;
            continue;
        }
        cp = text_next(&p, end);
        if (text_filter(cp) == 0 || (cp < ' ' && cp != '\n' && cp != '\r' && cp != '\t') ||
            cp == 0x7F)
            return true;
    }
    return false;
}

/* More equal characters in a row than TikTok takes: the rest of them is left out. */
static bool repeats(const char *text)
{
    const char *p = text;
    const char *end = text + strlen(text);
    unsigned last = 0;

    for (int n = 0; p < end;) {
        unsigned cp = text_next(&p, end);

        n = cp == last ? n + 1 : 1;
        last = cp;
        if (n > TEXT_RUN_MAX && cp > ' ')
            return true;
    }
    return false;
}

static enum rc note_title(const json_t *desired, json_t *notes, struct err *e)
{
    OWN_BUF struct buf whole;
    const char *text = desired_text(desired, "title");
    int chars;

    if (text == NULL || strlen(text) > LIMIT_TEXT_BYTES)
        return RC_OK;
    buf_init(&whole, LIMIT_TEXT_BYTES * 2);
    enum rc rc = map_text_plain(text, LIMIT_TEXT_BYTES, &whole, e);

    if (rc != RC_OK)
        return rc;
    chars = (int)str_utf8_count(buf_text(&whole));
    if (chars > TITLE_CHARS_BR)
        problem_add(notes, "title_cut", "title", "Shorten the title in the feed.",
                    "The title has %d characters; TikTok takes %d, so its end is left out.", chars,
                    TITLE_CHARS_BR);
    if (loses_signs(text) || repeats(text))
        problem_add(notes, "title_cleaned", "title", "Correct the title in the feed.",
                    "The title holds emoji or other signs that TikTok does not take; they are left "
                    "out.");
    return RC_OK;
}

static enum rc note_description(const json_t *desired, json_t *notes, struct err *e)
{
    OWN_BUF struct buf whole;
    const char *text = desired_text(desired, "description");
    enum rc rc;

    if (text == NULL || strlen(text) > LIMIT_TEXT_BYTES)
        return RC_OK;
    if (loses_signs(text))
        problem_add(
            notes, "description_cleaned", "description", "Correct the description in the feed.",
            "The description holds emoji or other signs that TikTok does not take; they are "
            "left out.");
    if (strlen(text) <= DESCRIPTION_CHARS / 2)
        return RC_OK; /* cannot grow so much */
    buf_init(&whole, LIMIT_TEXT_BYTES * 4);
    rc = map_text_html(text, LIMIT_TEXT_BYTES * 4, &whole, e);
    if (rc == RC_OK && str_utf8_count(buf_text(&whole)) > DESCRIPTION_CHARS)
        problem_add(notes, "description_cut", "description", "Shorten the description in the feed.",
                    "The description has more than the %d characters that TikTok takes; its end is "
                    "left out.",
                    DESCRIPTION_CHARS);
    return rc;
}

static const json_t *sent_sku(const json_t *body, const char *seller_sku)
{
    const json_t *list = json_object_get(body, "skus");

    for (size_t i = 0; i < json_array_size(list); i++)
        if (str_eq(jspec_text(json_array_get(list, i), "seller_sku"), seller_sku))
            return json_array_get(list, i);
    return NULL;
}

static void note_codes(const struct map_sku *skus, int n, const json_t *body, json_t *notes)
{
    int said = 0;

    for (int i = 0; i < n && said < LIMIT_CODE_NOTES; i++) {
        const char *gtin = item_text(skus[i].item, "gtin");
        const json_t *sku = sent_sku(body, skus[i].seller_sku);

        if (gtin == NULL || sku == NULL || jspec_text(sku, "identifier_code.code") != NULL)
            continue;
        said++;
        problem_add(
            notes, "gtin_not_sent", "gtin", "Correct the GTIN in the feed.",
            "The GTIN \"%.40s\" of SKU \"%.60s\" has a wrong digit or is there twice; it is "
            "not sent.",
            gtin, skus[i].seller_sku);
    }
}

enum rc map_notes(const json_t *desired, const struct map_sku *skus, int n_skus, const json_t *body,
                  json_t *notes, struct err *e)
{
    enum rc rc = note_title(desired, notes, e);

    if (rc == RC_OK)
        rc = note_description(desired, notes, e);
    if (rc == RC_OK)
        note_codes(skus, n_skus, body, notes);
    return rc;
}
