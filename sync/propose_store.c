/* propose_store.c - turns TikTok's answers about one product into proposals beside today's text or picture. */
#include "propose_job.h"

#include <string.h>

#include "db_proposal.h"
#include "jspec.h"
#include "map_product.h"
#include "map_text.h"
#include "str.h"

#define LIMIT_TEXTS 3 /* proposals of one field in one answer */
#define LIMIT_SEO_WORDS 30
#define REASON_BYTES 1024
#define TEXT_BYTES ((size_t)1 << 17)

struct store {
    struct db_tx *tx;
    const struct run *run;
    const struct propose_item *it;
    enum propose_kind kind;                /* whose answer is being read */
    json_t *title, *description, *picture; /* today's; owned */
    int64_t added;
};

static void store_done(struct store *s)
{
    json_decref(s->title);
    json_decref(s->description);
    json_decref(s->picture);
}
#define OWN_STORE __attribute__((cleanup(store_done)))

/* ---- today -------------------------------------------------------------------------------------- */

static enum rc text_today(const struct product *p, const char *member,
                          enum rc (*mapped)(const json_t *, struct buf *, struct err *),
                          json_t **out, struct err *e)
{
    OWN_BUF struct buf text;
    const char *published = jspec_text(p->published, member);
    enum rc rc = RC_OK;

    buf_init(&text, TEXT_BYTES);
    if (published == NULL)
        rc = mapped(p->desired, &text, e);
    if (rc == RC_OK)
        *out = json_string(published != NULL ? published : buf_text(&text));
    return rc == RC_OK && *out == NULL ? err_set(e, RC_DOWN, "out of memory for a text") : rc;
}

static enum rc today(struct store *s, struct err *e)
{
    const struct product *p = &s->it->product;
    const json_t *answer = s->it->answers[PROPOSE_PICTURE];
    const char *uri =
        jspec_text(json_array_get(json_object_get(p->published, "main_images"), 0), "uri");
    enum rc rc = text_today(p, "title", map_title, &s->title, e);

    if (rc == RC_OK)
        rc = text_today(p, "description", map_description, &s->description, e);
    if (rc == RC_OK && uri != NULL)
        s->picture =
            json_pack("{s:s, s:s?}", "uri", uri, "url", jspec_text(answer, "original_url"));
    return rc;
}

static const json_t *current_of(const struct store *s, const char *field)
{
    return strcmp(field, "title") == 0         ? s->title
           : strcmp(field, "description") == 0 ? s->description
           : strcmp(field, "images") == 0      ? s->picture
                                               : NULL;
}

/* ---- one proposal ------------------------------------------------------------------------------- */

static enum rc add(struct store *s, const char *field, const json_t *proposed, const char *reason,
                   const json_t *problem, struct err *e)
{
    const struct propose_item *it = s->it;
    const struct proposal_new p = {
        .client_id = it->product.client_id,
        .shop_id = it->product.shop_id,
        .source_id = it->product.source_id,
        .field = field,
        .kind = PROPOSE_NAMES[s->kind],
        .operation = it->operations[s->kind],
        .current = current_of(s, field),
        .proposed = proposed,
        .problem = problem,
        .reason = reason,
        .run_id = s->run->id,
        .request_id = it->request_ids[s->kind],
        .asked_by = s->run->requested_by,
    };

    s->added++;
    return db_proposal_add(s->tx, &p, e);
}

/* Our field for one of TikTok's. */
static const char *field_of(const char *theirs)
{
    if (theirs == NULL)
        return "listing";
    return str_ieq(theirs, "TITLE")          ? "title"
           : str_ieq(theirs, "DESCRIPTION")  ? "description"
           : strstr(theirs, "IMAGE") != NULL ? "images"
                                             : "listing";
}

/* A text as it would be sent; nothing when that says what is there already. */
static enum rc add_text(struct store *s, const char *field, const char *text, const char *reason,
                        struct err *e)
{
    OWN_BUF struct buf clean;
    json_auto_t *proposed = NULL;
    bool title = strcmp(field, "title") == 0;
    enum rc rc;

    buf_init(&clean, TEXT_BYTES);
    rc = title ? map_text_plain(text, TITLE_CHARS_BR, &clean, e)
               : map_text_html(text, DESCRIPTION_CHARS, &clean, e);
    if (rc != RC_OK)
        return rc;
    proposed = json_string(buf_text(&clean));
    if (clean.len == 0 || json_equal(proposed, current_of(s, field)))
        return RC_OK;
    return add(s, field, proposed, reason, NULL, e);
}

/* [{"text"}] of one field; *n counts what was worth showing. */
static enum rc add_texts(struct store *s, const char *field, const json_t *items,
                         const char *reason, struct err *e)
{
    enum rc rc = RC_OK;

    if (strcmp(field, "title") != 0 && strcmp(field, "description") != 0)
        return RC_OK;
    for (size_t i = 0; rc == RC_OK && i < json_array_size(items) && i < LIMIT_TEXTS; i++) {
        const char *text = jspec_text(json_array_get(items, i), "text");

        if (!str_blank(text))
            rc = add_text(s, field, text, reason, e);
    }
    return rc;
}

static enum rc add_words(struct store *s, const json_t *items, const char *reason, struct err *e)
{
    json_auto_t *words = json_array();

