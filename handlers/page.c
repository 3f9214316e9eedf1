/* page.c - fills the page template and answers it with a policy that allows its own style only. */
#include "page.h"

#include "assets.h"
#include "sign.h"
#include "str.h"

#include <string.h>

#define LIMIT_PAGE_BYTES ((size_t)256 << 10)

bool page_english(const struct http_req *req)
{
    const char *wish = http_header(req, "Accept-Language");
    const char *en = wish != NULL ? strstr(wish, "en") : NULL;
    const char *pt = wish != NULL ? strstr(wish, "pt") : NULL;

    return en != NULL && (pt == NULL || en < pt);
}

const char *page_say(bool english, const struct page_text *text)
{
    return english ? text->en : text->pt;
}

/* What stands for a {{name}} of the template. */
static void put_value(struct buf *out, const char *name, size_t len, const struct page *page)
{
    static const char *const LOOKS[] = { "plain", "ok", "bad" };

    if (len == 4 && memcmp(name, "lang", len) == 0)
        buf_str(out, page->english ? "en" : "pt-BR");
    else if (len == 5 && memcmp(name, "title", len) == 0)
        str_html(out, page->title);
    else if (len == 5 && memcmp(name, "class", len) == 0)
        buf_str(out, LOOKS[page->look]);
    else if (len == 4 && memcmp(name, "body", len) == 0)
        buf_str(out, page->body);
    else if (len == 7 && memcmp(name, "refresh", len) == 0 && page->refresh_s > 0)
        buf_fmt(out, "<meta http-equiv=\"refresh\" content=\"%d\">\n", page->refresh_s);
}

/* Built-in files end with a zero byte, so the template is a C string. */
static void fill(struct buf *out, const char *text, const struct page *page)
{
    while (*text != '\0') {
        const char *open = strstr(text, "{{");
        const char *close = open != NULL ? strstr(open, "}}") : NULL;

        if (close == NULL) {
            buf_str(out, text);
            return;
        }
        buf_add(out, text, (size_t)(open - text));
        put_value(out, open + 2, (size_t)(close - open - 2), page);
        text = close + 2;
    }
}

/* Allows exactly the style block of the template, by its digest. */
static void style_digest(const struct asset *a, struct buf *out)
{
    const char *text = (const char *)a->data;
    const char *open = strstr(text, "<style>");
    const char *close = strstr(text, "</style>");
    unsigned char digest[SIGN_SHA256_BYTES];

    if (open == NULL || close == NULL)
        return;
    sign_sha256(open + 7, (size_t)(close - open - 7), digest);
    str_base64(out, digest, sizeof digest);
}

enum rc page_reply(struct http_reply *reply, int status, const struct page *page, struct err *e)
{
    const struct asset *a = asset_find("web/connection.html");
    OWN_BUF struct buf html;
    OWN_BUF struct buf digest;
    enum rc rc;

    buf_init(&html, LIMIT_PAGE_BYTES);
    buf_init(&digest, 128);
    if (a == NULL)
        return err_set(e, RC_BUG, "the page template is not built in");
    fill(&html, (const char *)a->data, page);
    style_digest(a, &digest);
    rc = buf_check(&html, e);
    if (rc != RC_OK)
        return rc;
    http_reply_header(reply, "Content-Security-Policy",
                      "default-src 'none'; style-src 'sha256-%s'; base-uri 'none';"
                      " form-action 'none'; frame-ancestors 'none'",
                      buf_text(&digest));
    http_reply_header(reply, "Referrer-Policy", "no-referrer");
    http_reply_header(reply, "Cache-Control", "no-store");
    http_reply_header(reply, "Content-Language", "%s", page->english ? "en" : "pt-BR");
    return http_reply_html(reply, status, buf_text(&html), e);
}

void page_other(struct buf *out, bool english, const char *title, const char *html)
{
    buf_fmt(out, "<section class=\"other\" lang=\"%s\">\n<h2>", english ? "pt-BR" : "en");
    str_html(out, title);
    buf_fmt(out, "</h2>\n%s</section>\n", html);
}

enum rc page_message(struct http_reply *reply, const struct http_req *req, int status,
                     enum page_look look, const struct page_text *title,
                     const struct page_text *text, struct err *e)
{
    bool english = page_english(req);
    OWN_BUF struct buf body;
    OWN_BUF struct buf other;
    struct page page = { .english = english, .look = look, .title = page_say(english, title) };

    buf_init(&body, LIMIT_PAGE_BYTES);
    buf_init(&other, LIMIT_PAGE_BYTES);
    buf_str(&body, "<p>");
    str_html(&body, page_say(english, text));
    buf_str(&body, "</p>\n");
    buf_str(&other, "<p>");
    str_html(&other, page_say(!english, text));
    buf_str(&other, "</p>\n");
    page_other(&body, english, page_say(!english, title), buf_text(&other));
    buf_fmt(&body, "<p><small>%s ", english ? "Request" : "Solicitação");
    str_html(&body, req->id);
    buf_str(&body, "</small></p>");
    page.body = buf_text(&body);
    return page_reply(reply, status, &page, e);
}
