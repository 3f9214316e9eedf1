/* test_bad_texts.c - whatever a merchant writes keeps TikTok's limits once it is mapped, and what is mended is said. */
#include "check.h"

#include "../../sync/map_notes.h"
#include "../../sync/map_text.h"
#include "../../sync/preflight.h"
#include "buf.h"
#include "jspec.h"
#include "own.h"
#include "str.h"

static void repeat(struct buf *out, const char *one, int n, const char *middle, const char *after)
{
    buf_clear(out);
    for (int i = 0; i < n; i++)
        buf_str(out, one);
    buf_str(out, middle);
    for (int i = 0; after != NULL && i < n; i++)
        buf_str(out, after);
}

static const struct {
    const char *one;
    int times;
    const char *middle, *after;
    const char *title;       /* what becomes of it as a title, at its beginning */
    const char *description; /* as a description */
} ODD[] = {
    { "palavra ", 500, "", NULL, "palavra palavra", "<p>palavra" }, /* 4,000 characters */
    { "x", 4000, "", NULL, "xxxxxxxxx", "<p>xxxxxxxxx</p>" },
    { "\xF0\x9F\x94\xA5", 400, "Oferta", NULL, "Oferta", "<p>Oferta</p>" },
    { "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7", 40,
      "Kit \xF0\x9F\x87\xA7\xF0\x9F\x87\xB7 1\xEF\xB8\x8F\xE2\x83\xA3", NULL, "Kit 1",
      "<p>Kit 1</p>" },
    { "\x01\x02\x1F\x7F\xC2\x85", 300, "Copo", "\x0B", "Copo", "<p>Copo</p>" },
    { "<div><p>", 40000, "Caneca", "</p></div>", "Caneca", "<p>Caneca</p>" },
    { "<ul><li>", 20000, "Caneca", NULL, "Caneca", "<ul><li>Caneca</li></ul>" },
    { "<b>", 30000, "Caneca", NULL, "Caneca", "<p><strong>Caneca</strong></p>" },
    { "</div>", 30000, "Caneca", NULL, "Caneca", "<p>Caneca</p>" },
    { "<script>alert('<p>')</script>", 50, "Caneca", NULL, NULL, "<p>Caneca</p>" },
    { "<style>p { color: red }</style>", 50, "Caneca", NULL, NULL, "<p>Caneca</p>" },
    { "&lt;b&gt;", 20, "Caf&eacute; &amp;amp; &quot;Ch&aacute;&quot; &#x1F525;", NULL,
      "\xE2\x80\xB9"
      "b\xE2\x80\xBA",
      NULL },
    { "<p", 3000, "Caneca", NULL, NULL, NULL },
    { "<!-- ", 3000, "Caneca", NULL, NULL, NULL },
    { "&", 3000, "amp;", NULL, NULL, NULL },
    { "<![CDATA[", 300, "Caneca]]>", NULL, NULL, NULL },
};

static void whatever_a_merchant_writes_keeps_the_limits(void)
{
    OWN_BUF struct buf in;
    OWN_BUF struct buf out;

    buf_init(&in, (size_t)1 << 20);
    buf_init(&out, (size_t)1 << 22);
    for (size_t i = 0; i < sizeof(ODD) / sizeof(ODD[0]); i++) {
        repeat(&in, ODD[i].one, ODD[i].times, ODD[i].middle, ODD[i].after);
        CHECK(map_text_plain(buf_text(&in), 300, &out, NULL) == RC_OK, "row %d", (int)i);
        CHECK(str_utf8_count(buf_text(&out)) <= 300, "row %d", (int)i);
        if (map_text_has_word(buf_text(&out)))
            CHECK(preflight_bad_text(buf_text(&out), false) == NULL, "row %d: %s in \"%s\"", (int)i,
                  preflight_bad_text(buf_text(&out), false), buf_text(&out));
        CHECK(ODD[i].title == NULL || str_starts(buf_text(&out), ODD[i].title), "row %d: \"%s\"",
              (int)i, buf_text(&out));

        CHECK(map_text_html(buf_text(&in), 10000, &out, NULL) == RC_OK, "row %d", (int)i);
        CHECK(str_utf8_count(buf_text(&out)) <= 10000, "row %d", (int)i);
        CHECK(out.len == 0 || preflight_bad_text(buf_text(&out), true) == NULL, "row %d: %s",
              (int)i, preflight_bad_text(buf_text(&out), true));
        CHECK(preflight_bad_html(buf_text(&out)) == NULL, "row %d: %s in %.200s", (int)i,
              preflight_bad_html(buf_text(&out)), buf_text(&out));
        CHECK(ODD[i].description == NULL || str_starts(buf_text(&out), ODD[i].description),
              "row %d: \"%.200s\"", (int)i, buf_text(&out));
    }
}

static const struct {
    const char *title, *codes;
    int times;
} MENDED[] = {
    { "Camiseta b&aacute;sica", "", 1 },
    { "Camiseta \xF0\x9F\x94\xA5", "title_cleaned", 1 },
    { "Camiseta\x01", "title_cleaned", 1 },
    { "palavra ", "title_cut", 500 },
    { "x", "title_cleaned", 4000 },
    { "Promo!!!!!!!!! ", "", 3 },
    { "Promo!!!!!!!!!! ", "title_cleaned", 3 },
    { "palavra \xF0\x9F\x94\xA5", "title_cut title_cleaned", 500 },
};

static void what_is_mended_is_said(void)
{
    OWN_BUF struct buf title;

    buf_init(&title, 1 << 16);
    for (size_t i = 0; i < sizeof(MENDED) / sizeof(MENDED[0]); i++) {
        json_auto_t *notes = json_array();
        char codes[128] = "";

        repeat(&title, MENDED[i].title, MENDED[i].times, "", NULL);
        json_auto_t *desired =
            json_pack("{s:s, s:s}", "title", buf_text(&title), "description", "x");

        CHECK(map_notes(desired, NULL, 0, NULL, notes, NULL) == RC_OK);
        for (size_t k = 0; k < json_array_size(notes); k++) {
            size_t len = strlen(codes);

            (void)snprintf(codes + len, sizeof(codes) - len, "%s%s", k ? " " : "",
                           jspec_text(json_array_get(notes, k), "code"));
        }
        CHECK_STR(codes, MENDED[i].codes);
    }
}

static void a_barcode_that_is_not_sent_is_said(void)
{
    json_auto_t *item = json_pack("{s:s}", "gtin", "7896000120107");
    json_auto_t *body = json_pack("{s:[{s:s}]}", "skus", "seller_sku", "1201");
    json_auto_t *notes = json_array();
    json_auto_t *desired = json_pack("{s:s}", "title", "x");
    const struct map_sku sku = { .seller_sku = "1201", .item = item };

    CHECK(map_notes(desired, &sku, 1, body, notes, NULL) == RC_OK);
    CHECK_STR(jspec_text(json_array_get(notes, 0), "code"), "gtin_not_sent");
    CHECK(json_object_set_new(json_array_get(json_object_get(body, "skus"), 0), "identifier_code",
                              json_pack("{s:s}", "code", "7896000120106")) == 0);
    (void)json_array_clear(notes);
    CHECK(map_notes(desired, &sku, 1, body, notes, NULL) == RC_OK);
    CHECK_INT(json_array_size(notes), 0);
}

int main(void)
{
    CASE(whatever_a_merchant_writes_keeps_the_limits);
    CASE(what_is_mended_is_said);
    CASE(a_barcode_that_is_not_sent_is_said);
    return CHECK_END();
}
