/* feed_fetch.c - downloads a feed into a temporary file.
 *
 * The engine thread only writes to the page cache; parsing happens afterwards in the job's own thread, so that a
 * slow server keeps no transaction open and a fast one does not keep other transfers waiting. */
#include "feed_job.h"

#include "str.h"

#include <ctype.h>
#include <unistd.h>

#define FEED_TOTAL_MS (30 * 60 * 1000)

struct sink {
    int fd;
};

static enum rc on_data(void *user, const void *data, size_t len, struct err *e)
{
    struct sink *s = user;

    return feed_spool_write(s->fd, data, len, e);
}

/* charset of "text/xml; charset=ISO-8859-1"; "" when there is none. */
static void charset_of(const char *type, char out[32])
{
    char low[160];
    const char *p;
    size_t n = 0;

    out[0] = '\0';
    str_copy_cut(low, sizeof low, type);
    str_lower_ascii(low);
    p = strstr(low, "charset=");
    if (p == NULL)
        return;
    for (p += 8; *p == '"' || *p == '\''; p++)
        ;
    for (; (isalnum((unsigned char)*p) || strchr("-_:.", *p) != NULL) && *p != '\0' && n < 31; p++)
        out[n++] = *p;
    out[n] = '\0';
}

static void add_header(struct fetch_req *req, const char *text)
{
    if (text[0] != '\0')
        req->headers[req->n_headers++] = text;
}

/* What the status of a complete answer means. */
static enum rc judge(const struct feed_run *r, const struct fetch_reply *reply, bool *unchanged,
                     struct err *e)
{
    char code[32];

    *unchanged = false;
    if (reply->status == 200)
        return RC_OK;
    if (reply->status == 304 && r->last.known) {
        *unchanged = true;
        return RC_OK;
    }
    (void)str_fmt(code, sizeof code, "feed_http_%d", reply->status);
    if (reply->status >= 500 || reply->status == 429 || reply->status == 408)
        return err_code(e, RC_DOWN, code, "the feed's server answers %d", reply->status);
    return err_code(e, RC_INVALID, code, "the feed's server answers %d: check the address",
                    reply->status);
}

static enum rc classify(enum rc rc, struct err *e)
{
    struct err was = *e;

    switch (rc) {
    case RC_UNSURE:
        if (str_eq(was.code, "too_slow"))
            return err_code(e, RC_INVALID, "feed_too_slow", "the download was given up: %s",
                            was.text);
        return err_code(e, RC_INVALID, "feed_truncated", "the download ended too early: %s",
                        was.text);
    case RC_INVALID:
        if (str_eq(was.code, "too_large"))
            return err_code(e, RC_INVALID, "feed_too_big", "the feed is larger than %lld bytes",
                            (long long)LIMIT_FEED_BYTES);
        return rc;
    default:
        return rc;
    }
}

/* A given text is UTF-8, whatever its declaration says: the mark in front of it decides. */
static enum rc write_text(int fd, const char *text, struct err *e)
{
    enum rc rc = RC_OK;

    if (!str_starts(text, "\xef\xbb\xbf"))
        rc = feed_spool_write(fd, "\xef\xbb\xbf", 3, e);
    return rc == RC_OK ? feed_spool_write(fd, text, strlen(text), e) : rc;
}

static enum rc download(struct feed_run *r, const char *url, int fd, const char *const *conditions,
                        struct fetch_reply *reply, struct err *e)
{
    struct sink sink = { fd };
    struct fetch_req req = { .method = "GET",
                             .url = url,
                             .policy = FETCH_PUBLIC,
                             .total_ms = FEED_TOTAL_MS,
                             .reply_limit_bytes = LIMIT_FEED_BYTES,
                             .accept_gzip = true,
                             .sink = on_data,
                             .sink_user = &sink,
                             .stop = r->ctx->stop };
    enum rc rc;

    add_header(
        &req,
        "Accept: application/xml, text/xml, application/rss+xml, application/atom+xml, */*;q=0.5");
    for (; *conditions != NULL; conditions++)
        add_header(&req, *conditions);
    rc = fetch_run(platform_fetch(r->ctx->app->platform), &req, reply, e);
    return rc == RC_OK ? RC_OK : classify(rc, e);
}

enum rc feed_fetch_old(struct feed_run *r, struct err *e)
{
    static const char *const NONE[] = { NULL };
    struct fetch_reply reply = { 0 };
    bool ignored;
    enum rc rc;

    if (r->old_text != NULL)
        return write_text(r->old_fd, r->old_text, e);
    rc = download(r, r->old_url, r->old_fd, NONE, &reply, e);
    if (rc == RC_OK)
        rc = judge(r, &reply, &ignored, e);
    fetch_reply_done(&reply);
    return rc;
}

enum rc feed_fetch(struct feed_run *r, bool *unchanged, struct err *e)
{
    char if_none[300] = "", if_since[96] = "", type[160];
    const char *conditions[] = { if_none, if_since, NULL };
    struct fetch_reply reply = { 0 };
    enum rc rc;

    *unchanged = false;
    if (r->text != NULL)
        return write_text(r->raw_fd, r->text, e);
    /* Whoever asks for a run gets a comparison; only a routine look spares the download. */
    if (r->run.id[0] == '\0' && feed_is_same(r) && str_eq(r->last.source, r->url)) {
        if (r->last.etag[0] != '\0')
            (void)str_fmt(if_none, sizeof if_none, "If-None-Match: %s", r->last.etag);
        if (r->last.last_modified[0] != '\0')
            (void)str_fmt(if_since, sizeof if_since, "If-Modified-Since: %s",
                          r->last.last_modified);
    }
    rc = download(r, r->url, r->raw_fd, conditions, &reply, e);
    if (rc != RC_OK)
        return rc;
    if (fetch_reply_header(&reply, "content-type", type, sizeof type))
        charset_of(type, r->charset);
    (void)fetch_reply_header(&reply, "etag", r->now.etag, sizeof r->now.etag);
    (void)fetch_reply_header(&reply, "last-modified", r->now.last_modified,
                             sizeof r->now.last_modified);
    r->now.bytes = reply.body_bytes;
    rc = judge(r, &reply, unchanged, e);
    fetch_reply_done(&reply);
    return rc;
}
