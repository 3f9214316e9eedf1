/* image_whole.c - whether a picture file holds all of its picture, found by walking its blocks. */
#include "image_size.h"

#include <string.h>

static uint32_t be16(const unsigned char *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t be32(const unsigned char *p)
{
    return be16(p) << 16 | be16(p + 2);
}

static uint32_t le32(const unsigned char *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* From behind a start of scan to the next marker that is neither a stuffed byte nor a restart; len at the end. */
static size_t scan_end(const unsigned char *p, size_t at, size_t len)
{
    while (at + 1 < len) {
        const unsigned char *mark = memchr(p + at, 0xFF, len - at - 1);

        if (mark == NULL)
            return len;
        at = (size_t)(mark - p);
        if (mark[1] != 0x00 && mark[1] != 0xFF && !(mark[1] >= 0xD0 && mark[1] <= 0xD7))
            return at;
        at += mark[1] == 0xFF ? 1 : 2;
    }
    return len;
}

/* An end marker behind the last scan; pictures inside application segments are skipped with them. */
static bool jpeg_whole(const unsigned char *p, size_t len)
{
    size_t at = 2;

    while (at + 2 <= len) {
        unsigned char marker = p[at + 1];

        if (p[at] != 0xFF)
            return false;
        if (marker == 0xD9)
            return true;
        if (marker == 0xFF) {
            at++;
            continue;
        }
        if (marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8)) {
            at += 2;
            continue;
        }
        if (at + 4 > len || be16(p + at + 2) < 2)
            return false;
        at += 2 + be16(p + at + 2);
        if (marker == 0xDA)
            at = scan_end(p, at, len);
    }
    return false;
}

static bool png_whole(const unsigned char *p, size_t len)
{
    size_t at = 8;

    while (at + 12 <= len) {
        uint64_t size = be32(p + at);

        if (size > len - at - 12)
            return false;
        if (memcmp(p + at + 4, "IEND", 4) == 0)
            return true;
        at += 12 + (size_t)size;
    }
    return false;
}

/* Length of a chain of sub-blocks with its terminator; 0 when it does not end. */
static size_t gif_chain(const unsigned char *p, size_t len)
{
    size_t at = 0;

    while (at < len && p[at] != 0)
        at += 1 + (size_t)p[at];
    return at < len ? at + 1 : 0;
}

static size_t gif_table(unsigned char flags)
{
    return (flags & 0x80) != 0 ? (size_t)3 << ((flags & 7) + 1) : 0;
}

/* The first frame is what counts. */
static bool gif_whole(const unsigned char *p, size_t len)
{
    size_t at = len >= 13 ? 13 + gif_table(p[10]) : len;

    while (at + 2 < len) {
        size_t size = 0;

        if (p[at] == 0x21) {
            size = gif_chain(p + at + 2, len - at - 2);
            if (size == 0)
                return false;
            at += 2 + size;
            continue;
        }
        if (p[at] != 0x2C || len - at < 11)
            return false;
        at += 10 + gif_table(p[at + 9]) + 1;
        return at < len && gif_chain(p + at, len - at) > 0;
    }
    return false;
}

static bool bmp_whole(const unsigned char *p, size_t len, const struct image_info *info)
{
    if (len < 34 || le32(p + 14) < 40 || le32(p + 30) != 0)
        return true; /* old or packed ones: their decoder knows */

    uint64_t bits = (uint64_t)(p[28] | (unsigned)p[29] << 8);
    uint64_t row = ((uint64_t)info->width * bits + 31) / 32 * 4;

    return le32(p + 10) + row * (uint64_t)info->height <= len;
}

bool image_size_whole(const void *bytes, size_t len, const struct image_info *info)
{
    const unsigned char *p = bytes;

    switch (info->kind) {
    case IMAGE_JPEG:
        return jpeg_whole(p, len);
    case IMAGE_PNG:
        return png_whole(p, len);
    case IMAGE_GIF:
        return gif_whole(p, len);
    case IMAGE_BMP:
        return bmp_whole(p, len, info);
    case IMAGE_WEBP:
        return len >= 12 && (uint64_t)le32(p + 4) + 8 <= len;
    default:
        return info->kind != IMAGE_UNKNOWN;
    }
}
