/* test_image_convert.c - pictures that break a limit: what is decided, and what the converter makes of real files. */
#include "check.h"

#include <dlfcn.h>
#include <gd.h>
#include <zlib.h>

#include "image_convert.h"

/* ---- making files -------------------------------------------------------------------------------- */

static void *lib;

static void sym(const char *name, void *function)
{
    void *found = dlsym(lib, name);

    memcpy(function, &found, sizeof(found));
    if (found == NULL) {
        (void)fprintf(stderr, "libgd has no %s\n", name);
        exit(77);
    }
}

/* Left half red, right half blue, a green corner at the top left. */
static gdImagePtr drawing(int width, int height)
{
    gdImagePtr (*create)(int, int);
    void (*fill)(gdImagePtr, int, int, int, int, int);
    gdImagePtr im;

    sym("gdImageCreateTrueColor", &create);
    sym("gdImageFilledRectangle", &fill);
    im = create(width, height);
    fill(im, 0, 0, width - 1, height - 1, 0xFF0000);
    fill(im, width / 2, 0, width - 1, height - 1, 0x0000FF);
    fill(im, 0, 0, width / 4, height / 4, 0x00FF00);
    return im;
}

static void destroy(gdImagePtr im)
{
    void (*f)(gdImagePtr);

    sym("gdImageDestroy", &f);
    f(im);
}

/* writer: "gdImageGifPtr" and the like. */
static unsigned char *file_of(const char *writer, int width, int height, int *len)
{
    gdImagePtr im = drawing(width, height);
    void *(*write)(gdImagePtr, int *);
    void *(*write_quality)(gdImagePtr, int *, int);
    void *bytes;

    if (strcmp(writer, "gdImageJpegPtr") == 0 || strcmp(writer, "gdImageBmpPtr") == 0) {
        sym(writer, &write_quality);
        bytes = write_quality(im, len, strcmp(writer, "gdImageBmpPtr") == 0 ? 0 : 92);
    } else {
        sym(writer, &write);
        bytes = write(im, len);
    }
    destroy(im);
    return bytes;
}

static gdImagePtr decoded(const struct buf *b)
{
    gdImagePtr (*f)(int, void *);

    sym("gdImageCreateFromJpegPtr", &f);
    return f((int)b->len, b->data);
}

/* 'r', 'g', 'b', 'w', '?' for what is nearest. */
static char color(gdImagePtr im, int x, int y)
{
    int c = gdImageTrueColorPixel(im, x, y);
    int r = gdTrueColorGetRed(c), g = gdTrueColorGetGreen(c), b = gdTrueColorGetBlue(c);

    if (r > 220 && g > 220 && b > 220)
        return 'w';
    if (r > 180 && g < 90 && b < 90)
        return 'r';
    if (g > 180 && r < 90 && b < 90)
        return 'g';
    return b > 180 && r < 90 && g < 90 ? 'b' : '?';
}

/* Converts for the main use; NULL when it failed. Compares the size. */
static gdImagePtr converted(const void *bytes, size_t len, int width, int height, const char *what)
{
    struct image_info info;
    struct image_plan plan;
    struct err e = { 0 };
    OWN_BUF struct buf out;

    buf_init(&out, LIMIT_IMAGE_UPLOAD_BYTES);
    (void)image_size_read(bytes, len, &info);
    image_plan_make(&info, len, image_size_whole(bytes, len, &info), IMAGE_USE_MAIN, &plan);
    CHECK(plan.deed == IMAGE_CONVERT, "%s: deed %d, %s", what, (int)plan.deed, plan.why);
    if (plan.deed != IMAGE_CONVERT)
        return NULL;
    enum rc rc = image_convert(bytes, len, &plan, NULL, &out, &e);

    CHECK(rc == RC_OK, "%s: %s", what, e.text);
    if (rc != RC_OK)
        return NULL;
    CHECK(image_size_read(out.data, out.len, &info) && info.kind == IMAGE_JPEG &&
              image_size_whole(out.data, out.len, &info),
          "%s", what);
    CHECK(info.width == width && info.height == height, "%s: %dx%d", what, (int)info.width,
          (int)info.height);
    return decoded(&out);
}

