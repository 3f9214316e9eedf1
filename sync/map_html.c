/* map_html.c - product descriptions as flat, clean HTML: paragraphs, lists and uploaded pictures, without other
 * attributes or nesting. */
#include "map_text.h"

#include <string.h>
#include <strings.h>

#include "jspec.h"
#include "map_text_chars.h"
#include "str.h"

#define LIMIT_HTML_BYTES ((size_t)1 << 20)
#define LIMIT_TAG_NAME 12
#define LIMIT_SRC_BYTES 4096

enum block { BLOCK_NONE, BLOCK_P, BLOCK_LI };

struct html {
    struct buf *out;
    size_t out_chars, max_chars;
    struct buf block; /* content of the block being written */
    struct buf plain; /* the same without inline tags */
    struct text_run run;
    const char *open_inline; /* "strong", "em" or NULL */
    int inline_depth;
    int list_depth;
    char list_kind[4];    /* "ul" or "ol" of the outermost list */
    char list_written[4]; /* open in the output; "" = none */
    bool in_item;
    int breaks; /* <br> at the end of the block */
    bool full;
    const json_t *pictures; /* borrowed; NULL = drop them all */
    int n_pictures;
    json_t *found; /* borrowed: src of every picture is added; NULL = not wanted */
};

static void emit(struct html *h, const char *text)
{
    buf_str(h->out, text);
    h->out_chars += str_utf8_count(text);
}

static void list_close(struct html *h)
{
    if (h->list_written[0] == '\0')
        return;
    buf_fmt(h->out, "</%s>", h->list_written);
    h->out_chars += 5;
    h->list_written[0] = '\0';
}

static void inline_close(struct html *h)
{
    if (h->open_inline == NULL)
        return;

    size_t len = strlen(h->open_inline) + 2;

    if (h->block.len >= len && h->block.data[h->block.len - 1] == '>' &&
        memcmp(h->block.data + h->block.len - len + 1, h->open_inline, len - 2) == 0 &&
        h->block.data[h->block.len - len] == '<') {
        h->block.len -= len; /* nothing was written in it */
        h->block.data[h->block.len] = '\0';
    } else {
        buf_fmt(&h->block, "</%s>", h->open_inline);
    }
    h->open_inline = NULL;
}

static void drop_tail(struct html *h)
{
    for (;;) {
        struct buf *b = &h->block;

        if (b->len >= 4 && memcmp(b->data + b->len - 4, "<br>", 4) == 0)
            b->len -= 4;
        else if (b->len > 0 && b->data[b->len - 1] == ' ')
            b->len--;
        else
            break;
        b->data[b->len] = '\0';
    }
}

/* Writes the finished block; one that is too long is cut as plain text and ends the description. */
static void flush(struct html *h)
{
    drop_tail(h);
    inline_close(h);
    drop_tail(h);

    bool item = h->in_item && h->list_depth > 0;
    const char *tag = item ? "li" : "p";

    if (h->block.len > 0 && map_text_has_word(buf_text(&h->plain)) && !h->full) {
        if (h->list_written[0] != '\0' && (!item || strcmp(h->list_written, h->list_kind) != 0))
            list_close(h);
        size_t frame = 9 + (item ? 9 : 0); /* tags of the block and of the list around it */
        const char *content = buf_text(&h->block);
        size_t left = h->max_chars > h->out_chars + frame ? h->max_chars - h->out_chars - frame : 0;

        if (str_utf8_count(content) > left) {
            h->full = true;
            content = buf_text(&h->plain);
            h->plain.data[str_utf8_prefix(content, left)] = '\0';
        }
        if (left > 0 && content[0] != '\0') {
            if (item && h->list_written[0] == '\0') {
                buf_fmt(h->out, "<%s>", h->list_kind);
                h->out_chars += 4;
                memcpy(h->list_written, h->list_kind, sizeof(h->list_written));
            }
            emit(h, item ? "<li>" : "<p>");
            emit(h, content);
            buf_fmt(h->out, "</%s>", tag);
            h->out_chars += strlen(tag) + 3;
        }
    }
    buf_clear(&h->block);
    buf_clear(&h->plain);
    h->run = (struct text_run){ 0 };
    h->inline_depth = 0;
    h->breaks = 0;
}

static void put_char(struct html *h, unsigned cp)
{
    if (cp == 0 || !text_run_add(&h->run, cp))
        return;
    if (h->run.split) {
        buf_char(&h->block, ' ');
        buf_char(&h->plain, ' ');
    }
    text_put(&h->block, cp);
    text_put(&h->plain, cp);
    if (cp != ' ')
        h->breaks = 0;
}

static void put_break(struct html *h)
{
    if (h->block.len == 0 || h->breaks >= 2 || h->open_inline != NULL) {
        put_char(h, ' ');
        return;
    }
    drop_tail(h);
    for (int i = 0; i <= h->breaks; i++)
        buf_str(&h->block, "<br>");
    h->breaks++;
    buf_char(&h->plain, ' ');
    h->run = (struct text_run){ .last = ' ', .count = 1 };
}

