/* image_child.c - the converter: reads a picture file, draws it upright on white in the wanted size, writes a JPEG.
 *
 * libgd is loaded here by hand and not linked: the service itself never maps it or what it pulls in. */
#include "image_convert.h"

#include <dlfcn.h>
#include <errno.h>
#include <gd.h>
#include <gd_errors.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image_box.h"
#include "image_wire.h"

#define GD_LIBRARY "libgd.so.3"

typedef gdImagePtr (*gd_decode)(int size, void *data);

struct gd {
    gd_decode decode[IMAGE_AVIF + 1]; /* by enum image_kind */
    gdImagePtr (*create)(int width, int height);
    void (*destroy)(gdImagePtr im);
    void (*fill)(gdImagePtr im, int x1, int y1, int x2, int y2, int color);
    void (*blend)(gdImagePtr im, int blending);
    void (*copy)(gdImagePtr dst, gdImagePtr src, int dx, int dy, int sx, int sy, int w, int h);
    void (*resample)(gdImagePtr dst, gdImagePtr src, int dx, int dy, int sx, int sy, int dw, int dh,
                     int sw, int sh);
    void *(*jpeg)(gdImagePtr im, int *size, int quality);
    void (*on_error)(gdErrorMethod method);
};

static bool complained; /* a decoder said something: what it made of the file is no picture */

static void note_complaint(int level, const char *fmt, va_list args)
{
    (void)fmt;
    (void)args;
    complained = complained || level <= GD_WARNING;
}

static bool symbol(void *library, const char *name, void *function)
{
    void *found = dlsym(library, name);

    memcpy(function, &found, sizeof(found));
    return found != NULL;
}

static bool gd_load(struct gd *gd)
{
    void *lib = dlopen(GD_LIBRARY, RTLD_NOW | RTLD_LOCAL);

    *gd = (struct gd){ 0 };
    if (lib == NULL)
        return false;
    return symbol(lib, "gdImageCreateFromJpegPtr", &gd->decode[IMAGE_JPEG]) &&
           symbol(lib, "gdImageCreateFromPngPtr", &gd->decode[IMAGE_PNG]) &&
           symbol(lib, "gdImageCreateFromWebpPtr", &gd->decode[IMAGE_WEBP]) &&
           symbol(lib, "gdImageCreateFromBmpPtr", &gd->decode[IMAGE_BMP]) &&
           symbol(lib, "gdImageCreateFromGifPtr", &gd->decode[IMAGE_GIF]) &&
           symbol(lib, "gdImageCreateFromTiffPtr", &gd->decode[IMAGE_TIFF]) &&
           symbol(lib, "gdImageCreateTrueColor", &gd->create) &&
           symbol(lib, "gdImageDestroy", &gd->destroy) &&
           symbol(lib, "gdImageFilledRectangle", &gd->fill) &&
           symbol(lib, "gdImageAlphaBlending", &gd->blend) &&
           symbol(lib, "gdImageCopy", &gd->copy) &&
           symbol(lib, "gdImageCopyResampled", &gd->resample) &&
           symbol(lib, "gdImageJpegPtr", &gd->jpeg) &&
           symbol(lib, "gdSetErrorMethod", &gd->on_error);
}

/* ---- drawing ------------------------------------------------------------------------------------- */

static gdImagePtr white(const struct gd *gd, int width, int height)
{
    gdImagePtr im = gd->create(width, height);

    if (im == NULL)
        return NULL;
    gd->blend(im, gdEffectReplace);
    gd->fill(im, 0, 0, width - 1, height - 1, gdTrueColor(255, 255, 255));
    gd->blend(im, gdEffectAlphaBlend);
    return im;
}

/* The picture in the given size on white, turned as it is in the file. Frees src. */
static gdImagePtr scaled(const struct gd *gd, gdImagePtr src, int width, int height)
{
    gdImagePtr out = white(gd, width, height);

    if (out != NULL && gdImageSX(src) == width && gdImageSY(src) == height)
        gd->copy(out, src, 0, 0, 0, 0, width, height);
    else if (out != NULL)
        gd->resample(out, src, 0, 0, 0, 0, width, height, gdImageSX(src), gdImageSY(src));
    gd->destroy(src);
    return out;
}

/* Undoes what EXIF says about how the camera was held. Frees src. */
static gdImagePtr upright(const struct gd *gd, gdImagePtr src, int orientation)
{
    bool turned = orientation >= 5;
    int width = turned ? gdImageSY(src) : gdImageSX(src);
    int height = turned ? gdImageSX(src) : gdImageSY(src);
    bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    bool from_below = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    gdImagePtr out = gd->create(width, height);

    for (int y = 0; out != NULL && y < height; y++)
        for (int x = 0; x < width; x++) {
            int sx = turned ? y : x;
            int sy = turned ? x : y;

            sx = from_right ? gdImageSX(src) - 1 - sx : sx;
            sy = from_below ? gdImageSY(src) - 1 - sy : sy;
            gdImageTrueColorPixel(out, x, y) = gdImageTrueColorPixel(src, sx, sy);
        }
    gd->destroy(src);
    return out;
}

