/* xmldoc.c - streaming XML on libxml2's SAX2 push parser, with limits that hold before memory is spent.
 *
 * The parser never stops by itself on an undeclared prefix (a namespace error only), so `wellFormed` and not the
 * return code of xmlParseChunk decides. Callbacks cannot return a value to libxml2: the first failure is kept
 * here, callbacks cease, and xmldoc_read answers it. */
#include "xmldoc.h"

#include "own.h"
#include "str.h"
#include "xmldoc_input.h"
#include "xmldoc_names.h"

#include <libxml/HTMLparser.h>
#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct xmldoc_attrs {
    const xmlChar **list; /* name as written, value, ..., NULL; or NULL */
};

struct xmldoc {
    struct xmldoc_handler handler;
    void *user;
    struct xmldoc_opts opts;
    char code[32], charset[32];
    struct xml_input input;
    xmlSAXHandler sax;
    xmlParserCtxtPtr ctxt;
    struct xml_names names;
    int depth;
    bool rooted; /* the root element was opened */
    bool failed;
    bool ending;
    struct err err;   /* first failure */
    xmlEntity entity; /* answer of the last getEntity */
    char entity_name[64], entity_text[8];
};

static pthread_once_t library_once = PTHREAD_ONCE_INIT;

static void library_init(void)
{
    xmlInitParser();
}

/* The parser goes on to the end of its piece without callbacks: xmlStopParser would free buffers that its
 * callers up the stack still read. */
static void fail(struct xmldoc *x)
{
    x->failed = true;
    if (x->ctxt != NULL)
        x->ctxt->disableSAX = 1;
}

int64_t xmldoc_line(const struct xmldoc *x)
{
    return x->ctxt != NULL && x->ctxt->input != NULL ? x->ctxt->input->line : 1;
}

const char *xmldoc_encoding(const struct xmldoc *x)
{
    return x->input.encoding;
}

int64_t xmldoc_bytes(const struct xmldoc *x)
{
    return x->input.bytes;
}

static enum rc open_element(struct xmldoc *x, const xmlChar *written, const xmlChar **attrs)
{
    struct xmldoc_attrs list = { attrs };
    const struct xmldoc_name *name;
    enum rc rc;

    if (x->depth > x->opts.max_depth)
        return xml_code(x->code, &x->err, "too_deep",
                        "line %lld: more than %d elements inside each other",
                        (long long)xmldoc_line(x), x->opts.max_depth);
    if (attrs != NULL) {
        rc = xml_names_open(&x->names, x->depth, attrs, &x->err);
        if (rc == RC_INVALID)
            return xml_code(x->code, &x->err, "not_xml", "line %lld: more than %d namespaces",
                            (long long)xmldoc_line(x), LIMIT_XML_NAMESPACES);
        if (rc != RC_OK)
            return rc;
    }
    name = xml_names_find(&x->names, written);
    if (name == NULL)
        return err_set(&x->err, RC_DOWN, "out of memory for a name");
    return x->handler.open(x->user, name, &list, &x->err);
}

static void on_open(void *user, const xmlChar *written, const xmlChar **attrs)
{
    struct xmldoc *x = user;

    if (x->failed)
        return;
    x->rooted = true;
    x->depth++;
    if (open_element(x, written, attrs) != RC_OK)
        fail(x);
}

static void on_close(void *user, const xmlChar *written)
{
    struct xmldoc *x = user;

    (void)written;
    if (x->failed)
        return;
    if (x->names.n_bindings > 0 && x->names.bindings[x->names.n_bindings - 1].depth == x->depth)
        xml_names_close(&x->names, x->depth);
    x->depth--;
    if (x->handler.close(x->user, &x->err) != RC_OK)
        fail(x);
}

static void on_text(void *user, const xmlChar *text, int len)
{
    struct xmldoc *x = user;

    if (!x->failed && x->handler.text(x->user, (const char *)text, (size_t)len, &x->err) != RC_OK)
        fail(x);
}

