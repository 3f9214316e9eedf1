/* test_feed.c - the feed reader against the samples and the rules of the feed guide. */
#include "check.h"
#include "feed_kit.h"

#include <zlib.h>

#define G "xmlns:g=\"http://base.google.com/ns/1.0\""
#define RSS(items)                                                                      \
    "<?xml version=\"1.0\"?><rss version=\"2.0\" " G "><channel><title>s</title>" items \
    "</channel></rss>"
#define ITEM(inner) "<item><g:id>1</g:id><g:title>T</g:title>" inner "</item>"

static void sample_check(const char *name, const json_t *want_file, size_t piece)
{
    char path[128];
    size_t len, i;
    json_t *want, *value;
    const char *key;

    snprintf(path, sizeof path, "tests/fixtures/feed/%s", name);
    char *data = kit_file(path, &len);
    CHECK(len > 0, "%s is missing", path);
    struct kit k = kit_read(data, len, piece, NULL, 0);
    CHECK(k.rc == RC_OK, "%s: %s", name, k.err.text);
    CHECK_STR(k.format, json_string_value(json_object_get(want_file, "format")));
    CHECK_STR(k.encoding, json_string_value(json_object_get(want_file, "encoding")));
    json_t *items = json_object_get(want_file, "items");
    CHECK_INT(json_array_size(k.items), json_array_size(items));
    json_array_foreach(items, i, want)
    {
        json_object_foreach(want, key, value)
        {
            json_t *got = json_object_get(json_array_get(k.items, i), key);
            char *g = json_dumps(got, JSON_ENCODE_ANY), *w = json_dumps(value, JSON_ENCODE_ANY);

            CHECK(json_equal(got, value), "%s item %zu %s: got %s, want %s", name, i, key,
                  g ? g : "nothing", w);
            free(g);
            free(w);
        }
    }
    kit_done(&k);
    free(data);
}

static void samples(void)
{
    json_error_t error;
    json_t *expected = json_load_file("tests/fixtures/feed/expected.json", 0, &error), *file;
    const char *name;
    static const size_t pieces[] = { 1, 7, 1000, 65536 };

    CHECK(expected != NULL);
    json_object_foreach(json_object_get(expected, "files"), name, file)
    {
        for (size_t i = 0; i < 4; i++)
            sample_check(name, file, pieces[i]);
    }
    json_decref(expected);
}

static void sample_absences(void)
{
    size_t len;
    char *data = kit_file("tests/fixtures/feed/nasty-iso-8859-1.xml", &len);
    struct kit k = kit_read(data, len, 100, NULL, 0);

    CHECK_STR(kit_get(&k, 0, "sale_price"), "");
    CHECK_STR(kit_get(&k, 0, "quantity"), "34");
    CHECK_STR(kit_get(&k, 1, "quantity"), "");
    CHECK_INT(json_array_size(json_object_get(json_array_get(k.items, 0), "images")), 2);
    kit_done(&k);
    free(data);
}

/* Each text gives one item; member `name` of it reads `want`. */
struct rule {
    const char *inner, *name, *want;
};