/* In the middle of a white canvas. Frees src. */
static gdImagePtr framed(const struct gd *gd, gdImagePtr src, int width, int height)
{
    gdImagePtr out = white(gd, width, height);

    if (out != NULL)
        gd->copy(out, src, (width - gdImageSX(src)) / 2, (height - gdImageSY(src)) / 2, 0, 0,
                 gdImageSX(src), gdImageSY(src));
    gd->destroy(src);
    return out;
}

/* As good as fits in an upload. NULL: not even the worst does, or no memory. */
static void *encode(const struct gd *gd, gdImagePtr im, int *size)
{
    static const int QUALITIES[] = { 90, 80, 65 };

    for (size_t i = 0; i < sizeof(QUALITIES) / sizeof(QUALITIES[0]); i++) {
        void *jpeg = gd->jpeg(im, size, QUALITIES[i]);

        if (jpeg == NULL || (size_t)*size <= LIMIT_IMAGE_UPLOAD_BYTES)
            return jpeg;
        free(jpeg); /* the process is about to end anyway */
    }
    return NULL;
}

static enum convert_code draw(const struct gd *gd, const struct convert_order *order,
                              unsigned char *bytes, void **jpeg, int *size)
{
    struct image_info info;

    if (!image_size_read(bytes, (size_t)order->bytes, &info) || gd->decode[info.kind] == NULL ||
        !image_size_whole(bytes, (size_t)order->bytes, &info))
        return CONVERT_DAMAGED;
    if (info.width * info.height > LIMIT_IMAGE_PIXELS)
        return CONVERT_TOO_COSTLY;

    bool turned = info.orientation >= 5;
    gdImagePtr im = gd->decode[info.kind]((int)order->bytes, bytes);

    if (im == NULL || complained)
        return CONVERT_DAMAGED;
    im = scaled(gd, im, turned ? order->height : order->width,
                turned ? order->width : order->height);
    if (im != NULL && info.orientation > 1)
        im = upright(gd, im, info.orientation);
    if (im != NULL &&
        (gdImageSX(im) != order->canvas_width || gdImageSY(im) != order->canvas_height))
        im = framed(gd, im, order->canvas_width, order->canvas_height);
    *jpeg = im != NULL ? encode(gd, im, size) : NULL;
    return *jpeg != NULL ? CONVERT_DONE : CONVERT_TOO_COSTLY;
}

/* ---- talking ------------------------------------------------------------------------------------- */

static bool read_all(void *to, size_t len)
{
    unsigned char *at = to;

    while (len > 0) {
        ssize_t n = read(STDIN_FILENO, at, len);

        if (n == 0 || (n < 0 && errno != EINTR))
            return false;
        at += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool write_all(const void *from, size_t len)
{
    const unsigned char *at = from;

    while (len > 0) {
        ssize_t n = write(STDOUT_FILENO, at, len);

        if (n < 0 && errno != EINTR)
            return false;
        at += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool sane(const struct convert_order *o)
{
    return o->bytes > 0 && o->bytes <= LIMIT_CONVERT_INPUT_BYTES && o->width > 0 && o->height > 0 &&
           o->canvas_width >= o->width && o->canvas_height >= o->height &&
           (int64_t)o->canvas_width * o->canvas_height <= LIMIT_IMAGE_PIXELS;
}

int image_convert_child(void)
{
    struct convert_answer answer = { .code = CONVERT_NO_LIBRARY };
    struct convert_order order;
    unsigned char *bytes = NULL;
    void *jpeg = NULL;
    int size = 0;
    struct gd gd;
    bool boxed = image_box_limits();
    bool loaded = boxed && gd_load(&gd);

    if (!boxed || !image_box_close()) /* not safe: nothing is read */
        return 1;
    if (loaded) {
        gd.on_error(note_complaint);
        if (read_all(&order, sizeof(order)) && sane(&order))
            bytes = malloc((size_t)order.bytes);
        if (bytes == NULL || !read_all(bytes, (size_t)order.bytes))
            return 1;
        answer.code = (int32_t)draw(&gd, &order, bytes, &jpeg, &size);
    }
    if (answer.code == CONVERT_DONE)
        answer.bytes = (uint64_t)size;
    return write_all(&answer, sizeof(answer)) && write_all(jpeg, (size_t)answer.bytes) ? 0 : 1;
}