static void on_doctype(void *user, const xmlChar *name, const xmlChar *public_id,
                       const xmlChar *system_id)
{
    struct xmldoc *x = user;

    (void)public_id;
    (void)system_id;
    if (x->failed)
        return;
    if (str_ieq((const char *)name, "html"))
        (void)xml_code(x->code, &x->err, "html", "the answer is an HTML page, not XML");
    else
        (void)xml_code(x->code, &x->err, "doctype", "line %lld: a DOCTYPE is not accepted",
                       (long long)xmldoc_line(x));
    fail(x);
}

static size_t utf8_put(char out[8], unsigned c)
{
    size_t n = 0;

    if (c < 0x80) {
        out[n++] = (char)c;
    } else if (c < 0x800) {
        out[n++] = (char)(0xC0 | (c >> 6));
        out[n++] = (char)(0x80 | (c & 0x3F));
    } else {
        out[n++] = (char)(0xE0 | (c >> 12));
        out[n++] = (char)(0x80 | ((c >> 6) & 0x3F));
        out[n++] = (char)(0x80 | (c & 0x3F));
    }
    out[n] = '\0';
    return n;
}

unsigned xmldoc_entity(const char *name, size_t len)
{
    char text[16];
    const htmlEntityDesc *found;

    if (len == 0 || len >= sizeof text)
        return 0;
    memcpy(text, name, len);
    text[len] = '\0';
    if (str_eq(text, "apos"))
        return '\'';
    found = htmlEntityLookup((const xmlChar *)text);
    return found != NULL ? found->value : 0;
}

/* HTML's names stand for themselves; nothing a document declares is ever expanded (no DTD is read at all). */
static xmlEntityPtr on_entity(void *user, const xmlChar *name)
{
    struct xmldoc *x = user;
    unsigned c = xmldoc_entity((const char *)name, strlen((const char *)name));

    if (c == 0 || !str_copy(x->entity_name, sizeof x->entity_name, (const char *)name))
        return NULL;
    memset(&x->entity, 0, sizeof x->entity);
    x->entity.type = XML_ENTITY_DECL;
    x->entity.etype = XML_INTERNAL_PREDEFINED_ENTITY;
    if (x->ctxt->instate == XML_PARSER_ATTRIBUTE_VALUE) {
        /* There libxml2 takes one byte of a predefined entity; of a general one it keeps the reference, and
         * xmldoc_attr decodes it. "checked" 2: one entity, no '<' inside. */
        x->entity.etype = XML_INTERNAL_GENERAL_ENTITY;
        x->entity.checked = 2;
    }
    x->entity.name = (const xmlChar *)x->entity_name;
    x->entity.length = (int)utf8_put(x->entity_text, c);
    x->entity.content = (xmlChar *)x->entity_text;
    x->entity.orig = (xmlChar *)x->entity_text;
    return &x->entity;
}

/* libxml2 waits for the end of a CDATA section or comment and gives up after 10 MB. */
static bool is_huge(int code, const char *text)
{
    return code == XML_ERR_INTERNAL_ERROR && strstr(text, "Huge input lookup") != NULL;
}

static const char *word_of(const struct xmldoc *x, int code, const char *text)
{
    if (is_huge(code, text))
        return "too_big";
    if (str_starts(text, "Input is not proper UTF-8")) /* has the code of a bad character */
        return "encoding";
    switch (code) {
    case XML_ERR_INVALID_ENCODING:
    case XML_ERR_UNKNOWN_ENCODING:
    case XML_ERR_UNSUPPORTED_ENCODING:
    case XML_I18N_CONV_FAILED:
    case XML_I18N_NO_HANDLER:
        return "encoding";
    case XML_ERR_NO_MEMORY:
        return "too_big";
    case XML_ERR_DOCUMENT_END: /* said only when the input is over */
        return x->rooted && x->depth == 0 ? "not_xml" : "truncated";
    default: /* the same words mean "cut" when the parser has run out of input */
        return x->ending &&
                       (!x->rooted || (x->depth > 0 && x->ctxt->input->cur >= x->ctxt->input->end))
                   ? "truncated"
                   : "not_xml";
    }
}

