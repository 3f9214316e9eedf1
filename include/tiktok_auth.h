/* tiktok_auth.h - TikTok's answers about authorizations: token pairs and the shops that they cover. */
#ifndef TIKTOK_AUTH_H
#define TIKTOK_AUTH_H

#include "platform.h"

#define TIKTOK_SHOPS_MAX 32

/* What the token endpoint gives. Texts are owned; tiktok_tokens_done wipes them. Times are moments. */
struct tiktok_tokens {
    char open_id[128];
    char *access_token;
    char *refresh_token;
    int64_t access_expires_us;
    int64_t refresh_expires_us;
    int64_t user_type; /* 0 = seller; -1 when TikTok did not say */
    char seller_name[256];
    char region[8];
    json_t *scopes; /* list of texts; NULL when TikTok did not say */
};
/* Asks the token endpoint: a new authorization's code, or (refresh) a refresh token. Outcomes as
 * tiktok_token_call; RC_BUG (code "tiktok_answer") when an accepted answer lacks a member. Blocks. */
enum rc tiktok_tokens_get(struct platform *p, bool refresh, const char *code_or_token,
                          struct tiktok_tokens *out, struct err *e);
void tiktok_tokens_done(struct tiktok_tokens *t);
#define OWN_TOKENS __attribute__((cleanup(tiktok_tokens_done)))

struct tiktok_shop {
    char id[64];
    char name[256];
    char region[8];
    char seller_type[32];
    char code[64];
    char cipher[512];
};
struct tiktok_shops {
    int n;
    struct tiktok_shop shops[TIKTOK_SHOPS_MAX];
};
/* Get Authorized Shops: the shops that the session's token covers; sent without a cipher. */
enum rc tiktok_authorized_shops(struct tiktok_session *s, struct tiktok_shops *out, struct err *e);

#endif
