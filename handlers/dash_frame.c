/* dash_frame.c - the frame of a page: head, navigation, language, messages, and the built-in style and script. */
#include "dash_frame.h"

#include "assets.h"
#include "sign.h"
#include "str.h"

#include <pthread.h>
#include <string.h>

#define LIMIT_BODY_BYTES ((size_t)2 << 20)
#define VERSION_CHARS 17
#define YEAR_S 31536000

/* ---- built-in files -------------------------------------------------------------------------------- */

static const struct static_file {
    const char *name, *asset, *type;
} FILES[] = {
    { "dash.css", "web/dash.css", "text/css; charset=utf-8" },
    { "dash.js", "web/dash.js", "text/javascript; charset=utf-8" },
    { "icon.svg", "web/icon.svg", "image/svg+xml" },
};
#define N_FILES (sizeof FILES / sizeof FILES[0])
static char VERSIONS[N_FILES][VERSION_CHARS];
static pthread_once_t VERSIONED = PTHREAD_ONCE_INIT;

static void read_versions(void)
{
    for (size_t i = 0; i < N_FILES; i++) {
        const struct asset *a = asset_find(FILES[i].asset);
        unsigned char digest[SIGN_SHA256_BYTES];

        if (a == NULL)
            continue;
        sign_sha256(a->data, a->size, digest);
        str_hex(VERSIONS[i], digest, 8);
    }
}

enum rc static_get(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    const char *name = http_param(req, "file");
    const char *none = http_header(req, "If-None-Match");

    (void)user;
    (void)pthread_once(&VERSIONED, read_versions);
    for (size_t i = 0; i < N_FILES; i++) {
        const struct asset *a = asset_find(FILES[i].asset);

        if (!str_eq(name, FILES[i].name) || a == NULL)
            continue;
        http_reply_header(reply, "ETag", "\"%s\"", VERSIONS[i]);
        http_reply_header(reply, "Cache-Control", "public, max-age=%d, immutable", YEAR_S);
        if (none != NULL && strstr(none, VERSIONS[i]) != NULL) {
            reply->status = 304;
            return RC_OK;
        }
        reply->status = 200;
        reply->content_type = FILES[i].type;
        buf_add(&reply->body, a->data, a->size);
        return buf_check(&reply->body, e);
    }
    return err_code(e, RC_NOT_FOUND, "not_found", "there is no such file");
}

/* ---- language -------------------------------------------------------------------------------------- */

/* Portuguese unless the person chose English here. */
static bool wants_english(const struct http_req *req)
{
    char language[8];

    return http_cookie(req, "lang", language, sizeof language) && str_eq(language, "en");
}

enum rc language_get(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    const struct app *app = user;
    const char *language = http_param(req, "language");
    char next[1024];

    if (!str_eq(language, "pt") && !str_eq(language, "en"))
        return err_code(e, RC_NOT_FOUND, "not_found", "there is no such language");
    if (!http_query(req, "next", next, sizeof next) || !session_path_ok(next))
        (void)str_copy(next, sizeof next, "/");
    http_reply_header(reply, "Set-Cookie", "lang=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Lax%s",
                      language, YEAR_S,
                      str_starts(app->cfg.public_url, "https://") ? "; Secure" : "");
    http_reply_header(reply, "Cache-Control", "no-store");
    return http_reply_redirect(reply, 303, next);
}

/* ---- the frame ------------------------------------------------------------------------------------- */

void dash_open(struct dash *d, struct app *app, struct http_req *req)
{
    *d = (struct dash){ .app = app, .req = req, .client_id = http_param(req, "client_hash") };
    buf_init(&d->body, LIMIT_BODY_BYTES);
    d->h = (struct html){ .out = &d->body, .english = wants_english(req) };
    session_csrf(app, req, d->csrf);
}

struct link {
    const char *address;
    const char *english;
};
static const struct link NAV[] = {
    [NAV_TODAY] = { "/", "Today" },
    [NAV_CLIENTS] = { "/clientes", "Clients" },
    [NAV_DEADLINES] = { "/prazos", "Deadlines" },
    [NAV_QUEUE] = { "/fila", "Queue" },
    [NAV_ACCESS] = { "/autorizacoes", "Authorizations" },
};
static const struct link TABS[] = {
    { "", "Overview" },
    { "pedidos", "Orders" },
    { "prazos", "Deadlines" },
    { "anuncios", "Listings" },
    { "estoque-e-preco", "Stock and price" },
    { "skus-sem-vinculo", "Unlinked SKUs" },
    { "categorias", "Categories" },
    { "execucoes", "Runs" },
    { "eventos", "Webhooks" },
    { "relatorio", "Week" },
    { "autorizacao", "Authorization" },
    { "historico", "History" },
    { "configuracoes", "Settings" },
};

