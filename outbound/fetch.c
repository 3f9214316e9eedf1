/* Outgoing HTTP for callers that may block: checks the URL, runs the transfer on the engine, follows the few
 * redirects that are allowed, hands over the answer. */
#include "fetch.h"

#include "clock.h"
#include "fetch_engine.h"
#include "fetch_setup.h"
#include "fetch_url.h"
#include "str.h"

#include <strings.h>

#define TOTAL_MS 25000
#define REDIRECTS_MAX 3
#define LIMIT_CONNECTIONS 512L
#define LIMIT_CONNECTIONS_KEPT 128L
#define LIMIT_HOST_BYTES 256
#define LIMIT_STREAMS 100L

static pthread_once_t library_once = PTHREAD_ONCE_INIT;

static void library_init(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT); /* curl_multi_init fails if this did */
}

static void pool_free(struct fetch *f)
{
    while (f->pool != NULL) {
        struct xfer *next = f->pool->next;

        fetch_setup_free(f->pool);
        f->pool = next;
    }
}

enum rc fetch_new(bool allow_private, struct fetch **out, struct err *e)
{
    struct fetch *f = calloc(1, sizeof(*f));

    if (f == NULL)
        return err_set(e, RC_DOWN, "no memory for the transfer engine");
    (void)pthread_once(&library_once, library_init); /* cannot fail */
    f->allow_private = allow_private;
    f->multi = curl_multi_init();
    (void)pthread_mutex_init(&f->lock, NULL); /* cannot fail with default attributes */
    (void)pthread_cond_init(&f->idle, NULL);  /* as above */
    if (f->multi == NULL ||
        curl_multi_setopt(f->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, LIMIT_CONNECTIONS) !=
            CURLM_OK ||
        curl_multi_setopt(f->multi, CURLMOPT_MAXCONNECTS, LIMIT_CONNECTIONS_KEPT) != CURLM_OK ||
        curl_multi_setopt(f->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, LIMIT_STREAMS) != CURLM_OK ||
        pthread_create(&f->thread, NULL, fetch_engine_main, f) != 0) {
        if (f->multi != NULL)
            (void)curl_multi_cleanup(f->multi); /* nothing runs on it */
        free(f);
        return err_set(e, RC_DOWN, "the transfer engine could not be started");
    }
    *out = f;
    return RC_OK;
}

void fetch_free(struct fetch *f)
{
    if (f == NULL)
        return;
    (void)pthread_mutex_lock(&f->lock); /* cannot fail for a plain mutex */
    f->closing = true;
    (void)pthread_mutex_unlock(&f->lock);
    (void)curl_multi_wakeup(f->multi); /* if lost, the engine looks again at its next tick */
    (void)pthread_join(f->thread, NULL);
    (void)pthread_mutex_lock(&f->lock); /* as above */
    while (f->n_used > 0)
        (void)pthread_cond_wait(&f->idle, &f->lock);
    (void)pthread_mutex_unlock(&f->lock);
    pool_free(f);
    (void)curl_multi_cleanup(f->multi); /* nothing runs on it */
    (void)pthread_cond_destroy(&f->idle);
    (void)pthread_mutex_destroy(&f->lock);
    free(f);
}

/* A transfer of the pool or a new one. */
static enum rc xfer_take(struct fetch *f, struct xfer **out, struct err *e)
{
    struct xfer *x;
    bool closing;

    (void)pthread_mutex_lock(&f->lock);
    closing = f->closing;
    x = closing ? NULL : f->pool;
    if (x != NULL)
        f->pool = x->next;
    if (!closing)
        f->n_used++;
    (void)pthread_mutex_unlock(&f->lock);
    if (closing)
        return err_code(e, RC_STOPPED, "not_sent", "the transfer engine is stopping");
    if (x == NULL)
        x = fetch_setup_new(f);
    if (x != NULL) {
        *out = x;
        return RC_OK;
    }
    (void)pthread_mutex_lock(&f->lock);
    f->n_used--;
    (void)pthread_cond_signal(&f->idle);
    (void)pthread_mutex_unlock(&f->lock);
    return err_set(e, RC_DOWN, "no memory for a request");
}

