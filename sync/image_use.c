/* image_use.c - one picture of the merchant: fetched, judged by its bytes, converted if need be, uploaded for its uses.
 *
 * What became of a file is remembered by the SHA-256 of its bytes and the use, also when it cannot be used: the same file
 * is never converted or uploaded twice, and two workers never work on the same bytes at the same time. */
#include "image_use.h"

#include <string.h>

#include "fault.h"
#include "image_convert.h"
#include "image_plan.h"
#include "problem.h"
#include "sign.h"
#include "single.h"
#include "str.h"

#define URL_MAX_AGE_S 86400
/* A picture host that stays away does not keep the product back for ever. */
#define TRIES_BEFORE_SKIP 4
#define TRIES_OF_DESCRIPTION 2 /* the text says it without */
#define IMAGE_TOTAL_MS 30000
#define LIMIT_SOURCE_IMAGE_BYTES ((int64_t)20 << 20) /* more than TikTok takes: it may shrink */

static const char *const USE_CASES[IMAGE_USES] = { IMAGE_USE_ATTRIBUTE, IMAGE_USE_MAIN,
                                                   IMAGE_USE_DESCRIPTION };

/* ---- database ---------------------------------------------------------------------------------- */

/* Leaves *row empty when nothing is known. */
static enum rc known_by_url(struct publish *p, const char *url, enum image_use use,
                            struct image_row *row, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(p->ctx, "image_by_url", &tx, e);

    if (rc == RC_OK)
        rc = db_image_by_url(tx, p->shop.shop_id, url, USE_CASES[use], URL_MAX_AGE_S, row, e);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc known_by_hash(struct publish *p, const unsigned char *hash, enum image_use use,
                             struct image_row *row, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(p->ctx, "image_get", &tx, e);

    if (rc == RC_OK)
        rc = db_image_get(tx, p->shop.shop_id, hash, USE_CASES[use], row, e);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc store_row(struct publish *p, const unsigned char *hash, enum image_use use,
                         const struct image_row *row, struct err *e)
{
    OWN_TX struct db_tx *tx = NULL;
    enum rc rc = job_tx_begin(p->ctx, "image_put", &tx, e);

    if (rc == RC_OK)
        rc = db_image_put(tx, p->client.client_id, p->shop.shop_id, hash, USE_CASES[use], row, e);
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

/* ---- fetching ---------------------------------------------------------------------------------- */

/* RC_INVALID with words when the address gives no picture and will not give one by itself. */
static enum rc download(struct publish *p, const char *url, struct fetch_reply *reply,
                        struct err *e)
{
    const struct fetch_req req = {
        .method = "GET",
        .url = url,
        .policy = FETCH_PUBLIC,
        .headers = { "Accept: image/jpeg, image/png, image/webp, image/*;q=0.5" },
        .n_headers = 1,
        .total_ms = IMAGE_TOTAL_MS,
        .reply_limit_bytes = LIMIT_SOURCE_IMAGE_BYTES,
        .stop = p->ctx->stop,
    };
    enum rc rc = fetch_run(platform_fetch(p->ctx->app->platform), &req, reply, e);

    if (rc == RC_STOPPED || rc == RC_INVALID)
        return rc;
    if (rc != RC_OK)
        return err_code(e, RC_DOWN, "image_host_away", "the picture host does not answer");
    if (reply->status == 200)
        return RC_OK;

    int status = reply->status;

    fetch_reply_done(reply);
    if (status == 429 || status >= 500)
        return err_code(e, RC_DOWN, "image_host_away", "the picture host answers %d", status);
    return err_code(e, RC_INVALID, "image_missing", "the address answers %d", status);
}

/* ---- one use ----------------------------------------------------------------------------------- */

/* A file on its way: what came, or what was made of it. */
struct file {
    const void *data;
    size_t len;
    enum image_kind kind;
    bool converted;
    int64_t width, height;
};

static enum rc upload(struct publish *p, const struct file *f, const unsigned char *hash,
                      enum image_use use, struct image_row *row, struct err *e)
{
    struct tiktok_image image = { 0 };
    char hex[SIGN_HEX_BYTES];
    char name[80];

    str_hex(hex, hash, SIGN_SHA256_BYTES);
    hex[16] = '\0';
    (void)str_fmt(name, sizeof(name), "%s.%s", hex, image_kind_extension(f->kind));

    enum rc rc = tiktok_upload_image(&p->tiktok, USE_CASES[use], f->data, f->len, name,
                                     image_kind_type(f->kind), p->product.source_id, &image, e);

    if (rc != RC_OK)
        return rc;
    fault_point("image_uploaded");
    *row = (struct image_row){ .width = image.width > 0 ? image.width : f->width,
                               .height = image.height > 0 ? image.height : f->height,
                               .bytes = (int64_t)f->len,
                               .converted = f->converted };
    (void)str_copy(row->uri, sizeof(row->uri), image.uri);
    (void)str_copy(row->url, sizeof(row->url), image.url);
    return RC_OK;
}

/* Judges, converts, uploads. RC_INVALID: the file cannot be used for this, whenever it is tried. */
static enum rc make(struct publish *p, const struct fetch_reply *got, const unsigned char *hash,
                    enum image_use use, struct image_row *row, struct err *e)
{
    struct file f = { .data = got->body.data, .len = got->body.len };
    struct image_info info;
    struct image_plan plan;
    OWN_BUF struct buf jpeg;
    enum rc rc = RC_OK;

    buf_init(&jpeg, LIMIT_IMAGE_UPLOAD_BYTES);
    (void)image_size_read(f.data, f.len, &info); /* an unknown kind is refused by the plan */
    image_plan_make(&info, f.len, image_size_whole(f.data, f.len, &info), USE_CASES[use], &plan);
    f.kind = info.kind;
    f.width = info.width;
    f.height = info.height;
    if (plan.deed == IMAGE_REFUSE)
        return err_code(e, RC_INVALID, plan.code, "%s", plan.why);
    if (plan.deed == IMAGE_CONVERT) {
        rc = image_convert(f.data, f.len, &plan, p->ctx->stop, &jpeg, e);
        f = (struct file){ jpeg.data, jpeg.len,          IMAGE_JPEG,
                           true,      plan.canvas_width, plan.canvas_height };
    }
    return rc == RC_OK ? upload(p, &f, hash, use, row, e) : rc;
}

static enum rc settle(struct publish *p, const struct fetch_reply *got, const unsigned char *hash,
                      enum image_use use, struct image_row *row, struct err *e)
{
    struct err why = { 0 };
    enum rc rc = known_by_hash(p, hash, use, row, e);

    if (rc != RC_OK || row->uri[0] != '\0' || row->problem[0] != '\0')
        return rc;
    rc = make(p, got, hash, use, row, &why);
    if (rc == RC_INVALID) {
        *row = (struct image_row){ 0 };
        str_copy_cut(row->code, sizeof(row->code), why.code[0] ? why.code : "image_refused");
        str_copy_cut(row->problem, sizeof(row->problem), why.text);
    } else if (rc != RC_OK) {
        if (e != NULL)
            *e = why;
        return rc;
    }
    return store_row(p, hash, use, row, e);
}

/* ---- all uses ---------------------------------------------------------------------------------- */

static bool open_use(const struct picture *pic, int use)
{
    return pic->wanted[use] && pic->got[use].uri[0] == '\0' && pic->got[use].problem[0] == '\0';
}

static bool all_known(const struct picture *pic)
{
    for (int u = 0; u < IMAGE_USES; u++)
        if (open_use(pic, u))
            return false;
    return true;
}

/* The use that a person should hear about: the first that was refused. NULL = none was. */
static const struct image_row *refused(const struct picture *pic)
{
    for (int u = IMAGE_USES - 1; u >= 0; u--)
        if (pic->wanted[u] && pic->got[u].problem[0] != '\0')
            return &pic->got[u];
    return NULL;
}

static enum rc use_bytes(struct publish *p, struct picture *pic, const struct fetch_reply *got,
                         struct err *e)
{
    unsigned char hash[SIGN_SHA256_BYTES];
    char hex[SIGN_HEX_BYTES];
    enum rc rc = RC_OK;

    sign_sha256(got->body.data, got->body.len, hash);
    str_hex(hex, hash, sizeof(hash));

    int held = single_take(p->shop.shop_id, hex);

    for (int u = 0; rc == RC_OK && u < IMAGE_USES; u++)
        if (open_use(pic, u))
            rc = settle(p, got, hash, (enum image_use)u, &pic->got[u], e);
    single_give(held);
    if (rc != RC_OK)
        return rc;

    const struct image_row *bad = refused(pic);

    return store_source(p, pic->url, hash, bad != NULL ? bad->problem : NULL, e);
}

static enum rc fetch_and_use(struct publish *p, struct picture *pic, struct err *e)
{
    struct fetch_reply got = { 0 };
    enum rc rc = RC_OK;

    for (int u = 0; rc == RC_OK && u < IMAGE_USES; u++)
        if (pic->wanted[u])
            rc = known_by_url(p, pic->url, (enum image_use)u, &pic->got[u], e);
    if (rc != RC_OK || all_known(pic))
        return rc;
    rc = download(p, pic->url, &got, e);
    if (rc != RC_OK)
        return rc;
    rc = use_bytes(p, pic, &got, e);
    fetch_reply_done(&got);
    return rc;
}

/* A host or a converter that stays away is waited for, but not for ever; TikTok is. */
static bool given_up(const struct publish *p, const struct picture *pic, enum rc rc,
                     const struct err *why)
{
    int tries = pic->wanted[USE_DESCRIPTION] ? TRIES_OF_DESCRIPTION : TRIES_BEFORE_SKIP;

    if (rc == RC_INVALID || strcmp(why->code, "no_converter") == 0)
        return true;
    return rc == RC_DOWN && p->ctx->job->attempts >= tries && why->platform_code == 0 &&
           why->retry_after_us == 0;
}

static void note(struct publish *p, const struct picture *pic, const char *field, const char *code,
                 const char *words)
{
    problem_add(p->notes, code[0] ? code : "image_skipped", field,
                "Give the product pictures of 300 to 4,000 pixels a side in JPG, PNG, WEBP or BMP.",
                "The picture %.200s is not used: %s.", pic->url, words);
}

enum rc image_use_get(struct publish *p, struct picture *pic, const char *field, struct err *e)
{
    struct err why = { 0 };
    enum rc rc = fetch_and_use(p, pic, &why);
    const struct image_row *bad = refused(pic);

    if (rc == RC_OK) {
        if (bad != NULL)
            note(p, pic, field, bad->code, bad->problem);
        return RC_OK;
    }
    if (given_up(p, pic, rc, &why)) {
        note(p, pic, field, why.code, why.text);
        return store_source(p, pic->url, NULL, why.text, e);
    }
    if (e != NULL)
        *e = why;
    return rc;
}
