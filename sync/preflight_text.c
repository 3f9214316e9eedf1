/* preflight_text.c - which characters and which markup TikTok refuses in texts (12052931 to 12052935, 1205234x). */
#include "preflight.h"

#include <string.h>

#include "map_text.h"
#include "map_text_chars.h"
#include "str.h"

#define LIMIT_RUN 9
#define LIMIT_NEST 8
#define LIMIT_TAG_BYTES 12
#define LIMIT_IMAGES 30
#define LIMIT_IMAGE_PX 4000

static bool letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "&nbsp;", "&#160;", "&#xA0;" at the '&'. */
static bool is_escape(const char *p)
{
    const char *q = p + 1;

    if (*q == '#')
        q++;
    if (!letter(*q) && !(q > p + 1 && digit(*q)))
        return false;
    while (letter(*q) || digit(*q))
        q++;
    return *q == ';';
}

static const char *bad_char(unsigned cp)
{
    if (cp < ' ' || (cp >= 0x7F && cp <= 0x9F))
        return "a control character";
    if (cp == ' ' || cp == '<' || cp == '>' || text_filter(cp) != 0)
        return NULL;
    return cp >= 0x2E80 && cp <= 0xFAFF ? "Chinese characters" : "an emoji or a symbol like one";
}

const char *preflight_bad_text(const char *text, bool html)
{
    const char *p = text;
    const char *end = text + strlen(text);
    unsigned last = 0;
    int run = 0;
    bool word = false;

    while (p < end) {
        const char *after = text_is_tag(p, end) ? text_tag_end(p, end) : NULL;
        const char *from = p;
        const char *bad;
        unsigned cp;

        if (after != NULL && !html)
            return "markup";
        if (after != NULL) {
            p = after;
            last = 0;
            continue;
        }
        if (*p == '&' && is_escape(p))
            return "an HTML escape";
        cp = text_next(&p, end);
        bad = bad_char(cp);
        if (bad != NULL)
            return bad;
        run = cp == last ? run + 1 : 1;
        last = cp;
        if (run > LIMIT_RUN && cp != ' ')
            return "more than nine equal characters in a row";
        word = word || cp >= 0xC0 || letter(*from) || digit(*from);
    }
    return word || text[0] == '\0' ? NULL : "only symbols";
}

/* ---- markup ---------------------------------------------------------------------------------------------------- */

struct tag {
    char name[LIMIT_TAG_BYTES];
    bool closing;
    const char *attributes; /* up to `end` */
    size_t attributes_len;
};

static void read_tag(const char *p, const char *after, struct tag *out)
{
    size_t n = 0;

    *out = (struct tag){ 0 };
    p++;
    out->closing = *p == '/';
    if (out->closing)
        p++;
    while (n + 1 < LIMIT_TAG_BYTES && (letter(p[n]) || digit(p[n])))
        n++;
    memcpy(out->name, p, n);
    str_lower_ascii(out->name);
    p += n;
    out->attributes = p;
    out->attributes_len = (size_t)(after - 1 - p);
    while (out->attributes_len > 0 && (out->attributes[out->attributes_len - 1] == '/' ||
                                       out->attributes[out->attributes_len - 1] == ' '))
        out->attributes_len--;
}

/* One ` name="value"`; false when what is left is none. */
static bool read_attribute(const char **p, const char *end, char name[16], char value[600])
{
    const char *q = *p + strspn(*p, " \n\t");
    size_t n = 0;
    size_t len;

    while (q + n < end && n < 15 && letter(q[n]))
        n++;
    if (n == 0 || q + n + 1 >= end || q[n] != '=' || (q[n + 1] != '"' && q[n + 1] != '\''))
        return false;
    memcpy(name, q, n);
    name[n] = '\0';
    str_lower_ascii(name);

    const char *from = q + n + 2;
    const char *close = memchr(from, q[n + 1], (size_t)(end - from));

    len = close != NULL ? (size_t)(close - from) : 600;
    if (len >= 600)
        return false;
    memcpy(value, from, len);
    value[len] = '\0';
    *p = close + 1;
    return true;
}

/* src, width and height, each once and nothing else. */
static const char *bad_image(const struct tag *tag)
{
    const char *p = tag->attributes;
    const char *end = p + tag->attributes_len;
    char name[16];
    char value[600];
    int64_t px;
    unsigned seen = 0;

    while (p < end) {
        unsigned one;

        if (!read_attribute(&p, end, name, value))
            return "a picture with an attribute that is not src, width or height";
        one = strcmp(name, "src") == 0      ? 1
              : strcmp(name, "width") == 0  ? 2
              : strcmp(name, "height") == 0 ? 4
                                            : 0;
        if (one == 0 || (seen & one) != 0)
            return "a picture with an attribute that is not src, width or height";
        if (one == 1 && !str_starts(value, "https://"))
            return "a picture that was not uploaded to TikTok";
        if (one != 1 && (!str_to_i64(value, 1, LIMIT_IMAGE_PX - 1, &px)))
            return "a picture of 4,000 pixels or more";
        seen |= one;
    }
    return seen == 7 ? NULL : "a picture without src, width and height";
}

struct nest {
    char open[LIMIT_NEST][LIMIT_TAG_BYTES];
    int depth;
    int images;
};

static const char *on_tag(struct nest *nest, const struct tag *tag)
{
    static const char *const TAGS[] = { "p", "br", "ul", "ol", "li", "strong", "em", "img" };
    bool known = false;

    for (size_t i = 0; i < sizeof(TAGS) / sizeof(TAGS[0]); i++)
        known = known || strcmp(TAGS[i], tag->name) == 0;
    if (!known)
        return "a tag that TikTok does not know";
    if (strcmp(tag->name, "img") == 0) {
        if (++nest->images > LIMIT_IMAGES)
            return "more than 30 pictures";
        return tag->closing ? "a tag that closes nothing" : bad_image(tag);
    }
    if (tag->attributes_len > 0)
        return "a tag with attributes";
    if (strcmp(tag->name, "br") == 0)
        return tag->closing ? "a tag that closes nothing" : NULL;
    if (tag->closing) {
        if (nest->depth == 0 || strcmp(nest->open[nest->depth - 1], tag->name) != 0)
            return "a tag that closes nothing";
        nest->depth--;
        return NULL;
    }
    for (int i = 0; i < nest->depth; i++)
        if (strcmp(nest->open[i], tag->name) == 0)
            return "a tag inside the same tag";
    if (nest->depth == LIMIT_NEST)
        return "tags nested too deep";
    memcpy(nest->open[nest->depth++], tag->name, LIMIT_TAG_BYTES);
    return NULL;
}

const char *preflight_bad_html(const char *html)
{
    const char *p = html;
    const char *end = html + strlen(html);
    struct nest nest = { 0 };

    while (p < end) {
        const char *after = text_is_tag(p, end) ? text_tag_end(p, end) : NULL;
        const char *bad;
        struct tag tag;

        if (after == NULL) {
            if (*p == '<' || *p == '>')
                return "a < or > that is no tag";
            p++;
            continue;
        }
        read_tag(p, after, &tag);
        bad = on_tag(&nest, &tag);
        if (bad != NULL)
            return bad;
        p = after;
    }
    return nest.depth > 0 ? "a tag that is never closed" : NULL;
}
