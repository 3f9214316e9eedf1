/* image_plan.c - limits of TikTok's pictures by use, and how a picture is brought within them.
 *
 * A picture is made smaller, turned upright and padded with white, never made larger: what is not in the file cannot
 * be shown. A picture with one side too short gets white beside it as long as the other side is long enough. */
#include "image_plan.h"

#include <string.h>

#include "str.h"

#define MAIN_MIN_PX 300
#define MAIN_MAX_PX 4000
#define ANY_MIN_PX 100
#define ANY_MAX_PX 20000
#define DESCRIPTION_MAX_PX 3999 /* "under 4000 px" */
#define CONVERTED_MAX_PX 4000   /* whatever is decoded anyway */

struct use_row {
    const char *use;
    int64_t least, most;
    bool ratio; /* outside 3:4 to 4:3 TikTok makes a square of it */
};

static const struct use_row USES[] = {
    { IMAGE_USE_MAIN, MAIN_MIN_PX, MAIN_MAX_PX, true },
    { IMAGE_USE_DESCRIPTION, ANY_MIN_PX, DESCRIPTION_MAX_PX, false },
    { IMAGE_USE_ATTRIBUTE, ANY_MIN_PX, ANY_MAX_PX, false },
};

static const struct use_row *use_find(const char *use)
{
    const size_t n = sizeof(USES) / sizeof(USES[0]);

    for (size_t i = 0; i < n; i++)
        if (strcmp(USES[i].use, use) == 0)
            return &USES[i];
    return &USES[n - 1];
}

static bool taken_as_it_is(enum image_kind kind)
{
    return kind == IMAGE_JPEG || kind == IMAGE_PNG || kind == IMAGE_WEBP || kind == IMAGE_BMP ||
           kind == IMAGE_HEIC;
}

static bool convertible(enum image_kind kind)
{
    return kind == IMAGE_JPEG || kind == IMAGE_PNG || kind == IMAGE_WEBP || kind == IMAGE_BMP ||
           kind == IMAGE_GIF || kind == IMAGE_TIFF;
}

static int64_t at_least(int64_t n, int64_t least)
{
    return n > least ? n : least;
}

/* n * part / whole, rounded, not below 1. */
static int64_t share(int64_t n, int64_t part, int64_t whole)
{
    return at_least((n * part + whole / 2) / whole, 1);
}

static void refuse(struct image_plan *out, const char *code, const char *why)
{
    *out = (struct image_plan){ .deed = IMAGE_REFUSE, .code = code };
    (void)str_copy(out->why, sizeof(out->why), why);
}

static void refuse_size(struct image_plan *out, const struct image_info *info, int64_t least)
{
    refuse(out, "image_size", "");
    (void)str_fmt(out->why, sizeof(out->why),
                  "it has %dx%d pixels, at least %dx%d are needed and it is not made larger",
                  (int)info->width, (int)info->height, (int)least, (int)least);
}

/* Scales down to `most`, then widens the canvas to the ratio and to the least size. */
static void layout(const struct use_row *use, int64_t width, int64_t height, struct image_plan *out)
{
    int64_t most = use->most < CONVERTED_MAX_PX ? use->most : CONVERTED_MAX_PX;
    int64_t longer = width > height ? width : height;
    int64_t w = longer > most ? share(width, most, longer) : width;
    int64_t h = longer > most ? share(height, most, longer) : height;
    int64_t canvas_w = at_least(w, use->least);
    int64_t canvas_h = at_least(h, use->least);

    if (use->ratio) {
        canvas_w = at_least(canvas_w, (canvas_h * 3 + 3) / 4);
        canvas_h = at_least(canvas_h, (canvas_w * 3 + 3) / 4);
    }
    out->deed = IMAGE_CONVERT;
    out->width = (int)w;
    out->height = (int)h;
    out->canvas_width = (int)canvas_w;
    out->canvas_height = (int)canvas_h;
}

void image_plan_make(const struct image_info *info, size_t len, bool whole, const char *use,
                     struct image_plan *out)
{
    const struct use_row *row = use_find(use);
    bool turned = info->orientation >= 5;
    int64_t width = turned ? info->height : info->width;
    int64_t height = turned ? info->width : info->height;
    int64_t shorter = width < height ? width : height;
    int64_t longer = width < height ? height : width;
    bool fits = shorter >= row->least && longer <= row->most && len <= LIMIT_IMAGE_UPLOAD_BYTES &&
                (!row->ratio || longer * 3 <= shorter * 4);

    *out = (struct image_plan){ .deed = IMAGE_KEEP };
    if (info->kind == IMAGE_UNKNOWN) {
        refuse(out, "image_format", "the file is no picture");
    } else if (!whole) {
        refuse(out, "image_cut", "the file ends before the picture does");
    } else if (taken_as_it_is(info->kind) && fits && !info->cmyk) {
        return;
    } else if (longer < row->least || shorter < ANY_MIN_PX) {
        refuse_size(out, info, row->least);
    } else if (!convertible(info->kind)) {
        refuse(out, taken_as_it_is(info->kind) ? "image_size" : "image_format", "");
        (void)str_fmt(out->why, sizeof(out->why),
                      "a %s file of %dx%d pixels cannot be used and is not converted",
                      image_kind_type(info->kind), (int)info->width, (int)info->height);
    } else if (info->width * info->height > LIMIT_IMAGE_PIXELS) {
        refuse(out, "image_pixels", "");
        (void)str_fmt(out->why, sizeof(out->why),
                      "it has %dx%d pixels, more than the %d million that are converted",
                      (int)info->width, (int)info->height, (int)(LIMIT_IMAGE_PIXELS / 1000000));
    } else {
        layout(row, width, height, out);
    }
}
