/* token.h - the one way to refresh a grant's tokens. */
#ifndef TOKEN_H
#define TOKEN_H

#include "db_grant.h"
#include "sync.h"

/* Refreshes unless a version newer than `seen` is stored already; one at a time over all replicas: others
 * wait for it a few seconds. needed: the access token does not work any more; else a refusal is RC_BUSY. RC_OK: a newer version is stored. RC_BUSY: somebody is still at it. RC_DENIED:
 * the seller has to authorize again; the shops say so. Blocks; no transaction is open during the call. */
enum rc token_refresh(struct job_ctx *ctx, const char *client_id, const char *open_id, int64_t seen,
                      bool needed, struct err *e);

/* When a pair should be refreshed: at 75 to 80 % of its life, spread so that grants made together part. */
int64_t token_refresh_at_us(int64_t obtained_us, int64_t expires_us);

/* Puts the job that refreshes a grant in time. */
enum rc token_refresh_put(struct db_tx *tx, const char *client_id, const char *open_id,
                          int64_t delay_us, struct err *e);

/* The token endpoint, recorded like every other call. */
struct tiktok_tokens;
enum rc token_call(struct job_ctx *ctx, bool refresh, const char *code_or_token,
                   struct tiktok_tokens *out, struct err *e);

#endif