static const struct rule RULES[] = {
    { "<g:price>129.90 BRL</g:price>", "price", "12990" },
    { "<g:price>R$ 1.299,90</g:price>", "price", "129990" },
    { "<g:price>R$\xC2\xA0"
      "99999,99</g:price>",
      "price", "9999999" },
    { "<g:price>129,9</g:price>", "price", "12990" },
    { "<g:price>1.299 BRL</g:price>", "price", "129900" },
    { "<g:price>1,299.00 BRL</g:price>", "price", "129900" },
    { "<g:price>ARS 10,00</g:price>", "price", "" },
    { "<g:price>0.00 BRL</g:price>", "price", "" },
    { "<g:price/>", "price", "" },
    { "<g:price>\xC2\xA0</g:price>", "price", "" },
    { "<g:shipping><g:price>9 BRL</g:price></g:shipping><g:price>5 BRL</g:price>", "price", "500" },
    { "<g:price>5 BRL</g:price><g:installment><g:amount>1 BRL</g:amount></g:installment>", "price",
      "500" },
    { "<g:price></g:price><g:price>7 BRL</g:price>", "price", "700" },
    { "<g:price>7 BRL</g:price><g:price>8 BRL</g:price>", "price", "700" },
    { "<g:price>7 BRL</g:price><g:sale_price>8 BRL</g:sale_price>", "sale_price", "" },
    { "<g:Price>7<!-- x --><?pi y?>0 BRL</g:Price>", "price", "7000" },
    { "<g:price xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:nil=\"true\">1</g:price>",
      "price", "" },
    { "<g:availability>In Stock</g:availability>", "availability", "in_stock" },
    { "<g:availability>out-of-stock</g:availability>", "availability", "out_of_stock" },
    { "<g:availability>em estoque</g:availability>", "availability", "in_stock" },
    { "<g:availability>who knows</g:availability>", "availability", "out_of_stock" },
    { "<g:availability>discontinued</g:availability>", "availability", "out_of_stock" },
    { "<g:gtin>07896000120106</g:gtin>", "gtin", "7896000120106" },
    { "<g:gtin>7896000120107</g:gtin>", "gtin", "" },
    { "<g:gtin>7.896E+12</g:gtin>", "gtin", "" },
    { "<g:gtin>x, 7896000120106</g:gtin>", "gtin", "7896000120106" },
    { "<g:gtin>0000000000000</g:gtin>", "gtin", "" },
    { "<g:gtin>EAN 7896000120106</g:gtin>", "gtin", "7896000120106" },
    { "<g:gtin>EAN-13: 7896000120106</g:gtin>", "gtin", "7896000120106" },
    { "<g:gtin>'7896000120106</g:gtin>", "gtin", "7896000120106" },
    { "<g:gtin>789.6000.120106</g:gtin>", "gtin", "7896000120106" },
    { "<g:gtin>789&#160;6000&#160;120106</g:gtin>", "gtin", "7896000120106" },
    { "<g:gtin>7 896000 120106</g:gtin>", "gtin", "7896000120106" },
    { "<g:gtin>7896000120106 7891000315507</g:gtin>", "gtin", "7896000120106" },
    { "<g:gtin>7896000120107&#160;7891000315507</g:gtin>", "gtin", "7891000315507" },
    { "<g:gtin>96385074 96385075</g:gtin>", "gtin", "96385074" },
    { "<g:gtin>7.896000120106E+12</g:gtin>", "gtin", "" },
    { "<g:gtin>9638507.4e1</g:gtin>", "gtin", "" },
    { "<g:gtin>none</g:gtin>", "gtin", "" },
    { "<g:shipping_weight>0,220 KG</g:shipping_weight>", "weight_g", "220" },
    { "<g:shipping_weight>1</g:shipping_weight>", "weight_g", "1000" },
    { "<g:shipping_weight>1 lb</g:shipping_weight>", "weight_g", "454" },
    { "<g:shipping_weight>2 oz</g:shipping_weight>", "weight_g", "57" },
    { "<g:shipping_weight>1001 kg</g:shipping_weight>", "weight_g", "" },
    { "<g:shipping_weight>0</g:shipping_weight>", "weight_g", "" },
    { "<g:product_weight>90 g</g:product_weight>", "weight_g", "90" },
    { "<g:shipping_length>30</g:shipping_length><g:shipping_width>25 cm</g:shipping_width>"
      "<g:shipping_height>1 in</g:shipping_height>",
      "height_mm", "25" },
    { "<g:shipping_length>30</g:shipping_length><g:shipping_width>25</g:shipping_width>",
      "length_mm", "" },
    { "<g:color>a &amp;amp; b</g:color>", "color", "a & b" },
    { "<g:brand>Caf&eacute;&nbsp;X</g:brand>", "brand", "Café X" },
    { "<g:gender>Masculino</g:gender>", "gender", "male" },
    { "<g:age_group>INFANTIL</g:age_group>", "age_group", "kids" },
    { "<g:condition>Novo</g:condition>", "condition", "new" },
    { "<g:link>//a.example/x y?q=\xC3\xA9</g:link>", "link", "https://a.example/x%20y?q=%C3%A9" },
    { "<g:link>javascript:alert(1)</g:link>", "link", "" },
    { "<g:link>ftp://a.example/x</g:link>", "link", "" },
    { "<g:description><![CDATA[<script>x()</script><p class=\"a\">Oi</p><iframe></iframe>]]></g:description>",
      "description", "<p>Oi</p>" },
    { "<g:description><![CDATA[a<img alt=\"src=no\" data-src='n.png' onerror=x() SRC = '/p.png?a=1&amp;b=2'/>b]]>"
      "</g:description>",
      "description", "a<img src=\"/p.png?a=1&amp;b=2\">b" },
    { "<g:description><![CDATA[a<img src=\"data:image/png;base64,AAAA\">b<img>c]]></g:description>",
      "description", "a<img src=\"data:\">b c" },
    { "<g:description>a &amp;amp; b</g:description>", "description", "a & b" },
    { "<g:description>&amp;lt;p&amp;gt;a&amp;lt;/p&amp;gt;</g:description>", "description",
      "<p>a</p>" },
    { "<g:description>1 &lt; 2</g:description>", "description", "1 < 2" },
    { "<g:description><p xmlns=\"http://www.w3.org/1999/xhtml\">um</p><p>dois</p></g:description>",
      "description", "um dois" },
    { "<description>n</description><g:description>g</g:description>", "description", "g" },
    { "<price>9 BRL</price>", "price", "" },
    { "<id>77</id>", "id", "1" },
    { "<g:inventory>12</g:inventory>", "quantity", "12" },
    { "<g:quantity_to_sell_on_facebook>3</g:quantity_to_sell_on_facebook>", "quantity", "3" },
};

