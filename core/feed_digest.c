/* feed_digest.c - tells whether a downloaded feed is the very file of the last time. */
#include "feed.h"

#include <unistd.h>
#include <xxhash.h>

#define PIECE_BYTES 65536

enum rc feed_file_hash(int fd, uint64_t seed, char out[FEED_UUID_BYTES], struct err *e)
{
    XXH3_state_t *state = XXH3_createState();
    XXH128_canonical_t bytes;
    char piece[PIECE_BYTES];
    int64_t at = 0;
    ssize_t n = 0;

    if (state == NULL)
        return err_set(e, RC_DOWN, "out of memory for a feed");
    (void)XXH3_128bits_reset_withSeed(state, seed);
    while ((n = pread(fd, piece, sizeof piece, (off_t)at)) > 0) {
        (void)XXH3_128bits_update(state, piece, (size_t)n);
        at += n;
    }
    XXH128_canonicalFromHash(&bytes, XXH3_128bits_digest(state));
    (void)XXH3_freeState(state);
    if (n < 0)
        return err_set(e, RC_DOWN, "the temporary file of a feed cannot be read");
    feed_uuid(bytes.digest, out);
    return RC_OK;
}
