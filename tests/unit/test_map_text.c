/* test_map_text.c - titles and descriptions in the form TikTok accepts. */
#include "check.h"

#include "../../sync/map_text.h"
#include "str.h"

static const char *plain(const char *text, size_t max)
{
    static char out[8192];
    OWN_BUF struct buf b;

    buf_init(&b, 65536);
    CHECK(map_text_plain(text, max, &b, NULL) == RC_OK);
    (void)snprintf(out, sizeof(out), "%s", buf_text(&b));
    return out;
}

static const char *html(const char *text, size_t max)
{
    static char out[65536];
    OWN_BUF struct buf b;

    buf_init(&b, 1 << 20);
    CHECK(map_text_html(text, max, &b, NULL) == RC_OK);
    (void)snprintf(out, sizeof(out), "%s", buf_text(&b));
    return out;
}

static void titles(void)
{
    CHECK_STR(plain("  Camiseta   Básica\n\tPreta ", 300), "Camiseta Básica Preta");
    CHECK_STR(plain("Camiseta <b>Preta</b> &amp; Branca", 300), "Camiseta Preta & Branca");
    CHECK_STR(plain("Caf&eacute; &#233; bom &#xE9;", 300), "Café é bom é");
    CHECK_STR(plain("a&nbsp;b&amp;nbsp;c", 300), "a b c");
    CHECK_STR(plain("Oferta \xF0\x9F\x94\xA5\xF0\x9F\x91\x95 Tênis \xE2\x9C\x85", 300),
              "Oferta Tênis");
    CHECK_STR(plain("Marca\xC2\xAE Loja\xE2\x84\xA2", 300), "Marca Loja");
    CHECK_STR(plain("a\x7F"
                    "b\x01"
                    "c",
                    300),
              "a b c");
    CHECK_STR(plain("zzzzzzzzzzzzzzz 111111111111", 300), "zzzzzzzzz 111111111");
    CHECK_STR(plain("P&G", 300), "P& G");
    CHECK_STR(plain("3 < 5 > 2", 300), "3 \xE2\x80\xB9 5 \xE2\x80\xBA 2");
    CHECK_STR(plain("\xE4\xB8\xAD\xE6\x96\x87 T-shirt", 300), "T-shirt");
    CHECK_STR(plain("uma palavra comprida", 13), "uma palavra");
    CHECK_STR(plain("çççççççç", 4), "çççç");
    CHECK_STR(plain("", 300), "");
    CHECK_STR(plain("a <b", 300), "a \xE2\x80\xB9"
                                  "b");
    CHECK(!map_text_has_word("!!! ---"));
    CHECK(map_text_has_word("é"));
}

static void descriptions(void)
{
    CHECK_STR(html("Texto simples", 10000), "<p>Texto simples</p>");
    CHECK_STR(html("<p class=\"x\" style='a>b'>Um</p><P>Dois</P>", 10000), "<p>Um</p><p>Dois</p>");
    CHECK_STR(html("<div><h2>Título</h2><span>texto</span></div>", 10000),
              "<p>Título</p><p>texto</p>");
    CHECK_STR(html("<ul><li>um</li><li>dois</li></ul>fim", 10000),
              "<ul><li>um</li><li>dois</li></ul><p>fim</p>");
    CHECK_STR(html("<ul><li>um<ul><li>a</li></ul></li><li>dois</li></ul>", 10000),
              "<ul><li>um</li><li>a</li><li>dois</li></ul>");
    CHECK_STR(html("<p>a<br/>b<br><br><br><br>c</p>", 10000), "<p>a<br>b<br><br>c</p>");
    CHECK_STR(html("<p>é <b>forte</b> e <i>leve</i></p>", 10000),
              "<p>é <strong>forte</strong> e <em>leve</em></p>");
    CHECK_STR(html("<b><i>dupla</i></b>", 10000), "<p><strong>dupla</strong></p>");
    CHECK_STR(html("<p><b></b>x</p>", 10000), "<p>x</p>");
    CHECK_STR(html("<p>a</p><script>alert(1)</script><style>p{}</style><p>b</p>", 10000),
              "<p>a</p><p>b</p>");
    CHECK_STR(html("<p>a<img src=\"https://x.example/y.jpg\">b</p>", 10000), "<p>ab</p>");
    CHECK_STR(html("<!-- <p>não</p> --><p>sim</p>", 10000), "<p>sim</p>");
    CHECK_STR(html("<p>&nbsp;</p><p>---</p><p>x</p>", 10000), "<p>x</p>");
    CHECK_STR(html("<p>fechado <b>nunca", 10000), "<p>fechado <strong>nunca</strong></p>");
    CHECK_STR(html("<table><tr><td>Cor</td><td>Azul</td></tr></table>", 10000), "<p>Cor Azul</p>");
    CHECK_STR(html("", 10000), "");
    CHECK_STR(html("<script>", 10000), "");
}

