/* image_use.h - a picture of the merchant for TikTok's uses: fetched once, judged, converted where that helps, uploaded
 * once for each use. */
#ifndef SYNC_IMAGE_USE_H
#define SYNC_IMAGE_USE_H

#include "db_image.h"
#include "product_job.h"

enum image_use { USE_ATTRIBUTE, USE_MAIN, USE_DESCRIPTION, IMAGE_USES };

/* One address with what it is wanted for and what came of it. */
struct picture {
    const char *url; /* borrowed */
    bool wanted[IMAGE_USES];
    struct image_row got[IMAGE_USES]; /* uri "": not usable for this */
};

/* Fills got for every wanted use. A picture that cannot be used becomes a note of the product (field: where it stands in
 * the feed) and RC_OK. Other outcomes end the job for now: the host or TikTok is away. */
enum rc image_use_get(struct publish *p, struct picture *pic, const char *field, struct err *e);

#endif
