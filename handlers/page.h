/* page.h - the pages a seller's browser sees while a shop is being connected. */
#ifndef PAGE_H
#define PAGE_H

#include "http.h"

enum page_look { PAGE_PLAIN, PAGE_GOOD, PAGE_BAD };

/* A text in both languages. */
struct page_text {
    const char *pt;
    const char *en;
};

/* Whether the browser prefers English; Portuguese otherwise. */
bool page_english(const struct http_req *req);
const char *page_say(bool english, const struct page_text *text);

struct page {
    bool english;
    enum page_look look;
    int refresh_s;     /* > 0: the page loads itself again */
    const char *title; /* plain text */
    const char *body;  /* HTML; foreign text in it is escaped by the caller */
};
/* Answers the page; never cached, no scripts, no frames. */
enum rc page_reply(struct http_reply *reply, int status, const struct page *page, struct err *e);
/* Adds the same words in the language that the page is not in. html is ready-made. */
void page_other(struct buf *out, bool english, const char *title, const char *html);
/* A short page that says one thing and the request's id. */
enum rc page_message(struct http_reply *reply, const struct http_req *req, int status,
                     enum page_look look, const struct page_text *title,
                     const struct page_text *text, struct err *e);

#endif
