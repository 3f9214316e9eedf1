/* seal.c - AES-256-GCM sealing of secrets and the key ring that wraps each tenant's data key. */
#include "sign.h"

#include "str.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define KEYS_MAX 16
#define KEY_BYTES 32
#define NONCE_BYTES 12
#define TAG_BYTES 16
#define SEAL_VERSION 1
#define LIMIT_SEALED_BYTES ((size_t)16 << 20)

struct keyring {
    int n;
    char ids[KEYS_MAX][17];
    unsigned char keys[KEYS_MAX][KEY_BYTES];
};

static enum rc add_key(struct keyring *ring, char *item, struct err *e)
{
    char *colon = strchr(item, ':');
    size_t id_len = colon != NULL ? (size_t)(colon - item) : 0;

    if (ring->n == KEYS_MAX)
        return err_field(e, "ENCRYPTION_KEYS", "at most %d keys", KEYS_MAX);
    if (id_len == 0 || id_len > 16)
        return err_field(e, "ENCRYPTION_KEYS",
                         "each key is id:base64 with an id of 1 to 16 characters");
    memcpy(ring->ids[ring->n], item, id_len);
    if (str_unbase64(ring->keys[ring->n], KEY_BYTES, colon + 1) != KEY_BYTES)
        return err_field(e, "ENCRYPTION_KEYS", "key %s is not 32 bytes in base64",
                         ring->ids[ring->n]);
    if (memcmp(ring->keys[ring->n], ring->keys[ring->n] + 1, KEY_BYTES - 1) == 0)
        return err_field(e, "ENCRYPTION_KEYS", "key %s is one byte repeated: make a random one",
                         ring->ids[ring->n]);
    for (int i = 0; i < ring->n; i++) {
        if (strcmp(ring->ids[i], ring->ids[ring->n]) == 0)
            return err_field(e, "ENCRYPTION_KEYS", "key id %s stands there twice", ring->ids[i]);
    }
    ring->n++;
    return RC_OK;
}

enum rc keyring_new(const char *keys, struct keyring **out, struct err *e)
{
    struct keyring *ring = calloc(1, sizeof *ring);
    char *copy = str_dup(keys), *rest = copy, *item;
    enum rc rc = RC_OK;

    if (ring == NULL || copy == NULL)
        rc = err_set(e, RC_BUG, "out of memory");
    while (rc == RC_OK && (item = strsep(&rest, ",")) != NULL)
        rc = add_key(ring, str_trim(item), e);
    if (rc == RC_OK && ring->n == 0)
        rc = err_field(e, "ENCRYPTION_KEYS", "must hold at least one id:base64 key");
    if (copy != NULL)
        sign_wipe(copy, strlen(keys));
    free(copy);
    if (rc != RC_OK) {
        keyring_free(ring);
        return rc;
    }
    *out = ring;
    return RC_OK;
}

void keyring_free(struct keyring *ring)
{
    if (ring == NULL)
        return;
    sign_wipe(ring, sizeof *ring);
    free(ring);
}

/* One AES-256-GCM pass; enc: tag is written, else checked. */
static bool gcm(bool enc, const unsigned char key[KEY_BYTES], const unsigned char *nonce,
                const char *aad, const unsigned char *in, size_t len, unsigned char *out,
                unsigned char tag[TAG_BYTES])
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n = 0, last = 0;
    bool ok = ctx != NULL && len <= LIMIT_SEALED_BYTES &&
              EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce, enc) == 1 &&
              EVP_CipherUpdate(ctx, NULL, &n, (const unsigned char *)aad, (int)strlen(aad)) == 1 &&
              EVP_CipherUpdate(ctx, out, &n, in, (int)len) == 1;

    if (ok && !enc)
        ok = EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) == 1;
    ok = ok && EVP_CipherFinal_ex(ctx, out + n, &last) == 1;
    if (ok && enc)
        ok = EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, tag) == 1;
    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

enum rc seal_bytes(const unsigned char key[32], const char *aad, const void *plain, size_t len,
                   struct buf *out, struct err *e)
{
    size_t total = 1 + NONCE_BYTES + len + TAG_BYTES;
    unsigned char *sealed = len <= LIMIT_SEALED_BYTES ? malloc(total) : NULL;
    bool ok;

