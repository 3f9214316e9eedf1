/* shop_image.c - upload_product_image: takes the multipart body apart and reads the true size of the picture. */
#include "state.h"

#include "sign.h"
#include "str.h"

#include <stdio.h>
#include <string.h>

#define IMAGE_MAX_BYTES ((size_t)10 << 20)
#define IMAGE_MIN_PIXELS 100
#define IMAGE_MAX_PIXELS 20000

static uint32_t be32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t le(const unsigned char *p, int bytes)
{
    uint32_t value = 0;

    for (int i = bytes - 1; i >= 0; i--)
        value = value << 8 | p[i];
    return value;
}

/* Walks the JPEG segments to the frame header. */
static bool jpeg_size(const unsigned char *data, size_t len, int64_t *width, int64_t *height)
{
    size_t at = 2;

    while (at + 9 < len && data[at] == 0xFF) {
        unsigned char mark = data[at + 1];
        size_t size = (size_t)data[at + 2] << 8 | data[at + 3];
        bool frame = mark >= 0xC0 && mark <= 0xCF && mark != 0xC4 && mark != 0xC8 && mark != 0xCC;

        if (mark == 0xFF) {
            at++;
            continue;
        }
        if (frame) {
            *height = (int64_t)data[at + 5] << 8 | data[at + 6];
            *width = (int64_t)data[at + 7] << 8 | data[at + 8];
            return true;
        }
        if (size < 2)
            return false;
        at += 2 + size;
    }
    return false;
}

static bool webp_size(const unsigned char *data, size_t len, int64_t *width, int64_t *height)
{
    if (len < 30)
        return false;
    if (memcmp(data + 12, "VP8X", 4) == 0) {
        *width = (int64_t)le(data + 24, 3) + 1;
        *height = (int64_t)le(data + 27, 3) + 1;
        return true;
    }
    if (memcmp(data + 12, "VP8L", 4) == 0) {
        uint32_t bits = le(data + 21, 4);

        *width = (int64_t)(bits & 0x3FFF) + 1;
        *height = (int64_t)(bits >> 14 & 0x3FFF) + 1;
        return true;
    }
    if (memcmp(data + 12, "VP8 ", 4) == 0) {
        *width = (int64_t)(le(data + 26, 2) & 0x3FFF);
        *height = (int64_t)(le(data + 28, 2) & 0x3FFF);
        return true;
    }
    return false;
}

bool sbx_image_size(const unsigned char *data, size_t len, int64_t *width, int64_t *height,
                    const char **format)
{
    if (len > 33 && memcmp(data, "\x89PNG\r\n\x1a\n", 8) == 0 &&
        memcmp(data + 12, "IHDR", 4) == 0) {
        *width = be32(data + 16);
        *height = be32(data + 20);
        *format = "PNG";
        return true;
    }
    if (len > 4 && data[0] == 0xFF && data[1] == 0xD8) {
        *format = "JPEG";
        return jpeg_size(data, len, width, height);
    }
    if (len > 16 && memcmp(data, "RIFF", 4) == 0 && memcmp(data + 8, "WEBP", 4) == 0) {
        *format = "WEBP";
        return webp_size(data, len, width, height);
    }
    if (len > 30 && data[0] == 'B' && data[1] == 'M') {
        int32_t signed_height = (int32_t)le(data + 22, 4);

        *width = le(data + 18, 4);
        *height = signed_height < 0 ? -(int64_t)signed_height : signed_height;
        *format = "BMP";
        return true;
    }
    return false;
}

/* One part of a multipart body; pointers into the request. */
struct part {
    char name[64];
    bool has_file_name;
    const char *data;
    size_t len;
};

/* Boundary of the content type; false when it has none. */
static bool boundary_of(const struct http_req *req, char *out, size_t cap)
{
    const char *type = http_header(req, "content-type");
    const char *mark = type == NULL ? NULL : strstr(type, "boundary=");

    if (mark == NULL)
        return false;
    mark += 9;
    bool quoted = *mark == '"';
    mark += quoted;
    size_t len = strcspn(mark, quoted ? "\"" : "; ");
    if (len == 0 || len > 70 || len >= cap)
        return false;
    memcpy(out, mark, len);
    out[len] = '\0';
    return true;
}

static bool head_read(const char *head, size_t len, struct part *out)
{
    char text[1024];

    if (len >= sizeof text)
        return false;
    memcpy(text, head, len);
    text[len] = '\0';
    const char *name = strstr(text, " name=\"");
    if (name == NULL)
        return false;
    name += 7;
    size_t name_len = strcspn(name, "\"");
    if (name_len == 0 || name_len >= sizeof out->name)
        return false;
    memcpy(out->name, name, name_len);
    out->name[name_len] = '\0';
    out->has_file_name = strstr(text, "filename=\"") != NULL;
    return true;
}

static const char *find(const char *from, const char *end, const char *what)
{
    size_t len = strlen(what);

    for (; (size_t)(end - from) >= len; from++) {
        from = memchr(from, what[0], (size_t)(end - from) - len + 1);
        if (from == NULL || memcmp(from, what, len) == 0)
            return from;
    }
    return NULL;
}

