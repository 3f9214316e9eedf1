/* merchant_picture.c - draws the merchant's product pictures: real PNG files, the same bytes for the same name.
 *
 * Indexed colours keep them small: a background, a band, a shape in the product's colour, a pattern on it. */
#include "merchant.h"

#include "str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define PICTURE_PIXELS 800
#define PICTURE_SMALL_PIXELS 90
#define LIMIT_PICTURE_BYTES ((size_t)1 << 20)

enum ink { INK_BACK, INK_BAND, INK_BODY, INK_SHADE, INK_MARK, INK_COUNT };

static const struct {
    const char *name;
    unsigned char rgb[3];
} COLORS[] = {
    { "preta", { 45, 45, 52 } },   { "branca", { 244, 244, 240 } }, { "azul", { 40, 92, 190 } },
    { "verde", { 46, 139, 87 } },  { "vermelha", { 200, 45, 50 } }, { "cinza", { 140, 145, 150 } },
    { "rosa", { 235, 130, 165 } }, { "amarela", { 245, 205, 60 } }, { "laranja", { 240, 140, 45 } },
    { "roxa", { 120, 70, 170 } },  { "bege", { 214, 190, 150 } },   { "marrom", { 120, 80, 50 } },
    { "unica", { 90, 140, 150 } },
};

static void put32(unsigned char *at, uint32_t value)
{
    at[0] = (unsigned char)(value >> 24);
    at[1] = (unsigned char)(value >> 16);
    at[2] = (unsigned char)(value >> 8);
    at[3] = (unsigned char)value;
}

static void chunk(struct buf *out, const char *type, const unsigned char *data, size_t len)
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

/* Whether a point belongs to the shape; x and y run from -1000 to 1000. */
static bool inside(int shape, int x, int y)
{
    int ax = abs(x), ay = abs(y);
    long r = (long)x * x + (long)y * y;

    switch (shape) {
    case 0: /* shirt: body and sleeves */
        return (ax < 420 && y > -500 && y < 620) || (ax < 760 && y > -500 && y < -180);
    case 1: /* bottle */
        return (ax < 260 && y > -380 && y < 720) || (ax < 130 && y > -720 && y <= -380);
    case 2: /* ball */
        return r < 620L * 620L;
    case 3: /* box */
        return ax < 600 && ay < 450;
    case 4: /* diamond */
        return ax + ay < 720;
    case 5: /* ring */
        return r < 650L * 650L && r > 330L * 330L;
    case 6: /* trousers */
        return (ax < 380 && y > -650 && y < -350) || (ax > 60 && ax < 400 && y >= -350 && y < 700);
    default: /* cup with a handle */
        return (x > -520 && x < 280 && ay < 480) ||
               (x >= 280 && r < 640L * 640L && r > 430L * 430L);
    }
}

static unsigned char ink_at(int shape, int variant, int x, int y)
{
    if (inside(shape, x, y)) {
        int stripe =
            (x * (variant % 3 + 1) + y * (variant / 3 % 3) + 4000) / (60 + variant % 5 * 25);

        if (x * x + (y - 100) * (y - 100) < 110 * 110)
            return INK_MARK;
        return stripe % 4 == 0 ? INK_SHADE : INK_BODY;
    }
    return y > 620 + variant % 4 * 40 ? INK_BAND : INK_BACK;
}

static void palette(const char *color, int seed, unsigned char out[INK_COUNT * 3])
{
    const unsigned char *body = COLORS[sizeof COLORS / sizeof COLORS[0] - 1].rgb;

    for (size_t i = 0; i < sizeof COLORS / sizeof COLORS[0]; i++) {
        if (str_eq(COLORS[i].name, color))
            body = COLORS[i].rgb;
    }
    for (int k = 0; k < 3; k++) {
        out[INK_BACK * 3 + k] = (unsigned char)(250 - seed * (k + 1) % 11);
        out[INK_BAND * 3 + k] = (unsigned char)(200 - seed * (k + 3) % 40);
        out[INK_BODY * 3 + k] = body[k];
        out[INK_SHADE * 3 + k] = (unsigned char)(body[k] > 60 ? body[k] - 35 : body[k] + 35);
        out[INK_MARK * 3 + k] = (unsigned char)(seed * (37 + 50 * k) % 256);
    }
}

