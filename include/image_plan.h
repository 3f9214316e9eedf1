/* image_plan.h - what has to be done to a picture before TikTok takes it for a use; pure. */
#ifndef IMAGE_PLAN_H
#define IMAGE_PLAN_H

#include "image_size.h"

#define IMAGE_USE_MAIN "MAIN_IMAGE"
#define IMAGE_USE_ATTRIBUTE "ATTRIBUTE_IMAGE"
#define IMAGE_USE_DESCRIPTION "DESCRIPTION_IMAGE"

/* TikTok takes no larger file (contract: 10 MB). */
#define LIMIT_IMAGE_UPLOAD_BYTES ((size_t)10 << 20)
/* More than this is not decoded: at four bytes a pixel the decoder of some formats needs eight. */
#define LIMIT_IMAGE_PIXELS INT64_C(40000000)

enum image_deed {
    IMAGE_KEEP,    /* the bytes can be sent as they are */
    IMAGE_CONVERT, /* to a JPEG of the given size */
    IMAGE_REFUSE   /* nothing honest can be done */
};

struct image_plan {
    enum image_deed deed;
    int width, height;               /* of the picture in the result, upright */
    int canvas_width, canvas_height; /* of the result; what the picture leaves free is white */
    const char *code; /* of a refusal: image_format, image_size, image_pixels, image_cut */
    char why[160];    /* the same in words */
};

/* Decides by header, length and use (IMAGE_USE_...). Any thread. */
void image_plan_make(const struct image_info *info, size_t len, bool whole, const char *use,
                     struct image_plan *out);

#endif
