/* password.h - passwords of dashboard users, kept as memory-hard hashes (scrypt). */
#ifndef PASSWORD_H
#define PASSWORD_H

#include "buf.h"

#define PASSWORD_CHARS_MIN 10
#define PASSWORD_BYTES_MAX 1024

/* Writes "scrypt$15$8$3$salt$key" (log2 N, r, p, both last in base64url) with a fresh salt. RC_INVALID when the
 * password is too short or too long. Takes about a quarter of a second and 32 MiB. */
enum rc password_hash(const char *password, struct buf *out, struct err *e);
/* Whether the text is a hash of this kind whose cost is bearable. */
bool password_hash_valid(const char *hash);
/* Constant time over the key. One check at a time in the process, so that many sign-ins cannot take all memory: may
 * block for that long. */
bool password_matches(const char *password, const char *hash);

#endif
