/* product_image.c - pictures: fetched from the merchant once, checked, uploaded once for each use.
 *
 * Uploads are remembered by the SHA-256 of the bytes; two workers never upload the same bytes at the same time. */
#include "product_job.h"

#include <string.h>

#include "fault.h"
#include "image_size.h"
#include "map_text.h"
#include "problem.h"
#include "single.h"
#include "str.h"

#define MAIN_MIN_PX 300
#define MAIN_MAX_PX 4000
#define ANY_MIN_PX 100
#define ANY_MAX_PX 20000
#define URL_MAX_AGE_S 86400
#define LIMIT_CANDIDATES 40
#define TRIES_BEFORE_SKIP \
    4 /* a picture host that stays away does not keep the product back for ever */
#define IMAGE_TOTAL_MS 60000

/* One address with what it is wanted for. */
struct picture {
    const char *url;
    bool main_use;
    bool variant_use;
    char main_uri[IMAGE_URI_BYTES];
    char variant_uri[IMAGE_URI_BYTES];
};

/* ---- database ---------------------------------------------------------------------------------- */

static enum rc known_by_url(struct publish *p, const char *url, const char *use_case,
                            char uri[IMAGE_URI_BYTES], struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    struct image_row row = { 0 };
    enum rc rc = job_tx_begin(p->ctx, "image_by_url", &tx, e);

    if (rc == RC_OK)
        rc = db_image_by_url(tx, p->shop.shop_id, url, use_case, URL_MAX_AGE_S, &row, e);
    if (rc == RC_OK)
        (void)str_copy(uri, IMAGE_URI_BYTES, row.uri);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc known_by_hash(struct publish *p, const unsigned char *hash, const char *use_case,
                             char uri[IMAGE_URI_BYTES], struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    struct image_row row = { 0 };
    enum rc rc = job_tx_begin(p->ctx, "image_get", &tx, e);

    if (rc == RC_OK)
        rc = db_image_get(tx, p->shop.shop_id, hash, use_case, &row, e);
    if (rc == RC_OK)
        (void)str_copy(uri, IMAGE_URI_BYTES, row.uri);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc store_upload(struct publish *p, const unsigned char *hash, const char *use_case,
                            const struct tiktok_image *image, size_t bytes, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    struct image_row row = { .width = image->width, .height = image->height };
    enum rc rc = job_tx_begin(p->ctx, "image_put", &tx, e);

    (void)str_copy(row.uri, sizeof(row.uri), image->uri);
    (void)str_copy(row.url, sizeof(row.url), image->url);
    if (rc == RC_OK)
        rc = db_image_put(tx, p->client.client_id, p->shop.shop_id, hash, use_case, &row,
                          (int64_t)bytes, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

static enum rc store_source(struct publish *p, const char *url, const unsigned char *hash,
                            const char *problem, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(p->ctx, "image_source", &tx, e);

    if (rc == RC_OK)
        rc = db_image_source_put(tx, p->client.client_id, p->shop.shop_id, url, hash, problem, e);
    return rc == RC_OK ? db_tx_commit(tx, e) : rc;
}

/* ---- fetching and uploading -------------------------------------------------------------------- */

/* RC_INVALID with words when the address gives no picture and will not give one by itself. */
static enum rc download(struct publish *p, const char *url, struct fetch_reply *reply,
                        struct err *e)
{
    const struct fetch_req req = {
        .method = "GET",
        .url = url,
        .policy = FETCH_PUBLIC,
        .headers = { "Accept: image/*" },
        .n_headers = 1,
        .total_ms = IMAGE_TOTAL_MS,
        .reply_limit_bytes = (int64_t)LIMIT_IMAGE_BYTES,
        .stop = p->ctx->stop,
    };
    enum rc rc = fetch_run(platform_fetch(p->ctx->app->platform), &req, reply, e);

    if (rc == RC_STOPPED || rc == RC_INVALID)
        return rc;
    if (rc != RC_OK)
        return err_set(e, RC_DOWN, "the picture host does not answer");
    if (reply->status == 200)
        return RC_OK;

    int status = reply->status;

    fetch_reply_done(reply);
    if (status == 429 || status >= 500)
        return err_set(e, RC_DOWN, "the picture host answers %d", status);
    return err_code(e, RC_INVALID, "image_missing", "the address answers %d", status);
}

static enum rc check_size(const struct image_info *info, const char *use_case, struct err *e)
{
    bool main_use = strcmp(use_case, "MAIN_IMAGE") == 0;
    int64_t least = main_use ? MAIN_MIN_PX : ANY_MIN_PX;
    int64_t most = main_use ? MAIN_MAX_PX : ANY_MAX_PX;

    if (info->kind == IMAGE_GIF)
        return err_code(e, RC_INVALID, "image_format", "TikTok takes no GIF pictures");
    if (info->kind == IMAGE_UNKNOWN)
        return err_code(e, RC_INVALID, "image_format", "the file is no picture that TikTok takes");
    if (info->width < least || info->height < least || info->width > most || info->height > most)
        return err_code(e, RC_INVALID, "image_size",
                        "the picture has %dx%d pixels, TikTok takes %dx%d to %dx%d",
                        (int)info->width, (int)info->height, (int)least, (int)least, (int)most,
                        (int)most);
    return RC_OK;
}

static enum rc upload(struct publish *p, const struct fetch_reply *got,
                      const struct image_info *info, const unsigned char *hash,
                      const char *use_case, char uri[IMAGE_URI_BYTES], struct err *e)
{
    struct tiktok_image image = { 0 };
    char hex[SIGN_HEX_BYTES];
    char name[80];
    enum rc rc = known_by_hash(p, hash, use_case, uri, e);

    if (rc != RC_OK || uri[0] != '\0')
        return rc;
    rc = check_size(info, use_case, e);
    if (rc != RC_OK)
        return rc;
    str_hex(hex, hash, SIGN_SHA256_BYTES);
    hex[16] = '\0';
    (void)str_fmt(name, sizeof(name), "%s.%s", hex, image_kind_extension(info->kind));
    rc = tiktok_upload_image(&p->tiktok, use_case, got->body.data, got->body.len, name,
                             image_kind_type(info->kind), p->product.source_id, &image, e);
    if (rc != RC_OK)
        return rc;
    fault_point("image_uploaded");
    rc = store_upload(p, hash, use_case, &image, got->body.len, e);
    if (rc == RC_OK)
        (void)str_copy(uri, IMAGE_URI_BYTES, image.uri);
    return rc;
}

static enum rc use_bytes(struct publish *p, struct picture *pic, const struct fetch_reply *got,
                         struct err *e)
{
    unsigned char hash[SIGN_SHA256_BYTES];
    char hex[SIGN_HEX_BYTES];
    struct image_info info;
    enum rc rc = RC_OK;

    (void)image_size_read(got->body.data, got->body.len, &info); /* unknown is refused below */
    sign_sha256(got->body.data, got->body.len, hash);

    str_hex(hex, hash, sizeof(hash));

    int held = single_take(p->shop.shop_id, hex);

    if (pic->variant_use)
        rc = upload(p, got, &info, hash, "ATTRIBUTE_IMAGE", pic->variant_uri, e);
    if (pic->main_use && (rc == RC_OK || rc == RC_INVALID)) {
        rc = upload(p, got, &info, hash, "MAIN_IMAGE", pic->main_uri, e);
    }
    single_give(held);
    if (rc == RC_OK)
        return store_source(p, pic->url, hash, NULL, e);
    return rc;
}

static enum rc picture_fetch(struct publish *p, struct picture *pic, struct err *e)
{
    struct fetch_reply got = { 0 };
    enum rc rc = RC_OK;

    if (pic->main_use)
        rc = known_by_url(p, pic->url, "MAIN_IMAGE", pic->main_uri, e);
    if (rc == RC_OK && pic->variant_use)
        rc = known_by_url(p, pic->url, "ATTRIBUTE_IMAGE", pic->variant_uri, e);
    if (rc != RC_OK || ((!pic->main_use || pic->main_uri[0] != '\0') &&
                        (!pic->variant_use || pic->variant_uri[0] != '\0')))
        return rc;
    rc = download(p, pic->url, &got, e);
    if (rc != RC_OK)
        return rc;
    rc = use_bytes(p, pic, &got, e);
    fetch_reply_done(&got);
    return rc;
}

/* A picture that cannot be used is a note, not the end of the product. */
static enum rc picture_get(struct publish *p, struct picture *pic, struct err *e)
{
    struct err why = { 0 };
    enum rc rc = picture_fetch(p, pic, &why);

    if (rc == RC_DOWN && p->ctx->job->attempts >= TRIES_BEFORE_SKIP && why.platform_code == 0 &&
        why.retry_after_us == 0)
        rc = RC_INVALID;
    if (rc == RC_INVALID) {
        problem_add(
            p->notes, why.code[0] ? why.code : "image_skipped", "images",
            "Give the product pictures of 300 to 4,000 pixels a side in JPG, PNG, WEBP or BMP.",
            "The picture %.200s is not used: %s.", pic->url, why.text);
        return store_source(p, pic->url, NULL, why.text, e);
    }
    if (rc != RC_OK && e != NULL)
        *e = why;
    return rc;
}

/* ---- which pictures ---------------------------------------------------------------------------- */

static void candidate(struct picture *list, int *n, const char *url, bool main_use,
                      bool variant_use)
{
    if (str_blank(url))
        return;
    for (int i = 0; i < *n; i++)
        if (strcmp(list[i].url, url) == 0) {
            list[i].main_use = list[i].main_use || main_use;
            list[i].variant_use = list[i].variant_use || variant_use;
            return;
        }
    if (*n < LIMIT_CANDIDATES)
        list[(*n)++] =
            (struct picture){ .url = url, .main_use = main_use, .variant_use = variant_use };
}

static const char *first_image(const json_t *item)
{
    return json_string_value(json_array_get(json_object_get(item, "images"), 0));
}

/* Value key of the primary kind -> address of its first picture; empty when a value has none or all share one. */
static enum rc variant_addresses(const struct publish *p, json_t *out, struct err *e)
{
    json_auto_t *urls = json_object();
    OWN_BUF struct buf value;
    OWN_BUF struct buf key;

    buf_init(&value, 4096);
    buf_init(&key, 4096);
    for (int i = 0; p->plan.primary >= 0 && i < p->n_listed; i++) {
        const json_t *item = p->listed[i].item;
        const char *url = first_image(item);
        enum rc rc = map_variant_value(&p->plan.kinds[p->plan.primary], item, &value, e);

        if (rc == RC_OK)
            rc = map_text_key(buf_text(&value), &key, e);
        if (rc != RC_OK)
            return rc;
        if (str_blank(url))
            return json_object_clear(out) == 0 ? RC_OK : err_set(e, RC_BUG, "out of memory");
        if (json_object_get(out, buf_text(&key)) != NULL)
            continue;
        if (json_object_set_new(out, buf_text(&key), json_string(url)) != 0 ||
            json_object_set_new(urls, url, json_true()) != 0)
            return err_set(e, RC_BUG, "out of memory");
    }
    if (json_object_size(urls) < 2)
        (void)json_object_clear(out);
    return RC_OK;
}

static void all_candidates(const struct publish *p, const json_t *variants, struct picture *list,
                           int *n)
{
    const json_t *own = json_object_get(p->product.desired, "images");
    const char *key;
    json_t *url;

    for (size_t i = 0; i < json_array_size(own); i++)
        candidate(list, n, json_string_value(json_array_get(own, i)), true, false);
    for (int s = 0; s < p->n_listed; s++) {
        const json_t *images = json_object_get(p->listed[s].item, "images");

        for (size_t i = 0; i < json_array_size(images); i++)
            candidate(list, n, json_string_value(json_array_get(images, i)), true, false);
    }
    json_object_foreach((json_t *)(uintptr_t)variants, key, url)
        candidate(list, n, json_string_value(url), false, true);
}

static const struct picture *by_url(const struct picture *list, int n, const char *url)
{
    for (int i = 0; i < n; i++)
        if (strcmp(list[i].url, url) == 0)
            return &list[i];
    return NULL;
}

/* Every value of the primary kind needs a picture, or none gets one. */
static enum rc set_variants(struct publish *p, const json_t *variants, const struct picture *list,
                            int n, struct err *e)
{
    json_auto_t *uris = json_object();
    const char *key;
    json_t *url;

    json_object_foreach((json_t *)(uintptr_t)variants, key, url)
    {
        const struct picture *pic = by_url(list, n, json_string_value(url));

        if (pic == NULL || pic->variant_uri[0] == '\0')
            return RC_OK;
        if (json_object_set_new(uris, key, json_string(pic->variant_uri)) != 0)
            return err_set(e, RC_BUG, "out of memory");
    }
    p->image_uris = json_incref(uris);
    return RC_OK;
}

enum rc publish_images(struct publish *p, struct err *e)
{
    json_auto_t *variants = json_object();
    struct picture *list = calloc(LIMIT_CANDIDATES, sizeof(*list));
    int n = 0;
    enum rc rc =
        list != NULL ? variant_addresses(p, variants, e) : err_set(e, RC_BUG, "out of memory");

    if (rc == RC_OK)
        all_candidates(p, variants, list, &n);
    for (int i = 0; rc == RC_OK && i < n; i++) {
        if (p->n_main_uris == MAIN_IMAGES_MAX)
            list[i].main_use = false;
        if (!list[i].main_use && !list[i].variant_use)
            continue;
        rc = picture_get(p, &list[i], e);
        if (rc == RC_OK && list[i].main_uri[0] != '\0')
            (void)str_copy(p->main_uris[p->n_main_uris++], IMAGE_URI_BYTES, list[i].main_uri);
    }
    if (rc == RC_OK)
        rc = set_variants(p, variants, list, n, e);
    free(list);
    return rc;
}
