/* problem.c - says in plain words what is wrong with a product and what to do about it. */
#include "problem.h"

#include <stdarg.h>
#include <string.h>

#include "jspec.h"
#include "own.h"
#include "problem_words.h"
#include "str.h"

#define LIMIT_SENTENCE_BYTES 512

struct known {
    int64_t code;
    const char *word;
    const char *field;
    const char *message; /* NULL: TikTok's own sentence */
    const char *action;
};

static const struct known KNOWN[] = {
    { 12052093, "listing_limit", NULL, "The shop has reached TikTok's limit of listings.",
      "Wait until tomorrow or ask TikTok to raise the limit." },
    { 12052104, "missing_attribute", "product_attributes",
      "TikTok misses an attribute that the category requires.",
      "Add it to the feed or fix it for the category in the taxonomy." },
    { 12052182, "missing_attribute", "product_attributes", NULL,
      "Add the attribute to the feed or fix it for the category in the taxonomy." },
    { 12052105, "certification_required", "certifications",
      "The category requires a certificate that is not there.",
      "Upload the certificate in Seller Center or choose another category." },
    { 12052673, "size_chart_required", "size_chart", "The category requires a size chart.",
      "Add a size chart in Seller Center or choose another category." },
    { 12052128, "size_chart_required", "size_chart", "TikTok does not find the size chart.",
      "Choose an existing size chart in Seller Center." },
    { 12052931, "title_refused", "title", "TikTok does not accept the characters of the title.",
      "Remove symbols and repeated characters from the title in the feed." },
    { 12052051, "title_refused", "title", "The title is too long for TikTok.",
      "Shorten the title in the feed." },
    { 12052262, "title_refused", "title", "The title holds Chinese characters.",
      "Write the title in the language of the market." },
    { 12052932, "description_refused", "description",
      "TikTok does not accept the characters of the description.",
      "Remove symbols and repeated characters from the description in the feed." },
    { 12019006, "description_refused", "description", "TikTok does not accept the description.",
      "Simplify the description in the feed." },
    { 12052345, "description_refused", "description",
      "The description holds markup that TikTok does not accept.",
      "Simplify the description in the feed." },
    { 12019013, "brand_refused", "brand", "TikTok does not accept the brand.",
      "Link the brand to one of TikTok's brands or leave it out." },
    { 12052026, "brand_refused", "brand", "TikTok does not know the brand.",
      "Link the brand to one of TikTok's brands or leave it out." },
    { 12052200, "brand_refused", "brand", "The authorization for the brand has ended.",
      "Renew the brand authorization in Seller Center." },
    { 12052201, "brand_refused", "brand", "The shop may not sell this brand in this category.",
      "Apply in the Qualification Center of Seller Center." },
    { 12052208, "brand_refused", "brand", "TikTok wants a brand authorization for this product.",
      "Apply in the Qualification Center of Seller Center." },
    { 12052220, "category_refused", "category", "TikTok does not allow this category.",
      "Map the category to another one." },
    { 12052223, "category_refused", "category", "The category is restricted for this shop.",
      "Apply in the Qualification Center or map the category to another one." },
    { 12052226, "category_refused", "category", "The category is restricted for this shop.",
      "Apply in the Qualification Center or map the category to another one." },
    { 12052227, "category_refused", "category", "The shop may not list in this category.",
      "Apply in the Qualification Center or map the category to another one." },
    { 12052230, "category_refused", "category", "The category is not a final one.",
      "Map the category to one of its final sub-categories." },
    { 12052023, "category_refused", "category", "TikTok does not know the category any more.",
      "Map the category again." },
    { 12052073, "price_refused", "price", "TikTok does not accept the price.",
      "Check the price and the price rules." },
    { 12052570, "price_refused", "price", "The price is above what TikTok allows.",
      "Check the price and the price rules." },
    { 12052055, "stock_refused", "stock", "TikTok does not accept the stock quantity.",
      "Check the stock rules." },
    { 12052097, "warehouse_refused", "warehouse_id", "The TikTok warehouse does not exist.",
      "Set the warehouse of the client again." },
    { 12052530, "warehouse_refused", "warehouse_id",
      "The TikTok warehouse belongs to another shop.", "Set the warehouse of the client again." },
    { 12052531, "warehouse_refused", "warehouse_id", "The TikTok warehouse is switched off.",
      "Switch the warehouse on in Seller Center or set another one." },
    { 12052535, "shop_not_ready", NULL, "The shop has no return warehouse.",
      "Add the return warehouse in Seller Center." },
    { 12052591, "gtin_refused", "gtin", "The GTIN has a wrong number of digits.",
      "Correct the GTIN in the feed." },
    { 12052592, "gtin_refused", "gtin", "Another SKU uses the same GTIN.",
      "Correct the GTIN in the feed." },
    { 12052181, "package_refused", "package_weight", "The package weight is zero.",
      "Add the shipping weight to the feed or to the client's package rule." },
    { 12019011, "package_refused", "package_weight", "TikTok does not accept the package weight.",
      "Check the shipping weight in the feed." },
    { 12019012, "package_refused", "package_dimensions", "TikTok does not accept the package size.",
      "Check the package size in the feed." },
    { 12052116, "package_refused", "package_dimensions", "TikTok does not accept the package size.",
      "Check the package size in the feed." },
    { 12052301, "image_refused", "images", "A picture is too small for TikTok.",
      "Use pictures of at least 300 by 300 pixels." },
    { 12052996, "external_id_taken", NULL, "TikTok already has a product with this external id.",
      "Delete or unlink the other product in Seller Center." },
    { 12052700, "shop_not_ready", NULL, "The TikTok shop is not active.",
      "Activate the shop in Seller Center." },
    { 12052038, "price_locked", "price", "A promotion keeps the price.",
      "Wait until the promotion ends." },
    { 12019045, "price_locked", "price", "A promotion keeps the price.",
      "Wait until the promotion ends." },
};