static void put32(unsigned char *at, uint32_t n)
{
    for (int i = 0; i < 4; i++)
        at[i] = (unsigned char)(n >> (24 - 8 * i));
}

static void chunk(struct buf *out, const char *type, const void *data, size_t len)
{
    unsigned char word[4];
    uLong crc = crc32(crc32(0, Z_NULL, 0), (const Bytef *)type, 4);

    if (len > 0)
        crc = crc32(crc, data, (uInt)len);
    put32(word, (uint32_t)len);
    buf_add(out, word, 4);
    buf_add(out, type, 4);
    buf_add(out, data, len);
    put32(word, (uint32_t)crc);
    buf_add(out, word, 4);
}

/* A PNG head with any size, and pixel data of our choice. */
static void png(struct buf *out, uint32_t width, uint32_t height, const void *raw, size_t raw_len)
{
    static const unsigned char magic[8] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' };
    unsigned char head[13] = { 0 };
    uLongf len = compressBound((uLong)raw_len);
    unsigned char *packed = malloc(len);

    put32(head, width);
    put32(head + 4, height);
    head[8] = 8;
    head[9] = 6; /* RGBA */
    if (packed == NULL || compress2(packed, &len, raw, (uLong)raw_len, 6) != Z_OK)
        abort();
    buf_init(out, (size_t)4 << 20);
    buf_add(out, magic, sizeof(magic));
    chunk(out, "IHDR", head, sizeof(head));
    chunk(out, "IDAT", packed, len);
    chunk(out, "IEND", NULL, 0);
    free(packed);
}

/* ---- cases --------------------------------------------------------------------------------------- */