/* Keeps the first fatal error in our words. */
static void error_take(struct xmldoc *x, const xmlError *error)
{
    const char *word;
    char text[256];
    size_t n;

    if (x == NULL || x->failed || error->level != XML_ERR_FATAL)
        return;
    str_copy_cut(text, sizeof text, error->message != NULL ? error->message : "not well-formed");
    for (n = strlen(text); n > 0 && (unsigned char)text[n - 1] <= ' ';)
        text[--n] = '\0';
    for (n = 0; text[n] != '\0'; n++) {
        if ((unsigned char)text[n] < ' ')
            text[n] = ' ';
    }
    if (!str_utf8_valid(text, strlen(text)))
        (void)str_copy(text, sizeof text, "not well-formed");
    word = word_of(x, error->code, text);
    if (is_huge(error->code, text))
        (void)str_copy(text, sizeof text, "a section without an end is larger than 10 MB");
    (void)xml_code(x->code, &x->err, word, "line %d: %s", error->line, text);
    fail(x);
}

/* The text is part of what the context keeps, with line and code. */
__attribute__((format(printf, 2, 3))) static void on_error(void *user, const char *fmt, ...)
{
    struct xmldoc *x = user;

    (void)fmt;
    if (x->ctxt != NULL)
        error_take(x, &x->ctxt->lastError);
}

/* First bytes for the parser: it is made now, because only now we know whether to trust the declaration. */
static enum rc parser_make(struct xmldoc *x, bool utf8, struct err *e)
{
    int options = XML_PARSE_NONET | (utf8 ? XML_PARSE_IGNORE_ENC : 0);

    x->ctxt = xmlCreatePushParserCtxt(&x->sax, x, NULL, 0, NULL);
    if (x->ctxt == NULL)
        return err_set(e, RC_DOWN, "out of memory for an XML parser");
    (void)xmlCtxtUseOptions(x->ctxt, options);
    x->names.dict = x->ctxt->dict;
    return RC_OK;
}

/* No declaration, no BOM, but the HTTP header named an encoding that is not single-byte. */
static enum rc charset_use(struct xmldoc *x, struct err *e)
{
    xmlCharEncodingHandlerPtr handler;

    if (x->charset[0] == '\0' || !str_ieq(x->input.encoding, x->charset) ||
        str_ieq(x->charset, "utf-8") || str_ieq(x->charset, "utf8"))
        return RC_OK;
    handler = xmlFindCharEncodingHandler(x->charset);
    if (handler == NULL)
        return xml_code(x->code, e, "encoding", "the charset %s of the answer is not known",
                        x->charset);
    return xmlSwitchToEncoding(x->ctxt, handler) == 0
               ? RC_OK
               : xml_code(x->code, e, "encoding", "the charset %s cannot be read", x->charset);
}

static enum rc parse(void *user, const char *data, size_t len, bool utf8, struct err *e)
{
    struct xmldoc *x = user;
    const size_t piece = (size_t)1 << 16;

    if (x->ctxt == NULL) {
        enum rc rc = parser_make(x, utf8, e);
        if (rc == RC_OK && !utf8)
            rc = charset_use(x, e);
        if (rc != RC_OK)
            return rc;
    }
    for (size_t at = 0; at < len && !x->failed; at += piece) {
        size_t n = len - at < piece ? len - at : piece;

        (void)xmlParseChunk(x->ctxt, data + at, (int)n, 0);
        if (!x->failed && !x->ctxt->wellFormed) {
            (void)xml_code(x->code, &x->err, "not_xml", "line %lld: not well-formed",
                           (long long)xmldoc_line(x));
            fail(x);
        }
    }
    if (x->failed && e != NULL)
        *e = x->err;
    return x->failed ? x->err.rc : RC_OK;
}

enum rc xmldoc_new(const struct xmldoc_handler *handler, void *user, const struct xmldoc_opts *opts,
                   struct xmldoc **out, struct err *e)
{
    struct xmldoc *x = calloc(1, sizeof *x);

