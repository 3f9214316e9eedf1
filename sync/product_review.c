/* product_review.c - the table of TikTok's product states and what each of them means for the merchant. */
#include "product_review.h"

#include <string.h>

#include "jspec.h"
#include "problem.h"
#include "str.h"

#define REASON_BYTES 480

static void put_reason(const char *one, char out[REASON_BYTES])
{
    char both[REASON_BYTES * 2];

    if (str_blank(one))
        return;
    (void)str_fmt(both, sizeof(both), "%s%s%.*s", out, out[0] ? " " : "", REASON_BYTES - 1, one);
    str_copy_cut(out, REASON_BYTES, both);
}

static void join(const json_t *list, char out[REASON_BYTES])
{
    out[0] = '\0';
    for (size_t i = 0; i < json_array_size(list); i++)
        put_reason(json_string_value(json_array_get(list, i)), out);
}

/* TikTok's reasons by position. live: an earlier version stays on sale. */
static void failed_reasons(const json_t *product, bool live, json_t *problems)
{
    const json_t *list = jspec_get(product, "audit_failed_reasons");
    size_t before = json_array_size(problems);

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        char reasons[REASON_BYTES];
        char advice[REASON_BYTES];

        join(json_object_get(one, "reasons"), reasons);
        join(json_object_get(one, "suggestions"), advice);
        if (reasons[0] == '\0')
            str_copy_cut(reasons, sizeof(reasons), "no reason given.");
        if (live)
            problem_add(problems, "review_refused", jspec_text(one, "position"),
                        advice[0] ? advice
                                  : "Correct the product in the feed; it is sent again then.",
                        "TikTok's review refused the change; the earlier version stays on sale: %s",
                        reasons);
        else
            problem_add(problems, "review_refused", jspec_text(one, "position"),
                        advice[0] ? advice
                                  : "Correct the product in the feed; it is sent again then.",
                        "TikTok's review refused the product: %s", reasons);
    }
    if (json_array_size(problems) == before)
        problem_add(problems, "review_refused", NULL,
                    "Look at the product in Seller Center, correct it in the feed.",
                    "TikTok's review refused the product without a reason.");
}

static const struct {
    const char *reason, *words;
} WAITS_FOR[] = {
    { "KYC_PENDING", "TikTok's identity check of the seller (KYC) is not finished." },
    { "RESTRICTED_CATEGORY_PENDING", "The approval for the restricted category is not there yet." },
};

static void waits_for(const char *reason, json_t *problems)
{
    const char *words = reason;

    for (size_t i = 0; i < sizeof(WAITS_FOR) / sizeof(WAITS_FOR[0]); i++)
        if (str_eq(WAITS_FOR[i].reason, reason))
            words = WAITS_FOR[i].words;
    problem_add(problems, "review_waits", reason,
                "Complete the shop's verification in Seller Center.",
                "The product passed the review but is not listed yet. %s", words ? words : "");
}

/* Reasons stand in get_product in some markets, in the notification in all; there as a list or as one text. */
static void pre_approved(const json_t *product, const json_t *notified, json_t *problems)
{
    const json_t *list = jspec_get(product, "audit.pre_approved_reasons");
    const char *single = jspec_text(notified, "audit.pre_approved_reason");

    if (json_array_size(list) == 0)
        list = jspec_get(notified, "audit.pre_approved_reasons");
    for (size_t i = 0; i < json_array_size(list); i++)
        waits_for(json_string_value(json_array_get(list, i)), problems);
    if (json_array_size(list) == 0)
        waits_for(single, problems);
}

/* States that need a word: code, action, sentence with and without TikTok's reason. */
static const struct state {
    const char *tiktok, *ours, *code, *action, *sentence;
} STATES[] = {
    { "SELLER_DEACTIVATED", "deactivated", NULL, NULL, NULL },
    { "PLATFORM_DEACTIVATED", "deactivated", "deactivated_by_tiktok",
      "Look at the product in Seller Center.", "TikTok took the product off sale." },
    { "FREEZE", "held", "frozen_by_tiktok", "Appeal in Seller Center.",
      "TikTok froze the product." },
    { "DELETED", "deleted", "deleted_on_tiktok",
      "Recover the product in Seller Center if it should be on sale.",
      "The product is deleted on TikTok." },
    { "DRAFT", "held", "draft_on_tiktok", "Publish the draft in Seller Center.",
      "The product is a draft on TikTok." },
};

