/* tiktok_better.h - what TikTok Shop proposes to make listings better: diagnosis, search words, texts, pictures. */
#ifndef TIKTOK_BETTER_H
#define TIKTOK_BETTER_H

#include "platform.h"
#include "tiktok_product.h"

#define TIKTOK_BETTER_PRODUCTS 20 /* ids in one call; the strictest of the operations */

/* What is asked about live products; each answers `data.products`. */
enum tiktok_better {
    TIKTOK_DIAGNOSIS,   /* [{"id", "diagnoses": [{"field", "diagnosis_results", "suggestion"}]}] */
    TIKTOK_SEO_WORDS,   /* [{"id", "seo_words": [{"text"}]}] */
    TIKTOK_SUGGESTIONS, /* [{"id", "suggestions": [{"field", "items": [{"text"}]}]}] */
    TIKTOK_BETTER_COUNT
};
/* Name of the operation, and the scope that it needs. Static. */
const char *tiktok_better_operation(enum tiktok_better what);
const char *tiktok_better_scope(enum tiktok_better what);
/* Asks about up to TIKTOK_BETTER_PRODUCTS live products. *products: new reference to the list, never NULL with RC_OK.
 * Blocks; a read: any failure but RC_INVALID and RC_DENIED may pass. */
enum rc tiktok_better_ask(struct tiktok_session *s, enum tiktok_better what,
                          const char *const *product_ids, size_t n, json_t **products,
                          char request_id[TIKTOK_REQUEST_ID_BYTES], struct err *e);

#define TIKTOK_DIAGNOSE_OPERATION "diagnose_and_optimize_product"
#define TIKTOK_OPTIMIZE_OPERATION "optimized_images"
#define TIKTOK_SCOPE_OPTIMIZE "serller.product.optimize" /* misspelt in the platform too */
#define TIKTOK_SCOPE_BASIC "seller.product.basic"
/* Diagnosis of a product that is not live, by its content: category_id, title, description, main_images, ... as in
 * create_product. *diagnoses: new reference to the list, as above. */
enum rc tiktok_diagnose(struct tiktok_session *s, const json_t *body, const char *entity,
                        json_t **diagnoses, char request_id[TIKTOK_REQUEST_ID_BYTES],
                        struct err *e);
/* White-background versions of uploaded pictures: [{"original_uri", "original_url", "optimized_uri", "optimized_url",
 * "optimize_status", "width", "height"}]. The picture in the listing stays as it is. */
enum rc tiktok_optimize_images(struct tiktok_session *s, const char *const *uris, size_t n,
                               json_t **images, char request_id[TIKTOK_REQUEST_ID_BYTES],
                               struct err *e);

#endif