static void xfer_give(struct xfer **held)
{
    struct xfer *x = *held;
    struct fetch *f;

    if (x == NULL)
        return;
    f = x->fetch;
    buf_done(&x->body);
    (void)pthread_mutex_lock(&f->lock);
    x->next = f->pool;
    f->pool = x;
    f->n_used--;
    (void)pthread_cond_signal(&f->idle);
    (void)pthread_mutex_unlock(&f->lock);
}

static void url_done(CURLU **url)
{
    curl_url_cleanup(*url);
}

static void curl_text_free(char **text)
{
    curl_free(*text);
}

#define OWN_URL __attribute__((cleanup(url_done)))
#define OWN_CURL_TEXT __attribute__((cleanup(curl_text_free)))

static enum rc refuse(struct err *e, const char *code, const char *why)
{
    return err_code(e, RC_INVALID, code, "the address %s", why);
}

/* What a URL must be before anything is resolved; host is for messages. */
static enum rc check_url(const struct fetch *f, enum fetch_policy policy, const char *text,
                         char host[LIMIT_HOST_BYTES], struct err *e)
{
    OWN_URL CURLU *url = curl_url();
    OWN_CURL_TEXT char *scheme = NULL;
    OWN_CURL_TEXT char *name = NULL;
    OWN_CURL_TEXT char *port = NULL;
    OWN_CURL_TEXT char *user = NULL;

    if (url == NULL)
        return err_set(e, RC_DOWN, "no memory for an address");
    if (curl_url_set(url, CURLUPART_URL, text, CURLU_PATH_AS_IS) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_HOST, &name, 0) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK ||
        !str_copy(host, LIMIT_HOST_BYTES, name))
        return refuse(e, "url_invalid", "is not a usable URL");
    if (!str_eq(scheme, "http") && !str_eq(scheme, "https"))
        return refuse(e, "url_invalid", "must begin with https://");
    if (curl_url_get(url, CURLUPART_USER, &user, 0) == CURLUE_OK)
        return refuse(e, "url_blocked", "must not hold a user name");
    if (policy == FETCH_PLATFORM || f->allow_private)
        return RC_OK;
    if (!str_eq(scheme, "https"))
        return refuse(e, "url_blocked", "must begin with https://");
    if (!str_eq(port, "443"))
        return refuse(e, "url_blocked", "must use port 443");
    return RC_OK;
}

/* Where only https is allowed, http addresses of merchants are taken as meant for it. */
static enum rc secure_url(const struct fetch *f, const struct fetch_req *req,
                          char url[LIMIT_FETCH_URL_BYTES], struct err *e)
{
    if (req->policy == FETCH_PLATFORM || f->allow_private)
        return RC_OK;
    return fetch_url_secure(url, e);
}

/* Resolves Location against the present address. */
static enum rc next_url(const char *from, const char *location, char out[LIMIT_FETCH_URL_BYTES],
                        struct err *e)
{
    OWN_URL CURLU *url = curl_url();
    OWN_CURL_TEXT char *text = NULL;

    if (url == NULL)
        return err_set(e, RC_DOWN, "no memory for an address");
    if (curl_url_set(url, CURLUPART_URL, from, 0) != CURLUE_OK ||
        curl_url_set(url, CURLUPART_URL, location, CURLU_URLENCODE) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_URL, &text, 0) != CURLUE_OK ||
        !str_copy(out, LIMIT_FETCH_URL_BYTES, text))
        return err_code(e, RC_INVALID, "url_invalid", "a redirect leads to an unusable address");
    return RC_OK;
}

bool fetch_reply_header(const struct fetch_reply *reply, const char *name, char *dst, size_t cap)
{
    const char *line = buf_text(&reply->headers);
    size_t len = strlen(name);

    while (*line != '\0') {
        const char *end = strchr(line, '\n');
        size_t line_len = end ? (size_t)(end - line) : strlen(line);

        if (line_len >= len + 2 && memcmp(line, name, len) == 0 &&
            memcmp(line + len, ": ", 2) == 0) {
            if (line_len - len - 2 >= cap)
                return false;
            memcpy(dst, line + len + 2, line_len - len - 2);
            dst[line_len - len - 2] = '\0';
            return true;
        }
        line += line_len + (end ? 1 : 0);
    }
    return false;
}