static void on_inline(struct html *h, const char *tag, bool closing)
{
    if (!closing) {
        h->inline_depth++;
        if (h->inline_depth == 1) {
            h->open_inline = tag;
            buf_fmt(&h->block, "<%s>", tag);
        }
        return;
    }
    if (h->inline_depth > 0 && --h->inline_depth == 0)
        inline_close(h);
}

static void on_list(struct html *h, const char *tag, bool closing)
{
    flush(h);
    h->in_item = false;
    if (!closing) {
        if (h->list_depth++ == 0)
            (void)str_copy(h->list_kind, sizeof(h->list_kind), tag);
        else
            h->in_item = true; /* a list in a list: its text stays items of the outer one */
        return;
    }
    if (h->list_depth > 0 && --h->list_depth == 0)
        list_close(h);
}

/* ---- pictures ---------------------------------------------------------------------------------- */

static bool name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == ':' ||
           (c >= '0' && c <= '9');
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '/';
}

/* Length of the value at p; *quote: how many quotes stand around it (0 or 1 at each side). */
static size_t value_length(const char *p, const char *end, size_t *quote)
{
    size_t n = 0;

    *quote = p < end && (*p == '"' || *p == '\'') ? 1 : 0;
    if (*quote == 1) {
        const char *close = memchr(p + 1, *p, (size_t)(end - p) - 1);

        return close != NULL ? (size_t)(close - p) - 1 : (size_t)(end - p) - 1;
    }
    while (p + n < end && p[n] != '>' && p[n] != ' ' && p[n] != '\t' && p[n] != '\n')
        n++;
    return n;
}

static void copy_value(const char *p, const char *end, struct buf *out)
{
    while (p < end) {
        unsigned cp = text_next(&p, end);

        if (cp > ' ')
            text_put(out, cp);
    }
}

/* The src of the tag between p ("<img") and end, entities undone, blanks left out; empty when it has none. */
static void img_src(const char *p, const char *end, struct buf *out)
{
    buf_clear(out);
    for (p += 4; p < end && *p != '>';) {
        const char *name = p;
        size_t len = 0;
        size_t quote = 0;

        while (p < end && name_char(*p))
            p++;
        len = (size_t)(p - name);
        while (p < end && blank(*p))
            p++;
        if (len == 0 || p >= end || *p != '=') {
            p += len == 0 && p == name;
            continue;
        }
        for (p++; p < end && blank(*p) && *p != '/';)
            p++;
        const char *value = p;
        size_t value_len = value_length(p, end, &quote);

        p = value + value_len + 2 * quote;
        if (len == 3 && strncasecmp(name, "src", 3) == 0 && out->len == 0)
            copy_value(value + quote, value + quote + value_len, out);
    }
}

/* An uploaded picture between the blocks. It counts with all its characters. */
static void put_picture(struct html *h, const json_t *picture)
{
    const char *url = jspec_text(picture, "url");
    char tag[1200];

    if (url == NULL || strpbrk(url, "\"<> ") != NULL || h->n_pictures >= DESCRIPTION_IMAGES_MAX ||
        !str_fmt(tag, sizeof(tag), "<img src=\"%s\" width=\"%d\" height=\"%d\">", url,
                 (int)jspec_int(picture, "width", 0), (int)jspec_int(picture, "height", 0)))
        return;
    flush(h);
    if (h->out_chars + strlen(tag) + 5 > h->max_chars)
        return; /* no room; the text behind it may still fit */
    list_close(h);
    emit(h, tag);
    h->n_pictures++;
}

static void on_img(struct html *h, const char *p, const char *end)
{
    if (h->pictures == NULL && h->found == NULL)
        return;

    OWN_BUF struct buf src;

    buf_init(&src, LIMIT_SRC_BYTES);
    img_src(p, end, &src);
    if (src.failed || src.len == 0)
        return;
    if (h->found != NULL && json_array_size(h->found) < (size_t)4 * DESCRIPTION_IMAGES_MAX)
        (void)json_array_append_new(h->found, json_string(buf_text(&src)));

    const json_t *picture = json_object_get(h->pictures, buf_text(&src));

    if (picture != NULL)
        put_picture(h, picture);
}

/* ---- tags -------------------------------------------------------------------------------------- */

static bool one_of(const char *tag, const char *const *words)
{
    for (; *words != NULL; words++)
        if (strcmp(tag, *words) == 0)
            return true;
    return false;
}

