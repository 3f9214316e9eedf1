/* sign.c - digests, HMAC, random bytes and constant-time comparison over OpenSSL. Sealing is in seal.c. */
#include "sign.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "str.h"

struct sign_hmac {
    EVP_MAC *mac;
    EVP_MAC_CTX *keyed; /* state after the key; copied for each message */
};

void sign_sha256(const void *data, size_t len, unsigned char out[SIGN_SHA256_BYTES])
{
    if (EVP_Digest(data, len, out, NULL, EVP_sha256(), NULL) != 1)
        abort(); /* only without memory or without SHA-256: nothing can go on */
}

void sign_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
                      unsigned char out[SIGN_SHA256_BYTES])
{
    static const unsigned char none[1];
    unsigned int n = 0;

    if (HMAC(EVP_sha256(), key, (int)key_len, len > 0 ? data : none, len, out, &n) == NULL)
        abort(); /* as above */
}

bool sign_equal(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

void sign_random(void *out, size_t len)
{
    if (RAND_bytes(out, (int)len) != 1)
        abort(); /* no randomness: no safe way to go on */
}

void sign_token(struct buf *out, size_t bytes)
{
    unsigned char raw[64];

    if (bytes > sizeof raw)
        bytes = sizeof raw;
    sign_random(raw, bytes);
    str_base64url(out, raw, bytes);
    sign_wipe(raw, sizeof raw);
}

void sign_wipe(void *data, size_t len)
{
    if (data != NULL)
        OPENSSL_cleanse(data, len);
}

void sign_wipe_text(char **text)
{
    if (*text != NULL)
        sign_wipe(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

void sign_wipe_buf(struct buf *secret)
{
    if (secret->data != NULL)
        sign_wipe(secret->data, secret->cap);
    buf_done(secret);
}

struct sign_hmac *sign_hmac_new(const char *key)
{
    struct sign_hmac *h = calloc(1, sizeof *h);
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
                                                             (char[]){ "SHA256" }, 0),
                            OSSL_PARAM_construct_end() };

    if (h == NULL)
        return NULL;
    h->mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    h->keyed = h->mac != NULL ? EVP_MAC_CTX_new(h->mac) : NULL;
    if (h->keyed == NULL ||
        EVP_MAC_init(h->keyed, (const unsigned char *)key, strlen(key), params) != 1) {
        sign_hmac_free(h);
        return NULL;
    }
    return h;
}

void sign_hmac_free(struct sign_hmac *h)
{
    if (h == NULL)
        return;
    EVP_MAC_CTX_free(h->keyed);
    EVP_MAC_free(h->mac);
    free(h);
}

void sign_hmac_two(struct sign_hmac *h, const void *a, size_t a_len, const void *b, size_t b_len,
                   unsigned char out[SIGN_SHA256_BYTES])
{
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_dup(h->keyed);
    size_t n = 0;

    if (ctx == NULL || EVP_MAC_update(ctx, a, a_len) != 1 || EVP_MAC_update(ctx, b, b_len) != 1 ||
        EVP_MAC_final(ctx, out, &n, SIGN_SHA256_BYTES) != 1)
        abort(); /* only without memory */
    EVP_MAC_CTX_free(ctx);
}
