/* xmldoc_input.c - prepares raw bytes for the XML parser: gzip, byte order marks, blanks in front, single-byte
 * encodings. Kept apart from the parser so that libxml2 sees plain UTF-8 in all usual cases. */
#include "xmldoc_input.h"

#include "str.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define INFLATE_BYTES 65536

enum rc xml_code(const char *prefix, struct err *e, const char *word, const char *fmt, ...)
{
    char code[64], text[512];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    (void)str_fmt(code, sizeof code, "%s_%s", prefix, word);
    return err_code(e, RC_INVALID, code, "%s", text);
}

void xml_input_init(struct xml_input *in, const struct xmldoc_opts *opts, xml_input_sink sink,
                    void *user)
{
    memset(in, 0, sizeof *in);
    in->code = opts->code;
    in->charset = opts->charset;
    in->max_bytes = opts->max_bytes;
    in->sink = sink;
    in->user = user;
}

void xml_input_done(struct xml_input *in)
{
    if (in->gzip)
        (void)inflateEnd(&in->z);
    in->gzip = false;
}

/* Bytes 0x80-0x9F of windows-1252; the five undefined ones keep their control code point. */
static const unsigned short HIGH_1252[32] = {
    0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178
};

static size_t put_high(char *out, unsigned char byte)
{
    unsigned c = byte < 0xA0 ? HIGH_1252[byte - 0x80] : byte;

    if (c < 0x800) {
        out[0] = (char)(0xC0 | (c >> 6));
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    out[0] = (char)(0xE0 | (c >> 12));
    out[1] = (char)(0x80 | ((c >> 6) & 0x3F));
    out[2] = (char)(0x80 | (c & 0x3F));
    return 3;
}

/* Passes single bytes on as UTF-8, a bounded piece at a time. */
static enum rc pass_single_byte(struct xml_input *in, const char *data, size_t len, struct err *e)
{
    char out[8192];
    size_t i = 0;

    while (i < len) {
        size_t n = 0;

        for (; i < len && n + 3 <= sizeof out; i++) {
            unsigned char c = (unsigned char)data[i];

            if (c < 0x80)
                out[n++] = (char)c;
            else
                n += put_high(out + n, c);
        }
        enum rc rc = in->sink(in->user, out, n, true, e);
        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

static enum rc pass(struct xml_input *in, const char *data, size_t len, struct err *e)
{
    if (len == 0)
        return RC_OK;
    if (in->single_byte)
        return pass_single_byte(in, data, len, e);
    return in->sink(in->user, data, len, in->bom, e);
}

static bool is_single_byte(const char *name)
{
    static const char *const NAMES[] = { "iso-8859-1", "iso8859-1", "iso_8859-1", "latin1",
                                         "latin-1",    "l1",        "cp819",      "windows-1252",
                                         "cp1252",     "cp-1252",   "win-1252",   "x-cp1252",
                                         "ansi" };

    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        if (str_ieq(name, NAMES[i]))
            return true;
    }
    return false;
}

/* Encoding named in the XML declaration at the start of head; "" when there is none. */
static void declared_encoding(const char *head, char out[32])
{
    const char *end = strstr(head, "?>"), *p = strstr(head, "encoding");
    size_t n = 0;
    char quote;

    out[0] = '\0';
    if (!str_starts(head, "<?xml") || end == NULL || p == NULL || p > end)
        return;
    for (p += 8; *p == '=' || isspace((unsigned char)*p); p++)
        ;
    quote = *p;
    if (quote != '"' && quote != '\'')
        return;
    for (p++; *p != quote && p < end && n < 31; p++)
        out[n++] = *p;
    out[n] = '\0';
}

static bool head_is_html(const char *head)
{
    char low[64];

    str_copy_cut(low, sizeof low, head);
    str_lower_ascii(low);
    return str_starts(low, "<!doctype html") || str_starts(low, "<html");
}

/* Decides by the first characters what this is; p is the first one that is not blank. */
static enum rc head_check(struct xml_input *in, const char *p, bool wide, struct err *e)
{
    if (wide)
        return RC_OK;
    if (head_is_html(p))
        return xml_code(in->code, e, "html", "the answer is an HTML page, not XML");
    if (*p != '<')
        return xml_code(in->code, e, "not_xml", "line 1: the document does not begin with '<'");
    return RC_OK;
}

static void upper(char *text)
{
    for (; *text != '\0'; text++)
        *text = (char)toupper((unsigned char)*text);
}

/* The head is complete (or the input over): find the encoding, drop what the parser must not see. */
static enum rc start(struct xml_input *in, struct err *e)
{
    char *p = in->head, declared[32] = "";
    const unsigned char *b = (const unsigned char *)in->head;
    const bool bom = in->n_head >= 3 && b[0] == 0xEF && b[1] == 0xBB && b[2] == 0xBF;
    bool wide =
        in->n_head >= 2 && ((b[0] == 0xFE && b[1] == 0xFF) || (b[0] == 0xFF && b[1] == 0xFE) ||
                            (b[0] == 0 && b[1] == '<') || (b[0] == '<' && b[1] == 0));
    enum rc rc;

    in->started = true;
    in->bom = bom;
    in->head[in->n_head] = '\0';
    if (bom)
        p += 3;
    if (!wide) {
        for (; *p != '\0' && isspace((unsigned char)*p); p++)
            ;
        declared_encoding(p, declared);
    }
    if (wide)
        (void)str_copy(in->encoding, sizeof in->encoding, "UTF-16");
    else if (bom)
        (void)str_copy(in->encoding, sizeof in->encoding, "UTF-8");
    else if (declared[0] != '\0')
        (void)str_copy(in->encoding, sizeof in->encoding, declared);
    else if (in->charset == NULL || !str_copy(in->encoding, sizeof in->encoding, in->charset))
        (void)str_copy(in->encoding, sizeof in->encoding, "UTF-8");
    if (str_ieq(in->encoding, "utf-8") || str_ieq(in->encoding, "iso-8859-1"))
        upper(in->encoding);
    in->single_byte = !wide && !bom && is_single_byte(in->encoding);
    if (p == in->head + in->n_head)
        return xml_code(in->code, e, "empty", "the document is empty");
    rc = head_check(in, p, wide, e);
    if (rc != RC_OK)
        return rc;
    return pass(in, p, in->n_head - (size_t)(p - in->head), e);
}

/* Inflated bytes. */
static enum rc plain(struct xml_input *in, const char *data, size_t len, struct err *e)
{
    in->bytes += (int64_t)len;
    if (in->bytes > in->max_bytes)
        return xml_code(in->code, e, "too_big", "the document is larger than %lld bytes",
                        (long long)in->max_bytes);
    if (!in->started) {
        size_t room = sizeof in->head - 1 - in->n_head, n = len < room ? len : room;

        memcpy(in->head + in->n_head, data, n);
        in->n_head += n;
        data += n;
        len -= n;
        if (in->n_head < sizeof in->head - 1)
            return RC_OK;
        enum rc rc = start(in, e);
        if (rc != RC_OK)
            return rc;
    }
    return pass(in, data, len, e);
}

static enum rc inflate_some(struct xml_input *in, const void *data, size_t len, struct err *e)
{
    char out[INFLATE_BYTES];

    in->z.next_in = (Bytef *)(uintptr_t)data;
    in->z.avail_in = (uInt)len;
    while (in->z.avail_in > 0) {
        int z;

        if (in->gzip_over) { /* members may follow each other; zero padding may end the file */
            if (*in->z.next_in == 0) {
                in->z.next_in++;
                in->z.avail_in--;
                continue;
            }
            (void)inflateReset(&in->z);
            in->gzip_over = false;
        }
        do {
            in->z.next_out = (Bytef *)out;
            in->z.avail_out = sizeof out;
            z = inflate(&in->z, Z_NO_FLUSH);
            if (z != Z_OK && z != Z_STREAM_END && z != Z_BUF_ERROR)
                return xml_code(in->code, e, "gzip", "the gzip data is damaged");
            enum rc rc = plain(in, out, sizeof out - in->z.avail_out, e);
            if (rc != RC_OK)
                return rc;
        } while (z == Z_OK && in->z.avail_out == 0);
        in->gzip_over = z == Z_STREAM_END;
    }
    return RC_OK;
}

/* The first bytes tell gzip and zip from text. */
static enum rc decide(struct xml_input *in, struct err *e)
{
    in->decided = true;
    if (in->n_magic >= 4 && memcmp(in->magic, "PK\003\004", 4) == 0)
        return xml_code(in->code, e, "zip",
                        "the file is a .zip archive; publish it as XML or .xml.gz");
    if (in->n_magic >= 2 && in->magic[0] == 0x1F && in->magic[1] == 0x8B) {
        if (inflateInit2(&in->z, 15 + 16) != Z_OK)
            return err_set(e, RC_DOWN, "out of memory for inflating");
        in->gzip = true;
        return inflate_some(in, in->magic, in->n_magic, e);
    }
    return plain(in, (const char *)in->magic, in->n_magic, e);
}

enum rc xml_input_read(struct xml_input *in, const void *data, size_t len, struct err *e)
{
    const char *p = data;

    if (!in->decided) {
        for (; len > 0 && in->n_magic < sizeof in->magic; len--)
            in->magic[in->n_magic++] = (unsigned char)*p++;
        if (in->n_magic < sizeof in->magic)
            return RC_OK;
        enum rc rc = decide(in, e);
        if (rc != RC_OK)
            return rc;
    }
    if (len == 0)
        return RC_OK;
    return in->gzip ? inflate_some(in, p, len, e) : plain(in, p, len, e);
}

enum rc xml_input_end(struct xml_input *in, struct err *e)
{
    enum rc rc = RC_OK;

    if (!in->decided)
        rc = decide(in, e);
    if (rc == RC_OK && in->gzip && !in->gzip_over)
        return xml_code(in->code, e, "truncated", "the gzip data ends too early");
    if (rc == RC_OK && !in->started)
        rc = start(in, e);
    return rc;
}