static void put_here(struct html *h, const struct dash *d)
{
    html_url(h, d->req->path);
    if (d->req->query[0] != '\0') {
        html_put(h, "%%3F");
        html_url(h, d->req->query);
    }
}

static void put_head(struct html *h, const struct dash *d, const char *title)
{
    html_put(h,
             "<!doctype html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
             "<meta name=\"robots\" content=\"noindex\">\n<title>%s%s%s – TikTok Shop</title>\n",
             h->english ? "en" : "pt-BR", html_say(h, title), d->client_name[0] ? " – " : "",
             d->client_name);
    html_put(h,
             "<link rel=\"icon\" href=\"/static/icon.svg?v=%s\" type=\"image/svg+xml\">\n"
             "<link rel=\"stylesheet\" href=\"/static/dash.css?v=%s\">\n"
             "<script src=\"/static/dash.js?v=%s\" defer></script>\n</head>\n",
             VERSIONS[2], VERSIONS[0], VERSIONS[1]);
}

static void put_top(struct html *h, const struct dash *d, const struct dash_page *page)
{
    html_put(h, "<header class=\"top\">\n<a class=\"brand\" href=\"/\">TikTok Shop</a>\n");
    if (d->req->user != NULL && page != NULL) {
        html_put(h, "<nav class=\"main-nav\" aria-label=\"{Main pages}\">\n");
        for (size_t i = 0; i < sizeof NAV / sizeof NAV[0]; i++) {
            html_put(h, "<a href=\"%s\"", NAV[i].address);
            if (page->nav == (enum dash_nav)i)
                html_put(h, " aria-current=\"page\"");
            html_put(h, ">%s</a>\n", html_say(h, NAV[i].english));
        }
        html_put(h, "</nav>\n<form class=\"search\" action=\"/busca\" role=\"search\">"
                    "<label class=\"hidden\" for=\"search\">{Order, product or SKU}</label>"
                    "<input id=\"search\" name=\"q\" type=\"search\" maxlength=\"100\" "
                    "placeholder=\"{Order, product or SKU}\"><button>{Search}</button></form>\n");
    }
    html_put(h, "<div class=\"who\"><a href=\"/idioma/%s?next=", h->english ? "pt" : "en");
    put_here(h, d);
    html_put(h, "\" lang=\"%s\" hreflang=\"%s\">%s</a>", h->english ? "pt-BR" : "en",
             h->english ? "pt-BR" : "en", h->english ? "Português" : "English");
    if (d->req->user != NULL)
        html_put(h,
                 " <span class=\"user\">%s</span> <form method=\"post\" action=\"/logout\">"
                 "<input type=\"hidden\" name=\"csrf\" value=\"%s\"><button class=\"plain\">{Sign "
                 "out}</button></form>",
                 d->req->user->name, d->csrf);
    html_put(h, "</div>\n</header>\n");
}

static void put_tabs(struct html *h, const struct dash *d, const struct dash_page *page)
{
    html_put(h, "<nav class=\"tabs\" aria-label=\"{Pages of the client}\">\n");
    for (size_t i = 0; i < sizeof TABS / sizeof TABS[0]; i++) {
        bool here = str_eq(page->tab, TABS[i].address);

        html_put(h, "<a href=\"/c/%s%s%s\"", d->client_id, TABS[i].address[0] ? "/" : "",
                 TABS[i].address);
        if (here)
            html_put(h, " aria-current=\"page\"");
        html_put(h, ">%s</a>\n", html_say(h, TABS[i].english));
    }
    html_put(h, "</nav>\n");
}

/* What an action says when the browser comes back from it. */
static void put_done(struct html *h, const struct dash *d)
{
    char done[64];
    const struct dash_action *action = NULL;

    if (http_query(d->req, "feito", done, sizeof done))
        action = dash_action_find(done);
    if (action != NULL)
        html_put(h, "<p class=\"note ok\" role=\"status\">%s</p>\n", html_say(h, action->done));
}