static void rules(void)
{
    char text[2048];

    for (size_t i = 0; i < sizeof RULES / sizeof RULES[0]; i++) {
        snprintf(text, sizeof text, RSS(ITEM("%s")), RULES[i].inner);
        struct kit k = kit_text(text);
        CHECK(k.rc == RC_OK, "%s: %s", RULES[i].inner, k.err.text);
        CHECK(strcmp(kit_get(&k, 0, RULES[i].name), RULES[i].want) == 0,
              "%s: %s is \"%s\", want \"%s\"", RULES[i].inner, RULES[i].name,
              kit_get(&k, 0, RULES[i].name), RULES[i].want);
        kit_done(&k);
    }
}

static void shapes(void)
{
    struct kit k = kit_text(
        "\n\n <?xml version=\"1.0\"?><rss><channel><item><g:id>5</g:id><g:title>Undeclared</g:title>"
        "<title>n</title><g:price>3 BRL</g:price></item></channel></rss>");

    CHECK(k.rc == RC_OK, "%s", k.err.text);
    CHECK_STR(kit_get(&k, 0, "title"), "Undeclared");
    CHECK_STR(kit_get(&k, 0, "price"), "300");
    kit_done(&k);

    k = kit_text(
        "\xEF\xBB\xBF<products><product><id>9</id><title>Plain</title><price>4,50</price>"
        "<image_link>http://a.example/1.jpg</image_link></product><product><id>10</id></product></products>");
    CHECK(k.rc == RC_OK, "%s", k.err.text);
    CHECK_STR(k.format, "xml");
    CHECK_INT(k.stats.items, 2);
    CHECK_STR(kit_get(&k, 0, "price"), "450");
    kit_done(&k);

    k = kit_text(
        "<rss xmlns:g=\"https://base.google.com/ns/1.0/\"><channel><item><g:id>5</g:id><g:title>N</g:title>"
        "</item></channel></rss>");
    CHECK_STR(kit_get(&k, 0, "title"), "N");
    kit_done(&k);

    k = kit_text(
        "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" xmlns=\"http://purl.org/rss/1.0/\" " G
        "><channel rdf:about=\"x\"><title>c</title></channel><item><title>R</title><g:id>6</g:id></item></rdf:RDF>");
    CHECK_STR(k.format, "rss1");
    CHECK_STR(kit_get(&k, 0, "title"), "R");
    kit_done(&k);

    k = kit_text(
        "<feed xmlns=\"http://www.w3.org/2005/Atom\"><entry><id>tag:1</id><title>x</title></entry></feed>");
    CHECK_STR(k.err.code, "feed_empty");
    kit_done(&k);

    k = kit_text("<rss><channel><item><guid>SKU-9</guid><title>x</title></item>"
                 "<item><guid>https://a.example/9</guid><title>x</title></item></channel></rss>");
    CHECK_INT(k.stats.items, 1);
    CHECK_STR(kit_get(&k, 0, "id"), "SKU-9");
    kit_done(&k);
}

