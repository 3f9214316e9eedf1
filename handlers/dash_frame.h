/* dash_frame.h - the frame round each page: head, navigation, messages; for session.c and dash.c. */
#ifndef DASH_FRAME_H
#define DASH_FRAME_H

#include "dash.h"

/* Begins the page's own part. Ended by dash_close, always. */
void dash_open(struct dash *d, struct app *app, struct http_req *req);
/* Puts the frame round it and answers; frees. page NULL: without navigation. */
enum rc dash_close(struct dash *d, struct http_reply *reply, int status, const char *title,
                   const struct dash_page *page, struct err *e);
/* Answers a refusal: a page to people, a problem document to programs. */
enum rc dash_refuse(struct app *app, struct http_req *req, struct http_reply *reply, enum rc why,
                    const char *detail, struct err *e);
/* Answers a page that says what *why says. */
enum rc dash_trouble(struct app *app, struct http_req *req, struct http_reply *reply,
                     const struct err *why, struct err *e);

#endif
