/* shop_better.c - what the simulated TikTok Shop proposes to make listings better: diagnosis, search words, texts, and
 * pictures on a white background. */
#include "state.h"

#include "buf.h"
#include "str.h"

#include <stdio.h>
#include <string.h>

#define TITLE_GOOD_CHARS 40
#define LIMIT_DIAGNOSES 200
#define LIMIT_ASKED 20
#define LIMIT_PICTURES 200
#define TITLE_MAX_CHARS 300
#define DESCRIPTION_MAX_BYTES 9000

/* ---- texts -------------------------------------------------------------------------------------- */

/* Last level of the product's category: what people search for. */
static const char *category_word(const struct sandbox *sb, const char *category_id)
{
    const json_t *category = sbx_category(sb, category_id);
    const char *name = sbx_text(category, "local_name");

    return name[0] != '\0' ? name : "Oferta";
}

static void better_title(const struct sandbox *sb, const char *title, const char *category_id,
                         struct buf *out)
{
    const char *word = category_word(sb, category_id);

    buf_clear(out);
    if (strstr(title, word) != NULL ||
        str_utf8_count(title) + str_utf8_count(word) + 3 > TITLE_MAX_CHARS)
        buf_str(out, title);
    else
        buf_fmt(out, "%s - %s", title, word);
}

static json_t *words_new(const struct sandbox *sb, const char *category_id)
{
    char lower[200];

    str_copy_cut(lower, sizeof lower, category_word(sb, category_id));
    str_lower_ascii(lower);
    return sbx_need(json_pack("[{s:s}, {s:s}]", "text", lower, "text", "frete grátis"));
}

static json_t *text_new(const struct buf *text)
{
    return sbx_need(json_pack("[{s:s}]", "text", buf_text(text)));
}

/* ---- diagnosis ---------------------------------------------------------------------------------- */

static json_t *diagnosis_new(const char *field, const char *code, const char *how)
{
    return sbx_need(json_pack("{s:s, s:[{s:s, s:s}], s:{s:[], s:[], s:[]}}", "field", field,
                              "diagnosis_results", "code", code, "how_to_solve", how, "suggestion",
                              "seo_words", "smart_texts", "images"));
}

/* What is to be said of a product: a short title, fewer than three pictures. */
static json_t *diagnoses_new(const struct sandbox *sb, const json_t *product)
{
    const char *title = sbx_text(product, "title");
    const char *category_id = sbx_text(product, "category_id");
    json_t *out = sbx_need(json_array());
    OWN_BUF struct buf text;

    buf_init(&text, 8192);
    if (str_utf8_count(title) < TITLE_GOOD_CHARS) {
        json_t *one = diagnosis_new("TITLE", "TITLE_LESS_THAN_40_CHARACTERS",
                                    "Names must be at least 40 characters long and say what the "
                                    "product is.");
        json_t *suggestion = json_object_get(one, "suggestion");

        better_title(sb, title, category_id, &text);
        sbx_set(suggestion, "smart_texts", text_new(&text));
        sbx_set(suggestion, "seo_words", words_new(sb, category_id));
        sbx_append(out, one);
    }
    if (json_array_size(json_object_get(product, "main_images")) < 3)
        sbx_append(out, diagnosis_new("MAIN_IMAGE", "IMAGE_FEWER_THAN_3",
                                      "Show the product from at least three sides."));
    return out;
}

/* ---- questions about live products --------------------------------------------------------------- */

/* Products of the comma-joined ids, borrowed; false after sbx_fail. */
static bool asked(struct sbx_call *c, size_t most, json_t **found)
{
    const char *at = sbx_query(c, "product_ids");
    json_t *list = sbx_need(json_array());
    size_t n = 0;

    for (; at != NULL && *at != '\0'; at += *at == ',') {
        size_t len = strcspn(at, ",");
        char id[32] = "";
        json_t *product;

        if (len < sizeof id)
            memcpy(id, at, len);
        product = json_object_get(c->shop->products, id);
        at += len;
        if (++n > most) {
            sbx_fail(c, 12019120, "The number of provided product IDs exceeds the limit.");
        } else if (product == NULL || str_eq(sbx_text(product, "status"), "DELETED")) {
            sbx_fail(c, 12052260, "The product ID does not exist");
        } else {
            sbx_append(list, json_incref(product));
            continue;
        }
        json_decref(list);
        return false;
    }
    *found = list;
    return true;
}

/* Answers {"products": [{"id", member: value}]}. */
static void answer(struct sbx_call *c, size_t most, const char *member,
                   json_t *(*value)(const struct sandbox *, const json_t *))
{
    json_t *found = NULL, *one, *list;
    size_t i;

    if (!asked(c, most, &found))
        return;
    list = sbx_need(json_array());
    json_array_foreach(found, i, one)
    {
        json_t *entry = sbx_need(json_object());

        sbx_set_text(entry, "id", sbx_text(one, "id"));
        sbx_set(entry, member, value(c->sb, one));
        sbx_append(list, entry);
    }
    json_decref(found);
    c->data = sbx_need(json_object());
    sbx_set(c->data, "products", list);
}