void fetch_reply_done(struct fetch_reply *reply)
{
    if (reply == NULL)
        return;
    buf_done(&reply->body);
    buf_done(&reply->headers);
}

static struct buf buf_move(struct buf *from)
{
    struct buf moved = *from;

    from->data = NULL;
    from->len = from->cap = 0;
    return moved;
}

/* Moves the answer out of an ended transfer. */
static void take_reply(struct xfer *x, const char *url, int64_t started_us, struct fetch_reply *out)
{
    char date[64];
    long status = 0;

    *out = (struct fetch_reply){ .body_bytes = x->body_bytes };
    (void)curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status); /* cannot fail */
    out->status = (int)status;
    out->body = buf_move(&x->body);
    out->headers = buf_move(&x->headers);
    out->ms = (clock_mono_us() - started_us) / US_PER_MS;
    (void)str_copy(out->final_url, sizeof(out->final_url), url); /* both have the same limit */
    if (fetch_reply_header(out, "date", date, sizeof(date))) {
        time_t at = curl_getdate(date, NULL);

        out->date_us = at > 0 ? (int64_t)at * US_PER_S : 0;
    }
}

static bool is_redirect(const struct fetch_req *req, const struct fetch_reply *reply)
{
    bool known = reply->status == 301 || reply->status == 302 || reply->status == 303 ||
                 reply->status == 307 || reply->status == 308;

    return known && req->policy == FETCH_PUBLIC &&
           (str_eq(req->method, "GET") || str_eq(req->method, "HEAD"));
}

/* One request and its answer, no redirects. */
static enum rc run_once(struct fetch *f, const struct fetch_req *req, const char *url,
                        int64_t started_us, struct fetch_reply *out, struct err *e)
{
    __attribute__((cleanup(xfer_give))) struct xfer *x = NULL;
    int64_t total_ms = req->total_ms > 0 ? req->total_ms : TOTAL_MS;
    int64_t left_ms = total_ms - (clock_mono_us() - started_us) / US_PER_MS;
    char host[LIMIT_HOST_BYTES] = "";
    enum rc rc = check_url(f, req->policy, url, host, e);

    if (rc != RC_OK)
        return rc;
    if (req->stop != NULL && atomic_load(req->stop))
        return err_code(e, RC_STOPPED, "not_sent", "a request to %s was stopped", host);
    if (left_ms <= 0)
        return err_set(e, RC_DOWN, "no time was left to reach %s", host);
    rc = xfer_take(f, &x, e);
    if (rc == RC_OK)
        rc = fetch_setup_request(x, req, url, left_ms, e);
    if (rc != RC_OK)
        return rc;
    fetch_engine_run(f, x);
    rc = fetch_setup_outcome(x, host, e);
    if (rc == RC_OK)
        take_reply(x, url, started_us, out);
    return rc;
}

enum rc fetch_run(struct fetch *f, const struct fetch_req *req, struct fetch_reply *out,
                  struct err *e)
{
    char url[LIMIT_FETCH_URL_BYTES], location[LIMIT_FETCH_URL_BYTES];
    int64_t started_us = clock_mono_us();
    struct fetch_reply reply = { 0 };

    if (req->n_headers > FETCH_HEADERS_MAX || (req->body == NULL && req->body_len > 0))
        return err_set(e, RC_BUG, "a request was put together wrongly");
    if (!str_copy(url, sizeof(url), req->url))
        return err_code(e, RC_INVALID, "url_invalid", "the address is too long");
    for (int hop = 0;; hop++) {
        enum rc rc = secure_url(f, req, url, e);

        if (rc == RC_OK)
            rc = run_once(f, req, url, started_us, &reply, e);
        if (rc != RC_OK)
            return rc;
        if (!is_redirect(req, &reply) ||
            !fetch_reply_header(&reply, "location", location, sizeof(location)))
            break;
        fetch_reply_done(&reply);
        if (hop == REDIRECTS_MAX)
            return err_code(e, RC_INVALID, "too_many_redirects", "more than %d redirects",
                            REDIRECTS_MAX);
        rc = next_url(url, location, url, e);
        if (rc != RC_OK)
            return rc;
    }
    *out = reply;
    return RC_OK;
}
