/* test_vtex_image.c - addresses of VTEX pictures: thumbnails made original, the same file known again, the order. */
#include "check.h"

#include "vtex_image.h"

static void originals(void)
{
    static const char *const rows[][2] = {
        { "https://l.vteximg.com.br/arquivos/ids/155601-55-55/x.jpg",
          "https://l.vteximg.com.br/arquivos/ids/155601/x.jpg" },
        { "https://l.vteximg.com.br/arquivos/ids/155601/x.jpg",
          "https://l.vteximg.com.br/arquivos/ids/155601/x.jpg" },
        { "https://l.vtexassets.com/arquivos/ids/155601-500-auto/x-10-10.jpg?v=63&width=500",
          "https://l.vtexassets.com/arquivos/ids/155601/x-10-10.jpg?v=63&width=500" },
        { "https://l.vteximg.com.br/arquivos/ids/155601-auto-300",
          "https://l.vteximg.com.br/arquivos/ids/155601" },
        { "https://l.vteximg.com.br/arquivos/ids/155601-1000",
          "https://l.vteximg.com.br/arquivos/ids/155601" },
        { "https://l.vteximg.com.br/arquivos/ids/155601-capa/x.jpg",
          "https://l.vteximg.com.br/arquivos/ids/155601-capa/x.jpg" },
        { "https://l.vteximg.com.br/arquivos/ids/155601-10-20-30/x.jpg",
          "https://l.vteximg.com.br/arquivos/ids/155601-10-20-30/x.jpg" },
        { "https://cdn.example/a-55-55/x.jpg", "https://cdn.example/a-55-55/x.jpg" },
        { "https://l.vteximg.com.br/arquivos/x-55-55.jpg",
          "https://l.vteximg.com.br/arquivos/x-55-55.jpg" },
    };
    char out[LIMIT_IMAGE_URL];
    char small[20];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CHECK(vtex_image_original(rows[i][0], out, sizeof(out)), "%s", rows[i][0]);
        CHECK_STR(out, rows[i][1]);
    }
    CHECK(!vtex_image_original(rows[0][0], small, sizeof(small)));
}

static void same_file(void)
{
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = {
        { "https://l.vteximg.com.br/arquivos/ids/1-55-55/a.jpg",
          "https://l.vtexassets.com/arquivos/ids/1/b.jpg?v=2", true },
        { "https://l.vteximg.com.br/arquivos/ids/1/a.jpg",
          "https://l.vteximg.com.br/arquivos/ids/12/a.jpg", false },
        { "https://cdn.example/a.jpg", "https://cdn.example/a.jpg", true },
        { "https://cdn.example/a.jpg", "https://cdn.example/a.jpg?v=1", false },
        { "https://cdn.example/a.jpg", "https://l.vteximg.com.br/arquivos/ids/1/a.jpg", false },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK(vtex_image_same(rows[i].a, rows[i].b) == rows[i].same, "%s %s", rows[i].a, rows[i].b);
}

/* The main one first, then by position, then as listed; a place without scheme is https; nothing usable is left out. */
static void order(void)
{
    json_t *files = json_pack(
        "[{s:s, s:i, s:b}, {s:n, s:s, s:i, s:b}, {s:s, s:i, s:b}, {s:s, s:i, s:b}, {s:n, s:i}]",
        "Url", "https://x.example/arquivos/ids/3-9-9/c.jpg", "Position", 2, "IsMain", 0, "Url",
        "FileLocation", "x.example/arquivos/ids/2-55-55/b.jpg", "Position", 1, "IsMain", 0, "Url",
        "https://x.example/arquivos/ids/1/a.jpg", "Position", 7, "IsMain", 1, "Url",
        "https://x.example/arquivos/ids/4/d.jpg", "Position", 2, "IsMain", 0, "Url", "Position", 0);
    json_t *want = json_pack("[s, s, s, s]", "https://x.example/arquivos/ids/1/a.jpg",
                             "https://x.example/arquivos/ids/2/b.jpg",
                             "https://x.example/arquivos/ids/3/c.jpg",
                             "https://x.example/arquivos/ids/4/d.jpg");
    json_t *got = NULL;

    CHECK_INT(vtex_images_read(files, &got, NULL), RC_OK);
    CHECK(json_equal(got, want));
    json_decref(got);
    CHECK_INT(vtex_images_read(NULL, &got, NULL), RC_OK);
    CHECK_INT(json_array_size(got), 0);
    json_decref(got);
    json_decref(want);
    json_decref(files);
}

int main(void)
{
    CASE(originals);
    CASE(same_file);
    CASE(order);
    return CHECK_END();
}
