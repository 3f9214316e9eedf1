/* test_product_review.c - every state of TikTok's review in our words, with its reasons. */
#include "check.h"

#include "../../sync/product_review.h"
#include "jspec.h"
#include "str.h"

static const struct {
    const char *product, *status_notice, *audit_notice;
    const char *status;
    bool wait;
    const char *codes; /* of the problems, joined */
    const char *words; /* in the first message; NULL = no matter */
} ROWS[] = {
    { "{\"status\":\"PENDING\",\"audit\":{\"status\":\"AUDITING\"}}", NULL, NULL, "in_review", true,
      "", NULL },
    { "{\"status\":\"PENDING\"}", NULL, NULL, "in_review", true, "", NULL },
    { "{\"status\":\"A_STATE_OF_TOMORROW\"}", NULL, NULL, "in_review", true, "", NULL },
    { "{\"status\":\"ACTIVATE\",\"audit\":{\"status\":\"APPROVED\"}}", NULL, NULL, "live", false,
      "", NULL },
    { "{\"status\":\"ACTIVATE\",\"audit\":{\"status\":\"NONE\"}}", NULL, NULL, "live", false, "",
      NULL },
    { "{\"status\":\"ACTIVATE\",\"audit\":{\"status\":\"AUDITING\"}}", NULL, NULL, "live", true, "",
      NULL },
    /* an edit was refused: the earlier version stays on sale */
    { "{\"status\":\"ACTIVATE\",\"audit\":{\"status\":\"FAILED\"},\"audit_failed_reasons\":"
      "[{\"position\":\"Title\",\"reasons\":[\"Palavra proibida\"],\"suggestions\":[\"Tire-a\"]}]}",
      NULL, NULL, "live", false, "review_refused", "earlier version stays on sale: Palavra" },
    { "{\"status\":\"FAILED\",\"audit\":{\"status\":\"FAILED\"},\"audit_failed_reasons\":"
      "[{\"position\":\"Image\",\"reasons\":[\"a\",\"b\"],\"suggestions\":[]},"
      "{\"position\":\"Title\",\"reasons\":[],\"suggestions\":[\"c\"]}]}",
      NULL, NULL, "rejected", false, "review_refused review_refused", "refused the product: a b" },
    { "{\"status\":\"FAILED\"}", NULL, NULL, "rejected", false, "review_refused",
      "without a reason" },
    { "{\"status\":\"SELLER_DEACTIVATED\"}", NULL, NULL, "deactivated", false, "", NULL },
    { "{\"status\":\"PLATFORM_DEACTIVATED\"}", NULL, NULL, "deactivated", false,
      "deactivated_by_tiktok", "took the product off sale." },
    { "{\"status\":\"PLATFORM_DEACTIVATED\"}", "{\"suspended_reason\":\"Marca sem licença\"}", NULL,
      "deactivated", false, "deactivated_by_tiktok", "reason: Marca sem licença" },
    { "{\"status\":\"FREEZE\"}", "{\"suspended_reason\":\"Falsificado\"}", NULL, "held", false,
      "frozen_by_tiktok", "froze the product. TikTok's reason: Falsificado" },
    { "{\"status\":\"FREEZE\"}", "{\"suspended_reason\":\"\"}", NULL, "held", false,
      "frozen_by_tiktok", "froze the product." },
    { "{\"status\":\"DELETED\"}", "{\"suspended_reason\":\"Violação\"}", NULL, "deleted", false,
      "deleted_on_tiktok", "Violação" },
    { NULL, NULL, NULL, "deleted", false, "deleted_on_tiktok", "is deleted" },
    { "{\"status\":\"DRAFT\"}", NULL, NULL, "held", false, "draft_on_tiktok", "draft" },
    /* passed, but blocked: by what stands in the product, or in the notification, as a list or as one text */
    { "{\"status\":\"PENDING\",\"audit\":{\"status\":\"PRE_APPROVED\",\"pre_approved_reasons\":"
      "[\"KYC_PENDING\",\"RESTRICTED_CATEGORY_PENDING\"]}}",
      NULL, NULL, "in_review", true, "review_waits review_waits", "identity check" },
    { "{\"status\":\"PENDING\",\"audit\":{\"status\":\"PRE_APPROVED\"}}", NULL,
      "{\"audit\":{\"pre_approved_reasons\":[\"RESTRICTED_CATEGORY_PENDING\"]}}", "in_review", true,
      "review_waits", "restricted category" },
    { "{\"status\":\"PENDING\",\"audit\":{\"status\":\"PRE_APPROVED\"}}", NULL,
      "{\"audit\":{\"pre_approved_reason\":\"KYC_PENDING\"}}", "in_review", true, "review_waits",
      "identity check" },
    { "{\"status\":\"PENDING\",\"audit\":{\"status\":\"PRE_APPROVED\",\"pre_approved_reasons\":"
      "[\"SOMETHING_NEW\"]}}",
      NULL, NULL, "in_review", true, "review_waits", "SOMETHING_NEW" },
    { "{\"status\":\"PENDING\",\"audit\":{\"status\":\"PRE_APPROVED\"}}", NULL, NULL, "in_review",
      true, "review_waits", "not listed yet" },
};