static void encodings(void)
{
    static const char latin[] =
        "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><rss " G
        "><channel><item><g:id>1</g:id><g:title>A\x80\xE9 \x93x\x94</g:title></item></channel></rss>";
    struct kit k = kit_text(latin);

    CHECK_STR(kit_get(&k, 0, "title"), "A€é “x”");
    CHECK_STR(k.encoding, "ISO-8859-1");
    kit_done(&k);

    static const char bare[] =
        "<rss " G "><channel><item><g:id>1</g:id><g:title>\xE9</g:title></item></channel></rss>";
    k = kit_read(bare, strlen(bare), 10, "windows-1252", 0);
    CHECK_STR(kit_get(&k, 0, "title"), "é");
    kit_done(&k);
    k = kit_text(bare);
    CHECK(k.rc == RC_INVALID);
    CHECK_STR(k.err.code, "feed_encoding");
    kit_done(&k);
    k = kit_text("<?xml version=\"1.0\" encoding=\"x-no-such\"?><rss/>");
    CHECK_STR(k.err.code, "feed_encoding");
    kit_done(&k);

    unsigned char wide[512];
    size_t n = 0;
    const char *ascii = "<rss><channel><item><id>1</id><title>W</title></item></channel></rss>";
    wide[n++] = 0xFF;
    wide[n++] = 0xFE;
    for (const char *p = ascii; *p != '\0'; p++) {
        wide[n++] = (unsigned char)*p;
        wide[n++] = 0;
    }
    k = kit_read(wide, n, 5, NULL, 0);
    CHECK(k.rc == RC_OK, "%s", k.err.text);
    CHECK_STR(kit_get(&k, 0, "title"), "W");
    kit_done(&k);
}

static void gzip(void)
{
    const char *text = RSS(ITEM("<g:price>5</g:price>"));
    unsigned char packed[2048];
    z_stream z = { 0 };

    deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    z.next_in = (Bytef *)(uintptr_t)text;
    z.avail_in = (uInt)strlen(text);
    z.next_out = packed;
    z.avail_out = sizeof packed;
    CHECK_INT(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t n = z.total_out;
    deflateEnd(&z);
    for (size_t piece = 1; piece < 2000; piece *= 10) {
        struct kit k = kit_read(packed, n, piece, NULL, 0);
        CHECK(k.rc == RC_OK, "%s", k.err.text);
        CHECK_STR(kit_get(&k, 0, "price"), "500");
        CHECK_INT(k.stats.bytes, (int64_t)strlen(text));
        kit_done(&k);
    }
    struct kit k = kit_read(packed, n - 9, 100, NULL, 0);
    CHECK_STR(k.err.code, "feed_truncated");
    kit_done(&k);
    packed[n / 2] ^= 0x55;
    k = kit_read(packed, n, 100, NULL, 0);
    CHECK(k.rc == RC_INVALID);
    kit_done(&k);
}

static void refusals(void)
{
    static const char *const BAD[][2] = {
        { "", "feed_empty" },
        { "  \n ", "feed_empty" },
        { "{\"a\":1}", "feed_not_xml" },
        { "PK\003\004xxxxxxxxxxxxxxxx", "feed_zip" },
        { "<!DOCTYPE html><html><body>Manuten\xC3\xA7\xC3\xA3o</body></html>", "feed_html" },
        { "<html><body><br></body></html>", "feed_html" },
        { "<?xml version=\"1.0\"?><html xmlns=\"http://www.w3.org/1999/xhtml\"><body/></html>",
          "feed_html" },
        { "<?xml version=\"1.0\"?><!DOCTYPE rss [<!ENTITY a \"aaaa\">]><rss><channel><item><id>&a;</id></item>"
          "</channel></rss>",
          "feed_doctype" },
        { "<!DOCTYPE rss SYSTEM \"http://127.0.0.1/x.dtd\"><rss/>", "feed_doctype" },
        { "<rss><channel></channel></rss>", "feed_empty" },
        { "<urlset><url><loc>x</loc></url></urlset>", "feed_empty" },
        { "<rss><channel><item><id>1</id></item><item><id>2</id>", "feed_truncated" },
        { "<rss><channel><item><id>1</id></item></channel>", "feed_truncated" },
        { "<rss><channel><item><id>1</id></items></channel></rss>", "feed_not_xml" },
        { "<rss><channel><item><id>1</id><link>http://a.example/?a=1&b=2</link></item></channel></rss>",
          "feed_not_xml" },
        { "<rss><channel><item><id>1\x01</id></item></channel></rss>", "feed_not_xml" },
        { "<rss><channel><item><id>&unknown;</id></item></channel></rss>", "feed_not_xml" },
        { "<rss/>x", "feed_not_xml" },
    };

    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        for (size_t piece = 1; piece < 2000; piece *= 20) {
            struct kit k = kit_read(BAD[i][0], strlen(BAD[i][0]), piece, NULL, 0);

            CHECK(k.rc == RC_INVALID && strcmp(k.err.code, BAD[i][1]) == 0,
                  "%.40s: %s (%s), want %s", BAD[i][0], k.err.code, k.err.text, BAD[i][1]);
            kit_done(&k);
        }
    }
}