/* However long and broken the input: within the limit, tags closed, nothing that TikTok refuses. */
static void long_descriptions(void)
{
    OWN_BUF struct buf in;

    buf_init(&in, 1 << 20);
    for (int i = 0; i < 3000; i++)
        buf_fmt(&in, "<li>item %d &eacute;", i);
    CHECK(str_utf8_count(html(buf_text(&in), 10000)) <= 10000);
    buf_clear(&in);
    buf_str(&in, "<ul>");
    for (int i = 0; i < 3000; i++)
        buf_fmt(&in, "<li>item %d</li>", i);

    const char *got = html(buf_text(&in), 10000);

    CHECK(str_utf8_count(got) <= 10000 && str_utf8_count(got) > 9900, "%zu", str_utf8_count(got));
    CHECK(str_ends(got, "</li></ul>"));
    buf_clear(&in);
    for (int i = 0; i < 6000; i++)
        buf_str(&in, "é <b>x</b> ");
    got = html(buf_text(&in), 10000);
    CHECK(str_utf8_count(got) <= 10000, "%zu", str_utf8_count(got));
    CHECK(str_starts(got, "<p>") && str_ends(got, "</p>"));
}

static void names(void)
{
    CHECK(map_text_same("Aurora Têxtil", "AURORA  textil"));
    CHECK(map_text_same("Ação", "acao"));
    CHECK(!map_text_same("Azul", "Azul claro"));
    CHECK(!map_text_same("", ""));
    CHECK(!map_text_same(NULL, "x"));
}

/* Uploaded pictures stand between the blocks; nothing else of their tags is left. */
static void pictures(void)
{
    static const struct {
        const char *what, *text;
        size_t max;
        const char *out;
        int found;
    } rows[] = {
        { "between paragraphs", "<p>a<img src=\"/a.png\">b</p>", 10000,
          "<p>a</p><img src=\"https://t.example/a?x=1&y=2\" width=\"800\" height=\"250\"><p>b</p>",
          1 },
        { "entities and blanks of the address",
          "<IMG data-src=no.png alt='src=\"/x.png\"' src = '/b.png?a=1&amp;b=2 ' onerror=x()>a",
          10000, "<img src=\"https://t.example/b\" width=\"100\" height=\"100\"><p>a</p>", 1 },
        { "in a list", "<ul><li>um<img src=/a.png></li><li>dois</li></ul>", 10000,
          "<ul><li>um</li></ul><img src=\"https://t.example/a?x=1&y=2\" width=\"800\" height=\"250\">"
          "<ul><li>dois</li></ul>",
          1 },
        { "inside strong", "<p><b>a<img src='/a.png'>b</b></p>", 10000,
          "<p><strong>a</strong></p><img src=\"https://t.example/a?x=1&y=2\" width=\"800\" height=\"250\">"
          "<p>b</p>",
          1 },
        { "not uploaded", "<p>a<img src=\"/c.png\">b</p>", 10000, "<p>ab</p>", 1 },
        { "without an address", "<p>a<img alt='x'><img src=''><img src>b</p>", 10000, "<p>ab</p>",
          0 },
        { "no room for it", "<p>abc</p><img src=\"/a.png\"><p>de</p>", 30, "<p>abc</p><p>de</p>",
          1 },
        { "in a comment or a script", "<!-- <img src=/a.png> --><script><img src=/a.png></script>a",
          10000, "<p>a</p>", 0 },
    };
    json_t *known =
        json_pack("{s:{s:s, s:i, s:i}, s:{s:s, s:i, s:i}}", "/a.png", "url",
                  "https://t.example/a?x=1&y=2", "width", 800, "height", 250, "/b.png?a=1&b=2",
                  "url", "https://t.example/b", "width", 100, "height", 100);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *found = NULL;
        struct buf out;

        buf_init(&out, 1 << 20);
        CHECK(map_text_html_pictured(rows[i].text, known, rows[i].max, &out, NULL) == RC_OK);
        CHECK(strcmp(buf_text(&out), rows[i].out) == 0, "%s: %s", rows[i].what, buf_text(&out));
        CHECK(map_text_html_pictures(rows[i].text, &found, NULL) == RC_OK);
        CHECK((int)json_array_size(found) == rows[i].found, "%s: %d pictures", rows[i].what,
              (int)json_array_size(found));
        json_decref(found);
        buf_done(&out);
    }
    json_decref(known);
}