static void put_page(struct html *h, const struct dash *d, const char *title,
                     const struct dash_page *page)
{
    put_head(h, d, title);
    html_put(h, "<body");
    if (d->live_s > 0)
        html_put(h, " data-live=\"%d\"", d->live_s);
    html_put(h, ">\n<a class=\"skip\" href=\"#main\">{Skip to the content}</a>\n");
    put_top(h, d, page);
    if (page != NULL && page->tab != NULL && d->client_name[0] != '\0') {
        html_put(
            h,
            "<div class=\"client\"><a href=\"/clientes\">{Clients}</a> › <a href=\"/c/%s\">%s</a></div>\n",
            d->client_id, d->client_name);
        put_tabs(h, d, page);
    }
    html_put(h, "<main id=\"main\">\n");
    put_done(h, d);
    if (page != NULL)
        html_put(h, "<h1>%s</h1>\n", html_say(h, title));
    buf_add(h->out, d->body.data != NULL ? d->body.data : "", d->body.len);
    html_put(h, "</main>\n</body>\n</html>\n");
}

static void put_headers(struct http_reply *reply, const struct html *h)
{
    http_reply_header(reply, "Content-Security-Policy",
                      "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self';"
                      " connect-src 'self'; form-action 'self'; base-uri 'none';"
                      " frame-ancestors 'none'");
    http_reply_header(reply, "Referrer-Policy", "same-origin");
    http_reply_header(reply, "Cache-Control", "no-store");
    http_reply_header(reply, "Content-Language", "%s", h->english ? "en" : "pt-BR");
}

enum rc dash_close(struct dash *d, struct http_reply *reply, int status, const char *title,
                   const struct dash_page *page, struct err *e)
{
    struct html frame = { .out = &reply->body, .english = d->h.english };
    enum rc rc = buf_check(&d->body, e);

    (void)pthread_once(&VERSIONED, read_versions);
    buf_clear(&reply->body);
    if (rc == RC_OK) {
        put_page(&frame, d, title, page);
        put_headers(reply, &frame);
        rc = buf_check(&reply->body, e);
    }
    buf_done(&d->body);
    reply->status = status;
    reply->content_type = "text/html; charset=utf-8";
    return rc == RC_OK ? RC_OK : err_set(e, RC_BUG, "a page could not be written");
}

/* ---- when it does not work -------------------------------------------------------------------------- */

static int status_of(const struct err *why)
{
    static const int STATUS[] = { [RC_INVALID] = 400,   [RC_NOT_FOUND] = 404, [RC_DENIED] = 403,
                                  [RC_DUPLICATE] = 409, [RC_BUSY] = 429,      [RC_DOWN] = 503,
                                  [RC_UNSURE] = 503,    [RC_STOPPED] = 503,   [RC_BUG] = 500 };

    return why->http_status != 0 ? why->http_status : STATUS[why->rc] != 0 ? STATUS[why->rc] : 500;
}

/* The sentence of the problem in the page's language where a table has it, else what kind of problem it is. */
static void put_why(struct html *h, const struct err *why, int status)
{
    const char *kind = status == 404   ? "There is nothing here."
                       : status == 403 ? "This is not allowed for your user."
                       : status == 409 ? "It cannot be done now."
                       : status == 429 ? "Too many requests: try again in a moment."
                       : status == 503 ? "The service is busy: try again in a moment."
                       : status < 500  ? "Something in the form is not right."
                                       : "Something unforeseen happened; the id below leads to the "
                                         "log.";
    const char *said = html_say(h, why->text);

    html_put(h, "<p>%s</p>\n", html_say(h, kind));
    if (status < 500 && why->text[0] != '\0')
        html_put(h, "<p>%s%s%s</p>\n", why->field, why->field[0] != '\0' ? ": " : "", said);
}

enum rc dash_trouble(struct app *app, struct http_req *req, struct http_reply *reply,
                     const struct err *why, struct err *e)
{
    static const struct dash_page PLAIN = { .nav = NAV_CLIENT };
    struct dash d;
    char back[1024];
    int status = status_of(why);

    dash_open(&d, app, req);
    html_put(&d.h, "<div class=\"card\">\n");
    put_why(&d.h, why, status);
    if (!session_field(req, "back", back, sizeof back) || !session_path_ok(back))
        (void)str_copy(back, sizeof back, "/");
    html_put(&d.h,
             "<p><a class=\"button\" href=\"%s\">{Back}</a></p>\n<p class=\"hint\">{Request} %s</p>"
             "\n</div>\n",
             back, req->id);
    return dash_close(&d, reply, status, status == 404 ? "Not found" : "It did not work", &PLAIN,
                      e);
}

enum rc dash_refuse(struct app *app, struct http_req *req, struct http_reply *reply, enum rc why,
                    const char *detail, struct err *e)
{
    struct err said = { 0 };

    (void)err_code(&said, why, why == RC_NOT_FOUND ? "not_found" : "not_allowed", "%s", detail);
    if (req->page)
        return dash_trouble(app, req, reply, &said, e);
    *e = said;
    return why;
}