/* Every prefix of a good feed is refused as cut, whatever the pieces. */
static void cuts(void)
{
    size_t len;
    char *data = kit_file("tests/fixtures/feed/rss-clean.xml", &len);

    while (len > 0 && data[len - 1] <= ' ')
        len--;
    for (size_t n = 1; n < len; n += n < 400 ? 1 : 7) {
        struct kit k = kit_read(data, n, n % 3 == 0 ? 17 : 65536, NULL, 0);

        CHECK(k.rc == RC_INVALID && strcmp(k.err.code, "feed_truncated") == 0, "%zu bytes: %s (%s)",
              n, k.err.code, k.err.text);
        kit_done(&k);
    }
    free(data);
}

static void limits(void)
{
    struct buf b;

    buf_init(&b, 8 << 20);
    buf_str(&b, "<rss><channel><item>");
    for (int i = 0; i < 40; i++)
        buf_str(&b, "<a>");
    struct kit k = kit_read(buf_text(&b), b.len, 4096, NULL, 0);
    CHECK_STR(k.err.code, "feed_too_deep");
    kit_done(&k);

    for (int kind = 0; kind < 3; kind++) {
        buf_clear(&b);
        buf_str(&b, "<rss><channel><item><id>1</id>");
        buf_str(&b, kind == 0 ? "<description>" : "<unknown>");
        for (size_t i = 0; i < LIMIT_FEED_ITEM_BYTES / 4; i++)
            buf_str(&b, kind == 2 ? "<x/>  " : "abcde");
        k = kit_read(buf_text(&b), b.len, 65536, NULL, 0);
        CHECK_STR(k.err.code, "feed_item_too_big");
        CHECK(strstr(k.err.text, "line 1") != NULL, "%s", k.err.text);
        kit_done(&k);
    }
    buf_done(&b);
}

static void warnings(void)
{
    struct kit k = kit_text(RSS(ITEM("<g:price>5</g:price><g:price>6</g:price>") ITEM(
        "<g:price>9</g:price>") "<item><g:title>no id</g:title></item>"
                                "<item><g:id>3</g:id><g:expiration_date>2020-01-01T00:00:00Z</g:expiration_date></item>"));

    CHECK(k.rc == RC_OK, "%s", k.err.text);
    CHECK_INT(k.stats.items, 1);
    CHECK_INT(k.stats.duplicates, 1);
    CHECK_INT(k.stats.without_id, 1);
    CHECK_INT(k.stats.expired, 1);
    CHECK_STR(kit_get(&k, 0, "price"), "500");
    CHECK_STR(json_string_value(json_array_get(k.warnings, 0)), "repeated_field");
    CHECK_STR(json_string_value(json_array_get(k.warnings, 1)), "duplicate_id");
    CHECK_STR(json_string_value(json_array_get(k.warnings, 2)), "no_id");
    CHECK_STR(json_string_value(json_array_get(k.warnings, 3)), "expired");
    kit_done(&k);
}

/* An item whose date is over leaves its id to a later one; one that is valid still wins over a later one. */
static void expired_then_valid(void)
{
    struct kit k = kit_text(
        RSS(ITEM("<g:price>5</g:price><g:expiration_date>2020-01-01</g:expiration_date>")
                ITEM("<g:price>6</g:price>")
                    ITEM("<g:price>7</g:price><g:expiration_date>2020-01-01</g:expiration_date>")
                        ITEM("<g:price>8</g:price>")));

    CHECK(k.rc == RC_OK, "%s", k.err.text);
    CHECK_INT(k.stats.items, 1);
    CHECK_STR(kit_get(&k, 0, "price"), "600");
    CHECK_INT(k.stats.expired, 2);
    CHECK_INT(k.stats.duplicates, 1);
    kit_done(&k);
}

