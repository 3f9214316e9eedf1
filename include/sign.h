/* sign.h - digests, HMAC, random bytes, constant-time comparison and sealing; the only door to OpenSSL. */
#ifndef SIGN_H
#define SIGN_H

#include "buf.h"

#define SIGN_SHA256_BYTES 32
#define SIGN_HEX_BYTES 65

void sign_sha256(const void *data, size_t len, unsigned char out[SIGN_SHA256_BYTES]);
void sign_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
                      unsigned char out[SIGN_SHA256_BYTES]);
bool sign_equal(const void *a, const void *b, size_t len); /* constant time */
void sign_random(void *out, size_t len);                   /* aborts when the system has none */
/* URL-safe random text of `bytes` random bytes. */
void sign_token(struct buf *out, size_t bytes);
void sign_wipe(void *data, size_t len);
void sign_wipe_text(char **text);       /* wipes, frees, sets to NULL */
void sign_wipe_buf(struct buf *secret); /* wipes before it frees */
#define OWN_SECRET __attribute__((cleanup(sign_wipe_buf)))

/* A pre-keyed HMAC for many short messages; copies of the keyed state are cheap. One thread each. */
struct sign_hmac;
struct sign_hmac *sign_hmac_new(const char *key);
void sign_hmac_free(struct sign_hmac *h);
/* HMAC over a then b. */
void sign_hmac_two(struct sign_hmac *h, const void *a, size_t a_len, const void *b, size_t b_len,
                   unsigned char out[SIGN_SHA256_BYTES]);

/* Key ring of ENCRYPTION_KEYS: the first key wraps, all unwrap. Read-only after creation, any thread. */
struct keyring;
enum rc keyring_new(const char *keys /* id:base64(32 bytes),... */, struct keyring **out,
                    struct err *e);
void keyring_free(struct keyring *ring);
/* A new random data key for a tenant, wrapped by the newest ring key. aad: the tenant's id. */
enum rc keyring_data_key_new(const struct keyring *ring, const char *tenant, struct buf *wrapped,
                             struct err *e);
enum rc keyring_data_key_open(const struct keyring *ring, const char *tenant, const void *wrapped,
                              size_t len, unsigned char key[32], struct err *e);
/* AES-256-GCM, fresh random nonce, format: version(1) nonce(12) ciphertext tag(16). aad binds the place:
 * "tenant\ntable\ncolumn\nrow". open: RC_DENIED when it was changed or belongs elsewhere. */
enum rc seal_bytes(const unsigned char key[32], const char *aad, const void *plain, size_t len,
                   struct buf *out, struct err *e);
enum rc seal_open(const unsigned char key[32], const char *aad, const void *sealed, size_t len,
                  struct buf *out, struct err *e);

#endif