static void plans(void)
{
    static const struct {
        const char *what, *use;
        enum image_kind kind;
        int width, height, orientation;
        size_t len;
        bool cmyk, cut;
        enum image_deed deed;
        int w, h, canvas_w, canvas_h;
        const char *code;
    } rows[] = {
        { "as it is", "MAIN_IMAGE", IMAGE_JPEG, 800, 600, 1, 9000, false, false, IMAGE_KEEP, 0, 0,
          0, 0, NULL },
        { "largest", "MAIN_IMAGE", IMAGE_PNG, 4000, 4000, 1, 9000, false, false, IMAGE_KEEP, 0, 0,
          0, 0, NULL },
        { "too wide", "MAIN_IMAGE", IMAGE_PNG, 5000, 4000, 1, 9000, false, false, IMAGE_CONVERT,
          4000, 3200, 4000, 3200, NULL },
        { "too heavy", "MAIN_IMAGE", IMAGE_PNG, 1000, 1000, 1, (size_t)11 << 20, false, false,
          IMAGE_CONVERT, 1000, 1000, 1000, 1000, NULL },
        { "a banner", "MAIN_IMAGE", IMAGE_JPEG, 1200, 400, 1, 9000, false, false, IMAGE_CONVERT,
          1200, 400, 1200, 900, NULL },
        { "a tower", "MAIN_IMAGE", IMAGE_JPEG, 400, 1200, 1, 9000, false, false, IMAGE_CONVERT, 400,
          1200, 900, 1200, NULL },
        { "a tower that lies on its side", "MAIN_IMAGE", IMAGE_JPEG, 1200, 400, 6, 9000, false,
          false, IMAGE_CONVERT, 400, 1200, 900, 1200, NULL },
        { "3:4 is in", "MAIN_IMAGE", IMAGE_JPEG, 600, 800, 1, 9000, false, false, IMAGE_KEEP, 0, 0,
          0, 0, NULL },
        { "one side short", "MAIN_IMAGE", IMAGE_JPEG, 320, 200, 1, 9000, false, false,
          IMAGE_CONVERT, 320, 200, 320, 300, NULL },
        { "both sides short", "MAIN_IMAGE", IMAGE_JPEG, 299, 299, 1, 9000, false, false,
          IMAGE_REFUSE, 0, 0, 0, 0, "image_size" },
        { "a strip", "MAIN_IMAGE", IMAGE_JPEG, 900, 40, 1, 9000, false, false, IMAGE_REFUSE, 0, 0,
          0, 0, "image_size" },
        { "a small swatch", "ATTRIBUTE_IMAGE", IMAGE_JPEG, 120, 110, 1, 9000, false, false,
          IMAGE_KEEP, 0, 0, 0, 0, NULL },
        { "a wide text picture", "DESCRIPTION_IMAGE", IMAGE_PNG, 3999, 500, 1, 9000, false, false,
          IMAGE_KEEP, 0, 0, 0, 0, NULL },
        { "a too wide text picture", "DESCRIPTION_IMAGE", IMAGE_PNG, 4000, 500, 1, 9000, false,
          false, IMAGE_CONVERT, 3999, 500, 3999, 500, NULL },
        { "print colours", "MAIN_IMAGE", IMAGE_JPEG, 800, 800, 1, 9000, true, false, IMAGE_CONVERT,
          800, 800, 800, 800, NULL },
        { "gif", "ATTRIBUTE_IMAGE", IMAGE_GIF, 800, 100, 1, 9000, false, false, IMAGE_CONVERT, 800,
          100, 800, 100, NULL },
        { "tiff", "MAIN_IMAGE", IMAGE_TIFF, 800, 800, 1, 9000, false, false, IMAGE_CONVERT, 800,
          800, 800, 800, NULL },
        { "heic", "MAIN_IMAGE", IMAGE_HEIC, 800, 800, 1, 9000, false, false, IMAGE_KEEP, 0, 0, 0, 0,
          NULL },
        { "large heic", "MAIN_IMAGE", IMAGE_HEIC, 4032, 3024, 1, 9000, false, false, IMAGE_REFUSE,
          0, 0, 0, 0, "image_size" },
        { "avif", "MAIN_IMAGE", IMAGE_AVIF, 800, 800, 1, 9000, false, false, IMAGE_REFUSE, 0, 0, 0,
          0, "image_format" },
        { "50 megapixels", "MAIN_IMAGE", IMAGE_PNG, 10000, 5000, 1, 9000, false, false,
          IMAGE_REFUSE, 0, 0, 0, 0, "image_pixels" },
        { "cut", "MAIN_IMAGE", IMAGE_PNG, 800, 800, 1, 9000, false, true, IMAGE_REFUSE, 0, 0, 0, 0,
          "image_cut" },
        { "no picture", "MAIN_IMAGE", IMAGE_UNKNOWN, 0, 0, 1, 9000, false, false, IMAGE_REFUSE, 0,
          0, 0, 0, "image_format" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct image_info info = { .kind = rows[i].kind,
                                         .width = rows[i].width,
                                         .height = rows[i].height,
                                         .orientation = rows[i].orientation,
                                         .cmyk = rows[i].cmyk };
        struct image_plan got;

        image_plan_make(&info, rows[i].len, !rows[i].cut, rows[i].use, &got);
        CHECK(got.deed == rows[i].deed, "%s: deed %d, %s", rows[i].what, (int)got.deed, got.why);
        CHECK(got.width == rows[i].w && got.height == rows[i].h, "%s: %dx%d", rows[i].what,
              got.width, got.height);
        CHECK(got.canvas_width == rows[i].canvas_w && got.canvas_height == rows[i].canvas_h,
              "%s: canvas %dx%d", rows[i].what, got.canvas_width, got.canvas_height);
        if (rows[i].code != NULL)
            CHECK_STR(got.code, rows[i].code);
    }
}

static void formats(void)
{
    static const char *const writers[] = { "gdImageGifPtr", "gdImageTiffPtr" };

    for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
        int len = 0;
        unsigned char *bytes = file_of(writers[i], 400, 400, &len);
        gdImagePtr im = converted(bytes, (size_t)len, 400, 400, writers[i]);

        if (im != NULL) {
            CHECK(color(im, 20, 20) == 'g', "%s", writers[i]);
            CHECK(color(im, 20, 380) == 'r' && color(im, 380, 380) == 'b', "%s", writers[i]);
            destroy(im);
        }
        free(bytes);
    }
}