/* Items of a feed with this expiration date, read at that moment. */
static long long items_at(const char *expiration, const char *now)
{
    char text[1024];
    int64_t now_us = 0;

    snprintf(text, sizeof text, RSS(ITEM("<g:expiration_date>%s</g:expiration_date>")), expiration);
    clock_read(now, &now_us);
    struct kit k = kit_read(text, strlen(text), 64, NULL, now_us);
    long long items = k.stats.items;

    kit_done(&k);
    return items;
}

/* Last of all: the zone stays for the rest of the process. */
static void dates_belong_to_the_zone(void)
{
    CHECK(clock_zone_use("America/Sao_Paulo"));
    CHECK_INT(items_at("2026-06-15", "2026-06-15T12:00:00Z"), 1);
    CHECK_INT(items_at("2026-06-15", "2026-06-16T02:59:59Z"), 1);
    CHECK_INT(items_at("2026-06-15", "2026-06-16T03:00:00Z"), 0);
    CHECK_INT(items_at("2026-06-15T10:00:00", "2026-06-15T12:59:00Z"), 1);
    CHECK_INT(items_at("2026-06-15T10:00:00", "2026-06-15T13:01:00Z"), 0);
    CHECK_INT(items_at("2026-06-15T10:00:00Z", "2026-06-15T10:01:00Z"), 0);
    struct kit k = kit_text(RSS(ITEM(
        "<g:price>9</g:price><g:sale_price>8</g:sale_price>"
        "<g:sale_price_effective_date>2026-06-01T00:00/2026-06-30</g:sale_price_effective_date>")));
    CHECK_STR(kit_get(&k, 0, "sale_from"), "2026-06-01T03:00:00Z");
    CHECK_STR(kit_get(&k, 0, "sale_to"), "2026-07-01T02:59:59Z");
    kit_done(&k);
}

static void problems(void)
{
    struct kit k = kit_text(RSS("<item><g:id>1</g:id><g:price>abc</g:price></item>"));

    CHECK(k.rc == RC_OK, "%s", k.err.text);
    CHECK_STR(json_string_value(json_array_get(k.problems, 0)), "missing_title");
    CHECK_STR(json_string_value(json_array_get(k.problems, 1)), "invalid_price");
    CHECK_STR(json_string_value(json_array_get(k.problems, 2)), "missing_image");
    kit_done(&k);
}

/* Whether two item bodies have the same hash. */
static bool same_hash(const char *a, const char *b, int64_t now_b)
{
    char text[1024];

    snprintf(text, sizeof text, RSS(ITEM("%s")), a);
    struct kit x = kit_text(text);
    snprintf(text, sizeof text, RSS(ITEM("%s")), b);
    struct kit y = kit_read(text, strlen(text), 50, NULL, now_b);
    bool same = x.rc == RC_OK && y.rc == RC_OK && json_equal(x.hashes, y.hashes);

    kit_done(&x);
    kit_done(&y);
    return same;
}

