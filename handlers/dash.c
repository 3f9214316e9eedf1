/* dash.c - runs a page or an action: asks the REST handlers as the signed-in user; pieces that pages share. */
#include "dash_frame.h"

#include "db_account.h"
#include "jspec.h"
#include "str.h"

#include <string.h>

#define LIMIT_ANSWER_BYTES ((size_t)16 << 20)
#define LIMIT_ANSWER_KEYS 400000
#define LIMIT_ADDRESS_BYTES 3000

/* ---- asking the REST handlers ----------------------------------------------------------------------- */

static const struct http_route *route_of(http_handler handler)
{
    for (int i = 0; i < ROUTES_COUNT; i++) {
        if (ROUTES[i].handler == handler)
            return &ROUTES[i];
    }
    return NULL;
}

static bool scope_allows(const struct dash *d, const struct http_route *route)
{
    enum cfg_scope needed = route->access == HTTP_READ   ? CFG_SCOPE_READ
                            : route->access == HTTP_SYNC ? CFG_SCOPE_SYNC
                                                         : CFG_SCOPE_ADMIN;

    return route->access != HTTP_OPEN && d->req->scope >= needed;
}

bool dash_may(const struct dash *d, http_handler handler)
{
    const struct http_route *route = route_of(handler);

    return route != NULL && scope_allows(d, route);
}

const char *dash_clients(const struct dash *d)
{
    return d->req->user != NULL ? d->req->user->clients : NULL;
}

static enum rc add_params(struct http_req *sub, const struct dash_call *call, struct err *e)
{
    for (int i = 0; i < DASH_PARAMS_MAX && call->names[i] != NULL; i++) {
        struct http_param *p = &sub->params[sub->n_params];

        if (sub->n_params == HTTP_PARAMS_MAX)
            return err_set(e, RC_BUG, "too many parameters");
        p->name = call->names[i];
        p->name_len = strlen(call->names[i]);
        if (!str_copy(p->value, sizeof p->value, call->values[i]) || p->value[0] == '\0')
            return err_field(e, call->names[i], "is missing or too long");
        sub->n_params++;
    }
    return RC_OK;
}

static void answer_done(struct http_reply *reply)
{
    buf_done(&reply->body);
    for (int i = 0; i < reply->n_headers; i++)
        free(reply->headers[i].value);
}

enum rc dash_call(struct dash *d, const struct dash_call *call, json_t **out, struct err *e)
{
    const struct http_route *route = route_of(call->handler);
    struct http_req *sub = calloc(1, sizeof *sub);
    struct http_reply answer = { 0 };
    OWN_BUF struct buf body;
    enum rc rc = RC_OK;

    buf_init(&body, (size_t)1 << 20);
    buf_init(&answer.body, LIMIT_ANSWER_BYTES);
    if (sub == NULL || route == NULL) {
        free(sub);
        return err_set(e, RC_BUG, "no memory, or no such operation");
    }
    *sub = *d->req;
    sub->route = route;
    sub->method = route->method;
    sub->query = call->query != NULL ? call->query : "";
    if (!scope_allows(d, route))
        rc = err_code(e, RC_DENIED, "not_allowed", "your role does not allow this");
    if (rc == RC_OK && call->body != NULL)
        rc = jspec_dump(call->body, &body, e);
    sub->body = buf_text(&body);
    sub->body_len = body.len;
    if (rc == RC_OK)
        rc = add_params(sub, call, e);
    if (rc == RC_OK)
        rc = call->handler(d->app, sub, &answer, e);
    if (rc == RC_OK)
        rc = buf_check(&answer.body, e);
    if (rc == RC_OK && out != NULL) {
        *out = NULL;
        if (answer.body.len > 0)
            rc = jspec_parse(answer.body.data, answer.body.len, LIMIT_ANSWER_KEYS, out, e);
    }
    answer_done(&answer);
    free(sub);
    return rc;
}

enum rc dash_get(struct dash *d, http_handler handler, const char *query, json_t **out,
                 struct err *e)
{
    const struct dash_call call = { .handler = handler, .query = query };

    return dash_call(d, &call, out, e);
}

/* ---- a page ----------------------------------------------------------------------------------------- */

/* The client of the path with its name; RC_NOT_FOUND when there is none. */
static enum rc read_client(struct dash *d, struct err *e)
{
    json_auto_t *client = NULL;
    enum rc rc = dash_get(d, client_get, NULL, &client, e);

    if (rc == RC_OK)
        str_copy_cut(d->client_name, sizeof d->client_name, dash_text(client, "name"));
    return rc;
}

