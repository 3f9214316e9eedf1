/* product_description.c - pictures inside a product's description, uploaded for that use. */
#include "product_job.h"

#include "image_use.h"
#include "map_text.h"
#include "problem.h"
#include "str.h"
#include "vtex_image.h"

static enum rc one_picture(struct publish *p, const char *src, struct err *e)
{
    const char *page = desired_text(p->product.desired, "link");
    char url[LIMIT_IMAGE_URL];
    struct picture pic = { .url = url, .wanted[USE_DESCRIPTION] = true };
    const struct image_row *got = &pic.got[USE_DESCRIPTION];

    if (!map_text_address(src, page, url, sizeof(url))) {
        problem_add(p->notes, "image_skipped", "description",
                    "Give the pictures of the description with their whole address.",
                    "The picture %.200s of the description is left out: it has no address.", src);
        return RC_OK;
    }
    enum rc rc = image_use_get(p, &pic, "description", e);

    if (rc != RC_OK || got->uri[0] == '\0' || got->url[0] == '\0')
        return rc;
    return json_object_set_new(p->description_images, src,
                               json_pack("{s:s, s:I, s:I}", "url", got->url, "width",
                                         (json_int_t)got->width, "height",
                                         (json_int_t)got->height)) == 0
               ? RC_OK
               : err_set(e, RC_BUG, "out of memory");
}

enum rc publish_description_images(struct publish *p, struct err *e)
{
    json_auto_t *list = NULL;
    enum rc rc = map_text_html_pictures(desired_text(p->product.desired, "description"), &list, e);
    size_t n = json_array_size(list);

    if (rc != RC_OK || n == 0)
        return rc;
    p->description_images = json_object();
    for (size_t i = 0; rc == RC_OK && i < n && i < DESCRIPTION_IMAGES_MAX; i++) {
        const char *src = json_string_value(json_array_get(list, i));

        if (json_object_get(p->description_images, src) == NULL)
            rc = one_picture(p, src, e);
    }
    if (rc == RC_OK && n > DESCRIPTION_IMAGES_MAX)
        problem_add(p->notes, "description_images", "description",
                    "Use fewer pictures in the description.",
                    "The description has more than %d pictures; further ones are left out.",
                    DESCRIPTION_IMAGES_MAX);
    return rc;
}