    for (size_t i = 0; i < json_array_size(items) && i < LIMIT_SEO_WORDS; i++) {
        const char *text = jspec_text(json_array_get(items, i), "text");

        if (!str_blank(text) && json_array_append_new(words, json_string(text)) != 0)
            return err_set(e, RC_DOWN, "out of memory for search words");
    }
    return json_array_size(words) > 0 ? add(s, "title", words, reason, NULL, e) : RC_OK;
}

/* A better version of today's first picture. uri, url: members of the answer. */
static enum rc add_picture(struct store *s, const json_t *image, const char *uri, const char *url,
                           const char *original, const char *reason, struct err *e)
{
    const char *better = jspec_text(image, uri);
    json_auto_t *proposed =
        json_pack("{s:s?, s:s?, s:I, s:I}", "uri", better, "url", jspec_text(image, url), "width",
                  (json_int_t)jspec_int(image, "width", 0), "height",
                  (json_int_t)jspec_int(image, "height", 0));

    if (str_blank(better) || s->picture == NULL || str_eq(better, jspec_text(s->picture, "uri")) ||
        !str_eq(jspec_text(image, original), jspec_text(s->picture, "uri")))
        return RC_OK;
    return proposed == NULL ? err_set(e, RC_DOWN, "out of memory for a picture")
                            : add(s, "images", proposed, reason, NULL, e);
}

/* ---- the answers -------------------------------------------------------------------------------- */

/* "CODE: what to do" of all results. */
static void reason_of(const json_t *results, char out[REASON_BYTES])
{
    OWN_BUF struct buf words;

    buf_init(&words, REASON_BYTES * 8);
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *one = json_array_get(results, i);
        const char *code = jspec_text(one, "code");
        const char *how = jspec_text(one, "how_to_solve");

        buf_fmt(&words, "%s%s%s%s", i > 0 ? "\n" : "", code ? code : "", code && how ? ": " : "",
                how ? how : "");
    }
    str_copy_cut(out, REASON_BYTES, buf_check(&words, NULL) == RC_OK ? buf_text(&words) : "");
}

static enum rc one_diagnosis(struct store *s, const json_t *d, struct err *e)
{
    const char *field = field_of(jspec_text(d, "field"));
    const json_t *suggestion = json_object_get(d, "suggestion");
    const json_t *images = json_object_get(suggestion, "images");
    int64_t before = s->added;
    char reason[REASON_BYTES];
    enum rc rc;

    reason_of(json_object_get(d, "diagnosis_results"), reason);
    rc = add_texts(s, field, json_object_get(suggestion, "smart_texts"), reason, e);
    for (size_t i = 0; rc == RC_OK && i < json_array_size(images); i++)
        rc = add_picture(s, json_array_get(images, i), "optimized_uri", "optimized_url", "uri",
                         reason, e);
    if (rc == RC_OK)
        rc = add_words(s, json_object_get(suggestion, "seo_words"), reason, e);
    if (rc == RC_OK && s->added == before && reason[0] != '\0') /* advice only */
        rc = add(s, field, NULL, reason, NULL, e);
    return rc;
}

static enum rc answer(struct store *s, const json_t *a, struct err *e)
{
    const json_t *list = s->kind == PROPOSE_TEXTS ? json_object_get(a, "suggestions") : a;
    enum rc rc = RC_OK;

    if (s->kind == PROPOSE_SEO_WORDS)
        return add_words(s, json_object_get(a, "seo_words"),
                         "Words that people search for on TikTok.", e);
    if (s->kind == PROPOSE_PICTURE)
        return add_picture(s, a, "optimized_uri", "optimized_url", "original_uri",
                           "The first picture on a white background.", e);
    for (size_t i = 0; rc == RC_OK && i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);

        rc = s->kind == PROPOSE_DIAGNOSIS
                 ? one_diagnosis(s, one, e)
                 : add_texts(s, field_of(jspec_text(one, "field")), json_object_get(one, "items"),
                             "TikTok recommends this text.", e);
    }
    return rc;
}

static enum rc line(struct store *s, struct err *e)
{
    char count[32];
    const struct run_change c = { .client_id = s->it->product.client_id,
                                  .run_id = s->run->id,
                                  .source_id = s->it->product.source_id,
                                  .field = "proposals",
                                  .new_value = count,
                                  .action = "propose",
                                  .outcome = "proposed" };

    (void)str_fmt(count, sizeof count, "%lld", (long long)s->added);
    return db_run_change_add(s->tx, &c, e);
}

enum rc propose_store(struct db_tx *tx, const struct run *run, const struct propose_item *it,
                      struct err *e)
{
    OWN_STORE struct store s = { .tx = tx, .run = run, .it = it };
    enum rc rc = db_proposals_outdate(tx, it->product.shop_id, it->product.source_id, NULL, 0, e);

    if (rc == RC_OK)
        rc = today(&s, e);
    for (int k = 0; rc == RC_OK && k < PROPOSE_KINDS; k++) {
        s.kind = (enum propose_kind)k;
        if (it->problems[k] != NULL)
            rc = add(&s, "listing", NULL, NULL, it->problems[k], e);
        else if (it->answers[k] != NULL)
            rc = answer(&s, it->answers[k], e);
    }
    return rc == RC_OK ? line(&s, e) : rc;
}
