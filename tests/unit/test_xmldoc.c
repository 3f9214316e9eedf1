/* test_xmldoc.c - the streaming XML reader: names, text, attributes, limits, refusals. */
#include "check.h"
#include "str.h"
#include "xmldoc.h"

struct trace {
    struct buf out;
    int stop_at; /* answer a failure at this element; 0 = never */
    int opened;
};

static enum rc on_open(void *user, const struct xmldoc_name *n, const struct xmldoc_attrs *attrs,
                       struct err *e)
{
    struct trace *t = user;
    char value[32];

    buf_fmt(&t->out, "<%s|%s|%s", n->prefix != NULL ? n->prefix : "", n->local,
            n->uri != NULL ? n->uri : "");
    if (xmldoc_attr(attrs, "a", value, sizeof value))
        buf_fmt(&t->out, " a=%s", value);
    buf_str(&t->out, ">");
    if (++t->opened == t->stop_at)
        return err_set(e, RC_STOPPED, "enough");
    return RC_OK;
}

static enum rc on_close(void *user, struct err *e)
{
    (void)e;
    buf_str(&((struct trace *)user)->out, "</>");
    return RC_OK;
}

static enum rc on_text(void *user, const char *text, size_t len, struct err *e)
{
    (void)e;
    buf_add(&((struct trace *)user)->out, text, len);
    return RC_OK;
}

static const struct xmldoc_handler HANDLER = { on_open, on_close, on_text };

static enum rc run(struct trace *t, const char *text, size_t piece, int64_t max_bytes,
                   struct err *e)
{
    struct xmldoc_opts opts = { .code = "doc", .max_depth = 5, .max_bytes = max_bytes };
    OWN_XMLDOC struct xmldoc *x = NULL;
    size_t len = strlen(text);
    enum rc rc = xmldoc_new(&HANDLER, t, &opts, &x, e);

    buf_init(&t->out, 1 << 20);
    t->opened = 0;
    for (size_t at = 0; rc == RC_OK && at < len; at += piece)
        rc = xmldoc_read(x, text + at, len - at < piece ? len - at : piece, e);
    return rc == RC_OK ? xmldoc_end(x, e) : rc;
}

static void events(void)
{
    static const char *const CASES[][2] = {
        { "<a><b x='1' a='q&amp;&#38;&eacute;'/>t<![CDATA[<c>]]>u</a>",
          "<|a|><|b| a=q&&é></>t<c>u</>" },
        { "<p:a xmlns:p='urn:x'><p:b/><q:c/></p:a>", "<p|a|urn:x><p|b|urn:x></><q|c|></></>" },
        { "<a>&lt;&nbsp;&euro;&#x41;&apos;</a>", "<|a|><\xC2\xA0€A'</>" },
        { "<a><!-- <b/> --><?pi <b/>?></a>", "<|a|></>" },
        { "<a xmlns='urn:d'><b a='x'/></a>", "<|a|urn:d><|b|urn:d a=x></></>" },
        { "<p:a xmlns:p='u1'><p:b xmlns:p='u2'><p:c/></p:b><p:c/></p:a>",
          "<p|a|u1><p|b|u2><p|c|u2></></><p|c|u1></></>" },
        { "<a xmlns='u1'><b xmlns=''><c/></b><c/></a>", "<|a|u1><|b|><|c|></></><|c|u1></></>" },
        { "<a><b xmlns:p='u1'/><p:b/><b xmlns:p='u2'><p:b/></b></a>",
          "<|a|><|b|></><p|b|></><|b|><p|b|u2></></></>" },
        { "<a p:a='1' xmlns:a='no'><a:b:c/></a>", "<|a| a=1><|a:b:c|></></>" },
        { "\xEF\xBB\xBF<?xml version='1.0' encoding='ISO-8859-1'?><a>Café</a>", "<|a|>Café</>" },
        { "<?xml version='1.0' encoding='ISO-8859-1'?><a>Caf\xE9</a>", "<|a|>Café</>" },
    };

    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        for (size_t piece = 1; piece < 100; piece *= 9) {
            struct trace t = { 0 };
            struct err e = { 0 };
            enum rc rc = run(&t, CASES[i][0], piece, 1 << 20, &e);

            CHECK(rc == RC_OK, "%s: %s", CASES[i][0], e.text);
            CHECK_STR(buf_text(&t.out), CASES[i][1]);
            buf_done(&t.out);
        }
    }
}