static const struct known *known_code(int64_t code)
{
    for (size_t i = 0; i < sizeof(KNOWN) / sizeof(KNOWN[0]); i++)
        if (KNOWN[i].code == code)
            return &KNOWN[i];
    return NULL;
}

/* The same text in Portuguese; what is not ours (TikTok's own sentences) stays as it is. */
static void set_portuguese(json_t *problem, const char *member, const char *english)
{
    OWN_BUF struct buf words;
    char cut[LIMIT_SENTENCE_BYTES];

    buf_init(&words, (size_t)1 << 16);
    str_copy_cut(cut, sizeof(cut), problem_words_pt(english, &words) ? buf_text(&words) : english);
    (void)json_object_set_new(problem, member, json_string(cut));
}

json_t *problem_new(const char *code, const char *field, const char *action, const char *message)
{
    char cut[LIMIT_SENTENCE_BYTES];

    str_copy_cut(cut, sizeof(cut), message);

    json_t *problem = json_pack("{s:s, s:s}", "code", code, "message", cut);

    if (problem == NULL)
        return NULL;
    set_portuguese(problem, "message_pt", message);
    if (field != NULL && field[0] != '\0')
        (void)json_object_set_new(problem, "field", json_string(field));
    if (action != NULL && action[0] != '\0') {
        (void)json_object_set_new(problem, "action", json_string(action));
        set_portuguese(problem, "action_pt", action);
    }
    return problem;
}

void problem_add(json_t *problems, const char *code, const char *field, const char *action,
                 const char *fmt, ...)
{
    char message[LIMIT_SENTENCE_BYTES * 4];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(message, sizeof(message), fmt, args); /* cut anyway */
    va_end(args);
    (void)json_array_append_new(problems, problem_new(code, field, action, message));
}

void problem_add_issues(json_t *problems, const struct tiktok_issues *issues)
{
    for (int i = 0; i < issues->n; i++) {
        const struct tiktok_issue *issue = &issues->list[i];
        const struct known *known = known_code(issue->code);
        json_t *problem;

        if (known != NULL)
            problem = problem_new(known->word, known->field, known->action,
                                  known->message ? known->message : issue->message);
        else
            problem =
                problem_new("refused_by_tiktok", issue->field,
                            "Correct the product as TikTok says; it is sent again then.",
                            issue->message[0] ? issue->message
                                              : "TikTok refused the product without a reason.");
        if (problem != NULL)
            (void)json_object_set_new(problem, "platform_code", json_integer(issue->code));
        (void)json_array_append_new(problems, problem);
    }
}

/* "The [brand_id]:123 field is incorrect and ...": which field TikTok cleared. */
static const struct {
    const char *named, *code, *field, *action;
} CLEARED[] = {
    { "brand", "brand_dropped", "brand", "Link the brand to one of TikTok's brands." },
    { "identifier_code", "gtin_dropped", "gtin", "Correct the GTIN in the feed." },
    { "gtin", "gtin_dropped", "gtin", "Correct the GTIN in the feed." },
    { "attribute", "tiktok_warning", "product_attributes",
      "Add it to the feed or fix it for the category in the taxonomy." },
};

void problem_add_warnings(json_t *problems, const json_t *warnings)
{
    for (size_t i = 0; i < json_array_size(warnings) && i < TIKTOK_ISSUES_MAX; i++) {
        const char *said = jspec_text(json_array_get(warnings, i), "message");
        const char *code = "tiktok_warning";
        const char *field = NULL;
        const char *action = "TikTok cleared this field; correct it and it is sent again.";
        char message[400];
        char lower[400];

        str_copy_cut(message, sizeof(message), said ? said : "");
        str_copy_cut(lower, sizeof(lower), message);
        str_lower_ascii(lower);
        for (size_t k = sizeof(CLEARED) / sizeof(CLEARED[0]); k-- > 0;)
            if (strstr(lower, CLEARED[k].named) != NULL) {
                code = CLEARED[k].code;
                field = CLEARED[k].field;
                action = CLEARED[k].action;
            }
        if (message[0] != '\0')
            problem_add(problems, code, field, action, "%s", message);
    }
}

void problem_summary(const json_t *problems, struct buf *out)
{
    buf_clear(out);
    for (size_t i = 0; i < json_array_size(problems); i++) {
        const char *message = jspec_text(json_array_get(problems, i), "message");

        if (message == NULL)
            continue;
        if (out->len > 0)
            buf_str(out, " ");
        buf_str(out, message);
    }
}