static void say_state(const struct state *state, const json_t *notified, json_t *problems)
{
    const char *reason = jspec_text(notified, "suspended_reason");

    if (state->code == NULL)
        return;
    if (str_blank(reason))
        problem_add(problems, state->code, "status", state->action, "%s", state->sentence);
    else
        problem_add(problems, state->code, "status", state->action, "%s TikTok's reason: %s",
                    state->sentence, reason);
}

static void on_sale(const json_t *product, struct review *r)
{
    r->status = "live";
    r->wait = strcmp(r->audit_status, "AUDITING") == 0;
    if (strcmp(r->audit_status, "FAILED") == 0)
        failed_reasons(product, true, r->problems);
}

void review_read(const json_t *product, const struct review_hints *hints, struct review *out)
{
    struct review r = { .status = "in_review", .problems = json_array() };
    const char *status = product != NULL ? jspec_text(product, "status") : "DELETED";
    const char *audit = jspec_text(product, "audit.status");

    str_copy_cut(r.tiktok_status, sizeof(r.tiktok_status), status ? status : "");
    str_copy_cut(r.audit_status, sizeof(r.audit_status), audit ? audit : "");
    for (size_t i = 0; i < sizeof(STATES) / sizeof(STATES[0]); i++)
        if (str_eq(STATES[i].tiktok, status)) {
            r.status = STATES[i].ours;
            say_state(&STATES[i], hints->status, r.problems);
            *out = r;
            return;
        }
    if (str_eq(status, "ACTIVATE")) {
        on_sale(product, &r);
    } else if (str_eq(status, "FAILED")) {
        r.status = "rejected";
        failed_reasons(product, false, r.problems);
    } else {
        r.wait = true;
        if (str_eq(audit, "PRE_APPROVED"))
            pre_approved(product, hints->audit, r.problems);
    }
    *out = r;
}

/* ---- whose problem it is --------------------------------------------------------------------------------------- */

static const struct {
    const char *code;
    enum problem_side side;
} SIDES[] = {
    { "invalid_price", PROBLEM_FEED },           { "invalid_sale_price", PROBLEM_FEED },
    { "invalid_sale_date", PROBLEM_FEED },       { "invalid_weight", PROBLEM_FEED },
    { "invalid_sku_id", PROBLEM_FEED },          { "missing_image", PROBLEM_FEED },
    { "missing_title", PROBLEM_FEED },           { "missing_price", PROBLEM_FEED },
    { "duplicate_sku", PROBLEM_FEED },           { "too_many_variants", PROBLEM_FEED },
    { "review_refused", PROBLEM_REVIEW },        { "review_waits", PROBLEM_REVIEW },
    { "deactivated_by_tiktok", PROBLEM_REVIEW }, { "frozen_by_tiktok", PROBLEM_REVIEW },
    { "deleted_on_tiktok", PROBLEM_REVIEW },     { "draft_on_tiktok", PROBLEM_REVIEW },
    { "changed_on_tiktok", PROBLEM_REVIEW },     { "brand_dropped", PROBLEM_CLEARED },
    { "gtin_dropped", PROBLEM_CLEARED },         { "tiktok_warning", PROBLEM_CLEARED },
};

enum problem_side review_problem_side(const char *code)
{
    for (size_t i = 0; i < sizeof(SIDES) / sizeof(SIDES[0]); i++)
        if (str_eq(SIDES[i].code, code))
            return SIDES[i].side;
    return PROBLEM_OTHER;
}

size_t review_problem_codes(enum problem_side side, const char *out[PROBLEM_CODES_MAX])
{
    size_t n = 0;

    for (size_t i = 0; i < sizeof(SIDES) / sizeof(SIDES[0]) && n < PROBLEM_CODES_MAX; i++)
        if (SIDES[i].side == side)
            out[n++] = SIDES[i].code;
    return n;
}

static bool has(const json_t *list, const json_t *one)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_equal(json_array_get(list, i), one))
            return true;
    return false;
}

void review_problems_keep(const json_t *old, enum problem_side side, json_t *into)
{
    for (size_t i = 0; i < json_array_size(old); i++) {
        json_t *one = json_array_get(old, i);

        if (review_problem_side(jspec_text(one, "code")) == side && !has(into, one))
            (void)json_array_append(into, one); /* lost to a lack of memory: not replaced */
    }
}