void sbx_diagnose_products(struct sbx_call *c)
{
    answer(c, LIMIT_DIAGNOSES, "diagnoses", diagnoses_new);
}

static json_t *seo_of(const struct sandbox *sb, const json_t *product)
{
    return words_new(sb, sbx_text(product, "category_id"));
}

void sbx_seo_words(struct sbx_call *c)
{
    answer(c, LIMIT_ASKED, "seo_words", seo_of);
}

static json_t *suggestions_of(const struct sandbox *sb, const json_t *product)
{
    const char *category_id = sbx_text(product, "category_id");
    const char *description = sbx_text(product, "description");
    json_t *out = sbx_need(json_array());
    OWN_BUF struct buf text;

    buf_init(&text, (size_t)1 << 16);
    better_title(sb, sbx_text(product, "title"), category_id, &text);
    sbx_append(out, sbx_need(json_pack("{s:s, s:o}", "field", "TITLE", "items", text_new(&text))));
    if (strlen(description) < DESCRIPTION_MAX_BYTES) {
        buf_clear(&text);
        buf_fmt(&text, "%s<p>%s: escolha com confiança.</p>", description,
                category_word(sb, category_id));
        sbx_append(out, sbx_need(json_pack("{s:s, s:o}", "field", "DESCRIPTION", "items",
                                           text_new(&text))));
    }
    return out;
}

void sbx_suggestions(struct sbx_call *c)
{
    answer(c, LIMIT_ASKED, "suggestions", suggestions_of);
}

/* ---- a product by its content ------------------------------------------------------------------- */

void sbx_diagnose_optimize(struct sbx_call *c)
{
    const char *product_id = sbx_text(c->body, "product_id");
    size_t i;
    json_t *image;

    if (product_id[0] != '\0' && json_object_get(c->shop->products, product_id) == NULL) {
        sbx_fail(c, 12052260, "The product ID does not exist");
        return;
    }
    if (sbx_category(c->sb, sbx_text(c->body, "category_id")) == NULL) {
        sbx_fail(c, 12052023, "Category does not exist");
        return;
    }
    json_array_foreach(json_object_get(c->body, "main_images"), i, image)
    {
        if (json_object_get(c->sb->images, sbx_text(image, "uri")) == NULL) {
            sbx_fail(c, 12052722, "The image URI does not exist in TikTok Shop.");
            return;
        }
    }
    c->data = sbx_need(json_object());
    sbx_set(c->data, "diagnoses", diagnoses_new(c->sb, c->body));
}

/* ---- pictures ----------------------------------------------------------------------------------- */

/* The picture on a white background is remembered like an uploaded one. */
static json_t *whitened(struct sandbox *sb, const char *uri, const json_t *image)
{
    json_t *better = sbx_need(json_deep_copy(image));
    json_t *out = sbx_need(json_object());
    char made[160], url[256];

    (void)snprintf(made, sizeof made, "%.120s-white", uri);
    (void)snprintf(url, sizeof url, "https://p16-sandbox.ibyteimg.example/%s", made);
    sbx_set_text(out, "original_uri", uri);
    sbx_set_text(out, "original_url", sbx_text(image, "url"));
    sbx_set_text(out, "optimized_uri", made);
    sbx_set_text(out, "optimized_url", url);
    sbx_set_text(out, "optimize_status", "SUCCESS");
    sbx_set_int(out, "width", sbx_int(image, "width"));
    sbx_set_int(out, "height", sbx_int(image, "height"));
    sbx_set_text(better, "url", url);
    sbx_set(sb->images, made, better);
    return out;
}

void sbx_optimize_images(struct sbx_call *c)
{
    const json_t *images = json_object_get(c->body, "images");
    json_t *list, *one;
    size_t i;

    if (json_array_size(images) == 0 || json_array_size(images) > LIMIT_PICTURES) {
        sbx_fail(c, 12038007, "The number of image URIs exceeded the limit of 200.");
        return;
    }
    json_array_foreach(images, i, one)
    {
        if (json_object_get(c->sb->images, sbx_text(one, "uri")) == NULL) {
            sbx_fail(c, 12052722, "The image URI does not exist in TikTok Shop.");
            return;
        }
        if (json_array_size(json_object_get(one, "optimization_mode")) == 0) {
            sbx_fail(c, 12019070, "The optimization mode is invalid.");
            return;
        }
    }
    list = sbx_need(json_array());
    json_array_foreach(images, i, one)
    {
        const char *uri = sbx_text(one, "uri");
        json_t *image = json_incref(json_object_get(c->sb->images, uri));

        sbx_append(list, whitened(c->sb, uri, image));
        json_decref(image);
    }
    c->data = sbx_need(json_object());
    sbx_set(c->data, "images", list);
}
