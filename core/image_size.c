/* image_size.c - finds out what an image is and how large, from the bytes and not from its name. */
#include "image_size.h"

#include <string.h>

struct kind_row {
    enum image_kind kind;
    const char *type;
    const char *extension;
};

static const struct kind_row KINDS[] = {
    { IMAGE_JPEG, "image/jpeg", "jpg" },  { IMAGE_PNG, "image/png", "png" },
    { IMAGE_WEBP, "image/webp", "webp" }, { IMAGE_BMP, "image/bmp", "bmp" },
    { IMAGE_GIF, "image/gif", "gif" },    { IMAGE_HEIC, "image/heic", "heic" },
    { IMAGE_TIFF, "image/tiff", "tif" },  { IMAGE_AVIF, "image/avif", "avif" },
};

static uint32_t be16(const unsigned char *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t be32(const unsigned char *p)
{
    return be16(p) << 16 | be16(p + 2);
}

static uint32_t le16(const unsigned char *p)
{
    return (uint32_t)p[1] << 8 | p[0];
}

static uint32_t le24(const unsigned char *p)
{
    return (uint32_t)p[2] << 16 | le16(p);
}

static uint32_t le32(const unsigned char *p)
{
    return le16(p + 2) << 16 | le16(p);
}

static bool sized(struct image_info *out, enum image_kind kind, int64_t width, int64_t height)
{
    if (width <= 0 || height <= 0)
        return false;
    *out = (struct image_info){ .kind = kind, .width = width, .height = height, .orientation = 1 };
    return true;
}

/* ---- TIFF directories, as TIFF files and EXIF have them ------------------------------------------ */

#define LIMIT_TIFF_ENTRIES 512
#define TAG_WIDTH 256
#define TAG_HEIGHT 257
#define TAG_ORIENTATION 274

struct directory {
    int64_t width, height;
    int orientation;
};

static bool directory_read(const unsigned char *p, size_t len, struct directory *out)
{
    bool little = len >= 8 && memcmp(p, "II*\0", 4) == 0;

    *out = (struct directory){ .orientation = 1 };
    if (!little && (len < 8 || memcmp(p, "MM\0*", 4) != 0))
        return false;

    size_t at = little ? le32(p + 4) : be32(p + 4);

    if (at < 8 || at > len - 2)
        return false;

    size_t n = little ? le16(p + at) : be16(p + at);

    for (at += 2; n > 0 && n <= LIMIT_TIFF_ENTRIES && at + 12 <= len; n--, at += 12) {
        uint32_t tag = little ? le16(p + at) : be16(p + at);
        uint32_t type = little ? le16(p + at + 2) : be16(p + at + 2);
        const unsigned char *v = p + at + 8;
        int64_t value = type == 3 ? (little ? le16(v) : be16(v)) : (little ? le32(v) : be32(v));

        if (type != 3 && type != 4)
            continue;
        if (tag == TAG_WIDTH)
            out->width = value;
        else if (tag == TAG_HEIGHT)
            out->height = value;
        else if (tag == TAG_ORIENTATION && value >= 1 && value <= 8)
            out->orientation = (int)value;
    }
    return true;
}

static bool tiff_read(const unsigned char *p, size_t len, struct image_info *out)
{
    struct directory dir;

    return directory_read(p, len, &dir) && sized(out, IMAGE_TIFF, dir.width, dir.height);
}

/* ---- JPEG ---------------------------------------------------------------------------------------- */

static int exif_orientation(const unsigned char *segment, size_t len)
{
    struct directory dir;

    if (len < 14 || memcmp(segment, "Exif\0\0", 6) != 0 ||
        !directory_read(segment + 6, len - 6, &dir))
        return 1;
    return dir.orientation;
}

/* Start-of-frame markers hold the size; C4, C8 and CC share the range but are no frames. */
static bool jpeg_frame(unsigned char marker)
{
    return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

static bool jpeg_read(const unsigned char *p, size_t len, struct image_info *out)
{
    size_t at = 2;
    int orientation = 1;

    while (at + 4 <= len) {
        if (p[at] != 0xFF)
            return false;

        unsigned char marker = p[at + 1];

        if (marker == 0xFF) { /* fill byte */
            at++;
            continue;
        }
        if (marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8)) {
            at += 2;
            continue;
        }
        if (marker == 0xD9 || marker == 0xDA)
            return false; /* picture data before any frame header */
        if (jpeg_frame(marker)) {
            if (at + 9 > len || !sized(out, IMAGE_JPEG, be16(p + at + 7), be16(p + at + 5)))
                return false;
            out->orientation = orientation;
            out->cmyk = at + 9 < len && p[at + 9] == 4;
            return true;
        }
        if (be16(p + at + 2) < 2)
            return false;
        if (marker == 0xE1 && orientation == 1 && at + 2 + be16(p + at + 2) <= len)
            orientation = exif_orientation(p + at + 4, be16(p + at + 2) - 2);
        at += 2 + be16(p + at + 2);
    }
    return false;
}

static bool png_read(const unsigned char *p, size_t len, struct image_info *out)
{
    return len >= 24 && memcmp(p + 12, "IHDR", 4) == 0 &&
           sized(out, IMAGE_PNG, be32(p + 16), be32(p + 20));
}

static bool webp_read(const unsigned char *p, size_t len, struct image_info *out)
{
    if (len < 30)
        return false;
    if (memcmp(p + 12, "VP8X", 4) == 0)
        return sized(out, IMAGE_WEBP, (int64_t)le24(p + 24) + 1, (int64_t)le24(p + 27) + 1);
    if (memcmp(p + 12, "VP8L", 4) == 0 && p[20] == 0x2F) {
        uint32_t bits = le32(p + 21);

        return sized(out, IMAGE_WEBP, (int64_t)(bits & 0x3FFF) + 1,
                     (int64_t)((bits >> 14) & 0x3FFF) + 1);
    }
    if (memcmp(p + 12, "VP8 ", 4) == 0 && p[23] == 0x9D && p[24] == 0x01 && p[25] == 0x2A)
        return sized(out, IMAGE_WEBP, le16(p + 26) & 0x3FFF, le16(p + 28) & 0x3FFF);
    return false;
}

static bool bmp_read(const unsigned char *p, size_t len, struct image_info *out)
{
    if (len < 26)
        return false;
    if (le32(p + 14) == 12)
        return sized(out, IMAGE_BMP, le16(p + 18), le16(p + 20));

    int64_t height = (int32_t)le32(p + 22); /* negative: stored from the top */

    return sized(out, IMAGE_BMP, (int32_t)le32(p + 18), height < 0 ? -height : height);
}

static bool heic_brand(const unsigned char *p)
{
    static const char *const BRANDS[] = { "heic", "heix", "hevc", "hevx", "heim", "heis", "mif1" };

    for (size_t i = 0; i < sizeof(BRANDS) / sizeof(BRANDS[0]); i++)
        if (memcmp(p, BRANDS[i], 4) == 0)
            return true;
    return false;
}

/* The size stands in an `ispe` box inside `meta`; the largest one is the picture, smaller ones are tiles. */
static bool heic_read(const unsigned char *p, size_t len, enum image_kind kind,
                      struct image_info *out)
{
    size_t limit = len < 65536 ? len : 65536;
    int64_t width = 0;
    int64_t height = 0;

    for (size_t at = 0; at + 16 <= limit; at++) {
        if (memcmp(p + at, "ispe", 4) != 0)
            continue;

        int64_t w = be32(p + at + 8);
        int64_t h = be32(p + at + 12);

        if (w <= INT32_MAX && h <= INT32_MAX && w * h > width * height) {
            width = w;
            height = h;
        }
    }
    return sized(out, kind, width, height);
}

bool image_size_read(const void *bytes, size_t len, struct image_info *out)
{
    const unsigned char *p = bytes;

    *out = (struct image_info){ .kind = IMAGE_UNKNOWN };
    if (p == NULL || len < 16)
        return false;
    if (p[0] == 0xFF && p[1] == 0xD8)
        return jpeg_read(p, len, out);
    if (memcmp(p, "\x89PNG\r\n\x1a\n", 8) == 0)
        return png_read(p, len, out);
    if (memcmp(p, "RIFF", 4) == 0 && memcmp(p + 8, "WEBP", 4) == 0)
        return webp_read(p, len, out);
    if (memcmp(p, "GIF87a", 6) == 0 || memcmp(p, "GIF89a", 6) == 0)
        return sized(out, IMAGE_GIF, le16(p + 6), le16(p + 8));
    if (p[0] == 'B' && p[1] == 'M')
        return bmp_read(p, len, out);
    if (memcmp(p + 4, "ftyp", 4) == 0 && heic_brand(p + 8))
        return heic_read(p, len, IMAGE_HEIC, out);
    if (memcmp(p + 4, "ftypavif", 8) == 0 || memcmp(p + 4, "ftypavis", 8) == 0)
        return heic_read(p, len, IMAGE_AVIF, out);
    if (memcmp(p, "II*\0", 4) == 0 || memcmp(p, "MM\0*", 4) == 0)
        return tiff_read(p, len, out);
    return false;
}

const char *image_kind_type(enum image_kind kind)
{
    for (size_t i = 0; i < sizeof(KINDS) / sizeof(KINDS[0]); i++)
        if (KINDS[i].kind == kind)
            return KINDS[i].type;
    return "";
}

const char *image_kind_extension(enum image_kind kind)
{
    for (size_t i = 0; i < sizeof(KINDS) / sizeof(KINDS[0]); i++)
        if (KINDS[i].kind == kind)
            return KINDS[i].extension;
    return "";
}