/* Reads the part that starts at *at; false at the end or when the body is malformed. */
static bool part_read(const struct http_req *req, const char *mark, size_t *at, struct part *out)
{
    size_t mark_len = strlen(mark);
    const char *end = req->body + req->body_len;
    const char *from = req->body + *at;

    if ((size_t)(end - from) < mark_len + 4 || memcmp(from, mark, mark_len) != 0 ||
        memcmp(from + mark_len, "\r\n", 2) != 0)
        return false;
    from += mark_len + 2;
    const char *blank = find(from, end, "\r\n\r\n");
    if (blank == NULL || !head_read(from - 1, (size_t)(blank - from) + 1, out))
        return false;
    char close[80];
    (void)snprintf(close, sizeof close, "\r\n%s", mark);
    const char *data = blank + 4;
    const char *stop = find(data, end, close);
    if (stop == NULL)
        return false;
    out->data = data;
    out->len = (size_t)(stop - data);
    *at = (size_t)(stop + 2 - req->body);
    return true;
}

struct upload {
    const char *data;
    size_t len;
    char use_case[32];
};

/* Reads both parts; false after sbx_fail. */
static bool parts_read(struct sbx_call *c, struct upload *out)
{
    const json_t *cases = json_object_get(
        json_object_get(json_object_get(c->spec, "body"), "properties"), "use_case");
    char boundary[72], mark[76];
    struct part part = { 0 };
    struct sbx_breach breach;
    size_t at = 0;
    bool use_case_seen = false;

    if (!boundary_of(c->req, boundary, sizeof boundary)) {
        sbx_fail(c, 36009023, "content-type must be multipart/form-data with a boundary");
        return false;
    }
    (void)snprintf(mark, sizeof mark, "--%s", boundary);
    while (part_read(c->req, mark, &at, &part)) {
        if (str_eq(part.name, "data") && out->data == NULL) {
            out->data = part.data;
            out->len = part.len;
        } else if (str_eq(part.name, "use_case") && !use_case_seen &&
                   part.len < sizeof out->use_case) {
            memcpy(out->use_case, part.data, part.len);
            out->use_case[part.len] = '\0';
            use_case_seen = true;
            if (!sbx_schema_param(cases, "use_case", out->use_case, &breach)) {
                sbx_fail(c, 11050001, "invalid param: %s", breach.text);
                return false;
            }
        } else {
            sbx_fail(c, 11050001, "invalid param: %s", part.name);
            return false;
        }
    }
    size_t mark_len = strlen(mark);
    if (c->req->body_len < at + mark_len + 2 ||
        memcmp(c->req->body + at + mark_len, "--", 2) != 0) {
        sbx_fail(c, 36009022, "Invalid request format: the multipart body is malformed");
        return false;
    }
    if (out->data == NULL || out->len == 0) {
        sbx_fail(c, 12038002,
                 "Invalid upload file. Please ensure you are passing the correct file data.");
        return false;
    }
    return true;
}

static void remember(struct sbx_call *c, const struct upload *up, int64_t width, int64_t height)
{
    unsigned char digest[SIGN_SHA256_BYTES];
    char hex[SIGN_HEX_BYTES], uri[96], url[256];
    json_t *image = sbx_need(json_object());

    const char *use_case = up->use_case[0] == '\0' ? "MAIN_IMAGE" : up->use_case;
    sign_hmac_sha256(use_case, strlen(use_case), up->data, up->len,
                     digest); /* same picture, same use: same uri */
    str_hex(hex, digest, sizeof digest);
    hex[32] = '\0';
    (void)snprintf(uri, sizeof uri, "tos-sandbox-i-o3syd03w52-br/%s", hex);
    (void)snprintf(url, sizeof url, "https://p16-sandbox.ibyteimg.example/%s", uri);
    sbx_set_int(image, "width", width);
    sbx_set_int(image, "height", height);
    sbx_set_int(image, "bytes", (int64_t)up->len);
    sbx_set_text(image, "use_case", use_case);
    sbx_set_text(image, "url", url);
    sbx_set(c->sb->images, uri, image);
    c->data = sbx_need(json_object());
    sbx_set_text(c->data, "uri", uri);
    sbx_set_text(c->data, "url", url);
    sbx_set_int(c->data, "height", height);
    sbx_set_int(c->data, "width", width);
    sbx_set_text(c->data, "use_case", use_case);
}

void sbx_upload_image(struct sbx_call *c)
{
    struct upload up = { 0 };
    int64_t width = 0, height = 0;
    const char *format = "";

    if (!parts_read(c, &up))
        return;
    if (up.len > IMAGE_MAX_BYTES) {
        sbx_fail(c, 12038005, "The file size exceeds the maximum allowed size.");
        return;
    }
    if (!sbx_image_size((const unsigned char *)up.data, up.len, &width, &height, &format)) {
        sbx_fail(
            c, 12038015,
            "Failed to process the image. The format or content is not supported. Supported formats: "
            "JPG, JPEG, PNG, WEBP, HEIC, BMP");
        return;
    }
    bool gallery = up.use_case[0] == '\0' || str_eq(up.use_case, "MAIN_IMAGE");
    int64_t least = gallery                                   ? 300
                    : str_eq(up.use_case, "SIZE_CHART_IMAGE") ? 1024
                                                              : IMAGE_MIN_PIXELS;
    int64_t most = gallery ? 4000 : IMAGE_MAX_PIXELS;
    int64_t low = width < height ? width : height;
    int64_t high = width > height ? width : height;
    if (low < least || high > most) {
        sbx_fail(
            c, 12038014,
            "The image dimensions exceed the allowed limits. Allowed dimensions (width x height in pixels): %lld x "
            "%lld to %lld x %lld",
            (long long)least, (long long)least, (long long)most, (long long)most);
        return;
    }
    remember(c, &up, width, height);
}