static void states(void)
{
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        json_auto_t *product = ROWS[i].product ? json_loads(ROWS[i].product, 0, NULL) : NULL;
        json_auto_t *status =
            ROWS[i].status_notice ? json_loads(ROWS[i].status_notice, 0, NULL) : NULL;
        json_auto_t *audit =
            ROWS[i].audit_notice ? json_loads(ROWS[i].audit_notice, 0, NULL) : NULL;
        const struct review_hints hints = { status, audit };
        struct review r;
        char codes[256] = "";

        CHECK((product == NULL) == (ROWS[i].product == NULL), "row %d", (int)i);
        review_read(product, &hints, &r);
        for (size_t k = 0; k < json_array_size(r.problems); k++) {
            const json_t *one = json_array_get(r.problems, k);
            size_t len = strlen(codes);

            (void)snprintf(codes + len, sizeof(codes) - len, "%s%s", k ? " " : "",
                           jspec_text(one, "code"));
            CHECK(!str_eq(jspec_text(one, "message"), jspec_text(one, "message_pt")), "%s",
                  jspec_text(one, "message"));
        }
        CHECK_STR(r.status, ROWS[i].status);
        CHECK(r.wait == ROWS[i].wait, "row %d", (int)i);
        CHECK(strcmp(codes, ROWS[i].codes) == 0, "row %d: %s", (int)i, codes);
        if (ROWS[i].words != NULL) {
            const char *said = jspec_text(json_array_get(r.problems, 0), "message");

            CHECK(said != NULL && strstr(said, ROWS[i].words) != NULL, "row %d: %s", (int)i,
                  said ? said : "");
        }
        json_decref(r.problems);
    }
}

static void each_side_keeps_its_own(void)
{
    json_auto_t *old =
        json_pack("[{s:s}, {s:s}, {s:s}, {s:s}]", "code", "invalid_sale_price", "code",
                  "review_refused", "code", "brand_dropped", "code", "missing_attribute");
    static const enum problem_side SIDE[] = { PROBLEM_FEED, PROBLEM_REVIEW, PROBLEM_CLEARED,
                                              PROBLEM_OTHER };

    for (size_t i = 0; i < 4; i++) {
        json_auto_t *kept = json_array();

        review_problems_keep(old, SIDE[i], kept);
        CHECK_INT(json_array_size(kept), 1);
        CHECK(json_array_get(kept, 0) == json_array_get(old, i));
    }
}

int main(void)
{
    CASE(states);
    CASE(each_side_keeps_its_own);
    return CHECK_END();
}