static void refusals(void)
{
    static const char *const CASES[][2] = {
        { "<a><b><c><d><e><f/></e></d></c></b></a>", "doc_too_deep" },
        { "<!DOCTYPE a><a/>", "doc_doctype" },
        { "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>", "doc_doctype" },
        { "<a>", "doc_truncated" },
        { "<a/><b/>", "doc_not_xml" },
        { "<a>&nosuch;</a>", "doc_not_xml" },
        { "", "doc_empty" },
        { "hello", "doc_not_xml" },
        { "<a>a text that is longer than the limit of this test: forty bytes</a>", "doc_too_big" },
    };

    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct trace t = { 0 };
        struct err e = { 0 };
        enum rc rc = run(&t, CASES[i][0], 7, i == 8 ? 40 : 1000, &e);

        CHECK(rc == RC_INVALID, "%s", CASES[i][0]);
        CHECK_STR(e.code, CASES[i][1]);
        buf_done(&t.out);
    }
}

/* The parser cannot tell the end of a section before it comes; the refusal names the size, not the syntax. */
static void endless_section(void)
{
    static const char *const BEGIN[] = { "<a><![CDATA[", "<a><!--" };
    const size_t len = (size_t)12 << 20;

    for (size_t i = 0; i < sizeof BEGIN / sizeof BEGIN[0]; i++) {
        struct trace t = { 0 };
        struct err e = { 0 };
        char *text = malloc(len + 1);

        if (text == NULL)
            abort();
        memset(text, ' ', len);
        text[len] = '\0';
        memcpy(text, BEGIN[i], strlen(BEGIN[i]));
        CHECK(run(&t, text, 65536, 1 << 30, &e) == RC_INVALID, "%s", BEGIN[i]);
        CHECK_STR(e.code, "doc_too_big");
        CHECK(strstr(e.text, "10 MB") != NULL, "%s", e.text);
        free(text);
        buf_done(&t.out);
    }
}

/* As many namespaces as the limit are taken, one more is not. */
static void many_namespaces(void)
{
    for (int n = 256; n <= 257; n++) {
        struct trace t = { 0 };
        struct err e = { 0 };
        struct buf text;

        buf_init(&text, 1 << 20);
        buf_str(&text, "<a");
        for (int i = 0; i < n; i++)
            buf_fmt(&text, " xmlns:p%d='u'", i);
        buf_str(&text, "/>");
        CHECK_INT(run(&t, buf_text(&text), 65536, 1 << 20, &e), n == 256 ? RC_OK : RC_INVALID);
        CHECK_STR(e.code, n == 256 ? "" : "doc_not_xml");
        buf_done(&t.out);
        buf_done(&text);
    }
}

/* Ten entities that multiply each other never get anywhere. */
static void billion_laughs(void)
{
    struct trace t = { 0 };
    struct err e = { 0 };
    enum rc rc = run(
        &t,
        "<!DOCTYPE a [<!ENTITY b 'xxxxxxxxxx'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]><a>&c;</a>",
        1000, 1 << 20, &e);

    CHECK(rc == RC_INVALID);
    CHECK_INT(t.out.len, 0);
    buf_done(&t.out);
}

static void callback_stops(void)
{
    struct trace t = { .stop_at = 2 };
    struct err e = { 0 };

    CHECK(run(&t, "<a><b/><c/></a>", 1000, 1000, &e) == RC_STOPPED);
    CHECK_STR(buf_text(&t.out), "<|a|><|b|>");
    CHECK_STR(e.text, "enough");
    buf_done(&t.out);
}

static void entities(void)
{
    CHECK_INT(xmldoc_entity("eacute", 6), 0xE9);
    CHECK_INT(xmldoc_entity("amp", 3), '&');
    CHECK_INT(xmldoc_entity("apos", 4), '\'');
    CHECK_INT(xmldoc_entity("nope", 4), 0);
    CHECK_INT(xmldoc_entity("", 0), 0);
}

int main(void)
{
    CASE(events);
    CASE(refusals);
    CASE(endless_section);
    CASE(billion_laughs);
    CASE(many_namespaces);
    CASE(callback_stops);
    CASE(entities);
    return CHECK_END();
}
