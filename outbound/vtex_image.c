/* vtex_image.c - the pictures of a SKU in VTEX, and what their addresses mean.
 *
 * ".../arquivos/ids/155601-55-55/front.jpg?v=1": 155601 is the file, -55-55 (or -500-auto) the wanted width and height;
 * without them VTEX gives the original. The name and the query do not matter. */
#include "vtex_image.h"

#include <string.h>

#include "jspec.h"
#include "str.h"

#define MARK "/arquivos/ids/"

struct file {
    const char *url; /* borrowed, or NULL: only the place is known */
    const char *place;
    bool main;
    int64_t position;
    size_t order; /* as VTEX lists it */
};

/* Behind the mark: digits of the file, then the size. NULL when this is no such address. */
static const char *file_id(const char *url, size_t *id_len, size_t *size_len)
{
    const char *at = strstr(url, MARK);

    if (at == NULL)
        return NULL;
    at += strlen(MARK);
    *id_len = strspn(at, "0123456789");
    *size_len = 0;
    for (int i = 0; i < 2 && at[*id_len + *size_len] == '-'; i++) {
        const char *part = at + *id_len + *size_len + 1;
        size_t len = strspn(part, "0123456789");

        if (len == 0 && strncmp(part, "auto", 4) == 0)
            len = 4;
        if (len == 0)
            break;
        *size_len += 1 + len;
    }
    const char after = at[*id_len + *size_len];

    if (after != '/' && after != '?' && after != '\0' && after != '.')
        *size_len = 0;
    return *id_len > 0 ? at : NULL;
}

bool vtex_image_original(const char *url, char *out, size_t cap)
{
    size_t id_len = 0;
    size_t size_len = 0;
    const char *id = file_id(url, &id_len, &size_len);

    if (id == NULL)
        return str_copy(out, cap, url);
    return str_fmt(out, cap, "%.*s%s", (int)(id - url) + (int)id_len, url, id + id_len + size_len);
}

bool vtex_image_same(const char *a, const char *b)
{
    size_t a_len = 0, b_len = 0, ignored = 0;
    const char *a_id = file_id(a, &a_len, &ignored);
    const char *b_id = file_id(b, &b_len, &ignored);

    if (a_id == NULL || b_id == NULL)
        return str_eq(a, b);
    return a_len == b_len && memcmp(a_id, b_id, a_len) == 0;
}

static bool before(const struct file *a, const struct file *b)
{
    if (a->main != b->main)
        return a->main;
    return a->position != b->position ? a->position < b->position : a->order < b->order;
}

/* Keeps the list in order. */
static void insert(struct file *list, size_t *n, const struct file *one)
{
    size_t at = *n;

    while (at > 0 && before(one, &list[at - 1])) {
        list[at] = list[at - 1];
        at--;
    }
    list[at] = *one;
    (*n)++;
}

/* Address of the original; the place ("host/arquivos/...") has no scheme. False: nothing usable. */
static bool address(const struct file *f, char *out, size_t cap)
{
    char whole[LIMIT_IMAGE_URL];

    if (!str_blank(f->url))
        return vtex_image_original(f->url, out, cap);
    return !str_blank(f->place) && str_fmt(whole, sizeof(whole), "https://%s", f->place) &&
           vtex_image_original(whole, out, cap);
}

enum rc vtex_images_read(const json_t *files, json_t **out, struct err *e)
{
    struct file list[LIMIT_VTEX_IMAGES + 1];
    json_auto_t *urls = json_array();
    char url[LIMIT_IMAGE_URL];
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(files) && n < LIMIT_VTEX_IMAGES; i++) {
        const json_t *one = json_array_get(files, i);
        const struct file f = { .url = jspec_text(one, "Url"),
                                .place = jspec_text(one, "FileLocation"),
                                .main = jspec_bool(one, "IsMain", false),
                                .position = jspec_int(one, "Position", INT64_MAX),
                                .order = i };

        insert(list, &n, &f);
    }
    for (size_t i = 0; i < n; i++)
        if (address(&list[i], url, sizeof(url)) &&
            json_array_append_new(urls, json_string(url)) != 0)
            return err_set(e, RC_BUG, "out of memory");
    *out = json_incref(urls);
    return RC_OK;
}

enum rc vtex_sku_images(struct vtex_session *s, const char *sku_id, json_t **out, struct err *e)
{
    struct vtex_reply reply = { 0 };
    char path[120];

    if (!str_digits(sku_id) || strlen(sku_id) > 18)
        return err_code(e, RC_INVALID, "vtex_sku_id", "a VTEX SKU id is a whole number");
    (void)str_fmt(path, sizeof(path), "/api/catalog/pvt/stockkeepingunit/%s/file", sku_id);

    const struct vtex_req req = {
        .operation = "listSkuFiles", .method = "GET", .path = path, .entity = sku_id
    };
    enum rc rc = vtex_call(s, &req, &reply, e);

    if (rc == RC_OK || rc == RC_NOT_FOUND)
        rc = vtex_images_read(rc == RC_OK ? reply.body : NULL, out, e);
    vtex_reply_done(&reply);
    return rc;
}