/* Wide files of each kind: white above and below, the picture in the middle. */
static void padded(void)
{
    static const char *const writers[] = { "gdImageJpegPtr", "gdImagePngPtr", "gdImageWebpPtr",
                                           "gdImageBmpPtr" };

    for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
        int len = 0;
        unsigned char *bytes = file_of(writers[i], 800, 300, &len);
        gdImagePtr im = converted(bytes, (size_t)len, 800, 600, writers[i]);

        if (im != NULL) {
            CHECK(color(im, 400, 20) == 'w' && color(im, 400, 580) == 'w', "%s", writers[i]);
            CHECK(color(im, 20, 160) == 'g' && color(im, 20, 440) == 'r', "%s", writers[i]);
            CHECK(color(im, 780, 300) == 'b', "%s", writers[i]);
            destroy(im);
        }
        free(bytes);
    }
}

static void smaller(void)
{
    int len = 0;
    unsigned char *bytes = file_of("gdImagePngPtr", 4800, 4000, &len);
    gdImagePtr im = converted(bytes, (size_t)len, 4000, 3333, "4800x4000");

    if (im != NULL) {
        CHECK(color(im, 10, 10) == 'g' && color(im, 10, 3300) == 'r', "left");
        CHECK(color(im, 3990, 3300) == 'b', "right");
        destroy(im);
    }
    free(bytes);
}

/* The green corner shows where the top left of the file went. */
static void turned(void)
{
    static const struct {
        int orientation;
        int x, y; /* of the green corner in the 900x1200 or 1200x900 result */
    } rows[] = { { 2, 1190, 260 }, { 3, 1190, 640 }, { 4, 10, 640 },
                 { 6, 640, 10 },   { 8, 260, 1190 }, { 5, 260, 10 } };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        unsigned char exif[] = { 0xFF, 0xE1, 0, 34, 'E', 'x', 'i', 'f', 0, 0,  'M', 'M',
                                 0,    42,   0, 0,  0,   8,   0,   1,   1, 18, 0,   3,
                                 0,    0,    0, 1,  0,   0,   0,   0,   0, 0,  0,   0 };
        bool sideways = rows[i].orientation >= 5;
        int len = 0;
        unsigned char *bytes = file_of("gdImageJpegPtr", 1200, 400, &len);
        OWN_BUF struct buf file;
        gdImagePtr im;

        exif[29] = (unsigned char)rows[i].orientation;
        buf_init(&file, (size_t)4 << 20);
        buf_add(&file, bytes, 2);
        buf_add(&file, exif, sizeof(exif));
        buf_add(&file, bytes + 2, (size_t)len - 2);
        im = converted(file.data, file.len, sideways ? 900 : 1200, sideways ? 1200 : 900, "turned");
        if (im != NULL) {
            CHECK(color(im, rows[i].x, rows[i].y) == 'g', "orientation %d: %c", rows[i].orientation,
                  color(im, rows[i].x, rows[i].y));
            destroy(im);
        }
        free(bytes);
    }
}

/* Half of the pixels are see-through: white after the conversion, not black. */
static void transparent(void)
{
    size_t row = 1 + 800 * 4;
    unsigned char *raw = calloc(300, row);
    struct buf file;
    gdImagePtr im;

    if (raw == NULL)
        abort();
    for (int y = 0; y < 300; y++)
        for (int x = 400; x < 800; x++) {
            raw[(size_t)y * row + 1 + (size_t)x * 4 + 2] = 255;
            raw[(size_t)y * row + 1 + (size_t)x * 4 + 3] = 255;
        }
    png(&file, 800, 300, raw, 300 * row);
    im = converted(file.data, file.len, 800, 600, "transparent");
    if (im != NULL) {
        CHECK(color(im, 100, 300) == 'w', "see-through: %c", color(im, 100, 300));
        CHECK(color(im, 700, 300) == 'b', "the rest");
        destroy(im);
    }
    buf_done(&file);
    free(raw);
}

