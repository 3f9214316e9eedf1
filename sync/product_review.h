/* product_review.h - TikTok's state of a product in our words; pure. */
#ifndef SYNC_PRODUCT_REVIEW_H
#define SYNC_PRODUCT_REVIEW_H

#include <jansson.h>
#include <stdbool.h>

/* What notifications said that get_product does not say. NULL = nothing. */
struct review_hints {
    const json_t *status; /* data of topic 5: suspended_reason */
    const json_t *audit;  /* data of topic 37: pre_approved_reasons, or pre_approved_reason */
};
struct review {
    const char *status; /* ours; static */
    char tiktok_status[32];
    char audit_status[32];
    bool wait; /* the review goes on */
    json_t
        *problems; /* owned by the caller, never NULL: what TikTok says against the product now */
};

/* product: data of get_product; NULL: TikTok does not have it any more. */
void review_read(const json_t *product, const struct review_hints *hints, struct review *out);

/* Problems by where they come from, so that each side replaces its own and leaves the others. */
enum problem_side {
    PROBLEM_FEED,    /* the reading of the feed */
    PROBLEM_REVIEW,  /* TikTok's review and state */
    PROBLEM_CLEARED, /* TikTok took the product and cleared a field */
    PROBLEM_OTHER,   /* publishing */
};
enum problem_side review_problem_side(const char *code);
/* Codes of one side, at most PROBLEM_CODES_MAX. */
#define PROBLEM_CODES_MAX 32
size_t review_problem_codes(enum problem_side side, const char *out[PROBLEM_CODES_MAX]);
/* Adds those of `old` that are of the side and not there yet. */
void review_problems_keep(const json_t *old, enum problem_side side, json_t *into);

#endif