    if (sealed == NULL)
        return err_set(e, RC_BUG, "cannot seal %zu bytes", len);
    sealed[0] = SEAL_VERSION;
    sign_random(sealed + 1, NONCE_BYTES);
    ok = gcm(true, key, sealed + 1, aad, plain, len, sealed + 1 + NONCE_BYTES,
             sealed + 1 + NONCE_BYTES + len);
    if (ok) {
        buf_clear(out);
        buf_add(out, sealed, total);
    }
    free(sealed);
    if (!ok)
        return err_set(e, RC_BUG, "sealing failed");
    return buf_check(out, e);
}

enum rc seal_open(const unsigned char key[32], const char *aad, const void *sealed, size_t len,
                  struct buf *out, struct err *e)
{
    const unsigned char *p = sealed;
    size_t plain_len = len - 1 - NONCE_BYTES - TAG_BYTES;
    unsigned char tag[TAG_BYTES], *plain;
    bool ok;

    if (len < 1 + NONCE_BYTES + TAG_BYTES || p[0] != SEAL_VERSION)
        return err_set(e, RC_DENIED, "sealed value has an unknown form");
    plain = malloc(plain_len + 1);
    if (plain == NULL)
        return err_set(e, RC_BUG, "out of memory");
    memcpy(tag, p + len - TAG_BYTES, TAG_BYTES);
    ok = gcm(false, key, p + 1, aad, p + 1 + NONCE_BYTES, plain_len, plain, tag);
    if (ok) {
        buf_clear(out);
        buf_add(out, plain, plain_len);
    }
    sign_wipe(plain, plain_len + 1);
    free(plain);
    if (!ok)
        return err_set(e, RC_DENIED, "sealed value was changed or belongs elsewhere");
    return buf_check(out, e);
}

/* Wrapped data key: id length(1) id sealed(32 bytes), bound to the tenant and the ring key's id. */
enum rc keyring_data_key_new(const struct keyring *ring, const char *tenant, struct buf *wrapped,
                             struct err *e)
{
    unsigned char key[KEY_BYTES];
    OWN_BUF struct buf sealed;
    char aad[256];
    enum rc rc;

    if (!str_fmt(aad, sizeof aad, "%s\ndata_key\n%s", tenant, ring->ids[0]))
        return err_set(e, RC_BUG, "tenant id too long");
    buf_init(&sealed, 1024);
    sign_random(key, sizeof key);
    rc = seal_bytes(ring->keys[0], aad, key, sizeof key, &sealed, e);
    sign_wipe(key, sizeof key);
    if (rc != RC_OK)
        return rc;
    buf_clear(wrapped);
    buf_char(wrapped, (char)strlen(ring->ids[0]));
    buf_str(wrapped, ring->ids[0]);
    buf_add(wrapped, sealed.data, sealed.len);
    return buf_check(wrapped, e);
}

enum rc keyring_data_key_open(const struct keyring *ring, const char *tenant, const void *wrapped,
                              size_t len, unsigned char key[32], struct err *e)
{
    const unsigned char *p = wrapped;
    size_t id_len = len > 0 ? p[0] : 0;
    OWN_BUF struct buf plain;
    char aad[256];

    buf_init(&plain, KEY_BYTES);
    if (id_len == 0 || id_len > 16 || len < 1 + id_len)
        return err_set(e, RC_DENIED, "wrapped key has an unknown form");
    for (int i = 0; i < ring->n; i++) {
        if (strlen(ring->ids[i]) != id_len || memcmp(ring->ids[i], p + 1, id_len) != 0)
            continue;
        if (!str_fmt(aad, sizeof aad, "%s\ndata_key\n%s", tenant, ring->ids[i]))
            return err_set(e, RC_BUG, "tenant id too long");
        enum rc rc = seal_open(ring->keys[i], aad, p + 1 + id_len, len - 1 - id_len, &plain, e);

        if (rc == RC_OK && plain.len != KEY_BYTES)
            rc = err_set(e, RC_DENIED, "wrapped key has an unknown length");
        if (rc == RC_OK)
            memcpy(key, plain.data, KEY_BYTES);
        sign_wipe(plain.data, plain.len);
        return rc;
    }
    return err_set(e, RC_DENIED, "ENCRYPTION_KEYS lacks the key that sealed this tenant's data");
}