static enum rc draw(int shape, int variant, const char *color, int seed, int pixels,
                    struct buf *out, struct err *e)
{
    static const unsigned char magic[8] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' };
    size_t raw_len = (size_t)(pixels + 1) * (size_t)pixels;
    uLongf packed_len = compressBound((uLong)raw_len);
    unsigned char *raw = malloc(raw_len);
    unsigned char *packed = malloc(packed_len);
    unsigned char head[13] = { 0 };
    unsigned char colors[INK_COUNT * 3];
    enum rc rc = RC_OK;

    if (raw == NULL || packed == NULL) {
        rc = err_set(e, RC_DOWN, "Out of memory");
    } else {
        unsigned char *at = raw;

        for (int y = 0; y < pixels; y++) {
            *at++ = 0; /* no filter */
            for (int x = 0; x < pixels; x++)
                *at++ = ink_at(shape, variant, x * 2000 / pixels - 1000, y * 2000 / pixels - 1000);
        }
        if (compress2(packed, &packed_len, raw, (uLong)raw_len, 6) != Z_OK)
            rc = err_set(e, RC_BUG, "A picture could not be packed");
    }
    if (rc == RC_OK) {
        put32(head, (uint32_t)pixels);
        put32(head + 4, (uint32_t)pixels);
        head[8] = 8; /* bits a sample */
        head[9] = 3; /* indexed */
        palette(color, seed, colors);
        buf_add(out, magic, sizeof magic);
        chunk(out, "IHDR", head, sizeof head);
        chunk(out, "PLTE", colors, sizeof colors);
        chunk(out, "IDAT", packed, packed_len);
        chunk(out, "IEND", NULL, 0);
        rc = buf_check(out, e);
    }
    free(raw);
    free(packed);
    return rc;
}

/* Shape of a leaf category. */
static int shape_of(const struct merchant_product *p)
{
    static const struct {
        int leaf, shape;
    } shapes[] = { { 21, 0 }, { 22, 6 }, { 23, 0 }, { 24, 3 }, { 34, 1 }, { 35, 3 }, { 36, 7 },
                   { 37, 5 }, { 41, 5 }, { 42, 2 }, { 43, 3 }, { 51, 1 }, { 52, 1 }, { 53, 4 } };

    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        if (p->category_id % 1000 == shapes[i].leaf)
            return shapes[i].shape;
    }
    return 4;
}

enum rc merchant_picture(const struct merchant *m, const char *name, struct buf *out, struct err *e)
{
    char color[24] = "";
    char again[64];
    int product_id = 0, n = 0;

    if (sscanf(name, "%d-%23[a-z]-%d.png", &product_id, color, &n) != 3 || n < 0 ||
        n >= MERCHANT_PICTURES)
        return err_set(e, RC_NOT_FOUND, "There is no picture of this name");
    int index = merchant_product_by_id(m, product_id);
    if (index < 0)
        return err_set(e, RC_NOT_FOUND, "There is no picture of this name");
    const struct merchant_product *p = &m->products[index];
    for (int i = p->first_sku; i < p->first_sku + p->n_skus; i++) {
        merchant_picture_name(m, i, n, again);
        if (str_eq(again, name)) {
            bool small = p->flaw == FLAW_SMALL_IMAGE;
            int pixels = small ? PICTURE_SMALL_PIXELS : PICTURE_PIXELS - 40 * n;

            buf_done(out);
            buf_init(out, LIMIT_PICTURE_BYTES);
            return draw(shape_of(p), product_id + n * 4, color, product_id * 3 + n, pixels, out, e);
        }
    }
    return err_set(e, RC_NOT_FOUND, "There is no picture of this name");
}