/* RC_INVALID with the code wanted, and the service goes on. */
static void refused(const void *bytes, size_t len, const char *code)
{
    const struct image_plan plan = { IMAGE_CONVERT, 400, 400, 400, 400, NULL, "" };
    struct err e = { 0 };
    OWN_BUF struct buf out;

    buf_init(&out, LIMIT_IMAGE_UPLOAD_BYTES);
    CHECK_INT(image_convert(bytes, len, &plan, NULL, &out, &e), RC_INVALID);
    CHECK_STR(e.code, code);
}

static void bad_files(void)
{
    static const char zeros[4096];
    struct buf file;
    int len = 0;
    unsigned char *bytes = file_of("gdImagePngPtr", 600, 200, &len);

    refused("<html><body>hello, this is no picture</body></html>", 50, "image_damaged");
    bytes[len / 2] ^= 0x55; /* a checksum does not hold */
    refused(bytes, (size_t)len, "image_damaged");
    refused(bytes, (size_t)len / 2, "image_damaged");
    free(bytes);
    png(&file, 20000, 20000, zeros, sizeof(zeros)); /* the child counts for itself */
    refused(file.data, file.len, "image_too_costly");
    buf_done(&file);
    png(&file, 600, 600, zeros, sizeof(zeros)); /* promises more pixels than it has */
    refused(file.data, file.len, "image_damaged");
    buf_done(&file);
    bytes = file_of("gdImageJpegPtr", 900, 300, &len);
    refused(bytes, (size_t)len - 900, "image_damaged");
    free(bytes);
}

static void stops(void)
{
    const struct image_plan plan = { IMAGE_CONVERT, 400, 400, 400, 400, NULL, "" };
    const atomic_bool stop = true;
    struct err e = { 0 };
    int len = 0;
    unsigned char *bytes = file_of("gdImageGifPtr", 400, 400, &len);
    OWN_BUF struct buf out;

    buf_init(&out, LIMIT_IMAGE_UPLOAD_BYTES);
    CHECK_INT(image_convert(bytes, (size_t)len, &plan, &stop, &out, &e), RC_STOPPED);
    free(bytes);
}

/* Every cut of a file is seen without decoding it. */
static void cut_files(void)
{
    static const char *const writers[] = { "gdImageJpegPtr", "gdImagePngPtr", "gdImageGifPtr",
                                           "gdImageWebpPtr", "gdImageBmpPtr" };

    for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
        int len = 0;
        unsigned char *bytes = file_of(writers[i], 64, 48, &len);
        struct image_info info;

        CHECK(image_size_read(bytes, (size_t)len, &info) &&
                  image_size_whole(bytes, (size_t)len, &info),
              "%s", writers[i]);
        for (int n = 64; n < len - 8; n += 1 + (len - 72) / 500) {
            unsigned char *copy = malloc((size_t)n);

            if (copy == NULL)
                abort();
            memcpy(copy, bytes, (size_t)n);
            CHECK(!image_size_read(copy, (size_t)n, &info) ||
                      !image_size_whole(copy, (size_t)n, &info),
                  "%s cut at %d of %d", writers[i], n, len);
            free(copy);
        }
        free(bytes);
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], IMAGE_CONVERT_COMMAND) == 0)
        return image_convert_child();
    lib = dlopen("libgd.so.3", RTLD_NOW);
    if (lib == NULL)
        return 77;
    CASE(plans);
    CASE(formats);
    CASE(padded);
    CASE(smaller);
    CASE(turned);
    CASE(transparent);
    CASE(bad_files);
    CASE(stops);
    CASE(cut_files);
    return CHECK_END();
}
