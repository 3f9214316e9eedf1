/* db_grant.h - a seller's grant: its tokens, who may refresh them, the shops that it covers. */
#ifndef DB_GRANT_H
#define DB_GRANT_H

#include "db_account.h"

/* Longest that one token call may take; a claim of a killed process ends after it. */
#define DB_REFRESH_CLAIM_S 45

/* A grant as stored. Texts are owned; free with db_grant_done, which wipes the tokens. */
struct grant {
    char client_id[68];
    char open_id[128];
    char status[24];     /* active, needs_reauthorization, revoked */
    char *access_token;  /* NULL after a wipe */
    char *refresh_token; /* NULL unless asked for */
    int64_t version;     /* grows with each stored pair */
    int64_t obtained_us, expires_us;
    int64_t ends_us; /* end of the authorization: the refresh token's last moment */
    int64_t now_us;  /* database clock when it was read */
};
/* RC_NOT_FOUND when there is none. */
enum rc db_grant_get(struct db_tx *tx, const char *client_id, const char *open_id,
                     bool with_refresh_token, struct grant *out, struct err *e);
void db_grant_done(struct grant *g);
#define OWN_GRANT __attribute__((cleanup(db_grant_done)))

/* A token pair as the platform answered; borrowed texts. */
struct grant_tokens {
    const char *open_id;
    const char *access_token;
    const char *refresh_token;
    int64_t expires_us;
    int64_t ends_us;
    const char *seller_name; /* NULL keeps what is stored */
    const char *region;      /* the same */
    int64_t user_type;
    const json_t *scopes; /* list of texts; NULL keeps what is stored */
};

/* Claims the refresh of a grant under its row lock. RC_OK: the caller must refresh and then store or give
 * up. RC_DUPLICATE: a newer version than `seen` is stored already. RC_BUSY: somebody else is refreshing.
 * RC_DENIED: the grant is not active or has no refresh token. */
enum rc db_grant_claim(struct db_tx *tx, const char *client_id, const char *open_id, int64_t seen,
                       struct err *e);
/* Gives a claim back after a failure that says nothing about the grant. */
enum rc db_grant_unclaim(struct db_tx *tx, const char *client_id, const char *open_id,
                         struct err *e);
/* Stores a refreshed pair, both tokens at once. RC_DUPLICATE when the grant is not active any more or
 * another version was stored meanwhile: nothing was written. */
enum rc db_grant_refreshed(struct db_tx *tx, const char *client_id, int64_t seen,
                           const struct grant_tokens *tokens, struct err *e);
/* Stores the pair of a new authorization, whatever was there before. */
enum rc db_grant_connect(struct db_tx *tx, const char *client_id, const struct grant_tokens *tokens,
                         struct err *e);
/* The seller has to authorize again: the grant and its connected shops say so, their work is paused. version: of the
 * refused pair; RC_DUPLICATE when a newer one is stored: then nothing is done. */
enum rc db_grant_needs_reauthorization(struct db_tx *tx, const char *client_id, const char *open_id,
                                       int64_t version, struct err *e);
/* Disconnects one shop: cipher wiped, work paused; the grant's tokens are wiped too when no other shop of
 * the grant is left. */
enum rc db_shop_disconnect(struct db_tx *tx, const char *client_id, const char *shop_id,
                           struct err *e);
/* Which of the needed scopes the seller did not grant; new list. Empty when TikTok did not say. */
enum rc db_grant_missing_scopes(struct db_tx *tx, const char *client_id, const char *open_id,
                                const char *const *needed, size_t n, json_t **out, struct err *e);
/* Wipes the tokens of a grant unless one of its shops is still in use. */
enum rc db_grant_drop_unused(struct db_tx *tx, const char *client_id, const char *open_id,
                             struct err *e);
/* Whether every deauthorization of the shop came or happened before its current authorization (late or
 * waiting news). One that arrived after it and claims to be older than any honest repeat counts as news. */
enum rc db_shop_deauthorization_is_old(struct db_tx *tx, const char *shop_id, bool *old,
                                       struct err *e);
/* Raw body of the shop's newest event of a topic into *out. RC_NOT_FOUND when none is stored. */
enum rc db_shop_event_body(struct db_tx *tx, const char *shop_id, int topic, struct buf *out,
                           struct err *e);
/* TikTok said when the authorization ends; ends_us 0 = it did not say. */
enum rc db_grant_expiry_notice(struct db_tx *tx, const char *client_id, const char *shop_id,
                               int64_t ends_us, struct err *e);

/* A shop as the platform lists it; borrowed texts. */
struct shop_listed {
    const char *shop_id, *name, *region, *seller_type, *code, *cipher;
};
/* Makes or renews a shop of the grant; its status becomes connected. */
enum rc db_shop_connect(struct db_tx *tx, const char *client_id, const char *open_id,
                        const struct shop_listed *shop, struct err *e);
/* Replaces the cipher of a shop that the client has and that is not disconnected; another shop stays as it is. */
enum rc db_shop_cipher_set(struct db_tx *tx, const char *client_id, const char *shop_id,
                           const char *cipher, struct err *e);
/* Client that has the shop, "" when nobody; needs a transaction of DB_SYSTEM. */
enum rc db_shop_owner(struct db_tx *tx, const char *shop_id, char client_id[68], struct err *e);
/* Opens the shop's cipher; caller frees. RC_NOT_FOUND when it was wiped. */
enum rc db_shop_cipher(struct db_tx *tx, const struct shop *shop, char **cipher, struct err *e);

/* Why a shop's work stands still; shown to people. */
#define PAUSE_REAUTHORIZE "needs_reauthorization"
#define PAUSE_DISCONNECTED "disconnected"
#define PAUSE_INACTIVE "client_inactive"

#endif
