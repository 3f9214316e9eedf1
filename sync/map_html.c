/* map_html.c - product descriptions as flat, clean HTML: paragraphs and lists, without attributes or nesting. */
#include "map_text.h"

#include <string.h>

#include "map_text_chars.h"
#include "str.h"

#define LIMIT_HTML_BYTES ((size_t)1 << 20)
#define LIMIT_TAG_NAME 12

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
    on_tag(h, name, closing);
    return after;
}

enum rc map_text_html(const char *html, size_t max_chars, struct buf *out, struct err *e)
{
    const char *p = html ? html : "";
    const char *end = p + strlen(p);
    struct html h = { .out = out, .max_chars = max_chars };

    buf_clear(out);
    if ((size_t)(end - p) > LIMIT_HTML_BYTES)
        return err_set(e, RC_INVALID, "description is too long");
    buf_init(&h.block, LIMIT_HTML_BYTES * 2);
    buf_init(&h.plain, LIMIT_HTML_BYTES * 2);
    while (p < end && !h.full) {
        const char *after = text_is_tag(p, end) ? text_tag_end(p, end) : NULL;

        if (after != NULL)
            p = read_tag(&h, p, after, end);
        else
            put_char(&h, text_filter(text_next(&p, end)));
    }
    flush(&h);
    list_close(&h);

    enum rc rc = buf_check(&h.block, e);

    buf_done(&h.block);
    buf_done(&h.plain);
    return rc == RC_OK ? buf_check(out, e) : rc;
}
