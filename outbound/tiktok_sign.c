/* Computes the signature that TikTok Shop expects on each request (secret, path, sorted pairs, body, secret). */
#include "platform.h"

#include "sign.h"
#include "str.h"

#include <string.h>
#include <strings.h>

#define LIMIT_SIGN_PAIRS 32
#define LIMIT_SIGN_TEXT_BYTES ((size_t)16 << 20)

/* Only the media type counts: the header of a multipart body also carries a boundary. */
static bool is_multipart(const char *content_type)
{
    static const char WANTED[] = "multipart/form-data";
    size_t n;

    if (content_type == NULL)
        return false;
    content_type += strspn(content_type, " \t");
    n = strcspn(content_type, "; \t");
    return n == sizeof(WANTED) - 1 && strncasecmp(content_type, WANTED, n) == 0;
}

static bool is_signed_key(const char *key)
{
    return !str_eq(key, "sign") && !str_eq(key, "access_token");
}

/* Puts the pairs that count in byte order of their keys; insertion keeps equal keys in their order. */
static int sort_pairs(const struct tiktok_pair *pairs, int n_pairs,
                      const struct tiktok_pair *sorted[LIMIT_SIGN_PAIRS])
{
    int n = 0;

    for (int i = 0; i < n_pairs; i++) {
        int at = n;

        if (!is_signed_key(pairs[i].key))
            continue;
        while (at > 0 && strcmp(sorted[at - 1]->key, pairs[i].key) > 0) {
            sorted[at] = sorted[at - 1];
            at--;
        }
        sorted[at] = &pairs[i];
        n++;
    }
    return n;
}

enum rc tiktok_sign(const char *secret, const char *path, const struct tiktok_pair *pairs,
                    int n_pairs, const char *content_type, const void *body, size_t body_len,
                    char out[65], struct err *e)
{
    const struct tiktok_pair *sorted[LIMIT_SIGN_PAIRS];
    unsigned char digest[SIGN_SHA256_BYTES];
    OWN_SECRET struct buf text = { 0 };
    int n;
    enum rc rc;

    if (n_pairs > LIMIT_SIGN_PAIRS)
        return err_set(e, RC_BUG, "a request has more than %d parameters", LIMIT_SIGN_PAIRS);
    n = sort_pairs(pairs, n_pairs, sorted);
    buf_init(&text, LIMIT_SIGN_TEXT_BYTES);
    buf_str(&text, secret);
    buf_str(&text, path);
    for (int i = 0; i < n; i++) {
        buf_str(&text, sorted[i]->key);
        buf_str(&text, sorted[i]->value);
    }
    if (body_len > 0 && !is_multipart(content_type))
        buf_add(&text, body, body_len);
    buf_str(&text, secret);
    rc = buf_check(&text, e);
    if (rc != RC_OK)
        return rc;
    sign_hmac_sha256(secret, strlen(secret), text.data, text.len, digest);
    str_hex(out, digest, sizeof(digest));
    return RC_OK;
}