enum rc dash_page_get(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    const struct dash_page *page = dash_page_find(req->route->operation);
    struct dash d;
    struct err why = { 0 };
    enum rc rc = RC_OK;

    if (page == NULL)
        return err_set(e, RC_BUG, "the page has no row");
    if (req->user == NULL)
        return err_http(e, 401, "not_authenticated", "Pages are for people: sign in.");
    dash_open(&d, user, req);
    if (d.client_id[0] != '\0')
        rc = read_client(&d, &why);
    if (rc == RC_OK)
        rc = page->render(&d, &why);
    if (rc == RC_OK)
        return dash_close(&d, reply, 200, page->title, page, e);
    buf_done(&d.body);
    why.rc = rc;
    if (rc == RC_BUG) { /* the listener logs it */
        *e = why;
        return rc;
    }
    return dash_trouble(user, req, reply, &why, e);
}

/* ---- an action -------------------------------------------------------------------------------------- */

/* Back to where the form stood, with what was done. */
static enum rc go_back(const struct dash *d, struct http_reply *reply, const char *done,
                       struct err *e)
{
    char back[LIMIT_ADDRESS_BYTES];
    OWN_BUF struct buf address;

    buf_init(&address, LIMIT_ADDRESS_BYTES + 100);
    if (!session_field(d->req, "back", back, sizeof back) || !session_path_ok(back))
        (void)str_copy(back, sizeof back, "/");
    buf_fmt(&address, "%s%cfeito=%s", back, strchr(back, '?') != NULL ? '&' : '?', done);
    http_reply_header(reply, "Cache-Control", "no-store");
    if (buf_check(&address, NULL) != RC_OK)
        return err_set(e, RC_BUG, "an address is too long");
    return http_reply_redirect(reply, 303, buf_text(&address));
}

enum rc dash_action_post(void *user, struct http_req *req, struct http_reply *reply, struct err *e)
{
    const struct dash_action *action = dash_action_find(req->route->operation);
    struct dash d;
    struct err why = { 0 };
    enum rc rc = RC_OK;

    if (action == NULL)
        return err_set(e, RC_BUG, "the action has no row");
    dash_open(&d, user, req);
    rc = action->act != NULL
             ? action->act(&d, &why)
             : dash_call(&d, &(struct dash_call){ .handler = action->rest }, NULL, &why);
    buf_done(&d.body);
    if (rc == RC_OK)
        return go_back(&d, reply, action->operation, e);
    why.rc = rc;
    if (rc == RC_BUG) {
        *e = why;
        return rc;
    }
    return dash_trouble(user, req, reply, &why, e);
}

/* ---- pieces ----------------------------------------------------------------------------------------- */

const char *dash_text(const json_t *doc, const char *path)
{
    const char *text = jspec_text(doc, path);

    return text != NULL ? text : "";
}

void dash_query(const struct dash *d, const char *name, char *dst, size_t cap)
{
    if (!http_query(d->req, name, dst, cap))
        dst[0] = '\0';
    (void)str_trim(dst);
}

void dash_query_add(struct buf *out, const char *name, const char *value)
{
    if (value == NULL || value[0] == '\0')
        return;
    buf_fmt(out, "%s%s=", out->len > 0 ? "&" : "", name);
    str_url_encode(out, value);
}

static void put_parts(struct dash *d, const char *const *parts)
{
    for (int i = 0; parts[i] != NULL; i++) {
        html_put(&d->h, "/");
        html_url(&d->h, parts[i]);
    }
}

void dash_path(struct dash *d, const char *const *parts)
{
    html_put(&d->h, "/c/%s", d->client_id);
    put_parts(d, parts);
}

/* The page's address without what the last action said. */
static void put_back(struct dash *d)
{
    const char *at = d->req->query;
    char sign = '?';

    html_put(&d->h, "%s", d->req->path);
    while (*at != '\0') {
        size_t len = strcspn(at, "&");
        char piece[600];

        if (len > 0 && len < sizeof piece && strncmp(at, "feito=", 6) != 0) {
            (void)memcpy(piece, at, len);
            piece[len] = '\0';
            html_put(&d->h, "%s%s", sign == '?' ? "?" : "&", piece);
            sign = '&';
        }
        at += len;
        at += *at == '&';
    }
}

void dash_form(struct dash *d, const char *css, const char *const *parts)
{
    html_put(&d->h, "<form method=\"post\" class=\"%s\" action=\"", css);
    put_parts(d, parts);
    html_put(&d->h,
             "\"><input type=\"hidden\" name=\"csrf\" value=\"%s\"><input type=\"hidden\" "
             "name=\"back\" value=\"",
             d->csrf);
    put_back(d);
    html_put(&d->h, "\">");
}

