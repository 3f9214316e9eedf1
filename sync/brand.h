/* brand.h - which TikTok brand a merchant's brand is: known, found, or made. */
#ifndef SYNC_BRAND_H
#define SYNC_BRAND_H

#include "db_account.h"
#include "db_brand.h"
#include "sync.h"
#include "tiktok_product.h"

/* What is to be found out. Texts are borrowed. */
struct brand_ask {
    struct job_ctx *ctx;
    const struct client *client;
    struct tiktok_session *tiktok;
    const char *category_id; /* "" = of no category */
    const char *key, *name;
    bool may_make; /* make a custom brand when TikTok has none and the client's policy says so */
    bool again;    /* ask TikTok however fresh its last answer is */
};

struct brand_found {
    struct brand_row row; /* as stored now */
    bool made;            /* a custom brand was made */
    char why[32];         /* code of what kept one from being made; "" = nothing */
    char why_text[300];
};

/* Reads, asks and stores; one worker at a time for the same brand of a shop. Selectable brands are those that are
 * authorized and available, else unauthorized ones that are not T1 (TikTok guide, section 9.5). */
enum rc brand_find(const struct brand_ask *ask, struct brand_found *out, struct err *e);

/* Whether TikTok takes the name for a custom brand: 2 to 30 characters, no five digits in a row. */
bool brand_name_ok(const char *name);

#endif
