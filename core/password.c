/* password.c - scrypt hashes of passwords: written, judged, compared. */
#include "password.h"

#include "sign.h"
#include "str.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SALT_BYTES 16
#define KEY_BYTES 32
#define LOG_N 15
#define R 8
#define P 3
#define LOG_N_MIN 14
#define LOG_N_MAX 17
#define R_MAX 16
#define P_MAX 8
#define LIMIT_MEMORY_BYTES ((uint64_t)300 << 20)
#define TEXT_BYTES_MAX 256

struct parts {
    int64_t log_n, r, p;
    unsigned char salt[SALT_BYTES];
    unsigned char key[KEY_BYTES];
};

/* base64url without padding into exactly len bytes. */
static bool read_bytes(const char *text, unsigned char *out, size_t len)
{
    char padded[64];
    size_t n = strlen(text);

    if (n != (len * 8 + 5) / 6 || n + 4 >= sizeof padded)
        return false;
    for (size_t i = 0; i < n; i++)
        padded[i] = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
    while (n % 4 != 0)
        padded[n++] = '=';
    padded[n] = '\0';
    return str_unbase64(out, len, padded) == (long)len;
}

static bool parts_read(const char *hash, struct parts *out)
{
    char text[TEXT_BYTES_MAX];
    char *rest = text;
    const char *fields[6];

    if (!str_copy(text, sizeof text, hash))
        return false;
    for (int i = 0; i < 6; i++) {
        fields[i] = strsep(&rest, "$");
        if (fields[i] == NULL)
            return false;
    }
    return rest == NULL && str_eq(fields[0], "scrypt") &&
           str_to_i64(fields[1], LOG_N_MIN, LOG_N_MAX, &out->log_n) &&
           str_to_i64(fields[2], 8, R_MAX, &out->r) && str_to_i64(fields[3], 1, P_MAX, &out->p) &&
           read_bytes(fields[4], out->salt, SALT_BYTES) &&
           read_bytes(fields[5], out->key, KEY_BYTES);
}

static bool derive(const char *password, const struct parts *with, unsigned char key[KEY_BYTES])
{
    return EVP_PBE_scrypt(password, strlen(password), with->salt, SALT_BYTES,
                          (uint64_t)1 << with->log_n, (uint64_t)with->r, (uint64_t)with->p,
                          LIMIT_MEMORY_BYTES, key, KEY_BYTES) == 1;
}

enum rc password_hash(const char *password, struct buf *out, struct err *e)
{
    struct parts made = { .log_n = LOG_N, .r = R, .p = P };

    if (!str_utf8_valid(password, strlen(password)) ||
        str_utf8_count(password) < PASSWORD_CHARS_MIN || strlen(password) > PASSWORD_BYTES_MAX)
        return err_field(e, "password", "must have %d characters or more, at most %d bytes",
                         PASSWORD_CHARS_MIN, PASSWORD_BYTES_MAX);
    sign_random(made.salt, sizeof made.salt);
    if (!derive(password, &made, made.key))
        return err_set(e, RC_BUG, "no memory for a hash");
    buf_fmt(out, "scrypt$%d$%d$%d$", LOG_N, R, P);
    str_base64url(out, made.salt, sizeof made.salt);
    buf_char(out, '$');
    str_base64url(out, made.key, sizeof made.key);
    sign_wipe(&made, sizeof made);
    return buf_check(out, e);
}

bool password_hash_valid(const char *hash)
{
    struct parts parts;

    return parts_read(hash, &parts);
}

bool password_matches(const char *password, const char *hash)
{
    static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
    unsigned char key[KEY_BYTES] = { 0 };
    struct parts stored;
    bool same = false;

    if (strlen(password) > PASSWORD_BYTES_MAX || !parts_read(hash, &stored))
        return false;
    (void)pthread_mutex_lock(&one_at_a_time);
    same = derive(password, &stored, key);
    (void)pthread_mutex_unlock(&one_at_a_time);
    same = sign_equal(key, stored.key, KEY_BYTES) && same;
    sign_wipe(key, sizeof key);
    return same;
}