static void hashes(void)
{
    int64_t later = 0;

    clock_read("2026-08-01T00:00:00Z", &later);
    CHECK(same_hash("<g:price>5</g:price>", " <!-- c --><g:price> <![CDATA[5]]> </g:price>", 0));
    CHECK(!same_hash("<g:price>5</g:price>", "<g:price>6</g:price>", 0));
    CHECK(same_hash("<g:color>a</g:color><g:size>b</g:size>",
                    "<g:size>b</g:size><g:color>a</g:color>", 0));
    CHECK(!same_hash("<g:color>a</g:color>", "<g:size>a</g:size>", 0));
    CHECK(same_hash("<g:link>http://a.example/?x=1&amp;utm_source=a</g:link>",
                    "<g:link>http://a.example/?utm_source=b&amp;utm_medium=c&amp;x=1</g:link>", 0));
    CHECK(!same_hash("<g:link>http://a.example/?x=1</g:link>",
                     "<g:link>http://a.example/?x=2</g:link>", 0));
    CHECK(same_hash("<g:image_link>http://a.example/1.jpg?v=1</g:image_link>",
                    "<g:image_link>http://a.example/1.jpg?v=2</g:image_link>", 0));
    CHECK(!same_hash("<g:image_link>http://a.example/1.jpg</g:image_link>",
                     "<g:image_link>http://a.example/2.jpg</g:image_link>", 0));
    CHECK(same_hash("<g:shipping><g:price>1</g:price></g:shipping>",
                    "<g:shipping><g:price>2</g:price></g:shipping>", 0));
    CHECK(!same_hash(
        "<g:sale_price_effective_date>2026-06-01/2026-06-30</g:sale_price_effective_date>",
        "<g:sale_price_effective_date>2026-06-01/2026-06-30</g:sale_price_effective_date>", later));
    CHECK(!same_hash("<g:additional_image_link>http://a.example/1</g:additional_image_link>",
                     "<g:additional_image_link>http://a.example/1</g:additional_image_link>"
                     "<g:additional_image_link>http://a.example/2</g:additional_image_link>",
                     0));
}

static void details(void)
{
    struct kit k = kit_text(
        RSS(ITEM("<g:product_detail><g:section_name>S</g:section_name><g:attribute_name>Voltagem"
                 "</g:attribute_name><g:attribute_value>110V</g:attribute_value></g:product_detail>"
                 "<g:product_detail><g:attribute_name>X</g:attribute_name></g:product_detail>"
                 "<g:price>5</g:price>")));
    json_t *list = json_object_get(json_array_get(k.items, 0), "details");

    CHECK_INT(json_array_size(list), 1);
    CHECK_STR(json_string_value(json_object_get(json_array_get(list, 0), "name")), "Voltagem");
    CHECK_STR(json_string_value(json_object_get(json_array_get(list, 0), "value")), "110V");
    CHECK_STR(kit_get(&k, 0, "price"), "500");
    kit_done(&k);
}

static enum rc spool_item(void *user, const struct feed_raw *raw, struct err *e)
{
    struct buf *out = user;

    return feed_raw_write(raw, out, e);
}

static void spool(void)
{
    const char *text = RSS(ITEM("<g:price>5</g:price><g:color>x</g:color>"));
    struct buf b;
    struct feed_opts opts = { .user = &b, .item = spool_item };
    struct feed *f = NULL;
    struct err e = { 0 };
    struct feed_raw raw;
    struct feed_item item = { 0 };

    buf_init(&b, 1 << 20);
    CHECK(feed_new(&opts, &f, &e) == RC_OK && feed_read(f, text, strlen(text), &e) == RC_OK &&
              feed_end(f, &e) == RC_OK,
          "%s", e.text);
    feed_free(f);
    CHECK(feed_raw_read(b.data, b.len, &raw, &e) == RC_OK, "%s", e.text);
    CHECK_STR(raw.id, "1");
    CHECK(feed_item_read(&raw, "BRL", &item, &e) == RC_OK);
    CHECK_INT(item.price_minor, 500);
    CHECK_STR(item.color, "x");
    feed_item_done(&item);
    CHECK(feed_raw_read(b.data, b.len - 1, &raw, &e) == RC_BUG);
    buf_done(&b);
}

static void sale_price(void)
{
    struct feed_item item = {
        .price_minor = 1000, .sale_minor = 800, .sale_from_us = 100, .sale_to_us = 200
    };

    CHECK_INT(feed_item_price(&item, 50), 1000);
    CHECK_INT(feed_item_price(&item, 100), 800);
    CHECK_INT(feed_item_price(&item, 201), 1000);
    item.sale_from_us = item.sale_to_us = 0;
    CHECK_INT(feed_item_price(&item, 50), 800);
}

int main(void)
{
    CASE(samples);
    CASE(sample_absences);
    CASE(rules);
    CASE(shapes);
    CASE(encodings);
    CASE(gzip);
    CASE(refusals);
    CASE(cuts);
    CASE(limits);
    CASE(warnings);
    CASE(expired_then_valid);
    CASE(problems);
    CASE(hashes);
    CASE(details);
    CASE(spool);
    CASE(sale_price);
    CASE(dates_belong_to_the_zone);
    return CHECK_END();
}