void dash_button(struct dash *d, http_handler rest, const char *label, const char *css,
                 const char *confirm, const char *const *parts)
{
    if (!dash_may(d, rest))
        return;
    dash_form(d, "inline", parts);
    html_put(&d->h, "<button class=\"%s\"", css);
    if (confirm != NULL)
        html_put(&d->h, " data-confirm=\"%s\"", html_say(&d->h, confirm));
    html_put(&d->h, ">%s</button></form>\n", html_say(&d->h, label));
}

void dash_next(struct dash *d, const json_t *page)
{
    const char *next = jspec_text(page, "next");
    const char *at = d->req->query;

    if (next == NULL)
        return;
    html_put(&d->h, "<p class=\"next\"><a class=\"button\" rel=\"next\" href=\"%s?", d->req->path);
    while (*at != '\0') {
        size_t len = strcspn(at, "&");
        char piece[600];

        if (len > 0 && len < sizeof piece && strncmp(at, "cursor=", 7) != 0 &&
            strncmp(at, "feito=", 6) != 0) {
            (void)memcpy(piece, at, len);
            piece[len] = '\0';
            html_put(&d->h, "%s&", piece);
        }
        at += len;
        at += *at == '&';
    }
    html_put(&d->h, "cursor=");
    html_url(&d->h, next);
    html_put(&d->h, "\">{Next page}</a></p>\n");
}

void dash_pill(struct dash *d, const char *look, const char *english)
{
    html_put(&d->h, "<span class=\"pill %s\">%s</span>", look, html_say(&d->h, english));
}

void dash_empty(struct dash *d, const char *english)
{
    html_put(&d->h, "<p class=\"empty\">%s</p>\n", html_say(&d->h, english));
}

/* The message in the page's language where REST gives it or a row fits it; else what the code means comes first. */
static void put_message(struct dash *d, const json_t *problem)
{
    bool pt = !d->h.english;
    const char *code = dash_text(problem, "code");
    const char *message = pt ? jspec_text(problem, "message_pt") : NULL;
    struct dash_name known = dash_name(NAMES_PROBLEM, code);

    if (message != NULL) {
        html_put(&d->h, "<p>%s</p>", message);
        return;
    }
    message = jspec_text(problem, "message");
    if (message == NULL)
        message = dash_text(problem, "detail");
    if (!str_eq(known.english, code) && (message[0] == '\0' || !html_sentence_known(message)))
        html_put(&d->h, "<p><strong>%s</strong></p>", html_say(&d->h, known.english));
    if (message[0] == '\0')
        return;
    html_put(&d->h, "<p>");
    html_sentence(&d->h, message);
    html_put(&d->h, "</p>");
}

void dash_problem(struct dash *d, const json_t *problem)
{
    const char *field = dash_text(problem, "field");
    const char *action = d->h.english ? NULL : jspec_text(problem, "action_pt");
    char number[24] = "";

    html_put(&d->h, "<div class=\"problem\">");
    put_message(d, problem);
    if (action == NULL)
        action = dash_text(problem, "action");
    if (action[0] != '\0') {
        html_put(&d->h, "<p class=\"advice\"><b>{What to do}:</b> ");
        html_sentence(&d->h, action);
        html_put(&d->h, "</p>");
    }
    if (json_is_integer(json_object_get(problem, "platform_code")))
        (void)str_fmt(number, sizeof number, " · %lld",
                      (long long)jspec_int(problem, "platform_code", 0));
    html_put(&d->h, "<p class=\"hint\">%s%s%s%s</p></div>\n", dash_text(problem, "code"), number,
             field[0] != '\0' ? " · " : "", field);
}

/* ---- names ------------------------------------------------------------------------------------------ */

struct dash_name dash_name(const struct dash_name *names, const char *value)
{
    for (int i = 0; names[i].value != NULL; i++) {
        if (str_eq(names[i].value, value))
            return names[i];
    }
    return (struct dash_name){ .value = value, .english = value, .look = "idle" };
}

void dash_name_pill(struct dash *d, const struct dash_name *names, const char *value)
{
    struct dash_name n = dash_name(names, value);

    dash_pill(d, n.look, n.english);
}

void dash_select(struct dash *d, const char *name, const char *label, const struct dash_name *names,
                 const char *chosen)
{
    html_put(&d->h, "<label>%s<select name=\"%s\"><option value=\"\">{all}</option>",
             html_say(&d->h, label), name);
    for (int i = 0; names[i].value != NULL; i++) {
        html_put(&d->h, "<option value=\"%s\"", names[i].value);
        if (str_eq(names[i].value, chosen))
            html_put(&d->h, " selected");
        html_put(&d->h, ">%s</option>", html_say(&d->h, names[i].english));
    }
    html_put(&d->h, "</select></label>\n");
}
