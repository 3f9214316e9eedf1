/* test_image_size.c - kind and size of pictures from their first bytes, cut and broken ones included. */
#include "check.h"

#include "image_size.h"

struct row {
    const char *what;
    const char *bytes;
    size_t len;
    bool ok;
    enum image_kind kind;
    int64_t width, height;
};

#define BYTES(text) text, sizeof(text) - 1

static const struct row ROWS[] = {
    { "png", BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x03\x20\0\0\x02\x58\x08\x06\0\0\0"), true,
      IMAGE_PNG, 800, 600 },
    { "png cut", BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x03"), false, IMAGE_UNKNOWN, 0, 0 },
    { "png of no width", BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\0\0\0\x02\x58\x08\x06\0\0\0"),
      false, IMAGE_UNKNOWN, 0, 0 },
    { "jpeg with a segment before the frame",
      BYTES("\xff\xd8\xff\xe0\0\x04\1\2\xff\xc0\0\x11\x08\x01\x2c\x01\x90\x03"), true, IMAGE_JPEG,
      400, 300 },
    { "progressive jpeg with fill bytes",
      BYTES("\xff\xd8\xff\xff\xff\xc2\0\x11\x08\x01\x2c\x01\x90\x03\1\x22\0\x01\x22\x00"), true,
      IMAGE_JPEG, 400, 300 },
    { "jpeg tables are no frame",
      BYTES("\xff\xd8\xff\xc4\0\x04\1\2\xff\xc0\0\x11\x08\0\x02\0\x03\x03"), true, IMAGE_JPEG, 3,
      2 },
    { "jpeg that never gets there", BYTES("\xff\xd8\xff\xe0\xff\xff\1\2\3\4\5\6\7\x08\x09\x0a"),
      false, IMAGE_UNKNOWN, 0, 0 },
    { "jpeg segment of no length", BYTES("\xff\xd8\xff\xe0\0\0\xff\xe0\0\0\xff\xe0\0\0\0\0"), false,
      IMAGE_UNKNOWN, 0, 0 },
    { "gif", BYTES("GIF89a\x40\x01\xf0\0\0\0\0\0\0\0"), true, IMAGE_GIF, 320, 240 },
    { "webp lossy", BYTES("RIFF\x20\0\0\0WEBPVP8 \x10\0\0\0\0\0\0\x9d\x01\x2a\x90\x01\x2c\x01"),
      true, IMAGE_WEBP, 400, 300 },
    { "webp lossless", BYTES("RIFF\x20\0\0\0WEBPVP8L\x10\0\0\0\x2f\x8f\xc1\x4a\0\0\0\0\0\0"), true,
      IMAGE_WEBP, 400, 300 },
    { "webp extended", BYTES("RIFF\x20\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x8f\x01\0\x2b\x01\0"), true,
      IMAGE_WEBP, 400, 300 },
    { "bmp from the top",
      BYTES("BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x90\x01\0\0\xd4\xfe\xff\xff"), true, IMAGE_BMP,
      400, 300 },
    { "tiff of this machine's order",
      BYTES("II*\0\x08\0\0\0\2\0\0\1\3\0\1\0\0\0\x90\1\0\0\1\1\4\0\1\0\0\0\x2c\1\0\0"), true,
      IMAGE_TIFF, 400, 300 },
    { "tiff of the other order",
      BYTES("MM\0*\0\0\0\x08\0\2\1\0\0\3\0\0\0\1\1\x90\0\0\1\1\0\4\0\0\0\1\0\0\1\x2c"), true,
      IMAGE_TIFF, 400, 300 },
    { "tiff whose directory is behind the end", BYTES("II*\0\xff\xff\xff\xff\2\0\0\1\3\0\1\0"),
      false, IMAGE_UNKNOWN, 0, 0 },
    { "avif",
      BYTES("\0\0\0\x18"
            "ftypavif\0\0\0\0mif1avif\0\0\0\x14ispe\0\0\0\0\0\0\x03\x20\0\0\x02\x58"),
      true, IMAGE_AVIF, 800, 600 },
    { "html", BYTES("<html><body>404 not found</body></html>"), false, IMAGE_UNKNOWN, 0, 0 },
    { "empty", BYTES(""), false, IMAGE_UNKNOWN, 0, 0 },
    { "heic",
      BYTES("\0\0\0\x18"
            "ftypheic\0\0\0\0mif1heic\0\0\0\x14ispe\0\0\0\0\0\0\x03\x20\0\0\x02\x58"),
      true, IMAGE_HEIC, 800, 600 },
};

static void kinds(void)
{
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        struct image_info got;
        bool ok = image_size_read(ROWS[i].bytes, ROWS[i].len, &got);

        CHECK(ok == ROWS[i].ok, "%s", ROWS[i].what);
        CHECK(got.kind == ROWS[i].kind, "%s: kind %d", ROWS[i].what, (int)got.kind);
        CHECK(got.width == ROWS[i].width && got.height == ROWS[i].height, "%s: %lldx%lld",
              ROWS[i].what, (long long)got.width, (long long)got.height);
    }
}

/* Every prefix of every sample: nothing is read behind the end (the heap copy lets a sanitizer see it). */
static void prefixes(void)
{
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++)
        for (size_t len = 0; len < ROWS[i].len; len++) {
            char *copy = malloc(len > 0 ? len : 1);
            struct image_info got;

            if (copy == NULL)
                abort();
            memcpy(copy, ROWS[i].bytes, len);
            (void)image_size_read(copy, len, &got);
            CHECK(got.kind == IMAGE_UNKNOWN || got.kind == ROWS[i].kind, "%s", ROWS[i].what);
            free(copy);
        }
}

/* What EXIF says, and whether it is a picture for print. */
static void details(void)
{
    static const struct {
        const char *what;
        const char *bytes;
        size_t len;
        int orientation;
        bool cmyk;
    } rows[] = {
        { "no exif", BYTES("\xff\xd8\xff\xc0\0\x11\x08\x01\x2c\x01\x90\x03\0\0\0\0"), 1, false },
        { "four components", BYTES("\xff\xd8\xff\xc0\0\x11\x08\x01\x2c\x01\x90\x04\0\0\0\0"), 1,
          true },
        { "turned",
          BYTES("\xff\xd8\xff\xe1\0\x22"
                "Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0"
                "\xff\xc0\0\x11\x08\x01\x2c\x01\x90\x03"),
          6, false },
        { "an orientation that does not exist",
          BYTES("\xff\xd8\xff\xe1\0\x22"
                "Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\x63\0\0\0\0\0\0\0"
                "\xff\xc0\0\x11\x08\x01\x2c\x01\x90\x03"),
          1, false },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct image_info got;

        CHECK(image_size_read(rows[i].bytes, rows[i].len, &got), "%s", rows[i].what);
        CHECK(got.orientation == rows[i].orientation && got.cmyk == rows[i].cmyk, "%s: %d %d",
              rows[i].what, got.orientation, (int)got.cmyk);
    }
}

static void names(void)
{
    CHECK_STR(image_kind_type(IMAGE_JPEG), "image/jpeg");
    CHECK_STR(image_kind_extension(IMAGE_WEBP), "webp");
    CHECK_STR(image_kind_type(IMAGE_UNKNOWN), "");
}

int main(void)
{
    CASE(kinds);
    CASE(prefixes);
    CASE(details);
    CASE(names);
    return CHECK_END();
}