static void on_tag(struct html *h, const char *tag, bool closing)
{
    static const char *const BLOCKS[] = { "p",      "div",    "section", "article", "header",
                                          "footer", "h1",     "h2",      "h3",      "h4",
                                          "h5",     "h6",     "tr",      "table",   "blockquote",
                                          "pre",    "dl",     "dt",      "dd",      "hr",
                                          "main",   "figure", "center",  NULL };
    static const char *const CELLS[] = { "td", "th", NULL };

    if (strcmp(tag, "br") == 0)
        put_break(h);
    else if (strcmp(tag, "b") == 0 || strcmp(tag, "strong") == 0)
        on_inline(h, "strong", closing);
    else if (strcmp(tag, "i") == 0 || strcmp(tag, "em") == 0)
        on_inline(h, "em", closing);
    else if (strcmp(tag, "ul") == 0 || strcmp(tag, "ol") == 0)
        on_list(h, tag, closing);
    else if (strcmp(tag, "li") == 0) {
        flush(h);
        h->in_item = !closing && h->list_depth > 0;
    } else if (one_of(tag, BLOCKS)) {
        if (!(h->in_item && h->list_depth > 0))
            flush(h);
        else
            put_char(h, ' ');
    } else if (one_of(tag, CELLS))
        put_char(h, ' ');
}

static void tag_name(const char *p, const char *end, char name[LIMIT_TAG_NAME], bool *closing)
{
    size_t n = 0;

    p++;
    *closing = p < end && *p == '/';
    if (*closing)
        p++;
    while (p + n < end && n + 1 < LIMIT_TAG_NAME &&
           ((p[n] >= 'a' && p[n] <= 'z') || (p[n] >= 'A' && p[n] <= 'Z') ||
            (p[n] >= '0' && p[n] <= '9')))
        n++;
    memcpy(name, p, n);
    name[n] = '\0';
    str_lower_ascii(name);
}

/* Content of these is no text; skips to their closing tag. */
static const char *skip_content(const char *p, const char *end, const char *tag)
{
    while (p < end) {
        char name[LIMIT_TAG_NAME];
        bool closing;

        if (*p != '<') {
            p++;
            continue;
        }
        tag_name(p, end, name, &closing);
        if (closing && strcmp(name, tag) == 0)
            break;
        p++;
    }
    return p;
}

static const char *read_tag(struct html *h, const char *p, const char *after, const char *end)
{
    static const char *const SKIPPED[] = { "script", "style",  "iframe", "noscript",
                                           "svg",    "object", "head",   NULL };
    char name[LIMIT_TAG_NAME];
    bool closing;

    if (end - p >= 4 && memcmp(p, "<!--", 4) == 0) {
        const char *close = strstr(p + 4, "-->");

        return close != NULL ? close + 3 : end;
    }
    tag_name(p, end, name, &closing);
    if (!closing && one_of(name, SKIPPED))
        return skip_content(after, end, name);
    if (!closing && strcmp(name, "img") == 0)
        on_img(h, p, after);
    else
        on_tag(h, name, closing);
    return after;
}

static enum rc rewrite(const char *html, struct html *h, struct err *e)
{
    const char *p = html ? html : "";
    const char *end = p + strlen(p);

    if ((size_t)(end - p) > LIMIT_HTML_BYTES)
        return err_set(e, RC_INVALID, "description is too long");
    buf_init(&h->block, LIMIT_HTML_BYTES * 2);
    buf_init(&h->plain, LIMIT_HTML_BYTES * 2);
    while (p < end && !h->full) {
        const char *after = text_is_tag(p, end) ? text_tag_end(p, end) : NULL;

        if (after != NULL)
            p = read_tag(h, p, after, end);
        else
            put_char(h, text_filter(text_next(&p, end)));
    }
    flush(h);
    list_close(h);

    enum rc rc = buf_check(&h->block, e);

    buf_done(&h->block);
    buf_done(&h->plain);
    return rc;
}

enum rc map_text_html_pictured(const char *html, const json_t *pictures, size_t max_chars,
                               struct buf *out, struct err *e)
{
    struct html h = { .out = out, .max_chars = max_chars, .pictures = pictures };

    buf_clear(out);
    enum rc rc = rewrite(html, &h, e);

    return rc == RC_OK ? buf_check(out, e) : rc;
}

enum rc map_text_html(const char *html, size_t max_chars, struct buf *out, struct err *e)
{
    return map_text_html_pictured(html, NULL, max_chars, out, e);
}

enum rc map_text_html_pictures(const char *html, json_t **out, struct err *e)
{
    json_auto_t *found = json_array();
    OWN_BUF struct buf text;
    struct html h = { .out = &text, .max_chars = SIZE_MAX / 2, .found = found };

    buf_init(&text, LIMIT_HTML_BYTES * 2);
    enum rc rc = rewrite(html, &h, e);

    if (rc == RC_OK)
        *out = json_incref(found);
    return rc;
}

bool map_text_address(const char *src, const char *page, char *out, size_t cap)
{
    const char *host = page != NULL ? strstr(page, "://") : NULL;

    if (str_starts(src, "https://") || str_starts(src, "http://"))
        return str_copy(out, cap, src);
    if (str_starts(src, "//"))
        return str_fmt(out, cap, "https:%s", src);
    if (host == NULL || src[0] != '/')
        return false;
    host += 3;
    return str_fmt(out, cap, "%.*s%s", (int)(host - page) + (int)strcspn(host, "/?#"), page, src);
}