static void at_most_thirty_pictures(void)
{
    json_t *known = json_pack("{s:{s:s, s:i, s:i}}", "/a.png", "url", "https://t.example/a",
                              "width", 9, "height", 9);
    struct buf text, out;
    int n = 0;

    buf_init(&text, 1 << 20);
    buf_init(&out, 1 << 20);
    for (int i = 0; i < 40; i++)
        buf_str(&text, "<img src=/a.png>");
    CHECK(map_text_html_pictured(buf_text(&text), known, 10000, &out, NULL) == RC_OK);
    for (const char *p = buf_text(&out); (p = strstr(p, "<img ")) != NULL; p++)
        n++;
    CHECK_INT(n, 30);
    buf_done(&text);
    buf_done(&out);
    json_decref(known);
}

static void addresses(void)
{
    static const struct {
        const char *src, *page, *out; /* out NULL: not usable */
    } rows[] = {
        { "https://x.example/a.png", NULL, "https://x.example/a.png" },
        { "//cdn.example/a.png", NULL, "https://cdn.example/a.png" },
        { "/a.png", "https://loja.example/produto/p?x=1", "https://loja.example/a.png" },
        { "/a.png", NULL, NULL },
        { "a.png", "https://loja.example/p", NULL },
        { "data:image/png;base64,AAAA", "https://loja.example/p", NULL },
        { "file:///etc/passwd", "https://loja.example/p", NULL },
    };
    char out[200];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool ok = map_text_address(rows[i].src, rows[i].page, out, sizeof(out));

        CHECK(ok == (rows[i].out != NULL), "%s", rows[i].src);
        if (ok && rows[i].out != NULL)
            CHECK_STR(out, rows[i].out);
    }
}

/* A thousand levels deep: flat in the end, and nothing is recursed into. */
static void deep_nesting(void)
{
    struct buf text, out;

    buf_init(&text, 1 << 20);
    buf_init(&out, 1 << 20);
    for (int i = 0; i < 10000; i++)
        buf_str(&text, "<div><ul><li><b>");
    buf_str(&text, "fundo");
    CHECK(map_text_html(buf_text(&text), 10000, &out, NULL) == RC_OK);
    CHECK_STR(buf_text(&out), "<ul><li><strong>fundo</strong></li></ul>");
    buf_done(&text);
    buf_done(&out);
}

int main(void)
{
    CASE(titles);
    CASE(descriptions);
    CASE(pictures);
    CASE(at_most_thirty_pictures);
    CASE(addresses);
    CASE(deep_nesting);
    CASE(long_descriptions);
    CASE(names);
    return CHECK_END();
}