    if (x == NULL)
        return err_set(e, RC_DOWN, "out of memory for a document");
    (void)pthread_once(&library_once, library_init);
    x->handler = *handler;
    x->user = user;
    x->opts = *opts;
    (void)str_copy(x->code, sizeof x->code, opts->code);
    (void)str_copy(x->charset, sizeof x->charset, opts->charset != NULL ? opts->charset : "");
    x->opts.code = x->code;
    x->opts.charset = x->charset[0] != '\0' ? x->charset : NULL;
    x->sax.initialized = 1; /* SAX1: without the library's namespaces, see xmldoc_names.h */
    x->sax.startElement = on_open;
    x->sax.endElement = on_close;
    x->sax.characters = on_text;
    x->sax.ignorableWhitespace = on_text;
    x->sax.cdataBlock = on_text;
    x->sax.internalSubset = on_doctype;
    x->sax.getEntity = on_entity;
    x->sax.error = on_error;
    x->sax.fatalError = on_error;
    xml_input_init(&x->input, &x->opts, parse, x);
    *out = x;
    return RC_OK;
}

void xmldoc_free(struct xmldoc *x)
{
    if (x == NULL)
        return;
    xml_input_done(&x->input);
    if (x->ctxt != NULL) {
        xmlFreeDoc(x->ctxt->myDoc);
        xmlFreeParserCtxt(x->ctxt);
    }
    free(x);
}

enum rc xmldoc_read(struct xmldoc *x, const void *data, size_t len, struct err *e)
{
    return xml_input_read(&x->input, data, len, e);
}

enum rc xmldoc_end(struct xmldoc *x, struct err *e)
{
    enum rc rc;

    rc = xml_input_end(&x->input, e);
    if (rc != RC_OK)
        return rc;
    x->ending = true;
    (void)xmlParseChunk(x->ctxt, NULL, 0, 1);
    if (!x->failed && (!x->ctxt->wellFormed || x->depth > 0 || !x->rooted)) {
        (void)xml_code(x->code, &x->err, "truncated", "line %lld: the document ends too early",
                       (long long)xmldoc_line(x));
        x->failed = true;
    }
    if (x->failed && e != NULL)
        *e = x->err;
    return x->failed ? x->err.rc : RC_OK;
}

/* One character of an attribute value; libxml2 hands over '&' as "&#38;" and keeps references to HTML's names. */
static size_t attr_char(const char *p, const char *end, char out[8])
{
    const char *semicolon = *p == '&' ? memchr(p, ';', (size_t)(end - p)) : NULL;
    unsigned c = 0;

    if (semicolon != NULL)
        c = p[1] == '#' ? '&' : xmldoc_entity(p + 1, (size_t)(semicolon - p) - 1);
    if (c == 0) {
        out[0] = *p;
        out[1] = '\0';
        return 1;
    }
    (void)utf8_put(out, c);
    return (size_t)(semicolon - p) + 1;
}

static bool attr_is(const xmlChar *written, const char *local)
{
    const char *colon = strchr((const char *)written, ':');

    return !xml_names_declares(written) &&
           str_eq(colon != NULL ? colon + 1 : (const char *)written, local);
}

static bool attr_copy(const char *value, char *dst, size_t cap)
{
    const char *end = value + strlen(value);
    size_t n = 0;

    for (const char *p = value; p < end;) {
        char one[8];
        size_t len;

        p += attr_char(p, end, one);
        len = strlen(one);
        if (n + len >= cap)
            return false;
        memcpy(dst + n, one, len);
        n += len;
    }
    dst[n] = '\0';
    return true;
}

bool xmldoc_attr(const struct xmldoc_attrs *attrs, const char *local, char *dst, size_t cap)
{
    for (const xmlChar **a = attrs->list; a != NULL && *a != NULL; a += 2) {
        if (attr_is(a[0], local))
            return attr_copy(a[1] != NULL ? (const char *)a[1] : "", dst, cap);
    }
    return false;
}

int xmldoc_attr_count(const struct xmldoc_attrs *attrs)
{
    int n = 0;

    for (const xmlChar **a = attrs->list; a != NULL && *a != NULL; a += 2)
        n += !xml_names_declares(a[0]);
    return n;
}
