/* image_size.h - kind and pixel size of an image, read from its first bytes; nothing is decoded. */
#ifndef IMAGE_SIZE_H
#define IMAGE_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum image_kind {
    IMAGE_UNKNOWN,
    IMAGE_JPEG,
    IMAGE_PNG,
    IMAGE_WEBP,
    IMAGE_BMP,
    IMAGE_GIF,
    IMAGE_HEIC,
    IMAGE_TIFF,
    IMAGE_AVIF
};

struct image_info {
    enum image_kind kind;
    int64_t width, height; /* pixels as stored; 0 = not found */
    int orientation;       /* of EXIF in a JPEG: 1 (upright) to 8; 1 when it says nothing */
    bool cmyk;             /* a JPEG with four components */
};

/* False (and *out = unknown) when the bytes are no image we know or the header is cut or broken. HEIC gives
 * the kind with the size of its first `ispe` box. Any thread. */
bool image_size_read(const void *bytes, size_t len, struct image_info *out);
/* False when the file ends before the picture does. Nothing is decoded: the blocks of the file are walked. Kinds
 * whose blocks are not walked (HEIC, AVIF, TIFF) count as whole. Any thread. */
bool image_size_whole(const void *bytes, size_t len, const struct image_info *info);
/* "image/jpeg"; "" for unknown. Static text. */
const char *image_kind_type(enum image_kind kind);
/* "jpg"; "" for unknown. Static text. */
const char *image_kind_extension(enum image_kind kind);

#endif
